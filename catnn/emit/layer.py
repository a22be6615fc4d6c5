"""A layer as source: its functions, its derivative and its class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from textwrap import wrap

from catnn.emit.classes import index_constant, layer_class, size_names
from catnn.emit.derivative import Functions
from catnn.emit.functions import Function, constant_rows, extras_of, reduce_function
from catnn.emit.pack import pack_function
from catnn.emit.running import run_function
from catnn.emit.weights import weights_function
from catnn.emit.writer import size_variable
from catnn.model import Layer
from catnn.plan.plan import Plan, mirror

ALWAYS = frozenset({"_derived", "_save", "_saved", "_vmap", "_Layer"})
"""The parts that every layer uses; others are found in the text of its functions."""


@dataclass(frozen=True, slots=True)
class Emitted:
    """The text of a layer or network, and the shared parts that it uses.

    extras: of a layer, the parameters of its functions behind the tensors, each with its size; None for a count.
    """

    text: str
    parts: frozenset[str]
    extras: Mapping[str, str | None] = field(default_factory=dict)


def emit_layer(layer: Layer, plan: Plan, class_name: str, prefix: str) -> Emitted:
    """The functions and the class of a layer; prefix: how the names of its functions start."""
    functions, texts = _functions(plan, prefix, is_complex=layer.is_complex)
    packing = pack_function(layer, plan, f"_{prefix}_pack") if plan.products else None
    pieces = []
    if packing:
        pieces += [_constant(index_constant(prefix, index), values) for index, values in packing.indices]
        pieces.append(packing.function.text())
    pieces += [function.text() for function in texts]
    pieces.append(functions.plain(f"_{prefix}"))
    pieces.append(functions.derivative(f"_{prefix}", f"_{class_name}"))
    pieces.append(layer_class(layer, plan, class_name, prefix, packing, functions.extras))
    parts = ALWAYS.union(*(function.body.parts for function in texts))
    if packing:
        parts |= packing.function.body.parts
    if "_normal(" in pieces[-1]:
        parts |= {"_normal"}
    if layer.is_complex:
        parts |= {"_complex"}
    sizes = {size_variable(size): size for size in size_names(layer)}
    extras = {extra: sizes.get(extra) for extra in functions.extras}
    return Emitted("\n\n".join(piece.rstrip("\n") + "\n" for piece in pieces), parts, extras)


def _functions(plan: Plan, prefix: str, *, is_complex: bool) -> tuple[Functions, list[Function]]:
    """The functions of a plan and its mirror; the second value is those to write, each once."""
    back = mirror(plan)
    extra = constant_rows(plan)
    reduce = reduce_function(plan, f"_{prefix}_reduce", "x")
    reduce_back = reduce_function(back, f"_{prefix}_reduce_back", "g", extra)
    run = run_function(plan, f"_{prefix}_run", "x", transposed=False)
    run_back = run_function(back, f"_{prefix}_run_back", "g", transposed=True, extra=extra)
    weights = weights_function(plan, back, f"_{prefix}_weights", is_complex=is_complex)
    written = [function for function in (reduce, reduce_back, run, run_back, weights) if function]
    for function in written:
        function.extras = extras_of(function.body)
    same = reduce_function(back, f"_{prefix}_reduce", "x", extra)
    if reduce and reduce_back and same and (same.tensors, same.body.lines) == (reduce.tensors, reduce.body.lines):
        written.remove(reduce_back)
        reduce_back = replace(reduce)
    extras = extras_of(*(function.body for function in written))
    return Functions(plan, back, reduce, reduce_back, run, run_back, weights, extras, is_complex), written


def _constant(name: str, values: tuple[int, ...]) -> str:
    lines = wrap(", ".join(map(str, values)), 112)
    return f"{name} = (\n" + "\n".join(f"    {line}" for line in lines) + ",\n)\n"
