"""Here layers run in C, as they do for users; in all other tests it is the statements of the generated files."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from catnn.native import attach as attaching
from catnn.native.attach import detach
from catnn.native.build import library
from catnn.plan.rates import IN_C


@pytest.fixture(autouse=True)
def native(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The C library, for one test."""
    monkeypatch.setenv("CATNN_NATIVE", "1")
    library.cache_clear()
    if library() is None:
        pytest.skip("there is no C compiler here")
    monkeypatch.setattr(attaching, "FORCED", IN_C)  # whatever the cost model says of so small sizes
    _detach()  # what tests without the library left behind
    yield
    library.cache_clear()
    _detach()


def _detach() -> None:
    for name, module in list(sys.modules.items()):
        if name.startswith("catnn_generated_"):
            detach(module)
