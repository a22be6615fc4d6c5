"""Layers: hom-spaces, spans, biases, fixed parts, direct sums and attributes."""

from __future__ import annotations

import numpy as np
import pytest

import catnn
from catnn.category.scalar import Scalar
from catnn.diagnostics import CatnnError
from catnn.model import Layer

HEAD = "space N : S(n)\nspace R : O(3)\n"


def layer(text: str, head: str = HEAD) -> Layer:
    found = catnn.parse(f"{head}layer f : {text}")["f"]
    assert isinstance(found, Layer)
    return found


@pytest.mark.parametrize(
    ("text", "weights", "bias"),
    [
        ("1[16] -> 1[32] = all + bias", 1, 1),
        ("N[16] -> N[32] = all + bias", 2, 1),
        ("R[4] -> R[4] = all", 1, 0),
        ("R^2[4] -> R^2[4] = all + bias", 3, 1),
        ("N @ R[4] -> R[8] = all + bias", 1, 0),
        ("N @ R @ N[4] -> R @ N[8] = all + bias", 5, 0),
        ("N^2[3] -> N[8] = span { merge, [i j -> j] } + bias", 2, 1),
        ("R -> R^2[2] = bias", 0, 1),
    ],
)
def test_numbers_of_diagrams(text: str, weights: int, bias: int) -> None:
    found = layer(text)
    assert (len(found.diagrams), len(found.bias_diagrams)) == (weights, bias)
    assert found.biased == ("bias" in text)
    assert found.learned == ("all" in text or "span" in text)


def test_the_order_of_a_span_is_the_order_written() -> None:
    found = layer("N^2 -> N = span { [i j -> j], 1/2 * merge + [i j -> i], merge }")
    assert [str(d) for d in found.diagrams] == ["[i j -> j]", "[i j -> i] + 1/2 * [i i -> i]", "[i i -> i]"]


def test_fixed_terms_stand_beside_weights() -> None:
    found = layer("N^2[4] -> N^2[4] = all + id - 1/2 * [i j -> j i] + bias")
    assert [str(d) for d in found.fixed] == ["[i j -> i j]", "-1/2 * [i j -> j i]"]
    assert len(found.diagrams) == 15


def test_reduce_mean_puts_the_factor_on_the_diagrams() -> None:
    plain, mean = layer("N^2 -> N = all"), layer("N^2 -> N = all { reduce: mean }")
    for sums, means in zip(plain.diagrams, mean.diagrams, strict=True):
        inputs_only = sum(block[0] >= 1 for block in sums.parts)
        assert means == sums * Scalar.size("n", -inputs_only)
    rows = mean.diagrams[0].matrix(n=4).sum(axis=1)
    np.testing.assert_allclose(rows, 1.0)
    assert (mean.reduce, mean.init, plain.reduce) == ("mean", "unit", "sum")
    assert layer("N -> N = all { init: zeros, reduce: sum }").init == "zeros"


def test_direct_sums() -> None:
    found = layer("N[2] + R[2] -> N[2] + 1[3] = all + bias")
    assert [[len(pair) for pair in row] for row in found.diagrams] == [[2, 0], [1, 0]]
    assert [len(elements) for elements in found.bias_diagrams] == [1, 1]
    found = layer("N[2] + R[2] -> N[2] + R[2] = id + span { [i -> i], [i -> j] }", HEAD)
    assert [[[str(d) for d in pair] for pair in row] for row in found.diagrams] == [
        [["[i -> i]", "[i -> j]"], []],
        [[], ["[i -> i]"]],
    ]
    assert [[len(pair) for pair in row] for row in found.fixed] == [[1, 0], [0, 1]]


def test_a_copy_has_weights_of_its_own() -> None:
    spec = catnn.parse("space V : S(n)  layer f : V -> V = all { reduce: mean }  layer g = f")
    assert spec["g"] is not spec["f"]
    assert (spec["g"].name, spec["g"].reduce, spec["g"].diagrams) == ("g", "mean", spec["f"].diagrams)


@pytest.mark.parametrize(("size", "kept"), [(1, 1), (2, 8), (3, 14), (4, 15)])
def test_literal_sizes_keep_a_basis(size: int, kept: int) -> None:
    found = layer("V^2 -> V^2 = all", f"space V : S({size})\n")
    assert len(found.diagrams) == kept == catnn.dim(f"S({size})", 2, 2)
    rank = np.linalg.matrix_rank(np.stack([d.matrix(size).ravel() for d in found.diagrams]))
    assert rank == kept
    assert len(found.notes) == (kept < 15)


def test_notes_of_several_spaces() -> None:
    found = layer("N^2 @ R -> R @ N^2 = all", "space N : S(2)\nspace R : O(3)\n")
    assert found.notes == ("15 diagrams, only 8 independent for S(2): `all` keeps the 8 with at most 2 blocks",)


def test_all_scalars_of_one_channel_layer() -> None:
    found = layer("1[2] -> 1[2] = 1/2 * id", "")
    assert not found.learned
    assert len(found.fixed) == 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("N[2] + R[2] -> N[2] + N[2] = [i -> i]", "E0610"),
        ("N[2] + R[2] -> N[2] = merge[N]", "E0303"),
        ("N[2] + R[2] -> N[2] = id", "E0303"),
        ("N[2] + R[2] -> N[2] + R[3] = all + id", "E0609"),
        ("N + R -> R = [i i -> i]", "E0303"),
        ("R + R -> R^2 = all", "E0601"),
    ],
)
def test_what_direct_sums_refuse(text: str, code: str) -> None:
    with pytest.raises(CatnnError) as caught:
        layer(text)
    assert [fault.code for fault in caught.value.diagnostics] == [code]


def test_a_dependent_span_leaves_a_note() -> None:
    text = "V^2 -> V^2 = span { id, swap, id + swap }"
    for size, note in (("n", "only 2 of the 3"), ("1", "only 1 of the 3")):
        found = layer(text, f"space V : S({size})\n")
        assert len(found.diagrams) == 3
        assert found.notes == (f"`V^2 -> V^2`: {note} elements of `span` are linearly independent",)
    assert layer("V^2 -> V^2 = span { id, swap }", "space V : Sp(n)\n").notes == ()
    assert layer("V^2 -> 1 = span { ev }", "space V : Sp(2)\n").notes == ()
    (note,) = layer("V^2 -> V^2 = span { id, swap, ev ; coev }", "space V : Sp(2)\n").notes
    assert "only 2 of the 3" in note
