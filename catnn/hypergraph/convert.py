"""Between diagrams and hypergraphs: a block is a vertex; what changes signs, `ev`, `coev` and `eps`, is a box."""

from __future__ import annotations

from catnn.category.compose import compose, identity, tensor
from catnn.category.diagram import Diagram, Morphism, Sum, linear
from catnn.category.families import FAMILIES
from catnn.category.scalar import ONE, Scalar
from catnn.category.wires import Wire
from catnn.diagnostics import fail
from catnn.hypergraph.box import FORMS, Box, form, orbit, structure
from catnn.hypergraph.graph import Hypergraph, Node


def from_diagram(diagram: Diagram) -> Hypergraph:
    """A diagram as a hypergraph with the same matrix.

    >>> import catnn
    >>> from_diagram(catnn.diagram("S(n)", "i j -> j i")).outs
    (1, 0)
    """
    l = len(diagram.target)
    wires: list[Wire] = []
    at = [-1] * (l + len(diagram.source))
    nodes: list[Node] = []
    orbits = tuple(w for w in diagram.spaces() if FAMILIES[w.group.family].orbital) if diagram.points else ()
    for block in _by_inputs(diagram):
        base = diagram.wire(block[0]).base
        outputs = tuple(v for v in block if v < l)
        bent = structure(base) == "plain" and len(outputs) != 1
        for vertex in block:
            if bent or base in orbits or at[block[0]] < 0:
                wires.append(base)
            at[vertex] = len(wires) - 1
        if bent:
            pair = tuple(at[v] for v in block)
            nodes.append(Node(form("coev", base), (), pair) if outputs else Node(form("ev", base), pair, ()))
    for wire in diagram.spaces():
        here = [v for v in range(len(at)) if diagram.wire(v).base == wire]
        legs = [at[v] for v in diagram.free if diagram.wire(v).base == wire]
        if wire in orbits:
            points = tuple(diagram.points[v] for v in here)
            count = sum(v < l for v in here)
            box = orbit(wire, points[count:], points[:count])
            nodes.append(Node(box, tuple(at[v] for v in here[count:]), tuple(at[v] for v in here[:count])))
        elif legs or wire.space in diagram.jellyfish:
            nodes.append(Node(form("eps", wire), (), (*legs, *_summed(wire, len(legs), wires))))
    ins, outs = tuple(at[l:]), tuple(at[:l])
    return Hypergraph(diagram.source, diagram.target, tuple(wires), tuple(nodes), ins, outs)


def _summed(wire: Wire, legs: int, wires: list[Wire]) -> tuple[int, ...]:
    """The legs of an epsilon that end nowhere: of a jellyfish one may be summed."""
    assert isinstance(wire.group.size, int)
    missing = wire.group.size - legs
    if missing > (FAMILIES[wire.group.family].epsilon == "jellyfish"):
        raise fail("E0406", f"{legs} legs are too few for the `eps` of {wire.group}")
    wires.extend([wire] * missing)
    return tuple(range(len(wires) - missing, len(wires)))


def _by_inputs(diagram: Diagram) -> list[tuple[int, ...]]:
    """The blocks in the order of reading: inputs first."""
    l = len(diagram.target)
    return sorted(diagram.parts, key=lambda block: min((v < l, v) for v in block))


def is_pure(graph: Hypergraph) -> bool:
    """Whether it is a diagram of its groups: it has no box but `ev`, `coev` and `eps`."""
    return all(box.kind == "form" and box.name in FORMS for box in graph.boxes)


def to_morphism(graph: Hypergraph) -> Sum:
    """A hypergraph without boxes as a linear combination of diagrams, loops as factors.

    Raises: ValueError where it has a box.

    >>> import catnn
    >>> trace = catnn.diagram("S(n)", "i i ->")
    >>> print(to_morphism(from_diagram(trace.dagger()) >> from_diagram(trace)))
    n * [->]
    """
    if not is_pure(graph):
        raise ValueError("a hypergraph with boxes is no sum of diagrams")
    makers = [node for node in graph.nodes if not node.inputs]
    takers = [node for node in graph.nodes if node.inputs]
    source = graph.source + tuple(wire for node in makers for wire in node.box.target)
    target = graph.target + tuple(wire for node in takers for wire in node.box.source)
    outs = (*graph.outs, *(v for node in takers for v in node.inputs))
    ins = (*graph.ins, *(v for node in makers for v in node.outputs))
    blocks: list[list[int]] = [[] for _ in graph.wires]
    for position, vertex in enumerate((*outs, *ins)):
        blocks[vertex].append(position)
    coefficient = ONE
    for wire, block in zip(graph.wires, blocks, strict=True):
        if not block:
            coefficient = coefficient * Scalar.size(wire.group.size)
    middle = Diagram(source, target, tuple(sorted(tuple(block) for block in blocks if block)))
    if not graph.nodes:
        return linear(source, target, ((coefficient, middle),))
    first = tensor((identity(graph.source), *(_whole(node.box) for node in makers)))
    last = tensor((identity(graph.target), *(_whole(node.box) for node in takers)))
    return compose(last, compose(middle, first)) * coefficient


def _whole(box: Box) -> Morphism:
    """The diagram of a form."""
    legs = len(box.source) + len(box.target)
    if box.name != "eps":
        return Diagram(box.source, box.target, (tuple(range(legs)),))
    wire = (*box.source, *box.target)[0]
    named = (wire.space,) if FAMILIES[wire.group.family].epsilon == "jellyfish" else ()
    whole = Diagram((), box.source + box.target, tuple((v,) for v in range(legs)), named)
    return whole.dagger() if box.turned else whole
