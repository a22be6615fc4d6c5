"""Sums over permutations in Young's basis, in generated files: the same numbers, every derivative, where it saves."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
import torch
from torch import Tensor

import catnn
from catnn.category.spectrum import spectrum
from catnn.compiler import generate
from catnn.emit.kernels import _outer, _products
from catnn.emit.load import load
from catnn.emit.spectra import _block_outer, _block_products, _fourier
from catnn.model import Layer
from catnn.native import attach
from catnn.plan import fourier as planning
from catnn.plan.build import plan_layer
from catnn.plan.fourier import stated
from catnn.plan.rates import STATEMENTS
from catnn.plan.ways import ways
from tests.emit.definition import DOUBLE, assert_is_definition, randomise

SPACES = "space R : O(3)\nspace T : S(3)\nspace D : S(2)\nspace Q : SO(3)\n"
LAYERS = {
    "rotations": "R^3[2] -> R^3[3] = all",
    "fourth order": "R^4[2] -> R^4[1] = all",
    "permutations": "T^3[3] -> T^3[2] = all + bias",
    "means": "T^3[2] -> T^3[2] = all { reduce: mean }",
    "sums": "T^3[2] + T^2[3] -> T^3[1] + T^2[2] = all + bias",
    "a span": "T^3[2] -> T^3[3] = span { [i j k -> k j i], [i j k -> j i k], [i j k -> i j k] }",
    "two spaces": "R^2 @ D^2[2] -> R^2 @ D^2[2] = all",
    "interleaved": "R @ D @ R[2] -> R @ R @ D[2] = all + bias",
    "both ways": "Q^3[2] -> Q^2[2] = all",
    "complex": "U @ U[2] -> U @ U[3] = all",
}


def layer_of(text: str) -> Layer:
    spaces = "space U : U(2)\n" if "U" in text else SPACES  # where tensors are complex, all of them are
    found = catnn.parse(f"{spaces}layer f : {text}")["f"]
    assert isinstance(found, Layer)
    return found


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever there are blocks, statements make them."""
    from catnn.emit import file

    monkeypatch.setattr(planning, "GAIN", 1e9)
    monkeypatch.setattr(file, "_PLANS", {})
    monkeypatch.setattr(attach, "FORCED", STATEMENTS)


@pytest.mark.parametrize("p", [2, 3, 4])
@pytest.mark.parametrize("batch", [(), (3,), (2, 0), (2, 2)])
def test_the_parts_are_those_of_the_permutations(p: int, batch: tuple[int, ...]) -> None:
    n, orders = 2, tuple(permutations(range(p)))[::-1]
    found = spectrum(p, n)
    vectors = [[(sum(i * n ** (p - 1 - a) for a, i in enumerate(w)), v) for w, v in row] for row in found.rows]
    basis = _fourier(n, orders, found.spans, found.values, vectors)
    x, g = torch.randn(*batch, *[n] * p, 3, dtype=DOUBLE), torch.randn(*batch, *[n] * p, 2, dtype=DOUBLE)
    w, y = torch.randn(len(orders), 3, 2, dtype=DOUBLE), torch.randn(*batch, *[n] * p, 2, dtype=DOUBLE)
    for start in (None, y):
        with torch.enable_grad():
            wanted = _products(start, x, w, orders)
        torch.testing.assert_close(_block_products(start, x, w, orders, basis), wanted)
    torch.testing.assert_close(_block_outer(x, g, orders, basis), _outer(x, g, orders))


def written(layer: Layer) -> str:
    """The file of one layer."""
    return generate(catnn.parse(layer.span.source.text)).text if layer.span else ""


@pytest.mark.parametrize("name", LAYERS)
def test_blocks_are_the_definition(name: str, always: None) -> None:
    layer = layer_of(LAYERS[name])
    expected = any(stated(plan_layer(layer), product) for product in plan_layer(layer).products)
    assert expected
    assert "_block_products(" in written(layer)
    assert "_block_outer(" in written(layer)
    for batch in ((), (1,), (2, 3)):
        assert_is_definition(layer, randomise(catnn.compile(layer, dtype=DOUBLE)), {}, batch)


def test_derivatives_of_derivatives_and_transforms(always: None, monkeypatch: pytest.MonkeyPatch) -> None:
    layer = layer_of("D^3[1] -> D^3[2] = all + bias")
    module = randomise(catnn.compile(layer, dtype=DOUBLE))
    x = torch.randn(2, 2, 2, 2, 1, dtype=DOUBLE)
    parameters = {name: value.detach().requires_grad_() for name, value in module.named_parameters()}

    def called(x: Tensor, *values: Tensor) -> Any:
        return torch.func.functional_call(module, dict(zip(parameters, values, strict=True)), (x,))

    small = x[:1].clone().requires_grad_()
    assert torch.autograd.gradcheck(called, (small, *parameters.values()), check_forward_ad=True)
    assert torch.autograd.gradgradcheck(called, (small, *parameters.values()))
    plain = randomise(load(written(layer)).F(dtype=DOUBLE))
    torch.testing.assert_close(torch.vmap(module)(x), plain(x))
    torch.testing.assert_close(torch.func.jvp(module, (x,), (x,))[1], plain(x) - plain(0 * x))
    exported = torch.export.export(module, (x,), strict=False).module()
    compiled = torch.compile(module, backend="eager", fullgraph=True)
    for found in (exported(x), compiled(x)):
        torch.testing.assert_close(found, plain(x))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert module.float()(x.float()).dtype == torch.bfloat16


def test_files_have_them_where_they_save() -> None:
    wide, narrow_ = layer_of("R^4[32] -> R^4[32] = all"), layer_of("R^3[2] -> R^3[2] = all")
    assert "_block_products" in written(wide)
    assert "_block_products" not in written(narrow_)
    assert "_block_products" not in written(layer_of("T^2[64] -> T^2[64] = all"))
    plan = plan_layer(wide)
    found = [stated(plan, product) for product in plan.products]
    assert [one is None for one in found] == [True, True, False]
    assert found[-1] is not None
    assert (found[-1].before, found[-1].after) == (23 * 81 * 1024, 201 * 1024 + 81 * 81 * 64)
    notes = catnn.explain(wide).notes
    assert any(
        note.startswith("in torch statements the product on R^4 is in the Fourier basis of S_4") for note in notes
    )
    sizes = {"batch": 4}
    naive = sum(step.cost.value(sizes)[2] for step in catnn.explain(wide, batch=4).steps if step.phase != "pack")
    counted = ways(plan, None)[STATEMENTS].at(sizes)[2]
    assert naive - counted == 4 * (found[-1].before - found[-1].after) - found[-1].weights


def test_a_file_has_a_constant_once() -> None:
    spec = "space R : O(3)  layer f : R^4[32] -> R^4[32] = all  layer g : R^4[32] -> R^4[32] = all"
    text = generate(catnn.parse(spec)).text
    assert text.count("= _fourier(") == 2  # the permutations, and their inverses
