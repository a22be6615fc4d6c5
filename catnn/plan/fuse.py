"""Contractions that follow each other as one, where the whole has a cheaper order than its parts as they were written.

Only a tensor that is used once goes into the next contraction, so nothing is computed twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from catnn.category.scalar import ONE
from catnn.hypergraph.box import Box
from catnn.hypergraph.contraction import Contraction, Operand, substitute
from catnn.plan.contract import BATCH, CHANNELS, plan_contraction
from catnn.program import Add, Contract, Program

MOST_OPERANDS = 12
"""A fused contraction has at most so many operands, so that a good order is found soon."""


def batched(program: Program) -> tuple[bool, ...]:
    """For each value whether it may differ along the batch: it does, unless it is made of boxes alone."""
    found = [True for parameter in program.parameters for _ in parameter.type.summands]
    for step in program.steps:
        own = any(found[value] for value in step.inputs) if isinstance(step, Contract | Add) else True
        found += [own] * len(step.outputs)
    return tuple(found)


def fused(program: Program) -> dict[int, Contract | None]:
    """What becomes of each contraction, by the number of its step: None where it is computed inside another."""
    first = sum(len(parameter.type.summands) for parameter in program.parameters)
    maker: dict[int, int] = {}
    for number, step in enumerate(program.steps):
        maker.update(dict.fromkeys(range(first, first + len(step.outputs)), number))
        first += len(step.outputs)
    uses = Counter(value for result in program.results for value in result)
    uses.update(value for step in program.steps for value in step.inputs)
    flags = batched(program)
    contractions = {n: s for n, s in enumerate(program.steps) if isinstance(s, Contract)}
    plain = {value: contractions[n] for value, n in maker.items() if n in contractions and _is_box(contractions[n])}
    found: dict[int, Contract | None] = {number: _inlined(step, plain) for number, step in contractions.items()}
    for number in list(found):
        value = next(value for value, step in maker.items() if step == number)
        if uses[value] != 1 or value in plain:
            continue
        user = next((n for n, step in enumerate(program.steps) if value in step.inputs), None)
        inner, outer = found[number], found.get(user) if user is not None else None
        if inner is None or outer is None or user is None or not covered(inner.contraction):
            continue
        whole = _together(outer, inner, value)
        if len(whole.contraction.operands) <= MOST_OPERANDS and _cheaper(program, flags, whole, outer, inner):
            found[user], found[number] = whole, None
    return found


def _is_box(step: Contract) -> bool:
    """Whether a step is a box as a value, nothing more."""
    operands, target = step.contraction.operands, step.contraction.target
    alone = len(operands) == 1 and isinstance(operands[0].label, Box) and step.contraction.scalar == ONE
    return alone and operands[0].axes == target == tuple(range(len(target)))


def _inlined(step: Contract, plain: Mapping[int, Contract]) -> Contract:
    """A contraction of boxes that are named as values, as one of the boxes themselves."""
    operands = []
    for operand in step.contraction.operands:
        made = plain.get(step.inputs[operand.label]) if isinstance(operand.label, int) else None
        operands.append(operand if made is None else replace(operand, label=made.contraction.operands[0].label))
    return replace(step, contraction=replace(step.contraction, operands=tuple(operands)))


def extras(program: Program, flags: tuple[bool, ...], step: Contract) -> tuple[tuple[int, ...], ...]:
    """For each operand of a contraction whether it has batch and channels."""
    values, found = program.values, []
    for operand in step.contraction.operands:
        value = step.inputs[operand.label] if isinstance(operand.label, int) else None
        has = () if value is None or not flags[value] else (BATCH,)
        found.append(has if value is None or values[value].channels == 1 else (*has, CHANNELS))
    return tuple(found)


def covered(contraction: Contraction) -> bool:
    """Whether every index of the result is on a value, or plain, so that padding needs no mask."""
    on = {index for operand in contraction.operands if isinstance(operand.label, int) for index in operand.axes}
    return all(index in on or contraction.wires[index].plain for index in contraction.target)


def _together(outer: Contract, inner: Contract, value: int) -> Contract:
    """The contraction of which one operand is the result of another."""
    inputs = (*outer.inputs, *inner.inputs)
    shift = len(outer.inputs)
    moved = tuple(
        Operand(o.label + shift if isinstance(o.label, int) else o.label, o.axes) for o in inner.contraction.operands
    )
    at = next(
        at
        for at, operand in enumerate(outer.contraction.operands)
        if isinstance(operand.label, int) and outer.inputs[operand.label] == value
    )
    whole = substitute(outer.contraction, at, replace(inner.contraction, operands=moved))
    return Contract(whole, inputs, outer.output)


def _cheaper(program: Program, flags: tuple[bool, ...], whole: Contract, outer: Contract, inner: Contract) -> bool:
    def cost(step: Contract) -> int:
        return plan_contraction(step.contraction, extras(program, flags, step), step.output.channels).cost

    return cost(whole) < cost(outer) + cost(inner)
