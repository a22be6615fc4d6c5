"""Inner products of diagrams: what makes equality decidable at a literal n, and what initialisation divides by.

The Frobenius inner product of two diagrams is the number of closed curves (or components) that they make together, as
a power of n; so it is computed in the category, at any n, without a matrix.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from catnn.category.diagram import Diagram, Morphism
from catnn.category.families import FAMILIES
from catnn.category.scalar import ONE, ZERO, Scalar

GENERIC = 10**6 + 2
"""The sizes that are names get even numbers from here on: a rank at large generic sizes is that of all large sizes."""


def inner(left: Diagram, right: Diagram) -> Scalar:
    """The Frobenius inner product of two parallel diagrams, as a scalar in the sizes.

    >>> import catnn
    >>> swap, one = catnn.diagram("S(n)", "i j -> j i"), catnn.diagram("S(n)", "i j -> i j")
    >>> print(inner(swap, one), inner(swap, swap))
    n n^2
    """
    result = ONE
    for wire in left.spaces():
        family = FAMILIES[wire.group.family]
        result = result * family.inner(left.part(wire)[0], right.part(wire)[0], wire.group.size)
    return result


def product(left: Morphism, right: Morphism) -> Scalar:
    """The Frobenius inner product of two parallel morphisms."""
    total = ZERO
    for c, one in left.weighted:
        for d, other in right.weighted:
            total = total + c * d * inner(one, other)
    return total


def norm2(morphism: Morphism) -> Scalar:
    """The squared Frobenius norm; zero if and only if the matrix is zero, at literal sizes."""
    weighted = morphism.weighted
    if len(weighted) == 1:
        ((coefficient, diagram),) = weighted
        return coefficient * coefficient * _square(diagram)
    total = ZERO
    for at, (c, left) in enumerate(weighted):
        total = total + c * c * _square(left)
        for d, right in weighted[at + 1 :]:
            total = total + Scalar.of(2) * c * d * inner(left, right)
    return total


def _square(diagram: Diagram) -> Scalar:
    result = ONE
    for wire in diagram.spaces():
        part, _ = diagram.part(wire)
        result = result * FAMILIES[wire.group.family].norm2(part, wire.group.size)
    return result


def rank(elements: Sequence[Morphism]) -> int:
    """The dimension of what the elements span: at its literal sizes, and for all large values of the others.

    >>> import catnn
    >>> rank([catnn.diagram("S(1)", "i -> i"), catnn.diagram("S(1)", "i -> j")])
    1
    """
    names = sorted(set().union(*(element.size_names for element in elements)))
    sizes = {name: GENERIC + 2 * at for at, name in enumerate(names)}
    rows = [[product(one, other).value(sizes) for other in elements] for one in elements]
    found = 0
    while rows:
        row = rows.pop()
        lead = next((at for at, value in enumerate(row) if value), None)
        if lead is not None:
            found += 1
            rows = [_cleared(other, row, lead) for other in rows]
    return found


def _cleared(row: list[Fraction], by: list[Fraction], lead: int) -> list[Fraction]:
    factor = row[lead] / by[lead]
    return [a - factor * b for a, b in zip(row, by, strict=True)] if factor else row
