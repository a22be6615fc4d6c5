"""HIF, the interchange format of hypergraphs (xgi, HyperNetX and others read it), written and read.

Nodes are ports: inputs (in0), outputs (out0) and legs of boxes (box0.in0).  Hyperedges are blocks, which join the ports
of one spider, bend or wire, and boxes, which have their legs; a port is the tail of an edge that it feeds and the
head of one that feeds it.  Attributes are those of `catnn.view.graph`; "metadata" has format, version and pattern,
and for a sum the terms with their coefficients.  The graph of a layer, a network, a rule or a
proof becomes a hypergraph of edges with
one tail and one head.

Source: https://github.com/HIF-org/HIF-standard, schema 0.1.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from catnn.category.diagram import Morphism
from catnn.hypergraph.graph import Hypergraph
from catnn.hypergraph.linear import Combination
from catnn.view.graph import to_networkx
from catnn.view.graphml import node_name
from catnn.view.refusal import refuse

if TYPE_CHECKING:
    import networkx

Data = dict[str, Any]


def morphism_hif(value: Morphism | Hypergraph | Combination) -> str:
    """A morphism as HIF."""
    graph = to_networkx(value)
    nodes, edges, incidences = [], [], []
    for name, data in graph.nodes(data=True):
        if data["kind"] in ("input", "output"):
            nodes.append({"node": node_name(name), "attrs": data})
        elif data["kind"] != "term":
            edges.append({"edge": node_name(name), "attrs": data})
    for tail, head, data in graph.edges(data=True):
        ends = [graph.nodes[end]["kind"] for end in (tail, head)]
        if "jellyfish" in ends:  # a hyperedge of its own; its legs are in all blocks of its space
            continue
        if "box" not in ends:
            block, port = (head, tail) if ends[1] == "block" else (tail, head)
            direction = "tail" if port == tail else "head"
            attrs = {"attrs": data} if data else {}
            incidences.append({"edge": node_name(block), "node": node_name(port), "direction": direction, **attrs})
            continue
        box, block = (tail, head) if ends[0] == "box" else (head, tail)
        side = "out" if box == tail else "in"
        leg = f"{node_name(box)}.{side}{data['port']}"
        nodes.append({"node": leg, "attrs": {"kind": "leg", **data}})
        inner, outer = ("head", "tail") if side == "out" else ("tail", "head")
        incidences.append({"edge": node_name(box), "node": leg, "direction": inner})
        incidences.append({"edge": node_name(block), "node": leg, "direction": outer})
    terms = [data["coefficient"] for _, data in graph.nodes(data=True) if data["kind"] == "term"]
    several = {"terms": terms} if graph.graph["format"] in ("catnn-sum", "catnn-combination") else {}
    return _document({**graph.graph, **several}, nodes, edges, incidences)


def graph_hif(graph: networkx.MultiDiGraph) -> str:
    """A graph as HIF, every edge with one tail and one head."""
    nodes = [{"node": node_name(name), "attrs": data} for name, data in graph.nodes(data=True)]
    edges, incidences = [], []
    for number, (tail, head, data) in enumerate(graph.edges(data=True)):
        edges.append({"edge": f"flow{number}", "attrs": data})
        incidences.append({"edge": f"flow{number}", "node": node_name(tail), "direction": "tail"})
        incidences.append({"edge": f"flow{number}", "node": node_name(head), "direction": "head"})
    return _document(graph.graph, nodes, edges, incidences)


def _document(metadata: Data, nodes: list[Data], edges: list[Data], incidences: list[Data]) -> str:
    parts = {"nodes": nodes, "edges": edges, "incidences": incidences}
    lines = [f'  "network-type": "directed",\n  "metadata": {json.dumps(metadata, ensure_ascii=False)}']
    for name, rows in parts.items():
        inner = ",\n".join(f"    {json.dumps(row, ensure_ascii=False)}" for row in rows)
        lines.append(f'  "{name}": [\n{inner}\n  ]' if rows else f'  "{name}": []')
    return "{\n" + ",\n".join(lines) + "\n}\n"


# ---------------------------------------------------------------------------------------------------------- reading


def read_hif(text: str) -> networkx.MultiDiGraph:
    """The graph (as `catnn.view.graph` and its like describe it) of a HIF text.

    Raises: DocumentError where it is none.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as fault:
        raise refuse(f"this is no HIF: {fault}") from None
    if not isinstance(data, dict) or not isinstance(data.get("incidences"), list):
        raise refuse("this is no HIF: it has no list of incidences")
    if data.get("network-type") != "directed" or not isinstance(data.get("metadata"), dict):
        raise refuse("a diagram is a directed hypergraph with metadata", "`network-type` is `directed`")
    try:
        return _read(data)
    except (KeyError, TypeError, AttributeError) as fault:
        raise refuse(f"this HIF is incomplete: {fault!r}") from None


def _read(data: Data) -> networkx.MultiDiGraph:
    import networkx

    graph = networkx.MultiDiGraph()
    metadata = dict(data["metadata"])
    for number, coefficient in enumerate(metadata.pop("terms", ())):
        graph.add_node(f"term{number}", kind="term", index=number, coefficient=coefficient)
    graph.graph.update(metadata)
    nodes = {item["node"]: dict(item.get("attrs", {})) for item in data.get("nodes", [])}
    edges = {item["edge"]: dict(item.get("attrs", {})) for item in data.get("edges", [])}
    met: dict[Any, list[tuple[Any, str, Data]]] = {edge: [] for edge in edges}
    for item in data["incidences"]:
        if item["edge"] not in edges or item["node"] not in nodes or item.get("direction") not in ("head", "tail"):
            raise refuse(f"an incidence of {item['edge']!r} and {item['node']!r} joins nothing, or has no direction")
        met[item["edge"]].append((item["node"], item["direction"], dict(item.get("attrs", {}))))
    flows = "document" in metadata
    for name, attrs in nodes.items():
        if flows or attrs.get("kind") != "leg":
            _add_node(graph, name, attrs)
    if flows:
        return _flows(graph, edges, met)
    legs: dict[Any, list[tuple[Any, str]]] = {name: [] for name, a in nodes.items() if a.get("kind") == "leg"}
    for edge, attrs in edges.items():
        _add_node(graph, edge, attrs)
        for node, direction, extra in met[edge]:
            if node in legs:
                legs[node].append((edge, direction))
            else:
                _add_edge(graph, *((node, edge) if direction == "tail" else (edge, node)), extra)
    for edge, attrs in edges.items():
        if attrs.get("kind") == "jellyfish":
            here = [name for name, found in edges.items() if found.get("kind") == "block"]
            graph.add_edges_from((edge, name) for name in here if _shared(attrs, edges[name]))
    for leg, ends in legs.items():
        _leg(graph, leg, ends, nodes[leg])
    return graph


def _shared(head: Data, block: Data) -> bool:
    """Whether a jellyfish has a leg in a block: they are of one term and one space."""
    return (head.get("term"), head.get("space")) == (block.get("term"), block.get("space"))


def _flows(
    graph: networkx.MultiDiGraph, edges: Data, met: dict[Any, list[tuple[Any, str, Data]]]
) -> networkx.MultiDiGraph:
    for edge, attrs in edges.items():
        ends = {direction: node for node, direction, _ in met[edge]}
        if len(met[edge]) != 2 or len(ends) != 2:
            raise refuse(f"the edge {edge!r} has not one tail and one head")
        _add_edge(graph, ends["tail"], ends["head"], attrs)
    return graph


def _leg(graph: networkx.MultiDiGraph, leg: Any, ends: list[tuple[Any, str]], attrs: Data) -> None:
    """A leg joins a box and a block: an edge of the graph."""
    kinds = {graph.nodes[edge].get("kind"): (edge, direction) for edge, direction in ends}
    if len(ends) != 2 or set(kinds) != {"box", "block"} or kinds["box"][1] == kinds["block"][1]:
        raise refuse(f"the leg {leg!r} does not lead from a box to a block, or back")
    (box, direction), (block, _) = kinds["box"], kinds["block"]
    data = {key: value for key, value in attrs.items() if key != "kind"}
    _add_edge(graph, *((block, box) if direction == "tail" else (box, block)), data)


def _add_node(graph: networkx.MultiDiGraph, name: Any, attrs: Data) -> None:
    if not isinstance(name, str | int) or name in graph:
        raise refuse(f"{name!r} is no name, or stands for two nodes or edges")
    graph.add_node(name)
    graph.nodes[name].update(attrs)


def _add_edge(graph: networkx.MultiDiGraph, tail: Any, head: Any, attrs: Data) -> None:
    graph.edges[tail, head, graph.add_edge(tail, head)].update(attrs)
