"""Other ways to compute a layer, to measure against and to test against: `catnn.bench` runs them.

Each is the layer written as its authors would, on the same weights: the dense matrix, one diagram after another, maps
stacked before one product, one einsum a diagram, and for 2 -> 2 what a careful person writes by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from catnn.baselines.by_hand import by_hand
from catnn.baselines.dense import Dense
from catnn.baselines.einsums import Einsums
from catnn.baselines.papers import OneByOne
from catnn.baselines.pieces import Term
from catnn.baselines.stacked import Stacked
from catnn.category.diagram import Morphism
from catnn.category.families import FAMILIES
from catnn.category.halves import Factors, hom
from catnn.category.wires import Wire
from catnn.model import Layer
from catnn.rewrite.planar import factorise

Function = Callable[[Tensor, Tensor, Tensor | None], Tensor]
"""(x, weight (diagrams, out, in), bias (diagrams, out) or None) to y."""


@dataclass(frozen=True)
class Way:
    """A way to compute a layer: its name, the function, and the bytes that it holds beyond input and output.

    channels_first: x and y are (batch, channels, axes), the layout that this way's authors use.
    """

    name: str
    run: Function
    extra: int
    channels_first: bool = False


def refusal(layer: Layer) -> str | None:
    """Why this layer has none of these ways, or None."""
    if not layer.single:
        return "direct sums have no counterpart in the other ways"
    if layer.source.summands[0].symmetric or layer.target.summands[0].symmetric:
        return "the other ways here know no packed tensors"
    if not all(FAMILIES[wire.group.family].baselines for wire in (*layer.source.words[0], *layer.target.words[0])):
        return "the other ways here know copies and sums of axes only, no forms"
    if not layer.diagrams or layer.fixed:
        return "the other ways learn every diagram"
    return None


def ways(layer: Layer, sizes: Mapping[str, int], batch: int) -> list[Way]:
    """All ways for a layer that `refusal` does not refuse; sizes by name."""
    terms, biases = _terms(layer.diagrams, sizes), _terms(layer.bias_diagrams, sizes)
    lengths = [_length(wire, sizes) for wire in layer.target.words[0]]
    shape = (*lengths, layer.target.summands[0].channels)
    ins, outs = layer.source.summands[0].channels, layer.target.summands[0].channels
    rows = torch.Size(lengths).numel()
    columns = torch.Size(_length(wire, sizes) for wire in layer.source.words[0]).numel()
    found = [
        Way("dense matrix", Dense(terms, biases, shape, sizes), 4 * rows * columns * ins * outs),
        Way("one diagram at a time", OneByOne(terms, biases, shape), 4 * batch * rows * outs),
        Way("stacked maps (IGN)", Stacked(terms, biases, shape), 4 * batch * rows * ins * len(terms), True),
        Way("an einsum a diagram", Einsums(terms, biases, shape), 4 * batch * rows * outs * 4),
    ]
    if _is_all_of_two(layer, terms, biases):
        found.append(Way("fused by hand", by_hand, 4 * batch * rows * outs * 4))
    return found


def _is_all_of_two(layer: Layer, terms: list[Term], biases: list[Term]) -> bool:
    """Whether a layer is all of S(n) 2 -> 2 in the order of `all`, and `bias` or none: what `by_hand` assumes."""
    word = layer.source.words[0]
    if word != layer.target.words[0] or len(word) != 2 or len(terms) != 15:
        return False
    return _is_plain(terms, hom(word, word)) and (not biases or _is_plain(biases, hom((), word)))


def _is_plain(terms: list[Term], basis: Iterable[Factors]) -> bool:
    """Whether the weights stand on the diagrams of a basis, one each, in its order."""
    expected = [(1.0, index, found.diagram()) for index, found in enumerate(basis)]
    return [(term.coefficient, term.index, term.diagram) for term in terms] == expected


def _terms(morphisms: tuple[Morphism, ...], sizes: Mapping[str, int]) -> list[Term]:
    return [
        Term(diagram, factorise(diagram), float(coefficient.value(sizes)), index)
        for index, morphism in enumerate(morphisms)
        for coefficient, diagram in morphism.weighted
    ]


def _length(wire: Wire, sizes: Mapping[str, int]) -> int:
    size = wire.group.size
    return size if isinstance(size, int) else sizes[size]
