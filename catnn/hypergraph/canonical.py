"""The canonical form of a hypergraph: refinement of partitions, then a search among what it cannot tell apart.

Source: Hopcroft's refinement (all parts but the largest are splitters), which takes O(m log n); the search tree with
pruning by automorphisms is that of McKay and Piperno, Practical graph isomorphism II (arXiv 1301.1493), section 2.
Closed components are brought to canonical form one by one, so that equal ones cost no search.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from catnn.diagnostics import fail
from catnn.hypergraph.graph import Hypergraph, Node, _find, _union

MOST_WORK = 1_000_000
"""So many elements are looked at in a search before a hypergraph is called too symmetric: a second or two."""

Code = tuple[Any, ...]
Order = tuple[list[int], list[int]]
"""Vertices and boxes in canonical order."""


def code(graph: Hypergraph) -> Code:
    """Equal for isomorphic hypergraphs alone.  Raises: CatnnError (E0415)."""
    return _solve(graph)[0]


def canonical(graph: Hypergraph) -> Hypergraph:
    """The same hypergraph with vertices and boxes in canonical order; exchangeable legs ascend."""
    vertices, boxes = _solve(graph)[1]
    new = {old: at for at, old in enumerate(vertices)}
    nodes = []
    for at in boxes:
        box, inputs, outputs = graph.nodes[at]
        left, right = tuple(new[v] for v in inputs), tuple(new[v] for v in outputs)
        nodes.append(Node(box, *_arranged(graph.nodes[at], left, right)))
    wires = tuple(graph.wires[old] for old in vertices)
    ins, outs = (tuple(new[v] for v in row) for row in (graph.ins, graph.outs))
    return Hypergraph(graph.source, graph.target, wires, tuple(nodes), ins, outs)


def isomorphism(one: Hypergraph, other: Hypergraph) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """For each vertex and each box of one hypergraph, the one that it is in another that equals it."""
    maps = []
    for mine, theirs in zip(_solve(one)[1], _solve(other)[1], strict=True):
        found = [0] * len(mine)
        for a, b in zip(mine, theirs, strict=True):
            found[a] = b
        maps.append(tuple(found))
    vertices, boxes = maps
    return vertices, boxes


def _solve(graph: Hypergraph) -> tuple[Code, Order]:
    """The code of the whole and its order: what hangs on the ends first, then closed components, loops last."""
    pieces = list(_components(graph))
    solved = [_Piece(graph, *piece).solve() for piece in pieces]
    closed = sorted(solved[1:], key=lambda pair: pair[0])
    touched = {v for vertices, _ in pieces for v in vertices}
    loops = sorted((v for v in range(len(graph.wires)) if v not in touched), key=lambda v: (_wire(graph, v), v))
    counted = tuple(sorted(Counter(_wire(graph, v) for v in loops).items()))
    words = tuple(tuple(f"{w}:{w.group}" for w in word) for word in (graph.source, graph.target))
    vertices = [v for _, (order, _) in (solved[0], *closed) for v in order] + loops
    boxes = [b for _, (_, order) in (solved[0], *closed) for b in order]
    return (words, solved[0][0], tuple(found for found, _ in closed), counted), (vertices, boxes)


def _wire(graph: Hypergraph, vertex: int) -> str:
    return f"{graph.wires[vertex]}:{graph.wires[vertex].group}"


def _components(graph: Hypergraph) -> Iterator[tuple[list[int], list[int]]]:
    """Vertices and boxes: first of everything that hangs on the ends, then of each closed component."""
    n = len(graph.wires)
    parent = list(range(n + len(graph.nodes) + 1))
    hub = n + len(graph.nodes)
    for vertex in (*graph.ins, *graph.outs):
        _union(parent, vertex, hub)
    for at, (_, inputs, outputs) in enumerate(graph.nodes):
        for vertex in (*inputs, *outputs):
            _union(parent, vertex, n + at)
    found: dict[int, tuple[list[int], list[int]]] = {_find(parent, hub): ([], [])}
    attached = {*graph.ins, *graph.outs, *(v for node in graph.nodes for v in (*node.inputs, *node.outputs))}
    for vertex in sorted(attached):
        found.setdefault(_find(parent, vertex), ([], []))[0].append(vertex)
    for at in range(len(graph.nodes)):
        found.setdefault(_find(parent, n + at), ([], []))[1].append(at)
    yield from found.values()


def _arranged(node: Node, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Exchangeable legs in ascending order."""
    left = tuple(sorted(inputs)) if node.box.free_inputs else inputs
    return left, tuple(sorted(outputs)) if node.box.free_outputs else outputs


@dataclass
class _Cells:
    """An ordered partition: the cell of each element, and the elements of each cell."""

    of: list[int]
    members: list[set[int]]

    def copy(self) -> _Cells:
        return _Cells(self.of.copy(), [cell.copy() for cell in self.members])


class _Piece:
    """A part of a hypergraph whose elements, vertices and then boxes, are numbered by themselves."""

    def __init__(self, graph: Hypergraph, vertices: list[int], boxes: list[int]) -> None:
        self.graph, self.vertices, self.boxes = graph, vertices, boxes
        number = {v: at for at, v in enumerate(vertices)}
        n = len(vertices)
        self.nodes = [
            Node(box, tuple(number[v] for v in inputs), tuple(number[v] for v in outputs))
            for box, inputs, outputs in (graph.nodes[at] for at in boxes)
        ]
        self.ins = tuple(number[v] for v in graph.ins if v in number)
        self.outs = tuple(number[v] for v in graph.outs if v in number)
        self.near: list[list[tuple[int, int]]] = [[] for _ in range(n + len(boxes))]
        for at, (box, inputs, outputs) in enumerate(self.nodes, n):
            for side, row, free in ((0, inputs, box.free_inputs), (1, outputs, box.free_outputs)):
                for port, vertex in enumerate(row):
                    label = side if free else 2 * port + side
                    self.near[vertex].append((at, label))
                    self.near[at].append((vertex, label))
        self.work = 0
        self.automorphisms: list[dict[int, int]] = []

    @cached_property
    def colours(self) -> list[tuple[Any, ...]]:
        """What is seen of each element at once: its space and its ends, or its box."""
        ends: list[list[list[int]]] = [[[], []] for _ in self.vertices]
        for side, row in enumerate((self.ins, self.outs)):
            for position, vertex in enumerate(row):
                ends[vertex][side].append(position)
        keys = {id(box): box.key for box in {id(node.box): node.box for node in self.nodes}.values()}
        seen: list[tuple[Any, ...]] = [
            (0, _wire(self.graph, v), tuple(sides[0]), tuple(sides[1]))
            for v, sides in zip(self.vertices, ends, strict=True)
        ]
        return [*seen, *((1, *keys[id(node.box)]) for node in self.nodes)]

    def solve(self) -> tuple[Code, Order]:
        """The code and the order of its elements."""
        numbers = {colour: at for at, colour in enumerate(sorted(set(self.colours)))}
        cells = _Cells([numbers[colour] for colour in self.colours], [set() for _ in numbers])
        for element, cell in enumerate(cells.of):
            cells.members[cell].add(element)
        self.refine(cells, range(len(cells.members)))
        found, order = self.search(cells)
        n = len(self.vertices)
        ranked = sorted(range(len(order)), key=order.__getitem__)
        return found, ([self.vertices[e] for e in ranked if e < n], [self.boxes[e - n] for e in ranked if e >= n])

    def refine(self, cells: _Cells, first: range | tuple[int, ...]) -> None:
        """Split cells until the elements of each have the same neighbours, cell by cell and leg by leg."""
        queue = deque(first)
        waiting = set(queue)
        of, members, near = cells.of, cells.members, self.near
        while queue:
            splitter = queue.popleft()
            waiting.discard(splitter)
            seen: dict[int, list[int]] = {}
            for element in members[splitter]:
                for other, label in near[element]:
                    seen.setdefault(other, []).append(label)
            touched: dict[int, list[int]] = {}
            for element in seen:
                if len(members[of[element]]) > 1:
                    touched.setdefault(of[element], []).append(element)
            for cell in sorted(touched):
                groups: dict[tuple[int, ...], list[int]] = {}
                for element in touched[cell]:
                    groups.setdefault(tuple(sorted(seen[element])), []).append(element)
                rest = len(members[cell]) - len(touched[cell])
                if not rest and len(groups) == 1:
                    continue
                sizes = [((), rest), *((key, len(groups[key])) for key in sorted(groups))]
                keeper = max(sizes, key=lambda pair: pair[1])[0]  # the first of the largest
                if keeper != ():
                    groups[()] = [e for e in members[cell] if e not in seen] if rest else []
                for key in sorted(groups):
                    if key == keeper or not groups[key]:
                        continue
                    new = len(members)
                    members.append(set(groups[key]))
                    members[cell] -= members[new]
                    for element in groups[key]:
                        of[element] = new
                    queue.append(new)
                    waiting.add(new)

    # -------------------------------------------------------------------------------------------------- the search

    def search(self, cells: _Cells) -> tuple[Code, list[int]]:
        """The least code below a node of the search tree, and the labelling that gives it."""
        target = self.target(cells)
        if target is None:
            return self.leaf(cells)
        children = sorted(cells.members[target])
        start = len(self.automorphisms)
        best = self.search(self.chosen(cells, target, children[0]))
        known = {best[0]: best[1]}
        orbit = {child: child for child in children}
        for child in children[1:]:
            for moved in self.automorphisms[start:]:  # they fix what was chosen above, so they act on the children
                _join_orbits(orbit, moved)
            start = len(self.automorphisms)
            if orbit[child] < child:
                continue
            below = self.chosen(cells, target, child)
            first = self.leftmost(below)
            if first[0] in known:
                moved = _automorphism(known[first[0]], first[1])
                self.automorphisms.append(moved)
                _join_orbits(orbit, moved)
                if orbit[child] < child:
                    continue
            found = self.search(below)
            known.setdefault(found[0], found[1])
            best = min(best, found, key=lambda pair: pair[0])
        return best

    def target(self, cells: _Cells) -> int | None:
        """The first cell of several elements that are no twins; twins are put in any order on the way."""
        for cell in range(len(cells.members)):
            while len(cells.members[cell]) > 1:
                if not self.are_twins(cells.members[cell]):
                    return cell
                self.split(cells, cell, min(cells.members[cell]))
        return None

    def are_twins(self, members: set[int]) -> bool:
        """Whether all have the same neighbours at the same legs: then every order of them gives one code."""
        first, *others = (sorted(self.near[element]) for element in members)
        return all(near == first for near in others)

    def split(self, cells: _Cells, cell: int, element: int) -> None:
        cells.members[cell].discard(element)
        cells.of[element] = len(cells.members)
        cells.members.append({element})

    def chosen(self, cells: _Cells, cell: int, element: int) -> _Cells:
        """A copy in which an element has a cell of its own, refined."""
        self.work += len(cells.of)
        if self.work > MOST_WORK:
            message = f"a diagram of {len(self.nodes)} boxes has too many symmetries to be compared"
            raise fail("E0415", message, notes=("more renumberings would have to be tried than the limit allows",))
        copied = cells.copy()
        self.split(copied, cell, element)
        self.refine(copied, (len(copied.members) - 1,))
        return copied

    def leftmost(self, cells: _Cells) -> tuple[Code, list[int]]:
        """The first leaf below a node."""
        target = self.target(cells)
        while target is not None:
            cells = self.chosen(cells, target, min(cells.members[target]))
            target = self.target(cells)
        return self.leaf(cells)

    def leaf(self, cells: _Cells) -> tuple[Code, list[int]]:
        """The code of a discrete partition; the cells are the labels."""
        rank = {cell: at for at, cell in enumerate(sorted(cells.of))}
        label = [rank[cell] for cell in cells.of]
        rows = []
        for node in self.nodes:
            left, right = tuple(label[v] for v in node.inputs), tuple(label[v] for v in node.outputs)
            rows.append((node.box.key, *_arranged(node, left, right)))
        wires = tuple(sorted((label[at], _wire(self.graph, v)) for at, v in enumerate(self.vertices)))
        ends = tuple(tuple(label[v] for v in row) for row in (self.ins, self.outs))
        return (ends, wires, tuple(sorted(rows))), label


def _automorphism(one: list[int], other: list[int]) -> dict[int, int]:
    """Two labellings of one code: what moves, and where to."""
    at = {label: element for element, label in enumerate(one)}
    return {element: at[label] for element, label in enumerate(other) if at[label] != element}


def _join_orbits(orbit: dict[int, int], moved: dict[int, int]) -> None:
    """Elements that an automorphism exchanges are in one orbit, which is named by its least."""
    for element, image in moved.items():
        if element in orbit and image in orbit and orbit[element] != orbit[image]:
            least, other = sorted((orbit[element], orbit[image]))
            for key, value in orbit.items():
                if value == other:
                    orbit[key] = least
