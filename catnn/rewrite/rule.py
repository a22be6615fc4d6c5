"""Rules: two diagrams that are equal, the left one being what is looked for.

A rule is data, a line each.  A `Schema` is a rule for every choice of some arities, as in `k ; spider[1,q] => k^q`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

from catnn.category.scalar import ONE
from catnn.diagnostics import CatnnError
from catnn.drawable import Drawable
from catnn.hypergraph.graph import Hypergraph, tensor_all
from catnn.hypergraph.linear import Combination, combination, lift, tensor
from catnn.rewrite.sketch import Sketch, TooMany, names, raw

FEW = 6
"""Arities up to this are always tried, and those that are at most so many below a number of ends."""

MOST_INSTANCES = 200
"""At most so many choices of arities of one schema are tried on a diagram."""


@dataclass(frozen=True)
class Rule(Drawable):
    """left = right, used from left to right; right may be a sum.

    law: what it says, in the words of its declaration; oriented: whether it may be used in one direction only when a
    diagram is simplified; forward: whether this is the direction in which it was written; origin: the schema that it is
    an instance of, and for which arities; or the rule of which it is so many copies side by side.
    Raises: ValueError if the two sides are not parallel.
    """

    name: str
    left: Hypergraph
    right: Combination
    oriented: bool = True
    law: str = field(default="", compare=False)
    forward: bool = True
    origin: tuple[Law, tuple[int, ...]] | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if (self.left.source, self.left.target) != (self.right.source, self.right.target):
            raise ValueError(f"{self.name}: the sides of a rule are parallel")

    @cached_property
    def is_trivial(self) -> bool:
        """Whether both sides are one diagram."""
        return lift(self.left) == self.right

    @cached_property
    def decreases(self) -> bool:
        """Whether every use leaves fewer boxes: such rules alone always come to an end."""
        return all(len(graph.nodes) < len(self.left.nodes) for _, graph in self.right.weighted)

    @cached_property
    def feeds_itself(self) -> bool:
        """Whether a use may leave what the next one takes, and no fewer boxes: used everywhere, it would run away."""
        needed = Counter(self.left.boxes)
        return not self.decreases and any(needed <= Counter(graph.boxes) for _, graph in self.right.weighted)

    @cached_property
    def reverse(self) -> Rule | None:
        """The rule from right to left, where the right side is one diagram with an invertible coefficient."""
        if len(self.right.weighted) != 1:
            return None
        ((coefficient, graph),) = self.right.weighted
        if len(coefficient.terms) != 1:
            return None
        pairs = ((ONE / coefficient, self.left),)
        other = combination(self.left.source, self.left.target, pairs)
        return Rule(self.name, graph, other, self.oriented, self.law, not self.forward, self.origin)

    @property
    def base(self) -> Rule:
        """The rule of which this is some copies side by side; else itself."""
        return self.origin[0] if self.origin is not None and isinstance(self.origin[0], Rule) else self

    def power(self, times: int) -> Rule:
        """So many copies side by side, which hold as the rule does: its uses in as many places are one step.

        >>> from catnn.category.wires import Group, Wire
        >>> from catnn.hypergraph.box import Box
        >>> from catnn.hypergraph.graph import identity, single
        >>> V = Wire("V", Group("S", "n"))
        >>> f = single(Box("f", (V,), (V,)))
        >>> print(Rule("twice", f >> f, lift(f)).power(2))
        twice^2 : f @ f ; f @ f => f @ f
        """
        left, right = tensor_all([self.left] * times), tensor([self.right] * times)
        base = self if self.forward else self.reverse
        assert base is not None
        name, law = f"{self.name}^{times}", self.law
        return Rule(name, left, right, self.oriented, law, self.forward, (base, (times,)))

    def __str__(self) -> str:
        sides = (str(self.left), str(self.right)) if self.forward else (str(self.right), str(self.left))
        return f"{self.name} : {sides[0]} {'=>' if self.oriented else '='} {sides[1]}"


@dataclass(frozen=True)
class Schema(Drawable):
    """A rule whose spiders have variable arities.

    variables: their names, all of which the left side has; left, right: its sides.
    Raises: ValueError where the right side has an arity that the left one has not.
    """

    name: str
    variables: tuple[str, ...]
    left: Sketch
    right: Sketch
    oriented: bool = True
    law: str = field(default="", compare=False)
    made: dict[tuple[int, ...], Rule | None] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not names(self.right) <= names(self.left) or names(self.left) != {*self.variables}:
            raise ValueError(f"{self.name}: the left side says how large all arities are")

    @cached_property
    def is_determined(self) -> bool:
        """Whether the right side, too, says how large all arities are."""
        return names(self.right) == {*self.variables}

    def instance(self, arities: tuple[int, ...]) -> Rule | None:
        """The rule for some arities, made once; None where it says nothing, or where there is none."""
        if arities not in self.made:
            rule = self._make(arities)
            self.made[arities] = None if rule is None or rule.is_trivial else rule
        return self.made[arities]

    def _make(self, arities: tuple[int, ...]) -> Rule | None:
        numbers = dict(zip(self.variables, arities, strict=True))
        try:
            left, right = raw(self.left, numbers).value, raw(self.right, numbers).value
        except (TooMany, CatnnError):  # a group without spiders of this arity, or too many legs
            return None
        if (left.source, left.target) != (right.source, right.target) or len(left.weighted) != 1:
            return None
        one, other = left.morphism, right.morphism
        if one is not None and other is not None and (one - other).weighted:
            return None  # false for these arities: of diagrams without boxes that can be seen
        ((coefficient, graph),) = left.weighted
        if len(coefficient.terms) != 1:
            return None
        shown = ", ".join(f"{name}={number}" for name, number in numbers.items())
        inverse = ONE / coefficient
        name = f"{self.name}[{shown}]"
        return Rule(name, graph, right * inverse, self.oriented, self.law, origin=(self, arities))

    def choices(self, arities: Iterable[int]) -> list[tuple[int, ...]]:
        """The arities to try, of some for each variable, the largest sums first: one use of them goes furthest."""
        few = sorted({*arities})
        while len(few) > 1 and len(few) ** len(self.variables) > MOST_INSTANCES:
            few.pop()
        return sorted(product(few, repeat=len(self.variables)), key=lambda choice: (-sum(choice), choice))

    def instances(self, arities: Iterable[int]) -> Iterator[Rule]:
        """The rules for some arities."""
        for chosen in self.choices(arities):
            rule = self.instance(chosen)
            if rule is not None:
                yield rule


Law = Rule | Schema


def arities(graph: Hypergraph) -> set[int]:
    """The arities that spiders of a diagram may have in a rule: a few, and what is left of each when others hang on."""
    found = {*range(FEW + 1)}
    for into, out in set(graph.ends()):
        found.update(range(max(into + out - FEW, 0), into + out + 1))
    return found
