"""What it costs to combine the weights of layers that run as one: a call pays it once, whatever the batch."""

from __future__ import annotations

from collections.abc import Iterator

from catnn.category.scalar import Scalar
from catnn.plan.cost import Cost, Step
from catnn.plan.fusing import Fused, Meeting, Place


def fusing_steps(found: Fused) -> tuple[Step, ...]:
    """What it takes to make the weights, once a call: products of all pairs, and their sums."""
    return tuple(step for meeting in found.meetings for step in _steps(found, meeting))


def _steps(found: Fused, meeting: Meeting) -> Iterator[Step]:
    sizes = _channels(found)
    out = sizes[1, meeting.later][0] if meeting.later else sizes[0, meeting.earlier][0]
    in_ = sizes[0, meeting.earlier][1] if meeting.earlier else sizes[1, meeting.later][1]
    rows, upper, lower = meeting.shape
    block, shape, pattern = out * in_, f"{rows} x {out} x {in_}", f"{upper} x {lower} diagrams"
    if not (meeting.later and meeting.earlier):
        count = upper * lower
        yield Step("fuse", "take weights", f"{count} diagrams", shape, _cost(count * block, rows, rows * count * block))
        return
    middle = sizes[1, meeting.later][1]
    (first, between), second = products(meeting.shape, out, middle, in_)
    read = upper * out * middle + lower * middle * in_
    yield Step("fuse", "product", pattern, str(between), _cost(read, between, first))
    yield Step("fuse", "order", pattern, str(between), _cost(between, between, 0))
    yield Step("fuse", "product", f"{rows} diagrams", shape, _cost(between, rows * block, second))


def _cost(read: int, written: int, madds: int) -> Cost:
    return Cost(Scalar.of(read), Scalar.of(written), Scalar.of(madds))


def products(shape: Place, out: int, middle: int, in_: int) -> tuple[tuple[int, int], int]:
    """(multiply-adds, numbers in between) of the first product, multiply-adds of the second; see `_combined`."""
    rows, upper, lower = shape
    block = out * in_
    pairs = ((upper * lower * block * middle, upper * lower * block), rows * upper * lower * block)
    spread = ((rows * upper * lower * middle * in_, rows * upper * middle * in_), rows * upper * middle * block)
    return min(pairs, spread, key=lambda way: way[0][0] + way[0][1] + way[1])


def _channels(found: Fused) -> dict[tuple[int, str], tuple[int, int]]:
    """(outputs, inputs) of each parameter of the parts; a bias has one input."""
    sizes: dict[tuple[int, str], tuple[int, int]] = {}
    for at, layer in enumerate((found.earlier, found.later)):
        for o, out in enumerate(layer.target.summands):
            sizes[at, layer.bias_name(o)] = out.channels, 1
            for i, in_ in enumerate(layer.source.summands):
                sizes[at, layer.weight_name(o, i)] = out.channels, in_.channels
    return sizes
