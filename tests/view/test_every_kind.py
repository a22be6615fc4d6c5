"""Values of every kind read back equal from JSON, networkx, GraphML and HIF: thousands of them, from a seed."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import networkx
import pytest

import catnn
from catnn import program, view
from catnn.category.basis import whole
from catnn.category.diagram import Diagram, Sum, linear
from catnn.category.families import FAMILIES
from catnn.category.halves import hom
from catnn.category.scalar import ONE, Scalar
from catnn.category.wires import PLAIN, Group, Summand, Type, Wire, Word
from catnn.diagnostics import CatnnError
from catnn.hypergraph.box import Box
from catnn.hypergraph.contraction import Contraction, Operand
from catnn.hypergraph.graph import Hypergraph, compose_all, identity, single, spider, tensor_all
from catnn.hypergraph.linear import Combination, combination
from catnn.model import Activate, Apply, Call, Combine, Identity, Layer, Network, Pipeline
from catnn.program import Add, Along, Constant, Contract, Parameter, Program, Run, Step, Tensor
from tests.view.specimens import VALUES

GIVEN = {"O(1,2)": 3, "Perm(3, (0 1 2))": 3, "Aut(3, 0-1 1-2)": 3, PLAIN: 2}
"""Families with parameters, of which there is one for each form, list of generators or graph."""
FAMILY_KEYS = (*FAMILIES, *GIVEN)
SIZED = {**{key: (size,) for key, size in GIVEN.items()}, "A": (2, 3), "SO": (2, 3), "Sp": (2, 4, "r")}
WRITERS = {
    "json": lambda value: view.from_json(view.to_json(value)),
    "networkx": lambda value: view.from_networkx(networkx.convert_node_labels_to_integers(view.to_networkx(value))),
    "graphml": lambda value: view.from_graphml(view.to_graphml(value)),
    "hif": lambda value: view.from_hif(view.to_hif(value)),
}


@cache
def diagrams_between(source: Word, target: Word) -> tuple[Diagram, ...]:
    if any(FAMILIES[wire.group.family].orbital for wire in source + target):
        return tuple(d for value in whole(source, target) for _, d in value.weighted)
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
    keys = [key for key in FAMILY_KEYS if "copy" in FAMILIES[key].generators and not FAMILIES[key].orbital]
    chosen = [random.choice(keys) for _ in range(2)]
    wires = tuple(Wire(f"V{i}", Group(key, random.choice(SIZED.get(key, (3, "n"))))) for i, key in enumerate(chosen))
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


def random_contraction(random: random.Random, words: list[Word], box: Box) -> tuple[Contraction, Word]:
    """Some values and a box whose axes meet at random; the result has some of the indices, in any order."""
    wires: list[Wire] = []

    def axes(word: Word) -> tuple[int, ...]:
        found = []
        for wire in word:
            met = [at for at, other in enumerate(wires) if other == wire]
            found.append(random.choice([*met, len(wires)]))
            wires[found[-1] :] = wires[found[-1] :] or [wire]
        return tuple(found)

    operands = [Operand(at, axes(word)) for at, word in enumerate(words)]
    operands.append(Operand(box, axes(box.target + box.source)))
    target = tuple(random.randrange(len(wires)) for _ in range(random.randint(0, 3) if wires else 0))
    found = Contraction(tuple(operands), target, tuple(wires), random_scalar(random) or ONE)
    return found, tuple(wires[index] for index in target)


def random_program(random: random.Random) -> Network:
    """A network of a few named values: contractions with boxes, functions along axes, layers, sums."""
    wires = (Wire("V", Group("S", "n")), Wire("F", Group(PLAIN, 4)), Wire("R", Group("O(1,2)", 3)))

    def word() -> Word:
        return tuple(random.choice(wires) for _ in range(random.randint(0, 3)))

    channels = random.randint(1, 3)
    parameters = tuple(Parameter(name, Type((Summand(word(), random.choice((1, channels))),))) for name in "xyz")
    values = [parameter.type.summands[0] for parameter in parameters]
    fixed, mapped = Box("c", wires[1:2], wires[1:2], "fixed"), Box("m", *[word()] * 2, "map")
    boxes = [Box("w", word(), word(), "learned"), fixed, mapped]
    tensors = (Tensor(2, "zeros"), Tensor(constant=Constant((4, 4), "<f8", random.randbytes(128))), Tensor(map="relu"))
    steps: list[Step] = []
    for _ in range(random.randint(1, 6)):
        inputs = tuple(random.sample(range(len(values)), random.randint(1, 2)))
        first = values[inputs[0]]
        step: Step = Run(Activate("relu", Type((first,))), inputs[:1], (first,))
        kind = random.randrange(5)
        if kind == 0:
            found, made = random_contraction(random, [values[v].word for v in inputs], random.choice(boxes[:2]))
            step = Contract(found, inputs, Summand(made, max(values[v].channels for v in inputs)))
        elif kind == 1:
            same_word = [v for v, summand in enumerate(values) if summand.word == first.word]
            terms = tuple((random_scalar(random), v) for v in same_word)
            step = Add(terms, Summand(first.word, max(values[v].channels for v in same_word)))
        elif kind == 2 and first.word:
            step = Along("softmax", (random.randrange(len(first.word)),), inputs[0], first)
        elif kind == 3:
            step = program.Apply(replace(mapped, source=first.word, target=first.word), inputs[0], first)
        steps.append(step)
        values += step.outputs
    results = tuple((random.randrange(len(values)),) for _ in range(random.randint(1, 2)))
    targets = tuple(Type((values[v],)) for (v,) in results)
    names = tuple(random.choice(("", f"v{at}")) for at in range(len(values)))
    body = Program(parameters, tuple(steps), results, targets, tuple(zip(boxes, tensors, strict=True)), names)
    assert body.source is not None
    return Network("net", body.source, body.target, body)


def random_network(random: random.Random) -> Network:
    found = random_diagrams(random, 1)[0]
    wide = Type((Summand(found.source, random.randint(1, 4)),))
    layer = Layer("f", wide, wide, ((diagrams_between(found.source, found.source)[:3],),), ((),), (((),),))
    inner = Network("inner", wide, wide, Apply(layer))
    stages = [Apply(layer), Activate("relu", wide), Call(inner), Identity(wide)]
    branch = Combine(((ONE, random.choice(stages)), (random_scalar(random), random.choice(stages))))
    body = Pipeline((random.choice(stages), branch, *random.sample(stages, random.randint(0, 2))))
    return Network("net", wide, wide, body)


SIGNS = ("jellyfish", "points", "free")
"""What a diagram may have beside its blocks."""
KINDS = {
    "diagram": (lambda r: random_diagrams(r, 1)[0], 5000),
    "sum": (random_sum, 200),
    "hypergraph": (random_hypergraph, 200),
    "combination": (random_combination, 100),
    "layer": (random_layer, 50),
    "network": (random_network, 50),
    "program": (random_program, 200),
}


PROGRAMS = """
space N : S(n)  space R : O(1,2)  space P : Sp(2)  space T : SO(3)  space D : 4  space E : 3
box w : D -> E { rank: 2, init: zeros }
box v : D -> E { share: w }
box m : N -> N = pointwise "reciprocal"
layer f : N[2] + N^2 -> N[2] = all + bias
network inner(x: N[2]) -> N[2], N[2] { return relu(x), x }
network none() -> E @ D { return w }
network every(x: N @ D[2], y: N^2, z: N[2] + N^2) -> N @ E[2], N[2], N[2] {
  s = [i d, e d -> i e](x, w)
  t = [i j, j d, e d -> i e](y, x, v)
  u = 1/2 * s - n * t
  p = softmax[1](y)
  g = m([i j -> i](p))
  a, b = inner(f(z))
  return u + [i e, i -> i e](t, g), f(z), a + b
}
network outer(x: N[2]) -> N[2], E @ D { a, b = inner(x) ; return a + b, none() }
network signed(r: R, s: R, p: P, q: P, t: T, u: T) -> 1, 1, T { return ev[R](r, s), ev[P](p, q), [i, j -> k](t, u) }
"""


def same(a: Any, b: Any) -> bool:
    """Equal, where layers and networks, and what holds some, are compared by what they hold."""
    if is_dataclass(a) and not isinstance(a, Diagram | Sum | Hypergraph | Combination | Wire | Scalar):
        names = [field.name for field in fields(a) if field.name not in ("span", "made", "origin")]
        return type(a) is type(b) and all(same(getattr(a, name), getattr(b, name)) for name in names)
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


@pytest.mark.parametrize("kind", [pytest.param("diagram", marks=pytest.mark.slow), *list(KINDS)[1:]])
def test_every_kind_reads_back_equal(kind: str) -> None:
    make, count = KINDS[kind]
    source, seen = random.Random(kind), Counter[str]()
    for number in range(count):
        value = make(source)
        for name, again in WRITERS.items():
            found = again(value)
            assert same(value, found), (number, name, value)
        if kind == "diagram":
            seen.update({wire.group.family for wire in value.source + value.target})
            seen.update(what for what in SIGNS if any(getattr(value, what)))
            seen["dual"] += any(wire.dual for wire in value.source + value.target)
        if kind == "program":
            seen.update(type(step).__name__ for step in value.body.steps)
    if kind == "diagram":
        assert seen.keys() == {*FAMILY_KEYS, *SIGNS, "dual"}
        assert min(seen.values()) >= 30, seen
    assert kind != "program" or seen.keys() == {"Run", "Contract", "Along", "Apply", "Add"}


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


EXAMPLES = sorted(path.relative_to("examples").as_posix() for path in Path("examples").rglob("*.catnn"))


@pytest.mark.parametrize("file", EXAMPLES)
def test_examples_read_back_equal(file: str) -> None:
    spec = catnn.load(f"examples/{file}")
    for value in spec.shown.values():
        assert all(same(value, again(value)) for again in WRITERS.values())


def test_programs_read_back_equal() -> None:
    """Every kind of step and of number, duals, forms, several results, and a network in a network."""
    spec = catnn.parse(PROGRAMS)
    for network in spec.networks.values():
        assert all(same(network, again(network)) for again in WRITERS.values())
    kinds = {type(step) for network in spec.networks.values() for step in network.body.steps}
    assert kinds == {Run, Contract, Along, program.Apply, Add}


def test_a_layer_of_two_networks_is_one_layer() -> None:
    spec = catnn.parse(
        "space V : S(n)  layer f : V -> V = all  network g : V -> V = f ; relu  network h : V -> V = g ; f ; g"
    )
    again = view.from_json(view.to_json(spec["h"]))
    assert isinstance(again, Network)
    assert len(again.networks) == 1
    assert again.layers[0] is again.networks[0].layers[0]


def test_documents_of_networks_grow_with_what_they_hold() -> None:
    """Each network calls the two before it: once each, and not once for every way."""
    lines = ["space V : S(n)  layer f : V -> V = all  network g0 : V -> V = f ; relu  network g1 : V -> V = f ; g0"]
    lines += [f"network g{at} : V -> V = g{at - 1} ; g{at - 2}" for at in range(2, 40)]
    network = catnn.parse("\n".join(lines))["g39"]
    text = view.to_json(network)
    assert len(text) < 40_000
    again = view.from_json(text)
    assert isinstance(again, Network)
    assert view.to_json(again) == text


def test_functions_of_other_packages_need_leave() -> None:
    text = (
        'space N : S(n)  box f : N^2 -> N = map "numpy.trace"  network inner(x: N^2) -> N { return f(x) }\n'
        "network outer(x: N^2) -> N { return inner(x) }"
    )
    for network in catnn.parse(text, allow_maps=True).networks.values():
        for how in ("json", "graphml", "hif", "networkx"):
            written, read = getattr(view, f"to_{how}")(network), getattr(view, f"from_{how}")
            with pytest.raises(CatnnError, match=r"numpy\.trace"):
                read(written)
            assert same(network, read(written, allow_maps=True))
    document = view.to_json(catnn.parse(text, allow_maps=True)["inner"])
    for name in ("os", "os.__dict__", "a b.c", "lambda.x", "a..b", "norm_relu"):
        with pytest.raises(CatnnError):
            view.from_json(document.replace("numpy.trace", name), allow_maps=True)


@pytest.mark.parametrize("name", ["every", "outer", "signed"])
def test_mangled_programs_are_refused_or_sound(name: str) -> None:
    """Whatever is changed in one place of a document: it is refused with a code, or what is read can be written."""
    value = catnn.parse(PROGRAMS)[name]
    text, source, refused = view.to_json(value), random.Random(name), 0
    data = json.loads(text)
    places = list(leaves(data["body"]))
    for _ in range(400):
        path = source.choice(places)
        changed = json.loads(text)
        at = changed["body"]
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = source.choice((0, 1, 7, -1, None, True, "x", "", [], {}, [0], [[0]], 1.5))
        try:
            again = view.from_json(json.dumps(changed))
        except CatnnError:
            refused += 1
            continue
        assert view.to_json(view.from_json(view.to_json(again))) == view.to_json(again)
    assert refused > 200


def leaves(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to everything in a document."""
    pairs = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, inner in pairs:
        yield (*path, key)
        yield from leaves(inner, (*path, key))


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
