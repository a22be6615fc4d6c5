"""Text to tokens.  The terminals come from the grammar's tables; what no terminal matches becomes a token with a fault.

A fault is reported by the parser when it meets the token, so that a statement has one diagnostic, the first.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple

from catnn.diagnostics import CatnnError, Diagnostic, Label, Source, Span
from catnn.syntax.embedded import MOST_PAGE, is_page, unwrapped
from catnn.syntax.lalr import tables

MAX_BYTES = 1_000_000
MAX_DIGITS = 1000
BAD = "$BAD"

# Control characters, and those that make a line look different from what it is (zero width, text direction).
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)

# What other languages write, and what catnn writes instead.
LOOKALIKES = {
    ":=": "=", "==": "=", "|->": "->", "-->": "->", "<-": "->", ">>": ";", "**": "^", "&&": "@", "||": "+",
    "∘": ";", "⨾": ";", "×": "@", "⊠": "@", "⊕": "+", "·": "*", "∗": "*", "−": "-", "–": "-", "—": "-",
    "’": "'", "‘": "'", "′": "'", "`": "'", "“": '"', "”": '"', "↦": "->", "⟶": "->", "⟼": "->", "⇒": "=>",
    "≔": "=", "≡": "=", "：": ":", "；": ";", "，": ",", "（": "(", "）": ")", "\u037e": ";",
    "\\": "/", "|": ";", ".": ";",
    "\u00a0": " ", "\u3000": " ", "\u2009": " ", "\u202f": " ",
}  # fmt: skip
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


class Token(NamedTuple):
    """A piece of text; kind is the name of its terminal, or `BAD` with a fault."""

    kind: str
    start: int
    end: int
    text: str
    fault: Diagnostic | None = None


@cache
def _scanner() -> re.Pattern[str]:
    table = tables()
    literals = sorted(table.literals.items(), key=lambda item: -len(item[1]))
    operators = "|".join(re.escape(text) for text in LOOKALIKES if len(text) > 1)
    alternatives = [
        ("BAD_COMMENT", r"//[^\n]*"),
        ("BAD_OPERATOR", operators),
        ("BAD_NUMBER", r"[0-9]+(?:\.[0-9]+)?[^\W\d]\w*|[0-9]+\.(?![0-9])|\.[0-9]+"),
        *table.patterns.items(),
        *((name, re.escape(text)) for name, text in literals),
        ("BAD_STRING", r'"[^"\n]*'),
        ("BAD_CHARACTER", r"."),
    ]
    return re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in alternatives), re.DOTALL)


def make_source(text: str, path: str) -> Source:
    """The source of a text: without a byte order mark, every line end a line feed.

    Raises: CatnnError E0004 where it is too large.
    """
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise CatnnError(_too_large(path))
    return Source(path, text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"))


def read_spec(path: Path) -> bytes:
    """The bytes of a file, or as many as show that it is too large; a report may be larger than the spec inside.

    Raises: OSError where it cannot be read, or is no regular file: a pipe or a device may never end.
    """
    if not S_ISREG(path.stat().st_mode):
        raise OSError("no regular file")
    with path.open("rb") as stream:
        data = stream.read(MAX_BYTES + 1)
        return data + stream.read(MOST_PAGE) if len(data) > MAX_BYTES and is_page(data) else data


def decode(data: bytes, path: str) -> Source:
    """The source that the bytes of a file hold: a spec, or a report with one inside.

    Raises: CatnnError E0003 where they are not UTF-8, E0004 where they are too many.
    """
    data = unwrapped(data)
    if len(data) > MAX_BYTES:
        raise CatnnError(_too_large(path))
    try:
        return make_source(data.decode("utf-8"), path)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CatnnError(
            Diagnostic(
                "E0003",
                f"`{path}` is not UTF-8 text: byte 0x{data[error.start]:02x} in line {line}",
                notes=("a spec is a text file in UTF-8",),
                helps=("save it as UTF-8 in your editor",),
            )
        ) from None


def _too_large(path: str) -> Diagnostic:
    return Diagnostic(
        "E0004",
        f"`{path}` is larger than 1 MB",
        notes=("a spec has at most 1,000,000 bytes",),
        helps=('split it and use `import "other.catnn" as H`',),
    )


def tokenize(source: Source) -> tuple[list[Token], list[tuple[int, str]]]:
    """The tokens of a source, and its comments as (offset, text)."""
    tokens: list[Token] = []
    comments: list[tuple[int, str]] = []
    table = tables()
    keywords = {text: kind for kind, text in table.keywords.items()}
    suspicious = _CONTROL.search(source.text) is not None
    for match in _scanner().finditer(source.text):
        kind = match.lastgroup or ""
        text = match.group()
        if kind == "BLANK":
            continue
        if kind == "COMMENT":
            comments.append((match.start(), text.rstrip()))
        fault = None
        if suspicious and (control := _CONTROL.search(text)):
            fault = _control(source, match.start() + control.start(), control.group())
        elif kind in _FAULTS:
            fault = _FAULTS[kind](Span(source, match.start(), match.end()))
        elif kind == "NAME":
            kind = keywords.get(text, kind)
        if fault is None and not text.isascii() and kind in ("NAME", "QUALIFIED"):
            fault = _odd_name(Span(source, match.start(), match.end()))
        if fault is None and kind in ("INT", "DECIMAL") and len(text) > MAX_DIGITS:
            fault = _long_number(Span(source, match.start(), match.end()))
        if fault is not None:
            tokens.append(Token(BAD, match.start(), match.end(), text, fault))
        elif kind != "COMMENT":
            tokens.append(Token(kind, match.start(), match.end(), text))
    return tokens, comments


# ------------------------------------------------------------------------------------------------------------- faults


def _fault(code: str, message: str, span: Span, label: str, note: str = "", help_: str = "") -> Diagnostic:
    return Diagnostic(code, message, (Label(span, label),), (note,) if note else (), (help_,) if help_ else ())


def _control(source: Source, offset: int, character: str) -> Diagnostic:
    return _fault(
        "E0002",
        f"a control character, U+{ord(character):04X}",
        Span(source, offset, offset + 1),
        "cannot be seen",
        "a spec holds only what can be seen, spaces, tabs and line ends, in comments too",
        "delete it",
    )


def _operator(span: Span) -> Diagnostic:
    right = LOOKALIKES[span.text]
    return _fault("E0001", f"`{span.text}` is not an operator of catnn", span, f"write `{right}`")


def _comment(span: Span) -> Diagnostic:
    text = f"# {span.text.lstrip('/').strip()}".rstrip()
    return _fault("E0001", "a comment begins with `#`, not with `//`", span, "not a comment", help_=f"write `{text}`")


def _character(span: Span) -> Diagnostic:
    text = span.text
    if text in LOOKALIKES:
        right = LOOKALIKES[text]
        help_ = "write a plain space" if right == " " else f"write `{right}`"
        name = "this blank" if right == " " else f"`{text}`"
        return _fault("E0001", f"{name} (U+{ord(text):04X}) is not a character of catnn", span, help_)
    return _fault("E0001", f"`{text}` (U+{ord(text):04X}) is not a character of catnn", span, "means nothing here")


def _string(span: Span) -> Diagnostic:
    return _fault(
        "E0005",
        "this string is never closed",
        span,
        'a second `"` is missing',
        "a string ends on the line it begins on",
        f'write `{span.text.rstrip()}"`',
    )


def _number(span: Span) -> Diagnostic:
    text = span.text
    note = "numbers are integers; a fraction is written with `/`"
    parts = re.fullmatch(r"([0-9]+)([^\W\d]\w*)", text)
    if parts and not re.fullmatch(r"e[0-9]+", parts[2]):
        return _fault(
            "E0007",
            f"`{text}` is neither a number nor a name",
            span,
            "a name begins with a letter",
            help_=f"write `{parts[1]} * {parts[2]}` for the product, or `{parts[2]}{parts[1]}` as a name",
        )
    return _fault("E0007", f"`{text}` is not a number of catnn", span, "not an integer", note)


def _odd_name(span: Span) -> Diagnostic | None:
    """Names that look like others: only letters in their normal form (NFKC) are taken."""
    import unicodedata

    text = span.text
    if unicodedata.normalize("NFKC", text) == text and all(part.isidentifier() for part in text.split(".")):
        return None
    bare = text.rstrip("⁰¹²³⁴⁵⁶⁷⁸⁹")
    if bare != text and bare:
        help_ = f"write `{bare}^{text[len(bare) :].translate(_SUPERSCRIPTS)}`"
    else:
        normal = unicodedata.normalize("NFKC", text)
        help_ = f"write `{normal}`" if normal != text else "a name has letters, digits and `_`"
    return _fault(
        "E0006",
        f"`{text}` is not in the normal form of a name",
        span,
        "looks like another name",
        "two names that look alike must be alike: letters and digits in their normal form (NFKC)",
        help_,
    )


def _long_number(span: Span) -> Diagnostic:
    return _fault("E0008", f"a number of {len(span.text):,} digits", span, f"the limit is {MAX_DIGITS:,} digits")


_FAULTS = {
    "BAD_COMMENT": _comment,
    "BAD_OPERATOR": _operator,
    "BAD_NUMBER": _number,
    "BAD_STRING": _string,
    "BAD_CHARACTER": _character,
}
