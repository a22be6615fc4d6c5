"""Boxes: from a `box` statement to the named tensor it declares."""

from __future__ import annotations

from catnn.category.families import FAMILIES
from catnn.category.wires import Word
from catnn.diagnostics import Span
from catnn.elaborate.report import Report, brief, listed, nearest
from catnn.elaborate.scopes import Entry, Scope
from catnn.elaborate.types import fixed_arrow
from catnn.hypergraph.box import ADJOINTS, SYMMETRIES, Box
from catnn.syntax import nodes

PROMISES = {"adjoint": ADJOINTS[1:], "symmetric": SYMMETRIES[1:]}
"""The attributes that promise a law, and their values."""

KINDS = ("learned", "abstract")


def boxes(node: nodes.BoxStatement, scope: Scope) -> None:
    """Keep the boxes of a statement under their names; one that fails keeps its type."""
    source, target = fixed_arrow(node.arrow, scope, "a `box`")
    promised = promises(node.attributes, scope.report)
    fine = _kind(node, scope) and promised is not None
    if source is not None and target is not None and promised is not None:
        fine = _fits(node, promised, source.words[0], target.words[0], scope) and fine
        fine = not _orbital(node, source.words[0] + target.words[0], scope) and fine
    for name in node.names:
        if scope.places.get(name.text) != name.span:
            continue
        value = None
        if fine and promised is not None and source is not None and target is not None:
            words = source.words[0], target.words[0]
            adjoint, symmetric = (promised[key][0] if key in promised else "" for key in ("adjoint", "symmetric"))
            value = Box(scope.prefix + name.text, *words, node.kind, adjoint=adjoint, symmetric=symmetric)
        scope.entries[name.text] = Entry("box", name.span, source, target, value)


def _kind(node: nodes.BoxStatement, scope: Scope) -> bool:
    if node.kind in KINDS and node.file is None:
        return True
    scope.report.error("E0903", f"`{node.kind}` boxes are not built yet", (node.span, ""),
                       notes=("a box is learned, or with `= abstract` a name for rules and checks",))  # fmt: skip
    return False


Promises = dict[str, tuple[str, Span]]
"""The values of the attributes that promise a law, and where they stand."""


def promises(written: tuple[nodes.Attribute, ...], report: Report) -> Promises | None:
    """The laws that attributes promise, or None once the faults are reported."""
    found: Promises = {}
    before = report.faults
    for attribute in written:
        key = attribute.key.text
        if key not in PROMISES:
            report.error("E0603", f"a box has no attribute `{key}`", (attribute.key.span, "unknown attribute"),
                         notes=(f"the attributes are {listed(PROMISES)}",), helps=nearest(key, PROMISES))  # fmt: skip
            continue
        text = brief(attribute.value.span)
        if key in found:
            report.error(
                "E0605", f"`{key}` is given twice", (attribute.key.span, "again"), (found[key][1], "first here")
            )
        elif not isinstance(attribute.value, nodes.Name) or attribute.value.text not in PROMISES[key]:
            report.error("E0604", f"`{key}` cannot be `{text}`", (attribute.value.span, "unknown value"),
                         notes=(f"`{key}` is {' or '.join(f'`{value}`' for value in PROMISES[key])}",),
                         helps=nearest(text, PROMISES[key]))  # fmt: skip
        found.setdefault(key, (text, attribute.span))
    return found if report.faults == before else None


def _orbital(node: nodes.BoxStatement, word: Word, scope: Scope) -> bool:
    """Whether a leg is on a wire whose diagrams are orbits; reports it."""
    wire = next((wire for wire in word if FAMILIES[wire.group.family].orbital), None)
    if wire is None:
        return False
    message = f"boxes on a wire of {wire.group} are not built yet"
    scope.report.error("E0903", message, (node.arrow.span, f"`{scope.show_word((wire,))}` is one"),
                       notes=("its diagrams are orbits, which do not meet in spiders",))  # fmt: skip
    return True


def _fits(node: nodes.BoxStatement, promised: Promises, source: Word, target: Word, scope: Scope) -> bool:
    """Whether the words allow the promises; reports where not."""
    adjoint, symmetric = promised.get("adjoint"), promised.get("symmetric")
    faults: list[tuple[str, Span]] = []
    if adjoint is not None and adjoint[0] == "self" and source != target:
        faults.append(("a box that equals its dagger goes from a word to itself", adjoint[1]))
    if symmetric is not None:
        rows = {"inputs": (source,), "outputs": (target,), "both": (source, target)}[symmetric[0]]
        if any(len(set(row)) > 1 for row in rows):
            faults.append(("legs that may be exchanged are of one wire", symmetric[1]))
    for message, span in faults:
        shown = f"this is {scope.show_arrow(source, target)}"
        scope.report.error("E0620", message, (span, "promised here"), (node.arrow.span, shown))
    return not faults
