"""What is said about broken specs: word for word where the contract has words, and never twice."""

from __future__ import annotations

import pytest

import catnn
from catnn.diagnostics import CatnnError, Diagnostic


def faults(text: str, **options: int) -> tuple[Diagnostic, ...]:
    with pytest.raises(CatnnError) as caught:
        catnn.parse(text, "a.catnn", **options)
    return caught.value.diagnostics


def codes(text: str) -> list[str]:
    return [fault.code for fault in faults(text)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "space R : O(3)  network f : R[4] -> R[4] = relu",
            (
                "`relu` is not equivariant on `R` (O(3)): a pointwise map commutes with permutations, not with "
                "rotations; use `gate`"
            ),
        ),
        (
            "space R : O(n)  let f : R^2 -> R = [i i -> i]",
            "a wire of `O(n)` is used three times: letter `i` has 3 ports, a matching pairs exactly 2",
        ),
        (
            "space R : O(3)  layer f : R -> R^2 = all",
            (
                "no non-zero equivariant map `R -> R^2` exists for O(3): 3 ports cannot be paired (k + l must be "
                "even); SO(3) has one, `[i -> j k]`, the cross product upside down"
            ),
        ),
        (
            "space V : S(n)  layer f : V^12 -> V^12 = all",
            (
                "`V^12 -> V^12` has 445,958,869,294,805,289 diagrams; the limit is 100,000 (`--max-diagrams`), "
                "counted, not tried"
            ),
        ),
        (
            "space V : S(n)  layer f : V^500 -> V^500 = all",
            (
                "`V^500 -> V^500` has more than 10^453 diagrams; the limit is 100,000 (`--max-diagrams`), "
                "counted, not tried"
            ),
        ),
        ("space P : Sp(3)", "`Sp(3)`: a symplectic space has even dimension"),
        (
            "space P : Sp(n)  network f : P -> P = gate",
            (
                "`gate` is not equivariant on `P` (Sp(n)): Omega(v, v) = 0, so a single vector has no norm; make "
                "invariants from pairs with `ev` first"
            ),
        ),
        (
            "space V : S(n)  space R : O(3)  let f : V @ R -> V @ R = [i j -> j i]",
            "letter `j` joins a wire of `R` and a wire of `V`",
        ),
        (
            "space V : SO(3)  let f : V -> V = [i -> j]",
            "no diagram of `V` (SO(3)): 2 letters stand once, not none or 3",
        ),
        ("space V : SO(n)", "`SO` takes a number"),
        ("space V, W : SO(3)  let f : 1 -> V^3 = eps", "`eps` has as many legs as its space has dimensions"),
        (
            "space V : SO(4)  layer f : V -> V^2 = all",
            (
                "no non-zero equivariant map `V -> V^2` exists for SO(4): 3 ports cannot be paired, nor all but 4 of "
                "them"
            ),
        ),
        (
            "space V : SO(9)  let f : 1 -> V^18 = eps @ eps",
            "this expands to 362,880 products of diagrams; the limit is 100,000 (`--max-diagrams`)",
        ),
        ("space V : S(n)  let f : V -> V^2 = eps", "`eps` exists in SO(n) and A(n) only"),
        ("space R : O(3)  let f : R -> R^2 = copy", "`copy` does not exist on `R` (O(3))"),
    ],
)
def test_what_only_a_tool_that_knows_the_mathematics_says(text: str, message: str) -> None:
    assert [fault.message for fault in faults(text)] == [message]


def test_a_sum_that_wants_brackets() -> None:
    layers = "space V : S(n)  layer f : V[2] -> V[2] = all  layer g : V[2] -> 1 = all  "
    (fault,) = faults(layers + "network h : V[2] -> 1 = relu ; f + id ; g")
    assert fault.code == "E0302"
    assert fault.helps == ("`;` binds closer than `+`: a sum inside of it has brackets, `(f + id)`",)
    layers += "layer enter : V[1] -> V[2] = all  "
    (fault,) = faults(layers + "network h : V[1] -> 1 = enter ; f + id ; relu ; g")
    assert (fault.code, fault.helps[0][-10:]) == ("E0302", "`(f + id)`")
    (fault,) = faults("space V : S(n)  let f : V -> V = copy ; merge + id ; copy")
    assert fault.helps == ("`;` binds closer than `+`: a sum inside of it has brackets, `(merge + id)`",)
    (fault,) = faults("space V : S(n)  let f : V -> V = id + copy")
    assert not fault.helps


def test_the_axes_of_a_box_are_told() -> None:
    spaces = "space P : 4  space B : 8  box A : P -> B  box b : 1 -> B  "
    (fault,) = faults(spaces + "network f(x: P) -> B { return [p, p b -> b](x, A) }")
    assert fault.code == "E0402"
    assert fault.notes[1:] == ("the axes of the box `A` are B @ P: its target's, then its source's",)
    (fault,) = faults(spaces + "network f(x: P) -> B { return [b, b -> b](x, b) }")
    assert len(fault.notes) == 1


def test_literal_sizes_leave_a_note() -> None:
    layer = catnn.parse("space V : S(3)  layer f : V^2 -> V^2 = all")["f"]
    assert layer.notes == ("15 diagrams, only 14 independent for n = 3: `all` keeps the 14 with at most 3 blocks",)
    assert len(layer.diagrams) == 14


def test_stages_that_do_not_meet() -> None:
    text = """space V : S(n)
layer mix  : V^2[3]  -> V^2[16] = all + bias
layer pool : V^2[16] -> V[8]    = all

network classify : V^2[3] -> V^2[16] = mix ; pool ; relu ; mix
"""
    (fault,) = faults(text)
    assert (
        str(CatnnError(fault))
        == """\
error[E0301]: `relu` does not compose with `mix`
 --> a.catnn:5:60
  |
5 | network classify : V^2[3] -> V^2[16] = mix ; pool ; relu ; mix
  |                                                            ^^^ expects  V^2[3]
  |                                                     ---- produces V[8]
  = note: in `f ; g` the target of f is the source of g
  = help: insert `layer lift : V[8] -> V^2[3] = all` (5 diagrams)"""
    )


def test_many_faults_in_file_order_none_caused_by_another() -> None:
    text = """space V : S(n)
space W : Q(n)
let a : V -> V = nothing ; copy
let b : V -> V = a ; a
let c : V -> W = id
layer d : V -> V = all ; a { redcue: mean }
network e : V -> V^2 = d ; d
check a = b
check b = broken
let broken : V -> V =
let f : V -> V^2 = copy ; swap ; merge
"""
    found = faults(text)
    spans = [fault.labels[0].span for fault in found]
    lines = [span.source.line_column(span.start)[0] for span in spans]
    assert list(zip([fault.code for fault in found], lines, strict=True)) == [
        ("E0201", 2),
        ("E0101", 3),
        ("E0306", 6),
        ("E0603", 6),
        ("E0303", 7),
        ("E0015", 10),
        ("E0303", 11),
    ]


@pytest.mark.parametrize(
    ("text", "help_"),
    [
        ("let f : V^2 -> V = mrege", "did you mean `merge`?"),
        ("layer f : V -> V = all { redcue: mean }", "did you mean `reduce`?"),
        ("layer f : V -> V = all { reduce: meen }", "did you mean `mean`?"),
        ("layer f : v -> V = all", "did you mean `V`?"),
        ("network f : V -> V = rleu", "did you mean `relu`?"),
        ("space W : s(n)", "did you mean `S`?"),
        ("let g : V^2 -> V = id ; merge", "inside a diagram `id` is one wire; write `id[V^2]`"),
    ],
)
def test_the_nearest_is_offered(text: str, help_: str) -> None:
    (fault,) = faults(f"space V : S(n)  {text}")
    assert help_ in fault.helps


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("let f : V -> V = all", "E0306"),
        ("layer f : V -> V = all'", "E0306"),
        ("layer f : V -> V = 2 * all", "E0306"),
        ("layer f : V -> V = span { all }", "E0306"),
        ("layer f : V -> V = all @ [->]", "E0306"),
        ("layer f : V -> V = bias + bias", "E0608"),
        ("layer f : V -> V = relu", "E0308"),
        ("layer f : V -> V = 0 * id", "E0601"),
        ("layer f : V[2] -> V[3] = all + discard ; unit", "E0609"),
        ("layer f : V -> V = span { id, 2 * id }", "E0606"),
        ("layer f : V -> V = span { [i j -> i] }", "E0303"),
        ("network f : V -> V = all", "E0306"),
        ("network f : V -> V = f", "E0105"),
        ("network f : V -> V = relu'", "E0309"),
        ("network f : V -> V = relu[V]", "E0305"),
        ("network f : V -> V = g  layer g : V -> V = all", "E0104"),
        ("network f : V -> V = V", "E0107"),
        ("network f : V[2] -> V[3] = relu", "E0303"),
        ("network f : V -> V = relu + discard", "E0302"),
        ("network f : V -> V = (1/m) * relu", "E0108"),
        ("let f : V -> V = perm[1]", "E0305"),
        ("let f : V -> V = spider[1]", "E0305"),
        ("let f : V -> V = merge[V^2]", "E0305"),
        ("let f : V -> V = spider[900,200]", "E0204"),
        ("let f : V[2] -> V[2] = id", "E0206"),
        ("let f : V + V -> V = id", "E0207"),
        ("let V : 1 -> 1 = 1", "E0102"),
        ("let copy : 1 -> 1 = 1", "E0103"),
        ("let n : 1 -> 1 = 1", "E0106"),
        ("space W : S(device)", "E0106"),
        ("space W : S(class)", "E0106"),
        ("space W : S(0)", "E0202"),
        ("space W : O(3, 0)", "E0202"),
        ("space W : SU(3)", "E0201"),
        ("let f : V -> V = sgn[i -> i]", "E0404"),
        ("let f : V^2 -> V = [i, j -> i]", "E0310"),
        ("check id = copy", "E0302"),
        ("check id = 2 * id", "E0701"),
        ("check id = 0 * id", "E0701"),
        ("check id = all", "E0702"),
        ('import "/etc/passwd" as H', "E0801"),
    ],
)
def test_one_fault_one_code(text: str, code: str) -> None:
    assert codes(f"space V : S(n)  {text}") == [code]


@pytest.mark.parametrize(
    "text",
    [
        "let f : V -> V = coev ; ev",
        "let f : 1 -> 1 = coev ; ev",
        "check coev ; ev = 3",
    ],
)
def test_a_space_that_nothing_says(text: str) -> None:
    found = faults(f"space V : S(n)  space R : O(3)  {text}")
    assert [fault.code for fault in found] in (["E0304"], ["E0303"])


def test_counting_comes_before_trying() -> None:
    for arrow in ("V^1000 -> V^1000", "V^40 -> 1", "1 -> V^900"):
        for group in ("S(n)", "S(3)", "O(2)", "Sp(4)"):
            assert codes(f"space V : {group}  layer f : {arrow} = all") == ["E0602"]
    assert len(catnn.parse("space V : S(1)  layer f : V^500 -> V^500 = all")["f"].diagrams) == 1


def test_the_limit_is_a_setting() -> None:
    text = "space V : S(n)  layer f : V^2 -> V^2 = all"
    assert [fault.code for fault in faults(text, max_diagrams=14)] == ["E0602"]
    assert len(catnn.parse(text, max_diagrams=15)["f"].diagrams) == 15
