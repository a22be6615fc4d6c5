"""What families say about themselves for other rooms: inherited by mistake, one of these would be wrong in silence."""

from __future__ import annotations

import pytest

import catnn
from catnn.category.families import FAMILIES
from catnn.category.family import Part, juxtaposed, placed

EVERY = {**FAMILIES, "O(1,3)": FAMILIES["O(1,3)"]}


def having(name: str) -> set[str]:
    """The families of which something is true."""
    return {key for key, family in EVERY.items() if getattr(family, name)}


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("baselines", {"S", "O"}),
        ("merging", {"S", "A", "H", "S'"}),
        ("oriented", {"U"}),
        ("epsilon", {"SO", "A"}),
        ("plus", {"O(1,3)"}),
    ],
)
def test_properties(name: str, keys: set[str]) -> None:
    assert having(name) & (EVERY.keys() - later()) == keys


def later() -> set[str]:
    """Families that this table does not list: their own tests do."""
    listed = {"S", "A", "O", "SO", "Sp", "H", "S'", "B", "B'", "S+", "O+", "U", "O(1,3)"}
    assert listed <= EVERY.keys()
    return EVERY.keys() - listed


def test_steps() -> None:
    assert {key: family.step for key, family in EVERY.items() if family.step != 1} == {"Sp": 2}
    assert FAMILIES["O(2,5)"].plus == 2


@pytest.mark.parametrize(
    ("group", "moves"),
    [("O(3)", "rotations"), ("SO(3)", "rotations"), ("Sp(2)", "symplectic maps"), ("O+(3)", "rotations"),
     ("B(3)", "rotations"), ("B'(3)", "rotations"), ("H(3)", "changes of sign"), ("O(1,3)", "O(1,3)"),
     ("U(3)", "unitary maps")],
)  # fmt: skip
def test_why_a_pointwise_map_is_refused(group: str, moves: str) -> None:
    with pytest.raises(catnn.CatnnError, match=r"E0501|E0502") as caught:
        catnn.parse(f"space V : {group}  network g : V[2] -> V[2] = relu")
    assert f"not with {moves}" in str(caught.value) or group.startswith("U")  # those are complex, too


@pytest.mark.parametrize(
    ("group", "k", "l", "words"),
    [("O(3)", 1, 2, "3 ports cannot be paired (k + l must be even); SO(3) has one, `[i -> j k]`, the cross product"),
     ("O(2)", 1, 2, "3 ports cannot be paired (k + l must be even)"),
     ("O(1,2)", 1, 2, "3 ports cannot be paired (k + l must be even)"),
     ("Sp(2)", 1, 2, "3 ports cannot be paired (k + l must be even)"),
     ("SO(4)", 1, 2, "3 ports cannot be paired, nor all but 4 of them"),
     ("S'(3)", 1, 2, "an odd number of ports, 3, changes sign with minus one"),
     ("B'(3)", 1, 2, "an odd number of ports, 3, changes sign with minus one"),
     ("H(3)", 1, 2, "3 ports cannot be paired (k + l must be even)"),
     ("U(3)", 1, 2, "what goes in must come out, a `V'` the other way round, and 1 `V` are not 2")],
)  # fmt: skip
def test_why_there_is_no_map(group: str, k: int, l: int, words: str) -> None:
    with pytest.raises(catnn.CatnnError) as caught:
        catnn.parse(f"space V : {group}  layer f : V^{k}[2] -> V^{l}[2] = all")
    assert words in str(caught.value)
    assert ("SO(" in str(caught.value)) == (group in ("O(3)", "SO(4)"))


def test_parts_side_by_side() -> None:
    left, right = Part(1, 2, ((0, 1), (2,))), Part(2, 1, ((0,), (1, 2)))
    assert placed(right, 3, 1, 2) == ((1,), (2, 5))
    assert juxtaposed(left, right) == Part(3, 3, ((0, 3), (1,), (2, 5), (4,)))
