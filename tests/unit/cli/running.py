"""`opsmail check` run in this process."""

from __future__ import annotations

from typing import Any

import pytest

from opsmail.cli.face import run
from tests.published import read_json


class Check:
    """Runs the command and keeps what it said."""

    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self._capfd = capfd
        self.out = self.err = ""

    def __call__(self, *arguments: str) -> int:
        code = run(["check", "--at", "2026-06-01", *arguments])
        self.out, self.err = self._capfd.readouterr()
        return code

    def json(self, *arguments: str) -> Any:
        self(*arguments, "--format", "json")
        return read_json(self.out)

    def rules(self, *arguments: str) -> list[str]:
        return [finding["rule"] for finding in self.json(*arguments)["findings"]]
