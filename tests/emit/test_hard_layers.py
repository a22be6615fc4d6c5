"""Layers whose parts meet in unusual ways: each is tested as `catnn test` does."""

from __future__ import annotations

import pytest
import torch

import catnn
from catnn.testing import run

LAYERS = {
    "two orders of one word": "space A : O(n) space B : O(m) layer f : A @ B + B @ A -> A @ B = all",
    "two orders on both sides": "space A : O(n) space B : O(m) layer f : A @ B + B @ A -> A @ B + B @ A = all",
    "more inputs than outputs": "space H : H(n) layer f : H^2 + H + H -> H^2 + 1 = all",
    "more outputs than inputs": "space V : O(n) layer f : V + V^2 -> V + V^2 + 1 = all",
    "two scales of one whole": "space V : S(n) layer f : V^2 -> V^2 = span { n*[i j -> i j], [i j -> j i] }",
    "the name of a constant": "space V : S(n) layer CHUNK : V^2[2] -> V^2[2] = all + bias",
    "a mean beside a fixed sum": "space X : S(3) layer f : X -> 1 = span { [i -> ] } + 1/2*[i -> ] { reduce: mean }",
    "epsilon": "space R : SO(3) layer f : R^2[2] + R -> R[2] + R^2 = all + bias",
}


@pytest.mark.parametrize("text", LAYERS.values(), ids=LAYERS)
def test_hard_layers(text: str) -> None:
    found = run(catnn.parse(text))
    assert found
    assert [result for result in found if result.status not in ("ok", "skipped")] == []


def test_networks_draw_their_weights_anew() -> None:
    text = "space V : S(n) layer f : V[2] -> V[2] = all network g : V[2] -> V[2] = f ; relu ; f"
    net = catnn.compile(catnn.parse(text)["g"])
    before = net.f.weight.clone()
    net.reset_parameters()
    assert not torch.equal(before, net.f.weight)


def test_an_anonymous_class_moves_aside() -> None:
    text = "space V : S(n) layer fixed1 : V -> V = all network g : V -> V = fixed1 ; [i -> j]"
    assert catnn.compile(catnn.parse(text)["g"])(torch.ones(3, 1)).shape == (3, 1)
