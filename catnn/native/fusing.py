"""Whether layers one after the other run as one: by the rates of this machine, instead of the limits of the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from types import ModuleType
from typing import Any

from catnn.emit.file import Written
from catnn.native.attach import put
from catnn.native.build import library
from catnn.native.worth import known
from catnn.plan.chains import Comparison
from catnn.plan.cost import BATCH
from catnn.plan.plan import Plan
from catnn.plan.ways import Forms, forms_of, ways


def attach_fused(module: ModuleType, layers: Iterable[Written]) -> None:
    """Put the choice behind the layers of a loaded module that stand for several, once."""
    by_owner: dict[str, Written] = {}
    for layer in layers:
        by_owner.setdefault(layer.owner, layer)
    in_c = library() is not None
    for layer in by_owner.values():
        cls = getattr(module, layer.owner)
        if not layer.apart or vars(cls).get("pays") is not None:
            continue
        apart = [by_owner[owner] for owner in layer.apart]
        put(module, cls, "pays", pays_of(partial(_compared, layer, apart, library=in_c), layer.plan))


def _compared(layer: Written, apart: Sequence[Written], *, library: bool) -> Comparison:
    """The ways of a layer and of those that it stands for; looked for when a call asks, not when it is compiled."""
    each = [Forms((one.plan,), one.dense) if one.layer is None else forms_of(one.layer, (one.plan,)) for one in apart]
    found = tuple(forms.ways(library=library) for forms in each)
    return Comparison(found, ways(layer.plan, layer.dense, library=library), layer.combining)


def pays_of(compared: Callable[[], Comparison], plan: Plan) -> Callable[[Any, Any], bool]:
    """`_Fused.pays`, as it is predicted for a batch of the same order of magnitude."""
    comparison = cache(compared)
    axes = [
        (at, axis - len(word) - 1, wire.group.size)
        for at, word in enumerate(plan.source.words)
        for axis, wire in enumerate(word)
        if isinstance(wire.group.size, str)
    ]
    order = len(plan.source.words[0]) + 1
    told = {size for _, _, size in axes} | {BATCH}
    choices: dict[tuple[int, ...], bool] = {}

    def pays(_: Any, x: Any) -> bool:
        xs = x if isinstance(x, tuple) else (x,)
        entries = xs[0].shape[: xs[0].dim() - order].numel()
        key = (entries.bit_length(), *(xs[at].shape[axis] for at, axis, _ in axes))
        if key not in choices:
            sizes = {size: xs[at].shape[axis] for at, axis, size in axes}
            sizes[BATCH] = 1 << max(0, entries.bit_length() - 1)
            some = entries > 0 and all(sizes.values()) and comparison().names <= told
            choices[key] = some and comparison().pays(sizes, known())
        return choices[key]

    return pays
