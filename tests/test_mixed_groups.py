"""Random layers over random groups, mixed and summed: their definition, gradients and groups, as `catnn test` does."""

from __future__ import annotations

import random

import pytest
import torch

import catnn
from catnn.testing import run as checks
from catnn.testing.samples import assignments, call, inputs, module_of

GROUPS = (
    "S(n)", "S(2)", "S(3)", "A(2)", "A(3)", "A(4)", "O(n)", "O(2)", "O(3)", "SO(1)", "SO(2)", "SO(3)", "Sp(n)", "Sp(2)",
    "Sp(4)", "U(n)", "U(2)", "O(1,1)", "O(1,2)", "H(n)", "H(2)", "B(n)", "B(2)", "S'(n)", "S'(2)", "B'(n)", "B'(2)",
    "S+(n)", "S+(3)", "S+(4)", "O+(n)", "O+(2)", "Perm(2)", "Perm(3, (0 1 2))", "Aut(3, 0-1)",
    "Aut(4, 0-1 0-3 1-2 2-3)", "1", "2", "3",
)  # fmt: skip


def random_spec(seed: int) -> str:
    """A layer between direct sums of words over one to three spaces, with symmetric powers and dual wires."""
    pick = random.Random(seed)
    groups = [pick.choice(GROUPS).replace("(n)", f"({size})") for size in "nmk"[: pick.choice((1, 1, 2, 2, 3))]]
    spaces = dict(zip("VWX", groups, strict=False))

    def word() -> str:
        length, factors = pick.randint(0, 3), []
        while len(factors) < length:
            space = pick.choice(list(spaces))
            group = spaces[space]
            if group.startswith("S(") and len(factors) + 2 <= length and pick.random() < 0.25:
                factors.append(f"Sym^2({space})")
            else:
                factors.append(f"{space}'" if group.startswith("U") and pick.random() < 0.5 else space)
        return " @ ".join(factors) or "1"

    def side() -> str:
        return " + ".join(f"{word()}[{pick.randint(1, 3)}]" for _ in range(pick.choice((1, 1, 1, 2, 3))))

    source, target = side(), side()
    term = pick.choice(("all", "all + bias", "all + bias { reduce: mean }", "bias"))
    term = term.replace("all", "all + id") if source == target else term
    lines = [f"space {name} : {group}" for name, group in spaces.items()]
    return "\n".join([*lines, f"layer f : {source} -> {target} = {term}"])


def check(seed: int, *, only: tuple[str, ...]) -> bool:
    """Whether there was anything to check: some hom-spaces are empty, some too large."""
    text = random_spec(seed)
    try:
        spec = catnn.parse(text, max_diagrams=200)
    except catnn.CatnnError as error:
        assert {fault.code for fault in error.diagnostics} <= {"E0601", "E0602"}, text  # noqa: PT017
        return False
    found = list(checks(spec, only=only))
    assert [result for result in found if not result.ok] == [], text
    return any(result.status == "ok" for result in found)


def test_random_layers() -> None:
    assert sum(check(seed, only=("dense match", "equivariance")) for seed in range(30)) > 15


@pytest.mark.slow
@pytest.mark.parametrize("start", range(30, 230, 20))
def test_more_random_layers(start: int) -> None:
    only = ("dense match", "equivariance", "gradients", "mask", "copies")
    assert sum(check(seed, only=only) for seed in range(start, start + 20)) > 8


@pytest.mark.parametrize(
    "text",
    [
        "space V : A(3) space W : B(2) layer f : W @ V @ V[2] -> W[2] = all + bias",
        "space V : A(3) space W : B(2) layer f : V + W @ V @ V -> 1 + W = all + bias { reduce: mean }",
        "space V : A(2) space W : B(n) layer f : W @ V[2] -> W[3] = all + bias",
        "space V : SO(2) space W : B(n) layer f : W @ V^2[2] -> W[3] = all + bias",
    ],
)
def test_a_bias_is_added_once(text: str) -> None:
    """Where two products lead to the same columns, one of what an epsilon leaves, one of them takes the bias."""
    found = list(checks(catnn.parse(text), only=("dense match", "gradients")))
    assert [result.status for result in found] == ["ok", "ok"]


@pytest.mark.parametrize("arrow", ["V^2[2] -> 1[3]", "V @ R^2[2] + 1 -> 1[3]", "1[2] -> 1[3]"])
def test_a_bias_without_orbits(arrow: str) -> None:
    """On spaces given by orbits, a bias that stands on none of their wires."""
    text = f"space V : Aut(3, 0-1) space R : O(2) layer f : {arrow} = all + bias layer g : V -> V + 1 = all + bias"
    found = list(checks(catnn.parse(text), only=("dense match", "gradients", "copies")))
    assert {result.status for result in found} == {"ok"}


def random_program(seed: int) -> tuple[str, catnn.Diagram] | None:
    """A point-ful network of one pattern on two values, and the diagram that it is; None where there is none."""
    pick = random.Random(seed)
    groups = [pick.choice(GROUPS).replace("(n)", f"({size})") for size in "nm"[: pick.choice((1, 1, 2))]]
    spaces = dict(zip("VW", groups, strict=False))

    def word() -> list[str]:
        letters = [pick.choice(list(spaces)) for _ in range(pick.randint(0, 2))]
        return [f"{x}'" if spaces[x].startswith("U") and pick.random() < 0.5 else x for x in letters]

    one, two, result = word(), word(), word()
    names = [" @ ".join(letters) or "1" for letters in (one, two, [*one, *two], result)]
    lines = [f"space {name} : {group}" for name, group in spaces.items()]
    permuted = [f"space {x} : {f'S({group})' if group.isdigit() else group}" for x, group in spaces.items()]
    try:
        layer = catnn.parse("\n".join([*permuted, f"layer f : {names[2]} -> {names[3]} = all"]), max_diagrams=800)["f"]
    except catnn.CatnnError:
        return None
    diagram = pick.choice(layer.diagrams)
    before, _, pattern = str(diagram).rpartition("[")
    left, _, right = pattern.partition("->")
    letters = left.split()
    split = f"{' '.join(letters[: len(one)])}, {' '.join(letters[len(one) :])}"
    channels = pick.randint(1, 3)
    types = [f"{name}[{channels}]" for name in names]
    body = f"  return {before}[{split} ->{right}(x, y)"
    return "\n".join([*lines, f"network t(x: {types[0]}, y: {types[1]}) -> {types[3]} {{", body, "}"]), diagram


def check_program(seed: int, *, only: tuple[str, ...]) -> bool:
    """The matrix of the diagram on the products of the entries."""
    found = random_program(seed)
    if found is None:
        return False
    text, diagram = found
    spec = catnn.parse(text)
    for sizes in assignments(spec["t"])[:2]:
        xs = inputs(spec["t"], sizes, (2,))
        (y,) = call(module_of(spec["t"], sizes), xs)
        x, z = (value.reshape(2, -1, value.shape[-1]) for value in xs)
        matrix = torch.as_tensor(diagram.matrix(**{name: sizes[name] for name in diagram.size_names})).to(x.dtype)
        blocks = matrix.reshape(len(matrix), x.shape[1], z.shape[1])
        torch.testing.assert_close(y, torch.einsum("oij,bic,bjc->boc", blocks, x, z).reshape(y.shape))
    assert [result for result in checks(spec, only=only) if not result.ok] == [], text
    return True


def test_random_programs() -> None:
    assert sum(check_program(seed, only=("equivariance",)) for seed in range(40)) > 15


@pytest.mark.slow
@pytest.mark.parametrize("start", range(40, 240, 40))
def test_more_random_programs(start: int) -> None:
    only = ("equivariance", "gradients", "mask", "copies")
    assert sum(check_program(seed, only=only) for seed in range(start, start + 40)) > 15


def test_a_wire_of_b_may_end_alone_in_a_program() -> None:
    """Of B'(n) two may, though it has no unit."""
    for group in ("B(n)", "B'(n)"):
        spec = catnn.parse(f"space V : {group}  network t(x: V[2], y: V^2[2]) -> V[2] {{ return [i, j j -> k](x, y) }}")
        x, y = torch.randn(4, 2), torch.randn(4, 4, 2)
        wanted = (x.sum(0) * y.diagonal().sum(-1)).expand(4, 2)
        torch.testing.assert_close(catnn.compile(spec["t"])(x, y), wanted)
