"""Layers in C under torch.compile: one operator of torch in the graph, where there would be a hundred statements.

`catnn::layer` and `catnn::layer_gradient` stand in graphs that torch.compile makes, and nowhere else.  An operator of
torch has no forward mode (`jvp` is silently 0) and no rule for all of `vmap`, and a call of it takes longer than one of
an autograd Function.  So in eager mode the Function of `catnn.native.attach` runs; under a transform of torch.func, in
forward mode, with a mask that counts, for types and devices that C does not have, and in torch.export, whose programs
run where there is no catnn, the graph has the statements of the file, as if there were no library.

So it has where Inductor's code for them is predicted to be faster: of small tensors a call is most of the time.  That
is asked when the graph is taken apart, by `catnn::chosen`, which becomes either; for sizes that stay dynamic, of those
that came first.  Whether C or the statements run behind the operator is asked again at every call, of the sizes that
there are: no guard depends on either.  A layer is named by what it computes, a hash, for graphs are kept on disk and
run in other processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from itertools import islice
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch._functorch import eager_transforms
from torch.autograd import forward_ad

from catnn.emit.cache import code
from catnn.emit.canonical import canonical
from catnn.native.attach import PLAIN, Held, constant
from catnn.native.calls import KINDS

if TYPE_CHECKING:
    from catnn.native.attach import Attached

LAYERS: dict[str, Attached] = {}
"""What runs the layers that graphs were made of.  It is kept: a graph may outlive what it was made from."""

MANY = 64
"""What a size is taken for that is not known before the graph runs."""

EXPORTING = hasattr(torch.compiler, "is_exporting")
"""Before torch 2.7 nothing told torch.export from torch.compile; there, graphs have the statements."""


# ------------------------------------------------------------------------------------------------- what dynamo traces


def takes(tensors: Sequence[Tensor]) -> bool:
    """Whether the operator may stand in the graph for a layer of such tensors."""
    if not EXPORTING or torch.compiler.is_exporting() or not torch.compiler.is_dynamo_compiling():
        return False
    if _transformed() or forward_ad._current_level >= 0:  # read again, so that the graph is not for when that changes
        return False
    kind = tensors[0].dtype
    return kind in KINDS and all(
        type(x) in PLAIN and x.is_cpu and x.dtype == kind and x.layout == torch.strided for x in tensors
    )


@constant
def _transformed() -> bool:
    """Whether there is a transform of torch.func or forward mode, around the graph or in it."""
    return torch._C._functorch.peek_interpreter_stack() is not None or forward_ad._current_level >= 0


def in_graph(attached: Attached, args: tuple[Any, ...]) -> Any:
    """The outputs of a layer: by the operator, or by the statements of the file."""
    count = len(args) - len(attached.names)
    xs, rest, extras = list(args[: attached.inputs]), list(args[attached.inputs : count]), list(args[count:])
    held: list[Tensor] = []
    if attached.packs is not None:
        if not rest or not isinstance(rest[0], Held):
            return attached.plain(*args)
        held, rest = list(rest[0].tensors), rest[1:]
    weights, indices = held[: attached.weights], held[attached.weights :]
    if any(isinstance(extra, Tensor) for extra in extras) or not takes([*xs, *weights, *rest]):
        return attached.plain(*attached.packed(args))
    name = attached.key()
    if not name:
        return attached.plain(*attached.packed(args))
    return tuple(torch.ops.catnn.chosen(name, xs, weights, rest, indices, extras))


def entered(attached: Attached) -> str:
    """The name of a layer in graphs: a hash of what it computes and of the code that does; "" if none can be read."""
    try:
        parts = [Path(__file__).read_text(encoding="utf-8"), code(), canonical((attached.plan, attached.names))]
    except (OSError, TypeError):
        return ""
    found = sha256("\0".join(parts).encode("utf-8", "surrogatepass"))
    name = f"{attached.plan.name}-{found.hexdigest()[:32]}"
    LAYERS.setdefault(name, attached)
    return name


# ------------------------------------------------------------------------------------------------------ the operators


def _found(plan: str) -> Attached:
    """The layer of a name.  Raises: RuntimeError where no such layer is there."""
    if plan not in LAYERS:
        raise RuntimeError(
            f"a compiled graph calls the layer {plan}, which this process has not compiled: call catnn.compile and "
            "torch.compile here too, or take torch.export for programs that run by themselves"
        )
    return LAYERS[plan]


def _refuse_duals(tensors: Iterable[Tensor]) -> None:
    """Raises: NotImplementedError where there are tangents: torch would drop them without a word."""
    if forward_ad._current_level < 0:
        return
    inside = getattr(eager_transforms, "JVP_NESTING", 0)  # torch.func.jvp takes them off before
    if inside or any(forward_ad.unpack_dual(x).tangent is not None for x in tensors):  # type: ignore[no-untyped-call]
        raise NotImplementedError("catnn::layer has no forward mode: call the layer under it, not an operator")


def chosen(plan: str, xs: list[Tensor], weights: list[Tensor], biases: list[Tensor], indices: list[Tensor],
           sizes: list[Any]) -> list[Tensor]:  # fmt: skip
    """What becomes the operator, or the statements, where a graph is taken apart; run by itself, the layer as it is."""
    one = _found(plan)
    alone = type(xs[0]) in PLAIN and not torch.compiler.is_compiling()
    if not alone and pays(one, xs, sizes):
        found: list[Tensor] = torch.ops.catnn.layer(plan, xs, weights, biases, indices, sizes)
        return found
    given = (*xs, *((Held((*weights, *indices)),) if one.packs is not None else ()), *biases, *sizes)
    if alone:
        return list(one.apply(*given) if torch.is_grad_enabled() else one.forward(*given))
    return list(one.plain(*one.packed(given)))


def pays(one: Attached, xs: Sequence[Tensor], sizes: Sequence[Any]) -> bool:
    """Whether the operator is predicted to be faster than Inductor's code; of dynamic sizes, those that came first."""
    known = {size: _hint(value) for size, value in one.sizes(xs, sizes).items()}
    entries = prod(map(_hint, xs[0].shape[: one.calls.order]))
    return one.choice.in_graph(entries, known)


def _hint(size: Any) -> int:
    """A size as a number: for one that is dynamic, what it was first; if nothing is known of it, a large number."""
    found = size if type(size) is int else size.node.hint
    return MANY if found is None else int(found)


torch.library.define(
    "catnn::chosen",
    "(str plan, Tensor[] xs, Tensor[] weights, Tensor[] biases, Tensor[] indices, SymInt[] sizes) -> Tensor[]",
)
torch.library.impl("catnn::chosen", "CompositeImplicitAutograd", chosen)


@torch.library.custom_op("catnn::layer", mutates_args=(), device_types="cpu")
def layer(plan: str, xs: list[Tensor], weights: list[Tensor], biases: list[Tensor], indices: list[Tensor],
          sizes: list[int]) -> list[Tensor]:  # fmt: skip
    """The outputs of a layer, contiguous.

    plan: its name; weights: as they are; indices: what packs them takes beside; sizes: those that its functions take.
    """
    one = _found(plan)
    _refuse_duals((*xs, *weights, *biases))
    found = one.in_c((*xs, *weights, *biases), xs, sizes)
    if found is not None:
        given = [[t.contiguous() for t in some] for some in (xs, weights, biases)]
        return list(one.calls.forward(given[0], given[1], given[2], found))
    with torch.no_grad():
        packed = one.packs(*weights, *indices) if one.packs is not None else ()
        ys = one.plain(*xs, *packed, *biases, *sizes)
    return _own(ys, (*xs, *weights, *biases))


@torch.library.custom_op("catnn::layer_gradient", mutates_args=(), device_types="cpu")
def layer_gradient(plan: str, gs: list[Tensor], xs: list[Tensor], weights: list[Tensor], biases: list[Tensor],
                   indices: list[Tensor], sizes: list[int], inputs: bool, learned: bool) -> list[Tensor]:  # fmt: skip
    """The gradients of the inputs, then those of weights and biases; of either, none where they are not wanted."""
    one = _found(plan)
    _refuse_duals((*gs, *xs, *weights))
    found = one.in_c((*gs, *xs, *weights, *biases), xs, sizes)
    if found is not None:
        given = [[t.contiguous() for t in some] for some in (gs, xs, weights)]
        dxs, dws = one.calls.backward(given[0], given[1], given[2], found, inputs=inputs, learned=learned)
        return [*dxs, *dws]
    rest = (indices, sizes, gs)
    dxs, dws = _apart(lambda: one.stated(xs, weights, biases, *rest, inputs=inputs, learned=learned))
    return _own([*(dxs if inputs else ()), *dws], (*gs, *xs, *weights, *biases))


def _apart(function: Callable[[], Any]) -> Any:
    """What a function gives in a thread of its own: operators run below autograd, which it may want."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(torch.no_grad()(function)).result()


def _own(values: Sequence[Tensor], given: Sequence[Tensor]) -> list[Tensor]:
    """Contiguous tensors in memory of their own: an operator gives back neither what it was given nor a view of it."""
    taken = {t.untyped_storage().data_ptr() for t in given}
    found: list[Tensor] = []
    for value in values:
        value = value.contiguous()
        place = value.untyped_storage().data_ptr()
        found.append(value.clone() if place in taken else value)
        taken.add(place)
    return found


@layer.register_fake
def _(plan: str, xs: list[Tensor], weights: list[Tensor], biases: list[Tensor], indices: list[Tensor],
      sizes: list[int]) -> list[Tensor]:  # fmt: skip
    one = _found(plan)
    lengths = one.sizes(xs, sizes)
    x, found = xs[0], list[Tensor]()
    for summand in one.plan.target.summands:
        word = [wire.group.size for wire in summand.word]
        extent = [lengths[size] if isinstance(size, str) else size for size in word]
        found.append(x.new_empty([*x.shape[: one.calls.order], *extent, summand.channels]))
    return found


@layer_gradient.register_fake
def _(plan: str, gs: list[Tensor], xs: list[Tensor], weights: list[Tensor], biases: list[Tensor],
      indices: list[Tensor], sizes: list[int], inputs: bool, learned: bool) -> list[Tensor]:  # fmt: skip
    like = [*(xs if inputs else ()), *((*weights, *biases) if learned else ())]
    return [t.new_empty(t.shape) for t in like]


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    plan, xs, weights, biases, indices, sizes = inputs
    ctx.plan, ctx.sizes, ctx.counts = plan, sizes, (len(xs), len(weights), len(biases), len(indices))
    ctx.save_for_backward(*xs, *weights, *biases, *indices)


def _back(ctx: Any, grads: Sequence[Tensor]) -> tuple[Any, ...]:
    saved = iter(ctx.saved_tensors)
    xs, weights, biases, indices = (list(islice(saved, count)) for count in ctx.counts)
    needed = ctx.needs_input_grad
    inputs, learned = any(needed[1]), any((*needed[2], *needed[3]))
    rest = (xs, weights, biases, indices, ctx.sizes)
    found = iter(torch.ops.catnn.layer_gradient(ctx.plan, list(grads), *rest, inputs, learned))
    dxs = list(islice(found, len(xs))) if inputs else [None for _ in xs]
    dws, dbs = ([next(found) if learned else None for _ in some] for some in (weights, biases))
    return None, dxs, dws, dbs, [None for _ in indices], None if ctx.sizes else []


layer.register_autograd(_back, setup_context=_keep)
