"""Modules commute with their groups, by random elements, and with nothing larger."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from catnn.category.families import FAMILIES
from tests.emit.definition import DOUBLE, build, inputs, run

SPACES = "space V, W : S(n)\nspace R : O(m)\nspace P : Sp(r)\nspace T : S(3)\nspace Q : O(3)\n"
SIZES = {"n": 4, "m": 4, "r": 4}
ITEMS = {
    "S": "layer f : V^2[2] -> V^2[3] = all + bias",
    "S to order 3": "layer f : V^2[1] -> V^3[2] = all + bias { reduce: mean }",
    "O": "layer f : R^3[2] -> R[3] = all + bias",
    "O with a bias": "layer f : R^2[2] -> R^2[3] = all + bias",
    "Sp": "layer f : P^3[2] -> P[2] = all",
    "Sp with a bias": "layer f : P^2[2] -> P^2[2] = all + bias",
    "literal": "layer f : T^2 @ Q[2] -> Q @ T[2] = all + bias",
    "products": "layer f : V @ R @ V[2] -> R @ V[3] = all + bias",
    "two copies": "layer f : V @ W[2] + W[1] -> W @ V[2] + V[1] = all + bias",
    "direct sums": "layer f : V^2[2] + V[1] -> V^2[2] + 1[1] = all + bias",
    "network": "layer a : V^2[2] -> V^2[2] = all + bias  network f : V^2[2] -> V^2[2] = a ; gelu ; (1/n) * a + id",
    "gated": "layer a : V @ R[2] -> V @ R[2] = all  network f : V @ R[2] -> V @ R[2] = a ; gate ; a ; norm_relu ; a",
}


def elements(item: Any, seed: int, *, groups: dict[str, str] | None = None) -> dict[str, Tensor]:
    """A random group element for every space; groups: families to draw from instead of a space's own."""
    wires = {w for side in (item.source, item.target) for word in side.words for w in word}
    found = {}
    for at, wire in enumerate(sorted(wires, key=lambda w: w.space)):
        family = FAMILIES[(groups or {}).get(wire.space, wire.group.family)]
        element = family.random_element(SIZES.get(wire.group.size, wire.group.size), seed + at)
        found[wire.space] = torch.from_numpy(element).to(DOUBLE)
    return found


def act(elements: dict[str, Tensor], word: Any, x: Tensor) -> Tensor:
    """The group on a tensor (batch, axes, channels): its element on every axis."""
    for axis, wire in enumerate(word, 1):
        x = torch.tensordot(elements[wire.space], x, ([1], [axis])).movedim(0, axis)
    return x


def defect(item: Any, module: Any, moved: dict[str, Tensor]) -> float:
    """How far f(g x) is from g f(x)."""
    xs = inputs(item, SIZES, (2,))
    before = run(module, tuple(act(moved, word, x) for x, word in zip(xs, item.source.words, strict=True)))
    after = [act(moved, word, y) for y, word in zip(run(module, xs), item.target.words, strict=True)]
    return max(float((a - b).abs().max() / (1 + b.abs().max())) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("name", ITEMS)
def test_equivariant(name: str) -> None:
    item, module = build(SPACES + ITEMS[name], **SIZES)
    assert max(defect(item, module, elements(item, seed)) for seed in range(5)) < 1e-9


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        ("S", {"V": "O"}),
        ("S to order 3", {"V": "O"}),
        ("O", {"R": "Sp"}),
        ("Sp", {"P": "O"}),
        ("Sp with a bias", {"P": "S"}),
        ("products", {"V": "O"}),
        ("literal", {"T": "O"}),
        ("network", {"V": "O"}),
    ],
)
def test_equivariant_under_nothing_larger(name: str, groups: dict[str, str]) -> None:
    """An element of another group breaks it (so the test above can fail)."""
    item, module = build(SPACES + ITEMS[name], **SIZES)
    assert defect(item, module, elements(item, 0, groups=groups)) > 1e-3


def test_different_spaces_move_on_their_own() -> None:
    """V and W have one size, but each its own copy of the group; one space with one element is not enough."""
    item, module = build(SPACES + ITEMS["two copies"], **SIZES)
    moved = elements(item, 0)
    assert not torch.equal(moved["V"], moved["W"])
    assert defect(item, module, moved) < 1e-9
