"""Products in the Fourier basis of S_p beside the same without it: ``python -m tests.benchmarks.blocks``.

Every line is the time with blocks over the time permutation by permutation, in one run: forward, and with gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

import catnn
from catnn.calibration import forced
from catnn.compiler import generate
from catnn.emit.load import load
from catnn.measure import one_thread, race
from catnn.plan import fourier
from catnn.plan.rates import IN_C, STATEMENTS

CASES = (
    (IN_C, "O(n)", "V^4[32] -> V^4[32] = all", 5, 16),
    (IN_C, "S(n)", "V^3[32] -> V^3[32] = all", 12, 4),
    (IN_C, "S(n)", "V^2[128] -> V^2[128] = all", 32, 4),
    (STATEMENTS, "O(3)", "V^4[32] -> V^4[32] = all", 3, 64),
    (STATEMENTS, "O(3)", "V^4[32] -> V^4[32] = all", 3, 1),
)
"""The way, the group, the layer, n and the batch."""


def calls(way: str, group: str, arrow: str, x: torch.Tensor, gain: float) -> dict[str, Callable[[], Any]]:
    """Forward and with gradient; gain: `fourier.GAIN` while the layer is made and first called."""
    before, fourier.GAIN = fourier.GAIN, gain
    name = "with_blocks" if gain else "without"  # equal files are one module, with one set of programs
    spec = catnn.parse(f"space V : {group}  layer {name} : {arrow}")
    if way == IN_C:
        module = catnn.compile(spec[name])
    else:
        generated = generate(spec)
        module = getattr(load(generated.text), generated.classes[name])()

    def forward() -> Any:
        with forced(way), torch.no_grad():
            return module(x)

    def gradient() -> None:
        with forced(way):
            module(x).sum().backward()

    forward(), gradient()  # programs are made at the first call
    fourier.GAIN = before
    return {"forward": forward, "with gradient": gradient}


def main() -> None:
    """Print a line a case."""
    with one_thread():
        for way, group, arrow, n, batch in CASES:
            order = int(arrow[2])
            x = torch.randn(batch, *[n] * order, int(arrow[4 : arrow.index("]")]), requires_grad=True)
            kinds = {"with blocks": fourier.GAIN, "without": 0.0}
            made = {kind: calls(way, group, arrow, x, gain) for kind, gain in kinds.items()}
            times = race({f"{kind}, {what}": call for kind, two in made.items() for what, call in two.items()}, 9, 4.0)
            one, two = (times[f"with blocks, {what}"] / times[f"without, {what}"] for what in made["without"])
            print(f"{way}, {group} {arrow.partition(' = ')[0]}, n = {n}, batch = {batch}: {one:.2f}, {two:.2f}")


if __name__ == "__main__":
    main()
