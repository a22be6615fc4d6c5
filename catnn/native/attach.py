"""The C library behind the functions of a loaded module, in this process only: the file stays what it is.

A layer runs there where nothing but numbers is asked for: tensors on the CPU, no mask, no transform, no tracing, and a
gradient that is not itself to be derived.  Anything else takes the torch statements of the file, as if there were no
library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import prod
from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from catnn.emit.file import Written
from catnn.native.build import library
from catnn.native.calls import Calls
from catnn.native.worth import worth
from catnn.plan.cost import BATCH
from catnn.plan.plan import Plan
from catnn.plan.rates import IN_C, STATEMENTS, in_c

FORCED: str | None = None
"""The way that layers run, whatever is predicted: for measurements and tests."""

KINDS = (torch.float32, torch.float64)


class Attached:
    """A layer's functions in C, with the functions of its file for everything that C does not do.

    plan: what it runs; names: for each size or count that the functions take, its size, or None for a count;
    plain: the layer in torch statements; backward: the gradient in torch statements, of an autograd context.
    """

    def __init__(self, plan: Plan, calls: Calls, names: tuple[str | None, ...], plain: Callable[..., Any],
                 backward: Callable[..., Any], saved: Callable[[Any], Any]) -> None:  # fmt: skip
        self.plan, self.calls, self.names = plan, calls, names
        self.plain, self.original, self.saved = plain, backward, saved
        self.inputs, self.products = len(plan.source.summands), len(plan.products)
        words = plan.source.words
        self.choices: dict[tuple[int, ...], str] = {}
        self.axes = [(i, a, w.group.size) for i, word in enumerate(words) for a, w in enumerate(word)]

    def forward(self, *args: Any) -> Any:
        """The outputs, as the function of the file gives them."""
        if torch.compiler.is_compiling():
            return self.plain(*args)
        tensors, extras = args[: len(args) - len(self.names)], args[len(args) - len(self.names) :]
        sizes = self._sizes(tensors, extras) if _simple(tensors) else None
        if sizes is None:
            return self.plain(*args)
        xs, learned = tensors[: self.inputs], tensors[self.inputs :]
        weights, biases = learned[: self.products], learned[self.products :]
        return self.calls.forward([x.contiguous() for x in xs], weights, biases, sizes)

    def backward(self, ctx: Any, *grads: Tensor) -> Any:
        """The gradients, as the method of the file gives them."""
        values = self.saved(ctx)
        tensors, extras = values[: len(values) - len(self.names)], values[len(values) - len(self.names) :]
        sizes = self._sizes(tensors, extras) if _simple((*tensors, *grads)) else None
        if sizes is None:
            return self.original(ctx, *grads)
        xs, learned = tensors[: self.inputs], tensors[self.inputs :]
        wanted, needed = any(ctx.needs_input_grad[: self.inputs]), any(ctx.needs_input_grad[self.inputs :])
        dxs, dws = self.calls.backward(
            [g.contiguous() for g in grads],
            [x.contiguous() for x in xs],
            learned[: self.products],
            sizes,
            inputs=wanted,
            learned=needed,
        )
        first = dxs if wanted else [None] * len(xs)
        second = dws if needed else [None] * len(learned)
        return (*first, *second, *(None for _ in extras))

    def _sizes(self, tensors: tuple[Tensor, ...], extras: tuple[Any, ...]) -> dict[str, int] | None:
        """The symbolic sizes, or None where a mask counts, nothing is there, or torch is predicted to be faster."""
        sizes: dict[str, int] = {}
        for name, value in zip(self.names, extras, strict=True):
            if type(value) is not int:
                return None
            if name is not None:
                sizes[name] = value
        for i, a, size in self.axes:
            if isinstance(size, str):
                x = tensors[i]
                sizes[size] = x.shape[x.dim() - len(self.plan.source.words[i]) - 1 + a]
        return sizes if self._chosen(tensors[0], sizes) == IN_C else None

    def _chosen(self, x: Tensor, sizes: dict[str, int]) -> str:
        """The way that is predicted to be the faster one, for a batch of the same order of magnitude."""
        if FORCED is not None:
            return FORCED
        entries = x.numel() // max(1, prod(x.shape[x.dim() - len(self.plan.source.words[0]) - 1 :]))
        key = (entries.bit_length(), *sizes.values())
        if key not in self.choices:
            batch = 1 << (entries.bit_length() - 1)
            self.choices[key] = IN_C if worth(self.plan, {**sizes, BATCH: batch}) else STATEMENTS
        return self.choices[key]


def attach(module: ModuleType, layers: Iterable[Written]) -> None:
    """Put the library behind the layers of a loaded module, once; where there is none, do nothing."""
    found = library()
    if found is None or getattr(module, "attached", None) is not None:
        return
    module.attached = []  # type: ignore[attr-defined]
    for layer in layers:
        function, plan = getattr(module, layer.function), layer.plan
        if not in_c(plan):
            continue
        names, plain = tuple(layer.extras.values()), getattr(module, f"_{layer.prefix}")
        one = Attached(plan, Calls(plan, found), names, plain, function.backward, module._saved)
        module.attached.append((f"_{layer.prefix}", plain, function, function.backward))
        setattr(module, f"_{layer.prefix}", one.forward)
        function.backward = staticmethod(one.backward)


def detach(module: ModuleType) -> None:
    """Give a module its own functions back."""
    for name, plain, function, backward in getattr(module, "attached", None) or ():
        setattr(module, name, plain)
        function.backward = staticmethod(backward)
    module.attached = None  # type: ignore[attr-defined]


def _simple(tensors: Iterable[Tensor]) -> bool:
    """Whether these are plain tensors of one kind on the CPU, none is empty, and nobody watches what is done."""
    if torch.is_grad_enabled() or torch._C._are_functorch_transforms_active() or forward_ad._current_level >= 0:
        return False
    if torch._C._len_torch_dispatch_stack() or torch._C._get_tracing_state() is not None:
        return False
    kinds = {t.dtype for t in tensors}
    return len(kinds) == 1 and kinds.issubset(KINDS) and all(_plain(t) for t in tensors)


def _plain(x: Tensor) -> bool:
    known = type(x) is Tensor or type(x) is torch.nn.Parameter
    return known and x.device.type == "cpu" and x.layout is torch.strided and x.numel() > 0 and not x.is_neg()
