"""Transforms of torch that wrap tensors or record operations: every layer goes through, whatever it starts from."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd.functional import hessian, jacobian
from torch.func import functional_call, jacfwd, jacrev

from tests.emit.definition import assert_close, build, inputs

SPECS = {
    "products": "space V : S(n)  layer f : V^2[2] -> V^2[1] = all + bias",
    "from zeros": "space V : S(n)  layer f : V[2] -> V^2[1] = span { [i -> i i] }",
    "a diagonal bias": "space V : S(n)  layer f : 1[2] -> V^2[1] = span { [-> i i] } + bias",
    "fixed": "space V : S(n)  layer f : V^2[1] -> V^2[1] = [i i -> i i]",
    "many permutations": "space V : O(n)  layer f : V^3[1] -> V^3[1] = all",
    "Omega": "space V : Sp(n)  layer f : V^2[1] -> V^2[1] = all + bias",
    "epsilon": "space V : SO(3)  layer f : V[1] -> V^2[1] = all",
    "metric": "space V : O(1,2)  layer f : V^2[1] -> V^2[1] = all + bias",
    "directs": "space V : S(n)  layer f : V^2[1] -> V^2[1] = [i j -> i i] + span { [i i -> i i] } + bias",
    "network": """space V : S(n)  layer a : V^2[1] -> V[2] = all { reduce: mean }  layer b : V[2] -> V^2[1] = all
        network f : V^2[1] -> V^2[1] = a ; tanh ; b + id""",
}


@pytest.fixture(params=SPECS)
def case(request: pytest.FixtureRequest) -> tuple[Any, Tensor]:
    item, module = build(SPECS[request.param], n=4)
    (x,) = inputs(item, {"n": 4})
    return module, x


def test_jacobians_every_way(case: tuple[Any, Tensor]) -> None:
    """Row by row, and vectorised: by torch.func's two modes and by the older batched gradients."""
    module, x = case
    expected = jacobian(module, x)
    found = (
        jacfwd(module)(x),
        jacrev(module)(x),
        jacobian(module, x, vectorize=True),
        jacobian(module, x, vectorize=True, strategy="forward-mode"),
    )
    for one in found:
        assert_close((one,), (expected,))


def test_hessians_every_way(case: tuple[Any, Tensor]) -> None:
    """For inputs, and for weights."""
    module, x = case

    def energy(x: Tensor) -> Tensor:
        y = module(x)
        return (y * y * y).sum()

    expected = hessian(energy, x)
    assert_close((torch.func.hessian(energy)(x),), (expected,))
    assert_close((hessian(energy, x, vectorize=True),), (expected,))
    weights = {name: value.detach() for name, value in module.named_parameters()}
    if not weights:
        return

    def at(weights: dict[str, Tensor]) -> Tensor:
        y = functional_call(module, weights, (x,))
        return (y * y * y).sum()

    forward, reverse = torch.func.hessian(at)(weights), jacrev(jacrev(at))(weights)
    for name in weights:
        assert_close(tuple(forward[name].values()), tuple(reverse[name].values()))


def test_no_grad_inside_a_transform(case: tuple[Any, Tensor]) -> None:
    """The fast steps in place are for tensors with memory of their own."""
    module, x = case
    xs = torch.stack([x, 2 * x, -x])
    with torch.no_grad():
        assert_close((torch.vmap(module)(xs),), (module(xs),))
        weights = {name: torch.stack([v, 2 * v]) for name, v in module.named_parameters()}
        if weights:
            found = torch.vmap(lambda w: functional_call(module, w, (x,)))(weights)
            assert_close((found[0],), (module(x),))


@pytest.mark.filterwarnings("ignore")
def test_a_trace_is_the_module(case: tuple[Any, Tensor]) -> None:
    """torch.jit.trace records plain steps; another batch runs too."""
    module, x = case
    traced = torch.jit.trace(module, (torch.stack([x, x]),))
    xs = torch.stack([x, 2 * x, -x])
    assert_close((traced(xs),), (module(xs),))


def test_parts_of_direct_sums() -> None:
    """Some outputs and some inputs alone: the others come without a batch."""
    item, module = build("space V : S(n)  layer f : V[1] + 1[2] -> V^2[1] + V[2] = all + bias", n=3)
    xs = inputs(item, {"n": 3})
    for out in (0, 1):
        for at in (0, 1):

            def part(x: Tensor, out: int = out, at: int = at) -> Tensor:
                return module(tuple(x if i == at else other for i, other in enumerate(xs)))[out]

            expected = jacobian(part, xs[at])
            assert_close((jacfwd(part)(xs[at]), jacrev(part)(xs[at])), (expected, expected))
            assert_close((jacobian(part, xs[at], vectorize=True),), (expected,))


SUMS = {
    "permutations": "space V : S(n)  layer f : V^2[2] + V[3] -> V[2] + 1[3] = all + bias",
    "one output": "space V : S(n)  layer f : V[2] + 1[2] -> V[2] = all + bias",
    "one input": "space V : S(n)  layer f : V^2[2] -> V[2] + V^2 + 1 = all + bias",
    "rotations": "space V : SO(3)  layer f : V^2 + V -> V + V^2 + 1 = all",
}


@pytest.mark.parametrize("name", SUMS)
def test_a_loss_of_one_output(name: str) -> None:
    """Then the gradients of the others are zeros without a batch; weights may be batched one by one, too."""
    item, module = build(SUMS[name], n=3)
    parameters = dict(module.named_parameters())
    leaves = [*inputs(item, {"n": 3}), *(p.detach() for p in parameters.values())]
    count = len(item.source.summands)

    def outputs(*values: Tensor) -> tuple[Tensor, ...]:
        xs, weights = values[:count], dict(zip(parameters, values[count:], strict=True))
        ys = functional_call(module, weights, (xs if count > 1 else xs[0],))
        return ys if isinstance(ys, tuple) else (ys,)

    for out in range(len(item.target.summands)):
        for at, leaf in enumerate(leaves):

            def part(value: Tensor, out: int = out, at: int = at) -> Tensor:
                return outputs(*leaves[:at], value, *leaves[at + 1 :])[out]

            def loss(value: Tensor, part: Any = part) -> Tensor:
                return part(value).pow(3).sum()

            expected = jacobian(part, leaf)
            assert_close((jacrev(part)(leaf), jacfwd(part)(leaf)), (expected, expected), what=f"{out}, {at}")
            assert_close((torch.func.hessian(loss)(leaf),), (hessian(loss, leaf),), what=f"{out}, {at}")

            def mixed(value: Tensor, out: int = out, at: int = at) -> Tensor:
                def energy(x: Tensor) -> Tensor:
                    values = [*leaves[:at], value, *leaves[at + 1 :]] if at else leaves
                    return outputs(x, *values[1:])[out].pow(2).sum()

                return torch.func.grad(energy)(leaves[0])

            values = torch.stack([leaf, 2 * leaf, -leaf])
            assert_close((torch.vmap(mixed)(values),), (torch.stack([mixed(value) for value in values]),))
