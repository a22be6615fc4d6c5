"""The application behind the page: five fixed files and one question, for this machine alone.

Every request must name this server as its host (so that a name of somebody else's that resolves here gains nothing),
and a question must come from our own page, as JSON, within a size.  No request names a file.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from html import escape
from importlib.resources import files

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from catnn.editors.words import completions, statements
from catnn.playground.budget import Worker
from catnn.report.page import asset, style
from catnn.syntax.colours import LEARNED

MOST_BODY = 4_000_000
"""Bytes of a question; a spec has at most a million, and JSON may spell each character with six."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

START = """\
# Edit this spec: the diagrams, their cost and the code they compile to follow.
space V : S(n)

layer mix  : V^2[3] -> V^2[16] = all + bias
layer pool : V^2[16] -> V[8]   = span { [i j -> i], [i j -> j], [i i -> i] }
network classify : V^2[3] -> V[8] = mix ; relu ; pool

let trace : V^2 -> 1 = merge ; discard
check trace = [i i -> ]
"""


@cache
def _file(name: str) -> str:
    return files("catnn.playground").joinpath(name).read_text(encoding="utf-8")


def policy(nonce: str) -> str:
    """Our own scripts and styles, the editor's styles by nonce, answers from ourselves, and nothing else."""
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def page(text: str, title: str, nonce: str) -> str:
    """The page, with a spec to start from."""
    words = {"keywords": statements(), "learned": LEARNED, "names": completions()}
    start = json.dumps({"text": text, "words": words, "nonce": nonce})
    harmless = start.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return _file("page.html").replace("{title}", escape(title)).replace("{start}", harmless)


def application(
    text: str = START, title: str = "catnn playground", *, worker: Worker | None = None, hosts: tuple[str, ...] = ()
) -> Starlette:
    """The application.

    text: the spec to start from; worker: what answers; hosts: the values of `Host` that are ours, with their port.
    """
    behind = worker or Worker()

    async def index(_request: Request) -> Response:
        nonce = secrets.token_urlsafe(16)
        headers = {"Content-Security-Policy": policy(nonce)}
        return Response(page(text, title, nonce), media_type="text/html", headers=headers)

    def fixed(content: Callable[[], str], kind: str) -> Callable[[Request], Awaitable[Response]]:
        async def send(_request: Request) -> Response:
            return Response(content(), media_type=kind)

        return send

    async def question(request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return PlainTextResponse("a question is JSON", 415)
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > MOST_BODY:
                return PlainTextResponse("the question is too large", 413)
        try:
            asked = json.loads(bytes(body))["text"]
        except (ValueError, KeyError, TypeError, RecursionError):
            asked = None
        if not isinstance(asked, str):
            return PlainTextResponse('a question is {"text": "..."}', 400)
        return JSONResponse(await behind.ask(asked))

    @asynccontextmanager
    async def alive(_app: Starlette) -> AsyncIterator[None]:
        yield
        await behind.stop()

    script = "text/javascript"
    app = Starlette(
        routes=[
            Route("/", index),
            Route("/style.css", fixed(lambda: style() + _file("playground.css"), "text/css")),
            Route("/report.js", fixed(lambda: asset("report.js"), script)),
            Route("/editor.js", fixed(lambda: _file("editor.min.js"), script)),
            Route("/playground.js", fixed(lambda: _file("playground.js"), script)),
            Route("/compile", question, methods=["POST"]),
        ],
        lifespan=alive,
    )
    app.add_middleware(Guard, hosts=hosts)
    return app


class Guard:
    """Turns away what does not come from this machine's own page, and puts the headers on every answer."""

    def __init__(self, app: object, hosts: tuple[str, ...]) -> None:
        self.app, self.hosts = app, hosts

    async def __call__(self, scope: dict, receive: object, send: object) -> None:  # type: ignore[type-arg]
        if scope["type"] != "http":
            await self.app(scope, receive, send)  # type: ignore[operator]
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        fault = self.fault(scope["method"], headers)

        async def dressed(message: dict) -> None:  # type: ignore[type-arg]
            if message["type"] == "http.response.start":
                there = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *((k.lower().encode(), v.encode()) for k, v in HEADERS.items() if k.lower().encode() not in there),
                ]
            await send(message)  # type: ignore[operator]

        if fault:
            await PlainTextResponse(fault, 403)(scope, receive, dressed)  # type: ignore[arg-type]
            return
        await self.app(scope, receive, dressed)  # type: ignore[operator]

    def fault(self, method: str, headers: dict[str, str]) -> str | None:
        """Why a request is turned away, or None."""
        host = headers.get("host", "")
        if host not in self.hosts:
            return "this is not the host that you asked for"
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return "this page is not for other pages"
        origin = headers.get("origin")
        if method not in ("GET", "HEAD") and origin != f"http://{host}":
            return "questions come from the page itself"
        return None
