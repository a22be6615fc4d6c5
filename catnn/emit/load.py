"""Source to module: loaded once per text, findable by tracebacks, and picklable with its source inside."""

from __future__ import annotations

import linecache
import sys
from hashlib import sha256
from threading import Lock
from types import ModuleType
from typing import Any

from catnn.diagnostics import fail
from catnn.emit.vet import foreign, vet


def load(text: str, imports: frozenset[str] = frozenset()) -> ModuleType:
    """The Python module of a generated file; the same text is the same module.

    imports: the lines that import functions of other packages, which somebody has allowed.
    The text is vetted first, so that a pickle cannot smuggle anything in that way.
    Raises: CatnnError (E1022) where what it imports is not there.
    """
    with _LOCK:
        return _load(text, imports)


_LOCK = Lock()
"""One thread makes a module, the others wait for it."""


def _load(text: str, imports: frozenset[str]) -> ModuleType:
    name = module_name(text)
    if name in sys.modules:
        return sys.modules[name]
    vet(text, imports)
    module = ModuleType(name)
    file = f"<{name}>"
    module.__file__ = file
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    sys.modules[name] = module
    try:
        exec(compile(text, file, "exec"), module.__dict__)
    except ImportError as error:
        del sys.modules[name]
        paths = ", ".join(f"`{path}`" for path in foreign(text))
        raise fail("E1022", f"{paths} cannot be imported: {error}", helps=("install it, or set PYTHONPATH",)) from error
    except BaseException:
        del sys.modules[name]
        raise
    for value in list(vars(module).values()):
        if isinstance(value, type) and value.__module__ == name and hasattr(value, "forward"):
            value.source = text  # type: ignore[attr-defined]
            value.__reduce_ex__ = _reduce  # type: ignore[method-assign, assignment]
    return module


def module_name(text: str) -> str:
    """What the Python module of a text is called."""
    return f"catnn_generated_{sha256(text.encode()).hexdigest()[:16]}"


def _reduce(self: Any, protocol: Any) -> tuple[Any, ...]:
    return _rebuild, (type(self).source, type(self).__name__), self.__dict__


def _rebuild(text: str, name: str) -> Any:
    """An empty module of a class of generated source; its state follows.

    Raises: CatnnError (E1023) where it calls other packages and this process has not allowed that.
    """
    with _LOCK:
        known = module_name(text) in sys.modules
    paths = () if known else foreign(text)
    if paths:
        raise fail(
            "E1023",
            f"this module calls `{paths[0]}`, which a pickle may not do by itself",
            notes=("what is pickled runs as it is read; only torch is called without leave",),
            helps=("compile the spec first, here: `catnn.compile(catnn.load(path, allow_maps=True)[name])`",),
        )
    cls = getattr(load(text), name)
    return cls.__new__(cls)
