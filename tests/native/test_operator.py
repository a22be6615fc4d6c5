"""Layers under torch.compile: one operator in the graph, with the numbers of the layer; and where it must not stand."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch.utils.checkpoint
from torch import Tensor
from torch.autograd import forward_ad

import catnn
from catnn.native import attach as attaching
from catnn.native import operator
from catnn.plan.rates import IN_C, STATEMENTS
from tests.emit.definition import inputs, randomise
from tests.native.test_attach import DOUBLE, LAYERS, STORED, calls, parsed  # noqa: F401

BACKEND = "aot_eager"
"""As Inductor takes graphs apart, without its code."""


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Nothing is compiled, and much may be compiled anew."""
    import torch._dynamo.config as config

    torch._dynamo.reset()
    with warnings.catch_warnings(), config.patch(recompile_limit=64):  # type: ignore[attr-defined]
        warnings.simplefilter("ignore")
        yield
    torch._dynamo.reset()


@pytest.fixture
def stated(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run something eagerly by the statements of the file."""

    def run(function: Callable[..., Any], *args: Any) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(attaching, "FORCED", STATEMENTS)
            return function(*args)

    return run


def gradients(module: Callable[..., Any], xs: tuple[Tensor, ...], leaves: list[Tensor]) -> list[Tensor]:
    """Outputs, and the gradients of what needs one."""
    ys = module(xs if len(xs) > 1 else xs[0])
    ys = ys if isinstance(ys, tuple) else (ys,)
    generator = torch.Generator().manual_seed(3)
    gs = [torch.randn(y.shape, generator=generator, dtype=torch.float64).to(y.dtype) for y in ys]
    return [*ys, *torch.autograd.grad(ys, [leaf for leaf in leaves if leaf.requires_grad], gs)]


def alike(found: Any, wanted: Any, close: float = 1e-9) -> None:
    torch.testing.assert_close(found, wanted, rtol=close, atol=close)


def layer_of(text: str, dtype: torch.dtype = DOUBLE) -> Any:
    return randomise(catnn.compile(catnn.parse(f"space V : S(n)  layer f : {text}")["f"], dtype=dtype))


class Graphs:
    """A backend that keeps the graphs it is given, taken apart into operators."""

    def __init__(self) -> None:
        self.targets: list[str] = []

    def __call__(self, graph: Any, example: Any) -> Any:
        from torch._dynamo.backends.common import aot_autograd

        return aot_autograd(fw_compiler=self.keep, bw_compiler=self.keep)(graph, example)

    def keep(self, graph: Any, _: Any) -> Any:
        self.targets += [str(node.target) for node in graph.graph.nodes if node.op == "call_function"]
        return graph.forward

    def count(self, name: str) -> int:
        """How often an operator stands in the graphs."""
        return sum(target.startswith(f"catnn.{name}.") for target in self.targets)


# ------------------------------------------------------------------------------------------------------- the numbers


TRACED = ("one to one", "two to two", "to nothing", "from nothing", "fixed and bias", "sums", "interleaved", "means",
          "literal", "span of sums", "signed")  # fmt: skip


@pytest.mark.parametrize(
    ("name", "dynamic"), [*((name, True) for name in TRACED), ("two to two", False), ("sums", False)]
)
def test_graphs_compute_the_layer(name: str, dynamic: bool, calls: list[str], stated: Any) -> None:  # noqa: F811
    item = parsed(name)
    module = randomise(catnn.compile(item, dtype=DOUBLE))
    fast = torch.compile(module, fullgraph=True, dynamic=dynamic, backend=BACKEND)
    some = [({"n": 5, "m": 3}, (3,)), ({"n": 4, "m": 2}, (2, 3)), ({"n": 1, "m": 1}, (1,)), ({"n": 3, "m": 2}, ())]
    for sizes, batch in some if dynamic else some[1:3]:
        calls.clear()
        xs = tuple(x.requires_grad_() for x in inputs(item, sizes, batch, dtype=DOUBLE))
        leaves = [*xs, *module.parameters()]
        found = gradients(fast, xs, leaves)
        assert calls == ["forward", "backward"]
        wanted = stated(gradients, module, xs, leaves)
        alike(found, wanted)
        for mode in (torch.no_grad, torch.inference_mode)[: 1 + (batch == (2, 3))]:
            calls.clear()
            with mode():
                ys = fast(xs if len(xs) > 1 else xs[0])
            assert calls == ["forward"]
            alike(list(ys) if isinstance(ys, tuple) else [ys], wanted[: len(ys) if isinstance(ys, tuple) else 1])


@pytest.mark.parametrize("name", STORED)
def test_layers_stored_in_ways_of_their_own(name: str, stated: Any) -> None:
    """Whether or not there is a program in C for them."""
    item = catnn.parse(f"""space V : S(n) space R : O(m) space F : 2 space C : Aut(3, 0-1) space E : A(3)
        space Q : SO(3) space P : Sp(4) space L : O(1,2)  layer f : {STORED[name]}""")["f"]
    module = randomise(catnn.compile(item, dtype=DOUBLE))
    xs = inputs(item, {"n": 3 if "packed" in name else 4, "m": 3}, (2,), dtype=DOUBLE)
    if name == "plain and packed":
        xs = (torch.randn(2, 2, 6, 2, dtype=DOUBLE),)
    for x in xs:
        x.requires_grad_()
    leaves = [*xs, *module.parameters()]
    fast = torch.compile(module, fullgraph=True, backend=BACKEND)
    alike(gradients(fast, xs, leaves), stated(gradients, module, xs, leaves))


def test_inductor(calls: list[str], stated: Any) -> None:  # noqa: F811
    """Its code around the operator, at sizes that are known when they come, and at others."""
    module = layer_of("V^2[2] -> V^2[3] = all + bias")
    fast = torch.compile(lambda x: torch.relu(module(x * 2)), fullgraph=True, dynamic=True)
    for n, batch in ((5, 3), (7, 2)):
        x = torch.randn(batch, n, n, 2, dtype=DOUBLE, requires_grad=True)
        leaves = [x, *module.parameters()]
        alike(gradients(fast, (x,), leaves), stated(gradients, lambda x: torch.relu(module(x * 2)), (x,), leaves))
    assert calls == 2 * ["forward", "backward"]


def test_dimensions_that_are_marked_dynamic_are_compiled_once(calls: list[str]) -> None:  # noqa: F811
    graphs, module = Graphs(), layer_of("V^2[2] -> V^2[3] = all")
    fast = torch.compile(module, fullgraph=True, backend=graphs)
    for n, batch in ((5, 3), (7, 2), (3, 9)):
        x = torch.randn(batch, n, n, 2, dtype=DOUBLE)
        for axis in range(3):
            torch._dynamo.mark_dynamic(x, axis)
        with torch.no_grad():
            fast(x)
    assert (graphs.count("layer"), len(graphs.targets), len(calls)) == (1, 2, 3)  # with the item of a list


@pytest.mark.parametrize("frozen", ["weights", "inputs", "weight alone"])
def test_only_what_is_wanted_is_computed(frozen: str, calls: list[str], stated: Any) -> None:  # noqa: F811
    module = layer_of("V^2[2] + V[2] -> V^2[3] + V[2] = all + bias")
    module.requires_grad_(frozen != "weights")
    if frozen == "weight alone":
        next(module.parameters()).requires_grad_(False)
    xs = (torch.randn(2, 4, 4, 2, dtype=DOUBLE), torch.randn(2, 4, 2, dtype=DOUBLE))
    for x in xs:
        x.requires_grad_(frozen != "inputs")
    leaves = [*xs, *module.parameters()]
    fast = torch.compile(module, fullgraph=True, backend=BACKEND)
    alike(gradients(fast, xs, leaves), stated(gradients, module, xs, leaves))
    assert calls == ["forward", "backward"]


def test_several_layers_in_a_graph(calls: list[str], stated: Any) -> None:  # noqa: F811
    """Two that differ in their diagrams alone, one of them twice, from inputs that are not contiguous."""
    spec = catnn.parse("""space V : S(n)  layer f : V^2[2] -> V^2[2] = span { [i j -> i j], [i j -> i k] }
        layer g : V^2[2] -> V^2[2] = span { [i j -> j i], [i j -> k j] }""")
    f, g = (randomise(catnn.compile(spec[name], dtype=DOUBLE)) for name in "fg")
    x = torch.randn(4, 4, 3, 2, dtype=DOUBLE).permute(2, 0, 1, 3).requires_grad_()
    leaves = [x, *f.parameters(), *g.parameters()]

    def whole(x: Tensor) -> Tensor:
        return f(g(torch.tanh(f(x)))) - g(x)

    graphs = Graphs()
    alike(gradients(torch.compile(whole, fullgraph=True, backend=graphs), (x,), leaves),
          stated(gradients, whole, (x,), leaves))  # fmt: skip
    assert (graphs.count("layer"), graphs.count("layer_gradient")) == (4, 4)
    assert len(calls) == 8


def test_networks(stated: Any, calls: list[str]) -> None:  # noqa: F811
    """Layers that share, that run as one in eager mode, and named values."""
    spec = catnn.parse("""space V : S(n)  layer f : V^2[2] -> V^2[3] = all + bias  layer g : V^2[3] -> V^2[2] = all
        network one : V^2[2] -> V^2[2] = f ; g ; relu ; f ; relu ; g
        network two(x: V^2[2]) -> V^2[3] { return f(x) + f(x) }""")
    for name in ("one", "two"):
        module = randomise(catnn.compile(spec[name], dtype=DOUBLE))
        x = torch.randn(2, 4, 4, 2, dtype=DOUBLE, requires_grad=True)
        leaves = [x, *module.parameters()]
        fast = torch.compile(module, fullgraph=True, dynamic=True, backend=BACKEND)
        calls.clear()
        alike(gradients(fast, (x,), leaves), stated(gradients, module, (x,), leaves))
        assert "forward" in calls
        assert "backward" in calls


def test_copies_and_pickles_of_a_module(stated: Any) -> None:
    module = layer_of("V^2[2] -> V^2[3] = all + bias")
    x = torch.randn(2, 4, 4, 2, dtype=DOUBLE)
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        with torch.no_grad():
            next(other.parameters()).mul_(2)
            fast = torch.compile(other, fullgraph=True, backend=BACKEND)
            alike(fast(x), stated(other, x))
            alike(torch.compile(module, fullgraph=True, backend=BACKEND)(x), stated(module, x))


def test_checkpoints_recompute_the_layer(calls: list[str], stated: Any) -> None:  # noqa: F811
    module = layer_of("V^2[2] -> V^2[2] = all + bias")
    x = torch.randn(2, 4, 4, 2, dtype=DOUBLE, requires_grad=True)
    leaves = [x, *module.parameters()]

    def again(x: Tensor) -> Any:
        return torch.utils.checkpoint.checkpoint(lambda x: module(torch.sin(module(x))), x, use_reentrant=False)

    found = gradients(torch.compile(again, fullgraph=True, backend=BACKEND), (x,), leaves)
    assert calls.count("forward") > 2
    alike(found, stated(gradients, again, (x,), leaves))


# ------------------------------------------------------------------------------------------------ what it must not do

SQUARE = torch.randn(3, 3, 3, 2, generator=torch.Generator().manual_seed(1), dtype=DOUBLE)
TRANSFORMS: dict[str, Callable[[Any], Any]] = {
    "jvp": lambda module: torch.func.jvp(module, (SQUARE,), (2 * SQUARE,)),
    "vmap": lambda module: torch.vmap(module)(SQUARE),
    "grad": lambda module: torch.func.grad(lambda x: module(x).square().sum())(SQUARE),
    "vmap of grad": lambda module: torch.vmap(torch.func.grad(lambda x: module(x).square().sum()))(SQUARE),
    "jacfwd": lambda module: torch.func.jacfwd(module)(SQUARE[0, :2, :2]),
    "hessian": lambda module: torch.func.hessian(lambda x: module(x).square().sum())(SQUARE[0, :2, :2]),
}


def duals(module: Any) -> Any:
    with torch.no_grad(), forward_ad.dual_level():
        return tuple(forward_ad.unpack_dual(module(forward_ad.make_dual(SQUARE, 2 * SQUARE))))


@pytest.mark.parametrize("name", [*TRANSFORMS, "duals"])
@pytest.mark.parametrize("backend", ["eager", BACKEND])
def test_transforms_in_graphs_and_around_them(name: str, backend: str, stated: Any) -> None:
    """The numbers of the statements: an operator would have no derivative, and would not say so."""
    module = layer_of("V^2[2] -> V^2[2] = all + bias")
    transform = TRANSFORMS.get(name, duals)
    wanted = stated(transform, module)
    assert all(value.abs().max() > 0 for value in (wanted if isinstance(wanted, tuple) else (wanted,)))
    fast = torch.compile(module, backend=backend)
    with torch.no_grad():
        fast(SQUARE)  # a graph with the operator, which is none for what follows
    fast(SQUARE[0, :2, :2])
    alike(transform(fast), wanted)
    alike(torch.compile(lambda: transform(module), backend=backend)(), wanted)


def test_a_dual_tensor_of_weights(stated: Any) -> None:
    module = layer_of("V^2[2] -> V^2[2] = all")
    fast = torch.compile(lambda w: torch.func.functional_call(module, {"weight": w}, SQUARE), backend=BACKEND)

    def along(function: Any) -> Any:
        with torch.no_grad(), forward_ad.dual_level():
            w = module.weight.detach()
            return tuple(forward_ad.unpack_dual(function(forward_ad.make_dual(w, w + 1))))

    with torch.no_grad():
        fast(module.weight.detach())
    alike(along(fast), stated(along, lambda w: torch.func.functional_call(module, {"weight": w}, SQUARE)))


def test_an_operator_refuses_dual_tensors() -> None:
    """Should it ever meet one, it says so."""
    module: Any = layer_of("V^2[2] -> V^2[2] = all")
    key = keyed(module)
    with torch.no_grad(), forward_ad.dual_level():
        x = forward_ad.make_dual(SQUARE, SQUARE)
        with pytest.raises(NotImplementedError, match="forward"):
            torch.ops.catnn.layer(key, [x], [module.weight.detach()], [], [], [3])
        torch.ops.catnn.layer(key, [SQUARE], [module.weight.detach()], [], [], [3])
    with pytest.raises(NotImplementedError, match="forward"):
        torch.func.jvp(lambda x: torch.ops.catnn.layer(key, [x], [module.weight.detach()], [], [], [3])[0],
                       (SQUARE,), (SQUARE,))  # fmt: skip


def test_what_c_does_not_do_has_the_statements(calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """Masks that count, half precision, complex layers, mixed precision, small tensors that Inductor is better at."""
    graphs = Graphs()

    def run(module: Any, x: Tensor, **options: Any) -> Tensor:
        torch._dynamo.reset()
        with torch.no_grad():
            found: Tensor = torch.compile(module, fullgraph=True, backend=graphs)(x, **options)
        return found

    means = randomise(catnn.compile(parsed("means"), dtype=DOUBLE))
    x, mask = torch.randn(2, 3, 3, 3, 2, dtype=DOUBLE), torch.tensor([[True, True, False], [True] * 3])
    alike(run(means, x, mask=mask), means(x, mask=mask))
    half = layer_of("V^2[2] -> V^2[2] = all", torch.bfloat16)
    run(half, torch.randn(2, 3, 3, 2, dtype=torch.bfloat16))
    unitary = catnn.compile(catnn.parse("space W : U(2)  layer f : W[2] -> W[2] = all")["f"])
    run(unitary, torch.randn(2, 2, 2, dtype=torch.complex64))
    single = layer_of("V^2[2] -> V^2[2] = all", torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        run(single, torch.randn(2, 3, 3, 2))
    monkeypatch.setattr(attaching, "FORCED", None)
    run(single, torch.randn(2, 3, 3, 2))
    assert graphs.targets
    assert graphs.count("layer") == 0
    assert not calls


def test_a_mask_that_counts_nothing_is_no_hindrance(calls: list[str], stated: Any) -> None:  # noqa: F811
    module = layer_of("V^2[2] -> V^2[2] = all + bias")
    mask = torch.tensor([[True, True, False], [True] * 3, [False, True, True]])
    fast = torch.compile(module, fullgraph=True, backend=BACKEND)
    with torch.no_grad():
        alike(fast(SQUARE, mask=mask), stated(lambda: module(SQUARE, mask=mask)))
    assert calls == ["forward"]


def test_exported_programs_run_without_catnn(calls: list[str]) -> None:  # noqa: F811
    module = layer_of("V^2[2] -> V^2[2] = all + bias")
    with torch.no_grad():
        for strict in (False, True):
            program = torch.export.export(module, (SQUARE,), strict=strict)
            assert "catnn" not in program.graph_module.code
            calls.clear()
            alike(program.module()(SQUARE), module(SQUARE))


def test_second_derivatives_are_refused_by_torch() -> None:
    module = layer_of("V^2[2] -> V^2[2] = all")
    x = SQUARE.clone().requires_grad_()
    first = torch.autograd.grad(torch.compile(module, backend=BACKEND)(x).square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="double backward"):
        first[0].sum().backward()


def test_an_empty_tensor(calls: list[str], stated: Any) -> None:  # noqa: F811
    module = layer_of("V^2[2] -> V^2[2] = all + bias")
    fast = torch.compile(module, fullgraph=True, backend=BACKEND)
    for shape in ((0, 3, 3, 2), (2, 0, 0, 2)):
        x = torch.zeros(shape, dtype=DOUBLE, requires_grad=True)
        leaves = [x, *module.parameters()]
        alike(gradients(fast, (x,), leaves), stated(gradients, module, (x,), leaves))
    assert calls == []


# ----------------------------------------------------------------------------------------------------- the operators


def keyed(module: Any) -> str:
    """The name of a module's one layer in graphs."""
    generated = sys.modules[type(module).__module__]
    attached = {id(value): value for value in vars(generated).values() if isinstance(value, attaching.Attached)}
    (one,) = attached.values()
    return operator.entered(one)


@pytest.mark.parametrize("way", [IN_C, STATEMENTS])
@pytest.mark.parametrize("name", ["two to two", "sums", "fixed and bias", "span", "from nothing", "literal"])
def test_the_operators_are_what_torch_asks_of_operators(
    name: str, way: str, calls: list[str], monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:  # fmt: skip
    monkeypatch.setattr(attaching, "FORCED", way)
    item = parsed(name)
    module = randomise(catnn.compile(item, dtype=DOUBLE))
    generated = sys.modules[type(module).__module__]
    (one,) = {id(v): v for v in vars(generated).values() if isinstance(v, attaching.Attached)}.values()
    xs = [x.requires_grad_() for x in inputs(item, {"n": 3, "m": 2}, (2,), dtype=DOUBLE)]
    given: list[Any] = []
    with monkeypatch.context() as patch:
        patch.setattr(operator, "in_graph", lambda _, args: given.append(args) or one.plain(*one.packed(args)))
        patch.setattr(torch.compiler, "is_compiling", lambda: True)
        patch.setattr(operator, "takes", lambda tensors: True)
        module(tuple(xs) if len(xs) > 1 else xs[0])
    args = given[0]
    held = [t for arg in args if isinstance(arg, attaching.Held) for t in arg.tensors]
    rest = [arg for arg in args[one.inputs :] if not isinstance(arg, attaching.Held)]
    biases, sizes = [b for b in rest if isinstance(b, Tensor)], [n for n in rest if isinstance(n, int)]
    sample = (operator.entered(one), xs, held[: one.weights], biases, held[one.weights :], sizes)
    tests = ("test_schema", "test_autograd_registration", "test_faketensor", "test_aot_dispatch_dynamic")
    torch.library.opcheck(torch.ops.catnn.layer.default, sample, test_utils=tests)
    ys = torch.ops.catnn.layer(*sample)
    gs = [torch.randn_like(y) for y in ys]
    plain = [[t.detach() for t in some] if isinstance(some, list) and some and isinstance(some[0], Tensor) else some
             for some in sample[1:]]  # fmt: skip
    for inputs_, learned in ((True, True), (True, False), (False, True)):
        back = (sample[0], gs, *plain, inputs_, learned)
        torch.library.opcheck(torch.ops.catnn.layer_gradient.default, back, test_utils=tests)
        count = len(xs) * inputs_ + (one.weights + len(biases)) * learned
        assert len(torch.ops.catnn.layer_gradient(*back)) == count
    assert bool(calls) == (way == IN_C)


def test_what_an_operator_gives_back_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the statements give back what they were given."""
    x = torch.randn(2, 3)
    y, z, w = operator._own([x, x.T, torch.ones(3)], [x])
    for one, other in ((y, x), (z, x.T)):
        alike(one, other)
        assert one.is_contiguous()
        assert one.untyped_storage().data_ptr() != x.untyped_storage().data_ptr()
    alike(w, torch.ones(3))


def test_names_tell_layers_apart_and_nothing_else() -> None:
    texts = ("V^2[2] -> V^2[2] = all", "V^2[2] -> V^2[2] = all + bias", "V^2[2] -> V^2[3] = all",
             "V^2[2] -> V^2[2] = all { reduce: mean }", "V^2[2] -> V^2[2] = [i j -> j i]")  # fmt: skip
    keys = [keyed(layer_of(text)) for text in texts]
    assert len(set(keys)) == len(keys)
    assert keyed(layer_of(texts[0], torch.float32)) == keys[0]


def test_where_the_code_cannot_be_read_graphs_have_the_statements(
    calls: list[str], stated: Any, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:  # fmt: skip
    def hidden() -> str:
        raise OSError("in an archive")

    monkeypatch.setattr(operator, "code", hidden)
    graphs, module = Graphs(), layer_of("V^2[2] -> V^2[3] = all")
    with torch.no_grad():
        alike(torch.compile(module, fullgraph=True, backend=graphs)(SQUARE), stated(module, SQUARE))
    assert (graphs.count("layer"), calls) == (0, [])


@pytest.mark.parametrize("dynamic", [False, True])
def test_the_sizes_of_the_first_call_choose(dynamic: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the operator stands in the graph; what runs behind it, those of each call."""
    monkeypatch.setattr(attaching, "FORCED", None)
    module = layer_of("V^2[32] -> V^2[32] = all", torch.float32)
    found = []
    for n in (3, 32):
        torch._dynamo.reset()
        graphs = Graphs()
        with torch.no_grad():
            fast = torch.compile(module, fullgraph=True, dynamic=dynamic, backend=graphs)
            fast(torch.randn(16, n, n, 32))
            x = torch.randn(2, 3, 3, 32)
            alike(fast(x), module(x), 1e-3)
        found.append(graphs.count("layer"))
    assert found == [0, 1]


def test_an_unknown_layer_is_told() -> None:
    with pytest.raises(RuntimeError, match=r"has not compiled: call catnn\.compile"):
        torch.ops.catnn.layer("f-0", [torch.ones(2, 3)], [], [], [], [])


# ------------------------------------------------------------------------------------------------------ other processes

FRESH = """
import sys, torch, catnn
from catnn.native import attach
from catnn.plan.rates import IN_C
attach.FORCED = IN_C
layers = {"a": "span { [i j -> i j], [i j -> i k] }", "b": "span { [i j -> j i], [i j -> k j] }"}
torch.manual_seed(0)
module = catnn.compile(catnn.parse(f"space V : S(n) layer f : V^2[2] -> V^2[2] = {layers[sys.argv[1]]}")["f"])
x = torch.randn(2, 3, 3, 2, requires_grad=True)
torch.compile(module, fullgraph=True)(x).sum().backward()
found = x.grad.clone()
x.grad = None
module(x).sum().backward()
torch.testing.assert_close(found, x.grad)
print(dict(torch._dynamo.utils.counters["inductor"]).get("fxgraph_cache_hit", 0))
"""


@pytest.mark.slow
def test_graphs_on_disk_are_those_of_their_layer(tmp_path: Any) -> None:
    """Two layers of one shape, in processes that share what Inductor keeps."""
    environment = {**os.environ, "TORCHINDUCTOR_CACHE_DIR": str(tmp_path), "CATNN_NATIVE": "1"}
    hits = []
    for which in "aabb":
        command = [sys.executable, "-W", "ignore", "-c", FRESH, which]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        hits.append(int(done.stdout))
    assert hits[0] == hits[2] == 0
    assert hits[1] > 0
    assert hits[3] > 0


EAGER = """
import sys, torch, catnn
spec = catnn.parse("space V : S(n)  layer f : V^2[2] -> V^2[2] = all + bias")
catnn.compile(spec["f"])(torch.randn(2, 3, 3, 2)).sum().backward()
print([name for name in ("torch._dynamo", "catnn.native.operator") if name in sys.modules])
"""


def test_eager_mode_knows_nothing_of_it() -> None:
    environment = {**os.environ, "CATNN_NATIVE": "1"}
    done = subprocess.run([sys.executable, "-c", EAGER], env=environment, capture_output=True, text=True, check=True)
    alone = "import sys, torch; print([name for name in ('torch._dynamo',) if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", alone], capture_output=True, text=True, check=True)
    assert "catnn.native.operator" not in done.stdout
    assert done.stdout == found.stdout


def test_a_constant_is_marked_as_torch_does() -> None:
    ours, theirs = attaching.constant(lambda: 1), torch.compiler.assume_constant_result(lambda: 1)
    assert {name for name in vars(ours) if "constant" in name} == {name for name in vars(theirs) if "constant" in name}


def test_threads(stated: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as in eager mode."""
    monkeypatch.setattr("catnn.native.calls.PARALLEL", 10)
    module = layer_of("V^2[4] -> V^2[4] = all + bias")
    x = torch.randn(7, 5, 5, 4, dtype=DOUBLE, requires_grad=True)
    leaves = [x, *module.parameters()]
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        found = gradients(torch.compile(module, backend=BACKEND), (x,), leaves)
    finally:
        torch.set_num_threads(before)
    alike(found, stated(gradients, module, (x,), leaves))
