"""What a point-ful network learns by itself, and the orders of its contractions, for people."""

from __future__ import annotations

from collections.abc import Mapping

from catnn.hypergraph.box import Box
from catnn.plan.contract import ContractionPlan, plan_contraction
from catnn.plan.fuse import batched, extras, fused
from catnn.program import Contract, Program, Tensor


def tensor_shapes(program: Program) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """The learned tensors of a program: (name, shape), each once; one of a rank is two."""
    found: dict[str, tuple[int, ...]] = {}
    for box, tensor in program.tensors:
        if tensor.constant is None and tensor.map is None:
            found.update(_shapes(box, tensor))
    return tuple(found.items())


def _shapes(box: Box, tensor: Tensor) -> dict[str, tuple[int, ...]]:
    name = tensor.shares or box.name
    out, in_ = (tuple(w.group.size for w in word if isinstance(w.group.size, int)) for word in (box.target, box.source))
    if tensor.rank is None:
        return {name: out + in_}
    return {f"{name}_out": (*out, tensor.rank), f"{name}_in": (tensor.rank, *in_)}


def orders(program: Program, sizes: Mapping[str, int]) -> tuple[str, ...]:
    """For each contraction of three tensors or more, the order in which they are multiplied, and its cost.

    The cost is that of a batch of 16: multiplications, and 16 for every number that is written.

    >>> import catnn
    >>> text = "space V : S(n)  network f(x: V^2, y: V^2, z: V) -> V { return [i j, j k, k -> i](x, y, z) }"
    >>> orders(catnn.parse(text)["f"].program, {"n": 100})
    ('(x (y z)): cost 371,200',)
    """
    flags = batched(program)
    found = []
    for number, step in enumerate(program.steps):
        planned = fused(program).get(number) if isinstance(step, Contract) else None
        if planned is None or len(planned.contraction.operands) < 3:
            continue
        plan = plan_contraction(planned.contraction, extras(program, flags, planned), planned.output.channels, sizes)
        names = [_name(program, planned, at) for at in range(len(planned.contraction.operands))]
        found.append(f"{_brackets(plan, names)}: cost {plan.cost:,}")
    return tuple(found)


def _name(program: Program, step: Contract, at: int) -> str:
    label = step.contraction.operands[at].label
    if isinstance(label, int):
        value = step.inputs[label]
        return (program.names[value] if program.names else "") or f"value {value}"
    return label.label if isinstance(label, Box) else label.kind


def _brackets(plan: ContractionPlan, names: list[str]) -> str:
    found = list(names)
    for product in plan.products:
        found.append(
            found[product.left] if product.right is None else f"({found[product.left]} {found[product.right]})"
        )
    return found[-1]
