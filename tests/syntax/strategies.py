"""Random nodes of the whole language, each as the parser would make it: in normal form, with brackets where needed."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from catnn.diagnostics import Source, Span
from catnn.syntax import nodes as n
from catnn.syntax.lalr import tables

SPAN = Span(Source("", ""), 0, 0)
WORDS = ("V", "W", "R", "i", "j", "n", "m", "mix", "relu", "row_2", "Sym", "S", "α", "fixed", "reduce", "e5")


def tuples(items: st.SearchStrategy[Any], least: int = 0, most: int = 3) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(items, min_size=least, max_size=most).map(tuple)


def make(kind: Callable[..., Any], *parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A node of these parts, with a span that does not matter."""
    return st.builds(lambda *values: kind(*values, SPAN), *parts)


text = st.one_of(
    st.sampled_from(WORDS),
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True).filter(
        lambda word: word not in tables().keywords.values()
    ),
)
size_text = st.sampled_from(["n", "m", "k_2"])
name = make(n.Name, text)
reference = st.one_of(name, make(n.Name, st.builds("{}.{}".format, text, text)))
file_name = make(n.FileName, st.from_regex(r"[a-z/. é#;]{0,8}", fullmatch=True))
size = st.integers(0, 2**31 - 1)


@st.composite
def scalars(draw: st.DrawFn) -> n.Scalar:
    value = draw(st.fractions(-99, 99, max_denominator=99) | st.just(Fraction(-1)) | st.just(Fraction(1)))
    powers = draw(st.dictionaries(size_text, st.integers(-3, 3).filter(bool))) if value else {}
    return n.Scalar(value, tuple(sorted(powers.items())), SPAN)


def _is_plain_name(scalar: n.Scalar) -> bool:
    return scalar.value == 1 and len(scalar.powers) == 1 and scalar.powers[0][1] == 1


# ------------------------------------------------------------------------------------------------- groups and types

cycle = tuples(size, 1)
argument = st.one_of(size, name, file_name, cycle, make(n.Permutation, tuples(cycle, 2)))
group = st.one_of(
    make(n.Group, st.builds("{}{}".format, text, st.sampled_from(["", "'", "+"])), tuples(argument, 1)),
    make(n.Group, st.just(""), st.tuples(size)),
)
power = st.integers(0, 5) | st.just(1)
factor = st.one_of(
    make(n.Factor, reference, st.booleans(), power, st.just(False)),
    make(n.Factor, reference, st.booleans(), power, st.just(True)),
)
summand = make(n.Summand, tuples(factor), st.none() | st.integers(1, 2**31 - 1))
type_ = make(n.Type, tuples(summand, 1))
arrow = make(n.Arrow, type_, type_)

# ------------------------------------------------------------------------------------------------------------ terms

UNIT = n.Type((n.Summand((), None, SPAN),), SPAN)
static = st.integers(0, 1000) | type_.filter(lambda t: t != UNIT)
letters = tuples(name)
number = make(n.Number, scalars())
leaf = st.one_of(
    make(n.Generator, reference, st.just(())),
    make(n.Generator, reference, tuples(static, 1)),
    make(n.Pattern, tuples(letters, 1), letters, st.booleans()),
    st.builds(n.Pattern, tuples(letters, 1), letters, st.just(True), st.just(SPAN), tuples(name, 1)),
    st.builds(n.All, st.just(SPAN)),
    st.builds(n.Bias, st.just(SPAN)),
)


def _extend(term: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Terms over terms, without the brackets that they need."""
    return st.one_of(
        make(n.Dagger, term),
        make(n.Power, term, st.integers(0, 1000) | name),
        make(n.Call, term, tuples(term)),
        make(n.Scaled, scalars(), term.filter(lambda t: not isinstance(t, n.Scaled | n.Number))),
        make(n.Tensor, tuples(term, 2)),
        make(n.Chain, tuples(term, 2)),
        make(n.Sum, tuples(term, 2)),
        make(n.SpanOf, tuples(term, 1)),
        make(n.Brackets, term),
    )


loose = st.recursive(leaf | number, _extend, max_leaves=12)
"""Terms as a program may build them: what they hold together with is not always enough."""

# ------------------------------------------------------------------------------------------------------- statements

names = tuples(name, 1)
attribute_value = st.one_of(name, scalars().filter(lambda s: not _is_plain_name(s)))
attributes = tuples(make(n.Attribute, name, attribute_value))


def statements(term: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    binding = make(n.Binding, names, st.tuples(term))
    result = make(n.Binding, st.just(()), tuples(term, 1))
    body = st.builds(lambda some, last: (*some, last), tuples(binding), result)
    kinds = st.one_of(st.just(("learned", None)), st.tuples(text, st.none()), st.tuples(text, file_name))
    return st.one_of(
        make(n.SpaceStatement, names, group),
        make(n.LetStatement, name, arrow, term),
        make(n.LayerStatement, name, arrow, term, attributes),
        make(n.LayerStatement, name, st.none(), make(n.Generator, reference, st.just(())), attributes),
        make(n.NetworkStatement, name, arrow, term),
        make(n.PointfulStatement, name, tuples(make(n.Parameter, name, type_)), tuples(type_, 1), body),
        st.builds(lambda ns, a, k, at: n.BoxStatement(ns, a, k[0], k[1], at, SPAN), names, arrow, kinds, attributes),
        make(n.RuleStatement, name, term, term, st.booleans(), st.none() | arrow),
        make(n.CheckStatement, term, term, st.none() | arrow),
        make(n.ImportStatement, file_name, name),
    )
