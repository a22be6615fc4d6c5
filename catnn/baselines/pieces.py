"""A diagram on tensors, by the connected pieces of its planar factorisation: contract, spread, place."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from catnn.category.diagram import Diagram
from catnn.rewrite.planar import Planar


@dataclass(frozen=True)
class Term:
    """A diagram of a weight: its factorisation, and its coefficient at the sizes of the run."""

    diagram: Diagram
    cut: Planar
    coefficient: float
    index: int


def merged(x: Tensor, axis: int, several: int) -> Tensor:
    """The diagonal of `several` neighbouring axes from `axis` on, as one axis there; a view."""
    for _ in range(several - 1):
        x = x.diagonal(dim1=axis, dim2=axis + 1).movedim(-1, axis)
    return x


def contracted(x: Tensor, cut: Planar, first: int = 1) -> Tensor:
    """The input side of a diagram: permute, sum the input-only blocks from the right, merge the through blocks.

    first: where the axes begin.
    """
    k = len(cut.source)
    x = x.permute(*range(first), *(first + i for i in cut.input_permutation), *range(first + k, x.dim()))
    at = first + k
    for piece in reversed(cut.pieces):
        at -= len(piece.inputs)
        if piece.inputs:
            x = merged(x, at, len(piece.inputs))
        if piece.kind == "input":
            x = x.sum(at)
    return x


def place(y: Tensor, cut: Planar, first: int = 1) -> Tensor:
    """The entries of y that a diagram writes, as a view: one axis an output-only block, then one a through block."""
    order = sorted(range(len(cut.target)), key=lambda j: cut.output_permutation[j])
    y = y.permute(*range(first), *(first + j for j in order), *range(first + len(order), y.dim()))
    at = first + len(order)
    for piece in reversed(cut.pieces):
        if piece.outputs:
            at -= len(piece.outputs)
            y = merged(y, at, len(piece.outputs))
    return y


def spread(z: Tensor, cut: Planar, first: int = 1) -> Tensor:
    """z on the through axes, with an axis of length 1 for each output-only block."""
    for piece in cut.pieces:
        if piece.kind == "output":
            z = z.unsqueeze(first)
    return z


def add_bias(y: Tensor, biases: list[Term], bias: Tensor | None) -> Tensor:
    """y with the invariant elements added in place; channels last."""
    if bias is not None:
        for term in biases:
            place(y, term.cut).add_(term.coefficient * bias[term.index])
    return y
