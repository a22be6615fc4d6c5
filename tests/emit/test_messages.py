"""What a module says about wrong input: the layer, what was expected, what came, and where they differ."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import catnn

TEXT = """
space V : S(n)
space W : S(m)
space R : O(3)
space P : Sp(r)
layer mix : V^2[3] -> V^2[16] = all + bias
layer turn : V @ R[2] -> R[4] = all
layer flow : P^2[2] -> 1[4] = all
layer join : V^2[2] + V[3] -> 1[1] = all
layer two : V @ W[2] + W[1] -> V[1] = all
layer number : 1[2] -> 1[3] = all
"""

WRONG: list[tuple[str, Any, str]] = [
    ("mix", [(2, 5, 4, 3)], "mix: expected (*batch, n, n, 3), got (2, 5, 4, 3): axes 1 and 2 differ"),
    ("mix", [(5, 4, 3)], "mix: expected (*batch, n, n, 3), got (5, 4, 3): axes 0 and 1 differ"),
    ("mix", [(2, 5, 5, 4)], "mix: expected (*batch, n, n, 3), got (2, 5, 5, 4): the last axis has 4 channels"),
    ("mix", [(5, 3)], "mix: expected (*batch, n, n, 3), got (5, 3): at least 3 axes are needed"),
    ("mix", [()], "mix: expected (*batch, n, n, 3), got (): at least 3 axes are needed"),
    ("mix", [(5, 5, 3), (5, 3)], "mix: expected one tensor, got 2"),
    ("turn", [(2, 5, 4, 2)], "turn: expected (*batch, n, 3, 2), got (2, 5, 4, 2): axis 2 has length 4, not 3"),
    (
        "flow",
        [(3, 3, 2)],
        (
            "flow: expected (*batch, r, r, 2), got (3, 3, 2): axis 0 has odd length 3, "
            "a symplectic space has even dimension"
        ),
    ),
    ("join", [(2, 5, 5, 2)], "join: expected a tuple of 2 tensors, got 1"),
    (
        "join",
        [(2, 5, 5, 2), (2, 4, 3)],
        (
            "join: expected (*batch, n, 3) as input 1, got (2, 4, 3): axis 1 differs from axis 1 of input 0, "
            "which has length 5"
        ),
    ),
    (
        "join",
        [(2, 5, 5, 2), (3, 5, 3)],
        "join: expected (*batch, n, 3) as input 1, got (3, 5, 3): the batch axes (3,) differ from (2,) of input 0",
    ),
    (
        "two",
        [(2, 5, 4, 2), (2, 5, 1)],
        (
            "two: expected (*batch, m, 1) as input 1, got (2, 5, 1): axis 1 differs from axis 2 of input 0, "
            "which has length 4"
        ),
    ),
    ("number", [(5, 3)], "number: expected (*batch, 2), got (5, 3): the last axis has 3 channels"),
]


@pytest.mark.parametrize(("name", "shapes", "message"), WRONG)
def test_wrong_shapes(name: str, shapes: Any, message: str) -> None:
    module = catnn.compile(catnn.parse(TEXT)[name])
    xs = tuple(torch.zeros(shape) for shape in shapes)
    with pytest.raises(ValueError) as caught:
        module(xs if len(xs) > 1 else xs[0])
    assert str(caught.value) == message


@pytest.mark.parametrize(("length", "near"), [(2, "n = 1 has 1, n = 2 has 3"), (14, "n = 4 has 10, n = 5 has 15")])
def test_a_length_of_no_symmetric_power_is_told_its_neighbours(length: int, near: str) -> None:
    module = catnn.compile(catnn.parse("space V : S(n)  layer f : Sym^2(V)[3] -> V = all")["f"])
    with pytest.raises(ValueError) as caught:
        module(torch.zeros(length, 3))
    told = f"f: an axis has length {length}, which is that of no symmetric power of order 2: {near} entries"
    assert str(caught.value) == told


def test_a_real_tensor_beside_a_complex_space_is_told_why() -> None:
    """The layer is of another group, in a file with a space of U(n)."""
    module = catnn.compile(catnn.parse("space U : U(m)  space V : S(n)  layer f : V[2] -> V[2] = all")["f"])
    with pytest.raises(ValueError) as caught:
        module(torch.zeros(4, 2))
    assert str(caught.value).endswith("got torch.float32: beside a space of U(n) all layers are complex")


@pytest.mark.parametrize("dtype", [torch.float64, torch.int64, torch.bool, torch.complex64])
def test_wrong_dtypes(dtype: torch.dtype) -> None:
    module = catnn.compile(catnn.parse(TEXT)["mix"])
    with pytest.raises(ValueError) as caught:
        module(torch.zeros(5, 5, 3).to(dtype))
    assert str(caught.value) == f"mix: expected torch.float32 like its weights, got {dtype}"


@pytest.mark.parametrize("size", [0, -1, 2.0, "4", True, None])
def test_wrong_sizes(size: Any) -> None:
    """The file refuses them by itself; `catnn.compile` does so with a code."""
    layer = catnn.parse(TEXT)["mix"]
    with pytest.raises(ValueError) as caught:
        type(catnn.compile(layer))(n=size)
    assert str(caught.value) == f"mix: the size n={size!r} is not a positive integer"
    with pytest.raises(catnn.CatnnError, match="E1003"):
        catnn.compile(layer, n=size)


def test_a_hint_for_a_size_that_is_not_there() -> None:
    spec = catnn.parse(TEXT)
    with pytest.raises(catnn.CatnnError, match=r"E1002.*no size `k`"):
        catnn.compile(spec["mix"], k=3)
    with pytest.raises(catnn.CatnnError, match="E1003"):
        catnn.compile(catnn.parse("space V : S(3)\nlayer f : V -> V = all")["f"], n=4)


def test_printed() -> None:
    spec = catnn.parse(TEXT)
    assert repr(catnn.compile(spec["mix"], n=10)) == "Mix((*batch, n, n, 3) -> (*batch, n, n, 16), n=10)"
    packed = catnn.compile(catnn.parse("space V : S(n)\nlayer f : Sym^2(V)[2] + V -> 1[3] = all")["f"], n=10)
    assert repr(packed) == "F((*batch, Sym^2(n), 2) + (*batch, n, 1) -> (*batch, 3), n=10)"
