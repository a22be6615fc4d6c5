"""What a family of groups must say about itself; `families.py` lists the families there are.

A `Part` is the piece of a diagram that lives on one space, its vertices numbered by themselves.  Everything that
depends on the group is a method of `Family`, so that a new group is one new file and a line in the registry.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from catnn.category.scalar import ONE, Scalar, Size

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

Blocks = tuple[tuple[int, ...], ...]
HalfPart = tuple[Blocks, tuple[bool, ...]]


class Part(NamedTuple):
    """A (k,l)-diagram on one space.

    l, k: numbers of outputs and inputs; blocks: sorted tuples of vertices, outputs 0..l-1, inputs l..l+k-1.
    """

    l: int
    k: int
    blocks: Blocks
    duals: tuple[int, ...] = ()
    """The vertices on dual wires, ascending."""
    signed: bool = False
    """Whether it is a jellyfish: a Levi-Civita tensor has a leg in every block."""
    points: tuple[int, ...] = ()
    """Of an orbit its least tuple, an entry a vertex; the blocks are then the vertices with equal points."""


Weighted = tuple[tuple[Scalar, Part], ...]
"""A linear combination of diagrams on one space."""


class Family(ABC):
    """A family of groups G(n) acting on R^n, and its category of diagrams."""

    key: ClassVar[str]
    title: ClassVar[str]
    generators: ClassVar[frozenset[str]]
    """Which of id swap perm merge copy unit discard spider ev coev eps exist here."""
    ambient: ClassVar[str | None] = None
    """The family that has all these diagrams and more, with the same matrices: there a layer is planned and proved."""
    oriented: ClassVar[bool] = False
    """Whether V and V' differ: a block keeps the kind across the rows and changes it within one, tensors are complex.

    Then `count` and `dim` take the wires as `catnn.category.wires.ends` counts them.
    """
    epsilon: ClassVar[Literal["", "free", "jellyfish"]] = ""
    """How a diagram carries a Levi-Civita tensor, if one may: its legs are n vertices that stay free, or it is a
    jellyfish, with a leg in every block (and one that is summed where there are n - 1).  The size is then a number."""
    orbital: ClassVar[bool] = False
    """Whether diagrams are orbits on tuples of points, no partitions; see `catnn.category.orbital.Permuted`."""
    restricted: ClassVar[bool] = False
    """Whether `part_fault` says more than `block_fault` does."""
    closing: ClassVar[Literal["sum", "trace", "form", "metric"]]
    """How a block that does not go through is computed from open wires: summed, traced, or by a form or metric."""
    law: ClassVar[str]
    """The rule that every diagram obeys, as a note for people."""
    moves: ClassVar[str] = ""
    """What the elements do that a pointwise map does not commute with, for people; where empty, the group is named."""
    step: ClassVar[int] = 1
    """How many neighbouring indices belong together; a size is a multiple of it, a mask keeps or drops them as one."""
    plus: int | None = None
    """Of an indefinite form, how many of its signs are plus."""
    merging: ClassVar[bool] = False
    """Whether blocks of a diagram may be merged, so that there is an orbit basis (`catnn.orbit`)."""
    baselines: ClassVar[bool] = False
    """Whether the ways of others to compute a layer, in `catnn.baselines`, know all its diagrams."""

    @abstractmethod
    def size_fault(self, size: int) -> str | None:
        """Why there is no group of this size, or None."""

    @abstractmethod
    def block_fault(self, ports: int) -> str | None:
        """Why no block has this many vertices ("has 3 ports, ..."), or None."""

    def part_fault(self, part: Part, size: Size) -> str | None:
        """Why blocks that may each exist are no diagram together ("crosses itself"), or None."""
        return None

    def planar(self, size: Size) -> bool:
        """Whether through blocks keep their order, so that two halves meet in one diagram at most."""
        return False

    @abstractmethod
    def compose(self, upper: Part, lower: Part, size: Size) -> Weighted:
        """upper after lower, as a linear combination."""

    def beside(self, left: Part, right: Part, size: Size) -> Weighted:
        """Two diagrams side by side, as a linear combination: one diagram, unless epsilons multiply out."""
        return ((ONE, juxtaposed(left, right)),)

    def epsilon_part(self, size: int) -> Part:
        """The Levi-Civita tensor as a diagram from nothing to n vertices."""
        return Part(size, 0, tuple((v,) for v in range(size)), signed=self.epsilon == "jellyfish")

    def expansion(self, epsilons: int, blocks: int, outer: int, size: int) -> int:
        """How many terms this many epsilons multiply out to, at most.

        blocks: how many blocks there are beside theirs; outer: how many vertices stay.
        """
        return 1

    def reversal(self, part: Part) -> int:
        """The sign between the transpose of the matrix and the matrix of the diagram upside down."""
        return 1

    @abstractmethod
    def halves(self, m: int, size: Size, most: int) -> Iterator[HalfPart]:
        """Every half of m vertices with at most `most` blocks going through: its blocks, and which of them do.

        At a literal size those may be left out that occur in no diagram of the basis.
        """

    def heads(self, m: int, size: Size, most: int) -> Iterator[tuple[Blocks, tuple[bool, ...], int]]:
        """Every half that holds the epsilon of a jellyfish, and how many of its legs are summed (0 or 1).

        Its axes that are no blocks count among the `most` that go through.
        """
        return iter(())

    def halves_on(self, duals: tuple[bool, ...], size: Size, most: int) -> Iterator[HalfPart]:
        """The same for vertices of these kinds, where there are two."""
        return self.halves(len(duals), size, most)

    @abstractmethod
    def count(self, k: int, l: int) -> int:
        """The number of (k,l)-diagrams."""

    def count_at(self, k: int, l: int, size: Size) -> int:
        """The same where it depends on the size: n free vertices are the legs of an epsilon."""
        return self.count(k, l)

    @abstractmethod
    def dim(self, k: int, l: int, size: Size) -> int:
        """The dimension of the hom-space; for a symbolic size, that of every large enough n."""

    def effort(self, k: int, l: int, size: Size) -> tuple[int, bool]:
        """How many diagrams must be looked at to list the basis, and whether that is exact (else a lower bound)."""
        return self.count_at(k, l, size), True

    def emptiness(self, k: int, l: int, size: Size, wire: str) -> str:
        """Why there is no diagram from k to l of its wires, where there is none, in words."""
        return f"{k + l} port{'s' if k + l != 1 else ''} cannot be paired (k + l must be even)"

    def is_hard(self, k: int, l: int, size: Size) -> bool:
        """Whether `dim` would be a sum over more Young diagrams than can be had at once."""
        return False

    @abstractmethod
    def in_basis(self, part: Part, size: int) -> bool:
        """Whether the diagram belongs to the basis chosen at this size."""

    @abstractmethod
    def basis_rule(self, size: int) -> str:
        """Which diagrams `in_basis` keeps, in words ("those with at most 3 blocks")."""

    @abstractmethod
    def inner(self, left: Part, right: Part, size: Size) -> Scalar:
        """The Frobenius inner product of the two matrices."""

    def norm2(self, part: Part, size: Size) -> Scalar:
        """The squared Frobenius norm: n for each block, unless the family says otherwise."""
        return Scalar.size(size, len(part.blocks))

    @abstractmethod
    def tensor(self, part: Part, size: int) -> NDArray[numpy.int64]:
        """The matrix as an array with an axis a vertex, in vertex order."""

    @abstractmethod
    def commutes_with(self, kind: str, order: int) -> bool:
        """Whether pointwise functions of a kind (any, odd, linear) are equivariant on words of this order."""

    @abstractmethod
    def random_element(self, size: int, seed: int) -> NDArray[numpy.float64]:
        """A random matrix of the group, of shape (size, size)."""


def placed(part: Part, l: int, outs: int, ins: int) -> Blocks:
    """Its blocks as those of a wider diagram with l outputs, where its outputs start at `outs` and its inputs at `ins`.

    >>> placed(Part(1, 1, ((0, 1),)), 3, 2, 0)
    ((2, 3),)
    """
    rows = (outs, l + ins - part.l)
    return tuple(tuple(v + rows[v >= part.l] for v in block) for block in part.blocks)


def juxtaposed(left: Part, right: Part) -> Part:
    """Two diagrams side by side as one, where no signs are to be multiplied out."""
    l = left.l + right.l
    blocks = (*placed(left, l, 0, 0), *placed(right, l, left.l, left.k))
    return Part(l, left.k + right.k, tuple(sorted(blocks)), (), left.signed or right.signed)


def join(upper: Part, lower: Part) -> tuple[Part, int]:
    """Stack two diagrams as equivalence relations: the result, and how many components only the middle row had.

    Every family composes so, up to scalars and signs.  O(vertices).
    """
    l, m, k = upper.l, upper.k, lower.k
    parent = list(range(l + m + k))

    def find(vertex: int) -> int:
        while parent[vertex] != vertex:
            parent[vertex] = parent[parent[vertex]]
            vertex = parent[vertex]
        return vertex

    for blocks, shift in ((upper.blocks, 0), (lower.blocks, l)):
        for block in blocks:
            root = find(block[0] + shift)
            for vertex in block[1:]:
                parent[find(vertex + shift)] = root
    found: dict[int, list[int]] = {}
    for vertex in range(l):
        found.setdefault(find(vertex), []).append(vertex)
    for vertex in range(l + m, l + m + k):
        found.setdefault(find(vertex), []).append(vertex - m)
    loops = len({find(vertex) for vertex in range(l, l + m)} - found.keys())
    return Part(l, k, tuple(sorted(tuple(block) for block in found.values()))), loops
