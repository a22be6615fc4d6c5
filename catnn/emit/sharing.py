"""Which layers of a network are computed as one, and how its forward says so.

Their modules stay what they are, with their weights and names.  Where one of them was replaced, parametrised or hooked,
and where code is traced, each is called by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from catnn.emit.pack import pack_function
from catnn.model import Apply, Combine, Layer, Network, Pipeline, Stage, walk
from catnn.plan.virtual import Virtual, composed, together
from catnn.program import Run


@dataclass
class Sharing:
    """The layers of a network that are computed as one.

    found: each of them; groups: their numbers by the layers on one tensor; pairs: by the layers that follow each other.
    """

    found: list[Virtual] = field(default_factory=list)
    groups: dict[tuple[int, ...], int] = field(default_factory=dict)
    pairs: dict[tuple[int, int], int] = field(default_factory=dict)

    def head(self, stage: Stage) -> Layer | None:
        """The layer that a stage begins with, unless it is computed with the one behind it."""
        if isinstance(stage, Apply):
            return stage.layer
        if not isinstance(stage, Pipeline) or not isinstance(stage.stages[0], Apply):
            return None
        return None if self.pair(*stage.stages[:2]) is not None else stage.stages[0].layer

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


def sharing(network: Network) -> Sharing:
    """What a network computes as one: fixed diagrams with their neighbours first, then what reads one tensor."""
    result = Sharing()
    for stage in walk(network.body):
        for one, two in zip(stage.stages, stage.stages[1:], strict=False) if isinstance(stage, Pipeline) else ():
            if isinstance(one, Apply) and isinstance(two, Apply) and result.pair(one, two) is None:
                virtual = composed(one.layer, two.layer)
                if virtual is not None and _held(virtual):
                    result.pairs[id(one.layer), id(two.layer)] = len(result.found)
                    result.found.append(virtual)
    for stages in readers(network).values():
        heads = result.heads(stages)
        if len(heads) > 1 and result.group(stages) is None:
            virtual = together(heads)
            if virtual is not None and _held(virtual):
                result.groups[tuple(map(id, heads))] = len(result.found)
                result.found.append(virtual)
    return result


def _held(virtual: Virtual) -> bool:
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
