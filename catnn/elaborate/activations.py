"""The functions a network may use between its layers, and what each commutes with (mathematics.md, section 9)."""

from __future__ import annotations

from dataclasses import dataclass

from catnn.category.families import FAMILIES
from catnn.category.wires import Wire, Word, bases


@dataclass(frozen=True, slots=True)
class Activation:
    """A function on tensors.

    kind: ``any``, ``odd`` or ``linear`` for pointwise functions (what `Family.commutes_with` asks), or ``norm`` for
    those that scale a tensor by a function of its norm; keeps_zero: whether f(0) = 0, so that padding stays 0.
    on_complex: whether it is one on complex numbers, too.
    """

    name: str
    kind: str
    keeps_zero: bool
    meaning: str

    @property
    def on_complex(self) -> bool:
        return self.kind == "norm" or self.name in ENTIRE


ENTIRE = frozenset({"square", "exp", "cos", "tanh", "sin", "cube"})
"""Pointwise functions given by a power series, which complex numbers have as well."""

ACTIVATIONS: dict[str, Activation] = {
    activation.name: activation
    for activation in (
        Activation("relu", "any", True, "max(x, 0)"),
        Activation("leaky_relu", "any", True, "x if x > 0 else x/100"),
        Activation("elu", "any", True, "x if x > 0 else exp(x) - 1"),
        Activation("gelu", "any", True, "x Phi(x), Phi the normal distribution"),
        Activation("silu", "any", True, "x sigmoid(x)"),
        Activation("abs", "any", True, "|x|"),
        Activation("square", "any", True, "x^2"),
        Activation("sigmoid", "any", False, "1/(1 + exp(-x))"),
        Activation("softplus", "any", False, "log(1 + exp(x))"),
        Activation("exp", "any", False, "exp(x)"),
        Activation("cos", "any", False, "cos(x)"),
        Activation("tanh", "odd", True, "tanh(x)"),
        Activation("sin", "odd", True, "sin(x)"),
        Activation("cube", "odd", True, "x^3"),
        Activation("softsign", "odd", True, "x/(1 + |x|)"),
        Activation("gate", "norm", True, "x sigmoid(m), m the mean of x^2 over the axes of the word"),
        Activation("norm_relu", "norm", True, "x max(r - 1, 0)/r, r^2 the mean of x^2 over the axes of the word"),
    )
}


MOVES = {"O": "rotations", "SO": "rotations", "O+": "rotations", "B": "rotations", "B'": "rotations",
         "Sp": "symplectic maps",
         "U": "unitary maps",
         "H": "changes of sign", "S'": "changes of sign", "S+": "quantum permutations"}  # fmt: skip
"""What the elements of a group do that a pointwise map does not commute with."""


def culprit(activation: Activation, word: Word) -> Wire | None:
    """The wire of a word whose group an activation does not commute with, or None.

    >>> from catnn.category.wires import Group
    >>> culprit(ACTIVATIONS["relu"], (Wire("R", Group("O", 3)),))
    Wire(space='R', group=Group(family='O', size=3), dual=False)
    """
    for wire in bases(word):
        family = FAMILIES[wire.group.family]
        if activation.kind == "norm":
            fine = family.closing != "form" and (family.closing != "metric" or activation.name == "gate")
        else:
            fine = family.commutes_with(activation.kind, sum(w.base == wire for w in word))
        if not fine:
            return wire
    return None


def reason(activation: Activation, wire: Wire, *, norms: bool) -> str:
    """Why it is refused, and what to use instead.

    norms: whether the whole type has a norm, so that `gate` may be offered.
    """
    if activation.kind == "norm" and FAMILIES[wire.group.family].closing == "metric":
        return "ev(v, v) may be negative, so it has no root; use `gate`, which takes none"
    if activation.kind == "norm":
        return "Omega(v, v) = 0, so a single vector has no norm; make invariants from pairs with `ev` first"
    remedy = "use `gate`" if norms else "make invariants with `ev` first"
    if all(FAMILIES[wire.group.family].commutes_with("odd", order) for order in (1, 2)):
        remedy = "use an odd one, as `tanh`, or `gate`"
    group = MOVES.get(wire.group.family, str(wire.group))
    return f"a pointwise map commutes with permutations, not with {group}; {remedy}"
