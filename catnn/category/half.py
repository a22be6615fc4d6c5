"""A half: the blocks of one word, and what of them goes through to the other side (see `catnn.category.halves`)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from catnn.category.diagram import Diagram
from catnn.category.families import FAMILIES
from catnn.category.family import Blocks
from catnn.category.wires import Wire, Word

Heads = tuple[tuple[str, int], ...]
"""Jellyfish by the name of their space, sorted, with the number of legs that are summed (0 or 1)."""


@dataclass(frozen=True, slots=True)
class Half:
    """A half of a word: its blocks, and which of them go through to the other side.

    word: the outer word; blocks: sorted tuples of positions; through: a flag a block.  In SO(n) a position alone that
    does not go through is a leg of a Levi-Civita tensor, whose other axes (n less the legs) go through.
    heads: the jellyfish in this half, (space, how many legs are summed); every block of the space has a leg, and the
    other axes of the tensor go through.
    Halves of one word are ordered by (spaces with a jellyfish, restricted growth string of the blocks, through flags
    with True first, summed legs).

    >>> from catnn.category.halves import halves
    >>> from catnn.category.wires import Group, Wire
    >>> V = Wire("V", Group("S", "n"))
    >>> [str(half) for half in halves((V, V))]
    ['[i i ->]', '[i j ->]', '[i i -> i]', '[i j -> i]', '[i j -> j]', '[i j -> i j]']
    """

    word: Word
    blocks: Blocks
    through: tuple[bool, ...]
    heads: Heads = ()
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.word, self.blocks, self.through, self.heads)))

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[type[Half], tuple[object, ...]]:
        return Half, (self.word, self.blocks, self.through, self.heads)

    @property
    def ports(self) -> tuple[int, ...]:
        """What goes through by number, in the order of the level's axes: by space (V before V'), then least vertex.

        The axes of epsilons are numbered after the blocks, and come last in their space.
        """
        wires = [self.word[block[0]] for block in self.blocks] + list(self.axes)
        open_ = [b for b, flag in enumerate(self.through) if flag]
        open_ += range(len(self.blocks), len(wires))
        return tuple(sorted(open_, key=lambda b: (wires[b].space, wires[b].dual, b)))

    @property
    def legs(self) -> tuple[int, ...]:
        """The positions that are legs of epsilons and do not go through, ascending; of a block, the least."""
        signed = dict(self.heads)
        closed = [b for b, flag in zip(self.blocks, self.through, strict=True) if not flag and (signed or len(b) == 1)]
        return tuple(
            b[0]
            for b in closed
            if self.word[b[0]].space in signed
            or (len(b) == 1 and FAMILIES[self.word[b[0]].group.family].epsilon == "free")
        )

    @property
    def axes(self) -> Word:
        """The wires of the axes that epsilons have beside their legs."""
        legs = self.legs
        if not legs and not self.heads:
            return ()
        found: list[Wire] = []
        signed = dict(self.heads)
        for wire, met in Counter(self.word[v] for v in legs).items():
            if wire.space not in signed:
                assert isinstance(wire.group.size, int)
                found += [wire] * (wire.group.size - met)
        for space, summed in self.heads:
            blocks = [self.word[block[0]] for block in self.blocks if self.word[block[0]].space == space]
            size = blocks[0].group.size
            assert isinstance(size, int)
            found += [blocks[0]] * (size - len(blocks) - summed)
        return tuple(found)

    @property
    def jellyfish(self) -> tuple[str, ...]:
        """The spaces with a jellyfish here."""
        return tuple(space for space, _ in self.heads)

    @property
    def level(self) -> Word:
        """The word of what goes through, sorted by space: which level this half belongs to."""
        wires = [self.word[block[0]] for block in self.blocks] + list(self.axes)
        return tuple(wires[b] for b in self.ports)

    @property
    def closed(self) -> int:
        """How many blocks do not go through."""
        return len(self.through) - sum(self.through)

    def key(self) -> tuple[object, ...]:
        """The place among the halves of one level."""
        block_of = {v: b for b, block in enumerate(self.blocks) for v in block}
        string = tuple(block_of[v] for v in range(len(self.word)))
        return (self.jellyfish, string, tuple(not flag for flag in self.through), self.heads)

    def diagram(self) -> Diagram:
        """The half as a diagram from its word to its level."""
        ports = self.ports
        place = {b: j for j, b in enumerate(ports)}
        shifted = (
            ((place[b],) if b in place else ()) + tuple(v + len(ports) for v in block)
            for b, block in enumerate(self.blocks)
        )
        axes = ((place[b],) for b in ports if b >= len(self.blocks))
        return Diagram(self.word, self.level, tuple(sorted((*shifted, *axes))), self.jellyfish)

    def __str__(self) -> str:
        return str(self.diagram())
