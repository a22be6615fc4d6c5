"""How tensors are stored, as slow as it is simple: symmetric powers packed, plain wires as axes among the others."""

from __future__ import annotations

from itertools import combinations_with_replacement, product
from math import prod

import torch
from torch import Tensor

from catnn.category.wires import Summand
from catnn.testing.samples import Sizes, length


def entries(n: int, power: int) -> list[tuple[int, ...]]:
    """The nondecreasing indices of a symmetric power, in the order of its axis.

    >>> entries(2, 2)
    [(0, 0), (0, 1), (1, 1)]
    """
    return list(combinations_with_replacement(range(n), power))


def opened(x: Tensor, summand: Summand, sizes: Sizes) -> Tensor:
    """A stored tensor with an axis a wire."""
    axis = x.dim() - len(summand.axes) - 1
    for wire, power in summand.axes:
        if power > 1:
            n = length(wire, sizes)
            place = {index: at for at, index in enumerate(entries(n, power))}
            picked = torch.tensor([place[tuple(sorted(index))] for index in product(range(n), repeat=power)])
            x = x.index_select(axis, picked)
            x = x.reshape(*x.shape[:axis], *(n,) * power, *x.shape[axis + 1 :])
        axis += power
    return x


def closed(y: Tensor, summand: Summand, sizes: Sizes) -> Tensor:
    """A tensor with an axis a wire, as it is stored.  Raises: ValueError where it is not symmetric."""
    axis = y.dim() - len(summand.word) - 1
    for wire, power in summand.axes:
        if power > 1:
            n = length(wire, sizes)
            for other in range(axis + 1, axis + power):
                size = float(y.detach().abs().max()) if y.numel() else 0.0
                if not torch.allclose(y, y.transpose(axis, other), atol=1e-8 * (size + 1)):
                    raise ValueError(f"the axes {axis} and {other} are not symmetric")
            flat = [sum(v * n ** (power - 1 - at) for at, v in enumerate(index)) for index in entries(n, power)]
            y = y.flatten(axis, axis + power - 1).index_select(axis, torch.tensor(flat, dtype=torch.long))
        axis += 1
    return y


def _order(summand: Summand, start: int) -> list[int]:
    """The axes of a tensor, batch first, the acted wires, the plain ones, the channels."""
    plain = [start + at for at, wire in enumerate(summand.word) if wire.plain]
    acted = [start + at for at, wire in enumerate(summand.word) if not wire.plain]
    return [*range(start), *acted, *plain, start + len(summand.word)]


def folded(x: Tensor, summand: Summand, sizes: Sizes) -> Tensor:
    """A tensor with an axis a wire as (*batch, indices of the acted wires, plain indices and channels)."""
    start = x.dim() - len(summand.word) - 1
    rows = prod(length(wire, sizes) for wire in summand.word if not wire.plain)
    return x.permute(_order(summand, start)).reshape(*x.shape[:start], rows, summand.rows)


def unfolded(y: Tensor, summand: Summand, sizes: Sizes) -> Tensor:
    """The inverse of `folded`."""
    start = y.dim() - 2
    order = _order(summand, start)
    axes = [*(length(wire, sizes) for wire in summand.word), summand.channels]
    shape = [*y.shape[:start], *(axes[at - start] for at in order[start:])]
    return y.reshape(shape).permute([order.index(at) for at in range(len(order))])
