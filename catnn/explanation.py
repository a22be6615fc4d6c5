"""What a layer or network is made of and what it costs: `catnn.explain`.

An `Explanation` holds the numbers and prints as tables, in the spirit of opt_einsum's PathInfo: the weights, the
factorisation of the hom-space, each diagram as permutation ; planar ; permutation, the steps of the plan with their
symbolic and numeric cost, and the naive ways beside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from catnn.category.scalar import ZERO, Scalar
from catnn.category.wires import show_word
from catnn.compiler import HINT, check_sizes, item_sizes
from catnn.diagnostics import fail
from catnn.emit.roles import Roles
from catnn.joining import Joined, joined, leaves
from catnn.model import Activate, Apply, Call, Identity, Layer, Network, Stage, walk
from catnn.plan.build import plan_layer
from catnn.plan.cost import BATCH, Cost, Step, forward_steps, gradient_steps, total
from catnn.plan.fourier import fourier, stated, worthwhile
from catnn.plan.homs import Factored, Level, factored_of, levels_of, parameters_of
from catnn.plan.irreps import irreps
from catnn.plan.lower import lowered
from catnn.plan.naive import NESTED, naive_costs
from catnn.plan.orders import tensor_shapes
from catnn.plan.plan import Plan
from catnn.plan.rates import chosen, in_c, rates
from catnn.plan.ways import forms_of
from catnn.plan.work import FREE, Price, Work, activation_cost, sums_cost, works
from catnn.program import Program, Run

SMALL = 60
"""Up to so many diagrams, or steps, are listed; more are counted."""


@dataclass(frozen=True)
class Explanation:
    """What there is to know about a layer or network before it runs.

    parameters: ((name, shape), ...); sizes: what the numbers are for, `batch` among them; steps, gradient: what runs
    forward and backward; naive: the costs of other ways; predicted: seconds of a call by way, with the rates of
    `machine`; large: the ways that need much memory; stages: for a network ((label, explanation or None), ...); own:
    the linear combinations between them; program, works: the body of a point-ful network and what its steps cost, the
    stages that they call among them.  joined: the layers that are computed as one; within: for each stage the number
    of these that computes it, or None; declined: ((names, why not), ...) of layers that follow each other.
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
    own: Cost = FREE
    program: Program | None = None
    works: tuple[Work, ...] = ()
    joined: tuple[Joined, ...] = ()
    within: tuple[int | None, ...] = ()
    declined: tuple[tuple[tuple[str, ...], str], ...] = ()
    large: tuple[str, ...] = ()

    @property
    def computed(self) -> tuple[Explanation, ...]:
        """The stages that are computed by themselves."""
        within = self.within or (None,) * len(self.stages)
        return tuple(stage for (_, stage), at in zip(self.stages, within, strict=True) if stage and at is None)

    @cached_property
    def diagrams(self) -> int:
        """How many weighted diagrams there are; one in several weights counts in each."""
        return sum(level.diagrams for level in self.levels) + sum(s.diagrams for _, s in self.stages if s)

    @property
    def chosen(self) -> str:
        """The way that a layer is predicted to run; nothing for a network."""
        return chosen(self.predicted, self.large)

    @cached_property
    def forward(self) -> Cost:
        """The cost of one call."""
        if self.program is not None:
            return total(work.price.forward for work in self.works)
        ones = (one.forward for one in self.joined for _ in range(one.uses))
        return total([self.own, *(s.cost for s in self.steps), *(s.forward for s in self.computed), *ones])

    @cached_property
    def backward(self) -> Cost:
        """The cost of the gradient, for inputs and weights."""
        if self.program is not None:
            return total(work.price.backward for work in self.works)
        ones = (one.backward for one in self.joined for _ in range(one.uses))
        return total([self.own, *(s.cost for s in self.gradient), *(s.backward for s in self.computed), *ones])

    @cached_property
    def largest(self) -> Scalar:
        """How many numbers the largest tensor has that a call makes."""
        found = [work.price.largest for work in self.works]
        found += [step.cost.written for step in self.steps if step.phase != "pack"]
        found += [stage.largest for stage in self.computed] + [one.largest for one in self.joined if one.uses]
        return max(found, key=lambda size: size.value(self.sizes), default=ZERO)

    @cached_property
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
    if type(batch) is not int or batch < 1:
        raise fail("E1003", f"batch={batch!r} is not a number of entries", helps=("give 1 entry or more",))
    names = item_sizes(item)
    check_sizes(item, names, sizes)
    given = {name: sizes.get(name, HINT) for name in names} | {BATCH: batch}
    return _layer(item, given, full) if isinstance(item, Layer) else _Networks(given, full).network(item)


def _layer(layer: Layer, sizes: Mapping[str, int], full: bool) -> Explanation:
    plans = [plan_layer(part.layer) for part in lowered(layer)]
    levels, words = levels_of(layer), layer.source.words + layer.target.words
    listed = full or sum(level.diagrams for level in levels) <= SMALL
    steps = tuple(step for plan in plans for step in forward_steps(plan))
    return Explanation(
        kind="layer",
        name=layer.name,
        type=f"{layer.source} -> {layer.target}",
        symmetry=tuple(dict.fromkeys(f"{w.group} on {w.base}" for word in words for w in word if not w.plain)),
        parameters=tuple(parameters_of(layer)),
        notes=(*layer.notes, *_blocks(plans, sizes), *_stated(plans), *_parts(layer)),
        levels=levels,
        factored=tuple(factored_of(layer)) if listed else (),
        steps=(*_ties(layer), *steps),
        gradient=tuple(step for plan in plans for step in gradient_steps(plan)),
        naive=_naive(layer),
        sizes=sizes,
        full=full,
        predicted=_predicted(layer, plans, sizes),
        large=_large(layer, plans, sizes),
        machine=rates().machine,
    )


def _blocks(plans: list[Plan], sizes: Mapping[str, int]) -> Iterator[str]:
    """The products that C makes in a Fourier basis, and what that saves."""
    for plan in plans:
        savings = fourier(plan, sizes) if in_c(plan) else ()
        for product, saving in zip(plan.products, savings if worthwhile(savings, sizes[BATCH]) else (), strict=False):
            if saving is not None:
                size = product.level[0].group.size
                after, before = f"{saving.after:,}", f"{saving.before:,}"
                if isinstance(size, str):
                    naive, blocks = (value.sympy() for value in saving.polynomials(size))
                    after, before = f"{blocks} = {after}", f"{naive} = {before}"
                yield (
                    f"in C the product on {show_word(product.level)} is in the Fourier basis of S_{saving.p}: {after} "
                    f"multiply-adds an entry instead of {before}"
                )


def _stated(plans: list[Plan]) -> Iterator[str]:
    """The products that torch statements make in a Fourier basis."""
    for plan in plans:
        for product in plan.products:
            saving = stated(plan, product)
            if saving is not None:
                yield (
                    f"in torch statements the product on {show_word(product.level)} is in the Fourier basis of "
                    f"S_{saving.p}: {saving.after:,} multiply-adds an entry instead of {saving.before:,}"
                )


def _parts(layer: Layer) -> Iterator[str]:
    """The irreducible parts that a layer may be computed in, and what is known of them."""
    found = irreps(layer)
    if found is not None:
        yield (
            f"in {len(found.dimensions)} irreducible parts its products are {found.work:,} multiply-adds an entry; "
            f"every diagram was compared with its blocks as numbers, and is off by at most {found.deviation:.0e}"
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


def predict(layer: Layer, given: Mapping[str, int], unavailable: Callable[[str], str]) -> tuple[dict[str, float], str]:
    """The seconds that a call takes on the CPU, by way, and the way that it takes; unavailable: why not one, or ""."""
    plans = [plan_layer(part.layer) for part in lowered(layer)]
    predicted = _predicted(layer, plans, given)
    here = {way: seconds for way, seconds in predicted.items() if not unavailable(way)}
    return predicted, chosen(here, here.keys() & _large(layer, plans, given))


def _predicted(layer: Layer, plans: list[Plan], sizes: Mapping[str, int]) -> dict[str, float]:
    return rates().predict(forms_of(layer, tuple(plans)).ways(), sizes)


def _large(layer: Layer, plans: list[Plan], sizes: Mapping[str, int]) -> tuple[str, ...]:
    """The ways that need much memory."""
    return tuple(way for way, tally in forms_of(layer, tuple(plans)).ways().items() if tally.large(sizes))


def _naive(layer: Layer) -> dict[str, Cost]:
    """The naive costs of the parts of a layer together."""
    found = [naive_costs(part.layer) for part in lowered(layer)]
    return {name: total(costs[name] for costs in found) for name in found[0]}


def _function(stage: Activate, sizes: Mapping[str, int]) -> Explanation:
    """An activation: nothing to learn, and a pass over its entries."""
    cost, shown = activation_cost(stage), str(stage.source)
    step = Step("apply", stage.activation, "", shown, cost)
    return Explanation(
        kind="function",
        name=stage.activation,
        type=f"{shown} -> {shown}",
        symmetry=(),
        parameters=(),
        notes=(),
        levels=(),
        factored=(),
        steps=(step,),
        gradient=(step,),
        naive={},
        sizes=sizes,
    )


@dataclass
class _Networks:
    """Networks to explain, each layer and network once."""

    sizes: Mapping[str, int]
    full: bool
    known: dict[int, Explanation] = field(default_factory=dict)

    def leaves(self, body: Stage | Program) -> Iterator[tuple[str, Explanation | None]]:
        """What stands in a body, in reading order."""
        for stage in walk(body):
            match stage:
                case Apply(layer=layer):
                    if id(layer) not in self.known:
                        self.known[id(layer)] = _layer(layer, self.sizes, self.full)
                    yield layer.name, self.known[id(layer)]
                case Call(network=called):
                    yield called.name, self.network(called)
                case Activate(activation=activation):
                    yield activation, _function(stage, self.sizes)
                case Identity():
                    yield "id", None
                case _:
                    pass

    def works(self, program: Program, ones: list[Joined], found: Roles) -> Iterator[Work]:
        """The steps of a program with their costs; what is computed with others has none of its own."""
        for work in works(program, self.sizes, lambda step: self.run(step, ones, found)):
            at = found.inside.get(id(work.step.stage)) if isinstance(work.step, Run) else None
            yield work if at is None else replace(work, along=ones[at].text)

    def run(self, step: Run, ones: list[Joined], found: Roles) -> Price:
        """What a step of a program costs that calls something."""
        stages, sums = list(leaves(step.stage)), sums_cost(step.stage)
        every = [one for stage in stages for _, one in self.leaves(stage) if one]
        alone = [one for s in stages if found.within(s) is None for _, one in self.leaves(s) if one]
        together = [ones[found.carries[id(stage)]] for stage in stages if id(stage) in found.carries]
        sizes = [one.largest for one in alone] + [one.largest for one in together]
        return Price(
            total([sums, *(one.forward for one in alone), *(one.forward for one in together)]),
            total([sums, *(one.backward for one in alone), *(one.backward for one in together)]),
            total([sums, *(one.naive.get(NESTED, one.forward) for one in every)]),
            max(sizes, key=lambda size: size.value(self.sizes), default=ZERO),
        )

    def network(self, network: Network) -> Explanation:
        """A network, and those that it calls."""
        if id(network) not in self.known:
            self.known[id(network)] = self._network(network)
        return self.known[id(network)]

    def _network(self, network: Network) -> Explanation:
        stages, program = tuple(self.leaves(network.body)), network.program
        inner = [stage for _, stage in stages if stage]
        ones, found_roles, shared = joined(network, self.sizes)
        own = [wire for value in program.values for wire in value.word] if program else []
        groups = [f"{wire.group} on {wire.base}" for wire in own if not wire.plain]
        found = Explanation(
            kind="network",
            name=network.name,
            type=network.signature.removeprefix(": "),
            symmetry=tuple(dict.fromkeys([*groups, *(text for stage in inner for text in stage.symmetry)])),
            parameters=tensor_shapes(program) if program else (),
            notes=(),
            levels=(),
            factored=(),
            steps=(),
            gradient=(),
            naive={},
            sizes=self.sizes,
            stages=stages,
            full=self.full,
            own=FREE if isinstance(network.body, Program) else sums_cost(network.body),
            program=program,
            works=tuple(self.works(program, ones, found_roles)) if program else (),
            joined=tuple(ones),
            within=tuple(found_roles.within(stage) for stage in leaves(network.body)),
            declined=tuple((one.layers, one.why) for one in shared.declined),
        )
        return replace(found, naive=_naively(found))


def _naively(found: Explanation) -> dict[str, Cost]:
    """The naive costs of a network: what a way is none for costs what it costs."""
    inner = [stage for _, stage in found.stages if stage]
    names = list(dict.fromkeys(name for stage in inner for name in stage.naive))
    rest = [found.own]
    for work in found.works:
        rest.append(sums_cost(work.step.stage) if isinstance(work.step, Run) else work.price.forward)
    naive = {name: total([*rest, *(stage.naive.get(name, stage.forward) for stage in inner)]) for name in names}
    if found.program is not None:
        naive[NESTED] = total(work.price.naive for work in found.works)
    return naive
