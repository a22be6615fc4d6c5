"""Products in the Fourier basis of S_p: the sum over the permutations of p axes in blocks.

A product of rows with weights for each permutation of their axes is sum_s P_s x W_s.  In the basis of `catnn.category.
young` every P_s is block-diagonal, so it is one small product a partition of p: sum f^2 m multiply-adds a pair of
channels instead of p! n^p, for O(3) and p = 4 those of 201 instead of 1944.  The change of basis is sparse.  Both are
polynomials in n, and the proof is for every n at once (`catnn.category.spectrum`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from catnn.category.scalar import Scalar
from catnn.category.spectrum import Spectrum, polynomials, possible, spectrum
from catnn.category.young import Blocks, faults, young
from catnn.plan.plan import Plan, Product
from catnn.plan.prove import UnsoundPlanError

MOST_ENTRIES = 4096
"""Axes with more entries together have no Fourier basis here: it would be long to run through."""

SPARSE, PASS = 3, 8
"""A multiply-add of the change of basis takes as long as 3 of a product, and a number that is changed as 8."""

WEIGHT = 75
"""So does a number that is put in its place in the blocks of the weights."""

GAIN = 0.8
"""Fewer multiply-adds than this share of those before are worth a change of basis."""

MOST_DENSE = 256
"""In torch statements the axes have no more entries together."""

SOME = 8
"""So many entries of the batch are assumed where a file is written."""

WORTH = 4_000_000
"""A change of basis has to save so many multiply-adds: the weights are turned in a dozen steps of torch."""


@dataclass(frozen=True, slots=True)
class Saving:
    """The blocks of a product on p axes of length n: the multiply-adds of an entry before and after.

    weights: those for the weights, once; sigmas, channels: how many permutations, and the channels in and out.
    """

    p: int
    n: int
    before: int
    after: int
    weights: int
    sigmas: int
    channels: tuple[int, int]

    @property
    def blocks(self) -> Spectrum:
        """The blocks, proved.  Raises: UnsoundPlanError naming the first fault."""
        proved(self.p, min(self.p, self.n))
        return spectrum(self.p, self.n)

    def polynomials(self, size: str) -> tuple[Scalar, Scalar]:
        """The multiply-adds before and after for axes of any length, where there are enough letters to know."""
        rows, columns = self.channels
        work, entries = polynomials(self.p, size)
        before = Scalar.size(size, self.p) * Scalar.of(self.sigmas * rows * columns)
        changed = entries * Scalar.of(SPARSE) + Scalar.size(size, self.p) * Scalar.of(PASS)
        return before, work * Scalar.of(rows * columns) + changed * Scalar.of(rows + columns)


def fourier(plan: Plan, sizes: Mapping[str, int]) -> tuple[Saving | None, ...]:
    """For each product of a plan at these sizes its blocks, where it has them and they save multiply-adds."""
    return tuple(_saving(plan, product, sizes) for product in plan.products)


def _saving(plan: Plan, product: Product, sizes: Mapping[str, int]) -> Saving | None:
    wires, p, count = set(product.level), len(product.level), len(product.sigmas)
    if p < 2 or len(wires) != 1 or count < 2 or product.scale:
        return None
    size = next(iter(wires)).group.size
    n = size if isinstance(size, int) else sizes[size]
    if not n or n**p > MOST_ENTRIES or not possible(p, n):
        return None
    rows = sum(plan.source.summands[row.summand].channels for row in product.rows)
    columns = sum(plan.target.summands[column.summand].channels for column in product.columns)
    before = count * n**p * rows * columns
    if n**p * (rows * columns + (SPARSE + PASS) * (rows + columns)) > GAIN * before:  # the least there could be
        return None
    found = spectrum(p, n)
    after = found.work * rows * columns + (SPARSE * found.entries + PASS * n**p) * (rows + columns)
    if after > GAIN * before:
        return None
    matrices = sum(f * f for _, f in found.spans)
    weights = (count + WEIGHT) * matrices * rows * columns
    return Saving(p, n, before, after, weights, count, (rows, columns))


def stated(plan: Plan, product: Product) -> Saving | None:
    """The blocks of a product where torch statements make them: at a literal n, by the model for some entries.

    There is no sparse product there, so the change of basis is that of a whole matrix, and n^p has to be small.
    """
    wires, p, count = set(product.level), len(product.level), len(product.sigmas)
    size = next(iter(wires)).group.size if len(wires) == 1 else None
    if p < 2 or not isinstance(size, int) or count < 2 or product.scale:
        return None
    entries = size**p
    if entries > MOST_DENSE or not possible(p, size):
        return None
    rows = sum(plan.source.summands[row.summand].channels for row in product.rows)
    columns = sum(plan.target.summands[column.summand].channels for column in product.columns)
    before = count * entries * rows * columns
    if entries * (rows * columns + entries * (rows + columns)) > GAIN * before:  # the least there could be
        return None
    found = spectrum(p, size)
    after = found.work * rows * columns + entries**2 * (rows + columns)
    weights = (count + WEIGHT) * sum(f * f for _, f in found.spans) * rows * columns
    if after * SOME + weights > GAIN * before * SOME:
        return None
    return Saving(p, size, before, after, weights, count, (rows, columns))


def saved(savings: Iterable[Saving | None], entries: int) -> int:
    """How many multiply-adds the blocks save for so many entries of the batch."""
    return sum((one.before - one.after) * entries - one.weights for one in savings if one is not None)


def worthwhile(savings: Iterable[Saving | None], entries: int) -> bool:
    """Whether products are made in blocks for so many entries."""
    return saved(savings, entries) > WORTH


@cache
def proved(p: int, letters: int) -> Blocks:
    """The blocks of V^p on so many letters, proved; with p of them, for every n.

    Raises: UnsoundPlanError naming the first fault.
    """
    blocks = young(p, letters)
    for fault in faults(blocks):
        raise UnsoundPlanError(f"the blocks of {p} axes on {letters} letters: {fault}")
    return blocks
