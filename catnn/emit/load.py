"""Source to module: loaded once per text, findable by tracebacks, and picklable with its source inside."""

from __future__ import annotations

import linecache
import sys
from hashlib import sha256
from threading import Lock
from types import ModuleType
from typing import Any

from catnn.emit.vet import vet


def load(text: str) -> ModuleType:
    """The Python module of a generated file; the same text is the same module.

    The text is vetted first, so that a pickle cannot smuggle anything in that way.
    """
    with _LOCK:
        return _load(text)


_LOCK = Lock()
"""One thread makes a module, the others wait for it."""


def _load(text: str) -> ModuleType:
    name = f"catnn_generated_{sha256(text.encode()).hexdigest()[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    vet(text)
    module = ModuleType(name)
    file = f"<{name}>"
    module.__file__ = file
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    sys.modules[name] = module
    try:
        exec(compile(text, file, "exec"), module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    for value in list(vars(module).values()):
        if isinstance(value, type) and value.__module__ == name and hasattr(value, "forward"):
            value.source = text  # type: ignore[attr-defined]
            value.__reduce_ex__ = _reduce  # type: ignore[method-assign, assignment]
    return module


def _reduce(self: Any, protocol: Any) -> tuple[Any, ...]:
    return _rebuild, (type(self).source, type(self).__name__), self.__dict__


def _rebuild(text: str, name: str) -> Any:
    """An empty module of a class of generated source; its state follows."""
    cls = getattr(load(text), name)
    return cls.__new__(cls)
