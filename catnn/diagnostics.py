"""Errors with a place: spans, diagnostics and how they are shown.

Every fault that a user can cause is a `Diagnostic` with a code, carried by one `CatnnError`; several come in one
run, in file order.  Nothing here imports anything beyond the standard library.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Source:
    """A text and where it came from.

    path: what is shown in front of the line number (a file name as the user gave it, or ``<text>``).
    text: the whole text; line ends are ``\\n`` by the time it gets here.
    """

    path: str
    text: str = field(repr=False)

    def line_column(self, offset: int) -> tuple[int, int]:
        """Line and column of a character offset, both counted from 1.

        >>> Source("a.catnn", "ab\\ncd").line_column(4)
        (2, 2)
        """
        before = self.text[:offset]
        return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1

    def line(self, number: int) -> str:
        """The text of a line, counted from 1, without its end."""
        lines = self.text.split("\n")
        return lines[number - 1] if 0 < number <= len(lines) else ""


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

    >>> raise CatnnError(Diagnostic("E0901", "`U(n)` is not built yet"))
    Traceback (most recent call last):
        ...
    catnn.diagnostics.CatnnError: error[E0901]: `U(n)` is not built yet
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


def render(diagnostics: Iterable[Diagnostic]) -> str:
    """The diagnostics as text for people, a blank line between two."""
    return "\n".join(_render_one(diagnostic) for diagnostic in diagnostics)


def _render_one(diagnostic: Diagnostic) -> str:
    lines = [f"error[{diagnostic.code}]: {diagnostic.message}"]
    gutter = ""
    if diagnostic.labels:
        numbers = [label.span.source.line_column(label.span.start)[0] for label in diagnostic.labels]
        gutter = " " * len(str(max(numbers)))
        first = diagnostic.labels[0].span
        number, column = first.source.line_column(first.start)
        lines.append(f"{gutter}--> {first.source.path}:{number}:{column}")
        lines.append(f"{gutter} |")
        shown: tuple[str, int] | None = None
        for index in sorted(range(len(numbers)), key=lambda i: (i != 0 and numbers[i] != numbers[0], numbers[i], i)):
            label, number = diagnostic.labels[index], numbers[index]
            place = (label.span.source.path, number)
            if place != shown:
                if label.span.source.path != first.source.path:
                    lines.append(f"{gutter}::: {label.span.source.path}")
                lines.append(f"{str(number).rjust(len(gutter))} | {label.span.source.line(number)}".rstrip())
                shown = place
            lines.append(f"{gutter} | {_underline(label, '^' if index == 0 else '-')}".rstrip())
    lines.extend(f"{gutter} = note: {note}" for note in diagnostic.notes)
    lines.extend(f"{gutter} = help: {text}" for text in diagnostic.helps)
    return "\n".join(lines) + "\n"


def _underline(label: Label, mark: str) -> str:
    source = label.span.source
    number, column = source.line_column(label.span.start)
    line = source.line(number)
    width = max(1, min(label.span.end - label.span.start, len(line) - column + 1))
    pad = "".join("\t" if character == "\t" else " " for character in line[: column - 1])
    return f"{pad}{mark * width} {label.text}".rstrip()
