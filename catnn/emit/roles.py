"""Which stages of a network are computed with others: where the cost of what is computed as one stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from catnn.emit.sharing import Sharing, flat, readers
from catnn.model import Network, Pipeline, Stage, walk
from catnn.program import Run


@dataclass
class Roles:
    """By the identity of a stage, the number of what is computed as one.

    carries: of the stage at which that is computed; inside: of the others that it stands for.
    """

    carries: dict[int, int] = field(default_factory=dict)
    inside: dict[int, int] = field(default_factory=dict)

    def within(self, stage: Stage) -> int | None:
        """The number of what computes a stage, or None where it is computed by itself."""
        return self.carries.get(id(stage), self.inside.get(id(stage)))

    def note(self, stages: list[Stage], number: int, at: int) -> None:
        """Several stages are one, and it is computed at this one of them."""
        for place, stage in enumerate(stages):
            (self.carries if place == at % len(stages) else self.inside)[id(stage)] = number


def roles(network: Network, shared: Sharing, taken: Callable[[int], bool]) -> Roles:
    """The roles of the stages of a network; taken: whether a chain runs as one at the sizes that matter."""
    found = Roles()
    nested = {id(inner) for stage in walk(network.body) if isinstance(stage, Pipeline) for inner in stage.stages}
    for stage in walk(network.body):
        if isinstance(stage, Pipeline) and id(stage) not in nested:
            for number, stages in _runs(stage, shared, taken):
                found.note(stages, number, -1)
    if network.program is not None:
        steps = network.program.steps
        for number, own in shared.ends.values():
            if taken(number):
                found.note([_stage(steps[at]) for at in own], number, -1)
    for row in readers(network).values():
        group = shared.group(row)
        if group is not None:
            firsts = {id(shared.head(stage)): _first(stage) for stage in row if shared.head(stage) is not None}
            found.note(list(firsts.values()), group, 0)
    return found


def _runs(pipeline: Pipeline, shared: Sharing, taken: Callable[[int], bool]) -> Iterator[tuple[int, list[Stage]]]:
    """The stages of a pipeline that are computed as one, as its forward goes through them."""
    stages, at, runs = flat(pipeline), 0, shared.runs.get(id(pipeline), {})
    while at < len(stages):
        number = runs.get(at)
        if number is not None and taken(number):
            length = len(shared.chain(number).parts)
        else:
            number = shared.pair(*stages[at : at + 2]) if at + 1 < len(stages) else None
            length = 1 if number is None else 2
        if number is not None:
            yield number, stages[at : at + length]
        at += length


def _stage(step: object) -> Stage:
    assert isinstance(step, Run)
    return step.stage


def _first(stage: Stage) -> Stage:
    return flat(stage)[0] if isinstance(stage, Pipeline) else stage
