"""permutation ; planar ; permutation: exact in every category, planar in the middle, costed as in the papers."""

from __future__ import annotations

from itertools import combinations, product

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catnn.category.compose import compose_all, permutation
from catnn.category.diagram import Diagram
from catnn.category.halves import hom
from catnn.category.pattern import from_letters
from catnn.category.scalar import Scalar
from catnn.category.wires import Wire, Word
from catnn.rewrite.planar import Planar, factorise, is_planar
from tests.category.making import ALL, SP, O, S, diagrams

quick = settings(max_examples=100, deadline=None)
RANK = {"output": 0, "through": 1, "input": 2}
N = Scalar.size("n")


def crossings(diagram: Diagram) -> bool:
    """Whether two blocks interleave on the circle, by looking at every four vertices."""
    l, k = len(diagram.target), len(diagram.source)
    place = {v: v if v < l else 2 * l + k - 1 - v for v in range(l + k)}
    for left, right in combinations(diagram.parts, 2):
        for a, b in combinations(sorted(place[v] for v in left), 2):
            if len({a < place[v] < b for v in right}) > 1:
                return True
    return False


def check(diagram: Diagram) -> Planar:
    """Everything that is promised about one factorisation."""
    found = factorise(diagram)
    first, middle, last = found.stages()
    composite = compose_all((first, middle, last))
    assert composite == diagram
    assert composite.single is not None
    assert is_planar(middle)
    assert not crossings(middle)
    assert middle == found.planar
    assert [RANK[p.kind] for p in found.pieces] == sorted(RANK[p.kind] for p in found.pieces)
    contracted = [len(p.inputs) for p in found.pieces if p.kind == "input"]
    assert contracted == sorted(contracted)
    assert all(len(p.diagram.parts) == 1 for p in found.pieces)
    assert sorted(found.input_permutation) == list(range(len(diagram.source)))
    assert sorted(found.output_permutation) == list(range(len(diagram.target)))
    return found


@pytest.mark.parametrize("wires", ALL.values(), ids=list(ALL))
@quick
@given(data=st.data())
def test_the_stages_compose_to_the_diagram(wires: tuple[Wire, ...], data: st.DataObject) -> None:
    diagram = data.draw(diagrams(wires, 5))
    assert is_planar(diagram) == (not crossings(diagram))
    check(diagram)


@pytest.mark.parametrize(("wire", "most"), [(S, 3), (O, 4), (SP, 4)], ids=["S", "O", "Sp"])
def test_every_small_diagram(wire: Wire, most: int) -> None:
    planar = 0
    for k, l in product(range(most + 1), repeat=2):
        if k + l <= 6:
            for diagram in (f.diagram() for f in hom((wire,) * k, (wire,) * l)):
                check(diagram)
                planar += is_planar(diagram) and (k, l) == (3, 3)
    assert planar == (132 if wire is S else 5)  # the Catalan numbers C_6 and C_3


@pytest.mark.parametrize("wire", [S, O, SP], ids=["S", "O", "Sp"])
def test_the_stages_compose_as_matrices(wire: Wire) -> None:
    for diagram in (f.diagram() for f in hom((wire,) * 3, (wire,))):
        first, middle, last = (stage.matrix(2) for stage in factorise(diagram).stages())
        numpy.testing.assert_array_equal(last @ middle @ first, diagram.matrix(2))


def pattern(inputs: str, outputs: str, wire: Wire = S) -> Diagram:
    """A diagram on one space."""
    word: Word = (wire,) * len(inputs)
    return from_letters(word, (wire,) * len(outputs), tuple(inputs), tuple(outputs))


@pytest.mark.parametrize(
    ("inputs", "outputs", "shown"),
    [
        ("", "", "[->]"),
        ("i", "i", "perm[0] ; [i -> i] ; perm[0]"),
        ("ij", "ji", "perm[1,0] ; ([i -> i] @ [i -> i]) ; perm[0,1]"),
        ("ij", "i", "perm[0,1] ; ([i -> i] @ [i ->]) ; perm[0]"),
        ("iji", "jk", "perm[1,0,2] ; ([-> i] @ [i -> i] @ [i i ->]) ; perm[1,0]"),
        ("ii", "", "perm[0,1] ; [i i ->]"),
        ("", "ii", "[-> i i] ; perm[0,1]"),
        ("iijk", "j", "perm[2,3,0,1] ; ([i -> i] @ [i ->] @ [i i ->]) ; perm[0]"),
    ],
)
def test_how_it_prints(inputs: str, outputs: str, shown: str) -> None:
    assert str(factorise(pattern(inputs, outputs))) == shown


@pytest.mark.parametrize(
    ("diagram", "cost", "naive"),
    [
        (pattern("ij", "ji"), "n^2", "n^4"),  # copies alone
        (pattern("ij", "i"), "n + n^2", "n^3"),
        (pattern("iijk", "j"), "n + n^2 + n^3", "n^5"),  # the pair first, then a sum over n^2
        (pattern("iijj", "", O), "1 + m + m^3", "m^4"),  # O(n^(k-1))
        (pattern("", ""), "1", "1"),
        (pattern("", "ii"), "n", "n^2"),
    ],
)
def test_costs(diagram: Diagram, cost: str, naive: str) -> None:
    found = factorise(diagram)
    assert (str(found.cost), str(found.naive_cost)) == (cost, naive)


@pytest.mark.parametrize("k", range(1, 6))
def test_the_bounds_of_the_papers(k: int) -> None:
    """S(n): O(n^k); O(n), Sp(n): O(n^(k-1)) once something is contracted; naive O(n^(k+l))."""

    def degree(scalar: Scalar) -> int:
        return max((sum(e for _, e in monomial) for monomial, _ in scalar.terms), default=0)

    for wire, bound in ((S, k), (O, k - 1), (SP, k - 1)):
        for diagram in (f.diagram() for f in hom((wire,) * k, (wire,) * (k % 2))):
            found = factorise(diagram)
            assert degree(found.contractions) <= bound
            assert degree(found.naive_cost) == k + k % 2


def test_several_spaces() -> None:
    whole = permutation((S, O, SP), (2, 0, 1))
    found = check(whole)
    assert found.planar == permutation((SP, S, O), (0, 1, 2))
    assert str(found.naive_cost) == "m^2*n^2*r^2"
    assert str(found.cost) == "m*n*r"
