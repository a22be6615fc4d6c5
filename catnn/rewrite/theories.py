"""The built-in theories: laws that hold without being declared, as data.

Spiders that meet fuse, bends straighten and loops are factors by the very form of a hypergraph, and sums are sums; so
what is left are the laws of boxes: what a declaration promises, what generators stand for where they are kept as
boxes, and the two forms that change signs, the bends of Sp(n) and the Levi-Civita tensor.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import combinations, permutations

from catnn.category.scalar import ONE, Scalar
from catnn.category.wires import Wire
from catnn.hypergraph.box import Box, form, structure
from catnn.hypergraph.graph import Hypergraph, Node, identity, single, spider, tensor_all
from catnn.hypergraph.graph import permutation as permuted
from catnn.hypergraph.linear import Combination, combination, lift
from catnn.rewrite.rule import Law, Rule
from catnn.rewrite.sketch import values

FROBENIUS = (
    ("merge", 2, 1),  # merge = spider[2,1]; so associative, commutative, and special with copy
    ("copy", 1, 2),  # copy = spider[1,2]
    ("unit", 0, 1),  # unit = spider[0,1]
    ("discard", 1, 0),  # discard = spider[1,0]
)

COMPACT = (
    ("ev", 2, 0),  # ev = spider[2,0]; so (coev @ id) ; (id @ ev) = id
    ("coev", 0, 2),  # coev = spider[0,2]
)

SNAKES = (
    ("snake", (0, 1), (0, 1), -1),  # (coev @ id) ; (id @ ev) = -id, since Omega Omega = -1
    ("snake back", (1, 0), (1, 0), -1),  # (id @ coev) ; (ev @ id) = -id
    ("snake over", (1, 0), (0, 1), 1),  # the same with one bend crossed: Omega' Omega = 1
    ("snake under", (0, 1), (1, 0), 1),  # Omega Omega' = 1
)
"""Sp(n): (name, the legs of coev that leave and meet, the legs of ev that meet and arrive, sign)."""

ISOMETRIES = (
    ("isometry", False),  # W ; W' = id
    ("coisometry", True),  # W' ; W = id
)

MOST_LEGS = 4
"""Up to so many legs two Levi-Civita tensors are multiplied out, into n! terms."""


def generators(wire: Wire) -> tuple[Rule, ...]:
    """The Frobenius and the compact structure of a wire, where its generators are kept as boxes.

    >>> from catnn.category.wires import Group
    >>> [rule.name for rule in generators(Wire("V", Group("S", "n")))]
    ['merge', 'copy', 'unit', 'discard', 'ev', 'coev']
    """
    found = []
    for name, k, l in FROBENIUS + COMPACT:
        box = generator(name, wire)
        found.append(Rule(name, single(box), lift(spider(wire, k, l)), law=f"{name} = spider[{k},{l}]"))
    return tuple(found)


def generator(name: str, wire: Wire) -> Box:
    """A generator of a wire, kept as a box."""
    k, l = next((k, l) for known, k, l in FROBENIUS + COMPACT if known == name)
    return Box(name, (wire,) * k, (wire,) * l, "generator")


def promises(box: Box) -> tuple[Rule, ...]:
    """What the declaration of a box promises of its dagger; that legs may be exchanged is in its canonical form.

    >>> from catnn.category.wires import Group
    >>> V = Wire("V", Group("S", "n"))
    >>> print(*promises(Box("Q", (V,), (V,), adjoint="unitary")), sep=", ")
    isometry Q : Q ; Q' => [i -> i], coisometry Q : Q' ; Q => [i -> i]
    """
    if box.adjoint not in ("isometry", "unitary"):
        return ()
    plain = box.dagger() if box.turned else box
    found = []
    for name, turned in ISOMETRIES[: 1 if box.adjoint == "isometry" else 2]:
        first = plain.dagger() if turned else plain
        left = single(first) >> single(first.dagger())
        law = f"{first.label} ; {first.dagger().label} = id"
        found.append(Rule(f"{name} {plain.name}", left, lift(identity(first.source)), law=law))
    return tuple(found)


@lru_cache(maxsize=64)
def symplectic(wire: Wire) -> tuple[Rule, ...]:
    """The bends of Sp(n): a wire that turns twice is straight again, up to a sign; a loop is n, up to a sign."""
    ev, coev = form("ev", wire), form("coev", wire)
    found = []
    for name, (out, met), (meets, in_), sign in SNAKES:
        first, second = [0, 0], [0, 0]
        first[out], first[met] = 1, 2
        second[meets], second[in_] = 2, 0
        nodes = (Node(coev, (), tuple(first)), Node(ev, tuple(second), ()))
        left = Hypergraph((wire,), (wire,), (wire, wire, wire), nodes, (0,), (1,))
        found.append(Rule(f"{name} {wire}", left, lift(identity((wire,))) * sign, law=f"{name} of {wire.group}"))
    for name, order, sign in (("loop", (0, 1), 1), ("crossed loop", (1, 0), -1)):
        nodes = (Node(coev, (), (0, 1)), Node(ev, order, ()))
        left = Hypergraph((), (), (wire, wire), nodes, (), ())
        value = lift(identity(())) * (Scalar.size(wire.group.size) * Scalar.of(sign))
        found.append(Rule(f"{name} {wire}", left, value, law=f"{name} of {wire.group}"))
    for box in (ev, coev):
        legs = box.source or box.target
        turned = permuted(legs, (1, 0))
        left = turned >> single(box) if box.source else single(box) >> turned
        found.append(
            Rule(f"{box.name} {wire} turned", left, lift(single(box)) * -1, oriented=False, law="Omega' = -Omega")
        )
    return tuple(found)


@lru_cache(maxsize=64)
def levi_civita(wire: Wire) -> tuple[Rule, ...]:
    """The Levi-Civita tensor: 0 where two of its legs meet; two of them are a determinant of deltas.

    In A(n) it is 0, too, where two legs are summed, and a vertex beside it is one of those at its legs, since these
    have all the values there are.  Source: the relations of jellyfish, Comes 2020.
    """
    eps = form("eps", wire)
    found = []
    for box in (eps, eps.dagger()):
        pairs = tuple(combinations(range(len(eps.target)), 2))
        found += [_repeated(box, a, b) for a, b in pairs]
        found += [_exchanged(box, a) for a in range(len(eps.target) - 1)]
        if structure(wire) == "spider":
            found += [_discarded(box, a, b) for a, b in pairs]
            found.append(_spread(box))
    if len(eps.target) <= MOST_LEGS:
        found += [_determinant(eps, turned) for turned in (0, 1, 2)]
    return tuple(found)


def _exchanged(box: Box, a: int) -> Rule:
    """eps with legs a and a + 1 exchanged is -eps."""
    word = box.source or box.target
    order = tuple({a: a + 1, a + 1: a}.get(at, at) for at in range(len(word)))
    left = permuted(word, order) >> single(box) if box.source else single(box) >> permuted(word, order)
    name = f"{box.label} {word[0]} {a},{a + 1} exchanged"
    return Rule(name, left, lift(single(box)) * -1, oriented=False, law="an alternating tensor changes its sign")


def _ended(box: Box, rest: tuple[int, ...], vertices: int) -> Hypergraph:
    """eps with a leg on each of the first vertices, where the vertices of a row are open."""
    wire, row = (box.source or box.target)[0], tuple(range(len(box.source or box.target)))
    word, wires = (wire,) * len(rest), (wire,) * vertices
    if box.source:
        return Hypergraph(word, (), wires, (Node(box, row, ()),), rest, ())
    return Hypergraph((), word, wires, (Node(box, (), row),), (), rest)


def _discarded(box: Box, a: int, b: int) -> Rule:
    """eps with legs a and b summed is 0."""
    word = box.source or box.target
    rest = tuple(at for at in range(len(word)) if at not in (a, b))
    left = _ended(box, rest, len(word))
    zero = combination(left.source, left.target, ())
    law = "an alternating tensor with two summed legs is 0"
    return Rule(f"{box.label} {word[0]} {a},{b} summed", left, zero, law=law)


def _spread(box: Box) -> Rule:
    """eps @ unit = the sum over all legs of eps with the unit's wire at that leg."""
    word = box.source or box.target
    n = len(word)
    left = _ended(box, tuple(range(n + 1)), n + 1)
    terms = [(ONE, _ended(box, (*range(n), at), n)) for at in range(n)]
    right = combination(left.source, left.target, terms)
    law = "the legs of an alternating tensor have all values there are"
    return Rule(f"{box.label} {word[0]} spread", left, right, oriented=False, law=law)


def _repeated(box: Box, a: int, b: int) -> Rule:
    """eps with legs a and b joined is 0."""
    word = box.source or box.target
    legs = [at if at < b else at - 1 for at in range(len(word))]
    legs[b] = a
    row = tuple(legs)
    shared = structure(word[0]) == "spider"  # then the two legs may meet others
    open_ = tuple(leg for at, leg in enumerate(row) if at != b and (shared or at != a))
    rest = word[1:] if shared else word[2:]
    node = Node(box, row, ()) if box.source else Node(box, (), row)
    ends = (rest, (), open_, ()) if box.source else ((), rest, (), open_)
    left = Hypergraph(ends[0], ends[1], (word[0],) * (len(word) - 1), (node,), ends[2], ends[3])
    zero = combination(ends[0], ends[1], ())
    return Rule(f"{box.label} {word[0]} {a}={b}", left, zero, law="an alternating tensor with two equal indices is 0")


def _determinant(eps: Box, turned: int) -> Rule:
    """eps @ eps = sum over q of sgn(q) prod delta(i, q(i)); the last `turned` of the two upside down."""
    wire, n = eps.target[0], len(eps.target)
    boxes = [eps.dagger() if at < turned else eps for at in range(2)]
    left = tensor_all([single(box) for box in boxes])
    terms = []
    for order in permutations(range(n)):
        sign = -1 if sum(a > b for i, a in enumerate(order) for b in order[i + 1 :]) % 2 else 1
        rows = (tuple(range(n)), order)
        ins = tuple(v for row, box in zip(rows, boxes, strict=True) if box.source for v in row)
        outs = tuple(v for row, box in zip(rows, boxes, strict=True) if box.target for v in row)
        terms.append((ONE * Scalar.of(sign), Hypergraph(left.source, left.target, (wire,) * n, (), ins, outs)))
    right = combination(left.source, left.target, terms)
    shown = " @ ".join(box.label for box in boxes)
    return Rule(f"{shown} {wire}", left, right, law=f"{shown} = the sum of sgn(q) delta(i, q(i))")


def builtin(*values: Combination, laws: Iterable[Law] = ()) -> tuple[Rule, ...]:
    """The laws of the boxes that stand in some values, and of those that other laws make of them."""
    found = dict.fromkeys(box for value in values for _, graph in value.weighted for box in graph.boxes)
    waiting = [sides(law) for law in laws]
    while True:
        met = [pair for pair in waiting if any(found.keys() >= {*side} for side in pair)]
        if not met:
            return laws_of_boxes(found)
        found |= dict.fromkeys(box for pair in met for side in pair for box in side)
        waiting = [pair for pair in waiting if pair not in met]


def sides(law: Law) -> tuple[list[Box], list[Box]]:
    """The boxes on the two sides of a law."""
    rows = ([lift(law.left)], [law.right]) if isinstance(law, Rule) else (values(law.left), values(law.right))
    left, right = ([box for value in row for _, graph in value.weighted for box in graph.boxes] for row in rows)
    return left, right


def boxes_of(law: Law) -> list[Box]:
    """The boxes of a law."""
    left, right = sides(law)
    return left + right


def laws_of_boxes(boxes: Iterable[Box]) -> tuple[Rule, ...]:
    """The laws of some boxes, each once."""
    found: dict[str, Rule] = {}
    for box in boxes:
        laws = promises(box)
        if box.kind == "form":
            wire = (*box.source, *box.target)[0]
            laws = levi_civita(wire) if box.name == "eps" else symplectic(wire)
        elif box.kind == "generator":
            laws = generators((*box.source, *box.target)[0])
        for law in laws:
            found.setdefault(law.name, law)
    return tuple(found.values())
