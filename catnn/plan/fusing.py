"""Two learned layers, one after the other, as one layer whose weights are made of theirs.

Diagrams compose to diagrams, times a power of a size or a sign: with d2 d1 = sum_d c(d, d2, d1) d, the layer g after f
has on d the weight

    w[d] = sum over d2, d1 of c(d, d2, d1) w_g[d2] w_f[d1]

so its weights are the structure constants of the category applied to the weights of its parts.  Biases compose in the
same way: f's are elements, diagrams from nothing, and g's diagrams take them to elements.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from catnn.category.basis import averaged
from catnn.category.compose import compose
from catnn.category.diagram import Diagram, Morphism, Sum, linear
from catnn.category.half import mean_factor
from catnn.category.halves import Factors, exists, factors, level_key
from catnn.category.scalar import ONE, Scalar
from catnn.model import Layer
from catnn.plan.ambient import ambient
from catnn.plan.build import plan_layer
from catnn.plan.lower import lowered
from catnn.plan.plan import Combination, Plan, Product

MOST_PAIRS = 3000
"""Layers with more pairs of diagrams run one after the other: their composites would take long to write down."""

Place = tuple[int, int, int]
"""The number of a diagram of the whole, of the later layer, of the earlier one; 0 where a fixed term stands."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """The structure constants by which a parameter of the whole takes one parameter of each part.

    target, later, earlier: names of parameters, "" for the fixed terms of a part (or where a bias of the later layer
    meets nothing); shape: how many diagrams each has; entries: the constants that are not 0.
    """

    target: str
    later: str
    earlier: str
    shape: Place
    entries: tuple[tuple[Place, Scalar], ...]


@dataclass(frozen=True, slots=True)
class Fused:
    """A layer that stands for two, and how its parameters are made of theirs."""

    layer: Layer
    plan: Plan
    earlier: Layer
    later: Layer
    meetings: tuple[Meeting, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """What a weight of a layer multiplies; name: "" where nothing does."""

    name: str
    index: int
    value: Morphism


def fused(earlier: Layer, later: Layer) -> Fused | str:
    """One layer for two, the first of which the second alone reads; or why there is none."""
    for layer in (earlier, later):
        if why := unusual(layer):
            return f"`{layer.name}` {why}"
    pairs = _pairs(earlier, later)
    if pairs > MOST_PAIRS:
        return f"{pairs:,} pairs of diagrams would have to be composed, more than {MOST_PAIRS:,}"
    weighted, biases, fixed = _composites(earlier, later)
    mean = earlier.reduce == "mean"
    whole = replace(
        earlier,
        target=later.target,
        weighted=tuple(tuple(_elements(found, mean=mean) for found in row) for row in weighted),
        biases=tuple(_elements(found, mean=False) for found in biases),
        fixed_parts=tuple(tuple((total,) if total.weighted else () for total in row) for row in fixed),
        learned=True,
        biased=any(biases),
        notes=(),
    )
    whole = _filled(whole, mean=mean)
    meetings = (*_weight_meetings(whole, weighted, earlier, later), *_bias_meetings(whole, biases, earlier, later))
    taken = {name for meeting in meetings for name in ((0, meeting.earlier), (1, meeting.later))}
    for at, layer in enumerate((earlier, later)):
        for name in _parameters(layer):
            if (at, name) not in taken:  # its gradient would be none, not 0
                return f"`{layer.name}.{name}` has no part in what is computed"
    if not any(pair for row in whole.weighted for pair in row):
        return "nothing comes through both"
    told = {wire.group.size for word in whole.source.words for wire in word}
    for size in {size for m in meetings for _, c in m.entries for monomial, _ in c.terms for size, _ in monomial}:
        if size not in told:
            return f"no tensor that comes in tells {size}, which their composites are multiplied with"
    return Fused(whole, plan_layer(whole), earlier, later, meetings)


def unusual(layer: Layer) -> str:
    """Why a layer is not composed diagram by diagram; "" for one that is."""
    parts = lowered(layer)
    if any(part.ties is not None for part in parts):
        return "has orbits for diagrams, which are no composites of halves"
    if len(parts) > 1 or parts[0].layer is not layer:
        return "has plain or symmetric axes, which are stored otherwise"
    return ""


def _pairs(earlier: Layer, later: Layer) -> int:
    middle = range(len(earlier.target.summands))
    into = [sum(len(pair) + len(fixed) for pair, fixed in zip(earlier.weighted[m], earlier.fixed_parts[m], strict=True))
            + len(earlier.biases[m]) for m in middle]  # fmt: skip
    return sum(
        (len(row[m]) + len(fixed[m])) * into[m]
        for row, fixed in zip(later.weighted, later.fixed_parts, strict=True)
        for m in middle
    )


def _parameters(layer: Layer) -> Iterator[str]:
    """The names of the parameters that a layer has."""
    for o, row in enumerate(layer.weighted):
        yield from (layer.weight_name(o, i) for i, pair in enumerate(row) if pair)
        if layer.biases[o]:
            yield layer.bias_name(o)


# ------------------------------------------------------------------------------------------------------- composites

Found = dict[Diagram, list[tuple[str, int, str, int, Scalar]]]
"""For each diagram of the whole what it comes from: the later parameter and diagram, the earlier, the constant."""


def terms_of(layer: Layer, o: int, i: int) -> Iterator[Term]:
    """The weighted terms between two summands, and the fixed ones as one."""
    name = layer.weight_name(o, i)
    yield from (Term(name, at, value) for at, value in enumerate(layer.weighted[o][i]))
    fixed = layer.fixed_parts[o][i]
    if fixed:
        terms = [term for value in fixed for term in value.weighted]
        yield Term("", 0, linear(fixed[0].source, fixed[0].target, terms))


def _composites(earlier: Layer, later: Layer) -> tuple[list[list[Found]], list[Found], list[list[Sum]]]:
    """What the composites of all terms are made of, by summands; the biases; what is fixed."""
    outs, ins = range(len(later.target.summands)), range(len(earlier.source.summands))
    weighted: list[list[Found]] = [[defaultdict(list) for _ in ins] for _ in outs]
    biases: list[Found] = [defaultdict(list) for _ in outs]
    fixed: list[list[Sum]] = [
        [linear(earlier.source.words[i], later.target.words[o], ()) for i in ins] for o in outs
    ]  # fmt: skip
    for o in outs:
        for m in range(len(earlier.target.summands)):
            upper = list(terms_of(later, o, m))
            for i in ins:
                for term in terms_of(earlier, m, i):
                    for top in upper:
                        both = compose(top.value, term.value)
                        if top.name or term.name:
                            _note(weighted[o][i], both, top, term)
                        else:
                            terms = (*fixed[o][i].weighted, *both.weighted)
                            fixed[o][i] = linear(both.source, both.target, terms)
            for at, value in enumerate(earlier.biases[m]):
                for top in upper:
                    _note(biases[o], compose(top.value, value), top, Term(earlier.bias_name(m), at, value))
        for at, value in enumerate(later.biases[o]):
            _note(biases[o], value, Term(later.bias_name(o), at, value), Term("", 0, value))
    return weighted, biases, fixed


def _note(found: Found, both: Morphism, top: Term, term: Term) -> None:
    for scalar, diagram in both.weighted:
        found[diagram].append((top.name, top.index, term.name, term.index, scalar))


def _elements(found: Found, *, mean: bool) -> tuple[Morphism, ...]:
    """The diagrams of a parameter of the whole, in the order of a hom-space; each times what makes its halves plain."""
    return tuple(_element(diagram, factors(diagram), mean=mean) for diagram in sorted(found, key=_place))


def _place(diagram: Diagram) -> tuple[object, ...]:
    cut = factors(diagram)
    return (level_key(cut.output.level), cut.jellyfish, cut.output.key(), cut.input.key(), cut.sigma)


def _element(diagram: Diagram, cut: Factors, *, mean: bool) -> Morphism:
    """A diagram with the sign and the mean that its plan gives it, so that its weight is read as it is."""
    value: Morphism = averaged(diagram) if mean else diagram
    return value * -1 if cut.sign < 0 else value


def _unit(diagram: Diagram, *, mean: bool) -> Scalar:
    """What the element of a diagram is, times the diagram."""
    cut = factors(diagram)
    factor = mean_factor(cut.input) if mean else ONE
    return -factor if cut.sign < 0 else factor


# ------------------------------------------------------------------------------------------- slots without a diagram


def _filled(layer: Layer, *, mean: bool) -> Layer:
    """The layer with a diagram in every place of its products, in their order: its weights are read in one piece.

    What had no diagram there gets one whose weight is 0: the product multiplies that place anyway.
    """
    weighted = [[list[Morphism]() for _ in row] for row in layer.weighted]
    plan, same = plan_layer(layer), ambient(layer) is layer
    seen = [[set[int]() for _ in row] for row in layer.weighted]
    for product in plan.products:
        for (o, i), entry, cut in _slots(product):
            if entry:
                index = entry[0][1]
                if len(entry) > 1 or index in seen[o][i]:
                    return layer
                seen[o][i].add(index)
                weighted[o][i].append(layer.weighted[o][i][index])
            elif same and (diagram := _diagram(cut)) is not None:
                weighted[o][i].append(_element(diagram, cut, mean=mean))
    complete = all(len(s) == len(pair) for ss, row in zip(seen, layer.weighted, strict=True)
                   for s, pair in zip(ss, row, strict=True))  # fmt: skip
    return replace(layer, weighted=tuple(tuple(map(tuple, row)) for row in weighted)) if complete else layer


def _slots(product: Product) -> Iterator[tuple[tuple[int, int], Combination, Factors]]:
    """The places of a product, those of a pair of summands together, in the order in which they are packed."""
    pairs = sorted({(c.summand, r.summand) for c in product.columns for r in product.rows})
    for pair in pairs:
        for c, column in enumerate(product.columns):
            for r, row in enumerate(product.rows):
                if (column.summand, row.summand) == pair:
                    for s, sigma in enumerate(product.sigmas):
                        entry = product.entries.get((s, c, r), ())
                        yield pair, entry, Factors(column.half, sigma, row.half)


def _diagram(cut: Factors) -> Diagram | None:
    """The diagram with these factors, where there is one."""
    if not exists(cut):
        return None
    found = cut.diagram()
    return found if factors(found) == cut else None


# --------------------------------------------------------------------------------------------------------- meetings


def _weight_meetings(whole: Layer, found: list[list[Found]], earlier: Layer, later: Layer) -> Iterator[Meeting]:
    mean = whole.reduce == "mean"
    for o, row in enumerate(found):
        for i, composites in enumerate(row):
            rows = {element.weighted[0][1]: at for at, element in enumerate(whole.weighted[o][i])}
            counts = {
                (top, term): (len(later.weighted[o][m]) if top else 1, len(earlier.weighted[m][i]) if term else 1)
                for m in range(len(earlier.target.summands))
                for top in _names(later, o, m)
                for term in _names(earlier, m, i)
                if top or term
            }
            yield from _tables(whole.weight_name(o, i), rows, composites, counts, mean=mean)


def _bias_meetings(whole: Layer, found: list[Found], earlier: Layer, later: Layer) -> Iterator[Meeting]:
    for o, composites in enumerate(found):
        rows = {element.weighted[0][1]: at for at, element in enumerate(whole.biases[o])}
        counts = {
            (top, earlier.bias_name(m)): (len(later.weighted[o][m]) if top else 1, len(earlier.biases[m]))
            for m in range(len(earlier.target.summands))
            for top in _names(later, o, m)
            if earlier.biases[m]
        }
        if later.biases[o]:
            counts[later.bias_name(o), ""] = (len(later.biases[o]), 1)
        yield from _tables(whole.bias_name(o), rows, composites, counts, mean=False)


def _names(layer: Layer, o: int, i: int) -> Iterator[str]:
    """The parameter between two summands, and "" for the fixed terms, as far as they exist."""
    if layer.weighted[o][i]:
        yield layer.weight_name(o, i)
    if layer.fixed_parts[o][i]:
        yield ""


def _tables(
    target: str, rows: dict[Diagram, int], found: Found, counts: dict[tuple[str, str], tuple[int, int]], *, mean: bool
) -> Iterator[Meeting]:
    """The constants into one parameter, by what meets there; nothing where the parameter does not exist."""
    entries: dict[tuple[str, str], dict[Place, Scalar]] = {names: {} for names in counts}
    for diagram, sources in found.items():
        unit = _unit(diagram, mean=mean)
        for top, b, term, a, scalar in sources:
            entries[top, term][rows[diagram], b, a] = scalar / unit
    for (top, term), constants in entries.items() if rows else ():
        yield Meeting(target, top, term, (len(rows), *counts[top, term]), tuple(sorted(constants.items())))
