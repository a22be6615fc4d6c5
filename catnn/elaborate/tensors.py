"""The values of a body as tensors: their numbers, their types, and the steps that make them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from catnn.hypergraph.box import Box
from catnn.hypergraph.contraction import Contraction, Operand
from catnn.category.wires import Summand, Type
from catnn.diagnostics import Span
from catnn.elaborate.report import brief
from catnn.elaborate.scopes import Entry, Scope
from catnn.program import Contract, Step


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
    """The steps of a body as they are found; types: of every value so far."""

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

    @staticmethod
    def of(entry: Entry) -> Box | None:
        """The box of an entry, None where its statement failed."""
        return entry.value if isinstance(entry.value, Box) else None

    def box(self, entry: Entry, span: Span) -> Made:
        """The tensor of a box as a value: the axes of its target, then those of its source."""
        box = self.of(entry)
        if box is None or box.kind == "map":
            return None
        axes = tuple(range(len(box.word)))
        contraction = Contraction((Operand(box, axes),), axes, tuple(wire.base for wire in box.word))
        out = Summand(box.word, 1)
        return Bound(self.step(Contract(contraction, (), out)), Type((out,)), None, span)

    def apply(self, box: Box, args: Sequence[Bound], span: Span, scope: Scope) -> Made:
        """A box after the tensor product of values, which are its source."""
        channels = common_channels(args, span, scope)
        if channels is None:
            return None
        l, start = len(box.target), len(box.target)
        operands = [Operand(box, tuple(range(len(box.word))))]
        for at, bound in enumerate(args):
            width = len(bound.type.words[0])
            operands.append(Operand(at, tuple(range(start, start + width))))
            start += width
        contraction = Contraction(tuple(operands), tuple(range(l)), tuple(wire.base for wire in box.word))
        out = Summand(box.target, channels)
        return Bound(self.step(Contract(contraction, ids(args), out)), Type((out,)), None, span)


def ids(args: Sequence[Bound]) -> tuple[int, ...]:
    """The values of arguments of one tensor each."""
    return tuple(bound.ids[0] for bound in args)


def common_channels(args: Sequence[Bound], span: Span, scope: Scope) -> int | None:
    """The channels of a product of values: equal, or 1; None once it is reported that they are not."""
    wide = [bound for bound in args if bound.type.summands[0].channels > 1]
    for bound in wide[1:]:
        first, here = wide[0].type.summands[0].channels, bound.type.summands[0].channels
        if here != first:
            scope.report.error(
                "E0314",
                f"`{brief(wide[0].span)}` has {first:,} channels, `{brief(bound.span)}` has {here:,}",
                (bound.span, f"this is {scope.show_type(bound.type)}"),
                (wide[0].span, f"this is {scope.show_type(wide[0].type)}"),
                notes=("channels multiply entry by entry: they are equal, or 1",),
                helps=(f"mix them first: `layer mix : {scope.show_type(bound.type)} -> "
                       f"{scope.show_type(Type((Summand(bound.type.words[0], first),)))} = all`",),
            )  # fmt: skip
            return None
    return wide[0].type.summands[0].channels if wide else 1
