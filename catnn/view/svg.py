"""Drawings as SVG: plain text, no scripts, no fonts from elsewhere, legible on light and on dark pages.

Words and boxes take the colour of the page around (`currentColor`); wires have colours that stand out on both.
"""

from __future__ import annotations

from html import escape

from catnn.view.drawing import INK, MARK, SIZES, Arrow, Box, Curve, Dot, Drawing, Item, Label, colour, dash

THEME = (
    "svg:root{color-scheme:light dark;color:#1b1f24}"
    "@media(prefers-color-scheme:dark){svg:root{color:#e6e8eb}}"
)  # fmt: skip
"""Of effect only where the picture is a document of its own; inside a page, the page decides."""

MARKED = "#e0a020"
"""The colour of what changed, over which wires and words stay legible on light and on dark pages."""

FONT = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"


def number(value: float) -> str:
    """A coordinate: two decimals at most, no minus zero.

    >>> number(2.0), number(-0.001), number(1.256)
    ('2', '0', '1.26')
    """
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def clean(text: str) -> str:
    """Escaped for XML; what XML cannot say at all becomes a replacement character.

    >>> clean('<V & "W">')
    '&lt;V &amp; &quot;W&quot;&gt;'
    """
    return escape("".join(c if _legal(c) else "\ufffd" for c in text), quote=True)


def _legal(c: str) -> bool:
    return c in "\t\n\r" or (c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff")


def svg(drawing: Drawing) -> str:
    """The picture as a document that may also stand inside HTML."""
    width, height, title = number(drawing.width), number(drawing.height), clean(drawing.title)
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{title}" fill="currentColor">',
        f"<title>{title}</title>",
        f"<style>{THEME}</style>",
    ]
    lines.extend(_item(item) for item in sorted(drawing.items, key=_depth))
    return "\n".join((*lines, "</svg>", ""))


def _depth(item: Item) -> int:
    """What is drawn first lies below."""
    if isinstance(item, Curve):
        if item.style == MARK:
            return -1
        return 0 if item.faint else 1
    return 3 if isinstance(item, Label) else 2


def _paint(style: int) -> str:
    return "currentColor" if style == INK else f"#{colour(style)}"


def _item(item: Item) -> str:
    match item:
        case Curve():
            return _curve(item)
        case Dot(centre=(x, y)):
            paint = f'fill="{_paint(item.style)}"'
            if item.hollow:
                paint = f'fill="none" stroke="{_paint(item.style)}" stroke-width="2"'
            return f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(item.radius)}" {paint}/>'
        case Arrow():
            return f'<path d="{_arrow(item)}" fill="{_paint(item.style)}"/>'
        case Box(corner=(x, y)):
            paint = f'fill="{MARKED}" fill-opacity="0.45"' if item.marked else 'fill="currentColor" fill-opacity="0.06"'
            return (
                f'<rect x="{number(x)}" y="{number(y)}" width="{number(item.width)}" height="{number(item.height)}" '
                f'rx="6" {paint} stroke="currentColor" stroke-width="{"2" if item.marked else "1.2"}"/>'
            )
        case Label():
            return _label(item)


def _curve(item: Curve) -> str:
    path = _path(item)
    if item.style == MARK:
        return f'<path d="{path}" fill="none" stroke="{MARKED}" stroke-opacity="0.45" stroke-width="9"/>'
    if item.faint:
        return f'<path d="{path}" fill="none" stroke="currentColor" stroke-opacity="0.22" stroke-width="1"/>'
    dashes = " ".join(number(value) for value in dash(item.style))
    broken = f' stroke-dasharray="{dashes}"' if dashes else ""
    width = "1.3" if item.style == INK else "2"
    stroke = f'stroke="{_paint(item.style)}" stroke-width="{width}" stroke-linecap="round"{broken}'
    return f'<path d="{path}" fill="none" {stroke}/>'


def _label(item: Label) -> str:
    size = SIZES[item.role]
    x, y = item.centre
    weight = ' font-weight="600"' if item.role == "heading" else ""
    anchor = "start" if item.start else "middle"
    return (
        f'<text x="{number(x)}" y="{number(y + 0.35 * size)}" font-family="{FONT}" font-size="{number(size)}"{weight} '
        f'text-anchor="{anchor}" fill="{_paint(item.style)}" xml:space="preserve">{clean(item.text)}</text>'
    )


# ------------------------------------------------------------------------------------------- pictures inside a page

SHEET_STYLES = 16
"""How many spaces the style sheet tells apart: colours and dashes are all paired anew after so many."""


def sheet() -> str:
    """The style sheet of `inline`: what a picture that stands alone says at every wire."""
    lines = [
        "svg.g{fill:currentColor;display:block;max-width:100%;height:auto}",
        ".g path{fill:none;stroke:currentColor;stroke-width:1.3;stroke-linecap:round}",
        ".g .f{stroke-opacity:.22;stroke-width:1}",
        ".g rect{fill:currentColor;fill-opacity:.06;stroke:currentColor;stroke-width:1.2}",
        f".g .m{{stroke:{MARKED};stroke-opacity:.45;stroke-width:9}}",
        f".g rect.k{{fill:{MARKED};fill-opacity:.45;stroke-width:2}}",
        f".g text{{text-anchor:middle;white-space:pre;font-family:{FONT}}}",
    ]
    lines += [
        f".g .{role[0]}{{font-size:{number(size)}px{';font-weight:600' if role == 'heading' else ''}}}"
        for role, size in SIZES.items()
    ]
    lines.append(".g .b{text-anchor:start}.g .o.o{fill:none;stroke-dasharray:none}")
    for style in range(SHEET_STYLES):
        dashes = " ".join(number(value) for value in dash(style))
        broken = f";stroke-dasharray:{dashes}" if dashes else ""
        lines.append(
            f".g .w{style}{{stroke:#{colour(style)};stroke-width:2{broken}}}.g .p{style}{{fill:#{colour(style)}}}"
        )
    return "\n".join(lines) + "\n"


def inline(drawing: Drawing, label: str | None = None) -> str:
    """The picture as a small element for a page that has `sheet`; label: for those who cannot see it."""
    width, height = number(drawing.width), number(drawing.height)
    paths: dict[str, list[str]] = {}
    rest: list[str] = []
    for item in sorted(drawing.items, key=_depth):
        match item:
            case Curve():
                name = _stroke(item)
                paths.setdefault(name, []).append(_path(item))
            case Dot(centre=(x, y)):
                name = f"w{item.style % SHEET_STYLES} o" if item.hollow else _fill(item.style)
                rest.append(f'<circle{_class(name)} cx="{number(x)}" cy="{number(y)}" r="{item.radius}"/>')
            case Arrow():
                rest.append(f'<path class="{_fill(item.style)}" stroke="none" d="{_arrow(item)}"/>')
            case Box(corner=(x, y)):
                size = f'width="{number(item.width)}" height="{number(item.height)}"'
                rest.append(
                    f'<rect{_class("k" if item.marked else "")} x="{number(x)}" y="{number(y)}" {size} rx="6"/>'
                )
            case Label(centre=(x, y)):
                names = f"{item.role[0]} {_fill(item.style)}{' b' if item.start else ''}".replace("  ", " ").strip()
                place = f'x="{number(x)}" y="{number(y + 0.35 * SIZES[item.role])}"'
                rest.append(f'<text class="{names}" {place}>{clean(item.text)}</text>')
    drawn = [f'<path{_class(name)} d="{"".join(dict.fromkeys(pieces))}"/>' for name, pieces in paths.items()]
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    title = clean(drawing.title if label is None else label)
    said = f'role="img" aria-label="{title}"' if title else 'aria-hidden="true"'
    return f'<svg class="g" {size} {said}>{"".join((*drawn, *rest))}</svg>'


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""


def _stroke(item: Curve) -> str:
    if item.style == MARK:
        return "m"
    return "f" if item.faint else "" if item.style == INK else f"w{item.style % SHEET_STYLES}"


def _fill(style: int) -> str:
    return "" if style == INK else f"p{style % SHEET_STYLES}"


def _path(item: Curve) -> str:
    """The curve as path data; what runs straight up or across is said to."""
    here, *rest = [(number(x), number(y)) for x, y in item.points]
    pieces = [f"M{here[0]} {here[1]}"]
    for at in range(0, len(rest), 3):
        towards = rest[at : at + 3]
        if all(x == here[0] for x, _ in towards):
            pieces.append(f"V{towards[-1][1]}")
        elif all(y == here[1] for _, y in towards):
            pieces.append(f"L{towards[-1][0]} {towards[-1][1]}")
        else:
            pieces.append("C" + " ".join(f"{x} {y}" for x, y in towards))
        here = towards[-1]
    return "".join(pieces)


def _arrow(item: Arrow) -> str:
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in item.corners) + "z"
