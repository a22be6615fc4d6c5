"""Random diagrams of every family: one generator, driven by hypothesis (which shrinks) or by a seed (which is fast)."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise

from hypothesis import strategies as st

from catnn.category.diagram import Diagram, Morphism, Sum, linear
from catnn.category.scalar import Scalar
from catnn.category.wires import Group, Wire, Word

Pick = Callable[[int, int], int]
"""pick(low, high): an integer between the two, both included."""

S = Wire("V", Group("S", "n"))
O = Wire("R", Group("O", "m"))
SP = Wire("P", Group("Sp", "r"))
FAMILIES = {"S": (S,), "O": (O,), "Sp": (SP,), "products": (S, O, SP)}
LITERAL = {
    "S(3)": (Wire("V", Group("S", 3)),),
    "O(2)": (Wire("V", Group("O", 2)),),
    "Sp(4)": (Wire("V", Group("Sp", 4)),),
    "S(2) x O(3)": (Wire("N", Group("S", 2)), Wire("R", Group("O", 3))),
}
ALL = {**FAMILIES, **LITERAL}
SIZES = {"n": 3, "m": 2, "r": 2}


def sizes_of(*morphisms: Morphism) -> dict[str, int]:
    """Small numbers for the size names that occur."""
    return {name: SIZES[name] for name in sorted({n for f in morphisms for n in f.size_names})}


def words(pick: Pick, wires: tuple[Wire, ...], count: int, most: int = 3) -> list[Word]:
    """Words between which there are diagrams: a matched space has one parity in all of them.

    most: how many wires of one space a word has at most (of products: 2).
    """
    most = most if len(wires) == 1 else min(most, 2)
    parity = {wire: pick(0, 1) for wire in wires}
    found = []
    for _ in range(count):
        bag: list[Wire] = []
        for wire in wires:
            if wire.group.family == "S":
                bag += [wire] * pick(0, most)
            else:
                bag += [wire] * (parity[wire] + 2 * pick(0, (most - parity[wire]) // 2))
        found.append(tuple(bag.pop(pick(0, len(bag) - 1)) for _ in range(len(bag))))
    return found


def diagram(pick: Pick, source: Word, target: Word) -> Diagram:
    """A diagram between two words, any of them."""
    whole = target + source
    blocks: list[tuple[int, ...]] = []
    for wire in dict.fromkeys(whole):
        vertices = [v for v, w in enumerate(whole) if w == wire]
        if wire.group.family == "S":
            blocks += partition(pick, vertices)
        else:
            blocks += matching(pick, vertices)
    return Diagram(source, target, tuple(sorted(blocks)))


def partition(pick: Pick, vertices: list[int]) -> list[tuple[int, ...]]:
    """Each vertex joins a block there is, or opens one."""
    blocks: list[list[int]] = []
    for vertex in vertices:
        at = pick(0, len(blocks))
        if at == len(blocks):
            blocks.append([])
        blocks[at].append(vertex)
    return [tuple(block) for block in blocks]


def matching(pick: Pick, vertices: list[int]) -> list[tuple[int, ...]]:
    """The least vertex left takes a partner."""
    left, blocks = list(vertices), []
    while left:
        first = left.pop(0)
        blocks.append((first, left.pop(pick(0, len(left) - 1))))
    return blocks


def chain(pick: Pick, wires: tuple[Wire, ...], length: int, most: int = 3) -> list[Diagram]:
    """Diagrams that compose, first stage first."""
    row = words(pick, wires, length + 1, most)
    return [diagram(pick, a, b) for a, b in pairwise(row)]


def seeded(seed: int) -> Pick:
    """The fast driver."""
    return random.Random(seed).randint


@st.composite
def chains(draw: st.DrawFn, wires: tuple[Wire, ...], length: int, most: int = 3) -> list[Diagram]:
    """`length` diagrams that compose, first stage first."""
    return chain(lambda low, high: draw(st.integers(low, high)), wires, length, most)


def diagrams(wires: tuple[Wire, ...], most: int = 3) -> st.SearchStrategy[Diagram]:
    """One diagram."""
    return chains(wires, 1, most).map(lambda row: row[0])


@st.composite
def scalars(draw: st.DrawFn) -> Scalar:
    """Laurent polynomials in n and m with small coefficients."""
    total = Scalar.of(draw(st.integers(-3, 3)))
    for _ in range(draw(st.integers(0, 2))):
        term = Scalar.of(draw(st.fractions(-2, 2, max_denominator=3)))
        for name in ("n", "m"):
            term = term * Scalar.size(name, draw(st.integers(-2, 2)))
        total = total + term
    return total


@st.composite
def sums(draw: st.DrawFn, source: Word, target: Word) -> Sum:
    """Linear combinations of diagrams between two words."""

    def pick(low: int, high: int) -> int:
        return draw(st.integers(low, high))

    pairs = [(draw(scalars()), diagram(pick, source, target)) for _ in range(draw(st.integers(0, 3)))]
    return linear(source, target, pairs)
