"""More of the parts that generated files share (see `parts.py`): tensors with symmetric powers.

Such a tensor is unpacked at the door, computed with as any other, and packed again: two index selections.
"""

import torch
from torch import Tensor

from catnn.emit.kernels import _scaled, _wide
from catnn.emit.parts import _by_space, _Layer


class _Symmetric(_Layer):
    """A layer with symmetric powers, each of them one axis with the entries x_J, J nondecreasing, lexicographically.

    powers: for each input and for each output the power of every axis, 1 for one that is none.
    """

    powers: tuple[tuple[tuple[int, ...], ...], tuple[tuple[int, ...], ...]]

    def forward(self, x, mask=None, sizes=None, counts=None):
        """The layer on (*batch, axes, channels) or a tuple of such; mask: bool (*batch, n) of a space, not packed."""
        xs = x if isinstance(x, (tuple, list)) else (x,)
        if len(xs) == len(self.powers[0]):
            xs = tuple(
                _opened(self, at, v, powers) for at, (v, powers) in enumerate(zip(xs, self.powers[0], strict=True))
            )
        ys = super().forward(xs, mask, sizes, counts)
        ys = ys if isinstance(ys, tuple) else (ys,)
        ys = tuple(_closed(y, powers) for y, powers in zip(ys, self.powers[1], strict=True))
        return ys if len(ys) > 1 else ys[0]

    def shapes(self, side):
        """Those of the inputs (side 0) or outputs (side 1), in sizes by name, a symmetric power as one axis."""
        found = []
        for (word, channels), powers in zip((self.inputs, self.outputs)[side], self.powers[side], strict=True):
            axes, at = ["*batch"], 0
            for power in powers:
                size = self.space_sizes[word[at]]
                axes.append(f"{size}" if power == 1 else f"Sym^{power}({size})")
                at += power
            found.append(f"({', '.join([*axes, str(channels)])})")
        return found


def _multisets(n: int, power: int) -> int:
    """How many nondecreasing sequences of numbers below n there are: the length of the axis of a symmetric power."""
    found = 1
    for t in range(power):
        found = found * (n + t) // (t + 1)
    return found


def _side(length: int, power: int) -> int:
    """The size of the space whose symmetric power has an axis of this length; -1 where there is none."""
    for n in range(length + 1):
        if _multisets(n, power) >= length:
            return n if _multisets(n, power) == length else -1
    return -1


def _ranks(n: int, power: int, device) -> tuple[Tensor, Tensor]:
    """For every index (flat) of n^power entries: which entry x_J it is, and the flat index of J in order."""
    flat = torch.arange(n**power, device=device)
    digits = torch.stack([flat // n ** (power - 1 - a) % n for a in range(power)]).sort(0).values
    place, ordered = torch.zeros_like(flat) + (_multisets(n, power) - 1), torch.zeros_like(flat)
    for a in range(power):
        behind = torch.ones_like(flat)
        for t in range(power - a):
            behind = behind * (n - 1 - digits[a] + t) // (t + 1)
        place = place - behind
        ordered = ordered * n + digits[a]
    return place, ordered


def _opened(layer, at: int, x, powers: tuple[int, ...]):
    """x with n^power axes for each symmetric power: the symmetric tensor."""
    if not isinstance(x, Tensor) or x.dim() <= len(powers) or all(power == 1 for power in powers):
        return x
    after = x.dim() - len(powers) - 1
    for power in powers:
        if power > 1:
            n = _side(x.shape[after], power)
            if n < 0:
                which, length = f" of input {at}" if len(layer.inputs) > 1 else "", x.shape[after]
                below = next(n for n in range(1, length) if _multisets(n + 1, power) > length)
                near = ", ".join(f"n = {n} has {_multisets(n, power)}" for n in (below, below + 1))
                raise ValueError(
                    f"{layer.label}: an axis{which} has length {length}, which is that of no symmetric power "
                    f"of order {power}: {near} entries"
                )
            x = x.index_select(after, _ranks(n, power, x.device)[0]).unflatten(after, (n,) * power)
        after += power
    return x


def _unpacked(layer, xs: tuple) -> tuple:
    """The inputs of a network of named values with n^power axes for each symmetric power."""
    known = layer.powers[: len(xs)]
    whole = tuple(_opened(layer, at, x, powers) for at, (x, powers) in enumerate(zip(xs, known, strict=False)))
    return whole + tuple(xs[len(known) :])


def _closed(y: Tensor, powers: tuple[int, ...]) -> Tensor:
    """y with the axes of each symmetric power packed into one: the entries with nondecreasing indices."""
    axis = y.dim() - sum(powers) - 1
    for power in powers:
        if power > 1:
            n = y.shape[axis]
            place, ordered = _ranks(n, power, y.device)
            chosen = place.new_zeros(_multisets(n, power)).scatter(0, place, ordered)
            y = y.flatten(axis, axis + power - 1).index_select(axis, chosen)
        axis += 1
    return y


def _by_power(mask, spaces: tuple[str, ...], powers: tuple[int, ...]):
    """The masks of axes in order, None where there is none; of a symmetric power those of its entries."""
    masks = _by_space(mask, spaces)
    return [real if real is None or p == 1 else _symmetric_mask(real, p) for real, p in zip(masks, powers, strict=True)]


def _symmetric_mask(real: Tensor, power: int) -> Tensor:
    """Which entries of a symmetric power are real: those all of whose indices are."""
    every = real
    for _ in range(power - 1):
        every = every.unsqueeze(-1) & real.reshape(*real.shape[:-1], *(1,) * (every.dim() - real.dim() + 1), -1)
    return _closed(every.unsqueeze(-1), (power,)).flatten(-2)


def _count_symmetric(x: Tensor, axis: int, power: int, mask, space: str):
    """The size of a space: what the length of the axis of its symmetric power says, or with a mask the counts."""
    (real,) = _by_space(mask, (space,))
    return _side(x.shape[axis], power) if real is None else real.sum(-1)


def _orders(x: Tensor, axis: int, power: int) -> Tensor:
    """How many orders the indices of each entry of a symmetric power have: how often it is in the whole tensor."""
    length = x.shape[axis]
    place, _ = _ranks(_side(length, power), power, x.device)
    often: Tensor = place.new_zeros(length).scatter_reduce(0, place, torch.ones_like(place), "sum")
    return often


def _packed_mean_square(x: Tensor, masks: list, powers: tuple[int, ...], metrics: tuple = ()) -> Tensor:
    """The mean of |x|^2 over the axes of the whole symmetric tensor, kept as axes of length 1.

    metrics: (axis, p), where an invariant form is -1 from entry p on.
    """
    axes = len(masks)
    counts: list = []
    wide = x.to(_wide(x.dtype))
    value = (x * x.conj()).real if x.is_complex() else wide * wide
    for axis, (real, power) in enumerate(zip(masks, powers, strict=True), -axes - 1):
        count = x.shape[axis] if real is None else real.sum(-1)
        if power > 1:
            often = _orders(x, axis, power)
            value = value * often.reshape(-1, *(1,) * (-axis - 1))
            count = _side(x.shape[axis], power) ** power if real is None else (often * real).sum(-1)
        counts.append((count, -1))
    for axis, p in metrics:
        plus, minus = value.tensor_split((p,), axis)
        value = torch.cat((plus, -minus), axis)
    value = _scaled(value.sum(tuple(range(-axes - 1, -1)), keepdim=True), axes + 1, *counts)
    return value.to(x.dtype) if wide.dtype != x.dtype else value


def _packed_gate(x: Tensor, masks: list, powers: tuple[int, ...], metrics: tuple = ()) -> Tensor:
    """x times the sigmoid of the mean square of the whole tensor."""
    return x * torch.sigmoid(_packed_mean_square(x, masks, powers, metrics))


def _packed_norm_relu(x: Tensor, masks: list, powers: tuple[int, ...]) -> Tensor:
    """x made shorter by 1 (in root mean square of the whole tensor), or 0 where it is shorter."""
    square = _packed_mean_square(x, masks, powers)
    root = torch.where(square > 1, square, torch.ones_like(square)).sqrt()
    return x * (1 - 1 / root)
