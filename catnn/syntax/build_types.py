"""Nodes of groups and types from what the grammar matched, with the limits that hold for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from catnn.diagnostics import CatnnError, Diagnostic, Label, Span
from catnn.syntax.lexing import Token
from catnn.syntax.nodes import Arrow, Cell, Edges, Factor, FileName, Group, Name, Permutation, Summand, Type

MAX_SIZE = 2**31 - 1
MAX_ORDER = 1000


def fault(code: str, message: str, span: Span, label: str = "", *, note: str = "", fix: str = "") -> CatnnError:
    """A `CatnnError` at one place; the caller raises it."""
    return CatnnError(Diagnostic(code, message, (Label(span, label),), (note,) if note else (), (fix,) if fix else ()))


def span_of_token(span: Span, token: Token) -> Span:
    """The span of a token of the same source."""
    return Span(span.source, token.start, token.end)


def make_name(span: Span, token: Token) -> Name:
    """The name that a token is."""
    return Name(token.text, span_of_token(span, token))


def make_file_name(span: Span, token: Token) -> FileName:
    """What stands between the quotes."""
    return FileName(token.text[1:-1], span_of_token(span, token))


def reference(span: Span, children: Sequence[Any]) -> Name:
    """A plain or a qualified name."""
    return make_name(span, children[0])


def bounded(span: Span, token: Token, what: str, least: int, most: int, code: str) -> int:
    """The number that a token is. Raises: CatnnError with the code, where it lies outside of its bounds."""
    value = int(token.text)
    if not least <= value <= most:
        bound = f"at least {least}" if value < least else f"at most {most:,}"
        raise fault(
            code,
            f"{what} is {bound}, here it is {_short(token.text)}",
            span_of_token(span, token),
            bound,
            note=f"{what} is a whole number from {least:,} to {most:,}",
        )
    return value


def _short(digits: str) -> str:
    return digits if len(digits) <= 20 else f"a number of {len(digits)} digits"


# ------------------------------------------------------------------------------------------------------------- groups


def group(span: Span, children: Sequence[Any], mark: str = "") -> Group:
    """``S(n)``; `mark` is the prime or plus behind the head."""
    head, *args = children
    return Group(head.text + mark, tuple(args), span)


def group_primed(span: Span, children: Sequence[Any]) -> Group:
    """``S'(n)``."""
    return group(span, children, "'")


def group_plus(span: Span, children: Sequence[Any]) -> Group:
    """``S+(n)``."""
    return group(span, children, "+")


def group_trivial(span: Span, children: Sequence[Any]) -> Group:
    """``64``."""
    return Group("", (size(span, children),), span)


def size_name(span: Span, children: Sequence[Any]) -> Name:
    """A size that is a name."""
    return make_name(span, children[0])


def size(span: Span, children: Sequence[Any]) -> int:
    """A size that is a number."""
    return bounded(span, children[0], "a size", 0, MAX_SIZE, "E0024")


def file_name(span: Span, children: Sequence[Any]) -> FileName:
    """A quoted file name."""
    return make_file_name(span, children[0])


def permutation(span: Span, children: Sequence[Any]) -> tuple[int, ...] | Permutation:
    """``(0 1 2)``, or several cycles that make one permutation: ``(0 1)(2 3)``."""
    cycles: tuple[tuple[int, ...], ...] = tuple(children)
    return cycles[0] if len(cycles) == 1 else Permutation(cycles, span)


def edges(span: Span, children: Sequence[Any]) -> Edges:
    """``0-1 1-2``."""
    return Edges(tuple(children), span)


def edge(span: Span, children: Sequence[Any], directed: bool = False) -> tuple[int, int, bool]:
    """``0-1``."""
    tail, head = (bounded(span, token, "a vertex", 0, MAX_SIZE, "E0024") for token in children)
    return (tail, head, directed)


def arc(span: Span, children: Sequence[Any]) -> tuple[int, int, bool]:
    """``0->1``."""
    return edge(span, children, directed=True)


def cell(span: Span, children: Sequence[Any]) -> Cell:
    """``{0 2}``."""
    return Cell(tuple(bounded(span, token, "a vertex", 0, MAX_SIZE, "E0024") for token in children), span)


def cycle(span: Span, children: Sequence[Any]) -> tuple[int, ...]:
    """``(0 1 2)``."""
    return tuple(bounded(span, token, "a point", 0, MAX_SIZE, "E0024") for token in children)


# -------------------------------------------------------------------------------------------------------------- types


def factor_plain(span: Span, children: Sequence[Any]) -> Factor:
    """``V``."""
    return Factor(children[0], False, 1, False, span)


def factor_dual(span: Span, children: Sequence[Any]) -> Factor:
    """``V'``."""
    return Factor(children[0], True, 1, False, span)


def factor_power(span: Span, children: Sequence[Any]) -> Factor:
    """``V^3``."""
    return Factor(children[0], False, _power(span, children[1]), False, span)


def factor_dual_power(span: Span, children: Sequence[Any]) -> Factor:
    """``V'^3``, also written ``V^3'``."""
    return Factor(children[0], True, _power(span, children[1]), False, span)


def factor_symmetric(span: Span, children: Sequence[Any], dual: bool = False) -> Factor:
    """``Sym^2(V)``. Raises: CatnnError E0010 where another name stands for `Sym`."""
    head, power, space = children
    if head.text != "Sym":
        raise fault(
            "E0010",
            f"brackets behind `{head.text}^{power.text}`",
            span,
            "not a type",
            note="in a type only the symmetric power has round brackets: `Sym^2(V)`",
            fix=f"write `Sym^{power.text}({space.text})`, or put `@` between two factors",
        )
    return Factor(space, dual, _power(span, power), True, span)


def factor_symmetric_dual(span: Span, children: Sequence[Any]) -> Factor:
    """``Sym^2(V')``."""
    return factor_symmetric(span, children, dual=True)


def factor_number(span: Span, children: Sequence[Any]) -> Token:
    """``1``, the unit, which is no factor; any other number is refused later."""
    token: Token = children[0]
    return token


def _power(span: Span, token: Token) -> int:
    return bounded(span, token, "the order of a type", 0, MAX_ORDER, "E0022")


def summand(span: Span, children: Sequence[Any], channels: int | None = None) -> Summand | Token:
    """``V^2``; a number alone stays a token until it is known whether it is a type."""
    if len(children) == 1 and isinstance(children[0], Token) and channels is None:
        return children[0]
    factors = tuple(child for child in children if not _is_unit(span, child))
    if sum(factor.power for factor in factors) > MAX_ORDER:
        raise fault("E0022", f"the order of a type is at most {MAX_ORDER:,}", span, "of higher order")
    return Summand(factors, channels, span)


def summand_channels(span: Span, children: Sequence[Any]) -> Summand | Token:
    """``V^2[16]``."""
    *factors, token = children
    channels = bounded(span, token, "a multiplicity", 1, MAX_SIZE, "E0021")
    return summand(span, factors, channels)


def _is_unit(span: Span, child: Factor | Token) -> bool:
    """Whether a factor is the unit ``1``. Raises: CatnnError E0023 for any other number."""
    if isinstance(child, Factor):
        return False
    if int(child.text) == 1:
        return True
    number = _short(child.text)
    raise fault(
        "E0023",
        f"`{number}` is not a type",
        span_of_token(span, child),
        "a number",
        note="in a type `1` is the unit; channels stand in square brackets, and a wire without symmetry is a space",
        fix=f"write `1[{number}]` for {number} invariant channels, or declare `space W : {number}` and write `W`",
    )


def type_(span: Span, children: Sequence[Any]) -> Type | Token:
    """``V^2[16] + V[8]``; a number alone stays a token, since it may be a static argument: ``perm[2,0,1]``."""
    if len(children) == 1 and isinstance(children[0], Token):
        return children[0]
    return Type(tuple(_unit_or_summand(span, child) for child in children), span)


def as_type(span: Span, child: Type | Token) -> Type:
    """A type, where only a type may stand."""
    if isinstance(child, Type):
        return child
    unit = _unit_or_summand(span, child)
    return Type((unit,), unit.span)


def _unit_or_summand(span: Span, child: Summand | Token) -> Summand:
    if isinstance(child, Summand):
        return child
    _is_unit(span, child)
    return Summand((), None, span_of_token(span, child))


def arrow(span: Span, children: Sequence[Any]) -> Arrow:
    """``A -> B``."""
    source, target = children
    return Arrow(as_type(span, source), as_type(span, target), span)
