"""What to say about a token that cannot stand where it stands, in the words of a user.

`explain` tries, in this order: the fault of the token itself, brackets that do not match, a reserved word as a name,
the mistakes that newcomers make (`mistakes`), and last what was expected, with a repair that was tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from catnn.diagnostics import Diagnostic, Label, Source, Span
from catnn.syntax import lalr
from catnn.syntax.lexing import Token

STATEMENTS = ("space", "let", "layer", "network", "box", "rule", "check", "import")
_SYNONYMS = {
    "def": "let", "define": "let", "fn": "let", "fun": "let", "func": "let", "function": "let", "const": "let",
    "val": "let", "var": "let", "diagram": "let", "morphism": "let", "type": "space", "wire": "space",
    "object": "space", "group": "space", "linear": "layer", "module": "network", "net": "network",
    "model": "network", "tensor": "box", "param": "box", "parameter": "box", "weight": "box", "rewrite": "rule",
    "axiom": "rule", "assert": "check", "test": "check", "prove": "check", "theorem": "check", "lemma": "check",
    "include": "import", "use": "import", "from": "import", "require": "import", "open": "import",
}  # fmt: skip
TERM = frozenset({"ALL", "BIAS", "SPAN", "SGN", "LSQB", "LPAR", "MINUS", "INT", "NAME", "QUALIFIED"})
_TYPE = frozenset({"NAME", "QUALIFIED", "INT"})
_MORE_TERM = frozenset({"PLUS", "MINUS", "SEMICOLON", "_TENSOR", "STAR", "SLASH", "_PRIME", "LPAR", "LSQB"})
_MORE_TYPE = frozenset({"PLUS", "_TENSOR", "CIRCUMFLEX", "_PRIME", "LSQB", "LPAR"})
_BRACKETS = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}
_WORDS = {
    "NAME": "a name", "INT": "a number", "STRING": "a file name in double quotes", "_ARROW": "`->`",
    "_TENSOR": "`@`", "_PRIME": "`'`", "DECIMAL": "a number", lalr.END: "the end of the statement",
}  # fmt: skip


def spelling(kind: str) -> str:
    """A kind of token as text to paste; empty where it has no one spelling."""
    table = lalr.tables()
    fixed = {"_ARROW": "->", "_TENSOR": "@", "_PRIME": "'"}
    return table.keywords.get(kind) or table.literals.get(kind) or fixed.get(kind, "")


def quoted(text: str) -> str:
    """A piece of source between backquotes, shortened where it is long."""
    text = text if len(text) <= 30 else text[:28] + "…"
    return f"`{text}`"


class Situation:
    """A token that does not fit, and what is around it."""

    def __init__(self, source: Source, start: str, tokens: Sequence[Token], stuck: lalr.Stuck, end: int) -> None:
        self.source = source
        self.start = start
        self.tokens = tokens
        self.index = stuck.index
        self.end = end

    @property
    def token(self) -> Token | None:
        """The token; None where the statement ends too early."""
        return self.tokens[self.index] if self.index < len(self.tokens) else None

    @property
    def kind(self) -> str:
        return self.token.kind if self.token else lalr.END

    def kind_before(self, steps: int = 1) -> str:
        """The kind of an earlier token, or nothing."""
        return self.tokens[self.index - steps].kind if self.index >= steps else ""

    def text_before(self, steps: int = 1) -> str:
        """The text of an earlier token, or nothing."""
        return self.tokens[self.index - steps].text if self.index >= steps else ""

    @property
    def keyword(self) -> str:
        """The keyword of the statement, or nothing."""
        return self.tokens[0].text if self.tokens and self.start == "statement" else ""

    @cached_property
    def expected(self) -> frozenset[str]:
        stack = lalr.stack_after(self.start, [token.kind for token in self.tokens[: self.index]])
        return lalr.expected(stack or ())

    @property
    def found(self) -> str:
        """What stands there, in words."""
        if self.token:
            return quoted(self.token.text)
        if self.start != "statement":
            return "the end"
        return "the next statement" if self.end < len(self.source.text) else "the end of the file"

    @property
    def span(self) -> Span:
        """The token, or the place behind the last one."""
        if self.token:
            return Span(self.source, self.token.start, self.token.end)
        place = self.tokens[-1].end if self.tokens else 0
        return Span(self.source, place, place)

    @cached_property
    def open(self) -> list[Token]:
        """The brackets that are open before the token, outermost first."""
        stack: list[Token] = []
        for token in self.tokens[: self.index]:
            if token.kind in _BRACKETS:
                stack.append(token)
            elif stack and token.kind == _BRACKETS[stack[-1].kind]:
                stack.pop()
        return stack

    def fault(self, code: str, message: str, label: str, *, note: str = "", fix: str = "") -> Diagnostic:
        """A diagnostic at the token."""
        notes, helps = ((note,) if note else ()), ((fix,) if fix else ())
        return Diagnostic(code, message, (Label(self.span, label),), notes, helps)


def explain(source: Source, start: str, tokens: Sequence[Token], stuck: lalr.Stuck, end: int) -> Diagnostic:
    """The diagnostic for a parser that is stuck; `end` is the offset where what is parsed ends."""
    from catnn.syntax.mistakes import MISTAKES

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
    closing = {close: open_ for open_, close in _BRACKETS.items()}
    if here.kind in closing and not (here.open and here.open[-1].kind == closing[here.kind]):
        text = here.token.text if here.token else ""
        if not here.open:
            return here.fault(
                "E0012", f"`{text}` closes nothing", "no bracket is open here", fix=f"delete this `{text}`"
            )
        opened = here.open[-1]
        right = spelling(_BRACKETS[opened.kind])
        if _BRACKETS[opened.kind] in here.expected:
            labels = (
                Label(here.span, f"expected `{right}`"),
                Label(Span(here.source, opened.start, opened.end), "opened here"),
            )
            return Diagnostic("E0012", f"`{opened.text}` is closed by `{text}`", labels, (), (f"write `{right}`",))
    if here.open and (here.token is None or _never_closed(here)):
        opened = here.open[-1]
        close = spelling(_BRACKETS[opened.kind])
        place = here.span if here.token is None else Span(here.source, here.span.start, here.span.end)
        labels = (
            Label(Span(here.source, opened.start, opened.end), "opened here"),
            Label(place, f"`{close}` is missing"),
        )
        helps = tuple(f"write `{fixed}`" for fixed in [repaired(here, [_BRACKETS[opened.kind]])] if fixed)
        return Diagnostic("E0011", f"`{opened.text}` is never closed", labels, (), helps)
    return None


def _never_closed(here: Situation) -> bool:
    """Whether the innermost bracket is closed nowhere, and could be closed here."""
    opened = here.open[-1]
    if _BRACKETS[opened.kind] not in here.expected:
        return False
    stack = list(here.open)
    for token in here.tokens[here.index :]:
        if token.kind in _BRACKETS:
            stack.append(token)
        elif stack and token.kind == _BRACKETS[stack[-1].kind]:
            if stack.pop() is opened:
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
        note=f"the statement is `{_SHAPES[here.keyword]}`" if here.keyword in _SHAPES and not fix else "",
        fix=f"write `{fix}`" if fix else "",
    )


_SHAPES = {
    "space": "space V : S(n)", "let": "let f : A -> B = term", "layer": "layer f : A -> B = term",
    "network": "network f : A -> B = term", "box": "box f : A -> B", "rule": "rule name : lhs => rhs",
    "check": "check lhs = rhs", "import": 'import "other.catnn" as H',
}  # fmt: skip

# What one wrote for the other, most likely first; then what is forgotten.
_CONFUSED = {
    "EQUAL": ("COLON", "_ARROW", "_FAT_ARROW"), "COLON": ("EQUAL", "_ARROW"), "_FAT_ARROW": ("_ARROW", "EQUAL"),
    "_ARROW": ("_FAT_ARROW", "COLON", "EQUAL", "SEMICOLON"), "MINUS": ("_ARROW",), "STAR": ("_TENSOR",),
    "COMMA": ("SEMICOLON", "_TENSOR"), "SEMICOLON": ("COMMA",), "LPAR": ("LBRACE", "LSQB"), "LSQB": ("LBRACE", "LPAR"),
    "LBRACE": ("LPAR",), "SLASH": ("_TENSOR",),
}  # fmt: skip
_FORGOTTEN = ("COLON", "EQUAL", "_ARROW", "COMMA", "RSQB", "RPAR", "RBRACE", "LSQB", "SEMICOLON", "_TENSOR")
_MOST_TOKENS = 400


def repaired(here: Situation, insert: Sequence[str] | None) -> str:
    """The line as it may have been meant: one token put in, exchanged or left out so that all parses; else nothing.

    insert: the kinds to put in; None to try all that is likely.
    """
    if len(here.tokens) > _MOST_TOKENS:
        return ""
    kinds = [token.kind for token in here.tokens]
    before, after = kinds[: here.index], kinds[here.index :]
    if insert is None:
        for kind in _CONFUSED.get(here.kind, ()):
            if lalr.accepts(here.start, [*before, kind, *after[1:]]):
                return _edited(here, kind, exchange=True)
    likely = ("PLUS", *_FORGOTTEN) if here.kind in ("ALL", "BIAS", "SPAN") else _FORGOTTEN
    for kind in likely if insert is None else insert:
        if kind in here.expected and lalr.accepts(here.start, [*before, kind, *after]):
            return _edited(here, kind, exchange=False)
    if insert is None and after and lalr.accepts(here.start, [*before, *after[1:]]):
        return _edited(here, "", exchange=True)
    return ""


def _edited(here: Situation, kind: str, *, exchange: bool) -> str:
    """The line of the token after the edit; nothing where it is too long to be read."""
    text, new = here.source.text, spelling(kind)
    start, end = here.span.start, here.span.end
    if not exchange:
        previous = here.tokens[here.index - 1].end if here.index else start
        if kind in ("RSQB", "RPAR", "COMMA", "LSQB"):
            start = previous
            end = here.span.start if kind == "LSQB" else previous
            new = f"{new} " if text[start : start + 1].isspace() is False and kind == "COMMA" else new
        else:
            gap = text[start - 1 : start].isspace()
            start, end, new = start, start, ("" if gap else " ") + new + ("" if here.token is None else " ")
    begin = text.rfind("\n", 0, start) + 1
    stop = text.find("\n", max(start, end))
    stop = len(text) if stop < 0 else stop
    line = text[begin:start] + new + text[end:stop]
    line = line.split("#")[0].strip() if '"' not in line else line.strip()
    return line if len(line) <= 120 else ""
