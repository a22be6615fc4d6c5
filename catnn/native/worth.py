"""The rates of this machine, read once a process (`catnn.plan.rates`)."""

from __future__ import annotations

from functools import lru_cache

from catnn.plan.rates import rates

known = lru_cache(maxsize=1)(rates)


def forget() -> None:
    """Look for the rates again: they were measured."""
    known.cache_clear()
