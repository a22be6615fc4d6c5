"""SO(n): matchings, and matchings with n free vertices, the legs of a Levi-Civita tensor (Lehrer-Zhang, 1612.03998).

The second kind denotes ``H = eps(free vertices in vertex order) * product of deltas over pairs``, vertex order being
outputs left to right, then inputs left to right.  Two epsilons that meet multiply out, so that a composite is a sum.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations, permutations
from math import comb, factorial
from typing import TYPE_CHECKING, Any

from catnn.category.counting import even_shapes, matchings, tableaux
from catnn.category.family import Blocks, HalfPart, Part, Weighted, juxtaposed
from catnn.category.matchings import Orthogonal, longest_increasing, partial_matchings
from catnn.category.partitions import equality_tensor
from catnn.category.scalar import Scalar, Size

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray


def sign(order: Sequence[Any]) -> int:
    """The sign of the permutation that sorts different numbers, or whatever else has an order.

    >>> sign((0, 1, 2)), sign((5, 2)), sign((2, 0, 1))
    (1, -1, 1)
    """
    inversions = sum(1 for i, a in enumerate(order) for b in order[i + 1 :] if a > b)
    return -1 if inversions % 2 else 1


def free(part: Part) -> tuple[int, ...]:
    """The vertices in no pair, ascending."""
    return tuple(block[0] for block in part.blocks if len(block) == 1)


class SpecialOrthogonal(Orthogonal):
    """SO(n) on R^n by rotations.

    >>> SO = SpecialOrthogonal()
    >>> [SO.dim(0, m, 3) for m in range(11)]
    [1, 0, 1, 1, 3, 6, 15, 36, 91, 232, 603]
    """

    key = "SO"
    title = "the special orthogonal group"
    epsilon = "free"
    restricted = True
    baselines = False
    generators = Orthogonal.generators | {"eps"}
    law = "a letter of SO(n) stands exactly twice, or exactly n letters stand once: the legs of a Levi-Civita tensor"

    def size_fault(self, size: int) -> str | None:
        return None if size >= 1 else "a space to rotate has at least one dimension"

    def block_fault(self, ports: int) -> str | None:
        return None if ports in (1, 2) else f"has {ports} ports, not 2 (or 1, a leg of the Levi-Civita tensor)"

    def part_fault(self, part: Part, size: Size) -> str | None:
        legs = len(free(part))
        if legs in (0, size):
            return None
        return f"{legs} letter{'s' if legs != 1 else ''} stand{'' if legs != 1 else 's'} once, not none or {size}"

    def halves(self, m: int, size: Size, most: int) -> Iterator[HalfPart]:
        """A vertex alone that does not go through is a leg; n - (number of legs) axes of its epsilon do."""
        vertices = tuple(range(m))
        for blocks in partial_matchings(vertices, most):
            yield blocks, tuple(len(block) == 1 for block in blocks)
        if isinstance(size, str):
            return
        for count in range(max(1, (size + 1) // 2, size - most), min(m, size) + 1):
            for legs in combinations(vertices, count):
                rest = tuple(v for v in vertices if v not in legs)
                for blocks in partial_matchings(rest, most - (size - count)):
                    mixed = sorted((*blocks, *((leg,) for leg in legs)))
                    yield tuple(mixed), tuple(len(block) == 1 and block[0] not in legs for block in mixed)

    def count_at(self, k: int, l: int, size: Size) -> int:
        m = k + l
        if isinstance(size, str) or m < size:
            return matchings(m)
        return matchings(m) + comb(m, size) * matchings(m - size)

    def dim(self, k: int, l: int, size: Size) -> int:
        """Schur-Weyl: S_lambda(R^n) has an invariant iff every row of lambda is even, or every one of n rows odd."""
        m = k + l
        whole = super().dim(k, l, size)
        if isinstance(size, str) or m < size or (m - size) % 2:
            return whole
        if m - size == 0:
            return whole + 1
        shapes = even_shapes(m - size, size, m - size)
        return whole + sum(tableaux(tuple(row + 1 for row in (*s, *(0,) * (size - len(s))))) for s in shapes)

    def in_basis(self, part: Part, size: int) -> bool:
        partner = list(range(part.l + part.k))
        for block in part.blocks:
            partner[block[0]], partner[block[-1]] = block[-1], block[0]
        return longest_increasing(tuple(partner)) <= size

    def compose(self, upper: Part, lower: Part, size: Size) -> tuple[tuple[Scalar, Part], ...]:
        """Legs slide along paths to the outer vertices; where both sides have an epsilon, the two multiply out."""
        l, m, k = upper.l, upper.k, lower.k
        paths = _Paths(upper, lower)
        ends = [[paths.follow(leg, 0) for leg in free(upper)], [paths.follow(leg, 1) for leg in free(lower)]]
        pairs: list[tuple[int, ...]] = []
        for vertex in (*range(l), *range(l + m, l + m + k)):
            other = paths.across(vertex)
            if other is not None and vertex < other:
                pairs.append((vertex, other))
        factor = Scalar.size(size, paths.loops())

        def outer(vertex: int) -> int:
            return vertex if vertex < l else vertex - m

        rest = [(outer(a), outer(b)) for a, b in pairs]
        for side in (0, 1):
            if any(end.side == side for end in ends[side]):
                return ()  # a path between two legs of one epsilon
        if not ends[0] or not ends[1]:
            landed = [outer(end.vertex) for end in ends[0] or ends[1]]
            blocks = tuple(sorted((*rest, *((v,) for v in landed))))
            return ((factor if sign(landed) == 1 else -factor, Part(l, k, blocks)),)
        joined = [i for i, end in enumerate(ends[0]) if end.side == 1]
        met = [free(lower).index(ends[0][i].vertex - l) for i in joined]
        legs = [[i for i, end in enumerate(e) if end.side is None] for e in ends]
        orders = sign((*legs[0], *joined)) * sign((*legs[1], *met))
        factor = factor * Scalar.of(factorial(len(joined)) * orders)
        tops, bottoms = ([outer(ends[e][i].vertex) for i in legs[e]] for e in (0, 1))
        found = []
        for q in permutations(range(len(tops))):
            crossed = [tuple(sorted((top, bottoms[j]))) for top, j in zip(tops, q, strict=True)]
            part = Part(l, k, tuple(sorted((*rest, *crossed))))
            found.append((factor if sign(q) == 1 else -factor, part))
        return tuple(found)

    def beside(self, left: Part, right: Part, size: Size) -> Weighted:
        """Two epsilons multiply out as if one stood above the other."""
        if not free(left) or not free(right):
            return super().beside(left, right, size)
        upper = juxtaposed(left, Part(right.l, right.l, tuple((v, v + right.l) for v in range(right.l))))
        lower = juxtaposed(Part(left.k, left.k, tuple((v, v + left.k) for v in range(left.k))), right)
        return self.compose(upper, lower, size)

    def expansion(self, epsilons: int, blocks: int, outer: int, size: int) -> int:
        found: int = factorial(min(size, outer // 2)) ** (epsilons // 2)
        return found

    def emptiness(self, k: int, l: int, size: Size, wire: str) -> str:
        return f"{k + l} port{'s' if k + l != 1 else ''} cannot be paired, nor all but {size} of them"

    def reversal(self, part: Part) -> int:
        legs = free(part)
        above = sum(1 for leg in legs if leg < part.l)
        return -1 if above * (len(legs) - above) % 2 else 1

    def inner(self, left: Part, right: Part, size: Size) -> Scalar:
        m = left.l + left.k
        found = self.compose(Part(0, m, left.blocks), Part(m, 0, right.blocks), size)
        return found[0][0] if found else Scalar(())

    def norm2(self, part: Part, size: Size) -> Scalar:
        legs = len(free(part))
        return Scalar.of(factorial(legs)) * Scalar.size(size, len(part.blocks) - legs)

    def tensor(self, part: Part, size: int) -> NDArray[numpy.int64]:
        legs = free(part)
        if not legs:
            return equality_tensor(part, size)
        import numpy

        order = list(legs)
        result = levi_civita(size)
        for block in part.blocks:
            if len(block) == 2:
                result = numpy.multiply.outer(result, numpy.eye(size, dtype=numpy.int64))
                order.extend(block)
        return numpy.transpose(result, numpy.argsort(order))

    def random_element(self, size: int, seed: int) -> NDArray[numpy.float64]:
        import numpy

        g = super().random_element(size, seed)
        if numpy.linalg.det(g) < 0:
            g[0] = -g[0]
        return g


@cache
def levi_civita(size: int) -> NDArray[numpy.int64]:
    """The Levi-Civita tensor as an array with `size` axes; eps_{0,1,...} = 1."""
    import numpy

    result = numpy.zeros((size,) * size, dtype=numpy.int64)
    for order in permutations(range(size)):
        result[order] = sign(order)
    result.flags.writeable = False
    return result


class _End:
    """Where a leg's path ends: at an outer vertex (side None), or at a leg of the upper (0) or lower (1) diagram."""

    __slots__ = ("side", "vertex")

    def __init__(self, vertex: int, side: int | None) -> None:
        self.vertex = vertex
        self.side = side


class _Paths:
    """Two diagrams stacked: vertices are the outputs, the middle row, the inputs, numbered through."""

    def __init__(self, upper: Part, lower: Part) -> None:
        self.l, self.m = upper.l, upper.k
        self.partner = [_partners(upper.blocks, 0), _partners(lower.blocks, upper.l)]
        self.shift = (0, upper.l)
        self.seen: set[int] = set()

    def follow(self, leg: int, side: int) -> _End:
        """The end of the path of a leg of one of the two diagrams."""
        return self._walk(leg + self.shift[side], 1 - side)

    def across(self, vertex: int) -> int | None:
        """The outer vertex that a path joins to an outer one; None where it ends at a leg, or is one itself."""
        side = 0 if vertex < self.l else 1
        other = self.partner[side].get(vertex)
        if other is None:
            return None
        end = self._walk(other, 1 - side)
        return end.vertex if end.side is None else None

    def _walk(self, vertex: int, side: int) -> _End:
        """From a vertex on, next along the blocks of a side."""
        while self.l <= vertex < self.l + self.m:
            self.seen.add(vertex)
            following = self.partner[side].get(vertex)
            if following is None:
                return _End(vertex, side)
            vertex, side = following, 1 - side
        return _End(vertex, None)

    def loops(self) -> int:
        """How many closed curves the vertices make that no path has come by."""
        found = 0
        for start in range(self.l, self.l + self.m):
            if start in self.seen:
                continue
            found += 1
            vertex, side = start, 0
            while vertex not in self.seen:
                self.seen.add(vertex)
                middle = self.partner[side][vertex]
                self.seen.add(middle)
                vertex, side = self.partner[1 - side][middle], side
        return found


def _partners(blocks: Blocks, shift: int) -> dict[int, int]:
    pairs = [block for block in blocks if len(block) == 2]
    return {v + shift: w + shift for a, b in pairs for v, w in ((a, b), (b, a))}
