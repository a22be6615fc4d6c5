"""Contractions: tensors whose axes are indices, multiplied and summed over every index that the result does not have.

This is an open hypergraph read as numbers: an index is a spider, an operand a box, `target` the boundary.  A pattern
over several values is one, and so is a diagram with boxes; epsilons and forms become constants.
"""

from __future__ import annotations

from dataclasses import dataclass

from catnn.category.boxes import Box
from catnn.category.diagram import Diagram
from catnn.category.families import FAMILIES
from catnn.category.scalar import ONE, Scalar
from catnn.category.wires import Group, Wire


@dataclass(frozen=True, slots=True)
class Form:
    """A constant tensor of a group: ``epsilon`` (n axes), ``omega`` or ``metric`` (two axes)."""

    kind: str
    group: Group


Label = int | Box | Form
"""What an operand is: the number of a value, a box, or a constant of a group."""


@dataclass(frozen=True, slots=True)
class Operand:
    """A tensor and the index on each of its axes, perhaps the same twice."""

    label: Label
    axes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Contraction:
    """The sum over all indices that `target` does not have of the product of the operands, times a scalar.

    target: the index of each axis of the result; wires: the base wire of each index.  An index of the target on no operand
    broadcasts, one that stands there twice writes a diagonal.
    Raises: ValueError where an index has no wire.
    """

    operands: tuple[Operand, ...]
    target: tuple[int, ...]
    wires: tuple[Wire, ...]
    scalar: Scalar = ONE

    def __post_init__(self) -> None:
        used = {index for operand in self.operands for index in operand.axes} | set(self.target)
        if used != set(range(len(self.wires))):
            raise ValueError("every index of a contraction stands somewhere, and has a wire")

    @property
    def values(self) -> tuple[int, ...]:
        """The numbers of the values it takes, in order, each once."""
        return tuple(sorted({operand.label for operand in self.operands if isinstance(operand.label, int)}))

    @property
    def boxes(self) -> tuple[Box, ...]:
        """The boxes in it, each once."""
        return tuple(dict.fromkeys(operand.label for operand in self.operands if isinstance(operand.label, Box)))


def contraction(diagram: Diagram, values: tuple[Operand | int, ...], scalar: Scalar = ONE) -> Contraction:
    """A diagram applied to the tensor product of values and boxes, which share out its inputs from left to right.

    values: for each, how many inputs it takes (it is then value 0, 1, ...), or an operand, of which the label counts and
    how many axes it has.

    >>> import catnn
    >>> dot = catnn.diagram("O(3)", "i i ->")
    >>> contraction(dot, (1, 1)).operands
    (Operand(label=0, axes=(0,)), Operand(label=1, axes=(0,)))
    """
    l = len(diagram.target)
    index: dict[int, int] = {}
    wires: list[Wire] = []
    constants: list[Operand] = []
    legs: dict[Wire, list[int]] = {}

    def fresh(wire: Wire) -> int:
        wires.append(wire)
        return len(wires) - 1

    for block in diagram.parts:
        wire = diagram.wire(block[0]).base
        family = FAMILIES[wire.group.family]
        if family.epsilon and len(block) == 1:
            legs.setdefault(wire, []).append(block[0])
        one_row = len(block) == 2 and (block[0] < l) == (block[1] < l)
        if one_row and family.closing in ("form", "metric"):
            first, second = (fresh(wire) for _ in block)
            index[block[0]], index[block[1]] = first, second
            constants.append(Operand(Form("omega" if family.closing == "form" else "metric", wire.group), (first, second)))
            continue
        here = fresh(wire)
        index.update(dict.fromkeys(block, here))
    constants += [Operand(Form("epsilon", w.group), tuple(index[v] for v in sorted(at))) for w, at in legs.items()]
    operands, start = [], l
    for at, value in enumerate(values):
        label, width = (at, value) if isinstance(value, int) else (value.label, len(value.axes))
        operands.append(Operand(label, tuple(index[v] for v in range(start, start + width))))
        start += width
    return Contraction((*operands, *constants), tuple(index[v] for v in range(l)), tuple(wires), scalar)


def substitute(outer: Contraction, at: int, inner: Contraction) -> Contraction:
    """The contraction in which the operand number `at` of `outer` is the result of `inner`.

    Labels are kept: the values of both are numbered alike.  Indices that meet are one (a union-find), so a diagonal that
    `inner` writes is one that `outer` reads.
    """
    meeting = outer.operands[at].axes
    count = len(outer.wires)
    parent = list(range(count + len(inner.wires)))

    def find(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for axis, index in zip(meeting, inner.target, strict=True):
        parent[find(count + index)] = find(axis)
    wires = outer.wires + inner.wires
    moved = [Operand(o.label, tuple(count + index for index in o.axes)) for o in inner.operands]
    operands = [*outer.operands[:at], *moved, *outer.operands[at + 1 :]]
    numbers: dict[int, int] = {}

    def number(index: int) -> int:
        return numbers.setdefault(find(index), len(numbers))

    renamed = tuple(Operand(o.label, tuple(number(index) for index in o.axes)) for o in operands)
    target = tuple(number(index) for index in outer.target)
    scalar = outer.scalar * inner.scalar
    for index in range(len(wires)):  # what no operand and no target has is summed alone: a factor n
        if find(index) == index and index not in numbers:
            scalar = scalar * Scalar.size(wires[index].group.size)
    kept = sorted(numbers, key=lambda root: numbers[root])
    return Contraction(renamed, target, tuple(wires[root] for root in kept), scalar)
