"""Layers as one matrix: the same numbers as the definition, every derivative, and when it is not that way."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

import catnn
from catnn.compiler import generate, item_sizes
from catnn.emit.load import load
from catnn.model import Layer
from catnn.native import attach
from catnn.plan.dense import Dense, Entries, dense, dense_steps, prove_dense
from catnn.plan.prove import UnsoundPlanError
from catnn.plan.rates import DENSE, STATEMENTS
from tests.emit.definition import DOUBLE, Definition, assert_derivatives, inputs, randomise, run, transformed

SPACES = "space V : S(n)\nspace R : O(m)\nspace T : S(2)\nspace H : H(n)\nspace B : B(n)\nspace Q : O+(m)\n"
LAYERS = {
    "two to two": "V^2[3] -> V^2[4] = all + bias",
    "one to one": "V[2] -> V[3] = all",
    "to nothing": "V^2[2] -> 1[3] = all + bias",
    "from nothing": "1[2] -> V^2[3] = all + bias",
    "means": "V^3[2] -> V[2] = all + bias { reduce: mean }",
    "rotations": "R^3[2] -> R^3[1] = all",
    "two spaces": "V @ R @ V[1] -> R @ V[2] = all + bias",
    "sums": "V^2[2] + V[1] -> V^2[1] + V[2] + 1[2] = all + bias",
    "a literal size": "T^2[2] -> T^2[2] = all + bias",
    "a span": "V^2[2] -> V^2[2] = span { 1/2 * [i j -> j i], [i j -> i k], (1/n) * [i j -> k l] } + bias",
    "signed permutations": "H^2[2] -> H^2[1] = all",
    "sums kept": "B^2[1] -> B[1] = all",
    "planar": "Q^2[2] -> Q^2[1] = all",
}
SIZES = [{"n": 1, "m": 1}, {"n": 2, "m": 3}, {"n": 3, "m": 2}, {"n": 5, "m": 4}]
OTHERS = {
    "a fixed part": "V^2[2] -> V^2[2] = all + id",
    "sums of diagrams": "V[2] -> V[2] = span { [i -> i] - (1/n) * [i -> j] }",
    "too many diagrams": "V^3[1] -> V^4[1] = all",
    "nothing leads there": "V[2] -> 1[1] = bias",
}
NO_EQUALITIES = ("Sp(2)", "O(1,2)", "SO(3)", "A(3)", "U(n)", "Perm(3, (0 1 2))")


def layer_of(text: str, name: str = "f") -> Layer:
    found = catnn.parse(f"{SPACES}layer {name} : {text}")[name]
    assert isinstance(found, Layer)
    return found


@pytest.fixture
def forced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every layer that has the dense form takes it."""
    monkeypatch.setattr(attach, "FORCED", DENSE)


def dense_calls(module: Any) -> int:
    """How many matrices of entries a module holds: none if it never took the dense way."""
    return len(module.known)


@pytest.mark.parametrize("name", LAYERS)
def test_the_dense_form_is_the_definition(name: str, forced: None) -> None:
    layer = layer_of(LAYERS[name])
    for sizes in SIZES:
        for batch in ((), (1,), (2, 3)):
            module = randomise(catnn.compile(layer, dtype=DOUBLE, **{s: sizes[s] for s in item_sizes(layer)}))
            xs = tuple(x.requires_grad_() for x in inputs(layer, sizes, batch))
            ys = run(module, xs)
            assert dense_calls(module)
            leaves = (*xs, *module.parameters())
            gs = [torch.ones_like(y) + y.detach() for y in ys]
            found = torch.autograd.grad(ys, leaves, gs)
            wanted = Definition(layer, sizes)(module, xs)
            for y, z in zip(ys, wanted, strict=True):
                torch.testing.assert_close(y, z, rtol=1e-9, atol=1e-9)
            for one, other in zip(found, torch.autograd.grad(wanted, leaves, gs), strict=True):
                torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", OTHERS)
def test_layers_without_a_dense_form(name: str) -> None:
    assert dense(layer_of(OTHERS[name])) is None


@pytest.mark.parametrize("group", NO_EQUALITIES)
def test_signs_and_orbits_are_no_equalities(group: str) -> None:
    layer = catnn.parse(f"space X : {group}  layer f : X[1] -> X[1] = all")["f"]
    assert dense(layer) is None
    assert not hasattr(catnn.compile(layer), "known")


def test_where_masks_count_it_is_not_taken(forced: None) -> None:
    module = randomise(catnn.compile(layer_of(LAYERS["two to two"]), dtype=DOUBLE))
    x = torch.randn(2, 4, 4, 3, dtype=DOUBLE)
    mask = torch.tensor([[True, True, True, False], [True, True, True, True]])
    y = module(x, mask=mask)
    assert not dense_calls(module)
    torch.testing.assert_close(y[0, :3, :3], module(x[:1, :3, :3])[0])
    assert dense_calls(module)


def test_empty_tensors_are_not_for_it(forced: None) -> None:
    module = catnn.compile(layer_of("V^2[2] -> V[2] = all + bias { reduce: mean }"))
    assert module(torch.zeros(3, 0, 0, 2)).shape == (3, 0, 2)
    assert module(torch.zeros(0, 3, 3, 2)).shape == (0, 3, 2)


def made(name: str = "two to two") -> tuple[Any, Tensor]:
    return randomise(catnn.compile(layer_of(LAYERS[name]), dtype=DOUBLE)), torch.randn(2, 3, 3, 3, dtype=DOUBLE)


def test_derivatives_of_derivatives_and_transforms(forced: None, monkeypatch: pytest.MonkeyPatch) -> None:
    module, x = made()
    assert_derivatives(module, x[:1, :2, :2])
    found = transformed(module, x, x[0, :2, :2])
    assert dense_calls(module)
    monkeypatch.setattr(attach, "FORCED", STATEMENTS)
    torch.testing.assert_close(found, transformed(module, x, x[0, :2, :2]))


def test_entries_outlive_the_transform_or_mode_they_were_made_in(forced: None) -> None:
    def values(module: Any, x: Tensor) -> Tensor:
        v = x.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(module(v).square().sum(), v)
        return gradient

    module, x = made()
    wanted = values(module, x)
    first: list[Callable[[Any], object]] = [
        lambda module: torch.func.grad(lambda z: (module(x) * z).sum())(torch.ones((), dtype=DOUBLE)),
        lambda module: torch.vmap(lambda z: module(x) * z)(torch.ones(3, dtype=DOUBLE)),
        lambda module: torch.func.jvp(lambda z: module(x) * z, (torch.ones(()).double(),), (torch.ones(()).double(),)),
    ]
    for way in first:
        other = copy.deepcopy(module)
        other.known.clear()
        way(other)
        torch.testing.assert_close(values(other, x), wanted)
    other = copy.deepcopy(module)
    other.known.clear()
    with torch.inference_mode():
        other(x)
    torch.testing.assert_close(values(other, x), wanted)


def test_modules_move_and_are_kept(forced: None) -> None:
    module, x = made()
    wanted = module(x)
    assert set(module.state_dict()) == {"weight", "bias"}
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        torch.testing.assert_close(other(x), wanted)
    half = copy.deepcopy(module).float()
    torch.testing.assert_close(half(x.float()), wanted.float(), rtol=1e-4, atol=1e-4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert half(x.float()).dtype == torch.bfloat16


def test_traced_code_has_the_statements(forced: None) -> None:
    module, x = made()
    exported = torch.export.export(module, (x,), strict=False).module()
    assert not dense_calls(module)
    torch.testing.assert_close(exported(x), module(x))


def test_files_by_themselves_take_it_up_to_their_limit() -> None:
    text = generate(catnn.parse("space V : S(n)  layer lone : V^2[4] -> V^2[4] = all + bias")).text
    module = randomise(load(text).Lone(), 1)
    small, large = torch.randn(2, 4, 4, 4), torch.randn(16, 24, 24, 4)
    found = module(small)
    assert dense_calls(module) == 2
    module(large)
    assert dense_calls(module) == 2
    module.limit = 0
    torch.testing.assert_close(module(small), found, rtol=1e-4, atol=1e-4)


# ------------------------------------------------------------------------------------------------------------- proof


def mutants(found: Dense) -> Iterator[Dense]:
    """Dense forms with one thing wrong."""
    pair = found.weights[0][0]
    for at, one in enumerate(pair):
        others = [pair[at - 1], replace(one, coefficient=2 * one.coefficient), replace(one, monomial=(("n", 3),))]
        others += [Entries("".join("i" for _ in one.letters)), Entries(one.letters + "i")]
        for other in others:
            if other != one:
                yield replace(found, weights=(((*pair[:at], other, *pair[at + 1 :]),),))
    yield replace(found, weights=((pair[:-1],),))
    yield replace(found, weights=(((*pair, pair[0]),),))
    yield replace(found, biases=((),))
    yield replace(found, biases=(found.biases[0][::-1],))
    yield replace(found, target=found.source)


def test_what_is_wrong_is_refused() -> None:
    layer = layer_of(LAYERS["two to two"])
    found = dense(layer)
    assert found is not None
    prove_dense(found, layer)
    assert found.diagrams == 15
    count = 0
    for wrong in mutants(found):
        with pytest.raises(UnsoundPlanError):
            prove_dense(wrong, layer)
        count += 1
    assert count > 60
    fixed = layer_of("V^2[3] -> V^2[3] = all + bias + id")
    with pytest.raises(UnsoundPlanError):
        prove_dense(replace(found, target=fixed.target), fixed)


def test_its_cost_is_that_of_its_matrices() -> None:
    found = dense(layer_of("V[2] -> V^2[3] = all"))
    assert found is not None
    summing, product = dense_steps(found)
    sizes = {"n": 4, "batch": 5}
    assert summing.cost.value(sizes) == (5 * 64 + 5 * 6, 64 * 6, 64 * 6 * 5)
    assert product.cost.value(sizes) == (64 * 6 + 5 * 4 * 2, 5 * 16 * 3, 5 * 64 * 6)
