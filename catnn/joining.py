"""Which layers of a network a call computes as one, what that costs, and what it would cost one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod

from catnn.category.scalar import ZERO, Scalar
from catnn.emit.roles import Roles, roles
from catnn.emit.sharing import Sharing, sharing
from catnn.model import Combine, Network, Pipeline, Stage, walk
from catnn.plan.build import plan_layer
from catnn.plan.chains import Chain, Comparison
from catnn.plan.cost import Cost, forward_steps, gradient_steps, total
from catnn.plan.dense import dense
from catnn.plan.rates import rates
from catnn.plan.virtual import Virtual
from catnn.plan.ways import ways
from catnn.program import Program


@dataclass(frozen=True)
class Joined:
    """Layers of a network that are one layer to a call, or could be.

    layers: their names; how: what becomes of them; uses: how often a call computes them so, 0 where it does not at
    these sizes; apart, whole: predicted seconds one by one and as one; forward, backward: the cost of a use.
    """

    layers: tuple[str, ...]
    how: str
    uses: int
    apart: float
    whole: float
    forward: Cost
    backward: Cost
    largest: Scalar

    @property
    def text(self) -> str:
        """The layers as they could be written: in a row, or on one tensor."""
        return (", " if "one tensor" in self.how else " ; ").join(self.layers)


def joined(network: Network, sizes: Mapping[str, int]) -> tuple[list[Joined], Roles, Sharing]:
    """What a network computes as one at these sizes, `batch` among them, and where."""
    shared = sharing(network)
    compared = [_compared(one) for one in shared.found]
    known = rates()

    def taken(number: int) -> bool:
        pays = compared[number].names <= sizes.keys() and compared[number].pays(sizes, known)
        return pays or not isinstance(shared.found[number], Chain)

    found, uses = roles(network, shared, taken), Counter[int]()
    for stage in leaves(network.body):
        uses.update([found.carries[id(stage)]] if id(stage) in found.carries else [])
    ones = [
        _joined(one, how, uses[at], compared[at].seconds(sizes, known), sizes)
        for at, (one, how) in enumerate(zip(shared.found, _kinds(shared), strict=True))
    ]
    return ones, found, shared


def leaves(body: Stage | Program) -> Iterator[Stage]:
    """What stands in a body, in reading order."""
    return (stage for stage in walk(body) if not isinstance(stage, Pipeline | Combine))


def _compared(one: Virtual | Chain) -> Comparison:
    """The ways to run layers one by one and as one."""
    if isinstance(one, Chain):
        return one.comparison
    apart = tuple(ways(plan_layer(part), dense(part)) for part in one.parts)
    return Comparison(apart, ways(one.plan, dense(one.layer)), (0, 0, 0, 0))


def _kinds(shared: Sharing) -> Iterator[str]:
    """What becomes of each that is computed as one."""
    for number, one in enumerate(shared.found):
        count = len(one.parts)
        if isinstance(one, Chain):
            pairs = sum(prod(meeting.shape[1:]) for node in one.top.nodes() for meeting in node.found.meetings)
            yield f"fused: {count} layers run as one, {pairs:,} pairs of diagrams composed"
        elif number in shared.pairs.values():
            yield "a fixed diagram composed with its neighbour"
        else:
            yield f"{count} layers that read one tensor reduce it once"


def _joined(
    one: Virtual | Chain, how: str, uses: int, seconds: tuple[float, float], sizes: Mapping[str, int]
) -> Joined:
    making = one.steps if isinstance(one, Chain) else ()
    steps, back = (*making, *forward_steps(one.plan)), (*making, *making, *gradient_steps(one.plan))
    written = [step.cost.written for step in steps if step.phase not in ("pack", "fuse")]
    size = max(written, key=lambda size: size.value(sizes), default=ZERO)
    names = tuple(part.name for part in one.parts)
    return Joined(names, how, uses, *seconds, total(s.cost for s in steps), total(s.cost for s in back), size)
