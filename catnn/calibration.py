"""The rates of this machine for the planner's cost model: measured once on a few layers, kept as text."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
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
from catnn.native.worth import counts, forget
from catnn.plan.build import plan_layer
from catnn.plan.cost import BATCH
from catnn.plan.rates import DEFAULT, IN_C, STATEMENTS, Rate, Rates, in_c, rates, rates_file

LAYERS = (
    ("V[4] -> V[4] = all", 8, 4),
    ("V^2[8] -> V^2[8] = all", 8, 4),
    ("V^2[32] -> V^2[32] = all", 16, 8),
    ("V^3[4] -> V^3[4] = all", 8, 4),
    ("V^2[64] -> V^2[64] = all", 8, 2),
)
"""What is measured, at which n and for how many entries: calls, steps, moves, multiply-adds, weights."""

ROUNDS = 7


def known() -> Rates:
    """The rates of this machine, measured now if they never were; it takes less than a second."""
    return rates() if rates_file().exists() else calibrate()


def calibrate() -> Rates:
    """Measure the rates of this machine and keep them; those that catnn comes with are scaled, a factor a way.

    Where nothing can be kept, the next process measures again.
    """
    found: dict[str, list[float]] = {IN_C: [], STATEMENTS: []}
    with one_thread():
        for text, n, batch in LAYERS:
            layer = parse(f"space V : S(n)  layer f : {text}")["f"]
            plan, module = plan_layer(layer), compile_item(layer, n=n)
            summand = layer.source.summands[0]
            x = torch.zeros(batch, *[n] * len(summand.word), summand.channels)
            predicted = DEFAULT.predict(counts(plan, {"n": n, BATCH: batch}))
            call = partial(module, x)
            for way in (IN_C, STATEMENTS) if in_c(plan) and library() is not None else (STATEMENTS,):
                found[way].append(_seconds(call, way) / predicted[way])
    scales = {way: median(ratios) if ratios else 1.0 for way, ratios in found.items()}
    result = Rates(machine(), _scaled(DEFAULT.in_c, scales[IN_C]), _scaled(DEFAULT.statements, scales[STATEMENTS]))
    with suppress(OSError):
        rates_file().parent.mkdir(parents=True, exist_ok=True)
        rates_file().write_text(result.text(), encoding="utf-8")
        forget()
    return result


def _seconds(call: Callable[[], Any], way: str) -> float:
    """The process time of a call, the best of some rounds."""
    before, attach.FORCED = attach.FORCED, way
    try:
        with torch.no_grad():
            call()
            times = []
            for _ in range(ROUNDS):
                start = time.process_time()
                call()
                times.append(time.process_time() - start)
    finally:
        attach.FORCED = before
    return min(times)


def _scaled(rate: Rate, by: float) -> Rate:
    return Rate(**{field.name: getattr(rate, field.name) * by for field in fields(rate)})
