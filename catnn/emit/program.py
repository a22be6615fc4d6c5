"""A point-ful network as source: its tensors, its submodules, and its forward, a line a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from catnn.category.families import FAMILIES
from catnn.category.wires import Summand
from catnn.emit.classes import counted, space_sizes, stated, whole
from catnn.emit.layer import Emitted
from catnn.emit.members import (
    OWN,
    has_parts,
    made_parts,
    network_sizes,
    network_spaces,
    parts_of,
    renamed,
    scalar_sizes,
    submodules,
)
from catnn.emit.network import made_together
from catnn.emit.sharing import Sharing
from catnn.emit.steps import Writer, powers
from catnn.emit.tensors import released, renamed_in
from catnn.emit.weigh import tensor_lines
from catnn.emit.writer import MODULE, Names, one_tuple, quoted, size_parameter
from catnn.model import Network
from catnn.plan.fuse import fused
from catnn.program import Program, Run


def emit_program(
    network: Network, class_name: str, classes: Mapping[int, str], imports: Mapping[str, str], shared: Sharing,
    made: Sequence[str],
) -> Emitted:  # fmt: skip
    """The class of a point-ful network.

    classes: the class name of every layer and network by identity; imports: what functions of other packages are
    called, by their import paths; shared: what is computed as one; made: the classes of those.
    """
    program = network.program
    assert program is not None
    modules = submodules(network)
    weighed = tensor_lines(program, Names([*MODULE, *OWN, *modules.values()]), imports)
    writer = Writer(network, program, modules, weighed, shared)
    for name in ("mask", "masks", "sizes", "counts", "batch", "lengths", "device", "dtype", "generator"):
        writer.lines.names.fresh(name)
    arguments = [writer.lines.names.own(parameter.name) for parameter in program.parameters]
    forward = _forward(writer, arguments)
    turned = network.is_complex and bool(weighed.setup)  # its layers turn the dtype themselves
    again = ["self.draw(generator)"] if weighed.draw else []
    again += [f"self.{modules[id(part)]}.reset_parameters(generator)" for part in parts_of(network) if has_parts(part)]
    setup = [
        *(["dtype = _complex(dtype)"] if turned else []),
        *weighed.setup,
        *made_parts(network, classes),
        *made_together(network, shared, made),
        *(["self.draw(generator)"] if weighed.draw else []),
    ]
    text = [
        f"class {class_name}(_Program):",
        f'    """{network.name}{network.signature}{renamed(network)}."""',
        "",
        *(f"    {line}" for line in _constants(network, program)),
        "",
        *_init(network, setup),
        *_drawing("draw", "Draw the boxes anew.", weighed.draw),
        *_drawing("reset_parameters", "Draw all weights anew.", again),
        "",
        *forward,
    ]
    return Emitted(
        "\n".join(text) + "\n",
        frozenset({"_Program", "_left", *writer.lines.parts, *weighed.parts, *(["_complex"] if turned else [])}),
    )


def _init(network: Network, setup: Sequence[str]) -> list[str]:
    """The method that makes what a network holds, by these statements."""
    sizes = network_sizes(network)
    keywords = [*(f"{size_parameter(s)}=16" for s in sizes), "device=None", "dtype=None", "generator=None"]
    return [
        f"    def __init__({', '.join(['self', *keywords])}):",
        f"        super().__init__({{{', '.join(f'{quoted(s)}: {size_parameter(s)}' for s in sizes)}}})",
        *(f"        {line}" for line in setup),
    ]


def _drawing(name: str, doc: str, lines: Sequence[str]) -> list[str]:
    """A method that draws, by these statements; nothing where there are none."""
    if not lines:
        return []
    return [
        "",
        f"    def {name}(self, generator=None):",
        f'        """{doc}"""',
        *(f"        {line}" for line in lines),
    ]


def _forward(writer: Writer, arguments: list[str]) -> list[str]:
    """The method that runs the steps."""
    program = writer.program
    writer.begin(arguments)
    plans = fused(program)
    for number, step in enumerate(program.steps):
        writer.call(number, step) if isinstance(step, Run) else writer.step(plans.get(number, step), step)
    results = writer.results()
    names = writer.last_names()
    results, *lines = [renamed_in(line, names) for line in (results, *writer.lines.lines)]
    shown = [_shape(summand) for parameter in program.parameters for summand in parameter.type.summands]
    doc = f"{', '.join(shown) or 'nothing'} -> {', '.join(_shape(s) for t in program.targets for s in t.summands)}"
    later = [f"{argument}=None" for argument in arguments[1:]]
    head = ", ".join(["self", *arguments[:1], *later, "mask=None", "sizes=None", "counts=None"])
    return [
        f"    def forward({head}):",
        f'        """{doc}; mask: bool (*batch, n), True = real."""',
        *(f"        {line}".rstrip() for line in released(lines, results)),
        f"        return {results}",
    ]


def _shape(summand: Summand) -> str:
    axes = ((str(wire.group.size), power) for wire, power in summand.axes)
    sizes = ["*batch", *(s if power == 1 else f"Sym^{power} {s}" for s, power in axes), str(summand.channels)]
    return f"({', '.join(sizes)})"


def _constants(network: Network, program: Program) -> list[str]:
    """The class attributes: the name in messages, and the shapes of the inputs."""
    summands = [s for parameter in program.parameters for s in parameter.type.summands]
    spaces = network_spaces(network)
    shapes = (f"({one_tuple(quoted(w.space) for w in s.word)}, {s.channels})" for s in summands)
    lines = [
        f"label = {quoted(network.name)}",
        f"inputs = {one_tuple(shapes)}",
        f"space_sizes = {space_sizes(spaces)}",
        *stated(whole=whole(spaces), counted=counted(spaces, scalar_sizes(network))),
    ]
    if any(s.symmetric for s in summands):
        lines.append(f"powers = {one_tuple(powers(s) for s in summands)}")
    even = [quoted(wire.space) for wire in spaces if FAMILIES[wire.group.family].step == 2]
    if even:
        lines.append(f"even = {one_tuple(even)}")
    if network.is_complex:
        lines.append("is_complex = True")
    return lines
