"""The C library behind the functions of a loaded module, in this process only: the file stays what it is.

A layer runs there where nothing but numbers is asked for: tensors on the CPU, no mask, no transform, no tracing, and a
gradient that is not itself to be derived.  Anything else takes the torch statements of the file, as if there were no
library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from types import ModuleType, SimpleNamespace
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from catnn.emit.file import Written
from catnn.emit.kernels import _wrapped
from catnn.model import Layer
from catnn.native.build import library
from catnn.native.calls import Calls
from catnn.native.compute import KINDS, compute_of, entries_of, forms_possible
from catnn.native.worth import known
from catnn.plan.cost import BATCH
from catnn.plan.dense import Dense
from catnn.plan.plan import Plan
from catnn.plan.rates import DENSE, IN_C, STATEMENTS, Tally, in_c, traced
from catnn.plan.ways import Forms, fastest, forms_of

FORCED: str | None = None
"""The way that layers run, whatever is predicted: for measurements and tests."""

PLAIN = (Tensor, torch.nn.Parameter)


class Held:
    """Parameters that nothing packed: the C library takes them as they are."""

    __slots__ = ("tensors",)

    def __init__(self, tensors: tuple[Tensor, ...]) -> None:
        self.tensors = tensors


class Attached:
    """A layer's functions in C, with the functions of its file for everything that C does not do.

    choice: the way that is taken; names: for each size or count that the functions take, its size, or None for a count;
    function: the autograd Function of the file; plain: the layer in torch statements; pack: what packs its weights;
    key: what tells its name in compiled graphs.
    """

    def __init__(self, choice: Choice, calls: Calls, names: tuple[str | None, ...], function: Any,
                 plain: Callable[..., Any], packs: Callable[..., Any] | None) -> None:  # fmt: skip
        self.plan, self.choice, self.calls, self.names = choice.plan, choice, calls, names
        self.function, self.plain, self.packs = function, plain, packs
        self.inputs, self.weights = len(choice.plan.source.summands), len(calls.pairs)
        words = choice.plan.source.words
        self.axes = [
            (w.group.size, i, a - len(word) - 1)
            for i, word in enumerate(words)
            for a, w in enumerate(word)
            if isinstance(w.group.size, str)
        ]

        def key() -> str:
            from catnn.native.operator import entered

            return entered(self)

        self.key = constant(key)

    def pack(self, *tensors: Tensor) -> Any:
        """The weights packed, as the function of the file does it, or held for the C library."""
        assert self.packs is not None
        if sum([t.is_floating_point() for t in tensors]) != self.weights:  # the plan leaves one of them out
            return self.packs(*tensors)
        if torch.compiler.is_compiling():
            from catnn.native.operator import takes

            watched = not takes(tensors[: self.weights])
        else:
            watched = _watched()
        return self.packs(*tensors) if watched else (Held(tensors),)

    def forward(self, *args: Any) -> Any:
        """The outputs, as the function of the file gives them."""
        if torch.compiler.is_compiling():
            from catnn.native.operator import in_graph

            return in_graph(self, args)
        found = None if torch.is_grad_enabled() else self._given(args)
        if found is None:
            return self.plain(*self.packed(args))
        xs, weights, biases, sizes = found
        given = [[t.contiguous() for t in some] for some in (xs, weights, biases)]
        return self.calls.forward(given[0], given[1], given[2], sizes)

    def apply(self, *args: Any) -> Any:
        """The outputs with a gradient, as the Function of the file gives them."""
        found = self._given(args)
        if found is None:
            return self.function.apply(*self.packed(args))
        xs, weights, biases, sizes = found
        extras = args[len(args) - len(self.names) :]
        indices = args[self.inputs].tensors[self.weights :] if self.packs is not None else ()
        values = (*xs, *weights, *biases)
        return _Layer.apply(self, sizes, (extras, indices), *values)  # type: ignore[no-untyped-call]

    def _given(self, args: tuple[Any, ...]) -> tuple[Any, Any, Any, dict[str, int]] | None:
        """Inputs, parameters, biases and sizes, if C is to run on them."""
        tensors, extras = args[: len(args) - len(self.names)], args[len(args) - len(self.names) :]
        xs, rest = tensors[: self.inputs], tensors[self.inputs :]
        weights, biases = list[Tensor](), rest
        if self.packs is not None:
            if not rest or not isinstance(rest[0], Held):
                return None
            weights, biases = list(rest[0].tensors[: self.weights]), rest[1:]
        sizes = self.in_c((*xs, *weights, *biases), xs, extras)
        return None if sizes is None else (xs, weights, biases, sizes)

    def in_c(self, tensors: Sequence[Tensor], xs: Sequence[Tensor], extras: Sequence[Any]) -> dict[str, int] | None:
        """The symbolic sizes; None where a mask counts, or tensors, all of them, are none for C, or it is slower."""
        if not _simple(tensors) or not self.calls.there(xs[0].dtype):
            return None
        for value in extras:
            if type(value) is not int:
                return None
        sizes = self.sizes(xs, extras)
        entries = xs[0].shape[: self.calls.order].numel()
        return sizes if self.choice.way(entries, sizes, product=True) == IN_C else None

    def sizes(self, xs: Sequence[Tensor], extras: Sequence[int]) -> dict[str, int]:
        """The symbolic sizes, where no mask counts."""
        sizes = {name: value for name, value in zip(self.names, extras, strict=True) if name is not None}
        for size, i, axis in self.axes:
            sizes[size] = xs[i].shape[axis]
        return sizes

    def packed(self, args: Sequence[Any]) -> list[Any]:
        """What functions of the file take."""
        found: list[Any] = []
        for arg in args:
            found += self.packs(*arg.tensors) if isinstance(arg, Held) and self.packs else [arg]
        return found

    def gradient(self, ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        """The gradients of inputs, parameters and biases: in C, or as the file has it, from packed weights."""
        tensors, count = ctx.saved_tensors, self.inputs + self.weights
        xs, weights, biases = tensors[: self.inputs], tensors[self.inputs : count], tensors[count:]
        needed = ctx.needs_input_grad[3:]
        wanted, learned = any(needed[: self.inputs]), any(needed[self.inputs :])
        if not torch.is_grad_enabled() and _simple((*tensors, *grads)) and not _wrapped(*grads):  # type: ignore[no-untyped-call]
            given = ([g.contiguous() for g in grads], [x.contiguous() for x in xs], [w.contiguous() for w in weights])
            dxs, dws = self.calls.backward(*given, ctx.sizes, inputs=wanted, learned=learned)
        else:
            rest = (ctx.indices, ctx.extras, grads)
            dxs, dws = self.stated(xs, weights, biases, *rest, inputs=wanted, learned=learned)
        first = dxs if wanted else [None] * self.inputs
        return (*first, *(dws if learned else [None] * (len(tensors) - self.inputs)))

    def stated(self, xs: Sequence[Tensor], weights: Sequence[Tensor], biases: Sequence[Tensor],
               indices: Sequence[Tensor], extras: Sequence[Any], grads: Sequence[Tensor],
               *, inputs: bool, learned: bool) -> tuple[list[Any], list[Any]]:  # fmt: skip
        """The gradients by the statements of the file, which can be derived again."""
        packed = self.packs(*weights, *indices) if self.packs else ()
        values = (*xs, *packed, *biases)
        flags = (*[inputs] * len(xs), *[learned] * (len(values) - len(xs)), *[False] * len(extras))
        rest = (*(None for _ in values), *extras)
        saved = (*values, *(None for _ in extras))
        given = SimpleNamespace(rest=rest, saved_tensors=saved, needs_input_grad=flags)
        found = self.function.backward(given, *grads)
        dxs, dpacked, dbiases = found[: len(xs)], found[len(xs) : len(xs) + len(packed)], found[len(xs) + len(packed) :]
        if not learned:
            return list(dxs), []
        dws: list[Any] = []
        if self.packs:
            again = torch.is_grad_enabled()
            with torch.enable_grad():
                leaves = [w.detach().requires_grad_() for w in weights]
                made = self.packs(*leaves, *indices)
                dws = list(torch.autograd.grad(made, leaves, dpacked, create_graph=again))
        return list(dxs), [*dws, *dbiases[: len(biases)]]


class _Layer(torch.autograd.Function):
    """A layer in C; nothing but the inputs and the parameters is kept."""

    @staticmethod
    def forward(ctx: Any, attached: Attached, sizes: dict[str, int], rest: Any, *tensors: Tensor) -> Any:
        count = attached.inputs + attached.weights
        ctx.attached, ctx.sizes, (ctx.extras, ctx.indices) = attached, sizes, rest
        ctx.save_for_backward(*tensors)
        given = [t.contiguous() for t in tensors]
        return attached.calls.forward(given[: attached.inputs], given[attached.inputs : count], given[count:], sizes)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        return (None, None, None, *ctx.attached.gradient(ctx, *grads))


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

    def in_graph(self, entries: int, sizes: Mapping[str, int]) -> bool:
        """Whether an operator in C is predicted to be the way to take in a graph of torch.compile."""
        if FORCED is not None:
            return FORCED == IN_C
        counted = {way: self.ways[way].at({**sizes, BATCH: max(1, entries)}) for way in (IN_C, STATEMENTS)}
        return traced(counted, known()) == IN_C

    def few_of(self) -> Callable[..., bool]:
        """`_Layer.few`, by the rates of this machine instead of those of the file."""
        words = (*self.plan.source.words, *self.plan.target.words)
        names = {wire.group.size for word in words for wire in word if isinstance(wire.group.size, str)}
        axes = len(words[0])

        def few(_: Any, work: int, counts: Mapping[str, Any], xs: Any, lengths: Mapping[str, int]) -> bool:
            if not work or not all(isinstance(count, int) for count in counts.values()):
                return False
            sizes = {name: lengths[name] for name in names}
            return self.way(entries_of(xs[0], axes), sizes, product=False) == DENSE

        return few


def constant(function: Callable[..., Any]) -> Any:
    """A function that torch.compile calls while it traces, whose result then stands in the graph.

    As `torch.compiler.assume_constant_result`, which would import all of torch.compile here.
    """
    function._dynamo_marked_constant = True  # type: ignore[attr-defined]
    return function


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
        function, name = getattr(module, layer.function), f"_{layer.prefix}"
        packs, plain, names = getattr(module, f"{name}_pack", None), getattr(module, name), tuple(layer.extras.values())
        one = Attached(choice, Calls(layer.plan), names, function, plain, packs)
        put(module, module, name, one.forward)
        put(module, module, layer.function, one)
        if packs is not None:
            put(module, module, f"{name}_pack", one.pack)


def put(module: ModuleType, where: Any, name: str, value: Any) -> None:
    """Set an attribute, and note what it was."""
    module.attached.append((where, name, vars(where).get(name)))
    setattr(where, name, value)


def detach(module: ModuleType) -> None:
    """Give a module its own functions back."""
    for where, name, value in getattr(module, "attached", None) or ():
        setattr(where, name, value) if value is not None else delattr(where, name)
    module.attached = None  # type: ignore[attr-defined]


def _watched() -> bool:
    """Whether somebody watches what is done: a transform, a trace, a mode."""
    if torch._C._are_functorch_transforms_active() or forward_ad._current_level >= 0:
        return True
    return bool(torch._C._len_torch_dispatch_stack()) or torch._C._get_tracing_state() is not None


def _simple(tensors: Sequence[Tensor]) -> bool:
    """Whether these are plain tensors of one kind on the CPU, none is empty, and nobody watches what is done."""
    kind = tensors[0].dtype
    if kind not in KINDS or _watched():
        return False
    for x in tensors:
        if type(x) not in PLAIN or not x.is_cpu or x.dtype is not kind or not x.numel():
            return False
        if x.layout is not torch.strided or x.is_neg():
            return False
    return True
