"""How the weights of a layer are drawn: a variance for each diagram, in as few lines as there are kinds of them."""

from __future__ import annotations

from collections.abc import Sequence
from math import lcm
from textwrap import wrap

from catnn.category.basis import Basis
from catnn.category.gram import norm2
from catnn.category.scalar import Scalar
from catnn.emit.writer import one_tuple, size_variable
from catnn.model import Layer

FEW = 6
"""So many variances are listed one by one."""

MANY = 1000
"""Of more diagrams than this the kinds are not listed, but made from those of their halves."""

WIDTH = 104


def draw(layer: Layer, o: int, i: int, top: Scalar) -> list[str]:
    """The drawing of one parameter; top: the variance times the squared norm of a diagram."""
    parameter = f"self.{layer.weight_name(o, i)}"
    if layer.init == "zeros":
        return [f"nn.init.zeros_({parameter})"]
    morphisms = layer.weighted[o][i]
    if isinstance(morphisms, Basis) and len(morphisms) > MANY:
        return _by_halves(morphisms, parameter, top)
    found = [_quotient(top, norm2(morphism)) for morphism in morphisms]
    distinct = list(dict.fromkeys(found))
    if len(distinct) == 1:
        return [f"_normal({parameter}, [{distinct[0]}] * {len(found)}, generator)"]
    if len(distinct) == len(found) <= FEW:
        return [f"_normal({parameter}, [{', '.join(found)}], generator)"]
    lines = [f"variances = {one_tuple(distinct)}", *_listed("kinds", [distinct.index(value) for value in found])]
    return [*lines, f"_normal({parameter}, [variances[kind] for kind in kinds], generator)"]


def _by_halves(basis: Basis, parameter: str, top: Scalar) -> list[str]:
    """The kind of a diagram from the kinds of its halves, a level at a time."""
    distinct: dict[str, int] = {}
    lines: list[str] = []
    for level in basis.levels:
        outs, out_kinds = _numbered([half.kind for half in level.outputs])
        ins, in_kinds = _numbered([half.kind for half in level.inputs])
        table = []
        for c in out_kinds:
            norms = [norm2(basis.at(level, c, r, 0)) for r in in_kinds]
            table.append(one_tuple(str(distinct.setdefault(_quotient(top, norm), len(distinct))) for norm in norms))
        lines += [*_listed("outs", outs), *_listed("ins", ins), f"table = {one_tuple(table)}"]
        each = f" for _ in range({len(level.sigmas)})" if len(level.sigmas) > 1 else ""
        lines.append(f"kinds += [table[out][in_] for out in outs for in_ in ins{each}]")
    head = [f"variances = {one_tuple(distinct)}", "kinds = []"]
    return [*head, *lines, f"_normal({parameter}, [variances[kind] for kind in kinds], generator)"]


def _numbered(kinds: list[tuple[object, ...]]) -> tuple[list[int], list[int]]:
    """The number of the kind of each half, and for each number a half that has it."""
    numbers: dict[tuple[object, ...], int] = {}
    found = [numbers.setdefault(kind, len(numbers)) for kind in kinds]
    return found, [found.index(number) for number in range(len(numbers))]


def _listed(name: str, values: Sequence[int]) -> list[str]:
    """A tuple of small numbers, on as many lines as it takes."""
    shown = wrap(", ".join(map(str, values)), WIDTH)
    if len(shown) == 1:
        return [f"{name} = ({shown[0]}{',' if len(values) == 1 else ''})"]
    return [f"{name} = (", *(f"    {line}" for line in shown[:-1]), f"    {shown[-1]},", ")"]


def _quotient(top: Scalar, norm: Scalar) -> str:
    """A variance; a sum may vanish at small sizes, where its weight changes nothing.

    >>> n = Scalar.size("n")
    >>> _quotient(n, n * n), _quotient(n, n * Scalar.of("1/2") - Scalar.size("n", -1))
    ('n**-1', '(2 * n**2) / ((-2 + n**2) or 1)')
    """
    if len(norm.terms) == 1:
        return python(top / norm)
    if all(coefficient > 0 for _, coefficient in norm.terms):
        return f"({python(top)}) / ({python(norm)})"
    whole = Scalar.of(lcm(*(coefficient.denominator for _, coefficient in norm.terms)))
    exponents = [dict(monomial) for monomial, _ in norm.terms]
    for size in sorted({size for found in exponents for size in found}):
        whole = whole * Scalar.size(size, -min(0, *(found.get(size, 0) for found in exponents)))
    return f"({python(top * whole)}) / (({python(norm * whole)}) or 1)"  # in whole numbers, so 0 is 0


def python(scalar: Scalar) -> str:
    """A scalar as a Python expression.

    >>> python(Scalar.size("n", 2) + Scalar.of(3))
    '3 + n**2'
    """
    terms = []
    for monomial, coefficient in scalar.terms:
        factors = [f"{size_variable(s)}**{e}" if e != 1 else size_variable(s) for s, e in monomial]
        if coefficient.denominator != 1:
            factors.insert(0, f"{coefficient.numerator} / {coefficient.denominator}")
        elif coefficient != 1 or not factors:
            factors.insert(0, str(coefficient.numerator))
        terms.append(" * ".join(factors))
    return " + ".join(terms) or "0"
