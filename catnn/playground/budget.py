"""A worker process with a budget: one question at a time, and one that takes too long costs the process its life."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

SECONDS = 10.0
"""How long an answer may take."""
START = 60.0
"""How long a process may take to start, on a machine that is busy."""
NAME = "spec.catnn"
"""What a spec is called that came from no file."""
WAITING = 8
"""So many questions may wait; more are turned away."""
MOST_LINE = 64_000_000


class Worker:
    """The process behind a page.

    folder: where a spec may import from, None for nowhere; name: what the spec is called; seconds: the budget of an
    answer.
    """

    def __init__(self, folder: Path | None = None, *, name: str = NAME, seconds: float = SECONDS) -> None:
        self.folder = folder
        self.name = name
        self.seconds = seconds
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()
        self._waiting = 0

    async def ask(self, text: str) -> dict[str, Any]:
        """The answer to a spec; a fault where there is none in time."""
        if self._waiting >= WAITING:
            return {"ok": False, "fault": "too many questions at once"}
        self._waiting += 1
        try:
            async with self._lock:
                return await self._answer(text)
        finally:
            self._waiting -= 1

    async def _answer(self, text: str) -> dict[str, Any]:
        try:
            process = await self._running()
            assert process.stdin is not None
            process.stdin.write(json.dumps({"text": text}).encode() + b"\n")
            await process.stdin.drain()
            return await self._line(process, self.seconds)
        except TimeoutError:
            await self.stop()
            return {
                "ok": False,
                "fault": f"no answer within {self.seconds:g} s: this spec is too large for the playground",
            }
        except (OSError, ValueError, EOFError):
            await self.stop()
            return {"ok": False, "fault": "the worker ended: this spec is too large for the playground"}

    async def _line(self, process: asyncio.subprocess.Process, seconds: float) -> dict[str, Any]:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), seconds)
        if not line:
            raise EOFError
        reply: dict[str, Any] = json.loads(line)
        return reply

    async def _running(self) -> asyncio.subprocess.Process:
        """The process, started where there is none."""
        if self._process is None or self._process.returncode is not None:
            arguments = [self.name, *([str(self.folder)] if self.folder is not None else [])]
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "catnn.playground.worker", *arguments,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
                limit=MOST_LINE, env=_environment(),
            )  # fmt: skip
            await self._line(self._process, START)
        return self._process

    async def stop(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()


def _environment() -> dict[str, str]:
    """Ours, with this package findable, and one thread for whatever counts them."""
    package = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH", ""))))
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
