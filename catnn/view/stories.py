"""Rules, traces and proofs as documents and graphs.

The graph of a rule has the nodes of both sides, each a graph of `catnn.view.graph`, with side="left" or "right".  That
of a trace or a proof has a node for each value, ("value", side, number), with kind="value", side, index and term, and
an edge for each step, with kind="step", rule and direction="forward" or "backward"; where the sides of a proof meet
there is an edge of kind="equal".  Graph attributes are format, version, name (or the first value) and document: the
JSON that they are read back from.
"""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

from catnn.hypergraph.graph import Hypergraph
from catnn.hypergraph.linear import Combination
from catnn.rewrite import proofs
from catnn.rewrite.rule import Rule, Schema
from catnn.rewrite.sketch import Format, read_sketch, sketch_data
from catnn.rewrite.trace import Proof, Trace
from catnn.view.dot import LOOK, boxes_body
from catnn.view.graph import VERSION, attributes_text, quoted, to_networkx
from catnn.view.json import graph_data, terms_data
from catnn.view.refusal import refuse
from catnn.view.rules import Story, headline, sample
from catnn.view.scalars import read_scalar_data, scalar_data
from catnn.view.types import Data, Spaces, Wires, read_wires, read_word

if TYPE_CHECKING:
    import networkx

MOST_ARITIES = 3
"""A rule with free arities is written out for arities below this."""
MOST_INSTANCES = 20


# -------------------------------------------------------------------------------------------------------- documents


def story_data(value: Story) -> Data:
    """The document of a rule, a trace or a proof."""
    match value:
        case Rule():
            return rule_data(value)
        case Schema():
            return schema_data(value)
    return proofs.to_dict(value)


def rule_data(rule: Rule) -> Data:
    """A rule as plain data."""
    spaces = Spaces()
    words = {"source": spaces.word(rule.left.source), "target": spaces.word(rule.left.target)}
    sides = {"left": graph_data(rule.left, spaces), "right": terms_data(rule.right.weighted, spaces)}
    flags = {"oriented": rule.oriented, "forward": rule.forward}
    head = {"format": "catnn-rule", "version": VERSION, "name": rule.name, "law": rule.law, **flags}
    return {**head, "spaces": spaces.data(), **words, **sides}


def schema_data(schema: Schema) -> Data:
    """A rule with free arities: its sides as sketches, and the rules that it is for small ones."""
    small, spaces = islice(schema.instances(range(MOST_ARITIES)), MOST_INSTANCES), Spaces()
    write = Format(lambda wire: spaces.word((wire,))[0], scalar_data, lambda value: _value_data(value, spaces))
    sides = {"left": sketch_data(schema.left, write), "right": sketch_data(schema.right, write)}
    head = {"format": "catnn-schema", "version": VERSION, "name": schema.name, "law": schema.law}
    inner = {"variables": list(schema.variables), **sides, "instances": [rule_data(rule) for rule in small]}
    return {**head, "oriented": schema.oriented, "spaces": spaces.data(), **inner}


def _value_data(value: Combination, spaces: Spaces) -> Data:
    words = {"source": spaces.word(value.source), "target": spaces.word(value.target)}
    return {**words, "terms": terms_data(value.weighted, spaces)}


# ------------------------------------------------------------------------------------------------------------ graphs


def story_networkx(value: Story) -> networkx.MultiDiGraph:
    """The graph of a rule, a trace or a proof, as the head of this module describes it."""
    import networkx

    document = json.dumps(story_data(value), ensure_ascii=False)
    graph = networkx.MultiDiGraph()
    if isinstance(value, Rule | Schema):
        kind = "catnn-rule" if isinstance(value, Rule) else "catnn-schema"
        graph.graph.update(format=kind, version=VERSION, name=value.name, document=document)
        rule = sample(value)
        for side, found in _sides(rule) if rule is not None else ():
            inner = to_networkx(found)
            for name, data in inner.nodes(data=True):
                graph.add_node((side, *name), side=side, **data)
            for tail, head, data in inner.edges(data=True):
                graph.add_edge((side, *tail), (side, *head), **data)
        return graph
    traces = {"left": value} if isinstance(value, Trace) else {"left": value.left, "right": value.right}
    graph.graph.update(format=proofs.FORMAT, version=VERSION, name=str(traces["left"].start), document=document)
    for side, trace in traces.items():
        for at, term in enumerate(trace.values()):
            graph.add_node(("value", side, at), kind="value", side=side, index=at, term=str(term))
        for at, step in enumerate(trace.steps):
            way = "forward" if step.rule.forward else "backward"
            graph.add_edge(
                ("value", side, at), ("value", side, at + 1), kind="step", rule=step.rule.name, direction=way
            )
    if len(traces) == 2:
        left, right = (("value", side, len(trace.steps)) for side, trace in traces.items())
        graph.add_edge(left, right, kind="equal")
    return graph


def _sides(rule: Rule) -> tuple[tuple[str, Hypergraph | Combination], ...]:
    return ("left", rule.left), ("right", rule.right)


def story_dot(value: Story) -> str:
    """A rule as both its sides, a trace as the chain of its values, for Graphviz."""
    lines, rule = list[str](), sample(value) if isinstance(value, Rule | Schema) else None
    if rule is not None:
        title = headline(value) if isinstance(value, Rule | Schema) else ""
        for side, found in _sides(rule):
            lines.append(f'  subgraph {quoted(f"cluster_{side}")} {{ label={quoted(side)}; color="#80808080";')
            lines += [*boxes_body(found, f"{side}_"), "  }"]
    else:
        graph = story_networkx(value)
        title = str(graph.graph["name"])
        for name, data in graph.nodes(data=True):
            if data.get("kind") == "value":
                pairs = (("label", data["term"]), ("shape", "box"), ("style", "rounded"))
                lines.append(f"  {_name(name)} {attributes_text(pairs)};")
        for tail, head, data in graph.edges(data=True):
            back = " (from right to left)" if data.get("direction") == "backward" else ""
            said = (("label", f"{data['rule']}{back}"),) if "rule" in data else (("label", "="), ("dir", "none"))
            lines.append(f"  {_name(tail)} -> {_name(head)} {attributes_text((*said, ('arrowhead', 'normal')))};")
    head = [f"digraph {quoted(title)} {{", f'  rankdir=BT; {LOOK.replace(", ", "; ")}; bgcolor="transparent";']
    return "\n".join((*head, f'  node [{LOOK}]; edge [{LOOK}, arrowhead="none", penwidth="1.6"];', *lines, "}", ""))


def _name(node: tuple[Any, ...]) -> str:
    return "_".join(map(str, node))


# ---------------------------------------------------------------------------------------------------------- reading


def read_schema(data: Data) -> Schema:
    """A rule with free arities, from its two sides; its `instances` are for other readers.

    Raises: DocumentError where it is none; KeyError, TypeError or ValueError where something is missing.
    """
    wires = read_wires(data)
    read = Format(lambda wire: read_word(wires, [wire])[0], read_scalar_data, lambda value: _read_value(wires, value))
    texts, names = [data["name"], data["law"]], data["variables"]
    if type(data["oriented"]) is not bool or any(not isinstance(text, str) for text in (*texts, *names)):
        raise refuse("a rule has a name, a law and the names of its arities, and says whether it is oriented")
    sides = read_sketch(data["left"], read), read_sketch(data["right"], read)
    return Schema(texts[0], tuple(names), *sides, data["oriented"], texts[1])


def _read_value(wires: Wires, data: Data) -> Combination:
    from catnn.view.reading import read_combination

    return read_combination(wires, data)


def read_proof(data: Data) -> Trace | Proof:
    """The trace or proof of a document; `catnn.checker` replays it.  Raises: DocumentError where it is none."""
    try:
        return proofs.from_json(json.dumps(data))
    except ValueError as fault:
        raise refuse(str(fault)) from None
