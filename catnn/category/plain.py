"""R^64 without symmetry: every linear map is equivariant, so `all` mixes these axes with the channels.

A fixed diagram may still be written: its letters join entries of the standard basis, as those of S(n) do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from catnn.category.partitions import Symmetric
from catnn.category.scalar import Size
from catnn.category.wires import PLAIN

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray


class Plain(Symmetric):
    """The trivial group on R^d, its basis chosen: all matrices commute, the diagrams are some of them.

    >>> Plain().dim(1, 2, 10)
    1000
    """

    key = PLAIN
    title = "no symmetry"
    ambient = "S"
    law = "no group acts here: every matrix is equivariant, and every set partition is one of them"

    def size_fault(self, size: int) -> str | None:
        return None if size >= 1 else "a space has at least one dimension"

    def dim(self, k: int, l: int, size: Size) -> int:
        assert isinstance(size, int)
        found: int = size ** (k + l)
        return found

    def random_element(self, size: int, seed: int) -> NDArray[numpy.float64]:
        import numpy

        return numpy.eye(size)
