"""The ways to compute a layer that are neither its statements nor C, behind the method of its class."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from catnn.emit.kernels import _traced
from catnn.model import Layer
from catnn.native.irreps import Blocks
from catnn.native.narrow import Mixing
from catnn.plan.irreps import possible
from catnn.plan.rates import FIRST, IRREPS, LAST

if TYPE_CHECKING:
    from catnn.native.attach import Choice

KINDS = (torch.float32, torch.float64)


def forms_possible(layer: Layer) -> bool:
    """Whether a layer may have such ways, as far as its types say."""
    narrower = layer.source.summands[0].channels != layer.target.summands[0].channels
    return possible(layer) or (narrower and not layer.is_complex)


def entries_of(x: Tensor, axes: int) -> int:
    """The entries of the batch of a tensor with so many axes of its word."""
    return x.shape[: x.dim() - axes - 1].numel()


def compute_of(choice: Choice, layer: Layer, held: Mapping[str, tuple[int, str]], plain: Callable[..., Any]) -> Any:
    """`_Layer.compute` of a class, in another way where that is the fastest; held: of `Written`; plain: as it is.

    Where code is traced, a mask counts, or tensors are empty, of half precision or on another device, it is as it is.
    """
    pairs = [(o, i) for o, row in enumerate(layer.weighted) for i, pair in enumerate(row) if pair]
    names = {pair: layer.weight_name(*pair) for pair in pairs}
    biases = {o: layer.bias_name(o) for o, row in enumerate(layer.biases) if row}
    words = (*layer.source.words, *layer.target.words)
    sizes = sorted({wire.group.size for word in words for wire in word if isinstance(wire.group.size, str)})
    runs: dict[str, Callable[..., Any]] = {}

    def had(module: Any, name: str, like: Tensor) -> Tensor:
        at, own = held.get(name, (-1, name))
        found: Tensor = getattr(module if at < 0 else module.parts[at], own)
        return found.to(like.dtype)

    def compute(module: Any, xs: Any, lengths: Any, counts: Any) -> Any:
        if _traced() or not _usual(xs, counts):  # type: ignore[no-untyped-call]
            return plain(module, xs, lengths, counts)
        given = {size: lengths[size] for size in sizes}
        way = choice.way(entries_of(xs[0], len(layer.source.words[0])), given, product=False)
        if way not in choice.ways or way not in (IRREPS, FIRST, LAST):
            return plain(module, xs, lengths, counts)
        if way not in runs:
            runs[way] = _runner(choice, way)
        learned = {pair: had(module, name, xs[0]) for pair, name in names.items()}
        return runs[way](xs, learned, {o: had(module, name, xs[0]) for o, name in biases.items()}, lengths)

    return compute


def _runner(choice: Choice, way: str) -> Callable[..., Any]:
    """What runs a way: a function of the inputs, the weights, the biases and the sizes."""
    forms = choice.forms
    if way == IRREPS:
        assert forms.irreps is not None
        return Blocks(forms.irreps)
    found = forms.first if way == FIRST else forms.last
    assert found is not None
    return Mixing(found)


def _usual(xs: Iterable[Tensor], counts: Mapping[str, Any]) -> bool:
    """Whether tensors are on the CPU, of a usual kind and not empty, and no mask counts."""
    usual = all(x.device.type == "cpu" and x.dtype in KINDS and x.numel() for x in xs)
    return usual and all(isinstance(count, int) for count in counts.values())
