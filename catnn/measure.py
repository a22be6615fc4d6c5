"""Measuring calls: process time in interleaved rounds, and the bytes that torch's allocator hands out."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile


def race(calls: dict[str, Callable[[], Any]], repeat: int, seconds: float) -> dict[str, float]:
    """The median process time of each call in milliseconds, in interleaved rounds that begin with a call not counted.

    A call that takes long is left out of the later rounds once it has had its seconds (three rounds at least).
    """
    numbers: dict[str, int] = {}
    for name, call in calls.items():
        call()
        start = time.process_time()
        call()
        numbers[name] = max(1, round(0.005 / max(time.process_time() - start, 1e-6)))
    samples: dict[str, list[float]] = {name: [] for name in calls}
    for at in range(repeat):
        for name, call in calls.items():
            if at >= 3 and sum(samples[name]) * numbers[name] > seconds:
                continue
            call()  # what others left in the cache is not its fault
            start = time.process_time()
            for _ in range(numbers[name]):
                call()
            samples[name].append((time.process_time() - start) / numbers[name])
    return {name: 1000 * median(found) for name, found in samples.items()}


def peak_bytes(call: Callable[[], Any]) -> int:
    """The most bytes that a call holds at once beyond what was there before, by the allocator's own account."""
    call()
    with _silent(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        kept = call()
    del kept
    pending, events = list(profiled.profiler.kineto_results.experimental_event_tree()), []
    while pending:
        event = pending.pop()
        pending.extend(event.children)
        if type(event.typed[1]).__name__ == "_ExtraFields_Allocation":
            events.append((event.start_time_ns, event.typed[1].alloc_size))
    held = most = 0
    for _, size in sorted(events, key=lambda pair: pair[0]):
        held += size
        most = max(most, held)
    return most


@contextmanager
def _silent() -> Iterator[None]:
    """Nothing written to stderr, for a while: the profiler announces itself there, below Python."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


@contextmanager
def one_thread() -> Iterator[None]:
    """torch on one thread, for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def machine() -> str:
    """The processor, its cores and the version of torch."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return f"{model}, {os.cpu_count()} cores, one thread used; torch {torch.__version__}"
