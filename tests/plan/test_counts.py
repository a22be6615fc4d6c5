"""A gate against plans that grow: steps, elements moved and multiply-adds of some layers, as a golden table.

Times are reported by benchmarks and never gated; these numbers are exact, so that a change of any is a decision.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import catnn
from catnn.native.matrix import matrix_of, pairs
from catnn.native.program import run
from catnn.native.table import Program
from catnn.plan.build import plan_layer
from catnn.plan.chains import Chain, Unit, _nodes
from catnn.plan.cost import BATCH, Step, forward_steps, gradient_steps, total
from catnn.plan.plan import Plan
from catnn.plan.rates import in_c

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "plan" / "counts.txt"
SPACES = "space V : S(n)\nspace R : O(3)\nspace P : Sp(4)\nspace A : SO(3)\nspace H : H(n)\n"
LAYERS = (
    "V[32] -> V[32] = all + bias",
    "V^2[32] -> V^2[32] = all + bias",
    "V^2[3] -> V^2[16] = all + bias { reduce: mean }",
    "V^3[8] -> V^3[8] = all",
    "V^4[4] -> V^4[4] = all",
    "V^5[1] -> V^5[1] = all",
    "V^3[8] -> V[8] = all + bias",
    "V^2[8] + V[8] -> V^2[8] + 1[8] = all + bias",
    "V^2[8] -> V^2[8] = span { [i j -> j i], [i j -> i k] } + bias",
    "R^3[32] -> R^3[32] = all",
    "P^2[8] -> P^2[8] = all",
    "A^2[8] -> A^2[8] = all",
    "H^2[8] -> H^2[8] = all",
    "V @ R[8] -> V @ R[8] = all",
)
CHAINS = (
    ("V^2[8] -> V^2[32] = all + bias", "V^2[32] -> V^2[8] = all + bias"),
    ("V^2[4] -> V^3[4] = all", "V^3[4] -> V[4] = all"),
    ("V^2[8] -> V[8] = all", "V[8] -> V^2[8] = all + bias", "V^2[8] -> V^2[8] = all + id"),
    ("R^2[8] -> R^2[8] = all", "R^2[8] -> R^2[8] = all"),
)
"""Layers that follow each other: what combines their weights, and what then runs."""

SIZES = {"n": 8, BATCH: 4}


def counted(steps: tuple[Step, ...]) -> str:
    """How many steps, elements read and written, and multiply-adds."""
    read, written, madds = total(step.cost for step in steps).value(SIZES)
    return f"{len(steps):5} steps {read + written:12,} moved {madds:14,} madds"


def instructions(plan: Plan) -> str:
    """How long the program in C is, and what it needs for an entry and for all together."""
    if not in_c(plan):
        return "no program"
    program = Program({"n": SIZES["n"]}, entries=SIZES[BATCH])
    ins, outs = len(plan.source.summands), len(plan.target.summands)
    buffers = {pair: 100 + at for at, pair in enumerate(pairs(plan))}
    matrices = [matrix_of(plan, product, buffers, mirrored=False) for product in plan.products]
    biases = {o: 200 + o for o in range(outs)}
    run(program, plan, range(2, 2 + ins), range(2 + ins, 2 + ins + outs), matrices, biases, {})
    table = program.finish(300)
    return f"{len(table.words):6} words {table.each:8,} between, {table.shared:8,} for all entries"


def longest(units: list[Unit]) -> Chain:
    """All of them as one, in the cheapest order of combining their weights."""
    nodes, reasons = _nodes(units)
    assert not reasons
    return Chain(tuple(units), nodes[0, len(units) - 1])


def test_plans_do_not_grow(golden: Callable[[Path, str], None]) -> None:
    lines = [f"at {', '.join(f'{name} = {value}' for name, value in SIZES.items())}"]
    for text in LAYERS:
        layer = catnn.parse(f"{SPACES}layer f : {text}", max_diagrams=200_000)["f"]
        plan = plan_layer(layer)
        lines += [
            "",
            text,
            f"  forward  {counted(forward_steps(plan))}",
            f"  gradient {counted(gradient_steps(plan))}",
            f"  in C     {instructions(plan)}",
        ]
    for texts in CHAINS:
        spec = catnn.parse(SPACES + "\n".join(f"layer f{at} : {text}" for at, text in enumerate(texts)))
        chain = longest([Unit.of(layer) for layer in spec.layers.values()])
        lines += [
            "",
            " ; ".join(texts),
            f"  combined {counted(chain.steps)}",
            f"  forward  {counted(forward_steps(chain.plan))}",
            f"  gradient {counted(gradient_steps(chain.plan))}",
        ]
    golden(GOLDEN, "\n".join(lines) + "\n")
