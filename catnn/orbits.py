"""The orbit basis: `catnn.orbit`, and weights between it and the diagram basis, both ways.

The diagram D of a partition asks indices in one block to be equal; the orbit matrix X asks besides that indices in
different blocks differ.  So D is the sum of X over all coarser partitions, and X a sum of D by Moebius inversion.  Both
are bases, of the same hom-space; the entries of an orbit matrix share one weight, as in the literature on sharing
parameters, and orbit matrices are orthogonal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from math import factorial
from typing import TYPE_CHECKING, Any, NamedTuple

from catnn.category.diagram import Diagram, Morphism, Sum, linear
from catnn.category.families import FAMILIES
from catnn.category.partitions import growth_strings
from catnn.category.scalar import Scalar
from catnn.diagnostics import fail
from catnn.model import Layer

if TYPE_CHECKING:
    import torch


class _Step(NamedTuple):
    """An entry of a change of basis."""

    row: int
    column: int
    value: Scalar


def orbit(diagram: Diagram) -> Sum:
    """The orbit matrix of a diagram: 1 where indices are equal in each block *and* differ between blocks.

    On spaces without permutations the diagram stays as it is, and so does a jellyfish, whose entries differ between
    blocks as it is, and what is given by its orbits; zero where a size is a number less than the blocks.

    >>> import catnn
    >>> print(orbit(catnn.diagram("S(n)", "i j -> ")))
    [i j ->] - [i i ->]
    >>> orbit(catnn.diagram("S(n)", "i j -> j i")).matrix(3).sum()
    np.int64(6)
    """
    if not isinstance(diagram, Diagram):
        raise fail("E1018", f"the orbit of {type(diagram).__name__} is not defined: give a single diagram")
    terms = ((Scalar.of(mu), coarse) for coarse, mu in coarser(diagram))
    return linear(diagram.source, diagram.target, terms)


def coarser(diagram: Diagram) -> Iterator[tuple[Diagram, int]]:
    """Every diagram with blocks of permuted spaces merged, this one first, and the Moebius function."""
    groups: list[list[int]] = []
    for wire in diagram.spaces():
        if FAMILIES[wire.group.family].merging and wire.space not in diagram.jellyfish:
            groups.append([b for b, block in enumerate(diagram.parts) if diagram.wire(block[0]).base == wire])
    kept = [block for b, block in enumerate(diagram.parts) if not any(b in group for group in groups)]
    for strings in product(*(_finest_first(len(group)) for group in groups)):
        blocks, mu = list(kept), 1
        for group, string in zip(groups, strings, strict=True):
            for label in range(max(string, default=-1) + 1):
                merged = [diagram.parts[b] for b, at in zip(group, string, strict=True) if at == label]
                blocks.append(tuple(sorted(v for block in merged for v in block)))
                mu *= (-1) ** (len(merged) - 1) * factorial(len(merged) - 1)
        parts = tuple(sorted(blocks))
        yield Diagram(diagram.source, diagram.target, parts, diagram.jellyfish, diagram.points), mu


def _finest_first(count: int) -> list[tuple[int, ...]]:
    return sorted(growth_strings(count, max(count, 1)), key=lambda string: -len(set(string)))


def to_orbit(layer: Layer, weight: Any, /, **sizes: int) -> Any:
    """Weights on diagrams as weights on orbit matrices, in the same order: sum w_i D_i = sum v_i X_i.

    weight: an array whose first axis is that of the diagrams (a torch tensor, differentiably; a numpy array; a sympy
    Matrix, exactly), of the weight, or with as many rows of the bias where those differ; or a ``state_dict``, of which
    every weight and bias is converted.  sizes: needed where diagrams carry a factor, as by ``reduce: mean``.
    Raises: CatnnError (E1018) for a layer without an orbit basis, or an array that is not of the layer.

    >>> import catnn, numpy
    >>> layer = catnn.parse("space V : S(n)  layer f : V -> V = all")["f"]
    >>> to_orbit(layer, numpy.array([2, 5]))  # 2 [i -> j] + 5 [i -> i] is 2 off the diagonal and 7 on it
    array([2, 7])
    """
    return _convert(layer, weight, sizes, back=False)


def from_orbit(layer: Layer, weight: Any, /, **sizes: int) -> Any:
    """The inverse of `to_orbit`: weights on orbit matrices as weights on the layer's diagrams.

    >>> import catnn, numpy
    >>> layer = catnn.parse("space V : S(n)  layer f : V -> V = all")["f"]
    >>> from_orbit(layer, numpy.array([2, 7]))
    array([2, 5])
    """
    return _convert(layer, weight, sizes, back=True)


def _convert(layer: Layer, weight: Any, sizes: Mapping[str, int], *, back: bool) -> Any:
    if not isinstance(layer, Layer):
        raise fail("E1018", f"{type(layer).__name__} is no layer, so it has no orbit basis")
    tables = {
        layer.weight_name(o, i): pair for o, row in enumerate(layer.weighted) for i, pair in enumerate(row) if pair
    }
    tables |= {layer.bias_name(o): row for o, row in enumerate(layer.biases) if row}
    if isinstance(weight, Mapping):
        unknown = sorted(set(weight) - set(tables))
        if unknown:
            raise fail("E1018", f"`{layer.name}` has no parameter `{unknown[0]}`; it has: {', '.join(tables)}")
        return {name: _apply(_steps(layer, tables[name], back=back), value, sizes) for name, value in weight.items()}
    if not layer.single:
        raise fail(
            "E1018",
            f"`{layer.name}` has a weight for each pair of summands",
            helps=("give them by name, as in `module.state_dict()`",),
        )
    shape: tuple[int, ...] = tuple(getattr(weight, "shape", ()))
    rows = shape[0] if shape else -1
    table = next((table for table in (layer.diagrams, layer.bias_diagrams) if len(table) == rows), None)
    if table is None or not rows:
        raise fail(
            "E1018",
            f"an array of shape {shape} is no weight of `{layer.name}`",
            notes=(f"its first axis is that of the {len(layer.diagrams)} diagrams",),
        )
    return _apply(_steps(layer, table, back=back), weight, sizes)


def _steps(layer: Layer, table: Sequence[Morphism], *, back: bool) -> list[_Step]:
    """The change of basis: new[row] += value * old[column]."""
    singles = [morphism.weighted for morphism in table]
    wires = {w.base for word in layer.source.words + layer.target.words for w in word}
    if not any(FAMILIES[wire.group.family].merging for wire in wires):
        raise fail("E1018", f"`{layer.name}` has no permuted wire, so it has no orbit basis")
    place = {weighted[0][1]: at for at, weighted in enumerate(singles) if len(weighted) == 1}
    if len(place) < len(singles):
        raise fail("E1018", f"`{layer.name}` has weights on sums of diagrams, so no orbit basis in their order")
    factors = [weighted[0][0] for weighted in singles]
    steps = []
    for diagram, at in place.items():
        for coarse, mu in coarser(diagram):
            if coarse not in place:
                raise fail(
                    "E1018",
                    f"the diagrams of `{layer.name}` have no orbit basis: {diagram} is there, {coarse} is not",
                    notes=("with a diagram, all those with some of its blocks merged are needed",),
                )
            there = place[coarse]
            value = Scalar.of(mu) / factors[there] if back else factors[at]
            steps.append(_Step(there, at, value))
    return steps


def _apply(steps: list[_Step], array: Any, sizes: Mapping[str, int]) -> Any:
    import numpy

    rows, columns = [step.row for step in steps], [step.column for step in steps]
    if type(array).__module__.startswith("sympy"):
        import sympy

        symbolic = numpy.array(array.tolist(), dtype=object).reshape(array.shape)
        values = [step.value.substitute(sizes).sympy() for step in steps]
        result = _summed(symbolic, rows, columns, numpy.array(values, dtype=object))
        return sympy.Matrix(result).applyfunc(sympy.expand)
    fractions = [_value(step.value, sizes) for step in steps]
    whole = all(value.denominator == 1 for value in fractions)
    numbers = [int(value) if whole else float(value) for value in fractions]
    if hasattr(array, "index_add"):
        import torch

        tensor: torch.Tensor = array
        dtype = tensor.dtype if whole or tensor.is_floating_point() or tensor.is_complex() else None
        factors = torch.tensor(numbers, dtype=dtype, device=tensor.device)
        parts = tensor[torch.tensor(columns, device=tensor.device)]
        parts = parts * factors.view(-1, *[1] * (parts.dim() - 1))
        return torch.zeros_like(tensor, dtype=parts.dtype).index_add(0, torch.tensor(rows, device=tensor.device), parts)
    given = numpy.asarray(array)
    kind = object if given.dtype == object else None
    return _summed(given, rows, columns, numpy.array(fractions if kind else numbers, dtype=kind))


def _value(scalar: Scalar, sizes: Mapping[str, int]) -> Fraction:
    """The number at these sizes.  Raises: CatnnError (E1002) where one is missing."""
    try:
        return scalar.value(sizes)
    except KeyError as missing:
        name = missing.args[0]
        raise fail("E1002", f"no value for the size `{name}`", helps=(f"give it: {name}=4",)) from None


def _summed(given: Any, rows: list[int], columns: list[int], factors: Any) -> Any:
    import numpy

    parts = given[columns] * factors.reshape(-1, *[1] * (given.ndim - 1))
    result = numpy.zeros(given.shape, dtype=parts.dtype)
    numpy.add.at(result, rows, parts)
    if parts.dtype != object and given.dtype.kind in "fc":
        result = result.astype(given.dtype)
    return result
