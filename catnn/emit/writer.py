"""A small writer of Python: lines, fresh names, and the parts a file will need."""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
RESERVED = re.compile(
    r"(d?[xyzrbwg][0-9]*|halves|grads|plus|minus|size_.*|count_.*|.*_[0-9]+|device|dtype|generator)\Z"
)
TAKEN = frozenset("self torch nn Any Tensor Callable math linear FORMAT CHUNK annotations".split())
ENDINGS = ("", "_dense", "_fused", "_pack", "_reduce", "_reduce_back", "_run", "_run_back", "_weights")
"""The functions of a layer: its prefix and one of these."""

LOCAL = frozenset(
    """
    args counts ctx dw dx in_ in_dims info ins kind kinds known lengths made mixed moved needs norms out outs
    table tangents weight work xs
    """.split()
)
"""Variables of generated methods, which no size may be called."""

MODULE = frozenset(
    """
    T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda double dump_patches
    eval extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half ipu load_state_dict
    modules mtia named_buffers named_children named_modules named_parameters parameters register_backward_hook
    register_buffer register_forward_hook register_forward_pre_hook register_full_backward_hook
    register_full_backward_pre_hook register_load_state_dict_post_hook register_load_state_dict_pre_hook
    register_module register_parameter register_state_dict_post_hook register_state_dict_pre_hook requires_grad_
    reset_parameters set_extra_state set_submodule share_memory sizes source state_dict to to_empty train training
    type xpu zero_grad
    """.split()
)
"""Attributes of every nn.Module (tested) and of ours, which no submodule may be called."""


class Names:
    """Gives out identifiers that are new, plain ASCII, and mean nothing else in the file."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self._used: set[str] = {*TAKEN, *reserved}
        self._last: dict[str, int] = {}

    def fresh(self, wanted: str) -> str:
        """`wanted`, or `wanted` with a number behind it, made safe first."""
        safe = ascii_name(wanted)
        if reserved_word(safe):
            safe += "_"
        name, number = safe, self._last.get(safe, 1)
        while name in self._used:
            number += 1
            name = f"{safe}_{number}"
        self._used.add(name)
        self._last[safe] = number
        return name

    def own(self, wanted: str) -> str:
        """`wanted` as it is, where that is a free ASCII identifier; else a fresh name like it.

        >>> Names().own("bias_"), Names(["bias_"]).own("bias_"), Names().own("lambda")
        ('bias_', 'bias', 'lambda_')
        """
        if not IDENTIFIER.match(wanted) or reserved_word(wanted) or wanted in self._used:
            return self.fresh(wanted)
        self._used.add(wanted)
        return wanted

    def release(self, names: Iterable[str]) -> None:
        """Names that were given out and are not used after all."""
        self._used.difference_update(names)
        self._last.clear()

    def prefix(self, wanted: str) -> str:
        """How the names of a layer's functions start, so that none of them means anything else."""
        name = self.fresh(wanted)
        while not self._used.isdisjoint(functions := {f"_{name}{ending}" for ending in ENDINGS}):
            name = self.fresh(wanted)
        self._used |= functions
        return name


def reserved_word(name: str) -> bool:
    """Whether Python gives a name a meaning of its own, or may."""
    return keyword.iskeyword(name) or keyword.issoftkeyword(name)


def ascii_name(name: str) -> str:
    """An ASCII identifier that reads like a name: accents go, other letters are spelt out.

    >>> ascii_name("mélange"), ascii_name("α_1"), ascii_name("__init__")
    ('melange', 'alpha_1', 'init')
    """
    letters = []
    for letter in unicodedata.normalize("NFKD", name):
        if letter.isascii():
            letters.append(letter)
        elif letter.isalnum():
            letters.append(unicodedata.name(letter, "x").split()[-1].lower())
    plain = re.sub(r"[^A-Za-z0-9_]", "_", "".join(letters)).strip("_")
    return plain if IDENTIFIER.match(plain) else f"x{plain}"


def distinct(name: str) -> str:
    """An ASCII name for what follows a prefix: the name itself, or one that no other name has.

    >>> distinct("V"), distinct("H.V")
    ('V', 'H_V_482e56')
    """
    return name if re.fullmatch(r"\w+", name, re.ASCII) else f"{ascii_name(name)}_{name.encode().hex()}"


def size_variable(size: str) -> str:
    """The Python variable of a size: its own name, unless that means something else in generated code.

    >>> size_variable("n"), size_variable("x"), size_variable("lambda")
    ('n', 'size_x', 'size_lambda')
    """
    taken = size in TAKEN | LOCAL or reserved_word(size) or hasattr(builtins, size) or RESERVED.match(size)
    return f"size_{distinct(size)}" if taken or not IDENTIFIER.match(size) else size


def count_variable(space: str) -> str:
    """The Python variable of how many real entries a space has."""
    return f"count_{distinct(space)}"


def size_parameter(size: str) -> str:
    """The constructor's parameter for a size: its own name, unless Python or the constructor needs that.

    >>> size_parameter("r"), size_parameter("device")
    ('r', 'size_device')
    """
    taken = size in TAKEN or reserved_word(size) or hasattr(builtins, size) or size in ("device", "dtype", "generator")
    free = IDENTIFIER.match(size) and not size.startswith("size_")
    return f"size_{distinct(size)}" if taken or not free else size


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

    >>> cap_words("edge_pool"), cap_words("H.mix"), cap_words("none")
    ('EdgePool', 'HMix', 'None_')
    """
    words = (ascii_name(word) for word in re.split(r"[._]+", name) if word)
    found = "".join(word[:1].upper() + word[1:] for word in words) or "X"
    taken = found in TAKEN or reserved_word(found) or hasattr(builtins, found) or found == "Layer"
    return f"{found}_" if taken else found


@dataclass
class Body:
    """The lines of one function, and the parts, sizes and constants that they mention."""

    names: Names = field(default_factory=Names)
    lines: list[str] = field(default_factory=list)
    parts: set[str] = field(default_factory=set)
    sizes: set[str] = field(default_factory=set)
    counts: set[str] = field(default_factory=set)
    constants: dict[str, str] = field(default_factory=dict)

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
