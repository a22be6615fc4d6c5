"""Equivariant layers, compiled by catnn from stored.catnn.

Each layer is reduce, mix, expand: the halves of its diagrams are computed once each, one matrix product a level mixes
the channels, and the results are written where the diagrams say; comments give the pattern that a step computes.

catnn format: 1
spec sha256: 8ccd37876ba4f6bb9f994d35d2e225c99ccb2f6aa88eaaba27312c3088f0675e
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


def _by_space(masks, spaces):
    """The masks of these spaces in order, None where there is none."""
    return [masks.get(space) for space in spaces]


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


def _full(shape: tuple[int, ...], *pieces: Tensor) -> Tensor:
    """The sum of pieces that broadcast to a shape, in full, in memory of its own."""
    if len(pieces) == 1:
        return pieces[0].expand(shape).clone(memory_format=torch.contiguous_format)
    total = pieces[0] + pieces[1]
    for piece in pieces[2:]:
        total = total + piece
    return total.expand(shape).contiguous()


def _blocks(weight: Tensor, outputs: int, inputs: int) -> Tensor:
    """Weights (outputs * inputs * permutations, out, in) as a block matrix for each permutation.

    In memory they are its transpose, so that a product with what comes in reads them in order.
    """
    count, out, in_ = weight.shape
    permutations = count // (outputs * inputs)
    blocks = weight.view(outputs, inputs, permutations, out, in_).permute(2, 1, 4, 0, 3)
    return blocks.reshape(permutations, inputs * in_, outputs * out).transpose(1, 2)


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


def _plainly(*xs):
    """Whether to use differentiable steps on whole tensors; else (a CPU, no derivatives) in place, piece by piece."""
    return _traced() or xs[0].device.type != "cpu" or _derived(*xs)


def _sum(x: Tensor, dim: int) -> Tensor:
    """x.sum(dim), where dim < -2; in memory order that is a product with ones, several times faster on a CPU."""
    if _plainly(x) or not x.is_contiguous():
        return x.sum(dim)
    ones = x.new_ones(1, x.shape[dim])
    return (ones @ x.flatten(dim + 1)).reshape(*x.shape[:dim], *x.shape[dim + 1 :])


def _pieces(x: Tensor, axes: int, *others: Tensor):
    """x and others in slices of their flattened batch, small enough for the cache; axes: those behind the batch."""
    tensors = [v.unsqueeze(0).flatten(0, v.dim() - axes) for v in (x, *others)]
    step = max(1, CHUNK // max(1, tensors[0][0:1].numel() * x.element_size()))
    return [[v[start : start + step] for v in tensors] for start in range(0, tensors[0].shape[0], step)]


def _turned(x: Tensor, orders) -> Tensor:
    """Copies of x with its axes in these orders side by side in the channels, as a matrix."""
    turned = [x.permute(0, *(a + 1 for a in order), -1) for order in orders]
    return (turned[0] if len(turned) == 1 else torch.cat(turned, -1)).reshape(-1, len(turned) * x.shape[-1])


def _together(x: Tensor, orders) -> list:
    """The permutations in groups that share one product.

    With up to 16 channels a product is too narrow for the machine, and six side by side halve the time of a 4 -> 4
    layer; wider ones only pay for the copies.
    """
    size = 6 if len(orders[0]) > 2 and x.shape[-1] <= 16 else 1
    return [(start, start + size) for start in range(0, len(orders), size)]


def _products(y: Tensor | None, x: Tensor, w: Tensor, orders) -> Tensor:
    """y plus, for each s, x @ w[s] with its axes in the order orders[s]: output axis j is axis orders[s][j] of x.

    y: a fresh contiguous tensor, or None for zeros.
    """
    axes, wide = len(orders[0]), w.shape[-1]
    home = tuple(range(-axes - 1, -1))
    if _plainly(x, w, y):
        for order, matrix in zip(orders, w, strict=True):
            z = (x @ matrix).movedim(tuple(a - axes - 1 for a in order), home)
            y = z if y is None else y + z
        return z if y is None else y
    beta = 1
    if y is not None and not y.is_contiguous():
        y = y.contiguous()
    if y is None:
        beta, y = 0, x.new_empty(*x.shape[: -axes - 1], *(x.shape[a - axes - 1] for a in orders[0]), wide)
    if x.numel() * x.element_size() < CHUNK and len(orders) < 3:  # one piece, one group: without their overhead
        for order, matrix in zip(orders, w, strict=True):
            turned = x.movedim(tuple(a - axes - 1 for a in order), home).reshape(-1, x.shape[-1])
            y.view(-1, wide).addmm_(turned, matrix, beta=beta)
            beta = 1
        return y
    groups = [(orders[a:b], w[a:b].reshape(-1, wide)) for a, b in _together(x, orders)]
    for piece, out in _pieces(x, axes + 1, y):
        for at, (some, matrix) in enumerate(groups):
            out.view(-1, wide).addmm_(_turned(piece, some), matrix, beta=1 if at else beta)
    return y


class _Symmetric(_Layer):
    """A layer with symmetric powers, each of them one axis with the entries x_J, J nondecreasing, lexicographically.

    powers: for each input and for each output the power of every axis, 1 for one that is none.
    """

    powers: tuple[tuple[tuple[int, ...], ...], tuple[tuple[int, ...], ...]]

    def forward(self, x, mask=None, sizes=None, counts=None):
        """The layer on (*batch, axes, channels) or a tuple of such; mask: bool (*batch, n) of a space, not packed."""
        xs = x if isinstance(x, (tuple, list)) else (x,)
        if len(xs) == len(self.powers[0]):
            xs = tuple(
                _opened(self, at, v, powers) for at, (v, powers) in enumerate(zip(xs, self.powers[0], strict=True))
            )
        ys = super().forward(xs, mask, sizes, counts)
        ys = ys if isinstance(ys, tuple) else (ys,)
        ys = tuple(_closed(y, powers) for y, powers in zip(ys, self.powers[1], strict=True))
        return ys if len(ys) > 1 else ys[0]

    def shapes(self, side):
        """Those of the inputs (side 0) or outputs (side 1), in sizes by name, a symmetric power as one axis."""
        found = []
        for (word, channels), powers in zip((self.inputs, self.outputs)[side], self.powers[side], strict=True):
            axes, at = ["*batch"], 0
            for power in powers:
                size = self.space_sizes[word[at]]
                axes.append(f"{size}" if power == 1 else f"Sym^{power}({size})")
                at += power
            found.append(f"({', '.join([*axes, str(channels)])})")
        return found


def _multisets(n: int, power: int) -> int:
    """How many nondecreasing sequences of numbers below n there are: the length of the axis of a symmetric power."""
    found = 1
    for t in range(power):
        found = found * (n + t) // (t + 1)
    return found


def _side(length: int, power: int) -> int:
    """The size of the space whose symmetric power has an axis of this length; -1 where there is none."""
    for n in range(length + 1):
        if _multisets(n, power) >= length:
            return n if _multisets(n, power) == length else -1
    return -1


def _ranks(n: int, power: int, device) -> tuple[Tensor, Tensor]:
    """For every index (flat) of n^power entries: which entry x_J it is, and the flat index of J in order."""
    flat = torch.arange(n**power, device=device)
    digits = torch.stack([flat // n ** (power - 1 - a) % n for a in range(power)]).sort(0).values
    place, ordered = torch.zeros_like(flat) + (_multisets(n, power) - 1), torch.zeros_like(flat)
    for a in range(power):
        behind = torch.ones_like(flat)
        for t in range(power - a):
            behind = behind * (n - 1 - digits[a] + t) // (t + 1)
        place = place - behind
        ordered = ordered * n + digits[a]
    return place, ordered


def _opened(layer, at: int, x, powers: tuple[int, ...]):
    """x with n^power axes for each symmetric power: the symmetric tensor."""
    if not isinstance(x, Tensor) or x.dim() <= len(powers) or all(power == 1 for power in powers):
        return x
    after = x.dim() - len(powers) - 1
    for power in powers:
        if power > 1:
            n = _side(x.shape[after], power)
            if n < 0:
                which, length = f" of input {at}" if len(layer.inputs) > 1 else "", x.shape[after]
                below = next(n for n in range(1, length) if _multisets(n + 1, power) > length)
                near = ", ".join(f"n = {n} has {_multisets(n, power)}" for n in (below, below + 1))
                raise ValueError(
                    f"{layer.label}: an axis{which} has length {length}, which is that of no symmetric power "
                    f"of order {power}: {near} entries"
                )
            x = x.index_select(after, _ranks(n, power, x.device)[0]).unflatten(after, (n,) * power)
        after += power
    return x


def _closed(y: Tensor, powers: tuple[int, ...]) -> Tensor:
    """y with the axes of each symmetric power packed into one: the entries with nondecreasing indices."""
    axis = y.dim() - sum(powers) - 1
    for power in powers:
        if power > 1:
            n = y.shape[axis]
            place, ordered = _ranks(n, power, y.device)
            chosen = place.new_zeros(_multisets(n, power)).scatter(0, place, ordered)
            y = y.flatten(axis, axis + power - 1).index_select(axis, chosen)
        axis += 1
    return y


def _by_power(mask, spaces: tuple[str, ...], powers: tuple[int, ...]):
    """The masks of axes in order, None where there is none; of a symmetric power those of its entries."""
    masks = _by_space(mask, spaces)
    return [real if real is None or p == 1 else _symmetric_mask(real, p) for real, p in zip(masks, powers, strict=True)]


def _symmetric_mask(real: Tensor, power: int) -> Tensor:
    """Which entries of a symmetric power are real: those all of whose indices are."""
    every = real
    for _ in range(power - 1):
        every = every.unsqueeze(-1) & real.reshape(*real.shape[:-1], *(1,) * (every.dim() - real.dim() + 1), -1)
    return _closed(every.unsqueeze(-1), (power,)).flatten(-2)


def _fold_pack(weight):
    """The weights by product: (permutations, outputs, inputs), block matrices over the halves."""
    w0 = weight[0:1]                                            # 1 x 1 x 1 blocks
    w1 = weight[1:2]                                            # 1 x 1 x 1 blocks
    return (w0, w1)


def _fold_reduce(x):
    """Reduce: the halves of V, each from its cheapest parent."""
    x_2 = x.sum(-2)                                             # [i ->]
    return (x_2,)


def _fold_run(x, halves, w0, w1, b, n):
    """Mix and expand."""
    r = halves[0]                                               # [i ->]
    z = linear(r, w0[0], b.reshape(-1))                         # [->]
    y = _full((*x.shape[:-2], n, 12), 2 * x, z.unsqueeze(-2))   # [i -> i]
    y = _products(y, x, w1.transpose(1, 2), ((0,),))            # [i -> i]
    return (y,)


def _fold_run_back(g, halves, w0, w1, n):
    """The gradient for the inputs: the diagrams upside down."""
    r = halves[0]                                               # [i ->]
    z = r @ w0[0]                                               # [->]
    y = _full((*g.shape[:-2], n, 12), 2 * g, z.unsqueeze(-2))   # [i -> i]
    y = _products(y, g, w1, ((0,),))                            # [i -> i]
    return (y,)


def _fold_weights(x, g, halves, grads):
    """The gradients for the weights: at each level the product of the two reductions."""
    r = _flat(halves[0])
    w = (_flat(grads[0]).T @ r).unsqueeze(0)
    r_2 = _flat(x)
    w_2 = (_flat(g).T @ r_2).unsqueeze(0)
    b = _flat(grads[0]).sum(0).view(1, -1)
    return (w, w_2, b)


def _fold(x, w0, w1, b, n):
    """fold : V[12] -> V[12], a plain differentiable function."""
    return _fold_run(x, _fold_reduce(x), w0, w1, b, n)


class _Fold(torch.autograd.Function):
    """`_fold` with its gradient: every diagram upside down."""

    @staticmethod
    def forward(x, w0, w1, b, n):
        return _fold(x, w0, w1, b, n)

    @staticmethod
    def setup_context(ctx, inputs, output):
        _save(ctx, inputs)

    @staticmethod
    def backward(ctx, g):
        x, w0, w1, b, n = _saved(ctx)
        grads = _fold_reduce(g)
        dx = (None,)
        if any(ctx.needs_input_grad[:1]):
            dx = _fold_run_back(g, grads, w0, w1, n)
        if any(ctx.needs_input_grad[1:]):
            dw = _fold_weights(x, g, _fold_reduce(x), grads)
        else:
            dw = (None, None, None)
        return *dx, *dw, None

    @staticmethod
    def jvp(ctx, *tangents):
        x, w0, w1, b, n = _saved(ctx)
        dx, dw0, dw1, db, _ = tangents
        moved = _fold(*_alike(dx, w0, w1, torch.zeros_like(b)), n)
        mixed = _fold(*_alike(x, dw0, dw1, db), n)
        fixed = _fold(*_alike(x, torch.zeros_like(w0), torch.zeros_like(w1), torch.zeros_like(b)), n)
        return tuple(a + b - c for a, b, c in zip(moved, mixed, fixed))

    @staticmethod
    def vmap(info, in_dims, *args):
        return _vmap(_Fold.apply, _fold, 1, in_dims, args)


class Fold(_Layer):
    """fold : F @ V[2] -> V @ F[2], 2 diagrams and 1 for the bias; equivariant under S(n) on V."""

    label = "fold"
    inputs = ((("F", "V"), 2),)
    outputs = ((("V", "F"), 2),)
    space_sizes = {"F": 6, "V": "n"}
    whole = {"F": "it has no symmetry, so nothing is padded there"}

    def __init__(self, n=16, device=None, dtype=None, generator=None):
        super().__init__({"n": n})
        self.weight = nn.Parameter(torch.empty(2, 12, 12, device=device, dtype=dtype))
        self.bias = nn.Parameter(torch.empty(1, 12, device=device, dtype=dtype))
        self.reset_parameters(generator)

    def reset_parameters(self, generator=None):
        """Draw the weights anew: unit variance in and out, an equal share a diagram; biases are 0."""
        n = self.sizes["n"]
        _normal(self.weight, [1 / 24 * n**-1, 1 / 24], generator)
        nn.init.zeros_(self.bias)

    def compute(self, xs, lengths, counts):
        """The layer on checked tensors."""
        args = (
            xs[0].movedim((-3,), (-2,)).flatten(-2),
            *_fold_pack(self.weight.to(xs[0].dtype)),
            self.bias.to(xs[0].dtype),
            lengths["n"],
        )
        plain = _traced() or not _derived(*args)
        ys = _fold(*args) if plain else _Fold.apply(*args)
        return (ys[0].unflatten(-1, (6, 2)),)


def _outer_2_pack(weight):
    """The weights by product: (permutations, outputs, inputs), block matrices over the halves."""
    w0 = _blocks(weight[0:2], 2, 1)                             # 1 x 2 x 1 blocks
    w1 = torch.stack((torch.cat((weight[2], weight[3], weight[3]), 0),))  # 1 x 3 x 1 blocks
    return (w0, w1)


def _outer_2_reduce(x):
    """Reduce: the halves of V, each from its cheapest parent."""
    x_2 = x.sum(-2)                                             # [i ->]
    return (x_2,)


def _outer_2_reduce_back(g):
    """Reduce: the halves of V^2 of the gradient, each from its cheapest parent."""
    g_2 = g.diagonal(dim1=-3, dim2=-2).movedim(-1, -2)          # [i i -> i]
    g_3 = _sum(g, -3)                                           # [i j -> j]
    g_4 = g.sum(-2)                                             # [i j -> i]
    g_5 = g_2.sum(-2)                                           # [i i ->]
    g_6 = g_3.sum(-2)                                           # [i j ->]
    return (torch.cat((g_5, g_6), -1), torch.cat((g_2, g_4, g_3), -1))


def _outer_2_run(x, halves, w0, w1, b, n):
    """Mix and expand."""
    r = halves[0]                                               # [i ->]
    z = linear(r, w0[0], b.reshape(-1))                         # [->]
    z_2 = linear(x, w1[0])                                      # [i -> i]
    y = z[..., 3:6]                                             # [-> i j]
    y_2 = z[..., 0:3]                                           # [-> i i]
    y_3 = z_2[..., 3:6]                                         # [i -> i j]
    y_4 = z_2[..., 6:9]                                         # [i -> j i]
    y_4 += y.unsqueeze(-2)
    y_5 = z_2[..., 0:3]                                         # [i -> i i]
    y_5 += y_2.unsqueeze(-2)
    y_6 = _full((*x.shape[:-2], n, n, 3), y_4.unsqueeze(-3), y_3.unsqueeze(-2))  # [i j -> i j]
    y_6.diagonal(dim1=-3, dim2=-2).movedim(-1, -2).add_(y_5)
    return (y_6,)


def _outer_2_run_back(g, halves, w0, w1, n):
    """The gradient for the inputs: the diagrams upside down."""
    r = halves[0]                                               # [i i ->], [i j ->]
    r_2 = halves[1]                                             # [i i -> i], [i j -> i], [i j -> j]
    z = r @ w0[0]                                               # [->]
    y = _full((*g.shape[:-3], n, 12), z.unsqueeze(-2))          # [i -> i]
    y = _products(y, r_2, w1, ((0,),))                          # [i -> i]
    return (y,)


def _outer_2_weights(x, g, halves, grads):
    """The gradients for the weights: at each level the product of the two reductions."""
    r = _flat(halves[0])
    w = (_flat(grads[0]).T @ r).unsqueeze(0)
    r_2 = _flat(x)
    w_2 = (_flat(grads[1]).T @ r_2).unsqueeze(0)
    b = _flat(grads[0]).sum(0).view(2, -1)
    return (w, w_2, b)


def _outer_2(x, w0, w1, b, n):
    """outer : V[12] -> V^2[3], a plain differentiable function."""
    return _outer_2_run(x, _outer_2_reduce(x), w0, w1, b, n)


class _Outer(torch.autograd.Function):
    """`_outer_2` with its gradient: every diagram upside down."""

    @staticmethod
    def forward(x, w0, w1, b, n):
        return _outer_2(x, w0, w1, b, n)

    @staticmethod
    def setup_context(ctx, inputs, output):
        _save(ctx, inputs)

    @staticmethod
    def backward(ctx, g):
        x, w0, w1, b, n = _saved(ctx)
        grads = _outer_2_reduce_back(g)
        dx = (None,)
        if any(ctx.needs_input_grad[:1]):
            dx = _outer_2_run_back(g, grads, w0, w1, n)
        if any(ctx.needs_input_grad[1:]):
            dw = _outer_2_weights(x, g, _outer_2_reduce(x), grads)
        else:
            dw = (None, None, None)
        return *dx, *dw, None

    @staticmethod
    def jvp(ctx, *tangents):
        x, w0, w1, b, n = _saved(ctx)
        dx, dw0, dw1, db, _ = tangents
        moved = _outer_2(*_alike(dx, w0, w1, torch.zeros_like(b)), n)
        mixed = _outer_2(*_alike(x, dw0, dw1, db), n)
        return tuple(a + b for a, b in zip(moved, mixed))

    @staticmethod
    def vmap(info, in_dims, *args):
        return _vmap(_Outer.apply, _outer_2, 1, in_dims, args)


class Outer(_Symmetric):
    """outer : V @ F[2] -> Sym^2(V)[3], 4 diagrams and 2 for the bias; equivariant under S(n) on V."""

    label = "outer"
    inputs = ((("V", "F"), 2),)
    outputs = ((("V", "V"), 3),)
    space_sizes = {"V": "n", "F": 6}
    whole = {"F": "it has no symmetry, so nothing is padded there"}
    powers = (((1, 1),), ((2,),))

    def __init__(self, n=16, device=None, dtype=None, generator=None):
        super().__init__({"n": n})
        self.weight = nn.Parameter(torch.empty(4, 3, 12, device=device, dtype=dtype))
        self.bias = nn.Parameter(torch.empty(2, 3, device=device, dtype=dtype))
        self.reset_parameters(generator)

    def reset_parameters(self, generator=None):
        """Draw the weights anew: unit variance in and out, an equal share a diagram; biases are 0."""
        n = self.sizes["n"]
        _normal(self.weight, [1 / 48, 1 / 48 * n**-1, 1 / 48 * n, (1 / 48 * n**2) / (2 * n + 2 * n**2)], generator)
        nn.init.zeros_(self.bias)

    def compute(self, xs, lengths, counts):
        """The layer on checked tensors."""
        args = (
            xs[0].flatten(-2),
            *_outer_2_pack(self.weight.to(xs[0].dtype)),
            self.bias.to(xs[0].dtype),
            lengths["n"],
        )
        plain = _traced() or not _derived(*args)
        ys = _outer_2(*args) if plain else _Outer.apply(*args)
        return (ys[0],)


def _inner_pack(weight):
    """The weights by product: (permutations, outputs, inputs), block matrices over the halves."""
    w0 = torch.stack((torch.cat((weight[1], weight[0]), 1),))   # 1 x 1 x 2 blocks
    return (w0,)


def _inner_reduce(x):
    """Reduce: the halves of V^3, each from its cheapest parent."""
    x_2 = x.diagonal(dim1=-4, dim2=-3).movedim(-1, -3)          # [i i j -> i j]
    x_3 = _sum(x_2, -3)                                         # [i i j -> j]
    x_4 = x.sum((-4, -3))                                       # [i j k -> k]
    return (torch.cat((x_3, x_4), -1),)


def _inner_run(x, halves, w0):
    """Mix and expand."""
    r = halves[0]                                               # [i i j -> j], [i j k -> k]
    y = linear(r, w0[0])                                        # [i -> i]
    return (y,)


def _inner_run_back(g, w0, n):
    """The gradient for the inputs: the diagrams upside down."""
    z = g @ w0[0]                                               # [i -> i]
    y = z[..., 3:6]                                             # [i -> j k i]
    y_2 = z[..., 0:3]                                           # [i -> j j i]
    y_3 = y_2.unsqueeze(-3)                                     # [i j -> i i j]
    y_4 = _full((*g.shape[:-2], n, n, n, 3), y.unsqueeze(-3).unsqueeze(-4))  # [i j k -> i j k]
    y_4.diagonal(dim1=-4, dim2=-3).movedim(-1, -3).add_(y_3)
    return (y_4,)


def _inner_weights(x, g, halves):
    """The gradients for the weights: at each level the product of the two reductions."""
    r = _flat(halves[0])
    w = (_flat(g).T @ r).unsqueeze(0)
    return (w,)


def _inner(x, w0, n):
    """inner : V^3[3] -> V[2], a plain differentiable function."""
    return _inner_run(x, _inner_reduce(x), w0)


class _Inner(torch.autograd.Function):
    """`_inner` with its gradient: every diagram upside down."""

    @staticmethod
    def forward(x, w0, n):
        return _inner(x, w0, n)

    @staticmethod
    def setup_context(ctx, inputs, output):
        _save(ctx, inputs)

    @staticmethod
    def backward(ctx, g):
        x, w0, n = _saved(ctx)
        dx = (None,)
        if any(ctx.needs_input_grad[:1]):
            dx = _inner_run_back(g, w0, n)
        if any(ctx.needs_input_grad[1:]):
            dw = _inner_weights(x, g, _inner_reduce(x))
        else:
            dw = (None,)
        return *dx, *dw, None

    @staticmethod
    def jvp(ctx, *tangents):
        x, w0, n = _saved(ctx)
        dx, dw0, _ = tangents
        moved = _inner(*_alike(dx, w0), n)
        mixed = _inner(*_alike(x, dw0), n)
        return tuple(a + b for a, b in zip(moved, mixed))

    @staticmethod
    def vmap(info, in_dims, *args):
        return _vmap(_Inner.apply, _inner, 1, in_dims, args)


class Inner(_Symmetric):
    """inner : Sym^2(V) @ V[3] -> V[2], 2 diagrams; equivariant under S(n) on V."""

    label = "inner"
    inputs = ((("V", "V", "V"), 3),)
    outputs = ((("V",), 2),)
    space_sizes = {"V": "n"}
    powers = (((2, 1),), ((1,),))

    def __init__(self, n=16, device=None, dtype=None, generator=None):
        super().__init__({"n": n})
        self.weight = nn.Parameter(torch.empty(2, 2, 3, device=device, dtype=dtype))
        self.register_parameter("bias", None)
        self.reset_parameters(generator)

    def reset_parameters(self, generator=None):
        """Draw the weights anew: unit variance in and out, an equal share a diagram; biases are 0."""
        n = self.sizes["n"]
        _normal(self.weight, [1 / 6 * n**-2, 1 / 6 * n**-1], generator)

    def compute(self, xs, lengths, counts):
        """The layer on checked tensors."""
        args = (
            *xs,
            *_inner_pack(self.weight.to(xs[0].dtype)),
            lengths["n"],
        )
        if _traced() or not _derived(*args):
            return _inner(*args)
        return _Inner.apply(*args)


class Round(nn.Module):
    """round : F @ V[2] -> Sym^2(V)[3]."""

    def __init__(self, n=16, device=None, dtype=None, generator=None):
        super().__init__()
        self.sizes = {"n": n}
        self.fold = Fold(n=n, device=device, dtype=dtype, generator=generator)
        self.outer = Outer(n=n, device=device, dtype=dtype, generator=generator)

    def reset_parameters(self, generator=None):
        """Draw all weights anew."""
        self.fold.reset_parameters(generator)
        self.outer.reset_parameters(generator)

    def forward(self, x, mask=None):
        """(*batch, 6, n, 2) -> (*batch, Sym^2(n), 3); mask: bool (*batch, n), True = real."""
        masks = _masks("round", mask, {"F": 6, "V": "n"}, {"F": "it has no symmetry, so nothing is padded there"})
        x_2 = self.fold(x, masks)                       # V @ F[2]
        x_3 = self.outer(x_2, masks)                    # Sym^2(V)[3]
        x_4 = _masked(torch.exp(x_3), _by_power(masks, ("V",), (2,)))  # exp
        return x_4
