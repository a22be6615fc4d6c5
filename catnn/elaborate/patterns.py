"""Patterns and diagrams of several values: a diagram from the tensor product of the values, letter by letter.

That is why it cannot break a symmetry: what is no diagram of the groups is refused, as in a layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from catnn.category.compose import identity
from catnn.category.diagram import Morphism
from catnn.category.families import FAMILIES
from catnn.category.scalar import ONE
from catnn.category.wires import Summand, Type, Wire, Word
from catnn.diagnostics import Span
from catnn.elaborate.inference import Inference
from catnn.elaborate.ports import Ports, known, resolved, unify
from catnn.elaborate.report import brief, plural
from catnn.elaborate.scopes import Scope
from catnn.elaborate.settling import settle
from catnn.elaborate.stages import frozen
from catnn.elaborate.tensors import Bound, Made, Making, common_channels, ids
from catnn.elaborate.terms import Value, meaning
from catnn.hypergraph.box import Box
from catnn.hypergraph.contraction import Contraction, Operand, contraction
from catnn.hypergraph.linear import lift
from catnn.model import Apply
from catnn.program import Add, Contract, Run
from catnn.syntax import nodes

LETTERS = "ijklmnop"


def pattern(
    node: nodes.Pattern, args: Sequence[Bound], span: Span, scope: Scope, making: Making, wanted: Type | None = None
) -> Made:
    """`[i d, j d -> i j](q, k)`, or None once its faults are reported.

    wanted: the type it should have if that is known: it tells the spaces of letters that are on no value.
    """
    inputs = node.inputs
    if len(inputs) == 1 and not inputs[0] and not args:
        inputs = ()
    if len(args) != len(inputs):
        shown = brief(node.span)
        scope.report.error(
            "E0311",
            f"`{shown}` takes {plural(len(inputs), 'value')}, got {len(args)}",
            (span, f"{plural(len(args), 'value')} given"),
            (node.span, f"{plural(len(inputs), 'value')} between the commas"),
        )
        return None
    if not _fits(node, args, scope, wanted):
        return None
    flat = replace(node, inputs=(tuple(chain.from_iterable(inputs)),))
    made = _applied(flat, args, span, scope, making, wanted)
    return None if made is None else replace(made, letters=tuple(letter.text for letter in node.outputs))


def product(
    term: nodes.Term, args: Sequence[Bound], span: Span, scope: Scope, making: Making, wanted: Type | None = None
) -> Made:
    """A fixed diagram after the tensor product of several values: `ev(x, y)`."""
    return _applied(term, args, span, scope, making, wanted) if _single(term, args, scope) else None


def outer(node: nodes.Tensor, args: Sequence[Bound], scope: Scope, making: Making) -> Made:
    """The tensor product of values: `x @ y`."""
    if not _single(node, args, scope):
        return None
    word = tuple(wire for bound in args for wire in bound.type.words[0])
    return _steps(identity(word), args, node.span, scope, making)


def _fits(node: nodes.Pattern, args: Sequence[Bound], scope: Scope, wanted: Type | None) -> bool:
    """Whether every value has as many wires as there are letters for it, and every letter stands on one space."""
    if not _single(node, args, scope):
        return False
    first: dict[str, tuple[Wire, nodes.Name]] = {}
    owners: dict[str, Bound] = {}
    fine = True
    for letters, bound in zip(node.inputs, args, strict=False):
        (word,) = bound.type.words
        if len(letters) != len(word):
            place = (
                (letters[0].span.to(letters[-1].span), plural(len(letters), "letter"))
                if letters
                else (node.span, "no letter")
            )
            scope.report.error(
                "E0313",
                f"`{brief(bound.span)}` has {plural(len(word), 'wire')}, "
                f"the pattern has {plural(len(letters), 'letter')} for it",
                place,
                (bound.span, f"this is {scope.show_type(bound.type)}"),
                notes=("a pattern has one letter for each wire, and none for the channels",),
            )
            fine = False
            continue
        for letter, wire in zip(letters, word, strict=True):
            before, at = first.setdefault(letter.text, (wire, letter))
            owner = owners.setdefault(letter.text, bound)
            if before.base != wire.base:
                shown = [scope.show_word((one,)) for one in (before, wire)]
                scope.report.error(
                    "E0402",
                    f"letter `{letter.text}` joins a wire of `{shown[0]}` and a wire of `{shown[1]}`",
                    (letter.span, f"on `{shown[1]}`"),
                    (at.span, f"on `{shown[0]}`"),
                    notes=("the wires of one block are of one space", *_axes(owner, scope), *_axes(bound, scope)),
                )
                fine = False
    told = wanted is not None and len(wanted.words) == 1 and len(wanted.words[0]) == len(node.outputs)
    return fine and (told or not _unknown(node, first, scope))


def _axes(bound: Bound, scope: Scope) -> tuple[str, ...]:
    """What the axes of a box are, for those who count its source first."""
    entry = scope.entries.get(bound.span.text)
    if entry is None or not isinstance(entry.value, Box) or not (entry.value.source and entry.value.target):
        return ()
    axes = scope.show_word(entry.value.target + entry.value.source)
    return (f"the axes of the box `{bound.span.text}` are {axes}: its target's, then its source's",)


def _unknown(node: nodes.Pattern, found: dict[str, tuple[Wire, nodes.Name]], scope: Scope) -> bool:
    """Whether an output letter has no space; reports it."""
    for letter in node.outputs:
        if letter.text not in found and scope.only_space is None and not scope.failed_spaces:
            scope.report.error(
                "E0304",
                f"the space of the letter `{letter.text}` is not known",
                (letter.span, "on no value"),
                helps=_constants(scope),
            )
            return True
    return False


def _constants(scope: Scope) -> tuple[str, ...]:
    """Values that give a letter its space: those of ones, and where there are none the Levi-Civita tensors."""
    found = {name: wire for name, wire in scope.spaces.items() if wire is not None}
    words = {name: FAMILIES[wire.group.family].generators for name, wire in found.items()}
    ones = [f"`let one : 1 -> {name} = unit`" for name in found if "unit" in words[name]]
    legs = [
        f"`let volume : 1 -> {name}^{wire.group.size} = eps[{name}]`"
        for name, wire in found.items()
        if "eps" in words[name] and "unit" not in words[name]
    ]
    helps = (f"take it from a value, or from {ones[0]}" if ones else "take it from a value",)
    return (*helps, f"a cross product takes it from {legs[0]}") if legs else helps


def _single(node: nodes.Term, args: Sequence[Bound], scope: Scope) -> bool:
    """Whether every argument is one tensor; reports a direct sum."""
    for bound in args:
        if len(bound.type.summands) > 1:
            scope.report.error(
                "E0207",
                f"`{brief(bound.span)}` is a direct sum",
                (bound.span, f"this is {scope.show_type(bound.type)}"),
                (node.span, "takes single words"),
                helps=("take it apart: `a, b = ...`",),
            )
            return False
    return True


def _applied(
    term: nodes.Term, args: Sequence[Bound], span: Span, scope: Scope, making: Making, wanted: Type | None
) -> Made:
    """A fixed term whose source is the tensor product of the arguments."""
    word = tuple(wire for bound in args for wire in bound.type.words[0])
    inference = Inference(scope)
    shape = inference.run(term)
    if shape is None or inference.faults:
        return None
    if not unify(shape.source, known(word)):
        _refuse(term, args, word, shape.source, scope)
        return None
    if resolved(shape.target) is None and wanted is not None and len(wanted.words) == 1:
        unify(shape.target, known(wanted.words[0]))
    if not settle(inference, (term,)):
        return None
    value = meaning(inference, term)
    return None if value is None else _steps(value, args, span, scope, making)


def _refuse(term: nodes.Term, args: Sequence[Bound], word: Word, source: Ports, scope: Scope) -> None:
    """Report a diagram that does not start from the values."""
    oriented = next((w for w in word if FAMILIES[w.group.family].oriented), None)
    note = (
        FAMILIES[oriented.group.family].law
        if oriented is not None
        else "several values given to a diagram are their tensor product"
    )
    places = [(bound.span, f"this is {scope.show_type(bound.type)}") for bound in args]
    wanted = resolved(source)
    expects = f"expects {scope.show_word(wanted)}" if wanted is not None and wanted != word else "does not fit"
    names = ", ".join(brief(bound.span, 20) for bound in args) or "nothing"
    scope.report.error(
        "E0301",
        f"`{brief(term.span)}` does not take `{names}`",
        (term.span, expects),
        *places[:6],
        notes=(note,),
        helps=_as_tensor(term, args, scope),
    )


def _as_tensor(term: nodes.Term, args: Sequence[Bound], scope: Scope) -> tuple[str, ...]:
    """How a box acts on some axes of a value, for those who call it on all of them."""
    entry = scope.entries.get(term.span.text)
    if len(args) != 1 or entry is None or not isinstance(entry.value, Box) or not entry.value.source:
        return ()
    (bound,) = args
    (word,), source, target = bound.type.words, entry.value.source, entry.value.target
    starts = [at for at in range(len(word) - len(source) + 1) if word[at : at + len(source)] == source]
    if len(starts) != 1 or len(word) + len(target) > len(LETTERS):
        return ()
    letters, new = LETTERS[: len(word)], LETTERS[len(word) : len(word) + len(target)]
    before, axes, after = letters[: starts[0]], letters[starts[0] :][: len(source)], letters[starts[0] + len(source) :]
    value, tensor, result = (" ".join(row) for row in (letters, new + axes, before + new + after))
    return (f"as a tensor: `[{value}, {tensor} -> {result}]({brief(bound.span, 20)}, {term.span.text})`",)


def _steps(value: Value, args: Sequence[Bound], span: Span, scope: Scope, making: Making) -> Made:
    """A contraction for each diagram, and their combination."""
    channels = common_channels(args, scope)
    if channels is None:
        return None
    out = Summand(value.target, channels)
    if isinstance(value, Morphism) and any(_beyond(wire) for wire in value.source + value.target):
        return _layered(value, args, out, span, scope, making)
    widths = tuple(len(bound.type.words[0]) for bound in args)
    pairs = lift(value).weighted
    if not pairs:
        scope.report.error("E0601", "this is zero", (span, "no diagram at all"))
        return None
    terms = []
    for factor, graph in pairs:
        found = contraction(graph, widths)
        if not making.own(found, scope, span):
            return None
        factor, found = factor * found.scalar, replace(found, scalar=ONE)
        terms.append((factor, making.step(Contract(found, ids(args), out))[0]))
    if len(terms) == 1 and terms[0][0] == ONE:
        return Bound((terms[0][1],), Type((out,)), None, span)
    return Bound(making.step(Add(tuple(terms), out)), Type((out,)), None, span)


def _beyond(wire: Wire) -> bool:
    """Whether diagrams on a wire are more than equalities of indices: jellyfish, orbits."""
    family = FAMILIES[wire.group.family]
    return family.orbital or family.epsilon == "jellyfish"


def _layered(value: Morphism, args: Sequence[Bound], out: Summand, span: Span, scope: Scope, making: Making) -> Made:
    """The tensor product of the values, and then a layer of a fixed diagram."""
    whole = Summand(value.source, out.channels)
    values = ids(args)
    if len(args) != 1 or args[0].type.summands[0].symmetric:
        operands, start = [], 0
        for at, bound in enumerate(args):
            width = len(bound.type.words[0])
            operands.append(Operand(at, tuple(range(start, start + width))))
            start += width
        wires = tuple(wire.base for wire in value.source)
        values = making.step(Contract(Contraction(tuple(operands), tuple(range(start)), wires), values, whole))
    layer = frozen("fixed", Type((whole,)), Type((out,)), [value], span, is_complex=scope.is_complex)
    return Bound(making.step(Run(Apply(layer), values, (out,))), Type((out,)), None, span)
