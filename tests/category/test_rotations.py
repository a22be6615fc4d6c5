"""SO(n): epsilons in the category: the functor in integers, bases, dimensions, the action of rotations."""

from __future__ import annotations

import pickle
import random
import time
from itertools import pairwise, product

import numpy
import pytest

import catnn
from catnn.category.compose import compose, compose_all, identity, tensor
from catnn.category.diagram import Diagram, Morphism
from catnn.category.families import FAMILIES
from catnn.category.gram import inner, norm2, rank
from catnn.category.halves import count, dimension, factors, hom
from catnn.category.wires import Group, Wire, Word
from catnn.view import from_json
from catnn.view.graph import from_networkx

SO = FAMILIES["SO"]
TABLE = {
    2: [1, 0, 2, 0, 6, 0, 20, 0, 70, 0, 252],
    3: [1, 0, 1, 1, 3, 6, 15, 36, 91, 232, 603],
    4: [1, 0, 1, 0, 4, 0, 25, 0, 196, 0, 1764],
    5: [1, 0, 1, 0, 3, 1, 15, 15, 105, 190, 945],
}


def wire(size: int, space: str = "V") -> Wire:
    return Wire(space, Group("SO", size))


def random_diagram(pick: random.Random, source: Word, target: Word, *, legs: bool) -> Diagram:
    """Any diagram on one space, with an epsilon or without."""
    m = len(source) + len(target)
    n = (target + source)[0].group.size if legs else 0
    vertices = pick.sample(range(m), m)
    blocks = [(v,) for v in vertices[:n]]
    rest = vertices[n:]
    blocks += [tuple(sorted(pair)) for pair in zip(rest[::2], rest[1::2], strict=True)]
    return Diagram(source, target, tuple(sorted(blocks)))


def chain(pick: random.Random, n: int, length: int, most: int = 4) -> list[Diagram]:
    """Diagrams that compose, with epsilons wherever the numbers allow."""
    while True:
        row = [pick.randint(0, most) for _ in range(length + 1)]
        kinds = [pick.random() < 0.6 for _ in range(length)]
        sums = [a + b - n * legs for (a, b), legs in zip(pairwise(row), kinds, strict=True)]
        if all(s >= 0 and s % 2 == 0 for s in sums):
            break
    words = [(wire(n),) * a for a in row]
    return [random_diagram(pick, a, b, legs=e) for (a, b), e in zip(pairwise(words), kinds, strict=True)]


# ------------------------------------------------------------------------------------------------------- the functor


def test_composition_is_the_product_of_matrices_in_integers() -> None:
    pick, both, sums = random.Random(0), 0, 0
    for _ in range(2000):
        lower, upper = chain(pick, pick.choice((1, 2, 2, 3, 3, 4)), 2, 4)
        composed = compose(upper, lower)
        assert numpy.array_equal(composed.matrix(), upper.matrix() @ lower.matrix()), f"{lower!r} >> {upper!r}"
        both += bool(upper.free) and bool(lower.free)
        sums += len(composed.weighted) > 1
    assert both > 300
    assert sums > 100


def test_closed_curves_and_legs_that_meet() -> None:
    for n in (2, 3, 4, 5):
        eps = Diagram((), (wire(n),) * n, tuple((v,) for v in range(n)))
        closed = compose(eps.dagger(), eps)
        assert closed == identity(()) * int(norm2(eps).value({}))
        ev = Diagram((wire(n),) * 2, (), ((0, 1),))
        assert not compose(tensor((ev, identity((wire(n),) * (n - 2)))), eps)


def test_dagger_is_the_transpose_with_its_sign() -> None:
    pick, minus = random.Random(1), 0
    for _ in range(300):
        (f,) = chain(pick, pick.choice((1, 2, 3, 4)), 1, 4)
        turned = f.dagger()
        assert numpy.array_equal(turned.matrix(), f.matrix().T)
        assert turned.dagger() == f
        assert (turned.source, turned.target) == (f.target, f.source)
        minus += turned.weighted[0][0] != 1 and str(turned.weighted[0][0]) == "-1"
    assert minus > 20


def test_tensor_and_inner_product_are_those_of_matrices() -> None:
    pick = random.Random(2)
    for _ in range(150):
        n = pick.choice((1, 2, 3))
        (f,), (g,) = chain(pick, n, 1, 3), chain(pick, n, 1, 3)
        assert numpy.array_equal(tensor((f, g)).matrix(), numpy.kron(f.matrix(), g.matrix()))
        for legs in (False, True):
            left = len(f.source + f.target) - n * legs
            if left >= 0 and left % 2 == 0 and f.source + f.target:
                other = random_diagram(pick, f.source, f.target, legs=legs)
                assert inner(f, other).value({}) == (f.matrix() * other.matrix()).sum()
        assert norm2(f).value({}) == (f.matrix() ** 2).sum()


def same(left: Morphism, right: Morphism) -> bool:
    """As matrices: three epsilons multiply out to different sums, equal by the relations of small n."""
    return not norm2(left - right)


def test_laws() -> None:
    pick = random.Random(3)
    for _ in range(150):
        f, g, h = chain(pick, pick.choice((2, 3)), 3, 3)
        assert same(compose(h, compose(g, f)), compose(compose(h, g), f))
        assert compose(compose(h, g), f) == compose(h, compose(g, f)) or f.free or g.free or h.free
        assert same(compose(g, f).dagger(), compose(f.dagger(), g.dagger()))
        assert same(tensor((f, tensor((g, h)))), tensor((f, g, h)))
        assert same(tensor((f, g, h)), tensor((tensor((f, g)), h)))


# --------------------------------------------------------------------------------------------------- bases and counts


@pytest.mark.parametrize("size", TABLE)
def test_the_dimensions_are_those_of_the_table(size: int) -> None:
    catnn.dim(f"SO({size})", 0, 0)
    for m, expected in enumerate(TABLE[size]):
        for k in range(m + 1):
            start = time.process_time()
            assert catnn.dim(f"SO({size})", k, m - k) == expected
            assert time.process_time() - start < 0.05


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_the_basis_is_independent_and_as_large_as_is_counted(size: int) -> None:
    space = wire(size)
    for k, l in product(range(5), repeat=2):
        source, target = (space,) * k, (space,) * l
        found = [f.diagram() for f in hom(source, target)]
        assert len(found) == len(set(found)) == dimension(source, target)
        assert count(source, target) >= len(found)
        for d in found:
            cut = factors(d)
            assert cut.diagram() == d
            value = compose_all((cut.input.diagram(), identity_like(cut), cut.output.diagram().dagger()))
            assert value == d * cut.sign
        if found and len(found) <= 100:
            assert rank(found) == len(found)
            if size ** (k + l) <= 1000:
                assert numpy.linalg.matrix_rank(numpy.stack([d.matrix().ravel() for d in found])) == len(found)


def identity_like(cut: object) -> Diagram:
    """The permutation in the middle of a factorisation."""
    from catnn.category.compose import permutation
    from catnn.category.halves import Factors

    assert isinstance(cut, Factors)
    return permutation(cut.input.level, cut.sigma)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_the_span_is_the_whole_commutant(size: int) -> None:
    """The tensors that random rotations keep: as many as are counted, up to a thousand entries."""
    for m in (m for m in range(8) if size**m <= 1000):
        total = sum(numpy.eye(size**m) - act(SO.random_element(size, seed), m) for seed in range(3))
        values = numpy.linalg.eigvalsh(total + total.T)  # each summand is positive semidefinite
        assert {int((values < 1e-8).sum())} == {SO.dim(k, m - k, size) for k in range(m + 1)}


def act(g: numpy.ndarray, order: int) -> numpy.ndarray:
    result = numpy.eye(1)
    for _ in range(order):
        result = numpy.kron(result, g)
    return result


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_rotations_commute_and_reflections_do_not(size: int) -> None:
    space = wire(size)
    mirror = numpy.diag([-1.0] + [1.0] * (size - 1))
    for seed, (k, l) in enumerate(product(range(4), repeat=2)):
        g = SO.random_element(size, seed)
        assert numpy.isclose(numpy.linalg.det(g), 1)
        assert numpy.allclose(g @ g.T, numpy.eye(size))
        for d in (f.diagram() for f in hom((space,) * k, (space,) * l)):
            matrix = d.matrix()
            assert numpy.allclose(act(g, l) @ matrix, matrix @ act(g, k))
            assert numpy.allclose(act(mirror, l) @ matrix, matrix @ act(mirror, k)) == (not d.free)


def test_products_of_spaces() -> None:
    """An epsilon in each of two spaces, and one beside permuted wires."""
    pick = random.Random(5)
    a, b, s = wire(2, "A"), wire(3, "B"), Wire("S", Group("S", 2))
    for source, target in (((a, b, a), (b, b)), ((b, a, b), (b, a)), ((s, b), (b, s, b)), ((a, s, a), (s,))):
        found = [f.diagram() for f in hom(source, target)]
        assert len(found) == len(set(found)) == dimension(source, target) == rank(found)
        assert all(factors(d).diagram() == d for d in found)
        for d in pick.sample(found, min(6, len(found))):
            for e in pick.sample(found, min(6, len(found))):
                composed = compose(d.dagger(), e)
                assert numpy.array_equal(composed.matrix(), d.matrix().T @ e.matrix())


# ------------------------------------------------------------------------------------------------------ what it is


def test_known_tensors() -> None:
    quarter = catnn.diagram("SO(2)", "i -> j").matrix()
    assert quarter.tolist() == [[0, 1], [-1, 0]]
    cross = catnn.diagram("SO(3)", "i j -> k")
    x, y = numpy.array([1, 2, 3]), numpy.array([-1, 0, 5])
    assert (cross.matrix() @ numpy.kron(x, y)).tolist() == numpy.cross(x, y).tolist()
    triple = catnn.diagram("SO(3)", "i j k ->")
    z = numpy.array([4, 4, -7])
    assert (triple.matrix() @ numpy.kron(x, numpy.kron(y, z))).tolist() == [numpy.dot(x, numpy.cross(y, z))]
    assert cross.free == (0, 1, 2)
    assert catnn.diagram("SO(3)", "i j i -> j").free == ()


def test_diagrams_come_back() -> None:
    d = catnn.diagram("SO(3)", "i i j -> k m")
    assert d.free == (0, 1, 4)
    assert eval(repr(d), {"catnn": catnn}) == d == pickle.loads(pickle.dumps(d))
    assert from_json(d.to_json()) == d == from_networkx(d.to_networkx())
    assert all((d.to_svg(), d.to_text(), d.to_tikz(), d.to_dot(), d.to_html(), d.to_graphml()))
