"""Spaces, words, types and boxes as plain data, and back: what the documents of every kind are made of."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from catnn.category.families import FAMILIES
from catnn.category.wires import Summand, Type, Wire, Word
from catnn.hypergraph.box import Box
from catnn.view.graph import group_of, read_box
from catnn.view.refusal import refuse

Data = dict[str, Any]
Wires = dict[str, Wire]


# ---------------------------------------------------------------------------------------------------------- writing


@dataclass(slots=True)
class Spaces:
    """The spaces of a document: every wire that is written is noted here.

    Raises: ValueError, when written, where two spaces have one name.
    """

    found: Wires = field(default_factory=dict)

    def word(self, word: Word) -> list[str]:
        """A word by the names of its wires."""
        for wire in word:
            if self.found.setdefault(wire.space, wire.base) != wire.base:
                raise ValueError(f"two spaces are called {wire.space!r}")
        return [str(wire) for wire in word]

    def type(self, type_: Type) -> list[Data]:
        """The summands of a type."""
        return [self.summand(summand) for summand in type_.summands]

    def summand(self, summand: Summand) -> Data:
        """A summand; with symmetric powers it says where they begin and how many wires share an axis."""
        symmetric = {"symmetric": [list(pair) for pair in summand.symmetric]} if summand.symmetric else {}
        return {"word": self.word(summand.word), "channels": summand.channels, **symmetric}

    def box(self, box: Box) -> Data:
        """A box with its promises and its words."""
        return {
            "name": box.name, "kind": box.kind, "adjoint": box.adjoint, "symmetric": box.symmetric,
            "turned": box.turned, "source": self.word(box.source), "target": self.word(box.target),
        }  # fmt: skip

    def data(self) -> Data:
        """The spaces by name."""
        return {name: _space(wire) for name, wire in self.found.items()}


def _space(wire: Wire) -> Data:
    label = {"label": wire.group.label} if wire.group.label else {}
    return {"family": wire.group.family, "size": wire.group.size, **label}


# ---------------------------------------------------------------------------------------------------------- reading


def read_wires(data: Data) -> Wires:
    """The wires of a document, and their duals where they have one.  Raises: DocumentError."""
    wires: Wires = {}
    for name, space in data["spaces"].items():
        group = group_of(space["family"], str(space["size"]))
        wires[name] = Wire(name, replace(group, label=str(space.get("label", ""))))
    duals = {f"{n}'": wire.flipped() for n, wire in wires.items() if FAMILIES[wire.group.family].oriented}
    return {**wires, **duals}


def read_word(wires: Wires, names: Any) -> Word:
    """A word.  Raises: DocumentError; KeyError for an unknown wire."""
    if not isinstance(names, list):
        raise refuse(f"{names!r} is no list of wires")
    return tuple(wires[name] for name in names)


def read_type(wires: Wires, rows: list[Data]) -> Type:
    """A type.  Raises: DocumentError where it has no summand or one that is none."""
    if not rows:
        raise refuse("a type has one summand or more")
    return Type(tuple(read_summand(wires, row) for row in rows))


def read_summand(wires: Wires, row: Data) -> Summand:
    """A word with its channels and its symmetric powers.  Raises: DocumentError where they do not fit."""
    if type(row["channels"]) is not int or not 1 <= row["channels"] < 2**31:
        raise refuse("a summand has 1 to 2^31-1 channels")
    word = read_word(wires, row["word"])
    symmetric, end = row.get("symmetric", []), 0
    if any(not isinstance(pair, list) or len(pair) != 2 for pair in symmetric):
        raise refuse("a symmetric power is a pair: where it begins, and how many wires it has")
    for at, power in symmetric:
        if type(at) is not int or type(power) is not int or power < 2 or not end <= at <= len(word) - power:
            raise refuse(f"{[at, power]!r} is no symmetric power of these wires")
        if len({*word[at : at + power]}) != 1:
            raise refuse("a symmetric power is of one wire")
        end = at + power
    return Summand(word, row["channels"], tuple((at, power) for at, power in symmetric))


def read_box_data(wires: Wires, data: Data) -> Box:
    """A box.  Raises: DocumentError where its promises do not fit."""
    turned = "yes" if data["turned"] is True else "no"
    words = read_word(wires, data["source"]), read_word(wires, data["target"])
    return read_box({**data, "how": data["kind"], "turned": turned}, *words)


def read_index(value: Any, count: int) -> int:
    """A number below a count.  Raises: DocumentError for anything else."""
    if type(value) is not int or not 0 <= value < count:
        raise refuse(f"{value!r} is no number from 0 to {count - 1}")
    return value


def read_row(row: list[Any], count: int) -> tuple[int, ...]:
    """Numbers below a count.  Raises: DocumentError for anything else."""
    if not isinstance(row, list):
        raise refuse(f"{row!r} is no list of numbers")
    return tuple(read_index(value, count) for value in row)
