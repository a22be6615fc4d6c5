"""The mistakes that newcomers make, each with what to write instead: one small function a mistake."""

from __future__ import annotations

import re
from collections.abc import Callable

from catnn.diagnostics import Diagnostic
from catnn.syntax.lalr import END
from catnn.syntax.repair import repaired
from catnn.syntax.situation import BRACKETS, TERM, Situation

MOST_FIX = 120
"""Longer lines are not written again."""
_GROUP = re.compile(r"(Sp|SO|S|A|O|U|H|B)_?(n|[0-9]+)")


def _rule_arrow(here: Situation) -> Diagnostic | None:
    """`V => V`."""
    if here.kind == "_FAT_ARROW" and "_ARROW" in here.expected:
        line = repaired(here, None)
        return here.fault(
            "E0016",
            "`=>` stands only in a `rule`",
            "expected `->`",
            note="the arrow of a type and of a pattern is `->`",
            fix=f"write `{line}`" if line else "write `->`",
        )
    return None


def _type_arrow(here: Situation) -> Diagnostic | None:
    """`rule r : f -> g`."""
    if here.kind == "_ARROW" and "_FAT_ARROW" in here.expected:
        note = "a rule from left to right is written `=>`, one in both directions `=`"
        return here.fault("E0016", "`->` does not stand between the sides of a rule", "expected `=>`", note=note)
    return None


def _walrus(here: Situation) -> Diagnostic | None:
    """`let f := merge` with a blank: `: =`."""
    if here.kind == "EQUAL" and here.kind_before() == "COLON" and here.text_before(2):
        name = here.text_before(2)
        if here.keyword == "space":
            return here.fault("E0016", "`:` and `=` side by side", "delete this `=`", note="`space V : S(n)`")
        return here.fault(
            "E0016",
            "the type is missing between `:` and `=`",
            "expected a type",
            fix=f"write `{here.keyword} {name} : A -> B = ...` with the source and the target that you mean",
        )
    return None


def _no_type(here: Situation) -> Diagnostic | None:
    """`let f = merge`."""
    if here.kind == "EQUAL" and here.keyword in ("let", "network", "box") and here.index == 2:
        name = here.text_before()
        return here.fault(
            "E0025",
            f"the {here.keyword} `{name}` has no type",
            "expected `:` and its source and target",
            fix=f"write `{here.keyword} {name} : A -> B = ...` with the source and the target that you mean",
        )
    return None


def _in_pattern(here: Situation) -> bool:
    inside = here.start == "bare_pattern" or (bool(here.open) and here.open[-1].kind == "LSQB")
    letters = {"NAME", "INT", "COMMA", "_ARROW", "VBAR", "RSQB", END}
    return inside and "NAME" in here.expected and here.expected <= letters


def _pattern(here: Situation) -> Diagnostic | None:
    """`[i, j -> j, i]`, `[i j]`, `[i + j -> j]`."""
    if not _in_pattern(here) or (here.token is None and here.start != "bare_pattern"):
        return None
    note = "in a pattern the letters are names with blanks between: `[i j -> j i]`"
    if here.kind == "COMMA":
        return here.fault("E0017", "a comma between the letters of a pattern", "put a blank here", note=note)
    if here.kind in ("RSQB", END):
        return here.fault(
            "E0017",
            "a pattern without an arrow",
            "`->` is missing before this",
            note="inputs stand left of `->`, outputs right of it; either side may be empty",
            fix="write `[i i -> ]` to sum, `[-> i]` to broadcast",
        )
    if here.kind == "_ARROW":
        return here.fault("E0017", "a second arrow in a pattern", "expected `]`", note=note)
    return here.fault("E0017", f"{here.found} is not a letter of a pattern", "expected a letter", note=note)


def _einsum(here: Situation) -> Diagnostic | None:
    """`"ij->ji"`."""
    if here.kind != "STRING" or not here.expected >= TERM or here.token is None:
        return None
    if "->" not in here.token.text:
        bare = here.token.text.strip('"')
        return here.fault("E0010", "a string is a file name", "not a term", fix=f"write `{bare}` without the quotes")
    sides = [side.split(",") for side in here.token.text.strip('"').replace(" ", "").split("->")]
    letters = [",".join(" ".join(value) for value in side) for side in sides]
    fix = f"write `[{' -> '.join(letters).replace(',', ', ')}]`" if len(sides) == 2 else ""
    return here.fault("E0017", "a string is not a term", "a pattern stands in square brackets", fix=fix)


def _decimal(here: Situation) -> Diagnostic | None:
    """`0.5 * f`."""
    if here.kind == "DECIMAL" and here.token is not None:
        from fractions import Fraction

        value = Fraction(here.token.text)
        note = "scalars are exact: products and quotients of integers and sizes"
        fix = f"write `{value}`" if len(str(value)) <= 20 else ""
        return here.fault("E0007", f"{here.found} is not an exact number", "a decimal", note=note, fix=fix)
    return None


def _single_quotes(here: Situation) -> Diagnostic | None:
    """`Aut('f.graphml')`, `import 'f.catnn'`."""
    if here.kind == "_PRIME" and "STRING" in here.expected:
        return here.fault("E0010", "a file name stands in double quotes", 'write `"` here and behind the name')
    return None


def _bare_file(here: Situation) -> Diagnostic | None:
    """`import other as H`."""
    if here.keyword == "import" and here.index == 1 and here.kind in ("NAME", "QUALIFIED") and here.token is not None:
        fix = f'write `"{here.token.text.removesuffix(".catnn")}.catnn"`'
        return here.fault("E0010", "the file of an import stands in double quotes", "not a file name", fix=fix)
    return None


def _no_alias(here: Situation) -> Diagnostic | None:
    """`import "other.catnn"`."""
    if here.keyword == "import" and here.index == 2:
        stem = re.sub(r"\W", "_", here.text_before().strip('"').removesuffix(".catnn").rsplit("/", 1)[-1]) or "H"
        fix = f"write `import {here.text_before()} as {stem}`"
        return here.fault("E0015", "an import needs a name for the file", "`as` and a name are missing", fix=fix)
    return None


def _group_shape(here: Situation) -> Diagnostic | None:
    """`space V : S`, `space R : SO3`."""
    if here.expected == {"LPAR", "_PRIME", "PLUS"}:
        head = here.text_before()
        match = _GROUP.fullmatch(head)
        fix = f"write `{match[1]}({match[2]})`" if match else f"write `{head}(n)`"
        note = "a group is written with its size in round brackets: `S(n)`, `O(3)`; a plain number has no symmetry"
        return here.fault("E0010", f"`{head}` is not a group", "expected `(` and a size", note=note, fix=fix)
    return None


def _power(here: Situation) -> Diagnostic | None:
    """`V^n`, `V[c]`, `V[3]^2`."""
    if here.kind_before() == "CIRCUMFLEX" and "INT" in here.expected:
        code = "E0010" if here.token else "E0015"
        return here.fault(code, f"a power is a number, found {here.found}", "expected a number", fix="write `V^2`")
    if here.kind_before() == "LSQB" and here.expected == {"INT"}:
        note = "channels are a fixed number; only the sizes of spaces may be names"
        return here.fault("E0010", f"a multiplicity is a number, found {here.found}", "expected a number", note=note)
    if here.kind == "CIRCUMFLEX" and here.kind_before() == "RSQB":
        return here.fault("E0010", "a power behind the channels", "expected no power here", fix="write `V^2[3]`")
    return None


def _pointful_head(here: Situation) -> Diagnostic | None:
    """`network f : A -> B { ... }`."""
    if here.keyword == "network" and here.kind == "LBRACE" and "EQUAL" in here.expected:
        name = here.tokens[1].text
        fix = f"write `network {name}(x: A) -> B {{ ... }}`, or `network {name} : A -> B = ...`"
        return here.fault("E0010", "a body in braces needs named inputs", "expected `=`", fix=fix)
    return None


def _no_return(here: Situation) -> Diagnostic | None:
    """`{ s = f(x) }`."""
    if here.kind == "RBRACE" and "RETURN" in here.expected:
        return here.fault(
            "E0027", "the body has no `return`", "expected `return`", fix="write `return s` before the `}`"
        )
    return None


def _empty_span(here: Situation) -> Diagnostic | None:
    """`span {}`."""
    if here.kind == "RBRACE" and here.kind_before(2) == "SPAN":
        return here.fault("E0010", "an empty `span`", "expected a term", fix="write `span { [i -> i] }`")
    return None


def _end_mark(here: Situation) -> Diagnostic | None:
    """`let f : V -> V = id;`."""
    if here.kind == END and here.kind_before() == "SEMICOLON":
        note = "`;` composes; a statement needs no mark at its end"
        return here.fault("E0015", "nothing stands behind `;`", "expected a term", note=note, fix="delete this `;`")
    return None


def _bare_pattern(here: Situation) -> Diagnostic | None:
    """`check f = i j -> j i`."""
    if here.open or "STAR" not in here.expected or here.start != "statement":
        return None
    kinds = [token.kind for token in here.tokens]
    begin = max((i for i, kind in enumerate(kinds[: here.index]) if kind == "EQUAL"), default=len(kinds)) + 1
    if kinds[begin:].count("_ARROW") != 1 or not set(kinds[begin:]) <= {"NAME", "_ARROW"}:
        return None
    text = here.source.text[here.tokens[begin].start : here.tokens[-1].end]
    return here.fault("E0017", "a pattern stands in square brackets", "expected `[`", fix=f"write `[{text}]`")


def _stages(here: Situation) -> Diagnostic | None:
    """`network g : A -> B = f -> relu -> f`, `network g : A -> B = f, relu, f`."""
    if (
        here.open
        or here.keyword != "network"
        or here.kind not in ("_ARROW", "COMMA")
        or "SEMICOLON" not in here.expected
    ):
        return None
    begin = next(i for i, token in enumerate(here.tokens) if token.kind == "EQUAL")
    text, reached, depth = "", here.tokens[0].start, 0
    for at, token in enumerate(here.tokens):
        depth += (token.kind in BRACKETS) - (token.kind in BRACKETS.values())
        if at > begin and not depth and token.kind == here.kind:
            text += here.source.text[reached : token.start].rstrip() + " ;"
            reached = token.end
    text = " ".join((text + here.source.text[reached : here.tokens[-1].end]).split())
    note = "`f ; g` is first f, then g; an arrow stands in types and patterns, a comma between values"
    fix = f"write `{text}`" if len(text) <= MOST_FIX else ""
    return here.fault("E0010", f"the stages of a network have `;` between them, not {here.found}", "expected `;`",
                      note=note, fix=fix)  # fmt: skip


def _bracketed_type(here: Situation) -> Diagnostic | None:
    """`(V @ V) -> V`, `Sym(V)`."""
    if here.kind == "LPAR" and "NAME" in here.expected and not here.expected >= TERM and "INT" in here.expected:
        note = "a type is a sum of words of wires: `V^2[3] + V @ W`"
        return here.fault("E0010", "a type has no round brackets", "delete them", note=note)
    if here.kind == "LPAR" and here.text_before() == "Sym":
        return here.fault("E0010", "`Sym` without its power", "expected `^`", fix="write `Sym^2(V)`")
    return None


def _bracketed_span(here: Situation) -> Diagnostic | None:
    """`span [f, g]`, `span(f, g)`."""
    if here.kind_before() == "SPAN" and here.token is not None:
        return here.fault("E0010", "`span` lists its terms in braces", "expected `{`", fix="write `span { f, g }`")
    return None


def _nameless_rule(here: Situation) -> Diagnostic | None:
    """`rule f => g`."""
    if here.keyword == "rule" and here.expected == {"COLON"} and here.token is not None:
        return here.fault("E0010", "a rule has a name", "expected `:`", fix="write `rule name : lhs => rhs`")
    return None


MISTAKES: tuple[Callable[[Situation], Diagnostic | None], ...] = (
    _rule_arrow,
    _type_arrow,
    _walrus,
    _no_type,
    _pattern,
    _einsum,
    _decimal,
    _single_quotes,
    _bare_file,
    _no_alias,
    _group_shape,
    _power,
    _pointful_head,
    _no_return,
    _empty_span,
    _end_mark,
    _bare_pattern,
    _stages,
    _bracketed_type,
    _bracketed_span,
    _nameless_rule,
)
