"""The process that does the work of the playground: one spec in, one answer out, a line of JSON each.

It runs under limits (memory, no files written), knows nothing of the network, and is ended by its parent when an
answer takes too long.  A spec in it may import from the folder it was told, and from nowhere without one.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

MEMORY = 3 * 2**30
"""Bytes of address space."""
MOST_DIAGRAMS = 5000
MOST_ANSWER = 8_000_000
"""Characters; a page that is larger does not help a person who types."""


def answer(text: str, folder: Path | None, name: str = "spec.catnn") -> dict[str, Any]:
    """What the page shows for a text; name: what messages and code call it.

    >>> answer("space V : S(n)", None)["ok"], answer("space V S(n)", None)["diagnostics"][0]["code"]
    (True, 'E0010')
    """
    from catnn.api import parse
    from catnn.diagnostics import CatnnError, render

    try:
        spec = parse(text, name, base=folder, max_diagrams=MOST_DIAGRAMS)
        return _page(spec)
    except CatnnError as error:
        found = [{**d.to_dict(), "rendered": render((d,))} for d in error.diagnostics]
        return {"ok": False, "diagnostics": found}


def _page(spec: Any) -> dict[str, Any]:
    from catnn.report.listing import code_listing
    from catnn.report.page import contents, sections
    from catnn.report.sections import material
    from catnn.syntax.parser import make_source, parse_recovering

    module, _ = parse_recovering(make_source(spec.text, spec.path))
    found = material(spec, module)
    code = code_listing(found.generated.text) if found.generated else ""
    page = {"ok": True, "main": sections(found), "contents": contents(found), "code": code}
    if sum(len(str(part)) for part in page.values()) > MOST_ANSWER:
        message = "the pictures of this spec are too many for a page that follows typing: `catnn show` draws them"
        return {"ok": False, "diagnostics": [{"code": "", "message": message, "labels": [], "rendered": message}]}
    return page


def limit() -> None:
    """Bound what this process may use, where the system can."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Answer the lines of standard input until it ends.

    The arguments are the name of the spec and the folder that it may import from.
    """
    name, folder = sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else None
    answer("space V : S(n)  layer f : V -> V = all", None)  # import what every answer needs, before the limits
    limit()
    sys.setrecursionlimit(5000)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        try:
            reply = answer(str(json.loads(line)["text"]), folder, name)
        except MemoryError:
            reply = {"ok": False, "fault": "this spec needs more memory than the playground gives"}
        except Exception as fault:  # a defect of catnn is shown, and the page goes on
            reply = {"ok": False, "fault": f"catnn itself has a fault: {type(fault).__name__}: {str(fault)[:200]}"}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
