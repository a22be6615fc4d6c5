"""In a notebook: values draw themselves, and `%%catnn` makes a spec of a cell."""

from __future__ import annotations

from typing import Any

import pytest

import catnn

CELL = "space V : S(n)\nlayer mix : V^2[3] -> V^2[16] = all + bias\n"


@pytest.fixture
def shell() -> Any:
    pytest.importorskip("IPython", reason="IPython is not installed")
    from IPython.core.interactiveshell import InteractiveShell

    found = InteractiveShell()
    found.run_line_magic("load_ext", "catnn")
    yield found
    InteractiveShell.clear_instance()


def test_a_cell_is_a_spec(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    shown = shell.run_cell_magic("catnn", "graph", CELL)
    assert shown is shell.user_ns["graph"]
    assert len(shown["mix"].diagrams) == 15
    assert shown._repr_html_().count("<figure>") == 17
    shell.run_cell_magic("catnn", "", CELL)
    assert "spec" in shell.user_ns
    assert capsys.readouterr().err == ""


def test_a_fault_is_a_diagnostic_and_no_traceback(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert shell.run_cell_magic("catnn", "graph", CELL.replace("all", "alle")) is None
    said = capsys.readouterr().err
    assert "error[E0101]" in said
    assert "<graph>:2:" in said
    assert "Traceback" not in said
    assert "graph" not in shell.user_ns
    assert shell.run_cell_magic("catnn", "a b", CELL) is None
    assert "none" in capsys.readouterr().err


def test_values_draw_themselves() -> None:
    spec = catnn.parse(
        CELL + "box f : V -> V = abstract\nlet g : V -> V = f ; f\nrule twice : f ; f => f\ncheck f ; f ; f = f"
    )
    mix = spec["mix"]
    assert mix._repr_svg_().startswith("<svg")
    assert mix.diagrams[0]._repr_svg_().startswith("<svg")
    assert "<table>" in catnn.explain(mix)._repr_html_()
    assert spec.composites["g"]._repr_svg_().startswith("<svg")
    assert spec.rules[0]._repr_svg_().startswith("<svg")
    proof = spec.checks[0].proof
    assert proof is not None
    assert proof._repr_svg_().startswith("<svg")
    assert proof.left._repr_svg_().startswith("<svg")
    assert "by twice" in proof.left.to_text()
