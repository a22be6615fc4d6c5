"""How many orbits a group of permutations has on tuples, without listing them: point by point, factor by factor.

The orbits on t different points are found by their first points, one for each orbit, and counted up to the stabiliser
of that.  Where a group is a direct product of groups on disjoint sets of points, as stabilisers often are, a tuple is
tuples of the factors shuffled: the exponential generating functions multiply.
"""

from __future__ import annotations

from math import comb, factorial, perm
from typing import NamedTuple

from catnn.category.permutations import Chain, Level, Permutation, Stabiliser, product


class OutOfReachError(Exception):
    """More stabilisers would have to be looked at than the budget has."""


def injective_row(group: Stabiliser, most: int, budget: list[int]) -> list[int]:
    """The numbers of orbits on t-tuples of different points, for t = 0..most.

    budget: [how many steps may be taken].  Raises: OutOfReachError where those do not suffice.

    >>> from catnn.category.permutations import schreier_sims
    >>> injective_row(Stabiliser(schreier_sims(4, [(1, 0, 2, 3), (0, 1, 3, 2)])), 4, [100])  # (0 1), (2 3)
    [1, 2, 4, 6, 6]
    """
    return _split(group, group.n).row(most, budget)


class _Product(NamedTuple):
    """Points that nothing moves, and the factors that move the others."""

    still: int
    factors: tuple[_Factor, ...]

    def row(self, most: int, budget: list[int]) -> list[int]:
        """As `injective_row`."""
        result = [perm(self.still, t) for t in range(most + 1)]
        for factor in self.factors:
            other = factor.row(most, budget)
            result = [sum(comb(t, i) * result[i] * other[t - i] for i in range(t + 1)) for t in range(most + 1)]
        return result


class _Factor:
    """A group on the points that it moves; it is no direct product of groups on fewer."""

    __slots__ = ("_known", "_parts", "group", "moved")

    def __init__(self, group: Stabiliser, moved: frozenset[int]) -> None:
        self.group, self.moved = group, moved
        self._known = [1]
        self._parts: tuple[_Product, ...] | None = None

    def row(self, most: int, budget: list[int]) -> list[int]:
        """As `injective_row`, among the points that are moved."""
        count = len(self.moved)
        if self.group.order == factorial(count):
            return [int(t <= count) for t in range(most + 1)]
        if len(self._known) <= most:
            rows = [part.row(most - 1, budget) for part in self._fixing(budget)]
            self._known = [1, *(sum(row[t] for row in rows) for t in range(most))]
        return self._known[: most + 1]

    def _fixing(self, budget: list[int]) -> tuple[_Product, ...]:
        """For each orbit the stabiliser of its least point."""
        if self._parts is None:
            found = []
            for point in self.group.least:
                if point in self.moved:
                    budget[0] -= 1 + len(self.group.chain.levels)
                    if budget[0] < 0:
                        raise OutOfReachError
                    found.append(_split(self.group.fixing(point), len(self.moved) - 1))
            self._parts = tuple(found)
        return self._parts


def _split(group: Stabiliser, points: int) -> _Product:
    """A group as the direct product of its factors, on so many points."""
    if group.trivial:
        return _Product(points, ())
    strong = _reduced(group.chain)
    classes = _joined([{i for i, j in enumerate(g) if i != j} for _, g in strong])
    whole = len(classes) == 1
    factors = tuple(
        _Factor(group if whole else Stabiliser(_part(group.chain, strong, moved)), frozenset(moved))
        for moved in classes
    )
    return _Product(points - sum(map(len, classes)), factors)


def _reduced(chain: Chain) -> list[tuple[int, Permutation]]:
    """Strong generators that move no factor but one, each with the level whose point it moves.

    Each fixes every later point of the base that it can, by the elements of later levels.  Of a direct product
    these bring the other factors' parts to the identity, for they fix all points of the base there.
    """
    found = []
    for at, level in enumerate(chain.levels):
        for g in level.generators:
            if g[level.point] == level.point:
                continue  # it belongs to a later level
            reduced = g
            for later in chain.levels[at + 1 :]:
                back = later.back.get(reduced[later.point])
                if back is not None and reduced[later.point] != later.point:
                    reduced = product(back, reduced)
            found.append((at, reduced))
    return found


def _joined(sets: list[set[int]]) -> list[set[int]]:
    """Unions of sets that meet, disjoint in the end."""
    found: list[set[int]] = []
    for one in sets:
        meeting = [other for other in found if other & one]
        found = [other for other in found if not other & one]
        found.append(one.union(*meeting))
    return found


def _part(chain: Chain, strong: list[tuple[int, Permutation]], moved: set[int]) -> Chain:
    """The chain of the factor on these points."""
    levels = []
    for at, level in enumerate(chain.levels):
        if level.point in moved:
            mine = Level(level.point, chain.n)
            for after, g in strong:
                if after >= at and any(g[point] != point for point in moved):
                    mine.add(g)
            levels.append(mine)
    return Chain(chain.n, levels)
