"""The canonical text of what is compiled: equal for items that are emitted alike, whatever file they come from.

It spells out every value that a layer or network consists of.  Layers and networks are numbered where they first stand,
since one that is used twice is one module, and two that are equal are two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from fractions import Fraction
from functools import cache, lru_cache
from hashlib import sha256

from catnn.category.basis import Basis
from catnn.category.diagram import Sum
from catnn.category.half import Half
from catnn.category.wires import Wire, Word
from catnn.model import Layer, Network

IGNORED = frozenset({"span", "notes"})
"""What is for messages alone."""


def canonical(value: object) -> str:
    """The text of a value.  Raises: TypeError for what has none.

    >>> canonical((1, "n", Fraction(1, 2)))
    "(1,'n',1/2)"
    """
    pieces: list[str] = []
    known: dict[int, int] = {}
    pending: list[object] = [value]
    while pending:  # no recursion: bodies may nest deeply
        top = pending.pop()
        match top:
            case _Text(text):
                pieces.append(text)
            case None | bool() | int() | str() | bytes():
                pieces.append(repr(top))
            case Fraction():
                pieces.append(f"{top.numerator}/{top.denominator}")
            case Layer() | Network() if id(top) in known:
                pieces.append(f"#{known[id(top)]}")
            case Half():
                pieces.append(_half(top))
            case Wire():
                pieces.append(f"{_wire(top)}{top.group.label!r}")
            case Basis():
                parts = (top.source, top.target, top.mean, top.levels)
                pending += _row("Basis(", parts)
            case Sum():
                pending += _row("Sum(", (top.source, top.target, top.weighted))
            case tuple() | list():
                pending += _row("(", top)
            case range():
                pieces.append(repr(top))
            case _ if is_dataclass(top) and not isinstance(top, type):
                if isinstance(top, Layer | Network):
                    known[id(top)] = len(known)
                names = _fields(type(top))
                pending += _row(f"{type(top).__name__}(", [getattr(top, name) for name in names])
            case Mapping():
                pending += _row("{", list(top.items()))
            case _:
                raise TypeError(f"{type(top).__name__} has no canonical text")
    return "".join(pieces)


@lru_cache(maxsize=4096)
def _half(half: Half) -> str:
    """A half; what its groups are called, which is no part of their equality, stands in the types."""
    return f"Half({_word(half.word)},{half.blocks},{half.through},{half.heads})"


@lru_cache(maxsize=256)
def _word(word: Word) -> str:
    return "".join(map(_wire, word))


@lru_cache(maxsize=256)
def _wire(wire: Wire) -> str:
    group = wire.group
    return f"Wire({wire.space!r},{group.family!r},{group.size!r},{wire.dual})"


class _Text:
    """Text as it is, among values."""

    __match_args__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def _row(opening: str, values: list[object] | tuple[object, ...]) -> list[object]:
    """A row of values in brackets, last first, as a stack takes it."""
    found: list[object] = [_Text(")")]
    for at in range(len(values) - 1, -1, -1):
        found += [values[at], _Text(",")] if at else [values[at]]
    return [*found, _Text(opening)]


@cache
def _fields(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind) if field.init and field.name not in IGNORED)


def digest(value: object) -> str:
    """The hash of the canonical text.  Raises: TypeError for what has none."""
    return sha256(canonical(value).encode("utf-8", "surrogatepass")).hexdigest()
