"""The C library behind the functions of a loaded module, in this process only: the file stays what it is.

A layer runs there where nothing but numbers is asked for: tensors on the CPU, no mask, no transform, no tracing, and a
gradient that is not itself to be derived.  Anything else takes the torch statements of the file, as if there were no
library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from catnn.emit.file import Written
from catnn.model import Layer
from catnn.native.build import library
from catnn.native.calls import Calls
from catnn.native.compute import KINDS, compute_of, entries_of, forms_possible
from catnn.native.worth import known
from catnn.plan.cost import BATCH
from catnn.plan.dense import Dense
from catnn.plan.plan import Plan
from catnn.plan.rates import DENSE, IN_C, STATEMENTS, Tally, in_c
from catnn.plan.ways import Forms, fastest, forms_of

FORCED: str | None = None
"""The way that layers run, whatever is predicted: for measurements and tests."""


class Attached:
    """A layer's functions in C, with the functions of its file for everything that C does not do.

    plan: what it runs; names: for each size or count that the functions take, its size, or None for a count;
    plain: the layer in torch statements; backward: the gradient in torch statements, of an autograd context.
    """

    def __init__(self, choice: Choice, calls: Calls, names: tuple[str | None, ...], plain: Callable[..., Any],
                 backward: Callable[..., Any], saved: Callable[[Any], Any]) -> None:  # fmt: skip
        self.plan, self.choice, self.calls, self.names = choice.plan, choice, calls, names
        plan = choice.plan
        self.plain, self.original, self.saved = plain, backward, saved
        self.inputs, self.products = len(plan.source.summands), len(plan.products)
        words = plan.source.words
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
        entries = entries_of(tensors[0], len(self.plan.source.words[0]))
        return sizes if self.choice.way(entries, sizes, product=True) == IN_C else None


class Choice:
    """The way that is taken, as it is predicted for a batch of the same order of magnitude.

    layer: what the plan is of, where that is known to be one part; library: whether there is a way in C.
    """

    def __init__(self, plan: Plan, dense: Dense | None, layer: Layer | None = None, *, library: bool) -> None:
        self.plan, self.dense, self.layer, self.library = plan, dense, layer, library
        self.choices: dict[tuple[object, ...], str] = {}

    @cached_property
    def forms(self) -> Forms:
        """What the layer can be run as, looked for when somebody asks."""
        return Forms((self.plan,), self.dense) if self.layer is None else forms_of(self.layer, (self.plan,))

    @cached_property
    def ways(self) -> dict[str, Tally]:
        """All ways, and what each is counted as."""
        return self.forms.ways(library=self.library)

    def way(self, entries: int, sizes: Mapping[str, int], *, product: bool) -> str:
        """The fastest way for so many entries of the batch; product: of those that reduce, mix and expand."""
        if FORCED is not None:
            return FORCED
        key = (product, entries.bit_length(), *sizes.values())
        if key not in self.choices:
            batch = 1 << max(0, entries.bit_length() - 1)
            found = {way: tally for way, tally in self.ways.items() if not product or way in (IN_C, STATEMENTS)}
            self.choices[key] = fastest(found, {**sizes, BATCH: batch}, known())
        return self.choices[key]

    def few_of(self) -> Callable[..., bool]:
        """`_Layer.few`, by the rates of this machine instead of those of the file."""
        words = (*self.plan.source.words, *self.plan.target.words)
        names = {wire.group.size for word in words for wire in word if isinstance(wire.group.size, str)}

        def few(_: Any, work: int, counts: Mapping[str, Any], xs: Any, lengths: Mapping[str, int]) -> bool:
            if not work or not all(isinstance(count, int) for count in counts.values()):
                return False
            sizes = {name: lengths[name] for name in names}
            return self.way(entries_of(xs[0], len(self.plan.source.words[0])), sizes, product=False) == DENSE

        return few


def attach(module: ModuleType, layers: Iterable[Written]) -> None:
    """Put the rates of this machine, and the library if there is one, behind the layers of a loaded module, once."""
    if getattr(module, "attached", None) is not None:
        return
    module.attached = []  # type: ignore[attr-defined]
    found = library()
    for layer in layers:
        choice = Choice(layer.plan, layer.dense, layer.layer, library=found is not None)
        if layer.dense is not None:
            put(module, getattr(module, layer.owner), "few", choice.few_of())
        if layer.layer is not None and forms_possible(layer.layer):
            owner = getattr(module, layer.owner)
            put(module, owner, "compute", compute_of(choice, layer.layer, layer.held, owner.compute))
        if found is None or not in_c(layer.plan):
            continue
        function, names = getattr(module, layer.function), tuple(layer.extras.values())
        plain = getattr(module, f"_{layer.prefix}")
        one = Attached(choice, Calls(layer.plan, found), names, plain, function.backward, module._saved)
        put(module, module, f"_{layer.prefix}", one.forward)
        put(module, function, "backward", staticmethod(one.backward))


def put(module: ModuleType, where: Any, name: str, value: Any) -> None:
    """Set an attribute, and note what it was."""
    module.attached.append((where, name, vars(where).get(name)))
    setattr(where, name, value)


def detach(module: ModuleType) -> None:
    """Give a module its own functions back."""
    for where, name, value in getattr(module, "attached", None) or ():
        setattr(where, name, value) if value is not None else delattr(where, name)
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
