"""H(n), the signed permutations, and S'(n) = S(n) x {1, -1}: partitions with parities (Banica, Speicher 2009).

Their diagrams are among those of S(n), with the same matrices; so they compose, plan and prove as those do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from catnn.category.counting import even_row
from catnn.category.family import Family, HalfPart, Part
from catnn.category.partitions import Symmetric
from catnn.category.scalar import Size

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray


class Hyperoctahedral(Symmetric):
    """H(n) on R^n by permutation matrices with signs: every block is even.

    >>> H = Hyperoctahedral()
    >>> [H.dim(0, m, 3) for m in (2, 4, 6)], H.block_fault(3)
    ([1, 4, 31], 'has 3 ports, a block has an even number')
    """

    key = "H"
    title = "the hyperoctahedral group"
    ambient = "S"
    restricted = True
    generators = frozenset({"id", "swap", "perm", "spider", "ev", "coev"})
    baselines = False
    moves = "changes of sign"
    law = "signs cancel in pairs: a diagram of H(n) is a set partition with blocks of even size"

    effort = Family.effort

    def block_fault(self, ports: int) -> str | None:
        if ports % 2 == 0:
            return None
        return f"has {ports} port{'s' if ports != 1 else ''}, a block has an even number"

    def halves(self, m: int, size: Size, most: int) -> Iterator[HalfPart]:
        for blocks, flags in super().halves(m, size, most):
            if all(flag or len(block) % 2 == 0 for block, flag in zip(blocks, flags, strict=True)):
                yield blocks, flags

    def count(self, k: int, l: int) -> int:
        return sum(even_row(k + l))

    def dim(self, k: int, l: int, size: Size) -> int:
        return sum(even_row(k + l)[: size + 1]) if isinstance(size, int) else self.count(k, l)

    def commutes_with(self, kind: str, order: int) -> bool:
        return order == 0 or kind in ("odd", "linear")

    def random_element(self, size: int, seed: int) -> NDArray[numpy.float64]:
        import numpy

        signs = numpy.random.default_rng([seed, 1]).choice([-1.0, 1.0], size=size)
        return numpy.asarray(super().random_element(size, seed) * signs, dtype=numpy.float64)


class SymmetricDoubled(Symmetric):
    """S'(n) = S(n) x {1, -1} on R^n: a diagram has an even number of ports in all.

    >>> S2 = SymmetricDoubled()
    >>> [S2.dim(0, m, 3) for m in (2, 3, 4, 6)]
    [2, 0, 14, 122]
    """

    key = "S'"
    title = "the symmetric group and minus one"
    ambient = "S"
    restricted = True
    generators = frozenset({"id", "swap", "perm", "spider", "ev", "coev"})
    baselines = False
    moves = "changes of sign"
    law = "minus one must cancel: a diagram of S'(n) has an even number of ports on its space"

    effort = Family.effort

    def part_fault(self, part: Part, size: Size) -> str | None:
        return None if (part.l + part.k) % 2 == 0 else f"{part.l + part.k} ports, an odd number"

    def count(self, k: int, l: int) -> int:
        return super().count(k, l) if (k + l) % 2 == 0 else 0

    def emptiness(self, k: int, l: int, size: Size, wire: str) -> str:
        return f"an odd number of ports, {k + l}, changes sign with minus one (k + l must be even)"

    def dim(self, k: int, l: int, size: Size) -> int:
        return super().dim(k, l, size) if (k + l) % 2 == 0 else 0

    def commutes_with(self, kind: str, order: int) -> bool:
        return order % 2 == 0 or kind in ("odd", "linear")

    def random_element(self, size: int, seed: int) -> NDArray[numpy.float64]:
        import numpy

        sign = numpy.random.default_rng([seed, 1]).choice([-1.0, 1.0])
        return numpy.asarray(sign * super().random_element(size, seed), dtype=numpy.float64)
