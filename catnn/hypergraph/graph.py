"""Open hypergraphs: the morphisms with boxes.

A `Hypergraph` is a cospan of arrays.  Its vertices are the spiders (or bends, or plain wires) between the legs of
boxes and the ends of the diagram; two of them are equal if they are isomorphic, ends in order.  A vertex without an
end is a closed loop.  Composition and tensor product are n-ary and linear in the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from catnn.category.wires import Wire, Word, show_word
from catnn.diagnostics import fail
from catnn.drawable import Drawable
from catnn.hypergraph.box import Box, ends_fault


class Node(NamedTuple):
    """A box in its place: the vertices of its inputs and of its outputs, in the order of its words."""

    box: Box
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


class Hypergraph(Drawable):
    """A diagram with boxes.

    source, target: words of k and l wires; wires: the space at each vertex; nodes: the boxes with the vertices at
    their legs; ins, outs: the vertex at each input and each output of the diagram.
    Raises: CatnnError (E0401, E0402, E0406) where an end does not fit its vertex.

    >>> from catnn.category.wires import Group
    >>> V = Wire("V", Group("S", "n"))
    >>> f = single(Box("f", (V,), (V,)))
    >>> f >> f
    <hypergraph V -> V, 2 boxes>
    >>> f >> identity((V,)) == f, f >> f == f
    (True, False)
    """

    __slots__ = ("_code", "ins", "nodes", "outs", "source", "target", "wires")

    source: Word
    target: Word
    wires: tuple[Wire, ...]
    nodes: tuple[Node, ...]
    ins: tuple[int, ...]
    outs: tuple[int, ...]
    _code: tuple[object, ...] | None

    def __init__(
        self,
        source: Word,
        target: Word,
        wires: tuple[Wire, ...],
        nodes: tuple[Node, ...],
        ins: tuple[int, ...],
        outs: tuple[int, ...],
    ) -> None:
        self._fill(source, target, wires, nodes, ins, outs)
        _validate(self)

    def _fill(self, *fields: object) -> None:
        for name, value in zip(
            ("source", "target", "wires", "nodes", "ins", "outs", "_code"), (*fields, None), strict=True
        ):
            object.__setattr__(self, name, value)

    @classmethod
    def known(
        cls,
        source: Word,
        target: Word,
        wires: tuple[Wire, ...],
        nodes: tuple[Node, ...],
        ins: tuple[int, ...],
        outs: tuple[int, ...],
    ) -> Hypergraph:
        """The same of parts that are known to fit, as those of valid hypergraphs glued together."""
        found = cls.__new__(cls)
        found._fill(source, target, wires, nodes, ins, outs)
        return found

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a hypergraph is a value: {name} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a hypergraph is a value: {name} cannot be deleted")

    def __reduce__(self) -> tuple[type[Hypergraph], tuple[object, ...]]:
        return Hypergraph, (self.source, self.target, self.wires, self.nodes, self.ins, self.outs)

    # --------------------------------------------------------------------------------------------------- a value

    @property
    def code(self) -> tuple[object, ...]:
        """The canonical code: equal for isomorphic hypergraphs alone.  Raises: CatnnError (E0415) if out of reach."""
        if self._code is None:
            from catnn.hypergraph.canonical import code

            object.__setattr__(self, "_code", code(self))
        assert self._code is not None
        return self._code

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Hypergraph):
            return NotImplemented
        return self.size == other.size and self.code == other.code

    def __hash__(self) -> int:
        return hash(self.code)

    def canonical(self) -> Hypergraph:
        """The same hypergraph with its vertices and boxes in canonical order."""
        from catnn.hypergraph.canonical import canonical

        return canonical(self)

    @property
    def size(self) -> tuple[int, int, int, int]:
        """Numbers of inputs, outputs, vertices and boxes."""
        return len(self.ins), len(self.outs), len(self.wires), len(self.nodes)

    @property
    def boxes(self) -> tuple[Box, ...]:
        """The boxes, in the order of the nodes."""
        return tuple(node.box for node in self.nodes)

    def ends(self) -> list[tuple[int, int]]:
        """For each vertex, how often the wire arrives there and how often it leaves (see `ends_fault`)."""
        found = [[0, 0] for _ in self.wires]
        for vertices, word, side in self.rows():
            for vertex, wire in zip(vertices, word, strict=True):
                found[vertex][side ^ wire.dual] += 1
        return [(into, out) for into, out in found]

    def rows(self) -> Iterable[tuple[tuple[int, ...], Word, int]]:
        """Every row of ends with its word; 0 for rows that feed their vertices, 1 for rows that read them."""
        yield self.ins, self.source, 0
        yield self.outs, self.target, 1
        for box, inputs, outputs in self.nodes:
            yield inputs, box.source, 1
            yield outputs, box.target, 0

    # -------------------------------------------------------------------------------------------- the operations

    def __rshift__(self, other: Hypergraph) -> Hypergraph:
        return compose_all((self, other))

    def __matmul__(self, other: Hypergraph) -> Hypergraph:
        return tensor_all((self, other))

    def dagger(self) -> Hypergraph:
        """The diagram upside down."""
        nodes = tuple(Node(box.dagger(), outputs, inputs) for box, inputs, outputs in self.nodes)
        return Hypergraph.known(self.target, self.source, self.wires, nodes, self.outs, self.ins)

    def __str__(self) -> str:
        from catnn.hypergraph.printing import show

        return show(self)

    def __repr__(self) -> str:
        arrow = f"{show_word(self.source)} -> {show_word(self.target)}"
        return f"<hypergraph {arrow}, {len(self.nodes)} box{'es' if len(self.nodes) != 1 else ''}>"


# ------------------------------------------------------------------------------------------------------------ makers


def spider(wire: Wire, inputs: int, outputs: int) -> Hypergraph:
    """All ends joined in one vertex."""
    return Hypergraph((wire,) * inputs, (wire,) * outputs, (wire.base,), (), (0,) * inputs, (0,) * outputs)


def identity(word: Word) -> Hypergraph:
    """The identity of a word."""
    return permutation(word, tuple(range(len(word))))


def permutation(word: Word, order: tuple[int, ...]) -> Hypergraph:
    """The permutation whose output j is input order[j], as torch.permute."""
    wires = tuple(wire.base for wire in word)
    return Hypergraph(word, tuple(word[i] for i in order), wires, (), tuple(range(len(word))), order)


def single(box: Box) -> Hypergraph:
    """A box alone."""
    k, l = len(box.source), len(box.target)
    ins, outs = tuple(range(k)), tuple(range(k, k + l))
    wires = tuple(wire.base for wire in box.source + box.target)
    return Hypergraph(box.source, box.target, wires, (Node(box, ins, outs),), ins, outs)


def compose_all(stages: Iterable[Hypergraph]) -> Hypergraph:
    """The composite of a chain, first stage first, in time linear in the whole.

    Raises: CatnnError (E0301) where two do not meet; ValueError if there is none.
    """
    stages = tuple(stages)
    if not stages:
        raise ValueError("a chain has one stage or more")
    offsets, parent = _beside(stages)
    for at in range(1, len(stages)):
        lower, upper = stages[at - 1], stages[at]
        if lower.target != upper.source:
            produces, expects = show_word(lower.target), show_word(upper.source)
            raise fail("E0301", f"stage {at} produces {produces}, stage {at + 1} expects {expects}")
        for left, right in zip(lower.outs, upper.ins, strict=True):
            _union(parent, left + offsets[at - 1], right + offsets[at])
    first, last = stages[0], stages[-1]
    outs = [v + offsets[-1] for v in last.outs]
    return fuse(stages, offsets, parent, (first.source, last.target), (first.ins, outs))


def tensor_all(factors: Iterable[Hypergraph]) -> Hypergraph:
    """The factors side by side."""
    factors = tuple(factors)
    offsets, parent = _beside(factors)
    source = tuple(wire for factor in factors for wire in factor.source)
    target = tuple(wire for factor in factors for wire in factor.target)
    ins = [v + at for at, factor in zip(offsets, factors, strict=True) for v in factor.ins]
    outs = [v + at for at, factor in zip(offsets, factors, strict=True) for v in factor.outs]
    return fuse(factors, offsets, parent, (source, target), (ins, outs))


def fuse(
    pieces: Sequence[Hypergraph],
    offsets: Sequence[int],
    parent: list[int],
    words: tuple[Word, Word],
    ends: tuple[Sequence[int], Sequence[int]],
) -> Hypergraph:
    """Pieces with some of their vertices glued.

    offsets: where the vertices of each piece begin; parent: a union-find forest over them; ends: the vertices of the
    inputs and outputs of the result.
    """
    number: dict[int, int] = {}
    wires: list[Wire] = []
    new: list[int] = []
    for piece, offset in zip(pieces, offsets, strict=True):
        for vertex, wire in enumerate(piece.wires):
            root = _find(parent, vertex + offset)
            at = number.setdefault(root, len(wires))
            if at == len(wires):
                wires.append(wire)
            new.append(at)
    nodes = tuple(
        Node(box, tuple(new[v + offset] for v in inputs), tuple(new[v + offset] for v in outputs))
        for piece, offset in zip(pieces, offsets, strict=True)
        for box, inputs, outputs in piece.nodes
    )
    ins, outs = (tuple(new[v] for v in row) for row in ends)
    return Hypergraph.known(words[0], words[1], tuple(wires), nodes, ins, outs)


def _beside(pieces: Sequence[Hypergraph]) -> tuple[list[int], list[int]]:
    offsets, total = [], 0
    for piece in pieces:
        offsets.append(total)
        total += len(piece.wires)
    return offsets, list(range(total))


def _find(parent: list[int], at: int) -> int:
    while parent[at] != at:
        parent[at] = parent[parent[at]]
        at = parent[at]
    return at


def _union(parent: list[int], left: int, right: int) -> None:
    left, right = _find(parent, left), _find(parent, right)
    parent[max(left, right)] = min(left, right)


def _validate(graph: Hypergraph) -> None:
    for vertices, word, _ in graph.rows():
        if len(vertices) != len(word):
            raise fail("E0406", f"{len(vertices)} ends stand on {len(word)} wires")
        for vertex, wire in zip(vertices, word, strict=True):
            if not 0 <= vertex < len(graph.wires):
                raise fail("E0406", f"there is no vertex {vertex}")
            if graph.wires[vertex] is not wire and graph.wires[vertex] != wire.base:
                raise fail("E0402", f"an end of `{wire}` stands on a vertex of `{graph.wires[vertex]}`")
    for wire, (into, out) in zip(graph.wires, graph.ends(), strict=True):
        fault = ends_fault(wire, into, out)
        if fault is not None:
            raise fail("E0401", f"a vertex of `{wire}` ({wire.group}) {fault}")
