"""Pictures with boxes, rules and traces: nothing overlaps, no wire runs through a box, planar stays planar."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pytest

import catnn
from catnn import view
from catnn.category.wires import Group, Wire
from catnn.hypergraph.box import Box as Tensor
from catnn.hypergraph.graph import Hypergraph, compose_all, identity, permutation, single, spider, tensor_all
from catnn.rewrite.rule import Schema
from catnn.view.boxes import boxes_drawing
from catnn.view.drawing import MARK, Box, Curve, Dot, Drawing, samples
from catnn.view.layering import Layers
from catnn.view.placing import Unit
from tests.benchmarks.pictures import layout_time
from tests.view.test_every_kind import WRITERS, random_hypergraph

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "view"
V, R = Wire("V", Group("S", "n")), Wire("R", Group("O", 3))
F, G, H = (single(Tensor(n, (V,) * k, (V,) * l)) for n, k, l in (("f", 2, 1), ("gate", 1, 2), ("h", 1, 1)))
W = single(Tensor("W", (R,), (R,)))
SPEC = """\
space V : S(n)
box k : 1 -> V = abstract
box f, g : V -> V = abstract
box m : V^2 -> V = abstract
rule copies : k ; copy => k @ k
rule slide : f ; g => g ; f
rule nat : m ; f => f @ f ; m
rule many : k ; spider[1,q] => k^q
let both : V^2 -> V = m ; f + 1/2 * (m ; g)
check m ; f ; g ; f = f @ f ; f @ f ; m ; g
"""
SPECIMENS: dict[str, Hypergraph] = {
    "mixed": compose_all([tensor_all([F, W]), tensor_all([spider(V, 1, 3), W.dagger()]),
                          tensor_all([F, identity((V,)), identity((R,))])]),
    "crossed": compose_all([tensor_all([G, G]),
                            tensor_all([identity((V,)), permutation((V, V), (1, 0)), identity((V,))]),
                            tensor_all([F, F])]),
    "bent": compose_all([tensor_all([spider(R, 0, 2), identity((R,))]), tensor_all([identity((R,)), W, identity((R,))]),
                         tensor_all([identity((R,)), spider(R, 2, 0)])]),
    "traced": compose_all([spider(V, 0, 2), tensor_all([compose_all([G, F]), identity((V,))]), spider(V, 2, 0)]),
    "turned": compose_all([tensor_all([identity((V,)), spider(V, 0, 2)]), tensor_all([F, identity((V,))]),
                           tensor_all([G, identity((V,))]), tensor_all([identity((V,)), spider(V, 2, 0)])]),
    "loop": tensor_all([compose_all([spider(V, 0, 1), spider(V, 1, 0)]), H]),
}  # fmt: skip


def clear(drawing: Drawing) -> None:
    """No two boxes overlap, no wire runs through a box, nothing leaves the frame."""
    boxes = [item for item in drawing.items if isinstance(item, Box)]
    for a, b in combinations(boxes, 2):
        (ax, ay), (bx, by) = a.corner, b.corner
        apart = ax + a.width <= bx or bx + b.width <= ax or ay + a.height <= by or by + b.height <= ay
        assert apart, "two boxes overlap"
    for curve in (item for item in drawing.items if isinstance(item, Curve) and not item.faint and item.style != MARK):
        for x, y in samples(curve.points):
            for box in boxes:
                left, top = box.corner
                inside = left + 1 < x < left + box.width - 1 and top + 1 < y < top + box.height - 1
                assert not inside, "a wire runs through a box"
    for item in drawing.items:
        points = [item.corner] if isinstance(item, Box) else []
        points += [*item.points[::3], *samples(item.points)] if isinstance(item, Curve) else []
        assert all(-0.1 <= x <= drawing.width + 0.1 and -0.1 <= y <= drawing.height + 0.1 for x, y in points)


@pytest.mark.parametrize("inputs", ["bottom", "top", "left"])
@pytest.mark.parametrize("name", SPECIMENS)
def test_specimens_are_clear(name: str, inputs: str) -> None:
    graph = SPECIMENS[name]
    drawing = boxes_drawing(graph, inputs=inputs)
    clear(drawing)
    assert sum(isinstance(item, Box) for item in drawing.items) == len(graph.nodes)


def test_random_diagrams_are_clear() -> None:
    source = random.Random(8)
    for _ in range(150):
        clear(boxes_drawing(random_hypergraph(source)))


def test_wires_that_run_back_go_around() -> None:
    """Random diagrams with an output led back to an input: no wire through a box, and nothing is cut."""
    source, count = random.Random(9), 0
    for _ in range(300):
        graph = random_hypergraph(source)
        if not graph.source or graph.source[:1] != graph.target[:1]:
            continue
        count += 1
        (wire, *rest), (_, *left) = graph.source, graph.target
        turn, back = spider(wire, 0, 2), spider(wire, 2, 0)
        around = tensor_all([turn, identity(tuple(rest))]), tensor_all([identity((wire,)), graph])
        clear(boxes_drawing(compose_all([*around, tensor_all([back, identity(tuple(left))])])))
    assert count > 20


def test_another_side_is_refused() -> None:
    with pytest.raises(ValueError, match="bottom"):
        boxes_drawing(F, inputs="right")


def crossings(graph: Hypergraph) -> int:
    """How often wires cross in the layout of a diagram of boxes alone."""
    layers = Layers()
    layers.units = [Unit(40.0, len(n.inputs), len(n.outputs)) for n in graph.nodes]
    layers.inputs = [len(layers.units) + i for i in range(len(graph.ins))]
    layers.outputs = [len(layers.units) + len(graph.ins) + j for j in range(len(graph.outs))]
    layers.units += [Unit(8.0, 1, 1) for _ in (*graph.ins, *graph.outs)]
    feeds = {v: (u, 0) for v, u in zip(graph.ins, layers.inputs, strict=True)}
    feeds |= {v: (u, at) for u, n in enumerate(graph.nodes) for at, v in enumerate(n.outputs)}
    reads = {v: (u, 0) for v, u in zip(graph.outs, layers.outputs, strict=True)}
    reads |= {v: (u, at) for u, n in enumerate(graph.nodes) for at, v in enumerate(n.inputs)}
    layers.wires = [(feeds[v], reads[v]) for v in range(len(graph.wires))]
    layers.arrange()
    return layers._crossings()


def test_planar_diagrams_are_drawn_planar() -> None:
    """Random planar circuits of boxes: not one crossing; a swap in between: one."""
    source = random.Random(2)
    shapes = [single(Tensor(f"b{k}{l}", (V,) * k, (V,) * l)) for k in (1, 2) for l in (1, 2)]
    for _ in range(60):
        found = identity((V,) * source.randint(2, 4))
        for _ in range(source.randint(1, 5)):
            row, left = [], len(found.target)
            while left:
                piece = source.choice([identity((V,)), *(s for s in shapes if len(s.source) <= left)])
                row.append(piece)
                left -= len(piece.source)
            found = compose_all([found, tensor_all(row)])
        if found.nodes:
            assert crossings(found) == 0
    assert crossings(SPECIMENS["crossed"]) == 1


def test_bends_are_drawn_planar(monkeypatch: pytest.MonkeyPatch) -> None:
    """A zig-zag with a box in it crosses nothing; what crosses either way stands in nobody's way."""
    found: list[int] = []
    arrange = Layers.arrange

    def counted(self: Layers) -> None:
        arrange(self)
        found.append(self._crossings())

    monkeypatch.setattr(Layers, "arrange", counted)
    boxes_drawing(SPECIMENS["bent"])
    assert found == [0]
    source = random.Random(8)
    for _ in range(150):
        boxes_drawing(random_hypergraph(source))
    assert sum(found) <= 3


def test_a_layout_of_many_boxes_is_quick() -> None:
    assert min(layout_time(500, 8) for _ in range(2)) < 1


# ------------------------------------------------------------------------------------------------------- rules, traces


def test_what_a_step_changes_is_highlighted() -> None:
    (check,) = catnn.parse(SPEC).checks
    assert check.proof is not None
    from catnn.view.rules import shown_steps

    for trace in (check.proof.left, check.proof.right):
        for step, shown in zip(trace.steps, shown_steps(trace), strict=True):
            marked = [item for item in shown.drawing.items if isinstance(item, Box) and item.marked]
            sides = [step.rule.left, *(graph for _, graph in step.rule.right.weighted)]
            assert len(marked) == sum(len(side.nodes) for side in sides)
            assert any(isinstance(item, Curve) and item.style == MARK for item in shown.drawing.items)
            assert step.rule.name in shown.caption


def test_rules_traces_and_combinations_in_every_picture_format() -> None:
    spec = catnn.parse(SPEC)
    proof = spec.checks[0].proof
    assert proof is not None
    for value in (*spec.rules, proof, proof.left, spec.composites["both"], *SPECIMENS.values()):
        assert view.to_svg(value).startswith("<svg")
        assert r"\begin{tikzpicture}" in view.to_tikz(value)
        assert "<svg" in view.to_html(value)
        assert view.to_text(value).strip()
    for value in (*spec.rules, proof, proof.left):
        assert view.to_dot(value).startswith("digraph")
        for inputs in ("top", "left"):
            assert view.to_svg(value, inputs=inputs) != view.to_svg(value)
        with pytest.raises(ValueError, match="factor"):
            view.to_svg(value, factored=True)
    assert "nat" in view.to_json(proof)
    dot = view.to_dot(spec.composites["both"])
    assert dot.count('label="m"') == 2
    assert "1/2 *" in dot


@pytest.mark.parametrize("how", WRITERS)
def test_rules_and_proofs_read_back_equal(how: str) -> None:
    spec = catnn.parse(SPEC)
    proof = spec.checks[0].proof
    assert proof is not None
    for value in (*spec.rules[:3], spec.rules[2].reverse, proof, proof.left, proof.right):
        assert WRITERS[how](value) == value
    schema = spec.rules[3]
    assert isinstance(schema, Schema)
    read = WRITERS[how](schema)
    assert read == schema
    assert isinstance(read, Schema)
    assert [read.instance((q,)) for q in range(4)] == [schema.instance((q,)) for q in range(4)]


def test_the_graph_of_a_proof_is_the_documented_one() -> None:
    proof = catnn.parse(SPEC).checks[0].proof
    assert proof is not None
    graph = view.to_networkx(proof)
    steps = [data["rule"] for _, _, data in graph.edges(data=True) if data["kind"] == "step"]
    assert steps == [step.rule.name for trace in (proof.left, proof.right) for step in trace.steps]
    assert sum(data["kind"] == "equal" for _, _, data in graph.edges(data=True)) == 1
    sides = {data["side"] for _, data in view.to_networkx(catnn.parse(SPEC).rules[0]).nodes(data=True)}
    assert sides == {"left", "right"}


VALUES = {**SPECIMENS, "combination": None, "rule": None, "schema": None, "proof": None}


@pytest.mark.parametrize("name", VALUES)
def test_golden(name: str, golden: Callable[[Path, str], None]) -> None:
    spec = catnn.parse(SPEC)
    others = {
        "combination": spec.composites["both"],
        "rule": spec.rules[2],
        "schema": spec.rules[3],
        "proof": spec.checks[0].proof,
    }
    value = SPECIMENS.get(name) or others[name]
    golden(GOLDEN / f"boxes-{name}.svg", view.to_svg(value))  # type: ignore[arg-type]
    golden(GOLDEN / f"boxes-{name}.txt", view.to_text(value))  # type: ignore[arg-type]


@pytest.mark.parametrize("inputs", ["left", "top"])
def test_golden_sides(inputs: str, golden: Callable[[Path, str], None]) -> None:
    golden(GOLDEN / f"boxes-mixed-{inputs}.svg", view.to_svg(SPECIMENS["mixed"], inputs=inputs))
    spiders = catnn.diagram("S(n)", "i j k j -> k k i")
    golden(GOLDEN / f"sides-{inputs}.svg", view.to_svg(spiders, inputs=inputs))


def test_golden_stages_and_legs(golden: Callable[[Path, str], None]) -> None:
    d = catnn.diagram("S(n)", "i j k j -> k k i l")
    golden(GOLDEN / "stages.svg", view.to_svg(d, factored=True))
    golden(GOLDEN / "stages.txt", view.to_text(d, factored=True))
    golden(GOLDEN / "legs.svg", view.to_svg(catnn.diagram("SO(3)", "i j k l -> l m m")))


def test_legs_of_epsilons_are_rings_in_their_order() -> None:
    from catnn.view.drawing import Label
    from catnn.view.layout import diagram_drawing

    drawing = diagram_drawing(catnn.diagram("SO(3)", "i j k l -> l m m"))
    assert sum(isinstance(item, Dot) and item.hollow for item in drawing.items) == 3
    assert [item.text for item in drawing.items if isinstance(item, Label) and item.role == "index"] == ["1", "2", "3"]


def test_png() -> None:
    pytest.importorskip("resvg_py", reason="resvg-py is not installed (the extra `png`)")
    data = view.to_png(SPECIMENS["mixed"], scale=3)
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width = int.from_bytes(data[16:20], "big")
    drawing = view._drawing(SPECIMENS["mixed"])
    assert abs(width - 3 * drawing.width) <= 3
    assert data == view.to_png(SPECIMENS["mixed"], scale=3)


def test_png_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(catnn.CatnnError, match="E1030"):
        view.to_png(F)
