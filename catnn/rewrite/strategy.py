"""Strategies: simplify until no rule applies, search for the cheapest form, prove two forms equal.

Every strategy has a budget and ends within it, with the best it has found and the reason why it stopped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import chain

from catnn.hypergraph.linear import Combination
from catnn.rewrite.match import Effort
from catnn.rewrite.rule import Law, Rule, Schema
from catnn.rewrite.trace import LONG, Proof, Step, Trace, meet
from catnn.rewrite.uses import Known, both, first_use, simplifying, uses

Cost = Callable[[Combination], int]


@dataclass(frozen=True, slots=True)
class Budget:
    """When to stop.

    steps: rewriting steps of a simplification, those left out that leave fewer boxes; states: values that a search
    looks at; effort: boxes that matching tries; size: the most boxes that a value may have; growth: how many boxes more
    than at the start, None for any number.
    """

    steps: int = 1_000
    states: int = 2_000
    effort: int = 1_000_000
    size: int = 20_000
    growth: int | None = None


CHECKED = Budget(states=1_000, effort=250_000, growth=2)
"""For a `check`: a quarter of a second at most, where matching is slow a second."""


def times(budget: Budget, factor: int) -> Budget:
    """A budget for a search that goes further.

    >>> times(Budget(effort=10, growth=4), 3)
    Budget(steps=3000, states=6000, effort=30, size=20000, growth=12)
    """
    growth = None if budget.growth is None else budget.growth * factor
    return Budget(budget.steps * factor, budget.states * factor, budget.effort * factor, budget.size, growth)


@dataclass(frozen=True)
class Outcome:
    """What a strategy found: the trace that leads there, and why it stopped; `finished` if nothing is left to do."""

    trace: Trace
    finished: bool
    reason: str

    @property
    def value(self) -> Combination:
        """The value that was found."""
        return self.trace.end


def count(value: Combination) -> int:
    """The boxes of a value."""
    return sum(len(graph.nodes) for _, graph in value.weighted)


def boxes(value: Combination) -> int:
    """The cost of a value unless one says otherwise: its boxes, then their legs."""
    graphs = [graph for _, graph in value.weighted]
    legs = sum(len(node.inputs) + len(node.outputs) for graph in graphs for node in graph.nodes)
    return 64 * sum(len(graph.nodes) for graph in graphs) + legs + len(graphs)


def simplify(value: Combination, laws: Iterable[Law], budget: Budget | None = None) -> Outcome:
    """Use oriented rules until none applies.

    Rules of which every use leaves fewer boxes come first and always come to an end; the others are counted.  A rule
    without an orientation is used in the direction that leaves fewer boxes, if there is one.
    """
    budget = budget or Budget()
    effort = Effort(budget.effort)
    trace, used = Trace(value), Counter[str]()
    directed = sorted(simplifying(laws), key=lambda law: not (isinstance(law, Rule) and law.decreases))
    known: Known = {}
    steps, counted = list[Step](), 0
    while True:
        step = first_use(value, directed, effort, known)
        trace = Trace(trace.start, tuple(steps)) if step is None else trace
        if effort.left < 0:
            return Outcome(Trace(trace.start, tuple(steps)), False, "the matching took more effort than the budget has")
        if step is None:
            return Outcome(trace, True, "no rule applies")
        used[step.rule.base.name] += 1
        steps.append(step)
        value = Combination(value.source, value.target, step.after)
        counted += not step.rule.decreases
        reason = _exceeded(value, counted, budget, used)
        if reason:
            return Outcome(Trace(trace.start, tuple(steps)), False, reason)


def _exceeded(value: Combination, steps: int, budget: Budget, used: Counter[str]) -> str:
    name, times = used.most_common(1)[0]
    if steps >= budget.steps:
        return f"stopped after {steps:,} steps, {times:,} of them by `{name}`"
    found = count(value)
    if found > budget.size:
        return f"stopped at {found:,} boxes, after {times:,} uses of `{name}`"
    return ""


# ------------------------------------------------------------------------------------------------------------ search


@dataclass(frozen=True)
class _Seen:
    """A value of a search: the step that led to it, and from where."""

    value: Combination
    step: Step | None
    parent: Combination | None
    depth: int


class _Search:
    """Best first from one value, over the rules in both directions.

    size: the most boxes that a value may have; cut: whether there was one with more.
    """

    def __init__(
        self, start: Combination, laws: Iterable[Law], cost: Cost, budget: Budget, effort: Effort, size: int
    ) -> None:
        self.start, self.cost, self.budget, self.effort, self.size = start, cost, budget, effort, size
        self.cut = False
        self.laws = tuple(both(laws))
        self.seen = {start: _Seen(start, None, None, 0)}
        self.queue: list[tuple[int, int, bool, Combination]] = [(cost(start), 0, True, start)]
        self.number = 0

    def trace(self, value: Combination) -> Trace:
        """How a value was reached."""
        steps: list[Step] = []
        found = self.seen[value]
        while found.step is not None and found.parent is not None:
            steps.append(found.step)
            found = self.seen[found.parent]
        return Trace(self.start, tuple(reversed(steps)))

    def add(self, trace: Trace) -> None:
        """Take over what another strategy found."""
        here = trace.start
        if len(trace.steps) > LONG:  # to look every value up would take longer than all the rest
            return
        for depth, step in enumerate(trace.steps, 1):
            value = Combination(here.source, here.target, step.after)
            self.keep(value, step, self.seen[here].value, depth)
            if value not in self.seen:  # too large, as is what follows from it
                return
            here = value

    def keep(self, value: Combination, step: Step, parent: Combination, depth: int) -> bool:
        if count(value) > self.size:
            self.cut = True
            return False
        if value in self.seen:
            return False
        self.seen[value] = _Seen(value, step, parent, depth)
        self.number += 1
        heappush(self.queue, (self.cost(value) + 4 * depth, self.number, True, value))
        return True

    def expand(self) -> Iterator[Combination]:
        """The new values one step from the most promising one: of rules in many places, later in one place."""
        cost, _, at_once, value = heappop(self.queue)
        here = self.seen[value]  # the value whose numbering the next step starts from
        if at_once:
            self.number += 1
            heappush(self.queue, (cost, self.number, False, value))
        for step in uses(here.value, self.laws, self.effort, at_once=at_once):
            after = Combination(value.source, value.target, step.after)
            if self.keep(after, step, here.value, here.depth + 1):
                yield after
            if len(self.seen) >= self.budget.states:
                return

    @property
    def is_spent(self) -> bool:
        """Whether the budget is used up, or nothing is left to look at."""
        return not self.queue or len(self.seen) >= self.budget.states or self.effort.left < 0


def search(value: Combination, laws: Iterable[Law], cost: Cost = boxes, budget: Budget | None = None) -> Outcome:
    """The cheapest value that the rules lead to, in either direction, as far as the budget goes."""
    budget, laws = budget or Budget(), tuple(laws)
    found = _Search(value, laws, cost, budget, Effort(budget.effort), _most_boxes(budget, laws, value))
    best = value
    while not found.is_spent:
        for after in found.expand():
            if cost(after) < cost(best):
                best = after
    finished = not found.queue and not found.cut
    reason = "everything was looked at" if finished else f"stopped after {len(found.seen):,} values"
    if found.cut and not found.queue:
        reason = f"everything of up to {found.size:,} boxes was looked at"
    return Outcome(found.trace(best), finished, reason)


def _most_boxes(budget: Budget, laws: Iterable[Law], *values: Combination) -> int:
    """The most boxes that a search may come to: those of its start, and of some uses of the rules that grow most."""
    if budget.growth is None:
        return budget.size
    sides = [(len(law.left.nodes), count(law.right)) for law in laws if isinstance(law, Rule)]
    most = max((abs(right - left) for left, right in sides), default=0)
    return min(budget.size, max(map(count, values)) + budget.growth * max(most, 1))


def normalise(left: Combination, right: Combination, laws: Iterable[Law], factor: int = 1) -> tuple[Outcome, Outcome]:
    """What oriented rules make of two values, on a small budget; factor: on one so much larger."""
    few, laws = times(Budget(steps=200, effort=100_000), factor), tuple(laws)
    return simplify(left, laws, few), simplify(right, laws, few)


@dataclass(frozen=True, slots=True)
class Attempt:
    """How a search for a proof went.

    values: how many it looked at on the two sides; boxes: the most that they might have; exhausted: whether these were
    all there are with so many boxes; complete: and none has more.
    """

    proof: Proof | None
    values: tuple[int, int] = (1, 1)
    boxes: int = 0
    exhausted: bool = True
    complete: bool = True


def prove(
    left: Combination,
    right: Combination,
    laws: Iterable[Law],
    budget: Budget | None = None,
    reduced: tuple[Trace, Trace] | None = None,
) -> Proof | None:
    """A proof that two values are equal: by their normal forms, then by the rules, searched from both sides.

    reduced: what `normalise` found, if that was asked already.  None where the budget ends first, or where the rules
    lead nowhere else.
    """
    return attempt(left, right, laws, budget, reduced).proof


def attempt(
    left: Combination,
    right: Combination,
    laws: Iterable[Law],
    budget: Budget | None = None,
    reduced: tuple[Trace, Trace] | None = None,
) -> Attempt:
    """The same, with how far it went."""
    budget = budget or Budget()
    laws = tuple(laws)
    if reduced is None:
        first, second = normalise(left, right, laws)
        reduced = first.trace, second.trace
    proof = meet(*reduced)
    if proof is not None or not laws:
        return Attempt(proof)
    far = 12 + 3 * max(count(left), count(right))  # what has run away by then is not gone after
    ends = [trace.end for trace in reduced if count(trace.end) <= far]
    most = _most_boxes(budget, laws, left, right, *ends)
    effort = Effort(budget.effort)
    sides = [_Search(side, laws, boxes, budget, effort, most) for side in (left, right)]
    for side, trace in zip(sides, reduced, strict=True):
        side.add(trace)
    common = next((value for value in sides[0].seen if value in sides[1].seen), None)
    while common is None and not all(side.is_spent for side in sides):
        for one, other in (sides, sides[::-1]):
            if one.is_spent:
                continue
            common = next((value for value in one.expand() if value in other.seen), None)
            if common is not None:
                break
    proof = None if common is None else meet(sides[0].trace(common), sides[1].trace(common))
    exhausted = effort.left >= 0 and not any(side.queue for side in sides)
    complete = exhausted and not any(side.cut for side in sides)
    return Attempt(proof, (len(sides[0].seen), len(sides[1].seen)), most, exhausted, complete)


def laws_of(rules: Iterable[Law], *more: Iterable[Law]) -> tuple[Law, ...]:
    """Rules of several places in one tuple, those that say nothing left out."""
    return tuple(law for law in chain(rules, *more) if isinstance(law, Schema) or not law.is_trivial)
