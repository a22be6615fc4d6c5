"""What stands on a line of a spec, to be looked at: definitions, rules, and how a check was proved."""

from __future__ import annotations

from typing import Any

from catnn.commands import UsageError
from catnn.diagnostics import Diagnostic, Span
from catnn.model import Check, Spec
from catnn.syntax import nodes
from catnn.syntax.parser import make_source, parse_recovering

MOST_LINES = 12
"""So many lines are listed where there is nothing on the one that was asked for."""


def on_line(spec: Spec, number: int) -> dict[str, Any]:
    """What is written on a line, by name; a check is called ``check_`` and its line.  Raises: UsageError (E1010)."""
    module, _ = parse_recovering(make_source(spec.text, spec.path))
    places = [(statement, lines_of(statement.span)) for statement in module.statements]
    found: dict[str, Any] = {}
    for statement, (first, last) in places:
        if first <= number <= last:
            for name, value in _values(spec, statement, first).items():
                found[name if name not in found else f"{name}_{len(found) + 1}"] = value
    if found:
        return found
    lines = [
        f"{first}-{last}" if last > first else str(first) for s, (first, last) in places if _values(spec, s, first)
    ]
    shown = ", ".join(lines[:MOST_LINES]) + (", ..." if len(lines) > MOST_LINES else "")
    notes = (f"there is something on the lines {shown}",) if lines else ()
    raise UsageError(Diagnostic("E1010", f"nothing on line {number} of {spec.path} can be drawn", (), notes))


def lines_of(span: Span) -> tuple[int, int]:
    """The first and the last line of a span, from 1."""
    source = span.source
    return source.line_column(span.start)[0], source.line_column(max(span.start, span.end - 1))[0]


def _values(spec: Spec, statement: nodes.Statement, line: int) -> dict[str, Any]:
    match statement:
        case nodes.CheckStatement(span=span):
            for check in spec.checks:
                if check.span is not None and (check.span.start, check.span.end) == (span.start, span.end):
                    return check_values(check, f"check_{line}")
        case nodes.LetStatement() | nodes.LayerStatement() | nodes.NetworkStatement() | nodes.PointfulStatement():
            name = statement.name.text
            return {name: spec.shown[name]} if name in spec.shown else {}
        case nodes.RuleStatement():
            return {law.name: law for law in spec.rules if law.name == statement.name.text}
    return {}


def check_values(check: Check, name: str) -> dict[str, Any]:
    """What a check looks like: its proof; or, where there are no steps, the diagram that both sides are.

    At a literal size two different diagrams may be one map: then both of them.
    """
    if check.proof is not None and check.proof.left.steps + check.proof.right.steps:
        return {name: check.proof}
    if check.sides is None:
        return {}
    left, right = check.sides
    return {name: left} if left == right else {f"{name}_left": left, f"{name}_right": right}
