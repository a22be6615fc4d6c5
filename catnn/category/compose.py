"""Composition and tensor product of morphisms, one space at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

from catnn.category.diagram import Diagram, Morphism, Sum, linear
from catnn.category.families import FAMILIES
from catnn.category.family import Part
from catnn.category.labelled import beside_orbits, is_orbital, merged, spread
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
        u = Part(len(upper.target), len(upper.source), upper.parts, points=upper.points)
        w = Part(len(lower.target), len(lower.source), lower.parts, points=lower.points)
        group = wires[0].group
        composed = FAMILIES[group.family].compose(u, w, group.size)
        return tuple((c, Diagram(lower.source, upper.target, p.blocks, p.points)) for c, p in composed)
    l = len(upper.target)
    choices = []
    for wire in wires:
        pieces = FAMILIES[wire.group.family].compose(upper.part(wire)[0], lower.part(wire)[0], wire.group.size)
        here = [v for v, w in enumerate(upper.target) if w.base == wire]
        here += [l + v for v, w in enumerate(lower.source) if w.base == wire]
        choices.append([(c, (p, here)) for c, p in pieces])
    result = []
    for combination in product(*choices):
        coefficient = ONE
        for c, _ in combination:
            coefficient = coefficient * c
        result.append((coefficient, merged(lower.source, upper.target, [piece for _, piece in combination])))
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
    """The factors side by side, n-ary."""
    factors = tuple(factors)
    if sum(1 for factor in factors if any(d.free for _, d in factor.weighted)) > 1:
        return _one_by_one(factors)
    if sum(1 for factor in factors if any(map(is_orbital, factor.source + factor.target))) > 1:
        return _orbits_beside(factors)
    source: Word = ()
    target: Word = ()
    chosen: list[tuple[Scalar, tuple[Diagram, ...]]] = [(ONE, ())]
    for factor in factors:
        source, target = source + factor.source, target + factor.target
        chosen = [(c * d, (*row, diagram)) for c, row in chosen for d, diagram in factor.weighted]
    return linear(source, target, ((c, _beside(row)) for c, row in chosen))


def _one_by_one(factors: tuple[Morphism, ...]) -> Sum:
    """The factors side by side, one after the other in time, so that their epsilons multiply out."""
    total = linear((), (), ((ONE, Diagram((), (), ())),))
    for factor in factors:
        earlier = tensor((total, _through(factor.source)))
        total = compose(tensor((_through(total.target), factor)), earlier)
    return total


def _through(word: Word) -> Morphism:
    return spread(word, word, tuple((v, v + len(word)) for v in range(len(word))))


def _orbits_beside(factors: tuple[Morphism, ...]) -> Sum:
    """The factors side by side, two at a time, since two orbits side by side are a sum of orbits."""
    total: Morphism = factors[0]
    for factor in factors[1:]:
        source, target = total.source + factor.source, total.target + factor.target
        pairs = ((c * d, left, right) for c, left in total.weighted for d, right in factor.weighted)
        total = linear(source, target, ((c * e, d) for c, a, b in pairs for e, d in beside_orbits(a, b)))
    return linear(total.source, total.target, total.weighted)


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
    return Diagram(source, target, tuple(sorted(blocks)), points)


def parallel(other: Morphism, one: Morphism) -> Morphism:
    """`other`, once it is known to be parallel to `one`."""
    here, there = (one.source, one.target), (other.source, other.target)
    alike = all(len(a) == len(b) and _groups(a) == _groups(b) for a, b in zip(here, there, strict=True))
    if not alike or (here != there and len(bases(one.source + one.target)) > 1):
        shown = [f"{show_word(m.source)} -> {show_word(m.target)}" for m in (one, other)]
        raise fail("E0302", f"`{shown[0]}` and `{shown[1]}` cannot be added: a sum has one type")
    return _renamed(other, one)


def _meet(lower: Morphism, upper: Morphism) -> tuple[Morphism, Morphism]:
    if lower.target != upper.source:
        spaces = [bases(m.source + m.target) for m in (lower, upper)]
        if _groups(lower.target) != _groups(upper.source) or any(len(s) > 1 for s in spaces):
            met, wanted = show_word(lower.target), show_word(upper.source)
            raise fail("E0301", f"`{lower}` does not compose with `{upper}`: it produces {met}, not {wanted}")
        upper = _renamed(upper, lower)
    return lower, upper


def _renamed(other: Morphism, like: Morphism) -> Morphism:
    """`other`, on one space, with that space named as in `like`."""
    spaces = bases(like.source + like.target)
    if len(spaces) != 1 or other.source + other.target == () or bases(other.source + other.target) == spaces:
        return other

    def renamed(word: Word) -> Word:
        return tuple(spaces[0].flipped() if wire.dual else spaces[0] for wire in word)

    source, target = renamed(other.source), renamed(other.target)
    return linear(source, target, [(c, Diagram(source, target, d.parts, d.points)) for c, d in other.weighted])


def _groups(word: Word) -> tuple[object, ...]:
    return tuple((wire.group, wire.dual) for wire in word)
