"""The ways to compute a layer: what each is counted as, and which is predicted to be the fastest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from catnn.plan.cost import BATCH, forward_steps
from catnn.plan.dense import Dense, dense_steps, multiply_adds
from catnn.plan.irreps import Irreps, irreps_steps
from catnn.plan.plan import Plan
from catnn.plan.rates import DEFAULT, DENSE, IN_C, IRREPS, STATEMENTS, Rates, Tally, in_c

SAMPLES = tuple((n, batch) for n in (1, 2, 3, 4, 6, 8, 12, 16, 24) for batch in (1, 4, 16, 64))
"""The sizes at which a generated file's own limit is set."""


def ways(plan: Plan, found: Dense | None, blocks: Irreps | None = None, *, library: bool = True) -> dict[str, Tally]:
    """The ways that there are and what each is counted as, forward; library: whether there is one in C."""
    steps = Tally.of(forward_steps(plan))
    result = {IN_C: replace(steps, blocks=(plan,))} if library and in_c(plan) else {}
    result[STATEMENTS] = steps
    if found is not None:
        result[DENSE] = Tally.of(dense_steps(found))
    if blocks is not None:
        result[IRREPS] = Tally.of(irreps_steps(blocks))
    return result


def fastest(ways: Mapping[str, Tally], sizes: Mapping[str, int], rates: Rates) -> str:
    """The way that is predicted to take the least time at these sizes, `batch` among them."""
    predicted = rates.predict(ways, sizes)
    return min(predicted, key=predicted.__getitem__)


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
        side = won if fastest(known, sizes, DEFAULT) == DENSE else lost
        side.append(int(work.value(sizes)))
    limit = min(lost) if lost else 2 * max(won)
    return limit - limit % int(10 ** max(0, len(str(limit)) - 2))
