"""Every definition of every example in every format, drawn from every side: words or pictures, never a traceback."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest

import catnn
from catnn.commands.show import DRAWN, FORMATS, one
from catnn.diagnostics import CatnnError
from catnn.model import Layer
from catnn.report import report
from catnn.view import SIDES

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "examples").rglob("*.catnn"))
KINDS = """
space A : A(3)  space C : Aut(4, 0-1 1-2 2-3 3-0)  space P : Perm(4, (0 1 2 3))  space N : S(n)  space F : 5
space R : SO(3)  space Q : Sp(2)  space L : O(1,2)  space H : H(n)
let jelly : A^2 -> A = sgn[i j -> k]
let summed : A -> A = sgn[i -> j]
let around : C -> C = adj ; adj
let point : P -> P = [1 -> 2]
let legs : R^2 @ N -> R = [i j a -> k]
layer odd : A -> A = all + bias
layer cyclic : P @ N[2] -> P = all + bias
layer over : C[2] -> C^2[2] = all + id @ unit
layer packed : Sym^2(N)[2] -> Sym^2(N) + N = all + bias
layer plain : N @ F -> N @ F + F[2] = all + bias
layer kept : N @ F -> F = span { [i f -> f] }
layer bent : Q^2[2] -> Q^2 = all
layer light : L^2 -> L^2 + 1 = all + bias
layer signed : H^2 -> H^2 = all
"""


@pytest.mark.parametrize("file", EXAMPLES)
def test_examples(file: str) -> None:
    spec = catnn.load(str(ROOT / file))
    for name, value in spec.shown.items():
        shown(name, value)
    assert report(spec)


def test_every_kind_of_space() -> None:
    spec = catnn.parse(KINDS)
    for name, value in spec.shown.items():
        shown(name, value)
    assert report(spec).count("<figure") > 100


def shown(name: str, value: Any) -> None:
    """Every format has something to say, but PNG without its package."""
    for form in FORMATS:
        if form == "png":
            continue
        assert one(name, value, form), form
        for side in SIDES if form in DRAWN and form != "txt" and small(value) else ():
            assert one(name, value, form, {"inputs": side})
    for form, side in product(("svg", "tikz", "txt"), ("", "top")):
        how: dict[str, Any] = {"factored": True, **({"inputs": side} if side and form != "txt" else {})}
        assert fine(name, value, form, how)


def small(value: Any) -> bool:
    """Large layers are drawn from one side: the sides differ by no more than a turn."""
    return not isinstance(value, Layer) or sum(len(pair) for row in value.weighted for pair in row) < 20


def fine(name: str, value: Any, form: str, how: dict[str, Any]) -> bool:
    """Whether there is a picture, or a word that there is none."""
    try:
        return bool(one(name, value, form, how))
    except CatnnError as error:
        return [fault.code for fault in error.diagnostics] == ["E1013"]
