"""Symmetric powers: what is left of diagrams where some ports are ports of one symmetric tensor.

On a symmetric input a diagram does what its image under a permutation of those ports does, so one of them stands for
all; into a symmetric output goes the sum over the permutations of its ports.  Each such sum is a weight, an orbit.
Source: Pearce-Crump, arXiv 2503.11276.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import product
from math import prod

from catnn.category.diagram import Diagram, Morphism, Sum, linear
from catnn.category.family import Blocks
from catnn.category.scalar import ONE
from catnn.category.wires import Summand

Groups = dict[int, int]
"""The group of each vertex that is a port of a symmetric power, by number."""


def canonical(value: Morphism, source: Summand) -> Sum:
    """The same map on symmetric inputs, each diagram in the form that stands for all that do the same."""
    groups = _groups(source, len(value.target), 0)
    pairs = ((c, Diagram(d.source, d.target, _standard(d.parts, groups))) for c, d in value.weighted)
    return linear(value.source, value.target, pairs)


def is_symmetric(value: Morphism, source: Summand, target: Summand) -> bool:
    """Whether symmetric inputs give symmetric outputs: transpositions of neighbours change nothing."""
    here = canonical(value, source)
    for at, power in target.symmetric:
        for v in range(at, at + power - 1):
            swapped = ((c, Diagram(d.source, d.target, _swapped(d.parts, v))) for c, d in here.weighted)
            if canonical(linear(value.source, value.target, swapped), source) != here:
                return False
    return True


def orbits(diagrams: Iterable[Diagram], source: Summand, target: Summand) -> list[Morphism]:
    """The orbits of diagrams under the permutations of symmetric ports, by their first diagrams.

    Each is the sum of the different maps among them, as `canonical` writes them.
    """
    found: dict[object, dict[Diagram, None]] = {}
    for diagram in diagrams:
        l = len(diagram.target)
        ins = _groups(source, l, 0)
        both = ins | _groups(target, 0, len(source.symmetric))
        standard = Diagram(diagram.source, diagram.target, _standard(diagram.parts, ins))
        found.setdefault(_signature(diagram.parts, both), {})[standard] = None
    sums = (linear(next(iter(o)).source, next(iter(o)).target, ((ONE, d) for d in o)) for o in found.values())
    return [one.single if one.single is not None else one for one in sums]


def _groups(summand: Summand, shift: int, first: int) -> Groups:
    """The ports of symmetric powers, as vertices."""
    named = enumerate(summand.symmetric, first)
    return {at + j + shift: number for number, (at, power) in named for j in range(power)}


def _profile(block: tuple[int, ...], groups: Groups) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """What the permutations leave of a block: its other vertices, and the groups of the rest."""
    others = tuple(v for v in block if v not in groups)
    return others, tuple(sorted(groups[v] for v in block if v in groups))


def _signature(parts: Blocks, groups: Groups) -> object:
    return tuple(sorted(_profile(block, groups) for block in parts))


def _standard(parts: Blocks, groups: Groups) -> Blocks:
    """The blocks with the ports of each group given out in order: to what has other vertices first, then the large."""
    ports: dict[int, list[int]] = {}
    for vertex in sorted(groups):
        ports.setdefault(groups[vertex], []).append(vertex)
    profiles = [_profile(block, groups) for block in parts]
    profiles.sort(key=lambda profile: (not profile[0], profile[0], -len(profile[1]), profile[1]))
    blocks = (tuple(sorted((*others, *(ports[group].pop(0) for group in inside)))) for others, inside in profiles)
    return tuple(sorted(blocks))


def _swapped(parts: Blocks, v: int) -> Blocks:
    other = {v: v + 1, v + 1: v}
    return tuple(sorted(tuple(sorted(other.get(x, x) for x in block)) for block in parts))


# ------------------------------------------------------------------------------------------------------------ counting


MOST_STEPS = 20_000_000
"""So many additions are made to count orbits."""


def effort(powers: tuple[int, ...], most: int | None) -> int:
    """About how many additions `count_orbits` makes."""
    return prod(p + 1 for p in powers) ** 2 * (1 if most is None else most)


@cache
def count_orbits(powers: tuple[int, ...], most: int | None) -> int:
    """How many multisets of nonzero vectors of naturals add up to `powers`, with at most so many vectors.

    They are the orbits of set partitions under the permutations of ports that stand for symmetric powers; a plain wire
    has the power 1.

    >>> [count_orbits(powers, None) for powers in ((1, 1), (2, 1), (2, 2), (3, 2), (3, 3), (4, 4))]
    [2, 4, 9, 16, 31, 109]
    """
    powers = tuple(sorted(powers, reverse=True))
    bounded = most is not None and most < sum(powers)
    box: tuple[int, ...] = (most or 0, *powers) if bounded else powers
    # the coefficients of prod 1/(1 - t^v); with a bound, v has the number of vectors as a further coordinate, and one
    # more vector, of no ports, fills up to exactly that number
    units = [v for v in product(*(range(p + 1) for p in powers)) if any(v)]
    steps = [(1, *v) for v in (*units, (0,) * len(powers))] if bounded else units
    counts: dict[tuple[int, ...], int] = {(0,) * len(box): 1}
    cells = list(product(*(range(p + 1) for p in box)))
    for step in steps:
        _multiply(counts, cells, step)
    return counts.get(box, 0)


def _multiply(counts: dict[tuple[int, ...], int], cells: list[tuple[int, ...]], step: tuple[int, ...]) -> None:
    """Any number of copies of one vector more; the cells ascend, so that copies add up."""
    for cell in cells:
        found = counts.get(tuple(a - b for a, b in zip(cell, step, strict=True)), 0)
        if found:
            counts[cell] = counts.get(cell, 0) + found
