"""The ways to compute a layer: what each is counted as, and which is predicted to be the fastest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from catnn.category.scalar import ZERO, Scalar
from catnn.model import Layer
from catnn.plan.build import plan_layer
from catnn.plan.cost import BATCH, forward_steps, volume
from catnn.plan.dense import Dense, dense, dense_steps, matrices, multiply_adds
from catnn.plan.irreps import Irreps, between, irreps, irreps_steps
from catnn.plan.lower import lowered
from catnn.plan.narrow import Narrow, narrow, narrow_steps, prove_narrow
from catnn.plan.plan import Plan
from catnn.plan.rates import DEFAULT, DENSE, FIRST, IN_C, IRREPS, LAST, STATEMENTS, Rates, Tally, chosen, in_c

SAMPLES = tuple((n, batch) for n in (1, 2, 3, 4, 6, 8, 12, 16, 24) for batch in (1, 4, 16, 64))
"""The sizes at which a generated file's own limit is set."""


@dataclass(frozen=True, eq=False)
class Forms:
    """What a layer can be run as: its plans, one matrix, irreducible parts, channels mixed first or last.

    is_complex: whether its tensors are, so that there is no way in C.
    """

    plans: tuple[Plan, ...]
    dense: Dense | None = None
    irreps: Irreps | None = None
    first: Narrow | None = None
    last: Narrow | None = None
    is_complex: bool = False

    def ways(self, *, library: bool = True) -> dict[str, Tally]:
        """The ways that there are and what each is counted as, forward; library: whether there is one in C."""
        steps = Tally.of(step for plan in self.plans for step in forward_steps(plan))
        sides = [summand for plan in self.plans for summand in plan.target.summands]
        outputs = sum((volume(s.word, s.channels) for s in sides), ZERO)
        result: dict[str, Tally] = {}
        if library and not self.is_complex and all(in_c(plan) for plan in self.plans):
            result[IN_C] = replace(steps, blocks=self.plans, outputs=outputs)
        result[STATEMENTS] = replace(steps, stated=self.plans)
        if self.dense is not None:
            tally, kept = Tally.of(dense_steps(self.dense)), matrices(self.dense)
            result[DENSE] = replace(tally, between=partial(_value, kept), outputs=outputs)
        if self.irreps is not None:
            form, tally = self.irreps, Tally.of(irreps_steps(self.irreps))
            whole = sum((volume(s.word, s.channels) for s in form.target.summands), ZERO)
            result[IRREPS] = replace(tally, between=partial(between, form), outputs=whole)
        for way, found in ((FIRST, self.first), (LAST, self.last)):
            if found is not None:
                result[way] = Tally.of(narrow_steps(found))
        return result


def _value(numbers: Scalar, sizes: Mapping[str, int]) -> int:
    return int(numbers.value(sizes))


def forms_of(layer: Layer, plans: tuple[Plan, ...] | None = None) -> Forms:
    """All forms of a layer; plans: those of its parts, where they are there already.

    Those that no generated file has are compared with the layer, or proved, here.

    Raises: UnsoundPlanError for a form that does not compute the layer, a defect of catnn.
    """
    parts = lowered(layer)
    plans = plans if plans is not None else tuple(plan_layer(part.layer) for part in parts)
    if [part.layer for part in parts] != [layer]:
        return Forms(plans, irreps=irreps(layer), is_complex=layer.is_complex)
    first, last = (None if layer.is_complex else narrow(plans[0], last=at) for at in (False, True))
    for end in (first, last):
        if end is not None:
            prove_narrow(end, layer)
    return Forms(plans, dense(layer), irreps(layer), first, last, layer.is_complex)


def ways(plan: Plan, found: Dense | None, *, library: bool = True) -> dict[str, Tally]:
    """The ways of a plan, and of one matrix if there is that."""
    return Forms((plan,), found).ways(library=library)


def fastest(ways: Mapping[str, Tally], sizes: Mapping[str, int], rates: Rates) -> str:
    """The way that is predicted to take the least time at these sizes, `batch` among them; memory is weighed, too."""
    return chosen(rates.predict(ways, sizes), [way for way, tally in ways.items() if tally.large(sizes)])


def few(found: Dense, plan: Plan) -> int:
    """Up to so many multiply-adds the dense form is the faster way to run a generated file, which has no C.

    The fewest of any sample at which it is not predicted to be; to two digits.
    """
    known, work = ways(plan, found, library=False), multiply_adds(found)
    words = (*plan.source.words, *plan.target.words)
    names = {wire.group.size for word in words for wire in word if isinstance(wire.group.size, str)}
    lost, won = list[int](), [0]
    for n, batch in SAMPLES:
        sizes = dict.fromkeys(names, n) | {BATCH: batch}
        predicted = DEFAULT.predict(known, sizes)
        side = won if min(predicted, key=predicted.__getitem__) == DENSE else lost
        side.append(int(work.value(sizes)))
    limit = min(lost) if lost else 2 * max(won)
    return limit - limit % int(10 ** max(0, len(str(limit)) - 2))
