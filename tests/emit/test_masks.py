"""A masked entry gets what it would get alone; the padding is zero, and what stood in it does not matter."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from tests.emit.definition import assert_close, build, inputs, run

SPACES = "space V, W : S(n)\nspace R : O(3)\nspace U : S(m)\nspace P : Sp(r)\n"
SIZES = {"n": 5, "m": 4, "r": 4}
MASKS = {
    "V": torch.tensor([[1, 1, 0, 1, 0], [1, 1, 1, 1, 1], [0, 0, 1, 0, 0], [0, 0, 0, 0, 0]]).bool(),
    "U": torch.tensor([[1, 0, 0, 1], [0, 0, 0, 1], [1, 1, 1, 1], [0, 1, 1, 1]]).bool(),
    "W": torch.tensor([[0, 1, 1, 1, 0], [1, 1, 1, 1, 1], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0]]).bool(),
}

ITEMS = {
    "all": "layer f : V^2[2] -> V^2[3] = all + bias",
    "order 3": "layer f : V^3[1] -> V^2[2] = all + bias",
    "mean": "layer f : V^2[2] -> V^2[3] = all + bias { reduce: mean }",
    "mean to a scalar": "layer f : V^2[2] + V[1] -> 1[3] = all + bias { reduce: mean }",
    "scalars": "layer f : V^2[2] -> V[2] = span { (1/n) * [i j -> i], n * [i i -> i] } + (1/n) * [i j -> j] + bias",
    "from nothing": "layer f : 1[2] + V[1] -> V^2[3] = all + bias",
    "direct sum": "layer f : V^2[2] + V[3] + 1[1] -> V^2[1] + V[2] + 1[2] = all + bias",
    "vectors on nodes": "layer f : V @ R[2] + V[1] -> V @ R[2] + R^2[1] = all + bias { reduce: mean }",
    "two spaces": "layer f : V @ U @ V[2] -> U @ V[3] + V[1] = all + bias { reduce: mean }",
    "one of the sizes": "layer f : V @ U[2] -> U[3] = span { (m/n) * [v u -> u], (n/m) * [v w -> u] } + bias",
    "symplectic": "layer f : P^2 @ V[2] -> P^2 @ V[1] + V[2] = all + bias { reduce: mean }",
    "pipeline": """layer a : V^2[2] -> V^2[3] = all + bias  layer b : V^2[3] -> V[2] = all + bias
        network f : V^2[2] -> V[2] = a ; sigmoid ; b ; softplus""",
    "after what moves 0": """layer a : V^2[2] -> V^2[2] = all + bias
        network f : V^2[2] -> V^2[2] = exp ; a + cos ; sigmoid + id""",
    "residual": """layer a : V^2[2] -> V^2[2] = all + bias { reduce: mean }
        network f : V^2[2] -> V^2[2] = (1/n) * (a ; gelu) + id - 1/2 * a""",
    "sums": """layer a : V^2[2] + 1[3] -> V^2[2] + 1[3] = all + bias
        network f : V^2[2] + 1[3] -> V^2[2] + 1[3] = a ; sigmoid ; a + id""",
    "a scaled stage": """layer g : V^2[2] + U[1] -> 1[3] = all
        network f : V^2[2] + U[1] -> 1[3] = (1/n) * g + (n/m) * g""",
    "one size, two spaces": "layer f : V @ W[2] -> W[2] = (1/n) * [v w -> w] + n * [v w -> u] + all { reduce: mean }",
    "loops of two spaces": "layer f : V @ W[2] -> W[2] = span { (unit[V] ; discard[V]) @ [v w -> w] }",
    "a scalar without a wire": """layer a : V^2[2] -> 1[3] = all  network g : 1[3] -> 1[3] = (1/n) * id
        layer b : 1[3] -> 1[3] = (n/2) * [->]  network h : 1[3] -> 1[3] = g ; b + n * id
        network f : V^2[2] -> 1[3] = a ; tanh ; h ; h ; b""",
    "gate": """layer a : V @ R[2] -> V @ R[2] = all  layer b : R @ V[2] -> R[1] = all { reduce: mean }
        network f : V @ R[2] -> V @ R[2] = a ; gate ; a ; norm_relu ; a""",
    "fixed": "let t : V^2 -> V = [i j -> j]  network f : V^2[2] -> V[2] = swap ; t ; tanh",
    "network in a network": """layer a : V @ U[2] -> V[2] = all + bias  layer b : V[2] -> V @ U[2] = all + bias
        network g : V @ U[2] -> V[2] = a ; sigmoid  network f : V @ U[2] -> V @ U[2] = g ; b ; exp""",
}


def build_masked(name: str) -> tuple[Any, Any, dict[str, Tensor]]:
    item, module = build(SPACES + ITEMS[name], seed=3, **SIZES)
    spaces = {w.space for side in (item.source, item.target) for word in side.words for w in word}
    return item, module, {space: mask for space, mask in MASKS.items() if space in spaces}


def real(word: Any, masks: dict[str, Tensor], entry: int) -> tuple[Tensor, ...]:
    """For each axis of a word, which indices of an entry are real."""
    return tuple(
        masks[w.space][entry] if w.space in masks else torch.ones(SIZES.get(w.group.size, w.group.size)).bool()
        for w in word
    )


def cut(x: Tensor, keep: tuple[Tensor, ...]) -> Tensor:
    """The real part of one entry."""
    for axis, flags in enumerate(keep):
        x = x.index_select(axis, flags.nonzero()[:, 0])
    return x


def paste(y: Tensor, keep: tuple[Tensor, ...]) -> Tensor:
    """Its inverse: zeros around the real part."""
    for axis, flags in enumerate(keep):
        whole = y.new_zeros((*y.shape[:axis], len(flags), *y.shape[axis + 1 :]))
        y = whole.index_copy(axis, flags.nonzero()[:, 0], y)
    return y


@pytest.mark.parametrize("name", ITEMS)
def test_each_entry_as_if_alone(name: str) -> None:
    """Forward and gradients; n in scalars and means is the entry's own, an entry of size 0 among them."""
    item, module, masks = build_masked(name)
    xs = tuple(x.requires_grad_() for x in inputs(item, SIZES, (4,)))
    found = run(module, xs, masks)
    alone = []
    for entry in range(4):
        pieces = tuple(cut(x[entry], real(w, masks, entry)) for x, w in zip(xs, item.source.words, strict=True))
        ys = run(module, pieces)
        alone.append([paste(y, real(w, masks, entry)) for y, w in zip(ys, item.target.words, strict=True)])
    expected = tuple(torch.stack(ys) for ys in zip(*alone, strict=True))
    assert_close(found, expected, what="output")
    leaves = (*xs, *module.parameters())
    totals = (torch.stack([(y * y).sum() for y in ys]).sum() for ys in (found, expected))
    assert_close(*(torch.autograd.grad(total, leaves, allow_unused=True) for total in totals), what="gradient")


def padded(x: Tensor, word: Any, masks: dict[str, Tensor]) -> Tensor:
    """True where a tensor (*batch, axes, channels) is padding."""
    inside = [paste(torch.ones_like(cut(v, real(word, masks, e))), real(word, masks, e)) for e, v in enumerate(x)]
    return torch.stack(inside) == 0


@pytest.mark.parametrize("name", ITEMS)
def test_padding_is_ignored_and_left_zero(name: str) -> None:
    """NaN in the padding of the input changes nothing; the padding of the output is 0."""
    item, module, masks = build_masked(name)
    xs = inputs(item, SIZES, (4,))
    wild = tuple(
        x.masked_fill(padded(x, w, masks), torch.nan).requires_grad_()
        for x, w in zip(xs, item.source.words, strict=True)
    )
    ys = run(module, wild, masks)
    assert_close(ys, run(module, xs, masks))
    for y, word in zip(ys, item.target.words, strict=True):
        assert not y[padded(y, word, masks)].any()
    grads = torch.autograd.grad(sum((y * y).sum() for y in ys), wild)
    for grad, word in zip(grads, item.source.words, strict=True):
        assert grad.isfinite().all()
        assert not grad[padded(grad, word, masks)].any()


def test_a_mask_that_is_all_true_changes_nothing() -> None:
    item, module, masks = build_masked("two spaces")
    xs = inputs(item, SIZES, (4,))
    full = {space: torch.ones_like(mask) for space, mask in masks.items()}
    assert_close(run(module, xs, full), run(module, xs))


def test_one_space_takes_a_plain_mask_and_some_masks_may_be_missing() -> None:
    item, module, masks = build_masked("all")
    xs = inputs(item, SIZES, (4,))
    assert_close(run(module, xs, masks["V"]), run(module, xs, masks))
    item, module, masks = build_masked("two spaces")
    xs = inputs(item, SIZES, (4,))
    full = {**masks, "U": torch.ones_like(masks["U"])}
    assert_close(run(module, xs, {"V": masks["V"]}), run(module, xs, full))


def test_batch_axes_of_a_mask() -> None:
    """None, several, and empty ones."""
    item, module, masks = build_masked("all")
    (x,) = inputs(item, SIZES, (4,))
    y = module(x, mask=masks["V"])
    assert_close((module(x[0], mask=masks["V"][0]),), (y[0],))
    assert_close((module(x.view(2, 2, *x.shape[1:]), mask=masks["V"].view(2, 2, 5)).flatten(0, 1),), (y,))
    assert module(x[:0], mask=masks["V"][:0]).shape == (0, 5, 5, 3)


SCALAR = (
    "f: a scalar has the size n, which is that of V, W: give them one mask, or masks that count the same in each "
    "entry, or sizes with names of their own"
)


@pytest.mark.parametrize(
    ("name", "mask", "message"),
    [
        ("all", MASKS["V"].float(), "f: the mask of V is torch.float32, expected torch.bool, True = real"),
        ("all", MASKS["U"], "f: the mask of V has shape (4, 4), expected (4, 5)"),
        ("all", MASKS["V"][0], "f: the mask of V has shape (5,), expected (4, 5)"),
        ("two spaces", MASKS["V"], "f: several spaces (V, U): give the mask as a dict by space"),
        ("two spaces", {"U": MASKS["V"]}, "f: the mask of U has shape (4, 5), expected (4, 4)"),
        ("all", {"W": MASKS["V"]}, "f: there is no space 'W' to mask; the spaces that take a mask: V"),
        ("pipeline", {"W": MASKS["V"]}, "f: there is no space 'W' to mask; the spaces that take a mask: V"),
        ("symplectic", {"P": MASKS["U"]}, "f: P takes no mask: Sp(r) mixes the indices, so none of them is padding"),
        ("gate", {"R": MASKS["V"]}, "f: R takes no mask: its size is 3 in every entry; give it a size that is a name"),
        ("one size, two spaces", {"V": MASKS["V"]}, SCALAR),
        ("one size, two spaces", {"V": MASKS["V"], "W": ~MASKS["V"]}, SCALAR),
    ],
)
def test_wrong_masks(name: str, mask: Any, message: str) -> None:
    item, module, _ = build_masked(name)
    with pytest.raises(ValueError) as caught:
        run(module, inputs(item, SIZES, (4,)), mask)
    assert str(caught.value) == message


def test_a_plain_mask_is_for_the_one_space_that_takes_one() -> None:
    """The literal O(3) beside a symbolic S(n) takes none."""
    for name in ("vectors on nodes", "gate", "symplectic"):
        item, module, masks = build_masked(name)
        xs = inputs(item, SIZES, (4,))
        assert_close(run(module, xs, masks["V"]), run(module, xs, {"V": masks["V"]}))


def test_a_literal_size_takes_no_mask() -> None:
    """Its closed loops and relations are those of that number."""
    item, module = build("space V : S(3)  layer f : V[1] -> V[1] = (unit ; discard) @ id")
    with pytest.raises(ValueError, match="V takes no mask: its size is 3 in every entry"):
        module(*inputs(item, {}), mask=torch.tensor([True, True, False]))
    item, module = build("layer f : 1[1] -> 1[1] = all")
    with pytest.raises(ValueError, match="there is no space to mask"):
        module(*inputs(item, {}), mask=torch.tensor([True]))


def test_scalars_of_two_masks_count_alike_when_compiled() -> None:
    """The same mask twice is known to; masks that might differ are refused, for nobody could look."""
    item, module, masks = build_masked("one size, two spaces")
    xs = inputs(item, SIZES, (4,))
    compiled = torch.compile(module, fullgraph=True, backend="eager")
    one = {"V": masks["V"], "W": masks["V"]}
    assert_close(run(compiled, xs, one), run(module, xs, one))
    with pytest.raises(Exception, match="a scalar has the size n"):
        run(torch.compile(module, fullgraph=True, backend="eager"), xs, masks)


def test_a_mask_of_a_space_inside_a_network() -> None:
    """Its count is that of n in scalars, also of networks that have no wire of it."""
    item, module = build(
        SPACES
        + """layer a : 1[2] -> V @ W[2] = all  layer b : V @ W[2] -> 1[2] = all
        network g : 1[2] -> 1[2] = (1/n) * id  network f : 1[2] -> 1[2] = g ; a ; b ; g""",
        n=5,
    )
    (x,) = inputs(item, SIZES, (4,))
    found = module(x, mask={"V": MASKS["V"], "W": MASKS["W"]})
    for entry in range(3):
        alone = module(x[entry], sizes={"n": int(MASKS["V"][entry].sum())})
        assert_close((found[entry],), (alone,))
