"""Documents read back: JSON of every kind, and the graphs of layers and networks.

The graph of a layer or a network carries its document; that is what is read, and a graph that no longer agrees with its
document is refused rather than half believed.
"""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from catnn.category.diagram import Diagram, Morphism, Sum, linear
from catnn.category.families import FAMILIES
from catnn.category.scalar import ONE
from catnn.category.wires import Summand, Type, Wire, Word
from catnn.hypergraph.graph import Hypergraph, Node
from catnn.hypergraph.linear import Combination, combination
from catnn.model import Activate, Apply, Call, Combine, Identity, Layer, Network, Pipeline, Stage
from catnn.view import graph as graphs
from catnn.view.refusal import refuse
from catnn.view.scalars import read_scalar_data

if TYPE_CHECKING:
    import networkx

Data = dict[str, Any]
Value = Diagram | Sum | Hypergraph | Combination | Layer | Network
Wires = dict[str, Wire]


def from_json(text: str) -> Value:
    """The value of a document.

    Raises: DocumentError where it is none, or of another version; CatnnError where a block is none of its group's.
    """
    try:
        data = json.loads(text)
    except RecursionError:
        raise refuse("brackets nest too deep") from None
    except ValueError as fault:
        raise refuse(f"this is no JSON: {fault}") from None
    return from_data(data)


def from_data(data: Any) -> Value:
    """The value of plain data; raises as `from_json`."""
    if not isinstance(data, dict) or not isinstance(data.get("format"), str) or data["format"] not in READERS:
        raise refuse("this is no document of catnn", f"its `format` is one of {', '.join(READERS)}")
    if data.get("version") != graphs.VERSION:
        raise refuse(f"version {data.get('version')!r} of {data['format']} is not read, only {graphs.VERSION}")
    try:
        value: Value = READERS[data["format"]](data)
        return value
    except (KeyError, TypeError, AttributeError, IndexError, RecursionError) as fault:
        raise refuse(f"this {data['format']} is incomplete: {fault!r}") from None


def _wires(data: Data) -> Wires:
    wires = {n: Wire(n, graphs.group_of(g["family"], str(g["size"]))) for n, g in data["spaces"].items()}
    wires.update({f"{n}'": wire.flipped() for n, wire in wires.items() if FAMILIES[wire.group.family].oriented})
    return wires


def _word(wires: Wires, names: list[str]) -> Word:
    if not isinstance(names, list):
        raise refuse(f"{names!r} is no list of wires")
    return tuple(wires[name] for name in names)


# -------------------------------------------------------------------------------------------------------- morphisms


def _diagram(data: Data) -> Diagram:
    wires = _wires(data)
    return _blocks(_word(wires, data["source"]), _word(wires, data["target"]), data)


def _sum(data: Data) -> Sum:
    wires = _wires(data)
    source, target = _word(wires, data["source"]), _word(wires, data["target"])
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
    wires = _wires(data)
    return _graph(wires, _word(wires, data["source"]), _word(wires, data["target"]), data)


def _combination(data: Data) -> Combination:
    wires = _wires(data)
    source, target = _word(wires, data["source"]), _word(wires, data["target"])
    pairs = [(read_scalar_data(term["coefficient"]), _graph(wires, source, target, term)) for term in data["terms"]]
    return combination(source, target, pairs)


def _graph(wires: Wires, source: Word, target: Word, data: Data) -> Hypergraph:
    at = _word(wires, data["wires"])
    nodes = []
    for box in data["boxes"]:
        turned = "yes" if box["turned"] is True else "no"
        words = _word(wires, box["source"]), _word(wires, box["target"])
        value = graphs.read_box({**box, "how": box["kind"], "turned": turned}, *words)
        nodes.append(Node(value, _row(box["inputs"], at), _row(box["outputs"], at)))
    return Hypergraph(source, target, at, tuple(nodes), _row(data["ins"], at), _row(data["outs"], at))


def _row(row: list[Any], at: Word) -> tuple[int, ...]:
    if any(type(v) is not int or not 0 <= v < len(at) for v in row):
        raise refuse("an end names a vertex that does not exist")
    return tuple(row)


# ---------------------------------------------------------------------------------------------- layers and networks


def _type(wires: Wires, rows: list[Data]) -> Type:
    if any(type(row["channels"]) is not int or not 1 <= row["channels"] < 2**31 for row in rows) or not rows:
        raise refuse("a type has one summand or more, each with 1 to 2^31-1 channels")
    return Type(tuple(_summand(_word(wires, row["word"]), row) for row in rows))


def _summand(word: Word, row: Data) -> Summand:
    symmetric, end = row.get("symmetric", []), 0
    if any(not isinstance(pair, list) or len(pair) != 2 for pair in symmetric):
        raise refuse("a symmetric power is a pair: where it begins, and how many wires it has")
    for at, power in symmetric:
        if type(at) is not int or type(power) is not int or power < 2 or not end <= at <= len(word) - power:
            raise refuse(f"{[at, power]!r} is no symmetric power of these wires")
        if len({*word[at : at + power]}) != 1:
            raise refuse("a symmetric power is of one wire")
        end = at + power
    return Summand(word, row["channels"], tuple((at, power) for at, power in symmetric))


def _layer(data: Data) -> Layer:
    wires = _wires(data)
    source, target = _type(wires, data["source"]), _type(wires, data["target"])
    outs, ins = len(target.summands), len(source.summands)
    grids = [_grid(wires, source, target, data[key]) for key in ("weights", "fixed")]
    biases: list[tuple[Morphism, ...]] = [()] * outs
    for row in data["biases"]:
        biases[_index(row["out"], outs)] = _terms(wires, (), target.summands[row["out"]].word, row["terms"])
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
        o, i = _index(row["out"], outs), _index(row["in"], ins)
        found[o][i] = _terms(wires, source.summands[i].word, target.summands[o].word, row["terms"])
    return tuple(tuple(row) for row in found)


def _index(value: Any, count: int) -> int:
    if type(value) is not int or not 0 <= value < count:
        raise refuse(f"{value!r} is no number from 0 to {count - 1}")
    return value


def _terms(wires: Wires, source: Word, target: Word, rows: list[Data]) -> tuple[Morphism, ...]:
    """Terms; one that is a single diagram is that diagram, as the elaborator makes them."""
    found: list[Morphism] = []
    for row in rows:
        words = [
            _word(wires, row[side]) if side in row else own for side, own in (("source", source), ("target", target))
        ]
        pairs = [_term(words[0], words[1], term) for term in row["diagrams"]]
        alone = len(pairs) == 1 and pairs[0][0] == ONE
        found.append(pairs[0][1] if alone else linear(words[0], words[1], pairs))
    return tuple(found)


def _network(data: Data) -> Network:
    wires = _wires(data)
    layers = [from_data(inner) for inner in data["layers"]]
    networks = [from_data(inner) for inner in data["networks"]]
    if not all(isinstance(x, Layer) for x in layers) or not all(isinstance(x, Network) for x in networks):
        raise refuse("the layers of a network are layers, and what it calls are networks")
    if type(data["complex"]) is not bool or not isinstance(data["name"], str):
        raise refuse("a network has a name, and says whether it is complex")
    body = _body(wires, data["body"], layers, networks)
    source, target = _type(wires, data["from"]), _type(wires, data["to"])
    if (body.source, body.target) != (source, target):
        raise refuse(f"the body is of type {body.source} -> {body.target}, not {source} -> {target}")
    return Network(data["name"], source, target, body, is_complex=data["complex"])


def _body(wires: Wires, data: Data, layers: list[Any], networks: list[Any]) -> Stage:
    match data:
        case {"layer": number}:
            return Apply(layers[_index(number, len(layers))])
        case {"network": number}:
            return Call(networks[_index(number, len(networks))])
        case {"activation": str(name), "type": type_}:
            return Activate(name, _type(wires, type_))
        case {"identity": type_}:
            return Identity(_type(wires, type_))
        case {"chain": [_, _, *_] as stages}:
            found = tuple(_body(wires, stage, layers, networks) for stage in stages)
            for first, then in pairwise(found):
                if first.target != then.source:
                    raise refuse(f"a stage produces {first.target}, and the next expects {then.source}")
            return Pipeline(found)
        case {"sum": [_, *_] as rows}:
            terms = tuple(
                (read_scalar_data(row["coefficient"]), _body(wires, row["body"], layers, networks)) for row in rows
            )
            if len({(stage.source, stage.target) for _, stage in terms}) != 1:
                raise refuse("the terms of a sum differ in type")
            return Combine(terms)
    raise refuse(f"{str(data)[:60]} is no stage of a network")


READERS: dict[str, Any] = {
    "catnn-diagram": _diagram, "catnn-sum": _sum, "catnn-hypergraph": _hypergraph, "catnn-combination": _combination,
    "catnn-layer": _layer, "catnn-network": _network,
}  # fmt: skip


# ------------------------------------------------------------------------------------------------------------ graphs


def from_networkx(graph: networkx.MultiDiGraph) -> Value:
    """The value of a graph, as `catnn.view.graph` and `catnn.view.layers` describe them.

    Raises: DocumentError where it is none, or a layer's or network's disagrees with its document; CatnnError.
    """
    if not hasattr(graph, "nodes") or not hasattr(graph, "is_directed"):
        raise refuse(f"{type(graph).__name__} is no graph of networkx")
    if not graph.is_directed():
        raise refuse("an undirected graph is no diagram", "inputs lead to blocks, and blocks lead to outputs")
    if graph.graph.get("format") not in ("catnn-layer", "catnn-network"):
        return graphs.from_networkx(graph)
    from catnn.view import to_networkx

    value = from_json(str(graph.graph.get("document", "")))
    if not isinstance(value, Layer | Network) or _shape(to_networkx(value)) != _shape(graph):
        raise refuse("the graph and its document disagree", "change a layer or a network in its spec")
    return value


def _shape(graph: networkx.MultiDiGraph) -> tuple[Counter[Any], Counter[Any]]:
    """What is in a graph, whatever its nodes are called."""
    texts = {name: json.dumps(data, sort_keys=True, default=str) for name, data in graph.nodes(data=True)}
    flows = ((texts[a], texts[b], json.dumps(d, sort_keys=True, default=str)) for a, b, d in graph.edges(data=True))
    return Counter(texts.values()), Counter(flows)
