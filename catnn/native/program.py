"""From a plan at given sizes to a program: a table of integers that `catnn.native.source` runs for each entry.

It follows the plan step by step, as the emitted Python does: reductions, a product a level, the writes, coarse first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod

from catnn.category.half import Half
from catnn.category.scalar import Scale
from catnn.category.wires import Word
from catnn.plan.moves import Move, full
from catnn.plan.plan import Column, Direct, Plan, Product, Row, Sigma

PILE = 16_000
"""About so many numbers are piled up for one product, so that they stay in the fastest cache."""
STEP = 96
"""So many rows at most."""
DEEP = 384
"""So many channels are met in one product; what is deeper is cut, and added up."""
SCRATCH = 0
"""The number of the buffer for what lies between."""

ZERO, SUM, ADD, PRODUCT, OUTER, END = 1, 2, 3, 4, 5, 0


@dataclass(frozen=True, slots=True)
class View:
    """A strided view of a buffer, its channels last and side by side."""

    buffer: int
    offset: int
    strides: tuple[int, ...]

    def at(self, channels: int) -> View:
        """The view that starts so many channels further on."""
        return View(self.buffer, self.offset + channels, self.strides)


@dataclass
class Program:
    """A program as it is written; every buffer has a number.

    words: the table; factors: the numbers that sums and additions multiply with; scratch: how many numbers lie between.
    """

    sizes: Mapping[str, int]
    words: list[int] = field(default_factory=list)
    factors: list[float] = field(default_factory=list)
    scratch: int = 0
    pile: int = 0

    def length(self, size: int | str) -> int:
        """The number of a size."""
        return size if isinstance(size, int) else self.sizes[size]

    def extent(self, word: Word) -> tuple[int, ...]:
        """The lengths of the axes of a word."""
        return tuple(self.length(wire.group.size) for wire in word)

    def factor(self, value: Fraction | float) -> int:
        """The number of a factor."""
        number = float(value)
        if number not in self.factors:
            self.factors.append(number)
        return self.factors.index(number)

    def scale(self, monomial: Scale) -> Fraction:
        """The value of a monomial."""
        result = Fraction(1)
        for size, exponent in monomial:
            result *= Fraction(self.length(size)) ** exponent
        return result

    def fresh(self, word: Word, channels: int) -> View:
        """A tensor of its own between input and output."""
        view = dense(SCRATCH, self.extent(word), channels, self.scratch)
        self.scratch += prod(self.extent(word)) * channels
        return view

    # ------------------------------------------------------------------------------------------------- instructions

    def zero(self, view: View, word: Word, channels: int) -> None:
        """Clear a dense tensor."""
        self.words += [ZERO, view.buffer, view.offset, prod(self.extent(word)) * channels]

    def sum(self, target: View, source: View, extent: tuple[int, ...], channels: int, *, run: tuple[int, int],
            factor: Fraction) -> None:  # fmt: skip
        """target = factor * the sum of source along one more axis; run: its length and its stride."""
        axes = _joined(extent, target.strides, source.strides, channels)
        channels, extent, ds, ss = axes
        self.words += [SUM, channels, self.factor(factor), *run, len(extent), target.buffer, target.offset]
        self.words += [source.buffer, source.offset, *extent, *ds, *ss]

    def add(self, target: View, source: View, extent: tuple[int, ...], channels: int, factor: Fraction) -> None:
        """target += factor * source."""
        channels, extent, ds, ss = _joined(extent, target.strides, source.strides, channels)
        self.words += [ADD, channels, self.factor(factor), len(extent), target.buffer, target.offset]
        self.words += [source.buffer, source.offset, *extent, *ds, *ss]

    def product(self, target: View, pieces: list[tuple[View, int]], extent: tuple[int, ...], width: int, weights: int,
                *, add: bool) -> None:  # fmt: skip
        """target (+)= the pieces side by side, times a matrix of weights (their channels together x width)."""
        start = 0
        for group in _grouped(pieces):
            depth, count = sum(channels for _, channels in group), prod(extent)
            step = _step(depth, count)
            if len(group) == 1 and group[0][0].strides == dense(0, extent, depth).strides:
                step = 0
            self.pile = max(self.pile, step * depth)
            self.words += [PRODUCT, count, width, depth, step, weights, start * width, SCRATCH, -1]
            self.words += [target.buffer, target.offset, int(add or start > 0), len(extent), len(group)]
            self.words += [*extent, *_pieces(group)]
            start += depth

    def outer(self, gradient: int, left: list[tuple[View, int]], right: list[tuple[View, int]],
              extent: tuple[int, ...], turns: int) -> None:  # fmt: skip
        """gradient (turns, left channels, right channels) += left^T right, over all places."""
        width, depth = sum(c for _, c in left), sum(c for _, c in right)
        step = _step(depth + width, prod(extent))
        self.pile = max(self.pile, step * (depth + width))
        self.words += [OUTER, prod(extent), width, depth // turns, turns, step, gradient, 0, SCRATCH, -1, len(extent)]
        self.words += [len(left), len(right), *extent, *_pieces(left), *_pieces(right)]

    def finish(self) -> list[int]:
        """The table, with the piles behind what else lies between."""
        words, at = [*self.words, END], 0
        while words[at] != END:
            at, pile = _after(words, at)
            if pile:
                words[pile] = self.scratch
        return words


def dense(buffer: int, extent: tuple[int, ...], channels: int, offset: int = 0) -> View:
    """A contiguous tensor."""
    strides, stride = [], channels
    for length in reversed(extent):
        strides.append(stride)
        stride *= length
    return View(buffer, offset, tuple(reversed(strides)))


def _step(depth: int, count: int) -> int:
    return max(1, min(STEP, PILE // max(depth, 1), count))


def _grouped(pieces: list[tuple[View, int]]) -> list[list[tuple[View, int]]]:
    """The pieces a few at a time, so that the rows of weights that they meet stay in the cache."""
    groups: list[list[tuple[View, int]]] = [[]]
    depth = 0
    for view, channels in pieces:
        if groups[-1] and depth + channels > DEEP:
            groups.append([])
            depth = 0
        groups[-1].append((view, channels))
        depth += channels
    return groups


def _pieces(pieces: list[tuple[View, int]]) -> list[int]:
    return [word for view, channels in pieces for word in (channels, view.buffer, view.offset, *view.strides)]


def _after(words: list[int], at: int) -> tuple[int, int]:
    """Where the next instruction starts, and where the place of this one's pile stands (0 for none)."""
    match words[at]:
        case 1:
            return at + 4, 0
        case 2:
            return at + 10 + 3 * words[at + 5], 0
        case 3:
            return at + 8 + 3 * words[at + 3], 0
        case 4:
            axes, pieces = words[at + 12], words[at + 13]
            return at + 14 + axes + pieces * (3 + axes), at + 8
        case _:
            axes, pieces = words[at + 10], words[at + 11] + words[at + 12]
            return at + 13 + axes + pieces * (3 + axes), at + 9


Joined = tuple[int, tuple[int, ...], tuple[int, ...], tuple[int, ...]]


def _joined(extent: tuple[int, ...], target: tuple[int, ...], source: tuple[int, ...], channels: int) -> Joined:
    """Axes that are contiguous in both, counted among the channels."""
    axes = list(zip(extent, target, source, strict=True))
    while axes and axes[-1][1] == axes[-1][2] == channels:
        channels *= axes.pop()[0]
    ext, ds, ss = zip(*axes, strict=True) if axes else ((), (), ())
    return channels, tuple(ext), tuple(ds), tuple(ss)


# --------------------------------------------------------------------------------------------------------- the plan


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


def pieces(plan: Plan, product: Product, rows: Mapping[Row, View]) -> list[tuple[View, int]]:
    """What a product multiplies, side by side: for each permutation all rows, their axes in its order."""
    return [
        (_turned(rows[row], sigma), plan.source.summands[row.summand].channels)
        for sigma in product.sigmas
        for row in product.rows
    ]


def _turned(view: View, sigma: Sigma) -> View:
    return View(view.buffer, view.offset, tuple(view.strides[i] for i in sigma))


def run(program: Program, plan: Plan, rows: Mapping[Row, View], outputs: list[int], weights: list[int],
        biases: Mapping[int, int]) -> None:  # fmt: skip
    """Mix and expand; outputs, weights, biases: the buffers of the targets, the products and the biases."""
    targets = [
        _Target(program, plan, o, dense(outputs[o], program.extent(s.word), s.channels))
        for o, s in enumerate(plan.target.summands)
    ]
    for at, product in enumerate(plan.products):
        _mix(program, plan, product, rows, weights[at], targets)
    for direct in plan.directs:
        _fixed(program, direct, rows, targets[direct.column.summand])
    for constant in plan.constants:
        channels = plan.target.summands[constant.column.summand].channels
        view = View(biases[constant.column.summand], constant.index * channels, ())
        targets[constant.column.summand].pending[constant.column.half].append((view, Fraction(1)))
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


def _mix(program: Program, plan: Plan, product: Product, rows: Mapping[Row, View], weights: int,
         targets: list[_Target]) -> None:  # fmt: skip
    """One product; what it makes is cut into its columns."""
    found, extent = pieces(plan, product, rows), program.extent(product.level)
    widths = [plan.target.summands[column.summand].channels for column in product.columns]
    factor, target = program.scale(product.scale), targets[product.columns[0].summand]
    whole = len(product.columns) == 1 and product.columns[0].half == target.top
    if whole and target.natural and factor == 1:
        program.product(target.begun[target.top], found, extent, widths[0], weights, add=target.written)
        target.written = True
        return
    result = program.fresh(product.level, sum(widths))
    program.product(result, found, extent, sum(widths), weights, add=False)
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


def weigh(program: Program, plan: Plan, back: Plan, rows: Mapping[Row, View], grads: Mapping[Row, View],
          weights: list[int], biases: Mapping[int, int]) -> None:  # fmt: skip
    """The gradients of the packed weights and of the biases, added to the buffers given."""
    for at, (product, mirrored) in enumerate(zip(plan.products, back.products, strict=True)):
        left = [(grads[row], back.source.summands[row.summand].channels) for row in mirrored.rows]
        right = pieces(plan, product, rows)
        program.outer(weights[at], left, right, program.extent(product.level), len(product.sigmas))
    for constant in plan.constants:
        out = constant.column.summand
        channels = plan.target.summands[out].channels
        target = View(biases[out], constant.index * channels, ())
        program.add(target, grads[Row(out, constant.column.half)], (), channels, Fraction(1))
