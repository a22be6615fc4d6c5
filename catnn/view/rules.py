"""Rules with both sides, and traces step by step: the place that a step rewrites, before and after, is highlighted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from catnn.category.scalar import ONE, Scalar
from catnn.hypergraph.graph import Hypergraph
from catnn.rewrite.context import fill
from catnn.rewrite.rule import Law, Rule, Schema
from catnn.rewrite.trace import Proof, Step, Trace
from catnn.view.boxes import Marks, boxes_drawing, combination_drawing, styles_of
from catnn.view.drawing import Drawing, below, beside, framed, words
from catnn.view.layout import Styles

SAMPLE = 2
"""A rule for every arity is drawn for this one."""


def sample(law: Law) -> Rule | None:
    """A rule to draw: of a schema, the instance with every arity 2, or the first there is."""
    if isinstance(law, Rule):
        return law
    return law.instance((SAMPLE,) * len(law.variables)) or next(law.instances(range(SAMPLE + 2)), None)


def headline(law: Law) -> str:
    """A law in one line."""
    if isinstance(law, Schema):
        arities = ", ".join(f"{name} = {SAMPLE}" for name in law.variables)
        return f"{law.law or law.name} (drawn for {arities})"
    return law.law or str(law)


def law_drawing(law: Law, style: Styles | None = None, *, inputs: str = "bottom") -> Drawing:
    """Both sides of a rule with the sign between them."""
    rule = sample(law)
    if rule is None:
        return words(law.name)
    style = styles_of(rule.left, rule.right) if style is None else style
    sign = words("=>" if rule.oriented else "=", "sign")
    sides = (
        boxes_drawing(rule.left, style, inputs=inputs),
        sign,
        combination_drawing(rule.right, style, inputs=inputs),
    )
    return beside(sides, 16) if inputs != "left" else below(sides, 8)


@dataclass(frozen=True, slots=True)
class Shown:
    """A step for people: number, the law it uses, its picture, and how many other terms stay as they are."""

    number: int
    law: str
    drawing: Drawing
    others: int

    @property
    def caption(self) -> str:
        """The step in words."""
        rest = f", {self.others} other term{'s' if self.others != 1 else ''} untouched" if self.others else ""
        return f"{self.number}. {self.law}{rest}"


def shown_steps(trace: Trace, *, inputs: str = "bottom") -> Iterator[Shown]:
    """The steps of a trace."""
    style = styles_of(trace.start, *trace.values())
    for number, (step, before) in enumerate(zip(trace.steps, trace.values(), strict=False), 1):
        drawing = step_drawing(step, before.weighted[step.term][0], style, inputs=inputs)
        way = "" if step.rule.forward else ", from right to left"
        yield Shown(number, f"by {step.rule.name}{way}", drawing, len(before.weighted) - 1)


def step_drawing(
    step: Step, coefficient: Scalar = ONE, style: Styles | None = None, *, inputs: str = "bottom"
) -> Drawing:
    """The rewritten term before and after a step, the place itself highlighted."""
    style = styles_of(step.context, step.rule.left, step.rule.right) if style is None else style
    pieces = [_filled(step.context, step.rule.left, coefficient, style, inputs), words("->", "sign")]
    for at, (factor, side) in enumerate(step.rule.right.weighted):
        pieces += [words("+", "sign")] if at else []
        pieces.append(_filled(step.context, side, coefficient * factor, style, inputs))
    if not step.rule.right.weighted:
        pieces.append(words("0", "sign"))
    return beside(pieces, 14)


def _filled(context: Hypergraph, side: Hypergraph, coefficient: Scalar, style: Styles, inputs: str) -> Drawing:
    found = fill(context, side)
    first = len(context.nodes) - 1
    marks = Marks(frozenset(range(first, len(found.graph.nodes))), frozenset(found.inner))
    drawing = boxes_drawing(found.graph, style, inputs=inputs, marks=marks)
    return drawing if coefficient == ONE else beside((words(f"({coefficient})", "sign"), drawing))


# ------------------------------------------------------------------------------------------------------- whole pictures


def law_picture(law: Law, *, inputs: str = "bottom") -> Drawing:
    """A rule with its name."""
    title = headline(law)
    return framed(below((words(title, "heading"), law_drawing(law, inputs=inputs)), 12), 14, title)


def trace_picture(trace: Trace, title: str = "", *, inputs: str = "bottom") -> Drawing:
    """A trace, a step below the other."""
    body = _column(trace, title, inputs)
    return framed(body, 14, title or body.title)


def _column(trace: Trace, title: str, inputs: str) -> Drawing:
    parts = [words(title, "heading")] if title else []
    steps = list(shown_steps(trace, inputs=inputs))
    if not steps:
        parts.append(combination_drawing(trace.start, inputs=inputs))
    for step in steps:
        parts += [words(step.caption), step.drawing]
    return replace(below(parts, 12, centred=False), title=f"{len(steps)} steps")


def proof_picture(proof: Proof, *, inputs: str = "bottom") -> Drawing:
    """Both traces of a proof, and where they meet."""
    sides = (("the left side", proof.left), ("the right side", proof.right))
    parts = [_column(trace, title, inputs) for title, trace in sides if trace.steps]
    parts += [words("both are", "heading"), combination_drawing(proof.left.end, inputs=inputs)]
    return framed(below(parts, 14, centred=False), 14, "a proof")


def law_lines(law: Law) -> list[str]:
    """A rule for a terminal."""
    rule = sample(law)
    if rule is None:
        return [headline(law)]
    return [headline(law), "", f"  {rule.left}", "  =>" if rule.oriented else "  =", f"  {rule.right}"]


def trace_lines(trace: Trace) -> list[str]:
    """A trace for a terminal: what there is, and by which rule it becomes the next."""
    lines = [f"   {trace.start}"]
    for step, after in zip(trace.steps, list(trace.values())[1:], strict=True):
        way = "" if step.rule.forward else ", from right to left"
        lines += [f"=  {after}", f"     by {step.rule.name}{way}"]
    return lines


def proof_lines(proof: Proof) -> list[str]:
    """A proof for a terminal: the sides that are rewritten, and what both are then."""
    lines: list[str] = []
    for title, trace in (("the left side", proof.left), ("the right side", proof.right)):
        if trace.steps:
            lines += [title, *trace_lines(trace), ""]
    return [*lines, "both are", f"   {proof.left.end}"]


Story = Rule | Schema | Trace | Proof


def picture(value: Story, *, inputs: str = "bottom", factored: bool = False) -> Drawing:
    """The picture of a rule, a trace or a proof.  Raises: ValueError for another side, or with `factored`."""
    if factored:
        raise ValueError("a diagram with boxes does not factor")
    match value:
        case Trace():
            return trace_picture(value, inputs=inputs)
        case Proof():
            return proof_picture(value, inputs=inputs)
    return law_picture(value, inputs=inputs)


def lines(value: Story) -> list[str]:
    """The lines of a rule, a trace or a proof."""
    match value:
        case Trace():
            return trace_lines(value)
        case Proof():
            return proof_lines(value)
    return law_lines(value)
