"""Layers of few channels and many rows, which the library does a column at a time, are the layers of their files.

And layers of few rows and many channels have room for their weights.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch

import catnn
from catnn.native import attach as attaching
from catnn.native.calls import FORWARDS, STARVED, Calls
from catnn.plan.build import plan_layer
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


def chosen(layer: str, entries: int, **sizes: int) -> tuple[int, int, int]:
    """What a forward program keeps: for an entry, for all, and how many entries it does at a time."""
    calls = Calls(plan_layer(catnn.parse(f"space V : S(n)  space R : O(2)  layer f : {layer} = all")["f"]))
    ready = calls._program(FORWARDS, sizes, entries)
    return ready.each, ready.shared, ready.chunk


@pytest.mark.parametrize(("layer", "weights"), [
    ("V^2[256] -> 1[128]", 2 * 256 * 128), ("V[256] -> V^2[128]", 5 * 256 * 128), ("R^2[128] -> 1[16]", 128 * 16),
])  # fmt: skip
def test_more_weights_than_outputs_are_brought_into_order_once(layer: str, weights: int) -> None:
    """However little the output is, they are not brought into order for every few entries."""
    each, shared, chunk = chosen(layer, 64, n=3)
    assert shared >= weights
    assert each * chunk + shared <= STARVED


@pytest.mark.parametrize(("layer", "n", "entries"), [
    ("V^2[32] -> V^2[32]", 32, 16), ("V^3[8] -> V^3[8]", 12, 8), ("V^4[4] -> V^4[4]", 8, 2),
])  # fmt: skip
def test_else_half_of_the_output_is_enough(layer: str, n: int, entries: int) -> None:
    each, shared, chunk = chosen(layer, entries, n=n)
    order, channels = int(layer[2]), int(layer.partition("[")[2].partition("]")[0])
    assert each * chunk + shared <= entries * n**order * channels // 2
