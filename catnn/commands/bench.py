"""`catnn bench`: time and memory of a compiled layer beside naive ways to do the same."""

from __future__ import annotations

from catnn.commands import usage
from catnn.commands.arguments import Parser, duration, limits, positive, target
from catnn.commands.console import Progress, print_json
from catnn.commands.files import find_module, load_spec

EXAMPLES = """\
  catnn bench graph.catnn:mix
  catnn bench graph.catnn:mix --n 32 --batch 8 --json
  catnn bench graph.catnn:mix --repeat 3 --seconds 0.5   quicker, less exact
"""


def parser() -> Parser:
    """The command line."""
    text = "One run, ratios within it: numbers of different machines do not compare."
    found = Parser("bench", text, EXAMPLES)
    found.add_argument("target", metavar="FILE:NAME", help="a layer or network of a spec")
    found.add_argument("--repeat", type=positive, metavar="N", help="rounds; 7 without it")
    found.add_argument("--seconds", type=duration, metavar="N", help="how long a way may be measured; 3 without it")
    found.add_argument(
        "--tracing", type=duration, metavar="N", help="how long torch.compile may take; each way then under it, too"
    )
    found.limit()
    found.json()
    found.epilog = "other options:\n  --SIZE N     a size by its name; --batch N     entries\n\n" + str(found.epilog)
    return found


def run(words: list[str]) -> int:
    """Run the verb."""
    options, sizes = parser().read_with_sizes(words)
    wanted = target(options.target)
    how = {name: value for name in ("repeat", "seconds", "tracing") if (value := getattr(options, name)) is not None}
    with Progress(f"measuring {options.target}"):
        item = find_module(load_spec(wanted.file, **limits(options)), wanted, "bench")
        from catnn.bench import bench

        with usage():
            table = bench(item, **how, **sizes)
    if options.json:
        print_json({"ok": True, **table.to_dict()})
    else:
        print(str(table).rstrip("\n"))
    return 0
