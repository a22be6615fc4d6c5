"""Boxes: named tensors that the category knows nothing about, except for what their declaration promises."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from catnn.category.families import FAMILIES
from catnn.category.wires import Wire, Word, show_word

ADJOINTS = ("", "self", "isometry", "unitary")
"""What may be declared of W': nothing, W' = W, W ; W' = id, and that both ways round."""

SYMMETRIES = ("", "inputs", "outputs", "both")
"""Which legs of a box may be declared to be exchangeable."""


@dataclass(frozen=True, slots=True)
class Box:
    """A named tensor with as many legs as its words have wires; equal boxes are one tensor, shared.

    kind: how its numbers are had (``abstract``: not at all, it stands in rules and checks alone); no law depends on it.
    adjoint: one of `ADJOINTS`; symmetric: one of `SYMMETRIES`; turned: whether this is the box upside down.
    Raises: ValueError where a promise does not fit the words.

    >>> from catnn.category.wires import Group
    >>> V = Wire("V", Group("S", "n"))
    >>> print(Box("W", (V, V), (V,)), Box("W", (V, V), (V,)).dagger())
    W : V^2 -> V W' : V -> V^2
    """

    name: str
    source: Word
    target: Word
    kind: str = "abstract"
    adjoint: str = field(default="", kw_only=True)
    symmetric: str = field(default="", kw_only=True)
    turned: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        if self.adjoint not in ADJOINTS or self.symmetric not in SYMMETRIES:
            raise ValueError(f"{self.name}: no such promise")
        if self.adjoint == "self" and (self.source != self.target or self.turned):
            raise ValueError(f"{self.name}: what equals its own dagger has one word on both sides")
        legs = (self.source if self.free_inputs else ()), (self.target if self.free_outputs else ())
        if any(len(set(word)) > 1 for word in legs):
            raise ValueError(f"{self.name}: exchangeable legs are of one wire")

    @property
    def free_inputs(self) -> bool:
        """Whether the inputs may be exchanged."""
        return self.symmetric in ("inputs", "both")

    @property
    def free_outputs(self) -> bool:
        """Whether the outputs may be exchanged."""
        return self.symmetric in ("outputs", "both")

    def dagger(self) -> Box:
        """The box upside down: its matrix is the transpose."""
        if self.adjoint == "self":
            return self
        other = {"inputs": "outputs", "outputs": "inputs"}.get(self.symmetric, self.symmetric)
        return replace(self, source=self.target, target=self.source, symmetric=other, turned=not self.turned)

    @property
    def label(self) -> str:
        """The name, with a prime where it stands upside down."""
        return self.name + ("'" if self.turned else "")

    @property
    def key(self) -> tuple[str, ...]:
        """What boxes are ordered by: equal for equal boxes alone."""
        words = (_spell(self.source), _spell(self.target))
        return (self.name, str(self.turned), *words, self.kind, self.adjoint, self.symmetric)

    def __str__(self) -> str:
        return f"{self.label} : {show_word(self.source)} -> {show_word(self.target)}"


def _spell(word: Word) -> str:
    return " ".join(f"{wire}:{wire.group}" for wire in word)


FORMS = ("ev", "coev", "eps")
"""Boxes that are diagrams of their group: the bends of Sp(n) and the Levi-Civita tensor."""


def form(name: str, wire: Wire) -> Box:
    """The bend `ev` or `coev` of a symplectic wire, or the `eps` of a wire of SO(n), as a box."""
    if name == "ev":
        return Box("ev", (wire, wire), (), "form")
    legs = 2
    if name == "eps":
        assert isinstance(wire.group.size, int)
        legs = wire.group.size
    return Box(name, (), (wire,) * legs, "form")


def orbit(wire: Wire, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> Box:
    """The indicator of an orbit of `Perm` or `Aut` as a box: its name is its least tuple, as in ``[1 -> 0]``."""
    name = "[" + " ".join((*map(str, inputs), "->", *map(str, outputs))) + "]"
    return Box(name, (wire,) * len(inputs), (wire,) * len(outputs), "orbit")


def structure(wire: Wire) -> str:
    """How wires of a space meet: ``spider`` (any number of ends), ``bend`` (two ends, either way round), ``plain``.

    A bend of Sp(n) changes the sign where it turns round, so there it is a box and the wire goes from a box to a box.

    >>> from catnn.category.wires import Group
    >>> [structure(Wire("V", Group(key, "n"))) for key in ("S", "H", "O", "U", "Sp")]
    ['spider', 'spider', 'bend', 'bend', 'plain']
    """
    family = FAMILIES[wire.group.family]
    if family.closing == "form":
        return "plain"
    return "spider" if "spider" in family.generators else "bend"


def ends_fault(wire: Wire, into: int, out: int) -> str | None:
    """Why a vertex may not have so many ends, or None; a closed loop has none.

    into: ends where the wire itself arrives (from an output of a box or an input of the diagram), or its dual leaves;
    out: the other ends.
    """
    family, ports = FAMILIES[wire.group.family], into + out
    if ports == 0:
        return None
    kind = structure(wire)
    if kind == "spider":
        return family.block_fault(ports)
    if kind == "plain" or family.oriented:
        return None if into == out == 1 else f"joins {into} ends to {out}, a wire goes from one end to one"
    if ports == 2 or (ports == 1 and not family.epsilon and family.block_fault(1) is None):
        return None  # a wire of B(n) or B'(n) may end alone
    return f"has {ports} port{'s' if ports != 1 else ''}, a matching pairs exactly 2"
