"""Every way to compute a layer that the benchmarks measure is the compiled layer; what they print; nothing is timed."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import torch

import catnn
from catnn.baselines import refusal, ways
from catnn.baselines.traced import Allowance, traced
from catnn.bench import APART, bench, verify
from catnn.benchmark import COMPILED, FLOOR, Benchmark, Comparison, Measured
from catnn.measure import peak_bytes
from catnn.model import Layer, Network
from catnn.native.build import library
from catnn.plan.rates import IN_C, WAYS

LAYERS = (
    ("S(n)", "V^2[3] -> V^2[3] = all + bias", 4),
    ("S(n)", "V^3[2] -> V^2[3] = all + bias", 3),
    ("S(n)", "V[2] -> V^3[1] = all", 2),
    ("S(n)", "1[2] -> V^2[3] = all + bias", 3),
    ("S(n)", "V^2[2] -> 1[2] = all", 1),
    ("S(n)", "V^2[2] -> V^2[3] = all { reduce: mean }", 3),
    ("S(2)", "V^2[2] -> V^2[2] = all", 2),
    ("O(3)", "V^3[2] -> V^3[2] = all", 3),
    ("O(n)", "V^2[2] -> V^2[2] = all + bias", 4),
)


def parsed(group: str, text: str) -> Layer:
    layer = catnn.parse(f"space V : {group}  layer mix : {text}")["mix"]
    assert isinstance(layer, Layer)
    return layer


@pytest.mark.parametrize(("group", "text", "n"), LAYERS)
def test_every_way_is_the_layer(group: str, text: str, n: int) -> None:
    """Forward and every gradient, in float64."""
    layer = parsed(group, text)
    sizes = {"n": n} if group.endswith("(n)") else {}
    module = catnn.compile(layer, **sizes)
    summand = layer.source.summands[0]
    torch.manual_seed(0)
    x = torch.randn(2, *(n,) * len(summand.word), summand.channels)
    assert refusal(layer) is None
    for way in ways(layer, sizes, 2):
        verify(way, module, x)


def test_a_wrong_way_is_found() -> None:
    layer = parsed("S(n)", "V[2] -> V[2] = all")
    way = next(w for w in ways(layer, {"n": 3}, 1) if w.name == "one diagram at a time")
    way.run.terms.pop()  # type: ignore[attr-defined]
    with pytest.raises(AssertionError):
        verify(way, catnn.compile(layer, n=3), torch.randn(1, 3, 2))


def names_of(text: str) -> list[str]:
    """The other ways to compute a layer of S(n)."""
    return [way.name for way in ways(parsed("S(n)", text), {"n": 3}, 1)]


ORDER_TWO = [str(diagram) for diagram in parsed("S(n)", "V^2[2] -> V^2[2] = all").diagrams]


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("V^2[2] -> V^2[2] = all", True),
        ("V^2[2] -> V^2[2] = all + bias", True),
        (f"V^2[2] -> V^2[2] = span {{ {', '.join(ORDER_TWO)} }}", True),
        (f"V^2[2] -> V^2[2] = span {{ {', '.join(reversed(ORDER_TWO))} }}", False),
        (f"V^2[2] -> V^2[2] = span {{ {', '.join(ORDER_TWO[:14])} }}", False),
        ("V^2[2] -> V^2[2] = all { reduce: mean }", False),
        ("V^3[2] -> V[2] = all", False),
    ],
)
def test_fused_by_hand_is_for_all_in_its_order_alone(text: str, fits: bool) -> None:
    """15 terms on V^2 may stand in any order; the function that a person wrote knows one of them."""
    assert ("fused by hand" in names_of(text)) == fits
    layer = parsed("S(n)", text)
    x = torch.randn(2, *(3,) * len(layer.source.words[0]), 2)
    for way in ways(layer, {"n": 3}, 2):
        verify(way, catnn.compile(layer, n=3), x)


@pytest.mark.parametrize(
    "wrong", [{"repeat": 0}, {"repeat": 1.5}, {"repeat": True}, {"seconds": 0}, {"seconds": -1.0}, {"seconds": "1"},
              {"seconds": float("nan")}, {"seconds": float("inf")}, {"batch": 0}],
)  # fmt: skip
def test_impossible_rounds_and_times_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(catnn.CatnnError, match="E1003"):
        bench(parsed("S(n)", "V[2] -> V[2] = all"), **wrong)


def test_the_gradient_of_the_floor_is_not_made_up() -> None:
    """What was not measured is left empty, and the legend says what the floor is."""
    rows = (Measured(COMPILED, 2.0, 4.0, 8, 8), Measured(FLOOR, 1.0, None))
    found = Benchmark("a machine", (Comparison("mix", 4, rows),))
    assert found.comparisons[0].table().rows[1] == (FLOOR, "0.50", "", "", "")
    assert "floor: two products" in str(found).split("\n\n")[0]
    assert json.loads(json.dumps(found.to_dict()))["comparisons"][0]["rows"][1]["gradient"] is None


def test_every_way_is_measured_beside_what_was_predicted() -> None:
    layer = catnn.parse("space V : S(3)  layer f : V^2[4] -> V^2[2] = all + bias")["f"]
    (found,) = bench(layer, batch=2, repeat=1, seconds=0.001).comparisons
    assert list(found.predicted) == list(WAYS)[:-1]
    without = {} if library() else {IN_C: "there is no C compiler, or it is switched off"}
    assert dict(found.skipped) == without
    assert found.measured.keys() == found.predicted.keys() - without.keys()
    assert all(0 < seconds < 1 for seconds in found.measured.values())
    rows = {row[0]: row for row in found.ways().rows}
    best = min(found.measured, key=found.measured.__getitem__)
    assert "fastest" in rows[best][3]
    assert [way for way, row in rows.items() if "chosen" in row[3]] == [found.taken]
    assert json.loads(json.dumps(Benchmark("m", (found,)).to_dict()))["comparisons"][0]["measured"] == found.measured
    assert "the ways to run it, forward" in str(Benchmark("m", (found,)))


def test_a_way_that_computes_something_else_is_no_way(monkeypatch: pytest.MonkeyPatch) -> None:
    from catnn.native import irreps

    original = irreps.Blocks.__call__
    monkeypatch.setattr(irreps.Blocks, "__call__", lambda *args: tuple(y + 1 for y in original(*args)))
    layer = catnn.parse("space V : S(3)  layer f : V^2[4] -> V^2[4] = all")["f"]
    with pytest.raises(AssertionError):
        bench(layer, batch=2, repeat=1, seconds=0.001)


def test_a_way_that_takes_long_is_not_measured() -> None:
    found = Comparison(
        "f", 4, (Measured(COMPILED, 1.0, 1.0),), {"one": 0.5, "two": 9.0}, {"one": 0.4}, {"two": "9.0 s"}
    )
    assert found.ways().rows[1] == ("two", "9000.000 ms", "", "not measured: 9.0 s")


@pytest.mark.slow
def test_a_tiny_benchmark() -> None:
    found = bench(parsed("S(n)", "V^2[2] -> V^2[2] = all"), batch=2, repeat=1, seconds=0.01, n=3)
    (comparison,) = found.comparisons
    names = [row.name for row in comparison.rows]
    assert names[0] == COMPILED
    assert len(names) == 7
    assert not [row for row in comparison.rows if row.skipped]
    assert comparison.output_bytes == 4 * 2 * 3 * 3 * 2
    assert comparison.row(COMPILED).forward_bytes >= comparison.output_bytes
    assert "stacked maps (IGN)" in str(found)
    assert "| compiled |" in comparison.table().markdown()
    assert json.loads(json.dumps(found.to_dict()))["comparisons"][0]["rows"][0]["name"] == COMPILED


@pytest.mark.slow
def test_what_has_no_other_way_is_measured_alone() -> None:
    spec = catnn.parse(
        "space V : Sp(n)  layer a : V^2[2] -> V^2[2] = all  layer b : V^2[2] -> V^2[2] + 1[1] = all "
        "network both : V^2[2] -> V^2[2] + 1[1] = a ; b"
    )
    found = bench(spec["both"], batch=1, repeat=1, seconds=0.01, n=4)
    skipped = [[bool(row.skipped) for row in c.rows] for c in found.comparisons]
    assert skipped == [[False, False], [False, True], [False, True]]
    assert "skipped: " in str(found)


NETWORKS = {
    "(x: N @ D, a: N^2) -> N @ D { p = softmax[1](a); return [i j, j d, e d -> i e](p, x, w) }": [COMPILED],
    "(x: N[2] + N^2, y: 1[2]) -> N[2] + N^2, 1[2] { return x, tanh(y) }": [COMPILED],
    "() -> N { return [-> i]() }": [COMPILED],
    " : N^2[2] -> 1[2] = up ; down": [COMPILED, APART],
    "(x: N^2[2]) -> 1[2] { return down(up(x)) }": [COMPILED, APART],
}
"""Networks, and the ways to run each of them that are measured."""


@pytest.mark.parametrize("text", NETWORKS)
def test_a_network_is_measured_as_a_whole(text: str) -> None:
    """Before, one without layers was an empty table."""
    head = "space N : S(n)  space D : 3  box w : D -> D  layer up : N^2[2] -> N^2[4] = all  "
    head += "layer down : N^2[4] -> 1[2] = all"
    network = catnn.parse(f"{head} network f{text}")["f"]
    assert isinstance(network, Network)
    found = bench(network, n=3, batch=2, repeat=1, seconds=0.01)
    whole, *layers = found.comparisons
    assert whole.title.startswith(f"network f{text.partition(' {')[0].partition(' =')[0]}, n = 3")
    assert len(layers) == len(network.layers)
    assert [row.name for row in whole.rows] == NETWORKS[text]
    assert all(row.forward > 0 and bool(row.gradient) == ("()" not in text) for row in whole.rows)
    assert whole.output_bytes > 0
    assert whole.title in str(found)


@pytest.mark.parametrize(
    ("group", "arrow"),
    [
        ("U(2)", "V @ V'[2] -> V @ V' + V' @ V"),
        ("A(3)", "V^2 -> V^2"),
        ("SO(3)", "V^2 -> V"),
        ("Aut(3, 0-1)", "V^2 -> V"),
        ("S(n)", "Sym^2(V)[2] -> V"),
        ("3", "V^2 -> V"),
        ("H(n)", "V^2 -> V^2"),
    ],
)
def test_every_kind_of_layer_is_measured(group: str, arrow: str) -> None:
    """Complex ones on complex inputs; those without other ways alone."""
    layer = catnn.parse(f"space V : {group}  layer f : {arrow} = all")["f"]
    sizes = {"n": 3} if "n" in group else {}
    found = bench(layer, batch=1, repeat=1, seconds=0.001, **sizes)
    assert found.comparisons[0].row(COMPILED).forward > 0


def test_peak_bytes_counts_what_is_held_at_once() -> None:
    def call() -> torch.Tensor:
        first = torch.zeros(1000)
        second = first + 1
        del first
        return second * 2

    assert 8000 <= peak_bytes(call) < 9000


@pytest.mark.parametrize(("options", "code"), [({"m": 3}, "E1002"), ({"n": 0}, "E1003"), ({"batch": 0}, "E1003")])
def test_wrong_sizes(options: dict[str, int], code: str) -> None:
    with pytest.raises(catnn.CatnnError) as caught:
        bench(parsed("S(n)", "V[1] -> V[1] = all"), **options)
    assert caught.value.diagnostics[0].code == code


def test_the_picture_of_a_benchmark_has_a_bar_for_each_time() -> None:
    from xml.etree import ElementTree

    from tests.benchmarks.plot import plot

    rows = (
        Measured(COMPILED, 1.0, 2.0),
        Measured("slow & plain", 20.0, 8.0),
        Measured("floor", 0.8, None),
        Measured("absent", skipped="too large"),
    )
    text = plot([Benchmark("a machine", (Comparison("layer <f>", 100, rows),))])
    found = ElementTree.fromstring(text)
    names = [element.text for element in found.iter() if element.tag.endswith("text")]
    assert {"layer <f>", "slow & plain", "floor", "20", "4", "0.8"} <= set(names)
    assert "absent" not in names
    bars = [e for e in found.iter() if e.tag.endswith("rect") and e.get("height") == "9"]
    assert len(bars) == 3
    assert all(float(bar.attrib["width"]) > 0 for bar in bars)


def eager(function: Any) -> Any:
    """Tracing without Inductor, which takes half a minute."""
    return traced(function, backend="eager")


def test_every_way_is_measured_under_torch_compile_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catnn.bench.traced", eager)
    layer = parsed("S(n)", "V^2[2] -> V^2[2] = all + bias")
    found = bench(layer, n=3, batch=2, repeat=1, seconds=0.01, tracing=60.0).comparisons[0]
    names = [row.name for row in found.rows if not row.skipped and row.name != FLOOR]
    own = [name for name in names if "torch.compile" not in name]
    assert len(own) == 6
    assert {name for name in names if "torch.compile" in name} == {f"{name}, torch.compile" for name in own}
    assert "compiled, torch.compile" in names
    without = bench(layer, n=3, batch=2, repeat=1, seconds=0.01).comparisons[0]
    assert not any("torch.compile" in row.name for row in without.rows)


def test_what_torch_compile_does_not_do_is_skipped_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault, a wrong number, and time that is over."""
    layer = parsed("S(n)", "V[2] -> V[2] = all")

    def broken(function: Any) -> Any:
        def run(x: Any) -> Any:
            raise RuntimeError("no such graph\nand much more")

        return run

    monkeypatch.setattr("catnn.bench.traced", broken)
    rows = bench(layer, n=3, batch=2, repeat=1, seconds=0.01, tracing=5.0).comparisons[0].rows
    reasons = {row.skipped for row in rows if "torch.compile" in row.name}
    assert reasons == {"RuntimeError: no such graph"}
    monkeypatch.setattr("catnn.bench.traced", lambda function: lambda x: 2 * function(x))
    with pytest.raises(AssertionError):
        bench(layer, n=3, batch=2, repeat=1, seconds=0.01, tracing=5.0)
    allowance = Allowance(0.2)
    for _ in range(2):
        assert allowance.spend(lambda: time.sleep(5)) == "more than 0 s to compile"
    assert allowance.spend(lambda: None) == "the 0 s for compiling were spent"
    monkeypatch.setattr("catnn.bench.traced", eager)
    rows = bench(layer, n=3, batch=2, repeat=1, seconds=0.01, tracing=allowance).comparisons[0].rows
    assert {row.skipped for row in rows if "torch.compile" in row.name} == {"the 0 s for compiling were spent"}
    with pytest.raises(catnn.CatnnError, match="is not a time"):
        bench(layer, tracing=-1.0)
