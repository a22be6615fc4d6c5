"""Sketches: terms in which arities are names, as in `k ; spider[1,q]`, for every choice of them a sum of diagrams.

What a sketch is for given arities is computed by gluing alone, with vertices and boxes numbered in the order of the
pieces.  `catnn.checker` does the same with the data of a sketch, so an instance of a rule needs no belief.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from catnn.category.scalar import ONE, Scalar
from catnn.category.wires import Wire, Word
from catnn.hypergraph.graph import Hypergraph, compose_all, identity, spider, tensor_all
from catnn.hypergraph.linear import Combination, combination

Arity = int | str
"""A number of legs or of copies, or the name of one."""

Arities = Mapping[str, int]

MOST_TERMS = 2_000
"""No sketch has more terms for any arities."""

MOST_LEGS, MOST_PARTS = 1_000, 50_000
"""Nor more wires side by side, nor more boxes and vertices."""


class TooMany(ValueError):  # noqa: N818
    """A sketch with so many legs or terms that nobody wants to see it."""


@dataclass(frozen=True, slots=True)
class Given:
    """What depends on no arity."""

    value: Combination


@dataclass(frozen=True, slots=True)
class Legs:
    """A spider with so many inputs and outputs."""

    wire: Wire
    into: Arity
    out: Arity


@dataclass(frozen=True, slots=True)
class Chained:
    """One after the other."""

    stages: tuple[Sketch, ...]


@dataclass(frozen=True, slots=True)
class Beside:
    """Side by side."""

    factors: tuple[Sketch, ...]


@dataclass(frozen=True, slots=True)
class Copies:
    """So many times side by side."""

    sketch: Sketch
    times: Arity


@dataclass(frozen=True, slots=True)
class Added:
    """A linear combination."""

    terms: tuple[tuple[Scalar, Sketch], ...]


@dataclass(frozen=True, slots=True)
class Same:
    """The identity of the word that another sketch starts from."""

    sketch: Sketch


Sketch = Given | Legs | Chained | Beside | Copies | Added | Same


@dataclass(frozen=True, slots=True)
class Raw:
    """The terms of a sketch as they are glued: like ones apart, closed loops as vertices without an end."""

    source: Word
    target: Word
    terms: tuple[tuple[Scalar, Hypergraph], ...]

    @property
    def value(self) -> Combination:
        """The same with like terms together and loops as factors."""
        return combination(self.source, self.target, self.terms)


def upside_down(sketch: Sketch) -> Sketch:
    """The dagger."""
    match sketch:
        case Given(value):
            return Given(value.dagger())
        case Legs(wire, into, out):
            return Legs(wire, out, into)
        case Chained(stages):
            return Chained(tuple(upside_down(stage) for stage in reversed(stages)))
        case Beside(factors):
            return Beside(tuple(map(upside_down, factors)))
        case Copies(inner, times):
            return Copies(upside_down(inner), times)
        case Added(terms):
            return Added(tuple((c, upside_down(term)) for c, term in terms))
        case Same():
            return sketch


def raw(sketch: Sketch, arities: Arities) -> Raw:
    """The terms of a sketch.

    Raises: TooMany; CatnnError where two stages do not meet, or a group has no spider of these legs.

    >>> from catnn.category.wires import Group
    >>> V = Wire("V", Group("S", "n"))
    >>> print(raw(Chained((Legs(V, 1, "q"), Legs(V, "q", 1))), {"q": 3}).value)
    [i -> i]
    """
    match sketch:
        case Given(value):
            return Raw(value.source, value.target, value.weighted)
        case Legs(wire, into, out):
            found = spider(wire, _number(into, arities), _number(out, arities))
            return Raw(found.source, found.target, ((ONE, found),))
        case Chained(stages):
            pieces = [raw(stage, arities) for stage in stages]
            return Raw(pieces[0].source, pieces[-1].target, _products(pieces, compose_all))
        case Beside(factors):
            return _beside([raw(factor, arities) for factor in factors])
        case Copies(inner, times):
            return _beside([raw(inner, arities)] * _number(times, arities))
        case Added(terms):
            parts = [(c, raw(term, arities)) for c, term in terms]
            rows = tuple((c * d, graph) for c, part in parts for d, graph in part.terms)
            return Raw(parts[0][1].source, parts[0][1].target, rows)
        case Same(inner):
            word = raw(inner, arities).source
            return Raw(word, word, ((ONE, identity(word)),))


def _number(arity: Arity, arities: Arities) -> int:
    found = arity if isinstance(arity, int) else arities[arity]
    if found > MOST_LEGS:
        raise TooMany(f"{found} legs")
    return found


def _beside(pieces: list[Raw]) -> Raw:
    source = tuple(wire for piece in pieces for wire in piece.source)
    target = tuple(wire for piece in pieces for wire in piece.target)
    if max(len(source), len(target)) > MOST_LEGS:
        raise TooMany(f"{len(source)} wires")
    return Raw(source, target, _products(pieces, tensor_all))


def _products(
    pieces: list[Raw], glue: Callable[[list[Hypergraph]], Hypergraph]
) -> tuple[tuple[Scalar, Hypergraph], ...]:
    """One term of each piece, in every way; those of the last change first."""
    rows: list[tuple[Scalar, list[Hypergraph]]] = [(ONE, [])]
    for piece in pieces:
        rows = [(c * d, [*row, graph]) for c, row in rows for d, graph in piece.terms]
        if len(rows) > MOST_TERMS:
            raise TooMany(f"{len(rows)} terms")
    parts = sum(max((len(g.nodes) + len(g.wires) for _, g in piece.terms), default=0) for piece in pieces)
    if len(rows) * parts > MOST_PARTS:
        raise TooMany(f"{len(rows) * parts} boxes and vertices")
    return tuple((c, glue(row)) for c, row in rows)


# -------------------------------------------------------------------------------------------------------------- data


@dataclass(frozen=True, slots=True)
class Format:
    """How a document writes wires, scalars and sums of diagrams, and how they are read."""

    wire: Callable[[Any], Any]
    scalar: Callable[[Any], Any]
    value: Callable[[Any], Any]


def sketch_data(sketch: Sketch, write: Format) -> list[Any]:
    """A sketch as lists: its kind, then its parts."""
    match sketch:
        case Given(value):
            return ["value", write.value(value)]
        case Legs(wire, into, out):
            return ["spider", write.wire(wire), into, out]
        case Chained(parts):
            return ["chain", [sketch_data(part, write) for part in parts]]
        case Beside(parts):
            return ["beside", [sketch_data(part, write) for part in parts]]
        case Copies(inner, times):
            return ["power", sketch_data(inner, write), times]
        case Added(terms):
            return ["sum", [[write.scalar(c), sketch_data(term, write)] for c, term in terms]]
        case Same(inner):
            return ["same", sketch_data(inner, write)]


def read_sketch(data: Any, read: Format) -> Sketch:
    """The sketch of such lists.  Raises: ValueError, TypeError, KeyError where they are none."""
    match data:
        case ["value", value]:
            return Given(read.value(value))
        case ["spider", wire, into, out]:
            return Legs(read.wire(wire), _arity(into), _arity(out))
        case ["chain", [_, *_] as parts]:
            return Chained(tuple(read_sketch(part, read) for part in parts))
        case ["beside", [*parts]]:
            return Beside(tuple(read_sketch(part, read) for part in parts))
        case ["power", inner, times]:
            return Copies(read_sketch(inner, read), _arity(times))
        case ["sum", [_, *_] as terms]:
            return Added(tuple((read.scalar(c), read_sketch(term, read)) for c, term in terms))
        case ["same", inner]:
            return Same(read_sketch(inner, read))
    raise ValueError(f"{str(data)[:40]} is no sketch")


def _arity(value: Any) -> Arity:
    if (type(value) is int and value >= 0) or isinstance(value, str):
        return value
    raise ValueError(f"{value!r} is no arity")


def values(sketch: Sketch) -> list[Combination]:
    """What a sketch holds that depends on no arity; a spider stands for the identity of its wire."""
    match sketch:
        case Given(value):
            return [value]
        case Legs(wire):
            return [combination((wire,), (wire,), ((ONE, identity((wire,))),))]
        case Chained(parts) | Beside(parts):
            return [value for part in parts for value in values(part)]
        case Added(terms):
            return [value for _, term in terms for value in values(term)]
        case Copies(inner) | Same(inner):
            return values(inner)


def names(sketch: Sketch) -> set[str]:
    """The names of its arities."""
    match sketch:
        case Given():
            return set()
        case Legs(_, into, out):
            return {arity for arity in (into, out) if isinstance(arity, str)}
        case Chained(parts) | Beside(parts):
            return set().union(*map(names, parts))
        case Added(terms):
            return set().union(*(names(term) for _, term in terms))
        case Copies(inner, times):
            return names(inner) | ({times} if isinstance(times, str) else set())
        case Same(inner):
            return names(inner)
