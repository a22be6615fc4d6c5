"""U(n): dual wires, walled matchings, their functor, their bases and their action."""

from __future__ import annotations

import pickle
import random
from itertools import pairwise, product

import numpy
import pytest

import catnn
from catnn.category.compose import compose, compose_all, tensor
from catnn.category.diagram import Diagram
from catnn.category.families import FAMILIES
from catnn.category.gram import inner, norm2, rank
from catnn.category.halves import count, dimension, factors, hom
from catnn.category.wires import Group, Wire, Word, ends, show_word
from catnn.diagnostics import CatnnError
from catnn.view import from_graphml, from_json, from_networkx, to_graphml, to_json, to_networkx

U = FAMILIES["U"]
TABLE = {1: [1, 1, 1, 1, 1, 1, 1], 2: [1, 1, 2, 5, 14, 42, 132], 3: [1, 1, 2, 6, 23, 103, 513]}


def wire(size: int | str, *, space: str = "V") -> Wire:
    return Wire(space, Group("U", size))


def words(space: Wire, most: int) -> list[Word]:
    return [word for length in range(most + 1) for word in product((space, space.flipped()), repeat=length)]


def random_word(pick: random.Random, space: Wire, charge: int, most: int = 4) -> Word:
    """A word with so many more V than V'."""
    pairs = pick.randint(0, (most - abs(charge)) // 2)
    kinds = [space] * (pairs + max(charge, 0)) + [space.flipped()] * (pairs + max(-charge, 0))
    pick.shuffle(kinds)
    return tuple(kinds)


def random_diagram(pick: random.Random, source: Word, target: Word) -> Diagram:
    l = len(target)
    starts = [v for v, w in enumerate(target) if w.dual] + [l + v for v, w in enumerate(source) if not w.dual]
    stops = [v for v, w in enumerate(target) if not w.dual] + [l + v for v, w in enumerate(source) if w.dual]
    pick.shuffle(stops)
    return Diagram(source, target, tuple(sorted(tuple(sorted(p)) for p in zip(starts, stops, strict=True))))


def chain(pick: random.Random, space: Wire, length: int) -> list[Diagram]:
    charge = pick.randint(-2, 2)
    row = [random_word(pick, space, charge) for _ in range(length + 1)]
    return [random_diagram(pick, a, b) for a, b in pairwise(row)]


def act(word: Word, element: numpy.ndarray) -> numpy.ndarray:
    """The matrix of a group element on a word: V' is acted on by the conjugate."""
    result = numpy.ones((1, 1), dtype=complex)
    for one in word:
        result = numpy.kron(result, element.conj() if one.dual else element)
    return result


# ---------------------------------------------------------------------------------------------------------- dimensions


@pytest.mark.parametrize("size", TABLE)
def test_the_dimensions_are_those_of_the_table(size: int) -> None:
    assert [U.dim(p, p, size) for p in range(7)] == TABLE[size]
    assert [catnn.dim(f"U({size})", p, p) for p in range(7)] == TABLE[size]
    assert [catnn.dim(f"U({size})", "V V' " * p, 0) for p in range(7)] == TABLE[size]
    assert [catnn.dim(f"U({size})", "V " * p, "V " * p) for p in range(7)] == TABLE[size]


def test_a_dual_wire_counts_the_other_way_round() -> None:
    assert catnn.dim("U(n)", "V V'", "V") == 0
    assert catnn.dim("U(n)", "V V' V", "V") == catnn.dim("U(n)", "V V", "V V") == 2
    assert catnn.dim("U(n)", "V'", "V") == 0
    assert catnn.dim("U(n)", "", "V V'") == 1
    assert catnn.dim("O(n)", "V V'", "V V") == catnn.dim("O(n)", 2, 2)
    with pytest.raises(CatnnError, match="`W` is no wire"):
        catnn.dim("U(n)", "V W", 1)


@pytest.mark.parametrize("size", [1, 2, 3, "n"])
def test_the_basis_is_independent_and_as_large_as_is_counted(size: int | str) -> None:
    space = wire(size)
    for source, target in product(words(space, 3), words(space, 2)):
        found = [f.diagram() for f in hom(source, target)]
        assert len(found) == dimension(source, target)
        assert all(factors(d).diagram() == d for d in found)
        if found:
            n = size if isinstance(size, int) else 3
            if n ** len(source + target) <= 1000 and (isinstance(size, int) or count(source, target) <= 6):
                stacked = numpy.stack([d.matrix(n).ravel() for d in found])
                assert numpy.linalg.matrix_rank(stacked) == len(found)
            assert rank(found) == len(found)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_span_is_the_whole_commutant(size: int) -> None:
    """The nullspace of the equations M g = g M at random unitary g has the dimension that is counted."""
    space = wire(size)
    pairs = [(a, b) for a, b in product(words(space, 2), repeat=2) if size ** len(a + b) <= 81]
    for source, target in pairs:
        rows = []
        for seed in range(3):
            g = U.random_element(size, seed)
            left, right = act(target, g), act(source, g)
            a, b = len(left), len(right)
            rows.append(numpy.kron(left, numpy.eye(b)) - numpy.kron(numpy.eye(a), right.T))
        values = numpy.linalg.svd(numpy.concatenate(rows), compute_uv=False)
        assert int((values < 1e-8).sum()) == dimension(source, target), (show_word(source), show_word(target))


# ---------------------------------------------------------------------------------------------------------- the functor


def test_composition_is_the_product_of_matrices_in_integers() -> None:
    pick = random.Random(0)
    for _ in range(2000):
        n = pick.randint(1, 3)
        lower, upper = chain(pick, wire("n" if pick.random() < 0.7 else n), 2)
        composed = compose(upper, lower)
        assert numpy.array_equal(composed.matrix(n=n) if composed.size_names else composed.matrix(),
                                 upper.matrix(n) @ lower.matrix(n))  # fmt: skip


def test_tensor_dagger_and_inner_product_are_those_of_matrices() -> None:
    pick = random.Random(1)
    for _ in range(200):
        f, g = chain(pick, wire("n"), 1) + chain(pick, wire("n"), 1)
        assert numpy.array_equal(f.dagger().matrix(2), f.matrix(2).T)
        assert (f.dagger().source, f.dagger().target) == (f.target, f.source)
        if len(f.source + f.target + g.source + g.target) <= 8:
            assert numpy.array_equal(tensor((f, g)).matrix(2), numpy.kron(f.matrix(2), g.matrix(2)))
        other = random_diagram(pick, f.source, f.target)
        assert inner(f, other).value({"n": 3}) == (f.matrix(3) * other.matrix(3)).sum()
        assert norm2(f).value({"n": 3}) == (f.matrix(3) ** 2).sum()


def test_composition_is_associative_and_dagger_reverses_it() -> None:
    pick = random.Random(2)
    for _ in range(200):
        f, g, h = chain(pick, wire("n"), 3)
        assert compose(h, compose(g, f)) == compose(compose(h, g), f) == compose_all((f, g, h))
        assert compose(g, f).dagger() == compose(f.dagger(), g.dagger())


def test_diagrams_commute_with_unitary_maps_and_with_no_others() -> None:
    pick = random.Random(3)
    broken = 0
    for seed in range(100):
        (f,) = chain(pick, wire(2), 1)
        g = U.random_element(2, seed)
        assert numpy.allclose(g.conj().T @ g, numpy.eye(2))
        matrix = f.matrix()
        assert numpy.allclose(act(f.target, g) @ matrix, matrix @ act(f.source, g))
        bad = g @ numpy.diag([2.0, 1.0])
        broken += not numpy.allclose(act(f.target, bad) @ matrix, matrix @ act(f.source, bad))
    assert broken > 50


# ------------------------------------------------------------------------------------------------- identity and copies


def test_the_kinds_of_wires_are_part_of_a_diagram() -> None:
    one, other = (catnn.diagram("U(n)", "i i ->", arrow) for arrow in ("V @ V' -> 1", "V' @ V -> 1"))
    assert one != other
    assert one == catnn.diagram({"W": "U(n)"}, "i i ->", "W @ W' -> 1")
    assert (one + one).source == one.source
    with pytest.raises(CatnnError):
        one + other
    with pytest.raises(CatnnError):
        Diagram((wire("n"),) * 2, (), ((0, 1),))
    with pytest.raises(CatnnError):
        Diagram((wire("n"),), (wire("n").flipped(),), ((0, 1),))


def test_every_copy_keeps_the_duals() -> None:
    pick = random.Random(4)
    for _ in range(50):
        (d,) = chain(pick, wire("n"), 1)
        assert eval(repr(d), {"catnn": catnn}) == d
        assert pickle.loads(pickle.dumps(d)) == d
        assert from_json(to_json(d)) == from_networkx(to_networkx(d)) == from_graphml(to_graphml(d)) == d
        assert from_json(to_json(d)).source == d.source


def test_pictures_prime_the_letters_of_dual_wires() -> None:
    d = catnn.diagram("U(n)", "i j j -> i", "V @ V' @ V -> V")
    for text in (d.to_svg(), d.to_dot(), "\n".join(map(str, [d.to_tikz()]))):
        assert "j'" in text or "j&#x27;" in text or "j&#39;" in text


def test_words_are_counted_by_their_ends() -> None:
    V, D = wire("n"), wire("n").flipped()
    assert show_word((V, D, D, V)) == "V @ V'^2 @ V"
    assert ends(V, (V, D), (D,)) == (2, 1)
    assert count((V, D), (V, D)) == 2
    assert not list(hom((V,), (D,)))
