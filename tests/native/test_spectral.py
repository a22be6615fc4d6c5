"""Products in a Fourier basis of S_p: the same numbers as permutation by permutation, and where they are taken."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

import catnn
from catnn.category.spectrum import spectrum
from catnn.category.young import Blocks, young
from catnn.compiler import item_sizes
from catnn.native import calls as calling
from catnn.native import paired, spectral
from catnn.native import program as programming
from catnn.native.matrix import Matrix, matrix_of
from catnn.native.spectral import turned
from catnn.plan import fourier as planning
from catnn.plan.build import plan_layer
from catnn.plan.fourier import PASS, SPARSE, fourier, proved, saved, worthwhile
from catnn.plan.plan import Plan, mirror
from catnn.plan.prove import UnsoundPlanError
from catnn.plan.rates import IN_C, STATEMENTS
from catnn.plan.ways import ways
from tests.emit.definition import randomise
from tests.native.test_attach import DOUBLE, outcome, plainly  # noqa: F401

LAYERS = {
    "rotations": "R^3[4] -> R^3[5] = all",
    "fourth order": "R^4[2] -> R^4[3] = all",
    "permutations": "T^3[6] -> T^3[5] = all + bias",
    "means": "T^3[5] -> T^3[5] = all { reduce: mean }",
    "three to four": "T^4[3] -> T^3[2] = all + bias",
    "sums": "T^3[4] + T^2[3] -> T^3[5] + T^2[4] = all + bias",
    "reflections": "H^4[3] -> H^4[4] = all",
    "a span": "T^3[5] -> T^3[6] = span { [i j k -> k j i], [i j k -> j k i], [i j k -> j i k], [i j k -> i j k] }",
    "a whole target twice": "R^3[5] + R^3[6] -> R^3[5] = all",
    "of two spaces": "R^2 @ T^2[4] -> R^2 @ T^2[4] = all",
    "any size": "V^2[4] -> V^2[5] = all + bias",
    "any size, thrice": "V^3[2] + V^2 -> V^3[3] = all + bias",
    "any rotations": "N^3[3] -> N^3[4] = all",
}
SPACES = "space R : O(3)\nspace T : S(3)\nspace H : H(2)\nspace V : S(n)\nspace N : O(n)\n"
SIZES = (1, 2, 3, 5, 7)


def layer_of(name: str) -> Any:
    return catnn.parse(f"{SPACES}layer f : {LAYERS[name]}")["f"]


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Every product that has blocks is computed by them; how many were."""
    found: list[int] = []
    original = spectral.mix

    def counted(*args: Any, **options: Any) -> None:
        found.append(1)
        original(*args, **options)

    monkeypatch.setattr(programming, "spectral", counted)
    monkeypatch.setattr(paired, "LEAST", 10**9)
    monkeypatch.setattr(planning, "GAIN", 100.0)
    monkeypatch.setattr(calling, "worthwhile", lambda savings, entries: True)
    return found


@pytest.mark.parametrize("name", LAYERS)
def test_blocks_compute_the_layer(name: str, always: list[int], plainly: Any) -> None:  # noqa: F811
    item = layer_of(name)
    for batch in ((), (3,)):
        module = randomise(catnn.compile(item, dtype=DOUBLE))
        for n in SIZES if item_sizes(item) else (0,):
            module.zero_grad()
            found = outcome(item, module, {"n": n}, batch, DOUBLE)
            module.zero_grad()
            for one, other in zip(found, plainly(outcome, item, module, {"n": n}, batch, DOUBLE), strict=True):
                torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)
    assert always


def test_floats_too(always: list[int], plainly: Any) -> None:  # noqa: F811
    item = layer_of("fourth order")
    module = randomise(catnn.compile(item))
    found = outcome(item, module, {}, (3,), torch.float32)
    module.zero_grad()
    for one, other in zip(found, plainly(outcome, item, module, {}, (3,), torch.float32), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-3)
    assert always


@pytest.mark.parametrize("channels", [1, 7, 8, 16, 33, 64, 100])
def test_any_number_of_channels(channels: int, always: list[int], plainly: Any) -> None:  # noqa: F811
    text = f"space R : O(2)  layer f : R^2[{channels}] -> R^2[{channels}] = all"
    item = catnn.parse(text)["f"]
    module = randomise(catnn.compile(item, dtype=DOUBLE))
    found = outcome(item, module, {}, (2,), DOUBLE)
    module.zero_grad()
    for one, other in zip(found, plainly(outcome, item, module, {}, (2,), DOUBLE), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)
    assert always


def plan_of(text: str) -> Plan:
    return plan_layer(catnn.parse(f"space R : O(3)  space V : S(n)  layer f : {text}")["f"])


def test_what_is_saved() -> None:
    *_, last = fourier(plan_of("R^4[32] -> R^4[32] = all"), {})
    assert last is not None
    assert last.blocks.work == 201
    assert (last.before, last.after) == (23 * 81 * 1024, 201 * 1024 + (SPARSE * 525 + PASS * 81) * 64)
    assert saved([last, None], 10) == 10 * (last.before - last.after) - last.weights
    assert not any(fourier(plan_of("R[32] -> R[32] = all"), {}))
    assert not any(fourier(plan_of("R^3[1] -> R^3[1] = all"), {}))


def test_what_is_saved_at_any_size() -> None:
    """At the sizes of a call as for a literal one, and as a polynomial."""
    plan = plan_of("V^4[32] -> V^4[32] = all")
    for n in (1, 2, 3, 5, 8):
        saving = fourier(plan, {"n": n})[-1]
        if saving is None:
            assert n == 1
            continue
        before, after = saving.polynomials("n")
        assert before.value({"n": n}) == saving.before == 24 * n**4 * 1024
        assert after.value({"n": n}) == saving.after
        assert saving.blocks.work == spectrum(4, n).work < 3 * n**4
    assert fourier(plan, {"n": 9})[-1] is None
    assert fourier(plan, {"n": 0})[-1] is None
    assert fourier(plan_of("V^2[128] -> V^2[128] = all"), {"n": 64})[-1] is not None
    assert fourier(plan_of("V^2[32] -> V^2[32] = all"), {"n": 64})[-1] is None


def test_the_model_counts_what_is_saved_at_the_sizes_of_a_call() -> None:
    layer = catnn.parse("space V : S(n)  layer f : V^2[128] -> V^2[128] = all")["f"]
    plan = plan_layer(layer)
    tally = ways(plan, None)
    for n, batch in ((16, 8), (70, 8), (8, 1)):
        sizes = {"n": n, "batch": batch}
        savings = fourier(plan, sizes)
        less = saved(savings, batch) if worthwhile(savings, batch) else 0
        assert tally[STATEMENTS].at(sizes)[2] - tally[IN_C].at(sizes)[2] == less
        assert bool(less) == (n == 16)
    (note,) = [note for note in catnn.explain(layer, n=16, batch=8).notes if "Fourier" in note]
    assert "the product on V^2 is in the Fourier basis of S_2" in note
    assert "32768*n**2 = 8,388,608" in note


def test_few_entries_go_permutation_by_permutation() -> None:
    layer = catnn.parse("space R : O(3)  layer f : R^4[32] -> R^4[32] = all")["f"]
    savings = fourier(plan_layer(layer), {})
    assert not worthwhile(savings, 1)
    assert worthwhile(savings, 64)


def test_the_blocks_of_weights_are_what_permutations_make_of_them() -> None:
    """For each shape: sum_s w_s (x) the matrix of s; upside down, its transpose."""
    blocks = spectrum(3, 3)
    plan = plan_of("R^3[5] -> R^3[4] = all")
    back = mirror(plan)
    (at,) = (at for at, product in enumerate(plan.products) if len(product.level) == 3)
    product, mirrored = plan.products[at], back.products[at]
    count = max(index for combination in product.entries.values() for _, index in combination) + 1
    w = torch.randn(count, 4, 5, dtype=DOUBLE)
    straight = turned(matrix_of(plan, product, {(0, 0): 0}, mirrored=False), blocks, product.sigmas)
    reverse = turned(matrix_of(back, mirrored, {(0, 0): 0}, mirrored=True), blocks, mirrored.sigmas)
    for number, (one, other) in enumerate(zip(straight, reverse, strict=True)):
        _, size = blocks.spans[number]
        wanted = torch.zeros(size * 5, size * 4, dtype=DOUBLE)
        for (s, _, _), ((coefficient, index),) in product.entries.items():
            action = torch.tensor(blocks.few.action(product.sigmas[s])[number], dtype=DOUBLE)
            wanted += float(coefficient) * torch.kron(action.T, w[index].T)
        torch.testing.assert_close(filled(one, w), wanted)
        torch.testing.assert_close(filled(other, w), wanted.T)


def filled(matrix: Matrix, w: torch.Tensor) -> torch.Tensor:
    """A matrix, entry by entry."""
    found, flat = torch.zeros(matrix.depth, matrix.width(matrix.columns), dtype=w.dtype), w.flatten()
    for strip in matrix.strips:
        depth, width = matrix.pieces[strip.piece], matrix.widths[strip.column]
        top, left = sum(matrix.pieces[: strip.piece]), sum(matrix.widths[: strip.column])
        for column in range(strip.columns):
            for k in range(depth):
                for n in range(width):
                    place = column * strip.step + k * strip.deep + n * strip.wide
                    value = sum(float(factor) * flat[offset + place] for offset, factor in strip.terms)
                    found[top + k, left + column * width + n] += value
    return found


def test_wrong_blocks_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def spoilt(p: int, n: int) -> Blocks:
        found = young(p, n)
        return replace(found, shapes=found.shapes[:1])

    proved.cache_clear()
    monkeypatch.setattr(planning, "young", spoilt)
    with pytest.raises(UnsoundPlanError, match="the blocks of 2 axes on 3 letters: 6 vectors are no basis"):
        proved(2, 3)
    proved.cache_clear()
