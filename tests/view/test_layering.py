"""Where boxes stand: orders that no exchange of neighbours betters, long ways straight, nothing on top of another."""

from __future__ import annotations

import random
from itertools import pairwise

import catnn
from catnn.view.chart import network_drawing
from catnn.view.drawing import Box, Curve, samples
from catnn.view.layering import Layers
from catnn.view.placing import Unit
from tests.view.test_every_kind import random_network, random_program


def tangle(source: random.Random, boxes: int) -> Layers:
    """Boxes whose ends are joined at random, later ones above earlier ones."""
    layers = Layers([Unit(8.0, 1, 1)], inputs=[0])
    loose = [(0, 0)]
    for unit in range(1, boxes + 1):
        below, above = source.randint(1, 3), source.randint(1, 3)
        layers.units.append(Unit(60.0, below, above))
        for at in range(below):
            if loose and (len(loose) > 8 or source.random() < 0.7):
                layers.wires.append((loose.pop(source.randrange(len(loose))), (unit, at)))
        loose += [(unit, at) for at in range(above)]
    for end in loose:
        layers.outputs.append(len(layers.units))
        layers.wires.append((end, (len(layers.units), 0)))
        layers.units.append(Unit(8.0, 1, 1))
    return layers


def test_no_exchange_of_neighbours_takes_crossings_away() -> None:
    """Counted anew for every exchange, where `_exchange` keeps what it knows of rows that did not change."""
    source = random.Random(5)
    for _ in range(40):
        layers = tangle(source, source.randint(2, 14))
        layers.arrange()
        below, above = layers._neighbours(loose=True)
        layers._pack()
        for _ in range(9):
            layers._exchange(below, above)
        best = layers._crossings()
        for row in layers.rows:
            if {*row} & {*layers.inputs, *layers.outputs}:
                continue
            for at in range(len(row) - 1):
                row[at : at + 2] = reversed(row[at : at + 2])
                layers._pack_row(row)
                assert layers._crossings() >= best
                row[at : at + 2] = reversed(row[at : at + 2])
                layers._pack_row(row)


def test_units_of_a_row_keep_their_order_and_their_gaps() -> None:
    source = random.Random(6)
    for _ in range(60):
        layers = tangle(source, source.randint(1, 20))
        layers.arrange()
        for row in layers.rows:
            for left, right in pairwise(layers.units[unit] for unit in row):
                assert right.x - left.x >= (left.size + right.size) / 2 + layers.gap - 1e-3


def test_what_has_room_runs_straight() -> None:
    """A chain of boxes beside a long wire, and the wire: neither bends but at its ends."""
    units = [Unit(8.0, 1, 1), Unit(60.0, 1, 2), *(Unit(width, 1, 1) for width in (20.0, 90.0, 40.0)), Unit(60.0, 2, 1)]
    layers = Layers([*units, Unit(8.0, 1, 1)], inputs=[0], outputs=[6])
    layers.wires = [((0, 0), (1, 0)), ((1, 0), (2, 0)), ((2, 0), (3, 0)), ((3, 0), (4, 0)), ((4, 0), (5, 0)),
                    ((1, 1), (5, 1)), ((5, 0), (6, 0))]  # fmt: skip
    layers.arrange()
    for row in ((2, 3, 4), range(7, len(layers.units))):
        assert len({round(layers.units[unit].x, 6) for unit in row}) == 1


def test_wires_keep_away_from_boxes_that_are_not_theirs() -> None:
    source = random.Random(7)
    known = [catnn.load(f"examples/gallery/{name}.catnn")[name] for name in ("triples", "kronecker")]
    for network in (*known, *(make(source) for make in (random_network, random_program) for _ in range(40))):
        drawing = network_drawing(network)
        boxes = [item for item in drawing.items if isinstance(item, Box)]
        for curve in (item for item in drawing.items if isinstance(item, Curve)):
            ends = (curve.points[0], curve.points[-1])
            for box in boxes:
                (left, top), right, bottom = box.corner, box.corner[0] + box.width, box.corner[1] + box.height
                if any(left <= x <= right and (abs(y - top) < 0.1 or abs(y - bottom) < 0.1) for x, y in ends):
                    continue
                for x, y in samples(curve.points, 40):
                    assert max(left - x, x - right, top - y, y - bottom) > 7
