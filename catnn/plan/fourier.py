"""Products in the Fourier basis of S_p: at a literal n, the sum over the permutations of p axes in blocks.

A product of rows with weights for each permutation of their axes is sum_s P_s x W_s.  In the basis of `catnn.category.
young` every P_s is block-diagonal, so it is one small product a partition of p: sum f^2 m multiply-adds a pair of
channels instead of p! n^p, for O(3) and p = 4 those of 201 instead of 1944.  The change of basis is sparse.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from catnn.category.young import Blocks, faults, young
from catnn.plan.plan import Plan, Product
from catnn.plan.prove import UnsoundPlanError

MOST_ENTRIES = 256
"""Axes with more entries together have no Fourier basis here: it would take long to write down, and to read."""

SPARSE = 3
"""A multiply-add of the change of basis takes as long as so many of a product."""

GAIN = 0.8
"""Fewer multiply-adds than this share of those before are worth a change of basis."""


WORTH = 4_000_000
"""A change of basis has to save so many multiply-adds: the weights are turned in a dozen steps of torch."""


@dataclass(frozen=True, slots=True)
class Saving:
    """The blocks of a product, and the multiply-adds of an entry before and after; those for the weights, once."""

    blocks: Blocks
    before: int
    after: int
    weights: int


def fourier(plan: Plan) -> tuple[Saving | None, ...]:
    """For each product of a plan its blocks, where it has them and they save multiply-adds."""
    return tuple(_saving(plan, product) for product in plan.products)


def _saving(plan: Plan, product: Product) -> Saving | None:
    wires, p = set(product.level), len(product.level)
    size = next(iter(wires)).group.size if len(wires) == 1 else None
    if p < 2 or not isinstance(size, int) or size**p > MOST_ENTRIES or len(product.sigmas) < 2 or product.scale:
        return None
    blocks = proved(p, size)
    rows = sum(plan.source.summands[row.summand].channels for row in product.rows)
    columns = sum(plan.target.summands[column.summand].channels for column in product.columns)
    before = len(product.sigmas) * size**p * rows * columns
    after = blocks.work * rows * columns + SPARSE * blocks.entries * (rows + columns)
    if after > GAIN * before:
        return None
    matrices = sum(len(shape.tableaux) ** 2 for shape in blocks.shapes)
    return Saving(blocks, before, after, len(product.sigmas) * matrices * rows * columns)


def saved(savings: Iterable[Saving | None], entries: int) -> int:
    """How many multiply-adds the blocks save for so many entries of the batch."""
    return sum((one.before - one.after) * entries - one.weights for one in savings if one is not None)


def worthwhile(savings: Iterable[Saving | None], entries: int) -> bool:
    """Whether products are made in blocks for so many entries."""
    return saved(savings, entries) > WORTH


@cache
def proved(p: int, n: int) -> Blocks:
    """The blocks of V^p, proved.  Raises: UnsoundPlanError naming the first fault."""
    blocks = young(p, n)
    for fault in faults(blocks):
        raise UnsoundPlanError(f"the blocks of {p} axes of length {n}: {fault}")
    return blocks
