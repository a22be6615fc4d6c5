"""What makes blocks a diagram: they are a partition of the vertices, of the spaces and of the groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catnn.category.families import FAMILIES
from catnn.category.family import Blocks
from catnn.category.wires import Word
from catnn.diagnostics import CatnnError, fail

if TYPE_CHECKING:
    from catnn.category.diagram import Diagram


def validate(diagram: Diagram) -> None:
    """Raises: CatnnError where the blocks of a diagram are none, or none of its groups."""
    _partition(diagram.parts, len(diagram.target) + len(diagram.source))
    for block in diagram.parts:
        first = diagram.wire(block[0])
        for vertex in block[1:]:
            if diagram.wire(vertex) is not first and diagram.wire(vertex).base != first.base:
                other = diagram.wire(vertex)
                raise fail("E0402", f"a block joins a wire of `{first.base}` and a wire of `{other.base}`")
        fault = FAMILIES[first.group.family].block_fault(len(block))
        if fault is not None:
            raise fail("E0401", f"a block of `{first}` ({first.group}) {fault}")
    spaces = diagram.spaces()
    if len({wire.space for wire in spaces}) < len(spaces):
        raise _two_groups(spaces)
    if diagram.jellyfish:
        _heads(diagram.jellyfish, [w.space for w in spaces if FAMILIES[w.group.family].epsilon == "jellyfish"])
    for wire in spaces:
        family = FAMILIES[wire.group.family]
        if family.orbital or diagram.points:
            from catnn.category.labelled import validate as validate_points

            validate_points(diagram, wire)
        if family.restricted:
            fault = family.part_fault(diagram.part(wire)[0], wire.group.size)
            if fault is not None:
                raise fail("E0406", f"no diagram of `{wire}` ({wire.group}): {fault}", notes=(family.law,))


def _two_groups(spaces: Word) -> CatnnError:
    name = next(w.space for at, w in enumerate(spaces) if w.space in [other.space for other in spaces[:at]])
    groups = " and ".join(str(wire.group) for wire in spaces if wire.space == name)
    return fail("E0420", f"`{name}` would be a space of {groups}", notes=("in a diagram, a name is one space",),
                helps=('name the spaces: `catnn.diagram({"R": "O(3)"}, "i -> i")`',))  # fmt: skip


def _heads(jellyfish: tuple[str, ...], spaces: list[str]) -> None:
    """Refuse jellyfish on spaces that have none here, or not in canonical form."""
    missing = next((name for name in jellyfish if name not in spaces), None)
    if missing is not None:
        raise fail("E0406", f"there is no wire of `{missing}` here that a jellyfish of A(n) could have its legs in")
    if list(jellyfish) != sorted(set(jellyfish)):
        raise fail("E0406", f"{jellyfish} is not in canonical form", helps=("sort the names of the spaces",))


def _partition(parts: Blocks, vertices: int) -> None:
    """Refuse what is no partition of the vertices in canonical form: blocks and what is in them ascending."""
    seen: list[int] = []
    for block in parts:
        seen.extend(block)
    if sorted(seen) != list(range(vertices)) or not all(parts):
        raise fail("E0406", f"{parts} is no partition of the vertices 0 to {vertices - 1}")
    if list(parts) != sorted(parts) or any(list(block) != sorted(block) for block in parts):
        raise fail("E0406", f"{parts} is not in canonical form", helps=("sort every block, then the blocks",))
