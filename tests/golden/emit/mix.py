"""Equivariant layers, compiled by catnn from mix.catnn.

Each layer is reduce, mix, expand: the halves of its diagrams are computed once each, one matrix product a level mixes
the channels, and the results are written where the diagrams say; comments give the pattern that a step computes.

catnn format: 1
spec sha256: ee5b699af5612d6647d8810a0f878d8aeeb54da62b03cfe95e97f9ffd90c6bdb
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

FORMAT = 1


class _Layer(nn.Module):
    """What layers share: shapes are checked, padding is masked, autocast is honoured, weights know their format.

    label: the name in messages.  inputs, outputs: ((spaces of the axes), channels) for each summand.
    space_sizes: the size of each space, a name or a number.
    """

    _version = FORMAT
    label: str
    inputs: tuple[tuple[tuple[str, ...], int], ...]
    outputs: tuple[tuple[tuple[str, ...], int], ...]
    space_sizes: dict[str, str | int]
    even: tuple[str, ...] = ()

    def __init__(self, sizes: dict[str, int]) -> None:
        super().__init__()
        self.sizes = sizes
        for name, size in sizes.items():
            if type(size) is not int or size < 1:
                raise ValueError(f"{self.label}: the size {name}={size!r} is not a positive integer")

    def forward(self, x, mask=None, sizes=None):
        """The layer on (*batch, axes, channels), or on a tuple of such; mask: bool (*batch, n), True = real.

        sizes: those by name that no axis of x tells (a network passes its own); else the ones given at construction.
        """
        xs = x if isinstance(x, (tuple, list)) else (x,)
        masks = _masks(self, mask)
        lengths = self.sizes | (sizes or {}) | _lengths(self, xs, masks)
        counts = {s: n if isinstance(n, int) else lengths[n] for s, n in self.space_sizes.items()}
        counts.update((space, real.sum(-1)) for space, real in masks.items())
        if masks:
            xs = tuple(_masked(v, [masks.get(s) for s in w]) for v, (w, _) in zip(xs, self.inputs, strict=True))
        device = xs[0].device.type
        if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
            dtype = torch.get_autocast_dtype(device)
            xs = tuple(v if v.dtype == torch.float64 else v.to(dtype) for v in xs)
            with torch.autocast(device, enabled=False):
                ys = self.compute(xs, lengths, counts)
        else:
            for parameter in self.parameters():
                if parameter.dtype != xs[0].dtype:
                    raise ValueError(f"{self.label}: expected {parameter.dtype} like its weights, got {xs[0].dtype}")
            ys = self.compute(xs, lengths, counts)
        if masks:
            ys = tuple(_masked(v, [masks.get(s) for s in w]) for v, (w, _) in zip(ys, self.outputs, strict=True))
        return ys if len(self.outputs) > 1 else ys[0]

    def compute(self, xs, lengths, counts):
        """The layer on checked tensors."""
        raise NotImplementedError

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *rest):
        version = local_metadata.get("version", FORMAT)
        if version != FORMAT:
            raise ValueError(f"{self.label}: these weights have format {version}, this module has format {FORMAT}")
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    def extra_repr(self) -> str:
        """The sizes given, for print(module)."""
        return ", ".join(f"{name}={size}" for name, size in self.sizes.items())


def _masks(layer, mask):
    """The masks by space, checked as far as they can be without the tensors; those of other spaces do not matter."""
    if mask is None:
        return {}
    spaces = tuple(layer.space_sizes)
    masks = mask if isinstance(mask, dict) else dict.fromkeys(spaces[:1], mask)
    if not isinstance(mask, dict) and len(spaces) > 1:
        raise ValueError(f"{layer.label}: several spaces ({', '.join(spaces)}): give the mask as a dict by space")
    for space, real in masks.items():
        if real.dtype != torch.bool:
            raise ValueError(f"{layer.label}: the mask of {space} is {real.dtype}, expected torch.bool, True = real")
    return {space: real for space, real in masks.items() if space in layer.space_sizes}


def _lengths(layer, xs, masks):
    """The sizes by name, after checking that inputs and masks have the shapes they should."""
    if len(xs) != len(layer.inputs):
        raise ValueError(f"{layer.label}: expected a tuple of {len(layer.inputs)} tensors, got {len(xs)}")
    found = {}
    batch = None
    for at, (x, (word, channels)) in enumerate(zip(xs, layer.inputs, strict=True)):
        shape = tuple(x.shape)
        start = len(shape) - len(word) - 1
        if start < 0:
            _wrong(layer, at, shape, f"at least {len(word) + 1} axes are needed")
        if shape[-1] != channels:
            _wrong(layer, at, shape, f"the last axis has {shape[-1]} channels")
        for axis, space in enumerate(word, start):
            size, length = layer.space_sizes[space], shape[axis]
            if isinstance(size, int) and length != size:
                _wrong(layer, at, shape, f"axis {axis} has length {length}, not {size}")
            if space in layer.even and length % 2:
                _wrong(layer, at, shape, f"axis {axis} has odd length {length}, a symplectic space has even dimension")
            first = found.setdefault(size, (at, axis, length))
            if length != first[2]:
                where = f"axes {first[1]} and {axis} differ"
                if first[0] != at:
                    where = f"axis {axis} differs from axis {first[1]} of input {first[0]}, which has length {first[2]}"
                _wrong(layer, at, shape, where)
        batch = shape[:start] if batch is None else batch
        if shape[:start] != batch:
            _wrong(layer, at, shape, f"the batch axes {shape[:start]} differ from {batch} of input 0")
    for space, real in masks.items():
        size = layer.space_sizes[space]
        known = found.setdefault(size, (-1, -1, real.shape[-1]))
        if tuple(real.shape) != (*(batch or ()), known[2]):
            expected = (*(batch or ()), known[2])
            raise ValueError(f"{layer.label}: the mask of {space} has shape {tuple(real.shape)}, expected {expected}")
    return {size: at[2] for size, at in found.items() if isinstance(size, str)}


def _wrong(layer, at, shape, why):
    """Say what was expected and what came."""
    word, channels = layer.inputs[at]
    expected = ", ".join(["*batch", *(str(layer.space_sizes[s]) for s in word), str(channels)])
    which = f" as input {at}" if len(layer.inputs) > 1 else ""
    raise ValueError(f"{layer.label}: expected ({expected}){which}, got {shape}: {why}")


def _masked(x: Tensor, masks: list[Tensor | None]) -> Tensor:
    """x with zeros where an axis is padding; masks: for each axis None or bool (*batch, n)."""
    keep = None
    for axis, real in enumerate(masks):
        if real is not None:
            after = (1,) * (len(masks) - axis)
            one = real.reshape(*real.shape[:-1], *(1,) * axis, real.shape[-1], *after)
            keep = one if keep is None else keep & one
    return x if keep is None else x.masked_fill(~keep, 0)


def _flat(x: Tensor) -> Tensor:
    """x as a matrix, its channels in the columns."""
    return x.reshape(-1, x.shape[-1])


def _normal(parameter: Tensor, variances: list, generator) -> None:
    """Fill a parameter (diagrams, out, in) with normal numbers, each diagram with its variance."""
    with torch.no_grad():
        nn.init.normal_(parameter, generator=generator)
        deviations = torch.tensor(variances, dtype=torch.float64).sqrt().to(parameter.device, parameter.dtype)
        parameter.mul_(deviations.view(-1, 1, 1))


def _save(ctx, inputs):
    """Keep the inputs of a Function for its derivatives: tensors the safe way, numbers as they are."""
    ctx.rest = tuple(None if isinstance(value, Tensor) else value for value in inputs)
    tensors = tuple(value if isinstance(value, Tensor) else None for value in inputs)
    ctx.save_for_backward(*tensors)
    ctx.save_for_forward(*tensors)


def _saved(ctx):
    """What `_save` kept."""
    return tuple(r if t is None else t for r, t in zip(ctx.rest, ctx.saved_tensors, strict=True))


def _derived():
    """Whether derivatives may be asked for, or one of torch.func's transforms runs (vmap has a rule of ours)."""
    return torch.is_grad_enabled() or torch._C._are_functorch_transforms_active()


def _vmap(apply, plain, xs, in_dims, args):
    """vmap of a layer: batched inputs are one more leading axis, anything else is vmap of the plain function.

    There all tensors are batched, for one that is not could not be added into in place.
    """
    if all(d is None for d in in_dims[xs:]) and all(d is not None for d in in_dims[:xs]):
        ys = apply(*(x.movedim(d, 0) for x, d in zip(args[:xs], in_dims[:xs], strict=True)), *args[xs:])
    else:
        pairs = list(zip(args, in_dims, strict=True))
        size = next(v.shape[d] for v, d in pairs if d is not None)
        args = [v.expand(size, *v.shape) if d is None and isinstance(v, Tensor) else v for v, d in pairs]
        ys = torch.vmap(plain, tuple((d or 0) if isinstance(v, Tensor) else None for v, d in pairs))(*args)
    return ys, tuple(0 for _ in ys)


def _mix_pack(weight):
    """The weights by product: (permutations, outputs, inputs), block matrices over the halves."""
    w0 = weight[0:4].view(2, 2, 1, 16, 3).permute(2, 0, 3, 1, 4).reshape(1, 32, 6)  # 1 x 2 x 2 blocks
    w1 = weight[4:13].view(3, 3, 1, 16, 3).permute(2, 0, 3, 1, 4).reshape(1, 48, 9)  # 1 x 3 x 3 blocks
    w2 = weight[13:15]                                          # 2 x 1 x 1 blocks
    return (w0, w1, w2)


def _mix_reduce(x):
    """Reduce: the halves of V^2, each from its cheapest parent."""
    x_2 = x.diagonal(dim1=-3, dim2=-2).movedim(-1, -2)          # [i i -> i]
    x_3 = x.sum(-3)                                             # [i j -> j]
    x_4 = x.sum(-2)                                             # [i j -> i]
    x_5 = x_2.sum(-2)                                           # [i i ->]
    x_6 = x_3.sum(-2)                                           # [i j ->]
    return (torch.cat((x_5, x_6), -1), torch.cat((x_2, x_4, x_3), -1))


def _mix_run(x, halves, w0, w1, w2, b, n):
    """Mix and expand."""
    r = halves[0]                                               # [i i ->], [i j ->]
    r_2 = halves[1]                                             # [i i -> i], [i j -> i], [i j -> j]
    z = linear(r, w0[0], b.reshape(-1))                         # [->]
    z_2 = linear(r_2, w1[0])                                    # [i -> i]
    y = z[..., 16:32]                                           # [-> i j]
    y_2 = z[..., 0:16]                                          # [-> i i]
    y_3 = z_2[..., 16:32]                                       # [i -> i j]
    y_4 = z_2[..., 32:48]                                       # [i -> j i]
    y_4 += y.unsqueeze(-2)
    y_5 = z_2[..., 0:16]                                        # [i -> i i]
    y_5 += y_2.unsqueeze(-2)
    y_6 = (y_4.unsqueeze(-3) + y_3.unsqueeze(-2)).expand((*x.shape[: -3], n, n, 16)).contiguous()  # [i j -> i j]
    y_6.view(-1, 16).addmm_(x.reshape(-1, x.shape[-1]), w2[0].T)  # [i j -> i j]
    y_6 += linear(x, w2[1]).transpose(-3, -2)                   # [i j -> j i]
    y_6.diagonal(dim1=-3, dim2=-2).movedim(-1, -2).add_(y_5)
    return (y_6,)


def _mix_run_back(g, halves, w0, w1, w2, n):
    """The gradient for the inputs: the diagrams upside down."""
    r = halves[0]                                               # [i i ->], [i j ->]
    r_2 = halves[1]                                             # [i i -> i], [i j -> i], [i j -> j]
    z = r @ w0[0]                                               # [->]
    z_2 = r_2 @ w1[0]                                           # [i -> i]
    y = z[..., 3:6]                                             # [-> i j]
    y_2 = z[..., 0:3]                                           # [-> i i]
    y_3 = z_2[..., 3:6]                                         # [i -> i j]
    y_4 = z_2[..., 6:9]                                         # [i -> j i]
    y_4 += y.unsqueeze(-2)
    y_5 = z_2[..., 0:3]                                         # [i -> i i]
    y_5 += y_2.unsqueeze(-2)
    y_6 = (y_4.unsqueeze(-3) + y_3.unsqueeze(-2)).expand((*g.shape[: -3], n, n, 3)).contiguous()  # [i j -> i j]
    y_6.view(-1, 3).addmm_(g.reshape(-1, g.shape[-1]), w2[0])   # [i j -> i j]
    y_6 += (g @ w2[1]).transpose(-3, -2)                        # [i j -> j i]
    y_6.diagonal(dim1=-3, dim2=-2).movedim(-1, -2).add_(y_5)
    return (y_6,)


def _mix_weights(x, g, halves, grads):
    """The gradients for the weights: at each level the product of the two reductions."""
    r = _flat(halves[0])
    w = (_flat(grads[0]).T @ r).unsqueeze(0)
    r_2 = _flat(halves[1])
    w_2 = (_flat(grads[1]).T @ r_2).unsqueeze(0)
    r_3 = _flat(x)
    w_3 = torch.stack((_flat(g).T @ r_3, _flat(g.transpose(-3, -2)).T @ r_3))
    b = _flat(grads[0]).sum(0).view(2, -1)
    return (w, w_2, w_3, b)


def _mix(x, w0, w1, w2, b, n):
    """mix : V^2[3] -> V^2[16], a plain differentiable function."""
    return _mix_run(x, _mix_reduce(x), w0, w1, w2, b, n)


class _Mix(torch.autograd.Function):
    """`_mix` with its gradient: every diagram upside down."""

    @staticmethod
    def forward(x, w0, w1, w2, b, n):
        return _mix(x, w0, w1, w2, b, n)

    @staticmethod
    def setup_context(ctx, inputs, output):
        _save(ctx, inputs)

    @staticmethod
    def backward(ctx, g):
        x, w0, w1, w2, b, n = _saved(ctx)
        grads = _mix_reduce(g)
        dx = (None,)
        if any(ctx.needs_input_grad[:1]):
            dx = _mix_run_back(g, grads, w0, w1, w2, n)
        dw = (None, None, None, None)
        if any(ctx.needs_input_grad[1:]):
            dw = _mix_weights(x, g, _mix_reduce(x), grads)
        return *dx, *dw, None

    @staticmethod
    def jvp(ctx, *tangents):
        x, w0, w1, w2, b, n = _saved(ctx)
        dx, dw0, dw1, dw2, db, _ = tangents
        moved = _mix(dx, w0, w1, w2, torch.zeros_like(b), n)
        mixed = _mix(x, dw0, dw1, dw2, db, n)
        return tuple(a + b for a, b in zip(moved, mixed))

    @staticmethod
    def vmap(info, in_dims, *args):
        return _vmap(_Mix.apply, _mix, 1, in_dims, args)


class Mix(_Layer):
    """mix : V^2[3] -> V^2[16], 15 diagrams and 2 for the bias; equivariant under S(n) on V."""

    label = "mix"
    inputs = ((("V", "V"), 3),)
    outputs = ((("V", "V"), 16),)
    space_sizes = {"V": "n"}

    def __init__(self, n=16, device=None, dtype=None, generator=None):
        super().__init__({"n": n})
        self.weight = nn.Parameter(torch.empty(15, 16, 3, device=device, dtype=dtype))
        self.bias = nn.Parameter(torch.empty(2, 16, device=device, dtype=dtype))
        self.reset_parameters(generator)

    def reset_parameters(self, generator=None):
        """Draw the weights anew: unit variance in and out, an equal share a diagram; biases are 0."""
        n = self.sizes["n"]
        norms = (n**2, n**3, n**4, n)  # the squared norm of each diagram's matrix, by kind
        kinds = (0, 1, 1, 2, 3, 0, 0, 0, 1, 1, 0, 1, 1, 0, 0)
        _normal(self.weight, [n**2 / 45 / norms[kind] for kind in kinds], generator)
        nn.init.zeros_(self.bias)

    def compute(self, xs, lengths, counts):
        """The layer on checked tensors."""
        args = (
            *xs,
            *_mix_pack(self.weight.to(xs[0].dtype)),
            self.bias.to(xs[0].dtype),
            lengths["n"],
        )
        if torch.compiler.is_compiling() or not _derived():
            return _mix(*args)
        return _Mix.apply(*args)
