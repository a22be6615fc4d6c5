"""Morphisms, layers and networks as JSON; `catnn.view.reading` reads them back.

Every document has "format" and "version"; version 1 is:

catnn-diagram: {"spaces": {name: {"family": str, "size": int or str}}, "source": [name, ...], "target": [name, ...],
    "blocks": [[vertex, ...], ...], "pattern": str}; vertices are outputs 0..l-1, then inputs l..l+k-1; the dual of
    a space V of U(n) is the name V'; beside "blocks" "jellyfish": [name, ...], the spaces that have one, if any has;
    with orbits "points": [point, ...], an entry a vertex, -1 on other spaces.
catnn-sum: "spaces", "source" and "target" as above, and "terms": [{"coefficient": [[rational, {size: exponent}], ...],
    "blocks": ..., "pattern": ...}, ...]; a rational is a string, "1/2"; a coefficient is the sum of its monomials.
catnn-hypergraph: "spaces", "source" and "target", and "wires": [name, ...] (the space at each vertex), "boxes":
    [{"name", "kind", "adjoint", "symmetric", "turned", "source", "target", "inputs": [vertex, ...], "outputs":
    [vertex, ...]}, ...], "ins" and "outs" (the vertex at each input and output) and "pattern"; catnn-combination:
    "terms" of these, each with a "coefficient".
catnn-layer: "name", "spaces", "source" and "target" as [{"word": [name, ...], "channels": int}, ...], "reduce", "init",
    "learned", "biased", "complex" (whether there are weights, biases, complex numbers), "notes",
    "weights" and "fixed" as [{"parameter": str or null, "out": int, "in": int, "terms": [...]}, ...], "biases" the same
    without "in"; terms in the order of the weights, {"diagrams": [...]}, with "source" and "target" where a term has
    other words than its summands (plain wires are left out of the terms of `all`).
catnn-network: "name", "spaces", "from" and "to" (types as in a layer), "source" and "target" (the same as text),
    "complex", "body", "layers" and "networks" (documents, each once: what is named twice is shared), and for those who
    only look, "nodes": [{"name", "kind", "label"}, ...] and "flows": [{"tail", "head", "type", "coefficient"}, ...].
    A body is {"layer": number}, {"network": number}, {"activation": name, "type": ...}, {"identity": type},
    {"chain": [body, ...]} or {"sum": [{"coefficient": ..., "body": ...}, ...]}.

Patterns are for people; reading looks at blocks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from catnn.category.diagram import Diagram, Morphism
from catnn.category.pattern import show_pattern
from catnn.category.scalar import ONE, Scalar
from catnn.category.wires import Type, Wire, Word
from catnn.hypergraph.graph import Hypergraph
from catnn.hypergraph.linear import Combination
from catnn.model import Activate, Apply, Call, Combine, Identity, Layer, Network, Pipeline, Stage, walk
from catnn.view.gallery import wires_of
from catnn.view.graph import FORMAT, VERSION
from catnn.view.scalars import scalar_data

Data = dict[str, Any]


def to_json(value: Morphism | Hypergraph | Combination | Layer | Network) -> str:
    """The document of a value; the same value is the same text."""
    return _pretty(document(value), 0) + "\n"


def document(value: Morphism | Hypergraph | Combination | Layer | Network) -> Data:
    """A value as plain data."""
    match value:
        case Layer():
            return layer_data(value)
        case Network():
            return network_data(value)
        case Hypergraph() | Combination():
            return hypergraph_data(value)
    return morphism_data(value)


def _pretty(data: Any, depth: int) -> str:
    """A key or a list item a line, and what fits on a line on a line."""
    flat = json.dumps(data, ensure_ascii=False)
    if not isinstance(data, dict | list) or (depth and len(flat) <= 110):
        return flat
    pad = "  " * (depth + 1)
    if isinstance(data, dict):
        inner = [f"{json.dumps(key, ensure_ascii=False)}: {_pretty(v, depth + 1)}" for key, v in data.items()]
    else:
        inner = [_pretty(v, depth + 1) for v in data]
    start, end = "{}" if isinstance(data, dict) else "[]"
    return start + "\n" + ",\n".join(pad + line for line in inner) + "\n" + "  " * depth + end


def morphism_data(morphism: Morphism) -> Data:
    """A diagram (or a sum that is one), or a sum, as plain data."""
    single = morphism if isinstance(morphism, Diagram) else getattr(morphism, "single", None)
    head = {
        "format": FORMAT if single is not None else "catnn-sum",
        "version": VERSION,
        "spaces": _spaces(morphism.source + morphism.target),
        "source": [str(wire) for wire in morphism.source],
        "target": [str(wire) for wire in morphism.target],
    }
    if single is not None:
        return {**head, **_blocks(single)}
    return {**head, "terms": [_term(c, d) for c, d in morphism.weighted]}


def hypergraph_data(value: Hypergraph | Combination) -> Data:
    """A diagram with boxes, or a combination of such, as plain data."""
    several = isinstance(value, Combination)
    weighted = value.weighted if isinstance(value, Combination) else ((ONE, value),)
    terms = [{"coefficient": scalar_data(c), **_graph(graph)} for c, graph in weighted]
    wires = [wire.base for _, graph in weighted for wire in graph.wires]
    head = {
        "format": "catnn-combination" if several else "catnn-hypergraph",
        "version": VERSION,
        "spaces": _spaces([*value.source, *value.target, *wires]),
        "source": [str(wire) for wire in value.source],
        "target": [str(wire) for wire in value.target],
    }
    if several:
        return {**head, "terms": terms}
    return {**head, **_graph(weighted[0][1])}


def _graph(graph: Hypergraph) -> Data:
    boxes = [
        {
            "name": box.name, "kind": box.kind, "adjoint": box.adjoint, "symmetric": box.symmetric,
            "turned": box.turned,
            "source": [str(wire) for wire in box.source], "target": [str(wire) for wire in box.target],
            "inputs": list(inputs), "outputs": list(outputs),
        }
        for box, inputs, outputs in graph.nodes
    ]  # fmt: skip
    ends = {"ins": list(graph.ins), "outs": list(graph.outs), "pattern": str(graph)}
    return {"wires": [str(wire) for wire in graph.wires], "boxes": boxes, **ends}


def _blocks(diagram: Diagram) -> Data:
    signed = {"jellyfish": list(diagram.jellyfish)} if diagram.jellyfish else {}
    points = {"points": list(diagram.points)} if diagram.points else {}
    return {"blocks": [list(block) for block in diagram.parts], **signed, **points, "pattern": show_pattern(diagram)}


def _term(coefficient: Scalar, diagram: Diagram) -> Data:
    return {"coefficient": scalar_data(coefficient), **_blocks(diagram)}


def _spaces(wires: Iterable[Wire]) -> Data:
    spaces: dict[str, Wire] = {}
    for wire in wires:
        if spaces.setdefault(wire.space, wire.base) != wire.base:
            raise ValueError(f"two spaces are called {wire.space!r}")
    return {name: {"family": wire.group.family, "size": wire.group.size} for name, wire in spaces.items()}


def layer_data(layer: Layer) -> Data:
    """A layer as plain data."""
    outs, ins = range(len(layer.target.summands)), range(len(layer.source.summands))
    pairs = [(o, i) for o in outs for i in ins]
    words = [[(source.word, target.word) for source in layer.source.summands] for target in layer.target.summands]
    return {
        "format": "catnn-layer",
        "version": VERSION,
        "name": layer.name,
        "spaces": _spaces(wires_of(layer.source, layer.target)),
        "source": _type(layer.source),
        "target": _type(layer.target),
        "reduce": layer.reduce,
        "init": layer.init,
        "learned": layer.learned,
        "biased": layer.biased,
        "complex": layer.is_complex,
        "notes": list(layer.notes),
        "weights": [
            {
                "parameter": layer.weight_name(o, i),
                "out": o,
                "in": i,
                "terms": _terms(layer.weighted[o][i], words[o][i]),
            }
            for o, i in pairs
        ],
        "biases": [
            {"parameter": layer.bias_name(o), "out": o, "terms": _terms(layer.biases[o], ((), words[o][0][1]))}
            for o in outs
        ],
        "fixed": [
            {"parameter": None, "out": o, "in": i, "terms": _terms(layer.fixed_parts[o][i], words[o][i])}
            for o, i in pairs
        ],
    }


def _terms(terms: Iterable[Morphism], words: tuple[Word, Word]) -> list[Data]:
    """One term may be a sum of several diagrams: a list of them each; its words where they are not the summands'."""
    found: list[Data] = []
    for term in terms:
        diagrams = {"diagrams": [_term(c, d) for c, d in term.weighted]}
        sides = {"source": [str(w) for w in term.source], "target": [str(w) for w in term.target]}
        found.append({**diagrams, **(sides if (term.source, term.target) != words else {})})
    return found


def _type(type_: Type) -> list[Data]:
    """The summands; one with symmetric powers says where they begin and how many wires share an axis."""
    found: list[Data] = []
    for s in type_.summands:
        symmetric = {"symmetric": [list(pair) for pair in s.symmetric]} if s.symmetric else {}
        found.append({"word": [str(wire) for wire in s.word], "channels": s.channels, **symmetric})
    return found


def network_data(network: Network) -> Data:
    """A network as plain data."""
    from catnn.view.pipeline import network_graph

    graph = network_graph(network)
    layers = {id(layer): number for number, layer in enumerate(network.layers)}
    networks = {id(inner): number for number, inner in enumerate(network.networks)}
    return {
        "format": "catnn-network",
        "version": VERSION,
        "name": network.name,
        "spaces": _spaces(_wires(network)),
        "from": _type(network.source),
        "to": _type(network.target),
        "source": str(network.source),
        "target": str(network.target),
        "complex": network.is_complex,
        "body": _body(network.body, layers, networks),
        "layers": [layer_data(layer) for layer in network.layers],
        "networks": [network_data(inner) for inner in network.networks],
        "nodes": [{"name": n.name, "kind": n.kind, "label": n.label} for n in graph.nodes],
        "flows": [{"tail": f.tail, "head": f.head, "type": f.type, "coefficient": f.coefficient} for f in graph.flows],
    }


def _wires(network: Network) -> list[Wire]:
    types = [network.source, network.target]
    types += [stage.source for stage in walk(network.body) if isinstance(stage, Activate | Identity)]
    return [wire for type_ in types for word in type_.words for wire in word]


def _body(stage: Stage, layers: dict[int, int], networks: dict[int, int]) -> Data:
    match stage:
        case Apply(layer=layer):
            return {"layer": layers[id(layer)]}
        case Call(network=network):
            return {"network": networks[id(network)]}
        case Activate(activation=name, source=source):
            return {"activation": name, "type": _type(source)}
        case Identity(source=source):
            return {"identity": _type(source)}
        case Pipeline(stages=stages):
            return {"chain": [_body(inner, layers, networks) for inner in stages]}
        case Combine(terms=terms):
            return {"sum": [{"coefficient": scalar_data(c), "body": _body(s, layers, networks)} for c, s in terms]}
