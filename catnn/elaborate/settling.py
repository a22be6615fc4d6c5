"""The end of type inference: the declared type, spaces that nothing says, generators and blocks that do not exist."""

from __future__ import annotations

from itertools import chain

from catnn.category.diagram import restrict
from catnn.category.families import FAMILIES
from catnn.category.pattern import jellyfish_spaces
from catnn.category.wires import Word, bases
from catnn.diagnostics import Span
from catnn.elaborate import generators, points
from catnn.elaborate.inference import Inference
from catnn.elaborate.ports import Port, Shape, bare_identities, core, dual, jellyfish, known, postorder, resolved, unify
from catnn.elaborate.report import brief, listed, times
from catnn.elaborate.scopes import GENERATORS, Scope
from catnn.syntax import nodes


def expect(
    inference: Inference,
    term: nodes.Term,
    shape: Shape,
    source: Word | None,
    target: Word | None,
    declared: Span | None,
) -> Shape | None:
    """Make a shape meet the words that are declared; reports where it cannot."""
    identities = bare_identities(term)
    if identities is not None:
        word = source if source is not None else target
        assert word is not None
        shape = Shape(known(word), known(word))
        for generator in identities:
            inference.shapes[id(generator)] = shape
    before = inference.arrow(shape)
    fine = source is None or unify(shape.source, known(source))
    fine &= target is None or unify(shape.target, known(target))
    if fine:
        return shape
    if not _mixed_letter(inference, term, source, target):
        wanted = [inference.scope.show_word(word) if word is not None else "..." for word in (source, target)]
        places: list[tuple[Span, str]] = [(term.span, f"this is {before}")]
        if declared is not None:
            places.append((declared, f"declared {' -> '.join(wanted)}"))
        message = f"`{brief(term.span)}` is not of type {' -> '.join(wanted)}"
        inference.scope.report.error("E0303", message, *places, helps=_apart(term, source, target))
    return None


def _apart(term: nodes.Term, source: Word | None, target: Word | None) -> tuple[str, ...]:
    """A help for `[ij -> i]`, whose letters need blanks for the width that is declared; for `0`, which is no map."""
    if isinstance(term, nodes.Number) and source is not None and source == target:
        return (f"a number scales a term: `{brief(term.span)} * id`",)
    if not isinstance(term, nodes.Pattern) or source is None or target is None:
        return ()
    rows = ["".join(letter.text for letter in row) for row in (term.inputs[0], term.outputs)]
    if [len(row) for row in rows] != [len(source), len(target)]:
        return ()
    shown = " -> ".join(" ".join(row) for row in rows).strip()
    return (f"letters need blanks between them: `[{shown}]`",)


def _mixed_letter(inference: Inference, term: nodes.Term, source: Word | None, target: Word | None) -> bool:
    """Report a letter that stands on two spaces, where a pattern of the right width does not fit."""
    pattern = core(term)
    if not isinstance(pattern, nodes.Pattern) or source is None or target is None:
        return False
    letters = (*pattern.inputs[0], *pattern.outputs)
    wires = source + target if term is pattern else ()
    if len(letters) != len(wires) or len(pattern.outputs) != len(target):
        return False
    first: dict[str, int] = {}
    for at, letter in enumerate(letters):
        other = first.setdefault(letter.text, at)
        within = (other < len(source)) == (at < len(source))
        if wires[at] != (dual(wires[other], within) if other != at else wires[at]):
            shown = [inference.scope.show_word((wires[i],)) for i in (other, at)]
            alike = wires[other].base == wires[at].base
            law = FAMILIES[wires[at].group.family].law if alike else "the wires of one block are of one space"
            inference.scope.report.error(
                "E0402",
                f"letter `{letter.text}` joins a wire of `{shown[0]}` and a wire of `{shown[1]}`"
                + (" in one row" if alike and within else " across the rows" if alike else ""),
                (letter.span, f"on `{shown[1]}`"),
                (letters[other].span, f"on `{shown[0]}`"),
                notes=(law,),
            )
            return True
    return False


def settle(inference: Inference, terms: tuple[nodes.Term, ...]) -> bool:
    """Whether every space is known, every generator exists and every pattern is a diagram; reports what is not."""
    scope, fine = inference.scope, inference.faults == 0 and not inference.poisoned
    unknown: set[Port] = set()
    for node in chain.from_iterable(postorder(term) for term in terms):
        if not isinstance(node, nodes.Generator | nodes.Pattern):
            continue
        shape = inference.shapes[id(node)]
        if shape is None:
            fine = False
            continue
        roots = [port.root()[0] for port in (*shape.source, *shape.target)]
        for root in roots:
            root.wire = root.wire or root.default
        missing = {root for root in roots if root.wire is None}
        if missing:
            if not inference.faults and not missing <= unknown and not scope.failed_spaces:
                _unresolved(node, scope)
            unknown |= missing
        elif isinstance(node, nodes.Pattern):
            fine = _blocks(node, shape, scope) and fine
        elif node.name.text in GENERATORS:
            fine = generators.exists(node, shape, scope) and fine
    return fine and not unknown


def _unresolved(node: nodes.Generator | nodes.Pattern, scope: Scope) -> None:
    spaces = [name for name, wire in scope.spaces.items() if wire is not None]
    if not spaces:
        scope.report.error("E0304", f"`{brief(node.span)}` needs a space, and none is declared",
                           (node.span, "of which space?"), helps=("declare one: `space V : S(n)`",))  # fmt: skip
        return
    fix = "give it a type of its own with a `let`"
    if isinstance(node, nodes.Generator) and node.name.text != "perm":
        arguments = ",".join((*(str(arg) for arg in node.args if isinstance(arg, int)), spaces[0]))
        fix = f"say it: `{node.name.text}[{arguments}]`"
    scope.report.error(
        "E0304",
        f"the space of `{brief(node.span)}` is not known: {' or '.join(f'`{name}`' for name in spaces[:4])}",
        (node.span, "of which space?"),
        helps=(f"{fix}; in a check, end with `: A -> B`",),
    )


def _blocks(node: nodes.Pattern, shape: Shape, scope: Scope) -> bool:
    found: dict[str, list[Span]] = {}
    wires = dict[str, Port]()
    letters = (*(node.inputs[0] if node.inputs else ()), *node.outputs)
    for letter, port in zip(letters, (*shape.source, *shape.target), strict=True):
        found.setdefault(letter.text, []).append(letter.span)
        wires[letter.text] = port
    fine = _has_jellyfish(node, shape, scope) and points.fits(node, shape, scope)
    for text, spans in found.items():
        wire = wires[text].found
        assert wire is not None
        if text.isdecimal():
            continue
        family = FAMILIES[wire.group.family]
        fault = family.block_fault(len(spans))
        if fault is not None:
            places = [(spans[-1], f"{times(len(spans))}"), *((span, "") for span in spans[:-1])]
            message = f"a wire of `{wire.group}` is used {times(len(spans))}: letter `{text}` {fault}"
            scope.report.error("E0401", message, *places[:8], notes=(family.law,))
            fine = False
    return fine and _together(node, shape, scope, letters)


def _has_jellyfish(node: nodes.Pattern, shape: Shape, scope: Scope) -> bool:
    """Whether the sign of a pattern has a space; reports where not."""
    if not node.sign:
        return True
    word = (*(resolved(shape.target) or ()), *(resolved(shape.source) or ()))
    able = jellyfish_spaces(word)
    notes = ("a jellyfish of A(n) has a leg of a Levi-Civita tensor in each letter of its space",)
    for name in node.signed:
        wire = scope.space(name)
        if wire is None:
            return False
        if wire.space not in able:
            message = f"there is no wire of `{name.text}` here that has a jellyfish"
            scope.report.error("E0404", message, (name.span, "not in A(n), or not here"), notes=notes)
            return False
    if not able:
        groups = listed(dict.fromkeys(str(wire.group) for wire in bases(word))) or "no wires"
        helps = (f"without the sign: `{node.span.text.removeprefix('sgn')}`",) if "\n" not in node.span.text else ()
        message = f"`sgn[...]` is a pattern of A(n), and here is {groups}"
        scope.report.error("E0404", message, (node.span, "no wire of A(n)"), notes=notes, helps=helps)
    return bool(able)


def _together(node: nodes.Pattern, shape: Shape, scope: Scope, letters: tuple[nodes.Name, ...]) -> bool:
    """Whether blocks that may each exist are a diagram together."""
    source, target = resolved(shape.source), resolved(shape.target)
    assert source is not None
    assert target is not None
    if not any(FAMILIES[wire.group.family].restricted for wire in source + target):
        return True
    ordered = [letter.text for letter in (*letters[len(source) :], *letters[: len(source)])]
    blocks: dict[tuple[str, str], list[int]] = {}
    for vertex, (text, wire) in enumerate(zip(ordered, target + source, strict=True)):
        blocks.setdefault((text, wire.space * text.isdecimal()), []).append(vertex)
    parts = tuple(sorted(tuple(block) for block in blocks.values()))
    signed = jellyfish(node, target + source, scope.spaces)
    for wire in bases(source + target):
        family = FAMILIES[wire.group.family]
        fault = family.part_fault(restrict(source, target, parts, wire, signed)[0], wire.group.size)
        if fault is not None:
            message = f"no diagram of `{scope.show_word((wire,))}` ({wire.group}): {fault}"
            scope.report.error("E0406", message, (node.span, "here"), notes=(family.law,))
            return False
    return True
