"""The ways under torch.compile: what Inductor makes of them, for as long as it may take."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

LIMIT = 256
"""How often one function may be compiled anew: the ways are called through one, each with its own closure."""


class TookTooLongError(BaseException):
    """The time for compiling is over; no Exception, so that nothing on the way takes it for a fault of its own."""


class Allowance:
    """The seconds that torch.compile may take, of all that is compiled together; half of them at a time.

    >>> allowance = Allowance(5.0)
    >>> allowance.spend(lambda: None), allowance.spend(lambda: 1 / 0), 4 < allowance.left < 5
    ('', 'ZeroDivisionError: division by zero', True)
    """

    def __init__(self, seconds: float) -> None:
        self.given = self.left = seconds

    def spend(self, call: Callable[[], object]) -> str:
        """Make a call that compiles; why it gave nothing, or ""."""
        if self.left <= 0:
            return f"the {self.given:.0f} s for compiling were spent"
        start, most = time.perf_counter(), min(self.left, self.given / 2)
        try:
            with limited(most):
                call()
        except TookTooLongError:
            return f"more than {most:.0f} s to compile"
        except Exception as error:
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            return f"{type(error).__name__}: {(lines or [''])[0]:.100}"
        finally:
            self.left -= time.perf_counter() - start
        return ""


def traced(function: Callable[[Any], Any], backend: str = "inductor") -> Callable[[Any], Any]:
    """A function under torch.compile, as one graph: what cannot be one is a fault that is shown."""
    config: Any = torch._dynamo.config  # type: ignore[attr-defined, unused-ignore]
    for name in ("recompile_limit", "cache_size_limit"):
        if hasattr(config, name):
            setattr(config, name, LIMIT)
            break
    found: Callable[[Any], Any] = torch.compile(function, fullgraph=True, dynamic=False, backend=backend)
    return found


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise TookTooLongError here after so many seconds, where there are signals and this is the main thread."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise TookTooLongError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
