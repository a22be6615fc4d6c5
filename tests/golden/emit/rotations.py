"""Equivariant layers, compiled by catnn from rotations.catnn.

Each layer is reduce, mix, expand: the halves of its diagrams are computed once each, one matrix product a level mixes
the channels, and the results are written where the diagrams say; comments give the pattern that a step computes.

catnn format: 1
spec sha256: 3fd674127f897054aa85d64162dc36e34670a2abe82180db00f80875be3a31d0
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


def _plainly(*xs):
    """Whether to use differentiable steps on whole tensors; else (a CPU, no derivatives) in place, piece by piece."""
    return _traced() or xs[0].device.type != "cpu" or _derived(*xs)


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


def _products_back(y: Tensor | None, g: Tensor, w: Tensor, orders, x: Tensor | None):
    """`_products`, and the gradient of w where y is that of x: both read the same permuted copies of g.

    The gradient is None where x is None, or where derivatives of derivatives may be asked for.
    """
    if x is None or _plainly(g, w, y, x):
        return _products(y, g, w, orders), None
    axes, wide = len(orders[0]), w.shape[-1]
    beta = 1
    if y is not None and not y.is_contiguous():
        y = y.contiguous()
    if y is None:
        beta, y = 0, torch.empty_like(x, memory_format=torch.contiguous_format)
    groups = _together(g, orders)
    dw = [w.new_zeros(wide, w[a:b].shape[0] * w.shape[1]) for a, b in groups]
    for piece, out, rows in _pieces(g, axes + 1, y, x):
        flat = rows.reshape(-1, wide)
        for at, (a, b) in enumerate(groups):
            turned = _turned(piece, orders[a:b])
            out.view(-1, wide).addmm_(turned, w[a:b].reshape(-1, wide), beta=1 if at else beta)
            dw[at].addmm_(flat.T, turned)
    return y, torch.cat(dw, 1).T.reshape(w.shape)


def _outer(x: Tensor, g: Tensor, orders) -> Tensor:
    """The gradient of w in `_products`, x and g whole: for each order, g with its axes in it times x."""
    axes = len(orders[0])
    home = tuple(range(-axes - 1, -1))
    turned = [g.movedim(tuple(a - axes - 1 for a in order), home).reshape(-1, g.shape[-1]) for order in orders]
    return torch.stack([rows.T @ x.reshape(-1, x.shape[-1]) for rows in turned])


def _entries(known, at, letters, factors, lengths, like):
    """The matrices of diagrams as columns, made once a size: 1 where the indices with one letter are equal.

    known: those made before, by their number `at`; letters: of the axes of each diagram, outputs first; factors: of
    each diagram, or None; lengths: of the axes; like: a tensor of the dtype and on the device wanted.
    """
    key = (at, lengths, like.dtype, like.device)
    if key in known:
        return known[key]
    columns = []
    with torch.inference_mode(False):
        for word in letters:
            column = torch.ones(lengths, dtype=like.dtype, device=like.device)
            for b, letter in enumerate(word):
                a = min(a for a, other in enumerate(word) if other == letter)
                if a < b:
                    same = torch.eye(lengths[b], dtype=like.dtype, device=like.device)
                    column = column * same.view(*(n if axis in (a, b) else 1 for axis, n in enumerate(lengths)))
            columns.append(column.flatten())
        found = torch.stack(columns, 1)
        if factors is not None:
            found = found * torch.tensor(factors, dtype=like.dtype, device=like.device)
    if type(found) is Tensor and not _wrapped(found):  # else it belongs to a mode or transform, and is gone with it
        known[key] = found
    return found


def _summed(entries: Tensor, weight: Tensor, rows: int) -> Tensor:
    """The sum of weight times diagram, as a matrix (rows * channels, columns * channels)."""
    table = (entries @ weight.flatten(1)).view(rows, -1, *weight.shape[1:])
    return table.transpose(1, 2).reshape(rows * weight.shape[1], -1)


def _turn_pack(weight):
    """The weights by product: (permutations, outputs, inputs), block matrices over the halves."""
    w0 = weight[0:1]                                            # 1 x 1 x 1 blocks
    w1 = weight[1:3]                                            # 2 x 1 x 1 blocks
    return (w0, w1)


def _turn_reduce(x):
    """Reduce: the halves of R^2, each from its cheapest parent."""
    x_2 = x.diagonal(dim1=-3, dim2=-2).sum(-1)                  # [i i ->]
    return (x_2,)


def _turn_run(x, halves, w0, w1, b):
    """Mix and expand."""
    r = halves[0]                                               # [i i ->]
    z = linear(r, w0[0], b.reshape(-1))                         # [->]
    y = _products(None, x, w1.transpose(1, 2), ((0, 1), (1, 0)))  # [i j -> i j], [i j -> j i]
    y.diagonal(dim1=-3, dim2=-2).add_(z.unsqueeze(-1))
    return (y,)


def _turn_run_back(g, halves, w0, w1, x):
    """The gradient for the inputs: the diagrams upside down."""
    r = halves[0]                                               # [i i ->]
    z = r @ w0[0]                                               # [->]
    y, shared = _products_back(None, g, w1, ((0, 1), (1, 0)), x)  # [i j -> i j], [i j -> j i]
    y.diagonal(dim1=-3, dim2=-2).add_(z.unsqueeze(-1))
    return (y,), (shared,)


def _turn_weights(x, g, halves, grads, shared):
    """The gradients for the weights: at each level the product of the two reductions."""
    r = _flat(halves[0])
    w = (_flat(grads[0]).T @ r).unsqueeze(0)
    w_2 = _outer(x, g, ((0, 1), (1, 0))) if shared is None else shared
    b = _flat(grads[0]).sum(0).view(1, -1)
    return (w, w_2, b)


def _turn(x, w0, w1, b):
    """turn : R^2[3] -> R^2[4], a plain differentiable function."""
    return _turn_run(x, _turn_reduce(x), w0, w1, b)


class _Turn(torch.autograd.Function):
    """`_turn` with its gradient: every diagram upside down."""

    @staticmethod
    def forward(x, w0, w1, b):
        return _turn(x, w0, w1, b)

    @staticmethod
    def setup_context(ctx, inputs, output):
        _save(ctx, inputs)

    @staticmethod
    def backward(ctx, g):
        x, w0, w1, b = _saved(ctx)
        grads = _turn_reduce(g)
        dx, shared = (None,), (None,)
        if any(ctx.needs_input_grad[:1]):
            dx, shared = _turn_run_back(g, grads, w0, w1, x if any(ctx.needs_input_grad[1:]) else None)
        if any(ctx.needs_input_grad[1:]):
            dw = _turn_weights(x, g, _turn_reduce(x), grads, *shared)
        else:
            dw = (None, None, None)
        return *dx, *dw

    @staticmethod
    def jvp(ctx, *tangents):
        x, w0, w1, b = _saved(ctx)
        dx, dw0, dw1, db = tangents
        moved = _turn(*_alike(dx, w0, w1, torch.zeros_like(b)))
        mixed = _turn(*_alike(x, dw0, dw1, db))
        return tuple(a + b for a, b in zip(moved, mixed))

    @staticmethod
    def vmap(info, in_dims, *args):
        return _vmap(_Turn.apply, _turn, 1, in_dims, args)


TURN_DIAGRAMS = ("iijj", "ijij", "ijji")
TURN_INVARIANTS = ("ii",)


def _turn_dense(known, x, weight, b, n):
    """turn as one matrix a pair of summands, the weights summed into it: for few numbers."""
    w0 = _summed(_entries(known, 0, TURN_DIAGRAMS, None, (n, n, n, n), weight), weight, n**2)
    z0 = (_entries(known, 1, TURN_INVARIANTS, None, (n, n), b) @ b).flatten()
    return (linear(x.flatten(-3), w0, z0).unflatten(-1, (n, n, 4)),)


class Turn(_Layer):
    """turn : R^2[3] -> R^2[4], 3 diagrams and 1 for the bias; equivariant under O(n) on R."""

    label = "turn"
    inputs = ((("R", "R"), 3),)
    outputs = ((("R", "R"), 4),)
    space_sizes = {"R": "n"}
    whole = {"R": "O(n) mixes the indices, so none of them is padding"}
    limit = 190_000

    def __init__(self, n=16, device=None, dtype=None, generator=None):
        super().__init__({"n": n})
        self.known = {}
        self.weight = nn.Parameter(torch.empty(3, 4, 3, device=device, dtype=dtype))
        self.bias = nn.Parameter(torch.empty(1, 4, device=device, dtype=dtype))
        self.reset_parameters(generator)

    def reset_parameters(self, generator=None):
        """Draw the weights anew: unit variance in and out, an equal share a diagram; biases are 0."""
        _normal(self.weight, [1 / 9] * 3, generator)
        nn.init.zeros_(self.bias)

    def compute(self, xs, lengths, counts):
        """The layer on checked tensors."""
        if not _traced():
            n = lengths["n"]
            work = 36 * n**4 + 12 * n**4 * xs[0].shape[:-3].numel()
            if self.few(work, counts, xs, lengths):
                return _turn_dense(self.known, *xs, self.weight.to(xs[0].dtype), self.bias.to(xs[0].dtype), n)
        args = (
            *xs,
            *_turn_pack(self.weight.to(xs[0].dtype)),
            self.bias.to(xs[0].dtype),
        )
        if _traced() or not _derived(*args):
            return _turn(*args)
        return _Turn.apply(*args)
