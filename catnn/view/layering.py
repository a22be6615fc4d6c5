"""Rows for a picture with boxes: who stands above whom, in which order, and where, so that wires cross little.

Units (boxes, spiders, bends) stand in rows by the longest way from the inputs; a wire that passes a row has a place
there, so it never runs through a box.  Orders are found by sweeps of means (Sugiyama), places by `catnn.view.placing`.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from catnn.view.placing import End, Near, Places, Pull, Unit

SWEEPS = 8
PULLS = (1.0, 2.0, 8.0)
"""How much two units pull at each other: by how many of the two are places that a long wire passes."""


@dataclass(slots=True)
class Layers:
    """Units and the wires between them: each from an end above one unit to an end below another.

    inputs, outputs: the units of the first and of the last row, which keep their order; free: units whose ends may be
    exchanged; paths: the ends of each wire and, between them, the places that it passes.
    """

    units: list[Unit] = field(default_factory=list)
    wires: list[tuple[End, End]] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    free: set[int] = field(default_factory=set)
    rows: list[list[int]] = field(default_factory=list)
    paths: list[list[End]] = field(default_factory=list)
    step: float = 34.0
    gap: float = 16.0
    real: int = 0
    """How many units there were before the places that wires pass."""

    def arrange(self) -> None:
        """Ranks, rows, orders and places."""
        self.real = len(self.units)
        self.rank()
        self._rows()
        self._order()
        self._place()
        if self._untwist():
            self._place()

    def _untwist(self) -> bool:
        """Give the ends of the units that do not mind the order of what they lead to; whether anything changed."""
        ends: dict[tuple[int, bool], list[tuple[float, int, bool]]] = {}
        for number, path in enumerate(self.paths):
            for above, here, there in ((True, path[0], path[1]), (False, path[-1], path[-2])):
                if here[0] in self.free:
                    other = self.units[there[0]]
                    x = other.x + self._port(there, above=not above)
                    ends.setdefault((here[0], above), []).append((x, number, above))
        changed = False
        for (unit, above), found in ends.items():
            for at, (_, number, _) in enumerate(sorted(found)):
                place = 0 if above else -1
                changed = changed or self.paths[number][place][1] != at
                self.paths[number][place] = (unit, at)
        return changed

    # -------------------------------------------------------------------------------------------------------- ranks

    def rank(self) -> None:
        """The longest way from the inputs; where wires run in a circle, it is cut at the unit that comes first."""
        count = len(self.units)
        after: list[list[int]] = [[] for _ in range(count)]
        missing = [0] * count
        for (tail, _), (head, _) in self.wires:
            if tail != head:
                after[tail].append(head)
                missing[head] += 1
        ends = set(self.inputs) | set(self.outputs)
        for at, found in enumerate(self.units):  # inputs have the first row to themselves
            found.rank = int(at not in ends)
        ready = [u for u in range(count) if not missing[u]]
        done, order, least = [False] * count, list[int](), 0
        while len(order) < count:
            if not ready:
                while done[least]:
                    least += 1
                ready.append(least)
            unit = ready.pop()
            if done[unit]:
                continue
            done[unit] = True
            order.append(unit)
            for head in after[unit]:
                missing[head] -= 1
                if not done[head]:
                    self.units[head].rank = max(self.units[head].rank, self.units[unit].rank + 1)
                    if not missing[head]:
                        ready.append(head)
        self._tighten(order, after, ends)
        last = max((self.units[u].rank for u in range(count) if u not in ends), default=0) + 1
        for unit in self.outputs:
            self.units[unit].rank = last

    def _tighten(self, order: list[int], after: list[list[int]], ends: set[int]) -> None:
        """What nothing holds from below moves up to what it feeds."""
        fed = {head for (_, _), (head, _) in self.wires}
        for unit in reversed(order):
            heads = [self.units[head].rank for head in after[unit] if head not in ends]
            if unit not in ends and unit not in fed and heads:
                self.units[unit].rank = max(1, min(heads) - 1)

    # --------------------------------------------------------------------------------------------------------- rows

    def _rows(self) -> None:
        """A place in every row for each wire that passes it; wires that run back are left to themselves."""
        height = max((unit.rank for unit in self.units), default=0) + 1
        self.rows = [[] for _ in range(height)]
        for at, unit in enumerate(self.units):
            self.rows[unit.rank].append(at)
        for tail, head in self.wires:
            path = [tail]
            for rank in range(self.units[tail[0]].rank + 1, self.units[head[0]].rank):
                self.units.append(Unit(0.0, 1, 1, rank=rank))
                self.rows[rank].append(len(self.units) - 1)
                path.append((len(self.units) - 1, 0))
            self.paths.append([*path, head])

    def _port(self, end: End, *, above: bool, loose: bool = False) -> float:
        """Where an end of a unit is, relative to its middle; loose: ends that may be exchanged are all there."""
        unit = self.units[end[0]]
        if loose and end[0] in self.free:
            return 0.0
        return unit.port(end[1], unit.above if above else unit.below, self.step)

    def _neighbours(self, *, loose: bool = False) -> tuple[Near, Near]:
        """For each unit the units below and above it, with the difference of the ends' places, and how much it pulls.

        Between two places of one long wire the pull is strongest, so that it runs straight.
        """
        below: Near = [[] for _ in self.units]
        above: Near = [[] for _ in self.units]
        for path in self.paths:
            for (a, i), (b, j) in pairwise(path):
                if self.units[b].rank == self.units[a].rank + 1:
                    out = self._port((a, i), above=True, loose=loose)
                    into = self._port((b, j), above=False, loose=loose)
                    pull = PULLS[(a >= self.real) + (b >= self.real)]
                    above[a].append((b, into - out, pull, into))
                    below[b].append((a, out - into, pull, out))
        return below, above

    # ------------------------------------------------------------------------------------------------------- orders

    def _order(self) -> None:
        below, above = self._neighbours(loose=True)
        for row in (self.inputs, self.outputs):
            for at, unit in enumerate(row):
                self.units[unit].x = at * self.step
        self._pack()
        best, rows = self._crossings(), [list(row) for row in self.rows]
        for sweep in range(SWEEPS):
            if not best:
                break
            up = sweep % 2 == 0
            near = below if up else above
            for row in self.rows[1:] if up else reversed(self.rows[:-1]):
                if row and (row[0] in self.inputs[:1] or row[0] in self.outputs[:1]):
                    continue
                keys = {u: self._middle(u, near[u]) for u in row}
                row.sort(key=keys.__getitem__)
                self._pack_row(row)
            self._exchange(below, above)
            found = self._crossings()
            if found < best:
                best, rows = found, [list(row) for row in self.rows]
        self.rows = rows
        self._pack()

    def _middle(self, unit: int, near: Sequence[Pull]) -> float:
        return sum(self.units[v].x + shift for v, shift, _, _ in near) / len(near) if near else self.units[unit].x

    def _exchange(self, below: Near, above: Near) -> None:
        """Exchange neighbours in a row as long as that takes crossings away; at first also where it changes nothing.

        (Two that cross either way may stand in the way of others.)
        """
        fixed = {*self.inputs, *self.outputs}
        stale = set(range(len(self.rows)))
        for turn in range(SWEEPS):
            again: set[int] = set()
            for rank in sorted(stale):
                row = self.rows[rank]
                if not row or row[0] in fixed:
                    continue
                met = {unit: (self._meets(below[unit]), self._meets(above[unit])) for unit in row}
                changed = False
                for at in range(len(row) - 1):
                    left, right = row[at], row[at + 1]
                    (down, up), (other_down, other_up) = met[left], met[right]
                    now = _inversions(down, other_down) + _inversions(up, other_up)
                    if not now:
                        continue
                    then = _inversions(other_down, down) + _inversions(other_up, up)
                    if then < now or (then == now and not turn):
                        row[at], row[at + 1], changed = right, left, True
                if changed:
                    self._pack_row(row)
                    again |= {rank - 1, rank, rank + 1}
            if not again:
                break
            stale = {rank for rank in again if 0 <= rank < len(self.rows)}

    def _meets(self, near: Sequence[Pull]) -> list[float]:
        """Where the wires of a unit end in a row beside its own, ascending."""
        return sorted([self.units[v].x + end for v, _, _, end in near])

    def _pack(self) -> None:
        for row in self.rows:
            self._pack_row(row)

    def _pack_row(self, row: list[int]) -> None:
        at = 0.0
        for unit in row:
            self.units[unit].x = at + self.units[unit].size / 2
            at += self.units[unit].size + self.gap
        for unit in row:
            self.units[unit].x -= (at - self.gap) / 2

    def _crossings(self) -> int:
        """How many pairs of wires cross between neighbouring rows."""
        found: list[list[tuple[float, float]]] = [[] for _ in self.rows]
        for path in self.paths:
            for (a, i), (b, j) in pairwise(path):
                lower, upper = self.units[a], self.units[b]
                if upper.rank == lower.rank + 1:
                    out = self._port((a, i), above=True, loose=True)
                    into = self._port((b, j), above=False, loose=True)
                    found[lower.rank].append((lower.x + out, upper.x + into))
        total = 0
        for wires in found:
            seen: list[float] = []
            for _, x in sorted(wires, reverse=True):
                total += bisect_left(seen, x)
                insort(seen, x)
        return total

    def _place(self) -> None:
        Places(self.units, self.rows, self.paths, self.gap, self.step).settle(*self._neighbours())


def _inversions(left: list[float], right: list[float]) -> int:
    """How many wires of a unit on the left cross wires of one on the right, by where they end; both ascending."""
    if len(left) == len(right) == 1:
        return int(right[0] < left[0])
    return sum([bisect_left(right, x) for x in left])
