"""How long `catnn check` takes, interpreter start included: ``python -m tests.benchmarks.startup``."""

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
    return 0


if __name__ == "__main__":
    sys.exit(main())
