"""Layers: their attributes, their terms, and what may be said about empty ones."""

from __future__ import annotations

from dataclasses import replace

from catnn.category.halves import count
from catnn.category.labelled import entries, is_orbital
from catnn.category.wires import Type
from catnn.diagnostics import Span
from catnn.elaborate.homs import emptiness
from catnn.elaborate.parts import Parts, summands
from catnn.elaborate.report import Report, brief, listed, nearest
from catnn.elaborate.scopes import RESERVED, Entry, Scope
from catnn.model import Layer
from catnn.syntax import nodes

ATTRIBUTES: dict[str, tuple[str, ...]] = {"reduce": ("sum", "mean"), "init": ("unit", "zeros")}
"""The attributes of a layer and their values, the default first."""


MOST_ENTRIES = 2**24
"""How many entries the matrix of a pair of summands may have on the spaces whose diagrams are orbits."""
MOST_ORBITS = 200_000
"""How many orbits such a pair may have, whichever of them carry weights."""


def attributes(written: tuple[nodes.Attribute, ...], report: Report) -> dict[str, str] | None:
    """The attributes of a layer with their defaults, or None once the faults are reported."""
    found = {key: values[0] for key, values in ATTRIBUTES.items()}
    seen: dict[str, Span] = {}
    before = report.faults
    for attribute in written:
        key = attribute.key.text
        if key not in ATTRIBUTES:
            report.error("E0603", f"a layer has no attribute `{key}`", (attribute.key.span, "unknown attribute"),
                         notes=(f"the attributes are {listed(ATTRIBUTES)}",),
                         helps=nearest(key, ATTRIBUTES))  # fmt: skip
        elif key in seen:
            report.error("E0605", f"`{key}` is given twice", (attribute.key.span, "again"), (seen[key], "first here"))
        elif not isinstance(attribute.value, nodes.Name) or attribute.value.text not in ATTRIBUTES[key]:
            text = brief(attribute.value.span)
            report.error("E0604", f"`{key}` cannot be `{text}`", (attribute.value.span, "unknown value"),
                         notes=(f"`{key}` is {' or '.join(f'`{value}`' for value in ATTRIBUTES[key])}",),
                         helps=nearest(text, ATTRIBUTES[key]))  # fmt: skip
        else:
            found[key] = attribute.value.text
        seen.setdefault(key, attribute.key.span)
    return found if report.faults == before else None


def layer(node: nodes.LayerStatement, source: Type, target: Type, scope: Scope) -> Layer | None:
    """A layer with its own term, or None once its faults are reported."""
    assert node.arrow is not None
    options = attributes(node.attributes, scope.report)
    mean = options is not None and options["reduce"] == "mean"
    parts = Parts(source, target, scope, mean, node.arrow.span)
    for factor, term, written in summands(node.term):
        parts.add(factor, term, written)
    parts.finish()
    if parts.failed or options is None:
        return None
    if parts.empty:
        _refuse_empty(node, parts)
        return None
    if _too_dense(node, parts):
        return None
    return Layer(
        scope.prefix + node.name.text,
        source,
        target,
        tuple(tuple(tuple(pair) for pair in row) for row in parts.weighted),
        tuple(tuple(elements) for elements in parts.biases),
        tuple(tuple(tuple(pair) for pair in row) for row in parts.fixed),
        learned="weights" in parts.learned,
        biased="bias" in parts.learned,
        reduce=options["reduce"],
        init=options["init"],
        notes=tuple(parts.notes),
        span=node.name.span,
        is_complex=scope.is_complex,
    )


def _refuse_empty(node: nodes.LayerStatement, parts: Parts) -> None:
    sources = [summand.word for summand in parts.source.summands] if "weights" in parts.learned else [()]
    reasons = [
        reason
        for target in parts.target.summands
        for source in sources
        if (reason := emptiness(source, target.word, parts.scope)) is not None
    ]
    message = reasons[0] if reasons else f"the layer `{node.name.text}` is zero"
    notes = ("the same holds for every other pair of summands",) if len(reasons) > 1 else ()
    parts.scope.report.error("E0601", message, (node.term.span, "no diagram at all"), (parts.declared, ""), notes=notes)


def _too_dense(node: nodes.LayerStatement, parts: Parts) -> bool:
    """Report a matrix over orbits that nobody should write out."""
    words = [(source.word, target.word) for o, i, target, source in parts.pairs()
             if parts.weighted[o][i] or parts.fixed[o][i]]  # fmt: skip
    words += [((), target.word) for o, target in enumerate(parts.target.summands) if parts.biases[o]]
    for source, target in words:
        orbital = [tuple(wire for wire in word if is_orbital(wire)) for word in (source, target)]
        found, what, most = entries(source, target), "a matrix of {} entries", MOST_ENTRIES
        if found <= most and any(orbital):
            found, what, most = count(*orbital), "{} orbits", MOST_ORBITS
        if found > most:
            arrow = parts.scope.show_arrow(source, target)
            message = f"`{arrow}` needs {what.format(f'{found:,}')}; the limit is {most:,}, counted, not tried"
            parts.scope.report.error(
                "E0612",
                message,
                (node.term.span, "too large"),
                (parts.declared, ""),
                notes=("weights on orbits are written out as a matrix with an entry for every tuple of points",),
                helps=("use words of fewer wires, or S(n) where every permutation is a symmetry",),
            )
            return True
    return False


def copy(node: nodes.LayerStatement, scope: Scope) -> Entry | None:
    """`layer g = f`: the same layer with weights of its own; None once the faults are reported."""
    options = attributes(node.attributes, scope.report)
    term = node.term
    if not isinstance(term, nodes.Generator):
        scope.report.error("E0611", "a layer needs a type", (node.name.span, "no type"),
                           helps=(f"`layer {node.name.text} : A -> B = ...`",))  # fmt: skip
        return None
    original = None
    if term.name.text in RESERVED:
        scope.report.error("E0611", f"`{term.name.text}` is no layer", (term.span, "expected a layer"))
    else:
        original = scope.entry(term.name)
    if original is None:
        return None
    if original.kind != "layer":
        scope.report.error("E0611", f"`{term.name.text}` is a {original.kind}, not a layer",
                           (term.span, "expected a layer"), (original.span, "defined here"),
                           notes=("`layer g = f` declares the layer f again, with weights of its own",))  # fmt: skip
        return None
    if node.attributes:
        scope.report.error("E0611", "a copied layer has the attributes of the original",
                           (node.attributes[0].span, "remove the braces"), (original.span, "the original"))  # fmt: skip
        options = None
    value = original.value if isinstance(original.value, Layer) and options is not None else None
    if value is not None:
        value = replace(value, name=scope.prefix + node.name.text, span=node.name.span)
    return Entry("layer", node.name.span, original.source, original.target, value)
