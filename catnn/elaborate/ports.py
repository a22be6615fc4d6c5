"""Ports: the ends of a diagram whose spaces are still to be found, by unification."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from catnn.category.wires import Group, Wire, Word
from catnn.syntax import nodes


class Port:
    """An end of a wire: its space, once known, or another port that it equals."""

    __slots__ = ("link", "wire")

    def __init__(self, wire: Wire | None = None) -> None:
        self.link: Port | None = None
        self.wire = wire

    def root(self) -> Port:
        """The port that stands for this one, paths halved on the way."""
        port = self
        while port.link is not None:
            if port.link.link is not None:
                port.link = port.link.link
            port = port.link
        return port


Ports = tuple[Port, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """The two rows of ports of a term."""

    source: Ports
    target: Ports


def known(word: Word) -> Ports:
    """Ports of a word."""
    return tuple(Port(wire) for wire in word)


def unify(left: Sequence[Port], right: Sequence[Port]) -> bool:
    """Make two rows equal, port by port; False where they differ (what agrees is made equal all the same)."""
    fine = len(left) == len(right)
    for a, b in zip(left, right, strict=False):
        one, other = a.root(), b.root()
        if one is other:
            continue
        if one.wire is None:
            one.link = other
        elif other.wire is None:
            other.link = one
        elif one.wire != other.wire:
            fine = False
    return fine


def resolved(ports: Sequence[Port]) -> Word | None:
    """The word of a row, None while a space is missing."""
    wires = [port.root().wire for port in ports]
    whole = tuple(wire for wire in wires if wire is not None)
    return whole if len(whole) == len(wires) else None


def guess(ports: Sequence[Port]) -> Word:
    """The word of a row for messages; `?` where the space is unknown."""
    unknown = Wire("?", Group("S", "?"))
    return tuple(port.root().wire or unknown for port in ports)


# ------------------------------------------------------------------------------------------------- walking over terms


def children(term: nodes.Term) -> tuple[nodes.Term, ...]:
    """The terms right inside a term; calls are not looked into."""
    match term:
        case nodes.Scaled() | nodes.Dagger() | nodes.Brackets():
            return (term.term,)
        case nodes.Tensor() | nodes.Chain() | nodes.Sum() | nodes.SpanOf():
            return term.terms
        case _:
            return ()


def postorder(term: nodes.Term) -> Iterator[nodes.Term]:
    """Every term inside a term and itself, children first, left to right, without recursion."""
    pending: list[tuple[nodes.Term, bool]] = [(term, False)]
    while pending:
        node, ready = pending.pop()
        inside = children(node)
        if ready or not inside:
            yield node
        else:
            pending.append((node, True))
            pending.extend((child, False) for child in reversed(inside))


def core(term: nodes.Term) -> nodes.Term:
    """The term inside brackets, scalars and daggers."""
    while isinstance(term, nodes.Scaled | nodes.Dagger | nodes.Brackets):
        term = term.term
    return term


def unbracketed(term: nodes.Term) -> nodes.Term:
    """The term inside brackets alone."""
    while isinstance(term, nodes.Brackets):
        term = term.term
    return term


def is_bare_identity(term: nodes.Term) -> bool:
    """Whether this is `id` without an argument, perhaps with a scalar, a dagger or brackets."""
    inner = core(term)
    return isinstance(inner, nodes.Generator) and inner.name.text == "id" and not inner.args


def bare_identities(term: nodes.Term) -> list[nodes.Generator] | None:
    """The `id`s of a term made of nothing else (`id`, `2 * id - id`), else None."""
    found: list[nodes.Generator] = []
    pending = [term]
    while pending:
        inner = core(pending.pop())
        if isinstance(inner, nodes.Sum):
            pending.extend(inner.terms)
        elif isinstance(inner, nodes.Generator) and inner.name.text == "id" and not inner.args:
            found.append(inner)
        else:
            return None
    return found
