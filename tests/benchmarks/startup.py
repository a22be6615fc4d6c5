"""How long a check takes from a cold start, and a compile of 4 -> 4: ``python -m tests.benchmarks.startup``."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Print the time of a check beside that of starting Python alone, the best of five each."""
    check = [sys.executable, "-m", "catnn", "check", "examples/graph.catnn"]
    for name, command in (("python alone", [sys.executable, "-c", ""]), ("catnn check", check)):
        times = []
        for _ in range(5):
            start = time.perf_counter()
            subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
            times.append(time.perf_counter() - start)
        print(f"{name:14} {min(times):.3f} s")
    print(f"{'compile 4 -> 4':14} {compile_large():.3f} s of processor time, proof included")
    return 0


def compile_large() -> float:
    """The processor time from text to module of a layer of 4140 diagrams, once torch is there, in seconds."""
    import catnn

    catnn.compile(catnn.parse("space V : S(n)  layer small : V -> V = all")["small"])
    start = time.process_time()
    catnn.compile(catnn.parse("space V : S(n)  layer large : V^4[4] -> V^4[4] = all + bias")["large"])
    return time.process_time() - start


if __name__ == "__main__":
    sys.exit(main())
