"""`catnn.testing` finds what is wrong: each check is shown a broken module that it must refuse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import catnn
from catnn.model import Layer
from catnn.testing import Mismatch, Result, Skip, checks, run
from catnn.testing.samples import assignments, module_of

ROOT = Path(__file__).resolve().parent.parent
SPEC = catnn.parse("""
space V, U : S(n)
space R : O(3)
space P : Sp(m)
layer f : V^2[2] + V -> V[2] + 1 = all + bias { reduce: mean }
layer points : V @ R[2] -> R[3] + V @ R^2 = all + bias
layer pairs : P^2 -> P^2[2] + 1 = all + bias
layer residual : V[2] -> V[2] = all + id
layer both : V @ P -> P @ V^2 = all
layer lift : 1[3] -> V[2] = all + bias
layer none : R -> 1 = bias
layer plain : 1[2] -> 1[3] = all + bias
layer copies : V @ U -> V = all
network model : V[2] -> V[2] = residual ; sigmoid ; (id + residual)
network turn : R[2] -> R[2] = r ; norm_relu
""".replace("network turn", "layer r : R[2] -> R[2] = all\nnetwork turn"))  # fmt: skip


@pytest.mark.parametrize("name", [*SPEC.layers, *SPEC.networks])
def test_every_check_but_export_passes(name: str) -> None:
    only = ("dense match", "equivariance", "gradients", "mask", "copies")
    failed = [result for result in run(SPEC, [name], only=only) if not result.ok]
    assert failed == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["f", "points", "pairs", "model"])
def test_exports(name: str) -> None:
    (result,) = run(SPEC, [name], only=("export",))
    assert result.status == "ok", result.detail


class Wrong(nn.Module):
    """A module around another one, with a fault."""

    def __init__(self, right: nn.Module, fault: Callable[[Any, Any], Any]) -> None:
        super().__init__()
        self.right, self.fault = right, fault
        for name, parameter in right.named_parameters():
            setattr(self, name, parameter)

    def forward(self, x: Any, mask: Any = None) -> Any:
        return self.fault(self.right(x, mask=mask), mask)


class Leak(torch.autograd.Function):
    """The identity, with twice its gradient."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:
        return 2 * grad


@pytest.mark.parametrize(
    ("check", "fault"),
    [
        (checks.dense_match, lambda y, mask: y * 1.0001),
        (checks.dense_match, lambda y, mask: y[..., :1]),
        (checks.equivariance, lambda y, mask: y + torch.arange(y.shape[-2], dtype=y.dtype).unsqueeze(-1)),
        (checks.gradients, lambda y, mask: Leak.apply(y)),
        (checks.mask, lambda y, mask: y + 1),
        (checks.mask, lambda y, mask: y * (1 if mask is None else 2)),
    ],
    ids=["number", "shape", "not equivariant", "gradient", "padding", "mask"],
)
def test_a_fault_is_found(check: checks.Check, fault: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    layer = catnn.parse("space V : S(n)  layer f : V[2] -> V[2] = all + bias")["f"]
    assert check(layer, 0)
    monkeypatch.setattr(checks, "module_of", lambda *options: Wrong(module_of(*options), fault))
    with pytest.raises(Mismatch):
        check(layer, 0)


def test_what_is_too_large_for_dense_matrices_is_tested_axis_by_axis(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups act through their small matrices, so only the comparison with dense matrices is left out."""
    layer = catnn.parse("space R : O(9)  layer big : R^4 -> R^4 = all")["big"]
    with pytest.raises(Skip, match="its dense matrices are too large"):
        checks.dense_match(layer, 0)
    for check in (checks.equivariance, checks.gradients, checks.copies):
        assert check(layer, 0)

    def fault(y: torch.Tensor, mask: Any) -> torch.Tensor:
        return y + y.abs() * 1e-6

    monkeypatch.setattr(checks, "module_of", lambda *options: Wrong(module_of(*options), fault))
    with pytest.raises(Mismatch):
        checks.equivariance(layer, 0)


def test_what_cannot_be_tested_is_skipped() -> None:
    spec = catnn.parse("space R : O(99)  layer big : R^4 -> R^4 = all  layer one : 1 -> 1 = all")
    with pytest.raises(Skip):
        checks.equivariance(spec["big"], 0)
    with pytest.raises(Skip):
        checks.equivariance(spec["one"], 0)
    with pytest.raises(Skip):
        checks.mask(spec["one"], 0)


def test_sizes_are_those_of_groups() -> None:
    layer: Layer = SPEC["both"]
    assert all(sizes["m"] % 2 == 0 and sizes["n"] != sizes["m"] for sizes in assignments(layer))
    assert {sizes["n"] for sizes in assignments(layer)} >= {1, 2, 3}


def test_results_are_plain_data() -> None:
    result = Result("f", "mask", "ok", "n=3", 0.12345)
    assert result.to_dict() == {"name": "f", "check": "mask", "status": "ok", "detail": "n=3", "seconds": 0.123}


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.catnn")), ids=lambda path: path.name)
def test_the_examples_hold(path: Path) -> None:
    assert [
        result for result in run(catnn.load(path), only=("dense match", "equivariance", "mask")) if not result.ok
    ] == []
