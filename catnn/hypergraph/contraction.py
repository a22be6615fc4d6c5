"""Contractions: hypergraphs read as numbers, tensors whose axes are indices.

An operand is a box, an index a vertex; a sum runs over every index that the result does not have.  A pattern over
several values is one, and so is a diagram with boxes applied to values; the forms of the groups (bends, metrics,
epsilons) are constants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catnn.category.families import FAMILIES
from catnn.category.scalar import ONE, Scalar
from catnn.category.wires import Group, Wire
from catnn.hypergraph.box import Box
from catnn.hypergraph.graph import Hypergraph, Node


@dataclass(frozen=True, slots=True)
class Form:
    """A constant tensor of a group: ``epsilon`` (n axes), ``omega`` or ``metric`` (two axes)."""

    kind: str
    group: Group


Label = int | Box | Form
"""What an operand is: the number of a value, a box (the right way up), or a constant of a group."""


@dataclass(frozen=True, slots=True)
class Operand:
    """A tensor and the index on each of its axes, perhaps the same twice; of a box, outputs come before inputs."""

    label: Label
    axes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Contraction:
    """The sum over all indices that `target` does not have of the product of the operands, times a scalar.

    target: the index of each axis of the result; wires: the base wire of each index.  An index of the target on no
    operand broadcasts, one that stands there twice writes a diagonal.
    Raises: ValueError where an index has no wire, or stands nowhere.
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
    def boxes(self) -> tuple[Box, ...]:
        """The boxes in it, each once."""
        return tuple(dict.fromkeys(operand.label for operand in self.operands if isinstance(operand.label, Box)))


def contraction(graph: Hypergraph, widths: Sequence[int], scalar: Scalar = ONE) -> Contraction:
    """A hypergraph applied to the tensor product of values.

    widths: how many of its inputs each value takes, from left to right.

    >>> import catnn
    >>> from catnn.hypergraph.convert import from_diagram
    >>> contraction(from_diagram(catnn.diagram("O(3)", "i i ->")), (1, 1)).operands
    (Operand(label=0, axes=(0,)), Operand(label=1, axes=(0,)))
    """
    ins, outs, nodes, wires, metrics = _split(graph)
    operands: list[Operand] = []
    start = 0
    for at, width in enumerate(widths):
        operands.append(Operand(at, tuple(ins[start : start + width])))
        start += width
    for node in nodes:
        rows = (node.inputs, node.outputs) if node.box.turned else (node.outputs, node.inputs)
        axes = rows[0] + rows[1]
        if node.box.kind == "form":
            wire = (node.box.target + node.box.source)[0]
            operands.append(Operand(Form("epsilon" if node.box.name == "eps" else "omega", wire.group), axes))
        else:
            operands.append(Operand(node.box.dagger() if node.box.turned else node.box, axes))
    operands += metrics
    used = {index for operand in operands for index in operand.axes}.union(outs)
    for vertex, wire in enumerate(wires):
        if vertex not in used:  # a closed loop
            scalar = scalar * Scalar.size(wire.group.size)
    return _numbered(operands, outs, wires, scalar)


def _split(graph: Hypergraph) -> tuple[list[int], list[int], list[Node], list[Wire], list[Operand]]:
    """The ends of a hypergraph, where a vertex that turns round on an indefinite form is two, with a metric between."""
    ins, outs, wires = list(graph.ins), list(graph.outs), list(graph.wires)
    nodes = [Node(box, inputs, outputs) for box, inputs, outputs in graph.nodes]
    metrics: list[Operand] = []
    for vertex, (into, out) in enumerate(graph.ends()):
        if FAMILIES[graph.wires[vertex].group.family].closing != "metric" or into == out:
            continue
        wires.append(graph.wires[vertex])
        other = len(wires) - 1
        metrics.append(Operand(Form("metric", graph.wires[vertex].group), (vertex, other)))
        _move_one(vertex, other, ins, outs, nodes)
    return ins, outs, nodes, wires, metrics


def _move_one(vertex: int, other: int, ins: list[int], outs: list[int], nodes: list[Node]) -> None:
    """Give one of the ends of a vertex to another."""
    for ends in (ins, outs):
        if vertex in ends:
            ends[ends.index(vertex)] = other
            return
    for at, (box, inputs, outputs) in enumerate(nodes):
        for side, row in enumerate((inputs, outputs)):
            if vertex in row:
                place = row.index(vertex)
                moved = (*row[:place], other, *row[place + 1 :])
                nodes[at] = Node(box, moved, outputs) if side == 0 else Node(box, inputs, moved)
                return


def substitute(outer: Contraction, at: int, inner: Contraction) -> Contraction:
    """The contraction in which the operand number `at` of `outer` is the result of `inner`.

    Labels are kept: the values of both are numbered alike.  Indices that meet are one (a union-find), so a diagonal
    that `inner` writes is one that `outer` reads.
    """
    count = len(outer.wires)
    parent = list(range(count + len(inner.wires)))

    def find(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for axis, index in zip(outer.operands[at].axes, inner.target, strict=True):
        parent[find(count + index)] = find(axis)
    moved = [Operand(o.label, tuple(find(count + index) for index in o.axes)) for o in inner.operands]
    kept = [Operand(o.label, tuple(find(index) for index in o.axes)) for o in outer.operands]
    operands = [*kept[:at], *moved, *kept[at + 1 :]]
    target = [find(index) for index in outer.target]
    wires = list(outer.wires + inner.wires)
    used = {index for operand in operands for index in operand.axes}.union(target)
    scalar = outer.scalar * inner.scalar
    for index, wire in enumerate(wires):  # what no operand and no target has is summed alone: a factor n
        if find(index) == index and index not in used:
            scalar = scalar * Scalar.size(wire.group.size)
    return _numbered(operands, target, wires, scalar)


Slices = tuple[tuple[int, int], ...]
"""(start, stop) of axes that may be put in any order."""


def aligned(
    contraction: Contraction, names: Sequence[str], symmetric: Mapping[int, Slices] | None = None
) -> Contraction:
    """The same contraction, its operands in the order of their names, exchangeable legs in that of their indices.

    names: of the tensor of each operand; symmetric: which axes of values may be exchanged.  Contractions that are equal
    up to a symmetry of a box or a value become one in this way, and so do their parts: W(x, y) and W(y, x), where W is
    symmetric in its inputs.

    >>> from catnn.category.wires import PLAIN, Group, Wire
    >>> D = Wire("D", Group(PLAIN, 3))
    >>> W = Box("W", (D, D), (), symmetric="inputs")
    >>> one = Contraction((Operand(W, (0, 1)), Operand(0, (0,)), Operand(1, (1,))), (), (D, D))
    >>> other = Contraction((Operand(W, (0, 1)), Operand(0, (1,)), Operand(1, (0,))), (), (D, D))
    >>> aligned(one, ["W", "x", "y"]) == aligned(other, ["W", "x", "y"])
    True
    """
    free = [_exchanges(operand, symmetric or {}) for operand in contraction.operands]
    order = sorted(range(len(names)), key=lambda at: (bool(free[at]), names[at]))
    numbers: dict[int, int] = {}
    operands = []
    for at in order:
        operand = contraction.operands[at]
        axes = [*operand.axes]
        for start, stop in free[at]:
            axes[start:stop] = sorted(axes[start:stop], key=lambda index: _place(index, numbers, operand, contraction))
        for index in axes:
            numbers.setdefault(index, len(numbers))
        operands.append(Operand(operand.label, tuple(axes)))
    return _numbered(operands, contraction.target, contraction.wires, contraction.scalar)


def _place(index: int, numbers: dict[int, int], operand: Operand, contraction: Contraction) -> tuple[object, ...]:
    """What exchangeable legs are sorted by: the number of their index, else what can be seen of it."""
    targets = tuple(at for at, other in enumerate(contraction.target) if other == index)
    return numbers.get(index, len(contraction.wires)), -operand.axes.count(index), targets


def _exchanges(operand: Operand, symmetric: Mapping[int, Slices]) -> list[tuple[int, int]]:
    """The slices of the axes of an operand that may be put in any order."""
    box = operand.label
    if isinstance(box, Form):
        return [(0, 2)] if box.kind == "metric" else []
    if isinstance(box, int):
        return list(symmetric.get(box, ()))
    l, k = len(box.target), len(box.source)
    slices = [(0, l)] if box.free_outputs and l > 1 else []
    return [*slices, (l, l + k)] if box.free_inputs and k > 1 else slices


def _numbered(operands: Sequence[Operand], target: Sequence[int], wires: Sequence[Wire], scalar: Scalar) -> Contraction:
    """A contraction with its indices numbered as they appear."""
    numbers: dict[int, int] = {}
    renamed = tuple(
        Operand(o.label, tuple(numbers.setdefault(index, len(numbers)) for index in o.axes)) for o in operands
    )
    ends = tuple(numbers.setdefault(index, len(numbers)) for index in target)
    return Contraction(renamed, ends, tuple(wires[index] for index in numbers), scalar)
