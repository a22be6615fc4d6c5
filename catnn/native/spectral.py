"""Products in the Fourier basis of S_p as instructions, and what becomes of their weights (`catnn.plan.fourier`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from catnn.category.spectrum import Spectrum
from catnn.native.matrix import Factor, Matrix, Strip
from catnn.native.products import meet, multiply
from catnn.native.table import Pieces, Program, View
from catnn.plan.plan import Sigma


@dataclass(frozen=True, slots=True)
class Form:
    """The blocks of a product; matrices: of each, by shape; values: the buffer of the entries of their basis."""

    blocks: Spectrum
    matrices: tuple[Matrix, ...]
    values: int

    @property
    def spans(self) -> Iterator[tuple[int, int, int, Matrix]]:
        """For each shape where its rows begin, how many parts it has, how many tableaux, and its matrix."""
        found = self.blocks.spans
        starts = accumulate((m * f for m, f in found), initial=0)
        return ((start, m, f, matrix) for start, (m, f), matrix in zip(starts, found, self.matrices, strict=False))


def turned(matrix: Matrix, blocks: Spectrum, sigmas: Sequence[Sigma]) -> tuple[Matrix, ...]:
    """The matrices of the blocks: what the permutations make of the weights.

    matrix: for each permutation all rows, and the columns; those made here have the rows and columns for each tableau.
    """
    rows, columns = len(matrix.pieces) // len(sigmas), len(matrix.widths)
    actions = [blocks.few.action(sigma) for sigma in sigmas]
    alike: dict[Strip, list[tuple[int, tuple[tuple[int, Factor], ...]]]] = defaultdict(list)
    for strip in matrix.strips:
        sigma, row = divmod(strip.piece, rows)
        alike[replace(strip, piece=row, terms=())].append((sigma, strip.terms))
    found = []
    for at, (_, size) in enumerate(blocks.spans):
        strips = list[Strip]()
        for strip, given in alike.items():
            for a in range(size):
                for b in range(size):
                    terms = tuple(
                        (offset, float(factor) * actions[sigma][at][a][b])
                        for sigma, several in given
                        for offset, factor in several
                        if actions[sigma][at][a][b]
                    )
                    if terms:
                        piece, column = b * rows + strip.piece, a * columns + strip.column
                        strips.append(replace(strip, piece=piece, column=column, terms=terms))
        found.append(Matrix(matrix.pieces[:rows] * size, matrix.widths * size, tuple(strips)))
    return tuple(found)


def change(program: Program, pieces: Pieces, form: Form) -> View:
    """The pieces side by side in the basis of the blocks, a row a vector; made once."""
    key = ("spectrum", form.blocks.p, form.blocks.n, tuple(pieces))
    if key not in program.kept:
        width = sum(channels for _, channels in pieces)
        result = _rows(program, form, width)
        start = 0
        for view, channels in pieces:
            rows = [
                (start + at * width, [(_place(view, word), value) for word, value in row])
                for at, row in enumerate(form.blocks.rows)
            ]
            program.combine(result, view, form.values, channels, rows, add=False)
            start += channels
        program.kept[key] = result
    return program.kept[key]


def mix(program: Program, pieces: Pieces, form: Form, columns: Sequence[int], target: View, *, add: bool) -> None:
    """target (+)= some columns of the product of the pieces, block by block."""
    depth = sum(channels for _, channels in pieces)
    count = len(form.matrices[0].widths) // form.blocks.spans[0][1]
    width = form.matrices[0].width(columns)
    given, made = change(program, pieces, form), _rows(program, form, width)
    for start, parts, tableaux, matrix in form.spans:
        here, there = given.at(start * depth), made.at(start * width)
        piece = View(here.buffer, here.offset, (tableaux * depth,))
        chosen = [a * count + column for a in range(tableaux) for column in columns]
        multiply(program, there, [(piece, tableaux * depth)], (parts,), matrix, chosen, add=False)
    found: dict[tuple[int, ...], list[tuple[int, int]]] = defaultdict(list)
    for at, row in enumerate(form.blocks.rows):
        for word, value in row:
            found[word].append((at * width, value))
    rows = [(_place(target, word), pairs) for word, pairs in sorted(found.items())]
    program.combine(target, made, form.values, width, rows, add=add)


def outer(program: Program, left: Pieces, right: Pieces, form: Form) -> None:
    """The gradient of the weights += for each block left^T right; the matrices are those of the gradients."""
    width, depth = (sum(channels for _, channels in side) for side in (left, right))
    one, other = change(program, left, form), change(program, right, form)
    for start, parts, tableaux, matrix in form.spans:
        here = View(one.buffer, one.offset + start * width, (tableaux * width,))
        there = View(other.buffer, other.offset + start * depth, (tableaux * depth,))
        meet(program, [(here, tableaux * width)], [(there, tableaux * depth)], (parts,), matrix)


def _rows(program: Program, form: Form, width: int) -> View:
    return program.fresh((form.blocks.n**form.blocks.p,), width)


def _place(view: View, word: tuple[int, ...]) -> int:
    return sum(index * stride for index, stride in zip(word, view.strides, strict=True))
