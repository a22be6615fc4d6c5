"""Diagrams, layers and networks for Graphviz: plain DOT, drawn from the bottom up as everywhere in catnn."""

from __future__ import annotations

from collections.abc import Iterable

from catnn.category.diagram import Diagram, Morphism
from catnn.category.pattern import port_names
from catnn.category.scalar import ONE, scaled
from catnn.hypergraph.graph import Hypergraph
from catnn.hypergraph.linear import Combination
from catnn.model import Layer, Network
from catnn.view.boxes import styles_of
from catnn.view.drawing import colour, dash
from catnn.view.gallery import groups, wires_of
from catnn.view.graph import attributes_text, quoted
from catnn.view.layout import Styles, styles
from catnn.view.pipeline import network_graph
from catnn.view.terms import Term, terms_of

LOOK = 'fontname="monospace", fontsize="11"'


def morphism_dot(morphism: Morphism) -> str:
    """A diagram as a graph; a sum as one with a component a term."""
    style = styles(morphism.source + morphism.target)
    return document(str(morphism), _terms("", (morphism,), style))


def boxes_dot(value: Hypergraph | Combination) -> str:
    """A diagram with boxes, from its inputs up; a combination as one with a component a term."""
    body = boxes_body(value, "")
    head = [f"digraph {quoted(str(value))} {{", f'  rankdir=BT; {LOOK.replace(", ", "; ")}; bgcolor="transparent";']
    return "\n".join((*head, f'  node [{LOOK}]; edge [arrowhead="none", penwidth="1.6"];', *body, "}", ""))


def boxes_body(value: Hypergraph | Combination, prefix: str) -> list[str]:
    """The nodes and edges of a diagram with boxes, their names with a prefix."""
    style = styles_of(value)
    return [line for at, term in enumerate(terms_of(value).terms) for line in _term(term, f"{prefix}g{at}_", style)]


def _term(term: Term, prefix: str, style: Styles) -> list[str]:
    lines = []
    if term.coefficient != ONE:
        pairs = (("label", scaled(term.coefficient, "").rstrip()), ("shape", "plaintext"))
        lines.append(f"  {prefix}factor {attributes_text(pairs)};")
    for x, node in enumerate(term.nodes):
        lines.append(f"  {prefix}box{x} {attributes_text((('label', node.box.label), ('shape', 'box')))};")
    for b, wire in enumerate(term.wires):
        paint = ("color", f"#{colour(style[wire.base])}")
        lines.append(f"  {prefix}block{b} {attributes_text((('shape', 'point'), ('width', '0.06'), paint))};")
    for name, row in (("in", term.ins), ("out", term.outs)):
        for at in range(len(row)):
            lines.append(f"  {prefix}{name}{at} {attributes_text((('label', str(at)), ('shape', 'plaintext')))};")
        if row:
            ports = [f"{prefix}{name}{at}" for at in range(len(row))]
            order = f' {" -> ".join(ports)} [style="invis"];' if len(ports) > 1 else ""
            lines.append(f"  {{ rank=same; {'; '.join(ports)};{order} }}")
    ends = [(f"in{i}", f"block{b}", b) for i, b in enumerate(term.ins)]
    for x, (_, inputs, outputs) in enumerate(term.nodes):
        ends += [(f"block{b}", f"box{x}", b) for b in inputs] + [(f"box{x}", f"block{b}", b) for b in outputs]
    ends += [(f"block{b}", f"out{j}", b) for j, b in enumerate(term.outs)]
    for tail, head, b in ends:
        number = style[term.wires[b].base]
        pairs = (("color", f"#{colour(number)}"), ("style", _line(number)))
        lines.append(f"  {prefix}{tail} -> {prefix}{head} {attributes_text(pairs)};")
    return lines


def layer_dot(layer: Layer) -> str:
    """A component a term, in the order of the weights."""
    style = styles(wires_of(layer.source, layer.target))
    body: list[str] = []
    for number, group in enumerate(groups(layer)):
        body += _terms(f"{number}_", group.terms, style, group.title.partition(" :")[0])
    return document(f"{layer.name} : {layer.source} -> {layer.target}", body)


def _terms(prefix: str, terms: Iterable[Morphism], style: Styles, title: str = "") -> list[str]:
    lines: list[str] = []
    for index, term in enumerate(terms):
        for at, (coefficient, diagram) in enumerate(term.weighted):
            name = f"{prefix}{index}_{at}"
            text = scaled(coefficient, str(diagram))
            caption = f"{title} {index}: {text}" if title else text
            lines += [*_diagram(diagram, f"g{name}_", style), *_caption(diagram, f"g{name}_", caption)]
    return lines


def _caption(diagram: Diagram, prefix: str, text: str) -> list[str]:
    """A line of text below a diagram.  (In a cluster, dot would not keep the order of the ports.)"""
    pairs = (("label", text), ("shape", "plaintext"), ("fontcolor", "#808080"))
    ends = [f"{prefix}in{i}" for i in range(len(diagram.source))] or [
        f"{prefix}block{b}" for b in range(len(diagram.parts))
    ]
    edges = [f'  {prefix}caption -- {end} [style="invis"];' for end in ends]
    return [f"  {prefix}caption {attributes_text(pairs)};", *edges]


def document(title: str, body: Iterable[str]) -> str:
    """An undirected graph with a title."""
    head = [
        f"graph {quoted(title)} {{",
        f'  rankdir=BT; {LOOK.replace(", ", "; ")}; bgcolor="transparent"; ranksep="0.35";',
    ]
    return "\n".join((*head, f'  node [{LOOK}]; edge [penwidth="1.6"];', *body, "}", ""))


def _diagram(diagram: Diagram, prefix: str, style: Styles) -> list[str]:
    l, (inputs, outputs) = len(diagram.target), port_names(diagram)
    ports = [f"{prefix}out{j}" for j in range(l)] + [f"{prefix}in{i}" for i in range(len(diagram.source))]
    lines = []
    for row in (range(l, len(ports)), range(l)):
        for vertex in row:
            label = (*outputs, *inputs)[vertex]
            paint = f"#{colour(style[diagram.wire(vertex).base])}"
            pairs = (("label", label), ("shape", "plaintext"), ("fontcolor", paint), ("width", "0.2"))
            lines.append(f"  {ports[vertex]} {attributes_text(pairs)};")
        if row:
            lines.append(f"  {{ rank=same; {'; '.join(ports[v] for v in row)}; }}")
            order = " -- ".join(ports[v] for v in row)
            if len(row) > 1:
                lines.append(f'    {order} [style="invis"];')
    for b, part in enumerate(diagram.parts):
        lines += _block(part, f"{prefix}block{b}", ports, l, style[diagram.wire(part[0]).base])
    for at, space in enumerate(diagram.jellyfish):
        lines += _jellyfish(diagram, space, prefix, f"{prefix}jellyfish{at}", style)
    return lines


def _jellyfish(diagram: Diagram, space: str, prefix: str, name: str, style: Styles) -> list[str]:
    """The head, a leg to each block of the space, and perhaps one that is summed."""
    here = [b for b, part in enumerate(diagram.parts) if diagram.wire(part[0]).space == space]
    wire = diagram.wire(diagram.parts[here[0]][0])
    number = style[wire.base]
    paint, line = ("color", f"#{colour(number)}"), ("style", _line(number))
    head = (("label", "sgn"), ("shape", "circle"), ("fontcolor", paint[1]), paint)
    lines = [f"  {name} {attributes_text(head)};"]
    legs = [f"{prefix}block{b}" for b in here]
    if len(here) != wire.group.size:
        legs.append(f"{name}_summed")
        lines.append(f"  {legs[-1]} {attributes_text((('shape', 'point'), ('width', '0.09'), paint))};")
    return [*lines, *(f"  {name} -- {leg} {attributes_text((paint, line, ('constraint', 'false')))};" for leg in legs)]


def _block(part: tuple[int, ...], name: str, ports: list[str], l: int, style: int) -> list[str]:
    paint = ("color", f"#{colour(style)}")
    line = ("style", _line(style))
    lines = [f"  {name} {attributes_text((('shape', 'point'), ('width', '0.09'), paint))};"]
    for vertex in part:
        ends = (name, ports[vertex]) if vertex < l else (ports[vertex], name)
        lines.append(f"  {ends[0]} -- {ends[1]} {attributes_text((paint, line))};")
    return lines


def _line(style: int) -> str:
    lengths = dash(style)
    if not lengths:
        return "solid"
    return "dotted" if lengths[0] < 1 else "dashed"


def network_dot(network: Network) -> str:
    """The stages of a network and what flows between them."""
    graph = network_graph(network)
    shapes = {"input": "plaintext", "output": "plaintext", "sum": "circle", "activation": "ellipse"}
    title = f"{network.name} : {network.source} -> {network.target}"
    lines = [f"digraph {quoted(title)} {{", f'  rankdir=BT; {LOOK.replace(", ", "; ")}; bgcolor="transparent";']
    lines.append(f"  node [{LOOK}]; edge [{LOOK}];")
    for node in graph.nodes:
        pairs = (("label", node.label), ("shape", shapes.get(node.kind, "box")))
        lines.append(f"  {node.name} {attributes_text(pairs)};")
    for flow in graph.flows:
        text = scaled(flow.coefficient, flow.type)
        lines.append(f"  {flow.tail} -> {flow.head} {attributes_text((('label', text),))};")
    return "\n".join((*lines, "}", ""))
