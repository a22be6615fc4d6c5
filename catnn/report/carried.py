"""The files that a spec names (imports, arrays, graphs), for its report to carry along."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from catnn.diagnostics import CatnnError
from catnn.model import Spec
from catnn.syntax import nodes
from catnn.syntax.embedded import MOST_FILES, embedded_files, is_page
from catnn.syntax.parser import decode, parse_recovering, read_spec

MOST_BYTES = 2**24
"""A larger file is left beside the spec."""


def carried(spec: Spec, module: nodes.Module) -> dict[str, bytes]:
    """The files that a spec needs to be read again, by their paths from its folder; what cannot be read is left out.

    module: the syntax of the spec.  A spec that was read from a report has them from there.
    """
    found: dict[str, bytes] = {}
    pending = [(kind, name, "") for kind, name in named(module)]
    if not pending:
        return found
    given = _given(Path(spec.path))
    while pending and len(found) < MOST_FILES:
        kind, name, folder = pending.pop(0)
        path = str(PurePosixPath(folder, name))
        data = given.get(path) if given else _read(Path(spec.path).parent / path)
        if data is None or path in found:
            continue
        found[path] = data
        if kind == "import":
            pending += [(*inner, str(PurePosixPath(path).parent)) for inner in _inside(data, path)]
    return found


def named(module: nodes.Module) -> list[tuple[str, str]]:
    """The files that the statements of a spec name, each with what it is: ``import``, ``fixed`` or ``graph``."""
    files: list[tuple[str, str]] = []
    for statement in module.statements:
        match statement:
            case nodes.ImportStatement(file=file):
                files.append(("import", file.text))
            case nodes.BoxStatement(kind="fixed", file=nodes.FileName(text=text)):
                files.append(("fixed", text))
            case nodes.SpaceStatement(group=group):
                files += [("graph", value.text) for value in group.args if isinstance(value, nodes.FileName)]
    return files


def _inside(data: bytes, path: str) -> list[tuple[str, str]]:
    """What an imported file names; nothing where it is no spec."""
    try:
        return named(parse_recovering(decode(data, path))[0])
    except CatnnError:
        return []


def _given(path: Path) -> dict[str, bytes]:
    """The files that the page has that a spec was read from."""
    try:
        data = read_spec(path)
    except (OSError, ValueError):
        return {}
    return embedded_files(data.decode("utf-8", "replace")) if is_page(data) else {}


def _read(path: Path) -> bytes | None:
    try:
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            return None
        return path.read_bytes()
    except (OSError, ValueError):
        return None
