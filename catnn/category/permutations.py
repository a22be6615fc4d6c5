"""Permutation groups by generators: orders, stabilisers, and the least tuple of every orbit (Sims 1970; Seress 2003).

A permutation of 0..n-1 is the tuple of its values.  Nothing is ever listed over all n^m tuples: an orbit on m-tuples
is found point by point, each next point up to the stabiliser of those before it, so the least tuple of an orbit comes
out first and the orbits come in lexicographic order of their least tuples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import factorial, prod
from random import Random

Permutation = tuple[int, ...]
Point = tuple[int, ...]
"""A tuple of points, an entry a vertex."""

QUIET = 20
"""So many random products that bring nothing new, and the chain is checked for being whole."""


def product(left: Permutation, right: Permutation) -> Permutation:
    """left after right.

    >>> product((1, 2, 0), (0, 2, 1))
    (1, 0, 2)
    """
    return tuple([left[i] for i in right])


def inverse(permutation: Permutation) -> Permutation:
    """The inverse.

    >>> inverse((1, 2, 0))
    (2, 0, 1)
    """
    result = [0] * len(permutation)
    for i, j in enumerate(permutation):
        result[j] = i
    return tuple(result)


def from_cycles(n: int, cycles: Sequence[Sequence[int]]) -> Permutation:
    """The permutation of disjoint cycles: each point goes to the next.

    >>> from_cycles(4, [(0, 1, 2)])
    (1, 2, 0, 3)
    """
    result = list(range(n))
    for cycle in cycles:
        for here, there in zip(cycle, (*cycle[1:], cycle[0]), strict=True):
            result[here] = there
    return tuple(result)


def to_cycles(permutation: Permutation) -> tuple[tuple[int, ...], ...]:
    """Its cycles, each from its least point, without fixed points.

    >>> to_cycles((1, 2, 0, 3))
    ((0, 1, 2),)
    """
    seen, found = set[int](), []
    for start in range(len(permutation)):
        cycle, point = [], start
        while point not in seen:
            seen.add(point)
            cycle.append(point)
            point = permutation[point]
        if len(cycle) > 1:
            found.append(tuple(cycle))
    return tuple(found)


class Level:
    """One step of a stabiliser chain: a point, what moves it (fixing the points before), and how to get anywhere.

    transversal: for each point of the orbit an element that carries the base point there; back: its inverse.
    """

    __slots__ = ("back", "generators", "point", "transversal")

    def __init__(self, point: int, n: int) -> None:
        self.point = point
        self.generators: list[Permutation] = []
        self.transversal: dict[int, Permutation] = {point: tuple(range(n))}
        self.back = dict(self.transversal)

    def add(self, generator: Permutation) -> None:
        """One generator more; the orbit grows where it can."""
        self.generators.append(generator)
        pending = list(self.transversal)
        first = True
        while pending:
            fresh = []
            for point in pending:
                for g in (generator,) if first else self.generators:
                    if g[point] not in self.transversal:
                        element = product(g, self.transversal[point])
                        self.transversal[g[point]], self.back[g[point]] = element, inverse(element)
                        fresh.append(g[point])
            pending, first = fresh, False


class Chain:
    """A base and strong generating set: the group is the product of its transversals, each element once."""

    def __init__(self, n: int, levels: list[Level]) -> None:
        self.n = n
        self.levels = levels

    @property
    def order(self) -> int:
        """How many elements the group has."""
        return prod(len(level.transversal) for level in self.levels)

    def sift(self, g: Permutation) -> tuple[Permutation, int]:
        """What is left of an element after the chain, and the level where it stuck."""
        for at, level in enumerate(self.levels):
            back = level.back.get(g[level.point])
            if back is None:
                return g, at
            g = product(back, g)
        return g, len(self.levels)

    def insert(self, g: Permutation) -> bool:
        """Make the chain longer or wider by an element; False where it was inside already."""
        rest, at = self.sift(g)
        moved = next((i for i, j in enumerate(rest) if i != j), None)
        if moved is None:
            return False
        if at == len(self.levels):
            self.levels.append(Level(moved, self.n))
        for level in self.levels[: at + 1]:
            level.add(rest)
        return True

    def random(self, source: Random) -> Permutation:
        """A uniformly random element."""
        g = tuple(range(self.n))
        for level in self.levels:
            g = product(g, source.choice(list(level.transversal.values())))
        return g


def schreier_sims(n: int, generators: Sequence[Permutation], order: int | None = None) -> Chain:
    """A chain of the generated group, filled by random products, then checked by Schreier's lemma.

    order: how many elements the group has, where that is known; then it needs no check, nor where each orbit has all
    its permutations.
    """
    chain = Chain(n, [])
    generators = [g for g in generators if any(i != j for i, j in enumerate(g))]
    for g in generators:
        chain.insert(g)
    source, quiet = Random(0), 0
    most = prod(factorial(size) for size in _orbit_sizes(n, generators)) if order is None else order
    bag = list(generators) * (1 + 10 // max(len(generators), 1))
    while bag and quiet < QUIET and chain.order < most:
        i, j = source.randrange(len(bag)), source.randrange(len(bag))
        bag[i] = product(bag[i], bag[j]) if source.random() < 0.5 else product(inverse(bag[j]), bag[i])
        quiet = 0 if chain.insert(product(bag[i], source.choice(bag))) else quiet + 1
    chain = _pruned(chain)
    while chain.order < most and (missing := _missing(chain)) is not None:
        chain.insert(missing)
    return chain


def _orbit_sizes(n: int, generators: Sequence[Permutation]) -> list[int]:
    """How many points each orbit has."""
    left, sizes = set(range(n)), []
    while left:
        start = Level(min(left), n)
        for g in generators:
            start.add(g)
        left -= start.transversal.keys()
        sizes.append(len(start.transversal))
    return sizes


def _pruned(chain: Chain) -> Chain:
    """The chain with no more generators than its orbits need."""
    kept: list[Permutation] = []
    levels: list[Level] = []
    for old in reversed(chain.levels):
        level = Level(old.point, chain.n)
        for g in kept:
            level.add(g)
        for g in old.generators:
            if len(level.transversal) == len(old.transversal):
                break
            if any(g[point] not in level.transversal for point in level.transversal):
                level.add(g)
                kept.append(g)
        levels.append(level)
    return Chain(chain.n, levels[::-1])


def _missing(chain: Chain) -> Permutation | None:
    """A Schreier generator that is not in the chain, from the bottom; None where the chain is whole."""
    for at in reversed(range(len(chain.levels))):
        level = chain.levels[at]
        below = Chain(chain.n, chain.levels[at + 1 :])
        for g in level.generators:
            for point, to in level.transversal.items():
                schreier = product(level.back[g[point]], product(g, to))
                rest, _ = below.sift(schreier)
                if any(i != j for i, j in enumerate(rest)):
                    return schreier
    return None


def with_base(chain: Chain, point: int) -> Chain:
    """The same group with a base that starts at a point: random elements, until the order is that of the group."""
    if chain.levels and chain.levels[0].point == point:
        return chain
    found = Chain(chain.n, [Level(point, chain.n)])
    source, order = Random(1), chain.order
    for level in chain.levels:
        for g in level.generators:
            found.insert(g)
    while found.order < order:
        found.insert(chain.random(source))
    return _pruned(found)


class Stabiliser:
    """The elements that fix some points, as far as tuples need them: orbits, their least points, how to get there."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.n = chain.n
        self.trivial = not any(len(level.transversal) > 1 for level in chain.levels)
        self._children: dict[int, Stabiliser] = {}
        self._home: list[tuple[int, Permutation | None]] | None = None
        self.generators = tuple(dict.fromkeys(g for level in chain.levels for g in level.generators))

    @property
    def order(self) -> int:
        """How many elements there are."""
        return self.chain.order

    @property
    def home(self) -> list[tuple[int, Permutation | None]]:
        """For every point the least one of its orbit, and an element that carries it there (None: it is there)."""
        if self._home is None:
            found: list[tuple[int, Permutation | None] | None] = [None] * self.n
            backward = [inverse(g) for g in self.generators]
            for start in range(self.n):
                if found[start] is not None:
                    continue
                found[start] = (start, None)
                pending = [start]
                while pending:
                    point = pending.pop()
                    here = found[point]
                    assert here is not None
                    for g, back in zip(self.generators, backward, strict=True):
                        if found[g[point]] is None:
                            found[g[point]] = (start, back if here[1] is None else product(here[1], back))
                            pending.append(g[point])
            self._home = [entry for entry in found if entry is not None]
        return self._home

    @property
    def least(self) -> tuple[int, ...]:
        """The least point of every orbit, ascending."""
        if self.trivial:
            return tuple(range(self.n))
        return tuple(point for point, (least, _) in enumerate(self.home) if point == least)

    def fixing(self, point: int) -> Stabiliser:
        """The elements that fix one point more."""
        if self.trivial:
            return self
        if point not in self._children:
            if all(g[point] == point for g in self.generators):
                self._children[point] = self
            else:
                self._children[point] = Stabiliser(Chain(self.n, with_base(self.chain, point).levels[1:]))
        return self._children[point]

    def fixing_all(self, points: Point) -> Stabiliser:
        """The elements that fix every point of a tuple."""
        found = self
        for point in points:
            found = found.fixing(point)
        return found

    def canonical(self, points: Point) -> tuple[Point, Permutation | None]:
        """The least tuple of the orbit, and an element that carries the tuple there (None: it is there)."""
        carried: Permutation | None = None
        group, result = self, list(points)
        for at, point in enumerate(points):
            if group.trivial:
                break
            here = point if carried is None else carried[point]
            least, g = group.home[here]
            if g is not None:
                carried = g if carried is None else product(g, carried)
            result[at] = least
            group = group.fixing(least)
        if carried is None:
            return points, None
        return tuple([carried[point] for point in points]), carried

    def tuples(self, m: int) -> Iterator[Point]:
        """The least tuple of every orbit on m-tuples, lexicographically."""
        if m == 0:
            yield ()
            return
        for point in self.least:
            for rest in self.fixing(point).tuples(m - 1):
                yield (point, *rest)

    def orbit(self, points: Point) -> list[Point]:
        """Every tuple of an orbit, the given one first."""
        seen = {points: None}
        pending = [points]
        while pending:
            one = pending.pop()
            for g in self.generators:
                moved = tuple([g[point] for point in one])
                if moved not in seen:
                    seen[moved] = None
                    pending.append(moved)
        return list(seen)
