"""The steps that generated files share: sums, views, and products of whole tensors piece by piece.

As `catnn.emit.parts`: ordinary Python here, copied into the files that use them.
"""

import torch
from torch import Tensor

CHUNK = 2**19
"""How many bytes of a tensor are worked on at a time, so that they stay in the cache."""


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


def _zeros(like: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Zeros of a shape that `like` broadcasts to (so that vmap knows them for batched)."""
    return torch.zeros_like(like.expand(shape), memory_format=torch.contiguous_format)


def _form(x: Tensor, a: int, b: int) -> tuple[Tensor, Tensor]:
    """The entries where Omega is 1 and where it is -1, as views: axes a < b < 0 give way to one at the end."""
    before, between, after = x.shape[:a], x.shape[a + 1 : b], x.shape[b + 1 :]
    pairs = x.view(*before, x.shape[a] // 2, 2, *between, x.shape[b] // 2, 2, *after)
    plus = pairs.select(b, 1).select(a, 0)
    minus = pairs.select(b, 0).select(a, 1)
    return plus.diagonal(dim1=a, dim2=b), minus.diagonal(dim1=a, dim2=b)


def _metric(x: Tensor, a: int, b: int, p: int) -> tuple[Tensor, Tensor]:
    """The diagonal entries where the metric is 1 (the first p) and where it is -1, as views with their axis last."""
    both = x.diagonal(dim1=a, dim2=b)
    return both[..., :p], both[..., p:]


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
