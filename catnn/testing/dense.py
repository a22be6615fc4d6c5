"""The definition of a layer, as slow as it is simple: the sum of weight times dense matrix."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor, nn

from catnn.category.diagram import Morphism
from catnn.model import Layer
from catnn.testing.samples import Sizes, Tensors, shape


def definition(layer: Layer, module: nn.Module, xs: Tensors, sizes: Sizes) -> Tensors:
    """What a module with these weights should compute; differentiable in the weights and in the inputs."""
    batch = xs[0].shape[: xs[0].dim() - len(layer.source.summands[0].word) - 1]
    flat = [
        x.reshape(*batch, prod(shape(summand, sizes)[:-1]), summand.channels)
        for x, summand in zip(xs, layer.source.summands, strict=True)
    ]
    results = []
    for out, summand in enumerate(layer.target.summands):
        rows = prod(shape(summand, sizes)[:-1])
        total = xs[0].new_zeros((*batch, rows, summand.channels))
        for in_, x in enumerate(flat):
            for index, diagram in enumerate(layer.weighted[out][in_]):
                weight: Tensor = getattr(module, layer.weight_name(out, in_))[index]
                total = total + matrix(diagram, sizes).to(x.dtype) @ x @ weight.T
            for diagram in layer.fixed_parts[out][in_]:
                total = total + matrix(diagram, sizes).to(x.dtype) @ x
        for index, diagram in enumerate(layer.biases[out]):
            bias: Tensor = getattr(module, layer.bias_name(out))[index]
            total = total + matrix(diagram, sizes) * bias
        results.append(total.reshape(*batch, *shape(summand, sizes)))
    return tuple(results)


def matrix(diagram: Morphism, sizes: Sizes) -> Tensor:
    """The dense matrix of a diagram in float64; of the sizes only those that it has are used."""
    known = {name: sizes[name] for name in diagram.size_names}
    return torch.as_tensor(diagram.matrix(**known), dtype=torch.float64)
