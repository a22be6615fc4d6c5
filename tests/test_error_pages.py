"""Every code has a title and a page, and the page's spec fails with that code and no other.

A page is `tests/errors/CODE.catnn`: comments (title, rule, how to mend it), then the shortest spec that fails. Where no
file can show it, a line `# python:` or `# shell:` does. `CODE.txt` is what is printed, exactly.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import catnn
from catnn.diagnostics import CatnnError, Diagnostic, render
from catnn.resources import error_page, error_titles

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted((ROOT / "tests" / "errors").glob("*.catnn"))
CODE = re.compile(r"E\d{4}")


def codes_in_use() -> dict[str, str]:
    """Every code that stands as a string somewhere in the package, docstrings aside, and one file where it does."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "catnn").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
                found.setdefault(node.value, path.relative_to(ROOT).as_posix())
    return found


def spec_of(page: str) -> str:
    """What is left of a page without its comments."""
    return "\n".join(line for line in page.splitlines() if not line.startswith("#")).strip()


def failures(path: Path) -> tuple[Diagnostic, ...]:
    """The diagnostics of a page, as `catnn.load` raises them."""
    try:
        catnn.load(path.name)
    except CatnnError as error:
        return error.diagnostics
    return ()


def test_every_code_in_use_has_a_title_and_a_page() -> None:
    in_use = codes_in_use()
    pages = {path.stem for path in PAGES}
    assert {code: file for code, file in in_use.items() if code not in error_titles()} == {}, "not in errors.toml"
    assert {code: file for code, file in in_use.items() if code not in pages} == {}, "without a page"


def test_every_title_and_every_page_belongs_to_a_code_in_use() -> None:
    in_use = codes_in_use()
    assert [code for code in error_titles() if code not in in_use] == [], "in errors.toml, raised nowhere"
    assert [path.stem for path in PAGES if path.stem not in error_titles()] == [], "not in errors.toml"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_begins_with_code_and_title(path: Path) -> None:
    page = error_page(path.stem)
    assert page is not None
    assert page.splitlines()[0] == f"# {path.stem}: {error_titles()[path.stem]}"
    assert spec_of(page) or re.search(r"^# (python|shell): ", page, re.MULTILINE), "no example"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_the_spec_of_a_page_fails_with_its_code_alone(
    path: Path, golden: Callable[[Path, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not spec_of(path.read_text(encoding="utf-8")):
        pytest.skip(f"{path.stem} cannot be shown by a file: its page has a line for Python or the shell")
    monkeypatch.chdir(path.parent)
    diagnostics = failures(path)
    assert [diagnostic.code for diagnostic in diagnostics] == [path.stem]
    golden(path.with_suffix(".txt"), render(diagnostics))


def test_no_page_for_what_is_not_a_code() -> None:
    assert error_page("E9999") is None
    assert error_page("../E0010") is None
