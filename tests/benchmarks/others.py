"""O(3) layers beside e3nn's, and the construction of a basis beside EMLP's: ``python -m tests.benchmarks.others``.

e3nn's way is what its users write: a change of basis into irreps (`ReducedTensorProducts`), `o3.Linear`, and the change
back.  Both have as many weights, for both span all equivariant maps.  Where a library is absent, a line says so.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

import catnn
from catnn.measure import one_thread, race

ORDERS, CHANNELS, BATCH = (2, 3, 4), 32, 64


class Irreps(nn.Module):
    """e3nn's linear layer between tensor powers of vectors, channels last as ours."""

    def __init__(self, order: int, channels: int) -> None:
        super().__init__()
        from e3nn import o3  # type: ignore[import-not-found, import-untyped, unused-ignore]

        letters = "ijklmn"[:order]
        found = o3.ReducedTensorProducts(letters, **dict.fromkeys(letters, "1o"))
        self.register_buffer("basis", found.change_of_basis.reshape(found.irreps_out.dim, -1))
        wide = o3.Irreps([(count * channels, irrep) for count, irrep in found.irreps_out])
        self.slices = [
            (at, count, irrep.dim)
            for at, (count, irrep) in zip(found.irreps_out.slices(), found.irreps_out, strict=True)
        ]
        self.linear = o3.Linear(wide, wide)
        self.order, self.channels = order, channels

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 3, ..., 3, channels) to the same shape."""
        batch, channels = len(x), self.channels
        turned = self.basis @ x.reshape(batch, -1, channels)  # (batch, irreps, channels)
        parts = [
            turned[:, at].unflatten(1, (count, dim)).transpose(2, 3).reshape(batch, -1)
            for at, count, dim in self.slices
        ]
        mixed = self.linear(torch.cat(parts, 1))
        start, back = 0, []
        for _, count, dim in self.slices:
            stop = start + count * channels * dim
            back.append(mixed[:, start:stop].reshape(batch, count, channels, dim).transpose(2, 3).flatten(1, 2))
            start = stop
        return (self.basis.T @ torch.cat(back, 1)).reshape(x.shape)


def rotations(*, compiled: bool) -> Iterator[str]:
    """A line for each order: how many times longer e3nn takes."""
    if importlib.util.find_spec("e3nn") is None:
        yield "e3nn: skipped, it is not installed (the extra `bench`)"
        return
    for order in ORDERS:
        layer = catnn.parse(f"space V : O(3)  layer f : V^{order}[{CHANNELS}] -> V^{order}[{CHANNELS}] = all")["f"]
        ours, theirs = catnn.compile(layer), Irreps(order, CHANNELS)
        weights = sum(parameter.numel() for parameter in theirs.linear.parameters())
        assert weights == ours.weight.numel(), (weights, ours.weight.shape)
        x = torch.randn(BATCH, *[3] * order, CHANNELS)
        rivals: dict[str, Callable[[Tensor], Tensor]] = {"e3nn": theirs}
        if compiled:
            rivals |= {"e3nn, torch.compile": torch.compile(theirs), "ours, torch.compile": torch.compile(ours)}
        names = ", ".join(f"{name}: {_against(ours, rival, x)}" for name, rival in rivals.items())
        what = f"O(3) {order} -> {order}, {CHANNELS} channels, batch {BATCH}"
        yield f"{what}, in multiples of the compiled layer: {names}"


def _against(ours: nn.Module, rival: Any, x: Tensor) -> str:
    """The ratios of the times, forward and with gradient."""
    wanted = x.clone().requires_grad_()

    def forward(module: Any) -> Callable[[], object]:
        def run() -> object:
            with torch.no_grad():
                return module(x)

        return run

    def gradient(module: Any) -> Callable[[], object]:
        def run() -> object:
            wanted.grad = None
            return module(wanted).sum().backward()

        return run

    shown = []
    for kind in (forward, gradient):
        times = race({"ours": kind(ours), "theirs": kind(rival)}, 15, 2.0)
        shown.append(f"{times['theirs'] / times['ours']:.2f}")
    return f"{shown[0]} forward, {shown[1]} with gradient"


SOLVED = 4
"""For which n EMLP solves; its time grows with n^4, for S(12) it takes a minute and a half."""


def construction() -> Iterator[str]:
    """The time to a basis of 2 -> 2, as EMLP solves for it and as it is written down, without what is cached."""
    before, os.environ["CATNN_PLANS"] = os.environ.get("CATNN_PLANS"), "0"
    start = time.process_time()
    layer = catnn.parse(f"space V : S({SOLVED})  layer f : V^2 -> V^2 = all")["f"]
    catnn.compile(layer)
    ours = time.process_time() - start
    if before is None:
        del os.environ["CATNN_PLANS"]
    else:
        os.environ["CATNN_PLANS"] = before
    what = f"S({SOLVED}) 2 -> 2, from text to module"
    if importlib.util.find_spec("emlp") is None:
        yield f"{what}: {ours:.3f} s; EMLP: skipped, it is not installed (the extra `bench`)"
        return
    os.environ.setdefault("TQDM_DISABLE", "1")  # its progress bars do not know the numbers of numpy 2
    try:
        from emlp.groups import S  # type: ignore[import-not-found, import-untyped, unused-ignore]
        from emlp.reps import V  # type: ignore[import-not-found, import-untyped, unused-ignore]

        start = time.process_time()
        found = (V(S(SOLVED)) ** 2 >> V(S(SOLVED)) ** 2).equivariant_basis()
    except Exception as error:
        yield f"{what}: {ours:.3f} s; EMLP: skipped, {type(error).__name__}: {error}"
        return
    theirs, count = time.process_time() - start, found.shape[-1]
    assert count == len(layer.diagrams), (count, len(layer.diagrams))
    yield f"{what}: {ours:.3f} s; the {count} basis elements of EMLP: {theirs:.1f} s, {theirs / ours:.0f} times as long"


def main() -> None:
    """Print a line a comparison."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.others", description=__doc__)
    parser.add_argument("--compile", action="store_true", help="torch.compile of each, too (minutes)")
    options = parser.parse_args()
    with one_thread():
        for line in (*rotations(compiled=options.compile), *construction()):
            print(line, flush=True)


if __name__ == "__main__":
    main()
