"""The structure constants of the Clifford algebra Cl(3, 0), as `clifford.npz` holds them."""

from itertools import combinations
from pathlib import Path

import numpy

BLADES = [blade for grade in range(4) for blade in combinations(range(3), grade)]


def multiply(left: tuple[int, ...], right: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    """The product of two blades of an orthonormal basis: a sign and a blade.

    >>> multiply((0,), (0, 1)), multiply((1,), (0,))
    ((1, (1,)), (-1, (0, 1)))
    """
    sign, found = 1, list(left)
    for vector in right:
        at = len(found)
        while at and found[at - 1] > vector:
            at -= 1
            sign = -sign
        if at and found[at - 1] == vector:
            del found[at - 1]
        else:
            found.insert(at, vector)
    return sign, tuple(found)


def structure() -> numpy.ndarray:
    """The tensor whose entry (k, i, j) is the coefficient of blade k in the product of blades i and j."""
    table = numpy.zeros((8, 8, 8))
    for i, left in enumerate(BLADES):
        for j, right in enumerate(BLADES):
            sign, blade = multiply(left, right)
            table[BLADES.index(blade), i, j] = sign
    return table


if __name__ == "__main__":
    numpy.savez_compressed(Path(__file__).with_suffix(".npz"), product=structure())
