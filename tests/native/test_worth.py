"""The cost model of the ways to run a plan: what it counts, what it chooses, and that rates are text."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import catnn
from catnn import calibration
from catnn.native import attach
from catnn.native.worth import forget
from catnn.plan.build import plan_layer
from catnn.plan.dense import Dense, dense
from catnn.plan.plan import Plan
from catnn.plan.rates import DEFAULT, DENSE, IN_C, STATEMENTS, Rates, rates, rates_file
from catnn.plan.ways import fastest, few, ways


def ways_of(text: str) -> tuple[Plan, Dense | None]:
    layer = catnn.parse(f"space V : S(n)  layer f : {text}")["f"]
    return plan_layer(layer), dense(layer)


def choose(plan: Plan, form: Dense | None, sizes: dict[str, int], *, library: bool = True) -> str:
    return fastest(ways(plan, form, library=library), sizes, DEFAULT)


def test_what_is_counted() -> None:
    plan, form = ways_of("V^2[4] -> V^2[4] = all")
    tallies = ways(plan, form)
    assert list(tallies) == [IN_C, STATEMENTS, DENSE]
    assert list(ways(plan, None, library=False)) == [STATEMENTS]
    found = [{way: tally.at({"n": n, "batch": 2}) for way, tally in tallies.items()} for n in (4, 8)]
    assert [one[DENSE][2] for one in found] == [(15 + 2) * 16 * n**4 for n in (4, 8)]
    small, large = (one[IN_C] for one in found)
    steps, _, _, weights = small
    assert (steps, weights) == (16, 2 * 15 * 16)  # there is no room for all of them between x and y: once an entry
    assert large[0] == steps
    assert large[1] > small[1]
    assert large[2] > small[2]
    assert large[3] == 15 * 16


def test_layers_run_in_c_where_they_can() -> None:
    for text, sizes in (("V^3[8] -> V^3[8]", {"n": 12, "batch": 8}), ("V^3[128] -> V^3[128]", {"n": 6, "batch": 2})):
        found = ways_of(f"{text} = all")
        assert choose(*found, sizes) == IN_C
        assert choose(*found, sizes, library=False) == STATEMENTS


def test_tiny_layers_are_one_matrix_in_files() -> None:
    tiny = ways_of("V^2[4] -> V^2[4] = all + bias")
    assert choose(*tiny, {"n": 4, "batch": 2}) == choose(*tiny, {"n": 16, "batch": 2}) == IN_C
    plan, form = tiny
    assert form is not None
    assert 10_000 < few(form, plan) < 10_000_000
    assert choose(plan, form, {"n": 4, "batch": 2}, library=False) == DENSE


def test_the_choice_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from catnn.native.calls import Calls

    monkeypatch.setattr(attach, "FORCED", None)
    found = []
    forward = Calls.forward
    monkeypatch.setattr(Calls, "forward", lambda *args: found.append(1) or forward(*args))
    spec = catnn.parse("space V : S(n)  layer f : V[8] -> V[8] = all  layer g : V^3[128] -> V^3[128] = all")
    with torch.no_grad():
        catnn.compile(spec["f"])(torch.zeros(2, 50, 8))
        assert found == [1]
        slow = replace(DEFAULT, in_c=replace(DEFAULT.in_c, call=1.0))
        monkeypatch.setattr(attach, "known", lambda: slow)
        small = catnn.compile(spec["f"])
        small(torch.zeros(2, 5, 8))
        assert found == [1]
        assert len(small.known) == 1
        catnn.compile(spec["g"])(torch.zeros(2, 4, 4, 4, 128))
        assert found == [1]


def test_rates_are_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "deep" / "rates.json"
    monkeypatch.setenv("CATNN_RATES", str(file))
    assert rates() == DEFAULT
    monkeypatch.setattr(calibration, "LAYERS", calibration.LAYERS[:2])
    measured = calibration.known()
    assert rates_file() == file
    assert rates() == measured == Rates.of(file.read_text(encoding="utf-8"))
    assert measured.in_c.call > 0
    assert calibration.known() == measured
    for wrong in ("", "[]", "{}", json.dumps({"machine": "m", "in_c": {}, "statements": {}})):
        file.write_text(wrong, encoding="utf-8")
        assert rates() == DEFAULT
    forget()


def test_explain_says_what_is_chosen_and_why() -> None:
    spec = catnn.parse("space V : S(n)  space P : Sp(r)  layer f : V^2[8] -> V^2[8] = all  layer g : P^2 -> P^2 = all")
    found = catnn.explain(spec["f"], n=16, batch=4)
    assert found.predicted.keys() == {IN_C, STATEMENTS, DENSE}
    assert found.predicted[IN_C] < found.predicted[STATEMENTS]
    assert "chosen, if there is a C compiler" in str(found)
    assert DEFAULT.machine in str(found)
    assert found.to_dict()["predicted"]["seconds"] == found.predicted
    assert catnn.explain(spec["g"]).predicted.keys() == {STATEMENTS}
    for batch, chosen, why in ((1, IN_C, "it needs more memory"), (64, DENSE, "few numbers")):
        tiny = catnn.explain(spec["f"], n=2, batch=batch)
        assert min(tiny.predicted, key=tiny.predicted.__getitem__) == DENSE
        assert tiny.chosen == chosen
        assert why in str(tiny)
