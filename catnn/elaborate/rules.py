"""Rules: from a `rule` statement to the law it declares."""

from __future__ import annotations

from dataclasses import replace

from catnn.category.diagram import Morphism
from catnn.category.scalar import ONE, Scalar
from catnn.category.wires import Word
from catnn.diagnostics import Span
from catnn.elaborate.checks import is_fixed
from catnn.elaborate.inference import Inference
from catnn.elaborate.ports import postorder
from catnn.elaborate.report import Report, listed
from catnn.elaborate.scopes import Entry, Scope
from catnn.elaborate.sketches import sketches, variable_arities
from catnn.elaborate.terms import Value, meaning, show, typed
from catnn.elaborate.types import fixed_arrow
from catnn.hypergraph.convert import is_pure
from catnn.hypergraph.graph import Hypergraph
from catnn.hypergraph.linear import Combination, lift
from catnn.rewrite.rule import Law, Rule, Schema
from catnn.syntax import nodes

TRIED = (2, 3, 1)
"""The arities at which a rule with variable ones is read when it is declared: the first at which it can be."""


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
    left, right = (variable_arities(term, scope) for term in (node.left, node.right))
    if not _decided(right, left, node.left.span, scope, "right"):
        return None
    if not left:
        found = _kept_apart(node, scope) or _sides(node, scope)
        return None if found is None else _rule(node, found, scope)
    quiet = (replace(scope, report=Report(), arities=dict.fromkeys(left, arity)) for arity in TRIED)
    fine = next((dict(one.arities) for one in quiet if _sides(node, one) is not None), dict.fromkeys(left, TRIED[0]))
    found = _sides(node, replace(scope, arities=fine))
    if found is None:
        return None
    inference, _, turned = found
    if turned and not _decided(left, right, node.right.span, scope, "left"):
        return None
    one, other = sketches(node.left, node.right, inference)
    one, other = (other, one) if turned else (one, other)
    variables = tuple(right if turned else left)
    return Schema(scope.prefix + node.name.text, variables, one, other, node.oriented, node.span.text)


def _decided(named: dict[str, nodes.Name], known: dict[str, nodes.Name], where: Span, scope: Scope, side: str) -> bool:
    """Whether the arities of one side are those of the one that is looked for; reports one that is not."""
    unknown = next((name for text, name in named.items() if text not in known), None)
    if unknown is not None:
        message = f"`{unknown.text}` is an arity on the {side} alone"
        notes = (f"what is found on the {'left' if side == 'right' else 'right'} has to say how large it is",)
        scope.report.error("E0706", message, (unknown.span, "how many?"), (where, "not here"), notes=notes)
    return unknown is None


Sides = tuple[Inference, tuple[Combination, Combination], bool]
"""How the sides of a rule are typed, what they are, and whether the right one is looked for."""


def _sides(node: nodes.RuleStatement, scope: Scope) -> Sides | None:
    """The sides of a rule once its arities are numbers, or None once its faults are reported."""
    words: tuple[Word, Word] | None = None
    declared = None
    if node.arrow is not None:
        source, target = fixed_arrow(node.arrow, scope, "a `rule`")
        if source is None or target is None:
            return None
        words, declared = (source.words[0], target.words[0]), node.arrow.span
    inference = typed(node.left, node.right, scope, words, declared)
    if inference is None:
        return None
    one, other = meaning(inference, node.left), meaning(inference, node.right)
    if one is None or other is None or _is_false(node, scope, one, other):
        return None
    left, right = lift(one), lift(other)
    turned = not node.oriented and len(left.weighted) != 1
    left, right = (right, left) if turned else (left, right)
    if _one(left) is None:
        side = "the left side of an oriented rule" if node.oriented else "one side of a rule"
        span = node.left.span
        scope.report.error("E0705", f"{side} is a single diagram", (span, f"is {show(left)}"),
                           notes=("a sum is not looked for: its terms are rewritten one by one",))  # fmt: skip
        return None
    return inference, (left, right), turned


def _kept_apart(node: nodes.RuleStatement, scope: Scope) -> Sides | None:
    """The sides of a rule of boxes with the epsilons that it shows, where they would be multiplied out else."""
    terms = (*postorder(node.left), *postorder(node.right))
    if not any(isinstance(term, nodes.Generator) and term.name.text == "eps" for term in terms):
        return None
    found = _sides(node, replace(scope, report=Report(), apart=True))
    pure = found is None or all(is_pure(graph) for side in found[1] for _, graph in side.weighted)
    return None if pure else found


def _rule(node: nodes.RuleStatement, sides: Sides, scope: Scope) -> Rule | None:
    _, (left, right), _ = sides
    one = _one(left)
    if one is None:
        return None
    coefficient, graph = one
    return Rule(scope.prefix + node.name.text, graph, right * (ONE / coefficient), node.oriented, node.span.text)


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
