"""Fixed terms: from what was written, and the type it should have, to a morphism.

Without boxes that is a sum of diagrams, with boxes a combination of hypergraphs.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import chain, groupby

from catnn.category.compose import compose, tensor
from catnn.category.counting import number
from catnn.category.diagram import Diagram, Morphism, linear
from catnn.category.families import FAMILIES
from catnn.category.scalar import ONE, Monomial, Scalar, summed
from catnn.category.wires import Wire, Word, bases
from catnn.diagnostics import CatnnError, Span
from catnn.elaborate import generators, points
from catnn.elaborate.inference import Inference
from catnn.elaborate.ports import Shape, bare_identities, children, jellyfish, postorder, resolved, unify
from catnn.elaborate.report import plural
from catnn.elaborate.scopes import GENERATORS, Scope
from catnn.elaborate.settling import expect, settle
from catnn.hypergraph import linear as hyper
from catnn.hypergraph.box import Box
from catnn.hypergraph.graph import Hypergraph, single
from catnn.hypergraph.linear import Combination, combination, lift
from catnn.hypergraph.printing import show as brief
from catnn.syntax import nodes

FILE = 3
"""So many times the products of diagrams that one term may expand to, a whole file may."""

Value = Morphism | Combination
"""What a fixed term means: a combination where there is a box in it."""

MOST_PARTS = 100_000
"""A term has at most so many boxes and vertices between them."""

MOST_BITS = 4_000
"""Coefficients have at most this many binary digits (1,200 decimal ones)."""

MOST_TERMS = 1_000
"""Coefficients, which are polynomials in the sizes, have at most this many terms."""


class TooBig(Exception):  # noqa: N818
    """A term whose normal form is not worth having: its node, its code and the reason."""

    def __init__(self, node: nodes.Term, code: str, message: str) -> None:
        super().__init__(message)
        self.node, self.code, self.message = node, code, message


def fixed(
    term: nodes.Term,
    scope: Scope,
    source: Word | None = None,
    target: Word | None = None,
    *,
    declared: Span | None = None,
) -> Morphism | None:
    """The morphism of a fixed term without boxes, or None once its faults are reported; see `evaluate`."""
    value = evaluate(term, scope, source, target, declared=declared)
    return None if value is None else pure(value, term, scope)


def pure(value: Value, term: nodes.Term, scope: Scope) -> Morphism | None:
    """A value without boxes; reports one that has them."""
    if not isinstance(value, Combination):
        return value
    name = next(box.name for _, graph in value.weighted for box in graph.boxes if box.kind != "form")
    scope.report.error(
        "E0614",
        "a layer is made of diagrams alone",
        (term.span, f"holds the box `{scope.local(name)}`"),
        notes=("a layer is equivariant by its diagrams; a box has a tensor of its own",),
        helps=("use it in a network: `network f : A -> B = ...`",),
    )
    return None


def evaluate(
    term: nodes.Term,
    scope: Scope,
    source: Word | None = None,
    target: Word | None = None,
    *,
    declared: Span | None = None,
) -> Value | None:
    """The meaning of a fixed term, or None once its faults are reported.

    source, target: the words it should have, where they are known; declared: the place that says so.
    """
    inference = Inference(scope)
    shape = inference.run(term)
    if shape is not None and not inference.faults and (source is not None or target is not None):
        shape = expect(inference, term, shape, source, target, declared)
    if shape is None or not settle(inference, (term,)):
        return None
    return meaning(inference, term)


def pair(
    left: nodes.Term, right: nodes.Term, scope: Scope, words: tuple[Word, Word] | None, declared: Span | None
) -> tuple[Value, Value] | None:
    """Two parallel fixed terms: the sides of a `check`."""
    inference = typed(left, right, scope, words, declared)
    if inference is None:
        return None
    first, second = meaning(inference, left), meaning(inference, right)
    return None if first is None or second is None else (first, second)


def typed(
    left: nodes.Term, right: nodes.Term, scope: Scope, words: tuple[Word, Word] | None, declared: Span | None
) -> Inference | None:
    """The types of two parallel terms, or None once their faults are reported."""
    inference = Inference(scope)
    shapes = [inference.run(left), inference.run(right)]
    if words is not None:
        both = [
            shape and expect(inference, term, shape, *words, declared)
            for term, shape in zip((left, right), shapes, strict=True)
        ]
        shapes = [shape or None for shape in both]
    one, other = shapes
    if one is None or other is None or inference.faults:
        return None
    if words is None:
        one, other = _like(inference, left, one, other), _like(inference, right, other, one)
    if not (unify(one.source, other.source) & unify(one.target, other.target)):
        scope.report.error(
            "E0302",
            "the two sides have different types",
            (right.span, f"this is {inference.arrow(other)}"),
            (left.span, f"this is {inference.arrow(one)}"),
        )
        return None
    return inference if settle(inference, (left, right)) else None


def _like(inference: Inference, term: nodes.Term, shape: Shape, other: Shape) -> Shape:
    """A side that is `id` alone is the identity of the other side's word."""
    identities = bare_identities(term)
    if identities is None or len(other.source) != len(other.target):
        return shape
    for generator in identities:
        inference.shapes[id(generator)] = Shape(other.source, other.source)
    return Shape(other.source, other.source)


# ----------------------------------------------------------------------------------------------------------- meaning


def meaning(inference: Inference, term: nodes.Term) -> Value | None:
    """The meaning of a term that is well typed; reports one whose normal form is too big."""
    values: dict[int, Value] = {}
    try:
        for node in postorder(term):
            values[id(node)] = value_of(node, inference, [values[id(child)] for child in children(node)])
    except TooBig as fault:
        inference.scope.report.error(fault.code, fault.message, (fault.node.span, "here"))
        return None
    except CatnnError as error:  # what is too many to list, to multiply, or to compare
        first = error.diagnostics[0]
        inference.scope.report.error(first.code, first.message, (term.span, "here"), notes=first.notes)
        return None
    value = values[id(term)]
    if isinstance(value, Combination) and not inference.scope.apart:  # boxes may have cancelled
        without = value.morphism
        return value if without is None else without
    return value


def scalar(node: nodes.Scalar) -> Scalar:
    """A written scalar."""
    powers: Monomial = tuple(sorted(node.powers))
    return Scalar(((powers, Fraction(node.value)),)) if node.value else Scalar(())


def value_of(node: nodes.Term, inference: Inference, inside: list[Value]) -> Value:
    """The meaning of a term from that of its parts."""
    match node:
        case nodes.Generator():
            return _named(node, inference)
        case nodes.Pattern():
            source, target = _words(node, inference)
            signed = jellyfish(node, target + source, inference.scope.spaces)
            return points.meaning(node, source, target, signed, inference.scope)
        case nodes.Number():
            return linear((), (), ((scalar(node.scalar), Diagram((), (), ())),))
        case nodes.Scaled():
            return _small(node, inside[0] * scalar(node.scalar))
        case nodes.Dagger():
            return inside[0].dagger()
        case nodes.Power(exponent=exponent):
            times = exponent if isinstance(exponent, int) else inference.scope.arities[exponent.text]
            return _small(node, _tensor(node, [inside[0]] * times, inference.scope))
        case nodes.Tensor():
            return _small(node, _tensor(node, inside, inference.scope))
        case nodes.Chain():
            return chained(node, inside, inference.scope)
        case nodes.Sum():
            return _sum(inside)
        case _:
            return inside[0]


def _words(node: nodes.Term, inference: Inference) -> tuple[Word, Word]:
    shape = inference.shapes[id(node)]
    assert shape is not None
    source, target = resolved(shape.source), resolved(shape.target)
    assert source is not None
    assert target is not None
    return source, target


def _named(node: nodes.Generator, inference: Inference) -> Value:
    if node.name.text == "spider" and _words(node, inference) == ((), ()):  # a closed loop
        wire = generators.closed_wire(node, inference.scope)
        return linear((), (), ((Scalar.size(wire.group.size) if wire else ONE, Diagram((), (), ())),))
    if node.name.text in GENERATORS:
        return generators.diagram(node, *_words(node, inference))
    if inference.scope.is_size(node.name.text):
        return linear((), (), ((Scalar.size(node.name.text), Diagram((), (), ())),))
    value = inference.scope.entries[node.name.text].value
    if isinstance(value, Box):
        return lift(single(value))
    assert isinstance(value, Morphism | Combination)
    return value


def _morphisms(values: list[Value]) -> list[Morphism] | None:
    """The values, where none of them has boxes."""
    found = [value for value in values if isinstance(value, Morphism)]
    return found if len(found) == len(values) else None


def _sum(inside: list[Value]) -> Value:
    source, target, diagrams = inside[0].source, inside[0].target, _morphisms(inside)
    if diagrams is not None:
        return linear(source, target, chain.from_iterable(value.weighted for value in diagrams))
    return combination(source, target, chain.from_iterable(lift(value).weighted for value in inside))


def _epsilons(*values: Morphism, outer: Word) -> int:
    """How many terms the epsilons of several diagrams multiply out to, at most; outer: the wires that stay."""
    heads, others = Counter[Wire](), Counter[Wire]()
    for value in values:
        for wire in bases(value.source + value.target):
            if FAMILIES[wire.group.family].epsilon:
                rows = [
                    (sum(d.wire(b[0]) == wire for b in d.parts), wire in map(d.wire, d.free)) for _, d in value.weighted
                ]
                heads[wire] += any(signed for _, signed in rows)
                others[wire] += max((blocks for blocks, signed in rows if not signed), default=0)
    found = 1
    for wire, met in heads.items():
        if met:
            assert isinstance(wire.group.size, int)
            family = FAMILIES[wire.group.family]
            found *= family.expansion(met, others[wire], outer.count(wire), wire.group.size)
    return found


def _tensor(node: nodes.Term, values: list[Value], scope: Scope) -> Value:
    factors = _morphisms(values)
    if factors is None:
        return hyper.tensor(_few(node, [lift(value) for value in values], scope))
    products, bits = _epsilons(*factors, outer=tuple(w for f in factors for w in f.source + f.target)), 0
    if products > 1 and scope.apart:
        return hyper.tensor(_few(node, [lift(value) for value in values], scope))
    for factor in factors:
        products *= _terms(factor)
        bits += _bits(factor)
        if products > scope.max_diagrams:
            break
    _spend(node, products, scope)
    if bits > MOST_BITS:
        raise TooBig(node, "E0407", f"a coefficient has more than {MOST_BITS:,} binary digits")
    return tensor(factors)


def _few(node: nodes.Term, values: list[Combination], scope: Scope) -> list[Combination]:
    """Combinations whose product has a sensible number of terms.  Raises: TooBig."""
    products = 1
    for value in values:
        products *= _terms(value)
        if products > scope.max_diagrams:
            break
    _spend(node, products, scope)
    parts = sum(max((len(g.nodes) + len(g.wires) for _, g in value.weighted), default=0) for value in values)
    if parts * products > MOST_PARTS:
        shown = f"{number(parts * products)} boxes and wires"
        raise TooBig(node, "E0405", f"this expands to {shown}; the limit is {MOST_PARTS:,}")
    return values


def chained(node: nodes.Chain, values: list[Value], scope: Scope) -> Value:
    """Stages without boxes are composed as diagrams, which may be shorter, then all of them at once."""
    runs: list[Combination] = []
    for boxed, run in groupby(values, lambda value: isinstance(value, Combination)):
        stages = list(run)
        if boxed:
            runs.extend(lift(stage) for stage in stages)
            continue
        found = _diagrams(node, _morphisms(stages) or [], scope)
        if len(found) == 1 and len(stages) == len(values):
            return found[0]
        runs.extend(map(lift, found))
    return _small(node, hyper.compose(_few(node, runs, scope)))


def _diagrams(node: nodes.Chain, stages: list[Morphism], scope: Scope) -> list[Morphism]:
    """The composite of stages without boxes; several, to be composed, where epsilons stay apart."""
    found: list[Morphism] = []
    total = stages[0]
    for stage in stages[1:]:
        expanded = _epsilons(total, stage, outer=total.source + stage.target)
        if expanded > 1 and scope.apart:
            found.append(total)
            total = stage
            continue
        _spend(node, _terms(total) * _terms(stage) * expanded, scope)
        total = compose(stage, total)
        _small(node, total)
    return [*found, total]


def _terms(value: Value) -> int:
    """How many terms a value has, those of its coefficients told apart."""
    return sum(len(coefficient.terms) for coefficient, _ in value.weighted)


def _spend(node: nodes.Term, products: int, scope: Scope) -> None:
    """Count products before they are made.  Raises: TooBig where a term, or all of a file, has too many."""
    most = scope.max_diagrams
    if products > most:
        message = f"this expands to {number(products)} products of diagrams; the limit is {most:,} (`--max-diagrams`)"
        raise TooBig(node, "E0405", message)
    scope.products += products
    if scope.products > FILE * most:
        message = (
            f"the terms so far expand to {number(scope.products)} products of diagrams; the limit is {FILE * most:,}"
        )
        raise TooBig(node, "E0405", f"{message} (`--max-diagrams`)")


def _bits(value: Value) -> int:
    return max(
        (
            c.numerator.bit_length() + c.denominator.bit_length() - 2
            for coefficient, _ in value.weighted
            for _, c in coefficient.terms
        ),
        default=0,
    )


def _small(node: nodes.Term, value: Value) -> Value:
    if any(len(coefficient.terms) > MOST_TERMS for coefficient, _ in value.weighted):
        raise TooBig(node, "E0407", f"a coefficient has more than {MOST_TERMS:,} terms")
    if _bits(value) > MOST_BITS:
        raise TooBig(node, "E0407", f"a coefficient has more than {MOST_BITS:,} binary digits")
    return value


WIDEST = 1_000
"""A diagram in a message begins no stage after so many letters."""


def show(value: Value, most: int = 6) -> str:
    """A normal form for messages: at most so many terms, coefficients of readable length."""
    shown = [(coefficient, _in_brackets(coefficient, diagram)) for coefficient, diagram in value.weighted[:most]]
    fine = _bits(value) < 200
    text = summed(shown) if fine else " + ".join(inner if c == ONE else f"(...) * {inner}" for c, inner in shown)
    left = len(value.weighted) - most
    return f"{text} + ... ({plural(left, 'more term')})" if left > 0 else text


def _in_brackets(coefficient: Scalar, diagram: Diagram | Hypergraph) -> str:
    """A term behind a coefficient."""
    if not isinstance(diagram, Hypergraph):
        return str(diagram)
    whole = brief(diagram, WIDEST)
    return whole if coefficient == ONE else f"({whole})"
