"""Young's orthogonal form: exact, a representation, and that of the axes of a tensor."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import permutations, product
from math import factorial

import numpy
import pytest

from catnn.category.counting import tableaux
from catnn.category.young import Blocks, contents, faults, young

CASES = [(0, 3), (1, 1), (1, 4), (2, 1), (2, 2), (2, 5), (3, 1), (3, 2), (3, 3), (3, 4), (4, 2), (4, 3)]


def basis(blocks: Blocks) -> numpy.ndarray:
    """The orthonormal vectors as rows."""
    words = {word: at for at, word in enumerate(product(range(blocks.n), repeat=blocks.p))}
    result = numpy.zeros((len(words), len(words)))
    for at, row in enumerate(blocks.rows()):
        for word, value in row.items():
            result[at, words[word]] = value
    return result


@pytest.mark.parametrize(("p", "n"), CASES)
def test_the_parts_are_exact(p: int, n: int) -> None:
    blocks = young(p, n)
    assert list(faults(blocks)) == []
    matrix = basis(blocks)
    assert numpy.allclose(matrix @ matrix.T, numpy.eye(len(matrix)), atol=1e-12)
    assert [len(shape.tableaux) for shape in blocks.shapes] == [tableaux(shape.rows) for shape in blocks.shapes]


@pytest.mark.parametrize(("p", "n"), CASES)
def test_permutations_are_block_diagonal(p: int, n: int) -> None:
    """Against the permutation of the axes of a tensor, as numpy does it."""
    blocks, size = young(p, n), n**p
    matrix = basis(blocks)
    for sigma in permutations(range(p)):
        moved = numpy.eye(size).reshape(*[n] * p, size).transpose(*sigma, p).reshape(size, size)
        whole, at = numpy.zeros((size, size)), 0
        for shape, action in zip(blocks.shapes, blocks.action(sigma), strict=True):
            for _ in shape.vectors:
                stop = at + len(shape.tableaux)
                whole[at:stop, at:stop] = action
                at = stop
        assert numpy.allclose(matrix @ moved @ matrix.T, whole, atol=1e-12)


def test_the_work_is_what_the_mathematics_says() -> None:
    """Twice fewer at p = 2; 18 / (5 - 2 / n^2) at p = 3."""
    for n in (2, 3, 5):
        assert 2 * young(2, n).work == 2 * n**2
        ratio = Fraction(factorial(3) * n**3, young(3, n).work)
        assert ratio == 18 / (5 - Fraction(2, n * n))
    assert young(4, 3).work == 201


def test_contents_of_a_hook() -> None:
    assert contents((0, 1, 0, 2)) == (0, -1, 1, -2)


def test_what_is_wrong_is_found() -> None:
    blocks = young(3, 3)
    shape = blocks.shapes[1]
    first, second = shape.vectors[0]
    doubled = {word: 2 * value for word, value in second.items()}
    spoilt = [
        replace(shape, vectors=((second, first), *shape.vectors[1:])),
        replace(shape, vectors=((first, doubled), *shape.vectors[1:])),
        replace(
            shape,
            vectors=((first, doubled), *shape.vectors[1:]),
            norms=((shape.norms[0][0], 4 * shape.norms[0][1]), *shape.norms[1:]),
        ),
        replace(shape, vectors=((first, {w: -v for w, v in second.items()}), *shape.vectors[1:])),
        replace(shape, vectors=shape.vectors[1:], norms=shape.norms[1:]),
        replace(shape, tableaux=shape.tableaux[::-1]),
        replace(shape, vectors=(shape.vectors[1], *shape.vectors[1:])),
    ]
    for one in spoilt:
        wrong = replace(blocks, shapes=(blocks.shapes[0], one, blocks.shapes[2]))
        found = list(faults(wrong))
        assert bool(found) == (one != spoilt[2]), one
