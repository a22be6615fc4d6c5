"""Orders of a contraction that cost the same, but read their tensors otherwise: the better of them.

A vector times a matrix that lies row by row is fast; a matrix times a vector, batch by batch, is up to five times
slower, and so is what transposes the matrix first.  The count of multiplications does not see that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

Tree = int | tuple["Tree", "Tree"]
"""Which operands are multiplied first: a leaf is the number of an operand."""

ACROSS = 8
"""To read a number across the order in which it lies costs as much as so many multiplications."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What the cost of a tree depends on.

    operands: the indices of each, as they lie in memory; target: those that are not summed; write: what it costs to
    write a number; most: how many numbers an intermediate tensor may have; order: the places of indices in the result.
    """

    operands: Sequence[tuple[int, ...]]
    target: frozenset[int]
    lengths: Mapping[int, int]
    write: int
    most: int
    order: Mapping[int, int] = field(default_factory=dict)

    def of(self, tree: Tree) -> tuple[int, int, int]:
        """What is too large in a tree; its multiplications, what it writes and what it reads across; and, of trees that
        are equal in these, how many indices its products take as one.
        """
        uses = Counter(index for axes in self.operands for index in axes)
        large = cost = joined = 0

        def walk(node: Tree) -> tuple[tuple[int, ...], Counter[int]]:
            nonlocal large, cost, joined
            if isinstance(node, int):
                return self.operands[node], Counter(self.operands[node])
            (left, inside), (right, others) = walk(node[0]), walk(node[1])
            inside = inside + others
            kept = {i for i in (*left, *right) if i in self.target or inside[i] < uses[i]}
            written = self._volume(kept)
            large += max(0, written - self.most)
            cost += self._volume({*left, *right}) + self.write * written
            for vectors, matrices, at in ((left, right, node[1]), (right, left, node[0])):
                if isinstance(at, int):  # what is made on the way lies as it is needed
                    cost += ACROSS * self._across(vectors, matrices, kept)
            axes, more = self._product(left, right, kept)
            joined += more
            return axes, inside

        walk(tree)
        return large, cost, joined

    def _across(self, vectors: tuple[int, ...], matrices: tuple[int, ...], kept: set[int]) -> int:
        """The numbers of matrices that are multiplied by vectors, batch by batch, and lie with what is summed last."""
        shared = [i for i in vectors if i in matrices and i in kept]
        rest = [i for i in matrices if i not in shared]
        batched = bool(shared) and set(vectors) <= set(matrices)
        return self._volume(matrices) if batched and rest and rest[-1] not in kept and kept.intersection(rest) else 0

    def _product(self, left: tuple[int, ...], right: tuple[int, ...], kept: set[int]) -> tuple[tuple[int, ...], int]:
        """The indices of a product as they lie, and how many further ones its columns and its sums take as one."""
        shared = [i for i in left if i in right and i in kept]
        summed = [i for i in left if i in right and i not in kept]
        own = [[i for i in one if i in kept and i not in other] for one, other in ((left, right), (right, left))]
        if not all(own):  # entry by entry, or a matrix times a vector
            matrix = left if own[0] else right
            return tuple(i for i in matrix if i in kept), max(0, len(summed) - 1)
        first = min((*own[0], *own[1]), key=lambda index: self.order.get(index, len(self.order)))
        rows, columns = own if first in own[0] else reversed(own)
        if not summed:
            return (*shared, *rows, *columns), 0
        parted = sum(self._parted(one, mine, summed) for one, mine in zip((left, right), own, strict=True))
        return (*shared, *rows, *columns), len(columns) - 1 + len(summed) - 1 + parted

    @staticmethod
    def _parted(axes: tuple[int, ...], own: list[int], summed: list[int]) -> int:
        """How often what is summed stands between indices that are taken as one, so that the tensor is copied."""
        inside = [index in summed for index in axes if index in own or index in summed]
        return sum(inside[at - 1] != inside[at] for at in range(1, len(inside))) // 2

    def _volume(self, indices: Iterable[int]) -> int:
        return prod(self.lengths[index] for index in indices)


def exchanged(tree: Tree, costs: Costs) -> Tree:
    """Where exchanging the last two factors of products leads to, one exchange at a time, as long as it gets cheaper.

    >>> lengths = {0: 100, 1: 50, 2: 100, -1: 16}
    >>> costs = Costs([(-1, 0), (-1, 0, 1, 2), (-1, 2)], frozenset({-1, 1}), lengths, 16, 10**9)
    >>> exchanged(((1, 2), 0), costs)
    ((1, 0), 2)
    """
    best, least = tree, costs.of(tree)
    while True:
        found = next(((other, cost) for other in _neighbours(best) if (cost := costs.of(other)) < least), None)
        if found is None:
            return best
        best, least = found


def _neighbours(tree: Tree) -> Iterator[Tree]:
    """The trees with one exchange: ((a, b), c) becomes ((a, c), b) or ((b, c), a)."""
    if isinstance(tree, int):
        return
    left, right = tree
    for first, second in ((left, right), (right, left)):
        if not isinstance(first, int):
            yield (first[0], second), first[1]
            yield (first[1], second), first[0]
    yield from ((other, right) for other in _neighbours(left))
    yield from ((left, other) for other in _neighbours(right))


def tree_of(path: Sequence[tuple[int, int]], count: int) -> Tree:
    """A path of opt_einsum as a tree: both positions are removed, the product goes to the end.

    >>> tree_of([(0, 2), (0, 1)], 3)
    (1, (0, 2))
    """
    live: list[Tree] = list(range(count))
    for first, second in path:
        live.append((live[first], live[second]))
        live = [tree for at, tree in enumerate(live) if at not in (first, second)]
    return live[0]


def path_of(tree: Tree, count: int) -> list[tuple[int, int]]:
    """The inverse of `tree_of`: a path that multiplies in the order of a tree.

    >>> path_of((1, (0, 2)), 3)
    [(0, 2), (0, 1)]
    """
    live: list[Tree] = list(range(count))
    path: list[tuple[int, int]] = []

    def walk(node: Tree) -> None:
        if isinstance(node, int):
            return
        walk(node[0])
        walk(node[1])
        first, second = sorted((live.index(node[0]), live.index(node[1])))
        path.append((first, second))
        live[:] = [tree for at, tree in enumerate(live) if at not in (first, second)] + [node]

    walk(tree)
    return path
