"""Diagrams, sums, layers and networks as JSON, and diagrams and sums back.

Every document has "format" and "version"; version 1 is:

catnn-diagram: {"spaces": {name: {"family": str, "size": int or str}}, "source": [name, ...], "target": [name, ...],
    "blocks": [[vertex, ...], ...], "pattern": str}; vertices are outputs 0..l-1, then inputs l..l+k-1; the dual of
    a space V of U(n) is the name V'; beside "blocks" "jellyfish": [name, ...], the spaces that have one, if any has;
    with orbits "points": [point, ...], an entry a vertex, -1 on other spaces.
catnn-sum: "spaces", "source" and "target" as above, and "terms": [{"coefficient": [[rational, {size: exponent}], ...],
    "blocks": ..., "pattern": ...}, ...]; a rational is a string, "1/2"; a coefficient is the sum of its monomials.
catnn-layer: "name", "spaces", "source" and "target" as [{"word": [name, ...], "channels": int}, ...], "reduce", "init",
    "weights" and "fixed" as [{"parameter": str or null, "out": int, "in": int, "terms": [...]}, ...], "biases" the same
    without "in"; terms in the order of the weights.
catnn-network: "name", "source", "target" (as text), "nodes": [{"name", "kind", "label"}, ...],
    "flows": [{"tail", "head", "type", "coefficient"}, ...].

Patterns are for people; reading looks at blocks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from catnn.category.diagram import Diagram, Morphism, Sum, linear
from catnn.category.families import FAMILIES
from catnn.category.pattern import show_pattern
from catnn.category.scalar import ZERO, Scalar
from catnn.category.wires import Type, Wire, Word
from catnn.model import Layer, Network
from catnn.view.gallery import wires_of
from catnn.view.graph import FORMAT, VERSION, group_of

Data = dict[str, Any]

RATIONAL = re.compile(r"-?\d{1,4000}(/\d{1,4000})?")
"""A number as it is written: no exponents, which could make one of any length."""


def to_json(value: Morphism | Layer | Network) -> str:
    """The document of a diagram, a sum, a layer or a network; the same value is the same text."""
    if isinstance(value, Layer):
        data = layer_data(value)
    elif isinstance(value, Network):
        data = network_data(value)
    else:
        data = morphism_data(value)
    return _pretty(data, 0) + "\n"


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


def _blocks(diagram: Diagram) -> Data:
    signed = {"jellyfish": list(diagram.jellyfish)} if diagram.jellyfish else {}
    points = {"points": list(diagram.points)} if diagram.points else {}
    return {"blocks": [list(block) for block in diagram.parts], **signed, **points, "pattern": show_pattern(diagram)}


def _term(coefficient: Scalar, diagram: Diagram) -> Data:
    return {"coefficient": [[str(c), dict(m)] for m, c in coefficient.terms], **_blocks(diagram)}


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
    return {
        "format": "catnn-layer",
        "version": VERSION,
        "name": layer.name,
        "spaces": _spaces(wires_of(layer.source, layer.target)),
        "source": _type(layer.source),
        "target": _type(layer.target),
        "reduce": layer.reduce,
        "init": layer.init,
        "weights": [
            {"parameter": layer.weight_name(o, i), "out": o, "in": i, "terms": _terms(layer.weighted[o][i])}
            for o, i in pairs
        ],
        "biases": [{"parameter": layer.bias_name(o), "out": o, "terms": _terms(layer.biases[o])} for o in outs],
        "fixed": [{"parameter": None, "out": o, "in": i, "terms": _terms(layer.fixed_parts[o][i])} for o, i in pairs],
    }


def _terms(terms: Iterable[Morphism]) -> list[Data]:
    """One term may be a sum of several diagrams: a list of them each."""
    return [{"diagrams": [_term(c, d) for c, d in term.weighted]} for term in terms]


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
    return {
        "format": "catnn-network",
        "version": VERSION,
        "name": network.name,
        "source": str(network.source),
        "target": str(network.target),
        "nodes": [{"name": n.name, "kind": n.kind, "label": n.label} for n in graph.nodes],
        "flows": [{"tail": f.tail, "head": f.head, "type": f.type, "coefficient": f.coefficient} for f in graph.flows],
    }


# ----------------------------------------------------------------------------------------------------------- reading


def from_json(text: str) -> Diagram | Sum:
    """The diagram or the sum of a document.

    Raises: ValueError where it is none, or of another version; CatnnError where a block is none of its group's.
    """
    try:
        data = json.loads(text)
    except RecursionError:
        raise ValueError("brackets nest too deep") from None
    if not isinstance(data, dict) or data.get("format") not in (FORMAT, "catnn-sum"):
        raise ValueError("this is no JSON of a diagram")
    if data.get("version") != VERSION:
        raise ValueError(f"version {data.get('version')!r} of {data['format']} is not read, only {VERSION}")
    try:
        return _read(data)
    except (KeyError, TypeError, AttributeError, IndexError) as fault:
        raise ValueError(f"this {data['format']} is incomplete: {fault!r}") from None


def _read(data: Data) -> Diagram | Sum:
    wires = {n: Wire(n, group_of(g["family"], str(g["size"]))) for n, g in data["spaces"].items()}
    wires.update({f"{n}'": wire.flipped() for n, wire in wires.items() if FAMILIES[wire.group.family].oriented})
    source, target = (tuple(wires[name] for name in data[side]) for side in ("source", "target"))
    if data["format"] == FORMAT:
        return _diagram(source, target, data)
    pairs = [(_coefficient(term["coefficient"]), _diagram(source, target, term)) for term in data["terms"]]
    return linear(source, target, pairs)


def _diagram(source: Word, target: Word, data: Data) -> Diagram:
    blocks: list[list[Any]] = data["blocks"]
    signed, points = data.get("jellyfish", []), data.get("points", [])
    if any(type(v) is not int or v < 0 for block in blocks for v in block):
        raise ValueError("vertices are the integers from 0")
    if not all(blocks):
        raise ValueError("a block has one vertex or more")
    if not isinstance(signed, list) or not all(isinstance(name, str) for name in signed):
        raise ValueError("the spaces of jellyfish are a list of names")
    if not isinstance(points, list) or any(type(point) is not int for point in points):
        raise ValueError("the points of orbits are a list of integers")
    parts = tuple(sorted(tuple(sorted(block)) for block in blocks))
    return Diagram(source, target, parts, tuple(sorted(signed)), tuple(points))


def _coefficient(monomials: list[tuple[str, dict[str, int]]]) -> Scalar:
    total = ZERO
    for rational, exponents in monomials:
        if not RATIONAL.fullmatch(rational):
            raise ValueError(f"{rational[:40]!r} is no rational number")
        term = Scalar.of(Fraction(rational))
        for size, exponent in exponents.items():
            term = term * Scalar.size(size, exponent)
        total = total + term
    return total
