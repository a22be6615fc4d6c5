"""Rules of variable arity: used in both directions, with loose wires, and never beyond the budget."""

from __future__ import annotations

import time

import pytest

import catnn
from catnn.checker import verify
from catnn.model import Check
from catnn.rewrite.proofs import from_json, goal, to_dict, to_json
from catnn.rewrite.rule import Schema
from catnn.rewrite.strategy import simplify

HEAD = """
space V : S(n)
box f, g : V -> V = abstract
box k : 1 -> V = abstract
box m : V^2 -> V = abstract
"""


def proved(text: str) -> tuple[Check, ...]:
    """The checks of a text, each proof replayed against the rules, and once more after it was saved."""
    spec = catnn.parse(HEAD + text)
    for check in spec.checks:
        assert check.proof is not None
        assert check.proof.left.steps + check.proof.right.steps
        assert check.sides is not None
        aim = goal(*check.sides, check.proof, spec.rules)
        verify(to_dict(check.proof), aim)
        again = from_json(to_json(check.proof))
        assert again == check.proof
        verify(to_dict(again), aim)
    return spec.checks


@pytest.mark.parametrize("sign", ["=", "=>"])
def test_a_schema_is_searched_in_both_directions(sign: str) -> None:
    """The sizes of the right side determine the instance."""
    checks = proved(
        f"""
        rule wide : spider[p,1] ; f {sign} f^p ; spider[p,1]
        check spider[3,1] ; f ; g = f^3 ; spider[3,1] ; g
        check f^3 ; spider[3,1] ; g = spider[3,1] ; f ; g
        check (f^3 ; spider[3,1]) @ g ; m = (spider[3,1] ; f) @ g ; m
        """
    )
    assert len(checks) == 3


def test_an_unoriented_schema_simplifies_where_fewer_boxes_are_left() -> None:
    spec = catnn.parse(HEAD + "rule copies : k ; spider[1,q] = k^q\nlet many : 1 -> V^5 = k^4 @ (k ; f)")
    (law,) = spec.rules
    assert isinstance(law, Schema)
    found = simplify(spec.composites["many"], [law])
    assert found.finished
    assert str(found.value) in ("k ; copy ; id @ f", "k ; [i -> i i] ; f @ id ; [j i -> i i i i j]")
    assert not simplify(found.value, [law]).trace.steps


def test_what_the_right_side_does_not_determine_is_not_searched_backwards() -> None:
    spec = catnn.parse(HEAD + "rule gone : f^q ; discard^q => discard^q\nrule lost : spider[1,q] ; discard^q = discard")
    determined = [law.is_determined for law in spec.rules if isinstance(law, Schema)]
    assert determined == [True, False]


def test_a_left_side_of_loose_wires_is_looked_for() -> None:
    """Two wires or more that hang on no box, which may be anywhere."""
    checks = proved(
        """
        rule two : spider[p,1] @ spider[q,1] => f^p @ f^q ; spider[p,1] @ spider[q,1] ; g @ g
        check spider[2,1] @ spider[3,1] ; m = f^5 ; spider[2,1] @ spider[3,1] ; g @ g ; m
        """
    )
    (step,) = (*checks[0].proof.left.steps, *checks[0].proof.right.steps) if checks[0].proof else ()
    assert step.rule.name in ("two[p=2, q=3]", "two[p=3, q=2]")


def test_instances_are_paid_for() -> None:
    """Rules whose instances grow with the diagram, which grows with them: two hundred of each size that there is."""
    start = time.process_time()
    for text in (
        "rule two : discard^p @ unit^q => k'^p @ k^q\ncheck m ; discard = f ; k'",
        "rule two : discard^p @ unit^q => k'^p @ k^q\ncheck unit @ unit ; m = k ; f",
        "rule many : spider[p,q] => f^p ; spider[p,q] ; g^q\ncheck spider[3,3] ; f^3 = f^3 ; spider[3,3]",
        "rule sums : k ; spider[1,q] => (k + unit)^q\ncheck k ; spider[1,11] = k^11",
        "rule powers : f^p @ g^q = g^q @ f^p\ncheck f^20 @ g^20 = g^20 @ f^20 ; f^40",
    ):
        with pytest.raises(catnn.CatnnError):
            catnn.parse(HEAD + text)
    assert time.process_time() - start < 20  # five seconds where nothing else runs
