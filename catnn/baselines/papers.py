"""The algorithm of the papers, one diagram after the other (arXiv 2304.14165 and 2412.10837)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

from catnn.baselines.pieces import Term, add_bias, contracted, place, spread
from catnn.category.diagram import Diagram
from catnn.rewrite.planar import Planar


@dataclass(frozen=True)
class OneByOne:
    """The algorithm of the papers (arXiv 2304.14165, 2412.10837), one diagram after the other.

    Its gradient is the same algorithm on the diagrams upside down, by hand: autograd through writes into diagonals is
    slower.
    """

    terms: list[Term]
    biases: list[Term]
    shape: tuple[int, ...]

    def __call__(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        y: Tensor = _OneByOne.apply(x, weight, self)  # type: ignore[no-untyped-call]
        return add_bias(y, self.biases, bias)


class _OneByOne(torch.autograd.Function):
    """The linear part of `OneByOne`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, way: OneByOne) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.way = way
        y = x.new_zeros(len(x), *way.shape)
        for term in way.terms:
            z = linear(contracted(x, term.cut), weight[term.index])
            place(y, term.cut).add_(spread(z, term.cut), alpha=term.coefficient)
        return y

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        x, weight = ctx.saved_tensors
        dx, dw = torch.zeros_like(x), torch.zeros_like(weight)
        for term in ctx.way.terms:
            upside_down = _turned(term.cut)
            g = contracted(grads[0], upside_down) * term.coefficient
            r = contracted(x, term.cut)
            place(dx, upside_down).add_(spread(g @ weight[term.index], upside_down))
            dw[term.index].addmm_(g.reshape(-1, g.shape[-1]).T, r.reshape(-1, r.shape[-1]))
        return dx, dw, None


def _turned(cut: Planar) -> Planar:
    """The factorisation of the diagram upside down, its through blocks in the same order."""
    turned = [replace(p, diagram=_upside_down(p.diagram), outputs=p.inputs, inputs=p.outputs) for p in cut.pieces]
    rank = {"output": 0, "through": 1, "input": 2}
    turned.sort(key=lambda p: (rank[p.kind], len(p.inputs) if p.kind == "input" else 0))
    at = {v: j for j, v in enumerate(v for p in turned for v in p.outputs)}
    ins = tuple(v for p in turned for v in p.inputs)
    return Planar(cut.target, cut.source, ins, tuple(turned), tuple(at[v] for v in range(len(cut.source))))


def _upside_down(diagram: Diagram) -> Diagram:
    """The diagram upside down, in a group where that has no sign."""
    turned = diagram.dagger()
    assert isinstance(turned, Diagram)
    return turned
