"""A category-theoretic compiler for equivariant neural-network layers.

A `.catnn` file says what a layer is, as morphisms of a monoidal category; catnn decides how it runs, proves that
this is the same thing, and writes it down as a readable torch module.

    import catnn
    spec = catnn.load("graph.catnn")
    module = catnn.compile(spec["mix"], n=10)

Every name here is imported on first use: `import catnn` itself costs nothing, and only `compile` and `nn` import torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from catnn import nn as nn
    from catnn import view as view
    from catnn.api import aut as aut
    from catnn.api import compile as compile
    from catnn.api import diagram as diagram
    from catnn.api import dim as dim
    from catnn.api import explain as explain
    from catnn.api import load as load
    from catnn.api import parse as parse
    from catnn.category.diagram import Diagram as Diagram
    from catnn.category.diagram import Sum as Sum
    from catnn.diagnostics import CatnnError as CatnnError
    from catnn.diagnostics import Diagnostic as Diagnostic
    from catnn.explanation import Explanation as Explanation
    from catnn.gramian import gram as gram
    from catnn.gramian import gram_det as gram_det
    from catnn.gramian import weingarten as weingarten
    from catnn.model import Layer as Layer
    from catnn.model import Network as Network
    from catnn.model import Spec as Spec
    from catnn.orbits import from_orbit as from_orbit
    from catnn.orbits import orbit as orbit
    from catnn.orbits import to_orbit as to_orbit
    from catnn.projection import project as project

__version__ = "0.1.0"

__all__ = [
    "CatnnError",
    "Diagnostic",
    "Diagram",
    "Explanation",
    "Layer",
    "Network",
    "Spec",
    "Sum",
    "__version__",
    "aut",
    "compile",
    "diagram",
    "dim",
    "explain",
    "from_orbit",
    "gram",
    "gram_det",
    "load",
    "nn",
    "orbit",
    "parse",
    "project",
    "to_orbit",
    "view",
    "weingarten",
]

# Where each public name lives; None is a module of its own.
_HOMES: dict[str, str | None] = {
    "CatnnError": "catnn.diagnostics",
    "Diagnostic": "catnn.diagnostics",
    "Diagram": "catnn.category.diagram",
    "Explanation": "catnn.explanation",
    "Layer": "catnn.model",
    "Network": "catnn.model",
    "Spec": "catnn.model",
    "Sum": "catnn.category.diagram",
    "aut": "catnn.api",
    "compile": "catnn.api",
    "diagram": "catnn.api",
    "dim": "catnn.api",
    "explain": "catnn.api",
    "from_orbit": "catnn.orbits",
    "gram": "catnn.gramian",
    "gram_det": "catnn.gramian",
    "load": "catnn.api",
    "nn": None,
    "orbit": "catnn.orbits",
    "parse": "catnn.api",
    "project": "catnn.projection",
    "to_orbit": "catnn.orbits",
    "view": None,
    "weingarten": "catnn.gramian",
}


if not TYPE_CHECKING:  # a checker that saw this would take every misspelt name for one of ours

    def __getattr__(name: str) -> Any:
        """Import a public name on first use (PEP 562) and keep it."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        home = _HOMES[name]
        value = import_module(f"{__name__}.{name}") if home is None else getattr(import_module(home), name)
        globals()[name] = value
        return value


def load_ipython_extension(ipython: Any) -> None:
    """What `%load_ext catnn` calls: afterwards a cell that begins with `%%catnn` is a spec."""
    from catnn.editors.notebook import load as load_magic

    load_magic(ipython)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
