"""A password in a file is in no output, whatever the file made of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from opsmail.output.findings import FORMATS
from tests.acceptance.canary import Canary

SECRET = "Tr0ub4dor&3-ção"

FILES = {
    "value": f"  password: '{SECRET}'",
    "unknown-field": f"  senha: '{SECRET}'",
    "key": f"  {SECRET}: x",
    "comment": f"  password: env://A # {SECRET}",
    "broken": f"  password: '{SECRET}",
    "no-scheme": f"  password: x{SECRET}://",
}


@pytest.mark.case("X-12")
@pytest.mark.parametrize("name", FILES)
def test_no_format_tells_a_secret(name: str, tmp_path: Path) -> None:
    (tmp_path / "operators").mkdir()
    (tmp_path / "operators" / "rh.yaml").write_text(
        "version: 1\noperator: wrong\nserver:\n  host: smtp.empresa.com.br\n  port: 465\n  encryption: starttls\n"
        f"authentication:\n  type: basic\n  username: rh\n{FILES[name]}\n",
        "utf-8",
    )
    formats = [f"--format={each}:{tmp_path / each}" for each in FORMATS]
    command = [sys.executable, "-m", "opsmail", "check", *formats]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1, done.stderr
    canary = Canary({"password": SECRET})
    for each in FORMATS:
        content = (tmp_path / each).read_bytes()
        assert content
        assert canary.found(content) is None, each
    assert canary.found(done.stderr.encode()) is None
    hashed = [
        result["locations"][0]["physicalLocation"]["region"]["startLine"]
        for result in json.loads((tmp_path / "sarif").read_bytes())["runs"][0]["results"]
        if "primaryLocationLineHash" in result["partialFingerprints"]
    ]
    # From line 5 on, what would be hashed reaches the secret in line 10.
    assert not [line for line in hashed if 5 <= line <= 10]
