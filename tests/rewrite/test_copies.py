"""One rule used in many places at once is one step, of as many copies of the rule side by side."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import catnn
from catnn.category.wires import Group, Wire
from catnn.checker import Invalid, verify
from catnn.hypergraph.box import Box
from catnn.hypergraph.graph import Hypergraph, Node, compose_all, identity, single, spider, tensor_all
from catnn.hypergraph.linear import Combination, lift
from catnn.rewrite.match import Effort, Index, apart, matches, together
from catnn.rewrite.proofs import from_json, to_dict, to_json
from catnn.rewrite.rule import Rule
from catnn.rewrite.strategy import simplify
from catnn.rewrite.theories import builtin
from catnn.rewrite.trace import Trace, apply
from tests.hypergraph.making import V, graphs
from tests.rewrite.test_budgets import F, Q, S, U, reduced
from tests.rewrite.test_engine import part_of

HEAD = "space V : S(n)\nbox f, g, h : V -> V = abstract\nbox m : V^2 -> V = abstract\nbox k : 1 -> V = abstract\n"


def chain(row: list[Box]) -> Hypergraph:
    return compose_all([identity((V,)), *map(single, row)])


@settings(max_examples=60, deadline=None)
@given(graphs(V, 12), st.data())
def test_places_that_are_apart_are_rewritten_together(graph: Hypergraph, data: st.DataObject) -> None:
    """Any part of a diagram as a left side: the step of all places is one that replays, and says what it should."""
    if not graph.nodes:
        return
    chosen = data.draw(st.sets(st.sampled_from(range(len(graph.nodes))), min_size=1, max_size=3))
    left = part_of(graph, chosen)
    fresh = Box("fresh", (), left.target)
    value = lift(graph)
    found = apart(left, Index(value.weighted[0][1]), Effort())
    assert bool(found) == (next(matches(left, Index(value.weighted[0][1])), None) is not None)
    if not found:
        return
    nodes = [node for match in found for node in match.nodes]
    assert len(set(nodes)) == len(nodes)
    many = Rule("r", left, lift(single(fresh))).power(len(found))
    step = apply(many, value, 0, together(found, many.left))
    verify(to_dict(Trace(value, (step,))))
    ((_, after),) = step.after
    assert len(after.nodes) == len(graph.nodes) - len(nodes) + len(found)
    assert apart(left, Index(after), Effort()) == [] or _left_over(left)


def _left_over(left: Hypergraph) -> bool:
    """Places that met another one at a vertex which only one of them could share out."""
    return any(sum(v == w for v in (*left.ins, *left.outs)) > 1 for w in (*left.ins, *left.outs))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([U, U.dagger(), Q, Q.dagger(), F, S]), max_size=4), st.integers(4, 9))
def test_what_is_simplified_at_once_is_what_is_simplified_step_by_step(row: list[Box], times: int) -> None:
    start = lift(tensor_all([chain(row)] * times))
    laws = builtin(start)
    found = simplify(start, laws)
    assert found.value == lift(tensor_all([chain(reduced(row))] * times))
    assert len(found.trace.steps) <= len(row)
    verify(to_dict(found.trace))
    assert from_json(to_json(found.trace)) == found.trace


@pytest.mark.parametrize("group", [("S", "n"), ("O", "n"), ("U", "n"), ("H", "n"), ("B", "n")])
@pytest.mark.parametrize("upside", [False, True])
def test_neighbours_share_a_wire(group: tuple[str, str], upside: bool) -> None:
    """f ; g in a long chain, and in a closed one: the hole has legs that meet."""
    wire = Wire("W", Group(*group))
    f, g, h = (single(Box(name, (wire,), (wire,))) for name in "fgh")
    rule = Rule("r", f >> g, lift(h))
    open_ = compose_all([f, g] * 6)
    nodes = tuple(Node(node.box, (at,), ((at + 1) % 12,)) for at, node in enumerate(open_.nodes))
    closed = Hypergraph((), (), (wire,) * 12, nodes, (), ())
    for graph, wanted in ((open_, compose_all([h] * 6)), (closed, None)):
        start = lift(graph.dagger() if upside else graph)
        used = Rule("r", rule.left.dagger(), rule.right.dagger()) if upside else rule
        found = simplify(start, [used])
        assert [step.rule.name for step in found.trace.steps] == ["r^6"]
        assert verify(to_dict(found.trace)) == ("r",)
        assert wanted is None or found.value == lift(wanted.dagger() if upside else wanted)


def test_coefficients_multiply_and_sums_are_rewritten_term_by_term() -> None:
    f, g = single(F), single(S)
    found = simplify(lift(tensor_all([f] * 5)), [Rule("half", f >> identity((V,)), lift(identity((V,))) * "1/2")])
    assert str(found.value) == "1/32 * ([i j k l m -> i j k l m])"
    verify(to_dict(found.trace))
    both = Rule("both", f >> f, lift(f) + lift(g))
    found = simplify(lift(tensor_all([f >> f] * 4)), [both])
    assert len(found.value.weighted) == 16
    verify(to_dict(found.trace))


def test_a_spider_that_only_one_place_can_share_out() -> None:
    """f ; copy beside f ; copy at one vertex: each takes its part of the ends, one after the other."""
    f, h = single(F), single(Box("h", (V,), (V, V)))
    rule = Rule("r", f >> spider(V, 1, 2), lift(h))
    graph = compose_all([tensor_all([f] * 5), spider(V, 5, 7)])
    found = simplify(lift(graph), [rule])
    verify(to_dict(found.trace))


def test_long_powers_are_proved_soon() -> None:
    """800 boxes, in a step each way; backwards and with sums too."""
    start = time.process_time()
    spec = catnn.parse(
        HEAD
        + """
        rule r : f ; f => f
        rule s : f ; g = g ; f
        rule t : m => 2 * h @ discard
        check f^400 ; f^400 = f^400
        check f^100 ; g^100 = g^100 ; f^100
        check (f ; g)^40 ; f^40 = (f ; g)^40
        check m^50 = 1125899906842624 * (h @ discard)^50
        """
    )
    assert time.process_time() - start < 12  # three seconds where nothing else runs
    for check in spec.checks:
        assert check.proof is not None
        assert len(check.proof.left.steps + check.proof.right.steps) <= 4
        assert from_json(to_json(check.proof)) == check.proof


def test_copies_of_an_instance_of_a_schema() -> None:
    rules = "rule grid : spider[1,q] ; f^q ; spider[q,1] => g\n"
    spec = catnn.parse(HEAD + rules + "check (spider[1,3] ; f^3 ; merge @ id ; merge)^7 = g^7")
    (check,) = spec.checks
    assert check.proof is not None
    document = to_dict(check.proof)
    assert list(document["rules"]) == ["grid[q=3]^7", "grid[q=3]"]
    assert list(document["schemas"]) == ["grid"]
    assert from_json(to_json(check.proof)) == check.proof


def document() -> dict[str, Any]:
    (check,) = catnn.parse(HEAD + "rule r : f ; f => g\ncheck (f ; f)^9 = g^9").checks
    assert check.proof is not None
    return to_dict(check.proof)


def test_no_rule_rests_on_itself() -> None:
    """A rule that says it is one copy of itself, or a copy of a copy, is nobody's rule."""
    honest = document()
    verify(honest)
    name = next(name for name in honest["rules"] if "^" in name)
    for base in (name, "missing"):
        lie = document()
        lie["rules"][name]["instance"]["rule"] = base
        lie["rules"][name]["instance"]["arities"] = [1]
        with pytest.raises(Invalid):
            verify(lie)


@pytest.mark.parametrize("arities", [[8], [10], [0], [-9], [9, 9], [], [True], [9.0], ["q"], [10**9], [10**30]])
def test_another_number_of_copies_is_refused(arities: list[Any]) -> None:
    lie = document()
    name = next(name for name in lie["rules"] if "^" in name)
    lie["rules"][name]["instance"]["arities"] = arities
    with pytest.raises(Invalid):
        verify(lie)


def test_a_thousand_places_are_not_too_many() -> None:
    value: Combination = lift(tensor_all([single(F) >> single(F)] * 1_200))
    found = simplify(value, [Rule("r", single(F) >> single(F), lift(single(F)))])
    assert found.value == lift(tensor_all([single(F)] * 1_200))
    assert len(found.trace.steps) == 2
    verify(to_dict(found.trace))
