"""Point-ful networks: names for values, each bound once and used, and what is returned."""

from __future__ import annotations

from catnn.category.wires import Summand, Type
from catnn.elaborate.networks import made
from catnn.elaborate.report import brief, plural
from catnn.elaborate.scopes import RESERVED, Entry, Scope
from catnn.elaborate.tensors import Bound
from catnn.elaborate.types import type_
from catnn.elaborate.values import Values
from catnn.program import Parameter, Program
from catnn.syntax import nodes

UNIT = Type((Summand(()),))


def pointful(node: nodes.PointfulStatement, scope: Scope) -> Entry:
    """A network with named values; its value is None once faults are reported."""
    before = scope.report.faults
    values = Values(scope)
    declared: list[tuple[nodes.Name, bool]] = []
    parameters: list[Parameter] = []
    for parameter in node.parameters:
        found = type_(parameter.type, scope)
        if found is not None:
            parameters.append(Parameter(parameter.name.text, found))
        bound = None if found is None else values.making.parameter(found, parameter.name.span)
        _bind(parameter.name, bound, values, declared)
    targets = [type_(target, scope) for target in node.targets]
    *bindings, result = node.body
    for binding in bindings:
        answer = values.run(binding.terms[0])
        _unpack(binding, answer, values, declared)
    results = _results(node, result, targets, values)
    for name, own in declared:
        if own and name.text not in values.used and not name.text.startswith("_"):
            scope.report.error(
                "E0312",
                f"`{name.text}` is never used",
                (name.span, "bound here"),
                notes=("what is computed is used, or it is a mistake",),
                helps=(f"use it, remove it, or call it `_{name.text}`",),
            )
    whole = [target for target in targets if target is not None]
    if len(whole) < len(targets) or len(parameters) < len(node.parameters):
        return Entry("network", node.name.span, None, None, None)
    making = values.making
    names = tuple(making.names.get(value, "") for value in range(len(making.types)))
    tensors = tuple(making.tensors.items())
    program = Program(tuple(parameters), tuple(making.steps), results or (), tuple(whole), tensors, names)
    source, target = program.source or UNIT, program.target
    value = None
    if results is not None and scope.report.faults == before:
        value = made(node.name, source, target, program, scope)
    return Entry("network", node.name.span, source, target, value)


def _bind(name: nodes.Name, bound: Bound | None, values: Values, declared: list[tuple[nodes.Name, bool]]) -> None:
    """Give a value its name, if the name is free."""
    text, scope = name.text, values.scope
    if text in RESERVED or "." in text:
        scope.report.error(
            "E0103",
            f"`{text}` is a word of the language",
            (name.span, "cannot name a value"),
            helps=(f"write `{text}_`",),
        )
        return
    first = values.places.get(text) or scope.places.get(text) or scope.sizes.get(text)
    if first is not None:
        what = "is bound twice" if text in values.places else "has a meaning in this file"
        scope.report.error(
            "E0102",
            f"`{text}` {what}",
            (name.span, "bound here"),
            (first, "first here"),
            notes=("a name stands for one thing",),
            helps=(f"call it `{text}_`",),
        )
        return
    values.places[text] = name.span
    values.names[text] = bound
    for value in bound.ids if bound is not None else ():
        values.making.names.setdefault(value, text)
    declared.append((name, True))


def _unpack(
    binding: nodes.Binding, answer: tuple[Bound, ...] | None, values: Values, declared: list[tuple[nodes.Name, bool]]
) -> None:
    """Give the values of an expression their names; a direct sum comes apart."""
    names = binding.names
    bounds: tuple[Bound | None, ...] = (None,) * len(names)
    if answer is not None:
        if len(answer) == 1 < len(names):
            (whole,) = answer
            pieces = zip(whole.ids, whole.type.summands, strict=True)
            answer = tuple(Bound((value,), Type((summand,)), None, whole.span) for value, summand in pieces)
        if len(answer) == len(names):
            bounds = answer
        else:
            values.scope.report.error(
                "E0311",
                f"`{brief(binding.terms[0].span)}` gives {plural(len(answer), 'value')}, "
                f"for {plural(len(names), 'name')}",
                (names[0].span.to(names[-1].span), plural(len(names), "name")),
                (binding.terms[0].span, plural(len(answer), "value")),
            )
    for name, bound in zip(names, bounds, strict=True):
        _bind(name, bound, values, declared)


def _results(
    node: nodes.PointfulStatement, result: nodes.Binding, targets: list[Type | None], values: Values
) -> tuple[tuple[int, ...], ...] | None:
    """The values of each result, or None once its faults are reported."""
    found: list[Bound] = []
    lost = False
    aims = targets if len(targets) == len(result.terms) else [None] * len(result.terms)
    for term, aim in zip(result.terms, aims, strict=True):
        answer = values.run(term, aim)
        lost |= answer is None
        found += answer or ()
    if lost or any(target is None for target in targets):
        return None
    scope, name = values.scope, node.name.text
    whole = tuple(summand for target in targets if target is not None for summand in target.summands)
    given = tuple(summand for bound in found for summand in bound.type.summands)
    declared = node.targets[0].span.to(node.targets[-1].span)
    if len(found) != len(targets) and not (len(targets) == 1 and len(given) == len(whole)):
        scope.report.error(
            "E0311",
            f"`{name}` returns {plural(len(found), 'value')}, declared {len(targets)}",
            (result.span, plural(len(found), "value")),
            (declared, "declared here"),
        )
        return None
    ids = tuple(value for bound in found for value in bound.ids)
    if len(found) != len(targets):
        pairs: list[tuple[Type, Bound, nodes.Type]] = []
        if given != whole:
            shown = " + ".join(scope.show_type(bound.type) for bound in found)
            scope.report.error(
                "E0303",
                f"`{name}` should return {scope.show_type(Type(whole))}",
                (result.span, f"this is {shown}"),
                (declared, "declared here"),
            )
            return None
        return (ids,)
    pairs = [(t, b, n) for t, b, n in zip(targets, found, node.targets, strict=True) if t is not None]
    for target, bound, written in pairs:
        if target != bound.type:
            scope.report.error(
                "E0303",
                f"`{name}` should return {scope.show_type(target)}, but `{brief(bound.span)}` is not that",
                (bound.span, f"this is {scope.show_type(bound.type)}"),
                (written.span, "declared here"),
            )
            return None
    return tuple(bound.ids for bound in found)
