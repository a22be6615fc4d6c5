"""What a type checker knows of the public names: nothing here is run, `make types` reads it under `strict`."""

from __future__ import annotations

from typing import assert_type

import torch

import catnn


def layers(spec: catnn.Spec) -> list[catnn.Layer]:
    """The layers of a spec, and what they hold."""
    assert_type(spec.layers, dict[str, catnn.Layer])
    assert_type(spec.networks, dict[str, catnn.Network])
    return [layer for layer in spec.layers.values() if layer.reduce == "mean"]


def modules(layer: catnn.Layer, network: catnn.Network) -> list[torch.nn.Module]:
    """Modules, and their sources."""
    module = catnn.compile(layer, n=10, dtype=torch.float64)
    assert_type(module.source, str)
    line = catnn.nn.Equivariant("S(n)", "V -> V")
    assert_type(line.source, str)
    return [module, line, catnn.compile(network)]


def diagrams(layer: catnn.Layer) -> str:
    """Diagrams, sums of them, and what is drawn."""
    d = catnn.diagram("S(n)", "i j -> j i")
    assert_type(d, catnn.Diagram | catnn.Sum)
    if isinstance(d, catnn.Sum):
        return catnn.view.to_svg(d)
    assert_type(d.to_svg(), str)
    assert_type(catnn.dim("S(n)", 2, 2), int)
    assert_type(catnn.explain(layer, n=4), catnn.Explanation)
    return catnn.view.to_text(layer) + d.to_tikz()


def codes(text: str) -> list[str]:
    """The codes of what is wrong with a text."""
    try:
        catnn.parse(text)
    except catnn.CatnnError as error:
        assert_type(error.diagnostics, tuple[catnn.Diagnostic, ...])
        return [diagnostic.code for diagnostic in error.diagnostics]
    return []


def misspelt() -> None:
    """Unknown names are found: were they not, the comment would be one too many."""
    catnn.compil  # type: ignore[attr-defined]  # noqa: B018
