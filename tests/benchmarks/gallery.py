"""The gallery beside plain torch, as people write it: ``python -m tests.benchmarks.gallery [NAME...]``.

Both compute the same on the same weights in one run, call by call in turns; a ratio above 1 means that the compiled
network is slower.  Where the reference of the tests is slow to be plain, a fast one stands here.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, einsum

import catnn
from tests import test_gallery as tests

Function = Callable[..., Any]
SIZES = {"n": 64, "h": 24, "w": 24}
BATCHES = {"adapted": (), "clifford": (256,), "gcn": (16,), "phm": (64,), "train": (64,)}
"""The batch axes, (16,) where nothing stands; weights have none."""


def triples(net: Any, x: Tensor) -> Tensor:
    q, k, l, v, w = (x[..., 0] @ weight.T for weight in (net.query, net.left, net.right, net.first, net.second))
    scores = (q.unsqueeze(-2) * k.unsqueeze(-3)) @ l.transpose(-1, -2).unsqueeze(-3)
    p = scores.flatten(-2).softmax(-1).reshape(scores.shape)
    return ((p @ w.unsqueeze(-3)) * v.unsqueeze(-3)).sum(-2) @ net.out.T


def diffuse(net: Any, a: Tensor, x: Tensor) -> Tensor:
    a, x = a[..., 0], x[..., 0]
    here = einsum("ecd,bid->biec", net.here, x).unsqueeze(2)
    there = einsum("ecd,bjd->bjec", net.there, x).unsqueeze(1)
    f = torch.tanh(here + there)
    p = (f @ x[:, :, None, :, None]).squeeze(-1)
    edges = p - (f.transpose(1, 2) @ x[:, None, :, :, None]).squeeze(-1)
    return x - torch.tanh(einsum("bij,bijec,bije->bic", a, f, edges))


def geometric(net: Any, x: Tensor, y: Tensor) -> Tensor:
    table = net.product
    return einsum("kij,bic,bjc->bkc", table, x @ net.left.weight[0].T, y @ net.right.weight[0].T)


def interact(mix: Any, last: Any, x: Tensor, f: Tensor, *, special: bool) -> Tensor:
    def mixed(weight: Tensor, t: Tensor) -> Tensor:
        trace = t.diagonal(0, -3, -2).sum(-1) @ weight[2].T
        eye = torch.eye(3, dtype=t.dtype)[..., None]
        return t @ weight[0].T + t.transpose(-3, -2) @ weight[1].T + trace[..., None, None, :] * eye

    def normed(t: Tensor) -> Tensor:
        return t / (t.square().sum((-3, -2), keepdim=True) + 1)

    def times(left: Tensor, right: Tensor) -> Tensor:
        return einsum("niabc,nibdc->niadc", left, right)

    y = mixed(mix.weight, normed(x))
    m = einsum("nijc,njabc->niabc", f, y)
    z = 2 * times(y, m) if special else times(y, m) + times(m, y)
    d = mixed(last.weight, normed(z))
    return x + d + times(d, d)


def compressed(net: Any, t: Tensor) -> Tensor:
    y = einsum("nabc,fa,gb,hc->nfgh", t[..., 0], net.fa, net.fb, net.fc)
    y = (y.flatten(1) @ net.core.reshape(64, 64).T).unflatten(-1, (4, 4, 4))
    return einsum("nfgh,xf,yg,zh->nxyz", y, net.fx, net.fy, net.fz)


def attend(net: Any, x: Tensor, order: Tensor | None = None) -> Tensor:
    q, k, v = tests.heads(net, x)
    scores = q @ k.transpose(-1, -2) / 4
    p = (scores if order is None else scores + order[..., 0].unsqueeze(-3)).softmax(-1)
    return (p @ v).transpose(-3, -2).flatten(-2) @ net.out.reshape(64, 64).T


FAST: dict[tuple[str, str], Function] = {
    ("attention", "attend"): attend,
    ("attention", "causal"): attend,
    ("triples", "triples"): triples,
    ("sheaf", "diffuse"): diffuse,
    ("clifford", "geometric"): geometric,
    ("tensornet", "interact"): lambda net, x, f: interact(net.mix, net.last, x, f, special=False),
    ("tensornet", "rotate"): lambda net, x, f: interact(net.spin, net.turn, x, f, special=True),
    ("train", "compressed"): compressed,
}


def samples(item: Any, batch: tuple[int, ...]) -> list[Tensor]:
    """Random inputs of the sizes that are measured."""
    torch.manual_seed(0)
    found = []
    for parameter in item.program.parameters:
        (summand,) = parameter.type.summands
        axes = [SIZES.get(str(wire.group.size), wire.group.size) for wire in summand.word]
        x = torch.randn(*batch, *axes, summand.channels)
        if parameter.name == "order":
            x = torch.full_like(x, -torch.inf).squeeze(-1).triu(1).unsqueeze(-1)
        found.append(x.requires_grad_(parameter.name != "order"))
    return found


def call(function: Function, leaves: list[Tensor], *, backward: bool) -> float:
    """The processor time of one call, its gradient included or not, in seconds."""
    start = time.thread_time()
    if backward:
        ys = function()
        total = sum(y.sum() for y in (ys if isinstance(ys, tuple) else (ys,)))
        torch.autograd.grad(total, leaves)
    else:
        with torch.no_grad():
            function()
    return time.thread_time() - start


def race(both: tuple[Function, Function], leaves: list[Tensor], seconds: float, *, backward: bool) -> list[float]:
    """The lower quartile of the times of each, called in turns, so that whatever else runs disturbs both alike."""
    spent: tuple[list[float], list[float]] = [], []
    end, turn = time.monotonic() + seconds, 0
    for function in both:
        call(function, leaves, backward=backward)
    while time.monotonic() < end or turn < 20:
        for at in (0, 1) if turn % 2 else (1, 0):
            spent[at].append(call(both[at], leaves, backward=backward))
        turn += 1
    return [sorted(times)[len(times) // 4] for times in spent]


def ratios(case: tests.Case, seconds: float) -> tuple[float, float, float]:
    """The time of the compiled network by that of the reference: forward, with the gradient; and its forward in ms."""
    item = tests.network(case)
    module = catnn.compile(item)
    xs = samples(item, BATCHES.get(case.file, (16,)))
    reference = FAST.get((case.file, case.network), case.reference)
    both = (lambda: module(*xs)), (lambda: reference(module, *xs))
    ys, zs = both[0](), both[1]()
    for y, z in zip(*(v if isinstance(v, tuple) else (v,) for v in (ys, zs)), strict=True):
        torch.testing.assert_close(y, (z if case.channels else z.unsqueeze(-1)).expand_as(y), rtol=1e-3, atol=1e-3)
    leaves = [x for x in xs if x.requires_grad] + list(module.parameters())
    plain = race(both, leaves, seconds, backward=False)
    whole = race(both, leaves, seconds, backward=True)
    return plain[0] / plain[1], whole[0] / whole[1], 1000 * plain[0]


def main() -> int:
    """Print a line a network; 1 if any is more than a tenth slower."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.gallery", description=__doc__)
    parser.add_argument("names", nargs="*", help="files of the gallery, all without one")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each pair is measured, twice")
    arguments = parser.parse_args()
    names = arguments.names
    torch.set_num_threads(1)
    slow = 0
    print(f"{'network':24} {'forward':>8} {'gradient':>9} {'ms':>8}")
    for case in tests.CASES:
        if not names or case.file in names:
            forward, gradient, ms = ratios(case, arguments.seconds)
            slow |= max(forward, gradient) > 1.1
            print(f"{case.file + ':' + case.network:24} {forward:8.2f} {gradient:9.2f} {ms:8.3f}", flush=True)
    return slow


if __name__ == "__main__":
    raise SystemExit(main())
