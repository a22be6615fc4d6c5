"""Text with line numbers and colours, a line an element that can be linked to; taken together, the text itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from keyword import kwlist

from catnn.diagnostics import Source
from catnn.syntax.colours import Stretch, stretches
from catnn.view.svg import clean

CLASSES = {"comment": "tc", "keyword": "tk", "learned": "tl", "string": "ts", "number": "tn", "fault": "tf"}
"""The class of what is coloured; names and operators are plain."""

_PYTHON = re.compile(
    r'(?P<string>"""(?:[^"]|"(?!""))*"""|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\')|(?P<comment>#[^\n]*)'
    r"|\b(?P<keyword>" + "|".join(kwlist) + r")\b|\b(?P<number>\d[\d_.]*)\b"
)


def python_stretches(text: str) -> Iterable[Stretch]:
    """What is in a generated file.

    >>> [s.kind for s in python_stretches("x = 3  # three")]
    ['number', 'comment']
    """
    for match in _PYTHON.finditer(text):
        yield Stretch(match.start(), match.end(), match.lastgroup or "")


def spec_listing(source: Source, links: Mapping[int, tuple[int, str]]) -> str:
    """A spec; links: for the offset of a name, where it ends and what it points to."""
    return _listing(source.text, stretches(source), "L", links)


def code_listing(text: str) -> str:
    """A generated file."""
    return _listing(text, python_stretches(text), "C", {})


def _listing(text: str, found: Iterable[Stretch], prefix: str, links: Mapping[int, tuple[int, str]]) -> str:
    marks = [(s.start, s.end, f'<span class="{CLASSES[s.kind]}">', "</span>") for s in found if s.kind in CLASSES]
    marks += [(a, b, f'<a class="d" href="#{clean(to)}">', "</a>") for a, (b, to) in links.items()]
    lines: list[list[str]] = [[]]
    at = 0

    def put(piece: str, before: str = "", after: str = "") -> None:
        """A stretch may reach over several lines: its element is opened on each anew."""
        for number, part in enumerate(piece.split("\n")):
            if number:
                lines.append([])
            if part:
                lines[-1].append(f"{before}{clean(part)}{after}")

    for start, end, before, after in sorted(marks):
        if start >= at:  # what lies inside another stretch (a fault in a comment) is left to that
            put(text[at:start])
            put(text[start:end], before, after)
            at = end
    put(text[at:])
    if not lines[-1]:
        lines.pop()
    numbered = (
        f'<span class="n" id="{prefix}{number}" data-n="{number}">{"".join(parts)}\n</span>'
        for number, parts in enumerate(lines, 1)
    )
    return f"<code>{''.join(numbered)}</code>"
