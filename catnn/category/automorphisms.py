"""The automorphisms of a small graph, by individualisation and refinement (McKay 1981).

Colours are refined until vertices of one colour see the same colours; where that is not enough a vertex gets a colour
of its own.  The search gives strong generators: for each vertex so marked, one automorphism for every image it has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from catnn.category.permutations import Permutation

MOST_REFINEMENTS = 3_000
"""How much a search may do here; harder graphs go to a library."""

Arcs = Mapping[tuple[int, int], int]
"""(tail, head) -> colour, both directions of an edge."""


class HardGraphError(Exception):
    """A graph whose automorphisms are not found in so many refinements."""


class Search:
    """One search: the graph, and how much it may still do."""

    def __init__(self, n: int, arcs: Arcs, colours: Sequence[int], most: int = MOST_REFINEMENTS) -> None:
        self.n = n
        self.arcs = arcs
        self.colours = tuple(colours)
        self.left = most
        self.out: list[list[tuple[int, int]]] = [[] for _ in range(n)]
        self.into: list[list[tuple[int, int]]] = [[] for _ in range(n)]
        for (tail, head), colour in arcs.items():
            self.out[tail].append((head, colour))
            self.into[head].append((tail, colour))

    def refine(self, colours: Sequence[int]) -> tuple[int, ...]:
        """Colours after which equal ones see equally many of each; numbered alike in isomorphic situations.

        Raises: HardGraphError once there have been too many of these.
        """
        self.left -= 1
        if self.left < 0:
            raise HardGraphError
        now, count = tuple(colours), len(set(colours))
        while True:
            seen = [
                (
                    now[v],
                    tuple(sorted((c, now[w]) for w, c in self.out[v])),
                    tuple(sorted((c, now[w]) for w, c in self.into[v])),
                )
                for v in range(self.n)
            ]
            number = {key: at for at, key in enumerate(sorted(set(seen)))}
            now = tuple(number[key] for key in seen)
            if len(number) == count:
                return now
            count = len(number)

    def marked(self, colours: Sequence[int], vertex: int) -> tuple[int, ...]:
        """The colours once a vertex has one of its own."""
        return self.refine([2 * c + (v == vertex) for v, c in enumerate(colours)])

    def generators(self) -> tuple[tuple[Permutation, ...], int]:
        """Strong generators of the automorphism group, and its order."""
        path = [self.refine(self.colours)]
        base: list[int] = []
        while len(set(path[-1])) < self.n:
            cell = _smallest_cell(path[-1])
            base.append(cell[0])
            path.append(self.marked(path[-1], cell[0]))
        found: list[Permutation] = []
        order = 1
        for at in reversed(range(len(base))):
            vertex = base[at]
            reached = _orbit(vertex, found)
            for image in (v for v in range(self.n) if path[at][v] == path[at][vertex]):
                if image not in reached:
                    g = self._carrying(path[at:], base[at:], path[at], image)
                    if g is not None:
                        found.append(g)
                        reached = _orbit(vertex, found)
            order *= len(reached)
        return tuple(found), order

    def _carrying(
        self, path: list[tuple[int, ...]], base: list[int], there: tuple[int, ...], image: int
    ) -> Permutation | None:
        """An automorphism that takes the colours path[0] to `there` and the next base point to the image, or None."""
        after = self.marked(there, image)
        if sorted(after) != sorted(path[1]):
            return None
        if len(path) == 2:
            at = {colour: v for v, colour in enumerate(after)}
            g = tuple(at[colour] for colour in path[1])
            return g if self._is_automorphism(g) else None
        colour = path[1][base[1]]
        for candidate in (v for v in range(self.n) if after[v] == colour):
            found = self._carrying(path[1:], base[1:], after, candidate)
            if found is not None:
                return found
        return None

    def _is_automorphism(self, g: Permutation) -> bool:
        kept = all(self.colours[i] == self.colours[j] for i, j in enumerate(g))
        return kept and all(self.arcs.get((g[a], g[b])) == colour for (a, b), colour in self.arcs.items())


def _smallest_cell(colours: Sequence[int]) -> list[int]:
    cells: dict[int, list[int]] = {}
    for vertex, colour in enumerate(colours):
        cells.setdefault(colour, []).append(vertex)
    return min((cell for cell in cells.values() if len(cell) > 1), key=lambda cell: (len(cell), cell))


def _orbit(point: int, generators: Sequence[Permutation]) -> set[int]:
    seen, pending = {point}, [point]
    while pending:
        here = pending.pop()
        for g in generators:
            if g[here] not in seen:
                seen.add(g[here])
                pending.append(g[here])
    return seen


def by_library(n: int, arcs: Arcs, colours: Sequence[int]) -> tuple[Permutation, ...]:
    """The same by BLISS, which igraph brings: every arc becomes a coloured vertex, as BLISS knows no colours of edges.

    Raises: ImportError where igraph is not installed.
    """
    import igraph

    kinds = list(colours)
    edges: list[tuple[int, int]] = []
    most = max(colours, default=0) + 1
    for (tail, head), colour in sorted(arcs.items()):
        first = len(kinds)
        kinds += [most + 2 * colour, most + 2 * colour + 1]
        edges += [(tail, first), (first, first + 1), (first + 1, head)]
    graph = igraph.Graph(n=len(kinds), edges=edges)
    found = graph.automorphism_group(color=kinds)
    return tuple(dict.fromkeys(tuple(g[:n]) for g in found))


def automorphisms(n: int, arcs: Arcs, colours: Sequence[int]) -> tuple[tuple[Permutation, ...], int | None]:
    """Generators of the automorphism group, and its order if known: found here, or where that is too much, by igraph.

    Raises: ImportError where the graph needs igraph and that is not installed.

    >>> square = {(i, (i + d) % 4): 0 for i in range(4) for d in (1, 3)}
    >>> automorphisms(4, square, (0, 0, 0, 0))
    (((0, 3, 2, 1), (1, 0, 3, 2)), 8)
    """
    try:
        return Search(n, arcs, colours).generators()
    except HardGraphError:
        return by_library(n, arcs, colours), None
