"""Layers in irreducible parts: the same numbers as the definition, every derivative, and when it is that way."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

import catnn
from catnn.measure import peak_bytes
from catnn.model import Layer
from catnn.native import attach
from catnn.native import irreps as running
from catnn.plan.cost import BATCH
from catnn.plan.irreps import between, irreps
from catnn.plan.rates import DEFAULT, DENSE, IN_C, IRREPS, STATEMENTS
from catnn.plan.ways import forms_of
from tests.emit.definition import DOUBLE, Definition, assert_derivatives, assert_is_definition, randomise, transformed

SPACES = """space R : O(3)  space T : S(3)  space Q : SO(3)  space P : Sp(4)  space D : O(2)
space C : Aut(4, 0-1 1-2 2-3 3-0)
"""
LAYERS = {
    "permutations": "T^3[2] -> T^2[3] = all + bias",
    "rotations": "R^3[2] -> R^3[1] = all",
    "no reflections": "Q^2[2] -> Q^3[2] = all",
    "symplectic": "P^3[1] -> P[2] = all",
    "a graph": "C^2[2] -> C[3] = all + bias",
    "two spaces": "R @ T @ R[2] -> T @ R^2[1] = all",
    "sums": "T^2[2] + T[3] -> T^3[1] + 1[4] + T[2] = all + bias",
    "a pair without maps": "R^2[2] + R[3] -> R[2] + R^2[2] = all",
    "a fixed part": "T^2[2] -> T^2[2] = all + id + bias",
    "sums and a fixed part": "T^2[2] + T[2] -> T^2[2] + T[2] = all + id",
    "to nothing": "T^3[2] -> 1[3] = all + bias",
    "means": "T^3[2] -> T[2] = all { reduce: mean }",
    "some": "T^2[2] -> T^2[3] = span { [i j -> j i] + 1/2 * [i i -> i i], [i j -> i k] } + bias",
}


def layer_of(text: str) -> Layer:
    found = catnn.parse(f"{SPACES}layer f : {text}")["f"]
    assert isinstance(found, Layer)
    return found


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Every layer that has blocks takes them; how often that was."""
    found: list[int] = []
    original = running.Blocks.__call__

    def counted(self: Any, *args: Any) -> Any:
        found.append(1)
        return original(self, *args)

    monkeypatch.setattr(running.Blocks, "__call__", counted)
    monkeypatch.setattr(attach, "FORCED", IRREPS)
    return found


@pytest.mark.parametrize("name", LAYERS)
def test_blocks_are_the_definition(name: str, taken: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    layer = layer_of(LAYERS[name])
    for chunk in (running.CHUNK, 1):
        monkeypatch.setattr(running, "CHUNK", chunk)
        for batch in ((), (1,), (2, 3)):
            module = randomise(catnn.compile(layer, dtype=DOUBLE))
            assert_is_definition(layer, module, {}, batch)
    assert len(taken) == 2 * 3 * 2


def made(text: str = LAYERS["permutations"]) -> tuple[Any, Tensor]:
    return randomise(catnn.compile(layer_of(text), dtype=DOUBLE)), torch.randn(2, 3, 3, 3, 2, dtype=DOUBLE)


def test_derivatives_of_derivatives_and_transforms(taken: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    module = randomise(catnn.compile(layer_of("T^2[2] -> T[3] = all + bias"), dtype=DOUBLE))
    x = torch.randn(2, 3, 3, 2, dtype=DOUBLE)
    assert_derivatives(module, x[:1], check_batched_grad=True)
    found, count = transformed(module, x, x[0]), len(taken)
    assert count > 10
    monkeypatch.setattr(attach, "FORCED", STATEMENTS)
    torch.testing.assert_close(found, transformed(module, x, x[0]))
    assert len(taken) == count


def test_constants_outlive_the_transform_or_mode_they_were_made_in(taken: list[int]) -> None:
    def values(module: Any, x: Tensor) -> Tensor:
        v = x.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(module(v).square().sum(), v)
        return gradient

    for first in ("grad", "vmap", "inference"):
        module, x = made(f"T^3[2] -> T^2[3] = all{' + bias' * (first != 'grad')}")
        wanted = x.new_tensor(0)
        if first == "grad":
            torch.func.grad(lambda z, m=module, x=x: (m(x) * z).sum())(torch.ones((), dtype=DOUBLE))
        elif first == "vmap":
            torch.vmap(lambda z, m=module, x=x: m(x) * z)(torch.ones(3, dtype=DOUBLE))
        else:
            with torch.inference_mode():
                module(x)
        found = values(module, x)
        wanted = values(copy.deepcopy(module), x)
        torch.testing.assert_close(found, wanted)


def test_only_the_inputs_are_kept(taken: list[int]) -> None:
    module, x = made()
    kept: list[Tensor] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        module(x.requires_grad_())
    assert sum(t.numel() for t in kept if t.shape[0] == 2) == x.numel()


def test_modules_move_and_are_kept(taken: list[int]) -> None:
    module, x = made()
    wanted = module(x)
    assert set(module.state_dict()) == {"weight", "bias"}
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        torch.testing.assert_close(other(x), wanted)
    single = copy.deepcopy(module).float()
    torch.testing.assert_close(single(x.float()), wanted.float(), rtol=1e-4, atol=1e-4)
    count = len(taken)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert single(x.float()).dtype == torch.bfloat16
    assert len(taken) == count  # half precision has the plan's own steps


def test_traced_code_and_empty_tensors_have_the_statements(taken: list[int]) -> None:
    module, x = made()
    exported = torch.export.export(module, (x,), strict=False).module()
    compiled = torch.compile(module, backend="eager", fullgraph=True)(x)
    assert module(torch.zeros(0, 3, 3, 3, 2, dtype=DOUBLE)).shape == (0, 3, 3, 3)
    assert not taken
    for found in (exported(x), compiled):
        torch.testing.assert_close(found, module(x))
    assert len(taken) == 2


def test_other_devices_have_the_statements(taken: list[int]) -> None:
    module = catnn.compile(layer_of(LAYERS["permutations"]), device="meta")
    assert module(torch.zeros(2, 3, 3, 3, 2, device="meta")).shape == (2, 3, 3, 3)
    assert not taken


def test_layers_that_share_take_them(taken: list[int]) -> None:
    """A layer that is computed for others has the weights of their modules."""
    text = f"{SPACES}layer a : T^2[2] -> T[2] = all  layer b : T^2[2] -> T[2] = all  network f : T^2[2] -> T[2] = a + b"
    spec = catnn.parse(text)
    module = randomise(catnn.compile(spec["f"], dtype=DOUBLE))
    x = torch.randn(2, 3, 3, 2, dtype=DOUBLE)
    parts = [Definition(spec[name], {})(getattr(module, name), (x,))[0] for name in ("a", "b")]  # type: ignore[arg-type]
    torch.testing.assert_close(module(x), parts[0] + parts[1])
    assert taken


def test_what_needs_much_memory_has_to_be_faster() -> None:
    """Blocks of many weights for few entries."""
    layer = layer_of("T^3[64] -> T^3[64] = all")
    few, many = catnn.explain(layer, batch=8), catnn.explain(layer, batch=1024)
    assert few.large == (DENSE, IRREPS)
    assert many.large == (DENSE,)
    for faster, which in ((1.3, IN_C), (1.7, IRREPS)):
        predicted = {IN_C: 1.0, DENSE: 9.0, IRREPS: 1 / faster}
        found = replace(few, predicted=predicted)
        assert found.chosen == which
        assert ("0.77 times as long; it needs more memory" in str(found)) == (which == IN_C)
        assert replace(many, predicted=predicted).chosen == IRREPS
    tally = forms_of(layer).ways()
    assert tally[IRREPS].large({"batch": 8})
    assert not tally[IRREPS].large({"batch": 1024})
    assert not tally[IN_C].large({"batch": 8})


def test_little_lies_between(taken: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than the model says, and the weights once more while they are turned."""
    layer = layer_of("R^4[16] -> R^4[16] = all")
    form = irreps(layer)
    assert form is not None
    module, x = catnn.compile(layer), torch.randn(256, 3, 3, 3, 3, 16)
    with torch.no_grad():
        held = peak_bytes(lambda: module(x)) // 4
    assert held <= x.numel() + between(form, {BATCH: 256}) + module.weight.numel()


def test_what_is_predicted_is_what_is_taken(monkeypatch: pytest.MonkeyPatch, taken: list[int]) -> None:
    monkeypatch.setattr(attach, "FORCED", None)
    monkeypatch.setattr(attach, "known", lambda: DEFAULT)
    layer = layer_of("D^4[64] -> D^4[64] = all")
    module = catnn.compile(layer)
    many, few = (catnn.explain(layer, batch=batch).predicted for batch in (64, 1))
    assert many.keys() >= {IN_C, STATEMENTS, IRREPS}
    assert min(many, key=many.__getitem__) == IRREPS
    module(torch.zeros(64, 2, 2, 2, 2, 64))
    assert len(taken) == 1
    tiny = layer_of("T[1] -> T[1] = all")
    catnn.compile(tiny)(torch.zeros(1, 3, 1))
    assert len(taken) == 1
    assert min(few.values()) < min(many.values())
    assert "one change of basis serves all levels" in str(catnn.explain(layer, batch=64))
