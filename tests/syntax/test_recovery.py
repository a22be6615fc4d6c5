"""Several errors in one run: one for each broken statement, in file order, none caused by another."""

from __future__ import annotations

import pytest

from catnn.diagnostics import CatnnError, Diagnostic, render
from catnn.syntax.parser import make_source, parse, parse_recovering
from catnn.syntax.printer import show


def faults(text: str) -> tuple[Diagnostic, ...]:
    return parse_recovering(make_source(text, "a.catnn"))[1]


def codes(text: str) -> list[str]:
    return [fault.code for fault in faults(text)]


def test_every_broken_statement_is_one_error_and_the_others_stand() -> None:
    text = """\
space V : S(n)
layer mix V -> V = all
let ok : V -> V = id
let bad : V -> V = (id
layer fine : V -> V = all + bias
space W : : O(3)
check ok = id
let last : V -> V =
"""
    module, found = parse_recovering(make_source(text, "a.catnn"))
    assert [fault.code for fault in found] == ["E0010", "E0011", "E0010", "E0015"]
    assert [fault.labels[0].span.source.line_column(fault.labels[0].span.start)[0] for fault in found] == [2, 4, 6, 8]
    assert [show(statement).split()[0] for statement in module.statements] == ["space", "let", "layer", "check"]
    assert module.broken == ("mix", "V", "bad", "W", "last")
    with pytest.raises(CatnnError) as caught:
        parse(text)
    assert len(caught.value.diagnostics) == 4


@pytest.mark.parametrize(
    "text",
    [
        "space V : S(n)\nlayr mix : V -> V = all\nspace W : O(3)",
        "space V : S(n)\nlayr mix : V -> V = all space W : O(3)",
        "space V : S(n)\n) \nspace W : O(3)",
        "space V : S(n)\n# a\n§\nspace W : O(3)",
        "space V : S(n)\nlet f : V -> V = g(\nspace W : O(3)",
        "space V : S(n)\nlet layer : V -> V = id\nspace W : O(3)",
        "space V : S(n)\nlet f : V -> V = [box -> box]\nspace W : O(3)",
        "space V : S(n)\nnetwork f(x: V) -> V { y = check\n z = 3 3 }\nspace W : O(3)",
        'space V : S(n)\nimprt "a.catnn" as H\nspace W : O(3)',
    ],
)
def test_what_stands_around_an_error_is_not_lost(text: str) -> None:
    module, found = parse_recovering(make_source(text, "a.catnn"))
    assert len(found) == 1
    assert [show(statement) for statement in module.statements] == ["space V : S(n)", "space W : O(3)"]


def test_misspelt_keywords_each_on_their_line() -> None:
    text = "space V : S(n)\nlayr a : V -> V = all\nLet b : V -> V = id\ncheck b = id\ndef c : V -> V = id"
    assert codes(text) == ["E0013"] * 3
    assert [fault.labels[0].text for fault in faults(text)] == [f"did you mean `{w}`?" for w in ("layer", "let", "let")]


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("layer mix V^2 -> V = all", "E0010", "layer mix : V^2 -> V = all"),
        ("layer mix : V^2 => V = all", "E0016", "layer mix : V^2 -> V = all"),
        ("layer mix : V^2 V = all", "E0010", "layer mix : V^2 -> V = all"),
        ("layer mix : V^2 -> V : all", "E0010", "layer mix : V^2 -> V = all"),
        ("let f := merge", "E0001", "write `=`"),
        ("let f : = merge", "E0016", "let f : A -> B = ..."),
        ("let f = merge", "E0025", "let f : A -> B = ..."),
        ("layer f = all + bias", "E0025", "all + bias"),
        ("layer f : V -> V = all bias", "E0010", "all + bias"),
        ("layr mix : V -> V = all", "E0013", "`layer`"),
        ("f : V -> V = id", "E0013", "let f : A -> B"),
        ("layer mix : V^2 3] -> V = all", "E0010", "V^2[3] -> V"),
        ("layer mix : V^2[3 -> V[2] = all", "E0011", "V^2[3] -> V[2]"),
        ("check f = [i, j -> j, i]", "E0017", "blank"),
        ("check f = [i j]", "E0017", "`->` is missing"),
        ("check f = [i + j -> j]", "E0017", "not a letter"),
        ('check f = "ij,jk->ik"', "E0017", "[i j, j k -> i k]"),
        ("check f = id * merge", "E0018", "`@`"),
        ("check f = [i j -> j i", "E0011", "check f = [i j -> j i]"),
        ("check f = id ; id)", "E0012", "closes nothing"),
        ("check f = (id ; id]", "E0012", "opened here"),
        ("let f : V * V -> V = merge", "E0010", "V @ V"),
        ("space V = S(n)", "E0010", "space V : S(n)"),
        ("space R : SO3", "E0010", "SO(3)"),
        ("space 3 : S(n)", "E0010", "a name"),
        ("layer f : V -> V = all {reduce = mean}", "E0010", "expected `:`"),
        ("layer f : V -> V = span { f g }", "E0010", "span { f, g }"),
        ("layer f : V -> V = span [ f ]", "E0010", "span { f, g }"),
        ("layer f : V -> V = span { }", "E0010", "empty"),
        ("let f : V^n -> V = merge", "E0010", "a power is a number"),
        ("let f : V[c] -> V = merge", "E0010", "a multiplicity is a number"),
        ("let f : V[3]^2 -> V = merge", "E0010", "V^2[3]"),
        ("let f : V -> V = 0.5 * id", "E0007", "1/2"),
        ("let f : V -> V = 3x * id", "E0007", "3 * x"),
        ("let f : V -> V = f . f", "E0001", "write `;`"),
        ("let f : V -> V = f >> f", "E0001", "write `;`"),
        ("network f : V -> V = f , g", "E0010", "f ; g"),
        ("network f : V -> V { return x }", "E0010", "network f(x: A) -> B"),
        ('import "x/y.catnn"', "E0015", "as y"),
        ("import other as H", "E0010", '"other.catnn"'),
        ("import 'other' as H", "E0010", "double quotes"),
        ("rule r : f -> g", "E0016", "=>"),
        ("rule f => g", "E0010", "rule name"),
        ("check f == g", "E0001", "write `=`"),
        ("check f", "E0015", "check lhs = rhs"),
        ("check f = g // that is so", "E0001", "# that is so"),
        ("let f : V −> V = id", "E0001", "write `-`"),
        ("let f : V\u00a0-> V = id", "E0001", "plain space"),
        ("let f : V² -> V = id", "E0006", "V^2"),
        ("let all : V -> V = id", "E0014", "all_"),
        ("let f : V -> V = id;", "E0015", "no mark at its end"),
        ("space V : S(n);", "E0010", "space V : S(n)`"),
        ("check f = i j -> j i", "E0017", "[i j -> j i]"),
        ("let f : (V @ V) -> V = f", "E0010", "no round brackets"),
        ("let f : Sym(V) -> V = f", "E0010", "Sym^2(V)"),
        ("let f : V -> V = 1/2 id", "E0010", "1/2 * id"),
        ('layer f : V -> V = all {reduce: "mean"}', "E0010", "`mean`"),
    ],
)
def test_what_newcomers_write(text: str, code: str, says: str) -> None:
    (fault,) = faults(text)
    assert (fault.code, says in render([fault])) == (code, True), render([fault])


def test_messages_never_name_terminals() -> None:
    for text in (
        "space",
        "let f",
        "check f = [i",
        "network f(",
        "box",
        "import",
        "rule r :",
        "layer f : V -> V = all {",
    ):
        (fault,) = faults(text)
        assert not any(word.strip("`,.").isupper() and len(word.strip("`,.")) > 2 for word in fault.message.split())
