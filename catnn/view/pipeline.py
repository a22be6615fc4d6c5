"""Networks: the stages as a graph of nodes and arrows, and that graph as boxes, from the input up to the output."""

from __future__ import annotations

from dataclasses import dataclass, field

from catnn.category.scalar import ONE
from catnn.model import Activate, Apply, Call, Combine, Identity, Network, Pipeline, Stage
from catnn.program import Program
from catnn.view.drawing import Box, Curve, Drawing, Item, Label, beside, moved, text_width
from catnn.view.programs import program_flows

HEIGHT = 30.0
GAP = 34.0
"""The length of an arrow between two boxes, with room for the type that flows along it."""


@dataclass(frozen=True, slots=True)
class Node:
    """A stage of a network.

    name: unique in the network; kind: input, layer, network, activation, sum or output; label: what is written on it.
    """

    name: str
    kind: str
    label: str


@dataclass(frozen=True, slots=True)
class Flow:
    """What flows from one node into another: a type, times a coefficient."""

    tail: str
    head: str
    type: str
    coefficient: str = "1"


@dataclass
class Graph:
    """The nodes in the order of computation, and the flows in the order of reading."""

    nodes: list[Node] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)


def network_graph(network: Network) -> Graph:
    """The stages of a network with one input and one output; residual branches join in a sum."""
    if isinstance(network.body, Program):
        nodes, flows = program_flows(network)
        return Graph([Node(*node) for node in nodes], [Flow(*flow, "1") for flow in flows])
    graph = Graph([Node("input", "input", str(network.source))])
    end, coefficient = _grow(graph, network.body, "input", "1")
    graph.nodes.append(Node("output", "output", str(network.target)))
    graph.flows.append(Flow(end, "output", str(network.target), coefficient))
    return graph


def _grow(graph: Graph, stage: Stage, start: str, factor: str) -> tuple[str, str]:
    """Append a stage behind `start`: the node that it ends in, and the coefficient on the way out of it."""
    match stage:
        case Pipeline():
            for inner in stage.stages:
                start, factor = _grow(graph, inner, start, factor)
            return start, factor
        case Identity():
            return start, factor
        case Combine():
            ends = [(_grow(graph, inner, start, factor), c) for c, inner in stage.terms]
            name = _node(graph, "sum", "+")
            for (end, before), c in ends:
                text = str(c) if before == "1" else before if c == ONE else f"({before})*({c})"
                graph.flows.append(Flow(end, name, str(stage.target), text))
            return name, "1"
    name = _node(graph, kind(stage), label(stage))
    graph.flows.append(Flow(start, name, str(stage.source), factor))
    return name, "1"


def _node(graph: Graph, kind_: str, text: str) -> str:
    name = f"stage{len(graph.nodes) - 1}"
    graph.nodes.append(Node(name, kind_, text))
    return name


def kind(stage: Stage) -> str:
    """What a stage is called."""
    match stage:
        case Apply():
            return "layer"
        case Call():
            return "network"
        case Activate():
            return "activation"
    return "wires"


def label(stage: Stage) -> str:
    """What is written on a stage."""
    match stage:
        case Apply(layer=layer):
            return layer.name
        case Call(network=network):
            return network.name
        case Activate(activation=name):
            return name
        case Identity():
            return "id"
    return "+"


# ------------------------------------------------------------------------------------------------------------ drawing


def network_drawing(network: Network) -> Drawing:
    """Boxes in a column, the input at the bottom, parallel branches side by side; types stand at the arrows."""
    body = _steps(network) if isinstance(network.body, Program) else _stage(network.body)
    reach = max(text_width(str(t)) + 10 for t in (network.source, network.target))
    width = max(body.width, 2 * reach)
    items = [moved(item, (width - body.width) / 2, GAP) for item in body.items]
    items += _arrow(width / 2, GAP, 0, str(network.target))
    items += _arrow(width / 2, body.height + 2 * GAP, body.height + GAP, str(network.source))
    return Drawing(width, body.height + 2 * GAP, tuple(items))


def _arrow(x: float, start: float, end: float, text: str = "") -> list[Item]:
    """A line upwards, with a type beside it."""
    third = (end - start) / 3
    items: list[Item] = [Curve(((x, start), (x, start + third), (x, end - third), (x, end)))]
    if text:
        items.append(Label((x + 8, (start + end) / 2), text, "caption", start=True))
    return items


def _stage(stage: Stage) -> Drawing:
    """A stage whose wire enters at the bottom and leaves at the top, in the middle."""
    match stage:
        case Pipeline():
            return _column(stage)
        case Combine():
            return _parallel(stage)
        case Identity():
            return Drawing(24, HEIGHT, tuple(_arrow(12, HEIGHT, 0)))
    text = label(stage)
    width = max(text_width(text, "heading") + 26, 64)
    box = Box((0, 0), width, HEIGHT)
    return Drawing(width, HEIGHT, (box, Label((width / 2, HEIGHT / 2), text, "heading")))


def _steps(network: Network) -> Drawing:
    """A box a step, the first at the bottom; what each takes stands in it by name."""
    texts = [label for _, kind_, label in program_flows(network)[0] if kind_ != "input"][::-1]
    width = max(64.0, *(text_width(text, "heading") + 26 for text in texts))
    items: list[Item] = []
    at = 0.0
    for number, text in enumerate(texts):
        items += [Box((0, at), width, HEIGHT), Label((width / 2, at + HEIGHT / 2), text, "heading")]
        at += HEIGHT
        if number < len(texts) - 1:
            items += _arrow(width / 2, at + GAP / 2, at)
            at += GAP / 2
    return Drawing(width, at, tuple(items))


def _column(pipeline: Pipeline) -> Drawing:
    drawings = [_stage(inner) for inner in reversed(pipeline.stages)]
    types = [str(inner.source) for inner in reversed(pipeline.stages)]
    shown = [t if t != types[at + 1] else "" for at, t in enumerate(types[:-1])]
    reach = max((2 * text_width(t) + 20 for t in shown), default=0)
    width = max(reach, *(d.width for d in drawings))
    items: list[Item] = []
    at = 0.0
    for number, drawing in enumerate(drawings):
        items += [moved(item, (width - drawing.width) / 2, at) for item in drawing.items]
        at += drawing.height
        if number < len(shown):
            items += _arrow(width / 2, at + GAP, at, shown[number])
            at += GAP
    return Drawing(width, at, tuple(items))


def _parallel(combine: Combine) -> Drawing:
    """Branches between a fork and a circle with a plus sign; a coefficient stands on its branch."""
    branches = [_branch(str(c), inner) for c, inner in combine.terms]
    tallest = max(branch.height for branch in branches)
    stretched = [_stretch(branch, tallest) for branch in branches]
    inside = beside(stretched, 26)
    x, top, bottom = inside.width / 2, HEIGHT / 2 + 8, HEIGHT / 2 + 8 + inside.height + 2 * GAP
    items = [moved(item, 0, top + GAP) for item in inside.items]
    at = 0.0
    for branch in stretched:
        centre = at + branch.width / 2
        items.append(Curve(((centre, top + GAP), (centre, top + GAP / 3), (x, top + GAP / 2), (x, top))))
        low = bottom - GAP
        items.append(Curve(((centre, low), (centre, low + 2 * GAP / 3), (x, bottom - GAP / 2), (x, bottom))))
        at += branch.width + 26
    items += [Box((x - 11, top - 22), 22, 22), Label((x, top - 11), "+", "sign"), *_arrow(x, top - 22, 0)]
    return Drawing(inside.width, bottom, tuple(items))


def _branch(coefficient: str, stage: Stage) -> Drawing:
    drawing = _stage(stage)
    if coefficient == "1":
        return drawing
    text = f"({coefficient})"
    width = max(drawing.width, 2 * text_width(text) + 20)
    items = [moved(item, (width - drawing.width) / 2, 20) for item in drawing.items]
    items += _arrow(width / 2, 20, 0, text)
    return Drawing(width, drawing.height + 20, tuple(items))


def _stretch(drawing: Drawing, height: float) -> Drawing:
    """Wires above and below, so that all branches have one height."""
    extra = (height - drawing.height) / 2
    if extra <= 0:
        return drawing
    x = drawing.width / 2
    items = [moved(item, 0, extra) for item in drawing.items]
    items += [*_arrow(x, extra, 0), *_arrow(x, height, height - extra)]
    return Drawing(drawing.width, height, tuple(items))
