"""To and from discopy (the extra ``discopy``): its hypergraphs with spiders are ours, wire for wire and box for box.

A space becomes a type of its name, so reading asks for the groups; a box keeps what it promises in its data.  Spaces of
U(n) are refused: in discopy's hypergraph categories every type is its own dual.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from catnn.category.diagram import Diagram, Morphism
from catnn.category.families import FAMILIES
from catnn.category.wires import Wire, Word
from catnn.diagnostics import fail
from catnn.hypergraph.box import Box
from catnn.hypergraph.convert import from_diagram, to_morphism
from catnn.hypergraph.graph import Hypergraph, Node
from catnn.hypergraph.linear import Combination
from catnn.view.refusal import refuse

if TYPE_CHECKING:
    from discopy import frobenius


def _frobenius() -> Any:
    try:
        from discopy import frobenius
    except ImportError:
        helps = ("install it: `pip install 'catnn[discopy]'`",)
        raise fail("E1030", "this needs the package `discopy`, which is not installed", helps=helps) from None
    return frobenius


def to_discopy(value: Morphism | Hypergraph | Combination) -> frobenius.Hypergraph:
    """A diagram as a `discopy.frobenius.Hypergraph`; its `to_diagram()` is a discopy diagram.

    Raises: DocumentError for a sum of several diagrams, or a space of U(n); CatnnError (E1030) without discopy.
    """
    frobenius = _frobenius()
    graph = _graph(value)
    if any(FAMILIES[wire.group.family].oriented for wire in graph.wires):
        raise refuse("discopy has no hypergraphs whose wires have a direction, as those of U(n) do")
    boxes = tuple(_box(frobenius, node.box) for node in graph.nodes)
    wires = (graph.ins, tuple((node.inputs, node.outputs) for node in graph.nodes), graph.outs)
    types = tuple(_type(frobenius, (wire,)) for wire in graph.wires)
    return frobenius.Hypergraph(_type(frobenius, graph.source), _type(frobenius, graph.target), boxes, wires, types)


def _graph(value: Morphism | Hypergraph | Combination) -> Hypergraph:
    single = value.single if isinstance(value, Combination) else getattr(value, "single", value)
    match single:
        case Hypergraph():
            return single
        case Diagram():
            return from_diagram(single)
    if isinstance(value, Morphism | Combination):
        raise refuse("discopy's hypergraphs are no sums: give one of the terms")
    what = type(value).__name__
    raise refuse(f"discopy takes diagrams, and this is a {what}: of a layer, give one of its `diagrams`")


def _type(frobenius: Any, word: Word) -> Any:
    return frobenius.Ty(*(wire.space for wire in word))


def _box(frobenius: Any, box: Box) -> Any:
    data = {"catnn": {"kind": box.kind, "adjoint": box.adjoint, "symmetric": box.symmetric}}
    return frobenius.Box(
        box.name, _type(frobenius, box.source), _type(frobenius, box.target), data=data, is_dagger=box.turned
    )


def from_discopy(diagram: Any, spaces: Mapping[str, Wire]) -> Diagram | Hypergraph:
    """A discopy hypergraph, or a diagram that has one; without boxes, a Diagram.

    spaces: the wire of every type, by its name.  Raises: DocumentError where a type has none, or the value is no
    hypergraph; CatnnError where a spider is none of its group's.
    """
    _frobenius()
    found = diagram.to_hypergraph() if hasattr(diagram, "to_hypergraph") else diagram
    if not all(hasattr(found, name) for name in ("dom_wires", "box_wires", "cod_wires", "spider_types")):
        raise refuse(f"{type(diagram).__name__} is no hypergraph of discopy")
    wires = tuple(wire for kind in found.spider_types for wire in _word(kind, spaces))
    nodes = tuple(
        Node(_read_box(box, spaces), tuple(ins), tuple(outs))
        for box, (ins, outs) in zip(found.boxes, found.box_wires, strict=True)
    )
    words = _word(found.dom, spaces), _word(found.cod, spaces)
    graph = Hypergraph(*words, wires, nodes, tuple(found.dom_wires), tuple(found.cod_wires))
    if nodes:
        return graph
    pure = to_morphism(graph).single
    return graph if pure is None else pure


def _word(kind: Any, spaces: Mapping[str, Wire]) -> Word:
    names = [str(getattr(ob, "name", ob)) for ob in kind.inside]
    missing = next((name for name in names if name not in spaces), None)
    if missing is not None:
        raise refuse(f"the type {missing!r} has no space", "give one: `from_discopy(diagram, spec.spaces)`")
    return tuple(spaces[name] for name in names)


def _read_box(box: Any, spaces: Mapping[str, Wire]) -> Box:
    data = box.data if isinstance(box.data, dict) else {}
    ours = data.get("catnn", {})
    words = _word(box.dom, spaces), _word(box.cod, spaces)
    adjoint, symmetric = (str(ours.get(key, "")) for key in ("adjoint", "symmetric"))
    try:
        return Box(str(box.name), *words, str(ours.get("kind", "abstract")), adjoint=adjoint, symmetric=symmetric,
                   turned=bool(box.is_dagger))  # fmt: skip
    except ValueError as fault:
        raise refuse(f"this is no box: {fault}") from None
