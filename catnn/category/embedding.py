"""The functor from a group's diagrams into those of a larger family, which changes no matrix (H(n) into S(n))."""

from __future__ import annotations

from catnn.category.diagram import Diagram, Morphism, Sum
from catnn.category.families import FAMILIES
from catnn.category.wires import Group, Wire, Word


def embedded_word(word: Word) -> Word:
    """Every wire in its ambient family.

    >>> [str(wire.group) for wire in embedded_word((Wire("V", Group("H", "n")), Wire("R", Group("O", 3))))]
    ['S(n)', 'O(3)']
    """
    return tuple(_wire(wire) for wire in word)


def embedded(morphism: Morphism) -> Morphism:
    """The same matrix as a morphism of the ambient families."""
    source, target = embedded_word(morphism.source), embedded_word(morphism.target)
    if (source, target) == (morphism.source, morphism.target):
        return morphism
    if isinstance(morphism, Diagram):
        return Diagram(source, target, morphism.parts, morphism.jellyfish)
    return Sum(source, target, tuple((c, Diagram(source, target, d.parts, d.jellyfish)) for c, d in morphism.weighted))


def _wire(wire: Wire) -> Wire:
    family = FAMILIES[wire.group.family].ambient
    return wire if family is None else Wire(wire.space, Group(family, wire.group.size))
