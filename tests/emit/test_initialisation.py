"""Initial weights: unit variance in, unit variance out, every diagram an equal share; biases start at 0."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

import catnn
from tests.emit.definition import DOUBLE, Definition, inputs, run

SPACES = "space V : S(n)\nspace R : O(m)\nspace P : Sp(r)\nspace T : S(2)\n"
SIZES = {"n": 5, "m": 4, "r": 4}
C = 400
LAYERS = {
    "permutations": f"V^2[{C}] -> V^2[8] = all + bias",
    "to a scalar": f"V^2[{C}] -> 1[64] = all",
    "mean": f"V^2[{C}] -> V^2[8] = all {{ reduce: mean }}",
    "rotations": f"R^3[{C}] -> R[16] = all",
    "symplectic": f"P^3[{C}] -> P[16] = all",
    "literal": f"T^2[{C}] -> T^2[16] = all",
    "products": f"V @ R @ V[{C}] -> R @ V[8] = all",
    "direct sums": f"V^2[{C}] + V[{C // 2}] + 1[{C}] -> V^2[8] + 1[64] = all + bias",
    "span of sums": f"V^2[{C}] -> V[16] = span {{ [i j -> i], 1/2 * [i i -> i] - (1/n) * [i j -> j] }}",
}


def make(name: str) -> tuple[Any, Any]:
    layer = catnn.parse(f"{SPACES}layer f : {LAYERS[name]}")["f"]
    hints = {size: SIZES[size] for size in catnn.compiler.item_sizes(layer)}
    return layer, catnn.compile(layer, dtype=DOUBLE, generator=torch.Generator().manual_seed(7), **hints)


@pytest.mark.parametrize("name", LAYERS)
def test_unit_variance(name: str) -> None:
    """Of every target summand, over inputs and weights, at the hinted size."""
    layer, module = make(name)
    with torch.no_grad():
        ys = run(module, inputs(layer, SIZES, (8,)))
    for y in ys:
        assert y.pow(2).mean().item() == pytest.approx(1, rel=0.3)


@pytest.mark.parametrize("name", LAYERS)
def test_every_diagram_has_the_same_share(name: str) -> None:
    """Exactly: C_in s^2 ||d||^2 / dim(target) is 1/D for each of the D diagrams into a target summand."""
    layer, module = make(name)
    definition = Definition(layer, SIZES)
    for o, row in enumerate(definition.weighted):
        together = sum(len(pair) for pair in layer.weighted[o])
        for i, matrices in enumerate(row):
            if matrices is None:
                continue
            weight = getattr(module, layer.weight_name(o, i))
            channels, dim = weight.shape[2], matrices.shape[1]
            share = channels * weight.var((1, 2)) * matrices.pow(2).sum((1, 2)) / dim * together
            sampling = 5 * (2 / weight[0].numel()) ** 0.5
            assert (share - 1).abs().max() < sampling


def test_biases_start_at_zero_and_weights_can_be_drawn_anew() -> None:
    _, module = make("permutations")
    assert not module.bias.any()
    nn.init.ones_(module.bias)
    before = module.weight.clone()
    module.reset_parameters()
    assert not module.bias.any()
    assert not torch.equal(before, module.weight)


def test_zeros() -> None:
    layer = catnn.parse("space V : S(n)\nlayer f : V[2] -> V[3] = all + bias { init: zeros }")["f"]
    assert not any(p.any() for p in catnn.compile(layer).parameters())
