"""Packing: from the parameter (diagrams, out, in) to one block matrix a product, by views where the order allows."""

from __future__ import annotations

from dataclasses import dataclass, field

from catnn.emit.functions import Function, number
from catnn.emit.writer import Body
from catnn.model import Layer
from catnn.plan.plan import Combination, Plan, Product

FEW = 16
"""Up to so many blocks are written out; more are gathered by an index."""


@dataclass
class Packing:
    """The function that packs the weights, and the index constants that it takes as further tensors."""

    function: Function
    indices: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)


def pack_function(layer: Layer, plan: Plan, name: str) -> Packing:
    """Write the packing of all products of a plan."""
    body = Body()
    parameters = [
        layer.weight_name(o, i)
        for o, row in enumerate(layer.weighted)
        for i, pair in enumerate(row)
        if pair
    ]
    for parameter in parameters:
        body.names.fresh(parameter)
    packing = Packing(Function(name, (), "", body))
    results = []
    for at, product in enumerate(plan.products):
        outs = sorted({column.summand for column in product.columns})
        ins = sorted({row.summand for row in product.rows})
        bands = []
        for o in outs:
            blocks = [_block(layer, product, o, i, packing, parameters[0]) for i in ins]
            bands.append(blocks[0] if len(blocks) == 1 else f"torch.cat(({', '.join(blocks)}), 2)")
        value = bands[0] if len(bands) == 1 else f"torch.cat(({', '.join(bands)}), 1)"
        shape = f"{len(product.sigmas)} x {len(product.columns)} x {len(product.rows)} blocks"
        results.append(body.let(f"w{at}", value, shape))
    body.say(f"return {', '.join(results)}" if len(results) > 1 else f"return ({', '.join([*results, ''])})".replace(", )", ",)"))
    indices = tuple(index for index, _ in packing.indices)
    packing.function = Function(
        name,
        (*parameters, *indices),
        "The weights by product: (permutations, outputs, inputs), block matrices over the halves.",
        body,
    )
    return packing


def _block(layer: Layer, product: Product, o: int, i: int, packing: Packing, like: str) -> str:
    """The part of a product between two summands, as an expression of shape (sigmas, outputs, inputs)."""
    columns = [c for c, column in enumerate(product.columns) if column.summand == o]
    rows = [r for r, row in enumerate(product.rows) if row.summand == i]
    sigmas = range(len(product.sigmas))
    slots = [product.entries.get((s, c, r), ()) for c in columns for r in rows for s in sigmas]
    width, depth = layer.target.summands[o].channels, layer.source.summands[i].channels
    g, h, p = len(columns), len(rows), len(sigmas)
    if not any(slots):
        return f"{like}.new_zeros({p}, {g * width}, {h * depth})"
    weight = layer.weight_name(o, i)
    base = slots[0][0][1] if slots[0] else -1
    if all(slot == ((1, base + at),) for at, slot in enumerate(slots)):
        part = f"{weight}[{base}:{base + len(slots)}]"
        if g == h == 1:
            return part
        return f"{part}.view({g}, {h}, {p}, {width}, {depth}).permute(2, 0, 3, 1, 4).reshape({p}, {g * width}, {h * depth})"
    plain = all(not slot or (len(slot) == 1 and slot[0][0] == 1) for slot in slots)
    if plain and len(slots) > FEW:
        missing = len(layer.weighted[o][i])
        index = packing.function.body.names.fresh("index")
        packing.indices.append((index, tuple(slot[0][1] if slot else missing for slot in slots)))
        padded = f"torch.cat(({weight}, {weight}.new_zeros(1, {width}, {depth})))"
        shape = f"view({g}, {h}, {p}, {width}, {depth}).permute(2, 0, 3, 1, 4).reshape({p}, {g * width}, {h * depth})"
        return f"{padded}[{index}].{shape}"
    layers = []
    for s in sigmas:
        bands = []
        for c in columns:
            blocks = [_combination(weight, product.entries.get((s, c, r), ()), width, depth) for r in rows]
            bands.append(blocks[0] if len(blocks) == 1 else f"torch.cat(({', '.join(blocks)}), 1)")
        layers.append(bands[0] if len(bands) == 1 else f"torch.cat(({', '.join(bands)}))")
    return f"({layers[0]}).unsqueeze(0)" if len(layers) == 1 else f"torch.stack(({', '.join(layers)}))"


def _combination(weight: str, combination: Combination, width: int, depth: int) -> str:
    if not combination:
        return f"{weight}.new_zeros({width}, {depth})"
    terms = [f"{weight}[{at}]" if c == 1 else f"{number(c)} * {weight}[{at}]" for c, at in combination]
    return " + ".join(terms)
