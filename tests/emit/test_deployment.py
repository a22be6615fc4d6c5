"""What people do with a module: save, load, copy, cast, compile, export, wrap, checkpoint."""

from __future__ import annotations

import copy
import io
import pickle
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import catnn
from tests.emit.definition import DOUBLE, assert_close, build, inputs, run

ROOT = Path(__file__).resolve().parents[2]
SPACES = "space V : S(n)\nspace R : O(m)\nspace P : Sp(r)\n"
SIZES = {"n": 4, "m": 3, "r": 2}
ITEMS = {
    "permutations": "layer f : V^2[3] -> V^2[4] = all + bias",
    "order 3": "layer f : V^3[2] -> V^3[2] = all + bias { reduce: mean }",
    "rotations": "layer f : R^2 @ V[2] -> R^2[3] + V[1] = all + bias",
    "symplectic": "layer f : P^3[2] -> P[2] = all",
    "fixed": "layer f : V^2[2] -> V[2] = (1/n) * [i j -> i] + span { [i i -> i] }",
    "network": """layer a : V^2[3] -> 1[4] = all + bias  layer b : 1[4] -> V^2[3] = all + bias
        network f : V^2[3] -> V^2[3] = a ; gelu ; b ; relu + id""",
}
QUICK = ("permutations", "fixed", "network")
SMALL = {"sets": "layer f : V[2] -> V[2] = all + bias", "fixed": ITEMS["fixed"]}


def make(name: str, **options: Any) -> tuple[Any, nn.Module, tuple[Tensor, ...]]:
    item, module = build(SPACES + (ITEMS | SMALL)[name], **SIZES, **options)
    return item, module, inputs(item, SIZES, (2,), dtype=options.get("dtype", DOUBLE))


def gradients(module: Any, xs: tuple[Tensor, ...]) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Outputs and the gradients of every input and parameter."""
    leaves = tuple(x.detach().clone().requires_grad_() for x in xs)
    ys = run(module, leaves)
    total = torch.stack([y.pow(2).sum() for y in ys]).sum()
    return ys, torch.autograd.grad(total, (*leaves, *module.parameters()))


# ------------------------------------------------------------------------------------------------- saving and copying


@pytest.mark.parametrize("name", ITEMS)
def test_state_dict_round_trip_across_hints(name: str) -> None:
    """Weights do not depend on n."""
    item, module, xs = make(name)
    buffer = io.BytesIO()
    torch.save(module.state_dict(), buffer)
    buffer.seek(0)
    other = catnn.compile(item, dtype=DOUBLE)
    other.load_state_dict(torch.load(buffer, weights_only=True))
    assert_close(run(other, xs), run(module, xs))
    assert set(module.state_dict()) == {key for key, _ in module.named_parameters()}


@pytest.mark.parametrize("name", ["permutations", "network"])
def test_another_format_is_refused_by_name(name: str) -> None:
    item, module, _ = make(name)
    state = module.state_dict()
    for metadata in state._metadata.values():
        metadata["version"] = 999
    with pytest.raises(ValueError, match=r"these weights have format 999, this module has format 1"):
        catnn.compile(item, dtype=DOUBLE).load_state_dict(state)


def test_missing_and_unexpected_weights_are_torch_errors() -> None:
    _, module, _ = make("permutations")
    with pytest.raises(RuntimeError, match="Missing key"):
        module.load_state_dict({"weight": module.weight})
    with pytest.raises(RuntimeError, match="size mismatch"):
        module.load_state_dict({"weight": module.weight[:3], "bias": module.bias})


@pytest.mark.parametrize("name", ITEMS)
def test_pickle_and_deepcopy(name: str) -> None:
    _, module, xs = make(name)
    module.train(False)
    for other in (pickle.loads(pickle.dumps(module)), copy.deepcopy(module)):
        assert_close(run(other, xs), run(module, xs))
        assert not other.training
        next(other.parameters()).data.zero_()
    assert next(module.parameters()).any()
    assert_close(gradients(copy.deepcopy(module), xs)[1], gradients(module, xs)[1])


def test_pickle_in_a_fresh_process(tmp_path: Path) -> None:
    _, module, xs = make("network")
    torch.save((module, xs, module(*xs)), tmp_path / "module.pt")
    code = f"""
import sys, torch
sys.path.insert(0, {str(ROOT)!r})
module, xs, y = torch.load({str(tmp_path / "module.pt")!r}, weights_only=False)
torch.testing.assert_close(module(*xs), y)  # that process may take another way to the same numbers
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)


def test_shared_parameters_stay_shared_in_a_copy() -> None:
    _, net, _ = make("network")
    net.b.weight = net.a.weight
    assert (twin := copy.deepcopy(net)).a.weight is twin.b.weight


def test_submodules_can_be_replaced_and_hooked() -> None:
    _, net, (x,) = make("network")
    seen = []
    net.a.register_forward_hook(lambda module, args, output: seen.append(output.shape))
    net(x)
    assert seen == [(2, 4)]
    assert "a.weight" in dict(net.named_parameters())


# --------------------------------------------------------------------------------------------------- dtypes and devices


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", ITEMS)
def test_dtypes(name: str, dtype: torch.dtype) -> None:
    """`.to(dtype)`: forward and backward in that type, near what float64 gives."""
    _, module, xs = make(name)
    ys, grads = gradients(module, xs)
    found, found_grads = gradients(module.to(dtype), tuple(x.to(dtype) for x in xs))
    tolerance = 40 * torch.finfo(dtype).eps
    for a, b in zip((*found, *found_grads), (*ys, *grads), strict=True):
        assert a.dtype == dtype
        assert (a.to(DOUBLE) - b).abs().max() <= tolerance * (1 + b.abs().max())


def test_mixed_dtypes_are_refused() -> None:
    _, module, (x,) = make("permutations")
    with pytest.raises(ValueError, match=r"^f: expected torch.float64 like its weights, got torch.float32$"):
        module(x.float())


@pytest.mark.parametrize("name", ITEMS)
def test_autocast(name: str) -> None:
    """bfloat16 inside, float32 weights and gradients outside; float64 stays what it is."""
    _, module, xs = make(name)
    ys, grads = gradients(module, xs)
    with torch.autocast("cpu", torch.bfloat16):
        same = run(module, xs)
    if name != "network":
        assert_close(same, ys)
    module, xs = module.float(), tuple(x.float() for x in xs)
    with torch.autocast("cpu", torch.bfloat16):
        found, found_grads = gradients(module, xs)
    if name != "network":
        assert {y.dtype for y in found} == {torch.bfloat16}
    for a, b in zip(found_grads, grads, strict=True):
        assert a.dtype == torch.float32
        assert (a.to(DOUBLE) - b).abs().max() <= 0.1 * (1 + b.abs().max())


@pytest.mark.parametrize("name", ITEMS)
def test_meta_device(name: str) -> None:
    """Built without memory, then given some."""
    item, _, xs = make(name)
    module = catnn.compile(item, device="meta", dtype=DOUBLE)
    assert all(p.is_meta for p in module.parameters())
    expected = [y.shape for y in run(catnn.compile(item, dtype=DOUBLE), xs)]
    assert [y.shape for y in run(module, tuple(x.to("meta") for x in xs))] == expected
    module.to_empty(device="cpu")
    for part in module.modules():
        if hasattr(part, "reset_parameters"):
            part.reset_parameters()
    assert all(y.isfinite().all() for y in run(module, xs))


def test_seeds_and_generators() -> None:
    item, _, _ = make("network")

    def weights(**options: Any) -> Tensor:
        return torch.cat([p.flatten() for p in catnn.compile(item, **options).parameters()])

    first, second = (torch.manual_seed(3) and weights() for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, weights())
    before = torch.random.get_rng_state()
    first, second = (weights(generator=torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(before, torch.random.get_rng_state())


# ------------------------------------------------------------------------------------------------------------ compiling


def compiled(name: str, backend: str) -> None:
    """One compilation for all sizes and batches, gradients included."""
    torch._dynamo.reset()
    item, module, _ = make(name)
    fast = torch.compile(module, backend=backend, fullgraph=True, dynamic=True)
    for n, batch in ((4, (2,)), (6, (3,))):
        xs = inputs(item, {**SIZES, "n": n}, batch)
        for found, expected in zip(gradients(fast, xs), gradients(module, xs), strict=True):
            assert_close(found, expected, what=f"{backend}, n = {n}")
    with torch.no_grad():
        assert_close(run(fast, xs), run(module, xs))


@pytest.mark.parametrize("name", QUICK)
def test_compile(name: str) -> None:
    compiled(name, "aot_eager")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["order 3", "rotations", "symplectic"])
def test_compile_more(name: str) -> None:
    compiled(name, "aot_eager")


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_compile_with_inductor(name: str) -> None:
    compiled(name, "inductor")


def test_compile_with_a_mask() -> None:
    torch._dynamo.reset()
    _, module, xs = make("fixed")
    mask = {"V": torch.tensor([[1, 1, 0, 1], [1, 1, 1, 1]]).bool()}
    fast = torch.compile(module, backend="aot_eager", fullgraph=True, dynamic=True)
    assert_close(run(fast, xs, mask), run(module, xs, mask))


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("name", QUICK)
def test_export_with_dynamic_sizes(name: str, strict: bool) -> None:
    """Batch and every symbolic size stay free; the exported program has gradients."""
    item, module, xs = make(name)
    batch, size = torch.export.Dim("b", min=2, max=64), torch.export.Dim("n", min=2, max=64)
    (source,) = item.source.summands
    shape = {0: batch} | {at + 1: size for at, wire in enumerate(source.word) if wire.space == "V"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(module, xs, dynamic_shapes=(shape,), strict=strict)
    for n, batch in ((4, (2,)), (7, (3,))):
        xs = inputs(item, {**SIZES, "n": n}, batch)
        exported = program.module()
        assert_close(run(exported, xs), run(module, xs))
        assert_close(gradients(exported, xs)[1], gradients(module, xs)[1])


# -------------------------------------------------------------------------------------------------------- distribution


DISTRIBUTED = """
import os, sys, tempfile
import torch
from torch import nn
from tests.emit.definition import assert_close
from tests.emit.test_deployment import make

with tempfile.TemporaryDirectory() as folder:
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=0, world_size=1)
    _, net, xs = make("network")
    wrapped = nn.parallel.DistributedDataParallel(net)
    wrapped(*xs).sum().backward()
    found = tuple(p.grad.clone() for p in net.parameters())
    net.zero_grad()
    net(*xs).sum().backward()
    assert_close(found, tuple(p.grad for p in net.parameters()))
print("the same gradients", len(found), flush=True)
os._exit(0)
"""


def test_distributed_data_parallel() -> None:
    """In a process of its own that leaves at once: gloo's destructor joins its threads while it holds the interpreter's
    lock, and about once in a few hundred times one of them waits for that lock (torch 2.13)."""
    if not torch.distributed.is_available():
        pytest.skip("torch was built without it")
    done = subprocess.run(
        [sys.executable, "-c", DISTRIBUTED], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.returncode, done.stdout) == (0, "the same gradients 4\n"), done.stderr


def test_training_reduces_a_loss() -> None:
    """An optimiser, a scheduler's worth of steps, and a target that the layer can reach."""
    torch.manual_seed(0)
    item, teacher, (x,) = make("permutations")
    student = catnn.compile(item, n=4, dtype=DOUBLE)
    optimiser = torch.optim.Adam(student.parameters(), lr=0.1)
    losses = []
    for _ in range(60):
        optimiser.zero_grad()
        loss = (student(x) - teacher(x).detach()).pow(2).mean()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 20
