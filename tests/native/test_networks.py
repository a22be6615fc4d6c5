"""What a network computes as one, in C."""

from __future__ import annotations

from typing import Any

import pytest

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
