"""The contractions of a point-ful network, each as a diagram that is linked to its line and to its code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from catnn.category.wires import Wire
from catnn.model import Network
from catnn.program import Contract, Program
from catnn.report import links
from catnn.syntax import nodes
from catnn.view.drawing import Drawing
from catnn.view.gallery import legend
from catnn.view.layout import Styles, styles
from catnn.view.programs import contraction_drawing, step_label, tensor_name, value_names


@dataclass(frozen=True, slots=True)
class Shown:
    """A contraction: what is written, its picture, the line of the spec (0 for none) and the lines of the code."""

    text: str
    drawing: Drawing
    line: int
    code: tuple[int, ...]


def program_style(program: Program) -> Styles:
    """A style for every space of a program."""
    found: list[Wire] = [wire for summand in program.values for wire in summand.word]
    for step in program.steps:
        if isinstance(step, Contract):
            found += step.contraction.wires
    return styles(found)


def program_legend(program: Program) -> Drawing | None:
    """Which line is which space, where there are several."""
    style = program_style(program)
    return legend(style) if len(style) > 1 else None


def contractions(network: Network, statement: nodes.Statement | None, code: links.Code, cls: str) -> Iterator[Shown]:
    """The steps of a network that multiply; a step without a name belongs to the binding that comes next."""
    program = network.program
    if program is None:
        return
    names, style = value_names(program), program_style(program)
    given = program.names or ("",) * len(program.values)
    starts, at = list[int](), len(program.values) - sum(len(step.outputs) for step in program.steps)
    for step in program.steps:
        starts.append(at)
        at += len(step.outputs)
    lines = _lines(program, starts, given, statement)
    for step, start, line in zip(program.steps, starts, lines, strict=True):
        if isinstance(step, Contract) and not tensor_name(step):
            said = f"{names[start]} = {step_label(program, step, names)}"
            found = code.named(cls, given[start]) if given[start] else ()
            yield Shown(said, contraction_drawing(program, step, names, style), line, found)


def _lines(program: Program, starts: list[int], given: tuple[str, ...], statement: nodes.Statement | None) -> list[int]:
    """The line of the binding that each step belongs to."""
    if not isinstance(statement, nodes.PointfulStatement):
        return [0] * len(program.steps)
    bound = {n.text: links.lines_of(binding.span)[0] for binding in statement.body for n in binding.names}
    line, lines = links.lines_of(statement.body[-1].span)[0], list[int]()
    for step, start in zip(reversed(program.steps), reversed(starts), strict=True):
        line = next((bound[n] for n in given[start : start + len(step.outputs)] if n in bound), line)
        lines.append(line)
    return lines[::-1]
