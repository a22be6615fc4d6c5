"""Gram matrices in n, exactly: `catnn.gram`, its determinant and its inverse, the Weingarten matrix.

The inner product of two diagrams is a power of n with a sign, found in the category; so the matrix holds for every n
at once, and says at which n the diagrams are independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

from catnn.api import group_of_text, word_of
from catnn.category.diagram import Morphism
from catnn.category.families import FAMILIES
from catnn.category.gram import product
from catnn.category.labelled import basis_of
from catnn.category.wires import Wire, Word, bases, ends
from catnn.diagnostics import fail
from catnn.elaborate.homs import effort
from catnn.elaborate.spec import MAX_DIAGRAMS
from catnn.model import Layer

if TYPE_CHECKING:
    import sympy

Item = Layer | str | Sequence[Morphism] | tuple[Word, Word]

MOST = 1000
"""The most diagrams whose Gram matrix is written out: a million polynomials."""
MOST_INVERSE = 60
"""The most diagrams whose Gram matrix is inverted in n."""


def gram(item: Item, k: int | str | None = None, l: int | str | None = None) -> sympy.Matrix:
    """The Frobenius inner products of the diagrams of a hom-space, as polynomials in the sizes.

    item: a layer, whose weighted diagrams in the order of the weights it takes (with direct sums block by block:
    ``weight_0_0``, ``weight_0_1``, ...); or a group with numbers of wires, as in `catnn.dim`; or a pair of words,
    (source, target); or any parallel diagrams.  Raises: CatnnError (E1017) for too many, or what is no hom-space.

    >>> gram("S(n)", 1, 1)
    Matrix([
    [n**2, n],
    [   n, n]])
    >>> gram("O(n)", 2, 2).det().factor()
    n**3*(n - 1)**2*(n + 2)
    """
    import sympy

    blocks = _blocks(item, k, l)
    total = sum(map(len, blocks))
    if total > MOST:
        raise _too_many("Gram matrix", total, MOST)
    return sympy.diag(*(_gram(block) for block in blocks)) if blocks else sympy.zeros(0, 0)


def gram_det(item: Item, k: int | str | None = None, l: int | str | None = None) -> sympy.Expr:
    """The determinant of `gram`, factored: its roots are the n at which the diagrams are dependent.

    Raises: CatnnError (E1017) for too many diagrams.

    >>> gram_det("S(n)", 2, 1)
    n**5*(n - 2)*(n - 1)**4
    """
    import sympy

    result: Any = sympy.Integer(1)
    for field in _fields(item, k, l):
        result *= field.domain.to_sympy(field.det())
    return sympy.factor(result)


def weingarten(item: Item, k: int | str | None = None, l: int | str | None = None) -> sympy.Matrix:
    """The inverse of `gram`, as rational functions of the sizes.

    With it the coefficients of the nearest equivariant map are `weingarten(...) * b`, b the inner products of a dense
    matrix with the diagrams; `catnn.project` does so at a number n.
    Raises: CatnnError (E1017) for too many diagrams, or where they are dependent at every n.

    >>> weingarten("O(n)", 1, 3)[0, :]
    Matrix([[(n + 1)/(n*(n - 1)*(n + 2)), -1/(n*(n - 1)*(n + 2)), -1/(n*(n - 1)*(n + 2))]])
    """
    import sympy

    blocks = []
    for field in _fields(item, k, l):
        if not field.det():
            raise fail(
                "E1017",
                "the Gram matrix has no inverse, the diagrams are linearly dependent",
                notes=(f"{field.shape[0]} diagrams span a space of dimension {field.rank()}",),
                helps=("`all` at a literal size is a basis; leave the dependent ones out of `span`",),
            )
        found = field.inv().to_Matrix()
        shown = {entry: sympy.factor(entry) for entry in found}
        blocks.append(found.applyfunc(shown.__getitem__))
    return sympy.diag(*blocks) if blocks else sympy.zeros(0, 0)


def _fields(item: Item, k: int | str | None, l: int | str | None) -> list[Any]:
    """The blocks of the Gram matrix over the field of rational functions."""
    from sympy.polys.matrices import DomainMatrix

    blocks = _blocks(item, k, l)
    for block in blocks:
        if len(block) > MOST_INVERSE:
            raise _too_many("inverse or determinant of a Gram matrix", len(block), MOST_INVERSE)
    return [DomainMatrix.from_Matrix(_gram(block)).to_field() for block in blocks if block]


def _gram(block: Sequence[Morphism]) -> sympy.Matrix:
    import sympy

    found = sympy.zeros(len(block), len(block))
    for row, left in enumerate(block):
        for column in range(row, len(block)):
            entry = product(left, block[column]).sympy()
            found[row, column] = found[column, row] = entry
    return found


def _blocks(item: Item, k: int | str | None, l: int | str | None) -> list[Sequence[Morphism]]:
    """The diagrams, one sequence a pair of summands."""
    if isinstance(item, Layer):
        return [pair for row in item.weighted for pair in row]
    if isinstance(item, str):
        space = Wire("V", group_of_text(item))
        return [_hom(word_of(0 if k is None else k, space), word_of(0 if l is None else l, space))]
    if _is_arrow(item):
        return [_hom(*item)]
    given: list[object] = list(item) if hasattr(item, "__iter__") else [item]
    found = [one for one in given if isinstance(one, Morphism)]
    if len(found) < len(given):
        raise fail(
            "E1017",
            f"{type(item).__name__} is no hom-space, so it has no Gram matrix",
            helps=('give a layer, some diagrams, or `catnn.gram("S(n)", 2, 2)`; of direct sums one pair at a time',),
        )
    if len({(one.source, one.target) for one in found}) > 1:
        raise fail("E1017", "diagrams of different types have no inner product")
    return [found]


def _is_arrow(item: object) -> TypeGuard[tuple[Word, Word]]:
    """Whether this is a pair of words."""
    if not isinstance(item, tuple) or len(item) != 2:
        return False
    return all(isinstance(word, tuple) and all(isinstance(wire, Wire) for wire in word) for word in item)


def _hom(source: Word, target: Word) -> list[Morphism]:
    count, listed = 1, effort(source, target)[0]
    for wire in bases(source + target):
        count *= FAMILIES[wire.group.family].dim(*ends(wire, source, target), wire.group.size)
    if count > MOST or listed > MAX_DIAGRAMS:
        raise _too_many("Gram matrix", max(count, listed), MOST)
    return list(basis_of(source, target))


def _too_many(what: str, count: int, most: int) -> Exception:
    return fail("E1017", f"the {what} of {count:,} diagrams is out of reach", notes=(f"catnn writes out {most:,}",))
