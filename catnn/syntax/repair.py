"""The text as it may have been meant: one token put in, exchanged or left out, so that the statement parses."""

from __future__ import annotations

from collections.abc import Sequence

from catnn.syntax import lalr
from catnn.syntax.situation import Situation, spelling

# What one wrote for the other, most likely first; then what is forgotten.
_CONFUSED = {
    "EQUAL": ("COLON", "_ARROW", "_FAT_ARROW"), "COLON": ("EQUAL", "_ARROW"), "_FAT_ARROW": ("_ARROW", "EQUAL"),
    "_ARROW": ("_FAT_ARROW", "COLON", "EQUAL", "SEMICOLON"), "MINUS": ("_ARROW",), "STAR": ("_TENSOR",),
    "COMMA": ("SEMICOLON", "_TENSOR"), "SEMICOLON": ("COMMA",), "LPAR": ("LBRACE", "LSQB"), "LSQB": ("LBRACE", "LPAR"),
    "LBRACE": ("LPAR",), "SLASH": ("_TENSOR",),
}  # fmt: skip
_FORGOTTEN = ("COLON", "EQUAL", "_ARROW", "COMMA", "RSQB", "RPAR", "RBRACE", "LSQB", "SEMICOLON", "_TENSOR")
_MOST_TOKENS = 400


def repaired(here: Situation, insert: Sequence[str] | None) -> str:
    """The line as it may have been meant: one token put in, exchanged or left out so that all parses; else nothing.

    insert: the kinds to put in; None to try all that is likely.
    """
    if len(here.tokens) > _MOST_TOKENS:
        return ""
    kinds = [token.kind for token in here.tokens]
    before, after = kinds[: here.index], kinds[here.index :]
    if insert is None:
        meant = _CONFUSED.get(here.kind, ())
        if here.kind in ("COMMA", "SEMICOLON") and after[1:2] and after[1] in ("ALL", "BIAS", "SPAN"):
            meant = ("PLUS", *meant)  # what makes weights is a summand
        for kind in meant:
            if lalr.accepts(here.start, [*before, kind, *after[1:]]):
                return _edited(here, kind, exchange=True)
    likely: tuple[str, ...] = _FORGOTTEN
    if here.kind in ("ALL", "BIAS", "SPAN"):
        likely = ("PLUS", *likely)
    elif here.kind_before() == "INT":
        likely = ("STAR", *likely)
    for kind in likely if insert is None else insert:
        if kind in here.expected and lalr.accepts(here.start, [*before, kind, *after]):
            return _edited(here, kind, exchange=False)
    if insert is None and after and lalr.accepts(here.start, [*before, *after[1:]]):
        return _edited(here, "", exchange=True)
    return ""


def _edited(here: Situation, kind: str, *, exchange: bool) -> str:
    """The line of the token after the edit; nothing where it is too long to be read."""
    text, new = here.source.text, spelling(kind)
    start, end = here.span.start, here.span.end
    if not exchange:
        previous = here.tokens[here.index - 1].end if here.index else start
        if kind in ("RSQB", "RPAR", "COMMA", "LSQB"):
            start = previous
            end = here.span.start if kind == "LSQB" else previous
            new = f"{new} " if text[start : start + 1].isspace() is False and kind == "COMMA" else new
        else:
            gap = text[start - 1 : start].isspace()
            start, end, new = start, start, ("" if gap else " ") + new + ("" if here.token is None else " ")
    elif not new:
        end += text[end : end + 1] == " "
    begin = text.rfind("\n", 0, start) + 1
    stop = text.find("\n", max(start, end))
    stop = len(text) if stop < 0 else stop
    line = text[begin:start] + new + text[end:stop]
    line = line.split("#")[0].strip() if '"' not in line else line.strip()
    return line if len(line) <= 120 else ""
