"""Layers of A(n) are their definitions, and do what even permutations ask."""

from __future__ import annotations

from itertools import product

import pytest
import torch

import catnn
from catnn.category.families import FAMILIES
from catnn.category.halves import dimension
from catnn.compiler import generate
from catnn.emit.epsilons import _epsilon
from catnn.testing import run as checks
from tests.emit.definition import DOUBLE, assert_close, assert_is_definition, build, inputs, run


def power(k: int) -> str:
    """The word V^k."""
    return f"V^{k}" if k else "1"


SMALL = [*product((1, 2, 3), range(4), range(4)), *product((4, 5), range(3), range(3)), (4, 1, 3), (4, 3, 1), (2, 1, 4)]


@pytest.mark.parametrize(("n", "k", "m"), SMALL)
def test_every_small_hom_space(n: int, k: int, m: int) -> None:
    """Forward and gradients; all diagrams, biases too."""
    layer, module = build(f"space V : A({n})\nlayer f : {power(k)}[2] -> {power(m)}[3] = all + bias")
    assert len(layer.diagrams) == dimension(layer.source.words[0], layer.target.words[0]) == catnn.dim(f"A({n})", k, m)
    assert len(layer.bias_diagrams) == catnn.dim(f"A({n})", 0, m)
    assert_is_definition(layer, module, {}, (2,))
    assert_is_definition(layer, module, {}, ())


LAYERS = {
    "sums": "space V : A(3)  layer f : V^2[2] + V[1] -> V^2[1] + 1[2] = all + bias { reduce: mean }",
    "two jellyfish": "space A : A(2)  space B : A(3)  layer f : A @ B @ A @ B[1] -> B @ A[1] = all + bias",
    "points": "space N : S(n)  space V : A(3)  layer f : N @ V^2[2] -> N @ V[3] + V[1] = all { reduce: mean }",
    "beside rotations": "space V : A(3)  space R : SO(3)  layer f : V @ R^2[2] -> V^2 @ R[1] = all",
    "beside a form": "space V : A(3)  space P : Sp(2)  layer f : V @ P @ V[2] -> P @ V[2] = all",
    "interleaved": "space N : S(5)  space V : A(4)  layer f : V @ N @ V[2] -> N @ V @ N[1] = all",
    "beside plain wires": "space V : A(3)  space F : 4  layer f : V^2 @ F[2] -> V @ F[2] = all + sgn[i j f -> i f]",
    "one matrix for each": "space V : A(3)  space F : 4  layer f : V^2 @ F[2] -> V @ F[1] = "
    "span { sgn[i j f -> i f], [i j f -> j f] }",
    "beside a symmetric power": "space N : S(n)  space V : A(3)  layer f : Sym^2(N) @ V[2] -> N @ V[2] = all + bias",
    "fixed": "space V : A(3)  layer f : V^2[2] -> V^2[2] = "
    "2 * sgn[i j -> i k] - sgn[i j -> k] ; sgn[i -> j k] + span { [i j -> i j] }",
    "fixed above": "space V : A(4)  layer f : V[2] -> V^3[2] = 1/2 * sgn[i -> j k m] + span { sgn[i -> i j k] }",
    "span": "space V : A(3)  layer f : V^3[2] -> V[2] = span { sgn[i j k -> k] + 2 * [i j j -> i], sgn[i j i -> k] }",
    "generated": "space V : A(3)  layer f : V[2] -> V^3[2] = all + eps @ id ; id @ swap @ id ; id @ id @ merge",
    "network": "space V : A(3)  layer p : V[3] -> V^2[3] = all + bias  layer q : V^2[3] -> V[1] = all  "
    "network f : V[3] -> V[1] = p ; relu ; q",
}


@pytest.mark.parametrize("name", LAYERS)
def test_catnn_test_and_explain(name: str) -> None:
    """What `catnn test` checks, random even permutations among it; and the explanation is written."""
    spec = catnn.parse(LAYERS[name])
    found = list(checks(spec, only=("dense match", "equivariance", "gradients", "mask", "copies")))
    assert [result for result in found if not result.ok] == []
    assert {result.check for result in found} >= {"equivariance", "gradients"}
    for layer in spec.layers.values():
        assert str(catnn.explain(layer))


def permuted(x: torch.Tensor, order: list[int]) -> torch.Tensor:
    """All axes but the first and the last moved."""
    for axis in range(1, x.dim() - 1):
        x = x.index_select(axis, torch.tensor(order))
    return x


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_an_even_permutation_commutes_and_an_odd_one_does_not(n: int) -> None:
    """With a jellyfish a layer is that of even permutations only."""
    for text in ("V^2[2] -> V^2[1] = all + bias", "V^2[1] -> V^2[1] = all { reduce: mean }"):
        layer, module = build(f"space V : A({n})\nlayer f : {text}")
        (x,) = inputs(layer, {}, (3,))
        for seed in range(4):
            even = FAMILIES["A"].random_element(n, seed).argmax(1).tolist()
            (a,), (b,) = run(module, (permuted(x, even),)), run(module, (x,))
            torch.testing.assert_close(a, permuted(b, even))
            odd = [even[1], even[0], *even[2:]]
            (a,) = run(module, (permuted(x, odd),))
            alike = torch.allclose(a, permuted(b, odd))
            assert alike == (catnn.dim(f"A({n})", 2, 2) == catnn.dim(f"S({n})", 2, 2))


def levi_civita(n: int) -> torch.Tensor:
    """As an array."""
    family = FAMILIES["SO"]
    return torch.tensor(family.tensor(family.epsilon_part(n), n))


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_the_part_is_the_tensor(n: int) -> None:
    """`_epsilon` against one einsum with the whole array: any numbers of arms, legs and axes, summed or not."""
    letters, dense = "abcdefgh", levi_civita(n).to(DOUBLE)
    for arms, legs, summed in product(range(n + 1), range(n + 1), (0, 1)):
        axes = n - arms - legs - summed
        if axes < 0 or not arms + legs:
            continue
        x = torch.randn(2, *(n,) * (arms + legs), 3, dtype=DOUBLE)
        t, i, o, u = letters[:arms], letters[arms:][:legs], letters[arms + legs :][:axes], letters[7] * summed
        expected = torch.einsum(f"x{t}{i}y,{t}{o}{i}{u}->x{t}{o}y", x, dense)
        found = _epsilon(
            x, n, tuple(range(-legs - 1, -1)), tuple(range(-axes - 1, -1)), tuple(range(-arms - 1, -1)), summed
        )
        torch.testing.assert_close(found, expected)


def test_many_weights_with_signs_are_gathered() -> None:
    """One index and one vector of signs, not a line for each of 54 weights."""
    layer, module = build("space V : A(3)\nlayer f : V^3[1] -> V^2[2] = all")
    text = generate(catnn.parse("space V : A(3)\nlayer f : V^3[1] -> V^2[2] = all")).text
    assert ".view(-1, 1, 1)" in text
    assert max(len(line) for line in text.splitlines()) < 3000
    assert_is_definition(layer, module, {}, (2,))


def test_no_mask_where_n_is_a_number_of_legs() -> None:
    """A set with fewer members has another jellyfish; padding means nothing."""
    for group in ("A(3)", "SO(3)"):
        layer, module = build(f"space V : {group}\nlayer f : V^2[2] -> V^2[1] = all")
        xs = inputs(layer, {}, (2,))
        with pytest.raises(ValueError, match="f: V takes no mask: its size is 3 in every entry"):
            run(module, xs, torch.ones(2, 3, dtype=torch.bool))
    layer, module = build("space N : S(n)  space V : A(3)\nlayer f : N @ V[1] -> N @ V[1] = all")
    (x,) = inputs(layer, {"n": 4}, (2,))
    mask = torch.tensor([[True] * 4, [True, True, False, False]])
    (y,) = run(module, (x,), {"N": mask})
    assert_close((y[1, :2],), run(module, (x[1, :2],)))
    with pytest.raises(ValueError, match="V takes no mask"):
        run(module, (x,), {"V": mask[:, :3]})


def test_derivatives_vmap_and_export() -> None:
    """Second derivatives, forward mode, vmap, torch.export: what other groups' layers do."""
    small = ("space V : A(3)  layer f : V[1] -> V^2[1] = all", "space V : A(2)  layer f : V[1] -> V[1] = all + bias",
             "space V : A(4)  layer f : V^2[1] -> V[1] = span { sgn[i j -> k] }")  # fmt: skip
    for text in small:
        layer, module = build(text)
        (x,) = inputs(layer, {}, (2,))
        assert torch.autograd.gradgradcheck(lambda v, m=module: m(v), (x.clone().requires_grad_(),))
        assert torch.autograd.gradcheck(lambda v, m=module: m(v), (x.clone().requires_grad_(),), check_forward_ad=True)
        torch.testing.assert_close(torch.vmap(module)(x), module(x))
        exported = torch.export.export(module, (x,)).module()
        torch.testing.assert_close(exported(x), module(x))


def test_the_start_has_unit_variance() -> None:
    """n! entries a jellyfish: each diagram has its share."""
    torch.manual_seed(0)
    layer = catnn.parse("space V : A(3)\nlayer f : V^2[64] -> V^2[64] = all")["f"]
    y = catnn.compile(layer)(torch.randn(64, 3, 3, 64))
    assert 0.8 < y.var().item() < 1.25


def test_a_group_of_one_element_has_every_matrix() -> None:
    """A(2) is trivial, so its layers are dense: the diagrams are a basis of all matrices."""
    layer, module = build("space V : A(2)\nlayer f : V^2[1] -> V[1] = all")
    assert module.weight.shape == (8, 1, 1)
    assert (
        torch.linalg.matrix_rank(torch.stack([torch.from_numpy(d.matrix()).double().ravel() for d in layer.diagrams]))
        == 8
    )


def test_layers_with_spread_jellyfish_compile_without_breaks() -> None:
    module = catnn.compile(catnn.parse("space V : A(3)  layer f : V^2[2] -> V^2[3] = all + bias")["f"])
    x = torch.randn(2, 3, 3, 2)
    torch._dynamo.reset()
    fast = torch.compile(module, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(fast(x), module(x), rtol=1e-4, atol=1e-5)
