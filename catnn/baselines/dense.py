"""The dense matrix, the weights summed into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from catnn.baselines.pieces import Term, add_bias, merged
from catnn.category.diagram import Diagram


@dataclass(frozen=True)
class Dense:
    """The weights summed into one matrix for each pair of channels, which multiplies x."""

    terms: list[Term]
    biases: list[Term]
    shape: tuple[int, ...]
    sizes: Mapping[str, int]

    def __call__(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        outs = self.shape
        matrix: Tensor = _Assembled.apply(weight, self.terms, (*outs[:-1], *x.shape[1:-1]))  # type: ignore[no-untyped-call]
        l, k = len(outs) - 1, x.dim() - 2
        matrix = matrix.permute(*range(l), l + k, *range(l, l + k), l + k + 1)
        y = x.reshape(len(x), -1) @ matrix.reshape(torch.Size(outs).numel(), -1).T
        return add_bias(y.view(len(x), *outs), self.biases, bias)


class _Assembled(torch.autograd.Function):
    """The matrix (outputs, inputs, out, in) of weights; its gradient sums the entries again."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, terms: list[Term], shape: tuple[int, ...]) -> Tensor:
        ctx.terms, ctx.shape = terms, weight.shape
        matrix = weight.new_zeros(*shape, *weight.shape[1:])
        for term in terms:
            _support(matrix, term.diagram).add_(weight[term.index], alpha=term.coefficient)
        return matrix

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        dw = grads[0].new_zeros(ctx.shape)
        for term in ctx.terms:
            entries = _support(grads[0], term.diagram)
            summed = entries.sum(tuple(range(entries.dim() - 2))) if entries.dim() > 2 else entries
            dw[term.index].add_(summed, alpha=term.coefficient)
        return dw, None, None


def _support(matrix: Tensor, diagram: Diagram) -> Tensor:
    """The entries of a matrix, with an axis a vertex and two for channels, where a diagram is 1; a view."""
    axes = [v for block in diagram.parts for v in block]
    matrix = matrix.permute(*axes, matrix.dim() - 2, matrix.dim() - 1)
    at = len(axes)
    for block in reversed(diagram.parts):
        at -= len(block)
        matrix = merged(matrix, at, len(block))
    return matrix
