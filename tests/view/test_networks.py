"""Networks in pictures and words: every stage and step has its place, wires keep clear of boxes, words are not cut."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pytest

import catnn
from catnn import view
from catnn.model import Network
from catnn.program import Contract
from catnn.report.steps import program_style
from catnn.view.chart import network_drawing
from catnn.view.drawing import SIZES, Box, Curve, Drawing, Label, samples, text_width
from catnn.view.programs import contraction_drawing, value_names
from tests.view.specimens import NET
from tests.view.test_boxes import clear
from tests.view.test_every_kind import PROGRAMS, random_network, random_program

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "view"
NETWORKS: dict[str, Network] = {
    "net": NET,
    **catnn.parse(PROGRAMS).networks,
    **catnn.load("examples/gallery/attention.catnn").networks,
    **catnn.load("examples/gallery/tensornet.catnn").networks,
}


def frames(drawing: Drawing) -> list[tuple[float, float, float, float]]:
    """Where the words are: left, top, right, bottom."""
    found = []
    for item in drawing.items:
        if isinstance(item, Label):
            (x, y), half, high = item.centre, text_width(item.text, item.role) / 2, SIZES[item.role] / 2
            found.append((x - half, y - high, x + half, y + high))
    return found


def legible(drawing: Drawing) -> None:
    """No two words overlap, none is cut, and no wire runs through any."""
    words = frames(drawing)
    for a, b in combinations(words, 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1], "two words overlap"
    for left, top, right, bottom in words:
        assert left >= 0
        assert top >= 0
        assert right <= drawing.width
        assert bottom <= drawing.height
    for curve in (item for item in drawing.items if isinstance(item, Curve)):
        for x, y in samples(curve.points):
            assert not any(l + 1 < x < r - 1 and t + 1 < y < b - 1 for l, t, r, b in words), "a wire runs through words"


@pytest.mark.parametrize("inputs", ["bottom", "top", "left"])
@pytest.mark.parametrize("name", NETWORKS)
def test_pictures_are_clear(name: str, inputs: str) -> None:
    drawing = network_drawing(NETWORKS[name], inputs=inputs)
    clear(drawing)
    legible(drawing)


def test_random_networks_are_clear() -> None:
    import random

    source = random.Random(3)
    for make in (random_network, random_program):
        for _ in range(60):
            value = make(source)
            for inputs in ("bottom", "left"):
                drawing = network_drawing(value, inputs=inputs)
                clear(drawing)
                legible(drawing)


def test_random_contractions_are_clear() -> None:
    import random

    source, count = random.Random(4), 0
    for _ in range(150):
        program = random_program(source).program
        assert program is not None
        for step in program.steps:
            if isinstance(step, Contract):
                count += 1
                drawing = contraction_drawing(program, step, value_names(program), program_style(program))
                clear(drawing)
                boxes = sum(isinstance(item, Box) for item in drawing.items)
                assert boxes == len(step.contraction.operands)
    assert count > 50


def test_every_step_is_drawn() -> None:
    network = NETWORKS["attend"]
    assert network.program is not None
    boxes = [item for item in network_drawing(network).items if isinstance(item, Box)]
    assert len(boxes) == len(network.program.steps)
    shown = view.to_text(network)
    assert "q = [i d, h e d -> i h e](x, query)" in shown
    assert "return" in shown


def test_another_side_and_factoring_are_refused() -> None:
    with pytest.raises(ValueError, match="bottom"):
        network_drawing(NET, inputs="right")
    with pytest.raises(ValueError, match="factor"):
        view.to_svg(NET, factored=True)


@pytest.mark.parametrize("name", ["attend", "every", "signed"])
def test_golden(name: str, golden: Callable[[Path, str], None]) -> None:
    for form, suffix in (("svg", "svg"), ("tikz", "tex"), ("dot", "dot"), ("text", "txt"), ("json", "json")):
        golden(GOLDEN / f"network-{name}.{suffix}", getattr(view, f"to_{form}")(NETWORKS[name]))
    golden(GOLDEN / f"network-{name}-left.svg", view.to_svg(NETWORKS[name], inputs="left"))


def digest() -> str:
    """One number for networks, rules and proofs in every format."""
    import hashlib

    from tests.view.test_boxes import SPEC, SPECIMENS

    spec = catnn.parse(SPEC)
    values = [*NETWORKS.values(), *SPECIMENS.values(), *spec.rules, spec.checks[0].proof]
    total = hashlib.sha256()
    for value in values:
        for form in ("svg", "tikz", "dot", "text", "json", "html", "graphml", "hif"):
            total.update(getattr(view, f"to_{form}")(value).encode())
    return total.hexdigest()


def test_bytes_do_not_depend_on_the_hash_seed() -> None:
    found = {digest()}
    for seed in ("0", "77"):
        code = "from tests.view.test_networks import digest; print(digest())"
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=GOLDEN.parents[2],
            env={**os.environ, "PYTHONHASHSEED": seed},
        )  # fmt: skip
        found.add(done.stdout.strip())
    assert len(found) == 1
