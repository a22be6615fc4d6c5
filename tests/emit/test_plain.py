"""Spaces without symmetry: their axes are mixed with the channels, and what fixed diagrams do on them."""

from __future__ import annotations

import pytest
import torch

import catnn
from catnn.plan.lower import lowered
from catnn.testing import Skip
from catnn.testing import run as checks
from catnn.testing.checks import equivariance
from catnn.testing.dense import definition
from catnn.testing.samples import call, inputs, module_of
from tests.nullspace import Rep, dimension, permutations, plus, power, rotations, side_by_side, still, times

SPACES = "space V : S(n)  space R : O(3)  space P : Sp(r)  space F : 6  space G : 4\n"
LAYERS = {
    "beside the channels": "layer f : V @ F[2] -> V @ G[3] = all + bias",
    "in front": "layer f : F @ V^2[2] -> V @ G[3] = all + bias",
    "interleaved": "layer f : F @ V @ G @ V[1] -> G @ V @ F[2] = all",
    "alone": "layer f : F[2] -> G[3] = all + bias",
    "made": "layer f : V[2] -> V @ F[1] = all + bias { reduce: mean }",
    "summed": "layer f : V @ F[2] -> 1[3] = all",
    "rotations": "layer f : V @ R @ F[2] -> R @ G @ V[1] = all",
    "symplectic": "layer f : P^2 @ F[1] -> G @ P^2[2] = all + bias",
    "sums": "layer f : V @ F[2] + F[1] + V[2] -> V @ G[1] + G[2] = all + bias",
    "residual": "layer f : V @ F[2] -> V @ F[2] = all + id",
    "turned": "layer f : V @ F[2] -> F @ V[2] = all + bias + [v f -> f v]",
    "fixed swap": "layer f : V @ F^2[2] -> V @ F^2[2] = all + [v f g -> v g f] + 1/2 * id",
    "fixed alone": "layer f : V @ F[2] -> F^2[2] = [v f -> f f]",
    "span": "layer f : V @ F[2] -> V @ F[3] = span { id, [v f -> v g], [v f -> w f] }",
    "span and bias": "layer f : V @ F[2] -> V @ F[2] = span { [v f -> w f] } + bias + [v f -> v g]",
    "network": "layer p : V @ F[2] -> V @ F[2] = all + bias  "
               "network f : V @ F[2] -> V @ F[2] = p ; sigmoid ; (p + (1/n) * id) ; gelu ; p ; gate",
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_what_catnn_test_checks(name: str) -> None:
    """The definition, groups, gradients, masks, copies; and the explanation counts the parameters there are."""
    spec = catnn.parse(SPACES + LAYERS[name])
    found = list(checks(spec, only=("dense match", "equivariance", "gradients", "mask", "copies")))
    assert [result for result in found if not result.ok] == []
    for layer in spec.layers.values():
        module = module_of(layer, {})
        assert sum(p.numel() for p in module.parameters()) == layer.parameters
        told = dict(catnn.explain(layer).parameters)
        assert told == {name: tuple(p.shape) for name, p in module.named_parameters()}


def test_the_gradient_of_every_weight_is_that_of_the_definition() -> None:
    spec = catnn.parse(SPACES + "layer f : F @ V @ G @ V[2] -> G @ V @ F[2] = all + bias + 2 * [f v g w -> g v f]")
    layer, sizes = spec["f"], {"n": 3}
    module = module_of(layer, sizes)
    xs = tuple(x.requires_grad_() for x in inputs(layer, sizes, (2,)))
    values = (*xs, *module.parameters())
    ours = torch.autograd.grad(call(module, xs)[0].cos().sum(), values)
    theirs = torch.autograd.grad(definition(layer, module, xs, sizes)[0].cos().sum(), values)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other)


def test_a_plain_layer_is_a_linear_one() -> None:
    """`F[2] -> G[3]` on flattened tensors is torch.nn.Linear with this weight and bias."""
    module = catnn.compile(catnn.parse(SPACES + LAYERS["alone"])["f"])
    x = torch.randn(5, 6, 2)
    linear = torch.nn.functional.linear(x.flatten(1), module.weight[0], module.bias[0])
    torch.testing.assert_close(module(x).flatten(1), linear)


def words(text: str) -> tuple[Rep, dict[str, Rep]]:
    """S(3) x O(3) and its representations by the letters of a text."""
    v, r = side_by_side(permutations(3), rotations(3, reflections=True))
    return v, {"V": v, "R": r, "F": still(v, 6), "G": still(v, 4)}


@pytest.mark.parametrize(
    ("source", "target"),
    [("VF", "VG"), ("FVV", "G"), ("F", "G"), ("VRF", "GR"), ("", "VF"), ("R", "RF"), ("FV", "FGV")],
)
def test_as_many_weights_as_the_nullspace(source: str, target: str) -> None:
    """The numbers that are learned are the dimension of the space of equivariant maps."""
    v, reps = words(source)
    sides = []
    for letters in (source, target):
        found = power(v, 0)
        for letter in letters:
            found = times(found, reps[letter])
        sides.append(found)
    spec = catnn.parse(
        "space V : S(3)  space R : O(3)  space F : 6  space G : 4  "
        f"layer f : {' @ '.join(source) or 1} -> {' @ '.join(target) or 1} = all"
    )
    assert spec["f"].parameters == dimension(*sides)


def test_direct_sums_count_too() -> None:
    v, reps = words("")
    source = plus(times(v, reps["F"]), reps["G"])
    target = plus(reps["F"], times(reps["G"], v), v)
    spec = catnn.parse("space V : S(3)  space F : 6  space G : 4  layer f : V @ F + G -> F + G @ V + V = all")
    assert spec["f"].parameters == dimension(source, target)


def test_dimensions() -> None:
    assert [catnn.dim("64", k, 2) for k in range(3)] == [64**2, 64**3, 64**4]
    assert catnn.dim("1", 5, 5) == 1


def test_diagrams_of_a_plain_space() -> None:
    """Every set partition is a matrix: the basis is chosen, so copies and sums exist."""
    spec = catnn.parse(
        "space F : 5  let f : F -> F^2 = copy  let g : F^3 -> 1 = spider[3,0]  "
        "check copy ; merge = id : F -> F  check unit ; discard = 5 : 1 -> 1  check [f g -> g f] ; [f g -> g f] = id"
    )
    assert spec["f"].matrix().sum() == 5
    assert str(spec["g"]) == "[i i i ->]"
    with pytest.raises(catnn.CatnnError, match="E0402"):
        catnn.parse("space V : S(5)  space F : 5  let f : V -> F = [i -> i]")


def test_no_transpose_is_made_where_plain_axes_stand_beside_the_channels() -> None:
    """The forward passes a view of its input."""
    source = catnn.compile(catnn.parse(SPACES + LAYERS["beside the channels"])["f"]).source
    assert "xs[0].flatten(-2)," in source
    assert "xs[0].movedim" not in source


def test_fixed_terms_that_leave_plain_wires_alone_cost_no_second_plan() -> None:
    for name, count in (("residual", 1), ("turned", 1), ("fixed swap", 2), ("span", 1), ("span and bias", 2)):
        assert len(lowered(catnn.parse(SPACES + LAYERS[name])["f"])) == count, name


@pytest.mark.parametrize(("text", "code"), [("space W : 0", "E0202"), ("layer f : F[2] -> F[3] = id", "E0609")])
def test_refused(text: str, code: str) -> None:
    with pytest.raises(catnn.CatnnError, match=code):
        catnn.parse(f"space F : 6  {text}")


def test_any_function_is_equivariant_where_nothing_acts() -> None:
    catnn.parse("space F : 6  layer p : F -> F = all  network f : F -> F = p ; relu ; p")
    with pytest.raises(catnn.CatnnError, match="E0501"):
        catnn.parse(
            "space F : 6  space R : O(3)  layer p : R @ F -> R @ F = all  network f : R @ F -> R @ F = p ; relu"
        )


def test_wrong_input() -> None:
    module = catnn.compile(catnn.parse(SPACES + LAYERS["beside the channels"])["f"])
    with pytest.raises(
        ValueError, match=r"f: expected \(\*batch, n, 6, 2\), got \(3, 5, 2\): axis 1 has length 5, not 6"
    ):
        module(torch.zeros(3, 5, 2))


def test_masks_are_for_the_spaces_that_something_permutes() -> None:
    """With one such space a mask needs no name; a plain space has none."""
    spec = catnn.parse(SPACES + LAYERS["network"])
    x, real = torch.randn(2, 4, 6, 2), torch.tensor([[True, True, False, True], [True, True, True, True]])
    for name in ("p", "f"):
        module = catnn.compile(spec[name], n=4)
        torch.testing.assert_close(module(x, mask=real), module(x, mask={"V": real}))
        alone = module(x[0, real[0]])
        torch.testing.assert_close(module(x, mask=real)[0, real[0]], alone)
    with pytest.raises(ValueError, match="F takes no mask: it has no symmetry, so nothing is padded there"):
        catnn.compile(spec["p"])(x, mask={"F": torch.ones(2, 6, dtype=torch.bool)})


def test_plain_spaces_are_no_groups_to_act() -> None:
    """What `catnn test` says of equivariance speaks of groups alone, and is skipped where there are none."""
    spec = catnn.parse("space V : S(n)  space F : 3  layer f : V @ F -> V @ F = all  layer g : F -> F = all")
    assert equivariance(spec["f"]).endswith("a random element of S(n)")
    with pytest.raises(Skip):
        equivariance(spec["g"])
