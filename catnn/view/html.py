"""Galleries for a browser or a notebook: one self-contained piece of HTML, no scripts, nothing fetched."""

from __future__ import annotations

from typing import Any

from catnn.category.diagram import Morphism
from catnn.hypergraph.graph import Hypergraph
from catnn.hypergraph.linear import Combination
from catnn.model import Layer, Network
from catnn.rewrite.rule import Rule, Schema
from catnn.rewrite.trace import Proof, Trace
from catnn.view import rules
from catnn.view.drawing import framed
from catnn.view.gallery import LIMIT, groups, headline, legend, network_picture, picture, term_drawing, wires_of
from catnn.view.layout import styles
from catnn.view.svg import clean, svg

Value = Morphism | Hypergraph | Combination | Layer | Network | Rule | Schema | Trace | Proof

STYLE = """\
.catnn{font-family:ui-sans-serif,system-ui,sans-serif;line-height:1.4}
.catnn h3{font-size:1.05em;margin:.8em 0 .3em}
.catnn h4{font-size:.95em;font-weight:500;margin:1em 0 .4em;opacity:.75}
.catnn-grid{display:flex;flex-wrap:wrap;gap:10px;align-items:flex-end}
.catnn figure{margin:0;padding:6px 8px;border:1px solid rgb(128 128 128/.28);border-radius:8px;text-align:center}
.catnn figure svg{display:block;margin:0 auto;max-width:100%}
.catnn figcaption{font-size:.8em;margin-top:2px}
.catnn figcaption b{opacity:.6;font-weight:500;margin-right:.6em}
"""
PAGE = ":root{color-scheme:light dark}body{margin:2em auto;max-width:70em;padding:0 1em}\n"


def layer_html(layer: Layer, *, limit: int = LIMIT, **options: Any) -> str:
    """Every term of a layer with its weight index and its pattern, as a fragment for a page or a notebook."""
    style = styles(wires_of(layer.source, layer.target))
    lines = ['<div class="catnn">', f"<style>\n{STYLE}</style>", f"<h3><code>{clean(headline(layer))}</code></h3>"]
    if len(style) > 1:
        lines.append(svg(framed(legend(style), 4, "the spaces")))
    for group in groups(layer):
        lines += [f"<h4><code>{clean(group.title)}</code></h4>", '<div class="catnn-grid">']
        for index, term in enumerate(group.terms[:limit]):
            drawn = framed(term_drawing(term, style, **options), 3, str(term))
            caption = f"<figcaption><b>{index}</b><code>{clean(str(term))}</code></figcaption>"
            lines.append(f"<figure>{svg(drawn)}{caption}</figure>")
        lines.append("</div>")
        if len(group.terms) > limit:
            lines.append(f"<p>... and {len(group.terms) - limit} more</p>")
    lines += [f"<p>{clean(note)}</p>" for note in layer.notes]
    return "\n".join((*lines, "</div>", ""))


def fragment(value: Value, **options: Any) -> str:
    """A value as a piece of a page; options as of its picture."""
    if isinstance(value, Layer):
        return layer_html(value, **options)
    if isinstance(value, Rule | Schema | Trace | Proof):
        return f'<div class="catnn">\n{svg(rules.picture(value, **options))}</div>\n'
    drawing = network_picture(value, **options) if isinstance(value, Network) else picture(value, **options)
    return f'<div class="catnn">\n{svg(drawing)}</div>\n'


def page(value: Value, **options: Any) -> str:
    """A value as a document of its own."""
    title = _title(value)
    head = f'<meta charset="utf-8">\n<title>{clean(title)}</title>\n<style>\n{PAGE}</style>'
    body = fragment(value, **options)
    return f'<!doctype html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n{body}</body>\n</html>\n'


def _title(value: Value) -> str:
    match value:
        case Layer() | Network():
            return value.name
        case Rule() | Schema():
            return rules.headline(value)
        case Trace():
            return f"{len(value.steps)} steps"
        case Proof():
            return "a proof"
    return str(value)
