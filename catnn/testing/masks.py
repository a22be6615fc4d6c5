"""Masks for padded batches: which indices of each entry are real, and what is left when the others are cut out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from catnn.category.families import FAMILIES
from catnn.category.wires import Type, Wire
from catnn.model import Layer, Network
from catnn.testing.samples import Sizes, Tensors, fits, wires


@dataclass(frozen=True, slots=True)
class Masks:
    """A mask for each space that takes one: bool (entries, n), True = real.

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
            for axis, wire in enumerate(summand.word):
                if wire.base in self.by_space:
                    one = one.index_select(axis, self.by_space[wire.base][entry].nonzero().flatten())
            found.append(one)
        return tuple(found)

    def padding(self, entry: int, ys: Tensors, side: Type) -> Tensors:
        """An entry with zeros where it is real."""
        found = []
        for y, summand in zip(ys, side.summands, strict=True):
            real = torch.ones((), dtype=torch.bool)
            for wire in summand.word:
                known = wire.base in self.by_space
                axis = self.by_space[wire.base][entry] if known else torch.ones(1, dtype=torch.bool)
                real = real.unsqueeze(-1) & axis
            found.append(y[entry].masked_fill(real.unsqueeze(-1), 0.0))
        return tuple(found)

    def __str__(self) -> str:
        entries = range(len(next(iter(self.by_space.values()))))
        return ", ".join("x".join(map(str, self.counts(entry).values())) for entry in entries)


def masking(item: Layer | Network, sizes: Sizes, batch: tuple[int], seed: int = 0) -> Masks | None:
    """Random masks for a batch, the first entry without padding; None where no space takes one.

    Any indices of a permuted space may be padding, if its size has a name that is no size of other spaces.
    """
    fixed = {wire.group.size for wire in wires(item) if not FAMILIES[wire.group.family].permutes}
    spaces = [wire for wire in wires(item) if isinstance(wire.group.size, str) and wire.group.size not in fixed]
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
            found[wire][entry, torch.randperm(sizes[name], generator=generator)[:count]] = True
    return Masks(found)
