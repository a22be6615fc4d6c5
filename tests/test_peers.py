"""What the tests of other libraries check, written as specs: as many weights as the nullspace, and equivariance."""

from __future__ import annotations

from functools import cache
from math import prod
from pathlib import Path

import numpy as np
import pytest
import torch

import catnn
from catnn.category.wires import Group, Wire, Word, bases
from catnn.testing import run as checks
from tests.nullspace import (
    Rep,
    dimension,
    dual,
    permutations,
    power,
    preserving,
    rotations,
    side_by_side,
    times,
    unitary,
)

SPECS = Path(__file__).parent / "specs"
EMLP = catnn.load(SPECS / "emlp.catnn")
COMPLEX = catnn.load(SPECS / "emlp_unitary.catnn")
LAYERS = {**EMLP.layers, **COMPLEX.layers}


def representation(group: Group) -> Rep:
    """A group on its space, by generators."""
    n = group.size
    assert isinstance(n, int)
    match group.family:
        case "S":
            return permutations(n)
        case "SO":
            return rotations(n)
        case "O":
            return rotations(n, reflections=True)
        case "O(1,3)":
            metric = np.diag([1.0, -1, -1, -1])
            return preserving(metric, [np.diag([-1.0, 1, 1, 1]), np.diag([1.0, -1, 1, 1])])
        case "Sp":
            return preserving(np.kron(np.eye(n // 2), np.array([[0.0, 1], [-1, 0]])), [])
        case _:
            return unitary(n)


@cache
def one_space(group: Group, source: tuple[bool, ...], target: tuple[bool, ...]) -> int:
    """The equivariant maps between words of one space, True where a wire is dual."""
    rep = representation(group)
    sides = []
    for kinds in (source, target):
        found = power(rep, 0)
        for is_dual in kinds:
            found = times(found, dual(rep) if is_dual else rep)
        sides.append(found)
    return dimension(*sides)


def maps(source: Word, target: Word) -> int:
    """For a product of groups the product of the numbers."""
    return prod(
        one_space(wire.group, *(tuple(w.dual for w in word if w.base == wire) for word in (source, target)))
        for wire in bases(source + target)
    )


@pytest.mark.parametrize("name", LAYERS)
def test_as_many_weights_as_the_nullspace(name: str) -> None:
    """Between each pair of summands; and the whole layer has them for every pair of channels."""
    layer = LAYERS[name]
    total = 0
    for o, out in enumerate(layer.target.summands):
        for i, in_ in enumerate(layer.source.summands):
            found = maps(in_.word, out.word)
            assert len(layer.weighted[o][i]) == found, (str(in_), str(out))
            total += found * out.channels * in_.channels
    assert layer.parameters == total


def test_all_seven_types_and_both_products() -> None:
    """The numbers themselves, so that a change of both sides does not go unseen."""
    assert {name: layer.parameters for name, layer in LAYERS.items()} == NUMBERS


NUMBERS = {
    "vectors": 9,
    "five": 35,
    "mixed": 35,
    "four": 6,
    "lorentz": 49,
    "symplectic": 25,
    "rotations_first": 48,
    "permutations_first": 62,
    "across": 4,
    "back": 5,
    "colours": 9,
}


@pytest.mark.parametrize(("source", "target"), [("RN", "R"), ("N", "RRN"), ("RRN", "N"), ("RN", "RN"), ("RRR", "NN")])
def test_a_product_of_groups_has_the_products(source: str, target: str) -> None:
    """The nullspace of SO(3) x S(5) at once."""
    r, n = side_by_side(rotations(3), permutations(5))
    sides, words = [], []
    for letters in (source, target):
        found = power(r, 0)
        for letter in letters:
            found = times(found, {"R": r, "N": n}[letter])
        sides.append(found)
        words.append(tuple(Wire(x, Group("SO", 3) if x == "R" else Group("S", 5)) for x in letters))
    assert dimension(*sides) == maps(*words)
    spec = catnn.parse(f"space R : SO(3)  space N : S(5)  layer f : {' @ '.join(source)} -> {' @ '.join(target)} = all")
    assert len(spec["f"].diagrams) == maps(*words)


@pytest.mark.parametrize("name", LAYERS)
def test_equivariant(name: str) -> None:
    """Under random elements of the groups, and equal to the definition."""
    spec = EMLP if name in EMLP.layers else COMPLEX
    found = list(checks(spec, [name], only=("dense match", "equivariance")))
    assert [result for result in found if not result.ok] == []


def test_what_the_special_groups_have_more() -> None:
    """EMLP's groups where the language has a larger one: the nullspace finds the epsilons of the smaller.

    The connected Lorentz group keeps a Levi-Civita tensor, so each of L^2 -> L^2 has one map more; SU(3) has
    C^2 -> C', and the like.
    """
    lorentz = preserving(np.diag([1.0, -1, -1, -1]), [])
    assert (dimension(power(lorentz, 2), power(lorentz, 2)), maps(*[(Wire("L", Group("O(1,3)", 4)),) * 2] * 2)) == (
        4,
        3,
    )
    group, algebra = unitary(3)
    special = (group, [a - np.eye(3) * np.trace(a) / 3 for a in algebra])
    assert dimension(power(special, 2), dual(special)) == 1
    assert catnn.dim("U(3)", "V V", "V'") == 0


# ---------------------------------------------------------------------------------------------- tensors of rotations


def test_the_cross_product() -> None:
    """SO(3) V^2 -> V is the cross product, and V -> V^2 the same upside down: the matrix of v x."""
    spec = catnn.parse("space R : SO(3)  layer f : R^2 -> R = all  layer g : R -> R^2 = all")
    u, v = torch.randn(2, 7, 3, dtype=torch.float64)
    f, g = (catnn.compile(spec[name], dtype=torch.float64) for name in "fg")
    with torch.no_grad():
        for module in (f, g):
            assert module.weight.shape == (1, 1, 1)
            module.weight.fill_(1)
        cross = torch.linalg.cross(u, v)
        torch.testing.assert_close(f(torch.einsum("bi,bj->bij", u, v).unsqueeze(-1))[..., 0], cross)
        upside_down = g(v.unsqueeze(-1))[..., 0]  # the entries eps(j, k, i) v_i
        torch.testing.assert_close(torch.einsum("bjk,bk->bj", upside_down, u), torch.linalg.cross(u, v))


def test_no_vector_becomes_a_matrix_under_reflections() -> None:
    """O(3) V -> V^2 is refused with the reason, and with what SO(3) has instead."""
    with pytest.raises(catnn.CatnnError, match="E0601") as caught:
        catnn.parse("space R : O(3)  layer f : R -> R^2 = all")
    text = str(caught.value)
    assert "3 ports cannot be paired (k + l must be even)" in text
    assert "SO(3) has one, `[i -> j k]`, the cross product upside down" in text


def test_the_split_of_tensornet() -> None:
    """X = I + A + S: the trace, the antisymmetric part, the rest of the symmetric one; three diagrams V^2 -> V^2.

    And the parity of TensorNet: transposing X changes the sign of A alone.
    """
    spec = catnn.parse(
        """
        space R : O(3)
        let identity : R^2 -> R^2 = 1/3 * [i i -> j j]
        let odd : R^2 -> R^2 = 1/2 * [i j -> i j] - 1/2 * [i j -> j i]
        let even : R^2 -> R^2 = 1/2 * [i j -> i j] + 1/2 * [i j -> j i] - 1/3 * [i i -> j j]
        layer f : R^2 -> R^2 = all
        layer split : R^2[2] -> R^2[2] = span { identity, odd, even }
        check identity ; identity = identity
        check odd ; odd = odd
        check even ; even = even
        check identity ; odd = 0 * id[R^2]
        check even ; odd = 0 * id[R^2]
        check identity + odd + even = id[R^2]
        check swap ; odd = -1 * odd
        check swap ; even = even
        """
    )
    assert {str(d) for d in spec["f"].diagrams} == {"[i i -> j j]", "[i j -> i j]", "[i j -> j i]"}
    terms = {d for part in ("identity", "odd", "even") for _, d in spec[part].weighted}
    assert terms == set(spec["f"].diagrams)
    x = torch.randn(5, 3, 3, dtype=torch.float64)
    trace = x.diagonal(dim1=1, dim2=2).sum(-1)[:, None, None] * torch.eye(3, dtype=torch.float64) / 3
    parts = {"identity": trace, "odd": (x - x.mT) / 2, "even": (x + x.mT) / 2 - trace}
    for name, wanted in parts.items():
        found = torch.from_numpy(spec[name].matrix()) @ x.flatten(1).unsqueeze(-1)
        torch.testing.assert_close(found.reshape(5, 3, 3), wanted)
    module = catnn.compile(spec["split"], dtype=torch.float64)
    wide = torch.stack((x, 2 * x), -1)
    mixed = sum(torch.einsum("bij,c,oc->bijo", wanted, torch.tensor([1.0, 2.0], dtype=torch.float64), weight)
                for wanted, weight in zip(parts.values(), module.weight, strict=True))  # fmt: skip
    torch.testing.assert_close(module(wide), mixed)
