"""The C that runs a program of `catnn.native.program`: eleven instructions on strided views, channels last.

One text for all layers, so it is compiled once a machine.  A program is a table of 64-bit integers; a view is a buffer,
an offset in elements and a stride for each axis.  Everything is done for a few entries of the batch after others, so
that what lies between input and output stays in the cache.
"""

from __future__ import annotations

import re

from catnn.native.kernels_moves import MOVES
from catnn.native.kernels_products import PRODUCTS
from catnn.native.kernels_rows import ROWS
from catnn.native.kernels_tiles import TILES
from catnn.native.kernels_views import HEAD, VIEWS
from catnn.native.room import LOCAL

INSTRUCTIONS = r"""
/* one instruction for some entries of the batch, that lie step[buffer] apart; the next one */
OWN const I *NAME(instruction)(const I *q, const double *f, R **b, const I *step, I entries) {
  switch (*q++) {
    case 1: /* zero: d, count */
      if (step[q[0]] == 0 || step[q[0]] == q[2])
        memset(HERE(0), 0, (size_t)(step[q[0]] ? entries * q[2] : q[2]) * sizeof(R));
      else ENTRIES memset(AT(0), 0, (size_t)q[2] * sizeof(R));
      return q + 3;
    case 2: { /* sum: C, factor, t, its stride, p, d, s, ext.., d strides.., s strides.. */
      I p = q[4];
      NAME(axes) v = NAME(axes_of)(q + 9, q + 9 + p, q + 9 + 2 * p, p, entries, step[q[5]], step[q[7]]);
      NAME(sum_view)(HERE(5), v.d, HERE(7), v.s, v.ext, p + 1, q[0], q[2], q[3], (R)f[q[1]]);
      return q + 9 + 3 * p;
    }
    case 3: { /* add: C, factor, p, d, s, ext.., d strides.., s strides.. */
      I p = q[2];
      NAME(axes) v = NAME(axes_of)(q + 7, q + 7 + p, q + 7 + 2 * p, p, entries, step[q[3]], step[q[5]]);
      NAME(add_view)(HERE(3), v.d, HERE(5), v.s, v.ext, p + 1, q[0], (R)f[q[1]]);
      return q + 7 + 3 * p;
    }
    case 4: return NAME(product)(q, f, b, step, entries);
    case 5: return NAME(outer)(q, b, step, entries);
    case 6: { /* combine: length, C, values, d, s, add, rows, then for each: place, n, pairs.. */
      ENTRIES {
        const R *v = b[q[2]], *s = AT(5);
        R *d = AT(3);
        const I *o = q + 9;
        for (I r = 0; r < q[8]; r++, o += 2 + 2 * o[1]) NAME(combine)(d + o[0], s, o + 2, o[1], v, q[1], (int)q[7]);
      }
      return q + q[0];
    }
    case 7: /* move: d, s, three lengths, strides of d, strides of s, factor, add */
      NAME(move)(HERE(0), HERE(2), q + 4, q + 7, q + 10, (R)f[q[13]], (int)q[14]);
      return q + 15;
    case 8: return NAME(plain)(q, f, b, step, entries);
    case 9: return NAME(meet)(q, f, b, step, entries);
    case 10: return NAME(paired)(q, f, b, step, entries);
    case 11: return NAME(meet_paired)(q, f, b, step, entries);
  }
  return q;
}
OWN const I *NAME(part)(const I *q, const double *f, R **b, const I *step, I entries) {
  while (*q) q = NAME(instruction)(q, f, b, step, entries);
  return q + 1;
}
/* the three parts of a program: once, for `chunk` entries of the batch after as many others, once.
   b: the buffers; those from outside move along: an entry lies step[buffer] behind the one before.  The first starts
   anew, and holds the values that every entry has, each a buffer of its own; where it is missing, what little is to be
   kept, `between` numbers and no more than LOCAL in all, is kept here */
void NAME(run)(const I *q, const double *f, R **b, const I *step, I buffers, I entries, I chunk, I between) {
  const I *last = q + 2 + q[1];
  R local[LOCAL] __attribute__((aligned(64)));
  if (!b[0]) b[0] = local, b[1] = local + between;
  for (I i = 0; i < q[1]; i++) b[q[0] + i] = b[0] + q[2 + i] * chunk;
  q = NAME(part)(last, f, b, step, 1);
  for (I e = 0; e < entries; e += chunk) {
    last = NAME(part)(q, f, b, step, entries - e < chunk ? entries - e : chunk);
    for (I i = 1; i < buffers; i++) b[i] += chunk * step[i];
  }
  NAME(part)(last, f, b, step, 1);
}
"""


PARTS = {"MOVES": f"{MOVES}{PRODUCTS}", "TILES": f"{TILES}{ROWS}{INSTRUCTIONS}"}
"""What is compiled at the same time, by what is defined to compile it: halves that take about equally long."""

APART = re.compile(r"^(APART [^{]*?) \{$", re.MULTILINE)
"""How a function begins that the other part may call."""


def source(kind: str) -> str:
    """The whole text for a type of numbers: what all parts share, the functions that they call of each other, each."""
    given = f"#define LOCAL {LOCAL}\n#define R {kind}\n#define NAME(x) x##_{kind}\n"
    declared = "".join(f"{function};\n" for part in PARTS.values() for function in APART.findall(part))
    parts = "".join(f"#ifdef {name}{part}#endif\n" for name, part in PARTS.items())
    return f"{HEAD}{given}{VIEWS}{declared}{parts}"
