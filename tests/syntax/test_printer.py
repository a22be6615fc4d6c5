"""Text to Syntax and back: what is printed parses to what was printed, and formatting twice changes nothing more."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catnn.diagnostics import CatnnError
from catnn.syntax import nodes as n
from catnn.syntax import parser
from catnn.syntax.lexing import tokenize
from catnn.syntax.printer import WIDTH, format_source, show
from tests.syntax import strategies as some

FEW = settings(max_examples=80, deadline=None)


def bare(node: Any) -> Any:
    """A node without its `Brackets`."""
    if isinstance(node, n.Brackets):
        return bare(node.term)
    if isinstance(node, tuple):
        return tuple(bare(item) for item in node)
    if hasattr(node, "__dataclass_fields__"):
        fields = [field for field in node.__dataclass_fields__ if field not in ("span", "comments", "broken")]
        return (type(node).__name__, *(bare(getattr(node, field)) for field in fields))
    return node


@FEW
@given(some.type_)
def test_types(node: n.Type) -> None:
    assert parser.parse_type(show(node)) == node


@FEW
@given(some.arrow)
def test_arrows(node: n.Arrow) -> None:
    assert parser.parse_arrow(show(node)) == node


@FEW
@given(some.group)
def test_groups(node: n.Group) -> None:
    assert parser.parse_group(show(node)) == node


@settings(max_examples=250, deadline=None)
@given(some.loose)
def test_terms(node: n.Term) -> None:
    """Printing puts in the brackets that a term needs, so only they are new; then nothing is."""
    parsed = parser.parse_term(show(node))
    assert bare(parsed) == bare(node)
    assert parser.parse_term(show(parsed)) == parsed
    assert show(parsed) == show(node)


@settings(max_examples=120, deadline=None)
@given(st.lists(some.statements(some.loose), max_size=3))
def test_files(statements: list[n.Statement]) -> None:
    module = n.Module(tuple(statements))
    text = show(module)
    parsed = parser.parse(text)
    assert bare(parsed) == bare(module)
    assert parser.parse(show(parsed)) == parsed
    formatted = format_source(text)
    assert parser.parse(formatted) == parsed
    assert format_source(formatted) == formatted


@settings(max_examples=120, deadline=None)
@given(st.lists(some.statements(some.loose), min_size=1, max_size=2), st.randoms(use_true_random=False))
def test_comments_anywhere(statements: list[n.Statement], random: Any) -> None:
    """Comments between any two tokens are all kept, in their order, and change nothing."""
    text = show(n.Module(tuple(statements)))
    tokens, _ = tokenize(parser.make_source(text, "<text>"))
    places = sorted({random.choice(tokens).end for _ in range(3)}, reverse=True)
    for number, place in enumerate(places):
        text = text[:place] + random.choice([" ", "\n", "\n\n"]) + f"# comment {number}\n" + text[place:]
    formatted = format_source(text)
    assert parser.parse(formatted) == parser.parse(text)
    kept = [comment for _, comment in parser.parse(formatted).comments]
    assert kept == [comment for _, comment in parser.parse(text).comments]
    assert format_source(formatted) == formatted


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("copy⊗id;id⊗merge", "copy @ id ; id @ merge"),
        ("(1/2)*f", "1/2 * f"),
        ("- -f", "1 * f"),
        ("f - 2*g + -h", "f - 2 * g - h"),
        ("2*n*m/1*1", "m*n*2"),
        ("n*3", "n*3"),
        ("3*n", "3 * n"),
        ("f†'", "f''"),
        ("[->]", "[->]"),
        ("[ -> i ]", "[-> i]"),
        ("[i i->]", "[i i -> ]"),
        ("[i d,j d→i j](q,k)", "[i d, j d -> i j](q, k)"),
        ("sgn [i j -> k]", "sgn[i j -> k]"),
        ("sgn [ V  W ] [i j a->k a]", "sgn[V W][i j a -> k a]"),
        ("perm[ 2,0 , 1 ]", "perm[2,0,1]"),
        ("span{f,g,}", "span { f, g }"),
        ("id[1]", "id[1]"),
    ],
)
def test_canonical_terms(written: str, printed: str) -> None:
    assert show(parser.parse_term(written)) == printed


def test_long_statements_are_broken_after_operators() -> None:
    text = "check " + " ; ".join(["relu"] * 60) + " = id"
    formatted = format_source(text)
    lines = formatted.splitlines()
    assert len(lines) > 3
    assert max(map(len, lines)) <= WIDTH
    assert all(line.startswith("  ") and line[2] != " " for line in lines[1:])
    assert all(line.endswith(";") for line in lines[:-1])
    assert format_source(formatted) == formatted


def test_comments_and_blank_lines_of_a_file() -> None:
    text = """\


# head


# second
space V:S(n)# wires
layer pool : V^2[16] -> V[8] = span { # what it lists
  [i j -> i], # rows

  # columns
  [i j -> j] }   # end


network f(x: V) -> V { # open
  y = relu(x)   # trail

  # own
  return y
  # last
}
# foot
"""
    assert (
        format_source(text)
        == """\
# head

# second
space V : S(n)                         # wires
layer pool : V^2[16] -> V[8] = span {  # what it lists
  [i j -> i],                          # rows
  # columns
  [i j -> j] }                         # end

network f(x: V) -> V {  # open
  y = relu(x)           # trail
  # own
  return y
  # last
}
# foot
"""
    )


def test_a_closing_brace_stands_behind_what_it_closes() -> None:
    listed = ", ".join(["[i j -> i j]"] * 5)
    assert format_source(f"layer fold:V^2->V^2=span{{{listed}}}").splitlines() == [
        f"layer fold : V^2 -> V^2 = span {{ {', '.join(['[i j -> i j]'] * 4)},",
        "  [i j -> i j] }",
    ]


def test_comments_of_a_paragraph_stand_below_one_another() -> None:
    """But those behind long code stand behind it, and what is long moves none of the others."""
    long = "check " + " ; ".join(["copy ; merge"] * 5) + " = id"
    lone = "space R : O(3)  # alone"
    text = f"space V : S(n) # wires\nspace N : 64 # plain\n{long} # long\nspace ABC : S(k)\n\n{lone}"
    formatted = format_source(text)
    assert formatted == (
        f"space V : S(n)  # wires\nspace N : 64    # plain\n{long}  # long\nspace ABC : S(k)\n\n{lone}\n"
    )
    assert format_source(formatted) == formatted


def test_nothing_and_only_comments() -> None:
    assert format_source("") == ""
    assert format_source(" \n\n") == ""
    assert format_source("\n# a") == "# a\n"


def test_comments_behind_one_another() -> None:
    """One inside of a bracket that closes on the next line, one behind the bracket."""
    text = "let f : V -> V[1 # inside\n] = id[0 # a\n] # b\n# c\n"
    formatted = format_source(text)
    assert formatted == "let f : V -> V[1] =  # inside\n  id[0]              # a\n# b\n# c\n"
    assert format_source(formatted) == formatted


def test_broken_text_is_not_formatted() -> None:
    with pytest.raises(CatnnError):
        format_source("layr x")
    with pytest.raises(TypeError):
        show(object())
