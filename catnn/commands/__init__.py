"""The verbs of the `catnn` command, a file each: `run(words)` reads the rest of the command line, returns the status.

`arguments` reads command lines, `files` reads and writes files, `console` prints.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from catnn.diagnostics import CatnnError

COMMANDS = {
    "new": ("FILE", "write a spec to start from"),
    "check": ("FILE...", "parse, type and prove; a line a file"),
    "show": ("FILE[:NAME]", "the diagrams, to look at: text, SVG, PNG, TikZ, HTML; as graphs: DOT, JSON, GraphML, HIF"),
    "explain": ("FILE:NAME", "weights, factorisation, plan, and cost beside the naive cost"),
    "compile": ("FILE", "write a readable module that imports nothing but torch"),
    "test": ("FILE[:NAME]", "run the modules against the mathematics: equivariance, gradients, export"),
    "bench": ("FILE:NAME", "time and memory beside naive ways to do the same"),
    "serve": ("[FILE]", "a local page to edit a spec in, drawn and compiled as one types"),
    "lsp": ("", "the language server, which editors start"),
    "dim": ("GROUP K L", "how many equivariant maps there are from K wires to L"),
    "fmt": ("FILE...", "rewrite specs in the canonical spelling"),
    "error": ("[CODE]", "the page of an error"),
}
"""Every verb: its arguments, and what it does."""

EXAMPLE = """\
A first session:

  catnn new graph.catnn                  a spec to start from, with comments
  catnn check graph.catnn                is it right?
  catnn show graph.catnn:lift            what are the diagrams of this layer?
  catnn compile graph.catnn              write graph.py, which imports nothing but torch
  catnn explain graph.catnn:lift --n 64  what does it cost, and why?

`catnn COMMAND --help` tells more about each.  Results go to standard output, diagnostics to standard error.
Exit status: 0 fine, 1 the spec is wrong, 2 the command line is wrong or a file is missing.
"""


def HELP() -> str:  # noqa: N802  (a constant that is put together when somebody asks)
    """What `catnn --help` prints."""
    lines = ["catnn compiles equivariant neural-network layers, written as string diagrams, to torch.", ""]
    lines += ["usage: catnn COMMAND ...     (also: python -m catnn, catnn --version)", ""]
    lines += [f"  catnn {f'{verb} {arguments}':20} {summary}" for verb, (arguments, summary) in COMMANDS.items()]
    return "\n".join((*lines, "", EXAMPLE))


class UsageError(CatnnError):
    """A fault of the command line, whatever its code: the exit status is 2."""


@contextmanager
def usage() -> Iterator[None]:
    """Whatever fails inside is a fault of the command line.  Raises: UsageError."""
    try:
        yield
    except CatnnError as error:
        raise UsageError(*error.diagnostics) from None
