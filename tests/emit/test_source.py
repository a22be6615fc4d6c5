"""Generated source: the same bytes everywhere, torch alone; no name breaks it, nothing gets past the vetting."""

from __future__ import annotations

import ast
import importlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import catnn
from catnn.compiler import generate
from catnn.emit import parts
from catnn.emit.file import FORMAT
from catnn.emit.load import load
from catnn.emit.vet import UnsafeSourceError, vet
from catnn.emit.writer import MODULE
from tests.emit.definition import DOUBLE, build

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden" / "emit"

SPECS = {
    "mix": "space V : S(n)\nlayer mix : V^2[3] -> V^2[16] = all + bias\n",
    "rotations": "space R : O(n)\nlayer turn : R^2[3] -> R^2[4] = all + bias\n",
    "symplectic": "space P : Sp(n)\nlayer flow : P^3[2] -> P[2] = all\n",
    "jellyfish": "space V : A(3)\nlayer even : V^2[2] -> V[4] = all + bias\n",
    "mean": "space V : S(n)\nlayer pool : V^2[3] -> V[8] = all + bias { reduce: mean }\n",
    "direct_sum": "space V : S(n)\nlayer split : V^2[2] + V[3] -> V^2[4] + 1[2] = all + bias\n",
    "network": """space N : S(n)
space R : O(3)
layer lift : N @ R[1] -> N @ R[4] = all { reduce: mean }
layer outer : N @ R[4] + N[1] -> N^2[4] = all + bias
layer pool : N^2[4] -> 1[4] = all + bias
layer spread : 1[4] -> N^2[4] = all
let center : N @ R -> N @ R = id - (1/n) * [i a -> j a]
network move : N @ R[1] -> N @ R[4] = center ; lift ; gate
network classify : N^2[4] -> N^2[4] = pool ; softplus ; spread + 1/2 * id
""",
    "orbits": "space V : Aut(4, 0-1 1-2 2-3 0-3)\nspace R : O(n)\nlayer bond : V @ R[2] -> V @ R[3] = all\n",
    "stored": """space V : S(n)
space F : 6
layer fold : F @ V[2] -> V @ F[2] = all + bias + 2 * [f v -> v f]
layer outer : V @ F[2] -> Sym^2(V)[3] = all + bias
layer inner : Sym^2(V) @ V[3] -> V[2] = span { [i j k -> k], [i i j -> j] }
network round : F @ V[2] -> Sym^2(V)[3] = fold ; outer ; exp
""",
}


@pytest.mark.parametrize("name", SPECS)
def test_golden(name: str, golden: Callable[[Path, str], None]) -> None:
    """What `catnn compile` writes, to be read."""
    golden(GOLDEN / f"{name}.py", generate(catnn.parse(SPECS[name], path=f"{name}.catnn")).text)


RUN = """
import importlib.util, sys
sys.modules["catnn"] = None  # an import of it fails
spec = importlib.util.spec_from_file_location("generated", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
import torch
torch.manual_seed(0)
for cls in list(vars(module).values()):
    own = isinstance(cls, type) and issubclass(cls, module._Layer) and not cls.__name__.startswith("_")
    if own and not hasattr(cls, "kinds"):
        layer = cls()
        sizes = {space: size if isinstance(size, int) else 4 for space, size in layer.space_sizes.items()}
        lengths = [[sizes[space] for space in word] for word, _ in layer.inputs]
        if hasattr(layer, "powers"):
            pairs = zip(lengths, layer.powers[0])
            lengths = [[10, *axes[2:]] if powers[:1] == (2,) else axes for axes, powers in pairs]
        xs = tuple(torch.randn(2, *axes, c, requires_grad=True) for axes, (_, c) in zip(lengths, layer.inputs))
        ys = layer(xs if len(xs) > 1 else xs[0])
        sum(y.sum() for y in (ys if isinstance(ys, tuple) else (ys,))).backward()
        assert all(p.grad is not None for p in layer.parameters())
        print(cls.__name__)
"""


@pytest.mark.parametrize("name", SPECS)
def test_golden_files_need_torch_alone(name: str) -> None:
    """In a process of its own, where catnn cannot be imported."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", RUN, str(GOLDEN / f"{name}.py")],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()


def test_imports_are_torch_alone() -> None:
    tree = ast.parse(generate(catnn.parse(SPECS["network"])).text)
    modules = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    modules |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in modules} == {"torch"}


def test_the_same_bytes_in_every_process() -> None:
    """Whatever PYTHONHASHSEED; no date, no path, no address."""
    code = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import hashlib, catnn
from catnn.compiler import generate
for text in {list(SPECS.values())!r}:
    print(hashlib.sha256(generate(catnn.parse(text)).text.encode()).hexdigest())
"""
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            check=True,
            timeout=300,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(outputs) == 1


def test_the_head() -> None:
    text = generate(catnn.parse(SPECS["mix"], path="some/graph.catnn")).text
    head = ast.get_docstring(ast.parse(text))
    assert head.startswith("Equivariant layers, compiled by catnn from graph.catnn.")
    assert f"catnn format: {FORMAT}" in head
    assert parts.FORMAT == FORMAT == load(text).FORMAT


def test_source_and_traceback() -> None:
    """`module.source` is the text, and tracebacks show its lines."""
    _, module = build(SPECS["mix"], "mix")
    assert module.source == load(module.source).Mix.source
    assert "class Mix(_Layer):" in module.source
    import traceback

    try:
        module(torch.zeros(2, 5, 4, 3, dtype=DOUBLE))
    except ValueError:
        assert "raise ValueError(" in traceback.format_exc()


# ---------------------------------------------------------------------------------------------- names that attack

EVERYWHERE = "lambda class None none true print super type self __init__ _ __ torch Tensor tensor x w0 n été α".split()
FILE = """
        Linear FORMAT Layer layer_ Mix _mix mix_run mix_pack mix_reduce masks masked lengths scaled full zeros form
    flat normal     save saved vmap count derived
""".split()
LOCAL = """
        False any zip tuple eval int nn y z b r r_2 g ctx needs dx dw db d_n grads halves tangents moved mixed norms
    kinds at args     xs counts info in_dims plus minus index_2 size_n size_x size_size_x count_V β1
""".split()
MODULE_NAMES = """
        forward sizes source training train half float to parameters modules state_dict apply add_module _modules
    _parameters reset_parameters compute label inputs outputs space_sizes even weight bias module
""".split()
NAMES = {"layer": FILE, "size": LOCAL, "space": ["count_V", "size_n", "ñ"], "stage": MODULE_NAMES, "network": FILE}
USES = {
    "layer": "space V : S(n)\nlayer {0} : V[2] -> V[2] = all + bias",
    "size": "space V : S({0})\nlayer f : V[2] -> V[2] = all + bias + (1/{0}) * id {{ reduce: mean }}",
    "space": "space {0} : S(n)\nlayer f : {0}[2] -> {0}[2] = all + bias {{ reduce: mean }}",
    "stage": """space V : S(n)\nlayer {0} : V[2] -> V[2] = all + bias\nlayer mix : V[2] -> V[2] = all
        network top : V[2] -> V[2] = {0} ; sigmoid ; mix""",
    "network": """space V : S(n)\nlayer mix : V[2] -> V[2] = all + bias
        network {0} : V[2] -> V[2] = mix ; sigmoid\nnetwork top : V[2] -> V[2] = {0} ; (1/n) * mix""",
}


@pytest.mark.parametrize("use", USES)
def test_no_name_breaks_the_source(use: str) -> None:
    """Every name either is refused by the language, or gives a module that computes what a harmless name does."""

    def outcome(name: str) -> Any:
        try:
            spec = catnn.parse(USES[use].format(name))
            item = spec["f" if "f" in spec else "top" if "top" in spec else name]
            module = catnn.compile(item, dtype=DOUBLE)
        except catnn.CatnnError as error:
            return str(error).splitlines()[0]
        torch.manual_seed(0)
        for parameter in module.parameters():
            torch.nn.init.normal_(parameter)
        x = torch.randn(2, 3, 2, dtype=DOUBLE, requires_grad=True)
        module(x).sin().sum().backward()
        masked = module(x.detach(), mask=torch.ones(2, 3, dtype=torch.bool))
        assert all(n.id.isascii() for n in ast.walk(ast.parse(module.source)) if isinstance(n, ast.Name))
        torch.func.jvp(module, (x.detach(),), (x.detach(),))
        return float(masked.sum() + x.grad.sum())

    expected, wrong = outcome("harmless"), {}
    for name in (*EVERYWHERE, *NAMES[use]):
        try:
            found = outcome(name)
        except Exception as error:
            found = repr(error)
        if found != expected and not str(found).startswith("error["):
            wrong[name] = found
    assert not wrong


def test_names_that_look_alike() -> None:
    """Python would take both for one; the language refuses the second spelling."""
    for text in ("space ﬁ : S(n)", "space V : S(ﬁ)", "space V : S(n)\nlayer ﬁ : V -> V = all"):
        with pytest.raises(catnn.CatnnError, match="E0006"):
            catnn.parse(text)
    spec = catnn.parse("space V : S(α)\nspace W : S(alpha)\nlayer f : V @ W[1] -> V @ W[2] = all { reduce: mean }")
    module = catnn.compile(spec["f"], α=3, alpha=4)
    assert module.sizes == {"α": 3, "alpha": 4}
    assert module(torch.zeros(2, 3, 4, 1), mask={"V": torch.ones(2, 3).bool()}).shape == (2, 3, 4, 2)


def test_functions_of_different_layers_stay_apart() -> None:
    names = ["mix", "mix_run", "mix_reduce", "MIX", "mix_pack", "mixrun"]
    text = "space V : S(n)\n" + "\n".join(f"layer {name} : V[1] -> V[1] = all + bias" for name in names[:3])
    module = load(generate(catnn.parse(text)).text)
    for cls in (module.Mix, module.MixRun, module.MixReduce):
        assert cls()(torch.zeros(3, 1)).shape == (3, 1)
    with pytest.raises(catnn.CatnnError, match="E1016"):
        generate(catnn.parse("space V : S(n)\nlayer mix : V -> V = all\nlayer Mix : V -> V = all"))


@pytest.mark.parametrize(
    "path", ['a"""\nimport os\n"""', "a'\r\nprint(1)", "x\\", "\0", "{title}", "\u202e", "a" * 5000, "../..", ""]
)
def test_paths_that_attack(path: str) -> None:
    text = generate(catnn.parse(SPECS["mix"], path=path)).text
    assert load(text).Mix()
    assert len(ast.parse(text).body[0].value.value.splitlines()) == 7
    assert text.isascii()


# ------------------------------------------------------------------------------------------------------- vetting

ATTACKS = [
    "import os", "import torch, os", "import torch as t", "import torch.utils", "from os import path",
    "from torch import hub", "from torch import *", "from . import x", "from torch import nn as n", "eval('1')",
    "exec('1')", "__import__('os')", "compile('1', '', 'exec')", "open('f')", "input()", "breakpoint()", "help()",
    "exit()", "print(1)", "globals()", "vars()", "getattr(x, 'y')", "setattr(x, 'y', 1)", "type('A', (), {})",
    "object", "__builtins__", "memoryview", "raise SystemExit", "torch.os.system('id')", "torch.hub.load('a', 'b')",
    "torch.load('f')", "torch.save(x, 'f')", "torch.from_file('f')", "torch.compile(f)",
    "torch.ops.load_library('x')", "torch.classes.load_library('x')", "torch.utils.cpp_extension.load()",
    "torch._C._jit", "torch.serialization.pickle.loads(b'')", "nn.modules.module.torch.os", "t = torch", "f(torch)",
    "[nn][0]", "torch.cat.__globals__", "Tensor.__reduce__", "().__class__.__bases__", "nn.__class__",
    "x.__subclasses__()", "self.__dict__", "'{0.__class__}'.format(x)", "f'{x.__class__}'", "x.numpy().tofile('f')",
    "x.register_hook(f)", "x.data", "sys.exit()", "global x", "async def f(): pass", "def f():\n yield 1",
    "while True: pass", "try:\n pass\nexcept ValueError: pass", "del x", "del x.y", "assert x", "lambda: 1", "(x := 1)",
    "class A(metaclass=M): pass", "@d\nclass A: pass", "@torch.no_grad()\ndef f(): pass", "@f\ndef g(): pass",
    "def __getattr__(name): pass", "class A:\n def __del__(self): pass", "match x:\n case _: pass",
]  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_vetting_refuses(attack: str) -> None:
    head = "import torch\nfrom torch import Tensor, nn\n"
    for text in (
        head + attack,
        head + "class A(nn.Module):\n    def f(self):\n        " + attack.replace("\n", "\n        "),
    ):
        with pytest.raises((UnsafeSourceError, SyntaxError)):
            vet(text)


def test_a_pickle_is_vetted() -> None:
    """The source inside a pickle is refused like any other."""
    rebuild = importlib.import_module("catnn.emit.load")._rebuild
    with pytest.raises(UnsafeSourceError):
        rebuild("import os\nclass A: pass\n", "A")


def test_names_of_torch_are_known() -> None:
    """What no submodule may be called: all that a module of torch has by itself."""
    assert {name for name in dir(torch.nn.Module()) if not name.startswith("_")} <= MODULE
