"""The numbers of a hypergraph, exactly and without numpy: for counterexamples, and to test rules against.

A tensor is a dict from the indices of its legs, outputs first, to its entries that are not 0.  Boxes are joined one
after the other, and an index is summed as soon as nothing needs it any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations, product

from catnn.category.families import FAMILIES
from catnn.category.family import Part
from catnn.category.sizes import length
from catnn.category.wires import Wire
from catnn.hypergraph.box import Box, structure
from catnn.hypergraph.graph import Hypergraph
from catnn.hypergraph.linear import Combination

Number = int | Fraction
Tensor = dict[tuple[int, ...], Number]
Factor = tuple[tuple[int, ...], Tensor]

MOST_ENTRIES = 20_000
"""No tensor on the way has more entries."""

MOST_PRODUCTS = 10_000_000
"""So many products of entries are made at most: ten seconds."""

STEP = 10
"""What it costs to begin with a tensor, in products of entries."""


class TooLarge(ValueError):  # noqa: N818
    """A diagram whose numbers are too many to be written out."""


@dataclass(slots=True)
class Meter:
    """How many products of entries may still be made; below 0 where there were more."""

    left: int

    def spend(self, products: int) -> None:
        """Take some.  Raises: TooLarge where there are none."""
        self.left -= products
        if self.left < 0:
            raise TooLarge("no work is left")


def entries(
    value: Combination, sizes: Mapping[str, int], tensors: Mapping[str, Tensor], meter: Meter | None = None
) -> Tensor:
    """The entries of a combination, by output indices and then input indices.

    sizes: by name; tensors: of the boxes by name, as they were declared; meter: how much work that may be.
    Raises: TooLarge.
    """
    total: Tensor = {}
    meter = meter or Meter(MOST_PRODUCTS)
    for coefficient, graph in value.weighted:
        factor: Number = coefficient.value(sizes)
        factor = factor if factor.denominator > 1 else factor.numerator  # integers are ten times as fast
        for index, entry in contract(graph, sizes, tensors, meter).items():
            total[index] = total.get(index, 0) + factor * entry
    return {index: entry for index, entry in total.items() if entry}


def contract(
    graph: Hypergraph, sizes: Mapping[str, int], tensors: Mapping[str, Tensor], meter: Meter | None = None
) -> Tensor:
    """The entries of one hypergraph.  Raises: TooLarge."""
    meter = meter or Meter(MOST_PRODUCTS)
    factors = [_factor((*n.outputs, *n.inputs), tensor_of(n.box, sizes, tensors)) for n in graph.nodes]
    for vertex, (wire, (into, out)) in enumerate(zip(graph.wires, graph.ends(), strict=True)):
        if into != out and (into, out) in ((2, 0), (0, 2)) and FAMILIES[wire.group.family].closing == "metric":
            factors.append(((vertex,), {(i,): sign for i, sign in enumerate(_metric(wire))}))
    open_ = (*graph.outs, *graph.ins)
    known: Factor = ((), {(): 1})
    while factors:
        at = max(range(len(factors)), key=lambda i: (len({*factors[i][0]} & {*known[0]}), -len(factors[i][1]), -i))
        other = factors.pop(at)
        meter.spend(len(known[1]) + len(other[1]) + STEP + len(factors) + len(open_))
        known = _join(known, other)
        meter.spend(len(known[1]))
        needed = {*open_, *(v for legs, _ in factors for v in legs)}
        known = _summed(known, needed)
    found = _opened(graph, known, sizes, open_)
    meter.spend(len(found) + STEP)
    return found


def _factor(legs: tuple[int, ...], tensor: Tensor) -> Factor:
    """A tensor over the different vertices at its legs: entries where equal ones disagree are left out."""
    distinct = tuple(dict.fromkeys(legs))
    found: Tensor = {}
    for index, entry in tensor.items():
        chosen = dict(zip(legs, index, strict=True))
        if all(chosen[v] == i for v, i in zip(legs, index, strict=True)):
            found[tuple(chosen[v] for v in distinct)] = entry
    return distinct, found


def _join(one: Factor, other: Factor) -> Factor:
    legs = tuple(dict.fromkeys((*one[0], *other[0])))
    shared = [v for v in other[0] if v in one[0]]
    at_one, at_other = [one[0].index(v) for v in shared], [other[0].index(v) for v in shared]
    rest = [i for i, v in enumerate(other[0]) if v not in one[0]]
    by_shared: dict[tuple[int, ...], list[tuple[tuple[int, ...], Number]]] = {}
    for index, entry in other[1].items():
        by_shared.setdefault(tuple(index[i] for i in at_other), []).append((tuple(index[i] for i in rest), entry))
    found: Tensor = {}
    for index, entry in one[1].items():
        for more, factor in by_shared.get(tuple(index[i] for i in at_one), ()):
            found[(*index, *more)] = entry * factor
        if len(found) > MOST_ENTRIES:
            raise TooLarge(f"more than {MOST_ENTRIES:,} entries")
    return legs, found


def _summed(factor: Factor, needed: set[int]) -> Factor:
    kept = [i for i, v in enumerate(factor[0]) if v in needed]
    if len(kept) == len(factor[0]):
        return factor
    found: Tensor = {}
    for index, entry in factor[1].items():
        key = tuple(index[i] for i in kept)
        found[key] = found.get(key, 0) + entry
    return tuple(factor[0][i] for i in kept), found


def _opened(graph: Hypergraph, known: Factor, sizes: Mapping[str, int], open_: tuple[int, ...]) -> Tensor:
    """The entries at every open end; vertices that no box touches run freely, closed ones count."""
    touched = {v for node in graph.nodes for v in (*node.inputs, *node.outputs)}
    loops = 1
    for vertex, wire in enumerate(graph.wires):
        if vertex not in touched and vertex not in open_:
            loops *= length(wire, sizes)
    free = [v for v in dict.fromkeys(open_) if v not in known[0]]
    found: Tensor = {}
    for index, entry in known[1].items():
        chosen = dict(zip(known[0], index, strict=True))
        for more in product(*(range(length(graph.wires[v], sizes)) for v in free)):
            whole = {**chosen, **dict(zip(free, more, strict=True))}
            key = tuple(whole[v] for v in open_)
            found[key] = found.get(key, 0) + entry * loops
            if len(found) > MOST_ENTRIES:
                raise TooLarge(f"more than {MOST_ENTRIES:,} entries")
    return found


def tensor_of(box: Box, sizes: Mapping[str, int], tensors: Mapping[str, Tensor]) -> Tensor:
    """The tensor of a box, upside down where it stands so."""
    if box.kind == "form":
        return _form(box, sizes)
    tensor = _orbit(box) if box.kind == "orbit" else tensors[box.name]
    if not box.turned:
        return tensor
    outputs = len(box.source)  # of the box as it was declared
    return {(*index[outputs:], *index[:outputs]): entry for index, entry in tensor.items()}


def _form(box: Box, sizes: Mapping[str, int]) -> Tensor:
    """`ev` and `coev` of Sp(n) are Omega, `eps` is the sign of a permutation."""
    wire = (*box.source, *box.target)[0]
    n = length(wire, sizes)
    if box.name == "eps":
        return {order: _sign(order) for order in permutations(range(n))}
    return {(i, i ^ 1): 1 if i % 2 == 0 else -1 for i in range(n)}


def _orbit(box: Box) -> Tensor:
    """The tuples of an orbit, as the box was declared."""
    plain = box.dagger() if box.turned else box
    inputs, _, outputs = plain.name[1:-1].partition("->")
    points = (*map(int, outputs.split()), *map(int, inputs.split()))
    wire = (*box.source, *box.target)[0]
    l, k = len(plain.target), len(plain.source)
    found: dict[int, list[int]] = {}
    for vertex, point in enumerate(points):
        found.setdefault(point, []).append(vertex)
    part = Part(l, k, tuple(sorted(tuple(block) for block in found.values())), points=points)
    assert isinstance(wire.group.size, int)
    dense = FAMILIES[wire.group.family].tensor(part, wire.group.size)
    return {tuple(int(i) for i in index): 1 for index in zip(*dense.nonzero(), strict=True)}


def _sign(order: tuple[int, ...]) -> int:
    inversions = sum(a > b for at, a in enumerate(order) for b in order[at + 1 :])
    return -1 if inversions % 2 else 1


def _metric(wire: Wire) -> list[int]:
    """The diagonal of the form of O(p,q)."""
    assert structure(wire) == "bend"
    p, q = (int(part) for part in wire.group.family[2:-1].split(","))
    return [1] * p + [-1] * q
