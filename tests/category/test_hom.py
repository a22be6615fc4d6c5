"""Counting, enumeration, order, factors and bases, against the tables of the papers and against ranks."""

from __future__ import annotations

from itertools import product
from math import factorial

import numpy
import pytest

from catnn.category.compose import compose_all
from catnn.category.counting import bell, matchings, stirling_row
from catnn.category.diagram import Diagram
from catnn.category.families import FAMILIES as GROUPS
from catnn.category.half import Half
from catnn.category.halves import Factors, count, dimension, factors, halves, hom, in_basis, level_key
from catnn.category.wires import Group, Wire, Word
from tests.category.making import ALL, FAMILIES, chain, seeded

# mathematics.md, sections 2, 3 and 5: dim Hom(0, m) by n; for S m = 0..8, for O and Sp m = 0, 2, .., 10.
TABLE_S = {
    1: (1, 1, 1, 1, 1, 1, 1, 1, 1),
    2: (1, 1, 2, 4, 8, 16, 32, 64, 128),
    3: (1, 1, 2, 5, 14, 41, 122, 365, 1094),
    4: (1, 1, 2, 5, 15, 51, 187, 715, 2795),
    5: (1, 1, 2, 5, 15, 52, 202, 855, 3845),
    8: (1, 1, 2, 5, 15, 52, 203, 877, 4140),
}
TABLE_O = {
    1: (1, 1, 1, 1, 1, 1),
    2: (1, 1, 3, 10, 35, 126),
    3: (1, 1, 3, 15, 91, 603),
    4: (1, 1, 3, 15, 105, 903),
    5: (1, 1, 3, 15, 105, 945),
}
TABLE_SP = {2: (1, 1, 2, 5, 14, 42), 4: (1, 1, 3, 14, 84, 594), 6: (1, 1, 3, 15, 104, 909)}
DIMS = [("S", n, m, dim) for n, row in TABLE_S.items() for m, dim in enumerate(row)]
DIMS += [("O", n, 2 * h, dim) for n, row in TABLE_O.items() for h, dim in enumerate(row)]
DIMS += [("Sp", n, 2 * h, dim) for n, row in TABLE_SP.items() for h, dim in enumerate(row)]
DIMS += [("S", 12, 8, 4140), ("O", 7, 8, 105), ("O", 3, 7, 0), ("Sp", 4, 5, 0), ("Sp", 12, 8, 105)]


def word(family: str, size: int | str, length: int) -> Word:
    """V^length."""
    return (Wire("V", Group(family, size)),) * length


@pytest.mark.parametrize(("family", "size", "m", "dim"), DIMS)
def test_dimensions(family: str, size: int, m: int, dim: int) -> None:
    """The table, at every split into inputs and outputs."""
    for k in range(m + 1):
        assert dimension(word(family, size, k), word(family, size, m - k)) == dim


@pytest.mark.parametrize(("family", "size", "m", "dim"), [case for case in DIMS if case[2] <= 6])
def test_enumeration_meets_the_count(family: str, size: int, m: int, dim: int) -> None:
    for k in range(m + 1):
        found = [f.diagram() for f in hom(word(family, size, k), word(family, size, m - k))]
        assert len(found) == len(set(found)) == dim


def test_large_enumerations() -> None:
    assert sum(1 for _ in hom(word("S", "n", 4), word("S", "n", 4))) == 4140
    assert sum(1 for _ in hom(word("O", "n", 5), word("O", "n", 5))) == 945
    assert sum(1 for f in hom(word("O", 3, 5), word("O", 3, 5))) == 603
    assert count(word("S", "n", 12), word("S", "n", 12)) == bell(24) == 445958869294805289


@pytest.mark.parametrize("family", ["S", "O", "Sp"])
def test_symbolic_sizes_count_diagrams(family: str) -> None:
    for k, l in product(range(4), repeat=2):
        source, target = word(family, "n", k), word(family, "n", l)
        expected = bell(k + l) if family == "S" else matchings(k + l)
        found = [f.diagram() for f in hom(source, target)]
        assert len(found) == len(set(found)) == count(source, target) == dimension(source, target) == expected


def test_products_of_spaces_multiply() -> None:
    n, r = Wire("N", Group("S", 2)), Wire("R", Group("O", 2))
    source, target = (n, r, r), (r, n, r)
    found = [f.diagram() for f in hom(source, target)]
    assert len(found) == len(set(found)) == dimension(source, target) == 2 * 3
    assert count(source, target) == 2 * 3
    assert dimension((n, n, n), ()) == 4
    assert list(hom((r,), (n,))) == []


# ---------------------------------------------------------------------------------------------------------- bases


def rank(columns: list[numpy.ndarray]) -> int:
    """The rank of matrices as vectors, exactly enough for small integers: of their Gram matrix."""
    stacked = numpy.array([c.reshape(-1) for c in columns], dtype=float)
    return int(numpy.linalg.matrix_rank(stacked @ stacked.T)) if len(columns) else 0


def small(family: str) -> list[tuple[int, int]]:
    """(n, m) with n^m <= 1000 and not too many diagrams."""
    sizes = (2, 4, 6) if family == "Sp" else (1, 2, 3, 4, 5)
    most = {"S": 6, "O": 8, "Sp": 8}[family]
    return [(n, m) for n in sizes for m in range(most + 1) if n**m <= 1000 and not (family != "S" and m % 2)]


@pytest.mark.parametrize("family", ["S", "O", "Sp"])
def test_bases_are_bases(family: str) -> None:
    """The basis is independent, and spans what all diagrams span."""
    for n, m in small(family):
        k = m // 2
        basis = [f.diagram().matrix() for f in hom(word(family, n, k), word(family, n, m - k))]
        dim = dimension(word(family, n, k), word(family, n, m - k))
        assert len(basis) == rank(basis) == dim, (n, m)
        every = [f.diagram().matrix(n) for f in hom(word(family, "n", k), word(family, "n", m - k))]
        assert rank(every) == dim, (n, m)


@pytest.mark.parametrize("family", ["S", "O", "Sp"])
def test_a_literal_size_keeps_a_subsequence(family: str) -> None:
    for n, (k, l) in product((2, 4), ((2, 2), (1, 3), (3, 3))):
        symbolic = hom(word(family, "n", k), word(family, "n", l))
        literal = word(family, n, k), word(family, n, l)
        kept = [Diagram(*literal, f.diagram().parts) for f in symbolic]
        assert [f.diagram() for f in hom(*literal)] == [d for d in kept if in_basis(d)]


def test_basis_rules_say_what_they_keep() -> None:
    assert GROUPS["S"].basis_rule(3) == "with at most 3 blocks"
    assert GROUPS["O"].basis_rule(2) == "whose involution has no increasing subsequence longer than 2"
    assert GROUPS["Sp"].basis_rule(4) == "without 3 mutually crossing arcs"


# -------------------------------------------------------------------------------------------------- factors, order


@pytest.mark.parametrize("wires", ALL.values(), ids=list(ALL))
def test_factors_give_the_diagram_back(wires: tuple[Wire, ...]) -> None:
    pick = seeded(2)
    for _ in range(300):
        (d,) = chain(pick, wires, 1, 4)
        found = factors(d)
        assert found.diagram() == d
        assert found.output.level == found.input.level
        assert factors(found.diagram()) == found


@pytest.mark.parametrize("wires", FAMILIES.values(), ids=list(FAMILIES))
def test_factors_are_three_diagrams(wires: tuple[Wire, ...]) -> None:
    """input half ; permutation ; output half upside down, with coefficient 1 in every group."""
    from catnn.category.compose import permutation

    pick = seeded(4)
    for _ in range(200):
        (d,) = chain(pick, wires, 1, 4)
        f = factors(d)
        middle = permutation(f.input.level, f.sigma)
        assert compose_all((f.input.diagram(), middle, f.output.diagram().dagger())) == d


@pytest.mark.parametrize(("family", "a"), [("S", (1, 2, 6, 22, 94)), ("O", (1, 1, 2, 4, 10))])
def test_halves(family: str, a: tuple[int, ...]) -> None:
    for k, total in enumerate(a):
        assert len(halves(word(family, "n", k))) == total


@pytest.mark.parametrize(("k", "l"), [(0, 0), (1, 2), (2, 2), (3, 2), (3, 3), (4, 4)])
def test_bell_numbers_factor(k: int, l: int) -> None:
    """Bell(k+l) = sum over p of a(k,p) a(l,p) p!, with a(k,p) = sum over j of S(k,j) C(j,p)."""
    by_level = [[len(h.level) for h in halves(word("S", "n", m))] for m in (k, l)]
    levels = range(min(k, l) + 1)
    assert sum(by_level[0].count(p) * by_level[1].count(p) * factorial(p) for p in levels) == bell(k + l)
    for m, found in zip((k, l), by_level, strict=True):
        for p in range(m + 1):
            binomials = (factorial(j) // (factorial(p) * factorial(j - p)) for j in range(p, m + 1))
            assert found.count(p) == sum(s * c for s, c in zip(stirling_row(m)[p:], binomials, strict=True))


def half_key(half: Half) -> tuple[object, ...]:
    """The order of halves as documented: restricted growth string, then through flags with True first."""
    string = [next(b for b, block in enumerate(half.blocks) if v in block) for v in range(len(half.word))]
    return (tuple(string), tuple(0 if flag else 1 for flag in half.through))


def documented(f: Factors) -> tuple[object, ...]:
    """By number of through blocks, then output half, then input half, then permutation."""
    return (level_key(f.output.level), half_key(f.output), half_key(f.input), f.sigma)


@pytest.mark.parametrize("wires", ALL.values(), ids=list(ALL))
def test_the_order_of_weights(wires: tuple[Wire, ...]) -> None:
    pick = seeded(9)
    for _ in range(12):
        (d,) = chain(pick, wires, 1, 3 if len(wires) == 1 else 2)
        order = [documented(f) for f in hom(d.source, d.target)]
        assert order == sorted(order)
        assert len(set(order)) == len(order)


def test_the_fifteen_in_order() -> None:
    """Weights of saved models mean this order; it is part of the format."""
    found = [str(f.diagram()) for f in hom(word("S", "n", 2), word("S", "n", 2))]
    assert found == [
        "[i i -> j j]", "[i j -> k k]", "[i i -> j k]", "[i j -> k l]",
        "[i i -> i i]", "[i j -> i i]", "[i j -> j j]",
        "[i i -> i j]", "[i j -> i k]", "[i j -> j k]",
        "[i i -> j i]", "[i j -> k i]", "[i j -> k j]",
        "[i j -> i j]", "[i j -> j i]",
    ]  # fmt: skip
