"""The expressions of a point-ful body: what each value is, and the steps that make it.

An expression is asked for and answers with its values (several for a call of a network with several results), None once
a fault is reported; each method of an expression is a generator that asks for its parts, so nothing recurses.
"""

from __future__ import annotations

from collections.abc import Generator as Steps
from dataclasses import dataclass, field, replace

from catnn.activations import ACTIVATIONS, AXIS_FUNCTIONS
from catnn.category.scalar import ONE, Scalar
from catnn.category.wires import Summand, Type
from catnn.diagnostics import Span
from catnn.elaborate.along import along
from catnn.elaborate.inference import Inference
from catnn.elaborate.networks import Body
from catnn.elaborate.no_value import no_value
from catnn.elaborate.parts import summands
from catnn.elaborate.patterns import outer, pattern, product
from catnn.elaborate.ports import postorder, unbracketed
from catnn.elaborate.report import brief, listed, nearest, plural
from catnn.elaborate.scopes import GENERATORS, Entry, Scope
from catnn.elaborate.stages import is_diagram
from catnn.elaborate.tensors import Bound, Made, Making, packed
from catnn.hypergraph.box import Box
from catnn.hypergraph.linear import Combination
from catnn.model import Activate, Network
from catnn.program import Add, Apply, Run
from catnn.syntax import nodes

Answer = tuple[Bound, ...] | None
Request = tuple[nodes.Term, Type | None]
"""An expression, and the type it should have if that is known."""

Asking = Steps[Request, Answer, Answer]


@dataclass
class Values:
    """The values of a body while it is read.

    names: what each name stands for, None where its expression failed; places: where each was bound; used: the names
    that were read.
    """

    scope: Scope
    making: Making = field(default_factory=Making)
    names: dict[str, Bound | None] = field(default_factory=dict)
    places: dict[str, Span] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def run(self, term: nodes.Term, wanted: Type | None = None) -> Answer:
        """The values of an expression, its parts on a stack of our own."""
        stack: list[Asking] = [self._value(term, wanted)]
        answer: Answer = None
        started = False
        while stack:
            try:
                asked = stack[-1].send(answer) if started else next(stack[-1])
                stack.append(self._value(*asked))
                started = False
            except StopIteration as done:
                stack.pop()
                answer, started = done.value, True
        return answer

    def _value(self, term: nodes.Term, wanted: Type | None) -> Asking:
        term = unbracketed(term)
        match term:
            case nodes.Generator():
                return self._name(term)
            case nodes.Call():
                return (yield from self._call(term, wanted))
            case nodes.Sum() | nodes.Scaled():
                return (yield from self._sum(term, wanted))
            case nodes.Tensor():
                made: list[Bound] = []
                for factor in term.terms:
                    answer = yield factor, None
                    made += self._one(factor, answer)
                return self._made(outer(term, made, self.scope, self.making) if len(made) == len(term.terms) else None)
            case _:
                self._no_value(term)
                return None

    def _one(self, term: nodes.Term, answer: Answer) -> tuple[Bound, ...]:
        """The one value of an expression; () once it is reported that there are several."""
        if answer is not None and len(answer) > 1:
            self.scope.report.error(
                "E0311",
                f"`{brief(term.span)}` gives {len(answer)} values",
                (term.span, "one value is needed"),
                helps=("give each a name: `a, b = ...`",),
            )
            return ()
        return answer or ()

    @staticmethod
    def _made(made: Made) -> Answer:
        return None if made is None else (made,)

    # --------------------------------------------------------------------------------------------------------- names

    def _name(self, node: nodes.Generator) -> Answer:
        name = node.name.text
        if name in self.names and not node.args:
            self.used.add(name)
            bound = self.names[name]
            return None if bound is None else (replace(bound, span=node.span),)
        entry = self.scope.entries.get(name)
        if is_function(entry):
            self._no_value(node)
            return None
        if entry is not None and entry.kind == "box" and not node.args:
            return self._made(self.making.box(entry, self.scope, node.span))
        if name in ACTIVATIONS or name in AXIS_FUNCTIONS or name in GENERATORS or entry is not None:
            self._no_value(node)
        elif (
            name in self.scope.spaces
            or name in self.scope.sizes
            or name in self.scope.places
            or self.scope.is_broken(name)
        ):
            self.scope.entry(node.name)
        else:
            self.scope.report.error(
                "E0101",
                f"there is no value `{name}`",
                (node.span, "unknown name"),
                notes=(f"the values so far: {listed(self.names)}",),
                helps=nearest(name, (*self.names, *self.scope.entries)),
            )
        return None

    def _no_value(self, term: nodes.Term) -> None:
        """Report what is no value where one must stand."""
        if isinstance(term, nodes.All | nodes.Bias | nodes.SpanOf):
            Inference(self.scope).run(term)
        else:
            no_value(term, self.names, self.scope)

    # --------------------------------------------------------------------------------------------------------- calls

    def _call(self, node: nodes.Call, wanted: Type | None) -> Asking:
        function = unbracketed(node.function)
        args: list[Bound] = []
        lost = False
        for argument, aim in zip(node.args, self._aims(function, len(node.args), wanted), strict=True):
            answer = yield argument, aim
            lost |= answer is None
            args += answer or ()
        return None if lost else self.applied(node, args, wanted)

    def applied(self, node: nodes.Call, args: list[Bound], wanted: Type | None) -> Answer:
        """What a function gives on values."""
        function = unbracketed(node.function)
        if isinstance(function, nodes.Pattern):
            return self._made(pattern(function, args, node.span, self.scope, self.making, wanted))
        name = function.name.text if isinstance(function, nodes.Generator) else ""
        if name in self.names:
            self.used.add(name)
            self.scope.report.error(
                "E0315",
                f"`{name}` is a value, not a function",
                (function.span, "cannot be called"),
                (self.places[name], "bound here"),
                helps=("several values are multiplied by a pattern: `[i, i -> i](x, y)`",),
            )
            return None
        if name in AXIS_FUNCTIONS and isinstance(function, nodes.Generator):
            return self._made(along(function, args, node.span, self.scope, self.making))
        entry = self.scope.entries.get(name)
        if not args and (entry is None or entry.kind in ("let", "box")):
            return self._nothing(node, wanted)
        if entry is not None and isinstance(entry.value, Box) and is_function(entry):
            return self._map(node, entry.value, args)
        if isinstance(function, nodes.Chain) and any(is_function(self._entry(stage)) for stage in function.terms):
            return self._stages(function, node, args, wanted)
        if is_diagram(function, self.scope) and (len(args) > 1 or boxed(function, self.scope)):
            return self._made(product(function, args, node.span, self.scope, self.making, wanted))
        return self._stage(node, function, args)

    def _aims(self, function: nodes.Term, count: int, wanted: Type | None) -> list[Type | None]:
        """The types that the arguments of a call should have, where that is known."""
        name = function.name.text if isinstance(function, nodes.Generator) else ""
        if count == 1 and (name in ACTIVATIONS or name in AXIS_FUNCTIONS):
            return [wanted]
        entry = self.scope.entries.get(name)
        network = self._called(function)
        if network is not None and network.program is not None:
            types = [parameter.type for parameter in network.program.parameters]
            return [*types] if len(types) == count else [None] * count
        if entry is not None and entry.source is not None and entry.kind in ("layer", "network"):
            if count == 1:
                return [entry.source]
            if len(entry.source.summands) == count:
                return [Type((summand,)) for summand in entry.source.summands]
        return [None] * count

    def _nothing(self, node: nodes.Call, wanted: Type | None) -> Answer:
        """A call without arguments: a diagram or box out of nothing."""
        function = unbracketed(node.function)
        named = isinstance(function, nodes.Generator) and function.name.text not in (*ACTIVATIONS, *GENERATORS)
        if named and isinstance(function, nodes.Generator) and self.scope.entry(function.name) is None:
            return None
        if is_diagram(function, self.scope):
            return self._made(product(function, [], node.span, self.scope, self.making, wanted))
        else:
            self.scope.report.error("E0311", f"`{brief(function.span)}` takes a value", (node.span, "none is given"))
        return None

    def _entry(self, term: nodes.Term) -> Entry | None:
        """The definition that a term names."""
        term = unbracketed(term)
        return self.scope.entries.get(term.name.text) if isinstance(term, nodes.Generator) else None

    def _stages(self, chain: nodes.Chain, node: nodes.Call, args: list[Bound], wanted: Type | None) -> Answer:
        """Stages with opaque maps among them, one call after the other."""
        answer: Answer = tuple(args)
        for at, stage in enumerate(chain.terms):
            if answer is not None:
                last = at == len(chain.terms) - 1
                answer = self.applied(replace(node, function=stage), [*answer], wanted if last else None)
        return answer

    def _map(self, node: nodes.Call, box: Box, args: list[Bound]) -> Answer:
        """An opaque map, on every entry alike."""
        if len(args) != 1 or args[0].type.words != (box.source,) or not self.making.use(box, self.scope, node.span):
            self._misfit(node, args, Type((Summand(box.source, 1),)))
            return None
        (bound,) = args
        (summand,) = bound.type.summands
        if summand.symmetric:
            packed(bound.span, self.scope)
            return None
        out = Summand(box.target, summand.channels)
        return (Bound(self.making.step(Apply(box, bound.ids[0], out)), Type((out,)), bound.letters, node.span),)

    def _stage(self, node: nodes.Call, function: nodes.Term, args: list[Bound]) -> Answer:
        """A layer, a network, an activation or a pipeline: its source is the direct sum of the arguments."""
        given = Type(tuple(summand for bound in args for summand in bound.type.summands)) if args else None
        network = self._called(function)
        if given is None:
            if network is None or network.program is None:
                self.scope.report.error(
                    "E0311", f"`{brief(function.span)}` takes a value", (node.span, "none is given")
                )
                return None
            given = network.source
        elif network is not None and network.program is not None and not network.program.parameters:
            self.scope.report.error(
                "E0311", f"`{brief(function.span)}` takes no values", (node.span, f"{plural(len(args), 'value')} given")
            )
            return None
        before = self.scope.report.faults
        flow = Body(self.scope).run((function, given, None))
        if flow.source is not None and flow.source != given:
            if self.scope.report.faults == before:
                self._misfit(node, args, flow.source, network)
            return None
        if flow.stage is None or flow.target is None or self.scope.report.faults > before:
            return None
        ids = tuple(value for bound in args for value in bound.ids)
        values = self.making.step(Run(flow.stage, ids, flow.target.summands))
        letters = args[0].letters if isinstance(flow.stage, Activate) and len(args) == 1 else None
        targets = (flow.target,) if network is None or network.program is None else network.program.targets
        bounds, start = [], 0
        for target in targets:
            stop = start + len(target.summands)
            bounds.append(Bound(values[start:stop], target, letters, node.span))
            start = stop
        return tuple(bounds)

    def _called(self, function: nodes.Term) -> Network | None:
        entry = self.scope.entries.get(function.name.text) if isinstance(function, nodes.Generator) else None
        return entry.value if entry is not None and isinstance(entry.value, Network) else None

    def _misfit(self, node: nodes.Call, args: list[Bound], expects: Type, network: Network | None = None) -> None:
        shown = brief(node.function.span)
        wanted = self.scope.show_type(expects)
        if network is not None and network.program is not None:
            wanted = ", ".join(f"{p.name}: {self.scope.show_type(p.type)}" for p in network.program.parameters)
        given = [(bound.span, f"this is {self.scope.show_type(bound.type)}") for bound in args]
        names = ", ".join(brief(bound.span, 20) for bound in args) or "nothing"
        self.scope.report.error(
            "E0301",
            f"`{shown}` does not take `{names}`",
            (node.function.span, f"expects {wanted}"),
            *given[:6],
            notes=("several values given to a layer are its direct sum, in order",),
        )

    # ---------------------------------------------------------------------------------------------------------- sums

    def _sum(self, node: nodes.Term, wanted: Type | None) -> Asking:
        found: list[tuple[Scalar, nodes.Term, Bound]] = []
        lost = False
        for factor, term, written in summands(node):
            for scaled in _scalars(written):
                if any(name in self.names for name, _ in scaled.scalar.powers):
                    name = next(name for name, _ in scaled.scalar.powers if name in self.names)
                    self.used.add(name)
                    self.scope.report.error(
                        "E0018",
                        f"`{name}` is not a scalar",
                        (scaled.scalar.span, "a value"),
                        notes=("`*` scales by a number or a size",),
                        helps=(f"values are multiplied by a pattern: `[i, i -> i]({name}, ...)`",),
                    )
                    lost = True
                elif not Inference(self.scope).scalar(scaled.scalar):
                    lost = True
            answer = yield term, wanted
            one = self._one(term, answer)
            if one:
                found.append((factor, written, one[0]))
            else:
                lost = True
        return None if lost else self.added(node, found)

    def added(self, node: nodes.Term, found: list[tuple[Scalar, nodes.Term, Bound]]) -> Answer:
        """A linear combination of values: (coefficient, summand as written, value)."""
        (_, first, base), *others = found
        for _, written, bound in others:
            if not _alike(base.type, bound.type):
                self.scope.report.error(
                    "E0302",
                    f"`{brief(first.span)}` and `{brief(written.span)}` cannot be added: a sum has one type",
                    (written.span, f"this is {self.scope.show_type(bound.type)}"),
                    (first.span, f"this is {self.scope.show_type(base.type)}"),
                    notes=("the words are the same, and channels are equal or 1",),
                )
                return None
        if len(found) == 1 and found[0][0] == ONE:
            return (replace(base, span=node.span),)
        out = tuple(
            replace(summand, channels=max(bound.type.summands[at].channels for _, _, bound in found))
            for at, summand in enumerate(base.type.summands)
        )
        ids: list[int] = []
        for at, summand in enumerate(out):
            terms = tuple((factor, bound.ids[at]) for factor, _, bound in found)
            ids += self.making.step(Add(terms, summand))
        letters = next((bound.letters for _, _, bound in found if bound.letters), None)
        return (Bound(tuple(ids), Type(out), letters, node.span),)


def _scalars(term: nodes.Term) -> list[nodes.Scaled]:
    found = []
    while isinstance(term, nodes.Scaled | nodes.Brackets):
        if isinstance(term, nodes.Scaled):
            found.append(term)
        term = term.term
    return found


def _alike(one: Type, other: Type) -> bool:
    """Whether two types can be added: the same words, channels equal or 1; a symmetric power is of another type."""
    return one.words == other.words and all(
        (a.channels == b.channels or 1 in (a.channels, b.channels)) and a.symmetric == b.symmetric
        for a, b in zip(one.summands, other.summands, strict=True)
    )


def is_function(entry: Entry | None) -> bool:
    """Whether a definition is an opaque map: a box that is called, and stands in no diagram."""
    return entry is not None and isinstance(entry.value, Box) and entry.value.kind == "map"


def along_axes(term: nodes.Term) -> bool:
    """Whether a function along an axis stands in a term."""
    return any(isinstance(node, nodes.Generator) and node.name.text in AXIS_FUNCTIONS for node in postorder(term))


def boxed(term: nodes.Term, scope: Scope) -> bool:
    """Whether there is a box in a term, or in a diagram that it names."""
    named = (node.name.text for node in postorder(term) if isinstance(node, nodes.Generator))
    found = [scope.entries[name] for name in named if name in scope.entries]
    return any(entry.kind == "box" or isinstance(entry.value, Combination) for entry in found)
