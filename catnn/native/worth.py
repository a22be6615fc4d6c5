"""Where the C library is predicted to be faster than torch's statements.

Measured with one thread on a machine with AVX-512: the library was 1.2 to 6 times faster up to 128 channels, for it has
no dispatch and keeps an entry in the cache; but MKL multiplies large matrices 1.3 times as fast, so that wide layers of
higher order belong to it.
"""

from __future__ import annotations

from math import prod

from catnn.plan.plan import Plan

WIDE = 2**21
"""So many multiply-adds an element of a product's table, and torch's own product is faster."""


def worth(plan: Plan, sizes: dict[str, int]) -> bool:
    """Whether a layer is to run in C at these sizes."""
    heavy = 0
    for product in plan.products:
        places = prod(w.group.size if isinstance(w.group.size, int) else sizes[w.group.size] for w in product.level)
        rows = sum(plan.source.summands[row.summand].channels for row in product.rows)
        columns = sum(plan.target.summands[column.summand].channels for column in product.columns)
        if min(rows, columns) > 48 and len(product.sigmas) > 2:
            heavy += places * rows * columns * len(product.sigmas)
    return heavy < WIDE * 8
