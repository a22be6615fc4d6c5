"""Models: numbers for boxes in which rules hold, to show that a check does not follow from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product
from random import Random

from catnn.category.families import FAMILIES
from catnn.category.sizes import length
from catnn.category.wires import Wire, Word
from catnn.hypergraph.box import Box
from catnn.hypergraph.evaluate import Meter, Number, Tensor, TooLarge, entries
from catnn.hypergraph.linear import Combination, lift
from catnn.rewrite.rule import Law, Rule, Schema

MOST_ARITY = 3
"""A rule with variable arities has to hold in a model up to this arity."""

MOST_WORK = 120_000
"""So many entries are drawn and multiplied before the search for a model ends: a fifth of a second."""

MOST_MODELS = 600
MOST_NUMBERS = 4_096
"""No tensor of a model has more entries."""


@dataclass(frozen=True)
class Counterexample:
    """Where two values differ.

    sizes: by name; tensors: of the boxes; index: the outputs and inputs of the first entry that differs; left, right:
    the entry on each side; assumed: whether rules had to hold.
    """

    sizes: Mapping[str, int]
    tensors: Mapping[str, Tensor]
    index: tuple[int, ...]
    outputs: int
    left: Number
    right: Number
    assumed: bool

    def __str__(self) -> str:
        sizes = ", ".join(f"{name} = {size}" for name, size in self.sizes.items())
        row, column = self.index[: self.outputs], self.index[self.outputs :]
        where = "entry " + ", ".join(_index(part) for part in (row, column) if part)
        if not self.index:
            where = "the number"
        return f"{f'for {sizes} ' if sizes else ''}{where} is {self.left} on the left and {self.right} on the right"

    def shown(self) -> str:
        """The tensors of the model, for messages."""
        return ", ".join(f"{name} = {_tensor(tensor)}" for name, tensor in self.tensors.items())


def _index(index: tuple[int, ...]) -> str:
    return f"({','.join(map(str, index))})"


def _tensor(tensor: Tensor) -> str:
    if set(tensor) <= {()}:
        return str(tensor.get((), 0))
    shown = [f"{_index(index)}: {entry}" for index, entry in sorted(tensor.items())]
    return "{" + ", ".join(shown[:6]) + (", ..." if len(shown) > 6 else "") + "}"


def counterexample(
    left: Combination, right: Combination, laws: Iterable[Law] = (), most: int = MOST_MODELS,
    spaces: Iterable[Wire] = (), work: int = MOST_WORK,
) -> Counterexample | None:  # fmt: skip
    """The smallest sizes, and the first entry, where two values differ in a model of the laws; None if none is found.

    most: how many models are tried at each size; spaces: those that have the sizes, which a closed diagram does not
    show: n is even where one of them is of Sp(n); work: after how much to give up.  Without laws any numbers are a
    model, so different tensors are found at once.  Deterministic.
    """
    boxes, rules = _relevant(left, right, laws)
    rest = sorted(boxes, key=lambda box: box.key)
    meter = Meter(work)
    for sizes in _sizes(left, right, rest, spaces):
        entries_each = sum(_volume((*box.source, *box.target), sizes) for box in rest)
        for model in islice(_models(rest, sizes, bool(rules)), most if rules else 3):
            try:
                meter.spend(entries_each)
                if not all(_holds(rule, sizes, model, meter) for rule in rules):
                    continue
                one, other = entries(left, sizes, model, meter), entries(right, sizes, model, meter)
            except TooLarge:
                if meter.left < 0:
                    return None
                break
            different = sorted(index for index in one.keys() | other.keys() if one.get(index, 0) != other.get(index, 0))
            if different:
                at, zero = different[0], 0
                found = one.get(at, zero), other.get(at, zero)
                return Counterexample(sizes, model, at, len(left.target), *found, assumed=bool(rules))
    return None


def _boxes(value: Combination) -> set[Box]:
    """The boxes of a value as they were declared; forms have numbers of their own."""
    found = {box for _, graph in value.weighted for box in graph.boxes if box.kind not in ("form", "orbit")}
    return {box.dagger() if box.turned else box for box in found}


def _relevant(left: Combination, right: Combination, laws: Iterable[Law]) -> tuple[set[Box], list[Rule]]:
    """The boxes of the two sides, with those that laws tie to them, and these laws."""
    rules: list[Rule] = []
    for law in laws:
        rules += law.instances(range(MOST_ARITY + 1)) if isinstance(law, Schema) else [law]
    boxes = _boxes(left) | _boxes(right)
    waiting = [(rule, _boxes(lift(rule.left)) | _boxes(rule.right)) for rule in rules]
    chosen: list[Rule] = []
    while True:
        tied = [(rule, found) for rule, found in waiting if found & boxes]
        if not tied:
            return boxes, chosen
        for rule, found in tied:
            boxes |= found
            chosen.append(rule)
        waiting = [pair for pair in waiting if pair not in tied]


def _holds(rule: Rule, sizes: Mapping[str, int], model: Mapping[str, Tensor], meter: Meter) -> bool:
    return entries(lift(rule.left), sizes, model, meter) == entries(rule.right, sizes, model, meter)


def _sizes(left: Combination, right: Combination, boxes: list[Box], spaces: Iterable[Wire]) -> Iterator[dict[str, int]]:
    """Sizes from the smallest: 1, 2 and 3 for every name, where the groups exist at all."""
    wires = {wire for value in (left, right) for wire in (*value.source, *value.target)}
    wires |= {wire for value in (left, right) for _, graph in value.weighted for wire in graph.wires}
    wires |= {wire for box in boxes for wire in (*box.source, *box.target)}
    names = {wire.group.size for wire in wires if isinstance(wire.group.size, str)}
    names |= {name for v in (left, right) for c, _ in v.weighted for monomial, _ in c.terms for name, _ in monomial}
    wires |= {wire for wire in spaces if wire.group.size in names}
    ordered = sorted(names)
    for sizes in sorted(product((1, 2, 3), repeat=len(ordered)), key=lambda chosen: (sum(chosen), chosen)):
        given = dict(zip(ordered, sizes, strict=True))
        if not any(FAMILIES[w.group.family].size_fault(length(w, given)) for w in wires):
            yield given


def _models(boxes: list[Box], sizes: Mapping[str, int], assumed: bool) -> Iterator[dict[str, Tensor]]:
    """Numbers for boxes: where laws have to hold, first the tensors that laws like to be about."""
    random = Random(0)
    if any(_volume((*box.source, *box.target), sizes) > MOST_NUMBERS for box in boxes):
        return
    if assumed:
        shelves = [_natural(box, sizes) for box in boxes]
        total = 1
        for shelf in shelves:
            total *= len(shelf)
        if total <= MOST_MODELS:
            yield from (dict(zip((b.name for b in boxes), row, strict=True)) for row in product(*shelves))
        else:
            for _ in range(MOST_MODELS // 2):
                yield {box.name: random.choice(shelf) for box, shelf in zip(boxes, shelves, strict=True)}
    while True:
        yield {box.name: _random(box, sizes, random) for box in boxes}


def _volume(word: Word, sizes: Mapping[str, int]) -> int:
    total = 1
    for wire in word:
        total *= length(wire, sizes)
    return total


def _natural(box: Box, sizes: Mapping[str, int]) -> list[Tensor]:
    """Equal indices, equal sums, the first index, everything, nothing; and minus one, two, and a shift."""
    legs = [length(wire, sizes) for wire in (*box.target, *box.source)]
    l = len(box.target)
    found: list[Tensor] = []
    tests = (
        lambda index: len({*index}) < 2,
        lambda index: (sum(index[:l]) - sum(index[l:])) % max(legs, default=1) == 0,
        lambda index: not any(index),
        lambda index: len(index) == len(legs),
        lambda index: len(index) != len(legs),
        lambda index: (sum(index[:l]) - sum(index[l:])) % max(legs, default=1) == 1,
    )
    for test in tests:
        tensor: Tensor = {index: 1 for index in product(*map(range, legs)) if test(index)}
        if tensor not in found:
            found.append(tensor)
    found += [dict.fromkeys(found[0], factor) for factor in (-1, 2)]
    return [tensor for tensor in found if _keeps(box, tensor)]


def _random(box: Box, sizes: Mapping[str, int], random: Random) -> Tensor:
    """Small integers that keep what the box promises of its legs and of its dagger."""
    legs = [length(wire, sizes) for wire in (*box.target, *box.source)]
    drawn = {index: random.randint(-3, 3) for index in product(*map(range, legs))}
    l = len(box.target)
    tensor: Tensor = {}
    for index in drawn:
        outs, ins = index[:l], index[l:]
        if box.adjoint == "self":
            outs, ins = min((outs, ins), (ins, outs))
        key = (*(sorted(outs) if box.free_outputs else outs), *(sorted(ins) if box.free_inputs else ins))
        if drawn[key]:
            tensor[index] = drawn[key]
    return tensor if _keeps(box, tensor) else {}


def _keeps(box: Box, tensor: Tensor) -> bool:
    """Whether a tensor keeps the promises that its canonical form takes for granted."""
    l = len(box.target)
    for index, entry in tensor.items():
        outs, ins = index[:l], index[l:]
        others = [(*ins, *outs)] if box.adjoint == "self" else []
        others += [(*order, *ins) for order in _exchanged(outs)] if box.free_outputs else []
        others += [(*outs, *order) for order in _exchanged(ins)] if box.free_inputs else []
        if any(tensor.get(other) != entry for other in others):
            return False
    return True


def _exchanged(row: tuple[int, ...]) -> list[tuple[int, ...]]:
    """A row with two neighbours exchanged, in every way: these make all permutations."""
    return [(*row[:at], row[at + 1], row[at], *row[at + 2 :]) for at in range(len(row) - 1)]
