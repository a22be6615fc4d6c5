"""The generators of the language: the ports each has, and the diagram it is."""

from __future__ import annotations

from functools import lru_cache

from catnn.category.bilabelled import ADJACENCY
from catnn.category.diagram import Diagram, Morphism
from catnn.category.families import FAMILIES
from catnn.category.family import Part
from catnn.category.labelled import spread
from catnn.category.wires import Wire, Word, bases
from catnn.elaborate.ports import Port, Shape, known, open_port, resolved
from catnn.elaborate.report import listed, plural
from catnn.elaborate.scopes import GENERATORS, Scope
from catnn.elaborate.types import MOST_ORDER, word
from catnn.syntax import nodes

LEGS = {"merge": (2, 1), "copy": (1, 2), "unit": (0, 1), "discard": (1, 0), "ev": (2, 0), "coev": (0, 2), "adj": (1, 1)}
"""Inputs and outputs of the generators that join all their ports, on one space."""

ALIASES = {"cap": "ev", "cup": "coev"}
EXAMPLES = {"perm": "perm[2,0,1]", "spider": "spider[2,1]", "swap": "swap[V,V]", "id": "id[V^2]"}


def plain_name(node: nodes.Generator) -> str:
    """The name of a generator, `ev` for `cap`."""
    return ALIASES.get(node.name.text, node.name.text)


def shape(node: nodes.Generator, scope: Scope) -> Shape | None:
    """The ports of a generator, or None once the fault is reported."""
    name = plain_name(node)
    default = scope.only_space
    if name == "eps":
        return _eps(node, scope)
    if name == "perm":
        return _perm(node, scope)
    args = arguments(node, scope)
    numbers = tuple(arg for arg in args if isinstance(arg, int))
    types = tuple(arg for arg in args if not isinstance(arg, int))
    if name == "id":
        return _id(node, scope)
    if name == "swap":
        return _swap(node, scope, numbers, types)
    if name == "spider":
        if len(numbers) != 2 or len(types) > 1:
            return _wrong(node, scope, "the numbers of its inputs and outputs")
        legs = numbers
    else:
        legs = LEGS[name]
        if numbers or len(types) > 1:
            return _wrong(node, scope, "one space at most")
    if sum(legs) > MOST_ORDER:
        return too_wide(node, scope, sum(legs))
    if legs == (0, 0) and closed_wire(node, scope) is None and not scope.failed_spaces:
        helps = (f"say it: `spider[0,0,{scope.show_word(scope.wires[:1])}]`",) if scope.wires else ()
        message = "`spider[0,0]` is the size of its space"
        scope.report.error("E0304", message, (node.span, "of which space?"), helps=helps)
        return None
    port = open_port(default)
    if types:
        wires = word(types[0], scope)
        if wires is None:
            return None
        if len(wires) != 1:
            return _wrong(node, scope, "a single wire")
        port = Port(wires[0])
    if name == "ev":
        return Shape((port.bent(), port), ())
    if name == "coev":
        return Shape((), (port, port.bent()))
    return Shape((port,) * legs[0], (port,) * legs[1])


def closed_wire(node: nodes.Generator, scope: Scope) -> Wire | None:
    """The wire of a spider without legs, which no port tells."""
    named = [argument for argument in node.args[2:] if not isinstance(argument, int)]
    wires = word(named[0], scope) if named else None
    return wires[0] if wires else scope.only_space


def arity(argument: int | nodes.Type) -> nodes.Name | None:
    """The name of a variable arity, as in `spider[p,q]`: a bare name."""
    match argument:
        case nodes.Type((nodes.Summand((nodes.Factor(name, False, 1, False),), None),)):
            return name
    return None


def arguments(node: nodes.Generator, scope: Scope) -> tuple[int | nodes.Type, ...]:
    """The static arguments, variable arities as the numbers that they are just now."""
    names = [None if isinstance(argument, int) else arity(argument) for argument in node.args]
    return tuple(
        argument if name is None else scope.arities.get(name.text, argument)
        for argument, name in zip(node.args, names, strict=True)
    )


def _perm(node: nodes.Generator, scope: Scope) -> Shape | None:
    order = tuple(arg for arg in node.args if isinstance(arg, int))
    if len(order) < len(node.args) or sorted(order) != list(range(len(order))) or not order:
        return _wrong(node, scope, "the numbers 0, 1, ... in some order: output j is input perm[j]")
    if len(order) > MOST_ORDER:
        return too_wide(node, scope, len(order))
    ports = tuple(open_port(scope.only_space) for _ in order)
    return Shape(ports, tuple(ports[i] for i in order))


def _eps(node: nodes.Generator, scope: Scope) -> Shape | None:
    """As many outputs as its space has dimensions, so the space must be known; of one that has no epsilon: E0403."""
    wire = scope.only_space
    if node.args:
        if len(node.args) > 1 or isinstance(node.args[0], int):
            return _wrong(node, scope, "one space at most")
        wires = word(node.args[0], scope)
        if wires is None:
            return None
        if len(wires) != 1:
            return _wrong(node, scope, "a single wire")
        wire = wires[0]
    if wire is None and not scope.failed_spaces:
        having = tuple(w for w in scope.wires if FAMILIES[w.group.family].epsilon)
        if having:
            shown = scope.show_word(having[:1])
            message = "`eps` has as many legs as its space has dimensions"
            scope.report.error("E0304", message, (node.span, "of which space?"),
                               helps=(f"say it: `eps[{shown}]`",))  # fmt: skip
            return None
    if wire is None and scope.failed_spaces:
        return None
    if wire is None or not FAMILIES[wire.group.family].epsilon:
        scope.report.error("E0403", "`eps` exists in SO(n) and A(n) only", (node.span, "not here"),
                           notes=("the Levi-Civita tensor changes its sign under reflections",))  # fmt: skip
        return None
    size = wire.group.size
    assert isinstance(size, int)
    if size > MOST_ORDER:
        return too_wide(node, scope, size)
    return Shape((), known((wire,) * size))


def _id(node: nodes.Generator, scope: Scope) -> Shape | None:
    if not node.args:
        port = open_port(scope.only_space)
        return Shape((port,), (port,))
    if len(node.args) > 1:
        return _wrong(node, scope, "one type at most")
    argument = node.args[0]
    if isinstance(argument, int):
        return Shape((), ()) if argument == 1 else _wrong(node, scope, "a type")
    wires = word(argument, scope)
    return None if wires is None else Shape(known(wires), known(wires))


def _swap(node: nodes.Generator, scope: Scope, numbers: tuple[int, ...], types: tuple[nodes.Type, ...]) -> Shape | None:
    if numbers or len(types) > 2:
        return _wrong(node, scope, "one or two spaces")
    words = [word(argument, scope) for argument in types]
    whole = [wires for wires in words if wires is not None]
    if len(whole) < len(words):
        return None
    if any(len(wires) != 1 for wires in whole):
        return _wrong(node, scope, "single wires")
    first, second = open_port(scope.only_space), open_port(scope.only_space)
    if whole:
        first, second = Port(whole[0][0]), Port(whole[-1][0])
    return Shape((first, second), (second, first))


def _wrong(node: nodes.Generator, scope: Scope, what: str) -> None:
    name = node.name.text
    scope.report.error("E0305", f"`{name}` takes {what}", (node.span, "wrong arguments"),
                       helps=(f"`{EXAMPLES.get(name, f'{name}[V]')}`",))  # fmt: skip


def too_wide(node: nodes.Term, scope: Scope, width: int) -> None:
    """Refuse a word that is too long to work with."""
    message = f"a diagram of {plural(width, 'wire')}: at most {MOST_ORDER:,} stand side by side"
    scope.report.error("E0204", message, (node.span, "too wide"))


# ----------------------------------------------------------------------------------------------------- what they mean


def exists(node: nodes.Generator, shape_: Shape, scope: Scope) -> bool:
    """Whether the groups of its wires have this generator; reports where not."""
    name = plain_name(node)
    for wire in bases((*(resolved(shape_.source) or ()), *(resolved(shape_.target) or ()))):
        family = FAMILIES[wire.group.family]
        if name not in family.generators:
            has = listed(g for g in GENERATORS if g in family.generators)
            scope.report.error(
                "E0403",
                f"`{node.name.text}` does not exist on `{scope.show_word((wire,))}` ({wire.group})",
                (node.span, f"not in {wire.group}"),
                notes=(family.law,),
                helps=(f"{wire.group} has {has}, and patterns",),
            )
            return False
        fault = _form_fault(name, shape_, wire)
        if fault is not None:
            message = f"`{node.name.text}` is no diagram of `{scope.show_word((wire,))}` ({wire.group}): {fault}"
            scope.report.error("E0406", message, (node.span, "here"), notes=(family.law,))
            return False
    return True


def _form_fault(name: str, shape_: Shape, wire: Wire) -> str | None:
    """Why a generator of one block is none of its group's at these arities, or None."""
    k, l = len(shape_.source), len(shape_.target)
    if name in ("id", "swap", "perm", "eps") or k + l == 0:
        return None
    family = FAMILIES[wire.group.family]
    row = (*(resolved(shape_.target) or ()), *(resolved(shape_.source) or ()))
    duals = tuple(at for at, one in enumerate(row) if one.dual)
    return family.block_fault(k + l) or family.part_fault(Part(l, k, (tuple(range(k + l)),), duals), wire.group.size)


def diagram(node: nodes.Generator, source: Word, target: Word) -> Morphism:
    """The diagram of a generator whose words are known; where diagrams are orbits, their sum."""
    name = plain_name(node)
    numbers = tuple(arg for arg in node.args if isinstance(arg, int)) if name == "perm" else ()
    return _diagram(name, numbers, source, target)


@lru_cache(maxsize=256)
def _diagram(name: str, numbers: tuple[int, ...], source: Word, target: Word) -> Morphism:
    l = len(target)
    match name:
        case "id":
            return spread(source, target, tuple((v, v + l) for v in range(l)))
        case "swap" | "perm":
            order = numbers or (1, 0)
            return spread(source, target, tuple((j, l + i) for j, i in enumerate(order)))
        case "adj":
            return ADJACENCY.orbits(source[0])
        case "eps":
            eps = FAMILIES[target[0].group.family].epsilon_part(len(target))
            return Diagram(source, target, eps.blocks, (target[0].space,) * eps.signed)
        case _:
            width = len(source) + len(target)
            return spread(source, target, (tuple(range(width)),) if width else ())
