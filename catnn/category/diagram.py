"""Diagrams and their linear combinations: the morphisms of the category.

A `Diagram` is a canonical immutable value, a tuple of blocks over the vertices of two words; equality and hash are
immediate and composition is linear in the vertices.  A `Sum` is a multiset of diagrams with exact coefficients.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any

from catnn.category.families import FAMILIES
from catnn.category.family import Blocks, Part
from catnn.category.scalar import ONE, Scalar, summed
from catnn.category.sizes import length, resolve_sizes
from catnn.category.validation import validate
from catnn.category.wires import Wire, Word, bases
from catnn.diagnostics import (
    Diagnostic,
    DivisionByZeroError,
    WrongTypeError,
    WrongValueError,
    check_type,
    fail,
    shortened,
)
from catnn.drawable import Drawable

if TYPE_CHECKING:
    import numpy
    import sympy
    from numpy.typing import NDArray

MOST_ENTRIES = 2**28
"""Of a dense matrix: 2 GB."""


class Morphism(Drawable):
    """What diagrams and sums have in common: the operations of a linear monoidal category with a dagger.

    `>>` composes (first this, then that), `@` tensors, `+`, `-` and scalars combine; each gives a `Sum`.
    """

    __slots__ = ()

    target: Word
    source: Word

    @property
    def weighted(self) -> tuple[tuple[Scalar, Diagram], ...]:
        """((coefficient, diagram), ...), exact, in a canonical order."""
        raise NotImplementedError

    @property
    def terms(self) -> tuple[tuple[sympy.Expr, Diagram], ...]:
        """The same with sympy coefficients, as people read them."""
        return tuple((coefficient.sympy(), diagram) for coefficient, diagram in self.weighted)

    def __rshift__(self, other: Morphism) -> Sum:
        from catnn.category.compose import compose

        check_type(other, Morphism, "a diagram to compose with")
        return compose(other, self)

    def __matmul__(self, other: Morphism) -> Sum:
        from catnn.category.compose import tensor

        check_type(other, Morphism, "a diagram to put beside")
        return tensor((self, other))

    def __add__(self, other: Morphism) -> Sum:
        from catnn.category.compose import parallel

        check_type(other, Morphism, "a diagram to add")
        return linear(self.source, self.target, (*self.weighted, *parallel(other, self).weighted))

    def __neg__(self) -> Sum:
        return self * -1

    def __sub__(self, other: Morphism) -> Sum:
        check_type(other, Morphism, "a diagram to subtract")
        return self + -other

    def __mul__(self, scalar: Scalar | sympy.Expr | Fraction | int | str) -> Sum:
        factor = _factor(scalar)
        return linear(self.source, self.target, ((c * factor, d) for c, d in self.weighted))

    __rmul__ = __mul__

    def __truediv__(self, scalar: Scalar | sympy.Expr | Fraction | int | str) -> Sum:
        factor = _factor(scalar)
        if not factor:
            raise DivisionByZeroError(Diagnostic("E1021", "a diagram is divided by 0"))
        inverse = ONE / factor
        return linear(self.source, self.target, ((c * inverse, d) for c, d in self.weighted))

    def dagger(self) -> Sum | Diagram:
        """The diagram upside down: its matrix is the transpose."""
        raise NotImplementedError

    def matrix(self, size: int | None = None, /, **sizes: int) -> NDArray[Any]:
        """The dense matrix, n^l rows and n^k columns, row-major.

        size: the one size there is; sizes: each by its name (``matrix(n=4, m=3)``).  Integers where every coefficient
        is one, else floats.  Raises: CatnnError for a missing, unknown, contradictory or impossible size, and for too
        many entries (E1024).
        """
        import numpy

        given = resolve_sizes(self.source + self.target, self.size_names, size, sizes)
        values = [coefficient.value(given) for coefficient, _ in self.weighted]
        whole = all(value.denominator == 1 for value in values)
        shape = [int(length(wire, given)) for wire in (*self.target, *self.source)]
        if prod(shape) > MOST_ENTRIES:
            raise fail("E1024", f"the matrix of `{self}` has {prod(shape):,} entries; catnn makes {MOST_ENTRIES:,}")
        total: NDArray[Any] = numpy.zeros(shape, dtype=numpy.int64 if whole else numpy.float64)
        for value, (_, diagram) in zip(values, self.weighted, strict=True):
            total = total + (int(value) if whole else float(value)) * diagram.array(given)
        rows = int(numpy.prod(shape[: len(self.target)], dtype=int))
        return total.reshape(rows, int(numpy.prod(shape[len(self.target) :], dtype=int)))

    @property
    def size_names(self) -> frozenset[str]:
        """The names of the sizes that the wires and the coefficients mention."""
        names = {wire.group.size for wire in self.source + self.target if isinstance(wire.group.size, str)}
        names.update(name for c, _ in self.weighted for monomial, _ in c.terms for name, _ in monomial)
        return frozenset(names)


def _factor(scalar: Scalar | sympy.Expr | Fraction | int | str) -> Scalar:
    """An exact scalar.  Raises: CatnnError (E1021), a TypeError, ValueError or ZeroDivisionError as well."""
    try:
        return Scalar.of(scalar)
    except ZeroDivisionError:
        raise DivisionByZeroError(Diagnostic("E1021", f"{shortened(scalar)} divides by 0")) from None
    except ValueError as error:
        raise WrongValueError(Diagnostic("E1021", str(error))) from None
    except TypeError as error:
        raise WrongTypeError(Diagnostic("E1021", str(error))) from None


@dataclass(frozen=True, slots=True, eq=False, repr=False, weakref_slot=True)
class Diagram(Morphism):
    """A diagram: every block is an equality (or a pairing) of the indices of its vertices.

    source, target: words of k and l wires; parts: the blocks, sorted, outputs 0..l-1, then inputs l..l+k-1.
    jellyfish: the spaces, sorted by name, in whose blocks a Levi-Civita tensor has its legs.
    points: () where no group is given by its orbits; else for each vertex the point that the least tuple of its orbit
    has there (blocks are vertices with equal points), -1 on other spaces.
    Raises: CatnnError if they are no sorted partition, a block joins two spaces, or is none of its group's.
    """

    source: Word
    target: Word
    parts: Blocks
    jellyfish: tuple[str, ...] = ()
    points: tuple[int, ...] = ()
    _hash: int = field(init=False)

    def __post_init__(self) -> None:
        validate(self)
        object.__setattr__(self, "_hash", hash(self._key()))

    def _key(self) -> tuple[object, ...]:
        """One space needs no name: diagrams of S(n) are equal whatever their wire is called."""
        wires = self.target + self.source
        named: object = (wires, self.jellyfish)
        if len(set(wires)) <= 1 or len(bases(wires)) == 1:
            duals = tuple(v for v, wire in enumerate(wires) if wire.dual)
            named = wires[:1] and (wires[0].group, duals, len(self.jellyfish))
        return (len(self.target), len(self.source), self.parts, self.points, named)

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[type[Diagram], tuple[object, ...]]:
        return Diagram, (self.source, self.target, self.parts, self.jellyfish, self.points)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Diagram):
            return NotImplemented
        return self._hash == other._hash and self._key() == other._key()

    @property
    def weighted(self) -> tuple[tuple[Scalar, Diagram], ...]:
        return ((ONE, self),)

    @property
    def blocks(self) -> Blocks | dict[str, Blocks]:
        """The blocks; with several spaces, a dict of them by space."""
        names = dict.fromkeys(wire.space for wire in self.target + self.source)
        if len(names) <= 1:
            return self.parts
        return {n: tuple(b for b in self.parts if self.wire(b[0]).space == n) for n in names}

    def wire(self, vertex: int) -> Wire:
        """The wire at a vertex."""
        l = len(self.target)
        return self.target[vertex] if vertex < l else self.source[vertex - l]

    @property
    def free(self) -> tuple[int, ...]:
        """The vertices where legs of a Levi-Civita tensor end, ascending; () where there is none.

        Of a jellyfish they are the least vertices of the blocks; a leg that is summed ends nowhere.

        >>> import catnn
        >>> catnn.diagram("SO(3)", "i j -> k").free, catnn.diagram("A(3)", "sgn[i j -> j]").free
        ((0, 1, 2), (0, 1))
        """
        firsts = [(b[0], len(b)) for b in self.parts if len(b) == 1 or self.jellyfish]
        return tuple(v for v, ports in firsts if self._has_leg(self.wire(v), ports))

    def _has_leg(self, wire: Wire, ports: int) -> bool:
        """Whether a block of a space, with so many ports, has a leg."""
        if wire.space in self.jellyfish:
            return True
        return ports == 1 and FAMILIES[wire.group.family].epsilon == "free"

    def dagger(self) -> Sum | Diagram:
        """The diagram upside down; with a Levi-Civita tensor, the sign too that makes its matrix the transpose.

        >>> import catnn
        >>> catnn.diagram("S(n)", "i j -> i").dagger()
        catnn.diagram('S(n)', 'i -> i j')
        """
        k, l = len(self.source), len(self.target)
        if self.points:
            from catnn.category.labelled import upside_down as turned_orbit

            return turned_orbit(self)
        turned = (tuple(sorted(v + k if v < l else v - l for v in block)) for block in self.parts)
        upside_down = Diagram(self.target, self.source, tuple(sorted(turned)), self.jellyfish)
        if self.free:
            wires = [w for w in self.spaces() if FAMILIES[w.group.family].epsilon]
            if prod(FAMILIES[w.group.family].reversal(self.part(w)[0]) for w in wires) < 0:
                return -upside_down
        return upside_down

    def part(self, wire: Wire) -> tuple[Part, tuple[int, ...]]:
        """The piece on one space, and for each of its vertices the vertex here."""
        part, here = restrict(self.source, self.target, self.parts, wire, self.jellyfish)
        if self.points and FAMILIES[wire.group.family].orbital:
            part = part._replace(points=tuple(self.points[v] for v in here))
        return part, here

    def spaces(self) -> tuple[Wire, ...]:
        """The different spaces, by first vertex."""
        return bases(self.target + self.source)

    def array(self, sizes: Mapping[str, int]) -> NDArray[numpy.int64]:
        """The matrix as an array with an axis a vertex."""
        import numpy

        result = numpy.ones((), dtype=numpy.int64)
        order: list[int] = []
        for wire in self.spaces():
            part, here = self.part(wire)
            result = numpy.multiply.outer(result, FAMILIES[wire.group.family].tensor(part, length(wire, sizes)))
            order.extend(here)
        return numpy.transpose(result, numpy.argsort(order)) if order else result

    def __str__(self) -> str:
        from catnn.category.pattern import show_pattern

        return show_pattern(self)

    def __repr__(self) -> str:
        from catnn.category.pattern import transparent

        return transparent(self)


class Sum(Morphism):
    """A linear combination of diagrams with one source and one target.

    A sum of one diagram with coefficient 1 equals that diagram, prints as it, and answers for it.
    """

    def __init__(self, source: Word, target: Word, weighted: tuple[tuple[Scalar, Diagram], ...]) -> None:
        self.source = source
        self.target = target
        self._weighted = weighted

    @property
    def weighted(self) -> tuple[tuple[Scalar, Diagram], ...]:
        return self._weighted

    @cached_property
    def single(self) -> Diagram | None:
        """The diagram that this is, if it is one."""
        if len(self._weighted) == 1 and self._weighted[0][0] == ONE:
            return self._weighted[0][1]
        return None

    def __hash__(self) -> int:
        return hash(self.single) if self.single is not None else hash(frozenset(self._weighted))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Morphism):
            return NotImplemented
        mine, theirs = self.source + self.target, other.source + other.target
        if [(w.group, w.dual) for w in mine] != [(w.group, w.dual) for w in theirs]:
            return False
        if len(self.source) != len(other.source):
            return False
        return set(self.weighted) == set(other.weighted)

    def __bool__(self) -> bool:
        return bool(self._weighted)

    def __str__(self) -> str:
        return summed((coefficient, str(diagram)) for coefficient, diagram in self._weighted)

    def __repr__(self) -> str:
        from catnn.category.pattern import transparent

        return transparent(self)

    def dagger(self) -> Sum:
        """Every diagram upside down."""
        turned = ((c * factor, e) for c, d in self._weighted for factor, e in d.dagger().weighted)
        return linear(self.target, self.source, turned)

    @property
    def _one(self) -> Diagram:
        if self.single is None:
            raise AttributeError(f"a sum of {len(self._weighted)} diagrams has no blocks of its own; see its .terms")
        return self.single

    @property
    def blocks(self) -> Blocks | dict[str, Blocks]:
        """The blocks of the one diagram that this is.  Raises: AttributeError for any other sum."""
        return self._one.blocks

    @property
    def parts(self) -> Blocks:
        """The blocks in one tuple, likewise."""
        return self._one.parts


def linear(source: Word, target: Word, pairs: Iterable[tuple[Scalar, Diagram]]) -> Sum:
    """The sum of coefficient times diagram, like terms together, zeros dropped, in a canonical order."""
    total: dict[Diagram, Scalar] = {}
    for coefficient, diagram in pairs:
        total[diagram] = total[diagram] + coefficient if diagram in total else coefficient
    kept = [(c, d) for d, c in total.items() if c]
    if len(kept) > 1:
        kept.sort(key=lambda pair: (pair[1].parts, pair[1].points))
    return Sum(source, target, tuple(kept))


def restrict(
    source: Word, target: Word, parts: Blocks, wire: Wire, jellyfish: tuple[str, ...] = ()
) -> tuple[Part, tuple[int, ...]]:
    """The blocks that live on one space, numbered by themselves; and for each of their vertices the vertex here."""
    word = target + source
    kinds = (wire, wire.flipped())
    here = tuple(v for v, found in enumerate(word) if found in kinds)
    number = {v: i for i, v in enumerate(here)}
    duals = tuple(i for v, i in number.items() if word[v].dual)
    l = sum(1 for v in here if v < len(target))
    blocks = tuple(tuple(number[v] for v in block) for block in parts if block[0] in number)
    return Part(l, len(here) - l, blocks, duals, wire.space in jellyfish), here
