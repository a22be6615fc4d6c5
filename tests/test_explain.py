"""`catnn.explain`: the numbers are those of the layer, and what is printed is short and says what it should."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys

import pytest

import catnn
from catnn.explanation import Explanation
from catnn.plan.cost import Cost

SPEC = catnn.parse(
    """
    space V : S(n)
    layer mix : V^2[3] -> V^2[16] = all + bias
    layer pool : V^2[16] -> V[8] = span { [i j -> i], [i i -> i] }
    layer three : V^3[2] -> V^3[2] = all
    layer sums : V^2[3] + V[2] -> V[4] + 1[5] = all + bias { reduce: mean }
    network classify : V^2[3] -> V[8] = mix ; relu ; (id + (relu ; id)) ; pool
    """
)


def madds(cost: Cost, found: Explanation) -> int:
    """The multiply-adds at the sizes of an explanation."""
    return cost.value(found.sizes)[2]


def test_it_holds_the_numbers() -> None:
    found = catnn.explain(SPEC["mix"], n=64, batch=16)
    assert (found.kind, found.name, found.type) == ("layer", "mix", "V^2[3] -> V^2[16]")
    assert (found.diagrams, found.numbers) == (15, 15 * 16 * 3 + 2 * 16)
    assert [(v.word, v.inputs, v.permutations, v.outputs, v.diagrams) for v in found.levels] == [
        ("1", 2, 1, 2, 4), ("V", 3, 1, 3, 9), ("V^2", 1, 2, 1, 2),
    ]  # fmt: skip
    assert len(found.factored) == 17
    assert found.sizes == {"n": 64, "batch": 16}
    assert set(found.naive) == {"dense matrix", "one diagram at a time", "stacked maps"}
    assert all(ratio > 1 for ratio in found.ratios().values())
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.name = "other"  # type: ignore[misc]


def test_the_factorisations_are_those_of_the_diagrams() -> None:
    by_weight = {v.weight: v for v in catnn.explain(SPEC["mix"]).factored}
    assert by_weight["weight[14]"].pattern == "[i j -> j i]"
    assert by_weight["weight[14]"].factorisation == "perm[1,0] ; ([i -> i] @ [i -> i]) ; perm[0,1]"
    assert by_weight["bias[0]"].pattern == "[-> i i]"


def test_it_prints_a_table() -> None:
    text = str(catnn.explain(SPEC["mix"], n=64, batch=16))
    for part in (
        "layer mix : V^2[3] -> V^2[16]", "S(n) on V", "weight 15 x 16 x 3, bias 2 x 16", "n = 64, batch = 16",
        "3 x 1 x 3", "perm[1,0] ; ([i -> i] @ [i -> i]) ; perm[0,1]", "batch*n**2", "dense matrix",
        "one diagram at a time", "stacked maps",
    ):  # fmt: skip
        assert part in text
    assert text == repr(catnn.explain(SPEC["mix"], n=64, batch=16))
    assert all(line == line.rstrip() for line in text.splitlines())


@pytest.mark.parametrize("name", list(SPEC))
def test_it_is_short_and_ends_up_as_json_and_html(name: str) -> None:
    found = catnn.explain(SPEC[name], n=5)
    assert len(str(found).splitlines()) < 110
    again = json.loads(json.dumps(found.to_dict()))
    assert again["name"] == name
    assert again["forward"]["multiply_adds"]["value"] == found.forward.value(found.sizes)[2]
    html = found._repr_html_()
    assert html.count("<table>") == html.count("</table>") > 1
    assert not re.search(r"<(?!/?(div|h4|table|caption|tr|th|td)\b)", html)


def test_large_layers_are_counted_unless_everything_is_asked_for() -> None:
    short, long = (catnn.explain(SPEC["three"], full=full) for full in (False, True))
    assert not short.factored
    assert len(long.factored) == 203
    assert len(str(short).splitlines()) < 50 < 203 < len(str(long).splitlines())
    assert short.forward == long.forward


def test_a_network_is_the_sum_of_its_stages() -> None:
    found = catnn.explain(SPEC["classify"], n=10, batch=2)
    assert [name for name, _ in found.stages] == ["mix", "relu", "id", "relu", "id", "pool"]
    parts = [catnn.explain(SPEC[name], n=10, batch=2) for name in ("mix", "pool")]
    assert found.numbers == sum(part.numbers for part in parts)
    entries = 2 * 10 * 10 * 16  # of both relus, and of the sum behind them
    assert madds(found.forward, found) == sum(madds(part.forward, found) for part in parts) + 3 * entries
    naive = [part.naive["stacked maps"] for part in parts]
    assert madds(found.naive["stacked maps"], found) == sum(madds(cost, found) for cost in naive) + 3 * entries


def test_direct_sums_have_a_level_a_pair() -> None:
    found = catnn.explain(SPEC["sums"])
    assert {level.pair for level in found.levels} == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert "weight_0_1" in str(found)


def test_an_empty_hom_space() -> None:
    """From V to V^2 nothing is equivariant under O(n), so that pair of summands has no level."""
    layer = catnn.parse("space V : O(n)  layer odd : V[2] + 1[2] -> V^2[2] = all")["odd"]
    found = catnn.explain(layer, n=3)
    assert (found.diagrams, found.numbers) == (1, 4)
    assert [level.pair for level in found.levels] == [(0, 1)]


@pytest.mark.parametrize(
    ("options", "code"),
    [({"m": 3}, "E1002"), ({"n": 0}, "E1003"), *(({"batch": batch}, "E1003") for batch in (-1, 0, 1.5, True))],
)
def test_wrong_sizes_are_errors_with_a_code(options: dict[str, int], code: str) -> None:
    with pytest.raises(catnn.CatnnError) as caught:
        catnn.explain(SPEC["mix"], **options)
    assert caught.value.diagnostics[0].code == code


def test_only_layers_and_networks() -> None:
    with pytest.raises(catnn.CatnnError, match="E1008"):
        catnn.explain(catnn.diagram("S(n)", "i -> i"))  # type: ignore[arg-type]


def test_explain_needs_no_torch() -> None:
    code = (
        "import sys, catnn; mix = catnn.parse('space V : S(n)  layer mix : V[1] -> V[1] = all')['mix']; "
        "catnn.explain(mix); str(catnn.explain(mix, n=3)); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


CHAINS = catnn.parse(
    """
    space V : S(n)
    space C : Perm(4, (0 1 2 3))
    layer wide : V^2[8] -> V^2[32] = all + bias
    layer back : V^2[32] -> V^2[8] = all + bias
    layer pool : V^2[8] -> V[2] = all
    layer cycle : C[2] -> C[2] = all
    let flip : V^2 -> V^2 = [i j -> j i]
    network fused : V^2[8] -> V^2[8] = wide ; back
    network apart : V^2[8] -> V^2[8] = wide ; relu ; back
    network flipped : V^2[8] -> V^2[32] = flip ; wide
    network shared : V^2[8] -> V^2[32] = wide + flip ; wide
    network named(x: V^2[8]) -> V^2[8], V[2] { y = wide(x)
      return back(y), pool(x) }
    network turning : C[2] -> C[2] = cycle ; cycle
    """
)


def test_layers_that_run_as_one_are_counted_as_one() -> None:
    """The totals are those of what runs, at these sizes; the stages say where they are."""
    found = catnn.explain(CHAINS["fused"], n=24, batch=16)
    (one,) = found.joined
    assert (one.layers, one.uses) == (("wide", "back"), 1)
    assert one.how == "fused: 2 layers run as one, 257 pairs of diagrams composed"
    assert 1.1 * one.whole < one.apart
    assert found.forward == one.forward
    assert found.backward == one.backward
    alone = [catnn.explain(CHAINS[name], n=24, batch=16) for name in ("wide", "back")]
    assert madds(found.forward, found) < sum(madds(each.forward, found) for each in alone)
    text = str(found)
    for part in ("in `wide ; back`", "`wide ; back`  as one", "fused: 2 layers run as one"):
        assert part in text
    data = found.to_dict()
    assert [(row["layers"], row["uses"]) for row in data["as_one"]] == [(["wide", "back"], 1)]
    assert data["forward"] == data["as_one"][0]["forward"]
    small = catnn.explain(CHAINS["fused"], n=2, batch=1)
    assert small.joined[0].uses == (1 if 1.1 * small.joined[0].whole < small.joined[0].apart else 0)


def test_what_does_not_run_as_one_is_the_sum_of_its_stages() -> None:
    found = catnn.explain(CHAINS["apart"], n=24, batch=16)
    assert (found.joined, found.declined) == ((), ())
    assert madds(found.forward, found) == sum(madds(stage.forward, found) for _, stage in found.stages if stage)
    turning = catnn.explain(CHAINS["turning"])
    assert turning.declined == (
        (("cycle", "cycle"), "`cycle` has orbits for diagrams, which are no composites of halves"),
    )
    assert "one by one: `cycle` has orbits" in str(turning)


def test_fixed_neighbours_and_shared_reductions_are_told() -> None:
    (flipped,) = catnn.explain(CHAINS["flipped"]).joined
    assert (flipped.uses, flipped.how) == (1, "a fixed diagram composed with its neighbour")
    found = catnn.explain(CHAINS["named"], n=24, batch=16)
    assert [(one.text, one.uses) for one in found.joined] == [("wide ; back", 1)]
    rows = {row["value"]: row for row in found.to_dict()["program"]}
    assert rows["y"]["computes"] == "wide(x): in `wide ; back`"
    assert rows["y"]["multiply_adds"]["forward"]["value"] == 0
    steps = sum(row["multiply_adds"]["forward"]["value"] for row in rows.values())
    assert (
        steps
        == madds(found.forward, found)
        == found.joined[0].forward.value(found.sizes)[2]
        + sum(madds(stage.forward, found) for name, stage in found.stages if name == "pool" and stage)
    )
    assert found.largest == found.joined[0].largest
