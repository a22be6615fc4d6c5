"""Pictures as values: curves, dots and words on a plane, and how pictures are put beside and below each other.

One unit is a CSS pixel; x runs to the right and y down.  Layouts make a `Drawing`, renderers write it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import ceil

Point = tuple[float, float]
INK = -1
"""The style of everything that is no wire: the colour of the text around."""

MARK = -2
"""The style of what changed: a broad pale line below a wire."""

COLOURS = ("2f7ed8", "d9641e", "1f9568", "a95fc4", "c6453f", "8a7a2e", "2b8fa3", "c2528b")
"""One a space; each has a contrast of 3 or more to black and to white."""

DASHES: tuple[tuple[float, ...], ...] = (
    (), (7, 4), (0.5, 4.5), (11, 4, 0.5, 4), (4, 4), (14, 5), (7, 4, 0.5, 4, 0.5, 4), (2, 6),
)  # fmt: skip
"""One a space, so that wires are told apart without colours."""

CHARACTER = 0.6
"""The width of a character of a monospaced font, in its size."""


def colour(style: int) -> str:
    """The colour of a space, six hexadecimal digits."""
    return COLOURS[style % len(COLOURS)]


def dash(style: int) -> tuple[float, ...]:
    """The dashes of a space: lengths of ink and gap; those after the eighth pair colours and dashes anew."""
    return DASHES[(style + style // len(COLOURS)) % len(DASHES)] if style >= 0 else ()


@dataclass(frozen=True, slots=True)
class Curve:
    """A chain of cubic Bezier segments: points[0], then two control points and an end for each.

    style: the number of the space, or INK; faint: a helping line.
    """

    points: tuple[Point, ...]
    style: int = INK
    faint: bool = False


@dataclass(frozen=True, slots=True)
class Dot:
    """A filled circle: a spider, or the end of a wire; hollow: a leg of a Levi-Civita tensor."""

    centre: Point
    radius: float
    style: int = INK
    hollow: bool = False


@dataclass(frozen=True, slots=True)
class Arrow:
    """A small arrowhead on a wire: which end a form takes first.

    along: where it points, a unit vector; to the right unless something else is said.
    """

    tip: Point
    style: int = INK
    along: Point = (1, 0)

    @property
    def corners(self) -> tuple[Point, Point, Point]:
        """The tip and the two ends of its back."""
        (x, y), (dx, dy) = self.tip, self.along
        return (x, y), (x - 8 * dx + 4 * dy, y - 8 * dy - 4 * dx), (x - 8 * dx - 4 * dy, y - 8 * dy + 4 * dx)


@dataclass(frozen=True, slots=True)
class Label:
    """Words, centred on a point (or starting there).

    role: ``letter``, ``caption``, ``heading``, ``sign`` or ``index``; it decides size and weight.
    """

    centre: Point
    text: str
    role: str = "caption"
    style: int = INK
    start: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle with round corners: a stage of a network, or a box; marked: it is what changed."""

    corner: Point
    width: float
    height: float
    marked: bool = False


SIZES = {"letter": 12.0, "caption": 11.0, "heading": 13.0, "sign": 14.0, "index": 9.0}
Item = Curve | Dot | Arrow | Label | Box


@dataclass(frozen=True, slots=True)
class Drawing:
    """Items inside a frame of width x height.

    title: what the picture shows, for those who cannot see it.
    """

    width: float
    height: float
    items: tuple[Item, ...]
    title: str = ""


def text_width(text: str, role: str = "caption") -> float:
    """The width of words in a monospaced font."""
    return len(text) * CHARACTER * SIZES[role]


def moved(item: Item, dx: float, dy: float) -> Item:
    """An item somewhere else."""
    match item:
        case Curve():
            return replace(item, points=tuple((x + dx, y + dy) for x, y in item.points))
        case Arrow(tip=(x, y)):
            return replace(item, tip=(x + dx, y + dy))
        case Box(corner=(x, y)):
            return replace(item, corner=(x + dx, y + dy))
        case Dot(centre=(x, y)):
            return replace(item, centre=(x + dx, y + dy))
        case Label(centre=(x, y)):
            return replace(item, centre=(x + dx, y + dy))


def placed(drawing: Drawing, dx: float, dy: float) -> tuple[Item, ...]:
    """The items of a drawing, elsewhere."""
    return tuple(moved(item, dx, dy) for item in drawing.items)


def flipped(drawing: Drawing) -> Drawing:
    """Upside down, words staying upright."""
    h = drawing.height
    items: list[Item] = []
    for item in drawing.items:
        match item:
            case Curve():
                items.append(replace(item, points=tuple((x, h - y) for x, y in item.points)))
            case Arrow(tip=(x, y), along=(dx, dy)):
                items.append(replace(item, tip=(x, h - y), along=(dx, -dy)))
            case Box(corner=(x, y)):
                items.append(replace(item, corner=(x, h - y - item.height)))
            case Dot(centre=(x, y)):
                items.append(replace(item, centre=(x, h - y)))
            case Label(centre=(x, y)):
                items.append(replace(item, centre=(x, h - y)))
    return replace(drawing, items=tuple(items))


def turned(drawing: Drawing) -> Drawing:
    """A quarter clockwise, so that what was at the bottom is on the left; words stay upright.

    Raises: ValueError where there are boxes, whose words would no longer fit.
    """
    h = drawing.height
    items: list[Item] = []
    for item in drawing.items:
        match item:
            case Curve():
                items.append(replace(item, points=tuple((h - y, x) for x, y in item.points)))
            case Arrow(tip=(x, y), along=(dx, dy)):
                items.append(replace(item, tip=(h - y, x), along=(-dy, dx)))
            case Dot(centre=(x, y)):
                items.append(replace(item, centre=(h - y, x)))
            case Label(centre=(x, y)):
                items.append(replace(item, centre=(h - y, x)))
            case Box():
                raise ValueError("boxes are not turned")
    return Drawing(drawing.height, drawing.width, tuple(items), drawing.title)


def words(text: str, role: str = "caption") -> Drawing:
    """A drawing of words alone."""
    width, height = text_width(text, role), SIZES[role] * 1.5
    return Drawing(width, height, (Label((width / 2, height / 2), text, role),), text)


def beside(drawings: Sequence[Drawing], gap: float = 10) -> Drawing:
    """In a row, centred on one line."""
    height = max((d.height for d in drawings), default=0)
    items: list[Item] = []
    at = 0.0
    for d in drawings:
        items.extend(placed(d, at, (height - d.height) / 2))
        at += d.width + gap
    return Drawing(max(at - gap, 0), height, tuple(items))


def below(drawings: Sequence[Drawing], gap: float = 10, *, centred: bool = True) -> Drawing:
    """In a column, centred or ranged left."""
    width = max((d.width for d in drawings), default=0)
    items: list[Item] = []
    at = 0.0
    for d in drawings:
        items.extend(placed(d, (width - d.width) / 2 if centred else 0, at))
        at += d.height + gap
    return Drawing(width, max(at - gap, 0), tuple(items))


def even_columns(count: int, most: int) -> int:
    """How many columns make as few rows as most of them would, but rows of nearly one length.

    >>> [even_columns(15, most) for most in (7, 8, 20, 0)]
    [5, 8, 15, 1]
    """
    rows = ceil(count / max(1, most))
    return ceil(count / rows)


def grid(cells: Sequence[Drawing], width: float, gap: float = 22) -> Drawing:
    """In equal columns that fit into a width, reading order: as few rows as can be, all about as long."""
    if not cells:
        return Drawing(0, 0, ())
    cell_width = max(cell.width for cell in cells)
    columns = even_columns(len(cells), int((width + gap) // (cell_width + gap)))
    items: list[Item] = []
    at = 0.0
    for row in range(ceil(len(cells) / columns)):
        here = cells[row * columns : (row + 1) * columns]
        height = max(cell.height for cell in here)
        for column, cell in enumerate(here):
            left = column * (cell_width + gap) + (cell_width - cell.width) / 2
            items.extend(placed(cell, left, at + height - cell.height))
        at += height + gap
    return Drawing(columns * (cell_width + gap) - gap, at - gap, tuple(items))


def framed(drawing: Drawing, margin: float, title: str) -> Drawing:
    """With an empty margin around, and a title."""
    items = placed(drawing, margin, margin)
    return Drawing(drawing.width + 2 * margin, drawing.height + 2 * margin, items, title)


def samples(points: tuple[Point, ...], steps: int = 10) -> Iterable[Point]:
    """Points along a curve, ends left out."""
    for at in range(0, len(points) - 1, 3):
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = points[at : at + 4]
        for step in range(1, steps):
            t = step / steps
            s = 1 - t
            p, q, r, v = s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t
            yield (p * ax + q * bx + r * cx + v * dx, p * ay + q * by + r * cy + v * dy)
