"""Boxes that are functions of other packages: with leave alone, listed, vetted, and run as they are."""

from __future__ import annotations

import io
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import catnn
from catnn.activations import IMPORTABLE, MAPS
from catnn.commands import check as check_verb
from catnn.diagnostics import CatnnError
from catnn.emit.vet import UnsafeSourceError, foreign, vet

PACKAGE = """
import torch

CALLS = []

def swish(x):
    CALLS.append(tuple(x.shape))
    return x * torch.sigmoid(x)

def pair(x):
    return torch.stack([x.sum(-2), x.prod(-2)], -2)

def spoilt(x):
    return x * torch.arange(x.shape[1], dtype=x.dtype)[:, None]

def short(x):
    return x[:, :-1]

def number(x):
    return 1.0
"""
SPEC = """space V : S(n)
space D : 4
space E : 2
box swish : V @ D -> V @ D = map "{package}.maps.swish"
box pair : D -> E = map "{package}.maps.pair"
network f(x: V @ D[3]) -> V @ D[3], E[3] {{
  y = swish(x)
  return y + x, pair([i d -> d](y))
}}
network g : V @ D[3] -> V @ D[3] = swish ; swish
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """The name of a package that can be imported, a new one for each test."""
    name = f"foreign_{abs(hash(request.node.name)) % 10**8}"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "maps.py").write_text(PACKAGE)
    monkeypatch.syspath_prepend(tmp_path)
    return name


def one(text: str, package: str) -> Any:
    found = catnn.parse(f"space V : S(n)  space D : 4  {text.replace('PACKAGE', package)}", allow_maps=True)
    return catnn.compile(found["f"])


def test_without_leave_each_is_an_error(package: str) -> None:
    """With its code and place; nothing is imported, neither then nor when it is allowed but not compiled."""
    text = SPEC.format(package=package)
    with pytest.raises(CatnnError) as caught:
        catnn.parse(text)
    assert [d.code for d in caught.value.diagnostics] == ["E0628", "E0628"]
    assert f"`{package}.maps.swish`" in str(caught.value)
    assert "--allow-maps" in str(caught.value)
    spec = catnn.parse(text, allow_maps=True)
    assert spec.maps == {"swish": f"{package}.maps.swish", "pair": f"{package}.maps.pair"}
    assert package not in sys.modules
    with pytest.raises(CatnnError, match="True or False"):
        catnn.parse(text, allow_maps=1)  # type: ignore[arg-type]


def test_imports_need_the_same_leave(package: str, tmp_path: Path) -> None:
    (tmp_path / "inner.catnn").write_text(SPEC.format(package=package))
    (tmp_path / "outer.catnn").write_text('import "inner.catnn" as H\nnetwork f : H.V @ H.D[3] -> H.V @ H.D[3] = H.g\n')
    with pytest.raises(CatnnError, match="E0628"):
        catnn.load(tmp_path / "outer.catnn")
    spec = catnn.load(tmp_path / "outer.catnn", allow_maps=True)
    assert spec.maps == {"H.swish": f"{package}.maps.swish", "H.pair": f"{package}.maps.pair"}
    x = torch.randn(2, 5, 4, 3)
    y = x * torch.sigmoid(x)
    torch.testing.assert_close(catnn.compile(spec["f"])(x), y * torch.sigmoid(y))


def test_what_they_compute(package: str) -> None:
    spec = catnn.parse(SPEC.format(package=package), allow_maps=True)
    module = catnn.compile(spec["f"])
    x = torch.randn(2, 5, 4, 3, requires_grad=True)
    real = torch.tensor([[1, 1, 0, 1, 0], [1, 1, 1, 1, 1]]).bool()
    y = x * torch.sigmoid(x)
    first, second = module(x)
    torch.testing.assert_close(first, x + y)
    torch.testing.assert_close(second, torch.stack([y.sum(1).sum(1), y.sum(1).prod(1)], 1))
    (got,) = torch.autograd.grad(first.sum() + second.sum(), x, retain_graph=True)
    (want,) = torch.autograd.grad((x + y).sum() + y.sum() + y.sum(1).prod(1).sum(), x)
    torch.testing.assert_close(got, want)
    masked, _ = module(x, mask=real)
    assert not masked[~real].any()
    torch.testing.assert_close(module(x[0])[0], first[0])
    assert sys.modules[f"{package}.maps"].CALLS[0] == (2, 5, 4, 3)


@pytest.mark.parametrize(("function", "got"), [("short", r"\(2, 3, 1\)"), ("number", "1.0")])
def test_another_shape_is_told(package: str, function: str, got: str) -> None:
    module = one(f'box s : D -> D = map "PACKAGE.maps.{function}"  network f(x: D) -> D {{ return s(x) }}', package)
    with pytest.raises(ValueError, match=rf"s: expected a tensor of the shape \(2, 4, 1\), got {got}"):
        module(torch.ones(2, 4, 1))


def test_a_broken_promise_is_seen_by_the_tests(package: str) -> None:
    from catnn.testing import run

    text = f'space V : S(n)  box s : V -> V = map "{package}.maps.spoilt"  network f(x: V) -> V {{ return s(x) }}'
    found = {result.check: result.ok for result in run(catnn.parse(text, allow_maps=True), only=("equivariance",))}
    assert found == {"equivariance": False}


def test_the_whitelist_needs_no_leave() -> None:
    """A path of the whitelist is the function of that name, checked as such."""
    assert IMPORTABLE["torch.erf"] == "erf"
    for path, name in IMPORTABLE.items():
        function = torch
        for word in path.split(".")[1:]:
            function = getattr(function, word)
        x = torch.rand(5) + 0.1
        torch.testing.assert_close(
            function(x), eval(MAPS[name].torch.format("x"), {"torch": torch, "nn": torch.nn, "x": x})
        )
    spec = catnn.parse('space V : S(n)  box e : V -> V = map "torch.erf"  network f(x: V) -> V { return e(x) }')
    assert spec.maps == {}
    assert "import torch\nfrom torch import Tensor, nn\n\nFORMAT" in catnn.compile(spec["f"]).source
    with pytest.raises(CatnnError, match="E0501"):
        catnn.parse('space R : O(3)  box e : R -> R = map "torch.erf"')


@pytest.mark.parametrize(
    "path",
    ["f", "a b.f", "os;system", "a..f", ".f", "a.", "a.__import__", "a.class", "a.f as g", "ä.f", "a.f\\n", "1.f", ""],
)
def test_what_is_no_import_path(path: str) -> None:
    with pytest.raises(CatnnError) as caught:
        catnn.parse(f'space D : 4  box f : D -> D = map "{path}"', allow_maps=True)
    assert caught.value.diagnostics[0].code in ("E0627", "E0001", "E0002", "E0004", "E0005", "E0006", "E0007")


@pytest.mark.parametrize("text", ["box f : V -> V = map", 'box f : V -> V = abstract "a.b"'])
def test_kinds_and_their_texts(text: str) -> None:
    with pytest.raises(CatnnError, match="E0624"):
        catnn.parse(f"space V : S(n)  {text}", allow_maps=True)


def test_the_file_has_that_line_and_no_other(package: str) -> None:
    from catnn.compiler import generate

    generated = generate(catnn.parse(SPEC.format(package=package), allow_maps=True))
    lines = [line for line in generated.text.splitlines() if line.startswith(("import ", "from "))]
    assert lines == [
        "import torch",
        "from torch import Tensor, nn",
        f"from {package}.maps import swish as _imported_1",
        f"from {package}.maps import pair as _imported_2",
    ]
    assert foreign(generated.text) == (f"{package}.maps.swish", f"{package}.maps.pair")
    vet(generated.text, generated.imports)
    with pytest.raises(UnsafeSourceError):
        vet(generated.text)
    for attack in (
        "y = _imported_1",
        "_imported_1.__globals__",
        "_imported_1.x",
        "f(_imported_1)",
        "from os import system as _imported_1",
    ):
        with pytest.raises(UnsafeSourceError):
            vet(f"{generated.text}\n{attack}\n", generated.imports)


def test_pickles_are_read_where_the_spec_was_compiled(package: str, tmp_path: Path) -> None:
    module = one('box s : V @ D -> V @ D = map "PACKAGE.maps.swish"  network f : V @ D -> V @ D = s', package)
    x = torch.randn(2, 5, 4, 1)
    torch.testing.assert_close(pickle.loads(pickle.dumps(module))(x), module(x))
    (tmp_path / "module.pickle").write_bytes(pickle.dumps(module))
    code = f"""
import pickle, sys
from catnn import CatnnError
try:
    pickle.load(open({str(tmp_path / "module.pickle")!r}, "rb"))
except CatnnError as error:
    print(error.diagnostics[0].code, "{package}" in sys.modules)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert ran.stdout.split() == ["E1023", "False"], ran.stderr


def test_what_is_not_there_is_told() -> None:
    text = 'space D : 4  box s : D -> D = map "no_such_package.f"  network f(x: D) -> D { return s(x) }'
    with pytest.raises(CatnnError, match=r"E1022.*no_such_package"):
        catnn.compile(catnn.parse(text, allow_maps=True)["f"])


def test_check_lists_them(package: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "spec.catnn"
    file.write_text(SPEC.format(package=package))
    assert check_verb.run([str(file), "--allow-maps"]) == 0
    notes = capsys.readouterr().err.splitlines()
    assert len(notes) == 2
    assert f"swish: runs `{package}.maps.swish`" in notes[0]
    assert "equivariant on V (S(n)) is a promise" in notes[0]
    assert "promise" not in notes[1]
    assert check_verb.run([str(file), "--allow-maps", "--json"]) == 0
    found = json.load(io.StringIO(capsys.readouterr().out))["files"][0]
    assert found["maps"] == {"swish": f"{package}.maps.swish", "pair": f"{package}.maps.pair"}
    assert check_verb.run([str(file)]) == 1
    assert package not in sys.modules
