"""Point-ful networks to look at: a step a line, a node a step, a box a step."""

from __future__ import annotations

from catnn.category.pattern import letters
from catnn.category.scalar import ONE, scaled, summed
from catnn.category.wires import Word, show_word
from catnn.hypergraph.box import Box
from catnn.hypergraph.contraction import Contraction, Form
from catnn.hypergraph.graph import Hypergraph, Node
from catnn.model import Activate, Apply, Call, Combine, Identity, Network, Pipeline, Stage
from catnn.program import Add, Along, Contract, Program, Run, Step
from catnn.view.drawing import Drawing, beside, words
from catnn.view.layout import Styles


def value_names(program: Program) -> tuple[str, ...]:
    """A name for every value: its own, that of the box that it is, or a letter with a number.

    >>> import catnn
    >>> spec = catnn.parse("space F : 3  box w : 1 -> F  network f(x: F) -> F { return tanh(x + w) }")
    >>> value_names(spec["f"].program)
    ('x', 'w', 't1', 't2')
    """
    given = program.names or ("",) * len(program.values)
    taken, number = {*given}, 0
    names = [parameter.name for parameter in program.parameters for _ in parameter.type.summands]
    for step in program.steps:
        for _ in step.outputs:
            name = given[len(names)] or tensor_name(step)
            while not name or (name in taken and not given[len(names)] and not tensor_name(step)):
                number += 1
                name = f"t{number}"
            names.append(name)
    return tuple(names)


def tensor_name(step: Step) -> str:
    """The name of the box whose numbers a step gives, "" for any other step."""
    if not isinstance(step, Contract) or step.inputs or len(step.contraction.operands) != 1:
        return ""
    (operand,), target = step.contraction.operands, step.contraction.target
    whole = operand.axes == target == tuple(range(len(target))) and step.contraction.scalar == ONE
    return operand.label.label if whole and isinstance(operand.label, Box) else ""


def arguments(program: Program, inputs: tuple[int, ...], names: tuple[str, ...]) -> list[str]:
    """What a step takes, by name; the summands of a parameter side by side are the parameter."""
    starts: dict[int, int] = {}
    at = 0
    for parameter in program.parameters:
        starts[at] = len(parameter.type.summands)
        at += starts[at]
    found, at = list[str](), 0
    while at < len(inputs):
        many = starts.get(inputs[at], 1)
        many = many if inputs[at : at + many] == tuple(range(inputs[at], inputs[at] + many)) else 1
        found.append(names[inputs[at]])
        at += many
    return found


def index_letters(contraction: Contraction) -> list[str]:
    """A letter for each index: without symmetry the first of its space where that is free, else i, j, k and so on.

    >>> import catnn
    >>> text = "space V : S(n)  space D : 4  box w : D -> D  network f(x: V @ D) -> V @ D { return (id[V] @ w)(x) }"
    >>> index_letters(catnn.parse(text)["f"].program.steps[0].contraction)
    ['i', 'd', 'j']
    """
    found = [""] * len(contraction.wires)
    for index, wire in enumerate(contraction.wires):
        initial = wire.space[:1].lower()
        if wire.plain and initial.isascii() and initial.isalpha() and initial not in found:
            found[index] = initial
    supply = (letter for letter in letters() if letter not in found)
    return [letter or next(supply) for letter in found]


def pattern(contraction: Contraction) -> str:
    """The pattern of a contraction, a letter an index.

    >>> import catnn
    >>> spec = catnn.parse("space V : S(n)  network f(x: V, y: V) -> V { return [a, b -> b](x, y) }")
    >>> pattern(spec["f"].program.steps[0].contraction)
    '[i, j -> j]'
    """
    names = index_letters(contraction)
    rows = [" ".join(names[index] for index in operand.axes) for operand in contraction.operands]
    inputs, outputs = ", ".join(rows), " ".join(names[index] for index in contraction.target)
    return f"[{inputs} -> {outputs}]".replace("  ", " ").replace("[ ", "[").replace(" ]", "]")


def axis_names(program: Program) -> list[tuple[str, ...]]:
    """How the axes of each value can be named: by the letters of the pattern that made it, a space, or a number.

    >>> import catnn
    >>> text = "space V : S(n)  network f(x: V, y: V) -> V^2 { s = [i, j -> i j](x, y); return softmax[j](2 * s) }"
    >>> axis_names(catnn.parse(text)["f"].program)[2:]
    [('i', 'j'), ('i', 'j'), ('i', 'j')]
    """
    names = [_plain_names(value.word) for value in program.values]
    first = len(program.values) - sum(len(step.outputs) for step in program.steps)
    for step in program.steps:
        for at, value in enumerate(range(first, first + len(step.outputs))):
            if isinstance(step, Contract):
                letter = index_letters(step.contraction)
                made = [letter[index] for index in step.contraction.target]
                pairs = zip(made, names[value], strict=True)
                names[value] = tuple(own if made.count(own) == 1 else plain for own, plain in pairs)
            elif not isinstance(step, Run) or isinstance(step.stage, Activate):
                read = step.inputs[at if isinstance(step, Run) else 0]
                if program.values[read].word == program.values[value].word:
                    names[value] = names[read]
        first += len(step.outputs)
    return names


def _plain_names(word: Word) -> tuple[str, ...]:
    """The space of an axis where it has one alone, else its number."""
    spaces = [wire.space for wire in word]
    return tuple(space if spaces.count(space) == 1 else str(at) for at, space in enumerate(spaces))


def step_label(program: Program, step: Step, names: tuple[str, ...]) -> str:
    """What a step computes, as it could be written; a value without a name, "", is left to the reader."""
    inputs = [names[value] for value in step.inputs]
    match step:
        case Contract():
            if tensor_name(step):
                return tensor_name(step)
            operands = [operand_text(operand.label, inputs) for operand in step.contraction.operands]
            return scaled(step.contraction.scalar, f"{pattern(step.contraction)}{_given(operands)}")
        case Add():
            return summed((c, name or "_") for (c, _), name in zip(step.terms, inputs, strict=True))
        case Along():
            axes = axis_names(program)[step.input]
            return f"{step.function}[{','.join(axes[at] for at in step.axes)}]{_given(inputs)}"
        case Run():
            return f"{_bracketed(step.stage)}{_given(arguments(program, step.inputs, names)) if inputs else '()'}"
    return f"{step.box.label}{_given(inputs)}"


def _given(inputs: list[str]) -> str:
    """The values in brackets; nothing where none has a name."""
    return f"({', '.join(name or '_' for name in inputs)})" if any(inputs) else ""


def operand_text(label: int | Box | Form, inputs: list[str]) -> str:
    """An operand of a contraction: a value, a box or a form."""
    if isinstance(label, int):
        return inputs[label]
    return label.label if isinstance(label, Box) else label.kind


def stage_text(stage: Stage) -> str:
    """A stage, as it could be written; brackets nest at most 200 deep, so this may recurse."""
    match stage:
        case Apply(layer=layer):
            return layer.name
        case Call(network=network):
            return network.name
        case Activate(activation=name):
            return name
        case Identity():
            return "id"
        case Pipeline(stages=stages):
            inner = [stage_text(one) for one in stages]
            return " ; ".join(f"({t})" if isinstance(s, Combine) else t for s, t in zip(stages, inner, strict=True))
        case Combine(terms=terms):
            return summed((c, _bracketed(one)) for c, one in terms)


def _bracketed(stage: Stage) -> str:
    """A stage that is called, scaled or added."""
    text = stage_text(stage)
    return f"({text})" if isinstance(stage, Pipeline | Combine) else text


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
        text = step_label(program, step, names)
        nodes.append((node, "step", text if text == made else f"{made} = {text}"))
        flows += [(maker[value], node, str(values[value])) for value in step.inputs]
        for _ in step.outputs:
            maker[at] = node
            at += 1
    nodes.append(
        (
            "output",
            "output",
            f"return {', '.join(_tuple(arguments(program, result, names)) for result in program.results)}",
        )
    )
    flows += [(maker[value], "output", str(values[value])) for result in program.results for value in result]
    return nodes, flows


def _tuple(names: list[str]) -> str:
    """A direct sum of several values stands in brackets."""
    return names[0] if len(names) == 1 else f"({', '.join(names)})"


def program_lines(network: Network) -> list[str]:
    """The parameters, the steps and the result, a line each, with the types of the values."""
    nodes, _ = program_flows(network)
    program = network.program
    assert program is not None
    types = [""] * len(program.parameters)
    types += [f": {_made(step)}" for step in program.steps]
    wide = max((len(label) for (_, _, label), type_ in zip(nodes, types, strict=False) if type_), default=0)
    lines = [f"{label:<{wide}}  {type_}".rstrip() for (_, _, label), type_ in zip(nodes, types, strict=False)]
    return [f"{at:>3}  {line}" for at, line in enumerate((*lines, nodes[-1][2]))]


def _made(step: Step) -> str:
    """The types of what a step makes; a box, whose axes are those of its target and its source, is an arrow."""
    if isinstance(step, Contract) and tensor_name(step):
        label = step.contraction.operands[0].label
        if isinstance(label, Box):
            return f"{show_word(label.source)} -> {show_word(label.target)}"
    return ", ".join(map(str, step.outputs))


def contraction_graph(program: Program, step: Contract, names: tuple[str, ...]) -> Hypergraph:
    """A contraction as a diagram out of nothing: values are boxes without inputs, an index is a vertex."""
    found = step.contraction
    nodes: list[Node] = []
    for operand in found.operands:
        match operand.label:
            case int(value):
                word = program.values[step.inputs[value]].word
                nodes.append(Node(Box(names[step.inputs[value]], (), word), (), operand.axes))
            case Box() as box:
                cut = len(box.target)
                nodes.append(Node(box, operand.axes[cut:], operand.axes[:cut]))
            case Form(kind=kind):
                word = tuple(found.wires[axis] for axis in operand.axes)
                nodes.append(Node(Box(kind, (), word), (), operand.axes))
    return Hypergraph.known((), step.output.word, found.wires, tuple(nodes), (), found.target)


def contraction_drawing(program: Program, step: Contract, names: tuple[str, ...], style: Styles) -> Drawing:
    """The picture of a contraction, with its scalar in front."""
    from catnn.view.boxes import boxes_drawing

    drawing = boxes_drawing(contraction_graph(program, step, names), style, title=step_label(program, step, names))
    scalar = step.contraction.scalar
    return drawing if scalar == ONE else beside((words(f"({scalar})", "sign"), drawing))
