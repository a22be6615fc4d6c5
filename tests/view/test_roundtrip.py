"""What is written is read back equal: JSON, GraphML, networkx; and what is none of ours is refused."""

from __future__ import annotations

import json

import networkx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catnn import view
from catnn.category.diagram import Diagram, Sum
from catnn.category.wires import Group, Wire
from catnn.diagnostics import CatnnError
from tests.category.making import ALL, S, diagrams, sums
from tests.view.specimens import AVG, DIAGRAMS, MIX, NET

quick = settings(max_examples=60, deadline=None)


@pytest.mark.parametrize("wires", ALL.values(), ids=list(ALL))
@quick
@given(data=st.data())
def test_diagrams(wires: tuple[Wire, ...], data: st.DataObject) -> None:
    d = data.draw(diagrams(wires, 4))
    graph = view.to_networkx(d)
    renamed = networkx.convert_node_labels_to_integers(graph)
    for again in (
        view.from_json(view.to_json(d)),
        view.from_networkx(graph),
        view.from_networkx(renamed),
        view.from_graphml(view.to_graphml(d)),
    ):
        assert isinstance(again, Diagram)
        assert (again.source, again.target, again.parts) == (d.source, d.target, d.parts)
        assert again == d


@quick
@given(sums((S, S), (S,)))
def test_sums(total: Sum) -> None:
    again = view.from_json(view.to_json(total))
    assert again == total
    assert view.to_json(again) == view.to_json(total)


def test_methods_of_a_diagram() -> None:
    d = DIAGRAMS["transpose"]
    assert view.from_json(d.to_json()) == d
    assert d.to_svg() == view.to_svg(d) == d._repr_svg_()
    once = d + d * 0
    assert once.to_svg() == d.to_svg()
    assert view.to_json(once) == view.to_json(d)
    several = DIAGRAMS["laplacian"]
    assert view.from_json(several.to_json()) == several
    assert several.to_svg() == several._repr_svg_()
    assert not hasattr(d, "to_nothing")
    assert not hasattr(several, "to_nothing")
    assert view.from_networkx(view.to_networkx(several)) == several


def test_the_graph_is_the_documented_one() -> None:
    d = Diagram((S, S), (S,), ((0, 2), (1,)))
    graph = view.to_networkx(d)
    assert list(graph.nodes) == [("in", 0), ("in", 1), ("block", 0), ("block", 1), ("out", 0)]
    assert list(graph.edges()) == [(("in", 0), ("block", 1)), (("in", 1), ("block", 0)), (("block", 0), ("out", 0))]
    port = {"kind": "input", "index": 1, "letter": "j", "space": "V", "family": "S", "size": "n"}
    assert graph.nodes[("in", 1)] == port
    expected = {"format": "catnn-diagram", "version": 1, "pattern": "[i j -> j]", "k": 2, "l": 1}
    assert graph.graph == expected


@pytest.mark.parametrize(
    "change",
    [
        {"format": "catnn"}, {"version": 2}, {"blocks": [[0, 1]]}, {"blocks": [[0, 1], [2, 3], []]},
        {"blocks": [[0, 1], [2, -1]]}, {"blocks": [[0, 1], [2, True]]}, {"blocks": None}, {"source": ["W", "W"]},
        {"spaces": {}}, {"spaces": {"V": {"family": "Q", "size": 3}}}, {"source": 3},
    ],
)  # fmt: skip
def test_json_that_is_refused(change: dict[str, object]) -> None:
    data = json.loads(view.to_json(DIAGRAMS["transpose"]))
    with pytest.raises((ValueError, CatnnError)):
        view.from_json(json.dumps({**data, **change}))


@pytest.mark.parametrize("text", ["", "[]", "{}", "nonsense", "null", "[" * 100_000])
def test_text_that_is_no_json_of_ours(text: str) -> None:
    with pytest.raises(ValueError):
        view.from_json(text)


def test_blocks_that_are_none_of_the_group() -> None:
    data = json.loads(view.to_json(DIAGRAMS["transpose"]))
    data["spaces"]["V"]["family"] = "O"
    data["blocks"] = [[0, 1, 2], [3]]
    with pytest.raises(CatnnError):
        view.from_json(json.dumps(data))


def test_graphs_that_are_refused() -> None:
    text = view.to_graphml(DIAGRAMS["transpose"])
    for broken in ("", "<graphml/>", text[:200], text.replace(">input<", ">port<"), text.replace(">1<", ">0<")):
        with pytest.raises(ValueError):
            view.from_graphml(broken)
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]>' + text
    with pytest.raises(ValueError, match="document type"):
        view.from_graphml(bomb)
    graph = view.to_networkx(DIAGRAMS["transpose"])
    graph.remove_edge(("in", 0), ("block", 1))
    with pytest.raises(ValueError, match="hangs on 0"):
        view.from_networkx(graph)


NAMES = [
    '<script>alert("1")</script>',
    "a&b",
    'quote"\\',
    "new\nline",
    "]]>",
    "$x_1^{2}$%#~",
    "\u202eabc",
    "\x00\x1b[31m",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_cannot_break_out(name: str) -> None:
    """A space may be called anything where diagrams are made in Python."""
    from xml.etree import ElementTree

    wire, other = Wire(name, Group("S", "n")), Wire("W", Group("S", "n"))
    d = Diagram((wire, other), (wire,), ((0, 1), (2,)))
    drawn = view.to_svg(d)
    root = ElementTree.fromstring(drawn)
    assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {
        "svg", "title", "style", "path", "circle", "text", "rect"
    }  # fmt: skip
    assert "<script" not in drawn + view.to_html(d)
    ElementTree.fromstring(view.to_graphml(d))
    assert view.from_json(view.to_json(d)) == d
    assert '"new\n' not in view.to_dot(d)
    assert "\n" not in "".join(line for line in view.to_tikz(d).splitlines() if line.startswith("%"))


def test_layers_and_networks_as_graphs() -> None:
    graph = view.to_networkx(MIX)
    assert graph.number_of_nodes() == 2 + 15 + 2
    assert [data["pattern"] for _, data in graph.nodes(data=True) if data["kind"] == "weight"] == [
        str(d) for d in MIX.diagrams
    ]
    kinds = [data["kind"] for _, data in view.to_networkx(AVG).nodes(data=True)]
    assert kinds == ["source", "source", "target", "weight", "fixed", "bias"]
    flow = view.to_networkx(NET)
    assert networkx.is_directed_acyclic_graph(flow)
    assert [data["label"] for _, data in flow.nodes(data=True)] == [
        "V^2[3]", "mix", "relu", "deep", "relu", "deep", "+", "pool", "V[8]"
    ]  # fmt: skip
    assert networkx.parse_graphml(view.to_graphml(NET)).number_of_edges() == flow.number_of_edges() == 10
    data = json.loads(view.to_json(AVG))
    assert [w["parameter"] for w in data["weights"]] == ["weight_0_0", "weight_0_1"]
    assert data["weights"][0]["terms"][0]["diagrams"][0]["coefficient"] == [["1", {"n": -1}]]
