"""The matrix of weights that a product multiplies with, as it lies in the parameters: nothing is copied to say it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from catnn.plan.plan import Grid, Plan, Product

ONE = Fraction(1)
PIECES = 64
"""So many pieces are met in one product at most."""
Factor = Fraction | float


@dataclass(frozen=True, slots=True)
class Strip:
    """The blocks of one piece (the channels of a row in one order) at some columns that lie side by side.

    buffer: the parameter; terms: where the first of the blocks begin there, and what each is multiplied with; step:
    from column to column; deep, wide: from channel to channel of the piece, and of a column.
    """

    piece: int
    column: int
    columns: int
    buffer: int
    terms: tuple[tuple[int, Factor], ...]
    step: int
    deep: int
    wide: int


@dataclass(frozen=True, eq=False)
class Matrix:
    """Pieces times columns: the channels of each, and the blocks that are not zero."""

    pieces: tuple[int, ...]
    widths: tuple[int, ...]
    strips: tuple[Strip, ...]

    @property
    def depth(self) -> int:
        """The channels of all pieces."""
        return sum(self.pieces)

    def width(self, columns: Sequence[int]) -> int:
        """The channels of columns."""
        return sum(self.widths[column] for column in columns)

    @property
    def columns(self) -> range:
        """All of them."""
        return range(len(self.widths))

    def groups(self, deep: int) -> Iterator[range]:
        """The pieces, a few at a time, of about so many channels together."""
        start, depth = 0, 0
        for at, channels in enumerate(self.pieces):
            if at > start and (depth + channels > deep or at - start == PIECES):
                yield range(start, at)
                start, depth = at, 0
            depth += channels
        yield range(start, len(self.pieces))

    def cut(self, pieces: range, columns: Sequence[int]) -> Iterator[Strip]:
        """What there is in some pieces and columns, numbered as they are there."""
        places = {column: at for at, column in enumerate(columns)}
        for strip in self.strips:
            if strip.piece not in pieces:
                continue
            last = -1
            for column in range(strip.column, strip.column + strip.columns):
                if column not in places or column <= last:
                    continue
                last = column
                while last + 1 < strip.column + strip.columns and places.get(last + 1) == places[last] + 1:
                    last += 1
                by = (column - strip.column) * strip.step
                yield replace(
                    strip,
                    piece=strip.piece - pieces.start,
                    column=places[column],
                    columns=last - column + 1,
                    terms=tuple((offset + by, factor) for offset, factor in strip.terms),
                )

    def whole(self, pieces: range, columns: Sequence[int]) -> bool:
        """Whether nothing of this part is zero."""
        return sum(strip.columns for strip in self.cut(pieces, columns)) == len(pieces) * len(columns)


def pairs(plan: Plan) -> tuple[tuple[int, int], ...]:
    """The summands of the target and the source between which there are weights, a parameter each."""
    found = set()
    for product in plan.products:
        columns, rows = product.columns, product.rows
        if isinstance(product.entries, Grid):
            places = [(block.columns.start, block.rows.start) for block in product.entries.blocks]
        else:
            places = [(c, r) for (_, c, r), combination in product.entries.items() if combination]
        found |= {(columns[c].summand, rows[r].summand) for c, r in places}
    return tuple(sorted(found))


def matrix_of(plan: Plan, product: Product, buffers: Mapping[tuple[int, int], int], *, mirrored: bool) -> Matrix:
    """The matrix of a product whose pieces are all rows for each of its permutations.

    buffers: of the parameters; mirrored: whether the plan is upside down.
    """
    ins = tuple(plan.source.summands[row.summand].channels for row in product.rows)
    outs = tuple(plan.target.summands[column.summand].channels for column in product.columns)
    strips = []
    for s, c, count, r, combination, step in _runs(product):
        ends = product.columns[c].summand, product.rows[r].summand
        wide, deep = outs[c], ins[r]
        block = wide * deep
        strides = (wide, 1) if mirrored else (1, deep)
        terms = tuple((index * block, factor) for factor, index in combination)
        buffer = buffers[ends[::-1] if mirrored else ends]
        strips.append(Strip(s * len(ins) + r, c, count, buffer, terms, step * block, *strides))
    return Matrix(ins * len(product.sigmas), outs, tuple(strips))


def _runs(product: Product) -> Iterator[tuple[int, int, int, int, tuple[tuple[Fraction, int], ...], int]]:
    """Permutation, column, how many columns from there on, row, the first weights, the step from one to the next."""
    if not isinstance(product.entries, Grid):
        for (s, c, r), combination in product.entries.items():
            if combination:
                yield s, c, 1, r, combination, 0
        return
    grid = product.entries
    for block in grid.blocks:
        first, count = block.columns.start, len(block.columns)
        for s in range(grid.sigmas):
            for r in block.rows:
                start = grid.index(block, s, first, r)
                step = grid.index(block, s, first + 1, r) - start
                yield s, first, count, r, ((ONE, start),), step
