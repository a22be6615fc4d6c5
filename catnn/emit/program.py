"""A point-ful network as source: its tensors, its submodules, and its forward, a line a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from catnn.activations import ACTIVATIONS, AXIS_FUNCTIONS
from catnn.category.families import FAMILIES
from catnn.category.scalar import ONE, Scalar
from catnn.category.wires import Summand
from catnn.emit.classes import counted, space_sizes, unmasked, whole
from catnn.emit.contract import Shared, emit_contraction
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
from catnn.emit.network import Axis, Forward, join, made_together, spread_arguments, stage_lines, told_sizes
from catnn.emit.sharing import Sharing, readers
from catnn.emit.tensors import BATCH, CHANNELS, Held, Lines, ordered, released
from catnn.emit.weigh import Weighed, tensor_lines
from catnn.emit.writer import MODULE, Names, one_tuple, quoted, size_parameter
from catnn.hypergraph.box import Box
from catnn.hypergraph.contraction import Contraction, Form, aligned
from catnn.model import Activate, Network
from catnn.plan.contract import plan_contraction, prove_contraction
from catnn.plan.fuse import fused
from catnn.program import Add, Along, Apply, Contract, Program, Run, Step


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
    writer = _Writer(network, program, modules, weighed, shared)
    for name in ("mask", "masks", "sizes", "counts", "batch", "lengths", "device", "dtype", "generator"):
        writer.lines.names.fresh(name)
    arguments = [writer.lines.names.fresh(parameter.name) for parameter in program.parameters]
    writer.begin(arguments)
    plans = fused(program)
    for number, step in enumerate(program.steps):
        writer.step(plans.get(number, step), step)
    results = writer.results()
    sizes = network_sizes(network)
    keywords = [*(f"{size_parameter(s)}=16" for s in sizes), "device=None", "dtype=None", "generator=None"]
    turned = network.is_complex and bool(weighed.setup)  # its layers turn the dtype themselves
    text = [
        f"class {class_name}(_Program):",
        f'    """{network.name}{network.signature}{renamed(network)}."""',
        "",
        *(f"    {line}" for line in _constants(network, program)),
        "",
        f"    def __init__({', '.join(['self', *keywords])}):",
        f"        super().__init__({{{', '.join(f'{quoted(s)}: {size_parameter(s)}' for s in sizes)}}})",
        *(["        dtype = _complex(dtype)"] if turned else []),
        *(f"        {line}" for line in weighed.setup),
        *(f"        {line}" for line in (*made_parts(network, classes), *made_together(network, shared, made))),
    ]
    if weighed.draw:
        text += [
            "        self.draw(generator)",
            "",
            "    def draw(self, generator=None):",
            '        """Draw the boxes anew."""',
        ]
        text += [f"        {line}" for line in weighed.draw]
    again = ["self.draw(generator)"] if weighed.draw else []
    again += [f"self.{modules[id(part)]}.reset_parameters(generator)" for part in parts_of(network) if has_parts(part)]
    if again:
        text += ["", "    def reset_parameters(self, generator=None):", '        """Draw all weights anew."""']
        text += [f"        {line}" for line in again]
    shown = [_shape(summand) for parameter in program.parameters for summand in parameter.type.summands]
    doc = f"{', '.join(shown) or 'nothing'} -> {', '.join(_shape(s) for t in program.targets for s in t.summands)}"
    later = [f"{argument}=None" for argument in arguments[1:]]
    head = ", ".join(["self", *arguments[:1], *later, "mask=None", "sizes=None", "counts=None"])
    text += ["", f"    def forward({head}):", f'        """{doc}; mask: bool (*batch, n), True = real."""']
    text += [f"        {line}".rstrip() for line in released(writer.lines.lines, results)]
    text.append(f"        return {results}")
    return Emitted(
        "\n".join(text) + "\n",
        frozenset({"_Program", "_left", *writer.lines.parts, *weighed.parts, *(["_complex"] if turned else [])}),
    )


def _shape(summand: Summand) -> str:
    sizes = ["*batch", *(str(wire.group.size) for wire, _ in summand.axes), str(summand.channels)]
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
        f"whole = {whole(spaces)}",
        f"counted = {counted(spaces, scalar_sizes(network))}",
    ]
    even = [quoted(wire.space) for wire in spaces if FAMILIES[wire.group.family].step == 2]
    if even:
        lines.append(f"even = {one_tuple(even)}")
    if network.is_complex:
        lines.append("is_complex = True")
    return lines


@dataclass
class _Writer:
    """The forward while it is written: where every value is held."""

    network: Network
    program: Program
    modules: Mapping[int, str]
    weighed: Weighed
    shared_layers: Sharing
    lines: Lines = field(default_factory=Lines)
    held: list[Held] = field(default_factory=list)
    shared: Shared = field(default_factory=Shared)
    squeezed: dict[int, Held] = field(default_factory=dict)
    axes: dict[str | int, Axis] = field(default_factory=dict)
    done: dict[Step, int] = field(default_factory=dict)
    ready: dict[tuple[str, int], str] = field(default_factory=dict)
    arguments: dict[tuple[int, ...], str] = field(default_factory=dict)

    def begin(self, arguments: list[str]) -> None:
        """The inputs, checked and with one batch axis; parameters that are direct sums come apart."""
        given = [
            f"*{name}" if len(parameter.type.summands) > 1 else name
            for name, parameter in zip(arguments, self.program.parameters, strict=True)
        ]
        if len(arguments) > 1:  # all of them as one tuple: a direct sum is one argument
            pieces = spread_arguments(self.program, arguments[0])
            self.lines.lines += [
                f"if {arguments[1]} is None and isinstance({arguments[0]}, tuple):",
                f"    {', '.join(arguments)} = {pieces}",
            ]
        variables: list[str] = []
        for name, parameter in zip(arguments, self.program.parameters, strict=True):
            many = len(parameter.type.summands) > 1
            variables += [self.lines.names.fresh(name) if many else name for _ in parameter.type.summands]
        self.lines.lines.append(
            f"{one_tuple(variables) if variables else '_'}, batch, masks, lengths, counts = "
            f"self.enter({one_tuple(given)}, mask, sizes, counts)"
        )
        for name, summand in zip(variables, self.program.values, strict=False):
            self._hold(name, summand)
            for size, axis in told_sizes(summand, name).items():
                self.axes.setdefault(size, axis)

    def _hold(self, name: str, summand: Summand) -> None:
        self.held.append(Held(name, (BATCH, *range(len(summand.axes)), CHANNELS)))

    # -------------------------------------------------------------------------------------------------------- steps

    def step(self, step: Step | None, written: Step) -> None:
        """The lines of a step; None for one that is computed elsewhere."""
        if step is None:
            self.held.append(Held("", ()))
            return
        key = replace(written, outputs=()) if isinstance(written, Run) else written
        if key in self.done:  # the same on the same values
            self.held += self.held[self.done[key] : self.done[key] + len(written.outputs)]
            return
        self.done[key] = len(self.held)
        wanted = self.program.names[len(self.held)]
        match step:
            case Run():
                self._run(step)
            case Contract():
                self.held.append(self._contract(step, wanted))
            case Along():
                self.held.append(self._along(step, wanted))
            case Add():
                self.held.append(self._add(step, wanted))
            case Apply():
                self.held.append(self._apply(step, wanted))

    def whole(self, value: int, *, spread: bool = False) -> str:
        """The expression of a value as everybody knows it: batch, axes in order, channels."""
        held, summand = self.held[value], self.program.values[value]
        expression = ordered(held, (BATCH, *range(len(summand.axes)), CHANNELS))
        if spread and (len(self.program.parameters) > 1 or BATCH not in held.axes):
            self.lines.parts.add("_all_entries")
            return f"_all_entries({expression}, batch)"
        return expression

    def results(self) -> str:
        """The expression of what is returned."""
        found = []
        for result, target in zip(self.program.results, self.program.targets, strict=True):
            pieces = [self._result(value) for value in result]
            found.append(pieces[0] if len(target.summands) == 1 else f"({', '.join(pieces)})")
        return ", ".join(found)

    def _result(self, value: int) -> str:
        held = self.held[value]
        if not self.program.parameters and BATCH not in held.axes:  # boxes alone
            return ordered(held, (*range(len(self.program.values[value].axes)), CHANNELS))
        return f"_left({self.whole(value)}, batch)"

    def _run(self, step: Run) -> None:
        activation = step.stage
        if isinstance(activation, Activate) and ACTIVATIONS[activation.activation].kind != "norm":
            self._pointwise(activation.activation, step)
            return
        x = self._argument(step.inputs)
        forward = Forward(
            self.network,
            self.modules,
            names=self.lines.names,
            lines=self.lines.lines,
            parts=self.lines.parts,
            lengths="lengths",
            axes=self.axes,
            shared=self.shared_layers,
            ready=self.ready,
        )
        join(forward, readers(self.network)[step.inputs], x)
        result = stage_lines(forward, step.stage, x)
        for at, summand in enumerate(step.outputs):
            self._hold(result if len(step.outputs) == 1 else f"{result}[{at}]", summand)

    def _argument(self, inputs: tuple[int, ...]) -> str:
        """The variable of what a layer or network is called with, made once where several are."""
        if inputs not in self.arguments:
            variables = [self.lines.let("x", self.whole(value, spread=True)) for value in inputs]
            joined = variables[0] if len(variables) == 1 else self.lines.let("x", f"({', '.join(variables)})")
            self.arguments[inputs] = joined
        return self.arguments[inputs]

    def slim(self, value: int) -> Held:
        """A value without the axis of a single channel."""
        held = self.held[value]
        if CHANNELS in held.axes and self.program.values[value].channels == 1:
            if value not in self.squeezed:
                name = self.lines.let("x", f"{held.name}.squeeze({held.at(CHANNELS)})")
                self.squeezed[value] = Held(name, tuple(axis for axis in held.axes if axis != CHANNELS))
            return self.squeezed[value]
        return held

    def _pointwise(self, activation: str, step: Run) -> None:
        function = ACTIVATIONS[activation]
        for value, summand in zip(step.inputs, step.outputs, strict=True):
            held = self.slim(value)
            name = self.lines.let("x", function.torch.format(held.name), activation)
            made = Held(name, held.axes)
            self.held.append(made if function.keeps_zero else self._masked(made, summand))

    def _masked(self, held: Held, summand: Summand) -> Held:
        """A tensor with zeros in its padding again."""
        if all(unmasked(wire) for wire in summand.word):
            return held
        self.lines.parts.add("_kept")
        masks = [
            "None" if axis < 0 or unmasked(summand.word[axis]) else f"masks.get({quoted(summand.word[axis].space)})"
            for axis in held.axes
            if axis != BATCH
        ]
        expression = held.name if BATCH in held.axes else f"{held.name}.unsqueeze(0)"
        axes = held.axes if BATCH in held.axes else (BATCH, *held.axes)
        name = self.lines.let("x", f"{expression} if not masks else _kept({expression}, [{', '.join(masks)}])")
        return Held(name, axes)

    def _along(self, step: Along, wanted: str) -> Held:
        held = self.slim(step.input)
        if BATCH not in held.axes:
            held = Held(self.lines.let("x", f"{held.name}.unsqueeze(0)"), (BATCH, *held.axes))
        part = AXIS_FUNCTIONS[step.function].part
        self.lines.parts.add(part)
        real, axes = "None", tuple(sorted(held.at(axis) for axis in step.axes))
        masked = [(held.at(axis), step.output.word[axis]) for axis in step.axes if not unmasked(step.output.word[axis])]
        if masked:
            self.lines.parts.add("_real")
            pairs = ", ".join(f"({axis}, {quoted(wire.space)})" for axis, wire in masked)
            real = f"_real({held.name}, masks, {one_tuple([pairs]) if len(masked) == 1 else f'({pairs})'})"
        made = Held(self.lines.let(wanted or "x", f"{part}({held.name}, {axes}, {real})", step.function), held.axes)
        padded = step.function == "softmax" and any(not unmasked(one) for one in step.output.word)
        return self._masked(made, step.output) if padded else made

    def _apply(self, step: Apply, wanted: str) -> Held:
        held = self.held[step.input]
        function = self.weighed.maps[step.box]
        if "{" not in function:  # of another package, on the whole tensor
            self.lines.parts.add("_returned")
            x = self.lines.let("x", self.whole(step.input))
            sizes = [wire.group.size for wire in step.output.word]
            shape = [f"{x}.shape[0]", *(s if isinstance(s, int) else f"lengths[{quoted(s)}]" for s in sizes)]
            shown = one_tuple([*map(str, shape), str(step.output.channels)])
            call = f"_returned({quoted(step.box.label)}, {function}({x}), {shown})"
            held = Held(self.lines.let(wanted or "x", call, str(step.output)), (BATCH, *range(len(sizes)), CHANNELS))
        else:
            held = Held(self.lines.let(wanted or "x", function.format(held.name), step.box.label), held.axes)
        return self._masked(held, step.output)

    def _add(self, step: Add, wanted: str) -> Held:
        """A linear combination, in the order of axes of its first term."""
        tensors = [self.slim(value) for _, value in step.terms]
        order = [*max((held.axes for held in tensors), key=len)]
        pieces = []
        for (scalar, _), held in zip(step.terms, tensors, strict=True):
            expression = ordered(held, order)
            pieces.append(self._scaled(scalar, expression, len(order) - 1))
        expression = pieces[0]
        for piece in pieces[1:]:
            expression += f" - {piece[1:]}" if piece.startswith("-") else f" + {piece}"
        return Held(self.lines.let(wanted or "x", expression, "sum" if len(pieces) > 1 else "scaled"), tuple(order))

    def _scaled(self, scalar: Scalar, value: str, axes: int) -> str:
        pieces = []
        for monomial, coefficient in scalar.terms:
            piece = value
            if monomial:
                self.lines.parts.add("_scaled")
                powers = [f"(counts[{quoted(s)}], {e})" for s, e in monomial]
                piece = f"_scaled({value}, {axes}, {', '.join(powers)})"
            if coefficient == -1:
                piece = f"-{piece}"
            elif coefficient != 1:
                number = (
                    str(coefficient) if coefficient.denominator == 1 else f"({str(coefficient).replace('/', ' / ')})"
                )
                piece = f"{number} * {piece}"
            pieces.append(piece)
        if len(pieces) > 1:
            return f"({' + '.join(pieces)})"
        return pieces[0] if pieces else f"0 * {value}"

    # -------------------------------------------------------------------------------------------------- contractions

    def _contract(self, step: Contract, wanted: str) -> Held:
        contraction = self.weighed.ranked(step.contraction)
        names = [self._operand(operand.label, step, operand.axes).name for operand in contraction.operands]
        contraction = aligned(contraction, names)
        operands = [self._operand(operand.label, step, operand.axes) for operand in contraction.operands]
        extra = [tuple(axis for axis in held.axes if axis < 0) for held in operands]
        plan = plan_contraction(contraction, tuple(extra), step.output.channels)
        prove_contraction(plan)
        self.lines.parts.update(self.weighed.used(contraction))
        ones = f"{self.held[0].name}.new_ones" if self.program.parameters else "torch.ones"
        comment = f"{wanted} : {step.output}" if wanted else str(step.output)
        held = emit_contraction(
            plan, operands, self.lines, self.shared, lambda index: self._length(contraction, index), ones, comment
        )
        if contraction.scalar != ONE:
            expression = self._scaled(contraction.scalar, held.name, len(held.axes) - 1)
            held = Held(self.lines.let("z", expression), held.axes)
        return self._masked(held, step.output) if self._uncovered(contraction) else held

    def _operand(self, label: int | Box | Form, step: Contract, indices: tuple[int, ...]) -> Held:
        """An operand with its indices as axes, without the axis of a single channel."""
        if not isinstance(label, int):
            return Held(self.weighed.name(label, self.lines, self.held[0].name if self.held else None), indices)
        held = self.slim(step.inputs[label])
        return Held(held.name, tuple(axis if axis < 0 else indices[axis] for axis in held.axes))

    def _length(self, contraction: Contraction, index: int) -> str:
        size = contraction.wires[index].group.size
        return str(size) if isinstance(size, int) else f"lengths[{quoted(size)}]"

    def _uncovered(self, contraction: Contraction) -> bool:
        """Whether an index of the result is on no value, so that its padding is not 0 by itself."""
        covered = {i for operand in contraction.operands if isinstance(operand.label, int) for i in operand.axes}
        return any(index not in covered and not unmasked(contraction.wires[index]) for index in contraction.target)
