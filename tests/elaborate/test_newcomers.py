"""What people who are new here write: the message names the mistake, and offers what was meant."""

from __future__ import annotations

import pytest

import catnn

MISTAKES = {
    "layer f : V -> V = all + bais": ("E0101", "did you mean `bias`?"),
    "layer f : V -> V = al + bias": ("E0101", "did you mean `all`?"),
    "layer f : V -> V = all, bias": ("E0010", "write `layer f : V -> V = all+ bias`"),
    "layer f : V^2 -> V = span { [ij -> i] }": ("E0303", "letters need blanks between them: `[i j -> i]`"),
    "let f : V^2 -> V^2 = [ij -> ji]": ("E0303", "letters need blanks between them: `[i j -> j i]`"),
    "let f : V^2 -> 1 = [ij ->]": ("E0303", "letters need blanks between them: `[i j ->]`"),
    "let f : V -> V = id  let g : V -> V = f * 2": ("E0018", "write the scalar before: `2 * f`"),
    "layer f : V3 -> V = all": ("E0101", "a tensor power is written `V^3`"),
    "network f : V -> V = ReLU": ("E0101", "did you mean `relu`?"),
    "network f : V -> V = relu -> id -> tanh": ("E0010", "write `network f : V -> V = relu ; id ; tanh`"),
    "network f : V -> V = relu, [i -> i], tanh": ("E0010", "write `network f : V -> V = relu ; [i -> i] ; tanh`"),
    "network f : V -> V = id ; dropout": (
        "E0101",
        "what draws at random stands outside: `torch.nn.Sequential(net, torch.nn.Dropout(0.1))`",
    ),
    "network f(x: V) -> 1 { return mean(x) }": (
        "E0101",
        "a mean is a sum and a scalar, or a layer with `{ reduce: mean }`: `1/n * [i j -> i]`",
    ),
    "network f(x: V) -> V { return concat(x, x) }": (
        "E0101",
        "a layer takes several values as their direct sum: `layer f : V[4] + V[4] -> V[8] = all`",
    ),
    "let f : V -> V = 0": ("E0303", "a number scales a term: `0 * id`"),
    "space W : C(4)": ("E0201", "write `Perm(4, (0 1 2 3))`: the points of a circle, turned"),
    "space W : Z(3)": ("E0201", "write `Perm(3, (0 1 2))`: the points of a circle, turned"),
    "space W : D(4)": ("E0201", "write `Perm(4, (0 1 2 3), (1 3))`: the corners of a polygon, turned and reflected"),
    "space W : SE(3)": (
        "E0201",
        "write `SO(3)`, and let the layer see differences of places, which no translation changes",
    ),
    "space W : Lorentz(4)": ("E0201", "write `O(1,3)`"),
}


@pytest.mark.parametrize("text", MISTAKES)
def test_the_help_is_what_was_meant(text: str) -> None:
    code, help_ = MISTAKES[text]
    with pytest.raises(catnn.CatnnError) as caught:
        catnn.parse(f"space V : S(n)\n{text}")
    fault = caught.value.diagnostics[0]
    assert (fault.code, help_) == (code, fault.helps[0])


@pytest.mark.parametrize("size", [3, 4, 5, 8, 12])
def test_the_permutations_offered_are_the_group(size: int) -> None:
    """A regular polygon has two distances to each side; what turns only tells them apart."""
    for head, maps in (("C", size), ("D", size // 2 + 1)):
        with pytest.raises(catnn.CatnnError) as caught:
            catnn.dim(f"{head}({size})", 1, 1)
        offered = caught.value.diagnostics[0].helps[0].split("`")[1]
        assert catnn.dim(offered, 1, 1) == maps


@pytest.mark.parametrize(
    ("box", "value", "call"),
    [
        ("D -> E", "V @ D", "[i j, k j -> i k](x, W)"),
        ("D -> 1", "V @ D @ V", "[i j k, j -> i k](x, W)"),
        ("D @ E -> E", "V @ D @ E", "[i j k, l j k -> i l](x, W)"),
        ("D -> E", "V @ E", ""),
        ("D -> E", "V @ D^2", ""),
    ],
)
def test_a_box_called_on_more_axes_than_it_has(box: str, value: str, call: str) -> None:
    text = f"space V : S(n)  space D : 4  space E : 5  box W : {box}  network f(x: {value}) -> V @ E {{ return BODY }}"
    with pytest.raises(catnn.CatnnError) as caught:
        catnn.parse(text.replace("BODY", "W(x)"))
    (fault,) = caught.value.diagnostics
    assert fault.helps == ((f"as a tensor: `{call}`",) if call else ())
    if call:
        result = {"[i j k, j -> i k](x, W)": "V^2"}.get(call, "V @ E")
        catnn.parse(text.replace("-> V @ E {", f"-> {result} {{").replace("BODY", call))


def test_words_of_letters_are_one_letter_where_the_width_fits() -> None:
    catnn.parse("space V : S(n)  let f : V -> V = [row -> row]")


def test_one_group_is_on_v() -> None:
    with pytest.raises(catnn.CatnnError) as caught:
        catnn.nn.Equivariant("O(3)", "R[3] -> R[3]")
    (fault,) = caught.value.diagnostics
    assert fault.code == "E0101"
    assert fault.message == "there is no space `R`: a group alone acts on the space V"
    assert fault.helps == ("write V for the wire, or name the space: `Equivariant({'R': 'O(3)'}, ...)`",)


def test_a_letter_without_a_space_is_told_where_to_get_one() -> None:
    body = "network f(x: N @ R, y: N @ R) -> N @ R { z = [i a, i b -> i c](x, y); return z }"
    with pytest.raises(catnn.CatnnError) as caught:
        catnn.parse(f"space R : SO(3)  space N : S(n)  {body}")
    (fault,) = caught.value.diagnostics
    assert fault.code == "E0304"
    assert fault.helps == (
        "take it from a value, or from `let one : 1 -> N = unit`",
        "a cross product takes it from `let volume : 1 -> R^3 = eps[R]`",
    )
    mended = body.replace("[i a, i b -> i c](x, y)", "[i a, i b, c a b -> i c](x, y, volume())")
    assert "f" in catnn.parse(f"space R : SO(3)  space N : S(n)  let volume : 1 -> R^3 = eps[R]  {mended}")


@pytest.mark.parametrize(
    ("written", "call"),
    [
        ("u", "u()"),
        ("unit", "unit()"),
        ("spider[0,1]", "spider[0,1]()"),
        ("[-> i]", "[-> i]()"),
        ("(unit ; copy ; merge)", "(unit ; copy ; merge)()"),
        ("relu", "relu(x)"),
        ("f", "f(x)"),
        ("x ; relu", "relu(x)"),
        ("x ; f ; relu", "(f ; relu)(x)"),
    ],
)
def test_the_call_of_a_function_is_offered_where_a_value_must_stand(written: str, call: str) -> None:
    head = "space V : S(n)  let u : 1 -> V = unit  layer f : V -> V = all  network g(x: V) -> V "
    with pytest.raises(catnn.CatnnError) as caught:
        catnn.parse(f"{head} {{ return [i, i -> i](x, {written}) }}")
    (fault,) = caught.value.diagnostics
    assert (fault.code, fault.helps) == ("E0315", (f"call it: `{call}`",))
    catnn.parse(f"{head} {{ return [i, i -> i](x, {call}) }}")
