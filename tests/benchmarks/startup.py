"""How long a check takes from a cold start, and what is large: ``python -m tests.benchmarks.startup``."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
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
    for order, diagrams in ((4, "4,140"), (5, "115,975"), (6, "4,213,597")):
        seconds, megabytes = generate_large(order)
        shown = f"{seconds:.3f} s of processor time and {megabytes:.0f} MB, proof included"
        print(f"text to source, {order} -> {order}, {diagrams} diagrams: {shown}")
    for order in (2, 4, 5):
        first, second = compile_twice(order)
        print(
            f"compiled, {order} -> {order}: {first:.3f} s, in a second process {second:.3f} s, the proof not repeated"
        )
    print(f"the C library of a type of numbers, compiled: {build_library()}")
    print(f"a chain of 5,000 diagrams: {chain():.3f} s composed, {chain(text=True):.3f} s from text")
    return 0


LARGE = """
import resource, time
import catnn
from catnn.compiler import generate
start = time.process_time()
generate(catnn.parse("space V : S(n)  layer large : V^{0}[4] -> V^{0}[4] = all + bias", max_diagrams=10**7))
print(time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


AGAIN = """
import time
import torch, catnn
import catnn.emit.load, catnn.native.attach, catnn.native.fusing
layer = catnn.parse("space V : S(n)  layer large : V^{0}[4] -> V^{0}[4] = all + bias", max_diagrams=10**7)["large"]
start = time.process_time()
catnn.compile(layer)
print(time.process_time() - start)
"""


def compile_twice(order: int) -> tuple[float, float]:
    """Processor seconds of `catnn.compile` in one process and, with what that left in the cache folder, in another."""
    with tempfile.TemporaryDirectory() as place:
        environment = {**os.environ, "CATNN_CACHE": place, "CATNN_PLANS": "1", "CATNN_NATIVE": "0"}
        command = [sys.executable, "-c", AGAIN.format(order)]
        first, *rest = (
            float(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, env=environment).stdout)
            for _ in range(4)
        )
    return first, min(rest)


BUILD = """
import resource, time
from catnn.native.build import library
start = time.perf_counter()
assert library() is not None
spent = resource.getrusage(resource.RUSAGE_CHILDREN)
print(time.perf_counter() - start, spent.ru_utime + spent.ru_stime)
"""


def build_library() -> str:
    """Seconds to compile the C library into an empty cache folder, and the compiler's processor seconds: the least."""
    found = []
    for _ in range(5):
        with tempfile.TemporaryDirectory() as place:
            environment = {**os.environ, "CATNN_CACHE": place, "CATNN_NATIVE": "1"}
            command = [sys.executable, "-c", BUILD]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
        if done.returncode:
            return "not measured, for there is no C compiler that makes one"
        found.append([float(number) for number in done.stdout.split()])
    seconds, processor = (min(column) for column in zip(*found, strict=True))
    return f"{seconds:.3f} s, {processor:.3f} s of processor time"


def generate_large(order: int) -> tuple[float, float]:
    """Processor seconds and peak megabytes, in a process of its own, from text to the source of a layer, proved."""
    command = [sys.executable, "-c", LARGE.format(order)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    seconds, megabytes = map(float, done.stdout.split())
    return seconds, megabytes


def chain(*, text: bool = False, length: int = 5000) -> float:
    """Processor seconds for the composite of a chain of 2 -> 2 diagrams, or for the spec that says it."""
    import catnn
    from catnn.category.compose import compose_all

    patterns = random.Random(0).choices(["i j -> j i", "i i -> i i", "i j -> i k", "i j -> k j"], k=length)
    diagrams = [catnn.diagram("S(n)", pattern) for pattern in patterns]
    term = " ; ".join(f"[{pattern}]" for pattern in patterns)
    start = time.process_time()
    if text:
        catnn.parse(f"space V : S(n)  let f : V^2 -> V^2 = {term}")
    else:
        compose_all(diagrams)
    return time.process_time() - start


if __name__ == "__main__":
    sys.exit(main())
