"""What a network has: its sizes and spaces, and the layers and networks that are submodules of its own module."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from catnn.category.scalar import Scalar
from catnn.category.wires import Wire, bases
from catnn.emit.classes import size_names, wires
from catnn.emit.writer import MODULE, Names, quoted, size_parameter
from catnn.model import Combine, Layer, Network, Pipeline, Stage, walk
from catnn.program import Add, Program, Run

KEYWORDS = ("device=device", "dtype=dtype", "generator=generator")

OWN = frozenset("counted draw enter even inputs is_complex label space_sizes whole _seen _version".split())
"""Attributes of `_Program`, which no submodule and no tensor of a network of named values may be called."""


def network_sizes(network: Network) -> tuple[str, ...]:
    """The symbolic sizes of a network: of all its layers, then of its own type."""
    sizes = dict.fromkeys(size for layer in network.layers for size in size_names(layer))
    for called in network.networks:
        sizes.update(dict.fromkeys(network_sizes(called)))
    for stage in _scales(network.body):
        sizes.update(dict.fromkeys(name for monomial, _ in stage.terms for name, _ in monomial))
    words = network.source.words + network.target.words
    if network.program is not None:
        words += tuple(value.word for value in network.program.values)
    own = [wire.group.size for word in words for wire in word]
    sizes.update(dict.fromkeys(size for size in own if isinstance(size, str)))
    return tuple(sizes)


@lru_cache(maxsize=256)
def network_spaces(network: Network) -> tuple[Wire, ...]:
    """The spaces of a network: of its type, then of its stages or values and of what they call."""
    found: dict[Wire, None] = {}
    seen, pending = {id(network)}, [network]
    while pending:
        top = pending.pop()
        sides = [top.source, top.target, *(side for stage in walk(top.body) for side in (stage.source, stage.target))]
        words = [word for side in sides for word in side.words]
        words += [value.word for value in top.program.values] if top.program is not None else []
        found.update(dict.fromkeys(bases(tuple(wire for word in words for wire in word))))
        new = [inner for inner in top.networks if id(inner) not in seen]
        seen.update(map(id, new))
        pending.extend(reversed(new))
    return tuple(found)


def spaces_of(item: Layer | Network) -> tuple[Wire, ...]:
    """The different spaces that appear anywhere in a layer or network."""
    return wires(item) if isinstance(item, Layer) else network_spaces(item)


def _untold_scalars(item: Layer | Network) -> set[str]:
    """The sizes of scalars that whoever calls an item must count, since it has no space of that size."""
    own = {wire.group.size for wire in spaces_of(item)}
    sizes = size_names(item) if isinstance(item, Layer) else network_sizes(item)
    return set(sizes) - own


def scalar_sizes(network: Network) -> set[str]:
    """The sizes in the scalars of a network, and in those of its parts that it must count for."""
    found = {name for scalar in _scales(network.body) for monomial, _ in scalar.terms for name, _ in monomial}
    return found.union(*(_untold_scalars(part) for part in parts_of(network)))


def _scales(stage: Stage | Program) -> list[Scalar]:
    found: list[Scalar] = []
    pending: list[Stage] = []
    if isinstance(stage, Program):
        pending += [step.stage for step in stage.steps if isinstance(step, Run)]
        found += [scalar for step in stage.steps if isinstance(step, Add) for scalar, _ in step.terms]
    else:
        pending.append(stage)
    while pending:
        top = pending.pop()
        if isinstance(top, Combine):
            found.extend(scalar for scalar, _ in top.terms)
            pending.extend(inner for _, inner in top.terms)
        elif isinstance(top, Pipeline):
            pending.extend(top.stages)
    return found


def untold(item: Layer | Network) -> bool:
    """Whether an item has sizes that its input does not tell, so that whoever calls it had better."""
    sizes = size_names(item) if isinstance(item, Layer) else network_sizes(item)
    return not set(sizes) <= {wire.group.size for word in item.source.words for wire in word}


def parts_of(network: Network) -> list[Layer | Network]:
    """The layers and networks that a network names itself, each once."""
    return [*network.layers, *network.networks]


def submodules(network: Network) -> dict[int, str]:
    """The submodule of every layer and network that a network names itself, by identity."""
    names = Names(MODULE if network.program is None else [*MODULE, *OWN])
    return {id(part): names.fresh(part.name.replace(".", "_")) for part in parts_of(network)}


def renamed(network: Network) -> str:
    """Which submodules have another name than their layer, because torch or Python has a use for that one."""
    modules = submodules(network)
    pairs = [(part.name, modules[id(part)]) for part in parts_of(network)]
    other = [f"{ascii(name)[1:-1]} is {module}" for name, module in pairs if name != module]
    return f"; of its submodules, {', '.join(other)}" if other else ""


def made_parts(network: Network, classes: Mapping[int, str]) -> list[str]:
    """The lines that make the submodules of a network.

    A layer or network that is named in several places is one module: the first, put into the other places.
    """
    lines, modules = [], submodules(network)
    for part in parts_of(network):
        own = size_names(part) if isinstance(part, Layer) else network_sizes(part)
        given = ", ".join([*(f"{size_parameter(s)}={size_parameter(s)}" for s in own), *KEYWORDS])
        lines.append(f"self.{modules[id(part)]} = {classes[id(part)]}({given})")
    seen: dict[int, str] = {}
    pending = [("", network)]
    while pending:
        path, top = pending.pop(0)
        for key, name in submodules(top).items():
            here = f"{path}.{name}" if path else name
            first = seen.setdefault(key, here)
            if first != here and first.split(".")[0] != here.split(".")[0]:
                one = f"self.get_submodule({quoted(first)})"
                lines.append(f"self.get_submodule({quoted(path)}).register_module({quoted(name)}, {one})")
            elif first == here:
                pending += [(here, inner) for inner in top.networks if id(inner) == key]
    return lines


def has_parts(item: Layer | Network) -> bool:
    """Whether its class has `reset_parameters`: a layer always, a network where any layer or learned box is in it."""
    if isinstance(item, Layer) or item.layers:
        return True
    program = item.program
    own = program is not None and any(tensor.constant is None and tensor.map is None for _, tensor in program.tensors)
    return own or any(has_parts(network) for network in item.networks)
