"""Contexts: diagrams with a hole, and what is put into it.

A rewriting step is a context C with before = C[left] and after = C[right]; that is all a proof has to know of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catnn.category.wires import Wire, Word
from catnn.hypergraph.box import Box
from catnn.hypergraph.graph import Hypergraph, Node, _find, _union

HOLE = "hole"


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
