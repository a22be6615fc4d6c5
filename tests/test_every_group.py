"""Every group at every small size: the diagrams of `all` are a basis of the commutant, and layers are what they say.

The commutant is found without diagrams, as the nullspace of what generators of the group ask; of the quantum groups,
which have no elements enough, its dimension is the moment of the character.  Groups of permutations are written out
here, those of graphs by trying every permutation.  Layers are equivariant under random elements of their group, and
under an element outside it they are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import permutations as orders_of
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import catnn
from catnn.category.families import FAMILIES
from catnn.model import Layer
from catnn.testing.dense import definition
from catnn.testing.samples import call, inputs, module_of
from tests.nullspace import Matrix, Rep, dimension, dual, permutations, power, preserving, rotations, times, unitary

MOST_ENTRIES = 1000
MOST_PORTS = 6
"""Beyond these the one-dimensional groups would go on for ever."""


@dataclass(frozen=True)
class Case:
    """A group: its family and size."""

    family: str
    size: int

    @property
    def text(self) -> str:
        """As in a `space`."""
        return self.family if self.family.endswith(")") else f"{self.family}({self.size})"

    @property
    def oriented(self) -> bool:
        """Whether it has dual wires."""
        return FAMILIES[self.family].oriented

    def orders(self, most: int = MOST_PORTS) -> list[tuple[str, str]]:
        """Words (source, target) with few entries; D is a dual wire, and longer words have theirs in front."""
        kinds = "VD" if self.oriented else "V"
        found = []
        for m in range(most + 1):
            if self.size**m > MOST_ENTRIES:
                break
            pairs = (("".join(w[:k]), "".join(w[k:])) for w in product(kinds, repeat=m) for k in range(m + 1))
            found += [pair for pair in pairs if m <= 3 or all(word == "".join(sorted(word)) for word in pair)]
        return found


SIZES = {
    "S": (1, 2, 3, 4, 5), "A": (1, 2, 3, 4, 5), "O": (1, 2, 3, 4, 5), "SO": (1, 2, 3, 4, 5), "Sp": (2, 4, 6),
    "U": (1, 2, 3),
    "O(1,1)": (2,), "O(1,2)": (3,), "O(1,3)": (4,), "O(2,2)": (4,),
    "H": (1, 2, 3, 4), "B": (1, 2, 3, 4), "S'": (1, 2, 3, 4), "B'": (1, 2, 3, 4), "S+": (1, 2, 3, 4, 5),
    "O+": (1, 2, 3),
}  # fmt: skip
PERMUTED: dict[str, tuple[int, tuple[tuple[int, ...], ...]]] = {
    "Perm(1)": (1, ()),
    "Perm(2)": (2, ()),
    "Perm(3)": (3, ()),
    "Perm(3, (0 1 2))": (3, ((1, 2, 0),)),
    "Perm(4, (0 1 2 3))": (4, ((1, 2, 3, 0),)),
    "Perm(4, (0 1)(2 3))": (4, ((1, 0, 3, 2),)),
    "Perm(4, (0 1 2), (1 2 3))": (4, ((1, 2, 0, 3), (0, 2, 3, 1))),
    "Perm(5, (0 1), (2 3 4))": (5, ((1, 0, 2, 3, 4), (0, 1, 3, 4, 2))),
}
"""The points, and the images of the generators."""
GRAPHS: dict[str, tuple[int, tuple[tuple[tuple[int, int], ...], ...]]] = {
    "Aut(1)": (1, ()),
    "Aut(2, 0-1)": (2, (((0, 1), (1, 0)),)),
    "Aut(3, 0-1 1-2)": (3, (((0, 1), (1, 0), (1, 2), (2, 1)),)),
    "Aut(3, 0->1 1->2 2->0)": (3, (((0, 1), (1, 2), (2, 0)),)),
    "Aut(4, 0-1 1-2)": (4, (((0, 1), (1, 0), (1, 2), (2, 1)),)),
    "Aut(4, 0-1 0-3 1-2 2-3)": (4, (((0, 1), (1, 0), (1, 2), (2, 1), (2, 3), (3, 2), (3, 0), (0, 3)),)),
    "Aut(4, 0-1 2-3, 0-3 1-2)": (4, (((0, 1), (1, 0), (2, 3), (3, 2)), ((0, 3), (3, 0), (1, 2), (2, 1)))),
    "Aut(5, 0-1 0-4 1-2 2-3 3-4)": (
        5, (((0, 1), (1, 0), (1, 2), (2, 1), (2, 3), (3, 2), (3, 4), (4, 3), (4, 0), (0, 4)),)
    ),
}  # fmt: skip
"""The points, and the edges of each kind, both ways where they have no direction."""
ORBITAL = PERMUTED | GRAPHS
CASES = [Case(family, size) for family, sizes in SIZES.items() for size in sizes]
CASES += [Case(family, size) for family, (size, _) in ORBITAL.items()]
each = pytest.mark.parametrize("case", CASES, ids=lambda case: case.text)


def arrow(source: str, target: str, channels: tuple[int, int] = (1, 1)) -> str:
    """A type from letters."""
    words = (" @ ".join(letter.replace("D", "V'") for letter in word) or "1" for word in (source, target))
    return " -> ".join(f"{word}[{c}]" for word, c in zip(words, channels, strict=True))


def layer_of(
    case: Case, source: str, target: str, term: str = "all", channels: tuple[int, int] = (1, 1)
) -> Layer | None:
    """The layer, None where there is none: there must be no map then."""
    try:
        found = catnn.parse(f"space V : {case.text}  layer f : {arrow(source, target, channels)} = {term}")["f"]
    except catnn.CatnnError as error:
        if [fault.code for fault in error.diagnostics] == ["E0601"]:
            return None
        raise
    assert isinstance(found, Layer)
    return found


# ------------------------------------------------------------------------------------------------------ the commutant


@cache
def generators(case: Case) -> Rep:
    """A group by generators that catnn knows nothing of."""
    n, minus = case.size, -np.eye(case.size)
    swap, cycle = permutations(n)[0]
    match case.family:
        case "S":
            return permutations(n)
        case "A":
            return [np.eye(n), *(np.eye(n)[[1, i, *range(2, i), 0, *range(i + 1, n)]] for i in range(2, n))], []
        case "S'":
            return [swap, cycle, minus], []
        case "H":
            return [swap, cycle, np.diag([-1.0] + [1.0] * (n - 1))], []
        case "O":
            return rotations(n, reflections=True)
        case "SO":
            return rotations(n)
        case "Sp":
            return preserving(np.kron(np.eye(n // 2), np.array([[0.0, 1], [-1, 0]])), [])
        case "U":
            return unitary(n)
        case "B" | "B'":
            # maps of the plane of vectors of sum zero: a basis of it, then its rotations and a reflection
            q, _ = np.linalg.qr(np.concatenate((np.ones((n, 1)), np.eye(n)[:, : n - 1]), 1))
            inner, algebra = rotations(n - 1, reflections=True) if n > 1 else ([np.eye(0)], [])
            fixed = [q @ np.block([[np.eye(1), np.zeros((1, n - 1))], [np.zeros((n - 1, 1)), g]]) @ q.T for g in inner]
            still = [q @ np.block([[np.zeros((1, n))], [np.zeros((n - 1, 1)), a]]) @ q.T for a in algebra]
            return [*fixed, *([minus] if case.family == "B'" else [])], still
        case family if family in ORBITAL:
            return [np.eye(n)[:, list(image)].T for image in images(case)], []
        case family:
            p, q_ = (int(x) for x in family[2:-1].split(","))
            both = [np.diag([-1.0] + [1.0] * (n - 1)), np.diag([1.0] * (n - 1) + [-1.0])]
            return preserving(np.diag([1.0] * p + [-1.0] * q_), both)


def images(case: Case) -> list[tuple[int, ...]]:
    """Generators of a group of permutations, or all its elements: those that keep every kind of edge."""
    if case.family in PERMUTED:
        return list(PERMUTED[case.family][1]) or [tuple(range(case.size))]
    kinds = [set(edges) for edges in GRAPHS[case.family][1]]
    return [g for g in orders_of(range(case.size)) if all({(g[i], g[j]) for i, j in e} == e for e in kinds)]


def written_out(case: Case) -> set[tuple[int, ...]]:
    """All elements of a group of permutations, as images."""
    found, pending = {tuple(range(case.size))}, [tuple(range(case.size))]
    while pending:
        g = pending.pop()
        for h in (tuple(one[i] for i in g) for one in images(case)):
            if h not in found:
                found.add(h)
                pending.append(h)
    return found


def representation(case: Case, word: str) -> Rep:
    """The group on a word."""
    rep = generators(case)
    found = power(rep, 0)
    for letter in word:
        found = times(found, dual(rep) if letter == "D" else rep)
    return found


def quantum(case: Case, m: int) -> int:
    """The moments of the character: free Poisson for S+(n), n >= 4, the semicircle for O+(n), n >= 2."""
    angles = (np.arange(2000) + 0.5) * np.pi / 2000
    semicircle = (2 / np.pi) * np.sin(angles) ** 2  # of x = 2 cos, times the width of an angle
    values = 2 * np.cos(angles) if case.family == "O+" else (2 * np.cos(angles)) ** 2
    return round(float((values**m * semicircle).sum() * np.pi / 2000))


def commutant(case: Case, source: str, target: str) -> int:
    """The dimension of the equivariant maps."""
    classical = {("S+", 1): "S", ("S+", 2): "S", ("S+", 3): "S", ("O+", 1): "O"}.get((case.family, case.size))
    if classical:
        return commutant(Case(classical, case.size), source, target)
    if case.family in ("S+", "O+"):
        return quantum(case, len(source) + len(target))
    return nullity(case, source, target)


@cache
def nullity(case: Case, source: str, target: str) -> int:
    """By the nullspace; wires bend, so that it depends on all the ports alone."""
    if source and not case.oriented:
        return nullity(case, "", source + target)
    if source:
        return nullity(case, "", "".join("VD"[letter == "V"] for letter in source) + target)
    return dimension(representation(case, ""), representation(case, target))


@each
def test_the_diagrams_of_all_are_a_basis_of_the_commutant(case: Case) -> None:
    """Each is in it, they are independent, and there are as many as its dimension."""
    check_basis(case, case.orders(4))


@pytest.mark.slow
@each
def test_the_same_with_more_ports(case: Case) -> None:
    check_basis(case, case.orders()[len(case.orders(4)) :])


def check_basis(case: Case, orders: list[tuple[str, str]]) -> None:
    """The diagrams of `all` between these words against the commutant."""
    for source, target in orders:
        layer = layer_of(case, source, target)
        found = commutant(case, source, target)
        assert catnn.dim(case.text, *(spelt(case, word) for word in (source, target))) == found, (source, target)
        matrices = [d.matrix() for d in layer.diagrams] if layer else []
        assert len(matrices) == found, (source, target)
        if not matrices:
            continue
        flat = np.stack([m.reshape(-1) for m in matrices]).astype(float)
        assert np.linalg.matrix_rank(flat @ flat.T) == found, (source, target)
        if case.family not in ("S+", "O+"):
            (below, inner), (above, outer) = (representation(case, word) for word in (source, target))
            for one, other in zip((*below, *inner), (*above, *outer), strict=True):
                assert all(np.allclose(m @ one, other @ m, atol=1e-9) for m in matrices), (source, target)


def spelt(case: Case, word: str) -> int | str:
    """A word as `catnn.dim` takes it."""
    return " ".join(letter.replace("D", "V'") for letter in word) if case.oriented else len(word)


def test_bent_wires_change_no_dimension() -> None:
    """What `nullity` relies on, by the nullspace at every split."""
    for case in (
        Case("S", 3),
        Case("SO", 3),
        Case("Sp", 2),
        Case("O(1,2)", 3),
        Case("H", 3),
        Case("B'", 3),
        Case("U", 2),
    ):
        for source, target in case.orders(4):
            sides = representation(case, source), representation(case, target)
            assert dimension(*sides) == nullity(case, source, target), (case, source, target)


# ---------------------------------------------------------------------------------------------------------- the layers


def modules(case: Case, ports: range) -> list[tuple[Layer, Any]]:
    """Every layer of `all` and `bias` with so many ports, its weights random."""
    found = []
    for source, target in case.orders(ports.stop - 1):
        if len(source + target) not in ports:
            continue
        whole, bias = layer_of(case, source, target), layer_of(case, "", target)
        terms = [term for term, there in (("all", whole), ("bias", bias)) if there]
        layer = layer_of(case, source, target, " + ".join(terms), (2, 2)) if terms else None
        if layer:
            found.append((layer, module_of(layer, {})))
    return found


def compare(layer: Layer, module: Any) -> None:
    """Forward and gradient, for the input and every weight."""
    xs = tuple(x.requires_grad_() for x in inputs(layer, {}, (2,)))
    values = (*xs, *module.parameters())
    (found,), (wanted,) = call(module, xs), definition(layer, module, xs, {})
    torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-9)
    other = torch.randn(found.shape, generator=torch.Generator().manual_seed(3), dtype=found.dtype)
    ours, theirs = (torch.autograd.grad((y * other).sum().real, values, allow_unused=True) for y in (found, wanted))
    for one, two in zip(ours, theirs, strict=True):
        if one is None or two is None:
            assert not any(g is not None and bool(g.any()) for g in (one, two))
        else:
            torch.testing.assert_close(one, two, rtol=1e-9, atol=1e-9)


def defect(layer: Layer, module: Any, element: Matrix) -> float:
    """How far the module is from commuting with a matrix."""
    g = torch.as_tensor(element, dtype=torch.complex128 if layer.is_complex else torch.float64)
    bent = g.conj()  # of a unitary matrix the inverse transpose, too

    def act(x: Tensor, word: Any) -> Tensor:
        for axis, wire in enumerate(word, 1):
            x = torch.tensordot(bent if wire.dual else g, x, ([1], [axis])).movedim(0, axis)
        return x

    (x,) = inputs(layer, {}, (2,))
    with torch.no_grad():
        moved, wanted = module(act(x, layer.source.words[0])), act(module(x), layer.target.words[0])
    return float((moved - wanted).abs().max() / (1 + wanted.abs().max()))


def outside(case: Case) -> dict[str, Matrix]:
    """Elements of larger groups that are not in this one."""
    n = case.size
    eye = np.eye(n)
    flip = np.diag([-1.0] + [1.0] * (n - 1))
    turn = FAMILIES["O"].random_element(n, 5) if n > 1 else -eye
    found = {"twice the identity": 2 * eye}
    match case.family:
        case "S" | "S+" | "B":
            found |= {"minus one": -eye}
            found |= {"a change of sign": flip, "a rotation": turn} if n > 1 else {}
        case "A":
            found |= {"minus one": -eye}
            found |= {"a transposition": eye[[1, 0, *range(2, n)]]} if n > 1 else {}
        case "SO":
            found |= {"a reflection": flip} if n < 5 else {}  # of SO(5) see below
            found |= {"a shear": eye + np.triu(np.ones((n, n)), 1)} if n > 1 else {}
        case "S'" | "B'" if n > 1:
            found |= {"a rotation": turn, "a change of sign": flip}
        case "H" if n > 1:
            found |= {"a rotation": turn}
        case "Sp":
            found |= {"a reflection": flip} | ({"a rotation": turn} if n > 2 else {})
        case "U":
            found |= {"a complex shear": eye + 1j * np.triu(np.ones((n, n)), 1)} if n > 1 else {}
        case "O" | "O+" if n > 1:
            found |= {"a shear": eye + np.triu(np.ones((n, n)), 1)}
        case family if family in ORBITAL:
            found |= {"minus one": -eye} | ({"a rotation": turn} if n > 1 else {})
            inside = written_out(case)
            others = (g for g in orders_of(range(n)) if g not in inside)
            found |= {f"the permutation {g}": eye[list(g)] for g in others}
        case family if family.startswith("O("):
            found |= {"a rotation": turn}
    if case.family in ("S", "S+") and n > 2:
        found |= {"an orthogonal map that fixes the ones": FAMILIES["B"].random_element(n, 5)}
    return found


def check_layers(case: Case, ports: range) -> None:
    """Definition, gradient, equivariance of every layer; elements outside the group are told from it by some layer."""
    strangers = outside(case) if 0 in ports else {}
    seen = dict.fromkeys(strangers, 0.0)
    elements = [FAMILIES[case.family].random_element(case.size, seed) for seed in range(3 if strangers else 1)]
    for layer, module in modules(case, ports):
        compare(layer, module)
        for element in elements:
            assert defect(layer, module, element) < 1e-8, f"{layer}"
        for name, element in strangers.items():
            seen[name] = max(seen[name], defect(layer, module, element))
    assert {name: value for name, value in seen.items() if not value > 1e-3} == {}


def few(case: Case) -> int:
    """Ports enough to tell the group from larger ones: four for the epsilon of SO(4) and for even blocks."""
    if case.family == "U":
        return 2
    return 4 if case.family in ("A", "SO", "H", "S'", "O+", "B'") and case.size > 1 else 3


@each
def test_layers_of_few_ports(case: Case) -> None:
    check_layers(case, range(few(case) + 1))


def test_a_reflection_is_outside_the_rotations_of_five_axes() -> None:
    """The epsilon of SO(5) needs five ports, more than the others are tried with."""
    layer = catnn.parse("space V : SO(5)  layer f : V^3 -> V^2 = all")["f"]
    assert isinstance(layer, Layer)
    module = module_of(layer, {})
    assert defect(layer, module, FAMILIES["SO"].random_element(5, 1)) < 1e-8
    assert defect(layer, module, np.diag([-1.0, 1, 1, 1, 1])) > 1e-3


@pytest.mark.slow
@each
def test_layers_of_more_ports(case: Case) -> None:
    check_layers(case, range(few(case) + 1, 6 if case.size <= 2 else MOST_PORTS + 1))
