"""The gallery: twelve layers from the literature against plain torch, forward and gradient, in float64."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from torch import Tensor, einsum

import catnn
from examples.gallery.clifford import structure

GALLERY = Path(__file__).resolve().parent.parent / "examples" / "gallery"
Module = Any
SIZES = {"n": 5, "h": 4, "w": 6}
FILES = ("adapted", "attention", "clifford", "discocat", "gcn", "kronecker", "phm", "polynomial", "sheaf", "tensornet",
         "train", "triples")  # fmt: skip


# ------------------------------------------------------------------------------- the layers again, as papers have them


def linear(net: Module, w: Tensor) -> Tensor:
    return w[..., 0] + net.up_out @ net.up_in


def convolution(net: Module, w: Tensor) -> Tensor:
    delta = torch.tensordot(net.core, net.out, ([0], [1]))  # b c d o
    delta = torch.tensordot(delta, net.into, ([0], [1]))  # c d o i
    delta = torch.tensordot(delta, net.high, ([0], [1]))  # d o i h
    return w[..., 0] + torch.tensordot(delta, net.wide, ([0], [1]))


def heads(net: Module, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    x = x[..., 0]
    return tuple((x @ weight.reshape(64, 64).T).unflatten(-1, (4, 16)).transpose(-3, -2)
                 for weight in (net.query, net.key, net.value))  # fmt: skip


def attend(net: Module, x: Tensor, order: Tensor | None = None) -> Tensor:
    q, k, v = heads(net, x)
    mask = None if order is None else order[..., 0].unsqueeze(-3)
    y = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    return y.transpose(-3, -2).flatten(-2) @ net.out.reshape(64, 64).T


def triples(net: Module, x: Tensor) -> Tensor:
    q, k, l, v, w = (x[..., 0] @ weight.T for weight in (net.query, net.left, net.right, net.first, net.second))
    n = x.shape[-3]
    rows = []
    for i in range(n):
        scores = (k * q[..., i : i + 1, :]) @ l.transpose(-1, -2)
        p = scores.flatten(-2).softmax(-1).unflatten(-1, (n, n))
        rows.append((v * (p @ w)).sum(-2))
    return torch.stack(rows, -2) @ net.out.T


def kronecker(net: Module, x: Tensor) -> Tensor:
    x = x[..., 0]
    q = x @ net.query.T
    found = torch.zeros_like(q)
    for means in (x.mean(-2), x.mean(-3)):  # of the rows, of the columns
        p = (q @ (means @ net.key.T).transpose(-1, -2).unsqueeze(-3) / 4).softmax(-1)
        found = found + p @ (means @ net.value.T).unsqueeze(-3)
    return found


def parts(weight: Tensor, x: Tensor) -> Tensor:
    """A matrix of channels for each of I, A and S: (.., 3, 3, c)."""
    trace = x.diagonal(0, -3, -2).sum(-1)
    i = trace[..., None, None, :] / 3 * torch.eye(3, dtype=x.dtype)[..., None]
    a, s = (x - x.transpose(-3, -2)) / 2, (x + x.transpose(-3, -2)) / 2 - i
    same, turned, spread = weight
    return a @ (same - turned).T + s @ (same + turned).T + i @ (same + turned + 3 * spread).T


def interact(mix: Tensor, last: Tensor, x: Tensor, f: Tensor, *, special: bool) -> Tensor:
    def normed(t: Tensor) -> Tensor:
        return t / (t.square().sum((-3, -2), keepdim=True) + 1)

    def times(left: Tensor, right: Tensor) -> Tensor:
        return (left.movedim(-1, -3) @ right.movedim(-1, -3)).movedim(-3, -1)

    y = parts(mix, normed(x))
    m = sum(f[:, :, j, None, None] * y[:, None, j] for j in range(x.shape[1]))
    z = 2 * times(y, m) if special else times(y, m) + times(m, y)
    d = parts(last, normed(z))
    return x + d + times(d, d)


def gcn(net: Module, a: Tensor, x: Tensor) -> Tensor:
    a, x = a[..., 0], x[..., 0]
    return a @ (torch.relu(a @ (x @ net.first.T)) @ net.second.T)


def diffuse(net: Module, a: Tensor, x: Tensor) -> Tensor:
    """The sheaf Laplacian from its coboundary, an edge at a time."""
    a, x = a[..., 0], x[..., 0]
    n = x.shape[-2]
    found = torch.zeros_like(x)
    for i in range(n):
        for j in range(n):
            first, second = maps(net, x, i, j).tanh(), maps(net, x, j, i).tanh()
            edge = first @ x[:, i, :, None] - second @ x[:, j, :, None]
            found[:, i] = found[:, i] + a[:, i, j, None] * (first.transpose(-1, -2) @ edge)[..., 0]
    return x - torch.tanh(found)


def maps(net: Module, x: Tensor, i: int, j: int) -> Tensor:
    return einsum("ecd,bd->bec", net.here, x[:, i]) + einsum("ecd,bd->bec", net.there, x[:, j])


def polynomial(_: Module, x: Tensor) -> Tensor:
    x = x.movedim(-1, 1)
    loops = x * (x.sum(-1, keepdim=True) * torch.ones_like(x))  # row sums at (a, b), times x_ab
    value = ((x @ x) * loops).sum(-2)
    return torch.diag_embed(value).movedim(1, -1)


def sentence(_: Module, subject: Tensor, verb: Tensor, object_: Tensor) -> Tensor:
    return einsum("bi,bisj,bj->bs", subject[..., 0], verb[..., 0], object_[..., 0])


def meanings(net: Module) -> tuple[Tensor, Tensor]:
    first = torch.tensordot(torch.tensordot(net.alice, net.loves, 1), net.bob, 1)
    return first, torch.tensordot(torch.tensordot(net.bob, net.hates, 1), net.alice, 1)


def geometric(net: Module, x: Tensor, y: Tensor) -> Tensor:
    """Blade by blade."""
    a = einsum("oi,bki->bko", net.left.weight[0], x)
    b = einsum("oi,bki->bko", net.right.weight[0], y)
    table = torch.from_numpy(structure())
    found = torch.zeros_like(a)
    for k, i, j in table.nonzero().tolist():
        found[:, k] = found[:, k] + table[k, i, j] * a[:, i] * b[:, j]
    return found


def phm(net: Module, x: Tensor) -> Tensor:
    whole = sum(torch.kron(net.sign[k], net.part[k]) for k in range(4))
    return (whole @ x[..., 0].flatten(-2).unsqueeze(-1)).squeeze(-1).unflatten(-1, (4, 32))


def train(net: Module, t: Tensor) -> Tensor:
    y = torch.tensordot(t[..., 0], net.first, ([1], [2]))  # b B C x r
    y = torch.tensordot(y, net.second, ([1, 4], [2, 3]))  # b C x y s
    return torch.tensordot(y, net.third, ([1, 4], [1, 2]))  # b x y z


def compressed(net: Module, t: Tensor) -> Tensor:
    inner = torch.kron(torch.kron(net.fa, net.fb), net.fc)
    outer = torch.kron(torch.kron(net.fx, net.fy), net.fz)
    whole = outer @ net.core.reshape(64, 64) @ inner
    return (t[..., 0].flatten(1) @ whole.T).unflatten(-1, (8, 8, 8))


@dataclass(frozen=True)
class Case:
    """A network of the gallery and the same in plain torch; channels: whether its results have several."""

    file: str
    network: str
    reference: Callable[..., Tensor | tuple[Tensor, ...]]
    channels: bool = False


CASES = (
    Case("adapted", "linear", linear),
    Case("adapted", "convolution", convolution),
    Case("attention", "attend", attend),
    Case("attention", "causal", attend),
    Case("clifford", "geometric", geometric, channels=True),
    Case("discocat", "meanings", meanings),
    Case("discocat", "sentence", sentence),
    Case("gcn", "gcn", gcn),
    Case("kronecker", "kronecker", kronecker),
    Case("phm", "phm", phm),
    Case("polynomial", "polynomial", polynomial, channels=True),
    Case("sheaf", "diffuse", diffuse),
    Case(
        "tensornet", "interact", lambda net, x, f: interact(net.mix.weight, net.last.weight, x, f, special=False), True
    ),
    Case("tensornet", "rotate", lambda net, x, f: interact(net.spin.weight, net.turn.weight, x, f, special=True), True),
    Case("train", "train", train),
    Case("train", "compressed", compressed),
    Case("triples", "triples", triples),
)


def network(case: Case) -> Any:
    return catnn.load(GALLERY / f"{case.file}.catnn")[case.network]


def samples(item: Any, batch: tuple[int, ...]) -> list[Tensor]:
    """Random inputs; a causal order is triangular."""
    torch.manual_seed(0)
    found = []
    for parameter in item.program.parameters:
        (summand,) = parameter.type.summands
        axes = [SIZES.get(str(wire.group.size), wire.group.size) for wire in summand.word]
        x = torch.randn(*batch, *axes, summand.channels, dtype=torch.float64)
        if parameter.name == "order":
            x = torch.full_like(x, -torch.inf).squeeze(-1).triu(1).unsqueeze(-1)
        found.append(x.requires_grad_(parameter.name != "order"))
    return found


def test_the_gallery_is_whole() -> None:
    """Every spec of the gallery is tested here."""
    assert tuple(sorted(path.stem for path in GALLERY.glob("*.catnn"))) == FILES
    assert {case.file for case in CASES} == set(FILES)
    named = {(path.stem, name) for path in GALLERY.glob("*.catnn") for name in catnn.load(path).networks}
    assert named == {(case.file, case.network) for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.file}:{case.network}")
def test_forward_and_gradient(case: Case) -> None:
    """Equal to the reference to 1e-10, and so are the gradients of inputs and weights."""
    item = network(case)
    module = catnn.compile(item, dtype=torch.float64)
    with torch.no_grad():
        for parameter in module.parameters():  # no weight is zero by initialisation
            parameter.add_(0.1 * torch.randn_like(parameter))
    xs = samples(item, (3,))
    results = module(*xs)
    expected = case.reference(module, *xs)
    results = results if isinstance(results, tuple) else (results,)
    expected = expected if isinstance(expected, tuple) else (expected,)
    wrt = [*(x for x in xs if x.requires_grad), *module.parameters()]
    torch.manual_seed(1)
    total, other = torch.zeros((), dtype=torch.float64), torch.zeros((), dtype=torch.float64)
    for y, z in zip(results, expected, strict=True):
        z = z if case.channels else z.unsqueeze(-1)
        torch.testing.assert_close(y, z.expand_as(y), rtol=1e-10, atol=1e-10)
        weights = torch.randn_like(y)
        total, other = total + (weights * y).sum(), other + (weights * z).sum()
    grads, wanted = torch.autograd.grad(total, wrt), torch.autograd.grad(other, wrt)
    for got, want in zip(grads, wanted, strict=True):
        torch.testing.assert_close(got, want, rtol=1e-10, atol=1e-10)
        assert case.network == "meanings" or want.abs().max() > 0


def test_the_constants_are_an_algebra() -> None:
    """The structure constants in the file are those that the script computes, and associative."""
    with numpy.load(GALLERY / "clifford.npz", allow_pickle=False) as found:
        table = found["product"]
    assert numpy.array_equal(table, structure())
    left = numpy.einsum("mkl,kij->mijl", table, table)
    assert numpy.array_equal(left, numpy.einsum("mil,ljk->mijk", table, table))
