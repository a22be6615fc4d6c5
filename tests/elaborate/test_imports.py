"""Imports: below the folder only, each file once, no circles, errors with the path of the file that has them."""

from __future__ import annotations

from pathlib import Path

import pytest

import catnn
from catnn.diagnostics import CatnnError, Diagnostic
from catnn.model import Spec

BASE = "space V : S(n)\nlayer mix : V^2[3] -> V^2[3] = all\nlet t : V^2 -> V = merge\n"


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".catnn")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def load(folder: Path, **files: str) -> Spec:
    write(folder, **files)
    return catnn.load(folder / "main.catnn")


def faults(folder: Path, **files: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(CatnnError) as caught:
        load(folder, **files)
    return caught.value.diagnostics


def test_names_and_spaces_come_with_the_alias(tmp_path: Path) -> None:
    spec = load(
        tmp_path,
        lib__base=BASE,
        main='import "lib/base.catnn" as H\nspace W : S(n)\nlet u : H.V^3 -> H.V = H.t @ id ; merge[H.V]\n'
        "network f : H.V^2[3] -> H.V[3] = H.mix ; relu ; H.t\nlayer g = H.mix\n"
        "let m : W @ H.V -> H.V @ W = [i j -> j i]\ncheck H.t = merge[H.V]",
    )
    assert list(spec) == ["H.mix", "H.t", "u", "f", "g", "m"]
    assert list(spec.layers) == ["g"]
    assert set(spec.spaces) == {"W", "H.V"}
    assert spec["f"].layers[0] is spec["H.mix"]
    assert spec["H.mix"].name == "H.mix"
    assert (spec["g"].name, len(spec.checks)) == ("g", 1)


def test_sizes_of_imported_spaces_are_known(tmp_path: Path) -> None:
    spec = load(
        tmp_path,
        lib__base=BASE,
        main='import "lib/base.catnn" as H\nlet average : H.V -> H.V = (1/n) * [i -> j]\n'
        "check average ; average = average\n"
        "network f(x: H.V) -> H.V { return (1/n) * [i -> j](x) }",
    )
    assert [str(c) for c, _ in spec["average"].terms] == ["1/n"]
    taken = load(
        tmp_path, base=BASE, main='import "base.catnn" as H\nlet n : H.V -> H.V = id\nlet m : H.V -> H.V = n ; n'
    )
    assert spec["average"].source == taken["m"].source  # a definition may have the name of an imported size


def test_a_space_of_the_same_name_is_another_space(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        base=BASE,
        main='import "base.catnn" as H\nspace V : S(n)\nnetwork f : V^2[3] -> V^2[3] = H.mix\n'
        "network g : H.V^2[3] -> V[3] = H.mix",
    )
    remedy = "a space of an imported file is not one of this file: write `H.V^2[3]`"
    assert [(fault.code, fault.helps) for fault in found] == [("E0303", (remedy,)), ("E0303", (remedy,)), ("E0303", ())]


def test_a_diamond_is_read_once(tmp_path: Path) -> None:
    spec = load(
        tmp_path,
        base=BASE,
        left='import "base.catnn" as B\nnetwork l : B.V^2[3] -> B.V^2[3] = B.mix ; relu',
        right='import "base.catnn" as C\nnetwork r : C.V^2[3] -> C.V^2[3] = C.mix ; tanh',
        main='import "left.catnn" as L\nimport "right.catnn" as R\nnetwork f : L.B.V^2[3] -> R.C.V^2[3] = L.l ; R.r',
    )
    assert spec["L.B.mix"] is spec["R.C.mix"]


def test_a_fault_has_the_path_of_its_file(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        lib__bad="space V : S(n)\nlet f : V -> V = copy\nlet g V",
        main='import "lib/bad.catnn" as H\nlet a : H.V -> H.V = H.f\nspace W : Q(n)',
    )
    assert [fault.code for fault in found] == ["E0303", "E0010", "E0201"]
    assert found[0].labels[0].span.source.path == str(tmp_path / "lib" / "bad.catnn")


def test_a_file_with_faults_is_reported_once(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        bad="space V : Q(n)",
        main='import "bad.catnn" as H\nimport "bad.catnn" as G\nlet f : G.V -> H.V = G.x',
    )
    assert [fault.code for fault in found] == ["E0201"]


@pytest.mark.parametrize("name", ["../x.catnn", "/etc/passwd", "a/../../x", "C:x", "a\\b", "", "lib/../../x.catnn"])
def test_only_below_the_folder(tmp_path: Path, name: str) -> None:
    write(tmp_path, x=BASE)
    (found,) = faults(tmp_path / "sub", main=f'import "{name}" as H')
    assert found.code == "E0801"


def test_no_link_out_of_the_folder(tmp_path: Path) -> None:
    write(tmp_path, secret=BASE)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "link.catnn").symlink_to(tmp_path / "secret.catnn")
    (found,) = faults(tmp_path / "sub", main='import "link.catnn" as H')
    assert found.code == "E0801"


def test_missing_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    found = faults(tmp_path, main='import "missing.catnn" as H\nimport "folder" as G\nlet f : 1 -> 1 = H.x')
    assert [fault.code for fault in found] == ["E0802", "E0802"]
    assert found[0].labels[0].span.text == '"missing.catnn"'


def test_circles_are_shown(tmp_path: Path) -> None:
    (found,) = faults(
        tmp_path, main='import "b.catnn" as B', b='import "c.catnn" as C', c='import "b.catnn" as B\nlet f : 1 -> 1 = 1'
    )
    assert found.code == "E0803"
    assert [part.rsplit("/", 1)[1].rstrip("`") for part in found.notes[0].split(" -> ")] == [
        "b.catnn",
        "c.catnn",
        "b.catnn",
    ]
    (found,) = faults(tmp_path, main='import "main.catnn" as B')
    assert found.code == "E0803"


def test_imports_are_at_most_so_deep(tmp_path: Path) -> None:
    chain = {f"f{i}": f'import "f{i + 1}.catnn" as H' for i in range(60)}
    (found,) = faults(tmp_path, main='import "f0.catnn" as H', **chain)
    assert found.code == "E0804"


def test_a_text_has_no_folder() -> None:
    with pytest.raises(CatnnError, match="E0801"):
        catnn.parse('import "other.catnn" as H')
