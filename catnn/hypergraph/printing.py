"""Hypergraphs as terms of the language: rows of boxes, with patterns where wires cross, meet, part or bend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby, islice

from catnn.category.families import FAMILIES
from catnn.category.pattern import letters
from catnn.category.wires import Wire, show_word
from catnn.hypergraph.graph import Hypergraph, Node

Row = list[tuple[int, Wire]]
"""What stands side by side between two rows of boxes: vertices, and the wires on which they pass."""


def show(graph: Hypergraph, most: int | None = None) -> str:
    """A term that means the hypergraph, up to its closed loops; most: after so many letters no stage is begun.

    >>> from catnn.category.wires import Group, Wire
    >>> from catnn.hypergraph.box import Box
    >>> from catnn.hypergraph.graph import identity, single
    >>> V = Wire("V", Group("S", "n"))
    >>> f, m = single(Box("f", (V,), (V,))), single(Box("m", (V, V), (V,)))
    >>> print(f >> f.dagger(), "|", (identity((V,)) @ m) >> m, "|", m.dagger() >> m)
    f ; f' | id @ m ; m | m' ; m
    """
    found: list[str] = []
    length = 0
    for stage in _stages(graph):
        found.append(stage)
        length += len(stage) + 3
        if most is not None and length > most:
            found.append("...")
            break
    return " ; ".join(found) or "[->]"


def _stages(graph: Hypergraph) -> Iterator[str]:
    names = list(islice(letters(), len(graph.wires)))
    one_space = len(set(graph.wires)) == 1
    left = Counter(v for _, inputs, outputs in graph.nodes for v in (*inputs, *outputs))
    left.update(graph.outs)
    row: Row = list(zip(graph.ins, graph.source, strict=True))
    waiting = list(graph.nodes)
    shown = False
    while waiting:
        layer = _ready(waiting, {v for v, _ in row})
        chosen = {id(node) for node in layer}
        waiting = [node for node in waiting if id(node) not in chosen]
        left.subtract(v for node in layer for v in node.inputs)
        pieces = _arranged(layer, row, left)
        wanted: Row = []
        after: Row = []
        for piece in pieces:
            if isinstance(piece, Node):
                wanted += zip(piece.inputs, piece.box.source, strict=True)
                after += zip(piece.outputs, piece.box.target, strict=True)
                left.subtract(piece.outputs)
            else:
                wanted.append(piece)
                after.append(piece)
        pattern = _pattern(row, wanted, names)
        if pattern:
            yield pattern
        yield " @ ".join(_boxes(pieces, one_space))
        shown, row = True, after
    pattern = _pattern(row, list(zip(graph.outs, graph.target, strict=True)), names, always=not shown)
    if pattern:
        yield pattern


def _ready(waiting: list[Node], here: set[int]) -> list[Node]:
    """The boxes that come next: those whose inputs are there, else those without any, else the first."""
    ready = [node for node in waiting if node.inputs and here.issuperset(node.inputs)]
    taken: Counter[int] = Counter()
    bent = []
    for node in ready:  # a wire of two ends feeds one box
        if all(_shared(wire) or not taken[v] for v, wire in zip(node.inputs, node.box.source, strict=True)):
            bent.append(node)
            taken.update(node.inputs)
    return bent or [node for node in waiting if not node.inputs] or waiting[:1]


def _shared(wire: Wire) -> bool:
    return "merge" in FAMILIES[wire.group.family].generators or "spider" in FAMILIES[wire.group.family].generators


def _arranged(layer: list[Node], row: Row, left: Counter[int]) -> list[Node | tuple[int, Wire]]:
    """The boxes of a row and what goes past them, each at the place where its wires come from."""
    place: dict[int, int] = {}
    wires: dict[int, Wire] = {}
    for at, (vertex, wire) in enumerate(row):
        place.setdefault(vertex, at)
        wires.setdefault(vertex, wire)
    for node in layer:
        for vertex, wire in zip(node.inputs, node.box.source, strict=True):
            wires.setdefault(vertex, wire.flipped() if FAMILIES[wire.group.family].oriented else wire)
    end = len(row)
    items: list[tuple[int, int, Node | tuple[int, Wire]]] = []
    for number, node in enumerate(layer):
        items.append((min((place.get(v, end) for v in node.inputs), default=end), number, node))
    for vertex, wire in wires.items():
        if left[vertex] > 0:
            items.append((place.get(vertex, end), len(layer) + vertex, (vertex, wire)))
    return [item for _, _, item in sorted(items, key=lambda triple: triple[:2])]


def _pattern(row: Row, wanted: Row, names: list[str], *, always: bool = False) -> str:
    """The pattern between two rows, nothing where it is an identity."""
    if row == wanted and len({v for v, _ in row}) == len(row) and not always:
        return ""
    return "[" + " ".join((*(names[v] for v, _ in row), "->", *(names[v] for v, _ in wanted))) + "]"


def _boxes(pieces: list[Node | tuple[int, Wire]], one_space: bool) -> Iterator[str]:
    for is_box, run in groupby(pieces, lambda piece: isinstance(piece, Node)):
        if is_box:
            yield from (piece.box.label for piece in run if isinstance(piece, Node))
            continue
        word = tuple(piece[1] for piece in run if not isinstance(piece, Node))
        yield "id" if one_space and len(word) == 1 and not word[0].dual else f"id[{show_word(word)}]"
