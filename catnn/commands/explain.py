"""`catnn explain`: what a layer costs, and why."""

from __future__ import annotations

from catnn.commands import UsageError, usage
from catnn.commands.arguments import Parser, target
from catnn.commands.console import Progress, print_json
from catnn.commands.files import find_module, load_spec
from catnn.diagnostics import Diagnostic

EXAMPLES = """\
  catnn explain graph.catnn:mix
  catnn explain graph.catnn:mix --n 64 --batch 16    the cost in numbers, too
"""


def parser() -> Parser:
    """The command line."""
    text = "Sizes are given by the names they have in the spec; without them the cost is a formula."
    found = Parser("explain", text, EXAMPLES)
    found.add_argument("target", metavar="FILE:NAME", help="a layer or network of a spec")
    found.add_argument("--full", action="store_true", help="list every diagram and step, however many")
    found.add_argument("--trace", action="store_true", help="every step of the rewriting (not built yet)")
    found.limit()
    found.json()
    found.epilog = f"other options:\n  --SIZE N     a size by its name; --batch N     entries\n\n{found.epilog}"
    return found


def run(words: list[str]) -> int:
    """Run the verb."""
    options, sizes = parser().read_with_sizes(words)
    if options.trace:
        notes = ("diagrams are brought to normal form, and rules of your own cannot be written yet",)
        helps = ("leave `--trace` out: the factorisation and the plan are shown",)
        raise UsageError(Diagnostic("E0908", "the trace of the rewriting is not built yet", (), notes, helps))
    wanted = target(options.target)
    with Progress(f"explaining {options.target}"):
        item = find_module(load_spec(wanted.file, max_diagrams=options.max_diagrams), wanted, "explain")
        from catnn.api import explain

        with usage():
            explanation = explain(item, full=options.full, **sizes)
        text = "" if options.json else str(explanation)
    if options.json:
        print_json({"ok": True, **explanation.to_dict()})
    else:
        print(text.rstrip("\n"))
    return 0
