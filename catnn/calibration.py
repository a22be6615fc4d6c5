"""The rates of this machine for the planner's cost model: measured once on a few layers, kept as text."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields
from functools import partial
from statistics import median
from typing import Any

import torch

from catnn.api import parse
from catnn.compiler import compile_item
from catnn.measure import machine, one_thread
from catnn.native import attach
from catnn.native.build import library
from catnn.native.worth import forget
from catnn.plan.build import plan_layer
from catnn.plan.cost import BATCH
from catnn.plan.rates import DEFAULT, DENSE, IN_C, WAYS, Rate, Rates, rates_file
from catnn.plan.ways import forms_of

LAYERS = (
    ("V^2[4] -> V^2[4] = all + bias", 3, 2),
    ("V[4] -> V[4] = all", 8, 4),
    ("V^2[8] -> V^2[8] = all", 8, 4),
    ("V^2[32] -> V^2[32] = all", 16, 8),
    ("V^3[4] -> V^3[4] = all", 8, 4),
    ("V^2[64] -> V^2[64] = all", 8, 2),
    ("V^2[64] -> V^2[1] = all", 12, 8),
    ("V^2[1] -> V^2[64] = all", 12, 8),
    ("T^2[8] -> T^2[8] = all", 3, 4),
    ("T^3[16] -> T^3[16] = all", 3, 64),
)
"""What is measured, at which n and for how many entries: calls, steps, moves, multiply-adds, weights."""

SMALL = 4
"""Up to this n the dense form is measured."""

ROUNDS = 7


def known() -> Rates:
    """The rates of this machine, measured now if they never were; it takes about a second."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        return Rates.of(rates_file().read_text(encoding="utf-8"))
    return calibrate()


def calibrate() -> Rates:
    """Measure the rates of this machine and keep them; those that catnn comes with are scaled, a factor a way.

    Where nothing can be kept, the next process measures again.
    """
    found: dict[str, list[float]] = {name: [] for name in WAYS.values()}
    with one_thread():
        for text, n, batch in LAYERS:
            layer = parse(f"space V : S(n)  space T : S(3)  layer f : {text}")["f"]
            plan, module = plan_layer(layer), compile_item(layer, n=n)
            summand = layer.source.summands[0]
            x = torch.zeros(batch, *[n] * len(summand.word), summand.channels)
            known_ways = forms_of(layer, (plan,)).ways(library=library() is not None)
            if n > SMALL:
                known_ways.pop(DENSE, None)
            for way, predicted in DEFAULT.predict(known_ways, {"n": n, BATCH: batch}).items():
                found[WAYS[way]].append(_seconds(partial(module, x), way) / predicted)
    scales = {name: median(ratios) if ratios else 1.0 for name, ratios in found.items()}
    result = Rates(machine(), *(_scaled(getattr(DEFAULT, name), scale) for name, scale in scales.items()))
    with suppress(OSError):
        rates_file().parent.mkdir(parents=True, exist_ok=True)
        rates_file().write_text(result.text(), encoding="utf-8")
        forget()
    return result


@contextmanager
def forced(way: str) -> Iterator[None]:
    """Layers run in a way, whatever is predicted; one that has it not runs its statements."""
    before, attach.FORCED = attach.FORCED, way
    try:
        yield
    finally:
        attach.FORCED = before


def unavailable(way: str) -> str:
    """Why a way cannot be run here, or nothing."""
    return "there is no C compiler, or it is switched off" if way == IN_C and library() is None else ""


def _seconds(call: Callable[[], Any], way: str) -> float:
    """The process time of a call, the best of some rounds."""
    with forced(way), torch.no_grad():
        call()
        times = []
        for _ in range(ROUNDS):
            start = time.process_time()
            call()
            times.append(time.process_time() - start)
    return min(times)


def _scaled(rate: Rate, by: float) -> Rate:
    return Rate(**{field.name: getattr(rate, field.name) * by for field in fields(rate)})
