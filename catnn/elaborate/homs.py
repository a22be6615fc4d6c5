"""Whole hom-spaces for `all` and `bias`: counted first, enumerated only where that is sensible."""

from __future__ import annotations

from collections.abc import Sequence

from catnn.category.basis import averaged, whole
from catnn.category.counting import number
from catnn.category.diagram import Morphism
from catnn.category.families import FAMILIES
from catnn.category.halves import count
from catnn.category.labelled import basis_of
from catnn.category.symmetric import orbits
from catnn.category.wires import Summand, Wire, Word, bases, ends
from catnn.elaborate.scopes import Scope

MOST_COUNTED = 150
"""What is left out of words longer than this is not counted."""


def effort(source: Word, target: Word) -> tuple[int, bool]:
    """How many diagrams must be looked at to list the basis, and whether the number is exact (else a lower bound).

    >>> from catnn.category.wires import Group, Wire
    >>> V = Wire("V", Group("S", "n"))
    >>> effort((V,) * 12, (V,) * 12)
    (445958869294805289, True)
    """
    exact, total = True, 1
    for wire in bases(source + target):
        found, sure = FAMILIES[wire.group.family].effort(*ends(wire, source, target), wire.group.size)
        total, exact = total * found, exact and sure
    return total, exact or total == 0


def too_many(source: Word, target: Word, scope: Scope) -> str | None:
    """The refusal of a hom-space with more diagrams than the limit, or None."""
    total, exact = effort(source, target)
    if total <= scope.max_diagrams and exact:
        return None
    shown = number(total) if exact else f"more than {number(total).removeprefix('about ')}"
    limit = f"the limit is {scope.max_diagrams:,} (`--max-diagrams`), counted, not tried"
    return f"`{scope.show_arrow(source, target)}` has {shown} diagrams; {limit}"


def learned(source: Summand, target: Summand, *, mean: bool = False) -> Sequence[Morphism]:
    """What `all` learns between two summands: of the basis of their words the orbits, where they are symmetric.

    mean: diagrams carry the factor of `reduce: mean`.
    """
    if not source.symmetric and not target.symmetric:
        return whole(source.word, target.word, mean=mean)
    found = orbits(basis_of(source.word, target.word), source, target)
    return tuple(averaged(value) for value in found) if mean else tuple(found)


def note(what: str, source: Word, target: Word, kept: int) -> str | None:
    """What a literal size leaves out: "15 diagrams, only 14 independent for n = 3: ...", or None."""
    wires = [wire for wire in bases(source + target) if isinstance(wire.group.size, int)]
    if not wires or len(source + target) > MOST_COUNTED:
        return None
    total = count(source, target)
    if total == kept:
        return None
    tight = [wire for wire in wires if _loses(wire, *ends(wire, source, target))]
    sizes = ", ".join(f"n = {wire.group.size}" if len(wires) == 1 else str(wire.group) for wire in tight)
    rules = [FAMILIES[w.group.family].basis_rule(w.group.size) for w in tight if isinstance(w.group.size, int)]
    return (
        f"{total:,} diagrams, only {kept:,} independent for {sizes}: `{what}` keeps the {kept:,} {' and '.join(rules)}"
    )


def _loses(wire: Wire, k: int, l: int) -> bool:
    family = FAMILIES[wire.group.family]
    return family.dim(k, l, wire.group.size) < family.count_at(k, l, wire.group.size)


# ---------------------------------------------------------------------------------------------------- empty hom-spaces


def emptiness(source: Word, target: Word, scope: Scope) -> str | None:
    """Why a hom-space has no diagram, and which group would have one; None where it has some."""
    for wire in bases(source + target):
        (k, l), family = ends(wire, source, target), FAMILIES[wire.group.family]
        if family.count_at(k, l, wire.group.size) == 0:
            arrow, name = scope.show_arrow(source, target), scope.show_word((wire,))
            why = family.emptiness(k, l, wire.group.size, name)
            return f"no non-zero equivariant map `{arrow}` exists for {wire.group}: {why}"
    return None
