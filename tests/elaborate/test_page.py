"""The page of the language that everybody reads first, and how long it takes."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import catnn
from catnn.model import Activate, Apply, Layer, Network, Pipeline

ROOT = Path(__file__).resolve().parents[2]
PAGE = """\
# graph.catnn -- permutation-equivariant layers on graphs with n nodes
space V : S(n)                                # the wire V is R^n, permuted by S(n)

layer mix  : V^2[3]  -> V^2[16] = all + bias  # every equivariant map: 15 diagrams, 2 for the bias
layer pool : V^2[16] -> V[8]    = span { [i j -> i], [i j -> j], [i i -> i] }
network classify : V^2[3] -> V[8] = mix ; relu ; pool

let trace : V^2 -> 1   = merge ; discard      # a fixed diagram, from generators
let diag  : V^2 -> V^2 = merge ; copy
check trace = [i i -> ]                       # an executable comment: two spellings, one diagram
check copy @ id ; id @ merge = merge ; copy   # the Frobenius law
"""


def test_the_page() -> None:
    spec = catnn.parse(PAGE)
    assert list(spec) == ["mix", "pool", "classify", "trace", "diag"]
    mix, pool, classify = spec["mix"], spec["pool"], spec["classify"]
    assert isinstance(mix, Layer)
    assert (len(mix.diagrams), len(mix.bias_diagrams), mix.learned, mix.biased) == (15, 2, True, True)
    assert [str(diagram) for diagram in pool.diagrams] == ["[i j -> i]", "[i j -> j]", "[i i -> i]"]
    assert (str(pool.source), str(pool.target)) == ("V^2[16]", "V[8]")
    assert isinstance(classify, Network)
    assert isinstance(classify.body, Pipeline)
    first, middle, last = classify.body.stages
    assert isinstance(first, Apply)
    assert isinstance(middle, Activate)
    assert isinstance(last, Apply)
    assert (first.layer, middle.activation, last.layer) == (mix, "relu", pool)
    assert str(spec["trace"]) == "[i i ->]"
    assert [check.text.split()[1] for check in spec.checks] == ["trace", "copy"]
    assert str(spec.spaces["V"].group) == "S(n)"


def test_the_diagrams_of_all_are_different_and_in_order() -> None:
    diagrams = catnn.parse(PAGE)["mix"].diagrams
    assert len(set(diagrams)) == 15
    through = [sum(block[0] < 2 <= block[-1] for block in diagram.parts) for diagram in diagrams]
    assert through == sorted(through)


def test_nothing_heavy_is_imported() -> None:
    heavy = "[m for m in ('torch', 'sympy', 'networkx', 'numpy') if m in sys.modules]"
    code = f"import sys\nimport catnn\ncatnn.parse({PAGE!r})\ncatnn.dim('S(3)', 2, 2)\nprint({heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_it_takes_a_blink() -> None:
    catnn.parse(PAGE)
    times = []
    for _ in range(5):
        start = time.process_time()
        catnn.parse(PAGE)
        times.append(time.process_time() - start)
    assert min(times) < 0.1
