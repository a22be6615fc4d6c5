"""The order of a contraction: pairs of tensors, found by opt_einsum, or cotengra, under time and memory.

Values are numbered: the operands first, then what each product makes.  Batch and channels are indices too, which are
never summed; an index on three tensors (a spider) stays until the last of them has come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from catnn.hypergraph.contraction import Contraction
from catnn.plan.exchange import Costs, exchanged, path_of, tree_of
from catnn.plan.searching import searched

BATCH, CHANNELS = -1, -2
"""The indices of the batch and of the channels."""

HINT = 16
"""The size that is assumed where nobody gave one."""

MOST_OPTIMAL = 10
"""So many operands are ordered by dynamic programming, which finds the best; more, greedily, or by cotengra."""

WRITE = 16
"""To write a number costs as much as so many multiplications."""

MOST_NUMBERS = 2**26
"""An intermediate tensor has at most this many numbers, if an order allows it."""


@dataclass(frozen=True, slots=True)
class Product:
    """One step: the product of two values, or of one alone, summed over what is not kept.

    kept: the indices of the result, ascending.
    """

    left: int
    right: int | None
    kept: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ContractionPlan:
    """How a contraction is computed; every operand is used once, the last product is the result.

    axes: for each operand its indices, batch and channels among them; cost: its multiplications at the hinted sizes,
    and what it writes.
    """

    contraction: Contraction
    axes: tuple[tuple[int, ...], ...]
    products: tuple[Product, ...]
    cost: int


def plan_contraction(
    contraction: Contraction, extra: tuple[tuple[int, ...], ...], channels: int, sizes: Mapping[str, int] | None = None
) -> ContractionPlan:
    """The plan of a contraction.

    extra: for each operand, which of BATCH and CHANNELS it has; sizes: hints.
    """
    axes = tuple((*operand.axes, *more) for operand, more in zip(contraction.operands, extra, strict=True))
    lengths = index_lengths(contraction, channels, sizes or {})
    target = set(contraction.target) | {index for more in extra for index in more}
    current = {at: set(found) for at, found in enumerate(axes)}
    products: list[Product] = []
    live = list(current)

    def elsewhere(used: Iterable[int]) -> set[int]:
        gone = set(used)
        return target.union(*(current[value] for value in live if value not in gone))

    def add(left: int, right: int | None, used: list[int]) -> int:
        kept = set().union(*(current[value] for value in used)) & elsewhere(used)
        products.append(Product(left, right, tuple(sorted(kept))))
        number = len(axes) + len(products) - 1
        current[number] = kept
        live[:] = [value for value in live if value not in used] + [number]
        return number

    for at, found in enumerate(axes):  # diagonals and sums that concern one operand alone
        if len(set(found)) < len(found) or not set(found) <= elsewhere([at]):
            add(at, None, [at])
    live.sort(key=lambda value: products[value - len(axes)].left if value >= len(axes) else value)
    cost = 0
    own = [axes[products[value - len(axes)].left if value >= len(axes) else value] for value in live]
    inputs = [tuple(i for i in _stored(found) if i in current[value]) for value, found in zip(live, own, strict=True)]
    order = {index: at for at, index in reversed(list(enumerate((BATCH, *contraction.target))))}
    for left, right in _path(inputs, target, lengths, order):
        one, other = live[left], live[right]
        volume = _volume(current[one] | current[other], lengths)
        cost += volume + WRITE * _volume(current[add(one, other, [one, other])], lengths)
    return ContractionPlan(contraction, axes, tuple(products), cost)


def index_lengths(contraction: Contraction, channels: int, sizes: Mapping[str, int]) -> dict[int, int]:
    """The length of each index, of the batch and of the channels; sizes: hints."""
    found = {BATCH: HINT, CHANNELS: channels}
    for index, wire in enumerate(contraction.wires):
        size = wire.group.size
        found[index] = size if isinstance(size, int) else sizes.get(size, HINT)
    return found


def _volume(indices: Iterable[int], lengths: Mapping[int, int]) -> int:
    total = 1
    for index in indices:
        total *= lengths[index]
    return total


def _stored(axes: Iterable[int]) -> tuple[int, ...]:
    """The indices of an operand as they lie in memory: batch first, channels last."""
    return tuple(sorted(dict.fromkeys(axes), key=lambda index: {BATCH: -1, CHANNELS: 1}.get(index, 0)))


def _path(
    inputs: list[tuple[int, ...]], target: set[int], lengths: dict[int, int], order: dict[int, int]
) -> list[tuple[int, int]]:
    """Pairs of positions, as opt_einsum counts them: both are removed, the result goes to the end.

    inputs: the indices of each operand, as they lie in memory; order: the places of indices in the result.
    """
    if len(inputs) < 2:
        return []
    if len(inputs) == 2:
        return [(0, 1)]
    from opt_einsum import paths

    frozen = [frozenset(found) for found in inputs]
    output = frozenset(target & set().union(*inputs))
    largest = max(_volume(found, lengths) for found in (*frozen, output))
    best = paths.DynamicProgramming(minimize=f"combo-{WRITE}")
    search = best if len(inputs) <= MOST_OPTIMAL else paths.greedy
    found = [tuple(sorted(pair)) for pair in search(frozen, output, lengths, max(MOST_NUMBERS, largest))]
    if any(len(pair) > 2 for pair in found):  # no order keeps within the memory
        found = [tuple(sorted(pair)) for pair in search(frozen, output, lengths, None)]
    pairs = [(pair[0], pair[1]) for pair in found]
    costs = Costs(inputs, frozenset(target), lengths, WRITE, max(MOST_NUMBERS, largest), order)
    if len(inputs) <= MOST_OPTIMAL:
        return path_of(exchanged(tree_of(pairs, len(inputs)), costs), len(inputs))
    better = searched(costs)
    if better is not None and costs.of(better) < costs.of(tree_of(pairs, len(inputs))):
        return path_of(better, len(inputs))
    return pairs


# ------------------------------------------------------------------------------------------------------------- proof


class UnsoundOrderError(AssertionError):
    """A plan that computes something else than its contraction: a defect of catnn, never of a spec."""


def prove_contraction(plan: ContractionPlan) -> None:
    """Run a plan on indices instead of numbers and compare: every operand once, every sum where it may be.

    An index may be summed when no tensor that is still to come has it, and the result does not; so the composite of the
    products is the contraction, for all sizes at once.
    Raises: UnsoundOrderError.
    """
    contraction = plan.contraction
    made: list[tuple[Counter[int], set[int], set[int]]] = []  # operands inside, indices open, indices summed
    for at, axes in enumerate(plan.axes):
        own = contraction.operands[at].axes
        if axes[: len(own)] != own or not set(axes[len(own) :]) <= {BATCH, CHANNELS}:
            raise UnsoundOrderError(f"operand {at} has other axes than in the diagram")
        made.append((Counter({at: 1}), set(axes), set()))
    target = set(contraction.target) | {index for axes in plan.axes for index in axes if index < 0}
    for product in plan.products:
        parts = [made[product.left]] + ([made[product.right]] if product.right is not None else [])
        inside = sum((part[0] for part in parts), Counter[int]())
        open_ = set().union(*(part[1] for part in parts))
        closed = set().union(*(part[2] for part in parts))
        summed = open_ - set(product.kept)
        outside = [at for at in range(len(plan.axes)) if at not in inside]
        ascending = list(product.kept) == sorted(set(product.kept))
        if not ascending or not set(product.kept) <= open_ or closed & open_ or summed & target:
            raise UnsoundOrderError("a product keeps or sums an index that it must not")
        if any(summed & set(plan.axes[at]) for at in outside):
            raise UnsoundOrderError("an index is summed before all its tensors have come")
        made.append((inside, set(product.kept), closed | summed))
    if not made:
        return
    inside, open_, _ = made[-1]
    if len(made) > len(plan.axes) or len(plan.axes) == 1:
        if inside != Counter(range(len(plan.axes))) or not open_ <= target:
            raise UnsoundOrderError("the last product is not the whole contraction")
        if len(plan.axes) == 1 and not plan.products and len(set(plan.axes[0])) < len(plan.axes[0]):
            raise UnsoundOrderError("a diagonal is not taken")
    elif plan.axes:
        raise UnsoundOrderError("there are operands that no product takes")
