"""Patterns: the printed form of a diagram, ``[i j -> j i]``, one letter a block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

from catnn.category.diagram import Diagram, Morphism
from catnn.category.families import FAMILIES
from catnn.category.wires import LETTERS, Word, bases, show_word


def letters() -> Iterator[str]:
    """i, j, k, ..., h, i1, j1, ..."""
    yield from LETTERS
    for number in count(1):
        yield from (f"{letter}{number}" for letter in LETTERS)


def spell(diagram: Diagram) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The letters of the inputs and of the outputs, of an orbit its points; inputs are named first."""
    l, k = len(diagram.target), len(diagram.source)
    block_of = {v: b for b, block in enumerate(diagram.parts) for v in block}
    supply, names = letters(), dict[int, str]()
    for vertex in (*range(l, l + k), *range(l)):
        if diagram.points and diagram.points[vertex] >= 0:
            names[block_of[vertex]] = str(diagram.points[vertex])
        elif block_of[vertex] not in names:
            names[block_of[vertex]] = next(supply)
    spelled = [names[block_of[v]] for v in range(l + k)]
    return tuple(spelled[l:]), tuple(spelled[:l])


def port_names(diagram: Diagram) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The letters of the inputs and of the outputs for pictures: on a dual wire, with a prime."""
    rows = zip(spell(diagram), (diagram.source, diagram.target), strict=True)
    named = (tuple(f"{name}'" if w.dual else name for name, w in zip(row, word, strict=True)) for row, word in rows)
    inputs, outputs = named
    return inputs, outputs


def show_pattern(diagram: Diagram) -> str:
    """The canonical pattern, in brackets: ``[i j -> j i]``, ``[-> i i]``, ``[->]``, ``sgn[i j -> k]``.

    Of several spaces that might have a jellyfish, those that have are named where not all of them do.
    """
    inputs, outputs = spell(diagram)
    return sign_prefix(diagram) + "[" + " ".join((*inputs, "->", *outputs)) + "]"


def sign_prefix(diagram: Diagram) -> str:
    """What stands before the bracket: nothing, or ``sgn`` for a jellyfish, or ``sgn[V]`` where it must say whose."""
    if not diagram.jellyfish:
        return ""
    able = jellyfish_spaces(diagram.target + diagram.source)
    return "sgn" if sorted(able) == list(diagram.jellyfish) else f"sgn[{' '.join(diagram.jellyfish)}]"


def jellyfish_spaces(word: Word) -> tuple[str, ...]:
    """The spaces of a word in which there may be a jellyfish."""
    return tuple(wire.space for wire in bases(word) if FAMILIES[wire.group.family].epsilon == "jellyfish")


def from_letters(
    source: Word, target: Word, inputs: Sequence[str], outputs: Sequence[str], jellyfish: Sequence[str] = ()
) -> Diagram:
    """The diagram of a pattern whose letters stand on these words; jellyfish: the spaces that have one.

    Raises: CatnnError (E0401, E0402) if a letter stands for no block of its group.
    """
    blocks: dict[str, list[int]] = {}
    for vertex, letter in enumerate((*outputs, *inputs)):
        blocks.setdefault(letter, []).append(vertex)
    parts = tuple(sorted(tuple(block) for block in blocks.values()))
    return Diagram(source, target, parts, tuple(sorted(jellyfish)))


def transparent(morphism: Morphism) -> str:
    """Python that makes the value again."""
    if isinstance(morphism, Diagram):
        spaces = {wire.space: wire.group.text for wire in morphism.spaces()}
        body = show_pattern(morphism).removeprefix("[")
        body = body if morphism.jellyfish else body.removesuffix("]")
        arrow = f"{show_word(morphism.source)} -> {show_word(morphism.target)}"
        if not spaces:
            return f"catnn.diagram('S(n)', {body!r})"
        if list(spaces) == ["V"] and any(wire.dual for wire in morphism.source + morphism.target):
            return f"catnn.diagram({spaces['V']!r}, {body!r}, {arrow!r})"
        if list(spaces) == ["V"]:
            return f"catnn.diagram({spaces['V']!r}, {body!r})"
        return f"catnn.diagram({spaces!r}, {body!r}, {arrow!r})"
    if not morphism.weighted:
        return f"<zero {show_word(morphism.source)} -> {show_word(morphism.target)}>"
    shown = []
    for coefficient, diagram in morphism.weighted:
        factor = "" if str(coefficient) == "1" else f" * {str(coefficient)!r}"
        shown.append(transparent(diagram) + factor)
    return " + ".join(shown)
