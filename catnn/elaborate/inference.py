"""Type inference for fixed terms: every part gets two rows of ports, equal spaces are unified."""

from __future__ import annotations

from dataclasses import dataclass, field

from catnn.activations import ACTIVATIONS, AXIS_FUNCTIONS
from catnn.diagnostics import Span
from catnn.elaborate import generators
from catnn.elaborate.ports import (
    Port,
    Ports,
    Shape,
    bare_identities,
    bracketed,
    children,
    guess,
    is_bare_identity,
    known,
    open_port,
    postorder,
    unify,
)
from catnn.elaborate.report import brief, listed
from catnn.elaborate.scopes import GENERATORS, Scope
from catnn.elaborate.types import MOST_ORDER
from catnn.hypergraph.box import Box
from catnn.syntax import nodes

WEIGHTS = "`all`, `span` and `bias` are summands of a layer's term, never under `;`, `@`, `'` or a scalar"


WIDE, MOST_WIDE = 128, 500_000
"""Terms with more ports are wide; those of a file have at most so many in all, which takes some seconds."""


@dataclass
class Inference:
    """The shapes of the parts of a term, by identity of the node; None where a fault was reported.

    faults: how many were reported; poisoned: whether the term uses a definition that failed.  Either way it has no
    meaning, but its shape may still be good.
    """

    scope: Scope
    shapes: dict[int, Shape | None] = field(default_factory=dict)
    faults: int = 0
    poisoned: bool = False

    def run(self, term: nodes.Term) -> Shape | None:
        """Infer the whole of a term."""
        before = self.scope.report.faults
        for node in postorder(term):
            shape = self._shape(node)
            if shape is not None and len(shape.source) + len(shape.target) > 2 * MOST_ORDER:
                generators.too_wide(node, self.scope, max(len(shape.source), len(shape.target)))
                shape = None
            self.shapes[id(node)] = shape
            if shape is not None and not self._affordable(node, shape):
                self.shapes[id(term)] = None
                break
        self.faults += self.scope.report.faults - before
        return self.shapes[id(term)]

    def _affordable(self, node: nodes.Term, shape: Shape) -> bool:
        """Whether the wide terms of the file have few enough ports in all; reports where they come to more."""
        ports = len(shape.source) + len(shape.target)
        self.scope.wide += ports if ports > WIDE else 0
        if self.scope.wide > MOST_WIDE:
            message = f"the terms so far have more than {MOST_WIDE:,} ports"
            self._fault("E0405", message, node.span, "here", notes=(f"of terms of over {WIDE} ports each",))
            return False
        return True

    def _shape(self, node: nodes.Term) -> Shape | None:
        inside = [self.shapes[id(child)] for child in children(node)]
        match node:
            case nodes.Generator():
                return self._name(node)
            case nodes.Pattern():
                return self._pattern(node)
            case nodes.Number():
                return Shape((), ()) if self.scalar(node.scalar) else None
            case nodes.Scaled():
                return inside[0] if self.scalar(node.scalar) else None
            case nodes.Brackets():
                return inside[0]
            case nodes.Dagger():
                return None if inside[0] is None else Shape(inside[0].target, inside[0].source)
            case nodes.Power():
                return self._power(node, inside[0])
            case nodes.Tensor():
                return self._tensor(node, inside)
            case nodes.Chain():
                return self._chain(node, inside)
            case nodes.Sum():
                return self._sum(node, inside)
            case nodes.All() | nodes.Bias() | nodes.SpanOf():
                return self._learned(node)
            case nodes.Call():
                self._fault("E0310", "a call stands in a point-ful network only", node.span, "a call",
                            notes=("elsewhere composition is `f ; g`",))  # fmt: skip
                return None

    def _fault(self, code: str, message: str, span: Span, text: str, **more: tuple[str, ...]) -> None:
        self.scope.report.error(code, message, (span, text), **more)

    # ------------------------------------------------------------------------------------------------------- leaves

    def _name(self, node: nodes.Generator) -> Shape | None:
        text = node.name.text
        if text in GENERATORS:
            return generators.shape(node, self.scope)
        if text in ACTIVATIONS:
            self._fault("E0308", f"`{text}` is an activation", node.span, "not a diagram",
                        notes=("activations stand between the stages of a `network`, alone",))  # fmt: skip
            return None
        if text in AXIS_FUNCTIONS:
            self._fault("E0308", f"`{text}` is a function along an axis", node.span, "not a diagram",
                        notes=("it stands between the stages of a `network`, alone, or is called there",),
                        helps=(f"`network f : A -> B = g ; {text}[V]`",
                               f"`network f(x: A) -> A {{ return {text}[V](x) }}`"))  # fmt: skip
            return None
        if self.scope.is_size(text) and not node.args:
            return Shape((), ())
        entry = self.scope.entry(node.name)
        if entry is None:
            return None
        if entry.kind not in ("let", "box"):
            self._fault("E0308", f"`{text}` is a {entry.kind}", node.span, "expected a fixed diagram",
                        notes=("layers compose in a `network`; diagrams are made with `let`",))  # fmt: skip
            return None
        if node.args:
            self._fault("E0305", f"`{text}` takes no arguments", node.span, "remove the brackets")
            return None
        if isinstance(entry.value, Box) and entry.value.kind == "map":
            self._fault("E0629", f"`{text}` is a function of numbers, not a linear map", node.span, "not a diagram",
                        notes=("sums and rules go through a diagram, box by box; through a function they do not",),
                        helps=(f"call it in a network: `{text}(x)`, or let it be a stage: `f ; {text}`",))  # fmt: skip
            return None
        self.poisoned |= entry.value is None
        return None if entry.words is None else Shape(known(entry.words[0]), known(entry.words[1]))

    def _pattern(self, node: nodes.Pattern) -> Shape | None:
        if len(node.inputs) > 1:
            self._fault("E0310", "a pattern of several values stands in a point-ful network only", node.span,
                        "several values",
                        notes=("elsewhere a diagram starts from one word",),
                        helps=("`network f(x: A, y: B) -> C { return [i, i -> i](x, y) }`",))  # fmt: skip
            return None
        letters: dict[str, Port] = {}
        default = self.scope.only_space
        rows: list[Ports] = []
        for row in (node.inputs[0] if node.inputs else (), node.outputs):
            ports: list[Port] = []
            here: set[str] = set()
            for name in row:
                if name.text.isdecimal():  # a point may stand on several spaces
                    ports.append(open_port(default))
                    continue
                port = letters.setdefault(name.text, open_port(default))
                ports.append(port.bent() if name.text in here else port)
                here.add(name.text)
            rows.append(tuple(ports))
        return Shape(rows[0], rows[1])

    def scalar(self, scalar: nodes.Scalar) -> bool:
        fine = True
        for name, _ in scalar.powers:
            if name in self.scope.entries and name not in self.scope.sizes:
                self._fault("E0018", f"`{name}` is not a scalar", scalar.span, f"a {self.scope.entries[name].kind}",
                            notes=("`*` scales by a number or a size, and the scalar comes first: `1/2 * f`",),
                            helps=(f"write the scalar before: `2 * {name}`",
                                   "the tensor product of two diagrams is `@`"))  # fmt: skip
                fine = False
            elif name not in self.scope.sizes and not self.scope.failed_spaces:
                self._fault("E0108", f"there is no size `{name}`", scalar.span, "unknown size",
                            notes=(f"the sizes are: {listed(self.scope.sizes)}",),
                            helps=self.scope.report.nearest(name, self.scope.sizes))  # fmt: skip
                fine = False
        return fine

    def _learned(self, node: nodes.All | nodes.Bias | nodes.SpanOf) -> None:
        name = {nodes.All: "all", nodes.Bias: "bias", nodes.SpanOf: "span"}[type(node)]
        self._fault("E0306", f"`{name}` may not stand here", node.span, "makes weights",
                    notes=(WEIGHTS,))  # fmt: skip

    # ---------------------------------------------------------------------------------------------------- composites

    def exponent(self, exponent: int | nodes.Name) -> int | None:
        """A number of copies, or of legs; None once it is reported that a name means none here."""
        if isinstance(exponent, int):
            return exponent
        if exponent.text in self.scope.arities:
            return self.scope.arities[exponent.text]
        self._fault("E0205", f"there is no number `{exponent.text}` here", exponent.span, "not a number",
                    notes=("an arity is a name in a `rule` alone, where a `spider[...]` has it too",))  # fmt: skip
        return None

    def _power(self, node: nodes.Power, inside: Shape | None) -> Shape | None:
        times = self.exponent(node.exponent)
        if inside is None or times is None:
            return None
        width = times * max(len(inside.source), len(inside.target), 1)
        if width > MOST_ORDER:
            generators.too_wide(node, self.scope, width)
            return None
        return Shape(inside.source * times, inside.target * times)

    def _tensor(self, node: nodes.Tensor, inside: list[Shape | None]) -> Shape | None:
        whole = [shape for shape in inside if shape is not None]
        if len(whole) < len(inside):
            return None
        width = max(sum(len(shape.source) for shape in whole), sum(len(shape.target) for shape in whole))
        if width > MOST_ORDER:
            generators.too_wide(node, self.scope, width)
            return None
        return Shape(tuple(p for s in whole for p in s.source), tuple(p for s in whole for p in s.target))

    def _chain(self, node: nodes.Chain, inside: list[Shape | None]) -> Shape | None:
        for at in range(1, len(inside)):
            first, then = inside[at - 1], inside[at]
            if first is not None and then is not None and not unify(first.target, then.source):
                self._gap(node.terms[at - 1], node.terms[at], first, then)
        start, end = inside[0], inside[-1]
        return None if start is None or end is None else Shape(start.source, end.target)

    def _gap(self, left: nodes.Term, right: nodes.Term, first: Shape, then: Shape) -> None:
        produces = self.scope.show_word(guess(first.target))
        expects = self.scope.show_word(guess(then.source))
        helps: tuple[str, ...] = ()
        if is_bare_identity(left) or is_bare_identity(right):
            wanted = expects if is_bare_identity(left) else produces
            helps = (f"inside a diagram `id` is one wire; write `id[{wanted}]`",)
        self.scope.report.error(
            "E0301",
            f"`{brief(left.span)}` does not compose with `{brief(right.span)}`",
            (right.span, f"expects  {expects}"),
            (left.span, f"produces {produces}"),
            notes=("in `f ; g` the target of f is the source of g",),
            helps=helps,
        )

    def _sum(self, node: nodes.Sum, inside: list[Shape | None]) -> Shape | None:
        identities = [bare_identities(term) for term in node.terms]
        definite = [at for at, found in enumerate(identities) if found is None]
        if any(inside[at] is None for at in definite):
            return None
        if not definite:
            return inside[0]
        base = inside[definite[0]]
        assert base is not None
        for at, found in enumerate(identities):
            other = inside[at]
            if found is not None:
                for generator in found:
                    self.shapes[id(generator)] = Shape(base.source, base.target)
                other = Shape(base.source, base.source)
            if other is None or not (unify(base.source, other.source) & unify(base.target, other.target)):
                self._unlike(node.terms[definite[0]], node.terms[at], base, other)
        return base

    def _unlike(self, one: nodes.Term, other: nodes.Term, base: Shape, shape: Shape | None) -> None:
        shown = ["`id` needs the same word on both sides" if shape is None else self.arrow(shape), self.arrow(base)]
        self.scope.report.error(
            "E0302",
            f"`{brief(one.span)}` and `{brief(other.span)}` cannot be added: a sum has one type",
            (other.span, f"this is {shown[0]}"),
            (one.span, f"this is {shown[1]}"),
            helps=bracketed(one, other),
        )

    def arrow(self, shape: Shape) -> str:
        """The type of a shape, for messages."""
        return self.scope.show_arrow(guess(shape.source), guess(shape.target))
