"""Numbers from files: which files may be read, and what may be in them.

A spec may come from anywhere, so a file of numbers lies below the folder of the spec, is an ordinary file of a sensible
size, and is never unpickled.
"""

from __future__ import annotations

import io
import os
import stat
import zipfile
from math import prod
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from catnn.category.families import FAMILIES
from catnn.category.wires import Wire, Word, bases
from catnn.elaborate.report import listed
from catnn.elaborate.scopes import Scope
from catnn.hypergraph.box import Box
from catnn.program import Constant
from catnn.syntax import nodes

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_BYTES = 2**24
"""The most that a file of numbers may hold, unpacked."""

MOST_NUMBERS = 2**16
"""The most numbers that a fixed tensor may have: they stand in the generated source."""

ELEMENTS = 6
"""How many random elements of each group a fixed tensor is tried with."""

TOLERANCE = 1e-6
"""By how much of the largest number a law may fail, for numbers are rounded when they are written."""


def constant(file: nodes.FileName, name: nodes.Name, source: Word, target: Word, scope: Scope) -> Constant | None:
    """The fixed tensor of a box, or None once its faults are reported."""
    path = _allowed(file, scope)
    data = None if path is None else _bytes(file, path, scope)
    array = None if data is None else _array(file, name.text, data, scope)
    if array is None or not _fits(file, array, source, target, scope):
        return None
    if not _invariant(file, array, source, target, scope):
        return None
    dtype = "<f8" if array.dtype.kind == "f" else "<i8"
    return Constant(tuple(array.shape), dtype, array.astype(dtype).tobytes())


def _allowed(file: nodes.FileName, scope: Scope) -> Path | None:
    """The path of a file below the folder of the spec."""
    text, notes = file.text, ("a file of numbers lies in the folder of the spec, or below",)
    if scope.folder is None:
        scope.report.error(
            "E0807",
            "a text without a file cannot read numbers",
            (file.span, ""),
            notes=notes,
            helps=("load it from a file: `catnn.load(...)`",),
        )
        return None
    parts = PurePosixPath(text).parts
    strange = any(ord(character) < 32 for character in text) or "\\" in text or ":" in text
    if not parts or strange or text.startswith("/") or ".." in parts:
        scope.report.error("E0807", f"`{text}` may not be read", (file.span, "not below this folder"), notes=notes)
        return None
    try:
        path, folder = (scope.folder / text).resolve(), scope.folder.resolve()
    except (OSError, RuntimeError):
        scope.report.error("E0808", f"`{text}` cannot be read", (file.span, "no such file"))
        return None
    if not path.is_relative_to(folder):
        scope.report.error("E0807", f"`{text}` may not be read", (file.span, "a link out of this folder"), notes=notes)
        return None
    return path


def _bytes(file: nodes.FileName, path: Path, scope: Scope) -> bytes | None:
    """What an ordinary file of a sensible size holds; anything else would hang or fill the memory."""
    reason = ""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        reason = "there is no such file"
    except OSError:
        reason = "it is not a readable file"
    else:
        try:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode):
                reason = "it is no ordinary file"
            elif found.st_size > MOST_BYTES:
                reason = f"it has {found.st_size:,} bytes, at most {MOST_BYTES:,} are read"
            else:
                with os.fdopen(os.dup(handle), "rb") as stream:
                    return stream.read(MOST_BYTES + 1)
        finally:
            os.close(handle)
    scope.report.error("E0808", f"`{file.text}` cannot be read: {reason}", (file.span, "named here"))
    return None


def _array(file: nodes.FileName, name: str, data: bytes, scope: Scope) -> NDArray[Any] | None:
    """The array in a .npy or .npz file, never a pickled one."""
    import numpy

    reason = "it is no .npy and no .npz file"
    helps: tuple[str, ...] = ("`numpy.savez(path, W=array)` writes one",)
    array = None
    try:
        if data[:2] == b"PK":
            archive = zipfile.ZipFile(io.BytesIO(data))
            size = sum(info.file_size for info in archive.infolist())
            arrays = [info.filename.removesuffix(".npy") for info in archive.infolist()]
            if size > MOST_BYTES:
                reason, helps = f"it has {size:,} bytes unpacked, at most {MOST_BYTES:,} are read", ()
            elif name not in arrays and len(arrays) != 1:
                reason, helps = (
                    f"it holds {listed(arrays)}, none of them `{name}`",
                    (f"`numpy.savez(path, {name}=array)`",),
                )
            else:
                with numpy.load(io.BytesIO(data), allow_pickle=False) as found:
                    array = found[name if name in arrays else arrays[0]]
        elif data[:6] == b"\x93NUMPY":
            array = numpy.load(io.BytesIO(data), allow_pickle=False)
    except (
        ValueError,
        TypeError,
        OSError,
        KeyError,
        EOFError,
        zipfile.BadZipFile,
        NotImplementedError,
        SyntaxError,
        MemoryError,
        RuntimeError,
    ):
        reason, helps = "it is damaged, or holds objects instead of numbers, which are never unpickled", ()
    if array is not None and array.dtype.kind not in "fiub":
        reason, helps, array = f"its numbers are {array.dtype}, not real or whole", (), None
    if array is None:
        scope.report.error("E0808", f"`{file.text}` cannot be read: {reason}", (file.span, "named here"), helps=helps)
    return array


def _fits(file: nodes.FileName, array: NDArray[Any], source: Word, target: Word, scope: Scope) -> bool:
    """Whether the numbers are finite, and as many as the wires say."""
    import numpy

    word = target + source
    symbolic = next((wire for wire in word if not isinstance(wire.group.size, int)), None)
    shape = tuple(wire.group.size for wire in word)
    shown = "(" + ", ".join(map(str, array.shape)) + ("," if array.ndim == 1 else "") + ")"
    notes = ("a tensor has an axis for each wire: those of the target, then those of the source",)
    if symbolic is not None:
        message = f"a fixed tensor has one size, and `{scope.show_word((symbolic,))}` has any"
        scope.report.error(
            "E0622",
            message,
            (file.span, shown),
            notes=notes,
            helps=(f"give the space a number: `{symbolic.group.family}({(*array.shape, 3)[0]})`",),
        )
        return False
    if array.shape != shape:
        wanted = "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"
        scope.report.error(
            "E0622", f"`{file.text}` has the shape {shown}, its wires have {wanted}", (file.span, shown), notes=notes
        )
        return False
    if prod(array.shape) > MOST_NUMBERS:
        scope.report.error(
            "E0622",
            f"`{file.text}` has {prod(array.shape):,} numbers, at most {MOST_NUMBERS:,} are taken",
            (file.span, shown),
            notes=("they are written into the generated source",),
        )
        return False
    if not numpy.isfinite(array).all():
        scope.report.error("E0622", f"`{file.text}` holds a number that is not finite", (file.span, "nan or inf"))
        return False
    return True


def _invariant(file: nodes.FileName, array: NDArray[Any], source: Word, target: Word, scope: Scope) -> bool:
    """Whether random elements of the groups leave the tensor as it is; reports where not."""
    import numpy

    word = target + source
    values = array.astype(numpy.float64)
    scale = max(float(numpy.abs(values).max(initial=0.0)), 1e-300)
    for wire in bases(word):
        family, size = FAMILIES[wire.group.family], wire.group.size
        assert isinstance(size, int)
        for seed in range(0 if wire.plain else ELEMENTS):
            moved = _moved(values, wire, len(target), word, family.random_element(size, seed))
            difference = float(numpy.abs(moved - values).max(initial=0.0))
            if difference > TOLERANCE * scale:
                shown = scope.show_word((wire,))
                scope.report.error(
                    "E0623",
                    f"`{file.text}` is not invariant under {wire.group} on `{shown}`",
                    (file.span, f"an element of the group changes it by {difference:.2g}"),
                    notes=("every box is equivariant, or the networks that use it are not",),
                    helps=(f"average it over the group, or let `{shown}` be plain: `space {shown} : {size}`",),
                )
                return False
    return True


def broken_promise(box: Box, constant: Constant) -> tuple[str, str] | None:
    """The attribute of a promise that the numbers of a box do not keep, and how; None where they keep all.

    >>> from catnn.category.wires import PLAIN, Group, Wire
    >>> D = Wire("D", Group(PLAIN, 2))
    >>> broken_promise(Box("q", (D,), (D,), adjoint="unitary"), Constant((2, 2), "<i8", bytes(32)))
    ('adjoint', "q ; q' is not id: an entry is off by 1")
    """
    import numpy

    values = constant.array().astype(numpy.float64)
    l, k = len(box.target), len(box.source)
    scale = max(float(numpy.abs(values).max(initial=0.0)), 1e-300)
    for free, start, stop in ((box.free_outputs, 0, l), (box.free_inputs, l, l + k)):
        for axis in range(start, stop - 1 if free else start):  # exchanges of neighbours make all permutations
            off = float(numpy.abs(values - values.swapaxes(axis, axis + 1)).max(initial=0.0))
            if off > TOLERANCE * scale:
                side, at = ("output", axis) if start == 0 else ("input", axis - l)
                return "symmetric", f"exchanging {side}s {at} and {at + 1} changes an entry by {off:.2g}"
    matrix = values.reshape(prod(values.shape[:l]), prod(values.shape[l:]))
    if box.adjoint == "self":
        off = float(numpy.abs(matrix - matrix.T).max(initial=0.0))
        if off > TOLERANCE * scale:
            return "adjoint", f"{box.name}' differs from {box.name} in an entry by {off:.2g}"
    products = {"isometry": ((matrix.T, ""),), "unitary": ((matrix.T, ""), (matrix, "'"))}.get(box.adjoint, ())
    for one, prime in products:
        off = float(numpy.abs(one @ one.T - numpy.eye(len(one))).max(initial=0.0))
        if off > TOLERANCE:
            other = "" if prime else "'"
            return "adjoint", f"{box.name}{prime} ; {box.name}{other} is not id: an entry is off by {off:.2g}"
    return None


def _moved(values: NDArray[Any], wire: Wire, l: int, word: Word, element: NDArray[Any]) -> NDArray[Any]:
    """A tensor after an element of the group of one space: g on outputs, its inverse transposed on inputs."""
    import numpy

    contragredient = numpy.linalg.inv(element).T
    for axis, one in enumerate(word):
        if one.base == wire:
            matrix = element if axis < l else contragredient
            if one.dual:
                matrix = matrix.conj()
            values = numpy.moveaxis(numpy.tensordot(matrix, values, (1, axis)), 0, axis)
    return values
