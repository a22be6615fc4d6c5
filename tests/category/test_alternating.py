"""A(n): jellyfish in the category: the functor in integers, bases, dimensions, the action of even permutations."""

from __future__ import annotations

import pickle
import random
import time
from functools import reduce
from itertools import pairwise, permutations, product
from math import factorial

import numpy
import pytest

import catnn
from catnn.category.compose import compose, compose_all, identity, permutation, tensor
from catnn.category.diagram import Diagram, Morphism
from catnn.category.families import FAMILIES
from catnn.category.family import Part
from catnn.category.gram import inner, norm2, rank
from catnn.category.halves import count, dimension, factors, hom
from catnn.category.rotations import sign
from catnn.category.wires import Group, Wire, Word
from catnn.diagnostics import CatnnError
from catnn.view import from_graphml, from_json, from_networkx

A = FAMILIES["A"]
# mathematics.md, section 6: dim Hom(0, m) for m = 0, 1, 2, ...
TABLE = {
    1: [1, 1, 1, 1, 1, 1, 1, 1, 1],
    2: [1, 2, 4, 8, 16, 32, 64, 128, 256],
    3: [1, 1, 3, 9, 27, 81, 243, 729, 2187],
    4: [1, 1, 2, 6, 22, 86, 342, 1366, 5462],
    5: [1, 1, 2, 5, 16, 63, 282, 1345, 6596],
}


def wire(size: int, space: str = "V") -> Wire:
    return Wire(space, Group("A", size))


def random_diagram(pick: random.Random, source: Word, target: Word, *, signed: bool) -> Diagram:
    """Any diagram on one space, a jellyfish where it is wanted and there are vertices enough."""
    m, size = len(source) + len(target), (*target, *source, wire(2))[0].group.size
    assert isinstance(size, int)
    signed &= m >= size - 1 and size > 1
    count = pick.randint(max(size - 1, 1), min(size, m)) if signed else pick.randint(1, m) if m else 0
    labels = [*range(count), *(pick.randrange(count) for _ in range(m - count))]
    pick.shuffle(labels)
    blocks = (tuple(v for v in range(m) if labels[v] == b) for b in range(count))
    return Diagram(source, target, tuple(sorted(blocks)), ("V",) * signed)


def chain(pick: random.Random, n: int, length: int, most: int) -> list[Diagram]:
    """Diagrams that compose, most of them jellyfish."""
    words = [(wire(n),) * pick.randint(0, most) for _ in range(length + 1)]
    return [random_diagram(pick, a, b, signed=pick.random() < 0.7) for a, b in pairwise(words)]


def direct(d: Diagram) -> numpy.ndarray:
    """The matrix from the entry formula: the sign of the indices of the blocks, summed over a missing one."""
    n = (*d.target, *d.source)[0].group.size if d.jellyfish else 0
    size, m, l = n or 1, len(d.source) + len(d.target), len(d.target)
    result = numpy.zeros((size,) * m, dtype=int)
    for index in product(range(size), repeat=m):
        values = [index[block[0]] for block in d.parts]
        if all(len({index[v] for v in block}) == 1 for block in d.parts):
            last = [()] if len(values) == n else [(i,) for i in range(n)]
            result[index] = sum(sign((*values, *i)) for i in last if len({*values, *i}) == n)
    return result.reshape(size**l, -1)


# ------------------------------------------------------------------------------------------------------- the functor


def test_the_matrix_is_that_of_the_formula() -> None:
    pick = random.Random(4)
    signed = [d for _ in range(300) for d in chain(pick, pick.choice((2, 3, 4)), 1, 3) if d.jellyfish]
    assert len(signed) > 100
    for d in signed:
        assert numpy.array_equal(d.matrix(), direct(d))


def test_composition_is_the_product_of_matrices_in_integers() -> None:
    """10,000 pairs: the functor is one."""
    pick, kinds, sums = random.Random(0), {(a, b): 0 for a in (0, 1) for b in (0, 1)}, 0
    matrices: dict[Diagram, numpy.ndarray] = {}

    def matrix(d: Diagram) -> numpy.ndarray:
        if d not in matrices:
            matrices[d] = d.matrix()
        return matrices[d]

    for _ in range(10_000):
        n = pick.choice((1, 2, 2, 3, 3, 4))
        lower, upper = chain(pick, n, 2, 3 if n < 4 else 2)
        composed = compose(upper, lower)
        expected = matrix(upper) @ matrix(lower)
        found = sum((int(c.value()) * matrix(d) for c, d in composed.weighted), numpy.zeros_like(expected))
        assert numpy.array_equal(found, expected), f"{lower!r} >> {upper!r}"
        kinds[len(upper.jellyfish), len(lower.jellyfish)] += 1
        sums += len(composed.weighted) > 1
    assert min(kinds.values()) > 1000
    assert sums > 1500


def test_the_relations() -> None:
    """Swapped legs are -1, two in one block 0, two summed ones 0; a jellyfish squared is a signed sum."""
    for n in (2, 3, 4):
        space = wire(n)
        eps = Diagram((), (space,) * n, tuple((v,) for v in range(n)), ("V",))
        turn = permutation((space,) * n, (1, 0, *range(2, n)))
        assert compose(turn, eps) == -eps
        rest = identity((space,) * (n - 2))
        merge, discard = Diagram((space,) * 2, (space,), ((0, 1, 2),)), Diagram((space,), (), ((0,),))
        assert not compose(tensor((merge, rest)), eps)
        assert not compose(tensor((discard, discard, rest)), eps)
        assert compose(eps.dagger(), eps) == identity(()) * factorial(n)
        square = compose(eps, eps.dagger())
        assert {(str(c), d) for c, d in square.weighted} == {
            (str(sign(q)), permutation((space,) * n, q)) for q in permutations(range(n))
        }
        summed = compose(tensor((discard, identity((space,) * (n - 1)))), eps)
        assert [d.free for _, d in summed.weighted] == [tuple(range(n - 1))]
        assert numpy.array_equal(summed.matrix(), eps.matrix().reshape((n,) * n).sum(0).reshape(-1, 1))


def test_a_wire_beside_a_jellyfish_meets_every_leg() -> None:
    """Its index is one of the n that the legs have."""
    eps = catnn.diagram("A(3)", "sgn[-> i j k]")
    found = tensor((eps, identity((wire(3),))))
    assert {str(d) for _, d in found.weighted} == {"sgn[i -> i j k i]", "sgn[i -> j i k i]", "sgn[i -> j k i i]"}
    assert numpy.array_equal(found.matrix(), numpy.kron(eps.matrix(), numpy.eye(3, dtype=int)))


def test_dagger_is_the_transpose_with_its_sign() -> None:
    pick, minus = random.Random(1), 0
    for _ in range(300):
        (f,) = chain(pick, pick.choice((1, 2, 3, 4)), 1, 3)
        turned = f.dagger()
        assert numpy.array_equal(turned.matrix(), f.matrix().T)
        assert turned.dagger() == f
        assert (turned.source, turned.target) == (f.target, f.source)
        minus += str(turned.weighted[0][0]) == "-1"
    assert minus > 20


def test_tensor_and_inner_product_are_those_of_matrices() -> None:
    pick, both = random.Random(2), 0
    for _ in range(300):
        n = pick.choice((1, 2, 3))
        (f,), (g,) = chain(pick, n, 1, 2), chain(pick, n, 1, 2)
        assert numpy.array_equal(tensor((f, g)).matrix(), numpy.kron(f.matrix(), g.matrix()))
        both += bool(f.jellyfish and g.jellyfish)
        for signed in (False, True):
            other = random_diagram(pick, f.source, f.target, signed=signed)
            assert inner(f, other).value({}) == (f.matrix() * other.matrix()).sum()
        assert norm2(f).value({}) == (f.matrix() ** 2).sum()
    assert both > 30


def same(left: Morphism, right: Morphism) -> bool:
    """As matrices: sums may differ by the relations of small n."""
    return not norm2(left - right)


def test_laws() -> None:
    pick = random.Random(3)
    for _ in range(100):
        f, g, h = chain(pick, pick.choice((2, 3)), 3, 2)
        assert same(compose(h, compose(g, f)), compose(compose(h, g), f))
        assert same(compose(g, f).dagger(), compose(f.dagger(), g.dagger()))
        if sum(len(d.source + d.target) for d in (f, g, h)) <= 8:
            assert same(tensor((f, tensor((g, h)))), tensor((f, g, h)))


def test_the_terms_of_a_product_are_foreseen() -> None:
    """What a chain or tensor is refused for is at least what it has."""
    pick = random.Random(6)
    for _ in range(300):
        n = pick.choice((2, 3))
        f, g = chain(pick, n, 2, 3)
        blocks = sum(len(d.parts) for d in (f, g) if not d.jellyfish)
        heads = len(f.jellyfish) + len(g.jellyfish)
        assert len(compose(g, f).weighted) <= A.expansion(heads, blocks, len(f.source + g.target), n)
        outer = len(f.source + f.target + g.source + g.target)
        assert len(tensor((f, g)).weighted) <= A.expansion(heads, blocks, outer, n)
    with pytest.raises(CatnnError) as caught:
        catnn.parse("space V : A(9)  let f : V^9 -> V^9 = eps' ; eps")
    assert [fault.code for fault in caught.value.diagnostics] == ["E0405"]


# --------------------------------------------------------------------------------------------------- bases and counts


@pytest.mark.parametrize("size", TABLE)
def test_the_dimensions_are_those_of_the_table(size: int) -> None:
    catnn.dim(f"A({size})", 0, 0)
    for m, expected in enumerate(TABLE[size]):
        for k in range(m + 1):
            start = time.process_time()
            assert catnn.dim(f"A({size})", k, m - k) == expected
            assert time.process_time() - start < 0.05


@pytest.mark.parametrize("size", range(1, 7))
def test_the_dimensions_are_those_of_characters(size: int) -> None:
    """The mean of trace(g)^m over the even permutations; up to m = 10, and one that is out of reach of matrices."""
    even = [q for q in permutations(range(size)) if sign(q) > 0]
    traces = [sum(i == j for i, j in enumerate(q)) for q in even]
    for m in (*range(11), 30):
        assert A.dim(m // 2, m - m // 2, size) * len(even) == sum(t**m for t in traces)


def test_large_dimensions_at_once() -> None:
    start = time.process_time()
    for size in (3, 5, 12, 40):
        assert catnn.dim(f"A({size})", 5, 5) == catnn.dim(f"A({size})", 0, 10)
    assert catnn.dim("A(12)", 5, 5) == catnn.dim("S(12)", 5, 5)  # a jellyfish has 11 letters or 12
    assert time.process_time() - start < 0.2


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_the_basis_is_independent_and_as_large_as_is_counted(size: int) -> None:
    space = wire(size)
    for k, l in ((k, l) for k, l in product(range(5), repeat=2) if k + l < 6):
        source, target = (space,) * k, (space,) * l
        found = [f.diagram() for f in hom(source, target)]
        assert len(found) == len(set(found)) == dimension(source, target)
        assert count(source, target) >= len(found)
        for d in found:
            cut = factors(d)
            assert cut.diagram() == d
            middle = permutation(cut.input.level, cut.sigma)
            assert compose_all((cut.input.diagram(), middle, cut.output.diagram().dagger())) == d * cut.sign
        if found and len(found) <= 30:
            assert rank(found) == len(found)
        if found and size ** (k + l) <= 1000:
            assert numpy.linalg.matrix_rank(numpy.stack([d.matrix().ravel() for d in found])) == len(found)


def test_the_order_of_the_weights_stays() -> None:
    """It is part of the format."""
    layer = catnn.parse("space V : A(3)  layer f : V^2 -> V = all  layer g : V -> V^2 = all")
    assert [str(d) for d in layer["f"].diagrams] == [
        "[i i -> j]", "[i j -> k]", "[i i -> i]", "[i j -> i]", "[i j -> j]",
        "sgn[i i -> j]", "sgn[i j -> i]", "sgn[i j -> j]", "sgn[i j -> k]",
    ]  # fmt: skip
    assert [str(d) for d in layer["g"].diagrams] == [
        "[i -> j j]", "[i -> j k]", "[i -> i i]", "[i -> i j]", "[i -> j i]",
        "sgn[i -> j j]", "sgn[i -> i j]", "sgn[i -> j i]", "sgn[i -> j k]",
    ]  # fmt: skip


def test_a_jellyfish_stands_in_one_half() -> None:
    """Every diagram comes once, its jellyfish in the half where fewer blocks stand alone on the other side."""
    for size, k, l in ((3, 3, 1), (3, 1, 3), (4, 2, 2), (4, 3, 2)):
        for cut in hom((wire(size),) * k, (wire(size),) * l):
            d = cut.diagram()
            assert len(cut.output.heads) + len(cut.input.heads) == len(d.jellyfish)
            alone = [sum(1 for b in d.parts if (b[-1] < l, b[0] >= l)[side]) for side in (0, 1)]
            assert bool(cut.output.heads) == (bool(d.jellyfish) and alone[0] > alone[1])


def act(g: numpy.ndarray, order: int) -> numpy.ndarray:
    """g on a tensor power."""
    return reduce(numpy.kron, [g] * order, numpy.eye(1))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_the_span_is_the_whole_commutant(size: int) -> None:
    """The tensors that cycles of three keep, which generate the group: as many as are counted, diagrams among them."""
    cycles = [[*range(at), at + 1, at + 2, at, *range(at + 3, size)] for at in range(size - 2)] or [list(range(size))]
    for m in (m for m in range(10) if size**m <= 1000):
        moved = [act(numpy.eye(size)[q], m) - numpy.eye(size**m) for q in cycles]
        values = numpy.linalg.eigvalsh(sum(one.T @ one for one in moved))
        assert {int((values < 1e-8).sum())} == {A.dim(k, m - k, size) for k in range(m + 1)}
        found = [f.diagram().array({}) for f in hom((wire(size),) * (m // 2), (wire(size),) * (m - m // 2))]
        assert len(found) == A.dim(0, m, size)
        for q in cycles:
            moves = numpy.ix_(*[q] * m) if m else ()
            assert all(numpy.array_equal(tensor[moves], tensor) for tensor in found)


@pytest.mark.parametrize("size", [2, 3, 4])
def test_even_permutations_commute_and_odd_ones_do_not(size: int) -> None:
    space = wire(size)
    odd = numpy.eye(size)[[1, 0, *range(2, size)]]
    for seed, (k, l) in enumerate(product(range(4), repeat=2)):
        g = A.random_element(size, seed)
        assert numpy.isclose(numpy.linalg.det(g), 1)
        for d in (f.diagram() for f in hom((space,) * k, (space,) * l)):
            matrix = d.matrix()
            assert numpy.array_equal(act(g, l) @ matrix, matrix @ act(g, k))
            assert numpy.array_equal(act(odd, l) @ matrix, matrix @ act(odd, k)) == (not d.jellyfish)


def test_random_elements_are_all_of_the_even_permutations() -> None:
    found = {tuple(A.random_element(4, seed).argmax(1)) for seed in range(300)}
    assert found == {q for q in permutations(range(4)) if sign(q) > 0}


def test_products_of_spaces() -> None:
    """A jellyfish in each of two spaces, in one of them alone, and beside permuted and rotated wires."""
    pick = random.Random(5)
    a, b, s = wire(2, "A"), wire(3, "B"), Wire("S", Group("S", 2))
    r = Wire("R", Group("SO", 3))
    signs: set[tuple[str, ...]] = set()
    for source, target in (((a, b, a), (b, b)), ((b, a, b), (b, a)), ((s, b), (b, s, b)), ((b, r, r), (r, b))):
        found = [f.diagram() for f in hom(source, target)]
        assert len(found) == len(set(found)) == dimension(source, target) == rank(found)
        assert all(factors(d).diagram() == d for d in found)
        groups, type_ = (
            {w.space: str(w.group) for w in source + target},
            " -> ".join(" @ ".join(w.space for w in side) for side in (source, target)),
        )
        for d in pick.sample(found, min(12, len(found))):
            assert catnn.diagram(groups, str(d), type_) == d == eval(repr(d), {"catnn": catnn})
            signs.add(d.jellyfish)
            for e in pick.sample(found, min(6, len(found))):
                composed = compose(d.dagger(), e)
                assert numpy.array_equal(composed.matrix(), d.matrix().T @ e.matrix())
    assert signs == {(), ("A",), ("B",), ("A", "B")}


# ------------------------------------------------------------------------------------------------------ what it is


def test_known_tensors() -> None:
    assert catnn.diagram("A(2)", "sgn[i -> j]").matrix().tolist() == [[0, 1], [-1, 0]]
    assert catnn.diagram("A(2)", "sgn[i -> i]").matrix().tolist() == [[1, 0], [0, -1]]
    cross = catnn.diagram("SO(3)", "i j -> k")
    assert numpy.array_equal(catnn.diagram("A(3)", "sgn[i j -> k]").matrix(), cross.matrix())
    assert catnn.diagram("A(3)", "sgn[i j -> ]").matrix().tolist() == [[0, 1, -1, -1, 0, 1, 1, -1, 0]]
    assert catnn.diagram("A(4)", "sgn[i j k -> k k i]").free == (0, 2, 4)
    assert catnn.diagram("A(4)", "i j k -> k k i").free == ()
    assert catnn.diagram("A(3)", "i j -> k") != catnn.diagram("A(3)", "sgn[i j -> k]")


def test_diagrams_come_back() -> None:
    for group, text in (("A(3)", "sgn[i i j -> k]"), ("A(4)", "sgn[i j j k -> k i]"), ("A(2)", "sgn[-> i i]")):
        d = catnn.diagram(group, text)
        assert str(d) == text
        assert d.jellyfish == ("V",)
        assert eval(repr(d), {"catnn": catnn}) == d == pickle.loads(pickle.dumps(d))
        assert from_json(d.to_json()) == d == from_networkx(d.to_networkx()) == from_graphml(d.to_graphml())
        plain = catnn.diagram(group, text.removeprefix("sgn"))
        assert d != plain
        assert len({d, plain}) == 2
        assert all((d.to_svg(), d.to_text(), d.to_tikz(), d.to_dot(), d.to_html()))
        assert d.to_svg() != plain.to_svg()
        assert d.to_text() != plain.to_text()
        assert d.to_dot() != plain.to_dot()
        assert d.to_tikz() != plain.to_tikz()
    whole = catnn.diagram("A(3)", "sgn[i j -> k]") + 2 * catnn.diagram("A(3)", "i j -> k")
    assert from_json(whole.to_json()) == whole


def test_a_broken_graph_is_refused() -> None:
    graph = catnn.diagram("A(3)", "sgn[i j -> k]").to_networkx()
    graph.remove_edge(("jellyfish", 0), ("block", 1))
    with pytest.raises(ValueError, match="a leg in each block"):
        from_networkx(graph)
    text = catnn.diagram("A(3)", "sgn[i j -> k]").to_json()
    with pytest.raises(ValueError, match="list of names"):
        from_json(text.replace('"jellyfish": ["V"]', '"jellyfish": "V"'))


def test_the_text_of_a_jellyfish() -> None:
    """The head is at its uppermost leg; a dot behind it is a summed one."""
    drawn = catnn.diagram("A(3)", "sgn[i j -> i]").to_text()
    assert [line.rstrip() for line in drawn.splitlines()] == ["i", "├──────◆─●", "│   ╭──╯", "i   j"]


REFUSED = {
    "sgn[i j k m -> ]": "E0406",
    "sgn[i -> i]": "E0406",
    "[i j -> k": "E0011",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_jellyfish(text: str) -> None:
    with pytest.raises(CatnnError) as caught:
        catnn.diagram("A(3)", text)
    assert [fault.code for fault in caught.value.diagnostics] == [REFUSED[text]]


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ("space V : A(n)", "E0203"),
        ("space V : A(0)", "E0202"),
        ("space V : A(1)  let f : V -> 1 = sgn[i -> ]", "E0406"),
        ("space V : S(3)  let f : V^2 -> V = sgn[i j -> k]", "E0404"),
        ("space V : A(3)  space W : S(n)  let f : V^2 @ W -> V = sgn[W][i j a -> k]", "E0404"),
        ("space V : A(3)  let f : V^2 -> V = sgn[U][i j -> k]", "E0101"),
        ("space V : A(3)  let f : V^2 -> V = sgn[][i j -> k]", "E0010"),
        ("space V : A(3)  check [i j -> k] = sgn[i j -> k]", "E0701"),
        ("space V : A(3)  layer f : V^2 -> V = span { sgn[i j -> k], sgn[i j -> k] }", "E0606"),
    ],
)
def test_errors(spec: str, code: str) -> None:
    with pytest.raises(CatnnError) as caught:
        catnn.parse(spec)
    assert [fault.code for fault in caught.value.diagnostics] == [code]


def test_a_diagram_knows_where_jellyfish_may_be() -> None:
    space, other = wire(3), Wire("N", Group("S", 3))
    for signed, wires in ((("N",), (space, other)), (("W",), (space,)), (("V", "V"), (space,) * 3)):
        with pytest.raises(CatnnError):
            Diagram(wires, (), tuple((v,) for v in range(len(wires))), signed)
    assert A.part_fault(Part(1, 0, ((0,),), signed=True), 3) == "a jellyfish has 3 letters or 2, not 1"


CHECKS = """
space V : A(3)
let area : V^2 -> 1 = sgn[i j -> ]
check eps = sgn[-> i j k]
check eps ; swap @ id = -eps
check eps ; discard @ id @ id = sgn[-> i j]
check eps ; merge @ id = 0 * [-> i j]
check eps' = sgn[i j k ->]
check swap ; area = -area
check area' ; area = 6
check sgn[i -> j k]' = sgn[i j -> k] : V^2 -> V
check sgn[i -> i j]' = sgn[i j -> i] : V^2 -> V
check sgn[i j -> i]' ; sgn[i j -> i] = 2 * id
check eps' ; eps = [i j k -> i j k] + [i j k -> j k i] + [i j k -> k i j]
    - [i j k -> j i k] - [i j k -> i k j] - [i j k -> k j i]
"""


def test_checks_are_proved() -> None:
    assert len(catnn.parse(CHECKS).checks) == 11
