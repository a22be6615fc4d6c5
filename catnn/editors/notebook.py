"""`%load_ext catnn`: a cell that begins with `%%catnn` is a spec, which is shown and kept under a name."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from IPython.core.magic import Magics, cell_magic, magics_class

from catnn.api import parse
from catnn.diagnostics import CatnnError, render
from catnn.model import Spec


@magics_class
class CatnnMagics(Magics):  # type: ignore[misc]
    """The magic `%%catnn`."""

    @cell_magic  # type: ignore[untyped-decorator]
    def catnn(self, line: str, cell: str) -> Spec | None:
        """The cell is a spec: `%%catnn NAME` keeps it as NAME, `spec` without one; imports come from this folder."""
        name = line.strip() or "spec"
        if not name.isidentifier():
            print(f"%%catnn takes a name for the spec, and `{name}` is none", file=sys.stderr)
            return None
        try:
            found = parse(cell, f"<{name}>", base=Path.cwd())
        except CatnnError as error:
            print(render(error.diagnostics), end="", file=sys.stderr)
            return None
        shell: Any = self.shell
        shell.user_ns[name] = found
        return found


def load(ipython: Any) -> None:
    """Register the magic."""
    ipython.register_magics(CatnnMagics)
