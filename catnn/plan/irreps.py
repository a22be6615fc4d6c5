"""A layer at literal sizes in blocks: into the irreducible parts of its words, one product a part, and back.

Where the words have a basis of `catnn.plan.isotypic`, the diagrams of all levels become blocks at once: y = Q_out B(w)
Q_in^T x, with a matrix B of (copies out x channels out) by (copies in x channels in) for each irreducible
representation, the same for its d rows.  Its entries are fixed combinations of the weights.  For O(3) on V^4 that is
369 multiply-adds an entry and pair of channels, for S(3) on V^3 it is 203, whatever the diagrams are.

The basis is irrational, so what is compared before such a form is used are numbers: the matrix of every diagram with
that which its blocks make, entry by entry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from catnn.category.scalar import Scalar
from catnn.category.wires import Type, Word
from catnn.model import Layer, Morphisms
from catnn.plan.cost import BATCH, Cost, Step
from catnn.plan.isotypic import Isotypic, isotypic, stacked
from catnn.plan.prove import UnsoundPlanError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

MOST_DIAGRAMS = 1200
"""Layers with more diagrams have no such form: weights become blocks by a matrix of as many rows as columns."""

BOUND = 1e-9
"""No entry of a diagram may differ by more from what its blocks make, as a part of the largest."""

CHUNK = 2**18
"""So many bytes of an input are worked on at a time, so that what becomes of them stays in the cache."""

Pair = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Irreps:
    """The blocks of a layer.

    dimensions: of each irreducible representation that meets on both sides; ins[i][r], outs[o][r]: its copies in a
    summand, (entries, dimension, copies); blocks[o, i]: for every weight the entries of its blocks, (entries of all
    blocks, out copies slow, weights); fixed[o, i]: those of the fixed diagrams together, which act on each channel
    alike; biases[o]: the invariants of the bias, (entries of the word, biases), or None.
    deviation: how far a diagram is at most from what its blocks make.
    """

    source: Type
    target: Type
    dimensions: tuple[int, ...]
    ins: tuple[tuple[Array, ...], ...]
    outs: tuple[tuple[Array, ...], ...]
    blocks: Mapping[Pair, Array]
    fixed: Mapping[Pair, Array]
    biases: tuple[Array | None, ...]
    deviation: float = 0.0

    def copies(self, side: tuple[tuple[Array, ...], ...], irrep: int) -> tuple[int, ...]:
        """How many copies each summand of a side has of an irreducible representation."""
        return tuple(bases[irrep].shape[2] for bases in side)

    @cached_property
    def work(self) -> int:
        """The multiply-adds of an entry of the batch in the products."""
        ins = [summand.channels for summand in self.source.summands]
        outs = [summand.channels for summand in self.target.summands]
        return sum(
            d
            * sum(m * c for m, c in zip(self.copies(self.ins, r), ins, strict=True))
            * sum(m * c for m, c in zip(self.copies(self.outs, r), outs, strict=True))
            for r, d in enumerate(self.dimensions)
        )


def between(found: Irreps, sizes: Mapping[str, int]) -> int:
    """How many numbers lie between the inputs and the outputs at most; sizes: `batch`."""
    blocks = sum(prod(_widths(found, r)) for r in range(len(found.dimensions)))
    inputs = sum(len(bases[0]) * s.channels for bases, s in zip(found.ins, found.source.summands, strict=True))
    return blocks + 4 * min(inputs * sizes[BATCH], max(inputs, CHUNK // 4))


_KNOWN: WeakKeyDictionary[Layer, Irreps | None] = WeakKeyDictionary()


def irreps(layer: Layer) -> Irreps | None:
    """The blocks of a layer, compared with its diagrams; None where it has none.

    It has none where a size is a name, a tensor is complex or packed, wires have no symmetry, there are too many
    diagrams, a target has a bias alone, or the type of a part is not real.  Found once while the layer lives.
    """
    if layer not in _KNOWN:
        _KNOWN[layer] = _compared(layer)
    return _KNOWN[layer]


def _compared(layer: Layer) -> Irreps | None:
    found = _candidate(layer)
    if found is None:
        return None
    worst = max(value for _, value in deviations(found, layer))
    return replace(found, deviation=worst) if worst <= BOUND else None


def possible(layer: Layer) -> bool:
    """Whether a layer may have blocks, as far as its words and its count of diagrams say."""
    summands = layer.source.summands + layer.target.summands
    if layer.is_complex or any(s.symmetric or any(wire.plain for wire in s.word) for s in summands):
        return False
    if any(not isinstance(wire.group.size, int) for s in summands for wire in s.word) or not any(
        s.word for s in summands
    ):
        return False
    return sum(len(pair) for row in layer.weighted for pair in row) <= MOST_DIAGRAMS and all(
        any(row) or any(fixed) for row, fixed in zip(layer.weighted, layer.fixed_parts, strict=True)
    )


def _candidate(layer: Layer) -> Irreps | None:
    if not possible(layer):
        return None
    known = isotypic(tuple(dict.fromkeys((*layer.source.words, *layer.target.words))))
    if known is None or any(value.size_names for value in _morphisms(layer)):
        return None
    kept = [
        r
        for r in range(len(known.dimensions))
        if all(any(known.bases[word][r].shape[2] for word in side.words) for side in (layer.source, layer.target))
    ]
    dimensions = tuple(known.dimensions[r] for r in kept)
    ins, outs = (_chosen(known, side, kept) for side in (layer.source, layer.target))
    blocks: dict[Pair, Array] = {}
    fixed: dict[Pair, Array] = {}
    for o, target in enumerate(layer.target.words):
        for i, source in enumerate(layer.source.words):
            if layer.weighted[o][i]:
                blocks[o, i] = _blocks(layer.weighted[o][i], source, target, ins[i], outs[o], dimensions)
            if layer.fixed_parts[o][i]:
                fixed[o, i] = _blocks(layer.fixed_parts[o][i], source, target, ins[i], outs[o], dimensions).sum(1)
    biases = tuple(
        stacked(row, (), word)[:, :, 0].T.copy() if row else None
        for row, word in zip(layer.biases, layer.target.words, strict=True)
    )
    return Irreps(layer.source, layer.target, dimensions, ins, outs, blocks, fixed, biases)


def _morphisms(layer: Layer) -> Iterator[Any]:
    for table in (layer.weighted, layer.fixed_parts, (layer.biases,)):
        yield from (value for row in table for pair in row for value in pair)


def _chosen(known: Isotypic, side: Type, kept: list[int]) -> tuple[tuple[Array, ...], ...]:
    return tuple(tuple(known.bases[word][r] for r in kept) for word in side.words)


def _blocks(values: Morphisms, source: Word, target: Word, ins: tuple[Array, ...], outs: tuple[Array, ...],
            dimensions: tuple[int, ...]) -> Array:  # fmt: skip
    """The entries of the blocks of each matrix, irreducible representations slowest, then copies in the target."""
    import numpy

    matrices = stacked(tuple(values), source, target)
    parts = []
    for d, one, other in zip(dimensions, outs, ins, strict=True):
        rows, columns = one.reshape(len(one), -1), other.reshape(len(other), -1)
        met = (rows.T @ matrices @ columns).reshape(len(matrices), d, one.shape[2], d, other.shape[2])
        parts.append(numpy.einsum("ndadb->abn", met).reshape(-1, len(matrices)) / d)
    return numpy.concatenate(parts)


# ------------------------------------------------------------------------------------------------------------- proof


def deviations(found: Irreps, layer: Layer) -> Iterator[tuple[str, float]]:
    """How far each weight's diagram, and the fixed ones together, are from what their blocks make, by name."""
    for o, target in enumerate(layer.target.words):
        for i, source in enumerate(layer.source.words):
            name = layer.weight_name(o, i)
            if layer.weighted[o][i]:
                matrices = stacked(tuple(layer.weighted[o][i]), source, target)
                for at, one in enumerate(_apart(matrices, _made(found, found.blocks[o, i], o, i))):
                    yield f"{name}[{at}]", one
            if layer.fixed_parts[o][i]:
                matrices = stacked(tuple(layer.fixed_parts[o][i]), source, target).sum(0)[None]
                (one,) = _apart(matrices, _made(found, found.fixed[o, i][:, None], o, i))
                yield f"the fixed part of {name}", one


def prove_irreps(found: Irreps, layer: Layer) -> None:
    """Check every diagram against what its blocks make, as numbers, and the invariants of the bias.

    Raises: UnsoundPlanError naming the first weight that differs.
    """
    if (found.source, found.target) != (layer.source, layer.target):
        raise UnsoundPlanError(f"{layer.name}: the blocks are of {found.source} -> {found.target}")
    for row, own, word in zip(layer.biases, found.biases, layer.target.words, strict=True):
        if (own is None) != (not row) or (own is not None and (stacked(tuple(row), (), word)[:, :, 0] != own.T).any()):
            raise UnsoundPlanError(f"{layer.name}: the blocks have another bias")
    for name, value in deviations(found, layer):
        if not value <= BOUND:
            raise UnsoundPlanError(f"{layer.name}: {name} is off by {value:.1e} in blocks")


def _made(found: Irreps, blocks: Array, out: int, in_: int) -> Array:
    """The matrices of blocks, (weights, rows, columns)."""
    import numpy

    total, at = 0.0, 0
    for rows, columns in zip(found.outs[out], found.ins[in_], strict=True):
        shape = rows.shape[2], columns.shape[2]
        block = blocks[at : at + prod(shape)].reshape(*shape, blocks.shape[1])
        at += prod(shape)
        half = numpy.einsum("abn,jdb->najd", block, columns)  # (weights, copies out, entries in, dimension)
        total = total + numpy.einsum("ida,najd->nij", rows, half, optimize=True)
    if at != len(blocks):
        raise UnsoundPlanError(f"{len(blocks)} entries of blocks are not {at}")
    return numpy.asarray(total)


def _apart(wanted: Array, made: Array) -> Iterator[float]:
    """The largest difference of entries, as a part of the largest entry."""
    if made.shape != wanted.shape:
        raise UnsoundPlanError(f"blocks of {made.shape} are not those of {wanted.shape}")
    for one, other in zip(wanted, made, strict=True):
        yield float(abs(one - other).max(initial=0) / max(1.0, abs(one).max(initial=0)))


# -------------------------------------------------------------------------------------------------------------- cost


def irreps_steps(found: Irreps) -> tuple[Step, ...]:
    """What runs: weights into blocks, inputs into parts, a product a part, and back."""
    return (*_turning(found), *_into(found), *_products(found), *_back(found))


def _turning(found: Irreps) -> Iterator[Step]:
    for (o, i), blocks in found.blocks.items():
        each = found.target.summands[o].channels * found.source.summands[i].channels
        count, weights = blocks.shape
        made, given = Scalar.of(count * each), Scalar.of(weights * each)
        yield Step(
            "mix",
            "turn weights",
            f"{weights} diagrams",
            f"{count} x {each}",
            Cost(given, made, made * Scalar.of(weights)),
        )
    for r, d in enumerate(found.dimensions):
        size = Scalar.of(prod(_widths(found, r)))
        yield Step(
            "mix",
            "order weights",
            f"part {r}, dimension {d}",
            " x ".join(map(str, _widths(found, r))),
            Cost(size, size),
        )


def _into(found: Irreps) -> Iterator[Step]:
    for summand, bases in zip(found.source.summands, found.ins, strict=True):
        yield _changed("reduce", "into parts", len(bases[0]), _rows(bases), summand.channels)
        for r, basis in enumerate(bases):
            if basis.size:
                size = _entries(basis.shape[1] * basis.shape[2] * summand.channels)
                yield Step("reduce", "order part", f"part {r}", str(size), Cost(size, size))


def _products(found: Irreps) -> Iterator[Step]:
    for r, d in enumerate(found.dimensions):
        columns, rows = _widths(found, r)
        cost = Cost(_entries(d * rows) + Scalar.of(rows * columns), _entries(d * columns), _entries(d * rows * columns))
        yield Step("mix", "product", f"part {r}, dimension {d}", f"{columns} x {rows}", cost)


def _back(found: Irreps) -> Iterator[Step]:
    for summand, bases in zip(found.target.summands, found.outs, strict=True):
        size = _entries(_rows(bases) * summand.channels)
        yield Step("expand", f"join {len(bases)}", "the parts", str(size), Cost(size, size))
        yield _changed("expand", "out of parts", _rows(bases), len(bases[0]), summand.channels)


def _changed(phase: str, op: str, given: int, made: int, channels: int) -> Step:
    read, written, madds = (_entries(count * channels) for count in (given, made, given * made))
    return Step(phase, op, f"{made} x {given}", f"{made} x {channels}", Cost(read, written, madds))


def _rows(bases: tuple[Array, ...]) -> int:
    return sum(basis.shape[1] * basis.shape[2] for basis in bases)


def _widths(found: Irreps, irrep: int) -> tuple[int, int]:
    """Rows and columns of the block of an irreducible representation."""
    sides = ((found.target, found.outs), (found.source, found.ins))
    out, in_ = (
        sum(m * summand.channels for m, summand in zip(found.copies(bases, irrep), side.summands, strict=True))
        for side, bases in sides
    )
    return out, in_


def _entries(count: int) -> Scalar:
    """So many numbers an entry of the batch."""
    return Scalar.of(count) * Scalar.size(BATCH)
