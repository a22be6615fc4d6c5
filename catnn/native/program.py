"""From a plan at given sizes to a program: a table of integers that `catnn.native.source` runs for each entry.

It follows the plan step by step, as the emitted Python does: reductions, a product a level, the writes, coarse first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from fractions import Fraction
from math import prod

from catnn.category.half import Half
from catnn.native.table import SCRATCH, Program, View, dense
from catnn.plan.moves import Move, full
from catnn.plan.plan import Column, Direct, Plan, Product, Row, Sigma


def read(program: Program, plan: Plan, inputs: list[int]) -> dict[Row, View]:
    """The reductions of every source summand; inputs: its buffers."""
    found: dict[Row, View] = {}
    for i, (summand, moves) in enumerate(zip(plan.source.summands, plan.reads, strict=True)):
        whole = dense(inputs[i], program.extent(summand.word), summand.channels)
        top = full(summand.word)
        order = [top.blocks[b][0] for b in top.ports]
        found[Row(i, top)] = View(whole.buffer, 0, tuple(whole.strides[a] for a in order))
        for move in moves:
            found[Row(i, move.coarse)] = _reduced(program, found[Row(i, move.fine)], move, summand.channels)
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
    view, left = source, [a for a in range(len(strides)) if a not in move.axes]
    places = [(extent[a], strides[a]) for a in left]
    while len(axes) > 1:  # sum one axis away, the others stay in front
        (length, stride), axes = axes[0], axes[1:]
        shape = (*(e for e, _ in axes), *(e for e, _ in places))
        between = dense(SCRATCH, shape, channels, program.scratch)
        program.scratch += prod(shape) * channels
        here = View(view.buffer, view.offset, (*(s for _, s in axes), *(s for _, s in places)))
        program.sum(between, here, shape, channels, run=(length, stride), factor=Fraction(1))
        view = between
        axes = [(e, s) for (e, _), s in zip(axes, between.strides, strict=False)]
        places = [(e, s) for (e, _), s in zip(places, between.strides[len(axes) :], strict=True)]
    result = program.fresh(level, channels)
    here = View(view.buffer, view.offset, tuple(s for _, s in places))
    program.sum(result, here, tuple(e for e, _ in places), channels, run=axes[0], factor=factor)
    return result


def side_by_side(plan: Plan, rows: tuple[Row, ...], found: Mapping[Row, View]) -> list[tuple[View, int]]:
    """Rows with their channels."""
    return [(found[row], plan.source.summands[row.summand].channels) for row in rows]


def _turned(view: View, sigma: Sigma) -> View:
    return View(view.buffer, view.offset, tuple(view.strides[i] for i in sigma))


def run(program: Program, plan: Plan, rows: Mapping[Row, View], outputs: list[int], weights: list[int],
        biases: Mapping[int, int], mixes: Mapping[int, Mix] | None = None) -> None:  # fmt: skip
    """Mix and expand; outputs, weights, biases: the buffers of the targets, the products and the biases.

    mixes: for products that are not computed permutation by permutation, by number, what computes them.
    """
    targets = [
        _Target(program, plan, o, dense(outputs[o], program.extent(s.word), s.channels))
        for o, s in enumerate(plan.target.summands)
    ]
    for at, product in enumerate(plan.products):
        mix = mixes[at] if mixes and at in mixes else _by_permutations(program, product, weights[at])
        _mix(program, plan, product, rows, mix, targets)
    for direct in plan.directs:
        _fixed(program, direct, rows, targets[direct.column.summand])
    for constant in plan.constants:
        channels = plan.target.summands[constant.column.summand].channels
        view = View(biases[constant.column.summand], constant.index * channels, ())
        factor = program.scale(constant.scale) * constant.coefficient
        targets[constant.column.summand].pending[constant.column.half].append((view, factor))
    for target in targets:
        target.write()


class _Target:
    """One target summand while it is written: for each half a tensor, if it has one, and what is to be added to it."""

    def __init__(self, program: Program, plan: Plan, out: int, whole: View) -> None:
        self.program, self.out, self.moves = program, out, plan.writes[out]
        summand = plan.target.summands[out]
        self.channels, self.top = summand.channels, full(summand.word)
        order = [self.top.blocks[b][0] for b in self.top.ports]
        self.whole, self.word = whole, summand.word
        self.natural = order == sorted(order)
        self.begun: dict[Half, View] = {self.top: View(whole.buffer, 0, tuple(whole.strides[a] for a in order))}
        self.written = False
        self.pending: dict[Half, list[tuple[View, Fraction]]] = defaultdict(list)

    def write(self) -> None:
        """Every half into the finer one that it comes from, the coarse first."""
        for move in reversed(self.moves):
            view = self._value(move.coarse)
            self._into(move, view)
        self._value(self.top)

    def _into(self, move: Move, view: View) -> None:
        """Add a coarse value to a finer half: broadcast, or onto a diagonal."""
        factor = move.factor().value(self.program.sizes)
        kept = [a for a in range(len(move.fine.level)) if a not in move.axes]
        strides = [0] * len(move.fine.level)
        if move.op == "sum":
            for a, stride in zip(kept, view.strides, strict=True):
                strides[a] = stride
            self.pending[move.fine].append((View(view.buffer, view.offset, tuple(strides)), factor))
            return
        fine = self._begin(move.fine)
        a, b = move.axes
        extent = self.program.extent(move.fine.level)
        joined = fine.strides[a] + fine.strides[b]
        if move.op == "diagonal":
            rest = sorted([*kept, a])
            target = View(fine.buffer, fine.offset, tuple(joined if x == a else fine.strides[x] for x in rest))
            lengths = tuple(extent[x] for x in rest)
        else:
            target = View(fine.buffer, fine.offset, (*(fine.strides[x] for x in kept), joined))
            lengths = (*(extent[x] for x in kept), extent[a])
            view = View(view.buffer, view.offset, (*view.strides, 0))
        self.program.add(target, view, lengths, self.channels, factor)

    def _begin(self, half: Half) -> View:
        """The tensor of a half, made of zeros if there is none."""
        if half not in self.begun:
            self.begun[half] = self.program.fresh(half.level, self.channels)
            self.program.zero(self.begun[half], half.level, self.channels)
        elif half == self.top and not self.written:
            self.program.zero(self.whole, self.word, self.channels)
        self.written |= half == self.top
        return self.begun[half]

    def _value(self, half: Half) -> View:
        """The complete value of a half."""
        target = self._begin(half)
        extent = self.program.extent(half.level)
        for view, factor in self.pending.pop(half, ()):
            self.program.add(target, view, extent, self.channels, factor)
        return target


Mix = Callable[[list[tuple[View, int]], View, int, bool], None]
"""From the pieces of a product to its target, so many channels wide, which it starts or is added to."""


def _by_permutations(program: Program, product: Product, weights: int) -> Mix:
    """For each permutation all rows, their axes in its order, side by side, times one matrix."""

    def mix(rows: list[tuple[View, int]], target: View, width: int, add: bool) -> None:
        found = [(_turned(view, sigma), channels) for sigma in product.sigmas for view, channels in rows]
        program.product(target, found, program.extent(product.level), width, weights, add=add)

    return mix


def _mix(program: Program, plan: Plan, product: Product, rows: Mapping[Row, View], mix: Mix,
         targets: list[_Target]) -> None:  # fmt: skip
    """One product; what it makes is cut into its columns."""
    found = side_by_side(plan, product.rows, rows)
    widths = [plan.target.summands[column.summand].channels for column in product.columns]
    factor, target = program.scale(product.scale), targets[product.columns[0].summand]
    whole = len(product.columns) == 1 and product.columns[0].half == target.top
    if whole and target.natural and factor == 1:
        mix(found, target.begun[target.top], widths[0], target.written)
        target.written = True
        return
    result = program.fresh(product.level, sum(widths))
    mix(found, result, sum(widths), False)
    start = 0
    for column, width in zip(product.columns, widths, strict=True):
        _give(targets[column.summand], column, result.at(start), factor)
        start += width


def _give(target: _Target, column: Column, view: View, factor: Fraction) -> None:
    """A column starts its half, or is added to it."""
    if factor == 1 and column.half not in target.begun:
        target.begun[column.half] = view
    else:
        target.pending[column.half].append((view, factor))


def _fixed(program: Program, direct: Direct, rows: Mapping[Row, View], target: _Target) -> None:
    factor = program.scale(direct.scale) * direct.coefficient
    target.pending[direct.column.half].append((_turned(rows[direct.row], direct.sigma), factor))


Outer = Callable[[list[tuple[View, int]], list[tuple[View, int]]], None]
"""From the rows of the gradient and of the input to the gradient of the weights of a product."""


def weigh(program: Program, plan: Plan, back: Plan, rows: Mapping[Row, View], grads: Mapping[Row, View],
          weights: list[int], biases: Mapping[int, int],
          outers: Mapping[int, Outer] | None = None) -> None:  # fmt: skip
    """The gradients of the packed weights and of the biases, added to the buffers given; outers: as `mixes`."""
    for at, (product, mirrored) in enumerate(zip(plan.products, back.products, strict=True)):
        left, right = side_by_side(back, mirrored.rows, grads), side_by_side(plan, product.rows, rows)
        if outers and at in outers:
            outers[at](left, right)
            continue
        right = [(_turned(view, sigma), channels) for sigma in product.sigmas for view, channels in right]
        program.outer(weights[at], left, right, program.extent(product.level), len(product.sigmas))
    for constant in plan.constants:
        out = constant.column.summand
        channels = plan.target.summands[out].channels
        target = View(biases[out], constant.index * channels, ())
        factor = program.scale(constant.scale) * constant.coefficient
        program.add(target, grads[Row(out, constant.column.half)], (), channels, factor)
