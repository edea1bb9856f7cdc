"""What an application server loads by importing the reader, in a fresh interpreter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import opsmail
from tests.unit.fleets import ENVIRONMENT, Shop
from tests.unit.runtime.reading import MASTER

OPEN = """
import sys
from opsmail.runtime import Operators
url, environment, key = sys.argv[1:]
Operators.open(url, environment=environment, keys=[key])
"""


class TestWhatItLoads:
    """In a fresh interpreter: what an application server gets by importing the reader."""

    HEAVY = ("click", "rich", "jinja2", "yaml", "requests", "msal", "sqlalchemy", "pydantic", "jsonschema")
    OURS = ("opsmail.check", "opsmail.cli", "opsmail.live", "opsmail.publish", "opsmail.output")

    def loaded(self, code: str, *arguments: str) -> set[str]:
        program = f"{code}\nimport sys, json; print(json.dumps(sorted(sys.modules)))"
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", program, *arguments],
            env={**os.environ, "PYTHONPATH": str(Path(opsmail.__file__).parents[1])},
            capture_output=True,
            check=True,
            timeout=60,
        )
        return set(json.loads(done.stdout))

    def test_importing_it_loads_neither_the_command_line_nor_the_checking_parts(self) -> None:
        found = self.loaded("import opsmail.runtime")
        assert [name for name in found if name.startswith(self.OURS)] == []
        assert found.isdisjoint(self.HEAVY)

    def test_the_store_s_library_comes_with_the_store(self, shop: Shop) -> None:
        shop.publish(MASTER)
        found = self.loaded(OPEN, shop.url, ENVIRONMENT, str(shop.public_key))
        assert "sqlalchemy" in found
        assert found.isdisjoint(set(self.HEAVY) - {"sqlalchemy"})
