"""A whole generated file: head, shared parts, layers, networks; checked before anybody sees it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256
from pathlib import Path

from catnn.category.basis import Basis
from catnn.diagnostics import CatnnError, fail
from catnn.emit.folding import folded_text
from catnn.emit.fusing import making
from catnn.emit.layer import Emitted, Piece, emit_layer
from catnn.emit.naming import class_names, needed
from catnn.emit.network import emit_network
from catnn.emit.program import emit_program
from catnn.emit.sharing import Sharing, sharing
from catnn.emit.vet import UnsafeSourceError, vet
from catnn.emit.writer import Names
from catnn.model import Layer, Network
from catnn.plan.build import plan_layer
from catnn.plan.chains import Chain
from catnn.plan.dense import Dense, dense, prove_dense
from catnn.plan.lower import Lowered, lowered
from catnn.plan.plan import Plan
from catnn.plan.prove import UnsoundPlanError, prove
from catnn.plan.prove_fused import prove_fused
from catnn.plan.prove_ties import prove_ties
from catnn.plan.rates import Counted
from catnn.plan.virtual import Virtual

FORMAT = 1
"""The version of the order and meaning of weights; equal to `catnn.emit.parts.FORMAT` (tested)."""

HEAD = '''\
"""{title}

Each layer is reduce, mix, expand: the halves of its diagrams are computed once each, one matrix product a level mixes
the channels, and the results are written where the diagrams say; comments give the pattern that a step computes.

catnn format: {format}
spec sha256: {sha}
"""

import torch
from torch import Tensor, nn
{linear}
FORMAT = {format}
CHUNK = 2**19  # bytes that are worked on at a time, so that they stay in the cache
'''

LINEAR = "from torch.nn.functional import linear"
"""The import of a function of torch that some files call."""

Row = tuple[str, str, str, Mapping[str, str | None], tuple[str, ...], Counted]
"""The fields of a `Written` but its plan and its dense form."""

BODY = "\nimport torch\n"
"""Where a file begins to differ by what is in it, not by where it came from."""


@dataclass(frozen=True, slots=True)
class Generated:
    """A generated file: its text, the class of each layer and network by name, and what its layers run.

    imports: its lines that import functions of other packages.
    """

    text: str
    classes: Mapping[str, str]
    layers: tuple[Written, ...] = ()
    imports: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Written:
    """A layer of a generated file, or a part of one: its class, its Function, the prefix of the others, its plan.

    extras: the parameters that its functions take behind the tensors, each with its size; None for what a mask counts.
    dense: the dense form, where there is one.  layer: what the class computes, where that is one part.
    held: where the class has parameters of other modules, by name the number of the module and the name there.
    apart: of layers one after the other that run as one, the classes of what runs otherwise; combining: the steps,
    numbers moved and multiply-adds that combine their weights.
    """

    owner: str
    function: str
    prefix: str
    plan: Plan
    extras: Mapping[str, str | None]
    dense: Dense | None = None
    layer: Layer | None = None
    held: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    apart: tuple[str, ...] = ()
    combining: Counted = (0, 0, 0, 0)


def emit(items: Iterable[Layer | Network], *, title: str, spec: str) -> Generated:
    """Source for these layers and networks and all that they need, every plan proved first.

    title: a line for the docstring, of whitelisted characters; spec: the text whose hash the head names.
    Raises: CatnnError (E1016) where two names would be one class.
    """
    layers, networks = needed(items)
    classes, by_name = class_names([*layers, *networks])
    imports = _imports(networks)
    file = _File(classes, imports)
    for layer in layers:
        file.layer(layer)
    for network in networks:
        file.network(network)
    lines = [_import_line(path, name) for path, name in imports.items()]
    opening = [LINEAR] if any("linear(" in text for text in file.texts) else []
    head = _head(title, spec, "".join(f"{line}\n" for line in (*opening, *lines)))
    body = "\n\n".join([head, *_parts(file.parts), *file.constants.values(), *map(folded_text, file.texts)])
    try:
        vet(body, frozenset(lines))
    except UnsafeSourceError as fault:
        raise _defect(str(fault)) from fault
    return Generated(body, by_name, tuple(file.written), frozenset(lines))


class _File:
    """A file while it is written: the texts of its classes, the shared parts and constants that these use.

    classes: the class of every layer and network, by identity; imports: what functions of other packages are called.
    """

    def __init__(self, classes: Mapping[int, str], imports: Mapping[str, str]) -> None:
        self.classes = classes
        self.imports = imports
        self.prefixes = Names([*_sources(), *imports.values(), *(f"_{name}" for name in classes.values())])
        self.names = Names(classes.values())
        self.texts: list[str] = []
        self.parts = set[str]()
        self.constants = dict[str, str]()
        self.written: list[Written] = []

    def keep(self, emitted: Emitted) -> None:
        """Put a class behind those before it."""
        self.texts.append(emitted.text)
        self.parts |= emitted.parts
        self.constants |= emitted.constants

    def layer(self, layer: Layer) -> None:
        """Write the class of a layer, each of its parts proved."""
        owner = self.classes[id(layer)]
        pieces = [self.piece(layer, part, layer.name) for part in lowered(layer)]
        emitted = emit_layer(layer, pieces, owner)
        for piece, (function, extras) in zip(pieces, emitted.functions, strict=True):
            whole = layer if len(pieces) == 1 else None
            self.written.append(Written(owner, function, piece.prefix, piece.plan, extras, piece.dense, whole))
        self.keep(emitted)

    def piece(self, layer: Layer, part: Lowered, name: str) -> Piece:
        """A part of a layer with its plan, proved; the names of its functions start like the name."""
        return Piece(part, proved_part(part), self.prefixes.prefix(name.lower()), proved_dense(layer, part))

    def network(self, network: Network) -> None:
        """Write the class of a network, those of the layers first that it computes as one."""
        shared, made = sharing(network), list[str]()
        for number, virtual in enumerate(shared.found, 1):
            made.append(self.names.fresh(f"{self.classes[id(network)]}Part{number}"))
            if isinstance(virtual, Chain):
                self.chain(virtual, shared, made)
            else:
                self.together(virtual, made[-1])
        name = self.classes[id(network)]
        if network.program is None:
            self.keep(emit_network(network, name, self.classes, shared, made))
        else:
            self.keep(emit_program(network, name, self.classes, self.imports, shared, made))

    def together(self, virtual: Virtual, owner: str) -> None:
        """Write the class of layers on one tensor, or of a fixed diagram and a layer, which run as one."""
        held = {name: f"self.parts[{at}].{own}" for name, (at, own) in virtual.parameters.items()}
        written = self.computed(virtual, owner, held)
        self.written.append(replace(written, layer=virtual.layer, held=virtual.parameters))

    def chain(self, chain: Chain, shared: Sharing, made: Sequence[str]) -> None:
        """Write the class of layers one after the other that run as one; made: its name, behind those before it."""
        _prove_chain(chain)
        alone = [self.classes[id(unit.layer)] if unit.pair is None else made[shared.found.index(unit.pair)]
                 for unit in chain.units]  # fmt: skip
        written = self.computed(chain, made[-1])
        self.written.append(replace(written, apart=tuple(alone), combining=chain.combining))

    def computed(self, virtual: Virtual | Chain, owner: str, held: Mapping[str, str] | None = None) -> Written:
        """Write the class of a layer that is computed for others; held: the expressions of its parameters."""
        (part,) = lowered(virtual.layer)
        piece = self.piece(virtual.layer, part, owner)
        kinds = [self.classes[id(one)] for one in virtual.parts]
        combined = making(virtual, piece.prefix) if isinstance(virtual, Chain) else None
        emitted = emit_layer(virtual.layer, [piece], owner, combined.held if combined else held, kinds, combined)
        self.keep(emitted)
        ((function, extras),) = emitted.functions
        return Written(owner, function, piece.prefix, piece.plan, extras, piece.dense)


def _head(title: str, spec: str, imports: str = "") -> str:
    return HEAD.format(title=title, format=FORMAT, sha=sha256(spec.encode()).hexdigest(), linear=imports)


def described(text: str, *, title: str, spec: str) -> str:
    """The text of a file with the head of another spec."""
    head = _head(title, spec)
    return head[: head.index(BODY)] + text[text.index(BODY) :]


def restored(item: Layer | Network, text: str, written: Sequence[Row]) -> Generated:
    """A file that was emitted and proved before, with its plans made again, which is a small part of the work.

    written: of each `Written`, in order.
    Raises: ValueError where they are not those of this item; UnsafeSourceError for text that holds what it must not.
    """
    layers, networks = needed([item])
    _, by_name = class_names([*layers, *networks])
    for line in _openings(by_name, written):
        if line not in text:
            raise ValueError(f"there is no {line.strip()}")
    lines = frozenset(_import_line(path, name) for path, name in _imports(networks).items())
    vet(text, lines)
    found = tuple(
        Written(
            owner, function, prefix, plan_layer(part.layer), extras, _dense(of, part), whole, held, apart, combining
        )
        for (of, part, whole, held), (owner, function, prefix, extras, apart, combining) in zip(
            _written_parts(layers, networks), written, strict=True
        )
    )
    return Generated(text, by_name, found, lines)


def _written_parts(
    layers: Iterable[Layer], networks: Iterable[Network]
) -> Iterator[tuple[Layer, Lowered, Layer | None, Mapping[str, tuple[int, str]]]]:
    """For each `Written`, in order: what it is a part of, the part, and its last fields but those of chains."""
    for layer in layers:
        parts = lowered(layer)
        yield from ((layer, part, layer if len(parts) == 1 else None, {}) for part in parts)
    for virtual in (one for network in networks for one in sharing(network).found):
        whole, held = (None, {}) if isinstance(virtual, Chain) else (virtual.layer, virtual.parameters)
        yield from ((virtual.layer, part, whole, held) for part in lowered(virtual.layer))


def _openings(classes: Mapping[str, str], written: Sequence[Row]) -> Iterator[str]:
    """How what is looked for in a file begins there."""
    yield from (f"\nclass {name}(" for name in classes.values())
    for owner, function, prefix, *_ in written:
        yield from (f"\nclass {owner}(", f"\nclass {function}(", f"\ndef _{prefix}(")


def _imports(networks: Iterable[Network]) -> dict[str, str]:
    """The functions of other packages, by their import paths, and what they are called in the file."""
    programs = [network.program for network in networks if network.program is not None]
    paths = [tensor.map for program in programs for _, tensor in program.tensors if tensor.map is not None]
    found = dict.fromkeys(path for path in paths if "." in path)
    return {path: f"_imported_{number}" for number, path in enumerate(found, 1)}


def _import_line(path: str, name: str) -> str:
    module, _, function = path.rpartition(".")
    return f"from {module} import {function} as {name}"


def check_names(items: Iterable[Layer | Network]) -> None:
    """Raises: CatnnError (E1016) where two names in one file would be one class."""
    layers, networks = needed(items)
    class_names([*layers, *networks])


def proved_part(part: Lowered) -> Plan:
    """The plan of a part of a layer, proved, its ties too.  Raises: CatnnError (E1015), a defect of catnn."""
    if part.ties is not None:
        try:
            prove_ties(part.ties)
        except UnsoundPlanError as fault:
            raise _defect(str(fault)) from fault
    return proved_plan(part.layer)


def _prove_chain(chain: Chain) -> None:
    """Prove the structure constants of layers that run as one.  Raises: CatnnError (E1015), a defect of catnn."""
    for node in chain.top.nodes():
        try:
            prove_fused(node.found)
        except UnsoundPlanError as fault:
            raise _defect(str(fault)) from fault


def proved_plan(layer: Layer) -> Plan:
    """The plan of a layer, proved.  Raises: CatnnError (E1015) where the proof fails, which is a defect of catnn."""
    key = _value(layer)
    if key not in _PLANS:
        plan = plan_layer(layer)
        try:
            prove(plan, layer)
        except UnsoundPlanError as fault:
            raise _defect(str(fault)) from fault
        if len(_PLANS) >= MOST_PLANS:
            del _PLANS[next(iter(_PLANS))]
        _PLANS[key] = plan
    return _PLANS[key]


def _value(layer: Layer) -> object:
    """What a plan depends on: layers of any files that are equal in this are planned and proved once a process."""
    tables = [
        (pair.levels, pair.mean) if isinstance(pair, Basis) else tuple(pair) for row in layer.weighted for pair in row
    ]
    return layer.name, layer.source, layer.target, tuple(tables), layer.biases, layer.fixed_parts, layer.reduce


MOST_PLANS = 256
_PLANS: dict[object, Plan] = {}


def proved_dense(layer: Layer, part: Lowered) -> Dense | None:
    """The dense form of a layer, proved, where it has one.  Raises: CatnnError (E1015), a defect of catnn."""
    found = _dense(layer, part)
    if found is not None:
        try:
            prove_dense(found, layer)
        except UnsoundPlanError as fault:
            raise _defect(str(fault)) from fault
    return found


def _dense(layer: Layer, part: Lowered) -> Dense | None:
    return dense(layer) if part.layer is layer else None


def _defect(what: str) -> CatnnError:
    return fail("E1015", f"catnn itself has a fault: {what}", helps=("report it, with the spec",))


PARTS = (
    "parts.py", "kernels.py", "epsilons.py", "spectra.py", "symmetric.py", "ties.py", "program_parts.py",
    "fused_parts.py",
)  # fmt: skip
"""The files of this room whose functions are copied into generated files."""


@cache
def _sources() -> dict[str, tuple[str, frozenset[str]]]:
    """The text of every part, and the names that it mentions."""
    found = {}
    for file in PARTS:
        text = Path(__file__).with_name(file).read_text(encoding="utf-8")
        lines = text.splitlines()
        for node in ast.parse(text).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                assert node.name not in found, f"two parts are called {node.name}"
                segment = "\n".join(lines[node.lineno - 1 : node.end_lineno]) + "\n"
                found[node.name] = (segment, frozenset(n.id for n in ast.walk(node) if isinstance(n, ast.Name)))
    return found


def _parts(wanted: set[str]) -> list[str]:
    """The texts of the parts wanted and of those that they use, in the order in which they stand."""
    sources = _sources()
    pending, needed = list(wanted), set[str]()
    while pending:
        name = pending.pop()
        if name in sources and name not in needed:
            needed.add(name)
            pending.extend(sources[name][1])
    return [text for name, (text, _) in sources.items() if name in needed]
