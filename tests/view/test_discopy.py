"""To and from discopy: equal again, functorial, and what it cannot hold is refused."""

from __future__ import annotations

import random

import pytest

import catnn
from catnn import view
from catnn.category.diagram import Diagram
from catnn.category.families import FAMILIES
from catnn.category.wires import Group, Wire
from catnn.diagnostics import CatnnError
from catnn.hypergraph.convert import from_diagram
from tests.view.test_every_kind import random_diagrams, random_hypergraph

discopy = pytest.importorskip("discopy", reason="discopy is not installed (the extra `discopy`)")


def test_diagrams_and_hypergraphs_come_back_equal() -> None:
    source = random.Random(3)
    for number in range(200):
        value = random_hypergraph(source) if number % 2 else random_diagrams(source, 1)[0]
        families = {wire.group.family for wire in value.source + value.target}
        if isinstance(value, Diagram) and families & {
            "A",
            "B'",
        }:  # blocks of one come in pairs, which no vertex alone tells
            continue
        graph = from_diagram(value) if isinstance(value, Diagram) else value
        if any(FAMILIES[wire.group.family].oriented for wire in graph.wires):
            continue
        spaces = {wire.space: wire for wire in (*graph.wires, *graph.source, *graph.target)}
        again = view.from_discopy(view.to_discopy(value), spaces)
        assert again == (graph if graph.nodes else value)


def test_composition_is_discopy_s() -> None:
    f, g = catnn.diagram("S(n)", "i j -> j i i"), catnn.diagram("S(n)", "i j k -> i k")
    spaces = {"V": f.source[0]}
    both = view.to_discopy(f) >> view.to_discopy(g)
    assert view.from_discopy(both, spaces) == f >> g
    assert view.from_discopy(view.to_discopy(f) @ view.to_discopy(g), spaces) == f @ g
    assert view.from_discopy(both.to_diagram(), spaces) == f >> g


def test_a_diagram_made_in_discopy() -> None:
    from discopy.frobenius import Box, Spider, Ty

    V = Wire("V", Group("S", "n"))
    made = Spider(2, 1, Ty("V")) >> Box("f", Ty("V"), Ty("V"))
    found = view.from_discopy(made, {"V": V})
    assert str(found) == str(catnn.parse(
        "space V : S(n)  box f : V -> V = abstract  let g : V^2 -> V = merge ; f"
    ).composites["g"].single)  # fmt: skip


def test_what_is_refused() -> None:
    u = catnn.diagram({"V": "U(3)"}, "i -> i", "V -> V")
    both = catnn.diagram("S(n)", "i -> i") + catnn.diagram("S(n)", "i -> j")
    for attempt in (
        lambda: view.to_discopy(u),
        lambda: view.to_discopy(both),
        lambda: view.from_discopy(view.to_discopy(catnn.diagram("S(n)", "i -> i")), {}),
        lambda: view.from_discopy(3, {}),
    ):
        with pytest.raises(CatnnError) as caught:
            attempt()
        assert caught.value.diagnostics[0].code == "E1031"
    with pytest.raises(CatnnError, match="this is a Layer"):
        view.to_discopy(catnn.parse("space V : S(n)  layer f : V -> V = all")["f"])
