"""Sizes to test at, modules with random weights, random inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import comb, prod
from typing import Any

import torch
from torch import Tensor, nn

from catnn.category.families import FAMILIES
from catnn.category.wires import Summand, Type, Wire
from catnn.compiler import compile_item, item_sizes
from catnn.model import Activate, Apply, Call, Identity, Layer, Network, walk

Sizes = Mapping[str, int]
Tensors = tuple[Tensor, ...]

DTYPE = torch.float64
BATCHES: tuple[tuple[int, ...], ...] = ((), (0,), (2, 3))
CANDIDATES = (3, 1, 2, 5, 4, 6)
"""Sizes to try, the most telling first."""
MOST_ENTRIES = 5_000_000
"""The most numbers that all the dense matrices of a layer may have together, or the tensors of an item."""


def wires(item: Layer | Network) -> tuple[Wire, ...]:
    """The different spaces that appear anywhere in a layer or network."""
    found: dict[Wire, None] = {}
    for side in _types(item):
        found.update(dict.fromkeys(wire.base for word in side.words for wire in word))
    return tuple(found)


def _types(item: Layer | Network) -> Iterator[Type]:
    yield from (item.source, item.target)
    if isinstance(item, Network):
        for stage in walk(item.body):
            if isinstance(stage, Apply | Activate | Identity):
                yield from (stage.source, stage.target)
            elif isinstance(stage, Call):
                yield from _types(stage.network)


def assignments(
    item: Layer | Network, *, most: int = MOST_ENTRIES, at_least: int = 1, dense: bool = False
) -> list[dict[str, int]]:
    """Numbers for the symbolic sizes that are groups and small enough, a few of them.

    at_least: indices, of a symplectic space pairs; dense: whether the dense matrices of a layer have to be small
    enough, too, and not its tensors alone.  Different names get different numbers.  Without symbolic sizes there is the
    one empty assignment.
    """
    names, entries = item_sizes(item), _dense if dense else numbers
    if not names:
        return [{}] if entries(item, {}) <= most else []
    found: list[dict[str, int]] = []
    for shift in range(len(CANDIDATES)):
        sizes = {}
        for at, name in enumerate(names):
            order = (*CANDIDATES[shift:], *CANDIDATES[:shift])
            fine = [size for size in order if fits(item, name, size) and size >= at_least * step(item, name)]
            sizes[name] = fine[at % len(fine)]
        if sizes not in found and entries(item, sizes) <= most:
            found.append(sizes)
    return found


def step(item: Layer | Network, name: str) -> int:
    """How many indices belong together: 2 for the size of a symplectic space, whose basis comes in pairs, else 1."""
    return max((FAMILIES[wire.group.family].step for wire in wires(item) if wire.group.size == name), default=1)


def fits(item: Layer | Network, name: str, size: int) -> bool:
    """Whether every group with this size name exists at this size."""
    groups = {wire.group for wire in wires(item) if wire.group.size == name}
    return all(FAMILIES[group.family].size_fault(size) is None for group in groups)


def numbers(item: Layer | Network, sizes: Sizes) -> int:
    """How many numbers the largest tensor has, opened where it is stored packed; or all the weights of a layer."""
    found = [prod(length(w, sizes) for w in s.word) * s.channels for side in _types(item) for s in side.summands]
    if isinstance(item, Network) and item.program is not None:
        found += [prod(shape(summand, sizes)) for summand in item.program.values]
    elif isinstance(item, Layer):
        found.append(_count(item) * max(s.channels for s in item.source.summands + item.target.summands) ** 2)
    return max(found)


def _count(layer: Layer) -> int:
    """How many diagrams a layer has."""
    return sum(len(pair) for table in (layer.weighted, layer.fixed_parts) for row in table for pair in row)


def _dense(item: Layer | Network, sizes: Sizes) -> int:
    """How many numbers the dense matrices of a layer have; a network has none."""
    if isinstance(item, Network):
        return numbers(item, sizes)
    outs, ins = (
        max(prod(length(wire, sizes) for wire in summand.word) for summand in side.summands)
        for side in (item.target, item.source)
    )
    return _count(item) * outs * ins


def length(wire: Wire, sizes: Sizes) -> int:
    """The number of indices of a wire."""
    size = wire.group.size
    return size if isinstance(size, int) else sizes[size]


def shape(summand: Summand, sizes: Sizes) -> tuple[int, ...]:
    """The axes of a summand as it is stored, channels last."""
    return (*(comb(length(wire, sizes) + power - 1, power) for wire, power in summand.axes), summand.channels)


def module_of(item: Layer | Network, sizes: Sizes, seed: int = 0) -> nn.Module:
    """The compiled module in double precision, every parameter random: a bias that is 0 would hide its faults."""
    options: dict[str, Any] = {**sizes, "dtype": DTYPE}
    module = compile_item(item, **options)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype))
    return module


def inputs(item: Layer | Network, sizes: Sizes, batch: tuple[int, ...] = (), seed: int = 1) -> Tensors:
    """Random inputs, a tensor a summand of the source."""
    generator = torch.Generator().manual_seed(seed)
    shapes = [(*batch, *shape(summand, sizes)) for summand in item.source.summands]
    dtype = DTYPE.to_complex() if item.is_complex else DTYPE
    return tuple(torch.randn(one, generator=generator, dtype=dtype) for one in shapes)


def call(module: Any, xs: Tensors, **options: Any) -> Tensors:
    """A module as a function from tuples to tuples; a result that is a direct sum is its summands."""
    return tuple(_tensors(module(xs if len(xs) > 1 else xs[0], **options)))


def _tensors(ys: Any) -> Iterator[Tensor]:
    if isinstance(ys, tuple | list):
        for y in ys:
            yield from _tensors(y)
    else:
        yield ys
