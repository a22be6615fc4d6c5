"""The function of the weight gradients: at each level the product of the two reductions."""

from __future__ import annotations

from catnn.emit.algebra import moved, permuting, scale_factors, scaled, wires_of
from catnn.emit.functions import (
    Function,
    Halves,
    bias_names,
    constant_rows,
    constants_along,
    inputs_of,
    is_shared,
    row_groups,
)
from catnn.emit.running import number
from catnn.emit.writer import Body, one_tuple
from catnn.plan.plan import Plan, Product, Row, inverse, mirror


def weights_function(plan: Plan, back: Plan, name: str, *, is_complex: bool = False) -> Function:
    """The gradients of the packed weights and of the biases; back is the mirror of the plan.

    is_complex: whether the reductions of the inputs are conjugated, as torch's gradients are.
    """
    body = Body()
    inputs = tuple(body.names.fresh(i) for i in inputs_of(plan, "x"))
    grads = tuple(body.names.fresh(i) for i in inputs_of(back, "g"))
    extra = constant_rows(plan)
    given = ("halves",) * bool(row_groups(plan)) + ("grads",) * bool(row_groups(back, extra))
    for parameter in given:
        body.names.fresh(parameter)
    here = Halves.of(body, plan, inputs, "halves")
    there = Halves.of(body, back, grads, "grads", extra)
    bar = ".conj()" if is_complex else ""
    shared = [product for product in in_order(back) if is_shared(back, product)]
    known = {id(product): body.names.fresh("shared") for product in shared}
    results = [
        _packed(body, plan, product, mirrored, here, there, known.get(id(mirrored), ""), bar)
        for product, mirrored in zip(plan.products, back.products, strict=True)
    ]
    results += [_bias(body, plan, o, there) for o in bias_names(plan)]
    body.say(f"return {one_tuple(results)}")
    doc = "The gradients for the weights: at each level the product of the two reductions."
    return Function(name, (*inputs, *grads, *given, *known.values()), doc, body)


def in_order(back: Plan) -> list[Product]:
    """The products of a mirrored plan in the order in which its run function meets them: by target summand."""
    return sorted(back.products, key=lambda product: product.columns[0].summand)


def _packed(
    body: Body, plan: Plan, product: Product, mirrored: Product, here: Halves, there: Halves, known: str, bar: str
) -> str:
    """The gradient of one packed weight, (permutations, outputs, inputs).

    known: the name of where it may be already, or ""; bar: what conjugates the rows of a complex layer.
    """
    right, left = here.read(product.rows), there.read(mirrored.rows)
    factors = scale_factors(body, product.scale, wires_of(plan))
    if plan.is_whole(product.rows[0]):
        left = scaled(body, left, len(product.level), factors)
    else:
        right = scaled(body, right, len(product.level), factors)
    if len(product.sigmas) > 1:
        part, permutations = permuting(body, mirror(plan), mirrored, "_outer")
        value = f"{part}({right}{bar}, {left}, {permutations})"
        return body.let("w", f"{value} if {known} is None else {known}" if known else value)
    right = body.let("r", _flat(body, right) + bar)
    products = [f"{_flat(body, moved(left, inverse(sigma)))}.T @ {right}" for sigma in product.sigmas]
    return body.let("w", f"({products[0]}).unsqueeze(0)")


def _bias(body: Body, plan: Plan, o: int, there: Halves) -> str:
    """The gradient of a bias: the invariants of the incoming gradient, summed over the batch."""
    constants = [constant for constant in plan.constants if constant.column.summand == o]
    for product in plan.products:
        if product.columns[0].summand == o and constants_along(plan, product):
            rows = tuple(Row(column.summand, column.half) for column in product.columns)
            return body.let("b", f"{_flat(body, there.read(rows))}.sum(0).view({len(rows)}, -1)")
    parts: dict[int, list[str]] = {}
    for c in constants:
        value = scaled(body, there.single(Row(o, c.column.half)), 0, scale_factors(body, c.scale, wires_of(plan)))
        factor = "" if c.coefficient == 1 else f"{number(c.coefficient)} * "
        parts.setdefault(c.index, []).append(f"{factor}{_flat(body, value)}.sum(0)")
    return body.let("b", f"torch.stack({one_tuple(' + '.join(found) for found in parts.values())})")


def _flat(body: Body, value: str) -> str:
    return f"{body.use('_flat')}({value})"
