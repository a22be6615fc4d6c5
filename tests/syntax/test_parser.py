"""What the forms of the language parse to."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from catnn.diagnostics import CatnnError
from catnn.syntax import nodes as n
from catnn.syntax.parser import parse, parse_arrow, parse_group, parse_pattern, parse_term, parse_type
from catnn.syntax.printer import format_source, show

LANGUAGE = Path(__file__).with_name("language.catnn").read_text(encoding="utf-8")


def spans(node: Any) -> list[Any]:
    """A node and all nodes below it, each with the span of the node above it."""
    found, stack = [], [(node, node.span)]
    while stack:
        item, outer = stack.pop()
        if isinstance(item, tuple):
            stack.extend((part, outer) for part in item)
        elif hasattr(item, "__dataclass_fields__") and hasattr(item, "span"):
            found.append((item, outer))
            stack.extend((getattr(item, field), item.span) for field in item.__dataclass_fields__ if field != "span")
    return found


def test_the_whole_language() -> None:
    module = parse(LANGUAGE, "language.catnn")
    assert len(module.statements) == 49
    assert len(module.comments) == 6
    assert parse(format_source(LANGUAGE)) == module
    assert parse(LANGUAGE.replace("\n", "\r\n")) == parse(LANGUAGE.replace("\n", "\r")) == module
    assert parse("\ufeff" + LANGUAGE) == module


def test_every_node_has_its_span() -> None:
    """Spans nest, and the text of a span is the text of the node."""
    module = parse(LANGUAGE)
    for statement in module.statements:
        for node, outer in spans(statement):
            assert outer.start <= node.span.start <= node.span.end <= outer.end, node
            if isinstance(node, n.Name | n.Generator | n.Pattern | n.Brackets | n.Chain | n.Tensor | n.Scaled):
                assert show(parse_term(node.span.text)) == show(node)
        assert parse(statement.span.text).statements == (statement,)


def test_ascii_and_unicode_are_equal() -> None:
    assert parse_term("copy ⊗ id ; merge†") == parse_term("copy @ id ; merge'")
    assert parse_arrow("V⊗V → V") == parse_arrow("V @ V -> V")


def test_precedence() -> None:
    assert show(parse_term("a;b@c+d")) == "a ; b @ c + d"
    match parse_term("f + 1/2 * g' @ h ; k"):
        case n.Sum((n.Generator(), n.Chain((n.Tensor((n.Scaled(scalar, n.Dagger()), n.Generator())), n.Generator())))):
            assert scalar.value == Fraction(1, 2)
        case other:
            pytest.fail(repr(other))


def test_scalars() -> None:
    def scalar(text: str) -> tuple[Fraction, tuple[tuple[str, int], ...]]:
        term = parse_term(text)
        assert isinstance(term, n.Scaled | n.Number)
        return term.scalar.value, term.scalar.powers

    assert scalar("1/2 * f") == (Fraction(1, 2), ())
    assert scalar("(1/n) * f") == scalar("1/n * f") == (Fraction(1), (("n", -1),))
    assert scalar("-f") == (Fraction(-1), ())
    assert scalar("2*n*n/(3*m) * f") == (Fraction(2, 3), (("m", -1), ("n", 2)))
    assert scalar("n/n") == scalar("1") == (Fraction(1), ())
    assert scalar("0*n/3") == (Fraction(0), ())
    assert scalar("-(n)*f") == scalar("-n*f") == (Fraction(-1), (("n", 1),))


def test_numbers_and_types_in_square_brackets() -> None:
    match parse_term("perm[2,0,1]"), parse_term("id[V^2]"), parse_term("id[1]"):
        case n.Generator(_, (2, 0, 1)), n.Generator(_, (n.Type(),)), n.Generator(_, (1,)):
            pass
        case other:
            pytest.fail(repr(other))


def test_types() -> None:
    assert show(parse_type("V^2[16]+V[8]+1[4]")) == "V^2[16] + V[8] + 1[4]"
    assert parse_type("1").summands[0] == n.Summand((), None, parse_type("1").span)
    assert parse_type("U^2'") == parse_type("U'^2")
    assert parse_type("1 @ V") == parse_type("V")


@pytest.mark.parametrize("text", ["S(n)", "S'(4)", "S+(n)", "O(1,3)", 'Aut("f.graphml")', "Perm(5, (0 1)(2 3))", "64"])
def test_groups(text: str) -> None:
    assert show(parse_group(text)) == text


def test_patterns() -> None:
    assert parse_pattern("i j -> j i") == parse_pattern(" [i j -> j i]")
    assert parse_pattern("->") == parse_pattern("[->]")
    assert parse_pattern("sgn[i j -> k]").sign
    assert [space.text for space in parse_pattern("sgn[V W][i a -> b]").signed] == ["V", "W"]
    assert [len(value) for value in parse_pattern("i d, j d -> i j").inputs] == [2, 2]


def test_bindings_end_with_a_semicolon_or_a_line() -> None:
    (one,) = parse("network f(x: V) -> V { y = g(x) ; z = h(y) ; return z ; }").statements
    (two,) = parse("network f(x: V) -> V {\n y = g(x)\n z = h(y)\n return z }").statements
    assert one == two
    assert isinstance(one, n.PointfulStatement)
    assert [len(b.names) for b in one.body] == [1, 1, 0]


@pytest.mark.parametrize(
    ("parse_it", "text", "code"),
    [
        (parse_term, "", "E0015"),
        (parse_term, "f ;", "E0015"),
        (parse_term, "f ) ", "E0012"),
        (parse_type, "V^", "E0015"),
        (parse_type, "64", "E0023"),
        (parse_arrow, "V", "E0015"),
        (parse_arrow, "V => W", "E0016"),
        (parse_arrow, "V -> V -> V", "E0010"),
        (parse_group, "S", "E0010"),
        (parse_group, "S(n) S(n)", "E0010"),
        (parse_pattern, "i j", "E0017"),
        (parse_pattern, "i -> j -> k", "E0017"),
        (parse_term, "space", "E0014"),
    ],
)
def test_parts_alone(parse_it: Any, text: str, code: str) -> None:
    with pytest.raises(CatnnError) as caught:
        parse_it(text)
    assert [diagnostic.code for diagnostic in caught.value.diagnostics] == [code]
