"""TikZ pictures compile with a real TeX, where there is one: twenty values of every kind, one page each."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import catnn
from catnn import view
from tests.view.specimens import VALUES
from tests.view.test_boxes import SPEC, SPECIMENS
from tests.view.test_every_kind import PROGRAMS, random_diagrams, random_hypergraph

TEX = next(filter(None, map(shutil.which, ("pdflatex", "lualatex"))), None)


def has_tikz() -> bool:
    found = shutil.which("kpsewhich")
    return (
        found is not None
        and subprocess.run([found, "standalone.cls"], capture_output=True, check=False).returncode == 0
    )


def samples() -> list[str]:
    source, spec = random.Random(20), catnn.parse(SPEC)
    proof = spec.checks[0].proof
    assert proof is not None
    values = [*VALUES.values(), *SPECIMENS.values(), spec.rules[0], proof, catnn.diagram("SO(3)", "i j -> k")]
    values += [random_diagrams(source, 1)[0] for _ in range(2)] + [random_hypergraph(source) for _ in range(2)]
    pictures = [view.to_tikz(value, standalone=True) for value in values]
    named = catnn.parse(PROGRAMS).networks
    pictures += [view.to_tikz(named[name], standalone=True, inputs="left") for name in ("every", "signed")]
    pictures.append(view.to_tikz(proof, standalone=True, inputs="left"))
    return [*pictures, view.to_tikz(values[1], standalone=True, inputs="left", factored=False)]


@pytest.mark.slow
@pytest.mark.skipif(
    TEX is None or not has_tikz(), reason="no LaTeX with TikZ (Debian: texlive-pictures texlive-latex-extra)"
)
def test_twenty_samples_compile(tmp_path: Path) -> None:
    pictures = samples()
    assert len(pictures) >= 20
    head = pictures[0].partition(r"\begin{document}")[0]
    assert all(picture.partition(r"\begin{document}")[0] == head for picture in pictures)
    bodies = [picture.partition(r"\begin{document}")[2].partition(r"\end{document}")[0] for picture in pictures]
    (tmp_path / "all.tex").write_text(
        head + r"\begin{document}" + "".join(bodies) + "\\end{document}\n", encoding="utf-8"
    )
    command = [str(TEX), "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]
    pages = re.search(r"Output written on all\.pdf \((\d+) pages", done.stdout.replace("\n", ""))
    assert pages is not None
    assert int(pages[1]) == len(pictures)
    assert "Overfull" not in done.stdout
