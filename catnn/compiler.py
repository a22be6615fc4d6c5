"""From a meaning to a running module: `catnn.compile`, the last arrow, and the only one that imports torch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from catnn.diagnostics import fail
from catnn.emit import cache
from catnn.emit.classes import size_names
from catnn.emit.file import Generated, check_names, emit
from catnn.emit.members import network_sizes, spaces_of
from catnn.emit.writer import size_parameter
from catnn.model import Layer, Network, Spec

if TYPE_CHECKING:
    from types import ModuleType

    import torch

HINT = 16
"""The size that is assumed where nobody gave one."""

TARGETS, PLANNED = ("torch",), ("triton", "cuda")


def compile_item(
    item: Layer | Network,
    /,
    *,
    target: str = "torch",
    batch: int | None = None,
    device: Any = None,
    dtype: Any = None,
    generator: torch.Generator | None = None,
    **sizes: int,
) -> torch.nn.Module:
    """The torch module of a layer or network, its plan proved first.

    sizes: hints by name, for initialisation (16 without one); no limits, any size runs.
    batch: a hint for a cost model, without effect today; device, dtype: as in torch; generator: for initialisation,
    torch's own without one.
    Raises: CatnnError for a size that is unknown or contradicts a literal one, or a target that is not built.

    >>> import catnn
    >>> spec = catnn.parse("space V : S(n)  layer mix : V^2[3] -> V^2[16] = all + bias")
    >>> module = catnn.compile(spec["mix"], n=10)
    >>> module.weight.shape, module.bias.shape
    (torch.Size([15, 16, 3]), torch.Size([2, 16]))
    """
    check_target(target)
    if not isinstance(item, (Layer, Network)):
        raise fail(
            "E1008",
            f"{type(item).__name__} is no layer or network, so there is nothing to compile",
            helps=('give one of a spec: `catnn.compile(spec["mix"])`',),
        )
    if batch is not None and (type(batch) is not int or batch < 0):
        raise fail("E1003", f"batch={batch!r} is not a number of entries")
    names = item_sizes(item)
    check_sizes(item, names, sizes)
    generated, emitted = _generated(item)
    try:
        module = _loaded(generated)
    except Exception:
        if emitted:
            raise
        cache.forget(item)  # not what it seemed to be
        generated = _emitted(item)
        module = _loaded(generated)
    cls = getattr(module, generated.classes[item.name])
    hints = {size_parameter(name): sizes[name] for name in names if name in sizes}
    built: torch.nn.Module = cls(**hints, device=device, dtype=dtype, generator=generator)
    return built


def _loaded(generated: Generated) -> ModuleType:
    """The Python module of a file, with what this machine puts behind its layers."""
    from catnn.emit.load import load
    from catnn.native.attach import attach
    from catnn.native.fusing import attach_fused

    module = load(generated.text, generated.imports)
    attach(module, generated.layers)
    attach_fused(module, generated.layers)
    return module


def _generated(item: Layer | Network) -> tuple[Generated, bool]:
    """The source of an item, made once while the item lives or the cache has it; whether it was emitted just now."""
    if item in _GENERATED:
        return _GENERATED[item], True
    found = cache.recall(item, **_head(item))
    if found is None:
        return _emitted(item), True
    _GENERATED[item] = found
    return found, False


def _emitted(item: Layer | Network) -> Generated:
    _GENERATED[item] = emit([item], **_head(item))
    cache.keep(item, _GENERATED[item])
    return _GENERATED[item]


def _head(item: Layer | Network) -> dict[str, str]:
    """What the head of a file tells of where an item comes from."""
    source = item.span.source if item.span is not None else None
    return {"title": title(source.path if source else None), "spec": source.text if source else repr(item)}


_GENERATED: WeakKeyDictionary[Layer | Network, Generated] = WeakKeyDictionary()


def generate(spec: Spec) -> Generated:
    """The file that `catnn compile` writes: every layer and network of a spec.

    Raises: CatnnError (E1016) where two names would be one class.
    """
    items: list[Layer | Network] = [*spec.layers.values(), *spec.networks.values()]
    if not items:
        raise fail("E1008", f"{spec.path} defines no layer and no network, so there is nothing to compile")
    return emit(items, title=title(spec.path), spec=spec.text)


def check_classes(spec: Spec) -> None:
    """Raises: CatnnError (E1016) where the file that `catnn compile` writes would give one class two names."""
    check_names([*spec.layers.values(), *spec.networks.values()])


def title(path: str | None) -> str:
    """The first line of a generated file; of the path only what is harmless inside a docstring."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", PurePath(path).name) if path and path != "<text>" else ""
    return f"Equivariant layers, compiled by catnn from {name}." if name else "Equivariant layers, compiled by catnn."


def check_target(target: str) -> None:
    """Raises: CatnnError (E0909) for a target that is not built, or is none."""
    if target not in TARGETS:
        what = f"the target `{target}` is not built yet" if target in PLANNED else f"there is no target `{target}`"
        raise fail("E0909", what, notes=(f"the targets are: {', '.join(TARGETS)}",))


def item_sizes(item: Layer | Network) -> tuple[str, ...]:
    """The symbolic sizes of a layer or network."""
    return size_names(item) if isinstance(item, Layer) else network_sizes(item)


def check_sizes(item: Layer | Network, names: tuple[str, ...], sizes: Mapping[str, int]) -> None:
    """Raises: CatnnError (E1002, E1003) for a size that does not fit."""
    for name, value in sizes.items():
        if type(value) is not int or value < 1:
            raise fail("E1003", f"the size {name}={value!r} is not a positive integer")
        if name in names:
            continue
        literal = {wire.group.size for wire in spaces_of(item) if isinstance(wire.group.size, int)}
        if name == "n" and len(literal) == 1 and not names:
            if literal == {value}:
                continue
            raise fail("E1003", f"n={value} contradicts the literal size {literal.pop()} of `{item.name}`")
        known = ", ".join(names) or "none"
        raise fail("E1002", f"`{item.name}` has no size `{name}`; its sizes are: {known}")
