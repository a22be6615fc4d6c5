"""What is installed is what was written: a wheel and an editable install, each used from a folder of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

import catnn

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

SPEC = """\
space V : S(n)
layer mix : V^2[3] -> V^2[16] = all + bias
check copy ; merge = id : V -> V
"""
WRONG = """\
space V : S(n)
layer mix : V^2[3] -> V^2[16] = nowhere
"""


def run(*command: str | Path, cwd: Path, code: int = 0) -> str:
    """Run a command away from the checkout; what it printed, both streams."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**clean, "PYTHONIOENCODING": "utf-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )
    printed = done.stdout + done.stderr
    assert done.returncode == code, f"{' '.join(map(str, command))}\n{printed}"
    return printed


def fresh_environment(folder: Path) -> Path:
    """A new virtual environment that sees the packages of this one, without catnn; its Python.

    A path file makes the other packages importable and runs none of their own path files, so an editable catnn there
    stays invisible.
    """
    venv.create(folder, with_pip=False)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    packages = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip()
    (Path(packages) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    run(python, "-c", "import catnn", cwd=folder, code=1)
    return python


def install(python: Path, *what: str | Path) -> None:
    """Install into another environment, with this one's pip, without a network."""
    run(
        sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--no-deps",
        "--no-build-isolation", *what,
        cwd=ROOT,
    )  # fmt: skip


def assert_it_works(python: Path, folder: Path) -> None:
    """The command and the module check a spec, find the grammar, and show the page of an error."""
    (folder / "graph.catnn").write_text(SPEC, encoding="utf-8")
    (folder / "wrong.catnn").write_text(WRONG, encoding="utf-8")
    command = python.with_name("catnn")
    run(command, "check", "graph.catnn", cwd=folder)
    run(python, "-m", "catnn", "check", "graph.catnn", cwd=folder)
    found = re.search(r"error\[(E\d{4})\]", run(command, "check", "wrong.catnn", cwd=folder, code=1))
    assert found
    assert found[1] in run(command, "error", found[1], cwd=folder)
    assert run(python, "-c", "import catnn; print(catnn.__version__)", cwd=folder).strip() == catnn.__version__


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built offline by the hatchling of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    run(
        sys.executable, "-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation",
        "--wheel-dir", folder, ROOT,
        cwd=ROOT,
    )  # fmt: skip
    (path,) = folder.glob("catnn-*.whl")
    return path


@pytest.mark.slow
def test_the_wheel_holds_everything(wheel: Path) -> None:
    """Every module, the grammar, every error's page, the mark of a typed package; and nothing else."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        entry_points = archive.read(f"catnn-{catnn.__version__}.dist-info/entry_points.txt").decode()
    assert f"catnn-{catnn.__version__}-py3-none-any.whl" == wheel.name
    homes = {"catnn": "catnn", "grammar": "catnn/_data/grammar", "tests/errors": "catnn/_data/errors"}
    for folder, inside in homes.items():
        wanted = {
            f"{inside}/{path.relative_to(ROOT / folder).as_posix()}"
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        assert wanted
        assert wanted <= names
    assert {"catnn/py.typed", "catnn/_data/grammar/catnn.lark", "catnn/_data/grammar/errors.toml"} <= names
    assert {name.partition("/")[0] for name in names} == {"catnn", f"catnn-{catnn.__version__}.dist-info"}
    assert "catnn = catnn.cli:main" in entry_points


@pytest.mark.slow
def test_an_installed_wheel_works(wheel: Path, tmp_path: Path) -> None:
    """Away from the checkout, with only what the wheel holds."""
    python = fresh_environment(tmp_path / "environment")
    install(python, wheel)
    home = run(python, "-c", "import catnn; print(catnn.__file__)", cwd=tmp_path)
    assert str(tmp_path) in home
    assert_it_works(python, tmp_path)


@pytest.mark.slow
def test_an_editable_install_works(tmp_path: Path) -> None:
    """The grammar is found beside the package."""
    python = fresh_environment(tmp_path / "environment")
    install(python, "--editable", ROOT)
    home = run(python, "-c", "import catnn; print(catnn.__file__)", cwd=tmp_path)
    assert str(ROOT) in home
    packages = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip())
    assert not (packages / "catnn").exists()  # no copy beside the checkout, which would grow old
    assert_it_works(python, tmp_path)


# ------------------------------------------------------------------------------------------------- the constraints


def constraints() -> dict[str, str]:
    """Package names, normalised, and the versions that `constraints.txt` pins."""
    pins = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            name, version = line.split("==")
            pins[normal(name)] = version
    return pins


def normal(name: str) -> str:
    """A package name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_what_the_project_needs_is_pinned() -> None:
    """Every dependency, and every extra, has one version that it is developed with."""
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = [*PROJECT["project"]["dependencies"], *(need for needs in extras.values() for need in needs)]
    names = {normal(re.match(r"[\w.-]+", need)[0]) for need in wanted}  # type: ignore[index]
    assert names - {"catnn"} <= constraints().keys()


def test_no_place_is_written_down() -> None:
    """The set-up works on any machine: no index, no link, no path."""
    for name in ("constraints.txt", "pyproject.toml", "Makefile"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert not re.search(r"--(extra-)?index-url|--find-links|file://|https?://(?!catnn)", text), name
