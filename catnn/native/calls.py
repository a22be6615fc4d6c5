"""A plan as two functions on tensors: the layer, and its gradients, run by the C library a few entries at a time."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from math import prod

import torch
from torch import Tensor

from catnn.category.spectrum import Spectrum
from catnn.native.build import library
from catnn.native.matrix import Matrix, matrix_of, pairs
from catnn.native.paired import paired
from catnn.native.program import read, run, weigh
from catnn.native.room import LOCAL, PLAIN, rooms
from catnn.native.spectral import Form, turned
from catnn.native.table import Program, Table
from catnn.plan.fourier import Saving, fourier, worthwhile
from catnn.plan.plan import Plan, mirror

KINDS = {torch.float32: "float", torch.float64: "double"}
PARALLEL = 200_000
"""Fewer numbers than this are not worth a second thread."""
CACHED, STREAMED = 1 << 14, 1 << 18
"""The entries that are worked on together have about so many numbers, so that they stay in the cache: more of them
where the weights are brought into order anew for each such few."""
MOVED = 16
"""To bring a weight into order takes about as long as so many multiply-adds."""
STARVED = 1 << 18
"""So many numbers may lie between where with less the weights are brought into order for longer than anything else."""
MOST = 256
"""So many programs of a layer are kept: who meets new sizes for ever does not fill the memory."""
FORWARD, GRADIENT = 0.5, 3
"""So much of the output may lie between; with the gradient, so much of input and output may be there in all."""

FORWARDS, INPUTS, WEIGHTS = 1, 2, 4
"""What a program computes: the outputs; the gradients of the inputs, of the weights."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A program with its tables in memory.

    each, shared: how many numbers lie between, for an entry, and for all together; chunk: how many entries are worked
    on together; steps: by buffer how far its entries are apart; moving: how many of the buffers come from outside and
    have entries; pointers: an array of a pointer for each buffer; shapes: of the entries of the outputs; values: the
    entries of Fourier bases, and as tensors.
    """

    table: ctypes.Array[ctypes.c_int64]
    factors: ctypes.Array[ctypes.c_double]
    each: int
    shared: int
    chunk: int
    steps: ctypes.Array[ctypes.c_int64]
    moving: int
    pointers: type[ctypes.Array[ctypes.c_void_p]]
    shapes: tuple[tuple[int, ...], ...]
    values: tuple[tuple[float, ...], ...]
    bases: dict[torch.dtype, list[Tensor]] = field(default_factory=dict)

    def basis(self, dtype: torch.dtype) -> list[Tensor]:
        """The entries of the Fourier bases."""
        if dtype not in self.bases:
            self.bases[dtype] = [torch.tensor(values, dtype=dtype) for values in self.values]
        return self.bases[dtype]


class Calls:
    """The functions of one plan; programs are made for sizes when they are met, and kept.

    pairs: the summands of target and source that each parameter stands between.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan, self.back = plan, mirror(plan)
        self.pairs = pairs(plan)
        self.outs = sorted({constant.column.summand for constant in plan.constants})
        self.order = -len(plan.source.words[0]) - 1
        self.run: dict[torch.dtype, Callable[..., None] | None] = {}
        self._known: dict[tuple[object, ...], Ready] = {}
        self._savings: dict[tuple[int, ...], tuple[Saving | None, ...]] = {}

    def there(self, dtype: torch.dtype) -> bool:
        """Whether there is a library for a type."""
        if dtype not in self.run:
            self.run[dtype] = library(KINDS[dtype]) if dtype in KINDS else None
        return self.run[dtype] is not None

    # ------------------------------------------------------------------------------------------------------- programs

    def _program(self, what: int, sizes: dict[str, int], entries: int, learned: int = 0) -> Ready:
        """The program for about so many entries."""
        key = (what, entries.bit_length(), *sizes.values())
        found = self._known.get(key)
        if found is None:
            about = 1 << (entries.bit_length() - 1)
            savings = fourier(self.plan, sizes)
            if not worthwhile(savings, about):
                savings = (None,) * len(savings)
            found = self._made(what, sizes, about, learned, savings)
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[key] = found
        return found

    def _made(self, what: int, sizes: dict[str, int], entries: int, learned: int,
              savings: tuple[Saving | None, ...]) -> Ready:  # fmt: skip
        """The fastest program that there is room for, or the smallest.

        Where the weights are brought into order anew for every few entries, those that work on more at once are faster.
        If little else is done then, for layers with far more weights than outputs, there is more room.
        """
        sides = [
            [prod(Program(sizes).extent(s.word)) * s.channels for s in side.summands]
            for side in (self.plan.source, self.plan.target)
        ]
        ins, outs = sides
        most = max(LOCAL, self._room(what, entries * sum(ins), entries * sum(outs), learned))
        moving = [*ins, *outs] if what == FORWARDS else [*outs, *ins, *ins]
        buffers = 2 + len(moving) + 2 * (len(self.pairs) + len(self.outs)) + len(savings)
        work = entries * self._work(sizes) * max(1, (what & INPUTS != 0) + (what & WEIGHTS != 0))

        def best(most: int) -> tuple[int, Program, list[Spectrum], Table]:
            tried: list[tuple[tuple[int, int], Program, list[Spectrum], Table]] = []
            for at, room in enumerate(rooms(most, entries)):
                if tried and tried[-1][0][0] > 0 and (tried[-1][1].room.resident or room.group):
                    break
                program = Program(sizes, room, entries)
                bases = self._write(program, what, savings)
                table = program.finish(buffers)
                each, shared = table.each, table.shared
                cached = CACHED if room.resident else STREAMED
                chunk = min((most - shared) // max(each, 1), max(1, cached // (each + sum(moving))), entries)
                tried.append(((chunk, -at) if chunk > 0 else (0, -each - shared), program, bases, table))
            (chunk, _), program, bases, table = max(tried, key=lambda one: one[0])
            return max(chunk, 1), program, bases, table

        chunk, program, bases, table = best(most)
        if program.room.plain > PLAIN or MOVED * program.moved * -(-entries // chunk) > work:
            chunk, program, bases, table = best(max(most, STARVED))
        steps = [0, 0, *moving, *[0] * (buffers - 2 - len(moving)), *table.own]
        return Ready(
            (ctypes.c_int64 * len(table.words))(*table.words),
            (ctypes.c_double * max(1, len(program.factors)))(*program.factors),
            table.each,
            table.shared,
            chunk,
            (ctypes.c_int64 * len(steps))(*steps),
            2 + len(moving),
            ctypes.c_void_p * len(steps),
            tuple((*Program(sizes).extent(s.word), s.channels) for s in self.plan.target.summands),
            tuple(basis.values for basis in bases),
        )

    def _work(self, sizes: dict[str, int]) -> int:
        """The multiply-adds of all products for an entry."""
        ins, outs = self.plan.source.summands, self.plan.target.summands
        return sum(
            prod(Program(sizes).extent(product.level))
            * len(product.sigmas)
            * sum(ins[row.summand].channels for row in product.rows)
            * sum(outs[column.summand].channels for column in product.columns)
            for product in self.plan.products
        )

    def _room(self, what: int, ins: int, outs: int, learned: int) -> int:
        """How many numbers may lie between inputs and outputs; learned: how many there are in gradients of weights."""
        if what == FORWARDS:
            return int(FORWARD * outs)
        return max(0, GRADIENT * (ins + outs) - outs - ins * bool(what & INPUTS) - learned)

    def _write(self, program: Program, what: int, savings: tuple[Saving | None, ...]) -> list[Spectrum]:
        """Buffers: scratch and shared; inputs and outputs, or the gradients of the outputs, inputs and their gradients;
        then weights and biases, or weights and the gradients of both; then the values of Fourier bases: those that it
        gives back."""
        plan, back = self.plan, self.back
        ins, outs, count = len(plan.source.summands), len(plan.target.summands), len(self.pairs)
        if what == FORWARDS:
            first = 2 + ins + outs
            biases = {o: first + count + at for at, o in enumerate(self.outs)}
            matrices, forms = self._matrices(program, plan, first, first + count + len(biases), savings)
            run(program, plan, range(2, 2 + ins), range(2 + ins, first), matrices, biases, forms)
            return [form.blocks for form in forms.values()]
        first = 2 + outs + 2 * ins
        learned = count + len(self.outs) if what & WEIGHTS else 0
        values, shared = first + count + learned, program.room.passes == 1
        grads = read(program, back, range(2, 2 + outs)) if shared else None
        if what & INPUTS:
            matrices, forms = self._matrices(program, back, first, values, savings)
            places = range(2 + outs + ins, first)
            run(program, back, range(2, 2 + outs), places, matrices, {}, forms, grads)
        if what & WEIGHTS:
            matrices, forms = self._matrices(program, plan, first + count, values, savings)
            biases = {o: first + 2 * count + at for at, o in enumerate(self.outs)}
            given = range(2 + outs, 2 + outs + ins)
            weigh(program, plan, back, given, range(2, 2 + outs), matrices, biases, forms, grads)
        return [form.blocks for form in forms.values()]

    def _matrices(self, program: Program, plan: Plan, first: int, values: int,
                  savings: tuple[Saving | None, ...]) -> tuple[list[Matrix], dict[int, Form]]:  # fmt: skip
        """The matrices of the products, and the blocks of those that have them; first, values: the first buffers."""
        buffers = {pair: first + at for at, pair in enumerate(self.pairs)}
        matrices = [matrix_of(plan, product, buffers, mirrored=plan is self.back) for product in plan.products]
        forms: dict[int, Form] = {}
        for at, (saving, product) in enumerate(zip(savings, plan.products, strict=True)):
            if saving is not None and paired(program, product, matrices[at]) is None:
                parts = turned(matrices[at], saving.blocks, product.sigmas)
                forms[at] = Form(saving.blocks, parts, values + len(forms))
        return matrices, forms

    # ---------------------------------------------------------------------------------------------------------- calls

    def forward(self, xs: Sequence[Tensor], weights: Sequence[Tensor], biases: Sequence[Tensor],
                sizes: dict[str, int]) -> tuple[Tensor, ...]:  # fmt: skip
        """The outputs for contiguous tensors of one type; weights: the parameters."""
        x = xs[0]
        batch = x.shape[: self.order]
        entries = batch.numel()
        ready = self._program(FORWARDS, sizes, entries)
        ys = tuple([x.new_empty(batch + shape) for shape in ready.shapes])
        self._run(ready, entries, [*xs, *ys], [*weights, *biases, *ready.basis(x.dtype)], x)
        return ys

    def backward(self, gs: Sequence[Tensor], xs: Sequence[Tensor], weights: Sequence[Tensor], sizes: dict[str, int],
                 *, inputs: bool, learned: bool) -> tuple[list[Tensor], list[Tensor]]:  # fmt: skip
        """The gradients of the inputs, and of the weights and the biases; what is not wanted is empty."""
        x = xs[0]
        entries = x.shape[: self.order].numel()
        dxs = [torch.empty_like(x) for x in xs] if inputs else []
        sums = [torch.zeros_like(w) for w in weights] if learned else []
        if learned:
            counts = [1 + max(c.index for c in self.plan.constants if c.column.summand == o) for o in self.outs]
            widths = [self.plan.target.summands[o].channels for o in self.outs]
            sums += [x.new_zeros(count, width) for count, width in zip(counts, widths, strict=True)]
        numbers = sum(t.numel() for t in sums)
        ready = self._program(INPUTS * inputs | WEIGHTS * learned, sizes, entries, numbers)
        still = [*weights, *sums, *ready.basis(x.dtype)]
        self._run(ready, entries, [*gs, *xs, *(dxs or xs)], still, x, sums)
        return dxs, sums

    def _run(self, ready: Ready, entries: int, moving: list[Tensor], still: list[Tensor], like: Tensor,
             sums: Sequence[Tensor] = ()) -> None:  # fmt: skip
        """Run a program for every entry, in as many threads as torch has where that pays.

        sums: those of `still` that are added to; every thread has its own.
        """
        threads = torch.get_num_threads()
        if threads > 1:
            threads = min(threads, entries, 1 + sum(t.numel() for t in moving) // PARALLEL)
        if threads == 1:
            self._share(ready, 0, entries, [*moving, *still], like)
            return
        shares = [(entries * at // threads, entries * (at + 1) // threads) for at in range(threads)]
        own = {id(t) for t in sums}
        copies = [still] + [[t.new_zeros(t.shape) if id(t) in own else t for t in still] for _ in shares[1:]]
        with ThreadPoolExecutor(threads) as pool:
            jobs = [pool.submit(self._share, ready, first, last - first, [*moving, *copy], like)
                    for (first, last), copy in zip(shares, copies, strict=True)]  # fmt: skip
            for job in jobs:
                job.result()
        for copy in copies[1:]:
            for mine, theirs in zip(still, copy, strict=True):
                if mine is not theirs:
                    mine += theirs

    def _share(self, ready: Ready, first: int, count: int, tensors: Sequence[Tensor], like: Tensor) -> None:
        """Run a program for some entries."""
        chunk = min(ready.chunk, count)
        between = ready.each * chunk
        places = [t.data_ptr() for t in tensors]
        size = like.element_size()
        if first:
            places = [at + first * step * size for at, step in zip(places, ready.steps[2:], strict=False)]
        if between + ready.shared <= LOCAL:
            pointers = ready.pointers(None, None, *places)
        else:
            scratch = like.new_empty(between + ready.shared)
            start = scratch.data_ptr()
            pointers = ready.pointers(start, start + between * size, *places)
        function = self.run[like.dtype]
        assert function is not None
        function(ready.table, ready.factors, pointers, ready.steps, ready.moving, count, chunk, between)
