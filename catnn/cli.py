"""The `catnn` command: find the verb, run it, and turn whatever happens into text and an exit status.

The verbs live in `catnn.commands`, a file each, imported when called; nothing here imports more than it must.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

from catnn import __version__
from catnn.commands import COMMANDS, HELP, UsageError
from catnn.commands.console import prepare, report, silence
from catnn.diagnostics import CatnnError, Diagnostic, fail

FINE, SPEC_IS_WRONG, CALL_IS_WRONG, CATNN_IS_WRONG, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 3, 130, 141
"""Exit statuses; the last two are what shells expect of a program that a signal ended."""

SPEC_CODES = frozenset({"E1008", "E1016"})
"""Codes without a place that are about the spec all the same: classes that clash, nothing to compile."""


def main(argv: list[str] | None = None) -> int:
    """Run a command line (without the program's name); the exit status.

    >>> main(["dim", "S(3)", "2", "2"])
    14
    0
    """
    words = list(sys.argv[1:] if argv is None else argv)
    json = "--json" in words
    prepare()
    try:
        return _guarded(words, json)
    except BrokenPipeError:
        silence()
        return PIPE_CLOSED
    except KeyboardInterrupt:
        silence()
        return INTERRUPTED


def _guarded(words: list[str], json: bool) -> int:
    """Run, and report every fault."""
    try:
        status = _run(words)
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except SystemExit as stop:  # argparse after --help
        return stop.code if isinstance(stop.code, int) else FINE
    except BrokenPipeError:
        raise
    except CatnnError as error:
        report(error.diagnostics, json=json)
        return status_of(error)
    except OSError as error:  # what the verbs have not caught is the standard output: a full disk, say
        silence()
        report((Diagnostic("E1012", f"the output cannot be written: {error.strerror or error}"),), json=False)
        return CALL_IS_WRONG
    except Exception as fault:
        if os.environ.get("CATNN_DEBUG"):
            raise
        report((_own_fault(fault),), json=json)
        return CATNN_IS_WRONG


def status_of(error: CatnnError) -> int:
    """1 where the spec is wrong, 2 where the command line is or a file is missing.

    >>> status_of(fail("E0301", "...")), status_of(fail("E1004", "...")), status_of(fail("E1008", "..."))
    (1, 2, 1)
    """
    if isinstance(error, UsageError):
        return CALL_IS_WRONG
    codes = {diagnostic.code for diagnostic in error.diagnostics}
    about_the_call = all(code.startswith("E10") and code not in SPEC_CODES for code in codes)
    return CALL_IS_WRONG if about_the_call else SPEC_IS_WRONG


def _run(words: list[str]) -> int:
    if not words:
        sys.stderr.write(HELP())
        return CALL_IS_WRONG
    verb, *rest = words
    if verb == "help" and rest:
        verb, rest = rest[0], ["--help"]
    if verb in ("-h", "--help", "help"):
        print(HELP(), end="")
        return FINE
    if verb in ("-V", "--version"):
        print(f"catnn {__version__}")
        return FINE
    if verb not in COMMANDS:
        raise _unknown(verb)
    status: int = import_module(f"catnn.commands.{verb}").run(rest)
    return status


def _unknown(verb: str) -> CatnnError:
    from catnn.elaborate.report import nearest

    what = "option" if verb.startswith("-") else "command"
    helps = nearest(verb, COMMANDS) if what == "command" else ()
    if what == "command" and (verb.endswith(".catnn") or os.path.isfile(verb)):
        helps = (f"write the command first: `catnn check {verb}`",)
    return fail(
        "E1009", f"there is no {what} `{verb}`", notes=(f"the commands are: {', '.join(COMMANDS)}",), helps=helps
    )


def _own_fault(fault: Exception) -> Diagnostic:
    what = " ".join(f"{type(fault).__name__}: {fault}".split())
    return Diagnostic(
        "E1015",
        f"catnn itself has a fault: {what[:200]}",
        (),
        ("nothing is wrong with what you wrote, as far as catnn knows",),
        ("please report it, with the spec; `CATNN_DEBUG=1` in the environment shows where it happened",),
    )
