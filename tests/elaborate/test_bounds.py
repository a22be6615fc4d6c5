"""Small texts that mean too much: counted, and refused with the number."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import catnn

V = "space V : S(n)\n"
SIZES = "".join(f"space V{i} : S(n{i})\n" for i in range(30))


def doubled(first: str, arrow: str, step: str, times: int = 40) -> str:
    """A let, and others that each take the one before twice."""
    lets = [f"let a{i + 1} : {arrow} = a{i} {step} a{i}" for i in range(times)]
    return V + "\n".join([f"let a0 : {arrow} = {first}", *lets])


TEXTS = {
    "composed with itself": (doubled("id + [i -> j]", "V -> V", ";"), "E0405"),
    "tensored with itself": (doubled("[->] + n * [->]", "1 -> 1", "@"), "E0405"),
    "closed loops": (doubled("(unit ; discard) + [->]", "1 -> 1", ";"), "E0405"),
    "a product over many sizes": (
        SIZES + "let a : 1 -> 1 = " + " @ ".join(f"(n{i} * [->] + [->])" for i in range(30)),
        "E0405",
    ),
    "a chain over many sizes": (
        SIZES + "let a : 1 -> 1 = " + " ; ".join(f"(n{i} * [->] + [->])" for i in range(30)),
        "E0407",
    ),
    "many terms that are fine alone": (
        V + "let s : V^3 -> V^3 = " + " + ".join(["id", *(f"[i j k -> {o}]" for o in ("i k j", "j i k", "j k i"))])
        + "\n" + "\n".join(f"let b{i} : V^3 -> V^3 = {' ; '.join(['s'] * 12)}" for i in range(200)),
        "E0405",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_refused_with_a_number(name: str) -> None:
    text, code = TEXTS[name]
    with pytest.raises(catnn.CatnnError) as caught:
        catnn.parse(text, max_diagrams=10_000)
    assert caught.value.diagnostics[0].code == code


def test_sums_that_stay_small_are_fine() -> None:
    catnn.parse(doubled("id + [i -> j]", "V -> V", "+"))


def test_a_span_of_thousands_of_sums() -> None:
    """A multiple of an element is found among them, whatever the coefficients."""
    elements = [f"[i j -> i j] + {i + 1} * [i j -> j i]" for i in range(1000)]
    head = V + "layer f : V^2 -> V^2 = span { "
    assert len(catnn.parse(f"{head}{', '.join(elements)} }}")["f"].diagrams) == 1000
    with pytest.raises(catnn.CatnnError) as caught:
        catnn.parse(f"{head}{', '.join([*elements, '(1/n) * [i j -> i j] + (7/n) * [i j -> j i]'])} }}")
    (fault,) = caught.value.diagnostics
    assert fault.code == "E0606"
    assert fault.labels[1].span.text == elements[6]


def test_thousands_of_faults_are_all_told() -> None:
    """The first of them with a name that was meant."""
    lets = [f"let abcdefgh{i} : V -> V = id" for i in range(500)]
    with pytest.raises(catnn.CatnnError) as caught:
        catnn.parse(V + "\n".join([*lets, *(f"let f{i} : V -> V = abcdefgi{i}x" for i in range(2000))]))
    found = caught.value.diagnostics
    assert len(found) == 2000
    assert found[0].helps
    assert not found[-1].helps


def test_a_diamond_of_imports(tmp_path: Path) -> None:
    """Two names for each file below: 2^k names, few files."""
    (tmp_path / "0.catnn").write_text(V + "let a : V -> V = id", encoding="utf-8")
    for i in range(1, 40):
        both = "".join(f'import "{i - 1}.catnn" as {alias}\n' for alias in "AB")
        (tmp_path / f"{i}.catnn").write_text(both, encoding="utf-8")
    assert "A.B.A.a" in catnn.load(tmp_path / "3.catnn")
    with pytest.raises(catnn.CatnnError) as caught:
        catnn.load(tmp_path / "39.catnn")
    assert {fault.code for fault in caught.value.diagnostics} == {"E0804"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes_and_long_files_are_not_read(tmp_path: Path) -> None:
    """A pipe without a writer would never end; a long file is read as far as it shows that."""
    os.mkfifo(tmp_path / "pipe.catnn")
    with (tmp_path / "long.catnn").open("wb") as stream:
        stream.truncate(10**10)
    for name, codes in {"pipe": ("E1004", "E0802"), "long": ("E0004", "E0004")}.items():
        (tmp_path / "importing.catnn").write_text(f'import "{name}.catnn" as H', encoding="utf-8")
        for file, code in zip((f"{name}.catnn", "importing.catnn"), codes, strict=True):
            with pytest.raises(catnn.CatnnError) as caught:
                catnn.load(tmp_path / file)
            assert caught.value.diagnostics[0].code == code
