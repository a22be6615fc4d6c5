"""The proof that tied weights are those of the layer: orbits counted two ways, and every weight put together again.

`catnn.plan.prove` shows that a plan computes the ordinary layer inside; here, that this layer with its tied weights is
the layer that was written: the numbers of the orbits are constant along the group's generators, there are as many of
them as Burnside's lemma and the stabilisers say, and each weight stands where its diagrams are.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from catnn.category.diagram import Morphism, linear
from catnn.category.labelled import joined, permuted
from catnn.category.scalar import Scalar
from catnn.category.wires import Word, bases
from catnn.model import Morphisms
from catnn.plan.prove import UnsoundPlanError
from catnn.plan.ties import Tie, Ties, moves_of

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray


def prove_ties(ties: Ties) -> None:
    """Raises: UnsoundPlanError naming the first weight that differs."""
    layer = ties.layer
    for (o, i), tie in ties.weights.items():
        ends = layer.source.words[i], layer.target.words[o]
        _prove(tie, *ends, layer.weighted[o][i], layer.fixed_parts[o][i], layer.weight_name(o, i))
    for o, tie in ties.biases.items():
        _prove(tie, (), layer.target.words[o], layer.biases[o], (), layer.bias_name(o))


def _prove(tie: Tie, source: Word, target: Word, weighted: Morphisms, fixed: Morphisms, name: str) -> None:
    if not tie.diagrams:
        if any(morphism.weighted for morphism in weighted + fixed):
            raise UnsoundPlanError(f"{name} has no rows")
        return
    _prove_orbits(tie, name)
    found: dict[int, list[tuple[Scalar, Morphism]]] = {at: [] for at in range(-1, len(weighted))}

    def place(row: int, index: int, coefficient: Scalar) -> None:
        at, orbit = divmod(row, len(tie.orbits))
        for inner, rest in tie.diagrams[at].weighted:
            found[index].append((coefficient * inner, joined(rest, source, target, tie.orbits[orbit])))

    for row, index, value in tie.learned:
        place(row, index, Scalar.of(value))
    for row, value in tie.fixed:
        place(row, -1, Scalar.of(value))
    meant = {at: morphism.weighted for at, morphism in enumerate(weighted)}
    meant[-1] = tuple(term for morphism in fixed for term in morphism.weighted)
    for at, terms in meant.items():
        pairs = [(c * d, e) for c, morphism in found[at] for d, e in morphism.weighted]
        if linear(source, target, terms) != linear(source, target, pairs):
            raise UnsoundPlanError(f"{name}[{at}] should be {linear(source, target, terms)}")


def _prove_orbits(tie: Tie, name: str) -> None:
    import numpy

    numbers = numbered(tie.spaces)
    sizes = [permuted(wire).n for wire in tie.spaces]
    shaped = numbers.reshape(sizes)
    for wire in bases(tie.spaces):
        for move in moves_of(wire):
            axes = [numpy.array(move) if w == wire else numpy.arange(n) for w, n in zip(tie.spaces, sizes, strict=True)]
            if (shaped[numpy.ix_(*axes)] != shaped).any():
                raise UnsoundPlanError(f"{name}: the numbers of the orbits change under a generator of {wire.group}")
    counted = prod(permuted(wire).dim(0, tie.spaces.count(wire), 0) for wire in bases(tie.spaces))
    least = numpy.unique(numbers, return_index=True)[1]
    tuples = tuple(zip(*(axis.tolist() for axis in numpy.unravel_index(least, sizes)), strict=True)) if sizes else ((),)
    if not len(tie.orbits) == len(least) == counted or tuples != tie.orbits:
        raise UnsoundPlanError(f"{name}: {len(least)} orbits, {len(tie.orbits)} diagrams, {counted} by counting")


def numbered(spaces: Word) -> NDArray[numpy.int64]:
    """The number of the orbit of every tuple of points, by least tuples, flat.

    As generated code numbers them (`catnn.emit.ties`): the least label goes along the generators until none changes.
    """
    import numpy

    sizes = [permuted(wire).n for wire in spaces]
    place = numpy.arange(prod(sizes)).reshape(sizes)
    images = []
    for wire in bases(spaces):
        for move in moves_of(wire):
            axes = [numpy.array(move) if w == wire else numpy.arange(n) for w, n in zip(spaces, sizes, strict=True)]
            images.append(place[numpy.ix_(*axes)].reshape(-1))
    label = place.reshape(-1)
    while True:
        found = label
        for image in images:
            found = numpy.minimum(found, found[image])
            pushed = found.copy()
            numpy.minimum.at(pushed, image, found)
            found = pushed[pushed]
        if (found == label).all():
            return numpy.unique(label, return_inverse=True)[1].reshape(-1).astype(numpy.int64)
        label = found
