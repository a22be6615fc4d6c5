"""What a benchmark found: times and memory of a layer or network beside other ways to compute it, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from catnn.tables import Table, count, ratio

COMPILED, FLOOR = "compiled", "floor: two products, one pass"
FLOOR_LEGEND = (
    "floor: two products of x with channels x channels matrices and one copy of x, no layer but what none avoids; "
    "forward alone"
)


@dataclass(frozen=True, slots=True)
class Measured:
    """A way: milliseconds forward and with gradient, peak bytes beyond the inputs, or why there are none.

    gradient: None where only the forward was measured.
    """

    name: str
    forward: float = 0.0
    gradient: float | None = 0.0
    forward_bytes: int = 0
    gradient_bytes: int = 0
    skipped: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A layer at some sizes: what was measured, the compiled layer first; output_bytes is the size of y.

    predicted, measured: seconds forward by way to run the compiled layer, as the cost model has them and as they were;
    skipped: why others were not measured; taken: which it takes.
    """

    title: str
    output_bytes: int
    rows: tuple[Measured, ...]
    predicted: Mapping[str, float] = field(default_factory=dict)
    measured: Mapping[str, float] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(default_factory=dict)
    taken: str = ""

    def row(self, name: str) -> Measured:
        """What was measured of a way.  Raises: KeyError."""
        return {row.name: row for row in self.rows}[name]

    def table(self) -> Table:
        """Times as multiples of the compiled layer's, memory as multiples of the output."""
        ours = self.rows[0]
        rows: list[tuple[str, ...]] = []
        for row in self.rows:
            if row.skipped:
                rows.append((row.name, f"skipped: {row.skipped}", "", "", ""))
                continue
            forward = f"{row.forward:.2f} ms" if row is ours else ratio(row.forward / ours.forward)
            gradient = ""
            if row.gradient is not None and ours.gradient is not None:
                gradient = f"{row.gradient:.2f} ms" if row is ours else ratio(row.gradient / ours.gradient)
            memory = [ratio(b / self.output_bytes) if b else "" for b in (row.forward_bytes, row.gradient_bytes)]
            rows.append((row.name, forward, gradient, *memory))
        caption = f"{self.title}; y is {count(self.output_bytes)} bytes"
        headers = ("", "forward", "with gradient", "peak / y", "with gradient")
        return Table(caption, headers, tuple(rows), (1, 2, 3, 4))

    def ways(self) -> Table:
        """The ways to run the compiled layer: what was predicted beside what was measured, the fastest marked."""
        best = min(self.measured, key=self.measured.__getitem__, default="")
        rows = []
        for way, seconds in self.predicted.items():
            found = f"{1000 * self.measured[way]:.3f} ms" if way in self.measured else ""
            marks = [mark for mark, which in (("chosen", self.taken), ("fastest", best)) if way == which]
            remark = f"not measured: {self.skipped[way]}" if way in self.skipped else ", ".join(marks)
            rows.append((way, f"{1000 * seconds:.3f} ms", found, remark))
        return Table("the ways to run it, forward", ("", "predicted", "measured", ""), tuple(rows), (1, 2))


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Comparisons on one machine in one run; prints as tables."""

    machine: str
    comparisons: tuple[Comparison, ...]

    def to_dict(self) -> dict[str, Any]:
        """What JSON can hold."""
        return asdict(self)

    def __str__(self) -> str:
        legend = (
            "times as multiples of the compiled layer's, peak memory (beyond the inputs) as multiples of the output"
        )
        if any(row.name == FLOOR for comparison in self.comparisons for row in comparison.rows):
            legend += f"\n{FLOOR_LEGEND}"
        tables = [str(table) for c in self.comparisons for table in (c.table(), *([c.ways()] if c.predicted else ()))]
        return "\n\n".join([f"{self.machine}\n{legend}", *tables])
