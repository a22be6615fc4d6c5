"""Layers on spaces whose diagrams are orbits: an ordinary layer on the other spaces, whose weights are tied.

An orbit is no composite of halves, so its wires become channels: x of shape (n, n, C) is read as n*n*C channels, and
the weights are matrices on those, constant along orbits.  What is left, on the other spaces, is planned as ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod

from catnn.category.diagram import Diagram, Morphism
from catnn.category.halves import factors
from catnn.category.labelled import entries, is_orbital, orbit_tuples, permuted, split, without
from catnn.category.scalar import ONE, Monomial, Scalar
from catnn.category.wires import Summand, Type, Wire, Word
from catnn.model import Layer, Morphisms
from catnn.plan.build import mean_factor

Entry = tuple[int, int, Fraction]
"""(row, weight, coefficient); the rows count orbits within diagrams of the other spaces."""


@dataclass(frozen=True, slots=True)
class Tie:
    """How the weights of a pair of summands are made of parameters: row = diagram * orbits + orbit.

    spaces: the wires with orbits, the target's first; outs: how many of them are the target's.
    orbits: the least tuple of each, ascending; diagrams: of the other spaces, in the inner layer's order.
    """

    spaces: Word
    outs: int
    orbits: tuple[tuple[int, ...], ...]
    diagrams: tuple[Morphism, ...]
    learned: tuple[Entry, ...]
    fixed: tuple[tuple[int, Fraction], ...]
    weights: int

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.diagrams) * len(self.orbits)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Diagrams, orbits, and the indices of the output and of the input."""
        sizes = [permuted(wire).n for wire in self.spaces]
        return len(self.diagrams), len(self.orbits), prod(sizes[: self.outs]), prod(sizes[self.outs :])


@dataclass(frozen=True, slots=True)
class Ties:
    """A layer with orbits, the ordinary layer inside, and what ties its weights: by (out, in), biases by out."""

    layer: Layer
    inner: Layer
    weights: Mapping[tuple[int, int], Tie]
    biases: Mapping[int, Tie]


def tied(layer: Layer) -> Ties | None:
    """The ordinary layer inside a layer with orbits; None where it has none."""
    words = layer.source.words + layer.target.words
    if not any(is_orbital(wire) for word in words for wire in word):
        return None
    weights: dict[tuple[int, int], Tie] = {}
    for o, out in enumerate(layer.target.summands):
        for i, in_ in enumerate(layer.source.summands):
            terms = layer.weighted[o][i], layer.fixed_parts[o][i]
            weights[o, i] = _tie(layer, in_.word, out.word, *terms)
    biases = {o: _tie(layer, (), out.word, layer.biases[o], ()) for o, out in enumerate(layer.target.summands)}
    ins, outs = range(len(layer.source.summands)), range(len(layer.target.summands))
    inner = replace(
        layer,
        source=_side(layer.source),
        target=_side(layer.target),
        weighted=tuple(tuple(weights[o, i].diagrams for i in ins) for o in outs),
        biases=tuple(biases[o].diagrams for o in outs),
        fixed_parts=tuple(tuple(() for _ in ins) for _ in outs),
    )
    return Ties(layer, inner, weights, biases)


def _side(side: Type) -> Type:
    return Type(tuple(Summand(without(s.word), s.channels * entries((), s.word)) for s in side.summands))


def _tie(layer: Layer, source: Word, target: Word, weighted: Morphisms, fixed: Morphisms) -> Tie:
    spaces = tuple(wire for wire in target + source if is_orbital(wire))
    outs = sum(is_orbital(wire) for wire in target)
    if not weighted and not fixed:
        return Tie(spaces, outs, (), (), (), (), 0)
    orbits = tuple(orbit_tuples(source, target))
    number = {points: at for at, points in enumerate(orbits)}
    rows: dict[tuple[Diagram, Monomial, bool], tuple[int, Morphism]] = {}

    def cut(morphism: Morphism, *, averaged: bool) -> Iterator[tuple[int, Fraction]]:
        """The rows of a morphism with its coefficients; averaged: whether it carries the factor of a mean."""
        for coefficient, diagram in morphism.weighted:
            rest, points = split(diagram)
            factor = mean_factor(factors(rest).input) if averaged else ONE
            for monomial, value in (coefficient / factor).terms:
                scalar = Scalar(((monomial, Fraction(1)),)) * factor
                inside: Morphism = rest if scalar == ONE else rest * scalar
                at, _ = rows.setdefault((rest, monomial, averaged), (len(rows), inside))
                yield at * len(orbits) + number[points], value

    mean = layer.reduce == "mean"
    learned = [(row, w, c) for w, morphism in enumerate(weighted) for row, c in cut(morphism, averaged=mean)]
    constants = [pair for morphism in fixed for pair in cut(morphism, averaged=False)]
    diagrams = tuple(inside for _, inside in rows.values())
    return Tie(spaces, outs, orbits, diagrams, tuple(learned), tuple(constants), len(weighted))


def moves_of(wire: Wire) -> tuple[tuple[int, ...], ...]:
    """Permutations that generate the group of a space with orbits."""
    return permuted(wire).generated or permuted(wire).group.generators
