"""What the functions of a layer have in common: their names, their parameters, and how they find their rows."""

from __future__ import annotations

from dataclasses import dataclass, field

from catnn.category.wires import show_word
from catnn.emit.algebra import reduction, whole_input
from catnn.emit.writer import Body, count_variable, one_tuple, size_variable
from catnn.plan.plan import Constant, Plan, Product, Row

Rows = tuple[Row, ...]


@dataclass
class Function:
    """A finished function: its name, its tensor parameters, a line about it, its body, and what else it takes."""

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
    sizes = sorted(set[str]().union(*(body.sizes for body in bodies)))
    counts = sorted(set[str]().union(*(body.counts for body in bodies)))
    return (*(size_variable(size) for size in sizes), *(count_variable(space) for space in counts))


def inputs_of(plan: Plan, letter: str) -> tuple[str, ...]:
    """The names of the inputs: x, or x0, x1, ..."""
    count = len(plan.source.summands)
    return (letter,) if count == 1 else tuple(f"{letter}{i}" for i in range(count))


def bias_names(plan: Plan) -> dict[int, str]:
    """The names of the biases that exist, by target summand."""
    outs = sorted({constant.column.summand for constant in plan.constants})
    return {o: "b" if len(plan.target.summands) == 1 else f"b{o}" for o in outs}


def constant_rows(plan: Plan) -> Rows:
    """The halves of the target by which the gradient of a bias is read."""
    return tuple(Row(c.column.summand, c.column.half) for c in plan.constants)


def constants_along(plan: Plan, product: Product) -> list[Constant]:
    """The constants that can go along with a product as its bias: they are exactly its columns, in order.

    Where several products have these columns (one reads what an epsilon leaves) they go along with the first.
    """
    if any(other.columns == product.columns for other in plan.products[: plan.products.index(product)]):
        return []
    found = [c for c in plan.constants if c.column.summand == product.columns[0].summand]
    same = tuple(c.column for c in found) == product.columns and [c.index for c in found] == list(range(len(found)))
    return found if same and not product.scale and all(c.plain for c in found) else []


def is_shared(plan: Plan, product: Product) -> bool:
    """Whether a product is of whole tensors in several orders: then both gradients read the same permuted copies."""
    if len(product.sigmas) == 1 or len(product.rows) > 1 or len(product.columns) > 1 or product.scale:
        return False
    return plan.is_whole(product.rows[0]) and plan.is_whole(product.columns[0])


def shared_inputs(back: Plan) -> dict[int, str]:
    """The inputs of a layer, by number, that its mirrored plan's shared products met: x, or x0, x1, ..."""
    found = sorted({product.columns[0].summand for product in back.products if is_shared(back, product)})
    return {i: "x" if len(back.target.summands) == 1 else f"x{i}" for i in found}


def row_groups(plan: Plan, extra: Rows = ()) -> list[Rows]:
    """The different tuples of rows that products and fixed diagrams read and that are no whole input.

    extra: rows that must be found in one of the tuples as well.
    """
    groups = [product.rows for product in plan.products] + [(direct.row,) for direct in plan.directs]
    found = {row for rows in groups for row in rows}
    groups += [(row,) for row in extra if row not in found]
    return [rows for rows in dict.fromkeys(groups) if not (len(rows) == 1 and plan.is_whole(rows[0]))]


@dataclass
class Halves:
    """The rows of a plan inside a function: a parameter that holds those reduced, and the inputs themselves."""

    body: Body
    plan: Plan
    inputs: tuple[str, ...]
    places: dict[Rows, str]

    @staticmethod
    def of(body: Body, plan: Plan, inputs: tuple[str, ...], name: str, extra: Rows = ()) -> Halves:
        """The rows where a function is given the result of `reduce_function` under a name."""
        groups = row_groups(plan, extra)
        return Halves(body, plan, inputs, {rows: f"{name}[{at}]" for at, rows in enumerate(groups)})

    def read(self, rows: Rows) -> str:
        """The expression of a tuple of rows, side by side in the channels."""
        if rows in self.places:
            return self.places[rows]
        return whole_input(self.plan, rows[0], self.inputs)

    def single(self, row: Row) -> str:
        """The expression of one row, wherever it is."""
        if self.plan.is_whole(row):
            return whole_input(self.plan, row, self.inputs)
        for rows, place in self.places.items():
            start = 0
            for found in rows:
                stop = start + self.plan.source.summands[found.summand].channels
                if found == row:
                    return place if len(rows) == 1 else f"{place}[..., {start}:{stop}]"
                start = stop
        raise KeyError(row)


def reduce_function(plan: Plan, name: str, letter: str, extra: Rows = ()) -> Function | None:
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
    body.say(f"return {one_tuple(results)}")
    words = " + ".join(show_word(word) for word in plan.source.words)
    whose = " of the gradient" if letter == "g" else ""
    return Function(name, inputs, f"Reduce: the halves of {words}{whose}, each from its cheapest parent.", body)
