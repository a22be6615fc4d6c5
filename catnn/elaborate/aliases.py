"""What goes by another name here: cyclic and dihedral groups, those of Euclid and of Lorentz; functions of torch."""

from __future__ import annotations

from catnn.syntax import nodes

MOST = 12
"""Longer cycles are not written out."""
DIFFERENCES = "and let the layer see differences of places, which no translation changes"

PATTERNS = {
    "a pattern sums over letters that the right side leaves out": ("[i j -> i]", "sum"),
    "a mean is a sum and a scalar, or a layer with `{ reduce: mean }`": ("1/n * [i j -> i]", "mean average avg"),
    "a pattern orders the axes": ("[i j -> j i]", "transpose permute movedim"),
    "a letter that stands twice takes a diagonal": ("[i i -> i]", "diag diagonal"),
    "a letter that stands twice takes a diagonal, one that is left out is summed": ("[i i ->]", "trace"),
    "a letter that is new on the right broadcasts": ("[i -> i j]", "broadcast expand repeat"),
    "a pattern multiplies several values": ("[i j, j k -> i k](x, y)", "einsum matmul bmm mm mul dot outer"),
    "a layer takes several values as their direct sum": (
        "layer f : V[4] + V[4] -> V[8] = all",
        "cat concat",
    ),
    "a layer between words of order 0 is one": ("layer f : 1[16] -> 1[32] = all + bias", "linear dense fc"),
    "there are norms along axes": ("layer_norm[V](x)", "norm normalize batchnorm instancenorm groupnorm"),
    "what draws at random stands outside": ("torch.nn.Sequential(net, torch.nn.Dropout(0.1))", "dropout"),
}
"""Functions that people look for: what there is instead, how that is written, and their names."""

INSTEAD = {name: (what, code) for what, (code, names) in PATTERNS.items() for name in names.split()}


def function_as(name: str) -> tuple[str, ...]:
    """The help for a function that there is in another form.

    >>> function_as("mean")
    ('a mean is a sum and a scalar, or a layer with `{ reduce: mean }`: `1/n * [i j -> i]`',)
    """
    found = INSTEAD.get(name.casefold().replace("_", ""))
    return () if found is None else (f"{found[0]}: `{found[1]}`",)


def known_as(node: nodes.Group) -> tuple[str, ...]:
    """The help for a group that there is by another name.

    >>> from catnn.syntax.parser import parse_group
    >>> known_as(parse_group("D(4)"))
    ('write `Perm(4, (0 1 2 3), (1 3))`: the corners of a polygon, turned and reflected',)
    >>> known_as(parse_group("X(4)"))
    ()
    """
    size = node.args[0] if len(node.args) == 1 and isinstance(node.args[0], int) else 0
    match node.head:
        case "C" | "Z" | "Cyclic" if 2 <= size <= MOST:
            return (f"write `Perm({size}, {_turn(size)})`: the points of a circle, turned",)
        case "D" | "Dih" | "Dihedral" if 3 <= size <= MOST:
            mirror = " ".join(f"({i} {size - i})" for i in range(1, (size + 1) // 2))
            return (f"write `Perm({size}, {_turn(size)}, {mirror})`: the corners of a polygon, turned and reflected",)
        case "E" if size:
            return (f"write `O({size})`, {DIFFERENCES}",)
        case "SE" if size:
            return (f"write `SO({size})`, {DIFFERENCES}",)
        case "Lorentz" | "Minkowski":
            return ("write `O(1,3)`",)
    return ()


def _turn(size: int) -> str:
    return f"({' '.join(map(str, range(size)))})"
