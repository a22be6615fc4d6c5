"""What every test may use: golden files, and `--update-golden` to write them anew."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files instead of comparing them")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Compare a text with a golden file, byte for byte; with `--update-golden`, write the file."""
    update = bool(request.config.getoption("--update-golden"))

    def compare(path: Path, text: str) -> None:
        if update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode("utf-8"))
        assert path.is_file(), f"{path} is missing: run pytest with --update-golden and read what it wrote"
        assert path.read_bytes().decode("utf-8") == text, f"{path} differs: see above, or run with --update-golden"

    return compare


os.environ.setdefault(
    "CATNN_NATIVE", "0"
)  # the tests are of the generated files; tests/native is of what runs behind them
os.environ.setdefault("CATNN_PLANS", "0")  # what is tested is emitted, not remembered; tests/emit/test_cache.py says so
os.environ.setdefault("CATNN_RATES", os.devnull)  # predictions are those of the rates that catnn comes with


@pytest.fixture(autouse=True)
def statements(monkeypatch: pytest.MonkeyPatch) -> None:
    """Layers run in the statements of their files, however small they are; tests of other ways say so."""
    attach = sys.modules.get("catnn.native.attach")
    if attach is None and "torch" in sys.modules:
        from catnn.native import attach
    if attach is not None:
        monkeypatch.setattr(attach, "FORCED", "torch statements")
