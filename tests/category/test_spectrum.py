"""Young's blocks at every n are those of few letters: the same basis as made at n itself."""

from __future__ import annotations

from itertools import permutations, product

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catnn.category.spectrum import Spectrum, counted, polynomials, possible, spectrum
from catnn.category.young import young

CASES = [(1, 4), (2, 1), (2, 2), (2, 3), (2, 6), (3, 1), (3, 2), (3, 3), (3, 5), (4, 2), (4, 3), (4, 5), (5, 2)]


def basis(found: Spectrum) -> numpy.ndarray:
    """The vectors as rows."""
    words = {word: at for at, word in enumerate(product(range(found.n), repeat=found.p))}
    result = numpy.zeros((len(found.rows), len(words)))
    for at, row in enumerate(found.rows):
        for word, value in row:
            result[at, words[word]] = found.values[value]
    return result


@pytest.mark.parametrize(("p", "n"), CASES)
def test_they_are_those_that_are_made_at_n(p: int, n: int) -> None:
    """The same vectors, the same counts; in each shape perhaps in another order of the parts."""
    found, slow = spectrum(p, n), young(p, n)
    assert (found.work, found.entries) == (slow.work, slow.entries)
    assert found.spans == tuple((len(shape.vectors), len(shape.tableaux)) for shape in slow.shapes)
    ours = {frozenset((word, round(found.values[value], 9)) for word, value in row) for row in found.rows}
    theirs = {frozenset((word, round(value, 9)) for word, value in row.items()) for row in slow.rows()}
    assert ours == theirs
    assert len(ours) == n**p


@pytest.mark.parametrize(("p", "n"), [(2, 5), (3, 4), (4, 3)])
def test_permutations_are_block_diagonal(p: int, n: int) -> None:
    found, size = spectrum(p, n), n**p
    matrix = basis(found)
    for sigma in permutations(range(p)):
        moved = numpy.eye(size).reshape(*[n] * p, size).transpose(*sigma, p).reshape(size, size)
        whole, at = numpy.zeros((size, size)), 0
        for (parts, tableaux), action in zip(found.spans, found.few.action(sigma), strict=True):
            for _ in range(parts):
                whole[at : at + tableaux, at : at + tableaux] = action
                at += tableaux
        assert numpy.allclose(matrix @ moved @ matrix.T, whole, atol=1e-12)


@given(st.integers(2, 3), st.integers(1, 9))
def test_counts_are_polynomials(p: int, n: int) -> None:
    work, entries = polynomials(p, "n")
    found = spectrum(p, n)
    assert (work.value({"n": n}), entries.value({"n": n})) == (found.work, found.entries)


def test_what_is_made() -> None:
    assert possible(4, 100)
    assert possible(5, 3)
    assert not possible(5, 4)
    assert counted(young(2, 2)) == {1: (1, 1), 2: (2, 4)}
