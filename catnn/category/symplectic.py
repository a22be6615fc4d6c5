"""Sp(n), n even: matchings with signs (Brauer 1937; Pearce-Crump, arXiv 2212.08630, Theorem 6.8).

A diagram denotes the matrix F: delta across the rows and Omega(left, right) within a row, with
Omega = blockdiag([[0, 1], [-1, 0]]).  F alone is no functor; composition carries the sign
``F(g) F(f) = s(g) s(f) s(g.f) (-n)^loops F(g.f)``, ``s = (-1)^(crossings + caps)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from catnn.category.counting import MOST_PORTS, even_shapes, matchings, tableaux
from catnn.category.family import Part, join
from catnn.category.matchings import Matchings, longest_increasing
from catnn.category.scalar import Scalar, Size

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray


def circle(part: Part) -> list[tuple[int, int]]:
    """The pairs as arcs (start < end, sorted) of a circle: outputs left to right, then inputs right to left."""

    def place(vertex: int) -> int:
        return vertex if vertex < part.l else 2 * part.l + part.k - 1 - vertex

    return sorted((min(place(a), place(b)), max(place(a), place(b))) for a, b in part.blocks)


def sign_exponent(part: Part) -> int:
    """Crossings on the circle plus pairs inside the input row."""
    arcs = circle(part)
    crossings = sum(1 for i, (a, b) in enumerate(arcs) for c, d in arcs[i + 1 :] if a < c < b < d)
    return crossings + sum(1 for a, _ in part.blocks if a >= part.l)


class Symplectic(Matchings):
    """Sp(n) on R^n, the matrices that keep Omega."""

    key = "Sp"
    title = "the symplectic group"
    closing = "form"
    step = 2
    moves = "symplectic maps"
    law = "a wire of Sp(n) is bent (by Omega) and crossed, never copied: a matching pairs exactly 2 ports"

    def size_fault(self, size: int) -> str | None:
        return None if size >= 2 and size % 2 == 0 else "a symplectic space has even dimension"

    def compose(self, upper: Part, lower: Part, size: Size) -> tuple[tuple[Scalar, Part], ...]:
        part, loops = join(upper, lower)
        odd = (sign_exponent(upper) + sign_exponent(lower) + sign_exponent(part) + loops) % 2
        factor = Scalar.size(size, loops)
        return ((-factor if odd else factor, part),)

    def dim(self, k: int, l: int, size: Size) -> int:
        """Schur-Weyl: invariants of Sp(n) in S_lambda(R^n) are one-dimensional iff every column of lambda is even.

        Such a lambda has at most n rows; its transpose has even rows, the first at most n.
        """
        m = k + l
        if isinstance(size, str) or size >= m or m % 2:
            return matchings(m)
        return sum(tableaux(shape) for shape in even_shapes(m, m, size))

    def is_hard(self, k: int, l: int, size: Size) -> bool:
        return isinstance(size, int) and k + l > MOST_PORTS and size < k + l and (k + l) % 2 == 0

    def in_basis(self, part: Part, size: int) -> bool:
        arcs = circle(part)
        for cut in range(1, part.l + part.k):
            over = tuple(end for start, end in arcs if start < cut <= end)
            if longest_increasing(over) > size // 2:
                return False
        return True

    def basis_rule(self, size: int) -> str:
        return f"without {size // 2 + 1} mutually crossing arcs"

    def inner(self, left: Part, right: Part, size: Size) -> Scalar:
        """Each closed curve of the two diagrams is the trace of a product of Omegas and transposed Omegas."""
        l = left.l
        ends = [_neighbours(left), _neighbours(right)]
        seen: set[int] = set()
        loops, odd = 0, 0
        for start in range(left.l + left.k):
            if start in seen:
                continue
            loops += 1
            omegas, vertex = 0, start
            while True:
                for neighbours in ends:
                    seen.add(vertex)
                    other = neighbours[vertex]
                    if (vertex < l) == (other < l):
                        omegas += 1
                        odd += other < vertex
                    vertex = other
                if vertex == start:
                    break
            odd += omegas // 2
        factor = Scalar.size(size, loops)
        return -factor if odd % 2 else factor

    def tensor(self, part: Part, size: int) -> NDArray[numpy.int64]:
        import numpy

        result = numpy.ones((), dtype=numpy.int64)
        for a, b in part.blocks:
            crosses = a < part.l <= b
            matrix = numpy.eye(size, dtype=numpy.int64) if crosses else omega(size)
            result = numpy.multiply.outer(result, matrix)
        order = [v for pair in part.blocks for v in pair]
        return numpy.transpose(result, numpy.argsort(order)) if order else result

    def random_element(self, size: int, seed: int) -> NDArray[numpy.float64]:
        """exp(Omega H) by its Cayley transform, H symmetric."""
        import numpy

        h = numpy.random.default_rng(seed).normal(size=(size, size)) / (4 * size)
        a = omega(size).astype(numpy.float64) @ (h + h.T)
        return numpy.asarray(numpy.linalg.solve(numpy.eye(size) - a, numpy.eye(size) + a), dtype=numpy.float64)


def omega(size: int) -> NDArray[numpy.int64]:
    """The symplectic form in the ordered basis 1, 1', 2, 2', ...: an array (size, size)."""
    import numpy

    block = numpy.array([[0, 1], [-1, 0]], dtype=numpy.int64)
    return numpy.asarray(numpy.kron(numpy.eye(size // 2, dtype=numpy.int64), block), dtype=numpy.int64)


def _neighbours(part: Part) -> dict[int, int]:
    return {v: w for a, b in part.blocks for v, w in ((a, b), (b, a))}
