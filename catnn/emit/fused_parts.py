"""More of the parts that generated files share (see `parts.py`): layers one after the other that are computed as one.

Their weights are combined anew at each call, so that gradients reach them and nothing made of them outlives it.
"""

import torch
from torch import Tensor

from catnn.emit.kernels import _wide, _wrapped
from catnn.emit.parts import _as_made, _Together


class _Fused(_Together):
    """Layers one after the other, computed as one, for inputs of `least` numbers or more, and fewer than `most`."""

    least = 1
    most: int | None = None

    def pays(self, x):
        """Whether that is the faster way for this input."""
        numbers = (x[0] if isinstance(x, tuple) else x).numel()
        return numbers >= self.least and (self.most is None or numbers < self.most)


def _fuses(whole, x, masks, *parts):
    """Whether to compute by a `_Fused`: no mask counts anything, its modules are these as they were made, it pays."""
    return not masks and _as_made(whole, *parts) and _fits(whole, x) and whole.pays(x)


def _fits(whole, x):
    """Whether these are tensors that have axes enough; what is wrong with others, the first of its modules says."""
    xs = x if isinstance(x, tuple) else (x,)
    return len(xs) == len(whole.inputs) and all(
        isinstance(value, Tensor) and value.dim() > len(word) for value, (word, _) in zip(xs, whole.inputs, strict=True)
    )


def _structure(known, at, places, kinds, factors, shape, like):
    """Structure constants (diagrams of the whole, of the later layer, of the earlier), made once a size.

    known: those made before, by their number `at`; places: where they are not 0; kinds: for each which of the factors
    it is; like: a tensor of the dtype and on the device wanted.
    """
    dtype = _wide(like.dtype)
    key = ("structure", at, factors, dtype, like.device)
    if key in known:
        return known[key]
    entries = [0.0] * (shape[0] * shape[1] * shape[2])
    for place, kind in zip(places, kinds, strict=True):
        entries[place] = float(factors[kind])
    with torch.inference_mode(False):
        found = torch.tensor(entries, dtype=dtype, device=like.device).view(shape)
    if type(found) is Tensor and not _wrapped(found):  # else it belongs to a mode or transform, and is gone with it
        if len(known) >= 64:
            known.clear()
        known[key] = found
    return found


def _combined(constants: Tensor, later: Tensor, earlier: Tensor) -> Tensor:
    """The sum of constants[d, b, a] later[b] @ earlier[a] for each d; in the order of fewer multiply-adds."""
    rows, upper, lower = constants.shape
    later, earlier = later.to(constants.dtype), earlier.to(constants.dtype)
    out, middle, in_ = later.shape[1], later.shape[2], earlier.shape[2]
    block = out * in_
    pairs = upper * lower * block * (middle + 1 + rows)
    spread = rows * upper * middle * (lower * in_ + in_ + block)
    if pairs <= spread:
        products = later.reshape(-1, middle) @ earlier.transpose(0, 1).reshape(middle, -1)
        each = products.view(upper, out, lower, in_).transpose(1, 2).reshape(upper * lower, block)
        return (constants.view(rows, -1) @ each).view(rows, out, in_)
    each = (constants.view(-1, lower) @ earlier.flatten(1)).view(rows, upper * middle, in_)
    return later.transpose(0, 1).reshape(out, -1).expand(rows, out, upper * middle) @ each


def _taken(constants: Tensor, weight: Tensor) -> Tensor:
    """The sum of constants[d, b] weight[b] for each d: what meets a fixed diagram."""
    found: Tensor = constants.flatten(1) @ weight.to(constants.dtype).flatten(1)
    return found.view(-1, *weight.shape[1:])
