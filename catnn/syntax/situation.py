"""A token that cannot stand where it stands, and what there is to know about the place."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from catnn.diagnostics import Diagnostic, Label, Source, Span
from catnn.syntax import lalr
from catnn.syntax.lexing import Token

BRACKETS = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}
"""The kinds of brackets, opening to closing."""

TERM = frozenset({"ALL", "BIAS", "SPAN", "SGN", "LSQB", "LPAR", "MINUS", "INT", "NAME", "QUALIFIED"})
"""The kinds of tokens that a term may begin with."""


def spelling(kind: str) -> str:
    """A kind of token as text to paste; empty where it has no one spelling."""
    table = lalr.tables()
    fixed = {"_ARROW": "->", "_TENSOR": "@", "_PRIME": "'"}
    return table.keywords.get(kind) or table.literals.get(kind) or fixed.get(kind, "")


def quoted(text: str) -> str:
    """A piece of source between backquotes, shortened where it is long."""
    text = text if len(text) <= 30 else text[:28] + "…"
    return f"`{text}`"


class Situation:
    """A token that does not fit, and what is around it."""

    def __init__(self, source: Source, start: str, tokens: Sequence[Token], stuck: lalr.Stuck, end: int) -> None:
        self.source = source
        self.start = start
        self.tokens = tokens
        self.index = stuck.index
        self.end = end

    @property
    def token(self) -> Token | None:
        """The token; None where the statement ends too early."""
        return self.tokens[self.index] if self.index < len(self.tokens) else None

    @property
    def kind(self) -> str:
        return self.token.kind if self.token else lalr.END

    def kind_before(self, steps: int = 1) -> str:
        """The kind of an earlier token, or nothing."""
        return self.tokens[self.index - steps].kind if self.index >= steps else ""

    def text_before(self, steps: int = 1) -> str:
        """The text of an earlier token, or nothing."""
        return self.tokens[self.index - steps].text if self.index >= steps else ""

    @property
    def keyword(self) -> str:
        """The keyword of the statement, or nothing."""
        return self.tokens[0].text if self.tokens and self.start == "statement" else ""

    @cached_property
    def expected(self) -> frozenset[str]:
        stack = lalr.stack_after(self.start, [token.kind for token in self.tokens[: self.index]])
        return lalr.expected(stack or ())

    @property
    def found(self) -> str:
        """What stands there, in words."""
        if self.token:
            return quoted(self.token.text)
        if self.start != "statement":
            return "the end"
        return "the next statement" if self.end < len(self.source.text) else "the end of the file"

    @property
    def span(self) -> Span:
        """The token, or the place behind the last one."""
        if self.token:
            return Span(self.source, self.token.start, self.token.end)
        place = self.tokens[-1].end if self.tokens else 0
        return Span(self.source, place, place)

    @cached_property
    def open(self) -> list[Token]:
        """The brackets that are open before the token, outermost first."""
        stack: list[Token] = []
        for token in self.tokens[: self.index]:
            if token.kind in BRACKETS:
                stack.append(token)
            elif stack and token.kind == BRACKETS[stack[-1].kind]:
                stack.pop()
        return stack

    def fault(self, code: str, message: str, label: str, *, note: str = "", fix: str = "") -> Diagnostic:
        """A diagnostic at the token."""
        notes, helps = ((note,) if note else ()), ((fix,) if fix else ())
        return Diagnostic(code, message, (Label(self.span, label),), notes, helps)
