"""`catnn compile`: a spec as a Python file that imports nothing but torch."""

from __future__ import annotations

import os
import re

from catnn.commands import UsageError, usage
from catnn.commands.arguments import Parser, limits, target, wrong
from catnn.commands.console import Progress, print_json
from catnn.commands.files import load_spec, read_bytes, write
from catnn.diagnostics import Diagnostic

EXAMPLES = """\
  catnn compile graph.catnn             writes graph.py beside it
  catnn compile graph.catnn -o -        to standard output
  python -c "from graph import Mix"     what is written is a plain module
"""


def parser() -> Parser:
    """The command line."""
    text = "Every layer and network becomes a class in CapWords. What catnn did not write is never overwritten."
    found = Parser("compile", text, EXAMPLES)
    found.add_argument("file", metavar="FILE", help="a spec")
    found.add_argument("-o", "--output", metavar="OUT.py", help="the file to write, `-` for standard output")
    found.add_argument("--target", default="torch", metavar="TARGET", help="torch, which is the default")
    found.add_argument("--force", action="store_true", help="overwrite OUT.py, whatever it is")
    found.limit()
    found.json()
    return found


def run(words: list[str]) -> int:
    """Run the verb."""
    options = parser().read(words)
    from catnn.compiler import check_target, generate

    with usage():
        check_target(options.target)
    output = _output(options.file, options.output)
    if options.json and output == "-":
        raise wrong("`--json` and `-o -` both want standard output", helps=("give a file: `-o OUT.py`",))
    with Progress(f"compiling {options.file}"):
        spec = load_spec(options.file, **limits(options))
        if output != "-" and not options.force:
            _check_ours(output)
        generated = generate(spec)
    write(output, generated.text, spec=options.file)
    if options.json:
        print_json({"ok": True, "file": output, "target": options.target, "classes": dict(generated.classes)})
    elif output != "-":
        print(f"{output}: {', '.join(generated.classes.values())}")
    return 0


def _output(file: str, output: str | None) -> str:
    """Where to: beside the spec unless OUT says otherwise.  Raises: UsageError."""
    if output is not None:
        return output
    if file == "-":
        return "-"
    named = target(file)
    if named.name is not None:
        helps = (f"write `catnn compile {named.file}`",)
        raise wrong(f"`catnn compile` compiles whole files, not `{named.name}` alone", helps=helps)
    return os.path.splitext(file)[0] + ".py"


def _check_ours(output: str) -> None:
    """Raises: UsageError (E1011) where the file exists and is not one that catnn wrote."""
    if not os.path.isfile(output):
        return
    if not is_generated(read_bytes(output)):
        message = f"`{output}` was not written by catnn, and is not overwritten"
        helps = ("give another file: `-o OUT.py`", "or overwrite it: `--force`")
        raise UsageError(Diagnostic("E1011", message, (), (), helps))


def is_generated(data: bytes) -> bool:
    """Whether a file begins as `catnn compile` writes it.

    >>> is_generated(b'import torch')
    False
    """
    head = data[:4000].decode("utf-8", "replace").replace("\r\n", "\n")
    marks = (r"^catnn format: \d+$", r"^spec sha256: [0-9a-f]{64}$")
    return head.startswith('"""') and all(re.search(mark, head, re.MULTILINE) for mark in marks)
