"""After which wires each activation may stand: a function must commute with the group."""

from __future__ import annotations

from catnn.activations import Activation
from catnn.category.families import FAMILIES
from catnn.category.wires import Wire, Word, bases


def culprit(activation: Activation, word: Word) -> Wire | None:
    """The wire of a word whose group an activation does not commute with, or None.

    >>> from catnn.activations import ACTIVATIONS
    >>> from catnn.category.wires import Group
    >>> print(culprit(ACTIVATIONS["relu"], (Wire("R", Group("O", 3)),)))
    R
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
    moves = FAMILIES[wire.group.family].moves or str(wire.group)
    return f"a pointwise map commutes with permutations, not with {moves}; {remedy}"
