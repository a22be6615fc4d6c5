"""The class of a layer: its parameters, their initialisation, and the call of its functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from catnn.category.basis import Basis
from catnn.category.families import FAMILIES
from catnn.category.scalar import ONE, Scalar
from catnn.category.wires import Summand, Type, Wire, bases
from catnn.emit.dense import dense_call
from catnn.emit.drawing import draw
from catnn.emit.functions import bias_names
from catnn.emit.fusing import Making
from catnn.emit.pack import Packing
from catnn.emit.tying import Tying, joined_axes, parted_axes
from catnn.emit.writer import count_variable, one_tuple, quoted, size_parameter, size_variable
from catnn.model import Layer
from catnn.plan.dense import Dense
from catnn.plan.lower import Lowered
from catnn.plan.plan import Plan
from catnn.plan.ways import few


@dataclass(frozen=True, slots=True)
class Computed:
    """A part of a layer and what computes it.

    name: of its autograd Function; prefix: how its functions start; extras: the sizes and counts that they take.
    tying: where diagrams are orbits, what ties the weights; dense: the dense form, if it has one.
    held: the expressions of parameters that are those of other modules.
    """

    part: Lowered
    plan: Plan
    name: str
    prefix: str
    packing: Packing | None
    extras: tuple[str, ...]
    tying: Tying | None = None
    dense: Dense | None = None
    held: Mapping[str, str] = field(default_factory=dict)

    def weight(self, name: str) -> str:
        """The expression of a parameter."""
        return self.held.get(name, f"self.{name}")

    @property
    def indices(self) -> dict[str, str]:
        """The buffer of each index of the packing, by the constant that holds it."""
        found = self.packing.indices if self.packing else []
        return {index_constant(self.prefix, index): index for index, _ in found}


def is_symmetric(layer: Layer) -> bool:
    """Whether any of its tensors has a symmetric power."""
    return any(summand.symmetric for summand in layer.source.summands + layer.target.summands)


def layer_class(layer: Layer, computed: Sequence[Computed], name: str) -> str:
    """The source of the class of a layer."""
    sizes = size_names(layer)
    parameters = ["self", *(f"{size_parameter(s)}=16" for s in sizes), "device=None", "dtype=None", "generator=None"]
    given = ", ".join(f"{quoted(s)}: {size_parameter(s)}" for s in sizes)
    found = computed[0].dense
    lines = _head(layer, computed, f"class {name}({'_Symmetric' if is_symmetric(layer) else '_Layer'}):", _doc(layer))
    lines += ["", f"    def __init__({', '.join(parameters)}):", f"        super().__init__({{{given}}})"]
    if found:
        lines.append("        self.known = {}")
    if layer.is_complex:
        lines.append("        dtype = _complex(dtype)")
    lines += [f"        {line}" for line in _parameters(layer)]
    for constant, index in (pair for one in computed for pair in one.indices.items()):
        lines.append(f"        {index} = torch.tensor({constant}, device=device)")
        lines.append(f"        self.register_buffer({quoted(index)}, {index}, persistent=False)")
    lines += [f"        {line}" for one in computed if one.tying for line in one.tying.setup]
    lines += ["        self.reset_parameters(generator)", "", "    def reset_parameters(self, generator=None):"]
    lines += ['        """Draw the weights anew: unit variance in and out, an equal share a diagram; biases are 0."""']
    lines += [f"        {line}" for line in _reset(layer, sizes)]
    return "\n".join([*lines, *_computing(layer, computed)]) + "\n"


def together_class(
    layer: Layer, computed: Computed, name: str, kinds: Sequence[str], making: Making | None = None
) -> str:
    """The source of the class of a layer that is computed for others; kinds: their classes; making: its weights."""
    doc = f"{' and '.join(kinds)}, computed as one: {layer.source} -> {layer.target}."
    lines = _head(layer, [computed], f"class {name}({'_Fused' if making else '_Together'}):", doc)
    lines.append(f"    kinds = {one_tuple(kinds)}")
    lines += [f"    {line}" for line in (making.attributes if making else ())]
    return "\n".join([*lines, *_computing(layer, [computed], making.before if making else ())]) + "\n"


def _computing(layer: Layer, computed: Sequence[Computed], before: Sequence[str] = ()) -> list[str]:
    lines = ["", "    def compute(self, xs, lengths, counts):", '        """The layer on checked tensors."""']
    return [*lines, *(f"        {line}" for line in (*before, *_compute(layer, computed)))]


def _head(layer: Layer, computed: Sequence[Computed], opening: str, doc: str) -> list[str]:
    """The first lines of a class: what it is called, and the shapes of its tensors."""
    lines = [
        opening,
        f'    """{doc}"""',
        "",
        f"    label = {quoted(layer.name)}",
        f"    inputs = {shapes(layer.source)}",
        f"    outputs = {shapes(layer.target)}",
        f"    space_sizes = {space_sizes(wires(layer))}",
    ]
    spaces, sizes = wires(layer), _counted_sizes([one.plan for one in computed])
    lines += [f"    {line}" for line in stated(whole=whole(spaces), counted=counted(spaces, sizes))]
    if is_symmetric(layer):
        lines.append(f"    powers = {one_tuple((_powers(layer.source), _powers(layer.target)))}")
    even = [quoted(w.space) for w in wires(layer) if FAMILIES[w.group.family].step == 2]
    if even:
        lines.append(f"    even = {one_tuple(even)}")
    if layer.is_complex:
        lines.append("    is_complex = True")
    found = computed[0].dense
    if found:
        lines.append(f"    limit = {few(found, computed[0].plan):_}")
    return lines


def whole(spaces: tuple[Wire, ...]) -> str:
    """Why a space takes no mask, by space, as Python.

    >>> from catnn.category.wires import PLAIN, Group
    >>> print(whole((Wire("F", Group(PLAIN, 64)), Wire("H", Group(PLAIN, 4)))))
    dict.fromkeys(("F", "H"), "it has no symmetry, so nothing is padded there")
    """
    reasons = {wire.space: reason for wire in spaces if (reason := unmasked(wire)) is not None}
    if len(reasons) > 1 and len({*reasons.values()}) == 1:
        (reason,) = {*reasons.values()}
        return f"dict.fromkeys({one_tuple(map(quoted, reasons))}, {quoted(reason)})"
    return f"{{{', '.join(f'{quoted(space)}: {quoted(reason)}' for space, reason in reasons.items())}}}"


def stated(**attributes: str) -> list[str]:
    """The lines of class attributes; what is empty is so by default.

    >>> stated(whole="{}", counted='{"n": ("V", "W")}')
    ['counted = {"n": ("V", "W")}']
    """
    return [f"{name} = {value}" for name, value in attributes.items() if value != "{}"]


def counted(spaces: tuple[Wire, ...], sizes: set[str]) -> str:
    """The spaces of each of these sizes, those in scalars, that more than one space has, as Python.

    With masks they must count alike, or the scalar would be two numbers.
    """
    found = {size: [w for w in spaces if w.group.size == size] for size in sorted(sizes)}
    several = [
        f"{quoted(size)}: {one_tuple(quoted(w.space) for w in same)}"
        for size, same in found.items()
        if len(same) > 1 and any(unmasked(w) is None for w in same)
    ]
    return f"{{{', '.join(several)}}}"


def unmasked(wire: Wire) -> str | None:
    """Why a space takes no mask, or None.

    >>> from catnn.category.wires import Group
    >>> unmasked(Wire("V", Group("S", "n"))), unmasked(Wire("V", Group("S", 3)))
    (None, 'its size is 3 in every entry; give it a size that is a name')
    >>> unmasked(Wire("V", Group("O", "n")))
    'O(n) mixes the indices, so none of them is padding'
    """
    if wire.plain:
        return "it has no symmetry, so nothing is padded there"
    if isinstance(wire.group.size, int):
        return f"its size is {wire.group.size} in every entry; give it a size that is a name"
    if not FAMILIES[wire.group.family].permutes:
        return f"{wire.group} mixes the indices, so none of them is padding"
    if FAMILIES[wire.group.family].epsilon:
        return "its Levi-Civita tensor has a leg for each index"
    return None


def _counted_sizes(plans: Sequence[Plan]) -> set[str]:
    """The sizes by name in the scalars of plans, closed loops among them."""
    scales = [product.scale for plan in plans for product in plan.products]
    scales += [direct.scale for plan in plans for direct in plan.directs]
    scales += [constant.scale for plan in plans for constant in plan.constants]
    return {size for scale in scales for size, _ in scale if isinstance(size, str)}


def _powers(side: Type) -> str:
    return one_tuple(one_tuple(str(power) for _, power in summand.axes) for summand in side.summands)


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
    groups = " x ".join(f"{w.group.brief} on {w.space}" for w in wires(layer) if not w.plain)
    under = f"; equivariant under {groups}" if groups else ""
    return f"{layer.name} : {layer.source} -> {layer.target}, {head}{under}."


def shapes(side: Type) -> str:
    """The spaces of the axes of each summand, and its channels, as Python."""
    return one_tuple(f"({one_tuple(quoted(w.space) for w in s.word)}, {s.channels})" for s in side.summands)


def space_sizes(spaces: tuple[Wire, ...]) -> str:
    """The size of each space, a name or a number, as Python."""
    sizes = [(quoted(w.space), w.group.size) for w in spaces]
    return f"{{{', '.join(f'{space}: {quoted(s) if isinstance(s, str) else s}' for space, s in sizes)}}}"


def _parameters(layer: Layer) -> list[str]:
    lines = []
    for o in range(len(layer.target.summands)):
        for i in range(len(layer.source.summands)):
            lines.append(_parameter(layer.weight_name(o, i), layer.weight_shape(o, i)))
        lines.append(_parameter(layer.bias_name(o), layer.bias_shape(o)))
    return lines


def _parameter(name: str, shape: tuple[int, ...]) -> str:
    if not shape[0]:
        return f"self.register_parameter({quoted(name)}, None)"
    return f"self.{name} = nn.Parameter(torch.empty({', '.join(map(str, shape))}, device=device, dtype=dtype))"


def _reset(layer: Layer, sizes: tuple[str, ...]) -> list[str]:
    """Each weight's variance is dim(target) / (C_in D ||d||^2), D the diagrams into the same target summand."""
    lines: list[str] = []
    for o, out in enumerate(layer.target.summands):
        together = sum(len(pair) for pair in layer.weighted[o])
        dim = ONE
        for wire in out.folded().word if layer.folds else out.word:
            dim = dim * Scalar.size(wire.group.size)
        for i in range(len(layer.source.summands)):
            if layer.weighted[o][i]:
                lines += draw(layer, o, i, dim / Scalar.of(layer.weight_shape(o, i)[2] * together))
        if layer.biases[o]:
            lines.append(f"nn.init.zeros_(self.{layer.bias_name(o)})")
    names = {size_variable(s): s for s in sizes}
    used = [v for v in names if any(v in _identifiers(line) for line in lines)]
    return [f"{variable} = self.sizes[{quoted(names[variable])}]" for variable in used] + lines or ["pass"]


def _identifiers(line: str) -> set[str]:
    return set("".join(c if c.isalnum() or c == "_" else " " for c in line).split())


def _compute(layer: Layer, computed: Sequence[Computed]) -> list[str]:
    """The calls of what computes the parts, and what is between the tensors and them."""
    if len(computed) == 1 and not computed[0].part.folded and not computed[0].tying:
        one = computed[0]
        return [
            *(dense_call(one.dense, layer, one.plan, one.prefix, one.weight) if one.dense else ()),
            *_arguments(layer, one),
            "if _traced() or not _derived(*args):",
            f"    return _{one.prefix}(*args)",
            f"return {one.name}.apply(*args)",
        ]
    lines: list[str] = []
    results: list[list[str]] = []
    for one, ys in zip(computed, ("ys", "zs"), strict=False):
        lines += _arguments(layer, one)
        lines.append("plain = _traced() or not _derived(*args)")
        lines.append(f"{ys} = _{one.prefix}(*args) if plain else {one.name}.apply(*args)")
        found = [f"{ys}[{o}]" for o in range(len(layer.target.summands))]
        if one.tying:
            inside = one.tying.ties.layer.target.summands
            found = [parted_axes(y, s) for y, s in zip(found, inside, strict=True)]
        if one.part.folded:
            found = [_unfold(y, s) for y, s in zip(found, layer.target.summands, strict=True)]
        results.append(found)
    return [*lines, f"return {one_tuple(' + '.join(pieces) for pieces in zip(*results, strict=True))}"]


def _arguments(layer: Layer, computed: Computed) -> list[str]:
    """What its functions are called with."""
    arguments = ["*xs"]
    if computed.part.folded:
        arguments = [_fold(f"xs[{i}]", summand) for i, summand in enumerate(layer.source.summands)]
    tying = computed.tying
    if tying:
        inside = tying.ties.layer.source.summands
        xs = arguments if computed.part.folded else [f"xs[{i}]" for i in range(len(inside))]
        arguments = [joined_axes(x, summand) for x, summand in zip(xs, inside, strict=True)]
    packing = computed.packing
    if packing:
        indices = {index for index, _ in packing.indices}
        tensors = [
            f"self.{t}" if t in indices else f"{computed.weight(t)}.to(xs[0].dtype)" for t in packing.function.tensors
        ]
        if tying:
            tensors = [f"self.{t}" if t in indices else t for t in packing.function.tensors]
        call = f"*_{computed.prefix}_pack({', '.join(tensors)})"
        opened = [f"*_{computed.prefix}_pack(", *(f"    {t}," for t in tensors), ")"]
        arguments += [call] if len(call) < 100 else opened
    names = [layer.bias_name(o) for o in bias_names(computed.plan)]
    arguments += names if tying else [f"{computed.weight(name)}.to(xs[0].dtype)" for name in names]
    by_variable = {size_variable(s): f"lengths[{quoted(s)}]" for s in size_names(layer)}
    by_variable |= {count_variable(w.space): f"counts[{quoted(w.space)}]" for w in wires(layer)}
    arguments += [by_variable[extra] for extra in computed.extras]
    body = (f"    {argument}" + ("" if argument.endswith(("(", ",")) else ",") for argument in arguments)
    return [*(tying.compute() if tying else ()), "args = (", *body, ")"]


def _plain(summand: Summand) -> tuple[list[int], list[int]]:
    """Where the plain axes of a tensor are, and where they are beside its channels, counted from the end."""
    m = len(summand.word)
    here = [at - m - 1 for at, wire in enumerate(summand.word) if wire.plain]
    return here, [at - len(here) - 1 for at in range(len(here))]


def _fold(value: str, summand: Summand) -> str:
    """A tensor with its plain axes in the channels: a view where they stand beside them."""
    here, beside = _plain(summand)
    if not here:
        return value
    if here != beside:
        value += f".movedim({one_tuple(map(str, here))}, {one_tuple(map(str, beside))})"
    return f"{value}.flatten({-len(here) - 1})"


def _unfold(value: str, summand: Summand) -> str:
    """The inverse of `_fold`."""
    here, beside = _plain(summand)
    if not here:
        return value
    lengths = [str(wire.group.size) for wire in summand.word if wire.plain]
    value += f".unflatten(-1, {one_tuple((*lengths, str(summand.channels)))})"
    return value if here == beside else f"{value}.movedim({one_tuple(map(str, beside))}, {one_tuple(map(str, here))})"
