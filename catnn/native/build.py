"""The C library of this machine: built once by the system's compiler, kept in the user's cache folder, found by hash.

It is built for each type of numbers when that is met.

CATNN_NATIVE=0 switches it off; CATNN_CACHE names another folder; CC another compiler.  Without a compiler there is no
library, and nothing else changes.
"""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path

from catnn.native.source import PARTS, source
from catnn.plan.rates import cache_folder

FLAGS = ("-O2", "-fPIC", "-std=gnu11")
QUICK = ("-fno-tree-vrp", "-fno-thread-jumps", "-fno-gcse", "-fno-tree-pre")
"""What gcc does for a fifth of the time, and for nothing: the text is written in vectors."""
NATIVE = ((*QUICK, "-march=native"), ("-march=native",), ("-mcpu=native",), ())
"""What asks for the instructions of this machine; the first that a compiler takes (clang for ARM took no `-march`)."""
SECONDS = 60
"""So long a compiler may take."""


@cache
def library(kind: str = "float") -> Callable[..., None] | None:
    """What runs programs on a type of numbers; None where nothing does: no compiler, one that fails, CATNN_NATIVE=0."""
    if os.environ.get("CATNN_NATIVE", "1") == "0":
        return None
    compiler = _compiler()
    if compiler is None:
        return None
    text = source(kind)
    with suppress(OSError, AttributeError, subprocess.SubprocessError):
        name = sha256("\0".join([text, compiler, *FLAGS, *sum(NATIVE, ()), _machine()]).encode()).hexdigest()[:24]
        file = cache_folder() / f"kernels-{name}.so"
        if file.is_file():
            if not _is_ours(file):
                return None
            with suppress(OSError, AttributeError):  # what is not what was built is built again
                if file.with_suffix(".sum").read_text(encoding="ascii") == _sum(file):
                    return _declared(ctypes.CDLL(str(file)), kind)
        _build(compiler, text, file)
        return _declared(ctypes.CDLL(str(file)), kind)
    return None


def _declared(found: ctypes.CDLL, kind: str) -> Callable[..., None]:
    """The function of a library, with what it takes.  Raises: AttributeError where it has none."""
    number, pointer = ctypes.c_int64, ctypes.c_void_p
    function = getattr(found, f"run_{kind}")
    function.argtypes, function.restype = [pointer] * 4 + [number] * 4, None
    result: Callable[..., None] = function
    return result


def _compiler() -> str | None:
    for name in filter(None, (os.environ.get("CC"), "cc", "gcc", "clang")):
        if (found := shutil.which(name)) is not None:
            return found
    return None


def _machine() -> str:
    """What `-march=native` depends on."""
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))}))
    return platform.platform() + platform.processor()


def _build(compiler: str, text: str, file: Path) -> None:
    """Compile beside the place and move there, so that another process never sees half a library, or half a text.

    Raises: OSError, SubprocessError.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent) as place:
        built = Path(place) / file.name
        written = built.with_suffix(".c")
        written.write_text(text, encoding="utf-8")
        for native in NATIVE:
            with suppress(subprocess.CalledProcessError):
                _compile([compiler, *FLAGS, *native], written, built)
                break
        os.chmod(built, 0o755)  # an error where none has made it
        written.with_suffix(".sum").write_text(_sum(built), encoding="ascii")
        for suffix in (".c", ".sum", ".so"):
            os.replace(built.with_suffix(suffix), file.with_suffix(suffix))


def _compile(command: list[str], written: Path, built: Path) -> None:
    """Compile the parts of a text at the same time, and link them.  Raises: OSError, SubprocessError."""
    parts = {f"-D{part}": str(built.with_suffix(f".{part}.o")) for part in PARTS}

    def run(*words: str) -> None:
        subprocess.run([*command, *words], check=True, capture_output=True, timeout=SECONDS)

    with ThreadPoolExecutor(len(parts)) as pool:
        jobs = [pool.submit(run, "-c", part, "-o", made, str(written)) for part, made in parts.items()]
        for job in jobs:
            job.result()
    run("-shared", "-o", str(built), *parts.values())


def _sum(file: Path) -> str:
    """The hash of a library: loading half of one ends the process.  Raises: OSError."""
    return sha256(file.read_bytes()).hexdigest()


def _is_ours(file: Path) -> bool:
    """Whether nobody else can have written the library: it is code that will run here."""
    if os.name != "posix":
        return True
    found = file.stat()
    return found.st_uid in (os.geteuid(), 0) and not found.st_mode & 0o022
