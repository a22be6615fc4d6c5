"""The steps of a point-ful network with their costs: a line a step, and below it a line a product of two tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from catnn.plan.cost import Cost, shape
from catnn.plan.work import FREE, Pairwise, Work
from catnn.program import Contract, Program
from catnn.tables import Table, count
from catnn.view.programs import index_letters, operand_text, step_label, tensor_name, value_names

if TYPE_CHECKING:
    from catnn.explanation import Explanation


def works_table(found: Explanation) -> Table:
    """The steps as a table."""
    assert found.program is not None
    names, rows = _names(found.program), []
    for work in _shown(found):
        made = shape(work.step.outputs[0].word, work.step.outputs[0].channels) if len(work.values) == 1 else ""
        cost = numbers(work.price.forward, found.sizes)
        cells = cost if not (work.inside or work.again or work.along) else ("", "", "")
        rows.append((_made(work, names), computes(found, work, names), made, *cells))
        if len(work.products) > 1:
            rows += [("", f"  {text}", "", *own) for text, own in _orders(work, names, found.sizes)]
    headers = ("value", "computes", "shape", "multiply-adds", "=", "moves")
    return Table("steps, and the order of the products in each; batch and channels have no letter", headers,
                 tuple(rows), (4, 5))  # fmt: skip


def works_data(found: Explanation) -> list[dict[str, Any]]:
    """The same, as what JSON can hold."""
    if found.program is None:
        return []
    names = _names(found.program)
    return [_data(found, work, names) for work in _shown(found)]


def _shown(found: Explanation) -> list[Work]:
    """The steps without boxes that are named as values, which cost nothing."""
    return [work for work in found.works if not (isinstance(work.step, Contract) and tensor_name(work.step))]


def _data(found: Explanation, work: Work, names: Sequence[str]) -> dict[str, Any]:
    assert found.program is not None
    products = []
    if isinstance(work.step, Contract):
        for product, text, row in zip(work.products, brackets(work, names), einsums(work), strict=True):
            madds = product.cost.madds
            products.append(
                {
                    "factors": text,
                    "einsum": row,
                    "multiply_adds": {"expression": str(madds.sympy()), "value": int(madds.value(found.sizes))},
                    "shared": product.again,
                }
            )
    priced = (("forward", work.price.forward), ("backward", work.price.backward), ("naive", work.price.naive))
    return {
        "value": _made(work, names),
        "computes": computes(found, work, names),
        "types": [str(summand) for summand in work.step.outputs],
        "fused": work.inside,
        "repeated": work.again,
        "along": work.along,
        "products": products,
        "multiply_adds": {
            name: {"expression": str(cost.madds.sympy()), "value": cost.value(found.sizes)[2]} for name, cost in priced
        },
        "largest": {
            "expression": str(work.price.largest.sympy()),
            "value": int(work.price.largest.value(found.sizes)),
        },
    }


def numbers(cost: Cost, sizes: Mapping[str, int]) -> tuple[str, str, str]:
    """The multiply-adds as a polynomial and as a number, and how many numbers are read and written."""
    read, written, madds = cost.value(sizes)
    return str(cost.madds.sympy()), count(madds), count(read + written)


def _names(program: Program) -> list[str]:
    """A name for every value; what is returned without a name is called so."""
    names = list(value_names(program))
    used = {value for step in program.steps for value in step.inputs}
    ends = [value for result in program.results for value in result]
    for value in ends:
        if value not in used and not (program.names and program.names[value]):
            names[value] = "return" if len(ends) == 1 else f"return {ends.index(value) + 1}"
    return names


def _made(work: Work, names: Sequence[str]) -> str:
    return ", ".join(names[value] for value in work.values)


def computes(found: Explanation, work: Work, names: Sequence[str]) -> str:
    """What a step computes, as it could be written."""
    program, step = found.program, work.step
    assert program is not None
    text = step_label(program, step, tuple(names))
    if work.along:
        return f"{text}: in `{work.along}`"
    if work.inside:
        return f"{text}: in the step that takes it"
    return f"{text}: computed above" if work.again else text


def _orders(work: Work, names: Sequence[str], sizes: Mapping[str, int]) -> list[tuple[str, tuple[str, str, str]]]:
    """The products of a contraction: einsum, factors, and cost."""
    assert isinstance(work.step, Contract)
    texts, rows = brackets(work, names), einsums(work)
    wide = max(map(len, rows))
    found = []
    for product, row, text in zip(work.products, rows, texts, strict=True):
        cost = numbers(FREE if product.again else product.cost, sizes)
        found.append((f"{row.ljust(wide)}  {text}{', computed above' if product.again else ''}", cost))
    return found


def einsums(work: Work) -> list[str]:
    """The products of a contraction as einsum has them, without batch and channels: ``ij,jk->ik``."""
    assert isinstance(work.step, Contract)
    found, letter = work.step.contraction, index_letters(work.step.contraction)
    if not work.products:
        return []
    *inner, last = work.products
    place = {index: at for at, index in enumerate(found.target)}
    last = replace(last, kept=tuple(sorted(last.kept, key=lambda index: place.get(index, len(place)))))
    return [_einsum(product, letter) for product in (*inner, last)]


def _einsum(product: Pairwise, letter: Sequence[str]) -> str:
    gap = "" if all(len(one) == 1 for one in letter) else " "

    def text(axes: Sequence[int]) -> str:
        return gap.join(letter[index] for index in axes if index >= 0)

    return f"{','.join(map(text, product.axes))}->{text(product.kept)}"


def brackets(work: Work, names: Sequence[str]) -> list[str]:
    """What each product of a contraction multiplies, by name: ``(p v) out``."""
    assert isinstance(work.step, Contract)
    assert work.plan is not None or not work.products
    inputs = [names[value] for value in work.step.inputs]
    texts = [operand_text(o.label, inputs) for o in work.plan.contraction.operands] if work.plan else []
    found = []
    for product in work.products:
        inner = [texts[product.left]] + ([] if product.right is None else [texts[product.right]])
        found.append(" ".join(inner) if product.right is not None else f"sum of {inner[0]}")
        texts.append(f"({found[-1]})" if product.right is not None else inner[0])
    return found
