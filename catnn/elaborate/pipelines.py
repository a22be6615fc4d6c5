"""Networks in pipeline form that have boxes: the same as with named values, each stage called with what reaches it."""

from __future__ import annotations

from catnn.category.wires import Type
from catnn.elaborate.networks import made
from catnn.elaborate.parts import summands
from catnn.elaborate.ports import is_bare_identity, unbracketed
from catnn.elaborate.report import brief
from catnn.elaborate.scopes import Scope
from catnn.elaborate.tensors import Bound
from catnn.elaborate.values import Values
from catnn.model import Network
from catnn.program import Parameter, Program
from catnn.syntax import nodes


def boxed_network(
    node: nodes.NetworkStatement, source: Type | None, target: Type | None, scope: Scope
) -> Network | None:
    """`network f : A -> B = W ; relu`, or None once its faults are reported."""
    if source is None or target is None:
        return None
    before = scope.report.faults
    values = Values(scope)
    start = values.making.parameter(source, node.arrow.source.span)
    result = _through(node.term, start, target, values)
    if result is None or scope.report.faults > before:
        return None
    if result.type != target:
        name = node.name.text
        scope.report.error(
            "E0303",
            f"`{name}` should end in {scope.show_type(target)}, but `{brief(result.span)}` does not",
            (result.span, f"produces {scope.show_type(result.type)}"),
            (node.arrow.target.span, "declared here"),
        )
        return None
    making = values.making
    names = tuple(making.names.get(value, "") for value in range(len(making.types)))
    parameters = (Parameter("x", source),)
    program = Program(parameters, tuple(making.steps), (result.ids,), (target,), tuple(making.tensors.items()), names)
    return made(node.name, source, target, program, scope)


def _through(term: nodes.Term, bound: Bound, wanted: Type | None, values: Values) -> Bound | None:
    """What a stage gives on a value; brackets nest at most 200 deep, so this may recurse."""
    term = unbracketed(term)
    match term:
        case nodes.Generator() if is_bare_identity(term):
            return bound
        case nodes.Chain():
            for at, stage in enumerate(term.terms):
                after = _through(stage, bound, wanted if at == len(term.terms) - 1 else None, values)
                if after is None:
                    return None
                bound = after
            return bound
        case nodes.Sum() | nodes.Scaled():
            found = [(factor, written, _through(one, bound, wanted, values)) for factor, one, written in summands(term)]
            whole = [(factor, written, value) for factor, written, value in found if value is not None]
            answer = values.added(term, whole) if len(whole) == len(found) else None
        case _:
            answer = values.applied(nodes.Call(term, (), term.span), [bound], wanted)
    if answer is None:
        return None
    return Bound(
        tuple(value for one in answer for value in one.ids),
        Type(tuple(summand for one in answer for summand in one.type.summands)),
        None,
        term.span,
    )
