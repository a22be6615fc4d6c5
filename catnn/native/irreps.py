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
from catnn.plan.irreps import CHUNK, Irreps, Pair

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Side:
    """A side of a layer in one dtype.

    turns, backs: for each summand the change of basis, (rows of all parts, entries), and its transpose; rows: of each
    part, dimension times copies; channels: of each summand; dimensions: of each part.
    """

    turns: tuple[Tensor, ...]
    backs: tuple[Tensor, ...]
    rows: tuple[tuple[int, ...], ...]
    channels: tuple[int, ...]
    dimensions: tuple[int, ...]

    def into(self, xs: Sequence[Tensor]) -> list[Tensor]:
        """For each part the matrix (batch x dimension, copies x channels) of tensors (batch, entries, channels)."""
        found: list[list[Tensor]] = [[] for _ in self.dimensions]
        for x, turn, rows in zip(xs, self.turns, self.rows, strict=True):
            for r, piece in enumerate(torch.split(turn @ x, list(rows), -2)):
                found[r].append(piece.reshape(len(x) * self.dimensions[r], -1))
        return [_joined(pieces, 1) for pieces in found]

    def back(self, parts: Sequence[Tensor]) -> list[Tensor]:
        """For each summand the rows (batch, rows of all parts, channels) of such matrices."""
        found: list[list[Tensor]] = [[] for _ in self.backs]
        for r, (part, dimension) in enumerate(zip(parts, self.dimensions, strict=True)):
            counts = [rows[r] for rows in self.rows]
            widths = [count // dimension * channels for count, channels in zip(counts, self.channels, strict=True)]
            for s, piece in enumerate(torch.split(part, widths, 1)):
                found[s].append(piece.reshape(len(part) // dimension, counts[s], self.channels[s]))
        return [_joined(pieces, 1) for pieces in found]


@dataclass(frozen=True, eq=False)
class Turned:
    """What becomes of the weights in one dtype; as in `Irreps`."""

    dtype: torch.dtype
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
        plainly = torch._C._are_functorch_transforms_active() or forward_ad._current_level >= 0
        alone = not plainly and not torch.is_grad_enabled()
        if plainly:
            ys = _run(source, target, flat, matrices)
        elif alone:
            ys = _chunked(source, target, flat, matrices)
        else:
            ys = list(_Run.apply(source, target, len(flat), *flat, *matrices))  # type: ignore[no-untyped-call]
        results = []
        for o, (y, summand) in enumerate(zip(ys, form.target.summands, strict=True)):
            invariants = turned.biases[o]
            if invariants is not None:
                bias = invariants @ biases[o]
                y = y.add_(bias) if alone else y + bias
            lengths = [int(wire.group.size) for wire in summand.word]
            results.append(y.reshape(*batch, *lengths, summand.channels))
        return tuple(results)

    def _matrices(self, turned: Turned, weights: Mapping[Pair, Tensor]) -> list[Tensor]:
        """For each part the matrix (copies x channels of the outputs, of the inputs) of its block."""
        form = self.form
        entries = {pair: found @ weights[pair].flatten(1) for pair, found in turned.blocks.items()}
        outs = [summand.channels for summand in form.target.summands]
        ins = [summand.channels for summand in form.source.summands]
        found, starts = [], dict.fromkeys(((o, i) for o in range(len(outs)) for i in range(len(ins))), 0)
        for r in range(len(form.dimensions)):
            m, n = form.copies(form.outs, r), form.copies(form.ins, r)
            rows = []
            for o, out in enumerate(outs):
                row = []
                for i, in_ in enumerate(ins):
                    here = slice(starts[o, i], starts[o, i] + m[o] * n[i])
                    starts[o, i] = here.stop
                    own = entries[o, i][here] if (o, i) in entries else None
                    same = turned.fixed[o, i][here] if (o, i) in turned.fixed else None
                    row.append(_block(own, same, (m[o], out), (n[i], in_), turned.dtype))
                rows.append(_joined(row, 1))
            found.append(_joined(rows, 0))
        return found

    def _constants(self, dtype: torch.dtype) -> tuple[Side, Side, Turned]:
        if dtype in self.known:
            return self.known[dtype]
        form = self.form

        def side(summands: Sequence[Any], bases: Sequence[Sequence[NDArray[Any]]]) -> Side:
            parts = [[torch.tensor(one, dtype=dtype).flatten(1) for one in own] for own in bases]
            backs = tuple(torch.cat(own, 1) for own in parts)
            return Side(
                tuple(back.T.contiguous() for back in backs),
                backs,
                tuple(tuple(one.shape[1] for one in own) for own in parts),
                tuple(summand.channels for summand in summands),
                form.dimensions,
            )

        with torch.inference_mode(False):
            made = (
                side(form.source.summands, form.ins),
                side(form.target.summands, form.outs),
                Turned(
                    dtype,
                    {pair: torch.tensor(found, dtype=dtype) for pair, found in form.blocks.items()},
                    {pair: torch.tensor(found, dtype=dtype) for pair, found in form.fixed.items()},
                    tuple(None if found is None else torch.tensor(found, dtype=dtype) for found in form.biases),
                ),
            )
        if not _wrapped(*made[0].turns):  # type: ignore[no-untyped-call]
            self.known[dtype] = made  # else they belong to a transform, and are gone with it
        return made


def _block(
    entries: Tensor | None, fixed: Tensor | None, out: tuple[int, int], in_: tuple[int, int], dtype: torch.dtype
) -> Tensor:
    """The block of a pair of summands: what its weights give, and its fixed diagrams; out, in_: copies, channels."""
    (rows, outs), (columns, ins) = out, in_
    if entries is None:
        found = torch.zeros(rows * outs, columns * ins, dtype=dtype)
    else:
        found = entries.view(rows, columns, outs, ins).transpose(1, 2).reshape(rows * outs, columns * ins)
    return found if fixed is None else found + torch.kron(fixed.view(rows, columns), torch.eye(outs, dtype=dtype))


def _joined(pieces: list[Tensor], axis: int) -> Tensor:
    return pieces[0] if len(pieces) == 1 else torch.cat(pieces, axis)


def _run(source: Side, target: Side, xs: Sequence[Tensor], matrices: Sequence[Tensor]) -> list[Tensor]:
    """The outputs, (batch, entries, channels) each, from such inputs."""
    parts = [x @ matrix.T for x, matrix in zip(source.into(xs), matrices, strict=True)]
    return [back @ rows for back, rows in zip(target.backs, target.back(parts), strict=True)]


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
    """`_run` some entries at a time, so that little lies between."""
    ys = [
        xs[0].new_empty(len(xs[0]), len(back), channels)
        for back, channels in zip(target.backs, target.channels, strict=True)
    ]
    for piece in _pieces(xs):
        parts = source.into([x[piece] for x in xs])
        for part, matrix in enumerate(matrices):
            parts[part] = parts[part] @ matrix.T
        for y, back, rows in zip(ys, target.backs, target.back(parts), strict=True):
            torch.matmul(back, rows, out=y[piece])
    return ys


def _met(source: Side, target: Side, xs: Sequence[Tensor], grads: Sequence[Tensor], *, whole: bool) -> list[Tensor]:
    """The gradients of the matrices; whole: not some entries at a time."""
    total: list[Tensor] = []
    for piece in [slice(None)] if whole else _pieces(xs):
        left, right = target.into([g[piece] for g in grads]), source.into([x[piece] for x in xs])
        if not total:
            total = [g.T @ x for g, x in zip(left, right, strict=True)]
        else:
            for one, g, x in zip(total, left, right, strict=True):
                one.addmm_(g.T, x)
    return total
