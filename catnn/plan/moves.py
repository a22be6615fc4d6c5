"""The lattice of halves: each half comes from a finer one by one small step.

A `Move` is read downwards in a reduction (the coarse value from the fine one) and upwards in an expansion (the coarse
value added into the fine one); the second is the first upside down, so one tree serves both, and the gradient too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush
from typing import Literal

from catnn.category.diagram import Diagram
from catnn.category.families import FAMILIES
from catnn.category.half import Half
from catnn.category.scalar import ONE, Scalar
from catnn.category.wires import Wire, Word

Op = Literal["diagonal", "sum", "trace", "form", "metric", "epsilon"]


@dataclass(frozen=True, slots=True)
class Move:
    """One step between two halves of a word.

    op: ``diagonal`` merges two axes, ``sum`` sums axes away, ``trace`` sums a diagonal away, ``form`` contracts two
    axes with Omega, ``metric`` with the metric of O(p,q), ``epsilon`` contracts axes with the last ones of the
    Levi-Civita tensor, whose other axes come last in their space.  axes: which axes (ports) of the fine half.  mean: a
    sum divides by the size of its axes.

    The epsilon of a jellyfish (see `head`) has a leg on every axis of its space; those that are not among `axes` stay.
    """

    op: Op
    fine: Half
    coarse: Half
    axes: tuple[int, ...]
    mean: bool = False

    def diagram(self) -> Diagram:
        """The step by itself, from the level of the fine half to that of the coarse one."""
        level = self.fine.level
        if self.op == "epsilon":
            return self._epsilon()
        kept = [a for a in range(len(level)) if a not in (self.axes[1:] if self.op == "diagonal" else self.axes)]
        p = len(kept)
        blocks = [[j, p + a] for j, a in enumerate(kept)]
        match self.op:
            case "diagonal":
                blocks[kept.index(self.axes[0])].append(p + self.axes[1])
            case "sum":
                blocks.extend([p + a] for a in self.axes)
            case "trace" | "form" | "metric":
                blocks.append([p + a for a in self.axes])
        return Diagram(level, tuple(level[a] for a in kept), tuple(sorted(tuple(sorted(b)) for b in blocks)))

    @property
    def head(self) -> tuple[str, int] | None:
        """The jellyfish that the coarse half has and the fine one has not: its space, how many legs are summed."""
        return next((head for head in self.coarse.heads if head not in self.fine.heads), None)

    @property
    def kept(self) -> list[int]:
        """The axes of the fine half that an epsilon does not contract."""
        return [a for a in range(len(self.fine.level)) if a not in self.axes]

    @property
    def arms(self) -> list[int]:
        """Those of the kept axes in which a jellyfish has its legs."""
        return [a for a in self.kept if self.head is not None and self.fine.level[a].space == self.head[0]]

    @property
    def wire(self) -> Wire:
        """The wire of the axes of an epsilon."""
        return self.fine.level[(*self.axes, *self.arms)[0]]

    @property
    def home(self) -> int:
        """Where the axes of an epsilon stand in its result: the last of their space."""
        level = self.fine.level
        return sum(level[a].space <= self.wire.space for a in self.kept)

    @property
    def born(self) -> int:
        """How many axes of an epsilon there are in its result."""
        size = self.wire.group.size
        assert isinstance(size, int)
        return size - len(self.axes) - len(self.arms) - (self.head[1] if self.head else 0)

    def _epsilon(self) -> Diagram:
        """eps(axes of the result, axes of the fine half), and the identity of the others."""
        level, kept, home, born = self.fine.level, self.kept, self.home, self.born
        places = [j if j < home else j + born for j in range(len(kept))]
        width = len(kept) + born
        wires = [level[a] for a in kept]
        wires[home:home] = [self.wire] * born
        blocks: list[tuple[int, ...]] = [(place, width + a) for place, a in zip(places, kept, strict=True)]
        blocks += [(home + j,) for j in range(born)] + [(width + a,) for a in self.axes]
        jellyfish = (self.head[0],) if self.head else ()
        return Diagram(level, tuple(wires), tuple(sorted(blocks)), jellyfish)

    def factor(self) -> Scalar:
        """What a mean multiplies with: 1/n for each block that it closes."""
        result = ONE
        if self.mean and self.op not in ("diagonal", "epsilon"):
            for axis in self.axes if self.op == "sum" else self.axes[:1]:
                result = result * Scalar.size(self.fine.level[axis].group.size, -1)
        return result


def full(word: Word) -> Half:
    """The half in which every wire goes through by itself."""
    return Half(word, tuple((v,) for v in range(len(word))), (True,) * len(word))


def openings(half: Half) -> list[Move]:
    """The moves that end in a half, the preferred one first.

    A block with several vertices that goes through is a diagonal, a free view, so it is always split first.  An epsilon
    comes after the traces, on what they leave; and that of a jellyfish last of all in its space, where each block is an
    axis.
    """
    moves: list[Move] = []
    signed = half.jellyfish
    for b, block in enumerate(half.blocks):
        if half.through[b] and len(block) > 1 and half.word[block[0]].space not in signed:
            moves.extend(_split(half, b, vertex) for vertex in reversed(block[1:]))
    if moves:
        return moves
    legs = half.legs
    moves.extend(_headless(half, head) for head in half.heads)
    free = dict.fromkeys(half.word[v] for v in legs if half.word[v].space not in signed)
    moves.extend(_free(half, wire) for wire in free)
    for b in reversed(range(len(half.blocks))):
        if not half.through[b] and half.blocks[b][0] not in legs:
            moves.append(_open(half, b))
    return moves


def tree(word: Word, needed: Iterable[Half], *, mean: bool) -> tuple[Move, ...]:
    """Moves that reach every needed half from the full one, each value once, the fine before the coarse."""
    top = full(word)
    wanted = set(needed)
    chosen: dict[Half, Move] = {}
    seen = wanted | {top}
    pending = [(_coarseness(half), half) for half in wanted if half != top]
    heapify(pending)
    while pending:
        _, half = heappop(pending)
        options = openings(half)
        move = next((m for m in options if m.fine in wanted or m.fine in chosen or m.fine == top), options[0])
        chosen[half] = replace(move, mean=mean)
        if move.fine not in seen:
            seen.add(move.fine)
            heappush(pending, (_coarseness(move.fine), move.fine))
    moves = sorted(chosen.values(), key=lambda m: _coarseness(m.coarse), reverse=True)
    return _fuse_sums(moves, wanted)


def _coarseness(half: Half) -> tuple[object, ...]:
    return (sum(half.through), -len(half.heads), -len(half.blocks), half.key())


def _fuse_sums(moves: list[Move], wanted: set[Half]) -> tuple[Move, ...]:
    """A sum of a sum is one sum, where nothing else reads the value between."""
    readers: dict[Half, int] = {}
    for move in moves:
        readers[move.fine] = readers.get(move.fine, 0) + 1
    by_coarse = {move.coarse: move for move in moves}
    for move in moves:  # fine first, so a chain collapses from the top
        above = by_coarse.get(move.fine)
        if move.op != "sum" or above is None or above.op != "sum":
            continue
        if move.fine in wanted or readers[move.fine] > 1:
            continue
        kept = [a for a in range(len(above.fine.level)) if a not in above.axes]
        axes = tuple(sorted((*above.axes, *(kept[a] for a in move.axes))))
        by_coarse[move.coarse] = replace(move, fine=above.fine, axes=axes)
        del by_coarse[move.fine]
    return tuple(by_coarse[m.coarse] for m in moves if m.coarse in by_coarse)


def _place(half: Half, block: tuple[int, ...]) -> int:
    """The axis of a through block."""
    return half.ports.index(half.blocks.index(block))


def _split(half: Half, b: int, vertex: int) -> Move:
    rest = tuple(v for v in half.blocks[b] if v != vertex)
    pairs = [(x, f) for x, f in zip(half.blocks, half.through, strict=True) if x != half.blocks[b]]
    pairs = sorted([*pairs, (rest, True), ((vertex,), True)])
    fine = Half(half.word, tuple(x for x, _ in pairs), tuple(f for _, f in pairs), half.heads)
    return Move("diagonal", fine, half, (_place(fine, rest), _place(fine, (vertex,))))


def _free(half: Half, wire: Wire) -> Move:
    """The epsilon of a space, from the half where its legs go through."""
    legs = [v for v in half.legs if half.word[v] == wire]
    flags = tuple(flag or block[0] in legs for block, flag in zip(half.blocks, half.through, strict=True))
    fine = Half(half.word, half.blocks, flags, half.heads)
    return Move("epsilon", fine, half, tuple(_place(fine, (v,)) for v in legs))


def _headless(half: Half, head: tuple[str, int]) -> Move:
    """The epsilon of a jellyfish, from the half where all the blocks of its space go through."""
    here = [half.word[block[0]].space == head[0] for block in half.blocks]
    flags = tuple(flag or own for flag, own in zip(half.through, here, strict=True))
    fine = Half(half.word, half.blocks, flags, tuple(other for other in half.heads if other != head))
    closed = [b for b, flag, own in zip(half.blocks, half.through, here, strict=True) if own and not flag]
    return Move("epsilon", fine, half, tuple(_place(fine, block) for block in closed))


def _open(half: Half, b: int) -> Move:
    block = half.blocks[b]
    closing = FAMILIES[half.word[block[0]].group.family].closing
    if closing == "sum":
        flags = tuple(flag or at == b for at, flag in enumerate(half.through))
        fine = Half(half.word, half.blocks, flags, half.heads)
        return Move("sum", fine, half, (_place(fine, block),))
    pairs = [(x, f) for x, f in zip(half.blocks, half.through, strict=True) if x != block]
    pairs = sorted([*pairs, *(((v,), True) for v in block)])
    fine = Half(half.word, tuple(x for x, _ in pairs), tuple(f for _, f in pairs), half.heads)
    return Move(closing, fine, half, tuple(sorted(_place(fine, (v,)) for v in block)))
