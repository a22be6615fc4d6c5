"""Coefficients as JSON: the sum of its monomials, [[rational, {size: exponent}], ...], a rational as a string."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from typing import Any

from catnn.category.scalar import ZERO, Scalar
from catnn.view.refusal import refuse

RATIONAL = re.compile(r"-?\d{1,4000}(/\d{1,4000})?")
"""A number as it is written: no exponents, which could make one of any length."""


def scalar_data(scalar: Scalar) -> list[Any]:
    """A coefficient as plain data.

    >>> scalar_data(Scalar.size("n") * Scalar.of("1/2"))
    [['1/2', {'n': 1}]]
    """
    return [[str(c), dict(m)] for m, c in scalar.terms]


def scalar_text(scalar: Scalar) -> str:
    """The same as text."""
    return json.dumps(scalar_data(scalar))


def read_scalar_data(monomials: Any) -> Scalar:
    """The coefficient of such data.  Raises: DocumentError where it is none."""
    total = ZERO
    try:
        for rational, exponents in monomials:
            if not RATIONAL.fullmatch(rational):
                raise refuse(f"{rational[:40]!r} is no rational number")
            term = Scalar.of(Fraction(rational))
            for size, exponent in exponents.items():
                if type(exponent) is not int:
                    raise refuse(f"{exponent!r} is no exponent")
                term = term * Scalar.size(size, exponent)
            total = total + term
    except (TypeError, AttributeError, ZeroDivisionError) as fault:
        raise refuse(f"{str(monomials)[:80]} is no coefficient: {fault}") from None
    return total


def read_scalar(text: Any) -> Scalar:
    """The coefficient of such a text.  Raises: DocumentError where it is none."""
    try:
        return read_scalar_data(json.loads(text))
    except (TypeError, RecursionError, json.JSONDecodeError):
        raise refuse(f"{str(text)[:80]!r} is no coefficient") from None
