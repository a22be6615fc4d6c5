"""The bodies of networks as plain data, and back: stages one after the other, or a program of named values.

`catnn.view.json` says what the data look like.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from catnn.activations import MAPS
from catnn.category.wires import Summand, Type
from catnn.model import Activate, Apply, Call, Combine, Identity, Layer, Network, Pipeline, Stage
from catnn.program import Program
from catnn.view.program_data import foreign, program_data, read_program
from catnn.view.refusal import refuse
from catnn.view.scalars import read_scalar_data, scalar_data
from catnn.view.types import Data, Spaces, Wires, read_index, read_type

UNIT = Type((Summand(()),))
"""The source of a program without parameters."""


def called(network: Network) -> tuple[Network, ...]:
    """Every network that a network calls, itself or through others, each once, after those that it calls itself."""
    done: dict[int, Network] = {}
    stack: list[tuple[Network, Iterator[Network]]] = [(network, iter(network.networks))]
    while stack:
        top, rest = stack[-1]
        inner = next(rest, None)
        if inner is None:
            stack.pop()
            done[id(top)] = top
        elif id(inner) not in done:
            stack.append((inner, iter(inner.networks)))
    return tuple(found for found in done.values() if found is not network)


def refuse_maps(network: Network) -> None:
    """Raises: DocumentError where a network that was read, or one that it calls, runs code of other packages."""
    paths = [path for found in (network, *called(network)) if found.program for path in foreign(found.program)]
    if paths:
        raise refuse(
            f"this document calls `{paths[0]}`, and running that was not allowed",
            "allow it with `allow_maps=True`: that runs code of another package, and promises that it is equivariant",
        )


# ---------------------------------------------------------------------------------------------------------- writing


@dataclass(slots=True)
class Writer:
    """What the bodies of a document have in common: the spaces, and the numbers of layers and networks."""

    spaces: Spaces
    layers: dict[int, int] = field(default_factory=dict)
    networks: dict[int, int] = field(default_factory=dict)

    def body(self, body: Stage | Program) -> Data:
        """A body."""
        if isinstance(body, Program):
            return {"program": program_data(body, self.spaces, self.stage)}
        return self.stage(body)

    def stage(self, stage: Stage) -> Data:
        """A stage; brackets nest at most 200 deep, so this may recurse."""
        match stage:
            case Apply(layer=layer):
                return {"layer": self.layers[id(layer)]}
            case Call(network=network):
                return {"network": self.networks[id(network)]}
            case Activate(activation=name, source=source):
                return {"activation": name, "type": self.spaces.type(source)}
            case Identity(source=source):
                return {"identity": self.spaces.type(source)}
            case Pipeline(stages=stages):
                return {"chain": [self.stage(inner) for inner in stages]}
            case Combine(terms=terms):
                return {"sum": [{"coefficient": scalar_data(c), "body": self.stage(inner)} for c, inner in terms]}


# ---------------------------------------------------------------------------------------------------------- reading


@dataclass(slots=True)
class Reader:
    """The same, to read with: the layers, and the networks that were read so far."""

    wires: Wires
    layers: list[Layer]
    networks: list[Network] = field(default_factory=list)

    def network(self, data: Data) -> Network:
        """A network.  Raises: DocumentError where its body is not of its type."""
        if type(data["complex"]) is not bool or not isinstance(data["name"], str):
            raise refuse("a network has a name, and says whether it is complex")
        source, target = read_type(self.wires, data["from"]), read_type(self.wires, data["to"])
        body = self.body(data["body"])
        own = body.source or UNIT, body.target
        if own != (source, target):
            raise refuse(f"the body is of type {own[0]} -> {own[1]}, not {source} -> {target}")
        return Network(data["name"], source, target, body, is_complex=data["complex"])

    def body(self, data: Any) -> Stage | Program:
        """A body.  Raises: DocumentError where it is none."""
        if isinstance(data, dict) and "program" in data:
            return read_program(self.wires, data["program"], self.stage)
        return self.stage(data)

    def stage(self, data: Any) -> Stage:
        """A stage.  Raises: DocumentError where it is none."""
        match data:
            case {"layer": number}:
                return Apply(self.layers[read_index(number, len(self.layers))])
            case {"network": number}:
                return Call(self.networks[read_index(number, len(self.networks))])
            case {"activation": str(name), "type": type_} if name in MAPS:
                return Activate(name, read_type(self.wires, type_))
            case {"identity": type_}:
                return Identity(read_type(self.wires, type_))
            case {"chain": [_, _, *_] as stages}:
                found = tuple(map(self.stage, stages))
                for first, then in pairwise(found):
                    if first.target != then.source:
                        raise refuse(f"a stage produces {first.target}, and the next expects {then.source}")
                return Pipeline(found)
            case {"sum": [_, *_] as rows}:
                terms = tuple((read_scalar_data(row["coefficient"]), self.stage(row["body"])) for row in rows)
                if len({(stage.source, stage.target) for _, stage in terms}) != 1:
                    raise refuse("the terms of a sum differ in type")
                return Combine(terms)
        raise refuse(f"{str(data)[:60]} is no stage of a network")
