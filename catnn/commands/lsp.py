"""`catnn lsp`: the language server, for editors."""

from __future__ import annotations

import os

from catnn.commands.arguments import Parser

EXAMPLES = """\
  catnn lsp        an editor starts it, and speaks with it over standard input and output
"""


def parser() -> Parser:
    """The command line."""
    return Parser("lsp", "Diagnostics, types under the pointer, go to definition, formatting, completion.", EXAMPLES)


def run(words: list[str]) -> int:
    """Run the verb."""
    parser().read(words)
    try:
        from catnn.editors.lsp import server
    except ImportError as error:
        from catnn.commands.serve import missing

        raise missing(str(error.name or "pygls").partition(".")[0], "lsp") from None
    with os.fdopen(os.dup(0), "rb") as read, os.fdopen(os.dup(1), "wb") as write:
        os.dup2(2, 1)  # what anything else may print is no part of the protocol
        server().start_io(read, write)
    return 0
