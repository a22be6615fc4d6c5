"""The nearest equivariant layer to a dense one: `catnn.project`.

The Frobenius inner products b of a dense matrix with the diagrams and the exact Gram matrix G of the diagrams at this n
give the weights, G w = b.  For a compact group the result is the average of the matrix over the group.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations_with_replacement, product
from math import comb, lcm, prod
from typing import TYPE_CHECKING, Any

from catnn.category.diagram import Morphism
from catnn.category.sizes import length, resolve_sizes
from catnn.category.wires import Summand
from catnn.compiler import check_sizes, compile_item, item_sizes
from catnn.diagnostics import fail
from catnn.model import Layer

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    Matrix = NDArray[Any]

PRIME = 2**31 - 1
"""Elements that are independent modulo a prime are independent."""
MOST_ENTRIES = 2**31
"""The most numbers that all the dense matrices of a pair of summands may have together."""
CHUNK = 2**16
"""Columns of the diagrams' matrices that are turned into doubles at a time."""
NOTHING = Summand(())
"""What a bias maps from."""


def project(
    matrix: Any, layer: Layer, *, bias: Any = None, device: Any = None, dtype: Any = None, **sizes: int
) -> torch.nn.Module:
    """The equivariant layer nearest to a dense matrix, as a compiled module with its weights set.

    matrix: torch or numpy, N_out x N_in, where N is n^k times the channels and the channels are last, as in a tensor
    that is flattened: the weight of a ``torch.nn.Linear`` between flattened tensors.  Also of shape
    (n^l, C_out, n^k, C_in), or with an axis for each wire and channel, those of the output first.  Several summands
    stand one after the other.  A symmetric power has the entries that are stored.  Or a ``torch.nn.Linear`` itself,
    with its bias.
    bias: a vector of length N_out, or of the shape of the output.  What the layer has no diagram for is left out.
    sizes: each symbolic size by name; device, dtype: as in `catnn.compile`, by default those of the matrix.
    Where diagrams are dependent at this n, the later ones get the weight zero.
    Raises: CatnnError (E1002, E1003) for sizes, (E1019) for a matrix that does not fit.

    >>> import catnn, numpy
    >>> layer = catnn.parse("space V : S(n)  layer f : V -> V = all")["f"]
    >>> module = project(numpy.array([[1.0, 2.0], [4.0, 7.0]]), layer, n=2)
    >>> module.weight.flatten().tolist()  # the mean is 4 on the diagonal and 3 elsewhere: 3 [i -> j] + 1 [i -> i]
    [3.0, 1.0]
    """
    import torch

    weights = nearest(matrix, layer, bias=bias, **sizes)
    given = matrix.weight if isinstance(matrix, torch.nn.Linear) else matrix
    if isinstance(given, torch.Tensor):
        device = given.device if device is None else device
    if dtype is None:
        found = torch.as_tensor(given).dtype
        dtype = found if found.is_floating_point or found.is_complex else None
        dtype = dtype.to_real() if dtype is not None and layer.is_complex else dtype
    options: dict[str, Any] = {"device": device, "dtype": dtype, **sizes}
    module = compile_item(layer, **options)
    with torch.no_grad():
        for name, value in weights.items():
            getattr(module, name).copy_(torch.from_numpy(value))
    return module


def nearest(matrix: Any, layer: Layer, *, bias: Any = None, **sizes: int) -> dict[str, Matrix]:
    """The weights that `project` sets, by parameter name, as numpy arrays in double precision.

    >>> import catnn, numpy
    >>> layer = catnn.parse("space V : O(3)  layer f : V^2 -> 1 = all")["f"]
    >>> nearest(numpy.arange(9).reshape(1, 9), layer)["weight"]  # the trace is 12, its diagram has the square 3
    array([[[4.]]])
    """
    if not isinstance(layer, Layer):
        raise fail("E1019", f"{type(layer).__name__} is no layer, so nothing can be projected onto it")
    if hasattr(matrix, "weight") and hasattr(matrix, "bias"):
        bias = matrix.bias if bias is None else bias
        matrix = matrix.weight
    known = _sizes(layer, sizes)
    outs, ins = (tuple(_axes(s, known) for s in side.summands) for side in (layer.target, layer.source))
    height, width = (sum(map(prod, side)) for side in (outs, ins))
    shapes: list[tuple[int, ...]] = [(height, width)]
    if layer.single:
        (out,), (in_,) = outs, ins
        shapes += [(prod(out[:-1]), out[-1], prod(in_[:-1]), in_[-1]), (*out, *in_)]
    dense = _array(matrix, layer, shapes, "matrix").reshape(height, width)
    found: dict[str, Matrix] = {}
    for o, rows in enumerate(_slices(outs)):
        for i, columns in enumerate(_slices(ins)):
            above, below = layer.target.summands[o], layer.source.summands[i]
            c, d = outs[o][-1], ins[i][-1]
            block = dense[rows, columns].reshape(prod(outs[o][:-1]), c, prod(ins[i][:-1]), d)
            for fixed in layer.fixed_parts[o][i]:  # acts on every channel alike
                whole = _flat(fixed, known, above, below).reshape(len(block), 1, -1, 1)
                block = block - whole * _eye(c).reshape(1, c, 1, d)
            if layer.weighted[o][i]:
                block = block.reshape(*outs[o], *ins[i])
                if layer.folds:  # the weights mix plain axes with the channels
                    block = block.transpose(*_acted_first(above), *(len(outs[o]) + at for at in _acted_first(below)))
                    above, below = above.folded(), below.folded()
                c, d = above.channels, below.channels
                block = block.reshape(_stored(above, known), c, _stored(below, known), d)
                entries = block.transpose(0, 2, 1, 3).reshape(-1, c * d)
                weights = _solve(layer.weighted[o][i], entries, known, layer, above, below)
                found[layer.weight_name(o, i)] = weights.reshape(-1, c, d)
    if bias is not None:
        shapes = [(height,), *(outs if layer.single else ())]
        vector = _array(bias, layer, shapes, "bias").reshape(-1)
        for o, rows in enumerate(_slices(outs)):
            if layer.biases[o]:
                above = layer.target.summands[o]
                entries = vector[rows].reshape(outs[o]).transpose(_acted_first(above)).reshape(-1, above.rows)
                found[layer.bias_name(o)] = _solve(layer.biases[o], entries, known, layer, above.folded(), NOTHING)
    return found


def _sizes(layer: Layer, given: Mapping[str, int]) -> dict[str, int]:
    """Every size as a number.  Raises: CatnnError (E1002, E1003)."""
    names = item_sizes(layer)
    check_sizes(layer, names, given)
    word = tuple(wire for side in (layer.source, layer.target) for word in side.words for wire in word)
    return resolve_sizes(word, frozenset(names), None, {name: given[name] for name in names if name in given})


def _axes(summand: Summand, known: Mapping[str, int]) -> tuple[int, ...]:
    """The shape of a tensor: of Sym^p(V) the n (n + 1) .. (n + p - 1) / p! entries with nondecreasing indices."""
    return (*(comb(length(wire, known) + power - 1, power) for wire, power in summand.axes), summand.channels)


def _stored(summand: Summand, known: Mapping[str, int]) -> int:
    return prod(_axes(summand, known)[:-1])


def _acted_first(summand: Summand) -> list[int]:
    """The axes of a tensor, those of plain wires moved to the channels."""
    plain = [at for at, (wire, _) in enumerate(summand.axes) if wire.plain]
    acted = [at for at, (wire, _) in enumerate(summand.axes) if not wire.plain]
    return [*acted, *plain, len(summand.axes)]


def _slices(shapes: Sequence[tuple[int, ...]]) -> Iterator[slice]:
    start = 0
    for shape in shapes:
        yield slice(start, start + prod(shape))
        start += prod(shape)


def _eye(size: int) -> Matrix:
    import numpy

    return numpy.eye(size)


def _array(given: Any, layer: Layer, shapes: Sequence[tuple[int, ...]], what: str) -> Matrix:
    """In double precision, of one of these shapes.  Raises: CatnnError (E0502, E1019)."""
    import numpy

    if hasattr(given, "detach"):
        given = given.detach().cpu()
        given = (given.to(given.dtype.to_complex()) if given.is_complex() else given.double()).numpy()
    try:
        array = numpy.asarray(given)
        is_complex = array.dtype.kind == "c"
        array = array.astype(numpy.complex128 if is_complex or layer.is_complex else numpy.float64)
    except (TypeError, ValueError):
        raise fail("E1019", f"{type(given).__name__} is no {what} of numbers") from None
    if is_complex and not layer.is_complex:
        raise fail("E0502", f"a complex {what} cannot be projected onto `{layer.name}`, whose weights are real")
    if array.shape not in shapes:
        shown = " or ".join(map(str, dict.fromkeys(shapes)))
        raise fail(
            "E1019",
            f"a {what} of shape {array.shape} does not fit `{layer.name}`",
            notes=(f"at these sizes it has the shape {shown}",),
        )
    return array


def _flat(morphism: Morphism, known: Mapping[str, int], above: Summand, below: Summand) -> Matrix:
    """The dense matrix in one row, on what is stored of symmetric powers."""
    sizes = {name: known[name] for name in morphism.size_names}
    found = morphism.matrix(**sizes)
    if above.symmetric:
        found = _packed(found, above, known, add=False)
    if below.symmetric:
        found = _packed(found.T, below, known, add=True).T
    return found.reshape(-1)


def _packed(rows: Matrix, summand: Summand, known: Mapping[str, int], *, add: bool) -> Matrix:
    """Of the rows of symmetric indices those that are nondecreasing; with `add`, with all their reorderings."""
    import numpy

    n, width = [length(wire, known) for wire in summand.word], rows.shape[1]
    rows = rows.reshape(*n, width)
    for axis, (wire, power) in enumerate(summand.axes):
        if power == 1:
            continue
        size = length(wire, known)
        kept = list(combinations_with_replacement(range(size), power))
        place = {index: at for at, index in enumerate(kept)}
        moved = numpy.moveaxis(rows.reshape(*rows.shape[:axis], size**power, *rows.shape[axis + power :]), axis, 0)
        where = numpy.array([place[tuple(sorted(index))] for index in product(range(size), repeat=power)], dtype=int)
        if add:
            result = numpy.zeros((len(kept), *moved.shape[1:]), dtype=moved.dtype)
            numpy.add.at(result, where, moved)
        else:
            flat = [sum(v * size ** (power - 1 - at) for at, v in enumerate(index)) for index in kept]
            result = moved[flat]
        rows = numpy.moveaxis(result, 0, axis)
    return rows.reshape(-1, width)


def _solve(
    morphisms: Sequence[Morphism],
    entries: Matrix,
    known: Mapping[str, int],
    layer: Layer,
    above: Summand,
    below: Summand,
) -> Matrix:
    """The weights of the nearest combination to each column of entries."""
    import numpy

    unpacked = prod(length(wire, known) for wire in above.word + below.word)
    if max(len(morphisms) * len(entries), unpacked) > MOST_ENTRIES:
        raise fail(
            "E1019",
            f"{len(morphisms):,} matrices of {len(entries):,} numbers are too many to project `{layer.name}`",
            helps=("project at a smaller size: the weights are good for every n",),
        )
    scales = [lcm(*(c.value(known).denominator for c, _ in morphism.weighted)) for morphism in morphisms]
    matrices = _integers(morphisms, scales, lambda one: _flat(one, known, above, below))
    gram = numpy.zeros((len(morphisms), len(morphisms)))
    inner = numpy.zeros((len(morphisms), entries.shape[1]), dtype=entries.dtype)
    for start in range(0, len(entries), CHUNK):
        part = matrices[:, start : start + CHUNK].astype(numpy.float64)
        gram += part @ part.T  # whole numbers below 2^53: exact
        inner += part @ entries[start : start + CHUNK]
    kept = _independent(gram)
    weights = numpy.zeros_like(inner)
    if kept:
        weights[kept] = _linear(gram[numpy.ix_(kept, kept)], inner[kept])
    result: Matrix = weights * numpy.array(scales, dtype=numpy.float64)[:, None]
    return result


def _integers(morphisms: Sequence[Morphism], scales: Sequence[int], flat: Callable[[Morphism], Matrix]) -> Matrix:
    """Each morphism times its scale, as a row of whole numbers."""
    import numpy

    found: list[Matrix] = []
    for morphism, scale in zip(morphisms, scales, strict=True):
        row = flat(morphism if scale == 1 else morphism * scale)
        most = int(abs(row).max(initial=0))
        found.append(row.astype(numpy.int8 if most < 2**7 else numpy.int64))
    return numpy.stack(found)


def _independent(gram: Matrix) -> list[int]:
    """The first elements that span what all do: elimination modulo a prime, which never keeps too many."""
    import numpy

    rest = gram.astype(numpy.int64) % PRIME
    kept: list[int] = []
    for at in range(len(rest)):
        pivot = int(rest[at, at])
        if pivot == 0:  # a Gram matrix: then the whole row is zero, what came before spans this one
            continue
        kept.append(at)
        later = slice(at + 1, None)
        factors = rest[later, at] * pow(pivot, -1, PRIME) % PRIME
        rest[later, later] = (rest[later, later] - factors[:, None] * rest[at, later] % PRIME) % PRIME
    return kept


def _linear(gram: Matrix, right: Matrix) -> Matrix:
    """The solution of a system with a positive matrix of whole numbers, refined in higher precision."""
    import numpy

    norms = numpy.sqrt(gram.diagonal())
    scaled, wide = gram / numpy.outer(norms, norms), gram.astype(numpy.longdouble)
    result = right.astype(numpy.result_type(right.dtype, numpy.longdouble)) * 0
    for _ in range(3):
        rest = (right - wide @ result).astype(right.dtype)
        result = result + numpy.linalg.solve(scaled, rest / norms[:, None]) / norms[:, None]
    return result.astype(right.dtype)
