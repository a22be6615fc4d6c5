"""Diagnostics as text: the code as written, every culprit underlined, the rule that was broken, what to write instead.

The line of the first label comes first, its other labels below it, then the other lines in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from catnn.diagnostics import Diagnostic, Label, Source

WIDTH = 140  # the cells of a source line that are shown; longer ones are cut around what is underlined
MARGIN = 30
TAB = "    "
_RED, _BLUE, _BOLD, _PLAIN = "\x1b[1;31m", "\x1b[1;34m", "\x1b[1m", "\x1b[0m"


Paint = Callable[[str, str], str]
Numbered = tuple[int, Label]


def render_one(diagnostic: Diagnostic, *, colour: bool = False) -> str:
    """One diagnostic, ended by a line end."""
    paint = _paint if colour else _leave
    lines = [paint(f"error[{diagnostic.code}]", _RED) + paint(f": {_visible(diagnostic.message)}", _BOLD)]
    numbers = [_place(label)[0] for label in diagnostic.labels]
    gutter = " " * len(str(max(numbers, default=0)))
    if not diagnostic.labels:
        gutter = ""
    else:
        source = diagnostic.labels[0].span.source
        line, column = _place(diagnostic.labels[0])
        lines.append(f"{gutter}{paint('-->', _BLUE)} {_visible(source.path)}:{line}:{column}")
        lines.append(paint(f"{gutter} |", _BLUE))
        file = source.path
        for labels in _by_line(diagnostic.labels):
            source = labels[0][1].span.source
            if source.path != file:
                lines.append(f"{gutter}{paint(':::', _BLUE)} {_visible(source.path)}")
                file = source.path
            lines.extend(_excerpt(source, labels, len(gutter), paint))
    for word, texts in (("note", diagnostic.notes), ("help", diagnostic.helps)):
        for text in texts:
            first, *rest = text.split("\n")
            lines.append(f"{gutter} {paint('=', _BLUE)} {paint(word + ':', _BOLD)} {_visible(first)}".rstrip())
            lines.extend(f"{gutter}         {_visible(more)}".rstrip() for more in rest)
    return "\n".join(lines) + "\n"


def _leave(text: str, _style: str) -> str:
    return text


def _paint(text: str, style: str) -> str:
    return f"{style}{text}{_PLAIN}"


def _place(label: Label) -> tuple[int, int]:
    return label.span.source.line_column(label.span.start)


def _by_line(labels: Sequence[Label]) -> Iterator[list[Numbered]]:
    """The labels, numbered, line by line: the line of the first label, then the others as they come in the files."""
    first = (labels[0].span.source.path, _place(labels[0])[0])

    def line(item: Numbered) -> tuple[str, int]:
        return item[1].span.source.path, _place(item[1])[0]

    def order(item: Numbered) -> tuple[bool, bool, str, int, int]:
        path, number = line(item)
        return (path, number) != first, path != first[0], path, number, item[0]

    for _, group in groupby(sorted(enumerate(labels), key=order), line):
        yield list(group)


def _excerpt(source: Source, labels: list[Numbered], width: int, paint: Paint) -> Iterator[str]:
    """A line of the source and the marks below it; shown once more for each label where they lie too far apart."""
    number = _place(labels[0][1])[0]
    text = source.line(number)
    extents = [_extent(label, text) for _, label in labels]
    begin, end = min(start for start, _ in extents), max(end for _, end in extents)
    if len(labels) > 1 and _width(text) > WIDTH and _width(text[begin:end]) > WIDTH - 2 * MARGIN:
        for item in labels:
            yield from _excerpt(source, [item], width, paint)
        return
    left, right = _window(text, begin, end)
    before, after = "…" * (left > 0), "…" * (right < len(text))
    shown = before + _visible(text[left:right]) + after
    yield f"{paint(f'{number:>{width}} |', _BLUE)} {shown}".rstrip()
    gutter, line, reached = f"{paint(' ' * width + ' |', _BLUE)} ", "", 0
    for (index, label), (start, stop) in zip(labels, extents, strict=True):
        mark, style = ("^", _RED) if index == 0 else ("-", _BLUE)
        at = len(before) + _width(text[left:start])
        under = mark * max(1, _width(text[start : min(stop, right)]))
        words = _visible(label.text) + _until(label)
        if line and at <= reached:
            yield gutter + line
            line, reached = "", 0
        line += " " * (at - reached) + paint(f"{under} {words}".rstrip(), style)
        reached = at + len(under)
        if words:
            yield gutter + line
            line, reached = "", 0
    if line:
        yield gutter + line


def _extent(label: Label, text: str) -> tuple[int, int]:
    """The columns of a label on its first line, from 0, end excluded."""
    start = min(_place(label)[1] - 1, len(text))
    return start, max(start, min(len(text), start + label.span.end - label.span.start))


def _until(label: Label) -> str:
    """Where a label of several lines ends."""
    last = label.span.source.line_column(max(label.span.start, label.span.end - 1))[0]
    return "" if last == _place(label)[0] else f" (up to line {last})".removeprefix("" if label.text else " ")


def _window(text: str, begin: int, end: int) -> tuple[int, int]:
    """The part of a long line that is shown: what is underlined and a margin, at most `WIDTH` characters."""
    if _width(text) <= WIDTH:
        return 0, len(text)
    left = max(0, begin - MARGIN)
    right = min(len(text), max(left + WIDTH, min(end + MARGIN, left + WIDTH)))
    return left, right


# ------------------------------------------------------------------------------------------------------------- cells


def _visible(text: str) -> str:
    """A text in which nothing is hidden and nothing moves the cursor."""
    return text if text.isascii() and text.isprintable() else "".join(map(_cell, text))


def _cell(character: str) -> str:
    """A character as it is shown: control characters get a picture, what has no width or no meaning its number.

    >>> _cell("\\x07"), _cell("\\u202e"), _cell("V")
    ('␇', '<U+202E>', 'V')
    """
    code = ord(character)
    if character == "\t":
        return TAB
    if code < 0x20:
        return chr(0x2400 + code)
    if character.isprintable():
        return character
    return "␡" if code == 0x7F else f"<U+{code:04X}>"


def _width(text: str) -> int:
    """How many cells of a terminal a text takes as it is shown."""
    if text.isascii() and text.isprintable():
        return len(text)
    from unicodedata import combining, east_asian_width

    shown = _visible(text)
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in shown)
