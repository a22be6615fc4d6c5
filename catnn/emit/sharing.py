"""Which layers of a network are computed as one, and how its forward says so.

Their modules stay what they are, with their weights and names.  Where one of them was replaced, parametrised or hooked,
and where code is traced, each is called by itself.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from catnn.emit.pack import pack_function
from catnn.model import Apply, Combine, Layer, Network, Pipeline, Stage, walk
from catnn.plan.chains import Chain, Declined, Unit, chained
from catnn.plan.virtual import Virtual, composed, together
from catnn.program import Program, Run


@dataclass
class Sharing:
    """The layers of a network that are computed as one.

    found: each of them; groups: their numbers by the layers on one tensor; pairs: by the layers that follow each other;
    runs: by pipeline and the number of a stage, those that run as one from there on; ends: of the steps of a program,
    the last of such a run, its number and its steps; inside: the other steps of these; declined: neighbours that
    stay two layers.
    """

    found: list[Virtual | Chain] = field(default_factory=list)
    groups: dict[tuple[int, ...], int] = field(default_factory=dict)
    pairs: dict[tuple[int, int], int] = field(default_factory=dict)
    runs: dict[int, dict[int, int]] = field(default_factory=dict)
    ends: dict[int, tuple[int, tuple[int, ...]]] = field(default_factory=dict)
    inside: set[int] = field(default_factory=set)
    declined: list[Declined] = field(default_factory=list)
    _begun: set[int] = field(default_factory=set)
    _numbers: dict[tuple[int, ...], int] = field(default_factory=dict)

    def head(self, stage: Stage) -> Layer | None:
        """The layer that a stage begins with, unless it is computed with the one behind it."""
        if isinstance(stage, Apply):
            return None if id(stage) in self._begun else stage.layer
        if not isinstance(stage, Pipeline):
            return None
        first, *rest = flat(stage)
        if not isinstance(first, Apply) or 0 in self.runs.get(id(stage), {}):
            return None
        return None if self.pair(first, rest[0]) is not None else first.layer

    def pair(self, one: Stage, two: Stage) -> int | None:
        """The number of two stages that are computed as one."""
        if not isinstance(one, Apply) or not isinstance(two, Apply):
            return None
        return self.pairs.get((id(one.layer), id(two.layer)))

    def group(self, stages: Iterable[Stage]) -> int | None:
        """The number of the layers with which stages on one tensor begin."""
        return self.groups.get(tuple(map(id, self.heads(stages))))

    def heads(self, stages: Iterable[Stage]) -> list[Layer]:
        """The layers with which stages begin, each once."""
        found = [layer for layer in map(self.head, stages) if layer is not None]
        return list({id(layer): layer for layer in found}.values())

    def chain(self, number: int) -> Chain:
        """One of those found, which is a chain."""
        found = self.found[number]
        assert isinstance(found, Chain)
        return found

    def _chain(self, units: list[Unit]) -> Iterator[tuple[int, int]]:
        """The runs of a chain that are computed as one, by the number of their first unit."""
        found, declined = chained(units)
        self.declined += [one for one in declined if one not in self.declined]
        for start, chain in found.items():
            if _held(chain):
                key = tuple(map(id, chain.parts))
                if key not in self._numbers:
                    self._numbers[key] = len(self.found)
                    self.found.append(chain)
                yield start, self._numbers[key]
            else:
                names = tuple(part.name for part in chain.parts)
                self.declined.append(Declined(names, "their weights would be read by an index"))


def flat(stage: Pipeline) -> list[Stage]:
    """The stages of a pipeline, those of pipelines inside it among them."""
    found: list[Stage] = []
    pending: list[Stage] = [stage]
    while pending:
        top = pending.pop()
        if isinstance(top, Pipeline):
            pending.extend(reversed(top.stages))
        else:
            found.append(top)
    return found


def sharing(network: Network) -> Sharing:
    """What a network computes as one: neighbours first, fixed diagrams before others, then what reads one tensor."""
    result = Sharing()
    nested = {id(inner) for stage in walk(network.body) if isinstance(stage, Pipeline) for inner in stage.stages}
    for stage in walk(network.body):
        if isinstance(stage, Pipeline) and id(stage) not in nested:
            _pipeline(result, stage)
    if network.program is not None:
        _program(result, network.program)
    for stages in readers(network).values():
        heads = result.heads(stages)
        if len(heads) > 1 and result.group(stages) is None:
            virtual = together(heads)
            if virtual is not None and _held(virtual):
                result.groups[tuple(map(id, heads))] = len(result.found)
                result.found.append(virtual)
    return result


def _pipeline(result: Sharing, pipeline: Pipeline) -> None:
    """The neighbours in a pipeline that are computed as one."""
    stages = flat(pipeline)
    for one, two in pairwise(stages):
        if isinstance(one, Apply) and isinstance(two, Apply) and result.pair(one, two) is None:
            virtual = composed(one.layer, two.layer)
            if virtual is not None and _held(virtual):
                result.pairs[id(one.layer), id(two.layer)] = len(result.found)
                result.found.append(virtual)
    at, units, starts = 0, list[Unit](), list[int]()
    for stage in [*stages, None]:
        if starts and at < starts[-1] + len(units[-1].parts):
            at += 1
            continue
        if isinstance(stage, Apply):
            number = result.pair(stage, stages[at + 1]) if at + 1 < len(stages) else None
            pair = None if number is None else result.found[number]
            units.append(Unit.joined(pair) if isinstance(pair, Virtual) else Unit.of(stage.layer))
            starts.append(at)
        elif units:
            for start, number in result._chain(units):
                result.runs.setdefault(id(pipeline), {})[starts[start]] = number
            units, starts = [], []
        at += 1


def _program(result: Sharing, program: Program) -> None:
    """The calls of a point-ful network that are computed as one: each reads what the one before has made, alone."""
    first = sum(len(parameter.type.summands) for parameter in program.parameters)
    uses = Counter(value for values in program.results for value in values)
    uses.update(value for step in program.steps for value in step.inputs)
    repeated = Counter(replace(step, outputs=()) for step in program.steps if isinstance(step, Run))
    made: dict[tuple[int, ...], int] = {}
    after: dict[int, int] = {}
    for number, step in enumerate(program.steps):
        values = tuple(range(first, first + len(step.outputs)))
        first += len(values)
        if isinstance(step, Run) and isinstance(step.stage, Apply) and repeated[replace(step, outputs=())] == 1:
            if step.inputs in made:
                after[made[step.inputs]] = number
            if all(uses[value] == 1 for value in values):
                made[values] = number
    for number in sorted(after.keys() - set(after.values())):
        steps = [number]
        while steps[-1] in after:
            steps.append(after[steps[-1]])
        stages = [program.steps[one].stage for one in steps]  # type: ignore[union-attr]
        for start, chain in result._chain([Unit.of(stage.layer) for stage in stages if isinstance(stage, Apply)]):
            own = steps[start : start + len(result.chain(chain).units)]
            result.ends[own[-1]] = chain, tuple(own)
            result.inside.update(own[:-1])
            result._begun.update(id(program.steps[one].stage) for one in own)  # type: ignore[union-attr]


def _held(virtual: Virtual | Chain) -> bool:
    """Whether its weights are packed without an index, which would be a tensor that no module holds and moves."""
    return not virtual.plan.products or not pack_function(virtual.layer, virtual.plan, "").indices


def readers(network: Network) -> dict[object, list[Stage]]:
    """The stages that read one tensor: the terms of a sum, or what is called with the same values."""
    found: dict[object, list[Stage]] = defaultdict(list)
    for stage in walk(network.body):
        if isinstance(stage, Combine):
            found[id(stage)] = [inner for _, inner in stage.terms]
    if network.program is not None:
        for step in network.program.steps:
            if isinstance(step, Run):
                found[step.inputs].append(step.stage)
    return found
