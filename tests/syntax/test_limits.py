"""The limits, each with its code; long chains and large files in linear time; odd bytes and characters."""

from __future__ import annotations

import random
import re
import time

import pytest

from catnn.diagnostics import CatnnError
from catnn.syntax import nodes as n
from catnn.syntax.lexing import decode
from catnn.syntax.parser import make_source, parse, parse_recovering, parse_term, parse_type
from catnn.syntax.printer import format_source, show
from tests.syntax.test_parser import LANGUAGE


def code_of(text: str) -> str:
    with pytest.raises(CatnnError) as caught:
        parse(text)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic.code


def nested(depth: int) -> str:
    return "check f = " + "(" * depth + "id" + ")" * depth


def test_brackets() -> None:
    assert show(parse(nested(200))) == nested(200)
    assert code_of(nested(201)) == "E0020"
    assert code_of("check f = id" + "'" * 201) == "E0020"
    assert code_of("check f = g" + "(x)" * 201) == "E0020"
    assert code_of("check f = " + "(" * 100_000) == "E0011"
    assert code_of("check f = " + "[" * 50_000 + "]" * 50_000).startswith("E00")
    assert show(parse("check f = " + "-" * 20_001 + "id")) == "check f = -id"


def test_numbers() -> None:
    assert code_of("let f : V[0] -> V = id") == code_of(f"let f : V[{2**31}] -> V = id") == "E0021"
    assert parse_type(f"V[{2**31 - 1}]").summands[0].channels == 2**31 - 1
    assert code_of("let f : V^1001 -> V = id") == code_of("let f : V^600 @ V^600 -> V = id") == "E0022"
    assert code_of("let f : V^999999999999 -> V = id") == "E0022"
    assert code_of("let f : " + " @ ".join("V" * 1001) + " -> V = id") == "E0022"
    assert code_of(f"space V : S({2**31})") == "E0024"
    assert code_of("check f = " + "9" * 100_000 + " * id") == "E0008"
    assert code_of("check f = " + "*".join(["9" * 900] * 900) + " * id") == "E0008"
    assert code_of("check f = 1/0 * id") == code_of("check f = 1/(0) * id") == code_of("check f = n/(0*m)") == "E0019"
    assert show(parse_term("9" * 1000)) == "9" * 1000


@pytest.mark.parametrize("operator", [";", "@", "+", "-"])
def test_chains_have_no_limit(operator: str) -> None:
    text = f" {operator} ".join(["f"] * 20_000)
    term = parse_term(text)
    assert isinstance(term, n.Chain | n.Tensor | n.Sum)
    assert len(term.terms) == 20_000
    assert show(term) == text


def test_a_hundred_thousand_tokens_in_seconds() -> None:
    text = "check f = " + " ; ".join(["(f @ [i j -> j i])"] * 10_000)
    began = time.process_time()
    parse(text)
    assert time.process_time() - began < 15
    began = time.process_time()
    _, faults = parse_recovering(make_source("layr f : V -> V = all\n" * 2_000, "a"))
    assert len(faults) == 2_000
    assert time.process_time() - began < 20
    began = time.process_time()
    parse_recovering(make_source("f g " * 20_000, "a"))
    parse_recovering(make_source("check f = g\n" + "f\n" * 20_000, "a"))
    parse_recovering(make_source("check f = " + "(" * 50_000 + ")" * 49_999, "a"))
    assert time.process_time() - began < 20


def test_files() -> None:
    assert decode("\ufeffspace V : S(n)\r\n# é\r".encode(), "a").text == "space V : S(n)\n# é\n"
    for data, code in ((b"space \xff", "E0003"), (b"#" * 1_000_001, "E0004"), ("é".encode() * 600_000, "E0004")):
        with pytest.raises(CatnnError) as caught:
            decode(data, "a.catnn")
        assert caught.value.diagnostics[0].code == code
    with pytest.raises(CatnnError):
        parse("é" * 600_000)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("space V\x00 : S(n)", "E0002"),
        ("space V : S(n) # a\x1b[2K", "E0002"),
        ("space V : S(n)\n# \u202e", "E0002"),
        ('space V : Aut("a\x07")', "E0002"),
        ("space V\u200b : S(n)", "E0002"),
        ("space V : \ud800", "E0002"),
        ("space V : S(n) €", "E0001"),
        ("space ﬁ : S(n)", "E0006"),
        ("space x² : S(n)", "E0006"),
        ('space V : Aut("a', "E0005"),
        ('space V : Aut("a\n")', "E0005"),
    ],
)
def test_characters(text: str, code: str) -> None:
    _module, faults = parse_recovering(make_source(text, "a"))
    assert [fault.code for fault in faults] == [code]
    str(CatnnError(*faults)).encode("utf-8")


TOKEN = re.compile(r"\w+|->|=>|\s+|#[^\n]*|.", re.DOTALL)
SPARE = [
    "space",
    "let",
    "all",
    "(",
    "]",
    "{",
    "}",
    "[",
    ";",
    "\n",
    " ",
    ":",
    "=",
    "->",
    "'",
    '"',
    "#",
    "1",
    "0",
    "²",
    "\0",
]


def broken(rng: random.Random) -> str:
    """The specs of the language with a few tokens and characters deleted, put in or exchanged."""
    tokens = TOKEN.findall(LANGUAGE)
    begin = rng.randrange(len(tokens))
    tokens = tokens[begin : begin + 200]
    for _ in range(rng.randint(1, 4)):
        at, other = rng.randrange(len(tokens)), rng.randrange(len(tokens))
        match rng.randrange(4):
            case 0:
                tokens[at] = ""
            case 1:
                tokens.insert(at, rng.choice(SPARE))
            case 2:
                tokens[at], tokens[other] = tokens[other], tokens[at]
            case _:
                tokens[at] = tokens[at][1:] + rng.choice(["", chr(rng.randrange(1, 0x500))])
    return "".join(tokens)


@pytest.mark.parametrize("seed", range(6))
def test_broken_specs_parse_or_fail_with_codes(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(40):
        text = broken(rng)
        module, faults = parse_recovering(make_source(text, "a.catnn"))
        places = [fault.labels[0].span.start for fault in faults]
        assert places == sorted(places), text
        if faults:
            assert str(CatnnError(*faults))
        else:
            assert parse(format_source(text)) == module
