"""Networks as graphs: a node for each stage, an arrow for what flows."""

from __future__ import annotations

from dataclasses import dataclass, field

from catnn.category.scalar import ONE, Scalar
from catnn.model import Activate, Apply, Call, Combine, Identity, Network, Pipeline, Stage
from catnn.program import Program
from catnn.view.programs import program_flows


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
    coefficient: Scalar = ONE


@dataclass
class Graph:
    """The nodes in the order of computation, and the flows in the order of reading."""

    nodes: list[Node] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)


def network_graph(network: Network) -> Graph:
    """The stages of a network with one input and one output; residual branches join in a sum."""
    if isinstance(network.body, Program):
        nodes, flows = program_flows(network)
        return Graph([Node(*node) for node in nodes], [Flow(*flow) for flow in flows])
    graph = Graph([Node("input", "input", str(network.source))])
    end, coefficient = _grow(graph, network.body, "input", ONE)
    graph.nodes.append(Node("output", "output", str(network.target)))
    graph.flows.append(Flow(end, "output", str(network.target), coefficient))
    return graph


def _grow(graph: Graph, stage: Stage, start: str, factor: Scalar) -> tuple[str, Scalar]:
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
                graph.flows.append(Flow(end, name, str(stage.target), before * c))
            return name, ONE
    name = _node(graph, kind(stage), label(stage))
    graph.flows.append(Flow(start, name, str(stage.source), factor))
    return name, ONE


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
