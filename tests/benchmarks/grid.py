"""The planner's choice on sixty layers, beside what is measured: ``python -m tests.benchmarks.grid [--fit]``.

`--forms` has layers at literal sizes and narrow ones instead, `--random SEED` eighty layers of any shape, few channels
and many, small sizes and large.

For every layer all ways are measured, interleaved, three times, of which the least median counts: a slow spell of a
shared machine is no way's fault.  The line says what was predicted and how much longer the chosen way takes than the
best one.  `--fit` prints the rates that fit the measurements best.
"""

from __future__ import annotations

import argparse
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy
import torch

import catnn
from catnn.measure import one_thread, race
from catnn.native import attach as attaching
from catnn.plan.dense import multiply_adds
from catnn.plan.rates import DENSE, WAYS, Counted, rates
from catnn.plan.ways import fastest, forms_of

SHAPES = [
    ("S(n)", k, l, c, n, b)
    for k, l in ((1, 1), (2, 1), (1, 2), (2, 2), (3, 2), (3, 3))
    for c, n, b in (
        (2, 4, 2), (4, 8, 8), (8, 8, 4), (16, 8, 8), (32, 8, 4), (64, 8, 4), (128, 6, 2), (8, 16, 4), (32, 16, 2),
    )
] + [("O(3)", k, k, c, 3, 32) for k in (2, 3) for c in (4, 32, 64)]  # fmt: skip
LAYERS = [
    (f"{group} {k}->{l} C={c} n={n} B={b}", f"space V : {group}  layer f : V^{k}[{c}] -> V^{l}[{c}] = all", n, b)
    for group, k, l, c, n, b in SHAPES
]
"""Name, text, n and batch of the sixty."""

LITERAL = [
    ("S(3)", 2, 2, 4, 4), ("S(3)", 2, 2, 64, 64), ("S(3)", 3, 3, 8, 64), ("S(3)", 3, 3, 32, 64),
    ("S(4)", 3, 3, 16, 64), ("S(4)", 3, 3, 64, 32), ("S(8)", 2, 2, 64, 32), ("S(3)", 4, 4, 8, 64),
    ("S(4)", 3, 1, 32, 64), ("O(2)", 4, 4, 32, 64), ("O(2)", 3, 3, 16, 256), ("O(3)", 2, 2, 32, 64),
    ("O(3)", 4, 4, 8, 8), ("O(3)", 4, 4, 32, 64), ("H(3)", 3, 3, 32, 32), ("O(2)", 4, 4, 128, 64),
    ("S(3)", 3, 3, 64, 256),
]  # fmt: skip
NARROW = [
    ("V^2[64]", "V^2[1]", 16, 16), ("V^2[32]", "V^2[4]", 16, 16), ("V^2[512]", "1[1]", 16, 8),
    ("V^2[64]", "V[2]", 24, 8), ("V^3[256]", "V[2]", 8, 4), ("V^3[64]", "V^2[1]", 12, 4),
    ("V^2[1]", "V^2[64]", 16, 16), ("V[2]", "V^3[64]", 10, 4), ("V^2[3]", "V^2[32]", 24, 8),
    ("V^2[1]", "V^3[32]", 10, 4),
]  # fmt: skip
FORMS = [
    (f"{group} {k}->{l} C={c} B={b}", f"space V : {group}  layer f : V^{k}[{c}] -> V^{l}[{c}] = all", 0, b)
    for group, k, l, c, b in LITERAL
] + [
    (f"{a} -> {b} n={n} B={batch}", f"space V : S(n)  layer f : {a} -> {b} = all", n, batch)
    for a, b, n, batch in NARROW
]
"""Layers at literal sizes, which have irreducible parts, and those with few channels on one side."""


ORDERS = ((1, 1), (2, 2), (2, 1), (1, 2), (2, 0), (1, 0), (3, 1), (1, 3), (3, 3), (2, 3), (3, 2))
WIDTHS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


def random_layers(seed: int, count: int = 80) -> list[tuple[str, str, int, int]]:
    """Layers of any shape that take up to some ten milliseconds."""
    draw, found = random.Random(seed), list[tuple[str, str, int, int]]()
    while len(found) < count:
        group = draw.choice(("S(n)",) * 5 + ("O(n)", "H(n)", "O(3)", "O(2)", "S(4)", "S(3)"))
        (k, l), a, b = draw.choice(ORDERS), draw.choice(WIDTHS), draw.choice(WIDTHS)
        b = draw.choice((a, b))
        n, batch = (
            draw.choice((2, 3, 4, 6, 8, 12, 16, 24, 32, 50, 64, 100, 128)),
            draw.choice((1, 2, 4, 8, 16, 64, 256)),
        )
        literal = int(group[2]) if group[2].isdigit() else 0
        numbers = batch * (literal or n) ** max(k, l) * max(a, b)
        if numbers > 2e7 or 6 * numbers * min(a, b) > 6e8 or (group[0] in "OH" and (k + l) % 2):
            continue
        text = f"V^{k}[{a}] -> {f'V^{l}' if l else '1'}[{b}]"
        name = f"{group} {text}{'' if literal else f' n={n}'} B={batch}"
        found.append((name, f"space V : {group}  layer f : {text} = all", 0 if literal else n, batch))
    return found


MOST = 10**8
"""Dense forms with more multiply-adds are not measured: nobody would take them."""


@dataclass(frozen=True)
class Found:
    """One layer: milliseconds by way, measured and predicted, what the prediction counted, and the way taken."""

    name: str
    measured: dict[str, float]
    predicted: dict[str, float]
    counted: dict[str, Counted]
    taken: str

    @property
    def loss(self) -> float:
        """How many times longer the chosen way takes than the better one."""
        return self.measured[self.taken] / min(self.measured.values())


def measured(layers: list[tuple[str, str, int, int]]) -> Iterator[Found]:
    """All layers, forward."""
    known = rates()
    for name, text, n, batch in layers:
        layer = catnn.parse(text)["f"]
        forms, module = forms_of(layer), catnn.compile(layer)
        summand = layer.source.summands[0]
        x = torch.randn(batch, *[n or summand.word[0].group.size] * len(summand.word), summand.channels)
        sizes = {"n": n, "batch": batch}

        def forward(way: str, module: Any = module, x: Any = x) -> Any:
            attaching.FORCED = way
            with torch.no_grad():
                return module(x)

        tallies = forms.ways()
        if forms.dense is not None and multiply_adds(forms.dense).value(sizes) > MOST:
            del tallies[DENSE]
        counted = {way: tally.at(sizes) for way, tally in tallies.items()}
        calls = {way: lambda way=way: forward(way) for way in counted}
        races = [race(calls, 7, 0.4) for _ in range(3)]
        times = {way: min(found[way] for found in races) for way in counted}
        attaching.FORCED = None
        predicted = {way: 1000 * seconds for way, seconds in known.predict(tallies, sizes).items()}
        yield Found(name, times, predicted, counted, fastest(tallies, sizes, known))


def fit(found: list[Found]) -> None:
    """Rates by least squares on relative errors, none of them negative."""
    from scipy.optimize import nnls

    for name in dict.fromkeys(WAYS.values()):
        pairs = [(one, way) for one in found for way in one.counted if WAYS[way] == name]
        if pairs:
            rows = numpy.array([[1.0, *one.counted[way]] for one, way in pairs])
            times = numpy.array([one.measured[way] / 1000 for one, way in pairs])
            solution, _ = nnls(rows / times[:, None], numpy.ones(len(times)))
            print(name, ", ".join(f"{value:.3g}" for value in solution))


def main() -> None:
    """A line a layer, then how good the choices were."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.grid", description=__doc__)
    parser.add_argument("--fit", action="store_true", help="print the rates that fit")
    parser.add_argument("--forms", action="store_true", help="layers at literal sizes and narrow ones instead")
    parser.add_argument("--random", type=int, metavar="SEED", help="eighty layers of any shape instead")
    options = parser.parse_args()
    os.environ["CATNN_NATIVE"] = "1"
    found = []
    with one_thread():
        fixed = FORMS if options.forms else LAYERS
        for one in measured(fixed if options.random is None else random_layers(options.random)):
            found.append(one)
            shown = ", ".join(f"{way} {one.measured[way]:.3f} ms ({one.predicted[way]:.3f})" for way in one.measured)
            print(f"{one.name}: {shown}; the choice takes {one.loss:.2f} of the best", flush=True)
    good = sum(one.loss <= 1.15 for one in found)
    print(f"{good} of {len(found)} choices within 15% of the best, the worst {max(one.loss for one in found):.2f}")
    if options.fit:
        fit(found)


if __name__ == "__main__":
    main()
