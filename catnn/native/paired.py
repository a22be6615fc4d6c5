"""Products on two like axes whose weights are given for both orders of them: by sums and differences, half the work.

x W + x^T V = (x + x^T) (W + V) / 2 + (x - x^T) (W - V) / 2, where the first product is symmetric in the two axes and
the second antisymmetric: so each is made for pairs of indices i <= j alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from catnn.native.matrix import Factor, Matrix, Strip
from catnn.native.products import Starts, listed, panel_of, unpacked, words_of
from catnn.native.table import AFTER, BEFORE, MEET_PAIRED, PAIRED, SHARED, Pieces, Program, View
from catnn.plan.plan import Product

LEAST, SHORTEST = 512, 8
"""Matrices of fewer numbers, or shorter axes, are not worth the sums and differences."""
ROWS, TILED = 96, 8
"""So many pairs are multiplied at once, at most and at least."""


@dataclass(frozen=True, eq=False)
class Pair:
    """The matrices of sums and differences."""

    even: Matrix
    odd: Matrix


def paired(program: Program, product: Product, matrix: Matrix) -> Pair | None:
    """The two matrices of a product, whose own has the rows for both orders, where they pay."""
    level = product.level
    if len(level) != 2 or level[0] != level[1] or product.sigmas not in (((0, 1), (1, 0)), ((1, 0), (0, 1))):
        return None
    if program.room.group:  # there is no room for both
        return None
    numbers = matrix.depth // 2 * matrix.width(matrix.columns)
    if numbers < LEAST or program.length(level[0].group.size) < SHORTEST:
        return None
    return Pair(*(_half(matrix, product, sign) for sign in (1, -1)))


def _half(matrix: Matrix, product: Product, sign: int) -> Matrix:
    """Half the sum or half the difference of the weights for the two orders."""
    rows = len(matrix.pieces) // 2
    found: dict[Strip, list[tuple[int, Factor]]] = defaultdict(list)
    for strip in matrix.strips:
        sigma, row = divmod(strip.piece, rows)
        half = Fraction(1, 2) * (1 if product.sigmas[sigma] == (0, 1) else sign)
        found[replace(strip, piece=row, terms=())] += [(offset, half * factor) for offset, factor in strip.terms]
    strips = tuple(replace(strip, terms=tuple(terms)) for strip, terms in found.items())
    return Matrix(matrix.pieces[:rows], matrix.widths, strips)


def multiply_paired(program: Program, target: View, pieces: Pieces, length: int, pair: Pair, columns: Sequence[int], *,
                    add: bool, starts: Starts = ()) -> None:  # fmt: skip
    """target (+)= the product on two axes of a length; as `catnn.native.products.multiply`."""
    width = pair.even.width(columns)
    first, rest = starts[:2], starts[2:]
    for group in pair.even.groups(program.room.deep(2 * width)):
        (even, lead), (odd, _) = (panel_of(program, matrix, group, columns) for matrix in (pair.even, pair.odd))
        some = [pieces[at] for at in group]
        depth = sum(channels for _, channels in some)
        rows = max(TILED, min(ROWS, program.room.pile // (2 * (depth + width))))
        pile = program.fresh((rows,), 2 * (depth + width), buffer=SHARED)
        begun = [word for view, factor in first for word in words_of(program.factor(factor), view)]
        head = (length, width, depth, rows, lead, int(add), len(first), len(some))
        program.say(PAIRED, *head, even, odd, pile, target, *listed(some), *begun)
        add, first = True, ()
    for view, factor in rest:
        program.add(target, view, (length, length), width, factor)


def meet_paired(program: Program, left: Pieces, right: Pieces, length: int, pair: Pair) -> None:
    """The gradients of the weights, as `catnn.native.products.meet`."""
    width, resident = pair.even.width(pair.even.columns), program.room.resident
    panels = [_panel(program, matrix) for matrix in (pair.even, pair.odd)] if resident else []
    start = 0
    for group in pair.even.groups(program.room.deep(2 * width)):
        some = [right[at] for at in group]
        depth = sum(channels for _, channels in some)
        rows = max(TILED, min(ROWS, program.room.pile // (2 * (depth + width))))
        if not resident:
            panels, start = [program.fresh((width,), depth, buffer=SHARED) for _ in range(2)], 0
            for panel in panels:
                program.zero(panel, width * depth)
        pile = program.fresh((rows,), 2 * (depth + width), buffer=SHARED)
        lead = pair.even.depth if resident else depth
        head = (length, width, depth, lead, rows, len(left), len(some))
        program.say(MEET_PAIRED, *head, *(panel.at(start) for panel in panels), pile, *listed(left), *listed(some))
        start += depth
        if not resident:
            for matrix, panel in zip((pair.even, pair.odd), panels, strict=True):
                unpacked(program, matrix, group, panel)
    if resident:
        for matrix, panel in zip((pair.even, pair.odd), panels, strict=True):
            unpacked(program, matrix, range(len(matrix.pieces)), panel, AFTER)


def _panel(program: Program, matrix: Matrix) -> View:
    """The gradient of a whole matrix, columns by pieces."""
    width = matrix.width(matrix.columns)
    panel = program.fresh((width,), matrix.depth, buffer=SHARED, always=True)
    program.zero(panel, width * matrix.depth, part=BEFORE)
    return panel
