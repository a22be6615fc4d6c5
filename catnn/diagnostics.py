"""Errors with a place: spans, diagnostics and how they are shown.

Every fault that a user can cause is a `Diagnostic` with a code, carried by one `CatnnError`; several come in one
run, in file order.  Nothing here imports anything beyond the standard library.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TextIO


@dataclass(frozen=True, slots=True)
class Source:
    """A text and where it came from.

    path: what is shown in front of the line number (a file name as the user gave it, or ``<text>``).
    text: the whole text; line ends are ``\\n`` by the time it gets here.
    """

    path: str
    text: str = field(repr=False)
    _starts: list[int] = field(init=False, repr=False, compare=False, default_factory=list)

    @property
    def starts(self) -> list[int]:
        """The offset at which each line begins, found once."""
        if not self._starts:
            self._starts.append(0)
            at = self.text.find("\n")
            while at >= 0:
                self._starts.append(at + 1)
                at = self.text.find("\n", at + 1)
        return self._starts

    def line_column(self, offset: int) -> tuple[int, int]:
        """Line and column of a character offset, both counted from 1.

        >>> Source("a.catnn", "ab\\ncd").line_column(4)
        (2, 2)
        """
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line, counted from 1, without its end; nothing where there is no such line."""
        if not 0 < number <= len(self.starts):
            return ""
        end = self.starts[number] - 1 if number < len(self.starts) else len(self.text)
        return self.text[self.starts[number - 1] : end]


@dataclass(frozen=True, slots=True)
class Span:
    """The characters ``start <= offset < end`` of a source."""

    source: Source = field(repr=False)
    start: int
    end: int

    def to(self, other: Span) -> Span:
        """The span from the start of this one to the end of the other."""
        return Span(self.source, self.start, other.end)

    @property
    def text(self) -> str:
        """The characters themselves."""
        return self.source.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Label:
    """A span with a few words under it; the first label of a diagnostic is the culprit (``^``), others are ``-``."""

    span: Span
    text: str = ""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One fault: a code, a sentence, the places, the rule that was broken, and text to paste.

    code: ``E`` and four digits; its page is what ``catnn error CODE`` prints.
    labels: the first is where it happened; empty where there is no text (the command line, the Python API).
    """

    code: str
    message: str
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    helps: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The same as plain data, for ``--json``."""
        labels = []
        for label in self.labels:
            line, column = label.span.source.line_column(label.span.start)
            end_line, end_column = label.span.source.line_column(label.span.end)
            labels.append(
                {
                    "file": label.span.source.path,
                    "line": line,
                    "column": column,
                    "end_line": end_line,
                    "end_column": end_column,
                    "text": label.text,
                }
            )
        return {
            "code": self.code,
            "message": self.message,
            "labels": labels,
            "notes": list(self.notes),
            "helps": list(self.helps),
        }


class CatnnError(Exception):
    """What catnn raises: every diagnostic of the run, in file order.

    >>> raise CatnnError(Diagnostic("E0201", "there is no group `Q`"))
    Traceback (most recent call last):
        ...
    catnn.diagnostics.CatnnError: error[E0201]: there is no group `Q`
    """

    def __init__(self, *diagnostics: Diagnostic) -> None:
        if not diagnostics:
            raise ValueError("a CatnnError needs at least one diagnostic")
        super().__init__(*diagnostics)
        self.diagnostics: tuple[Diagnostic, ...] = diagnostics

    def __str__(self) -> str:
        return render(self.diagnostics).rstrip("\n")


def fail(code: str, message: str, *, notes: Iterable[str] = (), helps: Iterable[str] = ()) -> CatnnError:
    """A `CatnnError` without a place, for the Python API and the command line; the caller raises it."""
    return CatnnError(Diagnostic(code, message, (), tuple(notes), tuple(helps)))


class WrongTypeError(CatnnError, TypeError):
    """A CatnnError that is a TypeError as well: a value of another type than a function takes."""


class WrongValueError(CatnnError, ValueError):
    """A CatnnError that is a ValueError as well: text that says no number."""


class DivisionByZeroError(CatnnError, ZeroDivisionError):
    """A CatnnError that is a ZeroDivisionError as well."""


def check_type(value: object, wanted: type | tuple[type, ...], what: str) -> None:
    """Raises: WrongTypeError (E1021) for a value of another type; what: what a function expected, in words."""
    if not isinstance(value, wanted):
        raise WrongTypeError(Diagnostic("E1021", f"expected {what}, got {shortened(value)}"))


def shortened(value: object, most: int = 60) -> str:
    """A value as it is shown in a message, on one line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= most else f"{text[: most - 3]}..."


def render(diagnostics: Iterable[Diagnostic], *, colour: bool = False) -> str:
    """The diagnostics as text for people, a blank line between two; see `catnn.rendering`."""
    from catnn.rendering import render_one

    return "\n".join(render_one(diagnostic, colour=colour) for diagnostic in diagnostics)


def wants_colour(stream: TextIO) -> bool:
    """Whether text for a stream may be coloured: it is a terminal, and NO_COLOR is not set."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()
