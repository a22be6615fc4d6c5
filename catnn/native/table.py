"""The table of a program for the C library as it is written: views of buffers, and an instruction a method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod

from catnn.category.scalar import Scale
from catnn.category.wires import Word

PILE = 16_000
"""About so many numbers are piled up for one product, so that they stay in the fastest cache."""
STEP = 96
"""So many rows at most."""
DEEP = 384
"""So many channels are met in one product; what is deeper is cut, and added up."""
SCRATCH = 0
"""The number of the buffer for what lies between."""

ZERO, SUM, ADD, PRODUCT, OUTER, COMBINE, END = 1, 2, 3, 4, 5, 6, 0


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

    words: the table; factors: the numbers that sums and additions multiply with; scratch: how many numbers lie between;
    spectra: what is there in a Fourier basis already.
    """

    sizes: Mapping[str, int]
    words: list[int] = field(default_factory=list)
    factors: list[float] = field(default_factory=list)
    scratch: int = 0
    pile: int = 0
    spectra: dict[object, View] = field(default_factory=dict)

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
                *, add: bool, offset: int = 0) -> None:  # fmt: skip
        """target (+)= the pieces side by side, times a matrix of weights (their channels together x width).

        offset: where in the buffer of weights it begins.
        """
        start = 0
        for group in _grouped(pieces):
            depth, count = sum(channels for _, channels in group), prod(extent)
            step = _step(depth, count)
            if len(group) == 1 and group[0][0].strides == dense(0, extent, depth).strides:
                step = 0
            self.pile = max(self.pile, step * depth)
            self.words += [PRODUCT, count, width, depth, step, weights, offset + start * width, SCRATCH, -1]
            self.words += [target.buffer, target.offset, int(add or start > 0), len(extent), len(group)]
            self.words += [*extent, *_pieces(group)]
            start += depth

    def outer(self, gradient: int, left: list[tuple[View, int]], right: list[tuple[View, int]],
              extent: tuple[int, ...], turns: int, *, offset: int = 0) -> None:  # fmt: skip
        """gradient (turns, left channels, right channels) += left^T right, over all places; offset: where it begins."""
        width, depth = sum(c for _, c in left), sum(c for _, c in right)
        step = _step(depth + width, prod(extent))
        self.pile = max(self.pile, step * (depth + width))
        self.words += [OUTER, prod(extent), width, depth // turns, turns, step, gradient, offset]
        self.words += [SCRATCH, -1, len(extent)]
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
        case 6:
            return at + 1 + words[at + 1], 0
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
