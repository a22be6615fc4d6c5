"""`catnn error`: the page of an error."""

from __future__ import annotations

from catnn.commands import UsageError
from catnn.commands.arguments import Parser
from catnn.commands.console import print_json
from catnn.diagnostics import Diagnostic

EXAMPLES = """\
  catnn error E0301        what it means, how to mend it, and a spec that fails with it
  catnn error              every code and its title
"""


def parser() -> Parser:
    """The command line."""
    found = Parser("error", "Codes stand in square brackets behind `error` in every message.", EXAMPLES)
    found.add_argument("code", metavar="CODE", nargs="?", help="as in E0301, in capitals or not")
    found.json()
    return found


def run(words: list[str]) -> int:
    """Run the verb."""
    options = parser().read(words)
    from catnn.resources import error_page, error_titles

    titles = error_titles()
    if options.code is None:
        if options.json:
            print_json({"ok": True, "errors": titles})
        else:
            print("\n".join(f"{code}  {title}" for code, title in titles.items()))
        return 0
    code = options.code.strip("[]").upper()
    page = error_page(code)
    if page is None:
        raise _unknown(options.code, code, titles)
    if options.json:
        print_json({"ok": True, "code": code, "title": titles[code], "page": page})
    else:
        print(page, end="")
    return 0


def _unknown(given: str, code: str, titles: dict[str, str]) -> UsageError:
    from catnn.elaborate.report import nearest

    helps = nearest(code, titles) or ("`catnn error` lists every code",)
    return UsageError(Diagnostic("E1014", f"no error has the code `{given}`", (), (), helps))
