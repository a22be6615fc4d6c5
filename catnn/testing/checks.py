"""The checks of `catnn test`: each takes a layer or network and a seed, and says what it tried, or raises.

Raises: Mismatch where the module is wrong, Skip where the check says nothing.
"""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.gradcheck import GradcheckError

from catnn.compiler import item_sizes
from catnn.model import Layer, Network
from catnn.testing import Mismatch, Skip
from catnn.testing.action import act, random_elements
from catnn.testing.dense import definition
from catnn.testing.masks import masking
from catnn.testing.samples import BATCHES, Sizes, Tensors, assignments, call, inputs, module_of, shape, wires

TOLERANCE = 1e-9
Check = Callable[[Any, int], str]


def shown(sizes: Sizes) -> str:
    """Sizes for people.

    >>> shown({"n": 3}), shown({})
    ('n=3', 'the literal sizes')
    """
    return ", ".join(f"{name}={size}" for name, size in sizes.items()) or "the literal sizes"


def compare(found: Tensors, wanted: Tensors, where: str, scale: float = 1.0) -> None:
    """Equal up to rounding; scale: how large the numbers on the way were.  Raises: Mismatch."""
    for at, (a, b) in enumerate(zip(found, wanted, strict=True)):
        which = f"output {at}, " if len(wanted) > 1 else ""
        if a.shape != b.shape:
            raise Mismatch(f"{which}{where}: shape {tuple(a.shape)}, expected {tuple(b.shape)}")
        if not a.numel():
            continue
        error, size = float((a - b).abs().max()), max(scale, float(b.abs().max()))
        if not error <= TOLERANCE * size:
            raise Mismatch(f"{which}{where}: off by {error:.2g}, of numbers up to {size:.2g}")


def _sizes(item: Layer | Network, **options: Any) -> list[dict[str, int]]:
    found = assignments(item, **options)
    if not found:
        what = "its dense matrices are" if options.get("dense") else "it is"
        raise Skip(f"{what} too large at every size that is tried")
    return found


def _tried(sizes: list[dict[str, int]]) -> str:
    if sizes == [{}]:
        return shown({})
    if len(sizes[0]) == 1:
        (name,) = sizes[0]
        return f"{name} = {', '.join(str(value[name]) for value in sorted(sizes, key=lambda s: s[name]))}"
    return "; ".join(shown(one) for one in sizes)


def dense_match(layer: Layer, seed: int = 0) -> str:
    """The module is the sum of weight times dense matrix, at several sizes and batch shapes."""
    tried = _sizes(layer, dense=True)
    for sizes in tried:
        module = module_of(layer, sizes, seed)
        for batch in BATCHES:
            xs = inputs(layer, sizes, batch, seed + 1)
            with torch.no_grad():
                compare(call(module, xs), definition(layer, module, xs, sizes), f"{shown(sizes)}, batch {batch}")
    return f"{_tried(tried)}; batch {', '.join(map(str, BATCHES))}"


def equivariance(item: Layer | Network, seed: int = 0) -> str:
    """Acting on the input acts on the output, for random elements of every group."""
    spaces = wires(item)
    groups = dict.fromkeys(str(wire.group) for wire in spaces if not wire.plain)
    if not groups:
        raise Skip("no space with a symmetry, so no group acts")
    tried = _sizes(item)
    for at, sizes in enumerate(tried):
        module = module_of(item, sizes, seed)
        elements = random_elements(spaces, sizes, seed + at)
        xs = inputs(item, sizes, (2,), seed + 1)
        moved = act(elements, xs, item.source)
        with torch.no_grad():
            ys = call(module, xs)
            wanted = act(elements, ys, item.target)
            scale = max(float(t.abs().max()) for t in (*moved, *ys) if t.numel())
            compare(call(module, moved), wanted, shown(sizes), 10 * scale)
    return f"{_tried(tried)}; a random element of {', '.join(groups)}"


def gradients(item: Layer | Network, seed: int = 0) -> str:
    """The gradients of inputs and weights are those of finite differences, without and with a mask."""
    sizes = _sizes(item, most=2_000_000)[0]
    module = module_of(item, sizes, seed)
    names = [name for name, _ in module.named_parameters()]
    xs = inputs(item, sizes, (2,), seed + 1)

    def function(*values: Tensor, **options: Any) -> Tensors:
        weights = dict(zip(names, values[len(xs) :], strict=True))
        return call(
            lambda x, **more: torch.func.functional_call(module, weights, (x,), more), values[: len(xs)], **options
        )

    values = [x.detach().requires_grad_() for x in (*xs, *module.parameters())]
    masks = masking(item, sizes, (2,), seed)
    for options in [{}, *([{"mask": masks.argument}] if masks else [])]:
        try:
            torch.autograd.gradcheck(lambda *v, o=options: function(*v, **o), values, fast_mode=True)
        except GradcheckError as error:
            where = f"{shown(sizes)}{', with a mask' if options else ''}"
            raise Mismatch(f"{where}: {' '.join(str(error).split())[:200]}") from None
    parts = f"{len(xs)} input{'s' * (len(xs) > 1)}, {len(names)} parameter{'s' * (len(names) != 1)}"
    return f"{shown(sizes)}; {parts}{', also with a mask' if masks else ''}"


def export(item: Layer | Network, seed: int = 0) -> str:
    """torch.export with every size and the batch dynamic; the exported program runs at other sizes, too."""
    # torch takes 1 for a constant, also one pair of a symplectic basis, and infers more from small examples.
    found = [sizes for sizes in _sizes(item, at_least=2) if not _has_one(item, sizes)]
    if not found:
        raise Skip("torch takes an axis of length 1 for a constant")
    found.sort(key=_smallest, reverse=True)
    first, other = found[0], found[-1]
    module = module_of(item, first, seed).eval()
    xs = inputs(item, first, (2,), seed)
    still = _packed(item)
    shapes = tuple(_dynamic(summand, still) for summand in item.source.summands)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        argument: Any = xs if len(xs) > 1 else xs[0]
        program = torch.export.export(
            module, (argument,), dynamic_shapes=(shapes if len(xs) > 1 else shapes[0],), strict=False
        ).module()
    for sizes, batch in ((first, 2), (other, 3)):
        if sizes != first and (_needs_hints(item) or still):
            continue  # no axis has this length, so it is a constant of the module
        again = inputs(item, sizes, (batch,), seed + 2)
        with torch.no_grad():
            compare(call(program, again), call(module, again), f"{shown(sizes)}, batch ({batch},)")
    where = "the size is that of the example" if still else f"ran at {shown(other)}"
    return f"exported at {shown(first)}, {where}, batch dynamic"


def _smallest(sizes: Sizes) -> int:
    return min(sizes.values(), default=0)


def _dynamic(summand: Any, still: frozenset[str]) -> dict[int, Any]:
    axes = {0: torch.export.Dim.DYNAMIC}
    for axis, (wire, _) in enumerate(summand.axes, 1):
        if isinstance(wire.group.size, str) and wire.group.size not in still:
            axes[axis] = torch.export.Dim.DYNAMIC
    return axes


def _packed(item: Layer | Network) -> frozenset[str]:
    """The sizes of symmetric powers: the length of such an axis tells n only while the graph is made."""
    sides = [side for layer in (item.layers if isinstance(item, Network) else (item,))
             for side in (layer.source, layer.target)]  # fmt: skip
    summands = [summand for side in (*sides, item.source, item.target) for summand in side.summands]
    packed = (str(wire.group.size) for summand in summands for wire, power in summand.axes if power > 1)
    return frozenset(packed)


def _has_one(item: Layer | Network, sizes: Sizes) -> bool:
    return any(1 in shape(summand, sizes)[:-1] for summand in item.source.summands)


def _needs_hints(item: Layer | Network) -> bool:
    """Whether a size is not that of any axis of the input."""
    axes = {wire.group.size for summand in item.source.summands for wire, power in summand.axes if power == 1}
    return bool(set(item_sizes(item)) - axes)


def mask(item: Layer | Network, seed: int = 0) -> str:
    """A padded entry gives what it gives alone; its outputs are 0 in the padding."""
    sizes = max(_sizes(item, most=2_000_000, at_least=2), key=_smallest)
    masks = masking(item, sizes, (3,), seed)
    if masks is None:
        raise Skip("no space takes a mask: sizes are numbers, or the group mixes indices")
    module = module_of(item, sizes, seed)
    xs = inputs(item, sizes, (3,), seed + 1)
    with torch.no_grad():
        ys = call(module, xs, mask=masks.argument)
        for entry in range(3):
            alone = module_of(item, {**sizes, **masks.counts(entry)}, seed)
            wanted = call(alone, masks.cut(entry, xs, item.source))
            where = f"entry of size {shown(masks.counts(entry))} padded to {shown(sizes)}"
            compare(masks.cut(entry, ys, item.target), wanted, where)
            compare(
                masks.padding(entry, ys, item.target),
                tuple(torch.zeros_like(y[entry]) for y in ys),
                f"{where}: padding",
            )
    return f"sizes {masks} padded to {shown(sizes)}"


def copies(item: Layer | Network, seed: int = 0) -> str:
    """Pickled, copied and reloaded modules compute the same."""
    sizes = _sizes(item, most=2_000_000)[0]
    module = module_of(item, sizes, seed)
    xs = inputs(item, sizes, (2,), seed + 1)
    fresh = module_of(item, sizes, seed + 7)
    fresh.load_state_dict(module.state_dict())
    others = {"pickle": pickle.loads(pickle.dumps(module)), "deepcopy": copy.deepcopy(module), "state_dict": fresh}
    with torch.no_grad():
        for how, other in others.items():
            compare(call(other, xs), call(module, xs), how)
    return ", ".join(others)


NETWORK_CHECKS: dict[str, Check] = {
    "equivariance": equivariance,
    "gradients": gradients,
    "mask": mask,
    "export": export,
    "copies": copies,
}
LAYER_CHECKS: dict[str, Check] = {"dense match": dense_match, **NETWORK_CHECKS}
