"""What a layer or network is made of and what it costs: `catnn.explain`.

An `Explanation` holds the numbers and prints as tables, in the spirit of opt_einsum's PathInfo: the weights, the
factorisation of the hom-space, each diagram as permutation ; planar ; permutation, the steps of the plan with their
symbolic and numeric cost, and the naive ways beside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod
from typing import Any

from catnn.category.basis import Basis
from catnn.category.diagram import Diagram
from catnn.category.half import Half
from catnn.category.halves import factors, level_key
from catnn.category.labelled import is_orbital, permuted, split
from catnn.category.scalar import Scalar
from catnn.category.wires import Word, show_word
from catnn.compiler import HINT, check_sizes, item_sizes
from catnn.diagnostics import fail
from catnn.model import Activate, Apply, Call, Identity, Layer, Network, walk
from catnn.plan.build import plan_layer
from catnn.plan.cost import BATCH, Cost, Step, forward_steps, gradient_steps, total
from catnn.plan.dense import dense, dense_steps
from catnn.plan.fourier import fourier, worthwhile
from catnn.plan.lower import lowered
from catnn.plan.naive import naive_costs
from catnn.plan.orders import orders, tensor_shapes
from catnn.plan.plan import Plan
from catnn.plan.rates import DENSE, IN_C, STATEMENTS, Tally, in_c, rates
from catnn.rewrite.planar import factorise

SMALL = 60
"""Up to so many diagrams, or steps, are listed; more are counted."""


@dataclass(frozen=True, slots=True)
class Level:
    """A level of the hom-space of a pair of summands: diagrams = in halves x permutations x out halves, if all exist.

    pair: (target, source) summand; word: the through blocks.
    """

    pair: tuple[int, int]
    word: str
    inputs: int
    permutations: int
    outputs: int
    diagrams: int


@dataclass(frozen=True, slots=True)
class Factored:
    """A diagram of a layer: which weight it has (``weight[3]``, ``bias[0]``, ``fixed``), and its factorisation."""

    weight: str
    pattern: str
    factorisation: str


@dataclass(frozen=True)
class Explanation:
    """What there is to know about a layer or network before it runs.

    parameters: ((name, shape), ...); sizes: what the numbers are for, `batch` among them; steps, gradient: what runs
    forward and backward; naive: the costs of other ways; predicted: seconds of a call by way, with the rates of
    `machine`; stages: for a network ((label, explanation or None), ...).
    """

    kind: str
    name: str
    type: str
    symmetry: tuple[str, ...]
    parameters: tuple[tuple[str, tuple[int, ...]], ...]
    notes: tuple[str, ...]
    levels: tuple[Level, ...]
    factored: tuple[Factored, ...]
    steps: tuple[Step, ...]
    gradient: tuple[Step, ...]
    naive: Mapping[str, Cost]
    sizes: Mapping[str, int]
    stages: tuple[tuple[str, Explanation | None], ...] = ()
    full: bool = False
    predicted: Mapping[str, float] = field(default_factory=dict)
    machine: str = ""

    @property
    def diagrams(self) -> int:
        """How many weighted diagrams there are; one in several weights counts in each."""
        return sum(level.diagrams for level in self.levels) + sum(s.diagrams for _, s in self.stages if s)

    @cached_property
    def forward(self) -> Cost:
        """The cost of one call."""
        return total([*(s.cost for s in self.steps), *(s.forward for _, s in self.stages if s)])

    @cached_property
    def backward(self) -> Cost:
        """The cost of the gradient, for inputs and weights."""
        return total([*(s.cost for s in self.gradient), *(s.backward for _, s in self.stages if s)])

    @property
    def numbers(self) -> int:
        """How many numbers are learned (a layer that is used twice is counted once)."""
        seen: dict[str, int] = {}
        for label, stage in self.stages:
            if stage:
                seen[label] = stage.numbers
        own = 0
        for _, shape in self.parameters:
            product = 1
            for length in shape:
                product *= length
            own += product
        return own + sum(seen.values())

    def ratios(self) -> dict[str, float]:
        """How many times more multiply-adds the naive ways need, by name."""
        ours = max(self.forward.value(self.sizes)[2], 1)
        return {name: cost.value(self.sizes)[2] / ours for name, cost in self.naive.items()}

    def to_dict(self) -> dict[str, Any]:
        """Everything, as what JSON can hold; costs are ``{"read": {"expression", "value"}, ...}``."""
        from catnn.view.explanation import as_dict

        return as_dict(self)

    def __str__(self) -> str:
        from catnn.view.explanation import as_text

        return as_text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from catnn.view.explanation import as_html

        return as_html(self)


def explain(item: Layer | Network, /, *, batch: int = 1, full: bool = False, **sizes: int) -> Explanation:
    """What a layer or network is made of and what it costs.

    batch: entries of the batch; sizes: by name, 16 where none is given; full: list everything, however long.
    Raises: CatnnError (E1002, E1003, E1008).

    >>> import catnn
    >>> spec = catnn.parse("space V : S(n)  layer mix : V^2[8] -> V^2[8] = all")
    >>> found = explain(spec["mix"], n=10)
    >>> [(level.word, level.diagrams) for level in found.levels]
    [('1', 4), ('V', 9), ('V^2', 2)]
    >>> print(found.forward.madds)
    256*batch + 616*batch*n + 160*batch*n^2
    """
    if not isinstance(item, (Layer, Network)):
        raise fail(
            "E1008",
            f"{type(item).__name__} is no layer or network, so there is nothing to explain",
            helps=('give one of a spec: `catnn.explain(spec["mix"])`',),
        )
    if type(batch) is not int or batch < 0:
        raise fail("E1003", f"batch={batch!r} is not a number of entries")
    names = item_sizes(item)
    check_sizes(item, names, sizes)
    given = {name: sizes.get(name, HINT) for name in names} | {BATCH: batch}
    return _layer(item, given, full) if isinstance(item, Layer) else _network(item, given, full)


def _layer(layer: Layer, sizes: Mapping[str, int], full: bool) -> Explanation:
    plans = [plan_layer(part.layer) for part in lowered(layer)]
    levels, words = _levels(layer), layer.source.words + layer.target.words
    listed = full or sum(level.diagrams for level in levels) <= SMALL
    steps = tuple(step for plan in plans for step in forward_steps(plan))
    return Explanation(
        kind="layer",
        name=layer.name,
        type=f"{layer.source} -> {layer.target}",
        symmetry=tuple(dict.fromkeys(f"{w.group} on {w.base}" for word in words for w in word if not w.plain)),
        parameters=tuple(_parameters(layer)),
        notes=(*layer.notes, *_blocks(plans, sizes[BATCH])),
        levels=levels,
        factored=tuple(_factored(layer)) if listed else (),
        steps=(*_ties(layer), *steps),
        gradient=tuple(step for plan in plans for step in gradient_steps(plan)),
        naive=_naive(layer),
        sizes=sizes,
        full=full,
        predicted=_predicted(layer, plans, steps, sizes),
        machine=rates().machine,
    )


def _blocks(plans: list[Plan], entries: int) -> Iterator[str]:
    """The products that C makes in a Fourier basis, and what that saves."""
    for plan in plans:
        savings = fourier(plan) if in_c(plan) else ()
        for product, saving in zip(plan.products, savings if worthwhile(savings, entries) else (), strict=False):
            if saving is not None:
                p, level = saving.blocks.p, show_word(product.level)
                yield (
                    f"in C the product on {level} is in the Fourier basis of S_{p}: {saving.after:,} multiply-adds an "
                    f"entry instead of {saving.before:,}"
                )


def _ties(layer: Layer) -> Iterator[Step]:
    """Weights made constant along orbits: a gather of as many numbers as the matrices have."""
    for part in lowered(layer):
        if part.ties is None:
            continue
        for (o, i), tie in part.ties.weights.items():
            out, in_ = part.ties.layer.target.summands[o].channels, part.ties.layer.source.summands[i].channels
            diagrams, orbits, outs, ins = tie.shape
            if diagrams:
                size = Scalar.of(diagrams * outs * ins * out * in_)
                shown = f"{orbits} orbits on {show_word(tie.spaces)}"
                yield Step("pack", "tie weights", shown, f"{diagrams} x {outs * out} x {ins * in_}", Cost(size, size))


def predict(layer: Layer, *, batch: int, **sizes: int) -> dict[str, float]:
    """The seconds that a call of a layer takes on the CPU, by way, as the cost model has them."""
    plans = [plan_layer(part.layer) for part in lowered(layer)]
    steps = tuple(step for plan in plans for step in forward_steps(plan))
    return _predicted(layer, plans, steps, {**sizes, BATCH: batch})


def _predicted(layer: Layer, plans: list[Plan], steps: tuple[Step, ...], sizes: Mapping[str, int]) -> dict[str, float]:
    together = Tally.of(steps)
    savings = tuple(saving for plan in plans for saving in fourier(plan))
    found = {IN_C: replace(together, savings=savings), STATEMENTS: together}
    if layer.is_complex or not all(in_c(plan) for plan in plans):
        del found[IN_C]
    form = dense(layer) if [part.layer for part in lowered(layer)] == [layer] else None
    if form is not None:
        found[DENSE] = Tally.of(dense_steps(form))
    return rates().predict(found, sizes)


def _naive(layer: Layer) -> dict[str, Cost]:
    """The naive costs of the parts of a layer together."""
    found = [naive_costs(part.layer) for part in lowered(layer)]
    return {name: total(costs[name] for costs in found) for name in found[0]}


def _parameters(layer: Layer) -> list[tuple[str, tuple[int, ...]]]:
    found: list[tuple[str, tuple[int, ...]]] = []
    for o in range(len(layer.target.summands)):
        for i in range(len(layer.source.summands)):
            if layer.weighted[o][i]:
                found.append((layer.weight_name(o, i), layer.weight_shape(o, i)))
        if layer.biases[o]:
            found.append((layer.bias_name(o), layer.bias_shape(o)))
    return found


def _levels(layer: Layer) -> tuple[Level, ...]:
    """The weighted diagrams by pair of summands and level."""
    found = []
    for o, row in enumerate(layer.weighted):
        for i, pair in enumerate(row):
            if isinstance(pair, Basis):
                for one in pair.levels:
                    sizes = len(one.inputs), len(one.sigmas), len(one.outputs), len(one)
                    found.append(Level((o, i), show_word(one.word), *sizes))
                continue
            counts: Counter[Word] = Counter()
            sides: dict[Word, tuple[set[Half], set[tuple[int, ...]], set[Half]]] = {}
            for cut in (factors(split(diagram)[0]) for morphism in pair for _, diagram in morphism.weighted):
                counts[cut.output.level] += 1
                ins, perms, outs = sides.setdefault(cut.output.level, (set(), set(), set()))
                ins.add(cut.input)
                perms.add(cut.sigma)
                outs.add(cut.output)
            for level in sorted(counts, key=level_key):
                ins, perms, outs = sides[level]
                found.append(Level((o, i), show_word(level), len(ins), len(perms), len(outs), counts[level]))
    return tuple(found)


def _factored(layer: Layer) -> list[Factored]:
    found = []
    for o, row in enumerate(layer.weighted):
        for i, pair in enumerate(row):
            for index, morphism in enumerate(pair):
                label = f"{layer.weight_name(o, i)}[{index}]"
                found += [Factored(label, str(d), _steps(d)) for _, d in morphism.weighted]
            for morphism in layer.fixed_parts[o][i]:
                found += [Factored("fixed", str(d), _steps(d)) for _, d in morphism.weighted]
        for index, morphism in enumerate(layer.biases[o]):
            label = f"{layer.bias_name(o)}[{index}]"
            found += [Factored(label, str(d), _steps(d)) for _, d in morphism.weighted]
    return found


def _steps(diagram: Diagram) -> str:
    """Permutation, planar diagram, permutation; of an orbit the number of its tuples, and the rest so."""
    if not diagram.points:
        return str(factorise(diagram))
    tuples = prod(permuted(w).size_of(diagram.part(w)[0].points) for w in diagram.spaces() if is_orbital(w))
    found = f"an orbit of {tuples} tuple{'s' if tuples != 1 else ''}"
    rest, _ = split(diagram)
    return f"{found} @ ({factorise(rest)})" if rest.parts else found


def _network(network: Network, sizes: Mapping[str, int], full: bool) -> Explanation:
    stages: list[tuple[str, Explanation | None]] = []
    for stage in walk(network.body):
        match stage:
            case Apply(layer=layer):
                stages.append((layer.name, _layer(layer, sizes, full)))
            case Call(network=called):
                stages.append((called.name, _network(called, sizes, full)))
            case Activate(activation=activation):
                stages.append((activation, None))
            case Identity():
                stages.append(("id", None))
            case _:
                pass
    inner = [stage for _, stage in stages if stage]
    names = dict.fromkeys(name for stage in inner for name in stage.naive)
    own = [wire for value in network.program.values for wire in value.word] if network.program else []
    groups = [f"{wire.group} on {wire.base}" for wire in own if not wire.plain]
    symmetry = tuple(dict.fromkeys([*groups, *(text for stage in inner for text in stage.symmetry)]))
    shapes = tensor_shapes(network.program) if network.program else ()
    notes = orders(network.program, sizes) if network.program else ()
    return Explanation(
        kind="network",
        name=network.name,
        type=network.signature.removeprefix(": "),
        symmetry=symmetry,
        parameters=shapes,
        notes=notes,
        levels=(),
        factored=(),
        steps=(),
        gradient=(),
        naive={name: total(stage.naive[name] for stage in inner if name in stage.naive) for name in names},
        sizes=sizes,
        stages=tuple(stages),
        full=full,
    )
