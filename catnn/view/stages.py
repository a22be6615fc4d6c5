"""A diagram drawn as it is run: permute the inputs, a planar diagram, permute the outputs, one above the other.

The stages are those of `catnn.rewrite.planar`; the first stands at the bottom, where the inputs are, and the ports of
two neighbours meet.  A permutation that does nothing is drawn short.
"""

from __future__ import annotations

from functools import lru_cache

from catnn.category.compose import identity
from catnn.category.diagram import Diagram, Morphism
from catnn.category.scalar import scaled
from catnn.category.wires import Wire
from catnn.rewrite.planar import Planar, factorise
from catnn.view.drawing import Curve, Drawing, Item, Label, flipped, placed, text_width
from catnn.view.layout import Styles, diagram_drawing, styles, summed
from catnn.view.text import Lines, diagram_lines, row

SHORT = 18.0
"""The height of a permutation that does nothing."""
NAMES = ("permute the inputs", "planar", "permute the outputs")


def stages_drawing(diagram: Diagram, style: Styles | None = None, *, named: bool = True) -> Drawing:
    """The three stages of a diagram in a column, the first at the bottom; named: with words beside each."""
    style = styles(diagram.source + diagram.target) if style is None else style
    found = factored(diagram)
    drawings = [_stage(stage, tuple(_ambient(style, stage).items())) for stage in reversed(found.stages())]
    width = max(drawing.width for drawing in drawings)
    items: list[Item] = []
    at = 0.0
    texts = list(reversed(_texts(found))) if named else [""] * len(drawings)
    for drawing, text in zip(drawings, texts, strict=True):
        items += placed(drawing, (width - drawing.width) / 2, at)
        if text:
            items.append(Label((width + 10, at + drawing.height / 2), text, "caption", start=True))
        at += drawing.height
    reach = max((text_width(text) for text in texts), default=0)
    return Drawing(width + (10 + reach if named else 0), at, tuple(items), str(found))


def _ambient(style: Styles, stage: Diagram) -> Styles:
    """The same styles for the wires of a stage, which is of a larger family where its pieces are none of the group."""
    numbers = {wire.space: number for wire, number in style.items()}
    return {wire.base: numbers[wire.space] for wire in stage.source + stage.target}


def factored(diagram: Diagram) -> Planar:
    """The factorisation of a diagram.  Raises: ValueError for an orbit, which has none."""
    if diagram.points:
        raise ValueError("an orbit is no diagram of blocks, and does not factor")
    return factorise(diagram)


@lru_cache(maxsize=256)
def _stage(stage: Diagram, style: tuple[tuple[Wire, int], ...]) -> Drawing:
    """One stage; an identity takes little room.  The diagrams of a layer have many stages in common."""
    drawing = diagram_drawing(stage, dict(style), letters=False)
    if stage != identity(stage.source) or not stage.source:
        return drawing
    items = (_shortened(item, SHORT / drawing.height) for item in drawing.items)
    return Drawing(drawing.width, SHORT, tuple(items), drawing.title)


def _shortened(item: Item, factor: float) -> Item:
    assert isinstance(item, Curve)  # an identity has no spiders
    return Curve(tuple((x, y * factor) for x, y in item.points), item.style, item.faint)


def _texts(found: Planar) -> tuple[str, str, str]:
    """What is written beside the stages, the first stage first."""
    first, last = (f"perm[{','.join(map(str, p))}]" for p in (found.input_permutation, found.output_permutation))
    return first, " @ ".join(map(str, found.pieces)) or "[->]", last


def factored_drawing(morphism: Morphism, style: Styles | None = None, *, inputs: str = "bottom") -> Drawing:
    """The stages of a diagram; of a sum, those of every term in a row.

    inputs: ``bottom`` or ``top``.  Raises: ValueError for another side.
    """
    if inputs not in ("bottom", "top"):
        raise ValueError(f"inputs={inputs!r}: stages stand one above the other")
    style = styles(morphism.source + morphism.target) if style is None else style
    drawn = ((coefficient, stages_drawing(diagram, style)) for coefficient, diagram in morphism.weighted)
    return summed((coefficient, one if inputs == "bottom" else flipped(one)) for coefficient, one in drawn)


def factored_lines(morphism: Morphism) -> Lines:
    """The same for a terminal: a row of stages for each term, the first stage first."""
    lines: list[str] = []
    for coefficient, diagram in morphism.weighted:
        found = factored(diagram)
        pieces: list[Lines] = []
        for stage, name in zip(found.stages(), NAMES, strict=True):
            pieces += [(";",)] if pieces else []
            pieces.append((*diagram_lines(stage), "", name))
        lines += [
            *([""] if lines else []),
            f"{scaled(coefficient, str(diagram))} = {found}",
            "",
            *row(pieces, 3, bottom=True),
        ]
    return tuple(line.rstrip() for line in lines) or ("0",)
