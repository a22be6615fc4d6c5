"""Pictures as pixels: the SVG, drawn by resvg, a renderer in one small wheel (the extra ``png``)."""

from __future__ import annotations

from catnn.diagnostics import fail
from catnn.view.drawing import Drawing
from catnn.view.svg import svg

INK_ON_WHITE = "#1b1f24"


def png(drawing: Drawing, *, scale: float = 2) -> bytes:
    """The picture on white, `scale` pixels a unit.  Words need a monospaced font of the system.

    Raises: CatnnError (E1030) where resvg is not installed.
    """
    try:
        from resvg_py import svg_to_bytes
    except ImportError:
        raise fail(
            "E1030",
            "PNG is drawn by the package `resvg-py`, which is not installed",
            helps=("install it: `pip install 'catnn[png]'`", "or take an SVG: `--as svg`"),
        ) from None
    text = svg(drawing).replace("currentColor", INK_ON_WHITE)
    return bytes(svg_to_bytes(svg_string=text, background="#ffffff", zoom=scale, monospace_family="DejaVu Sans Mono"))
