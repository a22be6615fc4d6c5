"""Matching: every place where the left side of a rule occurs in a diagram, as a context with a hole there.

Double-pushout rewriting of hypergraphs with interfaces: a vertex inside the left side takes all ends of its image, one
on its boundary leaves the rest of them to the context.  Between spiders any pushout complement is a context; of the
many that a boundary vertex with several ends allows, those come first in which inputs stay inputs.  Between plain
wires a match is injective and convex.  Source: Bonchi, Gadducci, Kissinger, Sobocinski, Zanasi, String diagram
rewrite theory I (arXiv 2012.01847), sections 3-4, and II (arXiv 2104.14686), section 4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import islice, permutations, product

from catnn.category.wires import Wire
from catnn.hypergraph.box import Box, ends_fault, structure
from catnn.hypergraph.graph import Hypergraph, Node
from catnn.rewrite.context import End, Match, Parted

MOST_ORDERS = 720
"""At most so many orders of exchangeable legs are tried."""

MOST_SPLITS = 24
"""At most so many ways to share the ends of one vertex are tried."""


@dataclass(slots=True)
class Effort:
    """How much looking is left; matching stops where it is used up.

    whole: of what this is a part, so that what is spent here is spent there.
    """

    left: int = 500_000
    whole: Effort | None = None

    def spend(self, units: int = 1) -> bool:
        """Take some units, of a few microseconds each; False when there are none."""
        self.left -= units
        if self.whole is not None:
            self.whole.left -= units
        return self.left >= 0

    def part(self, divisor: int, most: int) -> Effort:
        """A part of what is left, so that one rule alone cannot use up everything."""
        return Effort(max(min(self.left // divisor, most), 0), self)


class Index:
    """A diagram prepared for matching: its boxes by name and type, and the ends at each vertex."""

    def __init__(self, graph: Hypergraph) -> None:
        self.graph = graph
        self.by_box: dict[Box, list[int]] = {}
        self.ends: list[list[End]] = [[] for _ in graph.wires]
        for row, vertices in enumerate((graph.ins, graph.outs)):
            for place, vertex in enumerate(vertices):
                self.ends[vertex].append((-1, row, place))
        for at, node in enumerate(graph.nodes):
            self.by_box.setdefault(node.box, []).append(at)
            for row, vertices in enumerate((node.inputs, node.outputs)):
                for place, vertex in enumerate(vertices):
                    self.ends[vertex].append((at, row, place))

    def has(self, left: Hypergraph, times: int = 1) -> bool:
        """Whether there are as many boxes of each name and type as some copies of a left side have."""
        return all(len(self.by_box.get(box, ())) >= times * count for box, count in Counter(left.boxes).items())


def matches(
    left: Hypergraph,
    index: Index,
    effort: Effort | None = None,
    *,
    kind: Callable[[Wire], str] = structure,
) -> Iterator[Match]:
    """Every occurrence of a left side, in a fixed order, while there is effort left.

    kind: how wires of a space meet; `lambda wire: "plain"` asks for the matches of a symmetric monoidal category.
    """
    if index.has(left):
        yield from _Matcher(left, index, effort or Effort(), kind).run()


def apart(left: Hypergraph, index: Index, effort: Effort) -> list[Match]:
    """Occurrences without a common box, none of which keeps another from being replaced at the same time.

    Of a left side all of whose vertices hang on boxes, on wires that are spiders or bends.
    """
    if not index.has(left):
        return []
    return list(_Matcher(left, index, effort, structure, apart=True).run())


def together(found: Sequence[Match], left: Hypergraph) -> Match:
    """Occurrences that are apart as one of as many copies side by side, which `left` are.

    What hangs on a vertex of several of them is in them or stays with the first leg of the hole there.
    """
    one = found[0].left
    legs = len(one.ins), len(one.outs)
    parted = tuple(
        ((box, row, place + at * legs[row]), share)
        for at, match in enumerate(found)
        for (box, row, place), share in match.parted
    )
    nodes = tuple(node for match in found for node in match.nodes)
    vertices = tuple(vertex for match in found for vertex in match.vertices)
    return Match(found[0].graph, left, nodes, vertices, parted)


class _Matcher:
    """apart: whether only occurrences are wanted that can be replaced at the same time."""

    def __init__(
        self, left: Hypergraph, index: Index, effort: Effort, kind: Callable[[Wire], str], *, apart: bool = False
    ) -> None:
        self.left, self.index, self.effort, self.kind, self.apart = left, index, effort, kind, apart
        self.taken, self.shared, self.alone = set[int](), set[int](), set[int]()
        self.pattern = Index(left)
        self.bound = [sum(1 for box, _, _ in ends if box < 0) for ends in self.pattern.ends]
        self.nodes, self.vertices = dict[int, int](), dict[int, int]()
        self.used, self.held = set[int](), set[int]()  # the boxes that are taken, and the vertices of plain wires
        self.order = self.plan() if effort.spend(len(left.nodes) // 4) else []

    def plan(self) -> list[int]:
        """The boxes of the left side: a rarest one first, then those that hang on what is placed."""
        nodes, placed, order = self.left.nodes, set[int](), dict[int, None]()
        rarity = [len(self.index.by_box.get(node.box, ())) for node in nodes]
        hanging = [0] * len(nodes)  # how many vertices of a box are placed
        queue = sorted((0, rarity[at], at) for at in range(len(nodes)))
        while queue:
            at = heappop(queue)[2]
            if at in order:
                continue
            order[at] = None
            for vertex in {*nodes[at].inputs, *nodes[at].outputs} - placed:
                placed.add(vertex)
                for other in {box for box, _, _ in self.pattern.ends[vertex] if box >= 0}:
                    hanging[other] += 1
                    if other not in order:
                        heappush(queue, (-hanging[other], rarity[other], other))
        return [*order]

    def run(self) -> Iterator[Match]:
        """Depth first, on a stack of our own; what is placed is in `nodes` and `vertices`."""
        if len(self.order) < len(self.left.nodes):  # too little effort is left to begin
            return
        stack = [self.children(0)]
        while stack:
            if not next(stack[-1], False):
                stack.pop()
                continue
            if not self.effort.spend():
                return
            if self.nodes[self.order[len(stack) - 1]] in self.taken:
                continue
            if len(stack) < len(self.order):
                stack.append(self.children(len(stack)))
            elif not self.apart:
                yield from self.complete()
            elif self.is_apart():
                match = next(self.complete(), None)
                if match is not None:
                    self.take(match)
                    del stack[1:]  # whatever has these boxes
                    for placed in (self.nodes, self.used, self.vertices, self.held):
                        placed.clear()
                    yield match
        if not self.order:
            yield from self.complete()

    def is_apart(self) -> bool:
        """Whether nothing else is at a vertex whose ends have to be shared among legs of the hole."""
        alone = {at for vertex, at in self.vertices.items() if self.bound[vertex] > 1}
        return not alone & self.shared and not self.alone.intersection(self.vertices.values())

    def take(self, match: Match) -> None:
        """Leave an occurrence to itself from now on."""
        self.taken.update(match.nodes)
        self.shared.update(match.vertices)
        self.alone.update(at for vertex, at in enumerate(match.vertices) if self.bound[vertex] > 1)

    def children(self, depth: int) -> Iterator[bool]:
        """The ways to place the next box; each is undone when the next one is asked for."""
        if depth == len(self.order):
            return
        at = self.order[depth]
        node = self.left.nodes[at]
        for image in self.candidates(node):
            if image in self.used or self.index.graph.nodes[image].box != node.box:
                continue
            for _ in self.legs(node, self.index.graph.nodes[image]):
                self.nodes[at] = image
                self.used.add(image)
                yield True
                self.nodes.pop(at, None)
                self.used.discard(image)

    def candidates(self, node: Node) -> list[int]:
        """The boxes at the image of a placed leg, else all boxes of that name."""
        best: list[int] | None = None
        for row, legs in enumerate((node.inputs, node.outputs)):
            free = node.box.free_outputs if row else node.box.free_inputs
            for place, vertex in enumerate(legs):
                if vertex in self.vertices:
                    ends = self.index.ends[self.vertices[vertex]]
                    found = [box for box, side, port in ends if box >= 0 and side == row and (free or port == place)]
                    if best is None or len(found) < len(best):
                        best = found
        if best is None:
            return self.index.by_box.get(node.box, [])
        return list(dict.fromkeys(best))

    def legs(self, node: Node, image: Node) -> Iterator[bool]:
        """The ways to place the vertices at the legs of a box: several where legs may be exchanged."""
        rows = []
        for mine, theirs, free in (
            (node.inputs, image.inputs, node.box.free_inputs),
            (node.outputs, image.outputs, node.box.free_outputs),
        ):
            orders = dict.fromkeys(islice(permutations(theirs), MOST_ORDERS)) if free else (theirs,)
            rows.append([tuple(zip(mine, order, strict=True)) for order in orders])
        seen: set[frozenset[tuple[int, int]]] = set()
        for inputs, outputs in product(*rows):
            if not self.effort.spend():
                return
            pairs, new = (*inputs, *outputs), list[int]()
            if all(self.fits(vertex, at, new) for vertex, at in pairs):
                key = frozenset(pairs)
                if key not in seen:
                    seen.add(key)
                    yield True
            self.undo(new)

    def fits(self, vertex: int, at: int, new: list[int]) -> bool:
        """Place a vertex, if it can be there; new: what was placed."""
        if vertex in self.vertices:
            return self.vertices[vertex] == at
        graph = self.index.graph
        if graph.wires[at] != self.left.wires[vertex]:
            return False
        if not self.bound[vertex] and len(self.index.ends[at]) != len(self.pattern.ends[vertex]):
            return False
        if self.kind(graph.wires[at]) == "plain":
            if at in self.held:
                return False
            self.held.add(at)
        self.vertices[vertex] = at
        new.append(vertex)
        return True

    def undo(self, new: list[int]) -> None:
        """Take back what was placed."""
        for vertex in new:
            self.held.discard(self.vertices.pop(vertex, -1))

    # ------------------------------------------------------------------------------------------------- the contexts

    def complete(self) -> Iterator[Match]:
        """The contexts of a placement, once vertices that hang on no box are placed as well."""
        bare = [v for v in range(len(self.left.wires)) if v not in self.vertices]
        places = [[at for at, w in enumerate(self.index.graph.wires) if w == self.left.wires[v]] for v in bare]
        for chosen in product(*places):
            if not self.effort.spend():
                return
            new: list[int] = []
            if all(self.fits(v, at, new) for v, at in zip(bare, chosen, strict=True)):
                yield from self.contexts(self.nodes, dict(self.vertices))
            self.undo(new)

    def contexts(self, nodes: dict[int, int], vertices: dict[int, int]) -> Iterator[Match]:
        taken = set(nodes.values())
        if any(self.kind(wire) == "plain" for wire in self.left.wires) and not self.is_convex(taken):
            return
        images: dict[int, list[int]] = {}
        for vertex, at in vertices.items():
            images.setdefault(at, []).append(vertex)
        shares = [self.shares(at, own, taken) for at, own in images.items()]
        boxes = tuple(nodes[at] for at in range(len(nodes)))
        placed = tuple(vertices[v] for v in range(len(vertices)))
        for choice in islice(product(*shares), MOST_SPLITS):
            if not self.effort.spend():
                return
            parted = tuple(pair for option in choice for pair in option)
            yield Match(self.index.graph, self.left, boxes, placed, parted)

    def shares(self, at: int, own: list[int], taken: set[int]) -> list[Parted]:
        """The ways to share the ends outside the match among the legs of the hole at one vertex of the diagram."""
        outside = [end for end in self.index.ends[at] if end[0] not in taken]
        inside = [vertex for vertex in own if not self.bound[vertex]]
        if inside:
            return [()] if not outside and len(own) == 1 else []
        legs = [self.legs_of(vertex) for vertex in own]
        extra = [leg for row in legs for leg in row[1:]]
        together = [row[0] for row in legs]
        if not extra:
            return [()] if self.is_fine(at, together, outside) else []
        if len(outside) < len(extra) + 1:
            return []
        strict = self.kind(self.left.wires[own[0]]) == "plain"
        found = []
        for first, *others in _splits(outside, [together[0], *extra], strict=strict):
            parted = tuple((leg, tuple(share)) for leg, share in zip(extra, others, strict=True))
            if self.is_fine(at, together, first) and all(self.is_fine(at, [leg], share) for leg, share in parted):
                found.append(parted)
        return found

    def is_fine(self, at: int, legs: list[End], share: Sequence[End]) -> bool:
        """Whether some legs of the hole and some ends of the diagram may meet in one vertex."""
        graph, left, count = self.index.graph, self.left, [0, 0]
        for box, row, place in share:
            if box < 0:
                wire, side = (graph.target if row else graph.source)[place], row
            else:
                name = graph.nodes[box].box
                wire, side = (name.target if row else name.source)[place], 1 - row
            count[side ^ wire.dual] += 1
        for _, row, place in legs:  # what the left side reads, the hole reads
            wire = (left.target if row else left.source)[place]
            count[(1 - row) ^ wire.dual] += 1
        return ends_fault(graph.wires[at], *count) is None

    def legs_of(self, vertex: int) -> list[End]:
        """The ends of the left side at one of its vertices, inputs first."""
        return [end for end in self.pattern.ends[vertex] if end[0] < 0]

    def is_convex(self, taken: set[int]) -> bool:
        """Whether no path along plain wires leaves the match and comes back."""
        graph, seen = self.index.graph, set[int]()
        pending = [v for at in taken for v in graph.nodes[at].outputs]
        while pending:
            vertex = pending.pop()
            if self.kind(graph.wires[vertex]) != "plain":
                continue
            for box, row, _ in self.index.ends[vertex]:
                if box < 0 or row == 1 or box in seen:
                    continue
                if box in taken:
                    if seen and self.reached(vertex, seen):
                        return False
                    continue
                seen.add(box)
                pending.extend(graph.nodes[box].outputs)
        return True

    def reached(self, vertex: int, seen: set[int]) -> bool:
        """Whether a vertex is fed by a box outside the match that the match feeds."""
        return any(box in seen and row == 1 for box, row, _ in self.index.ends[vertex])


def _splits(outside: list[End], legs: list[End], *, strict: bool) -> Iterator[list[list[End]]]:
    """Ways to give each leg one end or more: first those where what feeds an input stays with the input.

    strict: whether there are no others.
    """
    count = len(legs)
    feeding = [leg[1] == 0 for leg in legs]

    def suits(choice: tuple[int, ...]) -> int:
        """How many ends are on the side they would be on without spiders."""
        sides = zip(outside, choice, strict=True)
        return sum(feeding[leg] == _feeds(end) for end, leg in sides)

    if len(outside) == count and count > 5:
        choices = [tuple(range(count))]
    else:
        tried = islice(product(range(count), repeat=len(outside)), 4_096 if len(outside) <= 12 else 64)
        choices = [choice for choice in tried if len({*choice}) == count]
    if strict:
        choices = [choice for choice in choices if suits(choice) == len(outside)]
    choices.sort(key=lambda choice: (-suits(choice), choice))
    for choice in choices[:MOST_SPLITS]:
        yield [[end for end, leg in zip(outside, choice, strict=True) if leg == at] for at in range(count)]


def _feeds(end: End) -> bool:
    """Whether an end brings a value to its vertex: an output of a box, an input of the diagram."""
    box, row, _ = end
    return row == (0 if box < 0 else 1)
