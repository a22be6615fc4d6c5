"""Whatever is written: a meaning or coded errors, soon."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import catnn
from catnn.diagnostics import CatnnError

WORDS = (
    "V W R P N f g h t n m 1 2 0 3 V^2 R^2 1[2] V[2] [i->i] [i j -> j i] [i i ->] [->] [i j -> i] all bias id swap "
    "merge copy unit discard spider[2,1] spider[0,0] perm[1,0] perm[0] ev coev eps cap relu gate tanh id[V] ev[R] "
    "swap[V,R] span{id} span{f,g} ( ) ' 1/2* n* - + ; ; ; @ @ + -"
).split()
HEAD = """space V : S(n)
space R : O(3)
space P : Sp(m)
let t : V^2 -> V = merge
layer f : V[2] -> V[2] = all + bias
layer d : V + R -> V + R = all + id
network g : V[2] -> V[2] = f ; relu
"""
TYPES = ("V", "V^2", "1", "R", "R^2", "V @ R", "P^2", "V[2]", "V + R", "1[2]", "V^2[2] + 1")


def try_spec(text: str) -> None:
    start = time.process_time()
    try:
        repr(catnn.parse(text))
    except CatnnError as error:
        places = [fault.labels[0].span.start for fault in error.diagnostics if fault.labels]
        assert places == sorted(places)
        str(error)
    assert time.process_time() - start < 5


@settings(max_examples=400, deadline=None)
@given(st.randoms(use_true_random=False))
def test_random_terms(rng: random.Random) -> None:
    lines = []
    for _ in range(rng.randint(1, 4)):
        arrow = f"{rng.choice(TYPES)} -> {rng.choice(TYPES)}"
        term = " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 7)))
        kind = rng.choice(["let h :", "layer h :", "network h :", "check", "let t :"])
        lines.append(f"check {term} = {rng.choice(WORDS)}" if kind == "check" else f"{kind} {arrow} = {term}")
    try_spec(HEAD + "\n".join(lines))


STAGES = ["id", "swap", "merge", "copy", "[i -> i]", "[i j -> j]", "f", "g", "d", "relu", "gate", "t", "id[V]"]


@settings(max_examples=400, deadline=None)
@given(st.randoms(use_true_random=False))
def test_terms_that_parse(rng: random.Random) -> None:
    def term(depth: int) -> str:
        if depth == 0 or rng.random() < 0.3:
            return rng.choice(STAGES)
        parts = [term(depth - 1) for _ in range(rng.randint(1, 3))]
        joined = rng.choice([" ; ", " @ ", " + ", " - "]).join(parts)
        return rng.choice(["({})", "({})'", "1/2 * ({})", "-({})", "n * ({})"]).format(joined)

    arrow = f"{rng.choice(TYPES)} -> {rng.choice(TYPES)}"
    kind = rng.choice(["let", "layer", "network"])
    try_spec(f"{HEAD}{kind} h : {arrow} = {term(3)}\ncheck {term(2)} = {term(2)} : V -> V")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "space V : S(n)",
        "check [->] = 1",
        "let f : 1 -> 1 = 1/2",
        "layer f : 1 -> 1 = all",
        "space V : S(1)  layer f : V^3 -> V^3 = all + bias { reduce: mean }",
        "space V : Sp(2)  check (coev @ id) ; (id @ ev) = -id",
        "space V : S(n)  let f : V -> V = spider[0,0] @ id",
    ],
)
def test_small_things(text: str) -> None:
    catnn.parse(text)


def test_doubling_coefficients_ends_soon() -> None:
    lets = "\n".join(f"let a{i + 1} : 1 -> 1 = a{i} @ a{i}" for i in range(60))
    with pytest.raises(CatnnError, match="E0407"):
        catnn.parse(f"let a0 : 1 -> 1 = 3 * [->]\n{lets}")
