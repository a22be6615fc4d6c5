"""Collecting diagnostics, and the few ways in which messages spell things."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from catnn.diagnostics import Diagnostic, Label, Span

Place = tuple[Span, str]
"""A span and the words under it."""


LONGEST = 100
"""So many letters of a name count when it is compared."""

MOST_COMPARED = 300_000
"""So many letters of unknown names, times the known ones, are compared in a file: some seconds."""


@dataclass
class Report:
    """The diagnostics of a file, collected as they are found and given back in file order.

    said: the faults of the statement at hand, each reported where it occurs first; faults: how many there were,
    repetitions too; compared: how many letters were compared to offer names.
    """

    found: list[tuple[int, Diagnostic]] = field(default_factory=list)
    said: set[tuple[str, str]] = field(default_factory=set)
    faults: int = 0
    compared: int = 0

    def begin(self) -> None:
        """A new statement: what was said of the last one may be said of this one."""
        self.said.clear()

    def error(
        self, code: str, message: str, *places: Place, notes: Iterable[str] = (), helps: Iterable[str] = ()
    ) -> None:
        """Note a fault; the first place is the culprit."""
        self.faults += 1
        if (code, message) in self.said:
            return
        self.said.add((code, message))
        labels = tuple(Label(span, text) for span, text in places)
        at = labels[0].span.start if labels else 0
        self.found.append((at, Diagnostic(code, message, labels, tuple(notes), tuple(helps))))

    def forget(self, code: str, since: int) -> None:
        """Take back the faults of a code but for the first so many: another one is their cause."""
        self.found[since:] = [entry for entry in self.found[since:] if entry[1].code != code]

    def nearest(self, name: str, known: Iterable[str]) -> tuple[str, ...]:
        """As `nearest`, while the file has not asked for too many: thousands of faults need no help each."""
        known = tuple(known)
        self.compared += len(name[:LONGEST]) * len(known)
        return nearest(name, known) if self.compared <= MOST_COMPARED else ()

    def include(self, diagnostics: Iterable[Diagnostic], at: int) -> None:
        """Take over the diagnostics of another file, at the place of its import."""
        self.found.extend((at, diagnostic) for diagnostic in diagnostics)
        self.faults += 1

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All of them, in file order."""
        return tuple(diagnostic for _, diagnostic in sorted(self.found, key=lambda pair: pair[0]))


def brief(span: Span, most: int = 40) -> str:
    """The text of a span on one line, shortened where it is long."""
    text = " ".join(span.source.text[span.start : min(span.end, span.start + 20 * most)].split())
    return text if len(text) <= most else text[: most - 3].rstrip() + "..."


def nearest(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """A help that offers the most similar known name, if there is one."""
    from difflib import get_close_matches

    folded: dict[str, str] = {}
    for key in known:
        folded.setdefault(key.casefold()[:LONGEST], key)
    found = get_close_matches(name.casefold()[:LONGEST], folded, n=1, cutoff=0.5)
    return (f"did you mean `{folded[found[0]]}`?",) if found else ()


def listed(names: Iterable[str], most: int = 12) -> str:
    """Names in backquotes with commas, `nothing` if there are none.

    >>> listed(["a", "b"])
    '`a`, `b`'
    """
    names = list(names)
    shown = ", ".join(f"`{name}`" for name in names[:most])
    return (shown + (", ..." if len(names) > most else "")) or "nothing"


def plural(count: int, noun: str) -> str:
    """A count and its noun.

    >>> plural(1, "wire"), plural(2, "wire")
    ('1 wire', '2 wires')
    """
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def times(count: int) -> str:
    """How often, in words."""
    return {1: "once", 2: "twice", 3: "three times", 4: "four times"}.get(count, f"{count} times")
