"""Networks: what flows where, what is shared, and what commutes with what."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch

import catnn
from catnn.activations import ACTIVATIONS
from catnn.category.families import FAMILIES
from catnn.diagnostics import CatnnError
from catnn.elaborate.networks import MOST_DEPTH
from catnn.model import Activate, Apply, Call, Combine, Identity, Network, Pipeline

HEAD = """space V : S(n)
space R : O(3)
layer f : V^2[4] -> V^2[4] = all + bias
layer p : V^2[4] -> V[8] = all
layer d : V[2] + R[2] -> V[2] + R[2] = all
let t : V^2 -> V = merge
"""


def body(text: str) -> object:
    network = catnn.parse(f"{HEAD}network g : {text}")["g"]
    assert isinstance(network, Network)
    assert (network.body.source, network.body.target) == (network.source, network.target)
    return network.body


def test_a_residual() -> None:
    match body("V^2[4] -> V^2[4] = f + id"):
        case Combine(((one, Apply(layer)), (other, Identity()))):
            assert (str(one), str(other), layer.name) == ("1", "1", "f")
        case found:
            pytest.fail(repr(found))


def test_scalars_and_brackets() -> None:
    match body("V^2[4] -> V[8] = f ; (1/2 * (f ; relu) - id) ; p"):
        case Pipeline((Apply(), Combine(((half, Pipeline((Apply(), Activate("relu"))))
                                         , (minus, Identity()))), Apply())):  # fmt: skip
            assert (str(half), str(minus)) == ("1/2", "-1")
        case found:
            pytest.fail(repr(found))


def test_fixed_diagrams_are_layers_without_weights() -> None:
    match body("V^2[4] -> V[4] = t ; relu ; (copy ; merge)"):
        case Pipeline((Apply(first), Activate(), Apply(last))):
            assert (first.name, last.name, first.learned, first.parameters) == ("t", "fixed", False, 0)
            assert [str(d) for d in (*first.fixed, *last.fixed)] == ["[i i -> i]", "[i -> i]"]
        case found:
            pytest.fail(repr(found))


def test_a_fixed_sum_with_an_identity_is_one_diagram() -> None:
    match body("V^2[4] -> V^2[4] = 1/2 * id + 1/2 * [i j -> j i]"):
        case Apply(layer):
            assert [str(d) for d in layer.fixed] == ["1/2 * [i j -> i j] + 1/2 * [i j -> j i]"]
        case found:
            pytest.fail(repr(found))


def test_a_layer_named_twice_is_one_module() -> None:
    network = catnn.parse(f"{HEAD}network g : V^2[4] -> V^2[4] = f ; relu ; f ; id")["g"]
    assert [layer.name for layer in network.layers] == ["f"]


def test_networks_call_networks() -> None:
    spec = catnn.parse(f"{HEAD}network a : V^2[4] -> V^2[4] = f ; relu  network b : V^2[4] -> V[8] = a ; a ; p")
    assert spec["b"].networks == (spec["a"],)
    assert isinstance(spec["b"].body.stages[0], Call)


def test_direct_sums_flow_through() -> None:
    match body("V[2] + R[2] -> V[2] + R[2] = d ; gate ; (id + 2 * d) ; [i -> i]"):
        case Pipeline((Apply(), Activate("gate"), Combine(), Apply(last))):
            assert [[len(pair) for pair in row] for row in last.fixed] == [[1, 0], [0, 1]]
        case found:
            pytest.fail(repr(found))


def test_the_last_stage_may_take_its_space_from_the_target() -> None:
    match body("1[2] -> R^2[2] = relu ; coev"):
        case Pipeline((Activate(), Apply(layer))):
            assert str(layer.target) == "R^2[2]"
        case found:
            pytest.fail(repr(found))


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("group", FAMILIES)
@pytest.mark.parametrize("order", [0, 1, 2])
def test_activations(name: str, group: str, order: int) -> None:
    """Pointwise functions need permuted wires, norms a form that is positive, order 0 takes all."""
    kind = ACTIVATIONS[name].kind
    signs = {"H": kind == "odd", "S'": kind == "odd" or order == 2, "S+": order == 1}
    fine = order == 0 or group in ("S", "A") or (group != "Sp" if kind == "norm" else signs.get(group, False))
    size = 4 if FAMILIES[group].epsilon else "n"
    text = f"space V : {group}({size})  network g : V^{order}[2] -> V^{order}[2] = {name}" if order else (
        f"network g : 1[2] -> 1[2] = {name}")  # fmt: skip
    if fine:
        assert len(catnn.parse(text)) == 1
    else:
        with pytest.raises(CatnnError, match=f"`{name}` is not equivariant on `V"):
            catnn.parse(text)


def test_mixed_words_are_judged_by_their_worst_wire() -> None:
    with pytest.raises(CatnnError, match=r"`relu` is not equivariant on `V @ R` \(O\(3\)\)"):
        body("V @ R[2] -> V @ R[2] = relu")
    assert isinstance(body("V @ R[2] -> V @ R[2] = gate"), Activate)


def test_after_a_gap_the_rest_is_still_checked() -> None:
    with pytest.raises(CatnnError) as caught:
        body("V^2[4] -> V[8] = f ; p ; f ; p ; p")
    assert [fault.code for fault in caught.value.diagnostics] == ["E0301", "E0301"]


def test_long_and_deep_networks() -> None:
    assert isinstance(body("V^2[4] -> V^2[4] = " + " ; ".join(["f", "relu"] * 2000)), Pipeline)
    assert isinstance(body("V^2[4] -> V^2[4] = " + "(" * 150 + "f" + " ; relu + id)" * 150), Combine)


@pytest.mark.parametrize("written", [": V[2] -> V[2] = {0} ; relu", "(x: V[2]) -> V[2] {{ return relu({0}(x)) }}"])
def test_networks_nest_at_most_so_deep(written: str) -> None:
    """As deep as they may nest they run, and are copied and explained; deeper ones are refused once, not each."""
    head = "space V : S(n)  layer f0 : V[2] -> V[2] = all "
    chain = [f"network f{i}{written.format(f'f{i - 1}')}" for i in range(1, MOST_DEPTH + 3)]
    deepest = catnn.parse(head + " ".join(chain[:MOST_DEPTH]))[f"f{MOST_DEPTH}"]
    module = copy.deepcopy(catnn.compile(deepest))
    assert module(torch.randn(3, 4, 2)).shape == (3, 4, 2)
    assert pickle.loads(pickle.dumps(module)).state_dict().keys() == module.state_dict().keys()
    assert f"f{MOST_DEPTH - 1}" in str(catnn.explain(deepest))
    with pytest.raises(catnn.CatnnError) as caught:
        catnn.parse(head + " ".join(chain))
    assert [fault.code for fault in caught.value.diagnostics] == ["E0630"]
