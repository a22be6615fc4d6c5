"""The proof that a plan computes its layer, by running it in the category, for every n at once.

Every step of a plan is itself a small diagram.  Reductions are composed downwards from the identity of the source,
expansions upwards to the identity of the target, and where a product joins the two, the composite is the diagram that
its weight must have had.  Nothing is read off the halves: only what the steps do counts.
"""

from __future__ import annotations

from collections import defaultdict

from catnn.category.compose import compose, compose_diagrams, permutation
from catnn.category.diagram import Diagram, Sum, linear
from catnn.category.half import Half
from catnn.category.scalar import ONE, Scalar, Scale
from catnn.category.wires import Word
from catnn.model import Layer
from catnn.plan.ambient import ambient
from catnn.plan.form import malformed
from catnn.plan.grid import is_whole
from catnn.plan.moves import Move, full
from catnn.plan.plan import Column, Grid, Plan, Row, Sigma, mirror
from catnn.plan.unmet import Values, unmet


class UnsoundPlanError(AssertionError):
    """A plan that does not compute its layer: a defect of catnn, never of a spec."""


def prove(plan: Plan, layer: Layer) -> None:
    """Check that the plan computes the layer and that its mirror computes the transpose.

    Raises: UnsoundPlanError naming the first pattern that differs.
    """
    layer, back = ambient(layer), mirror(plan)
    for fault in (*malformed(plan), *malformed(back)):
        raise UnsoundPlanError(f"{layer.name}: {fault}")
    _prove(plan, layer, layer.name, upside_down=False)
    _prove(back, layer, f"gradient of {layer.name}", upside_down=True)


def _prove(plan: Plan, layer: Layer, name: str, *, upside_down: bool) -> None:
    """Whole hom-spaces are proved by their halves, anything else diagram by diagram."""
    by_halves = is_whole(layer) and all(isinstance(product.entries, Grid) for product in plan.products)
    found = values(plan)
    for fault in unmet(plan, layer, *found, mirrored=upside_down) if by_halves else ():
        raise UnsoundPlanError(f"{name}: {fault}")
    meant = _meant(layer, weights=not by_halves)
    if upside_down:
        meant = _transposed({key: value for key, value in meant.items() if key[1] >= 0})
    _compare(computed(plan, found, weights=not by_halves), meant, name)


Key = tuple[int, int, int | None]
"""(target summand, source summand, index of the weight); -1 for the source of a bias, None for fixed terms."""


def values(plan: Plan) -> tuple[Values, Values]:
    """What the moves of a plan compute: for each source summand its reductions, for each target what is written."""
    reads = [_downwards(word, moves) for word, moves in zip(plan.source.words, plan.reads, strict=True)]
    writes = [_upwards(word, moves) for word, moves in zip(plan.target.words, plan.writes, strict=True)]
    return reads, writes


def computed(plan: Plan, known: tuple[Values, Values] | None = None, *, weights: bool = True) -> dict[Key, Sum]:
    """What each weight of a plan is multiplied with, found by composing the plan's steps.

    known: the `values` of the plan; weights: whether the products are wanted too, not the fixed terms and biases alone.
    """
    reads, writes = known or values(plan)
    found: dict[Key, list[tuple[Scalar, Diagram]]] = defaultdict(list)

    def join(key: Key, factor: Scalar, column: Column, sigma: Sigma, row: Row) -> None:
        terms = found[key]
        for upper_factor, upper in turned(column, sigma).weighted:
            for lower_factor, lower in reads[row.summand][row.half].weighted:
                for coefficient, diagram in compose_diagrams(upper, lower):
                    terms.append((coefficient * upper_factor * lower_factor * factor, diagram))

    cache: dict[tuple[Column, Sigma], Sum] = {}

    def turned(column: Column, sigma: Sigma) -> Sum:
        if (column, sigma) not in cache:
            cache[column, sigma] = compose(writes[column.summand][column.half], turn(column.half.level, sigma))
        return cache[column, sigma]

    for product in plan.products if weights else ():
        scale = monomial(product.scale)
        for (s, c, r), combination in product.entries.items():
            column, row = product.columns[c], product.rows[r]
            for coefficient, index in combination:
                key = (column.summand, row.summand, index)
                join(key, scale * Scalar.of(coefficient), column, product.sigmas[s], row)
    for direct in plan.directs:
        factor = monomial(direct.scale) * Scalar.of(direct.coefficient)
        join((direct.column.summand, direct.row.summand, None), factor, direct.column, direct.sigma, direct.row)
    for constant in plan.constants:
        column = constant.column
        factor = monomial(constant.scale) * Scalar.of(constant.coefficient)
        terms = [(factor * value, diagram) for value, diagram in writes[column.summand][column.half].weighted]
        found[column.summand, -1, constant.index].extend(terms)
    return {key: linear(terms[0][1].source, terms[0][1].target, terms) for key, terms in found.items()}


def turn(level: Word, sigma: Sigma) -> Diagram:
    """The permutation of a level whose output axis j is input axis sigma[j]."""
    return permutation(level, sigma)


def monomial(scale: Scale) -> Scalar:
    """A monomial as a scalar."""
    result = ONE
    for size, exponent in scale:
        result = result * Scalar.size(size, exponent)
    return result


def _start(word: Word) -> Diagram:
    """A tensor as it comes, its axes put in the order of the whole half."""
    top = full(word)
    return permutation(word, tuple(top.blocks[b][0] for b in top.ports))


def _downwards(word: Word, moves: tuple[Move, ...]) -> dict[Half, Sum]:
    start = _start(word)
    values = {full(word): linear(start.source, start.target, start.weighted)}
    for move in moves:
        values[move.coarse] = compose(move.diagram(), values[move.fine]) * move.factor()
    return values


def _upwards(word: Word, moves: tuple[Move, ...]) -> dict[Half, Sum]:
    end = _start(word).dagger()
    values = {full(word): linear(end.source, end.target, end.weighted)}
    for move in moves:
        values[move.coarse] = compose(values[move.fine], move.diagram().dagger()) * move.factor()
    return values


def _meant(layer: Layer, *, weights: bool = True) -> dict[Key, Sum]:
    meant: dict[Key, Sum] = {}
    for out, row in enumerate(layer.weighted):
        for in_, morphisms in enumerate(row):
            for index, morphism in enumerate(morphisms if weights else ()):
                meant[out, in_, index] = linear(morphism.source, morphism.target, morphism.weighted)
            fixed = layer.fixed_parts[out][in_]
            if fixed:
                total = [term for morphism in fixed for term in morphism.weighted]
                meant[out, in_, None] = linear(fixed[0].source, fixed[0].target, total)
    for out, morphisms in enumerate(layer.biases):
        for index, morphism in enumerate(morphisms):
            meant[out, -1, index] = linear(morphism.source, morphism.target, morphism.weighted)
    return {key: value for key, value in meant.items() if value}


def _transposed(meant: dict[Key, Sum]) -> dict[Key, Sum]:
    return {(in_, out, index): morphism.dagger() for (out, in_, index), morphism in meant.items()}


def _compare(found: dict[Key, Sum], meant: dict[Key, Sum], name: str) -> None:
    found = {key: value for key, value in found.items() if value}
    for key in sorted(meant.keys() | found.keys(), key=str):
        if found.get(key) != meant.get(key):
            raise UnsoundPlanError(
                f"{name}: weight {key} should be {meant.get(key)}, the plan computes {found.get(key)}"
            )
