"""Diagrams as graphs that other tools read: networkx, GraphML and DOT; the first two read back to an equal diagram.

A diagram is a graph of ports and blocks:

- node ``("in", i)``, attributes kind="input", index=i, space, family, size, letter;
- node ``("out", j)``, the same with kind="output";
- node ``("block", b)``, attributes kind="block", index=b (blocks sorted as in `Diagram.parts`), space, letter;
- ports and blocks on the dual of a space of U(n) have dual="yes" as well;
- ports on a space whose diagrams are orbits have point=the one that the orbit's least tuple has there;
- an edge from each input to its block, and from each block to its outputs, in the order of the ports;
- for each space with a jellyfish a node ``("jellyfish", i)``, kind="jellyfish", index=i, space, family, size, and an
  edge from it to each block of that space, a leg; it has a leg less than its size where one is summed;
- graph attributes format="catnn-diagram", version=1, pattern, k, l (the numbers of inputs and outputs).

In GraphML the nodes are called in0, out0, block0.  Reading looks at the attributes alone, so nodes may be renamed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from catnn.category.diagram import Diagram
from catnn.category.families import FAMILIES
from catnn.category.pattern import show_pattern, spell
from catnn.category.wires import Group, Wire, Word
from catnn.view.svg import clean

if TYPE_CHECKING:
    import networkx

FORMAT = "catnn-diagram"
VERSION = 1


def to_networkx(diagram: Diagram) -> networkx.MultiDiGraph:
    """The graph of a diagram, as the head of this module describes it."""
    import networkx

    k, l = len(diagram.source), len(diagram.target)
    inputs, outputs = spell(diagram)
    graph = networkx.MultiDiGraph(format=FORMAT, version=VERSION, pattern=show_pattern(diagram), k=k, l=l)
    for i, wire in enumerate(diagram.source):
        point = _point(diagram, l + i)
        graph.add_node(("in", i), kind="input", index=i, letter=inputs[i], **_wire(wire), **point)
    for b, part in enumerate(diagram.parts):
        letter = (*outputs, *inputs)[part[0]]
        graph.add_node(("block", b), kind="block", index=b, letter=letter, **_wire(diagram.wire(part[0])))
    for j, wire in enumerate(diagram.target):
        graph.add_node(("out", j), kind="output", index=j, letter=outputs[j], **_wire(wire), **_point(diagram, j))
    block_of = {v: b for b, part in enumerate(diagram.parts) for v in part}
    for at, space in enumerate(diagram.jellyfish):
        here = [b for b, part in enumerate(diagram.parts) if diagram.wire(part[0]).space == space]
        wire = diagram.wire(diagram.parts[here[0]][0])
        graph.add_node(("jellyfish", at), kind="jellyfish", index=at, **_wire(wire))
        graph.add_edges_from((("jellyfish", at), ("block", b)) for b in here)
    for i in range(k):
        graph.add_edge(("in", i), ("block", block_of[l + i]))
    for j in range(l):
        graph.add_edge(("block", block_of[j]), ("out", j))
    return graph


def _point(diagram: Diagram, vertex: int) -> dict[str, int]:
    """The point of a port, where its group is given by orbits."""
    return {"point": diagram.points[vertex]} if diagram.points and diagram.points[vertex] >= 0 else {}


def _wire(wire: Wire) -> dict[str, str]:
    found = {"space": wire.space, "family": wire.group.family, "size": str(wire.group.size)}
    return {**found, "dual": "yes"} if wire.dual else found


def from_networkx(graph: networkx.MultiDiGraph) -> Diagram:
    """The diagram of such a graph.

    Raises: ValueError where ports are missing, stand twice, or hang on no block, or a jellyfish has its legs elsewhere
    than in the blocks of its space; CatnnError where a block is none of its group's.
    """
    rows: dict[str, dict[int, Any]] = {"input": {}, "output": {}}
    heads: dict[str, set[Any]] = {}
    for name, data in graph.nodes(data=True):
        kind, index = data.get("kind"), data.get("index")
        if kind in rows:
            if not isinstance(index, int) or index in rows[kind]:
                raise ValueError(f"{kind} {index!r} has no index of its own")
            rows[kind][index] = name
        elif kind == "jellyfish":
            heads[str(data.get("space"))] = {*graph.successors(name), *graph.predecessors(name)}
        elif kind != "block":
            raise ValueError(f"node {name!r} is of kind {kind!r}, not input, output, block or jellyfish")
    for kind, row in rows.items():
        if sorted(row) != list(range(len(row))):
            raise ValueError(f"the {kind}s are not numbered 0 to {len(row) - 1}")
    ports = [rows["output"][j] for j in range(len(rows["output"]))]
    ports += [rows["input"][i] for i in range(len(rows["input"]))]
    blocks: dict[Any, list[int]] = {}
    for vertex, port in enumerate(ports):
        ends = [*graph.successors(port), *graph.predecessors(port)]
        if len(ends) != 1 or graph.nodes[ends[0]]["kind"] != "block":
            raise ValueError(f"port {port!r} hangs on {len(ends)} nodes, not on one block")
        blocks.setdefault(ends[0], []).append(vertex)
    words = [_read_wire(graph.nodes[port]) for port in ports]
    for space, legs in heads.items():
        if legs != {block for block, vertices in blocks.items() if words[vertices[0]].space == space}:
            raise ValueError(f"the jellyfish of {space!r} has a leg in each block of that space, and in nothing else")
    l = len(rows["output"])
    target: Word = tuple(words[:l])
    parts = tuple(sorted(tuple(block) for block in blocks.values()))
    points = tuple(graph.nodes[port].get("point", -1) for port in ports)
    if any(type(point) is not int for point in points):
        raise ValueError("the point of a port is an integer")
    return Diagram(
        tuple(words[l:]), target, parts, tuple(sorted(heads)), points if max(points, default=-1) >= 0 else ()
    )


def _read_wire(data: dict[str, Any]) -> Wire:
    try:
        wire = Wire(str(data["space"]), group_of(str(data["family"]), str(data["size"])))
    except KeyError as missing:
        raise ValueError(f"a port has no {missing.args[0]}") from None
    if data.get("dual") != "yes":
        return wire
    if not FAMILIES[wire.group.family].oriented:
        raise ValueError(f"{wire.group} has no dual wires")
    return wire.flipped()


def group_of(family: str, size: str) -> Group:
    """A group by the names of its family and its size.  Raises: ValueError for an unknown family."""
    if family not in FAMILIES:
        raise ValueError(f"there is no family of groups {family!r}; there are {', '.join(FAMILIES)}")
    fault = FAMILIES[family].size_fault(int(size)) if size.isdigit() else None
    if fault is not None or (family not in tuple(FAMILIES) and not size.isdigit()):
        raise ValueError(f"there is no group {family} of size {size}: {fault or 'its size is a number'}")
    return Group(family, int(size) if size.isdigit() else size)


# ---------------------------------------------------------------------------------------------------------- GraphML


def to_graphml(diagram: Diagram) -> str:
    """The same graph as GraphML."""
    return graphml(to_networkx(diagram))


def graphml(graph: networkx.MultiDiGraph) -> str:
    """A graph whose attributes are strings and integers; nodes that are tuples are called by their parts joined."""
    keys: dict[tuple[str, str], tuple[str, str]] = {}

    def data(domain: str, attributes: dict[str, Any], indent: str) -> list[str]:
        lines = []
        for name, value in attributes.items():
            kind = "int" if isinstance(value, int) else "string"
            key, _ = keys.setdefault((domain, name), (f"d{len(keys)}", kind))
            lines.append(f'{indent}<data key="{key}">{clean(str(value))}</data>')
        return lines

    body = data("graph", graph.graph, "    ")
    for node, attributes in graph.nodes(data=True):
        body.append(f'    <node id="{clean(node_name(node))}">')
        body += [*data("node", attributes, "      "), "    </node>"]
    for tail, head, attributes in graph.edges(data=True):
        body.append(f'    <edge source="{clean(node_name(tail))}" target="{clean(node_name(head))}">')
        body += [*data("edge", attributes, "      "), "    </edge>"]
    declared = [
        f'  <key id="{key}" for="{domain}" attr.name="{name}" attr.type="{kind}"/>'
        for (domain, name), (key, kind) in keys.items()
    ]
    head_lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">']
    return "\n".join(
        (*head_lines, *declared, '  <graph edgedefault="directed">', *body, "  </graph>", "</graphml>", "")
    )


def node_name(node: Any) -> str:
    """in0, out1, block2."""
    return "".join(map(str, node)) if isinstance(node, tuple) else str(node)


def from_graphml(text: str) -> Diagram:
    """The diagram of such a text.

    Raises: ValueError where it is no GraphML, or none of a diagram; a document type is refused, as entities may grow
    without bound.
    """
    from xml.etree.ElementTree import ParseError

    import networkx

    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("GraphML with a document type is not read")
    try:
        graph = networkx.parse_graphml(text.removeprefix('<?xml version="1.0" encoding="UTF-8"?>\n'))
    except (ParseError, networkx.NetworkXError, KeyError) as fault:
        raise ValueError(f"this is no GraphML: {fault}") from None
    return from_networkx(graph)


# -------------------------------------------------------------------------------------------------------------- DOT


def quoted(text: str) -> str:
    """A string for DOT: quoted, with nothing that ends it early.

    >>> print(quoted('a "b"'))
    "a \\"b\\""
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ").replace("\r", " ")
    return f'"{escaped}"'


def attributes_text(pairs: Iterable[tuple[str, str]]) -> str:
    """Attributes in brackets."""
    return "[" + ", ".join(f"{name}={quoted(value)}" for name, value in pairs) + "]"
