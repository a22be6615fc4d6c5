"""A diagram with boxes as a picture: boxes with their names, spiders as dots, bends as arcs, closed loops as circles.

The layout is that of `catnn.view.layering`, in which the diagram runs upwards; other directions turn it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from catnn.category.scalar import ONE
from catnn.category.wires import Wire
from catnn.hypergraph.graph import Hypergraph
from catnn.hypergraph.linear import Combination
from catnn.view import SIDES
from catnn.view.drawing import MARK, Box, Curve, Dot, Drawing, Item, Label, Point, samples, text_width, words
from catnn.view.layering import Layers
from catnn.view.layout import MARGIN, RADIUS, STEP, Styles, styles, summed
from catnn.view.placing import End, Unit

HEIGHT = 26.0
ROW = 40.0
"""The room between two rows."""
LOOP = 11.0


@dataclass(frozen=True, slots=True)
class Marks:
    """What is to be seen as changed: boxes and vertices by number."""

    boxes: frozenset[int] = frozenset()
    vertices: frozenset[int] = frozenset()


def boxes_drawing(
    graph: Hypergraph,
    style: Styles | None = None,
    *,
    inputs: str = "bottom",
    marks: Marks | None = None,
    title: str | None = None,
) -> Drawing:
    """A diagram with boxes; inputs: the side they are on; marks: what is highlighted; title: what is said to be shown.

    Raises: ValueError for another side.
    """
    if inputs not in SIDES:
        raise ValueError(f"inputs={inputs!r}: the inputs are at the {', '.join(map(repr, SIDES))}")
    if not graph.wires and not graph.nodes:
        return words("[->]")
    drawing = _Picture(graph, styles_of(graph) if style is None else style, inputs, marks or Marks()).drawing()
    return replace(drawing, title=str(graph) if title is None else title)


def styles_of(*graphs: Hypergraph | Combination) -> Styles:
    """A style for every space of some diagrams."""
    found: list[Wire] = []
    for graph in graphs:
        found += [*graph.source, *graph.target]
        inner = [g for _, g in graph.weighted] if isinstance(graph, Combination) else [graph]
        found += [wire for g in inner for wire in g.wires]
    return styles(found)


def combination_drawing(
    value: Hypergraph | Combination, style: Styles | None = None, *, inputs: str = "bottom"
) -> Drawing:
    """A combination as a row of its terms with their coefficients."""
    style = styles_of(value) if style is None else style
    terms = value.weighted if isinstance(value, Combination) else ((ONE, value),)
    return summed((coefficient, boxes_drawing(graph, style, inputs=inputs)) for coefficient, graph in terms)


class _Picture:
    """The state of one picture."""

    def __init__(self, graph: Hypergraph, style: Styles, inputs: str, marks: Marks) -> None:
        self.graph, self.style, self.inputs, self.marks = graph, style, inputs, marks
        sideways = inputs == "left"
        lengths = [text_width(node.box.label, "letter") + 18 for node in graph.nodes]
        self.depth = max(HEIGHT, *lengths) if sideways and lengths else HEIGHT
        self.layers = Layers(step=STEP * 0.75)
        self.kinds: dict[int, int] = {}
        """The units that are spiders (or bends), and the vertex of each."""
        self._units(lengths, sideways=sideways)
        self._wires()
        self._around()
        self.layers.arrange()

    def _units(self, lengths: list[float], *, sideways: bool) -> None:
        step = self.layers.step
        units = self.layers.units
        for (_, ins, outs), length in zip(self.graph.nodes, lengths, strict=True):
            room = (max(len(ins), len(outs), 1) - 1) * step + 20
            units.append(Unit(max(room, HEIGHT if sideways else length), len(ins), len(outs)))
        for row, ends in ((self.graph.ins, self.layers.inputs), (self.graph.outs, self.layers.outputs)):
            for _ in row:
                ends.append(len(units))
                units.append(Unit(8.0, 1, 1))

    def _ends(self) -> tuple[list[list[End]], list[list[End]]]:
        """For each vertex the ends that feed it, and those that it feeds."""
        feeds: list[list[End]] = [[] for _ in self.graph.wires]
        reads: list[list[End]] = [[] for _ in self.graph.wires]
        for unit, (_, ins, outs) in enumerate(self.graph.nodes):
            for at, vertex in enumerate(ins):
                reads[vertex].append((unit, at))
            for at, vertex in enumerate(outs):
                feeds[vertex].append((unit, at))
        for vertex, unit in zip(self.graph.ins, self.layers.inputs, strict=True):
            feeds[vertex].append((unit, 0))
        for vertex, unit in zip(self.graph.outs, self.layers.outputs, strict=True):
            reads[vertex].append((unit, 0))
        return feeds, reads

    def _wires(self) -> None:
        """A wire from one end to one end is a wire; whatever else meets at a vertex is a unit of its own."""
        self.colours: list[tuple[int, int]] = []
        """For each wire its style and its vertex."""
        self.loops: list[int] = []
        for vertex, (feeds, reads) in enumerate(zip(*self._ends(), strict=True)):
            style = self.style[self.graph.wires[vertex].base]
            if not feeds and not reads:
                self.loops.append(style)
                continue
            if len(feeds) == len(reads) == 1:
                self._wire(feeds[0], reads[0], (style, vertex))
                continue
            unit = len(self.layers.units)
            bend = len(feeds) + len(reads) == 2
            self.layers.units.append(Unit(16.0, len(feeds), len(reads), even=bend))
            self.kinds[unit] = vertex
            self.layers.free.add(unit)
            for at, end in enumerate(feeds):
                self._wire(end, (unit, at), (style, vertex))
            for at, end in enumerate(reads):
                self._wire((unit, at), end, (style, vertex))

    def _around(self) -> None:
        """A wire that would run back, into a box below or into its own, goes up to a cap, down, and up from a cup."""
        units, wires = self.layers.units, self.layers.wires
        self.layers.rank()
        ranks = [unit.rank for unit in units]
        for at, (tail, head) in enumerate(tuple(wires)):
            if ranks[head[0]] > ranks[tail[0]]:
                continue
            cap, cup = len(units), len(units) + 1
            units += [Unit(16.0, 2, 0), Unit(16.0, 0, 2)]
            self.layers.free |= {cap, cup}
            self.kinds |= dict.fromkeys((cap, cup), self.colours[at][1])
            wires[at] = tail, (cap, 0)
            self._wire((cup, 1), (cap, 1), self.colours[at])
            self._wire((cup, 0), head, self.colours[at])

    def _wire(self, tail: End, head: End, style: tuple[int, int]) -> None:
        self.layers.wires.append((tail, head))
        self.colours.append(style)

    # ------------------------------------------------------------------------------------------------------ drawing

    def drawing(self) -> Drawing:
        """Everything in its place; x runs along a row, y with the diagram."""
        units = self.layers.units
        used = range(not self.layers.inputs, len(self.layers.rows) - (not self.layers.outputs))
        self.ranks = [max(rank - used.start, 0) * (self.depth + ROW) for rank in range(len(self.layers.rows))]
        self.across = max((u.x + u.size / 2 for u in units), default=0.0) + 2 * MARGIN
        self.along = self.ranks[used.stop - 1] if used else 0.0
        if self.loops:
            self.across += (2 * LOOP + 10) * len(self.loops)
            self.along = max(self.along, 2 * LOOP + 8)
        items: list[Item] = []
        for row, rank in ((self.layers.inputs, 0), (self.layers.outputs, len(self.ranks) - 1)):
            if row:
                y = self.ranks[rank]
                items.append(
                    self._curve(
                        [(3, y), (self.across / 2, y), (self.across / 2, y), (self.across - 3, y)], -1, faint=True
                    )
                )
        for path, (style, vertex) in zip(self.layers.paths, self.colours, strict=True):
            wire = self._path(path, style)
            items += [replace(wire, style=MARK), wire] if vertex in self.marks.vertices else [wire]
        for unit, node in enumerate(self.graph.nodes):
            items += self._box(unit, node.box.label)
        for unit, vertex in self.kinds.items():
            style = self.style[self.graph.wires[vertex].base]
            if units[unit].even:
                items.append(self._bend(unit, style))
                continue
            items.append(Dot(self._point(units[unit].x + MARGIN, self.ranks[units[unit].rank]), RADIUS, style))
        right = self.across - MARGIN
        for number, style in enumerate(self.loops):
            items.append(self._loop(right - LOOP - number * (2 * LOOP + 10), style))
        size = (self.across, self.along) if self.inputs != "left" else (self.along, self.across)
        return _padded(Drawing(*size, tuple(items)))

    def _point(self, x: float, y: float) -> Point:
        """From along the row and up the diagram to the page."""
        match self.inputs:
            case "bottom":
                return (x, self.along - y)
            case "top":
                return (x, y)
        return (y, x)

    def _curve(self, points: Iterable[Point], style: int, *, faint: bool = False) -> Curve:
        return Curve(tuple(self._point(x, y) for x, y in points), style, faint)

    def _end(self, end: End, *, above: bool) -> Point:
        """Where a wire leaves a unit, or arrives."""
        unit, at = end
        found = self.layers.units[unit]
        x = found.x + MARGIN + found.port(at, found.above if above else found.below, self.layers.step)
        inside = self.depth / 2 if unit < len(self.graph.nodes) else 0.0
        return x, self.ranks[found.rank] + (inside if above else -inside)

    def _path(self, path: list[End], style: int) -> Curve:
        points = [self._end(path[0], above=True)]
        for at, end in enumerate(path[1:], 1):
            passing = at < len(path) - 1
            x, y = self._end(end, above=False)
            (ax, ay) = points[-1]
            half = self.depth / 2 if passing else 0.0
            bend = 0.5 * (y - half - ay)
            points += [(ax, ay + bend), (x, y - half - bend), (x, y - half)]
            if passing:
                points += [(x, y), (x, y), (x, y + half)]
        return self._curve(points, style)

    def _bend(self, unit: int, style: int) -> Curve:
        """The arc that joins the two ends of a bend."""
        above = self.layers.units[unit].above == 2
        (a, y), (b, _) = (self._end((unit, at), above=above) for at in (0, 1))
        reach = y + (-0.6 if above else 0.6) * self.layers.step
        return self._curve([(a, y), (a, reach), (b, reach), (b, y)], style)

    def _box(self, unit: int, label: str) -> list[Item]:
        found = self.layers.units[unit]
        x, y = found.x + MARGIN, self.ranks[found.rank]
        corners = [self._point(x + sx * found.size / 2, y + sy * self.depth / 2) for sx in (-1, 1) for sy in (-1, 1)]
        left, top = min(p[0] for p in corners), min(p[1] for p in corners)
        width, height = max(p[0] for p in corners) - left, max(p[1] for p in corners) - top
        marked = unit in self.marks.boxes
        return [Box((left, top), width, height, marked), Label((left + width / 2, top + height / 2), label, "letter")]

    def _loop(self, x: float, style: int) -> Curve:
        y, r, k = self.along / 2, LOOP, 0.5523 * LOOP
        return self._curve(
            [(x + r, y), (x + r, y + k), (x + k, y + r), (x, y + r), (x - k, y + r), (x - r, y + k), (x - r, y),
             (x - r, y - k), (x - k, y - r), (x, y - r), (x + k, y - r), (x + r, y - k), (x + r, y)],
            style,
        )  # fmt: skip


def _padded(drawing: Drawing) -> Drawing:
    """With room for what reaches over the first and the last row (boxes, dots and wires that run back)."""
    xs, ys = [0.0, drawing.width], [0.0, drawing.height]
    for item in drawing.items:
        match item:
            case Curve(points=points):
                reached = [*points[::3], *samples(points)]
                xs += [x for x, _ in reached]
                ys += [y for _, y in reached]
            case Box(corner=(x, y)):
                xs += [x - 1, x + item.width + 1]
                ys += [y - 1, y + item.height + 1]
            case Dot(centre=(x, y)):
                ys += [y - RADIUS - 1, y + RADIUS + 1]
                xs += [x - RADIUS - 1, x + RADIUS + 1]
    from catnn.view.drawing import placed

    left, top, right, bottom = min(xs), min(ys), max(xs), max(ys)
    if min(left, top, drawing.width - right, drawing.height - bottom) < -0.01:  # then with half a wire's width
        left, top, right, bottom = left - 1, top - 1, right + 1, bottom + 1
    return Drawing(right - left, bottom - top, placed(drawing, -left, -top), drawing.title)
