"""Layers under torch.compile: as they are, beside Inductor's code for the statements of the file.

``python -m tests.benchmarks.operator [--only N]``.  For every layer both are compiled by Inductor, checked against each
other, and measured, interleaved in one run.  A line says what the graph has, the operator in C or statements, as the
cost model has it; how many times as long Inductor's code for the written file takes, forward and with gradient; and how
long torch.compile took for both, the first calls included (what is kept on disk of an earlier run is not used).
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import torch

import catnn
from catnn.measure import one_thread, race
from catnn.native.attach import Attached

SHAPES = [
    ("S(n)", 1, 1, 4, 4, 2), ("S(n)", 2, 2, 4, 4, 2), ("S(n)", 2, 2, 2, 6, 1), ("O(3)", 2, 2, 4, 3, 2),
    ("S(n)", 1, 1, 64, 32, 16), ("S(n)", 2, 1, 8, 8, 8), ("S(n)", 2, 2, 8, 8, 8), ("O(3)", 2, 2, 32, 3, 64),
    ("S(n)", 2, 2, 16, 48, 32), ("S(n)", 2, 2, 32, 32, 16), ("S(n)", 2, 2, 32, 64, 16), ("S(n)", 2, 2, 256, 8, 4),
    ("S(n)", 2, 2, 512, 4, 2), ("S(n)", 3, 2, 16, 8, 4), ("S(n)", 3, 3, 8, 12, 8),
]  # fmt: skip
"""Group, orders, channels, n and batch: tiny ones, middling ones, those of the bars, wide ones, and 3 -> 3."""


def of_file(module: torch.nn.Module) -> torch.nn.Module:
    """The module of the written file, with the same weights: nothing is behind it."""
    names: dict[str, Any] = {"__name__": "written"}
    exec(module.source, names)  # type: ignore[arg-type]
    found: torch.nn.Module = names[type(module).__name__]()
    found.load_state_dict(module.state_dict())
    return found


def compiled(module: torch.nn.Module, x: torch.Tensor) -> tuple[Callable[..., Any], float]:
    """A module under Inductor, and the seconds that this took, forward and backward."""
    start = time.perf_counter()
    found: Callable[..., Any] = torch.compile(module, fullgraph=True, dynamic=False)
    with torch.no_grad():
        found(x)
    found(x).sum().backward()
    return found, time.perf_counter() - start


def measured(group: str, k: int, l: int, channels: int, n: int, batch: int) -> str:
    """A line about one layer."""
    text = f"space V : {group}  layer f : V^{k}[{channels}] -> V^{l}[{channels}] = all + bias"
    module = catnn.compile(catnn.parse(text)["f"])
    x = torch.randn(batch, *[n] * k, channels, requires_grad=True)
    modules = {"as it is": module, "of its file": of_file(module)}
    leaves = {way: [x, *one.parameters()] for way, one in modules.items()}
    found = {way: compiled(one, x) for way, one in modules.items()}
    generated = vars(sys.modules[type(module).__module__])
    attached = next(value for value in generated.values() if isinstance(value, Attached))
    has = "operator" if attached.choice.in_graph(batch, {"n": n}) else "statements"
    with torch.no_grad():
        g = torch.randn_like(module(x))

    def forward(way: str) -> Any:
        with torch.no_grad():
            return found[way][0](x)

    def gradient(way: str) -> Any:
        return torch.autograd.grad(found[way][0](x), leaves[way], g)

    torch.testing.assert_close(forward("as it is"), forward("of its file"), rtol=1e-3, atol=1e-3)
    shown = []
    for name, call in (("forward", forward), ("with gradient", gradient)):
        times = race({way: lambda way=way, call=call: call(way) for way in modules}, 9, 0.5)  # type: ignore[misc]
        shown.append(f"{name} {times['of its file'] / times['as it is']:.2f} of {times['as it is']:.3f} ms")
    took = " and ".join(f"{seconds:.1f} s" for _, seconds in found.values())
    return f"{group} {k}->{l} C={channels} n={n} B={batch}: {has}, {', '.join(shown)}; compiled in {took}"


def main() -> None:
    """A line a layer."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.operator", description=__doc__)
    parser.add_argument("--only", type=int, default=len(SHAPES), help="so many of the layers")
    options = parser.parse_args()
    os.environ["CATNN_NATIVE"] = "1"
    torch._inductor.config.force_disable_caches = True  # type: ignore[attr-defined, unused-ignore]
    warnings.simplefilter("ignore")
    with one_thread():
        for shape in SHAPES[: options.only]:
            print(measured(*shape), flush=True)


if __name__ == "__main__":
    main()
