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
    "complex", "body", "layers" (documents) and "networks" (those that are called, here or in one of these: "name",
    "from", "to", "complex", "body"; a network calls earlier ones), each once: what is named twice is shared; and for
    those who only look, "nodes": [{"name", "kind", "label"}, ...] and "flows": [{"tail", "head", "type",
    "coefficient"}, ...].
    A body is {"layer": number}, {"network": number}, {"activation": name, "type": ...}, {"identity": type},
    {"chain": [body, ...]}, {"sum": [{"coefficient": ..., "body": ...}, ...]}, or of a point-ful network
    {"program": {"parameters": [{"name", "type"}, ...], "boxes": [...], "tensors": [...], "steps": [...], "results":
    [[value, ...], ...], "targets": [type, ...], "names": [str, ...]}}.  Values are numbered: the summands of the
    parameters, then what each step makes.  "tensors" are the numbers of the first boxes: {"rank", "init", "shares",
    "map", "constant": null or {"shape", "dtype", "base64"}}.  A step has "inputs": [value, ...], "outputs": [summand,
    ...] and one of "run": body; "contract": {"pattern", "operands": [{"input" | "box": number or "form": str, "axes":
    [index, ...]}, ...], "target": [index, ...], "wires": [name, ...] (the space of each index), "scalar"}; "along":
    function, with "axes"; "map": box; "add": [coefficient, ...].
catnn-rule: "name", "law" (as it was written), "oriented", "forward", "spaces", "source" and "target", "left" (as a
    catnn-hypergraph, without its words) and "right" ("terms" of a catnn-combination).  catnn-schema, a rule with free
    arities: "name", "law", "oriented", "variables", "left" and "right", which are sketches, and "instances", the rules
    for small ones.  A sketch is ["value", catnn-combination], ["spider", wire, inputs, outputs], ["chain" or "beside",
    [sketch, ...]], ["power", sketch, times], ["sum", [[coefficient, sketch], ...]], or ["same", sketch], the identity
    of the word that a sketch starts from; inputs, outputs and times are numbers or variables.
catnn-proof: a trace or a proof, as `catnn.rewrite.proofs` writes them.

Patterns are for people; reading looks at blocks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from catnn.category.diagram import Diagram, Morphism
from catnn.category.pattern import show_pattern
from catnn.category.scalar import ONE, Scalar
from catnn.category.wires import Word
from catnn.hypergraph.graph import Hypergraph
from catnn.hypergraph.linear import Combination
from catnn.model import Layer, Network
from catnn.rewrite import proofs
from catnn.rewrite.rule import Rule, Schema
from catnn.rewrite.trace import Proof, Trace
from catnn.view.graph import FORMAT, VERSION
from catnn.view.scalars import scalar_data
from catnn.view.types import Data, Spaces

Story = Rule | Schema | Trace | Proof


def to_json(value: Morphism | Hypergraph | Combination | Layer | Network | Story) -> str:
    """The document of a value; the same value is the same text."""
    if isinstance(value, Trace | Proof):
        return proofs.to_json(value)
    return _pretty(document(value), 0) + "\n"


def document(value: Morphism | Hypergraph | Combination | Layer | Network | Story) -> Data:
    """A value as plain data."""
    match value:
        case Rule() | Schema() | Trace() | Proof():
            from catnn.view.stories import story_data

            return story_data(value)
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
        **_words(Spaces(), morphism.source, morphism.target),
    }
    if single is not None:
        return {**head, **_blocks(single)}
    return {**head, "terms": [_term(c, d) for c, d in morphism.weighted]}


def hypergraph_data(value: Hypergraph | Combination) -> Data:
    """A diagram with boxes, or a combination of such, as plain data."""
    several, spaces = isinstance(value, Combination), Spaces()
    weighted = value.weighted if isinstance(value, Combination) else ((ONE, value),)
    words = _words(spaces, value.source, value.target)
    terms = terms_data(weighted, spaces)
    head = {
        "format": "catnn-combination" if several else "catnn-hypergraph",
        "version": VERSION,
        **words,
        "spaces": spaces.data(),
    }
    if several:
        return {**head, "terms": terms}
    del terms[0]["coefficient"]
    return {**head, **terms[0]}


def _words(spaces: Spaces, source: Word, target: Word) -> Data:
    rows = {"source": spaces.word(source), "target": spaces.word(target)}
    return {"spaces": spaces.data(), **rows}


def terms_data(weighted: Iterable[tuple[Scalar, Hypergraph]], spaces: Spaces) -> list[Data]:
    """Diagrams with boxes and their coefficients."""
    return [{"coefficient": scalar_data(c), **graph_data(graph, spaces)} for c, graph in weighted]


def graph_data(graph: Hypergraph, spaces: Spaces) -> Data:
    """A diagram with boxes, without its words."""
    boxes = [
        {**spaces.box(box), "inputs": list(inputs), "outputs": list(outputs)} for box, inputs, outputs in graph.nodes
    ]
    ends = {"ins": list(graph.ins), "outs": list(graph.outs), "pattern": str(graph)}
    return {"wires": spaces.word(graph.wires), "boxes": boxes, **ends}


def _blocks(diagram: Diagram) -> Data:
    signed = {"jellyfish": list(diagram.jellyfish)} if diagram.jellyfish else {}
    points = {"points": list(diagram.points)} if diagram.points else {}
    return {"blocks": [list(block) for block in diagram.parts], **signed, **points, "pattern": show_pattern(diagram)}


def _term(coefficient: Scalar, diagram: Diagram) -> Data:
    return {"coefficient": scalar_data(coefficient), **_blocks(diagram)}


def layer_data(layer: Layer) -> Data:
    """A layer as plain data."""
    outs, ins = range(len(layer.target.summands)), range(len(layer.source.summands))
    pairs = [(o, i) for o in outs for i in ins]
    words = [[(source.word, target.word) for source in layer.source.summands] for target in layer.target.summands]
    spaces = Spaces()
    source, target = spaces.type(layer.source), spaces.type(layer.target)
    return {
        "format": "catnn-layer",
        "version": VERSION,
        "name": layer.name,
        "spaces": spaces.data(),
        "source": source,
        "target": target,
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


def network_data(network: Network) -> Data:
    """A network as plain data, with everything that it calls."""
    from catnn.view.bodies import Writer, called
    from catnn.view.pipeline import network_graph

    graph, inner, spaces = network_graph(network), called(network), Spaces()
    every = {id(layer): layer for found in (network, *inner) for layer in found.layers}
    writer = Writer(spaces, {key: at for at, key in enumerate(every)}, {id(n): at for at, n in enumerate(inner)})

    def own(found: Network) -> Data:
        ends = {"name": found.name, "from": spaces.type(found.source), "to": spaces.type(found.target)}
        return {**ends, "complex": found.is_complex, "body": writer.body(found.body)}

    body, networks = own(network), [own(found) for found in inner]
    return {
        "format": "catnn-network",
        "version": VERSION,
        "name": network.name,
        "spaces": spaces.data(),
        "from": body["from"],
        "to": body["to"],
        "source": str(network.source),
        "target": str(network.target),
        "complex": network.is_complex,
        "body": body["body"],
        "layers": [layer_data(layer) for layer in every.values()],
        "networks": networks,
        "nodes": [{"name": n.name, "kind": n.kind, "label": n.label} for n in graph.nodes],
        "flows": [
            {"tail": f.tail, "head": f.head, "type": f.type, "coefficient": str(f.coefficient)} for f in graph.flows
        ],
    }
