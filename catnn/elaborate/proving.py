"""Checks with boxes: proved by normal form, then by rules; refuted by numbers; or neither."""

from __future__ import annotations

from dataclasses import replace

from catnn.category.wires import Word
from catnn.checker import verify
from catnn.diagnostics import CatnnError, Span
from catnn.elaborate.report import Place, Report
from catnn.elaborate.scopes import Scope
from catnn.elaborate.terms import pair, show
from catnn.hypergraph.convert import is_pure
from catnn.hypergraph.linear import Combination, lift
from catnn.model import Check
from catnn.rewrite.models import MOST_WORK, Counterexample, counterexample
from catnn.rewrite.proofs import goal, to_dict
from catnn.rewrite.strategy import CHECKED, Attempt, Outcome, attempt, laws_of, normalise, times
from catnn.rewrite.theories import boxes_of, builtin
from catnn.rewrite.trace import meet
from catnn.syntax import nodes

FEW = 60
"""So many models of each size are tried before the rules are searched; all of them after that."""

WIDEST = 240
"""A term in a label has at most so many letters."""

MOST_SEARCHES = 10
"""So many searches of a file may find nothing before those that follow are cut short, to a tenth."""


def kept_apart(
    node: nodes.CheckStatement, scope: Scope, words: tuple[Word, Word] | None, declared: Span | None
) -> Check | None:
    """What rules about `eps` make of a line in which epsilons that meet stay boxes, instead of being multiplied out.

    None, and nothing reported, where that is no different, or decides nothing.
    """
    if not any(box.name == "eps" and box.kind == "form" for law in scope.rules for box in boxes_of(law)):
        return None
    plain, loose = (replace(scope, report=Report(), apart=apart) for apart in (False, True))
    sides, same = (pair(node.left, node.right, one, words, declared) for one in (loose, plain))
    if sides is None:
        return None
    left, right = map(lift, sides)
    if all(is_pure(graph) for side in (left, right) for _, graph in side.weighted):
        return None
    alike = same is not None and (left, right) == tuple(map(lift, same))
    return None if alike else boxed(node, scope, left, right, last=same is None)


def boxed(
    node: nodes.CheckStatement, scope: Scope, left: Combination, right: Combination, *, last: bool = True
) -> Check | None:
    """The proved line, its proof replayed by the checker; None once it is reported what is wrong with it.

    last: whether it is to be reported, too, if neither is found.
    """
    try:
        return _decided(node, scope, left, right, last=last)
    except CatnnError as error:  # E0415: nothing else can go wrong with values that are well typed
        for fault in error.diagnostics:
            scope.report.error(fault.code, fault.message, (node.span, "here"), notes=fault.notes)
        return None


def _decided(
    node: nodes.CheckStatement, scope: Scope, left: Combination, right: Combination, *, last: bool
) -> Check | None:
    laws = laws_of(builtin(left, right, laws=scope.rules), scope.rules)
    if left == right:
        laws = ()  # nothing to do: no rule that goes on and on is started
    ends = normalise(left, right, laws, scope.effort)
    reduced = ends[0].trace, ends[1].trace
    proof = meet(*reduced)
    if proof is None and (scope.broken or any(e.kind == "rule" and e.value is None for e in scope.entries.values())):
        return None  # it may lack a rule that is wrong itself, which has been reported
    found = None if proof is not None else counterexample(left, right, laws, FEW, scope.wires, MOST_WORK // 2)
    tried = Attempt(proof)
    if proof is None and found is None and laws:
        share = times(CHECKED, scope.effort)
        late = scope.spent >= MOST_SEARCHES * scope.effort
        tried = attempt(left, right, laws, replace(share, effort=share.effort // 10) if late else share, reduced)
        proof = tried.proof
        work = MOST_WORK // 10 if late else MOST_WORK * scope.effort
        found = None if proof is not None else counterexample(left, right, laws, spaces=scope.wires, work=work)
        scope.spent += proof is None and found is None
    if proof is not None:
        verify(to_dict(proof), goal(left, right, proof, laws))
        return Check(node.span.text, node.span, proof, (left, right))
    if found is not None:
        _refuted(node, scope, (left, right), found)
    elif last:
        _undecided(node, scope, ends, tried)
    return None


def brief(text: str) -> str:
    """A term for a label: what is long is cut."""
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 4]} ..."


def _places(node: nodes.CheckStatement, sides: tuple[Combination, Combination], verb: str) -> tuple[Place, Place]:
    one, other = (f"{verb} {brief(show(side))}" for side in sides)
    return (node.right.span, other), (node.left.span, one)


def _refuted(
    node: nodes.CheckStatement, scope: Scope, sides: tuple[Combination, Combination], found: Counterexample
) -> None:
    notes = [str(found)]
    if found.tensors:
        notes.append(f"{'the rules hold for ' if found.assumed else 'with '}{found.shown()}")
    scope.report.error("E0701", "the two sides of this check differ", *_places(node, sides, "is"), notes=notes)


def _undecided(node: nodes.CheckStatement, scope: Scope, ends: tuple[Outcome, Outcome], tried: Attempt) -> None:
    total = sum(tried.values)
    far = f"{total:,} diagrams of up to {tried.boxes:,} box{'' if tried.boxes == 1 else 'es'}"
    if not scope.rules:
        notes = ["no rule stands above it, and no small model shows that it is false"]
    elif tried.complete:
        notes = [f"the rules above it lead to {total:,} diagrams from both sides, and to no other"]
    elif tried.exhausted:
        notes = [f"the rules above it lead to {far} from both sides; larger ones were not looked at"]
    else:
        notes = [f"{far} were looked at from both sides, then the search was given up"]
    if scope.rules:
        notes.append("no small model of the rules shows that it is false")
    named = zip(("left", "right"), ends, strict=True)
    notes += [f"the {side} side: {end.reason}" for side, end in named if not end.finished]
    helps = ["add the rule that is missing, or a check of a step in between"]
    if not tried.complete:
        helps.append(f"search further: `--effort {10 * scope.effort}`")
    places = _places(node, (ends[0].value, ends[1].value), "becomes")
    scope.report.error("E0703", "this check is neither proved nor refuted", *places, notes=notes, helps=tuple(helps))
