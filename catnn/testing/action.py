"""Groups acting on tensors: one element a space, on every axis of that space."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from catnn.category.families import FAMILIES
from catnn.category.wires import Type, Wire
from catnn.testing.samples import Sizes, Tensors, length
from catnn.testing.storage import closed, opened

Elements = Mapping[Wire, Tensor]


def random_elements(spaces: Iterable[Wire], sizes: Sizes, seed: int) -> dict[Wire, Tensor]:
    """An independent random group element for each space, as a matrix."""
    return {
        wire: torch.as_tensor(
            FAMILIES[wire.group.family].random_element(length(wire, sizes), 1000 * seed + at),
            dtype=torch.complex128 if FAMILIES[wire.group.family].oriented else torch.float64,
        )
        for at, wire in enumerate(spaces)
    }


def act(elements: Elements, xs: Tensors, side: Type) -> Tensors:
    """The group on a tuple of tensors of a type; on dual wires, its conjugate.

    >>> from catnn.category.wires import Group, Summand
    >>> V = Wire("V", Group("S", 2))
    >>> x = torch.tensor([[1.0], [2.0]], dtype=torch.float64)
    >>> act({V: torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)}, (x,), Type((Summand((V,)),)))[0].tolist()
    [[2.0], [1.0]]
    """
    moved = []
    lengths = {str(wire.group.size): len(element) for wire, element in elements.items()}
    for x, summand in zip(xs, side.summands, strict=True):
        x = opened(x, summand, lengths)
        first = x.dim() - len(summand.word) - 1
        for axis, wire in enumerate(summand.word, first):
            element = elements[wire.base].conj() if wire.dual else elements[wire]
            x = torch.tensordot(element.to(x.dtype), x, dims=([1], [axis])).movedim(0, axis)
        moved.append(closed(x, summand, lengths))
    return tuple(moved)
