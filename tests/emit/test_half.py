"""Half precision: what is divided is not lost before it is."""

from __future__ import annotations

import pytest
import torch

from tests.emit.definition import build

SPEC = "space V : S(n)  space R : O(3)  layer "
ITEMS = {
    "all axes": ("f : V^2[1] -> 1[1] = all { reduce: mean }", (300, 300, 1)),
    "one axis": ("f : V[1] -> 1[1] = all { reduce: mean }", (70_000, 1)),
    "in a product": ("f : V @ R[1] -> R[1] = all { reduce: mean }", (70_000, 3, 1)),
    "gate": ("a : V @ R[1] -> V @ R[1] = id  network f : V @ R[1] -> V @ R[1] = a ; gate", (300, 3, 1)),
}


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", ITEMS)
def test_means_do_not_overflow(name: str, dtype: torch.dtype) -> None:
    """The sums are beyond float16, the means are not; with autograd and without; and they are right."""
    text, shape = ITEMS[name]
    _, module = build(SPEC + text, n=2, dtype=dtype)
    _, exact = build(SPEC + text, n=2)
    exact.load_state_dict(module.state_dict())
    x = torch.linspace(1, 300 if name == "gate" else 3, shape[0]).reshape(-1, *(1,) * (len(shape) - 1)).expand(shape)
    x = x.to(dtype)
    expected = exact(x.double())
    for grad in (True, False):
        with torch.set_grad_enabled(grad):
            found = module(x)
        assert found.dtype == dtype
        scale = expected.abs().max()
        assert (found.double() - expected).abs().max() <= 4 * torch.finfo(dtype).eps * scale
