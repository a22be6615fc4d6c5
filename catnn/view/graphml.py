"""GraphML: the graphs of `catnn.view.graph` and `catnn.view.layers` as text, and back.

Attributes are strings and integers; nodes that are tuples are called by their parts joined.  Reading knows what this
writes and what networkx, Gephi or yEd make of it: one graph, keys, no document type (entities may grow without bound).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from catnn.view.refusal import refuse
from catnn.view.svg import clean

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    import networkx

HEAD = ('<?xml version="1.0" encoding="UTF-8"?>', '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">')
INTEGERS = ("int", "long")


def graphml(graph: networkx.MultiDiGraph) -> str:
    """A graph as GraphML."""
    keys: dict[tuple[str, str], tuple[str, str]] = {}

    def data(domain: str, attributes: dict[str, Any], indent: str) -> list[str]:
        lines = []
        for name, value in attributes.items():
            kind = "int" if isinstance(value, int) else "string"
            key, _ = keys.setdefault((domain, name), (f"d{len(keys)}", kind))
            lines.append(f'{indent}<data key="{key}">{clean(str(value))}</data>')
        return lines

    body = data("graph", graph.graph, "    ")
    for node, attributes in graph.nodes(data=True):
        body.append(f'    <node id="{clean(node_name(node))}">')
        body += [*data("node", attributes, "      "), "    </node>"]
    for tail, head, attributes in graph.edges(data=True):
        body.append(f'    <edge source="{clean(node_name(tail))}" target="{clean(node_name(head))}">')
        body += [*data("edge", attributes, "      "), "    </edge>"]
    declared = [
        f'  <key id="{key}" for="{domain}" attr.name="{name}" attr.type="{kind}"/>'
        for (domain, name), (key, kind) in keys.items()
    ]
    return "\n".join((*HEAD, *declared, '  <graph edgedefault="directed">', *body, "  </graph>", "</graphml>", ""))


def node_name(node: Any) -> str:
    """in0, out1, block2, block0_2."""
    if not isinstance(node, tuple):
        return str(node)
    kind, *numbers = node
    return f"{kind}{'_'.join(map(str, numbers))}"


def read_graphml(text: str) -> networkx.MultiDiGraph:
    """The graph of a text.  Raises: DocumentError where it is no GraphML, undirected, or has a document type."""
    from xml.etree.ElementTree import ParseError, fromstring

    import networkx

    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise refuse("GraphML with a document type is not read")
    try:
        root = fromstring(text.encode("utf-8", "replace"))
    except (ParseError, RecursionError) as fault:
        raise refuse(f"this is no GraphML: {fault}") from None
    graphs = [element for element in root if _tag(element) == "graph"]
    if _tag(root) != "graphml" or len(graphs) != 1:
        raise refuse(f"this is no GraphML: there are {len(graphs)} graphs in it, not one")
    if graphs[0].get("edgedefault") != "directed":
        raise refuse("an undirected graph is no diagram", "inputs lead to blocks, and blocks lead to outputs")
    keys = {element.get("id"): element for element in root if _tag(element) == "key"}
    graph = networkx.MultiDiGraph()
    graph.graph.update(_attributes(graphs[0], keys))
    for element in graphs[0]:
        if _tag(element) == "node":
            name = element.get("id")
            if name is None or name in graph:
                raise refuse(f"this is no GraphML: the node {name!r} has no name of its own")
            graph.add_node(name)
            graph.nodes[name].update(_attributes(element, keys))
    for element in graphs[0]:
        if _tag(element) == "edge":
            ends = element.get("source"), element.get("target")
            if any(end not in graph for end in ends):
                raise refuse(f"this is no GraphML: an edge joins {ends[0]!r} and {ends[1]!r}, which are no nodes")
            if element.get("directed") == "false":
                raise refuse("an undirected edge is no wire of a diagram")
            edge = graph.add_edge(*ends)
            graph.edges[(*ends, edge)].update(_attributes(element, keys))
    return graph


def _tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _attributes(element: Element, keys: dict[str | None, Element]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for data in element:
        if _tag(data) == "data":
            key = keys.get(data.get("key"))
            if key is None:
                raise refuse(f"this is no GraphML: the key {data.get('key')!r} is not declared")
            found[str(key.get("attr.name"))] = _value(data.text or "", key.get("attr.type") or "string")
    return found


def _value(text: str, kind: str) -> Any:
    if kind not in INTEGERS:
        return text
    if not (text.lstrip("-").isascii() and text.lstrip("-").isdigit() and len(text) < 19):
        raise refuse(f"this is no GraphML: {text[:40]!r} is no integer")
    return int(text)
