"""S(n): set partitions (Pearce-Crump, arXiv 2212.08648, Theorem 5.4; Godfrey et al., arXiv 2303.06208)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import comb, factorial
from typing import TYPE_CHECKING

from catnn.category.counting import bell, stirling_start
from catnn.category.family import Family, HalfPart, Part, join
from catnn.category.scalar import Scalar, Size

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray


def growth_strings(m: int, most: int) -> Iterator[tuple[int, ...]]:
    """Partitions of 0..m-1 into at most `most` blocks as restricted growth strings, lexicographically.

    >>> list(growth_strings(3, 2))
    [(0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1)]
    """
    if m == 0:
        yield ()
        return
    string, tops = [0] * m, [0] * m
    while True:
        yield tuple(string)
        at = m - 1
        while at > 0 and string[at] >= min(tops[at - 1] + 1, most - 1):
            at -= 1
        if at == 0:
            return
        string[at] += 1
        tops[at] = max(tops[at - 1], string[at])
        for later in range(at + 1, m):
            string[later], tops[later] = 0, tops[at]


CAP = 150
"""Words longer than this are counted as if they had this many wires: the count is then a lower bound."""


class Symmetric(Family):
    """S(n) on R^n by permutation matrices; diagrams are all set partitions, D[I,J] = 1 iff blocks agree."""

    key = "S"
    title = "the symmetric group"
    generators = frozenset({"id", "swap", "perm", "merge", "copy", "unit", "discard", "spider", "ev", "coev"})
    closing = "sum"
    merging = True
    baselines = True
    law = "a permuted wire may be copied, merged, summed and broadcast: every set partition is a diagram"

    def size_fault(self, size: int) -> str | None:
        return None if size >= 1 else "a set to permute has at least one element"

    def block_fault(self, ports: int) -> str | None:
        return None

    def compose(self, upper: Part, lower: Part, size: Size) -> tuple[tuple[Scalar, Part], ...]:
        part, loops = join(upper, lower)
        return ((Scalar.size(size, loops), part),)

    def halves(self, m: int, size: Size, most: int) -> Iterator[HalfPart]:
        for string in growth_strings(m, size if isinstance(size, int) else max(m, 1)):
            count = max(string, default=-1) + 1
            blocks = tuple(tuple(v for v in range(m) if string[v] == b) for b in range(count))
            for flags in product((True, False), repeat=count):
                if sum(flags) <= most:
                    yield blocks, flags

    def count(self, k: int, l: int) -> int:
        return bell(k + l)

    def effort(self, k: int, l: int, size: Size) -> tuple[int, bool]:
        """At a literal size halves have few blocks; longer words than can be counted at once are cut."""
        shorter = (min(k, CAP), min(l, CAP))
        if isinstance(size, int) and size < k + l:
            return few_blocks(*shorter, size), size == 1 or shorter == (k, l)
        return (self.count(CAP, CAP), False) if k + l > 2 * CAP else (self.count(k, l), True)

    def dim(self, k: int, l: int, size: Size) -> int:
        return bell(k + l) if isinstance(size, str) else sum(stirling_start(k + l, min(k + l, size)))

    def in_basis(self, part: Part, size: int) -> bool:
        return len(part.blocks) <= size

    def basis_rule(self, size: int) -> str:
        return f"with at most {size} block{'s' if size != 1 else ''}"

    def inner(self, left: Part, right: Part, size: Size) -> Scalar:
        return Scalar.size(size, join(_flat(left, up=True), _flat(right, up=False))[1])

    def tensor(self, part: Part, size: int) -> NDArray[numpy.int64]:
        return equality_tensor(part, size)

    def commutes_with(self, kind: str, order: int) -> bool:
        return True

    def random_element(self, size: int, seed: int) -> NDArray[numpy.float64]:
        import numpy

        return numpy.eye(size)[numpy.random.default_rng(seed).permutation(size)]


def few_blocks(k: int, l: int, most: int) -> int:
    """Partitions whose two rows have at most so many blocks each: what a literal S(n) lists before it chooses."""
    rows = [stirling_start(m, min(m, most)) for m in (k, l)]
    found = 0
    for p in range(min(k, l, most) + 1):
        ins, outs = (sum(row[j] * comb(j, p) for j in range(p, len(row))) for row in rows)
        found += ins * outs * factorial(p)
    return found


def equality_tensor(part: Part, size: int) -> NDArray[numpy.int64]:
    """1 where the indices in every block agree, 0 elsewhere: an array with an axis a vertex."""
    import numpy

    block_of = {v: b for b, block in enumerate(part.blocks) for v in block}
    axes = numpy.ogrid[tuple(slice(size) for _ in part.blocks)] if part.blocks else []
    result = numpy.zeros((size,) * (part.l + part.k), dtype=numpy.int64)
    result[tuple(axes[block_of[v]] for v in range(part.l + part.k))] = 1
    return result


def _flat(part: Part, *, up: bool) -> Part:
    """All vertices moved to one row, in vertex order."""
    m = part.l + part.k
    return Part(0, m, part.blocks) if up else Part(m, 0, part.blocks)
