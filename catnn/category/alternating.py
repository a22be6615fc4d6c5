"""A(n), the even permutations: set partitions and jellyfish (Comes 2020; Pearce-Crump, arXiv 2301.10152).

A jellyfish ``J_pi`` is a partition with n blocks, or n - 1, and denotes ``eps(x_B1, ..., x_Bn)``: a Levi-Civita tensor
with a leg in every block, blocks in the order of their least vertices, outputs first; for n - 1 blocks the last leg is
summed.  Its entries are 1, -1 and 0, and it is the difference of the two orbits of A(n) that are one orbit of S(n).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import permutations, product
from math import factorial
from typing import TYPE_CHECKING

from catnn.category.counting import bell, stirling_start
from catnn.category.family import Blocks, Part, Weighted, placed
from catnn.category.partitions import Symmetric, equality_tensor, growth_strings
from catnn.category.rotations import sign
from catnn.category.scalar import Scalar, Size

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

Leg = int | None
"""The number of the component in which a leg ends; None where it is summed."""


class Alternating(Symmetric):
    """A(n) on R^n by even permutation matrices.

    >>> A = Alternating()
    >>> [A.dim(0, m, 3) for m in range(9)], [A.dim(0, m, 4) for m in range(9)]
    ([1, 1, 3, 9, 27, 81, 243, 729, 2187], [1, 1, 2, 6, 22, 86, 342, 1366, 5462])
    """

    key = "A"
    title = "the alternating group"
    epsilon = "jellyfish"
    restricted = True
    baselines = False
    generators = Symmetric.generators | {"eps"}
    law = "a diagram of A(n) is a set partition, or a jellyfish: `sgn` and n letters, or n - 1 and a summed leg"

    def part_fault(self, part: Part, size: Size) -> str | None:
        if not part.signed:
            return None
        assert isinstance(size, int)
        if size < 2:
            return "A(1) is S(1), without jellyfish"
        blocks = len(part.blocks)
        if blocks in (size - 1, size):
            return None
        return f"a jellyfish has {size} letters or {size - 1}, not {blocks}"

    def epsilon_part(self, size: int) -> Part:
        """In A(1) it is 1, as the unit is."""
        return Part(size, 0, tuple((v,) for v in range(size)), signed=size > 1)

    def compose(self, upper: Part, lower: Part, size: Size) -> Weighted:
        if not upper.signed and not lower.signed:
            return super().compose(upper, lower, size)
        assert isinstance(size, int)
        l, m = upper.l, upper.k
        stacked = [(upper.blocks, 0), (lower.blocks, l)]
        component, groups = _components(l + m + lower.k, [tuple(v + s for v in b) for bs, s in stacked for b in bs])
        heads = [
            _legs([component[block[0] + shift] for block in part.blocks], size)
            for part, (_, shift) in zip((upper, lower), stacked, strict=True)
            if part.signed
        ]
        outer = [tuple(v if v < l else v - m for v in group if not l <= v < l + m) for group in groups]
        return _weighted(l, lower.k, outer, heads, size)

    def beside(self, left: Part, right: Part, size: Size) -> Weighted:
        if not left.signed and not right.signed:
            return super().beside(left, right, size)
        assert isinstance(size, int)
        l, first = left.l + right.l, len(left.blocks)
        groups = (*placed(left, l, 0, 0), *placed(right, l, left.l, left.k))
        rows = ((left, range(first)), (right, range(first, len(groups))))
        heads = [_legs(row, size) for part, row in rows if part.signed]
        return _weighted(l, left.k + right.k, groups, heads, size)

    def expansion(self, epsilons: int, blocks: int, outer: int, size: int) -> int:
        """Two jellyfish are n! terms; with one, each block without a leg is merged into all n of them."""
        found: int = factorial(size) ** (epsilons // 2)
        return found * size ** min(blocks if epsilons < 2 else outer, outer) if epsilons % 2 else found

    def reversal(self, part: Part) -> int:
        """The legs are sorted by their new least vertices."""
        if not part.signed:
            return 1
        return sign([min(v - part.l if v >= part.l else v + part.k for v in block) for block in part.blocks])

    def heads(self, m: int, size: Size, most: int) -> Iterator[tuple[Blocks, tuple[bool, ...], int]]:
        """Every block has a leg; those that do not go through give way to axes, at most as many."""
        assert isinstance(size, int)
        for string in growth_strings(m, size) if m and size > 1 else ():
            count = max(string) + 1
            blocks = tuple(tuple(v for v in range(m) if string[v] == b) for b in range(count))
            for flags, summed in product(product((True, False), repeat=count), (0, 1)):
                born, through = size - count - summed, sum(flags)
                if 0 <= born <= count - through and through + born <= most:
                    yield blocks, flags, summed

    def count_at(self, k: int, l: int, size: Size) -> int:
        return bell(k + l) + _jellyfish(k + l, size)

    def effort(self, k: int, l: int, size: Size) -> tuple[int, bool]:
        found, exact = super().effort(k, l, size)
        return found + _jellyfish(k + l, size), exact

    def dim(self, k: int, l: int, size: Size) -> int:
        """An orbit of S(n) is two of A(n) where no transposition fixes it: with n or n - 1 different indices."""
        return super().dim(k, l, size) + _jellyfish(k + l, size)

    def in_basis(self, part: Part, size: int) -> bool:
        return part.signed or len(part.blocks) <= size

    def inner(self, left: Part, right: Part, size: Size) -> Scalar:
        """A jellyfish is orthogonal to every partition, and to every other: they live on different orbits."""
        if not left.signed and not right.signed:
            return super().inner(left, right, size)
        return self.norm2(left, size) if left == right else Scalar(())

    def norm2(self, part: Part, size: Size) -> Scalar:
        if not part.signed:
            return super().norm2(part, size)
        assert isinstance(size, int)
        return Scalar.of(factorial(size))

    def tensor(self, part: Part, size: int) -> NDArray[numpy.int64]:
        """The entries of a jellyfish are written one by one, n! of them."""
        if not part.signed:
            return equality_tensor(part, size)
        import numpy

        block_of = {v: b for b, block in enumerate(part.blocks) for v in block}
        orders = numpy.array(list(permutations(range(size))))
        result = numpy.zeros((size,) * (part.l + part.k), dtype=numpy.int64)
        index = tuple(orders[:, block_of[v]] for v in range(part.l + part.k))
        result[index] = [sign(order) for order in orders.tolist()]
        return result

    def random_element(self, size: int, seed: int) -> NDArray[numpy.float64]:
        import numpy

        order = numpy.random.default_rng(seed).permutation(size)
        if sign(order.tolist()) < 0:
            order[[0, 1]] = order[[1, 0]]
        return numpy.eye(size)[order]


def _jellyfish(m: int, size: Size) -> int:
    """How many there are on m vertices."""
    if isinstance(size, str) or size < 2 or m < size - 1:
        return 0
    return sum(stirling_start(m, size)[size - 1 :])


def _components(vertices: int, blocks: Iterable[tuple[int, ...]]) -> tuple[list[int], list[list[int]]]:
    """The component of every vertex by number, and the vertices of every component."""
    parent = list(range(vertices))

    def find(vertex: int) -> int:
        while parent[vertex] != vertex:
            parent[vertex] = parent[parent[vertex]]
            vertex = parent[vertex]
        return vertex

    for block in blocks:
        for vertex in block[1:]:
            parent[find(vertex)] = find(block[0])
    groups: dict[int, list[int]] = {}
    for vertex in range(vertices):
        groups.setdefault(find(vertex), []).append(vertex)
    number = {root: at for at, root in enumerate(groups)}
    return [number[find(vertex)] for vertex in range(vertices)], list(groups.values())


def _legs(components: Iterable[int], size: int) -> list[Leg]:
    """The n legs of a jellyfish whose blocks, in their order, are in these components."""
    found: list[Leg] = list(components)
    return found if len(found) == size else [*found, None]


def _weighted(l: int, k: int, groups: Sequence[tuple[int, ...]], heads: list[list[Leg]], size: int) -> Weighted:
    """What components with one or two epsilons multiply out to.

    groups: the outer vertices of each component, none for one of the middle row alone; heads: the legs of each epsilon.
    """
    if any(len({leg for leg in head if leg is not None}) + head.count(None) < size for head in heads):
        return ()  # two legs in one component
    if len(heads) == 1:
        return _one_head(l, k, groups, heads[0], size)
    found: dict[Blocks, int] = {}
    for order in permutations(range(size)):
        blocks, loops = _matched(groups, heads, order)
        found[blocks] = found.get(blocks, 0) + sign(order) * size**loops
    return tuple((Scalar.of(value), Part(l, k, blocks)) for blocks, value in found.items() if value)


def _one_head(l: int, k: int, groups: Sequence[tuple[int, ...]], head: list[Leg], size: int) -> Weighted:
    """A component without a leg has the index of one of the n legs: it is merged into each of them in turn."""
    legs = [() if leg is None else groups[leg] for leg in head]
    if legs.count(()) > 1:
        return ()  # two summed legs
    rest = [group for at, group in enumerate(groups) if at not in head]
    loose = [group for group in rest if group]
    factor = Scalar.of(size ** (len(rest) - len(loose)))
    found = []
    for choice in product(range(size), repeat=len(loose)):
        merged = list(legs)
        for at, group in zip(choice, loose, strict=True):
            merged[at] = tuple(sorted((*merged[at], *group)))
        order = [(not block, block) for block in merged]  # a summed leg is the last
        part = Part(l, k, tuple(sorted(block for block in merged if block)), (), signed=True)
        found.append((factor if sign(order) == 1 else -factor, part))
    return tuple(found)


def _matched(groups: Sequence[tuple[int, ...]], heads: list[list[Leg]], order: tuple[int, ...]) -> tuple[Blocks, int]:
    """Leg i of one epsilon merged with leg order[i] of the other: the blocks, and how many loops there are."""
    pairs = [(leg, heads[1][at]) for leg, at in zip(heads[0], order, strict=True)]
    merged = _components(len(groups), [(a, b) for a, b in pairs if a is not None and b is not None])[1]
    blocks = [tuple(sorted(v for at in group for v in groups[at])) for group in merged]
    kept = tuple(sorted(block for block in blocks if block))
    return kept, len(blocks) - len(kept) + pairs.count((None, None))
