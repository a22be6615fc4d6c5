"""Masks for padded batches: which indices of each entry are real, and what is left when the others are cut out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from catnn.category.families import FAMILIES
from catnn.category.wires import Summand, Type, Wire
from catnn.model import Layer, Network
from catnn.testing.samples import Sizes, Tensors, fits, wires
from catnn.testing.storage import entries


@dataclass(frozen=True, slots=True)
class Masks:
    """A mask for each space of symbolic size: bool (entries, n), True = real.

    Spaces with one size name have equally many real indices in an entry, though not the same ones.
    """

    by_space: Mapping[Wire, Tensor]

    @property
    def argument(self) -> Any:
        """What `module(x, mask=...)` takes."""
        return {wire.space: real for wire, real in self.by_space.items()}

    def counts(self, entry: int) -> dict[str, int]:
        """The sizes of an entry alone."""
        return {str(wire.group.size): int(real[entry].sum()) for wire, real in self.by_space.items()}

    def cut(self, entry: int, xs: Tensors, side: Type) -> Tensors:
        """An entry without its padding."""
        found = []
        for x, summand in zip(xs, side.summands, strict=True):
            one = x[entry]
            for axis, real in enumerate(self._axes(entry, summand)):
                if real is not None:
                    one = one.index_select(axis, real.nonzero().flatten())
            found.append(one)
        return tuple(found)

    def padding(self, entry: int, ys: Tensors, side: Type) -> Tensors:
        """An entry with zeros where it is real."""
        found = []
        for y, summand in zip(ys, side.summands, strict=True):
            real = torch.ones((), dtype=torch.bool)
            for axis in self._axes(entry, summand):
                real = real.unsqueeze(-1) & (torch.ones(1, dtype=torch.bool) if axis is None else axis)
            found.append(y[entry].masked_fill(real.unsqueeze(-1), 0.0))
        return tuple(found)

    def _axes(self, entry: int, summand: Summand) -> list[Tensor | None]:
        """What is real on each axis as it is stored, None where nothing is padded."""
        found: list[Tensor | None] = []
        for wire, power in summand.axes:
            if wire.base not in self.by_space:
                found.append(None)
                continue
            real = self.by_space[wire.base][entry]
            found.append(torch.stack([real[list(index)].all() for index in entries(len(real), power)]))
        return found

    def __str__(self) -> str:
        entries = range(len(next(iter(self.by_space.values()))))
        return ", ".join("x".join(map(str, self.counts(entry).values())) for entry in entries)


def masking(item: Layer | Network, sizes: Sizes, batch: tuple[int], seed: int = 0) -> Masks | None:
    """Random masks for a batch, the first entry without padding; None where no size is symbolic.

    Any indices may be padding, save that pairs of a symplectic basis stay together.
    """
    spaces = [wire for wire in wires(item) if isinstance(wire.group.size, str)]
    if not spaces:
        return None
    generator = torch.Generator().manual_seed(seed)
    found = {wire: torch.zeros(*batch, sizes[str(wire.group.size)], dtype=torch.bool) for wire in spaces}
    for entry in range(batch[0]):
        counts: dict[str, int] = {}
        for wire in spaces:
            name = str(wire.group.size)
            fine = [count for count in range(1, sizes[name] + 1) if fits(item, name, count)]
            pick = int(torch.randint(len(fine), (), generator=generator))
            count = counts.setdefault(name, fine[pick] if entry else sizes[name])
            step = FAMILIES[wire.group.family].step
            order = torch.randperm(sizes[name] // step, generator=generator)[: count // step]
            for at in range(step):
                found[wire][entry, order * step + at] = True
    return Masks(found)
