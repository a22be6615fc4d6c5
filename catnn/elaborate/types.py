"""Groups, spaces and types: from what was written to wires and words."""

from __future__ import annotations

from keyword import iskeyword
from pathlib import Path

from catnn.category.families import FAMILIES, SPELLINGS, WITH_FORMS
from catnn.category.wires import PLAIN, Group, Summand, Type, Wire, Word
from catnn.elaborate.aliases import known_as
from catnn.elaborate.permuted import HEADS, permutation_group
from catnn.elaborate.report import Report, listed, nearest, plural
from catnn.elaborate.scopes import RESERVED_SIZES, Scope
from catnn.syntax import nodes

MOST_ORDER = 1000
MOST_CHANNELS = 2**31 - 1


def group(node: nodes.Group, report: Report, folder: Path | None = None) -> Group | None:
    """The group of a `space`, or None once the fault is reported.

    folder: below which the files of graphs are found, None for nowhere.
    """
    if node.head == "":
        return _plain(node, report)
    if node.head in HEADS:
        return permutation_group(node, report, folder)
    if node.head == WITH_FORMS and len(node.args) == 2:
        return _indefinite(node, report)
    if node.head not in FAMILIES:
        helps = known_as(node) or nearest(node.head, (*FAMILIES, *HEADS))
        report.error("E0201", f"there is no group `{node.head}`", (node.span, "unknown group"),
                     notes=(_built(),), helps=helps)  # fmt: skip
        return None
    if len(node.args) != 1 or not isinstance(node.args[0], int | nodes.Name):
        report.error("E0203", f"`{node.head}` takes one size", (node.span, "a name or a number"),
                     helps=(f"`{node.head}(n)`",))  # fmt: skip
        return None
    size = node.args[0]
    if isinstance(size, nodes.Name) and FAMILIES[node.head].epsilon:
        report.error("E0203", f"`{node.head}` takes a number", (node.span, f"`{size.text}` is a name"),
                     notes=("the Levi-Civita tensor has as many legs as there are dimensions",),
                     helps=(f"`{node.head}(3)`",))  # fmt: skip
        return None
    if isinstance(size, nodes.Name):
        return Group(node.head, size.text)
    fault = FAMILIES[node.head].size_fault(size)
    if fault is None and size > MOST_CHANNELS:
        fault = f"a size is at most {MOST_CHANNELS:,}"
    if fault is not None:
        report.error("E0202", f"`{node.head}({size})`: {fault}", (node.span, "no such group"))
        return None
    return Group(node.head, size)


def _plain(node: nodes.Group, report: Report) -> Group | None:
    """A space without symmetry."""
    (size,) = node.args
    assert isinstance(size, int)  # the grammar has no other
    fault = FAMILIES[PLAIN].size_fault(size)
    if fault is not None:
        report.error("E0202", f"`{size}`: {fault}", (node.span, "no such space"))
        return None
    return Group(PLAIN, size)


def _built() -> str:
    return "this release has " + listed(SPELLINGS, len(SPELLINGS))


def _indefinite(node: nodes.Group, report: Report) -> Group | None:
    """O(p,q): both are numbers."""
    p, q = node.args
    if not isinstance(p, int) or not isinstance(q, int):
        report.error("E0203", "`O(p,q)` takes two numbers", (node.span, "how many signs are plus, how many minus"),
                     helps=("`O(1,3)`",))  # fmt: skip
        return None
    key, fault = f"O({p},{q})", None
    if p == 0 or q == 0:
        fault = f"a form with one sign is that of `O({p + q})`"
    elif key not in FAMILIES:
        fault = "a form has at most 999,999 signs of a kind"
    if fault is not None:
        report.error("E0202", f"`{key}`: {fault}", (node.span, "no such group"))
        return None
    return Group(key, p + q)


def declare_spaces(node: nodes.SpaceStatement, scope: Scope) -> None:
    """Add the spaces of a statement to the scope."""
    found = group(node.group, scope.report, scope.folder)
    if found is not None and not all(_declare_size(arg, scope) for arg in node.group.args):
        found = None
    for name in node.names:
        if not scope.declare(name):
            continue
        scope.spaces[name.text] = None if found is None else Wire(scope.prefix + name.text, found)
    scope.failed_spaces |= found is None


def _declare_size(arg: object, scope: Scope) -> bool:
    if not isinstance(arg, nodes.Name):
        return True
    if arg.text in RESERVED_SIZES or iskeyword(arg.text) or "." in arg.text:
        scope.report.error(
            "E0106",
            f"`{arg.text}` may not name a size",
            (arg.span, "taken"),
            notes=("sizes are keywords of `catnn.compile`: `catnn.compile(layer, n=10)`",),
        )
        return False
    scope.sizes.setdefault(arg.text, arg.span)
    return True


def check_size_names(scope: Scope) -> None:
    """A size may not have the name of a space or a definition: `n * f` could not be read."""
    for name, span in scope.sizes.items():
        if name in scope.places:
            scope.report.error(
                "E0106",
                f"`{name}` names a size and something else",
                (span, "a size here"),
                (scope.places[name], "defined here"),
                helps=("rename one of them",),
            )


# ------------------------------------------------------------------------------------------------------------- types


def type_(node: nodes.Type, scope: Scope) -> Type | None:
    """A type, or None once its faults are reported."""
    summands = [_summand(summand, scope) for summand in node.summands]
    whole = [summand for summand in summands if summand is not None]
    return Type(tuple(whole)) if len(whole) == len(summands) else None


def arrow(node: nodes.Arrow, scope: Scope) -> tuple[Type | None, Type | None]:
    """Source and target; the faults of both are reported."""
    return type_(node.source, scope), type_(node.target, scope)


def fixed_arrow(node: nodes.Arrow, scope: Scope, what: str) -> tuple[Type | None, Type | None]:
    """Source and target of a fixed diagram: one word each, without multiplicities."""
    return _single(node.source, scope, what), _single(node.target, scope, what)


def _single(node: nodes.Type, scope: Scope, what: str) -> Type | None:
    written = next((summand for summand in node.summands if summand.channels is not None), None)
    if len(node.summands) > 1:
        scope.report.error("E0207", f"{what} goes from one word to one word", (node.span, "a direct sum"),
                           notes=("direct sums are for layers and networks",))  # fmt: skip
        return None
    if written is not None:
        scope.report.error("E0206", f"{what} is written without multiplicities", (written.span, "remove the brackets"),
                           notes=("a fixed diagram acts on every channel alike",))  # fmt: skip
        return None
    return _unpacked(node, type_(node, scope), scope, what)


def _unpacked(node: nodes.Type, found: Type | None, scope: Scope, what: str) -> Type | None:
    """A type without symmetric powers, which are a way to store a tensor, no word of wires."""
    if found is None or not any(summand.symmetric for summand in found.summands):
        return found
    factor = next(factor for summand in node.summands for factor in summand.factors if factor.symmetric)
    scope.report.error("E0902", f"{what} is written without symmetric powers", (factor.span, "a symmetric power"),
                       notes=("symmetric powers are for the types of layers and networks",),
                       helps=(f"`{factor.space.text}^{factor.power}`",))  # fmt: skip
    return None


def word(node: nodes.Type, scope: Scope) -> Word | None:
    """A type that must be a single word, as in `id[V^2]`."""
    found = _single(node, scope, "a static argument")
    return None if found is None else found.summands[0].word


def _summand(node: nodes.Summand, scope: Scope) -> Summand | None:
    channels = 1 if node.channels is None else node.channels
    if not 1 <= channels <= MOST_CHANNELS:
        scope.report.error("E0021", f"a multiplicity is 1 to {MOST_CHANNELS:,}", (node.span, ""))
        return None
    order = sum(factor.power for factor in node.factors)
    if order > MOST_ORDER:
        scope.report.error("E0022", f"the order of a type is at most {MOST_ORDER}", (node.span, plural(order, "wire")))
        return None
    pieces = [_factor(factor, scope) for factor in node.factors]
    whole = [piece for piece in pieces if piece is not None]
    if len(whole) < len(pieces):
        return None
    symmetric: list[tuple[int, int]] = []
    at = 0
    for factor, piece in zip(node.factors, whole, strict=True):
        if factor.symmetric and factor.power > 1:
            symmetric.append((at, factor.power))
        at += len(piece)
    return Summand(tuple(wire for piece in whole for wire in piece), channels, tuple(symmetric))


def _factor(node: nodes.Factor, scope: Scope) -> Word | None:
    wire = scope.space(node.space)
    if wire is not None and node.symmetric and not FAMILIES[wire.group.family].symmetric_powers:
        name = node.space.text
        scope.report.error("E0902", f"symmetric powers are for S(n), and `{name}` is a space of {wire.group}",
                           (node.span, "not permuted"),
                           notes=("permutations alone move the entries x_J with J nondecreasing, others mix them",),
                           helps=(f"`{name}^{node.power}` holds it as a subspace",))  # fmt: skip
        return None
    if wire is not None and node.dual and FAMILIES[wire.group.family].oriented:
        wire = wire.flipped()  # the dual of a real space is the space
    return None if wire is None else (wire,) * node.power
