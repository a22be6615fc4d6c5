"""The proof of whole hom-spaces by their halves.

A diagram is the composite of an output half upside down, a permutation and an input half.  So a plan computes all
diagrams of a level if every reduction is the input half that it is named for, every write the output half, and every
weight stands where its three factors meet: as many facts as there are halves, not diagrams.  That the composites of the
factors are the diagrams is composed here for one whole row and one whole column of every level, and tested for all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from catnn.category.basis import Basis, Level
from catnn.category.compose import compose, compose_diagrams, permutation
from catnn.category.diagram import Sum
from catnn.category.half import Half, mean_factor
from catnn.category.halves import Factors
from catnn.category.scalar import ONE
from catnn.model import Layer
from catnn.plan.plan import Block, Grid, Plan, Product, Sigma, inverse

Values = Sequence[Mapping[Half, Sum]]

TURNS = 6
"""So many permutations of a level are composed with its first row and column."""


def unmet(plan: Plan, layer: Layer, reads: Values, writes: Values, *, mirrored: bool) -> Iterator[str]:
    """What is wrong with the products of a plan in words; nothing where all is well.

    reads, writes: what the moves of the plan compute (`catnn.plan.prove.values`); mirrored: whether this is the plan
    of the gradient.
    """
    pending = {
        (out, in_, level.start): level
        for out, row in enumerate(layer.weighted)
        for in_, basis in enumerate(row)
        if isinstance(basis, Basis)
        for level in basis.levels
    }
    lemmas: set[int] = set()
    for product in plan.products:
        grid = product.entries
        assert isinstance(grid, Grid)
        if grid.mirrored != mirrored:
            yield "the weights of the gradient stand the other way round"
        if product.scale:
            yield "a whole hom-space has no scale"
        if grid.sigmas != len(product.sigmas):
            yield "one weight a permutation"
        for block in grid.blocks:
            place = _place(product, block, mirrored=grid.mirrored)
            level = pending.pop(place, None) if place is not None else None
            if level is None or not _is_level(product, block, level, mirrored=grid.mirrored):
                yield f"the weights from {block.start} on are no level of the hom-space"
                continue
            if id(level) not in lemmas and not grid.mirrored:
                lemmas.add(id(level))
                yield from _lemma(level)
        yield from _halves(product, layer, reads, writes, mirrored=grid.mirrored)
    for out, in_, start in pending:
        yield f"the weights from {start} on, from summand {in_} to {out}, are never used"


def _place(product: Product, block: Block, *, mirrored: bool) -> tuple[int, int, int] | None:
    """(target summand, source summand, first weight) of a block, or None where it has no single ones."""
    outs = {column.summand for column in product.columns[block.columns.start : block.columns.stop]}
    ins = {row.summand for row in product.rows[block.rows.start : block.rows.stop]}
    if len(outs) != 1 or len(ins) != 1 or block.columns.step != 1 or block.rows.step != 1:
        return None
    (out,), (in_,) = outs, ins
    return (in_, out, block.start) if mirrored else (out, in_, block.start)


def _is_level(product: Product, block: Block, level: Level, *, mirrored: bool) -> bool:
    """Whether the columns, rows and permutations of a block are those of a level, in its order."""
    columns = tuple(column.half for column in product.columns[block.columns.start : block.columns.stop])
    rows = tuple(row.half for row in product.rows[block.rows.start : block.rows.stop])
    sigmas: tuple[Sigma, ...] = product.sigmas
    if mirrored:
        columns, rows, sigmas = rows, columns, tuple(inverse(sigma) for sigma in sigmas)
    return (columns, rows, sigmas) == (level.outputs, level.inputs, level.sigmas)


def _halves(product: Product, layer: Layer, reads: Values, writes: Values, *, mirrored: bool) -> Iterator[str]:
    """Rows are read and columns are written as their halves say; on the source's side a mean divides."""
    mean = layer.reduce == "mean"
    for row in product.rows:
        wanted = row.half.diagram().weighted
        factor = mean_factor(row.half) if mean and not mirrored else ONE
        if reads[row.summand][row.half].weighted != tuple((c * factor, d) for c, d in wanted):
            yield f"the reduction {row.half} is {reads[row.summand][row.half]}"
    for column in product.columns:
        wanted = column.half.diagram().dagger().weighted
        factor = mean_factor(column.half) if mean and mirrored else ONE
        if writes[column.summand][column.half].weighted != tuple((c * factor, d) for c, d in wanted):
            yield f"what is written to {column.half} is {writes[column.summand][column.half]}"


def _lemma(level: Level) -> Iterator[str]:
    """The first output half with every input half, and the first input half with every output half."""
    sigmas = level.sigmas[:TURNS]
    pairs = [(level.outputs[0], half) for half in level.inputs] + [(half, level.inputs[0]) for half in level.outputs]
    for at, (output, input_) in enumerate(pairs):
        sigma = sigmas[at % len(sigmas)]
        upper = compose(output.diagram().dagger(), permutation(level.word, sigma))
        meant = Factors(output, sigma, input_).diagram()
        found = [(c * e, d) for c, u in upper.weighted for e, d in compose_diagrams(u, input_.diagram())]
        if found != [(ONE, meant)]:
            yield f"{output}, {sigma} and {input_} compose to {found}, not to {meant}"
