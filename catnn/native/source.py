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
from catnn.native.room import LOCAL

HEAD = r"""#include <stdint.h>
#include <string.h>
typedef int64_t I;
#define AXES 32
#define PIECES 64
#define TILED 8
#define INLINE static inline __attribute__((always_inline))
#define APART __attribute__((noinline, visibility("hidden")))
#ifdef __AVX512F__
#define WIDE 64
#else
#define WIDE 32
#endif
#define EACH(i, n) _Pragma("GCC unroll 16") for (int i = 0; i < n; i++)
typedef float four __attribute__((vector_size(16), aligned(4), may_alias));
#ifdef __AVX512F__
typedef float sixteen __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t sixteen_numbers __attribute__((vector_size(64)));
/* four numbers, four times side by side */
INLINE sixteen broadcast(const float *p) {
  sixteen x;
  __asm__("vbroadcastf32x4 %1, %0" : "=v"(x) : "m"(*(const four *)p));
  return x;
}
INLINE sixteen permuted(sixteen x, sixteen_numbers at) {
  sixteen y;
  __asm__("vpermps %1, %2, %0" : "=v"(y) : "v"(x), "v"(at));
  return y;
}
#define BROADCAST broadcast
#define PERMUTED permuted
#endif
#ifdef __has_builtin
#if __has_builtin(__builtin_shufflevector)
#define SHUFFLES 1
#endif
#endif
/* the transpose of a block of four rows of four numbers, times f */
#ifdef SHUFFLES
INLINE void turn_four(float *d, I ds, const float *s, I ss, float f) {
  four a = *(const four *)s, b = *(const four *)(s + ss);
  four c = *(const four *)(s + 2 * ss), e = *(const four *)(s + 3 * ss);
  four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), ce = __builtin_shufflevector(c, e, 0, 4, 1, 5);
  four ba = __builtin_shufflevector(a, b, 2, 6, 3, 7), ec = __builtin_shufflevector(c, e, 2, 6, 3, 7);
  *(four *)d = f * __builtin_shufflevector(ab, ce, 0, 1, 4, 5);
  *(four *)(d + ds) = f * __builtin_shufflevector(ab, ce, 2, 3, 6, 7);
  *(four *)(d + 2 * ds) = f * __builtin_shufflevector(ba, ec, 0, 1, 4, 5);
  *(four *)(d + 3 * ds) = f * __builtin_shufflevector(ba, ec, 2, 3, 6, 7);
}
#else
INLINE void turn_four(float *d, I ds, const float *s, I ss, float f) {
  for (I i = 0; i < 4; i++) for (I j = 0; j < 4; j++) d[i * ds + j] = f * s[j * ss + i];
}
#endif
"""

INSTRUCTIONS = r"""
/* one instruction for some entries of the batch, that lie step[buffer] apart; the next one */
APART const I *NAME(instruction)(const I *q, const double *f, R **b, const I *step, I entries) {
#define ENTRIES for (I e = 0; e < entries; e++)
#define AT(k) (b[q[k]] + q[(k) + 1] + e * step[q[k]])
#define HERE(k) (b[q[k]] + q[(k) + 1])
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
    case 8: { /* plain: p, N, add, terms, d, ext.., d strides.., terms: K, N, sk, so, column, factor, s, w, s strides */
      I p = q[0], at[AXES] = {0}, size = 10 + p, M = 1;
      const I *ext = q + 6, *ds = ext + p, *terms = ds + p;
      for (I a = 0; a < p; a++) M *= ext[a];
      ENTRIES for (I v = 0; v < M; v++) {
        NAME(seek)(v, ext, p, at);
        R *d = AT(4) + NAME(place)(at, ds, p);
        if (!q[2]) memset(d, 0, (size_t)q[1] * sizeof(R));
        const I *o = terms;
        for (I i = 0; i < q[3]; i++, o += size)
          NAME(block)(d + o[4], b[o[6]] + o[7] + e * step[o[6]] + NAME(place)(at, o + 10, p), b[o[8]] + o[9], o[1],
                      o[0], o[3], o[2], (R)f[o[5]]);
      }
      return terms + q[3] * size;
    }
    case 9: { /* meet: p, terms, ext.., terms: K, N, sk, so, factor, gradient, left, right, left strides.., right.. */
      I p = q[0], at[AXES] = {0}, size = 11 + 2 * p, M = 1;
      const I *ext = q + 2, *terms = ext + p;
      for (I a = 0; a < p; a++) M *= ext[a];
      ENTRIES for (I v = 0; v < M; v++) {
        NAME(seek)(v, ext, p, at);
        const I *o = terms;
        for (I i = 0; i < q[1]; i++, o += size)
          NAME(block_outer)(b[o[5]] + o[6], b[o[7]] + o[8] + e * step[o[7]] + NAME(place)(at, o + 11, p),
                            b[o[9]] + o[10] + e * step[o[9]] + NAME(place)(at, o + 11 + p, p), o[1], o[0], o[3], o[2],
                            (R)f[o[4]]);
      }
      return terms + q[1] * size;
    }
    case 10: { /* paired: n, N, K, rows at once, weights' rows apart, add, starts, pieces, even weights, odd, pile, d,
                  pieces: C, s, strides, starts: factor, s, strides */
      I n = q[0], N = q[1], K = q[2], rows = q[3], ldw = q[4], starts = q[6], pieces = q[7];
      const I *piece = q + 16, *begin = piece + 5 * pieces;
      R *s = HERE(12), *t = s + rows * K, *even = t + rows * K, *odd = even + rows * N;
      ENTRIES {
        R *d = AT(14);
        NAME(run_of) from, o;
        NAME(first_run)(&from, n, 0, 0);
        while (from.i < n) {
          o = from;
          I full = NAME(pairs)(piece, pieces, b, step, e, n, &from, rows, s, t, K, 1);
          NAME(gemm)(full, N, K, s, K, 1, HERE(8), ldw, even, N, 0);
          NAME(gemm)(full, N, K, t, K, 1, HERE(10), ldw, odd, N, 0);
          for (I v = 0; v < full; v += o.run, NAME(next_run)(&o, n)) {
            I i = o.i, j = o.j, skip = i == j;
            NAME(more) m[3], l[3];
            for (I a = 0; a < starts; a++) {
              const I *u = begin + 5 * a;
              const R *x = b[u[1]] + u[2] + e * step[u[1]];
              m[a] = (NAME(more)){x + i * u[3] + j * u[4], u[4], (R)f[u[0]]};
              l[a] = (NAME(more)){x + (j + skip) * u[3] + i * u[4], u[3], (R)f[u[0]]};
            }
            R *y = d + (i * n + j) * N, *z = d + ((j + skip) * n + i) * N;
            if (q[5]) {
              m[starts] = (NAME(more)){y, N, 1};
              l[starts] = (NAME(more)){z, n * N, 1};
            }
            I more = starts + (q[5] != 0);
            NAME(spread)(y, N, even + v * N, odd + v * N, 1, o.run, N, m, more);
            NAME(spread)(z, n * N, even + (v + skip) * N, odd + (v + skip) * N, -1, o.run - skip, N, l, more);
          }
        }
      }
      return begin + 5 * starts;
    }
    case 11: { /* meet paired: n, N, K, gradients' rows apart, rows at once, left pieces, right, even, odd, pile, ... */
      I n = q[0], N = q[1], K = q[2], ldg = q[3], rows = q[4], left = q[5], right = q[6];
      const I *one = q + 13, *other = one + 5 * left;
      R *s = HERE(11), *t = s + rows * N, *u = t + rows * N, *v = u + rows * K;
      ENTRIES for (NAME(run_of) from = {0, 0, TILED < n ? TILED : n}; from.i < n;) {
        NAME(run_of) same = from;
        I full = NAME(pairs)(one, left, b, step, e, n, &from, rows, s, t, N, (R)0.5);
        NAME(pairs)(other, right, b, step, e, n, &same, rows, u, v, K, 1);
        NAME(gemm)(N, K, full, s, 1, N, u, K, HERE(7), ldg, 1);
        NAME(gemm)(N, K, full, t, 1, N, v, K, HERE(9), ldg, 1);
      }
      return other + 5 * right;
    }
  }
  return q;
#undef ENTRIES
#undef AT
#undef HERE
}
APART const I *NAME(part)(const I *q, const double *f, R **b, const I *step, I entries) {
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


PARTS = ("MOVES", "PROGRAMS")
"""What is defined to compile a part of the text: both are compiled at the same time."""

OUTSIDE = re.compile(r"^(APART [^{]*?) \{\n.*?^\}\n", re.MULTILINE | re.DOTALL)
"""A function of the first part that the second may call: its declaration, and its body."""


def source(kind: str) -> str:
    """The whole text for a type of numbers, in two parts: what moves numbers, and what runs programs by that."""
    given = f"#define LOCAL {LOCAL}\n#define R {kind}\n#define NAME(x) x##_{kind}\n"
    moves = f"{MOVES}{PRODUCTS}"
    programs = OUTSIDE.sub(r"\1;\n", moves) + f"{TILES}{ROWS}{INSTRUCTIONS}"
    return f"{HEAD}{given}#ifdef {PARTS[0]}\n{moves}#else\n{programs}#endif\n"
