"""Where everything of one diagram stands: ports in two rows, outputs on top, wires as smooth curves, spiders as dots.

A block of two vertices is a wire, a block of one a short end with a dot, and a larger one a dot with a leg a vertex.  A
jellyfish is a large dot on the right with a leg to a dot in each block; a summed leg ends in a dot of its own.
The layout is a pure function of the diagram: the same diagram is the same picture, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from catnn.category.diagram import Diagram
from catnn.category.families import FAMILIES
from catnn.category.pattern import port_names
from catnn.category.scalar import ONE, Scalar
from catnn.category.wires import Wire, bases
from catnn.view import SIDES
from catnn.view.drawing import (
    Arrow,
    Curve,
    Dot,
    Drawing,
    Item,
    Label,
    Point,
    beside,
    flipped,
    moved,
    samples,
    text_width,
    turned,
    words,
)

STEP = 34.0
"""The distance of two ports."""
RADIUS = 4.2
HEAD = 8.0
MARGIN = 12.0
GAP = 11.0
"""The distance of a letter to its port."""
CLEAR = 0.3 * STEP
"""No dot comes nearer to another block than this, where there is room."""

Styles = Mapping[Wire, int]
SHIFTS = sorted(
    ((x / 4, y / 5) for x in range(-6, 7) for y in range(-4, 5)), key=lambda p: (p[0] ** 2 + 3 * p[1] ** 2, p)
)
"""Where a spider may go instead of its ideal place, in steps, nearest first."""


def styles(wires: Sequence[Wire]) -> dict[Wire, int]:
    """A style for every space, by first occurrence; V and V' are one space."""
    return {wire: number for number, wire in enumerate(bases(tuple(wires)))}


def summed(terms: Iterable[tuple[Scalar, Drawing]]) -> Drawing:
    """Drawings in a row with their coefficients and signs between them; 0 where there is none."""
    pieces: list[Drawing] = []
    for coefficient, drawing in terms:
        if pieces:
            pieces.append(words("+", "sign"))
        if coefficient != ONE:
            pieces.append(words(f"({coefficient})", "sign"))
        pieces.append(drawing)
    return beside(pieces) if pieces else words("0", "sign")


def diagram_drawing(
    diagram: Diagram, style: Styles | None = None, *, letters: bool = True, inputs: str = "bottom"
) -> Drawing:
    """One diagram.

    style: the number of every space, for one look across many pictures; letters: write the pattern's at the ports;
    inputs: the side the inputs are on, ``bottom``, ``top`` or ``left``.  Raises: ValueError for another side.
    """
    if inputs not in SIDES:
        raise ValueError(f"inputs={inputs!r}: the inputs are at the {', '.join(map(repr, SIDES))}")
    plan = _Plan(diagram, style if style is not None else styles(diagram.source + diagram.target))
    if not diagram.parts:
        return words("[->]")
    plan.draw()
    body = Drawing(plan.width, plan.height, tuple(plan.items), str(diagram))
    if inputs == "left":
        return _beside_ports(turned(body), plan) if letters else turned(body)
    body = _above_ports(body, plan) if letters else body
    return body if inputs == "bottom" else flipped(body)


def _above_ports(body: Drawing, plan: _Plan) -> Drawing:
    """With the letters of the pattern, inputs below and outputs above."""
    above, beneath = (GAP + 7 if row else 0.0 for row in (plan.diagram.target, plan.diagram.source))
    items = [moved(item, 0, above) for item in body.items]
    for vertex, (name, style) in enumerate(plan.names()):
        x, y = plan.ports[vertex]
        items.append(Label((x, above + y + (-GAP if vertex < plan.l else GAP)), name, "letter", style))
    return replace(body, height=body.height + above + beneath, items=tuple(items))


def _beside_ports(body: Drawing, plan: _Plan) -> Drawing:
    """The same for a picture whose inputs are on the left."""
    names = plan.names()
    room = max(text_width(name, "letter") for name, _ in names) + 7
    left, right = (room if row else 0.0 for row in (plan.diagram.source, plan.diagram.target))
    items = [moved(item, left, 0) for item in body.items]
    for vertex, (name, style) in enumerate(names):
        x, y = plan.ports[vertex]
        away = 5 + text_width(name, "letter") / 2
        at = left + plan.height - y + (away if vertex < plan.l else -away)
        items.append(Label((at, x), name, "letter", style))
    return replace(body, width=body.width + left + right, items=tuple(items))


@dataclass
class _Plan:
    """The state of one layout: the ports, and what stands already."""

    diagram: Diagram
    style: Styles
    items: list[Item] = field(default_factory=list)
    dots: list[Point] = field(default_factory=list)
    path: list[Point] = field(default_factory=list)
    anchors: dict[int, Point] = field(default_factory=dict)

    def __post_init__(self) -> None:
        d = self.diagram
        self.l = len(d.target)
        widest = max(len(d.target), len(d.source), 1)
        names = max((text_width(name, "letter") for row in port_names(d) for name in row), default=0)
        self.step = max(STEP, names + 8)
        self.width = (widest - 1) * self.step + 2 * MARGIN
        self.depths = {b: self._depth(b) for b in range(len(d.parts))}
        self.height = self._height()
        left = [self.width / 2 - (len(row) - 1) * self.step / 2 for row in (d.target, d.source)]
        self.ports = [(left[0] + j * self.step, 0.0) for j in range(self.l)]
        self.ports += [(left[1] + i * self.step, self.height) for i in range(len(d.source))]

    # ------------------------------------------------------------------------------------------------- vertical room

    def _row(self, block: int) -> int | None:
        """0 where all of a block is output, 1 where all is input, None where it goes through."""
        part = self.diagram.parts[block]
        if part[0] < self.l <= part[-1]:
            return None
        return 0 if part[0] < self.l else 1

    def _depth(self, block: int) -> float:
        """How far a block of one row reaches into the picture: blocks around others reach further."""
        row, part = self._row(block), self.diagram.parts[block]
        if row is None:
            return 0.0
        level, wider = 0, [
            p for b, p in enumerate(self.diagram.parts)
            if b != block and self._row(b) == row and part[0] < p[0] and p[-1] < part[-1]
        ]  # fmt: skip
        for inner in sorted(wider, key=lambda p: p[-1] - p[0]):
            below = [p for p in wider if inner[0] < p[0] and p[-1] < inner[-1]]
            level = max(level, 1 + (len(below) > 0))
        if len(part) == 1:
            return 0.42 * STEP
        return STEP * (0.42 + 0.16 * level + 0.13 * (part[-1] - part[0]))

    def _height(self) -> float:
        top = max((d for b, d in self.depths.items() if self._row(b) == 0), default=0.0)
        bottom = max((d for b, d in self.depths.items() if self._row(b) == 1), default=0.0)
        if not self.diagram.source or not self.diagram.target:
            return top + bottom + (0.15 + 0.9 * len(self.diagram.jellyfish)) * STEP
        tangle = sum(1 for p in self.diagram.parts if p[0] < self.l <= p[-1] and len(p) > 2)
        longest = 0.16 * STEP * max(self.l, len(self.diagram.source)) + 0.45 * STEP * max(tangle - 1, 0)
        return max(top + bottom + 0.45 * STEP, 1.55 * STEP + longest)

    # ---------------------------------------------------------------------------------------------------- the blocks

    def draw(self) -> None:
        """Wires first, they have no choice; then ends; then spiders, which go where there is room."""
        for row, y in ((self.diagram.target, 0.0), (self.diagram.source, self.height)):
            if row:
                inset = 0.3 * MARGIN
                ends = ((inset, y), (self.width / 2, y), (self.width / 2, y), (self.width - inset, y))
                self.items.append(Curve(ends, faint=True))
        order = sorted(range(len(self.diagram.parts)), key=lambda b: (_kind(self.diagram.parts[b]), b))
        for block in order:
            part = self.diagram.parts[block]
            style = self.style[self.diagram.wire(part[0]).base]
            if len(part) == 2:
                self._wire(block, part, style)
            elif len(part) == 1:
                self._end(block, part[0], style)
            else:
                self._spider(block, part, style)
        for space in self.diagram.jellyfish:
            self._jellyfish(space)

    def _jellyfish(self, space: str) -> None:
        """The head, its legs, and where a block is a mere wire the dots that they end in."""
        here = [b for b, part in enumerate(self.diagram.parts) if self.diagram.wire(part[0]).space == space]
        wire = self.diagram.wire(self.diagram.parts[here[0]][0])
        style, size = self.style[wire.base], wire.group.size
        x, y = self.width + 0.5 * STEP, self.height / 2
        flat = not self.diagram.source or not self.diagram.target
        if flat:
            y = HEAD if not self.diagram.target else self.height - HEAD
        self.width += 1.4 * STEP
        for block in here:
            ax, ay = self.anchors[block]
            middle = (ax + x) / 2
            first = (ax, y) if flat else (middle, ay)
            self.items.append(Curve(((ax, ay), first, (middle, y), (x, y)), style))
            if len(self.diagram.parts[block]) == 2:
                self._dot((ax, ay), style)
        if len(here) != size:
            self.items.append(Curve(((x, y), (x + 7, y), (x + 14, y), (x + 21, y)), style))
            self._dot((x + 21, y), style)
        self.items.append(Dot((x, y), HEAD, style))

    def _curve(self, points: tuple[Point, ...], style: int) -> None:
        self.items.append(Curve(points, style))
        self.path.extend(samples(points))

    def _dot(self, centre: Point, style: int) -> None:
        self.items.append(Dot(centre, RADIUS, style))
        self.dots.append(centre)

    def _wire(self, block: int, part: tuple[int, ...], style: int) -> None:
        (ax, ay), (bx, by) = self.ports[part[0]], self.ports[part[1]]
        row = self._row(block)
        if row is None:
            bend = 0.5 * self.height
            self._curve(((ax, ay), (ax, ay + bend), (bx, by - bend), (bx, by)), style)
            wires = [b for b, p in enumerate(self.diagram.parts) if len(p) == 2 and self._row(b) is None]
            t = (wires.index(block) + 1) / (len(wires) + 1)  # no two at one height, and not where two wires cross
            along = 3 * t * t - 2 * t**3
            self.anchors[block] = (ax + along * (bx - ax), ay + (1.5 * t * (1 - t) + t**3) * (by - ay))
            return
        inward = self.depths[block] / 0.75 * (1 if row == 0 else -1)
        self._curve(((ax, ay), (ax, ay + inward), (bx, by + inward), (bx, by)), style)
        self.anchors[block] = ((ax + bx) / 2, ay + 0.75 * inward)
        if FAMILIES[self.diagram.wire(part[0]).group.family].closing == "form":
            beside = 0.0 if bx - ax < 1.5 * self.step else 0.12  # a wire may pass the middle of a wide arc
            self.items.append(Arrow((ax + (0.5 - beside) * (bx - ax) + 4, ay + (0.75 - beside / 6) * inward), style))

    def _end(self, block: int, vertex: int, style: int) -> None:
        x, y = self.ports[vertex]
        to = y + self.depths[block] * (1 if vertex < self.l else -1)
        if vertex in self.diagram.free and self.diagram.wire(vertex).space not in self.diagram.jellyfish:
            self._leg_end(vertex, x, y, to, style)
            return
        self._curve(((x, y), (x, (2 * y + to) / 3), (x, (y + 2 * to) / 3), (x, to)), style)
        self._dot((x, to), style)
        self.anchors[block] = (x, to)

    def _leg_end(self, vertex: int, x: float, y: float, to: float, style: int) -> None:
        """A leg of a Levi-Civita tensor ends in a ring, beside it its place in the order of the legs."""
        edge = to + (RADIUS if to < y else -RADIUS)
        self._curve(((x, y), (x, (2 * y + edge) / 3), (x, (y + 2 * edge) / 3), (x, edge)), style)
        self.items.append(Dot((x, to), RADIUS, style, hollow=True))
        self.dots.append((x, to))
        here = [v for v in self.diagram.free if self.diagram.wire(v) == self.diagram.wire(vertex)]
        self.items.append(Label((x + RADIUS + 5, to), str(here.index(vertex) + 1), "index", style))

    def _spider(self, block: int, part: tuple[int, ...], style: int) -> None:
        ideal = self._ideal(block, part)
        best, centre = float("inf"), ideal
        for dx, dy in SHIFTS:
            move = 0.4 * (dx * dx + 3 * dy * dy)
            if move >= best:
                break
            here = (ideal[0] + dx * STEP, ideal[1] + dy * STEP)
            if not (0 <= here[0] <= self.width and 0.42 * STEP <= here[1] <= self.height - 0.42 * STEP):
                continue
            crowd = move + self._crowd(here, part)
            if crowd < best:
                best, centre = crowd, here
        for vertex in part:
            self._curve(self._leg(vertex, centre, part), style)
        self._dot(centre, style)
        self.anchors[block] = centre

    def _ideal(self, block: int, part: tuple[int, ...]) -> Point:
        """The middle of its ports: nearer to the side with more legs, which so meet before they cross others."""
        x = sum(self.ports[v][0] for v in part) / len(part)
        row = self._row(block)
        if row is None:
            least = 0.42 * STEP
            y = self.height * sum(v >= self.l for v in part) / len(part)
            return (x, min(max(y, least), self.height - least))
        return (x, self.depths[block] if row == 0 else self.height - self.depths[block])

    def _crowd(self, centre: Point, part: tuple[int, ...]) -> float:
        """How much a dot here, with its legs, comes too near to what stands already."""
        crowd = 0.0
        for x, y in self.path:
            crowd += max(0.0, 1 - _square(centre, (x, y)) / CLEAR**2)
        for x, y in self.dots:
            crowd += 4 * max(0.0, 1 - _square(centre, (x, y)) / (2.6 * CLEAR) ** 2)
        for vertex in part:
            for point in samples(self._leg(vertex, centre, part), 8):
                for dot in self.dots:
                    crowd += max(0.0, 1 - _square(point, dot) / CLEAR**2)
        return crowd

    def _leg(self, vertex: int, centre: Point, part: tuple[int, ...]) -> tuple[Point, ...]:
        """From a port, which it leaves at a right angle, to a dot."""
        (px, py), (x, y) = self.ports[vertex], centre
        away, fall = px - x, py - y
        same = [self.ports[v][0] - x for v in part if (v < self.l) == (vertex < self.l)]
        reach = max(abs(value) for value in same)
        outer = abs(away) / reach if reach > 1 and len(same) == len(part) else 0.0
        end = (x + (0.35 + 0.15 * outer) * away, y + (1 - outer) * 0.3 * fall)
        return ((px, py), (px, py - 0.55 * fall), end, (x, y))

    def names(self) -> list[tuple[str, int]]:
        """The letter and the style of every vertex."""
        inputs, outputs = port_names(self.diagram)
        return [(name, self.style[self.diagram.wire(v).base]) for v, name in enumerate((*outputs, *inputs))]


def _kind(part: tuple[int, ...]) -> int:
    return {2: 0, 1: 1}.get(len(part), 2)


def _square(a: Point, b: Point) -> float:
    return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2
