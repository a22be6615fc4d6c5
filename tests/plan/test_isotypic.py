"""Words in irreducible parts: orthonormal, aligned, as many as the diagrams say, or not at all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import catnn
from catnn.model import Layer
from catnn.plan.irreps import BOUND, Irreps, deviations, irreps, irreps_steps, prove_irreps
from catnn.plan.isotypic import entries, isotypic
from catnn.plan.prove import UnsoundPlanError

REAL = {
    "S(2)": 4,
    "S(3)": 3,
    "S(4)": 3,
    "O(2)": 4,
    "O(3)": 3,
    "SO(3)": 3,
    "Sp(2)": 3,
    "Sp(4)": 2,
    "H(3)": 3,
    "B(3)": 3,
    "O+(3)": 3,
    "Aut(4, 0-1 1-2 2-3 3-0)": 2,
}
"""Groups whose parts are real, and up to which power they are looked at."""

NOT_REAL = ("SO(2)", "A(3)", "Perm(3, (0 1 2))", "Perm(5, (0 1 2 3 4))")


def layer_of(group: str, text: str) -> Layer:
    found = catnn.parse(f"space V : {group}  layer f : {text}")["f"]
    assert isinstance(found, Layer)
    return found


@pytest.mark.parametrize("group", REAL)
def test_parts_are_orthonormal_and_count_the_diagrams(group: str) -> None:
    layers = [layer_of(group, f"V^{k} -> V^{k} = all") for k in range(1, REAL[group] + 1)]
    words = tuple(layer.source.words[0] for layer in layers)
    for chosen in (*((word,) for word in words), words):
        found = isotypic(chosen)
        assert found is not None
        for word, layer in zip(words, layers, strict=True):
            if word in chosen:
                basis = numpy.concatenate([part.reshape(len(part), -1) for part in found.bases[word]], 1)
                numpy.testing.assert_allclose(basis.T @ basis, numpy.eye(entries(word) or 0), atol=1e-10)
                assert sum(part.shape[2] ** 2 for part in found.bases[word]) == len(layer.weighted[0][0])


@pytest.mark.parametrize("group", NOT_REAL)
def test_complex_parts_are_no_real_ones(group: str) -> None:
    layer = layer_of(group, "V^2 -> V^2 = all")
    assert isotypic(layer.source.words) is None
    assert irreps(layer) is None


def test_what_is_too_large_or_has_no_number() -> None:
    assert isotypic(layer_of("S(n)", "V -> V = all").source.words) is None
    assert isotypic(layer_of("S(17)", "V^2 -> V^2 = all").source.words) is None
    assert isotypic(layer_of("S(4)", "V^4 -> V^4 = all").source.words) is None


def test_bases_are_sparse() -> None:
    """Coordinates that only permute among themselves, or that no diagram joins, are kept apart."""
    for group, most in (("S(3)", 153), ("O(3)", 200), ("H(3)", 100)):
        word = layer_of(group, "V^3 -> V^3 = all").source.words[0]
        found = isotypic((word,))
        assert found is not None
        assert sum(numpy.count_nonzero(part) for part in found.bases[word]) <= most < 27**2 // 3


TYPES = st.sampled_from(["V^3 -> V^2", "V^2 -> V^2", "V^2 + V[3] -> V^3 + 1[2]", "V -> V^3", "1 -> V^2", "V^4 -> 1"])


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(["S(1)", "S(2)", "S(3)", "H(2)", "B(3)"]), TYPES, st.booleans())
def test_diagrams_are_their_blocks(group: str, text: str, bias: bool) -> None:
    """Every layer that has blocks is within the bound; here every one has."""
    try:
        layer = layer_of(group, f"{text} = all{' + bias' if bias else ''}")
    except catnn.CatnnError:
        return  # no map between these
    found = irreps(layer)
    if found is None:
        assert not all(any(row) for row in layer.weighted)
        return
    prove_irreps(found, layer)
    worst = max(value for _, value in deviations(found, layer))
    assert worst == found.deviation < 1e-11 < BOUND


def test_layers_without_blocks() -> None:
    assert irreps(layer_of("S(n)", "V^2 -> V^2 = all")) is None
    assert irreps(layer_of("U(2)", "V -> V = all")) is None
    assert irreps(layer_of("S(3)", "Sym^2(V) -> V = all")) is None
    assert irreps(layer_of("S(3)", "V -> 1 = bias")) is None
    plain = catnn.parse("space V : S(3)  space F : 2  layer f : V @ F -> V = all")["f"]
    assert isinstance(plain, Layer)
    assert irreps(plain) is None
    loose = catnn.parse("space V : S(3)  space W : S(n)  layer f : V -> V = span { n * [i -> i] } ")
    assert irreps(loose["f"]) is None  # type: ignore[arg-type]


def test_a_form_that_is_indefinite_is_compared_like_any_other() -> None:
    layer = layer_of("O(1,2)", "V^3 -> V^3 = all")
    found = irreps(layer)
    assert found is None or found.deviation < BOUND


def wrong(found: Irreps) -> list[tuple[str, Irreps]]:
    """Blocks with one thing wrong."""
    blocks = found.blocks[0, 0]
    bent = blocks.copy()
    bent[0, 3] += 1e-6
    basis = found.outs[0][0].copy()
    basis[0, 0, 0] += 1e-6
    bias = found.biases[0]
    assert bias is not None
    return [
        ("weight", replace(found, blocks={(0, 0): bent})),
        ("weight", replace(found, blocks={(0, 0): blocks[:, ::-1]})),
        ("weight", replace(found, outs=((basis, *found.outs[0][1:]),))),
        ("entries of blocks", replace(found, blocks={(0, 0): numpy.concatenate([blocks, blocks[:1]])})),
        ("are not those", replace(found, blocks={(0, 0): blocks[:, 1:]})),
        ("bias", replace(found, biases=(None,))),
        ("bias", replace(found, biases=(bias[:, ::-1] + 1,))),
        ("the blocks are of", replace(found, target=layer_of("S(3)", "V -> V = all").target)),
    ]


def test_what_is_wrong_is_refused() -> None:
    layer = layer_of("S(3)", "V^2[2] -> V^2[2] = all + bias")
    found = irreps(layer)
    assert found is not None
    prove_irreps(found, layer)
    for words, one in wrong(found):
        with pytest.raises(UnsoundPlanError, match=words):
            prove_irreps(one, layer)


def test_a_fixed_part_is_compared_too() -> None:
    layer = layer_of("S(3)", "V^2[2] -> V^2[2] = all + id")
    found = irreps(layer)
    assert found is not None
    prove_irreps(found, layer)
    with pytest.raises(UnsoundPlanError, match="the fixed part of weight"):
        prove_irreps(replace(found, fixed={(0, 0): found.fixed[0, 0] * 2}), layer)


def test_what_it_costs() -> None:
    found = irreps(layer_of("O(3)", "V^4[2] -> V^4[3] = all"))
    assert found is not None
    assert found.work == 369 * 6
    steps: dict[str, Any] = {}
    for step in irreps_steps(found):
        steps.setdefault(step.op.split(" ")[0], []).append(step.cost.value({"batch": 5}))
    assert [cost[2] for cost in steps["into"] + steps["out"]] == [5 * 81 * 81 * 2, 5 * 81 * 81 * 3]
    assert sum(cost[2] for cost in steps["product"]) == 5 * found.work
    assert [cost[2] for cost in steps["turn"]] == [91 * 91 * 6]
