"""Functions along axes, as softmax: which axes are meant, and whether the groups allow it."""

from __future__ import annotations

from collections.abc import Sequence

from catnn.category.families import FAMILIES
from catnn.category.wires import Type, Wire, Word
from catnn.diagnostics import Span
from catnn.elaborate.report import brief, listed
from catnn.elaborate.scopes import Scope
from catnn.elaborate.tensors import Bound, Made, Making, packed
from catnn.program import Along
from catnn.syntax import nodes


def along(node: nodes.Generator, args: Sequence[Bound], span: Span, scope: Scope, making: Making) -> Made:
    """`softmax[j](s)`: an axis is a letter, a space with one axis, or a number; a tensor with one wire needs none.

    Several axes, `softmax[j,k](s)`, are taken as one.
    """
    name = node.name.text
    if len(args) != 1 or len(args[0].type.summands) != 1:
        what = f"{len(args)} given" if len(args) != 1 else f"this is {scope.show_type(args[0].type)}"
        scope.report.error("E0311", f"`{name}` takes one tensor", (span, what))
        return None
    (bound,) = args
    (summand,) = bound.type.summands
    if summand.symmetric:
        packed(bound.span, scope)
        return None
    axes = _axes(node, bound, summand.word, scope, called=span != node.span)
    if axes is None:
        return None
    wire = culprit(name, summand.word, axes)
    if wire is not None:
        shown = scope.show_word((wire,))
        law = "a function along an axis commutes with permutations of it, not with the rest"
        alone = axes == (summand.word.index(wire),) and FAMILIES[wire.group.family].closing in ("sum", "trace")
        helps = ("`rms_norm` is equivariant along a rotated axis",) if alone and name != "rms_norm" else ()
        scope.report.error(
            "E0501",
            f"`{name}` is not equivariant on `{shown}` ({wire.group})",
            (node.span, f"acts on {scope.show_type(bound.type)}"),
            notes=(law,),
            helps=helps,
        )
        return None
    if scope.is_complex:
        scope.report.error(
            "E0502",
            f"`{name}` is a function of real numbers, and the tensors here are complex",
            (node.span, f"acts on {scope.show_type(bound.type)}"),
        )
        return None
    values = making.step(Along(name, axes, bound.ids[0], summand))
    return Bound(values, Type((summand,)), bound.letters, span)


def culprit(name: str, word: Word, axes: tuple[int, ...]) -> Wire | None:
    """The wire on which a function along an axis is not equivariant, or None: the others must be permuted.

    The root mean square of a vector is invariant under orthogonal and unitary maps, too.
    """
    for at, wire in enumerate(word):
        family = FAMILIES[wire.group.family]
        rotated = at in axes and name == "rms_norm" and family.closing in ("sum", "trace")
        if not rotated and not family.commutes_with("any", 1):
            return wire
    return None


def _axes(node: nodes.Generator, bound: Bound, word: Word, scope: Scope, *, called: bool) -> tuple[int, ...] | None:
    """The axes that the arguments name, ascending; None once it is reported that one names none, or several.

    called: whether it stands in a call, not as a stage.
    """
    letters = bound.letters or ()
    if not node.args and len(word) == 1:
        return (0,)
    axes: list[int] = []
    for argument in node.args or ("",):
        text = argument if isinstance(argument, int | str) else argument.span.text
        if isinstance(text, int):
            found = [text] if text < len(word) else []
        elif text in letters:
            found = [at for at, letter in enumerate(letters) if letter == text]
        else:
            found = [at for at, wire in enumerate(word) if scope.show_word((wire,)) == text]
        if len(found) != 1 or found[0] in axes:
            what = "" if not word else "which axis?" if not text else f"{len(found) or 'no'} such axes"
            _unclear(node, bound, word, scope, what, called=called)
            return None
        axes += found
    return tuple(sorted(axes))


def _unclear(node: nodes.Generator, bound: Bound, word: Word, scope: Scope, what: str, *, called: bool) -> None:
    letters = bound.letters or ()
    ways = [f"the letter{'s' if len(letters) > 1 else ''} {listed(letters)}"] if letters else []
    alone = [scope.show_word((wire,)) for wire in dict.fromkeys(word) if word.count(wire) == 1]
    ways += [f"the space{'s' if len(alone) > 1 else ''} {listed(alone)}"] if alone else []
    ways += [f"a number below {len(word)}"] if word else []
    example = letters[-1] if letters else alone[-1] if alone else max(len(word) - 1, 0)
    scope.report.error(
        "E0316",
        f"`{brief(node.span)}` names no axis of {scope.show_type(bound.type)}",
        (node.span, what or "it has no axis"),
        (bound.span, f"this is {scope.show_type(bound.type)}"),
        notes=(f"an axis is {', or '.join(ways)}; each stands once",) if ways else (),
        helps=(f"`{node.name.text}[{example}]{f'({brief(bound.span, 20)})' if called else ''}`",) if ways else (),
    )
