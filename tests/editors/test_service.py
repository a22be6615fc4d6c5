"""The language server: its answers as functions, then over the protocol, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from catnn.editors import service

ROOT = Path(__file__).resolve().parents[2]
SPEC = """\
space V : S(n)
layer mix  : V^2[3] -> V^2[16] = all + bias
let trace : V^2 -> 1 = merge ; discard
network net : V^2[3] -> V^2[16] = mix ; relu
check trace = [i i -> ]
"""


def test_faults_have_places_codes_and_help() -> None:
    assert service.faults(SPEC) == []
    text = SPEC.replace("mix ;", "mixx ;")
    (fault,) = service.faults(text)
    assert (fault.code, fault.start, fault.end) == ("E0101", (3, 34), (3, 38))
    assert "mix" in fault.message.partition("help")[2]


def test_columns_are_counted_as_editors_do() -> None:
    text = "# 𝔸𝔸\nspace V : S(n) # 𝔸\nlayer f : V -> V = alle"
    assert service.faults(text)[0].start == (2, 19)
    source = service.make_source(text, "a")
    for at in range(len(text) + 1):
        assert service.offset(source, service.place(source, at)) == at


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ((3, 35), "layer mix : V^2[3] -> V^2[16] (15 diagrams, 2 for the bias)"),
        ((4, 8), "let trace : V^2 -> 1 = [i i ->]"),
        ((1, 14), "space V : S(n)"),
        ((3, 9), "network net : V^2[3] -> V^2[16]"),
        ((2, 25), None),
        ((9, 9), None),
    ],
)
def test_hover(at: tuple[int, int], said: str | None) -> None:
    assert service.hover(SPEC, at) == said


POINTFUL = """space N : S(n)  space D : 4
box w : D -> D
network f(x: N @ D[2], z: N + N^2) -> N @ D[2], N + N^2 {
  y, a = g(x, z)
  s = [i d, e d -> i e](y, w)
  return s + x, a
}
"""


@pytest.mark.parametrize(
    ("at", "said", "start"),
    [
        ((2, 10), "parameter x : N @ D[2]", (2, 10)),
        ((2, 24), "parameter z : N + N^2", (2, 23)),
        ((4, 24), "value y : N @ D[2]", (3, 2)),
        ((5, 16), "value a : N + N^2", (3, 5)),
        ((4, 27), "box w : D -> D", (1, 4)),
        ((5, 9), "value s : N @ D[2]", (4, 2)),
        ((2, 8), "network f(x: N @ D[2], z: N + N^2) -> N @ D[2], N + N^2", (2, 8)),
    ],
)
def test_values_of_a_network(at: tuple[int, int], said: str, start: tuple[int, int]) -> None:
    before = "network g(x: N @ D[2], z: N + N^2) -> N @ D[2], N + N^2 { return x, z }"
    text = POINTFUL.replace("box w : D -> D", f"box w : D -> D  {before}")
    assert service.hover(text, at) == said
    found = service.definition(text, at)
    assert found is not None
    assert found[1] == start


def test_hover_in_a_broken_file_shows_the_declaration() -> None:
    assert service.hover(SPEC + "layer f : V -> V = alle", (4, 8)) == "let trace : V^2 -> 1 = merge ; discard"


def test_definition_here_and_in_an_imported_file(tmp_path: Path) -> None:
    assert service.definition(SPEC, (3, 35)) == (None, (1, 6), (1, 9))
    assert service.definition(SPEC, (2, 26)) is None
    (tmp_path / "other.catnn").write_text(SPEC, encoding="utf-8")
    text = 'import "other.catnn" as H\nnetwork twice : V^2[3] -> V^2[16] = H.mix\n'
    text = 'import "other.catnn" as H\nspace V : S(n)\ncheck H.trace = H.trace\n'
    found = service.definition(text, (2, 9), tmp_path)
    assert found == (tmp_path / "other.catnn", (2, 4), (2, 9))
    assert service.definition(text, (2, 9)) is None


def test_formatting_and_completion() -> None:
    text = service.formatted(SPEC)
    assert text is not None
    assert "layer mix : V^2[3]" in text
    assert service.formatted("space V :") is None
    assert {"mix", "layer", "relu", "swap"} <= set(service.names(SPEC))


# ------------------------------------------------------------------------------------------------------ the protocol


class Editor:
    """An editor: it starts the server and speaks JSON-RPC with it."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "catnn", "lsp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
        )
        self.number = 0

    def send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        length = 0
        while (line := self.process.stdout.readline().strip()) or not length:
            name, _, value = line.decode().partition(":")
            length = int(value) if name.lower() == "content-length" else length
        found: dict[str, Any] = json.loads(self.process.stdout.read(length))
        return found

    def ask(self, method: str, params: dict[str, Any]) -> Any:
        self.number += 1
        self.send({"id": self.number, "method": method, "params": params})
        while (found := self.read()).get("id") != self.number or "method" in found:
            pass
        return found["result"]

    def published(self) -> list[dict[str, Any]]:
        while (found := self.read()).get("method") != "textDocument/publishDiagnostics":
            pass
        marks: list[dict[str, Any]] = found["params"]["diagnostics"]
        return marks


def test_an_editor_speaks_with_the_server() -> None:
    pytest.importorskip("pygls", reason="pygls is not installed (the extra `lsp`)")
    editor = Editor()
    try:
        can = editor.ask("initialize", {"processId": None, "rootUri": None, "capabilities": {}})["capabilities"]
        assert can["hoverProvider"]
        assert can["definitionProvider"]
        assert can["documentFormattingProvider"]
        editor.send({"method": "initialized", "params": {}})
        document = {"uri": "untitled:one", "languageId": "catnn", "version": 1, "text": SPEC.replace("mix ;", "mixx ;")}
        editor.send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        (mark,) = editor.published()
        assert mark["code"] == "E0101"
        assert mark["range"]["start"] == {"line": 3, "character": 34}
        change = {"textDocument": {"uri": "untitled:one", "version": 2}, "contentChanges": [{"text": SPEC}]}
        editor.send({"method": "textDocument/didChange", "params": change})
        assert editor.published() == []
        at = {"textDocument": {"uri": "untitled:one"}, "position": {"line": 3, "character": 35}}
        assert "15 diagrams" in editor.ask("textDocument/hover", at)["contents"]["value"]
        assert editor.ask("textDocument/definition", at)["range"]["start"] == {"line": 1, "character": 6}
        options = {"textDocument": at["textDocument"], "options": {"tabSize": 4, "insertSpaces": True}}
        (edit,) = editor.ask("textDocument/formatting", options)
        assert "layer mix : V^2[3]" in edit["newText"]
        assert editor.ask("shutdown", {}) is None
        editor.send({"method": "exit", "params": {}})
        assert editor.process.wait(timeout=20) == 0
    finally:
        editor.process.kill()
        editor.process.wait()
