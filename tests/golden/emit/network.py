"""Equivariant layers, compiled by catnn from network.catnn.

Each layer is reduce, mix, expand: the halves of its diagrams are computed once each, one matrix product a level mixes
the channels, and the results are written where the diagrams say; comments give the pattern that a step computes.

catnn format: 1
spec sha256: 46f6ea86ea1e80e157aa7a017c05a5f6da932f808a2de46c5ed1dc52c7560057
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


class _Together(_Layer):
    """Layers of a network that are computed as one, with the weights of their modules; kinds: the classes of those."""

    kinds: tuple[type, ...]

    def __init__(self, *parts) -> None:
        super().__init__({name: size for part in parts for name, size in part.sizes.items()})
        self.parts = parts
        self.known: dict = {}

    def parameters(self, recurse=True):
        """Those of the modules."""
        return [parameter for part in self.parts for parameter in part.parameters(recurse)]


def _as_made(whole, *parts):
    """Whether to compute by a `_Together`: its modules are these, none is replaced, parametrised, hooked or wrapped.

    Where code is traced each is called by itself: what traces it finds out what they share; so it is where there are
    hooks of all modules.
    """
    alone = _traced() or nn.modules.module._has_any_global_hook()
    return not alone and all(
        part is own
        and type(part) is kind
        and part.forward == super(kind, part).forward  # of the class, not of this one module
        and not (part._forward_hooks or part._forward_pre_hooks or part._backward_hooks or part._backward_pre_hooks)
        for part, own, kind in zip(parts, whole.parts, whole.kinds, strict=True)
    )


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


def _mean_square(x: Tensor, masks: list) -> Tensor:
    """The mean of |x|^2 over its axes (their real entries), kept as axes of length 1: an invariant of each channel."""
    axes = len(masks)
    wide = x.to(_wide(x.dtype))
    value = (x * x.conj()).real if x.is_complex() else wide * wide
    if not axes:
        return value.to(x.dtype) if wide.dtype != x.dtype else value
    value = value.sum(tuple(range(-axes - 1, -1)), keepdim=True)
    powers = [(x.shape[a - axes - 1] if real is None else real.sum(-1), -1) for a, real in enumerate(masks)]
    value = _scaled(value, axes + 1, *powers)
    return value.to(x.dtype) if wide.dtype != x.dtype else value


def _gate(x: Tensor, masks: list) -> Tensor:
    """x times the sigmoid of its mean square, which is invariant: equivariant under rotations too."""
    return x * torch.sigmoid(_mean_square(x, masks))


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


def _scaled(x: Tensor, axes: int, *powers) -> Tensor:
    """x times powers of sizes; a size is a number, or with a mask a count for each entry of the batch.

    axes: how many axes of x follow the batch.  The inverse of the size of an empty set counts as 1.
    """
    for count, exponent in powers:
        if isinstance(count, Tensor):
            value = count.clamp(min=1) if exponent < 0 else count
            x = x * value.to(x.dtype).pow(exponent).reshape(*count.shape, *(1,) * axes)
        elif exponent < 0:
            x = x / max(count, 1) ** -exponent
        else:
            x = x * count**exponent
    return x


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


def _wide(dtype):
    """The dtype for sums that are divided: float32 for half precision, whose sums overflow before they are."""
    return torch.float32 if dtype in (torch.float16, torch.bfloat16) else dtype


def _mean(x: Tensor, dims: tuple[int, ...], axes: int, *powers) -> Tensor:
    """x.sum(dims) divided by sizes, as `_scaled` does; in half precision sums do not overflow first."""
    wide = _wide(x.dtype)
    if wide != x.dtype:
        return _scaled(x.sum(dims, dtype=wide), axes, *powers).to(x.dtype)
    return _scaled(_sum(x, dims[0]) if len(dims) == 1 and dims[0] < -2 else x.sum(dims), axes, *powers)


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


def _taken(constants: Tensor, weight: Tensor) -> Tensor:
    """The sum of constants[d, b] weight[b] for each d: what meets a fixed diagram."""
    found: Tensor = constants.flatten(1) @ weight.to(constants.dtype).flatten(1)
    return found.view(-1, *weight.shape[1:])


def _lift_pack(weight):
    """The weights by product: (permutations, outputs, inputs), block matrices over the halves."""
    w0 = weight[0:1]                                            # 1 x 1 x 1 blocks
    w1 = weight[1:2]                                            # 1 x 1 x 1 blocks
    return (w0, w1)


def _lift_reduce(x, count_N):
    """Reduce: the halves of N @ R, each from its cheapest parent."""
    x_2 = _mean(x, (-3,), 2, (count_N, -1))                     # [i j -> j]
    return (x_2,)


def _lift_reduce_back(g):
    """Reduce: the halves of N @ R of the gradient, each from its cheapest parent."""
    g_2 = _sum(g, -3)                                           # [i j -> j]
    return (g_2,)


def _lift_run(x, halves, w0, w1, n):
    """Mix and expand."""
    r = halves[0]                                               # [i j -> j]
    z = linear(r, w0[0])                                        # [i -> i]
    y = _full((*x.shape[:-3], n, 3, 4), z.unsqueeze(-3))        # [i j -> i j]
    y = _products(y, x, w1.transpose(1, 2), ((0, 1),))          # [i j -> i j]
    return (y,)


def _lift_run_back(g, halves, w0, w1, n, count_N):
    """The gradient for the inputs: the diagrams upside down."""
    r = halves[0]                                               # [i j -> j]
    z = r @ w0[0]                                               # [i -> i]
    y = _scaled(z, 2, (count_N, -1))
    y_2 = _full((*g.shape[:-3], n, 3, 1), y.unsqueeze(-3))      # [i j -> i j]
    y_2 = _products(y_2, g, w1, ((0, 1),))                      # [i j -> i j]
    return (y_2,)


def _lift_weights(x, g, halves, grads):
    """The gradients for the weights: at each level the product of the two reductions."""
    r = _flat(halves[0])
    w = (_flat(grads[0]).T @ r).unsqueeze(0)
    r_2 = _flat(x)
    w_2 = (_flat(g).T @ r_2).unsqueeze(0)
    return (w, w_2)


def _lift(x, w0, w1, n, count_N):
    """lift : N @ R -> N @ R[4], a plain differentiable function."""
    return _lift_run(x, _lift_reduce(x, count_N), w0, w1, n)


class _Lift(torch.autograd.Function):
    """`_lift` with its gradient: every diagram upside down."""

    @staticmethod
    def forward(x, w0, w1, n, count_N):
        return _lift(x, w0, w1, n, count_N)

    @staticmethod
    def setup_context(ctx, inputs, output):
        _save(ctx, inputs)

    @staticmethod
    def backward(ctx, g):
        x, w0, w1, n, count_N = _saved(ctx)
        grads = _lift_reduce_back(g)
        dx = (None,)
        if any(ctx.needs_input_grad[:1]):
            dx = _lift_run_back(g, grads, w0, w1, n, count_N)
        if any(ctx.needs_input_grad[1:]):
            dw = _lift_weights(x, g, _lift_reduce(x, count_N), grads)
        else:
            dw = (None, None)
        return *dx, *dw, None, None

    @staticmethod
    def jvp(ctx, *tangents):
        x, w0, w1, n, count_N = _saved(ctx)
        dx, dw0, dw1, _, _ = tangents
        moved = _lift(*_alike(dx, w0, w1), n, count_N)
        mixed = _lift(*_alike(x, dw0, dw1), n, count_N)
        return tuple(a + b for a, b in zip(moved, mixed))

    @staticmethod
    def vmap(info, in_dims, *args):
        return _vmap(_Lift.apply, _lift, 1, in_dims, args)


LIFT_DIAGRAMS = ("ijkj", "ijij")


def _lift_dense(known, x, weight, n):
    """lift as one matrix a pair of summands, the weights summed into it: for few numbers."""
    w0 = _summed(_entries(known, 0, LIFT_DIAGRAMS, (n**-1, 1), (n, 3, n, 3), weight), weight, 3 * n)
    return (linear(x.flatten(-3), w0).unflatten(-1, (n, 3, 4)),)


class Lift(_Layer):
    """lift : N @ R -> N @ R[4], 2 diagrams; equivariant under S(n) on N x O(3) on R."""

    label = "lift"
    inputs = ((("N", "R"), 1),)
    outputs = ((("N", "R"), 4),)
    space_sizes = {"N": "n", "R": 3}
    whole = {"R": "its size is 3 in every entry; give it a size that is a name"}
    limit = 1_300_000

    def __init__(self, n=16, device=None, dtype=None, generator=None):
        super().__init__({"n": n})
        self.known = {}
        self.weight = nn.Parameter(torch.empty(2, 4, 1, device=device, dtype=dtype))
        self.register_parameter("bias", None)
        self.reset_parameters(generator)

    def reset_parameters(self, generator=None):
        """Draw the weights anew: unit variance in and out, an equal share a diagram; biases are 0."""
        n = self.sizes["n"]
        _normal(self.weight, [1 / 2 * n, 1 / 2], generator)

    def compute(self, xs, lengths, counts):
        """The layer on checked tensors."""
        if not _traced():
            n = lengths["n"]
            work = 72 * n**2 + 36 * n**2 * xs[0].shape[:-3].numel()
            if self.few(work, counts, xs, lengths):
                return _lift_dense(self.known, *xs, self.weight.to(xs[0].dtype), n)
        args = (
            *xs,
            *_lift_pack(self.weight.to(xs[0].dtype)),
            lengths["n"],
            counts["N"],
        )
        if _traced() or not _derived(*args):
            return _lift(*args)
        return _Lift.apply(*args)


def _outer_2_pack(weight_0_1):
    """The weights by product: (permutations, outputs, inputs), block matrices over the halves."""
    w0 = _blocks(weight_0_1[0:2], 2, 1)                         # 1 x 2 x 1 blocks
    w1 = _blocks(weight_0_1[2:5], 3, 1)                         # 1 x 3 x 1 blocks
    return (w0, w1)


def _outer_2_reduce(x0, x1):
    """Reduce: the halves of N @ R + N, each from its cheapest parent."""
    x1_2 = x1.sum(-2)                                           # [i ->]
    return (x1_2,)


def _outer_2_reduce_back(g):
    """Reduce: the halves of N^2 of the gradient, each from its cheapest parent."""
    g_2 = g.diagonal(dim1=-3, dim2=-2).movedim(-1, -2)          # [i i -> i]
    g_3 = _sum(g, -3)                                           # [i j -> j]
    g_4 = g.sum(-2)                                             # [i j -> i]
    g_5 = g_2.sum(-2)                                           # [i i ->]
    g_6 = g_3.sum(-2)                                           # [i j ->]
    return (torch.cat((g_5, g_6), -1), torch.cat((g_2, g_4, g_3), -1))


def _outer_2_run(x0, x1, halves, w0, w1, b, n):
    """Mix and expand."""
    r = halves[0]                                               # [i ->]
    z = linear(r, w0[0], b.reshape(-1))                         # [->]
    z_2 = linear(x1, w1[0])                                     # [i -> i]
    y = z[..., 4:8]                                             # [-> i j]
    y_2 = z[..., 0:4]                                           # [-> i i]
    y_3 = z_2[..., 4:8]                                         # [i -> i j]
    y_4 = z_2[..., 8:12]                                        # [i -> j i]
    y_4 += y.unsqueeze(-2)
    y_5 = z_2[..., 0:4]                                         # [i -> i i]
    y_5 += y_2.unsqueeze(-2)
    y_6 = _full((*x0.shape[:-3], n, n, 4), y_4.unsqueeze(-3), y_3.unsqueeze(-2))  # [i j -> i j]
    y_6.diagonal(dim1=-3, dim2=-2).movedim(-1, -2).add_(y_5)
    return (y_6,)


def _outer_2_run_back(g, halves, w0, w1, n):
    """The gradient for the inputs: the diagrams upside down."""
    r = halves[0]                                               # [i i ->], [i j ->]
    r_2 = halves[1]                                             # [i i -> i], [i j -> i], [i j -> j]
    z = r @ w0[0]                                               # [->]
    y0 = g.new_zeros((*g.shape[:-3], n, 3, 4))                  # no diagram leads here
    y1 = _full((*g.shape[:-3], n, 1), z.unsqueeze(-2))          # [i -> i]
    y1 = _products(y1, r_2, w1, ((0,),))                        # [i -> i]
    return (y0, y1)


def _outer_2_weights(x0, x1, g, halves, grads):
    """The gradients for the weights: at each level the product of the two reductions."""
    r = _flat(halves[0])
    w = (_flat(grads[0]).T @ r).unsqueeze(0)
    r_2 = _flat(x1)
    w_2 = (_flat(grads[1]).T @ r_2).unsqueeze(0)
    b = _flat(grads[0]).sum(0).view(2, -1)
    return (w, w_2, b)


def _outer_2(x0, x1, w0, w1, b, n):
    """outer : N @ R[4] + N -> N^2[4], a plain differentiable function."""
    return _outer_2_run(x0, x1, _outer_2_reduce(x0, x1), w0, w1, b, n)


class _Outer(torch.autograd.Function):
    """`_outer_2` with its gradient: every diagram upside down."""

    @staticmethod
    def forward(x0, x1, w0, w1, b, n):
        return _outer_2(x0, x1, w0, w1, b, n)

    @staticmethod
    def setup_context(ctx, inputs, output):
        _save(ctx, inputs)

    @staticmethod
    def backward(ctx, g):
        x0, x1, w0, w1, b, n = _saved(ctx)
        g, w0, w1 = _alike(g, w0, w1)
        grads = _outer_2_reduce_back(g)
        dx = (None, None)
        if any(ctx.needs_input_grad[:2]):
            dx = _outer_2_run_back(g, grads, w0, w1, n)
        if any(ctx.needs_input_grad[2:]):
            dw = _outer_2_weights(x0, x1, g, _outer_2_reduce(x0, x1), grads)
        else:
            dw = (None, None, None)
        return *dx, *dw, None

    @staticmethod
    def jvp(ctx, *tangents):
        x0, x1, w0, w1, b, n = _saved(ctx)
        dx0, dx1, dw0, dw1, db, _ = tangents
        moved = _outer_2(*_alike(dx0, dx1, w0, w1, torch.zeros_like(b)), n)
        mixed = _outer_2(*_alike(x0, x1, dw0, dw1, db), n)
        return tuple(a + b for a, b in zip(moved, mixed))

    @staticmethod
    def vmap(info, in_dims, *args):
        return _vmap(_Outer.apply, _outer_2, 2, in_dims, args)


OUTER_2_DIAGRAMS_0_1 = ("iij", "ijk", "iii", "iji", "ijj")
OUTER_2_INVARIANTS_0 = ("ii", "ij")


def _outer_2_dense(known, x0, x1, weight_0_1, b, n):
    """outer as one matrix a pair of summands, the weights summed into it: for few numbers."""
    w0 = _summed(_entries(known, 0, OUTER_2_DIAGRAMS_0_1, None, (n, n, n), weight_0_1), weight_0_1, n**2)
    z0 = (_entries(known, 1, OUTER_2_INVARIANTS_0, None, (n, n), b) @ b).flatten()
    return (linear(x1.flatten(-2), w0, z0).unflatten(-1, (n, n, 4)),)


class Outer(_Layer):
    """outer : N @ R[4] + N -> N^2[4], 5 diagrams and 2 for the bias; equivariant under S(n) on N x O(3) on R."""

    label = "outer"
    inputs = ((("N", "R"), 4), (("N",), 1))
    outputs = ((("N", "N"), 4),)
    space_sizes = {"N": "n", "R": 3}
    whole = {"R": "its size is 3 in every entry; give it a size that is a name"}
    limit = 7_600_000

    def __init__(self, n=16, device=None, dtype=None, generator=None):
        super().__init__({"n": n})
        self.known = {}
        self.register_parameter("weight_0_0", None)
        self.weight_0_1 = nn.Parameter(torch.empty(5, 4, 1, device=device, dtype=dtype))
        self.bias_0 = nn.Parameter(torch.empty(2, 4, device=device, dtype=dtype))
        self.reset_parameters(generator)

    def reset_parameters(self, generator=None):
        """Draw the weights anew: unit variance in and out, an equal share a diagram; biases are 0."""
        n = self.sizes["n"]
        variances = (1 / 5, 1 / 5 * n**-1, 1 / 5 * n)
        kinds = (0, 1, 2, 0, 0)
        _normal(self.weight_0_1, [variances[kind] for kind in kinds], generator)
        nn.init.zeros_(self.bias_0)

    def compute(self, xs, lengths, counts):
        """The layer on checked tensors."""
        if not _traced():
            n = lengths["n"]
            work = 20 * n**3 + 4 * n**3 * xs[0].shape[:-3].numel()
            if self.few(work, counts, xs, lengths):
                return _outer_2_dense(
                    self.known,
                    *xs,
                    self.weight_0_1.to(xs[0].dtype),
                    self.bias_0.to(xs[0].dtype),
                    n,
                )
        args = (
            *xs,
            *_outer_2_pack(self.weight_0_1.to(xs[0].dtype)),
            self.bias_0.to(xs[0].dtype),
            lengths["n"],
        )
        if _traced() or not _derived(*args):
            return _outer_2(*args)
        return _Outer.apply(*args)


def _pool_pack(weight):
    """The weights by product: (permutations, outputs, inputs), block matrices over the halves."""
    w0 = _blocks(weight[0:2], 1, 2)                             # 1 x 1 x 2 blocks
    return (w0,)


def _pool_reduce(x):
    """Reduce: the halves of N^2, each from its cheapest parent."""
    x_2 = x.diagonal(dim1=-3, dim2=-2).movedim(-1, -2)          # [i i -> i]
    x_3 = x_2.sum(-2)                                           # [i i ->]
    x_4 = x.sum((-3, -2))                                       # [i j ->]
    return (torch.cat((x_3, x_4), -1),)


def _pool_run(x, halves, w0, b):
    """Mix and expand."""
    r = halves[0]                                               # [i i ->], [i j ->]
    y = linear(r, w0[0], b[0])                                  # [->]
    return (y,)


def _pool_run_back(g, w0, n):
    """The gradient for the inputs: the diagrams upside down."""
    z = g @ w0[0]                                               # [->]
    y = z[..., 4:8]                                             # [-> i j]
    y_2 = z[..., 0:4]                                           # [-> i i]
    y_3 = y_2.unsqueeze(-2)                                     # [i -> i i]
    y_4 = _full((*g.shape[:-1], n, n, 4), y.unsqueeze(-2).unsqueeze(-3))  # [i j -> i j]
    y_4.diagonal(dim1=-3, dim2=-2).movedim(-1, -2).add_(y_3)
    return (y_4,)


def _pool_weights(x, g, halves):
    """The gradients for the weights: at each level the product of the two reductions."""
    r = _flat(halves[0])
    w = (_flat(g).T @ r).unsqueeze(0)
    b = _flat(g).sum(0).view(1, -1)
    return (w, b)


def _pool(x, w0, b, n):
    """pool : N^2[4] -> 1[4], a plain differentiable function."""
    return _pool_run(x, _pool_reduce(x), w0, b)


class _Pool(torch.autograd.Function):
    """`_pool` with its gradient: every diagram upside down."""

    @staticmethod
    def forward(x, w0, b, n):
        return _pool(x, w0, b, n)

    @staticmethod
    def setup_context(ctx, inputs, output):
        _save(ctx, inputs)

    @staticmethod
    def backward(ctx, g):
        x, w0, b, n = _saved(ctx)
        dx = (None,)
        if any(ctx.needs_input_grad[:1]):
            dx = _pool_run_back(g, w0, n)
        if any(ctx.needs_input_grad[1:]):
            dw = _pool_weights(x, g, _pool_reduce(x))
        else:
            dw = (None, None)
        return *dx, *dw, None

    @staticmethod
    def jvp(ctx, *tangents):
        x, w0, b, n = _saved(ctx)
        dx, dw0, db, _ = tangents
        moved = _pool(*_alike(dx, w0, torch.zeros_like(b)), n)
        mixed = _pool(*_alike(x, dw0, db), n)
        return tuple(a + b for a, b in zip(moved, mixed))

    @staticmethod
    def vmap(info, in_dims, *args):
        return _vmap(_Pool.apply, _pool, 1, in_dims, args)


POOL_DIAGRAMS = ("ii", "ij")
POOL_INVARIANTS = ("",)


def _pool_dense(known, x, weight, b, n):
    """pool as one matrix a pair of summands, the weights summed into it: for few numbers."""
    w0 = _summed(_entries(known, 0, POOL_DIAGRAMS, None, (n, n), weight), weight, 1)
    z0 = (_entries(known, 1, POOL_INVARIANTS, None, (), b) @ b).flatten()
    return (linear(x.flatten(-3), w0, z0),)


class Pool(_Layer):
    """pool : N^2[4] -> 1[4], 2 diagrams and 1 for the bias; equivariant under S(n) on N."""

    label = "pool"
    inputs = ((("N", "N"), 4),)
    outputs = (((), 4),)
    space_sizes = {"N": "n"}
    limit = 600_000

    def __init__(self, n=16, device=None, dtype=None, generator=None):
        super().__init__({"n": n})
        self.known = {}
        self.weight = nn.Parameter(torch.empty(2, 4, 4, device=device, dtype=dtype))
        self.bias = nn.Parameter(torch.empty(1, 4, device=device, dtype=dtype))
        self.reset_parameters(generator)

    def reset_parameters(self, generator=None):
        """Draw the weights anew: unit variance in and out, an equal share a diagram; biases are 0."""
        n = self.sizes["n"]
        _normal(self.weight, [1 / 8 * n**-1, 1 / 8 * n**-2], generator)
        nn.init.zeros_(self.bias)

    def compute(self, xs, lengths, counts):
        """The layer on checked tensors."""
        if not _traced():
            n = lengths["n"]
            work = 32 * n**2 + 16 * n**2 * xs[0].shape[:-3].numel()
            if self.few(work, counts, xs, lengths):
                return _pool_dense(self.known, *xs, self.weight.to(xs[0].dtype), self.bias.to(xs[0].dtype), n)
        args = (
            *xs,
            *_pool_pack(self.weight.to(xs[0].dtype)),
            self.bias.to(xs[0].dtype),
            lengths["n"],
        )
        if _traced() or not _derived(*args):
            return _pool(*args)
        return _Pool.apply(*args)


def _spread_pack(weight):
    """The weights by product: (permutations, outputs, inputs), block matrices over the halves."""
    w0 = _blocks(weight[0:2], 2, 1)                             # 1 x 2 x 1 blocks
    return (w0,)


def _spread_reduce_back(g):
    """Reduce: the halves of N^2 of the gradient, each from its cheapest parent."""
    g_2 = g.diagonal(dim1=-3, dim2=-2).movedim(-1, -2)          # [i i -> i]
    g_3 = g_2.sum(-2)                                           # [i i ->]
    g_4 = g.sum((-3, -2))                                       # [i j ->]
    return (torch.cat((g_3, g_4), -1),)


def _spread_run(x, w0, n):
    """Mix and expand."""
    z = linear(x, w0[0])                                        # [->]
    y = z[..., 4:8]                                             # [-> i j]
    y_2 = z[..., 0:4]                                           # [-> i i]
    y_3 = y_2.unsqueeze(-2)                                     # [i -> i i]
    y_4 = _full((*x.shape[:-1], n, n, 4), y.unsqueeze(-2).unsqueeze(-3))  # [i j -> i j]
    y_4.diagonal(dim1=-3, dim2=-2).movedim(-1, -2).add_(y_3)
    return (y_4,)


def _spread_run_back(g, halves, w0):
    """The gradient for the inputs: the diagrams upside down."""
    r = halves[0]                                               # [i i ->], [i j ->]
    y = r @ w0[0]                                               # [->]
    return (y,)


def _spread_weights(x, g, grads):
    """The gradients for the weights: at each level the product of the two reductions."""
    r = _flat(x)
    w = (_flat(grads[0]).T @ r).unsqueeze(0)
    return (w,)


def _spread(x, w0, n):
    """spread : 1[4] -> N^2[4], a plain differentiable function."""
    return _spread_run(x, w0, n)


class _Spread(torch.autograd.Function):
    """`_spread` with its gradient: every diagram upside down."""

    @staticmethod
    def forward(x, w0, n):
        return _spread(x, w0, n)

    @staticmethod
    def setup_context(ctx, inputs, output):
        _save(ctx, inputs)

    @staticmethod
    def backward(ctx, g):
        x, w0, n = _saved(ctx)
        grads = _spread_reduce_back(g)
        dx = (None,)
        if any(ctx.needs_input_grad[:1]):
            dx = _spread_run_back(g, grads, w0)
        if any(ctx.needs_input_grad[1:]):
            dw = _spread_weights(x, g, grads)
        else:
            dw = (None,)
        return *dx, *dw, None

    @staticmethod
    def jvp(ctx, *tangents):
        x, w0, n = _saved(ctx)
        dx, dw0, _ = tangents
        moved = _spread(*_alike(dx, w0), n)
        mixed = _spread(*_alike(x, dw0), n)
        return tuple(a + b for a, b in zip(moved, mixed))

    @staticmethod
    def vmap(info, in_dims, *args):
        return _vmap(_Spread.apply, _spread, 1, in_dims, args)


SPREAD_DIAGRAMS = ("ii", "ij")


def _spread_dense(known, x, weight, n):
    """spread as one matrix a pair of summands, the weights summed into it: for few numbers."""
    w0 = _summed(_entries(known, 0, SPREAD_DIAGRAMS, None, (n, n), weight), weight, n**2)
    return (linear(x.flatten(-1), w0).unflatten(-1, (n, n, 4)),)


class Spread(_Layer):
    """spread : 1[4] -> N^2[4], 2 diagrams; equivariant under S(n) on N."""

    label = "spread"
    inputs = (((), 4),)
    outputs = ((("N", "N"), 4),)
    space_sizes = {"N": "n"}
    limit = 600_000

    def __init__(self, n=16, device=None, dtype=None, generator=None):
        super().__init__({"n": n})
        self.known = {}
        self.weight = nn.Parameter(torch.empty(2, 4, 4, device=device, dtype=dtype))
        self.register_parameter("bias", None)
        self.reset_parameters(generator)

    def reset_parameters(self, generator=None):
        """Draw the weights anew: unit variance in and out, an equal share a diagram; biases are 0."""
        n = self.sizes["n"]
        _normal(self.weight, [1 / 8 * n, 1 / 8], generator)

    def compute(self, xs, lengths, counts):
        """The layer on checked tensors."""
        if not _traced():
            n = lengths["n"]
            work = 32 * n**2 + 16 * n**2 * xs[0].shape[:-1].numel()
            if self.few(work, counts, xs, lengths):
                return _spread_dense(self.known, *xs, self.weight.to(xs[0].dtype), n)
        args = (
            *xs,
            *_spread_pack(self.weight.to(xs[0].dtype)),
            lengths["n"],
        )
        if _traced() or not _derived(*args):
            return _spread(*args)
        return _Spread.apply(*args)


def _center_reduce(x):
    """Reduce: the halves of N @ R, each from its cheapest parent."""
    x_2 = _sum(x, -3)                                           # [i j -> j]
    return (x_2,)


def _center_run(x, halves, n, count_N):
    """Mix and expand."""
    r = halves[0]                                               # [i j -> j]
    y = -1 * _scaled(r, 2, (count_N, -1))                       # [i -> j i]
    y_2 = _full((*x.shape[:-3], n, 3, 1), x, y.unsqueeze(-3))   # [i j -> i j]
    return (y_2,)


def _center_run_back(g, halves, n, count_N):
    """The gradient for the inputs: the diagrams upside down."""
    r = halves[0]                                               # [i j -> j]
    y = -1 * _scaled(r, 2, (count_N, -1))                       # [i -> j i]
    y_2 = _full((*g.shape[:-3], n, 3, 1), g, y.unsqueeze(-3))   # [i j -> i j]
    return (y_2,)


def _center_weights(x, g, halves, grads):
    """The gradients for the weights: at each level the product of the two reductions."""
    return ()


def _center(x, n, count_N):
    """center : N @ R -> N @ R, a plain differentiable function."""
    return _center_run(x, _center_reduce(x), n, count_N)


class _Center(torch.autograd.Function):
    """`_center` with its gradient: every diagram upside down."""

    @staticmethod
    def forward(x, n, count_N):
        return _center(x, n, count_N)

    @staticmethod
    def setup_context(ctx, inputs, output):
        _save(ctx, inputs)

    @staticmethod
    def backward(ctx, g):
        x, n, count_N = _saved(ctx)
        grads = _center_reduce(g)
        dx = (None,)
        if any(ctx.needs_input_grad[:1]):
            dx = _center_run_back(g, grads, n, count_N)
        return *dx, None, None

    @staticmethod
    def jvp(ctx, *tangents):
        x, n, count_N = _saved(ctx)
        dx, _, _ = tangents
        return _center(dx, n, count_N)

    @staticmethod
    def vmap(info, in_dims, *args):
        return _vmap(_Center.apply, _center, 1, in_dims, args)


class Center(_Layer):
    """center : N @ R -> N @ R, 0 diagrams; equivariant under S(n) on N x O(3) on R."""

    label = "center"
    inputs = ((("N", "R"), 1),)
    outputs = ((("N", "R"), 1),)
    space_sizes = {"N": "n", "R": 3}
    whole = {"R": "its size is 3 in every entry; give it a size that is a name"}

    def __init__(self, n=16, device=None, dtype=None, generator=None):
        super().__init__({"n": n})
        self.register_parameter("weight", None)
        self.register_parameter("bias", None)
        self.reset_parameters(generator)

    def reset_parameters(self, generator=None):
        """Draw the weights anew: unit variance in and out, an equal share a diagram; biases are 0."""
        pass

    def compute(self, xs, lengths, counts):
        """The layer on checked tensors."""
        args = (
            *xs,
            lengths["n"],
            counts["N"],
        )
        if _traced() or not _derived(*args):
            return _center(*args)
        return _Center.apply(*args)


def _movepart1_pack(weight):
    """The weights by product: (permutations, outputs, inputs), block matrices over the halves."""
    w0 = weight[0:1]                                            # 1 x 1 x 1 blocks
    w1 = weight[1:2]                                            # 1 x 1 x 1 blocks
    return (w0, w1)


def _movepart1_reduce(x):
    """Reduce: the halves of N @ R, each from its cheapest parent."""
    x_2 = _sum(x, -3)                                           # [i j -> j]
    return (x_2,)


def _movepart1_run(x, halves, w0, w1, n):
    """Mix and expand."""
    r = halves[0]                                               # [i j -> j]
    z = linear(r, w0[0])                                        # [i -> i]
    y = _full((*x.shape[:-3], n, 3, 4), z.unsqueeze(-3))        # [i j -> i j]
    y = _products(y, x, w1.transpose(1, 2), ((0, 1),))          # [i j -> i j]
    return (y,)


def _movepart1_run_back(g, halves, w0, w1, n):
    """The gradient for the inputs: the diagrams upside down."""
    r = halves[0]                                               # [i j -> j]
    z = r @ w0[0]                                               # [i -> i]
    y = _full((*g.shape[:-3], n, 3, 1), z.unsqueeze(-3))        # [i j -> i j]
    y = _products(y, g, w1, ((0, 1),))                          # [i j -> i j]
    return (y,)


def _movepart1_weights(x, g, halves, grads):
    """The gradients for the weights: at each level the product of the two reductions."""
    r = _flat(halves[0])
    w = (_flat(grads[0]).T @ r).unsqueeze(0)
    r_2 = _flat(x)
    w_2 = (_flat(g).T @ r_2).unsqueeze(0)
    return (w, w_2)


def _movepart1(x, w0, w1, n):
    """center : N @ R -> N @ R[4], a plain differentiable function."""
    return _movepart1_run(x, _movepart1_reduce(x), w0, w1, n)


class _MovePart1(torch.autograd.Function):
    """`_movepart1` with its gradient: every diagram upside down."""

    @staticmethod
    def forward(x, w0, w1, n):
        return _movepart1(x, w0, w1, n)

    @staticmethod
    def setup_context(ctx, inputs, output):
        _save(ctx, inputs)

    @staticmethod
    def backward(ctx, g):
        x, w0, w1, n = _saved(ctx)
        grads = _movepart1_reduce(g)
        dx = (None,)
        if any(ctx.needs_input_grad[:1]):
            dx = _movepart1_run_back(g, grads, w0, w1, n)
        if any(ctx.needs_input_grad[1:]):
            dw = _movepart1_weights(x, g, _movepart1_reduce(x), grads)
        else:
            dw = (None, None)
        return *dx, *dw, None

    @staticmethod
    def jvp(ctx, *tangents):
        x, w0, w1, n = _saved(ctx)
        dx, dw0, dw1, _ = tangents
        moved = _movepart1(*_alike(dx, w0, w1), n)
        mixed = _movepart1(*_alike(x, dw0, dw1), n)
        return tuple(a + b for a, b in zip(moved, mixed))

    @staticmethod
    def vmap(info, in_dims, *args):
        return _vmap(_MovePart1.apply, _movepart1, 1, in_dims, args)


MOVEPART1_DIAGRAMS = ("ijkj", "ijij")


def _movepart1_dense(known, x, weight, n):
    """center as one matrix a pair of summands, the weights summed into it: for few numbers."""
    w0 = _summed(_entries(known, 0, MOVEPART1_DIAGRAMS, None, (n, 3, n, 3), weight), weight, 3 * n)
    return (linear(x.flatten(-3), w0).unflatten(-1, (n, 3, 4)),)


_MOVEPART1_PAIRS_0 = ((1, 3), (0, 1))


def _movepart1_fused(known, lift_weight, n):
    """The weights of `center` and `lift` as one: those of each pair of diagrams go where the two compose to."""
    w = _taken(_structure(known, 0, *_MOVEPART1_PAIRS_0, (-1 * n**-1, 1), (2, 2, 1), lift_weight), lift_weight)
    return (w,)


class MovePart1(_Fused):
    """Center and Lift, computed as one: N @ R -> N @ R[4]."""

    label = "center"
    inputs = ((("N", "R"), 1),)
    outputs = ((("N", "R"), 4),)
    space_sizes = {"N": "n", "R": 3}
    whole = {"R": "its size is 3 in every entry; give it a size that is a name"}
    limit = 1_300_000
    kinds = (Center, Lift)

    def compute(self, xs, lengths, counts):
        """The layer on checked tensors."""
        made = _movepart1_fused(self.known, self.parts[1].weight, lengths["n"])
        if not _traced():
            n = lengths["n"]
            work = 72 * n**2 + 36 * n**2 * xs[0].shape[:-3].numel()
            if self.few(work, counts, xs, lengths):
                return _movepart1_dense(self.known, *xs, made[0].to(xs[0].dtype), n)
        args = (
            *xs,
            *_movepart1_pack(made[0].to(xs[0].dtype)),
            lengths["n"],
        )
        if _traced() or not _derived(*args):
            return _movepart1(*args)
        return _MovePart1.apply(*args)


class Move(nn.Module):
    """move : N @ R -> N @ R[4]."""

    def __init__(self, n=16, device=None, dtype=None, generator=None):
        super().__init__()
        self.sizes = {"n": n}
        self.center = Center(n=n, device=device, dtype=dtype, generator=generator)
        self.lift = Lift(n=n, device=device, dtype=dtype, generator=generator)
        self._together = (MovePart1(self.center, self.lift),)

    def reset_parameters(self, generator=None):
        """Draw all weights anew."""
        self.center.reset_parameters(generator)
        self.lift.reset_parameters(generator)

    def forward(self, x, mask=None):
        """(*batch, n, 3, 1) -> (*batch, n, 3, 4); mask: bool (*batch, n), True = real."""
        masks = _masks(
            "move", mask, {"N": "n", "R": 3}, {"R": "its size is 3 in every entry; give it a size that is a name"}
        )
        # N @ R[4]
        x_2 = self._together[0](x, masks) if _fuses(
            self._together[0], x, masks, self.center, self.lift
        ) else self.lift(self.center(x, masks), masks)
        x_3 = _gate(x_2, _by_space(masks, ("N", "R")))  # gate
        return x_3


class Classify(nn.Module):
    """classify : N^2[4] -> N^2[4]."""

    def __init__(self, n=16, device=None, dtype=None, generator=None):
        super().__init__()
        self.sizes = {"n": n}
        self.pool = Pool(n=n, device=device, dtype=dtype, generator=generator)
        self.spread = Spread(n=n, device=device, dtype=dtype, generator=generator)

    def reset_parameters(self, generator=None):
        """Draw all weights anew."""
        self.pool.reset_parameters(generator)
        self.spread.reset_parameters(generator)

    def forward(self, x, mask=None):
        """(*batch, n, n, 4) -> (*batch, n, n, 4); mask: bool (*batch, n), True = real."""
        masks = _masks("classify", mask, {"N": "n"}, {})
        sizes = {"n": x.shape[-3]}
        counts = {**sizes, **_counts("classify", masks, {"N": "n"}, {})}
        x = _masked(x, _by_space(masks, ("N", "N")))
        x_2 = self.pool(x, masks)                       # 1[4]
        x_3 = nn.functional.softplus(x_2)               # softplus
        x_4 = self.spread(x_3, masks, sizes, counts)    # N^2[4]
        x_5 = x_4 + (1 / 2) * x                         # sum
        return x_5
