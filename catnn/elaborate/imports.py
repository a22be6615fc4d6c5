"""Imports: which files may be read, each read once, and no file imports itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from catnn.diagnostics import CatnnError, Diagnostic
from catnn.elaborate.scopes import Scope
from catnn.syntax import nodes

MOST_DEPTH = 50
MOST_FILES = 1000
MOST_NAMES = 10_000
"""So many names may a file have with those of its imports, for each import of an import has names of its own."""


@dataclass
class Imported:
    """A file that was read: its scope and definitions, or None where it has faults."""

    scope: Scope | None
    checks: int = 0


Reader = Callable[[nodes.Module, Path, str, tuple[Diagnostic, ...]], Imported]
"""What reads a parsed file: (module, folder, prefix, syntax errors) -> the scope."""


@dataclass
class Loader:
    """The files of one run.

    done: what was read, by its real path; open: the chain of files being read, real path and name as shown.
    """

    done: dict[Path, Imported] = field(default_factory=dict)
    open: list[tuple[Path, str]] = field(default_factory=list)

    def load(self, node: nodes.ImportStatement, scope: Scope, base: Path | None, read: Reader) -> Scope | None:
        """The scope of an imported file, or None once its faults are reported."""
        path = self._allowed(node, scope, base)
        if path is None or base is None:
            return None
        shown = str(PurePosixPath(node.span.source.path).parent / node.file.text)
        if path in [real for real, _ in self.open]:
            start = [real for real, _ in self.open].index(path)
            cycle = " -> ".join([*(f"`{name}`" for _, name in self.open[start:]), f"`{shown}`"])
            scope.report.error("E0803", "files import each other in a circle", (node.file.span, "closes the circle"),
                               notes=(cycle,))  # fmt: skip
            return None
        if path not in self.done:
            if len(self.open) >= MOST_DEPTH or len(self.done) >= MOST_FILES:
                scope.report.error("E0804", "too many imports", (node.file.span, "one too many"),
                                   notes=(f"at most {MOST_FILES:,} files, {MOST_DEPTH} deep",))  # fmt: skip
                return None
            self.done[path] = self._read(node, scope, path, shown, read)
        return self.done[path].scope

    def _allowed(self, node: nodes.ImportStatement, scope: Scope, base: Path | None) -> Path | None:
        text, place = node.file.text, (node.file.span, "")
        notes = ("an import names a file in the folder of the importing file, or below",)
        if base is None:
            scope.report.error("E0801", "a text without a file cannot import", place, notes=notes,
                               helps=("load it from a file: `catnn.load(...)`",))  # fmt: skip
            return None
        parts = PurePosixPath(text).parts
        strange = any(ord(character) < 32 for character in text) or "\\" in text or ":" in text
        if not parts or strange or text.startswith("/") or ".." in parts:
            scope.report.error("E0801", f"`{text}` may not be imported", (node.file.span, "not below this folder"),
                               notes=notes)  # fmt: skip
            return None
        try:
            path, folder = (base / text).resolve(), base.resolve()
        except (OSError, RuntimeError):
            scope.report.error("E0802", f"`{text}` cannot be read", (node.file.span, "no such file"))
            return None
        if not path.is_relative_to(folder):
            scope.report.error("E0801", f"`{text}` may not be imported", (node.file.span, "a link out of this folder"),
                               notes=notes)  # fmt: skip
            return None
        return path

    def _read(self, node: nodes.ImportStatement, scope: Scope, path: Path, shown: str, read: Reader) -> Imported:
        from catnn.syntax.parser import decode, parse_recovering, read_spec

        try:
            data = read_spec(path)
        except (OSError, ValueError) as error:
            reason = "there is no such file" if isinstance(error, FileNotFoundError) else "it is not a readable file"
            message = f"`{node.file.text}` cannot be read: {reason}"
            scope.report.error("E0802", message, (node.file.span, "imported here"))
            return Imported(None)
        try:
            source = decode(data, shown)
        except CatnnError as error:
            scope.report.include(error.diagnostics, node.span.start)
            return Imported(None)
        module, faults = parse_recovering(source)
        self.open.append((path, shown))
        try:
            imported = read(module, path.parent, f"{scope.prefix}{node.alias.text}.", faults)
        except CatnnError as error:
            scope.report.include(error.diagnostics, node.span.start)
            return Imported(None)
        finally:
            self.open.pop()
        return imported
