"""The registry: the families of groups that compile.  A new group is a file beside this one and a line here."""

from __future__ import annotations

from catnn.category.bistochastic import Bistochastic, BistochasticDoubled
from catnn.category.family import Family
from catnn.category.hyperoctahedral import Hyperoctahedral, SymmetricDoubled
from catnn.category.matchings import Orthogonal
from catnn.category.noncrossing import FreeOrthogonal, FreeSymmetric
from catnn.category.partitions import Symmetric
from catnn.category.symplectic import Symplectic
from catnn.category.unitary import Unitary

FAMILIES: dict[str, Family] = {
    family.key: family
    for family in (
        Symmetric(),
        Orthogonal(),
        Symplectic(),
        Hyperoctahedral(),
        SymmetricDoubled(),
        Bistochastic(),
        BistochasticDoubled(),
        FreeSymmetric(),
        FreeOrthogonal(),
        Unitary(),
    )
}
