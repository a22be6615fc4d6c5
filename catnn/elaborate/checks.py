"""Checks: two fixed terms are proved equal, or shown to differ, by their normal forms."""

from __future__ import annotations

from catnn.category.counting import number
from catnn.category.diagram import Diagram, Morphism
from catnn.category.gram import product
from catnn.category.scalar import ONE
from catnn.diagnostics import Span
from catnn.elaborate.parts import WORDS
from catnn.elaborate.ports import postorder
from catnn.elaborate.scopes import Scope
from catnn.elaborate.terms import pair, show
from catnn.elaborate.types import fixed_arrow
from catnn.hypergraph.linear import lift
from catnn.model import Check
from catnn.syntax import nodes

MOST_PORTS = 12
"""Up to so many ports, and terms, a refuted check shows where the matrices differ."""

MOST_PAIRS = 250_000
"""How many inner products a check at literal sizes may take."""


def check(node: nodes.CheckStatement, scope: Scope) -> Check | None:
    """The proved line, or None once it is reported what is wrong with it."""
    if not (is_fixed(node.left, scope) & is_fixed(node.right, scope)):
        return None
    words, declared = None, None
    if node.arrow is not None:
        source, target = fixed_arrow(node.arrow, scope, "a `check`")
        if source is None or target is None:
            return None
        words, declared = (source.words[0], target.words[0]), node.arrow.span
    if scope.rules:
        from catnn.elaborate.proving import kept_apart

        faults = scope.report.faults
        proved = kept_apart(node, scope, words, declared)
        if proved is not None or scope.report.faults > faults:
            return proved
    sides = pair(node.left, node.right, scope, words, declared)
    if sides is None:
        return None
    left, right = sides
    if not (isinstance(left, Morphism) and isinstance(right, Morphism)):
        from catnn.elaborate.proving import boxed

        return boxed(node, scope, lift(left), lift(right))
    difference = left - right
    literal = _has_literal(difference)
    if literal and difference.weighted and len(difference.weighted) ** 2 > MOST_PAIRS:
        found = number(len(difference.weighted))
        message = f"the two sides differ in {found} diagrams, too many to compare at a literal size"
        scope.report.error("E0405", message, (node.span, "here"), helps=("make the size a name: `S(n)`",))
        return None
    if difference.weighted and not (literal and not product(difference, difference)):
        _refute(node, scope, left, right, literal=literal)
        return None
    return Check(node.span.text, node.span, sides=(left, right))


def is_fixed(term: nodes.Term, scope: Scope, what: str = "a check compares") -> bool:
    """Whether a term has no weights; reports where it has."""
    for node in postorder(term):
        name = node.name.text if isinstance(node, nodes.Generator) else ""
        kind = scope.entries[name].kind if name in scope.entries else "let"
        learned = WORDS[type(node)] if isinstance(node, nodes.All | nodes.Bias | nodes.SpanOf) else ""
        if kind not in ("let", "box") or learned:
            shown = f"`{learned}` makes weights" if learned else f"`{name}` is a {kind}"
            places: list[tuple[Span, str]] = [(node.span, "learned")]
            if name:
                places.append((scope.entries[name].span, "defined here"))
            notes = ("weights change while training, so nothing can be proved about them",)
            scope.report.error("E0702", f"{shown}: {what} fixed diagrams", *places, notes=notes)
            return False
    return True


def _has_literal(value: Morphism) -> bool:
    return any(isinstance(wire.group.size, int) for wire in value.source + value.target)


def _refute(node: nodes.CheckStatement, scope: Scope, left: Morphism, right: Morphism, *, literal: bool) -> None:
    scope.report.error(
        "E0701",
        "the two sides of this check differ",
        (node.right.span, f"is {show(right)}"),
        (node.left.span, f"is {show(left)}"),
        notes=(_difference(left, right, literal=literal), *_numbers(left, right, scope)),
    )


def _numbers(left: Morphism, right: Morphism, scope: Scope) -> tuple[str, ...]:
    """The smallest size and the entry where the matrices differ, if that is within reach."""
    if len(left.source + left.target) > MOST_PORTS or len(left.weighted + right.weighted) > MOST_PORTS:
        return ()
    from catnn.rewrite.models import counterexample

    found = counterexample(lift(left), lift(right), spaces=scope.wires)
    return () if found is None else (str(found),)


def _difference(left: Morphism, right: Morphism, *, literal: bool) -> str:
    """What a reader should look at."""
    where = "at this size" if literal else "as diagrams, for every n"
    one, other = left.weighted, right.weighted
    if len(one) == len(other) == 1 and one[0][1] == other[0][1]:
        factor = one[0][0], other[0][0]
        if all(len(str(scalar)) < 60 for scalar in factor if len(scalar.terms) < 4):
            return f"the diagram is the same, its coefficient is {factor[0]} on the left and {factor[1]} on the right"
        return "the diagram is the same, its coefficients differ"
    if one == () or other == ():
        return f"{'the left' if one == () else 'the right'} side is zero"
    if len(one) == len(other) == 1 and one[0][0] == other[0][0] == ONE:
        return _blocks(one[0][1], other[0][1])
    return f"the sides are compared {where}; they differ by {show(left - right)}"


def _blocks(left: Diagram, right: Diagram) -> str:
    """The first two ports that one side joins and the other does not."""
    ports = range(len(left.target) + len(left.source))
    of = [{v: b for b, block in enumerate(d.parts) for v in block} for d in (left, right)]
    for a in (*ports[len(left.target) :], *ports[: len(left.target)]):
        for b in ports:
            joined = [blocks[a] == blocks[b] for blocks in of]
            if a != b and joined[0] != joined[1]:
                side = ("left", "right")[joined[1]]
                names = [_port(v, len(left.target)) for v in (a, b)]
                return f"{names[0]} and {names[1]} are joined on the {side} only"
    return "the sides join different ports"


def _port(vertex: int, outputs: int) -> str:
    return f"output {vertex}" if vertex < outputs else f"input {vertex - outputs}"
