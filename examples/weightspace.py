"""Reading the weights of other networks: how fast is the wave that a small MLP has learned?

Many small MLPs are trained, each from a random start of its own, on the waves sin(w (a + b)) and cos(w (a + b)) with a
w of its own. Another network then reads their weights and biases, without ever running them, and says what w is. The
neurons of a hidden layer come in no particular order, and neither do inputs and outputs here: the answer must not
depend on it, and does not, by S(inputs) x S(first) x S(second) x S(outputs).

Run it with `python examples/weightspace.py`, or with `--quick` for fewer networks and steps.
"""

import sys
from pathlib import Path

import torch
from torch import Tensor

import catnn

WIDTHS = (2, 8, 8, 2)


def run(weights: list[Tensor], x: Tensor) -> Tensor:
    """Many MLPs at once, each on its own points; weights (count, out, in) and biases (count, out) take turns."""
    for at in range(0, len(weights), 2):
        x = x @ weights[at].mT + weights[at + 1][:, None]
        x = torch.tanh(x) if at < len(weights) - 2 else x
    return x


def population(count: int, steps: int) -> tuple[list[Tensor], Tensor]:
    """The weights of trained MLPs and their frequencies (count, 1)."""
    frequency = 1 + 3 * torch.rand(count, 1)
    weights = []
    for out, in_ in zip(WIDTHS[1:], WIDTHS, strict=False):
        weights += [torch.randn(count, out, in_) * 0.7 / in_**0.5, torch.randn(count, out) * 0.1]
    weights = [weight.requires_grad_() for weight in weights]
    optimiser = torch.optim.Adam(weights, lr=1e-2)
    for _ in range(steps):
        x = 2 * torch.rand(count, 64, 2) - 1
        phase = frequency[:, None] * x.sum(-1, keepdim=True)
        error = (run(weights, x) - torch.cat([phase.sin(), phase.cos()], -1)).square().mean((1, 2))
        optimiser.zero_grad()
        error.sum().backward()
        optimiser.step()
    print(f"{count} MLPs trained; mean squared error {error.median().item():.4f} (median)")
    return [weight.detach() for weight in weights], frequency


def main(arguments: list[str] | None = None) -> dict[str, float]:
    quick = "--quick" in (sys.argv[1:] if arguments is None else arguments)
    count, steps = (800, 200) if quick else (1200, 300)
    torch.manual_seed(0)
    spec = catnn.load(Path(__file__).with_suffix(".catnn"))
    pairs = [len(pair) for row in spec["mix"].diagrams for pair in row]
    biases = sum(len(row) for row in spec["mix"].bias_diagrams)
    print(f"{sum(pairs)} weights and {biases} biases a pair of channels")

    weights, frequency = population(count, steps)
    data = [weight[..., None] for weight in weights]  # a channel axis, as everywhere
    learn = slice(0, count * 5 // 6)
    rest = slice(learn.stop, None)
    target = (frequency - 2.5) / 0.75**0.5

    inputs, first, second, outputs = WIDTHS
    net = catnn.compile(spec["judge"], inputs=inputs, first=first, second=second, outputs=outputs)
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-2, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for step in range(steps):
        rows = torch.randint(learn.stop, (128,))
        loss = torch.nn.functional.mse_loss(net(tuple(w[rows] for w in data)), target[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % (steps // 5) == 0 or step == steps - 1:
            print(f"step {step:3d}   loss {loss.item():.4f}")

    with torch.no_grad():
        unseen = tuple(w[rest] for w in data)
        found = net(unseen)
        error = torch.nn.functional.mse_loss(found, target[rest]).item()
        guess = target[rest].var().item()
        print(f"\nmean squared error on new MLPs   {error:.4f}   (always guessing the mean: {guess:.4f})")

        a, b, c, d = (torch.randperm(width) for width in WIDTHS)
        w1, b1, w2, b2, w3, b3 = unseen
        shuffled = (w1[:, b][:, :, a], b1[:, b], w2[:, c][:, :, b], b2[:, c], w3[:, d][:, :, c], b3[:, d])
        gap = (net(shuffled) - found).abs().max().item()
        print(f"with every layer's neurons shuffled: the answers differ by {gap:.1e}")
    return {"error": error, "guess": guess, "gap": gap, "weights": sum(pairs), "biases": biases}


if __name__ == "__main__":
    main()
