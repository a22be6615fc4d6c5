"""Rows for a picture with boxes: who stands above whom, in which order, and where, so that wires cross little.

Units (boxes, spiders, bends) stand in rows by the longest way from the inputs; a wire that passes a row has a place
there, so it never runs through a box.  Orders are found by sweeps of means (Sugiyama), places by isotonic regression.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

SWEEPS = 8
PULLS = (1.0, 2.0, 8.0)
"""How much two units pull at each other: by how many of the two are places that a long wire passes."""
Pull = tuple[int, float, float, float]
"""From one unit to another: its number, where the first would stand if it were for this wire alone (relative to the
second), how strongly, and where the wire ends (relative to the second)."""
Near = list[list[Pull]]


@dataclass(slots=True)
class Unit:
    """Something with ends below and ends above; a place that a wire passes has one of each.

    size: how much room it takes in its row; below, above: how many ends it has; even: whether its ends are spread over
    its size (a box), or all in its middle (a spider).
    """

    size: float
    below: int
    above: int
    even: bool = True
    rank: int = 0
    x: float = 0.0

    def port(self, at: int, count: int, step: float) -> float:
        """Where an end is, relative to the middle."""
        return (at - (count - 1) / 2) * step if self.even else 0.0


End = tuple[int, int]
"""A unit and the number of its end."""


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
        for turn in range(SWEEPS):
            changed = False
            for row in self.rows:
                for at in range(len(row) - 1):
                    if row[at] in fixed:
                        continue
                    left, right = row[at], row[at + 1]
                    pairs = [(self._meets(near[left]), self._meets(near[right])) for near in (below, above)]
                    now, then = (sum(_inversions(*pair[::way]) for pair in pairs) for way in (1, -1))
                    if then < now or (then == now > 0 and not turn):
                        row[at], row[at + 1], changed = right, left, True
                self._pack_row(row)
            if not changed:
                break

    def _meets(self, near: Sequence[Pull]) -> list[float]:
        """Where the wires of a unit end in a row beside its own, ascending."""
        return sorted(self.units[v].x + end for v, _, _, end in near)

    def _mean(self, unit: int, near: Sequence[Pull]) -> float:
        if not near:
            return self.units[unit].x
        return sum(pull * (self.units[v].x + shift) for v, shift, pull, _ in near) / sum(pull for _, _, pull, _ in near)

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

    # ------------------------------------------------------------------------------------------------------- places

    def _place(self) -> None:
        below, above = self._neighbours()
        for sweep in range(SWEEPS):
            near = below if sweep % 2 == 0 else above
            for row in self.rows if sweep % 2 == 0 else reversed(self.rows):
                chosen = [near[unit] or (*below[unit], *above[unit]) for unit in row]
                wanted = [self._mean(unit, found) for unit, found in zip(row, chosen, strict=True)]
                self._settle(row, wanted, [max((pull for _, _, pull, _ in found), default=1.0) for found in chosen])
        left = min((u.x - u.size / 2 for u in self.units), default=0.0)
        for unit in self.units:
            unit.x -= left

    def _settle(self, row: list[int], wanted: Sequence[float], pulls: Sequence[float]) -> None:
        """The places nearest to those wanted that keep the order and the gaps: isotonic regression."""
        offset, offsets = 0.0, []
        for at, unit in enumerate(row):
            if at:
                offset += self.gap + (self.units[row[at - 1]].size + self.units[unit].size) / 2
            offsets.append(offset)
        pools: list[tuple[float, float, int]] = []
        for want, shift, pull in zip(wanted, offsets, pulls, strict=True):
            total, weight, count = pull * (want - shift), pull, 1
            while pools and pools[-1][0] / pools[-1][1] > total / weight:
                before, heavy, many = pools.pop()
                total, weight, count = total + before, weight + heavy, count + many
            pools.append((total, weight, count))
        places = [total / weight for total, weight, count in pools for _ in range(count)]
        for unit, place, shift in zip(row, places, offsets, strict=True):
            self.units[unit].x = place + shift


def _inversions(left: list[float], right: list[float]) -> int:
    """How many wires of a unit on the left cross wires of one on the right, by where they end; both ascending."""
    return sum(bisect_left(right, x) for x in left)
