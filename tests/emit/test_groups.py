"""Layers of every further group are their definitions, and do what their groups ask."""

from __future__ import annotations

from itertools import product

import pytest

import catnn
from catnn.testing import run as checks
from tests.emit.definition import assert_is_definition, build

FAMILIES = ("H", "S'", "B", "B'", "S+", "O+")


def power(k: int) -> str:
    """The word V^k."""
    return f"V^{k}" if k else "1"


@pytest.mark.parametrize(("family", "k", "m"), list(product(FAMILIES, range(3), range(3))))
def test_every_small_hom_space(family: str, k: int, m: int) -> None:
    """Forward and gradient, at a size that is a name and at literal ones."""
    dims = [catnn.dim(f"{family}(n)", a, b) for a, b in ((k, m), (0, m))]
    terms = " + ".join(term for term, dim in zip(("all", "bias"), dims, strict=True) if dim)
    arrow = f"{power(k)}[2] -> {power(m)}[3]"
    if not dims[0]:
        with pytest.raises(catnn.CatnnError, match="E0601"):
            build(f"space V : {family}(n)\nlayer f : {arrow} = all")
    if not terms:
        return
    layer, module = build(f"space V : {family}(n)\nlayer f : {arrow} = {terms}", n=3)
    assert (len(layer.diagrams), len(layer.bias_diagrams)) == tuple(dims)
    for n in (1, 2, 3, 5) if k else (3,):  # without an input the size is the hint
        assert_is_definition(layer, module, {"n": n}, (2,))
    for n in (1, 2, 4):
        layer, module = build(f"space V : {family}({n})\nlayer f : {arrow} = {terms}")
        assert len(layer.diagrams) == catnn.dim(f"{family}({n})", k, m)
        assert_is_definition(layer, module, {}, ())


LAYERS = {
    "signs and sets": "space V : S(n)  space E : H(n)  layer f : V @ E[2] -> E @ V[3] = all",
    "doubled, order three": "space V : S'(n)  layer f : V^3[2] -> V[2] = all",
    "bistochastic, mean": "space V : B(n)  layer f : V^2[2] -> V^2[1] + V[2] = all + bias { reduce: mean }",
    "doubled, sums": "space V : B'(n)  layer f : V^2[2] + 1[1] -> V^2[1] + 1[2] = all + bias",
    "planar": "space V : S+(n)  layer f : V^2[1] -> V^3[2] = all + bias",
    "planar, fixed": "space V : S+(n)  layer f : V^2[2] -> V[2] = merge - (1/n) * (discard @ id) + span { [i j -> j] }",
    "planar pairs": "space V : O+(n)  layer f : V^3[1] -> V^3[2] = all",
    "planar and crossing": "space V : O+(n)  space R : O(3)  layer f : R @ V^2[1] -> V @ R @ V[2] = all",
    "signed, span": "space V : H(n)  layer f : V^2[2] -> V^2[2] = span { [i j -> j i] + [i j -> i j], [i i -> i i] }",
    "gated": "space V : H(n)  layer p : V^2[2] -> V^2[2] = all  network f : V^2[2] -> V^2[2] = p ; tanh ; p ; gate",
    "even": "space V : S'(n)  layer p : V^2[2] -> V^2[2] = all  network f : V^2[2] -> V^2[2] = p ; relu ; p",
    "planar network": "space V : S+(n)  layer p : V[2] -> V[2] = all  network f : V[2] -> V[2] = p ; relu ; p",
}


@pytest.mark.parametrize("name", LAYERS)
def test_catnn_test_and_explain(name: str) -> None:
    """What `catnn test` checks, random elements of the groups among it; and the explanation is written."""
    spec = catnn.parse(LAYERS[name])
    found = list(checks(spec, only=("dense match", "equivariance", "gradients", "mask", "copies")))
    assert [result for result in found if not result.ok] == []
    assert {result.check for result in found} >= {"equivariance", "gradients"}
    for layer in spec.layers.values():
        assert str(catnn.explain(layer))


@pytest.mark.parametrize("family", FAMILIES)
def test_diagrams_come_back(family: str) -> None:
    """From their repr, their JSON and their GraphML; and every picture is drawn."""
    d = catnn.diagram(f"{family}(n)", "i i j -> j")
    assert eval(repr(d), {"catnn": catnn}) == d
    from catnn.view import from_json
    from catnn.view.graph import from_networkx

    assert from_json(d.to_json()) == d
    assert from_networkx(d.to_networkx()) == d
    assert all((d.to_svg(), d.to_text(), d.to_tikz(), d.to_dot(), d.to_html()))
    other = catnn.diagram("S(n)", "i i j -> j")
    assert d != other
    assert len({d, other}) == 2


BESIDE = {
    "plain": "space P : Perm(4, (0 1 2 3)) space F : 3 layer f : P^2 @ F[2] -> P @ F[2] = all + bias + [i j f -> i f]",
    "symmetric": "space P : Perm(4, (0 1 2 3))  space N : S(n)  layer f : Sym^2(N) @ P[2] -> P @ N[2] = all + bias",
    "signed": "space P : Perm(4, (0 1 2 3))  space H : H(n)  layer f : H^2 @ P[2] -> P[2] = all + bias",
}


@pytest.mark.parametrize(("name", "count"), [("plain", 16), ("symmetric", 16), ("signed", 4)])
def test_orbits_beside_other_spaces(name: str, count: int) -> None:
    """What rewrites the blocks of one space leaves the orbit on another as it is."""
    spec = catnn.parse(BESIDE[name])
    assert len(spec["f"].diagrams) == count
    found = list(checks(spec, only=("dense match", "equivariance", "gradients")))
    assert [result for result in found if not result.ok] == []
