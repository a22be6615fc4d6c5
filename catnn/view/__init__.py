"""Pictures and graphs of diagrams, layers and networks: SVG, PNG, TikZ, DOT, HTML, JSON, GraphML, HIF, terminal.

`to_*` take a diagram, a sum, a diagram with boxes, a layer or a network; `from_*` read them back.  Everything is
imported on first use, nothing but PNG needs a library, and the same value is the same bytes.

>>> from catnn.category.compose import permutation
>>> from catnn.category.wires import Group, Wire
>>> V = Wire("V", Group("O", "n"))
>>> from_json(to_json(permutation((V, V), (1, 0)))) == permutation((V, V), (1, 0))
True
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from catnn.category.diagram import Diagram, Morphism, Sum
from catnn.diagnostics import Diagnostic, WrongTypeError, check_type
from catnn.hypergraph.graph import Hypergraph
from catnn.hypergraph.linear import Combination
from catnn.model import Layer, Network
from catnn.rewrite.rule import Rule, Schema
from catnn.rewrite.trace import Proof, Trace

if TYPE_CHECKING:
    import networkx
    from discopy import frobenius

    from catnn.category.wires import Wire
    from catnn.view.drawing import Drawing

Value = Morphism | Hypergraph | Combination | Layer | Network | Rule | Schema | Trace | Proof
Read = Diagram | Sum | Hypergraph | Combination | Layer | Network | Rule | Schema | Trace | Proof
"""What documents and graphs are read to."""
SIDES = ("bottom", "top", "left")
"""Where the inputs of a picture may be."""

__all__ = [
    "to_text", "to_svg", "to_tikz", "to_dot", "to_html", "to_png", "to_json", "to_graphml", "to_hif", "to_networkx",
    "to_discopy", "from_json", "from_graphml", "from_hif", "from_networkx", "from_discopy",
    "layer_text", "layer_html", "network_text",
]  # fmt: skip


def _known(value: object) -> None:
    """Raises: CatnnError (E1021, also a TypeError) for what cannot be drawn or written."""
    check_type(value, Value.__args__, "a diagram, a layer, a network, a rule, a trace or a proof")


def _options(value: Value, given: Mapping[str, Any], *, flows: bool = False) -> None:
    """Whether a picture of the value has these options; flows: on a page, which is as wide as its window.

    Raises: CatnnError (E1021, also a TypeError).
    """
    known = ["inputs", "factored"]
    if isinstance(value, Layer | Morphism):
        known.append("letters")
    if isinstance(value, Layer):
        known += ["limit"] if flows else ["limit", "width"]
    unknown = next((name for name in given if name not in known), None)
    if unknown is not None:
        message = f"a picture of a {type(value).__name__} has no option `{unknown}`"
        note = f"its options are {', '.join(f'`{name}`' for name in known)}"
        raise WrongTypeError(Diagnostic("E1021", message, (), (note,)))


def _drawing(value: Value, **options: Any) -> Drawing:
    from catnn.view import gallery

    _known(value)
    _options(value, options)
    if isinstance(value, Rule | Schema | Trace | Proof):
        from catnn.view import rules

        return rules.picture(value, **options)
    if isinstance(value, Layer):
        return gallery.layer_picture(value, **options)
    if isinstance(value, Network):
        return gallery.network_picture(value, **options)
    return gallery.picture(value, **options)


def to_text(value: Value, *, width: int = 100, factored: bool = False) -> str:
    """Box-drawing characters for a terminal; galleries wrap at `width` columns.

    factored: diagrams as they are run, permutation ; planar ; permutation.
    """
    _known(value)
    if isinstance(value, Layer):
        return layer_text(value, width=width, factored=factored)
    if isinstance(value, Network):
        return network_text(value)
    if isinstance(value, Rule | Schema | Trace | Proof):
        from catnn.view.rules import lines

        return "\n".join(lines(value)) + "\n"
    if factored and isinstance(value, Morphism):
        from catnn.view.stages import factored_lines

        return "\n".join(factored_lines(value)) + "\n"
    from catnn.view.text import morphism_lines

    return "\n".join(line.rstrip() for line in morphism_lines(value)) + "\n"


def to_svg(value: Value, **options: Any) -> str:
    """SVG that stands alone or inside a page.

    options: inputs, the side they are on, one of `SIDES`; for diagrams and layers letters=False leaves the pattern's
    letters out, and factored=True draws them as they are run; for layers width and limit.
    """
    from catnn.view.svg import svg

    return svg(_drawing(value, **options))


def to_png(value: Value, *, scale: float = 2, **options: Any) -> bytes:
    """A PNG on white, drawn by resvg (the extra ``png``); scale: pixels a unit; other options as in `to_svg`.

    Raises: CatnnError (E1030) where resvg is not installed.
    """
    from catnn.view.png import png

    return png(_drawing(value, **options), scale=scale)


def to_tikz(value: Value, *, standalone: bool = False, **options: Any) -> str:
    """A tikzpicture, or standalone a LaTeX document; options as in `to_svg`."""
    from catnn.view.tikz import tikz

    return tikz(_drawing(value, **options), standalone=standalone)


def to_dot(value: Value) -> str:
    """A graph for Graphviz."""
    from catnn.view import dot

    _known(value)
    if isinstance(value, Rule | Schema | Trace | Proof):
        from catnn.view import stories

        return stories.story_dot(value)
    if isinstance(value, Layer):
        return dot.layer_dot(value)
    if isinstance(value, Network):
        return dot.network_dot(value)
    if isinstance(value, Hypergraph | Combination):
        return dot.boxes_dot(value)
    return dot.morphism_dot(value)


def to_html(value: Value, **options: Any) -> str:
    """A self-contained page; options as in `to_svg`."""
    from catnn.view.html import page

    _known(value)
    _options(value, options, flows=True)

    return page(value, **options)


def to_json(value: Value) -> str:
    """A versioned document; `catnn.view.json` has the schema, `catnn.rewrite.proofs` that of traces and proofs."""
    from catnn.view.json import to_json

    _known(value)
    return to_json(value)


def to_networkx(value: Value) -> networkx.MultiDiGraph:
    """The graph of ports, blocks and boxes; `catnn.view.graph` describes it.

    A layer is a graph of summands and terms, a network of stages (`catnn.view.layers`); a rule is both its sides, a
    trace a chain of values (`catnn.view.stories`).
    """
    from catnn.view import graph, layers

    _known(value)
    if isinstance(value, Rule | Schema | Trace | Proof):
        from catnn.view import stories

        return stories.story_networkx(value)
    if isinstance(value, Layer):
        return layers.layer_networkx(value)
    if isinstance(value, Network):
        return layers.network_networkx(value)
    return graph.to_networkx(value)


def to_graphml(value: Value) -> str:
    """The same graph as GraphML."""
    from catnn.view.graphml import graphml

    return graphml(to_networkx(value))


def to_hif(value: Value) -> str:
    """The same as HIF, which tools for hypergraphs read; `catnn.view.hif` describes it."""
    from catnn.view import hif

    _known(value)
    if isinstance(value, Morphism | Hypergraph | Combination):
        return hif.morphism_hif(value)
    return hif.graph_hif(to_networkx(value))


def from_json(text: str, *, allow_maps: bool = False) -> Read:
    """What a JSON document holds.

    allow_maps: whether a network may call functions of other packages, which runs their code when it is compiled.
    Raises: CatnnError (E1031, also a ValueError) where it is none of ours, (E1021, also a TypeError) for no text.
    """
    from catnn.view.reading import from_json

    check_type(text, (str, bytes), "the text of a JSON document")
    return from_json(text, allow_maps=allow_maps)


def from_networkx(graph: networkx.MultiDiGraph, *, allow_maps: bool = False) -> Read:
    """What a graph holds; as `from_json`."""
    from catnn.view.reading import from_networkx

    return from_networkx(graph, allow_maps=allow_maps)


def from_graphml(text: str, *, allow_maps: bool = False) -> Read:
    """What a GraphML text holds; as `from_json`."""
    from catnn.view.graphml import read_graphml

    check_type(text, str, "the text of a GraphML document")
    return from_networkx(read_graphml(text), allow_maps=allow_maps)


def from_hif(text: str, *, allow_maps: bool = False) -> Read:
    """What a HIF text holds; as `from_json`."""
    from catnn.view.hif import read_hif

    check_type(text, (str, bytes), "the text of a HIF document")
    return from_networkx(read_hif(text), allow_maps=allow_maps)


def to_discopy(value: Morphism | Hypergraph | Combination) -> frobenius.Hypergraph:
    """A diagram as a `discopy.frobenius.Hypergraph` (the extra ``discopy``).  Raises: CatnnError (E1030, E1031)."""
    from catnn.view.discopy import to_discopy

    return to_discopy(value)


def from_discopy(diagram: Any, spaces: Mapping[str, Wire]) -> Diagram | Hypergraph:
    """A discopy diagram or hypergraph; spaces: the wire of every type, by its name.  Raises: CatnnError."""
    from catnn.view.discopy import from_discopy

    return from_discopy(diagram, spaces)


# --------------------------------------------------------------------------------------------- layers and networks


def layer_text(layer: Layer, *, width: int = 100, limit: int = 1000, factored: bool = False) -> str:
    """A gallery for a terminal: every term with its weight index and its pattern."""
    from catnn.view.layers import layer_lines

    return "\n".join(layer_lines(layer, width, limit, factored=factored)) + "\n"


def layer_html(layer: Layer, *, limit: int = 1000) -> str:
    """A gallery as a fragment of a page, for Jupyter."""
    from catnn.view.html import layer_html

    return layer_html(layer, limit=limit)


def network_text(network: Network) -> str:
    """The stages of a network and what flows between them, a line a stage."""
    from catnn.view.layers import network_lines

    return "\n".join(network_lines(network)) + "\n"


def _repr_svg_(value: Value) -> str:
    """What Jupyter shows."""
    return to_svg(value)
