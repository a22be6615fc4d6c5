"""Perm(n, ...): a permutation group given by generators; its diagrams are the orbits of the group on tuples of points.

Hom(V^k, V^l) has the 0/1 matrices of the orbits on [n]^(l+k) as a basis, outputs first (Wielandt 1969; Pearce-Crump,
arXiv 2307.07810, section 3).  An orbit is told by its least tuple, and the orbits come in the order of these.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING

from catnn.category.counting import stirling_row
from catnn.category.family import Blocks, Family, HalfPart, Part, Weighted
from catnn.category.orbit_counts import OutOfReachError, injective_row
from catnn.category.partitions import Symmetric
from catnn.category.permutations import Permutation, Point, Stabiliser, inverse, schreier_sims, to_cycles
from catnn.category.scalar import ONE, Scalar, Size
from catnn.diagnostics import fail

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

MOST_POINTS = 300
"""How many points a group may move: Schreier-Sims takes time of the order n^4 on the largest ones."""
MOST_STEPS = 20_000
"""How many stabilisers a count of orbits may look at, a long chain counting for more."""
MOST_PAIRS = 5_000_000
"""How many pairs of tuples a composite, or a tensor product, may look at."""


def equal_points(points: Sequence[int]) -> Blocks:
    """The vertices that hold one point together, as sorted blocks.

    >>> equal_points((3, 1, 3))
    ((0, 2), (1,))
    """
    found: dict[int, list[int]] = {}
    for vertex, point in enumerate(points):
        found.setdefault(point, []).append(vertex)
    return tuple(tuple(block) for block in found.values())


def orbit_part(l: int, points: Point) -> Part:
    """The diagram of the orbit of a least tuple: l outputs, then inputs."""
    return Part(l, len(points) - l, equal_points(points), points=points)


class Permuted(Family):
    """A group of permutations of n points, on R^n.

    >>> C4 = Permuted(4, ((1, 2, 3, 0),))
    >>> C4.key, C4.order, [C4.dim(0, m, 4) for m in range(4)]
    ('Perm(4, (0 1 2 3))', 4, [1, 1, 4, 16])
    >>> [part.points for part in C4.orbits(1, 1)]
    [(0, 0), (0, 1), (0, 2), (0, 3)]
    """

    key = "Perm"
    title = "a permutation group"
    generators = Symmetric.generators
    orbital = True
    closing = "sum"
    law = "the diagrams of a permutation group are its orbits on tuples of points; a partition is a sum of them"

    def __init__(self, n: int, moves: Sequence[Permutation]) -> None:
        self.n = n
        still = tuple(range(n))
        self.generated = tuple(g for g in dict.fromkeys(moves) if g != still)
        self.key = self._spelling()  # type: ignore[misc]

    def _spelling(self) -> str:
        cycles = ["".join(f"({' '.join(map(str, c))})" for c in to_cycles(g)) for g in self.generated]
        return f"Perm({', '.join([str(self.n), *cycles])})"

    @cached_property
    def group(self) -> Stabiliser:
        """The group itself."""
        return Stabiliser(schreier_sims(self.n, self.generated))

    @property
    def order(self) -> int:
        """How many elements it has."""
        return self.group.order

    def size_fault(self, size: int) -> str | None:
        return None if size == self.n else f"this group moves {self.n} points"

    def block_fault(self, ports: int) -> str | None:
        return None

    def halves(self, m: int, size: Size, most: int) -> Iterator[HalfPart]:
        """None: an orbit is no composite of halves; plans make channels of these wires (`catnn.plan.folding`)."""
        return iter(())

    # ----------------------------------------------------------------------------------------------------- counting

    def _count(self, m: int) -> tuple[int, bool]:
        """How many orbits there are, and whether that is exact; else there are at least so many."""
        try:
            counts = injective_row(self.group, min(m, self.n), [MOST_STEPS])
        except OutOfReachError:
            return -(-(self.n**m) // self.order), False
        return sum(ways * count for ways, count in zip(stirling_row(m), counts, strict=False)), True

    def count(self, k: int, l: int) -> int:
        return self._count(k + l)[0]

    def dim(self, k: int, l: int, size: Size) -> int:
        """How many orbits there are on tuples: on those of t different points, times the partitions into t blocks."""
        return self._count(k + l)[0]

    def is_hard(self, k: int, l: int, size: Size) -> bool:
        return not self._count(k + l)[1]

    def effort(self, k: int, l: int, size: Size) -> tuple[int, bool]:
        return self._count(k + l)

    def in_basis(self, part: Part, size: int) -> bool:
        return True

    def basis_rule(self, size: int) -> str:
        return "orbits"

    # -------------------------------------------------------------------------------------------------------- orbits

    def orbits(self, k: int, l: int) -> Iterator[Part]:
        """All diagrams, in their order."""
        return (orbit_part(l, points) for points in self.group.tuples(k + l))

    def canonical(self, l: int, points: Point) -> Part:
        """The diagram of the orbit that a tuple lies in."""
        return orbit_part(l, self.group.canonical(points)[0])

    def spread(self, part: Part) -> tuple[Part, ...]:
        """The orbits whose sum a partition is: those whose tuples are constant on every block."""
        m = part.l + part.k
        block_of = {v: b for b, block in enumerate(part.blocks) for v in block}
        found, exact = self._count(len(part.blocks))
        if not exact or found > MOST_PAIRS // 10:
            raise fail("E0405", f"a partition here is the sum of more than {found:,} orbits")
        tuples = self.group.tuples(len(part.blocks))
        return tuple(orbit_part(part.l, tuple([at[block_of[v]] for v in range(m)])) for at in tuples)

    def size_of(self, points: Point) -> int:
        """How many tuples are in the orbit of a least tuple."""
        return self.order // self.group.fixing_all(points).order

    def compose(self, upper: Part, lower: Part, size: Size) -> Weighted:
        """The structure constants: how many middles J lead from I to K, I the least of its orbit."""
        l, m = upper.l, upper.k
        outer, middle = upper.points[:l], upper.points[l:]
        joint, inner = lower.points[:m], lower.points[m:]
        if self.group.canonical(middle)[0] != joint:
            return ()
        above, below = self.group.fixing_all(outer), self.group.fixing_all(joint)
        self._affordable(_size(above, middle) * _size(below, inner))
        counts: Counter[Point] = Counter()
        ends = below.orbit(inner)
        for at in above.orbit(middle):
            carried = self.group.canonical(at)[1]
            back = None if carried is None else inverse(carried)
            counts.update(ends if back is None else [tuple([back[p] for p in end]) for end in ends])
        found = {outer + above.canonical(end)[0]: count for end, count in counts.items()}
        return tuple((Scalar.of(count), orbit_part(l, points)) for points, count in sorted(found.items()))

    def beside(self, left: Part, right: Part, size: Size) -> Weighted:
        """The tensor product: the orbits on pairs of a tuple of one and a tuple of the other."""
        one, other = self.size_of(left.points), self.size_of(right.points)
        self._affordable(min(one, other))
        fixed, moved = (left, right) if one >= other else (right, left)
        stabiliser = self.group.fixing_all(fixed.points)
        found = set()
        for points in {stabiliser.canonical(points)[0] for points in self.group.orbit(moved.points)}:
            a, b = (fixed.points, points) if fixed is left else (points, fixed.points)
            joined = (*a[: left.l], *b[: right.l], *a[left.l :], *b[right.l :])
            found.add(self.group.canonical(joined)[0])
        return tuple((ONE, orbit_part(left.l + right.l, points)) for points in sorted(found))

    def _affordable(self, pairs: int) -> None:
        if pairs > MOST_PAIRS:
            raise fail("E0405", f"a product of two orbits here looks at {pairs:,} pairs of tuples",
                       notes=(f"the limit is {MOST_PAIRS:,}",))  # fmt: skip

    # ---------------------------------------------------------------------------------------------------- numbers

    def inner(self, left: Part, right: Part, size: Size) -> Scalar:
        return self.norm2(left, size) if left.points == right.points else Scalar(())

    def norm2(self, part: Part, size: Size) -> Scalar:
        return Scalar.of(self.size_of(part.points))

    def valency(self, part: Part) -> int:
        """How many inputs meet each output that has any: what a mean over them divides by."""
        return _size(self.group.fixing_all(part.points[: part.l]), part.points[part.l :])

    def tensor(self, part: Part, size: int) -> NDArray[numpy.int64]:
        import numpy

        result = numpy.zeros((size,) * (part.l + part.k), dtype=numpy.int64)
        result[tuple(numpy.array(self.group.orbit(part.points), dtype=numpy.int64).reshape(-1, result.ndim).T)] = 1
        return result

    def commutes_with(self, kind: str, order: int) -> bool:
        return True

    def random_element(self, size: int, seed: int) -> NDArray[numpy.float64]:
        import numpy

        result = numpy.zeros((size, size))
        result[list(self.group.chain.random(Random(seed))), range(size)] = 1
        return result


def _size(group: Stabiliser, points: Point) -> int:
    return group.order // group.fixing_all(group.canonical(points)[0]).order
