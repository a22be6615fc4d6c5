"""Young's orthogonal form: permutations of the axes of V^p as blocks, one for each partition of p.

S_p permutes the axes of V^p.  In the basis made here x splits into parts, one for each partition of p with at most n
rows and each semistandard tableau of its shape, and a permutation acts on all parts of a shape by one small matrix.  A
sum over all permutations of p axes, each with weights of its own, then costs sum f^2 m instead of p! n^p: f standard
tableaux of a shape, m semistandard ones.

All of it is exact.  Vectors are kept with rational entries and their squared norms, the small matrices as Young's
seminormal form; only `Blocks.rows` and `Blocks.action` take square roots.

Source: Young, Quantitative substitutional analysis VI, 1932; James and Kerber, The representation theory of the
symmetric group, 1981, section 3.2; Okounkov and Vershik, math/0503040, for the contents.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import permutations, product
from math import sqrt

from catnn.category.counting import shapes

Tableau = tuple[int, ...]
"""A standard tableau: the row of 1, of 2, ..., each as far left in its row as it can."""

Vector = dict[tuple[int, ...], Fraction]
"""A tensor of order p, by the indices of its entries."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A partition, its standard tableaux, and the vectors of each of its parts: vectors[s][t], with squared norms."""

    rows: tuple[int, ...]
    tableaux: tuple[Tableau, ...]
    vectors: tuple[tuple[Vector, ...], ...]
    norms: tuple[tuple[Fraction, ...], ...]


@dataclass(frozen=True, slots=True)
class Blocks:
    """The parts of V^p, V of dimension n: orthogonal vectors, sorted by shape, part and tableau.

    >>> [(shape.rows, len(shape.tableaux), len(shape.vectors)) for shape in young(3, 3).shapes]
    [((3,), 1, 10), ((2, 1), 2, 8), ((1, 1, 1), 1, 1)]
    """

    p: int
    n: int
    shapes: tuple[Shape, ...]

    @property
    def work(self) -> int:
        """The multiply-adds of a product over all permutations, for one channel in and one out: sum f^2 m."""
        return sum(len(shape.tableaux) ** 2 * len(shape.vectors) for shape in self.shapes)

    @property
    def entries(self) -> int:
        """How many entries of the basis are not 0."""
        return sum(len(vector) for shape in self.shapes for vectors in shape.vectors for vector in vectors)

    def rows(self) -> Iterator[dict[tuple[int, ...], float]]:
        """The orthonormal basis: for each vector its entries that are not 0."""
        for shape in self.shapes:
            for vectors, norms in zip(shape.vectors, shape.norms, strict=True):
                for vector, norm in zip(vectors, norms, strict=True):
                    yield {word: float(value) / sqrt(norm) for word, value in sorted(vector.items())}

    def action(self, sigma: tuple[int, ...]) -> list[list[list[float]]]:
        """For each shape the matrix of the permutation whose output axis j is input axis sigma[j].

        >>> young(2, 3).action((1, 0))
        [[[1.0]], [[-1.0]]]
        """
        result = [_identity(len(shape.tableaux)) for shape in self.shapes]
        for j in _swaps(sigma):
            result = [
                _times(orthogonal(shape.tableaux, j), matrix) for shape, matrix in zip(self.shapes, result, strict=True)
            ]
        return result


@cache
def young(p: int, n: int) -> Blocks:
    """The parts of V^p."""
    words = list(product(range(n), repeat=p))
    return Blocks(p, n, tuple(_shape(rows, words) for rows in shapes(p, n)))


def _shape(rows: tuple[int, ...], words: list[tuple[int, ...]]) -> Shape:
    tableaux = tuple(sorted(_standard(rows), reverse=True))
    first, parts = tableaux[0], list[Vector]()
    for word in words:
        if list(word) != sorted(word):
            continue
        found: list[Vector] = []  # in the space of this word's permutations
        for other in sorted(set(permutations(word))):
            vector = _projected({other: Fraction(1)}, first)
            for before in found:
                vector = _sum(vector, before, -_dot(vector, before) / _dot(before, before))
            if vector:
                found.append(vector)
        parts += found
    families = [_family(vector, tableaux) for vector in parts]
    return Shape(rows, tableaux, tuple(families), tuple(tuple(_dot(v, v) for v in vectors) for vectors in families))


def _standard(rows: tuple[int, ...]) -> Iterator[Tableau]:
    """Its standard tableaux."""

    def grow(found: Tableau, left: int) -> Iterator[Tableau]:
        if not left:
            yield found
            return
        filled = [found.count(r) for r in range(len(rows))]
        for r, length in enumerate(rows):
            if filled[r] < length and (r == 0 or filled[r - 1] > filled[r]):
                yield from grow((*found, r), left - 1)

    return grow((), sum(rows))


def contents(tableau: Tableau) -> tuple[int, ...]:
    """The content of each number: its column less its row.

    >>> contents((0, 0, 1))
    (0, 1, -1)
    """
    return tuple(tableau[:at].count(row) - row for at, row in enumerate(tableau))


def _swapped(tableaux: tuple[Tableau, ...], tableau: Tableau, j: int) -> Tableau | None:
    """The standard tableau with two numbers swapped; None where they are neighbours in a row or column."""
    other = (*tableau[:j], tableau[j + 1], tableau[j], *tableau[j + 2 :])
    return other if other != tableau and other in tableaux else None


def _projected(vector: Vector, tableau: Tableau) -> Vector:
    """The part of a vector on which the sums of swaps (j k), j < k, have the contents of a tableau, for all k."""
    for k, wanted in enumerate(contents(tableau)):
        for other in range(-k, k + 1):
            if other != wanted:
                moved = {word: -other * value for word, value in vector.items()}
                for j in range(k):
                    for word, value in vector.items():
                        to = list(word)
                        to[j], to[k] = to[k], to[j]
                        moved[tuple(to)] = moved.get(tuple(to), Fraction(0)) + value
                vector = {word: value / (wanted - other) for word, value in moved.items() if value}
    return vector


def _family(vector: Vector, tableaux: tuple[Tableau, ...]) -> tuple[Vector, ...]:
    """The vectors of all tableaux, from that of the first: v' = s v - v / d, d the distance of the swapped numbers."""
    found, pending = {tableaux[0]: vector}, [tableaux[0]]
    while pending:
        tableau = pending.pop()
        places = contents(tableau)
        for j in range(len(tableau) - 1):
            other = _swapped(tableaux, tableau, j)
            if other is not None and other not in found:
                found[other] = _sum(
                    permuted(found[tableau], j), found[tableau], -Fraction(1, places[j + 1] - places[j])
                )
                pending.append(other)
    return tuple(found[tableau] for tableau in tableaux)


def permuted(vector: Vector, j: int) -> Vector:
    """A tensor with its axes j and j + 1 swapped."""
    return {(*word[:j], word[j + 1], word[j], *word[j + 2 :]): value for word, value in vector.items()}


def _sum(one: Vector, other: Vector, factor: Fraction) -> Vector:
    result = dict(one)
    for word, value in other.items():
        result[word] = result.get(word, Fraction(0)) + factor * value
    return {word: value for word, value in result.items() if value}


def _dot(one: Vector, other: Vector) -> Fraction:
    return sum((value * other[word] for word, value in one.items() if word in other), Fraction(0))


# ---------------------------------------------------------------------------------------------------------- matrices


def orthogonal(tableaux: tuple[Tableau, ...], j: int) -> list[list[float]]:
    """The matrix of the swap of j and j + 1 on the standard tableaux of a shape."""
    result = [[0.0] * len(tableaux) for _ in tableaux]
    for t, tableau in enumerate(tableaux):
        places = contents(tableau)
        inverse = 1 / (places[j + 1] - places[j])
        result[t][t] = inverse
        other = _swapped(tableaux, tableau, j)
        if other is not None:
            result[t][tableaux.index(other)] = sqrt(1 - inverse**2)
    return result


def _swaps(sigma: tuple[int, ...]) -> list[int]:
    """Neighbours to swap, one after the other, that lead from the identity to a permutation."""
    found, order = [], list(sigma)
    for _ in order:
        for j in range(len(order) - 1):
            if order[j] > order[j + 1]:
                order[j], order[j + 1] = order[j + 1], order[j]
                found.append(j)
    return found[::-1]


def _identity(size: int) -> list[list[float]]:
    return [[float(a == b) for b in range(size)] for a in range(size)]


def _times(one: list[list[float]], other: list[list[float]]) -> list[list[float]]:
    columns = list(zip(*other, strict=True))
    return [[sum(a * b for a, b in zip(row, column, strict=True)) for column in columns] for row in one]


# ------------------------------------------------------------------------------------------------------------- proof


def faults(blocks: Blocks) -> Iterator[str]:
    """What is wrong with the parts of V^p, in words, by exact arithmetic; nothing where all is well.

    The vectors are orthogonal and as many as there are entries, so they are a basis; and each swap of neighbours, which
    generate S_p, acts on them as Young's matrices say.  Then so does every permutation, on every tensor.
    """
    listed = [vector for shape in blocks.shapes for vectors in shape.vectors for vector in vectors]
    norms = [norm for shape in blocks.shapes for row in shape.norms for norm in row]
    if len(listed) != blocks.n**blocks.p or len(norms) != len(listed):
        yield f"{len(listed)} vectors are no basis of V^{blocks.p}"
    for a, one in enumerate(listed):
        if _dot(one, one) != norms[a] or norms[a] <= 0 or any(_dot(one, other) for other in listed[:a]):
            yield f"vector {a} is not orthogonal to those before, or has another norm"
    for shape in blocks.shapes:
        for vectors, own in zip(shape.vectors, shape.norms, strict=True):
            yield from _misled(shape, vectors, own, blocks.p)


def _misled(shape: Shape, vectors: tuple[Vector, ...], norms: tuple[Fraction, ...], p: int) -> Iterator[str]:
    """Swaps that do not act on the vectors of a part as on unit vectors in Young's orthogonal form.

    With v = |v| e the form says: s v = v / d + (|v| / |v'|) sqrt(1 - 1 / d^2) v'.  The last factor is rational where
    its square is that of a fraction; it is compared by its square and its sign, which is plus.
    """
    for t, tableau in enumerate(shape.tableaux):
        places = contents(tableau)
        for j in range(p - 1):
            inverse = Fraction(1, places[j + 1] - places[j])
            rest = _sum(permuted(vectors[t], j), vectors[t], -inverse)
            other = _swapped(shape.tableaux, tableau, j)
            if other is None:
                if rest:
                    yield f"{shape.rows}: the swap {j} of {tableau} leads out of the part"
                continue
            at = shape.tableaux.index(other)
            factor = _dot(rest, vectors[at]) / norms[at]
            if factor <= 0 or factor**2 * norms[at] != (1 - inverse**2) * norms[t]:
                yield f"{shape.rows}: the swap {j} of {tableau} has another factor"
            if _sum(rest, vectors[at], -factor):
                yield f"{shape.rows}: the swap {j} of {tableau} leads elsewhere than to {other}"
