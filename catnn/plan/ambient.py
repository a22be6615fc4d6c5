"""Some groups have their diagrams among those of a larger family, with the same matrices: there they are planned.

The steps of a plan pass through diagrams that the group itself may not have (the diagonal of H(n) has three ports), so
plans are made and proved in the ambient family; the functor into it changes no matrix.
"""

from __future__ import annotations

from dataclasses import replace

from catnn.category.embedding import embedded, embedded_word
from catnn.category.families import FAMILIES
from catnn.category.wires import Type
from catnn.model import Layer, Morphisms


def ambient(layer: Layer) -> Layer:
    """The layer with every wire in its ambient family; the layer itself if they all are there already."""
    words = (*layer.source.words, *layer.target.words)
    if all(FAMILIES[wire.group.family].ambient is None for word in words for wire in word):
        return layer
    return replace(
        layer,
        source=_type(layer.source),
        target=_type(layer.target),
        weighted=tuple(tuple(_all(pair) for pair in row) for row in layer.weighted),
        biases=tuple(_all(row) for row in layer.biases),
        fixed_parts=tuple(tuple(_all(pair) for pair in row) for row in layer.fixed_parts),
    )


def _type(side: Type) -> Type:
    return Type(tuple(replace(summand, word=embedded_word(summand.word)) for summand in side.summands))


def _all(morphisms: Morphisms) -> Morphisms:
    return tuple(embedded(morphism) for morphism in morphisms)
