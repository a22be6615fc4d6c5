"""Networks as pictures: a box for each stage or step, and wires for the values that flow, with their names and types.

The rows are those of `catnn.view.layering`, so a wire passes no box; where a value is used twice its wire has a dot.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from catnn.category.scalar import ONE
from catnn.model import Network
from catnn.program import Add, Program, Step
from catnn.view import SIDES
from catnn.view.drawing import INK, SIZES, Box, Curve, Dot, Drawing, Item, Label, Point, text_width
from catnn.view.layering import Layers
from catnn.view.layout import RADIUS
from catnn.view.pipeline import network_graph
from catnn.view.placing import End, Unit
from catnn.view.programs import step_label, tensor_name, value_names

GAP = 22.0
"""Between two rows, with more where a wire goes far to the side: WIDER of that, but no more than WIDEST."""
WIDER, WIDEST = 0.15, 28.0
LIFT = 0.3
"""How far into the gap above its row a dot stands, so that its wires leave above the boxes beside it."""
LINE = 17.0
"""The height of a line of words in a box."""
LONG = 34
"""Longer words are broken in front of what they are about: a pattern on one line, its values on the next."""
MARGIN = 4.0


@dataclass(frozen=True, slots=True)
class Chip:
    """What stands in a place: lines of words, with a frame around them or without; plus: in a square of its own."""

    lines: tuple[str, ...]
    framed: bool = False
    plus: bool = False

    @property
    def role(self) -> str:
        return "sign" if self.plus else "letter" if self.framed else "caption"

    @property
    def size(self) -> tuple[float, float]:
        """Width and height."""
        if self.plus:
            return 22.0, 22.0
        wide = max((text_width(line, self.role) for line in self.lines), default=0.0)
        return (wide + 20, LINE * len(self.lines) + 11) if self.framed else (wide + 8, SIZES["caption"] + 3)


@dataclass(slots=True)
class Value:
    """A wire: the end it comes from, what is written on it, and the ends it goes to, with what is written there."""

    tail: End
    text: str = ""
    heads: list[tuple[End, str]] = field(default_factory=list)


@dataclass(slots=True)
class Chart:
    """The chips, how many ends each has below and above, and the values between them."""

    chips: list[Chip] = field(default_factory=list)
    ends: list[tuple[int, int]] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)

    def add(self, chip: Chip, below: int, above: int) -> int:
        """A new chip; its number."""
        self.chips.append(chip)
        self.ends.append((below, above))
        return len(self.chips) - 1


def network_drawing(network: Network, *, inputs: str = "bottom") -> Drawing:
    """A network; inputs: the side they are on, one of `SIDES`.  Raises: ValueError for another side."""
    if inputs not in SIDES:
        raise ValueError(f"inputs={inputs!r}: the inputs are at the {', '.join(map(repr, SIDES))}")
    chart = _of_program(network.body) if isinstance(network.body, Program) else _of_stages(network)
    return _Picture(chart, inputs).drawing()


# --------------------------------------------------------------------------------------------------- what there is


def _of_program(program: Program) -> Chart:
    chart, names, types = Chart(), list(value_names(program)), program.values
    plain = program.names or ("",) * len(types)
    at = len(types) - sum(len(step.outputs) for step in program.steps)
    for step in program.steps:  # a value that nothing calls is known by its wire
        for _ in step.outputs:
            names[at] = plain[at] or tensor_name(step)
            at += 1
    known = tuple(names)
    for parameter in program.parameters:
        chip = chart.add(Chip((f"{parameter.name} : {parameter.type}",)), 0, len(parameter.type.summands))
        chart.inputs.append(chip)
        chart.values += [Value((chip, at)) for at in range(len(parameter.type.summands))]
    for step in program.steps:
        chip = chart.add(_chip(program, step, known), len(step.inputs), len(step.outputs))
        for at, value in enumerate(step.inputs):
            chart.values[value].heads.append(((chip, at), ""))
        for at, summand in enumerate(step.outputs):
            value = len(chart.values)
            new = all(types[inner] != summand for inner in step.inputs)
            text = f"{plain[value]} : {summand}" if plain[value] else str(summand) if new else ""
            chart.values.append(Value((chip, at), text))
    for result, target in zip(program.results, program.targets, strict=True):
        chip = chart.add(Chip((str(target),)), len(result), 0)
        chart.outputs.append(chip)
        for at, value in enumerate(result):
            only = chart.values[value]
            only.heads.append(((chip, at), ""))
            if len(result) == 1 and only.text == str(target):
                only.text = ""
    return chart


def _chip(program: Program, step: Step, names: tuple[str, ...]) -> Chip:
    """A step in words; a plain sum is a plus, the order of its terms being no matter."""
    if isinstance(step, Add) and all(coefficient == ONE for coefficient, _ in step.terms):
        return Chip(("+",), framed=True, plus=True)
    text = step_label(program, step, names)
    at = text.find("(", text.find("]")) if text.startswith("[") else -1
    return Chip((text[:at], text[at:]) if len(text) > LONG and at > 0 else (text,), framed=True)


def _of_stages(network: Network) -> Chart:
    """The same for a pipeline: a type is written where it is a new one."""
    chart, graph = Chart(), network_graph(network)
    chips: dict[str, int] = {}
    for node in graph.nodes:
        below = sum(flow.head == node.name for flow in graph.flows)
        chip = Chip((node.label,), framed=node.kind not in ("input", "output"), plus=node.kind == "sum")
        chips[node.name] = chart.add(chip, below, int(node.kind != "output"))
    chart.inputs, chart.outputs = [chips["input"]], [chips["output"]]
    reached = dict.fromkeys(chips, 0)
    into: dict[str, set[str]] = {name: set() for name in chips}
    for flow in graph.flows:
        into[flow.head].add(flow.type)
    values: dict[str, Value] = {}
    for flow in graph.flows:
        new = flow.tail != "input" and flow.head != "output" and flow.type not in into[flow.tail]
        value = values.setdefault(flow.tail, Value((chips[flow.tail], 0), flow.type if new else ""))
        factor = "" if flow.coefficient == ONE else f"({flow.coefficient})"
        value.heads.append(((chips[flow.head], reached[flow.head]), factor))
        reached[flow.head] += 1
    chart.values = list(values.values())
    return chart


# ------------------------------------------------------------------------------------------------- where it stands


class _Picture:
    """The state of one picture: x runs along a row, y with the network."""

    def __init__(self, chart: Chart, inputs: str) -> None:
        self.chart, self.inputs = chart, inputs
        self.layers = Layers(step=26.0, gap=18.0)
        self.depths: list[float] = []
        self.dots: list[int] = []
        self.chips = list(chart.chips)
        for chip, (below, above) in zip(chart.chips, chart.ends, strict=True):
            self._unit(chip, below, above)
        self.layers.inputs, self.layers.outputs = list(chart.inputs), list(chart.outputs)
        for value in chart.values:
            self._value(value)
        self.layers.arrange()
        self._rows()

    def _unit(self, chip: Chip, below: int, above: int) -> int:
        """Room for a chip, and for its ends."""
        width, height = chip.size
        size, depth = (height, width) if self.inputs == "left" else (width, height)
        room = (max(below, above, 1) - 1) * self.layers.step + 12
        self.layers.units.append(Unit(max(size, room) if chip.framed or room > 12 else size, below, above))
        self.depths.append(depth)
        return len(self.layers.units) - 1

    def _value(self, value: Value) -> None:
        """The wires of a value, by way of its words and of a dot where it is used more than once."""
        tail = value.tail
        if value.text and value.heads:
            tail = self._words(tail, value.text)
        if len(value.heads) > 1:
            dot = len(self.layers.units)
            self.layers.units.append(Unit(10.0, 1, len(value.heads), even=False))
            self.chips.append(Chip(()))
            self.depths.append(0.0)
            self.layers.free.add(dot)
            self.dots.append(dot)
            self.layers.wires.append((tail, (dot, 0)))
            tail = (dot, 0)
        for at, (head, factor) in enumerate(value.heads):
            start = (tail[0], at) if len(value.heads) > 1 else tail
            self.layers.wires.append((self._words(start, factor) if factor else start, head))

    def _words(self, tail: End, text: str) -> End:
        """Words in the middle of a wire, which has a gap there."""
        chip = Chip((text,))
        self.chips.append(chip)
        unit = self._unit(chip, 1, 1)
        self.layers.wires.append((tail, (unit, 0)))
        return unit, 0

    def _rows(self) -> None:
        """How deep each row is, and where its middle lies."""
        deep = [0.0] * len(self.layers.rows)
        for unit, depth in enumerate(self.depths):
            rank = self.layers.units[unit].rank
            deep[rank] = max(deep[rank], depth)
        self.gaps = self._gaps(len(deep))
        self.deep, self.middle, at = deep, list[float](), MARGIN
        for rank, depth in enumerate(deep):
            at += self.gaps[rank]
            self.middle.append(at + depth / 2)
            at += depth
        self.along = at + MARGIN
        self.across = max((u.x + u.size / 2 for u in self.layers.units), default=0.0) + 2 * MARGIN

    def _gaps(self, count: int) -> list[float]:
        """The room below each row."""
        rows, units, reach = self.layers.rows, self.layers.units, [0.0] * count
        for path in self.layers.paths:
            for tail, head in pairwise(path):
                rank = units[head[0]].rank
                reach[rank] = max(reach[rank], abs(self._x(head, above=False) - self._x(tail, above=True)))
        between = [bool(rank and rows[rank] and rows[rank - 1]) for rank in range(count)]
        return [full * (GAP + min(WIDER * far, WIDEST)) for full, far in zip(between, reach, strict=True)]

    # ------------------------------------------------------------------------------------------------------- drawing

    def drawing(self) -> Drawing:
        """Everything in its place."""
        items: list[Item] = [self._path(path) for path in self.layers.paths]
        for unit in range(len(self.depths)):
            items += self._chip(unit)
        size = (self.along, self.across) if self.inputs == "left" else (self.across, self.along)
        return Drawing(*size, tuple(items))

    def _point(self, x: float, y: float) -> Point:
        match self.inputs:
            case "bottom":
                return x, self.along - y
            case "top":
                return x, y
        return y, x

    def _end(self, end: End, *, above: bool) -> Point:
        """Where a wire leaves a chip, or arrives."""
        unit = end[0]
        found, side = self.layers.units[unit], 1 if above else -1
        x = self._x(end, above=above)
        if unit in self.dots:
            return x, self._edge(found.rank, above=True) + LIFT * (self.gaps[found.rank + 1] - GAP / 2)
        half = self.depths[unit] / 2 if unit < len(self.depths) else 0.0
        return x, self.middle[found.rank] + side * half

    def _x(self, end: End, *, above: bool) -> float:
        found = self.layers.units[end[0]]
        return found.x + MARGIN + found.port(end[1], found.above if above else found.below, self.layers.step)

    def _edge(self, rank: int, *, above: bool) -> float:
        return self.middle[rank] + (self.deep[rank] / 2 if above else -self.deep[rank] / 2)

    def _path(self, path: list[End]) -> Curve:
        """Straight through the rows, bent between them."""
        units = self.layers.units
        ranks = [units[unit].rank for unit, _ in path]
        x, y = self._end(path[0], above=True)
        points = [(x, y)]
        for at, end in enumerate(path[1:], 1):
            passing = at < len(path) - 1
            low = max(self._edge(ranks[at - 1], above=True), points[-1][1])
            points += _straight(points[-1], (points[-1][0], low))
            x, y = self._end(end, above=False)
            high = self._edge(ranks[at], above=False)
            bend = (high - low) / 2
            points += [(points[-1][0], low + bend), (x, high - bend), (x, high)]
            if not passing:
                points += _straight((x, high), (x, y))
        return Curve(tuple(self._point(*point) for point in points), INK)

    def _chip(self, unit: int) -> list[Item]:
        found, chip = self.layers.units[unit], self.chips[unit]
        if unit in self.dots:
            return [Dot(self._point(*self._end((unit, 0), above=True)), RADIUS * 0.8, INK)]
        x, y = self._point(found.x + MARGIN, self.middle[found.rank])
        items: list[Item] = []
        width, height = chip.size
        if self.inputs == "left":
            height = max(height, found.size)
        else:
            width = max(width, found.size)
        if chip.framed:
            items.append(Box((x - width / 2, y - height / 2), width, height))
        first = y - LINE * (len(chip.lines) - 1) / 2
        items += [Label((x, first + LINE * at), line, chip.role) for at, line in enumerate(chip.lines)]
        return items


def _straight(start: Point, end: Point) -> Iterable[Point]:
    """A piece of a line, nothing where it has no length."""
    return () if start == end else (start, end, end)
