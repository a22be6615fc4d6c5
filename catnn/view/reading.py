"""Documents read back: JSON of every kind, and the graphs of layers, networks, rules and proofs.

The graph of one of these carries its document; that is what is read, and a graph that no longer agrees with its
document is refused rather than half believed.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from catnn.category.diagram import Diagram, Morphism, Sum, linear
from catnn.category.scalar import ONE
from catnn.category.wires import Type, Word
from catnn.diagnostics import CatnnError
from catnn.hypergraph.graph import Hypergraph, Node
from catnn.hypergraph.linear import Combination, combination
from catnn.model import Layer, Network
from catnn.rewrite.rule import Rule, Schema
from catnn.rewrite.trace import Proof, Trace
from catnn.view import graph as graphs
from catnn.view.refusal import refuse
from catnn.view.scalars import read_scalar_data
from catnn.view.terms import FORMATS
from catnn.view.types import Data, Wires, read_box_data, read_index, read_row, read_type, read_wires, read_word

if TYPE_CHECKING:
    import networkx

Value = Diagram | Sum | Hypergraph | Combination | Layer | Network | Rule | Schema | Trace | Proof


def from_json(text: str, *, allow_maps: bool = False) -> Value:
    """The value of a document.

    allow_maps: whether it may call functions of other packages, which runs their code when it is compiled.
    Raises: DocumentError where it is none, or of another version; CatnnError where a block is none of its group's.
    """
    try:
        data = json.loads(text)
    except RecursionError:
        raise refuse("brackets nest too deep") from None
    except ValueError as fault:
        raise refuse(f"this is no JSON: {fault}") from None
    value = from_data(data)
    if isinstance(value, Network) and not allow_maps:
        from catnn.view.bodies import refuse_maps

        refuse_maps(value)
    return value


def from_data(data: Any) -> Value:
    """The value of plain data; raises as `from_json`, and does not ask what it calls."""
    if not isinstance(data, dict) or not isinstance(data.get("format"), str) or data["format"] not in READERS:
        raise refuse("this is no document of catnn", f"its `format` is one of {', '.join(READERS)}")
    if data.get("version") != graphs.VERSION:
        raise refuse(f"version {data.get('version')!r} of {data['format']} is not read, only {graphs.VERSION}")
    try:
        value: Value = READERS[data["format"]](data)
        return value
    except CatnnError:
        raise
    except (KeyError, TypeError, AttributeError, IndexError, ValueError, RecursionError) as fault:
        raise refuse(f"this {data['format']} is incomplete: {fault!r}") from None


# -------------------------------------------------------------------------------------------------------- morphisms


def _diagram(data: Data) -> Diagram:
    wires = read_wires(data)
    return _blocks(read_word(wires, data["source"]), read_word(wires, data["target"]), data)


def _sum(data: Data) -> Sum:
    wires = read_wires(data)
    source, target = read_word(wires, data["source"]), read_word(wires, data["target"])
    return linear(source, target, [_term(source, target, term) for term in data["terms"]])


def _term(source: Word, target: Word, data: Data) -> Any:
    return read_scalar_data(data["coefficient"]), _blocks(source, target, data)


def _blocks(source: Word, target: Word, data: Data) -> Diagram:
    blocks: list[list[Any]] = data["blocks"]
    signed, points = data.get("jellyfish", []), data.get("points", [])
    if any(type(v) is not int or v < 0 for block in blocks for v in block):
        raise refuse("vertices are the integers from 0")
    if not all(blocks):
        raise refuse("a block has one vertex or more")
    if not isinstance(signed, list) or not all(isinstance(name, str) for name in signed):
        raise refuse("the spaces of jellyfish are a list of names")
    if not isinstance(points, list) or any(type(point) is not int for point in points):
        raise refuse("the points of orbits are a list of integers")
    parts = tuple(sorted(tuple(sorted(block)) for block in blocks))
    return Diagram(source, target, parts, tuple(sorted(signed)), tuple(points))


def _hypergraph(data: Data) -> Hypergraph:
    wires = read_wires(data)
    return _graph(wires, read_word(wires, data["source"]), read_word(wires, data["target"]), data)


def _combination(data: Data) -> Combination:
    return read_combination(read_wires(data), data)


def read_combination(wires: Wires, data: Data) -> Combination:
    """A sum of diagrams with boxes."""
    source, target = read_word(wires, data["source"]), read_word(wires, data["target"])
    pairs = [(read_scalar_data(term["coefficient"]), _graph(wires, source, target, term)) for term in data["terms"]]
    return combination(source, target, pairs)


def _graph(wires: Wires, source: Word, target: Word, data: Data) -> Hypergraph:
    at = read_word(wires, data["wires"])
    nodes = []
    for box in data["boxes"]:
        rows = [read_row(box[side], len(at)) for side in ("inputs", "outputs")]
        nodes.append(Node(read_box_data(wires, box), *rows))
    return Hypergraph(source, target, at, tuple(nodes), *(read_row(data[side], len(at)) for side in ("ins", "outs")))


# ---------------------------------------------------------------------------------------------- layers and networks


def _layer(data: Data) -> Layer:
    wires = read_wires(data)
    source, target = read_type(wires, data["source"]), read_type(wires, data["target"])
    outs, ins = len(target.summands), len(source.summands)
    grids = [_grid(wires, source, target, data[key]) for key in ("weights", "fixed")]
    biases: list[tuple[Morphism, ...]] = [()] * outs
    for row in data["biases"]:
        biases[read_index(row["out"], outs)] = _terms(wires, (), target.summands[row["out"]].word, row["terms"])
    flags = [data[key] for key in ("learned", "biased", "complex")]
    texts = [data["name"], data["reduce"], data["init"], *data["notes"]]
    if any(type(flag) is not bool for flag in flags) or any(not isinstance(text, str) for text in texts) or not ins:
        raise refuse("a layer has a name, `reduce`, `init`, notes, and says whether it is learned, biased, complex")
    return Layer(
        data["name"], source, target, grids[0], tuple(biases), grids[1], learned=flags[0], biased=flags[1],
        reduce=data["reduce"], init=data["init"], notes=tuple(data["notes"]), is_complex=flags[2],
    )  # fmt: skip


def _grid(wires: Wires, source: Type, target: Type, rows: list[Data]) -> tuple[tuple[tuple[Morphism, ...], ...], ...]:
    """terms[out][in]."""
    outs, ins = len(target.summands), len(source.summands)
    found: list[list[tuple[Morphism, ...]]] = [[()] * ins for _ in range(outs)]
    for row in rows:
        o, i = read_index(row["out"], outs), read_index(row["in"], ins)
        found[o][i] = _terms(wires, source.summands[i].word, target.summands[o].word, row["terms"])
    return tuple(tuple(row) for row in found)


def _terms(wires: Wires, source: Word, target: Word, rows: list[Data]) -> tuple[Morphism, ...]:
    """Terms; one that is a single diagram is that diagram, as the elaborator makes them."""
    found: list[Morphism] = []
    for row in rows:
        words = [
            read_word(wires, row[side]) if side in row else own
            for side, own in (("source", source), ("target", target))
        ]
        pairs = [_term(words[0], words[1], term) for term in row["diagrams"]]
        alone = len(pairs) == 1 and pairs[0][0] == ONE
        found.append(pairs[0][1] if alone else linear(words[0], words[1], pairs))
    return tuple(found)


def _network(data: Data) -> Network:
    from catnn.view.bodies import Reader

    layers = [from_data(inner) for inner in data["layers"]]
    if not all(isinstance(layer, Layer) for layer in layers):
        raise refuse("the layers of a network are layers")
    reader = Reader(read_wires(data), [layer for layer in layers if isinstance(layer, Layer)])
    for inner in data["networks"]:
        reader.networks.append(reader.network(inner))
    return reader.network(data)


def _rule(data: Data) -> Rule:
    wires = read_wires(data)
    source, target = read_word(wires, data["source"]), read_word(wires, data["target"])
    left = _graph(wires, source, target, data["left"])
    pairs = [(read_scalar_data(term["coefficient"]), _graph(wires, source, target, term)) for term in data["right"]]
    flags, texts = [data["oriented"], data["forward"]], [data["name"], data["law"]]
    if any(type(flag) is not bool for flag in flags) or any(not isinstance(text, str) for text in texts):
        raise refuse("a rule has a name and a law, and says whether it is oriented and which way it goes")
    return Rule(texts[0], left, combination(source, target, pairs), flags[0], texts[1], flags[1])


def _story(data: Data) -> Any:
    from catnn.view import stories

    return stories.read_schema(data) if data["format"] == "catnn-schema" else stories.read_proof(data)


READERS: dict[str, Any] = {
    "catnn-diagram": _diagram, "catnn-sum": _sum, "catnn-hypergraph": _hypergraph, "catnn-combination": _combination,
    "catnn-layer": _layer, "catnn-network": _network,
    "catnn-rule": _rule, "catnn-schema": _story, "catnn-proof": _story,
}  # fmt: skip


# ------------------------------------------------------------------------------------------------------------ graphs


def from_networkx(graph: networkx.MultiDiGraph, *, allow_maps: bool = False) -> Value:
    """The value of a graph, as `catnn.view.graph`, `catnn.view.layers` and `catnn.view.stories` describe them.

    Raises: DocumentError where it is none, or disagrees with the document that it carries; CatnnError.
    """
    if not hasattr(graph, "nodes") or not hasattr(graph, "is_directed"):
        raise refuse(f"{type(graph).__name__} is no graph of networkx")
    if not graph.is_directed():
        raise refuse("an undirected graph is no diagram", "inputs lead to blocks, and blocks lead to outputs")
    if graph.graph.get("format") in FORMATS or "document" not in graph.graph:
        return graphs.from_networkx(graph)
    from catnn.view import to_networkx

    value = from_json(str(graph.graph.get("document", "")), allow_maps=allow_maps)
    if _shape(to_networkx(value)) != _shape(graph):
        raise refuse("the graph and its document disagree", "change a layer, a network or a rule in its spec")
    return value


def _shape(graph: networkx.MultiDiGraph) -> tuple[Counter[Any], Counter[Any]]:
    """What is in a graph, whatever its nodes are called."""
    texts = {name: json.dumps(data, sort_keys=True, default=str) for name, data in graph.nodes(data=True)}
    flows = ((texts[a], texts[b], json.dumps(d, sort_keys=True, default=str)) for a, b, d in graph.edges(data=True))
    return Counter(texts.values()), Counter(flows)
