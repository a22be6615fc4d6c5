"""The engine: matches are occurrences, rules are sound, built-in theories are confluent, strategies end."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catnn import checker
from catnn.category.compose import compose_all as compose_diagrams
from catnn.category.diagram import Diagram, Morphism
from catnn.category.gram import product as product_of
from catnn.category.halves import hom
from catnn.category.wires import Group, Wire
from catnn.hypergraph.box import Box
from catnn.hypergraph.convert import from_diagram
from catnn.hypergraph.evaluate import contract, entries
from catnn.hypergraph.graph import Hypergraph, Node, compose_all, identity, permutation, single, spider, tensor_all
from catnn.hypergraph.linear import Combination, lift
from catnn.rewrite.context import Match, fill
from catnn.rewrite.match import Effort, Index, matches
from catnn.rewrite.proofs import to_dict
from catnn.rewrite.rule import Law, Rule, Schema
from catnn.rewrite.sketch import Chained, Copies, Given, Legs
from catnn.rewrite.strategy import Budget, boxes, prove, search, simplify
from catnn.rewrite.theories import builtin, generator, generators, laws_of_boxes, levi_civita, promises, symplectic
from catnn.rewrite.trace import Trace, apply
from tests.hypergraph.making import V, graphs, numbers, shuffled

quick = settings(max_examples=60, deadline=None)
R, P = Wire("R", Group("O", "n")), Wire("P", Group("Sp", "n"))
MUL, ONE = Box("mul", (V, V), (V,)), Box("one", (), (V,))
mul, one, i = single(MUL), single(ONE), identity((V,))
F, G = Box("f", (V,), (V,)), Box("g", (V,), (V,))
f, g = single(F), single(G)
UNIT = Rule("unit", (one @ i) >> mul, lift(i))
ASSOC = Rule("assoc", (mul @ i) >> mul, lift((i @ mul) >> mul))


# ---------------------------------------------------------------------------------------------------------- matching


def part_of(graph: Hypergraph, chosen: set[int]) -> Hypergraph:
    """Some boxes of a hypergraph as a left side: its ends are the vertices that others touch too."""
    nodes = [graph.nodes[at] for at in sorted(chosen)]
    touched = {v for node in nodes for v in (*node.inputs, *node.outputs)}
    rest = [node for at, node in enumerate(graph.nodes) if at not in chosen]
    outside = {*graph.ins, *graph.outs, *(v for node in rest for v in (*node.inputs, *node.outputs))}
    number = {v: at for at, v in enumerate(sorted(touched))}
    ends = tuple(number[v] for v in sorted(touched & outside))
    moved = tuple(Node(b, tuple(number[v] for v in ins), tuple(number[v] for v in outs)) for b, ins, outs in nodes)
    wires = tuple(graph.wires[v] for v in sorted(touched))
    return Hypergraph((), (V,) * len(ends), wires, moved, (), ends)


@quick
@given(graphs(V), st.data())
def test_every_part_is_found_and_every_match_is_an_occurrence(graph: Hypergraph, data: st.DataObject) -> None:
    chosen = data.draw(st.sets(st.integers(0, max(len(graph.nodes) - 1, 0)), max_size=3))
    if not graph.nodes or not chosen:
        return
    left = shuffled(part_of(graph, chosen), data.draw(st.randoms(use_true_random=False)))
    found = list(matches(left, Index(graph)))
    assert any(set(match.nodes) == chosen for match in found)
    for match in found:
        filled = fill(match.context, left)
        assert filled.graph == graph
        assert [graph.nodes[at].box for at in match.nodes] == list(left.boxes)


def images(left: Hypergraph, graph: Hypergraph) -> set[frozenset[int]]:
    """The dumb matcher: every choice of boxes and vertices, with the gluing conditions as they are written."""
    found = set()
    bound = {*left.ins, *left.outs}
    for nodes in product(range(len(graph.nodes)), repeat=len(left.nodes)):
        if len({*nodes}) < len(nodes) or any(
            graph.nodes[at].box != node.box for at, node in zip(nodes, left.nodes, strict=True)
        ):
            continue
        vertex: dict[int, int] = {}
        fine = True
        for at, node in zip(nodes, left.nodes, strict=True):
            for mine, theirs in zip(node[1] + node[2], graph.nodes[at][1] + graph.nodes[at][2], strict=True):
                fine &= vertex.setdefault(mine, theirs) == theirs
        outside = {*graph.ins, *graph.outs}
        outside |= {v for at, node in enumerate(graph.nodes) if at not in nodes for v in (*node[1], *node[2])}
        inner = [v for v in vertex if v not in bound]
        fine &= not any(vertex[v] in outside for v in inner)  # the dangling condition
        fine &= not any(vertex[v] == vertex[w] for v in inner for w in vertex if w != v)  # identification
        if fine:
            found.add(frozenset(nodes))
    return found


@quick
@given(graphs(V, 7), st.sampled_from([0, 1, 2, 3, 4]))
def test_the_matcher_agrees_with_the_dumb_one(graph: Hypergraph, which: int) -> None:
    known = {box.name: box for box in graph.boxes if not box.turned and not box.symmetric}
    if not {"f", "m"} <= known.keys():
        return
    h, m = single(known["f"]), single(known["m"])
    left = [h >> h, (h @ i) >> m, m >> h, h @ h, m >> spider(V, 1, 1) >> h][which]
    assert {frozenset(match.nodes) for match in matches(left, Index(graph))} == images(left, graph)


def test_inside_vertices_take_all_their_ends() -> None:
    left = f >> g
    assert len(list(matches(left, Index(f >> g)))) == 1
    shared = f >> spider(V, 1, 2) >> (g @ i)
    assert list(matches(left, Index(shared))) == []
    tapped = f >> spider(V, 1, 2) >> (g @ g)
    assert len(list(matches(f >> spider(V, 1, 2), Index(tapped)))) >= 1


def test_the_ends_of_a_boundary_vertex_may_meet_in_the_context() -> None:
    """Modulo Frobenius a match need not be injective, nor convex."""
    ring = Hypergraph((), (), (V,), (Node(F, (0,), (0,)),), (), ())
    (match,) = matches(f, Index(ring))
    assert fill(match.context, f).graph == ring
    around = Hypergraph(
        (V,), (V,), (V, V, V, V), (Node(F, (0,), (1,)), Node(G, (1,), (2,)), Node(F, (2,), (3,))), (0,), (3,)
    )
    assert len(list(matches(f @ f, Index(around)))) == 2


def test_plain_wires_ask_for_convex_matches() -> None:
    """f ; g ; f: the two f are no part of it in a symmetric monoidal category, since g lies between them."""
    between = Index(f >> g >> f)
    assert list(matches(f @ f, between, kind=lambda _: "plain")) == []
    beside = Index(f @ f)
    assert len(list(matches(f @ f, beside, kind=lambda _: "plain"))) == 2
    assert len(list(matches(f >> g, between, kind=lambda _: "plain"))) == 1
    ring = Index(Hypergraph((), (), (V,), (Node(F, (0,), (0,)),), (), ()))
    assert list(matches(f, ring, kind=lambda _: "plain")) == []


def test_exchangeable_inputs_match_either_way_round() -> None:
    s = single(Box("s", (V, V), (V,), symmetric="inputs"))
    left = (f @ i) >> s
    assert len(list(matches(left, Index((i @ f) >> s)))) == 1
    assert len(list(matches((f @ i) >> mul, Index((i @ f) >> mul)))) == 0


def test_a_thousand_boxes_and_two_hundred_rules_take_little_effort() -> None:
    """Effort is counted, not timed: what hangs on a placed box is looked at, not all boxes."""
    random = Random(0)
    known = [Box(f"b{at}", (V,), (V,)) for at in range(40)]
    graph = compose_all([single(random.choice(known)) for _ in range(1_000)])
    rules = [compose_all([single(random.choice(known)) for _ in range(3)]) for _ in range(200)]
    effort = Effort(10**9)
    index = Index(graph)
    found = sum(1 for left in rules for _ in matches(left, index, effort))
    spent = 10**9 - effort.left
    assert spent < 20_000
    assert found == sum(
        [node.box for node in graph.nodes[at : at + 3]] == list(left.boxes) for left in rules for at in range(998)
    )


# ----------------------------------------------------------------------------------------------------------- theories

Q = Box("q", (V,), (V, V), adjoint="isometry")
U = Box("u", (V,), (V,), adjoint="unitary")


def all_rules() -> list[tuple[Rule, list[dict[str, int]]]]:
    """Every built-in rule with the sizes at which it is looked at."""
    any_size = [{"n": n} for n in (1, 2, 3, 4)]
    found = [(rule, any_size) for rule in generators(V)]
    found += [(rule, [{"n": n} for n in (2, 4)]) for rule in symplectic(P)]
    found += [(rule, [{}]) for n in (2, 4) for rule in symplectic(Wire("P", Group("Sp", n)))]
    for n in (1, 2, 3, 4):
        found += [(rule, [{}]) for rule in levi_civita(Wire("T", Group("SO", n)))]
        found += [(rule, [{}]) for rule in levi_civita(Wire("T", Group("A", n)))]
    return found


@pytest.mark.parametrize(("rule", "sizes"), all_rules(), ids=lambda value: getattr(value, "name", ""))
def test_every_built_in_rule_is_sound(rule: Rule, sizes: list[dict[str, int]]) -> None:
    for given_ in sizes:
        tensors = {}
        for box in rule.left.boxes:
            if box.kind == "generator":
                legs = len(box.source) + len(box.target)
                tensors[box.name] = {(at,) * legs: 1 for at in range(given_["n"])}
        assert entries(lift(rule.left), given_, tensors) == entries(rule.right, given_, tensors)


def test_promises_are_rules_that_hold_for_what_keeps_them() -> None:
    rotation = {(0, 1): 1, (1, 0): -1}
    for rule in promises(U):
        assert entries(lift(rule.left), {"n": 2}, {"u": rotation}) == entries(rule.right, {"n": 2}, {"u": rotation})
    assert [rule.name for rule in promises(Q)] == ["isometry q"]
    copied = {(at, at, at): 1 for at in range(3)}
    (rule,) = promises(Q.dagger())
    assert entries(lift(rule.left), {"n": 3}, {"q": copied}) == entries(rule.right, {"n": 3}, {"q": copied})
    assert promises(F) == ()
    assert Box("a", (V,), (V,), adjoint="self").dagger().label == "a"


def exhausted(value: Combination, laws: tuple[Rule, ...], random: Random) -> tuple[Combination, Trace]:
    """Oriented rules in random order at random matches, until none applies."""
    trace = Trace(value)
    while True:
        uses = [
            (rule, term, match)
            for term, (_, graph) in enumerate(trace.end.weighted)
            for rule in laws
            if rule.oriented
            for match in matches(rule.left, Index(graph))
        ]
        if not uses:
            return trace.end, trace
        trace = trace.then(
            apply(uses[0][0], trace.end, *random.choice([use[1:] for use in uses if use[0] is uses[0][0]]))
        )


def random_pure(wire: Wire, random: Random, length: int) -> list[Diagram]:
    found, word = [], random.choice([0, 1, 2])
    while len(found) < length:
        choices = [d for l in range(4) for d in (cut.diagram() for cut in hom((wire,) * word, (wire,) * l))]
        if not choices:
            word = 1 - word % 2
            found = []
            continue
        found.append(random.choice(choices))
        word = len(found[-1].target)
    return found


FORMS = [P, *(Wire("T", Group(key, n)) for key, n in (("SO", 2), ("SO", 3), ("A", 2), ("A", 3), ("A", 4)))]


@pytest.mark.parametrize("wire", FORMS, ids=lambda w: str(w.group))
@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_forms_have_one_normal_form_whatever_the_order(wire: Wire, seed: int) -> None:
    """Confluence of the bends of Sp(n) and of epsilons: the value in the end is that of the calculus of diagrams."""
    random = Random(seed)
    chain = random_pure(wire, random, 3)
    start = lift(compose_all([from_diagram(d) for d in chain]))
    ends = []
    for _ in range(2):
        laws = list(builtin(start))
        random.shuffle(laws)
        end, trace = exhausted(start, tuple(laws), random)
        checker.verify(to_dict(trace))
        ends.append(end.morphism)
        assert all(sum(box.name == "eps" for box in graph.boxes) < 2 for _, graph in end.weighted)
    expected: Morphism = compose_diagrams(chain)
    assert None not in ends
    if wire is P:
        assert ends[0] == ends[1] == expected
    for end in ends:  # three epsilons can be paired in several ways: the same map, by a relation of small n
        assert end is not None
        difference = end - expected
        assert not product_of(difference, difference)


@pytest.mark.parametrize("group", ["SO(2)", "SO(3)", "A(2)", "A(3)"])
def test_epsilons_with_boxes_alternate(group: str) -> None:
    """What the engine knows of epsilons is enough where boxes hang on their legs."""
    n = int(group[-2])
    import catnn

    catnn.parse(f"""
        space R : {group}
        box f : R -> R = abstract
        check eps ; f^{n} ; swap{" @ id" * (n - 2)} = -1 * (eps ; f^{n})
    """)


def test_jellyfish_have_relations_of_their_own() -> None:
    import catnn

    spec = catnn.parse("""
        space V : A(3)
        box g : V -> V = abstract
        box h : 1 -> V = abstract
        rule sums : g ; discard => discard
        rule ones : h => unit
        check eps ; id @ g @ g ; g @ discard @ discard = 0 * (h ; g)
        check eps @ h ; id^3 @ g = (eps ; copy @ id @ id ; [a b c d -> a c d b] ; id^3 @ g)
            + (eps ; id @ copy @ id ; [a b c d -> a b d c] ; id^3 @ g) + (eps ; id @ id @ copy ; id^3 @ g)
    """)
    used = {rule.name for check in spec.checks if check.proof for rule in check.proof.rules}
    assert used == {"sums", "ones", "eps V 1,2 summed", "eps V spread"}


@quick
@given(st.integers(0, 10**6))
def test_generators_have_one_normal_form_whatever_the_order(seed: int) -> None:
    """Confluence of the Frobenius and compact structures with their generators as boxes."""
    random = Random(seed)
    names = [rule.name for rule in generators(V)]
    width, rows, diagrams = 2, [], []
    for _ in range(6):
        name = random.choice(names)
        box = generator(name, V)
        k, l = len(box.source), len(box.target)
        if not k <= width or width - k + l > 4:
            continue
        at = random.randint(0, width - k)
        before, after = identity((V,) * at), identity((V,) * (width - k - at))
        rows.append(tensor_all([before, single(box), after]))
        diagrams.append(tensor_all([before, spider(V, k, l), after]))
        width += l - k
    if rows:
        start = lift(compose_all(rows))
        laws = list(generators(V))
        random.shuffle(laws)
        end, trace = exhausted(start, tuple(laws), random)
        assert end == lift(compose_all(diagrams))
        checker.verify(to_dict(trace))


# --------------------------------------------------------------------------------------------------------- strategies


def test_simplify_reaches_a_normal_form() -> None:
    start = lift((one @ i @ one @ i) >> (mul @ mul) >> mul)
    outcome = simplify(start, [ASSOC, UNIT])
    assert outcome.finished
    assert outcome.value == lift(mul)
    assert UNIT.decreases
    assert not ASSOC.decreases
    backwards = Rule("assoc", ASSOC.left, ASSOC.right, oriented=False)
    assert simplify(start, [backwards, UNIT]).value == lift(mul)


def test_a_rule_without_end_stops_at_the_budget() -> None:
    grow = Rule("grow", f, lift(f >> f))
    outcome = simplify(lift(f), [grow], Budget(steps=25))
    assert not outcome.finished
    assert outcome.reason == "stopped after 25 steps, 25 of them by `grow`"
    assert outcome.value == lift(compose_all([f] * 26))
    sized = simplify(lift(f), [grow], Budget(size=10))
    assert sized.reason == "stopped at 11 boxes, after 10 uses of `grow`"
    spent = simplify(lift(f), [grow], Budget(effort=5_000))
    assert "effort" in spent.reason
    anywhere = Rule("anywhere", i, lift(f >> f.dagger()))
    assert not simplify(lift(f), [anywhere], Budget(steps=5)).finished
    assert not search(lift(f), [anywhere, grow], budget=Budget(states=50)).finished
    assert prove(lift(f), lift(g), [anywhere, grow], Budget(states=50)) is None


def test_sums_are_rewritten_term_by_term() -> None:
    split = Rule("split", f, lift(g) + lift(i) * "1/n")
    outcome = simplify(lift(f >> f) - lift(g >> g), [split])
    assert outcome.value == lift(g) * "2/n" + lift(i) * "1/n^2"
    checker.verify(to_dict(outcome.trace))
    vanish = Rule("vanish", f >> g, lift(f) * 0)
    assert not simplify(lift(f >> g >> f), [vanish]).value


def test_search_returns_the_cheapest_it_has_seen() -> None:
    """A detour over a larger diagram, which no simplification takes."""
    h = single(Box("h", (V,), (V,)))
    detour = Rule("detour", f >> g, lift(h >> h >> h), oriented=False)
    short = Rule("short", h >> h >> h, lift(i))
    outcome = search(lift(f >> g >> f), [detour, short])
    assert outcome.value == lift(f)
    assert [step.rule.name for step in outcome.trace.steps] == ["detour", "short"]
    assert boxes(outcome.value) < boxes(outcome.trace.start)


def test_rules_of_variable_arity() -> None:
    k = single(Box("k", (), (V,)))

    one = Given(lift(k))
    copies: Law = Schema("copies", ("q",), Chained((one, Legs(V, 1, "q"))), Copies(one, "q"))
    for legs in (0, 2, 3, 6):
        outcome = simplify(lift(k >> spider(V, 1, legs)), [copies])
        assert outcome.value == lift(tensor_all([k] * legs))
        assert len(outcome.trace.steps) == 1
        checker.verify(to_dict(outcome.trace))
    merged = lift((k @ k) >> spider(V, 2, 1))
    assert simplify(merged, [copies]).finished


def test_a_fixed_arity_is_found_modulo_frobenius() -> None:
    """k ; copy = k @ k inside k ; spider[1,3]: the spider is parted where it helps."""
    k = single(Box("k", (), (V,)))
    copy = Rule("copy", k >> spider(V, 1, 2), lift(k @ k))
    outcome = simplify(lift(k >> spider(V, 1, 3)), [copy])
    assert outcome.value == lift(k @ k @ k)


@quick
@given(graphs(V), st.integers(0, 5), st.integers(1, 3))
def test_rewriting_keeps_the_numbers(graph: Hypergraph, seed: int, n: int) -> None:
    """Soundness of the gluing: f is replaced by a box of the same tensor, everywhere, and nothing else changes."""
    tensors = numbers(V, {"n": n}, seed)
    tensors["twin"] = tensors["f"]
    renamed = Rule("renamed", f, lift(single(Box("twin", (V,), (V,)))))
    outcome = simplify(lift(graph), [renamed])
    assert entries(lift(graph), {"n": n}, tensors) == entries(outcome.value, {"n": n}, tensors)
    assert not any(box.name == "f" and not box.turned for _, found in outcome.value.weighted for box in found.boxes)
    assert contract(graph, {"n": n}, tensors) is not None


def test_bends_of_a_matching_are_matched_too() -> None:
    a = Box("a", (R,), (R,))
    trace = compose_all(
        [from_diagram(_pairs((), (R, R))), single(a) @ identity((R,)), from_diagram(_pairs((R, R), ()))]
    )
    rule = Rule("a", single(a), lift(identity((R,))) * 2)
    outcome = simplify(lift(trace), [rule])
    assert str(outcome.value) == "2*n * ([->])"
    crossed = permutation((R, R), (1, 0)) >> (single(a) @ identity((R,)))
    assert simplify(lift(crossed), [rule]).value == lift(permutation((R, R), (1, 0))) * 2


def _pairs(source: tuple[Wire, ...], target: tuple[Wire, ...]) -> Diagram:
    return Diagram(source, target, ((0, 1),))


def test_laws_are_collected_once() -> None:
    assert laws_of_boxes([U, U.dagger(), F]) == promises(U)
    assert [type(match) for match in matches(f, Index(f >> f))] == [Match, Match]
