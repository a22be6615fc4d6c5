"""Boxes: files of numbers that may be read and those that may not, invariance, kinds and attributes."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy
import pytest

import catnn
from catnn.diagnostics import CatnnError


def load(folder: Path, text: str) -> catnn.Spec:
    (folder / "spec.catnn").write_text(text, encoding="utf-8")
    return catnn.load(folder / "spec.catnn")


def code(folder: Path, text: str) -> list[str]:
    with pytest.raises(CatnnError) as caught:
        load(folder, text)
    return [diagnostic.code for diagnostic in caught.value.diagnostics]


PLAIN = 'space D : 2  box W : D -> D = fixed "{}"  network f(x: D) -> D {{ return W(x) }}'


@pytest.mark.parametrize("name", ["w.npy", "w.npz", "other.npz", "below/w.npz"])
def test_arrays_are_read(tmp_path: Path, name: str) -> None:
    array = numpy.array([[1, 2], [3, 4]])
    (tmp_path / "below").mkdir()
    if name.endswith("npy"):
        numpy.save(tmp_path / name, array)
    elif name == "other.npz":
        numpy.savez(tmp_path / name, W=array, V=array + 1)
    else:
        numpy.savez_compressed(tmp_path / name, anything=array.astype(numpy.float32))
    module = catnn.compile(load(tmp_path, PLAIN.format(name))["f"])
    import torch

    x = torch.randn(3, 2, 1)
    torch.testing.assert_close(module(x)[..., 0], x[..., 0] @ torch.tensor(array, dtype=x.dtype).T)


def test_what_is_no_file_of_numbers(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    numpy.save(tmp_path / "w.npy", numpy.eye(2))
    (inside / "link.npy").symlink_to(tmp_path / "w.npy")
    (inside / "folder.npy").mkdir()
    os.mkfifo(inside / "fifo.npy")
    numpy.save(inside / "pickled.npy", numpy.array([[{}, 1], [2, 3]], dtype=object), allow_pickle=True)
    numpy.save(inside / "complex.npy", numpy.eye(2) * 1j)
    numpy.savez(inside / "many.npz", a=numpy.eye(2), b=numpy.eye(2))
    (inside / "text.npy").write_text("1 2 3 4")
    (inside / "cut.npy").write_bytes((tmp_path / "w.npy").read_bytes()[:-5])
    with zipfile.ZipFile(inside / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("W.npy", bytes(2**25))
    (inside / "loop.npy").symlink_to(inside / "loop.npy")
    refused = {"link.npy": "E0807", "../w.npy": "E0807", "/etc/passwd": "E0807", "..\\\\w.npy": "E0807"}
    unread = ("folder.npy", "fifo.npy", "pickled.npy", "complex.npy", "many.npz", "text.npy", "cut.npy", "bomb.npz",
              "loop.npy", "missing.npy")  # fmt: skip
    for name, expected in {**refused, **dict.fromkeys(unread, "E0808")}.items():
        assert code(inside, PLAIN.format(name)) == [expected], name
    with pytest.raises(CatnnError, match="E0807"):
        catnn.parse(PLAIN.format("w.npy"))


def test_a_pickle_is_never_run(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "ran"),)

    numpy.save(tmp_path / "w.npy", numpy.array([[Evil(), 0], [0, 0]], dtype=object), allow_pickle=True)
    assert code(tmp_path, PLAIN.format("w.npy")) == ["E0808"]
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("space", "arrow", "array", "fine"),
    [
        ("S(3)", "V -> V", numpy.eye(3) + 2 * numpy.ones((3, 3)), True),
        ("S(3)", "V -> V", numpy.diag([1.0, 2.0, 3.0]), False),
        ("O(3)", "V -> V", 2 * numpy.eye(3), True),
        ("O(3)", "V @ V -> V", numpy.array([[[0, 0, 0], [0, 0, 1], [0, -1, 0]]] * 3), False),
        ("Sp(2)", "V @ V -> 1", numpy.array([[0, 1], [-1, 0]]), True),
        ("Sp(2)", "V @ V -> 1", numpy.eye(2), False),
        ("O(1,2)", "1 -> V @ V", numpy.diag([1, -1, -1]), True),
        ("O(1,2)", "1 -> V @ V", numpy.eye(3), False),
        ("H(2)", "V -> V", numpy.ones((2, 2)), False),
    ],
)
def test_invariance(tmp_path: Path, space: str, arrow: str, array: numpy.ndarray, fine: bool) -> None:
    numpy.save(tmp_path / "w.npy", array)
    text = f'space V : {space}  box W : {arrow} = fixed "w.npy"'
    if fine:
        assert "W" in load(tmp_path, text).boxes
    else:
        assert code(tmp_path, text) == ["E0623"]


@pytest.mark.parametrize("array", [numpy.eye(3), numpy.array([[1, numpy.nan], [0, 1]]), numpy.ones(4)], ids=str)
def test_numbers_that_do_not_fit(tmp_path: Path, array: numpy.ndarray) -> None:
    numpy.save(tmp_path / "w.npy", array)
    assert code(tmp_path, PLAIN.format("w.npy")) == ["E0622"]
    numpy.save(tmp_path / "w.npy", numpy.eye(2))
    assert code(tmp_path, 'space V : S(n)  box W : V -> V = fixed "w.npy"') == ["E0622"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("space V : S(n)  box W : V -> V", "E0613"),
        ("space D : 2  box W : D -> D { rank: 0 }", "E0604"),
        ("space D : 2  box W : D -> D { rank: n }", "E0604"),
        ("space D : 2  box W : D -> D { rank: 3 }", "E0604"),
        ("space D : 2  box W : D -> D { rank: 2000000000 }", "E0604"),
        ("space D : 2  box W : D^999 -> D", "E0631"),
        ("space D : 2000000000  box W : D -> D", "E0631"),
        ("space D : 2000000000  box W : D -> D { rank: 1 }", "E0631"),
        ("space D : 2  box W : D -> D { init: ones }", "E0604"),
        ("space D : 2  box W : D -> D { ranc: 2 }", "E0603"),
        ("space D : 2  box W : D -> D = abstract { rank: 2 }", "E0603"),
        ("space D : 2  box W : D -> D { rank: 1, rank: 1 }", "E0605"),
        ("space D : 2  box W : 1 -> D { rank: 1 }", "E0625"),
        ("space D : 2  box W : D -> D { adjoint: unitary }", "E0625"),
        ("space D : 2  box W : D -> D { share: V }", "E0101"),
        ("space D : 2  let f : D -> D = id  box W : D -> D { share: f }", "E0604"),
        ("space D : 2  box W : D[2] -> D", "E0206"),
        ("space D : 2  box W : D -> D = made", "E0624"),
        ("space D : 2  box W : D -> D = fixed", "E0624"),
        ('space D : 2  box W : D -> D = abstract "w.npy"', "E0624"),
        ("space R : O(3)  box erf : R -> R = pointwise", "E0501"),
        ("space V : S(n)  box erf : V -> V^2 = pointwise", "E0625"),
        ('space V : S(n)  box f : V -> V = pointwise "os.system"', "E0624"),
        ("space V : U(n)  box erf : V -> V = pointwise", "E0501"),
    ],
)
def test_faults(text: str, expected: str) -> None:
    with pytest.raises(CatnnError) as caught:
        catnn.parse(text)
    assert [diagnostic.code for diagnostic in caught.value.diagnostics] == [expected]


def test_pointwise_boxes() -> None:
    import torch

    text = """space V : S(n)  box erf : V -> V = pointwise  box root : V -> V = pointwise "sqrt"
        network f(x: V[2]) -> V[2] { return erf(x) + root(square(x)) }"""
    x = torch.randn(2, 4, 2)
    torch.testing.assert_close(catnn.compile(catnn.parse(text)["f"])(x), torch.erf(x) + x.abs())


# -------------------------------------------------------------------------------------------------- promises, functions


CUBE = numpy.arange(27.0).reshape(3, 3, 3)
TURN = numpy.array([[0.6, -0.8, 0.0], [0.8, 0.6, 0.0], [0.0, 0.0, 1.0]])


@pytest.mark.parametrize(
    ("array", "arrow", "promise", "kept"),
    [
        (CUBE, "D @ D -> D", "symmetric: inputs", False),
        (CUBE + CUBE.swapaxes(1, 2), "D @ D -> D", "symmetric: inputs", True),
        (CUBE + CUBE.swapaxes(1, 2), "D -> D @ D", "symmetric: outputs", False),
        (CUBE + CUBE.swapaxes(0, 1), "D -> D @ D", "symmetric: both", True),
        (CUBE[0], "D -> D", "adjoint: self", False),
        (CUBE[0] + CUBE[0].T, "D -> D", "adjoint: self", True),
        (CUBE[0], "D -> D", "adjoint: unitary", False),
        (TURN, "D -> D", "adjoint: unitary", True),
        (TURN, "D -> D", "adjoint: isometry", True),
        (TURN + 1e-9, "D -> D", "adjoint: isometry", True),
        (TURN[:, :1], "E -> D", "adjoint: isometry", True),
        (TURN[:, :1], "E -> D", "adjoint: unitary", False),
        (2 * TURN[:, :1], "E -> D", "adjoint: isometry", False),
    ],
)
def test_fixed_numbers_keep_their_promises(
    tmp_path: Path, array: numpy.ndarray, arrow: str, promise: str, kept: bool
) -> None:
    """Else `check` would prove what is not so, and the compiler exchange what may not be exchanged."""
    numpy.save(tmp_path / "w.npy", array)
    text = f'space D : 3  space E : 1  box w : {arrow} = fixed "w.npy" {{ {promise} }}'
    if kept:
        load(tmp_path, text)
    else:
        assert code(tmp_path, text) == ["E0620"]


@pytest.mark.parametrize(
    "line",
    [
        "let f : V -> V = 2 * erf",
        "check erf = erf",
        "rule r : erf ; erf => erf",
        "let f : V^2 -> V^2 = erf @ id",
        "network f(x: V) -> V^2 { return (erf @ id)([i -> i i](x)) }",
        "network f(x: V) -> V { return (erf + id)(x) }",
        "layer f : V -> V = all + erf",
    ],
)
def test_functions_stand_in_no_diagram(tmp_path: Path, line: str) -> None:
    """A function is not linear, so no sum and no rule goes through it."""
    assert code(tmp_path, f"space V : S(n)  box erf : V -> V = pointwise  {line}")[0] in ("E0629", "E0614")


def test_functions_are_no_values_and_promise_nothing(tmp_path: Path) -> None:
    text = "space V : S(n)  box erf : V -> V = pointwise"
    assert code(tmp_path, text + "  network f(x: V) -> V { return x + erf }") == ["E0315"]
    assert code(tmp_path, text + " { adjoint: self }") == ["E0625"]


def test_a_function_is_a_stage_of_a_chain(tmp_path: Path) -> None:
    import torch

    text = """space V : S(n)  box erf : V -> V = pointwise
        network f(x: V) -> V^2 { return (relu ; (erf) ; copy)(x) + (erf ; [i -> i i])(x) }
        network g : V -> V = (2 * erf + id) ; relu"""
    spec = load(tmp_path, text)
    x = torch.randn(2, 5, 1)
    expected = torch.diag_embed((x.relu().erf() + x.erf())[..., 0])[..., None]
    torch.testing.assert_close(catnn.compile(spec["f"])(x), expected)
    torch.testing.assert_close(catnn.compile(spec["g"])(x), (2 * x.erf() + x).relu())
