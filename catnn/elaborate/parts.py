"""The parts of a layer: what its term says about each pair of summands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from catnn.category.diagram import Morphism, linear
from catnn.category.gram import rank
from catnn.category.scalar import ONE, Scalar
from catnn.category.symmetric import canonical, is_symmetric
from catnn.category.wires import Summand, Type
from catnn.diagnostics import Span
from catnn.elaborate.homs import averaged, learned, note, too_many
from catnn.elaborate.inference import WEIGHTS
from catnn.elaborate.placing import place
from catnn.elaborate.ports import unbracketed
from catnn.elaborate.report import brief
from catnn.elaborate.scopes import Scope
from catnn.elaborate.terms import scalar
from catnn.syntax import nodes

Learned = nodes.All | nodes.Bias | nodes.SpanOf
MOST_COMPARED = 50
"""How many diagrams the elements of a `span` may have to be tested for independence."""

WORDS = {nodes.All: "all", nodes.Bias: "bias", nodes.SpanOf: "span"}


def summands(term: nodes.Term) -> Iterator[tuple[Scalar, nodes.Term, nodes.Term]]:
    """The summands of a term with their coefficients: (coefficient, summand without it, summand as written)."""
    pending: list[tuple[Scalar, nodes.Term, nodes.Term]] = [(ONE, term, term)]
    while pending:
        factor, node, written = pending.pop()
        inner = unbracketed(node)
        match inner:
            case nodes.Sum():
                pending.extend((factor, one, one) for one in reversed(inner.terms))
            case nodes.Scaled():
                pending.append((factor * scalar(inner.scalar), inner.term, written))
            case _:
                yield factor, inner, written


@dataclass
class Parts:
    """The parts of a layer as they are found, `[out][in]`.

    learned: where `all` or `span` (under ``weights``) and `bias` stand; failed: whether any part has no meaning;
    written: the fixed terms of each pair of summands.
    """

    source: Type
    target: Type
    scope: Scope
    mean: bool
    declared: Span
    learned: dict[str, Span] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    failed: bool = False
    written: dict[tuple[int, int], list[nodes.Term]] = field(default_factory=dict)
    weighted: list[list[list[Morphism]]] = field(init=False)
    fixed: list[list[list[Morphism]]] = field(init=False)
    biases: list[list[Morphism]] = field(init=False)

    def __post_init__(self) -> None:
        outs, ins = self.target.summands, self.source.summands
        self.weighted = [[[] for _ in ins] for _ in outs]
        self.fixed = [[[] for _ in ins] for _ in outs]
        self.biases = [[] for _ in outs]

    @property
    def empty(self) -> bool:
        """Whether there is no diagram at all."""
        return not any(pair for row in (*self.weighted, *self.fixed) for pair in row) and not any(self.biases)

    def pairs(self) -> Iterator[tuple[int, int, Summand, Summand]]:
        """Every pair of summands: (out, in, target summand, source summand)."""
        for out, target in enumerate(self.target.summands):
            for in_, source in enumerate(self.source.summands):
                yield out, in_, target, source

    def add(self, factor: Scalar, term: nodes.Term, written: nodes.Term) -> None:
        """Add a summand of the layer's term; `written` is the summand with its factor."""
        match term:
            case nodes.All() | nodes.Bias() | nodes.SpanOf():
                if self._first(factor, term, written):
                    self._learn(term)
            case _:
                self._fix(written)

    def _error(self, code: str, message: str, *places: tuple[Span, str], notes: tuple[str, ...] = (),
               helps: tuple[str, ...] = ()) -> None:  # fmt: skip
        self.scope.report.error(code, message, *places, notes=notes, helps=helps)
        self.failed = True

    def _first(self, factor: Scalar, term: Learned, written: nodes.Term) -> bool:
        name = WORDS[type(term)]
        slot = "bias" if name == "bias" else "weights"
        if slot in self.learned:
            message = f"a layer has {'one `bias`' if slot == 'bias' else 'one `all` or one `span`'}"
            self._error("E0608", message, (term.span, "again"), (self.learned[slot], "first here"))
            return False
        self.learned[slot] = term.span
        if factor != ONE:
            self._error("E0306", f"`{name}` takes no factor", (written.span, "weights scale themselves"),
                        notes=(WEIGHTS,))  # fmt: skip
            return False
        return True

    # ------------------------------------------------------------------------------------------------------- weights

    def _learn(self, term: Learned) -> None:
        match term:
            case nodes.All():
                for out, in_, target, source in self.pairs():
                    found = self._basis(term, "all", source.folded(), target.folded())
                    if found is None:
                        return
                    self.weighted[out][in_] = found
            case nodes.Bias():
                for out, target in enumerate(self.target.summands):
                    found = self._basis(term, "bias", Summand(()), target.folded())
                    if found is None:
                        return
                    self.biases[out] = found
            case nodes.SpanOf():
                spans: dict[tuple[int, int], list[Span]] = {}
                for element in term.terms:
                    self._element(element, spans)
                self._note_dependence()

    def _note_dependence(self) -> None:
        """Tell where fewer weights would do; longer lists are the user's business."""
        for out, in_, target, source in self.pairs():
            here = self.weighted[out][in_]
            if self.failed or len(here) < 2 or sum(len(element.weighted) for element in here) > MOST_COMPARED:
                continue
            independent = rank(here)
            if independent < len(here):
                arrow = self.scope.show_arrow(source.word, target.word)
                text = f"only {independent} of the {len(here)} elements of `span` are linearly independent"
                self.notes.append(f"`{arrow}`: {text}")

    def _basis(self, term: Learned, what: str, outer: Summand, inner: Summand) -> list[Morphism] | None:
        source, target = outer.word, inner.word
        message = too_many(source, target, self.scope)
        if message is not None:
            self._error("E0602", message, (term.span, "too many diagrams"), (self.declared, ""),
                        helps=("name the ones you want: `span { ... }`",) if what == "all" else ())  # fmt: skip
            return None
        found = learned(outer, inner, mean=self.mean)
        text = note(what, source, target, len(found)) if not outer.symmetric + inner.symmetric else None
        if text is not None:
            plain = what == "all" and len(self.source.summands) == len(self.target.summands) == 1
            self.notes.append(text if plain else f"`{self.scope.show_arrow(source, target)}`: {text}")
        return list(found)

    def _element(self, element: nodes.Term, spans: dict[tuple[int, int], list[Span]]) -> None:
        """Add an element of `span` to every pair of summands that it fits."""
        placed = place(element, self.scope, self.source, self.target, self.declared)
        if placed is None:
            self.failed = True
            return
        shown = brief(element.span)
        if not any(value.weighted for _, _, value in placed):
            self._error("E0607", f"`{shown}` is zero", (element.span, "a weight on nothing"))
            return
        for out, in_, value in placed:
            stored = self._stored(value, out, in_, element)
            if stored is None:
                return
            if not stored.weighted:
                self._error("E0607", f"`{shown}` is zero on symmetric tensors", (element.span, "a weight on nothing"))
                return
            value = averaged(stored) if self.mean else stored
            here, written = self.weighted[out][in_], spans.setdefault((out, in_), [])
            twin = next((at for at, other in enumerate(here) if _proportional(value, other)), None)
            if twin is not None:
                self._error("E0606", f"`{shown}` is in the span already", (element.span, "again"),
                            (written[twin], "first here"),
                            notes=("two weights on one diagram, or on multiples of it, are one weight",))  # fmt: skip
                return
            here.append(value)
            written.append(element.span)

    # --------------------------------------------------------------------------------------------------- fixed terms

    def _fix(self, written: nodes.Term) -> None:
        shown = brief(written.span)
        placed = place(written, self.scope, self.source, self.target, self.declared)
        if placed is None:
            self.failed = True
            return
        if len(placed) > 1 and not all(out == in_ for out, in_, _ in placed):
            self._error("E0610", f"`{shown}` fits {len(placed)} pairs of summands", (written.span, "which pair?"),
                        (self.declared, ""),
                        notes=("a fixed term between direct sums goes from one summand to one summand",))  # fmt: skip
            return
        for out, in_, value in placed:
            target, source = self.target.summands[out], self.source.summands[in_]
            if target.channels != source.channels:
                self._error(
                    "E0609",
                    f"`{shown}` is fixed, so multiplicities must agree: {source.channels:,} is not {target.channels:,}",
                    (written.span, "acts on every channel alike"),
                    (self.declared, f"from {source.channels:,} to {target.channels:,} channels"),
                    notes=("only `all`, `span` and `bias` mix channels",),
                    helps=() if "weights" in self.learned else (f"learn it: `span {{ {shown} }}`",),
                )
                return
            if value.weighted:
                self.fixed[out][in_].append(value)
                self.written.setdefault((out, in_), []).append(written)

    def finish(self) -> None:
        """The fixed terms between symmetric powers in their canonical form: together they lead to symmetric tensors."""
        for out, in_, target, source in self.pairs():
            values = self.fixed[out][in_]
            if not values or not (source.symmetric or target.symmetric):
                continue
            total = linear(values[0].source, values[0].target, [term for value in values for term in value.weighted])
            stored = self._stored(total, out, in_, self.written[out, in_][0])
            if stored is not None:
                self.fixed[out][in_] = [stored] if stored.weighted else []

    def _stored(self, value: Morphism, out: int, in_: int, term: nodes.Term) -> Morphism | None:
        """A term between symmetric powers in its canonical form; reports one whose outputs are not symmetric."""
        source, target = self.source.summands[in_], self.target.summands[out]
        if not source.symmetric and not target.symmetric:
            return value
        if is_symmetric(value, source, target):
            return canonical(value, source)
        self._error("E0902", f"`{brief(term.span)}` does not lead to symmetric tensors",
                    (term.span, "changes with the order of its outputs"), (self.declared, ""),
                    notes=("into a symmetric power every order of its ports gets the same",),
                    helps=("add its orders up, as in `[i -> i j] + [i -> j i]`",))  # fmt: skip
        return None


def _proportional(left: Morphism, right: Morphism) -> bool:
    """Whether two terms differ by a factor only."""
    one, other = left.weighted, right.weighted
    if len(one) != len(other) or any(a[1] != b[1] for a, b in zip(one, other, strict=True)):
        return False
    return all(a[0] * other[0][0] == b[0] * one[0][0] for a, b in zip(one, other, strict=True))
