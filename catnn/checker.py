"""The checker of proofs: replays a trace, and trusts nothing else in this package.

It reads the JSON of `catnn.rewrite.proofs` as plain data and imports the standard library alone.  A step is right if
the term it takes is C[left] and what it leaves is C[right], for a rule `left = right` and a diagram C with one hole;
all renumberings are given, so nothing is searched for.  What has to be believed: that diagrams are equal if one is the
other renumbered, that a closed loop is the size of its wire, and the rules themselves, which `verify` gives back.  A
rule that is an instance of a schema is made again from the schema's two sides by gluing, and compared.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from fractions import Fraction
from typing import Any

VERSION = 1

MOST_GLUED = 5_000_000
"""To make an instance of a rule, no more vertices and boxes are glued."""

Scalar = dict[tuple[tuple[str, int], ...], Fraction]
Graph = dict[str, Any]
Terms = tuple[list[str], list[str], list[tuple[Scalar, Graph]]]
"""The words of a sum, and its terms."""

_ONE: Scalar = {(): Fraction(1)}


class Invalid(Exception):  # noqa: N818
    """A trace that proves nothing: the place, and what is wrong there."""


def verify(document: dict[str, Any], goal: dict[str, Any] | None = None) -> tuple[str, ...]:
    """Replay a trace or a proof.

    goal: what it should prove, from which rules: its `wires`, `boxes`, `rules`, `left` and `right` have to be those of
    the document.  Returns: the names of the rules that it uses.
    Raises: Invalid where it is no proof.
    """
    try:
        return _Replay(document).run(goal)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        raise Invalid(f"no trace: {type(error).__name__}: {error}") from None


def main(paths: list[str]) -> int:
    """Replay the documents in some files: ``python -m catnn.checker proof.json``."""
    for path in paths:
        try:
            with open(path, encoding="utf-8") as file:
                used = verify(json.load(file, object_pairs_hook=_object))
        except (Invalid, OSError, ValueError, RecursionError) as fault:
            print(f"{path}: {fault}")
            return 1
        print(f"{path}: valid; from {', '.join(used) or 'no rule'}")
    return 0


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    _require(len(dict(pairs)) == len(pairs), "no trace: a key stands twice")
    return dict(pairs)


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise Invalid(what)


class _Replay:
    def __init__(self, document: dict[str, Any]) -> None:
        known = document["format"] == "catnn-proof" and type(document["version"]) is int
        _require(known and document["version"] == VERSION, "another format or version")
        self.document, self.schemas = document, document.get("schemas", {})
        self.wires, self.boxes, self.rules = (document[key] for key in ("wires", "boxes", "rules"))
        self.used: dict[str, None] = {}
        self.glued = 0
        for name, rule in self.rules.items():
            for graph in (rule["left"], *(graph for _, graph in rule["right"])):
                self.well_formed(graph, f"rule {name}")
                _require(_words(graph) == _words(rule["left"]), f"rule {name}: its sides are not parallel")
            if "instance" in rule:
                self.instance(rule, f"rule {name}")

    def run(self, goal: dict[str, Any] | None) -> tuple[str, ...]:
        document = self.document
        if goal is not None:
            for key in ("wires", "boxes"):
                _require(document[key] == goal[key], f"its {key} are not those of the goal")
            plain = {name: rule for name, rule in self.rules.items() if "instance" not in rule}
            _require(plain == goal["rules"], "its rules are not those of the goal")
            _require(self.schemas == goal.get("schemas", {}), "its schemas are not those of the goal")
            for side in ("left", "right"):
                _require(document[side]["start"] == goal[side], f"the {side} side is not that of the goal")
        ends = [self.trace(document[side], side) for side in ("left", "right") if side in document]
        if len(ends) == 2:
            left, right = ends
            meeting = document["meeting"]
            _require(_is_order([at for at, _, _ in meeting], len(right)), "the traces do not meet")
            for (coefficient, graph), (at, vertices, boxes) in zip(left, meeting, strict=True):
                _require(_scalar(coefficient) == _scalar(right[at][0]), "the traces meet with different coefficients")
                self.same(graph, right[at][1], (vertices, boxes), "the meeting")
        return tuple(self.used)

    def trace(self, trace: dict[str, Any], side: str) -> list[Any]:
        """What a trace leaves in the end."""
        terms: list[Any] = trace["start"]
        for _, graph in terms:
            self.well_formed(graph, f"{side}, start")
            _require(_words(graph) == _words(self.document), f"{side}, start: another type")
        for number, step in enumerate(trace["steps"], 1):
            terms = self.step(terms, step, f"{side}, step {number}")
        return terms

    def step(self, terms: list[Any], step: dict[str, Any], where: str) -> list[Any]:
        rule, at, context = self.rules[step["rule"]], step["term"], step["context"]
        self.used[rule.get("instance", {}).get("rule", step["rule"])] = None  # of copies, what they are copies of
        _require(type(at) is int and 0 <= at < len(terms) and type(step["forward"]) is bool, f"{where}: no such term")
        taken, found = terms[at]
        left, right = rule["left"], rule["right"]
        products: list[tuple[Scalar, Graph]] = []
        if step["forward"]:
            products = [(_times(_scalar(taken), _scalar(c)), self.fill(context, graph, where)) for c, graph in right]
        else:
            _require(len(right) == 1, f"{where}: a sum is not used backwards")
            share = _inverse(_scalar(right[0][0]))
            products = [(_times(_scalar(taken), share), self.fill(context, left, where))]
            left = right[0][1]
        self.same(self.fill(context, left, where), found, step["placed"], where)
        raw = [(_scalar(c), graph) for i, (c, graph) in enumerate(terms) if i != at] + products
        totals = self.totals(raw, [graph for _, graph in step["terms"]], step["collected"], where)
        for total, (coefficient, _) in zip(totals, step["terms"], strict=True):
            _require(total == _scalar(coefficient), f"{where}: a coefficient is wrong")
        return [pair for pair, total in zip(step["terms"], totals, strict=True) if total]

    def totals(self, raw: list[tuple[Scalar, Graph]], graphs: list[Graph], said: list[Any], where: str) -> list[Scalar]:
        """The coefficients of some diagrams, once it is told which of them every term is, and how."""
        totals: list[Scalar] = [{} for _ in graphs]
        for graph in graphs:
            self.well_formed(graph, where)
        for (coefficient, graph), (at, vertices, boxes) in zip(raw, said, strict=True):
            _require(type(at) is int and 0 <= at < len(totals), f"{where}: no such term")
            _require(len(vertices) == len(graph["wires"]), f"{where}: vertices are missing")
            kept = [vertex for vertex, new in enumerate(vertices) if new != -1 or type(new) is not int]
            for loop in {*range(len(vertices))} - {*kept}:
                coefficient = _times(coefficient, self.size(graph["wires"][loop]))
            rows = [graph["ins"], graph["outs"], *(row for node in graph["boxes"] for row in node[2:])]
            _require({*kept}.issuperset(v for row in rows for v in row), f"{where}: what is left out is no loop")
            said_of = [vertices[vertex] for vertex in kept], boxes
            self.same(_renumbered(graph, {v: i for i, v in enumerate(kept)}), graphs[at], said_of, where)
            totals[at] = _plus(totals[at], coefficient)
        return totals

    def fill(self, context: Graph, filling: Graph, where: str) -> Graph:
        """C[filling]."""
        holes = [node for node in context["boxes"] if node[0] == ""]
        _require(len(holes) == 1 and holes[0][1] is False, f"{where}: a context has one hole")
        self.well_formed(context, where, filling)
        _, _, inputs, outputs = holes[0]
        rest = {**context, "boxes": [node for node in context["boxes"] if node[0] != ""]}
        glued = _glued(rest, filling, [*inputs, *outputs], [*filling["ins"], *filling["outs"]])
        ends = {key: [glued["new"][v] for v in context[key]] for key in ("ins", "outs")}
        return {**glued, **ends, "source": context["source"], "target": context["target"]}

    def instance(self, rule: dict[str, Any], where: str) -> None:
        """Whether a rule is what its schema says for its arities, divided by the coefficient of the left side.

        Copies of a rule are of such a schema, too: both sides of the rule to the power of the only variable.
        """
        found, self.glued = rule["instance"], 0
        schema = _copies(self.rules[found["rule"]]) if "rule" in found else self.schemas[found["schema"]]
        _require(all(rule[key] == schema[key] for key in ("law", "oriented")), f"{where}: not as in its schema")
        numbers = {name: _arity(arity) for name, arity in zip(schema["variables"], found["arities"], strict=True)}
        (factor,) = self.totals(self.sketch(schema["left"], numbers, where)[2], [rule["left"]], found["left"], where)
        graphs = [*(graph for _, graph in rule["right"]), *found["zeros"]]
        totals = self.totals(self.sketch(schema["right"], numbers, where)[2], graphs, found["right"], where)
        for at, total in enumerate(totals):
            wanted = _scalar(rule["right"][at][0]) if at < len(rule["right"]) else {}
            _require(_times(wanted, factor) == total, f"{where}: another coefficient than in its schema")
        _require(bool(factor), f"{where}: its left side is 0")

    def sketch(self, sketch: list[Any], numbers: dict[str, int], where: str) -> Terms:
        """The words of a sketch and its terms for some arities: pieces glued, in the order in which they stand."""
        kind, *parts = sketch
        if kind == "value":
            terms = [(_scalar(coefficient), graph) for coefficient, graph in parts[0]["terms"]]
            for _, graph in terms:
                self.well_formed(graph, where)
                _require(_words(graph) == _words(parts[0]), f"{where}: a sum of several types")
            return *_words(parts[0]), terms
        if kind == "spider":
            k, l = (_arity(numbers.get(arity, arity)) for arity in parts[1:])
            words = [parts[0]] * k, [parts[0]] * l
            vertex = parts[0].removesuffix("'")
            return *words, [(_ONE, _graph(words, [vertex], [0] * k, [0] * l))]
        if kind == "same":
            word = self.sketch(parts[0], numbers, where)[0]
            ends = list(range(len(word)))
            return word, word, [(_ONE, _graph((word, word), [wire.removesuffix("'") for wire in word], ends, ends))]
        if kind == "sum":
            found = [(_scalar(c), self.sketch(part, numbers, where)) for c, part in parts[0]]
            _require(all(part[:2] == found[0][1][:2] for _, part in found), f"{where}: a sum of several types")
            return *found[0][1][:2], [(_times(c, d), graph) for c, part in found for d, graph in part[2]]
        _require(kind in ("chain", "beside", "power"), f"{where}: no sketch")
        if kind == "power":
            pieces = [self.sketch(parts[0], numbers, where)] * _arity(numbers.get(parts[1], parts[1]))
        else:
            pieces = [self.sketch(part, numbers, where) for part in parts[0]]
        while len(pieces) > 1:  # two and two, so that many take no longer than they have to
            pairs = zip(pieces[::2], pieces[1::2], strict=False)
            rest = pieces[len(pieces) & ~1 :]
            pieces = [self.pair(one, other, where, chained=kind == "chain") for one, other in pairs] + rest
        return pieces[0] if pieces else ([], [], [(_ONE, _graph(([], []), [], [], []))])

    def pair(self, one: Terms, other: Terms, where: str, *, chained: bool) -> Terms:
        """Two sums one after the other, or side by side."""
        _require(not chained or one[1] == other[0], f"{where}: two stages do not meet")
        words = (one[0] if chained else one[0] + other[0]), (other[1] if chained else one[1] + other[1])
        sizes = [sum(1 + len(graph["wires"]) + len(graph["boxes"]) for _, graph in part[2]) for part in (one, other)]
        self.glued += sizes[0] * len(other[2]) + sizes[1] * len(one[2])
        _require(self.glued <= MOST_GLUED, f"{where}: more to glue than any rule has")
        rows = [(_times(c, d), _joined(g, h, words, chained)) for c, g in one[2] for d, h in other[2]]
        _require(len(rows) <= 2_000, f"{where}: too many terms")
        return *words, rows

    # -------------------------------------------------------------------------------------------------- the diagrams

    def same(self, one: Graph, other: Graph, numbers: Any, where: str) -> None:
        """Whether one diagram is the other, each vertex and box being the one that is said."""
        vertices, boxes = numbers
        _require(_words(one) == _words(other), f"{where}: another type")
        for row, key in ((vertices, "wires"), (boxes, "boxes")):
            _require(len(one[key]) == len(other[key]), f"{where}: another number of {key}")
            _require(_is_order(row, len(one[key])), f"{where}: no renumbering")
        for at, wire in zip(vertices, one["wires"], strict=True):
            _require(other["wires"][at] == wire, f"{where}: a vertex is on another wire")
        for key in ("ins", "outs"):
            _require([vertices[v] for v in one[key]] == other[key], f"{where}: the {key} are elsewhere")
        for at, (name, turned, inputs, outputs) in zip(boxes, one["boxes"], strict=True):
            theirs = other["boxes"][at]
            _require([name, turned] == theirs[:2], f"{where}: a box has another name")
            free = self.exchangeable(name, turned)
            for mine, own, loose in zip((inputs, outputs), theirs[2:], free, strict=True):
                placed = [vertices[v] for v in mine]
                _require(placed == own or (loose and sorted(placed) == sorted(own)), f"{where}: a box hangs elsewhere")

    def exchangeable(self, name: str, turned: bool) -> tuple[bool, bool]:
        """Whether the inputs, and the outputs, of a box may be exchanged."""
        promise = self.boxes[name]["symmetric"] if name else ""
        free = promise in ("inputs", "both"), promise in ("outputs", "both")
        return free[::-1] if turned else free

    def legs(self, node: list[Any], filling: Graph | None) -> tuple[list[str], list[str]]:
        """The words of a box; those of a hole are the type of what goes there."""
        if node[0] == "":
            _require(filling is not None, "a hole outside a context")
            return filling["source"], filling["target"]  # type: ignore[index]
        box = self.boxes[node[0]]
        _require(not (node[1] and box["adjoint"] == "self"), "a box that is its own dagger is never turned")
        return (box["target"], box["source"]) if node[1] else (box["source"], box["target"])

    def well_formed(self, graph: Graph, where: str, filling: Graph | None = None) -> None:
        """Whether every end fits its vertex, and every vertex has ends that its wire allows."""
        lists = [graph[part] for part in ("source", "target", "wires", "boxes", "ins", "outs")]
        lists += [row for node in graph["boxes"] for row in node[2:]]
        _require(all(type(row) is list for row in lists), f"{where}: no diagram")
        rows = [(graph["ins"], graph["source"], 0), (graph["outs"], graph["target"], 1)]
        for node in graph["boxes"]:
            source, target = self.legs(node, filling)
            _require(type(node[1]) is bool and len(node) == 4, f"{where}: no box")
            rows += [(node[2], source, 1), (node[3], target, 0)]
        ends = [[0, 0] for _ in graph["wires"]]
        for vertices, word, side in rows:
            for vertex, wire in zip(vertices, word, strict=True):
                _require(type(vertex) is int and 0 <= vertex < len(ends), f"{where}: no such vertex")
                _require(graph["wires"][vertex] == wire.removesuffix("'"), f"{where}: an end on another wire")
                ends[vertex][side ^ wire.endswith("'")] += 1
        for wire, (into, out) in zip(graph["wires"], ends, strict=True):
            meets = self.wires[wire]["meets"]
            fine = meets == "spider" or into + out == 0 or (meets == "bend" and into + out <= 2) or into == out == 1
            _require(fine and meets in ("spider", "bend", "plain", "oriented"), f"{where}: too many ends meet")

    def size(self, wire: str) -> Scalar:
        """The value of a closed loop."""
        size = self.wires[wire]["size"]
        return {(): Fraction(size)} if type(size) is int else {((size, 1),): Fraction(1)}


def _is_order(row: list[Any], count: int) -> bool:
    return type(row) is list and all(type(at) is int for at in row) and sorted(row) == list(range(count))


def _arity(found: Any) -> int:
    _require(type(found) is int and 0 <= found <= 1_000, "no arity")
    return int(found)


def _copies(rule: dict[str, Any]) -> dict[str, Any]:
    """The schema of any number of copies of a rule side by side."""
    _require("rule" not in rule.get("instance", {}), "copies of copies")  # so no rule rests on itself
    left = rule["left"]
    whole, both = {"source": left["source"], "target": left["target"]}, ([[[[1, 1, []]], left]], rule["right"])
    one, other = (["power", ["value", {**whole, "terms": terms}], "q"] for terms in both)
    return {"law": rule["law"], "oriented": rule["oriented"], "variables": ["q"], "left": one, "right": other}


def _graph(words: tuple[Any, Any], wires: list[str], ins: list[int], outs: list[int]) -> Graph:
    """A diagram without boxes."""
    return {"source": words[0], "target": words[1], "wires": wires, "boxes": [], "ins": ins, "outs": outs}


def _glued(one: Graph, other: Graph, left: list[int], right: list[int]) -> Graph:
    """Two diagrams with some vertices of the one glued to some of the other; `new` says where all vertices went."""
    shift = len(one["wires"])
    wires = [*one["wires"], *other["wires"]]
    lead = list(range(len(wires)))

    def find(vertex: int) -> int:
        while lead[vertex] != vertex:
            lead[vertex] = lead[lead[vertex]]
            vertex = lead[vertex]
        return vertex

    for outer, inner in zip(left, right, strict=True):
        first, last = sorted((find(outer), find(inner + shift)))
        lead[last] = first
    number: dict[int, int] = {}
    new = [number.setdefault(find(vertex), len(number)) for vertex in range(len(wires))]
    boxes = [[n, t, [new[v] for v in i], [new[v] for v in o]] for n, t, i, o in one["boxes"]]
    boxes += [[n, t, [new[v + shift] for v in i], [new[v + shift] for v in o]] for n, t, i, o in other["boxes"]]
    return {"wires": [wires[vertex] for vertex in number], "boxes": boxes, "new": new}


def _joined(one: Graph, other: Graph, words: tuple[Any, Any], chained: bool) -> Graph:
    """Two diagrams one after the other, or side by side."""
    glued = _glued(one, other, one["outs"] if chained else [], other["ins"] if chained else [])
    new, shift = glued["new"], len(one["wires"])
    ins, outs = [new[v] for v in one["ins"]], [new[v + shift] for v in other["outs"]]
    if not chained:
        ins += [new[v + shift] for v in other["ins"]]
        outs = [new[v] for v in one["outs"]] + outs
    return {**glued, "source": words[0], "target": words[1], "ins": ins, "outs": outs}


def _words(graph: Graph) -> tuple[list[str], list[str]]:
    return graph["source"], graph["target"]


def _renumbered(graph: Graph, number: dict[int, int]) -> Graph:
    return {
        **graph,
        "wires": [graph["wires"][v] for v in number],
        "boxes": [[n, t, [number[v] for v in i], [number[v] for v in o]] for n, t, i, o in graph["boxes"]],
        "ins": [number[v] for v in graph["ins"]],
        "outs": [number[v] for v in graph["outs"]],
    }


def _scalar(terms: list[Any]) -> Scalar:
    """A sum of [numerator, denominator, [[size, exponent], ...]]."""
    total: Scalar = {}
    for numerator, denominator, powers in terms:
        _require(type(numerator) is int and type(denominator) is int, "no exact number")
        fine = type(powers) is list and all(type(s) is str and type(exponent) is int for s, exponent in powers)
        _require(fine and len(dict(powers)) == len(powers), "no product of sizes")
        monomial = tuple(sorted(map(tuple, powers)))
        total = _plus(total, {monomial: Fraction(numerator, denominator)})
    return total


def _plus(one: Scalar, other: Scalar) -> Scalar:
    total = dict(one)
    for monomial, value in other.items():
        total[monomial] = total.get(monomial, Fraction(0)) + value
    return {monomial: value for monomial, value in total.items() if value}


def _times(one: Scalar, other: Scalar) -> Scalar:
    total: Scalar = {}
    for left, a in one.items():
        for right, b in other.items():
            powers = Counter(dict(left))
            powers.update(dict(right))
            monomial = tuple(sorted((name, exponent) for name, exponent in powers.items() if exponent))
            total[monomial] = total.get(monomial, Fraction(0)) + a * b
    return {monomial: value for monomial, value in total.items() if value}


def _inverse(scalar: Scalar) -> Scalar:
    _require(len(scalar) == 1, "a sum has no inverse")
    ((monomial, value),) = scalar.items()
    return {tuple((name, -exponent) for name, exponent in monomial): 1 / value}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
