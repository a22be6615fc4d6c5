"""Boxes: tensors and maps that are no diagram of their wires.

A `Box` is learned, fixed or opaque.  What may be one: a learned tensor is equivariant only where nothing acts, a fixed one
is checked entry by entry, an opaque map is applied to every entry alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from catnn.category.sizes import length
from catnn.category.wires import Word, show_word
from catnn.diagnostics import Span

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Constant:
    """The entries of a fixed tensor: outputs, then inputs, row-major; little-endian float64, or int64 where whole.

    >>> Constant((2,), "<i8", bytes(16)).array().tolist()
    [0, 0]
    """

    shape: tuple[int, ...]
    dtype: str
    data: bytes = field(repr=False)

    def array(self) -> NDArray[Any]:
        """The tensor; read-only."""
        import numpy

        return numpy.frombuffer(self.data, dtype=self.dtype).reshape(self.shape)


@dataclass(frozen=True, slots=True)
class Box:
    """A box W : A -> B, a tensor with an axis a wire: those of B, then those of A (vertex order, as in a matrix).

    kind: ``learned``, ``fixed``, or ``map`` for a function of one tensor.  rank: of a learned tensor that is a product of
    two through a wire of this size, else None.  init: how a learned one is drawn.  symmetric: whether exchanging A and
    B changes nothing.  shares: the box whose weights it has, by name.  constant: the entries of a fixed one.
    map: what an opaque one calls, an activation or an import path.
    """

    name: str
    source: Word
    target: Word
    kind: str = "learned"
    rank: int | None = None
    init: str = "unit"
    symmetric: bool = False
    shares: str | None = None
    constant: Constant | None = None
    map: str | None = None
    span: Span | None = field(default=None, compare=False, repr=False)

    @property
    def word(self) -> Word:
        """The wires of its axes."""
        return self.target + self.source

    @property
    def parameter(self) -> str:
        """The name of the weights it has: its own, or those it shares."""
        return self.shares or self.name

    def shape(self, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """The lengths of its axes at these sizes."""
        return tuple(int(length(wire, sizes)) for wire in self.word)

    def __str__(self) -> str:
        return f"box {self.name} : {show_word(self.source)} -> {show_word(self.target)}"
