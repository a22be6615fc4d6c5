"""More of the parts that generated files share (see `parts.py`): the Levi-Civita tensor of SO(n)."""

import torch
from torch import Tensor


def _epsilon(x: Tensor, n: int, legs: tuple, axes: tuple) -> Tensor:
    """x times the Levi-Civita tensor: its last axes meet the axes `legs` of x, its first become `axes` of the result.

    The legs are met one after another, signed slices of x added up by the set of their indices: n 2^n slices, not n!.
    """
    front = x.movedim(legs, tuple(range(len(legs))))
    sums: dict = {(): front}
    for _ in legs:
        following: dict = {}
        for chosen, value in sums.items():
            for i in range(n):
                if i not in chosen:
                    piece, key = value[i], tuple(sorted((*chosen, i)))
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
    for _ in axes:
        zero = torch.zeros_like(spread[min(spread)])
        following = {}
        for rest in {tuple(j for j in key if j != i): None for key in spread for i in key}:
            row = []
            for i in range(n):
                value = spread.get(tuple(sorted((*rest, i))))
                row += [zero if value is None else -value if sum(j > i for j in rest) % 2 else value]
            following[rest] = torch.stack(row)
        spread = following
    found: Tensor = spread[()]
    return found.movedim(tuple(range(len(axes))), axes)
