"""Traces and proofs as chains of equations, for people."""

from __future__ import annotations

from typing import NamedTuple

from catnn.hypergraph.linear import Combination
from catnn.rewrite.trace import Proof, Step, Trace

WIDEST = 72
"""A term is followed by its reason on the same line up to so many columns."""


class Line(NamedTuple):
    """A value, and why it equals the one before: the rule, and whether it was used backwards."""

    text: str
    rule: str
    backwards: bool

    @property
    def reason(self) -> str:
        """The words behind the value."""
        return self.rule + (", backwards" if self.backwards else "")


def chain(value: Trace | Proof) -> tuple[Line, ...]:
    """The values one after the other: of a proof, from its left side to its right side.

    >>> from catnn.category.wires import Group, Wire
    >>> from catnn.hypergraph.box import Box
    >>> from catnn.hypergraph.graph import single
    >>> from catnn.hypergraph.linear import lift
    >>> from catnn.rewrite.strategy import simplify
    >>> from catnn.rewrite.theories import builtin
    >>> V = Wire("V", Group("S", "n"))
    >>> q = single(Box("q", (V,), (V,), adjoint="isometry"))
    >>> start = lift(q >> q >> q.dagger())
    >>> print(*(f"{text} ({rule})" for text, rule, _ in chain(simplify(start, builtin(start)).trace)), sep=" = ")
    q ; q ; q' () = q (isometry q)
    """
    left, right = (value, None) if isinstance(value, Trace) else (value.left, value.right)
    found = [Line(text(left.start), "", False)]
    for after, step in zip(list(left.values())[1:], left.steps, strict=True):
        found.append(_line(after, step, turned=False))
    if right is not None:
        before = list(right.values())[:-1]
        found += [_line(b, s, turned=True) for b, s in zip(reversed(before), reversed(right.steps), strict=True)]
    return tuple(found)


def _line(value: Combination, step: Step, *, turned: bool) -> Line:
    return Line(text(value), step.rule.name, step.rule.forward == turned)


def text(value: Combination, most: int = 400) -> str:
    """A value on a line, shortened where it is long."""
    shown = value.shown(most)
    return shown if len(shown) <= most else shown[: most - 3] + "..."


def tell(value: Trace | Proof, indent: str = "") -> str:
    """The chain as lines: a value, then ` = value   {rule}` for each step."""
    first, *rest = chain(value)
    lines = [indent + first.text]
    width = min(max((len(line.text) for line in rest), default=0), WIDEST)
    for line in rest:
        lines.append(f"{indent}  = {line.text:<{width}}   {{{line.reason}}}")
    return "\n".join(lines)
