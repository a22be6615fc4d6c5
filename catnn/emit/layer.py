"""A layer as source: its functions, its derivative and its class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from textwrap import wrap

from catnn.emit.classes import Computed, index_constant, is_symmetric, layer_class, size_names, together_class
from catnn.emit.dense import dense_constants, dense_function
from catnn.emit.derivative import Functions
from catnn.emit.functions import Function, constant_rows, extras_of, reduce_function
from catnn.emit.fusing import Making
from catnn.emit.pack import pack_function
from catnn.emit.running import run_function
from catnn.emit.tying import Tying
from catnn.emit.weights import weights_function
from catnn.emit.writer import size_variable
from catnn.model import Layer
from catnn.plan.dense import Dense
from catnn.plan.lower import Lowered
from catnn.plan.plan import Plan, mirror

ALWAYS = frozenset({"_alike", "_derived", "_traced", "_save", "_saved", "_vmap", "_Layer"})
"""The parts that every layer uses; others are found in the text of its functions."""


TIES = ("_orbits", "_matrix", "_tied")
"""The parts that ties use."""


@dataclass(frozen=True, slots=True)
class Emitted:
    """The text of a layer or network, and the shared parts that it uses.

    functions: of a layer, the autograd Function of each part of it, and the parameters that this takes behind the
    tensors, each with its size; None for a count.  constants: what its functions share with others, by name.
    """

    text: str
    parts: frozenset[str]
    functions: tuple[tuple[str, Mapping[str, str | None]], ...] = ()
    constants: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a layer that is computed at once: its plan, how the names of its functions start, its dense form."""

    part: Lowered
    plan: Plan
    prefix: str
    dense: Dense | None = None


def emit_layer(
    layer: Layer, pieces: Sequence[Piece], class_name: str, held: Mapping[str, str] | None = None,
    kinds: Sequence[str] = (), making: Making | None = None,
) -> Emitted:  # fmt: skip
    """The functions and the class of a layer; pieces: what it is the sum of, one or two.

    held, kinds: of a layer that is computed for others, the expressions of its parameters, and the classes of those;
    making: how they are made, where they are not parameters of those as they are.
    """
    texts: list[str] = []
    parts = set(ALWAYS)
    computed: list[Computed] = []
    constants: dict[str, str] = {}
    for piece in pieces:
        plan, prefix, inner = piece.plan, piece.prefix, piece.part.layer
        functions, written = _functions(plan, prefix, is_complex=layer.is_complex)
        packing = pack_function(inner, plan, f"_{prefix}_pack") if plan.products else None
        if packing:
            texts += [_constant(index_constant(prefix, index), values) for index, values in packing.indices]
            texts.append(packing.function.text())
            parts |= packing.function.body.parts
        texts += [function.text() for function in written]
        texts.append(functions.plain(f"_{prefix}"))
        name = f"_{class_name}" if piece is pieces[0] else f"_{class_name}_axes"
        texts.append(functions.derivative(f"_{prefix}", name))
        parts = parts.union(*(function.body.parts for function in written))
        for function in written:
            constants |= function.body.constants
        tying = None
        if piece.part.ties:
            tying = Tying(piece.part.ties, prefix, sum(one.tying.first for one in computed if one.tying))
            texts += tying.constants
        found = piece.dense
        if found:
            texts.append(dense_constants(found, prefix))
            texts.append(dense_function(found, layer, plan, prefix))
        computed.append(Computed(piece.part, plan, name, prefix, packing, functions.extras, tying, found, held or {}))
    if held is None:
        texts.append(layer_class(layer, computed, class_name))
    else:
        if making:
            texts += making.texts
        texts.append(together_class(layer, computed[0], class_name, kinds, making))
        parts |= making.parts if making else {"_Together", "_as_made"}
    if "_normal(" in texts[-1]:
        parts |= {"_normal"}
    if layer.is_complex:
        parts |= {"_complex"}
    if is_symmetric(layer):
        parts |= {"_Symmetric"}
    parts |= {part for part in TIES if f"{part}(" in texts[-1]}
    if any(one.dense for one in computed):
        parts |= {"_entries", "_summed"}
    sizes = {size_variable(size): size for size in size_names(layer)}
    parameters = tuple((one.name, {extra: sizes.get(extra) for extra in one.extras}) for one in computed)
    return Emitted("\n\n".join(text.rstrip("\n") + "\n" for text in texts), frozenset(parts), parameters, constants)


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
