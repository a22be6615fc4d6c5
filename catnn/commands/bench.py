"""`catnn bench`: time and memory of a compiled layer beside naive ways to do the same."""

from __future__ import annotations

from catnn.commands import usage
from catnn.commands.arguments import Parser, target
from catnn.commands.console import Progress, print_json
from catnn.commands.files import find_module, load_spec

EXAMPLES = """\
  catnn bench graph.catnn:mix
  catnn bench graph.catnn:mix --n 32 --batch 8 --json
"""


def parser() -> Parser:
    """The command line."""
    text = "One run, ratios within it: numbers of different machines do not compare."
    found = Parser("bench", text, EXAMPLES)
    found.add_argument("target", metavar="FILE:NAME", help="a layer or network of a spec")
    found.limit()
    found.json()
    options = (
        "other options:",
        "  --SIZE N     a size by its name; --batch N     entries",
        "  --repeat N   rounds; --seconds N   how long a way may be measured",
        "  --tracing N  how many seconds torch.compile may take, each way then under it, too",
    )
    found.epilog = "\n".join((*options, "", str(found.epilog)))
    return found


def run(words: list[str]) -> int:
    """Run the verb."""
    options, sizes = parser().read_with_sizes(words)
    wanted = target(options.target)
    with Progress(f"measuring {options.target}"):
        item = find_module(
            load_spec(wanted.file, max_diagrams=options.max_diagrams, allow_maps=options.allow_maps), wanted, "bench"
        )
        from catnn.bench import bench

        with usage():
            table = bench(item, **sizes)
    if options.json:
        print_json({"ok": True, **table.to_dict()})
    else:
        print(str(table).rstrip("\n"))
    return 0
