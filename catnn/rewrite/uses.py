"""Uses of rules: every step that leads from a value, each paid for out of an effort."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from catnn.hypergraph.box import structure
from catnn.hypergraph.graph import Hypergraph
from catnn.hypergraph.linear import Combination
from catnn.rewrite.match import Effort, Index, apart, matches, together
from catnn.rewrite.rule import Law, Rule, Schema, arities
from catnn.rewrite.trace import Step, apply

APPLIED, COMPARED = 2, 30
"""What a step costs for every vertex and box, in the units of matching: alone, and where its result is looked up."""

SHARES, BARE = 8, 1_000
"""One rule may use up so small a part of the effort that is left, once in a term; and no more than this where it has
vertices that hang on no box, which may be anywhere."""

TRIED, COLLECTED = 4, 3
"""What it costs to begin with a rule, and to collect like terms, for every vertex and box of the whole value."""

MANY, MOST = 4, 1_000
"""In so many places or more, up to so many, a rule is used at once, in one step."""

LOOSE = 24
"""Of an instance with several vertices that hang on no box at most so many places are looked at."""


@dataclass(frozen=True, slots=True)
class Family:
    """A schema with the directions in which its instances are used.

    backward: from right to left, too, where the right side has every arity; shrinking: only where fewer boxes are left;
    everywhere: those, too, with several vertices that hang on no box, as some have where an arity is 0.
    """

    schema: Schema
    backward: bool = False
    shrinking: bool = False
    everywhere: bool = False

    def rules(self, possible: Iterable[int], effort: Effort) -> Iterator[Rule]:
        """The instances for some arities; what may be anywhere comes last, and is not looked for backwards."""
        loose: list[Rule] = []
        for chosen in self.schema.choices(possible):
            known = chosen in self.schema.made
            rule = self.schema.instance(chosen)
            if not known and not effort.spend(_making(rule)):
                return
            if rule is None:
                continue
            other = rule.reverse if self.backward and self.schema.is_determined else None
            for used in (rule, None if other is None or bare(other.left) > 1 else other):
                if used is None or (self.shrinking and not used.decreases):
                    continue
                if bare(used.left) > 1:
                    loose += [used] if self.everywhere or used.decreases else []
                else:
                    yield used
        yield from reversed(loose)


Way = Rule | Family
"""A law in one direction, or in those it is used in."""


def simplifying(laws: Iterable[Law]) -> Iterator[Way]:
    """Laws in the direction in which they simplify; those without one are left out."""
    for law in laws:
        if isinstance(law, Schema):
            yield Family(law, backward=not law.oriented, shrinking=not law.oriented)
        elif law.is_trivial:
            continue
        elif law.oriented or law.decreases:
            yield law
        elif law.reverse is not None and law.reverse.decreases:
            yield law.reverse


def both(laws: Iterable[Law]) -> Iterator[Way]:
    """Laws in every direction they have."""
    for law in laws:
        if isinstance(law, Schema):
            yield Family(law, backward=True, everywhere=True)
            continue
        yield law
        if not law.is_trivial and law.reverse is not None:
            yield law.reverse


def _making(rule: Rule | None) -> int:
    """What it costs to make an instance of a schema, and to see whether it says something."""
    return COMPARED * (8 if rule is None else size(rule.left) + sum(size(side) for _, side in rule.right.weighted))


def _rules(ways: Iterable[Way], graph: Hypergraph, effort: Effort) -> Iterator[Rule]:
    """The rules, and of schemas the instances that could match a diagram."""
    possible: set[int] = set()
    for way in ways:
        if isinstance(way, Rule):
            yield way
        else:
            possible = possible or arities(graph)
            yield from way.rules(possible, effort)


@dataclass(slots=True)
class _Looked:
    """A term as it was looked at: prepared for matching; barren: no rule applies."""

    index: Index
    barren: bool = False


Known = dict[int, _Looked]
"""The terms of a value that were looked at before, by identity."""


def first_use(value: Combination, ways: Iterable[Way], effort: Effort, known: Known) -> Step | None:
    """The first step of a simplification: of the first rule that applies to a term, everywhere if in many places.

    known: what is kept from one step to the next.
    """
    ways = tuple(ways)
    for at in known.keys() - {id(graph) for _, graph in value.weighted}:
        del known[at]
    for term, (_, graph) in enumerate(value.weighted):
        if id(graph) not in known:
            effort.spend(size(graph))
            known[id(graph)] = _Looked(Index(graph))
        here = known[id(graph)]
        if here.barren:
            continue
        hidden = False  # whether not all was looked at
        for rule in _rules(ways, graph, effort):
            if not effort.spend(TRIED):
                return None
            part = _part(rule, effort)
            step = None if rule.feeds_itself else _at_once(value, term, rule, here.index, part)
            match = None if step is not None else next(matches(rule.left, here.index, part), None)
            if step is not None or match is not None:
                if not effort.spend(_price(value, term, rule, APPLIED)):
                    return None
                return step if match is None else apply(rule, value, term, match)
            hidden |= part.left < 0
        here.barren = not hidden and effort.left >= 0
    return None


def uses(value: Combination, ways: Iterable[Way], effort: Effort, *, at_once: bool) -> Iterator[Step]:
    """Every step from a value: of a rule in many places at once, or in one place."""
    ways = tuple(ways)
    for term, (_, graph) in enumerate(value.weighted):
        effort.spend(size(graph))
        index = Index(graph)
        for rule in _rules(ways, graph, effort):
            if not effort.spend(TRIED):
                return
            part, price = _part(rule, effort), _price(value, term, rule, COMPARED)
            if at_once:
                step = _at_once(value, term, rule, index, part)
                if step is not None and effort.spend(price):
                    yield step
                continue
            found = matches(rule.left, index, part)
            for match in islice(found, LOOSE) if rule.origin is not None and bare(rule.left) > 1 else found:
                if not effort.spend(price):
                    return
                yield apply(rule, value, term, match)


def _at_once(value: Combination, term: int, rule: Rule, index: Index, effort: Effort) -> Step | None:
    """The step that uses a rule wherever it applies, if these are many places that can be rewritten to one term."""
    apt = len(rule.right.weighted) == 1 and index.has(rule.left, MANY) and not bare(rule.left)
    if not apt or any(structure(wire) == "plain" for wire in {*rule.left.wires}):
        return None
    places = apart(rule.left, index, effort)[:MOST]
    copied = len(places) * (size(rule.left) + size(rule.right.weighted[0][1]))
    if len(places) < MANY or not effort.spend(APPLIED * copied):
        return None
    many = rule.power(len(places))
    return apply(many, value, term, together(places, many.left))


def _part(rule: Rule, effort: Effort) -> Effort:
    return effort.part(SHARES, BARE if bare(rule.left) else effort.left)


def _price(value: Combination, term: int, rule: Rule, each: int) -> int:
    """What a step costs."""
    sides = [value.weighted[term][1], *(side for _, side in rule.right.weighted)]
    return each * sum(map(size, sides)) + COLLECTED * sum(size(graph) for _, graph in value.weighted)


def bare(graph: Hypergraph) -> int:
    """How many vertices hang on no box."""
    return len(graph.wires) - len({v for _, inputs, outputs in graph.nodes for v in (*inputs, *outputs)})


def size(graph: Hypergraph) -> int:
    """How much there is of a diagram to look at."""
    return 1 + len(graph.wires) + len(graph.nodes)
