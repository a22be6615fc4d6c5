"""Layers of few channels and many rows, which the library does a column at a time, are the layers of their files."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import catnn
from catnn.native import attach as attaching
from catnn.plan.rates import IN_C, STATEMENTS

WORDS = ("V -> V", "V^2 -> V^2", "V^2 -> 1", "1 -> V^2", "V^3 -> V")
CHANNELS = ((1, 1), (2, 3), (3, 2), (1, 18), (19, 1))


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize(("ins", "outs"), CHANNELS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_many_rows_of_few_channels(
    words: str, ins: int, outs: int, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many rows as a vector holds and more, along an axis and over the batch, with a rest."""
    source, target = words.split(" -> ")
    layer = catnn.parse(f"space V : S(n)  layer f : {source}[{ins}] -> {target}[{outs}] = all + bias")["f"]
    module = catnn.compile(layer, dtype=dtype)
    torch.manual_seed(0)
    axes = len(layer.source.words[0])
    x = torch.randn(35, *[18] * axes, ins, dtype=dtype, requires_grad=True)
    found: dict[str, list[Any]] = {}
    for way in (IN_C, STATEMENTS):
        monkeypatch.setattr(attaching, "FORCED", way)
        y = module(x)
        weights = torch.linspace(-1, 2, y.numel(), dtype=dtype).view_as(y)
        found[way] = [y.detach(), *torch.autograd.grad((y * weights).sum(), [x, *module.parameters()])]
    close = 1e-3 if dtype is torch.float32 else 1e-10
    for one, other in zip(found[IN_C], found[STATEMENTS], strict=True):
        torch.testing.assert_close(one, other, rtol=close, atol=close * float(other.abs().max()))
