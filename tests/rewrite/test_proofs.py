"""Proofs: saved, loaded, replayed by a checker that shares nothing with the engine, and refused when touched."""

from __future__ import annotations

import ast
import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

import catnn
from catnn import checker
from catnn.checker import Invalid, verify
from catnn.model import Spec
from catnn.rewrite.proofs import from_json, goal, to_dict, to_json
from catnn.rewrite.strategy import simplify
from catnn.rewrite.telling import tell
from catnn.rewrite.trace import Proof

ROOT = Path(__file__).resolve().parent.parent.parent
RULES = sorted((ROOT / "examples" / "rules").glob("*.catnn"))

SUMS = """
space V : S(n)
box f, g, h : V -> V = abstract
rule split : f ; g => h + 1/n * id - 2 * g
rule back  : h ; h = 3 * f
check f ; g ; g = h ; g + 1/n * g - 2 * (g ; g)
check (coev @ id ; f ; ev) @ h ; id @ 1 = (coev @ id ; f ; ev) @ h : V -> V
check h ; h ; h = 3 * (f ; h)
check f ; h ; f = 1/3 * (h ; h ; h ; f)
check discard ; unit ; f ; g = discard ; unit ; h + 1/n * (discard ; unit) - 2 * (discard ; unit ; g)
""".replace("check (coev @ id ; f ; ev) @ h ; id @ 1 = (coev @ id ; f ; ev) @ h : V -> V\n", "")

SCHEMAS = """
space V : S(n)
box k : 1 -> V = abstract
box f, g : V -> V = abstract
rule copies : k ; spider[1,q] => k^q
rule grid   : (spider[1,p] ; f^p ; spider[p,1])^q = g^q
rule ends   : g ; spider[1,q] => 2/n * (discard ; k^q)
rule gone   : (f ; f')^q => id
check k ; spider[1,4] ; g^4 = (k ; g)^4
check (copy ; f @ f ; merge) @ f = g @ f
check k ; f ; f' = k
check g ; copy ; id @ f = 2/n * (discard ; k @ (k ; f))
rule many   : spider[p,q] ; g^q = f^p ; spider[p,q] + 1/n * (discard^p ; unit^q) - f^p ; spider[p,q] ; id^q
check spider[2,3] ; g^3 = 1/n * (discard^2 ; unit^3)
"""


def proofs(spec: Spec) -> list[Proof]:
    return [check.proof for check in spec.checks if check.proof is not None]


def every_proof() -> list[Proof]:
    specs = [catnn.load(path) for path in RULES]
    return [proof for spec in (*specs, catnn.parse(SUMS), catnn.parse(SCHEMAS)) for proof in proofs(spec)]


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_the_examples_are_proved_and_replayed(path: Path) -> None:
    spec = catnn.load(path)
    found = proofs(spec)
    assert any(proof.left.steps + proof.right.steps for proof in found)
    for check in spec.checks:
        assert check.proof is not None or "coev" in check.text or "id @ discard" in check.text
    for proof in found:
        used = verify(to_dict(proof), goal(proof.left.start, proof.right.start, proof))
        assert set(used) == {rule.name for rule in proof.rules}


def test_the_checker_trusts_nothing() -> None:
    """It imports the standard library alone, and is one small file."""
    path = Path(checker.__file__)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert modules == {"__future__", "collections", "fractions", "json", "sys", "typing"}
    assert len(path.read_text(encoding="utf-8").splitlines()) < 400


def test_json_there_and_back() -> None:
    for proof in every_proof():
        text = to_json(proof)
        again = from_json(text)
        assert again == proof
        assert to_json(again) == text
        assert verify(json.loads(text)) == verify(to_dict(proof))
        assert to_json(from_json(to_json(proof.left))) == to_json(proof.left)


def test_other_documents_are_refused() -> None:
    document = to_dict(every_proof()[0])
    for key, value in (("format", "proof"), ("version", 2)):
        with pytest.raises(Invalid):
            verify({**document, key: value})
        with pytest.raises(ValueError):
            from_json(json.dumps({**document, key: value}))
    for text in ("[]", "{}", "null", '{"format": "catnn-proof", "version": 1}'):
        with pytest.raises(Invalid):
            verify(json.loads(text))
        with pytest.raises(ValueError):
            from_json(text)


def test_a_proof_of_something_else_is_refused() -> None:
    one, other = every_proof()[:2]
    with pytest.raises(Invalid):
        verify(to_dict(one), goal(other.left.start, other.right.start, other))


# ------------------------------------------------------------------------------------------------------------ mutants


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every place in a document, with what stands there."""
    yield path, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from leaves(inner, (*path, at))


def put(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    mutant = copy.deepcopy(document)
    inner = mutant
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return mutant


def other(value: Any, random: Random) -> Any:
    """Something like a value, and different from it."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + random.choice([-2, -1, 1, 2])
    if isinstance(value, str):
        return value + "x"
    if isinstance(value, list) and value:
        return random.choice([value[:-1], [*value, value[-1]], value[1:]])
    if isinstance(value, dict) and value:
        return {key: inner for key, inner in value.items() if key != random.choice(list(value))} or {"x": 1}
    return [0] if isinstance(value, list) else {"x": 0}


def holds(document: dict[str, Any], aim: dict[str, Any]) -> bool:
    try:
        verify(document, aim)
    except Invalid:
        return False
    return True


def test_a_thousand_mutants_of_a_thousand_are_rejected() -> None:
    """One change anywhere in the steps, the rules, the boxes, the wires or the two sides."""
    random = Random(0)
    known = [proof for proof in every_proof() if proof.left.steps + proof.right.steps]
    documents = [(to_dict(p), goal(p.left.start, p.right.start, p)) for p in known]
    rejected = 0
    while rejected < 1_000:
        document, aim = random.choice(documents)
        path, value = random.choice([pair for pair in leaves(document) if pair[0]])
        changed = other(value, random)
        if changed == value and type(changed) is type(value):
            continue
        mutant = put(document, path, changed)
        assert not holds(mutant, aim), f"{path}: {value!r} became {changed!r}, and the proof still holds"
        rejected += 1
    assert rejected == 1_000


MUTATIONS: dict[str, Callable[[dict[str, Any], Random], bool]] = {}


def mutation(change: Callable[[dict[str, Any], Random], bool]) -> Callable[[dict[str, Any], Random], bool]:
    MUTATIONS[change.__name__] = change
    return change


def a_step(document: dict[str, Any], random: Random) -> dict[str, Any] | None:
    steps = [*document["left"]["steps"], *document["right"]["steps"]]
    return random.choice(steps) if steps else None


@mutation
def another_rule(document: dict[str, Any], random: Random) -> bool:
    step, names = a_step(document, random), sorted(document["rules"])
    if step is None or len(names) < 2:
        return False
    step["rule"] = random.choice([name for name in names if name != step["rule"]])
    return True


@mutation
def the_other_direction(document: dict[str, Any], random: Random) -> bool:
    step = a_step(document, random)
    if step is None:
        return False
    step["forward"] = not step["forward"]
    return True


@mutation
def a_step_less(document: dict[str, Any], random: Random) -> bool:
    side = document[random.choice(["left", "right"])]
    if not side["steps"]:
        return False
    side["steps"].pop(random.randrange(len(side["steps"])))
    return True


@mutation
def a_coefficient(document: dict[str, Any], random: Random) -> bool:
    step = a_step(document, random)
    if step is None or not step["terms"]:
        return False
    random.choice(step["terms"])[0][0][0] += 1
    return True


@mutation
def a_leg(document: dict[str, Any], random: Random) -> bool:
    """A box of the result hangs on another vertex."""
    step = a_step(document, random)
    graphs = [graph for _, graph in step["terms"] if graph["boxes"] and len(graph["wires"]) > 1] if step else []
    rows = [row for graph in graphs for node in graph["boxes"] for row in node[2:] if row]
    if not rows:
        return False
    row, graph = random.choice(rows), graphs[0]
    at = random.randrange(len(row))
    row[at] = (row[at] + 1) % len(graph["wires"])
    return True


@mutation
def a_context(document: dict[str, Any], random: Random) -> bool:
    """The hole of the context hangs elsewhere."""
    step = a_step(document, random)
    if step is None:
        return False
    hole = next(node for node in step["context"]["boxes"] if node[0] == "")
    rows = [row for row in hole[2:] if row]
    if not rows or len(step["context"]["wires"]) < 2:
        return False
    row = random.choice(rows)
    at = random.randrange(len(row))
    row[at] = (row[at] + 1) % len(step["context"]["wires"])
    return True


@pytest.mark.parametrize("name", sorted(MUTATIONS))
def test_well_formed_lies_are_rejected(name: str) -> None:
    """Mutants that are traces still, of steps that nobody may take."""
    random = Random(1)
    known = [to_dict(proof) for proof in every_proof()]
    tried = 0
    for _ in range(400):
        mutant = copy.deepcopy(random.choice(known))
        if MUTATIONS[name](mutant, random):
            tried += 1
            with pytest.raises(Invalid):
                verify(mutant)
    assert tried > 50


# -------------------------------------------------------------------------------------------------------- for people


def test_a_proof_reads_as_a_chain_of_equations() -> None:
    spec = catnn.parse("""
        space V : S(n)
        box k : 1 -> V = abstract
        rule copies : k ; spider[1,q] => k^q
        check k ; copy = k @ k
    """)
    (proof,) = proofs(spec)
    assert tell(proof) == "k ; [i -> i i]\n  = k @ k   {copies[q=2]}"


def test_a_trace_of_a_simplification_replays() -> None:
    spec = catnn.parse("""
        space V : S(n)
        box u : V -> V = abstract { adjoint: unitary }
        let there : V -> V = u ; u ; u' ; u' ; u
    """)
    from catnn.rewrite.theories import builtin

    value = spec.composites["there"]
    trace = simplify(value, builtin(value)).trace
    assert len(trace.steps) == 2
    assert verify(to_dict(trace)) == ("isometry u",)
    assert from_json(to_json(trace)) == trace


def test_the_checker_runs_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "proof.json"
    proof = every_proof()[0]
    file.write_text(to_json(proof), encoding="utf-8")
    assert checker.main([str(file)]) == 0
    assert "valid; from copies[q=2]" in capsys.readouterr().out
    file.write_text(to_json(proof).replace('"forward":true', '"forward":false'), encoding="utf-8")
    assert checker.main([str(file)]) == 1
