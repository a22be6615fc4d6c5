"""A small writer of Python: lines, fresh names, and the parts a file will need."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
RESERVED = re.compile(r"([xyzrbwg][0-9]*|halves|grads|plus|minus|size_.*|count_.*|.*_[0-9]+|device|dtype|generator)\Z")
TAKEN = frozenset({"self", "torch", "nn", "Any", "Tensor", "Callable", "math", "linear", "FORMAT", "annotations"})


class Names:
    """Gives out identifiers that are new, plain ASCII, and mean nothing else in the file."""

    def __init__(self) -> None:
        self._used: set[str] = set(TAKEN)

    def fresh(self, wanted: str) -> str:
        """`wanted`, or `wanted` with a number behind it, made safe first."""
        safe = unicodedata.normalize("NFKC", wanted).encode("ascii", "ignore").decode()
        safe = re.sub(r"[^A-Za-z0-9_]", "_", safe)
        if not IDENTIFIER.match(safe.lstrip("_")) or safe.startswith("__"):
            safe = "x" + safe.strip("_")
        if keyword.iskeyword(safe) or keyword.issoftkeyword(safe):
            safe += "_"
        name, number = safe, 1
        while name in self._used:
            number += 1
            name = f"{safe}_{number}"
        self._used.add(name)
        return name


def size_variable(size: str) -> str:
    """The Python variable of a size: its own name, unless that means something else in generated code.

    >>> size_variable("n"), size_variable("x"), size_variable("lambda")
    ('n', 'size_x', 'size_lambda')
    """
    taken = size in TAKEN or keyword.iskeyword(size) or keyword.issoftkeyword(size)
    return f"size_{size}" if taken or RESERVED.match(size) or size.startswith("_") else size


def size_parameter(size: str) -> str:
    """The constructor's parameter for a size: its own name, unless Python or the constructor needs that.

    >>> size_parameter("r"), size_parameter("device")
    ('r', 'size_device')
    """
    taken = size in TAKEN or keyword.iskeyword(size) or size in ("device", "dtype", "generator")
    return f"size_{size}" if taken or size.startswith("_") else size


def quoted(name: str) -> str:
    """A string literal in double quotes, of a name that has none of its own.

    >>> quoted("V")
    '"V"'
    """
    plain = name.isprintable() and name.isascii() and '"' not in name and "\\" not in name
    return f'"{name}"' if plain else repr(name)


def one_tuple(items: Iterable[str]) -> str:
    """A tuple display of these expressions, right for one as well.

    >>> one_tuple(["a"]), one_tuple(["a", "b"]), one_tuple([])
    ('(a,)', '(a, b)', '()')
    """
    found = list(items)
    return f"({', '.join(found)}{',' if len(found) == 1 else ''})"


def cap_words(name: str) -> str:
    """The class name of a layer or network: ``mix`` is Mix, ``edge_pool`` is EdgePool, ``H.mix`` is HMix.

    >>> cap_words("edge_pool"), cap_words("H.mix")
    ('EdgePool', 'HMix')
    """
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[._]+", name) if word)


@dataclass
class Body:
    """The lines of one function, and the parts and sizes that they mention."""

    names: Names = field(default_factory=Names)
    lines: list[str] = field(default_factory=list)
    parts: set[str] = field(default_factory=set)
    sizes: set[str] = field(default_factory=set)
    counts: set[str] = field(default_factory=set)

    def say(self, line: str, comment: str = "") -> None:
        """One line, with a comment behind it that starts in a common column where it can."""
        self.lines.append(f"{line.ljust(58)}  # {comment}" if comment else line)

    def let(self, name: str, expression: str, comment: str = "") -> str:
        """`name = expression` under a fresh name, which is returned."""
        fresh = self.names.fresh(name)
        self.say(f"{fresh} = {expression}", comment)
        return fresh

    def use(self, part: str) -> str:
        """The name of a part of `catnn.emit.parts`, noted so that the file gets it."""
        self.parts.add(part)
        return part
