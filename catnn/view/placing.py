"""Where the units of a picture stand in their rows, whose orders are known: over the middle of what they are joined to,
and so that long ways run straight.  A row's places are found by isotonic regression.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

SWEEPS = 8
BALANCING = 8
"""More sweeps, by the wires on both sides."""
STRAIGHTENING = 3
"""How often chains are straightened: what one leaves gives room to another."""
HELD = 1000.0
"""How strongly what stands straight stays there while what is at its ends moves."""
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


Chain = tuple[End, list[int], End]
"""Units with one wire below and one above, and the ends that they lead from and to."""


@dataclass(frozen=True, slots=True)
class Places:
    """Units in rows, the wires through them, and the least room between two units of a row."""

    units: list[Unit]
    rows: list[list[int]]
    paths: list[list[End]]
    gap: float
    step: float

    def settle(self, below: Near, above: Near) -> None:
        """From below, from above, and in the end from both, so that what is wide pulls what is narrow over its middle.

        Then chains are straightened, and what they lead from and to moves over its middle, in turns.
        """
        both = [(*under, *over) for under, over in zip(below, above, strict=True)]
        for sweep in range(SWEEPS + BALANCING):
            up = sweep % 2 == 0
            near = both if sweep >= SWEEPS else below if up else above
            for row in self.rows if up else reversed(self.rows):
                chosen = [near[unit] or both[unit] for unit in row]
                wanted = [self._mean(unit, found) for unit, found in zip(row, chosen, strict=True)]
                self._settle(row, wanted, [max([pull for _, _, pull, _ in found], default=1.0) for found in chosen])
        chains = self._chains()
        held = {unit for _, chain, _ in chains for unit in chain}
        for _ in range(STRAIGHTENING):
            self._straighten(chains)
            for row in self.rows:
                wanted = [self.units[u].x if u in held else self._median(u, both[u]) for u in row]
                self._settle(row, wanted, [HELD if u in held else 1.0 for u in row])
        self._straighten(chains)
        left = min((u.x - u.size / 2 for u in self.units), default=0.0)
        for unit in self.units:
            unit.x -= left

    def _chains(self) -> list[Chain]:
        """The longest ways through units with one wire below and one above, and the ends that they lead from and to."""
        after: dict[int, list[tuple[End, End]]] = {}
        ways: dict[int, int] = {}
        for path in self.paths:
            for tail, head in pairwise(path):
                after.setdefault(tail[0], []).append((tail, head))
                back = self.units[head[0]].rank <= self.units[tail[0]].rank
                ways[head[0]] = ways.get(head[0], 0) + 1 + back  # what a wire runs back to begins no chain
        plain = {unit for unit, found in after.items() if len(found) == 1 and ways.get(unit) == 1}
        chains = []
        for unit, found in after.items():
            for tail, head in found if unit not in plain else ():
                run: list[int] = []
                while head[0] in plain and head[0] not in run:
                    run.append(head[0])
                    head = after[head[0]][0][1]
                if run:
                    chains.append((tail, run, head))
        return sorted(chains, key=lambda chain: -len(chain[1]))

    def _straighten(self, chains: list[Chain]) -> None:
        """Let chains run straight as far as there is room, from where they come or to where they lead."""
        beside = {unit: (row, at) for row in self.rows for at, unit in enumerate(row)}
        for tail, chain, head in chains:
            begin = self.units[tail[0]].x + self._port(tail, above=True)
            end = self.units[head[0]].x + self._port(head, above=False)
            at = 0
            while at < len(chain):
                low, high = self._room(chain[at], *beside[chain[at]])
                stop = at + 1
                while stop < len(chain):
                    left, right = self._room(chain[stop], *beside[chain[stop]])
                    if max(low, left) > min(high, right):
                        break
                    low, high, stop = max(low, left), min(high, right), stop + 1
                wanted = end if stop == len(chain) and not low <= begin <= high else begin
                begin = min(max(wanted, low), high)
                for unit in chain[at:stop]:
                    self.units[unit].x = begin
                at = stop

    def _room(self, unit: int, row: list[int], at: int) -> tuple[float, float]:
        """Between which places a unit may move without moving others."""
        half = self.units[unit].size / 2 + self.gap
        low, high = -float("inf"), float("inf")
        if at:
            low = self.units[row[at - 1]].x + self.units[row[at - 1]].size / 2 + half
        if at + 1 < len(row):
            high = self.units[row[at + 1]].x - self.units[row[at + 1]].size / 2 - half
        return min(low, self.units[unit].x), max(high, self.units[unit].x)

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

    def _mean(self, unit: int, near: Sequence[Pull]) -> float:
        if not near:
            return self.units[unit].x
        return sum(pull * (self.units[v].x + shift) for v, shift, pull, _ in near) / sum(pull for _, _, pull, _ in near)

    def _median(self, unit: int, near: Sequence[Pull]) -> float:
        """Where the wire in the middle is straight; of two in the middle one, where the other is nearly so."""
        if not near:
            return self.units[unit].x
        places = sorted([self.units[v].x + shift for v, shift, _, _ in near])
        left, right = places[(len(places) - 1) // 2], places[len(places) // 2]
        return left if right - left < self.step / 3 else (left + right) / 2

    def _port(self, end: End, *, above: bool) -> float:
        unit = self.units[end[0]]
        return unit.port(end[1], unit.above if above else unit.below, self.step)
