"""Channels mixed at the outer end of a plan: the same numbers as the definition, every derivative, and its proof."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch

import catnn
from catnn.compiler import item_sizes
from catnn.model import Layer
from catnn.native import attach
from catnn.native import narrow as running
from catnn.plan.build import plan_layer
from catnn.plan.moves import full
from catnn.plan.narrow import Narrow, Slot, Span, narrow, narrow_steps, prove_narrow
from catnn.plan.prove import UnsoundPlanError
from catnn.plan.rates import DEFAULT, DENSE, FIRST, IN_C, LAST, STATEMENTS, Rate, Tally
from tests.emit.definition import DOUBLE, assert_derivatives, assert_is_definition, inputs, randomise, run, transformed

SPACES = "space V : S(n)\nspace R : O(m)\nspace T : S(2)\nspace H : H(n)\nspace W : S(m)\n"
NARROWING = {
    "two to two": "V^2[5] -> V^2[2] = all + bias",
    "three to one": "V^3[3] -> V[1] = all + bias",
    "to nothing": "V^2[4] -> 1[2] = all",
    "from nothing": "1[3] -> V^2[1] = all + bias",
    "means": "V^3[4] -> V^2[1] = all + bias { reduce: mean }",
    "rotations": "R^3[3] -> R^3[1] = all",
    "rotations, coarse": "R^4[2] -> R^2[1] = all",
    "two spaces": "V @ W @ V[3] -> W @ V[2] = all + bias",
    "sums": "V^2[4] + V[3] -> V^2[1] + V[2] + 1[2] = all + bias",
    "a literal size": "T^2[3] -> T^2[2] = all",
    "a span": "V^2[3] -> V^2[2] = span { 1/2 * [i j -> j i], [i j -> i k] - [i j -> i i], [i i -> k l] } + bias",
    "signed permutations": "H^2[2] -> H^2[1] = all",
    "three to three": "V^3[2] -> V^3[1] = all",
}
SIZES = [{"n": 1, "m": 2}, {"n": 2, "m": 1}, {"n": 3, "m": 3}]


def turned_round(text: str) -> str:
    """The type the other way round."""
    left, _, rest = text.partition(" = ")
    source, target = left.split(" -> ")
    return f"{target} -> {source} = {rest}"


WIDENING = {name: turned_round(text) for name, text in NARROWING.items() if name != "a span"}
WIDENING["a span"] = "V^2[2] -> V^2[3] = span { 1/2 * [i j -> j i], [i j -> i k] - [i j -> i i], [i i -> k l] } + bias"
CASES = [(FIRST, name) for name in NARROWING] + [(LAST, name) for name in WIDENING]


def layer_of(text: str) -> Layer:
    found = catnn.parse(f"{SPACES}layer f : {text}")["f"]
    assert isinstance(found, Layer)
    return found


def case(way: str, name: str) -> Layer:
    return layer_of((NARROWING if way == FIRST else WIDENING)[name])


def form_of(layer: Layer, way: str = FIRST) -> Narrow:
    found = narrow(plan_layer(layer), last=way == LAST)
    assert found is not None
    return found


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often channels were mixed so."""
    found: list[int] = []
    original = running.Mixing.__call__

    def counted(self: Any, *args: Any) -> Any:
        found.append(1)
        return original(self, *args)

    monkeypatch.setattr(running.Mixing, "__call__", counted)
    return found


@pytest.mark.parametrize(
    "arrow",
    [
        "V[5] -> V @ V[1] + V[3] + R[2] = all + bias",
        "V[5] -> V[2] + R[3] = all",
        "V[9] -> V^2[2] = span { [i -> j i] }",
    ],
    ids=["a bias alone", "nothing at all", "one value for many entries"],
)
def test_what_no_product_reaches_and_who_owns_its_memory(
    arrow: str, taken: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attach, "FORCED", FIRST)
    layer, sizes = layer_of(arrow), {"n": 3, "m": 2}
    module = randomise(catnn.compile(layer, dtype=DOUBLE, **{size: sizes[size] for size in item_sizes(layer)}))
    for batch in ((), (2, 3)):
        assert_is_definition(layer, module, sizes, batch)
        with torch.no_grad():
            for y in run(module, inputs(layer, sizes, batch)):
                twice = 2 * y
                torch.testing.assert_close(y.mul_(2), twice)
    assert taken


@pytest.mark.parametrize(("way", "name"), CASES)
def test_they_are_the_definition(way: str, name: str, taken: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    layer = case(way, name)
    prove_narrow(form_of(layer, way), layer)
    monkeypatch.setattr(attach, "FORCED", way)
    for sizes in SIZES:
        for batch in ((), (1,), (2, 3)):
            module = randomise(catnn.compile(layer, dtype=DOUBLE, **{s: sizes[s] for s in item_sizes(layer)}))
            assert_is_definition(layer, module, sizes, batch)
    assert len(taken) == len(SIZES) * 3 * 2


@pytest.mark.parametrize("way", [FIRST, LAST])
def test_derivatives_of_derivatives_and_transforms(way: str, taken: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attach, "FORCED", way)
    layer = case(way, "two to two")
    module = randomise(catnn.compile(layer, dtype=DOUBLE))
    x = torch.randn(2, 3, 3, layer.source.summands[0].channels, dtype=DOUBLE)
    assert_derivatives(module, x[:1, :2, :2])
    found, count = transformed(module, x, x[0, :2, :2]), len(taken)
    assert count > 10
    monkeypatch.setattr(attach, "FORCED", STATEMENTS)
    torch.testing.assert_close(found, transformed(module, x, x[0, :2, :2]))
    assert len(taken) == count


@pytest.mark.parametrize("way", [FIRST, LAST])
def test_masks_traces_and_empty_tensors_have_the_statements(
    way: str, taken: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attach, "FORCED", way)
    layer = case(way, "two to two")
    module = randomise(catnn.compile(layer, dtype=DOUBLE))
    x = torch.randn(2, 4, 4, layer.source.summands[0].channels, dtype=DOUBLE)
    masked = module(x, mask=torch.tensor([[True, True, True, False], [True, True, True, True]]))
    exported = torch.export.export(module, (x,), strict=False).module()
    compiled = torch.compile(module, backend="eager", fullgraph=True)(x)
    assert module(x[:0]).shape[0] == 0
    assert not taken
    for found in (exported(x), compiled):
        torch.testing.assert_close(found, module(x))
    torch.testing.assert_close(masked[1], module(x)[1])
    assert len(taken) == 3


@pytest.mark.parametrize(
    "text",
    [
        "V^2[2] -> V^2[2] = all",  # as many come out as in
        "V[2] + V^2[3] -> V[1] + V[3] = all",  # nor fewer everywhere
        "V^3[3] -> V^4[1] = all",  # too many diagrams
    ],
)
def test_layers_that_are_not_mixed_so(text: str) -> None:
    layer = layer_of(text)
    assert narrow(plan_layer(layer), last=False) is None
    assert narrow(plan_layer(layer), last=True) is None


def test_other_moves_are_not_for_it() -> None:
    for group, order in (("SO(3)", 3), ("Sp(4)", 2), ("O(1,2)", 2)):
        layer = catnn.parse(f"space X : {group}  layer f : X^{order}[3] -> X^2[1] = all")["f"]
        assert isinstance(layer, Layer)
        assert narrow(plan_layer(layer), last=False) is None


# ------------------------------------------------------------------------------------------------------------- proof


def mutants(found: Narrow) -> Iterator[Narrow]:
    """Forms with one thing wrong."""
    (slots,), (spans,) = found.slots, found.spans
    for at in range(len(slots)):
        yield replace(found, slots=((*slots[:at], *slots[at + 1 :]),))
        other = replace(slots[at], sigma=slots[at].sigma + 1)
        yield replace(found, slots=((*slots[:at], other, *slots[at + 1 :]),))
        yield replace(found, slots=((*slots[:at], slots[at], *slots[at:]),))
    yield replace(found, slots=(slots[::-1],))
    for half, span in spans.items():
        for wrong in (
            Span(span.start + 1, span.own, span.end),
            Span(span.start, span.own + 1, span.end),
            Span(span.start, span.own, span.end + 1),
        ):
            yield replace(found, spans=(dict(spans) | {half: wrong},))


@pytest.mark.parametrize("way", [FIRST, LAST])
def test_what_is_wrong_is_refused(way: str) -> None:
    layer = case(way, "two to two")
    found = form_of(layer, way)
    prove_narrow(found, layer)
    count = 0
    for wrong in mutants(found):
        with pytest.raises(UnsoundPlanError):
            prove_narrow(wrong, layer)
        count += 1
    assert count > 30


# -------------------------------------------------------------------------------------------------------------- cost


def test_what_it_costs() -> None:
    """One product with as many columns as there are diagrams, times the channels that come out."""
    found = form_of(layer_of("V^2[64] -> V^2[2] = all"))
    sizes = {"n": 4, "batch": 3}
    (product,) = [step for step in narrow_steps(found) if step.op == "product"]
    assert product.cost.value(sizes) == (3 * 16 * 64 + 30 * 64, 3 * 16 * 30, 3 * 16 * 64 * 30)
    top = full(found.plan.source.words[0])
    assert found.spans[0][top] == Span(0, 4, 30)
    assert found.slots[0][:2] == tuple(Slot(top, len(found.plan.products) - 1, s, 0) for s in (0, 1))
    other = form_of(layer_of("V^2[2] -> V^2[64] = all"), LAST)
    assert [step.cost.value(sizes)[2] for step in narrow_steps(other) if step.op == "product"] == [3 * 16 * 64 * 30]


def test_it_is_an_alternative_that_is_priced_and_taken(monkeypatch: pytest.MonkeyPatch, taken: list[int]) -> None:
    layer = layer_of("V^2[64] -> V^2[1] = all")
    predicted = catnn.explain(layer, n=16, batch=16).predicted
    assert predicted.keys() == {IN_C, STATEMENTS, DENSE, FIRST}
    assert LAST in catnn.explain(layer_of("V^2[1] -> V^2[64] = all")).predicted
    cheap = replace(DEFAULT, narrow=Rate(0, 0, 0, 0, 0))
    monkeypatch.setattr(attach, "FORCED", None)
    monkeypatch.setattr(attach, "known", lambda: cheap)
    module = catnn.compile(layer)
    module(torch.zeros(2, 3, 3, 64))
    assert taken
    monkeypatch.setenv("CATNN_RATES", "/nowhere")
    assert "times as long" in str(catnn.explain(layer, n=16, batch=16))
    tally = Tally.of(narrow_steps(form_of(layer)))
    assert tally.at({"n": 16, "batch": 16})[3] == 15 * 64
