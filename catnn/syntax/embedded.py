"""A spec inside a page: how a report carries the text it was made from, with the files that it names, and back.

The text is JSON inside a script element of a type that no browser runs, with every `<`, `>` and `&` as an escape, so
nothing in a spec can end the element.  The files, in base64, have an element of their own behind it.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

PAGE = "<!doctype html>"
MOST_PAGE = 64_000_000
"""The most bytes of a page that are looked through."""

MOST_FILES = 1000
"""So many files a page may carry."""

_FILES = re.compile(r'<script type="application/json" id="catnn-files">([^<]*)</script>')
_ELEMENT = re.compile(r'<script type="application/json" id="catnn-spec">([^<]*)</script>')


def embed(path: str, text: str, files: Mapping[str, bytes] | None = None) -> str:
    """The elements that hold a spec, and the files that it names, by their paths from its folder."""
    spec = _element("catnn-spec", {"format": "catnn-report", "version": 1, "path": path, "text": text})
    if not files:
        return spec
    inner = {name: b64encode(data).decode("ascii") for name, data in files.items()}
    return f"{spec}\n{_element('catnn-files', {'version': 1, 'files': inner})}"


def _element(name: str, content: object) -> str:
    harmless = json.dumps(content).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return f'<script type="application/json" id="{name}">{harmless}</script>'


def embedded(page: str) -> str | None:
    """The spec that a page holds, as it was written; None where it holds none.

    >>> embedded(embed("a.catnn", "space V : S(n)  # <b> & </script>"))
    'space V : S(n)  # <b> & </script>'
    """
    found = _ELEMENT.search(page)
    if found is None:
        return None
    try:
        data = json.loads(found[1])
    except (ValueError, RecursionError):
        return None
    text = data.get("text") if isinstance(data, dict) and data.get("format") == "catnn-report" else None
    return text if isinstance(text, str) else None


def embedded_files(page: str) -> dict[str, bytes]:
    """The files that a page carries; what is no path below a folder is left out.

    >>> embedded_files(embed("a.catnn", "", {"sub/b.catnn": b"space V : S(n)", "../c": b""}))
    {'sub/b.catnn': b'space V : S(n)'}
    """
    found = _FILES.search(page)
    if found is None:
        return {}
    try:
        files = json.loads(found[1])["files"]
        pairs = [(name, b64decode(text, validate=True)) for name, text in files.items() if _is_below(name)]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}
    return dict(pairs[:MOST_FILES])


def _is_below(name: str) -> bool:
    parts = PurePosixPath(name).parts
    strange = any(ord(character) < 32 for character in name) or "\\" in name or ":" in name
    return bool(parts) and not strange and not name.startswith("/") and ".." not in parts


def is_page(data: bytes) -> bool:
    """Whether some bytes are a page, which may hold a spec."""
    return data[:100].lstrip().lower().startswith(PAGE.encode())


@contextmanager
def folder_of(data: bytes, folder: Path) -> Iterator[Path]:
    """The folder below which the spec in some bytes finds its files; for a page that carries some, one with those."""
    files = embedded_files(data.decode("utf-8", "replace")) if is_page(data) else {}
    if not files:
        yield folder
        return
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="catnn-") as scratch:
        for name, content in files.items():
            file = Path(scratch, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        yield Path(scratch)


def unwrapped(data: bytes) -> bytes:
    """The bytes of a spec; of a report, those of the spec inside."""
    if not is_page(data):
        return data
    text = embedded(data.decode("utf-8", "replace"))
    return data if text is None else text.encode("utf-8", "surrogatepass")
