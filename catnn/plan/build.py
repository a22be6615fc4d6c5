"""From a layer to its plan: cut every diagram into halves, group what meets at a level, build the trees."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from catnn.category.diagram import Morphism
from catnn.category.half import Half, mean_factor
from catnn.category.halves import Factors, factors, level_key
from catnn.category.scalar import Scale, Size
from catnn.category.wires import Word
from catnn.model import Layer
from catnn.plan.ambient import ambient
from catnn.plan.grid import grid_products, is_whole
from catnn.plan.moves import full, tree
from catnn.plan.plan import Column, Combination, Constant, Direct, Plan, Product, Row, Sigma


@dataclass(frozen=True, slots=True)
class Term:
    """One diagram of one weight (index None: of a fixed term), cut into its factors."""

    out: int
    in_: int
    index: int | None
    coefficient: Fraction
    scale: Scale
    factors: Factors


def plan_layer(layer: Layer) -> Plan:
    """The reduce-mix-expand plan of a layer, every reduction and every write shared.

    Its words are in the ambient family of each group.  With ``reduce: mean`` the reductions divide as they go, so that
    no sum grows large before it is scaled.
    """
    layer = ambient(layer)
    mean = layer.reduce == "mean"
    gridded = is_whole(layer)
    terms = list(_terms(layer, mean=mean, fixed_alone=gridded))
    products = grid_products(layer) if gridded else _products(term for term in terms if term.index is not None)
    directs = tuple(
        Direct(Row(t.in_, t.factors.input), t.factors.sigma, Column(t.out, t.factors.output), t.scale, t.coefficient)
        for t in terms
        if t.index is None
    )
    constants = tuple(_constants(layer))
    rows = [row for product in products for row in product.rows] + [d.row for d in directs]
    columns = [column for product in products for column in product.columns]
    columns += [d.column for d in directs] + [c.column for c in constants]
    reads = [
        tree(word, (row.half for row in rows if row.summand == i), mean=mean)
        for i, word in enumerate(layer.source.words)
    ]
    writes = [
        tree(word, (column.half for column in columns if column.summand == o), mean=False)
        for o, word in enumerate(layer.target.words)
    ]
    return Plan(layer.name, layer.source, layer.target, tuple(reads), tuple(writes), products, directs, constants)


def _constants(layer: Layer) -> Iterator[Constant]:
    for out, biases in enumerate(layer.biases):
        for index, morphism in enumerate(biases):
            for scalar, diagram in morphism.weighted:
                cut = factors(diagram)
                for monomial, value in scalar.terms:
                    yield Constant(Column(out, cut.output), index, monomial, -value if cut.sign < 0 else value)


def _terms(layer: Layer, *, mean: bool, fixed_alone: bool = False) -> Iterator[Term]:
    for out, row in enumerate(layer.weighted):
        for in_, morphisms in enumerate(row):
            for index, morphism in enumerate(() if fixed_alone else morphisms):
                yield from _cut(out, in_, index, morphism, mean)
            for morphism in layer.fixed_parts[out][in_]:
                yield from _cut(out, in_, None, morphism, mean)


def _cut(out: int, in_: int, index: int | None, morphism: Morphism, mean: bool) -> Iterator[Term]:
    for coefficient, diagram in morphism.weighted:
        cut = factors(diagram)
        if cut.sign < 0:
            coefficient = -coefficient
        counts: Scale = ()
        if mean and index is None:
            counts = _closed(cut.input)
        elif mean:
            coefficient = coefficient / mean_factor(cut.input)
        for monomial, value in coefficient.terms:
            yield Term(out, in_, index, value, monomial + counts, cut)


def _closed(half: Half) -> Scale:
    """The sizes of the blocks that do not go through: what undoes a mean, also where a mask counts less."""
    found: dict[Size, int] = {}
    for block, through in zip(half.blocks, half.through, strict=True):
        if not through and block[0] not in half.legs:
            size = half.word[block[0]].group.size
            found[size] = found.get(size, 0) + 1
    return tuple(sorted(found.items(), key=lambda pair: str(pair[0])))


def _products(terms: Iterable[Term]) -> tuple[Product, ...]:
    """Group the terms: by level and scale, then whole targets by themselves, then what shares a row or a column."""
    groups: dict[tuple[Word, Scale, Column | None, Kind], list[Term]] = defaultdict(list)
    for term in terms:
        column = Column(term.out, term.factors.output)
        whole = column if column.half == full(column.half.word) else None
        groups[term.factors.output.level, term.scale, whole, _kind(term.factors)].append(term)

    def order(key: tuple[Word, Scale, Column | None, Kind]) -> tuple[object, ...]:
        level, scale, whole, kind = key
        return (level_key(level), kind, scale, whole is not None, whole.summand if whole else 0)

    return tuple(
        _product(key[0], key[1], component)
        for key in sorted(groups, key=order)
        for component in _components(groups[key])
    )


Kind = tuple[int, tuple[str, ...], tuple[str, ...]]


def _kind(cut: Factors) -> Kind:
    """What meets in one product has as many axes of epsilons that keep their order, and the same jellyfish.

    In order, they have fewer permutations; a count of 1 means nothing, so it is 0.
    """
    found = Counter((*cut.output.axes, *cut.input.axes))
    return (sum(count for count in found.values() if count > 1), cut.output.jellyfish, cut.input.jellyfish)


def _components(terms: list[Term]) -> list[list[Term]]:
    """Split terms so that different groups share neither a row nor a column."""
    parent: dict[object, object] = {}

    def find(node: object) -> object:
        while parent.setdefault(node, node) != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for term in terms:
        row, column = Row(term.in_, term.factors.input), Column(term.out, term.factors.output)
        parent[find(row)] = find(column)
    groups: dict[object, list[Term]] = {}
    for term in terms:
        groups.setdefault(find(Row(term.in_, term.factors.input)), []).append(term)
    return list(groups.values())


def _product(level: Word, scale: Scale, terms: list[Term]) -> Product:
    rows = sorted({Row(t.in_, t.factors.input) for t in terms}, key=_order)
    columns = sorted({Column(t.out, t.factors.output) for t in terms}, key=_order)
    sigmas: list[Sigma] = sorted({t.factors.sigma for t in terms})
    row_at = {row: at for at, row in enumerate(rows)}
    column_at = {column: at for at, column in enumerate(columns)}
    sigma_at = {sigma: at for at, sigma in enumerate(sigmas)}
    entries: dict[tuple[int, int, int], Combination] = {}
    for t in terms:
        assert t.index is not None
        column, row = Column(t.out, t.factors.output), Row(t.in_, t.factors.input)
        place = (sigma_at[t.factors.sigma], column_at[column], row_at[row])
        entries[place] = (*entries.get(place, ()), (t.coefficient, t.index))
    return Product(level, tuple(rows), tuple(columns), tuple(sigmas), scale, entries)


def _order(place: Row | Column) -> tuple[object, ...]:
    return (place.summand, place.half.key())
