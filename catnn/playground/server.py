"""Running the playground: a socket on the loopback interface, a browser, and a server until somebody interrupts it."""

from __future__ import annotations

import socket
import webbrowser
from pathlib import Path

import uvicorn

from catnn.diagnostics import CatnnError, Diagnostic
from catnn.playground.app import START, application
from catnn.playground.budget import NAME, Worker

LOOPBACK = "127.0.0.1"


def opened(port: int) -> socket.socket:
    """A listening socket of the loopback interface; port 0 is any that is free.  Raises: CatnnError (E1032)."""
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((LOOPBACK, port))
    except (OSError, OverflowError) as error:
        found.close()
        reason = getattr(error, "strerror", None) or str(error)
        helps = ("choose another: `--port 8080`, or `--port 0` for any that is free",)
        raise CatnnError(
            Diagnostic("E1032", f"port {port} cannot be opened: {reason.lower()}", (), (), helps)
        ) from None
    return found


def serve(text: str | None, title: str, folder: Path | None, *, port: int, browser: bool) -> None:
    """Serve the playground until an interrupt.

    text: the spec to start from; folder: where it may import from.  Raises: CatnnError (E1032).
    """
    listening = opened(port)
    number = listening.getsockname()[1]
    hosts = tuple(f"{name}:{number}" for name in (LOOPBACK, "localhost"))
    worker = Worker(folder, name=NAME if text is None else Path(title).name)
    app = application(START if text is None else text, title, worker=worker, hosts=hosts)
    address = f"http://{LOOPBACK}:{number}/"
    print(f"catnn playground: {address}  (Ctrl-C ends it)", flush=True)
    if browser:
        webbrowser.open(address)
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
    uvicorn.Server(config).run(sockets=[listening])
