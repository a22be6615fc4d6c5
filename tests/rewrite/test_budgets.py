"""What the engine promises for any input: declared laws are confluent and sound, work ends at its budget, and soon."""

from __future__ import annotations

import time
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import catnn
from catnn import checker
from catnn.hypergraph.box import Box
from catnn.hypergraph.evaluate import entries
from catnn.hypergraph.graph import Hypergraph, compose_all, identity, single, tensor_all
from catnn.hypergraph.linear import Combination, lift
from catnn.rewrite.match import Effort, Index, matches
from catnn.rewrite.proofs import to_dict
from catnn.rewrite.rule import Rule
from catnn.rewrite.strategy import Budget, prove, search, simplify
from catnn.rewrite.theories import builtin, promises
from tests.benchmarks.rewriting import composite
from tests.hypergraph.making import V, graphs
from tests.rewrite.test_engine import exhausted

U = Box("u", (V,), (V,), adjoint="unitary")
Q = Box("q", (V,), (V,), adjoint="isometry")
F = Box("f", (V,), (V,))
S = Box("s", (V,), (V,), adjoint="self")


def reduced(word: list[Box]) -> list[Box]:
    """The dumb normal form of a chain: neighbours that are each other's dagger go, as long as there are any."""
    gone = [(U, U.dagger()), (U.dagger(), U), (Q, Q.dagger())]
    found = [*word]
    at = 0
    while at < len(found) - 1:
        if (found[at], found[at + 1]) in gone:
            del found[at : at + 2]
            at = max(at - 1, 0)
        else:
            at += 1
    return found


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from([U, U.dagger(), Q, Q.dagger(), F, S]), max_size=9), min_size=1, max_size=3),
       st.randoms(use_true_random=False))  # fmt: skip
def test_isometries_have_one_normal_form_whatever_the_order(words: list[list[Box]], random: Random) -> None:
    """Confluence of what is declared of daggers, on chains side by side; the traces replay."""

    def diagram(rows: list[list[Box]]) -> Hypergraph:
        return tensor_all([compose_all([identity((V,)), *map(single, row)]) for row in rows])

    start = lift(diagram(words))
    expected = lift(diagram([reduced(word) for word in words]))
    for _ in range(2):
        laws = list(builtin(start))
        random.shuffle(laws)
        end, trace = exhausted(start, tuple(laws), random)
        assert end == expected
        checker.verify(to_dict(trace))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 4), st.randoms(use_true_random=False))
def test_promises_are_sound(n: int, random: Random) -> None:
    """In integers, for n = 1..4: signed permutations are unitary, and a copy of one is an isometry."""
    order = random.sample(range(n), n)
    signed = {(at, to): random.choice([1, -1]) for at, to in enumerate(order)}
    wide = Box("q", (V,), (V, V), adjoint="isometry")
    copied = {(out, out, in_): value for (out, in_), value in signed.items()}
    for box, tensors in ((U, {"u": signed}), (wide, {"q": copied})):
        assert promises(box)
        for rule in promises(box):
            assert entries(lift(rule.left), {"n": n}, tensors) == entries(rule.right, {"n": n}, tensors)
    symmetric = {key: signed[key] + signed.get(key[::-1], 0) for key in signed}
    symmetric |= {key[::-1]: value for key, value in symmetric.items()}
    self_ = entries(lift(single(S) >> single(S.dagger())), {"n": n}, {"s": symmetric})
    assert self_ == entries(lift(single(S) >> single(S)), {"n": n}, {"s": symmetric})


@st.composite
def rules(draw: st.DrawFn) -> list[Rule]:
    """Any rules that fit: many of them grow, loop, or apply everywhere."""
    known = draw(st.lists(graphs(V, 3), min_size=2, max_size=6))
    found = []
    for at, left in enumerate(known):
        same = [right for right in known if (right.source, right.target) == (left.source, left.target)]
        right: Combination = lift(draw(st.sampled_from(same))) * draw(st.sampled_from([1, 2]))
        if draw(st.booleans()):
            right = right + lift(left) * draw(st.integers(-1, 1))
        found.append(Rule(f"r{at}", left, right))
    return found


@settings(max_examples=30, deadline=None)
@given(rules(), graphs(V, 6))
def test_no_rules_outrun_their_budget(laws: list[Rule], graph: Hypergraph) -> None:
    """Every strategy comes back with an outcome whose trace replays, however the rules go on."""
    budget = Budget(steps=30, states=60, effort=20_000, size=60)
    start = time.process_time()
    for outcome in (simplify(lift(graph), laws, budget), search(lift(graph), laws, budget=budget)):
        assert outcome.finished or outcome.reason
        assert len(outcome.trace.steps) <= 60
        checker.verify(to_dict(outcome.trace))
    prove(lift(graph), lift(graph) * 2, laws, budget)
    assert time.process_time() - start < 20


@pytest.mark.parametrize("kinds", [5, 50])
def test_two_hundred_rules_on_a_thousand_boxes_take_less_than_two_seconds(kinds: int) -> None:
    random = Random(0)
    boxes = [Box("b", (V,), (V, V))]
    boxes += [Box(f"b{at}", (V,) * random.randint(1, 2), (V,) * random.randint(1, 2)) for at in range(kinds)]
    whole = composite(1_000, boxes, random)
    lefts = [composite(3, boxes, random) for _ in range(200)]
    start = time.process_time()
    index, effort = Index(whole), Effort(10**9)
    found = sum(1 for left in lefts for _ in matches(left, index, effort))
    assert time.process_time() - start < 2
    assert found or kinds == 50


def test_five_thousand_boxes_are_composed_in_less_than_half_a_second() -> None:
    rows = [single(F)] * 5_000
    start = time.process_time()
    assert compose_all(rows).size == (1, 1, 5_001, 5_000)
    assert time.process_time() - start < 0.5


def test_large_and_wide_diagrams_end_soon() -> None:
    """A file of 200 rules and diagrams of 1,000 boxes, and many alike side by side: decided or given up in seconds."""
    random = Random(0)
    names = [f"b{at}" for at in range(20)]

    def chain(count: int) -> str:
        return " ; ".join(random.choice(names) for _ in range(count))

    head = f"space V : S(n)\nbox {', '.join(names)} : V -> V = abstract\n"
    rules = "\n".join(f"rule r{at} : {chain(3)} => {chain(2)}" for at in range(200))
    long = f"{head}{rules}\ncheck {chain(1_000)} = {chain(1_000)}"
    wide = f"{head}rule r : b0 ; b0 => b0\ncheck b0^400 ; b0^400 = b0^399 @ b1"
    growing = f"{head}rule r : b0 => b0 ; b0 + b1\ncheck b0 ; b2 = b2 ; b0"
    loose = f"{head}rule r : b0^7 = b1^7\ncheck b0^20 ; b1^20 = b1^20 ; b0^20"
    for text in (long, wide, growing, loose):
        start = time.process_time()
        with pytest.raises(catnn.CatnnError):
            catnn.parse(text)
        assert time.process_time() - start < 6  # two seconds where nothing else runs


def test_equal_sides_start_no_rule() -> None:
    text = "space V : S(n)  box f : V -> V = abstract  rule r : f => f ; f  check f ; f = id ; f ; f"
    (check,) = catnn.parse(text).checks
    assert check.proof is not None
    assert not check.proof.left.steps


def test_long_proofs_are_cut_where_the_sides_meet() -> None:
    """The rule that goes on and on leads both sides to one value in the end; they were one long before."""
    text = "space V : S(n)  box f, g : V -> V = abstract  rule one : g = f  rule more : f => f ; f\n"
    (check,) = catnn.parse(text + "check g ; f = f ; g").checks
    assert check.proof is not None
    assert len(check.proof.left.steps + check.proof.right.steps) < 10
