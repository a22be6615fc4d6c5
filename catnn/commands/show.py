"""`catnn show`: the diagrams of a definition or of a whole spec, as text, pictures, graphs or data."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from catnn.category.diagram import Morphism
from catnn.category.wires import show_word
from catnn.commands import UsageError
from catnn.commands.arguments import Parser, Target, limits, target, wrong
from catnn.commands.console import Progress, columns
from catnn.commands.files import find, load_spec, unwritable, write
from catnn.diagnostics import CatnnError, Diagnostic
from catnn.hypergraph.linear import Combination
from catnn.model import Layer, Spec
from catnn.rewrite.trace import Proof, Trace
from catnn.view import SIDES

FORMATS = ("txt", "svg", "png", "tikz", "dot", "json", "graphml", "hif", "html")
SUFFIXES = {f".{name}": name for name in FORMATS} | {".tex": "tikz", ".gv": "dot", ".htm": "html", ".text": "txt"}
ALONE = ("svg", "png", "graphml", "hif")
"""Formats of which a file holds one definition."""
DRAWN = ("txt", "svg", "png", "tikz", "html")
"""Formats that are pictures, so that it matters how they are drawn."""

EXAMPLES = """\
  catnn show graph.catnn                       everything, in the terminal
  catnn show graph.catnn:mix -o mix.svg        the format follows from the suffix
  catnn show graph.catnn --as html -o out.html a report: pictures, plans, costs and code, in a page of its own
  catnn show graph.catnn:trace --factored      permutation ; planar ; permutation, stage by stage
  catnn show rules.catnn:12 -o proof.svg       what is on a line: how its `check` is proved, step by step
  catnn show rules.catnn:sum --trace           a diagram with boxes as the rules simplify it
  catnn show graph.catnn --as svg -o pictures/ a file for each definition
"""


def parser() -> Parser:
    """The command line."""
    text = "A layer is a gallery of its diagrams, in the order of its weights; a network is a row of stages."
    found = Parser("show", text, EXAMPLES)
    found.add_argument("target", metavar="FILE[:NAME]", help="a spec, or one definition of it, or a line")
    found.add_argument("--as", dest="format", metavar="FORMAT", help=f"one of {', '.join(FORMATS)}; txt without it")
    found.add_argument("-o", "--output", metavar="OUT", help="a file, or a folder for a file for each definition")
    found.add_argument(
        "--inputs", choices=SIDES, help="the side of a picture that the inputs are on; bottom without it"
    )
    found.add_argument(
        "--factored", action="store_true", help="diagrams as they are run: permutation, planar, permutation"
    )
    found.add_argument("--trace", action="store_true", help="how the rules simplify a diagram with boxes, step by step")
    found.add_argument("--json", action="store_true", help="the same as `--as json`; faults are JSON, too")
    found.limit()
    return found


def run(words: list[str]) -> int:
    """Run the verb."""
    options = parser().read(words)
    format_ = _format(options.format, options.output, json=options.json)
    how = _how(options, format_)
    wanted = target(options.target, lines=True)
    with Progress(f"drawing {options.target}"):
        spec = load_spec(wanted.file, **limits(options))
        values = _values(spec, wanted)
        if options.trace:
            values = {name: _trace(spec, name, value) for name, value in values.items()}
        if not values:
            raise CatnnError(Diagnostic("E1008", f"{spec.path} defines nothing, so there is nothing to show"))
        for file, text in _files(spec, values, format_, how, options, whole=wanted.name is None):
            write(file, text, spec=wanted.file)
    return 0


def _values(spec: Spec, wanted: Target) -> dict[str, Any]:
    """What was asked for, by name.  Raises: UsageError (E1010)."""
    known = spec.shown
    if wanted.name is None:
        return known
    if wanted.name.isdigit():
        from catnn.commands.places import on_line

        return on_line(spec, int(wanted.name))
    return {wanted.name: known[wanted.name] if wanted.name in known else find(spec, wanted)}


def _trace(spec: Spec, name: str, value: Any) -> Any:
    """How the rules of a spec simplify a diagram with boxes.  Raises: UsageError (E1013) where there are none."""
    from catnn.rewrite.strategy import laws_of, simplify
    from catnn.rewrite.theories import builtin

    if isinstance(value, Trace | Proof):
        return value
    if not isinstance(value, Combination):
        raise UsageError(Diagnostic("E1013", f"`{name}` has no trace: only diagrams with boxes are rewritten", (), (),
                                    ("leave `--trace` out",)))  # fmt: skip
    return simplify(value, laws_of(builtin(value, laws=spec.rules), spec.rules)).trace


def _format(name: str | None, output: str | None, *, json: bool) -> str:
    """What `--as`, `--json` and the suffix of OUT ask for.  Raises: UsageError."""
    if name is None:
        suffix = os.path.splitext(output or "")[1].lower()
        if suffix and not json and suffix not in SUFFIXES and not _folder(output or ""):
            raise wrong(
                f"no format goes with the suffix `{suffix}`",
                notes=(f"the suffixes are: {', '.join(SUFFIXES)}",),
                helps=("say which it is to be: `--as txt`",),
            )
        return "json" if json else SUFFIXES.get(suffix, "txt")
    if name not in FORMATS:
        from catnn.elaborate.report import nearest

        raise wrong(f"there is no format `{name}`", notes=(f"the formats are: {', '.join(FORMATS)}",),
                    helps=nearest(name, FORMATS))  # fmt: skip
    if json and name != "json":
        raise wrong(f"`--json` and `--as {name}` ask for two formats", helps=("leave one out",))
    return name


def _how(options: Any, format_: str) -> dict[str, Any]:
    """How pictures are drawn, where that was said.  Raises: UsageError where nothing is drawn."""
    how = {"inputs": options.inputs} if options.inputs else {}
    how |= {"factored": True} if options.factored else {}
    if how and (format_ not in DRAWN or (format_ == "txt" and options.inputs)):
        word = f"--{next(iter(how))}"
        raise wrong(f"`{word}` is about pictures, and {format_} is none", helps=("ask for one: `--as svg`",))
    return how


def _files(
    spec: Spec, values: dict[str, Any], format_: str, how: dict[str, Any], options: Any, *, whole: bool
) -> list[tuple[str, str | bytes]]:
    """What is written where.  Raises: UsageError."""
    output = options.output or "-"
    if _folder(output):
        try:
            os.makedirs(output, exist_ok=True)
        except (OSError, ValueError) as error:
            raise unwritable(output, error) from None
        return [
            (os.path.join(output, f"{name}.{format_}"), one(name, value, format_, _fitting(value, how, whole=whole)))
            for name, value in values.items()
        ]
    if len(values) > 1 and format_ in ALONE:
        first = next(iter(values))
        raise wrong(
            f"{format_} holds one definition, and {spec.path} has {len(values)}",
            helps=(f"name one: `{options.target}:{first}`", "or a folder, for a file each: `-o FOLDER/`"),
        )
    if whole and format_ == "html" and how:
        first = next(iter(values))
        raise wrong("a report draws every diagram both ways", helps=(f"name one: `{options.target}:{first}`",))
    if whole and format_ in WHOLE:
        return [(output, WHOLE[format_](spec, values))]
    pieces = [one(name, value, format_, _fitting(value, how, whole=whole)) for name, value in values.items()]
    if len(pieces) == 1:
        return [(output, pieces[0])]
    return [(output, "\n".join(piece for piece in pieces if isinstance(piece, str)))]


def _folder(output: str) -> bool:
    """Whether files go into it: because it is one, or because it is written like one and will be."""
    return output != "-" and (output.endswith(("/", os.sep)) or os.path.isdir(output))


def _fitting(value: Any, how: dict[str, Any], *, whole: bool) -> dict[str, Any]:
    """The options for one of many: what has no stages is drawn as it is."""
    plain = whole and not isinstance(value, Layer | Morphism)
    return {option: said for option, said in how.items() if not (plain and option == "factored")}


def one(name: str, value: Any, format_: str, how: dict[str, Any] | None = None) -> str | bytes:
    """One definition in a format; how: the options of a picture.

    Raises: UsageError (E1013) where it has none, (E1030) where a package is missing.
    """
    from catnn import view

    how = how or {}
    draw: Callable[..., str | bytes] = getattr(view, "to_text" if format_ == "txt" else f"to_{format_}")
    wide = {"width": columns()} if format_ == "txt" else {}
    try:
        drawn = draw(value, **wide, **how)
    except ValueError as error:
        raise UsageError(Diagnostic("E1013", f"`{name}` has no {format_}: {error}", (), (), _instead(how))) from None
    if isinstance(drawn, bytes):
        return drawn
    if format_ == "txt" and isinstance(value, Morphism | Combination):
        return f"{_headline(name, value)}\n\n{drawn}"
    return drawn if drawn.endswith("\n") else drawn + "\n"


def _instead(how: dict[str, Any]) -> tuple[str, ...]:
    return tuple(f"leave `--{option}` out" for option in how)


def _headline(name: str, value: Any) -> str:
    return f"{name} : {show_word(value.source)} -> {show_word(value.target)} = {value}"


def _report(spec: Spec, _values: dict[str, Any]) -> str:
    """The report: every definition, its plan, its cost and its code."""
    from catnn.report import report

    return report(spec)


def _document(spec: Spec, values: dict[str, Any]) -> str:
    """Every definition as JSON, by name."""
    found = {name: json.loads(str(one(name, value, "json"))) for name, value in values.items()}
    document = {"format": "catnn-spec", "version": 1, "file": spec.path, "definitions": found}
    return json.dumps(document, indent=2) + "\n"


WHOLE: dict[str, Callable[[Spec, dict[str, Any]], str]] = {"html": _report, "json": _document}
