"""The playground refuses what is not from its page, reads nothing it should not, and ends what takes too long."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from catnn.playground.budget import Worker
from catnn.playground.worker import answer

pytest.importorskip("starlette", reason="starlette is not installed (the extra `serve`)")

from catnn.playground.app import MOST_BODY, application

HOST = "127.0.0.1:9"
GOOD = {"host": HOST, "origin": f"http://{HOST}", "content-type": "application/json"}
SPEC = "space V : S(n)  layer f : V -> V = all"


class Echo(Worker):
    """A worker that answers without a process."""

    async def ask(self, text: str) -> dict[str, Any]:
        return {"ok": True, "asked": text}


def ask(
    method: str, path: str, headers: dict[str, str], body: bytes = b"", app: Any = None
) -> tuple[int, dict[str, str], bytes]:
    """One request, as a server would hand it to the application."""
    app = app or application(SPEC, "<title>", worker=Echo(), hosts=(HOST,))
    sent: list[dict[str, Any]] = []
    pieces = [body[at : at + 65536] for at in range(0, len(body), 65536)] or [b""]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    raw = [(k.encode(), v.encode()) for k, v in headers.items()]
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": path,
             "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": raw, "scheme": "http",
             "server": ("127.0.0.1", 9), "client": ("127.0.0.1", 1)}  # fmt: skip
    asyncio.run(app(scope, receive, send))
    found = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
    return sent[0]["status"], found, b"".join(m.get("body", b"") for m in sent[1:])


def test_the_page_and_its_policy() -> None:
    status, headers, body = ask("GET", "/", {"host": HOST})
    assert status == 200
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert b"<h1>&lt;title&gt;</h1>" in body
    nonce = json.loads(body.partition(b'id="start">')[2].partition(b"</script>")[0])["nonce"]
    assert nonce in policy
    assert b"http:" not in body
    assert nonce not in ask("GET", "/", {"host": HOST})[1]["content-security-policy"]


@pytest.mark.parametrize("path", ["/style.css", "/report.js", "/editor.js", "/playground.js"])
def test_fixed_files(path: str) -> None:
    status, headers, body = ask("GET", path, {"host": HOST})
    assert status == 200
    assert len(body) < 400_000
    assert headers["content-type"].startswith(("text/css", "text/javascript"))


@pytest.mark.parametrize(
    "path", ["/../pyproject.toml", "/worker.py", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/editor/editor.js"]
)
def test_no_other_file_is_read(path: str) -> None:
    assert ask("GET", path, {"host": HOST})[0] == 404


@pytest.mark.parametrize(
    "change",
    [
        {"host": "evil.example"}, {"host": "127.0.0.1:10"}, {"host": ""}, {"origin": "http://evil.example"},
        {"origin": "null"}, {"origin": f"https://{HOST}"}, {"origin": ""}, {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)  # fmt: skip
def test_what_does_not_come_from_the_page_is_turned_away(change: dict[str, str]) -> None:
    body = json.dumps({"text": SPEC}).encode()
    assert ask("POST", "/compile", GOOD, body)[0] == 200
    assert ask("POST", "/compile", {**GOOD, **change}, body)[0] == 403


def test_questions_without_an_origin_and_other_methods() -> None:
    body = json.dumps({"text": SPEC}).encode()
    assert ask("POST", "/compile", {"host": HOST, "content-type": "application/json"}, body)[0] == 403
    assert ask("GET", "/compile", {"host": HOST})[0] == 405
    assert ask("POST", "/compile", {**GOOD, "content-type": "text/plain"}, body)[0] == 415


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"text": 3}', b'{"other": ""}', b"[" * 100_000, b"\xff"])
def test_what_is_no_question(body: bytes) -> None:
    assert ask("POST", "/compile", GOOD, body)[0] == 400


def test_a_question_has_a_size() -> None:
    assert ask("POST", "/compile", GOOD, b" " * (MOST_BODY + 1))[0] == 413


# ---------------------------------------------------------------------------------------------------------- answers


def test_answers() -> None:
    good = answer(SPEC, None)
    assert good["ok"]
    assert "<figure" in good["main"]
    assert "class F(_Layer)" in good["code"].replace("</span>", "").replace('<span class="tk">', "")
    bad = answer("space V : S(n)  layer f : V -> V = alle", None)
    assert not bad["ok"]
    assert bad["diagnostics"][0]["labels"][0]["line"] == 1
    assert "^^^^" in bad["diagnostics"][0]["rendered"]


def test_a_spec_reads_no_file_outside_its_folder(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside.catnn"
    inside.mkdir()
    outside.write_text(SPEC, encoding="utf-8")
    (inside / "near.catnn").write_text(SPEC, encoding="utf-8")
    os.symlink(outside, inside / "link.catnn")

    def codes(name: str, folder: Path | None) -> list[str]:
        return [d["code"] for d in answer(f'import "{name}" as H', folder).get("diagnostics", [])]

    assert codes("near.catnn", inside) == []
    assert codes("near.catnn", None) == ["E0801"]
    for name in ("../outside.catnn", str(outside), "link.catnn"):
        assert codes(name, inside) == ["E0801"]


def run(question: Callable[[Worker], Awaitable[Any]], **options: Any) -> Any:
    async def main() -> Any:
        worker = Worker(**options)
        try:
            return await question(worker)
        finally:
            await worker.stop()

    return asyncio.run(main())


def test_the_spec_has_the_name_of_its_file() -> None:
    async def question(worker: Worker) -> Any:
        return await worker.ask(SPEC), await worker.ask("space")

    good, bad = run(question, name="mine.catnn")
    assert "compiled by catnn from mine.catnn" in good["code"]
    assert "mine.catnn:1:" in bad["diagnostics"][0]["rendered"]


def test_what_takes_too_long_is_ended_and_the_next_answer_comes() -> None:
    async def question(worker: Worker) -> Any:
        assert (await worker.ask(SPEC))["ok"]
        worker.seconds = 0.01
        slow = await worker.ask("space V : S(n)  layer f : V^4[2] -> V^4[2] = all")
        worker.seconds = 60.0
        return slow, await worker.ask(SPEC)

    slow, good = run(question)
    assert "no answer within" in slow["fault"]
    assert good["ok"]


def test_a_worker_that_dies_is_replaced() -> None:
    async def question(worker: Worker) -> Any:
        await worker.ask(SPEC)
        assert worker._process is not None
        worker._process.kill()
        await worker._process.wait()
        return await worker.ask(SPEC)

    assert run(question)["ok"]


def test_too_many_questions_at_once() -> None:
    async def question(worker: Worker) -> Any:
        return await asyncio.gather(*(worker.ask(SPEC) for _ in range(12)))

    found = run(question)
    assert sum(reply["ok"] for reply in found) == 8
    assert all(reply["ok"] or "too many" in reply["fault"] for reply in found)


def test_a_port_that_is_taken() -> None:
    pytest.importorskip("uvicorn", reason="uvicorn is not installed (the extra `serve`)")
    from catnn.diagnostics import CatnnError
    from catnn.playground.server import opened

    first = opened(0)
    first.listen()
    with first, pytest.raises(CatnnError) as caught:
        opened(first.getsockname()[1])
    assert caught.value.diagnostics[0].code == "E1032"
