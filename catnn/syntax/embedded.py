"""A spec inside a page: how a report carries the text it was made from, and how that is read back.

The text is JSON inside a script element of a type that no browser runs, with every `<`, `>` and `&` as an escape, so
nothing in a spec can end the element.
"""

from __future__ import annotations

import json
import re

PAGE = "<!doctype html>"
MOST_PAGE = 64_000_000
"""The most bytes of a page that are looked through."""

_ELEMENT = re.compile(r'<script type="application/json" id="catnn-spec">([^<]*)</script>')


def embed(path: str, text: str) -> str:
    """The element that holds a spec."""
    data = json.dumps({"format": "catnn-report", "version": 1, "path": path, "text": text})
    harmless = data.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return f'<script type="application/json" id="catnn-spec">{harmless}</script>'


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


def unwrapped(data: bytes) -> bytes:
    """The bytes of a spec; of a report, those of the spec inside."""
    if not data[:100].lstrip().lower().startswith(PAGE.encode()):
        return data
    text = embedded(data.decode("utf-8", "replace"))
    return data if text is None else text.encode("utf-8", "surrogatepass")
