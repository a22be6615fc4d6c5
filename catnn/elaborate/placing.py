"""Where a fixed term belongs between direct sums: the pairs of summands that it fits."""

from __future__ import annotations

from dataclasses import replace

from catnn.category.diagram import Morphism
from catnn.category.wires import Type
from catnn.diagnostics import Span
from catnn.elaborate.inference import Inference
from catnn.elaborate.ports import bare_identities
from catnn.elaborate.report import Report, brief
from catnn.elaborate.scopes import Scope
from catnn.elaborate.terms import fixed
from catnn.syntax import nodes

Placed = list[tuple[int, int, Morphism]]
"""(out, in, morphism) for each pair of summands."""


def place(term: nodes.Term, scope: Scope, source: Type, target: Type, declared: Span) -> Placed | None:
    """The pairs of summands that a fixed term fits, or None once the fault is reported.

    `id` alone is the identity of every summand.
    """
    ins, outs = source.words, target.words
    if len(ins) == len(outs) == 1:
        value = fixed(term, scope, ins[0], outs[0], declared=declared)
        return None if value is None else [(0, 0, value)]
    if bare_identities(term) is not None:
        if ins != outs:
            _misfit(term, scope, declared, "`id` needs the same words on both sides")
            return None
        values = [fixed(term, scope, word, word, declared=declared) for word in ins]
        found = [(at, at, value) for at, value in enumerate(values) if value is not None]
        return found if len(found) == len(values) else None
    return _search(term, scope, source, target, declared)


def _search(term: nodes.Term, scope: Scope, source: Type, target: Type, declared: Span) -> Placed | None:
    inference = Inference(scope)
    shape = inference.run(term)
    if shape is None or inference.faults or inference.poisoned:
        return None
    found: Placed = []
    complaints: list[Report] = []
    for out, outer in enumerate(target.words):
        for in_, inner in enumerate(source.words):
            if (len(inner), len(outer)) != (len(shape.source), len(shape.target)):
                continue
            trial = replace(scope, report=Report())
            value = fixed(term, trial, inner, outer, declared=declared)
            if value is not None:
                found.append((out, in_, value))
            elif trial.report.found:
                complaints.append(trial.report)
    if found:
        return found
    if complaints:
        scope.report.include((fault for _, fault in complaints[0].found), complaints[0].found[0][0])
    else:
        _misfit(term, scope, declared, f"this is {inference.arrow(shape)}")
    return None


def _misfit(term: nodes.Term, scope: Scope, declared: Span, text: str) -> None:
    message = f"`{brief(term.span)}` fits no pair of summands"
    scope.report.error("E0303", message, (term.span, text), (declared, "declared here"))
