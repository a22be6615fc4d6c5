"""Diagrams and their linear combinations: the morphisms of the category.

A `Diagram` is a canonical immutable value, a tuple of blocks over the vertices of two words; equality and hash are
immediate and composition is linear in the vertices.  A `Sum` is a multiset of diagrams with exact coefficients.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any

from catnn.category.families import FAMILIES
from catnn.category.family import Blocks, Part
from catnn.category.scalar import ONE, Scalar
from catnn.category.wires import Wire, Word, show_word
from catnn.diagnostics import fail

if TYPE_CHECKING:
    import numpy
    import sympy
    from numpy.typing import NDArray


class Morphism:
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
        return compose(other, self)

    def __matmul__(self, other: Morphism) -> Sum:
        return tensor((self, other))

    def __add__(self, other: Morphism) -> Sum:
        return linear(self.source, self.target, (*self.weighted, *_same(other, self).weighted))

    def __neg__(self) -> Sum:
        return self * -1

    def __sub__(self, other: Morphism) -> Sum:
        return self + -other

    def __mul__(self, scalar: Scalar | Fraction | int) -> Sum:
        factor = Scalar.of(scalar)
        return linear(self.source, self.target, ((c * factor, d) for c, d in self.weighted))

    __rmul__ = __mul__

    def dagger(self) -> Sum | Diagram:
        """The diagram upside down: its matrix is the transpose."""
        raise NotImplementedError

    def matrix(self, size: int | None = None, /, **sizes: int) -> NDArray[Any]:
        """The dense matrix, n^l rows and n^k columns, row-major.

        size: the one size there is; sizes: each by its name (``matrix(n=4, m=3)``).  Integers where every coefficient
        is one, else floats.  Raises: CatnnError for a missing, unknown, contradictory or impossible size.
        """
        import numpy

        given = resolve_sizes(self.source + self.target, self.size_names, size, sizes)
        values = [coefficient.value(given) for coefficient, _ in self.weighted]
        whole = all(value.denominator == 1 for value in values)
        shape = [int(_length(wire, given)) for wire in (*self.target, *self.source)]
        total = numpy.zeros(shape, dtype=numpy.int64 if whole else numpy.float64)
        for value, (_, diagram) in zip(values, self.weighted, strict=True):
            total += (int(value) if whole else float(value)) * diagram.array(given)
        rows = int(numpy.prod(shape[: len(self.target)], dtype=int))
        return total.reshape(rows, int(numpy.prod(shape[len(self.target) :], dtype=int)))

    @property
    def size_names(self) -> frozenset[str]:
        """The names of the sizes that the wires and the coefficients mention."""
        names = {wire.group.size for wire in self.source + self.target if isinstance(wire.group.size, str)}
        names.update(name for c, _ in self.weighted for monomial, _ in c.terms for name, _ in monomial)
        return frozenset(names)


@dataclass(frozen=True, slots=True, eq=False, repr=False, weakref_slot=True)
class Diagram(Morphism):
    """A diagram: every block is an equality (or a pairing) of the indices of its vertices.

    source, target: words of k and l wires; parts: the blocks, sorted, outputs 0..l-1, then inputs l..l+k-1.
    Raises: CatnnError (E0401) if a block joins two spaces or is none of its group's.
    """

    source: Word
    target: Word
    parts: Blocks
    _hash: int = field(init=False)

    def __post_init__(self) -> None:
        _validate(self)
        object.__setattr__(self, "_hash", hash(self._key()))

    def _key(self) -> tuple[object, ...]:
        """One space needs no name: diagrams of S(n) are equal whatever their wire is called."""
        wires = self.target + self.source
        named: object = wires if len(set(wires)) > 1 else wires[:1] and wires[0].group
        return (len(self.target), len(self.source), self.parts, named)

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[type[Diagram], tuple[object, ...]]:
        return Diagram, (self.source, self.target, self.parts)

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
        l = len(self.target)  # noqa: E741
        return self.target[vertex] if vertex < l else self.source[vertex - l]

    def dagger(self) -> Diagram:
        """The diagram upside down.

        >>> import catnn
        >>> catnn.diagram("S(n)", "i j -> i").dagger()
        catnn.diagram('S(n)', 'i -> i j')
        """
        k, l = len(self.source), len(self.target)  # noqa: E741
        turned = (tuple(sorted(v + k if v < l else v - l for v in block)) for block in self.parts)
        return Diagram(self.target, self.source, tuple(sorted(turned)))

    def part(self, wire: Wire) -> tuple[Part, tuple[int, ...]]:
        """The piece on one space, and for each of its vertices the vertex here."""
        here = tuple(v for v in range(len(self.target) + len(self.source)) if self.wire(v) == wire)
        number = {v: i for i, v in enumerate(here)}
        l = sum(1 for v in here if v < len(self.target))  # noqa: E741
        blocks = tuple(tuple(number[v] for v in block) for block in self.parts if block[0] in number)
        return Part(l, len(here) - l, blocks), here

    def spaces(self) -> tuple[Wire, ...]:
        """The different wires, by first vertex."""
        return tuple(dict.fromkeys(self.target + self.source))

    def array(self, sizes: Mapping[str, int]) -> NDArray[numpy.int64]:
        """The matrix as an array with an axis a vertex."""
        import numpy

        result = numpy.ones((), dtype=numpy.int64)
        order: list[int] = []
        for wire in self.spaces():
            part, here = self.part(wire)
            result = numpy.multiply.outer(result, FAMILIES[wire.group.family].tensor(part, _length(wire, sizes)))
            order.extend(here)
        return numpy.transpose(result, numpy.argsort(order)) if order else result

    def __str__(self) -> str:
        from catnn.category.pattern import show_pattern

        return show_pattern(self)

    def __repr__(self) -> str:
        from catnn.category.pattern import transparent

        return transparent(self)

    def __getattr__(self, name: str) -> Any:
        """Drawings and graphs live in `catnn.view`: to_svg, to_tikz, to_dot, to_json, to_graphml, to_networkx, ..."""
        return _view(self, name)


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
        if len(self.source) != len(other.source) or len(self.target) != len(other.target):
            return False
        return set(self.weighted) == set(other.weighted)

    def __bool__(self) -> bool:
        return bool(self._weighted)

    def __str__(self) -> str:
        if not self._weighted:
            return "0"
        shown = []
        for coefficient, diagram in self._weighted:
            text = str(coefficient)
            shown.append(str(diagram) if coefficient == ONE else f"({text}) * {diagram}")
        return " + ".join(shown)

    def __repr__(self) -> str:
        from catnn.category.pattern import transparent

        return transparent(self)

    def dagger(self) -> Sum:
        """Every diagram upside down."""
        return linear(self.target, self.source, ((c, d.dagger()) for c, d in self._weighted))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") and name != "_repr_svg_":
            raise AttributeError(name)
        if self.single is not None:
            return getattr(self.single, name)
        if name.startswith("to_") or name == "_repr_svg_":
            return _view(self, name)
        raise AttributeError(f"a sum of {len(self._weighted)} diagrams has no attribute {name!r}; see its .terms")


def linear(source: Word, target: Word, pairs: Iterable[tuple[Scalar, Diagram]]) -> Sum:
    """The sum of coefficient times diagram, like terms together, zeros dropped, in a canonical order."""
    total: dict[Diagram, Scalar] = {}
    for coefficient, diagram in pairs:
        total[diagram] = total[diagram] + coefficient if diagram in total else coefficient
    kept = [(c, d) for d, c in total.items() if c]
    if len(kept) > 1:
        kept.sort(key=lambda pair: pair[1].parts)
    return Sum(source, target, tuple(kept))


def identity(word: Word) -> Diagram:
    """The identity of a word."""
    return Diagram(word, word, tuple((v, v + len(word)) for v in range(len(word))))


def permutation(word: Word, order: tuple[int, ...]) -> Diagram:
    """The permutation whose output j is input order[j], as torch.permute."""
    l = len(word)  # noqa: E741
    return Diagram(word, tuple(word[i] for i in order), tuple((j, l + i) for j, i in enumerate(order)))


def compose_diagrams(upper: Diagram, lower: Diagram) -> tuple[tuple[Scalar, Diagram], ...]:
    """upper after lower, one space at a time (a closed loop is the family's scalar)."""
    wires = tuple(dict.fromkeys((*upper.target, *upper.source, *lower.source)))
    if not wires:
        return ((ONE, Diagram((), (), ())),)
    if len(wires) == 1:
        u = Part(len(upper.target), len(upper.source), upper.parts)
        w = Part(len(lower.target), len(lower.source), lower.parts)
        group = wires[0].group
        composed = FAMILIES[group.family].compose(u, w, group.size)
        return tuple((c, Diagram(lower.source, upper.target, p.blocks)) for c, p in composed)
    l = len(upper.target)  # noqa: E741
    choices = []
    for wire in wires:
        pieces = FAMILIES[wire.group.family].compose(upper.part(wire)[0], lower.part(wire)[0], wire.group.size)
        here = [v for v, w in enumerate(upper.target) if w == wire]
        here += [l + v for v, w in enumerate(lower.source) if w == wire]
        choices.append([(c, tuple(tuple(here[v] for v in block) for block in p.blocks)) for c, p in pieces])
    result = []
    for combination in product(*choices):
        coefficient = ONE
        for c, _ in combination:
            coefficient = coefficient * c
        blocks = tuple(sorted(block for _, piece in combination for block in piece))
        result.append((coefficient, Diagram(lower.source, upper.target, blocks)))
    return tuple(result)


def compose(upper: Morphism, lower: Morphism) -> Sum:
    """upper after lower.  Raises: CatnnError (E0301) where the words do not meet."""
    lower, upper = _meet(lower, upper)
    return linear(
        lower.source,
        upper.target,
        (
            (c * d * scalar, diagram)
            for c, u in upper.weighted
            for d, w in lower.weighted
            for scalar, diagram in compose_diagrams(u, w)
        ),
    )


def compose_all(stages: Iterable[Morphism]) -> Sum:
    """The composite of a chain, first stage first.  Raises: CatnnError where two do not meet; ValueError if empty."""
    iterator: Iterator[Morphism] = iter(stages)
    try:
        first = next(iterator)
    except StopIteration:
        raise ValueError("a chain has one stage or more") from None
    total = linear(first.source, first.target, first.weighted)
    for stage in iterator:
        total = compose(stage, total)
    return total


def tensor(factors: Iterable[Morphism]) -> Sum:
    """The factors side by side, n-ary."""
    source: Word = ()
    target: Word = ()
    chosen: list[tuple[Scalar, tuple[Diagram, ...]]] = [(ONE, ())]
    for factor in factors:
        source, target = source + factor.source, target + factor.target
        chosen = [(c * d, (*row, diagram)) for c, row in chosen for d, diagram in factor.weighted]
    return linear(source, target, ((c, _beside(row)) for c, row in chosen))


def _beside(diagrams: tuple[Diagram, ...]) -> Diagram:
    source = tuple(wire for d in diagrams for wire in d.source)
    target = tuple(wire for d in diagrams for wire in d.target)
    blocks: list[tuple[int, ...]] = []
    outs, ins = 0, len(target)
    for d in diagrams:
        l = len(d.target)  # noqa: E741
        blocks.extend(tuple(v + outs if v < l else v - l + ins for v in block) for block in d.parts)
        outs, ins = outs + l, ins + len(d.source)
    return Diagram(source, target, tuple(sorted(blocks)))


def _validate(diagram: Diagram) -> None:
    seen: list[int] = []
    for block in diagram.parts:
        seen.extend(block)
        first = diagram.wire(block[0])
        for vertex in block[1:]:
            if diagram.wire(vertex) is not first and diagram.wire(vertex) != first:
                other = diagram.wire(vertex)
                raise fail("E0402", f"a block joins a wire of `{first}` and a wire of `{other}`")
        fault = FAMILIES[first.group.family].block_fault(len(block))
        if fault is not None:
            raise fail("E0401", f"a block of `{first}` ({first.group}) {fault}")
    seen.sort()
    if seen != list(range(len(diagram.target) + len(diagram.source))):
        raise ValueError(f"blocks {diagram.parts} are no partition of the vertices")


def _same(other: Morphism, one: Morphism) -> Morphism:
    """`other`, once it is known to be parallel to `one`."""
    here, there = (one.source, one.target), (other.source, other.target)
    alike = all(len(a) == len(b) and _groups(a) == _groups(b) for a, b in zip(here, there, strict=True))
    if not alike or (here != there and len(set(one.source + one.target)) > 1):
        shown = [f"{show_word(m.source)} -> {show_word(m.target)}" for m in (one, other)]
        raise fail("E0302", f"`{shown[0]}` and `{shown[1]}` cannot be added: a sum has one type")
    return _renamed(other, one)


def _meet(lower: Morphism, upper: Morphism) -> tuple[Morphism, Morphism]:
    if lower.target != upper.source:
        spaces = [set(m.source + m.target) for m in (lower, upper)]
        if _groups(lower.target) != _groups(upper.source) or any(len(s) > 1 for s in spaces):
            met, wanted = show_word(lower.target), show_word(upper.source)
            raise fail("E0301", f"`{lower}` does not compose with `{upper}`: it produces {met}, not {wanted}")
        upper = _renamed(upper, lower)
    return lower, upper


def _renamed(other: Morphism, like: Morphism) -> Morphism:
    """`other`, on one space, with that space named as in `like`."""
    wires = set(like.source + like.target)
    if len(wires) != 1 or other.source + other.target == () or set(other.source + other.target) == wires:
        return other
    (wire,) = wires
    pairs = [
        (c, Diagram((wire,) * len(d.source), (wire,) * len(d.target), d.parts)) for c, d in other.weighted
    ]
    return linear((wire,) * len(other.source), (wire,) * len(other.target), pairs)


def _groups(word: Word) -> tuple[object, ...]:
    return tuple(wire.group for wire in word)


def _length(wire: Wire, sizes: Mapping[str, int]) -> int:
    size = wire.group.size
    return size if isinstance(size, int) else sizes[size]


def resolve_sizes(
    word: Word, names: frozenset[str], size: int | None, sizes: Mapping[str, int]
) -> dict[str, int]:
    """Numbers for all names, from one positional size or from keywords; literal sizes may be repeated, not changed."""
    if not word and not names:
        return {}  # a number has the same matrix at every size
    given = dict(sizes)
    if size is not None:
        literal = {wire.group.size for wire in word if isinstance(wire.group.size, int)}
        if len(names) == 1 and not literal:
            given[next(iter(names))] = size
        elif names or len(literal) > 1:
            shown = ", ".join(sorted(names)) or "none"
            raise fail("E1002", f"one size is not enough here: give each by its name ({shown})")
        elif literal and literal != {size}:
            raise fail("E1003", f"n={size} contradicts the literal size {next(iter(literal))}")
    for name, value in given.items():
        if name not in names:
            known = ", ".join(sorted(names)) or "none"
            raise fail("E1002", f"there is no size `{name}` here; the sizes are: {known}")
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise fail("E1003", f"the size {name}={value!r} is not a positive integer")
    missing = sorted(names - given.keys())
    if missing:
        raise fail("E1002", f"no value for the size `{missing[0]}`", helps=(f"give it: {missing[0]}=4",))
    for wire in word:
        fault = FAMILIES[wire.group.family].size_fault(_length(wire, given))
        if fault is not None:
            raise fail("E1003", f"`{wire.group.family}({_length(wire, given)})`: {fault}")
    return given


def _view(morphism: Morphism, name: str) -> Any:
    if name.startswith("to_") or name in ("_repr_svg_", "_repr_html_", "draw"):
        from catnn import view

        method = getattr(view, name, None)
        if method is not None:
            return lambda *args, **options: method(morphism, *args, **options)
    raise AttributeError(f"a diagram has no attribute {name!r}")
