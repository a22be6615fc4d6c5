"""Hypergraphs as terms of the language: a pattern, the boxes side by side, a pattern."""

from __future__ import annotations

from itertools import islice

from catnn.category.pattern import letters
from catnn.category.wires import Word, show_word
from catnn.hypergraph.graph import Hypergraph


def show(graph: Hypergraph) -> str:
    """A term that means the hypergraph (a chain of boxes is written as one), up to its loops.

    Every vertex is a letter.  Letters that are needed after the boxes go past them on wires of their own, so that one
    shape of term is enough for every hypergraph; where a row of boxes fits exactly, nothing goes past.

    >>> from catnn.category.wires import Group, Wire
    >>> from catnn.hypergraph.box import Box
    >>> from catnn.hypergraph.graph import single
    >>> V = Wire("V", Group("S", "n"))
    >>> f, g = (single(Box(name, (V,), (V,))) for name in "fg")
    >>> print(f >> g, "and", f.dagger() @ g)
    f ; g and f' @ g
    """
    names = list(islice(letters(), len(graph.wires)))
    chain = _chain(graph)
    if chain is not None:
        return chain
    if not graph.nodes:
        return _pattern([names[v] for v in graph.ins], [names[v] for v in graph.outs])
    before = [v for node in graph.nodes for v in node.inputs]
    after = [v for node in graph.nodes for v in node.outputs]
    past = _past(graph, before, after)
    first = _pattern([names[v] for v in graph.ins], [names[v] for v in (*before, *past)])
    last = _pattern([names[v] for v in (*after, *past)], [names[v] for v in graph.outs])
    word: Word = tuple(graph.wires[v] for v in past)
    boxes = " @ ".join([*(node.box.label for node in graph.nodes), *([f"id[{show_word(word)}]"] if word else [])])
    stages = [boxes]
    if list(graph.ins) != [*before, *past] or len(set(graph.ins)) < len(graph.ins):
        stages.insert(0, first)
    if list(graph.outs) != [*after, *past] or len(set(graph.outs)) < len(graph.outs):
        stages.append(last)
    return " ; ".join(stages)


def _past(graph: Hypergraph, before: list[int], after: list[int]) -> list[int]:
    """The vertices that both patterns must know."""
    early, late = {*graph.ins, *before}, {*graph.outs, *after}
    ends = graph.ends()
    return [v for v in range(len(graph.wires)) if (v in early and v in late) and any(ends[v])]


def _pattern(inputs: list[str], outputs: list[str]) -> str:
    return "[" + " ".join((*inputs, "->", *outputs)) + "]"


def _chain(graph: Hypergraph) -> str | None:
    """Boxes one after the other, each taking all that the last one gives; None where it is no such chain."""
    if len(graph.nodes) < 2:
        return None
    by_inputs = {node.inputs: node for node in graph.nodes if node.inputs}
    row, stages = graph.ins, list[str]()
    seen: set[int] = set(row)
    while row in by_inputs and len(stages) < len(graph.nodes):
        node = by_inputs.pop(row)
        if seen & {*node.outputs} or len({*node.outputs}) < len(node.outputs):
            return None
        stages.append(node.box.label)
        row = node.outputs
        seen |= {*row}
    if len(stages) < len(graph.nodes) or row != graph.outs or len(seen) < len(graph.wires):
        return None
    return " ; ".join(stages)
