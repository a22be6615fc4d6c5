"""Rules: from a `rule` statement to the law it declares."""

from __future__ import annotations

from dataclasses import replace

from catnn.category.diagram import Morphism
from catnn.category.scalar import ONE, Scalar
from catnn.category.wires import Word
from catnn.elaborate.checks import is_fixed
from catnn.elaborate.generators import arity
from catnn.elaborate.ports import postorder
from catnn.elaborate.report import Report, listed
from catnn.elaborate.scopes import Entry, Scope
from catnn.elaborate.terms import Value, pair, show
from catnn.elaborate.types import fixed_arrow
from catnn.hypergraph.graph import Hypergraph
from catnn.hypergraph.linear import Combination, lift
from catnn.rewrite.rule import Law, Rule, Schema
from catnn.syntax import nodes

TRIED = 2
"""The arities at which a rule with variable ones is read when it is declared."""


def rule(node: nodes.RuleStatement, scope: Scope) -> None:
    """Keep a rule for the checks below it; reports what is wrong with it."""
    if scope.places.get(node.name.text) != node.name.span:
        return
    law = _law(node, scope)
    scope.entries[node.name.text] = Entry("rule", node.name.span, None, None, law)
    if law is not None:
        scope.rules.append(law)


def _law(node: nodes.RuleStatement, scope: Scope) -> Law | None:
    if not (is_fixed(node.left, scope, "a rule equates") & is_fixed(node.right, scope, "a rule equates")):
        return None
    left, right = (_arities(term, scope) for term in (node.left, node.right))
    unknown = next((name for text, name in right.items() if text not in left), None)
    if unknown is not None:
        message = f"`{unknown.text}` is an arity on the right alone"
        notes = ("what is found on the left has to say how large it is",)
        scope.report.error("E0706", message, (unknown.span, "how many?"), (node.left.span, "not here"), notes=notes)
        return None
    variables = tuple(left)
    tried = _instance(node, replace(scope, arities=dict.fromkeys(variables, TRIED)), node.name.text)
    if not variables or tried is None:
        return tried

    def make(arities: tuple[int, ...]) -> Rule | None:
        numbers = dict(zip(variables, arities, strict=True))
        name = f"{node.name.text}[{', '.join(f'{key}={value}' for key, value in numbers.items())}]"
        return _instance(node, replace(scope, report=Report(), arities=numbers), name)

    return Schema(scope.prefix + node.name.text, variables, make, node.oriented, node.span.text)


def _arities(term: nodes.Term, scope: Scope) -> dict[str, nodes.Name]:
    """The variable arities of a term, by first use: bare names in `spider[...]`, and powers that are names."""
    found: dict[str, nodes.Name] = {}
    for node in postorder(term):
        match node:
            case nodes.Generator(nodes.Name("spider"), arguments):
                for argument in arguments:
                    name = None if isinstance(argument, int) else arity(argument)
                    if name is not None and name.text not in scope.spaces:
                        found.setdefault(name.text, name)
            case nodes.Power(_, nodes.Name() as name):
                found.setdefault(name.text, name)
    return found


def _instance(node: nodes.RuleStatement, scope: Scope, name: str) -> Rule | None:
    """The rule itself, once its arities are numbers."""
    words: tuple[Word, Word] | None = None
    declared = None
    if node.arrow is not None:
        source, target = fixed_arrow(node.arrow, scope, "a `rule`")
        if source is None or target is None:
            return None
        words, declared = (source.words[0], target.words[0]), node.arrow.span
    sides = pair(node.left, node.right, scope, words, declared)
    if sides is None or _is_false(node, scope, *sides):
        return None
    left, right = map(lift, sides)
    if not node.oriented and len(left.weighted) != 1:
        left, right = right, left
    one = _one(left)
    if one is None:
        side = "the left side of an oriented rule" if node.oriented else "one side of a rule"
        span = node.left.span
        scope.report.error("E0705", f"{side} is a single diagram", (span, f"is {show(left)}"),
                           notes=("a sum is not looked for: its terms are rewritten one by one",))  # fmt: skip
        return None
    coefficient, graph = one
    inverse = ONE / coefficient
    return Rule(scope.prefix + name, graph, right * inverse, node.oriented, node.span.text)


def _one(value: Combination) -> tuple[Scalar, Hypergraph] | None:
    """The one term of a value, where its coefficient can be divided by."""
    if len(value.weighted) != 1 or len(value.weighted[0][0].terms) != 1:
        return None
    return value.weighted[0]


def _is_false(node: nodes.RuleStatement, scope: Scope, left: Value, right: Value) -> bool:
    """Whether a rule says of diagrams without boxes what does not hold; reports it."""
    if not (isinstance(left, Morphism) and isinstance(right, Morphism)) or not (left - right).weighted:
        return False
    scope.report.error(
        "E0704",
        f"`{node.name.text}` does not hold",
        (node.right.span, f"is {show(right)}"),
        (node.left.span, f"is {show(left)}"),
        notes=("without boxes there is nothing to assume: such diagrams are equal or not",),
        helps=(f"boxes may have laws of their own: {listed(scope.entries) if scope.entries else '`box f : V -> V`'}",),
    )
    return True
