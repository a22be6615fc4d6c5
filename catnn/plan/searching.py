"""Orders of large contractions by cotengra, where it is installed: ``pip install 'catnn[cotengra]'``.

It searches from fixed seeds, a fixed number of times, so the same contraction has the same order everywhere.
"""

from __future__ import annotations

from catnn.plan.exchange import Costs, Tree, tree_of

REPEATS = 32
"""How many greedy orders are drawn; the best of them is made better, part by part."""

PART = 8
"""Parts of so many tensors are ordered as well as can be."""

MOST_SEARCHED = 200
"""Larger contractions are left to opt_einsum, for a search takes seconds."""


def searched(costs: Costs) -> Tree | None:
    """A good order; None where cotengra is not installed, or there are too many operands.

    Source: Gray and Kourtis 2002.01935, greedy orders and the reconfiguration of subtrees.
    """
    count = len(costs.operands)
    if count > MOST_SEARCHED:
        return None
    try:
        import cotengra
    except ImportError:
        return None
    used = {index for axes in costs.operands for index in axes}
    output = tuple(sorted(costs.target & used))
    draw = cotengra.RandomGreedyOptimizer(max_repeats=REPEATS, seed=0, accel=False, parallel=False)
    sizes = {index: costs.lengths[index] for index in used}
    tree = cotengra.array_contract_tree(list(costs.operands), output, sizes, optimize=draw)
    tree = tree.subtree_reconfigure(subtree_size=PART, minimize=f"combo-{costs.write}", seed=0)
    return tree_of([(min(pair), max(pair)) for pair in tree.get_path()], count)
