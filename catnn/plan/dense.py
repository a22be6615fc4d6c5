"""A layer as one matrix: its weights are summed into the entries of their diagrams, and that multiplies x.

Where channels times n^k are few, what counts is the number of steps, and there is none with fewer:
y = x (sum_d w_d D_d).
An entry of a diagram is 1 where the indices of each block are equal, so a diagram is told by a letter for each axis.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

from catnn.category.diagram import Diagram, Morphism, linear
from catnn.category.families import FAMILIES
from catnn.category.scalar import Monomial, Scalar
from catnn.category.wires import LETTERS, Type, Word
from catnn.model import Layer, Morphisms
from catnn.plan.ambient import ambient
from catnn.plan.cost import BATCH, Cost, Step, shape, volume
from catnn.plan.prove import UnsoundPlanError

MOST_DIAGRAMS = 256
"""Layers with more diagrams have no dense form: there are too many numbers to be few."""


@dataclass(frozen=True, slots=True)
class Entries:
    """The matrix of a diagram: a letter for each axis, outputs first, and a monomial times a coefficient.

    >>> Entries("ijji").blocks
    ((0, 3), (1, 2))
    """

    letters: str
    coefficient: Fraction = Fraction(1)
    monomial: Monomial = ()

    @property
    def blocks(self) -> tuple[tuple[int, ...], ...]:
        """The axes of each letter, sorted."""
        places = sorted((self.letters.index(letter), at) for at, letter in enumerate(self.letters))
        return tuple(tuple(at for _, at in group) for _, group in groupby(places, key=lambda pair: pair[0]))

    @property
    def factor(self) -> Scalar:
        """What the entries are multiplied with."""
        return Scalar(((self.monomial, self.coefficient),))


@dataclass(frozen=True, slots=True)
class Dense:
    """The entries of every weight: weights[out][in] and biases[out], in the order of the weights."""

    source: Type
    target: Type
    weights: tuple[tuple[tuple[Entries, ...], ...], ...]
    biases: tuple[tuple[Entries, ...], ...]

    @property
    def diagrams(self) -> int:
        """How many weights there are."""
        return sum(len(pair) for row in self.weights for pair in row)


def dense(layer: Layer) -> Dense | None:
    """The dense form of a layer; None where a weight is no single diagram of deltas, or something is fixed.

    A fixed diagram needs no product, a sign or an epsilon is no equality of indices, and a target that nothing leads to
    needs no matrix: such layers are reduced, mixed and expanded.
    """
    if layer.is_complex or any(pair for row in layer.fixed_parts for pair in row):
        return None
    if sum(len(pair) for row in layer.weighted for pair in row) > MOST_DIAGRAMS:
        return None
    layer = ambient(layer)
    words = (*layer.source.words, *layer.target.words)
    if not all(_equalities(word) for word in words) or not all(any(row) for row in layer.weighted):
        return None
    weights = [[_all(pair) for pair in row] for row in layer.weighted]
    biases = [_all(row) for row in layer.biases]
    if any(found is None for row in (*weights, biases) for found in row):
        return None
    return Dense(
        layer.source,
        layer.target,
        tuple(tuple(found for found in row if found is not None) for row in weights),
        tuple(found for found in biases if found is not None),
    )


def _equalities(word: Word) -> bool:
    """Whether every block of every diagram is an equality of indices, and no more."""
    families = (FAMILIES[wire.group.family] for wire in word)
    return all(f.closing in ("sum", "trace") and not (f.epsilon or f.orbital or f.oriented) for f in families)


def _all(morphisms: Morphisms) -> tuple[Entries, ...] | None:
    found = []
    for morphism in morphisms:
        if len(morphism.weighted) != 1 or len(morphism.weighted[0][0].terms) != 1:
            return None
        ((scalar, diagram),) = morphism.weighted
        ((monomial, coefficient),) = scalar.terms
        if len(diagram.parts) > len(LETTERS):
            return None
        letter = {v: LETTERS[b] for b, block in enumerate(diagram.parts) for v in block}
        found.append(Entries("".join(letter[v] for v in range(len(letter))), coefficient, monomial))
    return tuple(found)


# ------------------------------------------------------------------------------------------------------------- proof


def prove_dense(found: Dense, layer: Layer) -> None:
    """Check that the entries are those of the layer's diagrams, as morphisms, in the order of the weights.

    Raises: UnsoundPlanError naming the first weight that differs.
    """
    layer = ambient(layer)
    if any(pair for row in layer.fixed_parts for pair in row):
        raise UnsoundPlanError(f"{layer.name}: a fixed diagram is no part of the dense form")
    if (found.source, found.target) != (layer.source, layer.target):
        raise UnsoundPlanError(f"{layer.name}: the dense form is of {found.source} -> {found.target}")
    tables = [(o, i, pair) for o, row in enumerate(layer.weighted) for i, pair in enumerate(row)]
    for o, i, pair in tables:
        _compare(found.weights[o][i], pair, layer.source.words[i], layer.target.words[o], layer.weight_name(o, i))
    for o, row in enumerate(layer.biases):
        _compare(found.biases[o], row, (), layer.target.words[o], layer.bias_name(o))


def _compare(found: tuple[Entries, ...], meant: Morphisms, source: Word, target: Word, name: str) -> None:
    if len(found) != len(meant):
        raise UnsoundPlanError(f"{name} should have {len(meant)} diagrams, the dense form has {len(found)}")
    for at, (entries, morphism) in enumerate(zip(found, meant, strict=True)):
        if len(entries.letters) != len(target + source):
            raise UnsoundPlanError(f"{name}[{at}]: {entries.letters!r} has not a letter for each axis")
        value: Morphism = linear(source, target, [(entries.factor, Diagram(source, target, entries.blocks))])
        if value != linear(source, target, morphism.weighted):
            raise UnsoundPlanError(f"{name}[{at}] should be {morphism}, the dense form has {value}")


# -------------------------------------------------------------------------------------------------------------- cost


def dense_steps(found: Dense) -> tuple[Step, ...]:
    """What runs: the weights summed into a matrix a pair of summands, and the products."""
    return tuple(_steps(found))


def _steps(found: Dense) -> Iterator[Step]:
    for out, row in zip(found.target.summands, found.weights, strict=True):
        for in_, pair in zip(found.source.summands, row, strict=True):
            if not pair:
                continue
            entries = volume(in_.word + out.word, batch=False)
            matrix = volume(in_.word + out.word, in_.channels * out.channels, batch=False)
            count = Scalar.of(len(pair))
            summed = Cost(entries * count + Scalar.of(len(pair) * in_.channels * out.channels), matrix, matrix * count)
            sides = f"({shape(out.word, out.channels)}) x ({shape(in_.word, in_.channels)})"
            yield Step("mix", "sum weights", f"{len(pair)} diagrams", sides, summed)
            y = volume(out.word, out.channels)
            cost = Cost(matrix + volume(in_.word, in_.channels), y, matrix * Scalar.size(BATCH))
            yield Step("mix", "product", "the matrix", shape(out.word, out.channels), cost)


def matrices(found: Dense) -> Scalar:
    """How many numbers its matrices have."""
    pairs = [(i, o) for o in found.target.summands for i in found.source.summands]
    return sum((volume(i.word + o.word, i.channels * o.channels, batch=False) for i, o in pairs), Scalar.of(0))


def multiply_adds(found: Dense) -> Scalar:
    """All of them, forward."""
    return sum((step.cost.madds for step in dense_steps(found)), Scalar.of(0))
