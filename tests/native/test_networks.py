"""What a network computes as one, in C."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import catnn
from catnn.emit import cache
from catnn.native import attach
from catnn.plan.rates import STATEMENTS
from tests.emit.test_sharing import alone, made, outcome, same
from tests.native.test_attach import calls  # noqa: F401


@pytest.mark.parametrize("name", ["sum", "before", "named"])
def test_as_one_in_c(name: str, calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    _, module, xs = made(name)
    found: list[Any] = outcome(module, xs)
    assert calls == (["forward", "backward"] if name != "named" else 2 * ["forward"] + 2 * ["backward"])
    monkeypatch.setattr(attach, "FORCED", STATEMENTS)
    same(found, outcome(alone(module), xs))


def test_what_is_found_again_runs_in_c_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, calls: list[str]) -> None:  # noqa: F811
    """From the folder: as many layers have their program, and layers that run as one are chosen by the rates."""
    monkeypatch.setenv("CATNN_PLANS", "1")
    monkeypatch.setenv("CATNN_CACHE", str(tmp_path))
    layers = "layer f : V^2[4] -> V^2[8] = all + bias  layer h : V^2[8] -> V^2[8] = all"
    text = f"space V : S(n)  {layers}  network g : V^2[4] -> V^2[8] = f ; h"
    modules = []
    for path in ("one.catnn", "two.catnn"):
        cache._RECENT.clear()
        modules.append(catnn.compile(catnn.parse(text, path=path)["g"], dtype=torch.float64))
    first, again = (sys.modules[type(module).__module__] for module in modules)
    assert first is not again
    assert [name for _, name, _ in first.attached] == [name for _, name, _ in again.attached]
    assert "pays" in [name for _, name, _ in again.attached]
    modules[1].load_state_dict(modules[0].state_dict())
    x = torch.randn(16, 16, 16, 4, dtype=torch.float64)
    assert modules[1]._together[0].pays(x)
    with torch.no_grad():
        torch.testing.assert_close(modules[0](x), modules[1](x))
    assert calls == ["forward", "forward"]
    cache._RECENT.clear()
