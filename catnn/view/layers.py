"""Layers and networks for a terminal and as graphs.

The graph of a layer: a node ("source", i) and ("target", o) for each summand (kind, index, type), a node
("weight" | "bias" | "fixed", number) for each term (kind, parameter, index, pattern), and edges from source to term to
target.
The graph of a network: a node for each stage (kind, label, index), an edge for each flow (type, coefficient).
Both have graph attributes format, version, name, and document: the JSON that they are read back from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from catnn.category.scalar import summed
from catnn.model import Layer, Network
from catnn.view.gallery import captions, groups, headline
from catnn.view.pipeline import Flow, network_graph
from catnn.view.programs import program_lines
from catnn.view.stages import factored_lines
from catnn.view.text import Lines, gallery_lines, morphism_lines

if TYPE_CHECKING:
    import networkx


def layer_lines(layer: Layer, width: int = 100, limit: int = 1000, *, factored: bool = False) -> Lines:
    """A gallery of the layer's terms."""
    lines = [headline(layer)]
    for group in groups(layer):
        terms = group.terms[:limit]
        if factored:
            lines += ["", group.title]
            for index, term in enumerate(terms):
                lines += ["", f"{index}  {term}", *factored_lines(term)]
            continue
        cells = [(*morphism_lines(t), caption) for t, caption in zip(terms, captions(terms), strict=True)]
        lines += ["", group.title, "", *gallery_lines(cells, width)]
        if len(group.terms) > limit:
            lines += ["", f"... and {len(group.terms) - limit} more"]
    return tuple(lines)


def network_lines(network: Network) -> Lines:
    """A line a stage: its name, what it is, and where its input comes from where that is not the line above.

    Of a point-ful network a line a step: what it computes, and the types of what it makes.
    """
    if network.program is not None:
        return (f"{network.name}{network.signature}", "", *program_lines(network))
    graph = network_graph(network)
    labels = {node.name: f"{node.label}" for node in graph.nodes}
    into: dict[str, list[Flow]] = {node.name: [] for node in graph.nodes}
    for flow in graph.flows:
        into[flow.head].append(flow)
    numbers = {node.name: at for at, node in enumerate(graph.nodes)}
    wide = max(len(label) for label in labels.values())
    lines = [f"{network.name} {network.signature}", ""]
    for at, node in enumerate(graph.nodes):
        flows = summed((flow.coefficient, str(numbers[flow.tail])) for flow in into[node.name])
        origin = f"  <- {flows}" if into[node.name] and flows != str(at - 1) else ""
        lines.append(f"{at:>3}  {labels[node.name]:<{wide}}  {node.kind}{origin}".rstrip())
    return tuple(lines)


def layer_networkx(layer: Layer) -> networkx.MultiDiGraph:
    """The graph of a layer, as the head of this module describes it."""
    import networkx

    graph = networkx.MultiDiGraph(format="catnn-layer", version=1, name=layer.name, document=_document(layer))
    for side, type_ in (("source", layer.source), ("target", layer.target)):
        for index, summand in enumerate(type_.summands):
            graph.add_node((side, index), kind=side, index=index, type=str(summand))
    count = 0
    for o in range(len(layer.target.summands)):
        for kind, name, i, terms in _parts(layer, o):
            for index, term in enumerate(terms):
                graph.add_node((kind, count), kind=kind, parameter=name, index=index, pattern=str(term))
                if i is not None:
                    graph.add_edge(("source", i), (kind, count))
                graph.add_edge((kind, count), ("target", o))
                count += 1
    return graph


def _parts(layer: Layer, o: int) -> list[tuple[str, str, int | None, Lines]]:
    """Kind, parameter, source summand and terms of everything that adds to one target summand."""
    ins = range(len(layer.source.summands))
    parts: list[tuple[str, str, int | None, Lines]] = [
        ("weight", layer.weight_name(o, i), i, tuple(map(str, layer.weighted[o][i]))) for i in ins
    ]
    parts += [("fixed", "", i, tuple(map(str, layer.fixed_parts[o][i]))) for i in ins]
    parts.append(("bias", layer.bias_name(o), None, tuple(map(str, layer.biases[o]))))
    return parts


def network_networkx(network: Network) -> networkx.MultiDiGraph:
    """The graph of a network, as the head of this module describes it."""
    import networkx

    found = network_graph(network)
    graph = networkx.MultiDiGraph(format="catnn-network", version=1, name=network.name, document=_document(network))
    for index, node in enumerate(found.nodes):
        graph.add_node(node.name, kind=node.kind, label=node.label, index=index)
    for flow in found.flows:
        graph.add_edge(flow.tail, flow.head, type=flow.type, coefficient=str(flow.coefficient))
    return graph


def _document(value: Layer | Network) -> str:
    from json import dumps

    from catnn.view.json import document

    return dumps(document(value), ensure_ascii=False)
