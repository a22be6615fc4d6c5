"""Patterns on the groups that are given by generators or a graph: points, letters that spread, adjacent letters."""

from __future__ import annotations

from catnn.category.bilabelled import Bilabelled, has_graph, restricted
from catnn.category.diagram import Diagram, Morphism
from catnn.category.families import FAMILIES
from catnn.category.labelled import is_orbital, permuted, spread
from catnn.category.wires import Wire, Word, bases
from catnn.elaborate.ports import Shape, resolved
from catnn.elaborate.scopes import Scope
from catnn.syntax import nodes


def is_point(letter: nodes.Name) -> bool:
    """Whether a letter is a number."""
    return letter.text.isdecimal()


def ordered(node: nodes.Pattern) -> tuple[nodes.Name, ...]:
    """The letters in the order of vertices: outputs, then inputs."""
    return (*node.outputs, *(node.inputs[0] if node.inputs else ()))


def fits(node: nodes.Pattern, shape: Shape, scope: Scope) -> bool:
    """Whether points stand where there are some, and adjacent letters on one graph; reports where not."""
    source, target = resolved(shape.source), resolved(shape.target)
    assert source is not None
    assert target is not None
    letters, word = ordered(node), target + source
    fine = all(_on_its_space(letter, wire, scope) for letter, wire in zip(letters, word, strict=True))
    for space in bases(word):
        here = [letter for letter, wire in zip(letters, word, strict=True) if wire.base == space]
        point = next((letter for letter in here if is_point(letter)), None)
        plain = next((letter for letter in here if not is_point(letter)), None)
        if fine and point is not None and plain is not None:
            scope.report.error(
                "E0409",
                f"a pattern on `{scope.show_word((space,))}` has points or letters, not both",
                (plain.span, "a letter"),
                (point.span, "a point"),
                notes=("points name one orbit by one of its tuples; letters sum over all that agree",),
            )
            fine = False
    return fine and (not node.adjacent or graph_of(node, word, scope) is not None)


def _on_its_space(letter: nodes.Name, wire: Wire, scope: Scope) -> bool:
    if not is_point(letter):
        return True
    family = FAMILIES[wire.group.family]
    shown = scope.show_word((wire,))
    if not family.orbital:
        scope.report.error(
            "E0408",
            f"`{letter.text}` is a point, and `{shown}` ({wire.group}) has letters only",
            (letter.span, "a number"),
            notes=("the points of a set are for `Perm` and `Aut`, whose diagrams are orbits",),
        )
        return False
    if int(letter.text) >= permuted(wire).n:
        scope.report.error("E0408", f"`{shown}` ({wire.group}) has no point {letter.text}",
                           (letter.span, f"the points are 0 to {permuted(wire).n - 1}"))  # fmt: skip
        return False
    return True


def graph_of(node: nodes.Pattern, word: Word, scope: Scope) -> Wire | None:
    """The one space that the adjacent letters of a pattern are on, or None once the fault is reported."""
    places = {letter.text: wire.base for letter, wire in zip(ordered(node), word, strict=True)}
    named = [letter for edge in node.adjacent for letter in edge]
    spaces = dict.fromkeys(places[letter.text] for letter in named if letter.text in places)
    graphs = [wire for wire in scope.wires if has_graph(wire)]
    spaces = spaces or dict.fromkeys(graphs)
    wire = next(iter(spaces), None)
    if wire is None or len(spaces) > 1 or not has_graph(wire):
        group = "none" if wire is None else ", ".join(f"`{scope.show_word((one,))}` ({one.group})" for one in spaces)
        scope.report.error(
            "E0410",
            f"letters behind the bar are adjacent in a graph, and they stand on {group}",
            (node.span, "no graph, or several"),
            notes=("`[i -> j | j i]` is for spaces of `Aut`: it sums over edges from j to i",),
        )
        return None
    return wire


def meaning(node: nodes.Pattern, source: Word, target: Word, signed: tuple[str, ...], scope: Scope) -> Morphism:
    """The morphism of a pattern that fits its words."""
    letters, word = ordered(node), target + source
    blocks: dict[tuple[str, Wire | None], list[int]] = {}
    for vertex, letter in enumerate(letters):
        blocks.setdefault((letter.text, word[vertex].base if is_point(letter) else None), []).append(vertex)
    parts = tuple(sorted(tuple(block) for block in blocks.values()))
    if not any(map(is_orbital, word)) and not node.adjacent:
        return Diagram(source, target, parts, signed)
    points = tuple(int(letter.text) if is_point(letter) else -1 for letter in letters)
    value = spread(source, target, parts, signed, points)
    if not node.adjacent:
        return value
    graph = graph_of(node, word, scope)
    assert graph is not None
    names = dict.fromkeys(letter.text for letter, wire in zip(letters, word, strict=True) if wire.base == graph)
    names.update(dict.fromkeys(letter.text for edge in node.adjacent for letter in edge))
    number = {name: at for at, name in enumerate(names)}
    here = [v for v, wire in enumerate(word) if wire.base == graph]
    labels = tuple(number[letters[v].text] for v in here)
    l = sum(v < len(target) for v in here)
    edges = tuple((number[a.text], number[b.text]) for a, b in node.adjacent)
    bilabelled = Bilabelled(len(number), edges, labels[:l], labels[l:])
    return restricted(value, graph, bilabelled)
