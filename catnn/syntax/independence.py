"""Whether the elements of a `span` are linearly independent, by the rank of their Gram matrix."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from catnn.category.diagram import Diagram, Morphism
from catnn.category.families import FAMILIES
from catnn.category.scalar import ONE, ZERO, Scalar

GENERIC = 10**6 + 2
"""The sizes that are names get even numbers from here on: a rank at large generic sizes is that of all large sizes."""


def inner(left: Morphism, right: Morphism) -> Scalar:
    """The Frobenius inner product of two parallel morphisms."""
    total = ZERO
    for c, one in left.weighted:
        for d, other in right.weighted:
            total = total + c * d * _inner(one, other)
    return total


def _inner(left: Diagram, right: Diagram) -> Scalar:
    """The same for two diagrams: a product over their spaces."""
    result = ONE
    for wire in left.spaces():
        family = FAMILIES[wire.group.family]
        result = result * family.inner(left.part(wire)[0], right.part(wire)[0], wire.group.size)
    return result


def rank(elements: Sequence[Morphism]) -> int:
    """The dimension of what the elements span: at its literal sizes, and for all large values of the others.

    >>> import catnn
    >>> rank([catnn.diagram("S(1)", "i -> i"), catnn.diagram("S(1)", "i -> j")])
    1
    """
    names = sorted(set().union(*(element.size_names for element in elements)))
    sizes = {name: GENERIC + 2 * at for at, name in enumerate(names)}
    rows = [[inner(one, other).value(sizes) for other in elements] for one in elements]
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
