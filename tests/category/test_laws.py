"""The axioms of a linear monoidal category with a dagger, for every family, symbolic and literal."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catnn.category.compose import compose_all, identity, permutation, tensor
from catnn.category.diagram import Diagram
from catnn.category.wires import Wire
from tests.category.making import ALL, FAMILIES, chain, chains, diagrams, seeded, sizes_of

quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
Decorator = Callable[[Callable[..., None]], Callable[..., None]]


def each(families: dict[str, tuple[Wire, ...]] = ALL) -> Decorator:
    """A case a family."""
    return pytest.mark.parametrize("wires", families.values(), ids=list(families))


@each()
@quick
@given(data=st.data())
def test_composition_is_associative(wires: tuple[Wire, ...], data: st.DataObject) -> None:
    f, g, h = data.draw(chains(wires, 3))
    assert (f >> g) >> h == f >> (g >> h) == compose_all((f, g, h))


@each()
@quick
@given(data=st.data())
def test_identities_and_the_unit(wires: tuple[Wire, ...], data: st.DataObject) -> None:
    f = data.draw(diagrams(wires, 4))
    empty = identity(())
    assert identity(f.source) >> f == f == f >> identity(f.target)
    assert empty @ f == f == f @ empty
    assert tensor(()) == empty


@each()
@quick
@given(data=st.data())
def test_tensor_is_associative_and_interchanges(wires: tuple[Wire, ...], data: st.DataObject) -> None:
    f, g = data.draw(chains(wires, 2))
    p, q = data.draw(chains(wires, 2))
    assert (f @ p) @ q == f @ (p @ q) == tensor((f, p, q))
    assert (f >> g) @ (p >> q) == (f @ p) >> (g @ q)


@each()
@quick
@given(data=st.data())
def test_dagger(wires: tuple[Wire, ...], data: st.DataObject) -> None:
    f, g = data.draw(chains(wires, 2))
    assert f.dagger().dagger() == f
    assert (f >> g).dagger() == g.dagger() >> f.dagger()
    assert (f @ g).dagger() == f.dagger() @ g.dagger()
    assert identity(f.source).dagger() == identity(f.source)
    numpy.testing.assert_array_equal(f.dagger().matrix(**sizes_of(f)), f.matrix(**sizes_of(f)).T)


@each()
@quick
@given(data=st.data())
def test_swaps_are_natural(wires: tuple[Wire, ...], data: st.DataObject) -> None:
    """Sliding two diagrams past each other: the braiding is a symmetry."""
    f, p = data.draw(diagrams(wires)), data.draw(diagrams(wires))

    def swap(a: Any, b: Any) -> Diagram:
        return permutation(a + b, (*range(len(a), len(a) + len(b)), *range(len(a))))

    assert (f @ p) >> swap(f.target, p.target) == swap(f.source, p.source) >> (p @ f)
    assert swap(f.source, p.source) >> swap(p.source, f.source) == identity(f.source + p.source)


@each()
def test_functor_is_exact(wires: tuple[Wire, ...]) -> None:
    """functor(g . f) = functor(g) functor(f) in integers, 2,000 pairs a family (fewer at the literal sizes)."""
    pick = seeded(len(wires))
    most = 4 if len(wires) == 1 and wires[0].group.family != "S" else 3
    for _ in range(2000 if wires in FAMILIES.values() else 300):
        f, g = chain(pick, wires, 2, most)
        at = sizes_of(f, g)
        left = (f >> g).matrix(**{name: at[name] for name in (f >> g).size_names})
        right = g.matrix(**sizes_of(g)) @ f.matrix(**sizes_of(f))
        assert left.dtype == right.dtype == numpy.int64
        numpy.testing.assert_array_equal(left, right, err_msg=f"{f} ; {g}")


@each()
def test_functor_is_monoidal(wires: tuple[Wire, ...]) -> None:
    pick = seeded(7)
    for _ in range(150):
        ((f,), (g,)) = chain(pick, wires, 1, 2), chain(pick, wires, 1, 2)
        expected = numpy.kron(f.matrix(**sizes_of(f)), g.matrix(**sizes_of(g)))
        numpy.testing.assert_array_equal((f @ g).matrix(**sizes_of(f, g)), expected, err_msg=f"{f} @ {g}")


@each(FAMILIES)
@quick
@given(data=st.data())
def test_equality_hash_and_copies(wires: tuple[Wire, ...], data: st.DataObject) -> None:
    f, g = data.draw(diagrams(wires)), data.draw(diagrams(wires))
    again = Diagram(f.source, f.target, f.parts)
    assert again == f
    assert hash(again) == hash(f)
    assert (f == g) == ((f.source, f.target, f.parts) == (g.source, g.target, g.parts))
    for twin in (copy.copy(f), copy.deepcopy(f), pickle.loads(pickle.dumps(f))):
        assert twin == f
        assert hash(twin) == hash(f)
    once = f + f * 0
    assert once == f
    assert hash(once) == hash(f)
    assert str(once) == str(f)
    assert copy.deepcopy(once) == pickle.loads(pickle.dumps(once)) == f


@each()
@quick
@given(data=st.data())
def test_repr_is_transparent(wires: tuple[Wire, ...], data: st.DataObject) -> None:
    """eval(repr(x)) == x, for diagrams and for sums of them."""
    catnn = pytest.importorskip("catnn.api") and pytest.importorskip("catnn")
    f = data.draw(diagrams(wires))
    assert eval(repr(f), {"catnn": catnn}) == f
    twice = f * 2 + f.dagger().dagger()
    assert eval(repr(twice), {"catnn": catnn}) == twice == f * 3
