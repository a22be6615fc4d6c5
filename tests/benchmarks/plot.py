"""The times of a benchmark as a picture: bars on a logarithmic scale, a way each, in SVG and without a library."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from math import log10

from catnn.benchmark import COMPILED, Benchmark, Comparison

WIDTH, LEFT, BAR, GAP, HEAD = 860, 250, 9, 5, 30
COLOURS = {"forward": "#3a6ea5", "with gradient": "#c8793a"}
STYLE = "text{font:12px sans-serif;fill:#222}.t{font-weight:600}.n{font-size:10px;fill:#555}line{stroke:#ddd}"


def plot(found: Iterable[Benchmark]) -> str:
    """A picture of how many times longer than the compiled layer each way takes; skipped ways have no bar."""
    comparisons = [comparison for benchmark in found for comparison in benchmark.comparisons if _bars(comparison)]
    largest = max((value for one in comparisons for _, times in _bars(one) for value in times.values()), default=1.0)
    smallest = min((value for one in comparisons for _, times in _bars(one) for value in times.values()), default=1.0)
    low, high = min(0.5, smallest), max(10.0, largest) * 1.3

    def place(value: float) -> float:
        return LEFT + (WIDTH - LEFT - 60) * (log10(value) - log10(low)) / (log10(high) - log10(low))

    shapes: list[str] = []
    y = 44.0
    for comparison in comparisons:
        shapes.append(f'<text class="t" x="10" y="{y:.1f}">{escape(comparison.title)}</text>')
        y += 10
        for name, times in _bars(comparison):
            shapes.append(f'<text x="{LEFT - 8}" y="{y + BAR + 3:.1f}" text-anchor="end">{escape(name)}</text>')
            for kind, value in times.items():
                start, stop = sorted((place(1.0), place(value)))
                bar = f'x="{start:.1f}" y="{y:.1f}" width="{max(stop - start, 1):.1f}" height="{BAR}"'
                shapes.append(f'<rect {bar} fill="{COLOURS[kind]}"/>')
                shapes.append(f'<text class="n" x="{stop + 4:.1f}" y="{y + BAR - 1:.1f}">{value:.3g}</text>')
                y += BAR + 1
            y += GAP
        y += HEAD
    lines = [
        f'<line x1="{place(tick):.1f}" x2="{place(tick):.1f}" y1="24" y2="{y:.0f}"/>'
        f'<text class="n" x="{place(tick):.1f}" y="20" text-anchor="middle">{tick:g}</text>'
        for tick in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
        if low <= tick <= high
    ]
    legend = "".join(
        f'<rect x="{10 + 90 * at}" y="10" width="10" height="10" fill="{colour}"/>'
        f'<text class="n" x="{24 + 90 * at}" y="19">{kind}</text>'
        for at, (kind, colour) in enumerate(COLOURS.items())
    )
    size = f'width="{WIDTH}" height="{y:.0f}" viewBox="0 0 {WIDTH} {y:.0f}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}><title>Times, as multiples of the compiled layer\'s</title>'
    back = f'<style>{STYLE}</style><rect width="{WIDTH}" height="{y:.0f}" fill="#fff"/>'
    return "\n".join([head, back, *lines, legend, *shapes, "</svg>", ""])


def _bars(comparison: Comparison) -> list[tuple[str, dict[str, float]]]:
    """Each measured way but the compiled one, and its times as multiples of that."""
    ours, found = comparison.row(COMPILED), []
    for row in comparison.rows:
        if row.skipped or row is ours:
            continue
        times = {"forward": row.forward / ours.forward}
        if row.gradient is not None and ours.gradient:
            times["with gradient"] = row.gradient / ours.gradient
        found.append((row.name, times))
    return found
