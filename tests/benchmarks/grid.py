"""The planner's choice on sixty layers, beside what is measured: ``python -m tests.benchmarks.grid [--fit]``.

For every layer both ways are measured, interleaved; the line says what was predicted and how much longer the chosen way
takes than the better one.  `--fit` prints the rates that fit the measurements best.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy
import torch

import catnn
from catnn.measure import one_thread, race
from catnn.native import attach as attaching
from catnn.plan.build import plan_layer
from catnn.plan.dense import dense, multiply_adds
from catnn.plan.rates import DENSE, IN_C, STATEMENTS, Counted, rates
from catnn.plan.ways import ways

SHAPES = [
    ("S(n)", k, l, c, n, b)
    for k, l in ((1, 1), (2, 1), (1, 2), (2, 2), (3, 2), (3, 3))
    for c, n, b in (
        (2, 4, 2), (4, 8, 8), (8, 8, 4), (16, 8, 8), (32, 8, 4), (64, 8, 4), (128, 6, 2), (8, 16, 4), (32, 16, 2),
    )
] + [("O(3)", k, k, c, 3, 32) for k in (2, 3) for c in (4, 32, 64)]  # fmt: skip


MOST = 10**8
"""Dense forms with more multiply-adds are not measured: nobody would take them."""


@dataclass(frozen=True)
class Found:
    """One layer: milliseconds by way, measured and predicted, and what the prediction counted."""

    name: str
    measured: dict[str, float]
    predicted: dict[str, float]
    counted: dict[str, Counted]

    @property
    def loss(self) -> float:
        """How many times longer the chosen way takes than the better one."""
        chosen = min(self.predicted, key=self.predicted.__getitem__)
        return self.measured[chosen] / min(self.measured.values())


def measured() -> Iterator[Found]:
    """All layers, forward."""
    known = rates()
    for group, k, l, channels, n, batch in SHAPES:
        text = f"space V : {group}  layer f : V^{k}[{channels}] -> V^{l}[{channels}] = all"
        layer = catnn.parse(text)["f"]
        plan, form, module = plan_layer(layer), dense(layer), catnn.compile(layer)
        x = torch.randn(batch, *[n] * k, channels)
        sizes = {"n": n, "batch": batch}

        def forward(way: str, module: Any = module, x: Any = x) -> Any:
            attaching.FORCED = way
            with torch.no_grad():
                return module(x)

        tallies = ways(plan, form)
        if form is not None and multiply_adds(form).value(sizes) > MOST:
            del tallies[DENSE]
        counted = {way: tally.at(sizes) for way, tally in tallies.items()}
        times = race({way: lambda way=way: forward(way) for way in counted}, 7, 0.4)
        attaching.FORCED = None
        predicted = {way: 1000 * seconds for way, seconds in known.predict(tallies, sizes).items()}
        yield Found(f"{group} {k}->{l} C={channels} n={n} B={batch}", times, predicted, counted)


def fit(found: list[Found]) -> None:
    """Rates by least squares on relative errors, none of them negative."""
    from scipy.optimize import nnls

    for way in (IN_C, STATEMENTS, DENSE):
        rows = numpy.array([[1.0, *one.counted[way]] for one in found if way in one.counted])
        times = numpy.array([one.measured[way] / 1000 for one in found if way in one.counted])
        solution, _ = nnls(rows / times[:, None], numpy.ones(len(times)))
        print(way, ", ".join(f"{value:.3g}" for value in solution))


def main() -> None:
    """A line a layer, then how good the choices were."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.grid", description=__doc__)
    parser.add_argument("--fit", action="store_true", help="print the rates that fit")
    options = parser.parse_args()
    os.environ["CATNN_NATIVE"] = "1"
    found = []
    with one_thread():
        for one in measured():
            found.append(one)
            shown = ", ".join(f"{way} {one.measured[way]:.3f} ms ({one.predicted[way]:.3f})" for way in one.measured)
            print(f"{one.name}: {shown}; the choice takes {one.loss:.2f} of the best", flush=True)
    good = sum(one.loss <= 1.15 for one in found)
    print(f"{good} of {len(found)} choices within 15% of the best, the worst {max(one.loss for one in found):.2f}")
    if options.fit:
        fit(found)


if __name__ == "__main__":
    main()
