"""The costs of plans: what every step moves and multiplies, against counts by hand and against each other."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

import catnn
from catnn.category.scalar import Scalar
from catnn.model import Layer
from catnn.plan.build import plan_layer
from catnn.plan.cost import BATCH, Cost, Step, forward_steps, gradient_steps, total
from catnn.plan.naive import DENSE, PAPERS, STACKED, naive_costs
from catnn.plan.plan import mirror

B, n = Scalar.size(BATCH), Scalar.size("n")


def layer(text: str, group: str = "S(n)") -> Layer:
    found = catnn.parse(f"space V : {group}  layer mix : {text}")["mix"]
    assert isinstance(found, Layer)
    return found


def only(steps: tuple[Step, ...], phase: str, op: str, pattern: str) -> Cost:
    (found,) = [s.cost for s in steps if (s.phase, s.op, s.pattern) == (phase, op, pattern)]
    return found


def test_the_steps_of_2_to_2_by_hand() -> None:
    steps = forward_steps(plan_layer(layer("V^2[3] -> V^2[5] = all")))
    assert only(steps, "reduce", "diagonal", "[i i -> i]") == Cost()
    assert only(steps, "reduce", "sum", "[i j -> i]") == Cost(B * n * n * _(3), B * n * _(3), B * n * n * _(3))
    assert only(steps, "mix", "product", "[i -> i] of 3 -> 3").madds == B * n * _(9 * 15)
    straight = only(steps, "mix", "product", "[i j -> i j] of 1 -> 1")
    swapped = only(steps, "mix", "product", "[i j -> j i] of 1 -> 1")
    assert straight.madds == swapped.madds == B * n * n * _(15)
    assert swapped.read - straight.read == B * n * n * _(5)  # it is added to what is there
    on_diagonal = only(steps, "expand", "add on diagonal", "[i -> i i]")
    assert on_diagonal == Cost(B * n * _(10), B * n * _(5), B * n * _(5))
    packed = total(s.cost for s in steps if s.phase == "pack")
    assert packed == Cost(_(15 * 15), _(15 * 15))


def _(value: int) -> Scalar:
    return Scalar.of(value)


def test_the_leading_term_is_the_two_products() -> None:
    steps = forward_steps(plan_layer(layer("V^2[32] -> V^2[32] = all + bias")))
    ratio = total(s.cost for s in steps).madds.value({"n": 10**6, BATCH: 1}) / (2 * 32 * 32 * 10**12)
    assert 1 < float(ratio) < 1.1


@pytest.mark.parametrize(("group", "text"), [("S(n)", "V^3[2] -> V^2[2] = all"), ("O(3)", "V^3[4] -> V^3[4] = all")])
def test_the_gradient_multiplies_twice_as_much(group: str, text: str) -> None:
    """The products of the mirror are those of the plan, and those of the weights are as many again."""
    plan = plan_layer(layer(text, group))
    there, back = (
        total(s.cost for s in steps if s.op == "product").madds for steps in (forward_steps(plan), gradient_steps(plan))
    )
    assert back == there + there


def test_a_symmetric_layer_reads_backwards_as_forwards() -> None:
    plan = plan_layer(layer("V^2[3] -> V^2[3] = all"))
    there, back = (total(s.cost for s in forward_steps(p) if s.phase != "pack") for p in (plan, mirror(plan)))
    assert there == back


def test_naive_ways_by_hand() -> None:
    """One diagram, the trace: the matrix has n^2 entries, the papers add n numbers, the stack holds one map."""
    naive = naive_costs(layer("V^2[2] -> 1[3] = span { [i i -> ] }"))
    assert naive[DENSE].madds == n * _(6) + B * n * n * _(6)
    assert naive[PAPERS].madds == B * (n * _(2) + _(6) + _(3))
    assert naive[STACKED] == Cost(B * n * n * _(2) + B * _(2) + _(6), B * _(2) + B * _(3), B * _(6))


@pytest.mark.parametrize("k", [2, 3])
def test_the_plan_is_cheaper_than_every_naive_way(k: int) -> None:
    mix = layer(f"V^{k}[8] -> V^{k}[8] = all")
    sizes = {"n": 12, BATCH: 8}
    ours = total(s.cost for s in forward_steps(plan_layer(mix))).value(sizes)
    for cost in naive_costs(mix).values():
        assert all(a < b for a, b in zip(ours, cost.value(sizes), strict=True))


@pytest.mark.parametrize(
    "text",
    [
        "V^2[2] + V[3] -> V[2] + 1[4] = all + bias",
        "V^2[2] -> V^2[2] = span { 2 * [i j -> j i], [i j -> i i] - [i j -> i j] } + bias",
        "V[1] -> V^2[1] = [i -> i i] + [i -> i j]",
        "V^2[2] -> V[2] = all { reduce: mean }",
    ],
)
def test_every_layer_has_a_cost(text: str) -> None:
    plan = plan_layer(layer(text))
    for steps in (forward_steps(plan), gradient_steps(plan)):
        assert all(number >= 0 for step in steps for number in step.cost.value({"n": 3, BATCH: 2}))


def test_totals_add_up_and_sympy_agrees() -> None:
    steps = forward_steps(plan_layer(layer("V^2[3] -> V^2[3] = all + bias")))
    summed = Cost()
    for step in steps:
        summed += step.cost
    assert summed == total(step.cost for step in steps)
    madds = summed.sympy()[2]
    at = {str(symbol): symbol for symbol in madds.free_symbols}
    assert int(madds.subs({at["n"]: 7, at[BATCH]: 2})) == summed.value({"n": 7, BATCH: 2})[2]


def test_no_sympy_at_import() -> None:
    code = "import sys, catnn.plan.cost, catnn.plan.naive; print({'sympy', 'torch', 'numpy'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    "text",
    ["V^3[2] -> V^2[3] = all", "V @ R^3[2] -> R @ V[1] = all", "R^4[1] -> R^2[1] = all", "V^2[1] + V[2] -> V[2] = all"],
)
def test_costs_by_kinds_of_halves_are_those_diagram_by_diagram(text: str) -> None:
    layer = catnn.parse(f"space V : S(n)  space R : O(m)  layer f : {text}")["f"]
    listed = replace(layer, weighted=tuple(tuple(tuple(pair) for pair in row) for row in layer.weighted))
    assert naive_costs(layer) == naive_costs(listed)
