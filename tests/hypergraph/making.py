"""Strategies: hypergraphs over wires of several families, with boxes and tensors for them."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from random import Random

from hypothesis import strategies as st

from catnn.category.families import FAMILIES
from catnn.category.sizes import length
from catnn.category.wires import Group, Wire, Word
from catnn.hypergraph.box import Box, structure
from catnn.hypergraph.evaluate import Tensor
from catnn.hypergraph.graph import Hypergraph, Node, compose_all, identity, permutation, single, spider, tensor_all

V = Wire("V", Group("S", "n"))
R = Wire("R", Group("O", "n"))
L = Wire("L", Group("O(1,2)", 3))
C = Wire("C", Group("U", "n"))
SPACES = (V, R, L, C)


def boxes(wire: Wire) -> tuple[Box, ...]:
    """A few boxes on a wire, one with exchangeable inputs."""
    dual = wire.flipped() if FAMILIES[wire.group.family].oriented else wire
    return (
        Box("f", (wire,), (wire,)),
        Box("m", (wire, wire), (wire,)),
        Box("s", (wire, wire), (wire,), symmetric="inputs"),
        Box("k", (), (wire,)),
        Box("e", (wire, dual), ()),
    )


def layers(random: Random, wire: Wire, word: Word, steps: int) -> list[Hypergraph]:
    """Rows of one box, spider or bend each, that compose from a word."""
    rows: list[Hypergraph] = []
    known = boxes(wire)
    for _ in range(steps):
        choices: list[Hypergraph] = [single(box) for box in known] + [single(box.dagger()) for box in known[:2]]
        if structure(wire) == "spider":
            choices += [spider(wire, 2, 1), spider(wire, 1, 2), spider(wire, 1, 0)]
        dual = wire.flipped() if FAMILIES[wire.group.family].oriented else wire
        bend = Hypergraph((), (wire, dual), (wire.base,), (), (), (0, 0))
        choices += [bend, bend.dagger()]
        fitting = []
        for choice in choices:
            k = len(choice.source)
            fitting += [(choice, at) for at in range(len(word) - k + 1) if word[at : at + k] == choice.source]
        if len(word) > 1:
            order = list(range(len(word)))
            random.shuffle(order)
            fitting += [(permutation(word, tuple(order)), 0)] * 3
        fitting = [pair for pair in fitting if len(word) + len(pair[0].target) - len(pair[0].source) <= 5]
        if not fitting:
            break
        piece, at = random.choice(fitting)
        k = len(piece.source)
        rows.append(tensor_all([identity(word[:at]), piece, identity(word[at + k :])]))
        word = rows[-1].target
    return rows or [identity(word)]


@st.composite
def stages(draw: st.DrawFn, wire: Wire | None = None, steps: int = 6) -> list[Hypergraph]:
    """A chain of rows."""
    found = wire or draw(st.sampled_from(SPACES))
    random = draw(st.randoms(use_true_random=False))
    word = (found,) * draw(st.integers(0, 3))
    return layers(random, found, word, draw(st.integers(0, steps)))


@st.composite
def graphs(draw: st.DrawFn, wire: Wire | None = None, steps: int = 6) -> Hypergraph:
    """A hypergraph."""
    return compose_all(draw(stages(wire, steps)))


def shuffled(graph: Hypergraph, random: Random) -> Hypergraph:
    """The same hypergraph with vertices and boxes renumbered, and exchangeable inputs exchanged."""
    new = list(range(len(graph.wires)))
    random.shuffle(new)
    wires = [graph.wires[0]] * len(new) if new else []
    for old, at in enumerate(new):
        wires[at] = graph.wires[old]
    nodes = []
    for box, inputs, outputs in graph.nodes:
        legs = list(inputs)
        if box.free_inputs:
            random.shuffle(legs)
        nodes.append(Node(box, tuple(new[v] for v in legs), tuple(new[v] for v in outputs)))
    random.shuffle(nodes)
    ins, outs = (tuple(new[v] for v in row) for row in (graph.ins, graph.outs))
    return Hypergraph(graph.source, graph.target, tuple(wires), tuple(nodes), ins, outs)


def numbers(wire: Wire, sizes: dict[str, int], seed: int) -> dict[str, Tensor]:
    """Small integers for the boxes of a wire."""
    random, found = Random(seed), {}
    for box in boxes(wire):
        legs = [range(length(w, sizes)) for w in (*box.target, *box.source)]
        drawn = {index: Fraction(random.randint(-2, 2)) for index in product(*legs)}
        if box.free_inputs:
            drawn = {(i, *sorted(rest)): value for (i, *rest), value in drawn.items()}
            drawn = {index: drawn[index[0], *sorted(index[1:])] for index in product(*legs)}
        found[box.name] = {index: value for index, value in drawn.items() if value}
    return found
