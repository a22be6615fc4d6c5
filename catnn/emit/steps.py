"""The forward of a point-ful network while it is written: a line a step, each value under its name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice

from catnn.activations import ACTIVATIONS, AXIS_FUNCTIONS
from catnn.category.scalar import ONE
from catnn.category.wires import Summand
from catnn.emit.classes import unmasked
from catnn.emit.contract import Shared, emit_contraction
from catnn.emit.network import Axis, Forward, join, run_together, spread_arguments, stage_lines, told_sizes
from catnn.emit.sharing import Sharing, readers
from catnn.emit.tensors import BATCH, CHANNELS, NAME, Held, Lines, ordered, scaled
from catnn.emit.weigh import Weighed
from catnn.emit.writer import one_tuple, quoted
from catnn.hypergraph.box import Box
from catnn.hypergraph.contraction import Contraction, Form, aligned
from catnn.model import Activate, Network, Stage
from catnn.plan.contract import plan_contraction, prove_contraction
from catnn.plan.orders import operand_keys, symmetric_axes
from catnn.program import Add, Along, Apply, Contract, Program, Run, Step, renumbered

TEMPORARY = re.compile(r"[xz](_[0-9]+)?\Z")
"""What is computed on the way, between the values that a user named."""


def powers(summand: Summand) -> str:
    """The symmetric power that is stored at each axis, as Python."""
    return one_tuple(str(power) for _, power in summand.axes)


@dataclass
class Writer:
    """The forward while it is written: where every value is held."""

    network: Network
    program: Program
    modules: Mapping[int, str]
    weighed: Weighed
    shared_layers: Sharing
    lines: Lines = field(default_factory=Lines)
    held: list[Held] = field(default_factory=list)
    shared: Shared = field(default_factory=Shared)
    squeezed: dict[Held, Held] = field(default_factory=dict)
    closed: dict[str, str] = field(default_factory=dict)
    axes: dict[str | int, Axis] = field(default_factory=dict)
    done: dict[Step, int] = field(default_factory=dict)
    ready: dict[tuple[str, int], str] = field(default_factory=dict)
    arguments: dict[tuple[int, ...], str] = field(default_factory=dict)
    finals: dict[int, str] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)

    @cached_property
    def readers(self) -> Mapping[object, list[Stage]]:
        """The stages that read one tensor."""
        return readers(self.network)

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
        inputs = one_tuple(given)
        if any(summand.symmetric for parameter in self.program.parameters for summand in parameter.type.summands):
            self.lines.parts.add("_unpacked")
            inputs = f"_unpacked(self, {inputs})"
        self.lines.lines.append(
            f"{one_tuple(variables) if variables else '_'}, batch, masks, lengths, counts = "
            f"self.enter({inputs}, mask, sizes, counts)"
        )
        for name, summand in zip(variables, self.program.values, strict=False):
            self._hold(name, summand)
            for size, axis in told_sizes(Summand(summand.word, summand.channels), name).items():
                self.axes.setdefault(size, axis)
        for value in range(len(variables), len(self.program.values)):
            if name := self.program.names[value]:
                self.finals[value] = self.lines.names.own(name)
        for value in (value for result in self.program.results for value in result):
            if value >= len(variables) and value not in self.finals:
                self.finals[value] = self.lines.names.fresh("y")

    def _hold(self, name: str, summand: Summand) -> None:
        """A tensor that is there; symmetric powers are whole tensors inside."""
        self.held.append(Held(name, (BATCH, *range(len(summand.word)), CHANNELS)))

    # -------------------------------------------------------------------------------------------------------- steps

    def step(self, step: Step | None, written: Step) -> None:
        """The lines of a step; None for one that is computed elsewhere."""
        if step is None:
            self.held.append(Held("", ()))
            return
        key = renumbered(written, self.first)
        if key in self.done:  # the same on the same values
            self.held += self.held[self.done[key] : self.done[key] + len(written.outputs)]
            return
        self.done[key] = len(self.held)
        made, before = len(self.held), len(self.lines.lines)
        match step:
            case Run():
                self._run(step)
            case Contract():
                self.held.append(self._contract(step))
            case Along():
                self.held.append(self._along(step))
            case Add():
                self.held.append(self._add(step))
            case Apply():
                self.held.append(self._apply(step))
        self._named(made, before)

    def first(self, value: int) -> int:
        """The first value that is the tensor of this one: what is equal was made once."""
        return self.held.index(self.held[value]) if self.held[value].name else value

    def call(self, number: int, step: Run) -> None:
        """The lines of a call; where several run as one, the last of them has what comes out."""
        if number in self.shared_layers.inside:
            self.held += [Held("", ()) for _ in step.outputs]
            return
        if number not in self.shared_layers.ends:
            self.step(step, step)
            return
        chain, steps = self.shared_layers.ends[number]
        opening = self.program.steps[steps[0]]
        first, before = len(self.held), len(self.lines.lines)
        result = run_together(self._forward(), chain, self._argument(opening.inputs))
        self._made(step, result)
        self._named(first, before)

    def _named(self, first: int, before: int) -> None:
        """Give what a step has made the names that the user gave; first, before: the values and lines there were."""
        wanted = [self.finals.get(value) for value in range(first, len(self.held))]
        made = [self.held[value].name for value in range(first, len(self.held))]
        if len(made) > 1 and any(wanted):
            together = made[0].partition("[")[0]
            if any(name != f"{together}[{at}]" for at, name in enumerate(made)):
                return
            names = [name or self.lines.names.fresh("x") for name in wanted]
            self.lines.lines.append(f"{', '.join(names)} = {together}")
            for at, name in enumerate(names):
                self.held[first + at] = replace(self.held[first + at], name=name)
        elif len(made) == 1 and wanted[0] and made[0].isidentifier() and not self._was_there(made[0], first, before):
            self.renamed.setdefault(made[0], wanted[0])

    def _was_there(self, name: str, values: int, lines: int) -> bool:
        """Whether a variable was there when there were so many values and lines."""
        before = islice(self.lines.lines, lines)
        return any(one.name == name for one in islice(self.held, values)) or any(
            line.startswith(f"{name} = ") for line in before)  # fmt: skip

    def last_names(self) -> dict[str, str]:
        """What variables are called in the end: as the user called them, the others numbered anew."""
        made = [line.partition(" = ")[0] for line in self.lines.lines]
        own = {*self.finals.values(), *self.renamed}
        others = [name for name in dict.fromkeys(made) if TEMPORARY.match(name) and name not in own]
        self.lines.names.release([*others, *self.renamed])
        return self.renamed | {name: self.lines.names.fresh(name[0]) for name in others}

    def whole(self, value: int, *, spread: bool = False) -> str:
        """The expression of a value as everybody knows it: batch, axes in order, channels."""
        held, summand = self.held[value], self.program.values[value]
        expression = ordered(held, (BATCH, *range(len(summand.word)), CHANNELS))
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
        used = Counter(name for line in (*self.lines.lines, *found) for name in NAME.findall(line))
        idle = [one for one in self.closed if used[one] == 1]  # opened, and then used as it came alone
        self.lines.lines[:] = [line for line in self.lines.lines if line.partition(" = ")[0] not in idle]
        return ", ".join(found)

    def _result(self, value: int) -> str:
        held = self.held[value]
        if not self.program.parameters and BATCH not in held.axes:  # boxes alone
            return ordered(held, (*range(len(self.program.values[value].word)), CHANNELS))
        return f"_left({self.packed(value, self.whole(value))}, batch)"

    def packed(self, value: int, expression: str) -> str:
        """A value as everybody but this forward has it, its symmetric powers packed."""
        summand = self.program.values[value]
        if not summand.symmetric:
            return expression
        if self.held[value].name in self.closed:  # as it came
            return self.closed[self.held[value].name]
        self.lines.parts.add("_closed")
        return f"_closed({expression}, {powers(summand)})"

    def _run(self, step: Run) -> None:
        activation = step.stage
        if isinstance(activation, Activate) and ACTIVATIONS[activation.activation].kind != "norm":
            self._pointwise(activation.activation, step)
            return
        x, forward = self._argument(step.inputs), self._forward()
        join(forward, self.readers[step.inputs], x)
        self._made(step, stage_lines(forward, step.stage, x))

    def _forward(self) -> Forward:
        return Forward(
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

    def _made(self, step: Run, result: str) -> None:
        for at, summand in enumerate(step.outputs):
            one = result if len(step.outputs) == 1 else f"{result}[{at}]"
            if summand.symmetric:
                self.lines.parts.add("_opened")
                came, one = one, self.lines.let("x", f"_opened(self, 0, {one}, {powers(summand)})")
                self.closed[one] = came
            self._hold(one, summand)

    def _argument(self, inputs: tuple[int, ...]) -> str:
        """The variable of what a layer or network is called with, made once where several are."""
        if inputs not in self.arguments:
            whole = [self.packed(value, self.whole(value, spread=True)) for value in inputs]
            variables = [self.lines.let("x", expression) for expression in whole]
            joined = variables[0] if len(variables) == 1 else self.lines.let("x", f"({', '.join(variables)})")
            self.arguments[inputs] = joined
        return self.arguments[inputs]

    def slim(self, value: int) -> Held:
        """A value without the axis of a single channel."""
        held = self.held[value]
        if CHANNELS in held.axes and self.program.values[value].channels == 1:
            if held not in self.squeezed:
                name = self.lines.let("x", f"{held.name}.squeeze({held.at(CHANNELS)})")
                self.squeezed[held] = Held(name, tuple(axis for axis in held.axes if axis != CHANNELS))
            return self.squeezed[held]
        return held

    def _pointwise(self, activation: str, step: Run) -> None:
        function = ACTIVATIONS[activation]
        for value, summand in zip(step.inputs, step.outputs, strict=True):
            held = self.slim(value)
            name = self.lines.let("x", function.torch.format(held.name), str(summand))
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

    def _along(self, step: Along) -> Held:
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
        made = Held(self.lines.let("x", f"{part}({held.name}, {axes}, {real})", str(step.output)), held.axes)
        padded = step.function == "softmax" and any(not unmasked(one) for one in step.output.word)
        return self._masked(made, step.output) if padded else made

    def _apply(self, step: Apply) -> Held:
        held = self.held[step.input]
        function = self.weighed.maps[step.box]
        if "{" not in function:  # of another package, on the whole tensor
            self.lines.parts.add("_returned")
            x = self.lines.let("x", self.whole(step.input))
            sizes = [wire.group.size for wire in step.output.word]
            shape = [f"{x}.shape[0]", *(s if isinstance(s, int) else f"lengths[{quoted(s)}]" for s in sizes)]
            shown = one_tuple([*map(str, shape), str(step.output.channels)])
            call = f"_returned({quoted(step.box.label)}, {function}({x}), {shown})"
            held = Held(self.lines.let("x", call, str(step.output)), (BATCH, *range(len(sizes)), CHANNELS))
        else:
            held = Held(self.lines.let("x", function.format(held.name), str(step.output)), held.axes)
        return self._masked(held, step.output)

    def _add(self, step: Add) -> Held:
        """A linear combination, in the order of axes of its first term."""
        tensors = [self.slim(value) for _, value in step.terms]
        order = [*max((held.axes for held in tensors), key=len)]
        if together := self._with_product(step, tensors):
            return Held(self.lines.let("x", together, str(step.output)), tuple(order))
        pieces = []
        for (scalar, _), held in zip(step.terms, tensors, strict=True):
            expression = ordered(held, order)
            pieces.append(scaled(self.lines, scalar, expression, len(order) - 1))
        expression = pieces[0]
        for piece in pieces[1:]:
            expression += f" - {piece[1:]}" if piece.startswith("-") else f" + {piece}"
        return Held(self.lines.let("x", expression, str(step.output)), tuple(order))

    def _with_product(self, step: Add, tensors: list[Held]) -> str:
        """The sum of a tensor and the product of two matrices as one expression, if it is such a sum.

        The product is of boxes, one for the whole batch, and used nowhere else.
        """
        if [scalar for scalar, _ in step.terms] != [ONE, ONE]:
            return ""
        for held, (_, value), other in zip(tensors, step.terms, reversed(tensors), strict=True):
            factors = self.shared.matrices.get(held.name)
            if factors is None or other.axes != (BATCH, *held.axes) or not self._used_once(value):
                continue
            line = next(line for line in self.lines.lines if line.startswith(f"{held.name} = "))
            self.lines.lines.remove(line)
            self.shared.forget(held.name)
            self.lines.parts.add("_added")
            return f"_added({other.name}, {factors[0]}, {factors[1]})"
        return ""

    def _used_once(self, value: int) -> bool:
        """Whether a value is used by one step alone, and no other is the same tensor."""
        uses = [used for step in self.program.steps for used in step.inputs]
        uses += [used for result in self.program.results for used in result]
        alike = sum(held.name == self.held[value].name for held in self.held)
        return uses.count(value) == alike == 1 and self.program.steps.count(self._maker(value)) == 1

    def _maker(self, value: int) -> Step:
        made = len(self.program.values) - sum(len(step.outputs) for step in self.program.steps)
        for step in self.program.steps:
            made += len(step.outputs)
            if value < made:
                return step
        raise AssertionError(value)

    # -------------------------------------------------------------------------------------------------- contractions

    def _contract(self, step: Contract) -> Held:
        contraction = self.weighed.ranked(step.contraction)
        keys = operand_keys(contraction, [*map(self.first, step.inputs)])
        contraction = aligned(contraction, keys, symmetric_axes(step, self.program))
        operands = [self._operand(operand.label, step, operand.axes) for operand in contraction.operands]
        extra = [tuple(axis for axis in held.axes if axis < 0) for held in operands]
        plan = plan_contraction(contraction, tuple(extra), step.output.channels)
        prove_contraction(plan)
        self.lines.parts.update(self.weighed.used(contraction))
        ones = f"{self.held[0].name}.new_ones" if self.program.parameters else "torch.ones"
        comment = str(step.output)
        held = emit_contraction(
            plan, operands, self.lines, self.shared, lambda index: self._length(contraction, index), ones, comment
        )
        if contraction.scalar != ONE:
            expression = scaled(self.lines, contraction.scalar, held.name, len(held.axes) - 1)
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
