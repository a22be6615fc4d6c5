"""What other ways to compute a layer cost: the dense matrix, one diagram after another, and stacked maps.

The same polynomials as in `catnn.plan.cost`, so that `explain` can put them side by side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from catnn.category.basis import Basis
from catnn.category.diagram import Diagram
from catnn.category.gram import norm2
from catnn.category.half import Half
from catnn.category.scalar import Scalar
from catnn.category.wires import Summand
from catnn.model import Layer, Morphisms
from catnn.plan.cost import BATCH, Cost, total, volume
from catnn.rewrite.planar import factorise

DENSE, PAPERS, STACKED = "dense matrix", "one diagram at a time", "stacked maps"


@dataclass(frozen=True, slots=True)
class Pair:
    """The diagrams from one source summand to one target summand: some of them, each with how many cost the same."""

    source: Summand
    target: Summand
    diagrams: tuple[tuple[Diagram, int], ...]

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(number for _, number in self.diagrams)


def naive_costs(layer: Layer) -> dict[str, Cost]:
    """The forward cost of the naive ways, by name.

    ``dense matrix``: the weights are summed into one n^l x n^k matrix a pair of channels, and that multiplies x.
    ``one diagram at a time``: contract, mix the channels, copy, add (arXiv 2304.14165 and 2412.10837).
    ``stacked maps``: the image of every diagram is built and stacked, one product mixes them (IGN, arXiv 1812.09902).
    """
    found = list(pairs(layer))
    return {
        DENSE: total(cost for pair in found for cost in _dense(pair)),
        PAPERS: total(cost for pair in found for cost in _papers(pair)),
        STACKED: total(cost for pair in found for cost in _stacked(pair)),
    }


def pairs(layer: Layer) -> Iterator[Pair]:
    """The pairs of summands with all diagrams of their terms, weighted and fixed."""
    for o, target in enumerate(layer.target.summands):
        for i, source in enumerate(layer.source.summands):
            weighted, fixed = layer.weighted[o][i], layer.fixed_parts[o][i]
            found = list(_classes(weighted)) if isinstance(weighted, Basis) else _each(weighted)
            yield Pair(source, target, (*found, *_each(fixed)))


def _each(morphisms: Morphisms) -> list[tuple[Diagram, int]]:
    return [(diagram, 1) for morphism in morphisms for _, diagram in morphism.weighted]


def _classes(basis: Basis) -> Iterator[tuple[Diagram, int]]:
    """A diagram of each kind: what a diagram costs depends on the blocks that do not go through, and on the level.

    On the side of the input their sizes count as well, for what is read; permutations cost nothing.
    """
    for level in basis.levels:
        outs, ins = _counted(level.outputs, sizes=False), _counted(level.inputs, sizes=True)
        for c, outputs in outs:
            for r, inputs in ins:
                for _, diagram in basis.at(level, c, r, 0).weighted:
                    yield diagram, outputs * inputs * len(level.sigmas)


def _counted(halves: tuple[Half, ...], *, sizes: bool) -> list[tuple[int, int]]:
    """A half of each kind, by number, and how many are of it."""
    first: dict[object, int] = {}
    counts: Counter[object] = Counter()
    for at, half in enumerate(halves):
        closed = [block for block, through in zip(half.blocks, half.through, strict=True) if not through]
        kind = (half.kind, tuple(sorted((half.word[b[0]].space, len(b) * sizes) for b in closed)))
        first.setdefault(kind, at)
        counts[kind] += 1
    return [(at, counts[kind]) for kind, at in first.items()]


def _dense(pair: Pair) -> Iterator[Cost]:
    """Summing the entries of each diagram, which are 1, -1 and 0, into the matrix, then the product."""
    if not pair.diagrams:
        return
    channels = pair.source.channels * pair.target.channels
    matrix = volume(pair.source.word + pair.target.word, channels, batch=False)
    for diagram, count in pair.diagrams:
        entries = norm2(diagram) * Scalar.of(count * channels)
        yield Cost(entries, entries, entries)
    yield Cost(matrix + _size(pair.source), _size(pair.target), matrix * Scalar.size(BATCH))


def _papers(pair: Pair) -> Iterator[Cost]:
    """For each diagram: the contraction, a product on the through axes, and the copies that are added to y."""
    ins, outs = pair.source.channels, pair.target.channels
    batch = Scalar.size(BATCH)
    found: Counter[tuple[Scalar, Scalar, Scalar]] = Counter()
    for diagram, number in pair.diagrams:
        cut = factorise(diagram)
        through = volume(tuple(p.wire for p in cut.pieces if p.kind == "through"), batch=False)
        found[cut.contractions, through, cut.copies] += number
    for (contractions, through, copies), count in found.items():
        left, right = batch * Scalar.of(count * ins), batch * Scalar.of(count * outs)
        weights = Scalar.of(count * ins * outs)
        yield Cost(contractions * left, through * left, contractions * left)
        yield Cost(through * left + weights, through * right, through * right * Scalar.of(ins))
        yield Cost((through + copies) * right, copies * right, copies * right)


def _stacked(pair: Pair) -> Iterator[Cost]:
    """(diagrams, *batch, n^l, C_in) is written and read once, and mixed in one product."""
    if not pair.diagrams:
        return
    ins, outs, count = pair.source.channels, pair.target.channels, pair.count
    images = volume(pair.target.word, ins * count)
    yield Cost(_size(pair.source) * Scalar.of(count), images)
    madds = volume(pair.target.word, ins * outs * count)
    yield Cost(images + Scalar.of(ins * outs * count), _size(pair.target), madds)


def _size(summand: Summand) -> Scalar:
    return volume(summand.word, summand.channels)
