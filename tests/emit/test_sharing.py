"""Layers of a network that are computed as one: the same numbers and weights, and each by itself where it must."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import catnn
from catnn.compiler import generate
from catnn.emit.sharing import sharing
from catnn.model import Layer
from catnn.plan.build import plan_layer
from catnn.plan.chains import Chain
from catnn.plan.prove import prove
from catnn.plan.virtual import composed, together
from tests.emit.definition import DOUBLE, inputs, randomise

SPEC = """
space V : S(n)
space R : O(3)
layer f : V^2[3] -> V^2[3] = all + bias
layer g : V^2[3] -> V[2] = all
layer h : V^2[3] -> V^2[3] = span { [i j -> j i], [i j -> i k] } + [i j -> i i] + bias
layer m : V^2[3] -> V^2[3] = all + bias { reduce: mean }
layer k : V^2[3] + V[2] -> V[2] = all + bias
layer l : V^2[3] + V[2] -> V^2[3] = all
layer r : V @ R^2[2] -> V @ R^2[2] = all
layer s : V @ R^2[2] -> V @ R^2[2] = all
let trace : V^2 -> 1 = merge ; discard
let rows : V^2 -> V = id @ discard
let spread : V -> V^2 = copy
let mixed : V^2 -> V^2 = id - (1/n) * [i j -> k j]
network sum : V^2[3] -> V^2[3] = f + 1/2 * (h ; relu) + id
network twice : V^2[3] -> V^2[3] = f + h + (f ; relu)
network traced : V^2[3] -> 1[3] = f ; trace
network means : V^2[3] -> V[3] = m ; rows
network before : V[3] -> V^2[3] = spread ; f ; relu
network fine : V^2[3] -> V[3] = h ; rows
network three : V^2[3] -> V[3] = (f ; rows) + (h ; relu ; rows)
network scaled : V^2[3] -> V^2[3] = mixed ; h
network dear : V^2[3] -> V^2[3] = mixed ; f
network turned : V @ R^2[2] -> V @ R^2[2] = r + s
network named(x: V^2[3]) -> V^2[3], V[2], V^2[3] { y = f(x)
  z = g(x)
  return y, z, h(relu(y)) }
network pairs(x: V^2[3], y: V[2]) -> V[2], V^2[3] { return k(x, y), l(x, y) }
"""
NETWORKS = {
    "sum": 1, "twice": 1, "traced": 1, "means": 1, "before": 1, "fine": 1, "three": 1, "turned": 1, "named": 1,
    "pairs": 1, "scaled": 1,
}  # fmt: skip
"""The networks in which something is computed as one, and how often a call does that."""

PARSED = catnn.parse(SPEC)


def made(name: str) -> tuple[Any, Any, tuple[Tensor, ...]]:
    item = PARSED[name]
    module = randomise(catnn.compile(item, dtype=DOUBLE))
    return item, module, inputs(item, {"n": 4}, (2,))


def calls(module: Any) -> list[int]:
    """How often anything was computed as one, from now on."""
    found: list[int] = []
    for one in module._together:
        one.register_forward_hook(lambda *_: found.append(1))
    return found


def alone(module: Any) -> Any:
    """A copy that calls every layer by itself."""
    other = copy.deepcopy(module)
    for child in other.children():
        child.register_forward_hook(lambda *_: None)
    return other


def outcome(module: Any, xs: tuple[Tensor, ...], mask: Any = None) -> list[Any]:
    xs = tuple(x.clone().requires_grad_() for x in xs)
    ys = module(*xs, **({} if mask is None else {"mask": mask}))
    ys = ys if isinstance(ys, tuple) else (ys,)
    parameters = dict(module.named_parameters())
    grads = torch.autograd.grad(sum((y * y).sum() for y in ys), (*xs, *parameters.values()), allow_unused=True)
    return [*ys, *grads]


def same(found: list[Any], wanted: list[Any]) -> None:
    for one, other in zip(found, wanted, strict=True):
        zero = torch.zeros(())
        torch.testing.assert_close(zero if one is None else one, zero if other is None else other)


@pytest.mark.parametrize("name", NETWORKS)
def test_as_one_is_one_by_one(name: str) -> None:
    _, module, xs = made(name)
    count, other = calls(module), alone(module)
    own = calls(other)
    same(outcome(module, xs), outcome(other, xs))
    assert (len(count), len(own)) == (NETWORKS[name], 0)


@pytest.mark.parametrize("name", ["sum", "traced", "means", "before", "three", "turned", "scaled"])
def test_with_masks(name: str) -> None:
    _, module, xs = made(name)
    mask = torch.tensor([[True, True, True, False], [True, True, True, True]])
    count, other = calls(module), alone(module)
    same(outcome(module, xs, mask), outcome(other, xs, mask))
    assert len(count) == NETWORKS[name]


def test_what_gains_nothing_is_not_joined() -> None:
    f, g, h, m = (PARSED[name] for name in "fghm")
    (dear,) = sharing(PARSED["dear"]).found
    assert isinstance(dear, Chain)  # 30 terms for 15 weights: they are combined
    assert composed(*dear.parts) is None
    assert together([f, m]) is None  # sums and means
    assert together([f]) is None
    assert composed(f, h) is None  # both learn
    assert together([f, PARSED["r"]]) is None
    assert together([f, g]) is not None


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_computed_as_one_is_proved(name: str) -> None:
    """On every compile, by the proof of all layers; and its weights are those of its parts, each once."""
    for virtual in sharing(PARSED[name]).found:
        prove(virtual.plan, virtual.layer)
        assert virtual.plan == plan_layer(virtual.layer)
        held = list(virtual.parameters.values())
        assert len(set(held)) == len(held)
        for parameter, (at, own) in virtual.parameters.items():
            shapes = [shape_of(virtual.layer, parameter), shape_of(virtual.parts[at], own)]
            assert shapes[0] == shapes[1]


def shape_of(layer: Layer, name: str) -> tuple[int, ...]:
    kind, _, rest = name.partition("_")
    numbers = [int(n) for n in rest.split("_")] if rest else [0, 0]
    return layer.weight_shape(*numbers[:2]) if kind == "weight" else layer.bias_shape(numbers[0])


def test_a_coarser_reader_leaves_nothing_to_write() -> None:
    """All 15 diagrams of f, read through a trace: no step writes the n x n entries in between."""
    f, trace = (stage.layer for stage in PARSED["traced"].body.stages)
    virtual = composed(f, trace)
    assert virtual is not None
    assert not virtual.plan.writes[0]
    assert len(virtual.layer.weighted[0][0]) == 15
    assert str(virtual.layer.weighted[0][0][14]) == str(catnn.diagram("S(n)", "i i ->"))


def test_names_and_numbers_of_the_weights_stay() -> None:
    _, module, _ = made("named")
    assert list(module.state_dict()) == ["f.weight", "f.bias", "g.weight", "h.weight", "h.bias"]
    assert len(list(module.modules())) == 4
    assert [name for name, _ in made("sum")[1].named_children()] == ["f", "h"]


def test_hooks_replacements_and_parametrisations_are_obeyed() -> None:
    _, module, (x,) = made("named")
    count, seen = calls(module), []
    handle = module.g.register_forward_hook(lambda *_: seen.append(1))
    module(x)
    assert (count, seen) == ([], [1])
    handle.remove()
    module(x)
    assert count == [1]
    copied = copy.deepcopy(module)
    copied.g = randomise(catnn.compile(PARSED["g"], dtype=DOUBLE), 7)
    torch.testing.assert_close(copied(x)[1], copied.g(x))
    nn.utils.parametrizations.weight_norm(module.f, dim=None)
    module(x)
    assert count == [1]


GLOBAL = (nn.modules.module.register_module_forward_hook, nn.modules.module.register_module_forward_pre_hook,
          nn.modules.module.register_module_full_backward_hook)  # fmt: skip


@pytest.mark.parametrize("register", GLOBAL, ids=lambda register: register.__name__)
def test_hooks_of_all_modules_see_every_layer(register: Callable[..., Any]) -> None:
    """A profiler that counts the calls of modules counts those of the network, and no others."""
    for name in ("named", "sum"):
        _, module, xs = made(name)
        seen: list[Any] = []
        handle = register(lambda part, *_, seen=seen: seen.append(part))
        try:
            outcome(module, xs)
        finally:
            handle.remove()
        assert {*map(id, seen)} == {*map(id, module.modules())}
        count = calls(module)
        outcome(module, xs)
        assert count == [1]


def test_copies_pickles_and_moves_keep_their_own_weights() -> None:
    _, module, (x,) = made("sum")
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        count = calls(other)
        with torch.no_grad():
            other.f.weight.mul_(2)
            assert not torch.equal(other(x), module(x))
        same(outcome(other, (x,)), outcome(alone(other), (x,)))
        assert count
    single = copy.deepcopy(module).float()
    torch.testing.assert_close(single(x.float()), module(x).float(), rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match=r"expected torch\.float32 like its weights"):
        single(x)


def test_transforms_and_traces() -> None:
    _, module, (x,) = made("sum")
    count, other = calls(module), alone(module)
    torch.testing.assert_close(torch.vmap(module)(x), other(x))
    torch.testing.assert_close(*(torch.func.jvp(one, (x,), (x,))[1] for one in (module, other)))
    parameters = dict(module.named_parameters())
    doubled = {name: 2 * value for name, value in parameters.items()}
    torch.testing.assert_close(*(torch.func.functional_call(one, doubled, (x,)) for one in (module, other)))
    assert len(count) == 3
    assert torch.autograd.gradgradcheck(module, (x[:1, :2, :2].clone().requires_grad_(),))
    before = len(count)
    exported = torch.export.export(module, (x,), strict=False).module()
    assert len(count) == before
    torch.testing.assert_close(exported(x), module(x))


def test_errors_name_the_layer_that_was_called() -> None:
    _, module, (x,) = made("sum")
    with pytest.raises(ValueError, match="f: expected"):
        module(x[..., :2])


def test_user_classes_keep_their_names() -> None:
    text = SPEC + "layer sumPart1 : V[1] -> V[1] = all\nnetwork more : V[1] -> V[1] = sumPart1 ; relu\n"
    source = generate(catnn.parse(text)).text
    assert source.count("class SumPart1(_Layer)") == 1
    assert source.count("class SumPart1_2(_Together)") == 1
