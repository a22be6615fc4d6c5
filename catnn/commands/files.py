"""Files: specs are read whole and bounded, results are written whole or not at all."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

from catnn.commands import UsageError
from catnn.commands.arguments import Target
from catnn.diagnostics import CatnnError, Diagnostic
from catnn.model import Layer, Network, Spec
from catnn.syntax.embedded import MOST_PAGE, folder_of, is_page

MOST = 1_000_001
"""How many bytes are read: one more than a spec may have, so that what is too large is seen to be."""

STDIN = "<stdin>"


def read_bytes(file: str) -> bytes:
    """The bytes of a file, `-` for standard input; of something endless only the beginning.

    Raises: UsageError (E1004).
    """
    if file == "-":
        return sys.stdin.buffer.read(MOST) if sys.stdin is not None else b""
    try:
        if os.path.isdir(file):
            raise _unreadable(file, "it is a folder", _specs_in(file))
        with open(file, "rb") as stream:
            data = stream.read(MOST)
            if len(data) == MOST and is_page(data):  # a report may be larger than what it holds
                data += stream.read(MOST_PAGE)
            return data
    except FileNotFoundError:
        raise _unreadable(file, "there is no such file", _similar(file)) from None
    except PermissionError:
        raise _unreadable(file, "permission denied") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not a file name"
        raise _unreadable(file, reason[:1].lower() + reason[1:]) from None


def _unreadable(file: str, reason: str, helps: tuple[str, ...] = ()) -> CatnnError:
    return UsageError(Diagnostic("E1004", f"`{file}` cannot be read: {reason}", (), (), helps))


def _specs_in(folder: str) -> tuple[str, ...]:
    with suppress(OSError):
        found = sorted(name for name in os.listdir(folder) if name.endswith(".catnn"))
        if found:
            return (f"give a file: `{os.path.join(folder, found[0])}`",)
    return ()


def _similar(file: str) -> tuple[str, ...]:
    from catnn.elaborate.report import nearest

    folder, name = os.path.split(file)
    with suppress(OSError, ValueError):
        near = nearest(name, (entry for entry in os.listdir(folder or ".") if entry.endswith(".catnn")))
        return tuple(text.replace("`", f"`{folder}/", 1) for text in near) if folder else near
    return ()


def load_spec(
    file: str, *, max_diagrams: int | None = None, allow_maps: bool = False, effort: int | None = None
) -> Spec:
    """The spec in a file, `-` for standard input (which may not import).  Raises: CatnnError with every fault."""
    from catnn.api import parse
    from catnn.elaborate.spec import MAX_DIAGRAMS
    from catnn.syntax.parser import decode

    data = read_bytes(file)
    limit, more = max_diagrams or MAX_DIAGRAMS, effort or 1
    if file == "-":
        return parse(decode(data, STDIN).text, STDIN, max_diagrams=limit, allow_maps=allow_maps, effort=more)
    with folder_of(data, Path(file).parent) as base:
        return parse(decode(data, file).text, file, base=base, max_diagrams=limit, allow_maps=allow_maps, effort=more)


def find(spec: Spec, target: Target) -> object:
    """The definition that FILE:NAME names.  Raises: UsageError (E1010)."""
    from catnn.elaborate.report import nearest

    if target.name is not None and target.name in spec:
        return spec[target.name]
    known = ", ".join(f"`{name}`" for name in spec) or "nothing"
    raise UsageError(
        Diagnostic(
            "E1010",
            f"{spec.path} does not define `{target.name}`",
            (),
            (f"it defines {known}",),
            nearest(target.name or "", spec),
        )
    )


def find_module(spec: Spec, target: Target, verb: str) -> Layer | Network:
    """The layer or network that FILE:NAME names; without a name the only one there is.  Raises: UsageError (E1010)."""
    known = [*spec.layers, *spec.networks]
    if target.name is None and len(known) == 1:
        found = spec[known[0]]
    elif target.name is None:
        names = ", ".join(f"`{name}`" for name in known) or "none"
        helps = (f"write `catnn {verb} {target.file}:{known[0]}`",) if known else ()
        message = f"`catnn {verb}` looks at one layer or network, and {spec.path} has {len(known) or 'none'}"
        raise UsageError(Diagnostic("E1010", message, (), (f"its layers and networks: {names}",), helps))
    else:
        found = find(spec, target)
    if isinstance(found, (Layer, Network)):
        return found
    helps = (f"`catnn show {target.file}:{target.name}` draws it",)
    raise UsageError(Diagnostic("E1010", f"`{target.name}` is a fixed diagram, no layer or network", (), (), helps))


# ----------------------------------------------------------------------------------------------------------- writing


def unwritable(file: str, error: OSError | ValueError | str) -> CatnnError:
    """The fault of an output that cannot be written (E1012), for the caller to raise."""
    reason = error if isinstance(error, str) else getattr(error, "strerror", None) or str(error)
    return UsageError(Diagnostic("E1012", f"`{file}` cannot be written: {reason[:1].lower()}{reason[1:]}"))


def write(file: str, text: str | bytes, *, spec: str | None = None) -> None:
    """Write a file whole or not at all; `-` is standard output.

    An existing file keeps its mode, a link stays a link, and what is no regular file (a device, a pipe) is written to.
    spec: the file this was made from, which is never the one to write.  Raises: UsageError (E1012).
    """
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    if file == "-":
        if isinstance(text, bytes):
            _binary(text)
        else:
            _print(text)
        return
    try:
        if spec is not None and os.path.exists(file) and os.path.exists(spec) and os.path.samefile(file, spec):
            raise unwritable(file, "it is the spec itself")
        _replace(os.path.realpath(file), data)
    except (OSError, ValueError) as error:
        raise unwritable(file, error) from None


def _print(text: str) -> None:
    """To standard output; where that is no terminal, in UTF-8 as files are, for what it goes to is read again."""
    if sys.stdout.isatty() or not hasattr(sys.stdout, "buffer"):
        print(text, end="")
        return
    _bytes(text.encode("utf-8", "surrogateescape"))


def _binary(data: bytes) -> None:
    """Raises: UsageError (E1012) where a person would see the bytes."""
    if sys.stdout is None or sys.stdout.isatty() or not hasattr(sys.stdout, "buffer"):
        raise unwritable("-", "a picture of pixels is not for a terminal: give a file, `-o OUT.png`")
    _bytes(data)


def _bytes(data: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _replace(path: str, data: bytes) -> None:
    """Raises: OSError."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        mode = None
    if mode is not None and not stat.S_ISREG(mode):
        with open(path, "wb") as stream:
            stream.write(data)
        return
    if mode is not None and not os.access(path, os.W_OK):
        raise PermissionError(13, "permission denied", path)
    folder, name = os.path.split(path)
    beside = os.path.join(folder, f".{name[:100]}.{os.getpid()}.part")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        if mode is not None:
            os.chmod(beside, stat.S_IMODE(mode))
        os.replace(beside, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise
