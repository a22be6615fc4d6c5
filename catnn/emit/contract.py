"""A contraction as source: views, products of matrices, and sums, in the order of its plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from catnn.emit.tensors import BATCH, Held, Lines, grouped, ordered, sort_axes, ungrouped
from catnn.hypergraph.contraction import Contraction
from catnn.plan.contract import ContractionPlan, index_lengths

Key = tuple[object, ...]


@dataclass
class Shared:
    """What was computed already, by what it is: two products are one iff their factors and their indices are.

    matrices: the factors of products of two matrices, by the variable that holds the product.
    """

    found: dict[Key, tuple[str, tuple[int, ...]]] = field(default_factory=dict)
    matrices: dict[str, tuple[str, str]] = field(default_factory=dict)

    def forget(self, name: str) -> None:
        """Drop a variable that is not made after all."""
        self.found = {key: made for key, made in self.found.items() if made[0] != name}


def emit_contraction(
    plan: ContractionPlan,
    operands: Sequence[Held],
    lines: Lines,
    shared: Shared,
    length: Callable[[int], str],
    ones: str,
    comment: str,
) -> Held:
    """The lines of a plan; the result's axes are the positions of the target, batch and channels.

    operands: with the indices of the contraction as axes; length: the expression of the length of an index that no
    operand has; ones: how a tensor of ones is made where there is no operand.
    """
    writer = _Writer(lines, shared, list(operands), tuple(dict.fromkeys(plan.contraction.target)), _by_length(plan))
    for number, product in enumerate(plan.products):
        last = writer.last = number == len(plan.products) - 1
        if product.right is None:
            writer.single(product.left, set(product.kept), comment if last else "")
        else:
            writer.product(product.left, product.right, set(product.kept), comment if last else "")
    if not operands:
        writer.values.append(Held(lines.let("z", f"{ones}(())", comment), ()))
    return _placed(writer.values[-1], plan.contraction, lines, length)


@dataclass
class _Writer:
    """The products of one plan.

    wanted, short: the orders of indices for the result, and for what is made on the way; last: whether this one is it.
    """

    lines: Lines
    shared: Shared
    values: list[Held]
    wanted: tuple[int, ...]
    short: tuple[int, ...]
    last: bool = False

    def _keep(self, key: tuple[object, ...], named: Mapping[int, int], make: Callable[[], Held]) -> None:
        """A tensor under its key, made unless it is there; named: its indices as numbers that mean the same."""
        back = {number: index for index, number in named.items()}
        if key in self.shared.found:
            name, axes = self.shared.found[key]
            self.values.append(Held(name, tuple(back.get(axis, axis) for axis in axes)))
            return
        held = make()
        self.shared.found[key] = (held.name, tuple(named.get(axis, axis) for axis in held.axes))
        self.values.append(held)

    def single(self, at: int, kept: set[int], comment: str) -> None:
        """Diagonals and sums of one tensor."""
        held = self.values[at]
        named = _named(held.axes)
        key = (
            "one",
            held.name,
            tuple(named.get(axis, axis) for axis in held.axes),
            frozenset(named.get(k, k) for k in kept),
        )

        def make() -> Held:
            expression, axes = held.name, list(held.axes)
            for index in dict.fromkeys(axes):
                while axes.count(index) > 1:
                    first = axes.index(index)
                    second = axes.index(index, first + 1)
                    expression += f".diagonal(0, {first}, {second})"
                    del axes[second], axes[first]
                    axes.append(index)
            summed = [at for at, index in enumerate(axes) if index not in kept]
            if summed:
                expression += f".sum({summed[0] if len(summed) == 1 else tuple(summed)})"
            return Held(self.lines.let("z", expression, comment), tuple(i for i in axes if i in kept))

        self._keep(key, named, make)

    def product(self, left: int, right: int, kept: set[int], comment: str) -> None:
        """The product of two tensors, summed over what is not kept."""
        one, other = self.values[left], self.values[right]
        if (other.name, other.axes) < (one.name, one.axes):
            one, other = other, one
        named = _named((*one.axes, *other.axes))
        axes = tuple(tuple(named.get(axis, axis) for axis in held.axes) for held in (one, other))
        key = ("two", one.name, other.name, axes, frozenset(named.get(index, index) for index in kept))
        self._keep(key, named, lambda: self._product(self.values[left], self.values[right], kept, comment))

    def _product(self, left: Held, right: Held, kept: set[int], comment: str) -> Held:
        held = self._multiplied(left, right, kept, comment)
        if BATCH not in held.axes or held.axes[0] == BATCH:
            return held
        axes = (BATCH, *(axis for axis in held.axes if axis != BATCH))  # where everybody looks for it
        return Held(self.lines.let("z", ordered(held, axes)), axes)

    def _multiplied(self, left: Held, right: Held, kept: set[int], comment: str) -> Held:
        both = [axis for axis in left.axes if axis in right.axes]
        shared = sort_axes((axis for axis in both if axis in kept), ())
        summed = [axis for axis in both if axis not in kept]
        rows = [axis for axis in left.axes if axis not in right.axes]
        columns = [axis for axis in right.axes if axis not in left.axes]
        if self._exchanged(shared, rows, columns):
            left, right, rows, columns = right, left, columns, rows
        if not summed:
            return self._outer(left, right, [*shared, *rows, *columns], comment)
        matrix = left if rows else right
        if (not rows and not columns) or self._entrywise(matrix, shared, rows, columns):
            return self._inner(left, right, sort_axes((*matrix.axes,), matrix.axes), summed, comment)
        summed.sort(key=right.axes.index)
        if not shared:  # torch folds the rows by itself
            flat = len(rows) > 1 and [*rows, *summed] != list(left.axes)  # rows that lie apart it would take one by one
            first = grouped(left, [rows, summed] if flat else [*([row] for row in rows), summed])
            second = grouped(right, [summed, columns] if columns else [summed])
            at = 1 if flat else len(rows)
            back = ungrouped(at, columns, lambda axis: f"{right.name}.shape[{right.at(axis)}]")
            back += ungrouped(0, rows, lambda axis: f"{left.name}.shape[{left.at(axis)}]") if flat else ""
            product = self.lines.let("z", f"{first} @ {second}" if not back else f"({first} @ {second}){back}", comment)
            if not back and len(rows) == len(columns) == 1:
                self.shared.matrices[product] = first, second
            return Held(product, (*rows, *columns))
        first = grouped(left, [*([axis] for axis in shared), rows, summed])
        second = grouped(right, [*([axis] for axis in shared), summed, columns])
        if first == second and left.axes[-1] in shared:  # matrices that lie apart are copied: once is enough
            first = second = self.lines.let("z", f"{first}.contiguous()", "both factors")
        at = len(shared)
        back = ungrouped(at + 1, columns, lambda axis: f"{right.name}.shape[{right.at(axis)}]")
        back += ungrouped(at, rows, lambda axis: f"{left.name}.shape[{left.at(axis)}]") if rows else f".squeeze({at})"
        product = self.lines.let("z", f"({first} @ {second}){back}" if back else f"{first} @ {second}", comment)
        return Held(product, (*shared, *rows, *columns))

    def _exchanged(self, shared: list[int], rows: list[int], columns: list[int]) -> bool:
        """Whether the right factor had better be the left.

        A vector times matrices is fast from the left, a matrix times one vector from the right.  Then batch is among
        the rows, and then the order is the one that is wanted.
        """
        if not rows or not columns:
            return not columns if shared else not rows
        if BATCH in rows or BATCH in columns:
            return BATCH in columns
        order = sort_axes((*rows, *columns), self.wanted)
        return order[0] in columns

    def _outer(self, left: Held, right: Held, axes: list[int], comment: str) -> Held:
        order = sort_axes(axes, self.wanted if self.last else self.short)
        return Held(self.lines.let("z", f"{ordered(left, order)} * {ordered(right, order)}", comment), tuple(order))

    @staticmethod
    def _entrywise(matrix: Held, shared: list[int], rows: list[int], columns: list[int]) -> bool:
        """Whether matrices times vectors are better multiplied entry by entry: they would be copied to be matrices."""
        return len(shared) > 1 and not (rows and columns) and [*matrix.axes[: len(shared)]] != shared

    def _inner(self, left: Held, right: Held, order: list[int], summed: list[int], comment: str) -> Held:
        sums = [at for at, axis in enumerate(order) if axis in summed]
        expression = (
            f"({ordered(left, order)} * {ordered(right, order)}).sum({sums[0] if len(sums) == 1 else tuple(sums)})"
        )
        return Held(self.lines.let("z", expression, comment), tuple(axis for axis in order if axis not in summed))


def _by_length(plan: ContractionPlan) -> tuple[int, ...]:
    """The indices of a plan, short ones first: entry by entry, a tensor is made fast along a long last axis."""
    contraction = plan.contraction
    lengths = index_lengths(contraction, 1, {})
    wanted = dict.fromkeys((*contraction.target, *range(len(contraction.wires))))
    return tuple(sorted(wanted, key=lambda index: lengths[index]))


def _named(axes: Sequence[int]) -> dict[int, int]:
    """Indices as numbers by first appearance, so that what is computed does not depend on what they are called."""
    return {axis: at for at, axis in enumerate(dict.fromkeys(axis for axis in axes if axis >= 0))}


def _placed(held: Held, contraction: Contraction, lines: Lines, length: Callable[[int], str]) -> Held:
    """The result with an axis for each place of the target: missing indices broadcast, repeated ones are diagonals."""
    missing = [index for index in dict.fromkeys(contraction.target) if index not in held.axes]
    if missing:
        order = sort_axes((*held.axes, *missing), contraction.target)
        sizes = ", ".join(length(index) if index in missing else "-1" for index in order)
        held = Held(lines.let("z", f"{ordered(held, order)}.expand({sizes})"), tuple(order))
    for index in dict.fromkeys(contraction.target):
        for _ in range(contraction.target.count(index) - 1):
            others = [axis for axis in held.axes if axis != index]
            axes = [*others, index]
            held = Held(lines.let("z", f"torch.diag_embed({ordered_full(held, index)})"), (*axes, index))
    places: dict[int, list[int]] = {}
    for at, index in enumerate(contraction.target):
        places.setdefault(index, []).append(at)
    return Held(held.name, tuple(axis if axis < 0 else places[axis].pop(0) for axis in held.axes))


def ordered_full(held: Held, index: int) -> str:
    """A tensor with one of the axes of an index last."""
    at = len(held.axes) - 1 - held.axes[::-1].index(index)
    return held.name if at == len(held.axes) - 1 else f"{held.name}.movedim({at}, -1)"
