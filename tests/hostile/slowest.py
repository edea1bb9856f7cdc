"""The longest time that a faulty peer held a test up, told at the end of a run; it is another each time."""

from __future__ import annotations

import pytest

#: What a test records: `0.31 s (banner, silence)`.
PROPERTY = "verdict"


class Slowest:
    """Collects where all results arrive: in the one process of a run, or in the controller of the workers."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what a test recorded."""
        if report.when == "call":
            self.found += [str(value) for name, value in report.user_properties if name == PROPERTY]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say which took longest."""
        if self.found:
            longest = max(self.found, key=lambda text: float(text.partition(" ")[0]))
            terminalreporter.write_line(f"{len(self.found)} faults of peers, longest time to a verdict: {longest}")


def pytest_configure(config: pytest.Config) -> None:
    """Start collecting, where results arrive."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Slowest(), "slowest-verdict")
