"""What a node is printed as: words, places where a line may be broken, and smaller nodes.

`pieces` goes one step down; `flat` goes all the way, with a stack of its own, so that no tree is too deep.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from catnn.syntax import nodes as n


@dataclass(frozen=True, slots=True)
class Break:
    """A blank, or the end of a line where the line is too long."""


@dataclass(frozen=True, slots=True)
class Line:
    """The end of a line, and the depth at which the next one begins."""

    depth: int


@dataclass(frozen=True, slots=True)
class Mark:
    """What follows stood at this offset: comments before it come first."""

    offset: int


Item = str | Break | Line | Mark
Piece = Any  # an Item or a node

BREAK = Break()
SUM, CHAIN, TENSOR, PRODUCT, POSTFIX, ATOM = range(6)


def flat(node: Piece) -> Iterator[Item]:
    """The words and breaks of a node, from left to right."""
    stack: list[Piece] = [node]
    while stack:
        piece = stack.pop()
        if isinstance(piece, Item):
            yield piece
            continue
        span = getattr(piece, "span", None)
        if span is not None:
            yield Mark(span.start)
        stack.extend(reversed(pieces(piece)))


def pieces(node: Piece) -> list[Piece]:
    """A node, one step down."""
    match node:
        case n.Name(text):
            return [text]
        case n.FileName(text):
            return [f'"{text}"']
        case n.Scalar():
            return [lone_scalar(node)]
        case n.Arrow(source, target):
            return [source, " ->", BREAK, target]
        case n.Type(summands):
            return _joined(summands, " +", BREAK)
        case n.Summand(factors, channels):
            return [*(_joined(factors, " @", BREAK) or ["1"]), "" if channels is None else f"[{channels}]"]
        case n.Factor(space, dual, power, symmetric):
            prime = "'" if dual else ""
            if symmetric:
                return [f"Sym^{power}({space.text}{prime})"]
            return [space.text + prime + ("" if power == 1 else f"^{power}")]
        case n.Group(head, args):
            plain = all(isinstance(arg, int | n.Name) for arg in args)
            inside = _joined([_group_argument(arg) for arg in args], "," if plain else ", ")
            return [head, "(", *inside, ")"] if head else inside
        case n.Permutation(cycles):
            return ["".join(_group_argument(cycle) for cycle in cycles)]
        case n.Edges(edges):
            return [" ".join(f"{tail}{'->' if directed else '-'}{head}" for tail, head, directed in edges)]
        case n.Cell(vertices):
            return ["{" + " ".join(map(str, vertices)) + "}"]
        case n.Attribute(key, value):
            return [key, ": ", value]
        case n.Parameter(name, type_):
            return [name, ": ", type_]
        case n.Module(statements):
            return _joined(statements, Line(0))
    term = _term(node)
    return term if term is not None else _statement(node)


def _joined(items: Iterable[Piece], *between: Piece) -> list[Piece]:
    result: list[Piece] = []
    for item in items:
        result += [*between, item] if result else [item]
    return result


def _group_argument(arg: Any) -> Piece:
    match arg:
        case int():
            return str(arg)
        case tuple():
            return f"({' '.join(map(str, arg))})"
        case _:
            return arg


# -------------------------------------------------------------------------------------------------------------- terms


def level(term: n.Term) -> int:
    """How tightly a term holds together."""
    match term:
        case n.Sum():
            return SUM
        case n.Chain():
            return CHAIN
        case n.Tensor():
            return TENSOR
        case n.Scaled():
            return PRODUCT
        case n.Number(scalar):
            return PRODUCT if scalar.value < 0 or "*" in lone_scalar(scalar) or "/" in lone_scalar(scalar) else ATOM
        case n.Dagger() | n.Power() | n.Call():
            return POSTFIX
        case _:
            return ATOM


def at(term: n.Term, least: int) -> list[Piece]:
    """The term, in brackets where it holds together less tightly than is needed."""
    return [term] if level(term) >= least else ["(", term, ")"]


def value(term: n.Term) -> list[Piece]:
    """A term in the body of a network, where a `;` outside of brackets would end the binding."""
    match term:
        case n.Sum(terms):
            return _sum(terms, TENSOR)
        case _:
            return at(term, TENSOR)


def _term(node: Piece) -> list[Piece] | None:
    match node:
        case n.Generator(name, args):
            inside = _joined([str(arg) if isinstance(arg, int) else arg for arg in args], ",")
            return [name, "[", *inside, "]"] if args else [name]
        case n.Pattern():
            return [pattern(node)]
        case n.Number(scalar):
            return [lone_scalar(scalar)]
        case n.Scaled(scalar, term):
            inner = ["(", term, ")"] if isinstance(term, n.Scaled | n.Number) else at(term, POSTFIX)
            return ["-", *inner] if _is_minus(scalar) else [scalar_text(scalar), " * ", *inner]
        case n.Dagger(term):
            return [*at(term, POSTFIX), "'"]
        case n.Power(term, exponent):
            return [*at(term, POSTFIX), "^", str(exponent) if isinstance(exponent, int) else exponent]
        case n.Call(function, args):
            return [*at(function, POSTFIX), "(", *_joined(args, ",", BREAK), *_closer(node), ")"]
        case n.Tensor(terms):
            return _joined_flat([at(term, PRODUCT) for term in terms], " @", BREAK)
        case n.Chain(terms):
            return _joined_flat([at(term, TENSOR) for term in terms], " ;", BREAK)
        case n.Sum(terms):
            return _sum(terms, CHAIN)
        case n.Brackets(term):
            return ["(", term, *_closer(node), ")"]
        case n.SpanOf(terms):
            return ["span {", BREAK, *_joined(terms, ",", BREAK), " ", *_closer(node), "}"]
        case n.All():
            return ["all"]
        case n.Bias():
            return ["bias"]
    return None


def _closer(node: Piece) -> list[Piece]:
    return [] if node.span is None else [Mark(node.span.end - 1)]


def _joined_flat(parts: Sequence[list[Piece]], *between: Piece) -> list[Piece]:
    result = list(parts[0])
    for part in parts[1:]:
        result += [*between, *part]
    return result


def _sum(terms: Sequence[n.Term], least: int) -> list[Piece]:
    """`f + g - h`: a negative summand behind the first takes its sign as the operator."""
    result = at(terms[0], least)
    for term in terms[1:]:
        sign = Mark(term.span.start)
        match term:
            case n.Scaled(scalar, inner) if _is_minus(scalar):
                bare = isinstance(inner, n.Scaled | n.Number)
                result += [sign, " -", BREAK, *(["(", inner, ")"] if bare else at(inner, least))]
            case n.Scaled(scalar) if scalar.value < 0:
                result += [sign, " -", BREAK, replace(term, scalar=_negated(scalar))]
            case n.Number(scalar) if scalar.value < 0:
                result += [sign, " -", BREAK, replace(term, scalar=_negated(scalar))]
            case _:
                result += [" +", BREAK, *at(term, least)]
    return result


def pattern(node: n.Pattern) -> str:
    """A pattern: ``[i j -> j i]``, ``[i i -> ]``, ``[-> i]``, ``[->]``, ``sgn[i j -> k]``, ``sgn[V][i a -> b]``."""
    inputs = ", ".join(" ".join(letter.text for letter in letters) for letters in node.inputs)
    outputs = " ".join(letter.text for letter in node.outputs)
    inside = f"{inputs} -> {outputs}" if inputs else f"-> {outputs}" if outputs else "->"
    if node.adjacent:
        inside += " | " + ", ".join(f"{one.text} {other.text}" for one, other in node.adjacent)
    sign = f"sgn[{' '.join(space.text for space in node.signed)}]" if node.signed else "sgn" * node.sign
    return f"{sign}[{inside}]"


# ------------------------------------------------------------------------------------------------------------- scalars


def _is_minus(scalar: n.Scalar) -> bool:
    return scalar.value == -1 and not scalar.powers


def _negated(scalar: n.Scalar) -> n.Scalar:
    return replace(scalar, value=-scalar.value)


def _scalar_parts(scalar: n.Scalar) -> tuple[str, str, list[str], str]:
    """Sign, number, powers of names and divisors, as `catnn.category.scalar` prints them."""
    number = abs(scalar.value.numerator)
    names = [name if power == 1 else f"{name}^{power}" for name, power in scalar.powers if power > 0]
    divisors = [str(scalar.value.denominator)] if scalar.value.denominator != 1 else []
    divisors += [name if power == -1 else f"{name}^{-power}" for name, power in scalar.powers if power < 0]
    below = f"({'*'.join(divisors)})" if len(divisors) > 1 else "".join(divisors)
    return "-" if scalar.value < 0 else "", str(number), names, f"/{below}" if below else ""


def scalar_text(scalar: n.Scalar) -> str:
    """A scalar in front of the term it scales: ``2*n/3``."""
    sign, number, names, divisors = _scalar_parts(scalar)
    return sign + "*".join(names if names and number == "1" else [number, *names]) + divisors


def lone_scalar(scalar: n.Scalar) -> str:
    """A scalar that stands alone: its number comes last where `2*n` would scale a diagram called `n`."""
    sign, number, names, divisors = _scalar_parts(scalar)
    if divisors or not names:
        return scalar_text(scalar)
    return sign + "*".join([*names, number])


# --------------------------------------------------------------------------------------------------------- statements


def _typed(keyword: str, names: Iterable[n.Name], arrow: n.Arrow) -> list[Piece]:
    return [keyword, " ", *_joined(names, ", "), " : ", arrow]


def _braces(attributes: Sequence[n.Attribute]) -> list[Piece]:
    return [BREAK, "{ ", *_joined(attributes, ",", BREAK), " }"] if attributes else []


def _statement(node: Piece) -> list[Piece]:
    match node:
        case n.SpaceStatement(names, group):
            return ["space ", *_joined(names, ", "), " : ", group]
        case n.LetStatement(name, arrow, term):
            return [*_typed("let", [name], arrow), " =", BREAK, term]
        case n.LayerStatement(name, None, term, attributes):
            return ["layer ", name, " = ", term, *_braces(attributes)]
        case n.LayerStatement(name, n.Arrow() as arrow, term, attributes):
            return [*_typed("layer", [name], arrow), " =", BREAK, term, *_braces(attributes)]
        case n.NetworkStatement(name, arrow, term):
            return [*_typed("network", [name], arrow), " =", BREAK, term]
        case n.PointfulStatement():
            return _pointful(node)
        case n.Binding(names, terms):
            head = [*_joined(names, ", "), " ="] if names else ["return"]
            return [*head, BREAK, *_joined_flat([value(term) for term in terms], ",", BREAK)]
        case n.BoxStatement(names, arrow, kind, file, attributes):
            made = [] if kind == "learned" and file is None else [" =", BREAK, kind, *([" ", file] if file else [])]
            return [*_typed("box", names, arrow), *made, *_braces(attributes)]
        case n.RuleStatement(name, left, right, oriented, arrow):
            turns = " =>" if oriented else " ="
            return ["rule ", name, " : ", left, turns, BREAK, right, *([" : ", arrow] if arrow else [])]
        case n.CheckStatement(left, right, arrow):
            return ["check ", left, " =", BREAK, right, *([" : ", arrow] if arrow else [])]
        case n.ImportStatement(file, alias):
            return ["import ", file, " as ", alias]
    raise TypeError(f"not a node: {node!r}")


def _pointful(node: n.PointfulStatement) -> list[Piece]:
    head = ["network ", node.name, "(", *_joined(node.parameters, ",", BREAK), ") ->", BREAK]
    body = [piece for binding in node.body for piece in (Line(1), binding)]
    return [*head, *_joined(node.targets, ",", BREAK), " {", *body, Line(0), *_closer(node), "}"]
