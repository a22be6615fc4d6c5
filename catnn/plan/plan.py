"""The plan of a layer: what is reduced, what is mixed with what, and where it is written.

    y = sum over levels of  Expand ( W ( Reduce x ) )

Every diagram is an output half, a permutation and an input half (`catnn.category.halves`), so each half is computed
once and one matrix product a level does for all diagrams; docs/explanation derives it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
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
class Block:
    """The weights between one pair of summands in a product: columns x rows x permutations of them from `start` on."""

    columns: range
    rows: range
    start: int


@dataclass(frozen=True, eq=False)
class Grid(Mapping[tuple[int, int, int], Combination]):
    """The entries of a product in which every row meets every column in every order, for each pair of summands.

    sigmas: how many permutations there are; mirrored: whether the rows vary slower than the columns.

    >>> grid = Grid((Block(range(2), range(3), 4),), 2)
    >>> len(grid), grid[1, 1, 2]
    (12, ((Fraction(1, 1), 15),))
    """

    blocks: tuple[Block, ...]
    sigmas: int
    mirrored: bool = False

    def index(self, block: Block, sigma: int, column: int, row: int) -> int:
        """The number of a weight."""
        c, r = column - block.columns.start, row - block.rows.start
        place = r * len(block.columns) + c if self.mirrored else c * len(block.rows) + r
        return block.start + place * self.sigmas + sigma

    def __getitem__(self, place: tuple[int, int, int]) -> Combination:
        sigma, column, row = place
        for block in self.blocks:
            if column in block.columns and row in block.rows and 0 <= sigma < self.sigmas:
                return ((Fraction(1), self.index(block, sigma, column, row)),)
        raise KeyError(place)

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        return (
            (s, c, r) for block in self.blocks for c in block.columns for r in block.rows for s in range(self.sigmas)
        )

    def __len__(self) -> int:
        return sum(len(block.columns) * len(block.rows) for block in self.blocks) * self.sigmas

    def mirror(self) -> Grid:
        """The same weights with rows and columns in each other's places."""
        blocks = tuple(Block(block.rows, block.columns, block.start) for block in self.blocks)
        return replace(self, blocks=blocks, mirrored=not self.mirrored)


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
    entries: Mapping[tuple[int, int, int], Combination]


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
    """A bias: column += coefficient * scale * bias[index]; the level is the unit."""

    column: Column
    index: int
    scale: Scale = ()
    coefficient: Fraction = Fraction(1)

    @property
    def plain(self) -> bool:
        """Whether it is the bias as it is."""
        return self.coefficient == 1 and not self.scale


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
        _mirror_entries(product.entries),
    )


def _mirror_entries(entries: Mapping[tuple[int, int, int], Combination]) -> Mapping[tuple[int, int, int], Combination]:
    if isinstance(entries, Grid):
        return entries.mirror()
    return {(s, row, column): combination for (s, column, row), combination in entries.items()}


def _mirror_direct(direct: Direct) -> Direct:
    return Direct(
        Row(direct.column.summand, direct.column.half),
        inverse(direct.sigma),
        Column(direct.row.summand, direct.row.half),
        direct.scale,
        direct.coefficient,
    )
