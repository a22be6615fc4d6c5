"""How an explanation is shown: as text, as HTML, and as what JSON can hold."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from catnn.plan.cost import Cost, Step, total
from catnn.plan.rates import DENSE, FIRST, IN_C, IRREPS, LAST, MORE, STATEMENTS
from catnn.tables import Table, count, ratio
from catnn.view.works import numbers, works_data, works_table

if TYPE_CHECKING:
    from catnn.explanation import Explanation

WHY = {
    IN_C: "chosen, if there is a C compiler: less for each step and each number moved",
    STATEMENTS: "chosen: its products are wide enough for torch's own",
    DENSE: "chosen: for few numbers what counts is the number of steps, and it has the fewest",
    IRREPS: "chosen: one change of basis serves all levels, and its products are few, wide and plain",
    FIRST: "chosen: few channels come out, so x is read once, by one product, and the rest is small",
    LAST: "chosen: few channels come in, so all before one product is small, and y is written once",
}
"""Why a way is taken."""

COMPILED = "reduce, mix, expand"

MOST_STEPS = 40
"""Longer plans are counted by phase and operation unless everything is asked for."""


def as_text(found: Explanation) -> str:
    """The tables one below the other."""
    body = "\n\n".join(str(table) for table in tables(found))
    head = "\n".join([_title(found), *(f"  {name.ljust(10)} {value}" for name, value in header(found))])
    return f"{head}\n\n{body}" if body else head


def as_html(found: Explanation) -> str:
    """The same for Jupyter."""
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in header(found))
    body = "".join(table.html() for table in tables(found))
    return f'<div class="catnn-explain"><h4>{escape(_title(found))}</h4><table>{rows}</table>{body}</div>'


def as_dict(found: Explanation) -> dict[str, Any]:
    """Everything, as what JSON can hold."""
    naive = {name: _cost(cost, found.sizes) for name, cost in found.naive.items()}
    return {
        "kind": found.kind,
        "name": found.name,
        "type": found.type,
        "symmetry": list(found.symmetry),
        "sizes": dict(found.sizes),
        "parameters": [{"name": name, "shape": list(shape)} for name, shape in found.parameters],
        "numbers": found.numbers,
        "diagrams": found.diagrams,
        "notes": list(found.notes),
        "levels": [
            {"pair": list(v.pair), "level": v.word, "inputs": v.inputs, "permutations": v.permutations,
             "outputs": v.outputs, "diagrams": v.diagrams}
            for v in found.levels
        ],
        "factored": [
            {"weight": v.weight, "pattern": v.pattern, "factorisation": v.factorisation} for v in found.factored
        ],
        "steps": [_step(step, found.sizes) for step in found.steps],
        "gradient_steps": [_step(step, found.sizes) for step in found.gradient],
        "forward": _cost(found.forward, found.sizes),
        "backward": _cost(found.backward, found.sizes),
        "naive": naive,
        "ratios": found.ratios(),
        "predicted": {"machine": found.machine, "seconds": dict(found.predicted),
                      "large": list(found.large)},
        "program": works_data(found),
        "largest": {"expression": str(found.largest.sympy()), "value": int(found.largest.value(found.sizes))},
        "stages": [{"name": name, "explanation": stage and as_dict(stage)} for name, stage in found.stages],
        "as_one": [
            {"layers": list(one.layers), "how": one.how, "uses": one.uses, "forward": _cost(one.forward, found.sizes),
             "backward": _cost(one.backward, found.sizes), "seconds": {"one by one": one.apart, "as one": one.whole}}
            for one in found.joined
        ],
        "one_by_one": [{"layers": list(names), "why": why} for names, why in found.declined],
    }  # fmt: skip


def _cost(cost: Cost, sizes: Mapping[str, int]) -> dict[str, Any]:
    names = ("read", "written", "multiply_adds")
    shown = zip(names, cost.sympy(), cost.value(sizes), strict=True)
    return {name: {"expression": str(expression), "value": value} for name, expression, value in shown}


def _step(step: Step, sizes: Mapping[str, int]) -> dict[str, Any]:
    return {
        "phase": step.phase,
        "op": step.op,
        "pattern": step.pattern,
        "shape": step.shape,
        "cost": _cost(step.cost, sizes),
    }


# -------------------------------------------------------------------------------------------------------- the tables


def _title(found: Explanation) -> str:
    return f"{found.kind} {found.name} : {found.type}"


def header(found: Explanation) -> list[tuple[str, str]]:
    """What is said first, by name."""
    rows = [("symmetry", ", ".join(found.symmetry) or "no group")]
    shown = ", ".join(f"{name} {' x '.join(map(str, shape))}" for name, shape in found.parameters)
    rows.append(("learns", f"{found.numbers:,} numbers" + (f": {shown}" if shown else "")))
    if found.diagrams or not found.works:
        rows.append(("diagrams", f"{found.diagrams:,}"))
    rows.append(("sizes", ", ".join(f"{name} = {value}" for name, value in found.sizes.items())))
    if found.works:
        largest = int(found.largest.value(found.sizes))
        rows.append(("largest", f"a tensor of {found.largest.sympy()} = {count(largest)} numbers"))
    return rows + [("note", note) for note in found.notes]


def tables(found: Explanation) -> list[Table]:
    """The factorisation, the plan and the costs."""
    result = []
    if found.levels:
        result.append(_levels(found))
    if found.factored:
        rows = tuple((v.weight, v.pattern, v.factorisation) for v in found.factored)
        result.append(Table("diagrams, as permutation ; planar ; permutation", ("weight", "pattern", "is"), rows))
    if found.works:
        result.append(works_table(found))
    if any(stage is not None and stage.kind != "function" for _, stage in found.stages) or not found.works:
        result += [_stages(found)] if found.stages else []
    if found.joined or found.declined:
        result.append(_as_one(found))
    if found.steps:
        result.append(_plan("plan", found.steps, found))
        result.append(_plan("gradient, the plan upside down", found.gradient, found, most=0))
    if found.predicted:
        result.append(_predicted(found))
    return [*result, _totals(found)]


def _as_one(found: Explanation) -> Table:
    """The layers that are computed as one, and neighbours that are not."""
    rows = []
    for one in found.joined:
        what = one.how if one.uses else f"one by one at these sizes; {one.how} where that is faster"
        rows.append((one.text, what, f"{1000 * one.apart:.3g} ms", f"{1000 * one.whole:.3g} ms"))
    rows += [(" ; ".join(names), f"one by one: {why}", "", "") for names, why in found.declined]
    headers = ("layers", "", "one by one", "as one")
    return Table("what runs as one, and what that is predicted to take", headers, tuple(rows), (2, 3))


def _predicted(found: Explanation) -> Table:
    """The ways that the plan can run, and which of them a module takes."""
    best = found.chosen
    rows = []
    for way, seconds in found.predicted.items():
        why = f"{ratio(seconds / found.predicted[best])} times as long"
        if way == best:
            why = WHY[way]
        elif way in found.large:
            why += f"; it needs more memory, and has to be {MORE} times as fast"
        rows.append((way, f"{1000 * seconds:.3g} ms", why))
    caption = f"predicted for a call on the CPU, by the rates of {found.machine}"
    return Table(caption, ("", "forward", ""), tuple(rows), (1,))


def _levels(found: Explanation) -> Table:
    several = len({level.pair for level in found.levels}) > 1
    rows = tuple(
        (
            f"{level.pair[1]} -> {level.pair[0]}" if several else "",
            level.word,
            f"{level.inputs} x {level.permutations} x {level.outputs}",
            str(level.diagrams),
        )
        for level in found.levels
    )
    headers = ("summands" if several else "", "level", "in x perm x out", "diagrams")
    return Table("hom-space: input halves x permutations x output halves, by through wires", headers, rows, (3,))


def _plan(caption: str, steps: tuple[Step, ...], found: Explanation, most: int = MOST_STEPS) -> Table:
    headers = ("", "step", "computes", "shape", "multiply-adds", "=", "moves")
    if len(steps) > most and not found.full:
        groups: dict[tuple[str, str], list[Step]] = {}
        for step in steps:
            groups.setdefault((step.phase, step.op.partition(" ")[0]), []).append(step)
        rows = tuple(
            (phase, op, f"{len(group)} x", "", *numbers(total(s.cost for s in group), found.sizes))
            for (phase, op), group in groups.items()
        )
        return Table(f"{caption}: {len(steps)} steps, counted", headers, rows, (5, 6))
    rows = tuple((s.phase, s.op, s.pattern, s.shape, *numbers(s.cost, found.sizes)) for s in steps)
    return Table(caption, headers, rows, (5, 6))


def _stages(found: Explanation) -> Table:
    rows = []
    for (name, stage), at in zip(found.stages, found.within or (None,) * len(found.stages), strict=True):
        if found.works and (stage is None or stage.kind == "function"):
            continue  # a step of its own says it
        if stage is None:
            rows.append((name, "", "", "", "", ""))
            continue
        diagrams = f"{stage.diagrams:,}" if stage.diagrams or stage.kind == "layer" else ""
        if at is not None:
            rows.append((name, stage.type, diagrams, f"in `{found.joined[at].text}`", "", ""))
            continue
        rows.append((name, stage.type, diagrams, *numbers(stage.forward, found.sizes)))
    for one in found.joined:
        cost = numbers(total(one.forward for _ in range(one.uses)), found.sizes)
        rows += [(f"`{one.text}`", "as one", "", *cost)] if one.uses else []
    if found.own.madds:
        rows.append(("+", "linear combinations", "", *numbers(found.own, found.sizes)))
    headers = ("stage", "type", "diagrams", "multiply-adds", "=", "moves")
    return Table("stages", headers, tuple(rows), (2, 4, 5))


def _totals(found: Explanation) -> Table:
    ours = max(found.forward.value(found.sizes)[2], 1)
    rows = [_total("as compiled" if found.kind == "network" else COMPILED, found.forward, found.sizes, ours)]
    rows.append(_total("its gradient", found.backward, found.sizes, ours))
    rows += [_total(name, cost, found.sizes, ours) for name, cost in found.naive.items()]
    headers = ("", "multiply-adds", "=", "read", "written", "times")
    return Table("total, with the naive ways beside", headers, tuple(rows), (2, 3, 4, 5))


def _total(name: str, cost: Cost, sizes: Mapping[str, int], ours: int) -> tuple[str, ...]:
    read, written, madds = cost.value(sizes)
    return name, str(cost.madds.sympy()), count(madds), count(read), count(written), ratio(madds / ours)
