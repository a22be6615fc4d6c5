"""How many equivariant maps there are, found without any diagram: the nullspace of what generators ask of a matrix.

A representation is a list of matrices, one for each generator of the group (``M W = W M``) or of its Lie algebra
(``A W = W A``, where A acts on products by the rule of Leibniz).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.complex128] | NDArray[np.float64]
Rep = tuple[list[Matrix], list[Matrix]]
"""Matrices of the generators of a group, and of a Lie algebra."""


def unit(rep: Rep) -> Rep:
    """The trivial representation of the same group."""
    return [np.eye(1) for _ in rep[0]], [np.zeros((1, 1)) for _ in rep[1]]


def times(one: Rep, other: Rep) -> Rep:
    """The tensor product, row-major."""
    group = [np.kron(a, b) for a, b in zip(one[0], other[0], strict=True)]
    m, n = size(one), size(other)
    algebra = [np.kron(a, np.eye(n)) + np.kron(np.eye(m), b) for a, b in zip(one[1], other[1], strict=True)]
    return group, algebra


def power(rep: Rep, k: int) -> Rep:
    """The k-th tensor power."""
    found = unit(rep)
    for _ in range(k):
        found = times(found, rep)
    return found


def plus(*reps: Rep) -> Rep:
    """The direct sum."""
    return tuple([_blocks([rep[kind][at] for rep in reps]) for at in range(len(reps[0][kind]))] for kind in (0, 1))  # type: ignore[return-value]


def dual(rep: Rep) -> Rep:
    """The dual representation."""
    return [np.linalg.inv(m).T for m in rep[0]], [-a.T for a in rep[1]]


def still(rep: Rep, n: int) -> Rep:
    """n copies of the trivial representation: a space without symmetry."""
    return [np.eye(n) for _ in rep[0]], [np.zeros((n, n)) for _ in rep[1]]


def side_by_side(one: Rep, other: Rep) -> tuple[Rep, Rep]:
    """The representations of two groups as those of their product."""
    (g, a), (h, b) = one, other
    m, n = size(one), size(other)
    return (
        ([*g, *(np.eye(m) for _ in h)], [*a, *(np.zeros((m, m)) for _ in b)]),
        ([*(np.eye(n) for _ in g), *h], [*(np.zeros((n, n)) for _ in a), *b]),
    )


def symmetric_power(rep: Rep, k: int) -> Rep:
    """The k-th symmetric power of a permutation representation, on the entries x_J with J nondecreasing."""
    group, _ = rep
    n = size(rep)
    places = {index: at for at, index in enumerate(combinations_with_replacement(range(n), k))}
    found: list[Matrix] = []
    for matrix in group:
        image = matrix.argmax(0)
        moved = np.zeros((len(places), len(places)))
        for index, at in places.items():
            moved[places[tuple(sorted(int(image[v]) for v in index))], at] = 1
        found.append(moved)
    return found, []


def size(rep: Rep) -> int:
    """The dimension of the space that is acted upon."""
    return len((rep[0] or rep[1])[0])


def equations(source: Rep, target: Rep) -> Matrix:
    """The equations for the entries of W, row-major: W source(g) = target(g) W for each generator."""
    rows = []
    for below, above in zip((*source[0], *source[1]), (*target[0], *target[1]), strict=True):
        rows.append(np.kron(np.eye(len(above)), below.T) - np.kron(above, np.eye(len(below))))
    return np.concatenate(rows)


def dimension(source: Rep, target: Rep) -> int:
    """How many equivariant maps there are: the dimension of the nullspace."""
    found = equations(source, target)
    return found.shape[1] - rank(found)


def rank(matrix: Matrix) -> int:
    """By the singular values of the square of a matrix, whose columns are fewer than its rows."""
    values = np.linalg.eigvalsh(matrix.conj().T @ matrix)
    return int((values > 1e-8 * max(1.0, float(values[-1]) if len(values) else 1.0)).sum())


def _blocks(matrices: Sequence[Matrix]) -> Matrix:
    n = sum(map(len, matrices))
    found = np.zeros((n, n), dtype=np.result_type(*matrices))
    at = 0
    for matrix in matrices:
        found[at : at + len(matrix), at : at + len(matrix)] = matrix
        at += len(matrix)
    return found


# --------------------------------------------------------------------------------------------------- representations


def permutations(n: int) -> Rep:
    """S(n) on R^n: a transposition and the cycle."""
    eye = np.eye(n)
    swap = eye[[1, 0, *range(2, n)]] if n > 1 else eye
    return [swap, np.roll(eye, 1, axis=0)], []


def rotations(n: int, *, reflections: bool = False) -> Rep:
    """SO(n), or O(n), on R^n: the antisymmetric matrices, and a reflection."""
    return preserving(np.eye(n), [np.diag([-1.0] + [1.0] * (n - 1)) if reflections else np.eye(n)])


def preserving(form: Matrix, elements: list[Matrix]) -> Rep:
    """The Lie algebra of the matrices that keep a bilinear form, and further elements of their group."""
    n = len(form)
    inverse = np.linalg.inv(form)
    sign = 1 if np.allclose(form, form.T) else -1
    algebra = []
    for i in range(n):
        for j in range(i, n):
            one = np.zeros((n, n))
            one[i, j] += 1
            one[j, i] -= sign
            if one.any():
                algebra.append(inverse @ one)
    return elements, algebra


def unitary(n: int) -> Rep:
    """U(n) on C^n: the antihermitian matrices span all complex ones."""
    algebra = []
    for i in range(n):
        for j in range(n):
            one = np.zeros((n, n))
            one[i, j] = 1
            algebra.append(one)
    return [], algebra
