"""Point-ful networks to look at: a step a line, a node a step, a box a step."""

from __future__ import annotations

from catnn.category.pattern import letters
from catnn.category.scalar import ONE
from catnn.hypergraph.box import Box
from catnn.hypergraph.contraction import Contraction, Form
from catnn.model import Activate, Apply, Call, Network
from catnn.program import Add, Along, Contract, Program, Run, Step


def value_names(program: Program) -> tuple[str, ...]:
    """A name for every value: its own, or that of its parameter, or a number."""
    given = program.names or ("",) * len(program.values)
    return tuple(name or str(at) for at, name in enumerate(given))


def pattern(contraction: Contraction) -> str:
    """The pattern of a contraction, a letter an index.

    >>> import catnn
    >>> spec = catnn.parse("space V : S(n)  network f(x: V, y: V) -> V { return [a, b -> b](x, y) }")
    >>> pattern(spec["f"].program.steps[0].contraction)
    '[i, j -> j]'
    """
    supply = letters()
    names = [next(supply) for _ in contraction.wires]
    rows = [" ".join(names[index] for index in operand.axes) for operand in contraction.operands]
    inputs, outputs = ", ".join(rows), " ".join(names[index] for index in contraction.target)
    return f"[{inputs} -> {outputs}]".replace("  ", " ").replace("[ ", "[").replace(" ]", "]")


def step_label(step: Step, names: tuple[str, ...]) -> str:
    """What a step computes, as it could be written."""
    inputs = [names[value] for value in step.inputs]
    match step:
        case Contract():
            operands = [_operand(operand.label, inputs) for operand in step.contraction.operands]
            return f"{pattern(step.contraction)}({', '.join(operands)})"
        case Add():
            terms = [n if c == ONE else f"({c}) * {n}" for (c, _), n in zip(step.terms, inputs, strict=True)]
            return " + ".join(terms)
        case Along():
            return f"{step.function}[{','.join(map(str, step.axes))}]({inputs[0]})"
        case Run():
            return f"{_function(step)}({', '.join(inputs)})"
    return f"{step.box.label}({inputs[0]})"


def _operand(label: int | Box | Form, inputs: list[str]) -> str:
    if isinstance(label, int):
        return inputs[label]
    return label.label if isinstance(label, Box) else label.kind


def _function(step: Run) -> str:
    match step.stage:
        case Apply(layer=layer):
            return layer.name
        case Call(network=network):
            return network.name
        case Activate(activation=name):
            return name
    return "pipeline"


def program_flows(network: Network) -> tuple[list[tuple[str, str, str]], list[tuple[str, str, str]]]:
    """The nodes (name, kind, label) and the flows (tail, head, type) of a network: inputs, steps, output."""
    program = network.program
    assert program is not None
    names, values = value_names(program), program.values
    nodes, flows, maker = [], [], {}
    at = 0
    for number, parameter in enumerate(program.parameters):
        node = f"input{number}"
        nodes.append((node, "input", f"{parameter.name} : {parameter.type}"))
        for _ in parameter.type.summands:
            maker[at] = node
            at += 1
    for number, step in enumerate(program.steps):
        node = f"stage{number}"
        made = ", ".join(names[at + k] for k in range(len(step.outputs)))
        nodes.append((node, "step", f"{made} = {step_label(step, names)}"))
        flows += [(maker[value], node, str(values[value])) for value in step.inputs]
        for _ in step.outputs:
            maker[at] = node
            at += 1
    nodes.append(("output", "output", f"return {', '.join(names[v] for result in program.results for v in result)}"))
    flows += [(maker[value], "output", str(values[value])) for result in program.results for value in result]
    return nodes, flows
