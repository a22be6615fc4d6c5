"""`catnn.explain` of point-ful networks: hand counts, what torch counts, and mixed networks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import catnn
from catnn.explanation import Explanation
from catnn.plan.cost import Cost

GALLERY = Path(__file__).resolve().parent.parent / "examples" / "gallery"

MIXED = catnn.parse(
    """
    space V : S(n)
    layer mix : V^2[3] -> V^2[3] = all
    network twice(x: V^2[3]) -> V^2[3] { return [i j, j k -> i k](x, x) }
    network inside(x: V^2[3]) -> V^2[3] { y = (mix ; relu)(x); return 2 * y + twice(y) }
    network outside : V^2[3] -> V^2[3] = mix ; inside ; (id + 1/2 * tanh)
    """
)


def gallery(file: str, name: str, *, batch: int = 1, **sizes: int) -> Explanation:
    """An example of the gallery, explained."""
    return catnn.explain(catnn.load(str(GALLERY / file))[name], batch=batch, **sizes)


def madds(cost: Cost, found: Explanation) -> int:
    """The multiply-adds at the sizes of an explanation."""
    return cost.value(found.sizes)[2]


def test_attention_by_hand() -> None:
    batch, n, d, h, e = 3, 20, 64, 4, 16
    found = gallery("attention.catnn", "attend", batch=batch, n=n)
    projections, scores, scaled = 3 * n * d * h * e, h * n * n * e, h * n * n
    softmax, weighted, out = 3 * h * n * n, h * n * n * e, n * h * e * d
    assert madds(found.forward, found) == batch * (projections + scores + scaled + softmax + weighted + out)
    nested = 2 * h * n * n * e * d  # the last line as one sum over h, i, j, e and d: two products in it
    assert madds(found.naive["one loop nest"], found) == batch * (projections + scores + scaled + softmax + nested)
    assert str(found.forward.madds.sympy()) == "144*batch*n**2 + 16384*batch*n"
    assert found.largest.value(found.sizes) == batch * h * n * n
    assert gallery("attention.catnn", "attend", n=4).largest.value({"batch": 1, "n": 4}) == 4 * h * e


def test_a_tensor_train_by_hand() -> None:
    batch, k, r = 5, 8, 5  # axes of length 8, ranks of 5
    found = gallery("train.catnn", "train", batch=batch)
    assert madds(found.forward, found) == batch * (k**4 * r + k**4 * r * r + k**4 * r)
    assert madds(found.naive["one loop nest"], found) == 3 * batch * k**6 * r * r
    assert found.ratios()["one loop nest"] == pytest.approx(137.14, abs=0.01)


def test_the_steps_have_the_names_and_the_orders() -> None:
    found = gallery("attention.catnn", "attend")
    rows = found.to_dict()["program"]
    assert [row["value"] for row in rows] == ["q", "k", "v", "s", "t1", "p", "return"]
    assert rows[0]["computes"] == "[i d, h e d -> i h e](x, query)"
    assert [product["einsum"] for product in rows[-1]["products"]] == ["jhe,hij->hei", "dhe,hei->id"]
    assert [product["factors"] for product in rows[-1]["products"]] == ["v p", "out (v p)"]
    assert rows[3]["multiply_adds"]["forward"] == {"expression": "64*batch*n**2", "value": 64 * 16 * 16}
    text = str(found)
    for part in ("softmax[j](t1)", "out (v p)", "one loop nest", "64*batch*n**2 + 4096*batch*n", "query 4 x 16 x 64"):
        assert part in text
    assert "value 10" not in text
    assert json.loads(json.dumps(found.to_dict()))["largest"]["value"] == 1024


@pytest.mark.parametrize(
    ("file", "name"),
    [("attention.catnn", "attend"), ("train.catnn", "train"), ("gcn.catnn", "gcn"), ("phm.catnn", "phm"),
     ("train.catnn", "compressed"), ("kronecker.catnn", "kronecker"), ("adapted.catnn", "linear")],
)  # fmt: skip
def test_torch_counts_the_same_products(file: str, name: str) -> None:
    """The module multiplies what the explanation says that it does; these have no product entry by entry."""
    network = catnn.load(str(GALLERY / file))[name]
    found = catnn.explain(network)
    products = [p for work in found.works for p in work.products if p.right is not None and not p.again]
    program = network.program
    summands = [s for parameter in program.parameters for s in parameter.type.summands]
    lengths = [[found.sizes.get(w.group.size, w.group.size) for w in s.word] for s in summands]
    inputs = [torch.randn(1, *row, s.channels) for row, s in zip(lengths, summands, strict=True)]
    module = catnn.compile(network)
    with FlopCounterMode(display=False) as counter:
        module(*inputs)
    assert 2 * sum(madds(product.cost, found) for product in products) == counter.get_total_flops() > 0


def test_mixed_networks_total_everything() -> None:
    sizes = {"n": 7, "batch": 2}
    entries, product = 2 * 7**2 * 3, 2 * 7**3 * 3
    mix, inside, outside = (catnn.explain(MIXED[name], **sizes) for name in ("mix", "inside", "outside"))
    layer = madds(mix.forward, mix)
    assert madds(inside.forward, inside) == layer + entries + product + 2 * entries  # mix, relu, twice, 2 y + z
    assert madds(inside.backward, inside) == madds(mix.backward, mix) + entries + 2 * product + 2 * entries
    assert madds(outside.forward, outside) == 2 * layer + product + 6 * entries  # tanh, 1/2, +
    rest = madds(inside.forward, inside) - layer
    dense = madds(mix.naive["dense matrix"], mix)
    assert madds(inside.naive["dense matrix"], inside) == dense + rest
    assert madds(outside.naive["dense matrix"], outside) == 2 * dense + product + 6 * entries
    assert outside.naive["one loop nest"] == outside.forward  # two operands at a time are one loop nest already


def test_what_is_computed_twice_counts_once() -> None:
    text = "space V : S(n)  network f(x: V^2, y: V^2) -> V^2 { {} }"
    once, twice = (
        catnn.parse(text.replace("{}", body))["f"]
        for body in (
            "z = [i j, j k -> i k](x, y); return tanh(z) + z",
            "return tanh([i j, j k -> i k](x, y)) + [a b, b c -> a c](x, y)",
        )
    )
    assert catnn.explain(once).forward == catnn.explain(twice).forward
    assert "computed above" in str(catnn.explain(twice))


def test_a_step_inside_another_is_said_to_be() -> None:
    body = "w = [i j, j k -> i k](x, y); return [i k, k -> i](w, z)"
    spec = catnn.parse("space V : S(n)  network f(x: V^2, y: V^2, z: V) -> V {" + body + "}")
    found = catnn.explain(spec["f"], n=10)
    assert madds(found.forward, found) == 2 * 10**2
    assert madds(found.naive["one loop nest"], found) == 10**3 + 10**2
    assert "in the step that takes it" in str(found)


TWICE = (
    "return tanh([i j, j k -> i k](x, y)) + 2 * tanh([j k, i j -> i k](y, x))",  # written the other way round
    "a = [i j, j k -> i k](x, y); b = [b c, a b -> a c](y, x); return tanh(a) + tanh(b) + a - b",
    "a = [i j, j k -> i k](x, y); b = [a b, b c -> a c](x, y); return f(a) + f(b)",
    "a = [i j -> j i](x); b = [j k -> k j](x); return tanh([i j, j k -> i k](a, y)) + tanh([j k, i j -> i k](y, b))",
)


@pytest.mark.parametrize("body", TWICE)
def test_functions_of_equal_contractions_are_computed_once(body: str) -> None:
    """In the emitted code, and in what is counted."""
    text = f"space V : S(n)  layer f : V^2 -> V^2 = all  network g(x: V^2, y: V^2) -> V^2 {{ {body} }}"
    network = catnn.parse(text)["g"]
    source = catnn.compile(network).source
    forward = source[source.index("class G(") :]
    assert forward.count("torch.tanh(") + forward.count("self.f(") == 1
    assert sum(line.count(" @ ") for line in forward.splitlines() if " = " in line) == 1
    again = [work.again for work in catnn.explain(network).works]
    assert again.count(True) == (1 if "2 *" in body or "tanh(a) +" in body else 2)  # tanh or f, and b
    x, y = torch.randn(2, 3, 4, 4, 1, dtype=torch.float64)
    module = catnn.compile(network, dtype=torch.float64)
    a = (x[..., 0].transpose(1, 2) if "-> j i" in body else x[..., 0]) @ y[..., 0]
    one = module.f(a.unsqueeze(-1)) if "f(a)" in body else torch.tanh(a).unsqueeze(-1)
    torch.testing.assert_close(module(x, y), one * (3 if "2 *" in body else 2))
