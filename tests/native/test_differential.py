"""Random layers, and random chains of them, in every way that there is: the definition, forward and gradients."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import catnn
from catnn.compiler import item_sizes
from catnn.native import attach, calls
from catnn.plan import chains
from catnn.plan.rates import WAYS
from tests.emit.definition import DOUBLE, Definition, assert_close, assert_is_definition, inputs, randomise, run

GROUPS = ("S(n)", "O(n)", "Sp(n)", "H(n)", "B(n)", "S+(n)", "S(3)", "O(2)", "SO(2)", "SO(3)", "Sp(2)", "O(1,2)", "A(3)")
TERMS = ("all", "all + bias", "bias", "all { reduce: mean }", "all + bias { reduce: mean }")
BATCHES = ((), (1,), (2, 3), (11,), (0,))


@st.composite
def types(draw: Any) -> str:
    """A direct sum of at most two words of order two, with few channels or more."""
    words = st.sampled_from(("1", "V", "V^2", "W", "W @ V"))
    summand = st.builds(lambda word, channels: f"{word}[{channels}]", words, st.sampled_from((1, 2, 5)))
    return " + ".join(draw(st.lists(summand, min_size=1, max_size=2)))


@st.composite
def specs(draw: Any) -> tuple[str, int]:
    """One or two layers that compose, as a network, and how many there are."""
    groups = draw(st.lists(st.sampled_from(GROUPS), min_size=2, max_size=2))
    sides = draw(st.lists(types(), min_size=2, max_size=3))
    lines = [f"space {name} : {group}" for name, group in zip("VW", groups, strict=True)]
    for at, (source, target) in enumerate(pairwise(sides)):
        lines.append(f"layer f{at} : {source} -> {target} = {draw(st.sampled_from(TERMS))}")
    count = len(sides) - 1
    lines.append(f"network net : {sides[0]} -> {sides[-1]} = {' ; '.join(f'f{at}' for at in range(count))}")
    return "\n".join(lines), count


@given(specs(), st.sampled_from(sorted(WAYS)), st.sampled_from(BATCHES), st.sampled_from((1, 2, 3)), st.booleans())
@settings(deadline=None, max_examples=10)
def test_every_way_is_the_definition(
    spec: tuple[str, int], way: str, batch: tuple[int, ...], n: int, roomy: bool
) -> None:
    """roomy: whether C works on all entries of the batch together, as it does where they are large."""
    text, count = spec
    sizes = {"n": 2 if "Sp(n)" in text else n}
    try:
        parsed = catnn.parse(text)
    except catnn.CatnnError as error:
        if not {found.code for found in error.diagnostics} <= {"E0601", "E0606"}:  # there is no map
            raise
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attach, "FORCED", way)
        patch.setattr(chains, "MARGIN", 0)
        if roomy:
            patch.setattr(calls, "FORWARD", 100)
            patch.setattr(calls, "GRADIENT", 100)
        module, definitions = made(parsed["net"], sizes), [Definition(parsed[f"f{at}"], sizes) for at in range(count)]
        assert_is_definition(parsed["f0"], made(parsed["f0"], sizes), sizes, batch)
        for one in getattr(module, "_together", ()):
            one.pays = lambda x: True
        xs = tuple(x.requires_grad_() for x in inputs(parsed["net"], sizes, batch))
        wanted = xs
        for at, definition in enumerate(definitions):
            wanted = definition(getattr(module, f"f{at}"), wanted)
        found = run(module, xs)
        assert_close(found, wanted, what="output")
        leaves = (*xs, *module.parameters())
        totals = [sum((y * y).sum() for y in ys) for ys in (found, wanted)]
        assert_close(*(gradients(total, leaves) for total in totals), what="gradient")


def made(item: Any, sizes: dict[str, int]) -> Any:
    return randomise(catnn.compile(item, dtype=DOUBLE, **{size: sizes[size] for size in item_sizes(item)}))


def gradients(total: Any, leaves: tuple[torch.Tensor, ...]) -> tuple[Any, ...]:
    """Those of the leaves; None for each where nothing depends on any."""
    if not isinstance(total, torch.Tensor) or not total.requires_grad:
        return (None,) * len(leaves)
    return torch.autograd.grad(total, leaves, allow_unused=True)
