"""Chains of 5,000 boxes, and 200 rules on a diagram of 1,000: ``python -m tests.benchmarks.rewriting``."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from random import Random

from catnn.category.wires import Group, Wire
from catnn.hypergraph.box import Box
from catnn.hypergraph.graph import Hypergraph, compose_all, identity, single, tensor_all
from catnn.hypergraph.linear import lift
from catnn.rewrite.match import Effort, Index, matches
from catnn.rewrite.rule import Rule
from catnn.rewrite.strategy import simplify

V = Wire("V", Group("S", "n"))


def composite(length: int, boxes: list[Box], random: Random) -> Hypergraph:
    """Random boxes one after the other, each on random wires of those before."""
    stages = [single(random.choice(boxes))]
    while len(stages) < length:
        width = len(stages[-1].target)
        box = random.choice([box for box in boxes if len(box.source) <= width])
        at = random.randint(0, width - len(box.source))
        rest = width - at - len(box.source)
        stages.append(tensor_all([identity((V,) * at), single(box), identity((V,) * rest)]))
    return compose_all(stages)


def measured(what: str, work: Callable[[], object]) -> None:
    """Print the processor time of some work."""
    start = time.process_time()
    found = work()
    print(f"{what:44} {time.process_time() - start:6.2f} s   {found}")


def main() -> int:
    """Print each time and what was found."""
    random = Random(0)
    f = single(Box("f", (V,), (V,)))
    measured("5,000 boxes composed", lambda: compose_all([f] * 5_000).size)
    chain = compose_all([f] * 5_000)
    measured("5,000 boxes to normal form", lambda: len(chain.canonical().nodes))
    for kinds in (5, 50):
        boxes = [Box("b", (V,), (V, V))]
        boxes += [Box(f"b{at}", (V,) * random.randint(1, 2), (V,) * random.randint(1, 2)) for at in range(kinds)]
        whole = composite(1_000, boxes, random)
        lefts = [composite(3, boxes, random) for _ in range(200)]

        def all_matches(whole: Hypergraph = whole, lefts: list[Hypergraph] = lefts) -> int:
            index, effort = Index(whole), Effort(10**9)
            return sum(1 for left in lefts for _ in matches(left, index, effort))

        measured(f"200 rules on 1,000 boxes of {kinds} kinds, matches", all_matches)
    twice = Rule("twice", f >> f, lift(f))
    measured("300 steps of a simplification", lambda: simplify(lift(compose_all([f] * 301)), [twice]).reason)
    return 0


if __name__ == "__main__":
    sys.exit(main())
