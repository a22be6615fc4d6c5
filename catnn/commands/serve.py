"""`catnn serve`: the playground, a local page where a spec is edited and drawn as one types."""

from __future__ import annotations

from pathlib import Path

from catnn.commands import UsageError, usage
from catnn.commands.arguments import Parser, natural
from catnn.commands.files import read_bytes
from catnn.diagnostics import Diagnostic

EXAMPLES = """\
  catnn serve                    a small spec to start from
  catnn serve graph.catnn        this spec; what it imports is read from its folder
  catnn serve --port 0 --no-browser
"""
PORT = 8765


def parser() -> Parser:
    """The command line."""
    text = "The page is served to this machine alone. What is typed there is saved nowhere: copy it from the page."
    found = Parser("serve", text, EXAMPLES)
    found.add_argument("file", metavar="FILE", nargs="?", help="a spec to start from")
    found.add_argument(
        "--port", type=natural, default=PORT, help=f"the port, 0 for any that is free; {PORT} without it"
    )
    found.add_argument("--no-browser", action="store_true", help="do not open a browser")
    return found


def missing(package: str, extra: str) -> UsageError:
    """The fault of a package that is not installed (E1030), for the caller to raise."""
    helps = (f"install it: `pip install 'catnn[{extra}]'`",)
    return UsageError(Diagnostic("E1030", f"this needs the package `{package}`, which is not installed", (), (), helps))


def run(words: list[str]) -> int:
    """Run the verb."""
    from catnn.syntax.parser import decode

    options = parser().read(words)
    text, folder = None, None
    if options.file is not None:
        text = decode(read_bytes(options.file), options.file).text
        folder = Path(options.file).resolve().parent if options.file != "-" else None
    try:
        from catnn.playground.server import serve
    except ImportError as error:
        raise missing(str(error.name or "starlette").partition(".")[0], "serve") from None
    with usage():
        serve(text, options.file or "catnn playground", folder, port=options.port, browser=not options.no_browser)
    return 0
