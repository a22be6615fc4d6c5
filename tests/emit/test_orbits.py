"""Layers on spaces whose diagrams are orbits: beside their definition, under their groups, and not under others."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy
import pytest
import torch

import catnn
from catnn.category.families import FAMILIES
from catnn.category.labelled import is_orbital
from catnn.emit.ties import _orbits
from catnn.model import Layer
from catnn.plan.lower import lowered
from catnn.plan.prove import UnsoundPlanError
from catnn.plan.prove_ties import numbered, prove_ties
from catnn.plan.ties import Ties, moves_of
from catnn.testing.action import act, random_elements
from catnn.testing.dense import definition
from catnn.testing.samples import assignments, call, inputs, module_of, wires

SPEC = catnn.parse(
    """
    space V : Aut(5, 0-1 0-4 1-2 2-3 3-4)
    space D : Aut(4, 0->1 1->2 2->3 3->0)
    space W : Perm(3, (0 1 2))
    space T : Perm(2)
    space R : O(3)
    space N : S(n)
    space F : 3
    layer plain : V[2] -> V[3] = all + bias
    layer pairs : V^2[2] -> V^2[3] = all + bias
    layer pool : V^2[2] -> 1[3] = all
    layer lift : 1[2] -> V^2[3] = all + bias
    layer directed : D[2] -> D^2[2] = all + bias
    layer cyclic : W[2] -> W^2 = all + bias
    layer trivial : T[2] -> T^2[3] = all + bias
    layer gcn : V[4] -> V[4] = span { id[V], adj[V] } + bias
    layer walks : D[2] -> D[2] = span { [i -> j | j i], [i -> k | k j, j i], [i -> i] } { reduce: mean }
    layer residual : V[2] -> V[2] = all + id + 1/2 * adj[V]
    layer onlyfixed : V^2[2] -> V^2[2] = swap[V,V]
    layer vectors : V @ R -> R @ V = all + id ; swap[V,R]
    layer cloud : V @ N @ R[2] -> N @ V[3] @ R = all { reduce: mean }
    layer many : V @ W @ V -> W @ N @ V = all + bias
    layer sums : V^2 + W[3] -> V[2] + W @ V = all + bias
    layer axes : F @ V -> V @ F[2] = all + bias
    layer scaled : V @ N -> N @ V = span { [i n -> n i], (1/n) * [i n -> m j] } + (1/n) * [i n -> m i]
    layer zeros : V -> V = all { init: zeros }
    """.replace("all + id ; swap[V,R]", "all + swap[V,R]").replace("V[3] @ R", "V @ R[3]")
)
LAYERS = [item for item in SPEC.values() if isinstance(item, Layer)]


@pytest.fixture(params=LAYERS, ids=lambda layer: layer.name)
def layer(request: pytest.FixtureRequest) -> Layer:
    found: Layer = request.param
    return found


@pytest.mark.parametrize("batch", [(), (0,), (2, 3)])
def test_forward_and_gradient_are_those_of_the_definition(layer: Layer, batch: tuple[int, ...]) -> None:
    for sizes in assignments(layer)[:2]:
        module, xs = module_of(layer, sizes), inputs(layer, sizes, batch)
        xs = tuple(x.requires_grad_() for x in xs)
        ys, zs = call(module, xs), definition(layer, module, xs, sizes)
        for y, z in zip(ys, zs, strict=True):
            assert y.shape == z.shape
            torch.testing.assert_close(y, z)
        leaves = [*xs, *module.parameters()]
        weights = [torch.randn_like(y) for y in ys]
        found, expected = (
            torch.autograd.grad(
                sum((w * y).sum() for w, y in zip(weights, side, strict=True)), leaves, retain_graph=True
            )
            for side in (ys, zs)
        )
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one, other)


def test_layers_are_equivariant_under_their_groups(layer: Layer) -> None:
    for sizes in assignments(layer)[:1]:
        module, xs = module_of(layer, sizes), inputs(layer, sizes, (2,))
        for seed in range(4):
            elements = random_elements(wires(layer), sizes, seed)
            for one, other in zip(
                call(module, act(elements, xs, layer.source)),
                act(elements, call(module, xs), layer.target),
                strict=True,
            ):
                torch.testing.assert_close(one, other)


OUTSIDE = {"V": (1, 0, 2, 3, 4), "D": (3, 2, 1, 0), "W": (1, 0, 2), "T": (1, 0)}


@pytest.mark.parametrize("name", ["plain", "pairs", "directed", "trivial", "gcn", "walks", "vectors", "cloud", "axes"])
def test_they_are_not_under_a_permutation_outside(name: str) -> None:
    layer = SPEC[name]
    sizes = assignments(layer)[0]
    module, xs = module_of(layer, sizes), inputs(layer, sizes, (2,))
    elements = random_elements(wires(layer), sizes, 0)
    for wire in wires(layer):
        n = wire.group.size
        elements[wire] = torch.eye(n, dtype=torch.float64) if isinstance(n, int) else elements[wire]
        if is_orbital(wire):
            move = OUTSIDE[wire.space]
            assert FAMILIES[wire.group.family].group.chain.sift(move)[0] != tuple(range(len(move)))  # type: ignore[attr-defined]
            elements[wire] = torch.eye(len(move), dtype=torch.float64)[list(move)]
    there = call(module, act(elements, xs, layer.source))
    here = act(elements, call(module, xs), layer.target)
    assert any(float((a - b).detach().abs().max()) > 1e-3 for a, b in zip(here, there, strict=True))


@pytest.mark.parametrize("name", ["plain", "pairs", "directed", "cyclic"])
def test_each_has_the_reversal_where_its_graph_has(name: str) -> None:
    """The reflection of a ring is a symmetry of the undirected one and not of the directed."""
    wire = SPEC[name].source.words[0][0]
    n = wire.group.size
    reversal = tuple(reversed(range(n)))
    rest, _ = FAMILIES[wire.group.family].group.chain.sift(reversal)  # type: ignore[attr-defined]
    assert (rest == tuple(range(n))) == (name in ("plain", "pairs"))


def test_ties_are_proved(layer: Layer) -> None:
    for part in lowered(layer):
        assert part.ties is not None
        prove_ties(part.ties)


def mutants(ties: Ties) -> list[Ties]:
    """Ties with one thing wrong each."""
    found = []
    for at, tie in ties.weights.items():
        if not tie.diagrams:
            continue
        changes: list[dict[str, Any]] = [{"orbits": tie.orbits[:-1]}]
        if len(tie.orbits) > 1:
            changes.append({"orbits": (tie.orbits[1], tie.orbits[0], *tie.orbits[2:])})
        if tie.learned:
            (row, weight, value), *others = tie.learned
            changes.append({"learned": tuple(others)})
            changes.append({"learned": ((row, weight, value + 1), *others)})
            changes.append(
                {"learned": (((row + 1) % tie.rows, weight, value), *others)} if tie.rows > 1 else {"learned": ()}
            )
        if tie.fixed:
            changes.append({"fixed": ()})
            changes.append({"fixed": (*tie.fixed, (0, Fraction(1)))})
        found += [replace(ties, weights={**ties.weights, at: replace(tie, **change)}) for change in changes]
    return found


def test_wrong_ties_are_found(layer: Layer) -> None:
    for part in lowered(layer):
        assert part.ties is not None
        for mutant in mutants(part.ties):
            with pytest.raises((UnsoundPlanError, IndexError)):
                prove_ties(mutant)


def test_generated_code_numbers_orbits_as_the_proof_does(layer: Layer) -> None:
    for part in lowered(layer):
        assert part.ties is not None
        for tie in (*part.ties.weights.values(), *part.ties.biases.values()):
            if not tie.diagrams:
                continue
            spaces = tuple(wire.space for wire in tie.spaces)
            moves = {wire.space: (wire.group.size, moves_of(wire)) for wire in tie.spaces}
            found = _orbits(spaces, moves, len(tie.orbits), None)
            assert (found.numpy() == numbered(tie.spaces)).all()
            with pytest.raises(ValueError, match="orbits were found"):
                _orbits(spaces, moves, len(tie.orbits) + 1, None)


def test_a_large_ring_is_numbered_quickly() -> None:
    moves = {"V": (200, (tuple((i + 1) % 200 for i in range(200)),))}
    found = _orbits(("V", "V"), moves, 200, None).view(200, 200)
    at = torch.arange(200)
    assert (found == (at[None, :] - at[:, None]) % 200).all()


def test_weights_keep_unit_variance() -> None:
    torch.manual_seed(0)
    module = catnn.compile(SPEC["pairs"], dtype=torch.float64)
    y = module(torch.randn(2000, 5, 5, 2, dtype=torch.float64))
    assert 0.5 < float(y.var()) < 2
    assert not catnn.compile(SPEC["zeros"]).weight.any()


@pytest.mark.parametrize("name", ["pairs", "residual", "cloud", "sums"])
def test_modules_transform_and_deploy(name: str) -> None:
    layer = SPEC[name]
    sizes = assignments(layer)[0]
    module, xs = module_of(layer, sizes), inputs(layer, sizes, (3,))
    argument = xs if len(xs) > 1 else xs[0]
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    expected = call(module, xs)
    mapped = torch.vmap(lambda *v: call(module, v))(*xs)
    exported = torch.export.export(module, (argument,)).module()(argument)
    for results in (mapped, exported if isinstance(exported, tuple) else (exported,)):
        for one, other in zip(results, expected, strict=True):
            torch.testing.assert_close(one, other)
    again = module_of(layer, sizes, seed=5)
    again.load_state_dict(module.state_dict())
    for one, other in zip(call(again, xs), expected, strict=True):
        torch.testing.assert_close(one, other)


def test_gradgradcheck() -> None:
    module, xs = module_of(SPEC["trivial"], {}), inputs(SPEC["trivial"], {}, (2,))
    parameters = dict(module.named_parameters())

    def function(x: torch.Tensor, *values: torch.Tensor) -> Any:
        return torch.func.functional_call(module, dict(zip(parameters, values, strict=True)), (x,))

    leaves = (xs[0].requires_grad_(), *(p.detach().requires_grad_() for p in parameters.values()))
    assert torch.autograd.gradcheck(function, leaves)
    assert torch.autograd.gradgradcheck(function, leaves)


def test_complete_graphs_give_the_layers_of_the_symmetric_group() -> None:
    """K_n gives back S(n): the same span, so the same best approximation of any matrix."""
    ours = catnn.parse("space V : Aut(3, 0-1 0-2 1-2)  layer f : V^2 -> V^2 = all")["f"]
    theirs = catnn.parse("space V : S(3)  layer f : V^2 -> V^2 = all")["f"]
    both = [numpy.array([d.matrix().reshape(-1) for d in one.diagrams]) for one in (ours, theirs)]
    assert [len(rows) for rows in both] == [14, 14]
    assert numpy.linalg.matrix_rank(numpy.vstack(both)) == 14
