"""Colours agree with the grammar: the lexer of Pygments, the TextMate grammar, and what reports use."""

from __future__ import annotations

import json
import re
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from catnn.activations import ACTIVATIONS
from catnn.editors import textmate
from catnn.editors.words import completions, operators, statements
from catnn.elaborate.scopes import GENERATORS, KEYWORDS
from catnn.syntax.colours import LEARNED, keywords, stretches
from catnn.syntax.parser import make_source

ROOT = Path(__file__).resolve().parents[2]
SPECS = sorted((ROOT / "examples").glob("*.catnn"))
GRAMMAR = (ROOT / "grammar" / "catnn.lark").read_text(encoding="utf-8")


def test_the_words_are_those_of_the_grammar() -> None:
    rules = "\n".join(line.partition("//")[0] for line in GRAMMAR.splitlines())
    written = set(re.findall(r'"([a-z]+)"', rules))
    assert set(keywords()) == written
    assert {*statements(), *LEARNED} == set(keywords()) <= set(KEYWORDS)
    assert set(completions()) == {*keywords(), *GENERATORS, *ACTIVATIONS}
    assert all(sign in operators() for sign in ("->", "=>", "@", ";", "'"))


def test_the_textmate_grammar_is_up_to_date() -> None:
    file = ROOT / "grammar" / "catnn.tmLanguage.json"
    assert file.read_text(encoding="utf-8") == textmate.text(), "run `python docs/generate.py`"
    found = json.loads(file.read_text(encoding="utf-8"))
    for pattern in found["patterns"]:
        re.compile(pattern.get("match") or pattern["begin"])


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_stretches_cover_every_word_once(path: Path) -> None:
    source = make_source(path.read_text(encoding="utf-8"), path.name)
    end, rest = 0, []
    for stretch in stretches(source):
        assert stretch.start >= end
        rest.append(source.text[end : stretch.start])
        end = stretch.end
        assert stretch.kind != "fault"
    assert "".join(rest).strip() == ""


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_pygments_agrees_with_the_parser(path: Path) -> None:
    pytest.importorskip("pygments", reason="Pygments is not installed")
    from pygments.token import Comment, Error, Keyword

    from catnn.editors.pygments import CatnnLexer

    source = make_source(path.read_text(encoding="utf-8"), path.name)
    tokens = list(CatnnLexer(stripnl=False, ensurenl=False).get_tokens_unprocessed(source.text))
    assert "".join(text for _, _, text in tokens) == source.text
    assert not any(kind in Error for _, kind, _ in tokens)
    ours = [(s.start, s.end) for s in stretches(source) if s.kind in ("keyword", "learned")]
    assert [(at, at + len(text)) for at, kind, text in tokens if kind in Keyword] == ours
    comments = [(s.start, s.end) for s in stretches(source) if s.kind == "comment"]
    assert [(at, at + len(text.rstrip())) for at, kind, text in tokens if kind in Comment] == comments


def test_the_lexer_is_registered() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'catnn = "catnn.editors.pygments:CatnnLexer"' in project
    found = entry_points(group="pygments.lexers", name="catnn")
    if not found:
        pytest.skip("catnn is not installed here, so there are no entry points; pyproject.toml names it")
    from pygments.lexers import get_lexer_by_name

    assert get_lexer_by_name("catnn").name == "catnn"
