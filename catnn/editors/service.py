"""What a language server answers, as functions of a text: faults, meanings of names, definitions, the formatted text.

Places are (line, column) from 0, columns in UTF-16 units, as editors count.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from catnn.api import parse
from catnn.category.diagram import Morphism
from catnn.category.wires import Wire, show_word
from catnn.diagnostics import CatnnError, Diagnostic, Source, Span
from catnn.editors.words import completions
from catnn.hypergraph.box import Box
from catnn.hypergraph.linear import Combination
from catnn.model import Layer, Network, Spec
from catnn.syntax import nodes
from catnn.syntax.declared import declared
from catnn.syntax.lexing import tokenize
from catnn.syntax.parser import make_source, parse_recovering
from catnn.syntax.printer import format_source
from catnn.view.gallery import headline

Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault for an editor: where, its code, and everything that is said about it."""

    start: Place
    end: Place
    code: str
    message: str


def place(source: Source, offset: int) -> Place:
    """The place of an offset.

    >>> place(Source("a", "x\\n𝔸b"), 3)
    (1, 2)
    """
    line, column = source.line_column(offset)
    before = source.line(line)[: column - 1]
    return line - 1, len(before.encode("utf-16-le", "surrogatepass")) // 2


def offset(source: Source, at: Place) -> int:
    """The offset of a place; past the end of a line, its end.

    >>> offset(Source("a", "x\\n𝔸b"), (1, 2))
    3
    """
    line, units = at
    if line + 1 > len(source.starts):
        return len(source.text)
    text = source.line(line + 1)
    columns = len(text.encode("utf-16-le", "surrogatepass")[: 2 * units].decode("utf-16-le", "surrogatepass"))
    return source.starts[line] + columns


@lru_cache(maxsize=32)
def _spec(text: str, path: str, base: Path | None) -> Spec | tuple[Diagnostic, ...]:
    try:
        return parse(text, path, base=base)
    except CatnnError as error:
        return error.diagnostics


def faults(text: str, path: str = "<text>", base: Path | None = None) -> list[Fault]:
    """The diagnostics of a text; one of an imported file stands at the head.

    >>> [(f.code, f.start) for f in faults("space V : S(n)\\nlayer f : V -> V = alle")]
    [('E0101', (1, 19))]
    """
    found = _spec(text, path, base)
    return [] if isinstance(found, Spec) else [_fault(diagnostic, path) for diagnostic in found]


def _fault(diagnostic: Diagnostic, path: str) -> Fault:
    notes = [f"note: {note}" for note in diagnostic.notes] + [f"help: {text}" for text in diagnostic.helps]
    label = diagnostic.labels[0] if diagnostic.labels else None
    if label is None or label.span.source.path != path:
        where = f" ({label.span.source.path})" if label else ""
        return Fault((0, 0), (0, 1), diagnostic.code, "\n".join([diagnostic.message + where, *notes]))
    span = label.span
    said = diagnostic.message + (f": {label.text}" if label.text else "")
    ends = place(span.source, span.start), place(span.source, max(span.end, span.start + 1))
    return Fault(*ends, diagnostic.code, "\n".join([said, *notes]))


def word_at(text: str, at: Place) -> Span | None:
    """The name at a place, or just before it."""
    source = make_source(text, "<text>")
    here = offset(source, at)
    for token in tokenize(source)[0]:
        if token.start <= here <= token.end and (token.text[0].isalpha() or token.text[0] == "_"):
            return Span(source, token.start, token.end)
    return None


def hover(text: str, at: Place, base: Path | None = None) -> str | None:
    """What the name at a place means, in the words of the language.

    >>> hover("space V : S(n)  layer mix : V^2[3] -> V[8] = all", (0, 23))
    'layer mix : V^2[3] -> V[8] (5 diagrams, 0 for the bias)'
    """
    found = word_at(text, at)
    if found is None:
        return None
    spec = _spec(text, "<text>", base)
    if isinstance(spec, Spec):
        names: dict[str, Any] = {**spec.spaces, **spec.boxes, **spec.composites, **dict(spec)}
        names |= {law.name: law for law in spec.rules}
        body = _around(text, found)
        if body is not None and found.text in _values(body):
            return _value(found.text, names.get(body.name.text))
        if found.text in names:
            return _meaning(found.text, names[found.text])
    statement = _declaration(text, found.text)
    return " ".join(statement.span.text.split()) if statement is not None else None


def _meaning(name: str, value: Any) -> str:
    match value:
        case Layer():
            return f"layer {headline(value)}"
        case Network():
            return f"network {name}{'' if value.program else ' '}{value.signature}"
        case Morphism() | Combination():
            return f"let {name} : {show_word(value.source)} -> {show_word(value.target)} = {value}"
        case Box():
            return f"box {value}"
        case Wire():
            return f"space {name} : {value.group}"
    return str(getattr(value, "law", "") or value)


def _around(text: str, span: Span) -> nodes.PointfulStatement | None:
    """The point-ful network in whose head or body a name stands."""
    module, _ = parse_recovering(make_source(text, "<text>"))
    around = (s for s in module.statements if s.span.start <= span.start and span.end <= s.span.end)
    return next((s for s in around if isinstance(s, nodes.PointfulStatement)), None)


def _values(body: nodes.PointfulStatement) -> dict[str, nodes.Name]:
    """The parameters and the values of a point-ful network, by name."""
    names = [parameter.name for parameter in body.parameters]
    names += [name for binding in body.body for name in binding.names]
    return {name.text: name for name in reversed(names)}


def _value(name: str, network: Any) -> str | None:
    """A value of a point-ful network, with its type."""
    program = network.program if isinstance(network, Network) else None
    if program is None:
        return None
    kind = "parameter" if name in [parameter.name for parameter in program.parameters] else "value"
    types = [str(program.values[at]) for at, own in enumerate(program.names) if own == name]
    return f"{kind} {name} : {' + '.join(types)}"


def _declaration(text: str, name: str) -> nodes.Statement | None:
    module, _ = parse_recovering(make_source(text, "<text>"))
    return next((s for s in module.statements if name in (n.text for n in declared(s))), None)


def definition(text: str, at: Place, base: Path | None = None) -> tuple[Path | None, Place, Place] | None:
    """Where the name at a place is defined: the file (None for this one), where its name starts and ends.

    >>> definition("space V : S(n)\\nlayer f : V -> V = all", (1, 10))
    (None, (0, 6), (0, 7))
    """
    found = word_at(text, at)
    if found is None:
        return None
    body = _around(text, found)
    if body is not None and found.text in _values(body):
        span = _values(body)[found.text].span
        return None, place(span.source, span.start), place(span.source, span.end)
    alias, dot, rest = found.text.partition(".")
    statement = _declaration(text, alias)
    if statement is None:
        return None
    if dot and isinstance(statement, nodes.ImportStatement):
        return _imported(statement, rest, base)
    name = next(n for n in declared(statement) if n.text == alias)
    source = name.span.source
    return None, place(source, name.span.start), place(source, name.span.end)


def _imported(
    statement: nodes.ImportStatement, name: str, base: Path | None
) -> tuple[Path | None, Place, Place] | None:
    """A name of an imported file, where that may be read: below the folder of the one that imports it."""
    if base is None or not isinstance(_spec(statement.span.source.text, "<text>", base), Spec):
        return None
    file = (base / statement.file.text).resolve()
    text = file.read_text(encoding="utf-8")
    statement_ = _declaration(text, name)
    if statement_ is None:
        return None
    found = next(n for n in declared(statement_) if n.text == name)
    return file, place(found.span.source, found.span.start), place(found.span.source, found.span.end)


def formatted(text: str) -> str | None:
    """The canonical text, or None where there are syntax errors."""
    try:
        return format_source(text)
    except CatnnError:
        return None


def names(text: str) -> tuple[str, ...]:
    """What may be completed: the words of the language, and what the text defines."""
    module, _ = parse_recovering(make_source(text, "<text>"))
    own = [name.text for statement in module.statements for name in declared(statement)]
    return tuple(dict.fromkeys((*own, *completions())))
