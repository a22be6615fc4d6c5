"""How long a report of 203 diagrams and a layout of 500 boxes take: ``python -m tests.benchmarks.pictures``."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SPEC = "space V : S(n)  layer deep : V^3[8] -> V^3[8] = all + bias"


def report_time(folder: Path) -> tuple[float, int]:
    """Seconds from a cold start to a report with 203 diagrams (the best of three), and its bytes."""
    spec, page = folder / "deep.catnn", folder / "deep.html"
    spec.write_text(SPEC, encoding="utf-8")
    times = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "catnn", "show", spec, "-o", page], cwd=ROOT, check=True)
        times.append(time.perf_counter() - start)
    return min(times), page.stat().st_size


def layout_time(boxes: int = 500, width: int = 8) -> float:
    """Seconds of processor time for the layout of so many boxes with swaps between them."""
    from catnn.category.wires import Group, Wire
    from catnn.hypergraph.box import Box
    from catnn.hypergraph.graph import Hypergraph, compose_all, identity, permutation, single, tensor_all
    from catnn.view.boxes import boxes_drawing

    source, wire = random.Random(1), Wire("V", Group("S", "n"))
    word, stages, count = (wire,) * width, list[Hypergraph](), 0
    while count < boxes:
        order = list(range(width))
        at = source.randrange(width - 1)
        order[at], order[at + 1] = order[at + 1], order[at]
        row: list[Hypergraph] = []
        left = width
        while left:
            legs = 2 if left > 1 and source.random() < 0.4 else 1
            box = single(Box(f"f{legs}", (wire,) * legs, (wire,) * legs))
            row.append(box if source.random() < 0.7 else identity((wire,) * legs))
            count += len(row[-1].nodes)
            left -= legs
        stages += [permutation(word, tuple(order)), tensor_all(row)]
    graph = compose_all(stages)
    start = time.process_time()
    boxes_drawing(graph)
    return time.process_time() - start


def main() -> int:
    """Print both."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        seconds, size = report_time(Path(folder))
    print(f"report of 203 diagrams {seconds:.2f} s, {size:,} bytes")
    print(f"layout of 500 boxes    {layout_time():.2f} s of processor time")
    return 0


if __name__ == "__main__":
    sys.exit(main())
