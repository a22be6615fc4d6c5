"""Orders of contractions: right for any tensors, proved as hypergraphs, and a wrong one is refused."""

from __future__ import annotations

import sys
from dataclasses import replace
from random import Random

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catnn.category.wires import PLAIN, Group, Wire
from catnn.hypergraph.box import Box
from catnn.hypergraph.contraction import Contraction, Operand, aligned, contraction, substitute
from catnn.hypergraph.graph import Hypergraph, Node
from catnn.plan.contract import (
    BATCH,
    ContractionPlan,
    Product,
    UnsoundOrderError,
    plan_contraction,
    prove_contraction,
)

WIRES = tuple(Wire(name, Group(PLAIN, size)) for name, size in (("A", 2), ("B", 3), ("C", 1)))


@st.composite
def contractions(draw: st.DrawFn, most: int = 5) -> Contraction:
    """Any contraction: hyperedges, diagonals, indices on one operand alone, broadcast and repeated outputs."""
    count = draw(st.integers(1, most))
    wires = draw(st.lists(st.sampled_from(WIRES), min_size=1, max_size=6))
    index = st.integers(0, len(wires) - 1)
    operands = [Operand(at, tuple(draw(st.lists(index, max_size=3)))) for at in range(count)]
    target = draw(st.lists(index, max_size=3))
    used = sorted({i for operand in operands for i in operand.axes} | set(target))
    new = {old: at for at, old in enumerate(used)}
    return Contraction(
        tuple(Operand(o.label, tuple(new[i] for i in o.axes)) for o in operands),
        tuple(new[i] for i in target),
        tuple(wires[i] for i in used),
    )


def lengths(found: Contraction) -> list[int]:
    return [int(wire.group.size) for wire in found.wires]


def tensors(found: Contraction, seed: int = 0) -> list[numpy.ndarray]:
    """Small whole numbers, so that everything is exact."""
    rng = numpy.random.default_rng(seed)
    sizes = lengths(found)
    return [rng.integers(-3, 4, [sizes[i] for i in operand.axes]) for operand in found.operands]


def dense(found: Contraction, values: list[numpy.ndarray]) -> numpy.ndarray:
    """The definition: a sum over all values of all indices."""
    sizes = lengths(found)
    result = numpy.zeros([sizes[i] for i in found.target], dtype=int)
    for point in numpy.ndindex(*sizes):
        at = tuple(point[i] for i in found.target)
        product = 1
        for operand, value in zip(found.operands, values, strict=True):
            product *= value[tuple(point[i] for i in operand.axes)]
        diagonal = all(found.target[j] != i or at[j] == point[i] for j, i in enumerate(found.target))
        result[at] += product if diagonal else 0
    return result


def executed(plan: ContractionPlan, values: list[numpy.ndarray]) -> numpy.ndarray:
    """A plan step by step, each an einsum of two tensors."""
    found = plan.contraction
    held = [(value, axes) for value, axes in zip(values, plan.axes, strict=True)]
    for product in plan.products:
        parts = [held[product.left]] + ([held[product.right]] if product.right is not None else [])
        arguments = [argument for value, axes in parts for argument in (value, list(axes))]
        held.append((numpy.einsum(*arguments, list(product.kept)), product.kept))
    value, axes = held[-1]
    sizes = lengths(found)
    ones = [argument for i in sorted(set(found.target)) for argument in (numpy.ones(sizes[i], dtype=int), [i])]
    order = sorted(set(found.target))
    plain = numpy.einsum(value, list(axes), *ones, order)
    result = numpy.zeros([sizes[i] for i in found.target], dtype=int)
    for point in numpy.ndindex(*plain.shape):
        where = dict(zip(order, point, strict=True))
        result[tuple(where[i] for i in found.target)] = plain[point]
    return result


def plan_of(found: Contraction) -> ContractionPlan:
    return plan_contraction(found, tuple(() for _ in found.operands), 1)


@given(contractions())
@settings(max_examples=150, deadline=None)
def test_a_plan_computes_its_contraction(found: Contraction) -> None:
    plan = plan_of(found)
    prove_contraction(plan)
    values = tensors(found)
    assert numpy.array_equal(executed(plan, values), dense(found, values))


def graph(found: Contraction) -> Hypergraph:
    """A contraction as a hypergraph: operands are boxes out of nothing."""
    nodes = tuple(
        Node(Box(f"x{o.label}", (), tuple(found.wires[i] for i in o.axes)), (), o.axes) for o in found.operands
    )
    target = tuple(found.wires[i] for i in found.target)
    return Hypergraph((), target, found.wires, nodes, (), found.target)


@given(contractions(4))
@settings(max_examples=100, deadline=None)
def test_the_composite_of_a_plan_is_isomorphic_to_its_source(found: Contraction) -> None:
    """Every product is a small contraction; put into each other, they are the whole, as hypergraphs."""
    plan = plan_of(found)
    made: list[Contraction] = []
    for at, operand in enumerate(found.operands):
        own = {i: k for k, i in enumerate(dict.fromkeys(operand.axes))}
        wires = tuple(found.wires[i] for i in own)
        axes = tuple(own[i] for i in operand.axes)
        made.append(Contraction((Operand(at, axes),), axes, wires))
    axes_of = list(plan.axes)
    for product in plan.products:
        parts = [product.left] + ([product.right] if product.right is not None else [])
        own = {i: k for k, i in enumerate(dict.fromkeys(i for part in parts for i in axes_of[part]))}
        step = Contraction(
            tuple(Operand(1000 + part, tuple(own[i] for i in axes_of[part])) for part in parts),
            tuple(own[i] for i in product.kept),
            tuple(found.wires[i] for i in own),
        )
        for part in parts:
            at = next(k for k, operand in enumerate(step.operands) if operand.label == 1000 + part)
            step = substitute(step, at, made[part])
        made.append(step)
        axes_of.append(product.kept)
    if plan.products and set(found.target) <= set(plan.products[-1].kept):
        last = plan.products[-1].kept
        own = {i: k for k, i in enumerate(last)}
        whole = Contraction((Operand(-1, tuple(own.values())),), tuple(own[i] for i in found.target),
                            tuple(found.wires[i] for i in last))  # fmt: skip
        assert graph(substitute(whole, 0, made[-1])) == graph(found)


@given(contractions(), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_a_changed_plan_is_refused_or_right(found: Contraction, random: object) -> None:
    """A plan with one number changed is refused, unless it computes the same."""
    plan = plan_of(found)
    if not plan.products:
        return
    at = random.randrange(len(plan.products))  # type: ignore[attr-defined]
    product = plan.products[at]
    numbers = len(found.operands) + len(plan.products)
    changed = random.choice(  # type: ignore[attr-defined]
        [
            Product(random.randrange(numbers), product.right, product.kept),  # type: ignore[attr-defined]
            Product(product.left, product.right, product.kept[:-1]),
            Product(product.left, product.right, (*product.kept, len(found.wires) - 1)),
            Product(product.left, None, product.kept),
        ]
    )
    products = (*plan.products[:at], changed, *plan.products[at + 1 :])
    other = replace(plan, products=products)
    try:
        prove_contraction(other)
    except (UnsoundOrderError, IndexError):
        return
    values = tensors(found)
    assert numpy.array_equal(executed(other, values), dense(found, values))


@given(contractions(4), st.permutations(range(4)))
@settings(max_examples=100, deadline=None)
def test_aligned_contractions_are_isomorphic(found: Contraction, order: list[int]) -> None:
    """Whatever the names, and however exchangeable legs are numbered."""
    free = [Operand(_free(o, found), o.axes) for o in found.operands]
    whole = replace(found, operands=tuple(free))
    names = [f"x{order[at]}" for at in range(len(free))]
    other = aligned(whole, names)
    assert boxed(other) == boxed(whole)
    turned = replace(whole, operands=tuple(replace(o, axes=o.axes[:: -1 if o.label.free_inputs else 1]) for o in free))
    assert boxed(turned) == boxed(whole)
    if len(set(names)) == len(names) and all(len(o.axes) < 2 for o in free[1:]):
        assert aligned(turned, names) == aligned(whole, names)


def _free(operand: Operand, found: Contraction) -> Box:
    """An operand as a box, whose legs are exchangeable where its wires are alike."""
    wires = {found.wires[i] for i in operand.axes}
    legs = tuple(found.wires[i] for i in operand.axes)
    return Box(f"w{operand.label}", legs, (), symmetric="inputs" if len(wires) < 2 else "")


def boxed(found: Contraction) -> Hypergraph:
    """A contraction of boxes as a hypergraph."""
    nodes = tuple(Node(o.label, o.axes, ()) for o in found.operands)  # type: ignore[arg-type]
    return Hypergraph((), tuple(found.wires[i] for i in found.target), found.wires, nodes, (), found.target)


def test_channels_and_batch_are_never_summed() -> None:
    found = Contraction((Operand(0, (0,)), Operand(1, (0,))), (), WIRES[:1])
    plan = plan_contraction(found, ((BATCH,), (BATCH,)), 1)
    assert plan.products == (Product(0, 1, (BATCH,)),)
    with pytest.raises(UnsoundOrderError):
        prove_contraction(replace(plan, products=(Product(0, 1, ()),)))


def test_the_cheap_order_is_found() -> None:
    """Matrix, matrix, vector: from the right; ten of them too."""
    wire = Wire("V", Group("S", "n"))
    for count in (2, 9, 30):
        operands = [Operand(at, (at, at + 1)) for at in range(count)]
        found = Contraction((*operands, Operand(count, (count,))), (0,), (wire,) * (count + 1))
        plan = plan_of(found)
        prove_contraction(plan)
        assert all(len(product.kept) <= 2 for product in plan.products)
        assert plan.cost <= count * (16**2 + 16 * 16)


def network(count: int, seed: int) -> Contraction:
    """Random tensors of three indices on average, some of them hyperedges, of sizes 2 to 8."""
    random = Random(seed)
    operands: list[list[int]] = [[] for _ in range(count)]
    wires = []
    for legs in [2] * (3 * count // 2) + [3] * 3:
        for at in random.sample(range(count), legs):
            operands[at].append(len(wires))
        wires.append(Wire(f"W{len(wires)}", Group(PLAIN, random.choice([2, 4, 8]))))
    return Contraction(
        tuple(Operand(at, tuple(axes)) for at, axes in enumerate(operands)),
        tuple(sorted(random.sample(range(len(wires)), 2))),
        tuple(wires),
    )


@pytest.mark.parametrize(("count", "seed"), [(12, 0), (20, 1), (40, 2)])
def test_large_contractions_are_ordered_well_by_cotengra(
    count: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never worse than without it, cheaper where there is much to win, and the same every time."""
    pytest.importorskip("cotengra", reason="cotengra is not installed: pip install 'catnn[cotengra]'")
    found = network(count, seed)
    plan = plan_of(found)
    prove_contraction(plan)
    assert plan_of(found) == plan
    monkeypatch.setitem(sys.modules, "cotengra", None)  # as if it were not there
    without = plan_of(found)
    prove_contraction(without)
    assert plan.cost <= without.cost
    if count > 12:
        assert count // 20 * plan.cost < without.cost


def test_orders_that_cost_the_same_read_large_tensors_along() -> None:
    """A vector, a large tensor, a vector, batch by batch: what the tensor has first is summed first."""
    wires = [Wire(name, Group(PLAIN, size)) for name, size in (("A", 100), ("B", 50), ("C", 100))]
    for first, last in ((0, 2), (2, 0)):
        operands = (Operand(0, (first,)), Operand(1, (0, 1, 2)), Operand(2, (last,)))
        found = Contraction(operands, (1,), tuple(wires))
        plan = plan_contraction(found, ((BATCH,),) * 3, 1)
        prove_contraction(plan)
        assert {plan.products[0].left, plan.products[0].right} == {1, first}


def test_numbers_of_a_hypergraph_agree_with_its_matrix() -> None:
    """The forms of the groups stand where the dense matrix of the diagram has them."""
    import catnn
    from catnn.hypergraph.convert import from_diagram

    cases = (("Sp(4)", "i j k k -> j i"), ("O(1,2)", "i i j -> j k k"), ("SO(3)", "i j -> k"), ("S(3)", "i i j -> j j"))
    for group, pattern in cases:
        diagram = catnn.diagram(group, pattern)
        found = contraction(from_diagram(diagram), (len(diagram.source),))
        x = numpy.random.default_rng(0).integers(-3, 4, [w.group.size for w in diagram.source])
        values = []
        for operand in found.operands:
            if operand.label == 0:
                values.append(x)
            else:
                values.append(form(operand.label))
        matrix = diagram.matrix()
        assert numpy.array_equal(dense(found, values).ravel(), matrix @ x.ravel())


def form(label: object) -> numpy.ndarray:
    """The constant of a form, from the parts of generated files."""
    import torch

    from catnn.category.families import FAMILIES
    from catnn.emit import program_parts

    group = label.group  # type: ignore[attr-defined]
    match label.kind:  # type: ignore[attr-defined]
        case "epsilon":
            found = program_parts._levi_civita(group.size, None, torch.float64)
        case "omega":
            found = program_parts._omega(group.size, torch.zeros(1))
        case _:
            plus = FAMILIES[group.family].plus
            found = program_parts._metric_matrix(plus, group.size - plus, None, torch.float64)
    return found.numpy().astype(int)


@pytest.mark.parametrize(
    "group", ["S(3)", "A(3)", "O(3)", "SO(3)", "SO(2)", "Sp(4)", "O(1,2)", "H(3)", "B(3)", "S+(3)"]
)
def test_every_diagram_of_a_layer_is_the_same_as_a_contraction(group: str) -> None:
    import catnn
    from catnn.diagnostics import CatnnError
    from catnn.hypergraph.convert import from_diagram

    seen = 0
    for k, l in ((2, 1), (2, 2), (1, 2), (0, 3), (3, 0)):
        arrow = " -> ".join("V^" + str(m) if m else "1" for m in (k, l))
        try:
            layer = catnn.parse(f"space V : {group}  layer g : {arrow} = all")["g"]
        except CatnnError:  # there is none
            continue
        for diagram in layer.diagrams:
            found = contraction(from_diagram(diagram), (k,))
            x = numpy.random.default_rng(0).integers(-3, 4, [w.group.size for w in diagram.source])
            values = [x if operand.label == 0 else form(operand.label) for operand in found.operands]
            assert numpy.array_equal(dense(found, values).ravel(), diagram.matrix() @ x.ravel())
            seen += 1
    assert seen
