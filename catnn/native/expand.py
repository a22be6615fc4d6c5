"""How the columns of products get into the outputs: coarse values into finer ones, the finest into the output itself.

Where memory is short a few columns are made at a time, with all that goes into them, and are written at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Protocol

from catnn.native.products import Starts
from catnn.native.table import Program, View, dense
from catnn.plan.moves import Move, full
from catnn.plan.plan import Column, Plan

ONE = Fraction(1)


class Mix(Protocol):
    """What makes some columns of a product: into a dense target, which it starts or is added to; starts: as well."""

    def __call__(self, target: View, columns: Sequence[int], *, add: bool, starts: Starts = ()) -> None: ...


class Expansion:
    """The outputs while they are written.

    outputs: their buffers.  It is done in passes, each with products of its own.
    """

    def __init__(self, program: Program, plan: Plan, outputs: Sequence[int]) -> None:
        self.program, self.plan = program, plan
        self.tops = [Column(o, full(summand.word)) for o, summand in enumerate(plan.target.summands)]
        self.wholes, self.natural = list[View](), list[bool]()
        for top, summand, buffer in zip(self.tops, plan.target.summands, outputs, strict=True):
            order = [top.half.blocks[b][0] for b in top.half.ports]
            whole = dense(buffer, program.extent(summand.word), summand.channels)
            self.wholes.append(View(buffer, 0, tuple(whole.strides[a] for a in order)))
            self.natural.append(order == sorted(order))
        self.written = [False] * len(self.tops)
        self.children: dict[Column, list[Move]] = defaultdict(list)
        for o, moves in enumerate(plan.writes):
            for move in reversed(moves):
                self.children[Column(o, move.fine)].append(move)

    def write(self, mixes: Mapping[int, Mix], loose: Sequence[tuple[Column, View, Fraction]]) -> None:
        """Make the columns of products and write them; mixes: by their numbers; loose: other values of columns."""
        self.mixes = mixes
        self.begun: dict[Column, View] = {}
        self.pending: dict[Column, list[tuple[Move | None, View, Fraction]]] = defaultdict(list)
        self.places: dict[Column, list[tuple[int, int]]] = defaultdict(list)
        self.known: dict[Column, bool] = {}
        for column, view, factor in loose:
            self.pending[column].append((None, view, factor))
        for at in sorted(mixes, key=lambda at: len(self.plan.products[at].level)):
            for index, column in enumerate(self.plan.products[at].columns):
                self.places[column].append((at, index))
            if not self.program.room.group:
                self._mix(at, [i for i, c in enumerate(self.plan.products[at].columns) if not self._direct(at, c)])
        for o, top in enumerate(self.tops):
            if self._has(top):
                self._top(o, top)

    def finish(self) -> None:
        """Outputs that nothing led to are zero."""
        for o, top in enumerate(self.tops):
            if not self.written[o]:
                self._begin_top(o, top)

    # ------------------------------------------------------------------------------------------------- one column

    def _channels(self, column: Column) -> int:
        return self.plan.target.summands[column.summand].channels

    def _has(self, column: Column) -> bool:
        """Whether anything is written there in this pass."""
        if column not in self.known:
            here = column in self.places or column in self.pending
            kids = (Column(column.summand, move.coarse) for move in self.children.get(column, ()))
            self.known[column] = here or any(self._has(kid) for kid in kids)
        return self.known[column]

    def _direct(self, at: int, column: Column) -> bool:
        """Whether a product is made in the output itself."""
        o = column.summand
        return column == self.tops[o] and self.natural[o] and not self.plan.products[at].scale

    def _mix(self, at: int, indices: Sequence[int]) -> None:
        """Some columns of a product, side by side; each starts its half, or is added to it."""
        if not indices:
            return
        product = self.plan.products[at]
        columns = [product.columns[index] for index in indices]
        widths = [self._channels(column) for column in columns]
        result = self.program.fresh(self.program.extent(product.level), sum(widths))
        self.mixes[at](result, indices, add=False)
        factor, start = self.program.scale(product.scale), 0
        for column, width in zip(columns, widths, strict=True):
            view = result.at(start)
            if factor == 1 and column not in self.begun and column != self.tops[column.summand]:
                self.begun[column] = view
            else:
                self.pending[column].append((None, view, factor))
            start += width

    def _complete(self, columns: Sequence[Column]) -> None:
        """The values of columns of one target, with everything that goes into them."""
        for group in self._groups(columns):
            self._complete([coarse for _, coarse in group])
            for move, coarse in group:
                self._into(move, coarse)
        if self.program.room.group:
            found: dict[int, list[int]] = defaultdict(list)
            for column in columns:
                for at, index in self.places.get(column, ()):
                    found[at].append(index)
            for at, indices in found.items():
                self._mix(at, sorted(indices))
        for column in columns:
            if column not in self.begun:
                self.begun[column] = self.program.fresh(self.program.extent(column.half.level), self._channels(column))
                self.program.zero(self.begun[column], self._numbers(column))
            self._apply(column, self.begun[column])

    def _numbers(self, column: Column) -> int:
        numbers = self._channels(column)
        for length in self.program.extent(column.half.level):
            numbers *= length
        return numbers

    def _groups(self, columns: Sequence[Column], ops: Sequence[str] = ()) -> Iterator[list[tuple[Move, Column]]]:
        """What goes into columns, so much at a time as there is room for; ops: by these moves, if not by all."""
        pairs = [(move, Column(column.summand, move.coarse)) for column in columns for move in self.children[column]]
        pairs = [(m, coarse) for m, coarse in pairs if self._has(coarse) and (not ops or m.op in ops)]
        pairs.sort(key=lambda pair: (len(pair[1].half.level), self.places.get(pair[1], [])))
        most, group, numbers = self.program.room.group, list[tuple[Move, Column]](), 0
        for pair in pairs:
            more = self._numbers(pair[1]) if pair[1] in self.places else most
            if most and group and numbers + more > most:
                yield group
                group, numbers = [], 0
            group.append(pair)
            numbers += more
        if group:
            yield group

    # ------------------------------------------------------------------------------------------------ into the finer

    def _into(self, move: Move, coarse: Column) -> None:
        """A complete value waits for the finer one that it goes into."""
        view = self.begun.pop(coarse)
        factor = move.factor().value(self.program.sizes)
        if move.op == "sum":
            strides = [0] * len(move.fine.level)
            kept = [a for a in range(len(strides)) if a not in move.axes]
            for a, stride in zip(kept, view.strides, strict=True):
                strides[a] = stride
            view = View(view.buffer, view.offset, tuple(strides))
        self.pending[Column(coarse.summand, move.fine)].append((None if move.op == "sum" else move, view, factor))

    def _apply(self, column: Column, target: View) -> None:
        """Add what waits: broadcast, or onto a diagonal."""
        extent = self.program.extent(column.half.level)
        for move, view, factor in self.pending.pop(column, ()):
            here, lengths = target, extent
            if move is not None:
                kept = [a for a in range(len(extent)) if a not in move.axes]
                a, b = move.axes
                joined = target.strides[a] + target.strides[b]
                if move.op == "diagonal":
                    rest = sorted([*kept, a])
                    strides = tuple(joined if x == a else target.strides[x] for x in rest)
                    lengths = tuple(extent[x] for x in rest)
                else:
                    strides = (*(target.strides[x] for x in kept), joined)
                    lengths = (*(extent[x] for x in kept), extent[a])
                    view = View(view.buffer, view.offset, (*view.strides, 0))
                here = View(target.buffer, target.offset, strides)
            self.program.add(here, view, lengths, self._channels(column), factor)

    # ---------------------------------------------------------------------------------------------------- the output

    def _top(self, o: int, top: Column) -> None:
        """An output: begun with what is spread over it, if there is room for that, then its own products, the rest."""
        lean = bool(self.program.room.group)
        if not lean:
            for group in self._groups([top], ["sum"]):
                self._take(group)
        for at, index in self.places.get(top, ()):
            if not self._direct(at, top):
                if lean:
                    self._mix(at, [index])
                continue
            waiting = self.pending.pop(top, [])
            starts = [(view, factor) for move, view, factor in waiting if move is None]
            self.pending[top] = [one for one in waiting if one[0] is not None]
            self.mixes[at](self.wholes[o], [index], add=self.written[o], starts=starts)
            self.written[o] = True
        self._begin_top(o, top)
        for group in self._groups([top]) if lean else self._groups([top], ["diagonal", "trace"]):
            self._take(group)
            self._apply(top, self.wholes[o])

    def _take(self, group: Sequence[tuple[Move, Column]]) -> None:
        self._complete([coarse for _, coarse in group])
        for move, coarse in group:
            self._into(move, coarse)

    def _begin_top(self, o: int, top: Column) -> None:
        if not self.written[o]:
            whole = self.wholes[o]
            self.program.zero(View(whole.buffer, 0, ()), self._numbers(top))
            self.written[o] = True
        self._apply(top, self.wholes[o])
