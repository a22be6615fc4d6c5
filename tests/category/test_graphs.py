"""Automorphisms and bilabelled graphs: beside BLISS, and beside counting every map."""

from __future__ import annotations

from itertools import permutations
from random import Random
from typing import Any

import networkx
import numpy
import pytest

import catnn
from catnn.category import automorphisms as module
from catnn.category.automorphisms import HardGraphError, Search, automorphisms, by_library
from catnn.category.bilabelled import ADJACENCY, Bilabelled, bilabelled_graphs, counted
from catnn.category.families import FAMILIES
from catnn.category.graphs import Automorphisms, Edge, Graph
from catnn.category.labelled import basis_of
from catnn.category.permutations import schreier_sims
from catnn.category.wires import Group, Wire
from catnn.diagnostics import CatnnError


def brute(n: int, arcs: dict[tuple[int, int], int], colours: list[int]) -> int:
    """How many permutations keep everything."""
    return sum(
        all(colours[i] == colours[j] for i, j in enumerate(g))
        and all(arcs.get((g[a], g[b])) == colour for (a, b), colour in arcs.items())
        for g in permutations(range(n))
    )


@pytest.mark.parametrize("seed", range(60))
def test_the_search_finds_every_automorphism(seed: int) -> None:
    random = Random(seed)
    n = random.randint(1, 6)
    arcs = {(a, b): random.randint(0, 1) for a in range(n) for b in range(n) if random.random() < 0.4}
    if seed % 2:
        arcs = {pair: 0 for a, b in arcs for pair in ((a, b), (b, a))}
    colours = [random.randint(0, seed % 3 == 0) for _ in range(n)]
    generators, order = Search(n, arcs, colours).generators()
    assert order == schreier_sims(n, generators).order == brute(n, arcs, colours)
    assert schreier_sims(n, by_library(n, arcs, colours)).order == order


@pytest.mark.parametrize(
    ("graph", "order"),
    [
        (networkx.petersen_graph(), 120),
        (networkx.hypercube_graph(4), 384),
        (networkx.dodecahedral_graph(), 120),
        (networkx.balanced_tree(2, 4), 2**15),
        (networkx.complete_graph(12), 479001600),
        (networkx.grid_2d_graph(5, 5), 8),
        (networkx.disjoint_union_all([networkx.cycle_graph(3)] * 4), 6**4 * 24),
        (networkx.circulant_graph(13, [1, 3, 4]), 78),
        (networkx.DiGraph([(i, (i + 1) % 7) for i in range(7)]), 7),
        (networkx.Graph([(0, 0), (0, 1), (1, 2)]), 1),
    ],
)
def test_famous_graphs(graph: Any, order: int) -> None:
    family = FAMILIES[catnn.aut(graph)]
    assert isinstance(family, Automorphisms)
    assert family.order == order
    assert schreier_sims(family.n, by_library(family.n, family.graph.arcs(), family.graph.colours())).order == order


def test_colours_are_kept() -> None:
    ring = networkx.cycle_graph(6)
    assert catnn.dim(catnn.aut(ring), 1, 1) == 4
    networkx.set_node_attributes(ring, {0: "N", 3: "N"}, "color")
    family = FAMILIES[catnn.aut(ring)]
    assert isinstance(family, Automorphisms)
    assert (family.order, family.key) == (4, "Aut(6, 0-1 0-5 1-2 2-3 3-4 4-5, {1 2 4 5}, {0 3})")
    networkx.set_edge_attributes(ring, {(0, 1): "double", (3, 4): "double"}, "color")
    assert FAMILIES[catnn.aut(ring)].order == 2  # type: ignore[attr-defined]
    assert catnn.aut(networkx.DiGraph([(0, 1)])) == "Aut(2, 0->1)"


def test_a_graph_that_is_too_hard_goes_to_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    square = {(i, (i + d) % 4): 0 for i in range(4) for d in (1, 3)}
    with pytest.raises(HardGraphError):
        Search(4, square, (0,) * 4, most=2).generators()
    monkeypatch.setattr(module.Search.__init__, "__defaults__", (2,))
    generators, order = automorphisms(4, square, (0,) * 4)
    assert order is None
    assert schreier_sims(4, generators).order == 8
    monkeypatch.setitem(__import__("sys").modules, "igraph", None)
    with pytest.raises(CatnnError) as caught:
        _ = Automorphisms(Graph(4, ((Edge(0, 1), Edge(1, 2), Edge(2, 3), Edge(0, 3)),))).order
    assert caught.value.diagnostics[0].code == "E0211"
    with pytest.raises(CatnnError) as caught:
        catnn.parse("space V : Aut(4, 0-1 1-2 2-3 3-0, {0 1 2 3})")
    (fault,) = caught.value.diagnostics
    assert (fault.code, fault.labels[0].text) == ("E0211", "this graph")


GRAPHS = {
    "C4": networkx.cycle_graph(4),
    "P3": networkx.path_graph(3),
    "P4": networkx.path_graph(4),
    "paw": networkx.Graph([(0, 1), (1, 2), (0, 2), (2, 3)]),
    "K3": networkx.complete_graph(3),
    "2K2": networkx.Graph([(0, 1), (2, 3)]),
}


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize(("k", "l"), [(0, 1), (1, 1), (0, 2), (1, 2)])
def test_bilabelled_graphs_and_orbits_span_the_same(name: str, k: int, l: int) -> None:
    """Those with at most n vertices are enough; and their matrices are sums of orbits, so they span no more."""
    key = catnn.aut(GRAPHS[name])
    family = FAMILIES[key]
    assert isinstance(family, Automorphisms)
    V = Wire("V", Group(key, family.n))
    orbits = [part.points for part in family.orbits(k, l)]
    rows = {
        tuple(counted(family, graph, points) for points in orbits)
        for graph in bilabelled_graphs(min(family.n, 4), k, l)
        if len(graph.edges) <= 4
    }
    assert numpy.linalg.matrix_rank(numpy.array(sorted(rows))) == len(orbits) == catnn.dim(key, k, l)
    assert len(list(basis_of((V,) * k, (V,) * l))) == len(orbits)


def random_bilabelled(random: Random, k: int, l: int) -> Bilabelled:
    n = random.randint(1, 4)
    edges = tuple((random.randrange(n), random.randrange(n)) for _ in range(random.randint(0, 3)))
    return Bilabelled(
        n, edges, tuple(random.randrange(n) for _ in range(l)), tuple(random.randrange(n) for _ in range(k))
    )


@pytest.mark.parametrize("key", ["Aut(4, 0-1 1-2 2-3)", "Aut(3, 0->1 1->2, {1})", "Aut(4, 0-0 0-1 1-2 2-3)"])
def test_gluing_is_the_product_of_homomorphism_counts(key: str) -> None:
    random, family = Random(key), FAMILIES[key]
    assert isinstance(family, Automorphisms)
    V = Wire("V", Group(key, family.n))
    for _ in range(40):
        k, m, l = (random.randint(0, 2) for _ in range(3))
        first, then = random_bilabelled(random, k, m), random_bilabelled(random, m, l)
        assert (first.orbits(V).matrix() == first.matrix(family)).all()
        assert ((first >> then).matrix(family) == then.matrix(family) @ first.matrix(family)).all()
        assert (first.dagger().matrix(family) == first.matrix(family).T).all()
        beside = numpy.kron(first.matrix(family), then.matrix(family))
        if k + m + m + l <= 4:
            assert ((first @ then).matrix(family) == beside).all()
        assert (first >> then).orbits(V) == first.orbits(V) >> then.orbits(V)


def test_the_adjacency_matrix() -> None:
    family = FAMILIES["Aut(3, 0->1 1->2)"]
    assert isinstance(family, Automorphisms)
    assert ADJACENCY.matrix(family).tolist() == [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
    with pytest.raises(ValueError, match="no vertex"):
        Bilabelled(1, ((0, 1),), (), ())
    with pytest.raises(ValueError, match="do not meet"):
        _ = ADJACENCY >> Bilabelled(1, (), (), ())


def test_counting_stops_before_it_starts() -> None:
    family = Automorphisms(Graph(100))
    with pytest.raises(CatnnError) as caught:
        counted(family, Bilabelled(6, (), (), ()), ())
    assert caught.value.diagnostics[0].code == "E0405"
