"""Strategies: simplify until no rule applies, search for the cheapest form, prove two forms equal.

Every strategy has a budget and ends within it, with the best it has found and the reason why it stopped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import chain

from catnn.hypergraph.graph import Hypergraph
from catnn.hypergraph.linear import Combination
from catnn.rewrite.match import Effort, Index, matches
from catnn.rewrite.rule import Law, Rule, Schema, arities
from catnn.rewrite.trace import Proof, Step, Trace, apply, meet

APPLIED, COMPARED = 2, 30
"""What a step costs for every vertex and box, in the units of matching: alone, and where its result is looked up."""

Cost = Callable[[Combination], int]


@dataclass(frozen=True, slots=True)
class Budget:
    """When to stop.

    steps: rewriting steps of a simplification; states: values that a search looks at; effort: boxes that matching
    tries; size: the most boxes that a value may have.
    """

    steps: int = 1_000
    states: int = 2_000
    effort: int = 1_000_000
    size: int = 20_000


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
    directed = sorted(_directed(laws), key=lambda law: not (isinstance(law, Rule) and law.decreases))
    steps: list[Step] = []
    while True:
        step = next(_uses(value, directed, effort, widely=False), None)
        trace = Trace(trace.start, tuple(steps)) if step is None else trace
        if effort.left < 0:
            return Outcome(Trace(trace.start, tuple(steps)), False, "the matching took more effort than the budget has")
        if step is None:
            return Outcome(trace, True, "no rule applies")
        used[step.rule.name] += 1
        steps.append(step)
        value = Combination(value.source, value.target, step.after)
        reason = _exceeded(value, len(steps), budget, used)
        if reason:
            return Outcome(Trace(trace.start, tuple(steps)), False, reason)


def _exceeded(value: Combination, steps: int, budget: Budget, used: Counter[str]) -> str:
    name, times = used.most_common(1)[0]
    if steps >= budget.steps:
        return f"stopped after {steps:,} steps, {times:,} of them by `{name}`"
    found = sum(len(graph.nodes) for _, graph in value.weighted)
    if found > budget.size:
        return f"stopped at {found:,} boxes, after {times:,} uses of `{name}`"
    return ""


def _directed(laws: Iterable[Law]) -> Iterator[Law]:
    """The rules in the direction in which they simplify; those without one are left out."""
    for law in laws:
        if isinstance(law, Schema):
            if law.oriented:
                yield law
        elif law.is_trivial:
            continue
        elif law.oriented or law.decreases:
            yield law
        elif law.reverse is not None and law.reverse.decreases:
            yield law.reverse


def _rules(laws: Iterable[Law], graph: Hypergraph) -> Iterator[Rule]:
    """The rules, and of schemas the instances that could match a diagram."""
    possible: set[int] = set()
    for law in laws:
        if isinstance(law, Rule):
            yield law
        else:
            possible = possible or arities(graph)
            yield from law.instances(possible)


def _uses(value: Combination, laws: Iterable[Law], effort: Effort, *, widely: bool) -> Iterator[Step]:
    """Every step from a value; widely: at every match, not at the first of a rule in a term alone."""
    laws = tuple(laws)
    indices = [Index(graph) for _, graph in value.weighted]
    for term, index in enumerate(indices):
        for rule in _rules(laws, index.graph):
            sides = [index.graph, *(graph for _, graph in rule.right.weighted)]
            price = (COMPARED if widely else APPLIED) * sum(1 + len(graph.wires) + len(graph.nodes) for graph in sides)
            for match in matches(rule.left, index, effort):
                if not effort.spend(price):
                    return
                yield apply(rule, value, term, match)
                if not widely:
                    break


# ------------------------------------------------------------------------------------------------------------ search


@dataclass(frozen=True)
class _Seen:
    """A value of a search: the step that led to it, and from where."""

    value: Combination
    step: Step | None
    parent: Combination | None
    depth: int


class _Search:
    """Best first from one value, over the rules in both directions."""

    def __init__(self, start: Combination, laws: Iterable[Law], cost: Cost, budget: Budget, effort: Effort) -> None:
        self.start, self.cost, self.budget, self.effort = start, cost, budget, effort
        self.laws = tuple(_both(laws))
        self.seen = {start: _Seen(start, None, None, 0)}
        self.queue: list[tuple[int, int, Combination]] = [(cost(start), 0, start)]
        self.count = 0

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
        for depth, step in enumerate(trace.steps, 1):
            value = Combination(here.source, here.target, step.after)
            self.keep(value, step, self.seen[here].value, depth)
            if value not in self.seen:  # too large, as is what follows from it
                return
            here = value

    def keep(self, value: Combination, step: Step, parent: Combination, depth: int) -> bool:
        if value in self.seen or sum(len(graph.nodes) for _, graph in value.weighted) > self.budget.size:
            return False
        self.seen[value] = _Seen(value, step, parent, depth)
        self.count += 1
        heappush(self.queue, (self.cost(value) + 4 * depth, self.count, value))
        return True

    def expand(self) -> Iterator[Combination]:
        """The new values one step from the most promising one."""
        _, _, value = heappop(self.queue)
        here = self.seen[value]  # the value whose numbering the next step starts from
        for step in _uses(here.value, self.laws, self.effort, widely=True):
            after = Combination(value.source, value.target, step.after)
            if self.keep(after, step, here.value, here.depth + 1):
                yield after
            if len(self.seen) >= self.budget.states:
                return

    @property
    def is_spent(self) -> bool:
        """Whether the budget is used up, or nothing is left to look at."""
        return not self.queue or len(self.seen) >= self.budget.states or self.effort.left < 0


def _both(laws: Iterable[Law]) -> Iterator[Law]:
    """Every rule in every direction it has."""
    for law in laws:
        yield law
        if isinstance(law, Rule) and not law.is_trivial and law.reverse is not None:
            yield law.reverse


def search(value: Combination, laws: Iterable[Law], cost: Cost = boxes, budget: Budget | None = None) -> Outcome:
    """The cheapest value that the rules lead to, in either direction, as far as the budget goes."""
    budget = budget or Budget()
    found = _Search(value, laws, cost, budget, Effort(budget.effort))
    best = value
    while not found.is_spent:
        for after in found.expand():
            if cost(after) < cost(best):
                best = after
    finished = not found.queue
    reason = "everything was looked at" if finished else f"stopped after {len(found.seen):,} values"
    return Outcome(found.trace(best), finished, reason)


def normalise(left: Combination, right: Combination, laws: Iterable[Law]) -> tuple[Trace, Trace]:
    """The traces of two values to what oriented rules make of them, on a small budget."""
    few, laws = Budget(steps=200, effort=100_000), tuple(laws)
    return simplify(left, laws, few).trace, simplify(right, laws, few).trace


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
    budget = budget or Budget()
    laws = tuple(laws)
    reduced = reduced or normalise(left, right, laws)
    proof = meet(*reduced)
    if proof is not None or not laws:
        return proof
    effort = Effort(budget.effort)
    sides = [_Search(side, laws, boxes, budget, effort) for side in (left, right)]
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
    if common is None:
        return None
    return meet(sides[0].trace(common), sides[1].trace(common))


def laws_of(rules: Iterable[Law], *more: Iterable[Law]) -> tuple[Law, ...]:
    """Rules of several places in one tuple, those that say nothing left out."""
    return tuple(law for law in chain(rules, *more) if isinstance(law, Schema) or not law.is_trivial)
