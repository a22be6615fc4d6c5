"""Boxes and rules in a file: what they mean, what may be said with them, what is refused."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

import catnn
from catnn.checker import verify
from catnn.cli import main
from catnn.diagnostics import CatnnError, Diagnostic
from catnn.model import Spec
from catnn.rewrite.proofs import to_dict
from catnn.rewrite.rule import Rule, Schema

V = "space V : S(n)\n"
BOXES = V + "box f, g : V -> V = abstract\nbox k : 1 -> V = abstract\nbox m : V^2 -> V = abstract\n"


def faults(text: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(CatnnError) as caught:
        catnn.parse(text, "a.catnn")
    return caught.value.diagnostics


def steps(spec: Spec) -> list[int]:
    proofs = [check.proof for check in spec.checks]
    return [len(proof.left.steps) + len(proof.right.steps) if proof else 0 for proof in proofs]


# -------------------------------------------------------------------------------------------------------------- boxes


def test_boxes_are_values_by_name() -> None:
    spec = catnn.parse(BOXES + "let twice : V -> V = f ; f\nlet gone : V -> V = f - f + id")
    assert list(spec.boxes) == ["f", "g", "k", "m"]
    assert str(spec.boxes["m"]) == "m : V^2 -> V"
    assert str(spec.composites["twice"]) == "f ; f"
    assert spec["gone"] == catnn.diagram("S(n)", "i -> i")
    assert "twice" not in spec


def test_checks_with_boxes_hold_by_normal_form() -> None:
    spec = catnn.parse(
        BOXES
        + """
        check f @ g ; swap = swap ; g @ f
        check (f ; g)' = g' ; f'
        check f + g - f = g
        check k ; f @ [->] = k ; f
        check coev ; f @ id ; ev = coev ; id @ f ; swap ; ev
        check copy ; f @ id ; merge = copy ; id @ f ; merge
        check (f @ id ; m) @ 2 = 2 * (f @ id ; m)
        check n * (k ; discard) = (unit ; discard) @ (k ; discard)
        check f^3 = f @ f @ f
        check f^0 = [->]
        check n^2 * f = n * n * f
        """
    )
    assert len(spec.checks) == 11
    assert steps(spec) == [0] * 11


def test_promises_are_laws() -> None:
    spec = catnn.parse(
        V
        + """
        box q : V -> V^2 = abstract { adjoint: isometry }
        box u : V -> V = abstract { adjoint: unitary }
        box a : V -> V = abstract { adjoint: self }
        box s : V^2 -> V = abstract { symmetric: inputs }
        check q ; q' = id
        check u ; u' = u' ; u
        check a' ; u = a ; u
        check swap ; s = s
        check (q ; u @ u ; u' @ u' ; q') = id
        """
    )
    assert steps(spec) == [1, 2, 0, 0, 3]
    (fault,) = faults(V + "box q : V -> V^2 = abstract { adjoint: isometry }\ncheck q' ; q = id[V^2]")
    assert fault.code in ("E0701", "E0703")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("box w : V -> V^2 { adjoint: self }", "E0620"),
        ("space R : O(n) box w : V @ R -> V { symmetric: inputs }", "E0620"),
        ("box w : V -> V { adjoint: twice }", "E0604"),
        ("box w : V -> V { size: 3 }", "E0603"),
        ("box w : V -> V { adjoint: self, adjoint: self }", "E0605"),
        ("box w : V[3] -> V", "E0206"),
        ("box w : V -> V = abstract box w : V -> V = abstract", "E0102"),
        ("box w : X -> V", "E0101"),
        ("space P : Perm(3, (0 1 2)) box w : P -> V = abstract", "E0626"),
        ("box merge : V -> V = abstract", "E0103"),
    ],
)
def test_wrong_boxes(text: str, code: str) -> None:
    assert [fault.code for fault in faults(V + text)] == [code]


# -------------------------------------------------------------------------------------------------------------- rules


def test_rules_are_values() -> None:
    spec = catnn.parse(
        BOXES
        + """
        rule one : f ; g => id
        rule two : f = 2 * g
        rule many : k ; spider[1,q] => k^q
        rule wide : spider[p,1] ; f = f^p ; spider[p,1]
        """
    )
    one, two, many, wide = spec.rules
    assert isinstance(one, Rule)
    assert one.oriented
    assert str(one) == "one : f ; g => [i -> i]"
    assert isinstance(two, Rule)
    assert not two.oriented
    assert str(two) == "two : f = 2 * (g)"
    assert two.reverse is not None
    assert str(two.reverse.left) == "g"
    assert str(two.reverse.right) == "1/2 * (f)"
    assert isinstance(many, Schema)
    assert many.variables == ("q",)
    assert str(many.instance((3,))) == "many[q=3] : k ; [i -> i i i] => k @ k @ k"
    assert many.instance((1,)) is None
    assert isinstance(wide, Schema)
    assert wide.instance((2,)) is not None


def test_rules_prove_checks() -> None:
    spec = catnn.parse(
        BOXES
        + """
        rule two : f ; f => 2 * f
        rule swapped : f ; g = g ; f
        rule wide : spider[p,1] ; f => f^p ; spider[p,1]
        check f ; f ; f = 4 * f
        check f ; g ; f = 2 * (g ; f)
        check g ; f ; g ; f = 2 * (f ; g ; g)
        check merge ; f = f @ f ; merge
        check spider[4,1] ; f = f^4 ; spider[4,1]
        """
    )
    assert len(spec.checks) == 5
    for check in spec.checks:
        assert check.proof is not None
        verify(to_dict(check.proof))


def test_a_refuted_check_shows_where_the_matrices_differ() -> None:
    (fault,) = faults(V + "check merge ; copy = id @ id")
    assert fault.notes[-1] == "for n = 2 entry (0,1), (0,1) is 0 on the left and 1 on the right"
    (fault,) = faults("space R : O(n)\ncheck coev ; ev = 3 * [->]")
    assert fault.notes[-1] == "for n = 1 the number is 1 on the left and 3 on the right"
    (fault,) = faults("space W : Sp(n)\ncheck coev ; ev = -n")  # no wire is left to say that n is even
    assert fault.notes[-1] == "for n = 2 the number is 2 on the left and -2 on the right"
    (fault,) = faults(BOXES + "check f ; g = g ; f")
    assert re.match(r"for n = 2 entry \(0\), \(0\) is -?\d+ on the left and -?\d+ on the right", fault.notes[0])
    assert fault.notes[1].startswith("with f = {")
    (fault,) = faults(BOXES + "rule idempotent : f ; f => f\ncheck f ; g = g")
    assert fault.code == "E0701"
    assert fault.notes[1].startswith("the rules hold for f = ")
    (fault,) = faults(BOXES + "rule r : f ; g => id\ncheck f = 2 * f")
    assert fault.code == "E0701"


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("rule r : f ; h => f", ["E0101"]),
        ("rule r : f => m", ["E0302"]),
        ("rule r : f => merge ; copy", ["E0302"]),
        ("rule r : merge ; copy => id @ id", ["E0704"]),
        ("rule r : f + g => f", ["E0705"]),
        ("rule r : f + g = m ; copy ; m + f", ["E0302"]),
        ("rule r : f - g = g + f", ["E0705"]),
        ("rule r : k => k^q", ["E0706"]),
        ("layer l : V -> V = all rule r : l => f", ["E0702"]),
        ("rule f : f => g", ["E0102"]),
        ("rule r : f => g check r = f", ["E0702"]),
        ("let x : V -> V = f^q", ["E0205"]),
        ("layer l : V -> V = f", ["E0614"]),
        ("network l : V -> V = relu ; f", ["E0621"]),
        ("rule r : k ; spider[1,q] => m^q", ["E0302"]),
    ],
)
def test_wrong_rules(text: str, codes: list[str]) -> None:
    assert [fault.code for fault in faults(BOXES + text)] == codes


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ("rule r : g => g^q", "E0706"),
        ("rule r : g g => id", "E0010"),
        ("rule r : g ; nothing => id", "E0101"),
        ("rule r : f + g => id", "E0705"),
    ],
)
def test_a_wrong_rule_does_not_make_checks_wrong(wrong: str, code: str) -> None:
    """What needs the rule is neither proved nor refuted, and nothing is said of it; what holds without it is."""
    found = faults(BOXES + f"{wrong}\ncheck g ; g = id\ncheck k ; f = k\ncheck f ; id = f")
    assert [fault.code for fault in found] == [code]


def test_a_rule_that_is_a_law_already_is_harmless() -> None:
    spec = catnn.parse(BOXES + "rule special : copy ; merge => id\ncheck f ; copy ; merge = f")
    assert steps(spec) == [0]


def test_rules_that_never_end_stop_and_say_so() -> None:
    (fault,) = faults(
        V + "box f, g, h : V -> V = abstract rule grow : f => f ; g rule b : g ; h => id check h ; g = id"
    )
    assert fault.code in ("E0701", "E0703")
    (fault,) = faults(
        BOXES + "rule grow : f => g ; f ; g rule back : g ; g = id rule inv : f ; g ; f = g check f ; g = m' ; m"
    )
    assert fault.code in ("E0701", "E0703")


def test_imported_rules_prove_checks(tmp_path: Path) -> None:
    (tmp_path / "laws.catnn").write_text(BOXES + "rule two : f ; f => f\n", encoding="utf-8")
    file = tmp_path / "use.catnn"
    file.write_text('import "laws.catnn" as H\ncheck H.f ; H.f ; H.f = H.f\n', encoding="utf-8")
    spec = catnn.load(file)
    assert steps(spec) == [2]
    assert [rule.name for rule in spec.rules] == ["H.two"]
    assert spec.boxes["H.f"].name == "H.f"


# -------------------------------------------------------------------------------------------------- the command line


def test_check_prints_proofs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "rules.catnn"
    file.write_text(BOXES + "rule two : f ; f => f\ncheck f ; f ; g = f ; g\ncheck id = id[V]\n", encoding="utf-8")
    assert main(["check", str(file), "--proof"]) == 0
    out = capsys.readouterr().out
    assert "4 boxes, 1 rule, 2 checks proved" in out
    assert "    f ; f ; g\n      = f ; g   {two}\n    1 step, replayed; from two" in out
    assert "by normal form" in out
    assert main(["check", str(file), "--proof", "--json"]) == 0
    import json

    document = json.loads(capsys.readouterr().out)
    first, second = document["files"][0]["proofs"]
    assert verify(first) == ("two",)
    assert second is None


def test_explain_traces(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "rules.catnn"
    text = BOXES + "rule two : f ; f => f\nlet x : V -> V = f ; f ; f\nlayer mix : V -> V = all\n"
    file.write_text(text, encoding="utf-8")
    assert main(["explain", f"{file}:x", "--trace"]) == 0
    out = capsys.readouterr().out
    assert "x : V -> V" in out
    assert out.count("{two}") == 2
    assert "2 steps; no rule applies" in out
    assert main(["explain", f"{file}:x", "--trace", "--json"]) == 0
    assert '"finished": true' in capsys.readouterr().out
    assert main(["explain", f"{file}:mix", "--trace"]) == 0
    assert "no step" in capsys.readouterr().out


def test_what_was_tried_is_told_and_more_effort_goes_further() -> None:
    (fault,) = faults(V + "box f, g : V -> V = abstract rule inverse : f ; g => id check g ; f = id")
    assert fault.code == "E0703"
    assert "diagrams of up to 6 boxes were looked at from both sides" in fault.notes[0]
    assert fault.helps[-1] == "search further: `--effort 10`"
    with pytest.raises(catnn.CatnnError) as error:
        catnn.parse(V + "box f, g : V -> V = abstract rule inverse : f ; g => id check g ; f = id", effort=3)
    (fault,) = error.value.diagnostics
    assert "diagrams of up to 14 boxes" in fault.notes[0]
    assert fault.helps[-1] == "search further: `--effort 30`"


def test_a_search_ends_where_there_is_nothing_more() -> None:
    """Numbers commute, which no rule says here."""
    text = "space N : S(1) box f, g : N -> N = abstract rule same : f ; f = g ; g check f ; g = g ; f"
    (fault,) = faults(text)
    assert fault.code == "E0703"
    assert fault.notes[0] == "the rules above it lead to 2 diagrams from both sides, and to no other"
    assert len(fault.helps) == 1


def test_more_effort_proves_more() -> None:
    text = (
        V
        + "box f, g : V -> V = abstract rule turn : f ; g = g ; f check "
        + " = ".join(" ; ".join(pair[0] * 8 + pair[1] * 8) for pair in ("fg", "gf"))
    )
    (fault,) = faults(text)
    assert fault.code == "E0703"
    (check,) = catnn.parse(text, effort=20).checks
    assert check.proof is not None


def test_many_undecided_checks_share_a_budget() -> None:
    """What is not decided takes less than a second; of many in a file, those that follow take less."""
    start = time.process_time()
    lines = "\n".join(f"check g ; f @ discard{' @ discard' * at} = id @ discard{' @ discard' * at}" for at in range(13))
    found = faults(
        V + f"box f, g : V -> V = abstract rule inverse : f ; g => id\n{lines}".replace("g ; f @", "(g ; f) @")
    )
    assert {fault.code for fault in found} == {"E0703"}
    assert time.process_time() - start < 15


FREE = """
copies : k ; spider[1,q] => k^q
grid   : (spider[1,p] ; f^p ; spider[p,1])^q = g^q
many   : spider[p,q] ; g^q = f^p ; spider[p,q] + 1/n * (discard^p ; unit^q) - 2 * (f^p ; spider[p,q] ; id^q)
gone   : (f ; f')^q => id
twice  : 2/n * (f ; spider[1,q]) = 3 * (spider[1,q] ; f^q)
turned : f^p + g^p = (spider[p,1] ; f ; spider[1,p])'
ends   : (k ; f)^q ; spider[q,0] => n * (k^q ; discard^q)
none   : spider[p,q] => (spider[p,1] ; spider[1,q])
"""


@pytest.mark.parametrize("line", FREE.strip().splitlines(), ids=lambda line: line.split()[0])
@pytest.mark.parametrize("p", range(4))
@pytest.mark.parametrize("q", range(4))
def test_an_instance_is_the_rule_with_numbers(line: str, p: int, q: int) -> None:
    """What sketches give is what the elaborator makes of the same text with numbers in it; true pure laws stay."""
    head = V + "box k : 1 -> V = abstract box f, g : V -> V = abstract rule "
    (schema,) = catnn.parse(head + line).rules
    assert isinstance(schema, Schema)
    numbers = {"p": p, "q": q}
    found = schema.instance(tuple(numbers[name] for name in schema.variables))
    numbered = re.sub(r"\b[pq]\b", lambda name: str(numbers[name[0]]), line)
    if line.startswith("many") and p == q == 0:  # both sides are without boxes, and differ
        assert [fault.code for fault in faults(head + numbered)] == ["E0704"]
        assert found is None
        return
    (rule,) = catnn.parse(head + numbered).rules
    assert isinstance(rule, Rule)
    if found is None:
        assert rule.is_trivial
    else:
        turned = line.startswith("turned") and not p  # the sum is one diagram then, so it stays on the left
        assert turned or (found.left, found.right) == (rule.left, rule.right)


def test_a_spider_without_legs_is_the_size_of_its_space() -> None:
    assert len(catnn.parse(V + "check spider[0,0] = unit ; discard check spider[0,0] = n * [->]").checks) == 2
    both = "space V : S(n) space W : S(m) "
    assert catnn.parse(both + "check spider[0,0,W] = m * [->]").checks
    assert [fault.code for fault in faults(both + "check spider[0,0] = m * [->]")] == ["E0304"]


# ------------------------------------------------------------------------------------------------------------- epsilons

TURNED = "space R : SO(3) box w : R -> R = abstract box v : 1 -> R^3 = abstract rule det : eps ; w^3 => eps\n"


@pytest.mark.parametrize(
    ("line", "rules"),
    [
        ("eps @ eps ; w^6 = eps @ eps", ["det", "det"]),
        ("eps @ eps ; w^3 @ id^3 = eps @ eps", ["det"]),
        ("(eps ; w^3) @ eps = eps @ eps : 1 -> R^6", ["det"]),
        ("eps @ eps @ eps @ eps ; w^12 = eps^4", ["det^4"]),
        ("w'^6 ; eps' @ eps' = eps' @ eps'", None),
        ("v @ w ; id[R^3] @ w = v @ (w ; w)", []),
        ("eps @ [-> i i] ; w^3 @ id^2 = eps @ [-> i i]", ["det"]),
    ],
)
def test_a_rule_about_epsilon_is_found_where_epsilons_meet(line: str, rules: list[str] | None) -> None:
    """Two of them are not multiplied out before a rule about one could be used."""
    text = TURNED + "rule down : w'^3 ; eps' => eps'\n" + f"check {line}"
    (check,) = catnn.parse(text).checks
    if rules is not None:
        used = [] if check.proof is None else [*check.proof.left.steps, *check.proof.right.steps]
        assert [step.rule.name for step in used] == rules


def test_what_epsilons_multiply_out_to_is_found_as_well() -> None:
    """Both readings are tried: as boxes, for the rules, and as the sum that they are."""
    deltas = " + ".join(
        f"{'-' if sign else ''}1 * [-> a b c {order}]"
        for order, sign in (("a b c", 0), ("a c b", 1), ("b a c", 1), ("b c a", 0), ("c a b", 0), ("c b a", 1))
    ).replace("+ -1 *", "-")
    deltas = deltas.removeprefix("1 * ").replace("+ 1 * ", "+ ").replace("- [", "- [")
    for line in (f"eps @ eps ; w @ id^5 = ({deltas}) ; w @ id^5", f"v @ eps = ({deltas})"):
        rules = "rule same : v => eps\n" if line.startswith("v") else ""
        (check,) = catnn.parse(TURNED + rules + f"check {line}").checks
        assert check.sides is not None


def test_the_laws_of_what_a_rule_makes_are_known() -> None:
    """The sides of a check have no epsilon; a rule makes one, which is alternating."""
    spec = catnn.parse(
        TURNED
        + """
        rule made : v => eps
        check v ; swap @ id = -v
        check v ; [i j i -> j] = 0 * (v ; [i i j -> j])
        """
    )
    assert [check.proof is not None for check in spec.checks] == [True, True]


def test_a_rule_shows_two_epsilons() -> None:
    text = TURNED + "rule two : eps @ eps ; w @ id^5 => eps @ eps\ncheck eps @ eps ; w @ id^5 = eps @ eps"
    spec = catnn.parse(text)
    assert str(spec.rules[1]) == "two : eps @ eps ; w @ id[R^5] => eps @ eps"
    assert [fault.code for fault in faults(TURNED + "rule lie : eps @ eps => 2 * (eps @ eps)")] == ["E0704"]
