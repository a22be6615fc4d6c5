"""The class of a layer: its parameters, their initialisation, and the call of its functions."""

from __future__ import annotations

from catnn.category.basis import Basis
from catnn.category.scalar import ONE, Scalar
from catnn.category.wires import Type, Wire, bases
from catnn.emit.drawing import draw
from catnn.emit.functions import bias_names
from catnn.emit.pack import Packing
from catnn.emit.writer import count_variable, one_tuple, quoted, size_parameter, size_variable
from catnn.model import Layer
from catnn.plan.plan import Plan


def layer_class(
    layer: Layer, plan: Plan, name: str, prefix: str, packing: Packing | None, extras: tuple[str, ...]
) -> str:
    """The source of the class of a layer."""
    sizes = size_names(layer)
    parameters = ["self", *(f"{size_parameter(s)}=16" for s in sizes), "device=None", "dtype=None", "generator=None"]
    given = ", ".join(f"{quoted(s)}: {size_parameter(s)}" for s in sizes)
    lines = [
        f"class {name}(_Layer):",
        f'    """{_doc(layer)}"""',
        "",
        f"    label = {quoted(layer.name)}",
        f"    inputs = {_shapes(layer.source)}",
        f"    outputs = {_shapes(layer.target)}",
        f"    space_sizes = {{{', '.join(f'{quoted(w.space)}: {_size(w)}' for w in wires(layer))}}}",
    ]
    even = [quoted(w.space) for w in wires(layer) if w.group.family == "Sp"]
    if even:
        lines.append(f"    even = {one_tuple(even)}")
    if layer.is_complex:
        lines.append("    is_complex = True")
    lines += ["", f"    def __init__({', '.join(parameters)}):", f"        super().__init__({{{given}}})"]
    if layer.is_complex:
        lines.append("        dtype = _complex(dtype)")
    lines += [f"        {line}" for line in _parameters(layer)]
    for index, _ in packing.indices if packing else ():
        constant = index_constant(prefix, index)
        lines.append(f"        {index} = torch.tensor({constant}, device=device)")
        lines.append(f"        self.register_buffer({quoted(index)}, {index}, persistent=False)")
    lines += ["        self.reset_parameters(generator)", "", "    def reset_parameters(self, generator=None):"]
    lines += ['        """Draw the weights anew: unit variance in and out, an equal share a diagram; biases are 0."""']
    lines += [f"        {line}" for line in _reset(layer, sizes)]
    lines += ["", "    def compute(self, xs, lengths, counts):", '        """The layer on checked tensors."""']
    lines += [f"        {line}" for line in _compute(layer, plan, name, prefix, packing, extras)]
    return "\n".join(lines) + "\n"


def index_constant(prefix: str, index: str) -> str:
    """The name of the constant that holds an index of the packing."""
    return f"_{prefix.upper()}_{index.upper()}"


def wires(layer: Layer) -> tuple[Wire, ...]:
    """The different spaces of a layer, source first."""
    words = layer.source.words + layer.target.words
    return bases(tuple(wire for word in words for wire in word))


def size_names(layer: Layer) -> tuple[str, ...]:
    """The symbolic sizes of a layer: of its wires, then of its coefficients."""
    names = {w.group.size: None for w in wires(layer) if isinstance(w.group.size, str)}
    pairs = [pair for table in (layer.weighted, layer.fixed_parts) for row in table for pair in row]
    for morphism in (m for pair in pairs if not isinstance(pair, Basis) for m in pair):
        for coefficient, _ in morphism.weighted:
            for monomial, _ in coefficient.terms:
                names.update(dict.fromkeys(name for name, _ in monomial))
    return tuple(names)


def _doc(layer: Layer) -> str:
    found = sum(len(pair) for row in layer.weighted for pair in row)
    bias = sum(len(row) for row in layer.biases)
    head = f"{found} diagram{'s' if found != 1 else ''}" + (f" and {bias} for the bias" if bias else "")
    groups = " x ".join(f"{w.group} on {w.space}" for w in wires(layer))
    under = f"; equivariant under {groups}" if groups else ""
    return f"{layer.name} : {layer.source} -> {layer.target}, {head}{under}."


def _shapes(side: Type) -> str:
    return one_tuple(f"({one_tuple(quoted(w.space) for w in s.word)}, {s.channels})" for s in side.summands)


def _size(wire: Wire) -> str:
    return quoted(wire.group.size) if isinstance(wire.group.size, str) else str(wire.group.size)


def _parameters(layer: Layer) -> list[str]:
    lines = []
    for o, out in enumerate(layer.target.summands):
        for i, in_ in enumerate(layer.source.summands):
            count = len(layer.weighted[o][i])
            lines.append(_parameter(layer.weight_name(o, i), f"{count}, {out.channels}, {in_.channels}", count))
        lines.append(_parameter(layer.bias_name(o), f"{len(layer.biases[o])}, {out.channels}", len(layer.biases[o])))
    return lines


def _parameter(name: str, shape: str, count: int) -> str:
    if not count:
        return f"self.register_parameter({quoted(name)}, None)"
    return f"self.{name} = nn.Parameter(torch.empty({shape}, device=device, dtype=dtype))"


def _reset(layer: Layer, sizes: tuple[str, ...]) -> list[str]:
    """Each weight's variance is dim(target) / (C_in D ||d||^2), D the diagrams into the same target summand."""
    lines: list[str] = []
    for o, out in enumerate(layer.target.summands):
        together = sum(len(pair) for pair in layer.weighted[o])
        dim = ONE
        for wire in out.word:
            dim = dim * Scalar.size(wire.group.size)
        for i, in_ in enumerate(layer.source.summands):
            if layer.weighted[o][i]:
                lines += draw(layer, o, i, dim / Scalar.of(in_.channels * together))
        if layer.biases[o]:
            lines.append(f"nn.init.zeros_(self.{layer.bias_name(o)})")
    names = {size_variable(s): s for s in sizes}
    used = [v for v in names if any(v in _identifiers(line) for line in lines)]
    return [f"{variable} = self.sizes[{quoted(names[variable])}]" for variable in used] + lines or ["pass"]


def _identifiers(line: str) -> set[str]:
    return set("".join(c if c.isalnum() or c == "_" else " " for c in line).split())


def _compute(
    layer: Layer, plan: Plan, name: str, prefix: str, packing: Packing | None, extras: tuple[str, ...]
) -> list[str]:
    arguments = ["*xs"]
    if packing:
        indices = {index for index, _ in packing.indices}
        tensors = [f"self.{t}" if t in indices else f"self.{t}.to(xs[0].dtype)" for t in packing.function.tensors]
        call = f"*_{prefix}_pack({', '.join(tensors)})"
        arguments += [call] if len(call) < 100 else [f"*_{prefix}_pack(", *(f"    {t}," for t in tensors), ")"]
    arguments += [f"self.{layer.bias_name(o)}.to(xs[0].dtype)" for o in bias_names(plan)]
    by_variable = {size_variable(s): f"lengths[{quoted(s)}]" for s in size_names(layer)}
    by_variable |= {count_variable(w.space): f"counts[{quoted(w.space)}]" for w in wires(layer)}
    arguments += [by_variable[extra] for extra in extras]
    return [
        "args = (",
        *(f"    {argument}" + ("" if argument.endswith(("(", ",")) else ",") for argument in arguments),
        ")",
        "if torch.compiler.is_compiling() or not _derived():",
        f"    return _{prefix}(*args)",
        f"return _{name}.apply(*args)",
    ]
