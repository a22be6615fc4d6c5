"""A real browser for the tests: Chromium without a window, its console and its requests kept; absent, tests say why."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

BINARIES = ("chromium", "chromium-browser", "google-chrome")


def missing() -> str | None:
    """Why no browser can be driven, or None."""
    if not any(map(shutil.which, BINARIES)):
        return "no Chromium is installed (Debian: apt-get install chromium chromium-driver)"
    if shutil.which("chromedriver") is None:
        return "no chromedriver is installed (Debian: apt-get install chromium-driver)"
    try:
        import selenium  # noqa: F401
    except ImportError:
        return "selenium is not installed (pip install selenium)"
    return None


@contextmanager
def browser(*, dark: bool = False, size: tuple[int, int] = (1600, 1000)) -> Iterator[Any]:
    """A browser of its own, ended with the block."""
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    with tempfile.TemporaryDirectory() as profile:
        for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--disable-background-networking", "--disable-component-update", f"--user-data-dir={profile}",
                     f"--window-size={size[0]},{size[1]}"):  # fmt: skip
            options.add_argument(word)
        options.binary_location = next(filter(None, map(shutil.which, BINARIES)))
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        try:
            theme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": theme})
            yield driver
        finally:
            driver.quit()


def console(driver: Any) -> list[str]:
    """What the page complained about since it was last asked."""
    return [entry["message"] for entry in driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]


def requests(driver: Any) -> list[str]:
    """The addresses that were asked for since it was last asked; data in the page and the browser's own are none."""
    messages = (json.loads(entry["message"])["message"] for entry in driver.get_log("performance"))
    found = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    return [url for url in found if not url.startswith(("data:", "chrome://", "chrome-untrusted://", "about:"))]
