"""One einsum for each diagram."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from catnn.baselines.pieces import Term, add_bias, merged


@dataclass(frozen=True)
class Einsums:
    """One einsum for each diagram: repeated letters on the input, a delta for each repeated letter of the output."""

    terms: list[Term]
    biases: list[Term]
    shape: tuple[int, ...]

    def __call__(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        deltas: dict[tuple[int, int], Tensor] = {}
        y = None
        for term in self.terms:
            formula, needed = self._formula(term)
            for key in needed:
                if key not in deltas:
                    deltas[key] = _delta(x, *key)
            value = torch.einsum(formula, x, weight[term.index] * term.coefficient, *(deltas[key] for key in needed))
            y = value if y is None else y + value
        assert y is not None
        return add_bias(y, self.biases, bias)

    def _formula(self, term: Term) -> tuple[str, list[tuple[int, int]]]:
        letters = iter("abcdefghijklmnpqrstuvwxyz")
        l = len(term.diagram.target)
        names = {v: next(letters) for v in range(l)}
        operands, needed = [], []
        for block in term.diagram.parts:
            outs = [v for v in block if v < l]
            name = names[outs[0]] if outs else next(letters)
            names.update((v, name) for v in block if v >= l)
            if len(outs) > 1 or len(outs) == len(block):
                operands.append("".join(names[v] for v in outs))
                needed.append((self.shape[outs[0]], len(outs)))
        ins = "".join(names[v] for v in range(l, l + len(term.diagram.source)))
        out = "".join(names[v] for v in range(l))
        return f"{','.join((f'Z{ins}X', 'YX', *operands))}->Z{out}Y", needed


def _delta(like: Tensor, n: int, order: int) -> Tensor:
    """1 where all indices are equal."""
    result = like.new_zeros((n,) * order)
    merged(result, 0, order).fill_(1)
    return result
