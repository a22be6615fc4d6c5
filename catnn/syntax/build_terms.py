"""Nodes of terms and scalars from what the grammar matched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, Literal, NamedTuple

from catnn.diagnostics import Span
from catnn.syntax.build_types import MAX_ORDER, bounded, fault, make_name, span_of_token
from catnn.syntax.lexing import MAX_DIGITS, Token
from catnn.syntax.nodes import (
    All,
    Bias,
    Brackets,
    Call,
    Chain,
    Dagger,
    Generator,
    Name,
    Number,
    Pattern,
    Power,
    Scalar,
    Scaled,
    SpanOf,
    Sum,
    Summand,
    Tensor,
    Term,
    Type,
)

# Names that are diagrams in every file: `copy * id` means `copy @ id`, never a size called `copy`.
GENERATORS = frozenset("id swap perm merge copy unit discard spider ev coev cap cup eps adj".split())
_MAX_BITS = MAX_DIGITS * 3322 // 1000
_MAX_POWER = 64


# -------------------------------------------------------------------------------------------------------------- atoms


def number(span: Span, children: Sequence[Any]) -> Number:
    """An integer."""
    return Number(Scalar(Fraction(int(children[0].text)), (), span), span)


def generator(span: Span, children: Sequence[Any]) -> Generator:
    """``id``, ``mix``, ``perm[2,0,1]``, ``id[V^2]``."""
    name, *args = children
    return Generator(name, tuple(_static_argument(span, child) for child in args), span)


def _static_argument(span: Span, child: Type | Token) -> int | Type:
    if isinstance(child, Type):
        return 1 if child.summands == (Summand((), None, span),) else child
    return bounded(span, child, "a number in square brackets", 0, MAX_ORDER, "E0022")


def pattern(span: Span, children: Sequence[Any], sign: bool = False) -> Pattern:
    """``[i j -> j i]``."""
    adjacent: Sequence[Adjacent] = [child for child in children if isinstance(child, Adjacent)]
    *inputs, outputs = (child for child in children if not isinstance(child, Adjacent))
    return Pattern(tuple(inputs), outputs, sign, span, adjacent=adjacent[0].pairs if adjacent else ())


class Adjacent(NamedTuple):
    """What stands behind the bar of a pattern."""

    pairs: tuple[tuple[Name, Name], ...]


def adjacent(span: Span, children: Sequence[Any]) -> Adjacent:
    """``i j, j k``."""
    return Adjacent(tuple(children))


def pair(span: Span, children: Sequence[Any]) -> tuple[Name, Name]:
    """``i j``."""
    return make_name(span, children[0]), make_name(span, children[1])


def sign_pattern(span: Span, children: Sequence[Any]) -> Pattern:
    """``sgn[i j -> k]``."""
    return pattern(span, children, sign=True)


def signed_pattern(span: Span, children: Sequence[Any]) -> Pattern:
    """``sgn[V][i a -> b]``."""
    spaces, *rest = children
    if not spaces:
        raise fault("E0010", "`sgn[]` names no space", span, "of which space?", fix="`sgn[i j -> k]` is of every one")
    return replace(pattern(span, rest, sign=True), signed=spaces)


def letters(span: Span, children: Sequence[Any]) -> tuple[Name, ...]:
    """The letters of one value, points as numbers without leading zeros."""
    names = (make_name(span, token) for token in children)
    return tuple(replace(name, text=str(int(name.text))) if name.text.isdecimal() else name for name in names)


def brackets(span: Span, children: Sequence[Any]) -> Brackets:
    """``(f ; g)``."""
    return Brackets(children[0], span)


def span_of(span: Span, children: Sequence[Any]) -> SpanOf:
    """``span { f, g }``."""
    return SpanOf(tuple(children), span)


def all_(span: Span, children: Sequence[Any]) -> All:
    """``all``."""
    return All(span)


def bias(span: Span, children: Sequence[Any]) -> Bias:
    """``bias``."""
    return Bias(span)


def dagger(span: Span, children: Sequence[Any]) -> Dagger:
    """``f'``."""
    return Dagger(children[0], span)


def power(span: Span, children: Sequence[Any]) -> Power:
    """``f^3``."""
    term, exponent = children
    return Power(term, bounded(span, exponent, "a power of a term", 0, MAX_ORDER, "E0022"), span)


def power_named(span: Span, children: Sequence[Any]) -> Power:
    """``f^q``."""
    term, exponent = children
    return Power(term, make_name(span, exponent), span)


def call(span: Span, children: Sequence[Any]) -> Call:
    """``f(x, y)``."""
    function, *args = children
    return Call(function, tuple(args), span)


# -------------------------------------------------------------------------------------------------------------- chains


def tensor(span: Span, children: Sequence[Any]) -> Tensor:
    """``f @ g``."""
    return Tensor(tuple(children), span)


def chain(span: Span, children: Sequence[Any]) -> Chain:
    """``f ; g``."""
    return Chain(tuple(children), span)


def sum_(span: Span, children: Sequence[Any]) -> Sum:
    """``f + g - h``."""
    return Sum(tuple(children), span)


def minus(span: Span, children: Sequence[Any]) -> Number | Scaled:
    """``-f``: a number or a scaled term changes its sign, anything else is scaled by -1."""
    match children[0]:
        case Number(scalar):
            return Number(replace(scalar, value=-scalar.value, span=span), span)
        case Scaled(scalar, term):
            return Scaled(replace(scalar, value=-scalar.value), term, span)
        case term:
            sign = Span(span.source, span.start, span.start + 1)
            return Scaled(Scalar(Fraction(-1), (), sign), term, span)


# ------------------------------------------------------------------------------------------------------------- scalars


class Operation(NamedTuple):
    """``* term`` or ``/ term``, until the whole product is known."""

    sign: Literal[1, -1]
    term: Term
    span: Span


def times(span: Span, children: Sequence[Any]) -> Operation:
    """``* term``."""
    return Operation(1, children[0], span)


def over(span: Span, children: Sequence[Any]) -> Operation:
    """``/ term``."""
    return Operation(-1, children[0], span)


def product(span: Span, children: Sequence[Any]) -> Number | Scaled:
    """``1/2 * f``: scalars, and behind the last ``*`` perhaps a term that they scale.

    Raises: CatnnError E0018 where a diagram stands among the scalars, E0019 for a division by zero.
    """
    first, *operations = children
    last = operations[-1]
    scaled = None
    if last.sign == 1 and not isinstance(last.term, Number):
        scaled = last.term
        operations = operations[:-1]
    scalar = _Scalar(span)
    scalar.multiply(first, 1)
    for operation in operations:
        scalar.multiply(operation.term, operation.sign)
    if scaled is None:
        return Number(scalar.done(span), span)
    until = operations[-1].span.end if operations else first.span.end
    part = scalar.done(Span(span.source, span.start, until))
    if isinstance(scaled, Scaled):
        return Scaled(_product(part, scaled.scalar), scaled.term, span)
    return Scaled(part, scaled, span)


def _product(left: Scalar, right: Scalar) -> Scalar:
    both = _Scalar(left.span)
    for scalar in (left, right):
        both.multiply(Number(scalar, scalar.span), 1)
    return both.done(left.span.to(right.span))


class _Scalar:
    """A scalar while its factors come in."""

    def __init__(self, span: Span) -> None:
        self.span = span
        self.value = Fraction(1)
        self.powers: dict[str, int] = {}

    def multiply(self, term: Term, sign: Literal[1, -1]) -> None:
        """Take another factor (sign 1) or divisor (sign -1)."""
        while isinstance(term, Brackets | Scaled):
            if isinstance(term, Scaled):
                self._multiply(term.scalar, sign, term.span)
            term = term.term
        match term:
            case Number(scalar):
                self._multiply(scalar, sign, term.span)
            case Power(Number(scalar), int(exponent)) if exponent <= _MAX_POWER:
                for _ in range(exponent):
                    self._multiply(scalar, sign, term.span)
            case Power(Generator(Name(text), ()), int(exponent)) if "." not in text and text not in GENERATORS:
                self.powers[text] = self.powers.get(text, 0) + sign * exponent
            case Generator(Name(text), ()) if "." not in text and text not in GENERATORS:
                self.powers[text] = self.powers.get(text, 0) + sign
            case _:
                raise _not_a_scalar(term)

    def _multiply(self, scalar: Scalar, sign: Literal[1, -1], span: Span) -> None:
        if sign == -1 and not scalar.value:
            raise fault("E0019", "division by zero", span, "is zero", note="a scalar is a quotient of non-zero numbers")
        self.value = self.value * scalar.value if sign == 1 else self.value / scalar.value
        if max(abs(self.value.numerator), self.value.denominator).bit_length() > _MAX_BITS:
            raise fault("E0008", f"a number of more than {MAX_DIGITS:,} digits", self.span, "too long")
        for name, power in scalar.powers:
            self.powers[name] = self.powers.get(name, 0) + sign * power

    def done(self, span: Span) -> Scalar:
        """The product, in its normal form."""
        powers = tuple(sorted((name, power) for name, power in self.powers.items() if power)) if self.value else ()
        return Scalar(self.value, powers, span)


def _not_a_scalar(term: Term) -> Exception:
    text = term.span.text if len(term.span.text) <= 30 else "this"
    return fault(
        "E0018",
        f"`{text}` is not a scalar",
        term.span,
        "a diagram",
        note="`*` scales by a number or a size, and the scalar comes first: `1/2 * f`",
        fix="the tensor product of two diagrams is `@`, their composite is `;`",
    )


# ---------------------------------------------------------------------------------------------- values of attributes


def setting(span: Span, term: Term) -> Name | Scalar:
    """The value of an attribute: a name or a scalar."""
    if isinstance(term, Generator) and not term.args:
        return term.name
    scalar = _Scalar(span)
    scalar.multiply(term, 1)
    return scalar.done(term.span)


def decimal(span: Span, token: Token, sign: int) -> Scalar:
    """``0.5``, exactly."""
    return Scalar(sign * Fraction(token.text), (), span_of_token(span, token))
