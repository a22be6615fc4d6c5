"""Write the pages that are made from data: errors, activations, reserved words.

`make docs` runs this; the tests compare.  Between two marks a page is generated, outside it is written by hand:

    <!-- generated: NAME -->
    ...
    <!-- end -->
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

MARK = re.compile(r"(<!-- generated: ([\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def errors() -> str:
    """Every error: its code, its title, its page, which is a spec that fails with it, and what that prints."""
    from catnn.resources import error_page, error_titles

    parts = []
    for code, title in error_titles().items():
        parts.append(f"### {code}\n\n{title}\n")
        printed = ROOT / "tests" / "errors" / f"{code}.txt"
        if page := error_page(code):
            parts.append(fenced(page))
        if page and printed.is_file():
            parts.append(fenced(printed.read_text(encoding="utf-8")))
    return "\n".join(parts) + "\n"


def fenced(text: str) -> str:
    """A block of plain text, whatever back ticks and control characters are in it."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    visible = "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in text.expandtabs(4))
    return f"{fence}text\n{visible.rstrip()}\n{fence}\n"


def activations() -> str:
    """Every activation: what it is, and after which wires it may stand."""
    from catnn.activations import ACTIVATIONS

    after = {
        "any": "`S(n)`; `S'(n)` of even order; `S+(n)` of order 1; order 0",
        "odd": "the same, `H(n)` and `S'(n)`; the function is odd",
        "linear": "all",
        "norm": "all but `Sp(n)`; after `O(p,q)` only `gate`",
    }
    rows = ["| name | f(x) | may follow | f(0) = 0 |", "|---|---|---|---|"]
    for name, activation in ACTIVATIONS.items():
        meaning = activation.meaning.replace("|", "\\|")
        rows.append(f"| `{name}` | {meaning} | {after[activation.kind]} | {'yes' if activation.keeps_zero else 'no'} |")
    return "\n".join(rows) + "\n"


def pointwise_boxes() -> str:
    """The functions that a box may be with `= pointwise`, activations apart."""
    from catnn.activations import ACTIVATIONS, MAPS

    rows = ["| name | f(x) | odd |", "|---|---|---|"]
    own = {name: function for name, function in MAPS.items() if name not in ACTIVATIONS}
    rows += [f"| `{n}` | {f.meaning} | {'yes' if f.kind == 'odd' else 'no'} |" for n, f in own.items()]
    return "\n".join(rows) + "\n"


def reserved_words() -> str:
    """The words that cannot be defined: keywords, generators, activations."""
    from catnn.elaborate.scopes import RESERVED

    return ", ".join(f"`{word}`" for word in sorted(RESERVED, key=str.casefold)) + "\n"


PICTURES = {"mix": "graph.catnn:mix", "attend": "gallery/attention.catnn:attend"}
"""The pictures of the README, by their files: what `catnn show` draws of the examples."""


def picture(target: str) -> str:
    """The picture of a definition of an example."""
    import catnn

    file, _, name = target.partition(":")
    return str(catnn.load(ROOT / "examples" / file)[name].to_svg())


WAYS = ("fused by hand", "one diagram at a time", "an einsum a diagram", "stacked maps (IGN)")
"""What the README's table shows beside the compiled layer."""


def figures() -> str:
    """The README's table, out of what `make bench` wrote last: a row a layer, forward and with gradient."""
    rows = ["| layer | " + " | ".join(WAYS) + " | memory |", "|---|" + "---:|" * (len(WAYS) + 1)]
    text = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    for section in text.split("\n## ")[1:]:
        title = section.partition("\n")[0].partition(";")[0]
        lines = (line.strip("|").split("|") for line in section.splitlines())
        found = {
            cells[0]: cells[1:] for cells in ([cell.strip() for cell in line] for line in lines) if len(cells) == 5
        }
        shown = [found.get(way, ["", ""]) for way in WAYS]
        times = [f"{forward}, {both}" if re.fullmatch(r"[\d.,]+", forward) else "" for forward, both, *_ in shown]
        if any(times):
            rows.append(f"| {title} | {' | '.join(times)} | {found['compiled'][2]} |")
    machine = re.search(r"Machine: (.*)\n", text)
    return "\n".join(rows) + f"\n\n{machine[1] if machine else ''}\n"


SECTIONS: dict[str, Callable[[], str]] = {
    "activations": activations,
    "errors": errors,
    "figures": figures,
    "pointwise boxes": pointwise_boxes,
    "reserved words": reserved_words,
}


def pages() -> dict[Path, str]:
    """The pages that hold something generated, as they should be."""
    from catnn.editors.textmate import text

    images = ROOT / "docs" / "images"
    found = {images / f"{name}.svg": picture(target) for name, target in PICTURES.items()}
    found |= {ROOT / "grammar" / "catnn.tmLanguage.json": text()}
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        text = path.read_text(encoding="utf-8")
        if MARK.search(text):
            found[path] = MARK.sub(lambda m: m[1] + SECTIONS[m[2]]() + m[3], text)
    return found


def main() -> int:
    """Write what has changed."""
    for path, text in pages().items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
