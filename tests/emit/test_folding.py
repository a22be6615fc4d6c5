"""Folded lines of generated source say the same, and are short."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import catnn
from catnn.compiler import generate
from catnn.emit.folding import WIDTH, folded

GALLERY = Path(__file__).resolve().parents[2] / "examples" / "gallery"

NAMES = st.sampled_from(["x", "query", "self.weight", "z_12", 'masks.get("a, b @ (c")', "x.shape[0]"])


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from([" + ", " - ", " @ ", " * "])
    return st.one_of(
        st.builds("({}{}{})".format, inner, operators, inner),
        st.builds("({}{}{}).flatten(1, 2)".format, inner, operators, inner),
        st.builds("f({}, {})".format, inner, inner),
        st.builds("[{}, {}, {}]".format, inner, inner, inner),
        st.builds("{}.unflatten(2, ({}, {}))".format, NAMES, inner, inner),
        st.builds("tuple(f({}) for one in {})".format, inner, inner),
        st.builds('{{"k": {}, "l  # m": {}}}'.format, inner, inner),
    )


@given(st.recursive(NAMES, _larger, max_leaves=12), st.integers(20, 80), st.sampled_from([0, 4, 8]))
def test_folding_changes_no_meaning(text: str, width: int, depth: int) -> None:
    line = f"{' ' * depth}y = {text} - {text}  # V @ H"
    lines = folded(line, width)
    around = "".join(f"{' ' * at}if x:\n" for at in range(0, depth, 4))
    assert ast.dump(ast.parse(around + "\n".join(lines))) == ast.dump(ast.parse(around + line))
    assert len(lines) == 1 or len(line) > width


@pytest.mark.parametrize("path", sorted(GALLERY.glob("*.catnn")), ids=lambda path: path.stem)
def test_the_gallery_fits(path: Path) -> None:
    text = generate(catnn.load(str(path))).text
    assert max(map(len, text.splitlines())) <= WIDTH
