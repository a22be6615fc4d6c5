"""Count triangles and 4-cycles, and tell bipartite graphs, on the graph atlas: all graphs of up to seven nodes.

Three models of one size, trained alike: two networks compiled from graph.catnn, one of them with tensors of order three
on the way, and a graph isomorphism network (GIN) in plain torch. Every graph is padded to seven nodes and masked.

Run it with `make demo`, or `python examples/demo.py [--quick] [--seed 2] [--out demo_out]`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import torch
from atlas import NODES, TASKS, Graphs, graph_atlas, split, tensors
from picture import Bars, Points, picture
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, smooth_l1_loss

import catnn
from catnn import view

HERE = Path(__file__).resolve().parent
EPOCHS, BATCH, RATE = 80, 32, 1e-2  # chosen on other splits than that of the default seed
NAMES = ("order 3, catnn", "order 2, catnn", "GIN, plain torch")


class GIN(nn.Module):
    """A graph isomorphism network (Xu et al. 2019) with a readout of every layer: the most that message passing can."""

    def __init__(self, width: int = 41, depth: int = 3) -> None:
        super().__init__()
        first = [1] + [width] * (depth - 1)
        self.updates = nn.ModuleList(
            nn.Sequential(nn.Linear(i, width), nn.GELU(), nn.Linear(width, width), nn.GELU()) for i in first
        )
        self.eps = nn.Parameter(torch.zeros(depth))
        self.answer = nn.Sequential(nn.Linear(width * depth, width), nn.GELU(), nn.Linear(width, len(TASKS)))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        a, real = x[..., 0], mask[..., None].to(x.dtype)
        h, read = real, []
        for update, eps in zip(self.updates, self.eps, strict=True):
            h = update((1 + eps) * h + a @ h) * real
            read.append(h.sum(-2))
        return self.answer(torch.cat(read, -1))


@dataclass(frozen=True)
class Scale:
    """Mean and deviation of the counts, of the graphs that are trained on alone."""

    mean: Tensor
    deviation: Tensor

    @classmethod
    def of(cls, graphs: Graphs) -> Scale:
        return cls(graphs.y[:, :2].mean(0), graphs.y[:, :2].std(0))

    def loss(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Counts in deviations, and a logit; each task weighs about the same."""
        counts = smooth_l1_loss(outputs[:, :2], (y[:, :2] - self.mean) / self.deviation, beta=0.1)
        return counts + 0.5 * binary_cross_entropy_with_logits(outputs[:, 2], y[:, 2])

    def answers(self, outputs: Tensor) -> Tensor:
        """Counts as they are, and 0 or 1."""
        counts = outputs[:, :2] * self.deviation + self.mean
        return torch.cat((counts, (outputs[:, 2:] > 0).to(counts.dtype)), 1)


@dataclass
class Result:
    """A trained model: the loss of every epoch on both parts, the epoch it was taken from, and the seconds it took."""

    net: nn.Module
    training: list[float]
    validation: list[float]
    best: int
    seconds: float

    @property
    def parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.net.parameters())


@torch.no_grad()
def outputs(net: nn.Module, graphs: Graphs) -> Tensor:
    parts = torch.arange(len(graphs)).split(64)
    return torch.cat([net(graphs.x[at], mask=graphs.mask[at]) for at in parts])


def train(
    net: nn.Module, train: Graphs, validation: Graphs, epochs: int, seed: int, tell: Callable[[int, float], None]
) -> Result:
    """Adam with one cycle of the learning rate; the weights that are kept are those best on the validation graphs."""
    scale = Scale.of(train)
    order = torch.Generator().manual_seed(seed)  # the same batches for every model
    optimiser = torch.optim.Adam(net.parameters(), lr=RATE, betas=(0.9, 0.95))
    steps = epochs * -(-len(train) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps, pct_start=0.1)
    result, kept, start = Result(net, [], [], 0, 0.0), net.state_dict(), time.perf_counter()
    for epoch in range(epochs):
        total = 0.0
        for at in torch.randperm(len(train), generator=order).split(BATCH):
            batch = train[at]
            loss = scale.loss(net(batch.x, mask=batch.mask), batch.y)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total += loss.item() * len(batch)
        result.training.append(total / len(train))
        result.validation.append(scale.loss(outputs(net, validation), validation.y).item())
        if result.validation[-1] <= min(result.validation):
            result.best, kept = epoch, deepcopy(net.state_dict())
        tell(epoch + 1, result.validation[-1])
    net.load_state_dict(kept)
    result.seconds = time.perf_counter() - start
    return result


def progress(name: str, epochs: int) -> Callable[[int, float], None]:
    """A bar on a terminal, a line every quarter elsewhere."""
    start = time.perf_counter()

    def tell(epoch: int, loss: float) -> None:
        done = round(24 * epoch / epochs)
        left = (time.perf_counter() - start) * (epochs - epoch) / epoch
        line = f"{name:<17} {'━' * done}{'╌' * (24 - done)} {epoch:3d}/{epochs}  loss {loss:.4f}  {left:3.0f} s left"
        if sys.stdout.isatty():
            print("\r" + line, end="\n" if epoch == epochs else "", flush=True)
        elif epoch == epochs or epoch % -(-epochs // 4) == 0:
            print(line, flush=True)

    return tell


def table(results: list[Result], errors: list[Tensor], constant: Tensor) -> str:
    """The errors on the held-out graphs."""
    lines = [
        f"{'held-out error':<17} {'triangles':>10} {'4-cycles':>10} {'bipartite':>10} {'weights':>9} {'seconds':>8}"
    ]
    for name, result, error in zip(NAMES, results, errors, strict=True):
        t, c, b = error.mean(0).tolist()
        lines.append(f"{name:<17} {t:>10.3f} {c:>10.3f} {b:>10.1%} {result.parameters:>9,} {result.seconds:>8.0f}")
    t, c, b = constant.tolist()
    lines.append(f"{'always the same':<17} {t:>10.3f} {c:>10.3f} {b:>10.1%} {0:>9}")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> list[Result]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few epochs, to see that it runs")
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("demo_out"))
    chosen = parser.parse_args(arguments)
    epochs = 3 if chosen.quick else EPOCHS
    torch.set_num_threads(1)  # the tensors are small
    begin = time.perf_counter()

    spec = catnn.load(HERE / "graph.catnn")
    parts = split(tensors(graph_atlas()), chosen.seed)
    learn, choose, test = parts
    print(
        f"{sum(map(len, parts))} graphs of 1 to {NODES} nodes, no two isomorphic (the atlas without its empty graph):"
    )
    print(f"{len(learn)} to train on, {len(choose)} to choose the epoch by, {len(test)} held out\n")

    torch.manual_seed(chosen.seed)
    order3, order2 = (catnn.compile(spec[name], n=NODES, batch=BATCH) for name in ("order3", "order2"))
    results = [
        train(net, learn, choose, epochs, chosen.seed, progress(name, epochs))
        for name, net in zip(NAMES, (order3, order2, GIN()), strict=True)
    ]

    scale = Scale.of(learn)
    answers = [scale.answers(outputs(result.net, test)) for result in results]
    errors = [(answer - test.y).abs() for answer in answers]
    usual = torch.cat((learn.y[:, :2].median(0).values, learn.y[:, 2:].mean(0).round()))
    constant = (usual - test.y).abs().mean(0)
    summary = table(results, errors, constant)
    print(f"\n{summary}\n(mean absolute error of the counts, share of wrong answers for bipartite)\n")

    chosen.out.mkdir(parents=True, exist_ok=True)
    bars = [
        Bars(
            title,
            [error[:, task].mean().item() for error in errors],
            [(error[:, task].std() / len(test) ** 0.5).item() for error in errors],
            constant[task].item(),
            percent=task == 2,
        )
        for task, title in enumerate(("Triangles: mean error", "4-cycles: mean error", "Bipartite: errors"))
    ]
    clouds = [
        Points(f"4-cycles, {name.split(',')[0]}", test.y[:, 1].tolist(), answer[:, 1].tolist())
        for name, answer in zip(NAMES, answers, strict=True)
    ]
    title = f"{len(test)} held-out graphs, three models of the same size"
    drawn = picture(title, NAMES, bars, [result.validation for result in results], clouds)
    written = {
        "demo.svg": drawn,
        "errors.txt": summary + "\n",
        "order3.py": order3.source,
        "order3.txt": str(catnn.explain(spec["order3"], n=NODES, batch=BATCH)) + "\n",
        "order3.svg": view.to_svg(spec["order3"]),
        "lift3.html": view.to_html(spec["lift3"]),
        "mix3.html": view.to_html(spec["mix3"]),
    }
    meaning = {
        "demo.svg": "the picture of all this",
        "errors.txt": "the table above",
        "order3.py": "the compiled model; imports torch alone",
        "order3.txt": "what it costs, beside the usual ways to run it",
        "order3.svg": "its stages",
        "lift3.html": f"the {len(spec['lift3'].diagrams)} diagrams of its first layer",
        "mix3.html": f"the {len(spec['mix3'].diagrams)} diagrams of its second layer",
    }
    for name, text in written.items():
        (chosen.out / name).write_text(text, encoding="utf-8")
        print(f"{chosen.out / name!s:<21} {meaning[name]}")
    torch.save(order3.state_dict(), chosen.out / "order3.pt")
    print(f"{chosen.out / 'order3.pt'!s:<21} its weights\n\n{time.perf_counter() - begin:.0f} seconds")
    return results


if __name__ == "__main__":
    main()
