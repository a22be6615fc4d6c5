"""Every small way to spoil a plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import combinations, permutations
from typing import Any

from catnn.category.halves import level_permutations
from catnn.plan.moves import Move
from catnn.plan.plan import Plan, Product

Mutant = tuple[str, Plan]


def mutants(plan: Plan) -> Iterator[Mutant]:
    """Plans that differ from this one in a single place, each with what was done to it."""
    for side in ("reads", "writes"):
        for at, moves in enumerate(getattr(plan, side)):
            for what, changed in _sequence(moves, _move):
                yield f"{side}[{at}]{what}", replace(plan, **{side: _put(getattr(plan, side), at, changed)})
    for field, change in (("products", _product), ("directs", _direct), ("constants", _constant)):
        for what, changed in _sequence(getattr(plan, field), change):
            yield f"{field}{what}", replace(plan, **{field: changed})


def _put(items: tuple[Any, ...], at: int, *new: Any) -> tuple[Any, ...]:
    return (*items[:at], *new, *items[at + 1 :])


def _sequence(items: tuple[Any, ...], change: Any) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Drop one, say one twice, swap two, change one."""
    for at, item in enumerate(items):
        yield f"[{at}] dropped", _put(items, at)
        yield f"[{at}] twice", _put(items, at, item, item)
        if at:
            yield f"[{at - 1}, {at}] swapped", (*items[: at - 1], item, items[at - 1], *items[at + 1 :])
        for what, new in change(item):
            yield f"[{at}] {what}", _put(items, at, new)


def _move(move: Move) -> Iterator[tuple[str, Move]]:
    ports = range(len(move.fine.level))
    for op in ("diagonal", "sum", "trace", "form", "metric", "epsilon"):
        if op != move.op:
            yield f"op {op}", replace(move, op=op)
    for count in (1, 2):
        for axes in permutations(ports, count):
            if axes != move.axes:
                yield f"axes {axes}", replace(move, axes=axes)
    yield "mean", replace(move, mean=not move.mean)
    yield "fine and coarse", replace(move, fine=move.coarse, coarse=move.fine)


def _scale(scale: Any) -> Iterator[tuple[str, Any]]:
    yield "scale", () if scale else (("n", 1),)
    for at, (size, exponent) in enumerate(scale):
        yield f"scale of {size}", _put(scale, at, (size, exponent + 1))


def _permutations(sigma: tuple[int, ...], level: Any) -> Iterator[tuple[int, ...]]:
    yield from (other for other in level_permutations(level) if other != sigma)


def _product(product: Product) -> Iterator[tuple[str, Product]]:
    for s, sigma in enumerate(product.sigmas):
        for other in _permutations(sigma, product.level):
            yield f"sigma {other}", replace(product, sigmas=_put(product.sigmas, s, other))
    for field in ("rows", "columns", "sigmas"):
        items = getattr(product, field)
        for a, b in combinations(range(len(items)), 2):
            swapped = [items[{a: b, b: a}.get(at, at)] for at in range(len(items))]
            yield f"{field} {a} and {b}", replace(product, **{field: tuple(swapped)})
    for what, scale in _scale(product.scale):
        yield what, replace(product, scale=scale)
    for place, combination in product.entries.items():
        rest = {key: value for key, value in product.entries.items() if key != place}
        yield f"no entry {place}", replace(product, entries=rest)
        for at, (coefficient, index) in enumerate(combination):
            for new in ((coefficient + 1, index), (-coefficient, index), (coefficient, index + 1), (coefficient, 0)):
                if new != (coefficient, index):
                    changed = _put(combination, at, (Fraction(new[0]), new[1]))
                    yield f"entry {place} {new}", replace(product, entries={**product.entries, place: changed})
    for s, c, r in product.entries:
        other = (s, c, (r + 1) % len(product.rows))
        moved = {**product.entries, other: product.entries[s, c, r]}
        if moved != product.entries:
            yield f"entry {(s, c, r)} at {other}", replace(product, entries=moved)


def _direct(direct: Any) -> Iterator[tuple[str, Any]]:
    for sigma in _permutations(direct.sigma, direct.row.half.level):
        yield f"sigma {sigma}", replace(direct, sigma=sigma)
    for what, scale in _scale(direct.scale):
        yield what, replace(direct, scale=scale)
    yield "coefficient", replace(direct, coefficient=-direct.coefficient)


def _constant(constant: Any) -> Iterator[tuple[str, Any]]:
    yield "index", replace(constant, index=constant.index + 1)
