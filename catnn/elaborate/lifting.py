"""The message for two stages that do not meet, with a layer to paste that makes them meet."""

from __future__ import annotations

from catnn.category.counting import number
from catnn.category.wires import Type
from catnn.elaborate.homs import effort
from catnn.elaborate.report import brief
from catnn.elaborate.scopes import Scope
from catnn.syntax import nodes


def gap(scope: Scope, left: nodes.Term, right: nodes.Term, produces: Type, expects: Type) -> None:
    """Report that `left ; right` does not compose."""
    scope.report.error(
        "E0301",
        f"`{brief(left.span)}` does not compose with `{brief(right.span)}`",
        (right.span, f"expects  {scope.show_type(expects)}"),
        (left.span, f"produces {scope.show_type(produces)}"),
        notes=("in `f ; g` the target of f is the source of g",),
        helps=_lift(scope, produces, expects),
    )


def _lift(scope: Scope, source: Type, target: Type) -> tuple[str, ...]:
    """A layer that would fit between, if there is a sensible one."""
    pairs = [(one.folded(), other.folded()) for one in source.summands for other in target.summands]
    efforts = [effort(one.word, other.word) for one, other in pairs]
    found = sum(count for count, _ in efforts)
    shown = f"{scope.show_type(source)} -> {scope.show_type(target)}"
    if not 0 < found <= scope.max_diagrams or "?" in shown:
        return ()
    name = next(n for n in ("lift", *(f"lift{i}" for i in range(2, 10**6))) if n not in scope.places)
    text = f"insert `layer {name} : {shown} = all`"
    if any(one.symmetric or other.symmetric for one, other in pairs):
        return (text,)  # fewer than the diagrams: their orbits
    return (f"{text} ({number(found)} diagram{'s' if found != 1 else ''})",)
