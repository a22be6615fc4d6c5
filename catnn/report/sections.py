"""The sections of a report: a definition each, with its gallery, its factorisation, its plan and its cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil

from catnn.category.diagram import Morphism
from catnn.category.wires import show_word
from catnn.compiler import generate
from catnn.diagnostics import CatnnError, Span
from catnn.emit.file import Generated
from catnn.explanation import Explanation, explain
from catnn.hypergraph.linear import Combination
from catnn.model import Layer, Network, Spec
from catnn.report import links
from catnn.report.steps import contractions, program_legend
from catnn.rewrite.rule import Rule, Schema
from catnn.syntax import nodes
from catnn.syntax.declared import declared
from catnn.tables import Table
from catnn.view.boxes import combination_drawing
from catnn.view.chart import network_drawing
from catnn.view.drawing import framed
from catnn.view.explanation import header, tables
from catnn.view.gallery import headline, legend, morphism_drawing, wires_of
from catnn.view.layout import Styles, styles
from catnn.view.rules import headline as law_headline
from catnn.view.rules import law_drawing, shown_steps
from catnn.view.stages import stages_drawing
from catnn.view.svg import clean, inline

MOST_DRAWN = 1000
"""So many terms of a part of a layer are drawn; the rest is counted."""
MOST_FACTORED = 250
"""So many diagrams of a layer are drawn stage by stage."""


@dataclass(frozen=True)
class Material:
    """A spec, its syntax and what it compiles to: what every section draws on.

    statements: by the names that they declare; generated: None where there is nothing to compile.
    """

    spec: Spec
    module: nodes.Module
    generated: Generated | None
    _drawn: dict[tuple[Morphism, tuple[str, ...]], tuple[str, float]] = field(default_factory=dict)

    @cached_property
    def statements(self) -> dict[str, nodes.Statement]:
        return {name.text: s for s in self.module.statements for name in declared(s)}

    @cached_property
    def code(self) -> links.Code:
        return links.Code(self.generated.text if self.generated else "")

    def origin(self, name: str) -> links.Origin | None:
        """Where a definition is written; None for what this file does not write itself."""
        statement = self.statements.get(name)
        return links.origin(statement) if statement is not None else None

    def class_of(self, name: str) -> str:
        """The class that a definition becomes, or nothing."""
        return self.generated.classes.get(name, "") if self.generated else ""

    def draw(self, term: Morphism, style: Styles) -> tuple[str, float]:
        """The picture of a term and its width, drawn once however often it stands."""
        key = term, tuple(f"{wire}{number}" for wire, number in style.items())
        if key not in self._drawn:
            drawing = morphism_drawing(term, style)
            self._drawn[key] = inline(drawing, str(term)), drawing.width
        return self._drawn[key]


def material(spec: Spec, module: nodes.Module) -> Material:
    """A spec and what it compiles to, where there is something to compile."""
    try:
        return Material(spec, module, generate(spec))
    except CatnnError as error:
        if [fault.code for fault in error.diagnostics] != ["E1008"]:
            raise
        return Material(spec, module, None)


def section(found: Material, name: str) -> str:
    """The section of a definition of this file."""
    value = found.spec.shown[name]
    place = found.origin(name)
    line = links.lines_of(place.whole)[0] if place else 0
    kind, arrow = _kind(value)
    data = _data(line, _class_lines(found, name))
    heading = f'<span class="kind">{kind}</span> {clean(name)} <code class="type">{clean(arrow)}</code>'
    lines = [
        f'<section id="d-{clean(name)}" aria-labelledby="h-{clean(name)}">',
        f'<h2 id="h-{clean(name)}"{data}>{heading}</h2>',
        _places(found, name, line),
    ]
    match value:
        case Layer():
            lines += layer_body(found, name, value)
        case Network():
            lines += network_body(found, name, value)
        case Morphism():
            lines += let_body(found, name, value)
        case Combination():
            lines.append(f'<div class="wide">{inline(combination_drawing(value))}</div>')
        case Rule() | Schema():
            said = f"<p><code>{clean(law_headline(value))}</code></p>"
            lines += [said, f'<div class="wide">{inline(law_drawing(value), law_headline(value))}</div>']
    return "\n".join((*lines, "</section>", ""))


def _kind(value: Layer | Network | Morphism | Combination | Rule | Schema) -> tuple[str, str]:
    """What a definition is called, and its type."""
    match value:
        case Layer():
            return "layer", f"{value.source} -> {value.target}"
        case Network():
            return "network", value.signature.removeprefix(": ")
        case Rule():
            return "rule", f"{show_word(value.left.source)} -> {show_word(value.left.target)}"
        case Schema():
            return "rule", ""
    return "let", f"{show_word(value.source)} -> {show_word(value.target)}"


def checks(found: Material) -> str:
    """The checks that rules prove, step by step."""
    lines: list[str] = []
    for check in found.spec.checks:
        if check.proof is None or check.span is None:
            continue
        line = links.lines_of(check.span)[0]
        number = len(lines)
        lines.append(f'<section aria-labelledby="p-{number}"><h2 id="p-{number}"{_data(line, ())}>')
        lines.append(
            f'<span class="kind">check</span> <code>{clean(check.text.removeprefix("check").strip())}</code></h2>'
        )
        lines.append(f'<p class="places"><a href="#L{line}">line {line} of the spec</a></p>')
        for side, trace in (("left", check.proof.left), ("right", check.proof.right)):
            steps = list(shown_steps(trace))
            if not steps:
                continue
            lines.append(f'<h3>The {side} side</h3><ol class="trace">')
            for step in steps:
                said = f"<p>{clean(step.caption.partition('. ')[2])}</p>"
                lines.append(f'<li>{said}<div class="wide">{inline(step.drawing, step.caption)}</div></li>')
            lines.append("</ol>")
        lines.append(
            f'<h3>Both are</h3><div class="wide">{inline(combination_drawing(check.proof.left.end))}</div></section>'
        )
    return "\n".join((*lines, "")) if lines else ""


def _class_lines(found: Material, name: str) -> tuple[int, ...]:
    start = found.code.starts.get(found.class_of(name))
    return (start,) if start else ()


def _places(found: Material, name: str, line: int) -> str:
    """Links to where a definition is written, and to what it becomes."""
    cls = found.class_of(name)
    places = [f'<a href="#L{line}">line {line} of the spec</a>'] if line else []
    if cls in found.code.starts:
        start = found.code.starts[cls]
        places.append(f'<a href="#C{start}">class <code>{clean(cls)}</code>, line {start} of the code</a>')
    return f'<p class="places">{" · ".join(places)}</p>' if places else ""


def _data(line: int, code: Sequence[int]) -> str:
    """What the script reads: the lines of the spec and of the code that belong to an element."""
    spec = f' data-s="{line}"' if line else ""
    return spec + (f' data-c="{" ".join(map(str, code))}"' if code else "")


# ---------------------------------------------------------------------------------------------------------- a layer


@dataclass(frozen=True)
class Part:
    """The terms of a layer that share a parameter: what a gallery shows.

    title: what they are; kind: weight, bias or fixed; spans: where each is written, () where nobody knows.
    """

    title: str
    kind: str
    terms: Sequence[Morphism]
    spans: tuple[Span, ...]


def parts(layer: Layer, place: links.Origin | None) -> Iterator[Part]:
    """The parts of a layer that have terms: weights, biases, fixed diagrams."""
    outs, ins = layer.target.summands, layer.source.summands
    for o, target in enumerate(outs):
        for i, source in enumerate(ins):
            terms = layer.weighted[o][i]
            spans = () if place is None else links.weight_spans(layer, place) or (place.weights[0],) * len(terms)
            if terms:
                yield Part(f"{layer.weight_name(o, i)} : {source} -> {target}", "weight", terms, spans)
    for o, target in enumerate(outs):
        if layer.biases[o]:
            spans = () if place is None else (place.bias,) * len(layer.biases[o])
            yield Part(f"{layer.bias_name(o)} : 1 -> {target}", "bias", layer.biases[o], spans)
    for o, target in enumerate(outs):
        for i, source in enumerate(ins):
            if layer.fixed_parts[o][i]:
                spans = () if place is None else (place.fixed,) * len(layer.fixed_parts[o][i])
                yield Part(f"fixed : {source} -> {target}", "fixed", layer.fixed_parts[o][i], spans)


def layer_body(found: Material, name: str, layer: Layer) -> list[str]:
    """Gallery, factorisation, plan and cost of a layer."""
    style = styles(wires_of(layer.source, layer.target))
    lines = [f"<p>{clean(headline(layer).partition('(')[2].rstrip(')'))}</p>"]
    if len(style) > 1:
        lines.append(inline(legend(style), "the spaces"))
    place = found.origin(name)
    galleries = list(parts(layer, place))
    for number, part in enumerate(galleries):
        lines += _gallery(found, name, number, part, style)
    lines += _factorisation([(p.kind, i, t) for p in galleries for i, t in enumerate(p.terms)], style)
    lines += _plan(explain(layer))
    return lines


def _gallery(found: Material, name: str, number: int, part: Part, style: Styles) -> list[str]:
    anchor = f"{name}-{part.title.partition(' ')[0]}" if part.kind != "fixed" else f"{name}-fixed-{number}"
    cls = found.class_of(name)
    figures, widths = [], [0.0]
    for index, term in enumerate(part.terms[:MOST_DRAWN]):
        line = links.lines_of(part.spans[index])[0] if part.spans else 0
        code = found.code.of(cls, term, index if part.kind == "weight" else None) if cls else ()
        target = f"#C{code[0]}" if code else f"#L{line}"
        svg, width = found.draw(term, style)
        caption = f"<b>{index}</b>" + f'<a href="{target}"><code>{clean(str(term))}</code></a>'
        figures.append(f"<figure{_data(line, code)}>{svg}<figcaption>{caption}</figcaption></figure>")
        widths += [width, CHARACTER * (len(f"{index}{term}") + 1)]
    lines = [f'<h3 id="{clean(anchor)}"><code>{clean(part.title)}</code></h3>']
    lines.append(f'<div class="gallery {_columns(widths)}" role="group" aria-labelledby="{clean(anchor)}">')
    lines += [*figures, "</div>"]
    if len(part.terms) > MOST_DRAWN:
        lines.append(f"<p>… and {len(part.terms) - MOST_DRAWN:,} more</p>")
    return lines


CHARACTER = 8.0
"""The width of a character of a caption, in pixels, at most."""


def _columns(widths: Sequence[float]) -> str:
    """The class of a gallery whose widest content this is: columns of so many rem."""
    return f"u{min(WIDEST, max(NARROWEST, ceil((max(widths) + 26) / 16)))}"


NARROWEST, WIDEST = 7, 60


def column_sheet() -> str:
    """The style sheet of the columns."""
    return "".join(
        f".u{rem}{{grid-template-columns:repeat(auto-fill,minmax(min(100%,{rem}rem),1fr))}}\n"
        for rem in range(NARROWEST, WIDEST + 1)
    )


def _factorisation(terms: Sequence[tuple[str, int, Morphism]], style: Styles) -> list[str]:
    """Every diagram as permutation ; planar ; permutation, folded away; orbits have no such form."""
    named = [
        (f"{kind} {at}", diagram) for kind, at, term in terms for _, diagram in term.weighted if not diagram.points
    ]
    if not named:
        return []
    shown = named[:MOST_FACTORED]
    count = f"{len(named):,} diagram{'s' if len(named) != 1 else ''}" + (
        f", the first {len(shown)} drawn" if len(shown) < len(named) else ""
    )
    lines = [f"<details><summary>Factorisation, stage by stage: {count}</summary>"]
    lines.append("<p>From the bottom: permute the inputs, a planar diagram, permute the outputs.</p>")
    figures, widths = [], [0.0]
    for name, diagram in shown:
        drawing = stages_drawing(diagram, style, named=False)
        caption = f"<figcaption><b>{clean(name)}</b> <code>{clean(drawing.title)}</code></figcaption>"
        figures.append(f"<figure>{inline(drawing, '')}{caption}</figure>")
        widths += [drawing.width, 22 * CHARACTER]
    return [*lines, f'<div class="gallery stages {_columns(widths)}">', *figures, "</div>", "</details>"]


# ----------------------------------------------------------------------------------------------- networks and lets


def network_body(found: Material, name: str, network: Network) -> list[str]:
    """The picture, the contractions and the cost of a network."""
    drawing = framed(network_drawing(network), 4, f"{network.name}{network.signature}")
    return [f'<div class="wide">{inline(drawing)}</div>', *_steps(found, name, network), *_plan(explain(network))]


def _steps(found: Material, name: str, network: Network) -> list[str]:
    """What a point-ful network multiplies, as diagrams."""
    shown = list(contractions(network, found.statements.get(name), found.code, found.class_of(name)))
    if not shown or network.program is None:
        return []
    spaces = program_legend(network.program)
    widths = [wide for step in shown for wide in (step.drawing.width, CHARACTER * len(step.text))]
    lines = [f'<h3 id="{clean(name)}-steps">what it multiplies</h3>']
    lines += [inline(spaces, "the spaces")] if spaces is not None else []
    lines.append(f'<div class="gallery {_columns(widths)}" role="group" aria-labelledby="{clean(name)}-steps">')
    for step in shown:
        target = f"#C{step.code[0]}" if step.code else f"#L{step.line}"
        caption = f'<figcaption><a href="{target}"><code>{clean(step.text)}</code></a></figcaption>'
        picture = inline(step.drawing, step.text)
        lines.append(f"<figure{_data(step.line, step.code)}>{picture}{caption}</figure>")
    return [*lines, "</div>"]


def let_body(found: Material, name: str, value: Morphism) -> list[str]:
    """A fixed diagram and its factorisation."""
    style = styles(value.source + value.target)
    place = found.origin(name)
    line = links.lines_of(place.whole)[0] if place else 0
    lines = [inline(legend(style), "the spaces")] if len(style) > 1 else []
    caption = f'<figcaption><a href="#L{line}"><code>{clean(str(value))}</code></a></figcaption>'
    svg, width = found.draw(value, style)
    columns = _columns([width, CHARACTER * len(str(value))])
    lines.append(f'<div class="gallery {columns}"><figure{_data(line, ())}>{svg}{caption}</figure></div>')
    terms: list[tuple[str, int, Morphism]] = [("term", at, d) for at, (_, d) in enumerate(value.weighted)]
    return lines + _factorisation(terms, style)


# -------------------------------------------------------------------------------------------------------- the tables


def _plan(found: Explanation) -> list[str]:
    rows = "".join(f"<tr><th scope='row'>{clean(k)}</th><td>{clean(v)}</td></tr>" for k, v in header(found))
    lines = ["<details open><summary>Plan and cost</summary>", f'<div class="scroll"><table>{rows}</table></div>']
    lines += [table_html(table) for table in tables(found) if table.headers[:2] != ("weight", "pattern")]
    return [*lines, "</details>"]


def table_html(table: Table) -> str:
    """A table whose look is the page's: no styles of its own, which a strict policy forbids."""
    marks = [' class="r"' if column in table.right else "" for column in range(len(table.headers))]
    rows = [_row("td", row, marks) for row in table.rows]
    titles = _row("th scope='col'", table.headers, marks)
    head = f"<thead>{titles}</thead>" if any(table.headers) else ""
    return (
        f'<div class="scroll"><table><caption>{clean(table.caption)}</caption>{head}'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _row(tag: str, row: Sequence[str], marks: Sequence[str]) -> str:
    end = tag.partition(" ")[0]
    cells = (f"<{tag}{mark}>{clean(cell)}</{end}>" for cell, mark in zip(row, marks, strict=True))
    return f"<tr>{''.join(cells)}</tr>"
