"""Networks: modules of modules that hand on masks, sizes and shared weights."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest
import torch

import catnn
from tests.emit.definition import DOUBLE, build

SIZES_LOST = {
    "through a scalar": "network f : V^2[2] -> V^2[2] = pool ; relu ; spread + id",
    "inside a called network": """network g : V^2[2] -> 1[3] = pool
        network h : 1[3] -> V^2[2] = spread ; relu
        network f : V^2[2] -> V^2[2] = g ; h + id""",
    "two networks deep": """network h : 1[3] -> V^2[2] = spread
        network g : 1[3] -> V^2[2] = relu ; h
        network f : V^2[2] -> V^2[2] = pool ; g + id""",
}


@pytest.mark.parametrize("name", SIZES_LOST)
def test_a_size_is_the_same_number_everywhere(name: str) -> None:
    """A stage whose input has no axis of length n still writes n of them, those of the network's input."""
    layers = "layer pool : V^2[2] -> 1[3] = all + bias  layer spread : 1[3] -> V^2[2] = all + bias"
    item, net = build(f"space V : S(n)\n{layers}\n{SIZES_LOST[name]}", n=16)
    x = torch.randn(4, 5, 5, 2, dtype=DOUBLE)
    again = catnn.compile(item, n=5, dtype=DOUBLE)
    again.load_state_dict(net.state_dict())
    assert net(x).shape == x.shape
    torch.testing.assert_close(net(x), again(x))


def test_layers_of_another_file_count_the_nodes_of_its_spaces(tmp_path: Path) -> None:
    """`H.V` is no Python name; how many real entries it has is a variable of its layers all the same."""
    other = "layer f : V[2] -> V^2[3] = all + bias { reduce: mean }\nlayer g : V^2[3] -> 1[2] = all { reduce: mean }"
    (tmp_path / "other.catnn").write_text(f"space V : S(n)\n{other}", encoding="utf-8")
    main = tmp_path / "main.catnn"
    main.write_text('import "other.catnn" as H\nnetwork f : H.V[2] -> 1[2] = H.f ; gelu ; H.g', encoding="utf-8")
    net = catnn.compile(catnn.load(main)["f"], dtype=DOUBLE)
    own = catnn.parse(f"space V : S(n)\n{other}\nnetwork h : V[2] -> 1[2] = f ; gelu ; g")
    same = catnn.compile(own["h"], dtype=DOUBLE)
    same.load_state_dict({name.removeprefix("H_"): weight for name, weight in net.state_dict().items()})
    x, mask = torch.randn(2, 5, 2, dtype=DOUBLE), torch.arange(5) < torch.tensor([[3], [5]])
    torch.testing.assert_close(net(x, mask=mask), same(x, mask=mask))
    torch.testing.assert_close(net(x, mask=mask)[0], net(x[0, :3]))


def test_shared_layers_are_one_module() -> None:
    text = "space V : S(n)\nlayer a : V[2] -> V[2] = all + bias\nnetwork f : V[2] -> V[2] = a ; tanh ; a + a"
    _, net = build(text)
    assert [name for name, _ in net.named_modules()] == ["", "a"]
    x = torch.randn(3, 2, dtype=DOUBLE)
    torch.testing.assert_close(net(x), net.a(torch.tanh(net.a(x))) + net.a(x))


def test_two_compiled_objects_never_share() -> None:
    item, first = build("space V : S(n)\nlayer f : V[2] -> V[2] = all + bias")
    second = catnn.compile(item, dtype=DOUBLE)
    assert type(first) is type(second)
    assert not {p.data_ptr() for p in first.parameters()} & {p.data_ptr() for p in second.parameters()}


NESTED = """space V : S(n)
layer a : V[2] -> V[2] = all + bias  layer b : V[2] -> V[2] = all
network g : V[2] -> V[2] = a ; tanh ; b
network h : V[2] -> V[2] = g ; b
network k : V[2] -> V[2] = h ; a
"""


@pytest.mark.parametrize("body", ["h ; g ; a ; k", "h ; k", "k ; b", "g ; k + id", "a ; g"])
def test_a_layer_is_one_module_in_nested_networks_too(body: str) -> None:
    """Wherever a name stands, its weights are the same: in the class, in copies, in pickles, after a state_dict."""
    item, net = build(f"{NESTED}network f : V[2] -> V[2] = {body}", n=3)
    for module in (net, copy.deepcopy(net), pickle.loads(pickle.dumps(net)), net.to(torch.float64)):
        by_layer: dict[str, set[int]] = {}
        for name, value in module.named_parameters(remove_duplicate=False):
            by_layer.setdefault(".".join(name.split(".")[-2:]), set()).add(id(value))
        assert set(by_layer) == {"a.weight", "a.bias", "b.weight"}
        assert all(len(same) == 1 for same in by_layer.values())
    again = catnn.compile(item, n=3, dtype=DOUBLE)
    again.load_state_dict(net.state_dict())
    x = torch.randn(3, 2, dtype=DOUBLE)
    torch.testing.assert_close(net(x), again(x))


def test_renamed_submodules_are_said() -> None:
    """torch has a `train` of its own, and we a `source`."""
    _, net = build(
        "space V : S(n) layer train : V -> V = all layer source : V -> V = all network f : V -> V = train ; source"
    )
    assert [name for name, _ in net.named_children()] == ["train_2", "source_2"]
    assert "train is train_2, source is source_2" in type(net).__doc__
