"""What steps cost in seconds, on this machine or on the one that catnn was measured on: the planner's cost model.

A way to run a layer is predicted to take so long for a call, for each step, for each number it moves, for each
multiply-add and for each weight; how many there are the plan says, exactly (`catnn.plan.cost`).  Files never depend on
any of this.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from catnn.category.scalar import ZERO, Scalar
from catnn.plan.cost import BATCH, Cost, Step, total
from catnn.plan.fourier import fourier, saved, stated, worthwhile
from catnn.plan.plan import Plan

MODEL = 4
"""The number of the model that rates belong to: those measured for other programs are measured anew."""

AGAIN = 4
"""So often weights are brought into order of which there is no room for all, unless there are fewer entries."""

Counted = tuple[int, int, int, int]
"""Steps, numbers moved, multiply-adds, weights."""

IN_C, STATEMENTS, DENSE, IRREPS = "program in C", "torch statements", "one matrix", "irreducible parts"
FIRST, LAST = "channels mixed first", "channels mixed last"
WAYS = {IN_C: "in_c", STATEMENTS: "statements", DENSE: "dense", IRREPS: "irreps", FIRST: "narrow", LAST: "narrow"}
"""The ways to run a layer, and the rates that they have."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Seconds for a call, a step, a number that is moved, a multiply-add, and a weight that is brought into order."""

    call: float
    step: float
    move: float
    madd: float
    weight: float

    def predict(self, counted: Counted) -> float:
        """The seconds that so many steps, moves, multiply-adds and weights take."""
        each = (self.step, self.move, self.madd, self.weight)
        return self.call + sum(rate * count for rate, count in zip(each, counted, strict=True))


@dataclass(frozen=True, slots=True)
class Rates:
    """The rates of the ways to run a layer; machine: whose they are."""

    machine: str
    in_c: Rate
    statements: Rate
    dense: Rate
    irreps: Rate
    narrow: Rate

    def predict(self, ways: Mapping[str, Tally], sizes: Mapping[str, int]) -> dict[str, float]:
        """Seconds by way, from what each is counted as; sizes: `batch` among them."""
        return {way: self.rate(way).predict(tally.at(sizes)) for way, tally in ways.items()}

    def rate(self, way: str) -> Rate:
        """The rates of a way."""
        found: Rate = getattr(self, WAYS[way])
        return found

    def text(self) -> str:
        """As JSON."""
        return json.dumps({"model": MODEL, **asdict(self)}, indent=2) + "\n"

    @staticmethod
    def of(text: str) -> Rates:
        """From JSON.  Raises: ValueError, TypeError, KeyError for text that holds no rates of this model."""
        found = json.loads(text)
        if found["model"] != MODEL:
            raise ValueError("these rates were measured for other programs")
        return Rates(str(found["machine"]), *(Rate(**found[name]) for name in dict.fromkeys(WAYS.values())))


MORE, ABOUT = 1.6, 1.15
"""A way that needs much memory has to be so many times as fast; C, which needs the least, may take so much longer."""


def chosen(predicted: Mapping[str, float], large: Iterable[str]) -> str:
    """The way to take, of these with their seconds; large: those that need much memory.  Nothing where there are none.

    >>> chosen({IN_C: 1.1, DENSE: 1.0}, []), chosen({IN_C: 1.3, DENSE: 1.0}, [])
    ('program in C', 'one matrix')

    >>> chosen({"small": 3.0, "large": 2.5}, ["large"]), chosen({"small": 3.0, "large": 1.5}, ["large"])
    ('small', 'large')
    """
    weighed = dict(predicted) | {way: MORE * predicted[way] for way in large}
    best = min(weighed, key=weighed.__getitem__, default="")
    return IN_C if IN_C in predicted and predicted[IN_C] <= ABOUT * predicted[best] else best


CALLED = 3.5
"""A call of C by an operator of torch costs so many times what it costs otherwise."""

INDUCTOR = (1.25, 0.25, 0.45, 1.05, 1.4)
"""What Inductor's code for torch statements costs, in the rates of those: a call, a step, a move, a multiply-add, and a
weight.  Fitted to what `tests/benchmarks/operator.py` measures."""


def traced(counted: Mapping[str, Counted], known: Rates) -> str:
    """The way to take in a graph of torch.compile: an operator in C, or the statements; counted: what each consists of.

    >>> small, large = (18, 3000, 3000, 240), (18, 3000000, 6000000, 15000)
    >>> traced({IN_C: small, STATEMENTS: small}, DEFAULT), traced({IN_C: large, STATEMENTS: large}, DEFAULT)
    ('torch statements', 'program in C')
    """
    rates = (getattr(known.statements, field.name) for field in fields(Rate))
    code = Rate(*(rate * factor for rate, factor in zip(rates, INDUCTOR, strict=True)))
    operator = known.in_c.predict(counted[IN_C]) + (CALLED - 1) * known.in_c.call
    return chosen({IN_C: operator, STATEMENTS: code.predict(counted[STATEMENTS])}, ())


@dataclass(frozen=True, slots=True)
class Tally:
    """What the steps of a way are counted as, for every size at once.

    blocks: plans whose products may be in blocks; stated: plans whose torch statements have some in blocks.
    between: of a way that needs more memory than others, how many numbers lie between at some sizes; outputs: how many
    there are in the outputs.
    """

    steps: int
    running: Cost
    weights: Scalar
    blocks: tuple[Plan, ...] = ()
    stated: tuple[Plan, ...] = ()
    between: Callable[[Mapping[str, int]], int] | None = None
    outputs: Scalar = ZERO

    @staticmethod
    def of(steps: Iterable[Step]) -> Tally:
        """The sums over the steps of a plan."""
        listed = tuple(steps)
        running = [step.cost for step in listed if step.phase != "pack"]
        weights = total(step.cost for step in listed if step.phase == "pack").written
        return Tally(len(running), total(running), weights)

    def large(self, sizes: Mapping[str, int]) -> bool:
        """Whether it needs more memory than half of the outputs between."""
        return self.between is not None and 2 * self.between(sizes) > self.outputs.value(sizes)

    def at(self, sizes: Mapping[str, int]) -> Counted:
        """The numbers at these sizes, `batch` among them."""
        read, written, madds = self.running.value(sizes)
        savings = [saving for plan in self.blocks for saving in fourier(plan, sizes)]
        if worthwhile(savings, sizes[BATCH]):
            madds -= saved(savings, sizes[BATCH])
        for plan in self.stated:
            madds -= saved((stated(plan, product) for product in plan.products), sizes[BATCH])
        weights = int(self.weights.value(sizes))
        if self.blocks and 2 * weights > self.outputs.value(sizes):  # in C there is no room for all
            weights *= min(AGAIN, sizes[BATCH])
        return self.steps, read + written, madds, weights


DEFAULT = Rates(
    "a server core with AVX-512",
    Rate(34e-6, 0.6e-6, 0.075e-9, 0.019e-9, 0.25e-9),
    Rate(32e-6, 10e-6, 0.2e-9, 0.026e-9, 0.6e-9),
    Rate(12e-6, 13e-6, 0.5e-9, 0.01e-9, 0),
    Rate(20e-6, 13e-6, 0.06e-9, 0.027e-9, 0),
    Rate(60e-6, 10e-6, 0.06e-9, 0.05e-9, 0.19e-9),
)
"""Measured with one thread; see `tests/benchmarks/grid.py`."""


OPS = frozenset({"diagonal", "sum", "trace"})


def in_c(plan: Plan) -> bool:
    """Whether there are instructions in C for all moves of a plan, and nothing but weights in its products."""
    moves = all(move.op in OPS for side in (plan.reads, plan.writes) for one in side for move in one)
    return moves and not any(product.scale for product in plan.products)


def rates() -> Rates:
    """The rates of this machine if they were measured (`catnn.calibration`), else those catnn comes with.

    CATNN_RATES names a file to take them from.
    """
    with suppress(OSError, ValueError, TypeError, KeyError):
        return Rates.of(rates_file().read_text(encoding="utf-8"))
    return DEFAULT


def rates_file() -> Path:
    """Where the rates of this machine are."""
    given = os.environ.get("CATNN_RATES")
    return Path(given) if given else cache_folder() / "rates.json"


def cache_folder() -> Path:
    """Where catnn keeps what belongs to this machine: text, and what was built from it.

    Raises: OSError where nothing says which folder: a user without a home, as in some containers.
    """
    given = os.environ.get("CATNN_CACHE")
    if given:
        return Path(given)
    caches = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(caches) if caches else Path.home() / ".cache") / "catnn"
    except RuntimeError as error:
        raise OSError(*error.args) from error
