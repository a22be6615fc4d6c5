"""U(n): walled matchings (Benkart et al. 1994; Koike 1989; Schur-Weyl duality on mixed tensors).

A space of U(n) has two kinds of wires, V and its dual V'.  A pair joins equal kinds across the rows and opposite kinds
within a row, so every pair runs from a V that comes in (or a V' that goes out) to a V that goes out (or a V' that comes
in): the diagrams are the permutations of p things, whatever the words.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import factorial
from typing import TYPE_CHECKING

from catnn.category.counting import MOST_PORTS, shapes, tableaux
from catnn.category.family import Blocks, HalfPart, Part
from catnn.category.matchings import Orthogonal, longest_increasing
from catnn.category.scalar import Size

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray


def walled_matchings(vertices: tuple[int, ...], duals: tuple[bool, ...], single: int) -> Iterator[Blocks]:
    """Every way to pair vertices of opposite kinds, at most `single` of them staying single.

    >>> list(walled_matchings((0, 1, 2), (False, False, True), 1))
    [((0, 2), (1,)), ((0,), (1, 2))]
    """
    if not vertices:
        yield ()
        return
    first, rest = vertices[0], vertices[1:]
    for at, other in enumerate(rest):
        if duals[other] != duals[first]:
            for blocks in walled_matchings(rest[:at] + rest[at + 1 :], duals, single):
                yield ((first, other), *blocks)
    if single:
        for blocks in walled_matchings(rest, duals, single - 1):
            yield ((first,), *blocks)


class Unitary(Orthogonal):
    """U(n) on C^n by unitary matrices g, and on the dual by their conjugates; entries and loops are those of O(n).

    >>> U = Unitary()
    >>> [U.dim(p, p, 2) for p in range(7)], [U.dim(p, p, 3) for p in range(7)]
    ([1, 1, 2, 5, 14, 42, 132], [1, 1, 2, 6, 23, 103, 513])
    """

    key = "U"
    title = "the unitary group"
    oriented = True
    restricted = True
    baselines = False
    moves = "unitary maps"
    law = "a pair of U(n) joins V with V or V' with V' across the rows, V with V' within a row"

    def part_fault(self, part: Part, size: Size) -> str | None:
        duals = set(part.duals)
        for a, b in part.blocks:
            across, alike = a < part.l <= b, (a in duals) == (b in duals)
            if across != alike:
                row = "an input with an output" if across else "two inputs" if a >= part.l else "two outputs"
                kinds = "V with V'" if not alike else "V' with V'" if a in duals else "V with V"
                return f"it pairs {row}, {kinds}"
        return None

    def halves_on(self, duals: tuple[bool, ...], size: Size, most: int) -> Iterator[HalfPart]:
        for blocks in walled_matchings(tuple(range(len(duals))), duals, most):
            yield blocks, tuple(len(block) == 1 for block in blocks)

    def emptiness(self, k: int, l: int, size: Size, wire: str) -> str:
        return f"what goes in must come out, a `{wire}'` the other way round, and {k} `{wire}` are not {l}"

    def count(self, k: int, l: int) -> int:
        return factorial(k) if k == l else 0

    def dim(self, k: int, l: int, size: Size) -> int:
        """Schur-Weyl: the endomorphisms of the p-th tensor power are matrices f by f for each diagram of n rows."""
        if isinstance(size, str) or k <= size or k != l:
            return self.count(k, l)
        return int(sum(tableaux(shape) ** 2 for shape in shapes(k, size)))

    def is_hard(self, k: int, l: int, size: Size) -> bool:
        return isinstance(size, int) and k + l > MOST_PORTS and size < k == l

    def in_basis(self, part: Part, size: int) -> bool:
        duals = set(part.duals)
        partner = {v: w for a, b in part.blocks for v, w in ((a, b), (b, a))}
        starts = [v for v in range(part.l + part.k) if (v < part.l) == (v in duals)]
        return longest_increasing(tuple(-partner[v] for v in starts)) <= size

    def basis_rule(self, size: int) -> str:
        return f"whose permutation has no decreasing subsequence longer than {size}"

    def random_element(self, size: int, seed: int) -> NDArray[numpy.complex128]:  # type: ignore[override]
        import numpy

        generator = numpy.random.default_rng(seed)
        q, r = numpy.linalg.qr(generator.normal(size=(size, size)) + 1j * generator.normal(size=(size, size)))
        phases = numpy.diag(r) / numpy.abs(numpy.diag(r))
        return numpy.asarray(q * phases, dtype=numpy.complex128)
