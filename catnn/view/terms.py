"""What every morphism is made of, in one shape, which graphs are written from and read to: vertices, boxes and ends.

A diagram is one term without boxes, a sum has several, a hypergraph has boxes, a combination both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catnn.category.diagram import Diagram, Morphism, Sum, linear
from catnn.category.pattern import spell
from catnn.category.scalar import ONE, Scalar
from catnn.category.wires import Wire, Word
from catnn.hypergraph.graph import Hypergraph, Node
from catnn.hypergraph.linear import Combination, combination
from catnn.view.refusal import refuse

FORMATS = ("catnn-diagram", "catnn-sum", "catnn-hypergraph", "catnn-combination")


@dataclass(frozen=True, slots=True)
class Term:
    """A coefficient times a hypergraph in arrays: the wire at each vertex, the boxes, the vertices at the ends.

    letters: for each vertex what a pattern calls it, "" for none; jellyfish: the spaces that have one; points: for each
    end, outputs first, the point of an orbit there, -1 for none, or ().
    """

    coefficient: Scalar
    wires: tuple[Wire, ...]
    nodes: tuple[Node, ...]
    ins: tuple[int, ...]
    outs: tuple[int, ...]
    letters: tuple[str, ...] = ()
    jellyfish: tuple[str, ...] = ()
    points: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """A morphism as a format and its terms."""

    format: str
    source: Word
    target: Word
    terms: tuple[Term, ...]


def terms_of(value: Morphism | Hypergraph | Combination) -> Terms:
    """A morphism in this shape; a sum that is one diagram is that diagram."""
    if isinstance(value, Sum) and value.single is not None:
        value = value.single
    match value:
        case Diagram():
            return Terms("catnn-diagram", value.source, value.target, (_of_diagram(ONE, value),))
        case Morphism():
            found = tuple(_of_diagram(c, d) for c, d in value.weighted)
            return Terms("catnn-sum", value.source, value.target, found)
        case Hypergraph():
            return Terms("catnn-hypergraph", value.source, value.target, (_of_graph(ONE, value),))
    found = tuple(_of_graph(c, g) for c, g in value.weighted)
    return Terms("catnn-combination", value.source, value.target, found)


def _of_diagram(coefficient: Scalar, diagram: Diagram) -> Term:
    l = len(diagram.target)
    block_of = {v: b for b, part in enumerate(diagram.parts) for v in part}
    inputs, outputs = spell(diagram)
    letters = tuple((*outputs, *inputs)[part[0]] for part in diagram.parts)
    ends = [block_of[v] for v in range(len(block_of))]
    wires = tuple(diagram.wire(part[0]) for part in diagram.parts)
    signs = (diagram.jellyfish, diagram.points)
    return Term(coefficient, wires, (), tuple(ends[l:]), tuple(ends[:l]), letters, *signs)


def _of_graph(coefficient: Scalar, graph: Hypergraph) -> Term:
    return Term(coefficient, graph.wires, graph.nodes, graph.ins, graph.outs, ("",) * len(graph.wires))


def value_of(found: Terms) -> Diagram | Sum | Hypergraph | Combination:
    """The morphism of this shape.  Raises: DocumentError, CatnnError where it is none."""
    match found.format:
        case "catnn-diagram":
            _one(found)
            return _diagram(found, found.terms[0])
        case "catnn-sum":
            return linear(found.source, found.target, [(t.coefficient, _diagram(found, t)) for t in found.terms])
        case "catnn-hypergraph":
            _one(found)
            return _graph(found, found.terms[0])
        case "catnn-combination":
            return combination(found.source, found.target, [(t.coefficient, _graph(found, t)) for t in found.terms])
    raise refuse(f"{found.format!r} is not a format of morphisms", f"there are {', '.join(FORMATS)}")


def _one(found: Terms) -> None:
    if len(found.terms) != 1:
        raise refuse(f"a {found.format} has one term, not {len(found.terms)}")


def _diagram(found: Terms, term: Term) -> Diagram:
    if term.nodes:
        raise refuse("a diagram without boxes has a box", "with boxes its format is catnn-hypergraph")
    blocks: dict[int, list[int]] = {}
    for vertex, block in enumerate((*term.outs, *term.ins)):
        blocks.setdefault(block, []).append(vertex)
    if len(blocks) != len(term.wires):
        raise refuse("a block has one vertex or more")
    parts = tuple(sorted(tuple(block) for block in blocks.values()))
    return Diagram(found.source, found.target, parts, term.jellyfish, term.points)


def _graph(found: Terms, term: Term) -> Hypergraph:
    if term.jellyfish or term.points:
        raise refuse("a diagram with boxes has no jellyfish and no orbits")
    rows: Sequence[Sequence[int]] = (term.ins, term.outs, *(row for n in term.nodes for row in (n.inputs, n.outputs)))
    if any(not 0 <= v < len(term.wires) for row in rows for v in row):
        raise refuse("an end names a vertex that does not exist")
    return Hypergraph(found.source, found.target, term.wires, term.nodes, term.ins, term.outs)
