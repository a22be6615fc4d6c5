"""The parts that generated files share.

The emitter copies the text of those that a file uses into it, so a generated file imports torch alone; here they stand
as ordinary Python, to be read, linted, typed and tested.
"""

import torch
from torch import Tensor, nn

from catnn.emit.kernels import _scaled, _traced, _wide, _wrapped

FORMAT = 1
"""The version of the order and meaning of weights."""


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


def _complex(dtype):
    """The complex dtype that goes with a real one, or with torch's default."""
    return (dtype or torch.get_default_dtype()).to_complex()


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


def _own(masks, spaces):
    """The masks of these spaces alone, for a part of a network that has no others."""
    return {space: real for space, real in masks.items() if space in spaces}


def _count(x: Tensor, axis: int, masks, space: str):
    """The size of a space: the length of its axis, or with a mask the count of each entry of the batch."""
    return masks[space].sum(-1) if space in masks else x.shape[axis]


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


def _metric_gate(x: Tensor, masks: list, metrics: tuple) -> Tensor:
    """The same with an invariant form: metrics are (axis, p), where the metric is -1 from entry p on."""
    moved = x
    for axis, p in metrics:
        plus, minus = moved.tensor_split((p,), axis)
        moved = torch.cat((plus, -minus), axis)
    axes = len(masks)
    value = (x * moved.conj()).real if x.is_complex() else x * moved
    value = value.sum(tuple(range(-axes - 1, -1)), keepdim=True)
    powers = [(x.shape[a - axes - 1] if real is None else real.sum(-1), -1) for a, real in enumerate(masks)]
    return x * torch.sigmoid(_scaled(value, axes + 1, *powers))


def _norm_relu(x: Tensor, masks: list) -> Tensor:
    """x made shorter by 1 (in root mean square), or 0 where it is shorter: equivariant under rotations too."""
    square = _mean_square(x, masks)
    root = torch.where(square > 1, square, torch.ones_like(square)).sqrt()
    return x * (1 - 1 / root)


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
