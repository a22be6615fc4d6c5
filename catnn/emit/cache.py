"""What was emitted before, by the canonical text of what it is: in the process, and as text in the user's cache folder.

An entry holds the source, what is put behind its layers, and the hashes of their plans.  It was proved by the same code
that reads it: the hash of that code is in its key.  Reading makes the plans anew, compares their hashes, and vets the
source as all source is vetted; whatever does not fit in any respect is no entry, and is written again.

CATNN_PLANS=0 switches the cache off; CATNN_CACHE names another folder; deleting its folder ``plans`` clears it.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from stat import S_ISREG
from threading import Lock
from typing import Any

from catnn.category.families import FAMILIES
from catnn.emit.canonical import canonical, digest
from catnn.emit.file import BODY, FORMAT, Generated, Row, described, restored
from catnn.emit.vet import UnsafeSourceError
from catnn.model import Layer, Network
from catnn.plan.rates import cache_folder

ENTRIES = 1
"""The version of the form of entries."""

MOST = 64
"""So many are kept in the process, the latest."""

MOST_FILES = 256
"""So many are kept in the folder, the latest."""

LARGEST = 2**26
"""Larger files are not read."""

CODE = ("activations.py", "model.py", "program.py", "category", "emit", "hypergraph", "plan", "rewrite")
"""What decides what is emitted, and how it is proved."""

_RECENT: OrderedDict[str, Generated] = OrderedDict()
_LOCK = Lock()


def recall(item: Layer | Network, *, title: str, spec: str) -> Generated | None:
    """What was emitted for such an item, with the head of this spec; None where nothing was, or nothing to trust."""
    key = key_of(item)
    if key is None:
        return None
    with _LOCK:
        found = _RECENT.get(key)
        if found is not None:
            _RECENT.move_to_end(key)
    if found is not None:
        return Generated(described(found.text, title=title, spec=spec), found.classes, found.layers, found.imports)
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError, SyntaxError, RecursionError,
                  UnsafeSourceError):  # fmt: skip
        file = file_of(key)
        if not _is_ours(file):
            return None
        found = _read(item, key, file.read_text(encoding="utf-8"), title=title, spec=spec)
        _remember(key, found)
        os.utime(file)
        return found
    return None


def keep(item: Layer | Network, generated: Generated) -> None:
    """Keep what was emitted for an item, proved; where nothing can be written, in the process alone."""
    key = key_of(item)
    if key is None:
        return
    _remember(key, generated)
    with suppress(OSError, TypeError):
        file = file_of(key)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(file, _entry(key, generated))
        _prune(file.parent)


def forget(item: Layer | Network) -> None:
    """Forget what was emitted for an item: it turned out to be none."""
    key = key_of(item)
    if key is not None:
        with _LOCK:
            _RECENT.pop(key, None)
        with suppress(OSError):
            file_of(key).unlink()


def clear() -> None:
    """Forget everything, here and in the folder."""
    with _LOCK:
        _RECENT.clear()
    with suppress(OSError):
        for file in folder().glob("*.json"):
            file.unlink()


def folder() -> Path:
    """Where the entries are."""
    return cache_folder() / "plans"


def file_of(key: str) -> Path:
    """The file of an entry."""
    return folder() / f"{key[:40]}.json"


def key_of(item: Layer | Network) -> str | None:
    """The key of an item: the hash of its canonical text, of the code that emits it, and of what that code calls.

    None where the cache is switched off, and for an item that has no canonical text.
    """
    if os.environ.get("CATNN_PLANS", "1") == "0":
        return None
    with suppress(OSError, TypeError):
        parts = [f"entries {ENTRIES}, format {FORMAT}", code(), *_families(item), *_orders(item), canonical(item)]
        return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
    return None


@cache
def code() -> str:
    """The hash of the code that emits and proves.  Raises: OSError where it cannot be read."""
    found, root = sha256(), Path(__file__).resolve().parents[1]
    for name in CODE:
        place = root / name
        for file in [place] if place.suffix else sorted(place.glob("*.py")):
            data = file.read_bytes()
            found.update(f"{name}/{file.name} {len(data)}\n".encode() + data)
    return found.hexdigest()


def _families(item: Layer | Network) -> Iterator[str]:
    """The classes of the families of its type, since a program may register some of its own."""
    wires = {wire for side in (item.source, item.target) for word in side.words for wire in word}
    for key in sorted({wire.group.family for wire in wires}):
        kind = type(FAMILIES[key])
        yield f"{key} {kind.__module__}.{kind.__qualname__}"


def _orders(item: Layer | Network) -> Iterator[str]:
    """The versions of what orders contractions."""
    for name in ("opt_einsum", "cotengra") if isinstance(item, Network) else ():
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            yield f"no {name}"


def _remember(key: str, generated: Generated) -> None:
    with _LOCK:
        _RECENT[key] = generated
        _RECENT.move_to_end(key)
        while len(_RECENT) > MOST:
            _RECENT.popitem(last=False)


# ------------------------------------------------------------------------------------------------------------- files


def _entry(key: str, generated: Generated) -> str:
    """An entry as text: its hash, and what that is the hash of."""
    written = [
        [one.owner, one.function, one.prefix, list(one.extras.items()), list(one.apart), list(one.combining),
         digest(one.plan)]
        for one in generated.layers
    ]  # fmt: skip
    text = generated.text[generated.text.index(BODY) :]
    inner = json.dumps({"key": key, "proved by": code(), "source": text, "layers": written})
    return json.dumps({"sha256": sha256(inner.encode()).hexdigest(), "entry": inner})


def _read(item: Layer | Network, key: str, data: str, *, title: str, spec: str) -> Generated:
    """An entry from text.  Raises: ValueError, KeyError, TypeError, UnsafeSourceError and others where it is none."""
    outer = json.loads(data)
    inner = outer["entry"]
    if sha256(inner.encode()).hexdigest() != outer["sha256"]:
        raise ValueError("not what was written")
    entry: dict[str, Any] = json.loads(inner)
    if (entry["key"], entry["proved by"]) != (key, code()):
        raise ValueError("another entry, or one of other code")
    rows = [_row(*row[:6]) for row in entry["layers"]]
    found = restored(item, described(entry["source"], title=title, spec=spec), rows)
    for one, row in zip(found.layers, entry["layers"], strict=True):
        if digest(one.plan) != row[6]:
            raise ValueError("not the plan that was proved")
    return found


def _row(
    owner: str, function: str, prefix: str, extras: list[list[Any]], apart: list[str], combining: list[int]
) -> Row:
    """The fields of a `Written` from JSON.  Raises: ValueError, TypeError."""
    steps, moves, madds, weights = map(int, combining)
    return str(owner), str(function), str(prefix), dict(extras), tuple(map(str, apart)), (steps, moves, madds, weights)


def _write(file: Path, text: str) -> None:
    """Write beside the place and move there, so that another process never sees half an entry.  Raises: OSError."""
    handle, name = tempfile.mkstemp(dir=file.parent, suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.replace(name, file)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def _prune(place: Path) -> None:
    """Remove the entries that were used longest ago.  Raises: OSError."""
    files = list(place.glob("*.json"))
    if len(files) > MOST_FILES:
        for file in sorted(files, key=lambda file: file.stat().st_mtime)[: len(files) - MOST_FILES]:
            file.unlink()


def _is_ours(file: Path) -> bool:
    """Whether this is a file of a sensible size that nobody else can have written.  Raises: OSError."""
    found = file.stat()
    if found.st_size > LARGEST or not S_ISREG(found.st_mode):
        return False
    return os.name != "posix" or (found.st_uid in (os.geteuid(), 0) and not found.st_mode & 0o022)
