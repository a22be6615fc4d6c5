"""Programs, the bodies of point-ful networks, as plain data, and back; what is read is checked as it was made.

`catnn.view.json` says what the data look like.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from keyword import iskeyword
from math import prod
from typing import Any

from catnn.activations import AXIS_FUNCTIONS, MAPS
from catnn.category.wires import Summand, Word
from catnn.hypergraph.box import Box
from catnn.hypergraph.contraction import Contraction, Form, Operand
from catnn.model import Call, Stage
from catnn.program import Add, Along, Apply, Constant, Contract, Parameter, Program, Run, Step, Tensor
from catnn.view.programs import pattern
from catnn.view.refusal import refuse
from catnn.view.scalars import read_scalar_data, scalar_data
from catnn.view.types import (
    Data,
    Spaces,
    Wires,
    read_box_data,
    read_index,
    read_row,
    read_summand,
    read_type,
    read_word,
)

NUMBERS = ("<i8", "<f8")
"""How the numbers of a constant may lie in its bytes."""
FORMS = {"epsilon": None, "omega": 2, "metric": 2}
"""The constants of groups, and how many axes they have; an epsilon has as many as its group is large."""

# ---------------------------------------------------------------------------------------------------------- writing


def program_data(program: Program, spaces: Spaces, stage: Callable[[Stage], Data]) -> Data:
    """A program as plain data; stage: how the stage of a `Run` is written."""
    boxes: dict[Box, int] = {box: at for at, (box, _) in enumerate(program.tensors)}
    parameters = [{"name": p.name, "type": spaces.type(p.type)} for p in program.parameters]
    steps = [_step(step, boxes, spaces, stage) for step in program.steps]
    tensors = [_tensor(tensor) for _, tensor in program.tensors]
    return {
        "parameters": parameters,
        "boxes": [spaces.box(box) for box in boxes],
        "tensors": tensors,
        "steps": steps,
        "results": [list(result) for result in program.results],
        "targets": [spaces.type(target) for target in program.targets],
        "names": list(program.names),
    }


def _step(step: Step, boxes: dict[Box, int], spaces: Spaces, stage: Callable[[Stage], Data]) -> Data:
    ends = {"inputs": list(step.inputs), "outputs": [spaces.summand(summand) for summand in step.outputs]}
    match step:
        case Run():
            return {"run": stage(step.stage), **ends}
        case Contract(contraction=found):
            what: Data = {
                "pattern": pattern(found),
                "operands": [_operand(operand, boxes) for operand in found.operands],
                "target": list(found.target),
                "wires": spaces.word(found.wires),
                "scalar": scalar_data(found.scalar),
            }
            return {"contract": what, **ends}
        case Along():
            return {"along": step.function, "axes": list(step.axes), **ends}
        case Apply(box=box):
            return {"map": boxes.setdefault(box, len(boxes)), **ends}
        case Add(terms=terms):
            return {"add": [scalar_data(coefficient) for coefficient, _ in terms], **ends}


def _operand(operand: Operand, boxes: dict[Box, int]) -> Data:
    axes = {"axes": list(operand.axes)}
    match operand.label:
        case int(value):
            return {"input": value, **axes}
        case Box() as box:
            return {"box": boxes.setdefault(box, len(boxes)), **axes}
        case Form(kind=kind):
            return {"form": kind, **axes}


def _tensor(tensor: Tensor) -> Data:
    found: Data = {"rank": tensor.rank, "init": tensor.init, "shares": tensor.shares, "map": tensor.map}
    if tensor.constant is None:
        return {**found, "constant": None}
    shape, dtype, data = tensor.constant.shape, tensor.constant.dtype, tensor.constant.data
    constant = {"shape": list(shape), "dtype": dtype, "base64": b64encode(data).decode("ascii")}
    return {**found, "constant": constant}


# ---------------------------------------------------------------------------------------------------------- reading


def read_program(wires: Wires, data: Data, stage: Callable[[Any], Stage]) -> Program:
    """The program of such data; stage: how the stage of a `Run` is read.

    Raises: DocumentError where a step takes what is not there yet, or does not fit what it takes.
    """
    parameters = tuple(Parameter(_name(row["name"]), read_type(wires, row["type"])) for row in data["parameters"])
    boxes = [read_box_data(wires, row) for row in data["boxes"]]
    tensors = data["tensors"]
    if len(tensors) > len(boxes) or len(set(boxes)) < len(boxes):
        raise refuse("a program has each box once, and numbers for boxes alone")
    found = _Steps(wires, boxes, stage, [s for parameter in parameters for s in parameter.type.summands])
    steps = tuple(found.step(row) for row in data["steps"])
    results = tuple(read_row(row, len(found.values)) for row in data["results"])
    targets = tuple(read_type(wires, row) for row in data["targets"])
    if [tuple(found.values[v] for v in result) for result in results] != [target.summands for target in targets]:
        raise refuse("the results of a program are not of its types")
    names = tuple(data["names"])
    if len(names) not in (0, len(found.values)) or not all(name == "" or _name(name) for name in names):
        raise refuse("the names of a program are those of its values")
    numbers = tuple((box, _read_tensor(box, row)) for box, row in zip(boxes, tensors, strict=False))
    return Program(parameters, steps, results, targets, numbers, names)


def _name(text: Any) -> str:
    if not isinstance(text, str) or not text.isidentifier():
        raise refuse(f"{str(text)[:40]!r} is no name of a value")
    return text


@dataclass(slots=True)
class _Steps:
    """The values that there are so far."""

    wires: Wires
    boxes: list[Box]
    stage: Callable[[Any], Stage]
    values: list[Summand] = field(default_factory=list)

    def step(self, data: Data) -> Step:
        """The next step; what it makes is added to the values."""
        inputs = read_row(data["inputs"], len(self.values))
        outputs = tuple(read_summand(self.wires, row) for row in data["outputs"])
        taken = [self.values[value] for value in inputs]
        made = self._made(data, inputs, taken, outputs)
        self.values += outputs
        return made

    def _made(self, data: Data, inputs: tuple[int, ...], taken: list[Summand], outputs: tuple[Summand, ...]) -> Step:
        if "run" in data:
            return self._run(data, inputs, taken, outputs)
        if len(outputs) != 1:
            raise refuse(f"a step makes one value, not {len(outputs)}")
        (output,) = outputs
        match data:
            case {"contract": dict(found)}:
                return Contract(self._contraction(found, taken, output), inputs, output)
            case {"along": str(function), "axes": list(row)} if function in AXIS_FUNCTIONS and taken == [output]:
                axes = read_row(row, len(output.word))
                if list(axes) != sorted({*axes}) or not axes:
                    raise refuse("the axes of a function are ascending numbers, one or more")
                return Along(function, axes, inputs[0], output)
            case {"map": number} if len(taken) == 1:
                box = self.boxes[read_index(number, len(self.boxes))]
                words = (taken[0].word, output.word), (box.source, box.target)
                if words[0] != words[1] or taken[0].channels != output.channels:
                    raise refuse(f"the map {box.name} is on another word than its value")
                return Apply(box, inputs[0], output)
            case {"add": list(rows)} if len(rows) == len(taken) > 0:
                if any(summand.word != output.word for summand in taken):
                    raise refuse("the terms of a sum are tensors of one word")
                _channels(taken, output)
                coefficients = [read_scalar_data(row) for row in rows]
                return Add(tuple(zip(coefficients, inputs, strict=True)), output)
        raise refuse(f"{str(data)[:80]} is no step of a program, or takes what it cannot")

    def _run(self, data: Data, inputs: tuple[int, ...], taken: list[Summand], outputs: tuple[Summand, ...]) -> Run:
        stage = self.stage(data["run"])
        program = stage.network.program if isinstance(stage, Call) else None
        needed = () if program is not None and not program.parameters else stage.source.summands
        if tuple(taken) != needed or outputs != stage.target.summands:
            raise refuse(f"a step of type {stage.source} -> {stage.target} takes or makes something else")
        return Run(stage, inputs, outputs)

    def _contraction(self, data: Data, taken: list[Summand], output: Summand) -> Contraction:
        wires = read_word(self.wires, data["wires"])
        operands = tuple(self._operand(row, taken, wires) for row in data["operands"])
        target = read_row(data["target"], len(wires))
        _fits(target, output.word, wires)
        if sorted(o.label for o in operands if isinstance(o.label, int)) != list(range(len(taken))):
            raise refuse("a contraction takes each of its values once")
        _channels(taken, output)
        try:
            return Contraction(operands, target, wires, read_scalar_data(data["scalar"]))
        except ValueError as fault:
            raise refuse(str(fault)) from None

    def _operand(self, data: Data, taken: list[Summand], wires: Word) -> Operand:
        axes = read_row(data["axes"], len(wires))
        match data:
            case {"input": number}:
                value = read_index(number, len(taken))
                _fits(axes, taken[value].word, wires)
                return Operand(value, axes)
            case {"box": number}:
                box = self.boxes[read_index(number, len(self.boxes))]
                _fits(axes, box.target + box.source, wires)
                return Operand(box, axes)
            case {"form": str(kind)} if kind in FORMS and axes:
                group = wires[axes[0]].group
                if {wires[axis].group for axis in axes} != {group} or len(axes) != (FORMS[kind] or group.size):
                    raise refuse(f"the {kind} of {group} has other axes")
                return Operand(Form(kind, group), axes)
        raise refuse(f"{str(data)[:60]} is no tensor of a contraction")


def _fits(axes: Sequence[int], word: Word, wires: Word) -> None:
    """Whether the indices on the axes of a tensor are of its wires."""
    if [wires[axis] for axis in axes] != [wire.base for wire in word]:
        raise refuse("an axis of a contraction has an index of another space")


def _channels(taken: list[Summand], output: Summand) -> None:
    """Whether channels multiply entry by entry: equal, or 1."""
    if {summand.channels for summand in taken} - {1} != {output.channels} - {1}:
        raise refuse("the channels of a step are equal, or 1")


def _read_tensor(box: Box, data: Data) -> Tensor:
    rank, init, shares, named = (data[key] for key in ("rank", "init", "shares", "map"))
    if not (rank is None or (type(rank) is int and rank >= 1)) or not isinstance(init, str):
        raise refuse(f"the rank of {box.name} is a number from 1, and `init` a name")
    if any(not (text is None or isinstance(text, str)) for text in (shares, named)):
        raise refuse(f"{box.name} shares the weights of a box, by name, or is a map, by name")
    if named is not None and not _is_function(box, named):
        raise refuse(f"there is no function {named!r} of one number, and it is no import path")
    constant = None if data["constant"] is None else _read_constant(box, data["constant"])
    return Tensor(rank, init, shares, constant, named)


def _is_function(box: Box, name: str) -> bool:
    """Whether this is a function of one number on a word, or the import path of one of another package."""
    if name in MAPS:
        return MAPS[name].kind != "norm" and box.source == box.target
    words = name.split(".")
    return (
        len(words) > 1
        and name.isascii()
        and all(word.isidentifier() and not iskeyword(word) and not word.startswith("__") for word in words)
    )


def foreign(program: Program) -> list[str]:
    """The import paths of the functions of other packages that a program calls."""
    return [tensor.map for _, tensor in program.tensors if tensor.map is not None and tensor.map not in MAPS]


def _read_constant(box: Box, data: Data) -> Constant:
    shape, dtype = data["shape"], data["dtype"]
    if dtype not in NUMBERS or tuple(shape) != tuple(wire.group.size for wire in box.target + box.source):
        raise refuse(f"the numbers of {box.name} have another shape, or are of another kind than {', '.join(NUMBERS)}")
    try:
        numbers = b64decode(data["base64"], validate=True)
    except (Error, ValueError):
        raise refuse(f"the numbers of {box.name} are no base64") from None
    if len(numbers) != 8 * prod(shape):
        raise refuse(f"{box.name} has {prod(shape)} numbers, not {len(numbers) // 8}")
    return Constant(tuple(shape), dtype, numbers)
