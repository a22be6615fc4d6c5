"""How long `catnn.dim` takes, every group cold in turn: ``python -m tests.benchmarks.dimensions``.

Each group at symbolic and small sizes and every split of up to ten ports, the caches emptied before each call; the
promise is 50 ms.  Also far larger ones, which no enumeration would reach.
"""

from __future__ import annotations

import gc
import sys
import time

import catnn
from catnn.category import families

TWENTY = " ".join(map(str, range(20)))
TRIANGLES = " ".join(f"{t}-{t + 1} {t}-{t + 2} {t + 1}-{t + 2}" for t in range(0, 15, 3))
GROUPS = (
    "S(n)", "S(1)", "S(3)", "S(8)", "O(n)", "O(1)", "O(3)", "O(5)", "SO(2)", "SO(3)", "SO(5)", "Sp(n)", "Sp(2)",
    "Sp(6)", "O(1,3)", "H(n)", "H(3)", "B(n)", "B(3)", "S'(n)", "S'(3)", "B'(n)", "B'(3)", "S+(n)", "S+(3)", "O+(n)",
    "O+(1)", "U(n)", "U(2)", "U(3)", "64", "A(1)", "A(2)", "A(3)", "A(5)", "A(10)", "Perm(4)", "Perm(3, (0 1 2))",
    "Perm(5, (0 1), (2 3 4))", "Perm(7, (0 1 2 3 4 5 6), (1 2 4)(3 6 5))", f"Perm(20, ({TWENTY}))",
    f"Perm(20, (0 1), ({TWENTY}))", "Aut(4, 0-1 0-3 1-2 2-3)", "Aut(4, 0-1 1-2 2-3)",
    "Aut(6, 0-3 0-4 0-5 1-3 1-4 1-5 2-3 2-4 2-5)",
    "Aut(10, 0-1 0-4 0-5 1-2 1-6 2-3 2-7 3-4 3-8 4-9 5-7 5-8 6-8 6-9 7-9)", f"Aut(15, {TRIANGLES})",
)  # fmt: skip
LARGE = (
    ("S(n)", 100), ("S(50)", 100), ("O(3)", 30), ("O(6)", 30), ("SO(3)", 40), ("Sp(4)", 40), ("S+(n)", 200),
    ("H(4)", 60), ("A(8)", 60), ("Aut(4, 0-1 0-3 1-2 2-3)", 60),
)  # fmt: skip
LIMIT = 0.05
PORTS = 10


def forget() -> None:
    """Empty every cache of the mathematics."""
    for name, module in list(sys.modules.items()):
        if name.startswith(families.__package__ or ""):
            for value in vars(module).values():
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


def words(group: str, k: int, l: int) -> tuple[int | str, int | str]:
    """Numbers of wires; of complex spaces words, where m ports are half V in or V' out, half V out or V' in."""
    if not group.startswith("U"):
        return k, l
    half = (k + l) // 2
    source, target = (["V"] * min(wires, half) + ["V'"] * max(wires - half, 0) for wires in (k, l))
    return " ".join(source), " ".join(target)


def seconds(group: str, k: int, l: int) -> float:
    """The process time of one call."""
    source, target = words(group, k, l)
    forget()
    start = time.process_time()
    catnn.dim(group, source, target)
    return time.process_time() - start


def main() -> int:
    """Print the slowest call of each group; 1 where one is over the limit."""
    catnn.dim("S(n)", 1, 1)
    gc.disable()
    worst = 0.0
    for group in GROUPS:
        found = [(seconds(group, k, m - k), k, m - k) for m in range(PORTS + 1) for k in range(m + 1)]
        slowest, k, l = max(found)
        worst = max(worst, slowest)
        print(f"{group[:24]:24} {1000 * slowest:7.2f} ms at {k} -> {l}, {len(found)} calls")
    for group, m in LARGE:
        taken = seconds(group, m // 2, m - m // 2)
        worst = max(worst, taken)
        print(f"{group[:24]:24} {1000 * taken:7.2f} ms at {m // 2} -> {m - m // 2}")
    print(f"slowest                  {1000 * worst:7.2f} ms, the promise is {1000 * LIMIT:.0f} ms")
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
