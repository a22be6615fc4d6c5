"""Words at literal sizes in irreducible parts: one change of basis for all the diagrams between them.

The matrices that commute with a group act on copies of its irreducible representations, d rows alike: in a basis where
copies are aligned, a diagram from V^k to V^l is, for each irreducible representation, one matrix of its m copies in
V^l by those in V^k.  That holds where the type is real, and the basis is found from the diagrams alone: the eigenspaces
of a generic symmetric matrix that commutes are irreducible copies, and a generic map between two of them is 0, or
aligns them (Schur's lemma).

Source: Serre, Linear representations of finite groups, 2.6 and 13.2; Murota, Kanno, Kojima and Kojima, A numerical
algorithm for block-diagonal decomposition of matrix *-algebras, 2010, for the generic element.

Numbers are floats of 64 bits, so nothing here is exact; who uses it compares the diagrams with what they become.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import prod
from typing import TYPE_CHECKING, Any

from catnn.category.basis import whole
from catnn.category.diagram import Morphism
from catnn.category.halves import dimension
from catnn.category.wires import Word

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

MOST_ENTRIES = 256
"""A word with more entries has no such basis here: the change there and back would be most of the work."""

MOST_NUMBERS = 8_000_000
"""Nor have words whose diagrams have more numbers in their matrices together: they are written down to find it."""

GAP = 1e-6
"""Eigenvalues that are nearer are one; a map between copies that is smaller is none.  Random ones are about 1."""

ZERO = 1e-11
"""Entries of the basis that are smaller are 0."""

TRIES = 3
"""So many generic matrices are tried: one of them may be nearly special."""


@dataclass(frozen=True, eq=False)
class Isotypic:
    """Words in irreducible parts.

    dimensions: of each irreducible representation; bases[word][r]: its copies in a word, (entries of the word,
    dimension, copies), orthonormal and aligned.
    """

    dimensions: tuple[int, ...]
    bases: Mapping[Word, tuple[Array, ...]]


def entries(word: Word) -> int | None:
    """How many entries a word has, None where a size is a name."""
    sizes = [wire.group.size for wire in word]
    return prod(size for size in sizes if isinstance(size, int)) if all(isinstance(s, int) for s in sizes) else None


@cache
def isotypic(words: tuple[Word, ...]) -> Isotypic | None:
    """Different words in irreducible parts, aligned with each other; None where that is too large, or not to be had.

    It is not where a type is complex or quaternionic: there the copies of a part are as many as its real ones suggest,
    and fewer than the diagrams need.

    >>> from catnn.category.wires import Group, Wire
    >>> V = Wire("V", Group("S", 3))
    >>> found = isotypic(((V, V),))
    >>> sorted((d, basis.shape[2]) for d, basis in zip(found.dimensions, found.bases[V, V], strict=True))
    [(1, 1), (1, 2), (2, 3)]
    """
    import numpy

    lengths = [entries(word) for word in words]
    if any(length is None or length > MOST_ENTRIES for length in lengths):
        return None
    pairs = [(a, b) for a in words for b in words]
    counts = {(a, b): dimension(b, a) for a, b in pairs}
    if sum(counts[a, b] * (entries(a) or 0) * (entries(b) or 0) for a, b in pairs) > MOST_NUMBERS:
        return None
    homs = {(a, b): stacked(whole(b, a), b, a) for a, b in pairs}
    for seed in range(TRIES):
        for split in (True, False):
            found = _decomposed(words, homs, numpy.random.default_rng(seed), split=split)
            if found is not None and all(_copies(found, a, b) == counts[a, b] for a, b in pairs):
                return found
    return None


def stacked(morphisms: Sequence[Morphism], source: Word, target: Word) -> Array:
    """The matrices of morphisms between words of literal sizes, (morphisms, rows, columns), in floats."""
    import numpy

    result = numpy.zeros((len(morphisms), entries(target) or 0, entries(source) or 0))
    for at, morphism in enumerate(morphisms):
        result[at] = morphism.matrix()
    return result


def _copies(found: Isotypic, a: Word, b: Word) -> int:
    """How many numbers a map has in blocks: those of the hom-space if parts are real and irreducible."""
    return sum(one.shape[2] * other.shape[2] for one, other in zip(found.bases[a], found.bases[b], strict=True))


Homs = Mapping[tuple[Word, Word], "Array"]


def _generic(homs: Homs, random: Any) -> dict[tuple[Word, Word], Array]:
    """A random map for each pair of words."""
    import numpy

    return {pair: numpy.tensordot(random.standard_normal(len(found)), found, 1) for pair, found in homs.items()}


def _decomposed(words: tuple[Word, ...], homs: Homs, random: Any, *, split: bool) -> Isotypic | None:
    """Irreducible copies, aligned.

    split: keep to coordinates that the group might only permute among themselves, which makes the basis sparse; that it
    does is found out in the end.
    """
    import numpy

    map_, other = _generic(homs, random), _generic(homs, random)
    classes = _classes(words, map_)
    families: list[tuple[Word, Array, dict[Word, list[Array]]]] = []
    for word in words:
        for copy in _eigenspaces(map_[word, word], homs[word, word], split=split):
            for home, first, found in families:
                turn = copy.T @ other[word, home] @ first
                size = numpy.linalg.norm(turn) / numpy.sqrt(first.shape[1])
                if first.shape[1] == copy.shape[1] and size > GAP:
                    found.setdefault(word, []).append(_clean(copy @ turn / size))
                    break
            else:
                first = _clean(_adapted(copy, classes[word]))
                families.append((word, first, {word: [first]}))
    bases: dict[Word, tuple[Array, ...]] = {}
    for word in words:
        bases[word] = tuple(
            numpy.stack(found[word], 2) if word in found else numpy.zeros((entries(word) or 0, first.shape[1], 0))
            for _, first, found in families
        )
    return Isotypic(tuple(first.shape[1] for _, first, _ in families), bases)


def _eigenspaces(map_: Array, diagrams: Array, *, split: bool) -> Iterator[Array]:
    """Orthonormal bases of the eigenspaces of the symmetric part of a map, inside each set of coordinates."""
    import numpy

    size = len(map_)
    kinds = numpy.zeros(size, dtype=int)
    if split and len(diagrams):
        _, kinds = numpy.unique(diagrams[:, range(size), range(size)].T, axis=0, return_inverse=True)
    for kind in range(kinds.max(initial=-1) + 1):
        places = numpy.flatnonzero(kinds == kind)
        inner = map_[numpy.ix_(places, places)]
        values, vectors = numpy.linalg.eigh(inner + inner.T)
        limits = numpy.flatnonzero(numpy.diff(values) > GAP * max(1.0, abs(values).max(initial=0))) + 1
        for own in numpy.split(vectors, limits, axis=1):
            whole_ = numpy.zeros((size, own.shape[1]))
            whole_[places] = own
            yield whole_


def _classes(words: tuple[Word, ...], map_: Mapping[tuple[Word, Word], Array]) -> dict[Word, Array]:
    """Coordinates of all words, numbered by what a generic map joins: parts that every map keeps apart."""
    import numpy

    joined = numpy.block([[map_[a, b] for b in words] for a in words]) != 0
    joined |= joined.T
    numbers = numpy.full(len(joined), -1)
    for start in range(len(joined)):
        if numbers[start] < 0:
            pending, number = {start}, numbers.max() + 1
            while pending:
                at = pending.pop()
                numbers[at] = number
                pending |= {*numpy.flatnonzero(joined[at] & (numbers < 0)).tolist()}
    ends = numpy.cumsum([entries(word) for word in words])
    return dict(zip(words, numpy.split(numbers, ends[:-1]), strict=True))


def _adapted(copy: Array, classes: Array) -> Array:
    """A basis of the same space in which every vector is in one class of coordinates, as the copies then all are."""
    import numpy

    _, turn = numpy.linalg.eigh(copy.T @ (classes[:, None] * copy))
    result: Array = copy @ turn
    return result


def _clean(copy: Array) -> Array:
    copy[abs(copy) < ZERO] = 0
    return copy
