"""What the steps of a point-ful network cost: contractions product by product, functions entry by entry.

The polynomials are those of `catnn.plan.cost`.  A product of two tensors is a multiply-add for each entry of the loop
over all its indices, a function of one number is one for each entry; the gradient of a product is two products of the
same size, that of any other step costs what the step costs.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from catnn.category.scalar import ONE, ZERO, Scalar
from catnn.category.wires import Summand, Wire
from catnn.hypergraph.contraction import Contraction, aligned
from catnn.model import Activate, Combine, Stage, walk
from catnn.plan.contract import BATCH, CHANNELS, ContractionPlan, plan_contraction
from catnn.plan.cost import BATCH as ENTRIES
from catnn.plan.cost import Cost, total, volume
from catnn.plan.fuse import batched, covered, extras, fused
from catnn.plan.orders import operand_keys, ranked, symmetric_axes
from catnn.program import Add, Along, Contract, Program, Run, Step, renumbered

FREE = Cost()
"""What a view costs, and what is computed already."""

PER_ENTRY = {"softmax": 3, "layer_norm": 4, "rms_norm": 2, "gate": 2, "norm_relu": 2}
"""Multiply-adds for each entry: softmax is exp, sum and division; others are one, as a function of one number is."""


@dataclass(frozen=True, slots=True)
class Pairwise:
    """A product of two tensors, or a sum over one, inside a contraction.

    left, right: operands of the plan first, then what its earlier products make; axes: the indices of each factor, as
    the contraction of the step numbers them; kept: those of the result; again: whether it was computed before.
    """

    left: int
    right: int | None
    axes: tuple[tuple[int, ...], ...]
    kept: tuple[int, ...]
    cost: Cost
    again: bool = False


@dataclass(frozen=True, slots=True)
class Price:
    """What a step costs forward, backward, and naively, and the numbers in the largest tensor that it makes."""

    forward: Cost = FREE
    backward: Cost = FREE
    naive: Cost = FREE
    largest: Scalar = ZERO


@dataclass(frozen=True)
class Work:
    """A step of a program, as it is computed.

    step: with what was fused into it, boxes of low rank as two; plan: of a contraction; naive: what it costs as it was
    written, all operands in one loop nest; largest: the numbers in the largest tensor that it makes; inside: whether a
    later step computes it; again: whether an earlier one has; along: the layers that it is computed with, as one.
    """

    step: Step
    values: tuple[int, ...]
    price: Price
    plan: ContractionPlan | None = None
    products: tuple[Pairwise, ...] = ()
    inside: bool = False
    again: bool = False
    along: str = ""


def works(program: Program, sizes: Mapping[str, int], run: Callable[[Run], Price]) -> tuple[Work, ...]:
    """Every step of a program with its cost.

    sizes: where the largest tensor is the largest; run: what a step that calls something costs.

    >>> import catnn
    >>> text = "space V : S(n)  network f(x: V^2, y: V^2, z: V) -> V { return [i j, j k, k -> i](x, y, z) }"
    >>> (found,) = works(catnn.parse(text)["f"].program, {"n": 9, "batch": 1}, lambda step: Price())
    >>> print(found.price.forward.madds, "instead of", found.price.naive.madds)
    2*batch*n^2 instead of 2*batch*n^3
    """
    return tuple(_Counting(program, sizes, run).all())


@dataclass
class _Made:
    """The operands of a contraction, then what its products make: what each is, and its indices in order."""

    what: list[Hashable]
    axes: list[tuple[int, ...]]


@dataclass
class _Counting:
    """The steps of a program so far: what is computed twice is counted once."""

    program: Program
    sizes: Mapping[str, int]
    run: Callable[[Run], Price]

    def all(self) -> Iterator[Work]:
        """Each step in order."""
        program, plans = self.program, fused(self.program)
        self.flags, self.tensors = batched(program), dict(program.tensors)
        self.first = list(range(len(program.values)))  # the first value that is the same
        self.seen: dict[Hashable, int] = {}
        done: dict[Step, int] = {}
        at = len(program.values) - sum(len(step.outputs) for step in program.steps)
        for number, written in enumerate(program.steps):
            values = tuple(range(at, at + len(written.outputs)))
            at += len(values)
            step = plans.get(number, written)
            key = renumbered(written, self.first.__getitem__)
            if step is None:
                yield replace(self._step(written, written, values, count=False), inside=True)
            elif key in done:
                self.first[values[0] : at] = self.first[done[key] : done[key] + len(values)]
                yield replace(self._step(written, written, values, count=False), again=True)
            else:
                done[key] = values[0]
                yield self._step(step, written, values)

    def _step(self, step: Step, written: Step, values: tuple[int, ...], *, count: bool = True) -> Work:
        """A step; count: whether it is computed here, or costs nothing but naively."""
        if isinstance(step, Contract) and isinstance(written, Contract):
            naive = self._nested(written)
            if count:
                return self._contract(step, values, naive)
            ranks = replace(step, contraction=ranked(step.contraction, self.tensors))
            return Work(ranks, values, Price(naive=naive))
        price = self._plain(step)
        return Work(step, values, price if count else Price(naive=price.naive))

    def _plain(self, step: Step) -> Price:
        if isinstance(step, Run):
            return self.run(step)
        assert not isinstance(step, Contract)
        size = volume(step.output.word, step.output.channels, batch=any(self.flags[value] for value in step.inputs))
        read, madds = size, size
        if isinstance(step, Along):
            madds = size * Scalar.of(PER_ENTRY.get(step.function, 1))
        elif isinstance(step, Add):
            summands = [self.program.values[value] for _, value in step.terms]
            flags = [self.flags[value] for _, value in step.terms]
            read = sum((volume(s.word, s.channels, batch=b) for s, b in zip(summands, flags, strict=True)), ZERO)
            madds = size * Scalar.of(additions([c for c, _ in step.terms]))
        cost = Cost(read, size, madds)
        return Price(cost, cost, cost, size)

    # ---------------------------------------------------------------------------------------------- contractions

    def _contract(self, step: Contract, values: tuple[int, ...], naive: Cost) -> Work:
        step = replace(step, contraction=ranked(step.contraction, self.tensors))
        contraction, channels = step.contraction, step.output.channels
        same = tuple(self.first[value] for value in step.inputs)
        marked = tuple(Wire(str(index), wire.group) for index, wire in enumerate(contraction.wires))
        marked_ = replace(contraction, wires=marked)
        sorted_ = aligned(marked_, operand_keys(contraction, same), symmetric_axes(step, self.program))
        marks = {index: int(wire.space) for index, wire in enumerate(sorted_.wires)}
        more = extras(self.program, self.flags, replace(step, contraction=sorted_))
        plan = plan_contraction(sorted_, more, channels)
        made = _Made([same[o.label] if isinstance(o.label, int) else o.label for o in sorted_.operands], [*plan.axes])
        products = tuple(self._products(plan, made, channels, marks))
        costs = [product.cost for product in products if not product.again]
        kept = products[-1].kept if products else (sorted_.operands[0].axes if sorted_.operands else ())
        self._identify(sorted_, made, values[0])
        result = volume(step.output.word, channels, batch=self.flags[values[0]])
        if len(set(contraction.target)) < len(contraction.target):  # written on a diagonal of zeros
            costs.append(Cost(_volume(set(kept), contraction, channels), result))
        if contraction.scalar != ONE:
            costs.append(Cost(result, result, result))
        pairs = [product.cost for product in products if product.right is not None and not product.again]
        largest = max((cost.written for cost in costs), key=lambda size: size.value(self.sizes), default=ZERO)
        return Work(step, values, Price(total(costs), total([*costs, *pairs]), naive, largest), plan, products)

    def _products(
        self, plan: ContractionPlan, made: _Made, channels: int, marks: Mapping[int, int]
    ) -> Iterator[Pairwise]:
        contraction, what, axes = plan.contraction, made.what, made.axes
        for product in plan.products:
            sides = [product.left] + ([] if product.right is None else [product.right])
            read = sum((_volume(set(axes[side]), contraction, channels) for side in sides), ZERO)
            used = set().union(*(axes[side] for side in sides))
            cost = Cost(read, _volume(product.kept, contraction, channels), _volume(used, contraction, channels))
            if product.right is None and used == set(product.kept):
                cost = FREE  # a diagonal is a view
            pieces = sorted(((what[side], axes[side]) for side in sides), key=lambda piece: (str(piece[0]), piece[1]))
            key, order = _identity(pieces, product.kept)
            again = key in self.seen
            what.append(("product", self.seen.setdefault(key, len(self.seen))))
            rows = tuple(tuple(marks.get(index, index) for index in axes[side]) for side in sides)
            kept = tuple(marks.get(index, index) for index in order)
            yield Pairwise(product.left, product.right, rows, kept, cost, again)
            axes.append(order)

    def _identify(self, contraction: Contraction, made: _Made, value: int) -> None:
        """Note what a contraction has made: where that was made before, the value is the earlier one."""
        target, axes = contraction.target, [index for index in made.axes[-1] if index >= 0] if made.axes else []
        if contraction.scalar == ONE and sorted(axes) == sorted(target) and covered(contraction):
            key = ("value", made.what[-1], tuple(map(target.index, axes)))
            if isinstance(made.what[-1], int) and axes == list(target):
                self.first[value] = made.what[-1]  # a value as it is
            else:
                self.first[value] = self.seen.setdefault(key, value)

    def _nested(self, step: Contract) -> Cost:
        """All operands of a contraction in one loop nest."""
        contraction = ranked(step.contraction, self.tensors)
        own = extras(self.program, self.flags, replace(step, contraction=contraction))
        axes = [{*operand.axes, *more} for operand, more in zip(contraction.operands, own, strict=True)]
        channels, used = step.output.channels, set().union(*axes)
        target = {*contraction.target, *(index for index in used if index < 0)}
        read = sum((_volume(found, contraction, channels) for found in axes), ZERO)
        loop = _volume(used, contraction, channels)
        times = max(len(axes) - 1, 1 if used - target or contraction.scalar != ONE else 0)
        return Cost(read, _volume(target, contraction, channels), loop * Scalar.of(times)) if times else FREE


def _identity(
    pieces: list[tuple[Hashable, tuple[int, ...]]], kept: tuple[int, ...]
) -> tuple[Hashable, tuple[int, ...]]:
    """What identifies a product whatever its indices are called, and its result's indices in an order that does."""
    numbers = {index: at for at, index in enumerate(dict.fromkeys(i for _, axes in pieces for i in axes if i >= 0))}
    shown = tuple((what, tuple(numbers.get(index, index) for index in axes)) for what, axes in pieces)
    order = tuple(sorted(kept, key=lambda index: numbers.get(index, index)))
    return (shown, tuple(numbers.get(index, index) for index in order)), order


def _volume(indices: Iterable[int], contraction: Contraction, channels: int) -> Scalar:
    """How many entries a tensor with these indices has."""
    found = ONE
    for index in indices:
        if index == BATCH:
            found = found * Scalar.size(ENTRIES)
        elif index == CHANNELS:
            found = found * Scalar.of(channels)
        else:
            found = found * Scalar.size(contraction.wires[index].group.size)
    return found


# ------------------------------------------------------------------------------------------------------ whole stages


def additions(coefficients: list[Scalar]) -> int:
    """The multiply-adds of a linear combination for each entry.

    >>> additions([ONE, ONE]), additions([Scalar.of(2)]), additions([ONE, -ONE, Scalar.size("n")])
    (1, 1, 3)
    """
    return len(coefficients) - 1 + sum(c not in (ONE, -ONE) for c in coefficients)


def activation_cost(stage: Activate) -> Cost:
    """An activation on every entry of its summands."""
    return total(_entries(summand, PER_ENTRY.get(stage.activation, 1)) for summand in stage.source.summands)


def sums_cost(stage: Stage) -> Cost:
    """The linear combinations inside a stage."""
    found = []
    for inner in walk(stage):
        if isinstance(inner, Combine):
            times = additions([c for c, _ in inner.terms])
            for summand in inner.target.summands:
                size = volume(summand.word, summand.channels)
                found.append(Cost(size * Scalar.of(len(inner.terms)), size, size * Scalar.of(times)) if times else FREE)
    return total(found)


def _entries(summand: Summand, times: int) -> Cost:
    size = volume(summand.word, summand.channels)
    return Cost(size, size, size * Scalar.of(times))
