"""Morphisms as graphs that other tools read, and back: networkx, on which GraphML is built.

A diagram is a graph of ports, blocks and boxes:

- node ``("in", i)``, attributes kind="input", index=i, space, family, size, and where it has one the letter of its
  pattern; node ``("out", j)``, the same with kind="output";
- node ``("block", b)``, attributes kind="block", index=b, space, family, size, letter: a spider, a bend or a wire
  (blocks are sorted as in `Diagram.parts`); one without edges is a closed loop;
- node ``("box", x)``, attributes kind="box", index=x, name, how (the box's kind), adjoint, symmetric, turned;
- ports and legs on the dual of a space of U(n) have dual="yes" as well;
- an edge from each input to its block, and from each block to its outputs, in the order of the ports; edges from a box
  to the blocks at its outputs, and to a box from those at its inputs, have port=0, 1, ...;
- an edge of a port has point=the one that the least tuple of an orbit has there, where diagrams are orbits;
- for each space with a jellyfish a node ``("jellyfish", i)``, kind="jellyfish", index=i, space, family, size, and an
  edge from it to each block of that space, a leg; it has a leg less than its size where one is summed;
- graph attributes format, version=1, pattern, k, l (the numbers of inputs and outputs).

A sum has a node ``("term", t)`` with kind="term" and its coefficient for each term, whose blocks and boxes are called
``("block", t, b)`` and have term=t; its ports are shared.  In GraphML the nodes are called in0, out0, block0.  Reading
looks at the attributes alone, so nodes may be renamed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from catnn.category.diagram import Diagram, Morphism, Sum
from catnn.category.families import FAMILIES
from catnn.category.scalar import ONE
from catnn.category.wires import Group, Wire
from catnn.hypergraph.box import Box
from catnn.hypergraph.graph import Hypergraph, Node
from catnn.hypergraph.linear import Combination
from catnn.view.refusal import refuse
from catnn.view.scalars import read_scalar, scalar_text
from catnn.view.terms import FORMATS, Term, Terms, terms_of, value_of

if TYPE_CHECKING:
    import networkx

FORMAT = "catnn-diagram"
VERSION = 1

INNER = ("block", "box", "jellyfish")
"""The kinds of nodes that belong to one term."""
Attributes = dict[str, Any]


# ---------------------------------------------------------------------------------------------------------- writing


def to_networkx(value: Morphism | Hypergraph | Combination) -> networkx.MultiDiGraph:
    """The graph of a morphism, as the head of this module describes it."""
    import networkx

    found = terms_of(value)
    several = found.format in ("catnn-sum", "catnn-combination")
    k, l = len(found.source), len(found.target)
    graph = networkx.MultiDiGraph(format=found.format, version=VERSION, pattern=str(value), k=k, l=l)
    letters = [_letters(found.terms[0], row) for row in ("ins", "outs")] if len(found.terms) == 1 else [(), ()]
    _ports(graph, "in", "input", found, letters[0])
    for t, term in enumerate(found.terms):
        place, mark = ((t,), {"term": t}) if several else ((), {})
        if several:
            graph.add_node(("term", t), kind="term", index=t, coefficient=scalar_text(term.coefficient))
        for b, wire in enumerate(term.wires):
            letter = {"letter": term.letters[b]} if term.letters[b] else {}
            graph.add_node(("block", *place, b), kind="block", index=b, **letter, **wire_attributes(wire), **mark)
        for i, space in enumerate(term.jellyfish):
            wire = next(wire for wire in term.wires if wire.space == space)
            graph.add_node(("jellyfish", *place, i), kind="jellyfish", index=i, **wire_attributes(wire), **mark)
        for x, node in enumerate(term.nodes):
            graph.add_node(("box", *place, x), kind="box", index=x, **box_attributes(node.box), **mark)
    _ports(graph, "out", "output", found, letters[1])
    for t, term in enumerate(found.terms):
        place = (t,) if several else ()
        for i, space in enumerate(term.jellyfish):
            here = [b for b, wire in enumerate(term.wires) if wire.space == space]
            graph.add_edges_from((("jellyfish", *place, i), ("block", *place, b)) for b in here)
        for i, block in enumerate(term.ins):
            graph.add_edge(("in", i), ("block", *place, block), **_point(term, l + i))
        for x, (box, inputs, outputs) in enumerate(term.nodes):
            for port, (block, wire) in enumerate(zip(inputs, box.source, strict=True)):
                graph.add_edge(("block", *place, block), ("box", *place, x), port=port, **_dual(wire))
            for port, (block, wire) in enumerate(zip(outputs, box.target, strict=True)):
                graph.add_edge(("box", *place, x), ("block", *place, block), port=port, **_dual(wire))
        for j, block in enumerate(term.outs):
            graph.add_edge(("block", *place, block), ("out", j), **_point(term, j))
    return graph


def _point(term: Term, end: int) -> Attributes:
    """The point at an end, where its group is given by orbits."""
    return {"point": term.points[end]} if term.points and term.points[end] >= 0 else {}


def _letters(term: Term, row: str) -> tuple[str, ...]:
    return tuple(term.letters[block] for block in getattr(term, row))


def _ports(graph: networkx.MultiDiGraph, name: str, kind: str, found: Terms, letters: tuple[str, ...]) -> None:
    for at, wire in enumerate(found.source if kind == "input" else found.target):
        letter = {"letter": letters[at]} if letters and letters[at] else {}
        graph.add_node((name, at), kind=kind, index=at, **letter, **wire_attributes(wire))


def wire_attributes(wire: Wire) -> Attributes:
    """A wire as attributes of a node."""
    found = {"space": wire.space, "family": wire.group.family, "size": str(wire.group.size)}
    return {**found, **_dual(wire)}


def _dual(wire: Wire) -> Attributes:
    return {"dual": "yes"} if wire.dual else {}


def box_attributes(box: Box) -> Attributes:
    """A box as attributes of a node; its words are those of its legs."""
    turned = "yes" if box.turned else "no"
    return {"name": box.name, "how": box.kind, "adjoint": box.adjoint, "symmetric": box.symmetric, "turned": turned}


# ---------------------------------------------------------------------------------------------------------- reading


def from_networkx(graph: networkx.MultiDiGraph) -> Diagram | Sum | Hypergraph | Combination:
    """The morphism of such a graph.

    Raises: DocumentError where it is undirected, of another format, or ports are missing, stand twice, or hang on no
    block; CatnnError where a block is none of its group's.
    """
    if not graph.is_directed():
        raise refuse("an undirected graph is no diagram", "inputs lead to blocks, and blocks lead to outputs")
    format_ = graph.graph.get("format", FORMAT)
    if format_ not in FORMATS:
        raise refuse(f"a graph of the format {format_!r} is no diagram", f"there are {', '.join(FORMATS)}")
    if str(graph.graph.get("version", VERSION)) != str(VERSION):
        raise refuse(f"version {graph.graph['version']!r} of {format_} is not read, only {VERSION}")
    return value_of(_Reader(graph).terms(format_))


class _Reader:
    """The nodes of a graph by what they are."""

    def __init__(self, graph: networkx.MultiDiGraph) -> None:
        self.graph = graph
        self.rows: dict[str, dict[int, Any]] = {"input": {}, "output": {}, "term": {}}
        self.inner: dict[int, dict[str, dict[int, Any]]] = {}
        for name, data in graph.nodes(data=True):
            kind, index = data.get("kind"), data.get("index")
            if kind in self.rows:
                row = self.rows[kind]
            elif kind in INNER:
                row = self.inner.setdefault(_integer(data.get("term", 0)), {inner: {} for inner in INNER})[kind]
            else:
                kinds = ", ".join((*self.rows, *INNER))
                raise refuse(f"node {name!r} is of kind {kind!r}, which is none of {kinds}")
            if type(index) is not int or index in row:
                raise refuse(f"{kind} {index!r} has no index of its own")
            row[index] = name
        for kind, row in self.rows.items():
            _numbered(kind, row)

    def terms(self, format_: str) -> Terms:
        several = format_ in ("catnn-sum", "catnn-combination")
        count = len(self.rows["term"]) if several else 1
        if set(self.inner) - set(range(count)):
            raise refuse("a block belongs to a term that does not exist")
        self.column = [self.rows["output"][j] for j in range(len(self.rows["output"]))]
        self.row = [self.rows["input"][i] for i in range(len(self.rows["input"]))]
        source, target = (tuple(_wire(self.graph.nodes[port]) for port in row) for row in (self.row, self.column))
        found = tuple(self.term(t, several=several) for t in range(count))
        return Terms(format_, source, target, found)

    def term(self, t: int, *, several: bool) -> Term:
        inner: dict[str, dict[int, Any]] = self.inner.get(t, {kind: {} for kind in INNER})
        for kind, row in inner.items():
            _numbered(kind, row)
        number = {name: b for b, name in inner["block"].items()}
        wires = tuple(_wire(self.graph.nodes[inner["block"][b]]).base for b in range(len(number)))
        nodes = tuple(self.node(inner["box"][x], number, wires) for x in range(len(inner["box"])))
        ins, outs = (tuple(self.end(port, number, row) for port in row) for row in (self.row, self.column))
        factor = self.graph.nodes[self.rows["term"][t]].get("coefficient") if several else None
        heads = tuple(sorted(self.jellyfish(name, number, wires) for name in inner["jellyfish"].values()))
        points = tuple(self.point(port, number) for port in (*self.column, *self.row))
        marks = heads, points if max(points, default=-1) >= 0 else ()
        return Term(read_scalar(factor) if several else ONE, wires, nodes, ins, outs, (), *marks)

    def jellyfish(self, name: Any, number: dict[Any, int], wires: tuple[Wire, ...]) -> str:
        """The space of a jellyfish, after checking that its legs are in the blocks of that space."""
        space = str(self.graph.nodes[name].get("space"))
        legs = [number.get(end, -1) for end in (*self.graph.successors(name), *self.graph.predecessors(name))]
        if sorted(legs) != [b for b, wire in enumerate(wires) if wire.space == space]:
            raise refuse(f"the jellyfish of {space!r} has a leg in each block of that space, and in nothing else")
        return space

    def point(self, port: Any, number: dict[Any, int]) -> int:
        """The point of an orbit at a port, -1 for none."""
        edges = (*self.graph.out_edges(port, data=True), *self.graph.in_edges(port, data=True))
        found = next(d.get("point", -1) for a, b, d in edges if a in number or b in number)
        if type(found) is not int:
            raise refuse("the point of a port is an integer")
        return found

    def end(self, port: Any, number: dict[Any, int], row: list[Any]) -> int:
        """The block of this term that a port of the diagram hangs on."""
        if row is self.row:
            ends = [head for _, head in self.graph.out_edges(port)] + [None] * self.graph.in_degree(port)
        else:
            ends = [tail for tail, _ in self.graph.in_edges(port)] + [None] * self.graph.out_degree(port)
        here = [number[end] for end in ends if end in number]
        if len(here) != 1 or len(ends) != max(1, len(self.rows["term"])):
            raise refuse(f"port {port!r} hangs on {len(here)} nodes, not on one block")
        return here[0]

    def node(self, name: Any, number: dict[Any, int], wires: tuple[Wire, ...]) -> Node:
        data = self.graph.nodes[name]
        ends = [
            {_integer(d.get("port")): (number.get(end), d) for end, d in row}
            for row in (
                [(tail, d) for tail, _, d in self.graph.in_edges(name, data=True)],
                [(head, d) for _, head, d in self.graph.out_edges(name, data=True)],
            )
        ]
        degrees = (self.graph.in_degree(name), self.graph.out_degree(name))
        rows, words = [], []
        for row, degree in zip(ends, degrees, strict=True):
            _numbered("leg", row)
            legs = [row[port] for port in range(len(row))]
            if len(legs) != degree or any(block is None for block, _ in legs):
                raise refuse(f"the legs of box {name!r} are not numbered, or hang on no block")
            rows.append(tuple(block for block, _ in legs if block is not None))
            words.append(tuple(dualised(wires[b], d) for b, (_, d) in zip(rows[-1], legs, strict=True)))
        return Node(read_box(data, words[0], words[1]), rows[0], rows[1])


def _integer(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise refuse(f"{value!r} is no number of a term or a port")
    return value


def _numbered(kind: str, row: dict[int, Any]) -> None:
    if sorted(row) != list(range(len(row))):
        raise refuse(f"the {kind}s are not numbered 0 to {len(row) - 1}")


def _wire(data: Attributes) -> Wire:
    try:
        wire = Wire(str(data["space"]), group_of(str(data["family"]), str(data["size"])))
    except KeyError as missing:
        raise refuse(f"a port has no {missing.args[0]}") from None
    return dualised(wire, data)


def dualised(wire: Wire, data: Attributes) -> Wire:
    """The wire or its dual, as the attributes say.  Raises: DocumentError where it has none."""
    if data.get("dual") != "yes":
        return wire
    if not FAMILIES[wire.group.family].oriented:
        raise refuse(f"{wire.group} has no dual wires")
    return wire.flipped()


def read_box(data: Attributes, source: tuple[Wire, ...], target: tuple[Wire, ...]) -> Box:
    """The box of these attributes and words.  Raises: DocumentError where it is none."""
    texts = [data.get(key) for key in ("name", "how", "adjoint", "symmetric")]
    if any(not isinstance(text, str) for text in texts[:2]) or data.get("turned", "no") not in ("yes", "no"):
        raise refuse("a box has a name, and `how` its numbers are had")
    name, how, adjoint, symmetric = (str(text or "") for text in texts)
    try:
        return Box(name, source, target, how, adjoint=adjoint, symmetric=symmetric, turned=data.get("turned") == "yes")
    except ValueError as fault:
        raise refuse(f"this is no box: {fault}") from None


def group_of(family: str, size: str) -> Group:
    """A group by the names of its family and its size.  Raises: DocumentError for an unknown family."""
    if family not in FAMILIES:
        raise refuse(f"there is no family of groups {family!r}; there are {', '.join(FAMILIES)}")
    number = size.isascii() and size.isdigit() and len(size) < 100
    fault = FAMILIES[family].size_fault(int(size)) if number else None
    if fault is not None or (family not in tuple(FAMILIES) and not number):
        raise refuse(f"there is no group {family} of size {size}: {fault or 'its size is a number'}")
    return Group(family, int(size) if number else size)


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
