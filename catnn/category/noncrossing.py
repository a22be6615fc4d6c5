"""S+(n) and O+(n), the free quantum groups: noncrossing partitions and matchings (Banica, Speicher 2009; 2311.06358).

Their diagrams are among those of S(n) and O(n), with the same matrices; so they compose, plan and prove as those do.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import comb

from catnn.category.family import Blocks, Family, HalfPart, Part
from catnn.category.matchings import Orthogonal
from catnn.category.partitions import Symmetric
from catnn.category.scalar import Size


def catalan(m: int) -> int:
    """The Catalan numbers: noncrossing partitions of m things, noncrossing matchings of 2m.

    >>> [catalan(m) for m in range(6)]
    [1, 1, 2, 5, 14, 42]
    """
    return comb(2 * m, m) // (m + 1)


def crosses(part: Part) -> bool:
    """Whether two blocks cross, on the circle of outputs left to right, then inputs right to left.

    >>> crosses(Part(2, 2, ((0, 3), (1, 2)))), crosses(Part(2, 2, ((0, 2), (1, 3))))
    (True, False)
    """
    l, m = part.l, part.l + part.k
    label = [0] * m
    for number, block in enumerate(part.blocks):
        for v in block:
            label[v if v < l else l + m - 1 - v] = number
    left = [len(block) for block in part.blocks]
    open_: list[int] = []
    for number in label:
        if not open_ or open_[-1] != number:
            if left[number] < len(part.blocks[number]):
                return True
            open_.append(number)
        left[number] -= 1
        while open_ and left[open_[-1]] == 0:
            open_.pop()
    return False


def crosses_half(blocks: Blocks, flags: tuple[bool, ...], m: int) -> bool:
    """Whether two blocks of a half cross, those that go through drawn to the other side in order.

    >>> crosses_half(((0, 2), (1,)), (False, True), 3), crosses_half(((0, 2), (1,)), (True, False), 3)
    (True, False)
    """
    ports = iter(range(m))
    wide = [(next(ports), *(v + sum(flags) for v in b)) if f else tuple(v + sum(flags) for v in b)
            for b, f in zip(blocks, flags, strict=True)]  # fmt: skip
    return crosses(Part(sum(flags), m, tuple(wide)))


class FreeSymmetric(Symmetric):
    """S+(n) on R^n: noncrossing partitions.  For n <= 3 it is S(n), with all of that group's diagrams.

    >>> S = FreeSymmetric()
    >>> [S.dim(2, m, 5) for m in range(4)], S.dim(2, 3, 3)
    ([2, 5, 14, 42], 41)
    """

    key = "S+"
    title = "the quantum permutation group"
    ambient = "S"
    restricted = True
    generators = frozenset({"id", "merge", "copy", "unit", "discard", "spider", "ev", "coev"})
    merging = False
    baselines = False
    moves = "quantum permutations"
    effort = Family.effort
    law = "wires of S+(n) do not cross: a diagram is a noncrossing partition"

    def part_fault(self, part: Part, size: Size) -> str | None:
        return "two of its blocks cross" if self.planar(size) and crosses(part) else None

    def planar(self, size: Size) -> bool:
        return isinstance(size, str) or size > 3

    def halves(self, m: int, size: Size, most: int) -> Iterator[HalfPart]:
        found = super().halves(m, "n" if self.planar(size) else size, most)
        return (half for half in found if not crosses_half(*half, m)) if self.planar(size) else found

    def count(self, k: int, l: int) -> int:
        return catalan(k + l)

    def dim(self, k: int, l: int, size: Size) -> int:
        return catalan(k + l) if self.planar(size) else super().dim(k, l, size)

    def in_basis(self, part: Part, size: int) -> bool:
        return True if self.planar(size) else super().in_basis(part, size)

    def commutes_with(self, kind: str, order: int) -> bool:
        return order <= 1 or kind == "linear"


class FreeOrthogonal(Orthogonal):
    """O+(n) on R^n: noncrossing matchings.  O+(1) is O(1).

    >>> O = FreeOrthogonal()
    >>> [O.dim(2, m, 2) for m in range(5)]
    [1, 0, 2, 0, 5]
    """

    key = "O+"
    title = "the free orthogonal quantum group"
    ambient = "O"
    restricted = True
    generators = frozenset({"id", "ev", "coev"})
    baselines = False
    emptiness = Family.emptiness
    law = "wires of O+(n) are bent, they do not cross: a diagram is a noncrossing matching"

    def part_fault(self, part: Part, size: Size) -> str | None:
        return "two of its pairs cross" if self.planar(size) and crosses(part) else None

    def planar(self, size: Size) -> bool:
        return size != 1

    def halves(self, m: int, size: Size, most: int) -> Iterator[HalfPart]:
        found = super().halves(m, size, most)
        return (half for half in found if not crosses_half(*half, m)) if self.planar(size) else found

    def count(self, k: int, l: int) -> int:
        return 0 if (k + l) % 2 else catalan((k + l) // 2)

    def dim(self, k: int, l: int, size: Size) -> int:
        return self.count(k, l) if self.planar(size) else super().dim(k, l, size)

    def in_basis(self, part: Part, size: int) -> bool:
        return True if self.planar(size) else super().in_basis(part, size)
