"""A network as source: a module of modules, its forward a list of stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from catnn.activations import ACTIVATIONS
from catnn.category.families import FAMILIES
from catnn.category.scalar import Scalar
from catnn.category.wires import Summand, Type, Wire
from catnn.emit.classes import size_names
from catnn.emit.layer import Emitted
from catnn.emit.writer import MODULE, Names, one_tuple, quoted, size_parameter
from catnn.model import Activate, Apply, Call, Combine, Identity, Layer, Network, Pipeline, Stage


@dataclass
class _Forward:
    """The lines of a forward, and the submodule of every layer and network.

    bare: whether the input is used as it came, its padding too; told: whether a stage must be told sizes.
    """

    network: Network
    modules: Mapping[int, str]
    bare: bool = False
    told: bool = False
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


def network_sizes(network: Network) -> tuple[str, ...]:
    """The symbolic sizes of a network: of all its layers, then of its own type."""
    sizes = dict.fromkeys(size for layer in network.layers for size in size_names(layer))
    for called in network.networks:
        sizes.update(dict.fromkeys(network_sizes(called)))
    for stage in _scales(network.body):
        sizes.update(dict.fromkeys(name for monomial, _ in stage.terms for name, _ in monomial))
    words = network.source.words + network.target.words
    own = [wire.group.size for word in words for wire in word]
    sizes.update(dict.fromkeys(size for size in own if isinstance(size, str)))
    return tuple(sizes)


def _scales(stage: Stage) -> list[Scalar]:
    found: list[Scalar] = []
    pending = [stage]
    while pending:
        top = pending.pop()
        if isinstance(top, Combine):
            found.extend(scalar for scalar, _ in top.terms)
            pending.extend(inner for _, inner in top.terms)
        elif isinstance(top, Pipeline):
            pending.extend(top.stages)
    return found


def emit_network(network: Network, class_name: str, classes: Mapping[int, str]) -> Emitted:
    """The class of a network; classes: the class name of every layer and network by identity."""
    names = Names(MODULE)
    items: list[Layer | Network] = [*network.layers, *network.networks]
    parts = {id(p): p for p in items}
    modules = {key: names.fresh(p.name.replace(".", "_")) for key, p in parts.items()}
    sizes = network_sizes(network)
    forward = _Forward(network, modules)
    forward.names.fresh("x")
    forward.names.fresh("mask")
    forward.names.fresh("sizes")
    result = _stage(forward, network.body, "x")
    given_sizes = ", sizes=None" if untold(network) else ""
    parameters = ", ".join(
        ["self", *(f"{size_parameter(s)}=16" for s in sizes), "device=None", "dtype=None", "generator=None"]
    )
    lines = [
        f"class {class_name}(nn.Module):",
        f'    """{network.name} : {network.source} -> {network.target}."""',
        "",
        f"    def __init__({parameters}):",
        "        super().__init__()",
        f"        self.sizes = {{{', '.join(f'{quoted(s)}: {size_parameter(s)}' for s in sizes)}}}",
    ]
    for key, part in parts.items():
        own = size_names(part) if isinstance(part, Layer) else network_sizes(part)
        given = ", ".join([*(f"{size_parameter(s)}={size_parameter(s)}" for s in own), *KEYWORDS])
        lines.append(f"        self.{modules[key]} = {classes[key]}({given})")
    if parts:
        lines += ["", "    def reset_parameters(self, generator=None):", '        """Draw all weights anew."""']
        lines += [f"        self.{modules[key]}.reset_parameters(generator)" for key in parts if _has_parts(parts[key])]
        if lines[-1].endswith('"""'):
            del lines[-3:]
    doc = _doc(network.source, network.target)
    lines += ["", f"    def forward(self, x, mask=None{given_sizes}):", f'        """{doc}"""']
    lines += [f"        {line}" for line in _opening(forward)]
    lines += [f"        {line}".rstrip() for line in forward.lines]
    lines.append(f"        return {result}")
    return Emitted("\n".join(lines) + "\n", frozenset(forward.parts))


def _has_parts(item: Layer | Network) -> bool:
    """Whether its class has `reset_parameters`: a layer always, a network where any layer is in it."""
    return isinstance(item, Layer) or any(True for _ in item.layers) or any(_has_parts(n) for n in item.networks)


KEYWORDS = ("device=device", "dtype=dtype", "generator=generator")


def _doc(source: Type, target: Type) -> str:
    def shown(side: Type) -> str:
        tensors = (["*batch", *(_length(*axis) for axis in s.axes), str(s.channels)] for s in side.summands)
        return ", ".join(f"({', '.join(tensor)})" for tensor in tensors)

    return f"{shown(source)} -> {shown(target)}; mask: bool (*batch, n), True = real."


def _length(wire: Wire, power: int) -> str:
    """The length of an axis for people: ``n``, or ``Sym^2(n)`` for n(n+1)/2."""
    return str(wire.group.size) if power == 1 else f"Sym^{power}({wire.group.size})"


def _stage(forward: _Forward, stage: Stage, x: str) -> str:
    match stage:
        case Apply(layer):
            return _call(forward, layer, x)
        case Call(network):
            return _call(forward, network, x)
        case Identity():
            forward.bare |= x == "x"
            return x
        case Pipeline(stages):
            for inner in stages:
                x = _stage(forward, inner, x)
            return x
        case Activate(activation, source):
            return _activate(forward, activation, source, x)
        case Combine(terms):
            return _combine(forward, terms, stage.target, x)


def untold(item: Layer | Network) -> bool:
    """Whether an item has sizes that its input does not tell, so that whoever calls it had better."""
    sizes = size_names(item) if isinstance(item, Layer) else network_sizes(item)
    return not set(sizes) <= {wire.group.size for word in item.source.words for wire in word}


@dataclass(frozen=True, slots=True)
class _Axis:
    """An axis that tells the size of a space: of which tensor, where, and which symmetric power is stored there."""

    tensor: str
    axis: int
    space: str
    power: int

    def length(self, forward: _Forward) -> str:
        """The size as an expression."""
        found = f"{self.tensor}.shape[{self.axis}]"
        return found if self.power == 1 else f"{forward.use('_side')}({found}, {self.power})"

    def count(self, forward: _Forward) -> str:
        """The same where a mask may count less."""
        rest = f"mask, {quoted(self.space)})"
        if self.power == 1:
            return f"{forward.use('_count')}({self.tensor}, {self.axis}, {rest}"
        return f"{forward.use('_count_symmetric')}({self.tensor}, {self.axis}, {self.power}, {rest}"


def _told(summand: Summand, x: str) -> dict[str | int, _Axis]:
    """Where a tensor tells sizes; an axis that is no symmetric power does so at once."""
    found: dict[str | int, _Axis] = {}
    for at, (wire, power) in enumerate(summand.axes):
        size = wire.group.size
        if size not in found or found[size].power > power:
            found[size] = _Axis(x, at - len(summand.axes) - 1, wire.space, power)
    return found


def _axes(source: Type) -> dict[str | int, _Axis]:
    """Where an input tells each symbolic size."""
    found: dict[str | int, _Axis] = {}
    for summand, x in zip(source.summands, _each(source, "x"), strict=True):
        for size, axis in _told(summand, x).items():
            if isinstance(size, str):
                found.setdefault(size, axis)
    return found


def _opening(forward: _Forward) -> list[str]:
    """What comes before the stages: the sizes that some must be told, and zeros in the padding."""
    lines, source = [], forward.network.source
    if forward.told:
        known = ["**self.sizes", "**(sizes or {})"] if untold(forward.network) else []
        known += [f"{quoted(str(size))}: {axis.length(forward)}" for size, axis in _axes(source).items()]
        lines.append(f"sizes = {{{', '.join(known)}}}")
    if forward.bare and any(source.words):
        forward.use("_masked")
        pairs = zip(_each(source, "x"), source.summands, strict=True)
        masked = [f"_masked({x}, {_masks(forward, summand)})" if summand.word else x for x, summand in pairs]
        lines.append(f"x = {_joined(masked)}")
    return lines


def _masks(forward: _Forward, summand: Summand) -> str:
    """The masks of the axes of a tensor, as an expression."""
    if not summand.word:
        return "[]"
    spaces = one_tuple(quoted(wire.space) for wire, _ in summand.axes)
    if not summand.symmetric:
        return f"{forward.use('_by_space')}(mask, {spaces})"
    powers = one_tuple(str(power) for _, power in summand.axes)
    return f"{forward.use('_by_power')}(mask, {spaces}, {powers})"


def _call(forward: _Forward, part: Layer | Network, x: str) -> str:
    told = untold(part)
    forward.told |= told
    return forward.let(f"self.{forward.modules[id(part)]}({x}, mask{', sizes' if told else ''})", str(part.target))


def _each(source: Type, x: str) -> list[str]:
    return [x] if len(source.summands) == 1 else [f"{x}[{i}]" for i in range(len(source.summands))]


def _activate(forward: _Forward, activation: str, source: Type, x: str) -> str:
    forward.bare |= x == "x"
    results = []
    for summand, value in zip(source.summands, _each(source, x), strict=True):
        metrics = _metrics(summand)
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


def _combine(forward: _Forward, terms: tuple[tuple[Scalar, Stage], ...], target: Type, x: str) -> str:
    values = [(scalar, _stage(forward, inner, x)) for scalar, inner in terms]
    results = []
    for at, summand in enumerate(target.summands):
        pieces = []
        for scalar, value in values:
            one = value if len(target.summands) == 1 else f"{value}[{at}]"
            pieces.append(_scale(forward, scalar, one, summand))
        results.append(" + ".join(pieces))
    return forward.let(_joined(results), "sum" if len(values) > 1 else "scaled")


def _scale(forward: _Forward, scalar: Scalar, value: str, summand: Summand) -> str:
    told = _axes(forward.network.source) | _told(summand, value)
    pieces = []
    for monomial, coefficient in scalar.terms:
        powers = []
        for size, exponent in monomial:
            if size in told:
                powers.append(f"({told[size].count(forward)}, {exponent})")
            else:
                forward.told = True
                powers.append(f"(sizes[{quoted(size)}], {exponent})")
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
