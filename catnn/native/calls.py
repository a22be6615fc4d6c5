"""A plan as two functions on tensors: the layer, and its gradients, run by the C library an entry at a time."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor

from catnn.native.program import read, run, weigh
from catnn.native.spectral import Form, Turning, meeting, mixing
from catnn.native.table import Program
from catnn.plan.fourier import Saving, fourier, worthwhile
from catnn.plan.plan import Plan, mirror

PARALLEL = 200_000
"""Fewer numbers than this are not worth a second thread."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A program with its tables in memory; scratch: how many numbers one thread needs between input and output."""

    table: ctypes.Array[ctypes.c_int64]
    factors: ctypes.Array[ctypes.c_double]
    scratch: int


class Calls:
    """The functions of one plan; programs are made for sizes when they are met, and kept.

    library: of `catnn.native.build`.
    """

    def __init__(self, plan: Plan, library: ctypes.CDLL) -> None:
        self.plan, self.back, self.library = plan, mirror(plan), library
        self.outs = sorted({constant.column.summand for constant in plan.constants})
        self._known: dict[tuple[object, ...], Ready] = {}
        self._savings: dict[tuple[int, ...], tuple[Saving | None, ...]] = {}
        self._turning: dict[tuple[int, ...], dict[int, Turning]] = {}

    # ------------------------------------------------------------------------------------------------------- programs

    def _program(self, kind: str, sizes: dict[str, int], blocks: Mapping[int, Turning]) -> Ready:
        key = (kind, *blocks, *sorted(sizes.items()))
        if key not in self._known:
            make = self._forward(sizes, blocks) if kind == "forward" else self._backward(sizes, kind, blocks)
            self._known[key] = make
        return self._known[key]

    def _turned_products(self, sizes: dict[str, int], entries: int) -> Mapping[int, Turning]:
        """The products that are computed in a Fourier basis at these sizes for so many entries of the batch."""
        key = tuple(sizes.values())
        if key not in self._savings:
            self._savings[key] = fourier(self.plan, sizes)
        savings = self._savings[key]
        if not any(savings) or not worthwhile(savings, entries):
            return {}
        if key not in self._turning:
            self._turning[key] = {
                at: Turning(one.blocks, product.sigmas)
                for at, (one, product) in enumerate(zip(savings, self.plan.products, strict=True))
                if one is not None
            }
        return self._turning[key]

    def _forms(self, blocks: Mapping[int, Turning], first: int) -> dict[int, Form]:
        """Their blocks; first: the number of the buffer of the values of the first of them."""
        return {at: Form(turning.spectrum, first + number) for number, (at, turning) in enumerate(blocks.items())}

    def _forward(self, sizes: dict[str, int], blocks: Mapping[int, Turning]) -> Ready:
        """Buffers: scratch, inputs, outputs; weights, biases, values of Fourier bases."""
        program, plan = Program(sizes), self.plan
        ins, outs, products = len(plan.source.summands), len(plan.target.summands), len(plan.products)
        moving = 1 + ins + outs
        rows = read(program, plan, list(range(1, 1 + ins)))
        biases = {o: moving + products + at for at, o in enumerate(self.outs)}
        weights = list(range(moving, moving + products))
        forms = self._forms(blocks, moving + products + len(self.outs))
        mixes = {at: mixing(program, form, weights[at]) for at, form in forms.items()}
        run(program, plan, rows, list(range(1 + ins, moving)), weights, biases, mixes)
        return _ready(program)

    def _backward(self, sizes: dict[str, int], kind: str, blocks: Mapping[int, Turning]) -> Ready:
        """Buffers: scratch, gradients of the outputs, inputs, gradients of the inputs; weights, their gradients,
        gradients of the biases, values of Fourier bases."""
        program, plan, back = Program(sizes), self.plan, self.back
        ins, outs, products = len(plan.source.summands), len(plan.target.summands), len(plan.products)
        moving = 1 + outs + 2 * ins
        grads = read(program, back, list(range(1, 1 + outs)))
        weights = list(range(moving, moving + products))
        forms = self._forms(blocks, moving + 2 * products + len(self.outs) * ("w" in kind))
        if "x" in kind:
            places = list(range(1 + outs + ins, moving))
            mixes = {at: mixing(program, form, weights[at]) for at, form in forms.items()}
            run(program, back, grads, places, weights, {}, mixes)
        if "w" in kind:
            rows = read(program, plan, list(range(1 + outs, 1 + outs + ins)))
            biases = {o: moving + 2 * products + at for at, o in enumerate(self.outs)}
            gradients = list(range(moving + products, moving + 2 * products))
            outers = {at: meeting(program, form, gradients[at]) for at, form in forms.items()}
            weigh(program, plan, back, rows, grads, gradients, biases, outers)
        return _ready(program)

    # ---------------------------------------------------------------------------------------------------------- calls

    def forward(self, xs: Sequence[Tensor], weights: Sequence[Tensor], biases: Sequence[Tensor],
                sizes: dict[str, int]) -> tuple[Tensor, ...]:  # fmt: skip
        """The outputs for contiguous inputs of one type; weights: packed."""
        batch = _batch(xs[0], len(self.plan.source.words[0]))
        blocks = self._turned_products(sizes, prod(batch))
        ready = self._program("forward", sizes, blocks)
        panels = [blocks[at].blocks(w, mirrored=False) if at in blocks else self._turned(w)
                  for at, w in enumerate(weights)]  # fmt: skip
        ys = tuple(
            xs[0].new_empty(*batch, *Program(sizes).extent(s.word), s.channels) for s in self.plan.target.summands
        )
        values = [turning.values.to(xs[0].dtype) for turning in blocks.values()]
        self._run(ready, batch, [*xs, *ys], [*panels, *(b.contiguous() for b in biases), *values], xs[0])
        return ys

    def backward(self, gs: Sequence[Tensor], xs: Sequence[Tensor], weights: Sequence[Tensor], sizes: dict[str, int],
                 *, inputs: bool, learned: bool) -> tuple[list[Tensor], list[Tensor]]:  # fmt: skip
        """The gradients of the inputs, and of the packed weights and the biases; what is not wanted is empty."""
        batch = _batch(xs[0], len(self.plan.source.words[0]))
        blocks = self._turned_products(sizes, prod(batch))
        ready = self._program("x" * inputs + "w" * learned, sizes, blocks)
        dxs = [torch.empty_like(x) for x in xs] if inputs else []
        panels = [blocks[at].blocks(w, mirrored=True) if at in blocks else self._turned(w.transpose(1, 2))
                  for at, w in enumerate(weights)]  # fmt: skip
        dws = [torch.zeros_like(w, memory_format=torch.contiguous_format) for w in panels] if learned else []
        counts = [1 + max(c.index for c in self.plan.constants if c.column.summand == o) for o in self.outs]
        widths = [self.plan.target.summands[o].channels for o in self.outs]
        dbs = [xs[0].new_zeros(count, width) for count, width in zip(counts, widths, strict=True)] if learned else []
        values = [turning.values.to(xs[0].dtype) for turning in blocks.values()]
        still = [*panels, *(dws or panels), *dbs, *values]
        self._run(ready, batch, [*gs, *xs, *(dxs or xs)], still, xs[0], sums=[*dws, *dbs])
        dws = [blocks[at].gradient(w, weights[at].shape) if at in blocks else w for at, w in enumerate(dws)]
        return dxs, [*dws, *dbs]

    def _turned(self, weight: Tensor) -> Tensor:
        """Weights (S, N, K) as (S, K, N), contiguous; what lies so in memory is taken as it is."""
        turns, width, depth = weight.shape
        if weight.transpose(1, 2).is_contiguous():
            return weight.transpose(1, 2)
        result = weight.new_empty(turns, depth, width)
        weight = weight.contiguous()
        self._named("turn", weight)(weight.data_ptr(), result.data_ptr(), turns, width, depth)
        return result

    def _named(self, name: str, like: Tensor) -> Any:
        return getattr(self.library, f"{name}_{'float' if like.dtype == torch.float32 else 'double'}")

    def _run(self, ready: Ready, batch: tuple[int, ...], moving: list[Tensor], still: list[Tensor], like: Tensor,
             sums: Sequence[Tensor] = ()) -> None:  # fmt: skip
        """Run a program for every entry, in as many threads as torch has where that pays.

        sums: those of `still` that are added to; every thread has its own.
        """
        entries, threads = prod(batch), torch.get_num_threads()
        counts = [t.numel() for t in moving]
        if threads > 1:
            threads = min(threads, entries, 1 + sum(counts) // PARALLEL)
        strides = (ctypes.c_int64 * (1 + len(moving)))(0, *(count // entries for count in counts))
        function = self._named("run", like)
        shares = [(entries * at // threads, entries * (at + 1) // threads) for at in range(threads)]
        copies = [list(still)] + [
            [t.new_zeros(t.shape) if any(t is s for s in sums) else t for t in still] for _ in shares[1:]
        ]

        def work(at: int) -> None:
            scratch = like.new_empty(ready.scratch)
            tensors = [scratch, *moving, *copies[at]]
            pointers = (ctypes.c_void_p * len(tensors))(*(t.data_ptr() for t in tensors))
            function(ready.table, ready.factors, pointers, strides, 1 + len(moving), len(tensors), *shares[at])

        if threads == 1:
            work(0)
            return
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, range(threads)))
        for copy in copies[1:]:
            for mine, theirs in zip(still, copy, strict=True):
                if mine is not theirs:
                    mine += theirs


def _ready(program: Program) -> Ready:
    words = program.finish()
    table = (ctypes.c_int64 * len(words))(*words)
    factors = (ctypes.c_double * max(1, len(program.factors)))(*program.factors)
    return Ready(table, factors, program.scratch + program.pile)


def _batch(x: Tensor, order: int) -> tuple[int, ...]:
    return tuple(x.shape[: x.dim() - order - 1])
