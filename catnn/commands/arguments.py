"""Reading command lines: argparse, with coded errors, the nearest known word, and sizes by name (`--n 64`)."""

from __future__ import annotations

import argparse
import os
import re
from typing import Any, NamedTuple, NoReturn

from catnn.commands import COMMANDS, UsageError
from catnn.diagnostics import CatnnError, Diagnostic

LINE = re.compile(r"[1-9][0-9]{0,6}")
NAME = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
DIGITS = 18
"""Longer numbers mean nothing on a command line."""


def wrong(message: str, *, notes: tuple[str, ...] = (), helps: tuple[str, ...] = ()) -> CatnnError:
    """A command line that cannot be understood, for the caller to raise."""
    return UsageError(Diagnostic("E1009", message, (), notes, helps))


def limits(options: argparse.Namespace) -> dict[str, Any]:
    """What `Parser.limit` has added, as `load_spec` takes it."""
    return {name: getattr(options, name) for name in ("max_diagrams", "allow_maps", "effort")}


class Parser(argparse.ArgumentParser):
    """The parser of one verb: never ends the process, never guesses what an abbreviation means."""

    def __init__(self, verb: str, description: str, examples: str) -> None:
        super().__init__(
            prog=f"catnn {verb}",
            description=f"{COMMANDS[verb][1]}.\n\n{description}",
            epilog=f"examples:\n{examples}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def json(self) -> None:
        """Add `--json`."""
        self.add_argument("--json", action="store_true", help="for programs: one JSON object, faults included")

    def limit(self) -> None:
        """Add `--max-diagrams`, `--allow-maps` and `--effort`, as every verb has them that reads a spec."""
        text = "the most diagrams that a layer may have (100,000)"
        self.add_argument("--max-diagrams", type=positive, metavar="N", help=text)
        self.add_argument("--allow-maps", action="store_true", help="boxes may be functions of other packages")
        text = "search N times as far for the proofs of checks (1)"
        self.add_argument("--effort", type=positive, metavar="N", help=text)

    def read(self, words: list[str]) -> argparse.Namespace:
        """The command line as values.  Raises: UsageError."""
        options, extra = self.parse_known_args(words)
        if extra:
            raise self._unknown(extra[0])
        return options

    def read_with_sizes(self, words: list[str]) -> tuple[argparse.Namespace, dict[str, int]]:
        """The same where every other `--name 64` is a size, a whole number.  Raises: UsageError."""
        rest: list[str] = []
        sizes: dict[str, int] = {}
        pending = list(reversed(words))
        while pending:
            word = pending.pop()
            name, equals, value = word[2:].partition("=")
            if word == "--":
                rest += [word, *reversed(pending)]
                break
            if not word.startswith("--") or f"--{name}" in self.options():
                rest.append(word)
                continue
            if not name.isidentifier():
                raise self._unknown(word)
            if not equals:
                value = pending.pop() if pending else ""
            sizes[name] = self._size(name, value)
        return self.read(rest), sizes

    def options(self) -> tuple[str, ...]:
        """Every option there is."""
        return tuple(self._option_string_actions)

    def _size(self, name: str, value: str) -> int:
        if not re.fullmatch(rf"-?[0-9]{{1,{DIGITS}}}", value):
            from catnn.elaborate.report import nearest

            shown = f"not `{value}`" if value else "and nothing follows"
            raise wrong(
                f"`--{name}` takes a whole number, {shown}",
                notes=("a size or a batch is given by its name, as in `--n 64 --batch 16`",),
                helps=nearest(f"--{name}", self.options()) if len(name) > 2 else (),
            )
        return int(value)

    def _unknown(self, word: str) -> CatnnError:
        from catnn.elaborate.report import nearest

        if word.startswith("-") and len(word) > 1:
            known = ", ".join(option for option in self.options() if option.startswith("--"))
            option = word.partition("=")[0]
            near = nearest(option, self.options())
            return wrong(f"`{self.prog}` has no option `{option}`", notes=(f"its options are: {known}",), helps=near)
        return wrong(f"`{word}` is one argument too many for `{self.prog}`", notes=(self._usage(),))

    def _usage(self) -> str:
        return " ".join(self.format_usage().split())

    def error(self, message: str) -> NoReturn:
        """Raises: UsageError."""
        raise wrong(f"`{self.prog}`: {message}", notes=(self._usage(),), helps=(f"`{self.prog} --help` tells more",))


def natural(text: str) -> int:
    """The type of an option that takes 0 or more."""
    if not re.fullmatch(rf"[0-9]{{1,{DIGITS}}}", text):
        raise argparse.ArgumentTypeError(f"`{text}` is not a number from 0 on")
    return int(text)


def positive(text: str) -> int:
    """The type of an option that takes a positive integer."""
    if not re.fullmatch(rf"[0-9]{{1,{DIGITS}}}", text) or int(text) == 0:
        raise argparse.ArgumentTypeError(f"`{text}` is not a positive integer")
    return int(text)


def duration(text: str) -> float:
    """The type of an option that takes a positive number of seconds."""
    if not re.fullmatch(rf"[0-9]{{1,{DIGITS}}}(\.[0-9]{{0,{DIGITS}}})?", text) or float(text) == 0:
        raise argparse.ArgumentTypeError(f"`{text}` is not a positive number of seconds")
    return float(text)


class Target(NamedTuple):
    """FILE or FILE:NAME."""

    file: str
    name: str | None


def target(text: str, *, lines: bool = False) -> Target:
    """Split FILE:NAME at the last colon, unless the whole is a file or the colon is that of a drive.

    lines: whether the name may be the number of a line, FILE:12.

    >>> target("graph.catnn:mix"), target("lib.catnn:H.mix").name, target("graph.catnn").name
    (Target(file='graph.catnn', name='mix'), 'H.mix', None)
    >>> target(r"C:\\specs\\graph.catnn").name, target("C:graph.catnn").name, target("C:graph.catnn:mix").file
    (None, None, 'C:graph.catnn')
    >>> target("graph.catnn:12").name, target("graph.catnn:12", lines=True).name
    (None, '12')
    """
    file, colon, name = text.rpartition(":")
    drive = len(file) == 1 and file.isalpha() and ("." in name or os.name == "nt")
    if (
        not colon
        or not file
        or drive
        or not (NAME.fullmatch(name) or (lines and LINE.fullmatch(name)))
        or os.path.lexists(text)
    ):
        return Target(text, None)
    return Target(file, name)
