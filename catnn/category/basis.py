"""The whole hom-space of `all`, as a sequence that makes a diagram when it is asked for one.

Where every output half, permutation and input half of a level meet in a diagram of the basis, the basis is its halves:
454 of them stand for the 115,975 diagrams of 5 -> 5.  What is made of such a sequence takes time in the halves.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import overload

from catnn.category.diagram import Diagram, Morphism, linear
from catnn.category.families import FAMILIES
from catnn.category.half import Half
from catnn.category.halves import Factors, by_level, count, dimension, level_key, level_permutations
from catnn.category.labelled import basis_of, is_orbital, permuted
from catnn.category.scalar import ONE, Scalar
from catnn.category.wires import Word, bases, ends

FEW = 60
"""Up to so many diagrams are shown."""


@dataclass(frozen=True, slots=True)
class Level:
    """The diagrams with one word of through blocks: outputs x inputs x sigmas, the outputs slowest.

    start: the index of the first of them in the basis.
    """

    word: Word
    outputs: tuple[Half, ...]
    inputs: tuple[Half, ...]
    sigmas: tuple[tuple[int, ...], ...]
    start: int = 0

    def __len__(self) -> int:
        return len(self.outputs) * len(self.inputs) * len(self.sigmas)


class Basis(Sequence[Morphism]):
    """The diagrams of a hom-space in the order of the weights; equal to the tuple of them.

    mean: each diagram carries the factor of `reduce: mean`.

    >>> from catnn.category.wires import Group, Wire
    >>> V = Wire("V", Group("S", "n"))
    >>> space = whole((V, V), (V, V))
    >>> len(space), space[13], [len(level) for level in space.levels]
    (15, catnn.diagram('S(n)', 'i j -> i j'), [4, 9, 2])
    """

    def __init__(self, source: Word, target: Word, levels: tuple[Level, ...], *, mean: bool = False) -> None:
        self.source, self.target, self.mean = source, target, mean
        starts = accumulate((len(level) for level in levels), initial=0)
        self.levels = tuple(
            Level(level.word, level.outputs, level.inputs, level.sigmas, start)
            for level, start in zip(levels, starts, strict=False)
        )
        self._starts = [level.start for level in self.levels]
        self._length = sum(map(len, self.levels))

    def factors(self, index: int) -> Factors:
        """The halves and the permutation of a diagram.  Raises: IndexError."""
        at = index + self._length if index < 0 else index
        if not 0 <= at < self._length:
            raise IndexError(f"there are {self._length} diagrams, no number {index}")
        level = self.levels[bisect_right(self._starts, at) - 1]
        rest, s = divmod(at - level.start, len(level.sigmas))
        c, r = divmod(rest, len(level.inputs))
        return Factors(level.outputs[c], level.sigmas[s], level.inputs[r])

    def at(self, level: Level, output: int, input_: int, sigma: int) -> Morphism:
        """The diagram of a level with these halves and this permutation, by number."""
        place = (output * len(level.inputs) + input_) * len(level.sigmas) + sigma
        return self._element(level.start + place)

    def _element(self, index: int) -> Morphism:
        diagram = self.factors(index).diagram()
        return averaged(diagram) if self.mean else diagram

    @overload
    def __getitem__(self, index: int) -> Morphism: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Morphism, ...]: ...

    def __getitem__(self, index: int | slice) -> Morphism | tuple[Morphism, ...]:
        if isinstance(index, slice):
            return tuple(self._element(at) for at in range(*index.indices(self._length)))
        return self._element(index)

    def __iter__(self) -> Iterator[Morphism]:
        return (self._element(at) for at in range(self._length))

    def __len__(self) -> int:
        return self._length

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if isinstance(other, Basis):
            return (self.source, self.target, self.levels, self.mean) == (
                other.source,
                other.target,
                other.levels,
                other.mean,
            )
        if isinstance(other, tuple):
            return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))
        return NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        if self._length <= FEW:
            return repr(tuple(self))
        return f"<the {self._length:,} diagrams of a hom-space, {self._element(0)}, {self._element(1)}, ...>"


def whole(source: Word, target: Word, *, mean: bool = False) -> Sequence[Morphism]:
    """A basis of the equivariant maps in the order of the weights: by its halves where they say all, else listed.

    mean: diagrams carry the factor of `reduce: mean`.
    """
    if levels := _levels(source, target):
        return Basis(source, target, levels, mean=mean)
    diagrams = basis_of(source, target)
    return tuple(averaged(diagram) for diagram in diagrams) if mean else tuple(diagrams)


def _levels(source: Word, target: Word) -> tuple[Level, ...]:
    """The levels of a hom-space whose halves all meet; () where some do not, or where nobody knows yet."""
    for wire in bases(source + target):
        family = FAMILIES[wire.group.family]
        if is_orbital(wire) or family.restricted or family.epsilon or family.ambient is not None:
            return ()
        literal = isinstance(wire.group.size, int)
        if literal and family.is_hard(*ends(wire, source, target), wire.group.size):
            return ()
    number = count(source, target)
    if any(isinstance(wire.group.size, int) for wire in source + target) and dimension(source, target) < number:
        return ()
    outputs, inputs = by_level(target, source), by_level(source, target)
    levels = tuple(
        Level(word, tuple(outputs[word]), tuple(inputs[word]), tuple(level_permutations(word)))
        for word in sorted(outputs.keys() & inputs.keys(), key=level_key)
    )
    return levels if sum(map(len, levels)) == number else ()


def averaged(value: Morphism) -> Morphism:
    """Every diagram divided by the size of each of its input-only blocks, so that sums become means."""
    if isinstance(value, Diagram):
        factor = mean_factor(value)
        return value if factor == ONE else value * factor
    return linear(value.source, value.target, ((c * mean_factor(d), d) for c, d in value.weighted))


def mean_factor(diagram: Diagram) -> Scalar:
    """1/n for each block that has inputs only, n the size of its space; a leg of an epsilon is no such block.

    Of an orbit, 1 over the number of inputs that meet an output: the mean over neighbours.
    """
    factor, outputs = ONE, len(diagram.target)
    legs = diagram.free
    for block in diagram.parts:
        if block[0] >= outputs and block[0] not in legs and not is_orbital(diagram.wire(block[0])):
            factor = factor * Scalar.size(diagram.wire(block[0]).group.size, -1)
    for wire in diagram.spaces():
        if is_orbital(wire):
            factor = factor / Scalar.of(permuted(wire).valency(diagram.part(wire)[0]))
    return factor
