"""Packing: from the parameter (diagrams, out, in) to one block matrix a product, by views where the order allows."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from catnn.emit.functions import Function
from catnn.emit.running import number
from catnn.emit.writer import Body, one_tuple
from catnn.model import Layer
from catnn.plan.plan import Combination, Plan, Product

ONE = Fraction(1)
FEW = 16
"""Up to so many blocks are written out; more are gathered by an index."""


Indices = list[tuple[str, tuple[int, ...]]]


@dataclass(frozen=True, slots=True)
class Packing:
    """The function that packs the weights, and the index constants that it takes as further tensors."""

    function: Function
    indices: Indices


def pack_function(layer: Layer, plan: Plan, name: str) -> Packing:
    """Write the packing of all products of a plan."""
    body, indices = Body(), Indices()
    parameters = [layer.weight_name(o, i) for o, row in enumerate(layer.weighted) for i, pair in enumerate(row) if pair]
    for parameter in parameters:
        body.names.fresh(parameter)
    results = []
    for at, product in enumerate(plan.products):
        outs = sorted({column.summand for column in product.columns})
        ins = sorted({row.summand for row in product.rows})
        bands = [_cat([_block(layer, product, o, i, body, indices, parameters[0]) for i in ins], 2) for o in outs]
        shape = f"{len(product.sigmas)} x {len(product.columns)} x {len(product.rows)} blocks"
        results.append(body.let(f"w{at}", _cat(bands, 1), shape))
    body.say(f"return {one_tuple(results)}")
    tensors = (*parameters, *(index for index, _ in indices))
    doc = "The weights by product: (permutations, outputs, inputs), block matrices over the halves."
    return Packing(Function(name, tensors, doc, body), indices)


def _block(layer: Layer, product: Product, o: int, i: int, body: Body, indices: Indices, like: str) -> str:
    """The part of a product between two summands, as an expression of shape (sigmas, outputs, inputs)."""
    columns = [c for c, column in enumerate(product.columns) if column.summand == o]
    rows = [r for r, row in enumerate(product.rows) if row.summand == i]
    sigmas = range(len(product.sigmas))
    slots = [product.entries.get((s, c, r), ()) for c in columns for r in rows for s in sigmas]
    width, depth = layer.target.summands[o].channels, layer.source.summands[i].channels
    g, h, p = len(columns), len(rows), len(sigmas)
    weight = layer.weight_name(o, i)
    if not any(slots):
        return f"{like}.new_zeros({p}, {g * width}, {h * depth})"
    base = slots[0][0][1] if slots[0] else -1
    if all(slot == ((ONE, base + at),) for at, slot in enumerate(slots)):
        part = f"{weight}[{base}:{base + len(slots)}]"
        return part if g == h == 1 else f"{body.use('_blocks')}({part}, {g}, {h})"
    if len(slots) > FEW and all(not slot or (len(slot) == 1 and abs(slot[0][0]) == 1) for slot in slots):
        if any(slot and slot[0][0] < 0 for slot in slots):
            index, signs = body.names.fresh("index"), body.names.fresh("signs")
            indices.append((index, tuple(slot[0][1] if slot else 0 for slot in slots)))
            indices.append((signs, tuple(int(slot[0][0]) if slot else 0 for slot in slots)))
            return f"{body.use('_blocks')}({weight}[{index}] * {signs}.view(-1, 1, 1), {g}, {h})"
        missing = len(layer.weighted[o][i])
        index = body.names.fresh("index")
        indices.append((index, tuple(slot[0][1] if slot else missing for slot in slots)))
        padded = f"torch.cat(({weight}, {weight}.new_zeros(1, {width}, {depth})))"
        return f"{body.use('_blocks')}({padded}[{index}], {g}, {h})"
    layers = []
    for s in sigmas:
        table = [[product.entries.get((s, c, r), ()) for r in rows] for c in columns]
        bands = [_cat([_combination(weight, entry, width, depth) for entry in band], 1) for band in table]
        layers.append(_cat(bands, 0))
    return f"torch.stack({one_tuple(layers)})"


def _cat(blocks: list[str], dim: int) -> str:
    return blocks[0] if len(blocks) == 1 else f"torch.cat(({', '.join(blocks)}), {dim})"


def _combination(weight: str, combination: Combination, width: int, depth: int) -> str:
    if not combination:
        return f"{weight}.new_zeros({width}, {depth})"
    terms = [f"{weight}[{at}]" if c == 1 else f"{number(c)} * {weight}[{at}]" for c, at in combination]
    return " + ".join(terms)
