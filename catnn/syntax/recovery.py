"""Statements of a file, each on its own: an error in one is one diagnostic, and causes none in another.

Statement keywords are reserved, so a file falls into statements before anything is parsed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from catnn.diagnostics import CatnnError, Diagnostic, Source
from catnn.syntax import lalr
from catnn.syntax.build import NESTING, Builder
from catnn.syntax.lexing import BAD, Token
from catnn.syntax.nodes import Statement

KEYWORDS = frozenset({"SPACE", "LET", "LAYER", "NETWORK", "BOX", "RULE", "CHECK", "IMPORT"})

# The last token of every statement is one of these.
_LAST = frozenset({"NAME", "QUALIFIED", "INT", "STRING", "RSQB", "RPAR", "RBRACE", "_PRIME", "ALL", "BIAS", BAD})
_OPEN = frozenset({"LPAR", "LSQB", "LBRACE"})
_CLOSE = frozenset({"RPAR", "RSQB", "RBRACE"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the tokens of one statement: the statement, or what is wrong, or (junk behind it) both."""

    statement: Statement | None
    fault: Diagnostic | None
    declares: tuple[str, ...] = ()


def first_on_line(source: Source, before: Token | None, token: Token) -> bool:
    """Whether only blanks stand before a token on its line."""
    return before is None or "\n" in source.text[before.end : token.start]


def split(source: Source, tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """The tokens, statement by statement.

    A statement begins with its keyword, or where a line begins with two names, which is a misspelt keyword. A keyword
    where a statement cannot have ended, or inside of brackets on the same line, is a reserved word used as a name.
    """
    begin, depth = 0, 0
    before: Token | None = None
    for index, token in enumerate(tokens):
        if token.kind in _OPEN:
            depth += 1
        elif token.kind in _CLOSE:
            depth = max(0, depth - 1)
        elif index > begin and before is not None:
            fresh = first_on_line(source, before, token)
            ended = depth == 0 and before.kind in _LAST
            if token.kind in KEYWORDS:
                starts = fresh or ended
            else:
                starts = fresh and ended and misspelt(tokens, index)
            if starts:
                yield tokens[begin:index]
                begin, depth = index, 0
        before = token
    if begin < len(tokens):
        yield tokens[begin:]


def misspelt(tokens: Sequence[Token], index: int) -> bool:
    """Whether a token looks like a keyword with a typing error: a name before another name, or before a string."""
    follows = tokens[index + 1].kind if index + 1 < len(tokens) else ""
    return tokens[index].kind == "NAME" and follows in ("NAME", "STRING")


def statement_of(source: Source, tokens: Sequence[Token], end: int) -> Outcome:
    """Parse the tokens of one statement; `end` is the offset where the next one begins, or the end of the text."""
    try:
        return Outcome(_parse(source, tokens), None)
    except CatnnError as error:
        return Outcome(None, error.diagnostics[0], declares(tokens))
    except lalr.Stuck as stuck:
        from catnn.syntax.hints import explain, explain_keyword

        index = stuck.index
        if index == 0:
            return Outcome(None, tokens[0].fault or explain_keyword(source, tokens), declares(tokens))
        if index < len(tokens) and first_on_line(source, tokens[index - 1], tokens[index]):
            good = _whole(source, tokens[:index])
            if good is not None:
                rest = tokens[index:]
                return Outcome(good, rest[0].fault or explain_keyword(source, rest), declares(rest))
        return Outcome(None, explain(source, "statement", tokens, stuck, end), declares(tokens))


def _parse(source: Source, tokens: Sequence[Token]) -> Statement:
    statement: Statement = lalr.parse("statement", tokens, Builder(source), tokens[-1].end, NESTING)
    return statement


def _whole(source: Source, tokens: Sequence[Token]) -> Statement | None:
    try:
        return _parse(source, tokens)
    except (CatnnError, lalr.Stuck):
        return None


def declares(tokens: Sequence[Token]) -> tuple[str, ...]:
    """The names that a broken statement with these tokens would declare, as far as can be told."""
    if tokens[0].kind == "IMPORT":
        return tuple(token.text for token in tokens[-1:] if token.kind == "NAME")
    names = []
    for token in tokens[1:]:
        if token.kind == "NAME":
            names.append(token.text)
        elif token.kind != "COMMA":
            break
    return tuple(names)
