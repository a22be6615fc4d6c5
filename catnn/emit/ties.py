"""The parts of generated files that make weights on orbits into block matrices, and number the orbits.

As `catnn.emit.parts`: ordinary Python here, copied into the files that use them.
"""

import torch
from torch import Tensor


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


def _matrix(rows, columns, values, shape, device):
    """The matrix with these entries; those at one place add up."""
    result = torch.zeros(shape, dtype=torch.float64)
    place = (torch.tensor(rows, dtype=torch.int64), torch.tensor(columns, dtype=torch.int64))
    return result.index_put(place, torch.tensor(values, dtype=torch.float64), accumulate=True).to(device)


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
