"""The table of a program for the C library as it is written: views of buffers, and an instruction a method.

Between input and output lie values: each has memory from the first instruction that names it to the last, and values
that are never needed at the same time share theirs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod

from catnn.category.scalar import Scale
from catnn.category.wires import Word
from catnn.native.room import FASTEST, Room, placed

SCRATCH, SHARED = 0, 1
"""The numbers of the buffers for what lies between: of each entry, and of all together."""
VALUES = 1 << 40
"""From here on, the numbers of values that have no place yet."""
BEFORE, EACH, AFTER = 0, 1, 2
"""The parts of a program: what is done once, for every few entries, and once at the end."""

END, ZERO, SUM, ADD, PRODUCT, OUTER, COMBINE, MOVE, PLAIN, MEET, PAIRED, MEET_PAIRED = range(12)


@dataclass(frozen=True, slots=True)
class View:
    """A strided view of a buffer, its channels last and side by side."""

    buffer: int
    offset: int
    strides: tuple[int, ...]

    def at(self, channels: int) -> View:
        """The view that starts so many channels further on."""
        return View(self.buffer, self.offset + channels, self.strides)


Pieces = Sequence[tuple[View, int]]
"""Views with their channels, side by side."""


@dataclass
class _Value:
    """Numbers between input and output; first, last: the instructions that name it; always: all may."""

    buffer: int
    length: int
    always: bool
    first: int = -1
    last: int = -1


@dataclass(frozen=True, slots=True)
class Table:
    """A program in words.

    each, shared: how many numbers lie between, for an entry, and for all together; own: the lengths of the values that
    every entry has, a buffer each.
    """

    words: tuple[int, ...]
    each: int
    shared: int
    own: tuple[int, ...]


@dataclass
class Program:
    """A program as it is written; every buffer has a number.

    sizes: of the axes; room: how much it may keep; entries: about so many of the batch there are; factors: the numbers
    that are multiplied with; kept: values that serve more than one instruction, by what they are.
    moved: how many weights are brought into order for every few entries.
    """

    sizes: Mapping[str, int]
    room: Room = FASTEST
    entries: int = 1
    factors: list[float] = field(default_factory=list)
    kept: dict[object, View] = field(default_factory=dict)
    moved: int = 0
    _parts: tuple[list[int], list[int], list[int]] = field(default_factory=lambda: ([], [], []))
    _values: list[_Value] = field(default_factory=list)
    _named: list[tuple[int, int]] = field(default_factory=list)
    _count: int = 0

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

    # ------------------------------------------------------------------------------------------------------- values

    def fresh(self, extent: tuple[int, ...], channels: int, *, buffer: int = SCRATCH, always: bool = False) -> View:
        """A tensor of its own between input and output; always: from the first instruction to the last."""
        self._values.append(_Value(buffer, prod(extent) * channels, always))
        return dense(VALUES + len(self._values) - 1, extent, channels)

    def say(self, op: int, *items: int | View, part: int = EACH) -> None:
        """An instruction; a view among its words stands for its buffer and its offset."""
        words = self._parts[part]
        words.append(op)
        for item in items:
            if not isinstance(item, View):
                words.append(item)
                continue
            if item.buffer >= VALUES:
                value = self._values[item.buffer - VALUES]
                value.first = self._count if value.first < 0 else value.first
                value.last = self._count
                self._named.append((part, len(words)))
            words += [item.buffer, item.offset]
        self._count += 1

    def finish(self, buffers: int) -> Table:
        """What was written; buffers: how many there are besides those of values that every entry has.

        For such a value those of all entries lie side by side, so that they are one tensor with one axis more.
        """
        offsets, lengths, own = [0] * len(self._values), [0, 0], dict[int, int]()
        for buffer in (SCRATCH, SHARED):
            used = [at for at, value in enumerate(self._values) if value.buffer == buffer and value.first >= 0]
            values = [self._values[at] for at in used]
            spans = [(0, self._count) if value.always else (value.first, value.last) for value in values]
            found, lengths[buffer] = placed([value.length for value in values], spans)
            for at, offset in zip(used, found, strict=True):
                offsets[at] = offset
            if buffer == SCRATCH:
                own = {at: buffers + number for number, at in enumerate(used)}
        parts = [list(words) for words in self._parts]
        for part, at in self._named:
            number = parts[part][at] - VALUES
            parts[part][at] = own.get(number, SHARED)
            if number not in own:
                parts[part][at + 1] += offsets[number]
        head = (buffers, len(own), *(offsets[at] for at in own))
        words = (*head, *(word for part in parts for word in (*part, END)))
        return Table(words, lengths[SCRATCH], lengths[SHARED], tuple(self._values[at].length for at in own))

    # ------------------------------------------------------------------------------------------------- instructions

    def zero(self, view: View, length: int, *, part: int = EACH) -> None:
        """Clear a dense tensor."""
        self.say(ZERO, view, length, part=part)

    def sum(self, target: View, source: View, extent: tuple[int, ...], channels: int, *, run: tuple[int, int],
            factor: Fraction) -> None:  # fmt: skip
        """target = factor * the sum of source along one more axis; run: its length and its stride."""
        channels, extent, ds, ss = _joined(extent, target.strides, source.strides, channels)
        self.say(SUM, channels, self.factor(factor), *run, len(extent), target, source, *extent, *ds, *ss)

    def add(self, target: View, source: View, extent: tuple[int, ...], channels: int, factor: Fraction) -> None:
        """target += factor * source."""
        channels, extent, ds, ss = _joined(extent, target.strides, source.strides, channels)
        self.say(ADD, channels, self.factor(factor), len(extent), target, source, *extent, *ds, *ss)

    def combine(self, target: View, source: View, values: int, channels: int,
                rows: Sequence[tuple[int, Sequence[tuple[int, int]]]], *, add: bool) -> None:  # fmt: skip
        """Rows of target (+)= sums of rows of source: for each its place, then places and numbers of values."""
        body = [word for place, pairs in rows for word in (place, len(pairs), *(w for pair in pairs for w in pair))]
        self.say(COMBINE, 9 + len(body), channels, values, target, source, int(add), len(rows), *body)

    def move(self, target: View, source: View, shape: tuple[int, int, int], factor: Fraction | float, *,
             add: bool, part: int = EACH) -> None:  # fmt: skip
        """target (+)= factor * source of three axes, for all entries together."""
        words = (*shape, *target.strides, *source.strides, self.factor(factor), int(add))
        self.moved += prod(shape) if part == EACH else 0
        self.say(MOVE, target, source, *words, part=part)


def dense(buffer: int, extent: tuple[int, ...], channels: int, offset: int = 0) -> View:
    """A contiguous tensor."""
    strides, stride = [], channels
    for length in reversed(extent):
        strides.append(stride)
        stride *= length
    return View(buffer, offset, tuple(reversed(strides)))


Joined = tuple[int, tuple[int, ...], tuple[int, ...], tuple[int, ...]]


def _joined(extent: tuple[int, ...], target: tuple[int, ...], source: tuple[int, ...], channels: int) -> Joined:
    """Axes that are contiguous in both, counted among the channels."""
    axes = list(zip(extent, target, source, strict=True))
    while axes and axes[-1][1] == axes[-1][2] == channels:
        channels *= axes.pop()[0]
    ext, ds, ss = zip(*axes, strict=True) if axes else ((), (), ())
    return channels, tuple(ext), tuple(ds), tuple(ss)
