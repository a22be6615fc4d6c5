"""What a spec means: layers, networks and the file that holds them, as immutable values.

The elaborator makes these, the planner reads them.  Nothing here knows about text (beyond a span for messages) or
about torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any

from catnn.category.basis import Basis
from catnn.category.diagram import Morphism
from catnn.category.scalar import Scalar
from catnn.category.wires import Type
from catnn.diagnostics import CatnnError, Diagnostic, Span
from catnn.drawable import Drawable
from catnn.program import Program, Run

if TYPE_CHECKING:
    from catnn.hypergraph.box import Box
    from catnn.hypergraph.linear import Combination
    from catnn.rewrite.rule import Law
    from catnn.rewrite.trace import Proof

Morphisms = tuple[Morphism, ...] | Basis
"""The terms of one parameter: a tuple, or the whole hom-space, which is as good as one and makes its diagrams late."""


@dataclass(frozen=True, eq=False, repr=False)
class Layer(Drawable):
    """A learned affine equivariant map: weights on diagrams, a bias on invariant elements, fixed diagrams beside them.

    weighted[out][in]: the weighted terms from source summand `in` to target summand `out`, in the order of the weights.
    biases[out]: the invariant elements of target summand `out` that carry a bias.
    fixed_parts[out][in]: fixed terms, which act on every channel alike.
    learned, biased: whether `all` or `span` (`bias`) was written at all; an empty part then has the parameter None.
    reduce: ``sum`` or ``mean``; init: the name of the initialisation.  notes: what the compiler wants to tell.
    is_complex: whether tensors and weights are complex, as everything is in a file with a space of U(n).
    """

    name: str
    source: Type
    target: Type
    weighted: tuple[tuple[Morphisms, ...], ...]
    biases: tuple[Morphisms, ...]
    fixed_parts: tuple[tuple[Morphisms, ...], ...]
    learned: bool = True
    biased: bool = False
    reduce: str = "sum"
    init: str = "unit"
    notes: tuple[str, ...] = ()
    span: Span | None = None
    is_complex: bool = False

    @property
    def single(self) -> bool:
        """One summand on both sides: then parameters are plain `weight` and `bias`."""
        return len(self.source.summands) == len(self.target.summands) == 1

    @property
    def diagrams(self) -> Any:
        """The weighted terms: a tuple, or with direct sums `diagrams[out][in]`."""
        return self.weighted[0][0] if self.single else self.weighted

    @property
    def bias_diagrams(self) -> Any:
        """The terms of the bias: a tuple, or with direct sums `bias_diagrams[out]`."""
        return self.biases[0] if self.single else self.biases

    @property
    def fixed(self) -> Any:
        """The terms without weights: a tuple, or with direct sums `fixed[out][in]`."""
        return self.fixed_parts[0][0] if self.single else self.fixed_parts

    def weight_name(self, out: int, in_: int) -> str:
        """The name of the parameter of a pair of summands."""
        return "weight" if self.single else f"weight_{out}_{in_}"

    def bias_name(self, out: int) -> str:
        """The name of the bias of a target summand."""
        return "bias" if self.single else f"bias_{out}"

    @cached_property
    def folds(self) -> bool:
        """Whether the weights mix plain axes with the channels, as those of `all` do; a `span` says what it mixes."""
        pairs = (pair for row in self.weighted for pair in row)
        terms = (value for pair in pairs for value in (pair[:1] if isinstance(pair, Basis) else pair))
        return not any(wire.plain for value in terms for wire in value.source + value.target)

    def weight_shape(self, out: int, in_: int) -> tuple[int, int, int]:
        """(diagrams, outputs, inputs): the channels of both sides, their plain axes in front of them where it folds."""
        target, source = self.target.summands[out], self.source.summands[in_]
        count = len(self.weighted[out][in_])
        return (count, target.rows, source.rows) if self.folds else (count, target.channels, source.channels)

    def bias_shape(self, out: int) -> tuple[int, int]:
        """(diagrams, outputs), the plain axes among the outputs."""
        return len(self.biases[out]), self.target.summands[out].rows

    @property
    def parameters(self) -> int:
        """How many numbers are learned."""
        outs, ins = range(len(self.target.summands)), range(len(self.source.summands))
        weights = sum(prod(self.weight_shape(o, i)) for o in outs for i in ins)
        return weights + sum(prod(self.bias_shape(o)) for o in outs)

    def __repr__(self) -> str:
        found = sum(len(pair) for row in self.weighted for pair in row)
        bias = sum(len(row) for row in self.biases)
        return f"<layer {self.name} : {self.source} -> {self.target}, {found} diagrams, {bias} for the bias>"

    def _repr_html_(self) -> str:
        from catnn import view

        return view.layer_html(self)


# --------------------------------------------------------------------------------------------------------- networks


@dataclass(frozen=True)
class Apply:
    """A layer; the same Layer object twice is one module, shared."""

    layer: Layer

    @property
    def source(self) -> Type:
        return self.layer.source

    @property
    def target(self) -> Type:
        return self.layer.target


@dataclass(frozen=True)
class Call:
    """Another network as a stage; of a point-ful one, the parameters are its source side by side."""

    network: Network

    @property
    def source(self) -> Type:
        return self.network.source

    @property
    def target(self) -> Type:
        return self.network.target


@dataclass(frozen=True)
class Activate:
    """An activation on every summand of a type."""

    activation: str
    source: Type

    @property
    def target(self) -> Type:
        return self.source


@dataclass(frozen=True)
class Identity:
    """The identity of a type: a residual connection."""

    source: Type

    @property
    def target(self) -> Type:
        return self.source


@dataclass(frozen=True)
class Pipeline:
    """Stages one after the other, two or more."""

    stages: tuple[Stage, ...]

    @property
    def source(self) -> Type:
        return self.stages[0].source

    @property
    def target(self) -> Type:
        return self.stages[-1].target


@dataclass(frozen=True)
class Combine:
    """A linear combination of parallel stages: ((coefficient, stage), ...); a scaled stage is one of these."""

    terms: tuple[tuple[Scalar, Stage], ...]

    @property
    def source(self) -> Type:
        return self.terms[0][1].source

    @property
    def target(self) -> Type:
        return self.terms[0][1].target


Stage = Apply | Call | Activate | Identity | Pipeline | Combine


@dataclass(frozen=True, eq=False, repr=False)
class Network(Drawable):
    """A network: a name, its type and its body.

    A fixed diagram in the body is an `Apply` of a Layer that has only fixed parts (its name is then the let's name,
    or ``fixed``).  The body of a point-ful network is a `Program`; its source is then the direct sum of its parameters
    (the unit where there is none), its target that of its results.
    """

    name: str
    source: Type
    target: Type
    body: Stage | Program
    span: Span | None = None
    is_complex: bool = False

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The layers it names, each once, in order of first use; those of called networks are theirs."""
        found: dict[int, Layer] = {}
        for stage in walk(self.body):
            if isinstance(stage, Apply):
                found.setdefault(id(stage.layer), stage.layer)
        return tuple(found.values())

    @cached_property
    def networks(self) -> tuple[Network, ...]:
        """The networks it calls, each once, in order of first use."""
        found: dict[int, Network] = {}
        for stage in walk(self.body):
            if isinstance(stage, Call):
                found.setdefault(id(stage.network), stage.network)
        return tuple(found.values())

    @cached_property
    def depth(self) -> int:
        """How many networks stand in one another, itself among them."""
        return 1 + max((network.depth for network in self.networks), default=0)

    @property
    def program(self) -> Program | None:
        """The body of a point-ful network, None for a pipeline."""
        return self.body if isinstance(self.body, Program) else None

    @property
    def signature(self) -> str:
        """Its type as it was written: ``(x: V, y: V) -> V^2``, or ``V -> V^2``."""
        if isinstance(self.body, Program):
            parameters = ", ".join(f"{p.name}: {p.type}" for p in self.body.parameters)
            return f"({parameters}) -> {', '.join(str(target) for target in self.body.targets)}"
        return f": {self.source} -> {self.target}"

    def __repr__(self) -> str:
        return f"<network {self.name}{'' if self.program else ' '}{self.signature}>"


def walk(stage: Stage | Program) -> Iterator[Stage]:
    """A stage and everything inside it, in reading order; called networks are not entered."""
    if isinstance(stage, Program):
        pending = [step.stage for step in reversed(stage.steps) if isinstance(step, Run)]
    else:
        pending = [stage]
    while pending:
        top = pending.pop()
        yield top
        if isinstance(top, Pipeline):
            pending.extend(reversed(top.stages))
        elif isinstance(top, Combine):
            pending.extend(stage for _, stage in reversed(top.terms))


# ------------------------------------------------------------------------------------------------------------ files


@dataclass(frozen=True)
class Check:
    """A proved `check` line, as it was written.

    proof: how its two sides meet, where boxes or rules come in; without, their normal forms are one.  sides: what the
    two sides are.
    """

    text: str
    span: Span | None = field(default=None, compare=False)
    proof: Proof | None = field(default=None, compare=False)
    sides: tuple[Morphism | Combination, Morphism | Combination] | None = field(default=None, compare=False)


@dataclass(frozen=True, eq=False, repr=False)
class Spec(Mapping[str, Any]):
    """A file that type-checks: its definitions by name, imported ones as ``H.mix``.

    path: the file, or ``<text>``; text: what it says; definitions: Layer, Network or a fixed Morphism, in file order.
    spaces: wires by name; checks: the lines that were proved; boxes: the boxes by name; composites: the diagrams that
    hold boxes, by name; rules: the rules of the file and of what it imports; maps: the
    import paths of the boxes that are functions of other packages, by name.
    """

    path: str
    text: str
    definitions: Mapping[str, Layer | Network | Morphism]
    spaces: Mapping[str, Any]
    checks: tuple[Check, ...] = ()
    boxes: Mapping[str, Box] = field(default_factory=dict)
    composites: Mapping[str, Combination] = field(default_factory=dict)
    rules: tuple[Law, ...] = ()
    maps: Mapping[str, str] = field(default_factory=dict)

    @property
    def shown(self) -> dict[str, Any]:
        """What there is to look at in this file, by name: definitions, diagrams with boxes, rules."""
        found: dict[str, Any] = {**self.definitions, **self.composites, **{law.name: law for law in self.rules}}
        return {name: value for name, value in found.items() if "." not in name}

    def __getitem__(self, name: str) -> Any:
        if name not in self.definitions:
            from difflib import get_close_matches

            known = ", ".join(f"`{key}`" for key in self.definitions) or "nothing"
            near = get_close_matches(name, self.definitions, 1)
            note = f"it defines {known}" + (f"; did you mean `{near[0]}`?" if near else "")
            raise UnknownNameError(Diagnostic("E0101", f"{self.path} does not define `{name}`", (), (note,)))
        return self.definitions[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.definitions)

    def __len__(self) -> int:
        return len(self.definitions)

    @property
    def layers(self) -> dict[str, Layer]:
        """The layers of this file, without imported ones."""
        return {n: d for n, d in self.definitions.items() if isinstance(d, Layer) and "." not in n}

    @property
    def networks(self) -> dict[str, Network]:
        """The networks of this file, without imported ones."""
        return {n: d for n, d in self.definitions.items() if isinstance(d, Network) and "." not in n}

    def _repr_html_(self) -> str:
        from html import escape

        from catnn.view.html import fragment

        parts = (f"<h3><code>{escape(name)}</code></h3>{fragment(value)}" for name, value in self.shown.items())
        return "".join(parts) or escape(repr(self))

    def __repr__(self) -> str:
        return f"<spec {self.path}: {', '.join(self.definitions)}>"


class UnknownNameError(CatnnError, KeyError):
    """A CatnnError that is a KeyError as well, so that a `Spec` is a proper Mapping."""

    __str__ = CatnnError.__str__
