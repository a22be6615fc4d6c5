"""A layer as source: its functions, its derivative and its class."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from textwrap import wrap

from catnn.category.gram import norm2
from catnn.category.scalar import ONE, Scalar
from catnn.category.wires import Type, Wire
from catnn.emit.functions import (
    Function,
    bias_names,
    constant_rows,
    extras_of,
    inputs_of,
    reduce_function,
    row_groups,
    run_function,
    weights_function,
)
from catnn.emit.pack import Packing, pack_function
from catnn.emit.writer import size_parameter, size_variable
from catnn.model import Layer
from catnn.plan.plan import Plan, mirror

DERIVATIVE = '''\
class {function}(torch.autograd.Function):
    """`{plain}` with its gradient: every diagram upside down."""

    @staticmethod
    def forward({parameters}):
        return {plain}({parameters})

    @staticmethod
    def setup_context(ctx, inputs, output):
        _save(ctx, inputs)

    @staticmethod
    def backward(ctx, {grads}):
        {unpack} = _saved(ctx)
        needs = ctx.needs_input_grad
{backward}

    @staticmethod
    def jvp(ctx, *tangents):
        {unpack} = _saved(ctx)
        {tangents} = tangents
        moved = {plain}({moved_inputs})
        mixed = {plain}({moved_weights})
        return tuple(a + b for a, b in zip(moved, mixed))

    @staticmethod
    def vmap(info, in_dims, *args):
        return _vmap({function}.apply, {plain}, {count}, in_dims, args)
'''


@dataclass
class LayerSource:
    """The text of a layer and the parts that it uses."""

    text: str
    parts: set[str] = field(default_factory=set)


def emit_layer(layer: Layer, plan: Plan, class_name: str, prefix: str) -> LayerSource:
    """The functions and the class of a layer; prefix: how its functions' names start."""
    back = mirror(plan)
    extra = constant_rows(plan)
    reduce_ = reduce_function(plan, f"_{prefix}_reduce", "x")
    reduce_back = reduce_function(back, f"_{prefix}_reduce_back", "g", extra)
    if reduce_ and reduce_back and reduce_.body.lines == _like(reduce_back, plan, back).body.lines:
        shared = replace(reduce_back, name=reduce_.name)
    else:
        shared = None
    run = run_function(plan, f"_{prefix}_run", "x", transposed=False)
    run_back = run_function(back, f"_{prefix}_run_back", "g", transposed=True, extra=extra)
    has_back = bool(row_groups(back, extra))
    weights = weights_function(plan, f"_{prefix}_weights", reduce_ is not None, has_back, back)
    packing = pack_function(layer, plan, f"_{prefix}_pack") if plan.products else None
    functions = [f for f in (reduce_, None if shared else reduce_back, run, run_back, weights) if f]
    for function in functions:
        function.extras = extras_of(function.body)
    if shared and reduce_:
        shared.extras = reduce_.extras
        reduce_back = shared
    extras = extras_of(*(f.body for f in functions))
    family = _Family(plan, back, reduce_, reduce_back, run, run_back, weights, extras)
    parts = {"_save", "_saved", "_vmap", "_Layer", "_masks", "_lengths", "_wrong", "_masked", "linear"}
    parts.update(part for f in functions for part in f.body.parts)
    if any(pair for row in layer.weighted for pair in row) and layer.init == "unit":
        parts.add("_normal")
    texts = [packing.function.text()] if packing else []
    texts += [f.text() for f in functions]
    texts += [family.plain(f"_{prefix}"), family.derivative(f"_{prefix}", f"_{class_name}"),]
    texts.append(_class(layer, plan, class_name, prefix, packing, extras))
    if packing:
        texts[0:0] = [_constant(f"_{prefix.upper()}_{n.upper()}", v) for n, v in packing.indices]
    return LayerSource("\n\n".join(text.rstrip("\n") + "\n" for text in texts if text), parts)


def _like(function: Function, plan: Plan, back: Plan) -> Function:
    """The function with the gradient's letter replaced by the input's, to see whether two are the same."""
    if len(plan.source.summands) != len(back.source.summands):
        return function
    again = reduce_function(back, function.name, "x", constant_rows(plan))
    assert again is not None
    return again


@dataclass
class _Family:
    """The functions of one layer, to be called with each other's results."""

    plan: Plan
    back: Plan
    reduce: Function | None
    reduce_back: Function | None
    run: Function
    run_back: Function
    weights: Function
    extras: tuple[str, ...]

    @property
    def xs(self) -> tuple[str, ...]:
        return inputs_of(self.plan, "x")

    @property
    def ws(self) -> tuple[str, ...]:
        return (*(f"w{i}" for i in range(len(self.plan.products))), *bias_names(self.plan).values())

    def plain(self, name: str) -> str:
        """The layer as one differentiable function."""
        halves = [self.call(self.reduce, self.xs)] if self.reduce else []
        body = self.call(self.run, (*self.xs, *halves, *self.ws))
        parameters = ", ".join((*self.xs, *self.ws, *self.extras))
        doc = f"{self.plan.name} : {self.plan.source} -> {self.plan.target}, a plain differentiable function."
        return f'def {name}({parameters}):\n    """{doc}"""\n    return {body}\n'

    def call(self, function: Function, tensors: tuple[str, ...]) -> str:
        return f"{function.name}({', '.join((*tensors, *function.extras))})"

    def derivative(self, plain: str, function: str) -> str:
        """The autograd Function."""
        grads = inputs_of(self.back, "g")
        n = len(self.xs)
        lines = []
        back_halves = ()
        if self.reduce_back:
            lines.append(f"grads = {self.call(self.reduce_back, grads)}")
            back_halves = ("grads",)
        no_bias = tuple(f"w{i}" for i in range(len(self.plan.products)))
        run_halves = back_halves
        lines.append(f"dx = {self.call(self.run_back, (*grads, *run_halves, *no_bias))} if any(needs[:{n}]) else ({'None, ' * n})".replace(", )", ",)"))
        if self.ws:
            here = (self.call(self.reduce, self.xs),) if self.reduce else ()
            call = self.call(self.weights, (*self.xs, *grads, *here, *back_halves))
            none = "None, " * len(self.ws)
            lines.append(f"dw = {call} if any(needs[{n}:]) else ({none})".replace(", )", ",)"))
        nothing = ["None"] * len(self.extras)
        lines.append(f"return {', '.join(['*dx', *(['*dw'] if self.ws else []), *nothing])}" + ("" if self.ws or nothing else ","))
        names = (*self.xs, *self.ws, *self.extras)
        dotted = tuple(f"d{name}" for name in (*self.xs, *self.ws)) + ("_",) * len(self.extras)
        biases = set(bias_names(self.plan).values())
        still = [f"torch.zeros_like({w})" if w in biases else w for w in self.ws]
        text = DERIVATIVE.format(
            function=function,
            plain=plain,
            parameters=", ".join(names),
            grads=", ".join(grads),
            unpack=", ".join(names) + ("," if len(names) == 1 else ""),
            backward="\n".join(f"        {line}" for line in lines),
            tangents=", ".join(dotted) + ("," if len(dotted) == 1 else ""),
            moved_inputs=", ".join([*(f"d{x}" for x in self.xs), *still, *self.extras]),
            moved_weights=", ".join([*self.xs, *(f"d{w}" for w in self.ws), *self.extras]),
            count=n,
        )
        if not self.ws:
            start, stop = text.index("        mixed ="), text.index("    @staticmethod\n    def vmap")
            text = text[:start] + "        return moved\n\n" + text[stop:]
        return text


def _constant(name: str, values: tuple[int, ...]) -> str:
    lines = wrap(", ".join(map(str, values)), 112)
    return f"{name} = (\n" + "\n".join(f"    {line}" for line in lines) + ",\n)\n"


def _words(side: Type) -> str:
    shown = [f"({_tuple(repr(w.space) for w in s.word)}, {s.channels})" for s in side.summands]
    return _tuple(shown)


def _tuple(items: object) -> str:
    found = list(items)  # type: ignore[call-overload]
    return f"({', '.join(found)}{',' if len(found) == 1 else ''})"


def wires(layer: Layer) -> tuple[Wire, ...]:
    """The different wires of a layer, source first."""
    words = layer.source.words + layer.target.words
    return tuple(dict.fromkeys(wire for word in words for wire in word))


def size_names(layer: Layer) -> tuple[str, ...]:
    """The symbolic sizes of a layer: of its wires, then of its coefficients."""
    names = {w.group.size: None for w in wires(layer) if isinstance(w.group.size, str)}
    pairs = [pair for table in (layer.weighted, layer.fixed_parts) for row in table for pair in row]
    for morphism in (m for pair in pairs for m in pair):
        for coefficient, _ in morphism.weighted:
            for monomial, _ in coefficient.terms:
                names.update(dict.fromkeys(name for name, _ in monomial))
    return tuple(names)  # type: ignore[arg-type]


def _class(layer: Layer, plan: Plan, name: str, prefix: str, packing: Packing | None, extras: tuple[str, ...]) -> str:
    sizes = size_names(layer)
    found = sum(len(pair) for row in layer.weighted for pair in row)
    bias = sum(len(row) for row in layer.biases)
    groups = " x ".join(f"{w.group} on {w.space}" for w in wires(layer)) or "no group"
    head = f"{found} diagram{'s' if found != 1 else ''}" + (f" and {bias} for the bias" if bias else "")
    parameters = ", ".join(["self", *(f"{size_parameter(s)}=16" for s in sizes), "device=None", "dtype=None", "generator=None"])
    given = ", ".join(f"{s!r}: {size_parameter(s)}" for s in sizes)
    lines = [
        f"class {name}(_Layer):",
        f'    """{layer.name} : {layer.source} -> {layer.target}, {head}; equivariant under {groups}."""',
        "",
        f"    label = {layer.name!r}",
        f"    inputs = {_words(layer.source)}",
        f"    outputs = {_words(layer.target)}",
        f"    space_sizes = {{{', '.join(f'{w.space!r}: {w.group.size!r}' for w in wires(layer))}}}",
    ]
    even = [repr(w.space) for w in wires(layer) if w.group.family == "Sp"]
    if even:
        lines.append(f"    even = {_tuple(even)}")
    lines += ["", f"    def __init__({parameters}):", f"        super().__init__({{{given}}})"]
    lines += [f"        {line}" for line in _parameters(layer)]
    for index, _ in packing.indices if packing else ():
        constant = f"_{prefix.upper()}_{index.upper()}"
        lines.append(f"        self.register_buffer({index!r}, torch.tensor({constant}, device=device), persistent=False)")
    lines += ["        self.reset_parameters(generator)", "", "    def reset_parameters(self, generator=None):"]
    lines += ['        """Draw the weights anew (unit variance in, unit variance out, every diagram alike); biases are 0."""']
    lines += [f"        {line}" for line in _reset(layer, sizes)]
    lines += ["", "    def compute(self, xs, lengths, counts):", '        """The layer on checked tensors."""']
    lines += [f"        {line}" for line in _compute(layer, plan, name, prefix, packing, extras)]
    return "\n".join(lines) + "\n"


def _parameters(layer: Layer) -> list[str]:
    lines = []
    for o, out in enumerate(layer.target.summands):
        for i, in_ in enumerate(layer.source.summands):
            count = len(layer.weighted[o][i])
            shape = f"{count}, {out.channels}, {in_.channels}"
            lines.append(_parameter(layer.weight_name(o, i), shape, count))
        lines.append(_parameter(layer.bias_name(o), f"{len(layer.biases[o])}, {out.channels}", len(layer.biases[o])))
    return lines


def _parameter(name: str, shape: str, count: int) -> str:
    if not count:
        return f"self.register_parameter({name!r}, None)"
    return f"self.{name} = nn.Parameter(torch.empty({shape}, device=device, dtype=dtype))"


def python(scalar: Scalar) -> str:
    """A scalar as a Python expression.

    >>> python(Scalar.size("n", 2) + Scalar.of(3))
    '3 + n**2'
    """
    terms = []
    for monomial, coefficient in scalar.terms:
        factors = [f"{size_variable(s)}**{e}" if e != 1 else size_variable(s) for s, e in monomial]
        if coefficient.denominator != 1:
            factors.insert(0, f"{coefficient.numerator} / {coefficient.denominator}")
        elif coefficient != 1 or not factors:
            factors.insert(0, str(coefficient.numerator))
        terms.append(" * ".join(factors))
    return " + ".join(terms) or "0"


def _reset(layer: Layer, sizes: tuple[str, ...]) -> list[str]:
    """Source: docs/explanation, initialisation: s^2 = dim(target) / (C_in D ||d||^2)."""
    lines: list[str] = []
    for o, out in enumerate(layer.target.summands):
        together = sum(len(pair) for pair in layer.weighted[o])
        dim = ONE
        for wire in out.word:
            dim = dim * Scalar.size(wire.group.size)
        for i, in_ in enumerate(layer.source.summands):
            pair = layer.weighted[o][i]
            if not pair:
                continue
            parameter = f"self.{layer.weight_name(o, i)}"
            if layer.init == "zeros":
                lines.append(f"nn.init.zeros_({parameter})")
                continue
            norms = [python(norm2(morphism)) for morphism in pair]
            distinct = list(dict.fromkeys(norms))
            top = f"({python(dim)}) / {in_.channels * together}"
            if len(distinct) == 1:
                lines.append(f"_normal({parameter}, [{top} / ({distinct[0]})] * {len(norms)}, generator)")
                continue
            lines.append(f"norms = {_tuple(distinct)}")
            order = wrap(", ".join(str(distinct.index(norm)) for norm in norms), 104)
            lines += ["order = (", *(f"    {line}" for line in order[:-1]), f"    {order[-1]},", ")"]
            lines.append(f"_normal({parameter}, [{top} / norms[at] for at in order], generator)")
        if layer.biases[o]:
            lines.append(f"nn.init.zeros_(self.{layer.bias_name(o)})")
    mentioned = "\n".join(lines)
    used = [s for s in sizes if f"{size_variable(s)}" in mentioned.replace("norms", "").replace("generator", "")]
    return [f"{size_variable(s)} = self.sizes[{s!r}]" for s in used] + lines or ["pass"]


def _compute(
    layer: Layer, plan: Plan, name: str, prefix: str, packing: Packing | None, extras: tuple[str, ...]
) -> list[str]:
    lines = []
    arguments = ["*xs"]
    if packing:
        tensors = [f"self.{t}.to(xs[0].dtype)" for t in packing.function.tensors]
        indices = {index for index, _ in packing.indices}
        tensors = [f"self.{t}" if t in indices else s for t, s in zip(packing.function.tensors, tensors, strict=True)]
        arguments.append(f"*_{prefix}_pack({', '.join(tensors)})")
    arguments += [f"self.{layer.bias_name(o)}.to(xs[0].dtype)" for o in bias_names(plan)]
    by_variable = {size_variable(s): f"lengths[{s!r}]" for s in size_names(layer)}
    for extra in extras:
        arguments.append(by_variable.get(extra) or f"counts[{extra.removeprefix('count_')!r}]")
    lines.append("args = (")
    lines += [f"    {argument}," for argument in arguments]
    lines.append(")")
    lines.append("if torch.compiler.is_compiling() or not torch.is_grad_enabled():")
    lines.append(f"    return _{prefix}(*args)")
    lines.append(f"return _{name}.apply(*args)")
    return lines
