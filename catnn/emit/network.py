"""A network as source: a module of modules, its forward a list of stages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from catnn.activations import ACTIVATIONS
from catnn.category.families import FAMILIES
from catnn.category.scalar import Scalar
from catnn.category.wires import Summand, Type, Wire
from catnn.emit.classes import counted, space_sizes, unmasked, whole
from catnn.emit.layer import Emitted
from catnn.emit.members import (
    has_parts,
    made_parts,
    network_sizes,
    network_spaces,
    parts_of,
    renamed,
    scalar_sizes,
    spaces_of,
    submodules,
    untold,
)
from catnn.emit.sharing import Sharing, flat
from catnn.emit.writer import Names, one_tuple, quoted, size_parameter
from catnn.model import Activate, Apply, Call, Combine, Identity, Layer, Network, Pipeline, Stage
from catnn.program import Program


@dataclass
class Forward:
    """The lines of a forward, and the submodule of every layer and network.

    bare: whether the input is used as it came, its padding too; told: whether a stage must be told sizes; lengths: the
    variable that holds the sizes by name; axes: where the inputs tell sizes.
    """

    network: Network
    modules: Mapping[int, str]
    bare: bool = False
    told: bool = False
    lengths: str = "sizes"
    axes: dict[str | int, Axis] = field(default_factory=dict)
    shared: Sharing = field(default_factory=Sharing)
    ready: dict[tuple[str, int], str] = field(default_factory=dict)
    names: Names = field(default_factory=Names)
    lines: list[str] = field(default_factory=list)
    parts: set[str] = field(default_factory=set)

    def let(self, expression: str, comment: str) -> str:
        name = self.names.fresh("x")
        self.lines.append(f"{name} = {expression}".ljust(46) + f"  # {comment}")
        return name

    def use(self, part: str) -> str:
        """The name of a part, noted so that the file gets it."""
        self.parts.add(part)
        return part


def emit_network(
    network: Network, class_name: str, classes: Mapping[int, str], shared: Sharing, made: Sequence[str]
) -> Emitted:
    """The class of a network; classes: the class name of every layer and network by identity.

    shared: what is computed as one; made: the classes of those.
    """
    modules = submodules(network)
    sizes = network_sizes(network)
    forward = Forward(network, modules, parts={"_masks"}, axes=_axes(network.source), shared=shared)
    forward.names.fresh("x")
    for name in ("mask", "masks", "sizes", "counts"):
        forward.names.fresh(name)
    assert not isinstance(network.body, Program)
    result = stage_lines(forward, network.body, "x")
    given_sizes = ", sizes=None, counts=None" if untold(network) else ""
    parameters = ", ".join(
        ["self", *(f"{size_parameter(s)}=16" for s in sizes), "device=None", "dtype=None", "generator=None"]
    )
    lines = [
        f"class {class_name}(nn.Module):",
        f'    """{network.name} : {network.source} -> {network.target}{renamed(network)}."""',
        "",
        f"    def __init__({parameters}):",
        "        super().__init__()",
        f"        self.sizes = {{{', '.join(f'{quoted(s)}: {size_parameter(s)}' for s in sizes)}}}",
    ]
    lines += [f"        {line}" for line in (*made_parts(network, classes), *made_together(network, shared, made))]
    again = [f"self.{modules[id(part)]}.reset_parameters(generator)" for part in parts_of(network) if has_parts(part)]
    if again:
        lines += ["", "    def reset_parameters(self, generator=None):", '        """Draw all weights anew."""']
        lines += [f"        {line}" for line in again]
    doc = _doc(network.source, network.target)
    lines += ["", f"    def forward(self, x, mask=None{given_sizes}):", f'        """{doc}"""']
    lines += [f"        {line}" for line in _opening(forward)]
    lines += [f"        {line}".rstrip() for line in forward.lines]
    lines.append(f"        return {result}")
    return Emitted("\n".join(lines) + "\n", frozenset(forward.parts))


def _doc(source: Type, target: Type) -> str:
    def shown(side: Type) -> str:
        tensors = (["*batch", *(_length(*axis) for axis in s.axes), str(s.channels)] for s in side.summands)
        return ", ".join(f"({', '.join(tensor)})" for tensor in tensors)

    return f"{shown(source)} -> {shown(target)}; mask: bool (*batch, n), True = real."


def _length(wire: Wire, power: int) -> str:
    """The length of an axis for people: ``n``, or ``Sym^2(n)`` for n(n+1)/2."""
    return str(wire.group.size) if power == 1 else f"Sym^{power}({wire.group.size})"


def stage_lines(forward: Forward, stage: Stage, x: str) -> str:
    """The lines of a stage on an expression: the expression of its result."""
    match stage:
        case Apply(layer):
            return _call(forward, layer, x)
        case Call(network):
            return _call(forward, network, x)
        case Identity():
            forward.bare |= x == "x"
            return x
        case Pipeline():
            stages, at, runs = flat(stage), 0, forward.shared.runs.get(id(stage), {})
            while at < len(stages):
                pair = forward.shared.pair(*stages[at : at + 2]) if at + 1 < len(stages) else None
                if at in runs:
                    x = run_together(forward, runs[at], x)
                    at += len(forward.shared.chain(runs[at]).parts)
                    continue
                x = stage_lines(forward, stages[at], x) if pair is None else _composed(forward, pair, x)
                at += 1 if pair is None else 2
            return x
        case Activate(activation, source):
            return _activate(forward, activation, source, x)
        case Combine(terms):
            return _combine(forward, terms, stage.target, x)


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis that tells the size of a space: of which tensor, where, and which symmetric power is stored there."""

    tensor: str
    axis: int
    space: str
    power: int

    def length(self, forward: Forward) -> str:
        """The size as an expression."""
        found = f"{self.tensor}.shape[{self.axis}]"
        return found if self.power == 1 else f"{forward.use('_side')}({found}, {self.power})"

    def count(self, forward: Forward) -> str:
        """The same where a mask may count less."""
        rest = f"masks, {quoted(self.space)})"
        if self.power == 1:
            return f"{forward.use('_count')}({self.tensor}, {self.axis}, {rest}"
        return f"{forward.use('_count_symmetric')}({self.tensor}, {self.axis}, {self.power}, {rest}"


def told_sizes(summand: Summand, x: str) -> dict[str | int, Axis]:
    """Where a tensor tells sizes; an axis that is no symmetric power does so at once."""
    found: dict[str | int, Axis] = {}
    for at, (wire, power) in enumerate(summand.axes):
        size = wire.group.size
        if size not in found or found[size].power > power:
            found[size] = Axis(x, at - len(summand.axes) - 1, wire.space, power)
    return found


def _axes(source: Type) -> dict[str | int, Axis]:
    """Where an input tells each symbolic size."""
    found: dict[str | int, Axis] = {}
    for summand, x in zip(source.summands, _each(source, "x"), strict=True):
        for size, axis in told_sizes(summand, x).items():
            if isinstance(size, str):
                found.setdefault(size, axis)
    return found


def _opening(forward: Forward) -> list[str]:
    """What comes before the stages: the sizes that some must be told, and zeros in the padding."""
    network = forward.network
    source, spaces = network.source, network_spaces(network)
    named, sizes = quoted(network.name), space_sizes(spaces)
    lines = [f"masks = _masks({named}, mask, {sizes}, {whole(spaces)})"]
    count = f"_counts({named}, masks, {sizes}, {counted(spaces, scalar_sizes(network))})"
    if forward.told:
        given = untold(network)
        known = ["**self.sizes", "**(sizes or {})"] if given else []
        known += [f"{quoted(str(size))}: {axis.length(forward)}" for size, axis in _axes(source).items()]
        lines.append(f"sizes = {{{', '.join(known)}}}")
        more = "**(counts or {}), " if given else ""
        lines.append(f"counts = {{**sizes, {more}**{count}}}")
        forward.use("_counts")
    elif counted(spaces, scalar_sizes(network)) != "{}":
        lines.append(count)
        forward.use("_counts")
    if forward.bare and any(source.words):
        forward.use("_masked")
        pairs = zip(_each(source, "x"), source.summands, strict=True)
        masked = [f"_masked({x}, {_masks(forward, summand)})" if summand.word else x for x, summand in pairs]
        lines.append(f"x = {_joined(masked)}")
    return lines


def _masks(forward: Forward, summand: Summand) -> str:
    """The masks of the axes of a tensor, as an expression."""
    if not summand.word:
        return "[]"
    spaces = one_tuple("None" if wire.plain else quoted(wire.space) for wire, _ in summand.axes)
    if not summand.symmetric:
        return f"{forward.use('_by_space')}(masks, {spaces})"
    powers = one_tuple(str(power) for _, power in summand.axes)
    return f"{forward.use('_by_power')}(masks, {spaces}, {powers})"


def _call(forward: Forward, part: Layer | Network, x: str) -> str:
    if (x, id(part)) in forward.ready:
        return forward.ready[x, id(part)]
    result = forward.let(_called(forward, part, x), str(part.target))
    program = part.program if isinstance(part, Network) else None
    if program is not None and len(program.targets) > 1 and len(part.target.summands) > len(program.targets):
        pieces = [f"*{result}[{at}]" if len(target.summands) > 1 else f"{result}[{at}]"
                  for at, target in enumerate(program.targets)]  # fmt: skip
        return forward.let(f"({', '.join(pieces)})", "side by side")
    return result


def made_together(network: Network, shared: Sharing, made: Sequence[str]) -> list[str]:
    """The line that makes what is computed as one."""
    modules = submodules(network)
    calls = [
        f"{name}({', '.join(f'self.{modules[id(part)]}' for part in virtual.parts)})"
        for name, virtual in zip(made, shared.found, strict=True)
    ]
    return [f"self._together = {one_tuple(calls)}"] if calls else []


def join(forward: Forward, stages: Iterable[Stage], x: str) -> None:
    """The layers with which stages on one tensor begin, computed as one if they are; then their results are ready."""
    stages = list(stages)
    number = forward.shared.group(stages)
    heads = forward.shared.heads(stages)
    if number is None or any((x, id(layer)) in forward.ready for layer in heads):
        return
    names = [forward.names.fresh("x") for _ in heads]
    each = ", ".join(_called(forward, layer, x) for layer in heads)
    line = f"{', '.join(names)} = {_whole(forward, number, x)} else ({each})"
    forward.lines.append(f"{line}  # {', '.join(str(layer.target) for layer in heads)}")
    forward.ready.update(((x, id(layer)), name) for layer, name in zip(heads, names, strict=True))


def _composed(forward: Forward, number: int, x: str) -> str:
    """Two layers one after the other, as one."""
    return forward.let(_either(forward, number, x), str(forward.shared.found[number].layer.target))


def _either(forward: Forward, number: int, x: str) -> str:
    """A fixed diagram and its neighbour as one where they may be, else one after the other."""
    first, second = forward.shared.found[number].parts
    each = _called(forward, second, _called(forward, first, x))
    return f"{_whole(forward, number, x)} else {each}"


def run_together(forward: Forward, number: int, x: str) -> str:
    """Layers one after the other as one where that pays: the variable of the result."""
    chain, name = forward.shared.chain(number), f"self._together[{number}]"
    modules = ", ".join(f"self.{forward.modules[id(part)]}" for part in chain.parts)
    whole = f"{_called(forward, chain.layer, x, name)} if {forward.use('_fuses')}({name}, {x}, masks, {modules})"
    each = x
    for unit in chain.units:
        pair = None if unit.pair is None else forward.shared.found.index(unit.pair)
        each = _called(forward, unit.layer, each) if pair is None else f"({_either(forward, pair, each)})"
    return forward.let(f"{whole} else {each}", str(chain.layer.target))


def _whole(forward: Forward, number: int, x: str) -> str:
    """The call of what is computed as one, where it may be."""
    virtual, name = forward.shared.found[number], f"self._together[{number}]"
    modules = ", ".join(f"self.{forward.modules[id(part)]}" for part in virtual.parts)
    return f"{_called(forward, virtual.layer, x, name)} if {forward.use('_as_made')}({name}, {modules})"


def _called(forward: Forward, part: Layer | Network, x: str, module: str = "") -> str:
    """The call of a part as an expression; module: what is called, its submodule without."""
    told = untold(part)
    forward.told |= told
    own = {wire.space for wire in spaces_of(part)}
    spaces = [wire.space for wire in network_spaces(forward.network) if unmasked(wire) is None]
    masks = "masks"
    if not own.issuperset(spaces):
        forward.use("_own")
        masks = f"_own(masks, {one_tuple(quoted(space) for space in spaces if space in own)})"
    program = part.program if isinstance(part, Network) else None
    arguments = x if program is None else spread_arguments(program, x)
    given = [*([arguments] if arguments else []), masks if program is None else f"mask={masks}"]
    if told:
        given += [forward.lengths, "counts"] if program is None else [f"sizes={forward.lengths}", "counts=counts"]
    return f"{module or f'self.{forward.modules[id(part)]}'}({', '.join(given)})"


def spread_arguments(program: Program, x: str) -> str:
    """The arguments of a point-ful network from the tensors of all its parameters side by side."""
    count = sum(len(parameter.type.summands) for parameter in program.parameters)
    if count <= 1 or len(program.parameters) == 1:
        return x if count else ""
    pieces, start = [], 0
    for parameter in program.parameters:
        width = len(parameter.type.summands)
        pieces.append(f"{x}[{start}]" if width == 1 else f"{x}[{start}:{start + width}]")
        start += width
    return ", ".join(pieces)


def _each(source: Type, x: str) -> list[str]:
    return [x] if len(source.summands) == 1 else [f"{x}[{i}]" for i in range(len(source.summands))]


def _activate(forward: Forward, activation: str, source: Type, x: str) -> str:
    forward.bare |= x == "x"
    results = []
    for summand, value in zip(source.summands, _each(source, x), strict=True):
        metrics = _metrics(summand)
        if activation in ("gate", "norm_relu") and summand.symmetric:
            arguments = [value, _masks(forward, summand), one_tuple(str(power) for _, power in summand.axes)]
            arguments += [one_tuple(metrics)] if metrics else []
            results.append(f"{forward.use(f'_packed_{activation}')}({', '.join(arguments)})")
            continue
        if activation == "gate" and metrics:
            part = forward.use("_metric_gate")
            results.append(f"{part}({value}, {_masks(forward, summand)}, ({', '.join(metrics)},))")
            continue
        if activation in ("gate", "norm_relu"):
            results.append(f"{forward.use(f'_{activation}')}({value}, {_masks(forward, summand)})")
            continue
        result = ACTIVATIONS[activation].torch.format(value)
        if not ACTIVATIONS[activation].keeps_zero and summand.word:
            result = f"{forward.use('_masked')}({result}, {_masks(forward, summand)})"
        results.append(result)
    return forward.let(_joined(results), activation)


def _metrics(summand: Summand) -> list[str]:
    """Each axis with an indefinite form, and how many of its signs are plus."""
    found = []
    for at, (wire, _) in enumerate(summand.axes):
        plus = FAMILIES[wire.group.family].plus
        if plus is not None:
            found.append(f"({at - len(summand.axes) - 1}, {plus})")
    return found


def _combine(forward: Forward, terms: tuple[tuple[Scalar, Stage], ...], target: Type, x: str) -> str:
    join(forward, (inner for _, inner in terms), x)
    values = [(scalar, stage_lines(forward, inner, x)) for scalar, inner in terms]
    results = []
    for at, summand in enumerate(target.summands):
        pieces = []
        for scalar, value in values:
            one = value if len(target.summands) == 1 else f"{value}[{at}]"
            pieces.append(_scale(forward, scalar, one, summand))
        results.append(" + ".join(pieces))
    return forward.let(_joined(results), "sum" if len(values) > 1 else "scaled")


def _scale(forward: Forward, scalar: Scalar, value: str, summand: Summand) -> str:
    told = forward.axes | told_sizes(summand, value)
    pieces = []
    for monomial, coefficient in scalar.terms:
        powers = []
        for size, exponent in monomial:
            if size in told:
                powers.append(f"({told[size].count(forward)}, {exponent})")
            else:
                forward.told = True
                powers.append(f"(counts[{quoted(size)}], {exponent})")
        piece = value
        if powers:
            piece = f"{forward.use('_scaled')}({value}, {len(summand.axes) + 1}, {', '.join(powers)})"
        if coefficient == -1:
            piece = f"-{piece}"
        elif coefficient != 1:
            number = str(coefficient) if coefficient.denominator == 1 else f"({str(coefficient).replace('/', ' / ')})"
            piece = f"{number} * {piece}"
        pieces.append(piece)
    return " + ".join(pieces) or f"0 * {value}"


def _joined(results: list[str]) -> str:
    return results[0] if len(results) == 1 else f"({', '.join(results)})"
