"""Tables as text, Markdown and HTML; `explain` and `bench` print with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True, slots=True)
class Table:
    """A caption, headers and rows of text; columns named in `right` are flush right.

    >>> print(Table("", ("what", "how many"), (("diagrams", "15"),), right=(1,)))
    what      how many
    diagrams        15
    """

    caption: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[int, ...] = ()

    def __str__(self) -> str:
        lines = [self.headers, *self.rows] if any(self.headers) else list(self.rows)
        widths = [max((len(row[c]) for row in lines), default=0) for c in range(len(self.headers))]
        shown = ["  ".join(self._cell(c, row[c], widths[c]) for c in range(len(widths))).rstrip() for row in lines]
        return "\n".join([self.caption, *(f"  {line}" for line in shown)] if self.caption else shown)

    def _cell(self, column: int, text: str, width: int) -> str:
        return text.rjust(width) if column in self.right else text.ljust(width)

    def markdown(self) -> str:
        """A GitHub table."""
        rules = ["---:" if column in self.right else "---" for column in range(len(self.headers))]
        lines = [self.headers, rules, *self.rows]
        return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"

    def html(self) -> str:
        """A table element; every text is escaped."""
        styles = [
            f' style="text-align:{"right" if column in self.right else "left"}"' for column in range(len(self.headers))
        ]
        rows = [self._html_row("td", row, styles) for row in self.rows]
        head = self._html_row("th", self.headers, styles) if any(self.headers) else ""
        return f"<table><caption>{escape(self.caption)}</caption>{head}{''.join(rows)}</table>"

    @staticmethod
    def _html_row(tag: str, row: Sequence[str], styles: Sequence[str]) -> str:
        cells = (f"<{tag}{style}>{escape(cell)}</{tag}>" for cell, style in zip(row, styles, strict=True))
        return f"<tr>{''.join(cells)}</tr>"


def count(value: float) -> str:
    """A number as people read it: up to a million in full, then with a letter.

    >>> count(65536), count(2_500_000), count(3.2e10)
    ('65,536', '2.5 M', '32.0 G')
    """
    if value < 1_000_000:
        return f"{value:,.0f}"
    for limit, letter in ((1e9, "M"), (1e12, "G"), (1e15, "T")):
        if value < limit:
            return f"{value / limit * 1000:.1f} {letter}"
    return f"{value:.2e}"


def ratio(value: float) -> str:
    """A ratio with three digits that mean something, no exponents.

    >>> ratio(0.123), ratio(3.14159), ratio(59.3), ratio(12345.6)
    ('0.12', '3.1', '59', '12,346')
    """
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 10 else f"{value:,.0f}"
