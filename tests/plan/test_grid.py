"""Plans of whole hom-spaces: the same as those made diagram by diagram, proved by their halves, right when they run."""

from __future__ import annotations

import random
import time
from dataclasses import replace

import pytest
import torch

import catnn
from catnn.category.basis import Basis
from catnn.compiler import generate
from catnn.model import Layer
from catnn.plan.build import plan_layer
from catnn.plan.grid import is_whole
from catnn.plan.plan import Block, Grid, Plan, mirror
from catnn.plan.prove import UnsoundPlanError, prove
from tests.emit.definition import DOUBLE

SPACES = "space V : S(n)\nspace R : O(m)\nspace P : Sp(r)\nspace L : O(1,2)\nspace T : S(4)\n"
LAYERS = {
    "permutations": "V^3[2] -> V^2[2] = all + bias",
    "mean": "V^2[2] -> V^2[1] = all + bias { reduce: mean }",
    "rotations": "R^3[1] -> R^3[1] = all",
    "symplectic": "P^3[2] -> P[1] = all",
    "metric": "L^2[2] -> L^2[1] = all",
    "two spaces": "V @ R @ V[1] -> R @ V[2] = all + bias",
    "sums": "V^2[2] + V[1] -> V^2[1] + V[2] + 1[2] = all + bias",
    "sums that do not meet": "V^2[2] + R[1] -> V[1] + R[2] = all + bias",
    "a literal size": "T^2[2] -> T^2[2] = all",
    "with a fixed part": "V^2[2] -> V^2[2] = all + [i j -> j i]",
}


def layer_of(name: str) -> Layer:
    found = catnn.parse(f"{SPACES}layer f : {LAYERS[name]}")["f"]
    assert isinstance(found, Layer)
    return found


def listed(layer: Layer) -> Layer:
    """The same layer with its diagrams in tuples."""
    return replace(layer, weighted=tuple(tuple(tuple(pair) for pair in row) for row in layer.weighted))


@pytest.mark.parametrize("name", LAYERS)
def test_the_plan_is_that_of_the_listed_diagrams(name: str) -> None:
    layer = layer_of(name)
    plan, slow = plan_layer(layer), plan_layer(listed(layer))
    assert is_whole(layer)
    assert not is_whole(listed(layer))
    assert plan == slow
    assert mirror(plan) == mirror(slow)
    assert all(isinstance(product.entries, Grid) for product in plan.products)
    prove(plan, layer)
    prove(plan, listed(layer))
    prove(slow, layer)


def broken(plan: Plan) -> list[Plan]:
    """Plans with one product spoilt whose entries are still those of a grid."""
    found = []
    for at, product in enumerate(plan.products):
        grid = product.entries
        assert isinstance(grid, Grid)
        spoilt = [
            replace(product, entries=replace(grid, mirrored=not grid.mirrored)),
            replace(product, scale=(("n", 1),)),
        ]
        for b, block in enumerate(grid.blocks):
            for other in (
                Block(block.columns, block.rows, block.start + 1),
                Block(block.columns, range(0), block.start),
            ):
                blocks = (*grid.blocks[:b], other, *grid.blocks[b + 1 :])
                spoilt.append(replace(product, entries=replace(grid, blocks=blocks)))
            spoilt.append(replace(product, entries=replace(grid, blocks=(*grid.blocks, block))))
            spoilt.append(replace(product, entries=replace(grid, blocks=grid.blocks[:b] + grid.blocks[b + 1 :])))
        if len(product.sigmas) > 1:
            spoilt.append(replace(product, sigmas=product.sigmas[::-1]))
            spoilt.append(replace(product, entries=replace(grid, sigmas=1)))
        if len(product.columns) > 1:
            spoilt.append(replace(product, columns=product.columns[::-1]))
        if len(product.rows) > 1:
            spoilt.append(replace(product, rows=product.rows[::-1]))
        found += [replace(plan, products=(*plan.products[:at], one, *plan.products[at + 1 :])) for one in spoilt]
        found.append(replace(plan, products=plan.products[:at] + plan.products[at + 1 :]))
    return found


@pytest.mark.parametrize("name", ["permutations", "rotations", "sums", "two spaces"])
def test_a_spoilt_grid_is_refused(name: str) -> None:
    layer = layer_of(name)
    for plan in broken(plan_layer(layer)):
        with pytest.raises((UnsoundPlanError, IndexError)):
            prove(plan, layer)


def test_a_move_that_computes_something_else_is_refused() -> None:
    layer = layer_of("permutations")
    plan = plan_layer(layer)
    for at, move in enumerate(plan.reads[0]):
        if move.op == "sum":
            wrong = replace(move, mean=True)
            reads = (*plan.reads[0][:at], wrong, *plan.reads[0][at + 1 :])
            with pytest.raises(UnsoundPlanError):
                prove(replace(plan, reads=(reads,)), layer)


def test_five_to_five() -> None:
    """115,975 diagrams from text to source in a time that only a walk over the halves can keep."""
    start = time.process_time()
    text = "space V : S(n)  layer large : V^5[1] -> V^5[1] = all + bias"
    spec = catnn.parse(text, max_diagrams=200_000)
    assert len(generate(spec).text) < 400_000
    assert time.process_time() - start < 10
    large, n = spec["large"], 2
    module = catnn.compile(large, n=n, dtype=DOUBLE)
    x = torch.randn(*[n] * 5, 1, dtype=DOUBLE, generator=torch.Generator().manual_seed(0))
    assert isinstance(large.diagrams, Basis)
    with torch.no_grad():
        for at in random.Random(0).sample(range(len(large.diagrams)), 6):
            module.weight.zero_()
            module.weight[at] = 1
            want = torch.from_numpy(large.diagrams[at].matrix(n)).to(DOUBLE) @ x.flatten()
            torch.testing.assert_close(module(x).flatten(), want)


def test_equal_layers_are_planned_and_proved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever files they are in; one that differs in anything that a plan depends on is planned anew."""
    from catnn.emit import file

    planned = []
    original = file.plan_layer
    monkeypatch.setattr(file, "_PLANS", {})
    monkeypatch.setattr(file, "MOST_PLANS", 3)
    monkeypatch.setattr(file, "plan_layer", lambda layer: planned.append(layer) or original(layer))
    texts = ["V^2[2] -> V^2[2] = all", "V^2[2] -> V[2] = all", "V^2[2] -> V^2[2] = all { reduce: mean }"]
    texts += ["V^2[2] -> V^2[2] = all + bias", "V^2[2] -> V^2[3] = all", "V^2[2] -> V^2[2] = all + id"]
    for text in texts:
        for end in ("\n", "\nlayer other : V[1] -> V[1] = all\n"):
            layer = catnn.parse(f"space V : S(n)  layer f : {text}{end}")["f"]
            assert file.proved_plan(layer) == original(layer)
    assert len(planned) == len(texts)
    assert len(file._PLANS) == 3
