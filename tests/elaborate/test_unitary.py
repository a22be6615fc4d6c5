"""What the language says about V and V'."""

from __future__ import annotations

import pytest

import catnn
from catnn.diagnostics import CatnnError

HEAD = "space V : U(n)\n"


@pytest.mark.parametrize(
    "line",
    [
        "let f : V @ V' -> 1 = ev[V']",
        "let f : V' @ V -> 1 = ev[V]",
        "let f : 1 -> V @ V' = coev[V]",
        "let f : 1 -> V' @ V = coev[V']",
        "let f : V @ V' -> 1 = ev",
        "let f : V @ V' -> V' @ V = swap[V,V']",
        "let f : V'^2 -> V'^2 = swap",
        "let f : V' -> V' = id",
        "let f : V @ V' -> V @ V' = perm[1,0] ; perm[1,0]",
        "let f : V @ V' -> V @ V' = [i j -> i j] - (1/n) * [i i -> j j]",
        "check coev ; ev[V'] = n",
        "check coev[V] @ id[V] ; id[V] @ ev = id[V]",
        "check coev[V'] @ id[V'] ; id[V'] @ ev = id[V']",
        "check swap[V,V'] ; ev[V] = ev[V']",
        "check ev[V]' = coev[V']",
        "check [i i ->] = ev[V'] : V @ V' -> 1",
        "check [i i ->] = ev[V] : V' @ V -> 1",
        "check swap ; ev = ev[V']",
    ],
)
def test_this_is_right(line: str) -> None:
    catnn.parse(HEAD + line)


@pytest.mark.parametrize(
    ("line", "code", "text"),
    [
        ("let f : V -> V' = id", "E0303", "this is V -> V"),
        ("let f : V -> V' = [i -> i]", "E0402", "joins a wire of `V` and a wire of `V'` across the rows"),
        ("let f : V^2 -> 1 = [i i ->]", "E0402", "in one row"),
        ("let f : V^2 -> 1 = ev", "E0303", "this is V' @ V -> 1"),
        ("let f : V -> V^2 = copy", "E0403", "`copy` does not exist on `V` (U(n))"),
        ("check coev[V'] ; ev[V'] = n", "E0301", "expects  V @ V'"),
        ("check (swap + id @ id) ; ev = ev", "E0301", "does not compose"),
        ("layer f : V -> V' = all", "E0601", "the other way round"),
        ("layer f : V -> V^2 = all", "E0601", "1 `V` are not 2"),
        ("network f : V[3] -> V[3] = relu", "E0501", "unitary maps; use `gate`"),
        ("network f : V[3] -> V[3] = tanh", "E0501", "unitary maps"),
        ("network f : 1[3] -> 1[3] = relu", "E0502", "is a function of real numbers"),
        ("space N : S(n)\nnetwork f : N[3] -> N[3] = gelu", "E0502", "complex"),
    ],
)
def test_this_is_refused(line: str, code: str, text: str) -> None:
    with pytest.raises(CatnnError) as refused:
        catnn.parse(HEAD + line)
    assert refused.value.diagnostics[0].code == code
    assert text in str(refused.value)


def test_the_dual_of_a_real_space_is_the_space() -> None:
    layer = catnn.parse("space V : O(3)  layer f : V @ V' -> V' @ V = all")["f"]
    assert str(layer.target) == "V^2"
    assert len(layer.diagrams) == 3


def test_types_keep_their_duals() -> None:
    layer = catnn.parse(HEAD + "layer f : V @ V'^2[3] -> V'[2] + V[1] = all")["f"]
    assert str(layer.source) == "V @ V'^2[3]"
    assert str(layer.target) == "V'[2] + V"
    assert [len(row[0]) for row in layer.diagrams] == [2, 0]


def test_a_small_size_says_what_it_leaves_out() -> None:
    layer = catnn.parse("space V : U(2)  layer f : V^3 -> V^3 = all")["f"]
    assert len(layer.diagrams) == 5
    assert "6 diagrams, only 5 independent for n = 2" in layer.notes[0]
    assert "no decreasing subsequence longer than 2" in layer.notes[0]


def test_several_spaces_of_one_file_are_told_apart() -> None:
    spec = catnn.parse(
        "space V : U(n)  space W : U(m)  space N : S(k)\n"
        "layer f : N @ V @ W'[2] -> W' @ V @ N[2] = all\n"
        "let g : V @ W -> W @ V = swap[V,W]\n"
        "check ev[V] @ ev[W'] = [i i j j ->] : V' @ V @ W @ W' -> 1"
    )
    assert len(spec["f"].diagrams) == 2
    assert spec["f"].is_complex


def test_a_layer_of_another_file_that_is_real_does_not_fit(tmp_path) -> None:
    (tmp_path / "real.catnn").write_text("space N : S(m)\nlayer f : N[2] -> 1[2] = all\n")
    (tmp_path / "main.catnn").write_text('import "real.catnn" as R\nspace V : U(n)\nnetwork g : R.N[2] -> 1[2] = R.f\n')
    with pytest.raises(CatnnError, match="is real, this file is complex"):
        catnn.load(tmp_path / "main.catnn")
