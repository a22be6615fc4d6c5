"""Syntax to meaning: every statement of a file in turn, every fault reported, none of them twice.

Spaces and imports first, wherever they stand; then definitions and checks in file order, each using what stands
above it.  A definition that fails keeps its name and, where it was right, its type: later lines stay silent about
faults that are not theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from catnn.category.diagram import Morphism
from catnn.diagnostics import CatnnError, Diagnostic, Source
from catnn.elaborate import layers
from catnn.elaborate.boxes import boxes
from catnn.elaborate.checks import check
from catnn.elaborate.imports import MOST_NAMES, Imported, Loader
from catnn.elaborate.networks import network
from catnn.elaborate.pipelines import boxed_network
from catnn.elaborate.pointful import pointful
from catnn.elaborate.report import Report
from catnn.elaborate.rules import rule
from catnn.elaborate.scopes import Entry, Scope
from catnn.elaborate.terms import evaluate
from catnn.elaborate.types import arrow, check_size_names, declare_spaces, fixed_arrow
from catnn.elaborate.values import along_axes, boxed
from catnn.hypergraph.box import Box
from catnn.hypergraph.linear import Combination
from catnn.model import Check, Layer, Network, Spec
from catnn.syntax import nodes

MAX_DIAGRAMS = 100_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file and its imports may do."""

    max_diagrams: int
    allow_maps: bool
    effort: int


def elaborate(
    module: nodes.Module,
    source: Source,
    *,
    base: Path | None,
    max_diagrams: int = MAX_DIAGRAMS,
    allow_maps: bool = False,
    effort: int = 1,
    earlier: tuple[Diagnostic, ...] = (),
) -> Spec:
    """What a file means.

    base: the folder below which imports are found, None for a text without a file; max_diagrams: the most diagrams
    that a hom-space may have; allow_maps: whether boxes may be functions of other packages; effort: how much
    further than usual to search for proofs; earlier: the faults that the parser found.
    Raises: CatnnError with every fault, in file order.
    """
    loader = Loader()
    if base is not None:
        loader.open.append(((base / Path(source.path).name).resolve(), source.path))
    checks: list[Check] = []
    limits = Limits(max_diagrams, allow_maps, effort)
    scope = _file(module, base, "", earlier, loader, limits, checks)
    values = {name: entry.value for name, entry in scope.entries.items()}
    definitions = {name: value for name, value in values.items() if isinstance(value, Morphism | Layer | Network)}
    boxes = {name: value for name, value in values.items() if isinstance(value, Box)}
    composites = {name: value for name, value in values.items() if isinstance(value, Combination)}
    spaces = {name: wire for name, wire in scope.spaces.items() if wire is not None}
    maps = {name: scope.tensors[box.name].map for name, box in boxes.items() if box.name in scope.tensors}
    paths = {name: path for name, path in maps.items() if path is not None and "." in path}
    laws = tuple(scope.rules)
    return Spec(source.path, source.text, definitions, spaces, tuple(checks), boxes, composites, laws, paths)


def _file(
    module: nodes.Module,
    base: Path | None,
    prefix: str,
    earlier: tuple[Diagnostic, ...],
    loader: Loader,
    limits: Limits,
    checks: list[Check],
) -> Scope:
    """The scope of one file.  Raises: CatnnError with every fault in it and in what it imports."""
    scope = Scope(Report(), limits.max_diagrams, prefix, broken=set(module.broken), failed_spaces=bool(module.broken),
                  folder=base, allow_maps=limits.allow_maps, effort=limits.effort)  # fmt: skip
    for diagnostic in earlier:
        scope.report.include((diagnostic,), diagnostic.labels[0].span.start if diagnostic.labels else 0)
    _declare(module, scope, base, loader)
    for statement in module.statements:
        proved = _statement(statement, scope)
        if proved is not None:
            checks.append(proved)
    if scope.report.found:
        raise CatnnError(*scope.report.diagnostics)
    return scope


# ----------------------------------------------------------------------------------------------------- the first pass


def _declare(module: nodes.Module, scope: Scope, base: Path | None, loader: Loader) -> None:
    """Spaces, imports, and the places of all other names."""
    for statement in module.statements:
        scope.report.begin()
        match statement:
            case nodes.SpaceStatement():
                declare_spaces(statement, scope)
            case nodes.ImportStatement():
                if scope.declare(statement.alias):
                    _import(statement, scope, base, loader)
            case nodes.BoxStatement():
                for name in statement.names:
                    scope.declare(name)
            case nodes.RuleStatement():
                scope.declare(statement.name)
            case nodes.LetStatement() | nodes.LayerStatement() | nodes.NetworkStatement() | nodes.PointfulStatement():
                scope.declare(statement.name)
    check_size_names(scope)
    for space, wire in scope.spaces.items():
        size = wire.group.size if wire is not None else None
        if isinstance(size, str) and size not in scope.places:  # those of imported spaces: one name, one number
            scope.sizes.setdefault(size, scope.places[space.partition(".")[0]])


def _import(node: nodes.ImportStatement, scope: Scope, base: Path | None, loader: Loader) -> None:
    limits = Limits(scope.max_diagrams, scope.allow_maps, scope.effort)

    def read(module: nodes.Module, folder: Path, prefix: str, faults: tuple[Diagnostic, ...]) -> Imported:
        return Imported(_file(module, folder, prefix, faults, loader, limits, []))

    found = loader.load(node, scope, base, read)
    alias = node.alias.text
    if found is None:
        scope.broken.add(alias)
        scope.failed_spaces = True
        return
    if len(scope.spaces) + len(scope.entries) + len(found.spaces) + len(found.entries) > MOST_NAMES:
        scope.report.error("E0804", "too many imported names", (node.span, "one import too many"),
                           notes=(f"at most {MOST_NAMES:,} names, with those of imports of imports",))  # fmt: skip
        scope.broken.add(alias)
        scope.failed_spaces = True
        return
    scope.spaces.update({f"{alias}.{name}": wire for name, wire in found.spaces.items()})
    scope.entries.update({f"{alias}.{name}": entry for name, entry in found.entries.items()})
    scope.tensors.update(found.tensors)
    scope.rules.extend(law for law in found.rules if law not in scope.rules)


# ---------------------------------------------------------------------------------------------------- the second pass


def _statement(node: nodes.Statement, scope: Scope) -> Check | None:
    """Read a statement; a check gives back its proved line."""
    scope.report.begin()
    match node:
        case nodes.LetStatement():
            _define(node, scope, _let(node, scope))
        case nodes.LayerStatement():
            _define(node, scope, _layer(node, scope))
        case nodes.NetworkStatement():
            source, target = arrow(node.arrow, scope)
            stepwise = boxed(node.term, scope) or along_axes(node.term)
            build = boxed_network if stepwise else network
            _define(node, scope, Entry("network", node.name.span, source, target, build(node, source, target, scope)))
        case nodes.CheckStatement():
            return check(node, scope)
        case nodes.BoxStatement():
            boxes(node, scope)
        case nodes.RuleStatement():
            rule(node, scope)
        case nodes.PointfulStatement():
            _define(node, scope, pointful(node, scope))
    return None


def _define(
    node: nodes.LetStatement | nodes.LayerStatement | nodes.NetworkStatement | nodes.PointfulStatement,
    scope: Scope,
    entry: Entry | None,
) -> None:
    """Keep a definition under its name, if the name is its own."""
    name = node.name.text
    if scope.places.get(name) != node.name.span:
        return
    if entry is None:
        scope.broken.add(name)
    else:
        scope.entries[name] = entry


def _let(node: nodes.LetStatement, scope: Scope) -> Entry:
    source, target = fixed_arrow(node.arrow, scope, "a `let`")
    words = [None if side is None else side.words[0] for side in (source, target)]
    value = evaluate(node.term, scope, *words, declared=node.arrow.span)
    return Entry("let", node.name.span, source, target, value if source is not None and target is not None else None)


def _layer(node: nodes.LayerStatement, scope: Scope) -> Entry | None:
    if node.arrow is None:
        return layers.copy(node, scope)
    source, target = arrow(node.arrow, scope)
    value = None
    if source is not None and target is not None:
        value = layers.layer(node, source, target, scope)
    return Entry("layer", node.name.span, source, target, value)
