"""O(p,q): matchings with a metric, against nullspaces, Lorentz transformations and what they are not."""

from __future__ import annotations

import pickle
import time
from functools import reduce
from itertools import product

import numpy
import pytest
import torch

import catnn
from catnn.category.compose import identity, permutation
from catnn.category.diagram import Diagram
from catnn.category.families import FAMILIES
from catnn.category.gram import inner, norm2
from catnn.category.halves import hom
from catnn.category.indefinite import Indefinite
from catnn.category.wires import Group, Wire, Word
from catnn.testing import run as checks
from catnn.testing.action import act, random_elements
from tests.category.making import diagram, seeded
from tests.emit.definition import assert_is_definition, build, inputs

SIGNATURES = ((1, 1), (1, 2), (2, 1), (1, 3), (2, 2), (3, 1))


def wire(p: int, q: int) -> Wire:
    """V : O(p,q)."""
    return Wire("V", Group(f"O({p},{q})", p + q))


def family(p: int, q: int) -> Indefinite:
    """Its family."""
    found = FAMILIES[f"O({p},{q})"]
    assert isinstance(found, Indefinite)
    return found


def word(p: int, q: int, length: int) -> Word:
    """V^length."""
    return (wire(p, q),) * length


def power(element: numpy.ndarray, m: int) -> numpy.ndarray:
    """The m-th tensor power."""
    return reduce(numpy.kron, [element] * m, numpy.eye(1))


@pytest.mark.parametrize(("p", "q"), SIGNATURES)
def test_dimensions_are_those_of_the_orthogonal_group(p: int, q: int) -> None:
    """And the nullspace of what a few random elements fix."""
    catnn.dim("S(n)", 0, 0)
    for m in range(11):
        start = time.process_time()
        assert catnn.dim(f"O({p},{q})", m // 2, m - m // 2) == catnn.dim(f"O({p + q})", 0, m)
        assert time.process_time() - start < 0.05
    for m in range(9):
        if (p + q) ** m > 300:
            break
        elements = [power(family(p, q).random_element(p + q, seed), m) for seed in range(10)]
        fixed = sum((g - numpy.eye(len(g))).T @ (g - numpy.eye(len(g))) for g in elements)
        nullity = len(fixed) - numpy.linalg.matrix_rank(fixed, tol=1e-6)
        assert nullity == catnn.dim(f"O({p},{q})", 0, m)


@pytest.mark.parametrize(("p", "q"), SIGNATURES)
def test_bases_are_bases(p: int, q: int) -> None:
    for k, l in product(range(4), repeat=2):
        found = [f.diagram() for f in hom(word(p, q, k), word(p, q, l))]
        rows = numpy.array([d.matrix().reshape(-1) for d in found], dtype=float)
        rank = numpy.linalg.matrix_rank(rows @ rows.T) if found else 0
        assert len(found) == rank == catnn.dim(f"O({p},{q})", k, l)


@pytest.mark.parametrize(("p", "q"), SIGNATURES)
def test_zig_zag_and_loop(p: int, q: int) -> None:
    one, v = identity(word(p, q, 1)), wire(p, q)
    ev, coev = Diagram((v, v), (), ((0, 1),)), Diagram((), (v, v), ((0, 1),))
    assert (one @ coev) >> (ev @ one) == one == (coev @ one) >> (one @ ev)
    assert coev >> ev == identity(()) * (p + q)
    assert permutation((v, v), (1, 0)) >> ev == ev
    numpy.testing.assert_array_equal(ev.matrix().reshape(p + q, p + q), numpy.diag([1] * p + [-1] * q))
    assert (ev.dagger().matrix() == coev.matrix()).all()


@pytest.mark.parametrize(("p", "q"), SIGNATURES)
def test_functor_exactly(p: int, q: int) -> None:
    """Random pairs, in integers; tensor, dagger and inner products too."""
    pick = seeded(31)
    for _ in range(400):
        k, m, l = (pick(0, 1) * 2 + 1 for _ in range(3))
        even = pick(0, 1)
        k, m, l = k - even, m - even, l - even
        f, g = diagram(pick, word(p, q, k), word(p, q, m)), diagram(pick, word(p, q, m), word(p, q, l))
        numpy.testing.assert_array_equal((f >> g).matrix(), g.matrix() @ f.matrix())
        numpy.testing.assert_array_equal(f.dagger().matrix(), f.matrix().T)
        other = diagram(pick, f.source, f.target)
        assert inner(f, other).value() == (f.matrix() * other.matrix()).sum()
        assert norm2(f).value() == (f.matrix() ** 2).sum()
        if k + m + l < 6:
            numpy.testing.assert_array_equal((f @ g).matrix(), numpy.kron(f.matrix(), g.matrix()))


@pytest.mark.parametrize(("p", "q"), SIGNATURES)
def test_equivariance_and_its_limits(p: int, q: int) -> None:
    """Elements of O(p,q) commute with every diagram; rotations that mix the signs do not."""
    n = p + q
    metric = family(p, q).metric()
    outside = FAMILIES["O"].random_element(n, 3)
    boosted = False
    for seed in range(8):
        g = family(p, q).random_element(n, seed)
        numpy.testing.assert_allclose(g.T @ metric @ g, metric, atol=1e-9)
        boosted |= not numpy.allclose(g @ g.T, numpy.eye(n))
        for k, l in ((1, 1), (2, 0), (0, 2), (1, 3), (2, 2)):
            for f in hom(word(p, q, k), word(p, q, l)):
                d = f.diagram().matrix()
                numpy.testing.assert_allclose(d @ power(g, k), power(g, l) @ d, atol=1e-8)
    assert boosted
    assert len({numpy.sign(numpy.linalg.det(family(p, q).random_element(n, seed))) for seed in range(20)}) == 2
    for k, l in ((2, 0), (0, 2)):
        (f,) = hom(word(p, q, k), word(p, q, l))
        d = f.diagram().matrix()
        assert not numpy.allclose(d @ power(outside, k), power(outside, l) @ d)
        boost = family(p, q).random_element(n, 1)
        delta = Diagram((Wire("V", Group("O", n)),) * k, (Wire("V", Group("O", n)),) * l, ((0, 1),)).matrix()
        assert not numpy.allclose(delta @ power(boost, k), power(boost, l) @ delta)


ORDERS = [(k, m) for k, m in product(range(4), repeat=2) if (k + m) % 2 == 0 and k + m <= 5]


@pytest.mark.parametrize(("k", "m"), ORDERS)
@pytest.mark.parametrize(("p", "q"), SIGNATURES)
def test_module_is_its_definition(p: int, q: int, k: int, m: int) -> None:
    bias = " + bias" if m % 2 == 0 else ""
    arrow = f"{f'V^{k}' if k else '1'}[2] -> {f'V^{m}' if m else '1'}[3]"
    for more in ("", " { reduce: mean }"):
        layer, module = build(f"space V : O({p},{q})\nlayer f : {arrow} = all{bias}{more}")
        assert len(layer.diagrams) == catnn.dim(f"O({p},{q})", k, m)
        for batch in ((), (2, 3), (0,)):
            assert_is_definition(layer, module, {}, batch)


SPEC = """
space V : O(1,3)
space N : S(n)
space P : Sp(2)
layer f : V^2[2] + 1[2] -> V^2[1] + V^4[1] + 1[1] = all + bias
layer g : V @ N @ V[2] -> N @ V^2[1] = all
layer h : P @ V^3 @ P[1] -> V[2] = all { reduce: mean }
layer t : V^2[2] -> V^2[2] = [i j -> j i] - 1/4 * (ev ; coev) + span { [i i -> j j] }
layer l : V @ N[2] + V^2[2] -> V @ N[2] + V^2[2] = all
network k : V @ N[2] + V^2[2] -> V @ N[2] + V^2[2] = l ; gate
"""


def test_catnn_test_and_explain() -> None:
    spec = catnn.parse(SPEC)
    found = list(checks(spec))
    assert [result for result in found if not result.ok] == []
    for layer in spec.layers.values():
        assert str(catnn.explain(layer))
        for space in layer.source.words[0]:
            if space.space == "V":
                assert str(space.group) == "O(1,3)"


def test_export_with_a_form_that_is_written_alone() -> None:
    """A bias through Omega or a metric: its two views are written one after the other."""
    for group in ("Sp(4)", "O(1,3)"):
        spec = catnn.parse(f"space V : {group}\nlayer f : 1[2] -> V^2[1] = all + bias")
        assert [result.status for result in checks(spec, only=("export",))] == ["ok"]


def test_a_layer_of_another_form_is_not_equivariant() -> None:
    """The module of O(1,3) under rotations, and the module of O(4) under Lorentz transformations."""
    for mine, other in (("O(1,3)", "O(4)"), ("O(4)", "O(1,3)")):
        layer, module = build(f"space V : {mine}\nlayer f : V^2[1] -> V^2[1] = all")
        (space,) = catnn.parse(f"space V : {other}\nlayer f : V[1] -> V[1] = all")["f"].source.words[0]
        (own,) = set(layer.source.words[0])
        (x,) = inputs(layer, {}, (2,))
        for elements, fine in ((random_elements([own], {}, 1), True), (random_elements([space], {}, 1), False)):
            ((element,),) = (tuple(elements.values()),)
            left = module(act({own: element}, (x,), layer.source)[0])
            right = act({own: element}, (module(x),), layer.target)[0]
            assert torch.allclose(left, right, atol=1e-9) == fine


def test_emlp_types_have_the_weights_of_the_nullspace() -> None:
    """The O(1,3) types of EMLP's `test_equivariant_matrix`: as many weights as equivariant matrices, numerically."""
    for source, target in (("1 + 1 + V", "V + V^2 + 1 + 1 + V"), ("V^2", "V^2 + V"), ("V + V^2 + 1", "V^2 + 1")):
        layer, module = build(f"space V : O(1,3)\nlayer f : {source} -> {target} = all")
        rows = []
        for seed in range(6):
            g = family(1, 3).random_element(4, seed)
            ins, outs = [[power(g, m) for m in orders(text)] for text in (source, target)]
            a, b = (block_diagonal(blocks) for blocks in (ins, outs))
            rows.append(numpy.kron(b, numpy.linalg.inv(a).T) - numpy.eye(len(a) * len(b)))
        gram = sum(row.T @ row for row in rows)
        nullity = len(gram) - numpy.linalg.matrix_rank(gram, tol=1e-6)
        assert sum(parameter.numel() for parameter in module.parameters()) == nullity
        assert layer.source.summands


def orders(text: str) -> list[int]:
    """The orders of the words of a type."""
    return [int(piece[2:]) if piece[1:2] == "^" else "1V".index(piece) for piece in text.split(" + ")]


def block_diagonal(blocks: list[numpy.ndarray]) -> numpy.ndarray:
    """The direct sum of matrices."""
    size = sum(len(block) for block in blocks)
    result, at = numpy.zeros((size, size)), 0
    for block in blocks:
        result[at : at + len(block), at : at + len(block)] = block
        at += len(block)
    return result


def test_gate_is_a_function_of_the_form() -> None:
    """x times the sigmoid of ev(x, x) / n, whatever its sign; only the signs of the form count."""
    network, module = build("space V : O(1,3)\nnetwork f : V[2] + V^2[1] -> V[2] + V^2[1] = gate")
    x, z = inputs(network, {}, (5,))
    y, w = module((x, z))
    metric = torch.tensor([1.0, -1.0, -1.0, -1.0], dtype=torch.float64)
    form = torch.einsum("bic,i->bc", x * x, metric) / 4
    assert (form < 0).any()
    torch.testing.assert_close(y, x * torch.sigmoid(form).unsqueeze(-2))
    form = torch.einsum("bijc,i,j->bc", z * z, metric, metric) / 16
    torch.testing.assert_close(w, z * torch.sigmoid(form)[:, None, None])


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("space V : O(3,0)", "E0202", r"that of `O\(3\)`"),
        ("space V : O(0,3)", "E0202", r"that of `O\(3\)`"),
        ("space V : O(p,q)", "E0203", "takes two numbers"),
        ("space V : O(1,n)", "E0203", "takes two numbers"),
        ("space V : O(1,2,3)", "E0203", "takes one size"),
        ("space V : O(1,1000000)", "E0202", "999,999"),
        ("space V : O(1,3)\nnetwork f : V -> V = norm_relu", "E0501", "may be negative"),
        ("space V : O(1,3)\nnetwork f : V -> V = tanh", "E0501", r"not with O\(1,3\); use `gate`"),
        ("space V : O(1,3)\nlayer f : V -> V^2 = all", "E0601", "cannot be paired"),
        ("space V : O(1,3)\nlet f : V -> V^2 = copy", "E0403", r"O\(1,3\) has `id`"),
        ("space V : O(1,3)\nlet f : V -> V^2 = [i -> i i]", "E0401", r"a wire of `O\(1,3\)`"),
        ("space V : O(1,3)\nspace W : O(4)\nlet f : V -> W = [i -> i]", "E0402", "joins|spaces|`i`"),
    ],
)
def test_messages(text: str, code: str, said: str) -> None:
    with pytest.raises(catnn.CatnnError, match=said) as caught:
        catnn.parse(text)
    assert [fault.code for fault in caught.value.diagnostics] == [code]


def test_diagrams_come_back() -> None:
    """From repr, JSON, a graph and pickle; O(1,3), O(3,1) and O(4) are three groups."""
    from catnn.view import from_json
    from catnn.view.graph import from_networkx, group_of

    d = catnn.diagram("O(1,3)", "i i j -> j")
    assert repr(d) == "catnn.diagram('O(1,3)', 'i i j -> j')"
    assert eval(repr(d), {"catnn": catnn}) == d == pickle.loads(pickle.dumps(d))
    assert from_json(d.to_json()) == d == from_networkx(d.to_networkx())
    assert all((d.to_svg(), d.to_text(), d.to_tikz(), d.to_dot(), d.to_html(), d.to_graphml()))
    others = [catnn.diagram(group, "i i j -> j") for group in ("O(3,1)", "O(4)", "O(n)", "O(2,2)")]
    assert len({d, *others}) == 5
    for bad in (("O(1,3)", "5"), ("O(1,3)", "n"), ("O(0,3)", "3"), ("Sp", "3")):
        with pytest.raises(ValueError, match="there is no"):
            group_of(*bad)


def test_counts() -> None:
    assert catnn.dim("O(1,3)", 2, 2) == 3
    assert catnn.dim("O(1,1)", 2, 2) == 3
    assert catnn.dim("O(1,1)", 3, 3) == 10
    assert catnn.dim("O(1,3)", 1, 2) == 0
    with pytest.raises(catnn.CatnnError, match=r"out of reach"):
        catnn.dim("O(1,3)", 400, 400)
