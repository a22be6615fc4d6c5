"""Measure the compiled layers beside other ways to compute them, and write docs/benchmarks.md and its picture.

python -m tests.benchmarks [--quick] [--output FILE]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

import catnn
from catnn.baselines.traced import Allowance
from catnn.bench import bench
from catnn.benchmark import Benchmark
from catnn.measure import one_thread
from tests.benchmarks.others import construction, rotations
from tests.benchmarks.plot import plot

ROOT = Path(__file__).resolve().parent.parent.parent

CASES: tuple[tuple[str, str, dict[str, int]], ...] = (
    ("S(n)", "V^2[32] -> V^2[32] = all + bias", {"batch": 16, "n": 32}),
    ("S(n)", "V^2[32] -> V^2[32] = all + bias", {"batch": 16, "n": 64}),
    ("S(n)", "V^2[16] -> V^2[16] = all + bias", {"batch": 32, "n": 48}),
    ("S(n)", "V^3[8] -> V^3[8] = all", {"batch": 8, "n": 12}),
    ("S(n)", "V^4[4] -> V^4[4] = all", {"batch": 2, "n": 8}),
    ("S(n)", "V^4[4] -> V^4[4] = all", {"batch": 16, "n": 8}),
    ("S(n)", "V^2[4] -> V^2[4] = all + bias", {"batch": 2, "n": 4}),
    ("O(3)", "V^3[32] -> V^3[32] = all", {"batch": 64}),
)

TRACED = (0, 3, 7)
"""Which of them are measured under torch.compile, too, as long as it may take."""

QUICK = (("S(n)", "V^2[4] -> V^2[4] = all + bias", {"batch": 2, "n": 5}),)

PAGE = """\
# Benchmarks

Written by `make bench`. Machine: {machine}.

The compiled layer runs in C, or as one matrix, where
[the cost model](explanation/reduce-mix-expand.md#which-way-is-taken) says so; what that predicted stands beside each
title.

Every way computes the same layer on the same weights in one run; all were checked against the compiled layer in
float64, forward and gradient, before they were measured. Times are process times, medians of interleaved rounds, as
multiples of the compiled layer's; more than 1 means that the compiled layer is so many times faster. Memory is the peak
of what torch's allocator hands out beyond the inputs, the output itself included, as a multiple of the output; with
gradient, the gradients of the weights are part of it. The bars are 1.5 outputs forward, and with gradient three times
input and output together: 6 in these tables, where x and y are of one size.

- **dense matrix**: the weights summed into one matrix, which multiplies x.
- **one diagram at a time**: the algorithm of the papers (arXiv 2304.14165), its gradient by the diagrams upside down.
- **stacked maps (IGN)**: the image of every diagram, stacked, then one einsum (arXiv 1812.09902), as IGN's ports do it.
- **an einsum a diagram**: `torch.einsum` with deltas for repeated outputs.
- **torch.compile**: a way as one graph of Inductor, which may compile for {tracing:.0f} s in all; what it kept of an
  earlier run counts little, so a second run measures more. The compiled layer is an operator in C there, or, where the
  cost model finds Inductor's code for them faster, the statements of its file.
- **fused by hand**: what a careful person writes for 2 -> 2; the gradient is autograd's.
- **floor**: for 2 -> 2, two products of x with channels x channels matrices and one copy of x. That is no layer, but
  what no way to compute one avoids. It is measured forward alone.

![Times, as multiples of the compiled layer's](images/benchmarks.svg)

{tables}
## Other libraries

One thread, process time, as multiples of the compiled layer's: more than 1 means that the compiled layer is so many
times faster. e3nn's layer is a change of basis into irreps, its `o3.Linear`, and the change back. From
`python -m tests.benchmarks.others`.

{others}
"""


def page(found: list[Benchmark], others: Iterable[str], tracing: float = 100.0) -> str:
    """The page in Markdown; others: lines about other libraries; tracing: how long torch.compile might take."""
    parts = []
    for benchmark in found:
        for comparison in benchmark.comparisons:
            table = comparison.table()
            ways = comparison.ways()
            parts.append(f"## {table.caption}\n\n{table.markdown()}\n{ways.caption}:\n\n{ways.markdown()}")
    lines = "\n".join(f"- {line}" for line in others)
    return PAGE.format(machine=found[0].machine, tables="\n".join(parts), others=lines, tracing=tracing)


def main() -> None:
    """Run every case, print as they come, write the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one tiny case")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks.md", help="the page to write")
    parser.add_argument("--tracing", type=float, default=100.0, help="seconds that torch.compile may take in all")
    options = parser.parse_args()
    allowance = Allowance(0.0 if options.quick else options.tracing)
    found = []
    for at, (group, text, sizes) in enumerate(QUICK if options.quick else CASES):
        layer = catnn.parse(f"space V : {group}  layer mix : {text}")["mix"]
        found.append(bench(layer, seconds=2.0, tracing=allowance if at in TRACED else 0.0, **sizes))
        print(found[-1] if len(found) == 1 else found[-1].comparisons[0].table(), end="\n\n", flush=True)
    with one_thread():
        others = [*rotations(compiled=False), *construction()]
    options.output.write_text(page(found, others, options.tracing), encoding="utf-8")
    picture = options.output.with_name("images") / "benchmarks.svg"
    picture.parent.mkdir(exist_ok=True)
    picture.write_text(plot(found), encoding="utf-8")


if __name__ == "__main__":
    main()
