"""The compiled file on its own: a model that needs torch and nothing else.

Compile once, with catnn; then copy graph.py wherever you like and train it there.

Run it with `python examples/standalone.py [FOLDER]`.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

TRAINING = '''\
"""How many neighbours has a node?  Eight classes, from three channels of pairs; catnn is not needed here."""
import sys
import torch
from graph import Classify

torch.manual_seed(0)
torch.set_num_threads(1)
net = Classify(n=8)
optimiser = torch.optim.Adam(net.parameters(), lr=1e-2)
for step in range(301):
    upper = torch.bernoulli(torch.rand(64, 1, 1).expand(-1, 8, 8)).triu(1)
    edges = upper + upper.mT
    nodes = torch.eye(8).expand_as(edges)
    x = torch.stack((edges, nodes, 1 - edges - nodes), -1)          # (64, 8, 8, 3)
    degree = edges.sum(-1).long()                                   # (64, 8)
    logits = net(x)                                                 # (64, 8, 8): a score for each class
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), degree.flatten())
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    if step % 50 == 0:
        right = (logits.argmax(-1) == degree).float().mean()
        print(f"step {step:3d}   loss {loss.item():.3f}   right {right.item():.0%}")
assert "catnn" not in sys.modules
torch.save(net.state_dict(), "weights.pt")
'''


def main(folder: Path) -> None:
    spec = Path(__file__).with_name("graph.catnn")
    compile_it = [sys.executable, "-m", "catnn", "compile", str(spec), "-o", str(folder / "graph.py")]
    subprocess.run(compile_it, check=True)
    (folder / "train.py").write_text(TRAINING, encoding="utf-8")
    print(f"training with {folder / 'train.py'}", flush=True)
    subprocess.run([sys.executable, "train.py"], cwd=folder, check=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        chosen = Path(sys.argv[1])
        chosen.mkdir(parents=True, exist_ok=True)
        main(chosen)
    else:
        with tempfile.TemporaryDirectory() as name:
            main(Path(name))
