"""Boxes: from a `box` statement to the named tensor it declares."""

from __future__ import annotations

from math import prod

from catnn.category.counting import number
from catnn.category.families import FAMILIES
from catnn.category.sizes import length
from catnn.category.wires import Word
from catnn.diagnostics import Span
from catnn.elaborate.constants import broken_promise, constant
from catnn.elaborate.maps import imported, pointwise
from catnn.elaborate.report import Report, brief, listed, nearest
from catnn.elaborate.scopes import Entry, Scope
from catnn.elaborate.types import fixed_arrow
from catnn.hypergraph.box import ADJOINTS, SYMMETRIES, Box
from catnn.program import Constant, Tensor
from catnn.syntax import nodes

TENSORS = ("rank", "init", "share")
"""The attributes of learned tensors: a size, how they are drawn, and whose weights they have."""

INITS = ("unit", "zeros")

MOST_NUMBERS = 2**31 - 1
"""A learned tensor has at most so many."""

PROMISES = {"adjoint": ADJOINTS[1:], "symmetric": SYMMETRIES[1:]}
"""The attributes that promise a law, and their values."""

KINDS = ("learned", "abstract", "fixed", "pointwise", "map")

FILES = {
    "fixed": ("the file of its numbers", '= fixed "file.npz"'),
    "map": ("the path of a function", '= map "package.function"'),
}
"""The kinds with a text behind them: what it is, and how it is written."""


def boxes(node: nodes.BoxStatement, scope: Scope) -> None:
    """Keep the boxes of a statement under their names; one that fails keeps its type."""
    source, target = fixed_arrow(node.arrow, scope, "a `box`")
    promised = promises(tuple(a for a in node.attributes if a.key.text not in TENSORS), scope.report)
    tensor = _tensor(node, scope)
    fine = _kind(node, scope) and promised is not None and tensor is not None
    if source is not None and target is not None and promised is not None:
        fine = _fits(node, promised, source.words[0], target.words[0], scope) and fine
        fine = not _orbital(node, source.words[0] + target.words[0], scope) and fine
        fine = fine and tensor is not None and _weighs(node, promised, tensor, source.words[0], target.words[0], scope)
    for name in node.names:
        if scope.places.get(name.text) != name.span:
            continue
        value = None
        if fine and promised is not None and tensor is not None and source is not None and target is not None:
            words = source.words[0], target.words[0]
            adjoint, symmetric = (promised[key][0] if key in promised else "" for key in ("adjoint", "symmetric"))
            kind = "map" if node.kind in ("pointwise", "map") else node.kind
            value = Box(scope.prefix + name.text, *words, kind, adjoint=adjoint, symmetric=symmetric)
            numbers = _numbers(node, name, value, tensor, promised, scope)
            if numbers is None and kind != "abstract":
                value = None
            elif numbers is not None:
                scope.tensors[value.name] = numbers
        scope.entries[name.text] = Entry("box", name.span, source, target, value)


def _kind(node: nodes.BoxStatement, scope: Scope) -> bool:
    if node.kind not in KINDS:
        scope.report.error(
            "E0624",
            f"there is no box `= {node.kind}`",
            (node.span, "unknown kind"),
            notes=(f"a box is learned without one; the others: {', '.join(f'`= {kind}`' for kind in KINDS[1:])}",),
            helps=nearest(node.kind, KINDS),
        )
        return False
    if (node.kind in FILES) != (node.file is not None) and node.kind != "pointwise":
        needed, written = FILES.get(node.kind, ("no file", FILES["fixed"][1]))
        what = f"{'needs' if node.kind in FILES else 'takes'} {needed}"
        place = (node.span, "nothing is given" if node.file is None else "a file")
        scope.report.error("E0624", f"`= {node.kind}` {what}", place, helps=(f"`{written}`",))
        return False
    return True


def _tensor(node: nodes.BoxStatement, scope: Scope) -> Tensor | None:
    """What the attributes say about a learned tensor, or None once the faults are reported."""
    found: dict[str, nodes.Attribute] = {}
    before = scope.report.faults
    for attribute in node.attributes:
        if attribute.key.text in TENSORS:
            _attribute(node, attribute, found.setdefault(attribute.key.text, attribute), scope.report)
    if scope.report.faults > before:
        return None
    rank, init, share = (found[key].value if key in found else None for key in TENSORS)
    if share is not None:
        return _shared(node, share, scope, alone=rank is None and init is None)
    size = int(rank.value) if isinstance(rank, nodes.Scalar) else None
    return Tensor(size, init.text if isinstance(init, nodes.Name) else INITS[0])


def _attribute(node: nodes.BoxStatement, attribute: nodes.Attribute, first: nodes.Attribute, report: Report) -> None:
    """Report what is wrong with an attribute of a learned tensor; first: the first of this key."""
    key, value = attribute.key, attribute.value
    if first is not attribute:
        report.error("E0605", f"`{key.text}` is given twice", (key.span, "again"), (first.key.span, "first here"))
    elif node.kind != "learned":
        places = (key.span, "nothing is learned here"), (node.arrow.span, f"`= {node.kind}`")
        report.error("E0603", f"`{key.text}` is of learned boxes", *places)
    elif key.text == "rank":
        size = value.value if isinstance(value, nodes.Scalar) and not value.powers else None
        if size is None or size.denominator != 1 or size < 1:
            report.error("E0604", f"`rank` cannot be `{brief(value.span)}`", (value.span, "a positive number"))
    elif key.text == "init" and not (isinstance(value, nodes.Name) and value.text in INITS):
        text = brief(value.span)
        report.error(
            "E0604",
            f"`init` cannot be `{text}`",
            (value.span, "unknown value"),
            notes=(f"`init` is {' or '.join(f'`{one}`' for one in INITS)}",),
            helps=nearest(text, INITS),
        )


def _shared(node: nodes.BoxStatement, share: nodes.Name | nodes.Scalar, scope: Scope, *, alone: bool) -> Tensor | None:
    """The tensor of a box that has the weights of another, or None once the fault is reported.

    alone: whether it says nothing else about them.
    """
    other = scope.entry(share) if isinstance(share, nodes.Name) else None
    if other is None or not isinstance(other.value, Box) or other.value.kind != "learned":
        if isinstance(share, nodes.Scalar) or other is not None:
            scope.report.error("E0604", f"`share` cannot be `{brief(share.span)}`", (share.span, "no learned box"))
        return None
    if (other.source, other.target) != fixed_arrow(node.arrow, scope, "a `box`") or not alone:
        scope.report.error(
            "E0625",
            f"a box that shares the weights of `{brief(share.span)}` is of its type",
            (node.arrow.span, "shares weights"),
            (other.span, "whose weights they are"),
            notes=("it has the rank and the initialisation of the other, too",),
        )
        return None
    shared = scope.tensors[other.value.name]
    return Tensor(shared.rank, shared.init, shared.shares or other.value.name)


def _weighs(
    node: nodes.BoxStatement, promised: Promises, tensor: Tensor, source: Word, target: Word, scope: Scope
) -> bool:
    """Whether the words allow the numbers; reports where not."""
    if node.kind in ("pointwise", "map") and promised:
        key, (_, span) = next(iter(promised.items()))
        scope.report.error(
            "E0625",
            f"a function makes no promise, as `{key}` is one",
            (span, "promised here"),
            (node.arrow.span, f"of a box `= {node.kind}`"),
            notes=("promises are laws of tensors",),
        )
        return False
    if node.kind == "learned":
        moved = next((wire for wire in target + source if not wire.plain), None)
        if moved is not None:
            shown, arrow = scope.show_word((moved,)), scope.show_arrow(source, target)
            name = node.names[0].text
            scope.report.error(
                "E0613",
                f"a learned tensor breaks the symmetry of `{shown}` ({moved.group})",
                (node.arrow.span, f"`{shown}` is no plain space"),
                notes=(
                    "its entries would be free, and a group acts on them; `layer` learns the maps that are equivariant",
                ),
                helps=(
                    f"learn them: `layer {name} : {arrow} = all`",
                    f"for rules and checks: `box {name} : {arrow} = abstract`",
                ),
            )
            return False
        if tensor.rank is not None and (not source or not target or promised):
            what = "has a source and a target" if not promised else "makes no promise"
            scope.report.error("E0625", f"a box of a rank {what}", (node.arrow.span, "is the product of two tensors"))
            return False
        if promised.get("adjoint", ("", node.span))[0] in ("isometry", "unitary"):
            scope.report.error(
                "E0625",
                f"`adjoint: {promised['adjoint'][0]}` cannot be learned",
                (promised["adjoint"][1], "promised here"),
                notes=("gradient steps would leave the isometries",),
                helps=("promise it of an `= abstract` box",),
            )
            return False
        if promised.get("symmetric") is not None and max(len(source), len(target)) > MOST_EXCHANGED:
            scope.report.error(
                "E0625",
                f"at most {MOST_EXCHANGED} legs of a learned box are exchangeable",
                (promised["symmetric"][1], "promised here"),
            )
            return False
        return _affordable(node, tensor, source, target, scope)
    return True


def _affordable(node: nodes.BoxStatement, tensor: Tensor, source: Word, target: Word, scope: Scope) -> bool:
    """Whether a learned tensor is one that somebody could want; reports a senseless rank, and too many numbers."""
    rows, columns = (prod(length(wire, {}) for wire in word) for word in (target, source))
    rank = next((attribute.value for attribute in node.attributes if attribute.key.text == "rank"), None)
    if tensor.rank is not None and rank is not None and tensor.rank > min(rows, columns):
        most = number(min(rows, columns))
        scope.report.error(
            "E0604",
            f"`rank` cannot be `{brief(rank.span)}`",
            (rank.span, f"more than {most}"),
            (node.arrow.span, f"{number(columns)} -> {number(rows)} dimensions"),
            notes=("the rank of a matrix is at most its smaller side",),
            helps=("leave `rank` out: then every matrix can be learned",),
        )
        return False
    total = rows * columns if tensor.rank is None else tensor.rank * (rows + columns)
    if total > MOST_NUMBERS:
        small = tensor.rank is None and source and target and rows + columns <= MOST_NUMBERS
        scope.report.error(
            "E0631",
            f"`{node.names[0].text}` would have {number(total)} numbers",
            (node.arrow.span, f"{number(columns)} -> {number(rows)} dimensions"),
            notes=(f"a learned tensor has at most {number(MOST_NUMBERS)}",),
            helps=("learn fewer: `{ rank: 1 }` is the product of a column and a row",) if small else (),
        )
        return False
    return True


MOST_EXCHANGED = 5
"""A learned tensor with exchangeable legs is the mean over all their orders."""


def _keeps(file: nodes.FileName, box: Box, constant: Constant, promised: Promises, scope: Scope) -> bool:
    """Whether the numbers of a fixed box keep its promises; reports where not."""
    broken = broken_promise(box, constant)
    if broken is None:
        return True
    key, text = broken
    scope.report.error(
        "E0620",
        f"`{file.text}` does not keep its promise: {text}",
        (promised[key][1], "promised here"),
        (file.span, "the numbers"),
        notes=("what is promised is used, by `check` and by the compiler",),
    )
    return False


def _numbers(
    node: nodes.BoxStatement, name: nodes.Name, box: Box, tensor: Tensor, promised: Promises, scope: Scope
) -> Tensor | None:
    """How the numbers of a box are had; None for an abstract one, and once faults are reported."""
    if node.kind == "learned":
        return tensor
    if node.kind == "fixed" and node.file is not None:
        found = constant(node.file, name, box.source, box.target, scope)
        return None if found is None or not _keeps(node.file, box, found, promised, scope) else Tensor(constant=found)
    if node.kind == "pointwise":
        return pointwise(node, name, box, scope)
    if node.kind == "map" and node.file is not None:
        return imported(node, node.file, box, scope)
    return None


Promises = dict[str, tuple[str, Span]]
"""The values of the attributes that promise a law, and where they stand."""


def promises(written: tuple[nodes.Attribute, ...], report: Report) -> Promises | None:
    """The laws that attributes promise, or None once the faults are reported."""
    found: Promises = {}
    before = report.faults
    for attribute in written:
        key = attribute.key.text
        if key not in PROMISES:
            report.error(
                "E0603",
                f"a box has no attribute `{key}`",
                (attribute.key.span, "unknown attribute"),
                notes=(f"the attributes are {listed(PROMISES)}",),
                helps=nearest(key, PROMISES),
            )
            continue
        text = brief(attribute.value.span)
        if key in found:
            report.error(
                "E0605", f"`{key}` is given twice", (attribute.key.span, "again"), (found[key][1], "first here")
            )
        elif not isinstance(attribute.value, nodes.Name) or attribute.value.text not in PROMISES[key]:
            report.error(
                "E0604",
                f"`{key}` cannot be `{text}`",
                (attribute.value.span, "unknown value"),
                notes=(f"`{key}` is {' or '.join(f'`{value}`' for value in PROMISES[key])}",),
                helps=nearest(text, PROMISES[key]),
            )
        found.setdefault(key, (text, attribute.span))
    return found if report.faults == before else None


def _orbital(node: nodes.BoxStatement, word: Word, scope: Scope) -> bool:
    """Whether a leg is on a wire whose diagrams are orbits; reports it."""
    wire = next((wire for wire in word if FAMILIES[wire.group.family].orbital), None)
    if wire is None:
        return False
    message = f"no box may be on a wire of {wire.group}"
    scope.report.error("E0626", message, (node.arrow.span, f"`{scope.show_word((wire,))}` is one"),
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
