"""Fixed terms: from what was written, and the type it should have, to a morphism."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import chain

from catnn.category.compose import compose, tensor
from catnn.category.counting import number
from catnn.category.diagram import Diagram, Morphism, linear
from catnn.category.families import FAMILIES
from catnn.category.scalar import Monomial, Scalar
from catnn.category.wires import Wire, Word, bases
from catnn.diagnostics import CatnnError, Span
from catnn.elaborate import generators, points
from catnn.elaborate.inference import Inference
from catnn.elaborate.ports import Shape, bare_identities, children, jellyfish, postorder, resolved, unify
from catnn.elaborate.report import plural
from catnn.elaborate.scopes import GENERATORS, Scope
from catnn.elaborate.settling import expect, settle
from catnn.syntax import nodes

MOST_BITS = 4_000
"""Coefficients have at most this many binary digits (1,200 decimal ones)."""


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
    """The morphism of a fixed term, or None once its faults are reported.

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
) -> tuple[Morphism, Morphism] | None:
    """Two parallel fixed terms: the sides of a `check`."""
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
    if not settle(inference, (left, right)):
        return None
    first, second = meaning(inference, left), meaning(inference, right)
    return None if first is None or second is None else (first, second)


def _like(inference: Inference, term: nodes.Term, shape: Shape, other: Shape) -> Shape:
    """A side that is `id` alone is the identity of the other side's word."""
    identities = bare_identities(term)
    if identities is None or len(other.source) != len(other.target):
        return shape
    for generator in identities:
        inference.shapes[id(generator)] = Shape(other.source, other.source)
    return Shape(other.source, other.source)


# ----------------------------------------------------------------------------------------------------------- meaning


def meaning(inference: Inference, term: nodes.Term) -> Morphism | None:
    """The morphism of a term that is well typed; reports one whose normal form is too big."""
    values: dict[int, Morphism] = {}
    try:
        for node in postorder(term):
            values[id(node)] = _value(node, inference, [values[id(child)] for child in children(node)])
    except TooBig as fault:
        inference.scope.report.error(fault.code, fault.message, (fault.node.span, "here"))
        return None
    except CatnnError as error:  # orbits that are too many to list, or to multiply
        first = error.diagnostics[0]
        inference.scope.report.error(first.code, first.message, (term.span, "here"), notes=first.notes)
        return None
    return values[id(term)]


def scalar(node: nodes.Scalar) -> Scalar:
    """A written scalar."""
    powers: Monomial = tuple(sorted(node.powers))
    return Scalar(((powers, Fraction(node.value)),)) if node.value else Scalar(())


def _value(node: nodes.Term, inference: Inference, inside: list[Morphism]) -> Morphism:
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
        case nodes.Tensor():
            return _small(node, _tensor(node, inside, inference.scope.max_diagrams))
        case nodes.Chain():
            return _chain(node, inside, inference.scope.max_diagrams)
        case nodes.Sum():
            pairs = chain.from_iterable(value.weighted for value in inside)
            return linear(inside[0].source, inside[0].target, pairs)
        case _:
            return inside[0]


def _words(node: nodes.Term, inference: Inference) -> tuple[Word, Word]:
    shape = inference.shapes[id(node)]
    assert shape is not None
    source, target = resolved(shape.source), resolved(shape.target)
    assert source is not None
    assert target is not None
    return source, target


def _named(node: nodes.Generator, inference: Inference) -> Morphism:
    if node.name.text in GENERATORS:
        return generators.diagram(node, *_words(node, inference))
    if inference.scope.is_size(node.name.text):
        return linear((), (), ((Scalar.size(node.name.text), Diagram((), (), ())),))
    value = inference.scope.entries[node.name.text].value
    assert isinstance(value, Morphism)
    return value


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


def _tensor(node: nodes.Term, factors: list[Morphism], most: int) -> Morphism:
    products, bits = _epsilons(*factors, outer=tuple(w for f in factors for w in f.source + f.target)), 0
    for factor in factors:
        products *= len(factor.weighted)
        bits += _bits(factor)
        if products > most:
            raise TooBig(node, "E0405", _expands(products, most))
    if bits > MOST_BITS:
        raise TooBig(node, "E0407", f"a coefficient has more than {MOST_BITS:,} binary digits")
    return tensor(factors)


def _chain(node: nodes.Chain, stages: list[Morphism], most: int) -> Morphism:
    total = stages[0]
    for at in range(1, len(stages)):
        stage = stages[at]
        products = len(total.weighted) * len(stage.weighted)
        products *= _epsilons(total, stage, outer=total.source + stage.target)
        if products > most:
            raise TooBig(node, "E0405", _expands(products, most))
        total = _small(node, compose(stage, total))
    return total


def _expands(products: int, most: int) -> str:
    return f"this expands to {number(products)} products of diagrams; the limit is {most:,} (`--max-diagrams`)"


def _bits(value: Morphism) -> int:
    return max(
        (
            c.numerator.bit_length() + c.denominator.bit_length() - 2
            for coefficient, _ in value.weighted
            for _, c in coefficient.terms
        ),
        default=0,
    )


def _small(node: nodes.Term, value: Morphism) -> Morphism:
    if _bits(value) > MOST_BITS:
        raise TooBig(node, "E0407", f"a coefficient has more than {MOST_BITS:,} binary digits")
    return value


def show(value: Morphism, most: int = 6) -> str:
    """A normal form for messages: at most so many terms, coefficients of readable length."""
    shown = []
    for coefficient, diagram in value.weighted[:most]:
        fine = _bits(value) < 200
        text = str(coefficient) if fine else "..."
        shown.append(str(diagram) if text == "1" else f"({text}) * {diagram}")
    left = len(value.weighted) - most
    if left > 0:
        shown.append(f"... ({plural(left, 'more term')})")
    return " + ".join(shown) or "0"
