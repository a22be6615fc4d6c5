"""Layers as they are computed: plain wires among the channels, symmetric powers unpacked.

A layer whose tensors are stored so is one or two ordinary layers on the same tensors read otherwise: one where the
plain wires are channels, which `all` and `bias` mix, and one where they are axes like any others, for the fixed
diagrams and the elements of a `span` that join them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from catnn.category.diagram import Diagram, Morphism, linear
from catnn.category.wires import Summand, Type, Word
from catnn.model import Layer, Morphisms
from catnn.plan.ties import Ties, tied

Table = tuple[tuple[Morphisms, ...], ...]


@dataclass(frozen=True, slots=True)
class Lowered:
    """An ordinary layer that is a part of a layer; folded: whether plain wires are among its channels."""

    layer: Layer
    folded: bool
    ties: Ties | None = None
    """Where groups are given by their orbits: what the layer is made of, and how its weights are tied."""


def lowered(layer: Layer) -> tuple[Lowered, ...]:
    """The ordinary layers whose sum is the layer, one or two; an ordinary layer is its own only part."""
    return tuple(_without_orbits(part) for part in _stored(layer))


def _without_orbits(part: Lowered) -> Lowered:
    ties = tied(part.layer)
    return part if ties is None else Lowered(ties.inner, part.folded, ties)


def _stored(layer: Layer) -> tuple[Lowered, ...]:
    """The parts by how their tensors are stored."""
    summands = layer.source.summands + layer.target.summands
    if not any(wire.plain for summand in summands for wire in summand.word):
        if not any(summand.symmetric for summand in summands):
            return (Lowered(layer, False),)
        return (Lowered(replace(layer, source=_side(layer.source), target=_side(layer.target)), False),)
    inner, outer = _folded(layer), _spread(layer)
    parts = [Lowered(inner, True)] if _any(inner) or not _any(outer) else []
    return (*parts, *([Lowered(outer, False)] if _any(outer) else []))


def _any(layer: Layer) -> bool:
    tables = (*layer.weighted, *layer.fixed_parts)
    return any(pair for row in tables for pair in row) or any(layer.biases)


def _side(side: Type, *, folded: bool = False) -> Type:
    """The words as they are computed, nothing packed."""
    inner = (summand.folded() if folded else summand for summand in side.summands)
    return Type(tuple(Summand(summand.word, summand.channels) for summand in inner))


def _folded(layer: Layer) -> Layer:
    """What mixes plain wires with the channels, or leaves them alone."""
    return replace(
        layer,
        source=_side(layer.source, folded=True),
        target=_side(layer.target, folded=True),
        weighted=layer.weighted if layer.folds else _none(layer.weighted),
        fixed_parts=tuple(tuple(tuple(_without(value) for value in pair if _still(value)) for pair in row)
                          for row in layer.fixed_parts) if layer.folds else _none(layer.fixed_parts),
    )  # fmt: skip


def _spread(layer: Layer) -> Layer:
    """What joins plain wires in ways of its own: they are axes."""
    fixed = layer.fixed_parts
    if layer.folds:
        fixed = tuple(tuple(tuple(value for value in pair if not _still(value)) for pair in row) for row in fixed)
    return replace(
        layer,
        source=_side(layer.source),
        target=_side(layer.target),
        weighted=_none(layer.weighted) if layer.folds else layer.weighted,
        biases=tuple(() for _ in layer.biases),
        fixed_parts=fixed,
    )


def _none(table: Table) -> Table:
    return tuple(tuple(() for _ in row) for row in table)


def _plain(word: Word) -> tuple[int, ...]:
    return tuple(at for at, wire in enumerate(word) if wire.plain)


def _still(value: Morphism) -> bool:
    """Whether a fixed term is the identity on its plain wires, in their order: then it acts on channels alike."""
    l = len(value.target)
    outs, ins = _plain(value.target), _plain(value.source)
    if [value.target[at] for at in outs] != [value.source[at] for at in ins]:
        return False
    through = {(out, in_ + l) for out, in_ in zip(outs, ins, strict=True)}
    return all(through <= set(diagram.parts) for _, diagram in value.weighted)


def _without(value: Morphism) -> Morphism:
    """A term without its plain wires."""
    word = value.target + value.source
    number = {v: at for at, v in enumerate(v for v, wire in enumerate(word) if not wire.plain)}
    source, target = (tuple(wire for wire in side if not wire.plain) for side in (value.source, value.target))
    pairs = (
        (c, Diagram(source, target, tuple(tuple(number[v] for v in block) for block in d.parts if block[0] in number)))
        for c, d in value.weighted
    )
    return linear(source, target, pairs)
