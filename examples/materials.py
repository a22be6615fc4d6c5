"""Physics in any frame: an O(3) network learns a material law from axis-aligned experiments alone.

The pointwise functions of ordinary networks do not commute with rotations, and catnn refuses them here; `gate` scales
a tensor by a function of its norm.  Trained on strains along the axes, the network is right about all of them.

Run it with `python examples/materials.py`.
"""

from pathlib import Path

import torch
from torch import Tensor

import catnn

STEPS = 400


def drag(v: Tensor) -> Tensor:
    """Linear at low speed, quadratic at high speed."""
    return -v * (1 + v.norm(dim=-1, keepdim=True)) / 2


def stress(strain: Tensor, heat: Tensor) -> Tensor:
    """A material that softens where it is strained much, and expands with heat."""
    softness = 1 + strain.square().sum((-2, -1), keepdim=True)
    return strain / softness.sqrt() - 0.3 * heat[..., None] * torch.eye(3)


def rotations(count: int) -> Tensor:
    """Random rotations and reflections."""
    return torch.linalg.qr(torch.randn(count, 3, 3)).Q


def fit(net: torch.nn.Module, sample, steps: int = STEPS) -> list[float]:
    """The losses of a plain training loop on fresh samples."""
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    losses = []
    for _ in range(steps):
        x, y = sample()
        loss = torch.nn.functional.mse_loss(net(x), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
    return losses


def main() -> dict[str, float]:
    torch.manual_seed(0)
    spec = catnn.load(Path(__file__).with_suffix(".catnn"))

    def velocities(count: int = 128) -> tuple[Tensor, Tensor]:
        v = torch.zeros(count, 3)
        v[:, 0] = torch.randn(count)  # the wind tunnel blows along the first axis only
        return v[..., None], drag(v)[..., None]

    def samples(count: int = 128) -> tuple[tuple[Tensor, Tensor], Tensor]:
        strain, heat = torch.diag_embed(torch.randn(count, 3)), torch.randn(count, 1)
        return (strain[..., None], heat), stress(strain, heat)[..., None]  # a channel axis, as everywhere

    results = {}
    net = catnn.compile(spec["drag"])
    losses = fit(net, velocities)
    print(f"drag:   loss {losses[0]:.4f} -> {losses[-1]:.5f}, trained along one axis")
    with torch.no_grad():
        v, force = velocities(1000)
        q = rotations(1000)
        results["drag"] = torch.nn.functional.mse_loss(net(q @ v), q @ force).item()
    print(f"        {results['drag']:.5f} in every direction")

    net = catnn.compile(spec["stress"])
    losses = fit(net, samples)
    print(f"stress: loss {losses[0]:.4f} -> {losses[-1]:.5f}, trained on strains along the axes")
    with torch.no_grad():
        (strain, heat), answer = samples(1000)
        turn = lambda t: (q @ t[..., 0] @ q.mT)[..., None]  # noqa: E731
        results["stress"] = torch.nn.functional.mse_loss(net((turn(strain), heat)), turn(answer)).item()
    print(f"        {results['stress']:.5f} on strains in every direction")
    return results


if __name__ == "__main__":
    main()
