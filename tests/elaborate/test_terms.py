"""Fixed terms mean what their matrices say: random terms against an evaluation by numpy that shares nothing."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import nullcontext
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import catnn
from catnn.diagnostics import CatnnError
from catnn.syntax.printer import WIDTH, format_source

Word = tuple[str, ...]
SIZES = {"n": 3, "m": 2, "r": 2}
SPACES = {"N": ("S", "n"), "R": ("O", "m"), "P": ("Sp", "r")}
HEAD = "space N : S(n)\nspace R : O(m)\nspace P : Sp(r)\n"
OMEGA = np.array([[0, 1], [-1, 0]])


def length(wire: str) -> int:
    return SIZES[SPACES[wire][1]]


def show(word: Word) -> str:
    return " @ ".join(word) or "1"


def tensor_of(source: Word, target: Word, letters: list[str]) -> np.ndarray:
    """The matrix of a pattern by its definition, entry by entry; letters of the outputs, then of the inputs."""
    wires = (*target, *source)
    result = np.zeros([length(wire) for wire in wires])
    for index in np.ndindex(*result.shape):
        value = 1
        for letter in set(letters):
            at = [v for v, other in enumerate(letters) if other == letter]
            crosses = at[0] < len(target) <= at[-1]
            if wires[at[0]] == "P" and not crosses:
                value *= OMEGA[index[at[0]], index[at[1]]]
            else:
                value *= len({index[v] for v in at}) == 1
        result[index] = value
    return result.reshape(prod(length(w) for w in target), -1)


def pattern(rng: random.Random, source: Word, target: Word) -> tuple[str, np.ndarray] | None:
    """A random pattern on two words, if there is one."""
    wires = (*target, *source)
    letters = [""] * len(wires)
    for wire, count in Counter(wires).items():
        at = [v for v, other in enumerate(wires) if other == wire]
        if wire == "N":
            for v in at:
                letters[v] = f"{wire.lower()}{rng.randrange(count)}"
        elif count % 2:
            return None
        else:
            rng.shuffle(at)
            for number, v in enumerate(at):
                letters[v] = f"{wire.lower()}{number // 2}"
    text = f"[{' '.join(letters[len(target) :])} -> {' '.join(letters[: len(target)])}]"
    return text, tensor_of(source, target, letters)


def atom(rng: random.Random, source: Word) -> tuple[str, Word, np.ndarray, int]:
    """A generator on the first wires of a word: text, target, matrix, and how many wires it takes."""

    def spider(wire: str, k: int, l: int) -> np.ndarray:
        return tensor_of((wire,) * k, (wire,) * l, ["x"] * (k + l))

    choices: list[tuple[str, Word, np.ndarray, int]] = []
    if len(source) < 4:
        for wire in SPACES:
            choices.append((f"coev[{wire}]", (wire, wire), spider(wire, 0, 2), 0))
        choices.append(("unit[N]", ("N",), spider("N", 0, 1), 0))
    if source[:1] == ("N",):
        choices.append(("copy[N]", ("N", "N"), spider("N", 1, 2), 1))
        choices.append(("discard[N]", (), spider("N", 1, 0), 1))
        choices.append(("spider[1,1,N]", ("N",), spider("N", 1, 1), 1))
    if len(source) > 1:
        a, b = source[:2]
        flip = np.einsum("ab,cd->acdb", np.eye(length(b)), np.eye(length(a))).reshape(length(a) * length(b), -1)
        choices.append((f"swap[{a},{b}]", (b, a), flip, 2))
        if a == b:
            choices.append((f"ev[{a}]", (), spider(a, 2, 0), 2))
        if a == b == "N":
            choices.append(("merge[N]", ("N",), spider("N", 2, 1), 2))
    return rng.choice(choices)


def stage(rng: random.Random, source: Word) -> tuple[str, Word, np.ndarray]:
    """A generator with identities beside it, or a pattern."""
    if rng.random() < 0.3:
        target = tuple(rng.choice(list(SPACES)) for _ in range(rng.randrange(3)))
        found = pattern(rng, source, target)
        if found is not None:
            return f"(id[{show(source)}] ; {found[0]} ; id[{show(target)}])", target, found[1]
    skip = rng.randint(0, len(source))
    text, middle, matrix, taken = atom(rng, source[skip:])
    before, after = source[:skip], source[skip + taken :]
    eyes = [np.eye(prod(length(w) for w in word)) for word in (before, after)]
    texts = [f"id[{show(before)}]"] * bool(before) + [text] + [f"id[{show(after)}]"] * bool(after)
    return "(" + " @ ".join(texts) + ")", before + middle + after, np.kron(np.kron(eyes[0], matrix), eyes[1])


def term(rng: random.Random, source: Word) -> tuple[str, Word, np.ndarray]:
    """A random term from a word, with its matrix."""
    texts, word, matrix = [], source, np.eye(prod(length(w) for w in source))
    for _ in range(rng.randint(1, 5)):
        text, word, step = stage(rng, word)
        if rng.random() < 0.2:
            text, step = f"3/2 * {text}", 1.5 * step
        texts.append(text)
        matrix = step @ matrix
    whole = "(" + " ; ".join(texts) + ")"
    if rng.random() < 0.4 and (found := pattern(rng, source, word)) is not None:
        whole, matrix = f"({whole} - n * {found[0]})", matrix - SIZES["n"] * found[1]
    return whole, word, matrix


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False))
def test_a_term_is_its_matrix(rng: random.Random) -> None:
    source = tuple(rng.choice(list(SPACES)) for _ in range(rng.randrange(4)))
    text, target, matrix = term(rng, source)
    if rng.random() < 0.3:
        text, matrix, source = f"{text}' ; {text}", matrix @ matrix.T, target
    value = catnn.parse(f"{HEAD}let f : {show(source)} -> {show(target)} = {text}")["f"]
    names = {name: SIZES[name] for name in value.size_names}
    np.testing.assert_allclose(value.matrix(**names), matrix)


@settings(max_examples=50, deadline=None)
@given(st.randoms(use_true_random=False))
def test_a_check_is_proved_iff_matrices_agree(rng: random.Random) -> None:
    """At literal sizes a check compares maps, so the relations of small n count."""
    head = "space N : S(2)\n"
    words = [("N",) * rng.randrange(3) for _ in range(2)]
    sides = []
    for _ in range(2):
        letters = [[rng.choice("ijk") for _ in words[0]], [rng.choice("ijk") for _ in words[1]]]
        sides.append(f"[{' '.join(letters[0])} -> {' '.join(letters[1])}]")
    arrow = f"{show(words[0])} -> {show(words[1])}"
    spec = catnn.parse(f"{head}let f : {arrow} = {sides[0]}\nlet g : {arrow} = {sides[1]}")
    equal = np.array_equal(spec["f"].matrix(2), spec["g"].matrix(2))
    with nullcontext() if equal else pytest.raises(CatnnError, match="E0701"):
        catnn.parse(f"{head}check {sides[0]} = {sides[1]} : {arrow}")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("let f : V^3 -> V^3 = perm[2,0,1]", "[i j k -> k i j]"),
        ("let f : V^2 -> V^2 = id", "[i j -> i j]"),
        ("let f : V^2 -> V^2 = (swap + id) ; id[V^2]", "[i j -> i j] + [i j -> j i]"),
        ("let f : V^2 -> V^2 = -id + 1/2 * id", "-1/2 * [i j -> i j]"),
        ("let f : 1 -> 1 = unit ; discard", "n * [->]"),
        ("let f : 1 -> 1 = n / 2", "n/2 * [->]"),
        ("let f : V -> V = (1/n) * (discard ; unit)", "1/n * [i -> j]"),
        ("let f : V -> V^2 = merge'", "[i -> i i]"),
        ("let f : V^2 -> 1 = cap\n", "[i i ->]"),
        ("let f : V -> V = coev @ id ; id @ ev", "[i -> i]"),
        ("let f : V^2 -> V = [row col -> col]", "[i j -> j]"),
        ("let f : V^2 -> V^3 = spider[2,3]", "[i i -> i i i]"),
        ("let f : 1 -> V = spider[0,1]", "[-> i]"),
        ("let f : 1 -> 1 = id[1]", "[->]"),
        ("let g : V -> V = discard ; unit\nlet f : V -> V = g ; g", "n * [i -> j]"),
    ],
)
def test_normal_forms(text: str, shown: str) -> None:
    assert str(catnn.parse(f"space V : S(n)\n{text}")["f"]) == shown


@pytest.mark.parametrize(
    "text",
    [
        "check (coev[P] @ id[P]) ; (id[P] @ ev[P]) = -id[P]",
        "check coev[P] ; ev[P] = r",
        "check coev[R] ; ev[R] = m",
        "let f : N @ R -> R @ N = swap\ncheck f ; swap = id",
        "check [i j -> j i] = swap : N @ R -> R @ N",
        "check id = [i -> i] : R -> R",
        "check id = id : N^2 -> N^2",
        "check copy[N] ; swap = copy",
        "check discard[N] @ id[R] = [i j -> j] : N @ R -> R",
    ],
)
def test_spaces_are_inferred(text: str) -> None:
    assert len(catnn.parse(HEAD + text).checks) == 1


def test_long_chains() -> None:
    stages = " ; ".join(["copy", "merge"] * 2000)
    assert str(catnn.parse(f"space V : S(n)\nlet f : V -> V = {stages}")["f"]) == "[i -> i]"
    summands = " + ".join(["id"] * 2000)
    assert str(catnn.parse(f"space V : S(n)\nlet f : V -> V = {summands}")["f"]) == "2000 * [i -> i]"


scalar_texts = st.builds(
    lambda sign, number, powers: f"({sign}{number}{''.join(f'{op}{size}' for op, size in powers)})",
    st.sampled_from(["", "-"]),
    st.sampled_from(["1", "2", "1/2", "3/4"]),
    st.lists(st.tuples(st.sampled_from("*/"), st.sampled_from("nm")), max_size=3),
)
"""Scalars as somebody may write them, in brackets."""


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(scalar_texts, st.sampled_from(["i i", "i j", "j i", "i k"])), min_size=1, max_size=4))
def test_a_combination_prints_as_it_is_written(terms: list[tuple[str, str]]) -> None:
    """What a fixed combination prints is its own spec, in the spelling of `catnn fmt`."""
    head = "space V : S(n)\nspace W : S(m)\nlet f : V^2 -> V^2 = "
    found = catnn.parse(head + " + ".join(f"{scalar} * [i j -> {outputs}]" for scalar, outputs in terms))["f"]
    if any(len(coefficient.terms) > 1 for coefficient, _ in found.weighted):
        return  # no scalar of the language
    printed = f"{head}{found}\n"
    assert found == catnn.parse(printed)["f"] if found else str(found) == "0"
    if found and len(printed.splitlines()[-1]) <= WIDTH:
        assert format_source(printed) == printed
