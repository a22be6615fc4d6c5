"""The mathematics beside the machine: does a module compute what its spec says?

`samples` makes sizes and inputs, `dense` has the slow definition, `action` the groups, `checks` what is compared.
`catnn test` prints what `run` yields; tests call the functions one by one.

>>> import catnn
>>> spec = catnn.parse("space V : S(n)  layer f : V -> V = all + bias")
>>> [result.check for result in run(spec, only=("dense match", "equivariance")) if result.ok]
['dense match', 'equivariance']
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from catnn.model import Layer, Network, Spec

Status = Literal["ok", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Result:
    """What came out of one check of one layer or network.

    detail: what was tried, or what is wrong; seconds: how long it took.
    """

    name: str
    check: str
    status: Status
    detail: str
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Nothing is wrong."""
        return self.status != "failed"

    def to_dict(self) -> dict[str, Any]:
        """The same as plain data."""
        return {**asdict(self), "seconds": round(self.seconds, 3)}


class Mismatch(AssertionError):  # noqa: N818  (an AssertionError, as pytest wants it)
    """A module does not do what it should; the text says where."""


class Skip(Exception):  # noqa: N818  (it is no error)
    """A check that says nothing about this layer; the text says why."""


def run(
    spec: Spec,
    names: Collection[str] | None = None,
    *,
    only: Collection[str] | None = None,
    seed: int = 0,
    begin: Callable[[str, str], None] | None = None,
) -> Iterator[Result]:
    """Every check of every layer and network of a spec, as soon as it is done.

    names: only these; only: only these checks; begin: called with name and check before each.
    """
    from catnn.testing.checks import LAYER_CHECKS, NETWORK_CHECKS

    items: dict[str, Layer | Network] = {**spec.layers, **spec.networks}
    for name in names if names is not None else items:
        item = spec[name]
        checks = LAYER_CHECKS if isinstance(item, Layer) else NETWORK_CHECKS
        for check, function in checks.items():
            if only is not None and check not in only:
                continue
            if begin is not None:
                begin(name, check)
            yield _result(name, check, lambda item=item, function=function: _checked(function, item, seed))  # type: ignore[misc]


def _checked(function: Callable[[Any, int], str], item: Layer | Network, seed: int) -> str:
    """What a check finds.  Raises: Skip for a network without inputs."""
    if isinstance(item, Network) and item.program is not None and not item.program.parameters:
        raise Skip("it has no inputs")
    return function(item, seed)


def _result(name: str, check: str, function: Callable[[], str]) -> Result:
    start = time.perf_counter()
    status: Status = "ok"
    try:
        detail = function()
    except Skip as reason:
        status, detail = "skipped", str(reason)
    except Mismatch as error:
        status, detail = "failed", str(error)
    except Exception as error:  # torch raises many kinds, and each is a failure of this check alone
        status, detail = "failed", " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return Result(name, check, status, detail, time.perf_counter() - start)
