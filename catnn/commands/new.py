"""`catnn new`: a spec to start from."""

from __future__ import annotations

import os

from catnn.commands import UsageError
from catnn.commands.arguments import Parser
from catnn.commands.console import print_json
from catnn.commands.files import unwritable
from catnn.diagnostics import Diagnostic

SPEC = """\
# A spec: what the layers of a model are. `catnn check` proves it, `catnn compile` turns it into a torch module.

space V : S(n)  # the wire V is R^n, permuted by S(n): any n, decided by the tensor at run time

# Every linear map from node features (3 channels) to edge features (16 channels) that permutations commute with.
layer lift : V[3] -> V^2[16] = all + bias

# Only these: row sums, column sums, the diagonal. A pattern reads as an einsum, or as a diagram.
layer pool : V^2[16] -> V[8] = span { [i j -> i], [i j -> j], [i i -> i] } + bias

# Layers and activations, first to last.
network model : V[3] -> V[8] = lift ; relu ; pool

# An executable comment, proved for every n: taking the diagonal of a diagonal matrix changes nothing.
check copy ; merge = id : V -> V
"""

EXAMPLES = """\
  catnn new graph.catnn       write it
  catnn new -                 only look at it
"""


def parser() -> Parser:
    """The command line."""
    found = Parser("new", "The spec checks and compiles as it is. A file that exists is left alone.", EXAMPLES)
    found.add_argument("file", metavar="FILE", help="the file to write, `-` for standard output")
    found.json()
    return found


def run(words: list[str]) -> int:
    """Run the verb."""
    options = parser().read(words)
    if options.file == "-":
        print(SPEC, end="")
        return 0
    _create(options.file)
    if options.json:
        print_json({"ok": True, "file": options.file})
    else:
        print(f"{options.file}: written; `catnn check {options.file}` proves it")
    return 0


def _create(file: str) -> None:
    """Raises: UsageError (E1011, E1012)."""
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        helps = ("choose another name, or delete it first",)
        raise UsageError(Diagnostic("E1011", f"`{file}` exists, and is not overwritten", (), (), helps)) from None
    except (OSError, ValueError) as error:
        raise unwritable(file, error) from None
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(SPEC)
