"""Traces: what was rewritten, step by step, with everything that is needed to check it again.

A value is a list of terms, coefficient times diagram.  A step takes one of them, finds it to be C[left] and puts the
terms of C[right] in its place; like terms are then collected, loops become factors, and zeros go.  Every renumbering
that this takes is written down, so that replaying a trace needs no search.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from catnn.category.scalar import Scalar
from catnn.drawable import Drawable
from catnn.hypergraph.canonical import isomorphism
from catnn.hypergraph.graph import Hypergraph
from catnn.hypergraph.linear import Combination, Weighted, without_loops
from catnn.rewrite.context import Filled, Match, fill
from catnn.rewrite.rule import Rule

Renumbering = tuple[tuple[int, ...], tuple[int, ...]]
"""For each vertex, and for each box, the one that it is over there."""


@dataclass(frozen=True)
class Step:
    """One use of a rule.

    term: which term was rewritten; rule: in the direction in which it was used; context: the term with a hole where
    the left side was; placed: from C[left] to the term; terms: what there is afterwards, zeros too; collected: for
    each term of before that was not touched, then for each new one, which of `terms` it is and how.
    """

    rule: Rule
    term: int
    context: Hypergraph
    placed: Renumbering
    terms: Weighted
    collected: tuple[tuple[int, Renumbering], ...]

    @property
    def after(self) -> Weighted:
        """The terms that stay."""
        return tuple(pair for pair in self.terms if pair[0])


@dataclass(frozen=True)
class Trace(Drawable):
    """Steps one after the other.

    >>> from catnn.category.wires import Group, Wire
    >>> from catnn.hypergraph.box import Box
    >>> from catnn.hypergraph.graph import single
    >>> from catnn.hypergraph.linear import lift
    >>> V = Wire("V", Group("S", "n"))
    >>> Trace(lift(single(Box("f", (V,), (V,))))).end
    <combination V -> V, 1 terms>
    """

    start: Combination
    steps: tuple[Step, ...] = ()

    @property
    def end(self) -> Combination:
        """What the last step leaves."""
        if not self.steps:
            return self.start
        return Combination(self.start.source, self.start.target, self.steps[-1].after)

    def values(self) -> Iterator[Combination]:
        """What there was before the first step and after each."""
        yield self.start
        for step in self.steps:
            yield Combination(self.start.source, self.start.target, step.after)

    def then(self, step: Step) -> Trace:
        """The trace with one more step."""
        return Trace(self.start, (*self.steps, step))


def apply(rule: Rule, value: Combination, term: int, match: Match) -> Step:
    """The step that uses a rule at a match in one of the terms of a value."""
    coefficient, graph = value.weighted[term]
    filled = fill(match.context, rule.left)
    rest = _rest(len(graph.nodes), match.nodes)
    placed = _vertices(filled, match), (*rest, *match.nodes)
    raw = [pair for at, pair in enumerate(value.weighted) if at != term]
    raw += [(coefficient * c, fill(match.context, side).graph) for c, side in rule.right.weighted]
    terms, collected = _collect(raw)
    return Step(rule, term, match.context, placed, terms, collected)


def _rest(count: int, taken: tuple[int, ...]) -> tuple[int, ...]:
    gone = {*taken}
    return tuple(at for at in range(count) if at not in gone)


def _vertices(filled: Filled, match: Match) -> tuple[int, ...]:
    """For each vertex of C[left], the vertex of the term that it is."""
    found = [0] * len(filled.graph.wires)
    for new, old in zip((*filled.outer, *filled.inner), (*match.placed, *match.vertices), strict=True):
        found[new] = old
    return tuple(found)


def _collect(raw: list[tuple[Scalar, Hypergraph]]) -> tuple[Weighted, tuple[tuple[int, Renumbering], ...]]:
    """Loops as factors, like terms together."""
    bare = [without_loops(c, graph) for c, graph in raw]
    if len(bare) == 1:
        ((coefficient, graph, kept),) = bare
        return ((coefficient, graph),), ((0, (kept, tuple(range(len(graph.nodes))))),)
    number: dict[Hypergraph, int] = {}
    terms: list[tuple[Scalar, Hypergraph]] = []
    collected = []
    for coefficient, graph, kept in bare:
        at = number.setdefault(graph, len(terms))
        if at == len(terms):
            terms.append((coefficient, graph))
            same: Renumbering = (tuple(range(len(graph.wires))), tuple(range(len(graph.nodes))))
        else:
            total, one = terms[at]
            terms[at] = (total + coefficient, one)
            same = isomorphism(graph, one)
        vertices = tuple(-1 if v < 0 else same[0][v] for v in kept)
        collected.append((at, (vertices, same[1])))
    return tuple(terms), tuple(collected)


@dataclass(frozen=True)
class Proof(Drawable):
    """Two traces that meet: left and right are equal.

    meeting: for each term at the end of the left trace, which term of the right one it is, and how.
    """

    left: Trace
    right: Trace
    meeting: tuple[tuple[int, Renumbering], ...]

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules it uses, each once, as they were declared."""
        found: dict[str, Rule] = {}
        for step in (*self.left.steps, *self.right.steps):
            rule = step.rule if step.rule.forward else step.rule.reverse
            assert rule is not None
            found.setdefault(rule.name, rule)
        return tuple(found.values())


LONG, SMALL = 40, 3_000
"""Proofs with more steps, and those with fewer vertices and boxes in all, are looked through for a value where the two
sides meet before the end."""


def meet(left: Trace, right: Trace) -> Proof | None:
    """The proof that two traces are, if they end in one value; where they met long before, up to there."""
    if left.end != right.end:
        return None
    graphs = [graph for trace in (left, right) for value in trace.values() for _, graph in value.weighted]
    if len(left.steps) + len(right.steps) > LONG or sum(len(g.wires) + len(g.nodes) for g in graphs) < SMALL:
        first = {value: at for at, value in reversed(list(enumerate(right.values())))}
        at, common = next((at, value) for at, value in enumerate(left.values()) if value in first)
        left, right = Trace(left.start, left.steps[:at]), Trace(right.start, right.steps[: first[common]])
    number = {graph: at for at, (_, graph) in enumerate(right.end.weighted)}
    meeting = []
    for _, graph in left.end.weighted:
        at = number[graph]
        meeting.append((at, isomorphism(graph, right.end.weighted[at][1])))
    return Proof(left, right, tuple(meeting))
