"""Tensors in generated source: an expression and what each of its axes is, in the order in which they lie in memory.

So a transposition is a change of names; a tensor is permuted where somebody needs an order, once, as a view.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from catnn.category.scalar import Scalar
from catnn.emit.writer import Names, quoted

BATCH, CHANNELS = -1, -2
"""The axes of the batch and of the channels, as in `catnn.plan.contract`."""


NAME = re.compile(r"(?<![\w.\"'])[A-Za-z]\w*")
"""A name in a line of generated code that is no attribute, and in no string."""

WEIGHT = re.compile(r" = self\.\w+\Z")
"""The end of a line that takes a weight, which lives on anyway."""


COLUMN = 58
"""Where comments start, where they can."""


@dataclass(frozen=True, slots=True)
class Held:
    """A tensor: the variable that holds it, and its axes."""

    name: str
    axes: tuple[int, ...]

    def at(self, axis: int) -> int:
        """The position of an axis."""
        return self.axes.index(axis)


@dataclass
class Lines:
    """The lines of a function while it is written; parts: the shared parts that they use."""

    names: Names = field(default_factory=lambda: Names(dir(builtins)))
    lines: list[str] = field(default_factory=list)
    parts: set[str] = field(default_factory=set)

    def let(self, wanted: str, expression: str, comment: str = "") -> str:
        """`name = expression` under a fresh name, which is returned."""
        name = self.names.fresh(wanted)
        line = f"{name} = {expression}"
        self.lines.append(f"{line.ljust(COLUMN)}  # {comment}" if comment else line)
        return name


def renamed_in(line: str, names: Mapping[str, str]) -> str:
    """A line with other names for some of its variables.

    >>> renamed_in('z_2 = f(z, z_2.z, "z")', {"z": "q", "z_2": "k"})
    'k = f(q, k.z, "z")'
    """
    code, gap, comment = line.partition("  #")
    new = NAME.sub(lambda found: names.get(found[0], found[0]), code.rstrip())
    return f"{new.ljust(COLUMN)}{gap}{comment}" if gap else new


def released(lines: Sequence[str], result: str) -> list[str]:
    """The lines, and after each what lets go of the variables that are not used again: their memory is had again.

    >>> released(["y = x * x", "z = y + 1  # of y", "w = z * x"], "w")
    ['y = x * x', 'z = y + 1  # of y', 'del y', 'w = z * x']
    """
    made = [line.partition(" = ")[0] for line in lines]
    own = {name for name, line in zip(made, lines, strict=True) if name.isidentifier() and not WEIGHT.search(line)}
    last: dict[str, int] = {}
    for at, line in enumerate([*lines, result]):
        code = line.partition("  #")[0]
        last.update(dict.fromkeys(own.intersection(NAME.findall(code)), at))
    found = []
    for at, line in enumerate(lines):
        found.append(line)
        gone = [name for name, end in last.items() if end == at and name != made[at] and at < len(lines) - 1]
        if gone:
            found.append(f"del {', '.join(gone)}")
    return found


def ordered(held: Held, order: Sequence[int]) -> str:
    """The expression of a tensor with its axes in an order; those that it does not have become axes of length 1."""
    present = [axis for axis in order if axis in held.axes]
    expression = held.name
    positions = [held.at(axis) for axis in present]
    if positions != sorted(positions):
        if len(positions) == 2:
            expression += ".T"
        elif swapped := _swap(positions):
            expression += f".transpose({swapped[0]}, {swapped[1]})"
        else:
            expression += f".permute({', '.join(map(str, positions))})"
    if len(present) < len(order):
        missing = [at for at, axis in enumerate(order) if axis not in held.axes]
        if missing == [len(order) - 1]:
            expression += ".unsqueeze(-1)"
        elif missing == [0]:
            expression += ".unsqueeze(0)"
        else:
            expression += f"[{', '.join(':' if axis in held.axes else 'None' for axis in order)}]"
    return expression


def _swap(positions: list[int]) -> tuple[int, int] | None:
    """The two axes that a permutation exchanges, if it does nothing else."""
    moved = [at for at, position in enumerate(positions) if at != position]
    return (moved[0], moved[1]) if len(moved) == 2 else None


def grouped(held: Held, groups: Sequence[Sequence[int]]) -> str:
    """The expression of a tensor with an axis a group; groups of several are flattened, empty ones have length 1."""
    order = [axis for group in groups for axis in group]
    expression = ordered(held, order)
    for at, group in enumerate(groups):
        if len(group) > 1:
            expression += f".flatten({at}, {at + len(group) - 1})"
        elif not group:
            expression += f".unsqueeze({at})"
    return expression


def ungrouped(at: int, group: Sequence[int], size: Callable[[int], str]) -> str:
    """What gives the axes of a group back, after the axis at a position."""
    return f".unflatten({at}, ({', '.join(size(axis) for axis in group)}))" if len(group) > 1 else ""


def sort_axes(axes: Iterable[int], wanted: Sequence[int]) -> list[int]:
    """Batch first, then the wanted axes in their order, then others, channels last."""
    place = {axis: at for at, axis in enumerate(wanted)}

    def key(axis: int) -> tuple[int, int, int]:
        group = 0 if axis == BATCH else 3 if axis == CHANNELS else 1 if axis in place else 2
        return group, place.get(axis, 0), axis

    return sorted(axes, key=key)


def scaled(lines: Lines, scalar: Scalar, value: str, axes: int) -> str:
    """A number times an expression, which has so many axes behind the batch."""
    pieces = []
    for monomial, coefficient in scalar.terms:
        piece = value
        if monomial:
            lines.parts.add("_scaled")
            powers = [f"(counts[{quoted(s)}], {e})" for s, e in monomial]
            piece = f"_scaled({value}, {axes}, {', '.join(powers)})"
        if coefficient == -1:
            piece = f"-{piece}"
        elif coefficient != 1:
            number = str(coefficient) if coefficient.denominator == 1 else f"({str(coefficient).replace('/', ' / ')})"
            piece = f"{number} * {piece}"
        pieces.append(piece)
    if len(pieces) > 1:
        return f"({' + '.join(pieces)})"
    return pieces[0] if pieces else f"0 * {value}"
