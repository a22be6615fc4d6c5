"""What a point-ful network learns by itself, and its contractions as they are computed: of low rank, in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from catnn.category.wires import PLAIN, Group, Wire
from catnn.hypergraph.box import Box
from catnn.hypergraph.contraction import Contraction, Operand, Slices
from catnn.program import Contract, Program, Tensor


def tensor_shapes(program: Program) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """The learned tensors of a program: (name, shape), each once; one of a rank is two."""
    found: dict[str, tuple[int, ...]] = {}
    for box, tensor in program.tensors:
        if tensor.constant is None and tensor.map is None:
            found.update(_shapes(box, tensor))
    return tuple(found.items())


def _shapes(box: Box, tensor: Tensor) -> dict[str, tuple[int, ...]]:
    name = tensor.shares or box.name
    out, in_ = (tuple(w.group.size for w in word if isinstance(w.group.size, int)) for word in (box.target, box.source))
    if tensor.rank is None:
        return {name: out + in_}
    return {f"{name}_out": (*out, tensor.rank), f"{name}_in": (tensor.rank, *in_)}


def factors(box: Box, rank: int) -> tuple[Box, Box]:
    """The two boxes of which one of a rank is the composite."""
    middle = Wire("rank", Group(PLAIN, rank))
    return Box(f"{box.name}_out", (middle,), box.target, "learned"), Box(
        f"{box.name}_in", box.source, (middle,), "learned"
    )


def ranked(contraction: Contraction, tensors: Mapping[Box, Tensor]) -> Contraction:
    """The contraction with each box of a rank as its two factors, which meet in one more index."""
    operands: list[Operand] = []
    wires = list(contraction.wires)
    for operand in contraction.operands:
        box = operand.label
        rank = tensors[box].rank if isinstance(box, Box) else None
        if not isinstance(box, Box) or rank is None:
            operands.append(operand)
            continue
        first, second = factors(box, rank)
        l, middle = len(box.target), len(wires)
        wires.append(first.source[0])
        operands.append(Operand(first, (*operand.axes[:l], middle)))
        operands.append(Operand(second, (middle, *operand.axes[l:])))
    return replace(contraction, operands=tuple(operands), wires=tuple(wires))


def symmetric_axes(step: Contract, program: Program) -> dict[int, Slices]:
    """The axes of the values of a contraction that may be exchanged, since their types are symmetric powers."""
    found = {}
    for label, value in enumerate(step.inputs):
        if program.values[value].symmetric:
            found[label] = tuple((at, at + power) for at, power in program.values[value].symmetric)
    return found


def operand_keys(contraction: Contraction, inputs: Sequence[int]) -> list[str]:
    """What the operands of a contraction are sorted by before its order is searched: boxes, then values by number.

    inputs: for each value of the contraction the first value of the program that is the same tensor.
    """
    return [
        f"value {inputs[operand.label]:06}"
        if isinstance(operand.label, int)
        else f"box {operand.label.name}"
        if isinstance(operand.label, Box)
        else f"form {operand.label.kind}"
        for operand in contraction.operands
    ]
