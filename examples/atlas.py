"""The graph atlas as tensors: every graph of one to seven nodes, padded, masked and counted."""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx
import numpy as np
import torch
from torch import Tensor

NODES = 7
TASKS = ("triangles", "4-cycles", "bipartite")


@dataclass(frozen=True)
class Graphs:
    """A batch: x (*batch, n, n, 1), 1 at an edge; mask (*batch, n), True = a node; y (*batch, 3), the TASKS."""

    x: Tensor
    mask: Tensor
    y: Tensor

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, at: Tensor) -> Graphs:
        return Graphs(self.x[at], self.mask[at], self.y[at])


def triangles(a: np.ndarray) -> int:
    """How many triangles: each is six closed walks of three steps."""
    return int(np.trace(a @ a @ a)) // 6


def four_cycles(a: np.ndarray) -> int:
    """How many cycles of length four, induced or not: two ways from one corner to the opposite one; a cycle has two
    such pairs of corners."""
    ways = (a @ a)[np.triu_indices(len(a), 1)]
    return int((ways * (ways - 1) // 2).sum()) // 2


def graph_atlas() -> list[nx.Graph]:
    """The 1252 graphs that have a node, no two of them isomorphic; the atlas's first graph is empty and left out."""
    return [graph for graph in nx.graph_atlas_g() if len(graph)]


def tensors(graphs: list[nx.Graph]) -> Graphs:
    """Adjacency matrices in the corner of NODES x NODES, masks, and the exact answers."""
    x = torch.zeros(len(graphs), NODES, NODES, 1)
    mask = torch.zeros(len(graphs), NODES, dtype=torch.bool)
    y = torch.zeros(len(graphs), len(TASKS))
    for entry, graph in enumerate(graphs):
        n = len(graph)
        a = nx.to_numpy_array(graph, dtype=np.int64, weight=None)
        x[entry, :n, :n, 0] = torch.from_numpy(a)
        mask[entry, :n] = True
        y[entry] = torch.tensor([triangles(a), four_cycles(a), nx.is_bipartite(graph)])
    return Graphs(x, mask, y)


def split(graphs: Graphs, seed: int) -> tuple[Graphs, Graphs, Graphs]:
    """60% to train on, 20% to choose by, 20% to report; drawn by a seed, each with its share of bipartite graphs."""
    generator = torch.Generator().manual_seed(seed)
    parts: tuple[list[Tensor], ...] = ([], [], [])
    for answer in (0, 1):
        at = (graphs.y[:, 2] == answer).nonzero()[:, 0]
        at = at[torch.randperm(len(at), generator=generator)]
        fifth = len(at) // 5
        for part, chosen in zip(parts, at.split([len(at) - 2 * fifth, fifth, fifth]), strict=True):
            part.append(chosen)
    train, validation, test = (graphs[torch.cat(part)] for part in parts)
    return train, validation, test
