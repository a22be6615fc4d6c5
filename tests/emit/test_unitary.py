"""Layers of U(n): complex tensors, conjugate gradients."""

from __future__ import annotations

import pytest
import torch

import catnn
from catnn.testing import run
from catnn.testing.action import act, random_elements
from catnn.testing.dense import definition
from catnn.testing.samples import call, inputs, module_of, wires

SPEC = """
space V : U(n)
space N : S(m)
layer f : V @ V'[3] -> V' @ V[2] + 1[4] = all + bias
layer mean : V^2 @ V'[2] -> V[3] = all + bias { reduce: mean }
layer mixed : N @ V @ V'[2] -> V' @ N @ V[2] = all + bias + 1/2 * [a i j -> j a i]
layer deep : V @ V' @ V @ V'[1] -> V @ V'[2] = all + bias
layer scalars : 1[3] -> 1[2] = all + bias
layer v : V[3] -> V[3] = all
network net : V[3] -> V[3] = v ; gate ; v ; norm_relu
network sc : 1[3] -> 1[2] = tanh ; scalars ; gate
"""
LITERAL = """
space V : U(2)
layer deep : V @ V' @ V @ V'[1] -> V @ V'[2] = all + bias
layer third : V^3[1] -> V^3[2] = all
"""


@pytest.mark.parametrize("text", [SPEC, LITERAL], ids=["symbolic", "literal"])
def test_every_check_passes(text: str) -> None:
    """The dense definition, equivariance, gradients, masks, export and copies."""
    wrong = [result for result in run(catnn.parse(text)) if not result.ok]
    assert not wrong, wrong


@pytest.mark.parametrize("name", ["f", "mean", "mixed", "deep", "scalars"])
def test_gradients_are_those_of_the_dense_definition(name: str) -> None:
    layer = catnn.parse(SPEC)[name]
    sizes = {size: 3 - at for at, size in enumerate(n for n in ("n", "m") if n in _names(layer))}
    module = module_of(layer, sizes)
    xs = tuple(x.requires_grad_() for x in inputs(layer, sizes, (2,)))
    leaves = (*xs, *module.parameters())
    ys, wanted = call(module, xs), definition(layer, module, xs, sizes)
    seeds = [torch.randn_like(y) for y in ys]
    found = torch.autograd.grad(ys, leaves, seeds)
    for a, b in zip(found, torch.autograd.grad(wanted, leaves, seeds), strict=True):
        assert a.dtype == torch.complex128
        assert torch.allclose(a, b)
    assert all(torch.allclose(a, b) for a, b in zip(ys, wanted, strict=True))


def _names(layer: catnn.Layer) -> set[object]:
    return {wire.group.size for wire in wires(layer)}


def test_second_derivatives_forward_mode_and_vmap() -> None:
    layer = catnn.parse(SPEC)["mean"]
    module = module_of(layer, {"n": 2})
    (x,) = inputs(layer, {"n": 2}, (2,))
    x.requires_grad_()
    assert torch.autograd.gradgradcheck(module, (x,), fast_mode=True)
    direction = torch.randn_like(x)
    _, moved = torch.func.jvp(module, (x.detach(),), (direction,))
    with torch.no_grad():
        assert torch.allclose(moved, module(direction) - module(torch.zeros_like(direction)))
        assert torch.allclose(torch.func.vmap(module)(x), module(x))


def test_it_is_not_equivariant_under_maps_that_are_not_unitary() -> None:
    layer = catnn.parse(SPEC)["f"]
    module = module_of(layer, {"n": 3})
    xs = inputs(layer, {"n": 3}, (2,))
    elements = {wire: 2 * element for wire, element in random_elements(wires(layer), {"n": 3}, 0).items()}
    with torch.no_grad():
        found, wanted = call(module, act(elements, xs, layer.source)), act(elements, call(module, xs), layer.target)
    assert not torch.allclose(found[0], wanted[0])


def test_weights_are_complex_of_unit_variance() -> None:
    layer = catnn.parse("space V : U(n)  layer f : V @ V'[64] -> V' @ V[64] = all")["f"]
    module = catnn.compile(layer, n=8, generator=torch.Generator().manual_seed(0))
    assert module.weight.dtype == torch.complex64
    x = torch.randn(20, 8, 8, 64, dtype=torch.complex64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert abs(float(module(x).abs().square().mean()) - 1) < 0.1
        real, imag = module.weight.real.square().mean(), module.weight.imag.square().mean()
    assert abs(float(real / imag) - 1) < 0.1
    assert catnn.compile(layer, dtype=torch.float64).weight.dtype == torch.complex128
    assert catnn.compile(layer, dtype=torch.complex128).weight.dtype == torch.complex128
    assert module.double().weight.dtype == torch.complex64  # as torch does with complex parameters


def test_the_default_dtype_decides() -> None:
    layer = catnn.parse("space V : U(n)  layer f : V -> V = all")["f"]
    torch.set_default_dtype(torch.float64)
    try:
        assert catnn.compile(layer).weight.dtype == torch.complex128
    finally:
        torch.set_default_dtype(torch.float32)


def test_real_inputs_are_refused() -> None:
    spec = catnn.parse("space V : U(n)  layer f : V[2] -> V[3] = all  layer g : V[2] + V'[1] -> V[3] = all")
    with pytest.raises(ValueError, match=r"f: expected a complex tensor, got torch\.float32: beside a space of U"):
        catnn.compile(spec["f"])(torch.randn(4, 5, 2))
    x = torch.randn(4, 5, 2, dtype=torch.complex64)
    with pytest.raises(ValueError, match=r"g: expected a complex tensor as input 1, got torch\.float32"):
        catnn.compile(spec["g"])((x, torch.randn(4, 5, 1)))
    with pytest.raises(ValueError, match=r"expected torch\.complex64 like its weights, got torch\.complex128"):
        catnn.compile(spec["f"])(x.to(torch.complex128))


def test_autocast_leaves_complex_numbers_alone() -> None:
    layer = catnn.parse("space V : U(n)  layer f : V[2] -> V[3] = all")["f"]
    module, x = catnn.compile(layer), torch.randn(4, 5, 2, dtype=torch.complex64)
    with torch.autocast("cpu"):
        assert torch.equal(module(x), module(x))
        assert module(x).dtype == torch.complex64


def test_gate_scales_by_a_real_number() -> None:
    net = catnn.compile(catnn.parse("space V : U(n)  network g : V[2] -> V[2] = gate")["g"])
    x = torch.randn(4, 5, 2, dtype=torch.complex128)
    square = x.abs().square().mean(-2, keepdim=True)
    assert torch.allclose(net(x), x * torch.sigmoid(square))


def test_layers_of_other_files_stay_real() -> None:
    module = catnn.compile(catnn.parse("space V : O(n)  layer f : V[2] -> V[3] = all")["f"])
    assert module.weight.dtype == torch.float32
    assert "def _complex(" not in module.source


@pytest.mark.slow
def test_torch_compile_takes_it_whole() -> None:
    layer = catnn.parse("space V : U(n)  layer f : V @ V'[3] -> V' @ V[2] = all")["f"]
    module, x = catnn.compile(layer, n=3), torch.randn(4, 3, 3, 3, dtype=torch.complex64)
    compiled = torch.compile(module, fullgraph=True, dynamic=True)
    assert torch.allclose(compiled(x), module(x), atol=1e-5)
