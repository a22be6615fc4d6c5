"""What belongs together: a diagram, the line of the spec that asks for it, and the lines of code that compute it.

A line of code says in its comment which pattern it computes.  A diagram is an input half, a permutation and an output
half, so its lines are those that compute its halves, mix its level and pack its weight.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from catnn.category.diagram import Diagram, Morphism
from catnn.category.embedding import embedded
from catnn.category.halves import factors
from catnn.category.pattern import show_pattern
from catnn.category.wires import Word
from catnn.diagnostics import Span
from catnn.model import Layer
from catnn.syntax import nodes

PATTERN = re.compile(r"\[([^\[\]]*)->([^\[\]]*)\]")
SLICE = re.compile(r"weight\w*\[(\d+):(\d+)\]")


# ---------------------------------------------------------------------------------------------------------- the spec


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the parts of a layer are written: weights[i] is the span of weight i, or of `all`."""

    whole: Span
    weights: tuple[Span, ...]
    bias: Span
    fixed: Span


def origin(statement: nodes.Statement) -> Origin:
    """The places of a layer's statement.

    >>> from catnn.syntax.parser import parse
    >>> text = "space V : S(n)  layer f : V^2 -> V = span { [i j -> i],\\n [i j -> j] } + bias"
    >>> found = origin(parse(text).statements[1])
    >>> [span.text for span in found.weights], found.bias.text
    (['[i j -> i]', '[i j -> j]'], 'bias')
    """
    whole = statement.span
    weights: tuple[Span, ...] = (whole,)
    bias = fixed = whole
    if isinstance(statement, nodes.LayerStatement):
        fixed = statement.term.span
        for term in _summands(statement.term):
            match term:
                case nodes.SpanOf():
                    weights = tuple(inner.span for inner in term.terms) or (term.span,)
                case nodes.All():
                    weights = (term.span,)
                case nodes.Bias():
                    bias = term.span
    return Origin(whole, weights, bias, fixed)


def _summands(term: nodes.Term) -> Iterator[nodes.Term]:
    pending = [term]
    while pending:
        top = pending.pop()
        match top:
            case nodes.Sum():
                pending.extend(reversed(top.terms))
            case nodes.Brackets():
                pending.append(top.term)
            case _:
                yield top


# ---------------------------------------------------------------------------------------------------------- the code


class Code:
    """The lines of a generated file, by class and by the pattern that their comments name.

    lines: the text; starts: the first line of every class, from 1.
    """

    def __init__(self, text: str) -> None:
        self.lines = text.splitlines()
        self.starts: dict[str, int] = {}
        self._patterns: dict[str, dict[str, list[int]]] = {}
        self._slices: dict[str, list[tuple[int, int, int]]] = {}
        self._read()

    def _read(self) -> None:
        """A layer's functions stand before its class: what has been seen by then is the class's."""
        patterns: dict[str, list[int]] = {}
        slices: list[tuple[int, int, int]] = []
        forward = True
        for number, line in enumerate(self.lines, 1):
            if line.startswith(("def ", "class ")):
                forward = "back" not in line.partition("(")[0] and "_weights(" not in line
            if found := re.match(r"class (\w+)\(", line):
                self.starts[found[1]] = number
                self._patterns[found[1]], self._slices[found[1]] = patterns, slices
                if not found[1].startswith("_"):  # the autograd function of a layer stands before its class, too
                    patterns, slices = {}, []
            if forward and line.startswith(" "):
                comment = line.rpartition("  # ")[2] if "  # " in line else ""
                for left, right in PATTERN.findall(comment):
                    patterns.setdefault(canonical(left, right), []).append(number)
                slices += [(int(a), int(b), number) for a, b in SLICE.findall(line.partition("#")[0])]

    def of(self, cls: str, term: Morphism, weight: int | None) -> tuple[int, ...]:
        """The lines that compute a term of the layer of a class; weight: the index of its weight, if it has one.

        Where no comment names its halves, the first line of the class.
        """
        patterns = self._patterns.get(cls, {})
        found: set[int] = set()
        for _, diagram in embedded(term).weighted:  # plans are of the ambient family, whose halves exist
            for name in _names(diagram):
                found.update(patterns.get(name, ()))
        if weight is not None:
            found.update(line for a, b, line in self._slices.get(cls, ()) if a <= weight < b)
        return tuple(sorted(found)) or ((self.starts[cls],) if cls in self.starts else ())

    def named(self, cls: str, name: str) -> tuple[int, ...]:
        """The lines of a class that give a value of this name to its variable."""
        start = self.starts.get(cls, len(self.lines))
        stop = min((line for line in self.starts.values() if line > start), default=len(self.lines) + 1)
        here = enumerate(self.lines[start : stop - 1], start + 1)
        return tuple(at for at, line in here if line.startswith(f"        {name} = "))


def _names(diagram: Diagram) -> Iterator[str]:
    """The canonical patterns of the halves and of the level of a diagram; an orbit has none."""
    if diagram.points:
        return
    (found,) = (factors(inner) for _, inner in embedded(diagram).weighted)  # where its halves are diagrams, too
    below, above = found.input.diagram(), found.output.diagram()
    for half in (below, _turned(above)):
        left, _, right = show_pattern(half).strip("[]").partition("->")
        yield canonical(left, right)
    level: Word = below.target
    letters = [f"x{i}" for i in range(len(level))]
    if letters and len(level) < max(len(diagram.source), len(diagram.target)):
        yield canonical(" ".join(letters), " ".join(letters))


def _turned(diagram: Diagram) -> Diagram:
    """Upside down, without the signs that a dagger may bring: only the shape matters here."""
    k, l = len(diagram.source), len(diagram.target)
    parts = (tuple(sorted(v + k if v < l else v - l for v in block)) for block in diagram.parts)
    return Diagram(diagram.target, diagram.source, tuple(sorted(parts)), diagram.jellyfish)


def canonical(left: str, right: str) -> str:
    """A pattern with its letters numbered by first occurrence, so that only its shape counts.

    >>> canonical("i j", "j"), canonical("a b ", " b")
    ('0 1>1', '0 1>1')
    """
    numbers: dict[str, str] = {}
    sides = []
    for side in (left, right):
        sides.append(" ".join(numbers.setdefault(letter, str(len(numbers))) for letter in side.split()))
    return ">".join(sides)


def lines_of(span: Span) -> tuple[int, int]:
    """The first and the last line of a span, from 1."""
    source = span.source
    return source.line_column(span.start)[0], source.line_column(max(span.start, span.end - 1))[0]


def weight_spans(layer: Layer, found: Origin) -> tuple[Span, ...]:
    """The span of each weighted term of a layer with one summand on both sides, in the order of its weights."""
    count = len(layer.weighted[0][0]) if layer.single else 0
    if count and len(found.weights) == count:
        return found.weights
    return (found.weights[0] if len(found.weights) == 1 else found.fixed,) * count
