"""A molecule's symmetry: what flows along the bonds of benzene, learned from two measurements.

What spreads along bonds (heat, charge, a random walk) is carried by `exp(-t L)`, L the Laplacian of the graph. Every
such map commutes with the automorphisms of the molecule, so it is a combination of orbits on pairs of atoms: 16
numbers for benzene, where a matrix has 144. Each measurement gives 12 equations, so two of them tell them all; without
the symmetry it takes twelve.

Run it with `python examples/molecule.py`.
"""

from pathlib import Path

import torch
from torch import Tensor

import catnn

SPEC = Path(__file__).with_name("molecule.catnn")


def spreading(time: float = 0.7) -> Tensor:
    """exp(-t L) for benzene; the adjacency matrix is a diagram of the spec."""
    adjacency = torch.tensor(catnn.load(SPEC)["bond"].matrix(), dtype=torch.float64)
    return torch.linalg.matrix_exp(-time * (torch.diag(adjacency.sum(1)) - adjacency))


def learned(heat: Tensor, measurements: int) -> float:
    """The largest error of a layer that was fitted to so many measurements."""
    module = catnn.compile(catnn.load(SPEC)["flow"], dtype=torch.float64)
    x = torch.randn(measurements, 12, 1, dtype=torch.float64)
    y = torch.einsum("ij,bjc->bic", heat, x)
    # linear in its weights, so least squares does it: a column is what one weight alone makes of x
    columns = []
    with torch.no_grad():
        for at in range(len(module.weight)):
            module.weight.zero_()
            module.weight[at] = 1
            columns.append(module(x).reshape(-1))
        module.weight.copy_(torch.linalg.lstsq(torch.stack(columns, 1), y.reshape(-1, 1)).solution[:, :, None])
        found = module(torch.eye(12, dtype=torch.float64).unsqueeze(-1)).squeeze(-1).T
    return float((found - heat).abs().max())


def main() -> tuple[float, float]:
    """The errors from one measurement and from two."""
    torch.manual_seed(0)
    heat = spreading()
    one, two = learned(heat, 1), learned(heat, 2)
    print(f"numbers to learn   {len(catnn.load(SPEC)['flow'].diagrams)} of {heat.numel()}")
    print(f"one measurement    largest error {one:.1e}")
    print(f"two measurements   largest error {two:.1e}")
    return one, two


if __name__ == "__main__":
    main()
