"""Diagrams with orbits in them: points on the vertices of the spaces whose groups are given by generators or a graph.

On such a space a partition is a sum of orbits (`spread`); the numbers in a pattern are the points of one orbit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod

from catnn.category.diagram import Diagram, Morphism, Sum, linear, restrict
from catnn.category.families import FAMILIES
from catnn.category.family import Blocks, Part
from catnn.category.orbital import Permuted, equal_points, orbit_part
from catnn.category.scalar import ONE, Scalar
from catnn.category.wires import Wire, Word, bases
from catnn.diagnostics import fail

Piece = tuple[Part, Sequence[int]]
"""A part, and for each of its vertices the vertex of the whole diagram."""


def is_orbital(wire: Wire) -> bool:
    """Whether the diagrams of a wire's group are orbits."""
    return FAMILIES[wire.group.family].orbital


def permuted(wire: Wire) -> Permuted:
    """The family of such a wire."""
    family = FAMILIES[wire.group.family]
    assert isinstance(family, Permuted)
    return family


def merged(source: Word, target: Word, pieces: Sequence[Piece]) -> Diagram:
    """The diagram whose parts, a space each, stand on these vertices."""
    blocks = sorted(tuple(here[v] for v in block) for part, here in pieces for block in part.blocks)
    points: list[int] = []
    if any(part.points for part, _ in pieces):
        points = [-1] * (len(source) + len(target))
        for part, here in pieces:
            for vertex, point in zip(here, part.points, strict=False):
                points[vertex] = point
    signed = sorted((target + source)[here[0]].space for part, here in pieces if part.signed)
    return Diagram(source, target, tuple(blocks), tuple(signed), tuple(points))


def validate(diagram: Diagram, wire: Wire) -> None:
    """Refuse points that are missing, too many, or not the least tuple of an orbit.  Raises: CatnnError (E0406)."""
    word = diagram.target + diagram.source
    if len(diagram.points) != len(word):
        raise fail(
            "E0406", f"a diagram of `{wire}` ({wire.group}) needs a point for every vertex, and no other has one"
        )
    part, _ = diagram.part(wire)
    if not is_orbital(wire):
        if any(point != -1 for vertex, point in enumerate(diagram.points) if not is_orbital(word[vertex])):
            raise fail("E0406", f"there are no points on `{wire}` ({wire.group})")
        return
    family = permuted(wire)
    if any(not 0 <= point < family.n for point in part.points):
        raise fail("E0406", f"the points of {wire.group} are 0 to {family.n - 1}")
    if family.group.canonical(part.points)[0] != part.points or part.blocks != equal_points(part.points):
        raise fail("E0406", f"{part.points} is not in canonical form: not the least tuple of its orbit",
                   helps=("`catnn.diagram` finds the least one",))  # fmt: skip


def spread(
    source: Word, target: Word, parts: Blocks, jellyfish: tuple[str, ...] = (), points: Sequence[int] = ()
) -> Morphism:
    """The morphism of a partition: itself, or on spaces with orbits the sum of those where its blocks agree.

    points: for each vertex a point, or -1; on a space that has points, the one orbit that they are in.
    Raises: CatnnError (E0405) where there are too many.
    """
    wires = bases(target + source)
    if not any(map(is_orbital, wires)):
        return Diagram(source, target, parts, jellyfish)
    choices: list[list[Piece]] = []
    for wire in wires:
        part, here = restrict(source, target, parts, wire, jellyfish)
        found: tuple[Part, ...] = (part,)
        if is_orbital(wire) and points and points[here[0]] >= 0:
            found = (permuted(wire).canonical(part.l, tuple(points[v] for v in here)),)
        elif is_orbital(wire):
            found = permuted(wire).spread(part)
        choices.append([(one, here) for one in found])
    return linear(source, target, ((ONE, merged(source, target, pieces)) for pieces in product(*choices)))


def upside_down(diagram: Diagram) -> Sum | Diagram:
    """The transpose: on the spaces with orbits, the orbit of the tuple that has its rows exchanged."""
    l, word = len(diagram.target), diagram.target + diagram.source
    order = (*range(l, len(word)), *range(l))
    place = {vertex: at for at, vertex in enumerate(order)}
    rest = [b for b in diagram.parts if not is_orbital(diagram.wire(b[0]))]
    factor = ONE
    pieces: list[Piece] = []
    for wire in diagram.spaces():
        part, here = diagram.part(wire)
        turned = sorted(place[v] for v in here)
        k = sum(at < len(diagram.source) for at in turned)
        if is_orbital(wire):
            pieces.append((permuted(wire).canonical(k, (*part.points[part.l :], *part.points[: part.l])), turned))
        else:
            blocks = tuple(sorted(tuple(sorted(place[v] for v in b)) for b in rest if b[0] in here))
            number = {v: i for i, v in enumerate(turned)}
            blocks = tuple(tuple(number[v] for v in block) for block in blocks)
            pieces.append((Part(k, len(turned) - k, blocks, part.duals, part.signed), turned))
            factor = factor * Scalar.of(FAMILIES[wire.group.family].reversal(part))
    found = merged(diagram.target, diagram.source, pieces)
    return found if factor == ONE else found * factor


def split(diagram: Diagram) -> tuple[Diagram, tuple[int, ...]]:
    """A diagram without the wires that have orbits, and the points on those, outputs first.

    >>> import catnn
    >>> split(catnn.diagram("Perm(3, (0 1 2))", "1 -> 2"))
    (catnn.diagram('S(n)', '->'), (0, 2))
    """
    l, word = len(diagram.target), diagram.target + diagram.source
    kept = [v for v, wire in enumerate(word) if not is_orbital(wire)]
    number = {v: i for i, v in enumerate(kept)}
    blocks = tuple(tuple(number[v] for v in block) for block in diagram.parts if block[0] in number)
    points = tuple(point for v, point in enumerate(diagram.points) if v not in number)
    target, source = (tuple(wire for wire in row if not is_orbital(wire)) for row in (word[:l], word[l:]))
    return Diagram(source, target, blocks, diagram.jellyfish), points


def without(word: Word) -> Word:
    """The wires of a word that have no orbits."""
    return tuple(wire for wire in word if not is_orbital(wire))


def joined(rest: Diagram, source: Word, target: Word, points: Sequence[int]) -> Diagram:
    """The diagram that `split` takes apart: a rest, and points on the wires with orbits."""
    word = target + source
    here = [v for v, wire in enumerate(word) if is_orbital(wire)]
    kept = [v for v, wire in enumerate(word) if not is_orbital(wire)]
    full = dict(zip(here, points, strict=True))
    pieces: list[Piece] = []
    for wire in bases(word):
        if is_orbital(wire):
            own = [v for v in here if word[v].base == wire]
            pieces.append((orbit_part(sum(v < len(target) for v in own), tuple(full[v] for v in own)), own))
        else:
            part, at = rest.part(wire)
            pieces.append((part, [kept[v] for v in at]))
    return merged(source, target, pieces)


def entries(source: Word, target: Word) -> int:
    """How many entries a matrix between two words has on the wires with orbits."""
    return prod(permuted(wire).n for wire in target + source if is_orbital(wire))


def orbit_tuples(source: Word, target: Word) -> list[tuple[int, ...]]:
    """The least tuples of the orbits on the wires that have some, outputs first, ascending."""
    word = [wire for wire in target + source if is_orbital(wire)]
    wires = bases(tuple(word))
    found: list[tuple[int, ...]] = []
    for choice in product(*(list(permuted(wire).group.tuples(word.count(wire))) for wire in wires)):
        points = [0] * len(word)
        for wire, own in zip(wires, choice, strict=True):
            for v, point in zip((v for v, w in enumerate(word) if w == wire), own, strict=True):
                points[v] = point
        found.append(tuple(points))
    return sorted(found)


def basis_of(source: Word, target: Word) -> Iterator[Diagram]:
    """A basis of the equivariant maps: by the diagram of the other spaces, then by orbits, least tuples in order."""
    from catnn.category.halves import hom

    if not any(map(is_orbital, source + target)):
        yield from (found.diagram() for found in hom(source, target))
        return
    orbits = orbit_tuples(source, target)
    for rest in hom(without(source), without(target)):
        diagram = rest.diagram()
        yield from (joined(diagram, source, target, points) for points in orbits)
