"""DeepSets: how stretched is a cloud of points?  Sets of different sizes in one batch, padded and masked.

Run it with `python examples/deepsets.py`.
"""

from pathlib import Path

import torch

import catnn

STEPS, MOST = 300, 20


def clouds(count: int, most: int = MOST) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Random points (count, most, 2), which of them are real, and the logarithm of the greatest standard deviation."""
    size = torch.randint(most // 2, most + 1, (count, 1))
    mask = torch.arange(most) < size
    points = torch.randn(count, most, 2) @ torch.randn(count, 2, 2)
    real = mask[..., None].float()
    centred = (points - (points * real).sum(1, keepdim=True) / size[..., None]) * real
    covariance = centred.mT @ centred / size[..., None]
    return points, mask, 0.5 * torch.linalg.eigvalsh(covariance)[:, -1:].log()


def main() -> tuple[float, float]:
    torch.manual_seed(0)
    spec = catnn.load(Path(__file__).with_suffix(".catnn"))
    net = catnn.compile(spec["spread"], n=MOST)
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    for step in range(STEPS):
        points, mask, answer = clouds(64)
        loss = torch.nn.functional.mse_loss(net(points, mask=mask), answer)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 50 == 0 or step == STEPS - 1:
            print(f"step {step:3d}   loss {loss.item():.4f}")

    with torch.no_grad():
        points, mask, answer = clouds(1000)
        error = torch.nn.functional.mse_loss(net(points, mask=mask), answer).item()
        guess = answer.var().item()
        large, real, answer = clouds(1000, most=100)  # five times as many points as it has ever seen
        error_large = torch.nn.functional.mse_loss(net(large, mask=real), answer).item()
        turned = net(points.flip(1), mask=mask.flip(1))
        torch.testing.assert_close(turned, net(points, mask=mask), rtol=1e-3, atol=1e-4)
    print(f"\nmean squared error on new sets          {error:.4f}   (always guessing the mean: {guess:.4f})")
    print(f"on sets of 50 to 100 points             {error_large:.4f}")
    return error, guess


if __name__ == "__main__":
    main()
