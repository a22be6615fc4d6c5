"""The check that the weights of a layer which stands for two are combined as the category composes its diagrams."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from catnn.category.compose import compose
from catnn.category.diagram import Morphism, Sum, linear
from catnn.category.scalar import ONE, Scalar
from catnn.model import Layer
from catnn.plan.fusing import Fused, terms_of
from catnn.plan.prove import UnsoundPlanError


def prove_fused(found: Fused) -> None:
    """Check that the constants are those of the category: each pair of diagrams composes to what its weights go to.

    Raises: UnsoundPlanError naming the first pair that does not.
    """
    given: dict[tuple[str, str, int, str, int], list[tuple[int, Scalar]]] = defaultdict(list)
    for meeting in found.meetings:
        for (row, b, a), scalar in meeting.entries:
            given[meeting.target, meeting.later, b, meeting.earlier, a].append((row, scalar))
    whole, earlier, later = found.layer, found.earlier, found.later
    for o in range(len(later.target.summands)):
        elements = whole.biases[o]
        for i in range(len(earlier.source.summands)):
            fixed: list[Morphism] = []
            for m in range(len(earlier.target.summands)):
                for top in terms_of(later, o, m):
                    for term in terms_of(earlier, m, i):
                        if top.name or term.name:
                            key = (whole.weight_name(o, i), top.name, top.index, term.name, term.index)
                            _check(given.pop(key, []), whole.weighted[o][i], compose(top.value, term.value), key)
                        else:
                            fixed.append(compose(top.value, term.value))
            _check([(at, ONE) for at in range(len(fixed))], fixed, _total(whole, o, i), ("fixed", o, i))
        for m in range(len(earlier.target.summands)):
            for top in terms_of(later, o, m):
                for at, value in enumerate(earlier.biases[m]):
                    name = earlier.bias_name(m)
                    key = (whole.bias_name(o), top.name, top.index, name, at)
                    _check(given.pop(key, []), elements, compose(top.value, value), key)
        for at, value in enumerate(later.biases[o]):
            key = (whole.bias_name(o), later.bias_name(o), at, "", 0)
            _check(given.pop(key, []), elements, value, key)
    for key in given:
        raise UnsoundPlanError(f"{whole.name}: {key} composes nothing")


def _total(layer: Layer, o: int, i: int) -> Sum:
    terms = [term for value in layer.fixed_parts[o][i] for term in value.weighted]
    return linear(layer.source.words[i], layer.target.words[o], terms)


def _check(
    constants: list[tuple[int, Scalar]], elements: Sequence[Morphism], meant: Morphism, key: tuple[object, ...]
) -> None:
    terms = [(scalar * c, d) for row, scalar in constants for c, d in elements[row].weighted]
    found = linear(meant.source, meant.target, terms)
    if found != linear(meant.source, meant.target, meant.weighted):
        raise UnsoundPlanError(f"{key} should compose to {meant}, the constants give {found}")
