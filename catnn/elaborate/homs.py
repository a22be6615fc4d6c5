"""Whole hom-spaces for `all` and `bias`: counted first, enumerated only where that is sensible."""

from __future__ import annotations

from math import comb, factorial

from catnn.category.counting import matchings
from catnn.category.diagram import Diagram, Morphism, linear
from catnn.category.families import FAMILIES
from catnn.category.halves import count, hom
from catnn.category.pattern import LETTERS
from catnn.category.scalar import ONE, Scalar
from catnn.category.symmetric import orbits
from catnn.category.wires import Summand, Wire, Word, bases, ends
from catnn.elaborate.report import number
from catnn.elaborate.scopes import Scope

FAMOUS = {
    (3, 2, 1): ", the cross product",
    (3, 1, 2): ", the cross product upside down",
    (3, 3, 0): ", the triple product",
    (3, 0, 3): ", the triple product upside down",
}
"""The epsilons of SO(3) that have names, by (n, k, l)."""

CAP = 150
"""Words longer than this are counted as if they had this many wires: the count is then a lower bound."""


def effort(source: Word, target: Word) -> tuple[int, bool]:
    """How many diagrams must be looked at to list the basis, and whether the number is exact (else a lower bound).

    >>> from catnn.category.wires import Group, Wire
    >>> V = Wire("V", Group("S", "n"))
    >>> effort((V,) * 12, (V,) * 12)
    (445958869294805289, True)
    """
    exact, total = True, 1
    for wire in bases(source + target):
        k, l = ends(wire, source, target)
        size, family = wire.group.size, FAMILIES[wire.group.family]
        if wire.group.family == "S" and isinstance(size, int) and size < k + l:
            shorter = (min(k, CAP), min(l, CAP))
            total *= _few_blocks(*shorter, size)
            exact &= size == 1 or shorter == (k, l)
        elif wire.group.family == "S" and k + l > 2 * CAP:
            total *= family.count(CAP, CAP)
            exact = False
        else:
            total *= family.count_at(k, l, size)
    return total, exact or total == 0


def _few_blocks(k: int, l: int, most: int) -> int:
    """Partitions whose two rows have at most so many blocks each: what a literal S(n) lists before it chooses."""
    rows = [_stirling(m, min(m, most)) for m in (k, l)]
    found = 0
    for p in range(min(k, l, most) + 1):
        ins, outs = (sum(row[j] * comb(j, p) for j in range(p, len(row))) for row in rows)
        found += ins * outs * factorial(p)
    return found


def _stirling(m: int, most: int) -> list[int]:
    """S(m, 0..most), without the rest of the row."""
    row = [1] + [0] * most
    for _ in range(m):
        row = [0] + [row[t - 1] + t * row[t] for t in range(1, most + 1)]
    return row


def too_many(source: Word, target: Word, scope: Scope) -> str | None:
    """The refusal of a hom-space with more diagrams than the limit, or None."""
    total, exact = effort(source, target)
    if total <= scope.max_diagrams:
        return None
    shown = number(total) if exact else f"more than {number(total).removeprefix('about ')}"
    limit = f"the limit is {scope.max_diagrams:,} (`--max-diagrams`), counted, not tried"
    return f"`{scope.show_arrow(source, target)}` has {shown} diagrams; {limit}"


def basis(source: Word, target: Word, *, mean: bool = False) -> tuple[Morphism, ...]:
    """The basis of a hom-space in the order of the weights; with `mean`, diagrams carry their factor."""
    diagrams = (factors.diagram() for factors in hom(source, target))
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
    """1/n for each block that has inputs only, n the size of its space; a leg of an epsilon is no such block."""
    factor, outputs = ONE, len(diagram.target)
    legs = diagram.free
    for block in diagram.parts:
        if block[0] >= outputs and block[0] not in legs:
            factor = factor * Scalar.size(diagram.wire(block[0]).group.size, -1)
    return factor


def note(what: str, source: Word, target: Word, kept: int) -> str | None:
    """What a literal size leaves out: "15 diagrams, only 14 independent for n = 3: ...", or None."""
    wires = [wire for wire in bases(source + target) if isinstance(wire.group.size, int)]
    if not wires or len(source + target) > CAP:
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
        k, l = ends(wire, source, target)
        if FAMILIES[wire.group.family].count_at(k, l, wire.group.size) == 0:
            ports = f"{k + l} port{'s' if k + l != 1 else ''} cannot be paired (k + l must be even)"
            if FAMILIES[wire.group.family].count(0, 2) > 1:
                ports = f"an odd number of ports, {k + l}, changes sign with minus one (k + l must be even)"
            if FAMILIES[wire.group.family].epsilon:
                n = wire.group.size
                ports = f"{k + l} port{'s' if k + l != 1 else ''} cannot be paired, nor all but {n} of them"
            if FAMILIES[wire.group.family].oriented:
                name = scope.show_word((wire,))
                ports = f"what goes in must come out, a `{name}'` the other way round, and {k} `{name}` are not {l}"
            arrow = scope.show_arrow(source, target)
            more = _levi_civita(wire, k, l)
            return f"no non-zero equivariant map `{arrow}` exists for {wire.group}: {ports}{more}"
    return None


def _levi_civita(wire: Wire, k: int, l: int) -> str:
    n, m = wire.group.size, k + l
    if wire.group.family != "O" or not isinstance(n, int) or m < n or (m - n) % 2:
        return ""
    found = comb(m, n) * matchings(m - n)
    if found != 1:
        return f"; SO({n}) has {number(found)}, with a Levi-Civita tensor"
    if m > len(LETTERS):
        return f"; SO({n}) has one, the Levi-Civita tensor"
    pattern = "[" + " ".join((*LETTERS[:k], "->", *LETTERS[k:m])) + "]"
    return f"; SO({n}) has one, `{pattern}`{FAMOUS.get((n, k, l), '')}"
