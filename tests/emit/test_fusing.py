"""Layers one after the other that run as one: the numbers, gradients and weights of each by itself."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import catnn
from catnn.compiler import generate
from catnn.emit.sharing import sharing
from catnn.native import fusing as native
from catnn.plan import chains
from catnn.plan.chains import Chain, Unit, chained
from catnn.plan.cost import BATCH
from catnn.plan.fusing import Fused, fused
from catnn.plan.fusing_cost import products
from catnn.plan.prove import UnsoundPlanError, prove
from catnn.plan.prove_fused import prove_fused
from catnn.plan.rates import DEFAULT
from tests.emit.definition import DOUBLE, Definition, inputs, randomise
from tests.emit.test_sharing import alone, calls, outcome, same

SPEC = """
space V : S(n)
space W : S(d)
space R : O(3)
space Q : SO(3)
space A : A(3)
space H : H(n)
space P : Sp(n)
space T : S(2)
space F : 4
space C : Perm(4, (0 1 2 3))
layer f : V^2[3] -> V^2[3] = all + bias
layer g : V^2[3] -> V[2] = all + bias
layer u : V[2] -> V^2[3] = all + bias
layer m : V^2[3] -> V[2] = all + bias { reduce: mean }
layer mm : V[2] -> V^2[3] = all + bias { reduce: mean }
layer k : V^2[3] + V[2] -> V[2] = all + bias
layer l : V^2[3] -> V^2[3] + V[2] = all + bias
layer ll : V^2[3] + V[2] -> V^2[3] + V[2] = all + bias
layer s : V^2[3] -> V^2[3] = span { [i j -> j i], [i j -> i k] + [i j -> k k] } + (1/n) * [i j -> i i] + bias
layer q : Q^2[3] -> Q[3] = all
layer q2 : Q[3] -> Q^2[3] = all
layer q3 : Q[3] -> Q^3[3] = all
layer q4 : Q^3[3] -> Q[3] = all + bias
layer a : A^2[3] -> A^2[3] = all
layer a1 : A^2[3] -> A[3] = all + bias
layer h : H^2[3] -> H^2[3] = all + bias
layer h4 : H^4[2] -> H^4[2] = all + bias
layer h2 : H^4[2] -> H^2[2] = all + bias
layer p : P^2[3] -> P^2[3] = all + bias
layer t : T^2[3] -> T^2[3] = all + bias
layer vr : V @ R[2] -> V @ R[2] = all
layer vr2 : V @ R[2] -> V @ R^3[2] = all
layer vr3 : V @ R^3[2] -> V @ R[2] = all
layer vw : V @ W[2] -> V @ W[3] = all + bias { reduce: mean }
layer vw2 : V @ W[3] -> V[3] = all + bias
layer w : V[2] -> W[2] = all
layer w2 : W[2] -> V[2] = all
layer o : V^2[3] -> 1[2] = all
layer o2 : 1[2] -> V[2] = all
layer vf : V @ F[2] -> V @ F[2] = all
layer sy : Sym^2(V)[2] -> V[2] = all
layer sy2 : V[2] -> V[2] = all
layer c : C[2] -> C[2] = all
let flip : V^2 -> V^2 = [i j -> j i]
network pool : V^2[3] -> V[2] = f ; g
network shared : V^2[3] -> V^2[3] = f ; f
network four : V^2[3] -> V^2[3] = f ; (f ; f) ; f
network narrow : V^2[3] -> V^2[3] = m ; u
network means : V^2[3] -> V^2[3] = m ; mm
network sums : V^2[3] -> V[2] = l ; k
network more : V^2[3] -> V[2] = l ; ll ; k
network fixed : V^2[3] -> V^2[3] = s ; s
network long : V^2[3] -> V[2] = s ; f ; s ; g
network cross : Q^2[3] -> Q^2[3] = q ; q2
network up : Q[3] -> Q[3] = q3 ; q4
network jelly : A^2[3] -> A[3] = a ; a1
network signs : H^2[3] -> H^2[3] = h ; h
network loops : P^2[3] -> P^2[3] = p ; p
network few : T^2[3] -> T^2[3] = t ; t
network two : V @ R[2] -> V @ R[2] = vr ; vr2 ; vr3
network wide : V @ W[2] -> V[3] = vw ; vw2
network mixed : V^2[3] -> V^2[3] = (f ; s) + (relu ; m ; mm) + id
network around : V^2[3] -> V[2] = f ; flip ; f ; g
network named(x: V^2[3]) -> V[2] { y = f(x)
  z = g(y)
  return z }
network several(x: V^2[3], z: V[2]) -> V[2], V[2] { y = g(f(x))
  return relu(y), k(ll(x, z)) }
network read(x: V^2[3]) -> V[2], V^2[3] { y = f(x)
  return g(y), y }
network again(x: V^2[3]) -> V[2], V[2] { return g(f(x)), m(f(x)) }
network stopped : V^2[3] -> V[2] = f ; relu ; g
"""
RUNS = {
    "pool": 1, "shared": 1, "four": 1, "narrow": 1, "means": 1, "sums": 1, "more": 1, "fixed": 1, "long": 1, "cross": 1,
    "up": 1, "jelly": 1, "signs": 1, "loops": 1, "few": 1, "two": 1, "wide": 1, "mixed": 2, "named": 1, "several": 2,
    "around": 1,
}  # fmt: skip
"""How many runs of layers become one in a call."""

PARSED = catnn.parse(SPEC)
UNITARY = catnn.parse(
    """space V : U(n)
    layer f : V @ V'[2] -> V @ V'[3] = all + bias
    layer g : V @ V'[3] -> V @ V'[2] = all + bias
    network net : V @ V'[2] -> V @ V'[2] = f ; g"""
)


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever can be one layer is one, and at every size."""
    monkeypatch.setattr(chains, "MARGIN", 0)


def made(item: Any) -> tuple[Any, tuple[Tensor, ...]]:
    module = randomise(catnn.compile(item, dtype=DOUBLE))
    for one in module._together:
        if hasattr(one, "pays"):
            one.pays = lambda x: True
    return module, inputs(item, {"n": 4, "d": 3}, (2,))


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("name", RUNS)
def test_as_one_is_one_by_one(name: str) -> None:
    item = copy.copy(PARSED[name])  # what was compiled before was so with the margin
    module, xs = made(item)
    count, other = calls(module), alone(module)
    same(outcome(module, xs), outcome(other, xs))
    assert len(count) == RUNS[name]


@pytest.mark.usefixtures("always")
def test_complex_layers() -> None:
    module, xs = made(UNITARY["net"])
    count, other = calls(module), alone(module)

    def real(module: nn.Module) -> list[Tensor]:
        x = xs[0].clone().requires_grad_()
        y = module(x)
        return [y, *torch.autograd.grad((y * y.conj()).real.sum(), (x, *module.parameters()))]

    same(real(module), real(other))
    assert len(count) == 1


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("name", ["pool", "means", "fixed", "sums", "wide"])
@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_every_size(name: str, n: int) -> None:
    module, _ = made(copy.copy(PARSED[name]))
    xs = inputs(PARSED[name], {"n": n, "d": 2}, ())
    same(outcome(module, xs), outcome(alone(module), xs))


@pytest.mark.parametrize("name", RUNS)
def test_the_constants_are_proved(name: str) -> None:
    """Against the category, and a table in which one of them is another is refused."""
    for found in all_fused(PARSED[name]):
        prove_fused(found)
        prove(found.plan, found.layer)
        for at, meeting in enumerate(found.meetings):
            if meeting.entries:
                (place, scalar), *rest = meeting.entries
                wrong = replace(meeting, entries=((place, scalar + scalar), *rest))
                lost = replace(meeting, entries=tuple(rest))
                for other in (wrong, lost):
                    tables = (*found.meetings[:at], other, *found.meetings[at + 1 :])
                    with pytest.raises(UnsoundPlanError):
                        prove_fused(replace(found, meetings=tables))


def all_fused(network: Any) -> list[Fused]:
    """All pairs of layers of a network that compose."""
    found = []
    for one in network.layers:
        for two in network.layers:
            if one.target == two.source and isinstance(both := fused(one, two), Fused):
                found.append(both)
    return found


SIDES = ("1[2]", "V[2]", "V^2[2]", "V[1] + 1[2]", "V[2] + V[2]", "V^2[1] + V[2]")
TERMS = ("all", "all + bias", "bias", "all { reduce: mean }", "all + bias { reduce: mean }")


@given(
    st.lists(st.sampled_from(SIDES), min_size=3, max_size=3),
    st.lists(st.sampled_from(TERMS), min_size=2, max_size=2),
)
@settings(deadline=None, max_examples=40)
def test_the_composite_of_two_layers_is_their_product(sides: list[str], terms: list[str]) -> None:
    """Weights that are combined by hand, in the composite as dense matrices, beside the two as dense matrices."""
    text = "space V : S(n)\n" + "\n".join(
        f"layer {name} : {source} -> {target} = {term}"
        for name, source, target, term in zip("fg", sides[:2], sides[1:], terms, strict=True)
    )
    spec = catnn.parse(text)
    both = fused(spec["f"], spec["g"])
    if isinstance(both, str):
        assert any(why in both for why in ("has no part", "nothing comes", "tells n"))
        return
    prove_fused(both)
    modules = [randomise(catnn.compile(spec[name], dtype=DOUBLE), at) for at, name in enumerate("fg")]
    sizes = {"n": 3}
    xs = inputs(spec["f"], sizes, (2,))
    one, two = (Definition(spec[name], sizes) for name in "fg")
    made = Weights(both, modules[0], modules[1], sizes)
    for y, meant in zip(Definition(both.layer, sizes)(made, xs), two(modules[1], one(modules[0], xs)), strict=True):
        torch.testing.assert_close(y, meant)


class Weights(nn.Module):
    """The parameters of a composite, combined entry by entry."""

    def __init__(self, found: Fused, earlier: nn.Module, later: nn.Module, sizes: dict[str, int]) -> None:
        super().__init__()
        layer = found.layer
        for o, row in enumerate(layer.weighted):
            for i, pair in enumerate(row):
                self.own(layer.weight_name(o, i), layer.weight_shape(o, i) if pair else None)
            self.own(layer.bias_name(o), layer.bias_shape(o) if layer.biases[o] else None)
        for meeting in found.meetings:
            target = getattr(self, meeting.target)
            for (row, b, a), scalar in meeting.entries:
                up = getattr(later, meeting.later)[b] if meeting.later else None
                low = getattr(earlier, meeting.earlier)[a] if meeting.earlier else None
                value = low if up is None else up if low is None else up @ low
                target[row] += float(scalar.value(sizes)) * value

    def own(self, name: str, shape: tuple[int, ...] | None) -> None:
        setattr(self, name, None if shape is None else torch.zeros(shape, dtype=DOUBLE))


def test_what_stays_two_layers_and_why() -> None:
    why = {
        ("h4", "h2"): "11,873 pairs of diagrams would have to be composed, more than 3,000",
        ("w", "w2"): "no tensor that comes in tells d, which their composites are multiplied with",
        ("vf", "vf"): "`vf` has plain or symmetric axes, which are stored otherwise",
        ("sy", "sy2"): "`sy` has plain or symmetric axes, which are stored otherwise",
        ("c", "c"): "`c` has orbits for diagrams, which are no composites of halves",
    }
    for (one, two), reason in why.items():
        assert fused(PARSED[one], PARSED[two]) == reason
    for name in ("read", "again", "stopped"):
        assert not any(isinstance(one, Chain) for one in sharing(PARSED[name]).found)


def test_three_layers_are_cut_and_combined_where_it_is_cheapest() -> None:
    """V[64] -> V[2] -> V[64] -> V[64]: the narrow place stays, what is behind it is one."""
    spec = catnn.parse(
        "space V : S(n)  layer a : V^2[64] -> V^2[2] = all  layer b : V^2[2] -> V^2[64] = all "
        "layer c : V^2[64] -> V^2[64] = all"
    )
    units = [Unit.of(spec[name]) for name in "abc"]
    found, declined = chained(units)
    assert [(start, [part.name for part in chain.parts]) for start, chain in found.items()] == [(1, ["b", "c"])]
    assert [(one.layers, one.why) for one in declined] == [
        (("a", "b"), "one after the other is predicted to be faster")
    ]


def test_it_is_chosen_by_the_cost() -> None:
    """What is predicted to be slower is not taken, in a file by limits and here by the rates, size by size."""
    (chain,) = (one for one in sharing(PARSED["shared"]).found if isinstance(one, Chain))
    for n, batch in ((2, 1), (4, 4), (16, 16), (32, 64)):
        sizes = {"n": n, BATCH: batch}
        apart, whole = chain.comparison.seconds(sizes, DEFAULT)
        assert chain.comparison.pays(sizes, DEFAULT) == (chains.MARGIN * whole < apart)
    wide = catnn.parse("space V : S(n)  layer f : V^2[32] -> V^2[32] = all  network g : V^2[32] -> V^2[32] = f ; f")
    (chain,) = (one for one in sharing(wide["g"]).found if isinstance(one, Chain))
    pays = native.pays_of(lambda: chain.comparison, chain.plan)
    assert [bool(pays(None, torch.empty(b, n, n, 32))) for n, b in ((0, 4), (4, 0), (4, 4), (32, 64))] == [
        False, False, False, True,
    ]  # fmt: skip
    assert 4 * 4**2 * 32 < chain.least <= 64 * 32**2 * 32
    assert f"    least = {chain.least:_}\n" in generate(wide).text
    narrow = catnn.parse("space V : S(n)  layer f : V^2[64] -> V^2[2] = all  layer g : V^2[2] -> V^2[64] = all "
                         "network h : V^2[64] -> V^2[64] = f ; g")  # fmt: skip
    assert sharing(narrow["h"]).found == []


def test_masks_are_obeyed_layer_by_layer() -> None:
    module, (x,) = made(PARSED["pool"])
    mask = torch.tensor([[True, True, True, False], [True, True, True, True]])
    count, other = calls(module), alone(module)
    same(outcome(module, (x,), mask), outcome(other, (x,), mask))
    assert not count


def test_names_numbers_hooks_and_copies() -> None:
    module, (x,) = made(PARSED["pool"])
    assert list(module.state_dict()) == ["f.weight", "f.bias", "g.weight", "g.bias"]
    count, seen = calls(module), []
    handle = module.f.register_forward_hook(lambda *_: seen.append(1))
    meant = module(x)
    assert (count, seen) == ([], [1])
    handle.remove()
    torch.testing.assert_close(module(x), meant)
    assert count == [1]
    other = pickle.loads(pickle.dumps(catnn.compile(PARSED["pool"], dtype=DOUBLE)))
    other.load_state_dict(module.state_dict())
    torch.testing.assert_close(other(x), meant)
    with torch.no_grad():
        module.f.weight.mul_(2)
    assert not torch.allclose(module(x), meant)
    with pytest.raises(ValueError, match="f: expected"):
        module(x[..., :2])


def test_transforms() -> None:
    module, (x,) = made(PARSED["pool"])
    count, other = calls(module), alone(module)
    torch.testing.assert_close(torch.vmap(module)(x), other(x))
    torch.testing.assert_close(*(torch.func.jvp(one, (x,), (x,))[1] for one in (module, other)))
    parameters = dict(module.named_parameters())
    doubled = {name: 2 * value for name, value in parameters.items()}
    torch.testing.assert_close(*(torch.func.functional_call(one, doubled, (x,)) for one in (module, other)))

    def per_sample(one: nn.Module) -> Any:
        def loss(given: dict[str, Tensor], x: Tensor) -> Tensor:
            return torch.func.functional_call(one, given, (x[None],)).square().sum()  # type: ignore[no-any-return]

        return torch.func.vmap(torch.func.grad(loss), (None, 0))(parameters, x)

    for name, value in per_sample(module).items():
        torch.testing.assert_close(value, per_sample(other)[name])
    assert len(count) == 4
    assert torch.autograd.gradcheck(module, (x[:1, :2, :2].clone().requires_grad_(),))
    assert torch.autograd.gradgradcheck(module, (x[:1, :2, :2].clone().requires_grad_(),))
    with torch.inference_mode():
        inferred = module(x)
    torch.testing.assert_close(inferred, other(x))
    same(outcome(module, (x,)), outcome(other, (x,)))
    before = len(count)
    exported = torch.export.export(module, (x,), strict=False).module()
    assert len(count) == before
    torch.testing.assert_close(exported(x), other(x))


def test_half_precision_and_autocast() -> None:
    module, (x,) = made(PARSED["pool"])
    other = alone(module)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(module.float()(x.float()), other.float()(x.float()), rtol=0.1, atol=0.5)
    half, y = copy.deepcopy(module).to(torch.bfloat16), x.to(torch.bfloat16)
    torch.testing.assert_close(half(y).double(), module.double()(x), rtol=0.1, atol=1.0)


def test_generated_files_are_the_same_numbers() -> None:
    """Without this process's rates: the class of the file, by its own limits."""
    spec = catnn.parse("space V : S(n)  layer f : V^2[4] -> V^2[4] = all  network g : V^2[4] -> V^2[4] = f ; f ; f")
    space: dict[str, Any] = {}
    exec(compile(generate(spec).text, "<generated>", "exec"), space)
    module = randomise(space["G"](n=4))
    count, x = calls(module), torch.randn(16, 16, 16, 4)
    found, meant = module(x), alone(module)(x)
    torch.testing.assert_close(found / meant.std(), meant / meant.std(), rtol=1e-4, atol=1e-4)
    assert count == [1]


def test_the_order_of_products_is_the_cheaper_one() -> None:
    """Both orders of `_combined` are one sum, and each is taken somewhere."""
    from catnn.emit.fused_parts import _combined

    generator = torch.Generator().manual_seed(0)
    for rows, upper, lower, out, middle, in_ in ((15, 52, 52, 3, 4, 5), (15, 5, 5, 3, 4, 5), (2, 1, 1, 1, 1, 1)):
        s, g, f = (
            torch.randn(*shape, generator=generator, dtype=DOUBLE)
            for shape in ((rows, upper, lower), (upper, out, middle), (lower, middle, in_))
        )
        torch.testing.assert_close(_combined(s, g, f), torch.einsum("dba,bom,ami->doi", s, g, f))
    assert products((15, 52, 52), 32, 32, 32)[0][1] == 15 * 52 * 32 * 32
    assert products((15, 5, 5), 32, 32, 32)[0][1] == 5 * 5 * 32 * 32
