"""A plan that mixes channels at its outer end (`catnn.plan.narrow`), on tensors: plain torch, which autograd knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import torch
from torch import Tensor

from catnn.category.half import Half
from catnn.category.wires import Word
from catnn.plan.moves import Move, full
from catnn.plan.narrow import Narrow, Slot, inner_places
from catnn.plan.plan import Combination

Pair = tuple[int, int]
Pending = dict[tuple[int, Half], list[Tensor]]
"""What is to be added up, by target summand and half."""


class Mixing:
    """A layer that is mixed first, or last."""

    def __init__(self, found: Narrow) -> None:
        self.found, self.plan = found, found.plan
        self.inner = found.plan.source if found.last else found.plan.target
        self.chosen = [self._chosen(j, slots) for j, slots in enumerate(found.slots)]

    def _chosen(self, outer: int, slots: Sequence[Slot]) -> dict[Pair, list[Combination]]:
        """For each pair of summands the weights that the slots of an outer summand meet, slot by slot."""
        result: dict[Pair, list[Combination]] = {}
        for slot in slots:
            product = self.plan.products[slot.product]
            for at, place in enumerate(inner_places(product, last=self.found.last)):
                key = (slot.sigma, slot.place, at) if self.found.last else (slot.sigma, at, slot.place)
                pair = (outer, place.summand) if self.found.last else (place.summand, outer)
                result.setdefault(pair, []).append(product.entries.get(key, ()))
        return result

    def __call__(
        self,
        xs: Sequence[Tensor],
        weights: Mapping[Pair, Tensor],
        biases: Mapping[int, Tensor],
        sizes: Mapping[str, int],
    ) -> tuple[Tensor, ...]:
        """The outputs; weights: by pair of summands, biases: by target summand, both as the module has them."""
        axes = len(self.plan.source.words[0]) + 1
        batch = xs[0].shape[: xs[0].dim() - axes]
        flat = [
            _ordered(x.reshape(batch.numel(), *x.shape[len(batch) :]), word)
            for x, word in zip(xs, self.plan.source.words, strict=True)
        ]
        run = self._last if self.found.last else self._first
        ys = run(flat, weights, biases, sizes)
        return tuple(
            _written_out(_natural(y, word), batch.numel()).reshape(*batch, *_lengths(word, sizes), y.shape[-1])
            for y, word in zip(ys, self.plan.target.words, strict=True)
        )

    def _matrix(self, outer: int, weights: Mapping[Pair, Tensor]) -> Tensor:
        """The weights of an outer summand: (channels of the slots, its channels), or if last the transpose."""
        chosen = self.chosen[outer]
        gathered = {pair: _gathered(weights.get(pair), combos) for pair, combos in chosen.items()}
        like = next(found for found in gathered.values() if found is not None)
        if len(chosen) == 1:
            return like.transpose(0, 1).flatten(1) if self.found.last else like.flatten(0, 1)
        pieces, taken = list[Tensor](), dict.fromkeys(chosen, 0)
        own = self.found.outer.summands[outer].channels
        for slot in self.found.slots[outer]:
            product = self.plan.products[slot.product]
            for place in inner_places(product, last=self.found.last):
                pair = (outer, place.summand) if self.found.last else (place.summand, outer)
                found, other = gathered[pair], self.inner.summands[place.summand].channels
                shape = (own, other) if self.found.last else (other, own)
                pieces.append(like.new_zeros(shape) if found is None else found[taken[pair]])
                taken[pair] += 1
        return torch.cat(pieces, 1 if self.found.last else 0)

    # ------------------------------------------------------------------------------------------------------ mix first

    def _first(self, xs: Sequence[Tensor], weights: Mapping[Pair, Tensor], biases: Mapping[int, Tensor],
               sizes: Mapping[str, int]) -> list[Tensor]:  # fmt: skip
        sums: dict[int, Tensor] = {}
        for i, x in enumerate(xs):
            self._read(i, full(self.plan.source.words[i]), x @ self._matrix(i, weights).T, sums, sizes)
        pending: Pending = {}
        for p, product in enumerate(self.plan.products):
            channels = [self.plan.target.summands[column.summand].channels for column in product.columns]
            for column, piece in zip(product.columns, torch.split(sums[p], channels, -1), strict=True):
                pending.setdefault((column.summand, column.half), []).append(piece)
        for key, bias in self._constants(biases, sizes).items():
            pending.setdefault(key, []).append(bias)
        for o, summand in enumerate(self.plan.target.summands):
            if not any(key[0] == o for key in pending):  # nothing reaches it
                zeros = xs[0].new_zeros(1, *_lengths(summand.word, sizes), summand.channels)
                pending[o, full(summand.word)] = [zeros]
        return [self._written(o, pending, sizes) for o in range(len(self.plan.target.summands))]

    def _read(self, summand: int, half: Half, z: Tensor, sums: dict[int, Tensor], sizes: Mapping[str, int]) -> None:
        """Reduce what was mixed, each half its own channels; what meets in a product is added up."""
        spans = self.found.spans[summand]
        start = at = spans[half].start
        for slot in self.found.slots[summand]:
            if slot.half == half:
                product, width = self.plan.products[slot.product], self.found.width(slot.product)
                piece = _turned(z[..., at - start : at - start + width], product.sigmas[slot.sigma])
                sums[slot.product] = piece if slot.product not in sums else sums[slot.product] + piece
                at += width
        for move in self.plan.reads[summand]:
            if move.fine == half:
                span = spans[move.coarse]
                coarse = _down(z[..., span.start - start : span.end - start], move, sizes)
                self._read(summand, move.coarse, coarse, sums, sizes)

    def _written(self, out: int, pending: Pending, sizes: Mapping[str, int]) -> Tensor:
        """What is added to each half, written through the finer ones."""
        for move in reversed(self.plan.writes[out]):
            found = pending.pop((out, move.coarse), [])
            if found:
                pending.setdefault((out, move.fine), []).append(_up(_total(found), move, sizes))
        return _total(pending[out, full(self.plan.target.words[out])])

    def _constants(self, biases: Mapping[int, Tensor], sizes: Mapping[str, int]) -> dict[tuple[int, Half], Tensor]:
        """What the biases add to each half, for every entry of the batch."""
        found: dict[tuple[int, Half], Tensor] = {}
        for constant in self.plan.constants:
            column = constant.column
            factor = constant.coefficient
            for size, exponent in constant.scale:
                factor *= Fraction(size if isinstance(size, int) else sizes[size]) ** exponent
            value = biases[column.summand][constant.index][None] * float(factor)
            key = column.summand, column.half
            found[key] = found[key] + value if key in found else value
        return found

    # ------------------------------------------------------------------------------------------------------- mix last

    def _last(self, xs: Sequence[Tensor], weights: Mapping[Pair, Tensor], biases: Mapping[int, Tensor],
              sizes: Mapping[str, int]) -> list[Tensor]:  # fmt: skip
        halves: dict[tuple[int, Half], Tensor] = {}
        for i, x in enumerate(xs):
            halves[i, full(self.plan.source.words[i])] = x
            for move in self.plan.reads[i]:
                halves[i, move.coarse] = _down(halves[i, move.fine], move, sizes)
        rows = [
            torch.cat([halves[row.summand, row.half] for row in product.rows], -1)
            if len(product.rows) > 1
            else halves[product.rows[0].summand, product.rows[0].half]
            for product in self.plan.products
        ]
        constants = self._constants(biases, sizes)
        results = []
        for o, word in enumerate(self.plan.target.words):
            z = self._spread(o, full(word), rows, sizes)
            y = z @ self._matrix(o, weights).T
            own: Pending = {key: [bias] for key, bias in constants.items() if key[0] == o}
            results.append(y + self._written(o, own, sizes) if own else y)
        return results

    def _spread(self, out: int, half: Half, rows: Sequence[Tensor], sizes: Mapping[str, int]) -> Tensor:
        """All that is written through a half, side by side in the channels."""
        pieces = [
            _turned(rows[slot.product], self.plan.products[slot.product].sigmas[slot.sigma])
            for slot in self.found.slots[out]
            if slot.half == half
        ]
        pieces += [
            _up(self._spread(out, move.coarse, rows, sizes), move, sizes)
            for move in self.plan.writes[out]
            if move.fine == half and self.found.spans[out][move.coarse].size
        ]
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces, -1)


def _gathered(weight: Tensor | None, combinations: list[Combination]) -> Tensor | None:
    """The combinations of weights, one after the other; a combination of none is 0."""
    if weight is None:
        return None
    if all(len(found) == 1 and found[0][0] == 1 for found in combinations):
        return weight[[found[0][1] for found in combinations]]
    table = weight.new_zeros(len(combinations), len(weight))
    for at, found in enumerate(combinations):
        for coefficient, index in found:
            table[at, index] += float(coefficient)
    return (table @ weight.flatten(1)).view(len(combinations), *weight.shape[1:])


def _total(values: list[Tensor]) -> Tensor:
    result = values[0]
    for value in values[1:]:
        result = result + value
    return result


def _lengths(word: Word, sizes: Mapping[str, int]) -> list[int]:
    return [wire.group.size if isinstance(wire.group.size, int) else sizes[wire.group.size] for wire in word]


def _ports(word: Word) -> list[int]:
    top = full(word)
    return [top.blocks[b][0] for b in top.ports]


def _ordered(x: Tensor, word: Word) -> Tensor:
    """A tensor with its axes as the whole half has them."""
    return _turned(x, tuple(_ports(word)))


def _natural(y: Tensor, word: Word) -> Tensor:
    """And back."""
    ports = _ports(word)
    return _turned(y, tuple(ports.index(a) for a in range(len(ports))))


def _written_out(y: Tensor, entries: int) -> Tensor:
    """An output with memory of its own for every number, also where a bias alone is the same for all entries."""
    y = y.expand(entries, *y.shape[1:])
    return y.clone(memory_format=torch.contiguous_format) if 0 in y.stride() else y


def _turned(x: Tensor, sigma: tuple[int, ...]) -> Tensor:
    """Output axis j is input axis sigma[j]."""
    if sigma == tuple(range(len(sigma))):
        return x
    return x.permute(0, *(1 + a for a in sigma), -1)


def _factor(move: Move, sizes: Mapping[str, int]) -> float:
    return float(move.factor().value(sizes))


def _down(x: Tensor, move: Move, sizes: Mapping[str, int]) -> Tensor:
    """The coarse value of a fine one."""
    if move.op == "sum":
        found = x.sum([1 + a for a in move.axes])
    else:
        found = x.diagonal(0, 1 + move.axes[0], 1 + move.axes[1])
        if move.op == "diagonal":
            return found.movedim(-1, 1 + move.axes[0])
        found = found.sum(-1)
    return found * _factor(move, sizes) if move.mean else found


def _up(x: Tensor, move: Move, sizes: Mapping[str, int]) -> Tensor:
    """The fine value of a coarse one: `_down`, transposed."""
    lengths = _lengths(move.fine.level, sizes)
    if move.mean and move.op != "diagonal":
        x = x * _factor(move, sizes)
    if move.op == "sum":
        for axis in move.axes:
            x = x.unsqueeze(1 + axis)
        return x.expand(-1, *lengths, -1)
    a, b = move.axes
    if move.op == "diagonal":
        x = x.movedim(1 + a, -1)
    else:
        x = x.unsqueeze(-1).expand(*x.shape, lengths[a])
    return torch.diag_embed(x, 0, 1 + a, 1 + b)
