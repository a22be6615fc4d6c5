"""`catnn explain`: what a layer costs, and why."""

from __future__ import annotations

from catnn.category.wires import show_word
from catnn.commands import usage
from catnn.commands.arguments import Parser, limits, target
from catnn.commands.console import Progress, counted, print_json
from catnn.commands.files import find_module, load_spec
from catnn.model import Spec

NO_STEPS = "rewriting: no step; its diagrams have no boxes, so they are their own normal forms"

EXAMPLES = """\
  catnn explain graph.catnn:mix
  catnn explain graph.catnn:mix --n 64 --batch 16    the cost in numbers, too
  catnn explain rules.catnn:twice --trace            a diagram with boxes, simplified by the rules of its file
"""


def parser() -> Parser:
    """The command line."""
    text = "Sizes are given by the names they have in the spec; without them the cost is a formula."
    found = Parser("explain", text, EXAMPLES)
    found.add_argument("target", metavar="FILE:NAME", help="a layer or network of a spec; with --trace a diagram, too")
    found.add_argument("--full", action="store_true", help="list every diagram and step, however many")
    found.add_argument("--trace", action="store_true", help="every step of the rewriting")
    found.limit()
    found.json()
    found.epilog = f"other options:\n  --SIZE N     a size by its name; --batch N     entries\n\n{found.epilog}"
    return found


def run(words: list[str]) -> int:
    """Run the verb."""
    options, sizes = parser().read_with_sizes(words)
    wanted = target(options.target)
    with Progress(f"explaining {options.target}"):
        spec = load_spec(wanted.file, **limits(options))
        if options.trace and wanted.name is not None and wanted.name in spec.composites:
            return _trace(spec, wanted.name, json=options.json)
        item = find_module(spec, wanted, "explain")
        from catnn.api import explain

        with usage():
            explanation = explain(item, full=options.full, **sizes)
        text = "" if options.json else str(explanation)
    if options.trace and not options.json:
        text = text.rstrip("\n") + f"\n\n{NO_STEPS}\n"
    if options.json:
        print_json({"ok": True, **explanation.to_dict(), **({"trace": []} if options.trace else {})})
    else:
        print(text.rstrip("\n"))
    return 0


def _trace(spec: Spec, name: str, *, json: bool) -> int:
    """A diagram with boxes: the steps that its promises and the rules of the file allow."""
    from catnn.rewrite.proofs import to_dict
    from catnn.rewrite.strategy import laws_of, simplify
    from catnn.rewrite.telling import tell
    from catnn.rewrite.theories import builtin

    value = spec.composites[name]
    outcome = simplify(value, laws_of(builtin(value, laws=spec.rules), spec.rules))
    if json:
        found = {"ok": True, "name": name, "finished": outcome.finished, "reason": outcome.reason}
        print_json({**found, "trace": to_dict(outcome.trace)})
    else:
        print(f"{name} : {show_word(value.source)} -> {show_word(value.target)}\n")
        print(tell(outcome.trace, "  "))
        print(f"\n{counted(len(outcome.trace.steps), 'step')}; {outcome.reason}")
    return 0
