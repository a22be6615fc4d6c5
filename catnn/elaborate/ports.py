"""Ports: the ends of a diagram whose spaces are still to be found, by unification."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from catnn.category.families import FAMILIES
from catnn.category.pattern import jellyfish_spaces
from catnn.category.wires import Group, Wire, Word
from catnn.elaborate.report import brief
from catnn.syntax import nodes


class Port:
    """An end of a wire: its space, once known, or another port that it equals.

    turned: whether it is the dual of what it is linked to (of a space that is its own dual that means nothing);
    default: what it is if nothing says more; own_dual: whether it equals its own dual.
    """

    __slots__ = ("default", "link", "own_dual", "turned", "wire")

    def __init__(self, wire: Wire | None = None, default: Wire | None = None) -> None:
        self.link: Port | None = None
        self.turned = False
        self.wire = wire
        self.default = default
        self.own_dual = False

    def root(self) -> tuple[Port, bool]:
        """The port that stands for this one, or for its dual; paths are halved on the way."""
        port, odd = self, False
        while port.link is not None:
            if port.link.link is not None:
                port.turned ^= port.link.turned
                port.link = port.link.link
            odd ^= port.turned
            port = port.link
        return port, odd

    @property
    def found(self) -> Wire | None:
        """The wire here, None while it is not known."""
        root, odd = self.root()
        return root.wire and dual(root.wire, odd)

    def bent(self) -> Port:
        """A new port on the dual of this one."""
        port = Port()
        port.link, port.turned = self, True
        return port


def oriented(wire: Wire | None) -> bool:
    """Whether a wire differs from its dual."""
    return wire is not None and wire.group.family in FAMILIES and FAMILIES[wire.group.family].oriented


def dual(wire: Wire, odd: bool = True) -> Wire:
    """The dual of a wire: itself where the space is real."""
    return wire.flipped() if odd and oriented(wire) else wire


def open_port(space: Wire | None) -> Port:
    """A port of which only the space may be known: of a complex one, the kind is still to be found."""
    return Port(default=space) if oriented(space) else Port(space)


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
        (one, odd), (other, also) = a.root(), b.root()
        if one is other:
            if odd != also:
                one.own_dual = True
                fine &= not oriented(one.wire or one.default)
        elif one.wire is not None and other.wire is not None:
            fine &= one.wire == dual(other.wire, odd ^ also)
        else:
            left_, right_ = (one, other) if one.wire is None else (other, one)
            left_.link, left_.turned = right_, odd ^ also
            if right_.default is None and left_.default is not None:
                right_.default = dual(left_.default, odd ^ also)
            right_.own_dual |= left_.own_dual
            fine &= not (right_.own_dual and oriented(right_.wire or right_.default))
    return fine


def jellyfish(node: nodes.Pattern, word: Word, spaces: Mapping[str, Wire | None]) -> tuple[str, ...]:
    """The spaces whose jellyfish a pattern on these wires is: all of its word that have some, or those it names."""
    able = jellyfish_spaces(word) if node.sign else ()
    named = {wire.space for name in node.signed if (wire := spaces.get(name.text)) is not None}
    return tuple(sorted(space for space in able if not node.signed or space in named))


def resolved(ports: Sequence[Port]) -> Word | None:
    """The word of a row, None while a space is missing."""
    wires = [port.found for port in ports]
    whole = tuple(wire for wire in wires if wire is not None)
    return whole if len(whole) == len(wires) else None


def guess(ports: Sequence[Port]) -> Word:
    """The word of a row for messages; `?` where the space is unknown."""
    unknown = Wire("?", Group("?", "?"))
    roots = [port.root() for port in ports]
    return tuple(dual(root.wire or root.default or unknown, odd) for root, odd in roots)


# ------------------------------------------------------------------------------------------------- walking over terms


def children(term: nodes.Term) -> tuple[nodes.Term, ...]:
    """The terms right inside a term; calls are not looked into."""
    match term:
        case nodes.Scaled() | nodes.Dagger() | nodes.Power() | nodes.Brackets():
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


def bracketed(one: nodes.Term, other: nodes.Term) -> tuple[str, ...]:
    """The help for a sum of `f ; g` and `h ; k` as written `f ; g + h ; k`, which may be meant as `f ; (g + h) ; k`."""
    if not isinstance(one, nodes.Chain) and not isinstance(other, nodes.Chain):
        return ()
    left = one.terms[-1] if isinstance(one, nodes.Chain) else one
    right = other.terms[0] if isinstance(other, nodes.Chain) else other
    return (f"`;` binds closer than `+`: a sum inside of it has brackets, `({brief(left.span.to(right.span))})`",)


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
