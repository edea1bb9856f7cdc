"""A real browser without a window, and axe-core in it (https://github.com/dequelabs/axe-core)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from tests.servers.processes import UnavailableError

_AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_SECONDS = 30
_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",  # its own sandbox refuses to run as root; what it opens is ours
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--hide-scrollbars",
    "--window-size=1280,900",
)


class Browser:
    """A page in Chromium."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, page: Path) -> None:
        """Show a file, and forget what earlier pages logged."""
        self.go(page.as_uri())

    def go(self, address: str) -> None:
        """Show what is at an address, and forget what earlier pages logged."""
        self.complaints()
        self.driver.get(address)

    def prefer(self, scheme: str) -> None:
        """Be the browser of somebody who prefers `light` or `dark` pages."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def complaints(self) -> list[str]:
        """Return what the browser logged: errors of scripts, and what the page's policy stopped."""
        log: list[dict[str, Any]] = self.driver.execute("getLog", {"type": "browser"})["value"]
        return [str(entry["message"]) for entry in log]

    def violations(self) -> list[str]:
        """Return what axe finds against WCAG 2.2 AA and its best practices: rule and first place."""
        self.driver.execute_script(_AXE.read_text("utf-8"))
        result: dict[str, Any] = self.driver.execute_async_script("axe.run().then(arguments[arguments.length - 1]);")
        return [f"{found['id']}: {found['nodes'][0]['html'][:200]}" for found in result["violations"]]

    def requests(self) -> int:
        """Return how many things the page loaded."""
        return int(self.driver.execute_script("return performance.getEntriesByType('resource').length;"))


@contextmanager
def run_browser() -> Iterator[Browser]:
    """Run a browser.

    Raises:
        UnavailableError: it, its driver or axe is not here, or cannot be started.
    """
    program = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        raise UnavailableError(
            "there is no Chromium with chromedriver here: tests/servers/install-debian.sh installs it"
        )
    if not _AXE.is_file():
        raise UnavailableError("axe-core is not here: tests/servers/install-node.sh installs it")
    options = Options()
    options.binary_location = program
    for argument in _ARGUMENTS:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    try:
        running = webdriver.Chrome(options=options, service=Service(driver))
    except WebDriverException as error:
        raise UnavailableError(f"Chromium does not start here: {error.msg}") from error
    try:
        running.set_page_load_timeout(_SECONDS)
        running.set_script_timeout(_SECONDS)
        yield Browser(running)
    finally:
        running.quit()
