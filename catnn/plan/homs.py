"""The hom-spaces of a layer to look at: its weights, its levels, and its diagrams in three factors."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import prod

from catnn.category.basis import Basis
from catnn.category.diagram import Diagram
from catnn.category.half import Half
from catnn.category.halves import factors, level_key
from catnn.category.labelled import is_orbital, permuted, split
from catnn.category.wires import Word, show_word
from catnn.model import Layer
from catnn.rewrite.planar import factorise


@dataclass(frozen=True, slots=True)
class Level:
    """A level of the hom-space of a pair of summands: diagrams = in halves x permutations x out halves, if all exist.

    pair: (target, source) summand; word: the through blocks.
    """

    pair: tuple[int, int]
    word: str
    inputs: int
    permutations: int
    outputs: int
    diagrams: int


@dataclass(frozen=True, slots=True)
class Factored:
    """A diagram of a layer: which weight it has (``weight[3]``, ``bias[0]``, ``fixed``), and its factorisation."""

    weight: str
    pattern: str
    factorisation: str


def parameters_of(layer: Layer) -> list[tuple[str, tuple[int, ...]]]:
    """The weights and biases: name and shape of each."""
    found: list[tuple[str, tuple[int, ...]]] = []
    for o in range(len(layer.target.summands)):
        for i in range(len(layer.source.summands)):
            if layer.weighted[o][i]:
                found.append((layer.weight_name(o, i), layer.weight_shape(o, i)))
        if layer.biases[o]:
            found.append((layer.bias_name(o), layer.bias_shape(o)))
    return found


def levels_of(layer: Layer) -> tuple[Level, ...]:
    """The weighted diagrams by pair of summands and level."""
    found = []
    for o, row in enumerate(layer.weighted):
        for i, pair in enumerate(row):
            if isinstance(pair, Basis):
                for one in pair.levels:
                    sizes = len(one.inputs), len(one.sigmas), len(one.outputs), len(one)
                    found.append(Level((o, i), show_word(one.word), *sizes))
                continue
            counts: Counter[Word] = Counter()
            sides: dict[Word, tuple[set[Half], set[tuple[int, ...]], set[Half]]] = {}
            for cut in (factors(split(diagram)[0]) for morphism in pair for _, diagram in morphism.weighted):
                counts[cut.output.level] += 1
                ins, perms, outs = sides.setdefault(cut.output.level, (set(), set(), set()))
                ins.add(cut.input)
                perms.add(cut.sigma)
                outs.add(cut.output)
            for level in sorted(counts, key=level_key):
                ins, perms, outs = sides[level]
                found.append(Level((o, i), show_word(level), len(ins), len(perms), len(outs), counts[level]))
    return tuple(found)


def factored_of(layer: Layer) -> list[Factored]:
    """Every diagram with its factorisation."""
    found = []
    for o, row in enumerate(layer.weighted):
        for i, pair in enumerate(row):
            for index, morphism in enumerate(pair):
                label = f"{layer.weight_name(o, i)}[{index}]"
                found += [Factored(label, str(d), _steps(d)) for _, d in morphism.weighted]
            for morphism in layer.fixed_parts[o][i]:
                found += [Factored("fixed", str(d), _steps(d)) for _, d in morphism.weighted]
        for index, morphism in enumerate(layer.biases[o]):
            label = f"{layer.bias_name(o)}[{index}]"
            found += [Factored(label, str(d), _steps(d)) for _, d in morphism.weighted]
    return found


def _steps(diagram: Diagram) -> str:
    """Permutation, planar diagram, permutation; of an orbit the number of its tuples, and the rest so."""
    if not diagram.points:
        return str(factorise(diagram))
    tuples = prod(permuted(w).size_of(diagram.part(w)[0].points) for w in diagram.spaces() if is_orbital(w))
    found = f"an orbit of {tuples} tuple{'s' if tuples != 1 else ''}"
    rest, _ = split(diagram)
    return f"{found} @ ({factorise(rest)})" if rest.parts else found
