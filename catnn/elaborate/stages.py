"""Stages of a network: what flows through one, and the stages that are fixed diagrams."""

from __future__ import annotations

from dataclasses import dataclass

from catnn.activations import ACTIVATIONS, AXIS_FUNCTIONS
from catnn.category.diagram import Morphism
from catnn.category.wires import Summand, Type
from catnn.diagnostics import Span
from catnn.elaborate.inference import Inference
from catnn.elaborate.ports import bare_identities, guess, known, postorder, resolved, unify
from catnn.elaborate.scopes import Scope
from catnn.elaborate.settling import settle
from catnn.elaborate.terms import meaning, pure
from catnn.model import Apply, Layer, Stage
from catnn.syntax import nodes


@dataclass(frozen=True, slots=True)
class Flow:
    """What a stage expects, produces and is; None for what a fault has made unknown."""

    source: Type | None
    target: Type | None
    stage: Stage | None


LOST = Flow(None, None, None)


def is_diagram(term: nodes.Term, scope: Scope) -> bool:
    """Whether a term is made of diagrams alone, and no `id` in it means a whole type."""
    for node in postorder(term):
        match node:
            case nodes.Generator():
                name = node.name.text
                entry = scope.entries.get(name)
                if (
                    name in ACTIVATIONS
                    or name in AXIS_FUNCTIONS
                    or (entry is not None and entry.kind not in ("let", "box"))
                ):
                    return False
            case nodes.Chain() if any(bare_identities(stage) is not None for stage in node.terms):
                return False
            case nodes.Sum() if bare_identities(node) is not None:
                return False
    return True


def diagram(term: nodes.Term, source: Type | None, wanted: Type | None, scope: Scope) -> Flow:
    """A fixed diagram as a stage: it acts on every summand that reaches it, and on every channel alike."""
    if source is None:
        Inference(scope).run(term)
        return LOST
    aims = wanted.words if wanted is not None and len(wanted.words) == len(source.words) else None
    expects: list[Summand] = []
    produces: list[Summand] = []
    values: list[Morphism | None] = []
    for at, summand in enumerate(source.summands):
        inference = Inference(scope)
        shape = inference.run(term)
        if shape is None:
            return LOST
        fits = unify(shape.source, known(summand.word))
        if fits and resolved(shape.target) is None and aims is not None:
            unify(shape.target, known(aims[at]))
        expects.append(summand if fits else Summand(guess(shape.source), summand.channels))
        if not fits:
            return Flow(Type((*source.summands[:at], expects[-1], *source.summands[at + 1 :])), None, None)
        found = meaning(inference, term) if settle(inference, (term,)) else None
        value = None if found is None else pure(found, term, scope)
        target = resolved(shape.target)
        if target is None:
            return LOST
        produces.append(Summand(target, summand.channels))
        values.append(value)
        if value is None:
            break
    if any(value is None for value in values):
        return Flow(source, Type(tuple(produces)) if len(produces) == len(source.words) else None, None)
    morphisms = [value for value in values if value is not None]
    name = term.name.text if isinstance(term, nodes.Generator) and "[" not in term.span.text else "fixed"
    layer = frozen(name, source, Type(tuple(produces)), morphisms, term.span, is_complex=scope.is_complex)
    return Flow(source, layer.target, Apply(layer))


def frozen(
    name: str, source: Type, target: Type, values: list[Morphism], span: Span | None, *, is_complex: bool
) -> Layer:
    """A layer without weights: a diagram on every summand."""
    rows = range(len(values))
    parts = tuple(tuple((values[o],) if o == i and values[o].weighted else () for i in rows) for o in rows)
    none = tuple(tuple(() for _ in rows) for _ in rows)
    return Layer(
        name, source, target, none, tuple(() for _ in rows), parts, learned=False, span=span, is_complex=is_complex
    )
