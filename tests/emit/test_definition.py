"""A compiled layer is its definition: every hom-space, every kind of term, every shape, forward and gradient."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import Tensor

import catnn
from tests.emit.definition import assert_is_definition, build, inputs, run

GRID = {"S": (1, 2, 3, 5), "O": (1, 2, 3, 5), "Sp": (2, 4)}
BATCHES = ((), (0,), (2, 3))


def power(k: int) -> str:
    """The word V^k."""
    return f"V^{k}" if k else "1"


@pytest.mark.parametrize("literal", [False, True], ids=["symbolic", "literal"])
@pytest.mark.parametrize(("family", "k", "m"), list(product(GRID, range(4), range(4))))
def test_every_hom_space(family: str, k: int, m: int, literal: bool) -> None:
    """All of the issue's grid: a module a hom-space (with a literal n, one a size), each at every size and batch."""
    arrow = f"{power(k)}[2] -> {power(m)}[3]"
    if family != "S" and (k + m) % 2 and m % 2:
        with pytest.raises(catnn.CatnnError, match="E0601"):
            build(f"space V : {family}({GRID[family][-1] if literal else 'n'})\nlayer f : {arrow} = all + bias")
        return
    for n in GRID[family]:
        layer, module = build(f"space V : {family}({n if literal else 'n'})\nlayer f : {arrow} = all + bias", n=n)
        if literal:
            assert len(layer.diagrams) == catnn.dim(f"{family}({n})", k, m)
            assert len(layer.bias_diagrams) == catnn.dim(f"{family}({n})", 0, m)
        for batch in BATCHES:
            assert_is_definition(layer, module, {} if literal else {"n": n}, batch)


SPACES = """
space V, W : S(n)
space R : O(m)
space P : Sp(r)
space T : S(3)
space Q : O(2)
"""

LAYERS = {
    "interleaved": "V @ R @ V[2] -> R @ V[3] = all + bias",
    "interleaved deeply": "R @ V @ R @ V[2] -> V @ R @ V @ R[1] = all + bias",
    "two copies of a group": "V @ W[2] -> W @ V[3] = all + bias",
    "same size twice": "V @ W @ V[2] -> W[3] = all + bias",
    "all the families": "P @ V @ R @ P[1] -> R @ V[2] = all + bias",
    "literal and symbolic": "T @ V @ Q[2] -> Q @ T^2[2] = all + bias",
    "symplectic and permuted": "P @ V[2] -> V @ P[2] + P @ V @ P @ V[1] = all",
    "sum to sum": "V^2[2] + V[3] + 1[1] -> V^3[2] + V[1] + 1[2] = all + bias",
    "sum to one": "V^2[2] + V[3] -> V^2[4] = all + bias",
    "one to sum": "V^2[2] -> V[1] + 1[3] + V^2[2] = all + bias",
    "the same summand twice": "V[2] + V[3] -> V[1] + V[2] = all + bias",
    "an empty pair": "R[2] + 1[3] -> R[2] + R^2[1] = all + bias",
    "a source that leads nowhere": "R[2] + R^2[3] -> R^2[2] = all",
    "a target that nothing reaches": "R[2] -> R[3] + 1[2] = all",
    "a target with a bias alone": "R[2] -> R[3] + R^2[2] = all + bias",
    "no symmetry": "1[5] -> 1[3] = all + bias",
    "bias alone": "V^2[2] -> V^3[3] = bias",
    "weights alone": "V^2[2] -> V^2[3] = all",
    "mean": "V^3[2] -> V^2[3] = all + bias { reduce: mean }",
    "mean, literal": "T^3[2] -> T^2[3] = all + bias { reduce: mean }",
    "mean, traces": "R^3 @ V[2] -> R @ V[3] = all { reduce: mean }",
    "mean, forms": "P^3 @ V[2] -> P @ V[3] = all { reduce: mean }",
    "mean, direct sums": "V^2[2] + V[3] -> V^2[2] + 1[1] = all + bias { reduce: mean }",
    "span": "V^2[2] -> V^2[3] = span { [i j -> j i], [i i -> j j], [i j -> i k] } + bias",
    "span, out of order": "V^2[2] -> V[3] = span { [i j -> j], [i i -> k], [i j -> i] }",
    "span of sums": "V^2[2] -> V^2[3] = span { [i j -> i j] + [i j -> j i], 1/2 * [i i -> i i] - 2/3 * [i j -> i i] }",
    "span with sizes": "V^2[2] -> V[3] = span { (1/n) * [i j -> i], [i i -> i] - (1/n) * [i j -> j] + n * [i j -> k] }",
    "span with another size": "V^2[2] -> V[3] = span { (m/n) * [i j -> i], (1/m) * [i i -> j] } + bias",
    "span, rotations": "R^2[2] -> R^2[3] = span { 1/2 * [i j -> i j] + 1/2 * [i j -> j i] - (1/m) * [i i -> j j] }",
    "span, symplectic": "P^2[2] -> P^2[3] = span { [i j -> j i] + (1/r) * [i i -> j j], [i j -> i j] } + bias",
    "span, mean": "V^2[2] -> V[3] = span { [i j -> i], [i i -> k] + [i j -> k] } { reduce: mean }",
    "the same diagram twice": "V^2[2] -> V[3] = span { [i j -> i], [i j -> i] + [i j -> j] }",
    "fixed alone": "V^2[3] -> V[3] = [i j -> i] - (2/n) * [i i -> j]",
    "fixed and bias": "V^2[3] -> V^2[3] = [i j -> j i] + bias",
    "fixed beside weights": "V^2[3] -> V^2[3] = all + 1/2 * [i j -> j i] - [i i -> i i] + bias",
    "fixed, whole": "V^2[3] -> V^2[3] = id + span { [i j -> i i] }",
    "fixed, a spider": "V^2[3] -> V^3[3] = 3 * [i i -> i i i] + (1/n) * [i j -> i j j]",
    "fixed, rotations": "R^3[3] -> R[3] = [i i j -> j] - [i j i -> j] + span { [i j j -> i] }",
    "fixed, symplectic": "P^3[3] -> P[3] = [i i j -> j] - [i j i -> j] + all",
    "fixed, two spaces": "V @ R @ V[3] -> R @ V[3] = [i a j -> a i] + (1/n) * [i a j -> a k]",
    "identity of a sum": "V[3] + 1[2] -> V[3] + 1[2] = id + all",
    "generators": "V^2[3] -> V^2[3] = merge ; copy + swap",
}
SIZES = {"n": 3, "m": 2, "r": 2}


@pytest.mark.parametrize("name", LAYERS)
def test_every_kind_of_term(name: str) -> None:
    layer, module = build(f"{SPACES}layer f : {LAYERS[name]}", **SIZES)
    for n, batch in zip((3, 1, 2), BATCHES, strict=True):
        assert_is_definition(layer, module, {**SIZES, "n": n}, batch)


def test_a_copied_layer_has_weights_of_its_own() -> None:
    text = (
        "space V : S(n)\nlayer f : V^2[2] -> V^2[2] = all + bias\nlayer g = f\nnetwork h : V^2[2] -> V^2[2] = f ; g ; f"
    )
    layer, module = build(text, "g", n=3)
    assert_is_definition(layer, module, {"n": 3}, (2,))
    item, net = build(text, "h", n=3)
    assert {name for name, _ in net.named_parameters()} == {"f.weight", "f.bias", "g.weight", "g.bias"}
    (x,) = inputs(item, {"n": 3}, (2,))
    assert torch.equal(net(x), net.f(net.g(net.f(x))))


LAYOUTS = {
    "transposed": lambda x: x.transpose(0, -2).contiguous().transpose(0, -2),
    "channels first": lambda x: x.movedim(-1, 0).contiguous().movedim(0, -1),
    "every second": lambda x: torch.stack((x, x), -1).flatten(-2)[..., ::2],
    "expanded": lambda x: x[..., :1, :].expand(x.shape).detach(),
    "Fortran": lambda x: x.permute(*reversed(range(x.dim()))).contiguous().permute(*reversed(range(x.dim()))),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "arrow", ["V^2[2] -> V^2[3]", "R @ V @ R[2] -> R @ V @ R[2]", "P^3[2] -> P[3]", "V^3[1] -> 1[1]"]
)
def test_any_memory_layout(layout: str, arrow: str) -> None:
    layer, module = build(f"{SPACES}layer f : {arrow} = all + bias", **SIZES)
    assert_is_definition(layer, module, SIZES, (2,), layout=LAYOUTS[layout])


@pytest.mark.parametrize(("n", "batch"), list(product((0, 1, 7), ((), (1,), (0, 2)))))
def test_sizes_zero_one_and_odd(n: int, batch: tuple[int, ...]) -> None:
    """A tensor may have any size, whatever the hint was; size 0 has sums of nothing."""
    arrow = "V^2[2] + V[1] -> V^2[2] + 1[3] = all + bias { reduce: mean }"
    layer, module = build(f"{SPACES}layer f : {arrow}", n=4)
    xs = inputs(layer, {"n": n}, batch)
    if n:
        assert_is_definition(layer, module, {"n": n}, batch)
    else:
        ys = run(module, tuple(x.requires_grad_() for x in xs))
        assert [tuple(y.shape) for y in ys] == [(*batch, 0, 0, 2), (*batch, 3)]
        assert torch.equal(ys[1], module.bias_1[0].expand(*batch, 3))
        sum(y.sum() for y in ys).backward()


def test_a_size_that_only_the_target_has_comes_from_the_hint() -> None:
    layer, module = build("space V : S(n)\nlayer f : 1[2] -> V^2[3] = all + bias", n=4)
    assert_is_definition(layer, module, {"n": 4}, (2,))


def test_a_vector_of_zero_diagrams_reads_as_such() -> None:
    """Empty parts: the parameter is None and the tuple of diagrams is empty."""
    layer, module = build("space R : O(m)\nlayer f : R[2] + 1[3] -> R[2] + R^2[1] = all + bias", m=3)
    assert [[len(pair) for pair in row] for row in layer.diagrams] == [[1, 0], [0, 1]]
    assert [len(row) for row in layer.bias_diagrams] == [0, 1]
    empty = {name for name in ("weight_0_1", "weight_1_0", "bias_0") if getattr(module, name) is None}
    assert empty == {"weight_0_1", "weight_1_0", "bias_0"}
    assert set(dict(module.named_parameters())) == {"weight_0_0", "weight_1_1", "bias_1"}


def test_one_layer_alone_is_linear_in_torch_terms() -> None:
    """`1[k] -> 1[l]` with `all + bias` is nn.Linear."""
    _, module = build("space V : S(n)\nlayer f : 1[5] -> 1[3] = all + bias")
    x: Tensor = torch.randn(2, 5, dtype=torch.float64)
    torch.testing.assert_close(module(x), torch.nn.functional.linear(x, module.weight[0], module.bias[0]))
