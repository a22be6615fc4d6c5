"""Bilabelled graphs: their matrices count homomorphisms, and they span what the orbits span.

A bilabelled graph H has vertices, edges, and rows of vertices that are its outputs and inputs; ``X_H[I,J]`` is the
number of homomorphisms from H to the graph of the space that carry the outputs to I and the inputs to J.  Composition
glues outputs to inputs.  Source: Mancinska and Roberson, arXiv 1910.06958, section 3; Pearce-Crump, arXiv 2307.07810.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, product
from typing import TYPE_CHECKING

from catnn.category.diagram import Diagram, Sum, linear
from catnn.category.graphs import Automorphisms
from catnn.category.labelled import joined, permuted
from catnn.category.permutations import Point
from catnn.category.scalar import Scalar
from catnn.category.wires import Wire
from catnn.diagnostics import fail

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

MOST_MAPS = 5_000_000
"""How many maps of vertices a count may look at, were there no edges."""


@dataclass(frozen=True, slots=True)
class Bilabelled:
    """A graph with rows of outputs and inputs among its vertices 0..vertices-1.

    edges: pairs (i, j), an edge from i to j; of an undirected graph either direction is as good.
    Raises: ValueError where an edge or a label is no vertex.

    >>> walk = Bilabelled(3, ((0, 1), (1, 2)), (0,), (2,))
    >>> (ADJACENCY >> ADJACENCY) == walk
    True
    """

    vertices: int
    edges: tuple[tuple[int, int], ...]
    outputs: tuple[int, ...]
    inputs: tuple[int, ...]

    def __post_init__(self) -> None:
        named = [v for edge in self.edges for v in edge] + [*self.outputs, *self.inputs]
        if any(not 0 <= v < self.vertices for v in named):
            raise ValueError(f"{max(named)} is no vertex of 0 to {self.vertices - 1}")
        number: dict[int, int] = {}  # labelled vertices by first label, then the others as they come
        for v in (*self.outputs, *self.inputs, *range(self.vertices)):
            number.setdefault(v, len(number))
        object.__setattr__(self, "edges", tuple(sorted({(number[a], number[b]) for a, b in self.edges})))
        object.__setattr__(self, "outputs", tuple(number[v] for v in self.outputs))
        object.__setattr__(self, "inputs", tuple(number[v] for v in self.inputs))

    def __rshift__(self, other: Bilabelled) -> Bilabelled:
        """This, then the other: its outputs are glued to the other's inputs; double edges are one.

        Raises: ValueError where the numbers of wires differ.
        """
        if len(self.outputs) != len(other.inputs):
            raise ValueError(f"{len(self.outputs)} outputs do not meet {len(other.inputs)} inputs")
        shift = self.vertices
        parent = list(range(shift + other.vertices))

        def find(v: int) -> int:
            while parent[v] != v:
                parent[v] = parent[parent[v]]
                v = parent[v]
            return v

        for a, b in zip(self.outputs, other.inputs, strict=True):
            parent[find(a)] = find(b + shift)
        roots = sorted({find(v) for v in range(len(parent))})
        number = {root: at for at, root in enumerate(roots)}

        def at(v: int) -> int:
            return number[find(v)]

        edges = [(at(a), at(b)) for a, b in self.edges]
        edges += [(at(a + shift), at(b + shift)) for a, b in other.edges]
        outputs = tuple(at(v + shift) for v in other.outputs)
        return Bilabelled(len(roots), tuple(edges), outputs, tuple(at(v) for v in self.inputs))

    def __matmul__(self, other: Bilabelled) -> Bilabelled:
        """The two side by side."""
        shift = self.vertices
        edges = (*self.edges, *((a + shift, b + shift) for a, b in other.edges))
        rows = [(*mine, *(v + shift for v in theirs)) for mine, theirs in
                ((self.outputs, other.outputs), (self.inputs, other.inputs))]  # fmt: skip
        return Bilabelled(shift + other.vertices, edges, rows[0], rows[1])

    def dagger(self) -> Bilabelled:
        """Outputs and inputs exchanged; its matrix is the transpose."""
        return Bilabelled(self.vertices, self.edges, self.inputs, self.outputs)

    def orbits(self, wire: Wire) -> Sum:
        """The sum of orbits with the same matrix on a space of `Aut`.  Raises: CatnnError (E0405) where it is too long.

        >>> from catnn.category.wires import Group
        >>> print(ADJACENCY.orbits(Wire("V", Group("Aut(3, 0-1 1-2)", 3))))
        [1 -> 0] + [0 -> 1]
        """
        family = permuted(wire)
        assert isinstance(family, Automorphisms)
        source, target = (wire,) * len(self.inputs), (wire,) * len(self.outputs)
        rest = Diagram((), (), ())
        pairs = []
        for part in family.orbits(len(source), len(target)):
            count = counted(family, self, part.points)
            if count:
                pairs.append((Scalar.of(count), joined(rest, source, target, part.points)))
        return linear(source, target, pairs)

    def matrix(self, family: Automorphisms) -> NDArray[numpy.int64]:
        """The numbers of homomorphisms, as slow as it is simple: every map of the vertices is tried."""
        import numpy

        n, l, k = family.n, len(self.outputs), len(self.inputs)
        result = numpy.zeros((n,) * (l + k), dtype=numpy.int64)
        for images in product(range(n), repeat=self.vertices):
            if all((images[a], images[b]) in family.adjacency for a, b in self.edges):
                result[tuple(images[v] for v in (*self.outputs, *self.inputs))] += 1
        return result.reshape(n**l, n**k)


ADJACENCY = Bilabelled(2, ((0, 1),), (0,), (1,))
"""The box A: one edge, from the output to the input."""


def counted(family: Automorphisms, graph: Bilabelled, points: Point) -> int:
    """How many homomorphisms carry the labels, outputs first, to these points.

    Raises: CatnnError (E0405) where there are too many maps to look at.
    """
    images: list[int | None] = [None] * graph.vertices
    for vertex, point in zip((*graph.outputs, *graph.inputs), points, strict=True):
        if images[vertex] not in (None, point):
            return 0
        images[vertex] = point
    free = [v for v in range(graph.vertices) if images[v] is None]
    if family.n ** len(free) > MOST_MAPS:
        raise fail("E0405", f"a pattern with {len(free)} letters to sum over has {family.n}^{len(free)} maps",
                   notes=(f"the limit is {MOST_MAPS:,}, counted, not tried",))  # fmt: skip
    heads: list[list[int]] = [[] for _ in range(graph.vertices)]
    tails: list[list[int]] = [[] for _ in range(graph.vertices)]
    for a, b in graph.edges:
        known = images[a], images[b]
        if None not in known and known not in family.adjacency:
            return 0
        heads[a].append(b)
        tails[b].append(a)
    out, into = family.neighbours
    every = frozenset(range(family.n))

    def extend(at: int) -> int:
        if at == len(free):
            return 1
        vertex, able = free[at], every
        for other in heads[vertex]:
            image = images[other]
            if image is not None:
                able &= into[image]
        for other in tails[vertex]:
            image = images[other]
            if image is not None:
                able &= out[image]
        if vertex in heads[vertex]:
            able = frozenset(p for p in able if (p, p) in family.adjacency)
        if at == len(free) - 1:
            return len(able)
        found = 0
        for point in able:
            images[vertex] = point
            found += extend(at + 1)
        images[vertex] = None
        return found

    return extend(0)


def bilabelled_graphs(vertices: int, k: int, l: int) -> Iterator[Bilabelled]:
    """All undirected ones with at most so many vertices, without loops; many of them have equal matrices."""
    for count in range(vertices + 1):
        pairs = list(combinations(range(count), 2))
        for labels in product(range(count), repeat=k + l):
            for size in range(len(pairs) + 1):
                for edges in combinations(pairs, size):
                    yield Bilabelled(count, edges, labels[:l], labels[l:])
