"""The functions of a layer: pack the weights, reduce, run, and (the diagram upside down) the gradient."""

from __future__ import annotations

from dataclasses import dataclass, field

from catnn.category.halves import Half
from catnn.category.wires import show_word
from catnn.emit.algebra import (
    Expansion,
    axis,
    moved,
    reduction,
    scale_factors,
    scaled,
    times,
    whole_input,
    wires_of,
)
from catnn.emit.writer import Body, size_variable
from catnn.plan.plan import Constant, Plan, Product, Row, inverse
from catnn.plan.prove import turn


@dataclass
class Function:
    """A finished function: its name, its tensor parameters, its body and what it needs."""

    name: str
    tensors: tuple[str, ...]
    doc: str
    body: Body
    extras: tuple[str, ...] = field(default=())

    @property
    def parameters(self) -> tuple[str, ...]:
        """All parameters, sizes and counts last."""
        return self.tensors + self.extras

    def text(self) -> str:
        """The source."""
        lines = [f"def {self.name}({', '.join(self.parameters)}):", f'    """{self.doc}"""']
        return "\n".join([*lines, *(f"    {line}" for line in self.body.lines)]) + "\n"


def extras_of(*bodies: Body) -> tuple[str, ...]:
    """The sizes and counts that functions mention, in a fixed order."""
    sizes = sorted(set().union(*(body.sizes for body in bodies)))
    counts = sorted(set().union(*(body.counts for body in bodies)))
    return (*(size_variable(size) for size in sizes), *(f"count_{space}" for space in counts))


def inputs_of(plan: Plan, letter: str) -> tuple[str, ...]:
    """The names of the inputs: x, or x0, x1, ..."""
    count = len(plan.source.summands)
    return (letter,) if count == 1 else tuple(f"{letter}{i}" for i in range(count))


def row_groups(plan: Plan, extra: tuple[Row, ...] = ()) -> list[tuple[Row, ...]]:
    """The different tuples of rows that products and fixed diagrams read and that are no whole input.

    extra: rows that must be found in one of the tuples as well.
    """
    groups = [product.rows for product in plan.products] + [(direct.row,) for direct in plan.directs]
    found = {row for rows in groups for row in rows}
    groups += [(row,) for row in extra if row not in found]
    return [rows for rows in dict.fromkeys(groups) if not (len(rows) == 1 and plan.is_whole(rows[0]))]


def constant_rows(plan: Plan) -> tuple[Row, ...]:
    """The halves of the target by which the gradient of a bias is read."""
    return tuple(Row(c.column.summand, c.column.half) for c in plan.constants)


def reduce_function(plan: Plan, name: str, letter: str, extra: tuple[Row, ...] = ()) -> Function | None:
    """All reductions of the inputs, those that meet in one product side by side in the channels."""
    groups = row_groups(plan, extra)
    if not groups:
        return None
    body = Body()
    inputs = tuple(body.names.fresh(i) for i in inputs_of(plan, letter))
    values = reduction(body, plan, inputs)
    results = []
    for rows in groups:
        joined = ", ".join(values[row] for row in rows)
        results.append(joined if len(rows) == 1 else f"torch.cat(({joined}), -1)")
    body.say(f"return {', '.join(results)}" if len(results) > 1 else f"return ({results[0]},)")
    words = " + ".join(show_word(word) for word in plan.source.words)
    return Function(name, inputs, f"Reduce: the halves of {words}, each from its cheapest parent.", body)


def run_function(plan: Plan, name: str, letter: str, *, transposed: bool, extra: tuple[Row, ...] = ()) -> Function:
    """Mix and expand: one product a level and permutation, then every write, the coarse first."""
    body = Body()
    inputs = tuple(body.names.fresh(i) for i in inputs_of(plan, letter))
    groups = row_groups(plan, extra)
    read_here = set(row_groups(plan))
    halves = (body.names.fresh("halves"),) if groups else ()
    weights = tuple(body.names.fresh(f"w{i}") for i in range(len(plan.products)))
    biases = bias_names(plan)
    for bias in biases.values():
        body.names.fresh(bias)
    axes = len(plan.source.words[0]) + 1
    parts = {rows: f"halves[{at}]" for at, rows in enumerate(groups)}
    for rows in groups:
        if rows not in read_here:
            continue
        parts[rows] = body.let("r", parts[rows], ", ".join(str(row.half) for row in rows))

    def read(rows: tuple[Row, ...]) -> str:
        return parts[rows] if rows in parts else whole_input(body, plan, rows[0], inputs)

    batch = f"*{inputs[0]}.shape[:-{axes}]"
    count = len(plan.target.summands)
    outs = [
        Expansion(body, plan, o, batch, "y" if count == 1 else f"y{o}_", inputs[0]) for o in range(count)
    ]
    weight_of = {id(product): weights[at] for at, product in enumerate(plan.products)}
    placed = _mix(body, plan, outs, read, weight_of, biases, transposed)
    for direct in plan.directs:
        value = moved(read((direct.row,)), direct.sigma)
        factors = scale_factors(body, direct.scale, wires_of(plan))
        value = scaled(body, value, len(direct.row.half.level), factors)
        if direct.coefficient != 1:
            value = f"{number(direct.coefficient)} * {value}"
        outs[direct.column.summand].loose[direct.column.half].append(value)
    for constant in plan.constants:
        if constant not in placed:
            bias = biases[constant.column.summand]
            outs[constant.column.summand].constants[constant.column.half].append(f"{bias}[{constant.index}]")
    results = [expansion.write(weight_of, transposed) for expansion in outs]
    body.say(f"return ({', '.join(results)},)")
    doc = "The gradient for the inputs: the diagrams upside down." if transposed else "Mix and expand."
    return Function(name, (*inputs, *halves, *weights, *biases.values()), doc, body)


def _mix(body, plan, outs, read, weight_of, biases, transposed) -> set[Constant]:  # type: ignore[no-untyped-def]
    """The products below the whole targets; the constants that went along as the bias of a product."""
    placed: set[Constant] = set()
    for product in plan.products:
        row = read(product.rows)
        factors = scale_factors(body, product.scale, wires_of(plan))
        if len(product.columns) == 1 and plan.is_whole(product.columns[0]):
            column = product.columns[0]
            row = scaled(body, row, len(product.level), factors)
            if factors:
                row = body.let("r", row)
            outs[column.summand].whole.append((product, row))
            continue
        weight = weight_of[id(product)]
        together = [] if factors else _constants_of(plan, product)
        placed.update(together)
        bias = f", {biases[product.columns[0].summand]}.reshape(-1)" if together else ""
        z = ""
        for s, sigma in enumerate(product.sigmas):
            value = moved(times(row, f"{weight}[{s}]", transposed, bias if s == 0 else ""), sigma)
            if z:
                body.say(f"{z} += {value}", str(turn(product.level, sigma)))
            else:
                z = body.let("z", value, str(turn(product.level, sigma)))
        if factors:
            body.say(f"{z} = {scaled(body, z, len(product.level), factors)}")
        start = 0
        for column in product.columns:
            stop = start + plan.target.summands[column.summand].channels
            alone = len(product.columns) == 1
            outs[column.summand].slices[column.half].append(z if alone else f"{z}[..., {start}:{stop}]")
            start = stop
    return placed


def _constants_of(plan: Plan, product: Product) -> list[Constant]:
    """The constants, if they are exactly the columns of this product in order."""
    found = [c for c in plan.constants if c.column.summand == product.columns[0].summand]
    same = tuple(c.column for c in found) == product.columns and [c.index for c in found] == list(range(len(found)))
    return found if same else []


def weights_function(plan: Plan, name: str, reduced: bool, reduced_back: bool, back: Plan) -> Function:
    """The gradients of the packed weights: at each level the product of the two reductions."""
    body = Body()
    inputs = tuple(body.names.fresh(i) for i in inputs_of(plan, "x"))
    grads = tuple(body.names.fresh(i) for i in inputs_of(back, "g"))
    halves = ((body.names.fresh("halves"),) if reduced else ()) + ((body.names.fresh("grads"),) if reduced_back else ())
    here = {rows: f"halves[{at}]" for at, rows in enumerate(row_groups(plan))}
    there = {rows: f"grads[{at}]" for at, rows in enumerate(row_groups(back, constant_rows(plan)))}
    results = []
    for product, mirrored in zip(plan.products, back.products, strict=True):
        rows, columns = product.rows, mirrored.rows
        right = here[rows] if rows in here else whole_input(body, plan, rows[0], inputs)
        left = there[columns] if columns in there else whole_input(body, back, columns[0], grads)
        factors = scale_factors(body, product.scale, wires_of(plan))
        small = not plan.is_whole(rows[0])
        right = scaled(body, right, len(product.level), factors if small else [])
        left = scaled(body, left, len(product.level), [] if small else factors)
        right = body.let("r", flat(right))
        products = []
        for sigma in product.sigmas:
            products.append(f"{flat(moved(left, inverse(sigma)))}.T @ {right}")
        if len(products) == 1:
            results.append(body.let("w", f"({products[0]}).unsqueeze(0)"))
        else:
            results.append(body.let("w", f"torch.stack(({', '.join(products)}))"))
    body.parts.add("_flat")
    for o in bias_names(plan):
        results.append(_bias_gradient(body, plan, back, o, there, grads))
    body.say(f"return ({', '.join(results)},)" if results else "return ()")
    doc = "The gradients for the weights: at each level the product of the two reductions."
    return Function(name, (*inputs, *grads, *halves), doc, body)


def _bias_gradient(body, plan, back, o, there, grads) -> str:  # type: ignore[no-untyped-def]
    """The gradient of a bias: the invariants of the incoming gradient, summed over the batch."""
    places: dict[Half, str] = {}
    for rows, value in there.items():
        start = 0
        for row in rows:
            stop = start + back.source.summands[row.summand].channels
            if row.summand == o:
                places.setdefault(row.half, value if len(rows) == 1 else f"{value}[..., {start}:{stop}]")
            start = stop
    whole = [p for p in plan.products if p.columns[0].summand == o and _constants_of(plan, p)]
    if whole:
        rows = tuple(Row(column.summand, column.half) for column in whole[0].columns)
        value = there.get(rows, grads[o])
        return str(body.let("b", f"{flat(value)}.sum(0).view({len(rows)}, -1)"))
    parts = []
    for constant in plan.constants:
        if constant.column.summand == o:
            half = constant.column.half
            value = grads[o] if back.is_whole(Row(o, half)) else places[half]
            parts.append(f"{flat(value)}.sum(0)")
    return str(body.let("b", f"torch.stack(({', '.join(parts)},))"))


def flat(value: str) -> str:
    """The value as a matrix, its channels in the columns."""
    return f"_flat({value})"


def number(value: object) -> str:
    """A fraction as Python: ``2``, ``-1``, ``(1 / 3)``."""
    text = str(value)
    return f"({text.replace('/', ' / ')})" if "/" in text else text


def bias_names(plan: Plan) -> dict[int, str]:
    """The names of the biases that exist, by target summand."""
    outs = sorted({constant.column.summand for constant in plan.constants})
    return {o: "b" if len(plan.target.summands) == 1 else f"b{o}" for o in outs}


__all__ = ["Function", "axis", "reduce_function", "run_function", "weights_function"]
