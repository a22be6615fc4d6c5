"""Layers of SO(n) are their definitions, and do what rotations ask."""

from __future__ import annotations

from itertools import product

import pytest
import torch

import catnn
from catnn.category.halves import dimension
from catnn.testing import run as checks
from tests.emit.definition import DOUBLE, assert_is_definition, build, inputs, run


def power(k: int) -> str:
    """The word V^k."""
    return f"V^{k}" if k else "1"


@pytest.mark.parametrize(("n", "k", "m"), [*product((1, 2, 3, 4), range(4), range(4)), (5, 2, 3), (5, 4, 1), (4, 1, 5)])
def test_every_small_hom_space(n: int, k: int, m: int) -> None:
    """Forward and gradients; all diagrams, biases too."""
    dims = [catnn.dim(f"SO({n})", a, b) for a, b in ((k, m), (0, m))]
    terms = " + ".join(term for term, dim in zip(("all", "bias"), dims, strict=True) if dim)
    text = f"space V : SO({n})\nlayer f : {power(k)}[2] -> {power(m)}[3] = {terms or 'all'}"
    if not dims[0]:
        with pytest.raises(catnn.CatnnError, match="E0601"):
            build(text.replace(" + bias", "").replace("= bias", "= all"))
        return
    layer, module = build(text)
    assert (len(layer.diagrams), len(layer.bias_diagrams)) == tuple(dims)
    assert dimension(layer.source.words[0], layer.target.words[0]) == dims[0]
    assert_is_definition(layer, module, {}, (2,))
    assert_is_definition(layer, module, {}, ())


LAYERS = {
    "cross product": "space V : SO(3)  layer f : V[4] -> V^2[3] = all",
    "sums": "space V : SO(3)  layer f : V^2[2] + V[1] -> V^3[1] + 1[2] = all + bias { reduce: mean }",
    "four": "space V : SO(4)  layer f : V^3[1] -> V^3[2] = all",
    "three of four above": "space V : SO(4)  layer f : V[2] + V^3[1] -> V^3[2] + V[2] = all",
    "plane": "space V : SO(2)  layer f : V^2[2] -> V^2[2] = all + bias",
    "points": "space N : S(n)  space R : SO(3)  layer f : N @ R^2[2] -> N @ R[3] + R[1] = all",
    "interleaved": "space N : S(5)  space R : SO(3)  layer f : R @ N @ R[2] -> N @ R @ N[1] = all",
    "two epsilons": "space A : SO(2)  space B : SO(3)  layer f : A @ B @ A @ B[1] -> B @ A @ B @ A[1] = all",
    "beside a form": "space R : SO(3)  space P : Sp(2)  layer f : R @ P @ R[2] -> P @ R[2] = all",
    "fixed": "space V : SO(3)  layer f : V^2[2] -> V^2[2] = "
    "2 * [i j -> k] ; [i -> j k] - [i j -> j i] + span { [i j -> i j] }",
    "fixed above": "space V : SO(4)  layer f : V[2] -> V^3[2] = 1/2 * [i -> j k m] + span { [i -> i j j] }",
    "span": "space V : SO(4)  layer f : V^3[2] -> V[2] = span { [i j k -> m] + 2 * [i i j -> j], [i j i -> j] }",
    "network": "space V : SO(3)  layer p : V[3] -> V^2[3] = all  layer q : V^2[3] -> V[1] = all  "
    "network f : V[3] -> V[1] = p ; gate ; q",
}


@pytest.mark.parametrize("name", LAYERS)
def test_catnn_test_and_explain(name: str) -> None:
    """What `catnn test` checks, random rotations among it; and the explanation is written."""
    spec = catnn.parse(LAYERS[name])
    found = list(checks(spec, only=("dense match", "equivariance", "gradients", "mask", "copies")))
    assert [result for result in found if not result.ok] == []
    assert {result.check for result in found} >= {"equivariance", "gradients"}
    for layer in spec.layers.values():
        assert str(catnn.explain(layer))


def test_the_cross_product() -> None:
    """V -> V^2 is the matrix of x cross, and two vectors give their cross product and nothing else."""
    layer, module = build("space V : SO(3)\nlayer f : V[1] -> V^2[1] = all")
    assert [str(d) for d in layer.diagrams] == ["[i -> j k]"]
    x = torch.tensor([1.0, 2.0, 3.0], dtype=DOUBLE)
    y = module(x.unsqueeze(-1)).squeeze(-1) / module.weight.flatten()
    z = torch.tensor([-4.0, 1.0, 0.5], dtype=DOUBLE)
    torch.testing.assert_close(torch.einsum("jk,j,k->", y, z, z), torch.zeros((), dtype=DOUBLE))
    torch.testing.assert_close(torch.einsum("jk,k->j", y, z), torch.linalg.cross(z, x))
    layer, module = build("space V : SO(3)\nlayer f : V^2[1] -> V[1] = all")
    y = module(torch.outer(x, z).unsqueeze(-1)).squeeze(-1) / module.weight.flatten()
    torch.testing.assert_close(y, torch.linalg.cross(x, z))
    layer, module = build("space V : SO(3)\nlayer f : V^3[1] -> 1[1] = all")
    w = torch.tensor([0.0, 5.0, 7.0], dtype=DOUBLE)
    y = module(torch.einsum("i,j,k->ijk", x, z, w).unsqueeze(-1)).squeeze() / module.weight.squeeze()
    torch.testing.assert_close(y, torch.dot(x, torch.linalg.cross(z, w)))


def test_a_reflection_is_noticed() -> None:
    """With an epsilon a layer is that of rotations only."""
    for n, arrow in ((3, "V[2] -> V^2[1]"), (2, "V[2] -> V[1]"), (4, "V^3[1] -> V[2]")):
        layer, module = build(f"space V : SO({n})\nlayer f : {arrow} = all")
        (x,) = inputs(layer, {}, (3,))
        mirror = torch.ones(n, dtype=DOUBLE)
        mirror[0] = -1

        def turned(v: torch.Tensor, flip: torch.Tensor = mirror) -> torch.Tensor:
            for axis in range(1, v.dim() - 1):
                v = v * flip.view(-1, *(1,) * (v.dim() - axis - 1))
            return v

        (a,), (b,) = run(module, (turned(x),)), run(module, (x,))
        assert not torch.allclose(a, turned(b))
    layer, module = build("space V : SO(3)\nlayer f : V^2[2] -> V^2[1] = all")
    assert len(layer.diagrams) == 3


def test_derivatives_vmap_and_export() -> None:
    """Second derivatives, vmap, torch.export: what other groups' layers do."""
    small = ("space V : SO(3)  layer f : V[1] -> V^2[1] = all", "space V : SO(2)  layer f : V[1] -> V[1] = all",
             "space V : SO(4)  layer f : V[1] -> V^3[1] = span { [i -> j k m] }")  # fmt: skip
    for text in small:
        layer, module = build(text)
        (x,) = inputs(layer, {}, (2,))
        assert torch.autograd.gradgradcheck(lambda v, m=module: m(v), (x.clone().requires_grad_(),))
        torch.testing.assert_close(torch.vmap(module)(x), module(x))
        exported = torch.export.export(module, (x,)).module()
        torch.testing.assert_close(exported(x), module(x))
