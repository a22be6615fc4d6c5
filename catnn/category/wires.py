"""Wires and words: the objects of the category.

A `Wire` is one tensor factor: the space it stands for and the group that acts there.  A word is a tuple of wires, the
tensor product of them; the empty word is the unit.  A `Summand` is a word with channels, a `Type` a direct sum.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from math import prod

from catnn.category.scalar import Size

LETTERS = "ijklmpqrstuvwxyzabcdefgh"
"""The canonical letters of patterns, in the order of first use; n and o look like a size and a zero."""

PLAIN = "1"
"""The key of the family without symmetry: the wires R^64 of ``space F : 64``."""


LONG = 60
"""A group whose text is longer is abbreviated where people read it."""


@dataclass(frozen=True, slots=True)
class Group:
    """A group of a family at a size, e.g. S(n) or O(3).

    family: the key of the family in `catnn.category.families.FAMILIES`.
        A family with parameters has them in its key, as O(1,3), and its size is a number.
    size: a name (any size, decided at run time) or a number.
    """

    family: str
    size: Size
    label: str = field(default="", compare=False)
    """What messages call it, where its key is long: the file of a graph."""

    @property
    def text(self) -> str:
        """How it is written, in full."""
        if self.family == PLAIN:
            return str(self.size)
        return self.family if self.family.endswith(")") else f"{self.family}({self.size})"

    @property
    def brief(self) -> str:
        """How it is written, abbreviated where that is long."""
        return self.text if len(self.text) <= LONG else f"{self.text.partition('(')[0]}({self.size}, ...)"

    def __str__(self) -> str:
        return self.label or self.brief


@dataclass(frozen=True, slots=True)
class Wire:
    """A wire R^n or C^n: the name of its space and the group that acts on it.

    dual: whether it is V', the dual; only spaces of U(n) have one of their own, a real space is its own dual.

    >>> V = Wire("V", Group("U", 3))
    >>> print(V, V.flipped(), V.flipped().base)
    V V' V
    """

    space: str
    group: Group
    dual: bool = field(default=False, kw_only=True)

    @property
    def base(self) -> Wire:
        """The space itself: V for V and V'."""
        return Wire(self.space, self.group) if self.dual else self

    @property
    def plain(self) -> bool:
        """Whether no group acts here: the wire is one more axis of channels."""
        return self.group.family == PLAIN

    def flipped(self) -> Wire:
        """The other of V and V'."""
        return Wire(self.space, self.group, dual=not self.dual)

    def __str__(self) -> str:
        return f"{self.space}'" if self.dual else self.space


Word = tuple[Wire, ...]


@dataclass(frozen=True, slots=True)
class Summand:
    """A word with its multiplicity; the tensor is (*batch, one axis a wire, channels).

    symmetric: (first position, power) of each symmetric power, whose wires share one axis: Sym^2(V) is the word V^2
    with ((0, 2),), and its axis has the entries x_J with J nondecreasing, in lexicographic order.
    """

    word: Word
    channels: int = 1
    symmetric: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        if self.channels < 1:
            raise ValueError(f"{self.channels} channels: a multiplicity is at least 1")

    @property
    def axes(self) -> tuple[tuple[Wire, int], ...]:
        """The axes of the tensor before its channels: each a wire and the symmetric power that is stored there.

        >>> V = Wire("V", Group("S", "n"))
        >>> [power for _, power in Summand((V, V, V), 1, ((0, 2),)).axes]
        [2, 1]
        """
        powers = dict(self.symmetric)
        inside = {at + j for at, power in self.symmetric for j in range(1, power)}
        return tuple((wire, powers.get(at, 1)) for at, wire in enumerate(self.word) if at not in inside)

    @property
    def rows(self) -> int:
        """The channels, the entries of the plain wires among them: how wide the weights of `all` are."""
        return self.channels * prod(w.group.size for w in self.word if w.plain and isinstance(w.group.size, int))

    def folded(self) -> Summand:
        """The summand with its plain wires among the channels.

        >>> V, F = Wire("V", Group("S", "n")), Wire("F", Group(PLAIN, 64))
        >>> print(Summand((F, V, V), 3), Summand((F, V, V), 3).folded())
        F @ V^2[3] V^2[192]
        """
        word = tuple(wire for wire in self.word if not wire.plain)
        if len(word) == len(self.word):
            return self
        symmetric = tuple((at - sum(w.plain for w in self.word[:at]), power) for at, power in self.symmetric)
        return Summand(word, self.rows, symmetric)

    def __str__(self) -> str:
        pieces: list[str] = []
        for symmetric, run in groupby(self.axes, key=lambda axis: axis[1] > 1):
            if symmetric:
                pieces += [f"Sym^{power}({wire})" for wire, power in run]
            else:
                pieces.append(show_word(tuple(wire for wire, _ in run)))
        shown = " @ ".join(pieces) or "1"
        return shown + (f"[{self.channels}]" if self.channels != 1 else "")


@dataclass(frozen=True, slots=True)
class Type:
    """A direct sum of words with multiplicities, one summand or more."""

    summands: tuple[Summand, ...]

    def __post_init__(self) -> None:
        if not self.summands:
            raise ValueError("a type has one summand or more; the unit is a summand with the empty word")

    def __str__(self) -> str:
        return " + ".join(str(summand) for summand in self.summands)

    @property
    def words(self) -> tuple[Word, ...]:
        """The words alone."""
        return tuple(summand.word for summand in self.summands)


def bases(word: Word) -> Word:
    """The different spaces of a word, by first wire."""
    return tuple(dict.fromkeys(wire.base for wire in word))


def ends(space: Wire, source: Word, target: Word) -> tuple[int, int]:
    """How many wires of a space come in and go out, a dual wire counting as one the other way round.

    >>> V = Wire("V", Group("U", "n"))
    >>> ends(V, (V, V.flipped()), (V,)), ends(V, (V, V), (V,))
    ((1, 2), (2, 1))
    """
    dual = space.flipped()
    return source.count(space) + target.count(dual), target.count(space) + source.count(dual)


def show_word(word: Word) -> str:
    """The canonical spelling of a word.

    >>> V = Wire("V", Group("S", "n"))
    >>> show_word((V, V)), show_word(())
    ('V^2', '1')
    """
    runs = [(str(wire), len(tuple(run))) for wire, run in groupby(word)]
    return " @ ".join(name if count == 1 else f"{name}^{count}" for name, count in runs) or "1"
