"""The examples run as a newcomer would run them, and do what they say."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from itertools import combinations, permutations
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import networkx as nx
import numpy as np
import pytest

import catnn
from catnn.syntax.printer import format_source

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"


def run(*command: str, timeout: int = 300) -> str:
    """What a script prints."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, check=False, timeout=timeout, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch):
    """Import a script of the examples by name."""
    monkeypatch.syspath_prepend(str(EXAMPLES))

    def load(name: str) -> ModuleType:
        return import_module(name)

    return load


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.catnn")), ids=lambda path: path.name)
def test_specs_load(path: Path) -> None:
    """Every spec is fine."""
    assert catnn.load(path)


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.catnn")), ids=lambda path: path.name)
def test_specs_are_canonical(path: Path) -> None:
    """`catnn fmt` leaves every spec alone."""
    assert format_source(path.read_text()) == path.read_text()


def test_deepsets(example) -> None:
    """The error is far below that of a constant guess."""
    error, guess = example("deepsets").main()
    assert error < 0.5 * guess


def test_materials(example) -> None:
    """Laws learned along the axes hold in every direction."""
    errors = example("materials").main()
    assert errors["drag"] < 0.1
    assert errors["stress"] < 0.1


def test_points(example, capsys: pytest.CaptureFixture[str]) -> None:
    """The answers on unseen molecules turn with the frame, and are far better than zero."""
    pytest.importorskip("ase", reason="the molecules ship with ase, of the extra `dev`")
    results = example("points").main(["--quick"])
    assert results.pop("gap") < 1e-4
    assert list(results) == ["charge (vector)", "inertia (tensor)", "energy (scalar)"]
    assert max(results.values()) < 0.3
    assert "148 molecules" in capsys.readouterr().out


def test_points_says_what_it_needs(monkeypatch: pytest.MonkeyPatch, example) -> None:
    """Without ase there is one sentence, no traceback."""
    for name in ("ase", "ase.collections", "ase.data", "ase.data.g2"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "points", raising=False)
    with pytest.raises(SystemExit, match="pip install ase"):
        example("points")


def test_weightspace(example) -> None:
    """62 diagrams and 6 for the bias, an answer that ignores the order of neurons, and something learned."""
    results = example("weightspace").main(["--quick"])
    assert (results["weights"], results["biases"]) == (62, 6)
    assert results["gap"] < 1e-4
    assert results["error"] < 0.8 * results["guess"]


def test_standalone(tmp_path: Path) -> None:
    """The compiled file trains without catnn."""
    printed = run(str(EXAMPLES / "standalone.py"), str(tmp_path))
    assert "step 300" in printed
    assert (tmp_path / "weights.pt").exists()
    assert "catnn" not in (line.split()[1] for line in (tmp_path / "graph.py").read_text().splitlines()
                           if line.startswith(("import ", "from ")))  # fmt: skip


# ------------------------------------------------------------------------------------------------------------- demo


def brute(a: np.ndarray) -> tuple[int, int, bool]:
    """Triangles and 4-cycles by looking at every choice of nodes, bipartite by trying every colouring."""
    n = len(a)
    threes = sum(bool(a[i, j] and a[j, k] and a[k, i]) for i, j, k in combinations(range(n), 3))
    fours = 0
    for corners in combinations(range(n), 4):
        first, *rest = corners
        for i, j, k in permutations(rest):
            if i < k:  # a cycle has two directions
                fours += bool(a[first, i] and a[i, j] and a[j, k] and a[k, first])
    edges = np.argwhere(a)
    fine = any(all((colours >> i & 1) != (colours >> j & 1) for i, j in edges) for colours in range(2**n))
    return threes, fours, fine


def test_answers_are_exact(example) -> None:
    """Counts and bipartiteness of every graph of the atlas, beside brute force."""
    atlas = example("atlas")
    graphs = atlas.graph_atlas()
    assert len(graphs) == 1252
    data = atlas.tensors(graphs)
    for entry, graph in enumerate(graphs):
        a = nx.to_numpy_array(graph, dtype=int)
        assert tuple(data.y[entry].tolist()) == brute(a)
        assert data.mask[entry].sum() == len(graph)
        assert data.x[entry].sum() == 2 * graph.number_of_edges()


def test_known_counts(example) -> None:
    """K7 has 35 triangles and 105 4-cycles, K33 has none and 9."""
    atlas = example("atlas")
    for graph, counts in (
        (nx.complete_graph(7), (35, 105)),
        (nx.complete_bipartite_graph(3, 3), (0, 9)),
        (nx.cycle_graph(4), (0, 1)),
    ):
        a = nx.to_numpy_array(graph, dtype=int)
        assert (atlas.triangles(a), atlas.four_cycles(a)) == counts


def test_split_does_not_leak(example) -> None:
    """Every graph is in one part, no two graphs are isomorphic, and the seed decides."""
    atlas = example("atlas")
    graphs = atlas.graph_atlas()
    data = atlas.tensors(graphs)
    parts = atlas.split(data, 0)
    rows = [
        tuple(x.flatten().tolist()) + tuple(m.tolist())
        for part in parts
        for x, m in zip(part.x, part.mask, strict=True)
    ]
    assert len(rows) == len(set(rows)) == len(graphs)
    by_invariant: dict[tuple, list[nx.Graph]] = {}
    for graph in graphs:
        by_invariant.setdefault((len(graph), tuple(sorted(dict(graph.degree).values()))), []).append(graph)
    for alike in by_invariant.values():
        assert not any(nx.is_isomorphic(a, b) for a, b in combinations(alike, 2))
    again = atlas.split(data, 0)
    assert all((a.x == b.x).all() for a, b in zip(parts, again, strict=True))
    assert not (atlas.split(data, 1)[0].x == parts[0].x).all()


def test_demo(example, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A few epochs: the losses fall, the table and the files are there."""
    demo = example("demo")
    results = demo.main(["--quick", "--out", str(tmp_path)])
    assert [len(result.training) for result in results] == [3, 3, 3]
    for result in results:
        assert result.training[-1] < result.training[0]
    weights = [result.parameters for result in results]
    assert max(weights) < 1.05 * min(weights)

    printed = capsys.readouterr().out
    assert "1252 graphs" in printed
    for name in demo.NAMES:
        assert name in printed
    files = {path.name: path.read_text() for path in tmp_path.iterdir() if path.suffix != ".pt"}
    assert set(files) == {"demo.svg", "errors.txt", "order3.py", "order3.svg", "order3.txt", "lift3.html", "mix3.html"}
    for name in files:
        assert name in printed
    svg = ElementTree.fromstring(files["demo.svg"])
    assert len(svg.findall(".//{*}g/{*}path")) == 3 * 249
    imported = [line for line in files["order3.py"].splitlines() if line.startswith(("import ", "from "))]
    assert all(line.split()[1].split(".")[0] == "torch" for line in imported)


def test_demo_is_deterministic(example) -> None:
    """The same seed gives the same losses, and every model sees the same batches."""
    demo, atlas = example("demo"), example("atlas")
    learn, choose, _ = atlas.split(atlas.tensors(atlas.graph_atlas()), 0)

    def losses() -> list[float]:
        demo.torch.manual_seed(0)
        return demo.train(demo.GIN(), learn, choose, 2, 0, lambda epoch, loss: None).training

    assert losses() == losses()


def test_padding_does_not_matter(example) -> None:
    """Every model answers a padded graph as it answers the graph alone."""
    demo, atlas = example("demo"), example("atlas")
    data = atlas.tensors(atlas.graph_atlas()[::97])
    spec = catnn.load(EXAMPLES / "graph.catnn")
    for net in (catnn.compile(spec["order3"], n=7), catnn.compile(spec["order2"], n=7), demo.GIN()):
        together = demo.outputs(net, data)
        for entry, answer in enumerate(together):
            n = int(data.mask[entry].sum())
            alone = net(data.x[entry, :n, :n], mask=data.mask[entry, :n])
            demo.torch.testing.assert_close(alone, answer, rtol=1e-4, atol=1e-4)


def test_molecule(example) -> None:
    """Two measurements tell what one does not."""
    one, two = example("molecule").main()
    assert two < 1e-9 < one
