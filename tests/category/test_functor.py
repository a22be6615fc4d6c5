"""Facts about the matrices: Frobenius algebra, bent wires, signs, equivariance, norms, and sizes that are refused."""

from __future__ import annotations

from functools import reduce

import numpy
import pytest

from catnn.category.compose import compose_all, identity, permutation
from catnn.category.diagram import Diagram, Sum
from catnn.category.families import FAMILIES as GROUPS
from catnn.category.family import Part
from catnn.category.scalar import Scalar
from catnn.category.symplectic import omega, sign_exponent
from catnn.category.wires import Group, Wire, Word
from catnn.diagnostics import CatnnError
from tests.category.making import ALL, FAMILIES, SP, O, S, chain, seeded, sizes_of

N = Scalar.size("n")
RANK = Scalar.size("r")


def spider(wire: Wire, p: int, q: int) -> Diagram:
    """p inputs and q outputs, one block."""
    return Diagram((wire,) * p, (wire,) * q, (tuple(range(p + q)),) if p + q else ())


MERGE, COPY, UNIT, DISCARD, ONE = (spider(S, p, q) for p, q in ((2, 1), (1, 2), (0, 1), (1, 0), (1, 1)))


def test_special_commutative_frobenius_algebra() -> None:
    swap = permutation((S, S), (1, 0))
    assert COPY >> MERGE == ONE == identity((S,))
    assert swap >> MERGE == MERGE
    assert (UNIT @ ONE) >> MERGE == ONE == COPY >> (ONE @ DISCARD)
    assert (MERGE @ ONE) >> MERGE == (ONE @ MERGE) >> MERGE == spider(S, 3, 1)
    assert (COPY @ ONE) >> (ONE @ MERGE) == MERGE >> COPY == (ONE @ COPY) >> (MERGE @ ONE) == spider(S, 2, 2)
    assert identity(()) * N == UNIT >> DISCARD
    assert MERGE.dagger() == COPY
    assert DISCARD.dagger() == UNIT


@pytest.mark.parametrize(("a", "b", "legs"), [(2, 3, 1), (0, 2, 1), (3, 0, 2), (1, 1, 3), (2, 2, 4)])
def test_spiders_fuse(a: int, b: int, legs: int) -> None:
    """However many legs join two spiders, they are one."""
    assert spider(S, a, legs) >> spider(S, legs, b) == spider(S, a, b)


@pytest.mark.parametrize("wire", [S, O], ids=["S", "O"])
def test_zig_zag(wire: Wire) -> None:
    ev, coev, one = spider(wire, 2, 0), spider(wire, 0, 2), identity((wire,))
    assert (one @ coev) >> (ev @ one) == one == (coev @ one) >> (one @ ev)
    assert coev >> ev == identity(()) * Scalar.size(wire.group.size)


@pytest.mark.parametrize("size", [2, 4, 6])
def test_symplectic_zig_zag_is_minus_one(size: int) -> None:
    """In the category, and in plain matrices of ev and coev."""
    wire = Wire("P", Group("Sp", size))
    ev, coev, one = spider(wire, 2, 0), spider(wire, 0, 2), identity((wire,))
    assert (one @ coev) >> (ev @ one) == -one == (coev @ one) >> (one @ ev)
    assert coev >> ev == identity(()) * size
    eye, form = numpy.eye(size, dtype=int), omega(size)
    numpy.testing.assert_array_equal(ev.matrix(), form.reshape(1, -1))
    numpy.testing.assert_array_equal(coev.matrix(), form.reshape(-1, 1))
    snake = numpy.kron(ev.matrix(), eye) @ numpy.kron(eye, coev.matrix())
    numpy.testing.assert_array_equal(snake, -eye)
    swapped = permutation((wire, wire), (1, 0)) >> ev
    assert swapped == -ev
    numpy.testing.assert_array_equal(swapped.matrix(), form.T.reshape(1, -1))


def test_symplectic_signs() -> None:
    """F(g) F(f) = s(g) s(f) s(g.f) (-n)^loops F(g.f), and a good part of all compositions carries a minus."""
    pick, minus = seeded(3), 0
    for _ in range(500):
        f, g = chain(pick, (SP,), 2, 5)
        ((coefficient, h),) = (f >> g).weighted
        ((monomial, number),) = coefficient.terms
        loops = dict(monomial).get("r", 0)
        signs = sum(sign_exponent(Part(len(d.target), len(d.source), d.parts)) for d in (f, g, h))
        assert number == (-1) ** (signs + loops)
        minus += number < 0
    assert 100 < minus < 250
    alone = (
        spider(SP, 0, 2) @ spider(SP, 0, 2),
        permutation((SP,) * 4, (0, 2, 1, 3)),
        spider(SP, 2, 0) @ spider(SP, 2, 0),
    )
    assert compose_all(alone) == identity(()) * RANK


def kron_power(word: Word, elements: dict[Wire, numpy.ndarray]) -> numpy.ndarray:
    """A group element on a word."""
    return reduce(numpy.kron, (elements[wire] for wire in word), numpy.eye(1))


@pytest.mark.parametrize("wires", ALL.values(), ids=list(ALL))
def test_every_diagram_is_equivariant(wires: tuple[Wire, ...]) -> None:
    """M rho(g) = rho(g) M for independent random elements of the groups."""
    pick = seeded(11)
    for trial in range(60):
        (d,) = chain(pick, wires, 1, 3)
        at = {name: 4 if name == "r" else 3 for name in d.size_names}
        lengths = {w: w.group.size if isinstance(w.group.size, int) else at[w.group.size] for w in d.spaces()}
        elements = {w: GROUPS[w.group.family].random_element(n, trial) for w, n in lengths.items()}
        matrix = d.matrix(**at)
        left, right = matrix @ kron_power(d.source, elements), kron_power(d.target, elements) @ matrix
        numpy.testing.assert_allclose(left, right, atol=1e-9, err_msg=str(d))


@pytest.mark.parametrize("size", [2, 4, 6])
def test_random_elements_belong_to_their_groups(size: int) -> None:
    eye = numpy.eye(size)
    for seed in range(5):
        p, q, s = (GROUPS[key].random_element(size, seed) for key in ("S", "O", "Sp"))
        assert sorted(p.argmax(axis=1)) == list(range(size))
        assert p.sum() == size
        numpy.testing.assert_allclose(q @ q.T, eye, atol=1e-12)
        numpy.testing.assert_allclose(s.T @ omega(size) @ s, omega(size), atol=1e-9)
        assert not numpy.allclose(s @ s.T, eye)


def test_what_is_not_equivariant() -> None:
    """Each group's diagrams mean something: a bigger group breaks them."""
    rotation = GROUPS["O"].random_element(4, 0)
    copy = COPY.matrix(4)
    assert not numpy.allclose(copy @ rotation, numpy.kron(rotation, rotation) @ copy)
    shear = GROUPS["Sp"].random_element(4, 0)
    dot = spider(O, 2, 0).matrix(4)
    assert not numpy.allclose(dot @ numpy.kron(shear, shear), dot)
    form = spider(SP, 2, 0).matrix(4)
    assert not numpy.allclose(form @ numpy.kron(rotation, rotation), form)
    general = numpy.random.default_rng(0).normal(size=(4, 4))
    for invariant in (dot, form, spider(S, 2, 0).matrix(4)):
        assert not numpy.allclose(invariant @ numpy.kron(general, general), invariant)


@pytest.mark.parametrize("wires", FAMILIES.values(), ids=list(FAMILIES))
def test_inner_is_the_product_of_matrices(wires: tuple[Wire, ...]) -> None:
    pick = seeded(5)
    for _ in range(150):
        (f,) = chain(pick, wires, 1, 3)
        for _ in range(2):
            g = another(pick, f)
            at = sizes_of(f)
            value = reduce(
                lambda total, wire: (
                    total * GROUPS[wire.group.family].inner(f.part(wire)[0], g.part(wire)[0], wire.group.size)
                ),
                f.spaces(),
                Scalar.of(1),
            )
            assert value.value(at) == (f.matrix(**at) * g.matrix(**at)).sum(), f"{f} and {g}"


def another(pick: object, like: Diagram) -> Diagram:
    """A diagram parallel to one."""
    from tests.category.making import diagram

    return diagram(pick, like.source, like.target)  # type: ignore[arg-type]


# ---------------------------------------------------------------------------------------------------------- sizes


def test_sizes() -> None:
    d = Diagram((S, O), (O, S), ((0, 3), (1, 2)))
    assert d.size_names == {"n", "m"}
    assert d.matrix(n=3, m=2).shape == (6, 6)
    assert ONE.matrix(5).shape == ONE.matrix(n=5).shape == (5, 5)
    literal = identity((Wire("V", Group("S", 3)),))
    assert literal.matrix().shape == literal.matrix(3).shape == (3, 3)
    assert identity(()).matrix().tolist() == identity(()).matrix(7).tolist() == [[1]]
    assert (identity(()) * N).matrix(7).tolist() == [[7]]


@pytest.mark.parametrize(
    ("morphism", "size", "sizes", "code"),
    [
        (ONE, None, {}, "E1002"),
        (ONE, None, {"m": 3}, "E1002"),
        (ONE, 0, {}, "E1003"),
        (ONE, -1, {}, "E1003"),
        (ONE, None, {"n": True}, "E1003"),
        (ONE, None, {"n": 2.0}, "E1003"),
        (ONE @ identity((O,)), 3, {}, "E1002"),
        (ONE @ identity((O,)), None, {"n": 3}, "E1002"),
        (identity((SP,)), 3, {}, "E1003"),
        (identity((Wire("V", Group("S", 3)),)), 4, {}, "E1003"),
    ],
)
def test_sizes_that_are_refused(morphism: Diagram | Sum, size: int | None, sizes: dict[str, int], code: str) -> None:
    with pytest.raises(CatnnError) as caught:
        morphism.matrix(size, **sizes)
    assert [d.code for d in caught.value.diagnostics] == [code]


def test_ill_formed_diagrams_are_refused() -> None:
    cases = [
        (lambda: Diagram((S, O), (), ((0, 1),)), "E0402"),
        (lambda: Diagram((O,) * 3, (), ((0, 1, 2),)), "E0401"),
        (lambda: Diagram((SP,), (), ((0,),)), "E0401"),
        (lambda: ONE >> identity((O,)), "E0301"),
        (lambda: ONE >> COPY.dagger(), "E0301"),
        (lambda: ONE + COPY, "E0302"),
        (lambda: ONE + identity((O,)), "E0302"),
    ]
    for make, code in cases:
        with pytest.raises(CatnnError) as caught:
            make()
        assert [d.code for d in caught.value.diagnostics] == [code]
    for blocks in (((0,),), ((0,), (0,)), ((0, 1), (1,)), ((0, 2),)):
        with pytest.raises(CatnnError, match="E0406"):
            Diagram((S,), (S,), blocks)
