"""The dense form of a layer as a function: the weights summed into one matrix a pair of summands.

It is chosen where few numbers are computed (`_Layer.few`): there, torch's statements cost more than what they do.  It
is plain torch, which autograd and all transforms know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from textwrap import wrap

from catnn.category.scalar import ZERO, Scalar
from catnn.category.wires import Word
from catnn.emit.drawing import python
from catnn.emit.functions import bias_names
from catnn.emit.writer import one_tuple, quoted, size_variable
from catnn.model import Layer
from catnn.plan.cost import BATCH
from catnn.plan.dense import Dense, Entries, multiply_adds
from catnn.plan.plan import Plan


def dense_constants(found: Dense, prefix: str) -> str:
    """The letters of all diagrams, a constant a parameter."""
    return "".join(_constant(name, entries) for name, entries in _tables(found, prefix))


def _tables(found: Dense, prefix: str) -> Iterator[tuple[str, tuple[Entries, ...]]]:
    several = len(found.weights) * len(found.weights[0]) > 1
    for o, row in enumerate(found.weights):
        for i, pair in enumerate(row):
            if pair:
                yield f"{prefix.upper()}_DIAGRAMS" + (f"_{o}_{i}" if several else ""), pair
    for o, entries in enumerate(found.biases):
        if entries:
            yield f"{prefix.upper()}_INVARIANTS" + (f"_{o}" if several else ""), entries


def _constant(name: str, entries: tuple[Entries, ...]) -> str:
    words = one_tuple(f'"{one.letters}"' for one in entries)
    if len(name) + len(words) < 110:
        return f"{name} = {words}\n"
    lines = wrap(words[1:-1], 112)
    return f"{name} = (\n" + "\n".join(f"    {line}" for line in lines) + ",\n)\n"


def dense_function(found: Dense, layer: Layer, plan: Plan, prefix: str) -> str:
    """Its source: of `known`, the inputs, the parameters as they are, and the sizes."""
    xs, weights, sizes = _names(found, layer)
    biases = bias_names(plan)
    names = iter(dict(_tables(found, prefix)).items())
    lines: list[str] = []
    at, terms = 0, dict[int, list[tuple[str, str]]]()
    for o, row in enumerate(found.weights):
        for i, pair in enumerate(row):
            if pair:
                name, entries = next(names)
                outs, ins = found.target.words[o], found.source.words[i]
                made = _entries(at, name, entries, (*outs, *ins), weights[o, i])
                w = f"w{at}"
                lines.append(f"{w} = _summed({made}, {weights[o, i]}, {_product(outs)})")
                terms.setdefault(o, []).append((f"{xs[i]}.flatten({-len(ins) - 1})", w))
                at += 1
    results, several = list[str](), len(terms) > 1
    for o, pieces in terms.items():
        last = ""
        if found.biases[o]:
            name, entries = next(names)
            made = _entries(at, name, entries, found.target.words[o], biases[o])
            lines.append(f"z{o} = ({made} @ {biases[o]}).flatten()")
            last, at = f", z{o}", at + 1
        products = [f"linear({x}, {w}{last if not number else ''})" for number, (x, w) in enumerate(pieces)]
        value = products[0] if len(products) == 1 else f"({' + '.join(products)})"
        word, channels = found.target.words[o], found.target.summands[o].channels
        shape = one_tuple([*_lengths(word), str(channels)])
        value += f".unflatten(-1, {shape})" if word else ""
        results.append(f"y{o}" if several else value)
        if several:
            lines.append(f"y{o} = {value}")
    parameters = ", ".join(("known", *xs, *weights.values(), *biases.values(), *sizes))
    doc = f"{layer.name} as one matrix a pair of summands, the weights summed into it: for few numbers."
    body = [f'"""{doc}"""', *lines, f"return {one_tuple(results)}"]
    return f"def _{prefix}_dense({parameters}):\n" + "\n".join(f"    {line}" for line in body) + "\n"


def _names(found: Dense, layer: Layer) -> tuple[tuple[str, ...], dict[tuple[int, int], str], tuple[str, ...]]:
    """The inputs, the weights by pair of summands, and the sizes."""
    count = len(found.source.summands)
    xs = ("x",) if count == 1 else tuple(f"x{i}" for i in range(count))
    pairs = [(o, i) for o, row in enumerate(found.weights) for i, pair in enumerate(row) if pair]
    return (
        xs,
        {(o, i): layer.weight_name(o, i) for o, i in pairs},
        tuple(size_variable(size) for size in sizes_of(found)),
    )


def sizes_of(found: Dense) -> tuple[str, ...]:
    """The symbolic sizes of its words."""
    words = (*found.source.words, *found.target.words)
    return tuple(sorted({w.group.size for word in words for w in word if isinstance(w.group.size, str)}))


def _entries(at: int, name: str, entries: tuple[Entries, ...], word: Word, like: str) -> str:
    factors = [python(one.factor) for one in entries]
    shown = "None" if set(factors) == {"1"} else one_tuple(factors)
    return f"_entries(known, {at}, {name}, {shown}, {one_tuple(_lengths(word))}, {like})"


def _lengths(word: Word) -> list[str]:
    sizes = (wire.group.size for wire in word)
    return [size_variable(size) if isinstance(size, str) else str(size) for size in sizes]


def _product(word: Word) -> str:
    """The product of the lengths of a word, as Python."""
    powers: dict[str, int] = {}
    number = prod(wire.group.size for wire in word if isinstance(wire.group.size, int))
    for length in _lengths(word):
        if not length.isdigit():
            powers[length] = powers.get(length, 0) + 1
    shown = [name if power == 1 else f"{name}**{power}" for name, power in powers.items()]
    return " * ".join(([] if number == 1 and shown else [str(number)]) + shown)


def dense_call(found: Dense, layer: Layer, plan: Plan, prefix: str, held: Callable[[str], str]) -> list[str]:
    """The statements of the method that take the dense way where it is the fastest; held: how parameters are had."""
    _, weights, _ = _names(found, layer)
    biases = [layer.bias_name(o) for o in bias_names(plan)]
    tensors = [f"{held(name)}.to(xs[0].dtype)" for name in (*weights.values(), *biases)]
    sizes = sizes_of(found)
    given = ["self.known", "*xs", *tensors, *(size_variable(size) for size in sizes)]
    call = [f"return _{prefix}_dense({', '.join(given)})"]
    if len(call[0]) > 100:
        call = [f"return _{prefix}_dense(", *(f"    {one}," for one in given), ")"]
    return [
        "if not _traced():",
        *(f"    {size_variable(size)} = lengths[{quoted(size)}]" for size in sizes),
        *(f"    {line}" for line in _work(found)),
        "    if self.few(work, counts, xs, lengths):",
        *(f"        {line}" for line in call),
    ]


def _work(found: Dense) -> list[str]:
    """Multiply-adds as Python: those that sum the weights, and those of each entry of the batch."""
    summing, each = ZERO, ZERO
    for monomial, coefficient in multiply_adds(found).terms:
        rest = Scalar(((tuple(pair for pair in monomial if pair[0] != BATCH), coefficient),))
        if (BATCH, 1) in monomial:
            each = each + rest
        else:
            summing = summing + rest
    batch = f"xs[0].shape[:{-len(found.source.words[0]) - 1}].numel()"
    if len(each.terms) == 1:
        return [f"work = {python(summing)} + {python(each)} * {batch}"]
    return [f"work = {python(summing)}", f"work += ({python(each)}) * {batch}"]
