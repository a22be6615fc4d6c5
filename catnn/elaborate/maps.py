"""Opaque boxes: functions of one number by their names, and functions of other packages by their import paths."""

from __future__ import annotations

import keyword
import re

from catnn.activations import IMPORTABLE, MAPS
from catnn.category.wires import Word
from catnn.diagnostics import Span
from catnn.elaborate.activations import culprit, reason
from catnn.elaborate.report import listed, nearest
from catnn.elaborate.scopes import Scope
from catnn.hypergraph.box import Box
from catnn.program import Tensor
from catnn.syntax import nodes

PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+")


def pointwise(node: nodes.BoxStatement, name: nodes.Name, box: Box, scope: Scope) -> Tensor | None:
    """A named function of one number: that of the box's own name, or of the one behind `pointwise`."""
    text = node.file.text if node.file is not None else name.text
    span = node.file.span if node.file is not None else name.span
    if text not in MAPS or MAPS[text].kind == "norm":
        scope.report.error(
            "E0624",
            f"there is no function `{text}` of one number",
            (span, "unknown function"),
            notes=(f"those there are: {listed((m for m in MAPS if MAPS[m].kind != 'norm'), 40)}",),
            helps=nearest(text, MAPS),
        )
        return None
    if box.source != box.target:
        scope.report.error("E0625", "a pointwise box goes from a word to itself", (node.arrow.span, "another word"))
        return None
    return _known(text, span, node.arrow.span, box.source, scope)


def _known(text: str, span: Span, arrow: Span, word: Word, scope: Scope) -> Tensor | None:
    """A function of the whitelist, where it commutes with the groups of a word."""
    wire = culprit(MAPS[text], word)
    if wire is not None:
        scope.report.error(
            "E0501",
            f"`{text}` is not equivariant on `{scope.show_word((wire,))}` ({wire.group}): "
            + reason(MAPS[text], wire, norms=True),
            (arrow, "acts here"),
        )
        return None
    if scope.is_complex:
        scope.report.error(
            "E0502", f"`{text}` is a function of real numbers, and the tensors here are complex", (span, "acts here")
        )
        return None
    return Tensor(map=text)


def imported(node: nodes.BoxStatement, path: nodes.FileName, box: Box, scope: Scope) -> Tensor | None:
    """A function of another package on whole tensors; of the whitelist, or one that was allowed."""
    text = path.text
    if text in IMPORTABLE and box.source == box.target:
        return _known(IMPORTABLE[text], path.span, node.arrow.span, box.source, scope)
    words = text.split(".")
    if not PATH.fullmatch(text) or any(keyword.iskeyword(word) or word.startswith("__") for word in words):
        scope.report.error(
            "E0627",
            f"`{text}` is no import path",
            (path.span, "names no function of a package"),
            notes=("an import path is a package, perhaps modules in it, and a function, with dots between them",),
            helps=('`= map "package.module.function"`',),
        )
        return None
    if not scope.allow_maps:
        scope.report.error(
            "E0628",
            f"`{text}` is not a function that catnn knows, and running it was not allowed",
            (path.span, f"would run code of `{words[0]}`"),
            notes=(
                f"functions that need no leave: {listed(IMPORTABLE, 6)}",
                "catnn cannot see whether another one is equivariant; to allow it is to promise that",
            ),
            helps=("allow it, `--allow-maps` on the command line", "or `catnn.load(path, allow_maps=True)`"),
        )
        return None
    return Tensor(map=text)
