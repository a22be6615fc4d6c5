"""Odd command lines: whatever is typed, the status is one of the documented ones and nobody sees a traceback."""

from __future__ import annotations

import json
import random
from importlib.util import find_spec
from pathlib import Path

import pytest

from catnn.cli import main
from catnn.commands import COMMANDS

SPEC = "space V : S(n)\nlayer f : V[2] -> V = all + bias\nlet g : V -> V = id\n"
HEAVY = frozenset({"test", "bench"})
ENDLESS = frozenset({"lsp"})  # it reads the standard input of the process itself
WORDS = [
    "good.catnn", "good.catnn:f", "good.catnn:g", "good.catnn:h", "good.catnn:", ":f", ":", "bad.catnn", "none.catnn",
    "folder", "folder/", "good.catnn/x", "-", "--", "", " ", "--json", "--as", "svg", "html", "graphml", "xyz", "-o",
    "out", "out.svg", "folder/out", "/dev/null", "--n", "--n=3", "3", "0", "-1", "1" * 30, "n", "S(n)", "S(3)",
    "O(", "Sp(3)", "S(n)\n", "\0", "\x1b[31m", "\udcff", "ü", "𝕍", "'", '"; import os', "`", "--help", "-h",
    "--version", "--check", "--force", "--target", "cuda", "--trace", "--max-diagrams", "E0301", "e1009",
    "[E0301]", "../E0001",
    "a" * 5000, "C:\\good.catnn", "C:good.catnn:f", "--=", "--a b=1", "--batch", "--json=1", "check", "@good.catnn",
    "%s", "{}",
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", None)
    if find_spec("uvicorn") is not None:
        monkeypatch.setattr("catnn.playground.server.serve", lambda *_, **__: None)  # it would serve until interrupted
    (tmp_path / "good.catnn").write_text(SPEC, encoding="utf-8")
    (tmp_path / "bad.catnn").write_text("layer", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    return tmp_path


@pytest.mark.parametrize("seed", range(8))
def test_no_command_line_breaks_it(seed: int, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pick = random.Random(seed)
    verbs = [verb for verb in COMMANDS if verb not in HEAVY | ENDLESS]
    for _ in range(60):
        line = [pick.choice([*verbs, pick.choice(WORDS)]), *pick.choices(WORDS, k=pick.randrange(5))]
        capsys.readouterr()
        status = main(line)
        out, err = capsys.readouterr()
        assert status in (0, 1, 2), f"{line}\n{err}"
        assert "Traceback" not in err, line
        assert "\x1b" not in err, line
        if status and "--json" in line and out:
            assert not json.loads(out)["ok"], line
        if status == 2 and not out and "--json" not in line:
            assert "error[E" in err or "usage:" in err, line
        for kept in ("good.catnn", "bad.catnn"):
            if not (folder / kept).is_file():
                pytest.fail(f"{line} took {kept} away")
            (folder / kept).write_text(SPEC if kept == "good.catnn" else "layer", encoding="utf-8")


@pytest.mark.parametrize("verb", sorted(HEAVY))
@pytest.mark.parametrize(
    "word", [word for word in WORDS if word not in ("good.catnn", "good.catnn:f", "C:good.catnn:f")]
)
def test_nor_the_slow_verbs(verb: str, word: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, word]) in (0, 1, 2)
    assert "Traceback" not in capsys.readouterr().err
