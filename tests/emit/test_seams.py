"""Where features meet: boxes in complex files, direct sums as results of networks of named values."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
import torch
from torch import einsum

import catnn
from catnn import testing

COMPLEX = """
    space V : U(u)
    space R : 2
    space T : SO(3)
    space P : Sp(2)
    space L : O(1,1)
    box w : R -> R { rank: 1 }
    box k : R @ R -> R { symmetric: inputs }
    box c : R -> R = fixed "c.npy"
    layer f : V[3] -> V[3] = all
    network g(x: V @ R[3], y: T @ P @ L, z: V[3]) -> V @ R[3], V @ R[3], T @ P @ L, V[3] {
      a = [v r, s r -> v s](x, w)
      b = [v r, s s r -> v s](x, k)
      return a, [v r, s r -> v s](b, c), y, f(z)
    }
    network h : R[3] -> R[3] = w ; c ; w
"""


def complex_spec(folder: Path) -> catnn.Spec:
    numpy.save(folder / "c.npy", numpy.array([[1.0, 2.0], [3.0, 4.0]]))
    return catnn.parse(COMPLEX, base=folder)


@pytest.mark.parametrize("dtype", [None, torch.float64])
def test_boxes_of_complex_files_are_complex(dtype: torch.dtype | None, tmp_path: Path) -> None:
    module = catnn.compile(complex_spec(tmp_path)["g"], dtype=dtype)
    kind = torch.complex64 if dtype is None else torch.complex128
    assert {tensor.dtype for tensor in (*module.parameters(), *module.buffers())} == {kind}
    assert all(parameter.imag.abs().sum() > 0 for parameter in module.parameters())
    x, y, z = (torch.randn(5, *shape, dtype=kind) for shape in ((4, 2, 3), (3, 2, 2, 1), (4, 3)))
    a, b, _, _ = module(x, y, z)
    w, k = module.w_out @ module.w_in, (module.k + module.k.transpose(1, 2)) / 2
    torch.testing.assert_close(a, einsum("bvrc,sr->bvsc", x, w))
    torch.testing.assert_close(b, einsum("bvrc,ssr,ts->bvtc", x, k, torch.tensor([[1, 2], [3, 4]], dtype=kind)))


def test_complex_networks_with_boxes_pass_every_check(tmp_path: Path) -> None:
    results = list(testing.run(complex_spec(tmp_path), ["g", "h"]))
    assert [result for result in results if not result.ok] == []
    assert {result.check for result in results if result.status == "ok"} >= {"equivariance", "gradients", "copies"}


def test_results_that_are_direct_sums_pass_every_check() -> None:
    spec = catnn.parse("""
        space V : S(n)
        layer f : V[2] + V^2 -> V[2] + V^2 = id + all
        network g(x: V^2[2], s: V[2] + V^2) -> V^2[2], V[2] + V^2, V[2] + V^2 {
          return relu(x), f(s), f(f(s))
        }""")
    results = list(testing.run(spec, ["g"]))
    assert [result.status for result in results] == ["ok"] * len(results)


@pytest.mark.parametrize("arrow", ["R + V[3] -> V[2]", "V[3] -> V + R[2]", "V[3] + R -> R + V[2]"])
@pytest.mark.parametrize("group", ["Perm(3, (0 1 2))", "Aut(3, 0-1 1-2)"])
def test_a_part_without_orbits_beside_parts_on_them(group: str, arrow: str) -> None:
    spec = catnn.parse(f"space V : O(3)  space R : {group}  layer f : {arrow} = all")
    assert [result for result in testing.run(spec, only=("dense match", "equivariance")) if not result.ok] == []


@pytest.mark.parametrize("element", ["[b c -> d] - [b b -> b]", "(1/n) * ([b c -> d] - [b b -> b])"])
def test_weights_of_sums_that_vanish_at_a_size(element: str) -> None:
    layer = catnn.parse(f"space R : S(n)  layer f : R^2[2] -> R[2] = span {{ {element}, [b c -> b] }}")["f"]
    for n in (1, 2, 7):
        module = catnn.compile(layer, n=n, dtype=torch.float64)
        assert module.weight.isfinite().all()
        assert module.weight.abs().max() < 10
        y = module(torch.ones(n, n, 2, dtype=torch.float64))
        assert y.abs().max() < 100


def test_adj_of_a_directed_graph_is_its_pattern() -> None:
    spec = catnn.parse("space G : Aut(3, 0->1 1->2 2->0)  let a : G -> G = adj  check adj = [i -> j | j i]")
    assert spec["a"].matrix().tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0]]


def test_the_spec_of_every_feature_computes_what_it_says() -> None:
    spec = catnn.load("tests/specs/seams.catnn")
    assert len(spec.checks) == 6
    results = list(testing.run(spec, only=("dense match", "equivariance", "copies")))
    assert [result for result in results if not result.ok] == []
    assert sum(result.status == "ok" for result in results) >= 35
