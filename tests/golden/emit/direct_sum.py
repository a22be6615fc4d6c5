"""Equivariant layers, compiled by catnn from direct_sum.catnn.

Each layer is reduce, mix, expand: the halves of its diagrams are computed once each, one matrix product a level mixes
the channels, and the results are written where the diagrams say; comments give the pattern that a step computes.

catnn format: 1
spec sha256: bc47d87e992c9f3f5697168680044d95c3e2bf08517448053d385add92d716b6
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


def _split_pack(weight_0_0, weight_0_1, weight_1_0, weight_1_1):
    """The weights by product: (permutations, outputs, inputs), block matrices over the halves."""
    w0 = torch.cat((_blocks(weight_0_0[0:4], 2, 2), _blocks(weight_0_1[0:2], 2, 1)), 2)  # 1 x 2 x 3 blocks
    w1 = torch.cat((_blocks(weight_1_0[0:2], 1, 2), weight_1_1[0:1]), 2)  # 1 x 1 x 3 blocks
    w2 = torch.cat((_blocks(weight_0_0[4:13], 3, 3), _blocks(weight_0_1[2:5], 3, 1)), 2)  # 1 x 3 x 4 blocks
    w3 = weight_0_0[13:15]                                      # 2 x 1 x 1 blocks
    return (w0, w1, w2, w3)


def _split_reduce(x0, x1):
    """Reduce: the halves of V^2 + V, each from its cheapest parent."""
    x0_2 = x0.diagonal(dim1=-3, dim2=-2).movedim(-1, -2)        # [i i -> i]
    x0_3 = _sum(x0, -3)                                         # [i j -> j]
    x0_4 = x0.sum(-2)                                           # [i j -> i]
    x0_5 = x0_2.sum(-2)                                         # [i i ->]
    x0_6 = x0_3.sum(-2)                                         # [i j ->]
    x1_2 = x1.sum(-2)                                           # [i ->]
    return (torch.cat((x0_5, x0_6, x1_2), -1), torch.cat((x0_2, x0_4, x0_3, x1), -1))


def _split_reduce_back(g0, g1):
    """Reduce: the halves of V^2 + 1 of the gradient, each from its cheapest parent."""
    g0_2 = g0.diagonal(dim1=-3, dim2=-2).movedim(-1, -2)        # [i i -> i]
    g0_3 = _sum(g0, -3)                                         # [i j -> j]
    g0_4 = g0.sum(-2)                                           # [i j -> i]
    g0_5 = g0_2.sum(-2)                                         # [i i ->]
    g0_6 = g0_3.sum(-2)                                         # [i j ->]
    return (torch.cat((g0_5, g0_6), -1), torch.cat((g0_2, g0_4, g0_3), -1))


def _split_run(x0, x1, halves, w0, w1, w2, w3, b0, b1, n):
    """Mix and expand."""
    r = halves[0]                                               # [i i ->], [i j ->], [i ->]
    r_2 = halves[1]                                             # [i i -> i], [i j -> i], [i j -> j], [i -> i]
    z = linear(r, w0[0], b0.reshape(-1))                        # [->]
    z_2 = linear(r_2, w2[0])                                    # [i -> i]
    y0 = z[..., 4:8]                                            # [-> i j]
    y0_2 = z[..., 0:4]                                          # [-> i i]
    y0_3 = z_2[..., 4:8]                                        # [i -> i j]
    y0_4 = z_2[..., 8:12]                                       # [i -> j i]
    y0_4 += y0.unsqueeze(-2)
    y0_5 = z_2[..., 0:4]                                        # [i -> i i]
    y0_5 += y0_2.unsqueeze(-2)
    y0_6 = _full((*x0.shape[:-3], n, n, 4), y0_4.unsqueeze(-3), y0_3.unsqueeze(-2))  # [i j -> i j]
    y0_6 = _products(y0_6, x0, w3.transpose(1, 2), ((0, 1), (1, 0)))  # [i j -> i j], [i j -> j i]
    y0_6.diagonal(dim1=-3, dim2=-2).movedim(-1, -2).add_(y0_5)
    y1 = linear(r, w1[0], b1[0])                                # [->]
    return (y0_6, y1)


def _split_run_back(g0, g1, halves, w0, w1, w2, w3, x0, n):
    """The gradient for the inputs: the diagrams upside down."""
    r = halves[0]                                               # [i i ->], [i j ->]
    r_2 = halves[1]                                             # [i i -> i], [i j -> i], [i j -> j]
    z = r @ w0[0]                                               # [->]
    z_2 = g1 @ w1[0]                                            # [->]
    z_3 = r_2 @ w2[0]                                           # [i -> i]
    y0 = z[..., 2:4]                                            # [-> i j]
    y0 += z_2[..., 2:4]
    y0_2 = z[..., 0:2]                                          # [-> i i]
    y0_2 += z_2[..., 0:2]
    y0_3 = z_3[..., 2:4]                                        # [i -> i j]
    y0_4 = z_3[..., 4:6]                                        # [i -> j i]
    y0_4 += y0.unsqueeze(-2)
    y0_5 = z_3[..., 0:2]                                        # [i -> i i]
    y0_5 += y0_2.unsqueeze(-2)
    y0_6 = _full((*g0.shape[:-3], n, n, 2), y0_4.unsqueeze(-3), y0_3.unsqueeze(-2))  # [i j -> i j]
    y0_6, shared = _products_back(y0_6, g0, w3, ((0, 1), (1, 0)), x0)  # [i j -> i j], [i j -> j i]
    y0_6.diagonal(dim1=-3, dim2=-2).movedim(-1, -2).add_(y0_5)
    y1 = z[..., 4:7]                                            # [-> i]
    y1 += z_2[..., 4:7]
    y1_2 = _full((*g0.shape[:-3], n, 3), z_3[..., 6:9], y1.unsqueeze(-2))  # [i -> i]
    return (y0_6, y1_2), (shared,)


def _split_weights(x0, x1, g0, g1, halves, grads, shared):
    """The gradients for the weights: at each level the product of the two reductions."""
    r = _flat(halves[0])
    w = (_flat(grads[0]).T @ r).unsqueeze(0)
    r_2 = _flat(halves[0])
    w_2 = (_flat(g1).T @ r_2).unsqueeze(0)
    r_3 = _flat(halves[1])
    w_3 = (_flat(grads[1]).T @ r_3).unsqueeze(0)
    w_4 = _outer(x0, g0, ((0, 1), (1, 0))) if shared is None else shared
    b = _flat(grads[0]).sum(0).view(2, -1)
    b_2 = _flat(g1).sum(0).view(1, -1)
    return (w, w_2, w_3, w_4, b, b_2)


def _split(x0, x1, w0, w1, w2, w3, b0, b1, n):
    """split : V^2[2] + V[3] -> V^2[4] + 1[2], a plain differentiable function."""
    return _split_run(x0, x1, _split_reduce(x0, x1), w0, w1, w2, w3, b0, b1, n)


class _Split(torch.autograd.Function):
    """`_split` with its gradient: every diagram upside down."""

    @staticmethod
    def forward(x0, x1, w0, w1, w2, w3, b0, b1, n):
        return _split(x0, x1, w0, w1, w2, w3, b0, b1, n)

    @staticmethod
    def setup_context(ctx, inputs, output):
        _save(ctx, inputs)

    @staticmethod
    def backward(ctx, g0, g1):
        x0, x1, w0, w1, w2, w3, b0, b1, n = _saved(ctx)
        g0, g1, w0, w1, w2, w3 = _alike(g0, g1, w0, w1, w2, w3)
        grads = _split_reduce_back(g0, g1)
        dx, shared = (None, None), (None,)
        if any(ctx.needs_input_grad[:2]):
            dx, shared = _split_run_back(
                g0, g1, grads, w0, w1, w2, w3, x0 if any(ctx.needs_input_grad[2:]) else None, n
            )
        if any(ctx.needs_input_grad[2:]):
            dw = _split_weights(x0, x1, g0, g1, _split_reduce(x0, x1), grads, *shared)
        else:
            dw = (None, None, None, None, None, None)
        return *dx, *dw, None

    @staticmethod
    def jvp(ctx, *tangents):
        x0, x1, w0, w1, w2, w3, b0, b1, n = _saved(ctx)
        dx0, dx1, dw0, dw1, dw2, dw3, db0, db1, _ = tangents
        moved = _split(*_alike(dx0, dx1, w0, w1, w2, w3, torch.zeros_like(b0), torch.zeros_like(b1)), n)
        mixed = _split(*_alike(x0, x1, dw0, dw1, dw2, dw3, db0, db1), n)
        return tuple(a + b for a, b in zip(moved, mixed))

    @staticmethod
    def vmap(info, in_dims, *args):
        return _vmap(_Split.apply, _split, 2, in_dims, args)


SPLIT_DIAGRAMS_0_0 = (
    "iijj", "iijk", "ijkk", "ijkl", "iiii", "iiij", "iiji", "ijii", "ijik", "ijki", "ijjj", "ijjk", "ijkj", "ijij",
    "ijji",
)
SPLIT_DIAGRAMS_0_1 = ("iij", "ijk", "iii", "iji", "ijj")
SPLIT_DIAGRAMS_1_0 = ("ii", "ij")
SPLIT_DIAGRAMS_1_1 = ("i",)
SPLIT_INVARIANTS_0 = ("ii", "ij")
SPLIT_INVARIANTS_1 = ("",)


def _split_dense(known, x0, x1, weight_0_0, weight_0_1, weight_1_0, weight_1_1, b0, b1, n):
    """split as one matrix a pair of summands, the weights summed into it: for few numbers."""
    w0 = _summed(_entries(known, 0, SPLIT_DIAGRAMS_0_0, None, (n, n, n, n), weight_0_0), weight_0_0, n**2)
    w1 = _summed(_entries(known, 1, SPLIT_DIAGRAMS_0_1, None, (n, n, n), weight_0_1), weight_0_1, n**2)
    w2 = _summed(_entries(known, 2, SPLIT_DIAGRAMS_1_0, None, (n, n), weight_1_0), weight_1_0, 1)
    w3 = _summed(_entries(known, 3, SPLIT_DIAGRAMS_1_1, None, (n,), weight_1_1), weight_1_1, 1)
    z0 = (_entries(known, 4, SPLIT_INVARIANTS_0, None, (n, n), b0) @ b0).flatten()
    y0 = (linear(x0.flatten(-3), w0, z0) + linear(x1.flatten(-2), w1)).unflatten(-1, (n, n, 4))
    z1 = (_entries(known, 5, SPLIT_INVARIANTS_1, None, (), b1) @ b1).flatten()
    y1 = (linear(x0.flatten(-3), w2, z1) + linear(x1.flatten(-2), w3))
    return (y0, y1)


class Split(_Layer):
    """split : V^2[2] + V[3] -> V^2[4] + 1[2], 23 diagrams and 3 for the bias; equivariant under S(n) on V."""

    label = "split"
    inputs = ((("V", "V"), 2), (("V",), 3))
    outputs = ((("V", "V"), 4), ((), 2))
    space_sizes = {"V": "n"}
    limit = 2_700_000

    def __init__(self, n=16, device=None, dtype=None, generator=None):
        super().__init__({"n": n})
        self.known = {}
        self.weight_0_0 = nn.Parameter(torch.empty(15, 4, 2, device=device, dtype=dtype))
        self.weight_0_1 = nn.Parameter(torch.empty(5, 4, 3, device=device, dtype=dtype))
        self.bias_0 = nn.Parameter(torch.empty(2, 4, device=device, dtype=dtype))
        self.weight_1_0 = nn.Parameter(torch.empty(2, 2, 2, device=device, dtype=dtype))
        self.weight_1_1 = nn.Parameter(torch.empty(1, 2, 3, device=device, dtype=dtype))
        self.bias_1 = nn.Parameter(torch.empty(1, 2, device=device, dtype=dtype))
        self.reset_parameters(generator)

    def reset_parameters(self, generator=None):
        """Draw the weights anew: unit variance in and out, an equal share a diagram; biases are 0."""
        n = self.sizes["n"]
        variances = (1 / 40, 1 / 40 * n**-1, 1 / 40 * n**-2, 1 / 40 * n)
        kinds = (0, 1, 1, 2, 3, 0, 0, 0, 1, 1, 0, 1, 1, 0, 0)
        _normal(self.weight_0_0, [variances[kind] for kind in kinds], generator)
        variances = (1 / 60, 1 / 60 * n**-1, 1 / 60 * n)
        kinds = (0, 1, 2, 0, 0)
        _normal(self.weight_0_1, [variances[kind] for kind in kinds], generator)
        nn.init.zeros_(self.bias_0)
        _normal(self.weight_1_0, [1 / 6 * n**-1, 1 / 6 * n**-2], generator)
        _normal(self.weight_1_1, [1 / 9 * n**-1] * 1, generator)
        nn.init.zeros_(self.bias_1)

    def compute(self, xs, lengths, counts):
        """The layer on checked tensors."""
        if not _traced():
            n = lengths["n"]
            work = 6 * n + 8 * n**2 + 60 * n**3 + 120 * n**4
            work += (6 * n + 4 * n**2 + 12 * n**3 + 8 * n**4) * xs[0].shape[:-3].numel()
            if self.few(work, counts, xs, lengths):
                return _split_dense(
                    self.known,
                    *xs,
                    self.weight_0_0.to(xs[0].dtype),
                    self.weight_0_1.to(xs[0].dtype),
                    self.weight_1_0.to(xs[0].dtype),
                    self.weight_1_1.to(xs[0].dtype),
                    self.bias_0.to(xs[0].dtype),
                    self.bias_1.to(xs[0].dtype),
                    n,
                )
        args = (
            *xs,
            *_split_pack(
                self.weight_0_0.to(xs[0].dtype),
                self.weight_0_1.to(xs[0].dtype),
                self.weight_1_0.to(xs[0].dtype),
                self.weight_1_1.to(xs[0].dtype),
            ),
            self.bias_0.to(xs[0].dtype),
            self.bias_1.to(xs[0].dtype),
            lengths["n"],
        )
        if _traced() or not _derived(*args):
            return _split(*args)
        return _Split.apply(*args)
