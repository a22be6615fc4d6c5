"""What the emitter takes for granted of a plan, checked before the proof asks what the plan computes."""

from __future__ import annotations

from collections.abc import Iterator

from catnn.category.families import FAMILIES
from catnn.category.wires import Wire, Word
from catnn.plan.moves import Move, full
from catnn.plan.plan import Column, Plan, Product, Row


def malformed(plan: Plan) -> Iterator[str]:
    """What is wrong with the form of a plan, in words; nothing where all is well.

    A plan may denote the right diagrams and still be no plan: a move made twice is the same value to the proof, but
    is written twice into the target; two axes in the wrong order are the same block, but Omega has a sign.
    """
    for words, side in ((plan.source.words, plan.reads), (plan.target.words, plan.writes)):
        if len(words) != len(side):
            yield "one sequence of moves a summand"
        for word, moves in zip(words, side, strict=False):
            yield from _moves(word, moves)
    for product in plan.products:
        yield from _product(product)
    for direct in plan.directs:
        if direct.row.half.level != direct.column.half.level or not _permutes(direct.sigma, direct.row.half.level):
            yield "a fixed diagram joins two levels"
    biases: dict[int, int] = {}
    for constant in plan.constants:
        out = constant.column.summand
        if constant.column.half.level or constant.index - biases.get(out, -1) not in (0, 1) or constant.index < 0:
            yield "the biases of a summand are scalars, in order"
        biases[out] = constant.index


def _moves(word: Word, moves: tuple[Move, ...]) -> Iterator[str]:
    reached = {full(word)}
    for move in moves:
        level = move.fine.level
        if move.fine not in reached or move.coarse in reached:
            yield f"{move.coarse} is reached once, from what is there"
        reached.add(move.coarse)
        if move.op == "epsilon":
            yield from _epsilon(move)
        elif not move.axes or any(a >= b for a, b in zip(move.axes, move.axes[1:], strict=False)):
            yield f"the axes of a move ascend, not {move.axes}"
        elif not 0 <= move.axes[0] <= move.axes[-1] < len(level):
            yield f"{move.fine} has no axes {move.axes}"
        elif move.op != "sum" and (len(move.axes) != 2 or not _meet(*(level[a] for a in move.axes))):
            yield f"a {move.op} is of two axes of one space"
        elif move.op != "diagonal" and any(FAMILIES[level[a].group.family].closing != move.op for a in move.axes):
            yield f"no {move.op} closes a block of this group"


def _epsilon(move: Move) -> Iterator[str]:
    level, axes = move.fine.level, (*move.axes, *move.arms)
    if not axes or list(move.axes) != sorted(set(move.axes)) or not all(0 <= a < len(level) for a in axes):
        yield f"{move.fine} has no axes {move.axes} for an epsilon"
        return
    if len({level[a] for a in axes}) > 1 or not FAMILIES[move.wire.group.family].epsilon or move.born < 0:
        yield "an epsilon has its legs on axes of one space, at most as many as there are dimensions"
    elif len(move.coarse.heads) - len(move.fine.heads) != (move.head is not None):
        yield f"an epsilon leads from {move.fine} to {move.coarse}, which has not one jellyfish more"
    elif move.diagram().target != move.coarse.level:
        yield f"an epsilon on the axes {move.axes} does not lead to {move.coarse}"


def _meet(one: Wire, other: Wire) -> bool:
    """Whether two axes may be joined: they are of one space, and of a complex one they are V and V'."""
    return one == other.flipped() if FAMILIES[one.group.family].oriented else one == other


def _product(product: Product) -> Iterator[str]:
    places: tuple[tuple[Row, ...] | tuple[Column, ...], ...] = (product.rows, product.columns)
    for side in places:
        if any(place.half.level != product.level for place in side):
            yield "the rows and columns of a product have its level"
        summands = [place.summand for place in side]
        if summands != sorted(summands) or len(set(side)) != len(side):
            yield "the rows and columns of a product stand by summand, each once"
    if len(set(product.sigmas)) != len(product.sigmas):
        yield "the permutations of a product differ"
    if not all(_permutes(sigma, product.level) for sigma in product.sigmas):
        yield "the permutations of a product are of its level"


def _permutes(sigma: tuple[int, ...], level: Word) -> bool:
    return sorted(sigma) == list(range(len(level))) and all(level[i] == level[j] for j, i in enumerate(sigma))
