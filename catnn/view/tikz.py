"""Drawings as TikZ pictures: `\\input` them where `\\usepackage{tikz}` stands in the preamble."""

from __future__ import annotations

from catnn.view.drawing import INK, MARK, Arrow, Box, Curve, Dot, Drawing, Item, Label, colour, dash
from catnn.view.svg import number

SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\n": " ", "\r": " ",
}  # fmt: skip


def tex(text: str) -> str:
    """Words for TeX to print, whatever they hold.

    >>> print(tex("V_1^2 -> 50%"))
    V\\_1\\textasciicircum{}2 -> 50\\%
    """
    return "".join(SPECIAL.get(character, character) for character in text)


def tikz(drawing: Drawing, *, standalone: bool = False) -> str:
    """The picture as a tikzpicture in big points; or, standalone, as a document of its own."""
    used = sorted({item.style for item in drawing.items if not isinstance(item, Box)} - {INK, MARK})
    lines = [f"% {' '.join(drawing.title.split())}", r"\begin{tikzpicture}[x=0.75bp,y=-0.75bp,line cap=round]"]
    lines += [f"\\definecolor{{catnn{style}}}{{HTML}}{{{colour(style).upper()}}}" for style in used]
    marks = [item for item in drawing.items if isinstance(item, Curve) and item.style == MARK]
    lines += [_item(item) for item in (*marks, *(item for item in drawing.items if item not in marks))]
    lines.append(r"\end{tikzpicture}")
    if standalone:
        head = [r"\documentclass[tikz,border=2pt]{standalone}", r"\usepackage[T1]{fontenc}", r"\begin{document}"]
        lines = [*head, *lines, r"\end{document}"]
    return "\n".join(lines) + "\n"


def _point(point: tuple[float, float]) -> str:
    return f"({number(point[0])},{number(point[1])})"


def _paint(style: int) -> str:
    return "black" if style == INK else f"catnn{style}"


def _item(item: Item) -> str:
    match item:
        case Curve():
            return _curve(item)
        case Dot():
            radius = number(0.75 * item.radius)
            if item.hollow:
                ring = f"{_paint(item.style)},line width=1.4bp"
                return f"\\draw[{ring}] {_point(item.centre)} circle[radius={radius}bp];"
            return f"\\fill[{_paint(item.style)}] {_point(item.centre)} circle[radius={radius}bp];"
        case Arrow():
            corners = " -- ".join(_point(corner) for corner in item.corners)
            return f"\\fill[{_paint(item.style)}] {corners} -- cycle;"
        case Box(corner=(x, y)):
            other = _point((x + item.width, y + item.height))
            fill = "orange!45" if item.marked else "black!5"
            return f"\\draw[rounded corners=3bp,fill={fill}] {_point((x, y))} rectangle {other};"
        case Label():
            return _label(item)


def _curve(item: Curve) -> str:
    first, *rest = item.points
    path = _point(first)
    for at in range(0, len(rest), 3):
        path += f" .. controls {_point(rest[at])} and {_point(rest[at + 1])} .. {_point(rest[at + 2])}"
    if item.style == MARK:
        return f"\\draw[orange!35,line width=6bp] {path};"
    if item.faint:
        return f"\\draw[black!25,line width=0.5bp] {path};"
    lengths = dash(item.style)
    pattern = " ".join(f"{'on' if i % 2 == 0 else 'off'} {number(0.75 * x)}bp" for i, x in enumerate(lengths))
    broken = f",dash pattern={pattern}" if lengths else ""
    return f"\\draw[{_paint(item.style)},line width={'0.9' if item.style == INK else '1.4'}bp{broken}] {path};"


def _label(item: Label) -> str:
    size = {"heading": r"\small\bfseries", "index": r"\tiny"}.get(item.role, r"\footnotesize")
    anchor = ",anchor=west" if item.start else ""
    options = f"{_paint(item.style)},inner sep=0pt,font=\\ttfamily{size}{anchor}"
    return f"\\node[{options}] at {_point(item.centre)} {{{tex(item.text)}}};"
