"""Stacked maps: the image of every diagram, then one product (IGN, Maron et al., arXiv 1812.09902)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from catnn.baselines.pieces import Term, contracted, place, spread


@dataclass(frozen=True)
class Stacked:
    """IGN (Maron et al., arXiv 1812.09902) as its ports write it: each map's image, all stacked, then one einsum.

    Every reduction is computed once.  Channels first, as there.
    """

    terms: list[Term]
    biases: list[Term]
    shape: tuple[int, ...]

    def __call__(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        reduced: dict[object, Tensor] = {}
        images = []
        for term in self.terms:
            key = (term.cut.input_permutation, tuple((p.kind, p.inputs) for p in term.cut.pieces if p.inputs))
            if key not in reduced:
                reduced[key] = contracted(x, term.cut, 2)
            images.append(self._image(reduced[key], term, x.shape[:2]))
        y = torch.einsum("dsb,nbd...->ns...", weight, torch.stack(images, 2))
        if bias is not None:
            for term in self.biases:
                blocks = len(term.diagram.parts)
                place(y, term.cut, 2).add_((term.coefficient * bias[term.index]).view(1, -1, *(1,) * blocks))
        return y

    def _image(self, value: Tensor, term: Term, start: torch.Size) -> Tensor:
        full = (*start, *self.shape[:-1])
        value = spread(value, term.cut, 2) * term.coefficient
        if all(len(piece.outputs) < 2 for piece in term.cut.pieces):
            return value.permute(0, 1, *(2 + j for j in term.cut.output_permutation)).expand(full)
        image = value.new_zeros(full)
        place(image, term.cut, 2).copy_(value)
        return image
