"""Every verb of the command line: what it prints, what it writes, its exit status, its JSON."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import catnn
from catnn.cli import main
from catnn.commands import COMMANDS
from catnn.resources import error_titles
from catnn.view import SIDES

ROOT = Path(__file__).resolve().parent.parent
SPEC = """\
space V : S(n)
layer mix : V^2[3] -> V^2[4] = all + bias
layer small : 1[2] -> 1 = all
network net : V^2[3] -> V^2[4] = mix ; relu
let trace : V^2 -> 1 = merge ; discard
check trace = [i i -> ]
"""
WRONG = "space V : S(n)\nlayer f : V -> V = nowhere\nlayer g : V -> V = elsewhere\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a right spec, a wrong one and one that is neither."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "graph.catnn").write_text(SPEC, encoding="utf-8")
    (tmp_path / "wrong.catnn").write_text(WRONG, encoding="utf-8")
    (tmp_path / "latin.catnn").write_bytes(b"space V : S(n) # \xe9\n")
    return tmp_path


class Ran:
    """A command line that was run: status and both streams."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *words: str) -> None:
        capsys.readouterr()
        self.status = main(list(words))
        self.out, self.err = capsys.readouterr()

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def catnn_process(*words: str, stdin: bytes = b"", **options: Any) -> subprocess.CompletedProcess[bytes]:
    """The same in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    return subprocess.run(
        [sys.executable, "-m", "catnn", *words],
        input=stdin,
        capture_output=True,
        env=environment,
        timeout=300,
        **options,
    )


# ------------------------------------------------------------------------------------------------------ all of them


@pytest.mark.parametrize("verb", COMMANDS)
def test_help_of_every_verb(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    ran = Ran(capsys, verb, "--help")
    assert (ran.status, ran.err) == (0, "")
    assert f"catnn {verb}" in ran.out
    assert "examples:" in ran.out
    assert Ran(capsys, "help", verb).out == ran.out


def test_help_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    ran = Ran(capsys, "--help")
    assert ran.status == 0
    assert all(f"catnn {verb}" in ran.out for verb in COMMANDS)
    assert max(map(len, ran.out.splitlines())) <= 120
    assert Ran(capsys).status == 2
    assert Ran(capsys, "--version").out == f"catnn {catnn.__version__}\n"


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        (["chek", "graph.catnn"], "E1009", "`check`"),
        (["graph.catnn"], "E1009", "catnn check graph.catnn"),
        (["--jsn"], "E1009", ""),
        (["check"], "E1009", "--help"),
        (["check", "graph.catnn", "--jsno"], "E1009", "`--json`"),
        (["check", "grph.catnn"], "E1004", "`graph.catnn`"),
        (["check", "."], "E1004", "graph.catnn"),
        (["check", "a\0b"], "E1004", ""),
        (["check", "graph.catnn", "--max-diagrams", "0"], "E1009", ""),
        (["show", "graph.catnn:mxi"], "E1010", "`mix`"),
        (["show", "graph.catnn:mix", "--as", "sgv"], "E1009", "`svg`"),
        (["show", "graph.catnn", "--as", "svg"], "E1009", "-o FOLDER/"),
        (["show", "graph.catnn:mix", "-o", "no/where.svg"], "E1012", ""),
        (["show", "graph.catnn:mix", "--as", "txt", "-o", "graph.catnn"], "E1012", ""),
        (["show", "graph.catnn:mix", "-o", "mix.jpg"], "E1009", "`.jpg`"),
        (["show", "graph.catnn:mix", "--as", "svg", "-o", "graph.catnn/in/"], "E1012", ""),
        (["explain", "graph.catnn"], "E1010", "explain graph.catnn:mix"),
        (["explain", "graph.catnn:trace"], "E1010", "show"),
        (["explain", "graph.catnn:mix", "--n"], "E1009", "--n 64"),
        (["explain", "graph.catnn:mix", "--n", "many"], "E1009", "--n 64"),
        (["compile", "graph.catnn", "--target", "cuda"], "E0909", "the target `cuda` is not built yet"),
        (["compile", "graph.catnn", "--target", "jax"], "E0909", "there is no target `jax`"),
        (["compile", "graph.catnn", "-o", "no/graph.py"], "E1012", ""),
        (["compile", "graph.catnn:mix"], "E1009", "compile graph.catnn"),
        (["test", "graph.catnn:trace"], "E1010", ""),
        (["bench", "graph.catnn:nothing"], "E1010", ""),
        (["bench", "graph.catnn:mix", "--repeat", "0"], "E1009", "positive"),
        (["bench", "graph.catnn:mix", "--seconds", "soon"], "E1009", "seconds"),
        (["dim", "S(n)", "two", "2"], "E1001", ""),
        (["dim", "S(n)", "-1", "2"], "E1001", ""),
        (["dim", "S(n", "1", "2"], "E0011", ""),
        (["dim", "Sp(3)", "1", "1"], "E0202", ""),
        (["new", "graph.catnn"], "E1011", ""),
        (["new", "no/graph.catnn"], "E1012", ""),
        (["fmt", "missing.catnn"], "E1004", ""),
        (["error", "E9999"], "E1014", ""),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)  # fmt: skip
def test_a_wrong_command_line_is_2(
    words: list[str], code: str, hint: str, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    """Coded, with something to paste; nothing is written."""
    before = {path: path.read_bytes() for path in folder.iterdir()}
    ran = Ran(capsys, *words)
    assert ran.status == 2, ran.err
    assert f"error[{code}]" in ran.err
    assert hint in ran.err
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("chek graph.catnn --json", "E1009"),
        ("show --json", "E1009"),
        ("show graph.catnn:mxi --json", "E1010"),
        ("show graph.catnn:mix --as svg --json", "E1009"),
        ("explain missing.catnn:mix --json", "E1004"),
        ("explain graph.catnn:mix --n --json", "E1009"),
        ("compile graph.catnn -o - --json", "E1009"),
        ("compile graph.catnn --target triton --json", "E0909"),
        ("dim Sp(3) 1 1 --json", "E0202"),
        ("new graph.catnn --json", "E1011"),
        ("error E9999 --json", "E1014"),
    ],
)
def test_faults_of_the_command_line_as_json(line: str, code: str, capsys: pytest.CaptureFixture[str]) -> None:
    ran = Ran(capsys, *line.split())
    assert (ran.status, ran.err) == (2, "")
    assert not ran.json["ok"]
    assert [fault["code"] for fault in ran.json["diagnostics"]] == [code]


@pytest.mark.parametrize("verb", ["check", "show", "explain", "compile", "test", "bench"])
@pytest.mark.parametrize(("file", "codes"), [("wrong.catnn", ["E0101", "E0101"]), ("latin.catnn", ["E0003"])])
def test_a_wrong_spec_is_1(verb: str, file: str, codes: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    ran = Ran(capsys, verb, file)
    assert ran.status == 1
    assert ran.err.count("error[E") == len(codes)
    ran = Ran(capsys, verb, file, "--json")
    assert (ran.status, ran.err) == (1, "")
    found = ran.json["files"][0] if verb == "check" else ran.json
    assert [fault["code"] for fault in found["diagnostics"]] == codes
    assert set(found["diagnostics"][0]) == {"code", "message", "labels", "notes", "helps"}


# ----------------------------------------------------------------------------------------------------- verb by verb


def test_new_writes_a_spec_that_checks_and_compiles(capsys: pytest.CaptureFixture[str]) -> None:
    assert Ran(capsys, "new", "first.catnn").status == 0
    assert Ran(capsys, "check", "first.catnn").status == 0
    assert Ran(capsys, "fmt", "--check", "first.catnn").status == 0
    assert Ran(capsys, "compile", "first.catnn").status == 0
    assert Ran(capsys, "new", "-").out == Path("first.catnn").read_text(encoding="utf-8")
    assert Ran(capsys, "new", "second.catnn", "--json").json == {"ok": True, "file": "second.catnn"}


def test_check_prints_a_line_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    """The faults of one file do not hide those of another, nor what is right."""
    ran = Ran(capsys, "check", "wrong.catnn", "graph.catnn")
    assert ran.status == 1
    assert ran.out.splitlines() == [
        "wrong.catnn: 2 errors",
        "graph.catnn: 2 layers, 1 network, 1 diagram, 1 check proved",
    ]
    assert Ran(capsys, "check", "wrong.catnn", "missing.catnn").status == 2


def test_check_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = Ran(capsys, "check", "graph.catnn", "--json").json
    assert found["ok"]
    (file,) = found["files"]
    kinds = [(definition["name"], definition["kind"]) for definition in file["definitions"]]
    assert kinds == [("mix", "layer"), ("small", "layer"), ("net", "network"), ("trace", "diagram")]
    assert file["definitions"][0]["diagrams"] == 15
    assert file["definitions"][0]["parameters"] == 15 * 12 + 2 * 4
    assert file["checks"] == ["check trace = [i i -> ]"]


def test_check_limits_the_diagrams(capsys: pytest.CaptureFixture[str]) -> None:
    assert "error[E0602]" in Ran(capsys, "check", "graph.catnn", "--max-diagrams", "14").err
    assert Ran(capsys, "check", "graph.catnn", "--max-diagrams", "15").status == 0


@pytest.mark.parametrize("verb", ["show", "explain", "compile", "test", "bench"])
def test_every_verb_that_reads_a_spec_limits_the_diagrams(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    target = "graph.catnn" if verb == "compile" else "graph.catnn:mix"
    ran = Ran(capsys, verb, target, "--max-diagrams", "14")
    assert ran.status == 1
    assert "error[E0602]" in ran.err


def test_check_says_what_a_small_size_leaves_out(capsys: pytest.CaptureFixture[str]) -> None:
    Path("small.catnn").write_text("space V : S(3)  layer f : V^2 -> V^2 = all", encoding="utf-8")
    ran = Ran(capsys, "check", "small.catnn")
    assert ran.err.startswith("note: small.catnn: f: 15 diagrams, only 14 independent")


@pytest.mark.parametrize("format_", ["txt", "svg", "tikz", "dot", "json", "graphml", "html"])
@pytest.mark.parametrize("name", ["mix", "net", "trace"])
def test_show_one_definition(format_: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    ran = Ran(capsys, "show", f"graph.catnn:{name}", "--as", format_)
    assert (ran.status, ran.err) == (0, "")
    assert Ran(capsys, "show", f"graph.catnn:{name}", "--as", format_, "-o", "out").out == ""
    assert Path("out").read_text(encoding="utf-8") == ran.out
    Ran(capsys, "show", f"graph.catnn:{name}", "-o", f"out.{format_}")
    assert Path(f"out.{format_}").read_text(encoding="utf-8") == ran.out


@pytest.mark.parametrize("format_", ["txt", "tikz", "dot", "json", "html"])
def test_show_a_whole_spec(format_: str, capsys: pytest.CaptureFixture[str]) -> None:
    ran = Ran(capsys, "show", "graph.catnn", "--as", format_)
    assert ran.status == 0
    assert all(name in ran.out for name in ("mix", "small", "net"))


def test_show_a_whole_spec_as_json_and_html(capsys: pytest.CaptureFixture[str]) -> None:
    document = Ran(capsys, "show", "graph.catnn", "--json").json
    assert document["format"] == "catnn-spec"
    assert list(document["definitions"]) == ["mix", "small", "net", "trace"]
    page = Ran(capsys, "show", "graph.catnn", "--as", "html").out
    assert page.startswith("<!doctype html>")
    assert all(f'<h2 id="h-{name}"' in page for name in document["definitions"])
    assert "http:" not in page
    assert "https:" not in page


def test_the_first_session_of_the_help_runs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """As it is printed, line by line, in an empty folder."""
    lines = [line.strip() for line in Ran(capsys, "--help").out.splitlines()]
    session = [line.split("  ")[0].split() for line in lines[lines.index("A first session:") :] if line[:6] == "catnn "]
    (tmp_path / "empty").mkdir()
    os.chdir(tmp_path / "empty")
    assert len(session) == 5
    for _, *words in session:
        assert Ran(capsys, *words).status == 0, words
    assert Path("graph.py").exists()


def test_show_into_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    """Which is made where it is not there."""
    assert Ran(capsys, "show", "graph.catnn", "--as", "svg", "-o", "pictures/").status == 0
    assert sorted(path.name for path in Path("pictures").iterdir()) == ["mix.svg", "net.svg", "small.svg", "trace.svg"]


def test_a_network_from_any_side(capsys: pytest.CaptureFixture[str]) -> None:
    drawn = {Ran(capsys, "show", "graph.catnn:net", "--as", "svg", "--inputs", side).out for side in SIDES}
    assert len(drawn) == len(SIDES)
    assert "error[E1009]" in Ran(capsys, "show", "graph.catnn:net", "--as", "json", "--inputs", "top").err
    ran = Ran(capsys, "show", "graph.catnn:net", "--as", "svg", "--factored")
    assert ran.status == 2
    assert "error[E1013]" in ran.err


RULES = """\
space V : S(n)
box f, g : V -> V = abstract
rule twice : f ; f => g
let many : V -> V = f ; f ; f ; f
check f ; f ; copy = g ; copy
check copy ; merge = id : V -> V    check merge ;
  copy = [i i -> i i]
"""


@pytest.fixture
def rules() -> str:
    Path("rules.catnn").write_text(RULES, encoding="utf-8")
    return "rules.catnn"


def test_what_is_on_a_line(rules: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "by twice" in Ran(capsys, "show", f"{rules}:5").out
    assert '"catnn-proof"' in Ran(capsys, "show", f"{rules}:5", "--as", "json").out
    assert Ran(capsys, "show", f"{rules}:3").out == Ran(capsys, "show", f"{rules}:twice").out
    assert "[i -> i]" in Ran(capsys, "show", f"{rules}:6").out
    assert "[i i -> i i]" in Ran(capsys, "show", f"{rules}:7").out
    for format_ in ("svg", "tikz", "dot", "graphml", "hif", "html"):
        assert Ran(capsys, "show", f"{rules}:5", "--as", format_).status == 0
    for line in ("1", "2", "99"):
        ran = Ran(capsys, "show", f"{rules}:{line}")
        assert ran.status == 2
        assert "error[E1010]" in ran.err
        assert "3, 4, 5, 6, 6-7" in ran.err


def test_a_check_at_a_literal_size_has_two_sides(capsys: pytest.CaptureFixture[str]) -> None:
    Path("one.catnn").write_text("space V : S(1)\ncheck id = discard ; unit : V -> V\n", encoding="utf-8")
    shown = Ran(capsys, "show", "one.catnn:2").out
    assert "check_2_left : V -> V = [i -> i]" in shown
    assert "check_2_right : V -> V = [i -> j]" in shown


def test_how_the_rules_simplify(rules: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert Ran(capsys, "show", f"{rules}:many", "--trace").out.count("by twice") == 2
    assert Ran(capsys, "show", f"{rules}:many", "--trace", "--as", "svg").out.startswith("<svg")
    assert "error[E1013]" in Ran(capsys, "show", f"{rules}:twice", "--trace").err


def test_a_diagram_stage_by_stage(capsys: pytest.CaptureFixture[str]) -> None:
    ran = Ran(capsys, "show", "graph.catnn:trace", "--factored")
    assert "permute the inputs" in ran.out
    assert "perm[0,1]" in Ran(capsys, "show", "graph.catnn:trace", "--factored", "--as", "html").out
    assert "graph.catnn:mix" in Ran(capsys, "show", "graph.catnn", "--factored", "--as", "html").err


def test_a_report_is_a_spec(capsys: pytest.CaptureFixture[str]) -> None:
    assert Ran(capsys, "show", "graph.catnn", "-o", "report.html").status == 0
    assert Ran(capsys, "compile", "report.html").out == Ran(capsys, "compile", "graph.catnn").out.replace(
        "graph", "report"
    )
    Path("other.html").write_text("<!doctype html><p>no report</p>", encoding="utf-8")
    assert Ran(capsys, "check", "other.html").status == 1


def test_compile_writes_beside_the_spec(capsys: pytest.CaptureFixture[str]) -> None:
    ran = Ran(capsys, "compile", "graph.catnn")
    assert (ran.status, ran.out) == (0, "graph.py: Mix, Small, Net\n")
    text = Path("graph.py").read_text(encoding="utf-8")
    assert Ran(capsys, "compile", "graph.catnn", "-o", "-").out == text
    assert Ran(capsys, "compile", "graph.catnn").status == 0, "its own files are overwritten"
    found = Ran(capsys, "compile", "graph.catnn", "--json").json
    assert found["classes"] == {"mix": "Mix", "small": "Small", "net": "Net"}
    assert [path.name for path in Path().iterdir() if path.name.startswith(".")] == []


def test_compile_spares_what_it_did_not_write(capsys: pytest.CaptureFixture[str]) -> None:
    Path("graph.py").write_text("precious = 1\n", encoding="utf-8")
    ran = Ran(capsys, "compile", "graph.catnn")
    assert ran.status == 2
    assert "error[E1011]" in ran.err
    assert Path("graph.py").read_text(encoding="utf-8") == "precious = 1\n"
    assert Ran(capsys, "compile", "graph.catnn", "--force").status == 0
    assert "import torch" in Path("graph.py").read_text(encoding="utf-8")
    assert Ran(capsys, "compile", "graph.catnn", "-o", "graph.catnn", "--force").status == 2
    assert Path("graph.catnn").read_text(encoding="utf-8") == SPEC


def test_nothing_to_compile_is_the_fault_of_the_spec(capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty.catnn").write_text("", encoding="utf-8")
    for verb in ("compile", "show", "test"):
        assert Ran(capsys, verb, "empty.catnn").status == 1


@pytest.mark.parametrize(
    ("words", "number"),
    [("S(n) 2 2", 15), ("S(3) 2 2", 14), ("O(3) 1 2", 0), ("Sp(4) 3 3", 14), ("S(n) 0 0", 1), ("A(4) 2 3", 86)],
)
def test_dim(words: str, number: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert Ran(capsys, "dim", *words.split()).out == f"{number}\n"
    assert Ran(capsys, "dim", *words.split(), "--json").json["dim"] == number


def test_dim_of_words(capsys: pytest.CaptureFixture[str]) -> None:
    """Words in quotes: duals, and symmetric powers; a number alone is a space without symmetry."""
    assert Ran(capsys, "dim", "U(3)", "V V'", "1").status == 0
    assert Ran(capsys, "dim", "S(n)", "Sym^2(V)", "Sym^2(V)").out == "9\n"
    assert Ran(capsys, "dim", "S(n)", "Sym^2(V) V", "2", "--json").json["dim"] == 36
    assert Ran(capsys, "dim", "64", "1", "1").out == "4096\n"
    assert Ran(capsys, "dim", "S(n)", "V^2", "V @ V").out == "15\n"
    assert Ran(capsys, "dim", "U(3)", "V^2 @ V'", "V'^0 V").out == Ran(capsys, "dim", "U(3)", "V V V'", "V").out
    assert Ran(capsys, "dim", "S(n)", "V^999 V^999", "1").status == 2


def test_fmt(capsys: pytest.CaptureFixture[str]) -> None:
    """Prints the names of what changes, keeps the mode, writes through links, leaves the rest alone."""
    path = Path("ugly.catnn")
    path.write_text("space  V:S(n)  # wires\r\n", encoding="utf-8", newline="")
    path.chmod(0o640)
    Path("link.catnn").symlink_to(path)
    assert Ran(capsys, "fmt", "--check", "ugly.catnn", "graph.catnn").status == 1
    assert path.read_bytes().endswith(b"\r\n")
    ran = Ran(capsys, "fmt", "link.catnn", "graph.catnn", "wrong.catnn")
    assert (ran.status, ran.out) == (0, "link.catnn\n")
    assert path.read_bytes() == b"space V : S(n)  # wires\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert Path("link.catnn").is_symlink()
    assert Ran(capsys, "fmt", "--check", "ugly.catnn").out == ""
    found = Ran(capsys, "fmt", "--check", "ugly.catnn", "latin.catnn", "--json")
    assert found.status == 1
    assert [(file["changed"], file["ok"]) for file in found.json["files"]] == [(False, True), (False, False)]


def test_error(capsys: pytest.CaptureFixture[str]) -> None:
    page = Ran(capsys, "error", "E0301").out
    assert page.startswith("# E0301: ")
    assert Ran(capsys, "error", "e0301").out == page
    found = Ran(capsys, "error", "E0301", "--json").json
    assert (found["code"], found["page"]) == ("E0301", page)
    assert Ran(capsys, "error").out.count("\n") == len(error_titles())


@pytest.mark.slow
def test_test(capsys: pytest.CaptureFixture[str]) -> None:
    ran = Ran(capsys, "test", "graph.catnn:mix")
    assert ran.status == 0, ran.out
    assert ran.out.rstrip().endswith("6 checks: 6 ok")
    found = Ran(capsys, "test", "graph.catnn:small", "--json").json
    assert found["ok"]
    assert {result["status"] for result in found["results"]} <= {"ok", "skipped"}


# -------------------------------------------------------------------------------------------------- pipes and streams


def test_standard_input() -> None:
    done = catnn_process("check", "-", stdin=SPEC.encode())
    assert done.returncode == 0
    assert done.stdout.startswith(b"-: 2 layers")
    assert catnn_process("fmt", "-", stdin=b"space  V:S(n)").stdout == b"space V : S(n)\n"
    done = catnn_process("check", "-", stdin=WRONG.encode())
    assert done.returncode == 1
    assert b"<stdin>:2:" in done.stderr


def test_streams_that_are_closed_or_narrow() -> None:
    """A reader that goes away, a terminal without box-drawing characters, a full disk."""
    spec = str(Path("graph.catnn").resolve())
    line = f'"{sys.executable}" -m catnn show "{spec}" --as html | true'
    done = subprocess.run(["sh", "-c", line], capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.stderr == b""
    done = catnn_process("show", "graph.catnn", env={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, b"")
    if os.path.exists("/dev/full"):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [sys.executable, "-m", "catnn", "show", spec],
                stdout=full, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)},
            )  # fmt: skip
        assert done.returncode == 2
        assert b"error[E1012]" in done.stderr
        assert b"Traceback" not in done.stderr


def test_no_colour_where_there_is_no_terminal() -> None:
    assert b"\x1b" not in catnn_process("check", "wrong.catnn").stderr


def test_a_fault_of_catnn_is_3_without_a_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RecursionError("too\ndeep")

    monkeypatch.setattr("catnn.api.parse", broken)
    ran = Ran(capsys, "check", "graph.catnn")
    assert ran.status == 3
    assert ran.err.startswith("error[E1015]: catnn itself has a fault: RecursionError: too deep\n")
    monkeypatch.setattr("catnn.api.parse", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    assert Ran(capsys, "check", "graph.catnn").status == 130


def test_check_reports_clashes_of_classes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As `compile` does, with both places."""
    spec = tmp_path / "clash.catnn"
    spec.write_text("space V : S(n)\nlayer mix : V -> V = all\nlayer Mix : V -> V = all\n", encoding="utf-8")
    for verb in ("check", "compile"):
        ran = Ran(capsys, verb, str(spec))
        assert ran.status == 1
        assert "error[E1016]: `mix` and `Mix` would both be the class `Mix`" in ran.err
        assert "3 | layer Mix" in ran.err
        assert "2 | layer mix" in ran.err
    spec.write_text("space V : S(n)\nlayer a_b : V -> V = all\nlayer ab : V -> V = all\n", encoding="utf-8")
    assert Ran(capsys, "check", str(spec)).status == 0


@pytest.mark.parametrize("verb", ["check", "show", "explain", "compile", "test", "bench"])
def test_every_verb_that_reads_a_spec_takes_the_limit(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "many.catnn"
    spec.write_text("space V : S(n)\nlayer f : V^2 -> V^2 = all\n", encoding="utf-8")
    assert "error[E0602]" in Ran(capsys, verb, str(spec), "--max-diagrams", "14").err


def test_formatted_text_is_utf8_whatever_the_terminal_says(tmp_path: Path) -> None:
    """Standard output into a file is a spec again."""
    text = "space V : S(n) # caf\N{LATIN SMALL LETTER E WITH ACUTE}\n".encode()
    command = [sys.executable, "-m", "catnn", "fmt", "-"]
    ran = subprocess.run(
        command, input=text, capture_output=True, check=False, env=os.environ | {"PYTHONIOENCODING": "ascii"}
    )
    assert ran.returncode == 0
    assert "caf\N{LATIN SMALL LETTER E WITH ACUTE}" in ran.stdout.decode()
