"""More of the parts that generated files share (see `parts.py`): the Levi-Civita tensor of SO(n) and A(n)."""

import torch
from torch import Tensor


def _epsilon(x: Tensor, n: int, legs: tuple, axes: tuple, arms: tuple = (), summed: int = 0) -> Tensor:
    """x times the Levi-Civita tensor: its last axes meet the axes `legs` of x, its first become `axes` of the result.

    The legs are met one after another, signed slices of x added up by the set of their indices: n 2^n slices, not n!.
    In a jellyfish, the very first meet axes that stay, `arms`, counted without the legs; and `summed` (0 or 1) at the
    very end are summed over.
    """
    front = x.movedim(legs, tuple(range(len(legs))))
    sums: dict = {(): front}
    for leg in range(len(legs) + summed):
        following: dict = {}
        for chosen, value in sums.items():
            for i in range(n):
                if i not in chosen:
                    piece, key = value[i] if leg < len(legs) else value, tuple(sorted((*chosen, i)))
                    odd = sum(j > i for j in chosen) % 2
                    known = following.get(key)
                    if known is None:
                        following[key] = -piece if odd else piece
                    else:
                        following[key] = known - piece if odd else known + piece
        sums = following
    spread: dict = {}
    for chosen, value in sums.items():
        rest = tuple(i for i in range(n) if i not in chosen)
        spread[rest] = -value if sum(i > j for i in rest for j in chosen) % 2 else value
    for arm in (*(None for _ in axes), *reversed(arms)):
        one, *_ = spread.values()
        zero = torch.zeros_like(one if arm is None else one.select(arm, 0))
        following = {}
        for rest in {tuple(j for j in key if j != i): None for key in spread for i in key}:
            row = []
            for i in range(n):
                value = spread.get(tuple(sorted((*rest, i))))
                if value is not None and arm is not None:
                    value = value.select(arm, i)
                row += [zero if value is None else -value if sum(j > i for j in rest) % 2 else value]
            following[rest] = torch.stack(row, 0 if arm is None else arm)
        spread = following
    found: Tensor = spread[()]
    return found.movedim(tuple(range(len(axes))), axes)
