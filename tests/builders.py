"""What tests of reading and checking start from: operator files, settings, repositories, and a check of them."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from opsmail.check.engine import check
from opsmail.check.interface import Context
from opsmail.check.result import CheckResult
from opsmail.findings import Finding
from opsmail.providers import Providers
from opsmail.settings.load import Settings, load_settings
from opsmail.source.tree import SourceFile

DAY = date(2026, 6, 1)
SCHEMES = frozenset({"env", "file"})

#: The catalogue that `operator_text` fits.
SETTINGS = """\
operators = "operators"

[[servers]]
host = "smtp.empresa.com.br"
connections = ["587/starttls"]
authentication = ["basic"]
secrets = ["env://OPSMAIL_SECRET_{OPERATOR}"]
"""

_DEFAULTS: dict[str, Any] = {
    "version": 1,
    "operator": "rh",
    "role": "master",
    "sender": {"address": "rh@empresa.com.br"},
    "server": {"host": "smtp.empresa.com.br", "port": 587, "encryption": "starttls"},
    "authentication": {"type": "basic", "username": "rh@empresa.com.br", "password": "env://OPSMAIL_SECRET_RH"},
}


def operator_data(**sections: Any) -> dict[str, Any]:
    """Return a correct operator as plain data.

    Args:
        sections: fields of its own; a mapping is laid over the section, None leaves the field out.
    """
    data = {name: dict(value) if isinstance(value, dict) else value for name, value in _DEFAULTS.items()}
    for name, value in sections.items():
        if value is None:
            del data[name]
        elif isinstance(value, dict) and isinstance(data.get(name), dict):
            data[name] = {key: item for key, item in {**data[name], **value}.items() if item is not None}
        else:
            data[name] = value
    return data


def operator_text(**sections: Any) -> str:
    """Return a correct operator file, one field on each line, with some sections of its own (see `operator_data`)."""
    lines = []
    for name, value in operator_data(**sections).items():
        if isinstance(value, dict):
            lines += [f"{name}:", *(f"  {key}: {_written(item)}" for key, item in value.items())]
        else:
            lines.append(f"{name}: {_written(value)}")
    return "\n".join(lines) + "\n"


def _written(value: Any) -> str:
    if isinstance(value, str) and value.replace("-", "").replace("_", "").replace(".", "").replace("@", "").isalpha():
        return value
    return json.dumps(value, ensure_ascii=False)  # JSON is YAML


def edited(old: str, new: str, text: str | None = None) -> str:
    """Return an operator file, a correct one unless told otherwise, with the one place where `old` stands replaced."""
    before = operator_text() if text is None else text
    assert before.count(old) == 1, (old, before)
    return before.replace(old, new)


@dataclass(frozen=True)
class MemoryFiles:
    """Files by path, as settings are read from."""

    contents: Mapping[str, bytes]

    def read(self, path: str) -> bytes | None:
        return self.contents.get(path)


def settings_of(
    text: str | bytes | None = None, files: Mapping[str, str | bytes] | None = None, *, environment: str = "default"
) -> Settings:
    """Return the settings that a text of `opsmail.toml` says.

    Args:
        text: None for no such file.
        files: those beside it, by path.
        environment: whose settings.
    """
    told = dict(files or {})
    if text is not None:
        told["opsmail.toml"] = textwrap.dedent(text) if isinstance(text, str) else text
    contents = {path: content.encode() if isinstance(content, str) else content for path, content in told.items()}
    return load_settings(MemoryFiles(contents), environment)


def context_of(settings: str | None = None, *, day: date = DAY, waivers: str | None = None) -> Context:
    """Return the circumstances of a check, without any knowledge of providers."""
    files = {} if waivers is None else {"waivers.yaml": textwrap.dedent(waivers)}
    return Context(settings_of(settings, files), Providers(()), day, SCHEMES)


def run_check(
    files: Mapping[str, str | bytes],
    settings: str | None = None,
    *,
    whole: bool = True,
    waivers: str | None = None,
    day: date = DAY,
) -> CheckResult:
    """Check operator files by their names in the operators folder."""
    sources = [
        SourceFile(f"operators/{name}", content.encode() if isinstance(content, str) else content)
        for name, content in sorted(files.items())
    ]
    return check(sources, context_of(settings, day=day, waivers=waivers), whole=whole)


def findings_of(text: str | bytes, settings: str | None = None, name: str = "rh.yaml") -> list[Finding]:
    """Return the findings of one operator file by itself."""
    return list(run_check({name: text}, settings, whole=False).findings)


def rules_of(text: str | bytes) -> list[str]:
    """Return the ids of the rules that find something in one operator file."""
    return [finding.rule.id for finding in findings_of(text)]


def write_files(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below `root`, folders as needed, and return `root`."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root
