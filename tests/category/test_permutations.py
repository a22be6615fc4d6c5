"""Permutation groups: chains, stabilisers and least tuples, beside listing every element."""

from __future__ import annotations

from itertools import product as tuples
from math import factorial
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catnn.category.counting import stirling_row
from catnn.category.orbit_counts import OutOfReachError, injective_row
from catnn.category.permutations import (
    Permutation,
    Stabiliser,
    from_cycles,
    inverse,
    product,
    schreier_sims,
    to_cycles,
)


@st.composite
def groups(draw: st.DrawFn, most: int = 6) -> tuple[int, list[Permutation]]:
    n = draw(st.integers(1, most))
    return n, [tuple(g) for g in draw(st.lists(st.permutations(range(n)), max_size=3))]


def elements(n: int, generators: list[Permutation]) -> set[Permutation]:
    """Every element, one by one."""
    found = {tuple(range(n))}
    pending = list(found)
    while pending:
        g = pending.pop()
        for generator in generators:
            h = product(generator, g)
            if h not in found:
                found.add(h)
                pending.append(h)
    return found


@given(st.permutations(range(7)).map(tuple), st.permutations(range(7)).map(tuple))
def test_products_inverses_and_cycles(g: Permutation, h: Permutation) -> None:
    assert product(g, inverse(g)) == tuple(range(7))
    assert inverse(product(g, h)) == product(inverse(h), inverse(g))
    assert from_cycles(7, to_cycles(g)) == g


@settings(max_examples=60, deadline=None)
@given(groups())
def test_orders_and_least_tuples_are_those_of_all_elements(group: tuple[int, list[Permutation]]) -> None:
    n, generators = group
    all_ = elements(n, generators)
    stabiliser = Stabiliser(schreier_sims(n, generators))
    assert stabiliser.order == len(all_)
    for m in range(4):
        least = {at: min(tuple(g[p] for p in at) for g in all_) for at in tuples(range(n), repeat=m)}
        assert list(stabiliser.tuples(m)) == sorted(set(least.values()))
        for at, expected in least.items():
            found, carried = stabiliser.canonical(at)
            assert found == expected
            assert tuple(p if carried is None else carried[p] for p in at) == expected
            assert carried is None or carried in all_
            assert stabiliser.fixing_all(found).order == sum(all(g[p] == p for p in found) for g in all_)
        row, budget = stirling_row(m), [10**6]
        counts = injective_row(stabiliser, min(m, n), budget)
        counted = sum(ways * count for ways, count in zip(row, counts, strict=False))
        burnside = sum(sum(g[p] == p for p in range(n)) ** m for g in all_)
        assert counted * len(all_) == burnside
        assert counted == len(set(least.values()))


@settings(max_examples=40, deadline=None)
@given(groups(9))
def test_orders_are_those_of_sympy(group: tuple[int, list[Permutation]]) -> None:
    from sympy.combinatorics import Permutation as Sympy
    from sympy.combinatorics import PermutationGroup

    n, generators = group
    theirs = PermutationGroup([Sympy(list(range(n))), *(Sympy(list(g)) for g in generators)])
    chain = schreier_sims(n, generators)
    assert chain.order == theirs.order()
    source = Random(0)
    assert all(theirs.contains(Sympy(list(chain.random(source)))) for _ in range(5))


@pytest.mark.parametrize("n", [1, 2, 3, 8, 20])
def test_the_symmetric_groups_are_whole(n: int) -> None:
    generators = [from_cycles(n, [(0, 1)]), from_cycles(n, [tuple(range(n))])] if n > 1 else []
    assert schreier_sims(n, generators).order == factorial(n)


def test_a_wreath_product() -> None:
    swap, neighbours = from_cycles(20, [(0, 1)]), from_cycles(20, [(0, 2), (1, 3)])
    turn = from_cycles(20, [tuple(range(0, 20, 2)), tuple(range(1, 20, 2))])
    assert schreier_sims(20, [swap, neighbours, turn]).order == 2**10 * factorial(10)


def test_a_count_stops_at_its_budget() -> None:
    group = Stabiliser(schreier_sims(12, [from_cycles(12, [(i, i + 1)]) for i in range(0, 12, 2)]))
    ring = Stabiliser(
        schreier_sims(12, [from_cycles(12, [tuple(range(12))]), from_cycles(12, [(i, 11 - i) for i in range(6)])])
    )
    assert injective_row(group, 8, [0])[8] == injective_row(group, 8, [10**6])[8]  # a product of symmetric groups
    with pytest.raises(OutOfReachError):
        injective_row(ring, 8, [3])
