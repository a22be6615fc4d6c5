"""What to say about a token that cannot stand where it stands, in the words of a user.

`explain` tries, in this order: the fault of the token itself, brackets that do not match, a reserved word as a name,
the mistakes that newcomers make (`mistakes`), and last what was expected, with a repair that was tried.
"""

from __future__ import annotations

from collections.abc import Sequence

from catnn.diagnostics import Diagnostic, Label, Source, Span
from catnn.syntax import lalr
from catnn.syntax.lexing import Token
from catnn.syntax.mistakes import MISTAKES
from catnn.syntax.repair import repaired
from catnn.syntax.situation import BRACKETS, TERM, Situation, quoted, spelling

STATEMENTS = ("space", "let", "layer", "network", "box", "rule", "check", "import")
_SYNONYMS = {
    "def": "let", "define": "let", "fn": "let", "fun": "let", "func": "let", "function": "let", "const": "let",
    "val": "let", "var": "let", "diagram": "let", "morphism": "let", "type": "space", "wire": "space",
    "object": "space", "group": "space", "linear": "layer", "module": "network", "net": "network",
    "model": "network", "tensor": "box", "param": "box", "parameter": "box", "weight": "box", "rewrite": "rule",
    "axiom": "rule", "assert": "check", "test": "check", "prove": "check", "theorem": "check", "lemma": "check",
    "include": "import", "use": "import", "from": "import", "require": "import", "open": "import",
}  # fmt: skip
_TYPE = frozenset({"NAME", "QUALIFIED", "INT"})
_MORE_TERM = frozenset({"PLUS", "MINUS", "SEMICOLON", "_TENSOR", "STAR", "SLASH", "_PRIME", "LPAR", "LSQB"})
_MORE_TYPE = frozenset({"PLUS", "_TENSOR", "CIRCUMFLEX", "_PRIME", "LSQB", "LPAR"})
_WORDS = {
    "NAME": "a name", "INT": "a number", "STRING": "a file name in double quotes", "_ARROW": "`->`",
    "_TENSOR": "`@`", "_PRIME": "`'`", "DECIMAL": "a number", lalr.END: "the end of the statement",
}  # fmt: skip


def explain(source: Source, start: str, tokens: Sequence[Token], stuck: lalr.Stuck, end: int) -> Diagnostic:
    """The diagnostic for a parser that is stuck; `end` is the offset where what is parsed ends."""
    here = Situation(source, start, tokens, stuck, end)
    if here.token and here.token.fault:
        return here.token.fault
    for mistake in (_brackets, _reserved, *MISTAKES):
        diagnostic = mistake(here)
        if diagnostic is not None:
            return diagnostic
    return _unexpected(here)


def explain_keyword(source: Source, tokens: Sequence[Token]) -> Diagnostic:
    """The diagnostic for tokens that do not begin with the keyword of a statement."""
    from difflib import get_close_matches

    first = tokens[0]
    word = first.text.lower()
    matches = get_close_matches(word, STATEMENTS, 1, 0.6) if len(word) <= 40 else []
    close = _SYNONYMS.get(word) or (matches[0] if matches else "")
    named = first.kind in ("NAME", "QUALIFIED")
    follows = tokens[1].kind if len(tokens) > 1 else ""
    helps = (
        (f"write `let {first.text} : A -> B = ...`",) if not close and named and follows in ("COLON", "EQUAL") else ()
    )
    return Diagnostic(
        "E0013",
        f"{quoted(first.text)} does not begin a statement",
        (Label(Span(source, first.start, first.end), f"did you mean `{close}`?" if close and named else ""),),
        ("a statement begins with " + ", ".join(f"`{word}`" for word in STATEMENTS[:-1]) + f" or `{STATEMENTS[-1]}`",),
        helps,
    )


# ---------------------------------------------------------------------------------------------------------- brackets


def _brackets(here: Situation) -> Diagnostic | None:
    """A bracket that is never closed, closed by another, or never opened."""
    closing = {close: open_ for open_, close in BRACKETS.items()}
    if here.kind in closing and not (here.open and here.open[-1].kind == closing[here.kind]):
        text = here.token.text if here.token else ""
        if not here.open:
            return here.fault(
                "E0012", f"`{text}` closes nothing", "no bracket is open here", fix=f"delete this `{text}`"
            )
        opened = here.open[-1]
        right = spelling(BRACKETS[opened.kind])
        if BRACKETS[opened.kind] in here.expected:
            labels = (
                Label(here.span, f"expected `{right}`"),
                Label(Span(here.source, opened.start, opened.end), "opened here"),
            )
            return Diagnostic("E0012", f"`{opened.text}` is closed by `{text}`", labels, (), (f"write `{right}`",))
    if here.open and (here.token is None or _never_closed(here)):
        opened = here.open[-1]
        close = spelling(BRACKETS[opened.kind])
        place = here.span if here.token is None else Span(here.source, here.span.start, here.span.end)
        labels = (
            Label(Span(here.source, opened.start, opened.end), "opened here"),
            Label(place, f"`{close}` is missing"),
        )
        helps = tuple(f"write `{fixed}`" for fixed in [repaired(here, [BRACKETS[opened.kind]])] if fixed)
        return Diagnostic("E0011", f"`{opened.text}` is never closed", labels, (), helps)
    return None


def _never_closed(here: Situation) -> bool:
    """Whether the innermost bracket is closed nowhere, and could be closed here."""
    opened = here.open[-1]
    if BRACKETS[opened.kind] not in here.expected:
        return False
    stack = list(here.open)
    for token in here.tokens[here.index :]:
        if token.kind in BRACKETS:
            stack.append(token)
        elif stack and token.kind == BRACKETS[stack[-1].kind] and stack.pop() is opened:
            return False
    return True


# ---------------------------------------------------------------------------------------------------- reserved words


def _reserved(here: Situation) -> Diagnostic | None:
    """A reserved word where a name is expected."""
    if here.kind not in lalr.tables().keywords or "NAME" not in here.expected:
        return None
    word = here.token.text if here.token else ""
    return here.fault(
        "E0014",
        f"`{word}` is a reserved word",
        "cannot be a name",
        note="reserved are " + ", ".join(f"`{text}`" for text in sorted(lalr.tables().keywords.values())),
        fix=f"choose another name, such as `{word}_`",
    )


# ------------------------------------------------------------------------------------------------------ anything else


def words(expected: frozenset[str]) -> str:
    """What may come next, in words.

    >>> words(frozenset({"NAME", "QUALIFIED", "INT"}))
    'a type'
    """
    rest, parts, more = set(expected), [], ""
    if rest >= TERM:
        parts, rest = ["a term"], rest - TERM
    elif rest >= _TYPE:
        parts, rest = ["a type"], rest - _TYPE
    if rest >= _MORE_TERM - {"SEMICOLON", "LSQB"}:
        rest, more = rest - _MORE_TERM, "an operator"
    elif rest >= {"PLUS", "_TENSOR"}:
        rest, more = rest - _MORE_TYPE, "more of the type"
    rest -= {"QUALIFIED", "DECIMAL"}
    if lalr.END in rest and (len(rest) > 1 or parts or more):
        rest.discard(lalr.END)
    parts += sorted(
        {_WORDS.get(kind) or f"`{spelling(kind)}`" for kind in rest}, key=lambda word: (word[0] != "`", word)
    )
    parts += [more] if more else []
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + f" or {parts[-1]}"


def _unexpected(here: Situation) -> Diagnostic:
    code = "E0010" if here.token else "E0015"
    wanted = words(here.expected)
    fix = repaired(here, None)
    if here.expected == {lalr.END}:
        return here.fault(
            code, f"{here.found} is too much", "expected nothing more", fix=f"write `{fix}`" if fix else ""
        )
    return here.fault(
        code,
        f"expected {wanted}, found {here.found}",
        f"expected {wanted}",
        note="" if fix or here.open or not here.keyword else f"the statement is `{_SHAPES[here.keyword]}`",
        fix=f"write `{fix}`" if fix else "",
    )


_SHAPES = {
    "space": "space V : S(n)", "let": "let f : A -> B = term", "layer": "layer f : A -> B = term",
    "network": "network f : A -> B = term", "box": "box f : A -> B", "rule": "rule name : lhs => rhs",
    "check": "check lhs = rhs", "import": 'import "other.catnn" as H',
}  # fmt: skip
