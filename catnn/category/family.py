"""What a family of groups must say about itself; `families.py` lists the families there are.

A `Part` is the piece of a diagram that lives on one space, its vertices numbered by themselves.  Everything that
depends on the group is a method of `Family`, so that a new group is one new file and a line in the registry.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from catnn.category.scalar import Scalar, Size

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


class Family(ABC):
    """A family of groups G(n) acting on R^n, and its category of diagrams."""

    key: ClassVar[str]
    title: ClassVar[str]
    generators: ClassVar[frozenset[str]]
    """Which of id swap merge copy unit discard spider ev coev exist here."""
    ambient: ClassVar[str | None] = None
    """The family that has all these diagrams and more, with the same matrices: there a layer is planned and proved."""
    oriented: ClassVar[bool] = False
    """Whether V and V' differ: a block keeps the kind across the rows and changes it within one, tensors are complex.

    Then `count` and `dim` take the wires as `catnn.category.wires.ends` counts them.
    """
    epsilon: ClassVar[bool] = False
    """Whether n vertices may stay free, the legs of a Levi-Civita tensor; its sign depends on their order."""
    restricted: ClassVar[bool] = False
    """Whether `part_fault` says more than `block_fault` does."""
    closing: ClassVar[Literal["sum", "trace", "form", "metric"]]
    """How a block that does not go through is computed from open wires: summed, traced, or by a form or metric."""
    law: ClassVar[str]
    """The rule that every diagram obeys, as a note for people."""

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
    def compose(self, upper: Part, lower: Part, size: Size) -> tuple[tuple[Scalar, Part], ...]:
        """upper after lower, as a linear combination."""

    def reversal(self, part: Part) -> int:
        """The sign between the transpose of the matrix and the matrix of the diagram upside down."""
        return 1

    @abstractmethod
    def halves(self, m: int, size: Size, most: int) -> Iterator[HalfPart]:
        """Every half of m vertices with at most `most` blocks going through: its blocks, and which of them do.

        At a literal size those may be left out that occur in no diagram of the basis.
        """

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

    @property
    def permutes(self) -> bool:
        """Whether the group moves indices about, up to signs; some of them may then be padding."""
        return self.commutes_with("odd", 1)

    @abstractmethod
    def random_element(self, size: int, seed: int) -> NDArray[numpy.float64]:
        """A random matrix of the group, of shape (size, size)."""


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
