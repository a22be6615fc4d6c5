"""More of the parts that generated files share (see `parts.py`): networks of named values.

Inside, every tensor has one batch axis, first; what has none in common with the others has length 1 there.
"""

import torch
from torch import Tensor, nn

from catnn.emit.kernels import _traced
from catnn.emit.parts import FORMAT, _counts, _lengths, _masks


class _Program(nn.Module):
    """What networks of named values share: their inputs are checked, their weights know their format.

    label: the name in messages.  inputs: ((spaces of the axes), channels) for each tensor.  space_sizes: the size of
    each space, a name or a number.  whole: why a space takes no mask.  counted: the spaces of each size in a scalar
    that more than one space has.  is_complex: whether tensors are complex.
    """

    _version = FORMAT
    label: str
    inputs: tuple[tuple[tuple[str, ...], int], ...]
    space_sizes: dict[str, str | int]
    whole: dict[str, str] = {}
    counted: dict[str, tuple[str, ...]] = {}
    even: tuple[str, ...] = ()
    is_complex = False
    _seen: tuple = (None, (), {}, False)

    def __init__(self, sizes: dict[str, int]) -> None:
        super().__init__()
        self.sizes = sizes
        for name, size in sizes.items():
            if type(size) is not int or size < 1:
                raise ValueError(f"{self.label}: the size {name}={size!r} is not a positive integer")

    def enter(self, xs, mask, sizes, counts):
        """The inputs with one batch axis, their batch axes, the masks by space, the sizes by name, and what they count.

        What was checked last time is not checked again (`_seen`), unless torch records what is done.
        """
        kinds = None
        unmasked = mask is None or (isinstance(mask, dict) and not mask)
        if unmasked and not (sizes or counts or _traced()):
            kinds = [(x.shape, x.dtype) if isinstance(x, Tensor) else None for x in xs]
            seen, batch, lengths, alike = self._seen
            if kinds == seen:
                return xs if alike else _one_batch(xs, self.inputs), batch, {}, lengths, lengths
        masks = _masks(self.label, mask, self.space_sizes, self.whole, len(self.inputs) > 1)
        pairs = list(zip(xs, self.inputs, strict=False))
        batches = [tuple(x.shape[: -len(word) - 1]) for x, (word, _) in pairs if isinstance(x, Tensor)]
        batch = next((found for found in batches if found), ())
        whole = tuple(
            x.expand(*batch, *x.shape) if isinstance(x, Tensor) and x.dim() == len(word) + 1 else x
            for x, (word, _) in pairs
        )
        lengths = self.sizes | (sizes or {}) | _lengths(self, whole, masks)
        device = xs[0].device.type if xs else "cpu"
        autocast = torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device)
        for parameter in self._parameters.values() if xs and not autocast else ():
            if parameter.dtype != xs[0].dtype:
                raise ValueError(f"{self.label}: expected {parameter.dtype} like its weights, got {xs[0].dtype}")
        if kinds is not None and not autocast:
            alike = len(batch) == 1 and all(found == batch for found in batches)
            self._seen = kinds, batch, lengths, alike  # at once, for other threads
        flat = _one_batch(xs, self.inputs)
        masks = {space: real.unsqueeze(0).flatten(0, -2) for space, real in masks.items()}
        told = {size: n.reshape(-1) if isinstance(n, Tensor) else n for size, n in (counts or {}).items()}
        counts = {**lengths, **told, **_counts(self.label, masks, self.space_sizes, self.counted)}
        if masks:
            flat = tuple(_kept(x, [masks.get(s) for s in word]) for x, (word, _) in zip(flat, self.inputs, strict=True))
        return flat, batch, masks, lengths, counts

    def _apply(self, fn, recurse=True):
        self._seen = (None, (), {}, False)  # the weights may get another dtype
        return super()._apply(fn, recurse)

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *rest):
        version = local_metadata.get("version", FORMAT)
        if version != FORMAT:
            raise ValueError(f"{self.label}: these weights have format {version}, this module has format {FORMAT}")
        self._seen = (None, (), {}, False)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    def extra_repr(self) -> str:
        """The sizes given, for print(module)."""
        return ", ".join(f"{name}={size}" for name, size in self.sizes.items())


def _one_batch(xs, inputs):
    """The inputs with one batch axis."""
    pairs = zip(xs, inputs, strict=True)
    return tuple(x.unsqueeze(0) if x.dim() == len(w) + 1 else x.flatten(0, -len(w) - 2) for x, (w, _) in pairs)


def _left(y: Tensor, batch) -> Tensor:
    """A result with the batch axes that the inputs had."""
    if not batch:
        return y.squeeze(0)
    if len(batch) == 1 and y.shape[0] == batch[0]:
        return y
    entries = 1
    for length in batch:
        entries = entries * length
    return y.expand(entries, *y.shape[1:]).reshape(*batch, *y.shape[1:])


def _added(x: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """x + left @ right for two matrices; in one pass where the batch of x is a single one."""
    if x.shape[0] != 1 or _traced() or torch.is_autocast_enabled(x.device.type):
        return x + left @ right
    return torch.addmm(x.squeeze(0), left, right).unsqueeze(0)


def _returned(label, y, shape):
    """What a function of another package gave: a tensor of the shape that the spec says."""
    if not isinstance(y, Tensor) or tuple(y.shape) != shape:
        got = tuple(y.shape) if isinstance(y, Tensor) else f"{y!r:.60}"
        raise ValueError(f"{label}: expected a tensor of the shape {shape}, got {got}")
    return y


def _all_entries(x: Tensor, batch) -> Tensor:
    """A tensor with one batch axis in full, for layers, which want it of all their inputs alike."""
    entries = 1
    for length in batch:
        entries = entries * length
    return x.expand(entries, *x.shape[1:])


def _kept(x: Tensor, masks: list) -> Tensor:
    """x with zeros where an axis is padding; masks: for each axis after the batch None or bool (batch, n)."""
    keep = None
    for axis, real in enumerate(masks, 1):
        if real is not None:
            one = real.reshape(real.shape[0], *(1,) * (axis - 1), real.shape[1], *(1,) * (x.dim() - axis - 1))
            keep = one if keep is None else keep & one
    return x if keep is None else x.masked_fill(~keep, 0)


def _real(x: Tensor, masks: dict, spaces: tuple):
    """Which entries of x are no padding along axes, as a tensor beside it, or None; spaces: (axis, space) pairs."""
    keep = None
    for axis, space in spaces:
        real = masks.get(space)
        if real is not None:
            one = real.reshape(real.shape[0], *(1,) * (axis - 1), real.shape[1], *(1,) * (x.dim() - axis - 1))
            keep = one if keep is None else keep & one
    return keep


def _softmax(x: Tensor, axes: tuple, real) -> Tensor:
    """exp(x) divided by its sum along axes; what is no real entry has no part in it."""
    if real is not None:
        x = x.masked_fill(~real, torch.finfo(x.dtype).min)
    if len(axes) == 1:
        return torch.softmax(x, axes[0])
    if axes[-1] - axes[0] == len(axes) - 1:
        return torch.softmax(x.flatten(axes[0], axes[-1]), axes[0]).reshape(x.shape)
    moved = x.movedim(axes, tuple(range(-len(axes), 0)))
    return torch.softmax(moved.flatten(-len(axes)), -1).reshape(moved.shape).movedim(tuple(range(-len(axes), 0)), axes)


def _axes_mean(x: Tensor, axes: tuple, real) -> Tensor:
    """The mean along axes of the real entries, x being 0 at the others."""
    if real is None:
        entries = 1
        for axis in axes:
            entries = entries * x.shape[axis]
        return x.sum(axes, keepdim=True) / max(entries, 1)
    shape = [x.shape[a] if a in axes else length for a, length in enumerate(real.shape)]
    mean: Tensor = x.sum(axes, keepdim=True) / real.expand(shape).sum(axes, keepdim=True).clamp(min=1)
    return mean


def _layer_norm(x: Tensor, axes: tuple, real) -> Tensor:
    """x minus its mean along axes, divided by the root of the variance + 1e-5."""
    centred = x - _axes_mean(x, axes, real)
    if real is not None:
        centred = centred.masked_fill(~real, 0)
    return centred * (_axes_mean(centred * centred, axes, real) + 1e-5).rsqrt()


def _rms_norm(x: Tensor, axes: tuple, real) -> Tensor:
    """x divided by the root of the mean of x^2 along axes + 1e-5."""
    return x * (_axes_mean(x * x, axes, real) + 1e-5).rsqrt()


def _drawn(parameter: Tensor, variance: float, generator) -> None:
    """Fill a parameter with normal numbers of a variance."""
    with torch.no_grad():
        nn.init.normal_(parameter, 0.0, variance**0.5, generator=generator)


def _levi_civita(n: int, device, dtype) -> Tensor:
    """The Levi-Civita tensor of n axes, as a sum over all permutations."""
    found = torch.zeros((n,) * n, dtype=torch.float64)
    rows: list = [((), 1)]
    for _ in range(n):
        rows = [
            ((*row, i), -sign if sum(j > i for j in row) % 2 else sign)
            for row, sign in rows
            for i in range(n)
            if i not in row
        ]
    for row, sign in rows:
        found[row] = sign
    return found.to(device, dtype or torch.get_default_dtype())


def _metric_matrix(p: int, q: int, device, dtype) -> Tensor:
    """The metric of O(p, q) as a matrix."""
    return (
        torch.tensor([1.0] * p + [-1.0] * q, dtype=torch.float64).diag().to(device, dtype or torch.get_default_dtype())
    )


def _omega(n: int, like: Tensor) -> Tensor:
    """The symplectic form as a matrix: 1 at (0, 1), -1 at (1, 0), and so on."""
    exchanged = torch.eye(n, device=like.device, dtype=like.dtype).unflatten(0, (-1, 2)).flip(1).flatten(0, 1)
    signs = 1 - 2 * (torch.arange(n, device=like.device) % 2)
    found: Tensor = exchanged * signs.to(like.dtype).unsqueeze(-1)
    return found
