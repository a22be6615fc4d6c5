"""Products in the Fourier basis of S_p as instructions, and what becomes of their weights (`catnn.plan.fourier`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor

from catnn.category.spectrum import Spectrum
from catnn.native.program import Mix, Outer
from catnn.native.table import COMBINE, SCRATCH, Program, View, dense
from catnn.plan.plan import Sigma


@dataclass(frozen=True, slots=True)
class Form:
    """The blocks of a product; values: the number of the buffer that holds the entries of their basis."""

    blocks: Spectrum
    values: int

    @property
    def spans(self) -> list[tuple[int, int, int]]:
        """For each shape where its rows begin, how many parts it has, and how many tableaux."""
        found = self.blocks.spans
        starts = accumulate((m * f for m, f in found), initial=0)
        return [(start, m, f) for start, (m, f) in zip(starts, found, strict=False)]


Pieces = list[tuple[View, int]]


def change(program: Program, pieces: Pieces, form: Form) -> View:
    """The pieces side by side in the basis of the blocks, a row a vector; made once."""
    key = (form.blocks.p, form.blocks.n, tuple(pieces))
    if key not in program.spectra:
        width = sum(channels for _, channels in pieces)
        result = _rows(program, form, width)
        start = 0
        for view, channels in pieces:
            rows = [
                (start + at * width, [(_place(view, word), value) for word, value in row])
                for at, row in enumerate(form.blocks.rows)
            ]
            _combine(program, form, channels, result, view, rows, add=False)
            start += channels
        program.spectra[key] = result
    return program.spectra[key]


def mix(program: Program, pieces: Pieces, form: Form, width: int, weights: int, target: View, *, add: bool) -> None:
    """target (+)= the product of the pieces, block by block; weights: the buffer of those of the blocks."""
    depth = sum(channels for _, channels in pieces)
    given, made = change(program, pieces, form), _rows(program, form, width)
    offset = 0
    for start, parts, tableaux in form.spans:
        here = View(SCRATCH, given.offset + start * depth, (tableaux * depth,))
        there = View(SCRATCH, made.offset + start * width, (tableaux * width,))
        block = [(here, tableaux * depth)]
        program.product(there, block, (parts,), tableaux * width, weights, add=False, offset=offset)
        offset += tableaux**2 * depth * width
    columns: dict[tuple[int, ...], list[tuple[int, int]]] = defaultdict(list)
    for at, row in enumerate(form.blocks.rows):
        for word, value in row:
            columns[word].append((at * width, value))
    rows = [(_place(target, word), found) for word, found in sorted(columns.items())]
    _combine(program, form, width, View(target.buffer, target.offset, ()), made, rows, add=add)


def outer(program: Program, left: Pieces, right: Pieces, form: Form, gradient: int) -> None:
    """gradient += for each block left^T right: the gradient of the weights of the blocks."""
    width, depth = (sum(channels for _, channels in side) for side in (left, right))
    one, other = change(program, left, form), change(program, right, form)
    offset = 0
    for start, parts, tableaux in form.spans:
        here = [(View(SCRATCH, one.offset + start * width, (tableaux * width,)), tableaux * width)]
        there = [(View(SCRATCH, other.offset + start * depth, (tableaux * depth,)), tableaux * depth)]
        program.outer(gradient, here, there, (parts,), 1, offset=offset)
        offset += tableaux**2 * width * depth


def mixing(program: Program, form: Form, weights: int) -> Mix:
    """`mix` for a product that is not computed permutation by permutation; weights: the buffer of its blocks'."""

    def mixed(rows: Pieces, target: View, width: int, add: bool) -> None:
        mix(program, rows, form, width, weights, target, add=add)

    return mixed


def meeting(program: Program, form: Form, gradient: int) -> Outer:
    """`outer` likewise; gradient: the buffer of the gradient of the weights of the blocks."""

    def met(left: Pieces, right: Pieces) -> None:
        outer(program, left, right, form, gradient)

    return met


def _rows(program: Program, form: Form, width: int) -> View:
    view = dense(SCRATCH, (form.blocks.n**form.blocks.p,), width, program.scratch)
    program.scratch += form.blocks.n**form.blocks.p * width
    return view


def _place(view: View, word: tuple[int, ...]) -> int:
    return sum(index * stride for index, stride in zip(word, view.strides, strict=True))


def _combine(program: Program, form: Form, channels: int, target: View, source: View,
             rows: list[tuple[int, list[tuple[int, int]]]], *, add: bool) -> None:  # fmt: skip
    body: list[int] = []
    for place, pairs in rows:
        body += [place, len(pairs)]
        for at, value in pairs:
            body += [source.offset + at, value]
    head = [channels, form.values, target.buffer, target.offset, source.buffer, int(add), len(rows)]
    program.words += [COMBINE, 1 + len(head) + len(body), *head, *body]


# ----------------------------------------------------------------------------------------------------------- weights


class Turning:
    """The weights of a product and those of its blocks: what the permutations make of each."""

    def __init__(self, spectrum: Spectrum, sigmas: Sequence[Sigma]) -> None:
        self.spectrum = spectrum
        self.sizes = [f for _, f in spectrum.spans]
        actions = [spectrum.few.action(sigma) for sigma in sigmas]
        table = [
            [action[at][a][b] for action in actions]
            for at, size in enumerate(self.sizes)
            for a in range(size)
            for b in range(size)
        ]
        self.table = torch.tensor(table, dtype=torch.float64)
        self.values = torch.tensor(spectrum.values, dtype=torch.float64)

    def blocks(self, weight: Tensor, *, mirrored: bool) -> Tensor:
        """Packed weights (S, N, K) as those of the blocks, flat: each (f K, f N), or mirrored (f N, f K)."""
        _, width, depth = weight.shape
        across = weight.transpose(1, 2)
        lies = across.is_contiguous()  # as products read them: then they are not copied to be turned
        turned = self.table.to(weight.dtype) @ (across if lies else weight).flatten(1)
        result = weight.new_empty(turned.numel())
        at = 0
        for size in self.sizes:
            part = turned[at : at + size * size].view(size, size, *((depth, width) if lies else (width, depth)))
            part = part.transpose(2, 3) if lies else part
            part = part.permute((0, 2, 1, 3) if mirrored else (1, 3, 0, 2))
            place = slice(at * width * depth, (at + size * size) * width * depth)
            result[place].view(part.shape).copy_(part)
            at += size * size
        return result

    def gradient(self, blocks: Tensor, shape: torch.Size) -> Tensor:
        """The gradient of packed weights of a shape, from that of the blocks, mirrored."""
        _, width, depth = shape
        parts = torch.split(blocks, [size * size * width * depth for size in self.sizes])
        turned = torch.cat(
            [
                part.view(size, width, size, depth).transpose(1, 2).reshape(size * size, -1)
                for part, size in zip(parts, self.sizes, strict=True)
            ]
        )
        return (self.table.to(blocks.dtype).T @ turned).view(shape)
