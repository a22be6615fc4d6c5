"""The function that mixes and expands; of the mirrored plan, it is the gradient for the inputs."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from catnn.emit.algebra import Expansion, Whole, moved, permuting, port_order, scale_factors, scaled, times, wires_of
from catnn.emit.functions import (
    Function,
    Halves,
    Rows,
    bias_names,
    constants_along,
    inputs_of,
    is_shared,
    row_groups,
    shared_inputs,
)
from catnn.emit.writer import Body, one_tuple
from catnn.plan.plan import Constant, Plan, Product
from catnn.plan.prove import turn


@dataclass
class Run:
    """A run function while it is written.

    transposed: whether the weights are those of the plan's mirror, to be multiplied from the other side;
    others: the inputs of the layer that meet the gradient in a product of whole tensors.
    """

    plan: Plan
    body: Body
    halves: Halves
    weights: tuple[str, ...]
    biases: dict[int, str]
    outs: list[Expansion]
    transposed: bool
    others: dict[int, str]


def run_function(plan: Plan, name: str, letter: str, *, transposed: bool, extra: Rows = ()) -> Function:
    """Mix and expand: one product a level, then every write, the coarse first.

    transposed: of a mirrored plan; the function then takes the inputs whose weights' gradients can be had on the way
    (or None), and returns those gradients behind the others.
    """
    body = Body()
    inputs = tuple(body.names.fresh(i) for i in inputs_of(plan, letter))
    groups = row_groups(plan, extra)
    given = (body.names.fresh("halves"),) if groups else ()
    weights = tuple(body.names.fresh(f"w{i}") for i in range(len(plan.products)))
    biases = {o: body.names.fresh(bias) for o, bias in bias_names(plan).items()}
    others = {o: body.names.fresh(other) for o, other in shared_inputs(plan).items()} if transposed else {}
    halves = Halves.of(body, plan, inputs, "halves", extra)
    for rows in row_groups(plan):
        halves.places[rows] = body.let("r", halves.places[rows], ", ".join(str(row.half) for row in rows))
    batch = f"*{inputs[0]}.shape[:-{len(plan.source.words[0]) + 1}]"
    count = len(plan.target.summands)
    outs = [Expansion(body, plan, o, batch, "y" if count == 1 else f"y{o}_", inputs[0]) for o in range(count)]
    run = Run(plan, body, halves, weights, biases, outs, transposed, others)
    placed = [constant for at in range(len(plan.products)) for constant in _product(run, at)]
    _directs(run)
    for constant in plan.constants:
        if constant not in placed:
            column = constant.column
            value = f"{biases[column.summand]}[{constant.index}]"
            value = scaled(body, value, 0, scale_factors(body, constant.scale, wires_of(plan)))
            if constant.coefficient != 1:
                value = f"{number(constant.coefficient)} * {value}"
            outs[column.summand].constants[column.half].append(value)
    results = [expansion.write(transposed) for expansion in outs]
    shared = [whole.shared for expansion in outs for whole in expansion.whole if whole.shared]
    body.say(f"return {one_tuple(results)}, {one_tuple(shared)}" if shared else f"return {one_tuple(results)}")
    doc = "The gradient for the inputs: the diagrams upside down." if transposed else "Mix and expand."
    return Function(name, (*inputs, *given, *weights, *biases.values(), *others.values()), doc, body)


def _product(run: Run, at: int) -> list[Constant]:
    """One product of the plan; the constants that went along with it."""
    plan, product, weight = run.plan, run.plan.products[at], run.weights[at]
    row = run.halves.read(product.rows)
    if len(product.columns) == 1 and plan.is_whole(product.columns[0]):
        factors = scale_factors(run.body, product.scale, wires_of(plan))
        if factors:
            row = run.body.let("r", scaled(run.body, row, len(product.level), factors))
        run.outs[product.columns[0].summand].whole.append(_whole(run, product, row, weight))
        return []
    placed = constants_along(plan, product)
    bias = f", {run.biases[product.columns[0].summand]}.reshape(-1)" if placed else ""
    z = _mixed(run, product, row, weight, bias)
    start = 0
    for column in product.columns:
        stop = start + plan.target.summands[column.summand].channels
        piece = z if len(product.columns) == 1 else f"{z}[..., {start}:{stop}]"
        run.outs[column.summand].slices[column.half].append(piece)
        start = stop
    return placed


def _whole(run: Run, product: Product, row: str, weight: str) -> Whole:
    o = product.columns[0].summand
    if not (run.transposed and is_shared(run.plan, product)):
        return Whole(product, row, weight)
    other = run.others[o]
    order = port_order(product.columns[0].half.word)
    if order != tuple(sorted(order)):
        other = f"None if {other} is None else {moved(other, order)}"
    return Whole(product, row, weight, other, run.body.names.fresh("shared"))


def _mixed(run: Run, product: Product, row: str, weight: str, bias: str) -> str:
    """The sum over the permutations of one product, scaled."""
    if len(product.sigmas) == 1:
        value = moved(times(row, f"{weight}[0]", run.transposed, bias), product.sigmas[0])
        z = run.body.let("z", value, str(turn(product.level, product.sigmas[0])))
    else:
        matrices = weight if run.transposed else f"{weight}.transpose(1, 2)"
        comment = f"{len(product.sigmas)} permutations"
        part, permutations = permuting(run.body, run.plan, product, "_products")
        value = f"{part}(None, {row}, {matrices}, {permutations})"
        z = run.body.let("z", value, comment)
    factors = scale_factors(run.body, product.scale, wires_of(run.plan))
    if factors:
        run.body.say(f"{z} = {scaled(run.body, z, len(product.level), factors)}")
    return z


def _directs(run: Run) -> None:
    """The fixed diagrams: no channels are mixed."""
    for direct in run.plan.directs:
        value = moved(run.halves.read((direct.row,)), direct.sigma)
        factors = scale_factors(run.body, direct.scale, wires_of(run.plan))
        value = scaled(run.body, value, len(direct.row.half.level), factors)
        if direct.coefficient != 1:
            value = f"{number(direct.coefficient)} * {value}"
        run.outs[direct.column.summand].loose[direct.column.half].append(value)


def number(value: Fraction) -> str:
    """A fraction as Python.

    >>> number(Fraction(-2)), number(Fraction(1, 3))
    ('-2', '(1 / 3)')
    """
    return str(value) if value.denominator == 1 else f"({value.numerator} / {value.denominator})"
