"""Printing: results to standard output, diagnostics to standard error, and a line that shows life on a terminal."""

from __future__ import annotations

import io
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import Any

from catnn.diagnostics import Diagnostic, render, wants_colour

PATIENCE = 2.0
"""Seconds after which a person is told what is going on."""


def prepare() -> None:
    """A character that the terminal cannot show is escaped, rather than an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def silence() -> None:
    """Standard output is gone: what is still in its buffer goes nowhere, without complaint at the end."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def report(diagnostics: Iterable[Diagnostic], *, json: bool = False) -> None:
    """Diagnostics for people on standard error, or for programs, as one JSON object, on standard output."""
    found = tuple(diagnostics)
    if json:
        print_json({"ok": False, "diagnostics": [diagnostic.to_dict() for diagnostic in found]})
    elif sys.stderr is not None:
        if sys.stdout is not None:
            with suppress(OSError):
                sys.stdout.flush()  # so that a file's line stands before its faults
        sys.stderr.write(render(found, colour=wants_colour(sys.stderr)))
        sys.stderr.flush()


def print_json(value: Any) -> None:
    """One JSON document; ASCII, whatever the terminal can show."""
    from json import dumps

    print(dumps(value, indent=2))


def print_note(text: str) -> None:
    """Something that a person should know, on standard error."""
    print(f"note: {text}", file=sys.stderr)


def columns() -> int:
    """The width for text: the terminal's, and 100 where there is none."""
    return shutil.get_terminal_size((100, 24)).columns if sys.stdout is not None and sys.stdout.isatty() else 100


def counted(number: int, noun: str) -> str:
    """A number and its noun.

    >>> counted(1, "layer"), counted(2, "layer")
    ('1 layer', '2 layers')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


class Progress:
    """A line on the terminal that says what is going on, once it has taken longer than `PATIENCE`.

    Used as a context; `say` changes the text, `clear` takes the line away before something else is printed.  Where
    standard error is no terminal nothing is ever shown.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._shown = False
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Progress:
        if sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._done.set()
        if self._thread is not None:
            self._thread.join()
        self.clear()

    def say(self, text: str) -> None:
        """What is going on from now on."""
        self.text = text

    def clear(self) -> None:
        """Take the line away; it comes back by itself."""
        with self._lock:
            if self._shown:
                sys.stderr.write("\r\x1b[K")
                sys.stderr.flush()
                self._shown = False

    def _watch(self) -> None:
        if self._done.wait(PATIENCE):
            return
        while not self._done.wait(0.25):
            seconds = time.monotonic() - self._began
            with self._lock, suppress(OSError):
                line = f"{self.text} ... {seconds:.0f} s"[: shutil.get_terminal_size().columns - 1]
                sys.stderr.write(f"\r\x1b[K{line}")
                sys.stderr.flush()
                self._shown = True
