"""Nodes of statements from what the grammar matched, and the table from rules to the functions that build nodes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from catnn.diagnostics import Source, Span
from catnn.syntax import build_terms as terms
from catnn.syntax import build_types as types
from catnn.syntax.build_types import as_type, fault, make_file_name, make_name
from catnn.syntax.lexing import Token
from catnn.syntax.nodes import (
    Arrow,
    Attribute,
    Binding,
    BoxStatement,
    CheckStatement,
    Generator,
    ImportStatement,
    LayerStatement,
    LetStatement,
    NetworkStatement,
    Parameter,
    PointfulStatement,
    RuleStatement,
    SpaceStatement,
    Type,
)

MAX_DEPTH = 200
NESTING = frozenset({"brackets", "dagger", "power", "power_named", "call", "span_of"})


def space(span: Span, children: Sequence[Any]) -> SpaceStatement:
    """``space V, W : S(n)``."""
    *names, group = children
    return SpaceStatement(tuple(make_name(span, token) for token in names), group, span)


def let(span: Span, children: Sequence[Any]) -> LetStatement:
    """``let f : A -> B = term``."""
    name, arrow, term = children
    return LetStatement(make_name(span, name), arrow, term, span)


def layer(span: Span, children: Sequence[Any]) -> LayerStatement:
    """``layer f : A -> B = term { attributes }``."""
    name, arrow, term, *attributes = children
    return LayerStatement(make_name(span, name), arrow, term, tuple(attributes), span)


def layer_copy(span: Span, children: Sequence[Any]) -> LayerStatement:
    """``layer g = f``. Raises: CatnnError E0025 where more than a name follows."""
    name, term, *attributes = children
    if not (isinstance(term, Generator) and not term.args):
        raise fault(
            "E0025",
            f"the layer `{name.text}` has no type",
            types.span_of_token(span, name),
            "its source and target are missing",
            note="only a copy of another layer stands without a type: `layer g = f`",
            fix=f"write `layer {name.text} : V -> V = {term.span.text}`, with the types that you mean",
        )
    return LayerStatement(make_name(span, name), None, term, tuple(attributes), span)


def attribute(span: Span, children: Sequence[Any]) -> Attribute:
    """``reduce: mean``."""
    key, value = children
    return Attribute(make_name(span, key), terms.setting(span, value), span)


def attribute_decimal(span: Span, children: Sequence[Any], sign: int = 1) -> Attribute:
    """``scale: 0.5``."""
    key, value = children
    return Attribute(make_name(span, key), terms.decimal(span, value, sign), span)


def attribute_minus_decimal(span: Span, children: Sequence[Any]) -> Attribute:
    """``scale: -0.5``."""
    return attribute_decimal(span, children, -1)


def network(span: Span, children: Sequence[Any]) -> NetworkStatement:
    """``network f : A -> B = term``."""
    name, arrow, term = children
    return NetworkStatement(make_name(span, name), arrow, term, span)


def pointful(span: Span, children: Sequence[Any]) -> PointfulStatement:
    """``network f(x: A) -> B { s = term; return s }``.

    Raises: CatnnError E0026 where two bindings stand on a line without ``;`` between them.
    """
    name, *rest = children
    parameters = tuple(child for child in rest if isinstance(child, Parameter))
    targets = tuple(as_type(span, child) for child in rest if isinstance(child, Type | Token))
    body = tuple(child for child in rest if isinstance(child, Binding))
    for one, two in itertools.pairwise(body):
        between = span.source.text[one.span.end : two.span.start]
        if ";" not in between and "\n" not in between:
            raise fault(
                "E0026",
                "two bindings on a line",
                Span(span.source, two.span.start, two.span.start + 1),
                "`;` is missing before this",
                note="in the body of a network `;` or a line end closes a binding",
                fix=f"write `{one.span.text} ; {two.span.text}`",
            )
    return PointfulStatement(make_name(span, name), parameters, targets, body, span)


def parameter(span: Span, children: Sequence[Any]) -> Parameter:
    """``x: A``."""
    name, type_ = children
    return Parameter(make_name(span, name), as_type(span, type_), span)


def binding(span: Span, children: Sequence[Any]) -> Binding:
    """``s, t = term``."""
    *names, term = children
    return Binding(tuple(make_name(span, token) for token in names), (term,), span)


def result(span: Span, children: Sequence[Any]) -> Binding:
    """``return term, term``."""
    return Binding((), tuple(children), span)


def box(span: Span, children: Sequence[Any]) -> BoxStatement:
    """``box W : A -> B``, ``= fixed "file.npz"``, ``= pointwise``."""
    at = next(i for i, child in enumerate(children) if isinstance(child, Arrow))
    names = tuple(make_name(span, token) for token in children[:at])
    words = [child for child in children[at + 1 :] if isinstance(child, Token)]
    attributes = tuple(child for child in children if isinstance(child, Attribute))
    kind = words[0].text if words else "learned"
    file = make_file_name(span, words[1]) if len(words) > 1 else None
    return BoxStatement(names, children[at], kind, file, attributes, span)


def one_way(span: Span, children: Sequence[Any]) -> bool:
    """``=>``."""
    return True


def both_ways(span: Span, children: Sequence[Any]) -> bool:
    """``=``."""
    return False


def rule(span: Span, children: Sequence[Any]) -> RuleStatement:
    """``rule name : lhs => rhs``."""
    name, left, oriented, right, *arrow = children
    return RuleStatement(make_name(span, name), left, right, oriented, arrow[0] if arrow else None, span)


def check(span: Span, children: Sequence[Any]) -> CheckStatement:
    """``check lhs = rhs : A -> B``."""
    left, right, *arrow = children
    return CheckStatement(left, right, arrow[0] if arrow else None, span)


def import_(span: Span, children: Sequence[Any]) -> ImportStatement:
    """``import "other.catnn" as H``."""
    file, alias = children
    return ImportStatement(make_file_name(span, file), make_name(span, alias), span)


RULES: dict[str, Callable[[Span, Sequence[Any]], Any]] = {
    "space": space,
    "let": let,
    "layer": layer,
    "layer_copy": layer_copy,
    "attribute": attribute,
    "attribute_decimal": attribute_decimal,
    "attribute_minus_decimal": attribute_minus_decimal,
    "network": network,
    "pointful": pointful,
    "parameter": parameter,
    "binding": binding,
    "result": result,
    "box": box,
    "rule": rule,
    "one_way": one_way,
    "both_ways": both_ways,
    "check": check,
    "import": import_,
    "group": types.group,
    "group_primed": types.group_primed,
    "group_plus": types.group_plus,
    "group_trivial": types.group_trivial,
    "size_name": types.size_name,
    "size": types.size,
    "file_name": types.file_name,
    "permutation": types.permutation,
    "cycle": types.cycle,
    "edges": types.edges,
    "edge": types.edge,
    "arc": types.arc,
    "cell": types.cell,
    "arrow": types.arrow,
    "type": types.type_,
    "summand": types.summand,
    "summand_channels": types.summand_channels,
    "factor_plain": types.factor_plain,
    "factor_dual": types.factor_dual,
    "factor_power": types.factor_power,
    "factor_dual_power": types.factor_dual_power,
    "factor_power_dual": types.factor_dual_power,
    "factor_symmetric": types.factor_symmetric,
    "factor_symmetric_dual": types.factor_symmetric_dual,
    "factor_number": types.factor_number,
    "reference": types.reference,
    "number": terms.number,
    "generator": terms.generator,
    "pattern": terms.pattern,
    "sign_pattern": terms.sign_pattern,
    "signed_pattern": terms.signed_pattern,
    "bare_pattern": terms.pattern,
    "letters": terms.letters,
    "adjacent": terms.adjacent,
    "pair": terms.pair,
    "brackets": terms.brackets,
    "span_of": terms.span_of,
    "all": terms.all_,
    "bias": terms.bias,
    "dagger": terms.dagger,
    "power": terms.power,
    "power_named": terms.power_named,
    "call": terms.call,
    "tensor": terms.tensor,
    "chain": terms.chain,
    "sum": terms.sum_,
    "minus": terms.minus,
    "times": terms.times,
    "over": terms.over,
    "product": terms.product,
}


class Builder:
    """What the driver calls for every rule: a node with its span.

    Raises: CatnnError E0020 where brackets nest too deep, and what the functions of `RULES` raise.
    """

    def __init__(self, source: Source) -> None:
        self.source = source

    def __call__(self, name: str, start: int, end: int, depth: int, children: Sequence[Any]) -> Any:
        span = Span(self.source, start, end)
        if depth > MAX_DEPTH:
            raise fault(
                "E0020",
                f"brackets nest more than {MAX_DEPTH} deep",
                Span(self.source, start, start + 1),
                f"more than {MAX_DEPTH} levels begin here",
                note="brackets, daggers and calls count as levels",
                fix="give a part a name with `let`",
            )
        return RULES[name](span, children)
