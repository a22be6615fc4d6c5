"""B(n), the orthogonal maps that fix (1, ..., 1), and B'(n) = B(n) x {1, -1}: blocks of one or two.

Source: Banica, Speicher 2009.  Their diagrams are among those of S(n), with the same matrices; so they compose, plan
and prove as those do.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import comb
from typing import TYPE_CHECKING

from catnn.category.counting import MOST_PORTS, matchings
from catnn.category.family import Family, HalfPart, Part
from catnn.category.matchings import Orthogonal, longest_increasing
from catnn.category.partitions import Symmetric
from catnn.category.scalar import Size

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray


class Bistochastic(Symmetric):
    """B(n) on R^n: pairs are the invariant form, singletons the invariant vector.

    >>> B = Bistochastic()
    >>> [B.dim(0, m, 3) for m in range(1, 7)]
    [1, 2, 4, 10, 26, 71]
    """

    key = "B"
    title = "the bistochastic group"
    ambient = "S"
    restricted = True
    merging = False
    baselines = False
    moves = "rotations"
    generators = frozenset({"id", "swap", "perm", "unit", "discard", "ev", "coev"})
    law = "a wire of B(n) is bent, crossed, summed and broadcast, never copied: blocks have one port or two"

    effort = Family.effort

    def block_fault(self, ports: int) -> str | None:
        return None if ports in (1, 2) else f"has {ports} ports, a block has one or two"

    def halves(self, m: int, size: Size, most: int) -> Iterator[HalfPart]:
        for blocks, flags in super().halves(m, "n", most):
            if all(
                len(block) == 1 or (len(block) == 2 and not flag) for block, flag in zip(blocks, flags, strict=True)
            ):
                yield blocks, flags

    def count(self, k: int, l: int) -> int:
        m = k + l
        return sum(comb(m, j) * matchings(j) for j in range(0, m + 1, 2))

    def dim(self, k: int, l: int, size: Size) -> int:
        """R^n is the trivial representation plus that of O(n-1) on R^(n-1)."""
        if not isinstance(size, int):
            return self.count(k, l)
        m, rest = k + l, Orthogonal()
        return sum(comb(m, j) * (rest.dim(0, j, size - 1) if size > 1 else j == 0) for j in range(0, m + 1, 2))

    def is_hard(self, k: int, l: int, size: Size) -> bool:
        return isinstance(size, int) and k + l > MOST_PORTS and 2 * (size - 1) < k + l

    def in_basis(self, part: Part, size: int) -> bool:
        pairs = [block for block in part.blocks if len(block) == 2]
        partner = {v: w for a, b in pairs for v, w in ((a, b), (b, a))}
        return longest_increasing(tuple(partner[v] for v in sorted(partner))) <= size - 1

    def basis_rule(self, size: int) -> str:
        return f"whose pairs have no increasing subsequence longer than {size - 1}"

    def commutes_with(self, kind: str, order: int) -> bool:
        return order == 0 or kind == "linear"

    def random_element(self, size: int, seed: int) -> NDArray[numpy.float64]:
        import numpy

        frame = numpy.eye(size)
        frame[:, 0] = 1
        basis = numpy.linalg.qr(frame)[0]
        inner = numpy.eye(size)
        if size > 1:
            inner[1:, 1:] = Orthogonal().random_element(size - 1, seed)
        return numpy.asarray(basis @ inner @ basis.T, dtype=numpy.float64)


class BistochasticDoubled(Bistochastic):
    """B'(n) = B(n) x {1, -1} on R^n: the same with an even number of ports in all."""

    key = "B'"
    title = "the bistochastic group and minus one"
    generators = frozenset({"id", "swap", "perm", "ev", "coev"})
    law = "minus one must cancel: blocks of one or two, and an even number of ports on the space"

    def part_fault(self, part: Part, size: Size) -> str | None:
        return None if (part.l + part.k) % 2 == 0 else f"{part.l + part.k} ports, an odd number"

    def count(self, k: int, l: int) -> int:
        return super().count(k, l) if (k + l) % 2 == 0 else 0

    def emptiness(self, k: int, l: int, size: Size, wire: str) -> str:
        return f"an odd number of ports, {k + l}, changes sign with minus one (k + l must be even)"

    def dim(self, k: int, l: int, size: Size) -> int:
        return super().dim(k, l, size) if (k + l) % 2 == 0 else 0

    def random_element(self, size: int, seed: int) -> NDArray[numpy.float64]:
        import numpy

        sign = numpy.random.default_rng([seed, 1]).choice([-1.0, 1.0])
        return numpy.asarray(sign * super().random_element(size, seed), dtype=numpy.float64)
