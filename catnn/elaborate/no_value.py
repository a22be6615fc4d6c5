"""What is said where a value must stand in a point-ful body, and something else does."""

from __future__ import annotations

from collections.abc import Collection

from catnn.elaborate.generators import LEGS, plain_name
from catnn.elaborate.ports import unbracketed
from catnn.elaborate.report import brief
from catnn.elaborate.scopes import Scope
from catnn.syntax import nodes


def no_value(term: nodes.Term, names: Collection[str], scope: Scope) -> None:
    """Report a function or a number where a value must stand; names: those of the values so far."""
    what, helps = "no value", tuple[str, ...]()
    if isinstance(term, nodes.Number):
        what = "a number, not a tensor"
    elif isinstance(term, nodes.Generator | nodes.Pattern | nodes.Chain):
        what, helps = "a function, not a value", (f"call it: `{_call(term, list(names), scope)}`",)
    scope.report.error("E0315", f"`{brief(term.span)}` is {what}", (term.span, "a value must stand here"), helps=helps)


def _call(term: nodes.Generator | nodes.Pattern | nodes.Chain, names: list[str], scope: Scope) -> str:
    """A function on values that there are, or on none where it takes none."""
    shown, given = brief(term.span), names[:1] or ["x"]
    if isinstance(term, nodes.Pattern):
        given = names[: len(term.inputs)] or ["x"]
    if isinstance(term, nodes.Chain):
        first, *rest = term.terms
        if isinstance(first, nodes.Generator) and first.name.text in names:  # `x ; relu`
            shown, given = " ; ".join(brief(stage.span) for stage in rest), [first.name.text]
        shown = shown if len(rest) == 1 and given[0] == brief(first.span) else f"({shown})"
    return f"{shown}({'' if _takes_nothing(term, scope) else ', '.join(given)})"


def _takes_nothing(term: nodes.Term, scope: Scope) -> bool:
    """Whether a function is a diagram from 1, a state."""
    match unbracketed(term):
        case nodes.Pattern(inputs=rows):
            return not any(rows)
        case nodes.Chain(terms=(first, *_)):
            return _takes_nothing(first, scope)
        case nodes.Generator(name=name, args=args) as generator if name.text not in scope.entries:
            spider = name.text == "spider" and args[:1] == (0,)
            return spider or name.text == "eps" or LEGS.get(plain_name(generator), (1,))[0] == 0
        case nodes.Generator(name=name):
            entry = scope.entries[name.text]
            return entry.kind == "let" and entry.source is not None and not any(entry.source.words)
    return False
