"""Every snippet of the documentation, executed.

A page is a session: its snippets run in order, in one Python namespace and one temporary directory.

    ```catnn          a spec as `catnn fmt` writes it; must load. A first line `# name.catnn ...` also saves it as that.
    ```catnn E0301    a spec that must fail with exactly these codes, in this order
    ```python         runs
    ```pycon          a doctest
    ```console        `$ catnn ...` runs; what stands below is what it prints, `...` stands for any text
    ```sh             shown, not run: installation. The make targets in it must exist.
"""

from __future__ import annotations

import doctest
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)[ \t]*([^\n]*)\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
LANGUAGES = {"catnn", "python", "pycon", "console", "sh", "text", "toml", "json"}


@dataclass(frozen=True)
class Snippet:
    """A fenced block: its language, the words after it, the text, and the line it starts on."""

    language: str
    words: tuple[str, ...]
    text: str
    line: int


def snippets(page: Path) -> list[Snippet]:
    """The fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [Snippet(m[1], tuple(m[2].split()), m[3], text[: m.start()].count("\n") + 2) for m in FENCE.finditer(text)]


def page_id(page: Path) -> str:
    """The page's path inside the repository."""
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_snippet_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page does what it shows."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "graph", raising=False)
    namespace: dict[str, Any] = {"__name__": "__docs__"}
    for snippet in snippets(page):
        place = f"{page_id(page)}:{snippet.line}"
        match snippet.language:
            case "catnn":
                run_spec(snippet, place)
            case "python":
                # Blank lines in front, so that a traceback names the line of the page.
                code = compile("\n" * (snippet.line - 1) + snippet.text, str(page), "exec")
                exec(code, namespace)
            case "pycon":
                run_doctest(snippet, place, namespace)
            case "console":
                run_console(snippet, place)
            case _:
                pass


def run_spec(snippet: Snippet, place: str) -> None:
    """Load a spec, or see it fail with the codes that the page names."""
    import catnn

    named = re.match(r"# ([\w/-]+\.catnn)\b", snippet.text)
    if named:
        path = Path(named[1])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(snippet.text, encoding="utf-8")
    codes: list[str] = []
    message = ""
    try:
        if named:
            catnn.load(named[1])
        else:
            catnn.parse(snippet.text)
    except catnn.CatnnError as error:
        codes = [diagnostic.code for diagnostic in error.diagnostics]
        message = str(error)
    assert codes == list(snippet.words), f"{place}\n{message}"
    if not codes:
        from catnn.syntax.printer import format_source

        assert snippet.text == format_source(snippet.text), f"{place}: `catnn fmt` writes it otherwise"


def run_doctest(snippet: Snippet, place: str, namespace: dict[str, Any]) -> None:
    """Run `>>>` lines and compare what they print."""
    test = doctest.DocTestParser().get_doctest(snippet.text, namespace, place, None, 0)
    test.globs = namespace  # not a copy: later snippets see what this one defines
    out: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE, verbose=False)
    runner.run(test, out=out.append, clear_globs=False)
    assert not runner.failures, f"{place}\n" + "".join(out)


def run_console(snippet: Snippet, place: str) -> None:
    """Run `$ catnn ...` lines and compare what each prints, where the page shows it."""
    for part in re.split(r"^\$ ", snippet.text, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        words = shlex.split(command, comments=True)
        assert words[0] == "catnn", f"{place}: only catnn is run here: {command}"
        done = subprocess.run(
            [sys.executable, "-m", "catnn", *words[1:]],
            capture_output=True,
            text=True,
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "COLUMNS": "120"},
            timeout=300,
        )
        printed = done.stdout + done.stderr
        fails = shown.startswith("error")
        assert done.returncode == (1 if fails else 0), f"{place}: {command}\n{printed}"
        if shown.strip():
            pattern = ".*".join(re.escape(piece) for piece in tidy(shown).split("..."))
            assert re.fullmatch(pattern, tidy(printed), re.DOTALL), f"{place}: {command}\n{printed}"


def tidy(text: str) -> str:
    """Text without the white space that nobody sees."""
    return "\n".join(line.rstrip() for line in text.strip().split("\n"))


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_the_page_is_in_order(page: Path) -> None:
    """Snippets have a language that we know, links lead somewhere, `make` targets exist."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    text = page.read_text(encoding="utf-8")
    for snippet in snippets(page):
        place = f"{page_id(page)}:{snippet.line}"
        assert snippet.language in LANGUAGES, f"{place}: ```{snippet.language}"
        if snippet.language == "sh":
            for target in re.findall(r"\bmake (?:[A-Z]+=\S+ )*([a-z]+)", snippet.text):
                assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{place}: no target {target}"
    for link in LINK.findall(FENCE.sub("", text)):
        if "://" not in link and not link.startswith("#"):
            assert (page.parent / link.partition("#")[0]).exists(), f"{page_id(page)}: {link} leads nowhere"


def test_every_page_can_be_found() -> None:
    """Each page is linked from the README, or from a page that is."""
    found, queue = set(), [ROOT / "README.md"]
    while queue:
        page = queue.pop()
        if page in found:
            continue
        found.add(page)
        links = [link.partition("#")[0] for link in LINK.findall(page.read_text(encoding="utf-8"))]
        queue += [(page.parent / link).resolve() for link in links if link.endswith(".md") and "://" not in link]
    assert set(PAGES) <= found


def test_generated_pages_are_up_to_date() -> None:
    """`make docs` was run after the last change to what the generated pages are made from."""
    from docs import generate

    for path, text in generate.pages().items():
        assert path.read_text(encoding="utf-8") == text, f"{page_id(path)} is out of date: run `make docs`"
