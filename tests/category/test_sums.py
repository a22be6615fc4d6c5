"""Linear combinations, and the exact scalars in front of them."""

from __future__ import annotations

from fractions import Fraction

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import catnn
from catnn.category.compose import identity
from catnn.category.diagram import Diagram, Sum, linear
from catnn.category.scalar import ONE, ZERO, Scalar
from tests.category.making import S, chains, scalars, sums

N = Scalar.size("n")
quick = settings(max_examples=60, deadline=None)
AT = {"n": 3, "m": 2}


@quick
@given(scalars(), scalars(), scalars())
def test_scalars_are_a_ring(a: Scalar, b: Scalar, c: Scalar) -> None:
    assert a + b == b + a
    assert a * b == b * a
    assert (a + b) * c == a * c + b * c
    assert (a * b) * c == a * (b * c)
    assert a + ZERO == a == a * ONE
    assert a - a == ZERO
    assert not a * ZERO
    assert hash(a + b) == hash(b + a)


@quick
@given(scalars(), scalars())
def test_evaluation_is_a_homomorphism(a: Scalar, b: Scalar) -> None:
    assert (a * b).value(AT) == a.value(AT) * b.value(AT)
    assert (a + b).value(AT) == a.value(AT) + b.value(AT)
    assert a.substitute({"n": 3}).value({"m": 2}) == a.value(AT)


@quick
@given(scalars())
def test_scalars_as_people_read_them(a: Scalar) -> None:
    """sympy agrees with the value, and the printed text is the number."""
    exact = a.sympy().subs({symbol: AT[symbol.name] for symbol in a.sympy().free_symbols})
    assert Fraction(int(exact.p), int(exact.q)) == a.value(AT)
    named = {"n": 3.0, "m": 2.0}
    assert eval(str(a).replace("^", "**"), {}, named) == pytest.approx(float(a.value(AT)))


def test_wires_of_one_name_and_two_groups_are_told_apart() -> None:
    one, other = catnn.diagram("S(n)", "i -> i"), catnn.diagram("O(n)", "i -> i")
    with pytest.raises(catnn.CatnnError, match=r"it produces V of S\(n\), not V of O\(n\)"):
        one >> other
    with pytest.raises(catnn.CatnnError, match=r"`V -> V` of O\(n\) and `V -> V` of S\(n\) cannot be added"):
        other + one


def test_scalars_divide_by_monomials() -> None:
    assert ONE / N * N == ONE
    assert (N * N + N) / N == N + ONE
    with pytest.raises(ZeroDivisionError):
        ONE / ZERO
    with pytest.raises(ValueError):
        ONE / (N + ONE)
    with pytest.raises(ZeroDivisionError):
        (ONE / N).value({"n": 0})
    with pytest.raises(KeyError):
        N.value()
    assert Scalar.size(3, -2) == Scalar.of(Fraction(1, 9))
    assert str(ONE / (N * Scalar.of(2))) == "1/(2*n)"


@quick
@given(st.data())
def test_sums_are_bilinear(data: st.DataObject) -> None:
    f, g = data.draw(chains((S,), 2, 2))
    a, b = data.draw(sums(f.source, f.target)), data.draw(sums(f.source, f.target))
    c, s = data.draw(sums(g.source, g.target)), data.draw(scalars())
    assert a + b == b + a
    assert (a + b) >> c == (a >> c) + (b >> c)
    assert (a + b) @ c == a @ c + b @ c
    assert (a * s) >> c == (a >> c) * s == a >> (c * s)
    assert (a * s).dagger() == a.dagger() * s
    assert not a - a
    assert str(a - a) == "0"
    assert hash(a + b) == hash(b + a)
    numpy.testing.assert_allclose(
        (a + b).matrix(**{n: AT[n] for n in (a + b).size_names}),
        a.matrix(**{n: AT[n] for n in a.size_names}) + b.matrix(**{n: AT[n] for n in b.size_names}),
        atol=1e-9,
    )


def test_a_sum_of_one_is_that_diagram() -> None:
    d = Diagram((S, S), (S,), ((0, 1), (2,)))
    once = d + d - d
    assert isinstance(once, Sum)
    assert once == d
    assert d == once
    assert once.parts == d.parts
    assert str(once) == str(d) == "[i j -> i]"
    assert len({once, d}) == 1
    assert d * 2 != d
    assert d != 1
    with pytest.raises(AttributeError):
        _ = (d * 2).parts


def test_laurent_coefficients() -> None:
    """The average over the permuted wire is a projection."""
    row = Diagram((S,), (S,), ((0,), (1,)))
    mean = row * (ONE / N)
    assert mean >> mean == mean
    rest = identity((S,)) - mean
    assert rest >> rest == rest
    assert not rest >> mean
    numpy.testing.assert_allclose(rest.matrix(4), numpy.eye(4) - 1 / 4)
    ((coefficient, _),) = mean.terms
    assert str(coefficient) == "1/n"
    assert str(mean) == "1/n * [i -> j]"
    assert linear((S,), (S,), ()).matrix(2).tolist() == [[0, 0], [0, 0]]
