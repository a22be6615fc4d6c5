"""The functions that people call."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import catnn
from catnn.diagnostics import CatnnError


def code_of(call: object) -> list[str]:
    assert callable(call)
    with pytest.raises(CatnnError) as caught:
        call()
    return [fault.code for fault in caught.value.diagnostics]


def test_load_and_parse_agree(tmp_path: Path) -> None:
    text = "space V : S(n)\r\nlayer mix : V^2[3] -> V^2[16] = all + bias\r\n"
    file = tmp_path / "graph.catnn"
    file.write_bytes(text.encode("utf-8"))
    for path in (file, str(file)):
        loaded = catnn.load(path)
        assert loaded.path == str(path)
        assert loaded["mix"].diagrams == catnn.parse(text)["mix"].diagrams


def test_what_cannot_be_loaded(tmp_path: Path) -> None:
    assert code_of(lambda: catnn.load(tmp_path / "missing.catnn")) == ["E1004"]
    assert code_of(lambda: catnn.load(tmp_path)) == ["E1004"]
    assert code_of(lambda: catnn.load("a\0b")) == ["E1004"]
    for limit in (0, -1, True, 1.5, "3"):
        assert code_of(lambda limit=limit: catnn.parse("", max_diagrams=limit)) == ["E1006"]


def test_diagrams() -> None:
    d = catnn.diagram("S(n)", "i j -> j i")
    assert d.blocks == ((0, 3), (1, 2))
    assert d == catnn.diagram("S(n)", "[row col -> col row]") == catnn.diagram("S(n)", "i j -> j i", "V^2 -> V^2")
    assert eval(repr(d)) == d  # transparent, as the house wants it
    mixed = catnn.diagram({"N": "S(n)", "R": "O(3)"}, "i j -> j", "N @ R -> R")
    assert mixed.blocks == {"R": ((0, 2),), "N": ((1,),)}
    assert eval(repr(mixed)) == mixed
    assert str(catnn.diagram({}, "->", "1 -> 1")) == "[->]"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("S(n)", "i j"), "E0017"),
        (("O(n)", "i i -> i"), "E0401"),
        (("SO(3)", "i j -> j k"), "E0406"),
        (("SO(n)", "i -> i"), "E0203"),
        (("A(n)", "i -> i"), "E0203"),
        (("A(3)", "sgn[i -> i]"), "E0406"),
        (("S(3)", "sgn[i j -> k]"), "E0404"),
        (("Perm(3, (0 3))", "i -> i"), "E0208"),
        (("Q(3)", "i -> i"), "E0201"),
        (("Sp(3)", "i -> i"), "E0202"),
        (({"N": "S(n)", "R": "O(3)"}, "i j -> j i"), "E1005"),
        (({"N": "S(n)", "R": "O(3)"}, "i j -> j i", "N @ R -> N @ R"), "E0402"),
        (({"a b": "S(n)"}, "i -> i"), "E1005"),
        (("S(n)", "i -> i", "V -> V^2"), "E0303"),
        (("S(n)", "i -> i", "V -> W"), "E0101"),
    ],
)
def test_diagrams_that_are_none(arguments: tuple[str, ...], code: str) -> None:
    assert code_of(lambda: catnn.diagram(*arguments)) == [code]


@pytest.mark.parametrize(
    ("group", "dims"),
    [
        ("S(2)", [1, 1, 2, 4, 8, 16, 32, 64, 128]),
        ("S(3)", [1, 1, 2, 5, 14, 41, 122, 365, 1094]),
        ("S(n)", [1, 1, 2, 5, 15, 52, 203, 877, 4140]),
        ("A(3)", [1, 1, 3, 9, 27, 81, 243, 729, 2187]),
        ("O(2)", [1, 0, 1, 0, 3, 0, 10, 0, 35, 0, 126]),
        ("O(3)", [1, 0, 1, 0, 3, 0, 15, 0, 91, 0, 603]),
        ("Sp(2)", [1, 0, 1, 0, 2, 0, 5, 0, 14, 0, 42]),
        ("Sp(4)", [1, 0, 1, 0, 3, 0, 14, 0, 84, 0, 594]),
    ],
)
def test_dimensions(group: str, dims: list[int]) -> None:
    catnn.dim(group, 0, 0)
    start = time.process_time()
    for m, expected in enumerate(dims):
        assert {catnn.dim(group, k, m - k) for k in range(m + 1)} == {expected}
    assert time.process_time() - start < 0.5


def test_dimensions_out_of_reach() -> None:
    assert code_of(lambda: catnn.dim("O(3)", 50, 50)) == ["E1007"]
    assert catnn.dim("O(100)", 50, 50) == catnn.dim("O(n)", 50, 50)
    assert catnn.dim("O(3)", 50, 51) == 0
    for k in (-1, 1001, True, 1.5, "2"):
        assert code_of(lambda k=k: catnn.dim("S(3)", k, 2)) == ["E1001"]
    assert code_of(lambda: catnn.dim("S(3", 1, 2))[0].startswith("E00")
    assert catnn.dim("Perm(3)", 1, 2) == 27
    assert code_of(lambda: catnn.dim("U(3)", 40, 40)) == ["E1007"]
    assert catnn.dim("U(3)", 40, 41) == 0
