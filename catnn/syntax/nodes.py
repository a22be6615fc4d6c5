"""Syntax: what was written, with a span on every node.

Plain immutable data, a class a production.  Chains (`;`, `@`, `+`) are n-ary, so that ten thousand stages are one
node and no pass needs deep recursion; brackets nest at most 200 deep.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from catnn.diagnostics import Span


@dataclass(frozen=True, slots=True)
class Name:
    """An identifier, perhaps qualified: ``mix`` or ``H.mix``."""

    text: str
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A product or quotient of integers and size names: a fraction times powers of sizes.

    powers: (name, exponent) pairs, sorted by name, no zero exponents.
    """

    value: Fraction
    powers: tuple[tuple[str, int], ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Group:
    """The right side of a `space`: ``S(n)``, ``O(3)``, ``Aut("file")``, ``O(1,3)``, ``Perm(3, (0 1 2))``, ``64``.

    head: the family as written (``S``, ``S'``, ``S+``, ``Sp``, ...), or ``""`` for a plain number.
    args: integers, size names, file names (as `FileName`) and permutations: a tuple of integers for a single cycle,
    a `Permutation` for a product of several; of a graph, `Edges` and `Cell`.
    """

    head: str
    args: tuple[int | Name | FileName | tuple[int, ...] | Permutation | Edges | Cell, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Permutation:
    """A product of two or more cycles: ``(0 1)(2 3)``."""

    cycles: tuple[tuple[int, ...], ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Edges:
    """Edges of one colour: ``0-1 1->2`` is ``((0, 1, False), (1, 2, True))``, the flag for directed ones."""

    edges: tuple[tuple[int, int, bool], ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Cell:
    """A set of vertices: ``{0 2}``."""

    vertices: tuple[int, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class FileName:
    """A quoted string."""

    text: str
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Factor:
    """One factor of a tensor word: ``V``, ``V'``, ``V^3``, ``Sym^2(V)``; the unit ``1`` is no factor at all.

    power: how often it stands (``V^3`` is V three times); symmetric: True for ``Sym^power(V)``.
    """

    space: Name
    dual: bool
    power: int
    symmetric: bool
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Summand:
    """A word with its multiplicity: ``V^2[16]``.  channels is None where no square brackets were written."""

    factors: tuple[Factor, ...]
    channels: int | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Type:
    """A direct sum of words."""

    summands: tuple[Summand, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Arrow:
    """``A -> B``."""

    source: Type
    target: Type
    span: Span = field(compare=False, repr=False)


# ------------------------------------------------------------------------------------------------------------ terms


@dataclass(frozen=True, slots=True)
class Generator:
    """A name with static arguments in square brackets: ``id``, ``swap[V,W]``, ``perm[2,0,1]``, ``relu``, ``mix``.

    Whether it is a generator, a `let`, a layer or an activation is decided when names are resolved.
    args: integers, or types (``id[V^2]``, ``ev[R]``).
    """

    name: Name
    args: tuple[int | Type, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Pattern:
    """``[i j -> j i]``, ``sgn[i j -> k]``; with several inputs (point-ful) ``[i d, j d -> i j]``.

    signed: the spaces that ``sgn[V][i a -> b]`` names; none where the sign is of every space that may have one.
    inputs: one tuple of letters a value; exactly one tuple outside point-ful bodies (``((),)`` for ``[-> i]``).
    A letter that is a number is a point.  adjacent: the pairs behind a bar, ``[i -> j | j i]``.
    """

    inputs: tuple[tuple[Name, ...], ...]
    outputs: tuple[Name, ...]
    sign: bool
    span: Span = field(compare=False, repr=False)
    signed: tuple[Name, ...] = ()
    adjacent: tuple[tuple[Name, Name], ...] = ()


@dataclass(frozen=True, slots=True)
class Number:
    """A scalar that stands alone as a term."""

    scalar: Scalar
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Scaled:
    """``1/2 * term``."""

    scalar: Scalar
    term: Term
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Dagger:
    """``term'``."""

    term: Term
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Power:
    """``f^3``, f three times side by side; in a rule also ``f^q``."""

    term: Term
    exponent: int | Name
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Tensor:
    """``f @ g @ h``, two factors or more."""

    terms: tuple[Term, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Chain:
    """``f ; g ; h``, first f; two stages or more."""

    terms: tuple[Term, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Sum:
    """``f + g - h``, two summands or more; a minus is a `Scaled` by -1."""

    terms: tuple[Term, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Brackets:
    """Brackets around a term, kept so that spans and printing are exact; equal to what it holds in meaning."""

    term: Term
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class SpanOf:
    """``span { f, g, h }``: the learned combinations of what it lists."""

    terms: tuple[Term, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class All:
    """``all``: the whole hom-space."""

    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Bias:
    """``bias``: the learned invariant elements of the target."""

    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """``g(x, y)``, in point-ful bodies."""

    function: Term
    args: tuple[Term, ...]
    span: Span = field(compare=False, repr=False)


Term = (
    Generator | Pattern | Number | Scaled | Dagger | Power | Tensor | Chain | Sum
    | Brackets | SpanOf | All | Bias | Call
)  # fmt: skip


# ------------------------------------------------------------------------------------------------------- statements


@dataclass(frozen=True, slots=True)
class Attribute:
    """``reduce: mean``; the value is a name, a number or a scalar, as written."""

    key: Name
    value: Name | Scalar
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class SpaceStatement:
    """``space V, W : S(n)``."""

    names: tuple[Name, ...]
    group: Group
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class LetStatement:
    """``let f : A -> B = term``."""

    name: Name
    arrow: Arrow
    term: Term
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class LayerStatement:
    """``layer f : A -> B = term { attributes }``, or ``layer g = f`` (then arrow is None)."""

    name: Name
    arrow: Arrow | None
    term: Term
    attributes: tuple[Attribute, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class NetworkStatement:
    """``network f : A -> B = term``."""

    name: Name
    arrow: Arrow
    term: Term
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Parameter:
    """``x: A`` in the head of a point-ful network."""

    name: Name
    type: Type
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Binding:
    """``s, t = term`` in a point-ful body; ``return term, term`` has no names and one term a result."""

    names: tuple[Name, ...]
    terms: tuple[Term, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class PointfulStatement:
    """``network f(x: A, y: B) -> C { s = ...; return ... }``; the last binding of the body is the return."""

    name: Name
    parameters: tuple[Parameter, ...]
    targets: tuple[Type, ...]
    body: tuple[Binding, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class BoxStatement:
    """``box W : A -> B``, ``= fixed "file.npz"``, ``= pointwise``; kind is ``learned``, ``fixed`` or a name."""

    names: tuple[Name, ...]
    arrow: Arrow
    kind: str
    file: FileName | None
    attributes: tuple[Attribute, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class RuleStatement:
    """``rule name : lhs => rhs`` (oriented) or ``rule name : lhs = rhs``, perhaps with a type at the end."""

    name: Name
    left: Term
    right: Term
    oriented: bool
    arrow: Arrow | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class CheckStatement:
    """``check lhs = rhs``, perhaps with a type at the end: ``check lhs = rhs : A -> B``."""

    left: Term
    right: Term
    arrow: Arrow | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ImportStatement:
    """``import "other.catnn" as H``."""

    file: FileName
    alias: Name
    span: Span = field(compare=False, repr=False)


Statement = (
    SpaceStatement | LetStatement | LayerStatement | NetworkStatement | PointfulStatement
    | BoxStatement | RuleStatement | CheckStatement | ImportStatement
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Module:
    """A whole file: its statements in order.  Comments travel beside it, for the printer alone.

    comments: (offset, text) pairs in file order, the text with its ``#``.
    broken: names that statements with a syntax error would have declared, so that their uses raise no second error.
    """

    statements: tuple[Statement, ...]
    comments: tuple[tuple[int, str], ...] = field(compare=False, repr=False, default=())
    span: Span | None = field(compare=False, repr=False, default=None)
    broken: tuple[str, ...] = field(compare=False, repr=False, default=())
