"""Networks: layers, activations, fixed diagrams and residuals, one after the other.

Types flow from left to right.  A stage is asked with the type that reaches it and answers with a `Flow`: the type it
expects, the type it produces, and its value; whoever put two stages side by side compares.
"""

from __future__ import annotations

from collections.abc import Generator as Steps

from catnn.activations import ACTIVATIONS
from catnn.category.scalar import ONE, Scalar
from catnn.category.wires import Type
from catnn.elaborate.activations import culprit, reason
from catnn.elaborate.inference import Inference
from catnn.elaborate.lifting import gap
from catnn.elaborate.parts import summands
from catnn.elaborate.ports import bracketed, is_bare_identity, unbracketed
from catnn.elaborate.report import brief, listed
from catnn.elaborate.scopes import Scope
from catnn.elaborate.stages import LOST, Flow, diagram, is_diagram
from catnn.model import Activate, Apply, Call, Combine, Identity, Layer, Network, Pipeline, Stage
from catnn.program import Program
from catnn.syntax import nodes

MOST_DEPTH = 100
"""A network is a module in the modules that call it, and Python calls, copies and pickles modules by recursion."""

Request = tuple[nodes.Term, Type | None, Type | None]
"""A term, the type that reaches it, and the type it should produce if that is known."""


def network(node: nodes.NetworkStatement, source: Type | None, target: Type | None, scope: Scope) -> Network | None:
    """A network in pipeline form, or None once its faults are reported."""
    before = scope.report.faults
    flow = Body(scope).run((node.term, source, target))
    name = node.name.text
    if source is not None and flow.source is not None and flow.source != source:
        first = _end(node.term, 0)
        scope.report.error(
            "E0303",
            f"`{name}` starts from {scope.show_type(source)}, but `{brief(first.span)}` does not",
            (first.span, f"expects  {scope.show_type(flow.source)}"),
            (node.arrow.source.span, "declared here"),
            helps=scope.foreign(source, flow.source),
        )
    if target is not None and flow.target is not None and flow.target != target:
        last = _end(node.term, -1)
        scope.report.error(
            "E0303",
            f"`{name}` should end in {scope.show_type(target)}, but `{brief(last.span)}` does not",
            (last.span, f"produces {scope.show_type(flow.target)}"),
            (node.arrow.target.span, "declared here"),
            helps=scope.foreign(target, flow.target),
        )
    if source is None or target is None or flow.stage is None or scope.report.faults > before:
        return None
    return made(node.name, source, target, flow.stage, scope)


def made(name: nodes.Name, source: Type, target: Type, body: Stage | Program, scope: Scope) -> Network | None:
    """The network of a body without faults, or None once it is reported that it calls others too deep."""
    found = Network(scope.prefix + name.text, source, target, body, name.span, scope.is_complex)
    if found.depth <= MOST_DEPTH:
        return found
    deepest = max(found.networks, key=lambda network: network.depth)
    scope.report.error(
        "E0630",
        f"`{name.text}` calls networks that call others, {found.depth} deep",
        (name.span, f"{found.depth} deep"),
        *([(deepest.span, f"{deepest.depth} deep, and called")] if deepest.span is not None else []),
        notes=(f"networks nest at most {MOST_DEPTH} deep: each is a module in the module that calls it",),
        helps=("call several of them from one network, or write their stages out",),
    )
    return None


def _end(term: nodes.Term, at: int) -> nodes.Term:
    """The first or the last stage of a term."""
    while isinstance(inner := unbracketed(term), nodes.Chain):
        term = inner.terms[at]
    return unbracketed(term)


class Body:
    """The stages of a network.  Each method of a stage is a generator that asks for its parts, so nothing recurses."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def run(self, request: Request) -> Flow:
        """Answer a request, its parts on a stack of our own."""
        stack: list[Steps[Request, Flow, Flow]] = [self._stage(*request)]
        answer: Flow | None = None
        while True:
            try:
                asked = next(stack[-1]) if answer is None else stack[-1].send(answer)
                stack.append(self._stage(*asked))
                answer = None
            except StopIteration as done:
                stack.pop()
                answer = done.value
                assert answer is not None
                if not stack:
                    return answer

    def _stage(self, term: nodes.Term, source: Type | None, wanted: Type | None) -> Steps[Request, Flow, Flow]:
        term = unbracketed(term)
        if is_bare_identity(term):
            return self._combined([(factor, self._identity(source)) for factor, _, _ in summands(term)])
        if is_diagram(term, self.scope):
            return diagram(term, source, wanted, self.scope)
        match term:
            case nodes.Generator():
                return self._named(term, source)
            case nodes.Chain():
                return (yield from self._chain(term, source, wanted))
            case nodes.Sum() | nodes.Scaled():
                return (yield from self._sum(term, source, wanted))
            case nodes.Tensor() | nodes.Dagger():
                self._refuse(term)
                return LOST
            case _:
                Inference(self.scope).run(term)
                return LOST

    # -------------------------------------------------------------------------------------------------------- leaves

    def _identity(self, source: Type | None) -> Flow:
        return Flow(source, source, None if source is None else Identity(source))

    def _named(self, node: nodes.Generator, source: Type | None) -> Flow:
        name, scope = node.name.text, self.scope
        if node.args:
            scope.report.error("E0305", f"`{name}` takes no arguments", (node.span, "remove the brackets"))
            return LOST
        if name in ACTIVATIONS:
            return self._activation(node, source)
        entry = scope.entry(node.name)
        if entry is None:
            return LOST
        if isinstance(entry.value, Layer | Network) and entry.value.is_complex != scope.is_complex:
            scope.report.error(
                "E0502",
                f"`{name}` is real, this file is complex",
                (node.span, "computes with real numbers"),
                notes=("all layers of a file with a space of U(n) are complex, those of other files are not",),
                helps=("declare a space of U(n) in the file it comes from",),
            )
            return Flow(entry.source, entry.target, None)
        match entry.value:
            case Layer():
                return Flow(entry.source, entry.target, Apply(entry.value))
            case Network():
                return Flow(entry.source, entry.target, Call(entry.value))
            case _:
                return Flow(entry.source, entry.target, None)

    def _activation(self, node: nodes.Generator, source: Type | None) -> Flow:
        if source is None:
            return LOST
        activation = ACTIVATIONS[node.name.text]
        for word in source.words:
            wire = culprit(activation, word)
            if wire is not None:
                norms = all(culprit(ACTIVATIONS["gate"], other) is None for other in source.words)
                why = reason(activation, wire, norms=norms)
                shown = self.scope.show_word(word)
                self.scope.report.error(
                    "E0501",
                    f"`{activation.name}` is not equivariant on `{shown}` ({wire.group}): {why}",
                    (node.span, f"acts on {self.scope.show_type(source)}"),
                )
                return Flow(source, source, None)
        if self.scope.is_complex and not activation.on_complex:
            fine = listed(name for name, other in ACTIVATIONS.items() if other.on_complex)
            self.scope.report.error(
                "E0502",
                f"`{activation.name}` is a function of real numbers, and the tensors here are complex",
                (node.span, f"acts on {self.scope.show_type(source)}"),
                notes=("all layers of a file with a space of U(n) are complex, its scalars too",),
                helps=(f"use one of {fine}",),
            )
            return Flow(source, source, None)
        return Flow(source, source, Activate(activation.name, source))

    def _refuse(self, term: nodes.Tensor | nodes.Dagger) -> None:
        sign = "@" if isinstance(term, nodes.Tensor) else "'"
        self.scope.report.error("E0309", f"`{sign}` is for diagrams, not for layers or activations",
                                (term.span, "holds something learned or nonlinear"),
                                notes=("a network is made with `;`, `+` and scalars",))  # fmt: skip

    # ---------------------------------------------------------------------------------------------------- composites

    def _chain(self, node: nodes.Chain, source: Type | None, wanted: Type | None) -> Steps[Request, Flow, Flow]:
        flows: list[Flow] = []
        reached = source
        for at, term in enumerate(node.terms):
            flow = yield (term, reached, wanted if at == len(node.terms) - 1 else None)
            if flows and reached is not None and flow.source is not None and flow.source != reached:
                gap(self.scope, node.terms[at - 1], term, reached, flow.source)
                flow = Flow(flow.source, flow.target, None)
            flows.append(flow)
            reached = flow.target
        stages = tuple(flow.stage for flow in flows if flow.stage is not None)
        whole = Pipeline(stages) if len(stages) == len(flows) else None
        return Flow(flows[0].source, flows[-1].target, whole)

    def _sum(self, node: nodes.Term, source: Type | None, wanted: Type | None) -> Steps[Request, Flow, Flow]:
        flows: list[tuple[Scalar, Flow]] = []
        definite: tuple[nodes.Term, Flow] | None = None
        for factor, term, written in summands(node):
            if not self._sizes(written):
                return LOST
            reported = len(self.scope.report.found)
            flow = yield (term, source, wanted)
            if definite is not None and not _parallel(definite[1], flow):
                if bracketed(definite[0], written):  # what does not compose in there is not what was meant
                    self.scope.report.forget("E0301", reported)
                self._unlike(definite[0], written, definite[1], flow)
                return LOST
            if definite is None and flow.source is not None and flow.target is not None:
                definite = (written, flow)
            flows.append((factor, flow))
        return self._combined(flows)

    def _sizes(self, term: nodes.Term) -> bool:
        """Whether the size names of the scalars in front of a summand are known; reports where not."""
        return all(Inference(self.scope).scalar(scaled.scalar) for scaled in _scalars(term))

    def _combined(self, flows: list[tuple[Scalar, Flow]]) -> Flow:
        stages = tuple((factor, flow.stage) for factor, flow in flows if flow.stage is not None)
        known_ = next((flow for _, flow in flows if flow.source is not None and flow.target is not None), LOST)
        if len(stages) < len(flows):
            return Flow(known_.source, known_.target, None)
        whole = stages[0][1] if len(stages) == 1 and stages[0][0] == ONE else Combine(stages)
        return Flow(known_.source, known_.target, whole)

    def _unlike(self, one: nodes.Term, other: nodes.Term, base: Flow, flow: Flow) -> None:
        self.scope.report.error(
            "E0302",
            f"`{brief(one.span)}` and `{brief(other.span)}` cannot be added: a sum has one type",
            (other.span, f"this is {self._arrow(flow)}"),
            (one.span, f"this is {self._arrow(base)}"),
            helps=bracketed(one, other),
        )

    def _arrow(self, flow: Flow) -> str:
        rows = (flow.source, flow.target)
        return " -> ".join("?" if row is None else self.scope.show_type(row) for row in rows)


def _scalars(term: nodes.Term) -> list[nodes.Scaled]:
    found = []
    while isinstance(term, nodes.Scaled | nodes.Brackets):
        if isinstance(term, nodes.Scaled):
            found.append(term)
        term = term.term
    return found


def _parallel(one: Flow, other: Flow) -> bool:
    pairs = ((one.source, other.source), (one.target, other.target))
    return all(a is None or b is None or a == b for a, b in pairs)
