"""`catnn test`: the compiled modules of a spec against its mathematics."""

from __future__ import annotations

from collections import Counter

from catnn.commands.arguments import Parser, limits, natural, target
from catnn.commands.console import Progress, counted, print_json
from catnn.commands.files import find_module, load_spec
from catnn.diagnostics import CatnnError, Diagnostic

EXAMPLES = """\
  catnn test graph.catnn
  catnn test graph.catnn:mix --seed 7
"""


def parser() -> Parser:
    """The command line."""
    text = "Runs each layer and network: match with the dense matrices, equivariance under random group elements,\n"
    text += "gradients, masks, torch.export with dynamic sizes, copies. A line a check; status 1 if one fails."
    found = Parser("test", text, EXAMPLES)
    found.add_argument("target", metavar="FILE[:NAME]", help="a spec, or one layer or network of it")
    found.add_argument("--seed", type=natural, default=0, metavar="N", help="for weights, inputs and group elements")
    found.limit()
    found.json()
    return found


def run(words: list[str]) -> int:
    """Run the verb."""
    options = parser().read(words)
    wanted = target(options.target)
    results = []
    with Progress(f"testing {options.target}") as progress:
        spec = load_spec(wanted.file, **limits(options))
        names = [*spec.layers, *spec.networks]
        if wanted.name is not None:
            find_module(spec, wanted, "test")
            names = [wanted.name]
        elif not names:
            raise CatnnError(Diagnostic("E1008", f"{spec.path} defines no layer and no network to test"))
        from catnn.testing import run as run_checks

        width = max(map(len, names))
        for result in run_checks(spec, names, seed=options.seed, begin=lambda n, c: progress.say(f"testing {n}: {c}")):
            results.append(result)
            progress.clear()
            if not options.json:
                line = f"{result.name:{width}}  {result.check:12}  {result.status:7}  {result.detail}"
                print(f"{line} ({result.seconds:.2f} s)", flush=True)
    fine = all(result.ok for result in results)
    if options.json:
        print_json({"ok": fine, "results": [result.to_dict() for result in results]})
    else:
        count = Counter(result.status for result in results)
        parts = [f"{count[status]} {status}" for status in ("ok", "failed", "skipped") if count[status]]
        print(f"\n{counted(len(results), 'check')}: {', '.join(parts)}")
    return 0 if fine else 1
