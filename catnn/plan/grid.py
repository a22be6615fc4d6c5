"""Products of whole hom-spaces: every row meets every column in every order, so their tables need not be written out.

The weights of a level are one slice in the order (output half, input half, permutation); a `Grid` says where it starts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from catnn.category.basis import Basis
from catnn.category.half import Half
from catnn.category.halves import level_key
from catnn.category.wires import Word
from catnn.model import Layer
from catnn.plan.moves import full
from catnn.plan.plan import Block, Column, Grid, Product, Row


def is_whole(layer: Layer) -> bool:
    """Whether the weights of a layer are those of whole hom-spaces."""
    mean = layer.reduce == "mean"
    return all(pair.mean == mean if isinstance(pair, Basis) else not pair for row in layer.weighted for pair in row)


@dataclass(frozen=True, slots=True)
class _Part:
    """A level of one pair of summands."""

    out: int
    in_: int
    outputs: tuple[Half, ...]
    inputs: tuple[Half, ...]
    sigmas: tuple[tuple[int, ...], ...]
    start: int


def grid_products(layer: Layer) -> tuple[Product, ...]:
    """The products of a layer whose weights are whole hom-spaces, in the order and form of `catnn.plan.build`."""
    return tuple(_product(word, parts) for (word, _), group in _groups(layer) for parts in _components(group))


def _groups(layer: Layer) -> list[tuple[tuple[Word, int], list[_Part]]]:
    """The parts by level; a whole target is by itself, behind the others."""
    found: dict[tuple[Word, int], list[_Part]] = {}
    for out, row in enumerate(layer.weighted):
        top = full(layer.target.words[out])
        for in_, basis in enumerate(row):
            assert isinstance(basis, Basis) or not basis
            for level in basis.levels if isinstance(basis, Basis) else ():
                key = (level.word, out if level.outputs == (top,) else -1)
                part = _Part(out, in_, level.outputs, level.inputs, level.sigmas, level.start)
                found.setdefault(key, []).append(part)
    return sorted(found.items(), key=lambda pair: (level_key(pair[0][0]), pair[0][1]))


def _components(parts: list[_Part]) -> Iterator[list[_Part]]:
    """Parts that share neither a target nor a source summand, in order of first appearance."""
    pending = list(parts)
    while pending:
        group, pending = [pending[0]], pending[1:]
        while True:
            outs, ins = {p.out for p in group}, {p.in_ for p in group}
            more = [p for p in pending if p.out in outs or p.in_ in ins]
            if not more:
                break
            group += more
            pending = [p for p in pending if p not in more]
        yield sorted(group, key=lambda p: (p.out, p.in_))


def _product(word: Word, parts: list[_Part]) -> Product:
    rows: dict[int, tuple[Half, ...]] = {}
    columns: dict[int, tuple[Half, ...]] = {}
    for part in sorted(parts, key=lambda p: p.in_):
        rows[part.in_] = part.inputs
    for part in parts:
        columns[part.out] = part.outputs
    rows_at, columns_at = _places(rows), _places(columns)
    blocks = tuple(Block(columns_at[p.out], rows_at[p.in_], p.start) for p in parts)
    return Product(
        word,
        tuple(Row(i, half) for i, halves in rows.items() for half in halves),
        tuple(Column(o, half) for o, halves in columns.items() for half in halves),
        parts[0].sigmas,
        (),
        Grid(blocks, len(parts[0].sigmas)),
    )


def _places(side: dict[int, tuple[Half, ...]]) -> dict[int, range]:
    found, start = {}, 0
    for summand, halves in side.items():
        found[summand] = range(start, start + len(halves))
        start += len(halves)
    return found
