"""Fixed terms: from what was written, and the type it should have, to a morphism."""

from __future__ import annotations

from fractions import Fraction
from itertools import chain

from catnn.category.diagram import Diagram, Morphism, compose, linear, tensor
from catnn.category.families import FAMILIES
from catnn.category.scalar import Monomial, Scalar
from catnn.category.wires import Word
from catnn.diagnostics import Span
from catnn.syntax import generators, nodes
from catnn.syntax.inference import Inference
from catnn.syntax.ports import Port, Shape, bare_identities, children, core, known, postorder, resolved, unify
from catnn.syntax.report import brief, number, plural, times
from catnn.syntax.scopes import GENERATORS, Scope

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


# ------------------------------------------------------------------------------------------------------------ typing


def expect(
    inference: Inference,
    term: nodes.Term,
    shape: Shape,
    source: Word | None,
    target: Word | None,
    declared: Span | None,
) -> Shape | None:
    """Make a shape meet the words that are declared; reports where it cannot."""
    identities = bare_identities(term)
    if identities is not None:
        word = source if source is not None else target
        assert word is not None
        shape = Shape(known(word), known(word))
        for generator in identities:
            inference.shapes[id(generator)] = shape
    before = inference.arrow(shape)
    fine = source is None or unify(shape.source, known(source))
    fine &= target is None or unify(shape.target, known(target))
    if fine:
        return shape
    if not _mixed_letter(inference, term, source, target):
        wanted = [inference.scope.show_word(word) if word is not None else "..." for word in (source, target)]
        places: list[tuple[Span, str]] = [(term.span, f"this is {before}")]
        if declared is not None:
            places.append((declared, f"declared {' -> '.join(wanted)}"))
        message = f"`{brief(term.span)}` is not of type {' -> '.join(wanted)}"
        inference.scope.report.error("E0303", message, *places)
    return None


def _mixed_letter(inference: Inference, term: nodes.Term, source: Word | None, target: Word | None) -> bool:
    """Report a letter that stands on two spaces, where a pattern of the right width does not fit."""
    pattern = core(term)
    if not isinstance(pattern, nodes.Pattern) or source is None or target is None:
        return False
    letters = (*pattern.inputs[0], *pattern.outputs)
    wires = source + target if term is pattern else ()
    if len(letters) != len(wires) or len(pattern.outputs) != len(target):
        return False
    first: dict[str, int] = {}
    for at, letter in enumerate(letters):
        other = first.setdefault(letter.text, at)
        if wires[other] != wires[at]:
            shown = [inference.scope.show_word((wires[i],)) for i in (other, at)]
            inference.scope.report.error(
                "E0402",
                f"letter `{letter.text}` joins a wire of `{shown[0]}` and a wire of `{shown[1]}`",
                (letter.span, f"on `{shown[1]}`"),
                (letters[other].span, f"on `{shown[0]}`"),
                notes=("the wires of one block are of one space",),
            )
            return True
    return False


def settle(inference: Inference, terms: tuple[nodes.Term, ...]) -> bool:
    """Whether every space is known, every generator exists and every pattern is a diagram; reports what is not."""
    scope, fine = inference.scope, inference.faults == 0 and not inference.poisoned
    unknown: set[Port] = set()
    for node in chain.from_iterable(postorder(term) for term in terms):
        if not isinstance(node, nodes.Generator | nodes.Pattern):
            continue
        shape = inference.shapes[id(node)]
        if shape is None:
            fine = False
            continue
        missing = {port.root() for port in (*shape.source, *shape.target) if port.root().wire is None}
        if missing:
            if not inference.faults and not missing <= unknown and not scope.failed_spaces:
                _unresolved(node, scope)
            unknown |= missing
        elif isinstance(node, nodes.Pattern):
            fine = _blocks(node, shape, scope) and fine
        elif node.name.text in GENERATORS:
            fine = generators.exists(node, shape, scope) and fine
    return fine and not unknown


def _unresolved(node: nodes.Generator | nodes.Pattern, scope: Scope) -> None:
    spaces = [name for name, wire in scope.spaces.items() if wire is not None]
    if not spaces:
        scope.report.error("E0304", f"`{brief(node.span)}` needs a space, and none is declared",
                           (node.span, "of which space?"), helps=("declare one: `space V : S(n)`",))  # fmt: skip
        return
    choices = " or ".join(f"`{name}`" for name in spaces[:4])
    fix = f"`{node.name.text}[{spaces[0]}]`" if isinstance(node, nodes.Generator) else ""
    if not fix or node.name.text in ("perm", "spider"):  # type: ignore[union-attr]
        fix = "`id[...]` beside it says which"
    scope.report.error(
        "E0304",
        f"the space of `{brief(node.span)}` is not known: {choices}",
        (node.span, "of which space?"),
        helps=(f"say it: {fix}; in a check, end with `: A -> B`",),
    )


def _blocks(node: nodes.Pattern, shape: Shape, scope: Scope) -> bool:
    found: dict[str, list[Span]] = {}
    wires = dict[str, Port]()
    letters = (*(node.inputs[0] if node.inputs else ()), *node.outputs)
    for letter, port in zip(letters, (*shape.source, *shape.target), strict=True):
        found.setdefault(letter.text, []).append(letter.span)
        wires[letter.text] = port
    fine = True
    for text, spans in found.items():
        wire = wires[text].root().wire
        assert wire is not None
        family = FAMILIES[wire.group.family]
        fault = family.block_fault(len(spans))
        if fault is not None:
            places = [(spans[-1], f"{times(len(spans))}"), *((span, "") for span in spans[:-1])]
            message = f"a wire of `{wire.group}` is used {times(len(spans))}: letter `{text}` {fault}"
            scope.report.error("E0401", message, *places[:8], notes=(family.law,))
            fine = False
    return fine


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
            return _pattern(node, source, target)
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


def _pattern(node: nodes.Pattern, source: Word, target: Word) -> Diagram:
    blocks: dict[str, list[int]] = {}
    for vertex, letter in enumerate((*node.outputs, *(node.inputs[0] if node.inputs else ()))):
        blocks.setdefault(letter.text, []).append(vertex)
    return Diagram(source, target, tuple(sorted(tuple(block) for block in blocks.values())))


def _tensor(node: nodes.Term, factors: list[Morphism], most: int) -> Morphism:
    products, bits = 1, 0
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
