"""The definition of a layer, as slow as it is simple: the sum of every weight times the dense matrix of its diagram."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

import catnn
from catnn.category.diagram import Morphism
from catnn.compiler import item_sizes
from catnn.model import Layer

DOUBLE = torch.float64
Sizes = Mapping[str, int]
Layout = Callable[[Tensor], Tensor]


def build(text: str, name: str = "f", *, dtype: torch.dtype = DOUBLE, seed: int = 0, **sizes: int) -> tuple[Any, Any]:
    """The layer or network of a spec and its module, every parameter random (the biases too)."""
    item = catnn.parse(text)[name]
    known = item_sizes(item)
    module = catnn.compile(item, dtype=dtype, **{size: sizes[size] for size in known if size in sizes})
    return item, randomise(module, seed)


def randomise(module: nn.Module, seed: int = 0) -> nn.Module:
    """Standard normal numbers for every parameter."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            kind = parameter.dtype if parameter.is_complex() else DOUBLE
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=kind))
    return module


def shape(summand: Any, sizes: Sizes) -> tuple[int, ...]:
    """The axes of a summand at these sizes, channels last."""
    return (*(sizes.get(w.group.size, w.group.size) for w in summand.word), summand.channels)


def inputs(
    item: Any, sizes: Sizes, batch: tuple[int, ...] = (), *, dtype: torch.dtype = DOUBLE, seed: int = 1
) -> tuple[Tensor, ...]:
    """Random inputs for a layer or network, one tensor a summand."""
    generator = torch.Generator().manual_seed(seed)
    kind, dtype = (torch.complex128, dtype.to_complex()) if item.is_complex else (DOUBLE, dtype)
    return tuple(
        torch.randn(*batch, *shape(summand, sizes), generator=generator, dtype=kind).to(dtype)
        for summand in item.source.summands
    )


def run(module: nn.Module, xs: tuple[Tensor, ...], mask: Any = None) -> tuple[Tensor, ...]:
    """The module as a function of tuples."""
    ys = module(xs if len(xs) > 1 else xs[0], **({} if mask is None else {"mask": mask}))
    return ys if isinstance(ys, tuple) else (ys,)


def stacked(morphisms: tuple[Morphism, ...], sizes: Sizes) -> Tensor:
    """Their matrices, (diagrams, rows, columns)."""
    dense = [m.matrix(**{k: v for k, v in sizes.items() if k in m.size_names}) for m in morphisms]
    return torch.stack([torch.from_numpy(matrix).to(DOUBLE) for matrix in dense])


class Definition:
    """A layer at fixed sizes as dense matrices."""

    def __init__(self, layer: Layer, sizes: Sizes) -> None:
        self.layer, self.sizes = layer, sizes
        tables = (layer.weighted, layer.fixed_parts)
        self.weighted, self.fixed = (
            [[stacked(pair, sizes) if pair else None for pair in row] for row in table] for table in tables
        )
        self.biases = [stacked(row, sizes) if row else None for row in layer.biases]

    def __call__(self, module: nn.Module, xs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """What the module with these weights should compute."""
        source, target = self.layer.source.summands, self.layer.target.summands
        batch = xs[0].shape[: xs[0].dim() - len(source[0].word) - 1]
        flat = [
            x.reshape(*batch, math.prod(shape(s, self.sizes)[:-1]), s.channels) for x, s in zip(xs, source, strict=True)
        ]
        kind = torch.complex128 if self.layer.is_complex else DOUBLE
        ys = []
        for o, out in enumerate(target):
            axes = shape(out, self.sizes)
            y = torch.zeros(*batch, math.prod(axes[:-1]), out.channels, dtype=kind)
            for i, x in enumerate(flat):
                weight = getattr(module, self.layer.weight_name(o, i))
                assert (weight is None) == (self.weighted[o][i] is None)
                if weight is not None:
                    each = torch.einsum("dab,...bi->...dai", self.weighted[o][i].to(kind), x)
                    y = y + torch.einsum("...dai,doi->...ao", each, weight)
                if self.fixed[o][i] is not None:
                    y = y + self.fixed[o][i].sum(0).to(kind) @ x
            bias = getattr(module, self.layer.bias_name(o))
            assert (bias is None) == (self.biases[o] is None)
            if bias is not None:
                y = y + torch.einsum("da,do->ao", self.biases[o][..., 0].to(kind), bias)
            ys.append(y.reshape(*batch, *axes))
        return tuple(ys)


def assert_close(found: tuple[Any, ...], expected: tuple[Any, ...], *, what: str = "") -> None:
    """Equal shapes and, to 1e-9 of the largest number, equal values; None counts as 0."""
    for at, (a, b) in enumerate(zip(found, expected, strict=True)):
        if a is None and b is None:
            continue
        a, b = (torch.zeros_like(b) if a is None else a), (torch.zeros_like(a) if b is None else b)
        assert a.shape == b.shape, f"{what} {at}: {tuple(a.shape)}, expected {tuple(b.shape)}"
        scale = 1 + (b.abs().max().item() if b.numel() else 0)
        worst = (a - b).abs().max().item() if b.numel() else 0
        assert worst <= 1e-9 * scale, f"{what} {at}: off by {worst:.3g} of {scale:.3g}"


def assert_is_definition(
    layer: Layer, module: nn.Module, sizes: Sizes, batch: tuple[int, ...], *, layout: Layout | None = None
) -> None:
    """The module is its definition: forward (with and without autograd) and every gradient."""
    xs = tuple((layout(x) if layout else x).requires_grad_() for x in inputs(layer, sizes, batch))
    leaves = (*xs, *module.parameters())
    found, expected = run(module, xs), Definition(layer, sizes)(module, xs)
    assert_close(found, expected, what="output")
    with torch.no_grad():
        assert_close(run(module, xs), expected, what="output without autograd")
    generator = torch.Generator().manual_seed(2)
    grads = [torch.randn(y.shape, generator=generator, dtype=y.dtype) for y in expected]
    totals = (
        torch.stack([(y * g).sum().real for y, g in zip(ys, grads, strict=True)]).sum() for ys in (found, expected)
    )
    assert_close(*(torch.autograd.grad(total, leaves, allow_unused=True) for total in totals), what="gradient")


def assert_derivatives(module: Any, small: Tensor, **checks: bool) -> None:
    """First and second derivatives of a module are those of differences; checks: more of `gradcheck`."""
    parameters = {name: value.detach().requires_grad_() for name, value in module.named_parameters()}

    def called(x: Tensor, *values: Tensor) -> Any:
        return torch.func.functional_call(module, dict(zip(parameters, values, strict=True)), (x,))

    leaves = (small.clone().requires_grad_(), *parameters.values())
    assert torch.autograd.gradcheck(called, leaves, check_forward_ad=True, **checks)
    assert torch.autograd.gradgradcheck(called, leaves)


def transformed(module: Any, x: Tensor, small: Tensor) -> list[Any]:
    """What vmap, jvp, per-sample gradients of the first parameter, and a hessian give; small: an entry for that."""
    parameters = {name: value.detach() for name, value in module.named_parameters()}

    def loss(x: Tensor, *values: Tensor) -> Tensor:
        found: Tensor = torch.func.functional_call(module, dict(zip(parameters, values, strict=True)), (x,))
        return found.square().sum()

    return [
        torch.vmap(module)(x),
        torch.func.jvp(module, (x,), (2 * x,))[1],
        torch.vmap(torch.func.grad(loss, 1), (0, *(None for _ in parameters)))(x, *parameters.values()),
        torch.func.hessian(lambda x: module(x).square().sum())(small),
    ]
