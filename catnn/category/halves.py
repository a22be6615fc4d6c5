"""Halves: a diagram is an input half, a permutation of its through blocks, and an output half, uniquely.

So the hom-space of k inputs and l outputs has only ``a(k) + a(l)`` halves, however many diagrams there are; they are
the rows and columns by which a layer is planned (reduce, mix, expand).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise, permutations, product
from math import prod

from catnn.category.diagram import Diagram, restrict
from catnn.category.families import FAMILIES
from catnn.category.family import Blocks
from catnn.category.half import Half
from catnn.category.rotations import sign
from catnn.category.wires import Wire, Word, bases, ends


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
        family, size = FAMILIES[wire.group.family], wire.group.size
        plain = [(blocks, flags, ()) for blocks, flags in family.halves_on(duals, size, most)]
        heads = [(blocks, flags, ((wire.space, n),)) for blocks, flags, n in family.heads(len(place), size, most)]
        choices.append([*plain, *heads])
    found = []
    for combination in product(*choices):
        pieces = [
            (tuple(place[v] for v in block), flag)
            for place, (blocks, flags, _) in zip(places, combination, strict=True)
            for block, flag in zip(blocks, flags, strict=True)
        ]
        pieces.sort()
        signed = tuple(sorted(head for _, _, row in combination for head in row))
        found.append(Half(word, tuple(b for b, _ in pieces), tuple(f for _, f in pieces), signed))
    return sorted(found, key=lambda half: (level_key(half.level), half.key()))


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

        The output half is used upside down, and an epsilon of SO(n) has the legs and the axes in the other order there.
        The legs of a jellyfish are sorted anew, through blocks too.
        """
        result = 1
        for space, _ in self.input.heads:
            result *= sign([i for i, wire in zip(self.sigma, self.output.level, strict=True) if wire.space == space])
        for space, _ in self.output.heads:
            result *= sign(self._landed(space))
        if not self.output.legs:
            return result
        legs, axes = Counter(self.output.word[v] for v in self.output.legs), Counter(self.output.axes)
        signed = self.output.jellyfish
        return -result if sum(legs[w] * axes[w] for w in legs if w.space not in signed) % 2 else result

    def _landed(self, space: str) -> list[tuple[bool, int]]:
        """Where the legs of a jellyfish in the output half end, in the order that they have there."""
        outs, found = self.output, []
        for j, (b, wire) in enumerate(zip(outs.ports, outs.level, strict=True)):
            if wire.space == space:
                above = b < len(outs.blocks)
                found.append((not above, b if above else self.sigma[j]))
        closed = [b for b, flag in enumerate(outs.through) if not flag and outs.word[outs.blocks[b][0]].space == space]
        return [*found, *((False, b) for b in closed)]

    @property
    def jellyfish(self) -> tuple[str, ...]:
        """The spaces with a jellyfish."""
        return tuple(sorted((*self.output.jellyfish, *self.input.jellyfish)))

    def diagram(self) -> Diagram:
        """The diagram again."""
        return Diagram(self.input.word, self.output.word, self.blocks(), self.jellyfish)

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

    An epsilon is applied in the half where fewer axes result: with s legs of n above, in the input half if 2s <= n; a
    jellyfish in the input half if at most as many blocks are above alone as are below alone.
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
    ends = {b[0]: (b[0] < l, b[-1] >= l) for b in diagram.parts}
    above, below = (Counter(diagram.wire(v) for v in free if ends[v] == row) for row in ((True, False), (False, True)))
    upward = {wire for wire in size if above[wire] > below[wire]}
    closed = {v for v in free if ends[v] != (True, True) and (diagram.wire(v) in upward) == (v < l)}
    tops = sorted((tuple(v for v in b if v < l), b[-1] >= l or b[0] in free) for b in diagram.parts if b[0] < l)
    lower = [b for b in diagram.parts if b[-1] >= l]
    bottoms = sorted((tuple(v - l for v in b if v >= l), b[0] < l or b[0] in free) for b in lower)
    heads: tuple[list[tuple[str, int]], list[tuple[str, int]]] = ([], [])
    for wire in size:
        if wire.space in diagram.jellyfish:
            assert isinstance(wire.group.size, int)
            heads[wire not in upward].append((wire.space, wire.group.size - size[wire]))
    outer, inner = (tuple(sorted(row)) for row in heads)
    output = Half(diagram.target, tuple(p for p, _ in tops), tuple(f and p[0] not in closed for p, f in tops), outer)
    flags = tuple(f and p[0] + l not in closed for p, f in bottoms)
    input_ = Half(diagram.source, tuple(p for p, _ in bottoms), flags, inner)
    block_of = {v: b for b in diagram.parts for v in b}

    def names(half: Half, shift: int) -> list[object]:
        """What each port is joined to: a block, or the leg of an epsilon with this number among those of its space."""
        found: list[object] = []
        seen = Counter[Wire]()
        for b, wire in zip(half.ports, half.level, strict=True):
            block = block_of[half.blocks[b][0] + shift] if b < len(half.blocks) else ()
            loose = block and block[0] in free and (block[0] < l) == (block[-1] < l)
            if block and not loose:
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

    By level (the number of through blocks, axes of epsilons among them), then by the spaces with a jellyfish above, and
    below, then output half, then input half, then permutation; so the weights of a level are one slice.  At a literal
    small size, the diagrams of the basis keep their order.
    """
    literal = any(isinstance(wire.group.size, int) for wire in source + target)
    restricted = any(FAMILIES[wire.group.family].restricted for wire in source + target)
    if restricted and not count(source, target):
        return
    outputs = by_level(target, source)
    inputs = by_level(source, target)
    for level in sorted(outputs.keys() & inputs.keys(), key=level_key):
        sigmas = level_permutations(level)
        rows = product(_by_heads(outputs[level]), _by_heads(inputs[level]))
        pairs = (pair for outs, ins in rows for pair in product(outs, ins))
        for (output, input_), sigma in product(pairs, sigmas):
            found = Factors(output, sigma, input_)
            if restricted and not exists(found):
                continue
            if not literal or in_basis(found.diagram()):
                yield found


def exists(found: Factors) -> bool:
    """Whether these halves and this permutation make a diagram of their groups."""
    source, target = found.input.word, found.output.word
    signed = found.jellyfish
    if (signed or found.input.legs or found.output.legs) and not _legs_meet(found):
        return False
    blocks = found.blocks()
    for wire in bases(target + source):
        part = restrict(source, target, blocks, wire, signed)[0]
        family = FAMILIES[wire.group.family]
        if any(family.block_fault(len(block)) for block in part.blocks) or family.part_fault(part, wire.group.size):
            return False
    return True


def _legs_meet(found: Factors) -> bool:
    """Whether the epsilons are in the right halves, at most one a space, and their axes keep their order."""
    ins, outs = found.input, found.output
    for half in (ins, outs):
        legs, born = Counter(half.word[v] for v in half.legs), Counter(half.axes)
        signed = {wire for wire in half.word if wire.space in half.jellyfish}
        if any(legs[wire] < born[wire] + (half is outs) for wire in signed | legs.keys()):
            return False
    if {ins.word[v] for v in ins.legs} & {outs.word[v] for v in outs.legs}:
        return False
    if not all(_is_open(half, other) for half, other in ((ins, outs), (outs, ins))):
        return False
    rows = [(ins, [ins.ports[i] for i in found.sigma]), (outs, [outs.ports[j] for j in _inverse(found.sigma)])]
    for half, order in rows:
        axes = half.axes
        at = [b - len(half.blocks) for b in order if b >= len(half.blocks)]
        if any(axes[a] == axes[b] and a > b for a, b in pairwise(at)):
            return False
    return True


def _is_open(half: Half, other: Half) -> bool:
    """Whether all blocks of a half go through where the other half has a jellyfish: each has a leg there."""
    if not other.heads:
        return True
    signed = other.jellyfish
    if set(signed) & set(half.jellyfish):
        return False
    rows = zip(half.blocks, half.through, strict=True)
    return all(flag for block, flag in rows if half.word[block[0]].space in signed)


def _inverse(sigma: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sigma.index(i) for i in range(len(sigma)))


def _by_heads(row: list[Half]) -> list[list[Half]]:
    return [list(group) for _, group in groupby(row, key=lambda half: half.jellyfish)]


def by_level(word: Word, other: Word) -> dict[Word, list[Half]]:
    """The halves of a word by level, without what cannot go through to the other word."""
    return {level: list(group) for level, group in groupby(halves(word, other), key=lambda half: half.level)}
