"""Networks of named values inside each other: sizes, counts and masks that only the outer one knows."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from torch import Tensor

import catnn

DOUBLE = torch.float64
SPECS = {
    "a size that no input of the inner one tells": """space V : S(n)
        network g(a: 1[2]) -> V[2] { return (1/n) * [ -> i](a) }
        network f(x: V[2], a: 1[2]) -> V[2] { return x + g(a) }""",
    "the same in a pipeline": """space V : S(n)
        network g(a: 1[2]) -> V[2] { return (1/n) * [ -> i](a) }
        layer p : V[2] -> 1[2] = all { reduce: mean }
        network h : V[2] -> V[2] = p ; g ; relu
        network f(x: V[2]) -> V[2] { return h(x) + x }""",
    "a scalar of a space that the inner one has not": """space V : S(n)  space W : S(m)
        network g(a: V[2]) -> V[2] { return (1/m) * a }
        network f(x: V[2], w: W[2]) -> V[2] { return g(x) + [i, j -> i](x, w) }""",
    "the same scalar in a pipeline": """space V : S(n)  space W : S(m)
        network g(a: V[2]) -> V[2] { return (1/m) * a }
        layer t : V[2] + W[2] -> V[2] = all
        network h : V[2] + W[2] -> V[2] = t ; g
        network f(x: V[2], w: W[2]) -> V[2] { return h(x, w) }""",
    "three deep": """space V : S(n)
        network a(x: V[2]) -> V^2[2] { return softmax[1]([i, j -> i j](x, x)) }
        network b(x: V[2]) -> V[2] { return [i j -> i](layer_norm[0,1](a(x))) + (1/n) * x }
        network f(x: V[2]) -> V[2], 1[2] { y = b(b(x)); return y, (1/n) * [i ->](y) }""",
}
REAL = {
    "V": torch.tensor([[1, 1, 0, 1, 0], [1, 1, 1, 1, 1], [0, 0, 1, 0, 0]]).bool(),
    "W": torch.tensor([[1, 1, 0, 1], [1, 0, 0, 0], [1, 1, 1, 1]]).bool(),
}


def build(name: str) -> tuple[Any, Any, list[Tensor], dict[str, Tensor]]:
    """The network, its module, arguments with a batch of three, and masks."""
    item = catnn.parse(SPECS[name])["f"]
    torch.manual_seed(0)
    module = catnn.compile(item, dtype=DOUBLE)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn_like(parameter) / 2)
    lengths = {"n": 5, "m": 4}
    summands = [parameter.type.summands[0] for parameter in item.program.parameters]
    shapes = [[lengths[str(wire.group.size)] for wire in s.word] for s in summands]
    args = [torch.randn(3, *shape, 2, dtype=DOUBLE) for shape in shapes]
    spaces = {wire.space for summand in summands for wire in summand.word}
    return item, module, args, {space: real for space, real in REAL.items() if space in spaces}


def flat(values: Any) -> list[Tensor]:
    return list(values) if isinstance(values, tuple) else [values]


def cut(x: Tensor, summand: Any, entry: int) -> Tensor:
    """An entry of the batch without its padding."""
    x = x[entry]
    for axis, wire in enumerate(summand.word):
        x = x.index_select(axis, REAL[wire.space][entry].nonzero()[:, 0])
    return x


def assert_close(one: Any, other: Any) -> None:
    for a, b in zip(flat(one), flat(other), strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("name", SPECS)
def test_each_entry_is_what_it_would_be_alone(name: str) -> None:
    item, module, args, masks = build(name)
    ys = flat(module(*args, mask=masks))
    sources = [parameter.type.summands[0] for parameter in item.program.parameters]
    targets = [target.summands[0] for target in item.program.targets]
    for entry in range(3):
        alone = module(*(cut(x, s, entry) for x, s in zip(args, sources, strict=True)))
        assert_close(tuple(cut(y, s, entry) for y, s in zip(ys, targets, strict=True)), alone)


@pytest.mark.parametrize("name", SPECS)
def test_transforms(name: str) -> None:
    """vmap, with masks too; functional_call; a trace leaves nothing behind."""
    _, module, args, masks = build(name)
    expected, masked = module(*args), module(*args, mask=masks)
    assert_close(torch.func.vmap(lambda *a: module(*a))(*args), expected)
    assert_close(torch.func.vmap(lambda m, *a: module(*a, mask=m))(masks, *args), masked)
    assert_close(torch.func.functional_call(module, dict(module.named_parameters()), tuple(args)), expected)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(module, tuple(args), check_trace=False)
    assert_close(traced(*args), expected)
    assert_close(module(*args), expected)


@pytest.mark.slow
@pytest.mark.parametrize("name", SPECS)
def test_compile_and_export(name: str) -> None:
    _, module, args, masks = build(name)
    for options in ({}, {"mask": masks}):
        torch._dynamo.reset()
        compiled = torch.compile(module, fullgraph=True, dynamic=True, backend="aot_eager")
        assert_close(compiled(*args, **options), module(*args, **options))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.export.export(module, tuple(args), options)
        assert_close(program.module()(*args, **options), module(*args, **options))


def test_two_batch_axes_and_one_input_without() -> None:
    text = """space V : S(n)
        network f(x: V[2], w: V) -> V[2], V^2[2] {
          return (1/n) * x + [i, j -> j](x, w), exp([i, j -> i j](x, w))
        }"""
    module = catnn.compile(catnn.parse(text)["f"], dtype=DOUBLE)
    x, w = torch.randn(2, 3, 5, 2, dtype=DOUBLE), torch.randn(5, 1, dtype=DOUBLE)
    real = torch.stack([REAL["V"], ~REAL["V"]])
    first, second = module(x, w, mask=real)
    for entry in ((0, 0), (1, 0), (1, 1), (1, 2)):
        keep = real[entry]
        one, other = module(x[entry][keep], w[keep])
        assert_close(first[entry][keep], one)
        assert_close(second[entry][keep][:, keep], other)


def test_two_spaces_of_a_size_in_a_scalar_count_alike() -> None:
    text = "space V, W : S(n)  network f(x: V, y: W) -> V, W { return (1/n) * x, (1/n) * y }"
    module = catnn.compile(catnn.parse(text)["f"], dtype=DOUBLE)
    x = torch.ones(3, 5, 1, dtype=DOUBLE)
    first, second = module(x, x, mask={"V": REAL["V"], "W": REAL["V"].flip(1)})
    assert_close(first.sum(1), second.sum(1))
    with pytest.raises(ValueError, match="a scalar has the size n"):
        module(x, x, mask={"V": REAL["V"]})


def test_a_dtype_that_changes_is_noticed() -> None:
    """What was checked last time is checked again when the weights change."""
    module = catnn.compile(catnn.parse("space D : 3  box W : D -> D  network f(x: D) -> D { return W(x) }")["f"])
    x = torch.ones(2, 3, 1)
    module(x)
    for change in (module.double, module.half):
        change()
        with pytest.raises(ValueError, match=r"like its weights, got torch\.float32"):
            module(x)
    module.float()
    module.load_state_dict({"W": torch.ones(3, 3, dtype=DOUBLE)}, assign=True)
    with pytest.raises(ValueError, match=r"expected torch\.float64 like its weights"):
        module(x)
