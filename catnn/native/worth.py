"""Where the C library is predicted to be faster than torch's statements (`catnn.plan.rates`)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from catnn.plan.cost import forward_steps
from catnn.plan.plan import Plan
from catnn.plan.rates import IN_C, Counted, counted, rates


def counts(plan: Plan, sizes: Mapping[str, int]) -> Counted:
    """Steps, moves, multiply-adds and weights of a plan, forward; sizes: `batch` among them."""
    return counted(forward_steps(plan), sizes)


def worth(plan: Plan, sizes: Mapping[str, int]) -> bool:
    """Whether a layer is to run in C at these sizes."""
    predicted = _rates().predict(counts(plan, sizes))
    return min(predicted, key=predicted.__getitem__) == IN_C


def forget() -> None:
    """Look for the rates again: they were measured."""
    _rates.cache_clear()


_rates = lru_cache(maxsize=1)(rates)
