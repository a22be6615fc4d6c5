"""`catnn.project` for every group and every kind of layer, beside least squares over the parameters of the module."""

from __future__ import annotations

from itertools import permutations
from math import prod
from typing import Any

import numpy as np
import pytest
import torch

import catnn
from catnn.category.families import FAMILIES
from catnn.model import Layer
from catnn.testing.samples import inputs, module_of, shape

GROUPS = (
    "S(1)", "S(2)", "S(3)", "A(2)", "A(3)", "A(4)", "O(1)", "O(2)", "O(3)", "SO(1)", "SO(2)", "SO(3)", "Sp(2)", "Sp(4)",
    "U(1)", "U(2)", "O(1,2)", "O(1,3)", "H(2)", "H(3)", "B(2)", "B(3)", "S'(2)", "S'(3)", "B'(2)", "B'(3)", "S+(3)",
    "S+(4)", "O+(1)", "O+(2)", "Perm(2)", "Perm(3, (0 1 2))", "Perm(4, (0 1)(2 3))", "Aut(3, 0->1 1->2 2->0)",
    "Aut(4, 0-1 0-3 1-2 2-3)", "Aut(4, 0-1 1-2 2-3)",
)  # fmt: skip
ARROWS = ("V^2[2] -> V[1]", "V[2] -> V[2]", "1[2] -> V^2[1]", "V[1] -> V^2 + V[2]")

SPACES = (
    "space V : S(n)  space W : S(m)  space R : O(3)  space T : S(2)  space F : 2  space G : 3  space C : Aut(3, 0-1)\n"
)
SIZES = {"n": 3, "m": 2}
LAYERS = {
    "plain": "V @ F[2] -> G @ V[1] = all + bias",
    "plain alone": "F[2] -> G[3] = all + bias",
    "interleaved": "F @ V @ G @ V -> G @ V @ F = all",
    "residual": "V @ F[2] -> V @ F[2] = all + bias + id",
    "turned": "V @ F[2] -> F @ V[2] = all + bias + [v f -> f v]",
    "fixed swap": "V @ F^2 -> V @ F^2 = all + [v f g -> v g f] + 1/2 * id",
    "span": "V @ F[2] -> V @ F[1] = span { [v f -> v g], [v f -> w f] } + bias",
    "plain sums": "V @ F[2] + F + V[2] -> V @ G + G[2] = all + bias",
    "mean": "V @ F[2] -> F[1] = all + bias { reduce: mean }",
    "rotations": "V @ R @ F -> R @ G @ V = all",
    "graph": "C @ F[2] -> F @ C = all + bias",
    "packed in": "Sym^2(V)[2] -> V[1] = all + bias",
    "packed out": "V[2] -> Sym^2(V)[1] = all + bias",
    "packed": "Sym^2(V)[2] -> Sym^2(V)[2] = all + bias + id",
    "order three": "Sym^3(V) -> Sym^3(V) = all + bias",
    "packed mean": "Sym^2(V) -> Sym^2(V)[2] = all + bias { reduce: mean }",
    "packed span": "Sym^2(V) -> Sym^2(V)[2] = span { id, [i j -> i k] + [i j -> k i], [i i -> i i] }",
    "two symmetric spaces": "W @ Sym^2(V) -> Sym^2(W) @ V = all + bias",
    "two powers": "Sym^2(V) @ Sym^2(W) -> Sym^2(W) @ Sym^2(V) = all",
    "literal": "Sym^2(T)[2] -> Sym^3(T) = all + bias",
    "packed sums": "Sym^2(V)[2] + V + V^2 -> Sym^2(V) + 1[2] = all + bias",
    "plain and packed": "F @ Sym^2(V)[2] -> Sym^2(V) @ F @ V = all + bias",
    "plain, packed and fixed": "F @ Sym^2(V)[2] -> F @ Sym^2(V)[2] = all + id + [f i j -> g i j]",
    "packed and a graph": "Sym^2(W) @ C -> C @ Sym^2(W) = all",
}  # fmt: skip


def sizes_of(layer: Layer) -> dict[str, int]:
    """Numbers for its size names."""
    names = {w.group.size for side in (layer.source, layer.target) for word in side.words for w in word}
    return {name: size for name, size in SIZES.items() if name in names}


def flattened(layer: Layer, module: Any) -> tuple[np.ndarray, np.ndarray]:
    """The dense matrix and the bias of a module, by its values on a basis of the inputs."""
    sizes = sizes_of(layer)
    shapes = [shape(summand, sizes) for summand in layer.source.summands]
    widths = [prod(one) for one in shapes]
    kind = torch.complex128 if layer.is_complex else torch.float64

    def values(x: torch.Tensor) -> torch.Tensor:
        xs = tuple(part.reshape(len(x), *one) for part, one in zip(x.split(widths, -1), shapes, strict=True))
        ys = module(xs if len(xs) > 1 else xs[0])
        return torch.cat([y.flatten(1) for y in (ys if isinstance(ys, tuple) else (ys,))], -1)

    with torch.no_grad():
        constant = values(torch.zeros(1, sum(widths), dtype=kind))[0]
        return (values(torch.eye(sum(widths), dtype=kind)) - constant).T.numpy(), constant.numpy()


def set_to(module: Any, vector: np.ndarray) -> None:
    """All parameters, one after the other."""
    at = 0
    with torch.no_grad():
        for parameter in module.parameters():
            values = torch.as_tensor(vector[at : at + parameter.numel()], dtype=parameter.dtype)
            parameter.copy_(values.reshape(parameter.shape))
            at += parameter.numel()


def check(layer: Layer) -> None:
    """What is equivariant comes back; of anything the result is the nearest, by least squares over the parameters."""
    sizes = sizes_of(layer)
    module = module_of(layer, sizes)
    matrix, bias = flattened(layer, module)
    again = flattened(layer, catnn.project(matrix, layer, bias=bias, **sizes))
    np.testing.assert_allclose(again[0], matrix, atol=1e-10)
    np.testing.assert_allclose(again[1], bias, atol=1e-10)

    count = sum(parameter.numel() for parameter in module.parameters())
    set_to(module, np.zeros(count))
    start = flattened(layer, module)
    columns = []
    for one in np.eye(count):
        set_to(module, one)
        moved = flattened(layer, module)
        columns.append(np.concatenate([(b - a).reshape(-1) for a, b in zip(start, moved, strict=True)]))
    rng = np.random.default_rng(0)
    dense = [rng.standard_normal(part.shape) for part in start]
    if layer.is_complex:
        dense = [part + 1j * rng.standard_normal(part.shape) for part in dense]
    wanted = np.concatenate([(b - a).reshape(-1) for a, b in zip(start, dense, strict=True)])
    design = np.stack(columns, 1)
    nearest = design @ np.linalg.lstsq(design, wanted, rcond=None)[0]
    found = flattened(layer, catnn.project(dense[0], layer, bias=dense[1], **sizes))
    flat = np.concatenate([(b - a).reshape(-1) for a, b in zip(start, found, strict=True)])
    np.testing.assert_allclose(flat, nearest, atol=1e-10)
    assert abs(nearest - wanted).max() > 1e-3 or design.shape[0] == np.linalg.matrix_rank(design)


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("arrow", ARROWS)
def test_every_group(group: str, arrow: str) -> None:
    for term in ("all + bias", "all", "bias"):
        try:
            layer = catnn.parse(f"space V : {group}  layer f : {arrow} = {term}")["f"]
        except catnn.CatnnError as error:
            assert {fault.code for fault in error.diagnostics} == {"E0601"}  # noqa: PT017
            continue
        check(layer)


@pytest.mark.parametrize("name", LAYERS)
def test_plain_wires_and_symmetric_powers(name: str) -> None:
    check(catnn.parse(f"{SPACES}layer f : {LAYERS[name]}")["f"])


def test_a_packed_matrix_becomes_its_average_over_the_group() -> None:
    """S(3) moves the six entries of Sym^2 about; plain entries stay where they are."""
    layer = catnn.parse(f"{SPACES}layer f : F @ Sym^2(V)[2] -> Sym^2(V) @ G = all")["f"]
    places = [(i, j) for i in range(3) for j in range(i, 3)]
    dense = np.random.default_rng(1).standard_normal((6, 3, 2, 6, 2))
    mean = np.zeros_like(dense)
    for g in permutations(range(3)):
        moved = [places.index(tuple(sorted((g[i], g[j])))) for i, j in places]  # type: ignore[arg-type]
        mean += dense[moved][:, :, :, moved] / 6
    found = flattened(layer, catnn.project(dense.reshape(18, 24), layer, n=3))[0]
    np.testing.assert_allclose(found, mean.reshape(18, 24), atol=1e-12)
    assert layer.parameters == 9 * 3 * 4


def test_the_result_is_equivariant_under_the_elements_of_the_group() -> None:
    """At a graph's automorphisms, by turning the projected matrix about."""
    layer = catnn.parse("space V : Aut(4, 0-1 0-3 1-2 2-3)  space F : 2  layer f : V @ F -> V = all")["f"]
    dense = np.random.default_rng(2).standard_normal((4, 8))
    found = flattened(layer, catnn.project(dense, layer))[0].reshape(4, 4, 2)
    for seed in range(5):
        element = FAMILIES["Aut(4, 0-1 0-3 1-2 2-3)"].random_element(4, seed)
        np.testing.assert_allclose(np.einsum("ij,jkf,lk->ilf", element, found, element), found, atol=1e-12)


def test_inputs_and_shapes_of_packed_layers() -> None:
    """An axis for every stored axis is a shape that fits too; others are refused with those that do."""
    layer = catnn.parse(f"{SPACES}layer f : F @ Sym^2(V)[2] -> V = all + bias")["f"]
    dense = torch.randn(3, 1, 2, 6, 2)
    expected = catnn.project(dense, layer, n=3).weight
    for fitting in ((3, 24), (3, 1, 12, 2)):
        assert torch.equal(catnn.project(dense.reshape(fitting), layer, n=3).weight, expected)
    with pytest.raises(catnn.CatnnError, match=r"E1019(.|\n)*\(3, 24\) or \(3, 1, 12, 2\) or \(3, 1, 2, 6, 2\)"):
        catnn.project(torch.randn(3, 36), layer, n=3)
    (x,) = inputs(layer, {"n": 5}, (2,))
    assert catnn.project(dense.double(), layer, n=3)(x).shape == (2, 5, 1)


def test_what_is_far_too_large_is_refused() -> None:
    layer = catnn.parse("space V : S(n)  layer f : Sym^8(V) -> 1 = all")["f"]
    with pytest.raises(catnn.CatnnError, match="E1019"):
        catnn.project(np.zeros((1, 319_770)), layer, n=15)
