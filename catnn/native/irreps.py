"""The blocks of a layer on tensors (`catnn.plan.irreps`): into the parts, one product a part, and back.

It is plain torch, which autograd and all transforms know.  Where nothing but numbers or a first gradient is asked for,
it runs some entries of the batch at a time, and keeps the inputs alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from catnn.emit.kernels import _wrapped
from catnn.plan.irreps import Irreps, Pair

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHUNK = 2**20
"""So many bytes of an input are worked on at a time, so that what becomes of them stays in the cache."""


@dataclass(frozen=True, eq=False)
class Side:
    """A side of a layer in one dtype: for each summand its change of basis, (rows of all parts, entries), its channels.

    backs: the changes back; parts: for each summand the rows of each part, dimension times copies.
    """

    turns: tuple[Tensor, ...]
    backs: tuple[Tensor, ...]
    channels: tuple[int, ...]
    parts: tuple[tuple[int, ...], ...]
    dimensions: tuple[int, ...]

    def into(self, xs: Sequence[Tensor]) -> list[Tensor]:
        """For each part the matrix (batch x dimension, copies x channels) of tensors (batch, entries, channels)."""
        found: list[list[Tensor]] = [[] for _ in self.dimensions]
        for x, turn, rows in zip(xs, self.turns, self.parts, strict=True):
            for r, piece in enumerate(torch.split(turn @ x, list(rows), -2)):
                found[r].append(piece.reshape(len(x) * self.dimensions[r], -1))
        return [pieces[0] if len(pieces) == 1 else torch.cat(pieces, 1) for pieces in found]

    def back(self, parts: Sequence[Tensor], batch: int) -> list[Tensor]:
        """The tensors of such matrices."""
        found: list[list[Tensor]] = [[] for _ in self.backs]
        for r, part in enumerate(parts):
            widths = [rows[r] // self.dimensions[r] * c for rows, c in zip(self.parts, self.channels, strict=True)]
            for s, piece in enumerate(torch.split(part, widths, 1)):
                found[s].append(piece.reshape(batch, self.parts[s][r], self.channels[s]))
        return [
            back @ (pieces[0] if len(pieces) == 1 else torch.cat(pieces, 1))
            for back, pieces in zip(self.backs, found, strict=True)
        ]


@dataclass(frozen=True, eq=False)
class Turned:
    """What becomes of the weights in one dtype."""

    blocks: Mapping[Pair, Tensor]
    fixed: Mapping[Pair, Tensor]
    biases: tuple[Tensor | None, ...]


class Blocks:
    """A layer in blocks on tensors of the CPU; constants are made once a dtype."""

    def __init__(self, form: Irreps) -> None:
        self.form = form
        self.known: dict[torch.dtype, tuple[Side, Side, Turned]] = {}

    def __call__(
        self, xs: Sequence[Tensor], weights: Mapping[Pair, Tensor], biases: Mapping[int, Tensor], _: Any = None
    ) -> tuple[Tensor, ...]:
        """The outputs; weights: by pair of summands, biases: by target summand, both as the module has them."""
        form = self.form
        source, target, turned = self._constants(xs[0].dtype)
        order = len(form.source.words[0]) + 1
        batch = xs[0].shape[: xs[0].dim() - order]
        flat = [
            x.reshape(batch.numel(), len(bases[0]), s.channels)
            for x, bases, s in zip(xs, form.ins, form.source.summands, strict=True)
        ]
        matrices = self._matrices(turned, weights)
        if torch._C._are_functorch_transforms_active() or forward_ad._current_level >= 0:
            ys = _run(source, target, flat, matrices)
        elif not torch.is_grad_enabled():
            ys = _chunked(source, target, flat, matrices)
        else:
            ys = list(_Run.apply(source, target, len(flat), *flat, *matrices))  # type: ignore[no-untyped-call]
        results = []
        for o, (y, summand) in enumerate(zip(ys, form.target.summands, strict=True)):
            invariants = turned.biases[o]
            if invariants is not None:
                y = y + invariants @ biases[o]
            lengths = [int(wire.group.size) for wire in summand.word]
            results.append(y.reshape(*batch, *lengths, summand.channels))
        return tuple(results)

    def _matrices(self, turned: Turned, weights: Mapping[Pair, Tensor]) -> list[Tensor]:
        """For each part the matrix (copies x channels of the outputs, of the inputs) of its block."""
        form = self.form
        parts = range(len(form.dimensions))
        outs, ins = ([form.copies(side, r) for r in parts] for side in (form.outs, form.ins))
        pieces: dict[Pair, list[Tensor]] = {}
        for o, target in enumerate(form.target.summands):
            for i, source in enumerate(form.source.summands):
                rows, columns = target.channels, source.channels
                shapes = [(outs[r][o], ins[r][i]) for r in parts]
                pieces[o, i] = _apart(turned, weights, (o, i), shapes, (rows, columns))
        several = range(len(form.target.summands)), range(len(form.source.summands))
        return [_joined([_joined([pieces[o, i][r] for i in several[1]], 1) for o in several[0]], 0) for r in parts]

    def _constants(self, dtype: torch.dtype) -> tuple[Side, Side, Turned]:
        if dtype in self.known:
            return self.known[dtype]
        form = self.form

        def tensor(array: NDArray[Any]) -> Tensor:
            return torch.tensor(array, dtype=dtype)

        def side(summands: Sequence[Any], bases: Sequence[Sequence[NDArray[Any]]]) -> Side:
            rows = [[tensor(basis).flatten(1) for basis in own] for own in bases]
            return Side(
                tuple(torch.cat(own, 1).T.contiguous() for own in rows),
                tuple(torch.cat(own, 1) for own in rows),
                tuple(summand.channels for summand in summands),
                tuple(tuple(one.shape[1] for one in own) for own in rows),
                form.dimensions,
            )

        with torch.inference_mode(False):
            made = (
                side(form.source.summands, form.ins),
                side(form.target.summands, form.outs),
                Turned(
                    {pair: tensor(blocks) for pair, blocks in form.blocks.items()},
                    {pair: tensor(blocks) for pair, blocks in form.fixed.items()},
                    tuple(None if found is None else tensor(found) for found in form.biases),
                ),
            )
        if not _wrapped(*made[0].turns):  # type: ignore[no-untyped-call]
            self.known[dtype] = made  # else they belong to a transform, and are gone with it
        return made


def _apart(turned: Turned, weights: Mapping[Pair, Tensor], pair: Pair, shapes: list[tuple[int, int]],
           channels: tuple[int, int]) -> list[Tensor]:  # fmt: skip
    """The blocks of a pair of summands, (copies x channels of the output, of the input) each."""
    sizes = [outs * ins for outs, ins in shapes]
    found: list[Tensor] | None = None
    if pair in turned.blocks:
        together = turned.blocks[pair] @ weights[pair].flatten(1)
        found = [
            part.view(*shape, *channels).transpose(1, 2).reshape(shape[0] * channels[0], shape[1] * channels[1])
            for part, shape in zip(torch.split(together, sizes), shapes, strict=True)
        ]
    if pair in turned.fixed:
        eye = torch.eye(channels[0], dtype=turned.fixed[pair].dtype)
        fixed = [
            torch.kron(part.view(shape), eye)
            for part, shape in zip(torch.split(turned.fixed[pair], sizes), shapes, strict=True)
        ]
        found = fixed if found is None else [one + other for one, other in zip(found, fixed, strict=True)]
    if found is None:
        kind = next(iter((*turned.blocks.values(), *turned.fixed.values()))).dtype
        return [torch.zeros(outs * channels[0], ins * channels[1], dtype=kind) for outs, ins in shapes]
    return found


def _joined(pieces: list[Tensor], axis: int) -> Tensor:
    return pieces[0] if len(pieces) == 1 else torch.cat(pieces, axis)


def _run(source: Side, target: Side, xs: Sequence[Tensor], matrices: Sequence[Tensor]) -> list[Tensor]:
    """The outputs, (batch, entries, channels) each, from such inputs."""
    return target.back([x @ w.T for x, w in zip(source.into(xs), matrices, strict=True)], len(xs[0]))


def _pieces(xs: Sequence[Tensor]) -> list[slice]:
    """The batch some entries at a time."""
    entry = sum(x[0:1].numel() for x in xs) * xs[0].element_size()
    step = max(1, CHUNK // max(1, entry))
    return [slice(start, start + step) for start in range(0, len(xs[0]), step)]


class _Run(torch.autograd.Function):
    """`_run` for numbers, some entries at a time; its derivatives are plain torch, so they have derivatives again."""

    @staticmethod
    def forward(ctx: Any, source: Side, target: Side, count: int, *tensors: Tensor) -> Any:
        ctx.sides, ctx.count = (source, target), count
        ctx.save_for_backward(*tensors)
        return tuple(_chunked(source, target, tensors[:count], tensors[count:]))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        source, target = ctx.sides
        xs, matrices = ctx.saved_tensors[: ctx.count], ctx.saved_tensors[ctx.count :]
        plainly = torch.is_grad_enabled() or _wrapped(*grads)  # type: ignore[no-untyped-call]
        run = _run if plainly else _chunked
        dxs: Sequence[Any] = [None] * len(xs)
        dws: Sequence[Any] = [None] * len(matrices)
        if any(ctx.needs_input_grad[3 : 3 + ctx.count]):
            dxs = run(target, source, grads, [w.T for w in matrices])
        if any(ctx.needs_input_grad[3 + ctx.count :]):
            dws = _met(source, target, xs, grads, whole=plainly)
        return (None, None, None, *dxs, *dws)


def _chunked(source: Side, target: Side, xs: Sequence[Tensor], matrices: Sequence[Tensor]) -> list[Tensor]:
    """`_run` some entries at a time."""
    pieces = _pieces(xs)
    if len(pieces) <= 1:
        return _run(source, target, xs, matrices)
    ys = [
        xs[0].new_empty(len(xs[0]), len(back), channels)
        for back, channels in zip(target.backs, target.channels, strict=True)
    ]
    for piece in pieces:
        for y, made in zip(ys, _run(source, target, [x[piece] for x in xs], matrices), strict=True):
            y[piece] = made
    return ys


def _met(source: Side, target: Side, xs: Sequence[Tensor], grads: Sequence[Tensor], *, whole: bool) -> list[Tensor]:
    """The gradients of the matrices; whole: not some entries at a time."""
    pieces = [slice(None)] if whole else _pieces(xs)
    total: list[Tensor] = []
    for piece in pieces:
        left, right = target.into([g[piece] for g in grads]), source.into([x[piece] for x in xs])
        if not total:
            total = [g.T @ x for g, x in zip(left, right, strict=True)]
        else:
            for one, g, x in zip(total, left, right, strict=True):
                one.addmm_(g.T, x)
    return total
