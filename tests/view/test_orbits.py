"""Orbits in every renderer: points where others have letters, and formats that read back."""

from __future__ import annotations

import pytest

import catnn
from catnn import view
from catnn.category.diagram import Diagram

BOTH = {"V": "Perm(4, (0 1 2 3))", "R": "O(3)"}
DIAGRAMS = [
    catnn.diagram("Perm(4, (0 1 2 3))", "1 0 -> 2"),
    catnn.diagram("Aut(3, 0-1 1-2)", "0 1 0 ->"),
    catnn.diagram(BOTH, "1 i -> i 2", "V @ R -> R @ V"),
    catnn.diagram({"V": "Perm(3, (0 1 2))", "W": "Perm(2)"}, "1 1 -> 0", "V @ W -> W"),
]


@pytest.mark.parametrize("diagram", DIAGRAMS, ids=str)
def test_formats_read_back(diagram: Diagram) -> None:
    assert isinstance(diagram, Diagram)
    assert view.from_json(diagram.to_json()) == diagram
    assert view.from_networkx(diagram.to_networkx()) == diagram
    assert view.from_graphml(diagram.to_graphml()) == diagram
    assert eval(repr(diagram), {"catnn": catnn}) == diagram


@pytest.mark.parametrize("diagram", DIAGRAMS, ids=str)
def test_every_picture_has_the_points(diagram: Diagram) -> None:
    points = {str(point) for point in diagram.points if point >= 0}
    for picture in (diagram.to_svg(), diagram.to_tikz(), diagram.to_dot(), view.to_text(diagram)):
        assert all(point in picture for point in points)


def test_sums_read_back() -> None:
    adjacency = catnn.parse("space V : Aut(4, 0-1 1-2 2-3)  let a : V -> V = 1/2 * adj ; adj")["a"]
    assert len(adjacency.terms) > 1
    assert view.from_json(adjacency.to_json()) == adjacency


@pytest.mark.parametrize("points", ["[0, 3, 9]", "[1, 0, 3]", '["0", 3, 2]', "[]", "[0, 3]"])
def test_what_is_no_orbit_is_refused(points: str) -> None:
    text = DIAGRAMS[0].to_json()
    assert '"points": [0, 3, 2]' in text
    with pytest.raises((ValueError, catnn.CatnnError)):
        view.from_json(text.replace('"points": [0, 3, 2]', f'"points": {points}'))


def test_layers_and_networks_are_drawn() -> None:
    spec = catnn.parse(
        "space V : Aut(5, 0-1 1-2 2-3 3-4 0-4)  space R : O(3)  layer f : V @ R -> V @ R = all + id\n"
        "layer g : V[2] -> V[2] = all + bias  network h : V[2] -> V[2] = g ; relu ; g"
    )
    for item in spec.values():
        for picture in (item.to_svg(), item.to_tikz(), item.to_dot(), item.to_json(), item.to_graphml()):
            assert picture
        assert "Aut(5" in str(catnn.explain(item))
    assert "tie weights" in str(catnn.explain(spec["f"]))
    assert "an orbit of 10 tuples" in str(catnn.explain(spec["f"]))
