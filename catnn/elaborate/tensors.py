"""The values of a body as tensors: their numbers, their types, and the steps that make them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from catnn.category.wires import Summand, Type
from catnn.diagnostics import Span
from catnn.elaborate.report import brief
from catnn.elaborate.scopes import Entry, Scope
from catnn.hypergraph.box import Box
from catnn.hypergraph.contraction import Contraction, Operand
from catnn.program import Contract, Step, Tensor


@dataclass(frozen=True, slots=True)
class Bound:
    """A value: the numbers of its tensors, its type, and the letters of its axes where a pattern gave them.

    span: where it is written.
    """

    ids: tuple[int, ...]
    type: Type
    letters: tuple[str, ...] | None
    span: Span


Made = Bound | None


@dataclass
class Making:
    """The steps of a body as they are found.

    types: of every value so far; tensors: the numbers of the boxes that it uses; names: of values that have one.
    """

    tensors: dict[Box, Tensor] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    types: list[Summand] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def parameter(self, type_: Type, span: Span) -> Bound:
        """The values of a parameter.  All parameters come before the first step."""
        start = len(self.types)
        self.types.extend(type_.summands)
        return Bound(tuple(range(start, len(self.types))), type_, None, span)

    def step(self, step: Step) -> tuple[int, ...]:
        """Add a step: the numbers of what it makes."""
        self.steps.append(step)
        start = len(self.types)
        self.types.extend(step.outputs)
        return tuple(range(start, len(self.types)))

    def own(self, contraction: Contraction, scope: Scope, span: Span) -> bool:
        """Note the boxes of a contraction; False once it is reported that one has no numbers."""
        return all(self.use(box, scope, span) for box in contraction.boxes)

    def use(self, box: Box, scope: Scope, span: Span) -> bool:
        """Note a box; False once it is reported that it has no numbers."""
        if box.kind == "orbit":
            scope.report.error(
                "E0621",
                f"the orbit `{box.name}` stands in one diagram with a box",
                (span, "used in a network"),
                helps=("compose them by calls: `W(f(x))`",),
            )
            return False
        if box not in self.tensors and box.name not in scope.tensors:
            scope.report.error(
                "E0621",
                f"the box `{scope.local(box.name)}` has no numbers",
                (span, "used in a network"),
                notes=("a box of rules and checks, or one that shares no weights, computes nothing",),
                helps=("leave `= abstract` out, and its tensor is learned",),
            )
            return False
        self.tensors.setdefault(box, scope.tensors.get(box.name, Tensor()))
        return True

    def box(self, entry: Entry, scope: Scope, span: Span) -> Made:
        """The tensor of a box as a value: the axes of its target, then those of its source."""
        box = entry.value
        if not isinstance(box, Box) or not self.use(box, scope, span):
            return None
        word = box.target + box.source
        axes = tuple(range(len(word)))
        contraction = Contraction((Operand(box, axes),), axes, tuple(wire.base for wire in word))
        out = Summand(word, 1)
        return Bound(self.step(Contract(contraction, (), out)), Type((out,)), None, span)


def ids(args: Sequence[Bound]) -> tuple[int, ...]:
    """The values of arguments of one tensor each."""
    return tuple(bound.ids[0] for bound in args)


def common_channels(args: Sequence[Bound], scope: Scope) -> int | None:
    """The channels of a product of values: equal, or 1; None once it is reported that they are not."""
    wide = [bound for bound in args if bound.type.summands[0].channels > 1]
    for bound in wide[1:]:
        first, here = wide[0].type.summands[0].channels, bound.type.summands[0].channels
        if here != first:
            wanted = scope.show_type(Type((Summand(bound.type.words[0], first),)))
            scope.report.error(
                "E0314",
                f"`{brief(wide[0].span)}` has {first:,} channels, `{brief(bound.span)}` has {here:,}",
                (bound.span, f"this is {scope.show_type(bound.type)}"),
                (wide[0].span, f"this is {scope.show_type(wide[0].type)}"),
                notes=("channels multiply entry by entry: they are equal, or 1",),
                helps=(f"mix them first: `layer mix : {scope.show_type(bound.type)} -> {wanted} = all`",),
            )
            return None
    return wide[0].type.summands[0].channels if wide else 1


def packed(span: Span, scope: Scope) -> None:
    """Report a symmetric power where a function takes whole wires."""
    scope.report.error(
        "E0317",
        "a function along axes, or of a whole tensor, takes no symmetric power",
        (span, "a packed axis"),
        notes=("what it gives need not be symmetric",),
        helps=(f"take the whole tensor first, by a pattern: `[i j -> i j]({brief(span, 20)})`",),
    )
