"""Exact coefficients: Laurent polynomials over the rationals in the sizes of the spaces.

Composition makes a factor n for each closed loop, users write ``(1/n) *``, and sums add up; nothing else occurs, so a
small class of our own keeps sympy (0.3 s to import) out of `catnn check`.  `Scalar.sympy` is how people read them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sympy

Size = int | str
MOST_POWER = 1000
"""The largest exponent that text may have, of one monomial."""
FEW = 20
"""The largest exponent that text may have, of a sum."""

Monomial = tuple[tuple[str, int], ...]
Scale = tuple[tuple[Size, int], ...]
"""Powers of sizes; of numbers too, where a mask may count less than the number."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A Laurent polynomial in sizes: a sum of monomials with rational coefficients.

    terms: ((monomial, coefficient), ...), sorted, without zeros; a monomial is ((size name, exponent), ...), sorted.

    >>> n = Scalar.size("n")
    >>> print(n * n + Scalar.of(Fraction(1, 2)), n / n, n - n)
    1/2 + n^2 1 0
    """

    terms: tuple[tuple[Monomial, Fraction], ...]

    @staticmethod
    def of(value: Scalar | sympy.Expr | Fraction | int | str) -> Scalar:
        """A number, a Laurent polynomial of sympy, or what `str` of a scalar shows, as a scalar.

        Raises: TypeError for a float, which is not exact, and for anything else; ValueError for other text.

        >>> print(Scalar.of("1/2 - 3*n^2/m"), Scalar.of(7))
        1/2 - 3*n^2/m 7
        """
        if isinstance(value, Scalar):
            return value
        if isinstance(value, str):
            return _parse(value)
        if isinstance(value, (int, Fraction)):
            return Scalar((((), Fraction(value)),)) if value else ZERO
        if hasattr(value, "as_coefficients_dict") and hasattr(value, "expand"):
            return _parse(str(value.expand()).replace("**", "^"))
        raise TypeError(f"{value!r} is no exact scalar: give an int, a Fraction, a sympy expression or text")

    @staticmethod
    def size(size: Size, exponent: int = 1) -> Scalar:
        """A power of a size, which is a name or a number.

        Raises: ZeroDivisionError for a negative power of the number 0.
        """
        if isinstance(size, int):
            return Scalar.of(Fraction(size) ** exponent)
        return Scalar(((((size, exponent),), Fraction(1)),)) if exponent else ONE

    @staticmethod
    def _collect(pairs: Iterable[tuple[Monomial, Fraction]]) -> Scalar:
        total: dict[Monomial, Fraction] = {}
        for monomial, coefficient in pairs:
            total[monomial] = total.get(monomial, Fraction(0)) + coefficient
        return Scalar(tuple(sorted((m, c) for m, c in total.items() if c)))

    def __add__(self, other: Scalar) -> Scalar:
        return Scalar._collect(self.terms + other.terms)

    def __neg__(self) -> Scalar:
        return Scalar(tuple((m, -c) for m, c in self.terms))

    def __sub__(self, other: Scalar) -> Scalar:
        return self + -other

    def __mul__(self, other: Scalar) -> Scalar:
        if other.terms == ONE.terms:
            return self
        if self.terms == ONE.terms:
            return other
        return Scalar._collect((_times(m, p), c * d) for m, c in self.terms for p, d in other.terms)

    def __truediv__(self, other: Scalar) -> Scalar:
        """Division by a monomial.

        Raises: ZeroDivisionError for 0; ValueError for a sum, which has no inverse among Laurent polynomials.
        """
        if not other.terms:
            raise ZeroDivisionError("division by zero")
        if len(other.terms) > 1:
            raise ValueError(f"cannot divide by the sum {other}")
        ((monomial, coefficient),) = other.terms
        return self * Scalar(((tuple((s, -e) for s, e in monomial), 1 / coefficient),))

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __str__(self) -> str:
        if not self.terms:
            return "0"
        shown = [_show(m, c) for m, c in self.terms]
        return " + ".join(shown).replace("+ -", "- ")

    def substitute(self, sizes: Mapping[str, int]) -> Scalar:
        """The scalar with some of its sizes made numbers."""
        result = ZERO
        for monomial, coefficient in self.terms:
            factor = Scalar.of(coefficient)
            for size, exponent in monomial:
                factor = factor * Scalar.size(sizes.get(size, size), exponent)
            result = result + factor
        return result

    def value(self, sizes: Mapping[str, int] | None = None) -> Fraction:
        """The rational number at these sizes.  Raises: KeyError where one is missing."""
        result = self.substitute(sizes or {})
        for monomial, _ in result.terms:
            if monomial:
                raise KeyError(monomial[0][0])
        return result.terms[0][1] if result.terms else Fraction(0)

    def sympy(self) -> sympy.Expr:
        """The same as a sympy expression; sizes are positive integer symbols."""
        import sympy

        total: Any = sympy.Integer(0)
        for monomial, coefficient in self.terms:
            term: Any = sympy.Rational(coefficient.numerator, coefficient.denominator)
            for size, exponent in monomial:
                term *= sympy.Symbol(size, integer=True, positive=True) ** exponent
            total += term
        return total


ZERO = Scalar(())
ONE = Scalar((((), Fraction(1)),))


def scaled(coefficient: Scalar, text: str) -> str:
    """A text behind its coefficient, as `catnn fmt` writes it; what `+` or `;` joins is to be in brackets.

    >>> scaled(Scalar.of("1/2"), "[i -> i]"), scaled(-ONE, "f"), scaled(Scalar.of("1 - 1/n"), "f")
    ('1/2 * [i -> i]', '-f', '(1 - 1/n) * f')
    """
    if coefficient == ONE:
        return text
    if coefficient == -ONE:
        return f"-{text}"
    return f"({coefficient}) * {text}" if len(coefficient.terms) > 1 else f"{coefficient} * {text}"


def summed(terms: Iterable[tuple[Scalar, str]]) -> str:
    """Texts with their coefficients, one behind the other; 0 where there is none.

    >>> summed([(Scalar.of(2), "f"), (Scalar.of("-1/n"), "g")]), summed([])
    ('2 * f - 1/n * g', '0')
    """
    found = ""
    for coefficient, text in terms:
        minus = len(coefficient.terms) == 1 and coefficient.terms[0][1] < 0
        joint = (" - " if minus else " + ") if found else "-" if minus else ""
        found += joint + scaled(-coefficient if minus else coefficient, text)
    return found or "0"


def _times(left: Monomial, right: Monomial) -> Monomial:
    exponents = dict(left)
    for size, exponent in right:
        exponents[size] = exponents.get(size, 0) + exponent
    return tuple(sorted((s, e) for s, e in exponents.items() if e))


def _parse(text: str) -> Scalar:
    """An expression of numbers and sizes with + - * / and ^ (or **); Python reads it, nothing is executed."""
    try:
        return _value(ast.parse(text.replace("^", "**"), mode="eval").body)
    except (SyntaxError, TypeError, KeyError, RecursionError):
        raise ValueError(f"{text!r} is no scalar: a sum of products of numbers and sizes, as in '1/2*n^2'") from None


def _value(node: ast.expr) -> Scalar:
    match node:
        case ast.Constant(value=int(number)):
            return Scalar.of(number)
        case ast.Name(id=size):
            return Scalar.size(size)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _value(left) + _value(right)
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return _value(left) - _value(right)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _value(left) * _value(right)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _value(left) / _value(right)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            base, exponent = _value(left), _value(right).value()
            if exponent.denominator == 1 and abs(exponent) <= (MOST_POWER if len(base.terms) < 2 else FEW):
                return _power(base, int(exponent))
    raise TypeError


def _power(base: Scalar, exponent: int) -> Scalar:
    result = ONE
    for _ in range(abs(exponent)):
        result = result * base if exponent > 0 else result / base
    return result


def _show(monomial: Monomial, coefficient: Fraction) -> str:
    above = [s if e == 1 else f"{s}^{e}" for s, e in monomial if e > 0]
    below = [s if e == -1 else f"{s}^{-e}" for s, e in monomial if e < 0]
    if abs(coefficient.numerator) != 1 or not above:
        above.insert(0, _digits(abs(coefficient.numerator)))
    if coefficient.denominator != 1:
        below.insert(0, _digits(coefficient.denominator))
    sign = "-" if coefficient < 0 else ""
    bottom = below[0] if len(below) == 1 else f"({'*'.join(below)})"
    return sign + "*".join(above) + (f"/{bottom}" if below else "")


CHUNK = 10**4000
"""Python writes no more digits than about so many at a time."""


def _digits(value: int) -> str:
    """A positive integer in decimal, however long."""
    chunks: list[str] = []
    while value >= CHUNK:
        value, rest = divmod(value, CHUNK)
        chunks.append(f"{rest:04000d}")
    return "".join([str(value), *reversed(chunks)])
