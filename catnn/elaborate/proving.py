"""Checks with boxes: proved by normal form, then by rules; refuted by numbers; or neither."""

from __future__ import annotations

from catnn.checker import verify
from catnn.diagnostics import CatnnError
from catnn.elaborate.report import Place
from catnn.elaborate.scopes import Scope
from catnn.elaborate.terms import show
from catnn.hypergraph.linear import Combination
from catnn.model import Check
from catnn.rewrite.models import Counterexample, counterexample
from catnn.rewrite.proofs import goal, to_dict
from catnn.rewrite.rule import Law
from catnn.rewrite.strategy import Budget, laws_of, normalise, prove, simplify
from catnn.rewrite.theories import builtin
from catnn.rewrite.trace import meet
from catnn.syntax import nodes

FEW = 60
"""So many models of each size are tried before the rules are searched; all of them after that."""


def boxed(node: nodes.CheckStatement, scope: Scope, left: Combination, right: Combination) -> Check | None:
    """The proved line, its proof replayed by the checker; None once it is reported what is wrong with it."""
    try:
        return _decided(node, scope, left, right)
    except CatnnError as error:  # E0415: nothing else can go wrong with values that are well typed
        for fault in error.diagnostics:
            scope.report.error(fault.code, fault.message, (node.span, "here"), notes=fault.notes)
        return None


def _decided(node: nodes.CheckStatement, scope: Scope, left: Combination, right: Combination) -> Check | None:
    laws = laws_of(builtin(left, right), scope.rules)
    reduced = normalise(left, right, laws)
    proof = meet(*reduced)
    if proof is None and (scope.broken or any(e.kind == "rule" and e.value is None for e in scope.entries.values())):
        return None  # it may lack a rule that is wrong itself, which has been reported
    found = None if proof is not None else counterexample(left, right, laws, FEW, scope.wires)
    if proof is None and found is None and laws:
        proof = prove(left, right, laws, reduced=reduced)
        found = None if proof is not None else counterexample(left, right, laws, spaces=scope.wires)
    if proof is not None:
        verify(to_dict(proof), goal(left, right, proof))
        return Check(node.span.text, node.span, proof, (left, right))
    if found is not None:
        _refuted(node, scope, (left, right), found)
    else:
        _undecided(node, scope, (left, right), laws)
    return None


def _places(node: nodes.CheckStatement, sides: tuple[Combination, Combination], verb: str) -> tuple[Place, Place]:
    one, other = (f"{verb} {show(side)}" for side in sides)
    return (node.right.span, other), (node.left.span, one)


def _refuted(
    node: nodes.CheckStatement, scope: Scope, sides: tuple[Combination, Combination], found: Counterexample
) -> None:
    notes = [str(found)]
    if found.tensors:
        notes.append(f"{'the rules hold for ' if found.assumed else 'with '}{found.shown()}")
    scope.report.error("E0701", "the two sides of this check differ", *_places(node, sides, "is"), notes=notes)


def _undecided(
    node: nodes.CheckStatement, scope: Scope, sides: tuple[Combination, Combination], laws: tuple[Law, ...]
) -> None:
    ends = [simplify(side, laws, Budget(steps=200, effort=100_000)) for side in sides]
    notes = ["the rules that stand above it were searched from both sides, and no small model shows that it is false"]
    named = zip(("left", "right"), ends, strict=True)
    notes += [f"the {side} side: {end.reason}" for side, end in named if not end.finished]
    helps = ("add the rule that is missing, or a check of a step in between",)
    places = _places(node, (ends[0].value, ends[1].value), "becomes")
    message = "this check is neither proved nor refuted"
    scope.report.error("E0703", message, *places, notes=notes, helps=helps)
