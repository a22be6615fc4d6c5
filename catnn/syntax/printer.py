"""Syntax to text: `show` for a node on its own, `format_source` for a file with its comments.

The canonical spelling is ASCII.  Parsing what is printed gives the node back; formatting twice changes nothing more.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from catnn.diagnostics import Source
from catnn.syntax.lexing import make_source
from catnn.syntax.nodes import Module, Statement
from catnn.syntax.parser import parse
from catnn.syntax.pieces import Break, Item, Line, Mark, flat

WIDTH = 100
INDENT = "  "
MARGIN = 64  # code that is longer has its comment two blanks behind it, wherever those around it stand

Row = tuple[str, str]  # a line: the code, and the comment behind it; a line that is a comment alone is code


def show(node: Any) -> str:
    """A node as text, unbroken: what a line end is for is only the body of a point-ful network.

    >>> from catnn.syntax.parser import parse_term
    >>> show(parse_term("1/2*(copy⊗id);merge†"))
    "1/2 * (copy @ id) ; merge'"
    """
    parts = []
    for item in flat(node):
        match item:
            case str():
                parts.append(item)
            case Break():
                parts.append(" ")
            case Line(depth):
                parts.append("\n" + INDENT * depth)
    return "".join(parts)


def format_source(text: str, path: str = "<text>") -> str:
    """The canonical text of a spec: its comments stay, blank lines between statements become one.

    Raises: CatnnError where the text does not parse.

    >>> print(format_source("space V:S(n)   # wires\\n\\n\\ncheck id[V]=swap[V];swap[V]"), end="")
    space V : S(n)  # wires
    <BLANKLINE>
    check id[V] = swap[V] ; swap[V]
    """
    source = make_source(text, path)
    return "".join(line + "\n" for line in _aligned(_rows(source, parse(source.text, path))))


def _aligned(rows: list[Row]) -> list[str]:
    """The lines of some rows: the comments behind the code of a paragraph stand below one another."""
    lines: list[str] = []
    for blank, paragraph in groupby(rows, lambda row: row == ("", "")):
        block = list(paragraph)
        column = max((len(code) for code, comment in block if comment and len(code) <= MARGIN), default=0)
        lines += [""] * blank or [f"{code:{column}}  {comment}" if comment else code for code, comment in block]
    return lines


def _rows(source: Source, module: Module) -> list[Row]:
    lines: list[Row] = []
    comments = list(module.comments)
    reached = 0  # the offset up to which all is written
    taken = 0  # how many comments are
    commented = False  # whether a comment from inside of the last statement came behind it
    for statement in (*module.statements, None):
        start = statement.span.start if statement else len(source.text)
        while taken < len(comments) and comments[taken][0] < start:
            offset, comment = comments[taken]
            taken += 1
            gap = source.text[reached:offset]
            if reached and "\n" not in gap and not commented:
                code, earlier = lines[-1]
                lines[-1] = (code, f"{earlier}  {comment}" if earlier else comment)
            else:
                _blank(lines, gap)
                lines.append((comment, ""))
            reached = offset + len(comment)
        if statement is None:
            return lines
        _blank(lines, source.text[reached:start])
        end = statement.span.end
        inside = []
        while taken < len(comments) and comments[taken][0] < end:
            inside.append(comments[taken])
            taken += 1
        layout = _Layout(source, inside)
        lines.extend(layout.rows_of(statement))
        commented = layout.commented
        reached = end
    return lines


def _blank(lines: list[Row], gap: str) -> None:
    """An empty line, where there was one or more, but not at the head of the file."""
    if lines and gap.count("\n") > 1:
        lines.append(("", ""))


class _Layout:
    """The lines of one statement: as much on each as fits, the comments inside of it where they stood."""

    def __init__(self, source: Source, comments: list[tuple[int, str]]) -> None:
        self.source = source
        self.comments = comments
        self.lines: list[Row] = []
        self.line = ""
        self.depth = 0
        self.commented = False

    def rows_of(self, statement: Statement) -> list[Row]:
        items = list(flat(statement))
        ahead = _marks_ahead(items) if self.comments else [0] * len(items)
        word, blank = "", False
        for item, offset in zip(items, ahead, strict=True):
            match item:
                case str():
                    word += item
                case Break():
                    self._put(word, blank)
                    word, blank = "", True
                case Mark(offset) if self.comments and self.comments[0][0] < offset:
                    self._put(word, blank)
                    word, blank = "", False
                    self._comments_before(offset)
                case Line(depth):
                    self._put(word, blank)
                    word, blank = "", False
                    self._trailing_before(offset)
                    self._end()
                    self.depth = depth
        self._put(word, blank)
        self.commented = bool(self.comments)
        self._trailing_before(len(self.source.text))
        self._end()
        return self.lines + [(comment, "") for _, comment in self.comments]

    def _put(self, word: str, blank: bool) -> None:
        """A word that cannot be broken, behind a blank or a line end."""
        if not word:
            return
        if not self.line.strip():
            begun = self.lines and self.depth == 0 and word != "}"
            self.line = INDENT * (self.depth + bool(begun)) + word.lstrip()
        elif blank and len(self.line) + 1 + len(word.rstrip()) > WIDTH:
            self.lines.append((self.line.rstrip(), ""))
            self.line = INDENT * (self.depth + 1) + word
        else:
            self.line += " " * blank + word

    def _end(self) -> None:
        if self.line.strip():
            self.lines.append((self.line.rstrip(), ""))
        self.line = ""

    def _comments_before(self, offset: int) -> None:
        self._trailing_before(offset)
        self._end()
        while self.comments and self.comments[0][0] < offset:
            depth = max(self.depth, 1)
            self.lines.append((INDENT * depth + self.comments.pop(0)[1], ""))

    def _trailing_before(self, offset: int) -> None:
        """The comment behind what was written last, where it stood behind something on its line."""
        if self.comments and self.comments[0][0] < offset and self.line.strip():
            start = self.comments[0][0]
            line = self.source.text[self.source.text.rfind("\n", 0, start) + 1 : start]
            if line.strip():
                self.lines.append((self.line.rstrip(), self.comments.pop(0)[1]))
                self.line = ""


def _marks_ahead(items: Iterable[Item]) -> list[int]:
    """For each item the offset of the next mark."""
    result, offset = [], 0
    for item in reversed(list(items)):
        if isinstance(item, Mark):
            offset = item.offset
        result.append(offset)
    return result[::-1]
