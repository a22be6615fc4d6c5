"""Whole hom-spaces for `all` and `bias`: counted first, enumerated only where that is sensible."""

from __future__ import annotations

from catnn.category.counting import number
from catnn.category.diagram import Diagram, Morphism, linear
from catnn.category.families import FAMILIES
from catnn.category.halves import count, hom
from catnn.category.labelled import basis_of, is_orbital, permuted
from catnn.category.scalar import ONE, Scalar
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


def basis(source: Word, target: Word, *, mean: bool = False) -> tuple[Morphism, ...]:
    """The basis of a hom-space in the order of the weights; with `mean`, diagrams carry their factor."""
    diagrams = basis_of(source, target)
    return tuple(averaged(diagram) for diagram in diagrams) if mean else tuple(diagrams)


def learned(source: Summand, target: Summand, *, mean: bool = False) -> tuple[Morphism, ...]:
    """What `all` learns between two summands: of the basis of their words the orbits, where they are symmetric."""
    if not source.symmetric and not target.symmetric:
        return basis(source.word, target.word, mean=mean)
    found = orbits((factors.diagram() for factors in hom(source.word, target.word)), source, target)
    return tuple(averaged(value) for value in found) if mean else tuple(found)


def averaged(value: Morphism) -> Morphism:
    """Every diagram divided by the size of each of its input-only blocks, so that sums become means."""
    if isinstance(value, Diagram):
        factor = mean_factor(value)
        return value if factor == ONE else value * factor
    return linear(value.source, value.target, ((c * mean_factor(d), d) for c, d in value.weighted))


def mean_factor(diagram: Diagram) -> Scalar:
    """1/n for each block that has inputs only, n the size of its space; a leg of an epsilon is no such block.

    Of an orbit, 1 over the number of inputs that meet an output: the mean over neighbours.
    """
    factor, outputs = ONE, len(diagram.target)
    legs = diagram.free
    for block in diagram.parts:
        if block[0] >= outputs and block[0] not in legs and not is_orbital(diagram.wire(block[0])):
            factor = factor * Scalar.size(diagram.wire(block[0]).group.size, -1)
    for wire in diagram.spaces():
        if is_orbital(wire):
            factor = factor / Scalar.of(permuted(wire).valency(diagram.part(wire)[0]))
    return factor


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
