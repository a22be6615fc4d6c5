"""The function that makes the weights of a layer which stands for several, from theirs and structure constants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from textwrap import wrap

from catnn.category.scalar import Scalar
from catnn.emit.drawing import python
from catnn.emit.writer import Body, Names, one_tuple, quoted, size_variable
from catnn.model import Layer
from catnn.plan.chains import Chain, Node
from catnn.plan.fusing import Meeting

MADE = "made"
"""The variable of the method that holds the combined weights."""


@dataclass(frozen=True, slots=True)
class Making:
    """How a layer that stands for several gets its weights.

    texts: constants and a function; before: the statements of the method that call it; held: the expressions of the
    parameters after these; attributes: what the class says about where it pays.
    """

    texts: tuple[str, ...]
    before: tuple[str, ...]
    held: dict[str, str]
    attributes: tuple[str, ...]
    parts: frozenset[str]


@dataclass
class _Writing:
    """The function while it is written: its tensors by part and name, its sizes, its constants."""

    chain: Chain
    prefix: str
    body: Body = field(default_factory=lambda: Body(Names(["known"])))
    tensors: dict[tuple[int, str], str] = field(default_factory=dict)
    constants: list[str] = field(default_factory=list)

    def side(self, side: Node | int, name: str, made: dict[int, dict[str, str]]) -> str:
        """The variable of a parameter of what is combined."""
        if isinstance(side, Node):
            return made[id(side)][name]
        place = self.chain.part_of(side, name)
        if place not in self.tensors:
            layer = self.chain.parts[place[0]]
            self.tensors[place] = self.body.names.fresh(f"{layer.name}_{place[1]}".lower())
        return self.tensors[place]


def making(chain: Chain, prefix: str) -> Making:
    """Write the function; prefix: how the names of the layer's functions start."""
    writing = _Writing(chain, prefix)
    made: dict[int, dict[str, str]] = {}
    for node in chain.top.nodes():
        made[id(node)] = dict(_parameters(writing, node, made))
    results = made[id(chain.top)]
    writing.body.say(f"return {one_tuple(results.values())}")
    sizes = sorted(writing.body.sizes)
    takes = ["known", *writing.tensors.values(), *map(size_variable, sizes)]
    names = " and ".join(f"`{part.name}`" for part in chain.parts)
    doc = f"The weights of {names} as one: those of each pair of diagrams go where the two compose to."
    lines = [f"def _{prefix}_fused({', '.join(takes)}):", f'    """{doc}"""']
    lines += [f"    {line}" for line in writing.body.lines]
    given = [f"self.parts[{at}].{own}" for at, own in writing.tensors]
    call = ["self.known", *given, *(f"lengths[{quoted(size)}]" for size in sizes)]
    limits = [f"least = {chain.least:_}"] if chain.least > 1 else []
    limits += [f"most = {chain.most:_}"] if chain.most is not None else []
    return Making(
        (*writing.constants, "\n".join(lines) + "\n"),
        (f"{MADE} = _{prefix}_fused({', '.join(call)})",),
        {name: f"{MADE}[{at}]" for at, name in enumerate(results)},
        tuple(limits),
        frozenset({"_Fused", "_fuses", *writing.body.parts}),
    )


def _parameters(writing: _Writing, node: Node, made: dict[int, dict[str, str]]) -> Iterator[tuple[str, str]]:
    """Each parameter of a node, by its name in the layer of the node, and the variable that holds it."""
    for name in _names(node.found.layer):
        pieces = [_piece(writing, node, m, made) for m in node.found.meetings if m.target == name]
        if pieces:
            yield name, writing.body.let("w" if name.startswith("weight") else "b", " + ".join(pieces))


def _names(layer: Layer) -> Iterator[str]:
    outs, ins = range(len(layer.target.summands)), range(len(layer.source.summands))
    yield from (layer.weight_name(o, i) for o in outs for i in ins)
    yield from (layer.bias_name(o) for o in outs)


def _piece(writing: _Writing, node: Node, meeting: Meeting, made: dict[int, dict[str, str]]) -> str:
    """What one pair of parameters adds."""
    upper = writing.side(node.later, meeting.later, made) if meeting.later else ""
    lower = writing.side(node.earlier, meeting.earlier, made) if meeting.earlier else ""
    body, constants = writing.body, _constants(writing, meeting, upper or lower)
    if not (upper and lower):
        return f"{body.use('_taken')}({constants}, {upper or lower})"
    if meeting.earlier.startswith("bias"):
        return f"{body.use('_combined')}({constants}, {upper}, {lower}.unsqueeze(-1)).squeeze(-1)"
    return f"{body.use('_combined')}({constants}, {upper}, {lower})"


def _constants(writing: _Writing, meeting: Meeting, like: str) -> str:
    """The structure constants as an expression; where they stand is a constant of the file."""
    _, upper, lower = meeting.shape
    kinds: dict[Scalar, int] = {}
    places, which = [], []
    for (row, b, a), scalar in meeting.entries:
        places.append((row * upper + b) * lower + a)
        which.append(kinds.setdefault(scalar, len(kinds)))
    at = len(writing.constants)
    name = f"_{writing.prefix.upper()}_PAIRS_{at}"
    writing.constants.append(_table(name, places, which))
    for scalar in kinds:
        writing.body.sizes.update(size for monomial, _ in scalar.terms for size, _ in monomial)
    factors, shape = one_tuple(map(python, kinds)), one_tuple(map(str, meeting.shape))
    return f"{writing.body.use('_structure')}(known, {at}, *{name}, {factors}, {shape}, {like})"


def _table(name: str, places: list[int], which: list[int]) -> str:
    """Where the constants are not 0, and which of the factors is there."""
    rows = one_tuple([one_tuple(map(str, places)), one_tuple(map(str, which))])
    if len(name) + len(rows) < 110:
        return f"{name} = {rows}\n"
    return f"{name} = (\n{_row(places)}{_row(which)})\n"


def _row(values: list[int]) -> str:
    lines = wrap(", ".join(map(str, values)), 108)
    if not lines:
        return "    (),\n"
    return "    (\n" + "".join(f"        {line}\n" for line in lines[:-1]) + f"        {lines[-1]},\n    ),\n"
