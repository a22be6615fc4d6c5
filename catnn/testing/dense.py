"""The definition of a layer, as slow as it is simple: the sum of weight times dense matrix."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor, nn

from catnn.category.diagram import Morphism
from catnn.model import Layer
from catnn.testing.samples import Sizes, Tensors, length
from catnn.testing.storage import closed, folded, opened, unfolded


def definition(layer: Layer, module: nn.Module, xs: Tensors, sizes: Sizes) -> Tensors:
    """What a module with these weights should compute; differentiable in the weights and in the inputs."""
    tensors = [opened(x, summand, sizes) for x, summand in zip(xs, layer.source.summands, strict=True)]
    batch = tensors[0].shape[: tensors[0].dim() - len(layer.source.summands[0].word) - 1]
    flat = [x.reshape(*batch, prod(x.shape[len(batch) : -1]), x.shape[-1]) for x in tensors]
    mixed = [folded(x, summand, sizes) for x, summand in zip(tensors, layer.source.summands, strict=True)]
    results = []
    for out, summand in enumerate(layer.target.summands):
        rows = prod(length(wire, sizes) for wire in summand.word)
        total = xs[0].new_zeros((*batch, rows, summand.channels))
        inner = xs[0].new_zeros((*batch, prod(length(w, sizes) for w in summand.word if not w.plain), summand.rows))
        for in_, (x, z) in enumerate(zip(flat, mixed, strict=True)):
            for index, diagram in enumerate(layer.weighted[out][in_]):
                weight: Tensor = getattr(module, layer.weight_name(out, in_))[index]
                if layer.folds:
                    inner = inner + matrix(diagram, sizes).to(x.dtype) @ z @ weight.T
                else:
                    total = total + matrix(diagram, sizes).to(x.dtype) @ x @ weight.T
            for diagram in layer.fixed_parts[out][in_]:
                total = total + matrix(diagram, sizes).to(x.dtype) @ x
        for index, diagram in enumerate(layer.biases[out]):
            bias: Tensor = getattr(module, layer.bias_name(out))[index]
            inner = inner + matrix(diagram, sizes) * bias
        axes = (length(wire, sizes) for wire in summand.word)
        whole = total.reshape(*batch, *axes, summand.channels) + unfolded(inner, summand, sizes)
        results.append(closed(whole, summand, sizes))
    return tuple(results)


def matrix(diagram: Morphism, sizes: Sizes) -> Tensor:
    """The dense matrix of a diagram in float64; of the sizes only those that it has are used."""
    known = {name: sizes[name] for name in diagram.size_names}
    return torch.as_tensor(diagram.matrix(**known), dtype=torch.float64)
