"""O(p,q), the maps that keep a form with p plus and q minus signs: matchings with a metric (Lorentz: O(1,3))."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catnn.category.family import Family, Part
from catnn.category.matchings import Orthogonal

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray


class Indefinite(Orthogonal):
    """O(p,q) on R^(p+q): a pair within a row is the metric diag(+1, ..., -1, ...), its own inverse; across, delta.

    So a loop is the trace of metric times metric, which is p + q; and the inner product of two diagrams is that of
    O(n), since each of their closed curves has an even number of pairs within rows.

    >>> group = Indefinite(1, 3)
    >>> group.dim(2, 2, 4), group.size_fault(3), group.tensor(Part(0, 2, ((0, 1),)), 4).diagonal().tolist()
    (3, 'O(1,3) acts on R^4', [1, -1, -1, -1])
    """

    key = "O(p,q)"
    title = "the indefinite orthogonal group"
    closing = "metric"
    baselines = False
    emptiness = Family.emptiness
    moves = ""
    law = "a wire of O(p,q) is bent (by the metric) and crossed, never copied: a matching pairs exactly 2 ports"

    def __init__(self, p: int, q: int) -> None:
        self.p = p
        self.q = q
        self.plus = p

    def size_fault(self, size: int) -> str | None:
        n = self.p + self.q
        return None if size == n else f"O({self.p},{self.q}) acts on R^{n}"

    def metric(self) -> NDArray[numpy.int64]:
        """The matrix of the form."""
        import numpy

        return numpy.diag(numpy.array([1] * self.p + [-1] * self.q, dtype=numpy.int64))

    def tensor(self, part: Part, size: int) -> NDArray[numpy.int64]:
        import numpy

        result = numpy.ones((), dtype=numpy.int64)
        for a, b in part.blocks:
            crosses = a < part.l <= b
            result = numpy.multiply.outer(result, numpy.eye(size, dtype=numpy.int64) if crosses else self.metric())
        order = [v for pair in part.blocks for v in pair]
        return numpy.transpose(result, numpy.argsort(order)) if order else result

    def random_element(self, size: int, seed: int) -> NDArray[numpy.float64]:
        """The Cayley transform of metric times antisymmetric (rotations and boosts), after reflections of the axes."""
        import numpy

        generator = numpy.random.default_rng(seed)
        h = generator.normal(size=(size, size)) / (4 * size)
        a = self.metric().astype(numpy.float64) @ (h - h.T)
        moved = numpy.linalg.solve(numpy.eye(size) - a, numpy.eye(size) + a)
        return numpy.asarray(generator.choice([-1.0, 1.0], size=size) * moved, dtype=numpy.float64)
