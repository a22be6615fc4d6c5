"""Layers that are computed as one: several on one tensor, or a fixed diagram and a layer one after the other.

Layers f : A -> B and g : A -> C that read the same tensor are the layer A -> B + C into the direct sum, whose plan
reduces A once.  A fixed diagram before or after a layer composes with each of its diagrams, in the category, and the
weights stay what they are: a layer that is only read through a coarser diagram then computes no more than is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from catnn.category.compose import compose
from catnn.category.diagram import Morphism, Sum, linear
from catnn.category.wires import Type
from catnn.model import Layer
from catnn.plan.build import plan_layer
from catnn.plan.cost import BATCH, forward_steps
from catnn.plan.lower import lowered
from catnn.plan.plan import Plan
from catnn.plan.rates import DEFAULT, STATEMENTS, Tally

HINT = 16
"""The sizes at which it is decided, the batch too."""

MOST_DIAGRAMS = 300
"""Layers with more diagrams are computed one by one: their composites would take long to write down."""


@dataclass(frozen=True, slots=True)
class Virtual:
    """A layer that is computed for others.

    layer: what is computed; plan: how; parts: the layers it stands for; parameters: of each of its parameters, the
    number of the part that has it and the name there.  Its target summands are the results of the parts; a composite
    has one.
    """

    layer: Layer
    plan: Plan
    parts: tuple[Layer, ...]
    parameters: Mapping[str, tuple[int, str]]


def together(layers: Sequence[Layer]) -> Virtual | None:
    """Layers on one tensor as one; None where that saves nothing."""
    first = layers[0]
    alike = {(layer.source, layer.reduce, layer.is_complex) for layer in layers}
    if len(layers) < 2 or len(alike) > 1 or not all(_usual(layer) for layer in layers):
        return None
    if any(len(layer.target.summands) > 1 for layer in layers):
        return None
    whole = replace(
        first,
        target=Type(tuple(layer.target.summands[0] for layer in layers)),
        weighted=tuple(layer.weighted[0] for layer in layers),
        biases=tuple(layer.biases[0] for layer in layers),
        fixed_parts=tuple(layer.fixed_parts[0] for layer in layers),
        biased=any(layer.biased for layer in layers),
        notes=(),
    )
    parameters: dict[str, tuple[int, str]] = {}
    for o, layer in enumerate(layers):
        for i in range(len(layer.source.summands)):
            parameters[whole.weight_name(o, i)] = o, layer.weight_name(0, i)
        parameters[whole.bias_name(o)] = o, layer.bias_name(0)
    return _cheaper(whole, tuple(layers), parameters)


def composed(first: Layer, second: Layer) -> Virtual | None:
    """A fixed diagram and a layer, one after the other, as one layer; None where that is not cheaper or not so."""
    if not all(_usual(layer) and layer.single for layer in (first, second)) or first.is_complex != second.is_complex:
        return None
    fixed = [_fixed(layer) for layer in (first, second)]
    if (fixed[0] is None) == (fixed[1] is None):
        return None
    before, after = fixed
    learned = second if before is not None else first

    def joined(value: Morphism) -> Sum:
        return compose(value, before) if before is not None else compose(after, value)  # type: ignore[arg-type]

    weighted = tuple(joined(value) for value in learned.weighted[0][0])
    fixed_parts = tuple(joined(value) for value in learned.fixed_parts[0][0])
    biases = learned.biases[0] if before is not None else tuple(joined(value) for value in learned.biases[0])
    if not all(value.weighted for value in (*weighted, *biases)):  # a weight without a place has no gradient either
        return None
    whole = replace(
        learned,
        source=first.source,
        target=second.target,
        weighted=((weighted,),),
        biases=(biases,),
        fixed_parts=((tuple(value for value in fixed_parts if value.weighted),),),
        notes=(),
    )
    at = 1 if before is not None else 0
    return _cheaper(whole, (first, second), {name: (at, name) for name in ("weight", "bias")})


def _usual(layer: Layer) -> bool:
    """Whether a layer is its own only part, with diagrams few enough to go through."""
    parts = lowered(layer)
    few = sum(len(pair) for row in layer.weighted for pair in row) <= MOST_DIAGRAMS
    return few and len(parts) == 1 and parts[0].layer is layer and not layer.is_complex


def _fixed(layer: Layer) -> Sum | None:
    """What a layer does that learns nothing; None of one that learns."""
    if layer.weighted[0][0] or layer.biases[0] or not layer.fixed_parts[0][0]:
        return None
    terms = [term for morphism in layer.fixed_parts[0][0] for term in morphism.weighted]
    first = layer.fixed_parts[0][0][0]
    return linear(first.source, first.target, terms)


def _cheaper(whole: Layer, parts: tuple[Layer, ...], parameters: Mapping[str, tuple[int, str]]) -> Virtual | None:
    """The layer, if it is predicted to take less time than its parts one by one; a file depends on no machine."""
    plan = plan_layer(whole)
    if _seconds(plan) >= sum(_seconds(plan_layer(part)) for part in parts):
        return None
    return Virtual(whole, plan, parts, parameters)


def _seconds(plan: Plan) -> float:
    words = (*plan.source.words, *plan.target.words)
    sizes = {wire.group.size: HINT for word in words for wire in word if isinstance(wire.group.size, str)}
    return DEFAULT.predict({STATEMENTS: Tally.of(forward_steps(plan))}, {**sizes, BATCH: HINT})[STATEMENTS]
