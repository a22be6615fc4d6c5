"""Traces and proofs as versioned JSON, which `catnn.checker` replays."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from typing import Any

from catnn.category.families import FAMILIES
from catnn.category.scalar import ONE, Scalar
from catnn.category.wires import Group, Wire, Word
from catnn.diagnostics import CatnnError
from catnn.hypergraph.box import Box, structure
from catnn.hypergraph.canonical import isomorphism
from catnn.hypergraph.graph import Hypergraph, Node
from catnn.hypergraph.linear import Combination, Weighted, combination, without_loops
from catnn.rewrite.context import HOLE, hole
from catnn.rewrite.rule import Law, Rule, Schema
from catnn.rewrite.sketch import Format, Raw, raw, read_sketch, sketch_data, values
from catnn.rewrite.trace import Proof, Renumbering, Step, Trace
from catnn.rewrite.uses import MOST

FORMAT, VERSION = "catnn-proof", 1

Json = dict[str, Any]


def to_json(value: Trace | Proof) -> str:
    """A document that `from_json` reads and `catnn.checker.verify` replays."""
    return json.dumps(to_dict(value), ensure_ascii=False, separators=(",", ":")) + "\n"


def to_dict(value: Trace | Proof) -> Json:
    """The same as plain data."""
    traces = {"left": value} if isinstance(value, Trace) else {"left": value.left, "right": value.right}
    rules = rules_of(traces.values())
    schemas = _schemas(rules)
    start = traces["left"].start
    graphs = [*(graph for trace in traces.values() for graph in _graphs(trace)), *_sides(rules), *_held(schemas)]
    document: Json = {
        "format": FORMAT,
        "version": VERSION,
        "wires": _wires(graphs),
        "boxes": _boxes(graphs),
        "rules": {rule.name: _rule(rule) for rule in rules},
        "schemas": {schema.name: schema_data(schema) for schema in schemas},
        "source": _word(start.source),
        "target": _word(start.target),
    }
    for side, trace in traces.items():
        document[side] = {"start": _terms(trace.start.weighted), "steps": [_step(step) for step in trace.steps]}
    if isinstance(value, Proof):
        document["meeting"] = [[at, *map(list, same)] for at, same in value.meeting]
    return document


def goal(left: Combination, right: Combination, proof: Proof, laws: Iterable[Law] | None = None) -> Json:
    """What a proof should prove, for the checker: the two values, and the laws that it may use, as they were declared.

    laws: all there are; without them, those that the proof itself tells.
    """
    document = to_dict(proof)
    used = rules_of((proof.left, proof.right))
    known = [declared(rule) for rule in used] if laws is None else list(laws)
    wanted = {name for key in ("rules", "schemas") for name in document[key]}
    mine = {law.name: law for law in known if law.name in wanted}
    return {
        **{key: document[key] for key in ("wires", "boxes")},
        "rules": {name: _rule(law) for name, law in mine.items() if isinstance(law, Rule)},
        "schemas": {name: schema_data(law) for name, law in mine.items() if isinstance(law, Schema)},
        "left": _terms(left.weighted),
        "right": _terms(right.weighted),
    }


def rules_of(traces: Iterable[Trace]) -> tuple[Rule, ...]:
    """The rules that traces use, each once, as they were declared; and those of which they use copies."""
    found: dict[str, Rule] = {}
    for trace in traces:
        for step in trace.steps:
            rule = step.rule if step.rule.forward else step.rule.reverse
            assert rule is not None
            found.setdefault(rule.name, rule)
            found.setdefault(rule.base.name, rule.base)
    return tuple(found.values())


def declared(rule: Rule) -> Law:
    """The law of which a rule is an instance, or several copies; else itself."""
    base = rule.base
    return base if base.origin is None else base.origin[0]


def _graphs(trace: Trace) -> Iterable[Hypergraph]:
    yield from (graph for _, graph in trace.start.weighted)
    for step in trace.steps:
        yield from (graph for _, graph in step.terms)


def _sides(rules: Iterable[Rule]) -> Iterable[Hypergraph]:
    for rule in rules:
        yield rule.left
        yield from (graph for _, graph in rule.right.weighted)


def _schemas(rules: Iterable[Rule]) -> tuple[Schema, ...]:
    """The schemas that some rules are instances of, each once."""
    found = [rule.origin[0] for rule in rules if rule.origin is not None]
    return tuple({schema.name: schema for schema in found if isinstance(schema, Schema)}.values())


def _held(schemas: Iterable[Schema]) -> Iterable[Hypergraph]:
    for schema in schemas:
        for side in (schema.left, schema.right):
            for value in values(side):
                yield from (graph for _, graph in value.weighted)


def _wires(graphs: Iterable[Hypergraph]) -> Json:
    found: Json = {}
    for graph in graphs:
        for wire in (*graph.wires, *(w.base for w in (*graph.source, *graph.target))):
            meets = "oriented" if FAMILIES[wire.group.family].oriented else structure(wire)
            group = {"family": wire.group.family, "size": wire.group.size, "label": wire.group.label}
            found[wire.space] = {**group, "meets": meets}
    return dict(sorted(found.items()))


def _boxes(graphs: Iterable[Hypergraph]) -> Json:
    found: Json = {}
    for graph in graphs:
        for turned in graph.boxes:
            if turned.kind == HOLE:
                continue
            box = turned.dagger() if turned.turned else turned
            found[_name(box)] = {
                "source": _word(box.source),
                "target": _word(box.target),
                "kind": box.kind,
                "adjoint": box.adjoint,
                "symmetric": box.symmetric,
            }
    return dict(sorted(found.items()))


def _name(box: Box) -> str:
    """The name; a form belongs to its space: `ev[P]`."""
    if box.kind == HOLE:
        return ""
    return f"{box.name}[{(box.source + box.target)[0].space}]" if box.kind == "form" else box.name


def _word(word: Word) -> list[str]:
    return [str(wire) for wire in word]


def _graph(graph: Hypergraph) -> Json:
    boxes = [[_name(box), box.turned, list(inputs), list(outputs)] for box, inputs, outputs in graph.nodes]
    return {
        "source": _word(graph.source),
        "target": _word(graph.target),
        "wires": _word(graph.wires),
        "boxes": boxes,
        "ins": list(graph.ins),
        "outs": list(graph.outs),
    }


def _scalar(scalar: Scalar) -> list[Any]:
    return [[c.numerator, c.denominator, [list(power) for power in monomial]] for monomial, c in scalar.terms]


def _terms(weighted: Weighted) -> list[Any]:
    return [[_scalar(coefficient), _graph(graph)] for coefficient, graph in weighted]


def _rule(rule: Rule) -> Json:
    right = _terms(rule.right.weighted)
    found: Json = {"law": rule.law, "oriented": rule.oriented, "left": _graph(rule.left), "right": right}
    return found if rule.origin is None else {**found, "instance": _instance(rule, *rule.origin)}


def schema_data(schema: Schema) -> Json:
    """A schema: its variables, and its sides as sketches (`catnn.rewrite.sketch`)."""
    sides = {side: sketch_data(sketch, WRITE) for side, sketch in (("left", schema.left), ("right", schema.right))}
    return {"law": schema.law, "oriented": schema.oriented, "variables": list(schema.variables), **sides}


def _value(value: Combination) -> Json:
    return {"source": _word(value.source), "target": _word(value.target), "terms": _terms(value.weighted)}


WRITE = Format(str, lambda scalar: _scalar(scalar), _value)


def _instance(rule: Rule, schema: Law, arities: tuple[int, ...]) -> Json:
    """How a rule is an instance of a schema, or copies of a rule: which of its terms each term is, and how."""
    if isinstance(schema, Rule):
        same = [[0, *(list(range(len(row))) for row in (g.wires, g.nodes))] for g in (rule.left, _right(rule))]
        return {"rule": schema.name, "arities": list(arities), "left": same[:1], "right": same[1:], "zeros": []}
    numbers = dict(zip(schema.variables, arities, strict=True))
    left, right = raw(schema.left, numbers), raw(schema.right, numbers)
    one, zeros = combination(left.source, left.target, ((ONE, rule.left),)), list[Hypergraph]()
    sides = {"left": _collected(left, one, []), "right": _collected(right, rule.right, zeros)}
    return {"schema": schema.name, "arities": list(arities), **sides, "zeros": [_graph(graph) for graph in zeros]}


def _right(rule: Rule) -> Hypergraph:
    """The right side of copies of a rule, which is one term."""
    return rule.right.weighted[0][1]


def _collected(terms: Raw, value: Combination, zeros: list[Hypergraph]) -> list[Any]:
    """For each term which one of a value it is, and how; those that cancel are added to `zeros`."""
    known = [graph for _, graph in value.weighted]
    found = []
    for coefficient, graph in terms.terms:
        _, bare, kept = without_loops(coefficient, graph)
        at = next((at for at, other in enumerate([*known, *zeros]) if other == bare), len(known) + len(zeros))
        if at == len(known) + len(zeros):
            zeros.append(bare)
        vertices, boxes = isomorphism(bare, [*known, *zeros][at])
        found.append([at, [-1 if vertex < 0 else vertices[vertex] for vertex in kept], list(boxes)])
    return found


def _step(step: Step) -> Json:
    return {
        "rule": step.rule.name,
        "forward": step.rule.forward,
        "term": step.term,
        "context": _graph(step.context),
        "placed": [list(row) for row in step.placed],
        "terms": _terms(step.terms),
        "collected": [[at, *map(list, same)] for at, same in step.collected],
    }


# ----------------------------------------------------------------------------------------------------------- reading


def from_json(text: str) -> Trace | Proof:
    """The trace or proof of a document.

    Raises: ValueError where it is none; whether its steps are right is for `catnn.checker` to say.
    """
    try:
        return _Reader(json.loads(text, parse_constant=_no_number)).read()
    except (LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, CatnnError) as error:
        raise ValueError(f"no trace: {type(error).__name__}: {error}") from None


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _made(law: Law, arities: tuple[int, ...]) -> tuple[Hypergraph, Combination] | None:
    """The sides of an instance of a law, or of copies of a rule; None where there is none."""
    if isinstance(law, Schema):
        rule = law.instance(arities) if len(arities) == len(law.variables) and min(arities, default=0) >= 0 else None
    else:
        (times,) = arities
        rule = law.power(times) if 0 < times <= MOST and len(law.right.weighted) == 1 else None
    return None if rule is None else (rule.left, rule.right)


class _Reader:
    def __init__(self, document: Json) -> None:
        if (document["format"], document["version"]) != (FORMAT, VERSION):
            raise ValueError(f"format {document['format']} {document['version']}, not {FORMAT} {VERSION}")
        self.document = document
        self.wires = {}
        for name, wire in document["wires"].items():
            family, size, label = (wire[key] for key in ("family", "size", "label"))
            if not isinstance(family, str) or not isinstance(label, str) or type(size) not in (int, str):
                raise ValueError(f"`{name}` is no wire")
            self.wires[name] = Wire(name, Group(family, size, label))
        self.boxes = {}
        for name, box in document["boxes"].items():
            plain = re.sub(r"\[.*", "", name)
            words = self.word(box["source"]), self.word(box["target"])
            if not isinstance(box["kind"], str):
                raise ValueError(f"`{name}` is no box")
            promises = {"adjoint": box["adjoint"], "symmetric": box["symmetric"]}
            self.boxes[name] = Box(plain, *words, box["kind"], **promises)
        words = self.word(document["source"]), self.word(document["target"])
        self.source, self.target = words
        self.schemas = {name: self.schema(name, schema) for name, schema in document.get("schemas", {}).items()}
        self.rules = {}
        for name, rule in document["rules"].items():
            left = self.graph(rule["left"])
            right = Combination(left.source, left.target, self.terms(rule["right"]))
            self.rules[name] = Rule(name, left, right, rule["oriented"], rule["law"])
        made = {name: rule["instance"] for name, rule in document["rules"].items() if "instance" in rule}
        for name, found in sorted(made.items(), key=lambda pair: "rule" in pair[1]):  # copies may be of an instance
            law = self.rules[found["rule"]] if "rule" in found else self.schemas[found["schema"]]
            arities = tuple(map(int, found["arities"]))
            if _made(law, arities) != (self.rules[name].left, self.rules[name].right):
                raise ValueError(f"`{name}` is no instance of `{law.name}`")
            self.rules[name] = replace(self.rules[name], origin=(law, arities))

    def schema(self, name: str, schema: Json) -> Schema:
        read = Format(lambda wire: self.word([wire])[0], self.scalar, self.value)
        left, right = read_sketch(schema["left"], read), read_sketch(schema["right"], read)
        return Schema(name, tuple(schema["variables"]), left, right, schema["oriented"], schema["law"])

    def value(self, value: Json) -> Combination:
        return Combination(self.word(value["source"]), self.word(value["target"]), self.terms(value["terms"]))

    def read(self) -> Trace | Proof:
        left = self.trace(self.document["left"])
        if "right" not in self.document:
            return left
        meeting = tuple((at, self.same(vertices, boxes)) for at, vertices, boxes in self.document["meeting"])
        return Proof(left, self.trace(self.document["right"]), meeting)

    def trace(self, trace: Json) -> Trace:
        start = Combination(self.source, self.target, self.terms(trace["start"]))
        return Trace(start, tuple(self.step(step) for step in trace["steps"]))

    def step(self, step: Json) -> Step:
        rule: Rule | None = self.rules[step["rule"]]
        assert rule is not None
        if not step["forward"]:
            rule = rule.reverse
        if rule is None:
            raise ValueError(f"`{step['rule']}` cannot be used backwards")
        collected = tuple((at, self.same(vertices, boxes)) for at, vertices, boxes in step["collected"])
        context = self.graph(step["context"], hole(rule.left.source, rule.left.target))
        return Step(rule, step["term"], context, self.same(*step["placed"]), self.terms(step["terms"]), collected)

    def same(self, vertices: list[int], boxes: list[int]) -> Renumbering:
        return tuple(vertices), tuple(boxes)

    def terms(self, terms: list[Any]) -> Weighted:
        return tuple((self.scalar(coefficient), self.graph(graph)) for coefficient, graph in terms)

    def scalar(self, terms: list[Any]) -> Scalar:
        pairs = ((tuple((str(s), int(e)) for s, e in powers), Fraction(p, q)) for p, q, powers in terms)
        return Scalar(tuple(sorted(pairs)))

    def word(self, word: list[str]) -> Word:
        found = (self.wires[name.removesuffix("'")] for name in word)
        return tuple(w.flipped() if n.endswith("'") else w for w, n in zip(found, word, strict=True))

    def graph(self, graph: Json, gap: Box | None = None) -> Hypergraph:
        nodes = []
        for name, turned, inputs, outputs in graph["boxes"]:
            box = gap if name == "" and gap is not None else self.boxes[name]
            nodes.append(Node(box.dagger() if turned else box, tuple(inputs), tuple(outputs)))
        source, target = self.word(graph["source"]), self.word(graph["target"])
        ins, outs = tuple(graph["ins"]), tuple(graph["outs"])
        return Hypergraph(source, target, self.word(graph["wires"]), tuple(nodes), ins, outs)
