"""What every stretch of a spec is, for those who colour it: a report, a playground, an editor.

The kinds come from the tokens of the grammar, so a new keyword is coloured the day it is one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from catnn.diagnostics import Source
from catnn.syntax.lalr import tables
from catnn.syntax.lexing import BAD, tokenize

LEARNED = ("all", "bias", "span")
"""The keywords that make weights; every other keyword starts or joins a statement."""


class Stretch(NamedTuple):
    """The characters from start to end; kind: comment, keyword, learned, name, number, string, operator or fault."""

    start: int
    end: int
    kind: str


@cache
def keywords() -> tuple[str, ...]:
    """The reserved words of the grammar, sorted.

    >>> {"space", "layer", "all"} <= set(keywords())
    True
    """
    return tuple(sorted(tables().keywords.values()))


def stretches(source: Source) -> Iterator[Stretch]:
    """What is in a text, from left to right; blanks belong to nothing.

    >>> from catnn.syntax.parser import make_source
    >>> [(s.start, s.end, s.kind) for s in stretches(make_source("space V : 3 # w", "a"))]
    [(0, 5, 'keyword'), (6, 7, 'name'), (8, 9, 'operator'), (10, 11, 'number'), (12, 15, 'comment')]
    """
    tokens, comments = tokenize(source)
    words = set(keywords())
    found = [Stretch(at, at + len(text), "comment") for at, text in comments]
    for token in tokens:
        if token.start < token.end:
            found.append(Stretch(token.start, token.end, _kind(token.kind, token.text, words)))
    return iter(sorted(found))


def _kind(terminal: str, text: str, words: set[str]) -> str:
    if terminal == BAD:
        return "fault"
    if text in LEARNED:
        return "learned"
    if text in words:
        return "keyword"
    kinds = {"NAME": "name", "QUALIFIED": "name", "INT": "number", "DECIMAL": "number", "STRING": "string"}
    return kinds.get(terminal, "operator")
