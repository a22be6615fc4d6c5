"""Text to Syntax: the entry points.

>>> module = parse("space V : S(n)  check swap[V] ; swap[V] = id[V^2]")
>>> [type(statement).__name__ for statement in module.statements]
['SpaceStatement', 'CheckStatement']
"""

from __future__ import annotations

from typing import Any

from catnn.diagnostics import CatnnError, Diagnostic, Source, Span
from catnn.syntax import lalr
from catnn.syntax.build import NESTING, Builder
from catnn.syntax.build_types import as_type
from catnn.syntax.lexing import decode, make_source, read_spec, tokenize
from catnn.syntax.nodes import Arrow, Group, Module, Pattern, Statement, Term, Type
from catnn.syntax.recovery import split, statement_of

__all__ = [
    "decode",
    "make_source",
    "parse",
    "parse_arrow",
    "parse_group",
    "parse_pattern",
    "parse_recovering",
    "parse_term",
    "parse_type",
    "read_spec",
]


def parse(text: str, path: str = "<text>") -> Module:
    """The statements of a spec.

    Raises: CatnnError with every syntax error, in file order.
    """
    module, faults = parse_recovering(make_source(text, path))
    if faults:
        raise CatnnError(*faults)
    return module


def parse_recovering(source: Source) -> tuple[Module, tuple[Diagnostic, ...]]:
    """The good statements of a spec, and a diagnostic for each of the others.

    >>> module, faults = parse_recovering(make_source("space V S(n)\\nspace W : O(3)", "a.catnn"))
    >>> len(module.statements), [fault.code for fault in faults], module.broken
    (1, ['E0010'], ('V', 'S'))
    """
    tokens, comments = tokenize(source)
    statements: list[Statement] = []
    faults: list[Diagnostic] = []
    broken: list[str] = []
    chunks = list(split(source, tokens))
    for index, chunk in enumerate(chunks):
        end = chunks[index + 1][0].start if index + 1 < len(chunks) else len(source.text)
        outcome = statement_of(source, chunk, end)
        if outcome.statement is not None:
            statements.append(outcome.statement)
        if outcome.fault is not None:
            faults.append(outcome.fault)
            broken.extend(outcome.declares)
    span = Span(source, 0, len(source.text))
    return Module(tuple(statements), tuple(comments), span, tuple(broken)), tuple(faults)


def _parse_as(start: str, text: str, path: str) -> Any:
    source = make_source(text, path)
    tokens, _ = tokenize(source)
    try:
        return lalr.parse(start, tokens, Builder(source), len(source.text), NESTING)
    except lalr.Stuck as stuck:
        from catnn.syntax.hints import explain

        raise CatnnError(explain(source, start, tokens, stuck, len(source.text))) from None


def parse_term(text: str, path: str = "<term>") -> Term:
    """A single term. Raises: CatnnError.

    >>> from catnn.syntax.printer import show
    >>> show(parse_term("copy⊗id ; id⊗merge"))
    'copy @ id ; id @ merge'
    """
    term: Term = _parse_as("term", text, path)
    return term


def parse_type(text: str, path: str = "<type>") -> Type:
    """A single type. Raises: CatnnError.

    >>> [factor.power for factor in parse_type("V^2[3]").summands[0].factors]
    [2]
    """
    source = make_source(text, path)
    return as_type(Span(source, 0, len(source.text)), _parse_as("type", text, path))


def parse_arrow(text: str, path: str = "<type>") -> Arrow:
    """A source and a target: ``V^2[3] -> V^2[16]``. Raises: CatnnError."""
    arrow: Arrow = _parse_as("arrow", text, path)
    return arrow


def parse_group(text: str, path: str = "<group>") -> Group:
    """A group: ``S(n)``. Raises: CatnnError.

    >>> parse_group("S'(4)")
    Group(head="S'", args=(4,))
    """
    group: Group = _parse_as("group", text, path)
    return group


def parse_pattern(text: str, path: str = "<pattern>") -> Pattern:
    """A pattern, with or without its square brackets. Raises: CatnnError.

    >>> parse_pattern("i j -> j i") == parse_pattern("[i j -> j i]")
    True
    """
    bare = text.lstrip("\ufeff \t\r\n")
    start = "pattern" if bare.startswith(("[", "sgn")) else "bare_pattern"
    pattern: Pattern = _parse_as(start, text, path)
    return pattern
