"""One diagram as permutation ; planar ; permutation: the factorisation of the papers, and what running it so costs.

Source: Pearce-Crump, arXiv 2304.14165, section 5 (`Factor`, `Permute`, `PlanarMult`) and 2412.10837.  The planar middle
is a tensor product of connected pieces in the order output-only blocks, through blocks, input-only blocks, the
largest input-only block rightmost; so it runs from the right: contract, transfer, copy.
"""

from __future__ import annotations

from dataclasses import dataclass

from catnn.category.compose import permutation, tensor
from catnn.category.diagram import Diagram
from catnn.category.embedding import embedded
from catnn.category.family import Blocks
from catnn.category.gram import norm2
from catnn.category.pattern import show_pattern
from catnn.category.scalar import ONE, ZERO, Scalar
from catnn.category.wires import Wire, Word


@dataclass(frozen=True, slots=True)
class Piece:
    """A connected piece of the planar middle: one block, or an epsilon, with its vertices in the order they had.

    diagram: the piece alone; outputs, inputs: the places of its vertices in the rows of the whole diagram.
    """

    diagram: Diagram
    outputs: tuple[int, ...]
    inputs: tuple[int, ...]

    @property
    def kind(self) -> str:
        """``output`` (copied to), ``through`` (transferred) or ``input`` (contracted)."""
        if not self.inputs:
            return "output"
        return "through" if self.outputs else "input"

    @property
    def wire(self) -> Wire:
        """The wire of the block."""
        return self.diagram.wire(0)

    @property
    def entries(self) -> Scalar:
        """How many entries of its matrix are not zero: n for a block, n! for an epsilon."""
        return norm2(self.diagram)

    def __str__(self) -> str:
        return show_pattern(self.diagram)


@dataclass(frozen=True, slots=True)
class Planar:
    """A diagram as permutation ; planar ; permutation.

    input_permutation: wire j of the planar middle is input ``input_permutation[j]`` (as torch.permute).
    pieces: the connected pieces of the middle, left to right.
    output_permutation: output j is wire ``output_permutation[j]`` of the planar middle.

    >>> from catnn.category.pattern import from_letters
    >>> from catnn.category.wires import Group
    >>> V = Wire("V", Group("S", "n"))
    >>> found = factorise(from_letters((V, V), (V,), "ij", "j"))
    >>> print(found)
    perm[1,0] ; ([i -> i] @ [i ->]) ; perm[0]
    >>> print(found.cost, "instead of", found.naive_cost)
    n + n^2 instead of n^3
    """

    source: Word
    target: Word
    input_permutation: tuple[int, ...]
    pieces: tuple[Piece, ...]
    output_permutation: tuple[int, ...]

    @property
    def planar(self) -> Diagram:
        """The middle: the tensor product of the pieces."""
        return _one(tensor(piece.diagram for piece in self.pieces).weighted)

    def stages(self) -> tuple[Diagram, Diagram, Diagram]:
        """The three diagrams, first stage first; they compose to the diagram itself, with coefficient 1.

        In Sp(n) too: no permutation here turns the two ends of a pair around, so no Omega changes its sign.
        """
        middle = self.planar
        first = permutation(self.source, self.input_permutation)
        return first, middle, permutation(middle.target, self.output_permutation)

    @property
    def contractions(self) -> Scalar:
        """The additions: one pass for each input-only block over what is left of the input, from the right."""
        left = [self.source[i] for i in self.input_permutation]
        total = ZERO
        for piece in reversed(self.pieces):
            if piece.kind != "input":
                break
            del left[len(left) - len(piece.inputs) :]
            total = total + _volume(tuple(left)) * piece.entries
        return total

    @property
    def copies(self) -> Scalar:
        """The entries that are written: one for each value of the through and the output-only blocks."""
        result = ONE
        for piece in self.pieces:
            if piece.kind != "input":
                result = result * piece.entries
        return result

    @property
    def cost(self) -> Scalar:
        """Additions and copies together, for one channel."""
        return self.contractions + self.copies

    @property
    def naive_cost(self) -> Scalar:
        """The dense matrix times a vector: n^(k+l)."""
        return _volume(self.source + self.target)

    def __str__(self) -> str:
        middle = " @ ".join(str(piece) for piece in self.pieces) or "[->]"
        stages = [_perm(self.input_permutation), f"({middle})" if len(self.pieces) > 1 else middle]
        return " ; ".join(filter(None, (*stages, _perm(self.output_permutation))))


def factorise(diagram: Diagram) -> Planar:
    """The factorisation of a diagram.

    Output-only and through blocks come by least vertex; input-only blocks by size, the largest rightmost (the
    contraction that shrinks most is done first), equal ones by least vertex.  The pieces of a group whose diagrams are
    among those of a larger family may not be its own, so there they are that family's.
    """
    value = embedded(diagram)
    assert isinstance(value, Diagram)
    diagram = value
    l = len(diagram.target)
    legs = diagram.free
    pieces = [_piece(diagram, (block,)) for block in diagram.parts if block[0] not in legs]
    for wire in dict.fromkeys(diagram.wire(v) for v in legs):
        pieces.append(_piece(diagram, tuple(b for b in diagram.parts if b[0] in legs and diagram.wire(b[0]) == wire)))
    rank = {"output": 0, "through": 1, "input": 2}
    pieces.sort(key=lambda p: (rank[p.kind], len(p.inputs) if p.kind == "input" else 0, p.outputs, p.inputs))
    place = {vertex: at for at, vertex in enumerate(v for piece in pieces for v in piece.outputs)}
    return Planar(
        diagram.source,
        diagram.target,
        tuple(v for piece in pieces for v in piece.inputs),
        tuple(pieces),
        tuple(place[v] for v in range(l)),
    )


def is_planar(diagram: Diagram) -> bool:
    """Whether it can be drawn without crossings: no two blocks interleave on the circle.

    The circle runs along the outputs from left to right, then along the inputs from right to left.  O(vertices).

    >>> from catnn.category.wires import Group
    >>> V = Wire("V", Group("O", "n"))
    >>> is_planar(permutation((V, V), (0, 1))), is_planar(permutation((V, V), (1, 0)))
    (True, False)
    """
    l, k = len(diagram.target), len(diagram.source)
    block_of = {v: b for b, block in enumerate(diagram.parts) for v in block}
    missing = [len(block) for block in diagram.parts]
    open_: list[int] = []
    for vertex in (*range(l), *range(l + k - 1, l - 1, -1)):
        block = block_of[vertex]
        if missing[block] == len(diagram.parts[block]):
            open_.append(block)
        elif open_[-1] != block:
            return False
        missing[block] -= 1
        if not missing[block]:
            open_.pop()
    return True


def _piece(diagram: Diagram, blocks: Blocks) -> Piece:
    """One block, or all those of an epsilon."""
    l = len(diagram.target)
    vertices = sorted(v for block in blocks for v in block)
    number = {v: at for at, v in enumerate(vertices)}
    outputs = tuple(v for v in vertices if v < l)
    inputs = tuple(v - l for v in vertices if v >= l)
    alone = tuple(tuple(number[v] for v in block) for block in blocks)
    source, target = tuple(diagram.source[i] for i in inputs), tuple(diagram.target[j] for j in outputs)
    space = diagram.wire(vertices[0]).space
    return Piece(Diagram(source, target, alone, (space,) * (space in diagram.jellyfish)), outputs, inputs)


def _one(weighted: tuple[tuple[Scalar, Diagram], ...]) -> Diagram:
    ((_, diagram),) = weighted
    return diagram


def _volume(word: Word) -> Scalar:
    total = ONE
    for wire in word:
        total = total * Scalar.size(wire.group.size)
    return total


def _perm(order: tuple[int, ...]) -> str:
    return f"perm[{','.join(map(str, order))}]" if order else ""
