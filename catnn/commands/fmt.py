"""`catnn fmt`: specs in the canonical spelling."""

from __future__ import annotations

from catnn.commands import UsageError
from catnn.commands.arguments import Parser
from catnn.commands.console import print_json, report
from catnn.commands.files import STDIN, read_bytes, write
from catnn.diagnostics import CatnnError, Diagnostic

EXAMPLES = """\
  catnn fmt graph.catnn            rewrite it; prints its name if it changed
  catnn fmt --check *.catnn        only say which would change; status 1 if any
  catnn fmt - < graph.catnn        from standard input to standard output
"""


def parser() -> Parser:
    """The command line."""
    found = Parser(
        "fmt", "Comments stay, and what a spec means does not change. Files that are fine are not touched.", EXAMPLES
    )
    found.add_argument("files", metavar="FILE", nargs="+", help="a spec, `-` for standard input")
    found.add_argument("--check", action="store_true", help="write nothing; status 1 if a file would change")
    found.json()
    return found


def run(words: list[str]) -> int:
    """Run the verb."""
    options = parser().read(words)
    status, files = 0, []
    for file in options.files:
        changed, diagnostics = False, tuple[Diagnostic, ...]()
        try:
            changed = _format(file, write_it=not options.check, show=not options.json)
        except CatnnError as error:
            status = max(status, 2 if isinstance(error, UsageError) else 1)
            diagnostics = error.diagnostics
            if not options.json:
                report(diagnostics)
        if changed and options.check:
            status = max(status, 1)
        if changed and not options.json and (options.check or file != "-"):
            print(STDIN if file == "-" else file)
        found = [diagnostic.to_dict() for diagnostic in diagnostics]
        files.append({"file": file, "ok": not found, "changed": changed, "diagnostics": found})
    if options.json:
        print_json({"ok": status == 0, "files": files})
    return status


def _format(file: str, *, write_it: bool, show: bool) -> bool:
    """Whether the text is not canonical; then it is written.  Raises: CatnnError."""
    from catnn.syntax.parser import decode
    from catnn.syntax.printer import format_source

    data = read_bytes(file)
    path = STDIN if file == "-" else file
    text = format_source(decode(data, path).text, path)
    changed = text.encode() != data
    if write_it and (changed or file == "-") and (file != "-" or show):
        write(file, text)
    return changed
