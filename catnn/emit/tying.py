"""What a class says about its ties: the orbits it numbers once, and the block matrices it makes of its weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from textwrap import wrap

from catnn.category.labelled import is_orbital
from catnn.category.wires import Summand, Word, bases
from catnn.emit.writer import one_tuple, quoted
from catnn.plan.ties import Tie, Ties, moves_of

LINE = 104


@dataclass
class Tying:
    """The buffers of one class, and the lines that make and use them.

    prefix: how the constants of the layer start; setup: lines of the constructor; first: the number of the next buffer.
    """

    ties: Ties
    prefix: str
    first: int = 0
    setup: list[str] = field(default_factory=list)
    constants: list[str] = field(default_factory=list)
    _numbers: dict[Word, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._weights = {at: self._call(tie) for at, tie in self.ties.weights.items() if tie.diagrams}
        self._biases = {o: self._call(tie) for o, tie in self.ties.biases.items() if tie.diagrams}
        wires = bases(tuple(wire for spaces in self._numbers for wire in spaces))
        lines = [f"_{self.prefix.upper()}_MOVES = {{"]
        for wire in wires:
            lines.append(f"    {quoted(wire.space)}: ({wire.group.size}, (")
            for move in moves_of(wire):
                row = wrap(one_tuple(map(str, move)) + ",", LINE)
                lines += [f"        {line}" for line in row]
            lines.append("    )),")
        self.constants = ["\n".join([*lines, "}"]) + "\n"] if self._numbers else []  # a part may be on no such wire

    def compute(self) -> Iterator[str]:
        """The lines before the call: every weight and bias of the inner layer, under its name."""
        layer = self.ties.layer
        for (o, i), call in self._weights.items():
            out, in_ = layer.target.summands[o], layer.source.summands[i]
            name = layer.weight_name(o, i)
            empty = f"xs[0].new_zeros(0, {out.channels}, {in_.channels})"
            given = f"self.{name}.to(xs[0].dtype)" if layer.weighted[o][i] else empty
            yield from _lines(name, [given, *call])
        for o, call in self._biases.items():
            name = layer.bias_name(o)
            yield from _lines(name, [f"self.{name}.to(xs[0].dtype).unsqueeze(-1)", *call], ".squeeze(-1)")

    def _call(self, tie: Tie) -> list[str]:
        """The arguments behind the weight."""
        shape = tie.shape
        found = [f"self.{self._orbits(tie)}", f"({', '.join(map(str, shape))})"]
        rows = [row for row, _, _ in tie.learned]
        if rows == [weight for _, weight, _ in tie.learned] == list(range(tie.weights)):
            if any(value != 1 for _, _, value in tie.learned):
                values = one_tuple(_number(value) for _, _, value in tie.learned)
                call = [f"torch.tensor({values}", "dtype=torch.float64", "device=device)"]
                found.append(f"scale=self.{self._buffer('scale', call)}")
        elif tie.learned:
            columns = (weight for _, weight, _ in tie.learned)
            found.append(
                f"spread=self.{self._matrix(rows, columns, [v for *_, v in tie.learned], (tie.rows, tie.weights))}"
            )
        if tie.fixed:
            places, values_ = [row for row, _ in tie.fixed], [value for _, value in tie.fixed]
            found.append(f"fixed=self.{self._matrix(places, (0 for _ in places), values_, (tie.rows, 1))}")
        return found

    def _orbits(self, tie: Tie) -> str:
        if tie.spaces not in self._numbers:
            spaces = one_tuple(quoted(wire.space) for wire in tie.spaces)
            moves = f"_{self.prefix.upper()}_MOVES" if tie.spaces else "{}"
            self._numbers[tie.spaces] = self._buffer(
                "orbits", [f"_orbits({spaces}", moves, str(len(tie.orbits)), "device)"]
            )
        return self._numbers[tie.spaces]

    def _matrix(self, rows: list[int], columns: Iterator[int], values: list[Fraction], shape: tuple[int, int]) -> str:
        parts = [one_tuple(map(str, rows)), one_tuple(map(str, columns)), one_tuple(map(_number, values))]
        return self._buffer("entries", [f"_matrix({parts[0]}", *parts[1:], f"({shape[0]}, {shape[1]})", "device)"])

    def _buffer(self, kind: str, call: list[str]) -> str:
        name = f"{kind}{self.first}"
        self.first += 1
        text = f"{name} = {', '.join(call)}"
        lines = [text] if len(text) < LINE else _folded(text)
        self.setup += [*lines, f"self.register_buffer({quoted(name)}, {name}, persistent=False)"]
        return name


def _folded(text: str) -> list[str]:
    first, *rest = wrap(text, LINE - 8, break_long_words=False, break_on_hyphens=False)
    return [first, *(f"    {line}" for line in rest)]


def _lines(name: str, arguments: list[str], after: str = "") -> list[str]:
    text = f"{name} = _tied({', '.join(arguments)}){after}"
    if len(text) < LINE:
        return [text]
    return [f"{name} = _tied(", *(f"    {argument}," for argument in arguments), f"){after}"]


def _number(value: Fraction) -> str:
    return str(value) if value.denominator == 1 else f"{value.numerator} / {value.denominator}"


def joined_axes(value: str, summand: Summand) -> str:
    """A tensor with its axes of orbits in the channels: a view where they stand beside them."""
    here, beside = _axes(summand)
    if not here:
        return value
    if here != beside:
        value += f".movedim({one_tuple(map(str, here))}, {one_tuple(map(str, beside))})"
    return f"{value}.flatten({-len(here) - 1})"


def parted_axes(value: str, summand: Summand) -> str:
    """The inverse of `joined_axes`."""
    here, beside = _axes(summand)
    if not here:
        return value
    lengths = [str(wire.group.size) for wire in summand.word if is_orbital(wire)]
    value += f".unflatten(-1, {one_tuple((*lengths, str(summand.channels)))})"
    return value if here == beside else f"{value}.movedim({one_tuple(map(str, beside))}, {one_tuple(map(str, here))})"


def _axes(summand: Summand) -> tuple[list[int], list[int]]:
    """Where the axes of orbits are, and where they are beside the channels, counted from the end."""
    m = len(summand.word)
    here = [at - m - 1 for at, wire in enumerate(summand.word) if is_orbital(wire)]
    return here, [at - len(here) - 1 for at in range(len(here))]
