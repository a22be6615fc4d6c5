"""Pictures mean what they show: wires start at ports, text pictures can be read back, nothing is clipped or covered."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catnn import view
from catnn.category.diagram import Diagram
from catnn.category.halves import hom
from catnn.category.wires import Wire
from catnn.view.drawing import COLOURS, DASHES, SIZES, Curve, Dot, Label, dash, text_width
from catnn.view.layout import RADIUS, diagram_drawing
from catnn.view.text import diagram_lines
from tests.category.making import ALL, SP, O, S, diagrams
from tests.view.specimens import DIAGRAMS, FORMATS, NET, VALUES, digest, render

quick = settings(max_examples=50, deadline=None)
GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "view"
ARMS = {
    "│": "ud", "─": "lr", "╰": "ur", "╯": "ul", "╭": "dr", "╮": "dl", "┴": "ulr", "┬": "dlr", "├": "udr", "┤": "udl",
    "┼": "udlr", "●": "ud", "○": "ud",
}  # fmt: skip


# ------------------------------------------------------------------------------------------------------------- text


Arm = tuple[int, int, str]


def trace(diagram: Diagram) -> set[frozenset[int]]:
    """The blocks that a terminal picture shows, by following its lines; a dot is an end, whatever is beyond it."""
    lines = list(diagram_lines(diagram))
    rows, l = 2 if len(diagram.spaces()) > 1 else 1, len(diagram.target)
    body = lines[rows * (l > 0) : len(lines) - rows * (len(diagram.source) > 0)]
    parent: dict[Arm, Arm] = {}

    def find(key: Arm) -> Arm:
        while parent.setdefault(key, key) != key:
            key = parent[key]
        return key

    def arms(r: int, c: int) -> str:
        return ARMS.get(body[r][c], "") if 0 <= r < len(body) and 0 <= c < len(body[r]) else ""

    for r, line in enumerate(body):
        for c, char in enumerate(line):
            joined = list(combinations(arms(r, c), 2))
            if char == "│" and "r" in arms(r, c - 1):
                joined.append(("l", "r"))  # a bar runs below this wire
            pairs = [((r, c, a), (r, c, b)) for a, b in joined]
            pairs.append(((r, c, "r"), (r, c + 1, "l")))
            if "d" in arms(r, c) and "u" in arms(r + 1, c) and char + body[r + 1][c] not in {"●●", "○●", "●○", "○○"}:
                pairs.append(((r, c, "d"), (r + 1, c, "u")))
            for a, b in pairs:
                parent[find(a)] = find(b)
    ends: dict[Arm, set[int]] = {}
    for vertex, column in places(lines, diagram):
        key = find((0, column, "u") if vertex < l else (len(body) - 1, column, "d"))
        ends.setdefault(key, set()).add(vertex)
    return {frozenset(found) for found in ends.values()}


def places(lines: list[str], diagram: Diagram) -> list[tuple[int, int]]:
    """The column of every vertex: where its letter starts."""
    several, l = len(diagram.spaces()) > 1, len(diagram.target)
    rows = []
    if l:
        rows.append((0, lines[1 if several else 0]))
    if diagram.source:
        rows.append((l, lines[-2 if several else -1]))
    return [(at + i, m.start()) for at, line in rows for i, m in enumerate(re.finditer(r"\S+", line))]


@pytest.mark.parametrize("wires", ALL.values(), ids=list(ALL))
@quick
@given(data=st.data())
def test_text_reads_back(wires: tuple[Wire, ...], data: st.DataObject) -> None:
    d = data.draw(diagrams(wires, 4))
    if d.parts:
        assert trace(d) == {frozenset(part) for part in d.parts}, "\n" + view.to_text(d)


def test_text_of_every_small_diagram() -> None:
    for d in (f.diagram() for f in hom((S,) * 3, (S,) * 3)):
        assert trace(d) == {frozenset(part) for part in d.parts}, "\n" + view.to_text(d)


# ---------------------------------------------------------------------------------------------------------- geometry


def check_geometry(d: Diagram) -> None:
    drawing = diagram_drawing(d)
    curves = [item for item in drawing.items if isinstance(item, Curve) and not item.faint]
    dots = [item for item in drawing.items if isinstance(item, Dot)]
    labels = [item for item in drawing.items if isinstance(item, Label)]
    assert len(curves) == sum(1 if len(p) == 2 else len(p) for p in d.parts)
    assert len(dots) == sum(len(p) != 2 for p in d.parts)
    for curve in curves:
        (ax, ay), (bx, by) = curve.points[:2]
        assert ax == bx
        assert ay != by, "a wire leaves its port at a right angle"
        for x, y in curve.points:
            assert 0 <= x <= drawing.width
            assert -0.3 * drawing.height <= y <= 1.3 * drawing.height, "control points may lie a little outside"
    for a, b in combinations(dots, 2):
        gap = (a.centre[0] - b.centre[0]) ** 2 + (a.centre[1] - b.centre[1]) ** 2
        assert gap >= (2 * RADIUS + 1) ** 2, f"two spiders of {d} overlap"
    boxes = [(x, y, text_width(i.text, i.role) / 2, SIZES[i.role] / 2) for i in labels for x, y in (i.centre,)]
    for x, y, w, h in boxes:
        assert w <= x <= drawing.width - w
        assert h <= y <= drawing.height - h
    for (ax, ay, aw, ah), (bx, by, bw, bh) in combinations(boxes, 2):
        assert abs(ax - bx) >= aw + bw or abs(ay - by) >= ah + bh, f"two letters of {d} overlap"


@pytest.mark.parametrize("wires", ALL.values(), ids=list(ALL))
@quick
@given(data=st.data())
def test_geometry(wires: tuple[Wire, ...], data: st.DataObject) -> None:
    d = data.draw(diagrams(wires, 5))
    if d.parts:
        check_geometry(d)


@pytest.mark.parametrize("wire", [S, O, SP], ids=["S", "O", "Sp"])
def test_geometry_of_every_small_diagram(wire: Wire) -> None:
    for k, l in ((2, 2), (3, 3), (4, 0), (0, 4), (1, 3)):
        for f in hom((wire,) * k, (wire,) * l):
            check_geometry(f.diagram())


def test_inputs_on_top() -> None:
    d = DIAGRAMS["brauer"]
    turned = diagram_drawing(d, inputs="top")
    straight = diagram_drawing(d)
    assert (turned.width, turned.height) == (straight.width, straight.height)
    label = next(item for item in turned.items if isinstance(item, Label))
    assert label.centre[1] > turned.height / 2
    with pytest.raises(ValueError, match="bottom"):
        diagram_drawing(d, inputs="right")


# ------------------------------------------------------------------------------------------------------------- looks


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_colours_stand_out_on_light_and_dark() -> None:
    for colour in COLOURS:
        value = luminance(colour)
        assert 1.05 / (value + 0.05) >= 3
        assert (value + 0.05) / (luminance("121212") + 0.05) >= 3
    assert len(set(COLOURS)) == len(set(DASHES)) == 8
    pairs = {(COLOURS[i % 8], dash(i)) for i in range(64)}
    assert len(pairs) == 64


@pytest.mark.parametrize("name", VALUES)
def test_svg_is_well_formed_and_named(name: str) -> None:
    root = ElementTree.fromstring(render(name, "svg"))
    space = "{http://www.w3.org/2000/svg}"
    title = root.find(f"{space}title")
    assert title is not None
    assert title.text
    assert root.get("role") == "img"
    assert "http" not in render(name, "svg").replace("http://www.w3.org/2000/svg", "")
    width, height = float(root.get("width", "0")), float(root.get("height", "0"))
    for text in root.iter(f"{space}text"):
        x, y, size = float(text.get("x", "")), float(text.get("y", "")), float(text.get("font-size", ""))
        reach = 0.6 * size * len(text.text or "")
        left = x if text.get("text-anchor") == "start" else x - reach / 2
        assert -0.5 <= left <= left + reach <= width + 0.5, text.text
        assert 0.7 * size <= y <= height, text.text


def test_sums_and_limits() -> None:
    assert "(-1/n)" in view.to_svg(DIAGRAMS["laplacian"])
    assert "and 13 more" in view.to_svg(VALUES["mix"], limit=2)
    assert "and 13 more" in view.layer_html(VALUES["mix"], limit=2)
    assert "and 13 more" in view.layer_text(VALUES["mix"], limit=2)
    zero = DIAGRAMS["transpose"] * 0
    assert view.to_text(zero) == "0\n"
    assert "<text" in view.to_svg(zero)


def test_galleries_wrap() -> None:
    assert max(map(len, view.layer_text(VALUES["mix"], width=60).splitlines())) <= 60
    narrow, wide = (ElementTree.fromstring(view.to_svg(VALUES["mix"], width=w)) for w in (500, 1500))
    assert float(narrow.get("width", "0")) < float(wide.get("width", "0"))
    assert view.network_text(NET).splitlines()[7] == "  5  deep    layer  <- 2"


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
@pytest.mark.parametrize("name", ["spiders", "several", "avg", "network"])
def test_graphviz_reads_dot_and_keeps_the_order_of_ports(name: str) -> None:
    done = subprocess.run(["dot", "-Tplain"], input=render(name, "dot"), capture_output=True, text=True, check=True)
    nodes = [line.split() for line in done.stdout.splitlines() if line.startswith("node")]
    for side in ("in", "out"):
        rows: dict[str, list[tuple[float, int]]] = {}
        for _, node, x, *_ in nodes:
            if found := re.fullmatch(rf"(g\d\w*_){side}(\d+)", node):
                rows.setdefault(found[1], []).append((float(x), int(found[2])))
        for row in rows.values():
            assert [number for _, number in sorted(row)] == list(range(len(row)))


# ------------------------------------------------------------------------------------------------------------ golden


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    "name", ["transpose", "spiders", "several", "symplectic", "jellyfish", "laplacian", "avg", "network"]
)
def test_golden(name: str, form: str, golden: Callable[[Path, str], None]) -> None:
    golden(GOLDEN / f"{name}.{FORMATS[form]}", render(name, form))


@pytest.mark.parametrize("form", ["svg", "text"])
def test_golden_gallery(form: str, golden: Callable[[Path, str], None]) -> None:
    golden(GOLDEN / f"mix.{FORMATS[form]}", render("mix", form))


def test_golden_graph(golden: Callable[[Path, str], None]) -> None:
    golden(GOLDEN / "several.graphml", render("several", "graphml"))


def test_bytes_do_not_depend_on_the_hash_seed() -> None:
    here, found = digest(), set()
    for seed in ("0", "4242"):
        code = "from tests.view.specimens import digest; print(digest())"
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=GOLDEN.parents[2],
            env={**os.environ, "PYTHONHASHSEED": seed},
        )  # fmt: skip
        found.add(done.stdout.strip())
    assert found == {here}
