"""An exported module opens in Netron: its viewer reads the file and draws the graph, in a real browser."""

from __future__ import annotations

import json
import socket
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

import catnn
from tests.browser.browsing import browser, missing

SPEC = """\
space V : S(n)
layer mix : V^2[3] -> V^2[8] = all + bias
layer pool : V^2[8] -> V[2] = all
network net : V^2[3] -> V[2] = mix ; relu ; pool
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("exported") / "net.pt2"
    module = catnn.compile(catnn.parse(SPEC)["net"], n=5).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.export.save(torch.export.export(module, (torch.randn(2, 5, 5, 3),)), file)
    return file


def test_the_file_is_an_archive_of_a_graph(exported: Path) -> None:
    """What viewers look for: a list of operators, the parameters by their names."""
    with zipfile.ZipFile(exported) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("models/model.json")]
        graph = json.loads(archive.read(name))["graph_module"]
    targets = {node["target"] for node in graph["graph"]["nodes"]}
    assert any("relu" in target for target in targets)
    assert all(target.startswith(("torch.ops.", "_operator.")) for target in targets), targets
    text = json.dumps(graph["signature"])
    assert all(f'"{name}"' in text for name in ("mix.weight", "mix.bias", "pool.weight"))


@pytest.mark.slow
def test_netron_draws_it(exported: Path) -> None:
    netron: Any = pytest.importorskip("netron", reason="Netron is not installed (pip install netron)")
    why = missing()
    if why is not None:
        pytest.skip(why)
    from selenium.webdriver.support.ui import WebDriverWait

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    netron.start(str(exported), address=("127.0.0.1", port), browse=False)
    try:
        with browser() as driver:
            driver.get(f"http://127.0.0.1:{port}/")
            accept = "const b = [...document.querySelectorAll('button')].find((b) => b.textContent === 'Accept');"
            WebDriverWait(driver, 60).until(lambda d: d.execute_script(f"{accept} if (b) b.click(); return !!b"))
            script = "return [...document.querySelectorAll('svg text')].map((t) => t.textContent)"
            shown = WebDriverWait(driver, 60).until(lambda d: d.execute_script(script) or False)
        assert any("relu" in text.lower() for text in shown), shown[:40]
    finally:
        netron.stop(("127.0.0.1", port))
