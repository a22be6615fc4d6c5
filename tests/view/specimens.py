"""A few values to draw: diagrams of every group, sums, layers with direct sums, a network with a residual."""

from __future__ import annotations

import hashlib
from fractions import Fraction

from catnn import view
from catnn.category.compose import identity, permutation
from catnn.category.diagram import Diagram, Morphism
from catnn.category.halves import hom
from catnn.category.scalar import ONE, Scalar
from catnn.category.wires import Group, Summand, Type, Wire, Word
from catnn.model import Activate, Apply, Combine, Identity, Layer, Network, Pipeline

V = Wire("V", Group("S", "n"))
N = Wire("N", Group("S", "n"))
R = Wire("R", Group("O", 3))
P = Wire("P", Group("Sp", "r"))
E = Wire("E", Group("A", 4))


def full(name: str, source: Word, target: Word, channels: tuple[int, int] = (3, 16), *, bias: bool = True) -> Layer:
    """A layer of everything."""
    weighted = tuple(f.diagram() for f in hom(source, target))
    biases = tuple(f.diagram() for f in hom((), target)) if bias else ()
    source_type, target_type = (Type((Summand(w, c),)) for w, c in zip((source, target), channels, strict=True))
    return Layer(name, source_type, target_type, ((weighted,),), (biases,), (((),),), biased=bias)


def averaging() -> Layer:
    """Two summands in, a sum as a term, a fixed part, and means."""
    row, column = Diagram((V, V), (V,), ((0, 1), (2,))), Diagram((V, V), (V,), ((0, 2), (1,)))
    mean: Morphism = row * (ONE / Scalar.size("n")) + column
    source = Type((Summand((V, V), 4), Summand((V,), 4)))
    return Layer(
        "avg", source, Type((Summand((V,), 4),)), (((mean,), ()),), ((Diagram((), (V,), ((0,),)),),),
        (((), (identity((V,)),)),), biased=True, reduce="mean",
    )  # fmt: skip


MIX = full("mix", (V, V), (V, V))
DEEP = full("deep", (V, V), (V, V), (16, 16))
GEO = full("geo", (N, R, R), (R, N, R), bias=False)
AVG = averaging()


def network() -> Network:
    """mix ; relu ; (deep ; relu + id + 1/2 * deep) ; pool."""
    wide = Type((Summand((V, V), 16),))
    pool = full("pool", (V, V), (V,), (16, 8))
    branch = Pipeline((Apply(DEEP), Activate("relu", wide)))
    residual = Combine(((ONE, branch), (ONE, Identity(wide)), (Scalar.of(Fraction(1, 2)), Apply(DEEP))))
    body = Pipeline((Apply(MIX), Activate("relu", wide), residual, Apply(pool)))
    return Network("classify", MIX.source, pool.target, body)


NET = network()
DIAGRAMS: dict[str, Morphism] = {
    "empty": identity(()),
    "transpose": permutation((V, V), (1, 0)),
    "spiders": Diagram((V,) * 4, (V,) * 5, ((0, 3, 6, 8), (1, 5, 7), (2,), (4,))),
    "output-only": Diagram((), (V,) * 4, ((0, 3), (1,), (2,))),
    "brauer": Diagram((R,) * 4, (R,) * 2, ((0, 4), (1, 3), (2, 5))),
    "symplectic": Diagram((P,) * 3, (P,) * 3, ((0, 2), (1, 4), (3, 5))),
    "jellyfish": Diagram((E,) * 4, (E,) * 2, ((0, 5), (1, 2), (3, 4)), ("E",)),
    "several": Diagram((V, R, P, R, P), (R, V, P, V, P, R), ((0, 7), (1, 3, 6), (2, 8), (4, 10), (5, 9))),
    "laplacian": identity((V,)) - Diagram((V,), (V,), ((0,), (1,))) * (ONE / Scalar.size("n")),
}
VALUES = {**DIAGRAMS, "mix": MIX, "geo": GEO, "avg": AVG, "network": NET}
FORMATS = {"svg": "svg", "tikz": "tex", "dot": "dot", "text": "txt", "json": "json", "hif": "hif.json", "html": "html"}


def render(name: str, form: str) -> str:
    """A value in a format."""
    text = getattr(view, f"to_{form}")(VALUES[name])
    assert isinstance(text, str)
    return text


def digest() -> str:
    """One number for all values in all formats."""
    total = hashlib.sha256()
    for name in VALUES:
        for form in (*FORMATS, "graphml"):
            if form != "graphml" or name != "laplacian":
                total.update(render(name, form).encode())
    return total.hexdigest()
