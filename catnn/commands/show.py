"""`catnn show`: the diagrams of a definition or of a whole spec, as text, pictures, graphs or data."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from catnn.category.wires import show_word
from catnn.commands import UsageError
from catnn.commands.arguments import Parser, target, wrong
from catnn.commands.console import Progress, columns
from catnn.commands.files import find, load_spec, write
from catnn.diagnostics import CatnnError, Diagnostic
from catnn.model import Layer, Network, Spec

FORMATS = ("txt", "svg", "tikz", "dot", "json", "graphml", "html")
SUFFIXES = {f".{name}": name for name in FORMATS} | {".tex": "tikz", ".gv": "dot", ".htm": "html", ".text": "txt"}
ALONE = {"svg": "svg", "graphml": "graphml"}
"""Formats of which a file holds one definition."""

EXAMPLES = """\
  catnn show graph.catnn                       everything, in the terminal
  catnn show graph.catnn:mix -o mix.svg        the format follows from the suffix
  catnn show graph.catnn --as html -o out.html a page that needs nothing else
  catnn show graph.catnn --as svg -o pictures/ a file for each definition
"""


def parser() -> Parser:
    """The command line."""
    text = "A layer is a gallery of its diagrams, in the order of its weights; a network is a row of stages."
    found = Parser("show", text, EXAMPLES)
    found.add_argument("target", metavar="FILE[:NAME]", help="a spec, or one definition of it")
    found.add_argument("--as", dest="format", metavar="FORMAT", help=f"one of {', '.join(FORMATS)}; txt without it")
    found.add_argument("-o", "--output", metavar="OUT", help="a file, or a folder for a file for each definition")
    found.limit()
    found.add_argument("--json", action="store_true", help="the same as `--as json`; faults are JSON, too")
    found.limit()
    return found


def run(words: list[str]) -> int:
    """Run the verb."""
    options = parser().read(words)
    format_ = _format(options.format, options.output, json=options.json)
    wanted = target(options.target)
    with Progress(f"drawing {options.target}"):
        spec = load_spec(wanted.file, max_diagrams=options.max_diagrams)
        if wanted.name is not None:
            values = {wanted.name: find(spec, wanted)}
        else:
            values = {name: value for name, value in spec.items() if "." not in name}
        if not values:
            raise CatnnError(Diagnostic("E1008", f"{spec.path} defines nothing, so there is nothing to show"))
        for file, text in _files(spec, values, format_, options, whole=wanted.name is None):
            write(file, text, spec=wanted.file)
    return 0


def _format(name: str | None, output: str | None, *, json: bool) -> str:
    """What `--as`, `--json` and the suffix of OUT ask for.  Raises: UsageError."""
    if name is None:
        suffix = os.path.splitext(output or "")[1].lower()
        return "json" if json else SUFFIXES.get(suffix, "txt")
    if name not in FORMATS:
        from catnn.elaborate.report import nearest

        raise wrong(f"there is no format `{name}`", notes=(f"the formats are: {', '.join(FORMATS)}",),
                    helps=nearest(name, FORMATS))  # fmt: skip
    if json and name != "json":
        raise wrong(f"`--json` and `--as {name}` ask for two formats", helps=("leave one out",))
    return name


def _files(spec: Spec, values: dict[str, Any], format_: str, options: Any, *, whole: bool) -> list[tuple[str, str]]:
    """What is written where.  Raises: UsageError."""
    output = options.output or "-"
    if output != "-" and (output.endswith(("/", os.sep)) or os.path.isdir(output)):
        return [
            (os.path.join(output, f"{name}.{format_}"), one(name, value, format_)) for name, value in values.items()
        ]
    if len(values) > 1 and format_ in ALONE:
        first = next(iter(values))
        raise wrong(
            f"{format_} holds one definition, and {spec.path} has {len(values)}",
            helps=(f"name one: `{options.target}:{first}`", "or a folder, for a file each: `-o FOLDER/`"),
        )
    if whole and format_ in WHOLE:
        return [(output, WHOLE[format_](spec, values))]
    return [(output, "\n".join(one(name, value, format_) for name, value in values.items()))]


def one(name: str, value: Any, format_: str) -> str:
    """One definition in a format.  Raises: UsageError (E1013) where it has none."""
    from catnn import view

    if format_ == "txt":
        text = view.to_text(value, width=columns())
        return text if isinstance(value, Layer | Network) else f"{_headline(name, value)}\n\n{text}"
    draw: Callable[[Any], str] = getattr(view, f"to_{format_}")
    try:
        text = draw(value)
    except ValueError as error:
        help_ = "the other formats draw a sum of several diagrams"
        raise UsageError(Diagnostic("E1013", f"`{name}` has no {format_}: {error}", (), (), (help_,))) from None
    return text if text.endswith("\n") else text + "\n"


def _headline(name: str, value: Any) -> str:
    return f"{name} : {show_word(value.source)} -> {show_word(value.target)} = {value}"


def _page(spec: Spec, values: dict[str, Any]) -> str:
    """A self-contained page with every definition."""
    from catnn.view.html import PAGE, fragment
    from catnn.view.svg import clean

    title = clean(spec.path)
    parts = ["<!doctype html>", '<html lang="en">', "<head>", '<meta charset="utf-8">', f"<title>{title}</title>"]
    parts += [f"<style>\n{PAGE}</style>", "</head>", "<body>", f"<h1>{title}</h1>"]
    for name, value in values.items():
        anchor = clean(name)
        parts.append(f'<h2 id="{anchor}">{anchor}</h2>')
        if not isinstance(value, Layer):
            headline = (
                f"{name} : {value.source} -> {value.target}" if isinstance(value, Network) else _headline(name, value)
            )
            parts.append(f"<p><code>{clean(headline)}</code></p>")
        parts.append(fragment(value).rstrip("\n"))
    return "\n".join((*parts, "</body>", "</html>", ""))


def _document(spec: Spec, values: dict[str, Any]) -> str:
    """Every definition as JSON, by name."""
    found = {name: json.loads(one(name, value, "json")) for name, value in values.items()}
    document = {"format": "catnn-spec", "version": 1, "file": spec.path, "definitions": found}
    return json.dumps(document, indent=2) + "\n"


WHOLE: dict[str, Callable[[Spec, dict[str, Any]], str]] = {"html": _page, "json": _document}
