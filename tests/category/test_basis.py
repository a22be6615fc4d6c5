"""Whole hom-spaces as sequences: the same diagrams as the listing, made one by one; and the lemma of the halves."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import catnn
from catnn.category.basis import Basis, averaged, whole
from catnn.category.compose import compose, permutation
from catnn.category.families import FAMILIES
from catnn.category.halves import count, hom
from catnn.category.wires import Group, Wire, Word

S, O, SP = Wire("V", Group("S", "n")), Wire("R", Group("O", "m")), Wire("P", Group("Sp", "r"))
LORENTZ = Wire("L", Group("O(1,2)", 3))
GRIDS: list[tuple[Word, Word]] = [
    ((), ()),
    ((S,), ()),
    ((S, S), (S, S)),
    ((S,) * 3, (S, S)),
    ((O, O), (O, O)),
    ((O,) * 3, (O,)),
    ((SP,) * 3, (SP,)),
    ((LORENTZ, LORENTZ), (LORENTZ, LORENTZ)),
    ((S, O, S), (O, S)),
    ((Wire("V", Group("S", 4)),) * 2, (Wire("V", Group("S", 4)),) * 2),
    ((Wire("R", Group("O", 3)),) * 3, (Wire("R", Group("O", 3)),) * 3),
]
LISTED: list[tuple[Word, Word]] = [
    ((O,), ()),
    ((Wire("V", Group("S", 2)),) * 2, (Wire("V", Group("S", 2)),) * 2),
    ((Wire("A", Group("SO", 3)),) * 2, (Wire("A", Group("SO", 3)),)),
    ((Wire("H", Group("H", "n")),) * 2, (Wire("H", Group("H", "n")),) * 2),
    ((Wire("U", Group("U", "n")),), (Wire("U", Group("U", "n")),)),
    ((Wire("F", Group("S+", "n")),) * 2, (Wire("F", Group("S+", "n")),) * 2),
]


@pytest.mark.parametrize(("source", "target"), GRIDS)
@pytest.mark.parametrize("mean", [False, True])
def test_a_basis_by_halves_is_the_listed_one(source: Word, target: Word, mean: bool) -> None:
    found = whole(source, target, mean=mean)
    listed = tuple(factors.diagram() for factors in hom(source, target))
    if mean:
        listed = tuple(averaged(diagram) for diagram in listed)
    assert isinstance(found, Basis)
    assert found == listed
    assert len(found) == count(source, target) == len(listed)
    assert tuple(found[at] for at in range(-len(found), 0)) == listed
    assert found[1:3] == listed[1:3]
    assert hash(found) == hash(listed)
    assert repr(found) == repr(listed)
    assert found == whole(source, target, mean=mean)
    for wrong in (len(listed), -len(listed) - 1):
        with pytest.raises(IndexError):
            found[wrong]


@pytest.mark.parametrize(("source", "target"), LISTED)
def test_where_halves_do_not_say_all_the_diagrams_are_listed(source: Word, target: Word) -> None:
    found = whole(source, target)
    assert found == tuple(factors.diagram() for factors in hom(source, target))
    assert not isinstance(found, Basis)


def test_nothing_is_made_before_it_is_asked_for() -> None:
    found = whole((S,) * 6, (S,) * 6)
    assert len(found) == 4_213_597
    assert str(found[-1]) == "[i j k l m p -> p m l k j i]"
    assert repr(found).startswith("<the 4,213,597 diagrams")
    assert len(pickle.dumps(found)) < 2_000_000


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_halves_and_a_permutation_compose_to_their_diagram(data: st.DataObject) -> None:
    """The lemma by which plans of whole hom-spaces are proved, coefficient and sign included."""
    wires = data.draw(st.sampled_from([(S,), (O,), (SP,), (LORENTZ,), (S, O), (O, SP)]))
    most = 3 if LORENTZ in wires else 4  # of a literal size, as long as the diagrams are independent
    source, target = (tuple(data.draw(st.lists(st.sampled_from(wires), max_size=most))) for _ in range(2))
    if not count(source, target):
        return
    found = whole(source, target)
    assert isinstance(found, Basis)
    cut = found.factors(data.draw(st.integers(0, len(found) - 1)))
    turned = compose(permutation(cut.input.level, cut.sigma), cut.input.diagram())
    assert compose(cut.output.diagram().dagger(), turned) == cut.diagram()


def test_the_families_of_grids_count_blocks_alike() -> None:
    """The norm of a diagram is that of any whose halves are of the same kinds; initialisation relies on it."""
    for wire in (S, O, SP, LORENTZ):
        family = FAMILIES[wire.group.family]
        space = whole((wire,) * 3, (wire,) * 3)
        assert isinstance(space, Basis)
        for level in space.levels:
            norms: dict[object, set[object]] = {}
            for at in range(level.start, level.start + len(level)):
                cut = space.factors(at)
                part, _ = cut.diagram().part(wire)
                norms.setdefault((cut.output.kind, cut.input.kind), set()).add(family.norm2(part, wire.group.size))
            assert {len(values) for values in norms.values()} == {1}


def test_a_layer_keeps_its_basis() -> None:
    layer = catnn.parse("space V : S(n)  layer f : V^2 + V -> V = all + bias")["f"]
    assert [len(pair) for pair in layer.diagrams[0]] == [5, 2]
    assert isinstance(layer.weighted[0][0], Basis)
    assert layer.diagrams[0][1] == (catnn.diagram("S(n)", "i -> j"), catnn.diagram("S(n)", "i -> i"))
