"""Symmetric powers for S(n): as many weights as there are equivariant maps, and tensors that are stored packed."""

from __future__ import annotations

from itertools import combinations_with_replacement, permutations, product
from math import comb

import pytest
import torch

import catnn
from catnn.category.halves import hom
from catnn.category.symmetric import canonical, count_orbits, is_symmetric, orbits
from catnn.category.wires import Group, Summand, Wire
from catnn.plan.build import plan_layer
from catnn.plan.lower import lowered
from catnn.testing import run as checks
from catnn.testing.dense import definition
from catnn.testing.samples import call, inputs, module_of
from catnn.testing.storage import closed, opened
from tests import nullspace
from tests.nullspace import dimension, power, symmetric_power, times

STABLE = {(1, 1): 2, (2, 1): 4, (2, 2): 9, (3, 2): 16, (3, 3): 31, (4, 4): 109}
"""mathematics.md, section 8."""

SPACES = "space V : S(n)  space W : S(m)  space R : O(3)  space T : S(2)  space F : 4\n"
LAYERS = {
    "in": "layer f : Sym^2(V)[2] -> V[3] = all + bias",
    "out": "layer f : V[2] -> Sym^2(V)[3] = all + bias",
    "both": "layer f : Sym^2(V)[2] -> Sym^2(V)[3] = all + bias",
    "order three": "layer f : Sym^3(V)[1] -> Sym^3(V)[2] = all + bias",
    "mixed": "layer f : Sym^2(V) @ V[2] -> V @ Sym^2(V)[2] = all + bias",
    "two": "layer f : Sym^2(V) @ Sym^2(V)[1] -> Sym^2(V)[2] = all",
    "two spaces": "layer f : W @ Sym^2(V)[2] -> Sym^2(W) @ V[1] = all + bias",
    "rotations": "layer f : R @ Sym^2(V) @ R[1] -> Sym^2(V)[2] = all + bias",
    "plain": "layer f : F @ Sym^2(V)[2] -> Sym^2(V) @ F @ V[1] = all + bias",
    "plain and fixed": "layer f : F @ Sym^2(V)[2] -> F @ Sym^2(V)[2] = all + id + [f i j -> g i j]",
    "literal": "layer f : Sym^2(T)[2] -> Sym^3(T)[2] = all + bias",
    "mean": "layer f : Sym^2(V)[2] -> Sym^2(V)[2] = all + bias { reduce: mean }",
    "sums": "layer f : Sym^2(V)[2] + V[1] + V^2[1] -> Sym^2(V)[1] + V^2[2] + 1[2] = all + bias",
    "invariant": "layer f : Sym^2(V)[2] -> 1[3] = all + bias",
    "made of nothing": "layer f : 1[2] -> Sym^2(V)[3] = all + bias",
    "residual": "layer f : Sym^2(V)[2] -> Sym^2(V)[2] = all + id",
    "span": "layer f : Sym^2(V)[2] -> Sym^2(V)[3] = span { id, [i j -> i k] + [i j -> k i], [i i -> i i] }",
    "packed": "layer f : V^2[2] -> Sym^2(V)[2] = [i j -> i j] + [i j -> j i]",
    "unpacked": "layer f : Sym^2(V)[2] -> V^2[2] = id",
    "network": "layer u : V[2] -> Sym^2(V)[2] = all + bias  layer e : Sym^2(V)[2] -> Sym^2(V)[2] = all + bias  "
               "layer d : Sym^2(V)[2] -> V[1] = all  "
               "network f : V[2] -> V[1] = u ; sigmoid ; (e + (1/n) * id) ; gate ; cos ; d",
    "network of packed": "layer e : Sym^2(V)[2] -> Sym^2(V)[2] = all + bias  "
                         "network f : Sym^2(V)[2] -> Sym^2(V)[2] = exp ; ((1/n) * e + id) ; norm_relu ; e",
    "a fixed stage": "layer u : V -> Sym^2(V) = all  network f : V -> V = u ; [i j -> i]",
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_what_catnn_test_checks(name: str) -> None:
    """The definition, groups, gradients, masks, copies, export; and the explanation is written."""
    spec = catnn.parse(SPACES + LAYERS[name])
    found = list(checks(spec, only=("dense match", "equivariance", "gradients", "mask", "copies")))
    assert [result for result in found if not result.ok] == []
    for layer in spec.layers.values():
        assert str(catnn.explain(layer))


def test_fixed_terms_are_symmetric_together() -> None:
    """Each of two terms may lead elsewhere, as long as their sum does not."""
    layer = catnn.parse(SPACES + LAYERS["packed"])["f"]
    x = torch.randn(4, 4, 2)
    place = torch.triu_indices(4, 4)
    torch.testing.assert_close(catnn.compile(layer)(x), (x + x.transpose(0, 1))[place[0], place[1]])


def test_export() -> None:
    found = list(checks(catnn.parse(SPACES + LAYERS["both"]), only=("export",)))
    assert [result.status for result in found] == ["ok"]


def test_the_gradient_of_every_weight_is_that_of_the_definition() -> None:
    layer, sizes = catnn.parse(SPACES + LAYERS["mixed"])["f"], {"n": 3}
    module = module_of(layer, sizes)
    xs = tuple(x.requires_grad_() for x in inputs(layer, sizes, (2,)))
    values = (*xs, *module.parameters())
    ours = torch.autograd.grad(call(module, xs)[0].cos().sum(), values)
    theirs = torch.autograd.grad(definition(layer, module, xs, sizes)[0].cos().sum(), values)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other)


# ----------------------------------------------------------------------------------------------------------- counting


def summand(wire: Wire, *powers: int) -> Summand:
    """A tensor product of symmetric powers of one wire."""
    starts = [sum(powers[:at]) for at in range(len(powers))]
    return Summand((wire,) * sum(powers), 1, tuple((s, p) for s, p in zip(starts, powers, strict=True) if p > 1))


@pytest.mark.parametrize(("k", "l"), STABLE)
def test_the_table(k: int, l: int) -> None:
    """Either way round, counted and enumerated."""
    assert catnn.dim("S(n)", f"Sym^{k}(V)", f"Sym^{l}(V)") == STABLE[k, l]
    assert catnn.dim("S(n)", f"Sym^{l}(V)", f"Sym^{k}(V)") == STABLE[k, l]
    V = Wire("V", Group("S", "n"))
    source, target = summand(V, k), summand(V, l)
    assert len(orbits((f.diagram() for f in hom(source.word, target.word)), source, target)) == STABLE[k, l]


CASES = [
    ((2,), (2,)), ((2,), (1,)), ((2,), ()), ((3,), (2,)), ((3,), (1,)), ((2, 1), (1,)), ((2, 1), (2,)), ((1,), (2, 1)),
    ((2, 2), ()), ((), (2, 2)), ((1, 1), (2,)), ((4,), (1,)),
]  # fmt: skip


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize(("source", "target"), CASES)
def test_as_many_weights_as_the_nullspace(source: tuple[int, ...], target: tuple[int, ...], n: int) -> None:
    """At every literal size, and from the size of the order on where it is a name; and they are independent."""
    sides = []
    for powers in (source, target):
        found = power(nullspace.permutations(n), 0)
        for k in powers:
            found = times(found, symmetric_power(nullspace.permutations(n), k))
        sides.append(found)
    wanted = dimension(*sides)
    texts = [" @ ".join(f"Sym^{k}(V)" if k > 1 else "V" for k in powers) or "1" for powers in (source, target)]
    words = [text.replace(" @ ", " ") if text != "1" else 0 for text in texts]
    layer = catnn.parse(f"space V : S({n})  layer f : {texts[0]} -> {texts[1]} = all")["f"]
    assert len(layer.diagrams) == catnn.dim(f"S({n})", *words) == wanted
    if n >= sum(source + target):
        assert catnn.dim("S(n)", *words) == wanted
    module = module_of(layer, {})
    maps = []
    eye = torch.eye(nullspace.size(sides[0]), dtype=torch.float64)
    lengths = [comb(n + k - 1, k) for k in source]
    with torch.no_grad():
        for at in range(wanted):
            module.weight.zero_()
            module.weight[at] = 1
            maps.append(module(eye.reshape(-1, *lengths, 1)).flatten())
    assert int(torch.linalg.matrix_rank(torch.stack(maps))) == wanted


def test_orbits_are_those_of_all_permutations() -> None:
    """The dumb way: permute the symmetric ports of every diagram in every way."""
    V = Wire("V", Group("S", "n"))
    for k, l in product(range(4), range(4)):
        source, target = summand(V, *([k] if k else [])), summand(V, *([l] if l else []))
        diagrams = [found.diagram() for found in hom(source.word, target.word)]
        seen: set[frozenset[object]] = set()
        for diagram in diagrams:
            orbit = set()
            for up, down in product(permutations(range(l)), permutations(range(k))):
                image = (*up, *(l + v for v in down))
                orbit.add(tuple(sorted(tuple(sorted(image[v] for v in block)) for block in diagram.parts)))
            seen.add(frozenset(orbit))
        assert len(orbits(diagrams, source, target)) == len(seen) == count_orbits((k, l), None), (k, l)


def test_sums_of_orbits_are_symmetric_and_in_their_form() -> None:
    V = Wire("V", Group("S", "n"))
    source, target = summand(V, 2, 1), summand(V, 1, 2)
    for value in orbits((f.diagram() for f in hom(source.word, target.word)), source, target):
        assert canonical(value, source) == value
        assert is_symmetric(value, source, target)
    assert not is_symmetric(catnn.diagram("S(n)", "i j k -> i j k"), source, target)


# ------------------------------------------------------------------------------------------------------------ storing


@pytest.mark.parametrize(("n", "k"), [(1, 2), (2, 2), (3, 2), (5, 2), (2, 3), (3, 3), (4, 3), (3, 4)])
def test_the_order_of_the_entries(n: int, k: int) -> None:
    """x_J with J nondecreasing, lexicographically: unpacking is a look-up, and packing its inverse."""
    spec = catnn.parse(f"space V : S(n)  layer f : Sym^{k}(V) -> V^{k} = id  layer g : Sym^{k}(V) -> Sym^{k}(V) = id")
    index = list(combinations_with_replacement(range(n), k))
    x = torch.arange(len(index), dtype=torch.float32).unsqueeze(-1)
    y = catnn.compile(spec["f"])(x)
    for J in product(range(n), repeat=k):
        assert int(y[(*J, 0)]) == index.index(tuple(sorted(J)))
    assert torch.equal(catnn.compile(spec["g"])(x), x)
    side = spec["f"].source.summands[0]
    assert torch.equal(opened(x, side, {"n": n}), y)
    assert torch.equal(closed(y, side, {"n": n}), x)


def test_a_symmetric_layer_is_a_part_of_the_whole_one() -> None:
    """With the weights of the orbits, V^2 -> V^2 does to symmetric matrices what Sym^2(V) -> Sym^2(V) does."""
    spec = catnn.parse("space V : S(n)  layer f : Sym^2(V)[2] -> Sym^2(V)[3] = all  layer g : V^2[2] -> V^2[3] = all")
    f, g = (module_of(spec[name], {"n": 4}) for name in "fg")
    place = {diagram: at for at, diagram in enumerate(spec["g"].diagrams)}
    with torch.no_grad():
        g.weight.zero_()
        for at, orbit in enumerate(spec["f"].diagrams):
            for _, diagram in orbit.weighted:
                g.weight[place[diagram]] = f.weight[at]
    side = spec["f"].source.summands[0]
    x = inputs(spec["f"], {"n": 4}, (5,))[0]
    y = g(opened(x, side, {"n": 4}))
    torch.testing.assert_close(y, y.transpose(1, 2))
    torch.testing.assert_close(closed(y, side, {"n": 4}), f(x))


def test_fewer_reductions_than_of_the_whole_power() -> None:
    """On a symmetric tensor rows and columns are one: 10 reductions instead of 21."""
    spec = catnn.parse("space V : S(n)  layer f : Sym^3(V) -> V = all  layer g : V^3 -> V = all")
    counts = [len(plan_layer(part.layer).reads[0]) for layer in spec.layers.values() for part in lowered(layer)]
    assert counts == [10, 21]
    assert [str(value) for value in spec["f"].diagrams] == [
        "[i i i -> j]", "[i i j -> k]", "[i j k -> l]", "[i i i -> i]", "[i i j -> i]", "[i j j -> i]", "[i j k -> i]",
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------------- types and messages


def test_types_print_as_they_were_written() -> None:
    spec = catnn.parse(SPACES + "layer f : W @ Sym^2(V) @ V^2[3] -> Sym^2(V) @ Sym^3(V) + Sym^1(V) + Sym^0(V) = all")
    assert f"{spec['f'].source} -> {spec['f'].target}" == "W @ Sym^2(V) @ V^2[3] -> Sym^2(V) @ Sym^3(V) + V + 1"


def test_a_packed_tensor_is_another_type() -> None:
    with pytest.raises(catnn.CatnnError, match="E0301") as caught:
        catnn.parse(
            "space V : S(n)  layer f : V -> V^2 = all  layer g : Sym^2(V) -> V = all  network h : V -> V = f ; g"
        )
    assert "insert `layer lift : V^2 -> Sym^2(V) = all`" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("layer f : Sym^2(R) -> 1 = all", "symmetric powers are for S(n), and `R` is a space of O(3)"),
        ("layer f : Sym^2(F) -> 1 = all", "symmetric powers are for S(n), and `F` is a space of 4"),
        ("let f : Sym^2(V) -> 1 = merge ; discard", "is written without symmetric powers"),
        ("check id[Sym^2(V)] = id", "is written without symmetric powers"),
        ("layer f : V -> Sym^2(V) = span { [i -> i j] }", "does not lead to symmetric tensors"),
        ("layer f : V^2 -> Sym^2(V) = all + id", "does not lead to symmetric tensors"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(catnn.CatnnError, match="E0902") as caught:
        catnn.parse(SPACES + text)
    assert message in str(caught.value)


def test_one_weight_on_what_is_one_map() -> None:
    """Rows and columns of a symmetric matrix are one, and their difference is zero."""
    with pytest.raises(catnn.CatnnError, match="E0606"):
        catnn.parse("space V : S(n)  layer f : Sym^2(V) -> V = span { [i j -> i], [i j -> j] }")
    with pytest.raises(catnn.CatnnError, match="E0607"):
        catnn.parse("space V : S(n)  layer f : Sym^2(V) -> V = span { [i j -> i] - [i j -> j] }")


def test_wrong_input() -> None:
    module = catnn.compile(catnn.parse(SPACES + LAYERS["in"])["f"])
    with pytest.raises(ValueError, match="an axis has length 5, which is that of no symmetric power of order 2"):
        module(torch.zeros(3, 5, 2))
    with pytest.raises(ValueError, match="the last axis has 3 channels"):
        module(torch.zeros(3, 6, 3))


def test_dimensions_of_words() -> None:
    assert catnn.dim("S(n)", "Sym^2(V) V", 1) == catnn.dim("S(n)", 0, "V V Sym^2(V)") == 11
    with pytest.raises(catnn.CatnnError, match="E0902"):
        catnn.dim("O(3)", "Sym^2(V)", 1)
    with pytest.raises(catnn.CatnnError, match="E1001"):
        catnn.dim("S(n)", "Sym^2(W)", 1)
    with pytest.raises(catnn.CatnnError, match="E1007"):
        catnn.dim("S(n)", "Sym^200(V)", "Sym^200(V)")


WORDS = {
    "two": ("Sym^2(V)", "V^2"),
    "three": ("Sym^3(V)", "V^3"),
    "mixed": ("W @ Sym^2(V) @ R", "W @ V^2 @ R"),
    "both": ("Sym^2(V) @ Sym^2(W)", "V^2 @ W^2"),
    "metric": ("L @ Sym^2(V)", "L @ V^2"),
}


@pytest.mark.parametrize("function", ["gate", "norm_relu"])
@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("n", [1, 2, 3])
def test_norms_are_those_of_the_whole_tensor(function: str, word: str, n: int) -> None:
    """An entry off the diagonal counts as often as it is in the unpacked tensor; with masks, in the real part of it."""
    if (function, word) == ("norm_relu", "metric"):
        return
    packed, whole = WORDS[word]
    text = "space V : S(n)  space W : S(m)  space R : O(3)  space L : O(1,2)\n"
    spec = catnn.parse(text + f"network f : {packed}[2] -> {packed}[2] = {function}\n"
                       f"network g : {whole}[2] -> {whole}[2] = {function}")  # fmt: skip
    sizes = {"n": n, "m": 2}
    ones, others = (catnn.compile(spec[name], dtype=torch.float64) for name in "fg")
    (x,) = inputs(spec["f"], sizes, (4,), 3)
    x = (3 * x).requires_grad_()
    (summand,) = spec["f"].source.summands
    rows = ([True] * n, [True] * (n - 1) + [n == 1], [i == 0 for i in range(n)], [i == n - 1 for i in range(n)])
    real = torch.tensor(rows)
    for mask in (None, {"V": real}):
        y = opened(ones(x, mask=mask), summand, sizes)
        z = others(opened(x, summand, sizes), mask=mask)
        keep = torch.ones_like(z) if mask is None else _kept(whole, real, z)
        torch.testing.assert_close(y * keep, z * keep)
        sums = [(v * keep).sin().sum() for v in (y, z)]
        torch.testing.assert_close(*(torch.autograd.grad(v, x, retain_graph=True) for v in sums))


def _kept(word: str, real: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """1 where no axis of V is padding."""
    kept = torch.ones_like(like)
    names = [piece.partition("^") for piece in word.split(" @ ")]
    spaces = [name for name, _, power in names for _ in range(int(power or 1))]
    for axis, space in enumerate(spaces, 1):
        if space == "V":
            kept = kept * real.reshape(4, *(1,) * (axis - 1), -1, *(1,) * (like.dim() - axis - 1))
    return kept


NETWORKS = catnn.parse("""
    space V : S(n)
    space D : 4
    layer mix : Sym^2(V) -> Sym^2(V) = all + bias
    layer f : V^2 -> V^2 = all
    network inner : Sym^2(V) -> Sym^2(V) = mix ; tanh
    network hop(a: Sym^2(V), x: V @ D) -> V @ D { return tanh([i j, j d -> i d](a, x)) + tanh([j i, j d -> i d](a, x)) }
    network both(a: Sym^2(V), b: Sym^2(V)) -> V^2 {
      return [i j, j k -> i k](inner(a), b) + [j i, k j -> i k](inner(a), b) }
    network wide(a: Sym^3(V)[2], x: V[2]) -> V[2], V^3[2] {
      return [i j k, j, k -> i](a, x, x) + [j k i, j, k -> i](a, x, x), [i j k -> k j i](a) }
    network back(a: Sym^2(V)) -> Sym^2(V), 1 { b = relu(mix(a)) + 2 * a; return gate(b), [i j, j i -> ](b, a) }
    network trace(a: Sym^2(V)) -> 1 { return [i i -> ](a) + [i j, j i -> ](a, a) + [i j, i j -> ](a, a) }
    network whole(a: Sym^2(V)) -> V^2 { return f([i j -> i j](a)) }
""")


@pytest.mark.parametrize("name", NETWORKS.networks)
def test_networks_take_symmetric_inputs(name: str) -> None:
    only = ("equivariance", "gradients", "mask", "copies")
    assert [result for result in checks(NETWORKS, [name], only=only) if not result.ok] == []


def test_equal_up_to_a_symmetry_of_an_input_is_computed_once() -> None:
    """The products, and the functions of them; the numbers are those of the whole tensor."""
    for name, products, functions in (("hop", 1, 1), ("both", 1, 0), ("wide", 0, 0), ("trace", 0, 0)):
        module = catnn.compile(NETWORKS[name], dtype=torch.float64)
        forward = module.source[module.source.rindex("    def forward(self") :]
        assert (forward.count(" @ x") + forward.count(" @ z"), forward.count("torch.tanh(")) == (products, functions)
        made = [not product.again for work in catnn.explain(NETWORKS[name]).works for product in work.products]
        assert sum(made) == {"wide": 2, "trace": 2}.get(name, 1)
    a = torch.randn(3, 4, 4, dtype=torch.float64)
    a, x = a + a.transpose(1, 2), torch.randn(3, 4, 4, 1, dtype=torch.float64)
    rows, columns = torch.triu_indices(4, 4)
    packed = a[:, rows, columns].unsqueeze(-1)
    y = catnn.compile(NETWORKS["hop"], dtype=torch.float64)(packed, x)
    torch.testing.assert_close(y[..., 0], 2 * (a @ x[..., 0]).tanh())


def test_what_comes_back_packed_stays_packed() -> None:
    module = catnn.compile(NETWORKS["back"], dtype=torch.float64)
    forward = module.source[module.source.rindex("    def forward(self") :]
    assert forward.count("_opened(self") == 1  # what `mix` gives; that of `gate` is returned as it is
    a = torch.randn(2, 10, 1, dtype=torch.float64)
    b = torch.relu(module.mix(a)) + 2 * a
    often = torch.tensor([1 if i == j else 2 for i in range(4) for j in range(i, 4)]).unsqueeze(-1)
    gated = b * torch.sigmoid((b * b * often).sum(1, keepdim=True) / 16)
    found = module(a)
    torch.testing.assert_close(found[0], gated)
    torch.testing.assert_close(found[1], (a * b * often).sum(1))
    with pytest.raises(ValueError, match="no symmetric power"):
        module(torch.randn(2, 11, 1, dtype=torch.float64))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("return softmax[0](a)", "E0317"),
        ("return a + x", "E0302"),
        ("return [i j -> i j](a)", "E0303"),
        ("return [i j k -> i j k](a, x)", "E0311"),
        ("return g(a)", "E0317"),
    ],
)
def test_what_symmetric_inputs_do_not_do(body: str, code: str) -> None:
    text = 'space V : S(n) box g : V^2 -> V^2 = pointwise "erf" network f(a: Sym^2(V), x: V^2) -> Sym^2(V) '
    with pytest.raises(catnn.CatnnError) as error:
        catnn.parse(f"{text} {{ {body} }}")
    assert code in {fault.code for fault in error.value.diagnostics}
