"""The words of the language by what they are: what every colouring and completion is made from."""

from __future__ import annotations

from functools import cache

from catnn.activations import ACTIVATIONS
from catnn.elaborate.scopes import GENERATORS
from catnn.syntax.colours import LEARNED, keywords
from catnn.syntax.lalr import tables


@cache
def statements() -> tuple[str, ...]:
    """The keywords that do not make weights.

    >>> "layer" in statements(), "all" in statements()
    (True, False)
    """
    return tuple(word for word in keywords() if word not in LEARNED)


@cache
def operators() -> tuple[str, ...]:
    """The literals that are no words, the longest first, so that an alternation finds the whole of each.

    >>> operators().index("=>") < operators().index("=")
    True
    """
    table = tables()
    found = {text for text in table.literals.values() if not text[0].isalnum()} | {"->", "→", "=>", "@", "⊗", "'", "†"}
    return tuple(sorted(found, key=lambda text: (-len(text), text)))


def completions() -> tuple[str, ...]:
    """Every word that has a meaning without being defined."""
    return (*statements(), *LEARNED, *GENERATORS, *ACTIVATIONS)
