"""Values of the wrong kind given to the Python functions: a code, and the exception that Python would raise."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

import pytest

import catnn

D = catnn.diagram("S(n)", "i j -> j i")
ANYTHING: Any = None
NUMBER: Any = 1

CALLS: dict[str, tuple[Callable[[], object], type[Exception]]] = {
    "parse": (lambda: catnn.parse(ANYTHING), TypeError),
    "load": (lambda: catnn.load(NUMBER), TypeError),
    "group": (lambda: catnn.diagram(ANYTHING, "i -> i"), TypeError),
    "groups": (lambda: catnn.diagram({"V": NUMBER}, "i -> i"), TypeError),
    "pattern": (lambda: catnn.diagram("S(n)", ANYTHING), TypeError),
    "type": (lambda: catnn.diagram("S(n)", "i -> i", NUMBER), TypeError),
    "dim": (lambda: catnn.dim(ANYTHING, 1, 1), TypeError),
    "Equivariant": (lambda: catnn.nn.Equivariant(ANYTHING, "V -> V"), TypeError),
    "arrow": (lambda: catnn.nn.Equivariant("S(n)", ANYTHING), TypeError),
    "networkx": (lambda: catnn.aut(ANYTHING), TypeError),
    "JSON": (lambda: catnn.view.from_json(NUMBER), TypeError),
    "GraphML": (lambda: catnn.view.from_graphml(ANYTHING), TypeError),
    "HIF": (lambda: catnn.view.from_hif(NUMBER), TypeError),
    "sum": (lambda: D + NUMBER, TypeError),
    "difference": (lambda: D - NUMBER, TypeError),
    "composite": (lambda: D >> NUMBER, TypeError),
    "tensor": (lambda: D @ ANYTHING, TypeError),
    "inexact": (lambda: D * ANYTHING, TypeError),
    "no number": (lambda: D * "x y", ValueError),
    "division inside": (lambda: D * "1/0", ZeroDivisionError),
    "division": (lambda: D / 0, ZeroDivisionError),
    "picture": (lambda: catnn.view.to_svg(NUMBER), TypeError),
    "page": (lambda: catnn.view.to_html(ANYTHING), TypeError),
    "document": (lambda: catnn.view.to_json(ANYTHING), TypeError),
    "graph": (lambda: catnn.view.to_networkx(ANYTHING), TypeError),
    "option": (lambda: D.to_svg(width=500), TypeError),
    "option of a page": (lambda: catnn.view.to_html(D, width=500), TypeError),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_code_and_the_kind(name: str) -> None:
    call, kind = CALLS[name]
    with pytest.raises(kind) as caught:
        call()
    assert isinstance(caught.value, catnn.CatnnError)
    assert [fault.code for fault in caught.value.diagnostics] == ["E1021"]


@pytest.mark.parametrize(("upper", "lower"), [("S(n)", "O(3)"), ("S(n)", "S(m)"), ("O(n)", "O(1,2)")])
def test_one_name_is_one_space(upper: str, lower: str) -> None:
    """Both are called V; side by side, and one after the other where nothing is between them."""
    one, other = catnn.diagram(upper, "i -> i"), catnn.diagram(lower, "i -> i")
    arrow, back = catnn.diagram(upper, "i i ->"), catnn.diagram(lower, "-> i i")
    for call in (lambda: one @ other, lambda: arrow >> back):
        with pytest.raises(catnn.CatnnError) as caught:
            call()
        assert [fault.code for fault in caught.value.diagnostics] == ["E0420"]
    with pytest.raises(catnn.CatnnError):
        one >> other
    named = catnn.diagram({"R": lower}, "i -> i")
    assert set((one @ named).blocks) == {"V", "R"}


def test_a_matrix_is_counted_before_it_is_made() -> None:
    for value in (D, D + D, D * "1/2"):
        with pytest.raises(catnn.CatnnError) as caught:
            value.matrix(10**4)
        assert [fault.code for fault in caught.value.diagnostics] == ["E1024"]


def test_long_integers_are_written() -> None:
    """Python itself refuses beyond 4,300 digits."""
    for digits in (3999, 4000, 4001, 9000):
        assert str(D * 10**digits) == f"{'1' + '0' * digits} * [i j -> j i]"
    assert "1/1" + "0" * 5000 in repr(D / 10**5000)


def test_signatures_name_their_options() -> None:
    found = signature(catnn.compile).parameters
    assert list(found) == ["item", "target", "batch", "device", "dtype", "generator", "sizes"]
    assert list(signature(catnn.explain).parameters) == ["item", "batch", "full", "sizes"]
