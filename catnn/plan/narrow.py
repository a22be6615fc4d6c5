"""Mixing channels at the outer end of a plan: before reducing, where few channels come out, or after expanding.

Weights act on channels, moves on axes, so they commute.  A plan reduces all channels of x and mixes what is left; where
the outputs have far fewer channels, one product mixes x itself into what every half and permutation needs, and all
moves run on few channels: x is read once.  Where the inputs have far fewer, they are reduced and expanded to every
pattern of the output, side by side in the channels, and one product writes y: y is written once.

The moves, permutations and weights are those of the plan, which is proved; what is checked here is that each of
them is met once, in its place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from catnn.category.half import Half
from catnn.category.scalar import ZERO, Scalar
from catnn.category.wires import Type, Word
from catnn.model import Layer
from catnn.plan.cost import Cost, Step, volume
from catnn.plan.cost import shape as shown
from catnn.plan.moves import Move, full
from catnn.plan.plan import Column, Plan, Product, Row
from catnn.plan.prove import UnsoundPlanError

MOST_DIAGRAMS = 256
"""Layers with more diagrams are not mixed so: there are too many patterns to be side by side."""

MOVES = frozenset({"diagonal", "sum", "trace"})


@dataclass(frozen=True, slots=True)
class Slot:
    """Some channels of an outer tensor: those of a product and a permutation, at a half.

    half: of the outer summand; product, sigma: by number; place: the number of the row, or column, that the half is.
    """

    half: Half
    product: int
    sigma: int
    place: int


@dataclass(frozen=True, slots=True)
class Span:
    """The channels of a half: from `start` its own, from `own` those of the halves that come from it, up to `end`."""

    start: int
    own: int
    end: int

    @property
    def size(self) -> int:
        """How many channels there are together; none where nothing but a bias is written."""
        return self.end - self.start


@dataclass(frozen=True, eq=False)
class Narrow:
    """A plan that mixes at its outer end.

    last: whether that is the end of the outputs; slots[j], spans[j]: the channels of outer summand j, in order, and
    where those of each half are.
    """

    plan: Plan
    last: bool
    slots: tuple[tuple[Slot, ...], ...]
    spans: tuple[Mapping[Half, Span], ...]

    @property
    def outer(self) -> Type:
        """The side whose tensors are mixed."""
        return self.plan.target if self.last else self.plan.source

    @property
    def trees(self) -> tuple[tuple[Move, ...], ...]:
        """The moves of that side."""
        return self.plan.writes if self.last else self.plan.reads

    def width(self, product: int) -> int:
        """The channels of a slot of a product: those of its columns together, or of its rows."""
        return widths(self.plan, last=self.last)[product]


def outer_places(product: Product, *, last: bool) -> tuple[Row | Column, ...]:
    """The rows or columns of a product on the outer side."""
    return product.columns if last else product.rows


def inner_places(product: Product, *, last: bool) -> tuple[Row | Column, ...]:
    """Those on the inner side."""
    return product.rows if last else product.columns


def widths(plan: Plan, *, last: bool) -> list[int]:
    """For each product the channels on the inner side."""
    found = []
    for product in plan.products:
        if last:
            found.append(sum(plan.source.summands[row.summand].channels for row in product.rows))
        else:
            found.append(sum(plan.target.summands[column.summand].channels for column in product.columns))
    return found


def narrow(plan: Plan, *, last: bool) -> Narrow | None:
    """The plan, mixed at the outer end; None where it has other moves than sums and diagonals.

    last: at the end of the outputs.  Where the inner side has not fewer channels there is nothing to gain; where it
    has, there are no fixed diagrams, which have as many on both.
    """
    outer, inner = (plan.target, plan.source) if last else (plan.source, plan.target)
    if any(move.op not in MOVES for side in (plan.reads, plan.writes) for moves in side for move in moves):
        return None
    if any(product.scale for product in plan.products) or not plan.products:
        return None
    if sum(len(product.entries) for product in plan.products) > MOST_DIAGRAMS:
        return None
    if max(s.channels for s in inner.summands) >= min(s.channels for s in outer.summands):
        return None
    found = [_ordered(plan, j, last=last) for j in range(len(outer.summands))]
    if not all(slots for slots, _ in found):
        return None
    return Narrow(plan, last, tuple(slots for slots, _ in found), tuple(spans for _, spans in found))


def _ordered(plan: Plan, summand: int, *, last: bool) -> tuple[tuple[Slot, ...], dict[Half, Span]]:
    """The slots of an outer summand, each half's own before those of the halves that come from it."""
    word = (plan.target if last else plan.source).words[summand]
    moves = (plan.writes if last else plan.reads)[summand]
    own: dict[Half, list[Slot]] = {}
    for p, product in enumerate(plan.products):
        for place, found in enumerate(outer_places(product, last=last)):
            if found.summand == summand:
                slots = [Slot(found.half, p, s, place) for s in range(len(product.sigmas))]
                own.setdefault(found.half, []).extend(slots)
    inner = widths(plan, last=last)
    slots_, spans = list[Slot](), dict[Half, Span]()

    def visit(half: Half, start: int) -> int:
        here = own.get(half, [])
        slots_.extend(here)
        middle = end = start + sum(inner[slot.product] for slot in here)
        for move in moves:
            if move.fine == half:
                end = visit(move.coarse, end)
        spans[half] = Span(start, middle, end)
        return end

    visit(full(word), 0)
    return tuple(slots_), spans


# ------------------------------------------------------------------------------------------------------------- proof


def prove_narrow(found: Narrow, layer: Layer) -> None:
    """Check that every row (or column) of every product is met once with each permutation, at its half.

    Then the form is its plan with the products moved outwards.  Raises: UnsoundPlanError.
    """
    plan = found.plan
    wanted = Counter(
        (place.summand, Slot(place.half, p, s, at))
        for p, product in enumerate(plan.products)
        for at, place in enumerate(outer_places(product, last=found.last))
        for s in range(len(product.sigmas))
    )
    if Counter((j, slot) for j, slots in enumerate(found.slots) for slot in slots) != wanted:
        raise UnsoundPlanError(f"{layer.name}: mixed at its end, it does not meet every product once")
    inner = widths(plan, last=found.last)
    for j, (slots, spans, moves) in enumerate(zip(found.slots, found.spans, found.trees, strict=True)):
        at, places = 0, Counter[Half]()
        for slot in slots:
            if not spans[slot.half].start <= at <= spans[slot.half].own - inner[slot.product]:
                raise UnsoundPlanError(f"{layer.name}: channels {at} of summand {j} are not those of {slot.half}")
            at += inner[slot.product]
            places[slot.half] += inner[slot.product]
        if spans[full(found.outer.words[j])] != Span(0, places[full(found.outer.words[j])], at):
            raise UnsoundPlanError(f"{layer.name}: summand {j} has {at} channels")
        for half, span in spans.items():
            parts = [spans[move.coarse] for move in moves if move.fine == half]
            starts = [span.own, *(part.end for part in parts)]
            if span.own - span.start != places[half] or starts != [*(part.start for part in parts), span.end]:
                raise UnsoundPlanError(f"{layer.name}: the channels of {half} do not follow each other")


# -------------------------------------------------------------------------------------------------------------- cost


def narrow_steps(found: Narrow) -> tuple[Step, ...]:
    """What runs: one product an outer summand, every move on few channels."""
    return tuple(_last_steps(found) if found.last else _first_steps(found))


def _first_steps(found: Narrow) -> Iterator[Step]:
    plan = found.plan
    for summand, spans, moves in zip(plan.source.summands, found.spans, plan.reads, strict=True):
        yield from _mixed(summand.word, spans, summand.channels, last=False)
        for move in moves:
            yield _moved("reduce", move, spans[move.coarse].size, up=False)
    yield from _met(found)
    for summand, moves in zip(plan.target.summands, plan.writes, strict=True):
        for move in moves:
            yield _moved("expand", move, summand.channels, up=True)


def _last_steps(found: Narrow) -> Iterator[Step]:
    plan = found.plan
    for summand, moves in zip(plan.source.summands, plan.reads, strict=True):
        for move in moves:
            yield _moved("reduce", move, summand.channels, up=False)
    yield from _met(found)
    for summand, spans, moves in zip(plan.target.summands, found.spans, plan.writes, strict=True):
        for move in moves:
            if spans[move.coarse].size:
                yield _moved("expand", move, spans[move.coarse].size, up=True)
        yield from _mixed(summand.word, spans, summand.channels, last=True)
    for constant in plan.constants:
        summand = plan.target.summands[constant.column.summand]
        size = volume(summand.word, summand.channels)
        yield Step("expand", "bias", "", shown(summand.word, summand.channels), Cost(size, size, size))


def _mixed(word: Word, spans: Mapping[Half, Span], channels: int, *, last: bool) -> Iterator[Step]:
    """The weights side by side, and the product with the whole tensor."""
    width = spans[full(word)].end
    matrix = Scalar.of(width * channels)
    yield Step("pack", "gather weights", "", f"{width} x {channels}", Cost(matrix, matrix))
    wide, few = volume(word, channels), volume(word, width)
    read, written = (few, wide) if last else (wide, few)
    cost = Cost(read + matrix, written, volume(word, channels * width))
    sides = (width, channels) if last else (channels, width)
    yield Step("mix", "product", f"{sides[0]} -> {sides[1]} channels", shown(word, sides[1]), cost)


def _met(found: Narrow) -> Iterator[Step]:
    """The axes of every slot in their order, and what meets there."""
    for product, width in zip(found.plan.products, widths(found.plan, last=found.last), strict=True):
        size = volume(product.level, width)
        places = len(outer_places(product, last=found.last))
        for _ in range(places * len(product.sigmas)):
            yield Step("mix", "permute", "", shown(product.level, width), Cost(size, size, size))


def _moved(phase: str, move: Move, channels: int, *, up: bool) -> Step:
    """A move on some channels; a diagonal is a view downwards, and a tensor of zeros upwards."""
    fine, coarse = volume(move.fine.level, channels), volume(move.coarse.level, channels)
    if up:
        cost = Cost(coarse, fine + fine, ZERO)
    else:
        cost = Cost() if move.op == "diagonal" else Cost(fine, coarse, fine)
    return Step(phase, move.op, str(move.coarse), shown(move.coarse.level, channels), cost)
