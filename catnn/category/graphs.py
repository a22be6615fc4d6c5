"""Aut(graph): the automorphisms of a graph, whose diagrams are orbits, or the bilabelled graphs that span the same.

A graph is a value: its vertices 0..n-1, lists of edges, and cells of vertices.  Each list and each cell is kept by the
group, so several lists are colours of edges and several cells colours of vertices.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from catnn.category.automorphisms import automorphisms
from catnn.category.orbital import Permuted
from catnn.category.permutations import Stabiliser, schreier_sims
from catnn.diagnostics import fail

MOST_EDGES = 50_000
"""How many arcs a graph may have."""


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge between two vertices; directed: from the first to the second alone."""

    tail: int
    head: int
    directed: bool = False

    def __str__(self) -> str:
        return f"{self.tail}{'->' if self.directed else '-'}{self.head}"


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph with coloured edges and vertices; edges: a list a colour; cells: sets of vertices that are kept.

    >>> print(Graph(3, ((Edge(0, 1), Edge(2, 1)),), ((1,),)))
    3, 0-1 1-2, {1}
    """

    n: int
    edges: tuple[tuple[Edge, ...], ...] = ()
    cells: tuple[tuple[int, ...], ...] = ()

    def __post_init__(self) -> None:
        lists = (tuple(sorted(set(map(_ordered, one)), key=_key)) for one in self.edges)
        object.__setattr__(self, "edges", tuple(one for one in lists if one))
        object.__setattr__(self, "cells", tuple(tuple(sorted(set(cell))) for cell in self.cells if cell))

    def __str__(self) -> str:
        lists = [" ".join(map(str, edges)) for edges in self.edges]
        cells = ["{" + " ".join(map(str, cell)) + "}" for cell in self.cells]
        return ", ".join([str(self.n), *lists, *cells])

    def arcs(self) -> dict[tuple[int, int], int]:
        """(tail, head) -> the colour, a number for the set of lists that the arc is in."""
        found: dict[tuple[int, int], set[int]] = {}
        for at, edges in enumerate(self.edges):
            for edge in edges:
                found.setdefault((edge.tail, edge.head), set()).add(at)
                if not edge.directed:
                    found.setdefault((edge.head, edge.tail), set()).add(at)
        number: dict[tuple[int, ...], int] = {key: at for at, key in enumerate(sorted({*map(_sorted, found.values())}))}
        return {arc: number[_sorted(lists)] for arc, lists in sorted(found.items())}

    def colours(self) -> tuple[int, ...]:
        """For each vertex a number for the set of cells that it is in."""
        kinds = [tuple(at for at, cell in enumerate(self.cells) if v in cell) for v in range(self.n)]
        number = {key: at for at, key in enumerate(sorted(set(kinds)))}
        return tuple(number[kind] for kind in kinds)


def _sorted(lists: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(lists))


def _ordered(edge: Edge) -> Edge:
    return edge if edge.directed or edge.tail <= edge.head else Edge(edge.head, edge.tail)


def _key(edge: Edge) -> tuple[int, int, bool]:
    return edge.tail, edge.head, edge.directed


class Automorphisms(Permuted):
    """Aut(graph) on R^n, n the number of vertices; `adj` is the adjacency matrix, A[i,j] = 1 where i -> j.

    >>> C5 = Automorphisms(Graph(5, (tuple(Edge(i, (i + 1) % 5) for i in range(5)),)))
    >>> C5.order, C5.dim(1, 1, 5), C5.dim(1, 2, 5)
    (10, 3, 13)
    """

    title = "the automorphisms of a graph"
    generators = Permuted.generators | {"adj"}
    law = "the diagrams of Aut(graph) are the orbits of its automorphisms; bilabelled graphs are sums of them"

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        super().__init__(graph.n, ())

    def _spelling(self) -> str:
        return f"Aut({self.graph})"

    @cached_property
    def group(self) -> Stabiliser:
        """The group itself.  Raises: CatnnError (E0211) for a graph too hard for the search, without igraph."""
        try:
            moves, order = automorphisms(self.n, self.graph.arcs(), self.graph.colours())
        except ImportError:
            raise fail(
                "E0211",
                "the automorphisms of this graph need a library that is not installed",
                notes=("the search that comes with catnn gives up on graphs as regular as this one",),
                helps=("install igraph, which brings BLISS: `pip install 'catnn[graphs]'`",),
            ) from None
        return Stabiliser(schreier_sims(self.n, moves, order))

    @cached_property
    def adjacency(self) -> frozenset[tuple[int, int]]:
        """The pairs (i, j) with an edge from i to j."""
        return frozenset(self.graph.arcs())

    @cached_property
    def neighbours(self) -> tuple[tuple[frozenset[int], ...], tuple[frozenset[int], ...]]:
        """For each vertex those it points to, and those that point to it."""
        out: list[set[int]] = [set() for _ in range(self.n)]
        into: list[set[int]] = [set() for _ in range(self.n)]
        for tail, head in self.adjacency:
            out[tail].add(head)
            into[head].add(tail)
        return tuple(map(frozenset, out)), tuple(map(frozenset, into))


# ------------------------------------------------------------------------------------------------------------ reading


PERM = re.compile(r"Perm\(([1-9][0-9]{0,3})((?:, (?:\([0-9]+(?: [0-9]+)+\))+)*)\)")
AUT = re.compile(r"Aut\(([1-9][0-9]{0,3})((?:, [0-9>{} -]+)*)\)")
EDGE = re.compile(r"([0-9]+)(-|->)([0-9]+)")


def parametrised(key: str) -> Permuted | None:
    """The family that spells itself so, or None.

    >>> parametrised("Perm(3, (0 1 2))").order, parametrised("Aut(3, 0-1 1-2)").order, parametrised("S")
    (3, 2, None)
    """
    from catnn.category.permutations import from_cycles

    if found := PERM.fullmatch(key):
        n = int(found[1])
        moves = []
        for text in filter(None, found[2].split(", ")):
            cycles = [tuple(map(int, cycle.split())) for cycle in re.findall(r"\(([0-9 ]+)\)", text)]
            if cycle_fault(n, cycles) is not None:
                return None
            moves.append(from_cycles(n, cycles))
        family: Permuted = Permuted(n, moves)
    elif found := AUT.fullmatch(key):
        graph = _graph(int(found[1]), filter(None, found[2].split(", ")))
        if graph is None or graph_fault(graph) is not None:
            return None
        family = Automorphisms(graph)
    else:
        return None
    return family if family.key == key else None


def _graph(n: int, arguments: Iterable[str]) -> Graph | None:
    edges: list[tuple[Edge, ...]] = []
    cells: list[tuple[int, ...]] = []
    for text in arguments:
        if text.startswith("{") and text.endswith("}") and all(map(str.isdigit, text[1:-1].split())):
            cells.append(tuple(map(int, text[1:-1].split())))
            continue
        found = [EDGE.fullmatch(one) for one in text.split(" ")]
        if not all(found):
            return None
        edges.append(tuple(Edge(int(m[1]), int(m[3]), m[2] == "->") for m in found if m))
    return Graph(n, tuple(edges), tuple(cells))


def cycle_fault(n: int, cycles: Iterable[tuple[int, ...]]) -> str | None:
    """Why cycles are no permutation of 0..n-1, or None."""
    seen = set[int]()
    for cycle in cycles:
        for point in cycle:
            if point >= n:
                return f"{point} is no point of 0 to {n - 1}"
            if point in seen:
                return f"{point} stands twice"
            seen.add(point)
    return None


def graph_fault(graph: Graph) -> str | None:
    """Why a graph has no such vertices, or too many edges; or None."""
    for vertex in _vertices(graph):
        if vertex >= graph.n:
            return f"{vertex} is no vertex of 0 to {graph.n - 1}"
    if sum(map(len, graph.edges)) > MOST_EDGES:
        return f"a graph has at most {MOST_EDGES:,} edges"
    return None


def _vertices(graph: Graph) -> Iterator[int]:
    for edges in graph.edges:
        for edge in edges:
            yield from (edge.tail, edge.head)
    for cell in graph.cells:
        yield from cell
