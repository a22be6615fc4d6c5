"""The report: one file, a strict policy, everything linked, the spec inside, the same bytes each time."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest

import catnn
from catnn.category.halves import factors
from catnn.category.pattern import show_pattern
from catnn.compiler import generate
from catnn.report import links, report
from catnn.report.listing import code_listing, spec_listing
from catnn.syntax.embedded import embed, embedded, embedded_files
from catnn.syntax.parser import make_source, parse

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ("graph", "points", "weightspace", "deepsets", "materials")
VOID = {"meta", "link", "br", "hr", "img", "input"}
EVIL = """# </script><script>alert(1)</script> "quotes' & <b>tags</b> é
space V : S(n)
let trace : V^2 -> 1 = merge ; discard
layer f : V^2[2] -> V[3] = span { [i j -> i],
    [i j -> j] } + bias
box k : V -> V = abstract
rule twice : k ; k => k
check k ; k ; k = k
"""


class Page(HTMLParser):
    """What is on a page, after checking that every element is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.hrefs: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.elements.append((tag, found))
        if "id" in found:
            self.ids.append(str(found["id"]))
        if "href" in found:
            self.hrefs.append(str(found["href"]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts[self.open[-1]] = self.texts.get(self.open[-1], "") + data


def page_of(name: str) -> str:
    return report(catnn.load(ROOT / "examples" / f"{name}.catnn"))


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_link_leads_somewhere(name: str) -> None:
    page = Page(page_of(name))
    assert len(set(page.ids)) == len(page.ids)
    assert {href for href in page.hrefs if not (href.startswith("#") and href[1:] in page.ids)} == set()
    lines = {i for i in page.ids if re.fullmatch(r"[LC]\d+", i)}
    for _, attrs in page.elements:
        for prefix, key in (("L", "data-s"), ("C", "data-c")):
            assert {f"{prefix}{n}" for n in (attrs.get(key) or "").split()} <= lines
    roles = [a for t, a in page.elements if t == "svg"]
    assert all(a.get("aria-label") or a.get("aria-hidden") == "true" for a in roles)


@pytest.mark.parametrize("text", [EVIL, *((ROOT / "examples" / f"{n}.catnn").read_text() for n in EXAMPLES)])
def test_nothing_is_fetched_and_the_policy_names_every_hash(text: str) -> None:
    page = report(catnn.parse(text, 'a"b<c>.catnn'))
    found = Page(page)
    policy = next(a["content"] or "" for _, a in found.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        content = page.rpartition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
        digest = b64encode(sha256(content.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    kinds = [(tag, a.get("type")) for tag, a in found.elements if tag in ("script", "style", "link", "img", "iframe")]
    assert kinds == [("script", "application/json"), ("style", None), ("script", None)]
    assert not [a for _, a in found.elements if {"style", "src"} & a.keys() or any(k.startswith("on") for k in a)]
    assert not re.search(r"https?://|@import|url\(", page)
    assert embedded(page) == text


def test_a_report_can_be_compiled_again(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(report(catnn.parse(EVIL)), encoding="utf-8")
    again = catnn.load(file)
    assert (
        generate(again).text.partition("spec sha256")[2] == generate(catnn.parse(EVIL)).text.partition("spec sha256")[2]
    )


def test_listings_say_what_was_written() -> None:
    for text in (EVIL, "", "\n", "a\n\nb", "# end without a line end"):
        listing = spec_listing(make_source(text, "a"), {})
        shown = re.sub(r"<[^>]*>", "", listing)
        from html import unescape

        assert unescape(shown).rstrip("\n") == text.rstrip("\n")
        assert listing.count('class="n"') == len(text.split("\n")) - (text.endswith("\n") or not text)
    code = generate(catnn.parse(EVIL)).text
    assert code_listing(code).count('class="n"') == len(code.splitlines())


def test_the_lines_of_a_diagram_compute_its_halves() -> None:
    """Every weight of 3 -> 3 is linked to lines that name its halves, and to none that name other reductions."""
    spec = catnn.parse("space V : S(n)  layer deep : V^3[8] -> V^3[8] = all")
    code = links.Code(generate(spec).text)
    for index, diagram in enumerate(spec["deep"].diagrams):
        lines = code.of("Deep", diagram, index)
        shown = [code.lines[line - 1] for line in lines]
        half = show_pattern(factors(diagram).input.diagram())
        if len(factors(diagram).input.level) < 3:
            assert any(half in line and " = " in line for line in shown), (index, half)
        assert any(re.search(r"weight\[\d+:\d+\]", line) for line in shown)
        reductions = [line for line in shown if "_reduce" not in line and re.match(r"\s+x_\d+ = ", line)]
        assert all(half in line for line in reductions)


def test_the_places_of_a_span_are_its_members() -> None:
    module = parse(EVIL)
    found = links.origin(next(s for s in module.statements if getattr(getattr(s, "name", None), "text", "") == "f"))
    assert [links.lines_of(span) for span in found.weights] == [(4, 4), (5, 5)]
    assert found.bias.text == "bias"


def test_steps_of_proofs_are_on_the_page() -> None:
    page = report(catnn.parse(EVIL))
    assert '<ol class="trace">' in page
    assert "by twice" in page
    assert page.count('class="k"') >= 2, "what changed is highlighted"


def test_an_empty_spec_and_one_without_code() -> None:
    assert "nothing to show" in report(catnn.parse(""))
    page = report(catnn.parse("space V : S(n)  let f : V -> V = id"))
    assert 'id="code"' not in page
    assert "[i -&gt; i]" in page


@pytest.mark.parametrize(
    "text",
    [
        "space V : A(3)  layer f : V^2 -> V = all + bias  let g : V^2 -> V = sgn[i j -> j]",
        "space W : Aut(4, 0-1 1-2 2-3)  layer g : W[2] -> W[2] = all + id + bias  let a : W -> W = adj ; adj",
        "space W : Perm(3, (0 1 2))  space R : O(3)  layer g : W @ R -> R @ W = all",
        "space U : S(n)  layer h : Sym^2(U) -> U + Sym^2(U) = all + bias",
        "space U : S(n)  space F : 5  layer k : F @ U -> F @ U[2] = all + bias",
        "space U : U(n)  layer k : U @ U' -> U @ U' = all + bias",
        "space P : Sp(4)  layer k : P^3 -> P = all  let e : 1 -> P^2 = coev",
    ],
)
def test_every_kind_of_spec_has_a_report(text: str) -> None:
    page = Page(report(catnn.parse(text)))
    assert {href for href in page.hrefs if not (href.startswith("#") and href[1:] in page.ids)} == set()
    assert sum(tag == "figure" for tag, _ in page.elements) >= 2


def test_large_layers_are_counted_not_drawn() -> None:
    page = report(catnn.parse("space V : S(n)  layer f : V^3[1] -> V^4[1] = all"))
    assert "877 diagrams, the first 250 drawn" in page
    assert page.count("<figure") == 877 + 250


def test_203_diagrams_are_small_and_bytes_do_not_depend_on_the_seed() -> None:
    code = (
        "import sys, catnn; from catnn.report import report; from hashlib import sha256;"
        "page = report(catnn.parse('space V : S(n)  layer deep : V^3[8] -> V^3[8] = all + bias', 'deep.catnn'));"
        "print(len(page.encode()), sha256(page.encode()).hexdigest(), 'torch' in sys.modules)"
    )
    found = set()
    for seed in ("0", "77"):
        env = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, env=env
        )
        found.add(done.stdout)
    (line,) = found
    size, _, torch = line.split()
    assert int(size) < 1_500_000
    assert torch == "False"


def test_the_embedded_spec_is_json() -> None:
    page = report(catnn.parse(EVIL, "evil.catnn"))
    data = json.loads(page.partition('id="catnn-spec">')[2].partition("</script>")[0])
    assert (data["format"], data["version"], data["path"], data["text"]) == ("catnn-report", 1, "evil.catnn", EVIL)
    assert embedded("<html></html>") is None
    assert embedded('<script type="application/json" id="catnn-spec">[]</script>') is None
    assert embedded('<script type="application/json" id="catnn-spec">{</script>') is None


GROUPS = (
    "S(n)", "S(2)", "A(3)", "O(n)", "SO(3)", "Sp(n)", "O(1,2)", "H(n)", "H(2)", "B(n)", "S'(n)", "B'(n)", "S+(n)",
    "O+(n)", "Perm(3, (0 1 2))", "Aut(3, 0-1)", "3",
)  # fmt: skip


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_has_a_report(group: str) -> None:
    """Also those whose diagrams have halves that are none of theirs: the diagonal of H(n), say."""
    spec = catnn.parse(f"space V : {group}  layer f : V^2[2] -> V^2[2] = all + bias  layer g : V + 1 -> V + V^2 = all")
    assert Page(report(spec)).ids
    code = links.Code(generate(spec).text)
    for at, diagram in enumerate(spec["f"].diagrams):
        assert code.of("F", diagram, at)


def test_a_report_carries_the_files_that_its_spec_names(tmp_path: Path) -> None:
    """Imports of imports, an array and a graph: the report alone, elsewhere, compiles to the same source."""
    import numpy

    here, there = tmp_path / "here", tmp_path / "there"
    (here / "sub" / "deeper").mkdir(parents=True)
    there.mkdir()
    (here / "main.catnn").write_text(
        'import "sub/other.catnn" as H\nspace C : Aut("ring.txt")  space F : 2\n'
        'box w : F -> F = fixed "w.npz"\nlayer f : C[2] -> C[2] = all\nnetwork g(x: F) -> F { return w(x) }\n'
        "let twice : H.V -> H.V = H.one ; H.one\n",
        encoding="utf-8",
    )
    (here / "sub" / "other.catnn").write_text(
        'import "deeper/last.catnn" as L\nspace V : S(n)\nlet one : V -> V = id\n', encoding="utf-8"
    )
    (here / "sub" / "deeper" / "last.catnn").write_text("space U : S(m)\n", encoding="utf-8")
    (here / "ring.txt").write_text("0 1\n1 2\n2 3\n3 0\n", encoding="utf-8")
    numpy.savez(here / "w.npz", w=numpy.eye(2))
    spec = catnn.load(here / "main.catnn")
    page = report(spec)
    (there / "report.html").write_text(page, encoding="utf-8")
    again = catnn.load(there / "report.html")
    assert generate(again).text == generate(spec).text.replace("main.catnn", "report.html")
    assert report(again).count("catnn-files") == 1
    assert sorted(embedded_files(report(again))) == sorted(embedded_files(page))
    assert sorted(embedded_files(page)) == ["ring.txt", "sub/deeper/last.catnn", "sub/other.catnn", "w.npz"]


def test_what_a_page_carries_stays_below_its_folder() -> None:
    files = {"../up": b"", "/etc/x": b"", "a\\b": b"", "c:d": b"", "x\ny": b"", "fine/too": b"1"}
    assert embedded_files(embed("a.catnn", "", files)) == {"fine/too": b"1"}
    assert embedded_files(embed("a.catnn", "")) == {}
    assert embedded_files('<script type="application/json" id="catnn-files">[1</script>') == {}


def test_contractions_are_drawn_and_linked() -> None:
    """Each product of a point-ful network: a diagram, the line that asks for it, the lines of code that compute it."""
    spec = catnn.load(str(ROOT / "examples/gallery/attention.catnn"))
    page = report(spec)
    lines, code = spec.text.splitlines(), generate(spec).text.splitlines()
    found = re.findall(r'<figure data-s="(\d+)"(?: data-c="([\d ]+)")?>[^\n]*<code>(\w+) = ', page)
    assert [name for _, _, name in found][:5] == ["q", "k", "v", "s", "t2"]
    for line, places, name in found:
        if not name.startswith("t"):
            assert lines[int(line) - 1].strip().startswith(f"{name} = ")
            assert all(code[int(place) - 1].startswith(f"        {name} = ") for place in places.split())
            assert places
    assert lines[int(found[4][0]) - 1].strip().startswith("return")


def test_a_report_of_every_kind_of_step() -> None:
    from tests.view.test_every_kind import PROGRAMS

    spec = catnn.parse(PROGRAMS, "programs.catnn")
    page = Page(report(spec))
    assert len(page.ids) == len(set(page.ids))
    assert {f"d-{name}" for name in spec.networks} <= set(page.ids)
    assert {"every-steps", "signed-steps"} <= set(page.ids)
