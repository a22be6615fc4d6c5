"""The laws of hypergraphs: a symmetric monoidal category with a dagger, faithful in matrices, and equality by code."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from itertools import permutations, product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy import ndenumerate

import catnn
from catnn.category.compose import compose_all as compose_diagrams
from catnn.category.diagram import Diagram
from catnn.category.halves import hom
from catnn.category.wires import Group, Wire, show_word
from catnn.diagnostics import CatnnError
from catnn.hypergraph import canonical
from catnn.hypergraph.box import Box
from catnn.hypergraph.convert import from_diagram, to_morphism
from catnn.hypergraph.evaluate import Tensor, contract, entries
from catnn.hypergraph.graph import Hypergraph, Node, compose_all, identity, permutation, single, spider, tensor_all
from catnn.hypergraph.linear import combination, compose, lift, tensor
from tests.hypergraph.making import SPACES, C, L, R, V, boxes, graphs, numbers, shuffled, stages


def brute_isomorphic(one: Hypergraph, other: Hypergraph) -> bool:
    """The dumb implementation of equality: every renumbering of the vertices."""
    if one.size != other.size or (one.source, one.target) != (other.source, other.target):
        return False

    def rows(graph: Hypergraph, new: tuple[int, ...]) -> list[object]:
        found = []
        for box, inputs, outputs in graph.nodes:
            legs = [new[v] for v in inputs], [new[v] for v in outputs]
            found.append((box.key, sorted(legs[0]) if box.free_inputs else legs[0], legs[1]))
        return sorted(found)

    plain = tuple(range(len(other.wires)))
    for new in permutations(plain):
        if any(other.wires[new[v]] != wire for v, wire in enumerate(one.wires)):
            continue
        ends = [tuple(new[v] for v in row) for row in (one.ins, one.outs)]
        if ends == [other.ins, other.outs] and rows(one, new) == rows(other, plain):
            return True
    return False


@settings(deadline=None)
@given(graphs(), st.randoms(use_true_random=False))
def test_the_code_forgets_the_numbering(graph: Hypergraph, random: Random) -> None:
    other = shuffled(graph, random)
    assert other == graph
    assert hash(other) == hash(graph)
    assert other.canonical().code == graph.code
    one, two = graph.canonical(), other.canonical()
    assert (one.wires, one.nodes, one.ins, one.outs) == (two.wires, two.nodes, two.ins, two.outs)


@settings(deadline=None)
@given(graphs(V, 4), graphs(V, 4))
def test_the_code_tells_apart_what_is_different(one: Hypergraph, other: Hypergraph) -> None:
    if max(len(one.wires), len(other.wires)) <= 6:
        assert (one == other) == brute_isomorphic(one, other)


@settings(deadline=None)
@given(graphs(V, 5), st.data())
def test_a_small_change_is_seen(graph: Hypergraph, data: st.DataObject) -> None:
    """Moving one leg of one box to another vertex is another hypergraph, unless all renumberings say otherwise."""
    if not graph.nodes or not 2 <= len(graph.wires) <= 6:
        return
    at = data.draw(st.integers(0, len(graph.nodes) - 1))
    box, inputs, outputs = graph.nodes[at]
    legs = [*inputs, *outputs]
    legs[data.draw(st.integers(0, len(legs) - 1))] = data.draw(st.integers(0, len(graph.wires) - 1))
    node = Node(box, tuple(legs[: len(inputs)]), tuple(legs[len(inputs) :]))
    nodes = (*graph.nodes[:at], node, *graph.nodes[at + 1 :])
    other = Hypergraph(graph.source, graph.target, graph.wires, nodes, graph.ins, graph.outs)
    assert (graph == other) == brute_isomorphic(graph, other)


@settings(deadline=None)
@given(stages())
def test_composition_is_associative_and_unital(rows: list[Hypergraph]) -> None:
    whole = compose_all(rows)
    one_by_one = rows[0]
    for row in rows[1:]:
        one_by_one = one_by_one >> row
    from_the_end = rows[-1]
    for row in reversed(rows[:-1]):
        from_the_end = row >> from_the_end
    assert whole == one_by_one == from_the_end
    assert identity(whole.source) >> whole == whole == whole >> identity(whole.target)


@settings(deadline=None)
@given(graphs(steps=4), graphs(steps=4))
def test_tensor_and_swap(one: Hypergraph, other: Hypergraph) -> None:
    """Interchange, and the swap is natural."""
    side = one @ other
    assert (one @ identity(other.source)) >> (identity(one.target) @ other) == side
    assert (identity(one.source) @ other) >> (one @ identity(other.target)) == side
    k, l = len(one.source), len(other.source)
    m, p = len(one.target), len(other.target)
    before = permutation(one.source + other.source, (*range(k, k + l), *range(k)))
    after = permutation(one.target + other.target, (*range(m, m + p), *range(m)))
    assert before >> (other @ one) == side >> after
    assert tensor_all([one, other, one]) == one @ (other @ one) == (one @ other) @ one


@settings(deadline=None)
@given(stages())
def test_dagger_is_an_involution_that_turns_chains_round(rows: list[Hypergraph]) -> None:
    whole = compose_all(rows)
    assert whole.dagger().dagger() == whole
    assert compose_all([row.dagger() for row in reversed(rows)]) == whole.dagger()


def multiplied(one: Tensor, other: Tensor, k: int, m: int) -> Tensor:
    """other after one, both by (outputs, inputs): k outputs of one, m outputs of other."""
    found: Tensor = {}
    for index, a in one.items():
        for after, b in other.items():
            if after[m:] == index[:k]:
                key = (*after[:m], *index[k:])
                found[key] = found.get(key, Fraction(0)) + a * b
    return {index: value for index, value in found.items() if value}


@pytest.mark.parametrize("wire", SPACES, ids=str)
@settings(deadline=None)
@given(st.data())
def test_matrices_are_a_functor(wire: Wire, data: st.DataObject) -> None:
    rows = data.draw(stages(wire, 4))
    sizes = {} if isinstance(wire.group.size, int) else {"n": data.draw(st.integers(1, 3))}
    tensors = numbers(wire, sizes, data.draw(st.integers(0, 9)))
    whole = compose_all(rows)
    if max(len(row.source + row.target) for row in rows) > 6:
        return
    total = contract(rows[0], sizes, tensors)
    for row in rows[1:]:
        total = multiplied(total, contract(row, sizes, tensors), len(row.source), len(row.target))
    direct = {index: value for index, value in contract(whole, sizes, tensors).items() if value}
    assert {index: value for index, value in total.items() if value} == direct
    turned = contract(whole.dagger(), sizes, tensors)
    l = len(whole.target)
    assert {(*i[l:], *i[:l]): value for i, value in direct.items()} == {i: v for i, v in turned.items() if v}


@pytest.mark.parametrize("wire", [V, R], ids=str)
@settings(deadline=None)
@given(st.data())
def test_terms_mean_what_they_are_printed_from(wire: Wire, data: st.DataObject) -> None:
    graph = data.draw(graphs(wire))
    value = lift(graph)
    ((coefficient, bare),) = value.weighted
    declared = "".join(
        f"box {box.name} : {show_word(box.source)} -> {show_word(box.target)} = abstract"
        + (" { symmetric: inputs }\n" if box.symmetric else "\n")
        for box in boxes(wire)
    )
    arrow = f"{show_word(graph.source)} -> {show_word(graph.target)}"
    spec = catnn.parse(f"space {wire} : {wire.group}\n{declared}let x : {arrow} = {coefficient} * ({bare})\n")
    found = spec.composites["x"] if "x" in spec.composites else lift(spec["x"])
    assert found == value


# ------------------------------------------------------------------------------------------------ pure diagrams


@cache
def basis(wire: Wire, k: int, l: int) -> tuple[Diagram, ...]:
    """Every diagram between two powers of a wire; the inputs of a complex one are taken back by its dual."""
    return tuple(cut.diagram() for cut in hom((wire,) * k, (wire,) * l))


KINDS = [
    ("S", "n"),
    ("O", "n"),
    ("H", "n"),
    ("B", "n"),
    ("U", "n"),
    ("O(1,2)", 3),
    ("Sp", "n"),
    ("SO", 2),
    ("SO", 3),
    ("A", 2),
    ("A", 3),
]


@pytest.mark.parametrize(("key", "size"), KINDS)
@settings(deadline=None)
@given(st.data())
def test_diagrams_are_hypergraphs_without_boxes(key: str, size: int | str, data: st.DataObject) -> None:
    """There and back, and composition here is composition there, signs and loops included."""
    wire = Wire("W", Group(key, size))
    chosen = [(k, m, l) for k, m, l in product(range(4), repeat=3) if basis(wire, k, m) and basis(wire, m, l)]
    k, m, l = data.draw(st.sampled_from(chosen))
    f, g = data.draw(st.sampled_from(basis(wire, k, m))), data.draw(st.sampled_from(basis(wire, m, l)))
    assert to_morphism(from_diagram(f)) == f
    composite = compose_diagrams([f, g])
    assert to_morphism(compose_all([from_diagram(f), from_diagram(g)])) == composite
    turned = f.dagger()
    assert to_morphism(from_diagram(f).dagger()) == turned


@pytest.mark.parametrize(("key", "size"), [("Perm(3, (0 1 2))", 3), ("A", 3), ("SO", 3), ("Sp", 2), ("O(1,2)", 3)])
def test_every_diagram_keeps_its_numbers(key: str, size: int) -> None:
    """Orbits, jellyfish and forms are boxes of their own, with the entries of their matrices."""
    wire = Wire("W", Group(key, size))
    for k, l in product(range(3), repeat=2):
        for diagram in basis(wire, k, l):
            dense = {index: int(value) for index, value in ndenumerate(diagram.array({})) if value}
            found = contract(from_diagram(diagram), {}, {})
            assert {index: value for index, value in found.items() if value} == dense


# ------------------------------------------------------------------------------------------------- combinations


@settings(deadline=None)
@given(graphs(V, 3), graphs(V, 3))
def test_combinations_are_linear(one: Hypergraph, other: Hypergraph) -> None:
    f, g = lift(one), lift(other)
    assert (f + f) @ g == (f @ g) * 2
    assert f @ g - f @ g == (f @ g) * 0
    assert not f - f
    assert (f * "n") @ (g * "1/n") == f @ g == tensor([f, g])
    assert compose([f, f.dagger()]) == f >> f.dagger()
    assert (f + f).dagger() == f.dagger() * 2
    if (one.source, one.target) != (other.source, other.target):
        with pytest.raises(CatnnError, match="E0302"):
            f + g


def test_loops_are_factors() -> None:
    trace = spider(V, 0, 1) >> spider(V, 1, 0)
    assert trace.size == (0, 0, 1, 0)
    assert str(lift(trace)) == "n * ([->])"
    assert entries(lift(trace), {"n": 5}, {}) == {(): 5}
    assert combination((), (), ()) == lift(trace) * 0


def test_a_vertex_has_the_ends_that_its_wire_allows() -> None:
    with pytest.raises(CatnnError, match="E0401"):
        Hypergraph((R, R), (R,), (R,), (), (0, 0), (0,))
    with pytest.raises(CatnnError, match="E0401"):
        Hypergraph((C, C), (), (C,), (), (0, 0), ())
    assert Hypergraph((C, C.flipped()), (), (C,), (), (0, 0), ()).size == (2, 0, 1, 0)
    with pytest.raises(CatnnError, match="E0402"):
        Hypergraph((R,), (V,), (R,), (), (0,), (0,))
    with pytest.raises(CatnnError, match="E0406"):
        Hypergraph((R,), (), (R,), (), (1,), ())
    with pytest.raises(AttributeError):
        spider(V, 1, 1).ins = (1,)  # type: ignore[misc]
    with pytest.raises(CatnnError, match="E0301"):
        spider(V, 1, 1) >> spider(R, 1, 1)
    with pytest.raises(ValueError):
        compose_all([])
    assert spider(L, 1, 1) == identity((L,))


# -------------------------------------------------------------------------------------------------- symmetric cases


def test_equal_closed_pieces_take_no_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canonical, "MOST_WORK", 1)
    f = single(Box("f", (V,), (V,)))
    ring = Hypergraph((), (), (V,), (Node(f.nodes[0].box, (0,), (0,)),), (), ())
    assert tensor_all([ring] * 50) == tensor_all([ring] * 50)
    assert tensor_all([ring] * 50) != tensor_all([ring] * 49)
    states = tensor_all([single(Box("k", (), (V,)))] * 60) >> spider(V, 60, 1)
    assert states == states.canonical()


def test_symmetric_pieces_are_searched_with_pruning() -> None:
    """A ring of boxes, and the complete graph: every rotation, every permutation is an automorphism."""
    f = Box("f", (V,), (V,))
    ring = Hypergraph((), (), (V,) * 30, tuple(Node(f, (v,), ((v + 1) % 30,)) for v in range(30)), (), ())
    two = [tuple(Node(f, (v + 15 * o,), ((v + 1) % 15 + 15 * o,)) for v in range(15)) for o in (0, 1)]
    assert ring != Hypergraph((), (), (V,) * 30, two[0] + two[1], (), ())
    edges = tuple(Node(f, (a,), (b,)) for a, b in product(range(8), repeat=2) if a != b)
    complete = Hypergraph((), (), (V,) * 8, edges, (), ())
    assert complete == shuffled(complete, Random(1))
    fewer = Hypergraph((), (), (V,) * 8, edges[1:], (), ())
    assert complete != fewer
    assert fewer == shuffled(fewer, Random(2))
    k = single(Box("k", (), (V,)))
    star = tensor_all([k >> single(f)] * 50) >> spider(V, 50, 0)
    assert star == shuffled(star, Random(3))


def test_too_many_symmetries_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canonical, "MOST_WORK", 1)
    f = Box("f", (V,), (V,))
    ring = Hypergraph((), (), (V,) * 9, tuple(Node(f, (v,), ((v + 1) % 9,)) for v in range(9)), (), ())
    with pytest.raises(CatnnError, match="E0415"):
        hash(ring)


def test_a_chain_of_five_thousand_boxes_is_linear(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every vertex and box is a splitter once: no search, and no pass over the whole for each box."""
    chain = compose_all([single(Box("f", (V,), (V,)))] * 5_000)
    assert chain.size == (1, 1, 5_001, 5_000)
    counted = 0
    plain = canonical._Cells.copy

    def copy(cells: canonical._Cells) -> canonical._Cells:
        nonlocal counted
        counted += 1
        return plain(cells)

    monkeypatch.setattr(canonical._Cells, "copy", copy)
    assert chain == shuffled(chain, Random(0))
    assert counted == 0
    assert to_morphism(compose_all([spider(V, 1, 1)] * 5_000)) == to_morphism(identity((V,)))
