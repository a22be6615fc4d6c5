"""Diagrams in a terminal: box-drawing characters, outputs on top.

Every block has a lane of its own; where a wire crosses another block's lane it passes over it, a joint is a tee.  A
ring ends a leg of a Levi-Civita tensor.  The blocks of a jellyfish reach to the right, where ``◆`` is its head; a dot
behind it is a leg that is summed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from catnn.category.diagram import Diagram, Morphism
from catnn.category.pattern import port_names
from catnn.category.scalar import ONE
from catnn.hypergraph.graph import Hypergraph
from catnn.hypergraph.linear import Combination
from catnn.view.drawing import even_columns

Lines = tuple[str, ...]
FAR = 10**9
"""To the right of every column."""
JOINTS = {
    # (up, down, left, right): the character where these arms meet
    (True, False, False, True): "╰", (True, False, True, False): "╯", (True, False, True, True): "┴",
    (False, True, False, True): "╭", (False, True, True, False): "╮", (False, True, True, True): "┬",
    (True, True, False, True): "├", (True, True, True, False): "┤", (True, True, True, True): "┼",
    (True, False, False, False): "●", (False, True, False, False): "●", (True, True, False, False): "│",
}  # fmt: skip


def diagram_lines(diagram: Diagram) -> Lines:
    """One diagram as lines of one width.

    >>> from catnn.category.pattern import from_letters
    >>> from catnn.category.wires import Group, Wire
    >>> V = Wire("V", Group("S", "n"))
    >>> print("\\n".join(line.rstrip() for line in diagram_lines(from_letters((V, V), (V,), "ij", "j"))))
    j
    ╰───╮
    ●   │
    i   j
    """
    inputs, outputs = port_names(diagram)
    if not diagram.parts:
        return ("[->]",)
    names = (*inputs, *outputs, *(wire.space for wire in diagram.spaces()[: 0 if len(diagram.spaces()) < 2 else None]))
    step = max(4, 2 + max(map(len, names)))
    lanes, columns = _lanes(diagram, step)
    width = max(at + len(name) for at, name in zip(columns, (*outputs, *inputs), strict=True))
    heads = [(width + 2 + 4 * at, _blocks_of(diagram, space)) for at, space in enumerate(diagram.jellyfish)]
    ends = {b: column for column, blocks in heads for b in blocks}
    rows = [_row(diagram, lanes, columns, lane, width, ends) for lane in range(max(lanes.values()) + 1)]
    for column, blocks in heads:
        _head(rows, column, sorted(lanes[b] for b in blocks), diagram.wire(diagram.parts[blocks[0]][0]).group.size)
    head, foot = [_names(outputs, columns)], [_names(inputs, columns[len(outputs) :])]
    if len(diagram.spaces()) > 1:
        spaces = [diagram.wire(v).space for v in range(len(columns))]
        head.insert(0, _names(spaces[: len(outputs)], columns))
        foot.append(_names(spaces[len(outputs) :], columns[len(outputs) :]))
    lines = [*filter(None, head), *rows, *filter(None, foot)]
    width = max(map(len, lines))
    return tuple(line.ljust(width) for line in lines)


def _names(names: Sequence[str], columns: Sequence[int]) -> str:
    line = ""
    for name, column in zip(names, columns, strict=False):
        line = line.ljust(column) + name
    return line


def _order(diagram: Diagram) -> tuple[list[int], dict[int, set[int]]] | None:
    """The blocks from top to bottom, and which must be above which; None where the demands run in a circle.

    Where output j and input j belong to two blocks, the output's bar must be above the input's.
    """
    l = len(diagram.target)
    block_of = {v: b for b, block in enumerate(diagram.parts) for v in block}
    above: dict[int, set[int]] = {b: set() for b in range(len(diagram.parts))}
    for j in range(min(l, len(diagram.source))):
        if block_of[j] != block_of[l + j]:
            above[block_of[l + j]].add(block_of[j])
    order: list[int] = []
    left = sorted(above, key=lambda b: (_kind(diagram, b), diagram.parts[b]))
    while left:
        free = next((b for b in left if not above[b] - set(order)), None)
        if free is None:
            return None
        order.append(free)
        left.remove(free)
    return order, above


def _kind(diagram: Diagram, block: int) -> int:
    """-1 for a block of outputs, 0 for a through block, 1 for a block of inputs."""
    part, l = diagram.parts[block], len(diagram.target)
    return (part[0] >= l) - (part[-1] < l)


def _lanes(diagram: Diagram, step: int) -> tuple[dict[int, int], list[int]]:
    """A lane for each block, and a column for each vertex; a circle of demands is met by shifting the inputs."""
    l, found = len(diagram.target), _order(diagram)
    shift = step // 2 if found is None else 0
    columns = [step * j for j in range(l)] + [step * i + shift for i in range(len(diagram.source))]
    if found is None:
        every = range(len(diagram.parts))
        found = sorted(every, key=lambda b: (_kind(diagram, b), diagram.parts[b])), {b: set() for b in every}
    order, above = found
    lanes: dict[int, int] = {}
    taken: list[list[tuple[int, int]]] = [[]]
    for block in order:
        span = [columns[v] for v in diagram.parts[block]]
        first, last = min(span), max(span)
        if diagram.wire(diagram.parts[block][0]).space in diagram.jellyfish:
            last = FAR
        least = max((lanes[b] + 1 for b in above[block]), default=0)
        rooms = [at for at in range(least, len(taken)) if all(last < a or b < first for a, b in taken[at])]
        if not rooms:
            rooms = [max(least, len(taken))]
            taken += [[] for _ in range(rooms[0] + 1 - len(taken))]
        lanes[block] = rooms[-1 if _kind(diagram, block) == 1 else 0]
        taken[lanes[block]].append((first, last))
    return lanes, columns


def _row(
    diagram: Diagram, lanes: dict[int, int], columns: Sequence[int], lane: int, width: int, ends: Mapping[int, int]
) -> str:
    """One lane: its block's joints and bar, and the wires that pass; ends: how far blocks reach to the right."""
    l, cells = len(diagram.target), [" "] * max((width, *ends.values()))
    passing: list[int] = []
    for block, part in enumerate(diagram.parts):
        if lanes[block] == lane:
            _bar(cells, part, columns, l, ends.get(block, 0))
            if part[0] in diagram.free and block not in ends:
                cells[columns[part[0]]] = "○"
        else:
            passing += [columns[v] for v in part if (lane < lanes[block]) == (v < l)]
    for column in passing:
        cells[column] = "│"
    return "".join(cells)


def _bar(cells: list[str], part: tuple[int, ...], columns: Sequence[int], l: int, end: int) -> None:
    ups, downs = {columns[v] for v in part if v < l}, {columns[v] for v in part if v >= l}
    first, last = min(ups | downs), max(ups | downs | {end - 1})
    cells[first : last + 1] = "─" * (last - first + 1)
    for column in ups | downs:
        cells[column] = JOINTS[column in ups, column in downs, column > first, column < last]


def _blocks_of(diagram: Diagram, space: str) -> list[int]:
    return [b for b, part in enumerate(diagram.parts) if diagram.wire(part[0]).space == space]


def _head(rows: list[str], column: int, legs: list[int], size: int | str) -> None:
    """Draw the head of a jellyfish into the rows: at its uppermost leg, the others come up to it."""
    for lane in range(legs[0], legs[-1] + 1):
        joint = "│" if lane not in legs else "◆" if lane == legs[0] else "╯" if lane == legs[-1] else "┤"
        line = rows[lane].ljust(column + 1)
        rest = line[column + 1 :]
        if lane == legs[0] and len(legs) != size:
            rest = "─●" + rest[2:]
        rows[lane] = line[:column] + joint + rest


# -------------------------------------------------------------------------------------------- sums and many diagrams


def morphism_lines(morphism: Morphism | Hypergraph | Combination) -> Lines:
    """A diagram, or a sum of them in a row with their coefficients; with boxes, a term of the language."""
    if not isinstance(morphism, Morphism):
        return (str(morphism),)
    pieces: list[Lines] = []
    for coefficient, diagram in morphism.weighted:
        if pieces:
            pieces.append(("+",))
        if coefficient != ONE:
            pieces.append((f"({coefficient})",))
        pieces.append(diagram_lines(diagram))
    return row(pieces) if pieces else ("0",)


def row(pieces: Sequence[Lines], gap: int = 2, *, bottom: bool = False) -> Lines:
    """Blocks of lines side by side, each centred on its middle line or standing on the last one."""
    height = max(map(len, pieces), default=0)
    columns = []
    for lines in pieces:
        width = max(map(len, lines))
        before = height - len(lines) if bottom else (height - len(lines)) // 2
        empty = " " * width
        padded = [line.ljust(width) for line in lines]
        columns.append([empty] * before + padded + [empty] * (height - len(lines) - before))
    return tuple((" " * gap).join(parts) for parts in zip(*columns, strict=True))


def gallery_lines(cells: Sequence[Lines], width: int = 100, gap: int = 3) -> Lines:
    """Blocks of lines in equal columns that fit, an empty line between rows."""
    if not cells:
        return ()
    cell_width = max(len(line) for lines in cells for line in lines)
    columns = even_columns(len(cells), (width + gap) // (cell_width + gap))
    result: list[str] = []
    for at in range(0, len(cells), columns):
        here = [tuple(line.ljust(cell_width) for line in lines) for lines in cells[at : at + columns]]
        result += [*([""] if at else []), *(line.rstrip() for line in row(here, gap, bottom=True))]
    return tuple(result)
