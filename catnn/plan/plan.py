"""The plan of a layer: what is reduced, what is mixed with what, and where it is written.

    y = sum over levels of  Expand ( W ( Reduce x ) )

Every diagram is an output half, a permutation and an input half (`catnn.category.halves`), so each half is computed
once and one matrix product a level does for all diagrams; docs/explanation derives it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from catnn.category.half import Half
from catnn.category.scalar import Scale
from catnn.category.wires import Type, Word
from catnn.plan.moves import Move, full

Sigma = tuple[int, ...]
Combination = tuple[tuple[Fraction, int], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A reduction of a source summand: a half of its word."""

    summand: int
    half: Half


@dataclass(frozen=True, slots=True)
class Column:
    """A place to write to: a half of the word of a target summand."""

    summand: int
    half: Half


@dataclass(frozen=True, slots=True)
class Product:
    """One matrix product for each permutation: columns += scale * permute(rows @ W[sigma]).

    level: the word of the axes that rows and columns share; sigmas: output axis j is input axis sigma[j];
    scale: a monomial in the sizes.
    entries: for (sigma, column, row) by number the combination of weights there: ((coefficient, index), ...), the
    index counting the diagrams of the pair of summands; what is not listed is zero.
    """

    level: Word
    rows: tuple[Row, ...]
    columns: tuple[Column, ...]
    sigmas: tuple[Sigma, ...]
    scale: Scale
    entries: dict[tuple[int, int, int], Combination]


@dataclass(frozen=True, slots=True)
class Direct:
    """A fixed diagram: column += coefficient * scale * permute(row), the same on every channel."""

    row: Row
    sigma: Sigma
    column: Column
    scale: Scale
    coefficient: Fraction


@dataclass(frozen=True, slots=True)
class Constant:
    """A bias: column += bias[index]; the level is the unit."""

    column: Column
    index: int


@dataclass(frozen=True, slots=True)
class Plan:
    """How a layer runs.

    reads[i]: the moves that reduce source summand i, the fine first; writes[o]: the moves that expand into target
    summand o, to be run backwards.  The parts in between are independent of each other.
    """

    name: str
    source: Type
    target: Type
    reads: tuple[tuple[Move, ...], ...]
    writes: tuple[tuple[Move, ...], ...]
    products: tuple[Product, ...]
    directs: tuple[Direct, ...]
    constants: tuple[Constant, ...]

    def is_whole(self, place: Row | Column) -> bool:
        """Whether a row or column is a whole summand, no reduction of it."""
        side = self.source if isinstance(place, Row) else self.target
        return place.half == full(side.summands[place.summand].word)


def inverse(sigma: Sigma) -> Sigma:
    """The inverse permutation.

    >>> inverse((1, 2, 0))
    (2, 0, 1)
    """
    result = [0] * len(sigma)
    for j, i in enumerate(sigma):
        result[i] = j
    return tuple(result)


def mirror(plan: Plan) -> Plan:
    """The plan upside down: its matrix is the transpose, so it computes the gradient.

    The constants go: the transpose of an affine map is that of its linear part.
    """
    return Plan(
        plan.name,
        plan.target,
        plan.source,
        plan.writes,
        plan.reads,
        tuple(_mirror_product(product) for product in plan.products),
        tuple(_mirror_direct(direct) for direct in plan.directs),
        (),
    )


def _mirror_product(product: Product) -> Product:
    return Product(
        product.level,
        tuple(Row(column.summand, column.half) for column in product.columns),
        tuple(Column(row.summand, row.half) for row in product.rows),
        tuple(inverse(sigma) for sigma in product.sigmas),
        product.scale,
        {(s, row, column): combination for (s, column, row), combination in product.entries.items()},
    )


def _mirror_direct(direct: Direct) -> Direct:
    return Direct(
        Row(direct.column.summand, direct.column.half),
        inverse(direct.sigma),
        Column(direct.row.summand, direct.row.half),
        direct.scale,
        direct.coefficient,
    )
