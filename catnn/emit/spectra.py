"""Sums over the permutations of axes in Young's basis, where each permutation is a few small blocks.

The emitter copies what a file uses of this into it.
"""

import torch
from torch import Tensor


def _fourier(size, orders, spans, values, vectors):
    """Young's orthonormal basis of tensors with axes of this size, and what permutations of the axes do in it.

    orders: output axis j is axis order[j]; spans: for each partition how many parts there are, and how many vectors
    each has; vectors: in that order, of each the places and the numbers of its values.  The second result has a row
    for each entry of a block, a column for each permutation.
    """
    basis = torch.zeros(len(vectors), len(vectors), dtype=torch.float64)
    for row, vector in enumerate(vectors):
        for place, number in vector:
            basis[row, place] = values[number]
    whole = basis.view(-1, *(size for _ in orders[0]))
    moved = [whole.permute(0, *(a + 1 for a in order)).flatten(1) for order in orders]
    actions, row = [], 0
    for parts, tableaux in spans:
        stop = row + tableaux
        actions.append(torch.stack([(basis[row:stop] @ one[row:stop].T).flatten() for one in moved], 1))
        row += parts * tableaux
    return basis, torch.cat(actions), spans


def _block_products(y: Tensor | None, x: Tensor, w: Tensor, orders, fourier) -> Tensor:
    """`_products` in Young's basis: y plus, for each s, x @ w[s] with its axes in the order orders[s]."""
    basis, actions, spans = fourier
    change, (inner, wide) = basis.to(x), w.shape[1:]
    turned = actions.to(w) @ w.flatten(1)
    z = change @ x.flatten(-len(orders[0]) - 1, -2)
    pieces, row, at = [], 0, 0
    for parts, tableaux in spans:
        entries, rows = tableaux * tableaux, parts * tableaux
        block = turned[at : at + entries].view(tableaux, tableaux, inner, wide).permute(1, 2, 0, 3)
        given = z[..., row : row + rows, :].unflatten(-2, (parts, tableaux)).flatten(-2)
        made = given @ block.reshape(tableaux * inner, tableaux * wide)
        pieces.append(made.unflatten(-1, (tableaux, wide)).flatten(-3, -2))
        row, at = row + rows, at + entries
    found: Tensor = (change.T @ torch.cat(pieces, -2)).reshape(*x.shape[:-1], wide)
    return found if y is None else y + found


def _block_products_back(y: Tensor | None, g: Tensor, w: Tensor, orders, fourier, x: Tensor | None):
    """`_block_products`; the gradient of w is made with the others."""
    return _block_products(y, g, w, orders, fourier), None


def _block_outer(x: Tensor, g: Tensor, orders, fourier) -> Tensor:
    """`_outer` in Young's basis: for each order, g with its axes in it times x, over all entries."""
    basis, actions, spans = fourier
    axes = len(orders[0])
    left, right = (basis.to(v) @ v.flatten(-axes - 1, -2) for v in (g, x))
    pieces, row = [], 0
    for parts, tableaux in spans:
        rows = parts * tableaux
        both = (v[..., row : row + rows, :].unflatten(-2, (parts, tableaux)) for v in (left, right))
        ours, theirs = (v.flatten(-2).flatten(0, -2) for v in both)
        met = (ours.T @ theirs).view(tableaux, g.shape[-1], tableaux, x.shape[-1])
        pieces.append(met.permute(2, 0, 1, 3).flatten(0, 1))
        row += rows
    blocks = torch.cat(pieces)
    dw: Tensor = (actions.T.to(blocks) @ blocks.flatten(1)).view(-1, *blocks.shape[1:])
    return dw
