"""Rules of variable arity: from the sides of a `rule` to sketches, in which arities are names.

The sides are typed once, at one choice of arities; what is found for a generator or a box holds for all, since an
arity says how often something stands there and never what it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from catnn.category.scalar import ONE
from catnn.elaborate.generators import arity
from catnn.elaborate.inference import Inference
from catnn.elaborate.ports import bare_identities, children, postorder, resolved
from catnn.elaborate.scopes import Scope
from catnn.elaborate.terms import Value, chained, scalar, value_of
from catnn.hypergraph.linear import Combination, lift
from catnn.rewrite.sketch import Added, Arity, Beside, Chained, Copies, Given, Legs, Same, Sketch, upside_down
from catnn.syntax import nodes


def variable_arities(term: nodes.Term, scope: Scope) -> dict[str, nodes.Name]:
    """The variable arities of a term, by first use: bare names in `spider[...]`, and powers that are names."""
    found: dict[str, nodes.Name] = {}
    for node in postorder(term):
        for name in _names(node, scope):
            found.setdefault(name.text, name)
    return found


def _names(node: nodes.Term, scope: Scope) -> list[nodes.Name]:
    """The variable arities that stand in a node itself."""
    match node:
        case nodes.Generator(nodes.Name("spider"), arguments):
            named = [None if isinstance(argument, int) else arity(argument) for argument in arguments]
            return [name for name in named if name is not None and name.text not in scope.spaces]
        case nodes.Power(_, nodes.Name() as name):
            return [name]
    return []


def sketches(left: nodes.Term, right: nodes.Term, inference: Inference) -> tuple[Sketch, Sketch]:
    """The two sides of a rule that is typed; a side that is `id` alone is the identity of the other side's word."""
    found: list[Sketch | None] = [None, None]
    for at, side in sorted(enumerate((left, right)), key=lambda pair: bare_identities(pair[1]) is not None):
        other = found[1 - at]
        alone = bare_identities(side) is not None and other is not None
        found[at] = _identities(side, other) if alone and other is not None else _Sketching(inference).run(side)
    one, two = found
    assert one is not None
    assert two is not None
    return one, two


def _identities(term: nodes.Term, like: Sketch) -> Sketch:
    """A term of bare identities, of the word that a sketch starts from; brackets nest at most 200 deep."""
    match term:
        case nodes.Brackets() | nodes.Dagger():
            return _identities(term.term, like)
        case nodes.Scaled():
            return Added(((scalar(term.scalar), _identities(term.term, like)),))
        case nodes.Sum():
            return Added(tuple((ONE, _identities(inner, like)) for inner in term.terms))
    return Same(like)


class _Sketching:
    """What depends on no arity is computed at once, as in any term."""

    def __init__(self, inference: Inference) -> None:
        self.inference, self.scope = inference, inference.scope

    def run(self, term: nodes.Term) -> Sketch:
        """The sketch of a term."""
        found: dict[int, Sketch] = {}
        for node in postorder(term):
            found[id(node)] = self.sketch(node, [found[id(child)] for child in children(node)])
        return found[id(term)]

    def sketch(self, node: nodes.Term, inside: list[Sketch]) -> Sketch:
        if not _names(node, self.scope) and all(isinstance(part, Given) for part in inside):
            values: list[Value] = [pure(part.value) for part in inside if isinstance(part, Given)]
            return Given(lift(value_of(node, self.inference, values)))
        match node:
            case nodes.Generator():
                return self.spider(node)
            case nodes.Scaled():
                return Added(((scalar(node.scalar), inside[0]),))
            case nodes.Dagger():
                return upside_down(inside[0])
            case nodes.Power(exponent=exponent):
                return Copies(inside[0], exponent if isinstance(exponent, int) else exponent.text)
            case nodes.Tensor():
                return Beside(tuple(inside))
            case nodes.Chain():
                return Chained(tuple(self.stages(node, inside)))
            case nodes.Sum():
                return self.sum(node, inside)
        return inside[0]

    def spider(self, node: nodes.Generator) -> Sketch:
        """A spider; of its wires, which are all alike, one is known where it was typed."""
        shape = self.inference.shapes[id(node)]
        word = None if shape is None else resolved((*shape.source, *shape.target))
        assert word
        legs: list[Arity] = []
        for argument in node.args[:2]:
            name = None if isinstance(argument, int) else arity(argument)
            legs.append(argument if isinstance(argument, int) else name.text if name is not None else 0)
        return Legs(word[0], legs[0], legs[1])

    def stages(self, node: nodes.Chain, inside: list[Sketch]) -> Iterator[Sketch]:
        """Neighbours that depend on no arity as one."""
        for given, run in groupby(inside, lambda part: isinstance(part, Given)):
            parts = list(run)
            values: list[Value] = [pure(part.value) for part in parts if isinstance(part, Given)]
            yield from [Given(lift(chained(node, values, self.scope)))] if given else parts

    def sum(self, node: nodes.Sum, inside: list[Sketch]) -> Sketch:
        """A sum, in which `id` is of the word of the others."""
        bare = [bare_identities(term) is not None for term in node.terms]
        base = next(part for part, alone in zip(inside, bare, strict=True) if not alone)
        rows = zip(node.terms, inside, bare, strict=True)
        return Added(tuple((ONE, _identities(term, base) if alone else part) for term, part, alone in rows))


def pure(value: Combination) -> Value:
    """A value without boxes as a sum of diagrams, which compose by the rules of their groups."""
    without = value.morphism
    return value if without is None else without
