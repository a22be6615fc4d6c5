"""Groups that go by another name here: cyclic and dihedral ones, those of Euclid and of Lorentz."""

from __future__ import annotations

from catnn.syntax import nodes

MOST = 12
"""Longer cycles are not written out."""
DIFFERENCES = "and let the layer see differences of places, which no translation changes"


def known_as(node: nodes.Group) -> tuple[str, ...]:
    """The help for a group that there is by another name.

    >>> from catnn.syntax.parser import parse_group
    >>> known_as(parse_group("D(4)"))
    ('write `Perm(4, (0 1 2 3), (1 3))`: the corners of a polygon, turned and reflected',)
    >>> known_as(parse_group("X(4)"))
    ()
    """
    size = node.args[0] if len(node.args) == 1 and isinstance(node.args[0], int) else 0
    match node.head:
        case "C" | "Z" | "Cyclic" if 2 <= size <= MOST:
            return (f"write `Perm({size}, {_turn(size)})`: the points of a circle, turned",)
        case "D" | "Dih" | "Dihedral" if 3 <= size <= MOST:
            mirror = " ".join(f"({i} {size - i})" for i in range(1, (size + 1) // 2))
            return (f"write `Perm({size}, {_turn(size)}, {mirror})`: the corners of a polygon, turned and reflected",)
        case "E" if size:
            return (f"write `O({size})`, {DIFFERENCES}",)
        case "SE" if size:
            return (f"write `SO({size})`, {DIFFERENCES}",)
        case "Lorentz" | "Minkowski":
            return ("write `O(1,3)`",)
    return ()


def _turn(size: int) -> str:
    return f"({' '.join(map(str, range(size)))})"
