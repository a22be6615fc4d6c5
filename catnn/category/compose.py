"""Composition and tensor product of morphisms, one space at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from itertools import product

from catnn.category.diagram import Diagram, Morphism, Sum, linear
from catnn.category.families import FAMILIES
from catnn.category.family import Part, Weighted
from catnn.category.labelled import is_orbital, merged
from catnn.category.scalar import ONE, Scalar
from catnn.category.wires import Word, bases, show_word
from catnn.diagnostics import fail


def identity(word: Word) -> Diagram:
    """The identity of a word; of one with orbits, see `labelled.spread`."""
    return Diagram(word, word, tuple((v, v + len(word)) for v in range(len(word))))


def permutation(word: Word, order: tuple[int, ...]) -> Diagram:
    """The permutation whose output j is input order[j], as torch.permute."""
    l = len(word)
    return Diagram(word, tuple(word[i] for i in order), tuple((j, l + i) for j, i in enumerate(order)))


def compose_diagrams(upper: Diagram, lower: Diagram) -> tuple[tuple[Scalar, Diagram], ...]:
    """upper after lower, one space at a time (a closed loop is the family's scalar)."""
    wires = bases((*upper.target, *upper.source, *lower.source))
    if not wires:
        return ((ONE, Diagram((), (), ())),)
    if len(wires) == 1:
        space = wires[0].space
        u = Part(len(upper.target), len(upper.source), upper.parts, (), bool(upper.jellyfish), upper.points)
        w = Part(len(lower.target), len(lower.source), lower.parts, (), bool(lower.jellyfish), lower.points)
        group = wires[0].group
        composed = FAMILIES[group.family].compose(u, w, group.size)
        ends = lower.source, upper.target
        return tuple((c, Diagram(*ends, p.blocks, (space,) * p.signed, p.points)) for c, p in composed)
    choices = (
        FAMILIES[wire.group.family].compose(upper.part(wire)[0], lower.part(wire)[0], wire.group.size) for wire in wires
    )
    return _assembled(lower.source, upper.target, wires, choices)


def _assembled(
    source: Word, target: Word, wires: Word, choices: Iterable[Weighted]
) -> tuple[tuple[Scalar, Diagram], ...]:
    """The diagrams whose part on each of the spaces is one of its choices; coefficients are multiplied."""
    l, spread = len(target), []
    for wire, pieces in zip(wires, choices, strict=True):
        here = [v for v, w in enumerate(target) if w.base == wire]
        here += [l + v for v, w in enumerate(source) if w.base == wire]
        spread.append([(c, (p, here)) for c, p in pieces])
    result = []
    for combination in product(*spread):
        coefficient = ONE
        for c, _ in combination:
            coefficient = coefficient * c
        result.append((coefficient, merged(source, target, [piece for _, piece in combination])))
    return tuple(result)


def compose(upper: Morphism, lower: Morphism) -> Sum:
    """upper after lower.  Raises: CatnnError (E0301) where the words do not meet."""
    lower, upper = _meet(lower, upper)
    return linear(
        lower.source,
        upper.target,
        (
            (c * d * scalar, diagram)
            for c, u in upper.weighted
            for d, w in lower.weighted
            for scalar, diagram in compose_diagrams(u, w)
        ),
    )


def compose_all(stages: Iterable[Morphism]) -> Sum:
    """The composite of a chain, first stage first.  Raises: CatnnError where two do not meet; ValueError if empty."""
    iterator: Iterator[Morphism] = iter(stages)
    try:
        first = next(iterator)
    except StopIteration:
        raise ValueError("a chain has one stage or more") from None
    total = linear(first.source, first.target, first.weighted)
    for stage in iterator:
        total = compose(stage, total)
    return total


def tensor(factors: Iterable[Morphism]) -> Sum:
    """The factors side by side: n-ary, or one after the other where epsilons or orbits multiply out."""
    factors = tuple(factors)
    if any(diagram.free for factor in factors for _, diagram in factor.weighted) or _orbits_meet(factors):
        return reduce(_both, factors, linear((), (), ((ONE, Diagram((), (), ())),)))
    source: Word = ()
    target: Word = ()
    chosen: list[tuple[Scalar, tuple[Diagram, ...]]] = [(ONE, ())]
    for factor in factors:
        source, target = source + factor.source, target + factor.target
        chosen = [(c * d, (*row, diagram)) for c, row in chosen for d, diagram in factor.weighted]
    return linear(source, target, ((c, _beside(row)) for c, row in chosen))


def _both(left: Sum, right: Morphism) -> Sum:
    pairs = ((c * d, one, other) for c, one in left.weighted for d, other in right.weighted)
    terms = ((c * d, both) for c, one, other in pairs for d, both in _beside_signed(one, other))
    return linear(left.source + right.source, left.target + right.target, terms)


def _beside_signed(left: Diagram, right: Diagram) -> tuple[tuple[Scalar, Diagram], ...]:
    """Two diagrams side by side, one space at a time."""
    source, target = left.source + right.source, left.target + right.target
    wires = bases(target + source)
    choices = (
        FAMILIES[wire.group.family].beside(left.part(wire)[0], right.part(wire)[0], wire.group.size) for wire in wires
    )
    return _assembled(source, target, wires, choices)


def _orbits_meet(factors: tuple[Morphism, ...]) -> bool:
    """Whether two factors have orbits, which side by side are a sum of orbits."""
    return sum(1 for factor in factors if any(map(is_orbital, factor.source + factor.target))) > 1


def _beside(diagrams: tuple[Diagram, ...]) -> Diagram:
    source = tuple(wire for d in diagrams for wire in d.source)
    target = tuple(wire for d in diagrams for wire in d.target)
    blocks: list[tuple[int, ...]] = []
    outs, ins = 0, len(target)
    for d in diagrams:
        l = len(d.target)
        blocks.extend(tuple(v + outs if v < l else v - l + ins for v in block) for block in d.parts)
        outs, ins = outs + l, ins + len(d.source)
    points: tuple[int, ...] = ()
    if any(d.points for d in diagrams):
        rows = [(d.points or (-1,) * (len(d.target) + len(d.source)), len(d.target)) for d in diagrams]
        points = (*(p for row, l in rows for p in row[:l]), *(p for row, l in rows for p in row[l:]))
    return Diagram(source, target, tuple(sorted(blocks)), points=points)


def parallel(other: Morphism, one: Morphism) -> Morphism:
    """`other`, once it is known to be parallel to `one`."""
    here, there = (one.source, one.target), (other.source, other.target)
    alike = all(len(a) == len(b) and _groups(a) == _groups(b) for a, b in zip(here, there, strict=True))
    if not alike or (here != there and len(bases(one.source + one.target)) > 1):
        shown = [f"{show_word(m.source)} -> {show_word(m.target)}" for m in (one, other)]
        of = _groups_apart(*(m.source + m.target for m in (one, other))) if shown[0] == shown[1] else ("", "")
        raise fail("E0302", f"`{shown[0]}`{of[0]} and `{shown[1]}`{of[1]} cannot be added: a sum has one type")
    return _renamed(other, one)


def _meet(lower: Morphism, upper: Morphism) -> tuple[Morphism, Morphism]:
    if lower.target != upper.source:
        spaces = [bases(m.source + m.target) for m in (lower, upper)]
        if _groups(lower.target) != _groups(upper.source) or any(len(s) > 1 for s in spaces):
            met, wanted = show_word(lower.target), show_word(upper.source)
            of = _groups_apart(lower.target, upper.source) if met == wanted else ("", "")
            what = f"it produces {met}{of[0]}, not {wanted}{of[1]}"
            raise fail("E0301", f"`{lower}` does not compose with `{upper}`: {what}")
        upper = _renamed(upper, lower)
    return lower, upper


def _groups_apart(one: Word, other: Word) -> tuple[str, str]:
    """What tells words apart that are written alike: the groups of their wires."""
    first, second = (", ".join(dict.fromkeys(str(wire.group) for wire in word)) for word in (one, other))
    return f" of {first}", f" of {second}"


def _renamed(other: Morphism, like: Morphism) -> Morphism:
    """`other`, on one space, with that space named as in `like`."""
    spaces = bases(like.source + like.target)
    if len(spaces) != 1 or other.source + other.target == () or bases(other.source + other.target) == spaces:
        return other

    def renamed(word: Word) -> Word:
        return tuple(spaces[0].flipped() if wire.dual else spaces[0] for wire in word)

    source, target = renamed(other.source), renamed(other.target)
    signed = (spaces[0].space,)
    pairs = [(c, Diagram(source, target, d.parts, signed * len(d.jellyfish), d.points)) for c, d in other.weighted]
    return linear(source, target, pairs)


def _groups(word: Word) -> tuple[object, ...]:
    return tuple((wire.group, wire.dual) for wire in word)
