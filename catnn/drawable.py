"""What everything that can be looked at has in common: drawings and graphs, made by `catnn.view` when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import networkx


class Drawable:
    """A diagram, a sum of them, a diagram with boxes, a layer or a network.

    Each method imports its renderer when it is called; the options are those of the function of that name in
    `catnn.view`.
    """

    __slots__ = ()

    def to_text(self, **options: Any) -> str:
        """Unicode text for terminals."""
        from catnn import view

        return view.to_text(self, **options)  # type: ignore[arg-type]

    def to_svg(self, **options: Any) -> str:
        """A self-contained SVG.

        options: inputs, the side they are on, ``"bottom"``, ``"top"`` or ``"left"``; factored=True, as it is run, stage
        by stage; of diagrams and layers letters=False; of layers the width of a gallery, the limit of its diagrams.
        """
        from catnn import view

        return view.to_svg(self, **options)  # type: ignore[arg-type]

    def to_png(self, **options: Any) -> bytes:
        """A PNG, drawn by a package of the extra ``png``."""
        from catnn import view

        return view.to_png(self, **options)  # type: ignore[arg-type]

    def to_tikz(self, **options: Any) -> str:
        """TikZ for LaTeX; ``standalone=True`` makes a whole document."""
        from catnn import view

        return view.to_tikz(self, **options)  # type: ignore[arg-type]

    def to_dot(self) -> str:
        """DOT for Graphviz."""
        from catnn import view

        return view.to_dot(self)  # type: ignore[arg-type]

    def to_json(self) -> str:
        """JSON of a versioned schema."""
        from catnn import view

        return view.to_json(self)  # type: ignore[arg-type]

    def to_graphml(self) -> str:
        """GraphML."""
        from catnn import view

        return view.to_graphml(self)  # type: ignore[arg-type]

    def to_networkx(self) -> networkx.MultiDiGraph:
        """A networkx graph: ports and blocks are nodes, wires are edges."""
        from catnn import view

        return view.to_networkx(self)  # type: ignore[arg-type]

    def to_hif(self) -> str:
        """HIF, the interchange format of hypergraphs."""
        from catnn import view

        return view.to_hif(self)  # type: ignore[arg-type]

    def to_html(self, **options: Any) -> str:
        """A self-contained page."""
        from catnn import view

        return view.to_html(self, **options)  # type: ignore[arg-type]

    def _repr_svg_(self) -> str:
        from catnn import view

        return view._repr_svg_(self)  # type: ignore[arg-type]
