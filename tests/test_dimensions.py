"""`catnn.dim` against the tables of the mathematics, for every group, however m ports are inputs and outputs."""

from __future__ import annotations

from itertools import combinations, permutations, product
from math import comb, factorial

import pytest

import catnn

# The tables: m = 0, 1, 2, ...
TABLES: dict[str, tuple[int, ...]] = {
    "S(1)": (1, 1, 1, 1, 1, 1, 1, 1, 1),
    "S(2)": (1, 1, 2, 4, 8, 16, 32, 64, 128),
    "S(3)": (1, 1, 2, 5, 14, 41, 122, 365, 1094),
    "S(4)": (1, 1, 2, 5, 15, 51, 187, 715, 2795),
    "S(5)": (1, 1, 2, 5, 15, 52, 202, 855, 3845),
    "S(8)": (1, 1, 2, 5, 15, 52, 203, 877, 4140),
    "S(n)": (1, 1, 2, 5, 15, 52, 203, 877, 4140, 21147, 115975),
    "O(1)": (1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1),
    "O(2)": (1, 0, 1, 0, 3, 0, 10, 0, 35, 0, 126),
    "O(3)": (1, 0, 1, 0, 3, 0, 15, 0, 91, 0, 603),
    "O(4)": (1, 0, 1, 0, 3, 0, 15, 0, 105, 0, 903),
    "O(5)": (1, 0, 1, 0, 3, 0, 15, 0, 105, 0, 945),
    "O(n)": (1, 0, 1, 0, 3, 0, 15, 0, 105, 0, 945),
    "O(1,1)": (1, 0, 1, 0, 3, 0, 10, 0, 35, 0, 126),
    "O(1,2)": (1, 0, 1, 0, 3, 0, 15, 0, 91, 0, 603),
    "O(1,3)": (1, 0, 1, 0, 3, 0, 15, 0, 105, 0, 903),
    "SO(2)": (1, 0, 2, 0, 6, 0, 20, 0, 70, 0, 252),
    "SO(3)": (1, 0, 1, 1, 3, 6, 15, 36, 91, 232, 603),
    "SO(4)": (1, 0, 1, 0, 4, 0, 25, 0, 196, 0, 1764),
    "SO(5)": (1, 0, 1, 0, 3, 1, 15, 15, 105, 190, 945),
    "Sp(2)": (1, 0, 1, 0, 2, 0, 5, 0, 14, 0, 42),
    "Sp(4)": (1, 0, 1, 0, 3, 0, 14, 0, 84, 0, 594),
    "Sp(6)": (1, 0, 1, 0, 3, 0, 15, 0, 104, 0, 909),
    "Sp(n)": (1, 0, 1, 0, 3, 0, 15, 0, 105, 0, 945),
    "A(2)": (1, 2, 4, 8, 16, 32, 64, 128, 256),
    "A(3)": (1, 1, 3, 9, 27, 81, 243, 729, 2187),
    "A(4)": (1, 1, 2, 6, 22, 86, 342, 1366, 5462),
    "A(5)": (1, 1, 2, 5, 16, 63, 282, 1345, 6596),
    "H(3)": (1, 0, 1, 0, 4, 0, 31),
    "B(3)": (1, 1, 2, 4, 10, 26, 71),
    "S'(3)": (1, 0, 2, 0, 14, 0, 122),
    "S+(n)": (1, 1, 2, 5, 14, 42, 132, 429, 1430, 4862, 16796),
    "S+(4)": (1, 1, 2, 5, 14, 42, 132, 429, 1430, 4862, 16796),
    "S+(3)": (1, 1, 2, 5, 14, 41, 122, 365, 1094),
    "O+(n)": (1, 0, 1, 0, 2, 0, 5, 0, 14, 0, 42),
    "O+(2)": (1, 0, 1, 0, 2, 0, 5, 0, 14, 0, 42),
    "O+(1)": (1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1),
}
UNITARY = {2: (1, 1, 2, 5, 14, 42, 132), 3: (1, 1, 2, 6, 23, 103, 513)}


@pytest.mark.parametrize("group", TABLES)
def test_the_tables(group: str) -> None:
    for m, dim in enumerate(TABLES[group]):
        assert [catnn.dim(group, k, m - k) for k in range(m + 1)] == [dim] * (m + 1), m


@pytest.mark.parametrize("n", UNITARY)
def test_the_table_of_the_unitary_groups(n: int) -> None:
    """p wires V come in, or go out as V'; as many must go out, or come in as V'."""
    for p, dim in enumerate(UNITARY[n]):
        for bent, also in product(range(p + 1), repeat=2):
            source = "V " * (p - bent) + "V' " * also
            target = "V' " * bent + "V " * (p - also)
            assert catnn.dim(f"U({n})", source, target) == dim, (source, target)
    assert catnn.dim(f"U({n})", "V", "V'") == 0


def characters(n: int, kind: str) -> list[tuple[int, int]]:
    """(value, how often) of the character of a finite group of matrices, by writing the group out."""
    found: dict[int, int] = {}
    signs = {"S": ((1,) * n,), "A": ((1,) * n,), "S'": ((1,) * n, (-1,) * n), "H": tuple(product((1, -1), repeat=n))}[
        kind
    ]
    for image in permutations(range(n)):
        if kind == "A" and sum(image[j] < image[i] for i, j in combinations(range(n), 2)) % 2:
            continue
        for sign in signs:
            trace = sum(s for at, s in enumerate(sign) if image[at] == at)
            found[trace] = found.get(trace, 0) + 1
    return list(found.items())


@pytest.mark.parametrize("kind", ["S", "A", "S'", "H"])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_finite_groups_by_their_characters(kind: str, n: int) -> None:
    """(1/|G|) sum of chi(g)^m, up to ten ports."""
    values = characters(n, kind)
    order = sum(count for _, count in values)
    for m in range(11):
        wanted = sum(count * value**m for value, count in values)
        assert wanted % order == 0
        for k in range(m + 1):
            assert catnn.dim(f"{kind}({n})", k, m - k) == wanted // order, m


PERMUTED: dict[str, tuple[tuple[int, ...], ...]] = {
    "Perm(1)": ((0,),),
    "Perm(4)": ((0, 1, 2, 3),),
    "Perm(3, (0 1 2))": ((1, 2, 0),),
    "Perm(6, (0 1)(2 3))": ((1, 0, 3, 2, 4, 5),),
    "Perm(5, (0 1), (2 3 4))": ((1, 0, 2, 3, 4), (0, 1, 3, 4, 2)),
    "Perm(7, (0 1 2 3 4 5 6), (1 2 4)(3 6 5))": ((1, 2, 3, 4, 5, 6, 0), (0, 2, 4, 6, 1, 3, 5)),
    "Perm(6, (0 1 2 3 4 5), (0 1))": ((1, 2, 3, 4, 5, 0), (1, 0, 2, 3, 4, 5)),
    "Aut(4, 0-1 0-3 1-2 2-3)": ((1, 2, 3, 0), (3, 2, 1, 0)),
    "Aut(4, 0-1 1-2 2-3)": ((3, 2, 1, 0),),
    "Aut(5, 0-1 0-4 1-2 2-3 3-4)": ((1, 2, 3, 4, 0), (4, 3, 2, 1, 0)),
    "Aut(3, 0->1 1->2 2->0)": ((1, 2, 0),),
    "Aut(6, 0-3 0-4 0-5 1-3 1-4 1-5 2-3 2-4 2-5)": ((1, 0, 2, 3, 4, 5), (1, 2, 0, 3, 4, 5), (3, 4, 5, 0, 1, 2)),
    "Aut(8, 0-1 0-2 0-4 1-3 1-5 2-3 2-6 3-7 4-5 4-6 5-7 6-7)": (
        (1, 0, 3, 2, 5, 4, 7, 6), (0, 2, 1, 3, 4, 6, 5, 7), (0, 2, 4, 6, 1, 3, 5, 7),
    ),
}  # fmt: skip
"""Generators of groups of permutations: no symmetry, rings, (3,2), Frobenius, S(6), graphs, K(3,3), the cube."""
ORDERS = (1, 1, 3, 2, 6, 21, 720, 8, 2, 10, 3, 72, 48)


@pytest.mark.parametrize(("group", "order"), list(zip(PERMUTED, ORDERS, strict=True)))
def test_groups_of_permutations_by_counting_orbits(group: str, order: int) -> None:
    """Burnside: (1/|G|) sum of fix(g)^m over the group written out, up to ten ports."""
    generators = PERMUTED[group]
    start = tuple(range(len(generators[0])))
    found, pending = {start}, [start]
    while pending:
        g = pending.pop()
        for h in {tuple(one[i] for i in g) for one in generators} - found:
            found.add(h)
            pending.append(h)
    assert len(found) == order
    for m in range(11):
        wanted = sum(sum(i == j for i, j in enumerate(g)) ** m for g in found)
        assert wanted % order == 0
        for k in range(m + 1):
            assert catnn.dim(group, k, m - k) == wanted // order, m


def test_wreath_products_by_partitions_of_partitions() -> None:
    """Eight triangles: a tuple says which of its points share a triangle, and in each which are equal."""
    edges = " ".join(f"{t}-{t + 1} {t}-{t + 2} {t + 1}-{t + 2}" for t in range(0, 24, 3))
    ways = [[1 if t == m == 0 else 0 for t in range(9)] for m in range(11)]  # of m ports in t triangles
    stirling = [[1 if i == m == 0 else 0 for i in range(4)] for m in range(11)]
    for m in range(1, 11):
        for i in range(1, 4):
            stirling[m][i] = i * stirling[m - 1][i] + stirling[m - 1][i - 1]
    for m in range(1, 11):
        for t in range(1, 9):  # the triangle of the first port has size - 1 more of them
            ways[m][t] = sum(
                comb(m - 1, size - 1) * sum(stirling[size]) * ways[m - size][t - 1] for size in range(1, m + 1)
            )
    for m in range(11):
        assert catnn.dim(f"Aut(24, {edges})", m // 2, m - m // 2) == sum(ways[m])


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6])
def test_bistochastic_groups_are_orthogonal_ones_and_a_line(n: int) -> None:
    """R^n is a line that B(n) fixes and the R^(n-1) of O(n-1), so the power of their sum is binomial."""
    for m in range(11):
        wanted = sum(comb(m, j) * (catnn.dim(f"O({n - 1})", 0, j) if n > 1 else int(j == 0)) for j in range(m + 1))
        for k in range(m + 1):
            assert catnn.dim(f"B({n})", k, m - k) == wanted
            assert catnn.dim(f"B'({n})", k, m - k) == (wanted if m % 2 == 0 else 0)


def test_orthogonal_groups_by_longest_increasing_subsequences() -> None:
    """Involutions without fixed points, none of whose increasing subsequences is longer than n."""

    def longest(values: tuple[int, ...]) -> int:
        ends: list[int] = []
        for value in values:
            ends.append(1 + max((e for e, earlier in zip(ends, values, strict=False) if earlier < value), default=0))
        return max(ends, default=0)

    for m in (2, 4, 6):
        involutions = [p for p in permutations(range(m)) if all(p[p[i]] == i != p[i] for i in range(m))]
        assert len(involutions) == factorial(m) // (2 ** (m // 2) * factorial(m // 2))
        for n in range(1, 6):
            assert catnn.dim(f"O({n})", 0, m) == sum(longest(p) <= n for p in involutions)
