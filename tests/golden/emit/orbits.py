"""Equivariant layers, compiled by catnn from orbits.catnn.

Each layer is reduce, mix, expand: the halves of its diagrams are computed once each, one matrix product a level mixes
the channels, and the results are written where the diagrams say; comments give the pattern that a step computes.

catnn format: 1
spec sha256: a30a463c62aa3fd4241d284199c6eab96b7b2c24549520fb5dcd302477734258
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

FORMAT = 1
CHUNK = 2**19  # bytes that are worked on at a time, so that they stay in the cache


class _Layer(nn.Module):
    """What layers share: shapes are checked, padding is masked, autocast is honoured, weights know their format.

    label: the name in messages.  inputs, outputs: ((spaces of the axes), channels) for each summand.
    space_sizes: the size of each space, a name or a number.  is_complex: whether tensors and weights are complex.
    whole: why a space takes no mask.  counted: the spaces of each size in a scalar that more than one space has.
    limit: up to so many multiply-adds one matrix is the fastest way, where there is that way.
    """

    _version = FORMAT
    label: str
    inputs: tuple[tuple[tuple[str, ...], int], ...]
    outputs: tuple[tuple[tuple[str, ...], int], ...]
    space_sizes: dict[str, str | int]
    whole: dict[str, str] = {}
    counted: dict[str, tuple[str, ...]] = {}
    even: tuple[str, ...] = ()
    is_complex = False
    limit = 0

    def __init__(self, sizes: dict[str, int]) -> None:
        super().__init__()
        self.sizes = sizes
        for name, size in sizes.items():
            if type(size) is not int or size < 1:
                raise ValueError(f"{self.label}: the size {name}={size!r} is not a positive integer")

    def forward(self, x, mask=None, sizes=None, counts=None):
        """The layer on (*batch, axes, channels), or on a tuple of such; mask: bool (*batch, n), True = real.

        sizes: those by name that no axis of x tells (a network passes its own); else the ones given at construction.
        counts: what scalars take for those of them that no space of the layer has: numbers, or with masks one an entry.
        """
        xs = x if isinstance(x, (tuple, list)) else (x,)
        masks = _masks(self.label, mask, self.space_sizes, self.whole, len(self.inputs) > 1)
        lengths = self.sizes | (sizes or {}) | _lengths(self, xs, masks)
        for size, count in (counts or {}).items():
            if all(size != own for _, own in self.space_sizes.items()):
                lengths[size] = count
        if self.counted:
            _counts(self.label, masks, self.space_sizes, self.counted)
        counts = {s: n if isinstance(n, int) else lengths[n] for s, n in self.space_sizes.items()}
        counts.update((space, real.sum(-1)) for space, real in masks.items())
        if masks:
            xs = tuple(_masked(v, [masks.get(s) for s in w]) for v, (w, _) in zip(xs, self.inputs, strict=True))
        device = xs[0].device.type
        if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
            dtype = torch.get_autocast_dtype(device)
            xs = tuple(v if v.dtype == torch.float64 or v.is_complex() else v.to(dtype) for v in xs)
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

    def few(self, work, counts, *_):
        """Whether to compute by one matrix: so many multiply-adds are few, and no mask counts anything."""
        return 0 < work < self.limit and all(isinstance(count, int) for count in counts.values())

    def compute(self, xs, lengths, counts):
        """The layer on checked tensors."""
        raise NotImplementedError

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *rest):
        version = local_metadata.get("version", FORMAT)
        if version != FORMAT:
            raise ValueError(f"{self.label}: these weights have format {version}, this module has format {FORMAT}")
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    def extra_repr(self) -> str:
        """The shapes, and the sizes given, for print(module)."""
        shapes = f"{' + '.join(self.shapes(0))} -> {' + '.join(self.shapes(1))}"
        return ", ".join([shapes, *(f"{name}={size}" for name, size in self.sizes.items())])

    def shapes(self, side):
        """Those of the inputs (side 0) or outputs (side 1), in sizes by name."""
        return [_shape(self, *one) for one in (self.inputs, self.outputs)[side]]


def _masks(label, mask, space_sizes, whole, several=False):
    """The masks by space, checked as far as they can be without the tensors.

    whole: why a space takes none; several: whether the input is a tuple.
    """
    if mask is None:
        return {}
    spaces = [space for space in space_sizes if space not in whole]
    if not isinstance(mask, dict):
        if len(spaces) > 1:
            raise ValueError(f"{label}: several spaces ({', '.join(spaces)}): give the mask as a dict by space")
        if not space_sizes:
            raise ValueError(f"{label}: there is no space to mask")
        mask = dict.fromkeys(spaces or space_sizes, mask)
    for space, real in mask.items():
        if space in whole:
            raise ValueError(f"{label}: {space} takes no mask: {whole[space]}")
        if space not in space_sizes:
            known = ", ".join(spaces) or "none"
            raise ValueError(f"{label}: there is no space {space!r} to mask; the spaces that take a mask: {known}")
        kind = real.dtype if isinstance(real, Tensor) else f"{real!r:.60}"
        if kind != torch.bool:
            hint = "; a direct sum is one argument, a tuple" if several else ""
            raise ValueError(f"{label}: the mask of {space} is {kind}, expected torch.bool, True = real{hint}")
    return dict(mask)


def _counts(label, masks, space_sizes, counted):
    """How many indices are real in each entry, by the names of sizes: in a scalar, a size is one number for an entry.

    counted: the spaces of each size in a scalar that more than one space has.
    """
    for size, spaces in counted.items():
        first = masks.get(spaces[0])
        for real in [masks.get(space) for space in spaces[1:]]:
            both = first is not None and real is not None and not _traced()
            if real is not first and not (both and torch.equal(real.sum(-1), first.sum(-1))):
                raise ValueError(
                    f"{label}: a scalar has the size {size}, which is that of {', '.join(spaces)}: give them one "
                    "mask, or masks that count the same in each entry, or sizes with names of their own"
                )
    return {space_sizes[space]: real.sum(-1) for space, real in masks.items()}


def _lengths(layer, xs, masks):
    """The sizes by name, after checking that inputs and masks have the shapes they should."""
    if len(xs) != len(layer.inputs):
        wanted = f"a tuple of {len(layer.inputs)} tensors" if len(layer.inputs) > 1 else "one tensor"
        raise ValueError(f"{layer.label}: expected {wanted}, got {len(xs)}")
    found = {}
    batch = None
    for at, (x, (word, channels)) in enumerate(zip(xs, layer.inputs, strict=True)):
        if not isinstance(x, Tensor):
            raise ValueError(f"{layer.label}: expected a tensor as input {at}, got {x!r:.60}")
        if layer.is_complex and not x.is_complex():
            which = f" as input {at}" if len(xs) > 1 else ""
            raise ValueError(
                f"{layer.label}: expected a complex tensor{which}, got {x.dtype}: "
                "beside a space of U(n) all layers are complex"
            )
        shape = tuple(x.shape)
        start = len(shape) - len(word) - 1
        if start < 0:
            missing = "; is the channel axis missing? try x.unsqueeze(-1)" if start == -1 and channels == 1 else ""
            _wrong(layer, at, shape, f"at least {len(word) + 1} axes are needed{missing}")
        if shape[-1] != channels:
            missing = "; is the channel axis missing? try x.unsqueeze(-1)" if channels == 1 else ""
            _wrong(layer, at, shape, f"the last axis has {shape[-1]} channels{missing}")
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
    which = f" as input {at}" if len(layer.inputs) > 1 else ""
    raise ValueError(f"{layer.label}: expected {_shape(layer, word, channels)}{which}, got {shape}: {why}")


def _shape(layer, word, channels):
    """The shape of a summand, in sizes by name."""
    return f"({', '.join(['*batch', *(str(layer.space_sizes[s]) for s in word), str(channels)])})"


def _masked(x: Tensor, masks: list[Tensor | None]) -> Tensor:
    """x with zeros where an axis is padding; masks: for each axis None or bool (*batch, n)."""
    keep = None
    for axis, real in enumerate(masks):
        if real is not None:
            after = (1,) * (len(masks) - axis)
            one = real.reshape(*real.shape[:-1], *(1,) * axis, real.shape[-1], *after)
            keep = one if keep is None else keep & one
    return x if keep is None else x.masked_fill(~keep, 0)


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


def _alike(*tensors):
    """The tensors, all batched where a transform has batched one: else that could not be added into the others."""
    if not _wrapped(*tensors):
        return tensors
    zero = sum(x[:0].sum() for x in tensors)
    return tuple(x + zero for x in tensors)


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


def _flat(x: Tensor) -> Tensor:
    """x as a matrix, its channels in the columns."""
    return x.reshape(-1, x.shape[-1])


def _traced():
    """Whether operations are recorded, by torch.compile, torch.export or torch.jit.trace, to run another time."""
    return torch.compiler.is_compiling() or torch.jit.is_tracing()


def _wrapped(*values):
    """Whether a tensor belongs to a transform of torch.func or to batched gradients: it has no memory to point to."""
    try:
        for value in values:
            if isinstance(value, Tensor):
                value.data_ptr()
    except RuntimeError:
        return True
    return False


def _derived(*values):
    """Whether derivatives may be asked for, or a tensor belongs to a transform (vmap has a rule of ours)."""
    return torch.is_grad_enabled() or _wrapped(*values)


def _orbits(spaces, moves, count, device):
    """The number of the orbit of every tuple of points, by least tuples: one for each entry of the tensor, flat.

    spaces: of the axes; moves: for each space the number of its points and the permutations that generate its group.
    """
    total = 1
    for space in spaces:
        total *= moves[space][0]
    place = torch.arange(total)
    images = []
    for moved, (_, generators) in moves.items():
        for generator in generators:
            image, stride = torch.zeros_like(place), total
            for space in spaces:
                stride //= moves[space][0]
                at = place // stride % moves[space][0]
                image += (torch.tensor(generator)[at] if space == moved else at) * stride
            images += [image]
    least, numbers = _least(place, images).unique(return_inverse=True)
    if len(least) != count:
        raise ValueError(f"{len(least)} orbits were found, not {count}")
    return numbers.to(device)


def _least(label, images):
    """The least place of every orbit: labels go along the images, both ways, until none changes."""
    found = label
    for image in images:
        found = torch.minimum(found, found[image])
        found = found.scatter_reduce(0, image, found, "amin")
    found = found[found]
    return label if torch.equal(found, label) else _least(found, images)


def _tied(weight: Tensor, orbits: Tensor, shape, scale=None, spread=None, fixed=None):
    """Weights (orbits, out, in) as (diagrams, indices * out, indices * in): each entry has the weight of its orbit.

    shape: (diagrams of the other spaces, orbits, indices of the output, of the input).
    scale: a factor for each weight; spread: the matrix from weights to orbits; fixed: what is added on equal channels.
    """
    diagrams, count, outs, ins = shape
    if scale is not None:
        weight = scale.to(weight.dtype).view(-1, 1, 1) * weight
    if spread is not None:
        weight = (spread.to(weight.dtype) @ weight.flatten(1)).unflatten(-1, weight.shape[1:])
    missing = diagrams * count - weight.shape[0]
    if missing:
        weight = torch.cat((weight, weight.new_zeros(missing, *weight.shape[1:])))
    if fixed is not None:
        same = torch.eye(weight.shape[1], dtype=weight.dtype, device=weight.device)
        weight = weight + fixed.to(weight.dtype).view(-1, 1, 1) * same
    full = weight.unflatten(0, (diagrams, count)).index_select(1, orbits).unflatten(1, (outs, ins))
    return full.transpose(2, 3).flatten(3, 4).flatten(1, 2)


def _bond_pack(weight):
    """The weights by product: (permutations, outputs, inputs), block matrices over the halves."""
    w0 = weight[0:1]                                            # 1 x 1 x 1 blocks
    return (w0,)


def _bond_run(x, w0):
    """Mix and expand."""
    y = linear(x, w0[0])                                        # [i -> i]
    return (y,)


def _bond_run_back(g, w0):
    """The gradient for the inputs: the diagrams upside down."""
    y = g @ w0[0]                                               # [i -> i]
    return (y,)


def _bond_weights(x, g):
    """The gradients for the weights: at each level the product of the two reductions."""
    r = _flat(x)
    w = (_flat(g).T @ r).unsqueeze(0)
    return (w,)


def _bond(x, w0):
    """bond : R[8] -> R[12], a plain differentiable function."""
    return _bond_run(x, w0)


class _Bond(torch.autograd.Function):
    """`_bond` with its gradient: every diagram upside down."""

    @staticmethod
    def forward(x, w0):
        return _bond(x, w0)

    @staticmethod
    def setup_context(ctx, inputs, output):
        _save(ctx, inputs)

    @staticmethod
    def backward(ctx, g):
        x, w0 = _saved(ctx)
        dx = (None,)
        if any(ctx.needs_input_grad[:1]):
            dx = _bond_run_back(g, w0)
        if any(ctx.needs_input_grad[1:]):
            dw = _bond_weights(x, g)
        else:
            dw = (None,)
        return *dx, *dw

    @staticmethod
    def jvp(ctx, *tangents):
        x, w0 = _saved(ctx)
        dx, dw0 = tangents
        moved = _bond(*_alike(dx, w0))
        mixed = _bond(*_alike(x, dw0))
        return tuple(a + b for a, b in zip(moved, mixed))

    @staticmethod
    def vmap(info, in_dims, *args):
        return _vmap(_Bond.apply, _bond, 1, in_dims, args)


_BOND_MOVES = {
    "V": (4, (
        (2, 1, 0, 3),
        (0, 3, 2, 1),
        (1, 0, 3, 2),
    )),
}


class Bond(_Layer):
    """bond : V @ R[2] -> V @ R[3], 3 diagrams; equivariant under Aut(4, 0-1 0-3 1-2 2-3) on V x O(n) on R."""

    label = "bond"
    inputs = ((("V", "R"), 2),)
    outputs = ((("V", "R"), 3),)
    space_sizes = {"V": 4, "R": "n"}
    whole = {
        "V": "its size is 4 in every entry; give it a size that is a name",
        "R": "O(n) mixes the indices, so none of them is padding",
    }

    def __init__(self, n=16, device=None, dtype=None, generator=None):
        super().__init__({"n": n})
        self.weight = nn.Parameter(torch.empty(3, 3, 2, device=device, dtype=dtype))
        self.register_parameter("bias", None)
        orbits0 = _orbits(("V", "V"), _BOND_MOVES, 3, device)
        self.register_buffer("orbits0", orbits0, persistent=False)
        self.reset_parameters(generator)

    def reset_parameters(self, generator=None):
        """Draw the weights anew: unit variance in and out, an equal share a diagram; biases are 0."""
        variances = (1 / 6, 1 / 12)
        kinds = (0, 1, 0)
        _normal(self.weight, [variances[kind] for kind in kinds], generator)

    def compute(self, xs, lengths, counts):
        """The layer on checked tensors."""
        weight = _tied(self.weight.to(xs[0].dtype), self.orbits0, (1, 3, 4, 4))
        args = (
            xs[0].movedim((-3,), (-2,)).flatten(-2),
            *_bond_pack(weight),
        )
        plain = _traced() or not _derived(*args)
        ys = _bond(*args) if plain else _Bond.apply(*args)
        return (ys[0].unflatten(-1, (4, 3)).movedim((-2,), (-3,)),)
