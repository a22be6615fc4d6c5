"""The registry: the families of groups that compile.  A new group is a file beside this one and a line here."""

from __future__ import annotations

import re
from functools import cache

from catnn.category.alternating import Alternating
from catnn.category.bistochastic import Bistochastic, BistochasticDoubled
from catnn.category.family import Family
from catnn.category.graphs import parametrised
from catnn.category.hyperoctahedral import Hyperoctahedral, SymmetricDoubled
from catnn.category.indefinite import Indefinite
from catnn.category.matchings import Orthogonal
from catnn.category.noncrossing import FreeOrthogonal, FreeSymmetric
from catnn.category.partitions import Symmetric
from catnn.category.plain import Plain
from catnn.category.rotations import SpecialOrthogonal
from catnn.category.symplectic import Symplectic
from catnn.category.unitary import Unitary
from catnn.category.wires import PLAIN


class Registry(dict[str, Family]):
    """Families by their keys; those with parameters, of which there is one for each form, are made when asked for.

    So is that of the spaces without symmetry, which is no family of groups.

    >>> FAMILIES["O(1,3)"].title, "O(1,3)" in FAMILIES, "O(1)" in FAMILIES
    ('the indefinite orthogonal group', True, False)
    """

    def __missing__(self, key: str) -> Family:
        found = _made(key)
        if found is None:
            raise KeyError(key)
        return found

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or (isinstance(key, str) and _made(key) is not None)


PLAIN_SPACES = Plain()


@cache
def _made(key: str) -> Family | None:
    return PLAIN_SPACES if key == PLAIN else _indefinite(key) or parametrised(key)


def _indefinite(key: str) -> Indefinite | None:
    found = re.fullmatch(r"O\(([1-9][0-9]{0,5}),([1-9][0-9]{0,5})\)", key)
    return None if found is None else Indefinite(int(found[1]), int(found[2]))


FAMILIES = Registry(
    (family.key, family)
    for family in (
        Symmetric(),
        Alternating(),
        Orthogonal(),
        SpecialOrthogonal(),
        Symplectic(),
        Hyperoctahedral(),
        SymmetricDoubled(),
        Bistochastic(),
        BistochasticDoubled(),
        FreeSymmetric(),
        FreeOrthogonal(),
        Unitary(),
    )
)

WITH_FORMS = Orthogonal.key
"""What takes two sizes as well, the numbers of plus and minus signs of a form."""

SPELLINGS = (*(f"{key}(n)" for key in FAMILIES), "O(p,q)", "Perm(n, (0 1 2), ...)", "Aut(...)")
"""How each is written in a `space`."""
