"""The demo's picture: bars, curves and scatter plots as SVG, in a few lines of our own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from math import ceil, floor, log10

COLOURS = ("#2563eb", "#e08a1e", "#8a8f98")
INK, FAINT, PAPER = "#1f2430", "#d9dce1", "#ffffff"
FONT = "ui-sans-serif,system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif"


@dataclass
class Canvas:
    """Shapes from the top left corner, y downwards."""

    width: int
    height: int
    parts: list[str] = field(default_factory=list)

    def rect(self, x: float, y: float, w: float, h: float, fill: str, **more: object) -> None:
        self._add("rect", x=x, y=y, width=w, height=h, fill=fill, **more)

    def line(self, x1: float, y1: float, x2: float, y2: float, stroke: str = INK, **more: object) -> None:
        self._add("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=stroke, **more)

    def dots(self, places: Sequence[tuple[float, float]], colour: str) -> None:
        style = f'stroke="{colour}" stroke-opacity="0.45" stroke-width="5" stroke-linecap="round"'
        self.parts.append(f"<g {style}>")
        self.parts.extend(f'<path d="M{_number(x)} {_number(y)}h0"/>' for x, y in places)
        self.parts.append("</g>")

    def path(self, points: Sequence[tuple[float, float]], stroke: str, **more: object) -> None:
        d = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        self._add("path", d=d, fill="none", stroke=stroke, stroke_linejoin="round", **more)

    def text(self, x: float, y: float, text: str, size: float = 11, anchor: str = "start", **more: object) -> None:
        more = {"fill": INK} | more
        self._add("text", escape(text), x=x, y=y, font_size=size, text_anchor=anchor, **more)

    def svg(self) -> str:
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" width="{self.width}"'
        paper = f'<rect width="{self.width}" height="{self.height}" rx="10" fill="{PAPER}"/>'
        return f'{head} height="{self.height}" font-family="{FONT}">\n{paper}\n' + "\n".join(self.parts) + "\n</svg>\n"

    def _add(self, tag: str, inside: str = "", **attributes: object) -> None:
        written = (f'{k.replace("_", "-")}="{_number(v)}"' for k, v in attributes.items())
        end = f">{inside}</{tag}>" if inside else "/>"
        self.parts.append(f"<{tag} {' '.join(written)}{end}")


def _number(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class Bars:
    """One task: its title, an error and its standard error a model, and the error of a constant guess."""

    title: str
    errors: Sequence[float]
    deviations: Sequence[float]
    constant: float
    percent: bool = False


@dataclass(frozen=True)
class Points:
    """The answers of one model: its title, and what is true beside what was predicted."""

    title: str
    true: Sequence[float]
    predicted: Sequence[float]


def picture(
    title: str, names: Sequence[str], bars: Sequence[Bars], curves: Sequence[Sequence[float]], points: Sequence[Points]
) -> str:
    """Bars above; below, the losses epoch by epoch and what each model predicts."""
    canvas = Canvas(980, 610)
    canvas.text(32, 40, title, 19, font_weight=600)
    at = 32
    for name, colour in zip(names, COLOURS, strict=True):
        canvas.rect(at, 56, 12, 12, colour, rx=3)
        canvas.text(at + 18, 66, name, 12.5)
        at += 38 + 6.6 * len(name)
    canvas.text(948, 66, "whiskers: one standard error", 11, "end", opacity=0.7)
    for column, bar in enumerate(bars):
        _bars(canvas, 32 + 314 * column, 92, 286, 210, bar)
    _curves(canvas, 32, 338, 286, 240, curves)
    for column, cloud in enumerate(points):
        _points(canvas, 346 + 208 * column, 338, 184, 240, cloud, COLOURS[column])
    return canvas.svg()


def _bars(canvas: Canvas, x: float, y: float, w: float, h: float, bar: Bars) -> None:
    top = max(e + d for e, d in zip(bar.errors, bar.deviations, strict=True)) * 1.05
    floor_at = y + h - 8
    room = h - 38
    canvas.text(x, y + 14, bar.title, 13, font_weight=600)
    canvas.line(x, floor_at, x + w, floor_at, FAINT)
    for index, (error, deviation) in enumerate(zip(bar.errors, bar.deviations, strict=True)):
        left, high = x + 14 + index * 90, room * error / top
        canvas.rect(left, floor_at - high, 62, high, COLOURS[index], rx=3)
        middle, spread = left + 31, room * deviation / top
        canvas.line(middle, floor_at - high - spread, middle, floor_at - high + spread, opacity=0.75)
        label = f"{error:.1%}" if bar.percent else f"{error:.2f}"
        canvas.text(middle, floor_at - high - max(spread, 1) - 6, label, 13, "middle", font_weight=600)
    label = f"{bar.constant:.1%}" if bar.percent else f"{bar.constant:.2f}"
    canvas.text(x + w, y + 14, f"constant guess: {label}", 11, "end", opacity=0.7)


def _curves(canvas: Canvas, x: float, y: float, w: float, h: float, curves: Sequence[Sequence[float]]) -> None:
    canvas.text(x, y + 14, "Validation loss by epoch", 13, font_weight=600)
    left, right, top, bottom = x + 36, x + w, y + 28, y + h - 22
    flat = [value for curve in curves for value in curve]
    low, high = log10(min(flat)), log10(max(flat))

    def place(epoch: int, value: float) -> tuple[float, float]:
        along = epoch / max(len(curves[0]) - 1, 1)
        up = (log10(value) - low) / max(high - low, 1e-9)
        return left + along * (right - left), bottom - up * (bottom - top)

    for exponent in range(floor(low), ceil(high) + 1):
        for digit in (1, 2, 5):
            value = digit * 10.0**exponent
            if low <= log10(value) <= high:
                _, level = place(0, value)
                canvas.line(left, level, right, level, FAINT)
                canvas.text(left - 6, level + 4, f"{value:g}", 10.5, "end", opacity=0.75)
    for colour, curve in zip(COLOURS, curves, strict=True):
        spots = [place(epoch, value) for epoch, value in enumerate(curve)]
        canvas.path(spots, colour, stroke_width=2)
    canvas.text(left, bottom + 18, "1", 10.5, opacity=0.75)
    canvas.text(right, bottom + 18, str(len(curves[0])), 10.5, "end", opacity=0.75)


def _points(canvas: Canvas, x: float, y: float, w: float, h: float, cloud: Points, colour: str) -> None:
    canvas.text(x, y + 14, cloud.title, 13, font_weight=600)
    top, bottom = y + 28, y + h - 22
    most = max(*cloud.true, 1)
    room = min(w, bottom - top)

    def place(value: float) -> float:
        return room * (value / most) ** 0.5  # counts crowd near zero

    canvas.rect(x, bottom - room, room, room, "none", stroke=FAINT)
    canvas.line(x, bottom, x + room, bottom - room, stroke_dasharray="4 3", opacity=0.5)
    spots = zip(cloud.true, cloud.predicted, strict=True)
    canvas.dots([(x + place(t), bottom - place(min(max(p, 0.0), most))) for t, p in spots], colour)
    for value in (0, 2, 10, 30, most):
        if value in (0, most) or value < 0.7 * most:
            canvas.text(x + place(value), bottom + 14, f"{value:g}", 10.5, "middle", opacity=0.75)
    canvas.text(x + room / 2, bottom + 28, "across: true, upwards: predicted", 10.5, "middle", opacity=0.75)
