"""Numbers for sizes: what a matrix needs to know before it can be written out."""

from __future__ import annotations

from collections.abc import Mapping

from catnn.category.families import FAMILIES
from catnn.category.wires import Wire, Word
from catnn.diagnostics import fail


def length(wire: Wire, sizes: Mapping[str, int]) -> int:
    """The size of a wire as a number."""
    size = wire.group.size
    return size if isinstance(size, int) else sizes[size]


def resolve_sizes(word: Word, names: frozenset[str], size: int | None, sizes: Mapping[str, int]) -> dict[str, int]:
    """Numbers for all names, from one positional size or from keywords; literal sizes may be repeated, not changed."""
    if not word and not names:
        return {}  # a number has the same matrix at every size
    given = dict(sizes)
    if size is not None:
        literal = {wire.group.size for wire in word if isinstance(wire.group.size, int)}
        if len(names) == 1 and not literal:
            given[next(iter(names))] = size
        elif names or len(literal) > 1:
            shown = ", ".join(sorted(names)) or "none"
            raise fail("E1002", f"one size is not enough here: give each by its name ({shown})")
        elif literal and literal != {size}:
            raise fail("E1003", f"n={size} contradicts the literal size {next(iter(literal))}")
    for name, value in given.items():
        if name not in names:
            known = ", ".join(sorted(names)) or "none"
            raise fail("E1002", f"there is no size `{name}` here; the sizes are: {known}")
        if type(value) is not int or value < 1:
            raise fail("E1003", f"the size {name}={value!r} is not a positive integer")
    missing = sorted(names - given.keys())
    if missing:
        raise fail("E1002", f"no value for the size `{missing[0]}`", helps=(f"give it: {missing[0]}=4",))
    for wire in word:
        fault = FAMILIES[wire.group.family].size_fault(length(wire, given))
        if fault is not None:
            raise fail("E1003", f"`{wire.group.family}({length(wire, given)})`: {fault}")
    return given
