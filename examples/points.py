"""Molecules: a vector, a tensor and an energy from the places of atoms, under S(n) x O(3).

The molecules are those of the G2 set that ships with the package `ase`, real geometries of 1 to 14 atoms. The network
reads the atoms in any order and any frame, and answers with the centre of the nuclear charge (a vector), the inertia
tensor about the centre of mass, and the energy of the zero-point vibrations (a number from quantum chemistry).

Run it with `python examples/points.py`, or with `--quick` for a few steps.
"""

import sys
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

import catnn

try:
    from ase.collections import g2
    from ase.data.g2 import data as tables
except ImportError:
    sys.exit("This example reads molecules that ship with `ase`, which is missing: pip install ase")

ELEMENTS = ["H", "Li", "Be", "B", "C", "N", "O", "F", "Na", "Al", "Si", "P", "S", "Cl"]
NAMES = ("charge (vector)", "inertia (tensor)", "energy (scalar)")
STEPS, LEARN = 300, 120
LENGTH = 2.0  # of a typical distance, in Angstrom


class Molecules(NamedTuple):
    """A padded batch: places (count, n, 3), elements (count, n, 14), which atoms are real, and the three answers."""

    places: Tensor
    elements: Tensor
    mask: Tensor
    answers: tuple[Tensor, Tensor, Tensor]

    def pick(self, rows: Tensor) -> "Molecules":
        return Molecules(self.places[rows], self.elements[rows], self.mask[rows], tuple(a[rows] for a in self.answers))


def molecules() -> Molecules:
    """Those whose zero-point energy is known, each about its centre of mass."""
    names = [name for name in g2.names if tables[name].get("ZPE") is not None]
    count, most = len(names), max(len(g2[name]) for name in names)
    places, elements = torch.zeros(count, most, 3), torch.zeros(count, most, len(ELEMENTS))
    mask = torch.zeros(count, most, dtype=torch.bool)
    vector, tensor, energy = torch.zeros(count, 3, 1), torch.zeros(count, 3, 3, 1), torch.zeros(count, 1)
    for row, name in enumerate(names):
        atoms = g2[name]
        x = torch.tensor(atoms.positions - atoms.get_center_of_mass(), dtype=torch.float32)
        charge, mass = torch.tensor(atoms.numbers), torch.tensor(atoms.get_masses(), dtype=torch.float32)
        places[row, : len(x)], mask[row, : len(x)] = x, True
        elements[row, range(len(x)), [ELEMENTS.index(symbol) for symbol in atoms.symbols]] = 1
        vector[row, :, 0] = (charge[:, None] * x).sum(0)
        inertia = mass[:, None, None] * (x.square().sum(-1)[:, None, None] * torch.eye(3) - x[:, :, None] * x[:, None])
        tensor[row, :, :, 0], energy[row] = inertia.sum(0), tables[name]["ZPE"]
    return Molecules(places, elements, mask, (vector, tensor, energy))


def features(places: Tensor, elements: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """For each atom 1, x and x x^T, in the channel of its element."""
    places = places / LENGTH
    x = places[..., None] * elements[..., None, :]
    return elements, x, places[..., None, :, None] * x[..., None, :, :].transpose(-3, -2)


def errors(net: torch.nn.Module, data: Molecules, scales: list[Tensor]) -> list[Tensor]:
    """The mean squared error of each answer, in units of its typical size."""
    found = net(features(data.places, data.elements), mask={"N": data.mask})
    return [(y - a / s).square().mean() for y, a, s in zip(found, data.answers, scales, strict=True)]


def main(arguments: list[str] | None = None) -> dict[str, float]:
    quick = "--quick" in (sys.argv[1:] if arguments is None else arguments)
    steps = 100 if quick else STEPS
    torch.manual_seed(0)
    data = molecules()
    order = torch.randperm(len(data.mask))
    learn, rest = data.pick(order[:LEARN]), data.pick(order[LEARN:])
    scales = [answer.square().mean().sqrt() for answer in learn.answers]
    print(f"{len(order)} molecules of 1 to {data.mask.shape[1]} atoms; {LEARN} to learn from")

    net = catnn.compile(catnn.load(Path(__file__).with_suffix(".catnn"))["molecule"], n=data.mask.shape[1])
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-2, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for step in range(steps):
        loss = sum(errors(net, learn, scales))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if step % (steps // 5) == 0 or step == steps - 1:
            print(f"step {step:4d}   loss {loss.item():.5f}")

    with torch.no_grad():
        results = dict(zip(NAMES, (e.item() for e in errors(net, rest, scales)), strict=True))
        print("\nmean squared error on the other molecules, as a part of the mean square")
        for name, error in results.items():
            print(f"  {name:17s} {error:.5f}")

        # Other axes and another order of the atoms: the answers turn along.
        q, p = torch.linalg.qr(torch.randn(3, 3)).Q, torch.randperm(data.mask.shape[1])
        vector, tensor, energy = net(features(rest.places, rest.elements), mask={"N": rest.mask})
        turned = net(features((rest.places @ q.T)[:, p], rest.elements[:, p]), mask={"N": rest.mask[:, p]})
        expected = (q @ vector[..., 0, None], (q @ tensor[..., 0] @ q.T)[..., None], energy)
        gap = max((a - b).abs().max().item() for a, b in zip(turned, expected, strict=True))
        print(f"in a frame turned and reflected, with the atoms shuffled: the answers differ by {gap:.1e}")
    return results | {"gap": gap}


if __name__ == "__main__":
    main()
