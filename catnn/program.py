"""The body of a point-ful network: named values, each made from earlier ones by one step.

Values are single tensors, numbered: the summands of the parameters first, in order, then what each step makes.  A
direct sum is a tuple of values, so taking one apart or putting one together is no step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from catnn.category.scalar import Scalar
from catnn.category.wires import Summand, Type

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from catnn.hypergraph.box import Box
    from catnn.hypergraph.contraction import Contraction
    from catnn.model import Stage


@dataclass(frozen=True, slots=True)
class Constant:
    """The entries of a fixed tensor: outputs, then inputs, row-major; little-endian floats, or integers where whole."""

    shape: tuple[int, ...]
    dtype: str
    data: bytes = field(repr=False)

    def array(self) -> NDArray[Any]:
        """The tensor, read-only.

        >>> Constant((2,), "<i8", bytes(16)).array().tolist()
        [0, 0]
        """
        import numpy

        return numpy.frombuffer(self.data, dtype=self.dtype).reshape(self.shape)


@dataclass(frozen=True, slots=True)
class Tensor:
    """How the numbers of a box are had.

    rank: of a learned tensor that is the product of two through a wire of this size; init: how a learned one is drawn;
    shares: the name of the box whose weights these are; constant: the entries of a fixed one; map: what an opaque one
    calls, the name of an activation or an import path.
    """

    rank: int | None = None
    init: str = "unit"
    shares: str | None = None
    constant: Constant | None = None
    map: str | None = None


@dataclass(frozen=True, slots=True)
class Parameter:
    """``x: A`` in the head of a network."""

    name: str
    type: Type


@dataclass(frozen=True)
class Run:
    """A layer, network, activation or pipeline on values; parts: how many each argument of it takes."""

    stage: Stage
    inputs: tuple[int, ...]
    outputs: tuple[Summand, ...]


@dataclass(frozen=True)
class Contract:
    """A pattern of several values, or a diagram with boxes; value k of the contraction is value ``inputs[k]`` here.

    Channels multiply entry by entry; one channel goes with any number.
    """

    contraction: Contraction
    inputs: tuple[int, ...]
    output: Summand

    @property
    def outputs(self) -> tuple[Summand, ...]:
        return (self.output,)


@dataclass(frozen=True)
class Along:
    """A function along axes of a tensor, as softmax; axes: which of its wires, taken as one."""

    function: str
    axes: tuple[int, ...]
    input: int
    output: Summand

    @property
    def inputs(self) -> tuple[int, ...]:
        return (self.input,)

    @property
    def outputs(self) -> tuple[Summand, ...]:
        return (self.output,)


@dataclass(frozen=True)
class Apply:
    """An opaque map on every entry of a tensor."""

    box: Box
    input: int
    output: Summand

    @property
    def inputs(self) -> tuple[int, ...]:
        return (self.input,)

    @property
    def outputs(self) -> tuple[Summand, ...]:
        return (self.output,)


@dataclass(frozen=True)
class Add:
    """A linear combination of tensors of one word; one channel goes with any number."""

    terms: tuple[tuple[Scalar, int], ...]
    output: Summand

    @property
    def inputs(self) -> tuple[int, ...]:
        return tuple(value for _, value in self.terms)

    @property
    def outputs(self) -> tuple[Summand, ...]:
        return (self.output,)


Step = Run | Contract | Along | Apply | Add


def renumbered(step: Step, number: Callable[[int], int]) -> Step:
    """The same step on other values; what it makes is left out where that follows from the rest."""
    match step:
        case Run() | Contract():
            moved = tuple(map(number, step.inputs))
            return replace(step, inputs=moved, outputs=()) if isinstance(step, Run) else replace(step, inputs=moved)
        case Along() | Apply():
            return replace(step, input=number(step.input))
        case Add():
            return replace(step, terms=tuple((scalar, number(value)) for scalar, value in step.terms))


@dataclass(frozen=True)
class Program:
    """Parameters, steps, and the values that come out.

    results: for each result its values (several for a direct sum); tensors: the numbers of its boxes; names: what the
    values are called, "" for those without a name.  A network has it as its body.
    """

    parameters: tuple[Parameter, ...]
    steps: tuple[Step, ...]
    results: tuple[tuple[int, ...], ...]
    targets: tuple[Type, ...]
    tensors: tuple[tuple[Box, Tensor], ...] = ()
    names: tuple[str, ...] = ()

    @property
    def source(self) -> Type | None:
        """The direct sum of the parameters, None where there is none."""
        summands = tuple(s for parameter in self.parameters for s in parameter.type.summands)
        return Type(summands) if summands else None

    @property
    def target(self) -> Type:
        """The direct sum of the results."""
        return Type(tuple(s for type_ in self.targets for s in type_.summands))

    @cached_property
    def values(self) -> tuple[Summand, ...]:
        """The type of every value."""
        own = tuple(s for parameter in self.parameters for s in parameter.type.summands)
        return own + tuple(s for step in self.steps for s in step.outputs)
