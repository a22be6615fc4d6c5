"""Products with weights that lie in the parameters, and their gradients, as instructions.

A product is made with a panel of the matrix at a time, brought into order from the parameters, and a pile of rows,
gathered from their views.  Where memory is short, panels and piles are small; and in the smallest products the
numbers are taken from where they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import accumulate
from math import prod

from catnn.native.matrix import Matrix, Strip
from catnn.native.table import (
    AFTER,
    BEFORE,
    EACH,
    MEET,
    OUTER,
    PLAIN,
    PRODUCT,
    SHARED,
    Pieces,
    Program,
    View,
    dense,
)

LONG = 8
"""Axes of so many indices need no pile: their rows make whole tiles."""
PILED, STRAIGHT, LAID = 0, 1, 2
"""Rows are gathered first, are a matrix as they are, or are taken from their views, those of one axis at a time."""

Starts = Sequence[tuple[View, Fraction]]


def multiply(program: Program, target: View, pieces: Pieces, extent: tuple[int, ...], matrix: Matrix,
             columns: Sequence[int], *, add: bool, starts: Starts = ()) -> None:  # fmt: skip
    """target (+)= the pieces side by side, times some columns of a matrix; the target is dense.

    starts: what is added, as views on the axes of the target.
    """
    count, width = prod(extent), matrix.width(columns)
    if len(pieces) == len(matrix.pieces) and count * width * matrix.depth <= program.room.plain:
        _plain(program, target, pieces, extent, matrix, columns, add=add)
        first: Starts = ()
    else:
        first = starts if count > 1 else ()
        _panels(program, target, pieces, extent, matrix, columns, add=add, starts=first)
    for view, factor in () if first else starts:
        program.add(target, view, extent, width, factor)


def _panels(program: Program, target: View, pieces: Pieces, extent: tuple[int, ...], matrix: Matrix,
            columns: Sequence[int], *, add: bool, starts: Starts) -> None:  # fmt: skip
    count, width = prod(extent), matrix.width(columns)
    for group in matrix.groups(program.room.deep(width)):
        panel, lead = panel_of(program, matrix, group, columns)
        some, depth = _some(matrix, pieces, group), sum(matrix.pieces[at] for at in group)
        rows = _rows(some, extent)
        way = STRAIGHT if rows else LAID if _long(extent) else PILED
        step = program.room.step(depth, count * program.entries)
        pile = program.fresh((step if way == PILED else 0,), depth, buffer=SHARED)
        head = (count, width, depth, step, way, rows, lead, int(add), len(starts), len(extent), len(some))
        begun = [word for view, factor in starts for word in words_of(program.factor(factor), view)]
        program.say(PRODUCT, *head, panel, pile, target, *extent, *listed(some), *begun)
        add, starts = True, ()


def _some(matrix: Matrix, pieces: Pieces, group: range) -> Pieces:
    """The views of a group of the pieces of a matrix; pieces: a view for each, or one of all side by side."""
    if len(pieces) == len(matrix.pieces):
        return [pieces[at] for at in group]
    return [(pieces[0][0].at(sum(matrix.pieces[: group.start])), sum(matrix.pieces[at] for at in group))]


def _rows(pieces: Pieces, extent: tuple[int, ...]) -> int:
    """How far apart the rows of a product lie, 0 if they are not one matrix as they are."""
    if len(pieces) > 1:
        return 0
    view, channels = pieces[0]
    if not extent:
        return channels
    return view.strides[-1] if view.strides == dense(0, extent, view.strides[-1]).strides else 0


def _long(extent: tuple[int, ...]) -> bool:
    """Whether there are enough rows along an axis that they need not be piled up; of no axis those are the entries."""
    return not extent or extent[-1] >= LONG


def listed(pieces: Pieces) -> Iterator[int | View]:
    """The words of pieces."""
    return (word for view, channels in pieces for word in words_of(channels, view))


def words_of(first: int, view: View) -> tuple[int | View, ...]:
    """The words of a view with a number: of its channels, or of its factor."""
    return first, view, *view.strides


def panel_of(program: Program, matrix: Matrix, pieces: range, columns: Sequence[int]) -> tuple[View, int]:
    """A part of a matrix in order, and how far its rows are apart."""
    if program.room.resident:
        together = list(columns) == list(range(columns[0], columns[0] + len(columns)))
        some = matrix.columns if together else columns
        width, key = matrix.width(some), ("matrix", matrix, tuple(some))
        if key not in program.kept:
            program.kept[key] = program.fresh((matrix.depth,), width, buffer=SHARED, always=True)
            _pack(program, matrix, range(len(matrix.pieces)), some, program.kept[key], BEFORE)
        above, before = sum(matrix.pieces[: pieces.start]), matrix.width(range(columns[0])) if together else 0
        return program.kept[key].at(above * width + before), width
    depth, width = sum(matrix.pieces[at] for at in pieces), matrix.width(columns)
    view = program.fresh((depth,), width, buffer=SHARED)
    _pack(program, matrix, pieces, columns, view, EACH)
    return view, width


def _placed(matrix: Matrix, pieces: range, columns: Sequence[int]) -> Iterator[tuple[Strip, int, int, int, int]]:
    """The strips of a part of a matrix: where their rows and columns begin there, and the sides of their blocks."""
    above = list(accumulate((matrix.pieces[at] for at in pieces), initial=0))
    before = list(accumulate((matrix.widths[at] for at in columns), initial=0))
    for strip in matrix.cut(pieces, columns):
        depth, width = matrix.pieces[pieces[strip.piece]], matrix.widths[columns[strip.column]]
        yield strip, above[strip.piece], before[strip.column], depth, width


def _pack(program: Program, matrix: Matrix, pieces: range, columns: Sequence[int], view: View, part: int) -> None:
    """Bring a part of a matrix into order: piece by piece, the columns side by side."""
    lead = matrix.width(columns)
    if not matrix.whole(pieces, columns):
        program.zero(view, lead * sum(matrix.pieces[at] for at in pieces), part=part)
    for strip, above, before, depth, width in _placed(matrix, pieces, columns):
        shape, block = (strip.columns, depth, width), depth * width
        target = View(view.buffer, view.offset + above * lead + before, (width, lead, 1))
        (offset, factor), *more = strip.terms
        source = View(strip.buffer, offset, (strip.step, strip.deep, strip.wide))
        if more:  # added up as they lie, then turned
            between = program.fresh((strip.columns,), block, buffer=SHARED)
            flat, by = (1, strip.columns, block), (0, strip.step, 1)
            for at, (start, coefficient) in enumerate(strip.terms):
                here = View(between.buffer, 0, (0, block, 1))
                program.move(here, View(strip.buffer, start, by), flat, coefficient, add=at > 0, part=part)
            source, factor = View(between.buffer, 0, (block, strip.deep, strip.wide)), Fraction(1)
        program.move(target, source, shape, factor, add=False, part=part)


def _plain(program: Program, target: View, pieces: Pieces, extent: tuple[int, ...], matrix: Matrix,
           columns: Sequence[int], *, add: bool) -> None:  # fmt: skip
    """The product as it is written, block by block, with the weights where they are."""
    terms: list[int | View] = []
    for strip, at, column, (depth, width), before in _blocks(matrix, columns):
        view, _ = pieces[at]
        for offset, factor in strip.terms:
            weight = View(strip.buffer, offset + column * strip.step, ())
            head = (depth, width, strip.deep, strip.wide, before, program.factor(factor))
            terms += [*head, view, weight, *view.strides]
    count = sum(len(strip.terms) for strip, *_ in _blocks(matrix, columns))
    shape = (len(extent), matrix.width(columns), int(add), count)
    program.say(PLAIN, *shape, target, *extent, *target.strides, *terms)


def _blocks(matrix: Matrix, columns: Sequence[int]) -> Iterator[tuple[Strip, int, int, tuple[int, int], int]]:
    """Every block: its strip, its piece, its column there, its sides, and where it begins among the columns."""
    for strip, _, before, depth, width in _placed(matrix, range(len(matrix.pieces)), columns):
        for column in range(strip.columns):
            yield strip, strip.piece, column, (depth, width), before + column * width


# ----------------------------------------------------------------------------------------------------------- gradients


def meet(program: Program, left: Pieces, right: Pieces, extent: tuple[int, ...], matrix: Matrix) -> None:
    """The gradient of the weights of a matrix, whose buffers are those of the gradients, += left^T right.

    left: what meets its columns; right: its pieces.
    """
    count, width = prod(extent), matrix.width(matrix.columns)
    single = len(left) == len(matrix.widths) and len(right) == len(matrix.pieces)
    if single and count * width * matrix.depth <= program.room.plain:
        _met_plainly(program, left, right, extent, matrix)
        return
    resident, pieces = program.room.resident, range(len(matrix.pieces))
    lead = matrix.depth
    if resident:
        panel = program.fresh((width,), lead, buffer=SHARED, always=True)
        program.zero(panel, width * lead, part=BEFORE)
    start = 0
    for group in matrix.groups(program.room.deep(width)):
        some, depth = _some(matrix, right, group), sum(matrix.pieces[at] for at in group)
        if not resident:
            lead, start = depth, 0
            panel = program.fresh((width,), lead, buffer=SHARED)
            program.zero(panel, width * lead)
        here, there = _rows(left, extent), _rows(some, extent)
        piled = depth * (not there) + width * (not here)
        step = program.room.step(piled, count * program.entries)
        pile = program.fresh((step,), piled, buffer=SHARED)
        head = (count, width, depth, lead, step, here, there, len(extent), len(left), len(some))
        program.say(OUTER, *head, panel.at(start), pile, *extent, *listed(left), *listed(some))
        if not resident:
            unpacked(program, matrix, group, panel)
        start += depth
    if resident:
        unpacked(program, matrix, pieces, panel, AFTER)


def unpacked(program: Program, matrix: Matrix, pieces: range, panel: View, part: int = EACH) -> None:
    """Add a panel, columns by pieces, to where the weights of a matrix lie."""
    lead = sum(matrix.pieces[at] for at in pieces)
    for strip, above, before, depth, width in _placed(matrix, pieces, matrix.columns):
        source = View(panel.buffer, panel.offset + before * lead + above, (width * lead, lead, 1))
        for offset, factor in strip.terms:
            target = View(strip.buffer, offset, (strip.step, strip.wide, strip.deep))
            program.move(target, source, (strip.columns, width, depth), factor, add=True, part=part)


def _met_plainly(program: Program, left: Pieces, right: Pieces, extent: tuple[int, ...], matrix: Matrix) -> None:
    terms: list[int | View] = []
    count = 0
    for strip, at, column, (depth, width), _ in _blocks(matrix, matrix.columns):
        here, there = left[strip.column + column][0], right[at][0]
        for offset, factor in strip.terms:
            weight = View(strip.buffer, offset + column * strip.step, ())
            terms += [depth, width, strip.deep, strip.wide, program.factor(factor), weight, here, there]
            terms += [*here.strides, *there.strides]
            count += 1
    program.say(MEET, len(extent), count, *extent, *terms)
