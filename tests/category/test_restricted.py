"""H, S', B, B', S+ and O+: their counts, bases, composition and matrices, each against something else."""

from __future__ import annotations

import time
from functools import cache, reduce
from itertools import permutations, product
from math import comb, prod

import numpy
import pytest

import catnn
from catnn.category.compose import compose, permutation
from catnn.category.counting import bell, matchings
from catnn.category.diagram import Diagram
from catnn.category.embedding import embedded
from catnn.category.families import FAMILIES as GROUPS
from catnn.category.gram import inner
from catnn.category.halves import count, dimension, factors, halves, hom, in_basis
from catnn.category.noncrossing import catalan
from catnn.category.wires import Group, Wire, Word
from catnn.diagnostics import CatnnError
from tests.category.making import Pick, partition, seeded

RESTRICTED = ("H", "S'", "B", "B'", "S+", "O+")

# mathematics.md, section 8: dim Hom(0, m) for m = 1, 2, ...
TABLE = {
    ("H", 3): (0, 1, 0, 4, 0, 31),
    ("B", 3): (1, 2, 4, 10, 26, 71),
    ("S'", 3): (0, 2, 0, 14, 0, 122),
    ("S+", 4): (1, 2, 5, 14, 42, 132, 429, 1430, 4862, 16796),
    ("S+", "n"): (1, 2, 5, 14, 42, 132, 429, 1430, 4862, 16796),
    ("S+", 3): (1, 2, 5, 14, 41, 122, 365, 1094),
    ("S+", 2): (1, 2, 4, 8, 16, 32, 64, 128),
    ("O+", 2): (0, 1, 0, 2, 0, 5, 0, 14, 0, 42),
    ("O+", "n"): (0, 1, 0, 2, 0, 5, 0, 14, 0, 42),
    ("O+", 1): (0, 1, 0, 1, 0, 1, 0, 1),
    ("H", "n"): (0, 1, 0, 4, 0, 31, 0, 379, 0, 6556),
    ("S'", "n"): (0, 2, 0, 15, 0, 203, 0, 4140, 0, 115975),
    ("B", "n"): (1, 2, 4, 10, 26, 76, 232, 764, 2620, 9496),
    ("B'", "n"): (0, 2, 0, 10, 0, 76, 0, 764, 0, 9496),
    ("B'", 3): (0, 2, 0, 10, 0, 71),
}
CASES = [(family, size, m, dim) for (family, size), row in TABLE.items() for m, dim in enumerate(row, 1)]


def word(family: str, size: int | str, length: int) -> Word:
    """V^length."""
    return (Wire("V", Group(family, size)),) * length


@pytest.mark.parametrize(("family", "size", "m", "dim"), CASES)
def test_dimensions(family: str, size: int | str, m: int, dim: int) -> None:
    """The table, at every split; and instantly, once the parser is there."""
    catnn.dim("S(n)", 0, 0)
    for k in range(m + 1):
        start = time.process_time()
        assert catnn.dim(f"{family}({size})", k, m - k) == dim
        assert time.process_time() - start < 0.05


@pytest.mark.parametrize(("family", "size", "m", "dim"), [case for case in CASES if case[2] <= 6])
def test_enumeration_meets_the_count(family: str, size: int | str, m: int, dim: int) -> None:
    for k in range(m + 1):
        found = [f.diagram() for f in hom(word(family, size, k), word(family, size, m - k))]
        assert len(found) == len(set(found)) == dim


@pytest.mark.parametrize("family", RESTRICTED)
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_every_size_has_its_dimension_at_once(family: str, n: int) -> None:
    start = time.process_time()
    for m in range(11):
        assert catnn.dim(f"{family}({n})", m // 2, m - m // 2) == catnn.dim(f"{family}({n})", 0, m)
    assert time.process_time() - start < 0.5


def test_planar_wires_are_enumerated_without_looking_at_what_crosses() -> None:
    """Catalan(14) diagrams of S+, where S has Bell(14) = 190,899,322."""
    start = time.process_time()
    assert sum(1 for _ in hom(word("O+", "n", 8), word("O+", "n", 8))) == catalan(8)
    assert sum(1 for _ in hom(word("S+", "n", 5), word("S+", "n", 5))) == catalan(10)
    assert time.process_time() - start < 10
    for m in range(6):
        assert len(halves(word("O+", "n", m))) == comb(m, m // 2)


# ------------------------------------------------------------------------------------------------ independent counts


@cache
def signed_permutations(n: int) -> list[tuple[int, int]]:
    """(trace, how many) of the elements of H(n)."""
    found: dict[int, int] = {}
    for order in permutations(range(n)):
        for signs in product((1, -1), repeat=n):
            trace = sum(s for i, s in enumerate(signs) if order[i] == i)
            found[trace] = found.get(trace, 0) + 1
    return sorted(found.items())


def permutations_by_trace(n: int) -> list[tuple[int, int]]:
    """(trace, how many) of the elements of S(n)."""
    found: dict[int, int] = {}
    for order in permutations(range(n)):
        trace = sum(i == j for i, j in enumerate(order))
        found[trace] = found.get(trace, 0) + 1
    return sorted(found.items())


def character_count(classes: list[tuple[int, int]], m: int) -> int:
    """The mean of trace(g)^m: the number of invariants in the m-th tensor power."""
    total, order = sum(t**m * c for t, c in classes), sum(c for _, c in classes)
    assert total % order == 0
    return total // order


def nullspace(elements: list[numpy.ndarray], m: int) -> int:
    """The dimension of what all these matrices fix in the m-th tensor power, numerically."""
    n = len(elements[0])
    rows = [reduce(numpy.kron, [g] * m, numpy.eye(1)) - numpy.eye(n**m) for g in elements]
    return n**m - int(numpy.linalg.matrix_rank(sum(r.T @ r for r in rows), tol=1e-7))


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_finite_groups_by_characters(n: int) -> None:
    for m in range(9):
        assert character_count(signed_permutations(n), m) == catnn.dim(f"H({n})", 0, m)
        doubled = [(s * t, c) for t, c in permutations_by_trace(n) for s in (1, -1)]
        assert character_count(doubled, m) == catnn.dim(f"S'({n})", 0, m)


@pytest.mark.parametrize("family", ["H", "S'", "B", "B'"])
@pytest.mark.parametrize(("n", "most"), [(1, 6), (2, 6), (3, 5), (4, 4), (5, 3)])
def test_classical_groups_by_nullspace(family: str, n: int, most: int) -> None:
    """A few random elements generate a dense subgroup; what they fix is what there is."""
    elements = [GROUPS[family].random_element(n, seed) for seed in range(12)]
    for m in range(most + 1):
        assert nullspace(elements, m) == catnn.dim(f"{family}({n})", 0, m), m


def rank(columns: list[numpy.ndarray]) -> int:
    """The rank of matrices as vectors."""
    stacked = numpy.array([c.reshape(-1) for c in columns], dtype=float)
    return int(numpy.linalg.matrix_rank(stacked @ stacked.T)) if columns else 0


@pytest.mark.parametrize("family", RESTRICTED)
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_bases_are_bases(family: str, n: int) -> None:
    """The basis is independent; it spans what all diagrams span; a literal size keeps a part of the diagrams."""
    for m in range(8 if family != "S'" else 7):
        if n**m > 1000:
            break
        for k in {0, m // 2, m}:
            source, target = word(family, n, k), word(family, n, m - k)
            basis = [f.diagram() for f in hom(source, target)]
            dim = dimension(source, target)
            assert len(basis) == rank([d.matrix() for d in basis]) == dim, (n, m, k)
            assert all(in_basis(d) for d in basis)
            free = list(hom(word(family, "n", k), word(family, "n", m - k)))
            if not (family == "S+" and n <= 3) and not (family == "O+" and n == 1):
                assert rank([f.diagram().matrix(n) for f in free]) == dim, (n, m, k)
                kept = [Diagram(source, target, f.diagram().parts) for f in free]
                assert basis == [d for d in kept if in_basis(d)]


@pytest.mark.parametrize(("family", "n"), [("S+", 4), ("S+", 5), ("O+", 2), ("O+", 3)])
def test_noncrossing_diagrams_are_independent(family: str, n: int) -> None:
    """By the exact Gram matrix, which is in the category."""
    from catnn.category.gram import rank as exact

    m = 4 if family == "S+" else 8
    for k in (0, m // 2):
        basis = [f.diagram() for f in hom(word(family, n, k), word(family, n, m - k))]
        assert exact(basis) == len(basis) == dimension(word(family, n, k), word(family, n, m - k))


@pytest.mark.parametrize("family", RESTRICTED)
def test_symbolic_sizes_count_diagrams(family: str) -> None:
    """Against all partitions, filtered by the definition."""
    from catnn.category.family import Part
    from catnn.category.partitions import growth_strings
    from catnn.rewrite.planar import is_planar

    for m, k in {(total, part) for total in range(8) for part in (0, total // 2, total)}:
        expected = set()
        for string in growth_strings(m, max(m, 1)):
            blocks = tuple(tuple(v for v in range(m) if string[v] == b) for b in range(max(string, default=-1) + 1))
            sizes = [len(block) for block in blocks]
            wire = Wire("V", Group("S", "n"))
            noncrossing = is_planar(Diagram((wire,) * k, (wire,) * (m - k), blocks))
            fine = {
                "H": all(s % 2 == 0 for s in sizes),
                "S'": m % 2 == 0,
                "B": all(s <= 2 for s in sizes),
                "B'": all(s <= 2 for s in sizes) and m % 2 == 0,
                "S+": noncrossing,
                "O+": noncrossing and all(s == 2 for s in sizes),
            }[family]
            family_ = GROUPS[family]
            faults = [family_.block_fault(s) for s in sizes] + [family_.part_fault(Part(m - k, k, blocks), "n")]
            assert fine == (not any(faults)), (family, blocks)
            if fine:
                expected.add(blocks)
        source, target = word(family, "n", k), word(family, "n", m - k)
        assert {f.diagram().parts for f in hom(source, target)} == expected
        assert len(expected) == count(source, target) == dimension(source, target)


def test_counts_of_large_hom_spaces() -> None:
    assert catnn.dim("S+(n)", 12, 12) == catalan(24)
    assert catnn.dim("S'(n)", 12, 12) == bell(24)
    assert catnn.dim("O+(7)", 20, 20) == catalan(20)
    assert catnn.dim("B(n)", 10, 10) == sum(comb(20, j) * matchings(j) for j in range(0, 21, 2))


# ------------------------------------------------------------------------------------------------------- composition


def random_diagram(pick: Pick, family: str, k: int, l: int, size: int | str = "n") -> Diagram:
    """A diagram of a family by rejection, from random coarse or fine partitions."""
    source, target = word(family, size, k), word(family, size, l)
    for _ in range(10_000):
        if family in ("B", "B'", "O+"):
            blocks: list[tuple[int, ...]] = []
            left = list(range(k + l))
            while left:
                first = left.pop(0)
                single = family != "O+" and pick(0, 2) == 0
                blocks.append((first,) if single or not left else (first, left.pop(pick(0, len(left) - 1))))
        else:
            blocks = partition(pick, list(range(k + l)))
        try:
            return Diagram(source, target, tuple(sorted(blocks)))
        except CatnnError:
            continue
    raise AssertionError((family, k, l))


def random_pair(pick: Pick, family: str, size: int | str = "n") -> tuple[Diagram, Diagram]:
    """Two diagrams that compose."""
    k, m, l = (pick(0, 3) for _ in range(3))
    if family not in ("B", "S+"):
        m, l = m + (k + m) % 2, l + (k + l) % 2
    return random_diagram(pick, family, k, m, size), random_diagram(pick, family, m, l, size)


@pytest.mark.parametrize("family", RESTRICTED)
def test_two_thousand_compositions(family: str) -> None:
    """Closed under composition, dagger and tensor; a functor, exactly, in integers."""
    pick = seeded(21)
    for trial in range(2000):
        f, g = random_pair(pick, family)
        ((coefficient, h),) = compose(g, f).weighted
        assert h.source == f.source
        assert h.target == g.target  # validated when it was made
        n = 3 if trial % 2 else 2
        known = dict.fromkeys(f.size_names, n)
        more = dict.fromkeys(g.size_names, n)
        at = dict.fromkeys((f >> g).size_names, n)
        numpy.testing.assert_array_equal((f >> g).matrix(**at), g.matrix(**more) @ f.matrix(**known))
        assert coefficient.value({"n": n}).denominator == 1
        if trial < 200:
            own = dict.fromkeys(h.size_names, n)
            numpy.testing.assert_array_equal(h.dagger().matrix(**own).T, h.matrix(**own))
            side = f @ g
            names = dict.fromkeys(side.size_names, n)
            expected = numpy.kron(f.matrix(**known), g.matrix(**more))
            numpy.testing.assert_array_equal(side.matrix(**names), expected)
            assert embedded(compose(g, f)) == compose(embedded(g), embedded(f))


@pytest.mark.parametrize("family", RESTRICTED)
def test_inner_products_and_factors(family: str) -> None:
    pick = seeded(22)
    for _ in range(100):
        f, _ = random_pair(pick, family)
        g = random_diagram(pick, family, len(f.source), len(f.target))
        at = dict.fromkeys(f.size_names, 3)
        assert inner(f, g).value({"n": 3}) == (f.matrix(**at) * g.matrix(**at)).sum()
        assert factors(f).diagram() == f


# ------------------------------------------------------------------------------------------------------ equivariance


def power(element: numpy.ndarray, m: int) -> numpy.ndarray:
    """The m-th tensor power."""
    return reduce(numpy.kron, [element] * m, numpy.eye(1))


def breaks(d: Diagram, element: numpy.ndarray) -> bool:
    """Whether a diagram does not commute with a matrix."""
    matrix = d.matrix(len(element))
    return not numpy.allclose(matrix @ power(element, len(d.source)), power(element, len(d.target)) @ matrix, atol=1e-8)


@pytest.mark.parametrize("family", RESTRICTED)
def test_every_diagram_is_equivariant(family: str) -> None:
    pick = seeded(23)
    for trial in range(60):
        d, _ = random_pair(pick, family)
        assert not breaks(d, GROUPS[family].random_element(4, trial)), str(d)


def diagonal(*entries: float) -> numpy.ndarray:
    """A diagonal matrix."""
    return numpy.diag(numpy.array(entries))


SMALL = ((1, 0), (1, 1), (2, 0), (2, 1), (2, 2))
PERMUTATION = numpy.eye(4)[[1, 2, 3, 0]]
ROTATION = GROUPS["O"].random_element(4, 5)
FIXES_ONES = GROUPS["B"].random_element(4, 5)
OUTSIDE = {
    "H": (ROTATION, FIXES_ONES, 2 * PERMUTATION),
    "S'": (ROTATION, FIXES_ONES, diagonal(1, -1, 1, 1), 2 * PERMUTATION),
    "B": (ROTATION, -FIXES_ONES, -PERMUTATION, diagonal(1, -1, 1, 1)),
    "B'": (ROTATION, diagonal(1, -1, 1, 1)),
    "S+": (ROTATION, FIXES_ONES, -PERMUTATION, diagonal(1, -1, 1, 1)),
    "O+": (2 * ROTATION, diagonal(1, 1, 1, 2)),
}


@pytest.mark.parametrize(("family", "at"), [(f, i) for f, row in OUTSIDE.items() for i in range(len(row))])
def test_elements_outside_the_group_break_a_diagram(family: str, at: int) -> None:
    """The group is no larger than it says: some diagram with up to four ports tells each of these from its elements."""
    homs = [hom(word(family, "n", k), word(family, "n", l)) for k, l in SMALL]
    assert any(breaks(f.diagram(), OUTSIDE[family][at]) for found in homs for f in found)


def test_the_elements_are_of_their_groups() -> None:
    for n, seed in product((1, 2, 3, 5), range(6)):
        ones = numpy.ones(n)
        h, s, b, b2 = (GROUPS[key].random_element(n, seed) for key in ("H", "S'", "B", "B'"))
        assert sorted(numpy.abs(h).argmax(axis=1)) == list(range(n))
        assert set(numpy.abs(h).reshape(-1)) <= {0.0, 1.0}
        assert set((s @ ones).tolist()) in ({1.0}, {-1.0})
        numpy.testing.assert_allclose(b @ ones, ones, atol=1e-12)
        numpy.testing.assert_allclose(numpy.abs(b2 @ ones), ones, atol=1e-12)
        for element in (h, s, b, b2):
            numpy.testing.assert_allclose(element @ element.T, numpy.eye(n), atol=1e-12)
    signs = {tuple(numpy.sign(GROUPS["H"].random_element(3, seed).sum(axis=0))) for seed in range(80)}
    assert len(signs) == 8
    assert {numpy.sign(GROUPS["S'"].random_element(3, seed).sum()) for seed in range(20)} == {1, -1}


# ----------------------------------------------------------------------------------------------------- quantum groups


def projection(angle: float) -> numpy.ndarray:
    """A projection of the plane."""
    v = numpy.array([numpy.cos(angle), numpy.sin(angle)])
    return numpy.outer(v, v)


def magic() -> numpy.ndarray:
    """A 4 x 4 magic unitary whose entries (2 x 2 matrices) do not commute: a point of S+(4) that S(4) has not."""
    u = numpy.zeros((4, 4, 2, 2))
    for at, p in ((0, projection(0.0)), (2, projection(0.7))):
        u[at, at] = u[at + 1, at + 1] = p
        u[at, at + 1] = u[at + 1, at] = numpy.eye(2) - p
    return u


def free_orthogonal() -> numpy.ndarray:
    """A 3 x 3 orthogonal matrix of self-adjoint 2 x 2 matrices that do not commute: a point of O+(3)."""
    g, h = (GROUPS["O"].random_element(3, seed) for seed in (1, 2))
    reflections = [2 * projection(angle) - numpy.eye(2) for angle in (0.0, 0.7, 1.1)]
    return numpy.einsum("ik,kab,kj->ijab", g, numpy.array(reflections), h)


def quantum_power(u: numpy.ndarray, m: int) -> numpy.ndarray:
    """u_{i1 j1} ... u_{im jm}, an operator for each pair of words."""
    n = len(u)
    result = numpy.eye(u.shape[-1])[None, None]
    for _ in range(m):
        rows = len(result) * n
        result = numpy.einsum("ijab,klbc->ikjlac", result, u).reshape(rows, rows, *u.shape[2:])
    return result


def breaks_quantum(d: Diagram, u: numpy.ndarray) -> bool:
    """Whether a diagram is no intertwiner of a point with operators for entries."""
    matrix = d.matrix(len(u)).astype(float)
    left = numpy.einsum("ij,jkab->ikab", matrix, quantum_power(u, len(d.source)))
    right = numpy.einsum("ijab,jk->ikab", quantum_power(u, len(d.target)), matrix)
    return not numpy.allclose(left, right, atol=1e-9)


@pytest.mark.parametrize(("family", "ambient", "u"), [("S+", "S", magic()), ("O+", "O", free_orthogonal())])
def test_quantum_points_tell_crossings(family: str, ambient: str, u: numpy.ndarray) -> None:
    """Every noncrossing diagram is an intertwiner of points that are no matrices of numbers; a crossing is not."""
    for k, l in product(range(4), repeat=2):
        if k + l <= 5:
            assert not any(breaks_quantum(f.diagram(), u) for f in hom(word(family, "n", k), word(family, "n", l)))
    assert breaks_quantum(permutation(word(ambient, "n", 2), (1, 0)), u)


def test_small_quantum_groups_are_classical() -> None:
    crossing = ((0, 3), (1, 2))
    for family, n in (("S+", 3), ("O+", 1)):
        assert Diagram(word(family, n, 2), word(family, n, 2), crossing).matrix().shape == (n**2, n**2)
        with pytest.raises(CatnnError, match="cross"):
            Diagram(word(family, n + 1, 2), word(family, n + 1, 2), crossing)


def test_products_multiply() -> None:
    """Interleaved with other spaces, a crossing is one of two wires of the same space."""
    s, o, h = Wire("A", Group("S+", "n")), Wire("B", Group("O+", "m")), Wire("C", Group("H", 3))
    source, target = (s, o, h, s), (o, s, h)
    found = [f.diagram() for f in hom(source, target)]
    assert len(found) == len(set(found)) == dimension(source, target) == prod((5, 1, 1))
    assert all(len(d.parts) >= 3 for d in found)
