"""Halves: a diagram is an input half, a permutation of its through blocks, and an output half, uniquely.

So the hom-space of k inputs and l outputs has only ``a(k) + a(l)`` halves, however many diagrams there are; they are
the rows and columns by which a layer is planned (reduce, mix, expand).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby, pairwise, permutations, product
from math import prod

from catnn.category.diagram import Diagram, restrict
from catnn.category.families import FAMILIES
from catnn.category.family import Blocks
from catnn.category.scalar import ONE, Scalar
from catnn.category.wires import Wire, Word, bases, ends


@dataclass(frozen=True, slots=True)
class Half:
    """A half of a word: its blocks, and which of them go through to the other side.

    word: the outer word; blocks: sorted tuples of positions; through: a flag a block.  In SO(n) a position alone that
    does not go through is a leg of a Levi-Civita tensor, whose other axes (n less the legs) go through.
    Halves of one word are ordered by (restricted growth string of the blocks, through flags with True first).

    >>> from catnn.category.wires import Group, Wire
    >>> V = Wire("V", Group("S", "n"))
    >>> [str(half) for half in halves((V, V))]
    ['[i i ->]', '[i j ->]', '[i i -> i]', '[i j -> i]', '[i j -> j]', '[i j -> i j]']
    """

    word: Word
    blocks: Blocks
    through: tuple[bool, ...]
    _hash: int = field(init=False, repr=False, compare=False)
    _ports: tuple[int, ...] | None = field(init=False, repr=False, compare=False)
    _level: Word | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.word, self.blocks, self.through)))
        object.__setattr__(self, "_ports", None)
        object.__setattr__(self, "_level", None)

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[type[Half], tuple[object, ...]]:
        return Half, (self.word, self.blocks, self.through)

    @property
    def ports(self) -> tuple[int, ...]:
        """What goes through by number, in the order of the level's axes: by space (V before V'), then least vertex.

        The axes of epsilons are numbered after the blocks, and come last in their space.
        """
        if self._ports is not None:
            return self._ports
        wires = [self.word[block[0]] for block in self.blocks] + list(self.axes)
        open_ = [b for b, flag in enumerate(self.through) if flag]
        open_ += range(len(self.blocks), len(wires))
        ports = tuple(sorted(open_, key=lambda b: (wires[b].space, wires[b].dual, b)))
        object.__setattr__(self, "_ports", ports)
        return ports

    @property
    def legs(self) -> tuple[int, ...]:
        """The positions that are legs of epsilons, ascending."""
        alone = [b[0] for b, flag in zip(self.blocks, self.through, strict=True) if not flag and len(b) == 1]
        return tuple(v for v in alone if FAMILIES[self.word[v].group.family].epsilon)

    @property
    def axes(self) -> Word:
        """The wires of the axes that epsilons have beside their legs."""
        found: list[Wire] = []
        for wire, legs in Counter(self.word[v] for v in self.legs).items():
            assert isinstance(wire.group.size, int)
            found += [wire] * (wire.group.size - legs)
        return tuple(found)

    @property
    def level(self) -> Word:
        """The word of what goes through, sorted by space: which level this half belongs to."""
        if self._level is None:
            wires = [self.word[block[0]] for block in self.blocks] + list(self.axes)
            object.__setattr__(self, "_level", tuple(wires[b] for b in self.ports))
        assert self._level is not None
        return self._level

    @property
    def closed(self) -> int:
        """How many blocks do not go through."""
        return len(self.through) - sum(self.through)

    @property
    def kind(self) -> tuple[object, ...]:
        """The spaces of the blocks that do not go through.

        Diagrams of one level whose halves are of the same kinds have the same norm, in families without epsilons.
        """
        flags = zip(self.blocks, self.through, strict=True)
        return tuple(sorted((self.word[block[0]].space, self.word[block[0]].dual) for block, flag in flags if not flag))

    def key(self) -> tuple[object, ...]:
        """The place among the halves of one level."""
        block_of = {v: b for b, block in enumerate(self.blocks) for v in block}
        string = tuple(block_of[v] for v in range(len(self.word)))
        return (string, tuple(not flag for flag in self.through))

    def diagram(self) -> Diagram:
        """The half as a diagram from its word to its level."""
        ports = self.ports
        place = {b: j for j, b in enumerate(ports)}
        shifted = (
            ((place[b],) if b in place else ()) + tuple(v + len(ports) for v in block)
            for b, block in enumerate(self.blocks)
        )
        axes = ((place[b],) for b in ports if b >= len(self.blocks))
        return Diagram(self.word, self.level, tuple(sorted((*shifted, *axes))))

    def __str__(self) -> str:
        return str(self.diagram())


def halves(word: Word, other: Word | None = None) -> list[Half]:
    """All halves of a word, by level (see `level_key`), then in their order.

    other: the word on the other side, to leave out what cannot go through to it.
    """
    wires = bases(word)
    places = [tuple(v for v, w in enumerate(word) if w.base == wire) for wire in wires]
    choices = []
    for wire, place in zip(wires, places, strict=True):
        duals = tuple(word[v].dual for v in place)
        most = len(place) if other is None else min(len(place), sum(w.base == wire for w in other))
        choices.append(list(FAMILIES[wire.group.family].halves_on(duals, wire.group.size, most)))
    found = []
    for combination in product(*choices):
        pieces = [
            (tuple(place[v] for v in block), flag)
            for place, (blocks, flags) in zip(places, combination, strict=True)
            for block, flag in zip(blocks, flags, strict=True)
        ]
        pieces.sort()
        found.append(Half(word, tuple(b for b, _ in pieces), tuple(f for _, f in pieces)))
    return sorted(found, key=lambda half: (level_key(half.level), half.key()))


def mean_factor(half: Half) -> Scalar:
    """1/n for every block of an input half that does not go through, n the size of its space."""
    result, legs = ONE, half.legs
    for block, through in zip(half.blocks, half.through, strict=True):
        if not through and block[0] not in legs:
            result = result * Scalar.size(half.word[block[0]].group.size, -1)
    return result


def level_key(level: Word) -> tuple[object, ...]:
    """Levels in order: by the number of through blocks, then by their spaces."""
    return (len(level), tuple((wire.space, wire.dual) for wire in level))


def level_permutations(level: Word) -> list[tuple[int, ...]]:
    """The permutations of a level that keep spaces, lexicographically: output j is joined to input sigma[j].

    Where wires do not cross, they keep their order too.
    """
    choices: list[list[tuple[int, ...]]] = []
    start = 0
    for wire, group in groupby(level):
        run = tuple(range(start, start + len(tuple(group))))
        planar = FAMILIES[wire.group.family].planar(wire.group.size)
        choices.append([run] if planar else list(permutations(run)))
        start += len(run)
    return [tuple(v for run in choice for v in run) for choice in product(*choices)]


@dataclass(frozen=True, slots=True)
class Factors:
    """A diagram as output half . permutation . input half; sigma[j] is the input port joined to output port j."""

    output: Half
    sigma: tuple[int, ...]
    input: Half

    @property
    def sign(self) -> int:
        """What the output half, the permutation and the input half compose to, over the diagram: 1 or -1.

        The output half is used upside down, and its epsilon has the legs and the axes in the other order there.
        """
        if not self.output.legs:
            return 1
        legs, axes = Counter(self.output.word[v] for v in self.output.legs), Counter(self.output.axes)
        return -1 if sum(legs[wire] * axes[wire] for wire in legs) % 2 else 1

    def diagram(self) -> Diagram:
        """The diagram again."""
        return Diagram(self.input.word, self.output.word, self.blocks())

    def blocks(self) -> Blocks:
        """Its blocks, sorted."""
        l = len(self.output.word)
        outs, ins = self.output, self.input
        blocks = [block for block, flag in zip(outs.blocks, outs.through, strict=True) if not flag]
        blocks += [tuple(v + l for v in block) for block, flag in zip(ins.blocks, ins.through, strict=True) if not flag]
        outer, inner = outs.ports, ins.ports
        for j, b in enumerate(outer):
            above = outs.blocks[b] if b < len(outs.blocks) else ()
            i = inner[self.sigma[j]]
            below = tuple(v + l for v in ins.blocks[i]) if i < len(ins.blocks) else ()
            blocks.append(above + below)
        return tuple(sorted(blocks))


def factors(diagram: Diagram) -> Factors:
    """The unique factors of a diagram.

    An epsilon is applied in the half where fewer axes result: with s legs of n above, in the input half if 2s <= n.
    """
    if diagram.free:
        return _factors_with_legs(diagram)
    l = len(diagram.target)
    tops = [(tuple(v for v in b if v < l), b) for b in diagram.parts]
    bottoms = [(tuple(v - l for v in b if v >= l), b) for b in diagram.parts]
    top = sorted(((piece, b) for piece, b in tops if piece))
    bottom = sorted(((piece, b) for piece, b in bottoms if piece))
    output = Half(diagram.target, tuple(p for p, _ in top), tuple(b[-1] >= l for _, b in top))
    input_ = Half(diagram.source, tuple(p for p, _ in bottom), tuple(b[0] < l for _, b in bottom))
    where = {bottom[b][1]: j for j, b in enumerate(input_.ports)}
    return Factors(output, tuple(where[top[b][1]] for b in output.ports), input_)


def _factors_with_legs(diagram: Diagram) -> Factors:
    l, free = len(diagram.target), diagram.free
    size = {wire: sum(diagram.wire(v) == wire for v in free) for wire in diagram.spaces()}
    above = Counter(diagram.wire(v) for v in free if v < l)
    closed = {v for v in free if (2 * above[diagram.wire(v)] > size[diagram.wire(v)]) == (v < l)}
    tops = sorted((tuple(v for v in b if v < l), b[-1] >= l or b[0] in free) for b in diagram.parts if b[0] < l)
    below = [b for b in diagram.parts if b[-1] >= l]
    bottoms = sorted((tuple(v - l for v in b if v >= l), b[0] < l or b[0] in free) for b in below)
    output = Half(diagram.target, tuple(p for p, _ in tops), tuple(f and p[0] not in closed for p, f in tops))
    input_ = Half(diagram.source, tuple(p for p, _ in bottoms), tuple(f and p[0] + l not in closed for p, f in bottoms))
    block_of = {v: b for b in diagram.parts for v in b}

    def names(half: Half, shift: int) -> list[object]:
        """What each port is joined to: a block, or the leg of an epsilon with this number among those of its space."""
        found: list[object] = []
        seen = Counter[Wire]()
        for b, wire in zip(half.ports, half.level, strict=True):
            block = block_of[half.blocks[b][0] + shift] if b < len(half.blocks) else ()
            if len(block) > 1:
                found.append(block)
            else:
                found.append((wire, seen[wire]))
                seen[wire] += 1
        return found

    where = {name: j for j, name in enumerate(names(input_, l))}
    return Factors(output, tuple(where[name] for name in names(output, 0)), input_)


def count(source: Word, target: Word) -> int:
    """The number of diagrams, counted, not enumerated."""
    return prod(
        FAMILIES[w.group.family].count_at(*ends(w, source, target), w.group.size) for w in bases(source + target)
    )


def dimension(source: Word, target: Word) -> int:
    """The dimension of the space of equivariant maps (for symbolic sizes: of large ones)."""
    wires = bases(source + target)
    return prod(FAMILIES[w.group.family].dim(*ends(w, source, target), w.group.size) for w in wires)


def in_basis(diagram: Diagram) -> bool:
    """Whether a diagram belongs to the basis at the literal sizes of its spaces."""
    for wire in diagram.spaces():
        size = wire.group.size
        if isinstance(size, int) and not FAMILIES[wire.group.family].in_basis(diagram.part(wire)[0], size):
            return False
    return True


def hom(source: Word, target: Word) -> Iterator[Factors]:
    """A basis of the equivariant maps, in the order that weights have.

    By level (the number of through blocks, axes of epsilons among them), then output half, then input half, then
    permutation; so the weights of a level are one slice.  At a literal small size, the diagrams of the basis keep their
    order.
    """
    literal = any(isinstance(wire.group.size, int) for wire in source + target)
    restricted = any(FAMILIES[wire.group.family].restricted for wire in source + target)
    if restricted and not count(source, target):
        return
    outputs = by_level(target, source)
    inputs = by_level(source, target)
    for level in sorted(outputs.keys() & inputs.keys(), key=level_key):
        sigmas = level_permutations(level)
        for output, input_, sigma in product(outputs[level], inputs[level], sigmas):
            found = Factors(output, sigma, input_)
            if restricted and not _exists(found):
                continue
            if not literal or in_basis(found.diagram()):
                yield found


def _exists(found: Factors) -> bool:
    """Whether these halves and this permutation make a diagram of their groups."""
    source, target = found.input.word, found.output.word
    if (found.input.legs or found.output.legs) and not _legs_meet(found):
        return False
    blocks = found.blocks()
    for wire in bases(target + source):
        part = restrict(source, target, blocks, wire)[0]
        family = FAMILIES[wire.group.family]
        if any(family.block_fault(len(block)) for block in part.blocks) or family.part_fault(part, wire.group.size):
            return False
    return True


def _legs_meet(found: Factors) -> bool:
    """Whether the epsilons are in the right halves, at most one a space, and their axes keep their order."""
    ins, outs = found.input, found.output
    for half in (ins, outs):
        legs, born = Counter(half.word[v] for v in half.legs), Counter(half.axes)
        if any(legs[wire] < born[wire] + (half is outs) for wire in legs):
            return False
    if {ins.word[v] for v in ins.legs} & {outs.word[v] for v in outs.legs}:
        return False
    rows = [(ins, [ins.ports[i] for i in found.sigma]), (outs, [outs.ports[j] for j in _inverse(found.sigma)])]
    for half, order in rows:
        axes = half.axes
        at = [b - len(half.blocks) for b in order if b >= len(half.blocks)]
        if any(axes[a] == axes[b] and a > b for a, b in pairwise(at)):
            return False
    return True


def _inverse(sigma: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sigma.index(i) for i in range(len(sigma)))


def by_level(word: Word, other: Word) -> dict[Word, list[Half]]:
    """The halves of a word by level, without what cannot go through to the other word."""
    return {level: list(group) for level, group in groupby(halves(word, other), key=lambda half: half.level)}
