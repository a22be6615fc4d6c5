"""Perm and Aut: orbits as diagrams, their composition in integers, their number and their span."""

from __future__ import annotations

import pickle
from functools import cache
from itertools import product
from random import Random
from typing import Any

import numpy
import pytest

import catnn
from catnn.category.compose import compose, tensor
from catnn.category.diagram import Diagram, linear
from catnn.category.families import FAMILIES
from catnn.category.gram import norm2
from catnn.category.gram import product as inner
from catnn.category.labelled import basis_of, joined, permuted, split, spread
from catnn.category.orbital import Permuted
from catnn.category.wires import Group, Wire, Word
from catnn.diagnostics import CatnnError

C4, C5 = "Aut(4, 0-1 0-3 1-2 2-3)", "Aut(5, 0-1 0-4 1-2 2-3 3-4)"
P4 = "Aut(4, 0-1 1-2 2-3)"
K4 = "Aut(4, 0-1 0-2 0-3 1-2 1-3 2-3)"
GROUPS = {
    "Perm(1)": 1,
    "Perm(2)": 2,
    "Perm(3, (0 1 2))": 3,
    "Perm(4, (0 1 2 3))": 4,
    "Perm(4, (0 1)(2 3), (0 2)(1 3))": 4,
    "Perm(5, (0 1), (2 3 4))": 5,
    C4: 4,
    C5: 5,
    P4: 4,
    "Aut(3, 0->1 1->2 2->0)": 3,
    "Aut(4, 0-1 2-3, 0-3 1-2)": 4,
    "Aut(4, 0-1 0-3 1-2 2-3, {0 2})": 4,
}
PETERSEN = "Aut(10, 0-1 0-4 0-5 1-2 1-6 2-3 2-7 3-4 3-8 4-9 5-7 5-8 6-8 6-9 7-9)"


def wire(key: str, name: str = "V") -> Wire:
    family = FAMILIES[key]
    assert isinstance(family, Permuted)
    return Wire(name, Group(key, family.n))


@cache
def dense(diagram: Diagram) -> Any:
    return diagram.matrix()


@pytest.mark.parametrize(
    ("key", "m", "dim"),
    [(C4, 2, 3), (C4, 3, 10), (C5, 2, 3), (C5, 3, 13), (P4, 2, 8), (P4, 3, 32), (PETERSEN, 2, 3), (PETERSEN, 4, 107)],
)
def test_the_dimensions_that_are_known(key: str, m: int, dim: int) -> None:
    assert {catnn.dim(key, k, m - k) for k in range(m + 1)} == {dim}


def test_complete_graphs_are_the_symmetric_groups() -> None:
    assert [catnn.dim(K4, 0, m) for m in range(9)] == [1, 1, 2, 5, 15, 51, 187, 715, 2795]
    assert [catnn.dim(K4, 3, m) for m in range(5)] == [catnn.dim("S(4)", 3, m) for m in range(5)]
    assert catnn.dim("Perm(6)", 1, 2) == 6**3


@pytest.mark.parametrize("key", GROUPS)
def test_orbits_span_the_commutant(key: str) -> None:
    """Independent of the orbits: what commutes with the generators, as a nullspace."""
    family = permuted(wire(key))
    n = family.n
    moves = [numpy.eye(n)[:, list(g)].T for g in family.generated or family.group.generators]
    for m in range(5):
        if n**m > 1000:
            break
        equations = numpy.zeros((n**m, n**m))
        for move in moves:
            power = numpy.ones((1, 1))
            for _ in range(m):
                power = numpy.kron(power, move)
            equations += (power - numpy.eye(n**m)).T @ (power - numpy.eye(n**m))
        rank = numpy.linalg.matrix_rank(equations, hermitian=True)
        elements = [d.matrix().reshape(-1) for d in basis_of((), (wire(key),) * m)]
        assert len(elements) == n**m - rank == catnn.dim(key, 0, m)
        assert (sum(elements) == 1).all()  # so they are disjoint: independent, and all 0 or 1


@pytest.mark.parametrize("key", [*GROUPS, PETERSEN])
def test_the_number_of_orbits_is_that_of_burnside(key: str) -> None:
    family = permuted(wire(key))
    found, pending = {tuple(range(family.n))}, [tuple(range(family.n))]
    while pending:
        g = pending.pop()
        for h in (tuple(one[i] for i in g) for one in family.group.generators):
            if h not in found:
                found.add(h)
                pending.append(h)
    assert len(found) == family.order
    for m in range(11):
        fixed = sum(sum(g[i] == i for i in range(family.n)) ** m for g in found)
        assert catnn.dim(key, m // 2, m - m // 2) * len(found) == fixed


def words(random: Random, wires: tuple[Wire, ...], most: int) -> Word:
    return tuple(random.choice(wires) for _ in range(random.randint(0, most)))


@pytest.mark.parametrize("key", GROUPS)
def test_composition_is_the_product_of_matrices(key: str) -> None:
    """A thousand random pairs of orbits a group: more than ten thousand together, in integers."""
    random, V = Random(key), wire(key)
    for _ in range(40):
        a, b, c = (words(random, (V,), 2) for _ in range(3))
        lower, upper = list(basis_of(a, b)), list(basis_of(b, c))
        for _ in range(25):
            f, g = random.choice(lower), random.choice(upper)
            composite = compose(g, f)
            assert (composite.matrix() == dense(g) @ dense(f)).all()
            assert all(coefficient == int(coefficient) > 0 for coefficient, _ in composite.terms)


@pytest.mark.parametrize("key", [C4, "Perm(3, (0 1 2))", "Aut(3, 0->1 1->2 2->0)"])
@pytest.mark.parametrize("other", ["S(2)", "O(3)", "SO(2)", "A(3)", "Sp(2)", "Perm(2)", P4])
def test_words_over_several_spaces(key: str, other: str) -> None:
    random = Random(key + other)
    size = GROUPS.get(other) or int(other[-2])
    wires = (wire(key), Wire("W", Group(other if other in FAMILIES else other.split("(")[0], size)))
    for _ in range(12):
        a, b, c = (words(random, wires, 2) for _ in range(3))
        lower, upper = list(basis_of(a, b)), list(basis_of(b, c))
        if not lower or not upper:
            continue
        for _ in range(4):
            f, g = random.choice(lower), random.choice(upper)
            assert (compose(g, f).matrix() == dense(g) @ dense(f)).all()
            assert (tensor((f, g)).matrix() == numpy.kron(dense(f), dense(g))).all()
            assert (f.dagger().matrix() == dense(f).T).all()
            assert f.dagger().dagger() == f
            assert joined(split(f)[0], a, b, split(f)[1]) == f
            assert eval(repr(f), {"catnn": catnn}) == f
            assert pickle.loads(pickle.dumps(f)) == f


@pytest.mark.parametrize("key", GROUPS)
def test_partitions_are_sums_of_orbits(key: str) -> None:
    V = wire(key)
    S = Wire("V", Group("S", permuted(V).n))
    for k, l in ((0, 1), (1, 1), (2, 1), (1, 2)):
        for diagram in basis_of((S,) * k, (S,) * l):
            found = spread((V,) * k, (V,) * l, diagram.parts)
            assert (found.matrix() == diagram.matrix()).all()


def test_the_order_is_that_of_least_tuples() -> None:
    V, W = wire(C4), wire("Perm(2)", "W")
    for source, target in (((V,), (V,)), ((V, W), (W, V)), ((), (W, V, V))):
        points = [d.points for d in basis_of(source, target)]
        assert points == sorted(points)


def test_inner_products_are_those_of_the_matrices() -> None:
    V = wire(P4)
    diagrams = list(basis_of((V,), (V, V)))
    for f, g in product(diagrams, repeat=2):
        assert inner(f, g).value({}) == (f.matrix() * g.matrix()).sum()
    both = linear(diagrams[0].source, diagrams[0].target, [*(diagrams[0] + diagrams[1] * 2).weighted])
    assert norm2(both).value({}) == (both.matrix() ** 2).sum()


@pytest.mark.parametrize(
    ("points", "parts"),
    [((1, 1), ((0, 1),)), ((0, 4), ((0,), (1,))), ((0, 1), ((0, 1),)), ((), ((0,), (1,))), ((0,), ((0,), (1,)))],
)
def test_only_least_tuples_are_diagrams(points: tuple[int, ...], parts: Any) -> None:
    V = wire(C4)
    with pytest.raises(CatnnError) as caught:
        Diagram((V,), (V,), parts, points=points)
    assert [fault.code for fault in caught.value.diagnostics] == ["E0406"]


def test_no_other_space_has_points() -> None:
    S = Wire("V", Group("S", 3))
    with pytest.raises(CatnnError):
        Diagram((S,), (S,), ((0,), (1,)), points=(0, 1))


def test_keys_are_canonical() -> None:
    assert "Perm(3, (1 0))" not in FAMILIES
    assert "Aut(3, 1-0)" not in FAMILIES
    assert "Aut(3, 0-3)" not in FAMILIES
    assert "Perm(3, (0 0))" not in FAMILIES
    assert "Perm(3, (0 3))" not in FAMILIES
    assert Permuted(3, [(1, 0, 2), (0, 1, 2), (1, 0, 2)]).key == "Perm(3, (0 1))"


def test_what_is_too_long_to_compose_is_refused() -> None:
    family = Permuted(60, ())
    V = Wire("V", Group(family.key, 60))
    with pytest.raises(CatnnError) as caught:
        spread((V,) * 4, (V,) * 4, tuple((v,) for v in range(8)))
    assert caught.value.diagnostics[0].code == "E0405"
