"""Chains of layers in which each is read by the next alone: which of them run as one, and when.

Which neighbours are one layer is chosen by the cost model among all ways to cut the chain into runs, and within a run
among all orders in which the weights can be combined, as for a product of matrices.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

from catnn.model import Layer
from catnn.plan.build import plan_layer
from catnn.plan.cost import BATCH, Step
from catnn.plan.dense import dense
from catnn.plan.fusing import Fused, fused, unusual
from catnn.plan.fusing_cost import fusing_steps
from catnn.plan.plan import Plan
from catnn.plan.rates import DEFAULT, Counted, Rates, Tally
from catnn.plan.virtual import Virtual
from catnn.plan.ways import SAMPLES, forms_of, ways

MOST_UNITS = 5
"""At most so many layers become one."""

MARGIN = 1.1

LARGE, SMALL = (32, 64), (4, 4)
"""At which sizes and batches runs are chosen: what pays at the first, then what pays only at the second."""


@dataclass(frozen=True)
class Unit:
    """What a chain consists of: a layer, or a fixed diagram and its neighbour, which are one already.

    parts: the layers of the network; parameters: of each of its own, the number of the part and the name there.
    """

    layer: Layer
    parts: tuple[Layer, ...]
    parameters: Mapping[str, tuple[int, str]]
    pair: Virtual | None = None

    @staticmethod
    def of(layer: Layer) -> Unit:
        """A layer by itself."""
        names = [layer.weight_name(o, i) for o, row in enumerate(layer.weighted) for i, _ in enumerate(row)]
        names += [layer.bias_name(o) for o, _ in enumerate(layer.biases)]
        return Unit(layer, (layer,), {name: (0, name) for name in names})

    @staticmethod
    def joined(pair: Virtual) -> Unit:
        """A fixed diagram and its neighbour."""
        return Unit(pair.layer, pair.parts, pair.parameters, pair)

    @cached_property
    def plan(self) -> Plan | None:
        """How it runs; None of a layer that no other composes with."""
        if self.pair is not None:
            return self.pair.plan
        return None if unusual(self.layer) else plan_layer(self.layer)


@dataclass(frozen=True, slots=True)
class Node:
    """A layer that is made of two others: of units by number, or of nodes; seconds: what it takes to combine them."""

    found: Fused
    earlier: Node | int
    later: Node | int
    seconds: float

    def nodes(self) -> Iterator[Node]:
        """It and those inside, each after what it is made of."""
        for side in (self.earlier, self.later):
            if isinstance(side, Node):
                yield from side.nodes()
        yield self


@dataclass(frozen=True)
class Chain:
    """Neighbours that run as one layer where that is predicted to pay.

    units: what runs one after the other otherwise; top: how the weights are combined; least, most: a file, which knows
    no machine, takes it for inputs of so many numbers, the last excluded (None: however many).
    """

    units: tuple[Unit, ...]
    top: Node
    least: int = 1
    most: int | None = None

    @property
    def layer(self) -> Layer:
        """What is computed."""
        return self.top.found.layer

    @property
    def plan(self) -> Plan:
        """How."""
        return self.top.found.plan

    @property
    def parts(self) -> tuple[Layer, ...]:
        """The layers of the network that it stands for, in order."""
        return tuple(part for unit in self.units for part in unit.parts)

    def part_of(self, unit: int, name: str) -> tuple[int, str]:
        """The number of the part that has a parameter of a unit, and the name there."""
        at, own = self.units[unit].parameters[name]
        return at + sum(len(one.parts) for one in self.units[:unit]), own

    @property
    def steps(self) -> tuple[Step, ...]:
        """What combines the weights, once a call."""
        return tuple(step for node in self.top.nodes() for step in fusing_steps(node.found))

    @property
    def combining(self) -> Counted:
        """What that is counted as."""
        return Tally.of(self.steps).at({BATCH: 1})

    @cached_property
    def comparison(self) -> Comparison:
        """The ways to run it and its units, for a library in C as well."""
        return _comparison(self.units, self.top, library=True)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The ways of layers one after the other and of the one that stands for them, and what combines the weights."""

    apart: tuple[Mapping[str, Tally], ...]
    whole: Mapping[str, Tally]
    combining: Counted

    @property
    def names(self) -> set[str]:
        """The symbolic sizes that the prediction depends on, the batch among them."""
        tallies = [tally for found in (*self.apart, self.whole) for tally in found.values()]
        costs = [cost for tally in tallies for cost in (tally.running.read, tally.running.written, tally.running.madds)]
        return {name for cost in costs for monomial, _ in cost.terms for name, _ in monomial}

    def pays(self, sizes: Mapping[str, int], rates: Rates) -> bool:
        """Whether one layer is predicted to be faster by a margin, for what is predicted is not exact."""
        apart, whole = self.seconds(sizes, rates)
        return MARGIN * whole < apart

    def seconds(self, sizes: Mapping[str, int], rates: Rates) -> tuple[float, float]:
        """One after the other, and as one; the fastest way of each, `batch` among the sizes."""
        apart = sum(min(rates.predict(found, sizes).values()) for found in self.apart)
        return apart, min(rates.predict(self.whole, sizes).values()) + combining(self.combining, rates)


def combining(counted: Counted, rates: Rates) -> float:
    """The seconds that it takes to combine weights: torch statements inside a call."""
    return rates.statements.predict(counted) - rates.statements.call


def _ways(unit: Unit, *, library: bool = False) -> Mapping[str, Tally]:
    if unit.plan is None:
        return {}
    if library:  # behind `catnn.compile`, with all forms that files have not
        return forms_of(unit.layer, (unit.plan,)).ways()
    return ways(unit.plan, dense(unit.layer), library=False)


def _comparison(units: Sequence[Unit], top: Node, *, library: bool) -> Comparison:
    steps = [step for node in top.nodes() for step in fusing_steps(node.found)]
    apart = tuple(_ways(unit, library=library) for unit in units)
    whole = ways(top.found.plan, dense(top.found.layer), library=library)
    return Comparison(apart, whole, Tally.of(steps).at({BATCH: 1}))


@dataclass(frozen=True)
class Declined:
    """Neighbours that stay two layers, and why."""

    layers: tuple[str, ...]
    why: str


def chained(units: Sequence[Unit]) -> tuple[dict[int, Chain], list[Declined]]:
    """The runs of a chain that become one layer, by the number of their first unit, and which neighbours do not."""
    nodes, reasons = _nodes(units)
    slower = "one after the other is predicted to be faster"
    files = {key: _comparison(units[key[0] : key[1] + 1], node, library=False) for key, node in nodes.items()}
    found: dict[int, Chain] = {}
    for n, batch in (LARGE, SMALL) if nodes else ():
        if found:
            break
        for start, stop in _cut(units, files, _sizes(units, n, batch)):
            run, key = tuple(units[start : stop + 1]), (start, stop)
            bounds = _bounds(run[0].layer, files[key])
            if bounds is not None:
                found[start] = Chain(run, _renumbered(nodes[key], start), *bounds)
    inside = {at for start, chain in found.items() for at in range(start, start + len(chain.units) - 1)}
    return found, [
        Declined(tuple(part.name for unit in units[at : at + 2] for part in unit.parts), reasons.get(at, slower))
        for at in range(len(units) - 1)
        if at not in inside
    ]


def _nodes(units: Sequence[Unit]) -> tuple[dict[tuple[int, int], Node], dict[int, str]]:
    """The layer for each run of two or more, its weights combined in the cheapest order; why neighbours have none."""
    nodes: dict[tuple[int, int], Node] = {}
    reasons: dict[int, str] = {}

    def side(start: int, stop: int) -> tuple[Node | int, Layer, float] | None:
        if start == stop:
            return start, units[start].layer, 0.0
        node = nodes.get((start, stop))
        return None if node is None else (node, node.found.layer, node.seconds)

    for length in range(2, min(len(units), MOST_UNITS) + 1):
        for start in range(len(units) - length + 1):
            stop = start + length - 1
            for cut in range(start, stop):
                one, two = side(start, cut), side(cut + 1, stop)
                if one is None or two is None:
                    continue
                made = fused(one[1], two[1])
                if isinstance(made, str):
                    if length == 2:
                        reasons[start] = made
                    continue
                seconds = one[2] + two[2] + combining(Tally.of(fusing_steps(made)).at({BATCH: 1}), DEFAULT)
                if (start, stop) not in nodes or seconds < nodes[start, stop].seconds:
                    nodes[start, stop] = Node(made, one[0], two[0], seconds)
    return nodes, reasons


def _renumbered(node: Node, start: int) -> Node:
    """A node whose units are counted from the first of its run."""

    def moved(side: Node | int) -> Node | int:
        return side - start if isinstance(side, int) else _renumbered(side, start)

    return Node(node.found, moved(node.earlier), moved(node.later), node.seconds)


def _cut(
    units: Sequence[Unit], files: Mapping[tuple[int, int], Comparison], sizes: Mapping[str, int]
) -> list[tuple[int, int]]:
    """The runs of two or more in the cheapest way to cut a chain at these sizes."""
    alone = [min(DEFAULT.predict(found, sizes).values(), default=0.0) for found in map(_ways, units)]
    best: list[tuple[float, list[tuple[int, int]]]] = [(0.0, [])]
    for stop in range(len(units)):
        seconds, runs = best[stop]
        choices = [(seconds + alone[stop], runs)]
        for start in range(stop):
            if (start, stop) in files:
                seconds, runs = best[start]
                whole = MARGIN * files[start, stop].seconds(sizes, DEFAULT)[1]
                choices.append((seconds + whole, [*runs, (start, stop)]))
        best.append(min(choices, key=lambda choice: choice[0]))
    return best[-1][1]


def _sizes(units: Sequence[Unit], n: int, batch: int) -> dict[str, int]:
    words = [word for unit in units for side in (unit.layer.source, unit.layer.target) for word in side.words]
    names = {wire.group.size for word in words for wire in word if isinstance(wire.group.size, str)}
    return dict.fromkeys(names, n) | {BATCH: batch}


def _bounds(first: Layer, compared: Comparison) -> tuple[int, int | None] | None:
    """From how many numbers in the input on it pays in a generated file, and up to how many; None: never."""
    won, lost = list[int](), list[int]()
    summand = first.source.summands[0]
    for n, batch in (*SAMPLES, LARGE):
        sizes = dict.fromkeys(compared.names, n) | {BATCH: batch}
        numbers = (
            batch
            * summand.channels
            * prod(wire.group.size if isinstance(wire.group.size, int) else n for wire in summand.word)
        )
        (won if compared.pays(sizes, DEFAULT) else lost).append(numbers)
    if not won:
        return None
    if not lost or max(won) >= max(lost):
        return max(lost, default=0) + 1, None
    return (1, min(lost)) if min(won) < min(lost) else None
