"""`Perm(n, (0 1 2), ...)` and `Aut(...)`: groups of permutations, from what was written to the key of a family."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from catnn.category.families import FAMILIES
from catnn.category.graphs import Automorphisms, Edge, Graph, cycle_fault, graph_fault
from catnn.category.orbital import MOST_POINTS, Permuted
from catnn.category.permutations import from_cycles
from catnn.category.wires import Group
from catnn.diagnostics import CatnnError
from catnn.elaborate.graphs import GraphFault, load
from catnn.elaborate.report import Report
from catnn.syntax import nodes

HEADS = ("Perm", "Aut")
NOTES = {
    "E0805": "a graph file lies in the folder of the spec, or below",
    "E0806": "a graph file is GraphML, or a list of edges, a line each: `a b`",
}


def permutation_group(node: nodes.Group, report: Report, folder: Path | None) -> Group | None:
    """The group of a `space` with one of these heads, or None once the fault is reported."""
    if node.head == "Aut" and len(node.args) == 1 and isinstance(node.args[0], nodes.FileName):
        return _from_file(node.args[0], report, folder)
    size, *rest = node.args or (0,)
    if not isinstance(size, int):
        example = "Perm(4, (0 1 2 3))" if node.head == "Perm" else 'Aut("graph.graphml")'
        report.error("E0203", f"`{node.head}` takes a number of points first", (node.span, "not a number"),
                     helps=(f"`{example}`",))  # fmt: skip
        return None
    if not 1 <= size <= MOST_POINTS:
        report.error("E0202", f"`{node.head}({size}, ...)`: a set to permute here has 1 to {MOST_POINTS} points",
                     (node.span, "no such group"))  # fmt: skip
        return None
    return _perm(node, size, rest, report) if node.head == "Perm" else _aut(node, size, rest, report)


def _perm(node: nodes.Group, n: int, args: Sequence[object], report: Report) -> Group | None:
    moves = []
    for arg in args:
        cycles = arg.cycles if isinstance(arg, nodes.Permutation) else (arg,)
        found = [cycle for cycle in cycles if isinstance(cycle, tuple)]
        fault = "a generator is written in cycles" if len(found) < len(cycles) else cycle_fault(n, found)
        if fault is not None:
            report.error("E0208", f"`Perm` of {n} points: {fault}", (node.span, "no permutation"),
                         notes=("a generator is a product of disjoint cycles of the points 0 to n-1",),
                         helps=("`Perm(4, (0 1)(2 3), (0 2))`",))  # fmt: skip
            return None
        moves.append(from_cycles(n, found))
    return _known(Permuted(n, moves), node, report)


def _aut(node: nodes.Group, n: int, args: Sequence[object], report: Report) -> Group | None:
    edges: list[tuple[Edge, ...]] = []
    cells: list[tuple[int, ...]] = []
    for arg in args:
        if isinstance(arg, nodes.Edges):
            edges.append(tuple(Edge(*edge) for edge in arg.edges))
        elif isinstance(arg, nodes.Cell):
            cells.append(arg.vertices)
        else:
            report.error("E0203", "`Aut` takes a file, or a graph", (node.span, "neither"),
                         helps=('`Aut("graph.graphml")`', "`Aut(3, 0-1 1-2)`"))  # fmt: skip
            return None
    graph = Graph(n, tuple(edges), tuple(cells))
    fault = graph_fault(graph)
    if fault is not None:
        report.error("E0208", f"`Aut` of {n} vertices: {fault}", (node.span, "no graph"),
                     notes=("vertices are numbered from 0",))  # fmt: skip
        return None
    return _known(Automorphisms(graph), node, report)


def _from_file(node: nodes.FileName, report: Report, folder: Path | None) -> Group | None:
    try:
        graph = load(node.text, folder)
    except GraphFault as fault:
        report.error(fault.code, fault.message, (node.span, "this graph"),
                     notes=(NOTES[fault.code],),
                     helps=(fault.help,) if fault.help else ())  # fmt: skip
        return None
    return _known(Automorphisms(graph), node, report, f'Aut("{node.text}")')


def _known(family: Permuted, node: nodes.Group | nodes.FileName, report: Report, label: str = "") -> Group | None:
    """The group, once its family is found under its key and its elements are known."""
    found = FAMILIES[family.key]
    assert isinstance(found, Permuted)
    try:
        _ = found.order
    except CatnnError as error:
        first = error.diagnostics[0]
        report.error(first.code, first.message, (node.span, "this graph"), notes=first.notes, helps=first.helps)
        return None
    return Group(found.key, found.n, label)
