"""Which lines of the code compute a term, where its halves are no diagrams of its group."""

from __future__ import annotations

import pytest

import catnn
from catnn.report.links import Code


@pytest.mark.parametrize(
    ("group", "arrow"), [("H(n)", "V^2[3] -> V^2[3]"), ("B'(3)", "V[3] -> V[3]"), ("S'(n)", "V^2[3] -> V^2[3]")]
)
def test_every_term_has_lines(group: str, arrow: str) -> None:
    layer = catnn.parse(f"space V : {group}  layer mix : {arrow} = all + bias")["mix"]
    code = Code(catnn.compile(layer).source)
    for index, term in enumerate(layer.diagrams):
        assert code.of("Mix", term, index), term
    for term in layer.bias_diagrams:
        assert code.of("Mix", term, None), term
