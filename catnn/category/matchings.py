"""O(n): perfect matchings, the Brauer category (Brauer 1937; Pearce-Crump, arXiv 2212.08630, Theorem 6.5)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from math import comb
from typing import TYPE_CHECKING, ClassVar, Literal

from catnn.category.counting import MOST_PORTS, even_shapes, matchings, number, tableaux
from catnn.category.family import Blocks, Family, HalfPart, Part, join
from catnn.category.partitions import _flat, equality_tensor
from catnn.category.scalar import Scalar, Size
from catnn.category.wires import LETTERS

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray


FAMOUS = {
    (3, 2, 1): ", the cross product",
    (3, 1, 2): ", the cross product upside down",
    (3, 3, 0): ", the triple product",
    (3, 0, 3): ", the triple product upside down",
}
"""The epsilons of SO(3) that have names, by (n, k, l)."""


def partial_matchings(vertices: tuple[int, ...], single: int) -> Iterator[Blocks]:
    """Every way to pair vertices, at most `single` of them staying single; blocks sorted by least vertex.

    >>> list(partial_matchings((0, 1), 2))
    [((0, 1),), ((0,), (1,))]
    """
    if not vertices:
        yield ()
        return
    first, rest = vertices[0], vertices[1:]
    for at, other in enumerate(rest):
        for blocks in partial_matchings(rest[:at] + rest[at + 1 :], single):
            yield ((first, other), *blocks)
    if single:
        for blocks in partial_matchings(rest, single - 1):
            yield ((first,), *blocks)


def longest_increasing(sequence: tuple[int, ...]) -> int:
    """The length of the longest increasing subsequence, by patience sorting.

    >>> longest_increasing((2, 3, 0, 1))
    2
    """
    piles: list[int] = []
    for value in sequence:
        at = bisect_left(piles, value)
        piles[at : at + 1] = [value]
    return len(piles)


class Matchings(Family):
    """What O(n) and Sp(n) share: every block is a pair."""

    generators = frozenset({"id", "swap", "perm", "ev", "coev"})

    def block_fault(self, ports: int) -> str | None:
        return None if ports == 2 else f"has {ports} port{'s' if ports != 1 else ''}, a matching pairs exactly 2"

    def halves(self, m: int, size: Size, most: int) -> Iterator[HalfPart]:
        for blocks in partial_matchings(tuple(range(m)), most):
            yield blocks, tuple(len(block) == 1 for block in blocks)

    def count(self, k: int, l: int) -> int:
        return matchings(k + l)

    def commutes_with(self, kind: str, order: int) -> bool:
        return order == 0 or kind == "linear"


class Orthogonal(Matchings):
    """O(n) on R^n by orthogonal matrices; E[I,J] = product of deltas over pairs, a closed loop is n."""

    key = "O"
    title = "the orthogonal group"
    closing: ClassVar[Literal["sum", "trace", "form", "metric"]] = "trace"
    baselines = True
    moves = "rotations"
    law = "a wire of O(n) is bent and crossed, never copied: a matching pairs exactly 2 ports"

    def size_fault(self, size: int) -> str | None:
        return None if size >= 1 else "a space to rotate has at least one dimension"

    def compose(self, upper: Part, lower: Part, size: Size) -> tuple[tuple[Scalar, Part], ...]:
        part, loops = join(upper, lower)
        return ((Scalar.size(size, loops), part),)

    def dim(self, k: int, l: int, size: Size) -> int:
        """Schur-Weyl: invariants of O(n) in S_lambda(R^n) are one-dimensional iff every row of lambda is even."""
        m = k + l
        if isinstance(size, str) or 2 * size >= m or m % 2:
            return matchings(m)
        return sum(tableaux(shape) for shape in even_shapes(m, size, m))

    def is_hard(self, k: int, l: int, size: Size) -> bool:
        return isinstance(size, int) and k + l > MOST_PORTS and 2 * size < k + l and (k + l) % 2 == 0

    def emptiness(self, k: int, l: int, size: Size, wire: str) -> str:
        """An odd number of ports can be paired but for the legs of a Levi-Civita tensor, which SO(n) has."""
        why, m = super().emptiness(k, l, size, wire), k + l
        if not isinstance(size, int) or m < size or (m - size) % 2:
            return why
        found = comb(m, size) * matchings(m - size)
        if found != 1:
            return f"{why}; SO({size}) has {number(found)}, with a Levi-Civita tensor"
        if m > len(LETTERS):
            return f"{why}; SO({size}) has one, the Levi-Civita tensor"
        pattern = " ".join((*LETTERS[:k], "->", *LETTERS[k:m]))
        return f"{why}; SO({size}) has one, `[{pattern}]`{FAMOUS.get((size, k, l), '')}"

    def in_basis(self, part: Part, size: int) -> bool:
        partner = [0] * (part.l + part.k)
        for a, b in part.blocks:
            partner[a], partner[b] = b, a
        return longest_increasing(tuple(partner)) <= size

    def basis_rule(self, size: int) -> str:
        return f"whose involution has no increasing subsequence longer than {size}"

    def inner(self, left: Part, right: Part, size: Size) -> Scalar:
        return Scalar.size(size, join(_flat(left, up=True), _flat(right, up=False))[1])

    def tensor(self, part: Part, size: int) -> NDArray[numpy.int64]:
        return equality_tensor(part, size)

    def random_element(self, size: int, seed: int) -> NDArray[numpy.float64]:
        import numpy

        q, r = numpy.linalg.qr(numpy.random.default_rng(seed).normal(size=(size, size)))
        return q * numpy.sign(numpy.diag(r))
