"""The functions that people call: `catnn.load`, `catnn.parse`, `catnn.diagram`, `catnn.dim`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, cast

from catnn.category.counting import MOST_PORTS
from catnn.category.diagram import Diagram, Sum, linear
from catnn.category.families import FAMILIES
from catnn.category.graphs import Edge, Graph, automorphism_group, graph_fault
from catnn.category.orbital import MOST_POINTS
from catnn.category.symmetric import MOST_STEPS, count_orbits, effort
from catnn.category.wires import Group, Wire, Word, ends
from catnn.diagnostics import CatnnError, Diagnostic, WrongTypeError, check_type, fail, shortened
from catnn.elaborate.report import Report
from catnn.elaborate.scopes import RESERVED, Scope
from catnn.elaborate.spec import MAX_DIAGRAMS, elaborate
from catnn.elaborate.terms import fixed
from catnn.elaborate.types import MOST_ORDER, fixed_arrow
from catnn.elaborate.types import group as group_of
from catnn.model import Layer, Network, Spec
from catnn.syntax.embedded import folder_of
from catnn.syntax.parser import (
    decode,
    make_source,
    parse_arrow,
    parse_group,
    parse_pattern,
    parse_recovering,
    read_spec,
)

if TYPE_CHECKING:
    import networkx
    import torch

    from catnn.explanation import Explanation

    class Compiled(torch.nn.Module):
        """What `compile` gives, for type checkers alone: the class itself is that of the generated source."""

        source: str


def load(
    path: str | PathLike[str], *, max_diagrams: int = MAX_DIAGRAMS, allow_maps: bool = False, effort: int = 1
) -> Spec:
    """The spec in a file.

    max_diagrams: the most diagrams that a hom-space may have; allow_maps: whether boxes may be functions of other
    packages, `= map "package.function"`, which run when a module does; effort: how many times as far as usual to search
    for the proof of a `check`.
    Raises: CatnnError with every fault, in file order; E1004 where the file cannot be read.
    """
    limits = _limits(max_diagrams, allow_maps, effort)
    check_type(path, (str, PathLike), "a path")
    file = Path(path)
    try:
        data = read_spec(file)
    except (OSError, ValueError) as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else "it is not a readable file"
        raise fail("E1004", f"`{path}` cannot be read: {reason}") from None
    source = decode(data, str(path))
    module, faults = parse_recovering(source)
    with folder_of(data, file.parent) as base:
        return elaborate(module, source, base=base, earlier=faults, **limits)


def parse(
    text: str,
    path: str = "<text>",
    *,
    base: Path | None = None,
    max_diagrams: int = MAX_DIAGRAMS,
    allow_maps: bool = False,
    effort: int = 1,
) -> Spec:
    """The spec in a text.

    path: what messages call it; base: the folder below which it may import, None for nowhere; the rest as in `load`.
    Raises: CatnnError with every fault, in file order.

    >>> parse("space V : S(n)  layer mix : V^2[3] -> V^2[16] = all + bias")["mix"]
    <layer mix : V^2[3] -> V^2[16], 15 diagrams, 2 for the bias>
    """
    limits = _limits(max_diagrams, allow_maps, effort)
    check_type(text, str, "the text of a spec")
    source = make_source(text, path)
    module, faults = parse_recovering(source)
    return elaborate(module, source, base=base, earlier=faults, **limits)


def _limits(max_diagrams: int, allow_maps: bool, effort: int) -> dict[str, Any]:
    """The limits as `elaborate` takes them.  Raises: CatnnError (E1006)."""
    check_type(allow_maps, bool, "True or False")
    for name, limit in (("max_diagrams", max_diagrams), ("effort", effort)):
        if type(limit) is not int or limit < 1:
            raise fail("E1006", f"{name}={limit!r} is not a positive integer")
    return {"max_diagrams": max_diagrams, "allow_maps": allow_maps, "effort": effort}


def diagram(groups: str | Mapping[str, str], pattern: str, type: str | None = None) -> Diagram | Sum:  # noqa: A002
    """The diagram of a pattern, with or without its brackets.

    groups: the group of the space V (``"S(n)"``), or groups by the names of their spaces; type: an arrow
    (``"N @ R -> R"``), needed where there are several spaces.  Raises: CatnnError.

    >>> diagram("S(n)", "i j -> j i").blocks
    ((0, 3), (1, 2))
    >>> diagram({"N": "S(n)", "R": "O(3)"}, "i j -> j", "N @ R -> R").blocks
    {'R': ((0, 2),), 'N': ((1,),)}

    Where diagrams are orbits, numbers name one by its points, and letters give the sum of those that agree:

    >>> diagram("Perm(3, (0 1 2))", "1 -> 2"), len(diagram("Perm(3, (0 1 2))", "i -> j").terms)
    (catnn.diagram('Perm(3, (0 1 2))', '2 -> 0'), 3)
    """
    scope = Scope(Report(), MAX_DIAGRAMS)
    check_type(groups, (str, Mapping), "a group, or groups by the names of their spaces")
    check_type(pattern, str, "a pattern")
    check_type(type, (str, NoneType), "a type such as `V -> V`")
    for name, text in ({"V": groups} if isinstance(groups, str) else dict(groups)).items():
        if not name.isidentifier() or name in RESERVED:
            raise fail("E1005", f"`{name}` cannot name a space")
        scope.spaces[name] = Wire(name, group_of_text(text))
    term = parse_pattern(pattern)
    words = (None, None)
    if type is not None:
        arrow = parse_arrow(type)
        found = fixed_arrow(arrow, scope, "a diagram")
        words = tuple(None if side is None else side.words[0] for side in found)  # type: ignore[assignment]
        value = None if None in words else fixed(term, scope, *words, declared=None)
    else:
        value = fixed(term, scope)
    faults = scope.report.diagnostics
    if any(fault.code == "E0304" for fault in faults):
        names = ", ".join(scope.spaces) or "none"
        raise fail("E1005", f"the letters of `{pattern}` do not say which space they stand on ({names})",
                   helps=('give a type: `catnn.diagram(..., "i j -> j", "N @ R -> R")`',))  # fmt: skip
    if faults:
        raise CatnnError(*faults)
    assert value is not None
    if isinstance(value, Diagram):
        return value
    whole = linear(value.source, value.target, value.weighted)
    return whole if whole.single is None else whole.single


def aut(graph: networkx.Graph, color: str = "color") -> str:
    """The group of the automorphisms of a networkx graph, as text for specs, `catnn.diagram` and `catnn.dim`.

    Nodes are numbered in the graph's order.  color: the attribute of nodes and of edges that is kept, where they have
    it; directions are kept too.  Raises: CatnnError (E0208), (E1021, also a TypeError) for what is no graph.

    >>> import networkx
    >>> aut(networkx.path_graph(3))
    'Aut(3, 0-1 1-2)'
    >>> dim(aut(networkx.petersen_graph()), 2, 2)
    107
    """
    if not all(hasattr(graph, name) for name in ("nodes", "edges", "is_directed")):  # networkx is not imported for this
        raise WrongTypeError(Diagnostic("E1021", f"expected a networkx graph, got {shortened(graph)}"))
    number = {node: at for at, node in enumerate(graph.nodes)}
    lists: dict[str, list[Edge]] = {}
    for tail, head, found in graph.edges(data=color):
        edge = Edge(number[tail], number[head], graph.is_directed())
        lists.setdefault("" if found is None else str(found), []).append(edge)
    cells: dict[str, list[int]] = {}
    for node, found in graph.nodes(data=color):
        cells.setdefault("" if found is None else str(found), []).append(number[node])
    kept = tuple(tuple(cells[kind]) for kind in sorted(cells)) if len(cells) > 1 else ()
    value = Graph(len(number), tuple(tuple(lists[kind]) for kind in sorted(lists)), kept)
    fault = graph_fault(value)
    if not 1 <= value.n <= MOST_POINTS:
        fault = f"a set to permute has 1 to {MOST_POINTS} points"
    if fault is not None:
        raise fail("E0208", f"this graph of {value.n:,} nodes: {fault}")
    return automorphism_group(value)


def dim(group: str, k: int | str, l: int | str) -> int:
    """How many equivariant maps there are from k wires to l wires: the dimension of the hom-space.

    group: ``"S(n)"``, ``"O(3)"``, ...; with a size that is a name, the dimension at every large enough size.
    k, l: numbers of wires, or words of V and V' such as ``"V V'"`` or ``"V^2 @ V'"``, for S(n) with symmetric powers,
    ``"Sym^2(V) V"``.
    Raises: CatnnError.

    >>> dim("S(3)", 2, 2), dim("S(n)", 2, 2), dim("O(3)", 1, 2), dim("U(3)", "V V' V", "V")
    (14, 15, 0, 2)
    >>> dim("S(n)", "Sym^2(V)", "Sym^2(V)"), dim("64", 1, 1)
    (9, 4096)
    """
    found = group_of_text(group)
    space = Wire("V", found)
    if any(isinstance(side, str) and "Sym" in side for side in (k, l)):
        return _symmetric_dim(found, (*_powers(k), *_powers(l)))
    source, target = (word_of(side, space) for side in (k, l))
    if FAMILIES[found.family].oriented:
        k, l = ends(space, source, target)
    else:
        k, l = len(source), len(target)
    if FAMILIES[found.family].is_hard(k, l, found.size):
        raise fail(
            "E1007",
            f"the dimension for {found} and {k + l} ports is out of reach",
            notes=(_why_hard(found),),
            helps=(f"`catnn.dim('{found.family.split('(')[0]}(n)', {k}, {l})` counts the diagrams",)
            if not FAMILIES[found.family].orbital
            else (),
        )
    return FAMILIES[found.family].dim(k, l, found.size)


def _symmetric_dim(group: Group, powers: tuple[int, ...]) -> int:
    """The number of orbits of diagrams.  Raises: CatnnError (E0902, E1007)."""
    if not FAMILIES[group.family].symmetric_powers:
        raise fail("E0902", f"symmetric powers are for S(n), not for {group}")
    most = group.size if isinstance(group.size, int) and group.size < sum(powers) else None
    if effort(powers, most) > MOST_STEPS:
        raise fail(
            "E1007",
            f"the dimension for {group} and symmetric powers of these orders is out of reach",
            notes=(f"it takes some {effort(powers, most):,} additions; catnn makes {MOST_STEPS:,}",),
        )
    return count_orbits(powers, most)


def _powers(side: int | str) -> tuple[int, ...]:
    """The powers of the factors of a word, 1 for V; 0 says nothing.  Raises: CatnnError (E1001)."""
    if isinstance(side, int):
        return (1,) * len(word_of(side, Wire("V", Group("", 0))))
    found = []
    for kind in _factors(side):
        written = re.fullmatch(r"Sym\^([0-9]{1,4})\(V\)", kind)
        if written is None and kind not in ("V", "V'"):
            raise fail("E1001", f"`{kind}` is no wire", helps=('a word is made of V and Sym^2(V), as in "Sym^2(V) V"',))
        found.append(1 if written is None else int(written[1]))
    if sum(found) > MOST_ORDER:
        raise fail("E1001", f"{sum(found)} wires are too many", notes=(f"an order is 0 to {MOST_ORDER}",))
    return tuple(power for power in found if power)


def _why_hard(group: Group) -> str:
    if FAMILIES[group.family].orbital:
        return "it is the number of orbits, found point by point: this group fixes too little to have them at once"
    return f"at small sizes it is a sum over Young diagrams; catnn counts up to {MOST_PORTS} ports"


def _factors(side: str) -> list[str]:
    """The factors of a word as written, with or without ``@``, powers of wires multiplied out.

    >>> _factors("V^2 @ V' Sym^2(V)")
    ['V', 'V', "V'", 'Sym^2(V)']
    """
    found: list[str] = []
    for kind in re.split(r"[\s@⊗]+", side.strip()):
        power = re.fullmatch(r"(V'?)\^([0-9]{1,4})", kind)
        found += [power[1]] * int(power[2]) if power else [kind] * (kind not in ("", "1"))
        if len(found) > MOST_ORDER:
            raise fail("E1001", f"{len(found)} wires are too many", notes=(f"an order is 0 to {MOST_ORDER}",))
    return found


def word_of(side: int | str, space: Wire) -> Word:
    """The word of a number of wires, or of a text such as ``V V'``."""
    if isinstance(side, str):
        kinds = _factors(side)
        unknown = next((kind for kind in kinds if kind not in ("V", "V'")), None)
        if unknown is not None:
            raise fail("E1001", f"`{unknown}` is no wire", helps=("""a word is made of V and V', as in "V V' V\"""",))
    else:
        if type(side) is not int or not 0 <= side <= MOST_ORDER:
            raise fail("E1001", f"{side!r} is not a number of wires", notes=(f"an order is 0 to {MOST_ORDER}",))
        kinds = ["V"] * side
    if len(kinds) > MOST_ORDER:
        raise fail("E1001", f"{len(kinds)} wires are too many", notes=(f"an order is 0 to {MOST_ORDER}",))
    return tuple(space.flipped() if kind == "V'" else space for kind in kinds)


def compile(  # noqa: A001
    item: Layer | Network,
    /,
    *,
    target: str = "torch",
    batch: int | None = None,
    device: Any = None,
    dtype: Any = None,
    generator: torch.Generator | None = None,
    **sizes: int,
) -> Compiled:
    """The torch module of a layer or network, its `source` the generated Python, by `catnn.compiler.compile_item`.

    sizes: hints by name (``n=10``).  Raises: CatnnError.
    """
    from catnn.compiler import compile_item

    module = compile_item(item, target=target, batch=batch, device=device, dtype=dtype, generator=generator, **sizes)
    return cast("Compiled", module)


def explain(item: Layer | Network, /, *, batch: int = 1, full: bool = False, **sizes: int) -> Explanation:
    """What a layer or network is made of and what it costs; see `catnn.explanation.explain`, which this calls.

    sizes: by name (``n=64``); full: list everything, however long.  Raises: CatnnError.
    """
    from catnn.explanation import explain as explanation

    return explanation(item, batch=batch, full=full, **sizes)


def group_of_text(text: str) -> Group:
    """The group that a text says.  Raises: CatnnError."""
    check_type(text, str, "a group such as `S(n)`")
    report = Report()
    found = group_of(parse_group(text), report, Path())
    if found is None:
        raise CatnnError(*report.diagnostics)
    return found
