"""Many diagrams in one drawing: a sum as a row, a layer as a gallery of its terms, a network as boxes in a column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from catnn.category.diagram import Morphism
from catnn.category.wires import Type, Wire, bases
from catnn.hypergraph.graph import Hypergraph
from catnn.hypergraph.linear import Combination
from catnn.model import Layer, Morphisms, Network
from catnn.view.boxes import combination_drawing, styles_of
from catnn.view.drawing import Curve, Drawing, Item, Label, below, beside, framed, grid, text_width, words
from catnn.view.layout import Styles, diagram_drawing, styles, summed

LIMIT = 1000
"""How many diagrams of a layer are drawn at most; the rest is counted."""
WIDTH = 900.0


@dataclass(frozen=True, slots=True)
class Group:
    """The terms of a layer that share a parameter.

    title: what they are; prefix: what stands before an index; terms: in the order of the weights.
    """

    title: str
    prefix: str
    terms: Morphisms


def groups(layer: Layer) -> Iterator[Group]:
    """The parts of a layer that have terms: weights, then biases, then fixed diagrams."""
    pairs = [(o, i) for o in range(len(layer.target.summands)) for i in range(len(layer.source.summands))]
    for o, i in pairs:
        if layer.weighted[o][i]:
            arrow = f"{layer.source.summands[i]} -> {layer.target.summands[o]}"
            yield Group(f"{layer.weight_name(o, i)} : {arrow}", "", layer.weighted[o][i])
    for o, target in enumerate(layer.target.summands):
        if layer.biases[o]:
            yield Group(f"{layer.bias_name(o)} : 1 -> {target}", "", layer.biases[o])
    for o, i in pairs:
        if layer.fixed_parts[o][i]:
            arrow = f"{layer.source.summands[i]} -> {layer.target.summands[o]}"
            yield Group(f"fixed : {arrow}", "", layer.fixed_parts[o][i])


def headline(layer: Layer) -> str:
    """A layer in one line."""
    counts = [sum(len(t) for row in layer.weighted for t in row), sum(map(len, layer.biases))]
    reduce = f", reduce: {layer.reduce}" if layer.reduce != "sum" else ""
    return f"{layer.name} : {layer.source} -> {layer.target} ({_diagrams(counts[0])}, {counts[1]} for the bias{reduce})"


def _diagrams(count: int) -> str:
    return f"{count} diagram{'s' if count != 1 else ''}"


def wires_of(source: Type, target: Type) -> list[Wire]:
    """The spaces of two types, by first occurrence."""
    return list(bases(tuple(wire for word in (*source.words, *target.words) for wire in word)))


def morphism_drawing(
    morphism: Morphism, style: Styles | None = None, *, letters: bool = True, inputs: str = "bottom"
) -> Drawing:
    """A diagram; or a sum, as a row of diagrams with their coefficients."""
    style = styles(morphism.source + morphism.target) if style is None else style
    return summed(
        (coefficient, diagram_drawing(diagram, style, letters=letters, inputs=inputs))
        for coefficient, diagram in morphism.weighted
    )


def legend(style: Styles) -> Drawing:
    """Which line is which space."""
    cells = []
    for wire, number in sorted(style.items(), key=lambda pair: pair[1]):
        text = f"{wire.space} : {wire.group}"
        items: tuple[Item, ...] = (
            Curve(((0, 9), (10, 9), (20, 9), (30, 9)), number),
            Label((38, 9), text, "caption", start=True),
        )
        cells.append(Drawing(38 + text_width(text), 18, items))
    return beside(cells, 18)


def term_drawing(
    term: Morphism, style: Styles, *, letters: bool = True, inputs: str = "bottom", factored: bool = False
) -> Drawing:
    """A term as it is, or factored: as it is run, stage by stage."""
    if factored:
        from catnn.view.stages import factored_drawing

        return factored_drawing(term, style, inputs=inputs)
    return morphism_drawing(term, style, letters=letters, inputs=inputs)


def picture(morphism: Morphism | Hypergraph | Combination, **options: Any) -> Drawing:
    """A morphism with a margin, and a legend where several spaces meet; options as of `term_drawing`.

    A diagram with boxes takes `inputs` alone.  Raises: ValueError where it is to be factored.
    """
    style: Styles
    if isinstance(morphism, Morphism):
        style = styles(morphism.source + morphism.target)
        parts = [term_drawing(morphism, style, **options)]
    else:
        if options.get("factored"):
            raise ValueError("a diagram with boxes does not factor")
        style = styles_of(morphism)
        parts = [combination_drawing(morphism, style, inputs=options.get("inputs", "bottom"))]
    if len(style) > 1:
        parts.append(legend(style))
    return framed(below(parts, 8), 8, str(morphism))


def cell(term: Morphism, caption: str, style: Styles, **options: Any) -> Drawing:
    """A term above its caption."""
    return below((term_drawing(term, style, **options), words(caption)), 1)


def layer_picture(layer: Layer, *, width: float = WIDTH, limit: int = LIMIT, **options: Any) -> Drawing:
    """Every term of a layer with its weight index and its pattern; options as of a `picture`."""
    style, title = styles(wires_of(layer.source, layer.target)), headline(layer)
    parts = [words(title, "heading")]
    if len(style) > 1:
        parts.append(legend(style))
    for group in groups(layer):
        parts.append(words(group.title))
        terms = group.terms[:limit]
        named = zip(terms, captions(terms), strict=True)
        cells = [cell(t, caption, style, **options) for t, caption in named]
        parts.append(grid(cells, width))
        if len(group.terms) > limit:
            parts.append(words(f"... and {len(group.terms) - limit} more"))
    return framed(below(parts, 12, centred=False), 14, title)


def network_picture(network: Network, *, inputs: str = "bottom", factored: bool = False) -> Drawing:
    """A network as boxes from its input to its output.  Raises: ValueError for another side, or with `factored`."""
    from catnn.view.chart import network_drawing

    if factored:
        raise ValueError("a network does not factor, its layers do")
    title = f"{network.name}{'' if network.program else ' '}{network.signature}"
    body = network_drawing(network, inputs=inputs)
    return framed(below((words(title, "heading"), body), 10), 14, title)


def captions(terms: Sequence[Morphism]) -> list[str]:
    """The captions of the terms of a group."""
    return [f"{i}  {term}" for i, term in enumerate(terms)]
