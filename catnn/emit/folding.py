"""Long lines of generated source as several, broken where a person would: at brackets, at operators, at commas."""

from __future__ import annotations

import re
from collections.abc import Sequence
from textwrap import wrap

WIDTH = 120
"""Lines are no longer, if they can be broken."""

OPENING, CLOSING = "([{", ")]}"
OPERATORS = (" + ", " - ", " @ ", " * ")
"""In the order in which a line is broken at them, the loosest first."""

STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'')


def folded_text(text: str) -> str:
    """Every line of a text, folded."""
    return "".join(f"{found}\n" for line in text.removesuffix("\n").split("\n") for found in folded(line))


def folded(line: str, width: int = WIDTH) -> list[str]:
    """A line of code, with its indentation, as lines of at most `width` where its brackets allow that.

    A comment that does not fit goes above.

    >>> for line in folded("y = (first @ second).unflatten(2, (4, 16))  # N @ H", 30):
    ...     print(line)
    # N @ H
    y = (
        first @ second
    ).unflatten(2, (4, 16))
    """
    if len(line) <= width:
        return [line]
    bare = line.lstrip(" ")
    indent = " " * (len(line) - len(bare))
    if bare.startswith("# "):
        return [f"{indent}# {piece}" for piece in wrap(bare[2:], width - len(indent) - 2, break_on_hyphens=False)]
    if bare.startswith('"""'):
        pieces = wrap(bare, width - len(indent), break_long_words=False, break_on_hyphens=False)
        return [f"{indent}{piece}" for piece in pieces]
    code, gap, _ = _plain(bare).partition("  #")
    if gap:
        return [f"{indent}# {bare[len(code) + 3 :].strip()}", *folded(f"{indent}{bare[: len(code)].rstrip()}", width)]
    spans = _groups(bare)
    if not spans:
        return [line]
    start, stop = _break(bare, spans)
    head, inner, tail = bare[: start + 1], bare[start + 1 : stop], bare[stop:]
    return [f"{indent}{head}", *_inside(inner, f"{indent}    ", width, calls=_calls(bare, start)), f"{indent}{tail}"]


def _plain(code: str) -> str:
    """The code with blanks for what is in strings."""
    return STRING.sub(lambda found: "_" * len(found[0]), code)


def _groups(code: str) -> list[tuple[int, int]]:
    """The outermost brackets: where each opens and closes."""
    found, depth, start = [], 0, 0
    for at, letter in enumerate(_plain(code)):
        if letter in OPENING:
            depth, start = depth + 1, start if depth else at
        elif letter in CLOSING:
            depth -= 1
            if not depth:
                found.append((start, at))
    return found


def _calls(code: str, start: int) -> bool:
    """Whether a bracket holds arguments or items, so that a comma may follow the last."""
    return code[start] != "(" or code[start - 1 : start].isalnum() or code[start - 1 : start] == "_"


def _break(code: str, spans: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The bracket to open: the one with a sum or product in it that stands first, else the longest."""
    first = spans[0]
    if not _calls(code, first[0]):
        return first
    return max(spans, key=lambda span: span[1] - span[0])


def _inside(inner: str, indent: str, width: int, *, calls: bool) -> list[str]:
    """What is in a bracket, on lines of its own."""
    if len(indent) + len(inner) <= width and not (calls and len(_parts(inner, ", ")) == 1):
        return [f"{indent}{inner}"]
    pieces = [piece.rstrip(",") for piece in _parts(inner, ", ")]
    if len(pieces) > 1:  # as many on a line as there is room for
        lines = [f"{pieces[0]},"]
        for piece in pieces[1:]:
            if len(indent) + len(lines[-1]) + len(piece) + 2 <= width:
                lines[-1] += f" {piece},"
            else:
                lines.append(f"{piece},")
        if not calls or " for " in inner:
            lines[-1] = lines[-1].rstrip(",")
        return [found for text in lines for found in folded(f"{indent}{text}", width)]
    for operator in OPERATORS:
        pieces = _parts(inner, operator)
        if len(pieces) > 1:
            texts = [pieces[0], *(f"{operator.strip()} {piece}" for piece in pieces[1:])]
            return [found for text in texts for found in folded(f"{indent}{text}", width)]
    return folded(f"{indent}{inner}", width)


def _parts(text: str, separator: str) -> list[str]:
    """The text cut at a separator, where that is in no bracket and no string."""
    plain, depth, found, start = _plain(text), 0, [], 0
    for at, letter in enumerate(plain):
        depth += (letter in OPENING) - (letter in CLOSING)
        if not depth and plain.startswith(separator, at):
            found.append(text[start:at])
            start = at + len(separator)
    return [*found, text[start:]]
