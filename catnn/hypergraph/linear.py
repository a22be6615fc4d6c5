"""Linear combinations of hypergraphs: what a term with boxes means.

Isomorphic terms are one, closed loops are factors, coefficients are exact; so two combinations that the laws of a
symmetric monoidal category with its spiders, bends and sums make equal are equal values.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from itertools import pairwise

from catnn.category.diagram import Morphism
from catnn.category.scalar import ONE, Scalar, summed
from catnn.category.wires import Word, show_word
from catnn.diagnostics import fail
from catnn.drawable import Drawable
from catnn.hypergraph.convert import from_diagram, is_pure, to_morphism
from catnn.hypergraph.graph import Hypergraph, compose_all, tensor_all

Weighted = tuple[tuple[Scalar, Hypergraph], ...]


class Combination(Drawable):
    """A linear combination of hypergraphs with one source and one target; make it with `combination`.

    weighted: ((coefficient, hypergraph), ...), like terms together, no zeros, no loops, in a canonical order.

    >>> from catnn.category.wires import Group, Wire
    >>> from catnn.hypergraph.box import Box
    >>> from catnn.hypergraph.graph import single
    >>> V = Wire("V", Group("S", "n"))
    >>> f = lift(single(Box("f", (V,), (V,))))
    >>> f + f == f * 2, f - f == f * 0
    (True, True)
    """

    __slots__ = ("__dict__", "source", "target", "weighted")

    def __init__(self, source: Word, target: Word, weighted: Weighted) -> None:
        self.source, self.target, self.weighted = source, target, weighted

    @cached_property
    def single(self) -> Hypergraph | None:
        """The hypergraph that this is, if it is one."""
        return self.weighted[0][1] if len(self.weighted) == 1 and self.weighted[0][0] == ONE else None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Combination):
            return NotImplemented
        if (self.source, self.target) != (other.source, other.target) or len(self.weighted) != len(other.weighted):
            return False
        if len(self.weighted) == 1:  # of another size, as most are: no canonical form is needed
            return self.weighted[0] == other.weighted[0]
        return dict(self._terms) == dict(other._terms)

    @property
    def _terms(self) -> Iterable[tuple[Hypergraph, Scalar]]:
        return ((graph, coefficient) for coefficient, graph in self.weighted)

    def __hash__(self) -> int:
        return hash((self.source, self.target, frozenset(self.weighted)))

    def __bool__(self) -> bool:
        return bool(self.weighted)

    def __add__(self, other: Combination) -> Combination:
        if (self.source, self.target) != (other.source, other.target):
            shown = [f"{show_word(m.source)} -> {show_word(m.target)}" for m in (self, other)]
            raise fail("E0302", f"`{shown[0]}` and `{shown[1]}` cannot be added: a sum has one type")
        return combination(self.source, self.target, (*self.weighted, *other.weighted))

    def __neg__(self) -> Combination:
        return self * -1

    def __sub__(self, other: Combination) -> Combination:
        return self + -other

    def __mul__(self, scalar: Scalar | int | str) -> Combination:
        factor = Scalar.of(scalar)
        kept = tuple((c * factor, graph) for c, graph in self.weighted) if factor else ()
        return Combination(self.source, self.target, kept)

    __rmul__ = __mul__

    def __rshift__(self, other: Combination) -> Combination:
        return compose((self, other))

    def __matmul__(self, other: Combination) -> Combination:
        return tensor((self, other))

    def dagger(self) -> Combination:
        """Every hypergraph upside down."""
        return combination(self.target, self.source, ((c, graph.dagger()) for c, graph in self.weighted))

    @property
    def morphism(self) -> Morphism | None:
        """The same without boxes, where it has none."""
        if not all(is_pure(graph) for _, graph in self.weighted):
            return None
        from catnn.category.diagram import linear

        pairs = [(c * d, diagram) for c, graph in self.weighted for d, diagram in to_morphism(graph).weighted]
        return linear(self.source, self.target, pairs)

    def __str__(self) -> str:
        return self.shown(None)

    def shown(self, most: int | None) -> str:
        """The terms as text; most: what follows after so many letters may be left out."""
        from catnn.hypergraph.printing import show

        found: list[tuple[Scalar, str]] = []
        length = 0
        for c, graph in self.weighted:
            text = show(graph, most)
            found.append((c, text if c == ONE else f"({text})"))
            length += len(text) + 3
            if most is not None and length > most:
                break
        return summed(found)

    def __repr__(self) -> str:
        return f"<combination {show_word(self.source)} -> {show_word(self.target)}, {len(self.weighted)} terms>"


def lift(value: Morphism | Hypergraph | Combination) -> Combination:
    """A diagram, a sum of diagrams or a hypergraph as a combination."""
    match value:
        case Combination():
            return value
        case Hypergraph():
            return combination(value.source, value.target, ((ONE, value),))
        case _:
            pairs = ((coefficient, from_diagram(diagram)) for coefficient, diagram in value.weighted)
            return combination(value.source, value.target, pairs)


def combination(source: Word, target: Word, pairs: Iterable[tuple[Scalar, Hypergraph]]) -> Combination:
    """The sum of coefficient times hypergraph: like terms together, loops as factors, zeros dropped."""
    found = [without_loops(c, graph)[:2] for c, graph in pairs]
    if len(found) == 1:  # nothing to compare it with: no canonical form is needed yet
        return Combination(source, target, tuple(pair for pair in found if pair[0]))
    total: dict[Hypergraph, Scalar] = {}
    for coefficient, graph in found:
        total[graph] = total[graph] + coefficient if graph in total else coefficient
    kept = sorted(((graph.code, c, graph) for graph, c in total.items() if c), key=lambda triple: triple[0])
    return Combination(source, target, tuple((c, graph) for _, c, graph in kept))


def without_loops(coefficient: Scalar, graph: Hypergraph) -> tuple[Scalar, Hypergraph, tuple[int, ...]]:
    """Every closed loop as a factor, the size of its wire; and for each vertex the one it is then, -1 for a loop."""
    ends = graph.ends()
    if all(map(any, ends)):
        return coefficient, graph, tuple(range(len(ends)))
    number: dict[int, int] = {}
    for vertex, (wire, found) in enumerate(zip(graph.wires, ends, strict=True)):
        if any(found):
            number[vertex] = len(number)
        else:
            coefficient = coefficient * Scalar.size(wire.group.size)
    nodes = tuple(
        node._replace(inputs=tuple(number[v] for v in node.inputs), outputs=tuple(number[v] for v in node.outputs))
        for node in graph.nodes
    )
    ins, outs = (tuple(number[v] for v in row) for row in (graph.ins, graph.outs))
    left = Hypergraph.known(graph.source, graph.target, tuple(graph.wires[v] for v in number), nodes, ins, outs)
    return coefficient, left, tuple(number.get(v, -1) for v in range(len(ends)))


def compose(stages: Iterable[Combination]) -> Combination:
    """The composite of a chain, first stage first; linear in the whole where every stage is one hypergraph.

    Raises: CatnnError (E0301) where two do not meet; ValueError if there is none.
    """
    stages = tuple(stages)
    if not stages:
        raise ValueError("a chain has one stage or more")
    for lower, upper in pairwise(stages):
        if lower.target != upper.source:
            raise fail("E0301", f"one stage produces {show_word(lower.target)}, the next {show_word(upper.source)}")
    rows = _products(stages)
    return combination(stages[0].source, stages[-1].target, ((c, compose_all(row)) for c, row in rows))


def tensor(factors: Iterable[Combination]) -> Combination:
    """The factors side by side."""
    factors = tuple(factors)
    source = tuple(wire for factor in factors for wire in factor.source)
    target = tuple(wire for factor in factors for wire in factor.target)
    return combination(source, target, ((c, tensor_all(row)) for c, row in _products(factors)))


def _products(pieces: tuple[Combination, ...]) -> list[tuple[Scalar, list[Hypergraph]]]:
    """One term of each, in every way, with the product of their coefficients."""
    rows: list[tuple[Scalar, list[Hypergraph]]] = [(ONE, [])]
    for piece in pieces:
        if len(piece.weighted) == 1:
            ((coefficient, graph),) = piece.weighted
            rows = [(c * coefficient, row) for c, row in rows]
            for _, row in rows:
                row.append(graph)
        else:
            rows = [(c * d, [*row, graph]) for c, row in rows for d, graph in piece.weighted]
    return rows
