"""The proof: what is right passes for every kind of layer, and no spoilt plan passes that computes something else."""

from __future__ import annotations

import random
from typing import Any

import pytest

import catnn
import catnn.emit.file
import catnn.plan.prove
from catnn.emit.load import load
from catnn.plan.build import plan_layer
from catnn.plan.plan import mirror
from catnn.plan.prove import UnsoundPlanError, computed, prove
from tests.emit.definition import DOUBLE, assert_is_definition, randomise
from tests.plan.mutants import mutants

SPACES = "space V : S(n)\nspace R : O(m)\nspace P : Sp(r)\nspace T : S(2)\n"
ROTATED = "space A : SO(3)\nspace B : SO(4)\nspace C : SO(2)\nspace E : A(3)\nspace F : A(2)\n"
SIZES = {"n": 3, "m": 2, "r": 2}
LAYERS = {
    "permutations": "V^2[2] -> V^2[2] = all + bias",
    "higher order": "V^3[1] -> V^2[1] = all + bias",
    "rotations": "R^3[1] -> R^3[1] = all",
    "symplectic": "P^3[2] -> P^3[1] = all",
    "symplectic to nothing": "P^4[1] -> 1[1] = all",
    "literal": "T^2[2] -> T^2[2] = all + bias",
    "mean": "V^2[2] -> V^2[1] = all + bias { reduce: mean }",
    "mean, symplectic": "P^2 @ V[1] -> P^2[1] = all + bias { reduce: mean }",
    "unitary": "Q @ Q' @ Q[2] -> Q @ Q' @ Q[1] = all",
    "unitary, interleaved": "V @ Q @ Q'[1] -> Q' @ Q @ V[2] = all + bias",
    "interleaved": "V @ R @ V[1] -> R @ V[2] = all + bias",
    "epsilon": "A^2[2] + A[1] -> A^3[1] = all + bias",
    "epsilon, signs": "B[1] -> B^3[1] + B[2] = all",
    "epsilon, mean": "V @ C^2[1] -> V @ C[2] + C^2[1] = all + bias { reduce: mean }",
    "two epsilons": "C @ A @ A[1] -> A @ C[1] = all",
    "jellyfish": "E^2[1] -> E^2[1] = all + bias",
    "jellyfish, sums": "E^2[2] + E[1] -> E[1] + 1[2] = all + bias { reduce: mean }",
    "two jellyfish": "F @ E[1] -> E @ F @ E[1] = all",
    "jellyfish, fixed": "E[2] -> E^2[2] = sgn[i -> j k] - 1/2 * sgn[i -> j i] + span { [i -> i i] }",
    "direct sums": "V^2[2] + V[1] -> V^2[1] + 1[2] = all + bias",
    "fixed": "V^2[2] -> V^2[2] = [i j -> j i] - (1/n) * [i i -> j j] + span { [i j -> i i] }",
    "span of sums": "V^2[2] -> V[1] = span { [i j -> i] + 1/2 * [i i -> i], (1/n) * [i j -> k] - [i i -> i] } + bias",
}


def plan_of(name: str) -> tuple[Any, Any]:
    more = "space Q : U(m)\n" if "Q" in LAYERS[name] else ""  # then the whole file is complex
    layer = catnn.parse(f"{SPACES}{ROTATED}{more}layer f : {LAYERS[name]}")["f"]
    return layer, plan_layer(layer)


def rejected(plan: Any, layer: Any) -> bool:
    """Whether the proof refuses a plan; one that makes no sense at all may break it in other ways."""
    try:
        prove(plan, layer)
    except (UnsoundPlanError, catnn.CatnnError, LookupError, ValueError):
        return True
    return False


@pytest.mark.parametrize("name", LAYERS)
def test_plans_are_sound(name: str) -> None:
    layer, plan = plan_of(name)
    prove(plan, layer)
    assert mirror(mirror(plan)).products == plan.products
    assert plan_layer(layer) == plan


@pytest.mark.parametrize("name", LAYERS)
def test_every_mutant_is_refused_or_computes_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the proof lets through is run: it must still be the layer, forward and gradient."""
    layer, plan = plan_of(name)
    every = list(mutants(plan))
    survivors = [(what, mutant) for what, mutant in every if not rejected(mutant, layer)]
    assert len(survivors) < len(every) / 4, "\n".join(what for what, _ in survivors)
    monkeypatch.setattr(catnn.emit.file, "prove", lambda plan, layer: None)
    wrong = []
    for what, mutant in random.Random(0).sample(survivors, min(len(survivors), 12)):
        monkeypatch.setattr(catnn.emit.file, "plan_layer", lambda layer, mutant=mutant: mutant)
        try:
            generated = catnn.emit.file.emit([layer], title="A mutant.", spec="")
            hints = {size: SIZES[size] for size in catnn.compiler.item_sizes(layer)}
            module = randomise(getattr(load(generated.text), generated.classes["f"])(**hints, dtype=DOUBLE))
            assert_is_definition(layer, module, SIZES, (2,))
        except Exception as error:
            wrong.append(f"{what}: {type(error).__name__} {str(error)[:90]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", LAYERS)
def test_every_wrong_gradient_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mirror is proved by itself: spoilt alone, beside a right plan, it is refused as well."""
    layer, plan = plan_of(name)
    meant, every = computed(mirror(plan)), list(mutants(mirror(plan)))
    caught = 0
    for what, spoilt in random.Random(1).sample(every, min(60, len(every))):
        with monkeypatch.context() as patch:
            patch.setattr(catnn.plan.prove, "mirror", lambda plan, spoilt=spoilt: spoilt)
            if rejected(plan, layer):
                caught += 1
            else:
                assert computed(spoilt) == meant, what
    assert caught > min(60, len(every)) / 2
