"""Values of every kind read back equal from JSON, networkx, GraphML and HIF: thousands of them, from a seed."""

from __future__ import annotations

import json
import random
from dataclasses import fields
from functools import cache
from itertools import product
from typing import Any

import networkx
import pytest

import catnn
from catnn import view
from catnn.category.diagram import Diagram, Sum, linear
from catnn.category.families import FAMILIES
from catnn.category.halves import hom
from catnn.category.scalar import ONE, Scalar
from catnn.category.wires import Group, Summand, Type, Wire, Word
from catnn.diagnostics import CatnnError
from catnn.hypergraph.box import Box
from catnn.hypergraph.graph import Hypergraph, compose_all, identity, single, spider, tensor_all
from catnn.hypergraph.linear import Combination, combination
from catnn.model import Activate, Apply, Call, Combine, Identity, Layer, Network, Pipeline
from tests.view.specimens import VALUES

FAMILY_KEYS = (*FAMILIES, "O(1,2)")
SIZED = {"A": (2, 3), "SO": (2, 3), "O(1,2)": (3,), "Sp": (2, 4, "r")}
WRITERS = {
    "json": lambda value: view.from_json(view.to_json(value)),
    "networkx": lambda value: view.from_networkx(networkx.convert_node_labels_to_integers(view.to_networkx(value))),
    "graphml": lambda value: view.from_graphml(view.to_graphml(value)),
    "hif": lambda value: view.from_hif(view.to_hif(value)),
}


@cache
def diagrams_between(source: Word, target: Word) -> tuple[Diagram, ...]:
    return tuple(f.diagram() for f in hom(source, target))


def random_wires(random: random.Random) -> tuple[Wire, ...]:
    keys = random.sample(FAMILY_KEYS, random.randint(1, 2))
    return tuple(Wire(f"V{i}", Group(key, random.choice(SIZED.get(key, (2, 3, "n"))))) for i, key in enumerate(keys))


def random_words(random: random.Random) -> tuple[Word, Word]:
    wires = random_wires(random)
    every = [*wires, *(w.flipped() for w in wires if FAMILIES[w.group.family].oriented)]
    return tuple(tuple(random.choice(every) for _ in range(random.randint(0, 3))) for _ in range(2))  # type: ignore[return-value]


def random_diagrams(random: random.Random, count: int) -> tuple[Diagram, ...]:
    """Parallel diagrams of any groups; tries words until there are some."""
    while True:
        found = diagrams_between(*random_words(random))
        if found:
            return tuple(random.choice(found) for _ in range(count))


def random_scalar(random: random.Random) -> Scalar:
    n = Scalar.size("n", random.randint(-2, 2))
    return n * Scalar.of(f"{random.randint(1, 9)}/{random.randint(1, 9)}") + Scalar.of(random.randint(-1, 1))


def random_sum(random: random.Random) -> Sum:
    found = random_diagrams(random, random.randint(1, 4))
    return linear(found[0].source, found[0].target, [(random_scalar(random), d) for d in found[random.randint(0, 1) :]])


def random_box(random: random.Random, wires: tuple[Wire, ...]) -> Box:
    def word() -> Word:
        return (random.choice(wires),) * random.randint(0, 2)

    source, target = word(), word()
    same = random.choice(("", "self")) if source == target else random.choice(("", "isometry", "unitary"))
    free = random.choice(("", "inputs", "outputs", "both"))
    return Box(
        random.choice("fgh"), source, target, random.choice(("abstract", "learned")), adjoint=same, symmetric=free
    )


def random_hypergraph(random: random.Random) -> Hypergraph:
    """Layers of boxes and spiders; a closed loop now and then."""
    keys = [key for key in FAMILY_KEYS if "copy" in FAMILIES[key].generators]
    wires = tuple(Wire(f"V{i}", Group(random.choice(keys), random.choice((3, "n")))) for i in range(2))
    found = tensor_all([single(random_box(random, wires)) for _ in range(random.randint(1, 3))])
    for _ in range(random.randint(0, 3)):
        stage = []
        for wire in found.target:
            stage.append(random.choice((identity((wire,)), spider(wire, 1, random.randint(0, 2)))))
        lone = Box("e", (), (wires[0],), "learned")
        found = compose_all([found, tensor_all([*stage, single(lone)])])
    return found.dagger() if random.random() < 0.3 else found


def random_combination(random: random.Random) -> Combination:
    graph = random_hypergraph(random)
    pairs = [(random_scalar(random), graph)] * random.randint(0, 2)
    return combination(graph.source, graph.target, pairs)


def random_layer(random: random.Random) -> Layer:
    found = random_diagrams(random, 3)
    source, target = found[0].source, found[0].target
    types = [
        Type(tuple(Summand(word, random.randint(1, 5)) for _ in range(n))) for word, n in ((source, 2), (target, 1))
    ]
    fixed = linear(source, target, [(random_scalar(random), found[2])])
    biases = diagrams_between((), target)[:2]
    return Layer(
        "mix", types[0], types[1], ((found[:2], ()),), (biases,), (((), (fixed,) if fixed else ()),),
        biased=bool(biases), learned=True, reduce=random.choice(("sum", "mean")), notes=("a note",),
    )  # fmt: skip


def random_network(random: random.Random) -> Network:
    found = random_diagrams(random, 1)[0]
    wide = Type((Summand(found.source, random.randint(1, 4)),))
    layer = Layer("f", wide, wide, ((diagrams_between(found.source, found.source)[:3],),), ((),), (((),),))
    inner = Network("inner", wide, wide, Apply(layer))
    stages = [Apply(layer), Activate("relu", wide), Call(inner), Identity(wide)]
    branch = Combine(((ONE, random.choice(stages)), (random_scalar(random), random.choice(stages))))
    body = Pipeline((random.choice(stages), branch, *random.sample(stages, random.randint(0, 2))))
    return Network("net", wide, wide, body)


KINDS = {
    "diagram": (lambda r: random_diagrams(r, 1)[0], 5000),
    "sum": (random_sum, 200),
    "hypergraph": (random_hypergraph, 200),
    "combination": (random_combination, 100),
    "layer": (random_layer, 50),
    "network": (random_network, 50),
}


def same(a: Any, b: Any) -> bool:
    """Equal, where layers and networks are compared by what they hold."""
    if isinstance(a, Layer | Network | Apply | Call | Pipeline | Combine):
        names = [field.name for field in fields(a) if field.name != "span"]
        return type(a) is type(b) and all(same(getattr(a, name), getattr(b, name)) for name in names)
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


@pytest.mark.parametrize("kind", [pytest.param("diagram", marks=pytest.mark.slow), *list(KINDS)[1:]])
def test_every_kind_reads_back_equal(kind: str) -> None:
    make, count = KINDS[kind]
    source, seen = random.Random(kind), set()
    for number in range(count):
        value = make(source)
        for name, again in WRITERS.items():
            found = again(value)
            assert same(value, found), (number, name, value)
        if kind == "diagram":
            seen.update(wire.group.family for wire in value.source + value.target)
    assert kind != "diagram" or seen == set(FAMILY_KEYS)


@pytest.mark.parametrize(("name", "how"), [*product(VALUES, WRITERS)])
def test_specimens_read_back_equal(name: str, how: str) -> None:
    assert same(VALUES[name], WRITERS[how](VALUES[name]))


@pytest.mark.parametrize("group", ["Perm(3, (0 1 2))", "Aut(3, 0-1 1-2)", "A(3)", "A(4)", "5"])
def test_orbits_jellyfish_and_plain_spaces_read_back_equal(group: str) -> None:
    spec = catnn.parse(
        f"space V : {group}  space R : O(3)  layer f : V @ R @ V -> V @ R = all\n"
        "layer g : V[2] -> V[2] = all + id + bias"
    )
    layer = spec["f"]
    for diagram in layer.diagrams[:60]:
        for again in WRITERS.values():
            assert again(diagram) == diagram
    if len(layer.diagrams) > 1:
        total = layer.diagrams[0] * "1/2" - layer.diagrams[-1]
        for again in WRITERS.values():
            assert again(total) == total
    for value in spec.values():
        assert all(same(value, again(value)) for again in WRITERS.values())


def test_symmetric_powers_read_back_equal() -> None:
    spec = catnn.parse("space V : S(n)  layer f : Sym^2(V) @ V[2] -> Sym^3(V) + V = all + bias")
    for again in WRITERS.values():
        assert same(spec["f"], again(spec["f"]))
    text = view.to_json(spec["f"])
    for broken in ("[[0, 4]]", "[[0, 1]]", '[["0", 2]]', "[[1, 2], [0, 2]]", "[[0]]"):
        with pytest.raises(CatnnError):
            view.from_json(text.replace("[[0, 2]]", broken))


@pytest.mark.parametrize("file", ["graph", "points", "weightspace", "deepsets", "materials"])
def test_examples_read_back_equal(file: str) -> None:
    for value in catnn.load(f"examples/{file}.catnn").values():
        for again in WRITERS.values():
            assert same(value, again(value))


def test_what_is_shared_stays_shared() -> None:
    network = VALUES["network"]
    again = view.from_json(view.to_json(network))  # type: ignore[arg-type]
    assert isinstance(again, Network)
    assert [layer.name for layer in again.layers] == ["mix", "deep", "pool"]


# -------------------------------------------------------------------------------------------------- what is refused


def graph_of(name: str) -> networkx.MultiDiGraph:
    return view.to_networkx(VALUES[name])


def test_an_undirected_graph_is_a_coded_error() -> None:
    text = view.to_graphml(VALUES["transpose"]).replace('edgedefault="directed"', 'edgedefault="undirected"')
    for attempt in (lambda: view.from_graphml(text), lambda: view.from_networkx(graph_of("transpose").to_undirected())):
        with pytest.raises(CatnnError, match="undirected") as caught:
            attempt()
        assert caught.value.diagnostics[0].code == "E1031"


def test_a_network_that_was_edited_is_refused() -> None:
    graph = graph_of("network")
    graph.nodes["stage0"]["label"] = "other"
    with pytest.raises(CatnnError, match="disagree"):
        view.from_networkx(graph)


@pytest.mark.parametrize("name", ["spiders", "laplacian", "mix", "network", "boxes"])
@pytest.mark.parametrize("how", ["json", "graphml", "hif"])
def test_mangled_documents_are_refused_with_a_code(name: str, how: str) -> None:
    """Characters and lines dropped, doubled and swapped: a value or an error with a code, nothing else."""
    value = random_hypergraph(random.Random(5)) if name == "boxes" else VALUES[name]
    text, read = getattr(view, f"to_{how}")(value), getattr(view, f"from_{how}")
    source, refused = random.Random(name + how), 0
    for _ in range(120):
        lines = text.splitlines(keepends=True)
        at = source.randrange(len(lines))
        if source.random() < 0.5:
            del lines[at : at + source.randint(1, 3)]
        else:
            place = source.randrange(len(lines[at]))
            lines[at] = lines[at][:place] + source.choice('0179{}[]",:x<>-') + lines[at][place + 1 :]
        try:
            read("".join(lines))
        except CatnnError:
            refused += 1
    assert refused > 20


@pytest.mark.parametrize(
    "change",
    [
        {"layers": [None]}, {"body": {"layer": 9}}, {"body": {"chain": []}}, {"body": 3}, {"networks": [{}]},
        {"from": []}, {"complex": "no"}, {"from": [{"word": [], "channels": 0}]}, {"spaces": 3}, {"format": ["x"]},
    ],
)  # fmt: skip
def test_networks_that_are_refused(change: dict[str, object]) -> None:
    data = json.loads(view.to_json(VALUES["network"]))
    with pytest.raises(CatnnError):
        view.from_json(json.dumps({**data, **change}))


def test_hif_is_a_hypergraph_of_ports() -> None:
    data = json.loads(view.to_hif(VALUES["transpose"]))
    assert [node["node"] for node in data["nodes"]] == ["in0", "in1", "out0", "out1"]
    assert [edge["edge"] for edge in data["edges"]] == ["block0", "block1"]
    assert {(i["edge"], i["node"], i["direction"]) for i in data["incidences"]} == {
        ("block1", "in0", "tail"), ("block0", "in1", "tail"), ("block0", "out0", "head"), ("block1", "out1", "head")
    }  # fmt: skip
