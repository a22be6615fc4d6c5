"""Gram matrices, the orbit basis, and dense layers as the nearest equivariant ones."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations, product
from math import prod

import numpy as np
import pytest
import sympy
import torch

import catnn
from catnn.model import Layer
from catnn.projection import nearest

GROUPS = [
    "S(3)",
    "S(2)",
    "A(3)",
    "A(4)",
    "O(2)",
    "O(3)",
    "Sp(2)",
    "Sp(4)",
    "O(1,2)",
    "H(2)",
    "B(3)",
    "S'(3)",
    "B'(3)",
    "S+(4)",
    "O+(3)",
]
n = sympy.Symbol("n", integer=True, positive=True)


def layer_of(arrow: str, *groups: str, term: str = "all", attributes: str = "") -> Layer:
    spaces = " ".join(f"space {name} : {group}" for name, group in zip("VWU", groups or ("S(n)",), strict=False))
    return catnn.parse(f"{spaces}\nlayer f : {arrow} = {term} {attributes}")["f"]


def code_of(call) -> list[str]:
    with pytest.raises(catnn.CatnnError) as caught:
        call()
    return [fault.code for fault in caught.value.diagnostics]


def falling(blocks: int) -> sympy.Expr:
    return sympy.prod([n - at for at in range(blocks)])


# ------------------------------------------------------------------------------------------------------------- gram


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize(("k", "l"), [(1, 1), (2, 2), (1, 3), (3, 0), (0, 0), (2, 1)])
def test_gram_is_that_of_the_matrices(group: str, k: int, l: int) -> None:
    """Beside flattened matrices; and a basis has no zero determinant."""
    found = catnn.gram(group, k, l)
    assert found.shape[0] == catnn.dim(group, k, l)
    if found.shape[0]:
        layer = layer_of(f"V^{k} -> V^{l}".replace("V^0", "1"), group)
        rows = np.stack([d.matrix().reshape(-1) for d in layer.diagrams])
        assert found == sympy.Matrix((rows @ rows.T).tolist()) == catnn.gram(layer)
        assert catnn.gram_det(layer) != 0
        assert catnn.weingarten(layer) * found == sympy.eye(len(rows))


def test_gram_of_what_can_be_given() -> None:
    layer = layer_of("V^2[3] -> V[2]")
    summand = (layer.source.summands[0].word, layer.target.summands[0].word)
    for item in (layer, list(layer.diagrams), layer.diagrams, summand):
        assert catnn.gram(item) == catnn.gram("S(n)", 2, 1)
    assert catnn.gram_det("U(n)", "V V'", "V V'") == n**2 * (n - 1) * (n + 1)
    both = catnn.gram(layer_of("V^2 + V -> V"))
    assert both == sympy.diag(catnn.gram("S(n)", 2, 1), catnn.gram("S(n)", 1, 1))
    mean = catnn.gram(layer_of("V -> 1", attributes="{ reduce: mean }"))
    assert mean == sympy.Matrix([[1 / n]])
    mixed = layer_of("V @ W -> V @ W", "S(n)", "O(d)")
    d = sympy.Symbol("d", integer=True, positive=True)
    assert catnn.gram(mixed) == d * catnn.gram("S(n)", 1, 1)


def test_determinants_are_the_known_ones() -> None:
    """S(n): the product of the orbits' sizes (the change of basis is unitriangular); O(n): Brauer's for 2 -> 2."""
    for k, l in ((1, 1), (2, 1), (2, 2)):
        expected = sympy.prod([falling(len(d.blocks)) for d in layer_of(f"V^{k} -> V^{l}").diagrams])
        assert sympy.expand(catnn.gram_det("S(n)", k, l) - expected) == 0
    assert catnn.gram_det("O(n)", 2, 2) == n**3 * (n - 1) ** 2 * (n + 2)


def test_weingarten_in_n() -> None:
    """The inverse holds at every n at which there is one."""
    for group, k, l in (
        ("S(n)", 2, 2),
        ("O(n)", 2, 2),
        ("Sp(n)", 2, 2),
        ("O(n)", 3, 3),
    ):
        inverse, forward = catnn.weingarten(group, k, l), catnn.gram(group, k, l)
        assert inverse.subs(n, 8) * forward.subs(n, 8) == sympy.eye(forward.shape[0])
    assert catnn.weingarten("O(n)", 2, 2)[0, 0].subs(n, 3) == sympy.Rational(2, 15)
    assert catnn.weingarten("O(n)", 2, 1).shape == (0, 0)


def test_gram_refuses() -> None:
    assert code_of(lambda: catnn.gram("S(n)", 4, 4)) == ["E1017"]
    assert code_of(lambda: catnn.gram("S(n)", 200, 200)) == ["E1017"]
    assert code_of(lambda: catnn.gram("O(1)", 12, 12)) == ["E1017"]
    assert code_of(lambda: catnn.weingarten("S(n)", 3, 3)) == ["E1017"]
    assert code_of(lambda: catnn.gram(3)) == ["E1017"]
    assert code_of(lambda: catnn.gram(layer_of("V + V -> V").diagrams)) == ["E1017"]
    mixed = [catnn.diagram("S(n)", "i -> i"), catnn.diagram("S(n)", "i ->")]
    assert code_of(lambda: catnn.gram(mixed)) == ["E1017"]
    dependent = [catnn.diagram("S(1)", "i -> i"), catnn.diagram("S(1)", "i -> j")]
    assert code_of(lambda: catnn.weingarten(dependent)) == ["E1017"]


# ----------------------------------------------------------------------------------------------------------- orbits


def orbit_matrix(diagram: catnn.Diagram, size: int) -> np.ndarray:
    """1 where indices agree exactly as the blocks say, by looking at all of them."""
    l, k = len(diagram.target), len(diagram.source)
    block = {v: b for b, vs in enumerate(diagram.parts) for v in vs}
    result = np.zeros((size,) * (l + k), dtype=int)
    for index in product(range(size), repeat=l + k):
        result[index] = all((index[v] == index[w]) == (block[v] == block[w]) for v in block for w in block)
    return result.reshape(size**l, size**k)


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_orbits_are_orbits(size: int) -> None:
    """X by Moebius is X by definition, D is a sum of X, and orbits are orthogonal."""
    diagrams = layer_of("V^2 -> V^2").diagrams
    matrices = [catnn.orbit(d).matrix(size) for d in diagrams]
    for d, found in zip(diagrams, matrices, strict=True):
        assert (found == orbit_matrix(d, size)).all()
    assert (sum(matrices) == 1).all()
    literal = catnn.orbit(catnn.diagram("S(2)", "i j k -> "))
    assert not literal.matrix().any()


@pytest.mark.parametrize(
    ("arrow", "groups", "attributes"),
    [
        ("V^2 -> V^2", ("S(n)",), ""),
        ("V^2 -> V^2", ("S(3)",), ""),
        ("V^2 -> V^2", ("S(2)",), ""),
        ("V^2 -> V", ("S(n)",), "{ reduce: mean }"),
        ("V^2 -> V^2", ("S'(3)",), ""),
        ("V^2 -> V^2", ("H(n)",), ""),
        ("V @ W^2 -> V @ W^2", ("S(n)", "O(2)"), ""),
        ("V @ W -> W @ V", ("S(n)", "S(m)"), ""),
        ("V^2 -> V^2", ("A(3)",), ""),
        ("V @ W^2 -> V", ("A(2)", "A(3)"), "{ reduce: mean }"),
    ],
)
def test_weights_change_basis(arrow: str, groups: tuple[str, ...], attributes: str) -> None:
    """The same matrix in both bases; there and back is the identity; torch, numpy, Fractions and sympy."""
    layer = layer_of(arrow, *groups, attributes=attributes)
    names = {"n": 4, "m": 3}
    sizes = {name: names[name] for name in {*layer.diagrams[0].size_names} & set(names)}
    count = len(layer.diagrams)
    weight = torch.randn(count, 3, 2, dtype=torch.float64, requires_grad=True)
    turned = catnn.to_orbit(layer, weight, **sizes)
    orbits = [catnn.orbit(m.weighted[0][1]).matrix(**sizes) for m in layer.diagrams]
    scaled = [m.matrix(**sizes) for m in layer.diagrams]
    left = np.tensordot(np.stack(scaled), weight.detach().numpy(), axes=(0, 0))
    right = np.tensordot(np.stack(orbits), turned.detach().numpy(), axes=(0, 0))
    np.testing.assert_allclose(left, right, atol=1e-12)
    back = catnn.from_orbit(layer, turned, **sizes)
    torch.testing.assert_close(back, weight)
    back.sum().backward()
    torch.testing.assert_close(weight.grad, torch.ones_like(weight))

    exact = np.array([Fraction(at, 7) for at in range(count)], dtype=object)
    assert (catnn.from_orbit(layer, catnn.to_orbit(layer, exact, **sizes), **sizes) == exact).all()
    letters = sympy.Matrix(sympy.symbols(f"w:{count}"))
    there = catnn.to_orbit(layer, letters)
    assert (catnn.from_orbit(layer, there) - letters).applyfunc(sympy.simplify) == sympy.zeros(count, 1)


def test_a_state_dict_changes_basis() -> None:
    """Every weight and bias; the module that takes them back computes the same."""
    layer = layer_of("V^2[2] + V[3] -> V[4] + 1[2]", term="all + bias")
    module = catnn.compile(layer)
    state = module.state_dict()
    turned = catnn.to_orbit(layer, state)
    assert turned.keys() == state.keys()
    assert not torch.equal(turned["weight_0_0"], state["weight_0_0"])
    assert torch.equal(turned["bias_0"], state["bias_0"])
    module.load_state_dict(catnn.from_orbit(layer, turned))
    for name, value in module.state_dict().items():
        torch.testing.assert_close(value, state[name])


def test_integers_and_the_bias() -> None:
    layer = layer_of("V^2 -> V^2", term="all + bias")
    assert catnn.to_orbit(layer, np.array([1, 1])).tolist() in ([1, 2], [2, 1])
    assert catnn.to_orbit(layer, np.arange(15)).dtype.kind == "i"
    assert catnn.to_orbit(layer, torch.arange(15)).dtype == torch.int64


def test_a_jellyfish_is_a_difference_of_orbits() -> None:
    """With the orbit of S(n) whose indices differ alike, it gives the two orbits of A(n): entries 0 and 1, disjoint."""
    for text in ("i j -> k", "i j -> i", "i i j -> k"):
        jellyfish, whole = catnn.diagram("A(3)", f"sgn[{text}]"), catnn.orbit(catnn.diagram("A(3)", text)).matrix()
        assert catnn.orbit(jellyfish) == jellyfish
        signs = jellyfish.matrix()
        assert (abs(signs) == whole).all()
        assert (signs == 1).sum() == (signs == -1).sum() == 3


def test_orbits_refuse() -> None:
    layer = layer_of("V^2 -> V^2")
    assert code_of(lambda: catnn.to_orbit(layer, np.ones(14))) == ["E1018"]
    assert code_of(lambda: catnn.to_orbit(layer, 3)) == ["E1018"]
    assert code_of(lambda: catnn.to_orbit(layer, {"heavy": np.ones(15)})) == ["E1018"]
    assert code_of(lambda: catnn.to_orbit("mix", np.ones(15))) == ["E1018"]
    assert code_of(lambda: catnn.to_orbit(layer_of("V + V -> V"), np.ones(2))) == ["E1018"]
    assert code_of(lambda: catnn.to_orbit(layer_of("V -> V", "O(3)"), np.ones(1))) == ["E1018"]
    assert code_of(lambda: catnn.to_orbit(layer_of("V -> V", term="span { [i -> j] }"), np.ones(1))) == ["E1018"]
    assert code_of(lambda: catnn.to_orbit(layer_of("V -> V", term="span { id + [i -> j] }"), np.ones(1))) == ["E1018"]
    assert code_of(lambda: catnn.to_orbit(layer_of("V -> 1", attributes="{reduce: mean}"), np.ones(1))) == ["E1002"]
    assert code_of(lambda: catnn.orbit(catnn.diagram("S(n)", "i -> i") * 2)) == ["E1018"]


# ------------------------------------------------------------------------------------------------------- projection


def matrices_of(group: str, size: int) -> list[np.ndarray]:
    """Every element of a finite group."""
    found = [np.eye(size)[list(p)] for p in permutations(range(size))]
    if group.startswith("A"):
        found = [g for g in found if np.linalg.det(g) > 0]
    if group == "H":
        found = [np.diag(signs) @ p for p in found for signs in product((1, -1), repeat=size)]
    return found


def power(g: np.ndarray, k: int) -> np.ndarray:
    result = np.eye(1)
    for _ in range(k):
        result = np.kron(result, g)
    return result


AVERAGED = [
    "S(n) 3",
    "S(n) 4",
    "S(n) 2",
    "S(n) 1",
    "S(3) 3",
    "S(2) 2",
    "H(n) 2",
    "H(n) 3",
    "H(3) 3",
    "A(3) 3",
    "A(4) 4",
]


@pytest.mark.parametrize("case", AVERAGED)
@pytest.mark.parametrize(("k", "l"), [(1, 1), (2, 2), (2, 0), (1, 3)])
def test_projection_is_the_group_average(case: str, k: int, l: int) -> None:
    """The mean of g^l M g^-k over the whole group, symbolic sizes below the number of ports included."""
    group, size = case.split()[0], int(case.split()[1])
    layer = layer_of(f"V^{k}[2] -> V^{l}[3]".replace("V^0", "1"), group)
    rng = np.random.default_rng(size + k)
    dense = rng.standard_normal((size**l, 3, size**k, 2))
    mean = 0
    elements = matrices_of(group[0], size)
    for g in elements:
        mean = mean + np.einsum("IJ,JcKd,KL->IcLd", power(g, l), dense, power(g, k).T) / len(elements)
    module = catnn.project(dense.reshape(size**l * 3, size**k * 2), layer, n=size)
    x = torch.eye(size**k * 2, dtype=torch.float64).reshape(-1, *[size] * k, 2)
    found = module(x).detach().reshape(size**k * 2, size**l * 3).numpy().T
    np.testing.assert_allclose(found, mean.reshape(found.shape), atol=1e-12)
    again = nearest(found, layer, n=size)
    np.testing.assert_allclose(again["weight"], module.weight.detach().numpy(), atol=1e-12)  # idempotent


def test_projection_onto_rotations_splits_the_trace() -> None:
    """By Schur's lemma the average of M on R^2 over O(3) is the sum over irreducible parts of tr(PM)/tr(P) P."""
    size = 3
    swap = catnn.diagram("O(3)", "i j -> j i").matrix()
    trace = catnn.diagram("O(3)", "i i -> j j").matrix() / size
    one = np.eye(9)
    parts = [trace, (one - swap) / 2, (one + swap) / 2 - trace]
    dense = np.random.default_rng(0).standard_normal((9, 9))
    average = sum(np.trace(p @ dense) / np.trace(p) * p for p in parts)
    for group, sizes in (("O(3)", {}), ("O(d)", {"d": 3})):
        layer = layer_of("V^2 -> V^2", group)
        weights = nearest(dense, layer, **sizes)["weight"].reshape(-1)
        found = sum(w * d.matrix(**sizes) for w, d in zip(weights, layer.diagrams, strict=True))
        np.testing.assert_allclose(found, average, atol=1e-13)


@pytest.mark.parametrize("group", [*GROUPS, "U(2)"])
@pytest.mark.parametrize(("source", "target"), [("V^2", "V^2"), ("V", "V"), ("V^2", "1")])
def test_what_is_equivariant_stays(group: str, source: str, target: str) -> None:
    """The weights come back, and the rest of any matrix is orthogonal to every diagram."""
    try:
        layer = layer_of(f"{source} -> {target}", group)
    except catnn.CatnnError as error:
        assert error.diagnostics[0].code == "E0601"  # noqa: PT017
        return
    rng = np.random.default_rng(0)
    diagrams = np.stack([d.matrix().astype(float) for d in layer.diagrams])
    weights = rng.standard_normal(len(diagrams))
    found = nearest(np.tensordot(weights, diagrams, axes=1), layer)["weight"].reshape(-1)
    np.testing.assert_allclose(found, weights, atol=1e-12)
    dense = rng.standard_normal(diagrams.shape[1:])
    inverse = np.array(catnn.weingarten(layer).tolist(), dtype=float)
    found = nearest(dense, layer)["weight"].reshape(-1)
    np.testing.assert_allclose(found, inverse @ np.einsum("dij,ij->d", diagrams, dense), atol=1e-12)
    rest = dense - np.tensordot(found, diagrams, axes=1)
    assert abs(np.einsum("dij,ij->d", diagrams, rest)).max() < 1e-12


def test_a_linear_module_is_imported() -> None:
    """A direct sum, with fixed parts, a bias, means and a span: the dense copy of a module gives the module back."""
    for layer in (
        layer_of("V^2[2] + V[3] -> V[3] + 1[2]", term="all + bias"),
        layer_of("V[3] -> V[3]", term="all + bias + id", attributes="{ reduce: mean }"),
        layer_of("V^2[2] -> V[1]", term="span { [i j -> i] - 1/3 * [i j -> j], [i i -> i] } + bias"),
        layer_of("V @ W[2] -> W^2 @ V @ W[2]", "S(n)", "O(2)"),
    ):
        sizes = {"n": 4}
        module = catnn.compile(layer, dtype=torch.float64, **sizes)
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.normal_()
        length = {"V": 4, "W": 2}
        shapes = [(*(length[w.space] for w in s.word), s.channels) for s in layer.source.summands]
        lengths = [prod(shape) for shape in shapes]

        def flat(x: torch.Tensor) -> torch.Tensor:
            xs = tuple(
                part.reshape(len(x), *shape)
                for part, shape in zip(x.split(lengths, -1), shapes, strict=True)  # noqa: B023
            )
            ys = module(xs if len(xs) > 1 else xs[0])  # noqa: B023
            return torch.cat([y.flatten(1) for y in (ys if isinstance(ys, tuple) else (ys,))], -1)

        constant = flat(torch.zeros(1, sum(lengths), dtype=torch.float64))[0]
        columns = flat(torch.eye(sum(lengths), dtype=torch.float64)) - constant
        dense = torch.nn.Linear(sum(lengths), len(constant), dtype=torch.float64)
        dense.weight.data, dense.bias.data = columns.T.contiguous(), constant
        copy = catnn.project(dense, layer, **sizes)
        assert {p.dtype for p in copy.parameters()} == {torch.float64}
        for name, value in module.state_dict().items():
            torch.testing.assert_close(copy.state_dict()[name], value)


def test_projected_shapes_and_dtypes() -> None:
    layer = layer_of("V^2[2] -> V[3]", term="all + bias")
    dense = torch.randn(3, 3, 3, 3, 2)
    expected = catnn.project(dense, layer, n=3).weight
    assert expected.dtype == torch.float32
    for shape in ((9, 18), (3, 3, 9, 2)):
        assert torch.equal(catnn.project(dense.reshape(shape), layer, n=3).weight, expected)
    assert catnn.project(dense.numpy().astype("f8"), layer, n=3).weight.dtype == torch.float64
    assert catnn.project(dense.bfloat16(), layer, n=3, dtype=torch.float32).weight.dtype == torch.float32
    assert catnn.project(torch.ones(9, 18, dtype=torch.int64), layer, n=3).weight.dtype == torch.get_default_dtype()
    module = catnn.project(dense, layer, n=3, bias=[1.0, 2.0, 3.0] * 3)
    assert module.bias.tolist() == [[1.0, 2.0, 3.0]]
    complex_layer = layer_of("V @ V' -> V @ V'", "U(2)")
    assert catnn.project(torch.ones(4, 4, dtype=torch.complex128), complex_layer).weight.dtype == torch.complex128


def test_the_diagrams_of_order_three_are_found_again() -> None:
    """203 weights, at a size at which they are independent and at one at which they are not."""
    layer = layer_of("V^3 -> V^3")
    weights = np.random.default_rng(0).standard_normal(203)
    for size in (2, 6):
        dense = sum(w * d.matrix(size) for w, d in zip(weights, layer.diagrams, strict=True))
        found = nearest(dense, layer, n=size)["weight"].reshape(-1)
        again = sum(w * d.matrix(size) for w, d in zip(found, layer.diagrams, strict=True))
        np.testing.assert_allclose(again, dense, atol=1e-9)
        assert np.count_nonzero(found) == catnn.dim(f"S({size})", 3, 3)
    np.testing.assert_allclose(found, weights, atol=1e-9)


def test_projection_refuses() -> None:
    layer = layer_of("V[2] -> V[2]")
    assert code_of(lambda: catnn.project(np.ones((6, 5)), layer, n=3)) == ["E1019"]
    assert code_of(lambda: catnn.project(np.ones((6, 6)), layer)) == ["E1002"]
    assert code_of(lambda: catnn.project(np.ones((6, 6)), layer, m=3)) == ["E1002"]
    assert code_of(lambda: catnn.project(np.ones((6, 6)), layer, n=0)) == ["E1003"]
    assert code_of(lambda: catnn.project(np.ones((6, 6)), layer_of("V[2] -> V[2]", "Sp(n)"), n=3)) == ["E1003"]
    assert code_of(lambda: catnn.project(np.ones((6, 6)), layer_of("V[2] -> V[2]", "S(3)"), n=4)) == ["E1003"]
    assert code_of(lambda: catnn.project(np.ones((6, 6)), "mix", n=3)) == ["E1019"]
    assert code_of(lambda: catnn.project("matrix", layer, n=3)) == ["E1019"]
    assert code_of(lambda: catnn.project(np.ones((6, 6)) * 1j, layer, n=3)) == ["E0502"]
    assert code_of(lambda: catnn.project(np.ones((6, 6)), layer, n=3, bias=np.ones(5))) == ["E1019"]
