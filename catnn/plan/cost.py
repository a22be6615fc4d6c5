"""What a plan costs: for every step the elements it reads and writes and its multiply-adds, as exact polynomials.

The polynomials are in the sizes of the spaces and in ``batch``; channels are numbers.  An addition counts as one
multiply-add, a view costs nothing.  The gradient is the mirrored plan, the reductions of the input once more, and at
each level the product of the two reductions (docs/explanation/reduce-mix-expand.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import comb
from typing import TYPE_CHECKING, Any

from catnn.category.scalar import ONE, ZERO, Scalar
from catnn.category.wires import Type, Word
from catnn.plan.moves import Move, full
from catnn.plan.plan import Column, Plan, Product, Row, mirror
from catnn.plan.prove import turn

if TYPE_CHECKING:
    import sympy

BATCH = "batch"
"""The symbol of the number of entries; no size may have this name."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Elements read, elements written, multiply-adds.

    >>> n = Scalar.size("n")
    >>> print(Cost(n * n, n, n * n) + Cost(n))
    reads n + n^2, writes n, multiply-adds n^2
    """

    read: Scalar = ZERO
    written: Scalar = ZERO
    madds: Scalar = ZERO

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.read + other.read, self.written + other.written, self.madds + other.madds)

    def value(self, sizes: Mapping[str, int]) -> tuple[int, int, int]:
        """The three numbers at these sizes, ``batch`` among them.  Raises: KeyError where a size is missing."""
        return int(self.read.value(sizes)), int(self.written.value(sizes)), int(self.madds.value(sizes))

    def sympy(self) -> tuple[sympy.Expr, sympy.Expr, sympy.Expr]:
        """The three as sympy expressions."""
        return self.read.sympy(), self.written.sympy(), self.madds.sympy()

    def __str__(self) -> str:
        return f"reads {self.read}, writes {self.written}, multiply-adds {self.madds}"


def total(costs: Iterable[Cost]) -> Cost:
    """The sum of many costs, with one pass over their terms."""
    columns: list[dict[Any, Fraction]] = [{}, {}, {}]
    for cost in costs:
        for column, scalar in zip(columns, (cost.read, cost.written, cost.madds), strict=True):
            for monomial, coefficient in scalar.terms:
                column[monomial] = column.get(monomial, Fraction(0)) + coefficient
    return Cost(*(Scalar(tuple(sorted((m, c) for m, c in column.items() if c))) for column in columns))


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a plan.

    phase: ``pack``, ``reduce``, ``mix``, ``expand`` or ``weights``; op: what is done; pattern: what the step computes;
    shape: of its result without the batch, spaces by their sizes, channels last.
    """

    phase: str
    op: str
    pattern: str
    shape: str
    cost: Cost


def volume(word: Word, channels: int = 1, *, batch: bool = True) -> Scalar:
    """How many elements a tensor on a word has.

    >>> from catnn.category.wires import Group, Wire
    >>> print(volume((Wire("V", Group("S", "n")),) * 2, 3))
    3*batch*n^2
    """
    result = Scalar.size(BATCH) if batch else ONE
    for wire in word:
        result = result * Scalar.size(wire.group.size)
    return result * Scalar.of(channels)


def shape(word: Word, channels: int) -> str:
    """The axes of a tensor on a word, channels last: ``n x n x 32``."""
    return " x ".join([*(str(wire.group.size) for wire in word), str(channels)])


def forward_steps(plan: Plan) -> tuple[Step, ...]:
    """Every step of a plan, in the order in which it runs."""
    return (*_packing(plan), *_running(plan))


def gradient_steps(plan: Plan) -> tuple[Step, ...]:
    """Every step of the gradient: for the input the plan upside down, for the weights the products of reductions."""
    back = mirror(plan)
    weights = (step for product in plan.products for step in _weights(plan, product))
    return (*_running(back), *_reductions(plan), *weights)


def _running(plan: Plan) -> tuple[Step, ...]:
    expansion = _Expansion(plan)
    mixed = tuple(step for product in plan.products for step in _mixing(plan, product, expansion))
    return (*_reductions(plan), *mixed, *expansion.direct_steps(), *expansion.steps())


# ---------------------------------------------------------------------------------------------------------- the steps


def _packing(plan: Plan) -> list[Step]:
    """The block matrices of weights, from the parameters."""
    steps = []
    for product in plan.products:
        used = ZERO
        for (_, c, r), combination in product.entries.items():
            block = _channels(plan.target, product.columns[c]) * _channels(plan.source, product.rows[r])
            used = used + Scalar.of(block * len(combination))
        size = Scalar.of(len(product.sigmas) * _width(plan.target, product.columns) * _width(plan.source, product.rows))
        blocks = f"{len(product.sigmas)} x {len(product.columns)} x {len(product.rows)} blocks"
        steps.append(Step("pack", "gather weights", blocks, str(size), Cost(used, size)))
    return steps


def _reductions(plan: Plan) -> list[Step]:
    """The moves that read the source, and the joining of what meets in one product."""
    steps = []
    for summand, moves in zip(plan.source.summands, plan.reads, strict=True):
        for move in moves:
            level = move.coarse.level
            cost = Cost() if move.op == "diagonal" else _closing(move, summand.channels)
            steps.append(Step("reduce", _name(move), str(move.coarse), shape(level, summand.channels), cost))
    for rows in dict.fromkeys(product.rows for product in plan.products if len(product.rows) > 1):
        word, width = rows[0].half.level, _width(plan.source, rows)
        size = volume(word, width)
        steps.append(Step("reduce", f"join {len(rows)}", _patterns(rows), shape(word, width), Cost(size, size)))
    return steps


def _closing(move: Move, channels: int) -> Cost:
    """A sum, a trace or a form: reads what it adds up, writes the sums."""
    read = volume(move.fine.level, channels)
    if move.op == "epsilon":
        read = _signed_slices(move, channels, len(move.axes))
    if move.op in ("trace", "form", "metric"):
        read = volume((*move.coarse.level, move.fine.level[move.axes[0]]), channels)
    return Cost(read, volume(move.coarse.level, channels), read)


def _signed_slices(move: Move, channels: int, legs: int) -> Scalar:
    """The elements that an epsilon adds up, leg after leg by the set of their indices, and spreads.

    legs: how many it contracts, of the axes of the fine half or, upside down, of those born.  A summed leg adds up what
    there is for each index; a leg in an axis that stays takes a slice of each set that is left, and puts them together.
    """
    n = move.wire.group.size
    assert isinstance(n, int)
    summed, arms = move.head[1] if move.head else 0, len(move.arms)
    slices = sum(comb(n, j) * j * n ** (legs - j) for j in range(2, legs + 1)) + summed * comb(n, legs + 1) * (legs + 1)
    slices += n ** (n - legs - summed - arms) + sum(comb(n, i) for i in range(arms)) * bool(arms)
    return volume(tuple(move.fine.level[a] for a in move.kept), channels) * Scalar.of(slices)


def _name(move: Move) -> str:
    return f"mean of {move.op}" if move.mean and move.op != "diagonal" else move.op


def _mixing(plan: Plan, product: Product, expansion: _Expansion) -> list[Step]:
    """A matrix product for each permutation; those after the first are added to it."""
    rows, columns = _width(plan.source, product.rows), _width(plan.target, product.columns)
    weights, result = Scalar.of(rows * columns), volume(product.level, columns)
    steps = []
    for at, sigma in enumerate(product.sigmas):
        whole = len(product.columns) == 1 and plan.is_whole(product.columns[0])
        again = expansion.begun(product.columns[0]) if whole else at > 0
        read = volume(product.level, rows) + weights + (result if again else ZERO)
        pattern = f"{turn(product.level, sigma)} of {len(product.rows)} -> {len(product.columns)}"
        cost = Cost(read, result, volume(product.level, rows * columns))
        steps.append(Step("mix", "product", pattern, shape(product.level, columns), cost))
    for column in product.columns:
        expansion.begun(column)
    if product.scale:
        steps.append(Step("mix", "scale", "", shape(product.level, columns), Cost(result, result, result)))
    return steps


class _Expansion:
    """The writes: each half starts from the first value that covers it, and what comes later is added."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.started: set[Column] = set()

    def begun(self, column: Column) -> bool:
        """Whether the column holds something already; from now on it does."""
        found = column in self.started
        self.started.add(column)
        return found

    def direct_steps(self) -> list[Step]:
        """Fixed diagrams and biases."""
        steps = []
        for direct in self.plan.directs:
            word, channels = direct.column.half.level, _channels(self.plan.target, direct.column)
            size = volume(word, channels)
            again = size if self.begun(direct.column) else ZERO
            cost = Cost(size + again, size, size if direct.coefficient != 1 or again else ZERO)
            steps.append(Step("mix", "fixed", str(turn(word, direct.sigma)), shape(word, channels), cost))
        for constant in self.plan.constants:
            word, channels = constant.column.half.level, _channels(self.plan.target, constant.column)
            size = volume(word, channels)
            again = size if self.begun(constant.column) else ZERO
            cost = Cost(Scalar.of(channels) + again, size, again)
            steps.append(Step("mix", "bias", str(constant.column.half.diagram().dagger()), shape(word, channels), cost))
        return steps

    def steps(self) -> list[Step]:
        """The moves upside down, the coarse first."""
        steps = []
        for out, (summand, moves) in enumerate(zip(self.plan.target.summands, self.plan.writes, strict=True)):
            for move in reversed(moves):
                cost = self._written(move, Column(out, move.fine), summand.channels)
                pattern = str(move.coarse.diagram().dagger())
                op = {"sum": "broadcast", "diagonal": "add on diagonal", "trace": "add on diagonal"}.get(move.op, "add")
                steps.append(Step("expand", op, pattern, shape(move.fine.level, summand.channels), cost))
            top = Column(out, full(summand.word))
            if not self.begun(top):
                zeros = Cost(ZERO, volume(summand.word, summand.channels))
                steps.append(Step("expand", "zeros", "", shape(summand.word, summand.channels), zeros))
        return steps

    def _written(self, move: Move, fine: Column, channels: int) -> Cost:
        whole, coarse = volume(move.fine.level, channels), volume(move.coarse.level, channels)
        again = self.begun(fine)
        if move.op == "sum":
            return Cost(coarse + (whole if again else ZERO), whole, whole if again else ZERO)
        places = _signed_slices(move, channels, move.born) if move.op == "epsilon" else coarse
        if move.op in ("trace", "form", "metric"):
            places = volume((*move.coarse.level, move.fine.level[move.axes[0]]), channels)
        return Cost(coarse + places, places + (ZERO if again else whole), places)


def _weights(plan: Plan, product: Product) -> list[Step]:
    """The gradient of the weights of a product: rows of the gradient times rows of the input."""
    rows, columns = _width(plan.source, product.rows), _width(plan.target, product.columns)
    read = volume(product.level, rows) + volume(product.level, columns)
    pattern = f"{len(product.columns)} x {len(product.rows)} blocks"
    cost = Cost(read, Scalar.of(rows * columns), volume(product.level, rows * columns))
    return [Step("weights", "product", f"{turn(product.level, s)}, {pattern}", f"{columns} x {rows}", cost)
            for s in product.sigmas]  # fmt: skip


def _channels(side: Type, place: Row | Column) -> int:
    return side.summands[place.summand].channels


def _width(side: Type, places: Iterable[Row | Column]) -> int:
    return sum(_channels(side, place) for place in places)


def _patterns(rows: tuple[Row, ...]) -> str:
    shown = [str(row.half) for row in rows]
    return ", ".join(shown) if len(shown) <= 3 else f"{shown[0]}, ... {len(shown)} halves"
