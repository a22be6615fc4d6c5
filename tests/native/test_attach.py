"""Layers in C are the layers of their files: forward and gradients, at all sizes; and who must not see it."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.utils.checkpoint
from torch import nn

import catnn
from catnn.native import attach as attaching
from catnn.native import paired
from catnn.native import program as programs
from catnn.native.build import _compiler, library
from catnn.native.calls import Calls
from catnn.native.room import Room, rooms
from catnn.plan.build import plan_layer
from catnn.plan.rates import in_c
from catnn.testing import run as checks
from tests.emit.definition import inputs, randomise

DOUBLE = torch.float64
SPACES = "space V : S(n)\nspace R : O(m)\nspace T : S(3)\n"
LAYERS = {
    "one to one": "V[3] -> V[5] = all + bias",
    "two to two": "V^2[4] -> V^2[4] = all + bias",
    "odd channels": "V^2[3] -> V^2[17] = all + bias",
    "wide": "V^2[40] -> V^2[33] = all",
    "three to two": "V^3[2] -> V^2[3] = all + bias",
    "two to three": "V^2[2] -> V^3[8] = all + bias",
    "to nothing": "V^3[2] -> 1[4] = all + bias",
    "from nothing": "1[4] -> V^2[3] = all + bias",
    "fixed and bias": "V^2[3] -> V^2[3] = [i j -> j i] + bias",
    "rotations": "R^3[3] -> R^3[2] = all",
    "rotations, coarse": "R^4[1] -> R^2[2] = all",
    "interleaved": "V @ R @ V @ R[2] -> R @ V @ R[3] = all + bias",
    "means": "V^3[2] -> V^2[2] = all + bias { reduce: mean }",
    "sums": "V^2[2] + V[3] -> V^2[1] + V[2] + 1[4] = all + bias",
    "literal": "T^2[2] -> T^2[2] = all + bias",
    "fixed": "V^2[2] -> V^2[2] = [i j -> j i] - (1/n) * [i i -> j j] + span { [i j -> i i] }",
    "span of sums": "V^2[2] -> V[1] = span { [i j -> i] + 1/2 * [i i -> i], (1/3) * [i j -> k] - [i i -> i] } + bias",
    "span": "V^3[2] -> V^3[2] = span { [i j k -> k j i], [i i j -> j i i], [i j k -> l l i] }",
    "signed": "H^2[2] -> H^2[2] = all",
}
SIZES = [{"n": 1, "m": 1}, {"n": 2, "m": 3}, {"n": 5, "m": 2}, {"n": 7, "m": 4}]


def parsed(name: str) -> Any:
    return catnn.parse(f"{SPACES}space H : H(n)\nlayer f : {LAYERS[name]}")["f"]


def outcome(
    item: Any, module: nn.Module, sizes: dict[str, int], batch: tuple[int, ...], dtype: torch.dtype
) -> list[Any]:
    """Outputs, gradients of the inputs and of the parameters."""
    xs = tuple(x.requires_grad_() for x in inputs(item, sizes, batch, dtype=dtype))
    ys = module(xs if len(xs) > 1 else xs[0])
    ys = ys if isinstance(ys, tuple) else (ys,)
    gs = inputs_like(ys)
    torch.autograd.backward(ys, gs)
    with torch.no_grad():
        again = module(xs if len(xs) > 1 else xs[0])
    parameters = [p.grad for _, p in sorted(module.named_parameters())]
    return [*ys, *(again if isinstance(again, tuple) else (again,)), *(x.grad for x in xs), *parameters]


def inputs_like(ys: tuple[torch.Tensor, ...]) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    return [torch.randn(y.shape, generator=generator, dtype=torch.float64).to(y.dtype) for y in ys]


STORED = {
    "packed": "Sym^2(V)[2] -> Sym^2(V)[3] = all + bias",
    "a bias of sums": "Sym^3(V) -> Sym^2(V) @ V = all + bias",
    "packed and rotated": "R @ Sym^2(V)[2] -> Sym^2(V) @ R[2] = all",
    "plain": "F @ V[2] -> V @ F[2] = all + bias + [f v -> v f]",
    "plain and packed": "F @ Sym^2(V)[2] -> Sym^2(V) @ V @ F = all + bias",
    "orbits": "C^2[2] -> C @ F[2] = all + bias",
    "jellyfish": "E^2[2] -> E^2[2] = all + bias",
    "epsilon": "Q^2[2] + Q -> Q[2] + 1 = all + bias",
    "symplectic": "P^2[2] -> P^2[2] = all + bias",
    "Lorentz": "L^2[2] -> L^2[2] = all + bias",
}


@pytest.mark.parametrize("name", STORED)
def test_every_kind_of_layer(name: str) -> None:
    """Forward, gradients and groups of layers stored or computed in ways of their own, as `catnn test` does."""
    spec = catnn.parse(f"""{SPACES}space F : 2 space C : Aut(3, 0-1) space E : A(3) space Q : SO(3) space P : Sp(4)
        space L : O(1,2)  layer f : {STORED[name]}""")
    found = list(checks(spec, only=("dense match", "equivariance", "gradients")))
    assert [result for result in found if not result.ok] == []


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was run in C."""
    found: list[str] = []
    for name in ("forward", "backward"):
        original = getattr(Calls, name)

        def counted(self: Calls, *args: Any, name: str = name, original: Any = original, **options: Any) -> Any:
            found.append(name)
            return original(self, *args, **options)

        monkeypatch.setattr(Calls, name, counted)
    return found


@pytest.fixture
def plainly(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run something in the torch statements of the file."""

    def run(function: Any, *args: Any) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(attaching, "_simple", lambda tensors: False)
            return function(*args)

    return run


@pytest.mark.parametrize("name", LAYERS)
def test_layers_in_c_are_the_layers_of_the_file(name: str, calls: list[str], plainly: Any) -> None:
    item = parsed(name)
    for sizes in SIZES:
        for batch in ((), (1,), (3,), (2, 2)):
            module = randomise(catnn.compile(item, dtype=DOUBLE))
            found = outcome(item, module, sizes, batch, DOUBLE)
            module.zero_grad()
            wanted = plainly(outcome, item, module, sizes, batch, DOUBLE)
            for one, other in zip(found, wanted, strict=True):
                torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)
    assert calls.count("forward") == 2 * len(SIZES) * 4
    assert calls.count("backward") == len(SIZES) * 4


ORDERS = ["two to two", "odd channels", "wide", "three to two", "two to three", "sums", "interleaved", "literal"]


@pytest.mark.parametrize("name", ORDERS)
def test_both_orders_of_two_axes_by_sums_and_differences(
    name: str, plainly: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[int] = []
    for function in (paired.multiply_paired, paired.meet_paired):

        def counted(*args: Any, function: Any = function, **options: Any) -> None:
            found.append(1)
            function(*args, **options)

        monkeypatch.setattr(programs, function.__name__, counted)
    monkeypatch.setattr(paired, "LEAST", 1)
    monkeypatch.setattr(paired, "SHORTEST", 1)
    item = parsed(name)
    for sizes in SIZES:
        for dtype in (DOUBLE, torch.float32):
            module = randomise(catnn.compile(item, dtype=dtype))
            outcomes = outcome(item, module, sizes, (3,), dtype)
            module.zero_grad()
            close = 1e-9 if dtype == DOUBLE else 2e-4
            for one, other in zip(outcomes, plainly(outcome, item, module, sizes, (3,), dtype), strict=True):
                torch.testing.assert_close(one, other, rtol=close, atol=close)
    assert found


@pytest.mark.parametrize("name", ["two to two", "three to two", "sums"])
def test_floats_too(name: str, calls: list[str], plainly: Any) -> None:
    item = parsed(name)
    module = randomise(catnn.compile(item))
    found = outcome(item, module, {"n": 5}, (3,), torch.float32)
    assert calls == ["forward", "backward", "forward"]
    module.zero_grad()
    for one, other in zip(found, plainly(outcome, item, module, {"n": 5}, (3,), torch.float32), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_threads_share_the_batch(plainly: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catnn.native.calls.PARALLEL", 10)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    item = parsed("two to two")
    module = randomise(catnn.compile(item, dtype=DOUBLE))
    found = outcome(item, module, {"n": 5}, (7,), DOUBLE)
    module.zero_grad()
    for one, other in zip(found, plainly(outcome, item, module, {"n": 5}, (7,), DOUBLE), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)


def test_whoever_watches_gets_torch_statements(calls: list[str], plainly: Any) -> None:
    """Transforms, second derivatives, masks, tracing, other types and empty tensors."""
    module = randomise(catnn.compile(parsed("two to two"), dtype=DOUBLE))
    x = torch.randn(2, 3, 3, 4, dtype=DOUBLE, requires_grad=True)
    for transformed in (  # their rules may run the layer itself in C: what counts is what comes out
        lambda: torch.func.jvp(module, (x.detach(),), (2 * x.detach(),)),
        lambda: torch.vmap(module)(x.detach()),
        lambda: torch.vmap(torch.func.grad(lambda x: module(x).square().sum()))(x.detach()),
        lambda: torch.func.hessian(lambda x: module(x).square().sum())(x[0, :2, :2].detach()),
    ):
        torch.testing.assert_close(transformed(), plainly(transformed))
    calls.clear()
    with torch.no_grad(), torch.autograd.forward_ad.dual_level():
        y = module(torch.autograd.forward_ad.make_dual(x.detach(), x.detach()))
        assert torch.autograd.forward_ad.unpack_dual(y).tangent is not None
    with torch.no_grad():
        mean = catnn.compile(parsed("means"), dtype=DOUBLE)  # there a mask counts
        mean(torch.zeros(2, 3, 3, 3, 2, dtype=DOUBLE), mask=torch.ones(2, 3, dtype=torch.bool))
        module(torch.zeros(0, 3, 3, 4, dtype=DOUBLE))
        module(torch.zeros(2, 0, 0, 4, dtype=DOUBLE))
    assert calls == []
    parameters = dict(module.named_parameters())
    assert torch.autograd.gradgradcheck(lambda x: torch.func.functional_call(module, parameters, x), x[:1, :2, :2])
    with torch.no_grad():
        calls.clear()
        torch.export.export(module, (x.detach(),), strict=False)
    assert calls == []


def test_only_what_is_wanted_is_computed(calls: list[str]) -> None:
    module = randomise(catnn.compile(parsed("two to two"), dtype=DOUBLE))
    x = torch.randn(2, 3, 3, 4, dtype=DOUBLE)
    module(x).sum().backward()
    assert x.grad is None
    weight = module.weight.grad.clone()
    module.requires_grad_(False)
    x.requires_grad_()
    module(x).sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(module.weight.grad, weight)
    assert calls.count("backward") == 2
    turned = torch.randn(3, 3, 2, 4, dtype=DOUBLE).permute(2, 1, 0, 3)
    with torch.no_grad():
        torch.testing.assert_close(module(turned), module(turned.contiguous()))
    assert copy.deepcopy(module)(x).shape == x.shape


MEMORY = [
    ("V^2[16] -> V^2[16] = all + bias", 24, 8), ("V^3[8] -> V^3[8] = all", 12, 8), ("V^4[4] -> V^4[4] = all", 8, 2),
    ("V^4[4] -> V^4[4] = all", 8, 8), ("V^4[4] -> V^4[4] = all", 8, 16), ("V^2[4] -> V^2[4] = all + bias", 4, 2),
    ("R^2[32] -> R^2[32] = all", 3, 64), ("R^3[32] -> R^3[32] = all", 3, 64), ("R^4[32] -> R^4[32] = all", 3, 64),
    ("V^2[8] + V[8] -> V^2[8] + V^2[8] + V[4] = all + bias", 16, 8),
]  # fmt: skip


@pytest.mark.parametrize("case", MEMORY, ids=lambda case: f"{case[0].partition(' =')[0]}, {case[2]}")
def test_memory_stays_near_the_output(case: tuple[str, int, int], calls: list[str]) -> None:
    """Forward 1.5 outputs, with gradient thrice inputs and outputs, the gradients of the weights among them."""
    from catnn.measure import peak_bytes

    text, n, batch = case
    item = catnn.parse(f"space V : S(n)  space R : O(3)  layer f : {text}")["f"]
    module = randomise(catnn.compile(item))
    xs = inputs(item, {"n": n}, (batch,), dtype=torch.float32)
    given = xs if len(xs) > 1 else xs[0]

    def forward() -> Any:
        with torch.no_grad():
            return module(given)

    ys = forward()
    ys = ys if isinstance(ys, tuple) else (ys,)
    ins, outs = (sum(t.numel() * t.element_size() for t in side) for side in (xs, ys))
    gs = [torch.ones_like(y) for y in ys]
    assert peak_bytes(forward) <= 1.5 * outs
    leaves = [*(x.requires_grad_() for x in xs), *module.parameters()]

    def gradient() -> Any:
        found = module(given)
        return found, torch.autograd.grad(found, leaves, gs)

    assert peak_bytes(gradient) <= 3 * (ins + outs)
    assert {"forward", "backward"} == set(calls)


@pytest.mark.parametrize("room", list(rooms(1 << 12, 4)), ids=lambda room: f"{room.panel}-{room.pile}-{room.group}")
@pytest.mark.parametrize("plain", [0, 1 << 10])
@pytest.mark.parametrize("name", ["two to two", "three to two", "sums", "means", "fixed", "span of sums", "rotations"])
def test_every_room_computes_the_layer(
    name: str, plain: int, room: Room, plainly: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However little may be kept, the numbers are the same."""
    monkeypatch.setattr("catnn.native.calls.rooms", lambda *_: iter([replace(room, plain=plain)]))
    monkeypatch.setattr("catnn.native.calls.FORWARD", 100.0)  # entries together
    item = parsed(name)
    for sizes in SIZES:
        module = randomise(catnn.compile(item, dtype=DOUBLE))
        found = outcome(item, module, sizes, (5,), DOUBLE)
        module.zero_grad()
        for one, other in zip(found, plainly(outcome, item, module, sizes, (5,), DOUBLE), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)


def test_derivatives_of_derivatives_are_those_of_the_file(calls: list[str], plainly: Any) -> None:
    """Twice, in batches of gradients, of some of the parameters, with a checkpoint."""
    module = randomise(catnn.compile(parsed("fixed"), dtype=DOUBLE))
    x = torch.randn(2, 3, 3, 2, dtype=DOUBLE, requires_grad=True)

    def twice() -> Any:
        first = torch.autograd.grad(module(x).square().sum(), (x, module.weight), create_graph=True)
        return torch.autograd.grad(sum(g.square().sum() for g in first), (x, module.weight))

    def batched() -> Any:
        return torch.autograd.functional.jacobian(lambda v: module(v).sum(0), x, vectorize=True)

    def of_weights() -> Any:
        y = module(x.detach())
        return torch.autograd.grad(y, module.weight, torch.eye(y.numel(), dtype=DOUBLE).view(-1, *y.shape),
                                   is_grads_batched=True)  # fmt: skip

    def again() -> Any:
        y = torch.utils.checkpoint.checkpoint(module, x, use_reentrant=False)
        return torch.autograd.grad(y.square().sum(), (x, module.weight))

    for function in (twice, batched, of_weights, again):
        calls.clear()
        found = function()
        assert "forward" in calls
        torch.testing.assert_close(found, plainly(function))


def test_forms_and_complex_layers_have_no_program() -> None:
    spec = catnn.parse("space P : Sp(r)  space L : O(1,2)  layer f : P^2 -> P^2 = all  layer g : L^2 -> L^2 = all")
    assert not in_c(plan_layer(spec["f"]))
    assert not in_c(plan_layer(spec["g"]))


CODE = """
import os, torch, catnn
from catnn.native.build import library
module = catnn.compile(catnn.parse("space V : S(n)  layer f : V^2[2] -> V^2[2] = all")["f"])
module(torch.randn(2, 3, 3, 2)).sum().backward()
print(library() is None, module.weight.grad.shape)
"""


@pytest.mark.parametrize("settings", [{"CATNN_NATIVE": "0"}, {"PATH": "", "CC": ""}, {"CC": "false", "PATH": "/none"}])
def test_without_a_compiler_everything_works(settings: dict[str, str], tmp_path: Any) -> None:
    environment = {**os.environ, "CATNN_CACHE": str(tmp_path), **settings}
    done = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "True torch.Size([15, 2, 2])\n"


PICKY = """#!/bin/sh
for word in "$@"; do case "$word" in {refused}) exit 1;; esac; done
exec {compiler} "$@"
"""


@pytest.mark.parametrize("refused", ["-march=native", "-march=native|-mcpu=native"])
def test_a_compiler_may_not_know_the_machine(refused: str, tmp_path: Any) -> None:
    compiler = tmp_path / "picky"
    compiler.write_text(PICKY.format(refused=refused, compiler=_compiler()), encoding="utf-8")
    compiler.chmod(0o755)
    environment = {**os.environ, "CATNN_CACHE": str(tmp_path / "new"), "CATNN_NATIVE": "1", "CC": str(compiler)}
    done = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "False torch.Size([15, 2, 2])\n"


def test_the_library_is_built_once(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATNN_CACHE", str(tmp_path))
    library.cache_clear()
    try:
        assert library() is not None
        files = sorted(path.name for path in tmp_path.iterdir())
        assert [name.rpartition(".")[2] for name in files] == ["c", "so", "sum"]
        library.cache_clear()
        monkeypatch.setattr("catnn.native.build._build", lambda *args: pytest.fail("built again"))
        assert library() is not None
    finally:
        library.cache_clear()


def test_programs_are_kept_up_to_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catnn.native.calls.MOST", 3)
    found = Calls(plan_layer(parsed("one to one")))
    assert found.there(torch.float32)
    weights = [torch.randn(2, 5, 3), torch.randn(1, 5)]
    for n in (2, 3, 4, 5, 2, 3, 2):
        x = torch.randn(2, n, 3)
        (y,) = found.forward([x], weights[:1], weights[1:], {"n": n})
        each, mean = (x @ w.T for w in weights[0])
        wanted = [
            first + second + weights[1] for first, second in ((each, mean.sum(1, True)), (mean, each.sum(1, True)))
        ]
        assert any(torch.allclose(y, one, atol=1e-5) for one in wanted)
        assert len(found._known) <= 3


WRONG = {"empty": lambda data: b"", "half": lambda data: data[:5000], "most": lambda data: data[:-5000],
         "something else": lambda data: b"catnn" * 1000}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_a_library_that_was_cut_off_is_built_again(what: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATNN_CACHE", str(tmp_path))
    library.cache_clear()
    try:
        assert library() is not None
        (file,) = tmp_path.glob("*.so")
        good = file.read_bytes()
        file.unlink()  # this process has it in memory
        file.write_bytes(WRONG[what](good))
        library.cache_clear()
        assert library() is not None
        assert file.read_bytes() == good
    finally:
        library.cache_clear()


def test_processes_that_build_at_once_have_one_each(tmp_path: Any) -> None:
    environment = {**os.environ, "CATNN_CACHE": str(tmp_path / "new"), "CATNN_NATIVE": "1"}
    run = [sys.executable, "-c", CODE]
    processes = [subprocess.Popen(run, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate()[0] for process in processes] == 3 * ["False torch.Size([15, 2, 2])\n"]
    found = sorted(path.suffix for path in (tmp_path / "new").iterdir() if path.is_file())
    assert found == [".c", ".so", ".sum"]


def test_without_a_home_nothing_is_kept_and_everything_works() -> None:
    """As in containers that run under a number that nobody has."""
    hidden = {"HOME", "XDG_CACHE_HOME", "CATNN_CACHE", "CATNN_PLANS"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden} | {"CATNN_NATIVE": "1"}
    nobody = "import pwd\ndef nobody(number): raise KeyError(number)\npwd.getpwuid = nobody\n"
    done = subprocess.run([sys.executable, "-c", nobody + CODE], env=environment, capture_output=True, text=True)
    assert done.stdout == "True torch.Size([15, 2, 2])\n", done.stderr


def test_a_library_that_others_could_write_is_not_loaded(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATNN_CACHE", str(tmp_path))
    library.cache_clear()
    try:
        assert library() is not None
        (file,) = tmp_path.glob("*.so")
        file.chmod(0o777)
        library.cache_clear()
        assert library() is None
    finally:
        library.cache_clear()


def test_a_file_knows_nothing_of_it() -> None:
    module: Any = catnn.compile(parsed("two to two"))
    assert "ctypes" not in module.source
    fresh = "import sys, pickle; module = pickle.loads(sys.stdin.buffer.read()); print(type(module).__name__)"
    done = subprocess.run([sys.executable, "-c", fresh], input=pickle.dumps(module), capture_output=True, check=True)
    assert done.stdout == b"F\n"
