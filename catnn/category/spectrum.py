"""Young's blocks of V^p at every n, from those of at most p letters.

A permutation of the axes keeps the letters of a word, so V^p is the sum of spaces of words with the same letters, and
what happens in one does not depend on which letters they are: only on their order, as the basis is made.  So the parts
on exactly k letters stand C(n, k) times in V^p, and all that is proved of them at k letters holds at every n: vectors
on different letters have no word in common.  Their numbers are polynomials in n.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import combinations
from math import comb, factorial

from catnn.category.scalar import ZERO, Scalar
from catnn.category.young import Blocks, young

MOST_WORDS = 256
"""Blocks with more words on p letters are not made: it would take long."""

Row = tuple[tuple[tuple[int, ...], int], ...]
"""Of a unit vector the words, and the number of the value of each."""


@dataclass(frozen=True)
class Spectrum:
    """The blocks of V^p, V of dimension n; few: those of min(p, n) letters, which are exact.

    >>> found = spectrum(2, 16)
    >>> found.work, found.entries, found.spans
    (256, 496, ((136, 1), (120, 1)))
    """

    p: int
    n: int
    few: Blocks

    @cached_property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """For each shape how many parts it has, and how many tableaux."""
        letters = [_letters(self.few, shape) for shape in range(len(self.few.shapes))]
        return tuple(
            (sum(comb(self.n, k) for k in found.values()), len(shape.tableaux))
            for found, shape in zip(letters, self.few.shapes, strict=True)
        )

    @property
    def work(self) -> int:
        """The multiply-adds of a product over all permutations, for one channel in and one out: sum f^2 m."""
        return sum(f * f * m for m, f in self.spans)

    @property
    def entries(self) -> int:
        """How many entries of the basis are not 0."""
        return sum(comb(self.n, k) * entries for k, (_, entries) in counted(self.few).items())

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The orthonormal basis, sorted by shape, part and tableau."""
        return tuple(self._rows())

    def _rows(self) -> Iterator[Row]:
        starts = _starts(self.few)
        for s, shape in enumerate(self.few.shapes):
            for part, k in _letters(self.few, s).items():
                for letters in combinations(range(self.n), k):
                    for t, vector in enumerate(shape.vectors[part]):
                        start = starts[s, part, t]
                        words = sorted(vector)
                        yield tuple(
                            (tuple(letters[letter] for letter in word), start + at) for at, word in enumerate(words)
                        )

    @cached_property
    def values(self) -> tuple[float, ...]:
        """The entries of all vectors of `few`, which are those of the basis."""
        return tuple(value for row in self.few.rows() for value in row.values())


def _letters(few: Blocks, shape: int) -> dict[int, int]:
    """Of each part of a shape on the first k letters, for some k, how many these are; by the number of the part."""
    found: dict[int, int] = {}
    for part, vectors in enumerate(few.shapes[shape].vectors):
        own = sorted({letter for word in vectors[0] for letter in word})
        if own == list(range(len(own))):
            found[part] = len(own)
    return found


def _starts(few: Blocks) -> dict[tuple[int, int, int], int]:
    """Where the values of each vector begin: (shape, part, tableau)."""
    found, at = {}, 0
    for s, shape in enumerate(few.shapes):
        for part, vectors in enumerate(shape.vectors):
            for t, vector in enumerate(vectors):
                found[s, part, t] = at
                at += len(vector)
    return found


@cache
def spectrum(p: int, n: int) -> Spectrum:
    """The blocks of V^p."""
    return Spectrum(p, n, young(p, min(p, n)))


def possible(p: int, n: int) -> bool:
    """Whether they are made."""
    return bool(min(p, n) ** p <= MOST_WORDS)


@cache
def _counted(p: int, letters: int) -> dict[int, tuple[int, int]]:
    few = young(p, letters)
    work, entries = Counter[int](), Counter[int]()
    for s, shape in enumerate(few.shapes):
        for part, k in _letters(few, s).items():
            work[k] += len(shape.tableaux) ** 2
            entries[k] += sum(len(vector) for vector in shape.vectors[part])
    return {k: (work[k], entries[k]) for k in sorted(work)}


def counted(few: Blocks) -> dict[int, tuple[int, int]]:
    """For each number of letters the work and the entries of the parts on the first so many of them."""
    return _counted(few.p, few.n)


def polynomials(p: int, size: str) -> tuple[Scalar, Scalar]:
    """The work and the entries of V^p for every n.

    >>> print(*polynomials(2, "n"), sep=", ")
    n^2, -n + 2*n^2
    >>> print(polynomials(3, "n")[0])
    -2*n/3 + 5*n^3/3
    """
    work, entries = ZERO, ZERO
    for k, (one, other) in _counted(p, p).items():
        chosen = _choose(size, k)
        work, entries = work + chosen * Scalar.of(one), entries + chosen * Scalar.of(other)
    return work, entries


def _choose(size: str, k: int) -> Scalar:
    """The binomial coefficient, as a polynomial."""
    result = Scalar.of(1)
    for j in range(k):
        result = result * (Scalar.size(size) - Scalar.of(j))
    return result / Scalar.of(factorial(k))
