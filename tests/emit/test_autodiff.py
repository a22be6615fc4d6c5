"""Derivatives of every kind: by finite differences, twice, forwards, under torch.func, of parts of the inputs alone."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.func import functional_call, grad, hessian, jacfwd, jacrev, jvp, vjp, vmap
from torch.utils.checkpoint import checkpoint

from tests.emit.definition import DOUBLE, Definition, assert_close, build, inputs, run

SPACES = "space V : S(n)\nspace R : O(m)\nspace P : Sp(r)\n"
SIZES = {"n": 3, "m": 2, "r": 2}
LAYERS = {
    "permutations": "V^2[2] -> V^2[2] = all + bias",
    "mean": "V^2[1] -> V^2[1] = all + bias { reduce: mean }",
    "rotations": "R @ V[2] -> R[1] + V @ R[1] = all + bias",
    "symplectic": "P^2[1] -> P^2[2] = all + bias",
    "direct sums": "V^2[1] + V[2] + 1[1] -> V^2[1] + 1[2] = all + bias",
    "fixed and scaled": "V^2[2] -> V[2] = [i j -> i] - (1/n) * [i i -> j] + span { [i j -> j] } + bias",
    "fixed alone": "V^2[2] -> V^2[2] = [i j -> j i]",
    "bias alone": "V[1] -> V^2[2] = bias",
}
MASK = torch.tensor([[True, True, False], [True, True, True]])


def functional(name: str) -> tuple[Any, Any, Any, tuple[Tensor, ...], tuple[Tensor, ...]]:
    """A layer as a function of inputs and parameters, both flat tuples."""
    layer, module = build(f"{SPACES}layer f : {LAYERS[name]}", **SIZES)
    names = [key for key, _ in module.named_parameters()]
    xs = inputs(layer, SIZES, (2,))

    def function(*tensors: Tensor, mask: Any = None) -> tuple[Tensor, ...]:
        weights = dict(zip(names, tensors[len(xs) :], strict=True))
        given = tensors[: len(xs)]
        ys = functional_call(module, weights, (given if len(given) > 1 else given[0],), {"mask": mask})
        return ys if isinstance(ys, tuple) else (ys,)

    return layer, module, function, xs, tuple(p.detach() for p in module.parameters())


@pytest.mark.parametrize("masked", [False, True], ids=["", "masked"])
@pytest.mark.parametrize("name", LAYERS)
def test_gradcheck(name: str, masked: bool) -> None:
    """First and second derivatives, backwards and forwards, against finite differences."""
    _, module, function, xs, weights = functional(name)
    mask = {"V": MASK} if masked and "V" in module.space_sizes else None
    leaves = tuple(t.clone().requires_grad_() for t in (*xs, *weights))

    def masked_function(*tensors: Tensor) -> tuple[Tensor, ...]:
        return function(*tensors, mask=mask)

    fast = {"fast_mode": True}
    assert torch.autograd.gradcheck(masked_function, leaves, check_forward_ad=True, **fast)
    if name != "bias alone":  # its first derivative is constant
        assert torch.autograd.gradgradcheck(masked_function, leaves, check_fwd_over_rev=True, **fast)


@pytest.mark.parametrize("which", ["inputs", "weights", "biases", "one weight"])
@pytest.mark.parametrize("name", LAYERS)
def test_vmap_and_jvp_over_some_of_the_arguments(name: str, which: str) -> None:
    """Whatever is batched or moved, the rest stays still: the same as one call after the other."""
    layer, module, function, xs, weights = functional(name)
    names = ["x"] * len(xs) + [key for key, _ in module.named_parameters()]
    at = [i for i, key in enumerate(names) if key.startswith({"inputs": "x", "biases": "bias"}.get(which, "weight"))]
    at = at[:1] if which == "one weight" else at
    if not at:
        pytest.skip("there are none")
    still = (*xs, *weights)
    generator = torch.Generator().manual_seed(5)
    moved = [torch.randn(4, *t.shape, generator=generator, dtype=DOUBLE) if i in at else t for i, t in enumerate(still)]
    dims = tuple(0 if i in at else None for i in range(len(still)))
    each = [function(*(t[e] if i in at else t for i, t in enumerate(moved))) for e in range(4)]
    expected = tuple(torch.stack(ys) for ys in zip(*each, strict=True))
    assert_close(vmap(function, dims)(*moved), expected, what="vmap")
    with torch.no_grad():
        assert_close(vmap(function, dims)(*moved), expected, what="vmap without autograd")

    def some(*tensors: Tensor) -> tuple[Tensor, ...]:
        return function(*(tensors[at.index(i)] if i in at else t for i, t in enumerate(still)))

    primals, tangents = tuple(still[i] for i in at), tuple(moved[i][0] for i in at)
    _, forwards = jvp(some, primals, tangents)
    _, expected = jvp(lambda *tensors: dense(layer, module, still, at, tensors), primals, tangents)
    assert_close(forwards, expected, what="jvp")


def dense(layer: Any, module: Any, still: tuple[Tensor, ...], at: list[int], tensors: Any) -> tuple[Tensor, ...]:
    """The definition with some of its arguments replaced."""
    full = [tensors[at.index(i)] if i in at else t for i, t in enumerate(still)]
    count = len(layer.source.summands)
    holder = dict(zip((key for key, _ in module.named_parameters()), full[count:], strict=True))
    missing = {key: None for key, value in module._parameters.items() if value is None}
    return Definition(layer, SIZES)(type("Weights", (), holder | missing), tuple(full[:count]))


@pytest.mark.parametrize("name", ["permutations", "direct sums", "symplectic"])
def test_jacobians(name: str) -> None:
    """Backwards, forwards and of a function called twice."""
    _, _, function, xs, weights = functional(name)
    every = tuple(range(len(xs) + len(weights)))
    tensors = (*xs, *weights)
    for row, other in zip(jacrev(function, every)(*tensors), jacfwd(function, every)(*tensors), strict=True):
        assert_close(row, other, what="jacobian")

    def energy(x: Tensor) -> Tensor:
        return sum(y.sin().sum() for y in function(x, *tensors[1:]))

    second = hessian(energy)(xs[0])
    assert_close((second,), (jacrev(jacrev(energy))(xs[0]),), what="hessian")


def test_gradients_of_each_sample() -> None:
    _, module, function, (x,), weights = functional("permutations")

    def loss(weight: Tensor, bias: Tensor, one: Tensor) -> Tensor:
        return function(one, weight, bias)[0].pow(2).sum()

    found = vmap(grad(loss, (0, 1)), (None, None, 0))(*weights, x)
    for entry in range(2):
        module.zero_grad()
        module(x[entry]).pow(2).sum().backward()
        assert_close(tuple(g[entry] for g in found), (module.weight.grad, module.bias.grad))


def test_vmap_with_a_mask() -> None:
    """Both may be batched, or the inputs alone."""
    _, module, _, (x,), _ = functional("mean")
    expected = module(x, mask=MASK)
    assert_close((vmap(lambda v, m: module(v, mask=m))(x, MASK),), (expected,))
    many = torch.stack((x, 2 * x))
    assert_close((vmap(lambda v: module(v, mask=MASK))(many),), (torch.stack([module(v, mask=MASK) for v in many]),))


def test_an_ensemble_of_weights() -> None:
    _, _, function, xs, weights = functional("direct sums")
    many = tuple(torch.stack((w, -w, w * 2)) for w in weights)
    found = vmap(lambda *ws: function(*xs, *ws))(*many)
    for at in range(3):
        assert_close(tuple(y[at] for y in found), function(*xs, *(w[at] for w in many)))


def test_vjp_agrees_with_autograd() -> None:
    _, _, function, xs, weights = functional("rotations")
    ys, back = vjp(function, *xs, *weights)
    leaves = tuple(t.clone().requires_grad_() for t in (*xs, *weights))
    totals = torch.stack([y.pow(2).sum() / 2 for y in function(*leaves)]).sum()
    assert_close(back(ys), torch.autograd.grad(totals, leaves))


@pytest.mark.parametrize("frozen", [("weight",), ("bias",), ("weight", "bias"), ()])
@pytest.mark.parametrize("learned_input", [False, True])
def test_what_needs_no_gradient_gets_none(frozen: tuple[str, ...], learned_input: bool) -> None:
    _, module, _, (x,), _ = functional("permutations")
    x = x.clone().requires_grad_()
    module(x).pow(2).sum().backward()
    full = {"x": x.grad, "weight": module.weight.grad, "bias": module.bias.grad}
    module.zero_grad()
    for name in frozen:
        getattr(module, name).requires_grad_(False)
    again = x.detach().clone().requires_grad_(learned_input)
    y = module(again)
    assert y.requires_grad == (learned_input or set(frozen) < {"weight", "bias"})
    if y.requires_grad:
        y.pow(2).sum().backward()
    for name, leaf in (("x", again), ("weight", module.weight), ("bias", module.bias)):
        assert leaf.grad is None if not leaf.requires_grad else torch.allclose(leaf.grad, full[name])


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_without_autograd(mode: Any) -> None:
    _, module, _, (x,), _ = functional("permutations")
    with mode():
        y = module(x)
    assert not y.requires_grad
    torch.testing.assert_close(y.clone(), module(x).detach())


def test_activation_checkpointing() -> None:
    text = "layer a : V^2[2] -> V^2[2] = all + bias\nnetwork f : V^2[2] -> V^2[2] = a ; relu ; a"
    item, net = build(SPACES + text, **SIZES)
    (x,) = (t.requires_grad_() for t in inputs(item, SIZES, (2,)))
    plain = torch.autograd.grad(net(x).pow(2).sum(), (x, *net.parameters()))
    y = checkpoint(net, x, use_reentrant=False)
    assert_close(torch.autograd.grad(y.pow(2).sum(), (x, *net.parameters())), plain)


def test_one_module_used_twice_adds_its_gradients() -> None:
    layer, module, _, (x,), _ = functional("permutations")
    definition = Definition(layer, SIZES)
    totals = [module(module(x)).sum(), definition(module, definition(module, (x,)))[0].sum()]
    assert_close(*(torch.autograd.grad(total, tuple(module.parameters())) for total in totals))


def test_a_saved_input_that_changes_is_noticed() -> None:
    """torch's version counter: no silently wrong gradient."""
    _, module, _, (x,), _ = functional("permutations")
    y = module(x)
    x.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_many_threads() -> None:
    _, module, _, xs, _ = functional("direct sums")
    expected, found = run(module, xs), [()] * 8

    def work(at: int) -> None:
        ys = run(module, tuple(x.clone().requires_grad_() for x in xs))
        torch.stack([y.sum() for y in ys]).sum().backward()
        found[at] = ys

    threads = [threading.Thread(target=work, args=(at,)) for at in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for ys in found:
        assert_close(ys, expected)
