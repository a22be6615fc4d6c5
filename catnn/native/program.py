"""From a plan at given sizes to a program: a table of integers that `catnn.native.source` runs for each entry.

It follows the plan step by step, as the emitted Python does: reductions, a product a level, the writes, coarse first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from catnn.category.half import Half
from catnn.native.expand import Expansion, Mix
from catnn.native.matrix import Matrix
from catnn.native.paired import meet_paired, multiply_paired, paired
from catnn.native.products import Starts, meet, multiply
from catnn.native.spectral import Form, outer
from catnn.native.spectral import mix as spectral
from catnn.native.table import Program, View, dense
from catnn.plan.moves import Move, full
from catnn.plan.plan import Column, Constant, Direct, Plan, Row, Sigma


def read(program: Program, plan: Plan, inputs: Sequence[int], rows: set[Row] | None = None) -> dict[Row, View]:
    """The reductions of every source summand; inputs: its buffers; rows: those that are needed, all if None."""
    found: dict[Row, View] = {}
    for i, (summand, moves) in enumerate(zip(plan.source.summands, plan.reads, strict=True)):
        whole = dense(inputs[i], program.extent(summand.word), summand.channels)
        top = full(summand.word)
        order = [top.blocks[b][0] for b in top.ports]
        found[Row(i, top)] = View(whole.buffer, 0, tuple(whole.strides[a] for a in order))
        wanted = {move.coarse for move in moves} if rows is None else {row.half for row in rows if row.summand == i}
        direct, lean = set(wanted), rows is not None and program.room.passes > 1
        for move in _needed(moves, wanted):
            found[Row(i, move.coarse)] = value = _reduced(program, found[Row(i, move.fine)], move, summand.channels)
            if lean and move.op == "diagonal" and move.coarse in direct and value.buffer != whole.buffer:
                extent = program.extent(move.coarse.level)
                found[Row(i, move.coarse)] = _copied(program, value, extent, summand.channels)
    return found


def _copied(program: Program, view: View, extent: tuple[int, ...], channels: int) -> View:
    """A view as a value of its own, so that what it is a view of may be forgotten."""
    result = program.fresh(extent, channels)
    program.sum(result, view, extent, channels, run=(1, 0), factor=Fraction(1))
    return result


def _needed(moves: Sequence[Move], wanted: set[Half]) -> list[Move]:
    """The moves that lead to what is wanted, each followed by what is had from it: then that may soon be forgotten."""
    after: dict[Half, list[Move]] = defaultdict(list)
    for move in reversed(moves):
        if move.coarse in wanted:
            wanted.add(move.fine)
            after[move.fine].append(move)
    found, pending = list[Move](), [move for fine in after for move in after[fine] if fine == full(fine.word)]
    while pending:
        found.append(pending.pop())
        pending += after.get(found[-1].coarse, ())
    return found


def _reduced(program: Program, source: View, move: Move, channels: int) -> View:
    kept = [a for a in range(len(source.strides)) if a not in move.axes]
    extent, level = program.extent(move.fine.level), move.coarse.level
    strides = source.strides
    if move.op == "diagonal":
        merged = {move.axes[0]: strides[move.axes[0]] + strides[move.axes[1]]}
        rest = sorted([*kept, move.axes[0]])
        return View(source.buffer, source.offset, tuple(merged.get(a, strides[a]) for a in rest))
    factor = move.factor().value(program.sizes)
    axes = [(extent[a], strides[a]) for a in move.axes]
    if move.op == "trace":
        axes = [(axes[0][0], axes[0][1] + axes[1][1])]
    view, places = source, [(extent[a], strides[a]) for a in kept]
    while len(axes) > 1:  # sum one axis away, the others stay in front
        (length, stride), axes = axes[0], axes[1:]
        shape = (*(e for e, _ in axes), *(e for e, _ in places))
        between = program.fresh(shape, channels)
        here = View(view.buffer, view.offset, (*(s for _, s in axes), *(s for _, s in places)))
        program.sum(between, here, shape, channels, run=(length, stride), factor=Fraction(1))
        view = between
        axes = [(e, s) for (e, _), s in zip(axes, between.strides, strict=False)]
        places = [(e, s) for (e, _), s in zip(places, between.strides[len(axes) :], strict=True)]
    result = program.fresh(program.extent(level), channels)
    here = View(view.buffer, view.offset, tuple(s for _, s in places))
    program.sum(result, here, tuple(e for e, _ in places), channels, run=axes[0], factor=factor)
    return result


def side_by_side(plan: Plan, rows: tuple[Row, ...], found: Mapping[Row, View]) -> list[tuple[View, int]]:
    """Rows with their channels."""
    return [(found[row], plan.source.summands[row.summand].channels) for row in rows]


def _turned(view: View, sigma: Sigma) -> View:
    return View(view.buffer, view.offset, tuple(view.strides[i] for i in sigma))


def run(program: Program, plan: Plan, inputs: Sequence[int], outputs: Sequence[int], matrices: Sequence[Matrix],
        biases: Mapping[int, int], forms: Mapping[int, Form],
        rows: Mapping[Row, View] | None = None) -> None:  # fmt: skip
    """Reduce, mix and expand; inputs, outputs, biases: the buffers; matrices: of the products.

    forms: of the products that are made in blocks, by number; rows: the reductions, where they are there already.
    """
    expansion = Expansion(program, plan, outputs)
    for number, places in enumerate(_passes(program, plan)):
        directs, constants = (plan.directs, plan.constants) if number == 0 else ((), ())
        wanted = {row for at in places for row in plan.products[at].rows} | {direct.row for direct in directs}
        here = read(program, plan, inputs, wanted) if rows is None else rows
        loose = [_fixed(program, direct, here) for direct in directs]
        loose += [_constant(program, plan, constant, biases) for constant in constants]
        expansion.write({at: _mixing(program, plan, at, here, matrices[at], forms.get(at)) for at in places}, loose)
    expansion.finish()


def _passes(program: Program, plan: Plan) -> Iterator[list[int]]:
    """The numbers of the products of each pass: in two, those of coarse levels first, to be forgotten then."""
    levels = [len(product.level) for product in plan.products]
    first = [at for at, level in enumerate(levels) if level < max(levels) - 1 and program.room.passes > 1]
    if first:
        yield first
    yield [at for at in range(len(levels)) if at not in first]


def _mixing(program: Program, plan: Plan, at: int, rows: Mapping[Row, View], matrix: Matrix, form: Form | None) -> Mix:
    """For each permutation all rows, their axes in its order, side by side, times a matrix; or block by block."""
    product = plan.products[at]
    extent, found = program.extent(product.level), side_by_side(plan, product.rows, rows)
    pair = paired(program, product, matrix) if form is None else None

    def mix(target: View, columns: Sequence[int], *, add: bool, starts: Starts = ()) -> None:
        if pair is not None:
            multiply_paired(program, target, found, extent[0], pair, columns, add=add, starts=starts)
            return
        if form is None:
            pieces = [(_turned(view, sigma), channels) for sigma in product.sigmas for view, channels in found]
            multiply(program, target, pieces, extent, matrix, columns, add=add, starts=starts)
            return
        spectral(program, found, form, columns, target, add=add)
        for view, factor in starts:
            program.add(target, view, extent, matrix.width(columns), factor)

    return mix


def _fixed(program: Program, direct: Direct, rows: Mapping[Row, View]) -> tuple[Column, View, Fraction]:
    return direct.column, _turned(rows[direct.row], direct.sigma), program.scale(direct.scale) * direct.coefficient


def _constant(
    program: Program, plan: Plan, constant: Constant, biases: Mapping[int, int]
) -> tuple[Column, View, Fraction]:
    """A bias: its column, where it is, and its factor."""
    out = constant.column.summand
    view = View(biases[out], constant.index * plan.target.summands[out].channels, ())
    return constant.column, view, program.scale(constant.scale) * constant.coefficient


def weigh(program: Program, plan: Plan, back: Plan, inputs: Sequence[int], outputs: Sequence[int],
          matrices: Sequence[Matrix], biases: Mapping[int, int], forms: Mapping[int, Form],
          grads: Mapping[Row, View] | None = None) -> None:  # fmt: skip
    """The gradients of the weights and of the biases, added to the buffers of matrices and biases.

    inputs, outputs: the buffers of the inputs and of the gradients of the outputs; grads: their reductions, where they
    are there already.
    """
    for number, places in enumerate(_passes(program, plan)):
        constants = plan.constants if number == 0 else ()
        left = {row for at in places for row in back.products[at].rows}
        left |= {Row(constant.column.summand, constant.column.half) for constant in constants}
        there = read(program, back, outputs, left) if grads is None else grads
        here = read(program, plan, inputs, {row for at in places for row in plan.products[at].rows})
        for at in places:
            _met(program, plan, back, at, here, there, matrices[at], forms.get(at))
        for constant in constants:
            _, target, factor = _constant(program, plan, constant, biases)
            channels = plan.target.summands[constant.column.summand].channels
            source = there[Row(constant.column.summand, constant.column.half)]
            program.add(target, source, (), channels, factor)


def _met(program: Program, plan: Plan, back: Plan, at: int, rows: Mapping[Row, View], grads: Mapping[Row, View],
         matrix: Matrix, form: Form | None) -> None:  # fmt: skip
    product, mirrored = plan.products[at], back.products[at]
    left, right = side_by_side(back, mirrored.rows, grads), side_by_side(plan, product.rows, rows)
    if form is not None:
        outer(program, left, right, form)
        return
    pair = paired(program, product, matrix)
    if pair is not None:
        meet_paired(program, left, right, program.length(product.level[0].group.size), pair)
        return
    right = [(_turned(view, sigma), channels) for sigma in product.sigmas for view, channels in right]
    meet(program, left, right, program.extent(product.level), matrix)
