"""`catnn bench`: time and memory of a compiled layer beside other ways to compute it, as ratios within one run.

One thread, process time, rounds interleaved so that whatever else the machine does hits all ways alike; medians.  Every
way is checked against the compiled layer in float64 before it is measured.  Memory is what torch's allocator reports.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from catnn import calibration
from catnn.baselines import Way, refusal, ways
from catnn.baselines.traced import Allowance, traced
from catnn.benchmark import COMPILED, FLOOR, Benchmark, Comparison, Measured
from catnn.category.wires import Type
from catnn.compiler import HINT, check_sizes, compile_item, item_sizes
from catnn.diagnostics import fail
from catnn.explanation import predict
from catnn.measure import machine, one_thread, peak_bytes, race
from catnn.model import Apply, Call, Layer, Network, walk

APART = "each layer by itself"
LARGE = "dense matrix"
"""The way with the largest graph, which torch.compile comes to last."""
MOST_BYTES = 2_500_000_000
MOST_SECONDS = 1.5


def bench(
    item: Layer | Network, *, batch: int = 8, repeat: int = 7, seconds: float = 3.0,
    tracing: float | Allowance = 0.0, **sizes: int,
) -> Benchmark:  # fmt: skip
    """Measure a layer, or a network and every layer of it.

    sizes: by name, 16 where none is given; repeat: rounds, 1 or more; seconds: how long a way may be measured.
    tracing: how long torch.compile may take, of all ways together; each is then measured under it, too.
    Raises: CatnnError (E1002, E1003, E1008).
    """
    if not isinstance(item, (Layer, Network)):
        raise fail("E1008", f"{type(item).__name__} is no layer or network, so there is nothing to measure")
    if type(batch) is not int or batch < 1:
        raise fail("E1003", f"batch={batch!r} is not a number of entries", helps=("give 1 entry or more",))
    if type(repeat) is not int or repeat < 1:
        raise fail("E1003", f"repeat={repeat!r} is not a number of rounds", helps=("measure 1 round or more",))
    if type(seconds) not in (int, float) or not 0 < seconds < math.inf:
        raise fail("E1003", f"seconds={seconds!r} is not a time", helps=("give a positive number of seconds",))
    if not isinstance(tracing, Allowance) and (type(tracing) not in (int, float) or not 0 <= tracing < math.inf):
        raise fail("E1003", f"tracing={tracing!r} is not a time", helps=("give a number of seconds, 0 for none",))
    allowance = tracing if isinstance(tracing, Allowance) else Allowance(tracing)
    names = item_sizes(item)
    check_sizes(item, names, sizes)
    given = {name: sizes.get(name, HINT) for name in names}
    calibration.known()
    with one_thread():
        whole = [compare_network(item, given, batch, repeat, seconds, allowance)] if isinstance(item, Network) else []
        layers = dict.fromkeys(_layers(item))
        found = (compare(layer, given, batch, repeat, seconds, allowance) for layer in layers)
        return Benchmark(machine(), (*whole, *found))


def _layers(item: Layer | Network) -> Iterator[Layer]:
    if isinstance(item, Layer):
        yield item
        return
    for stage in walk(item.body):
        match stage:
            case Apply(layer=layer):
                yield layer
            case Call(network=network):
                yield from _layers(network)
            case _:
                pass


def compare_network(
    network: Network, sizes: dict[str, int], batch: int, repeat: int, seconds: float, allowance: Allowance
) -> Comparison:
    """A network at one size beside its layers called each by itself, where it computes some of them as one."""
    own = {name: sizes[name] for name in item_sizes(network)}
    module = compile_item(network, **own)  # type: ignore[arg-type]
    parameters = network.program.parameters if network.program is not None else (1,)
    xs = _inputs(network.source, own, batch, is_complex=network.is_complex) if parameters else ()
    runs = [_Run.of(COMPILED, module, xs)]
    if any(getattr(part, "_together", ()) for part in module.modules()):
        runs.append(_Run.of(APART, _apart(module), xs))
    skipped: list[Measured] = []
    for run in runs[:1] if allowance.given else ():  # traced, all layers run by themselves
        found = _traced(run, allowance)
        runs.append(found) if isinstance(found, _Run) else skipped.append(Measured(_under(run.name), skipped=found))
    signature = network.signature.replace(":", " :", 1) if network.program is None else network.signature
    title = f"network {network.name}{signature}, {_shown(own, batch)}"
    rows, _ = _measure(runs, {}, None, repeat, seconds)
    return Comparison(title, sum(y.numel() * y.element_size() for y in _tensors(runs[0].forward())), (*rows, *skipped))


def _apart(module: torch.nn.Module) -> torch.nn.Module:
    """A copy that calls every layer by itself."""
    found = copy.deepcopy(module)
    for part in found.modules():
        part.register_forward_hook(lambda *_: None)
    return found


def _shown(sizes: Mapping[str, int], batch: int) -> str:
    return ", ".join(f"{name} = {value}" for name, value in {**sizes, "batch": batch}.items())


def _inputs(source: Type, sizes: dict[str, int], batch: int, *, is_complex: bool) -> tuple[Tensor, ...]:
    dtype = torch.get_default_dtype().to_complex() if is_complex else None
    return tuple(torch.randn(batch, *_lengths(s, sizes), s.channels, dtype=dtype) for s in source.summands)


def compare(
    layer: Layer, sizes: dict[str, int], batch: int, repeat: int, seconds: float, allowance: Allowance
) -> Comparison:
    """One layer at one size beside everything else that can compute it."""
    own = {name: sizes[name] for name in item_sizes(layer)}
    module = compile_item(layer, **own)  # type: ignore[arg-type]
    xs = _inputs(layer.source, own, batch, is_complex=layer.is_complex)
    runs = [_Run.of(COMPILED, module, xs)]
    skipped: list[Measured] = []
    reason = refusal(layer)
    if reason:
        skipped.append(Measured("other ways", skipped=reason))
    else:
        for way in ways(layer, own, batch):
            found = _prepared(way, module, runs[0])
            runs.append(found) if isinstance(found, _Run) else skipped.append(Measured(way.name, skipped=found))
    for run in sorted(runs, key=lambda run: run.name == LARGE) if allowance.given else ():
        found = _traced(run, allowance)
        runs.append(found) if isinstance(found, _Run) else skipped.append(Measured(_under(run.name), skipped=found))
    floor = _floor(layer, xs[0]) if not reason else None
    output = sum(y.numel() * y.element_size() for y in runs[0].grads)
    words = layer.source.words + layer.target.words
    groups = " x ".join(dict.fromkeys(str(wire.group) for word in words for wire in word)) or "no group"
    title = f"{groups}, {layer.name} : {layer.source} -> {layer.target}, {_shown(own, batch)}"
    predicted, taken = predict(layer, {**own, "batch": batch}, calibration.unavailable)
    left_out = {way: why for way, time in predicted.items() if (why := _left_out(way, time))}
    ours = {way: _way(way, module, runs[0]) for way in predicted if way not in left_out}
    rows, measured = _measure(runs, ours, floor, repeat, seconds)
    return Comparison(title, output, (*rows, *skipped), predicted, measured, left_out, taken)


def _lengths(summand: Any, sizes: dict[str, int]) -> list[int]:
    """The axes of a tensor as it is stored, without its channels."""
    pairs = ((w.group.size if isinstance(w.group.size, int) else sizes[w.group.size], p) for w, p in summand.axes)
    return [math.comb(n + power - 1, power) for n, power in pairs]


@dataclass(frozen=True)
class _Run:
    """Something to measure: a function of xs whose gradient for xs and weights is taken with the given ys."""

    name: str
    function: Callable[[Any], Any]
    xs: tuple[Tensor, ...]
    grads: tuple[Tensor, ...]
    weights: tuple[Tensor, ...]

    @staticmethod
    def of(name: str, module: torch.nn.Module, xs: tuple[Tensor, ...]) -> _Run:
        """A module on some inputs."""
        with torch.no_grad():
            ys = _tensors(module(_given(xs)) if xs else module())
        function = module if xs else lambda _: module()
        return _Run(name, function, xs, tuple(torch.randn_like(y) for y in ys), tuple(module.parameters()))

    def forward(self) -> Any:
        with torch.no_grad():
            return self.function(_given(self.xs))

    def gradient(self) -> Any:
        """The gradients, None for what has none; None alone where no result has one."""
        xs = tuple(x.detach().requires_grad_() for x in self.xs)
        ys = _tensors(self.function(_given(xs)))
        pairs = [(y, g) for y, g in zip(ys, self.grads, strict=True) if y.requires_grad]
        ys, grads = zip(*pairs, strict=True) if pairs else ((), ())
        return torch.autograd.grad(ys, (*xs, *self.weights), grads, allow_unused=True) if ys else None


def _given(xs: tuple[Tensor, ...]) -> Any:
    """What a module is called with."""
    return xs[0] if len(xs) == 1 else xs


def _prepared(way: Way, module: Any, ours: _Run) -> _Run | str:
    """A way on the module's weights, once it is known to be the same function; or why it is left out."""
    if 2 * way.extra > MOST_BYTES:
        return f"{way.extra / 1e9:.1f} GB of intermediates"
    x, g = ours.xs[0], ours.grads[0]
    weight, bias = module.weight, module.bias
    if way.channels_first:
        x, g = x.movedim(-1, 1).contiguous(), g.movedim(-1, 1).contiguous()
    run = _Run(way.name, lambda v: way.run(v, weight, bias), (x,), (g,), ours.weights)
    for call in (run.forward, run.gradient):
        start = time.process_time()
        call()
        spent = time.process_time() - start
        if spent > MOST_SECONDS:
            return f"{spent:.1f} s a call"
    verify(way, module, x[:1].movedim(1, -1) if way.channels_first else x[:1])
    return run


def _traced(run: _Run, allowance: Allowance) -> _Run | str:
    """A way under torch.compile, once that has compiled it and it gives the same numbers; or why it is left out."""
    found = replace(run, name=_under(run.name), function=traced(run.function))
    for call, meant in ((found.forward, run.forward), (found.gradient, run.gradient)):
        why = allowance.spend(call)
        if why:
            return why
        for y, own in zip(_tensors(call()), _tensors(meant()), strict=True):
            torch.testing.assert_close(y / own.abs().max(), own / own.abs().max(), rtol=1e-3, atol=1e-4)
    return found


def _tensors(values: Any) -> tuple[Tensor, ...]:
    """The tensors of a result, those of direct sums among several results too; None is none."""
    if isinstance(values, tuple):
        return tuple(x for value in values for x in _tensors(value))
    return () if values is None else (values,)


def _under(name: str) -> str:
    return f"{name}, torch.compile"


def _left_out(way: str, predicted: float) -> str:
    """Why a way to run the compiled layer is not measured, or nothing."""
    if predicted > MOST_SECONDS:
        return f"{predicted:.1f} s a call"
    return calibration.unavailable(way)


def _way(way: str, module: Any, ours: _Run) -> Callable[[], Any]:
    """A way to run the compiled layer, forward, once it is known to compute the same in float64."""
    wide = torch.complex128 if ours.xs[0].is_complex() else torch.float64
    parameters = {name: value.detach().to(wide) for name, value in module.named_parameters()}
    xs = tuple(x[:1].to(wide) for x in ours.xs)
    given = xs if len(xs) > 1 else xs[0]
    with torch.no_grad():
        wanted = torch.func.functional_call(module, parameters, (given,))
        with calibration.forced(way):
            found = torch.func.functional_call(module, parameters, (given,))
    torch.testing.assert_close(found, wanted, rtol=1e-8, atol=1e-8)

    def call() -> Any:
        with calibration.forced(way):
            return ours.forward()

    return call


def verify(way: Way, module: Any, x: Tensor) -> None:
    """A way computes what the module computes, in float64, forward and backward.  Raises: AssertionError."""
    weight = module.weight.detach().double().requires_grad_()
    bias = None if module.bias is None else torch.randn_like(module.bias, dtype=torch.float64).requires_grad_()
    parameters = {"weight": weight} | ({} if bias is None else {"bias": bias})
    leaves = [x.double().requires_grad_(), *parameters.values()]
    ours = torch.func.functional_call(module, parameters, (leaves[0],))
    first = leaves[0].movedim(-1, 1) if way.channels_first else leaves[0]
    theirs = way.run(first, weight, bias)
    theirs = theirs.movedim(1, -1) if way.channels_first else theirs
    g = torch.randn_like(ours)
    torch.testing.assert_close(theirs, ours, rtol=1e-8, atol=1e-8)
    for a, b in zip(torch.autograd.grad(theirs, leaves, g), torch.autograd.grad(ours, leaves, g), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-7, atol=1e-7)


def _floor(layer: Layer, x: Tensor) -> Callable[[], Any] | None:
    """What no way of computing a 2 -> 2 layer of S(n) avoids: two products and one pass over memory; forward alone."""
    channels = x.shape[-1]
    if len(layer.diagrams) != 15 or x.dim() != 4 or layer.target.summands[0].channels != channels:
        return None
    first, second = torch.randn(2, channels, channels)
    return lambda: (x.view(-1, channels) @ first, x.view(-1, channels) @ second, x.clone())


# ---------------------------------------------------------------------------------------------------------- measuring


def _measure(
    runs: list[_Run],
    ways_: Mapping[str, Callable[[], Any]],
    floor: Callable[[], Any] | None,
    repeat: int,
    seconds: float,
) -> tuple[list[Measured], dict[str, float]]:
    """The rows, and the seconds of each way to run the compiled layer."""
    calls: dict[str, Callable[[], Any]] = {f"{run.name}/forward": run.forward for run in runs}
    calls |= {f"{run.name}/gradient": run.gradient for run in runs}
    calls |= {f"{way}/way": call for way, call in ways_.items()}
    if floor:
        calls[FLOOR] = floor
    times = race(calls, repeat, seconds)
    rows = []
    for run in runs:
        forward, gradient = times[f"{run.name}/forward"], times[f"{run.name}/gradient"]
        if run.gradient() is None:
            rows.append(Measured(run.name, forward, None, peak_bytes(run.forward)))
        else:
            rows.append(Measured(run.name, forward, gradient, peak_bytes(run.forward), peak_bytes(run.gradient)))
    if floor:
        rows.append(Measured(FLOOR, times[FLOOR], None))
    return rows, {way: times[f"{way}/way"] / 1000 for way in ways_}
