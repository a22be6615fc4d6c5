"""Contexts: diagrams with a hole, and what is put into it.

A rewriting step is a context C with before = C[left] and after = C[right]; that is all a proof has to know of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from catnn.category.wires import Wire, Word
from catnn.hypergraph.box import Box
from catnn.hypergraph.graph import Hypergraph, Node, _find, _union

HOLE = "hole"

End = tuple[int, int, int]
"""(box, row, place): the inputs of a box are row 0, its outputs row 1; box -1 stands for the ends of the diagram."""

Parted = tuple[tuple[End, tuple[End, ...]], ...]
"""Legs of a hole, ends of the left side, that have a vertex of their own, each with the ends of the diagram there."""


def hole(source: Word, target: Word) -> Box:
    """The box that stands for what is missing."""
    return Box("", source, target, HOLE)


@dataclass(frozen=True, slots=True)
class Filled:
    """A context with its hole filled: the diagram, and where the vertices of the context and of the filling went.

    The boxes are those of the context, without the hole, then those of the filling.
    """

    graph: Hypergraph
    outer: tuple[int, ...]
    inner: tuple[int, ...]


def fill(context: Hypergraph, filling: Hypergraph) -> Filled:
    """C[filling]: the hole's legs are glued to the ends of the filling.  Linear in both."""
    at = next(i for i, node in enumerate(context.nodes) if node.box.kind == HOLE)
    gap = context.nodes[at]
    shift = len(context.wires)
    parent = list(range(shift + len(filling.wires)))
    for outer, inner in zip((*gap.inputs, *gap.outputs), (*filling.ins, *filling.outs), strict=True):
        _union(parent, outer, inner + shift)
    number: dict[int, int] = {}
    wires: list[Wire] = []
    new: list[int] = []
    for vertex, wire in enumerate((*context.wires, *filling.wires)):
        root = _find(parent, vertex)
        if root not in number:
            number[root] = len(wires)
            wires.append(wire)
        new.append(number[root])
    rest = (*context.nodes[:at], *context.nodes[at + 1 :])
    nodes = tuple(_moved(node, new, 0) for node in rest) + tuple(_moved(node, new, shift) for node in filling.nodes)
    ins, outs = (tuple(new[v] for v in row) for row in (context.ins, context.outs))
    graph = Hypergraph.known(context.source, context.target, tuple(wires), nodes, ins, outs)
    return Filled(graph, tuple(new[:shift]), tuple(new[shift:]))


def _moved(node: Node, new: Sequence[int], shift: int) -> Node:
    box, inputs, outputs = node
    return Node(box, tuple([new[v + shift] for v in inputs]), tuple([new[v + shift] for v in outputs]))


@dataclass(frozen=True)
class Match:
    """An occurrence of a left side in a diagram.

    nodes, vertices: where its boxes and vertices are; parted: how the ends at its boundary are shared.  The context is
    made when it is asked for.
    """

    graph: Hypergraph
    left: Hypergraph
    nodes: tuple[int, ...]
    vertices: tuple[int, ...]
    parted: Parted

    @property
    def context(self) -> Hypergraph:
        """The diagram without the occurrence, a hole in its place."""
        return self._complement[0]

    @property
    def placed(self) -> tuple[int, ...]:
        """For each vertex of the context, the vertex of the diagram it is at."""
        return self._complement[1]

    @cached_property
    def _complement(self) -> tuple[Hypergraph, tuple[int, ...]]:
        graph, left = self.graph, self.left
        bound = {*left.ins, *left.outs}
        gone = {at for vertex, at in enumerate(self.vertices) if vertex not in bound}
        placed = [at for at in range(len(graph.wires)) if at not in gone]
        number = {at: new for new, at in enumerate(placed)}
        legs = [[number[self.vertices[v]] for v in row] for row in (left.ins, left.outs)]
        moved: dict[End, int] = {}
        for (_, row, place), share in self.parted:
            placed.append(self.vertices[(left.outs if row else left.ins)[place]])
            legs[row][place] = len(placed) - 1
            moved.update(dict.fromkeys(share, len(placed) - 1))
        taken = {*self.nodes}
        kept = []
        for at, (box, inputs, outputs) in enumerate(graph.nodes):
            if at not in taken:
                rows = _put(at, 0, inputs, number, moved), _put(at, 1, outputs, number, moved)
                kept.append(Node(box, *rows))
        ins, outs = _put(-1, 0, graph.ins, number, moved), _put(-1, 1, graph.outs, number, moved)
        gap = Node(hole(left.source, left.target), tuple(legs[0]), tuple(legs[1]))
        wires = tuple(graph.wires[at] for at in placed)
        return Hypergraph.known(graph.source, graph.target, wires, (*kept, gap), ins, outs), tuple(placed)


def _put(
    box: int, row: int, vertices: tuple[int, ...], number: dict[int, int], moved: dict[End, int]
) -> tuple[int, ...]:
    if not moved:
        return tuple([number[v] for v in vertices])
    return tuple([moved[box, row, i] if (box, row, i) in moved else number[v] for i, v in enumerate(vertices)])
